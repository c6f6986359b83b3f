package web

import (
	"slices"
	"strings"

	"huiyin/bot/card"
	"huiyin/internal/i18n"
)

const (
	// fewPeople can be read through on a phone; of more one types a part of the name.
	fewPeople = 12
	// places are how many names can be typed into one field.
	places = 5
)

// typed says that people are typed, with suggestions, instead of ticked.
func typed(f card.PeopleField) bool { return len(f.Candidates) > fewPeople || len(f.Candidates) == 0 }

// labels are the candidates' labels, told apart where two are the same.
func labels(f card.PeopleField) []string {
	times := map[string]int{}
	for _, o := range f.Candidates {
		times[o.Label]++
	}
	out := make([]string, len(f.Candidates))
	for i, o := range f.Candidates {
		out[i] = o.Label
		if times[o.Label] > 1 {
			out[i] += " (" + o.Value + ")"
		}
	}
	return out
}

// labelsOf are the labels of the people that a field proposes.
func labelsOf(f card.PeopleField) []string {
	names := labels(f)
	var out []string
	for _, v := range f.Value {
		if i := slices.IndexFunc(f.Candidates, func(o card.Option) bool { return o.Value == v }); i >= 0 {
			out = append(out, names[i])
		} else if len(f.Candidates) == 0 {
			out = append(out, v)
		}
	}
	return out
}

// readPeople finds the accounts of the people ticked or typed. A part of a name is enough when it fits one person only.
func readPeople(f card.PeopleField, raw []string, say i18n.Printer) (accounts []string, problem string) {
	names := labels(f)
	for _, s := range raw {
		account := s
		if len(f.Candidates) > 0 {
			fits := fitting(f, names, s)
			switch {
			case len(fits) == 0:
				return nil, say.T("web.error.nobody", "Name", s)
			case len(fits) > 1:
				return nil, say.T("web.error.several", "Name", s, "Names", listed(names, fits, say))
			}
			account = f.Candidates[fits[0]].Value
		}
		if !slices.Contains(accounts, account) {
			accounts = append(accounts, account)
		}
	}
	switch {
	case len(accounts) == 0:
		return nil, unless(f.Optional, say.T("web.error.person"))
	case f.Max > 0 && len(accounts) > f.Max:
		return nil, say.T("web.error.people", "Count", f.Max)
	}
	return accounts, ""
}

// fitting are the candidates that s may mean: the one with that account or label, else all with s in their label.
func fitting(f card.PeopleField, names []string, s string) []int {
	part := strings.ToLower(strings.TrimSpace(s))
	var among []int
	for i, name := range names {
		name = strings.ToLower(strings.TrimSpace(name))
		if f.Candidates[i].Value == s || name == part {
			return []int{i}
		}
		if strings.Contains(name, part) {
			among = append(among, i)
		}
	}
	return among
}

// listed names a few of those who are meant.
func listed(names []string, fits []int, say i18n.Printer) string {
	var out []string
	for _, i := range fits[:min(len(fits), 4)] {
		out = append(out, names[i])
	}
	if len(fits) > 4 {
		out = append(out, "…")
	}
	return strings.Join(out, say.T("common.comma"))
}
