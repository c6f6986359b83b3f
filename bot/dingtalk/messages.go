package dingtalk

import (
	"context"
	"errors"
	"unicode"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/internal/fault"
	"huiyin/internal/i18n"
)

// Send posts a card to a person's conversation with the robot or to a group. A private card is refused in a group (R28), and what a group
// sees has no buttons that do something: whoever pressed them would act in another's name, or need an address that proves who they are.
func (s *DingTalk) Send(ctx context.Context, m bot.Message) (bot.Ref, error) {
	switch {
	case m.To.User == "" && m.To.Channel == "":
		return bot.Ref{}, fault.New(fault.NotFound, "dingtalk.recipient", "Code", "no address")
	case m.To.User == "" && m.Card.Tone == card.Private:
		return bot.Ref{}, fault.New(fault.Forbidden, "dingtalk.private")
	}
	lang := orElse(langOf(m.Card), s.cfg.Lang)
	if s.templated() {
		return s.sendCard(ctx, m.To, trackOf(m.Delivery), m.Card, lang)
	}
	if m.To.User == "" {
		drawn, err := Render(withoutActions(m.Card), s.words(lang))
		if err != nil {
			return bot.Ref{}, err
		}
		what, err := drawn.pack()
		if err != nil {
			return bot.Ref{}, err
		}
		return s.groupSend(ctx, m.To.Channel, what)
	}
	drawn, err := s.linked(ctx, m.Card, s.reader(m.To.User, lang, bot.Place{Kind: bot.Direct}))
	if err != nil {
		return bot.Ref{}, err
	}
	return s.direct(ctx, m.To.User, drawn)
}

// direct sends a message whose buttons have addresses to one person.
func (s *DingTalk) direct(ctx context.Context, user string, m Message) (bot.Ref, error) {
	what, err := m.pack()
	if err != nil {
		return bot.Ref{}, err
	}
	return s.batches.send(ctx, user, what)
}

func (s *DingTalk) reader(user, lang string, where bot.Place) bot.Reader {
	return bot.Reader{Platform: Name, Tenant: s.tenant(), User: user, Lang: lang, Where: where}
}

// linked draws a card for one person, each button that does something as the address of a page that does it.
func (s *DingTalk) linked(ctx context.Context, c card.Card, to bot.Reader) (Message, error) {
	m, err := Render(c, s.words(to.Lang))
	if err != nil || !m.acts() {
		return m, err
	}
	if s.cfg.Pages == nil {
		return m.withoutActions(), nil
	}
	for i, b := range m.Buttons {
		if b.URL != "" {
			continue
		}
		address, err := s.cfg.Pages.Button(ctx, to, b.Button)
		if err != nil {
			return Message{}, pageFault(err)
		}
		m.Buttons[i].URL = address
	}
	return m, nil
}

// formLink is a message with one button that leads to a form.
func (s *DingTalk) formLink(ctx context.Context, f card.Form, to bot.Reader) (Message, error) {
	say := s.words(to.Lang)
	if s.cfg.Pages == nil {
		return Render(card.Card{Tone: card.Ask, Title: f.Title, Blocks: []card.Block{card.Say(say.T("dingtalk.no_pages"))}}, say)
	}
	m, err := Render(card.Card{Tone: card.Ask, Title: f.Title, Blocks: append([]card.Block{card.Say(say.T("dingtalk.form_page"))}, f.Intro...)}, say)
	if err != nil {
		return Message{}, err
	}
	address, err := s.cfg.Pages.Form(ctx, to, f)
	if err != nil {
		return Message{}, pageFault(err)
	}
	m.Buttons = []Button{{card.Button{Label: cut(say.T("dingtalk.open_form"), maxLabel), URL: address}}}
	return m, nil
}

// pageFault is why a page could not be made; nothing was sent, so it may be tried again.
func pageFault(err error) error {
	var f *fault.Fault
	if errors.As(err, &f) {
		return err
	}
	return away("dingtalk.away", "pages", err, 0)
}

// langOf guesses the language of a card by the product's own words on its buttons; empty when there are none.
func langOf(c card.Card) string {
	for _, b := range c.Blocks {
		buttons, ok := b.(card.Buttons)
		if !ok || len(buttons.Buttons) == 0 {
			continue
		}
		for _, r := range buttons.Buttons[0].Label {
			if unicode.Is(unicode.Han, r) {
				return i18n.Chinese
			}
		}
		return i18n.English
	}
	return ""
}
