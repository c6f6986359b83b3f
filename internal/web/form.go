package web

import (
	"slices"
	"strconv"

	"huiyin/bot/card"
	"huiyin/internal/i18n"
)

// drawnForm is a form on a page.
type drawnForm struct {
	Submit string
	Carry  string // the sealed form, for the page to bring it back
	Try    int
	Fields []drawnField
}

// drawnField is one question. Kind is text, area, date, radio, check, select or names.
type drawnField struct {
	ID, Name, Kind              string
	Label, Hint, Extra, Problem string
	Placeholder, Value          string
	Min, Max                    int
	Required, Focus             bool
	Optional                    string   // the word for it
	Inputs                      []string // of names: what stands in each
	Options                     []drawnOption
}

type drawnOption struct {
	Value, Label string
	Chosen       bool
}

// fewOptions are shown as they are; more become a menu.
const fewOptions = 7

// formPage draws a form with what stands in it. problem is the key of what went wrong with the page as a whole, if something did.
func (p *Pages) formPage(f askedForm, sealed []byte, try int, with filled, problem string) page {
	say := p.Catalog.In(f.To.Lang)
	g := p.blank(say)
	g.Title, g.Blocks = tidy(f.Form.Title), p.blocks(f.To, f.Form.Intro)
	g.Form = &drawnForm{Submit: orElse(tidy(f.Form.Submit), say.T("web.submit")), Try: try}
	if len(sealed) <= maxCarried {
		g.Form.Carry = encoding.EncodeToString(sealed)
	}
	if problem != "" {
		g.Banner = say.T(problem)
	}
	left := map[string]string{}
	for name, text := range with.problems {
		left[name] = text
	}
	for i, field := range f.Form.Fields {
		d := drawField(field, with.values[field.Key()], say)
		d.ID, d.Name = "q"+strconv.Itoa(i), prefix+field.Key()
		if d.Problem = tidy(left[field.Key()]); d.Problem != "" {
			d.Focus = len(g.Problems) == 0
			g.Problems = append(g.Problems, slip{ID: d.ID, Label: d.Label, Text: d.Problem})
			delete(left, field.Key())
		}
		g.Form.Fields = append(g.Form.Fields, d)
	}
	for _, name := range sorted(left) { // about something that this form does not ask
		g.Problems = append(g.Problems, slip{Text: tidy(left[name])})
	}
	if g.Banner == "" && len(g.Problems) > 0 {
		g.Banner = say.T("web.check", "Count", len(g.Problems))
	}
	return g
}

func drawField(field card.Field, values []string, say i18n.Printer) drawnField {
	var d drawnField
	optional := false
	switch f := field.(type) {
	case card.TextField:
		d, optional = drawText(f, values, say), f.Optional
	case card.DateField:
		d, optional = drawnField{Kind: "date", Label: f.Label, Hint: f.Hint, Value: first(values)}, f.Optional
	case card.ChoiceField:
		d, optional = drawChoice(f, values, say), f.Optional
	case card.PeopleField:
		d, optional = drawPeople(f, values, say), f.Optional
	}
	d.Label, d.Hint = orElse(tidy(d.Label), field.Key()), tidy(d.Hint)
	if d.Required = !optional; optional {
		d.Optional = say.T("web.optional")
	}
	return d
}

func drawText(f card.TextField, values []string, say i18n.Printer) drawnField {
	d := drawnField{Kind: "text", Label: f.Label, Hint: f.Hint, Placeholder: tidy(f.Placeholder), Value: first(values), Min: least(f), Max: f.Max}
	if f.Multiline {
		d.Kind = "area"
	}
	if f.Max > 0 {
		d.Extra = say.T("web.limit", "Count", f.Max)
	}
	return d
}

func drawChoice(f card.ChoiceField, values []string, say i18n.Printer) drawnField {
	d := drawnField{Kind: "select", Label: f.Label, Hint: f.Hint}
	switch {
	case f.Many:
		d.Kind, d.Extra = "check", say.T("web.many")
	case len(f.Options) <= fewOptions:
		d.Kind = "radio"
	}
	if !f.Many && (f.Optional || d.Kind == "select") { // a pressed radio button cannot be released, and a menu shows its first line
		none := "web.choose"
		if f.Optional {
			none = "web.none"
		}
		d.Options = append(d.Options, drawnOption{Label: say.T(none), Chosen: len(values) == 0})
	}
	for _, o := range f.Options {
		d.Options = append(d.Options, drawnOption{o.Value, orElse(tidy(o.Label), o.Value), slices.Contains(values, o.Value)})
	}
	return d
}

// drawPeople offers a few people to tick, and of many it takes names with suggestions.
func drawPeople(f card.PeopleField, values []string, say i18n.Printer) drawnField {
	d := drawnField{Label: f.Label, Hint: f.Hint}
	if f.Max > 1 {
		d.Extra = say.T("web.people", "Count", f.Max)
	}
	names := labels(f)
	for i, o := range f.Candidates {
		d.Options = append(d.Options, drawnOption{o.Value, tidy(names[i]), slices.Contains(values, o.Value)})
	}
	switch {
	case typed(f):
		d.Kind = "names"
		if len(f.Candidates) > 0 && f.Hint == "" {
			d.Hint = say.T("web.names")
		}
		d.Inputs = make([]string, shownPlaces(f, len(values)))
		copy(d.Inputs, values)
	case f.Max == 1:
		d.Kind = "radio"
		if f.Optional {
			d.Options = slices.Insert(d.Options, 0, drawnOption{Label: say.T("web.none"), Chosen: len(values) == 0})
		}
	default:
		d.Kind = "check"
	}
	return d
}

// shownPlaces is how many names can be typed: one, or a few, and never fewer than stand there already.
func shownPlaces(f card.PeopleField, there int) int {
	most := places
	if f.Max > 0 {
		most = min(f.Max, places)
	}
	return max(most, min(there, maxTyped))
}

// maxTyped bounds what a sender can make us draw.
const maxTyped = 50

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}
