package feishusim

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

func (w *office) order(t *testing.T, verb string, body any) (int, obj) {
	t.Helper()
	status, _, raw, err := w.try(t, "POST", "/_sim/"+verb, "application/json", encodeJSON(body))
	if err != nil {
		t.Fatal(err)
	}
	v, err := decodeJSON(raw)
	out, isObject := v.(obj)
	if err != nil || !isObject {
		t.Fatalf("%s answered %q", verb, raw)
	}
	return status, out
}

func TestEverythingCanBeDoneOverTheControlAPI(t *testing.T) {
	w := newOffice(t, nil)
	do := func(verb string, body any) any {
		t.Helper()
		status, out := w.order(t, verb, body)
		if status != http.StatusOK || out["ok"] != true {
			t.Fatalf("%s answered %d %s", verb, status, encodeJSON(out))
		}
		return out["result"]
	}
	added := do("people", obj{
		"departments": []any{obj{"open_department_id": "od-x", "name": "X"}}, "people": []any{obj{"name": "New", "handle": "new", "departments": []any{"od-x"}}},
		"chats": []any{obj{"name": "g", "members": []any{w.lin.OpenID, w.opts.BotOpenID}}}, "emit": true,
	})
	user, _ := at(added, "people", 0, "open_id").(string)
	if e := w.bot.last(t).event(t); at(e, "header", "event_type") != "contact.user.created_v3" {
		t.Errorf("joining sent %s", encodeJSON(e))
	}
	p2p, _ := at(added, "p2p", user).(string)
	said := do("say", obj{"user": user, "chat": p2p, "text": "hi"})
	if at(said, "message", "content") != `{"text":"hi"}` || string(encodeJSON(at(said, "ack", "status"))) != "200" {
		t.Errorf("saying hi gave %s", encodeJSON(said))
	}
	id := w.sendCard(t, cardOf(formOf(obj{"tag": "input", "name": "i", "required": true}), buttonOf("好", "ok")))
	if got := do("press", obj{"user": w.lin.OpenID, "message": id, "text": "好"}); at(got, "ack", "token") == nil {
		t.Errorf("pressing gave %s", encodeJSON(got))
	}
	status, out := w.order(t, "press", obj{"user": w.lin.OpenID, "message": id, "name": "go"})
	if status != http.StatusUnprocessableEntity || at(out, "fields", "i") == nil {
		t.Errorf("an empty form gave %d %s", status, encodeJSON(out))
	}
	do("press", obj{"user": w.lin.OpenID, "message": id, "name": "go", "form": obj{"i": "x"}})
	do("menu", obj{"user": user, "key": "k"})
	do("event", obj{"type": "contact.scope.updated_v3", "event": obj{}})
	if got := do("verify", obj{"path": EventsPath}); at(got, "echoed") != false {
		t.Errorf("a bot that echoes nothing verified: %s", encodeJSON(got))
	}
	do("redeliver", obj{"n": 1})
	do("fault", obj{"method": "bot.info", "faults": []any{obj{"code": 230022, "delay_ms": 1}}})
	wantCode(t, "the ordered fault", w.call(t, "GET", "/open-apis/bot/v3/info", nil), 230022)
	do("limits", obj{"limits": obj{"monthly": 1}})
	before := w.Now()
	do("clock", obj{"advance": "90m"})
	if d := w.Now().Sub(before).String(); d != "1h30m0s" {
		t.Errorf("the clock moved by %s", d)
	}
	do("clock", obj{"set": "2026-03-01T09:00:00+08:00"})
	do("expire", nil)
	do("disconnect", nil)
	do("urls", obj{"bot_url": "http://127.0.0.1:1"})
	for verb, least := range map[string]int{"calls": 3, "deliveries": 6} {
		if list, _ := do(verb, obj{"since": 0}).([]any); len(list) < least {
			t.Errorf("%s are %d, want at least %d", verb, len(list), least)
		}
	}
	if list, isList := do("findings", nil).([]any); !isList || len(list) != 0 {
		t.Errorf("the findings are %v", list)
	}
	state := do("state", obj{"user": user})
	if at(state, "messages", 0, "content") != `{"text":"hi"}` || at(state, "messages", 1) != nil {
		t.Errorf("the state shows %s", encodeJSON(at(state, "messages")))
	}
	do("reset", nil)
	if n := len(w.Deliveries()); n != 0 {
		t.Errorf("after a reset %d deliveries are left", n)
	}
}

func TestTheControlAPIAnswersOnlyToThisMachine(t *testing.T) {
	w := newOffice(t, nil)
	for what, c := range map[string]struct {
		method, verb, host, media string
		status                    int
	}{
		"another host": {"POST", "state", "evil.example", "application/json", 403}, "a GET": {"GET", "state", "127.0.0.1", "application/json", 405},
		"no verb": {"POST", "none", "localhost:8080", "application/json", 404}, "a form": {"POST", "state", "[::1]:80", "text/plain", 415},
		"this machine": {"POST", "state", "localhost", "application/json", 200},
	} {
		r := httptest.NewRequestWithContext(t.Context(), c.method, "/_sim/"+c.verb, strings.NewReader("{}"))
		r.Host = c.host
		r.Header.Set("Content-Type", c.media)
		rec := httptest.NewRecorder()
		w.Handler().ServeHTTP(rec, r)
		if rec.Code != c.status {
			t.Errorf("%s got %d, want %d", what, rec.Code, c.status)
		}
	}
}

func TestSubscribersAreTold(t *testing.T) {
	w := newOffice(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	changes := w.Subscribe(ctx)
	id := w.sendCard(t, cardOf(buttonOf("x", "on")))
	w.press(t, id, Press{Name: "on"})
	w.Advance(1)
	var got []string
	for len(changes) > 0 {
		c := <-changes
		got = append(got, c.Kind)
		if c.Kind == ChangeMessage && (c.Message != id || c.Chat != w.P2P(w.lin.OpenID)) {
			t.Errorf("a message changed in %+v", c)
		}
	}
	if s := strings.Join(got, ","); s != "message,call,delivery,clock" {
		t.Errorf("the subscriber was told %s", s)
	}
	for range 300 {
		w.AddPerson(Person{})
	}
	w.AddPerson(Person{})
	missed := false
	for len(changes) > 0 {
		<-changes
	}
	w.AddPerson(Person{})
	for len(changes) > 0 {
		missed = (<-changes).Kind == ChangeMissed || missed
	}
	if !missed {
		t.Error("a subscriber that was too slow was not told")
	}
	cancel()
	for range changes { // until it is closed
	}
}

func TestTheRecordIsBounded(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.Keep = 3 })
	for range 5 {
		w.call(t, "GET", "/open-apis/bot/v3/info", nil)
		w.Emit("x", obj{})
	}
	if a, b := len(w.Calls()), len(w.Deliveries()); a != 3 || b != 3 {
		t.Errorf("%d calls and %d deliveries are kept, want 3 and 3", a, b)
	}
}

func TestManyAtOnceDisturbNobody(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.Limits.Off = true })
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 10 {
				_, _, raw, err := w.try(t, "POST", createPath+"open_id", "application/json", encodeJSON(obj{
					"receive_id": w.lin.OpenID, "msg_type": "interactive", "content": string(encodeJSON(cardOf(buttonOf("x", "on")))),
				}))
				var out struct {
					Data struct {
						ID string `json:"message_id"`
					} `json:"data"`
				}
				if err != nil || json.Unmarshal(raw, &out) != nil {
					t.Errorf("sending: %v %s", err, raw)
					return
				}
				if ack, err := w.Press(w.lin.OpenID, out.Data.ID, Press{Name: "on"}); err != nil || ack.Error != "" {
					t.Errorf("pressing: %v %+v", err, ack)
				}
				w.Messages(w.P2P(w.lin.OpenID), "")
				w.Advance(1)
			}
		})
	}
	all.Wait()
	if n := len(w.Messages(w.P2P(w.lin.OpenID), "")); n != 80 {
		t.Errorf("%d messages were sent, want 80", n)
	}
}

func TestClosingEndsWhatIsUnderWay(t *testing.T) {
	w := newOffice(t, nil)
	entered := make(chan struct{})
	w.bot.answers(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) //nolint:errcheck // so that the end of the connection is noticed
		close(entered)
		<-r.Context().Done()
	})
	done := make(chan Ack)
	go func() { done <- w.Emit("x", obj{}) }()
	<-entered
	w.Close()
	if ack := <-done; ack.Failure != "connection_failed" || w.Pending() != 0 {
		t.Errorf("a push under way ended as %+v with %d pending", ack, w.Pending())
	}
}
