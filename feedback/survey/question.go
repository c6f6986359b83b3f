package survey

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"huiyin/internal/fault"
)

// Text is what HR wrote, in both languages; each reader sees their own.
type Text struct {
	Zh string `json:"zh-CN"`
	En string `json:"en"`
}

// In gives the text in a language: Chinese for zh-CN, English for every other.
func (t Text) In(lang string) string {
	if lang == "zh-CN" {
		return t.Zh
	}
	return t.En
}

// QuestionKind is what an answer consists of.
type QuestionKind string

// The kinds of question.
const (
	Score   QuestionKind = "score"   // 1 to 5, each with a behaviour that anchors it, or "can't say"
	Chips   QuestionKind = "chips"   // any number of the options
	Comment QuestionKind = "comment" // words, with at most one of the options as their theme; never asked of groups that are too small for it
)

// Question is one question of a questionnaire.
type Question struct {
	// ID stays the same as long as the question means the same: the rule about asking again and every trend go by it.
	ID        uuid.UUID    `json:"id"`
	Kind      QuestionKind `json:"kind"`
	Dimension string       `json:"dimension"` // key of one of the questionnaire's; empty: none
	Text      Text         `json:"text"`
	Anchors   []Text       `json:"anchors,omitempty"` // Score: what 1, 2, 3, 4 and 5 look like
	Options   []Text       `json:"options,omitempty"` // Chips: the chips; Comment: the themes
}

// Dimension is what several questions are about together: an axis of the radar.
type Dimension struct {
	Key  string `json:"key"`
	Text Text   `json:"text"`
}

// Questionnaire is what is asked. Part of the policy, it is frozen when the cycle opens.
type Questionnaire struct {
	Key        string      `json:"key"`
	Title      Text        `json:"title"`
	Dimensions []Dimension `json:"dimensions"`
	Questions  []Question  `json:"questions"`
}

// Limits of a questionnaire. With them every ballot fits its constant size, see ballot.go.
const (
	MostQuestions = 30
	MostComments  = 4
	MostOptions   = 16
	mostText      = 300 // characters of a question, an anchor or an option
	scale         = 5
)

// QuestionID is the id of a question that has none yet: the same words of the same kind are the same question, in every cycle.
func QuestionID(kind QuestionKind, text Text) uuid.UUID {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte("huiyin survey question\x00"+string(kind)+"\x00"+text.Zh+"\x00"+text.En))
}

// Complete gives every question without an id the one of its words.
func (q Questionnaire) Complete() Questionnaire {
	questions := make([]Question, len(q.Questions))
	for i, question := range q.Questions {
		if question.ID == uuid.Nil {
			question.ID = QuestionID(question.Kind, question.Text)
		}
		questions[i] = question
	}
	q.Questions = questions
	return q
}

// Check gives a fault of kind Invalid with every problem. The field is "questions.3" for the third question, counted from 1.
func (q Questionnaire) Check(kind Kind) error {
	var problems []*fault.Fault
	bad := func(field, key string, args ...any) {
		problems = append(problems, fault.New(fault.Invalid, key, args...).In(field))
	}
	if !q.Title.complete() {
		bad("title", "survey.question.languages")
	}
	dimensions := map[string]bool{"": true}
	for _, d := range q.Dimensions {
		if d.Key == "" || dimensions[d.Key] || !d.Text.complete() {
			bad("dimensions", "survey.question.languages")
		}
		dimensions[d.Key] = true
	}
	most := MostQuestions
	if kind == Pulse {
		most = MostPulse
	}
	if len(q.Questions) == 0 || len(q.Questions) > most {
		bad("questions", "survey.question.count", "Most", most, "Count", len(q.Questions))
	}
	comments, seen := 0, map[uuid.UUID]bool{}
	for i, question := range q.Questions {
		field := questionField(i)
		if question.Kind == Comment {
			comments++
		}
		switch {
		case !question.bilingual():
			bad(field, "survey.question.languages")
		case question.ID == uuid.Nil || seen[question.ID]:
			bad(field, "survey.question.twice")
		case !dimensions[question.Dimension]:
			bad(field, "survey.question.dimension")
		case !question.shaped():
			bad(field, "survey.question.shape", "Most", MostOptions)
		}
		seen[question.ID] = true
	}
	if comments > MostComments {
		bad("questions", "survey.question.comments", "Most", MostComments)
	}
	return fault.Join(problems...)
}

func (t Text) complete() bool {
	for _, words := range []string{t.Zh, t.En} {
		if strings.TrimSpace(words) == "" || utf8.RuneCountInString(words) > mostText || !utf8.ValidString(words) || strings.ContainsFunc(words, unicode.IsControl) {
			return false
		}
	}
	return true
}

func (q Question) bilingual() bool {
	ok := q.Text.complete()
	for _, t := range q.Anchors {
		ok = ok && t.complete()
	}
	for _, t := range q.Options {
		ok = ok && t.complete()
	}
	return ok
}

// shaped reports whether the question has the parts of its kind and no others.
func (q Question) shaped() bool {
	switch q.Kind {
	case Score:
		return len(q.Anchors) == scale && len(q.Options) == 0
	case Chips:
		return len(q.Anchors) == 0 && len(q.Options) >= 2 && len(q.Options) <= MostOptions
	case Comment:
		return len(q.Anchors) == 0 && len(q.Options) <= MostOptions
	}
	return false
}
