package dialog

import (
	"context"
	"time"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/bot/command"
	"huiyin/feedback"
	"huiyin/internal/fault"
)

// eventCommand is /log text [link]. Bare, it opens the form.
func eventCommand(ctx context.Context, t *Talk, in command.Input) (bot.Reply, error) {
	d := draft{Kind: "log"}
	if in.Empty() {
		return t.eventForm(d), nil
	}
	d.Text, d.Link = feedback.SplitLink(in.Words(t.naming))
	reply, err := t.logEvent(ctx, d, t.today())
	if err != nil {
		return t.mend(ctx, d, err)
	}
	return reply, nil
}

func (t *Talk) logEvent(ctx context.Context, d draft, on time.Time) (bot.Reply, error) {
	k, err := t.Feedback.LogEvent(ctx, t.Dir, t.cause(), d.Text, d.Link, on)
	if err != nil {
		return bot.Reply{}, err
	}
	return bot.Reply{Card: t.eventLogged(k)}, nil
}

func (t *Talk) eventLogged(k feedback.KeyEvent) *card.Card {
	if !k.WithdrawnAt.IsZero() {
		return &card.Card{Title: t.Say.T("event.withdrawn")}
	}
	c := &card.Card{Tone: card.Good, Title: t.Say.T("event.logged.title"), Blocks: []card.Block{card.Quoted(k.Text)}}
	facts := card.Facts{Items: []card.Fact{{Label: t.Say.T("event.on"), Value: card.Text(dayIn(t.Say, k.On, t.At))}}}
	if k.Link != "" {
		facts.Items = append(facts.Items, card.Fact{Label: t.Say.T("event.link"), Value: []card.Span{card.Link(k.Link, k.Link)}})
	}
	c.Blocks = append(c.Blocks, facts, card.Small(t.Say.T("event.who")), card.Buttons{Buttons: []card.Button{{
		Label: t.Say.T("dialog.withdraw"), Action: card.Act(actEventRecall, k.ID.String()), Style: card.Danger, Confirm: sure(t.Say, "event.withdraw.sure"),
	}}})
	return c
}

func (t *Talk) eventForm(d draft) bot.Reply {
	return bot.Reply{Form: &card.Form{
		Title: t.Say.T("event.form.title"), Submit: t.Say.T("dialog.save"), Action: card.Act(actEventSend),
		Fields: []card.Field{
			card.TextField{Name: "text", Label: t.Say.T("event.form.text"), Hint: t.Say.T("event.form.text.hint"), Value: d.Text, Multiline: true, Max: feedback.MaxText},
			card.TextField{Name: "link", Label: t.Say.T("event.link"), Value: d.Link, Optional: true, Max: 1000},
			card.DateField{Name: "on", Label: t.Say.T("event.on"), Value: t.today().Format(time.DateOnly)},
		},
	}}
}

func eventOpen(_ context.Context, t *Talk, _ card.Action, _ card.Values) (bot.Reply, error) {
	return t.eventForm(draft{Kind: "log"}), nil
}

func eventSubmitted(ctx context.Context, t *Talk, _ card.Action, v card.Values) (bot.Reply, error) {
	on, err := time.Parse(time.DateOnly, v.One("on"))
	if err != nil {
		return bot.Reply{}, fault.New(fault.Invalid, "feedback.action.nodate").In("on").Because(err)
	}
	return t.logEvent(ctx, draft{Text: v.One("text"), Link: v.One("link")}, on)
}

func eventRecall(ctx context.Context, t *Talk, a card.Action, _ card.Values) (bot.Reply, error) {
	id, err := argID(a)
	if err != nil {
		return bot.Reply{}, err
	}
	k, err := t.Feedback.WithdrawEvent(ctx, t.cause(), id)
	if err != nil {
		return bot.Reply{}, err
	}
	return bot.Reply{Card: t.eventLogged(k), Replace: true}, nil
}
