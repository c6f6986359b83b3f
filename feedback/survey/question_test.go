package survey

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/uuid"

	"huiyin/internal/fault"
)

// ask makes a valid questionnaire of the given kinds.
func ask(kinds ...QuestionKind) Questionnaire {
	text := func(words string) Text { return Text{Zh: "中文 " + words, En: words} }
	q := Questionnaire{Key: "test", Title: text("test"), Dimensions: []Dimension{{Key: "d", Text: text("dimension")}}}
	for i, kind := range kinds {
		question := Question{Kind: kind, Dimension: "d", Text: text("question " + string(rune('a'+i)))}
		switch kind {
		case Score:
			question.Anchors = []Text{text("1"), text("2"), text("3"), text("4"), text("5")}
		case Chips:
			question.Options = []Text{text("x"), text("y"), text("z")}
		case Comment:
			question.Options = []Text{text("theme one"), text("theme two")}
		}
		q.Questions = append(q.Questions, question)
	}
	return q.Complete()
}

func TestTheQuestionnairesThatComeWithTheProductAreValid(t *testing.T) {
	all, err := Standard()
	if err != nil {
		t.Fatalf("reading them: %v", err)
	}
	seen := map[uuid.UUID]bool{}
	for key, kind := range map[string]Kind{"360": Review, "pulse": Pulse, "service": Pulse} {
		q, ok := all[key]
		if !ok {
			t.Fatalf("there is no questionnaire %q", key)
		}
		if err := q.Check(kind); err != nil {
			t.Errorf("%s: %v", key, err)
		}
		for _, question := range q.Questions {
			if seen[question.ID] {
				t.Errorf("%s: the id %s is used twice", key, question.ID)
			}
			seen[question.ID] = true
			for _, text := range append(append([]Text{question.Text}, question.Anchors...), question.Options...) {
				if !strings.ContainsFunc(text.Zh, func(r rune) bool { return unicode.Is(unicode.Han, r) }) || strings.ContainsAny(text.Zh, ",?!;()") {
					t.Errorf("%s: %q is no Chinese with Chinese punctuation", key, text.Zh)
				}
				if strings.ContainsFunc(text.En, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
					t.Errorf("%s: %q is no English", key, text.En)
				}
			}
		}
	}
	var dimensions []string
	for _, d := range all["360"].Dimensions {
		dimensions = append(dimensions, d.Text.Zh)
	}
	if want := []string{"协作意识", "问题解决", "服务支持", "沟通表达"}; !slices.Equal(dimensions, want) {
		t.Errorf("the 360 is about %v, want %v (S3-10)", dimensions, want)
	}
	if len(all) != 3 {
		t.Errorf("there are %d questionnaires, this test knows three", len(all))
	}
}

func TestEveryProblemOfAQuestionnaireIsFound(t *testing.T) {
	many := func(n int, kind QuestionKind) Questionnaire {
		kinds := make([]QuestionKind, n)
		for i := range kinds {
			kinds[i] = kind
		}
		return ask(kinds...)
	}
	change := func(q Questionnaire, do func(*Question)) Questionnaire {
		do(&q.Questions[1])
		return q
	}
	tests := []struct {
		what string
		kind Kind
		q    Questionnaire
		key  string // empty: valid
	}{
		{"questions of every kind", Review, ask(Score, Chips, Comment), ""},
		{"as many as allowed", Review, many(MostQuestions, Score), ""},
		{"one more", Review, many(MostQuestions+1, Score), "survey.question.count"},
		{"none", Review, many(0, Score), "survey.question.count"},
		{"five in a pulse", Pulse, many(MostPulse, Score), ""},
		{"six in a pulse", Pulse, many(MostPulse+1, Score), "survey.question.count"},
		{"four comments", Review, many(MostComments, Comment), ""},
		{"five comments", Review, many(MostComments+1, Comment), "survey.question.comments"},
		{"no English", Review, change(ask(Score, Score), func(q *Question) { q.Text.En = " " }), "survey.question.languages"},
		{"a zero byte, which Postgres refuses", Review, change(ask(Score, Score), func(q *Question) { q.Text.En = "a\x00" }), "survey.question.languages"},
		{"an anchor without Chinese", Review, change(ask(Score, Score), func(q *Question) { q.Anchors[4].Zh = "" }), "survey.question.languages"},
		{"four anchors", Review, change(ask(Score, Score), func(q *Question) { q.Anchors = q.Anchors[:4] }), "survey.question.shape"},
		{"one chip", Review, change(ask(Score, Chips), func(q *Question) { q.Options = q.Options[:1] }), "survey.question.shape"},
		{"an unknown kind", Review, change(ask(Score, Score), func(q *Question) { q.Kind = "essay" }), "survey.question.shape"},
		{"an unknown dimension", Review, change(ask(Score, Score), func(q *Question) { q.Dimension = "luck" }), "survey.question.dimension"},
		{"the same question twice", Review, Questionnaire{Title: Text{"一", "one"}, Questions: []Question{ask(Chips).Questions[0], ask(Chips).Questions[0]}}, "survey.question.dimension"},
	}
	for _, tt := range tests {
		err := tt.q.Check(tt.kind)
		if tt.key == "" {
			if err != nil {
				t.Errorf("%s: %v, want no problem", tt.what, err)
			}
			continue
		}
		f, ok := fault.Of(err)
		if !ok || !slices.ContainsFunc(f.All(), func(f *fault.Fault) bool { return f.Key == tt.key && f.Kind == fault.Invalid }) {
			t.Errorf("%s: %v, want %s", tt.what, err, tt.key)
		}
	}
}

func TestTheSameWordsAreTheSameQuestion(t *testing.T) {
	a, b := ask(Score, Chips), ask(Score, Chips)
	for i := range a.Questions {
		if a.Questions[i].ID != b.Questions[i].ID {
			t.Errorf("question %d has two ids", i+1)
		}
	}
	if a.Questions[0].ID == a.Questions[1].ID {
		t.Error("two questions have one id")
	}
	if _, err := ParseQuestionnaire([]byte(`{"key":"x","secret":1}`)); err == nil {
		t.Error("a file with an unknown field was accepted")
	}
}

func TestEachReaderSeesTheirOwnLanguage(t *testing.T) {
	text := Text{Zh: "协作", En: "Collaboration"}
	for lang, want := range map[string]string{"zh-CN": "协作", "en": "Collaboration", "": "Collaboration"} {
		if got := text.In(lang); got != want {
			t.Errorf("in %q it reads %q, want %q", lang, got, want)
		}
	}
}
