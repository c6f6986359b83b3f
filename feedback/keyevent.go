package feedback

import (
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"huiyin/internal/fault"
)

// KeyEvent is something a person did that should be remembered at the next review, with a link as evidence (rows S4-24, S4-28).
type KeyEvent struct {
	OrgID, ID, PersonID uuid.UUID
	Text                string
	Link                string    // http or https; may be empty
	On                  time.Time // a Day
	At                  time.Time
	WithdrawnAt         time.Time // zero: it stands
}

// Withdraw takes the event off the record: its owner, within the window; changed is false when it was withdrawn before.
func (k *KeyEvent) Withdraw(actor uuid.UUID, now time.Time) (changed bool, err error) {
	switch {
	case k.PersonID != actor:
		return false, fault.New(fault.Forbidden, "feedback.change.notyours")
	case !k.WithdrawnAt.IsZero():
		return false, nil
	case !changeable(k.At, now):
		return false, fault.New(fault.Conflict, "feedback.change.late", "Minutes", int(ChangeWindow.Minutes()))
	}
	k.WithdrawnAt = now
	return true, nil
}

// SplitLink takes the last http or https address out of typed text.
func SplitLink(typed string) (text, link string) {
	words := strings.Fields(typed)
	for i := len(words) - 1; i >= 0; i-- {
		w := strings.Trim(words[i], "<>")
		if isLink(w) {
			return strings.TrimSpace(strings.Replace(typed, words[i], "", 1)), w
		}
	}
	return typed, ""
}

func checkLink(s string) (string, *fault.Fault) {
	s = strings.TrimSpace(s)
	if s != "" && (!isLink(s) || len(s) > 2000) {
		return "", fault.New(fault.Invalid, "feedback.link.bad").In("link")
	}
	return s, nil
}

func isLink(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}
