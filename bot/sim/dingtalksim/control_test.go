package dingtalksim

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func (w *office) order(t *testing.T, verb string, body any) (int, obj) {
	t.Helper()
	status, _, raw, err := w.try(t, "POST", "/_sim/"+verb, "application/json", encodeJSON(body))
	if err != nil {
		t.Fatal(err)
	}
	return status, decoded(t, raw)
}

func TestEverythingCanBeDoneOverTheControlAPI(t *testing.T) {
	w := newOffice(t, streaming)
	c := w.connect(t, allTopics)
	do := func(verb string, body any) any {
		t.Helper()
		status, out := w.order(t, verb, body)
		if status != http.StatusOK || out["ok"] != true {
			t.Fatalf("%s answered %d %s", verb, status, encodeJSON(out))
		}
		return out["result"]
	}
	added := do("people", obj{
		"departments": []any{obj{"dept_id": 7, "name": "X"}}, "people": []any{obj{"name": "New", "handle": "new", "dept_id_list": []any{7}}},
		"chats":     []any{obj{"name": "g", "members": []any{w.lin.UserID, w.opts.BotID}}},
		"templates": []any{obj{"id": "t", "variables": obj{"a": "string"}, "components": []any{obj{"kind": "text", "text": "${a}"}}}}, "emit": true,
	})
	user, _ := at(added, "people", 0, "userid").(string)
	if f := c.received()[0]; f.Headers["eventType"] != "user_add_org" || at(added, "templates", 0, "id") != "t.schema" {
		t.Errorf("joining sent %+v, and the template is %s", f, encodeJSON(at(added, "templates", 0)))
	}
	p2p, _ := at(added, "p2p", user).(string)
	said := do("say", obj{"user": user, "chat": p2p, "text": "hi"})
	if at(said, "message", "content") != `{"content":"hi"}` || string(encodeJSON(at(said, "ack", "status"))) != "200" {
		t.Errorf("saying hi gave %s", encodeJSON(said))
	}
	m := w.put(t, w.robotCard("c", w.lin.UserID, obj{"form": survey(), "form_btn_text": "Go", "buttons": twoButtons}), w.lin.UserID)
	if got := do("press", obj{"user": w.lin.UserID, "message": m.ID, "text": "Yes"}); at(got, "ack", "delivery") == nil {
		t.Errorf("pressing gave %s", encodeJSON(got))
	}
	status, out := w.order(t, "press", obj{"user": w.lin.UserID, "message": m.ID, "id": "form"})
	if status != http.StatusUnprocessableEntity || at(out, "fields", "text") == nil {
		t.Errorf("an empty form gave %d %s", status, encodeJSON(out))
	}
	do("press", obj{"user": w.lin.UserID, "message": m.ID, "id": "form", "form": obj{"text": "x", "box": true, "multi": []any{"1", "2"}}})
	if got := do("card", obj{"card": "c", "user": w.lin.UserID}); at(got, "parts", 2, "kind") != "form" {
		t.Errorf("the card is %s", encodeJSON(got))
	}
	do("event", obj{"type": "label_user_change", "event": obj{"userId": []any{"x"}}})
	if got := do("verify", obj{}); at(got, "verified") != true {
		t.Errorf("verifying gave %s", encodeJSON(got))
	}
	do("redeliver", obj{"n": 1})
	if got := do("ping", obj{}); string(encodeJSON(at(got, "answered"))) != "1" {
		t.Errorf("pinging gave %s", encodeJSON(got))
	}
	do("fault", obj{"method": "user.get", "faults": []any{obj{"code": "60011", "delay_ms": 1}}})
	if _, out := w.user(t); string(encodeJSON(out["errcode"])) != "60011" {
		t.Errorf("the fault gave %s", encodeJSON(out))
	}
	do("limits", obj{"limits": obj{"off": true}})
	do("private", obj{"texts": []any{"secret"}})
	if got := do("clock", obj{"advance": "1h"}); at(got, "now") != "2026-01-05T02:00:00Z" {
		t.Errorf("the clock shows %s", encodeJSON(got))
	}
	do("clock", obj{"set": "2026-02-01T00:00:00Z"})
	if !w.Now().Equal(time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("the clock shows %s", w.Now())
	}
	do("expire", obj{})
	do("urls", obj{"base_url": w.url + "/", "bot_url": "http://127.0.0.1:1/"})
	if w.BaseURL() != w.url {
		t.Errorf("the base URL is %s", w.BaseURL())
	}
	if got := do("state", obj{"user": w.lin.UserID}); at(got, "cards", 0, "out_track_id") != "c" || at(got, "robot_code") != testClient {
		t.Errorf("the state is %s", encodeJSON(got))
	}
	for _, verb := range []string{"calls", "deliveries", "findings"} {
		if list, isList := do(verb, obj{"since": 1_000_000}).([]any); !isList || len(list) != 0 {
			t.Errorf("%s since the end are %v", verb, list)
		}
	}
	if list, _ := do("calls", obj{}).([]any); len(list) < 3 {
		t.Errorf("the calls are %d", len(list))
	}
	do("farewell", obj{})
	do("disconnect", obj{})
	<-c.ended
	do("reset", obj{})
	if len(w.Calls()) != 0 || len(w.Deliveries()) != 0 || len(w.MessagesFor(w.lin.UserID)) != 0 || len(w.People()) != 4 {
		t.Errorf("after a reset there are %d calls, %d deliveries, %d people", len(w.Calls()), len(w.Deliveries()), len(w.People()))
	}
	for what, c := range map[string]struct {
		verb   string
		body   any
		status int
	}{
		"an unknown verb": {"none", obj{}, 404}, "nobody": {"say", obj{"user": "none"}, 422}, "no method": {"fault", obj{}, 422},
		"no limits": {"limits", obj{}, 422}, "an odd duration": {"clock", obj{"advance": "soon"}, 422}, "no card": {"card", obj{}, 422}, "no object": {"say", []any{}, 400},
		"nothing to repeat": {"redeliver", obj{"n": 99}, 422},
	} {
		if status, out := w.order(t, c.verb, c.body); status != c.status || out["ok"] != false {
			t.Errorf("%s got HTTP %d %s", what, status, encodeJSON(out))
		}
	}
}

func TestTheRecordKeepsNoSecrets(t *testing.T) {
	w := newOffice(t, nil)
	w.call(t, "GET", "/gettoken?appkey="+testClient+"&appsecret=this+is+a+secret", nil)
	w.call(t, "POST", "/v1.0/gateway/connections/open", obj{"clientId": testClient, "clientSecret": testSecret, "subscriptions": allTopics})
	w.call(t, "POST", "/v1.0/card/callbacks/register", obj{"callbackRouteKey": "r", "callbackUrl": "https://example.com", "apiSecret": testSecret})
	w.user(t)
	for _, c := range w.Calls() {
		if args := string(encodeJSON(c.Args)); strings.Contains(args, testSecret) || strings.Contains(args, w.token) {
			t.Errorf("%s is recorded with %s", c.Method, args)
		}
	}
}

func TestChangesAreTold(t *testing.T) {
	w := newOffice(t, nil)
	changes := w.Subscribe(t.Context())
	if _, _, err := w.Say(w.lin.UserID, w.P2P(w.lin.UserID), "hi"); err != nil {
		t.Fatal(err)
	}
	w.Advance(time.Minute)
	for _, want := range []string{ChangeMessage, ChangeDelivery, ChangeClock} {
		if got := <-changes; got.Kind != want {
			t.Errorf("a change of %s was told, want %s", got.Kind, want)
		}
	}
	w.Close()
	if _, open := <-changes; open {
		t.Error("the changes go on after the end")
	}
}
