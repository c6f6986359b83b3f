package dialog

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/bot/command"
	"huiyin/internal/fault"
	"huiyin/internal/people"
)

// maxChoices is how many people a choice card offers; who is meant by a name that fits more has to be typed more exactly.
const maxChoices = 5

// addressed finds out to whom a command is addressed: mentions by their account, typed names in the directory. Names that may mean
// several people stay open in the draft.
func (t *Talk) addressed(in command.Input, d *draft) error {
	to, text, leading := in.Addressed(t.naming)
	d.Text = text
	if !leading && len(to) > 0 {
		words := in.Words(t.naming)
		named, _ := t.Dir.Leading(words)
		switch {
		case len(named) > 0: // typed names lead, and who is mentioned after them is only spoken of
			to, text = nil, words
			d.Text = text
		case d.Kind == "note" && !in.Trailing(): // a note about somebody must not go to somebody else
			d.Text = words
			return fault.New(fault.Invalid, "note.receiver.first").In("receivers")
		}
	}
	for _, m := range to {
		id, err := t.mentioned(m)
		if err != nil {
			return err
		}
		d.add(id)
	}
	if len(to) > 0 && !strings.HasPrefix(text, "@") && !strings.HasPrefix(text, "＠") {
		return nil
	}
	named, rest := t.Dir.Leading(text)
	for _, r := range named {
		who, sure := people.Sure(r.Found)
		switch {
		case sure:
			d.add(who.ID)
		case len(r.Found) == 0:
			return fault.New(fault.NotFound, "dialog.receiver.unknown", "Name", r.Typed).In("receivers")
		default:
			c := choice{Typed: r.Typed}
			for _, f := range r.Found {
				c.Among = append(c.Among, f.Person.ID)
			}
			d.Open = append(d.Open, c)
		}
	}
	if len(named) > 0 {
		d.Text = rest
	}
	return nil
}

func (d *draft) add(id uuid.UUID) {
	if !slices.Contains(d.Receivers, id) {
		d.Receivers = append(d.Receivers, id)
	}
}

// mentioned is the person whose account was mentioned; groups, bots, guests and strangers are refused with the reason.
func (t *Talk) mentioned(m bot.Mentioned) (uuid.UUID, error) {
	if m.Group || m.User == "" {
		return uuid.Nil, fault.New(fault.Invalid, "dialog.receiver.group").In("receivers")
	}
	return t.account(m.User, m.Label)
}

// account is the person whose account it is. An account that is only proposed to its person counts: what is sent waits until they
// have said yes.
func (t *Talk) account(user, label string) (uuid.UUID, error) {
	i, _, ok := t.Dir.ByIdentity(t.Event.Platform, user)
	name := i.Name
	if name == "" {
		name = label
	}
	if name == "" {
		name = user
	}
	switch {
	case ok && i.Kind == people.Bot:
		return uuid.Nil, fault.New(fault.Invalid, "dialog.receiver.bot", "Name", name).In("receivers")
	case ok && i.Kind == people.Guest:
		return uuid.Nil, fault.New(fault.Invalid, "dialog.receiver.guest", "Name", name).In("receivers")
	case ok && (i.State == people.Confirmed || i.State == people.Proposed):
		return i.PersonID, nil
	}
	return uuid.Nil, fault.New(fault.NotFound, "dialog.receiver.stranger", "Name", name).In("receivers")
}

// naming is how a mention within a text is kept: as the person's name.
func (t *Talk) naming(m bot.Mentioned) string {
	if i, p, ok := t.Dir.ByIdentity(t.Event.Platform, m.User); ok && m.User != "" {
		if i.State == people.Confirmed {
			return t.name(p)
		}
		return i.Name
	}
	return m.Label
}

// settle carries a draft out, or asks first who is meant.
func (t *Talk) settle(ctx context.Context, d draft) (bot.Reply, error) {
	if len(d.Open) == 0 {
		reply, err := t.carryOut(ctx, d)
		if err != nil {
			return t.mend(ctx, d, err)
		}
		return reply, nil
	}
	open := d.Open[0]
	key, err := t.keep(ctx, d)
	if err != nil {
		return bot.Reply{}, fault.New(fault.Invalid, "dialog.receiver.several", "Name", open.Typed).In("receivers").Because(err)
	}
	c := card.Card{Tone: card.Ask, Title: t.Say.T("dialog.choose.title", "Name", open.Typed)}
	var buttons []card.Button
	for _, id := range open.Among[:min(maxChoices, len(open.Among))] {
		p, _ := t.Dir.Person(id)
		buttons = append(buttons, card.Button{Label: t.described(p), Action: card.Act(actPick, key, strconv.Itoa(len(d.Open)), id.String())})
	}
	c.Blocks = append(c.Blocks, card.Buttons{Buttons: buttons})
	hint := t.Say.T("dialog.choose.hint")
	if len(open.Among) > maxChoices {
		hint = t.Say.T("dialog.choose.more", "Count", len(open.Among)-maxChoices)
	}
	c.Blocks = append(c.Blocks, card.Small(hint))
	return bot.Reply{Card: &c}, nil
}

// pickReceiver takes the choice between people of one name.
func pickReceiver(ctx context.Context, t *Talk, a card.Action, _ card.Values) (bot.Reply, error) {
	d, err := t.recall(ctx, a.Arg(0))
	if err != nil {
		return bot.Reply{}, err
	}
	id, err := uuid.Parse(a.Arg(2))
	if err != nil || len(d.Open) == 0 || strconv.Itoa(len(d.Open)) != a.Arg(1) || !slices.Contains(d.Open[0].Among, id) {
		return bot.Reply{}, forgotten(err)
	}
	d.Open = d.Open[1:]
	d.add(id)
	t.Event.ID = actPick + ":" + a.Arg(0) // however often the last choice is pressed, the draft is carried out once
	reply, err := t.settle(ctx, d)
	if err == nil {
		reply.Replace = reply.Card != nil
	}
	return reply, err
}

// name is what the reader calls a person: the Chinese name in Chinese, the English one, if there is one, in English.
func (t *Talk) name(p people.Person) string { return nameIn(t.Say.Lang(), p) }

// described is a name with what tells people of one name apart.
func (t *Talk) described(p people.Person) string {
	parts := []string{t.name(p)}
	for _, more := range []string{p.Department, p.Title, p.EmployeeNo} {
		if more != "" {
			parts = append(parts, more)
		}
	}
	return strings.Join(parts, " · ")
}
