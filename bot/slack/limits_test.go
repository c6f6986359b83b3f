package slack

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf16"
)

// The rules of Slack's Block Kit, written from https://docs.slack.dev/reference/block-kit on the JSON that is sent and not from the
// renderer.

func checkMessage(t *testing.T, m Message) []string {
	t.Helper()
	var sent map[string]any
	if err := json.Unmarshal(marshal(t, m), &sent); err != nil {
		t.Fatal(err)
	}
	c := &checker{}
	if text, _ := sent["text"].(string); strings.TrimSpace(text) == "" || length16(text) > 4000 {
		c.say("the text beside the blocks has %d characters", length16(text))
	}
	c.blocks(sent["blocks"], 50)
	if c.sum > 9500 {
		c.say("all texts together have %d characters", c.sum)
	}
	return c.problems
}

func checkView(t *testing.T, v any) []string {
	t.Helper()
	raw := marshal(t, v)
	var sent map[string]any
	if err := json.Unmarshal(raw, &sent); err != nil {
		t.Fatal(err)
	}
	c := &checker{}
	if len(raw) > 250_000 {
		c.say("the view has %d bytes", len(raw))
	}
	blocks, _ := sent["blocks"].([]any)
	if len(blocks) == 0 {
		c.say("the view has no blocks")
	}
	c.blocks(sent["blocks"], 100)
	if sent["type"] == "home" {
		if sent["title"] != nil || sent["submit"] != nil || sent["close"] != nil {
			c.say("a home page has a title or buttons of a modal")
		}
		return c.problems
	}
	c.plain(sent["title"], 24, "title")
	if c.inputs > 0 {
		c.plain(sent["submit"], 24, "submit")
	}
	if s, _ := sent["private_metadata"].(string); length16(s) > 3000 {
		c.say("private_metadata has %d characters", length16(s))
	}
	if s, _ := sent["callback_id"].(string); length16(s) > 255 {
		c.say("callback_id has %d characters", length16(s))
	}
	return c.problems
}

type checker struct {
	problems []string
	sum      int
	inputs   int
}

func (c *checker) say(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

func length16(s string) int { return len(utf16.Encode([]rune(s))) }

func (c *checker) blocks(v any, most int) {
	list, _ := v.([]any)
	if len(list) > most {
		c.say("%d blocks", len(list))
	}
	ids := map[string]bool{}
	for i, e := range list {
		b, _ := e.(map[string]any)
		where := fmt.Sprintf("block %d (%v)", i, b["type"])
		if id, ok := b["block_id"].(string); ok {
			if ids[id] || len(id) > 255 {
				c.say("%s: the id %q is too long or there twice", where, id)
			}
			ids[id] = true
		}
		switch b["type"] {
		case "header":
			c.plain(b["text"], 150, where)
		case "section":
			fields, _ := b["fields"].([]any)
			if (b["text"] == nil) == (len(fields) == 0) {
				c.say("%s: one of text and fields must be there", where)
			}
			if b["text"] != nil {
				c.text(b["text"], 3000, where)
			}
			if len(fields) > 10 {
				c.say("%s: %d fields", where, len(fields))
			}
			for _, f := range fields {
				c.text(f, 2000, where)
			}
			if b["accessory"] != nil {
				c.elements([]any{b["accessory"]}, where)
			}
		case "context":
			list, _ := b["elements"].([]any)
			if len(list) < 1 || len(list) > 10 {
				c.say("%s: %d elements", where, len(list))
			}
			for _, t := range list {
				c.text(t, 3000, where)
			}
		case "divider":
		case "actions":
			list, _ := b["elements"].([]any)
			if len(list) < 1 || len(list) > 25 {
				c.say("%s: %d elements", where, len(list))
			}
			c.elements(list, where)
		case "input":
			c.inputs++
			c.plain(b["label"], 2000, where)
			if b["hint"] != nil {
				c.plain(b["hint"], 2000, where)
			}
			c.elements([]any{b["element"]}, where)
		default:
			c.say("%s: unknown", where)
		}
	}
}

func (c *checker) plain(v any, most int, where string) {
	if o, _ := v.(map[string]any); o["type"] != "plain_text" {
		c.say("%s: want plain_text, got %v", where, v)
	}
	c.text(v, most, where)
}

func (c *checker) text(v any, most int, where string) {
	o, _ := v.(map[string]any)
	text, _ := o["text"].(string)
	size := length16(text)
	c.sum += size
	switch {
	case strings.TrimSpace(strings.NewReplacer("\u200b", "", "\u00ad", "").Replace(text)) == "":
		c.say("%s: a blank text", where)
	case size > most:
		c.say("%s: a text of %d characters, at most %d: %.40q", where, size, most, text)
	case strings.ContainsAny(text, "\x00\x07\r\u202e\u202a\u2066\u2028"):
		c.say("%s: a text with control characters: %.60q", where, text)
	}
	if o["type"] == "mrkdwn" && o["emoji"] != nil || o["type"] == "plain_text" && o["verbatim"] != nil {
		c.say("%s: a property of the other kind of text", where)
	}
}

func (c *checker) elements(list []any, where string) {
	ids := map[string]bool{}
	for _, v := range list {
		e, _ := v.(map[string]any)
		id, _ := e["action_id"].(string)
		if id == "" || length16(id) > 255 || ids[id] {
			c.say("%s: the action id %q is missing, too long or there twice", where, id)
		}
		ids[id] = true
		if p := e["placeholder"]; p != nil {
			c.plain(p, 150, where)
		}
		options := c.options(e, where)
		for _, o := range append(list1(e["initial_options"]), list1(e["initial_option"])...) {
			if !options[fmt.Sprint(o)] {
				c.say("%s: an initial option that is not among the options: %v", where, o)
			}
		}
		switch e["type"] {
		case "button":
			c.plain(e["text"], 75, where)
			if s, _ := e["value"].(string); length16(s) > 2000 {
				c.say("%s: a value of %d characters", where, length16(s))
			}
			if s, _ := e["url"].(string); length16(s) > 3000 {
				c.say("%s: an address of %d characters", where, length16(s))
			}
			if q, ok := e["confirm"].(map[string]any); ok {
				c.plain(q["title"], 100, where)
				c.plain(q["text"], 300, where)
				c.plain(q["confirm"], 30, where)
				c.plain(q["deny"], 30, where)
			}
			if s := e["style"]; s != nil && s != "primary" && s != "danger" {
				c.say("%s: style %v", where, s)
			}
		case "plain_text_input":
			least, most := number(e["min_length"], 0), number(e["max_length"], 3000)
			value, _ := e["initial_value"].(string)
			if most < 1 || most > 3000 || least > most || length16(value) > most {
				c.say("%s: lengths %d to %d with %d characters in it", where, least, most, length16(value))
			}
		case "checkboxes", "radio_buttons":
			if len(options) < 1 || len(options) > 10 {
				c.say("%s: %d boxes", where, len(options))
			}
		case "users_select", "multi_users_select":
			for _, u := range append(list1(e["initial_users"]), list1(e["initial_user"])...) {
				if !regexp.MustCompile(`^[UW][A-Z0-9]+$`).MatchString(fmt.Sprint(u)) {
					c.say("%s: %v is no account", where, u)
				}
			}
			if n := number(e["max_selected_items"], 1); n < 1 {
				c.say("%s: at most %d people", where, n)
			}
		case "static_select", "multi_static_select":
			if (e["options"] == nil) == (e["option_groups"] == nil) {
				c.say("%s: one of options and groups must be there", where)
			}
		case "datepicker":
			if d := e["initial_date"]; d != nil && !regexp.MustCompile(`^\d{4}-\d\d-\d\d$`).MatchString(fmt.Sprint(d)) {
				c.say("%s: date %v", where, d)
			}
		default:
			c.say("%s: unknown element %v", where, e["type"])
		}
	}
}

// options checks the options of an element and gives them by what they are.
func (c *checker) options(e map[string]any, where string) map[string]bool {
	all := map[string]bool{}
	add := func(v any, most int) {
		list, _ := v.([]any)
		if len(list) > most {
			c.say("%s: %d options in one list", where, len(list))
		}
		for _, o := range list {
			m, _ := o.(map[string]any)
			c.plain(m["text"], 75, where)
			if s, _ := m["value"].(string); s == "" || length16(s) > 75 {
				c.say("%s: an option's value has %d characters", where, length16(s))
			}
			all[fmt.Sprint(o)] = true
		}
	}
	add(e["options"], 100)
	groups, _ := e["option_groups"].([]any)
	if len(groups) > 100 {
		c.say("%s: %d groups", where, len(groups))
	}
	for _, g := range groups {
		m, _ := g.(map[string]any)
		c.plain(m["label"], 75, where)
		add(m["options"], 100)
	}
	return all
}

func list1(v any) []any {
	if v == nil {
		return nil
	}
	if list, ok := v.([]any); ok {
		return list
	}
	return []any{v}
}

func number(v any, otherwise int) int {
	if f, ok := v.(float64); ok {
		return int(f)
	}
	return otherwise
}
