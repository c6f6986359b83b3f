package survey

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"huiyin/internal/fault"
)

// anyQuestionnaire draws a valid one.
func anyQuestionnaire(t *rapid.T) Questionnaire {
	kinds := rapid.SliceOfN(rapid.SampledFrom([]QuestionKind{Score, Score, Chips}), 1, MostQuestions-MostComments).Draw(t, "kinds")
	for range rapid.IntRange(0, MostComments).Draw(t, "comments") {
		kinds = append(kinds, Comment)
	}
	return ask(rapid.Permutation(kinds).Draw(t, "order")...)
}

// anyAnswers draws answers that fit.
func anyAnswers(t *rapid.T, q Questionnaire) Answers {
	out := make(Answers, rapid.IntRange(0, len(q.Questions)).Draw(t, "answered"))
	limit := q.CommentLimit()
	for i := range out {
		switch q.Questions[i].Kind {
		case Score:
			if out[i].CantSay = rapid.Bool().Draw(t, "can't say"); !out[i].CantSay {
				out[i].Score = rapid.IntRange(0, 5).Draw(t, "score")
			}
		case Chips:
			out[i].Chips = uint16(rapid.IntRange(0, 7).Draw(t, "chips"))
		case Comment:
			words := []rune(Normalise(rapid.StringOfN(rapid.RuneFrom([]rune("abc 汉字，。!?…é𠮷😀\n")), 0, limit, -1).Draw(t, "words")))
			out[i].Words = Normalise(string(words[:min(len(words), limit)]))
			if out[i].Words != "" {
				out[i].Theme = rapid.IntRange(0, 2).Draw(t, "theme")
			}
		}
	}
	return out
}

// plain takes what Answers hide from every print, so that a test can compare them.
func plain(answers Answers) []struct {
	Score   int
	CantSay bool
	Chips   uint16
	Theme   int
	Words   string
} {
	var out []struct {
		Score   int
		CantSay bool
		Chips   uint16
		Theme   int
		Words   string
	}
	for _, a := range answers {
		out = append(out, a)
	}
	return out
}

func TestAnAnswerComesOutAsItWentIn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := anyQuestionnaire(t)
		answers := anyAnswers(t, q)
		raw, err := encode(q, answers)
		if err != nil {
			t.Fatalf("encoding answers that fit: %v", err)
		}
		if len(raw) != PlainSize {
			t.Fatalf("the plaintext has %d bytes, want %d whatever was answered", len(raw), PlainSize)
		}
		got, err := decode(q, raw)
		if err != nil {
			t.Fatalf("decoding: %v", err)
		}
		want := append(answers, make(Answers, len(q.Questions)-len(answers))...)
		if diff := cmp.Diff(plain(want), plain(got)); diff != "" {
			t.Fatalf("answers changed (-in +out):\n%s", diff)
		}
	})
}

func TestTheLongestCommentsOfEveryAlphabetFit(t *testing.T) {
	for comments := 1; comments <= MostComments; comments++ {
		for _, letter := range []string{"x", "é", "汉", "𠮷"} {
			var kinds []QuestionKind
			for range comments {
				kinds = append(kinds, Comment)
			}
			for len(kinds) < MostQuestions {
				kinds = append(kinds, Chips)
			}
			q := ask(kinds...)
			limit := q.CommentLimit()
			var answers Answers
			for range comments {
				answers = append(answers, Answer{Words: strings.Repeat(letter, limit)})
			}
			if _, err := encode(q, answers); err != nil {
				t.Errorf("%d comments of %d × %s: %v", comments, limit, letter, err)
			}
			answers[0].Words += letter
			f, ok := fault.Of(second(encode(q, answers)))
			if !ok || f.Key != "survey.answer.long" || f.Field != "questions.1" || f.Args["Most"] != limit {
				t.Errorf("one character more gives %v about %q, want survey.answer.long about questions.1 with the limit", f, f.Field)
			}
		}
	}
	if got := ask(append(slices.Repeat([]QuestionKind{Chips}, 26), Comment, Comment, Comment, Comment)...).CommentLimit(); got != 251 {
		t.Errorf("the tightest limit is %d, the comment in ballot.go says 251", got)
	}
}

func second[T any](_ T, err error) error { return err }

func TestAnswersThatFitNoQuestionAreRefusedByField(t *testing.T) {
	q := ask(Score, Chips, Comment)
	answers := Answers{{Score: 6}, {Chips: 8}, {Theme: 3, Words: "x"}}
	f, ok := fault.Of(second(encode(q, answers)))
	if !ok {
		t.Fatal("they were accepted")
	}
	var got []string
	for _, f := range f.All() {
		got = append(got, f.Field+" "+f.Key)
	}
	want := []string{"questions.1 survey.answer.score", "questions.2 survey.answer.chips", "questions.3 survey.answer.comment"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	for what, a := range map[string]Answers{
		"a score of -1": {{Score: -1}}, "a score and can't say": {{Score: 3, CantSay: true}}, "words for a score": {{Words: "x"}},
		"a theme without words": {{}, {}, {Theme: 1}}, "more answers than questions": make(Answers, 4),
	} {
		if _, err := encode(q, a); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want a fault of kind invalid", what, err)
		}
	}
}

func TestAnAnswerIsNeverPrintedOrWrittenDown(t *testing.T) {
	answers := Answers{{Score: 5, Words: "canary"}}
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	logger.Info("x", "one", answers[0], "all", answers)
	printed := fmt.Sprintf("%v %+v %#v %s %d %q %v %+v %s", answers, answers, answers, answers, answers, answers, answers[0], &answers[0], struct{ A Answer }{answers[0]})
	if strings.Contains(log.String()+printed, "canary") || strings.Contains(printed, "5") {
		t.Errorf("an answer was printed: %s%s", log.String(), printed)
	}
	for _, v := range []any{answers, answers[0], map[string]any{"a": answers[0]}} {
		if raw, err := json.Marshal(v); err == nil {
			t.Errorf("an answer became JSON: %s", raw)
		}
	}
	_, err := encode(ask(Comment), Answers{{Words: strings.Repeat("canary ", 200)}})
	f, _ := fault.Of(err)
	if strings.Contains(fmt.Sprint(err, f.Args), "canary") {
		t.Errorf("a fault holds the answer: %v %v", err, f.Args)
	}
}

// Whatever the decoder accepts is exactly what the encoder writes for it.
func FuzzDecode(f *testing.F) {
	q := ask(Score, Chips, Comment, Score)
	for _, answers := range []Answers{nil, {{Score: 5}, {Chips: 3}, {Theme: 1, Words: "谢谢 you"}, {CantSay: true}}, {{}, {}, {Words: "a"}}} {
		raw, err := encode(q, answers)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw[:64])
	}
	f.Add([]byte{layout, 4, 7, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{layout, 4, 0, 0, 0, 0, 0xff, 0xff, 0})
	f.Add([]byte{layout, 4, 0, 0, 0, 0, 0, 2, 0xc3, 0x28, 0})
	f.Fuzz(func(t *testing.T, head []byte) {
		raw := make([]byte, PlainSize)
		copy(raw, head)
		answers, err := decode(q, raw)
		if err != nil {
			return
		}
		again, err := encode(q, answers)
		if err != nil || !bytes.Equal(raw, again) {
			t.Errorf("a ballot that is not written like this was accepted (%v)", err)
		}
	})
}

func TestABallotOfAnotherSizeOrLayoutIsNone(t *testing.T) {
	q := ask(Score, Comment)
	good, err := encode(q, Answers{{Score: 1}})
	if err != nil {
		t.Fatal(err)
	}
	change := func(do func([]byte) []byte) []byte { return do(bytes.Clone(good)) }
	for what, raw := range map[string][]byte{
		"nothing": nil, "one byte less": good[:PlainSize-1], "one byte more": append(bytes.Clone(good), 0),
		"another layout":    change(func(b []byte) []byte { b[0]++; return b }),
		"another count":     change(func(b []byte) []byte { b[1]++; return b }),
		"a mark at the end": change(func(b []byte) []byte { b[PlainSize-1] = 1; return b }),
		"a length beyond":   change(func(b []byte) []byte { b[4], b[5] = 0xff, 0xff; return b }),
	} {
		if _, err := decode(q, raw); err == nil {
			t.Errorf("%s: it was read as a ballot", what)
		}
	}
	if _, err := decode(ask(Score, Comment, Score), good); err == nil {
		t.Error("it was read with another questionnaire")
	}
}
