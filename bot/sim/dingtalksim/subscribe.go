package dingtalksim

import (
	"context"

	"huiyin/bot/sim/backstage"
)

// The kinds of Change.
const (
	ChangeMessage  = "message"  // sent or recalled
	ChangeCard     = "card"     // a card shows something else; Message is empty, Card says which
	ChangeCall     = "call"     // the bot called
	ChangeDelivery = "delivery" // the bot was called
	ChangeFinding  = "finding"  // a fault was found in what the bot sent
	ChangePeople   = "people"   // people, departments, chats or templates changed
	ChangeSocket   = "socket"   // a stream connection was opened or ended
	ChangeClock    = "clock"    // the clock was moved
	ChangeReset    = "reset"    // everything was forgotten
	ChangeMissed   = "missed"   // the subscriber was too slow: read the whole state again
)

// Change says that something changed, so that a page can fetch it.
type Change struct {
	Kind    string `json:"kind"`
	Chat    string `json:"chat,omitempty"`    // openConversationId
	Message string `json:"message,omitempty"` // Message.ID
	Card    string `json:"card,omitempty"`    // outTrackId
	User    string `json:"user,omitempty"`    // userid, of a person who changed
	N       int    `json:"n,omitempty"`       // of the call, delivery or finding
}

// Subscribe returns the changes from now on, until ctx ends or the server closes. A subscriber that falls behind by 256
// changes loses some and is then told ChangeMissed.
func (s *Server) Subscribe(ctx context.Context) <-chan Change { return s.changes.Subscribe(ctx) }

// The severities of a Finding.
const (
	Must   = backstage.Must   // a fault: the run that has one has failed
	Should = backstage.Should // against a recommendation
)

// Finding is a fault in something the bot sent that DingTalk itself lets pass, or an answer DingTalk could not use.
type Finding = backstage.Finding

// Findings returns the faults found so far.
func (s *Server) Findings() []Finding { return s.found.All() }

// MustFindings returns those that fail a run.
func (s *Server) MustFindings() []Finding { return s.found.Musts() }

// find records one finding.
func (s *Server) find(f Finding) {
	s.changes.Tell(Change{Kind: ChangeFinding, N: s.found.Add(f)})
}
