package slack

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	slackapi "github.com/slack-go/slack"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/internal/fault"
)

// followTime bounds what is done after an acknowledgement.
const followTime = 30 * time.Second

// answer is what Slack gets for a delivery: the acknowledgement, whose body may be the whole answer, and what is to be done through
// the Web API after it.
type answer struct {
	status int
	body   any // nil: empty
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

// shown is a card on its way back over a slash command's acknowledgement or a response address.
// https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
type shown struct {
	Type    string `json:"response_type,omitempty"`
	Replace *bool  `json:"replace_original,omitempty"`
	Message
}

// handle does everything between the check of a delivery and its acknowledgement. frame says that the acknowledgement is a Socket Mode
// frame, which must be small.
func (s *Slack) handle(ctx context.Context, handle bot.Receive, d delivery, frame bool) answer {
	switch d.source {
	case fromHandshake:
		return answer{status: http.StatusOK, body: map[string]string{"challenge": d.challenge}}
	case fromSuggestion:
		return answer{status: http.StatusOK, body: map[string]any{"options": []any{}}}
	case fromNotice:
		s.cfg.Log.ErrorContext(ctx, "slack has news about the app", "notice", d.notice)
		return answer{status: http.StatusOK}
	case fromMember:
		a := answer{status: http.StatusOK}
		if s.cfg.Refresh != nil {
			a.then("refresh", func(ctx context.Context) error {
				s.cfg.Refresh(ctx, d.changed)
				return nil
			})
		}
		return a
	default:
	}
	reply, err := s.receive(ctx, handle, d.event)
	if err != nil {
		return s.failed(ctx, d, err)
	}
	if reply.Lang != "" {
		d.event.Lang = reply.Lang
	}
	a, err := s.respond(ctx, d, reply, frame)
	if err != nil {
		return s.failed(ctx, d, err)
	}
	return a
}

// respond turns a reply into the answer that suits where the event came from. The error is for what cannot be drawn.
func (s *Slack) respond(ctx context.Context, d delivery, r bot.Reply, frame bool) (answer, error) {
	if r.Public && r.Card != nil && r.Card.Tone == card.Private {
		s.cfg.Log.ErrorContext(ctx, "a private card was to be shown to a channel; it is shown to one person")
		r.Public = false
	}
	a := answer{status: http.StatusOK}
	var err error
	switch d.source {
	case fromCommand:
		err = s.respondCommand(&a, d, r, frame)
	case fromWords:
		err = s.respondWords(&a, d, r)
	case fromButton:
		err = s.respondButton(&a, d, r)
	case fromSubmission:
		err = s.respondSubmission(&a, d, r, frame)
	case fromShortcut, fromViewButton, fromHomeButton, fromHomeOpened:
		err = s.respondModal(&a, d, r)
	default:
		err = errNothing
	}
	if err != nil {
		return answer{}, err
	}
	if r.Home != nil {
		a.then("home", func(ctx context.Context) error { return s.PublishHome(ctx, d.event.User, *r.Home) })
	}
	return a, nil
}

// respondCommand answers a slash command in the acknowledgement itself; only a form has to be opened.
func (s *Slack) respondCommand(a *answer, d delivery, r bot.Reply, frame bool) error {
	if r.Form != nil {
		if err := s.openForm(a, d, *r.Form); err != nil {
			return err
		}
	}
	if r.Card == nil {
		return nil
	}
	m, err := Render(*r.Card)
	if err != nil {
		return err
	}
	body := shown{Type: audience(r.Public), Message: m}
	if frame && tooLarge(body) {
		s.sayThere(a, d, body)
		return nil
	}
	a.body = body
	return nil
}

// respondWords answers a direct message or a mention, which have no way back of their own.
func (s *Slack) respondWords(a *answer, d delivery, r bot.Reply) error {
	if r.Form != nil {
		m, err := s.formMessage(d, *r.Form)
		if err != nil {
			return err
		}
		s.talk(a, d, m, false)
	}
	if r.Card == nil {
		return nil
	}
	m, err := Render(*r.Card)
	if err != nil {
		return err
	}
	s.talk(a, d, m, r.Public)
	return nil
}

// formMessage has a button that opens a form: words bring no trigger id along, a press does. The press comes back as the same words.
func (s *Slack) formMessage(d delivery, f card.Form) (Message, error) {
	c := card.Card{Tone: card.Ask, Title: orElse(tidy(f.Title), s.say(d.event.Lang, "slack.notice"))}
	if units(d.raw) > maxButtonValue {
		c.Blocks = []card.Block{card.Say(s.say(d.event.Lang, "slack.form_failed"))}
		return Render(c)
	}
	m, err := Render(c)
	if err != nil {
		return Message{}, err
	}
	open := slackapi.NewButtonBlockElement(formName, d.raw, caption(s.say(d.event.Lang, "slack.open_form"), "", maxButtonLabel))
	m.Blocks = append(m.Blocks, slackapi.NewActionBlock("", open.WithStyle(slackapi.StylePrimary)))
	return m, nil
}

// respondButton answers the press of a button under a message through its response address.
func (s *Slack) respondButton(a *answer, d delivery, r bot.Reply) error {
	if r.Form != nil {
		if err := s.openForm(a, d, *r.Form); err != nil {
			return err
		}
	}
	if r.Card == nil {
		return nil
	}
	m, err := Render(*r.Card)
	if err != nil {
		return err
	}
	replace := r.Replace
	if replace && r.Card.Tone == card.Private && d.event.Where.Kind == bot.Channel && !d.ephemeral {
		replace = false // the message is everybody's
	}
	body := shown{Replace: &replace, Message: m}
	if !replace {
		body.Type = audience(r.Public)
	}
	s.sayThere(a, d, body)
	return nil
}

// respondSubmission answers a filled form: with what is wrong, with another view, or by closing it.
// https://docs.slack.dev/surfaces/modals#updating_views
func (s *Slack) respondSubmission(a *answer, d delivery, r bot.Reply, frame bool) error {
	if len(r.Errors) > 0 {
		a.body = slackapi.NewErrorsViewSubmissionResponse(fieldErrors(r.Errors, d.inputs))
		return nil
	}
	if r.Public && r.Card != nil && d.event.Where.Channel != "" {
		m, err := Render(*r.Card)
		if err != nil {
			return err
		}
		a.then("post", func(ctx context.Context) error {
			return s.persist(ctx, func() error {
				_, err := s.post(ctx, d.event.Where.Channel, messageOptions(m))
				return err
			})
		})
		r.Card = nil
	}
	if r.Form == nil && r.Card == nil {
		a.body = slackapi.NewClearViewSubmissionResponse()
		return nil
	}
	view, err := s.view(d, r, maxViewUnits)
	if err != nil {
		return err
	}
	if body := slackapi.NewUpdateViewSubmissionResponse(&view); !frame || !tooLarge(body) {
		a.body = body
		return nil
	}
	if r.Form == nil {
		if view, err = s.view(d, r, maxFrameUnits); err != nil {
			return err
		}
		a.body = slackapi.NewUpdateViewSubmissionResponse(&view)
		return nil
	}
	a.body = slackapi.NewUpdateViewSubmissionResponse(&slackapi.ModalViewRequest{ // kept open for the form that follows it
		Type: slackapi.VTModal, Title: view.Title, Blocks: slackapi.Blocks{BlockSet: []slackapi.Block{sectionOf(plain(ellipsis))}},
	})
	a.then("replace view", func(ctx context.Context) error { return s.replace(ctx, d.view, view) })
	return nil
}

// fieldErrors gives every problem a field that the modal has; Slack shows none at all when one of them names another block.
func fieldErrors(problems map[string]string, inputs []string) map[string]string {
	out := map[string]string{}
	rest := ""
	seen := map[string]bool{}
	for _, name := range inputs {
		seen[name] = true
		if text := tidy(problems[name]); !blank(text) {
			out[name] = cut(text, maxFieldError)
		}
	}
	for name, text := range problems {
		if text = tidy(text); !seen[name] && !blank(text) && (rest == "" || text < rest) {
			rest = text
		}
	}
	if len(inputs) > 0 && (rest != "" && out[inputs[0]] == "" || len(out) == 0) {
		out[inputs[0]] = cut(orElse(rest, "✕"), maxFieldError)
	}
	return out
}

// respondModal answers where there is nothing but modals and the home page to answer on.
func (s *Slack) respondModal(a *answer, d delivery, r bot.Reply) error {
	if r.Form == nil && (r.Card == nil || d.trigger == "") {
		return nil
	}
	view, err := s.view(d, r, maxViewUnits)
	if err != nil {
		return err
	}
	a.then("show view", func(ctx context.Context) error { return s.show(ctx, d, r.Replace, view) })
	return nil
}

// view draws a reply's form, or else its card, as a modal.
func (s *Slack) view(d delivery, r bot.Reply, room int) (slackapi.ModalViewRequest, error) {
	if r.Form != nil {
		return RenderForm(*r.Form, d.event.Where)
	}
	metadata, err := encodeOrigin(card.Action{}, d.event.Where)
	if err != nil {
		return slackapi.ModalViewRequest{}, err
	}
	c := *r.Card
	if blank(tidy(c.Title)) {
		c.Title = s.say(d.event.Lang, "slack.notice")
	}
	return renderView(c, metadata, room)
}

// show puts a modal where the person is: in the place of the one that was acted on, on top of it, or as a new one.
func (s *Slack) show(ctx context.Context, d delivery, replace bool, view slackapi.ModalViewRequest) error {
	if d.source != fromViewButton {
		return s.open(ctx, d.trigger, view)
	}
	if !replace {
		err := s.push(ctx, d.trigger, view)
		if f, ok := fault.Of(err); !ok || f.Args["Code"] != "push_limit_reached" {
			return err
		}
	}
	return s.replace(ctx, d.view, view)
}

// openForm opens a form, or says that it did not open.
func (s *Slack) openForm(a *answer, d delivery, f card.Form) error {
	view, err := RenderForm(f, d.event.Where)
	if err != nil {
		return err
	}
	a.then("open form", func(ctx context.Context) error {
		err := s.open(ctx, d.trigger, view)
		if err != nil {
			return errors.Join(err, s.sentence(ctx, d, s.say(d.event.Lang, "slack.form_failed")))
		}
		return nil
	})
	return nil
}

// sayThere says something through the response address, or another way when that is closed.
func (s *Slack) sayThere(a *answer, d delivery, body shown) {
	a.then("respond", func(ctx context.Context) error { return s.reply(ctx, d, body) })
}

func (s *Slack) reply(ctx context.Context, d delivery, body shown) error {
	err := errAddress
	if d.response != "" {
		raw, encodeErr := json.Marshal(body)
		if encodeErr != nil {
			return encodeErr
		}
		if err = s.guard.post(ctx, d.response, raw); err == nil {
			return nil
		}
	}
	if errors.Is(err, errAddress) && d.response != "" {
		return err // a forged address: nothing about this request is to be trusted with more calls
	}
	where, options := d.event.Where, messageOptions(body.Message)
	if body.Replace != nil && *body.Replace && where.Message.ID != "" {
		var r reach
		_, _, _, err = s.api.UpdateMessageContext(r.trace(ctx), where.Message.Channel, where.Message.ID, options...)
		return s.translate(ctx, "chat.update", err, &r, false)
	}
	if where.Channel == "" {
		return err
	}
	return s.whisper(ctx, where.Channel, d.event.User, options)
}

// talk answers words: in the direct conversation, or in the channel to everybody or to the one person.
func (s *Slack) talk(a *answer, d delivery, m Message, public bool) {
	a.then("talk", func(ctx context.Context) error { return s.tell(ctx, d, m, public) })
}

func (s *Slack) tell(ctx context.Context, d delivery, m Message, public bool) error {
	where, options := d.event.Where, messageOptions(m)
	inThread := options
	if d.thread != "" {
		inThread = append(inThread, slackapi.MsgOptionTS(d.thread))
	}
	return s.persist(ctx, func() error {
		if where.Kind != bot.Channel || public {
			_, err := s.post(ctx, where.Channel, inThread)
			return err
		}
		err := s.whisper(ctx, where.Channel, d.event.User, inThread)
		if f, ok := fault.Of(err); !ok || f.Kind != fault.NotFound && f.Kind != fault.Forbidden {
			return err
		}
		_, err = s.postTo(ctx, d.event.User, options) // the bot is not in that channel
		return err
	})
}

// persist tries a few times while Slack says that it has not taken the message. The event was acknowledged: nobody else will.
func (s *Slack) persist(ctx context.Context, send func() error) error {
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

func audience(public bool) string {
	if public {
		return slackapi.ResponseTypeInChannel
	}
	return slackapi.ResponseTypeEphemeral
}

// tooLarge reports whether a body does not fit into a Socket Mode frame beside its envelope.
func tooLarge(body any) bool {
	raw, err := json.Marshal(body)
	return err != nil || len(raw) > maxFrame-512
}
