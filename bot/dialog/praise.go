package dialog

import (
	"context"

	"github.com/google/uuid"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/bot/command"
	"huiyin/feedback"
	"huiyin/internal/fault"
	"huiyin/internal/notice"
	"huiyin/internal/people"
)

// praiseCommand is /praise @name [@name…] text [#value]. Bare, it opens the form.
func praiseCommand(ctx context.Context, t *Talk, in command.Input) (bot.Reply, error) {
	d := draft{Kind: "praise"}
	if in.Empty() {
		return t.praiseForm(ctx, d)
	}
	err := t.addressed(in, &d)
	d.Text, d.Tags = feedback.SplitTags(d.Text)
	d.Post = t.PraiseChannel(t.Event.Platform)
	if err != nil {
		return t.mend(ctx, d, err)
	}
	return t.settle(ctx, d)
}

// praise carries out a praise and tells its author.
func (t *Talk) praise(ctx context.Context, d draft) (bot.Reply, error) {
	tags, err := t.stored(ctx, d.Tags)
	if err != nil {
		return bot.Reply{}, err
	}
	p, err := t.Feedback.Praise(ctx, t.Dir, t.cause(), feedback.PraiseDraft{Receivers: d.Receivers, Text: d.Text, Tags: tags, Channel: d.Post})
	if err != nil {
		return bot.Reply{}, err
	}
	return bot.Reply{Card: t.praiseSent(ctx, p)}, nil
}

// praiseSent is what the author sees of a praise: where it went, and how to change it for ten minutes.
func (t *Talk) praiseSent(ctx context.Context, p feedback.Praise) *card.Card {
	c := &card.Card{Tone: card.Good, Title: t.Say.T("praise.sent.title", "Names", t.receiverNames(p))}
	if !p.WithdrawnAt.IsZero() {
		c.Tone, c.Title = card.Plain, t.Say.T("praise.withdrawn.mine", "Names", t.receiverNames(p))
		return c
	}
	c.Blocks = append(c.Blocks, card.Quoted(p.Text))
	c.Blocks = append(c.Blocks, t.reader(t.Who).tagsBlock(ctx, p.Tags)...)
	hint := t.Say.T("praise.sent.hint")
	if p.Channel != "" {
		hint = t.Say.T("praise.sent.posted")
	}
	c.Blocks = append(c.Blocks, card.Small(hint))
	if p.Changeable(t.Who.ID, t.At) == nil {
		c.Blocks = append(c.Blocks, card.Buttons{Buttons: []card.Button{
			{Label: t.Say.T("dialog.edit"), Action: card.Act(actPraiseEdit, p.ID.String())},
			{Label: t.Say.T("dialog.withdraw"), Action: card.Act(actPraiseRecall, p.ID.String()), Style: card.Danger, Confirm: t.sure("praise.withdraw.sure")},
		}})
	}
	return c
}

// praiseForm asks for a praise; what the draft holds is filled in.
func (t *Talk) praiseForm(ctx context.Context, d draft) (bot.Reply, error) {
	fields, err := t.receiverFields(ctx, toWhom{label: t.Say.T("praise.form.receivers"), act: people.GivePraise, most: feedback.MaxReceivers, among: d.Receivers})
	if err != nil {
		return bot.Reply{}, err
	}
	f := card.Form{
		Title: t.Say.T("praise.form.title"), Submit: t.Say.T("dialog.send"), Action: card.Act(actPraiseSend),
		Fields: append(fields,
			card.TextField{Name: "text", Label: t.Say.T("praise.form.text"), Hint: t.Say.T("praise.form.text.hint"), Value: d.Text, Multiline: true, Max: feedback.MaxText}),
	}
	if f.Fields, err = t.tagField(ctx, f.Fields, d.Tags); err != nil {
		return bot.Reply{}, err
	}
	if t.PraiseChannel(t.Event.Platform) != "" {
		f.Fields = append(f.Fields, card.ChoiceField{
			Name: "post", Label: t.Say.T("praise.form.post"), Optional: true, Many: true, Value: []string{"yes"},
			Options: []card.Option{{Value: "yes", Label: t.Say.T("praise.form.post.yes")}},
		})
	}
	return bot.Reply{Form: &f}, nil
}

func praiseOpen(ctx context.Context, t *Talk, a card.Action, _ card.Values) (bot.Reply, error) {
	d := draft{Kind: "praise"}
	if id, err := uuid.Parse(a.Arg(0)); err == nil {
		d.add(id)
	}
	return t.praiseForm(ctx, d)
}

func praiseSubmitted(ctx context.Context, t *Talk, _ card.Action, v card.Values) (bot.Reply, error) {
	receivers, err := t.chosen(v)
	if err != nil {
		return bot.Reply{}, err
	}
	text, tags := feedback.SplitTags(v.One("text"))
	d := draft{Kind: "praise", Receivers: receivers, Text: text, Tags: append(tags, v["tags"]...)}
	if v.One("post") == "yes" {
		d.Post = t.PraiseChannel(t.Event.Platform)
	}
	return t.praise(ctx, d)
}

func praiseThank(ctx context.Context, t *Talk, a card.Action, _ card.Values) (bot.Reply, error) {
	id, err := argID(a)
	if err != nil {
		return bot.Reply{}, err
	}
	p, err := t.Feedback.Thank(ctx, t.cause(), id)
	if err != nil {
		return bot.Reply{}, err
	}
	return bot.Reply{Card: t.reader(t.Who).praiseReceived(ctx, p), Replace: true}, nil
}

func praiseEdit(ctx context.Context, t *Talk, a card.Action, _ card.Values) (bot.Reply, error) {
	id, err := argID(a)
	if err != nil {
		return bot.Reply{}, err
	}
	p, err := t.Feedback.Store.Praise(ctx, t.Org.ID, id)
	if err != nil {
		return bot.Reply{}, err
	}
	if err := p.Changeable(t.Who.ID, t.At); err != nil {
		return bot.Reply{}, err
	}
	f := card.Form{
		Title: t.Say.T("praise.edit.title"), Submit: t.Say.T("dialog.save"), Action: card.Act(actPraiseSave, p.ID.String()),
		Fields: []card.Field{card.TextField{Name: "text", Label: t.Say.T("praise.form.text"), Value: p.Text, Multiline: true, Max: feedback.MaxText}},
	}
	if f.Fields, err = t.tagField(ctx, f.Fields, p.Tags); err != nil {
		return bot.Reply{}, err
	}
	return bot.Reply{Form: &f}, nil
}

func praiseSave(ctx context.Context, t *Talk, a card.Action, v card.Values) (bot.Reply, error) {
	id, err := argID(a)
	if err != nil {
		return bot.Reply{}, err
	}
	text, tags := feedback.SplitTags(v.One("text"))
	if tags, err = t.stored(ctx, append(tags, v["tags"]...)); err != nil {
		return bot.Reply{}, err
	}
	p, err := t.Feedback.EditPraise(ctx, t.cause(), id, text, tags)
	if err != nil {
		return bot.Reply{}, err
	}
	return bot.Reply{Card: t.praiseSent(ctx, p), Replace: true}, nil
}

func praiseRecall(ctx context.Context, t *Talk, a card.Action, _ card.Values) (bot.Reply, error) {
	id, err := argID(a)
	if err != nil {
		return bot.Reply{}, err
	}
	p, err := t.Feedback.WithdrawPraise(ctx, t.cause(), id)
	if err != nil {
		return bot.Reply{}, err
	}
	return bot.Reply{Card: t.praiseSent(ctx, p), Replace: true}, nil
}

func (t *Talk) receiverNames(p feedback.Praise) string {
	return namesIn(t.Say, t.Dir, receiverIDs(p))
}

func receiverIDs(p feedback.Praise) []uuid.UUID {
	ids := make([]uuid.UUID, len(p.Receivers))
	for i, r := range p.Receivers {
		ids[i] = r.PersonID
	}
	return ids
}

// praiseReceived is a praise as one of its receivers sees it.
func (r reader) praiseReceived(ctx context.Context, p feedback.Praise) *card.Card {
	author := r.person(p.AuthorID)
	if !p.WithdrawnAt.IsZero() {
		return &card.Card{Title: r.say.T("praise.withdrawn.theirs", "Name", author)}
	}
	c := &card.Card{
		Tone: card.Good, Title: r.say.T("praise.received.title", "Name", author),
		Blocks: append([]card.Block{card.Quoted(p.Text)}, r.tagsBlock(ctx, p.Tags)...),
	}
	var others []uuid.UUID
	thanked := false
	for _, one := range p.Receivers {
		if one.PersonID == r.who.ID {
			thanked = !one.ThankedAt.IsZero()
		} else {
			others = append(others, one.PersonID)
		}
	}
	if len(others) > 0 {
		c.Blocks = append(c.Blocks, card.Small(r.say.T("praise.received.others", "Names", namesIn(r.say, r.dir, others))))
	}
	if !p.EditedAt.IsZero() {
		c.Blocks = append(c.Blocks, card.Small(r.say.T("dialog.edited")))
	}
	if thanked {
		c.Blocks = append(c.Blocks, card.Small(r.say.T("praise.thanked.mine", "Name", author)))
	} else {
		c.Blocks = append(c.Blocks, card.Buttons{Buttons: []card.Button{
			{Label: r.say.T("praise.thank"), Action: card.Act(actPraiseThank, p.ID.String()), Style: card.Primary},
			{Label: r.say.T("praise.mine"), Action: card.Act(actList, string(feedback.Received))},
		}})
	}
	return c
}

// writePraise finds the words of every notice about a praise.
func writePraise(ctx context.Context, r reader, n notice.Notice) (card.Card, bool, error) {
	p, err := r.Feedback.Store.Praise(ctx, n.OrgID, n.Subject)
	if err != nil {
		return card.Card{}, false, err
	}
	stands := p.WithdrawnAt.IsZero()
	switch n.Kind {
	case notice.PraiseReceived:
		c := r.praiseReceived(ctx, p)
		before, _, err := r.Feedback.Store.Entries(ctx, feedback.Query{
			OrgID: n.OrgID, Person: n.To, Side: feedback.Received, Before: feedback.Cursor{At: p.At, ID: p.ID}, Limit: 1,
		})
		if err != nil {
			return card.Card{}, false, err
		}
		if len(before) == 0 && stands { // most people meet the bot when somebody praises them (row S0-59)
			c.Blocks = append(c.Blocks, card.Small(r.say.T("dialog.firstcontact")))
		}
		return *c, stands, nil
	case notice.PraisePosted:
		names := namesIn(r.say, r.dir, receiverIDs(p))
		if !stands {
			return card.Card{Title: r.say.T("praise.withdrawn.theirs", "Name", r.person(p.AuthorID))}, false, nil
		}
		return card.Card{
			Tone: card.Good, Title: r.say.T("praise.posted.title", "Name", r.person(p.AuthorID), "Names", names),
			Blocks: append([]card.Block{card.Quoted(p.Text)}, r.tagsBlock(ctx, p.Tags)...),
		}, true, nil
	case notice.PraiseThanked:
		var from []uuid.UUID
		for _, one := range p.Receivers {
			if !one.ThankedAt.IsZero() {
				from = append(from, one.PersonID)
			}
		}
		return card.Card{
			Tone: card.Good, Title: r.say.T("praise.thanked.title", "Names", namesIn(r.say, r.dir, from)),
			Blocks: []card.Block{card.Quoted(p.Text)},
		}, stands && len(from) > 0, nil
	default:
	}
	return card.Card{}, false, fault.New(fault.NotFound, "dialog.action.unknown")
}
