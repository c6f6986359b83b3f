// Package feedback is what colleagues say to each other between reviews: praise, private corrective notes with an agreed action, asks
// and key events. Its rules are functions of values and now; its service reads, asks a rule and writes. It knows no chat platform,
// no SQL and no language.
package feedback

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"huiyin/internal/fault"
)

// Limits of what a person may write.
const (
	MaxText      = 3000 // characters of one praise, note, ask, answer or key event
	MaxAction    = 500  // characters of an agreed action
	MaxReceivers = 20   // people one praise or ask may name
	MaxTags      = 5
	MaxTag       = 40 // characters of a tag

	// ChangeWindow is how long one's own words may be edited or withdrawn.
	ChangeWindow = 10 * time.Minute
	// FollowUpEvery is the pause between two follow-ups on the same note.
	FollowUpEvery = 3 * 24 * time.Hour
)

// checkText trims what was written and refuses what is empty or too long.
func checkText(field, s string, most int) (string, *fault.Fault) {
	s = strings.TrimSpace(s)
	if !hasLetter(s) {
		return "", fault.New(fault.Invalid, "feedback.text.empty").In(field)
	}
	if n := utf8.RuneCountInString(s); n > most {
		return "", fault.New(fault.Invalid, "feedback.text.long", "Length", n, "Most", most).In(field)
	}
	return s, nil
}

// hasLetter is false for text of which a reader would see nothing: spaces, controls, zero-width characters and marks alone.
func hasLetter(s string) bool {
	for _, r := range s {
		if unicode.IsGraphic(r) && !unicode.IsSpace(r) && !unicode.Is(unicode.M, r) && r != '\u2800' && r != '\u3164' {
			return true
		}
	}
	return false
}

// changeable reports whether words of that time may still be changed by their author.
func changeable(said, now time.Time) bool { return now.Sub(said) <= ChangeWindow }

// Day is the calendar day of t in its own zone, at midnight UTC: the form in which dates are stored and compared.
func Day(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
