package chat

import (
	"html/template"
	"slices"
	"strings"

	"huiyin/bot/sim/dingtalksim"
)

// card draws an interactive card as its template makes it, one component below the other.
// https://open.dingtalk.com/document/development/overview-card
func (d *dingtalkDrawing) card() template.HTML {
	view, ok := d.s.sim.Card(d.message.Card, d.as.user)
	if !ok {
		return d.execute("dingtalk-part", dingtalkPart{words: d.say, Kind: "unknown", Text: escaped(d.message.Card)})
	}
	var b strings.Builder
	var row []control
	flush := func() {
		if len(row) > 0 {
			b.WriteString(string(d.execute("dingtalk-part", dingtalkPart{words: d.say, Kind: "buttons", Buttons: row})))
			row = nil
		}
	}
	title := ""
	for i, p := range view.Parts {
		if i == 0 && p.Kind == dingtalksim.TextComponent {
			title = p.Text
			continue
		}
		if p.Kind == dingtalksim.ButtonComponent {
			row = append(row, d.button(p))
			continue
		}
		flush()
		b.WriteString(string(d.execute("dingtalk-part", d.part(p))))
	}
	flush()
	return d.execute("dingtalk-part", dingtalkPart{words: d.say, Kind: "card", Title: title, Inner: template.HTML(b.String())})
}

// part is one component that is no button.
func (d *dingtalkDrawing) part(p dingtalksim.Part) dingtalkPart {
	out := dingtalkPart{words: d.say, Kind: p.Kind}
	switch p.Kind {
	case dingtalksim.TextComponent:
		out.Text = lines(p.Text)
	case dingtalksim.MarkdownComponent:
		out.Text = d.markdown(p.Text)
	case dingtalksim.ImageComponent:
		out.Kind, out.Picture = "picture", d.picture(p.Text, "")
	case dingtalksim.DividerComponent:
	case dingtalksim.FormComponent:
		for _, f := range p.Fields {
			if !f.Hidden {
				out.Fields = append(out.Fields, d.field(p.ID, f))
			}
		}
		submit := d.button(p)
		submit.Style = "primary"
		out.Submit = &submit
	default:
		out.Kind, out.Text = "unknown", escaped(p.Kind)
	}
	return out
}

// button asks the bot, or opens a page. A template gives it one of a few styles.
func (d *dingtalkDrawing) button(p dingtalksim.Part) control {
	c := control{
		words: d.say, Kind: "button", ID: d.id("c"), Label: escaped(p.Text), Press: pressName(pressPart, p.ID, p.Text), Disabled: p.Disabled, Beside: true,
	}
	switch p.Style {
	case "primary", "blue":
		c.Style = "primary"
	case "danger", "red", "warning":
		c.Style = "danger"
	}
	if p.Link != "" {
		page, text := opened(p.Link)
		c.URL = page
		c.Disabled = c.Disabled || page == "" && text == ""
	}
	return c
}

// field is one field of a form. Its group is the form's id.
// https://open.dingtalk.com/document/development/form-variables
func (d *dingtalkDrawing) field(form string, f dingtalksim.Field) dingtalkField {
	held := f.Start()
	c := control{
		words: d.say, ID: d.id("c"), Name: fieldName(form, f.Name), Kind: "field", Type: "text", Placeholder: f.Placeholder, Value: strings.Join(held, "\n"),
	}
	out := dingtalkField{words: d.say, Label: f.Label, LabelID: d.id("label"), ErrorID: d.id("error"), Required: f.Required, Fixed: f.ReadOnly}
	c.Described = out.ErrorID
	for _, o := range f.Options {
		c.Choices = append(c.Choices, choice{Value: o.Value, Label: o.Text, Text: escaped(o.Text), Chosen: slices.Contains(held, o.Value)})
	}
	switch f.Type {
	case dingtalksim.FieldTextArea, dingtalksim.FieldTextArray:
		c.Kind = "area"
	case dingtalksim.FieldNumber:
		c.Mode = "decimal"
	case dingtalksim.FieldSelect:
		c.Kind = "select"
	case dingtalksim.FieldMultiSelect:
		c.Kind, c.Multiple = "picker", true
	case dingtalksim.FieldRadio:
		c.Kind = "checks"
	case dingtalksim.FieldMultiOptions:
		c.Kind, c.Multiple = "checks", true
	case dingtalksim.FieldDate:
		c.Type = "date"
	case dingtalksim.FieldTime:
		c.Type = "time"
	case dingtalksim.FieldDateTime:
		c.Type, c.Name, c.Value = "datetime-local", "d"+c.Name[1:], strings.Replace(c.Value, " ", "T", 1)
	case dingtalksim.FieldCheckbox, dingtalksim.FieldSwitch:
		c.Kind, c.Multiple = "checks", true
		c.Choices = []choice{{Value: "true", Label: f.Label, Text: escaped(f.Label), Chosen: slices.Contains(held, "true")}}
		out.Label = ""
	}
	if len(f.Options) > 0 {
		c.summarise()
	}
	out.Value = c.Value
	if c.Summary != "" {
		out.Value = c.Summary
	}
	out.Grouped = c.Kind == "checks" || c.Kind == "picker"
	if out.Grouped && out.Label != "" {
		c.LabelledBy = out.LabelID
	}
	out.Control = c
	return out
}
