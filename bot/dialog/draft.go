package dialog

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/internal/fault"
)

// draft is something half said: kept in a session while a person chooses between two people of one name, or mends what was wrong with it.
// Losing it costs the person a repetition and nothing that was recorded.
type draft struct {
	Key       string      `json:"-"`    // of the session that it was read from
	Kind      string      `json:"kind"` // the command that it will be
	Receivers []uuid.UUID `json:"receivers,omitempty"`
	Open      []choice    `json:"open,omitempty"` // names that may mean several people
	Text      string      `json:"text,omitempty"`
	Tags      []string    `json:"tags,omitempty"`
	Link      string      `json:"link,omitempty"`
	Subject   uuid.UUID   `json:"subject,omitzero"` // the ask that a typed answer is for
	Post      string      `json:"post,omitempty"`   // the channel it is also posted to
}

// choice is a typed name and the people it may mean.
type choice struct {
	Typed string      `json:"typed"`
	Among []uuid.UUID `json:"among"`
}

// draftLife is how long the bot remembers what a person was in the middle of.
const draftLife = 30 * time.Minute

// keep stores the draft and gives the key under which its buttons find it again. The key belongs to the person, so that nobody else's
// press can reach it.
func (t *Talk) keep(ctx context.Context, d draft) (string, error) {
	key := d.Key
	if key == "" {
		key = t.NewID().String()
	}
	value, err := json.Marshal(d)
	if err != nil {
		return "", fmt.Errorf("encoding a draft: %w", err)
	}
	return key, t.Sessions.Put(ctx, t.Org.ID, t.session(key), value, draftLife)
}

// recall reads a draft. What has been forgotten is a fault that says so.
func (t *Talk) recall(ctx context.Context, key string) (draft, error) {
	value, ok, err := t.Sessions.Get(ctx, t.Org.ID, t.session(key))
	if err != nil || !ok {
		return draft{}, forgotten(err)
	}
	var d draft
	if err := json.Unmarshal(value, &d); err != nil {
		return draft{}, forgotten(err)
	}
	d.Key = key
	return d, nil
}

// forget drops a draft that shall not become anything; a session that is away only keeps it a little longer.
func (t *Talk) forget(ctx context.Context, key string) {
	if _, _, err := t.Sessions.Take(ctx, t.Org.ID, t.session(key)); err != nil {
		t.Log.WarnContext(ctx, "dropping a session", "error", err)
	}
}

func (t *Talk) session(key string) string { return "draft:" + t.Who.ID.String() + ":" + key }

// forgottenKey is the message that the bot has lost track; its card offers to begin again.
const forgottenKey = "dialog.forgotten"

// forgotten is a Conflict and not Unavailable: delivering the event again would not help, starting again does.
func forgotten(err error) error {
	f := fault.New(fault.Conflict, forgottenKey)
	if err != nil {
		return f.Because(err)
	}
	return f
}

// mend answers a command that cannot be carried out as it was typed: what is wrong, and a button that opens the form with all that was typed.
// When sessions are away the person sees what is wrong all the same.
func (t *Talk) mend(ctx context.Context, d draft, err error) (bot.Reply, error) {
	f, ok := fault.Of(err)
	if !ok || f.Kind != fault.Invalid && f.Kind != fault.NotFound {
		return bot.Reply{}, err
	}
	reply := t.explain(ctx, err)
	if reply.Card == nil {
		return reply, nil
	}
	key, lost := t.keep(ctx, d)
	if lost != nil {
		t.Log.WarnContext(ctx, "a draft cannot be kept, sessions are away")
		return reply, nil //nolint:nilerr // without the button the person still sees what is wrong
	}
	reply.Card.Blocks = append(reply.Card.Blocks, card.Buttons{Buttons: []card.Button{
		{Label: t.Say.T("dialog.openform"), Action: card.Act(actReopen, key), Style: card.Primary},
	}})
	return reply, nil
}

// reopenDraft opens the form of a draft.
func reopenDraft(ctx context.Context, t *Talk, a card.Action, _ card.Values) (bot.Reply, error) {
	d, err := t.recall(ctx, a.Arg(0))
	if err != nil {
		return bot.Reply{}, err
	}
	return t.openForm(ctx, d)
}

// openForm opens the form of the draft's command, filled with the draft.
func (t *Talk) openForm(ctx context.Context, d draft) (bot.Reply, error) {
	switch d.Kind {
	case "praise":
		return t.praiseForm(ctx, d)
	case "note":
		return t.noteForm(ctx, d)
	case "ask":
		return t.askForm(ctx, d)
	case "log":
		return t.eventForm(d), nil
	}
	return bot.Reply{}, fault.New(fault.NotFound, "dialog.action.unknown")
}

// carryOut does what a complete draft says.
func (t *Talk) carryOut(ctx context.Context, d draft) (bot.Reply, error) {
	switch d.Kind {
	case "praise":
		return t.praise(ctx, d)
	case "note":
		return t.note(ctx, d)
	case "ask":
		return t.ask(ctx, d)
	}
	return bot.Reply{}, fault.New(fault.NotFound, "dialog.action.unknown")
}
