package slacksim

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEventsAreRetriedAtOnceAfterAMinuteAndAfterFive(t *testing.T) {
	w := newOffice(t, nil)
	w.bot.says(503, "", "")
	start := w.Now()
	if _, _, err := w.Say(w.lin, w.DM(w.lin), "hello"); err != nil {
		t.Fatal(err)
	}
	type attempt struct {
		after  time.Duration
		num    string
		reason string
	}
	var got []attempt
	see := func() {
		for _, h := range w.bot.received()[len(got):] {
			got = append(got, attempt{w.Now().Sub(start), h.header.Get("X-Slack-Retry-Num"), h.header.Get("X-Slack-Retry-Reason")})
		}
	}
	see()
	for range 20 {
		w.Advance(30 * time.Second)
		see()
	}
	want := []attempt{{0, "", ""}, {0, "1", "http_error"}, {time.Minute, "2", "http_error"}, {5 * time.Minute, "3", "http_error"}}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(attempt{})); d != "" {
		t.Errorf("attempts differ (-want +got):\n%s", d)
	}
	if w.Pending() != 0 {
		t.Errorf("%d retries are still scheduled", w.Pending())
	}
	hits := w.bot.received()
	for i, h := range hits[1:] {
		if h.body != hits[0].body {
			t.Errorf("retry %d has another body: event_id must stay the same", i+1)
		}
	}
	if hits[0].header.Get("X-Slack-Signature") == hits[3].header.Get("X-Slack-Signature") {
		t.Error("a retry minutes later is signed with the first timestamp")
	}
}

func TestRetriesStopWhenTheBotAnswersOrForbidsThem(t *testing.T) {
	w := newOffice(t, nil)
	n := 0
	w.bot.answers(func(rw http.ResponseWriter, _ *http.Request) {
		if n++; n < 3 {
			rw.WriteHeader(500)
		}
	})
	w.Emit(map[string]any{"type": "app_uninstalled"})
	w.Advance(time.Hour)
	if got := len(w.bot.received()); got != 3 {
		t.Errorf("a bot that answers the second retry received %d requests, want 3", got)
	}

	stop := newOffice(t, nil)
	stop.bot.answers(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("X-Slack-No-Retry", "1")
		rw.WriteHeader(500)
	})
	stop.Emit(map[string]any{"type": "app_uninstalled"})
	stop.Advance(time.Hour)
	if got := len(stop.bot.received()); got != 1 {
		t.Errorf("a bot that sends X-Slack-No-Retry received %d requests, want 1", got)
	}
}

func TestTheReasonsForARetry(t *testing.T) {
	for want, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"http_timeout":       func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"http_error":         func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(404) },
		"too_many_redirects": func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, "/again", http.StatusFound) },
	} {
		w := newOffice(t, func(o *Options) { o.AckTimeout = 40 * time.Millisecond })
		w.bot.answers(answer)
		w.Emit(map[string]any{"type": "app_uninstalled"})
		var got string
		for _, d := range w.Deliveries() {
			if d.Attempt == 1 {
				got = d.RetryReason
			}
		}
		if got != want {
			t.Errorf("the retry's reason is %q, want %s", got, want)
		}
	}
}

func TestTimeScaleShortensTheWaits(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.TimeScale = 60_000 })
	w.bot.says(500, "", "")
	changes := w.Subscribe(t.Context())
	w.Emit(map[string]any{"type": "app_uninstalled"})
	for seen := 0; seen < 4; {
		if c := <-changes; c.Kind == ChangeDelivery {
			seen++
		}
	}
}

func TestWhatTheBotHearsOfMessages(t *testing.T) {
	w := newOffice(t, nil)
	mention := "@" + w.opts.BotName + " praise"
	for _, c := range []struct {
		what, channel, text, want string
	}{
		{"a direct message", w.DM(w.lin), "hello", "message"},
		{"a direct message that mentions the bot", w.DM(w.lin), mention, "message"},
		{"a mention in a channel", w.general, mention, "app_mention"},
		{"talk in a channel", w.general, "hello", ""},
		{"a mention where the bot is not", w.private, mention, ""},
	} {
		before := len(w.bot.received())
		if _, _, err := w.Say(w.lin, c.channel, c.text); err != nil {
			t.Fatal(err)
		}
		got := ""
		if hits := w.bot.received(); len(hits) > before {
			event, _ := hits[len(hits)-1].payload(t)["event"].(map[string]any)
			got, _ = event["type"].(string)
		}
		if got != c.want {
			t.Errorf("%s: the bot hears %q, want %q", c.what, got, c.want)
		}
	}
	w.Say(w.lin, w.DM(w.lin), "@kai & <b>") //nolint:errcheck // checked by what arrives
	event, _ := w.bot.last(t).payload(t)["event"].(map[string]any)
	if got, want := event["text"], "<@U0KAI00001> &amp; &lt;b&gt;"; got != want {
		t.Errorf("a message event has the text %q, want %q", got, want)
	}
	if event["channel_type"] != "im" {
		t.Errorf("channel_type is %v, want im", event["channel_type"])
	}
}

func TestTheBotHearsItsOwnDirectMessages(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.NoEcho = false })
	changes := w.Subscribe(t.Context())
	w.api(t, "chat.postMessage", obj{"channel": w.general, "text": "in a channel"})
	w.api(t, "chat.postMessage", obj{"channel": w.lin, "text": "hello"})
	for c := range changes {
		if c.Kind == ChangeDelivery {
			break
		}
	}
	event, _ := w.bot.last(t).payload(t)["event"].(map[string]any)
	if event["bot_id"] == nil || event["text"] != "hello" || event["channel_type"] != "im" {
		t.Errorf("the echo is %s", encodeJSON(event))
	}
}

func TestHandshake(t *testing.T) {
	w := newOffice(t, nil)
	if echoed, _ := w.VerifyURL(); echoed {
		t.Error("an empty answer counts as the challenge")
	}
	w.bot.answers(func(rw http.ResponseWriter, _ *http.Request) {
		io.WriteString(rw, w.bot.last(t).payload(t)["challenge"].(string)) //nolint:errcheck // checked by the result
	})
	if echoed, _ := w.VerifyURL(); !echoed {
		t.Error("the challenge as plain text is not recognised")
	}
}

func TestMembersThatJoinAndChangeAreAnnounced(t *testing.T) {
	w := newOffice(t, nil)
	p := w.Join(Person{Handle: "new", RealName: "New Hire"})
	event, _ := w.bot.last(t).payload(t)["event"].(map[string]any)
	if event["type"] != "team_join" {
		t.Errorf("joining sends %v, want team_join", event["type"])
	}
	w.ChangePerson(p.ID, func(p *Person) { p.Deleted = true })
	event, _ = w.bot.last(t).payload(t)["event"].(map[string]any)
	user, _ := event["user"].(map[string]any)
	if event["type"] != "user_change" || user["deleted"] != true {
		t.Errorf("leaving sends %s, want user_change with deleted", encodeJSON(event))
	}
}

func TestEventsPastThirtyThousandAnHourAreDroppedAndSaid(t *testing.T) {
	var h eventHealth
	now := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	l := Limits{}.withDefaults()
	for i := range eventsPerHour {
		if v := h.charge(now, l); v != eventSent {
			t.Fatalf("event %d of the hour is not sent", i+1)
		}
	}
	for i, want := range []eventVerdict{eventLimitTold, eventDropped} {
		if v := h.charge(now, l); v != want {
			t.Errorf("event %d past the limit gets verdict %d, want %d", i+1, v, want)
		}
	}
	if v := h.charge(now.Add(time.Minute), l); v != eventLimitTold {
		t.Errorf("a minute later the limit is not told again: %d", v)
	}
	if v := h.charge(now.Add(time.Hour), l); v != eventSent {
		t.Errorf("an hour later events are not sent again: %d", v)
	}
}

func TestAnAppThatFailsAlmostAlwaysIsDisabled(t *testing.T) {
	for _, c := range []struct {
		sent, failed int
		want         bool
	}{{999, 999, false}, {1000, 950, false}, {1000, 951, true}} {
		var h eventHealth
		h.sent = c.sent
		for range c.failed {
			h.failure()
		}
		if h.disabled != c.want {
			t.Errorf("%d failures of %d events: disabled %v, want %v", c.failed, c.sent, h.disabled, c.want)
		}
	}
}
