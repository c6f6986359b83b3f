package dingtalk

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"huiyin/bot/card"
	"huiyin/internal/i18n"
)

// Params are the values of a card template's variables, all of them text; see deploy/dingtalk/card-template.json.
type Params map[string]string

// The variables of the template.
const (
	paramTitle    = "title"
	paramMarkdown = "markdown"
	paramButtons  = "buttons"     // JSON: a list of cardButton
	paramForm     = "form"        // JSON: cardForm
	paramStatus   = "form_status" // none, normal or disabled
	paramSubmit   = "submit"      // the form's button
	paramNote     = "note"        // what is wrong, above the form
	paramLast     = "lastMessage" // what a conversation list and a notification show
)

// Whether a card shows its form.
const (
	formNone     = "none"
	formOpen     = "normal"
	formDisabled = "disabled"
)

// markField is the hidden field of a form that carries what the form is.
const markField = "huiyin"

// errNeedsPage is for a form that a card cannot show: one that asks for people out of the whole company, and one that is too large.
var errNeedsPage = errors.New("the form needs a page")

// maxCardButtons is how many buttons a card shows; they stand below each other.
const maxCardButtons = 10

// cardButton is one element of the variable buttons.
type cardButton struct {
	Text  string `json:"text"`
	Style string `json:"style"`           // default, primary or danger
	Value string `json:"value,omitempty"` // comes back as params.action
	URL   string `json:"url,omitempty"`   // opens instead
	// Which of the template's three buttons is shown: one that acts, one that asks before, one that opens URL.
	Act bool   `json:"act,omitempty"`
	Ask string `json:"ask,omitempty"`
	Yes string `json:"yes,omitempty"`
	No  string `json:"no,omitempty"`
}

// cardForm is the variable form. https://open.dingtalk.com/document/isvapp/form-variables
type cardForm struct {
	Fields []cardField `json:"fields"`
}

// cardField is one question. Default is text, or a cardChoice.
type cardField struct {
	Name        string       `json:"name"`
	Label       string       `json:"label,omitempty"`
	Type        string       `json:"type"` // TEXT, TEXT_AREA, DATE, SELECT, MULTI_SELECT
	MinRows     int          `json:"minRows,omitempty"`
	Hidden      bool         `json:"hidden,omitempty"`
	Required    bool         `json:"required,omitempty"`
	Placeholder string       `json:"placeholder,omitempty"`
	Options     []cardOption `json:"options,omitempty"`
	Default     any          `json:"defaultValue,omitempty"`
}

type cardOption struct {
	Value string `json:"value"`
	Text  string `json:"text"`
}

type one struct {
	Index int    `json:"index"`
	Value string `json:"value"`
}

type several struct {
	Index []int    `json:"index"`
	Value []string `json:"value"`
}

// RenderCard draws a card for the template. nonce tells this drawing from every other.
func RenderCard(c card.Card, say i18n.Printer, nonce string) (Params, error) {
	g, err := gather(c, maxCardButtons)
	if err != nil {
		return nil, fmt.Errorf("rendering a card: %w", err)
	}
	text, err := draw(c, g, say, false, maxTextBytes)
	if err != nil {
		return nil, fmt.Errorf("rendering a card: %w", err)
	}
	buttons := make([]cardButton, 0, len(g.shown))
	for _, b := range g.shown {
		one, err := b.onCard(nonce)
		if err != nil {
			return nil, fmt.Errorf("rendering a card: %w", err)
		}
		buttons = append(buttons, one)
	}
	raw, err := encode(buttons)
	if err != nil {
		return nil, fmt.Errorf("writing buttons: %w", err)
	}
	return Params{
		paramTitle: orElse(heading(c), fallback(c)), paramMarkdown: text, paramButtons: string(raw),
		paramForm: `{"fields":[]}`, paramStatus: formNone, paramSubmit: "", paramNote: "", paramLast: fallback(c),
	}, nil
}

func (b Button) onCard(nonce string) (cardButton, error) {
	out := cardButton{Text: b.Label, Style: styleName(b.Style), URL: b.URL}
	if b.URL != "" {
		return out, nil
	}
	out.Act = b.Confirm == nil
	if c := b.Confirm; c != nil {
		out.Ask = cut(oneLine(orElse(c.Text, orElse(c.Title, b.Label))), maxFieldLabel)
		out.Yes, out.No = cut(orElse(oneLine(c.Yes), b.Label), maxLabel), cut(orElse(oneLine(c.No), "✕"), maxLabel)
	}
	var err error
	out.Value, err = encodeMark(b.Action, nonce)
	return out, err
}

func styleName(s card.Style) string {
	switch s {
	case card.Primary:
		return "primary"
	case card.Danger:
		return "danger"
	case card.Default:
	}
	return "default"
}

// RenderForm draws a form for the template. An error that Is errNeedsPage says that the form must be shown as a web page; any other is
// for a form that no person could have caused.
func RenderForm(f card.Form, say i18n.Printer, nonce string) (Params, error) {
	if err := checkAction(f.Action); err != nil {
		return nil, fmt.Errorf("rendering a form: %w", err)
	}
	if len(f.Fields) == 0 {
		return nil, fmt.Errorf("rendering form %s: no fields", f.Action.Name)
	}
	value, err := encodeMark(f.Action, nonce)
	if err != nil {
		return nil, fmt.Errorf("rendering form %s: %w", f.Action.Name, err)
	}
	drawn := cardForm{Fields: []cardField{{Name: markField, Type: "TEXT", Hidden: true, Default: value}}}
	seen := map[string]bool{markField: true}
	page := len(f.Fields) > maxFormFields
	for i, field := range f.Fields {
		if field == nil || field.Key() == "" || seen[field.Key()] {
			return nil, fmt.Errorf("rendering form %s: field %d has no name, or one that is there twice", f.Action.Name, i)
		}
		seen[field.Key()] = true
		one, err := onCard(field)
		if errors.Is(err, errNeedsPage) {
			page = true
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("rendering form %s: field %s: %w", f.Action.Name, field.Key(), err)
		}
		drawn.Fields = append(drawn.Fields, one)
	}
	if page {
		return nil, errNeedsPage
	}
	intro, err := draw(card.Card{Blocks: append(slices.Clone(f.Intro), hints(f.Fields))}, gathered{}, say, false, maxTextBytes/2)
	if err != nil {
		return nil, fmt.Errorf("rendering form %s: %w", f.Action.Name, err)
	}
	raw, err := encode(drawn)
	if err != nil {
		return nil, fmt.Errorf("writing a form: %w", err)
	}
	title := cut(orElse(oneLine(f.Title), "•"), maxTitle)
	p := Params{
		paramTitle: title, paramMarkdown: intro, paramButtons: "[]", paramForm: string(raw), paramStatus: formOpen,
		paramSubmit: cut(orElse(oneLine(f.Submit), "✓"), maxLabel), paramNote: "", paramLast: title,
	}
	if p.size() > maxCardParams {
		return nil, errNeedsPage
	}
	return p, nil
}

func (p Params) size() int {
	n := 0
	for name, value := range p {
		n += len(name) + jsonBytes(value) + 6
	}
	return n
}

// onCard draws one question.
func onCard(field card.Field) (cardField, error) {
	switch f := field.(type) {
	case card.TextField:
		value := tidy(f.Value)
		if units(value) > maxInput { // a page takes what the field takes
			return cardField{}, errNeedsPage
		}
		if f.Max > 0 {
			value = clip(value, f.Max)
		}
		out := question(f.Name, f.Label, f.Hint, f.Placeholder, "TEXT", f.Optional)
		if f.Multiline {
			out.Type, out.MinRows = "TEXT_AREA", 3
		} else {
			value = strings.ReplaceAll(value, "\n", " ")
		}
		if value != "" {
			out.Default = value
		}
		return out, nil
	case card.DateField:
		out := question(f.Name, f.Label, f.Hint, "", "DATE", f.Optional)
		if _, err := time.Parse(time.DateOnly, f.Value); err == nil {
			out.Default = f.Value
		}
		return out, nil
	case card.ChoiceField:
		return menu(question(f.Name, f.Label, f.Hint, "", "", f.Optional), f.Options, f.Value, f.Many)
	case card.PeopleField:
		if len(f.Candidates) == 0 {
			return cardField{}, errNeedsPage
		}
		return menu(question(f.Name, f.Label, f.Hint, "", "", f.Optional), f.Candidates, f.Value, f.Max != 1)
	default:
		return cardField{}, fmt.Errorf("no drawing for %T", field)
	}
}

func question(name, label, hint, placeholder, kind string, optional bool) cardField {
	return cardField{
		Name: name, Type: kind, Required: !optional, Label: cut(orElse(oneLine(label), name), maxFieldLabel),
		Placeholder: cut(orElse(oneLine(placeholder), oneLine(hint)), maxFieldLabel),
	}
}

// hints are those that found no place in their fields: a field of DingTalk's has a placeholder and nothing else beside its label.
func hints(fields []card.Field) card.Facts {
	var out card.Facts
	for _, field := range fields {
		if f, ok := field.(card.TextField); ok && !blank(oneLine(f.Placeholder)) && !blank(oneLine(f.Hint)) {
			out.Items = append(out.Items, card.Fact{Label: cut(oneLine(f.Label), maxFieldLabel), Value: card.Text(oneLine(f.Hint))})
		}
	}
	return out
}

func menu(out cardField, options []card.Option, chosen []string, many bool) (cardField, error) {
	if len(options) == 0 {
		return cardField{}, errors.New("no options")
	}
	if len(options) > maxOptions {
		return cardField{}, errNeedsPage
	}
	picked := several{Index: []int{}, Value: []string{}}
	for i, o := range options {
		if o.Value == "" || len(o.Value) > maxFieldLabel {
			return cardField{}, fmt.Errorf("option %d has a value of %d bytes; 1 to %d can be carried", i, len(o.Value), maxFieldLabel)
		}
		out.Options = append(out.Options, cardOption{Value: o.Value, Text: cut(orElse(oneLine(o.Label), o.Value), maxOptionText)})
		if slices.Contains(chosen, o.Value) {
			picked.Index, picked.Value = append(picked.Index, i), append(picked.Value, o.Value)
		}
	}
	out.Type = "SELECT"
	if many {
		out.Type = "MULTI_SELECT"
	}
	switch {
	case len(picked.Value) == 0:
	case many:
		out.Default = picked
	default:
		out.Default = one{picked.Index[0], picked.Value[0]}
	}
	return out, nil
}

// filled reads what came back of a form: text, {index, value} of a menu, or a list of either.
func filled(form map[string]json.RawMessage) card.Values {
	values := card.Values{}
	for name, raw := range form {
		if name == markField {
			continue
		}
		if got := answered(raw); len(got) > 0 {
			values[name] = got
		}
	}
	return values
}

func answered(raw json.RawMessage) []string {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return nil
	}
	if choice, ok := v.(map[string]any); ok {
		v = choice["value"]
	}
	var out []string
	add := func(v any) {
		switch v := v.(type) {
		case string:
			if text := strings.Trim(tidy(v), " \t\n"); text != "" {
				out = append(out, text)
			}
		case float64:
			out = append(out, strconv.FormatFloat(v, 'f', -1, 64))
		case bool:
			out = append(out, strconv.FormatBool(v))
		}
	}
	if list, ok := v.([]any); ok {
		for _, one := range list {
			add(one)
		}
		return out
	}
	add(v)
	return out
}

// again is a form that was sent with mistakes in it: what was filled in stands in it, and above it what is wrong. It is another drawing,
// so what is sent next is another deed.
func (p Params) again(values card.Values, problems map[string]string, nonce string) (Params, error) {
	var f cardForm
	if err := json.Unmarshal([]byte(p[paramForm]), &f); err != nil || len(f.Fields) == 0 {
		return nil, malformed("a form that was kept and cannot be read")
	}
	var lines []string
	told := map[string]bool{}
	for i := range f.Fields {
		field := &f.Fields[i]
		if field.Name == markField {
			value, _ := field.Default.(string)
			m, err := decodeMark(value)
			if err != nil {
				return nil, err
			}
			if field.Default, err = encodeMark(m.Action, nonce); err != nil {
				return nil, err
			}
			continue
		}
		field.put(values[field.Name])
		if text := oneLine(problems[field.Name]); text != "" {
			lines = append(lines, field.Label+": "+text)
			told[field.Name] = true
		}
	}
	for name, text := range problems {
		if !told[name] && !blank(text) {
			lines = append(lines, oneLine(text))
		}
	}
	slices.Sort(lines)
	raw, err := encode(f)
	if err != nil {
		return nil, fmt.Errorf("writing a form: %w", err)
	}
	out := Params{}
	for name, value := range p {
		out[name] = value
	}
	out[paramForm], out[paramStatus], out[paramNote] = string(raw), formOpen, warning(lines)
	return out, nil
}

func warning(lines []string) string {
	return "⚠️ " + cut(strings.Join(slices.Compact(lines), "\n"), 1_000)
}

// put fills in what was typed or chosen, all of it: what is too long is to be shortened by whom it belongs to.
func (f *cardField) put(values []string) {
	f.Default = nil
	picked := several{Index: []int{}, Value: []string{}}
	for i, o := range f.Options {
		if slices.Contains(values, o.Value) {
			picked.Index, picked.Value = append(picked.Index, i), append(picked.Value, o.Value)
		}
	}
	switch {
	case len(values) == 0:
	case f.Type == "MULTI_SELECT" && len(picked.Value) > 0:
		f.Default = picked
	case f.Type == "SELECT" && len(picked.Value) > 0:
		f.Default = one{picked.Index[0], picked.Value[0]}
	case len(f.Options) == 0:
		f.Default = values[0]
	}
}
