package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	slackapi "github.com/slack-go/slack"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/internal/fault"
)

func message() bot.Message {
	return bot.Message{To: bot.Address{User: "U0KAI"}, Card: *aCard("Lin thanked you"), Delivery: "01930000-0000-7000-8000-000000000001"}
}

func TestNewRefusesToWorkHalfConfigured(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		name string
		cfg  Config
		want []string
	}{
		{"nothing", Config{}, []string{"slack.config.bot_token", "slack.config.signing_secret"}},
		{"blanks", Config{BotToken: " ", SigningSecret: "\n"}, []string{"slack.config.bot_token", "slack.config.signing_secret"}},
		{"no signing secret", Config{BotToken: "xoxb"}, []string{"slack.config.signing_secret"}},
		{"no bot token", Config{AppToken: "xapp"}, []string{"slack.config.bot_token"}},
		{"an address that is none", Config{BotToken: "xoxb", SigningSecret: "x", APIURL: "slack.com/api"}, []string{"slack.config.api_url"}},
		{"an address of another kind", Config{BotToken: "xoxb", SigningSecret: "x", APIURL: "file:///etc"}, []string{"slack.config.api_url"}},
		{"webhooks", Config{BotToken: "xoxb", SigningSecret: "x"}, nil},
		{"socket mode", Config{BotToken: "xoxb", AppToken: "xapp"}, nil},
	} {
		c.cfg.Now, c.cfg.Log, c.cfg.Catalog = r.cfg.Now, r.cfg.Log, r.cfg.Catalog
		_, err := New(c.cfg)
		var got []string
		if f, ok := fault.Of(err); ok {
			for _, p := range f.All() {
				got = append(got, p.Key)
				if !r.cfg.Catalog.Has(p.Key) {
					t.Errorf("the key %s has no words", p.Key)
				}
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: refused differently (-want +got):\n%s", c.name, diff)
		}
	}
	if _, err := New(Config{BotToken: "xoxb", SigningSecret: "x"}); err == nil {
		t.Error("an adapter without clock, log and words was made")
	}
}

func TestWithoutASecretNoWebhookIsBelieved(t *testing.T) {
	r := newRig(t, func(c *Config) { c.SigningSecret, c.AppToken = "", "xapp-1" })
	raw := []byte("ssl_check=1")
	req := r.request(t, "/slack/commands", raw)
	req.Header.Set("X-Slack-Signature", sign("", fmt.Sprint(r.now.Unix()), raw))
	if w := r.serve(reply(bot.Reply{}), req); w.Code != http.StatusUnauthorized {
		t.Errorf("a request signed with the empty secret is answered %d, want 401", w.Code)
	}
}

func TestSendGoesToThePersonAndCarriesTheDelivery(t *testing.T) {
	r := newRig(t)
	for range 2 {
		ref, err := r.Send(t.Context(), message())
		if err != nil || ref != (bot.Ref{Channel: "D1", ID: "1762857600.000100"}) {
			t.Fatalf("sending: %+v, %v", ref, err)
		}
		got := r.fake.next(t, "chat.postMessage").Form
		for key, want := range map[string]string{
			"channel": "U0KAI", "text": "Lin thanked you", "parse": "none", "unfurl_links": "false", "unfurl_media": "false", "link_names": "", "token": testToken,
			"metadata": `{"event_type":"huiyin_delivery","event_payload":{"id":"01930000-0000-7000-8000-000000000001"}}`,
		} {
			if got.Get(key) != want {
				t.Errorf("%s is %q, want %q", key, got.Get(key), want)
			}
		}
		var blocks []any
		if err := json.Unmarshal([]byte(got.Get("blocks")), &blocks); err != nil || len(blocks) != 2 {
			t.Errorf("blocks are %q", got.Get("blocks"))
		}
	}
	if _, err := r.Send(t.Context(), bot.Message{To: bot.Address{Channel: "C1"}, Card: *aCard("x")}); err != nil {
		t.Fatal(err)
	}
	if got := r.fake.next(t, "chat.postMessage").Form; got.Get("channel") != "C1" || got.Get("metadata") != "" {
		t.Errorf("a message to a channel was sent as %v", got)
	}
	r.fake.quiet(t)
}

func TestFindKnowsTheConversationFromWhatWasSent(t *testing.T) {
	r := newRig(t)
	if _, err := r.Send(t.Context(), message()); err != nil {
		t.Fatal(err)
	}
	r.fake.next(t, "chat.postMessage")
	r.fake.say("conversations.history", `{"ok":true,"messages":[]}`)
	if _, found, err := r.Find(t.Context(), message()); found || err != nil {
		t.Errorf("finding among no messages: %v, %v", found, err)
	}
	r.fake.next(t, "auth.test")
	if got := r.fake.next(t, "conversations.history").Form.Get("channel"); got != "D1" {
		t.Errorf("the history of %q was read, want D1, where the last message went", got)
	}
}

// R28: a private card is for a person.
func TestAPrivateCardIsNotPostedInAChannel(t *testing.T) {
	r := newRig(t)
	private := *aCard("x")
	private.Tone = card.Private
	if _, err := r.Send(t.Context(), bot.Message{To: bot.Address{Channel: "C1"}, Card: private}); !fault.Is(err, fault.Forbidden) {
		t.Errorf("sending a private card to a channel: %v, want a refusal", err)
	}
	if err := r.Update(t.Context(), bot.Ref{Channel: "C1", ID: "1.1"}, private); !fault.Is(err, fault.Forbidden) {
		t.Errorf("changing a message in a channel to a private card: %v, want a refusal", err)
	}
	r.fake.quiet(t)
	for _, to := range []bot.Address{{User: "U0KAI"}, {Channel: "D1"}} {
		if _, err := r.Send(t.Context(), bot.Message{To: to, Card: private}); err != nil {
			t.Errorf("sending a private card to %+v: %v", to, err)
		}
	}
	if err := r.Update(t.Context(), bot.Ref{Channel: "D1", ID: "1.1"}, private); err != nil {
		t.Errorf("changing a direct message to a private card: %v", err)
	}
}

// outcome is what a caller may do about an error.
func outcome(err error) string {
	f, ok := fault.Of(err)
	switch {
	case err == nil:
		return "done"
	case errors.Is(err, bot.ErrUnknownOutcome) && ok:
		return "both unknown and a fault: " + err.Error()
	case errors.Is(err, bot.ErrUnknownOutcome):
		return "unknown"
	case ok && f.Kind == fault.Unavailable:
		return "retry"
	case ok:
		return "final " + f.Kind.String()
	}
	return "internal"
}

func TestErrorsOfSlackAreTranslatedOnce(t *testing.T) {
	refusal := func(code string) http.HandlerFunc { return body(`{"ok":false,"error":"` + code + `"}`) }
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(code)
			_, _ = w.Write([]byte("<html>no</html>"))
		}
	}
	limited := func(after string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if after != "" {
				w.Header().Set("Retry-After", after)
			}
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}
	for _, c := range []struct {
		name         string
		answer       http.HandlerFunc
		send, update string
		loud         bool
	}{
		{"429 with Retry-After", limited("7"), "retry", "retry", false},
		{"429 without Retry-After", limited(""), "retry", "retry", false},
		{"ratelimited", refusal("ratelimited"), "retry", "retry", false},
		{"500", status(500), "unknown", "retry", false},
		{"503", status(503), "unknown", "retry", false},
		{"404 of a proxy", status(404), "retry", "retry", false},
		{"a redirect", status(302), "retry", "retry", false},
		{"200 that is no JSON", body("<html>"), "unknown", "retry", false},
		{"the connection breaks", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "unknown", "retry", false},
		{"internal_error", refusal("internal_error"), "unknown", "retry", false},
		{"fatal_error", refusal("fatal_error"), "unknown", "retry", false},
		{"channel_not_found", refusal("channel_not_found"), "final not_found", "final not_found", false},
		{"user_disabled", refusal("user_disabled"), "final not_found", "final not_found", false},
		{"is_archived", refusal("is_archived"), "final conflict", "final conflict", false},
		{"not_in_channel", refusal("not_in_channel"), "final forbidden", "final forbidden", false},
		{"invalid_blocks", refusal("invalid_blocks"), "final invalid", "final invalid", true},
		{"msg_blocks_too_long", refusal("msg_blocks_too_long"), "final invalid", "final invalid", true},
		{"message_not_found", refusal("message_not_found"), "final not_found", "final not_found", false},
		{"account_inactive", refusal("account_inactive"), "retry", "retry", true},
		{"invalid_auth", refusal("invalid_auth"), "retry", "retry", true},
		{"missing_scope", refusal("missing_scope"), "retry", "retry", true},
		{"a code of the future", refusal("too_many_unicorns"), "retry", "retry", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.fake.do("chat.postMessage", c.answer)
			r.fake.do("chat.update", c.answer)
			_, err := r.Send(t.Context(), bot.Message{To: bot.Address{Channel: "C1"}, Card: *aCard("x")})
			if got := outcome(err); got != c.send {
				t.Errorf("sending: %s (%v), want %s", got, err, c.send)
			}
			if f, ok := fault.Of(err); ok {
				if !r.cfg.Catalog.Has(f.Key) {
					t.Errorf("the fault %s has no words", f.Key)
				}
				if words := r.cfg.Catalog.In("en").With(f.Key, f.Args); strings.Contains(words, "no value") {
					t.Errorf("the words of %s lack an argument: %s", f.Key, words)
				}
				if c.name == "429 with Retry-After" && f.RetryAfter != 7*time.Second {
					t.Errorf("to be tried again after %s, want 7s", f.RetryAfter)
				}
			}
			if got := outcome(r.Update(t.Context(), bot.Ref{Channel: "C1", ID: "1.1"}, *aCard("x"))); got != c.update {
				t.Errorf("updating: %s, want %s", got, c.update)
			}
			if loud := strings.Contains(r.log.String(), "level=ERROR"); loud != c.loud {
				t.Errorf("logged as an error: %v, want %v: %s", loud, c.loud, r.log)
			}
		})
	}
}

func TestARefusedConnectionIsNoUnknownOutcome(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, func(c *Config) { c.APIURL = address })
	_, err = r.Send(t.Context(), bot.Message{To: bot.Address{Channel: "C1"}, Card: *aCard("x")})
	if got := outcome(err); got != "retry" {
		t.Errorf("sending to nobody: %s (%v), want retry: nothing can have been delivered", got, err)
	}
}

func TestASlackThatDoesNotAnswerIsAnUnknownOutcome(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	r := newRig(t, func(c *Config) { c.HTTP = &http.Client{Timeout: 2 * time.Second} }) // enough to connect on a busy machine
	r.fake.do("chat.postMessage", func(http.ResponseWriter, *http.Request) { <-release })
	_, err := r.Send(t.Context(), bot.Message{To: bot.Address{Channel: "C1"}, Card: *aCard("x")})
	if got := outcome(err); got != "unknown" {
		t.Errorf("sending to a Slack that hangs: %s (%v), want unknown", got, err)
	}
}

func TestATokenFollowsNoRedirect(t *testing.T) {
	r := newRig(t)
	elsewhere := newFake(t)
	r.fake.do("chat.postMessage", func(w http.ResponseWriter, q *http.Request) {
		http.Redirect(w, q, elsewhere.URL+"/api/chat.postMessage", http.StatusTemporaryRedirect)
	})
	if _, err := r.Send(t.Context(), bot.Message{To: bot.Address{Channel: "C1"}, Card: *aCard("x")}); outcome(err) != "retry" {
		t.Errorf("a redirected send: %v", err)
	}
	elsewhere.quiet(t)
}

func TestFindLooksAmongOurOwnMessages(t *testing.T) {
	r := newRig(t)
	m := message()
	m.Since = signedAt
	meta := func(id string) string {
		return `"metadata":{"event_type":"huiyin_delivery","event_payload":{"id":"` + id + `"}}`
	}
	first := `{"ok":true,"messages":[
		{"type":"message","user":"U0EVIL","ts":"5.0",` + meta(m.Delivery) + `},
		{"type":"message","bot_id":"B0OTHER","ts":"4.0",` + meta(m.Delivery) + `},
		{"type":"message","bot_id":"B0BOT","ts":"3.0",` + meta("another") + `,"blocks":[{"type":"a_block_of_the_future","x":1}]},
		{"type":"message","bot_id":"B0BOT","ts":"2.0"}],"response_metadata":{"next_cursor":"next"}}`
	r.fake.do("conversations.history", func(w http.ResponseWriter, q *http.Request) {
		body(first)(w, q)
		r.fake.say("conversations.history", `{"ok":true,"messages":[{"type":"message","user":"U0BOT","bot_id":"B0BOT","ts":"1.0",`+meta(m.Delivery)+`}],"response_metadata":{"next_cursor":""}}`)
	})
	ref, found, err := r.Find(t.Context(), m)
	if err != nil || !found || ref != (bot.Ref{Channel: "D1", ID: "1.0"}) {
		t.Errorf("found %v at %+v, %v; want the message with the delivery's id that the bot sent", found, ref, err)
	}
	r.fake.next(t, "auth.test")
	r.fake.next(t, "conversations.open")
	got := r.fake.next(t, "conversations.history").Form
	for key, want := range map[string]string{"channel": "D1", "oldest": "1762857540.000000", "include_all_metadata": "1", "inclusive": "1"} {
		if got.Get(key) != want {
			t.Errorf("%s is %q, want %q", key, got.Get(key), want)
		}
	}
	if got := r.fake.next(t, "conversations.history").Form.Get("cursor"); got != "next" {
		t.Errorf("the second page was asked for with cursor %q", got)
	}
	m.Delivery = "never sent"
	if _, found, err := r.Find(t.Context(), m); err != nil || found {
		t.Errorf("a delivery that never was is found: %v, %v", found, err)
	}
	r.fake.say("conversations.history", `{"ok":true,"messages":[],"response_metadata":{"next_cursor":"again"}}`)
	if _, found, err := r.Find(t.Context(), m); found || !fault.Is(err, fault.Unavailable) {
		t.Errorf("a history without end: found %v, %v; want that it is not known", found, err)
	}
}

func TestAccountsAreListedPageByPage(t *testing.T) {
	r := newRig(t)
	page := func(cursor string, members ...string) string {
		return `{"ok":true,"members":[` + strings.Join(members, ",") + `],"response_metadata":{"next_cursor":"` + cursor + `"}}`
	}
	r.fake.do("users.list", func(w http.ResponseWriter, q *http.Request) {
		body(page("p2",
			`{"id":"U1","team_id":"T1","name":"lin","tz":"Asia/Shanghai","locale":"zh-CN","profile":{"real_name":"林晓","display_name":"lin","email":"lin@example.com"}}`,
			`{"id":"U2","team_id":"T1","deleted":true,"is_bot":true}`, `{"id":"USLACKBOT","team_id":"T1","name":"slackbot"}`, `{"id":"U3","team_id":"T1","is_bot":true}`))(w, q)
		r.fake.say("users.list", page("",
			`{"id":"U4","team_id":"T1","is_restricted":true}`, `{"id":"U5","team_id":"T9","is_stranger":true}`, `{"id":"U6","team_id":"T9"}`,
			`{"id":"U7","team_id":"T9","enterprise_user":{"id":"W7","enterprise_id":"E1"},"name":"grid"}`, `{"id":"U8","team_id":"T1","is_app_user":true,"real_name":"\u202eKai"}`))
	})
	var got []bot.Account
	if err := r.Accounts(t.Context(), func(page []bot.Account) error {
		got = append(got, page...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	want := []bot.Account{
		{ID: "U1", Name: "林晓", Email: "lin@example.com", TimeZone: "Asia/Shanghai", Lang: "zh-CN", Kind: bot.Member},
		{ID: "U2", Kind: bot.Gone},
		{ID: "USLACKBOT", Name: "slackbot", Kind: bot.Robot},
		{ID: "U3", Kind: bot.Robot},
		{ID: "U4", Kind: bot.Guest},
		{ID: "U5", Kind: bot.Guest},
		{ID: "U6", Kind: bot.Guest},
		{ID: "U7", Name: "grid", Kind: bot.Member},
		{ID: "U8", Name: "Kai", Kind: bot.Member},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the accounts are read differently (-want +got):\n%s", diff)
	}
	if tenant, err := r.Tenant(t.Context()); tenant != "T1" || err != nil {
		t.Errorf("the tenant is %q, %v", tenant, err)
	}
	stop := errors.New("enough")
	if err := r.Accounts(t.Context(), func([]bot.Account) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("a listing that its reader ends returns %v", err)
	}
	r.fake.say("users.info", `{"ok":true,"user":{"id":"U9","team_id":"T1","name":"new"}}`)
	if a, err := r.Account(t.Context(), "U9"); err != nil || a.ID != "U9" || a.Kind != bot.Member {
		t.Errorf("one account is read as %+v, %v", a, err)
	}
	r.fake.say("users.info", `{"ok":false,"error":"user_not_found"}`)
	if _, err := r.Account(t.Context(), "U9"); !fault.Is(err, fault.NotFound) {
		t.Errorf("an account that is not there: %v", err)
	}
}

// roundTrip is a transport without a network, so that time can be simulated.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestAListingWaitsAsLongAsSlackAsks(t *testing.T) {
	catalog := newRig(t).cfg.Catalog
	synctest.Test(t, func(t *testing.T) {
		start := time.Now() //nolint:forbidigo // the bubble's own clock
		var asked []time.Duration
		answer := func(req *http.Request) (*http.Response, error) {
			w := &recorder{header: http.Header{}, status: 200}
			switch {
			case strings.HasSuffix(req.URL.Path, "auth.test"):
				body(`{"ok":true,"team_id":"T1"}`)(w, req)
			default:
				asked = append(asked, time.Since(start)) //nolint:forbidigo // the bubble's own clock
				if len(asked) < 3 {
					w.header.Set("Retry-After", "30")
					w.status = http.StatusTooManyRequests
				} else {
					body(`{"ok":true,"members":[{"id":"U1"}]}`)(w, req)
				}
			}
			return w.response(req), nil
		}
		log := &logged{}
		s, err := New(Config{
			SigningSecret: "x", BotToken: "xoxb", HTTP: &http.Client{Transport: roundTrip(answer)}, Now: time.Now, //nolint:forbidigo // the bubble's own clock
			Log: newLogger(log), Catalog: catalog,
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Accounts(t.Context(), func([]bot.Account) error { return nil }); err != nil {
			t.Errorf("listing: %v", err)
		}
		if want := []time.Duration{0, 30 * time.Second, time.Minute}; !cmp.Equal(asked, want) {
			t.Errorf("asked at %v, want %v: never inside a Retry-After", asked, want)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		asked = nil
		if err := s.Accounts(ctx, func([]bot.Account) error { return nil }); !fault.Is(err, fault.Unavailable) {
			t.Errorf("a listing whose time ends while it waits: %v", err)
		}
	})
}

func TestHomeIsPublished(t *testing.T) {
	r := newRig(t)
	if err := r.PublishHome(t.Context(), "U1", *aCard("Home")); err != nil {
		t.Fatal(err)
	}
	got := r.fake.next(t, "views.publish").JSON
	view := got["view"].(map[string]any)
	if got["user_id"] != "U1" || view["type"] != "home" || view["title"] != nil {
		t.Errorf("views.publish was called with %v", got)
	}
	r.fake.say("views.publish", `{"ok":false,"error":"not_enabled"}`)
	if err := r.PublishHome(t.Context(), "U1", *aCard("Home")); !fault.Is(err, fault.Unavailable) || !strings.Contains(r.log.String(), "level=ERROR") {
		t.Errorf("publishing without a home tab: %v, log %s", err, r.log)
	}
}

func TestSlackGoHasTheCodesThatWeSend(t *testing.T) {
	// The adapter builds its own bodies for acknowledgements; these words must be Slack's.
	if slackapi.ResponseTypeInChannel != "in_channel" || slackapi.ResponseTypeEphemeral != "ephemeral" {
		t.Error("slack-go names response types differently now")
	}
}
