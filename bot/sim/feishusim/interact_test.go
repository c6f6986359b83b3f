package feishusim

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func (w *office) press(t *testing.T, id string, p Press) Ack {
	t.Helper()
	ack, err := w.Press(w.lin.OpenID, id, p)
	if err != nil {
		t.Fatalf("pressing %+v: %v", p, err)
	}
	return ack
}

func TestAPressTellsWhoWhereAndWhat(t *testing.T) {
	w := newOffice(t, nil)
	id := w.sendCard(t, cardOf(buttonOf("好", "ok"), obj{"tag": "column_set", "columns": []any{obj{"tag": "column", "elements": []any{buttonOf("不", "no")}}}}))
	w.press(t, id, Press{At: "/body/elements/1/columns/0/elements/0"})
	h := w.bot.last(t)
	e := h.event(t)
	want := obj{"tag": "button", "name": "no", "timezone": "Asia/Shanghai", "value": obj{"do": "no"}}
	if d := cmp.Diff(want, at(e, "event", "action")); d != "" {
		t.Errorf("the action is (-want +got):\n%s", d)
	}
	if h.path != CardsPath || h.header.Get("X-Lark-Signature") == "" || at(e, "header", "event_type") != "card.action.trigger" ||
		at(e, "event", "operator", "open_id") != w.lin.OpenID || at(e, "event", "operator", "tenant_key") != w.TenantKey() ||
		at(e, "event", "context", "open_message_id") != id || at(e, "event", "context", "open_chat_id") != w.P2P(w.lin.OpenID) ||
		!strings.HasPrefix(at(e, "event", "token").(string), "c-") {
		t.Errorf("the callback is %s %s", h.path, encodeJSON(e))
	}
	w.press(t, id, Press{Text: "好"})
	if got := at(w.bot.last(t).event(t), "event", "action", "value", "do"); got != "ok" {
		t.Errorf("the button labelled 好 sent %v", got)
	}
}

func TestAFormSendsWhatWasEntered(t *testing.T) {
	w := newOffice(t, nil)
	id := w.sendCard(t, cardOf(formOf(
		obj{"tag": "input", "name": "words", "required": true, "max_length": 5},
		obj{"tag": "input", "name": "more", "default_value": "d"},
		obj{"tag": "select_static", "name": "one", "options": []any{obj{"text": plainText("A"), "value": "a"}, obj{"text": plainText("B"), "value": "b"}}},
		obj{"tag": "multi_select_person", "name": "who", "options": []any{obj{"value": w.kai.OpenID}, obj{"value": w.lin.OpenID}}},
		obj{"tag": "date_picker", "name": "day"},
		obj{"tag": "checker", "name": "sure", "text": plainText("确定")},
		obj{"tag": "select_static", "name": "untouched", "options": []any{obj{"text": plainText("A"), "value": "a"}}},
	)))
	entered := map[string]Input{
		"words": {"谢谢你们啊"}, "one": {"b"}, "who": {w.kai.OpenID, w.lin.OpenID}, "day": {"2026-02-03"}, "sure": {"true"},
	}
	w.press(t, id, Press{Name: "go", Form: entered})
	want := obj{
		"words": "谢谢你们啊", "more": "d", "one": "b", "who": []any{w.kai.OpenID, w.lin.OpenID}, "day": "2026-02-03 +0800", "sure": true,
	}
	if d := cmp.Diff(want, at(w.bot.last(t).event(t), "event", "action", "form_value")); d != "" {
		t.Errorf("the form_value is (-want +got):\n%s", d)
	}
	before := len(w.bot.received())
	var refused InputErrors
	if _, err := w.Press(w.lin.OpenID, id, Press{Name: "go"}); !errors.As(err, &refused) || refused["words"] == "" {
		t.Errorf("an empty required field gives %v", err)
	}
	if _, err := w.Press(w.lin.OpenID, id, Press{Name: "go", Form: map[string]Input{"words": {"六个字太长了"}}}); !errors.As(err, &refused) {
		t.Errorf("a field that is too long gives %v", err)
	}
	for what, form := range map[string]map[string]Input{
		"an option that is not there": {"words": {"x"}, "one": {"c"}}, "a person not offered": {"words": {"x"}, "who": {"ou_none"}},
		"no date": {"words": {"x"}, "day": {"tomorrow"}}, "a field that is not there": {"words": {"x"}, "extra": {"x"}}, "two options": {"words": {"x"}, "one": {"a", "b"}},
	} {
		if _, err := w.Press(w.lin.OpenID, id, Press{Name: "go", Form: form}); err == nil {
			t.Errorf("%s was entered", what)
		}
	}
	if n := len(w.bot.received()); n != before {
		t.Errorf("the bot heard of %d refused forms", n-before)
	}
	w.press(t, id, Press{Name: "go", Force: true, Form: map[string]Input{"words": {"六个字太长了"}, "one": {"c"}}})
	if got := at(w.bot.last(t).event(t), "event", "action", "form_value", "one"); got != "c" {
		t.Errorf("a forged form sent %v", got)
	}
	if ack := w.press(t, id, Press{Name: "one", Value: Input{"a"}}); ack.Delivery != 0 {
		t.Error("choosing in a form told the bot")
	}
}

func TestControlsOutsideFormsSendTheirValue(t *testing.T) {
	w := newOffice(t, nil)
	control := func(tag string, more obj) obj {
		c := obj{"tag": tag, "name": tag, "behaviors": callback(obj{"k": tag})}
		for k, v := range more {
			c[k] = v
		}
		return c
	}
	options := obj{"options": []any{obj{"text": plainText("A"), "value": "a"}}}
	id := w.sendCard(t, cardOf(
		control("select_static", options), control("overflow", options), control("select_person", nil), control("date_picker", nil),
		control("checker", obj{"text": plainText("x")}), control("input", nil),
		obj{"tag": "interactive_container", "element_id": "box", "behaviors": callback("plain"), "elements": []any{md("x")}},
		obj{"tag": "button", "name": "link", "text": plainText("x"), "behaviors": []any{obj{"type": "open_url", "default_url": "https://x.example/"}}},
	))
	for name, c := range map[string]struct {
		in   Input
		key  string
		want any
	}{
		"select_static": {Input{"a"}, "option", "a"}, "overflow": {Input{"a"}, "option", "a"}, "select_person": {Input{w.lin.OpenID}, "option", w.lin.OpenID},
		"date_picker": {Input{"2026-02-03"}, "option", "2026-02-03 +0800"}, "checker": {Input{"true"}, "checked", true}, "input": {Input{"hi"}, "input_value", "hi"},
	} {
		w.press(t, id, Press{Name: name, Value: c.in})
		a := at(w.bot.last(t).event(t), "event", "action")
		if at(a, c.key) != c.want || at(a, "value", "k") != name {
			t.Errorf("%s sent %s", name, encodeJSON(a))
		}
		if _, err := w.Press(w.lin.OpenID, id, Press{Name: name}); err == nil {
			t.Errorf("%s was used without choosing anything", name)
		}
	}
	if _, err := w.Press(w.lin.OpenID, id, Press{Name: "select_person", Value: Input{w.kai.OpenID}}); err == nil {
		t.Error("a select of persons without options offers somebody outside the chat")
	}
	w.press(t, id, Press{Name: "box"})
	if got := at(w.bot.last(t).event(t), "event", "action", "value"); got != "plain" {
		t.Errorf("a value that is a string arrives as %v", got)
	}
	before := len(w.bot.received())
	if ack := w.press(t, id, Press{Name: "link"}); ack.URL != "https://x.example/" || len(w.bot.received()) != before {
		t.Errorf("a link led to %q", ack.URL)
	}
}

func TestWhatAPersonCannotPressIsAnError(t *testing.T) {
	w := newOffice(t, nil)
	off := buttonOf("x", "off")
	off["disabled"] = true
	id := w.sendCard(t, cardOf(buttonOf("x", "on"), off))
	text, _ := at(w.send(t, "text", obj{"text": "hi"}), "data", "message_id").(string)
	for what, c := range map[string]struct {
		user, message string
		press         Press
	}{
		"somebody else's card": {w.kai.OpenID, id, Press{Name: "on"}}, "a text": {w.lin.OpenID, text, Press{Name: "on"}},
		"a disabled button": {w.lin.OpenID, id, Press{Name: "off"}}, "nothing": {w.lin.OpenID, id, Press{Name: "none"}},
		"two at once": {w.lin.OpenID, id, Press{Text: "x"}}, "a button with a value": {w.lin.OpenID, id, Press{Name: "on", Value: Input{"v"}}},
		"nobody": {"ou_none", id, Press{Name: "on"}},
	} {
		if _, err := w.Press(c.user, c.message, c.press); err == nil {
			t.Errorf("%s was pressed", what)
		}
	}
	m, _ := w.Message(id)
	w.SetTime(m.Created.Add(14*24*time.Hour - time.Second))
	w.press(t, id, Press{Name: "on"})
	w.Advance(time.Second)
	if _, err := w.Press(w.lin.OpenID, id, Press{Name: "on"}); err == nil {
		t.Error("a card of 14 days was pressed")
	}
}

func TestOnlyAToastOrACardAnswersAPress(t *testing.T) {
	w := newOffice(t, nil)
	raw := func(card any) string {
		return string(encodeJSON(obj{"card": obj{"type": "raw", "data": card}}))
	}
	for _, c := range []struct {
		what, body, shown, rule string
		status                  int
	}{
		{"nothing to say", `{}`, "", "", 200},
		{"a toast", `{"toast":{"type":"warning","content":"慢","i18n":{"en_us":"slow"}}}`, "", "", 200},
		{"a card", raw(cardOf(md("done"))), "", "", 200},
		{"an empty body", ``, ErrShape, "callback.not_json_object", 200},
		{"a list", `[]`, ErrShape, "callback.not_json_object", 200},
		{"the SDK's success", `{"msg":"success"}`, ErrShape, "callback.unknown_property", 200},
		{"a bare card", string(encodeJSON(cardOf(md("x")))), ErrShape, "callback.unknown_property", 200},
		{"an odd toast", `{"toast":{"type":"loud","content":"x"}}`, ErrShape, "callback.bad_toast", 200},
		{"a toast without words", `{"toast":{"type":"info"}}`, ErrShape, "callback.bad_toast", 200},
		{"a toast that is a string", `{"toast":"x"}`, ErrShape, "callback.bad_toast", 200},
		{"a toast with more", `{"toast":{"type":"info","content":"x","duration":3}}`, ErrShape, "callback.bad_toast", 200},
		{"a toast in no language", `{"toast":{"type":"info","content":"x","i18n":{"xx":"x"}}}`, ErrShape, "callback.bad_toast", 200},
		{"a card that is a string", `{"card":{"type":"raw","data":"{}"}}`, ErrShape, "callback.bad_card_envelope", 200},
		{"a card of no type", `{"card":{"data":{}}}`, ErrShape, "callback.bad_card_envelope", 200},
		{"a template", `{"card":{"type":"template","data":{"template_id":"x"}}}`, ErrCard, "callback.unknown_template", 200},
		{"a bad card", raw(cardOf(obj{"tag": "note"})), ErrCard, "callback.card_refused", 200},
		{"a large card", raw(cardOf(md(strings.Repeat("x", cardBytes)))), ErrCard, "callback.card_too_large", 200},
		{"a card of JSON 1.0", raw(obj{"elements": []any{}}), ErrCard, "callback.card_2_to_1", 200},
		{"HTTP 204", ``, ErrLate, "callback.http_error", 204},
		{"HTTP 500", `{}`, ErrLate, "callback.http_error", 500},
		{"HTTP 302", `{}`, ErrLate, "callback.http_error", 302},
	} {
		w.Reset()
		id := w.sendCard(t, cardOf(buttonOf("x", "on")))
		w.bot.says(c.status, c.body)
		ack := w.press(t, id, Press{Name: "on"})
		got := append(rules(w.MustFindings()), "MUST")[0]
		if ack.Error != c.shown || got != strings.TrimSpace("MUST "+c.rule) {
			t.Errorf("%s shows %q and is found to be %q; want %q and %q", c.what, ack.Error, got, c.shown, c.rule)
		}
		m, _ := w.Message(id)
		if replaced := strings.Contains(m.Content, "done"); replaced != (c.what == "a card") || ack.Card != replaced {
			t.Errorf("%s: the card was replaced: %v", c.what, replaced)
		}
	}
	w.bot.says(200, `{"toast":{"type":"success","content":"谢谢","i18n":{"en_us":"thanks"}}}`)
	id := w.sendCard(t, cardOf(buttonOf("x", "on")))
	want := &Toast{Type: "success", Content: "谢谢", I18n: map[string]string{"en_us": "thanks"}}
	if d := cmp.Diff(want, w.press(t, id, Press{Name: "on"}).Toast); d != "" {
		t.Errorf("the toast is (-want +got):\n%s", d)
	}
	w.SetBotURL("")
	if ack := w.press(t, id, Press{Name: "on"}); ack.Error != ErrNoAddress {
		t.Errorf("without address the press shows %q", ack.Error)
	}
}

func TestAPressIsAnsweredWithinItsTimeAndNotRepeated(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.AckTimeout = 50 * time.Millisecond })
	id := w.sendCard(t, cardOf(buttonOf("x", "on")))
	w.bot.answers(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) //nolint:errcheck // so that the end of the connection is noticed
		<-r.Context().Done()
	})
	if ack := w.press(t, id, Press{Name: "on"}); ack.Error != ErrLate || w.Pending() != 0 {
		t.Errorf("a late answer shows %q with %d pending", ack.Error, w.Pending())
	}
}

func TestATokenUpdatesItsCardTwiceWithinHalfAnHourAfterTheAnswer(t *testing.T) {
	w := newOffice(t, nil)
	id := w.sendCard(t, cardOf(buttonOf("x", "on")))
	update := func(token string, card any) obj {
		return w.call(t, "POST", "/open-apis/interactive/v1/card/update", obj{"token": token, "card": card})
	}
	var early obj
	w.bot.answers(func(rw http.ResponseWriter, _ *http.Request) {
		token, _ := at(w.bot.last(t).event(t), "event", "token").(string)
		early = update(token, cardOf(md("early")))
		io.WriteString(rw, "{}") //nolint:errcheck // the test looks at what was shown
	})
	ack := w.press(t, id, Press{Name: "on"})
	wantCode(t, "updating before the answer", early, 300000)
	if got := rules(w.MustFindings()); len(got) != 1 || got[0] != "MUST card.update_before_answer" {
		t.Errorf("the findings are %v", got)
	}
	wantCode(t, "no token", update("", cardOf()), 10002)
	wantCode(t, "a card that is a string", update(ack.Token, "{}"), 10002)
	wantCode(t, "another token", update("c-none", cardOf()), 300000)
	wantCode(t, "a bad card", update(ack.Token, cardOf(obj{"tag": "note"})), 230099)
	wantCode(t, "a card of JSON 1.0", update(ack.Token, obj{"elements": []any{}}), 230099)
	wantCode(t, "a card of more than 30 KB", update(ack.Token, cardOf(md(strings.Repeat("x", cardBytes)))), 230025)
	wantCode(t, "the first update", update(ack.Token, cardOf(md("later"), buttonOf("x", "on"))), 0)
	if m, _ := w.Message(id); !strings.Contains(m.Content, "later") {
		t.Errorf("the card is %s", m.Content)
	}
	wantCode(t, "the second", update(ack.Token, cardOf(buttonOf("x", "on"))), 0)
	wantCode(t, "the third", update(ack.Token, cardOf()), 300000)
	w.bot.says(200, "{}")
	ack = w.press(t, id, Press{Name: "on"})
	w.Advance(30*time.Minute - time.Millisecond)
	wantCode(t, "just within half an hour", update(ack.Token, cardOf(buttonOf("x", "on"))), 0)
	w.Advance(time.Millisecond)
	wantCode(t, "after half an hour", update(ack.Token, cardOf()), 300000)
}

func TestAnUpdateRightAfterTheAnswerIsNotTooEarly(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.Limits.Off = true })
	id := w.sendCard(t, cardOf(buttonOf("x", "on")))
	tokens := make(chan string, 1)
	w.bot.answers(func(rw http.ResponseWriter, _ *http.Request) {
		token, _ := at(w.bot.last(t).event(t), "event", "token").(string)
		tokens <- token
		io.WriteString(rw, "{}") //nolint:errcheck // the test looks at what became of the update
	})
	for range 20 {
		pressed := make(chan error)
		go func() {
			_, err := w.Press(w.lin.OpenID, id, Press{Name: "on"})
			pressed <- err
		}()
		out := w.call(t, "POST", "/open-apis/interactive/v1/card/update", obj{"token": <-tokens, "card": cardOf(buttonOf("x", "on"))})
		wantCode(t, "updating while the answer is under way", out, 0)
		if err := <-pressed; err != nil {
			t.Fatal(err)
		}
	}
}
