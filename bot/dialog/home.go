package dialog

import (
	"context"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/feedback"
)

// waitingShown is how many of each kind of thing that waits the home page shows.
const waitingShown = 5

// home is the bot's home page: what waits for the person, what they received lately, and what they can do.
func (t *Talk) home(ctx context.Context) (bot.Reply, error) {
	notes, asks, err := t.Feedback.Store.Waiting(ctx, t.Org.ID, t.Who.ID, waitingShown)
	if err != nil {
		return bot.Reply{}, err
	}
	recent, _, err := t.Feedback.Store.Entries(ctx, feedback.Query{
		OrgID: t.Org.ID, Directory: t.Dir.Version(), Person: t.Who.ID, Side: feedback.Received, Limit: 3,
	})
	if err != nil {
		return bot.Reply{}, err
	}
	c := card.Card{Title: t.Say.T("home.title", "Name", t.name(t.Who)), Blocks: []card.Block{card.Buttons{Buttons: t.starters()}}}
	c.Blocks = append(c.Blocks, card.Divider{}, heading(t.Say.T("home.waiting")))
	if items := t.waiting(notes, asks); len(items) > 0 {
		c.Blocks = append(c.Blocks, card.Items{Items: items})
	} else {
		c.Blocks = append(c.Blocks, card.Say(t.Say.T("home.nothing")))
	}
	c.Blocks = append(c.Blocks, card.Divider{}, heading(t.Say.T("home.recent")))
	var items []card.Item
	for _, e := range recent {
		items = append(items, t.listed(ctx, e, e.At.In(t.Dir.Location(t.Who))))
	}
	if len(items) > 0 {
		c.Blocks = append(c.Blocks, card.Items{Items: items})
	} else {
		c.Blocks = append(c.Blocks, card.Say(t.Say.T("list.empty.received")))
	}
	c.Blocks = append(c.Blocks, card.Divider{}, card.Buttons{Buttons: []card.Button{
		{Label: t.Say.T("settings.start"), Action: card.Act(actSettings)}, {Label: t.Say.T("help.start"), Action: card.Act(actHelp)},
	}})
	return bot.Reply{Home: &c}, nil
}

func (t *Talk) waiting(notes []feedback.Note, asks []feedback.Ask) []card.Item {
	r := t.reader(t.Who)
	var items []card.Item
	for _, a := range asks {
		items = append(items, card.Item{
			Text: []card.Span{card.Bold(t.Say.T("ask.received.title", "Name", r.person(a.AuthorID)))}, Under: card.Text(cut(a.About, listedRunes)),
			Buttons: []card.Button{{Label: t.Say.T("ask.answer"), Action: card.Act(actAskAnswer, a.ID.String())}},
		})
	}
	for _, n := range notes {
		item := card.Item{Text: []card.Span{card.Bold(r.noteTitle(n))}, Under: card.Text(cut(n.Text, listedRunes))}
		if n.Action.Proposed() {
			item.Under = card.Text(cut(n.Action.Text, listedRunes) + " · " + dayIn(t.Say, n.Action.Due, t.At))
		}
		if buttons := r.noteButtons(n, t.At); len(buttons) > 0 {
			item.Buttons = buttons[:1]
		}
		items = append(items, item)
	}
	return items
}

func heading(s string) card.Paragraph { return card.Paragraph{Spans: []card.Span{card.Bold(s)}} }
