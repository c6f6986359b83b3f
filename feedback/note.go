package feedback

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/google/uuid"

	"huiyin/internal/fault"
)

// Note is a corrective note: private, from a manager to someone of their reporting line, ending in one agreed action and a date
// (rows S0-31, S4-53). It is seen by its author, its receiver, the receiver's reporting line and HR, and its card says so.
type Note struct {
	OrgID, ID, AuthorID, ReceiverID uuid.UUID
	Text                            string
	Action                          Action
	State                           NoteState
	At                              time.Time
	EditedAt                        time.Time // zero: never
	ClosedAt                        time.Time // when it was done or withdrawn
	NextFollowUp                    time.Time // zero: none planned
}

// NoteState is where a note stands. open → agreed → done, and withdrawn from open or agreed; nothing leaves done or withdrawn.
type NoteState string

// The states of a note.
const (
	NoteOpen      NoteState = "open"
	NoteAgreedOn  NoteState = "agreed"
	NoteDone      NoteState = "done"
	NoteWithdrawn NoteState = "withdrawn"
)

// Action is what the two agree on: one thing and a day.
type Action struct {
	Text       string
	Due        time.Time // a Day; zero: nothing proposed yet
	ProposedBy uuid.UUID
	AuthorOK   bool
	ReceiverOK bool
}

// Terms is a fingerprint of what is proposed, so that a yes is to what was read.
func (a Action) Terms() string {
	sum := sha256.Sum256([]byte(a.Due.Format(time.DateOnly) + a.Text))
	return hex.EncodeToString(sum[:6])
}

// Proposed reports whether somebody has proposed an action.
func (a Action) Proposed() bool { return !a.Due.IsZero() }

// Between reports whether the person is one of the two that the note is between.
func (n Note) Between(person uuid.UUID) bool { return n.AuthorID == person || n.ReceiverID == person }

// Other is the other of the two.
func (n Note) Other(person uuid.UUID) uuid.UUID {
	if person == n.AuthorID {
		return n.ReceiverID
	}
	return n.AuthorID
}

// Waiting is who has to answer the proposed action; uuid.Nil when nobody has.
func (n Note) Waiting() uuid.UUID {
	if n.State != NoteOpen || !n.Action.Proposed() {
		return uuid.Nil
	}
	if !n.Action.AuthorOK {
		return n.AuthorID
	}
	return n.ReceiverID
}

// Changeable says whether the actor may edit the words of the note now.
func (n Note) Changeable(actor uuid.UUID, now time.Time) error {
	switch {
	case n.AuthorID != actor:
		return fault.New(fault.Forbidden, "feedback.change.notyours")
	case n.State == NoteWithdrawn:
		return fault.New(fault.Conflict, "feedback.change.withdrawn")
	case n.State == NoteDone:
		return fault.New(fault.Conflict, "feedback.note.closed")
	case !changeable(n.At, now):
		return fault.New(fault.Conflict, "feedback.change.late", "Minutes", int(ChangeWindow.Minutes()))
	}
	return nil
}

// Propose puts one action and a day on the table; the proposer agrees by proposing. A new proposal replaces the old one and needs the
// other's yes again. today is the day at the proposer's place.
func (n *Note) Propose(actor uuid.UUID, text string, due, today time.Time) error {
	if err := n.live(actor); err != nil {
		return err
	}
	text, bad := checkText("action", text, MaxAction)
	var late *fault.Fault
	switch {
	case due.IsZero():
		late = fault.New(fault.Invalid, "feedback.action.nodate").In("due")
	case Day(due).Before(Day(today)):
		late = fault.New(fault.Invalid, "feedback.action.past").In("due")
	case Day(due).After(Day(today).AddDate(1, 0, 0)):
		late = fault.New(fault.Invalid, "feedback.action.far").In("due")
	}
	if err := fault.Join(bad, late); err != nil {
		return err
	}
	n.Action = Action{Text: text, Due: Day(due), ProposedBy: actor, AuthorOK: actor == n.AuthorID, ReceiverOK: actor == n.ReceiverID}
	n.State = NoteOpen // a follow-up that is planned stays planned: proposing another action does not end the old one's
	return nil
}

// Agree is the yes of the other side to those terms; changed is false when it was given before. followUp is the moment of the first
// follow-up.
func (n *Note) Agree(actor uuid.UUID, terms string, followUp time.Time) (changed bool, err error) {
	if err := n.live(actor); err != nil {
		return false, err
	}
	if !n.Action.Proposed() {
		return false, fault.New(fault.Conflict, "feedback.action.none")
	}
	if terms != n.Action.Terms() {
		return false, fault.New(fault.Conflict, "feedback.action.changed")
	}
	if n.State == NoteAgreedOn {
		return false, nil
	}
	n.Action.AuthorOK = n.Action.AuthorOK || actor == n.AuthorID
	n.Action.ReceiverOK = n.Action.ReceiverOK || actor == n.ReceiverID
	if !n.Action.AuthorOK || !n.Action.ReceiverOK {
		return false, fault.New(fault.Conflict, "feedback.action.waiting")
	}
	n.State, n.NextFollowUp = NoteAgreedOn, followUp
	return true, nil
}

// Finish closes the note as done, by either of the two; changed is false when it was done before.
func (n *Note) Finish(actor uuid.UUID, now time.Time) (changed bool, err error) {
	if n.Between(actor) && n.State == NoteDone {
		return false, nil
	}
	if err := n.live(actor); err != nil {
		return false, err
	}
	if n.State != NoteAgreedOn {
		return false, fault.New(fault.Conflict, "feedback.action.none")
	}
	n.State, n.ClosedAt, n.NextFollowUp = NoteDone, now, time.Time{}
	return true, nil
}

// Withdraw takes the note back: its author, at any time before it is done; changed is false when it was withdrawn before.
func (n *Note) Withdraw(actor uuid.UUID, now time.Time) (changed bool, err error) {
	switch {
	case n.AuthorID != actor:
		return false, fault.New(fault.Forbidden, "feedback.change.notyours")
	case n.State == NoteWithdrawn:
		return false, nil
	case n.State == NoteDone:
		return false, fault.New(fault.Conflict, "feedback.note.closed")
	}
	n.State, n.ClosedAt, n.NextFollowUp = NoteWithdrawn, now, time.Time{}
	return true, nil
}

// FollowUp moves the plan past now and reports whether there is something to follow up.
func (n *Note) FollowUp(now time.Time) bool {
	if n.State != NoteAgreedOn && n.State != NoteOpen || n.NextFollowUp.IsZero() || n.NextFollowUp.After(now) {
		return false
	}
	for !n.NextFollowUp.After(now) {
		n.NextFollowUp = n.NextFollowUp.Add(FollowUpEvery)
	}
	return true
}

func (n Note) live(actor uuid.UUID) error {
	switch {
	case !n.Between(actor):
		return fault.New(fault.Forbidden, "feedback.note.notyours")
	case n.State == NoteDone:
		return fault.New(fault.Conflict, "feedback.note.closed")
	case n.State == NoteWithdrawn:
		return fault.New(fault.Conflict, "feedback.change.withdrawn")
	}
	return nil
}
