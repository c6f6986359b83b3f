package feishu_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/bot/sim/feishusim"
	"huiyin/internal/fault"
)

const (
	testKey   = "encrypt-key-canary"
	testToken = "verification-canary"
	testApp   = "cli_a0huiyin"
)

// knock sends a request to an address and gives what it was answered.
func (o *office) knock(path string, header map[string]string, body string) (int, string) {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, path, strings.NewReader(body))
	for k, v := range header {
		r.Header[http.CanonicalHeaderKey(k)] = []string{v} // as it is, however odd
	}
	w := httptest.NewRecorder()
	o.routes[path].ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// sealed encrypts a body with a key and signs it with another, as of now.
func (o *office) sealed(plain, key, signing string) (map[string]string, string) {
	raw, err := json.Marshal(map[string]string{"encrypt": feishusim.Encrypt(key, [16]byte{1, 2, 3}, []byte(plain))})
	if err != nil {
		panic(err)
	}
	return o.signed(string(raw), signing), string(raw)
}

func (o *office) signed(body, key string) map[string]string {
	at, nonce := strconv.FormatInt(o.Now().Unix(), 10), "nonce-1"
	return map[string]string{
		"X-Lark-Request-Timestamp": at, "X-Lark-Request-Nonce": nonce, "X-Lark-Signature": feishusim.Sign(at, nonce, key, []byte(body)),
	}
}

func event(kind, token, app, inner string) string {
	return `{"schema":"2.0","header":{"event_id":"e1","event_type":"` + kind + `","create_time":"1767574800000","token":"` + token + `","app_id":"` + app +
		`","tenant_key":"2f0huiyin000000"},"event":` + inner + `}`
}

const hello = `{"sender":{"sender_id":{"open_id":"ou_7d8a6e6df7621556ce0d21922b676706"},"sender_type":"user","tenant_key":"2f0huiyin000000"},"message":{"message_id":"om_1",` +
	`"chat_id":"oc_1","chat_type":"p2p","message_type":"text","content":"{\"text\":\"help\"}"}}`

// R13: a signed request is taken as it is, for five minutes, and in no other form.
func TestOnlyWhatFeishuSignedJustNowIsTaken(t *testing.T) {
	o := newOffice(t, nil)
	if _, _, err := o.Say(o.lin.OpenID, o.P2P(o.lin.OpenID), "help"); err != nil {
		t.Fatal(err)
	}
	all := o.Deliveries()
	d := all[len(all)-1]
	take := func(header map[string]string, body string) int {
		status, _ := o.knock(feishusim.EventsPath, header, body)
		return status
	}
	if got := take(d.Header, d.Body); got != http.StatusOK {
		t.Fatalf("the request as it was sent is answered %d", got)
	}
	heard := o.count()
	for name, value := range d.Header {
		if !strings.HasPrefix(name, "X-Lark") {
			continue
		}
		for i := range value {
			for bit := range 8 {
				changed := []byte(value)
				changed[i] ^= 1 << bit
				header := maps.Clone(d.Header)
				header[name] = string(changed)
				if got := take(header, d.Body); got != http.StatusUnauthorized {
					t.Errorf("with bit %d of byte %d of %s turned it is answered %d", bit, i, name, got)
				}
			}
		}
		header := maps.Clone(d.Header)
		delete(header, name)
		if got := take(header, d.Body); got != http.StatusUnauthorized {
			t.Errorf("without %s it is answered %d", name, got)
		}
	}
	for i := range d.Body {
		changed := []byte(d.Body)
		changed[i] ^= 1 << (i % 8)
		if got := take(d.Header, string(changed)); got != http.StatusUnauthorized {
			t.Errorf("with a bit of byte %d of the body turned it is answered %d", i, got)
		}
	}
	upper := maps.Clone(d.Header)
	upper["X-Lark-Signature"] = strings.ToUpper(upper["X-Lark-Signature"])
	if got := take(upper, d.Body); got != http.StatusUnauthorized {
		t.Errorf("with its signature in capitals it is answered %d", got)
	}
	if got := take(d.Header, d.Body+" "); got != http.StatusUnauthorized {
		t.Errorf("with a space after the body it is answered %d", got)
	}
	o.Advance(301 * time.Second)
	if got := take(d.Header, d.Body); got != http.StatusUnauthorized {
		t.Errorf("after 301 seconds it is answered %d", got)
	}
	o.Advance(30 * 24 * time.Hour)
	if got := take(d.Header, d.Body); got != http.StatusUnauthorized {
		t.Errorf("after thirty days it is answered %d", got)
	}
	if o.count() != heard {
		t.Errorf("the product heard %d of them", o.count()-heard)
	}
	o.SetTime(d.At.Add(300 * time.Second))
	if got := take(d.Header, d.Body); got != http.StatusOK {
		t.Errorf("after 300 seconds it is answered %d", got)
	}
	o.SetTime(d.At.Add(-301 * time.Second))
	if got := take(d.Header, d.Body); got != http.StatusUnauthorized {
		t.Errorf("301 seconds before its time it is answered %d", got)
	}
}

func TestBadRequestsAreAnsweredByTheContract(t *testing.T) {
	o := newOffice(t, nil)
	good := event("im.message.receive_v1", testToken, testApp, hello)
	challenge := func(token string) string {
		return `{"challenge":"ajls384kdjx98XX","token":"` + token + `","type":"url_verification"}`
	}
	press := func(value string) string {
		return event("card.action.trigger", testToken, testApp, `{"operator":{"open_id":"ou_7d8a6e6df7621556ce0d21922b676706"},"action":{"tag":"button","value":`+value+
			`},"context":{"open_message_id":"om_1","open_chat_id":"oc_1"}}`)
	}
	type request struct {
		plain, key, signing string
		unsigned            bool
		want                int
		says                string
	}
	for what, c := range map[string]request{
		"an event":            {plain: good, want: 200},
		"a wrong token":       {plain: event("im.message.receive_v1", "other", testApp, hello), want: 401},
		"no token":            {plain: event("im.message.receive_v1", "", testApp, hello), want: 401},
		"another app":         {plain: event("im.message.receive_v1", testToken, "cli_other", hello), want: 401},
		"a wrong encrypt key": {plain: good, key: "other", signing: "other", want: 401},
		"a wrong encrypt key, signed with the right": {plain: good, key: "other", want: 400},
		"an unsigned event":                          {plain: good, unsigned: true, want: 401},
		"no JSON":                                    {plain: "hello", want: 400},
		"an array":                                   {plain: "[1,2]", want: 400},
		"an event without id":                        {plain: strings.Replace(good, `"e1"`, `""`, 1), want: 400},
		"a message that is a number":                 {plain: event("im.message.receive_v1", testToken, testApp, `7`), want: 400},
		"a message without sender":                   {plain: event("im.message.receive_v1", testToken, testApp, `{}`), want: 200},
		"an unknown type":                            {plain: event("im.chat.disbanded_v1", testToken, testApp, `{}`), want: 200},
		"a challenge":                                {plain: challenge(testToken), want: 200, says: `{"challenge":"ajls384kdjx98XX"}`},
		"an unsigned challenge":                      {plain: challenge(testToken), unsigned: true, want: 200, says: `{"challenge":"ajls384kdjx98XX"}`},
		"a challenge with a wrong token":             {plain: challenge("other"), want: 401},
		"an unsigned challenge with a wrong token":   {plain: challenge("other"), unsigned: true, want: 401},
		"a string in the place of a button's value":  {plain: press(`"praise"`), want: 200, says: `"toast"`},
		"a number in the place of a button's value":  {plain: press(`3`), want: 200, says: `"toast"`},
		"null in the place of a button's value":      {plain: press(`null`), want: 200, says: `"toast"`},
		"a button of somebody else's":                {plain: press(`{"key":"x"}`), want: 200, says: `"toast"`},
		"a button of an odd place":                   {plain: press(`{"n":"x","k":9}`), want: 200, says: `"toast"`},
		"arguments that are no texts":                {plain: press(`{"n":"x","a":[1]}`), want: 200, says: `"toast"`},
	} {
		for _, path := range []string{feishusim.EventsPath, feishusim.CardsPath} {
			header, body := o.sealed(c.plain, orElse(c.key, testKey), orElse(c.signing, testKey))
			if c.unsigned {
				header = nil
			}
			status, says := o.knock(path, header, body)
			if status != c.want || !strings.Contains(says, c.says) || status == 401 && says != "" {
				t.Errorf("%s at %s is answered %d %s, want %d %s", what, path, status, says, c.want, c.says)
			}
		}
	}
	if status, _ := o.knock(feishusim.EventsPath, o.signed(good, testKey), good); status != http.StatusBadRequest {
		t.Errorf("an event that is signed and not encrypted is answered %d", status)
	}
	if status, _ := o.knock(feishusim.EventsPath, nil, challenge(testToken)); status != http.StatusUnauthorized {
		t.Errorf("a challenge in plain words is answered %d", status)
	}
	if status, _ := o.knock(feishusim.EventsPath, nil, strings.Repeat("x", 256<<10+1)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a body of more than 256 KiB is answered %d", status)
	}
	w := httptest.NewRecorder()
	o.routes[feishusim.EventsPath].ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, feishusim.EventsPath, nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("a GET is answered %d", w.Code)
	}
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// What the product cannot serve is delivered again; a person who pressed something is told in any case.
func TestWhatFailsIsDeliveredAgainOrSaid(t *testing.T) {
	for _, mode := range []string{feishusim.Webhook, feishusim.Stream} {
		t.Run(mode, func(t *testing.T) {
			o := newOffice(t, func(opt *feishusim.Options) { opt.Mode = mode })
			if mode == feishusim.Stream {
				defer o.run(t)()
			}
			lin, dm := o.lin.OpenID, o.P2P(o.lin.OpenID)
			o.replies(bot.Reply{Card: &card.Card{Title: "Ask", Blocks: []card.Block{card.Buttons{Buttons: []card.Button{{Label: "Do", Action: card.Act("do")}}}}}})
			if _, _, err := o.Say(lin, dm, "ask"); err != nil {
				t.Fatal(err)
			}
			m := o.arrives(t, dm, lin, "Ask")
			o.fails(fault.New(fault.Unavailable, "storage.away"))
			if _, ack, err := o.Say(lin, dm, "help"); err != nil || ack.Failure == "" || ack.Status == http.StatusOK {
				t.Errorf("a message that was not served is answered %+v, %v", ack, err)
			}
			first := o.last(t)
			ack, err := o.Press(lin, m.ID, feishusim.Press{Text: "Do"})
			if err != nil {
				t.Fatal(err)
			}
			if mode == feishusim.Webhook {
				if ack.Status != http.StatusServiceUnavailable {
					t.Errorf("a press that was not served is answered %d", ack.Status)
				}
				o.arrives(t, dm, lin, "⚠")
			} else if ack.Toast == nil || ack.Toast.Type != "error" || ack.Toast.I18n["zh_cn"] == "" || ack.Toast.I18n["en_us"] == "" {
				t.Errorf("a press that was not served is answered %+v", ack)
			}
			o.replies(bot.Reply{Card: &card.Card{Title: "Here you are"}})
			o.Advance(15 * time.Second)
			o.arrives(t, dm, lin, "Here you are")
			if again := o.last(t); again.ID != first.ID {
				t.Errorf("the message came again as %s, at first as %s", again.ID, first.ID)
			}
			// A panic is a failure of ours.
			o.mu.Lock()
			o.answer = func(context.Context, bot.Event) (bot.Reply, error) { panic("somebody's words: canary") }
			o.mu.Unlock()
			if ack, err := o.Press(lin, m.ID, feishusim.Press{Text: "Do"}); err != nil || mode == feishusim.Stream && ack.Toast == nil || mode == feishusim.Webhook && ack.Status != 500 {
				t.Errorf("a press at which we panicked is answered %+v, %v", ack, err)
			}
			// What it understands is said where the person is.
			o.fails(fault.New(fault.Forbidden, "feishu.private"))
			if ack, err := o.Press(lin, m.ID, feishusim.Press{Text: "Do"}); err != nil || ack.Error != "" || ack.Toast == nil || ack.Toast.Type != "warning" {
				t.Errorf("a press that is refused is answered %+v, %v", ack, err)
			}
			o.fails(fault.New(fault.Duplicate, "dialog.duplicate"))
			if ack, err := o.Press(lin, m.ID, feishusim.Press{Text: "Do"}); err != nil || ack.Error != "" || ack.Toast != nil {
				t.Errorf("a press that had its effect is answered %+v, %v", ack, err)
			}
			o.fails(fmt.Errorf("something %s", "internal"))
			if ack, err := o.Press(lin, m.ID, feishusim.Press{Text: "Do"}); err != nil || ack.Error != "" || ack.Toast == nil || ack.Toast.Type != "error" {
				t.Errorf("a press with an internal failure is answered %+v, %v", ack, err)
			}
		})
	}
}

// A message that Feishu delivers twice, under another event id, is the same deed, and is answered once.
func TestAMessageThatComesTwiceIsOneDeed(t *testing.T) {
	o := newOffice(t, nil)
	o.SetFault("event", feishusim.Fault{Again: true})
	o.replies(bot.Reply{Card: &card.Card{Title: "Once"}})
	said, _, err := o.Say(o.lin.OpenID, o.P2P(o.lin.OpenID), "help")
	if err != nil {
		t.Fatal(err)
	}
	o.until(t, "both were answered", func() bool {
		n := 0
		for _, c := range o.Calls() {
			if c.Method == "im.message.create" {
				n++
			}
		}
		return n == 2
	})
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.heard) != 2 || o.heard[0].ID != said.ID || o.heard[1].ID != said.ID {
		t.Errorf("heard %d events, want the same one twice", len(o.heard))
	}
	n := 0
	for _, m := range o.Messages(o.P2P(o.lin.OpenID), o.lin.OpenID) {
		if m.SenderType == "app" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("the answer was given %d times", n)
	}
}

// A product that thinks too long does not keep Feishu waiting.
func TestASlowProductIsAnsweredFor(t *testing.T) {
	o := newOffice(t, nil)
	free := make(chan struct{})
	defer close(free)
	o.answer = func(context.Context, bot.Event) (bot.Reply, error) {
		<-free
		return bot.Reply{}, nil
	}
	header, body := o.sealed(event("card.action.trigger", testToken, testApp, `{"operator":{"open_id":"`+o.lin.OpenID+
		`"},"action":{"tag":"button","value":{"n":"do","k":1}},"context":{"open_message_id":"om_1","open_chat_id":"oc_1"}}`), testKey, testKey)
	status, says := o.knock(feishusim.CardsPath, header, body) // the product is still thinking
	if status != http.StatusServiceUnavailable || !strings.Contains(says, "toast") {
		t.Errorf("a slow press is answered %d %s", status, says)
	}
	o.arrives(t, o.P2P(o.lin.OpenID), o.lin.OpenID, "⚠")
}

// Until it is known who the bot is, a message in a group is put off rather than misread; others need not wait.
func TestAGroupsMessageWaitsUntilTheBotKnowsItself(t *testing.T) {
	o := newOffice(t, nil)
	o.SetFault("bot.info", feishusim.Fault{Status: 500})
	if _, ack, err := o.Say(o.lin.OpenID, o.group, "@回音 help"); err != nil || ack.Status != http.StatusServiceUnavailable || o.count() != 0 {
		t.Errorf("the message is answered %+v, %v; %d were heard", ack, err, o.count())
	}
	if _, ack, err := o.Say(o.lin.OpenID, o.P2P(o.lin.OpenID), "help"); err != nil || ack.Failure != "" || o.count() != 1 {
		t.Errorf("a direct message is answered %+v, %v", ack, err)
	}
	o.SetFault("bot.info")
	o.Advance(15 * time.Second)
	if o.count() != 2 || o.last(t).Where.Kind != bot.Channel || o.last(t).Command.Parts[0].Text != "help" {
		t.Errorf("the message was not heard when it came again: %d were heard", o.count())
	}
}
