package survey

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf8"

	"huiyin/internal/fault"
)

// Answer is what somebody says to one question. It has no author and no time, and it neither prints nor becomes JSON: whoever logs it,
// queues it or puts it into a message gets "[answer]" or an error.
type Answer struct {
	Score   int    // 1 to 5; 0: skipped
	CantSay bool   // instead of a score
	Chips   uint16 // bit i: option i
	Theme   int    // of the comment: option Theme-1; 0: none
	Words   string
}

// Answers are one rater's answers about one subject, in the order of the questions. A missing tail is skipped.
type Answers []Answer

// Format hides the answer from every verb.
func (Answer) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[answer]") }

// LogValue hides the answer from every log.
func (Answer) LogValue() slog.Value { return slog.StringValue("[answer]") }

// MarshalJSON refuses: what becomes JSON ends in a queue, a cache or a log.
func (Answer) MarshalJSON() ([]byte, error) { return nil, errWritten }

// Format hides the answers from every verb.
func (Answers) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[answers]") }

// LogValue hides the answers from every log.
func (Answers) LogValue() slog.Value { return slog.StringValue("[answers]") }

// MarshalJSON refuses, see Answer.
func (Answers) MarshalJSON() ([]byte, error) { return nil, errWritten }

var errWritten = errors.New("answers are sealed, never written as JSON")

// blank reports whether the question was skipped, as far as figures are concerned: "can't say" counts in none.
func (a Answer) blank(kind QuestionKind) bool {
	switch kind {
	case Score:
		return a.Score == 0
	case Chips:
		return a.Chips == 0
	case Comment:
		return a.Words == ""
	}
	return true
}

// The plaintext of a ballot, always PlainSize bytes: a length would tell who wrote the long comment (99.5 % linked by it).
//
//	byte 0      version of this layout
//	byte 1      number of questions
//	            then every question of the questionnaire in its order:
//	score       1 byte: 0 skipped, 1 to 5, 6 can't say
//	chips       2 bytes, big endian: bit i is option i
//	comment     1 byte theme, 2 bytes length, then so many bytes of UTF-8
//	            then zeros to the end
//
// CommentLimit divides what the fixed parts leave among the comments at 4 bytes a character, the most that UTF-8 takes. With the limits
// of a questionnaire (30 questions, 4 comments) that is never below 251 characters: 4096 - 2 - 26×2 - 4×3 = 4030 bytes, 4030 / (4×4) rounds
// down to 251. One comment alone gets the cap of 500.
const (
	PlainSize   = 4096
	layout      = 1
	cantSay     = 6
	mostComment = 500
)

// CommentLimit is how many characters a comment may have, in every comment question of this questionnaire. Every ballot within it fits.
func (q Questionnaire) CommentLimit() int {
	left, comments := PlainSize-2, 0
	for _, question := range q.Questions {
		switch question.Kind {
		case Score:
			left--
		case Chips:
			left -= 2
		case Comment:
			left -= 3
			comments++
		}
	}
	if comments == 0 {
		return 0
	}
	return max(0, min(mostComment, left/(utf8.UTFMax*comments)))
}

// questionField names the question at index i, as a fault's field does.
func questionField(i int) string { return "questions." + strconv.Itoa(i+1) }

// encode gives the padded plaintext. Words are normalised first, see Normalise, so that what is sealed is what may be shown. It gives a
// fault of kind Invalid with the field of every answer that does not fit its question.
func encode(q Questionnaire, answers Answers) ([]byte, error) {
	if len(answers) > len(q.Questions) {
		return nil, fault.New(fault.Invalid, "survey.answer.unasked").In(questionField(len(q.Questions)))
	}
	out := append(make([]byte, 0, PlainSize), layout, byte(len(q.Questions)))
	var problems []*fault.Fault
	limit := q.CommentLimit()
	for i, question := range q.Questions {
		var a Answer
		if i < len(answers) {
			a = answers[i]
		}
		a.Words = Normalise(a.Words)
		if bad := a.check(question, limit); bad != nil {
			problems = append(problems, bad.In(questionField(i)))
			continue
		}
		switch question.Kind {
		case Score:
			score := byte(a.Score)
			if a.CantSay {
				score = cantSay
			}
			out = append(out, score)
		case Chips:
			out = binary.BigEndian.AppendUint16(out, a.Chips)
		case Comment:
			out = binary.BigEndian.AppendUint16(append(out, byte(a.Theme)), uint16(len(a.Words)))
			out = append(out, a.Words...)
		}
	}
	if err := fault.Join(problems...); err != nil {
		return nil, err
	}
	if len(out) > PlainSize {
		return nil, fmt.Errorf("a ballot of %d bytes: the limit of comments is wrong", len(out))
	}
	return append(out, make([]byte, PlainSize-len(out))...), nil
}

// check wants an answer to have what its question asks for and nothing else. The fault never holds the answer.
func (a Answer) check(q Question, limit int) *fault.Fault {
	switch q.Kind {
	case Score:
		if a.Score < 0 || a.Score > scale || a.CantSay && a.Score != 0 || a.Chips != 0 || a.Theme != 0 || a.Words != "" {
			return fault.New(fault.Invalid, "survey.answer.score")
		}
	case Chips:
		if bits.Len16(a.Chips) > len(q.Options) || a.Score != 0 || a.CantSay || a.Theme != 0 || a.Words != "" {
			return fault.New(fault.Invalid, "survey.answer.chips")
		}
	case Comment:
		if a.Theme < 0 || a.Theme > len(q.Options) || a.Score != 0 || a.CantSay || a.Chips != 0 || a.Theme != 0 && a.Words == "" {
			return fault.New(fault.Invalid, "survey.answer.comment")
		}
		if n := utf8.RuneCountInString(a.Words); n > limit {
			return fault.New(fault.Invalid, "survey.answer.long", "Length", n, "Most", limit)
		}
	}
	return nil
}

// errBallot says that a plaintext is no ballot of this questionnaire. It never says what is in it.
var errBallot = errors.New("not a ballot of this questionnaire")

// decode is the inverse of encode and accepts nothing that encode does not write: there is one plaintext for every answer, so a ballot
// has no room in which a forged client could mark it.
func decode(q Questionnaire, plain []byte) (Answers, error) {
	if len(plain) != PlainSize || plain[0] != layout || int(plain[1]) != len(q.Questions) {
		return nil, errBallot
	}
	rest, limit := plain[2:], q.CommentLimit()
	answers := make(Answers, len(q.Questions))
	take := func(n int) []byte {
		if n > len(rest) {
			return nil
		}
		taken := rest[:n]
		rest = rest[n:]
		return taken
	}
	for i, question := range q.Questions {
		var a Answer
		switch question.Kind {
		case Score:
			raw := take(1)
			if raw == nil {
				return nil, errBallot
			}
			if a.CantSay = raw[0] == cantSay; !a.CantSay {
				a.Score = int(raw[0])
			}
		case Chips:
			raw := take(2)
			if raw == nil {
				return nil, errBallot
			}
			a.Chips = binary.BigEndian.Uint16(raw)
		case Comment:
			raw := take(3)
			if raw == nil {
				return nil, errBallot
			}
			words := take(int(binary.BigEndian.Uint16(raw[1:])))
			if words == nil || !utf8.Valid(words) {
				return nil, errBallot
			}
			a.Theme, a.Words = int(raw[0]), string(words)
			if Normalise(a.Words) != a.Words {
				return nil, errBallot
			}
		}
		if a.check(question, limit) != nil {
			return nil, errBallot
		}
		answers[i] = a
	}
	if strings.Trim(string(rest), "\x00") != "" {
		return nil, errBallot
	}
	return answers, nil
}
