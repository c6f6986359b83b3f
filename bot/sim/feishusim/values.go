package feishusim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"huiyin/bot/sim/backstage"
)

// Input is what a person put into one control: the text of an input; the values of chosen options; open_ids of persons; a
// date as 2006-01-02, a time as 15:04, both as 2006-01-02 15:04; true or false of a checker. Empty means untouched or
// cleared. In JSON a single string stands for a list of one.
type Input = backstage.Input

// InputErrors is why Feishu's own client does not let a form go: by name of the control, in English, before the bot hears
// of it.
type InputErrors = backstage.InputErrors

// control is one component that a person can use.
type control struct {
	at   string // JSON pointer into the card
	tag  string
	name string
	form string // name of the form around it
	el   map[string]any
}

// controlsOf lists the components of a card that people can use, in order.
func controlsOf(content string) []control {
	v, err := decodeJSON([]byte(content))
	card, _ := v.(map[string]any)
	if err != nil || card == nil {
		return nil
	}
	var out []control
	var walk func(at, form string, v any)
	walk = func(at, form string, v any) {
		switch t := v.(type) {
		case []any:
			for i, e := range t {
				walk(at+"/"+strconv.Itoa(i), form, e)
			}
		case map[string]any:
			tag, _ := t["tag"].(string)
			name, _ := t["name"].(string)
			if tag == "form" {
				form = name
			}
			if slices.Contains(interactive, tag) || tag == "interactive_container" {
				out = append(out, control{at: at, tag: tag, name: name, form: form, el: t})
			}
			for _, k := range []string{"elements", "columns", "button_area", "buttons"} {
				walk(at+"/"+k, form, t[k])
			}
		}
	}
	walk("/body", "", card["body"])
	return out
}

// label is what stands on a control.
func (c control) label() string {
	t, _ := c.el["text"].(map[string]any)
	s, _ := t["content"].(string)
	return s
}

// behaviors are the callback values and the link of a control.
func (c control) behaviors() (values []any, link string) {
	list, _ := c.el["behaviors"].([]any)
	for _, v := range list {
		b, _ := v.(map[string]any)
		switch b["type"] {
		case "callback":
			values = append(values, b["value"])
		case "open_url":
			for _, k := range []string{"default_url", "pc_url"} {
				if link == "" {
					link, _ = b[k].(string)
				}
			}
		}
	}
	return values, link
}

// optionValues are the values that a select offers; a select of persons without any valid one offers the chat's members.
func (s *Server) optionValues(c control, chat *Chat) []string {
	var out []string
	list, _ := c.el["options"].([]any)
	persons := strings.HasSuffix(c.tag, "select_person")
	for _, v := range list {
		o, _ := v.(map[string]any)
		value, _ := o["value"].(string)
		if p := s.world.anyone(value); persons && p == nil {
			continue
		}
		out = append(out, value)
	}
	if persons && len(out) == 0 {
		for _, m := range chat.Members {
			if m != s.opts.BotOpenID {
				out = append(out, m)
			}
		}
	}
	return out
}

// start is what stands in a control when it is first shown.
func (c control) start() Input {
	for _, k := range []string{"default_value", "initial_option", "initial_date", "initial_time", "initial_datetime"} {
		if v, _ := c.el[k].(string); v != "" {
			return Input{v}
		}
	}
	if c.el["checked"] == true {
		return Input{"true"}
	}
	if n, given := number(c.el["initial_index"]); given {
		list, _ := c.el["options"].([]any)
		if i := int(n) - 1; i >= 0 && i < len(list) {
			o, _ := list[i].(map[string]any)
			v, _ := o["value"].(string)
			return Input{v}
		}
	}
	var out Input
	list, _ := c.el["selected_values"].([]any)
	for _, v := range list {
		if t, isString := v.(string); isString {
			out = append(out, t)
		}
	}
	return out
}

func (c control) many() bool {
	return strings.HasPrefix(c.tag, "multi_") || c.tag == "select_img" && c.el["multi_select"] == true
}

// enter says what is wrong with a value, as far as the control itself would not take it. s.mu is held.
func (s *Server) enter(c control, in Input, chat *Chat) error {
	if !c.many() && len(in) > 1 {
		return fmt.Errorf("%s %q holds one value, not %d", c.tag, c.name, len(in))
	}
	layout := map[string]string{"date_picker": "2006-01-02", "picker_time": "15:04", "picker_datetime": "2006-01-02 15:04"}[c.tag]
	for _, v := range in {
		known := true
		switch {
		case v == "":
		case layout != "":
			_, err := time.Parse(layout, v)
			known = err == nil
		case c.tag == "checker":
			known = v == "true" || v == "false"
		case strings.Contains(c.tag, "select") || c.tag == "overflow":
			known = slices.Contains(s.optionValues(c, chat), v)
		case c.tag == "button" || c.tag == "interactive_container":
			known = false
		}
		if !known {
			return fmt.Errorf("%s %q has no choice %q", c.tag, c.name, v)
		}
	}
	return nil
}

// refuse is what the client says about a control when its form is submitted; empty is fine.
func (c control) refuse(in Input) string {
	if len(in) == 0 || len(in) == 1 && strings.TrimSpace(in[0]) == "" {
		if c.el["required"] == true {
			return "This field is required"
		}
		return ""
	}
	limit := float64(inputLength)
	if n, given := number(c.el["max_length"]); given {
		limit = n
	}
	if c.tag == "input" && float64(length(in.First())) > limit {
		return fmt.Sprintf("At most %v characters are allowed", limit)
	}
	return ""
}

// formValue is what a submitted control sends, and whether it sends anything.
func (c control) formValue(in Input) (any, bool) {
	v := in.First()
	switch {
	case c.tag == "button" || c.tag == "interactive_container" || c.tag == "overflow":
		return nil, false
	case c.tag == "input":
		return v, true
	case c.tag == "checker":
		return v == "true", true
	case c.many():
		return append([]string{}, in...), true
	case v == "":
		return nil, false
	case strings.HasPrefix(c.tag, "picker_") || c.tag == "date_picker":
		return v + " +0800", true
	}
	return v, true
}

// number reads a JSON number.
func number(v any) (float64, bool) {
	n, isNumber := v.(json.Number)
	f, err := strconv.ParseFloat(n.String(), 64)
	return f, isNumber && err == nil
}
