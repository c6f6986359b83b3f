// Package survey is anonymous 360 and pulse surveys: who is asked about whom, answers that are sealed the moment they arrive, and the
// few figures that may be known once the key is gone. Its one idea is that anonymity is a shape: an answer has no author, a ballot can
// be opened only together and only once, and nothing finer than the published cells exists afterwards. The package does not know how
// anything is stored, where the key is kept, how a form looks, or which chat it came through. The design is docs/adr/0022-sealed-ballots.md.
package survey

import (
	"time"

	"github.com/google/uuid"
)

// Kind is what a cycle of answers is for.
type Kind string

// The kinds.
const (
	Review Kind = "360"   // about people, by those who work with them
	Pulse  Kind = "pulse" // about the firm, or about a department that serves others, by everybody concerned
)

// Relation is how a rater stands to the subject (S3-09, S4-23).
type Relation string

// The relations.
const (
	Self     Relation = "self"
	Manager  Relation = "manager"
	Peer     Relation = "peer"
	Report   Relation = "report"
	Customer Relation = "customer" // somebody inside the firm whom the subject serves
	Member   Relation = "member"   // somebody who belongs to what a pulse is about
)

// Relations lists every relation, in the order in which a person belongs to the first that holds.
func Relations() []Relation { return []Relation{Self, Manager, Report, Peer, Customer, Member} }

// Attributed reports whether the answers of this relation are shown with their author's relation. They never enter an anonymous
// figure: whoever is alone in a group cannot be hidden in it, and a figure that includes them could be reduced by them.
func (r Relation) Attributed() bool { return r == Self || r == Manager }

// known reports whether the relation may occur in a cycle of that kind.
func (r Relation) known(kind Kind) bool {
	switch r {
	case Self, Manager, Peer, Report:
		return kind == Review
	case Customer:
		return true
	case Member:
		return kind == Pulse
	}
	return false
}

// Numbers that no setting changes (ANONYMITY.md 1d.5, 1d.6).
const (
	DefaultK        = 5  // people in a figure unless the policy says otherwise
	FloorK          = 4  // below which no policy may go
	MostK           = 20 // above which nothing would ever be shown
	WordsAnswered   = 8  // raters of a subject who must have answered before any comment is published
	WordsWritten    = 3  // of whom so many must have written to the very question
	HistogramPeople = 20 // people below whom a distribution is never shown
	RatePeople      = 10 // invited people below whom no response rate is shown
	NoisePeople     = 100
	MostDays        = 21 // from open to close: a key lives no longer, since it has no backup
	GapDays         = 90 // before the same people are asked the same again
	KeyHours        = 24 // after the release, by when the key is destroyed
	MostPulse       = 5  // questions of a pulse
)

// KeyState says where the key of a cycle stands.
type KeyState string

// The states of a key.
const (
	NoKey     KeyState = "none"
	Live      KeyState = "live"
	Pending   KeyState = "destroy_pending" // the tally is committed; the key goes once that is durable
	Destroyed KeyState = "destroyed"
)

// Key is what is known of a cycle's key outside the keystore.
type Key struct {
	Ref    string // its name in the keystore
	Public []byte
	MAC    []byte // over cycle, public key and policy, made with the app secret: nobody else can swap any of them
	State  KeyState
}

// Cycle is one survey from its draft to its release. Times are to the second and about the cycle; nothing here, or anywhere, says when
// somebody answered.
type Cycle struct {
	OrgID, ID uuid.UUID
	Kind      Kind
	Name      string
	State     State
	OpenedAt  time.Time // zero: a draft
	ClosesAt  time.Time
	EndedAt   time.Time // released or void; zero before
	Policy    Policy
	PolicySum [32]byte // of the policy when it opened; zero: a draft
	Key       Key
	Void      Reason // why, when it is void
}

// Assignment says who may rate whom. It carries no time and no counter.
type Assignment struct {
	Subject, Rater uuid.UUID
	Relation       Relation
	// Unit is the department under which the answer is rolled up, as it was when the cycle opened: the subject's in a 360, the rater's
	// in a pulse. A path with /; empty: directly under the firm.
	Unit string
}
