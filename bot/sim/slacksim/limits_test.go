package slacksim

import (
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func (w *office) postStatus(t *testing.T, channel string) (int, string) {
	t.Helper()
	status, header, _ := w.post(t, "/api/chat.postMessage", jsonUTF8, testBotToken, string(encodeJSON(obj{"channel": channel, "text": "x"})))
	return status, header.Get("Retry-After")
}

func TestAChannelTakesABurstOfThreeAndThenOneASecond(t *testing.T) {
	w := newOffice(t, nil)
	for i := 1; i <= 3; i++ {
		if status, _ := w.postStatus(t, w.general); status != 200 {
			t.Fatalf("message %d of the burst answers %d", i, status)
		}
	}
	if status, wait := w.postStatus(t, w.general); status != 429 || wait != "1" {
		t.Errorf("the fourth message answers %d with Retry-After %q, want 429 with 1", status, wait)
	}
	if status, _ := w.postStatus(t, w.lin); status != 200 {
		t.Errorf("another conversation answers %d, want 200: the limit is per channel", status)
	}
	w.Advance(999 * time.Millisecond)
	if status, _ := w.postStatus(t, w.general); status != 429 {
		t.Errorf("before the wait is over it answers %d, want 429", status)
	}
	w.Advance(time.Millisecond)
	if status, _ := w.postStatus(t, w.general); status != 200 {
		t.Errorf("after the wait it answers %d, want 200", status)
	}
}

func TestCallingInsideARetryAfterIsAFinding(t *testing.T) {
	w := newOffice(t, nil)
	for range 4 {
		w.postStatus(t, w.general)
	}
	w.postStatus(t, w.general)
	if fs := w.Findings(); len(fs) != 0 {
		t.Errorf("a call that was under way is a finding: %v", rules(fs))
	}
	w.Advance(500 * time.Millisecond)
	w.postStatus(t, w.general)
	if d := cmp.Diff([]string{"MUST ratelimit.retry_after_ignored "}, rules(w.Findings())); d != "" {
		t.Errorf("findings differ (-want +got):\n%s", d)
	}
}

func TestADirectConversationHasOneLimitByUserAndByChannel(t *testing.T) {
	w := newOffice(t, nil)
	dm := w.DM(w.lin)
	for _, id := range []string{w.lin, dm, w.lin} {
		if status, _ := w.postStatus(t, id); status != 200 {
			t.Fatalf("posting to %s answers %d", id, status)
		}
	}
	if status, _ := w.postStatus(t, dm); status != 429 {
		t.Errorf("the fourth message answers %d, want 429", status)
	}
}

func TestTiersAndTheWorkspaceHaveTheirMinutes(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.Limits.WorkspacePerMinute = 5 })
	count := func(call func() obj) int {
		n := 0
		for call()["error"] != "ratelimited" {
			n++
		}
		return n
	}
	if got := count(func() obj { return w.form(t, "users.list") }); got != 20 {
		t.Errorf("users.list is refused after %d calls, want 20 (tier 2)", got)
	}
	if got := count(func() obj { return w.form(t, "conversations.info", "channel", w.general) }); got != 50 {
		t.Errorf("conversations.info is refused after %d calls, want 50 (tier 3)", got)
	}
	if got := count(func() obj { return w.form(t, "users.info", "user", w.lin) }); got != 100 {
		t.Errorf("users.info is refused after %d calls, want 100 (tier 4)", got)
	}
	channels := []string{}
	for range 6 {
		channels = append(channels, w.AddPerson(Person{}).ID)
	}
	for i, c := range channels {
		want := 200
		if i == 5 {
			want = 429
		}
		if status, _ := w.postStatus(t, c); status != want {
			t.Errorf("message %d in the workspace answers %d, want %d", i+1, status, want)
		}
	}
}

func TestLimitsScaleAndSwitchOff(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.Limits.Scale = 2 })
	for i := 1; i <= 7; i++ {
		want := 200
		if i == 7 {
			want = 429
		}
		if status, _ := w.postStatus(t, w.general); status != want {
			t.Errorf("at scale 2 message %d answers %d, want %d", i, status, want)
		}
	}
	w.SetLimits(Limits{Off: true})
	for i := range 20 {
		if status, _ := w.postStatus(t, w.general); status != 200 {
			t.Fatalf("with limits off message %d answers %d", i, status)
		}
	}
}

func TestAcceptThenDropKeepsTheMessageAndBreaksTheConnection(t *testing.T) {
	w := newOffice(t, quiet)
	w.SetFault("chat.postMessage", Fault{AcceptThenDrop: true})
	_, _, _, err := w.try(t, "/api/chat.postMessage", jsonUTF8, testBotToken, string(encodeJSON(obj{"channel": w.general, "text": "x"})))
	if err == nil {
		t.Error("the call got an answer, want a broken connection")
	}
	if got := len(w.Messages(w.general, w.lin)); got != 1 {
		t.Errorf("%d messages are stored, want 1", got)
	}
	if c := w.Calls()[0]; c.Status != 0 || c.Fault != "accept_then_drop" {
		t.Errorf("the call is recorded with status %d and fault %q", c.Status, c.Fault)
	}
	w.SetFault("chat.postMessage", Fault{Reset: true})
	_, _, _, err = w.try(t, "/api/chat.postMessage", jsonUTF8, testBotToken, string(encodeJSON(obj{"channel": w.general, "text": "x"})))
	if err == nil || errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a reset gives %v, want a broken connection", err)
	}
	if got := len(w.Messages(w.general, w.lin)); got != 1 {
		t.Errorf("after a reset %d messages are stored, want still 1", got)
	}
	w.SetFault("chat.postMessage")
	if status, _ := w.postStatus(t, w.general); status != 200 {
		t.Errorf("without the fault it answers %d", status)
	}
}

func TestInjectedAnswers(t *testing.T) {
	w := newOffice(t, quiet)
	for _, c := range []struct {
		fault      Fault
		wantStatus int
		wantError  string
		wantWait   string
	}{
		{Fault{Status: 503}, 503, "internal_error", ""},
		{Fault{Status: 200, Error: "fatal_error"}, 200, "fatal_error", ""},
		{Fault{Error: "team_access_not_granted"}, 200, "team_access_not_granted", ""},
		{Fault{RetryAfter: 7}, 429, "ratelimited", "7"},
	} {
		w.SetFault("*", c.fault)
		status, header, got := w.post(t, "/api/chat.postMessage", jsonUTF8, testBotToken, `{"channel":"`+w.general+`","text":"x"}`)
		if status != c.wantStatus || got["error"] != c.wantError || header.Get("Retry-After") != c.wantWait {
			t.Errorf("%s answers %d %v, Retry-After %q", c.fault, status, got["error"], header.Get("Retry-After"))
		}
		if status, _, _ := w.post(t, w.hook(t), jsonUTF8, "", `{"text":"x"}`); status != c.wantStatus {
			t.Errorf("%s on a response_url answers %d, want %d", c.fault, status, c.wantStatus)
		}
	}
	if got := len(w.Messages(w.general, "")); got != 0 {
		t.Errorf("%d messages came through faults that answer instead", got)
	}
}

func TestAnInjected429StartsAWindowThatIsEnforced(t *testing.T) {
	w := newOffice(t, nil)
	w.SetFault("chat.postMessage", Fault{RetryAfter: 3})
	w.postStatus(t, w.general)
	w.SetFault("chat.postMessage")
	w.Advance(2 * time.Second)
	if status, wait := w.postStatus(t, w.general); status != 429 || wait != "1" {
		t.Errorf("inside the window it answers %d with Retry-After %q, want 429 with 1", status, wait)
	}
	if len(w.MustFindings()) != 1 {
		t.Errorf("findings are %v, want the ignored window", rules(w.Findings()))
	}
	w.Advance(time.Second)
	if status, _ := w.postStatus(t, w.general); status != 200 {
		t.Errorf("after the window it answers %d", status)
	}
}

func TestFaultRatesAddUpAndRepeatWithTheSeed(t *testing.T) {
	run := func(seed uint64) map[string]int {
		s := New(Options{Seed: seed})
		s.SetFault("chat.postMessage", Fault{Rate: 0.03, AcceptThenDrop: true}, Fault{Rate: 0.01, RetryAfter: 1}, Fault{Rate: 0.01, Status: 500})
		got := map[string]int{}
		for range 10_000 {
			got[s.draw("chat.postMessage").String()]++
		}
		return got
	}
	first := run(1)
	if d := cmp.Diff(first, run(1)); d != "" {
		t.Errorf("the same seed gives other faults:\n%s", d)
	}
	for fault, about := range map[string]int{"": 9500, "accept_then_drop": 300, "429 Retry-After 1": 100, "status 500": 100} {
		if got := first[fault]; got < about*7/10 || got > about*13/10 {
			t.Errorf("%q came %d times in 10,000, want about %d", fault, got, about)
		}
	}
}

func TestADelayHoldsTheAnswerBack(t *testing.T) {
	w := newOffice(t, quiet)
	w.SetFault("auth.test", Fault{Delay: time.Hour})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+"/api/auth.test", nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Timeout: 50 * time.Millisecond}
	res, err := client.Do(r)
	if err == nil {
		defer res.Body.Close()
		t.Error("the delayed call was answered at once")
	}
}
