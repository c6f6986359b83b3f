package slacksim

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// The builders below make a payload whose one measure is n, so that each documented limit is tried at and past itself.

func inSection(accessory any) []any {
	return []any{obj{"type": "section", "text": mrkdwn("x"), "accessory": accessory}}
}

func inActions(elements ...any) []any { return []any{obj{"type": "actions", "elements": elements}} }

func inInput(element any) []any {
	return []any{obj{"type": "input", "label": plainText("x"), "element": element}}
}

func button(more obj) obj {
	b := obj{"type": "button", "text": plainText("OK")}
	for k, v := range more {
		b[k] = v
	}
	return b
}

func choice(i int) any { return obj{"text": plainText("x"), "value": fmt.Sprint(i)} }

func selectOf(more obj) obj {
	s := obj{"type": "static_select", "options": []any{choice(1)}}
	for k, v := range more {
		s[k] = v
	}
	return s
}

func richTextOf(n int) []any {
	return []any{obj{"type": "rich_text", "elements": []any{obj{"type": "rich_text_section", "elements": []any{
		obj{"type": "link", "url": "https://e.io/" + strings.Repeat("a", n-13)},
	}}}}}
}

func TestEachMessageLimitIsAcceptedAtItAndRefusedPastIt(t *testing.T) {
	s := New(Options{})
	image := func(alt, url int) obj {
		return obj{"type": "image", "alt_text": chars(alt), "image_url": "https://e.io/" + strings.Repeat("a", url-13)}
	}
	confirmWith := func(k string, n int) []any {
		c := obj{"title": plainText("t"), "text": plainText("t"), "confirm": plainText("y"), "deny": plainText("n")}
		c[k] = plainText(chars(n))
		return inActions(button(obj{"confirm": c}))
	}
	for _, c := range []struct {
		what  string
		limit int
		make  func(n int) []any
		at    string
	}{
		{"blocks of a message", 50, func(n int) []any { return times(n, func(int) any { return obj{"type": "divider"} }) }, "/blocks"},
		{"block_id", 255, func(n int) []any { return []any{obj{"type": "divider", "block_id": chars(n)}} }, "/blocks/0/block_id"},
		{"section text", 3000, func(n int) []any { return []any{section(chars(n))} }, "/blocks/0/text/text"},
		{"section fields", 10, func(n int) []any {
			return []any{obj{"type": "section", "fields": times(n, func(int) any { return mrkdwn("x") })}}
		}, "/blocks/0/fields"},
		{"text of a section field", 2000, func(n int) []any {
			return []any{obj{"type": "section", "fields": []any{mrkdwn(chars(n))}}}
		}, "/blocks/0/fields/0/text"},
		{"header", 150, func(n int) []any { return []any{obj{"type": "header", "text": plainText(chars(n))}} }, "/blocks/0/text/text"},
		{"context elements", 10, func(n int) []any {
			return []any{obj{"type": "context", "elements": times(n, func(int) any { return mrkdwn("x") })}}
		}, "/blocks/0/elements"},
		{"actions elements", 25, func(n int) []any { return inActions(times(n, func(int) any { return button(nil) })...) }, "/blocks/0/elements"},
		{"input label", 2000, func(n int) []any {
			return []any{obj{"type": "input", "label": plainText(chars(n)), "element": obj{"type": "plain_text_input"}}}
		}, "/blocks/0/label/text"},
		{"input hint", 2000, func(n int) []any {
			return []any{obj{"type": "input", "label": plainText("x"), "hint": plainText(chars(n)), "element": obj{"type": "plain_text_input"}}}
		}, "/blocks/0/hint/text"},
		{"image alt text", 2000, func(n int) []any { return []any{image(n, 20)} }, "/blocks/0/alt_text"},
		{"image address", 3000, func(n int) []any { return []any{image(1, n)} }, "/blocks/0/image_url"},
		{"image title", 2000, func(n int) []any {
			i := image(1, 20)
			i["title"] = plainText(chars(n))
			return []any{i}
		}, "/blocks/0/title/text"},
		{"markdown block", 12_000, func(n int) []any { return []any{obj{"type": "markdown", "text": chars(n)}} }, "/blocks/0/text"},
		{"all markdown blocks", 12_000, func(n int) []any {
			return []any{obj{"type": "markdown", "text": chars(6000)}, obj{"type": "markdown", "text": chars(n - 6000)}}
		}, "/blocks/1/text"},
		{"table rows", 100, func(n int) []any {
			return []any{obj{"type": "table", "rows": times(n, func(int) any { return []any{obj{"type": "raw_text", "text": "x"}} })}}
		}, "/blocks/0/rows"},
		{"table cells", 20, func(n int) []any {
			return []any{obj{"type": "table", "rows": []any{times(n, func(int) any { return obj{"type": "raw_text", "text": "x"} })}}}
		}, "/blocks/0/rows/0"},
		{"tables of a message", 1, func(n int) []any {
			return times(n, func(int) any {
				return obj{"type": "table", "rows": []any{[]any{obj{"type": "raw_text", "text": "x"}}}}
			})
		}, "/blocks/1"},
		{"action_id", 255, func(n int) []any { return inActions(button(obj{"action_id": chars(n)})) }, "/blocks/0/elements/0/action_id"},
		{"button text", 75, func(n int) []any { return inActions(button(obj{"text": plainText(chars(n))})) }, "/blocks/0/elements/0/text/text"},
		{"button value", 2000, func(n int) []any { return inActions(button(obj{"value": chars(n)})) }, "/blocks/0/elements/0/value"},
		{"button address", 3000, func(n int) []any { return inActions(button(obj{"url": chars(n)})) }, "/blocks/0/elements/0/url"},
		{"button label for screen readers", 75, func(n int) []any {
			return inActions(button(obj{"accessibility_label": chars(n)}))
		}, "/blocks/0/elements/0/accessibility_label"},
		{"confirm title", 100, func(n int) []any { return confirmWith("title", n) }, "/blocks/0/elements/0/confirm/title/text"},
		{"confirm text", 300, func(n int) []any { return confirmWith("text", n) }, "/blocks/0/elements/0/confirm/text/text"},
		{"confirm button", 30, func(n int) []any { return confirmWith("confirm", n) }, "/blocks/0/elements/0/confirm/confirm/text"},
		{"deny button", 30, func(n int) []any { return confirmWith("deny", n) }, "/blocks/0/elements/0/confirm/deny/text"},
		{"placeholder", 150, func(n int) []any {
			return inActions(selectOf(obj{"placeholder": plainText(chars(n))}))
		}, "/blocks/0/elements/0/placeholder/text"},
		{"select options", 100, func(n int) []any { return inActions(selectOf(obj{"options": times(n, choice)})) }, "/blocks/0/elements/0/options"},
		{"select groups", 100, func(n int) []any {
			return inActions(obj{"type": "static_select", "option_groups": times(n, func(int) any {
				return obj{"label": plainText("g"), "options": []any{choice(1)}}
			})})
		}, "/blocks/0/elements/0/option_groups"},
		{"options of a group", 100, func(n int) []any {
			return inActions(obj{"type": "static_select", "option_groups": []any{obj{"label": plainText("g"), "options": times(n, choice)}}})
		}, "/blocks/0/elements/0/option_groups/0/options"},
		{"group label", 75, func(n int) []any {
			return inActions(obj{"type": "static_select", "option_groups": []any{
				obj{"label": plainText(chars(n)), "options": []any{choice(1)}},
			}})
		}, "/blocks/0/elements/0/option_groups/0/label/text"},
		{"option text", 75, func(n int) []any {
			return inActions(selectOf(obj{"options": []any{obj{"text": plainText(chars(n)), "value": "v"}}}))
		}, "/blocks/0/elements/0/options/0/text/text"},
		{"option value", 150, func(n int) []any {
			return inActions(selectOf(obj{"options": []any{obj{"text": plainText("x"), "value": chars(n)}}}))
		}, "/blocks/0/elements/0/options/0/value"},
		{"option description", 75, func(n int) []any {
			return inActions(selectOf(obj{"options": []any{obj{"text": plainText("x"), "value": "v", "description": plainText(chars(n))}}}))
		}, "/blocks/0/elements/0/options/0/description/text"},
		{"overflow options", 5, func(n int) []any {
			return inSection(obj{"type": "overflow", "options": times(n, choice)})
		}, "/blocks/0/accessory/options"},
		{"overflow address", 3000, func(n int) []any {
			return inSection(obj{"type": "overflow", "options": []any{obj{"text": plainText("x"), "value": "v", "url": chars(n)}}})
		}, "/blocks/0/accessory/options/0/url"},
		{"checkboxes", 10, func(n int) []any {
			return inSection(obj{"type": "checkboxes", "options": times(n, choice)})
		}, "/blocks/0/accessory/options"},
		{"radio buttons", 10, func(n int) []any {
			return inSection(obj{"type": "radio_buttons", "options": times(n, choice)})
		}, "/blocks/0/accessory/options"},
		{"files of a file input", 10, func(n int) []any { return inInput(obj{"type": "file_input", "max_files": n}) }, "/blocks/0/element/max_files"},
		{"max_length of a text input", 3000, func(n int) []any {
			return inInput(obj{"type": "plain_text_input", "max_length": n})
		}, "/blocks/0/element/max_length"},
		{"initial value against max_length", 5, func(n int) []any {
			return inInput(obj{"type": "plain_text_input", "max_length": 5, "initial_value": chars(n)})
		}, "/blocks/0/element/initial_value"},
		{"digits of a moment", 9_999_999_999, func(n int) []any {
			return inInput(obj{"type": "datetimepicker", "initial_date_time": n})
		}, "/blocks/0/element/initial_date_time"},
		{"context actions", 5, func(n int) []any {
			return []any{obj{"type": "context_actions", "elements": times(n, func(int) any {
				return obj{"type": "icon_button", "icon": "trash", "text": plainText("x")}
			})}}
		}, "/blocks/0/elements"},
		{"rich text link", 3000, richTextOf, "/blocks/0/elements/0/elements/0/url"},
		{"video title", 199, func(n int) []any {
			return []any{obj{
				"type": "video", "video_url": "https://e.io/v", "thumbnail_url": "https://e.io/t", "alt_text": "x", "title": plainText(chars(n)),
			}}
		}, "/blocks/0/title/text"},
	} {
		if fs := s.validateMessage(decoded(t, c.make(c.limit)), nil); len(fs) > 0 {
			t.Errorf("%s: %d is refused: %v", c.what, c.limit, fs)
		}
		fs := s.validateMessage(decoded(t, c.make(c.limit+1)), nil)
		if !slices.ContainsFunc(fs, func(f blockFault) bool { return strings.HasPrefix(f.at, c.at) }) {
			t.Errorf("%s: %d is not refused at %s but %v", c.what, c.limit+1, c.at, fs)
		}
	}
}

// decoded sends blocks through JSON, as the API would read them.
func decoded(t *testing.T, v any) []any {
	t.Helper()
	got, err := decodeJSON(encodeJSON(v))
	list, isList := got.([]any)
	if err != nil || !isList {
		t.Fatalf("decoding test blocks: %v", err)
	}
	return list
}

func TestLeastSizesAreRefusedBelow(t *testing.T) {
	s := New(Options{})
	for what, blocks := range map[string][]any{
		"an empty text":                {section("")},
		"a header without characters":  {obj{"type": "header", "text": plainText("")}},
		"no context elements":          {obj{"type": "context", "elements": []any{}}},
		"no actions":                   inActions(),
		"no section fields":            {obj{"type": "section", "fields": []any{}}},
		"no options":                   inActions(selectOf(obj{"options": []any{}})),
		"no overflow options":          inSection(obj{"type": "overflow", "options": []any{}}),
		"no choices to select":         inActions(obj{"type": "multi_users_select", "max_selected_items": 0}),
		"a file input of no files":     inInput(obj{"type": "file_input", "max_files": 0}),
		"a text input of no length":    inInput(obj{"type": "plain_text_input", "max_length": 0}),
		"a moment of nine digits":      inInput(obj{"type": "datetimepicker", "initial_date_time": 999_999_999}),
		"an empty action_id":           inActions(button(obj{"action_id": ""})),
		"an image without description": {obj{"type": "image", "alt_text": "", "image_url": "https://e.io/x"}},
	} {
		if fs := s.validateMessage(decoded(t, blocks), nil); len(fs) == 0 {
			t.Errorf("%s is accepted", what)
		}
	}
}

func TestShapesThatSlackRefuses(t *testing.T) {
	s := New(Options{})
	for _, c := range []struct {
		what   string
		blocks []any
		want   string
	}{
		{"an unknown block", []any{obj{"type": "paragraph"}}, "unsupported type: paragraph [json-pointer:/blocks/0/type]"},
		{"a file block", []any{obj{"type": "file", "external_id": "x", "source": "remote"}}, "unsupported type: file [json-pointer:/blocks/0/type]"},
		{"a block without a type", []any{obj{"text": mrkdwn("x")}}, "missing required field: type [json-pointer:/blocks/0]"},
		{"a block that is a string", []any{"divider"}, "must provide an object [json-pointer:/blocks/0]"},
		{"an unknown property", []any{obj{"type": "divider", "color": "red"}}, "invalid additional property: color [json-pointer:/blocks/0]"},
		{"a section of nothing", []any{obj{"type": "section"}}, "must define either `fields` or `text` [json-pointer:/blocks/0]"},
		{"text that is a string", []any{obj{"type": "section", "text": "x"}}, "must provide an object [json-pointer:/blocks/0/text]"},
		{"a header in mrkdwn", []any{obj{"type": "header", "text": mrkdwn("x")}}, "unsupported type: mrkdwn [json-pointer:/blocks/0/text/type]"},
		{"emoji in mrkdwn", []any{obj{"type": "section", "text": obj{"type": "mrkdwn", "text": "x", "emoji": true}}}, "invalid additional property: emoji [json-pointer:/blocks/0/text]"},
		{"verbatim in plain text", []any{obj{"type": "section", "text": obj{"type": "plain_text", "text": "x", "verbatim": true}}}, "invalid additional property: verbatim [json-pointer:/blocks/0/text]"},
		{"the same block_id twice", []any{obj{"type": "divider", "block_id": "a"}, obj{"type": "divider", "block_id": "a"}}, "block_id already exists [json-pointer:/blocks/1/block_id]"},
		{"the same action_id twice in a block", inActions(button(obj{"action_id": "a"}), button(obj{"action_id": "a"})), "action_id already exists [json-pointer:/blocks/0/elements/1/action_id]"},
		{"a text input among actions", inActions(obj{"type": "plain_text_input"}), "unsupported type: plain_text_input [json-pointer:/blocks/0/elements/0/type]"},
		{"a button in an input", inInput(button(nil)), "unsupported type: button [json-pointer:/blocks/0/element/type]"},
		{"a datetimepicker beside a section", inSection(obj{"type": "datetimepicker"}), "unsupported type: datetimepicker [json-pointer:/blocks/0/accessory/type]"},
		{"a style that is none", inActions(button(obj{"style": "default"})), "must be a valid enum value [json-pointer:/blocks/0/elements/0/style]"},
		{"a button in mrkdwn", inActions(button(obj{"text": mrkdwn("x")})), "unsupported type: mrkdwn [json-pointer:/blocks/0/elements/0/text/type]"},
		{"mrkdwn in a select's option", inActions(selectOf(obj{"options": []any{obj{"text": mrkdwn("x"), "value": "v"}}})), "unsupported type: mrkdwn [json-pointer:/blocks/0/elements/0/options/0/text/type]"},
		{"a url in a select's option", inActions(selectOf(obj{"options": []any{obj{"text": plainText("x"), "value": "v", "url": "https://e.io"}}})), "invalid additional property: url [json-pointer:/blocks/0/elements/0/options/0]"},
		{"an option without a value", inActions(selectOf(obj{"options": []any{obj{"text": plainText("x")}}})), "missing required field: value [json-pointer:/blocks/0/elements/0/options/0]"},
		{"options and groups", inActions(selectOf(obj{"option_groups": []any{obj{"label": plainText("g"), "options": []any{choice(1)}}}})), "must provide exactly one of: [options option_groups] [json-pointer:/blocks/0/elements/0]"},
		{"neither options nor groups", inActions(obj{"type": "static_select"}), "must provide exactly one of: [options option_groups] [json-pointer:/blocks/0/elements/0]"},
		{"an initial option that is none", inActions(selectOf(obj{"initial_option": choice(2)})), "initial_option must match one of the options [json-pointer:/blocks/0/elements/0/initial_option]"},
		{"an initial option of another text", inActions(selectOf(obj{"initial_option": obj{"text": plainText("y"), "value": "1"}})), "initial_option must match one of the options [json-pointer:/blocks/0/elements/0/initial_option]"},
		{"a confirmation without a title", inActions(button(obj{"confirm": obj{"text": plainText("t"), "confirm": plainText("y"), "deny": plainText("n")}})), "missing required field: title [json-pointer:/blocks/0/elements/0/confirm]"},
		{"an image of two sources", []any{obj{"type": "image", "alt_text": "x", "image_url": "https://e.io", "slack_file": obj{"id": "F1"}}}, "must provide exactly one of: [image_url slack_file] [json-pointer:/blocks/0]"},
		{"an image that was never uploaded", []any{obj{"type": "image", "alt_text": "x", "slack_file": obj{"id": "F1"}}}, "invalid slack file [json-pointer:/blocks/0/slack_file/id]"},
		{"an image address without http", []any{obj{"type": "image", "alt_text": "x", "image_url": "e.io/x"}}, "must be a valid http or https URL [json-pointer:/blocks/0/image_url]"},
		{"a date the other way round", inInput(obj{"type": "datepicker", "initial_date": "05-01-2026"}), "must be in the format YYYY-MM-DD [json-pointer:/blocks/0/element/initial_date]"},
		{"a time past midnight", inInput(obj{"type": "timepicker", "initial_time": "24:00"}), "must be in the format HH:mm [json-pointer:/blocks/0/element/initial_time]"},
		{"a number input of neither kind", inInput(obj{"type": "number_input"}), "missing required field: is_decimal_allowed [json-pointer:/blocks/0/element]"},
		{"a least number above the greatest", inInput(obj{"type": "number_input", "is_decimal_allowed": true, "min_value": "2", "max_value": "1"}), "min_value must not exceed max_value [json-pointer:/blocks/0/element/min_value]"},
		{"a number as a number", inInput(obj{"type": "number_input", "is_decimal_allowed": true, "min_value": 2}), "must provide a string [json-pointer:/blocks/0/element/min_value]"},
		{"a least length above the greatest", inInput(obj{"type": "plain_text_input", "min_length": 2, "max_length": 1}), "min_length must not exceed max_length [json-pointer:/blocks/0/element/min_length]"},
		{"dispatch_action on files", []any{obj{"type": "input", "label": plainText("x"), "dispatch_action": true, "element": obj{"type": "file_input"}}}, "dispatch_action is not supported for file_input [json-pointer:/blocks/0/dispatch_action]"},
		{"a ragged table", []any{obj{"type": "table", "rows": []any{times(1, func(int) any { return obj{"type": "raw_text", "text": "x"} }), times(2, func(int) any { return obj{"type": "raw_text", "text": "x"} })}}}, "all rows must have the same number of cells [json-pointer:/blocks/0/rows/1]"},
		{"rich text of an unknown part", []any{obj{"type": "rich_text", "elements": []any{obj{"type": "text", "text": "x"}}}}, "unsupported type: text [json-pointer:/blocks/0/elements/0/type]"},
		{"a user in preformatted text", []any{obj{"type": "rich_text", "elements": []any{obj{"type": "rich_text_preformatted", "elements": []any{obj{"type": "user", "user_id": "U1"}}}}}}, "unsupported type: user [json-pointer:/blocks/0/elements/0/elements/0/type]"},
	} {
		fs := s.validateMessage(decoded(t, c.blocks), nil)
		if !slices.ContainsFunc(fs, func(f blockFault) bool { return f.String() == c.want }) {
			t.Errorf("%s: got %v, want %s", c.what, fs, c.want)
		}
	}
}

func TestShapesThatSlackAccepts(t *testing.T) {
	s := New(Options{})
	people := obj{"type": "multi_users_select", "action_id": "p", "max_selected_items": 5, "placeholder": plainText("Who"), "focus_on_load": true}
	for what, blocks := range map[string][]any{
		"mrkdwn options of radio buttons":  inSection(obj{"type": "radio_buttons", "options": []any{obj{"text": mrkdwn("*x*"), "value": "v"}}}),
		"an initial option":                inActions(selectOf(obj{"initial_option": choice(1)})),
		"the same action_id in two blocks": append(inActions(button(obj{"action_id": "a"})), inActions(button(obj{"action_id": "a"}))...),
		"an input in a message":            inInput(people),
		"every kind of select": inActions(
			obj{"type": "users_select", "initial_user": "U1"}, obj{"type": "channels_select", "response_url_enabled": true},
			obj{"type": "conversations_select", "default_to_current_conversation": true, "filter": obj{"exclude_bot_users": true}},
			obj{"type": "external_select", "min_query_length": 0}, obj{"type": "multi_static_select", "options": []any{choice(1)}},
		),
		"rich text": {obj{"type": "rich_text", "elements": []any{
			obj{"type": "rich_text_section", "elements": []any{
				obj{"type": "text", "text": "hi ", "style": obj{"bold": true}},
				obj{"type": "user", "user_id": "U1"},
				obj{"type": "emoji", "name": "tada"},
				obj{"type": "date", "timestamp": 1767603600, "format": "{date}"},
			}},
			obj{"type": "rich_text_list", "style": "bullet", "elements": []any{obj{"type": "rich_text_section", "elements": []any{obj{"type": "text", "text": "x"}}}}},
			obj{"type": "rich_text_quote", "elements": []any{obj{"type": "text", "text": "x"}}},
		}}},
		"a context of image and text": {obj{"type": "context", "elements": []any{
			obj{"type": "image", "image_url": "https://e.io/x.png", "alt_text": "x"}, mrkdwn("x"), plainText("y"),
		}}},
		"a task plan": {obj{"type": "plan", "title": "x", "tasks": []any{obj{"type": "task_card", "task_id": "1", "title": "t", "status": "pending"}}}},
	} {
		if fs := s.validateMessage(decoded(t, blocks), nil); len(fs) > 0 {
			t.Errorf("%s is refused: %v", what, fs)
		}
	}
}

func TestEachViewLimitIsAcceptedAtItAndRefusedPastIt(t *testing.T) {
	s := New(Options{})
	set := func(k string, v any) obj {
		o := modal(section("x"))
		o[k] = v
		return o
	}
	for _, c := range []struct {
		what  string
		limit int
		make  func(n int) obj
		at    string
	}{
		{"title", 24, func(n int) obj { return set("title", plainText(chars(n))) }, "/view/title/text"},
		{"submit", 24, func(n int) obj { return set("submit", plainText(chars(n))) }, "/view/submit/text"},
		{"close", 24, func(n int) obj { return set("close", plainText(chars(n))) }, "/view/close/text"},
		{"private_metadata", 3000, func(n int) obj { return set("private_metadata", chars(n)) }, "/view/private_metadata"},
		{"callback_id", 255, func(n int) obj { return set("callback_id", chars(n)) }, "/view/callback_id"},
		{"external_id", 255, func(n int) obj { return set("external_id", chars(n)) }, "/view/external_id"},
		{"blocks", 100, func(n int) obj { return set("blocks", times(n, func(int) any { return obj{"type": "divider"} })) }, "/view/blocks"},
		{"focused elements", 1, func(n int) obj {
			return set("blocks", times(n, func(int) any {
				return obj{"type": "input", "label": plainText("x"), "element": obj{"type": "plain_text_input", "focus_on_load": true}}
			}))
		}, "/view/blocks/1/element/focus_on_load"},
	} {
		if fs := s.validateView(view(t, c.make(c.limit)), "modal"); len(fs) > 0 {
			t.Errorf("%s: %d is refused: %v", c.what, c.limit, fs)
		}
		fs := s.validateView(view(t, c.make(c.limit+1)), "modal")
		if len(fs) != 1 || fs[0].at != c.at {
			t.Errorf("%s: %d is not refused at %s but %v", c.what, c.limit+1, c.at, fs)
		}
	}
}

func view(t *testing.T, o obj) obj {
	t.Helper()
	v, err := decodeJSON(encodeJSON(o))
	out, isObject := v.(map[string]any)
	if err != nil || !isObject {
		t.Fatalf("decoding a test view: %v", err)
	}
	return out
}

func TestViewsThatSlackRefuses(t *testing.T) {
	s := New(Options{})
	without := func(k string) obj {
		o := modal(textInput("b"))
		delete(o, k)
		return o
	}
	home := obj{"type": "home", "blocks": []any{section("x")}}
	for _, c := range []struct {
		what    string
		view    obj
		surface string
		want    string
	}{
		{"no title", without("title"), "modal", "missing required field: title [json-pointer:/view]"},
		{"an input without submit", without("submit"), "modal", "missing required field: submit [json-pointer:/view]"},
		{"no blocks", without("blocks"), "modal", "missing required field: blocks [json-pointer:/view]"},
		{"empty blocks", modal(), "modal", "no fewer than 1 items allowed [json-pointer:/view/blocks]"},
		{"a home as a modal", home, "modal", "must be a valid enum value [json-pointer:/view/type]"},
		{"a modal as a home", modal(section("x")), "home", "must be a valid enum value [json-pointer:/view/type]"},
		{"a home with a title", obj{"type": "home", "title": plainText("x"), "blocks": []any{section("x")}}, "home", "invalid additional property: title [json-pointer:/view]"},
		{"a markdown block", modal(obj{"type": "markdown", "text": "x"}), "modal", "unsupported type: markdown [json-pointer:/view/blocks/0/type]"},
		{"a table", modal(obj{"type": "table", "rows": []any{}}), "modal", "unsupported type: table [json-pointer:/view/blocks/0/type]"},
		{"a title in mrkdwn", obj{"type": "modal", "title": mrkdwn("x"), "blocks": []any{section("x")}}, "modal", "unsupported type: mrkdwn [json-pointer:/view/title/type]"},
	} {
		fs := s.validateView(view(t, c.view), c.surface)
		if !slices.ContainsFunc(fs, func(f blockFault) bool { return f.String() == c.want }) {
			t.Errorf("%s: got %v, want %s", c.what, fs, c.want)
		}
	}
	if fs := s.validateView(view(t, home), "home"); len(fs) > 0 {
		t.Errorf("a plain home tab is refused: %v", fs)
	}
}
