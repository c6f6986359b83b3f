package dingtalksim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"huiyin/bot/sim/backstage"
)

// The types of a template's variables. All values travel as strings; those of the last three are JSON.
// https://open.dingtalk.com/document/development/instructions-for-filling-in-api-card-data
const (
	TypeString   = "string"
	TypeMarkdown = "markdown"
	TypeBool     = "bool"
	TypeNumber   = "number"
	TypeList     = "list"   // of objects
	TypeForm     = "form"   // {fields: […]}
	TypeObject   = "object" // of any shape
)

// The kinds of a template's components.
const (
	TextComponent     = "text"     // plain
	MarkdownComponent = "markdown" // links and images work
	ImageComponent    = "image"    // Text is a media_id or an address
	ButtonComponent   = "button"
	FormComponent     = "form" // fields from a variable, and a button
	DividerComponent  = "divider"
)

// Template is a card template as the card platform's builder makes it: variables, and components that show them. In texts,
// identifiers, parameters and conditions ${name} stands for a variable and ${item.key} for what a list has, inside a component
// that is repeated; a parameter that is nothing but one ${…} keeps the variable's type.
type Template struct {
	ID         string            `json:"id"` // ends with .schema; made when empty
	Name       string            `json:"name,omitempty"`
	Variables  map[string]string `json:"variables"` // name to type
	Components []Component       `json:"components"`
}

// Component is one part of a card.
type Component struct {
	Kind string `json:"kind"`
	Text string `json:"text,omitempty"` // what is shown; of a form, what stands on its button
	// If is a condition: the component is there when it comes out as neither empty nor false.
	If string `json:"if,omitempty"`
	// Each names a list variable: the component is there once for every object in it.
	Each string `json:"each,omitempty"`
	// ID is the action id that a pressed button or a submitted form sends; form for a form unless set.
	ID string `json:"id,omitempty"`
	// Params are what a press sends besides; Link is where a button leads instead of asking the bot.
	Params map[string]string `json:"params,omitempty"`
	Link   string            `json:"link,omitempty"`
	Style  string            `json:"style,omitempty"`
	// Disabled is a condition under which the control does nothing.
	Disabled string `json:"disabled,omitempty"`
	// Confirm is what a button asks before it does anything.
	Confirm *Confirm `json:"confirm,omitempty"`
	// Fields names the form variable of a form.
	Fields string `json:"fields,omitempty"`
}

// Confirm is a dialog with two buttons.
type Confirm struct {
	Text string `json:"text"`
	Yes  string `json:"yes,omitempty"`
	No   string `json:"no,omitempty"`
}

// ParseTemplate reads a template as JSON and refuses what would show nothing: properties and kinds that do not exist,
// variables that are not declared or of the wrong type.
func ParseTemplate(raw []byte) (Template, error) {
	var t Template
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&t); err != nil {
		return Template{}, fmt.Errorf("reading a template: %w", err)
	}
	types := []string{TypeString, TypeMarkdown, TypeBool, TypeNumber, TypeList, TypeForm, TypeObject}
	for _, name := range sorted(t.Variables) {
		if !slices.Contains(types, t.Variables[name]) {
			return Template{}, fmt.Errorf("variable %q has the unknown type %q", name, t.Variables[name])
		}
	}
	kinds := []string{TextComponent, MarkdownComponent, ImageComponent, ButtonComponent, FormComponent, DividerComponent}
	for i, c := range t.Components {
		switch {
		case !slices.Contains(kinds, c.Kind):
			return Template{}, fmt.Errorf("component %d has the unknown kind %q", i, c.Kind)
		case c.Each != "" && t.Variables[c.Each] != TypeList:
			return Template{}, fmt.Errorf("component %d is repeated for %q, which is no list", i, c.Each)
		case c.Kind == FormComponent && t.Variables[c.Fields] != TypeForm:
			return Template{}, fmt.Errorf("component %d shows the form %q, which is none", i, c.Fields)
		}
		texts := []string{c.Text, c.If, c.ID, c.Link, c.Style, c.Disabled}
		for _, k := range sorted(c.Params) {
			texts = append(texts, c.Params[k])
		}
		if c.Confirm != nil {
			texts = append(texts, c.Confirm.Text, c.Confirm.Yes, c.Confirm.No)
		}
		for _, m := range placeholder.FindAllStringSubmatch(strings.Join(texts, " "), -1) {
			_, item := strings.CutPrefix(m[1], "item.")
			if _, declared := t.Variables[m[1]]; !declared && !(item && c.Each != "") {
				return Template{}, fmt.Errorf("component %d names %q, which is no variable", i, m[1])
			}
		}
	}
	return t, nil
}

// AddTemplate adds or replaces a card template and returns it with its id.
func (s *Server) AddTemplate(t Template) Template {
	s.mu.Lock()
	if t.ID == "" {
		h := backstage.HexID("template", s.world.count("template"))
		t.ID = h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:] + ".schema"
	}
	if !strings.HasSuffix(t.ID, ".schema") {
		t.ID += ".schema"
	}
	t.Components = slices.Clone(t.Components)
	s.world.templates[t.ID] = &t
	s.mu.Unlock()
	s.changes.Tell(Change{Kind: ChangePeople})
	return t
}

// FormTemplate is a template that serves every card: a title, a markdown body, a form whose fields come from a variable, and
// buttons from a list of {id, text, style, params} that send their params, or lead somewhere when they have a link.
func FormTemplate(id string) Template {
	return Template{
		ID: id, Name: "form",
		Variables: map[string]string{
			"title": TypeString, "text": TypeMarkdown, "form": TypeForm, "form_status": TypeString, "form_btn_text": TypeString,
			"form_params": TypeObject, "buttons": TypeList,
		},
		Components: []Component{
			{Kind: TextComponent, Text: "${title}"},
			{Kind: MarkdownComponent, Text: "${text}"},
			{
				Kind: FormComponent, Fields: "form", Text: "${form_btn_text}", If: "${form}", ID: "form", Params: map[string]string{"form_params": "${form_params}"},
				Disabled: "${form_status}",
			},
			{
				Kind: ButtonComponent, Each: "buttons", ID: "${item.id}", Text: "${item.text}", Style: "${item.style}", Link: "${item.link}",
				Params: map[string]string{"params": "${item.params}"},
			},
		},
	}
}

// Part is a component as one person sees it, with everything filled in.
type Part struct {
	Kind     string         `json:"kind"`
	Text     string         `json:"text,omitempty"`
	ID       string         `json:"id,omitempty"`
	Style    string         `json:"style,omitempty"`
	Link     string         `json:"link,omitempty"`
	Disabled bool           `json:"disabled,omitempty"`
	Params   map[string]any `json:"params,omitempty"`
	Fields   []Field        `json:"fields,omitempty"`
	Confirm  *Confirm       `json:"confirm,omitempty"`
}

var placeholder = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_.]*)\}`)

// scope is the variables of a card as one person has them, and the item of a list that is being shown.
type scope struct {
	types map[string]string
	vars  map[string]string
	item  map[string]any
}

// value is what a name stands for; nil for nothing.
func (c scope) value(name string) any {
	if key, inItem := strings.CutPrefix(name, "item."); inItem {
		return c.item[key]
	}
	text, set := c.vars[name]
	if !set {
		return nil
	}
	switch c.types[name] {
	case TypeBool, TypeNumber, TypeList, TypeForm, TypeObject:
		if v, err := backstage.DecodeJSON([]byte(text)); err == nil {
			return v
		}
		return nil
	}
	return text
}

// text fills in a text.
func (c scope) text(t string) string {
	return placeholder.ReplaceAllStringFunc(t, func(m string) string {
		switch v := c.value(m[2 : len(m)-1]).(type) {
		case nil:
			return ""
		case string:
			return v
		default:
			return string(backstage.EncodeJSON(v))
		}
	})
}

// typed fills in a parameter and keeps its type when it is nothing but one variable.
func (c scope) typed(t string) any {
	if m := placeholder.FindString(t); m == t && t != "" {
		return c.value(m[2 : len(m)-1])
	}
	return c.text(t)
}

// holds says whether a condition comes out as neither empty nor false; normal is what the vendor's example of a form calls
// one that is not disabled.
func (c scope) holds(condition string) bool {
	v := c.text(condition)
	return v != "" && v != "false" && v != "normal"
}

// parts are what a person sees of a card.
func (t *Template) parts(vars map[string]string) []Part {
	var out []Part
	for _, c := range t.Components {
		items := []map[string]any{nil}
		if c.Each != "" {
			items = nil
			list, _ := scope{types: t.Variables, vars: vars}.value(c.Each).([]any)
			for _, v := range list {
				if o, isObject := v.(map[string]any); isObject {
					items = append(items, o)
				}
			}
		}
		for _, item := range items {
			in := scope{types: t.Variables, vars: vars, item: item}
			if c.If != "" && !in.holds(c.If) {
				continue
			}
			p := Part{
				Kind: c.Kind, Text: in.text(c.Text), ID: in.text(c.ID), Style: in.text(c.Style), Link: in.text(c.Link),
				Disabled: c.Disabled != "" && in.holds(c.Disabled),
			}
			if c.Confirm != nil {
				p.Confirm = &Confirm{Text: in.text(c.Confirm.Text), Yes: in.text(c.Confirm.Yes), No: in.text(c.Confirm.No)}
			}
			for _, k := range sorted(c.Params) {
				if v := in.typed(c.Params[k]); v != nil {
					if p.Params == nil {
						p.Params = map[string]any{}
					}
					p.Params[k] = v
				}
			}
			if c.Kind == FormComponent {
				if p.ID == "" {
					p.ID = "form"
				}
				fields, err := readForm(vars[c.Fields])
				if err != nil || len(fields) == 0 {
					continue // the component shows nothing
				}
				p.Fields = fields
			}
			out = append(out, p)
		}
	}
	return out
}

// fits says whether a value is one of a variable's type.
func fits(kind, value string) bool {
	v, err := backstage.DecodeJSON([]byte(value))
	switch kind {
	case TypeBool:
		_, isBool := v.(bool)
		return err == nil && isBool
	case TypeNumber:
		_, isNumber := v.(json.Number)
		return err == nil && isNumber
	case TypeList:
		_, isList := v.([]any)
		return err == nil && isList
	case TypeObject:
		_, isObject := v.(map[string]any)
		return err == nil && isObject
	case TypeForm:
		_, err := readForm(value)
		return err == nil
	}
	return true
}
