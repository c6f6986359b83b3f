package feishusim

import "context"

// The kinds of Change.
const (
	ChangeMessage  = "message"  // sent, edited or withdrawn
	ChangeCommands = "commands" // the registered slash commands changed
	ChangeCall     = "call"     // the bot called
	ChangeDelivery = "delivery" // the bot was called
	ChangeFinding  = "finding"  // a fault was found in what the bot sent
	ChangePeople   = "people"   // people, departments or chats changed
	ChangeSocket   = "socket"   // a long connection was opened or ended
	ChangeClock    = "clock"    // the clock was moved
	ChangeReset    = "reset"    // everything was forgotten
	ChangeMissed   = "missed"   // the subscriber was too slow: read the whole state again
)

// Change says that something changed, so that a page can fetch it.
type Change struct {
	Kind    string `json:"kind"`
	Chat    string `json:"chat,omitempty"`    // chat_id
	Message string `json:"message,omitempty"` // message_id
	User    string `json:"user,omitempty"`    // open_id, of a person who changed
	N       int    `json:"n,omitempty"`       // of the call, delivery or finding
}

// Subscribe returns the changes from now on, until ctx ends or the server closes. A subscriber that falls behind by 256
// changes loses some and is then told ChangeMissed.
func (s *Server) Subscribe(ctx context.Context) <-chan Change { return s.changes.Subscribe(ctx) }

// change tells every subscriber.
func (s *Server) change(c Change) { s.changes.Tell(c) }
