// Package dialog is what the bot says and does: one table of commands, one table of actions, one table of notices, and a file for each
// conversation. The desk is the one pipeline that every event of every platform goes through. The package does not know how a
// platform encodes anything, nor how anything is stored.
package dialog

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/bot/command"
	"huiyin/feedback"
	"huiyin/internal/fault"
	"huiyin/internal/i18n"
	"huiyin/internal/people"
)

// Options are what a desk works with. All are needed.
type Options struct {
	Orgs      Orgs
	People    Directories
	Accounts  Accounts
	Feedback  *feedback.Service
	Sessions  Sessions
	Catalog   *i18n.Catalog
	Abilities func(platform string) bot.Abilities
	// PraiseChannel is where praise is also posted, as made by notice.ChannelOn; empty: nowhere.
	PraiseChannel func(platform string) string
	// Release sends what was held back until a person had an account.
	Release func(ctx context.Context, orgID, personID uuid.UUID) error
	Now     func() time.Time
	NewID   func() uuid.UUID
	Log     *slog.Logger
}

// Orgs finds the firm that a workspace belongs to.
type Orgs interface {
	OrgOf(ctx context.Context, platform, tenant string) (people.Org, error)
}

// Directories gives the present snapshot of a firm's people; Refresh gives one that is newer than the last.
type Directories interface {
	Get(ctx context.Context, orgID uuid.UUID) (*people.Directory, error)
	Refresh(ctx context.Context, orgID uuid.UUID) (*people.Directory, error)
}

// Accounts changes what people chose and which accounts are theirs.
type Accounts interface {
	ConfirmIdentity(ctx context.Context, dir *people.Directory, cause people.Cause, platform, externalID string) error
	RefuseIdentity(ctx context.Context, dir *people.Directory, cause people.Cause, platform, externalID string) error
	SaveSettings(ctx context.Context, dir *people.Directory, cause people.Cause, personID uuid.UUID, s people.Settings) error
	// Use notes on which platform the actor was just seen.
	Use(ctx context.Context, dir *people.Directory, cause people.Cause, platform string) error
}

// Sessions keeps what a conversation is in the middle of. It may lose everything at any time, and gives a fault of kind Unavailable
// when it is away.
type Sessions interface {
	Put(ctx context.Context, orgID uuid.UUID, key string, value []byte, ttl time.Duration) error
	Get(ctx context.Context, orgID uuid.UUID, key string) (value []byte, ok bool, err error)
	// Take is Get and delete at once.
	Take(ctx context.Context, orgID uuid.UUID, key string) (value []byte, ok bool, err error)
}

// Desk answers events and finds the words of notices.
type Desk struct {
	Options
	commands command.Table[*Talk]
	actions  map[string]action
	writers  writers
	known    knownValues
}

// New makes a desk.
func New(o Options) *Desk {
	return &Desk{Options: o, commands: Commands(), actions: Actions(), writers: Writers(), known: knownValues{of: map[uuid.UUID]valuesRead{}}}
}

// Talk is one event being answered: who says what, where, and the directory on which everything about it is decided.
type Talk struct {
	*Desk
	Event bot.Event
	Org   people.Org
	Dir   *people.Directory
	Who   people.Person // zero for an account that is nobody's yet
	Say   i18n.Printer
	At    time.Time
}

// Receive answers one event. Every failure becomes a card in the person's language, except that the database or another part we
// cannot do without is away: that comes back as a fault of kind Unavailable, so that the platform delivers the event again.
func (d *Desk) Receive(ctx context.Context, e bot.Event) (bot.Reply, error) {
	t := &Talk{Desk: d, Event: e, At: d.Now()}
	reply, err := d.answer(ctx, t)
	if fault.Is(err, fault.Unavailable) {
		return bot.Reply{}, err
	}
	t.seen(ctx)
	if err != nil {
		reply = t.explain(ctx, err)
	}
	reply.Lang = t.Say.Lang()
	return reply, nil
}

// seen notes on which platform somebody is.
func (t *Talk) seen(ctx context.Context) {
	if t.Who.ID == noPerson || !t.Who.Active {
		return
	}
	if err := t.Accounts.Use(ctx, t.Dir, t.cause(), t.Event.Platform); err != nil {
		t.Log.WarnContext(ctx, "noting where somebody was seen", "platform", t.Event.Platform, "error", err) // the next event will
	}
}

// decideAgain bounds how often an event is decided anew because the directory changed under it.
const decideAgain = 5

func (d *Desk) answer(ctx context.Context, t *Talk) (bot.Reply, error) {
	org, err := d.Orgs.OrgOf(ctx, t.Event.Platform, t.Event.Tenant)
	if err != nil {
		t.Say = d.Catalog.In(t.Event.Lang)
		if fault.Is(err, fault.NotFound) {
			return bot.Reply{}, fault.New(fault.Forbidden, "dialog.tenant.unknown").Because(err)
		}
		return bot.Reply{}, err
	}
	t.Org = org
	dir, err := d.People.Get(ctx, org.ID)
	for try := 1; ; try++ {
		if err != nil {
			t.Say = d.Catalog.In(org.Lang)
			return bot.Reply{}, err
		}
		t.Dir = dir
		reply, err2 := t.dispatch(ctx)
		if !fault.Is(err2, fault.Stale) || try == decideAgain {
			return reply, err2
		}
		dir, err = d.People.Refresh(ctx, org.ID)
	}
}

// dispatch finds out who speaks and runs the row of the table.
func (t *Talk) dispatch(ctx context.Context) (bot.Reply, error) {
	e := t.Event
	identity, who, known := t.Dir.ByIdentity(e.Platform, e.User)
	t.Say = t.Catalog.In(t.accountLang(identity))
	mine := known && identity.State == people.Confirmed
	if mine {
		t.Who, t.Say = who, t.Catalog.In(t.Dir.Language(who))
	}
	if e.Action != nil {
		return t.act(ctx, e.Action.Action, mine, identity)
	}
	if e.Form != nil {
		return t.act(ctx, e.Form.Action, mine, identity)
	}
	if !mine || !who.Active {
		reply := t.stranger(identity)
		if e.Home != nil { // what stood on the page before is nobody's any more
			reply.Home, reply.Card = reply.Card, nil
		}
		return reply, nil
	}
	if e.Home != nil {
		return t.home(ctx)
	}
	if e.Command == nil {
		return bot.Reply{}, nil
	}
	if reply, ok := t.listening(ctx, *e.Command); ok {
		return reply, nil
	}
	found, ok := t.commands.Find(roots(), *e.Command)
	if ok {
		if t.overheard(found.Spec.Name) {
			key := "dialog.overheard"
			if reads(found.Spec.Name) {
				key = "dialog.overheard.read"
			}
			return bot.Reply{}, fault.New(fault.Forbidden, key)
		}
		return found.Spec.Run(ctx, t, found.Input)
	}
	return t.plainWords(ctx, *e.Command, found)
}

// act runs the row of an action or of a form's submission.
func (t *Talk) act(ctx context.Context, a card.Action, mine bool, identity people.Identity) (bot.Reply, error) {
	row, ok := t.actions[a.Name]
	switch {
	case !ok:
		return bot.Reply{}, fault.New(fault.NotFound, "dialog.action.unknown")
	case !row.strangers && (!mine || !t.Who.Active):
		return t.stranger(identity), nil
	}
	var values card.Values
	if t.Event.Form != nil {
		values = t.Event.Form.Values
	}
	return row.run(ctx, t, a, values)
}

// overheard is true for private words typed where others read along. A slash command is seen by its author alone.
func (t *Talk) overheard(name string) bool {
	return t.Event.Where.Kind == bot.Channel && t.Event.Command.Name == "" && private(name)
}

// cause is what writes of this event answer to.
func (t *Talk) cause() people.Cause {
	c := people.Cause{OrgID: t.Org.ID, Directory: t.Dir.Version(), At: t.At, Actor: t.Who.ID}
	if t.Event.ID != "" {
		c.Event = t.Event.Platform + ":" + t.Event.Tenant + ":" + t.Event.ID
	}
	return c
}

func (t *Talk) accountLang(i people.Identity) string {
	switch {
	case t.Event.Lang != "":
		return t.Event.Lang
	case i.Lang != "":
		return i.Lang
	}
	return t.Org.Lang
}

// explain turns a failure into a card, or into errors on the fields of the form that it came from.
func (t *Talk) explain(ctx context.Context, err error) bot.Reply {
	f, ok := fault.Of(err)
	switch {
	case errors.Is(err, context.DeadlineExceeded): // whether it was recorded is not known
		t.Log.WarnContext(ctx, "answering an event took too long", "platform", t.Event.Platform, "error", err)
		f = fault.New(fault.Unavailable, "dialog.slow")
	case !ok:
		incident := t.NewID().String()
		t.Log.ErrorContext(ctx, "answering an event", "incident", incident, "platform", t.Event.Platform, "error", err)
		f = fault.New(fault.Unavailable, "dialog.internal", "Incident", incident[len(incident)-12:])
	}
	if t.Event.Form != nil && ok && f.Kind != fault.Duplicate { // the form stays open, with everything that was typed into it
		return bot.Reply{Errors: t.fieldErrors(f)}
	}
	if f.Kind == fault.Duplicate {
		return t.tell(card.Plain, t.Say.T("dialog.duplicate"))
	}
	c := card.Card{Tone: card.Trouble, Title: t.Say.With(f.Key, f.Args)}
	for _, more := range f.More {
		c.Blocks = append(c.Blocks, card.Say(t.Say.With(more.Key, more.Args)))
	}
	if f.Key == forgottenKey {
		c.Blocks = append(c.Blocks, card.Buttons{Buttons: t.starters()})
	}
	return bot.Reply{Card: &c}
}

// fieldErrors puts every problem under its field, and what is about no field under the words. An adapter finds a place for a field that its
// form does not have.
func (t *Talk) fieldErrors(f *fault.Fault) map[string]string {
	const first = "text"
	out := map[string]string{}
	for _, one := range f.All() {
		field := one.Field
		if field == "" {
			field = first
		}
		out[field] = t.Say.With(one.Key, one.Args)
	}
	return out
}

// tell is a reply of one sentence.
func (t *Talk) tell(tone card.Tone, title string, blocks ...card.Block) bot.Reply {
	return bot.Reply{Card: &card.Card{Tone: tone, Title: title, Blocks: blocks}}
}
