package dialog

import (
	"context"
	"strings"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/bot/command"
	"huiyin/feedback"
	"huiyin/internal/i18n"
	"huiyin/internal/people"
)

// helpCommand is /help [command].
func helpCommand(_ context.Context, t *Talk, in command.Input) (bot.Reply, error) {
	word, _ := in.Word()
	return t.help(word), nil
}

func helpOpen(_ context.Context, t *Talk, a card.Action, _ card.Values) (bot.Reply, error) {
	return t.help(a.Arg(0)), nil
}

func (t *Talk) help(word string) bot.Reply {
	if s, ok := t.commands.Named(word); ok {
		return bot.Reply{Card: t.explained(s)}
	}
	c := card.Card{Title: t.Say.T("help.title"), Blocks: []card.Block{card.Say(t.Say.T("help.intro"))}}
	groups := []struct {
		audience command.Audience
		heading  string
	}{{command.Everyone, "help.for.everyone"}, {command.Managers, "help.for.managers"}, {command.HR, "help.for.hr"}}
	for _, g := range groups {
		if !t.isFor(g.audience) {
			continue
		}
		var items []card.Item
		for _, s := range t.commands {
			if s.For == g.audience {
				item := card.Item{Text: []card.Span{card.Code(t.typed(s) + after(t.Say, s, "usage")), card.Plainly("  " + t.Say.T(s.Key+".summary"))}}
				if example := after(t.Say, s, "example"); example != "" {
					item.Under = []card.Span{card.Plainly(t.Say.T("help.label.example") + " "), card.Code(t.typed(s) + example)}
				}
				items = append(items, item)
			}
		}
		if len(items) > 0 {
			c.Blocks = append(c.Blocks, card.Paragraph{Spans: []card.Span{card.Bold(t.Say.T(g.heading))}}, card.Items{Items: items})
		}
	}
	c.Blocks = append(c.Blocks, card.Small(t.Say.T("help.plain")), card.Buttons{Buttons: t.starters()})
	return bot.Reply{Card: &c}
}

// explained is the help of one command.
func (t *Talk) explained(s command.Spec[*Talk]) *card.Card {
	facts := []card.Fact{{Label: t.Say.T("help.label.usage"), Value: []card.Span{card.Code(t.typed(s) + after(t.Say, s, "usage"))}}}
	if example := after(t.Say, s, "example"); example != "" {
		facts = append(facts, card.Fact{Label: t.Say.T("help.label.example"), Value: []card.Span{card.Code(t.typed(s) + example)}})
	}
	facts = append(facts, card.Fact{Label: t.Say.T("help.label.aliases"), Value: card.Text(strings.Join(s.Aliases, t.Say.T("common.comma")))})
	c := &card.Card{Title: t.Say.T(s.Key + ".summary"), Blocks: []card.Block{card.Facts{Items: facts}}}
	for _, b := range t.starters() {
		if strings.HasPrefix(b.Action.Name, s.Key+".") {
			c.Blocks = append(c.Blocks, card.Buttons{Buttons: []card.Button{b}})
		}
	}
	return c
}

// typed is how the command is typed where the person is: with a slash where the platform has slash commands, else as a plain word.
func (t *Talk) typed(s command.Spec[*Talk]) string {
	if t.Abilities(t.Event.Platform).Slash {
		return "/" + s.Name
	}
	if t.Say.Lang() == i18n.Chinese && len(s.Aliases) > 0 {
		return s.Aliases[0]
	}
	return s.Name
}

// after is what can follow the command (its usage or example), with a space before it; empty when nothing can, for which the message is "-".
func after(say i18n.Printer, s command.Spec[*Talk], what string) string {
	if text := say.T(s.Key + "." + what); text != "-" {
		return " " + text
	}
	return ""
}

// isFor reports whether the help of that audience concerns the person.
func (t *Talk) isFor(a command.Audience) bool {
	switch a {
	case command.Managers:
		return t.Dir.IsManager(t.Who.ID)
	case command.HR:
		return t.Who.Role == people.HR || t.Who.Role == people.Admin
	case command.Everyone:
	}
	return true
}

// starters are the buttons that begin the conversations.
func (t *Talk) starters() []card.Button {
	out := []card.Button{{Label: t.Say.T("praise.start"), Action: card.Act(actPraiseForm), Style: card.Primary}}
	if t.Dir.IsManager(t.Who.ID) {
		out = append(out, card.Button{Label: t.Say.T("note.start"), Action: card.Act(actNoteForm)})
	}
	return append(out,
		card.Button{Label: t.Say.T("ask.start"), Action: card.Act(actAskForm)},
		card.Button{Label: t.Say.T("event.start"), Action: card.Act(actEventForm)},
		card.Button{Label: t.Say.T("list.start"), Action: card.Act(actList, "received")},
	)
}

// plainWords answers what names no command: an answer that the bot waits for, a typing slip, or something it does not understand.
func (t *Talk) plainWords(ctx context.Context, c bot.Command, found command.Found[*Talk]) (bot.Reply, error) {
	if len(found.Nearest) > 0 {
		reply := t.tell(card.Ask, t.Say.T("help.nearest", "Typed", cut(found.Typed, 40)))
		var buttons []card.Button
		for _, name := range found.Nearest {
			s, _ := t.commands.Named(name)
			buttons = append(buttons, card.Button{Label: t.typed(s), Action: card.Act(actHelp, name)})
		}
		reply.Card.Blocks = append(reply.Card.Blocks, card.Buttons{Buttons: buttons})
		return reply, nil
	}
	if e := t.Event; found.Typed == "" && e.Where.Kind == bot.Direct && !t.Abilities(e.Platform).Home { // the page comes as a message
		reply, err := t.home(ctx)
		reply.Card, reply.Home = reply.Home, nil
		return reply, err
	}
	if found.Typed == "" || c.Name != "" {
		return t.help(""), nil
	}
	return t.notUnderstood(ctx)
}

// notUnderstood says that nothing was done with the words. When a question waits for an answer, the words may have been meant for it by
// somebody whose dialog was forgotten: the way back is offered.
func (t *Talk) notUnderstood(ctx context.Context) (bot.Reply, error) {
	var asks []feedback.Ask
	if t.Event.Where.Kind == bot.Direct {
		var err error
		if _, asks, err = t.Feedback.Store.Waiting(ctx, t.Org.ID, t.Who.ID, 1); err != nil {
			return bot.Reply{}, err
		}
	}
	reply := t.tell(card.Plain, t.Say.T("help.unknown"), card.Small(t.Say.T("help.unknown.hint")))
	buttons := append(t.starters()[:1], card.Button{Label: t.Say.T("help.start"), Action: card.Act(actHelp)})
	for _, a := range asks {
		name := t.reader(t.Who).person(a.AuthorID)
		reply.Card.Blocks = append(reply.Card.Blocks, card.Say(t.Say.T("ask.lost", "Name", name)))
		buttons = append([]card.Button{{Label: t.Say.T("ask.answer"), Action: card.Act(actAskAnswer, a.ID.String()), Style: card.Primary}}, buttons...)
	}
	reply.Card.Blocks = append(reply.Card.Blocks, card.Buttons{Buttons: buttons})
	return reply, nil
}
