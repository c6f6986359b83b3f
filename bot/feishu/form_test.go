package feishu

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"huiyin/bot"
	"huiyin/bot/card"
)

func crowd(n int) []card.Option {
	out := make([]card.Option, n)
	for i := range out {
		out[i] = card.Option{Value: fmt.Sprintf("ou_%032x", i*7919), Label: fmt.Sprintf("林晓%d", i)}
	}
	return out
}

// A people field never comes without anybody to choose from: Feishu would offer all members of the chat.
func TestAPersonPickerHasCandidatesOrIsNone(t *testing.T) {
	for what, c := range map[string]struct {
		field card.PeopleField
		tag   string
	}{
		"nobody to choose from":        {card.PeopleField{Name: "to"}, "input"},
		"accounts, several":            {card.PeopleField{Name: "to", Candidates: crowd(2)}, "multi_select_person"},
		"accounts, one":                {card.PeopleField{Name: "to", Max: 1, Candidates: crowd(2)}, "select_person"},
		"somebody without an account":  {card.PeopleField{Name: "to", Max: 1, Candidates: append(crowd(1), card.Option{Value: "person:1", Label: "Mei"})}, "select_static"},
		"several, one without account": {card.PeopleField{Name: "to", Candidates: append(crowd(1), card.Option{Value: "person:1", Label: "Mei"})}, "multi_select_static"},
		"only who is chosen already":   {card.PeopleField{Name: "to", Value: []string{crowd(1)[0].Value}}, "multi_select_person"},
		"chosen, and no account":       {card.PeopleField{Name: "to", Value: []string{"U012ABCDEF"}}, "input"},
	} {
		drawn, err := RenderForm(card.Form{Action: card.Act("x"), Fields: []card.Field{c.field}}, bot.Place{})
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		text, _, _ := content(drawn)
		if !strings.Contains(text, `{"tag":"`+c.tag+`","name":"`) || c.tag != "input" && strings.Contains(text, `"options":[]`) {
			t.Errorf("%s is drawn as %s", what, text)
		}
	}
}

// However many people and words there are, a form fits; with few enough it can be drawn again, and what is chosen stays chosen.
func TestAFormFitsWhateverIsInIt(t *testing.T) {
	for _, n := range []int{0, 10, 100, 200, 400, 3000} {
		people := crowd(n)
		f := card.Form{Title: "Praise", Submit: "Send", Action: card.Act("praise.send"), Intro: []card.Block{card.Say("One sentence is enough.")}, Fields: []card.Field{
			card.PeopleField{Name: "to", Label: "To whom?", Candidates: people, Max: 5},
			card.TextField{Name: "text", Label: "What was good?", Multiline: true, Max: 1000},
		}}
		if n > 0 {
			f.Fields[0] = card.PeopleField{Name: "to", Label: "To whom?", Candidates: people, Max: 5, Value: []string{people[n-1].Value}}
		}
		q, err := questionOf(f)
		if err != nil {
			t.Fatal(err)
		}
		drawn, err := q.render(value{Action: f.Action, Submits: true}, nil, nil)
		if err != nil {
			t.Errorf("with %d people: %v", n, err)
			continue
		}
		for _, problem := range check(t, drawn) {
			t.Errorf("with %d people: %s", n, problem)
		}
		text, size, _ := content(drawn)
		if n > 0 && !strings.Contains(text, `"selected_values":["`+people[n-1].Value) {
			t.Errorf("with %d people who is chosen is not", n)
		}
		packed := strings.Contains(text, `"f":"`)
		if n <= 200 && !packed {
			t.Errorf("with %d people the form cannot be drawn again, at %d bytes", n, size)
		}
		t.Logf("with %d people: %d bytes, can be drawn again: %v", n, size, packed)
		if !packed {
			continue
		}
		submit := drawn.Body.Elements[len(drawn.Body.Elements)-1].(form).Elements
		v := submit[len(submit)-1].(button).Behaviors[0].Value
		again, ok := unpack(v.Form)
		if !ok {
			t.Errorf("with %d people the definition cannot be read", n)
			continue
		}
		wrong, err := again.render(*v, card.Values{"text": {strings.Repeat("谢", 1000)}}, map[string]string{"text": "Too long", "to": "Not yourself"})
		if err != nil {
			t.Errorf("with %d people it is not drawn again: %v", n, err)
			continue
		}
		for _, problem := range check(t, wrong) {
			t.Errorf("with %d people, drawn again: %s", n, problem)
		}
		if text, _, _ := content(wrong); !strings.Contains(text, "Too long") || !strings.Contains(text, "Not yourself") || !strings.Contains(text, strings.Repeat("谢", 1000)) || !strings.Contains(text, "One sentence is enough.") {
			t.Errorf("with %d people, drawn again, something is lost", n)
		}
	}
}

// What people send back is what stood in the form: a text that its input would cut is not shown in one.
func TestNoInputCutsWhatStandsInIt(t *testing.T) {
	for what, c := range map[string]struct {
		text string
		most int // that the field wants
		want error
	}{
		"as long as it may be":              {strings.Repeat("谢", 1000), 3000, nil},
		"one more":                          {strings.Repeat("谢", 1001), 3000, tooLong{1001, 1000}},
		"one more without a limit":          {strings.Repeat("x", 1001), 0, tooLong{1001, 1000}},
		"as long as a field's own limit":    {strings.Repeat("x", 80), 80, nil},
		"longer than a field's own limit":   {strings.Repeat("x", 81), 80, tooLong{81, 80}},
		"pictures, which may count twice":   {strings.Repeat("🎉", 501), 3000, tooLong{1002, 1000}},
		"nothing but blanks, never shown":   {strings.Repeat(" ", 2000), 3000, nil},
		"what is dropped in any case apart": {strings.Repeat("x", 1000) + "\u200b", 3000, nil},
	} {
		for _, lines := range []bool{true, false} {
			f := card.Form{Action: card.Act("x"), Fields: []card.Field{card.TextField{Name: "text", Value: c.text, Multiline: lines, Max: c.most}}}
			drawn, err := RenderForm(f, bot.Place{})
			if !errors.Is(err, c.want) {
				t.Errorf("%s: drawing it ended with %v, want %v", what, err, c.want)
				continue
			}
			if c.want != nil || blank(c.text) {
				continue
			}
			if text, _, _ := content(drawn); !strings.Contains(text, `"default_value":"`+tidy(c.text)+`"`) {
				t.Errorf("%s: it does not stand in the form as it was: %.300s", what, text)
			}
		}
	}
	q, err := questionOf(card.Form{Action: card.Act("x"), Fields: []card.Field{card.PeopleField{Name: "to"}, card.TextField{Name: "text"}}})
	if err != nil {
		t.Fatal(err)
	}
	for name, typed := range map[string][]string{"text": {strings.Repeat("x", 1001)}, "to": {"@" + strings.Repeat("x", 600), "@" + strings.Repeat("y", 600)}} {
		if _, err := q.render(value{}, card.Values{name: typed}, nil); !errors.As(err, new(tooLong)) {
			t.Errorf("a form with too much typed into %s is drawn again, which ended with %v", name, err)
		}
	}
}

func TestFormsThatNobodyCouldHaveCausedAreErrors(t *testing.T) {
	text := card.TextField{Name: "text"}
	for what, f := range map[string]card.Form{
		"no action":                {Fields: []card.Field{text}},
		"no fields":                {Action: card.Act("x")},
		"a name twice":             {Action: card.Act("x"), Fields: []card.Field{text, text}},
		"a field without name":     {Action: card.Act("x"), Fields: []card.Field{card.TextField{}}},
		"the button's name":        {Action: card.Act("x"), Fields: []card.Field{card.TextField{Name: submitName}}},
		"a choice of nothing":      {Action: card.Act("x"), Fields: []card.Field{card.ChoiceField{Name: "c"}}},
		"an option without value":  {Action: card.Act("x"), Fields: []card.Field{card.ChoiceField{Name: "c", Options: []card.Option{{Label: "x"}}}}},
		"a field that is nil":      {Action: card.Act("x"), Fields: []card.Field{nil}},
		"a button without a name":  {Action: card.Act("x"), Fields: []card.Field{text}, Intro: []card.Block{card.Buttons{Buttons: []card.Button{{Label: "x"}}}}},
		"more fields than a card":  {Action: card.Act("x"), Fields: make([]card.Field, 60)},
		"a name that is too long":  {Action: card.Act("x"), Fields: []card.Field{card.TextField{Name: strings.Repeat("x", 101)}}},
		"an action with long name": {Action: card.Act(strings.Repeat("x", 101)), Fields: []card.Field{text}},
	} {
		if _, err := RenderForm(f, bot.Place{}); err == nil {
			t.Errorf("a form with %s is drawn", what)
		}
	}
}
