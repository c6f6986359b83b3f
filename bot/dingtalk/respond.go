package dingtalk

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/internal/fault"
)

const (
	followTime = 30 * time.Second        // bounds what is done after an acknowledgement
	cardTime   = 1700 * time.Millisecond // DingTalk waits two seconds for what becomes of a card
)

// answer is what DingTalk gets for a delivery: the acknowledgement, with what becomes of a card that was acted on, and what is to be
// done after it.
type answer struct {
	status int
	card   Params // what changes on the card; nil: nothing
	after  []follow
}

// follow is one thing to do after an acknowledgement.
type follow struct {
	name string
	do   func(context.Context) error
}

func (a *answer) then(name string, do func(context.Context) error) {
	a.after = append(a.after, follow{name, do})
}

// tenant is how the product knows the company. It is the client id: an internal app belongs to one company, and no call of DingTalk's
// tells an app, before anybody has spoken to it, which corpId that company has.
func (s *DingTalk) tenant() string { return s.cfg.ClientID }

// handle does everything between the check of a delivery and its acknowledgement.
func (s *DingTalk) handle(ctx context.Context, handle bot.Receive, d delivery) answer {
	d.event.Tenant = s.tenant()
	a := answer{status: http.StatusOK}
	switch d.source {
	case fromHandshake:
	case fromNotice:
		s.cfg.Log.ErrorContext(ctx, "dingtalk has news about the app", "notice", d.notice)
	case fromDirectory:
		a.then("refresh", func(ctx context.Context) error { return s.refresh(ctx, d) })
	case fromStranger:
		if s.cfg.Mode != ModeStream { // there is no other way to them than the session, whose address may be forged
			s.cfg.Log.InfoContext(ctx, "somebody whom dingtalk does not name gets no answer over webhooks", "id", d.event.ID)
			return a
		}
		a.then("refuse a stranger", func(ctx context.Context) error { return s.turnAway(ctx, d) })
	case fromCard, fromForm:
		return s.handleCard(ctx, handle, d)
	case fromWords:
		s.nameOutsiders(&d)
		reply, err := s.receive(ctx, handle, d.event)
		if err != nil {
			return s.failed(ctx, d, err)
		}
		d.event.Lang = orElse(reply.Lang, d.event.Lang)
		if err := s.respondWords(&a, d, reply); err != nil {
			return s.failed(ctx, d, err)
		}
	}
	return a
}

// nameOutsiders gives those mentioned who are of another company something to be called by.
func (s *DingTalk) nameOutsiders(d *delivery) {
	for _, p := range d.event.Command.Parts {
		if p.Mention != nil && strings.HasPrefix(p.Mention.User, "$:") {
			p.Mention.Label = s.say(d.event.Lang, "dingtalk.outsider")
		}
	}
}

// handleCard answers a press within the two seconds that DingTalk waits. What comes later changes the card afterwards.
func (s *DingTalk) handleCard(ctx context.Context, handle bot.Receive, d delivery) answer {
	done := make(chan answer, 1)
	detached := context.WithoutCancel(ctx)
	go func() {
		var a answer
		defer func() {
			if v := recover(); v != nil {
				a = s.failed(detached, d, s.panic(detached, v))
			}
			done <- a
		}()
		reply, err := s.receive(detached, handle, d.event)
		if err == nil {
			d.event.Lang = orElse(reply.Lang, d.event.Lang)
			a, err = s.respondCard(detached, d, reply)
		}
		if err != nil {
			a = s.failed(detached, d, err)
		}
	}()
	late := time.NewTimer(cardTime)
	defer late.Stop()
	select {
	case a := <-done:
		return a
	case <-late.C:
	}
	slow := answer{status: http.StatusOK}
	slow.then("answer late", func(ctx context.Context) error {
		a := <-done // it comes: receive has an end
		var err error
		if a.card != nil {
			err = s.persist(ctx, func() error { return s.updateCard(ctx, d.track, a.card) })
		}
		for _, f := range a.after {
			err = errors.Join(err, f.do(ctx))
		}
		return err
	})
	return slow
}

// respondWords answers words: in the conversation, or privately when others read along there.
func (s *DingTalk) respondWords(a *answer, d delivery, r bot.Reply) error {
	s.keepPrivate(&r, d)
	if r.Form != nil {
		if err := s.offerForm(a, d, *r.Form); err != nil {
			return err
		}
	}
	if r.Card == nil {
		return nil
	}
	return s.show(a, d, *r.Card, r.Public)
}

// keepPrivate takes back that a private card be shown to everybody (R28).
func (s *DingTalk) keepPrivate(r *bot.Reply, d delivery) {
	if r.Public && r.Card != nil && r.Card.Tone == card.Private {
		s.cfg.Log.Error("a private card was to be shown to a group; it is shown to one person", "id", d.event.ID)
		r.Public = false
	}
}

// show says a card after the acknowledgement: to everybody in a group when it is public, and to the one person otherwise.
func (s *DingTalk) show(a *answer, d delivery, c card.Card, public bool) error {
	lang, where := d.event.Lang, d.event.Where
	public = public && where.Kind == bot.Channel && d.source == fromWords
	if public {
		m, err := Render(withoutActions(c), s.words(lang))
		if err != nil {
			return err
		}
		a.then("tell the group", func(ctx context.Context) error { return s.tellGroup(ctx, d, m) })
		return nil
	}
	drawn, err := Render(c, s.words(lang)) // what cannot be drawn is found before the acknowledgement
	if err != nil {
		return err
	}
	if s.templated() && drawn.acts() {
		track := newTrack()
		a.then("show a card", func(ctx context.Context) error {
			return s.persist(ctx, func() error {
				_, err := s.sendCard(ctx, bot.Address{User: d.event.User}, track, c, lang)
				return err
			})
		})
		return nil
	}
	a.then("answer", func(ctx context.Context) error {
		m, err := s.linked(ctx, c, s.reader(d.event.User, lang, where))
		if err != nil {
			return err
		}
		return s.tell(ctx, d, m)
	})
	return nil
}

// offerForm shows a form: on a card, or as a link to a page where a card cannot show it. It is the person's alone.
func (s *DingTalk) offerForm(a *answer, d delivery, f card.Form) error {
	lang, where := d.event.Lang, d.event.Where
	if s.templated() {
		track := newTrack()
		p, err := RenderForm(f, s.words(lang), trackNonce(track))
		if err == nil {
			a.then("show a form", func(ctx context.Context) error {
				s.keep(ctx, track, p)
				return s.persist(ctx, func() error {
					_, err := s.deliverCard(ctx, bot.Address{User: d.event.User}, track, p)
					return err
				})
			})
			return nil
		}
		if !errors.Is(err, errNeedsPage) {
			return err
		}
	}
	a.then("link to a form", func(ctx context.Context) error {
		m, err := s.formLink(ctx, f, s.reader(d.event.User, lang, where))
		if err != nil {
			return err
		}
		return s.tell(ctx, d, m)
	})
	return nil
}

// respondCard answers a press or a filled form: with what becomes of its card, and with what else is to be shown.
func (s *DingTalk) respondCard(ctx context.Context, d delivery, r bot.Reply) (answer, error) {
	a := answer{status: http.StatusOK}
	s.keepPrivate(&r, d)
	if len(r.Errors) > 0 {
		a.card = s.redrawn(ctx, d, r.Errors)
		return a, nil
	}
	if d.source == fromForm {
		a.card = Params{paramStatus: formDisabled, paramNote: ""}
	}
	if r.Form != nil {
		if err := s.offerForm(&a, d, *r.Form); err != nil {
			return answer{}, err
		}
	}
	if r.Card == nil {
		return a, nil
	}
	private := r.Card.Tone == card.Private && d.event.Where.Kind == bot.Channel // there the card is everybody's
	if private || d.source == fromCard && !r.Replace {
		return a, s.show(&a, d, *r.Card, false)
	}
	c := *r.Card
	if d.event.Where.Kind == bot.Channel {
		c = withoutActions(c)
	}
	p, err := RenderCard(c, s.words(d.event.Lang), nonce())
	a.card = p
	return a, err
}

// redrawn is a form with what is wrong in it, and what was filled in where the form is still known.
func (s *DingTalk) redrawn(ctx context.Context, d delivery, problems map[string]string) Params {
	if p, ok := s.kept(ctx, d.track); ok && d.event.Form != nil {
		if again, err := p.again(d.event.Form.Values, problems, nonce()); err == nil {
			return again
		}
	}
	var lines []string
	for _, text := range problems {
		lines = append(lines, oneLine(text))
	}
	return Params{paramNote: warning(lines)}
}

// tell answers one person: in their conversation with the robot while it is open for answers, or by a message of its own. Over webhooks it
// is always the latter: whoever has overheard a signature may name an address there, and what is said to one person may be private.
func (s *DingTalk) tell(ctx context.Context, d delivery, m Message) error {
	if d.event.Where.Kind == bot.Direct && s.cfg.Mode == ModeStream {
		if done, err := s.speak(ctx, d, m); done || err != nil {
			return err
		}
	}
	return s.persist(ctx, func() error {
		_, err := s.direct(ctx, d.event.User, m)
		return err
	})
}

// tellGroup answers everybody in a group.
func (s *DingTalk) tellGroup(ctx context.Context, d delivery, m Message) error {
	m = m.withoutActions()
	if done, err := s.speak(ctx, d, m); done || err != nil {
		return err
	}
	what, err := m.pack()
	if err != nil {
		return err
	}
	return s.persist(ctx, func() error {
		_, err := s.groupSend(ctx, d.event.Where.Channel, what)
		return err
	})
}

// sessionMargin is how long before its end a session webhook is not used any more.
const sessionMargin = 10 * time.Second

// speak answers through the session webhook, which costs no call of the quota. done is false when there is none, or it does not take the
// message; an error ends the matter: a forged address, or a message that may have arrived.
func (s *DingTalk) speak(ctx context.Context, d delivery, m Message) (done bool, err error) {
	now := s.cfg.Now()
	if d.session == "" || !d.until.IsZero() && !d.until.After(now.Add(sessionMargin)) || !s.talks.mayTalk(d.event.Where.Channel, now) {
		return false, nil
	}
	body, err := encode(m.spoken())
	if err != nil {
		return false, err
	}
	sent, err := s.guard.post(ctx, d.session, body)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, errAddress), sent:
		return false, err
	}
	var no refusal
	if errors.As(err, &no) && no.code == codeMuted {
		s.talks.mute(d.event.Where.Channel, now)
	}
	s.cfg.Log.InfoContext(ctx, "a session webhook of dingtalk's does not take an answer", "id", d.event.ID, "error", err)
	return false, nil
}

// turnAway tells somebody whom DingTalk does not name to us that nothing can be done for them.
func (s *DingTalk) turnAway(ctx context.Context, d delivery) error {
	m, err := Render(card.Card{Tone: card.Trouble, Title: s.say("", "dingtalk.notice"), Blocks: []card.Block{card.Say(s.say("", "dingtalk.stranger"))}}, s.words(""))
	if err != nil {
		return err
	}
	_, err = s.speak(ctx, d, m)
	return err
}

// persist tries a few times while DingTalk says that it has not taken the message. The event was acknowledged: nobody else will.
func (s *DingTalk) persist(ctx context.Context, send func() error) error {
	for tries := 1; ; tries++ {
		err := send()
		f, ok := fault.Of(err)
		if !ok || f.Kind != fault.Unavailable || tries == 3 || f.RetryAfter > 10*time.Second {
			return err
		}
		if wait(ctx, max(f.RetryAfter, time.Second)) != nil {
			return err
		}
	}
}
