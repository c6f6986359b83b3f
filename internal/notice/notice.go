// Package notice names everything that the bot says of its own accord. A notice is a row written with what made it true and carries
// ids, never words: the words are found at delivery, in the reader's language of that moment. The package does not know how a
// notice is stored, queued, drawn or sent.
package notice

import (
	"strings"
	"time"

	"github.com/google/uuid"
)

// Kind names a notice; it has a row in Kinds and a writer in the dialog.
type Kind string

// The notices of feedback.
const (
	PraiseReceived Kind = "praise.received"
	PraisePosted   Kind = "praise.posted"
	PraiseThanked  Kind = "praise.thanked"
	PraiseChanged  Kind = "praise.changed"
	NoteReceived   Kind = "note.received"
	NoteProposed   Kind = "note.proposed"
	NoteAgreed     Kind = "note.agreed"
	NoteFollowUp   Kind = "note.followup"
	NoteDone       Kind = "note.done"
	NoteWithdrawn  Kind = "note.withdrawn"
	NoteChanged    Kind = "note.changed"
	AskReceived    Kind = "ask.received"
	AskAnswered    Kind = "ask.answered"
	AskDeclined    Kind = "ask.declined"
	AskChanged     Kind = "ask.changed"
	AccountClaim   Kind = "account.claim"
)

// Class says what delivery may do with a notice.
type Class int

// The classes.
const (
	Receipt Class = iota + 1 // somebody waits for it: sent at once, at any hour, never lost
	Nudge                    // may wait: respects quiet hours and mute
	Refresh                  // redraws the messages already sent about its subject, to its person alone if it has one; sends nothing new
)

// Kinds is the one table of notices.
func Kinds() map[Kind]Class {
	return map[Kind]Class{
		PraiseReceived: Receipt, PraisePosted: Receipt, PraiseThanked: Receipt, PraiseChanged: Refresh,
		NoteReceived: Receipt, NoteProposed: Receipt, NoteAgreed: Receipt, NoteFollowUp: Nudge, NoteDone: Receipt,
		NoteWithdrawn: Receipt, NoteChanged: Refresh,
		AskReceived: Receipt, AskAnswered: Receipt, AskDeclined: Receipt, AskChanged: Refresh,
		AccountClaim: Receipt,
	}
}

// Notice is one thing to tell one person, or one channel.
type Notice struct {
	OrgID   uuid.UUID
	ID      uuid.UUID // also the delivery's id, so that a notice is delivered once
	Kind    Kind
	To      uuid.UUID // the person; uuid.Nil when it goes to a channel
	Channel string    // made by ChannelOn; empty when it goes to a person
	Subject uuid.UUID // what it is about: a praise, a note, an ask
	Due     time.Time // not before; the time of its cause when it should go at once
}

// ChannelOn names a channel of a platform: "slack:C0123".
func ChannelOn(platform, channel string) string { return platform + ":" + channel }

// Place is the platform and the channel of a notice that goes to a channel.
func (n Notice) Place() (platform, channel string) {
	platform, channel, _ = strings.Cut(n.Channel, ":")
	return platform, channel
}
