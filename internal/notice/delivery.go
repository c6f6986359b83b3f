package notice

import (
	"time"

	"github.com/google/uuid"
)

// Delivery is what became of a notice: one row a message, without any words.
type Delivery struct {
	Notice
	State      State
	Platform   string // empty until it was first tried
	Address    string // the platform's user id, or channel id, that it was sent to
	RefChannel string // where it is, once sent
	RefID      string
	Attempts   int
	TriedAt    time.Time // the first attempt; zero: none yet
	SentAt     time.Time // zero: not yet
	Fault      string    // kind and key of the last fault; never a vendor's text
	// Leader is the delivery whose message this one is a part of: its own id when it leads a message of nudges, zero when it goes alone.
	Leader uuid.UUID
}

// State is where a delivery stands.
type State string

// The states of a delivery. A delivery found in Sending by a new attempt has an unknown outcome: the platform is asked before it is
// sent again.
const (
	Waiting State = "waiting"
	Sending State = "sending"
	Sent    State = "sent"
	Held    State = "held"    // the person has no confirmed account yet; released when they have
	Skipped State = "skipped" // there was nothing to say any more
	Dead    State = "dead"    // given up after the last attempt, or refused for good
)

// MaxAttempts is how often a delivery is tried before it is dead.
const MaxAttempts = 8
