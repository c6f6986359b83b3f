package slacksim

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The example of https://docs.slack.dev/authentication/verifying-requests-from-slack.
func TestTheSignatureIsThatOfSlacksExample(t *testing.T) {
	body := "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
	want := "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
	if got := Sign(testSecret, 1531420618, []byte(body)); got != want {
		t.Errorf("the signature is %s, want %s", got, want)
	}
}

func TestWhatTheBotReceivesIsSignedOverItsRawBody(t *testing.T) {
	w := newOffice(t, nil)
	w.slash(t, "@kai thanks")
	if _, err := w.OpenHome(w.lin); err != nil {
		t.Fatal(err)
	}
	for _, h := range w.bot.received() {
		ts, err := strconv.ParseInt(h.header.Get("X-Slack-Request-Timestamp"), 10, 64)
		if err != nil || ts != w.Now().Unix() {
			t.Errorf("%s carries the timestamp %q, want %d", h.path, h.header.Get("X-Slack-Request-Timestamp"), w.Now().Unix())
		}
		if got, want := h.header.Get("X-Slack-Signature"), Sign(testSecret, ts, []byte(h.body)); got != want {
			t.Errorf("%s carries the signature %s, want %s", h.path, got, want)
		}
	}
}

func TestARedeliveryIsTheSameByteForByte(t *testing.T) {
	w := newOffice(t, nil)
	ack := w.slash(t, "@kai thanks")
	w.Advance(time.Minute)
	again, err := w.Redeliver(ack.Delivery)
	if err != nil {
		t.Fatal(err)
	}
	hits := w.bot.received()
	if len(hits) != 2 {
		t.Fatalf("the bot received %d requests, want 2", len(hits))
	}
	if d := cmp.Diff(hits[0].header, hits[1].header); d != "" || hits[0].body != hits[1].body {
		t.Errorf("the redelivery differs from the first delivery: %s", d)
	}
	if again.Delivery == ack.Delivery {
		t.Error("the redelivery is not recorded as a delivery of its own")
	}
	if _, err := w.Redeliver(9999); err == nil {
		t.Error("a delivery that never was can be sent again")
	}
}

func TestTypedTextBecomesSlackMarkup(t *testing.T) {
	w := newOffice(t, nil)
	w.AddPerson(Person{ID: "U0KAIJIN01", Handle: "kai.jin", DisplayName: "金凯"})
	w.AddPerson(Person{ID: "U0TWIN0001", Handle: "twin1", DisplayName: "双胞胎"})
	w.AddPerson(Person{ID: "U0TWIN0002", Handle: "twin2", DisplayName: "双胞胎"})
	w.AddGroup(Group{ID: "S0TEAM0001", Handle: "sales"})
	for typed, want := range map[string]string{
		"@kai thanks":                "<@U0KAI00001|kai> thanks",
		"@KAI thanks":                "<@U0KAI00001|kai> thanks",
		"@kai.jin thanks":            "<@U0KAIJIN01|kai.jin> thanks",
		"thank @kai.":                "thank <@U0KAI00001|kai>.",
		"@小雨谢谢你":                     "<@U0LIN00001|lin>谢谢你",
		"@kai @lin both":             "<@U0KAI00001|kai> <@U0LIN00001|lin> both",
		"@kaiser":                    "@kaiser",
		"@nobody x":                  "@nobody x",
		"mail kai@kai x":             "mail kai@kai x",
		"@双胞胎 x":                     "@双胞胎 x",
		"@channel x":                 "<!channel> x",
		"@here":                      "<!here>",
		"@everyone":                  "<!everyone>",
		"@sales":                     "<!subteam^S0TEAM0001|@sales>",
		"in #general":                "in <#C0GENERAL1|general>",
		"in #secret":                 "in #secret",
		"a & b < c > d":              "a &amp; b &lt; c &gt; d",
		"<!channel> <@U0KAI00001>":   "&lt;!channel&gt; &lt;@U0KAI00001&gt;",
		"see https://e.io/a?b=1&c=2": "see <https://e.io/a?b=1&amp;c=2>",
		"":                           "",
	} {
		w.slash(t, typed)
		if got := w.bot.last(t).form(t).Get("text"); got != want {
			t.Errorf("typing %q sends %q, want %q", typed, got, want)
		}
	}
}

func TestRawMentionsIsEscapingSwitchedOff(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.RawMentions = true })
	w.slash(t, "@kai a < b")
	if got := w.bot.last(t).form(t).Get("text"); got != "@kai a < b" {
		t.Errorf("with escaping off the bot receives %q", got)
	}
}

func TestACommandCarriesSlacksFields(t *testing.T) {
	w := newOffice(t, nil)
	w.slash(t, "x")
	f := w.bot.last(t).form(t)
	for k, want := range map[string]string{
		"team_id": "T0HUIYIN01", "team_domain": "huiyin", "channel_id": w.general, "channel_name": "general", "user_id": w.lin,
		"user_name": "lin", "command": "/praise", "text": "x", "api_app_id": "A0HUIYIN01", "is_enterprise_install": "false",
	} {
		if got := f.Get(k); got != want {
			t.Errorf("%s is %q, want %q", k, got, want)
		}
	}
	for _, k := range []string{"token", "response_url", "trigger_id"} {
		if f.Get(k) == "" {
			t.Errorf("%s is missing", k)
		}
	}
	for channel, want := range map[string]string{w.DM(w.lin): "directmessage", w.private: "privategroup"} {
		if _, err := w.Slash(w.lin, channel, "/praise", ""); err != nil {
			t.Fatal(err)
		}
		if got := w.bot.last(t).form(t).Get("channel_name"); got != want {
			t.Errorf("channel_name is %q, want %q", got, want)
		}
	}
}

func TestCommandsThatTheClientDoesNotSend(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.Commands = []Command{{Name: "/praise"}} })
	gone := w.AddPerson(Person{Handle: "gone", Deleted: true}).ID
	for what, send := range map[string]func() (Ack, error){
		"an unregistered command":        func() (Ack, error) { return w.Slash(w.lin, w.general, "/nope", "") },
		"a stranger":                     func() (Ack, error) { return w.Slash("U0NOBODY01", w.general, "/praise", "") },
		"a deactivated member":           func() (Ack, error) { return w.Slash(gone, w.general, "/praise", "") },
		"a private channel of others":    func() (Ack, error) { return w.Slash(w.kai, w.private, "/praise", "") },
		"a direct conversation of other": func() (Ack, error) { return w.Slash(w.kai, w.DM(w.lin), "/praise", "") },
	} {
		if _, err := send(); err == nil {
			t.Errorf("%s can send a command", what)
		}
	}
	if got := len(w.bot.received()); got != 0 {
		t.Errorf("the bot received %d requests", got)
	}
}

func TestWhatAPersonSeesOfACommandsAnswer(t *testing.T) {
	const asJSON = "application/json; charset=utf-8"
	for _, c := range []struct {
		what          string
		status        int
		media, body   string
		wantError     string
		wantText      string
		wantEphemeral bool
		wantFinding   string
	}{
		{"an empty answer", 200, "", "", "", "", false, ""},
		{"plain text", 200, "text/plain", "done", "", "done", true, ""},
		{"ephemeral JSON", 200, asJSON, `{"text":"done"}`, "", "done", true, ""},
		{"JSON in the channel", 200, asJSON, `{"response_type":"in_channel","text":"done"}`, "", "done", false, ""},
		{"an empty object", 200, asJSON, `{}`, "", "", false, ""},
		{"JSON that does not say so", 200, "text/plain", `{"text":"done"}`, "", `{"text":"done"}`, true, "MUST ack.content_type "},
		{"JSON that is none", 200, asJSON, `{"text":`, "invalid_command_response", "", false, "MUST ack.invalid_json "},
		{"invalid blocks", 200, asJSON, `{"text":"x","blocks":[{"type":"nope"}]}`, "invalid_command_response", "", false, "MUST ack.invalid_blocks "},
		{"blocks without a text", 200, asJSON, `{"blocks":[{"type":"divider"}]}`, "", "", true, "MUST message.no_text_fallback /text"},
		{"a server error", 500, "", "", "http_service_error", "", false, ""},
		{"a refusal", 401, "", "", "http_client_error", "", false, ""},
	} {
		w := newOffice(t, nil)
		w.bot.says(c.status, c.media, c.body)
		ack := w.slash(t, "x")
		if ack.Error != c.wantError {
			t.Errorf("%s: the person is shown %q, want %q", c.what, ack.Error, c.wantError)
		}
		seen := w.Messages(w.general, w.lin)
		text, ephemeral := "", false
		if len(seen) > 0 {
			text, ephemeral = seen[0].Text, seen[0].EphemeralTo == w.lin
		}
		if text != c.wantText || ephemeral != c.wantEphemeral {
			t.Errorf("%s: the person sees %q (ephemeral: %v), want %q (%v)", c.what, text, ephemeral, c.wantText, c.wantEphemeral)
		}
		if got := strings.Join(rules(w.Findings()), ";"); got != c.wantFinding {
			t.Errorf("%s: findings are %q, want %q", c.what, got, c.wantFinding)
		}
	}
}

func TestASlowOrAbsentBotFailsACommandWithoutARetry(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.AckTimeout = 30 * time.Millisecond })
	w.bot.answers(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	if ack := w.slash(t, "x"); ack.Error != "operation_timeout" {
		t.Errorf("a bot that does not answer in time gives %q, want operation_timeout", ack.Error)
	}
	w.Advance(time.Hour)
	if got := len(w.bot.received()); got != 1 {
		t.Errorf("the command was sent %d times, want once", got)
	}
	w.SetBotURL("http://127.0.0.1:1")
	if ack := w.slash(t, "x"); ack.Error != "dispatch_failed" {
		t.Errorf("a bot that is not there gives %q, want dispatch_failed", ack.Error)
	}
}
