package fault

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"huiyin/bot/sim/slacksim"
)

// TestTheInstrumentSeesWhatANaiveSenderDoes is the positive control: a sender that simply tries again doubles messages on the very faults
// of the real test, one that never tries again loses some, and the counting sees both.
func TestTheInstrumentSeesWhatANaiveSenderDoes(t *testing.T) {
	const people, messages = 50, 300
	for _, tt := range []struct {
		what       string
		tries      int
		wantLost   bool
		wantDouble bool
	}{
		{"tries again whatever happened", 10, false, true},
		{"never tries again", 1, true, false},
	} {
		t.Run(tt.what, func(t *testing.T) {
			sim := slacksim.New(slacksim.Options{SigningSecret: signingSecret, BotToken: botToken, Clock: time.Now, Seed: 1, Limits: slacksim.Limits{Off: true}})
			t.Cleanup(sim.Close)
			vendor := httptest.NewServer(sim.Handler())
			t.Cleanup(vendor.Close)
			sim.SetBaseURL(vendor.URL)
			for i := range people {
				sim.AddPerson(slacksim.Person{ID: account(i)})
			}
			sim.SetFault("chat.postMessage", slacksim.Fault{Rate: 0.03, AcceptThenDrop: true}, slacksim.Fault{Rate: 0.03, Status: 500})
			for i := range messages {
				for range tt.tries {
					if post(t, sim.APIURL(), account(i%people), fmt.Sprintf("praised you praise number %d.", i)) {
						break
					}
				}
			}
			lost, doubled := compare(received(vendors()[0], slackVendor{sim: sim}, people), messages)
			t.Logf("%d lost, %d doubled", lost, doubled)
			if (lost > 0) != tt.wantLost || (doubled > 0) != tt.wantDouble {
				t.Errorf("a sender that %s: %d lost, %d doubled", tt.what, lost, doubled)
			}
		})
	}
}

// post sends a message the naive way and reports whether Slack said yes.
func post(t *testing.T, api, user, text string) bool {
	t.Helper()
	blocks, err := json.Marshal([]map[string]any{{"type": "section", "text": map[string]string{"type": "plain_text", "text": text}}})
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"channel": {user}, "text": {"praised"}, "blocks": {string(blocks)}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, api+"chat.postMessage", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Bearer "+botToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer func() { _ = resp.Body.Close() }() // read to its end below
	var answer struct {
		OK bool `json:"ok"`
	}
	return json.NewDecoder(resp.Body).Decode(&answer) == nil && answer.OK
}
