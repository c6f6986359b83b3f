package survey

import (
	"context"
	"crypto/hpke"
	"iter"
	"time"

	"github.com/google/uuid"

	"huiyin/internal/people"
)

// Store keeps cycles, rosters, ballots and what is released. Reads give a fault of kind NotFound for what does not exist in that firm.
// The tables of assignments, ballots and released figures have no column of time, no sequence, no trigger and no history.
type Store interface {
	Cycle(ctx context.Context, orgID, id uuid.UUID) (Cycle, error)

	// Cast keeps a ballot, in one transaction: the event's hash is inserted (a fault of kind Duplicate when it is there already), the
	// cycle is share-locked and must be open (Conflict), the assignment must exist (NotFound) and gets its flag, and the ballot is
	// inserted or replaced. There is no queue, no inbox row with a payload, no audit entry, no notice and no time.
	Cast(ctx context.Context, b Ballot) error

	// Invitation reads what the submit path needs in one round trip: the cycle, what the rater is to the subject, and the numbers that
	// they were told. A fault of kind NotFound when they are not on the roster.
	Invitation(ctx context.Context, orgID, cycle, subject, rater uuid.UUID) (Invitation, error)
	// Forms lists what a rater is asked in open cycles, in order of cycle and subject, and whether a ballot of theirs is there. It is
	// shown to nobody else.
	Forms(ctx context.Context, orgID, rater uuid.UUID) ([]Form, error)

	// Asked gives when each of the questions was last asked about each of the subjects: released since then, or still running.
	Asked(ctx context.Context, orgID uuid.UUID, subjects, questions []uuid.UUID, since time.Time) ([]Asked, error)

	// InTx runs fn as one unit of work, like feedback.Store does: everything together with its cause, or nothing. fn may run again.
	InTx(ctx context.Context, cause people.Cause, fn func(Tx) error) error
	// Tally runs fn in one transaction that is durable when it is committed (synchronous_commit on): everything that fn publishes
	// and finishes, or nothing. The cycle is locked. fn may run again after a serialization failure.
	Tally(ctx context.Context, cause people.Cause, cycle uuid.UUID, fn func(TallyTx) error) error

	// Due gives up to limit open cycles of any firm whose time is up.
	Due(ctx context.Context, now time.Time, limit int) ([]CycleKey, error)
	// Closing gives cycles of any firm that wait for their tally.
	Closing(ctx context.Context, limit int) ([]CycleKey, error)
	// Pending gives released and void cycles of any firm whose key is to be destroyed.
	Pending(ctx context.Context, limit int) ([]Cycle, error)
	// Durable reports whether what was committed when the cycle ended is safe elsewhere: its WAL is archived or flushed by a
	// synchronous standby, or the installation has neither.
	Durable(ctx context.Context, orgID, cycle uuid.UUID) (bool, error)

	// Running gives the open cycles of every firm.
	Running(ctx context.Context) ([]CycleKey, error)
	// Turnout counts forms and ballots of an open cycle, for the whole (empty Unit) and by department. Its result goes nowhere but
	// into daily rates.
	Turnout(ctx context.Context, orgID, cycle uuid.UUID) ([]Turnout, error)
	// SaveRates keeps the rates of a day, unless that day has some.
	SaveRates(ctx context.Context, orgID, cycle uuid.UUID, rates []DailyRate) error
}

// CycleKey names a cycle of a firm.
type CycleKey struct{ OrgID, ID uuid.UUID }

// Ballot is one sealed ballot on its way to the store. It knows no time, and so does what is kept of it.
type Ballot struct {
	OrgID, Cycle, Subject, Rater uuid.UUID
	Sealed                       []byte // SealedSize
	// Event is a keyed hash of the vendor's event id, so that an event has its effect once and the row does not lead to the chat's
	// record of it; nil: none.
	Event []byte
}

// Invitation is what somebody was asked.
type Invitation struct {
	Cycle      Cycle
	Assignment Assignment
	Invited    Invited
}

// Form is one form of a rater.
type Form struct {
	Cycle, Subject uuid.UUID
	Relation       Relation
	Done           bool
}

// News is something that people are told; the store finds whom, from the kind and the roster, and writes the notices with their cause.
type News string

// The news.
const (
	NewsOpened   News = "survey.opened"   // raters: with what they are promised
	NewsExtended News = "survey.extended" // raters
	NewsReleased News = "survey.released" // subjects, their managers and HR, as the policy says
	NewsVoid     News = "survey.void"     // raters, subjects and HR: why, and that nothing was published
	NewsKeyGone  News = "survey.keygone"  // raters: the key was destroyed
)

// Tx is a unit of work on one cycle.
type Tx interface {
	// Cycle reads the cycle and locks it.
	Cycle(ctx context.Context, id uuid.UUID) (Cycle, error)
	// SaveCycle inserts or replaces the cycle. When it is void, its ballots are dropped and the flags of its assignments emptied.
	SaveCycle(Cycle)
	// SaveRoster writes the roster of a cycle that opens, and its empty ballot box.
	SaveRoster(cycle uuid.UUID, roster Roster)
	Tell(cycle uuid.UUID, news News)
	// Log writes to the audit log. detail holds states and counts.
	Log(act string, cycle uuid.UUID, detail map[string]string)
}

// TallyTx is the one transaction that ends a cycle's answers.
type TallyTx interface {
	Tx
	Output
	// Rows streams the ballot box in order of subject and rater, assignments without a ballot included.
	Rows(ctx context.Context, cycle uuid.UUID) iter.Seq2[Sealed, error]
	// Empty drops the ballots and empties the flags of the assignments.
	Empty(cycle uuid.UUID)
}

// Keys keeps private keys, outside of the database and of every backup. internal/keystore implements it.
type Keys interface {
	// Create makes a key pair and gives the public half once the private one is safe on every node.
	Create(ctx context.Context, ref string) (public []byte, err error)
	// Tally lends the private key while fn runs. The error has a method KeyLost() bool that is true when it exists nowhere any more.
	Tally(ctx context.Context, ref string, fn func(private hpke.PrivateKey) error) error
	// Destroy destroys every copy and gives the evidence for the audit log. Doing it again is no error.
	Destroy(ctx context.Context, ref string, now time.Time) (evidence map[string]string, err error)
	// MAC is a keyed hash under the app secret over parts, each with its length.
	MAC(purpose string, parts ...[]byte) []byte
}
