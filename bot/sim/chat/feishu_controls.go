package chat

import (
	"cmp"
	"slices"
	"strings"

	"huiyin/bot/sim/feishusim"
)

// field draws a control with its label and a place for what is wrong with it.
func (d *feishuDrawing) field(e *feishuElement, n node, at string) {
	c := d.control(n, at)
	switch n.str("tag") {
	case "button":
		e.Kind, e.Control = "control", &c
		return
	case "overflow":
		e.Kind, e.Control = "control", &c
		return
	}
	e.Kind, e.Label, e.Required, e.Left = "field", d.line(n.node("label")), n.flag("required"), n.str("label_position") == "left"
	e.For, e.LabelID, e.ErrorID = c.ID, d.id("label"), d.id("error")
	c.Described = e.ErrorID
	e.Grouped = c.Kind == "checks" || c.Kind == "picker"
	if e.Label != "" {
		c.Aria = ""
		if e.Grouped {
			c.LabelledBy = e.LabelID
		}
	}
	e.Control = &c
}

// control reads one interactive component. Its name as a field is that within its form, else its place in the card.
// https://open.feishu.cn/document/uAjLw4CM/ukzMukzMukzM/feishu-cards/card-json-v2-components/interactive-components/button
func (d *feishuDrawing) control(n node, at string) control {
	tag, name := n.str("tag"), at
	if d.form != "" {
		name = n.str("name")
	}
	calls, link := behaviours(n)
	c := control{
		words: d.say, ID: d.id("c"), Name: fieldName(d.form, name), Press: pressName(d.form, at), Live: d.form == "" && calls,
		Placeholder: d.words(n.node("placeholder")), Disabled: n.flag("disabled"), Confirm: d.confirm(n.node("confirm")), Max: n.num("max_length"),
	}
	c.Aria = cmp.Or(c.Placeholder, d.say.T("demo.control.choose"))
	held := startOf(n)
	if len(held) > 0 {
		c.Value = held[0]
	}
	switch tag {
	case "button":
		c.Kind, c.Label, c.Aria, c.URL, c.Style = "button", d.line(n.node("text")), "", link, buttonStyle(n)
		submits := n.str("form_action_type") == "submit"
		c.Resets = n.str("form_action_type") == "reset"
		if !calls && !submits {
			c.Press = "" // nobody is told
		}
	case "overflow":
		c.Kind, c.Aria = "menu", d.say.T("demo.control.more")
		for _, o := range n.nodes("options") {
			item := choice{Value: o.str("value"), Text: d.line(o.node("text")), Press: pressName(d.form, at, o.str("value"))}
			if u := o.node("multi_url").str("url"); leads(u) {
				item.URL = u
			}
			c.Choices = append(c.Choices, item)
		}
	case "input":
		c.Kind, c.Type = "field", "text"
		switch n.str("input_type") {
		case "multiline_text":
			c.Kind = "area"
		case "password":
			c.Type = "password"
		}
		c.Max = cmp.Or(c.Max, 1000)
	case "select_static":
		c.Kind, c.Choices = "select", d.options(n, held)
	case "multi_select_static":
		c.Kind, c.Multiple, c.Choices = "picker", true, d.options(n, held)
		c.summarise()
	case "select_person", "multi_select_person":
		c.Kind, c.Searched, c.Multiple = "picker", true, tag == "multi_select_person"
		d.persons(&c, n, held, "")
	case "date_picker":
		c.Kind, c.Type = "field", "date"
	case "picker_time":
		c.Kind, c.Type = "field", "time"
	case "picker_datetime":
		c.Kind, c.Type, c.Name, c.Value = "field", "datetime-local", "d"+c.Name[1:], strings.Replace(c.Value, " ", "T", 1)
	case "checker":
		c.Kind, c.Multiple, c.Choices = "checks", true, []choice{{Value: "true", Text: d.line(n.node("text")), Chosen: n.flag("checked")}}
	case "select_img":
		c.Kind, c.Multiple = "checks", n.flag("multi_select")
		for _, o := range n.nodes("options") {
			p := d.execute("picture", d.picture(o.str("img_key"), o.str("value")))
			c.Choices = append(c.Choices, choice{Value: o.str("value"), Label: o.str("value"), Text: p})
		}
	}
	return c
}

// buttonStyle is the class for a type of button.
func buttonStyle(n node) string {
	styles := map[string]string{
		"primary": "primary", "primary_filled": "primary", "laser": "primary laser", "danger": "danger", "danger_filled": "danger full", "text": "bare",
		"primary_text": "bare accent", "danger_text": "bare danger",
	}
	out := styles[n.str("type")]
	if size := n.str("size"); size == "tiny" || size == "small" {
		out += " small"
	}
	if n.str("width") == "fill" {
		out += " wide"
	}
	return strings.TrimSpace(out)
}

// startOf is what stands in a control when it is first shown.
func startOf(n node) feishusim.Input {
	for _, k := range []string{"default_value", "initial_option", "initial_date", "initial_time", "initial_datetime"} {
		if v := n.str(k); v != "" {
			return feishusim.Input{v}
		}
	}
	if i := n.num("initial_index"); i > 0 && i <= len(n.nodes("options")) {
		return feishusim.Input{n.nodes("options")[i-1].str("value")}
	}
	var out feishusim.Input
	list, _ := n["selected_values"].([]any)
	for _, v := range list {
		if id, ok := v.(string); ok {
			out = append(out, id)
		}
	}
	return out
}

func (d *feishuDrawing) options(n node, held feishusim.Input) []choice {
	var out []choice
	for _, o := range n.nodes("options") {
		label := d.words(o.node("text"))
		out = append(out, choice{Value: o.str("value"), Label: label, Text: d.line(o.node("text")), Chosen: slices.Contains(held, o.str("value"))})
	}
	return out
}

// persons lists whom a select of persons offers for what was typed, who is chosen first: its options as far as they are people, else
// the members of the conversation.
func (d *feishuDrawing) persons(c *control, n node, held feishusim.Input, typed string) {
	var ids []string
	for _, o := range n.nodes("options") {
		if _, known := d.people[o.str("value")]; known {
			ids = append(ids, o.str("value"))
		}
	}
	if len(ids) == 0 {
		_, bot := d.s.sim.Bot()
		for _, chat := range d.s.sim.Chats(d.as.user) {
			if chat.ID == d.message.Chat {
				ids = slices.DeleteFunc(chat.Members, func(id string) bool { return id == bot })
			}
		}
	}
	c.Choices = nil
	var others []choice
	for _, id := range ids {
		p := d.people[id]
		o := choice{Value: id, Label: p.name, Text: escaped(p.name), Note: escaped(strings.Trim(p.department+" · "+p.title, " ·"))}
		switch {
		case slices.Contains(held, id):
			o.Chosen = true
			c.Choices = append(c.Choices, o)
		case d.s.meant(p, typed):
			others = append(others, o)
		}
	}
	c.summarise()
	c.Choices = append(c.Choices, others[:min(len(others), choicesShown)]...)
}

func (d *feishuDrawing) confirm(n node) *confirmation {
	if n == nil {
		return nil
	}
	return &confirmation{
		ID: d.id("confirm"), Title: d.words(n.node("title")), Text: lines(d.words(n.node("text"))), Yes: d.say.T("demo.confirm.yes"),
		No: d.say.T("demo.confirm.no"),
	}
}
