package feishu

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"huiyin/bot"
	"huiyin/bot/card"
)

// submitName is the name of the button that submits a form; no field of the dialog has it.
const submitName = "_submit"

// RenderForm draws a form as a card with a form container. from is where the form was asked for; it comes back with the submission, and
// so does the form itself, as far as there is room, so that it can be drawn again with what is wrong. The error is for a form that no
// person could have caused: no fields, a name twice, options that cannot be carried; or it is a tooLong.
// https://open.larkoffice.com/document/uAjLw4CM/ukzMukzMukzM/feishu-cards/card-json-v2-components/containers/form-container.md
func RenderForm(f card.Form, from bot.Place) (Card, error) {
	q, err := questionOf(f)
	if err == nil {
		var c Card
		if c, err = q.render(value{Action: f.Action, Kind: bot.Direct, Submits: true, Origin: from.Channel, From: from.Kind}, nil, nil); err == nil {
			return c, nil
		}
	}
	return Card{}, fmt.Errorf("rendering form %s: %w", f.Action.Name, err)
}

// question is a form as it travels to Feishu and back. Its introduction is drawn already.
type question struct {
	Title  string    `json:"t,omitempty"`
	Submit string    `json:"b,omitempty"`
	Intro  []drawn   `json:"-"`
	Fields []qField  `json:"f"`
	Drawn  []rawJSON `json:"i,omitempty"`
}

// The kinds of field.
const (
	textField   = "t"
	peopleField = "p"
	choiceField = "c"
	dateField   = "d"
)

// qField is a field of any kind. Values are what stands in it when it is shown.
type qField struct {
	Kind        string    `json:"k"`
	Name        string    `json:"n"`
	Label       string    `json:"l,omitempty"`
	Hint        string    `json:"h,omitempty"`
	Placeholder string    `json:"p,omitempty"`
	Values      []string  `json:"-"`
	Options     []qOption `json:"o,omitempty"`
	Optional    bool      `json:"u,omitempty"`
	Many        bool      `json:"m,omitempty"` // lines, people or options
	Max         int       `json:"x,omitempty"`
}

type qOption struct {
	Value string `json:"v"`
	Label string `json:"l,omitempty"`
}

// questionOf reads a form.
func questionOf(f card.Form) (question, error) {
	q := question{Title: cut(oneLine(f.Title), maxTitle), Submit: cut(oneLine(f.Submit), maxLabel)}
	if err := checkAction(f.Action); err != nil {
		return q, err
	}
	if len(f.Fields) == 0 || len(f.Fields) > maxTags/8 {
		return q, fmt.Errorf("%d fields; 1 to %d can be shown", len(f.Fields), maxTags/8)
	}
	seen := map[string]bool{submitName: true}
	for _, field := range f.Fields {
		one, err := askedFor(field)
		if err != nil {
			return q, err
		}
		if one.Name == "" || len(one.Name) > maxName-len(typedNames) || seen[one.Name] {
			return q, fmt.Errorf("field name %q is empty, too long or there twice", one.Name)
		}
		seen[one.Name] = true
		q.Fields = append(q.Fields, one)
	}
	intro, err := pen{}.draw(f.Intro, bot.Direct, maxCard/4, maxTags/4)
	if err != nil {
		return q, err
	}
	for _, e := range intro {
		raw, err := bare{}.Serialize(e)
		if err != nil {
			return q, fmt.Errorf("writing the introduction: %w", err)
		}
		q.Intro = append(q.Intro, raw)
	}
	return q, nil
}

// tooLong is a text that is longer than the input it should stand in. Feishu would cut it there, and the person would send it back cut.
type tooLong struct{ has, most int } // characters

func (e tooLong) Error() string {
	return fmt.Sprintf("a text of %d characters for an input that holds %d", e.has, e.most)
}

// fits looks for a text that is longer than its input; the error is a tooLong. Without values the form stands as it was asked for.
func (q question) fits(values card.Values) error {
	for _, field := range q.Fields {
		if values != nil {
			field.Values = values[field.Name]
		}
		if has, most := units(field.words()), field.holds(); has > most {
			return tooLong{has, most}
		}
	}
	return nil
}

// words are what stands in a field that is typed into: a text, or names where there is nobody to choose from.
func (q qField) words() string {
	text := ""
	switch {
	case q.Kind == textField && len(q.Values) > 0:
		text = tidy(q.Values[0])
	case q.Kind == peopleField && len(q.Options) == 0:
		text = tidy(strings.Join(slices.DeleteFunc(slices.Clone(q.Values), func(v string) bool { return !strings.HasPrefix(v, "@") }), ", "))
	}
	if blank(text) {
		return ""
	}
	return text
}

// holds is how many characters can be typed into a field.
func (q qField) holds() int {
	if q.Kind == textField && q.Max > 0 {
		return min(q.Max, maxInput)
	}
	return maxInput
}

func askedFor(field card.Field) (qField, error) {
	title := func(kind, name, label, hint string) qField {
		return qField{Kind: kind, Name: name, Label: caption(label, name, maxCaption).Content, Hint: cut(oneLine(hint), maxCaption)}
	}
	switch f := field.(type) {
	case card.TextField:
		q := title(textField, f.Name, f.Label, f.Hint)
		q.Placeholder, q.Optional, q.Many, q.Max = cut(oneLine(f.Placeholder), maxHint), f.Optional, f.Multiline, f.Max
		q.Values = []string{f.Value}
		return q, nil
	case card.PeopleField:
		q := title(peopleField, f.Name, f.Label, f.Hint)
		q.Optional, q.Many, q.Max, q.Values = f.Optional, f.Max != 1, f.Max, f.Value
		q.Options = candidates(f.Candidates, f.Value)
		return q, nil
	case card.ChoiceField:
		q := title(choiceField, f.Name, f.Label, f.Hint)
		q.Optional, q.Many, q.Values = f.Optional, f.Many, f.Value
		if len(f.Options) == 0 {
			return q, fmt.Errorf("field %s: no options", f.Name)
		}
		for _, o := range f.Options {
			if o.Value == "" {
				return q, fmt.Errorf("field %s: an option without value", f.Name)
			}
			q.Options = append(q.Options, qOption{Value: o.Value, Label: caption(o.Label, o.Value, maxOption).Content})
		}
		return q, nil
	case card.DateField:
		q := title(dateField, f.Name, f.Label, f.Hint)
		q.Optional, q.Values = f.Optional, []string{f.Value}
		return q, nil
	case nil:
		return qField{}, errors.New("a field is nil")
	default:
		return qField{}, fmt.Errorf("no drawing for %T", field)
	}
}

// candidates are whom a people field offers: those given, each once, and whoever is chosen already. Without any there is no menu, for
// Feishu would fill an empty one with the members of the chat.
func candidates(given []card.Option, chosen []string) []qOption {
	var out []qOption
	seen := map[string]bool{}
	for _, o := range given {
		if o.Value != "" && !seen[o.Value] {
			seen[o.Value] = true
			out = append(out, qOption{Value: o.Value, Label: cut(oneLine(o.Label), maxOption)})
		}
	}
	for _, id := range chosen {
		if account.MatchString(id) && !seen[id] {
			seen[id] = true
			out = append(out, qOption{Value: id})
		}
	}
	return out
}

// pickable reports whether a people field can be a person picker: when everybody in it is an account of Feishu.
func (q qField) pickable() bool {
	return !slices.ContainsFunc(q.Options, func(o qOption) bool { return !account.MatchString(o.Value) })
}

// render draws the form with values and problems by field name; without values it stands as it was asked for. When there is not room
// for everything, first the form's own definition stays behind, then options that are not chosen. What stands in it is never cut: people
// send it back as their own words. The error is a tooLong when a text does not fit its input.
func (q question) render(submit value, values card.Values, problems map[string]string) (Card, error) {
	if err := q.fits(values); err != nil {
		return Card{}, err
	}
	for _, most := range []int{1 << 20, 400, 250, 120, 80, 60, 40, 30, 20, 10, 5, 2} {
		for _, definition := range []bool{true, false} {
			submit.Form = ""
			if definition {
				packed, err := q.pack()
				if err != nil {
					return Card{}, err
				}
				if submit.Form = packed; packed == "" {
					continue
				}
			}
			c := q.draw(submit, values, problems, most)
			_, size, err := content(c)
			if err != nil {
				return Card{}, err
			}
			if size <= maxCard && tagsOf(c.Body.Elements) < maxTags {
				return c, nil
			}
		}
	}
	return Card{}, errors.New("there are more fields and words than a card can hold")
}

func (q question) draw(submit value, values card.Values, problems map[string]string, most int) Card {
	c, _ := pen{}.frame(card.Card{Title: q.Title}, orElse(q.Title, "•"))
	c.Config.Summary.Content = orElse(q.Title, "•")
	for _, e := range q.Intro {
		c.Body.Elements = append(c.Body.Elements, e)
	}
	f := form{Tag: "form", Name: "form"}
	for _, field := range q.Fields {
		if values != nil {
			field.Values = values[field.Name]
		}
		f.Elements = append(f.Elements, markdown{Tag: "markdown", Content: pen{}.drawMarkdown([]card.Span{card.Bold(field.Label)})})
		if field.Hint != "" {
			f.Elements = append(f.Elements, textElement(field.Hint, false, small))
		}
		f.Elements = append(f.Elements, field.draw(most)...)
		if problem := cut(oneLine(problems[field.Name]), maxCaption); problem != "" {
			wrong := plain("⚠️ " + problem)
			wrong.Color = "red"
			f.Elements = append(f.Elements, div{Tag: "div", Text: wrong})
		}
	}
	f.Elements = append(f.Elements, button{
		Tag: "button", Name: submitName, Text: caption(q.Submit, "✓", maxLabel), Type: "primary_filled", Submits: "submit",
		Behaviors: []behavior{{Type: "callback", Value: &submit}},
	})
	c.Body.Elements = append(c.Body.Elements, f)
	return c
}

// draw draws the input of a field, with at most so many options. What is left out is counted below it.
func (q qField) draw(most int) []element {
	const wide = "fill"
	var kept []option
	var chosen []string
	left := 0
	for _, o := range q.Options {
		picked := slices.Contains(q.Values, o.Value) && (q.Many || len(chosen) == 0)
		if !picked && len(kept)-len(chosen) >= most {
			left++
			continue
		}
		if picked {
			chosen = append(chosen, o.Value)
		}
		kept = append(kept, option{Text: caption(o.Label, o.Value, maxOption), Value: o.Value})
	}
	var e element
	switch {
	case q.Kind == textField:
		i := input{Tag: "input", Name: q.Name, Required: !q.Optional, Placeholder: maybe(q.Placeholder, maxHint), Width: wide, Type: "text", MaxLength: q.holds(), Default: q.words()}
		if q.Many {
			i.Type, i.Rows = "multiline_text", min(max(lines(i.Default), 4), 12)
		} else {
			i.Default = strings.ReplaceAll(i.Default, "\n", " ")
		}
		return []element{i}
	case q.Kind == dateField:
		d := datePicker{Tag: "date_picker", Name: q.Name, Required: !q.Optional, Width: wide}
		if len(q.Values) > 0 {
			if _, err := time.Parse(time.DateOnly, q.Values[0]); err == nil {
				d.Initial = q.Values[0]
			}
		}
		return []element{d}
	case len(kept) == 0: // people, and nobody to choose from
		return []element{input{
			Tag: "input", Name: typedNames + q.Name, Required: !q.Optional, Width: wide, Type: "text", MaxLength: q.holds(), Default: q.words(),
		}}
	}
	c := choice{Tag: "select_static", Name: q.Name, Required: !q.Optional, Width: wide, Options: kept}
	if q.Kind == peopleField && q.pickable() {
		c.Tag = "select_person"
		for i := range kept {
			kept[i].Text = nil
		}
	}
	if q.Many {
		c.Tag = "multi_" + c.Tag
		c.Chosen = chosen
	} else if len(chosen) > 0 {
		c.Initial = chosen[0]
	}
	if e = c; left > 0 {
		return []element{e, textElement(fmt.Sprintf("%s +%d", ellipsis, left), false, small)}
	}
	return []element{e}
}
