package web

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"huiyin/bot/card"
	"huiyin/internal/i18n"
)

func TestWhatIsFilledInIsCheckedByWhatTheFormSays(t *testing.T) {
	catalog, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	few := []card.Option{{Value: "S1", Label: "Kai Wang"}, {Value: "S2", Label: "Mei Li"}}
	many := append([]card.Option{{Value: "S3", Label: "Wang Wei"}, {Value: "S4", Label: "Wang Wei"}, {Value: "S5", Label: "王伟 · 产品部"}}, few...)
	for i := range 20 {
		many = append(many, card.Option{Value: "X" + string(rune('a'+i)), Label: "Somebody " + string(rune('A'+i))})
	}
	words := func(max int) card.Field { return card.TextField{Name: "x", Max: max, Min: 2} }
	choice := func(many, optional bool) card.Field {
		return card.ChoiceField{Name: "x", Options: []card.Option{{Value: "a"}, {Value: "b"}}, Many: many, Optional: optional}
	}
	people := func(among []card.Option, most int) card.Field {
		return card.PeopleField{Name: "x", Candidates: among, Max: most}
	}
	for name, c := range map[string]struct {
		field   card.Field
		sent    []string
		want    []string
		problem string
	}{
		"words":                        {words(10), []string{"line\r\nline"}, []string{"line\nline"}, ""},
		"words without what is unseen": {words(10), []string{"a\x00\x07b"}, []string{"ab"}, ""},
		"no words":                     {words(10), []string{" \n "}, nil, "fill this in"},
		"ten Chinese characters":       {words(10), []string{strings.Repeat("谢", 10)}, []string{strings.Repeat("谢", 10)}, ""},
		"eleven Chinese characters":    {words(10), []string{strings.Repeat("谢", 11)}, nil, "At most 10 characters; you wrote 11"},
		"too few words":                {words(10), []string{"a"}, nil, "At least 2"},
		"no words where none need be":  {card.TextField{Name: "x", Optional: true, Min: 5}, nil, nil, ""},
		"more asked for than taken":    {card.TextField{Name: "x", Min: 99, Max: 3}, []string{"abc"}, []string{"abc"}, ""},
		"a day":                        {card.DateField{Name: "x"}, []string{"2026-11-30"}, []string{"2026-11-30"}, ""},
		"no such day":                  {card.DateField{Name: "x"}, []string{"2026-02-30"}, nil, "2026-11-30"},
		"a choice":                     {choice(false, false), []string{"a"}, []string{"a"}, ""},
		"no choice":                    {choice(false, false), nil, nil, "choose"},
		"none of them":                 {choice(false, true), []string{""}, nil, ""},
		"what is no choice":            {choice(false, true), []string{"c"}, nil, "from the list"},
		"two of one":                   {choice(false, false), []string{"a", "b"}, nil, "only one"},
		"two of many":                  {choice(true, false), []string{"a", "b"}, []string{"a", "b"}, ""},
		"somebody ticked":              {people(few, 1), []string{"S2"}, []string{"S2"}, ""},
		"nobody ticked":                {people(few, 1), nil, nil, "at least one person"},
		"two of one person":            {people(few, 1), []string{"S1", "S2"}, nil, "At most 1 person"},
		"somebody outside":             {people(few, 1), []string{"S9"}, nil, "Nobody on the list"},
		"a part of a name":             {people(many, 2), []string{" mei ", ""}, []string{"S2"}, ""},
		"the same twice":               {people(many, 2), []string{"Mei Li", "mei"}, []string{"S2"}, ""},
		"a whole name":                 {people(many, 2), []string{"kai wang"}, []string{"S1"}, ""},
		"one of two of a name":         {people(many, 2), []string{"Wang Wei (S4)"}, []string{"S4"}, ""},
		"two of a name":                {people(many, 2), []string{"wang wei"}, nil, "may be Wang Wei (S3), Wang Wei (S4)"},
		"a Chinese name":               {people(many, 2), []string{"王伟"}, []string{"S5"}, ""},
		"a name of many":               {people(many, 2), []string{"somebody"}, nil, "…"},
		"an account without a list":    {people(nil, 1), []string{"U1"}, []string{"U1"}, ""},
	} {
		values, shown := read(card.Form{Fields: []card.Field{c.field}}, url.Values{"f.x": c.sent}, catalog.In("en"))
		if diff := cmp.Diff(c.want, values["x"]); diff != "" {
			t.Errorf("%s: the values differ (-want +got):\n%s", name, diff)
		}
		if got := shown.problems["x"]; (got == "") != (c.problem == "") || !strings.Contains(got, c.problem) {
			t.Errorf("%s: the problem is %q, want one with %q", name, got, c.problem)
		}
	}
}

func TestPeopleWhoAreProposedStandInTheForm(t *testing.T) {
	s := open(t)
	var many []card.Option
	for i := range 20 {
		many = append(many, card.Option{Value: "X" + string(rune('a'+i)), Label: "Somebody " + string(rune('A'+i))})
	}
	for _, among := range [][]card.Option{many, many[:5]} {
		f := card.Form{Title: "T", Action: card.Act("x"), Fields: []card.Field{card.PeopleField{Name: "to", Label: "To", Max: 2, Candidates: among, Value: []string{"Xb", "gone"}}}}
		address := s.form("en", f)
		body := s.get(address).Body
		if !strings.Contains(body, `value="Somebody B"`) && !strings.Contains(body, `value="Xb" checked`) {
			t.Errorf("the person proposed among %d does not stand in the form:\n%s", len(among), body)
		}
	}
}
