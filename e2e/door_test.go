package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"huiyin/bot/sim/slacksim"
)

// door is where Slack's requests come in, for whoever writes them by hand.
type door struct {
	*play
	slack *slackStage
	n     int    // makes what Slack numbers its deeds with
	side  string // the button of mei's list that changes its side
}

// signed is a request as Slack makes it; what a row changes of it comes after.
func (d *door) signed(path, media, body string, change ...func(*http.Request)) *http.Request {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, d.address+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header.Set("Content-Type", media)
	d.sign(req, body, d.clock.now())
	for _, c := range change {
		c(req)
	}
	return req
}

func (d *door) sign(req *http.Request, body string, at time.Time) {
	req.Header.Set("X-Slack-Request-Timestamp", strconv.FormatInt(at.Unix(), 10))
	req.Header.Set("X-Slack-Signature", slacksim.Sign(slackSecret, at.Unix(), []byte(body)))
}

// send gives the status and what the answer says, in the words that a person would read.
func (d *door) send(req *http.Request) (int, string) {
	d.t.Helper()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatalf("%s %s: %v", req.Method, req.URL, err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		d.t.Fatalf("reading the answer: %v", err)
	}
	var answer struct {
		Text   string            `json:"text"`
		Blocks json.RawMessage   `json:"blocks"`
		Type   string            `json:"response_type"`
		View   slacksim.View     `json:"view"`
		Errors map[string]string `json:"errors"`
	}
	if json.Unmarshal(raw, &answer) != nil {
		return res.StatusCode, strings.TrimSpace(string(raw))
	}
	if answer.Type == "in_channel" {
		d.t.Errorf("%s was answered to a whole channel", req.URL.Path)
	}
	for _, blocks := range []json.RawMessage{answer.Blocks, answer.View.Blocks} {
		if drawn := d.slack.draw(slacksim.Place{}, blocks); drawn.words != "" {
			return res.StatusCode, drawn.words
		}
	}
	for field, text := range answer.Errors {
		return res.StatusCode, field + ": " + text
	}
	return res.StatusCode, answer.Text
}

const formMedia = "application/x-www-form-urlencoded"

// command is a slash command with the text as Slack sends it: escaped, mentions as <@U…|name>.
func (d *door) command(user, name, text string) string {
	d.n++
	return url.Values{
		"command": {name}, "text": {text}, "user_id": {user}, "user_name": {"x"}, "team_id": {d.slack.sim.Team().ID}, "channel_id": {generalChannel},
		"channel_name": {"general"}, "trigger_id": {fmt.Sprintf("1.2.%d", d.n)}, "response_url": {d.slack.vendor.URL + "/commands/T/1/none"},
	}.Encode()
}

func (d *door) types(who, name, text string) (int, string) {
	d.t.Helper()
	return d.send(d.signed("/slack/commands", formMedia, d.command(d.accounts[who], name, text)))
}

func (d *door) mention(who string) string { return "<@" + d.accounts[who] + "|" + who + ">" }

// forge presses, as mei, a button that she really has on her list of feedback, and once more after the request was changed on its way. It
// gives the answer to that.
func (d *door) forge(change func(payload map[string]any)) (int, string) {
	d.t.Helper()
	const who = "mei"
	before := len(d.slack.sim.Deliveries())
	d.press(who, d.side, "", false)
	d.side = map[string]string{"Given": "Received", "Received": "Given"}[d.side]
	d.changes([]string{"<" + d.side + ">"}, onlyTo(who))
	genuine := d.slack.sim.Deliveries()[before]
	values, err := url.ParseQuery(genuine.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	var payload map[string]any
	if err := json.Unmarshal([]byte(values.Get("payload")), &payload); err != nil {
		d.t.Fatal(err)
	}
	d.n++
	actionOf(payload)["action_ts"] = fmt.Sprintf("%d.%06d", d.clock.now().Unix(), d.n)
	change(payload)
	status, words := d.interact(payload)
	if status != http.StatusOK || words != "" {
		return status, words
	}
	if address, _ := payload["response_url"].(string); !strings.HasPrefix(address, d.slack.vendor.URL) {
		d.settle(d.t)
		return status, "(nothing)"
	}
	d.sees(who+" is answered", nil, onlyTo(who), who)
	return status, d.last.words
}

func (d *door) interact(payload map[string]any) (int, string) {
	d.t.Helper()
	raw, err := json.Marshal(payload)
	if err != nil {
		d.t.Fatal(err)
	}
	return d.send(d.signed("/slack/interactions", formMedia, url.Values{"payload": {string(raw)}}.Encode()))
}

func actionOf(payload map[string]any) map[string]any {
	all, _ := payload["actions"].([]any)
	one, _ := all[0].(map[string]any)
	return one
}

// buttonOf is the action and the value of a button on somebody's newest message that has it, as they stand in the message.
func (d *door) buttonOf(who, label string) (action, value string) {
	d.t.Helper()
	messages := d.slack.sim.MessagesFor(d.accounts[who])
	for i := len(messages) - 1; i >= 0; i-- {
		for _, b := range blocksOf(messages[i].Blocks) {
			for _, raw := range b.Elements {
				var e struct {
					ActionID string    `json:"action_id"`
					Value    string    `json:"value"`
					Text     slackText `json:"text"`
				}
				if json.Unmarshal(raw, &e) == nil && e.Text.Text == label {
					return e.ActionID, e.Value
				}
			}
		}
	}
	d.t.Fatalf("%s has no button %q", who, label)
	return "", ""
}

// listenCanary is an address on this machine that nobody has any business with.
func listenCanary(t *testing.T) (address string, touched *atomic.Int32) {
	t.Helper()
	touched = new(atomic.Int32)
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { touched.Add(1) }))
	t.Cleanup(server.Close)
	return server.URL + "/actions/T/1/x", touched
}

func bodyOf(t *testing.T, r *http.Request) string {
	t.Helper()
	body, err := r.GetBody()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func personOf(d *door, number string) string {
	d.t.Helper()
	var id string
	d.query(d.t, &id, `select person_id::text from people where employee_no = $1`, number)
	return id
}
