package chat

import (
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"
)

// elements draws the components of a container; at is where they stand in the card.
func (d *feishuDrawing) elements(all nodes, at string) template.HTML {
	var b strings.Builder
	for i, n := range all {
		b.WriteString(string(d.execute("feishu-element", d.element(n, at+"/"+strconv.Itoa(i)))))
	}
	return template.HTML(b.String())
}

// element reads one component.
// https://open.feishu.cn/document/uAjLw4CM/ukzMukzMukzM/feishu-cards/card-json-v2-components/component-json-v2-overview
func (d *feishuDrawing) element(n node, at string) feishuElement {
	e := feishuElement{words: d.say, Kind: n.str("tag"), Class: feishuClass(n)}
	switch e.Kind {
	case "hr":
	case "markdown":
		e.Text = d.markdown(d.words(n))
	case "div":
		e.Text = d.line(n.node("text"))
		e.Class += " " + textClass(n.node("text"))
		for _, f := range n.nodes("fields") {
			e.Fields = append(e.Fields, feishuField{Text: d.line(f.node("text")), Short: f.flag("is_short")})
		}
	case "img":
		e.Title, e.Pictures = d.line(n.node("title")), []picture{d.picture(n.str("img_key"), d.words(n.node("alt")))}
	case "img_combination":
		for _, i := range n.nodes("img_list") {
			e.Pictures = append(e.Pictures, d.picture(i.str("img_key"), ""))
		}
	case "person":
		e.People = append(e.People, d.personOf(n.str("user_id"), n))
	case "person_list":
		for _, p := range n.nodes("persons") {
			e.People = append(e.People, d.personOf(p.str("id"), n))
		}
	case "column_set":
		d.columns(&e, n, at)
	case "form":
		outer := d.form
		d.form = n.str("name")
		e.Inner = d.elements(n.nodes("elements"), at+"/elements")
		d.form = outer
	case "collapsible_panel":
		h := n.node("header")
		e.Title, e.Open, e.Inner = d.line(h.node("title")), n.flag("expanded"), d.elements(n.nodes("elements"), at+"/elements")
		e.Tone = tone(h.str("background_color"))
		if n.has("border") {
			e.Class += " bordered"
		}
	case "interactive_container":
		d.container(&e, n, at)
	case "table":
		d.table(&e, n)
	case "chart":
		e.Chart = chartOf(n.node("chart_spec"), d.say)
	case "button", "input", "overflow", "select_static", "multi_select_static", "select_person", "multi_select_person", "date_picker",
		"picker_time", "picker_datetime", "select_img", "checker":
		d.field(&e, n, at)
	default:
		e.Text, e.Kind = escaped(e.Kind), "unknown"
	}
	return e
}

// feishuClass is what a component says of its alignment and of the size of its text, as classes.
func feishuClass(n node) string {
	var out []string
	for k, values := range map[string][]string{
		"text_align": {"center", "right"}, "horizontal_align": {"center", "right"},
		"text_size": {"heading-0", "heading-1", "heading-2", "heading-3", "heading-4", "heading", "normal", "notation", "xxxx-large", "xxx-large", "xx-large", "x-large", "large", "medium", "small", "x-small"},
	} {
		if v := n.str(k); slices.Contains(values, v) {
			out = append(out, strings.ReplaceAll(k, "_", "-")+"-"+v)
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// textClass is the same for a text object, which may have a colour too.
func textClass(n node) string {
	c := feishuClass(n)
	if t := tone(n.str("text_color")); t != "" {
		c += " ink tone-" + t
	}
	return c
}

func (d *feishuDrawing) personOf(id string, n node) feishuPerson {
	who, known := d.people[id]
	if !known {
		who = person{id: id, name: id}
	}
	yes := func(k string) bool { return !n.has(k) || n.flag(k) }
	f := face{ID: who.id, Name: who.name, Initials: initials(who.name), Hue: hue(who.id), Bot: who.bot}
	return feishuPerson{face: f, Avatar: yes("show_avatar"), Named: yes("show_name") && n.str("tag") == "person_list" || n.flag("show_name")}
}

// columns stand beside each other as long as there is room: none keeps them so, the other modes let them go below each other.
func (d *feishuDrawing) columns(e *feishuElement, n node, at string) {
	mode := n.str("flex_mode")
	if !slices.Contains([]string{"stretch", "flow", "bisect", "trisect"}, mode) {
		mode = "none"
	}
	e.Class += " flex-" + mode
	if c := tone(n.str("background_style")); c != "" {
		e.Class += " filled"
		e.Tone = c
	}
	for i, c := range n.nodes("columns") {
		class := "auto"
		if c.str("width") == "weighted" {
			class = "weight-" + strconv.Itoa(min(max(c.num("weight"), 1), 5))
		}
		if v := c.str("vertical_align"); v == "center" || v == "bottom" {
			class += " " + v
		}
		if t := tone(c.str("background_style")); t != "" {
			class += " filled tone-" + t
		}
		if extra := feishuClass(c); extra != "" {
			class += " " + extra
		}
		if c.str("direction") == "horizontal" {
			class += " across"
		}
		e.Columns = append(e.Columns, feishuColumn{Class: class, Inner: d.elements(c.nodes("elements"), at+"/columns/"+strconv.Itoa(i)+"/elements")})
	}
}

// container is a part of a card that can be pressed as a whole.
func (d *feishuDrawing) container(e *feishuElement, n node, at string) {
	e.Inner = d.elements(n.nodes("elements"), at+"/elements")
	e.Aria = d.say.T("demo.control.open")
	if n.flag("has_border") {
		e.Class += " bordered"
	}
	calls, link := behaviours(n)
	if n.flag("disabled") {
		return
	}
	if calls || n.has("confirm") {
		e.Press = pressName(d.form, at)
	}
	e.URL = link
	if n.has("confirm") {
		e.Asks = &control{words: d.say, Kind: "button", Press: e.Press, Confirm: d.confirm(n.node("confirm"))}
	}
}

// behaviours are whether a control calls the bot, and where it leads.
func behaviours(n node) (calls bool, link string) {
	for _, b := range n.nodes("behaviors") {
		switch b.str("type") {
		case "callback":
			calls = true
		case "open_url":
			for _, k := range []string{"default_url", "pc_url"} {
				if u := b.str(k); link == "" && leads(u) {
					link = u
				}
			}
		}
	}
	return calls, link
}

// moment is a time in Unix milliseconds where the reader is, or what was written instead.
func (d *feishuDrawing) moment(millis, instead string) string {
	n, err := strconv.ParseInt(millis, 10, 64)
	if err != nil {
		return instead
	}
	t := time.UnixMilli(n).In(d.as.zone)
	return day(d.say, t) + " " + clock(t)
}
