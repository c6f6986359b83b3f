package slacksim

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const jsonType = "application/json"

func TestWhatASubmissionsAnswerDoesToTheModal(t *testing.T) {
	next := `"view":{"type":"modal","title":{"type":"plain_text","text":"Next"},"blocks":[{"type":"divider"}]}`
	for _, c := range []struct {
		what        string
		status      int
		media, body string
		wantAction  string
		wantError   string
		wantViews   int
		wantRule    string
	}{
		{"nothing", 200, "", "", "close", "", 0, ""},
		{"an empty object", 200, jsonType, "{}", "close", "", 0, ""},
		{"clear", 200, jsonType, `{"response_action":"clear"}`, "clear", "", 0, ""},
		{"errors", 200, jsonType, `{"response_action":"errors","errors":{"b":"Too short"}}`, "errors", "", 1, ""},
		{"update", 200, jsonType, `{"response_action":"update",` + next + `}`, "update", "", 1, ""},
		{"push", 200, jsonType, `{"response_action":"push",` + next + `}`, "push", "", 2, ""},
		{"errors for an unknown block", 200, jsonType, `{"response_action":"errors","errors":{"z":"x"}}`, "", "trouble_connecting", 1, "ack.errors"},
		{"errors for a block that is no input", 200, jsonType, `{"response_action":"errors","errors":{"note":"x"}}`, "", "trouble_connecting", 1, "ack.errors"},
		{"no errors at all", 200, jsonType, `{"response_action":"errors","errors":{}}`, "", "trouble_connecting", 1, "ack.errors"},
		{"an error that is no text", 200, jsonType, `{"response_action":"errors","errors":{"b":1}}`, "", "trouble_connecting", 1, "ack.errors"},
		{"JSON as plain text", 200, "text/plain", `{"response_action":"clear"}`, "", "trouble_connecting", 1, "ack.content_type"},
		{"JSON without a content type", 200, "", `{"response_action":"clear"}`, "", "trouble_connecting", 1, "ack.content_type"},
		{"broken JSON", 200, jsonType, `{"response_action":`, "", "trouble_connecting", 1, "ack.invalid_json"},
		{"an unknown action", 200, jsonType, `{"response_action":"dance"}`, "", "trouble_connecting", 1, "ack.response_action"},
		{"an update without a view", 200, jsonType, `{"response_action":"update"}`, "", "trouble_connecting", 1, "ack.view"},
		{"an update with a bad view", 200, jsonType, `{"response_action":"update","view":{"type":"modal","title":{"type":"plain_text","text":"x"},"blocks":[{"type":"nope"}]}}`, "", "trouble_connecting", 1, "ack.view"},
		{"a server error", 500, "", "", "", "trouble_connecting", 1, ""},
	} {
		w := newOffice(t, quiet)
		id := w.openModal(t, modal(textInput("b"), obj{"type": "section", "block_id": "note", "text": mrkdwn("x")}))
		w.bot.says(c.status, c.media, c.body)
		ack, err := w.Submit(w.lin, id, map[string]map[string]Input{"b": {"a": {"Thank you"}}})
		if err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		if ack.Action != c.wantAction || ack.Error != c.wantError {
			t.Errorf("%s: action %q and error %q, want %q and %q", c.what, ack.Action, ack.Error, c.wantAction, c.wantError)
		}
		if got := len(w.Views(w.lin)); got != c.wantViews {
			t.Errorf("%s: %d modals are open, want %d", c.what, got, c.wantViews)
		}
		rule := ""
		if fs := w.MustFindings(); len(fs) > 0 {
			rule = fs[0].Rule
		}
		if rule != c.wantRule {
			t.Errorf("%s: finding %q, want %q", c.what, rule, c.wantRule)
		}
	}
}

func TestRefusedFieldsAreShownAndCanBeCorrected(t *testing.T) {
	w := newOffice(t, quiet)
	id := w.openModal(t, modal(textInput("b")))
	w.bot.says(200, jsonType, `{"response_action":"errors","errors":{"b":"Too short"}}`)
	if _, err := w.Submit(w.lin, id, map[string]map[string]Input{"b": {"a": {"x"}}}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]string{"b": "Too short"}, w.Views(w.lin)[0].Errors); d != "" {
		t.Errorf("the modal shows other errors (-want +got):\n%s", d)
	}
	w.bot.says(200, "", "")
	if _, err := w.Submit(w.lin, id, map[string]map[string]Input{"b": {"a": {"longer"}}}); err != nil {
		t.Fatal(err)
	}
	if len(w.Views(w.lin)) != 0 {
		t.Error("the corrected form is still open")
	}
}

func TestASubmissionCarriesTheWholeState(t *testing.T) {
	w := newOffice(t, quiet)
	option := func(v string) obj { return obj{"text": plainText(v), "value": v} }
	input := func(block string, element obj) obj {
		return obj{"type": "input", "block_id": block, "optional": true, "label": plainText("x"), "element": element}
	}
	id := w.openModal(t, modal(
		textInput("text"),
		input("untouched", obj{"type": "plain_text_input", "action_id": "a"}),
		input("people", obj{"type": "multi_users_select", "action_id": "a"}),
		input("pick", obj{"type": "static_select", "action_id": "a", "options": []any{option("x"), option("y")}, "initial_option": option("x")}),
		input("boxes", obj{"type": "checkboxes", "action_id": "a", "options": []any{option("x"), option("y")}}),
		input("day", obj{"type": "datepicker", "action_id": "a"}),
		input("moment", obj{"type": "datetimepicker", "action_id": "a"}),
		input("count", obj{"type": "number_input", "action_id": "a", "is_decimal_allowed": false}),
	))
	_, err := w.Submit(w.lin, id, map[string]map[string]Input{
		"text": {"a": {"Thank you"}}, "people": {"a": {w.kai, w.lin}}, "day": {"a": {"2026-01-09"}}, "moment": {"a": {"1767603600"}}, "count": {"a": {"3"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	p := w.bot.last(t).payload(t)
	if p["type"] != "view_submission" || p["trigger_id"] == nil {
		t.Errorf("the payload is a %v with trigger %v", p["type"], p["trigger_id"])
	}
	sent, _ := p["view"].(map[string]any)
	state, _ := sent["state"].(map[string]any)
	want := obj{
		"text":      obj{"a": obj{"type": "plain_text_input", "value": "Thank you"}},
		"untouched": obj{"a": obj{"type": "plain_text_input", "value": nil}},
		"people":    obj{"a": obj{"type": "multi_users_select", "selected_users": []any{w.kai, w.lin}}},
		"pick":      obj{"a": obj{"type": "static_select", "selected_option": option("x")}},
		"boxes":     obj{"a": obj{"type": "checkboxes", "selected_options": []any{}}},
		"day":       obj{"a": obj{"type": "datepicker", "selected_date": "2026-01-09"}},
		"moment":    obj{"a": obj{"type": "datetimepicker", "selected_date_time": 1767603600.0}},
		"count":     obj{"a": obj{"type": "number_input", "value": "3"}},
	}
	if d := cmp.Diff(want, state["values"]); d != "" {
		t.Errorf("state.values differs (-want +got):\n%s", d)
	}
}

func TestWhatTheClientDoesNotSubmit(t *testing.T) {
	limited := obj{"type": "plain_text_input", "action_id": "a", "min_length": 2, "max_length": 4}
	number := obj{"type": "number_input", "action_id": "a", "is_decimal_allowed": false, "min_value": "1", "max_value": "5"}
	for _, c := range []struct {
		what    string
		element obj
		value   string
		ok      bool
	}{
		{"a required text left empty", obj{"type": "plain_text_input", "action_id": "a"}, "", false},
		{"a required text of blanks", obj{"type": "plain_text_input", "action_id": "a"}, "  ", false},
		{"3,000 characters", obj{"type": "plain_text_input", "action_id": "a"}, chars(3000), true},
		{"3,001 characters", obj{"type": "plain_text_input", "action_id": "a"}, chars(3001), false},
		{"one character where two are least", limited, "x", false},
		{"two characters where two are least", limited, "xx", true},
		{"four characters where four are most", limited, "xxxx", true},
		{"five characters where four are most", limited, "xxxxx", false},
		{"the least number", number, "1", true},
		{"less than the least number", number, "0", false},
		{"more than the greatest number", number, "6", false},
		{"a fraction where none is allowed", number, "1.5", false},
		{"a word for a number", number, "three", false},
		{"an address that is none", obj{"type": "email_text_input", "action_id": "a"}, "lin", false},
		{"an e-mail address", obj{"type": "email_text_input", "action_id": "a"}, "lin@example.com", true},
		{"a link that is none", obj{"type": "url_text_input", "action_id": "a"}, "example", false},
	} {
		w := newOffice(t, quiet)
		id := w.openModal(t, modal(obj{"type": "input", "block_id": "b", "label": plainText("x"), "element": c.element}))
		before := len(w.bot.received())
		_, err := w.Submit(w.lin, id, map[string]map[string]Input{"b": {"a": {c.value}}})
		var refused InputErrors
		if errors.As(err, &refused) == c.ok || (err == nil) != c.ok {
			t.Errorf("%s: %v, want it to be submitted: %v", c.what, err, c.ok)
		}
		if sent := len(w.bot.received()) > before; sent != c.ok {
			t.Errorf("%s: the bot heard of it: %v", c.what, sent)
		}
	}
	w := newOffice(t, quiet)
	id := w.openModal(t, modal(textInput("b")))
	if _, err := w.Submit(w.kai, id, nil); err == nil {
		t.Error("Kai can submit Lin's modal")
	}
	if _, err := w.Submit(w.lin, id, map[string]map[string]Input{"nope": {"a": {"x"}}}); err == nil {
		t.Error("a field that is not there can be filled in")
	}
}

func TestClosingIsToldOnlyWhenAskedFor(t *testing.T) {
	for _, c := range []struct {
		notify, clear, all, want, wantCleared bool
	}{{}, {notify: true, want: true}, {notify: true, clear: true, want: true, wantCleared: true}, {notify: true, all: true, want: true, wantCleared: true}} {
		w := newOffice(t, quiet)
		v := modal(section("x"))
		v["notify_on_close"], v["clear_on_close"] = c.notify, c.clear
		id := w.openModal(t, v)
		before := len(w.bot.received())
		if _, err := w.CloseView(w.lin, id, c.all); err != nil {
			t.Fatal(err)
		}
		heard := len(w.bot.received()) > before
		if heard != c.want {
			t.Errorf("%+v: the bot hears of it: %v", c, heard)
		}
		if heard {
			if p := w.bot.last(t).payload(t); p["type"] != "view_closed" || p["is_cleared"] != c.wantCleared {
				t.Errorf("%+v: the payload is a %v with is_cleared %v", c, p["type"], p["is_cleared"])
			}
		}
	}
}

func TestAButtonOnAMessage(t *testing.T) {
	w := newOffice(t, quiet)
	posted := w.api(t, "chat.postMessage", obj{
		"channel": w.lin, "text": "x", "blocks": inActions(
			button(obj{"action_id": "thank", "value": "0190"}),
			obj{"type": "users_select", "action_id": "who"}, obj{"type": "overflow", "action_id": "more", "options": []any{choice(1), choice(2)}},
		),
	})
	at := Place{Channel: posted["channel"].(string), TS: posted["ts"].(string)}
	if _, err := w.Click(w.lin, at, Press{Action: "who", Value: Input{w.kai}}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Click(w.lin, at, Press{Action: "thank"}); err != nil {
		t.Fatal(err)
	}
	p := w.bot.last(t).payload(t)
	action := p["actions"].([]any)[0].(map[string]any)
	if action["action_id"] != "thank" || action["value"] != "0190" || action["type"] != "button" || action["block_id"] == "" {
		t.Errorf("the action is %s", encodeJSON(action))
	}
	wantContainer := obj{"type": "message", "message_ts": at.TS, "channel_id": at.Channel, "is_ephemeral": false}
	if d := cmp.Diff(wantContainer, p["container"]); d != "" {
		t.Errorf("the container differs (-want +got):\n%s", d)
	}
	if p["response_url"] == nil || p["message"] == nil || p["trigger_id"] == nil {
		t.Error("response_url, message or trigger_id is missing")
	}
	values := p["state"].(map[string]any)["values"].(map[string]any)
	block, _ := values[action["block_id"].(string)].(map[string]any)
	if d := cmp.Diff(obj{"who": obj{"type": "users_select", "selected_user": w.kai}}, block); d != "" {
		t.Errorf("the state of the message differs (-want +got):\n%s", d)
	}
	if _, err := w.Click(w.lin, at, Press{Action: "more", Value: Input{"2"}}); err != nil {
		t.Fatal(err)
	}
	action = w.bot.last(t).payload(t)["actions"].([]any)[0].(map[string]any)
	if option, _ := action["selected_option"].(map[string]any); option["value"] != "2" {
		t.Errorf("choosing from the overflow menu sends %s", encodeJSON(action))
	}
	if fs := w.Findings(); len(fs) != 0 {
		t.Errorf("pressing with an empty answer finds %v", rules(fs))
	}
	w.bot.says(200, jsonType, `{"text":"nobody reads this"}`)
	if _, err := w.Click(w.lin, at, Press{Action: "thank"}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"SHOULD ack.ignored_body "}, rules(w.Findings())); d != "" {
		t.Errorf("an answer that Slack ignores finds something else (-want +got):\n%s", d)
	}
	gone := w.AddPerson(Person{Deleted: true}).ID
	for what, err := range map[string]error{
		"a person who has left":       clickErr(w.Click(w.lin, at, Press{Action: "who", Value: Input{gone}})),
		"somebody else's message":     clickErr(w.Click(w.kai, at, Press{Action: "thank"})),
		"a button that is not there":  clickErr(w.Click(w.lin, at, Press{Action: "nope"})),
		"an option that is not there": clickErr(w.Click(w.lin, at, Press{Action: "more", Value: Input{"9"}})),
		"a person who is not there":   clickErr(w.Click(w.lin, at, Press{Action: "who", Value: Input{"U0NOBODY01"}})),
	} {
		if err == nil {
			t.Errorf("%s can be used", what)
		}
	}
}

func clickErr(_ Ack, err error) error { return err }

func TestAnInputBlockTellsNobodyUnlessItDispatches(t *testing.T) {
	w := newOffice(t, quiet)
	quietField := textInput("b")
	loud := textInput("c")
	loud["dispatch_action"] = true
	id := w.openModal(t, modal(quietField, loud))
	before := len(w.bot.received())
	if _, err := w.Click(w.lin, Place{View: id}, Press{Block: "b", Action: "a", Value: Input{"x"}}); err != nil {
		t.Fatal(err)
	}
	if got := len(w.bot.received()); got != before {
		t.Error("typing into an input block reaches the bot")
	}
	if _, err := w.Click(w.lin, Place{View: id}, Press{Block: "c", Action: "a", Value: Input{"y"}}); err != nil {
		t.Fatal(err)
	}
	p := w.bot.last(t).payload(t)
	if action := p["actions"].([]any)[0].(map[string]any); p["type"] != "block_actions" || action["value"] != "y" {
		t.Errorf("a dispatching field sends %s", encodeJSON(p["actions"]))
	}
}

func TestSuggestionsComeFromTheOptionsURL(t *testing.T) {
	w := newOffice(t, quiet)
	id := w.openModal(t, modal(obj{"type": "input", "block_id": "b", "label": plainText("x"), "element": obj{
		"type": "external_select", "action_id": "a", "min_query_length": 1,
	}}))
	w.bot.says(200, jsonType, `{"options":[{"text":{"type":"plain_text","text":"Kai"},"value":"k"}]}`)
	ack, err := w.Suggest(w.lin, Place{View: id}, Press{Action: "a"}, "ka")
	if err != nil || ack.Error != "" || len(ack.Options) == 0 {
		t.Fatalf("suggesting gives %+v, %v", ack, err)
	}
	if h := w.bot.last(t); h.path != "/slack/options" || h.payload(t)["value"] != "ka" {
		t.Errorf("the request went to %s", h.path)
	}
	w.bot.says(200, "", "")
	if _, err := w.Submit(w.lin, id, map[string]map[string]Input{"b": {"a": {"k"}}}); err != nil {
		t.Errorf("a suggested option cannot be submitted: %v", err)
	}
	w2 := newOffice(t, quiet)
	id = w2.openModal(t, modal(obj{"type": "input", "label": plainText("x"), "element": obj{"type": "external_select", "action_id": "a"}}))
	w2.bot.says(200, jsonType, `{"options":[{"text":"Kai","value":"k"}]}`)
	ack, err = w2.Suggest(w2.lin, Place{View: id}, Press{Action: "a"}, "kai")
	if err != nil || ack.Error != "trouble_connecting" || len(w2.MustFindings()) == 0 {
		t.Errorf("malformed options give %+v, %v and findings %v", ack, err, rules(w2.Findings()))
	}
}

func TestShortcuts(t *testing.T) {
	w := newOffice(t, quiet)
	if _, err := w.Shortcut(w.lin, "praise", nil); err != nil {
		t.Fatal(err)
	}
	if p := w.bot.last(t).payload(t); p["type"] != "shortcut" || p["callback_id"] != "praise" {
		t.Errorf("a global shortcut sends %v", p["type"])
	}
	m, _, err := w.Say(w.kai, w.general, "did it")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Shortcut(w.lin, "praise", &Place{Channel: w.general, TS: m.TS}); err != nil {
		t.Fatal(err)
	}
	if p := w.bot.last(t).payload(t); p["type"] != "message_action" || p["response_url"] == nil || p["message_ts"] != m.TS {
		t.Errorf("a message shortcut sends %s", encodeJSON(p))
	}
}
