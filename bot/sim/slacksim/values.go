package slacksim

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"huiyin/bot/sim/backstage"
)

// Input is what a person put into one field: the text of a text field; the values of chosen options; ids of users,
// channels or conversations; a date as YYYY-MM-DD, a time as HH:mm, a moment as Unix seconds. Empty means untouched or
// cleared. In JSON a single string stands for a list of one.
type Input []string

// UnmarshalJSON takes null, a string or a list of strings.
func (in *Input) UnmarshalJSON(raw []byte) error {
	var one *string
	if err := json.Unmarshal(raw, &one); err == nil {
		*in = nil
		if one != nil {
			*in = Input{*one}
		}
		return nil
	}
	var many []string
	if err := json.Unmarshal(raw, &many); err != nil {
		return fmt.Errorf("reading a field's value: %w", err)
	}
	*in = many
	return nil
}

func (in Input) first() string {
	if len(in) == 0 {
		return ""
	}
	return in[0]
}

func cloneValues(v map[string]map[string]Input) map[string]map[string]Input {
	out := make(map[string]map[string]Input, len(v))
	for b, fields := range v {
		out[b] = maps.Clone(fields)
	}
	return out
}

// InputErrors is why Slack's own client does not let a form go: by block id, in English, before the bot hears of it.
type InputErrors = backstage.InputErrors

// field is one element that a person can use, with the block it stands in.
type field struct {
	block    string
	action   string
	kind     string
	el       map[string]any
	input    bool // in an input block
	optional bool
	dispatch bool
}

// fields lists the interactive elements of stored blocks, in order.
func fields(raw json.RawMessage) []field {
	v, err := decodeJSON(raw)
	if err != nil {
		return nil
	}
	list, _ := v.([]any)
	var out []field
	for _, b := range list {
		block, _ := b.(map[string]any)
		add := func(el any, f field) {
			f.el, _ = el.(map[string]any)
			f.block, _ = block["block_id"].(string)
			f.action, _ = f.el["action_id"].(string)
			f.kind, _ = f.el["type"].(string)
			if f.el != nil && f.kind != "image" {
				out = append(out, f)
			}
		}
		switch block["type"] {
		case "input":
			optional, _ := block["optional"].(bool)
			dispatch, _ := block["dispatch_action"].(bool)
			add(block["element"], field{input: true, optional: optional, dispatch: dispatch})
		case "section":
			add(block["accessory"], field{})
		case "actions", "context_actions":
			els, _ := block["elements"].([]any)
			for _, el := range els {
				add(el, field{})
			}
		}
	}
	return out
}

// stateless elements have no entry in state.values.
func (f field) stateless() bool {
	return slices.Contains([]string{"button", "overflow", "workflow_button", "feedback_buttons", "icon_button"}, f.kind)
}

// start is what stands in the field when it is first shown.
func (f field) start() Input {
	value := func(o any) Input {
		option, _ := o.(map[string]any)
		if v, isString := option["value"].(string); isString {
			return Input{v}
		}
		return nil
	}
	for _, k := range []string{
		"initial_value", "initial_user", "initial_channel", "initial_conversation", "initial_date", "initial_time", "initial_date_time",
	} {
		switch v := f.el[k].(type) {
		case string:
			return Input{v}
		case json.Number:
			return Input{v.String()}
		case map[string]any:
			return Input{string(encodeJSON(v))}
		}
	}
	if o := f.el["initial_option"]; o != nil {
		return value(o)
	}
	var out Input
	for _, k := range []string{"initial_options", "initial_users", "initial_channels", "initial_conversations"} {
		list, _ := f.el[k].([]any)
		for _, v := range list {
			if t, isString := v.(string); isString {
				out = append(out, t)
			} else {
				out = append(out, value(v)...)
			}
		}
	}
	return out
}

// options are the choices of an element, its groups included.
func (f field) options() []any {
	out, _ := f.el["options"].([]any)
	groups, _ := f.el["option_groups"].([]any)
	for _, g := range groups {
		group, _ := g.(map[string]any)
		in, _ := group["options"].([]any)
		out = append(slices.Clone(out), in...)
	}
	return out
}

func (f field) option(value string, suggested []any) any {
	for _, o := range append(slices.Clone(f.options()), suggested...) {
		if option, isObject := o.(map[string]any); isObject && option["value"] == value {
			return option
		}
	}
	return nil
}

// stateKeys is where each kind of element keeps its value in state.values and in actions, and whether it is a list.
func (f field) stateKey() (key string, list bool) {
	switch f.kind {
	case "static_select", "external_select", "radio_buttons", "overflow":
		return "selected_option", false
	case "multi_static_select", "multi_external_select", "checkboxes":
		return "selected_options", true
	case "users_select":
		return "selected_user", false
	case "multi_users_select":
		return "selected_users", true
	case "channels_select":
		return "selected_channel", false
	case "multi_channels_select":
		return "selected_channels", true
	case "conversations_select":
		return "selected_conversation", false
	case "multi_conversations_select":
		return "selected_conversations", true
	case "datepicker":
		return "selected_date", false
	case "timepicker":
		return "selected_time", false
	case "datetimepicker":
		return "selected_date_time", false
	case "rich_text_input":
		return "rich_text_value", false
	case "file_input":
		return "files", true
	}
	return "value", false
}

// state is the element's entry in state.values; an untouched one is there with null, or an empty list. s.mu is held.
func (s *Server) state(f field, in Input) map[string]any {
	key, list := f.stateKey()
	out := map[string]any{"type": f.kind, key: nil}
	if list {
		all := []any{}
		for _, v := range in {
			all = append(all, s.stateValue(f, v))
		}
		out[key] = all
		return out
	}
	if v := in.first(); v != "" {
		out[key] = s.stateValue(f, v)
	}
	return out
}

func (s *Server) stateValue(f field, v string) any {
	switch f.kind {
	case "static_select", "external_select", "radio_buttons", "multi_static_select", "multi_external_select", "checkboxes", "overflow":
		return f.option(v, s.world.suggests[f.action])
	case "datetimepicker":
		return json.Number(v)
	case "rich_text_input":
		if rich, err := decodeJSON([]byte(v)); err == nil {
			return rich
		}
		return map[string]any{"type": "rich_text", "elements": []any{map[string]any{
			"type": "rich_text_section", "elements": []any{map[string]any{"type": "text", "text": v}},
		}}}
	case "file_input":
		return map[string]any{"id": v}
	}
	return v
}

// values is the whole state of a message or view. s.mu is held.
func (s *Server) values(blocks json.RawMessage, held map[string]map[string]Input) map[string]any {
	out := map[string]any{}
	for _, f := range fields(blocks) {
		if f.stateless() {
			continue
		}
		if out[f.block] == nil {
			out[f.block] = map[string]any{}
		}
		if in, isMap := out[f.block].(map[string]any); isMap {
			in[f.action] = s.state(f, held[f.block][f.action])
		}
	}
	return out
}

// held keeps what a person entered where block_id and action_id are still the same kind of field, and starts the others.
func held(blocks json.RawMessage, before map[string]map[string]Input) map[string]map[string]Input {
	out := map[string]map[string]Input{}
	for _, f := range fields(blocks) {
		if f.stateless() {
			continue
		}
		if out[f.block] == nil {
			out[f.block] = map[string]Input{}
		}
		if v, kept := before[f.block][f.action]; kept {
			out[f.block][f.action] = v
		} else {
			out[f.block][f.action] = f.start()
		}
	}
	return out
}

var (
	datePattern = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)
	timePattern = regexp.MustCompile(`^([01]\d|2[0-3]):[0-5]\d$`)
)

// enter says what is wrong with a value for a field, as far as the widget itself would not take it. s.mu is held.
func (s *Server) enter(f field, in Input) error {
	_, list := f.stateKey()
	if !list && len(in) > 1 {
		return fmt.Errorf("%s %q holds one value, not %d", f.kind, f.action, len(in))
	}
	if n, limited := number(f.el["max_selected_items"]); limited && float64(len(in)) > n {
		return fmt.Errorf("%s %q takes at most %v choices", f.kind, f.action, n)
	}
	for _, v := range in {
		known := true
		switch key, _ := f.stateKey(); {
		case v == "":
		case strings.HasPrefix(key, "selected_option"):
			known = f.option(v, s.world.suggests[f.action]) != nil
		case strings.HasPrefix(key, "selected_user"):
			p := s.world.people[v]
			known = p != nil && !p.Deleted
		case strings.HasPrefix(key, "selected_channel"), strings.HasPrefix(key, "selected_conversation"):
			known = s.world.channels[v] != nil
		case key == "selected_date":
			_, err := time.Parse(time.DateOnly, v)
			known = err == nil
		case key == "selected_time":
			known = timePattern.MatchString(v)
		case key == "selected_date_time":
			_, err := strconv.ParseInt(v, 10, 64)
			known = err == nil && len(v) == 10
		}
		if !known {
			return fmt.Errorf("%s %q has no choice %q", f.kind, f.action, v)
		}
	}
	return nil
}

// refuse is what the client says about a field when a form is submitted; empty is fine.
func (f field) refuse(in Input) string {
	empty := len(in) == 0 || len(in) == 1 && strings.TrimSpace(in[0]) == ""
	if empty {
		if f.input && !f.optional {
			return "This field is required"
		}
		return ""
	}
	v := in.first()
	switch f.kind {
	case "plain_text_input":
		if n, limited := number(f.el["min_length"]); limited && float64(length(v)) < n {
			return fmt.Sprintf("At least %v characters are needed", n)
		}
		limit := 3000.0
		if n, limited := number(f.el["max_length"]); limited {
			limit = n
		}
		if float64(length(v)) > limit {
			return fmt.Sprintf("At most %v characters are allowed", limit)
		}
	case "number_input":
		return f.refuseNumber(v)
	case "email_text_input":
		if _, err := mail.ParseAddress(v); err != nil {
			return "This is not an email address"
		}
	case "url_text_input":
		if u, err := url.Parse(v); err != nil || u.Scheme == "" || u.Host == "" {
			return "This is not a URL"
		}
	}
	return ""
}

func (f field) refuseNumber(v string) string {
	n, err := strconv.ParseFloat(v, 64)
	decimal, _ := f.el["is_decimal_allowed"].(bool)
	if err != nil || !decimal && strings.ContainsAny(v, ".eE") {
		return "This is not a number of the right form"
	}
	if low, limited := number(f.el["min_value"]); limited && n < low {
		return fmt.Sprintf("At least %v", low)
	}
	if high, limited := number(f.el["max_value"]); limited && n > high {
		return fmt.Sprintf("At most %v", high)
	}
	return ""
}

// number reads a JSON number, or a string of one as number_input has it.
func number(v any) (float64, bool) {
	var text string
	switch t := v.(type) {
	case json.Number:
		text = t.String()
	case string:
		text = t
	default:
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil
}
