package feedback

import (
	"time"

	"github.com/google/uuid"

	"huiyin/internal/fault"
)

// Ask is a request for feedback on something, to named colleagues. Answers carry their writer's name, and the question says so.
type Ask struct {
	OrgID, ID, AuthorID uuid.UUID
	About               string
	Asked               []Asked
	At                  time.Time
	WithdrawnAt         time.Time // zero: it stands
}

// Asked is one of the people asked, and what became of it.
type Asked struct {
	PersonID   uuid.UUID
	Answer     string
	AnsweredAt time.Time // zero: not yet
	DeclinedAt time.Time // zero: not declined
}

// Of gives what became of the question to that person.
func (a Ask) Of(person uuid.UUID) (Asked, bool) {
	for _, one := range a.Asked {
		if one.PersonID == person {
			return one, true
		}
	}
	return Asked{}, false
}

// Reply records an answer. A second answer replaces the first.
func (a *Ask) Reply(person uuid.UUID, text string, now time.Time) error {
	one, err := a.asked(person)
	if err != nil {
		return err
	}
	text, bad := checkText("answer", text, MaxText)
	if bad != nil {
		return bad
	}
	one.Answer, one.AnsweredAt, one.DeclinedAt = text, now, time.Time{}
	return nil
}

// Decline says "not this time"; changed is false when it was said before. An answer given stays.
func (a *Ask) Decline(person uuid.UUID, now time.Time) (changed bool, err error) {
	one, err := a.asked(person)
	if err != nil {
		return false, err
	}
	if !one.AnsweredAt.IsZero() {
		return false, fault.New(fault.Conflict, "feedback.ask.answered")
	}
	if !one.DeclinedAt.IsZero() {
		return false, nil
	}
	one.DeclinedAt = now
	return true, nil
}

// Withdraw takes the question back: its author; changed is false when it was withdrawn before.
func (a *Ask) Withdraw(actor uuid.UUID, now time.Time) (changed bool, err error) {
	if a.AuthorID != actor {
		return false, fault.New(fault.Forbidden, "feedback.change.notyours")
	}
	if !a.WithdrawnAt.IsZero() {
		return false, nil
	}
	a.WithdrawnAt = now
	return true, nil
}

func (a *Ask) asked(person uuid.UUID) (*Asked, error) {
	if !a.WithdrawnAt.IsZero() {
		return nil, fault.New(fault.Conflict, "feedback.change.withdrawn")
	}
	for i := range a.Asked {
		if a.Asked[i].PersonID == person {
			return &a.Asked[i], nil
		}
	}
	return nil, fault.New(fault.Forbidden, "feedback.ask.notyou")
}
