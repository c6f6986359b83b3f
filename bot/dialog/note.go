package dialog

import (
	"context"
	"time"

	"github.com/google/uuid"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/bot/command"
	"huiyin/feedback"
	"huiyin/internal/fault"
	"huiyin/internal/notice"
	"huiyin/internal/people"
)

// noteCommand is /note @name text. Bare, it opens the form.
func noteCommand(ctx context.Context, t *Talk, in command.Input) (bot.Reply, error) {
	d := draft{Kind: "note"}
	if !t.Dir.IsManager(t.Who.ID) { // said before anybody writes something that cannot be sent
		return bot.Reply{}, fault.New(fault.Forbidden, "people.forbidden."+string(people.WriteNote))
	}
	if in.Empty() {
		return t.noteForm(ctx, d)
	}
	if err := t.addressed(in, &d); err != nil {
		return t.mend(ctx, d, err)
	}
	return t.settle(ctx, d)
}

// note carries out a note and tells its author.
func (t *Talk) note(ctx context.Context, d draft) (bot.Reply, error) {
	switch {
	case len(d.Receivers) == 0:
		return bot.Reply{}, fault.New(fault.Invalid, "feedback.receiver.none").In("receivers")
	case len(d.Receivers) > 1:
		return bot.Reply{}, fault.New(fault.Invalid, "note.receiver.one").In("receivers")
	}
	n, err := t.Feedback.Note(ctx, t.Dir, t.cause(), d.Receivers[0], d.Text)
	if err != nil {
		return bot.Reply{}, err
	}
	return bot.Reply{Card: t.noteNow(n)}, nil
}

func (t *Talk) noteForm(ctx context.Context, d draft) (bot.Reply, error) {
	fields, err := t.receiverFields(ctx, toWhom{label: t.Say.T("note.form.receiver"), act: people.WriteNote, most: 1, among: d.Receivers})
	if err != nil {
		return bot.Reply{}, err
	}
	return bot.Reply{Form: &card.Form{
		Title: t.Say.T("note.form.title"), Submit: t.Say.T("dialog.send"), Action: card.Act(actNoteSend),
		Intro: []card.Block{card.Small(t.Say.T("note.form.intro"))},
		Fields: append(fields, card.TextField{
			Name: "text", Label: t.Say.T("note.form.text"), Hint: t.Say.T("note.form.text.hint"), Placeholder: t.Say.T("note.form.text.placeholder"),
			Value: d.Text, Multiline: true, Max: feedback.MaxText,
		}),
	}}, nil
}

func noteOpen(ctx context.Context, t *Talk, a card.Action, _ card.Values) (bot.Reply, error) {
	d := draft{Kind: "note"}
	if id, err := uuid.Parse(a.Arg(0)); err == nil {
		d.add(id)
	}
	return t.noteForm(ctx, d)
}

func noteSubmitted(ctx context.Context, t *Talk, _ card.Action, v card.Values) (bot.Reply, error) {
	receivers, err := t.chosen(v)
	if err != nil {
		return bot.Reply{}, err
	}
	return t.note(ctx, draft{Kind: "note", Receivers: receivers, Text: v.One("text")})
}

func noteEdit(ctx context.Context, t *Talk, a card.Action, _ card.Values) (bot.Reply, error) {
	n, err := t.noteOf(ctx, a)
	if err != nil {
		return bot.Reply{}, err
	}
	if err := n.Changeable(t.Who.ID, t.At); err != nil {
		return bot.Reply{}, err
	}
	return bot.Reply{Form: &card.Form{
		Title: t.Say.T("note.edit.title"), Submit: t.Say.T("dialog.save"), Action: card.Act(actNoteSave, n.ID.String()),
		Fields: []card.Field{card.TextField{Name: "text", Label: t.Say.T("note.form.text"), Value: n.Text, Multiline: true, Max: feedback.MaxText}},
	}}, nil
}

func noteSave(ctx context.Context, t *Talk, a card.Action, v card.Values) (bot.Reply, error) {
	return t.noteChanged(a, func(id uuid.UUID) (feedback.Note, error) {
		return t.Feedback.EditNote(ctx, t.cause(), id, v.One("text"))
	})
}

func noteRecall(ctx context.Context, t *Talk, a card.Action, _ card.Values) (bot.Reply, error) {
	return t.noteChanged(a, func(id uuid.UUID) (feedback.Note, error) { return t.Feedback.WithdrawNote(ctx, t.cause(), id) })
}

func noteAgree(ctx context.Context, t *Talk, a card.Action, _ card.Values) (bot.Reply, error) {
	return t.noteChanged(a, func(id uuid.UUID) (feedback.Note, error) {
		return t.Feedback.AgreeAction(ctx, t.Dir, t.cause(), id, a.Arg(1))
	})
}

func noteDone(ctx context.Context, t *Talk, a card.Action, _ card.Values) (bot.Reply, error) {
	return t.noteChanged(a, func(id uuid.UUID) (feedback.Note, error) { return t.Feedback.FinishNote(ctx, t.cause(), id) })
}

func notePropose(ctx context.Context, t *Talk, a card.Action, _ card.Values) (bot.Reply, error) {
	n, err := t.noteOf(ctx, a)
	if err != nil {
		return bot.Reply{}, err
	}
	due := n.Action.Due
	if due.IsZero() {
		due = t.today().AddDate(0, 0, 14)
	}
	return bot.Reply{Form: &card.Form{
		Title: t.Say.T("note.action.title"), Submit: t.Say.T("note.action.submit"), Action: card.Act(actNoteProposed, n.ID.String()),
		Fields: []card.Field{
			card.TextField{Name: "action", Label: t.Say.T("note.action.text"), Hint: t.Say.T("note.action.text.hint"), Value: n.Action.Text, Multiline: true, Max: feedback.MaxAction},
			card.DateField{Name: "due", Label: t.Say.T("note.action.due"), Value: due.Format(time.DateOnly)},
		},
	}}, nil
}

func noteProposed(ctx context.Context, t *Talk, a card.Action, v card.Values) (bot.Reply, error) {
	due, err := time.Parse(time.DateOnly, v.One("due"))
	if err != nil {
		return bot.Reply{}, fault.New(fault.Invalid, "feedback.action.nodate").In("due").Because(err)
	}
	return t.noteChanged(a, func(id uuid.UUID) (feedback.Note, error) {
		return t.Feedback.ProposeAction(ctx, t.cause(), id, v.One("action"), due, t.today())
	})
}

// noteChanged runs a change and shows the note as it stands after it.
func (t *Talk) noteChanged(a card.Action, change func(uuid.UUID) (feedback.Note, error)) (bot.Reply, error) {
	id, err := argID(a)
	if err != nil {
		return bot.Reply{}, err
	}
	n, err := change(id)
	if err != nil {
		return bot.Reply{}, err
	}
	return bot.Reply{Card: t.noteNow(n), Replace: true}, nil
}

// noteOf is the note that an action names, if it is between the person and somebody.
func (t *Talk) noteOf(ctx context.Context, a card.Action) (feedback.Note, error) {
	id, err := argID(a)
	if err != nil {
		return feedback.Note{}, err
	}
	n, err := t.Feedback.Store.Note(ctx, t.Org.ID, id)
	if err == nil && !n.Between(t.Who.ID) {
		err = fault.New(fault.NotFound, "feedback.note.notyours")
	}
	return n, err
}

// today is the calendar day at the person's place.
func (t *Talk) today() time.Time { return feedback.Day(t.At.In(t.Dir.Location(t.Who))) }

// noteNow is the note as the one who just acted on it sees it.
func (t *Talk) noteNow(n feedback.Note) *card.Card {
	r := t.reader(t.Who)
	return r.note(n, r.noteTitle(n), t.At)
}

// noteTitle says where the note stands.
func (r reader) noteTitle(n feedback.Note) string {
	other := r.person(n.Other(r.who.ID))
	switch {
	case n.State == feedback.NoteWithdrawn && r.who.ID == n.AuthorID:
		return r.say.T("note.withdrawn.mine", "Name", other)
	case n.State == feedback.NoteWithdrawn:
		return r.say.T("note.withdrawn.theirs", "Name", other)
	case n.State == feedback.NoteDone:
		return r.say.T("note.done.title", "Name", other)
	case n.State == feedback.NoteAgreedOn:
		return r.say.T("note.agreed.title", "Name", other)
	case n.Waiting() == r.who.ID:
		return r.say.T("note.proposed.title", "Name", other)
	case n.Action.Proposed():
		return r.say.T("note.waiting.title", "Name", other)
	case r.who.ID == n.AuthorID:
		return r.say.T("note.sent.title", "Name", other)
	}
	return r.say.T("note.received.title", "Name", other)
}

// note is a note as one of the two sees it. Its summary, which a notification may show on a locked screen, says nothing of it.
func (r reader) note(n feedback.Note, title string, now time.Time) *card.Card {
	c := &card.Card{Tone: card.Private, Title: title, Summary: r.say.T("note.summary.private")}
	if n.State == feedback.NoteWithdrawn {
		return c
	}
	c.Blocks = append(c.Blocks, card.Quoted(n.Text))
	if n.Action.Proposed() {
		c.Blocks = append(c.Blocks, card.Facts{Items: []card.Fact{
			{Label: r.say.T("note.action.label"), Value: card.Text(n.Action.Text)},
			{Label: r.say.T("note.due.label"), Value: card.Text(dayIn(r.say, n.Action.Due, now))},
			{Label: r.say.T("note.state.label"), Value: card.Text(r.noteState(n))},
		}})
	} else {
		c.Blocks = append(c.Blocks, card.Say(r.say.T("note.next")))
	}
	if buttons := r.noteButtons(n, now); len(buttons) > 0 {
		c.Blocks = append(c.Blocks, card.Buttons{Buttons: buttons})
	}
	c.Blocks = append(c.Blocks, card.Small(r.say.T("note.who", "Name", r.person(n.ReceiverID))))
	return c
}

func (r reader) noteState(n feedback.Note) string {
	switch n.State {
	case feedback.NoteDone:
		return r.say.T("note.state.done")
	case feedback.NoteAgreedOn:
		return r.say.T("note.state.agreed")
	case feedback.NoteOpen, feedback.NoteWithdrawn:
	}
	return r.say.T("note.state.waiting", "Name", r.person(n.Waiting()))
}

// noteButtons are what the reader can do next.
func (r reader) noteButtons(n feedback.Note, now time.Time) []card.Button {
	id := n.ID.String()
	var out []card.Button
	propose := card.Button{Label: r.say.T("note.propose.other"), Action: card.Act(actNotePropose, id)}
	switch {
	case n.State == feedback.NoteDone:
		return nil
	case n.State == feedback.NoteAgreedOn:
		propose.Label = r.say.T("note.propose.change")
		out = append(out, card.Button{Label: r.say.T("note.done"), Action: card.Act(actNoteDone, id), Style: card.Primary}, propose)
	case n.Waiting() == r.who.ID:
		out = append(out, card.Button{Label: r.say.T("note.agree"), Action: card.Act(actNoteAgree, id, n.Action.Terms()), Style: card.Primary}, propose)
	case n.Action.Proposed():
		out = append(out, propose)
	default:
		propose.Label, propose.Style = r.say.T("note.propose"), card.Primary
		out = append(out, propose)
	}
	if n.Changeable(r.who.ID, now) == nil {
		out = append(out, card.Button{Label: r.say.T("dialog.edit"), Action: card.Act(actNoteEdit, id)})
	}
	if n.AuthorID == r.who.ID {
		out = append(out, card.Button{Label: r.say.T("dialog.withdraw"), Action: card.Act(actNoteRecall, id), Style: card.Danger, Confirm: sure(r.say, "note.withdraw.sure")})
	}
	return out
}

// writeNote finds the words of every notice about a note. Notes go to the two alone, never to a channel.
func writeNote(ctx context.Context, r reader, n notice.Notice) (card.Card, bool, error) {
	if n.To == uuid.Nil {
		return card.Card{}, false, nil
	}
	note, err := r.Feedback.Store.Note(ctx, n.OrgID, n.Subject)
	if err != nil {
		return card.Card{}, false, err
	}
	if !note.Between(n.To) {
		return card.Card{}, false, nil
	}
	now := r.Now()
	title := r.noteTitle(note)
	live := note.State == feedback.NoteOpen || note.State == feedback.NoteAgreedOn
	ok := live
	switch n.Kind {
	case notice.NoteFollowUp:
		// One that comes so late that the next is due already leaves the word to that.
		ok = live && n.Due.Add(feedback.FollowUpEvery).After(now)
		if ok && note.State == feedback.NoteAgreedOn {
			title = r.say.T("note.followup.title", "Name", r.person(note.Other(n.To)))
		}
	case notice.NoteAgreed:
		ok = note.State == feedback.NoteAgreedOn
	case notice.NoteProposed:
		ok = note.Waiting() == n.To
	case notice.NoteDone:
		ok = note.State == feedback.NoteDone
	case notice.NoteWithdrawn:
		ok = note.State == feedback.NoteWithdrawn
	default: // NoteReceived: while it is live
	}
	return *r.note(note, title, now), ok, nil
}
