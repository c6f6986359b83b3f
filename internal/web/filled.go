package web

import (
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"huiyin/bot/card"
	"huiyin/internal/i18n"
)

// filled is a form with what stands in it: at first what it proposes, later what the person typed, and what is wrong with it.
type filled struct {
	values   map[string][]string // as the page shows them: of people their labels where they are typed
	problems map[string]string   // by field name
}

// proposed is a form as it opens.
func proposed(f card.Form) filled {
	out := filled{values: map[string][]string{}, problems: map[string]string{}}
	for _, field := range f.Fields {
		switch f := field.(type) {
		case card.TextField:
			out.values[f.Name] = []string{f.Value}
		case card.PeopleField:
			out.values[f.Name] = f.Value
			if typed(f) {
				out.values[f.Name] = labelsOf(f)
			}
		case card.ChoiceField:
			out.values[f.Name] = f.Value
		case card.DateField:
			out.values[f.Name] = []string{f.Value}
		}
	}
	return out
}

// prefix keeps the names of a form's fields apart from our own.
const prefix = "f."

// read takes what was sent and checks it by what the form itself says, so that the most common slips cost no round trip to the product.
// The values are fit for the product only if there are no problems.
func read(f card.Form, sent url.Values, say i18n.Printer) (card.Values, filled) {
	values, shown := card.Values{}, filled{values: map[string][]string{}, problems: map[string]string{}}
	for _, field := range f.Fields {
		name := field.Key()
		raw := cleaned(sent[prefix+name])
		shown.values[name] = raw
		got, problem := readField(field, raw, say)
		if problem != "" {
			shown.problems[name] = problem
			continue
		}
		if len(got) > 0 {
			values[name] = got
		}
	}
	return values, shown
}

// cleaned makes text of what a browser sends, where lines end in CRLF, and drops what is empty.
func cleaned(raw []string) []string {
	var out []string
	for _, s := range raw {
		s = strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\r\n", "\n")
		s = strings.Map(func(r rune) rune {
			if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
				return -1
			}
			return r
		}, s)
		if strings.TrimSpace(s) != "" {
			out = append(out, s)
		}
	}
	return out
}

func readField(field card.Field, raw []string, say i18n.Printer) (values []string, problem string) {
	switch f := field.(type) {
	case card.TextField:
		if len(raw) == 0 {
			return nil, unless(f.Optional, say.T("web.error.required"))
		}
		count := utf8.RuneCountInString(raw[0])
		switch {
		case f.Max > 0 && count > f.Max:
			return nil, say.T("web.error.long", "Max", f.Max, "Count", count)
		case count < least(f):
			return nil, say.T("web.error.short", "Min", least(f), "Count", count)
		}
		return raw[:1], ""
	case card.DateField:
		if len(raw) == 0 {
			return nil, unless(f.Optional, say.T("web.error.required"))
		}
		if _, err := time.Parse(time.DateOnly, raw[0]); err != nil {
			return nil, say.T("web.error.date")
		}
		return raw[:1], ""
	case card.ChoiceField:
		for _, v := range raw {
			if !slices.ContainsFunc(f.Options, func(o card.Option) bool { return o.Value == v }) {
				return nil, say.T("web.error.choose")
			}
		}
		switch {
		case len(raw) == 0:
			return nil, unless(f.Optional, say.T("web.error.choose"))
		case len(raw) > 1 && !f.Many:
			return nil, say.T("web.error.choose.one")
		}
		return raw, ""
	case card.PeopleField:
		return readPeople(f, raw, say)
	}
	return nil, ""
}

// least is how many characters a text needs; a form that asks for more than it takes asks for all it takes.
func least(f card.TextField) int {
	if f.Max > 0 {
		return min(f.Min, f.Max)
	}
	return f.Min
}

func unless(optional bool, problem string) string {
	if optional {
		return ""
	}
	return problem
}
