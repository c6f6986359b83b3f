package chat

import (
	"slices"
	"strings"

	"huiyin/bot/sim/slacksim"
)

// controls are what one element of an actions block becomes; a pair of feedback buttons becomes two.
func (d *drawing) controls(el node, blockID string) []control {
	if el.str("type") != "feedback_buttons" {
		return []control{d.control(el, blockID)}
	}
	var out []control
	for _, k := range []string{"positive_button", "negative_button"} {
		b := node{"type": "button", "action_id": el.str("action_id")}
		for key, v := range el.node(k) {
			b[key] = v
		}
		out = append(out, d.control(b, blockID))
	}
	return out
}

// control reads one element. https://docs.slack.dev/reference/block-kit/block-elements
func (d *drawing) control(el node, blockID string) control {
	kind, action := el.str("type"), el.str("action_id")
	c := control{
		words: d.say, ID: d.id("c"), Name: fieldName(blockID, action), Press: pressName(blockID, action), Live: true,
		Placeholder: el.node("placeholder").str("text"), Style: el.str("style"), Focus: el.flag("focus_on_load"),
		Confirm: d.confirm(el.node("confirm")),
	}
	c.Aria = c.Placeholder
	held, known := d.held[blockID][action]
	if !known {
		held = initial(el)
	}
	if len(held) > 0 {
		c.Value = held[0]
	}
	switch kind {
	case "button", "icon_button", "workflow_button":
		c.Kind, c.Label, c.URL, c.Aria = "button", d.text(el.node("text")), el.str("url"), el.str("accessibility_label")
	case "overflow":
		c.Kind, c.Aria = "menu", d.say.T("demo.control.more")
		for _, o := range el.nodes("options") {
			item := d.choice(o, nil)
			item.URL, item.Press = o.str("url"), pressName(blockID, action, o.str("value"))
			c.Choices = append(c.Choices, item)
		}
	case "static_select":
		d.static(&c, el, held)
	case "multi_static_select":
		c.Kind, c.Multiple = "picker", true
		d.offer(&c, el, held)
	case "external_select", "multi_external_select", "users_select", "multi_users_select", "channels_select", "multi_channels_select",
		"conversations_select", "multi_conversations_select":
		c.Kind, c.Searched, c.Multiple = "picker", true, strings.HasPrefix(kind, "multi_")
		d.search(&c, el, "")
	case "checkboxes", "radio_buttons":
		c.Kind, c.Multiple = "checks", kind == "checkboxes"
		d.offer(&c, el, held)
	case "datepicker":
		c.Kind, c.Type = "field", "date"
	case "timepicker":
		c.Kind, c.Type = "field", "time"
	case "datetimepicker":
		c.Kind, c.Type, c.Name, c.Value = "field", "datetime-local", "t"+c.Name[1:], toLocal(c.Value, d.as.zone)
	case "plain_text_input":
		c.Kind, c.Type = "field", "text"
		if el.flag("multiline") {
			c.Kind = "area"
		}
	case "rich_text_input":
		c.Kind = "area"
	case "number_input":
		c.Kind, c.Type, c.Mode = "field", "text", "decimal"
	case "email_text_input":
		c.Kind, c.Type = "field", "email"
	case "url_text_input":
		c.Kind, c.Type = "field", "url"
	case "file_input":
		c.Kind = "nofile"
	default:
		c.Kind, c.Label = "unknown", escaped(kind)
	}
	if c.Kind == "picker" {
		c.Aria = "" // it says what is chosen
	} else if c.Aria == "" && (c.Kind == "field" || c.Kind == "area" || c.Kind == "select") {
		c.Aria = d.say.T("demo.control.choose")
	}
	return c
}

// initial is what stands in an element when it is first shown.
func initial(el node) slacksim.Input {
	for _, k := range []string{
		"initial_value", "initial_user", "initial_channel", "initial_conversation", "initial_date", "initial_time", "initial_date_time",
	} {
		if v := el.str(k); v != "" {
			return slacksim.Input{v}
		}
	}
	if o := el.node("initial_option"); o != nil {
		return slacksim.Input{o.str("value")}
	}
	var out slacksim.Input
	for _, o := range el.nodes("initial_options") {
		out = append(out, o.str("value"))
	}
	for _, k := range []string{"initial_users", "initial_channels", "initial_conversations"} {
		list, _ := el[k].([]any)
		for _, v := range list {
			if id, ok := v.(string); ok {
				out = append(out, id)
			}
		}
	}
	return out
}

func (d *drawing) confirm(n node) *confirmation {
	if n == nil {
		return nil
	}
	return &confirmation{
		ID: d.id("confirm"), Title: n.node("title").str("text"), Text: d.text(n.node("text")), Style: n.str("style"),
		Yes: n.node("confirm").str("text"), No: n.node("deny").str("text"),
	}
}

func (d *drawing) choice(o node, held slacksim.Input) choice {
	text := o.node("text")
	label := shortcodes(text.str("text"))
	return choice{
		Value: o.str("value"), Label: label, Text: d.text(text), Note: d.text(o.node("description")),
		Chosen: slices.Contains(held, o.str("value")),
	}
}

// static is a short list to choose one from; the browser's own control does that best.
func (d *drawing) static(c *control, el node, held slacksim.Input) {
	c.Kind = "select"
	for _, o := range el.nodes("options") {
		c.Choices = append(c.Choices, d.choice(o, held))
	}
	for _, g := range el.nodes("option_groups") {
		out := group{Label: g.node("label").str("text")}
		for _, o := range g.nodes("options") {
			out.Choices = append(out.Choices, d.choice(o, held))
		}
		c.Groups = append(c.Groups, out)
	}
}

// offer lists the options of an element, groups without their headings.
func (d *drawing) offer(c *control, el node, held slacksim.Input) {
	options := el.nodes("options")
	for _, g := range el.nodes("option_groups") {
		options = append(options, g.nodes("options")...)
	}
	for _, o := range options {
		c.Choices = append(c.Choices, d.choice(o, held))
	}
	c.summarise()
}

// search lists what a searched select offers for what was typed: what is chosen first, then what matches.
func (d *drawing) search(c *control, el node, typed string) {
	parts, _ := pressed(c.Press)
	held, known := d.held[parts.Block][parts.Action]
	if !known {
		held = initial(el)
	}
	var all []choice
	switch strings.TrimPrefix(el.str("type"), "multi_") {
	case "users_select":
		for _, p := range d.members() {
			if d.s.meant(p, typed) || slices.Contains(held, p.id) {
				all = append(all, choice{
					Value: p.id, Label: p.name, Text: escaped(p.name), Note: escaped(strings.TrimSpace("@" + p.handle + "  " + p.title)),
				})
			}
		}
		typed = "" // searched
	case "channels_select", "conversations_select":
		for _, pl := range d.s.places(d.as.user) {
			if pl.kind != placeBot || strings.Contains(el.str("type"), "conversations") {
				all = append(all, choice{Value: pl.id, Label: pl.name, Text: escaped(pl.name)})
			}
		}
	default:
		typed = "" // the bot has searched
		for _, o := range append(el.nodes("options"), held2options(el, held)...) {
			all = append(all, d.choice(o, nil))
		}
	}
	c.Choices = nil
	var others []choice
	for _, o := range all {
		switch {
		case slices.Contains(held, o.Value):
			o.Chosen = true
			if !slices.ContainsFunc(c.Choices, func(have choice) bool { return have.Value == o.Value }) {
				c.Choices = append(c.Choices, o)
			}
		case meant(typed, o.Label, string(o.Note)):
			others = append(others, o)
		}
	}
	c.summarise()
	c.Choices = append(c.Choices, others[:min(len(others), choicesShown)]...)
}

// held2options are the element's initial options as far as they are still chosen, which an external select shows before a search.
func held2options(el node, held slacksim.Input) nodes {
	var out nodes
	for _, o := range append(nodes{el.node("initial_option")}, el.nodes("initial_options")...) {
		if o != nil && slices.Contains(held, o.str("value")) {
			out = append(out, o)
		}
	}
	return out
}

// members are the people whom one can choose, by name.
func (d *drawing) members() []person {
	var out []person
	for _, p := range d.people {
		if !p.bot {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b person) int { return strings.Compare(a.name+a.id, b.name+b.id) })
	return out
}

// elementAt finds an element of blocks.
func elementAt(raw []byte, blockID, action string) (node, bool) {
	for _, b := range nodesOf(raw) {
		for _, el := range append(append(nodes{b.node("element"), b.node("accessory")}, b.nodes("elements")...), nil) {
			if el != nil && b.str("block_id") == blockID && el.str("action_id") == action {
				return el, true
			}
		}
	}
	return nil, false
}
