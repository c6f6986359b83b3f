package feedback

import (
	"context"
	"time"

	"github.com/google/uuid"

	"huiyin/internal/audit"
	"huiyin/internal/notice"
	"huiyin/internal/people"
)

// Store keeps feedback. Reads give a fault of kind NotFound for what does not exist in that firm.
type Store interface {
	// InTx runs fn as one unit of work: everything it saves, tells and logs is written together with its cause, or not at all. Writes are
	// gathered and travel in one round trip at the end, so their errors come out of InTx. It gives a fault of kind Duplicate when
	// the cause's event has had its effect before, and of kind Stale when the directory has changed since cause.Directory.
	// fn may be run again after a serialization failure.
	InTx(ctx context.Context, cause people.Cause, fn func(Tx) error) error

	Praise(ctx context.Context, orgID, id uuid.UUID) (Praise, error)
	Note(ctx context.Context, orgID, id uuid.UUID) (Note, error)
	Ask(ctx context.Context, orgID, id uuid.UUID) (Ask, error)
	KeyEvent(ctx context.Context, orgID, id uuid.UUID) (KeyEvent, error)

	// Entries lists feedback, newest first, at most q.Limit entries; more says whether there are older ones.
	Entries(ctx context.Context, q Query) (entries []Entry, more bool, err error)
	// Months counts the entries of a query by calendar month of zone, newest first, at most 12 months, ignoring q.Before and q.Limit.
	Months(ctx context.Context, q Query, zone *time.Location) ([]Month, error)

	// Waiting is what waits for the person: notes that are open or agreed and between them and somebody, and questions that they have
	// neither answered nor declined; the oldest first, at most limit of each.
	Waiting(ctx context.Context, orgID, person uuid.UUID, limit int) ([]Note, []Ask, error)

	// DueFollowUps gives up to limit notes of any firm whose follow-up is due.
	DueFollowUps(ctx context.Context, now time.Time, limit int) ([]NoteKey, error)

	// Values lists what the firm calls its values, in its order.
	Values(ctx context.Context, orgID uuid.UUID) ([]Value, error)
	// SaveValues replaces them.
	SaveValues(ctx context.Context, cause people.Cause, values []Value) error
}

// Tx is a unit of work. The reading methods lock what they read until the end.
type Tx interface {
	Praise(ctx context.Context, id uuid.UUID) (Praise, error)
	Note(ctx context.Context, id uuid.UUID) (Note, error)
	Ask(ctx context.Context, id uuid.UUID) (Ask, error)
	KeyEvent(ctx context.Context, id uuid.UUID) (KeyEvent, error)

	// The Save methods insert or replace by id.
	SavePraise(Praise)
	SaveNote(Note)
	SaveAsk(Ask)
	SaveKeyEvent(KeyEvent)
	Tell(...notice.Notice)
	Log(audit.Entry)
}

// NoteKey names a note of a firm.
type NoteKey struct{ OrgID, ID uuid.UUID }

// Value is a company value in Chinese and English; either may be empty.
type Value struct{ Name, NameEn string }

// Side says from which end feedback is looked at.
type Side string

// The sides.
const (
	Received Side = "received" // praise, notes and answers to my asks
	Given    Side = "given"    // praise, notes and answers that I wrote
	Events   Side = "events"   // my key events
)

// Query asks for the feedback of one person.
type Query struct {
	OrgID     uuid.UUID
	Directory int64 // the directory on which the permission was decided; a fault of kind Stale when it has changed
	Person    uuid.UUID
	Side      Side
	From      uuid.UUID // only what this person wrote; uuid.Nil: everybody
	Before    Cursor    // zero: from the newest
	Limit     int
}

// Cursor is the place after which a page goes on: older than the entry with this time and id.
type Cursor struct {
	At time.Time
	ID uuid.UUID
}

// EntryKind is what an entry is.
type EntryKind string

// The kinds of entry.
const (
	PraiseEntry EntryKind = "praise"
	NoteEntry   EntryKind = "note"
	AnswerEntry EntryKind = "answer"
	EventEntry  EntryKind = "event"
)

// Entry is one line of a list of feedback. What was withdrawn is not listed.
type Entry struct {
	Kind  EntryKind
	ID    uuid.UUID
	At    time.Time
	From  uuid.UUID
	To    []uuid.UUID
	Text  string
	About string // AnswerEntry: what was asked
	Tags  []string
	Link  string
	State NoteState // NoteEntry
	Due   time.Time // NoteEntry: the day agreed or proposed; zero: none
}

// Month is how much there was in a calendar month.
type Month struct {
	Year  int
	Month time.Month
	Count int
}
