package dialog

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
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

// askCommand is /ask @name [@name…] about. Bare, or without names, it opens the form.
func askCommand(ctx context.Context, t *Talk, in command.Input) (bot.Reply, error) {
	d := draft{Kind: "ask"}
	if in.Empty() {
		return t.askForm(ctx, d)
	}
	if err := t.addressed(in, &d); err != nil {
		return t.mend(ctx, d, err)
	}
	if len(d.Receivers)+len(d.Open) == 0 {
		return t.askForm(ctx, d)
	}
	return t.settle(ctx, d)
}

// ask carries out a question and tells its author.
func (t *Talk) ask(ctx context.Context, d draft) (bot.Reply, error) {
	a, err := t.Feedback.Ask(ctx, t.Dir, t.cause(), d.Receivers, d.Text)
	if err != nil {
		return bot.Reply{}, err
	}
	return bot.Reply{Card: t.askSent(a)}, nil
}

func (t *Talk) askForm(ctx context.Context, d draft) (bot.Reply, error) {
	fields, err := t.receiverFields(ctx, toWhom{label: t.Say.T("ask.form.receivers"), act: people.AskFeedback, most: feedback.MaxReceivers, among: d.Receivers})
	if err != nil {
		return bot.Reply{}, err
	}
	return bot.Reply{Form: &card.Form{
		Title: t.Say.T("ask.form.title"), Submit: t.Say.T("dialog.send"), Action: card.Act(actAskSend),
		Intro: []card.Block{card.Small(t.Say.T("ask.form.intro"))},
		Fields: append(fields,
			card.TextField{Name: "text", Label: t.Say.T("ask.form.text"), Hint: t.Say.T("ask.form.text.hint"), Value: d.Text, Multiline: true, Max: feedback.MaxText}),
	}}, nil
}

func askOpen(ctx context.Context, t *Talk, _ card.Action, _ card.Values) (bot.Reply, error) {
	return t.askForm(ctx, draft{Kind: "ask"})
}

func askSubmitted(ctx context.Context, t *Talk, _ card.Action, v card.Values) (bot.Reply, error) {
	receivers, err := t.chosen(v)
	if err != nil {
		return bot.Reply{}, err
	}
	return t.ask(ctx, draft{Kind: "ask", Receivers: receivers, Text: v.One("text")})
}

// askSent is what the one who asked sees: whom, what, and who has answered.
func (t *Talk) askSent(a feedback.Ask) *card.Card {
	var whom []uuid.UUID
	for _, one := range a.Asked {
		whom = append(whom, one.PersonID)
	}
	names := namesIn(t.Say, t.Dir, whom)
	if !a.WithdrawnAt.IsZero() {
		return &card.Card{Title: t.Say.T("ask.withdrawn.mine", "Names", names)}
	}
	return &card.Card{
		Tone: card.Good, Title: t.Say.T("ask.sent.title", "Names", names),
		Blocks: []card.Block{
			card.Quoted(a.About), card.Small(t.Say.T("ask.sent.hint")),
			card.Buttons{Buttons: []card.Button{{
				Label: t.Say.T("dialog.withdraw"), Action: card.Act(actAskRecall, a.ID.String()), Style: card.Danger, Confirm: sure(t.Say, "ask.withdraw.sure"),
			}}},
		},
	}
}

func askRecall(ctx context.Context, t *Talk, a card.Action, _ card.Values) (bot.Reply, error) {
	id, err := argID(a)
	if err != nil {
		return bot.Reply{}, err
	}
	ask, err := t.Feedback.WithdrawAsk(ctx, t.cause(), id)
	if err != nil {
		return bot.Reply{}, err
	}
	return bot.Reply{Card: t.askSent(ask), Replace: true}, nil
}

// askAnswer opens the form of an answer, filled with the one given before.
func askAnswer(ctx context.Context, t *Talk, a card.Action, _ card.Values) (bot.Reply, error) {
	ask, mine, err := t.askOf(ctx, a)
	if err != nil {
		return bot.Reply{}, err
	}
	return bot.Reply{Form: &card.Form{
		Title: t.Say.T("ask.answer.title"), Submit: t.Say.T("dialog.send"), Action: card.Act(actAskAnswered, ask.ID.String()),
		Intro: []card.Block{card.Quoted(ask.About), card.Small(t.Say.T("ask.answer.intro", "Name", t.reader(t.Who).person(ask.AuthorID)))},
		Fields: []card.Field{
			card.TextField{Name: "answer", Label: t.Say.T("ask.answer.text"), Hint: t.Say.T("ask.answer.hint"), Value: mine.Answer, Multiline: true, Max: feedback.MaxText},
		},
	}}, nil
}

func askAnswered(ctx context.Context, t *Talk, a card.Action, v card.Values) (bot.Reply, error) {
	id, err := argID(a)
	if err != nil {
		return bot.Reply{}, err
	}
	return t.answered(ctx, id, v.One("answer"))
}

func (t *Talk) answered(ctx context.Context, id uuid.UUID, text string) (bot.Reply, error) {
	ask, err := t.Feedback.Answer(ctx, t.cause(), id, text)
	if err != nil {
		return bot.Reply{}, err
	}
	return bot.Reply{Card: t.reader(t.Who).askReceived(ask), Replace: true}, nil
}

func askDecline(ctx context.Context, t *Talk, a card.Action, _ card.Values) (bot.Reply, error) {
	id, err := argID(a)
	if err != nil {
		return bot.Reply{}, err
	}
	ask, err := t.Feedback.DeclineAsk(ctx, t.cause(), id)
	if err != nil {
		return bot.Reply{}, err
	}
	return bot.Reply{Card: t.reader(t.Who).askReceived(ask), Replace: true}, nil
}

// askType waits for the answer as the next message of the conversation.
func askType(ctx context.Context, t *Talk, a card.Action, _ card.Values) (bot.Reply, error) {
	ask, _, err := t.askOf(ctx, a)
	if err != nil {
		return bot.Reply{}, err
	}
	value, err := json.Marshal(draft{Kind: "answer", Subject: ask.ID})
	if err != nil {
		return bot.Reply{}, fmt.Errorf("encoding what is waited for: %w", err)
	}
	if err := t.Sessions.Put(ctx, t.Org.ID, t.awaited(), value, draftLife); err != nil {
		return bot.Reply{}, forgotten(err)
	}
	return t.tell(card.Ask, t.Say.T("ask.type.title", "Name", t.reader(t.Who).person(ask.AuthorID)), card.Quoted(ask.About), card.Small(t.Say.T("ask.type.hint"))), nil
}

// awaited is the session of the one thing that the bot waits for from a person in their conversation.
func (t *Talk) awaited() string { return "awaited:" + t.Who.ID.String() }

// listening takes a message as the answer that the bot waits for, whatever it begins with, unless it begins with a slash; ok is false
// when the bot waits for nothing. Nothing is sent before the person has seen it once more.
func (t *Talk) listening(ctx context.Context, c bot.Command) (reply bot.Reply, ok bool) {
	text := command.Input{Parts: c.Parts}.Words(t.naming)
	if c.Name != "" || t.Event.Where.Kind != bot.Direct || text == "" || strings.HasPrefix(text, "/") || strings.HasPrefix(text, "／") {
		return bot.Reply{}, false
	}
	value, ok, err := t.Sessions.Take(ctx, t.Org.ID, t.awaited())
	if err != nil || !ok {
		return bot.Reply{}, false
	}
	var d draft
	if err := json.Unmarshal(value, &d); err != nil || d.Kind != "answer" {
		return bot.Reply{}, false
	}
	d.Text = text
	key, err := t.keep(ctx, d)
	if err != nil {
		return bot.Reply{}, false
	}
	return t.tell(card.Ask, t.Say.T("ask.typed.title"), card.Quoted(text), card.Buttons{Buttons: []card.Button{
		{Label: t.Say.T("dialog.send"), Action: card.Act(actAskTyped, key), Style: card.Primary},
		{Label: t.Say.T("ask.typed.forget"), Action: card.Act(actAskForget, key)},
	}}), true
}

func askTyped(ctx context.Context, t *Talk, a card.Action, _ card.Values) (bot.Reply, error) {
	d, err := t.recall(ctx, a.Arg(0))
	if err != nil {
		return bot.Reply{}, err
	}
	t.Event.ID = actAskTyped + ":" + a.Arg(0) // however often it is pressed
	return t.answered(ctx, d.Subject, d.Text)
}

func askForget(ctx context.Context, t *Talk, a card.Action, _ card.Values) (bot.Reply, error) {
	t.forget(ctx, a.Arg(0))
	reply := t.tell(card.Plain, t.Say.T("ask.typed.forgotten"))
	reply.Replace = true
	return reply, nil
}

// askOf is the question that an action names, and what became of it with this person.
func (t *Talk) askOf(ctx context.Context, a card.Action) (feedback.Ask, feedback.Asked, error) {
	id, err := argID(a)
	if err != nil {
		return feedback.Ask{}, feedback.Asked{}, err
	}
	ask, err := t.Feedback.Store.Ask(ctx, t.Org.ID, id)
	if err != nil {
		return feedback.Ask{}, feedback.Asked{}, err
	}
	mine, ok := ask.Of(t.Who.ID)
	switch {
	case !ok:
		return feedback.Ask{}, feedback.Asked{}, fault.New(fault.NotFound, "feedback.ask.notyou")
	case !ask.WithdrawnAt.IsZero():
		return feedback.Ask{}, feedback.Asked{}, fault.New(fault.Conflict, "feedback.change.withdrawn")
	}
	return ask, mine, nil
}

// askReceived is a question as one of those asked sees it.
func (r reader) askReceived(a feedback.Ask) *card.Card {
	author := r.person(a.AuthorID)
	mine, _ := a.Of(r.who.ID)
	if !a.WithdrawnAt.IsZero() && mine.AnsweredAt.IsZero() {
		return &card.Card{Title: r.say.T("ask.withdrawn.theirs", "Name", author)}
	}
	c := &card.Card{Tone: card.Ask, Title: r.say.T("ask.received.title", "Name", author), Blocks: []card.Block{card.Quoted(a.About)}}
	id := a.ID.String()
	switch {
	case !mine.AnsweredAt.IsZero():
		c.Tone, c.Title = card.Good, r.say.T("ask.answered.mine", "Name", author)
		c.Blocks = append(c.Blocks, card.Say(r.say.T("ask.answer.label")), card.Quoted(mine.Answer))
		if a.WithdrawnAt.IsZero() {
			c.Blocks = append(c.Blocks, card.Buttons{Buttons: []card.Button{{Label: r.say.T("ask.answer.change"), Action: card.Act(actAskAnswer, id)}}})
		}
	case !mine.DeclinedAt.IsZero():
		c.Tone, c.Title = card.Plain, r.say.T("ask.declined.mine", "Name", author)
		c.Blocks = append(c.Blocks, card.Buttons{Buttons: []card.Button{{Label: r.say.T("ask.answer.still"), Action: card.Act(actAskAnswer, id)}}})
	default:
		c.Blocks = append(c.Blocks, card.Small(r.say.T("ask.answer.intro", "Name", author)), card.Buttons{Buttons: []card.Button{
			{Label: r.say.T("ask.answer"), Action: card.Act(actAskAnswer, id), Style: card.Primary},
			{Label: r.say.T("ask.type"), Action: card.Act(actAskType, id)},
			{Label: r.say.T("ask.decline"), Action: card.Act(actAskDecline, id)},
		}})
	}
	return c
}

// answeredAt reports whether an answer stands that was given at that very time.
func answeredAt(a feedback.Ask, at time.Time) bool {
	return slices.ContainsFunc(a.Asked, func(one feedback.Asked) bool { return one.AnsweredAt.Truncate(time.Microsecond).Equal(at) })
}

// writeAsk finds the words of every notice about a question.
func writeAsk(ctx context.Context, r reader, n notice.Notice) (card.Card, bool, error) {
	a, err := r.Feedback.Store.Ask(ctx, n.OrgID, n.Subject)
	if err != nil {
		return card.Card{}, false, err
	}
	if n.Kind == notice.AskReceived {
		mine, ok := a.Of(n.To)
		return *r.askReceived(a), ok && a.WithdrawnAt.IsZero() && mine.AnsweredAt.IsZero() && mine.DeclinedAt.IsZero(), nil
	}
	c := card.Card{Tone: card.Good, Title: r.say.T("ask.answers.title"), Blocks: []card.Block{card.Quoted(a.About)}}
	var declined []uuid.UUID
	answered := 0
	for _, one := range a.Asked {
		switch {
		case !one.AnsweredAt.IsZero():
			answered++
			if news := n.Due.Truncate(time.Microsecond); n.Kind == notice.AskAnswered && !one.AnsweredAt.Truncate(time.Microsecond).Equal(news) && answeredAt(a, news) {
				continue // it had a message of its own
			}
			c.Blocks = append(c.Blocks, card.Paragraph{Spans: []card.Span{card.Bold(r.person(one.PersonID))}}, card.Quoted(one.Answer))
		case !one.DeclinedAt.IsZero():
			declined = append(declined, one.PersonID)
		}
	}
	if answered == 0 {
		c.Tone, c.Title = card.Plain, r.say.T("ask.declined.title", "Names", namesIn(r.say, r.dir, declined))
	}
	if len(declined) > 0 {
		c.Blocks = append(c.Blocks, card.Small(r.say.T("ask.declined.title", "Names", namesIn(r.say, r.dir, declined))))
	}
	c.Blocks = append(c.Blocks, card.Small(r.say.T("ask.answers.count", "Answered", answered, "Asked", len(a.Asked))))
	return c, answered+len(declined) > 0, nil
}
