package slacksim

import "context"

// The kinds of Change.
const (
	ChangeMessage  = "message"  // posted, edited, deleted or gone
	ChangeView     = "view"     // a modal was opened, replaced, refused or closed
	ChangeHome     = "home"     // a home tab was published
	ChangeCall     = "call"     // the bot called
	ChangeDelivery = "delivery" // the bot was called
	ChangeFinding  = "finding"  // a fault was found in what the bot sent
	ChangePeople   = "people"   // people or channels changed
	ChangeClock    = "clock"    // the clock was moved
	ChangeReset    = "reset"    // everything was forgotten
	ChangeMissed   = "missed"   // the subscriber was too slow: read the whole state again
)

// Change says that something changed, so that a page can fetch it. User is who can see it; empty means everyone in Channel.
type Change struct {
	Kind    string `json:"kind"`
	User    string `json:"user,omitempty"`
	Channel string `json:"channel,omitempty"`
	TS      string `json:"ts,omitempty"`
	View    string `json:"view,omitempty"`
	N       int    `json:"n,omitempty"` // of the call or delivery
}

// Subscribe returns the changes from now on, until ctx ends or the server closes. A subscriber that falls behind by 256
// changes loses some and is then told ChangeMissed.
func (s *Server) Subscribe(ctx context.Context) <-chan Change { return s.changes.Subscribe(ctx) }

// change tells every subscriber.
func (s *Server) change(c Change) { s.changes.Tell(c) }
