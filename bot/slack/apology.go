package slack

import (
	"context"
	"errors"
	"net/http"
	"strings"

	slackapi "github.com/slack-go/slack"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/internal/fault"
)

// failed answers a delivery that the product did not answer. What we depend on being away is 503, so that Slack delivers again what it
// delivers again; a person gets a sentence in any case.
func (s *Slack) failed(ctx context.Context, d delivery, err error) answer {
	lang := d.event.Lang
	var crash panicked
	switch f, isFault := fault.Of(err); {
	case isFault && f.Kind == fault.Duplicate:
		return answer{status: http.StatusOK}
	case isFault && f.Kind == fault.Unavailable:
		s.cfg.Log.WarnContext(ctx, "a request of slack's could not be served", "id", d.event.ID, "error", err)
		return s.apology(d, http.StatusServiceUnavailable, s.say(lang, "slack.unavailable"))
	case isFault && s.cfg.Catalog.Has(f.Key):
		return s.explain(d, f)
	case errors.As(err, &crash):
		return s.apology(d, http.StatusInternalServerError, s.say(lang, "slack.failed", "Incident", crash.incident))
	case errors.Is(err, errLate), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		s.cfg.Log.ErrorContext(ctx, "a request of slack's took too long", "id", d.event.ID, "error", err)
		return s.apology(d, http.StatusServiceUnavailable, s.say(lang, "slack.late"))
	}
	id := incident()
	s.cfg.Log.ErrorContext(ctx, "handling a request of slack's", "incident", id, "id", d.event.ID, "error", err)
	return s.apology(d, http.StatusOK, s.say(lang, "slack.failed", "Incident", id))
}

// explain shows a fault that the product left to us: each problem at its field where there are fields.
func (s *Slack) explain(d delivery, f *fault.Fault) answer {
	words := s.cfg.Catalog.In(orElse(d.event.Lang, s.cfg.Lang))
	problems := map[string]string{}
	var lines []string
	for _, p := range f.All() {
		line := words.With(p.Key, p.Args)
		lines = append(lines, line)
		problems[p.Field] = line
	}
	if d.source == fromSubmission {
		return answer{status: http.StatusOK, body: slackapi.NewErrorsViewSubmissionResponse(fieldErrors(problems, d.inputs))}
	}
	return s.apology(d, http.StatusOK, strings.Join(lines, "\n"))
}

// apology is a status and a sentence for the person, in the acknowledgement where Slack shows one and after it where it does not.
func (s *Slack) apology(d delivery, status int, text string) answer {
	a := answer{status: status}
	switch {
	case d.source == fromHomeOpened:
		return a
	case status != http.StatusOK && (d.source == fromSubmission || d.source == fromWords):
		return a // the form stays open and Slack says so; an event is delivered again
	case d.source == fromSubmission && len(d.inputs) > 0:
		a.body = slackapi.NewErrorsViewSubmissionResponse(map[string]string{d.inputs[0]: cut(text, maxFieldError)})
	case d.source == fromCommand && status == http.StatusOK:
		a.body = shown{Type: audience(false), Message: spoken(text)}
	default:
		a.then("apologise", func(ctx context.Context) error { return s.sentence(ctx, d, text) })
	}
	return a
}

// sentence says a plain sentence to the person of a delivery, wherever they are.
func (s *Slack) sentence(ctx context.Context, d delivery, text string) error {
	switch d.source {
	case fromCommand, fromButton:
		no := false
		return s.reply(ctx, d, shown{Type: audience(false), Replace: &no, Message: spoken(text)})
	case fromWords:
		return s.tell(ctx, d, spoken(text), false)
	case fromShortcut, fromViewButton, fromHomeButton:
		view, err := s.view(d, bot.Reply{Card: &card.Card{Tone: card.Trouble, Blocks: []card.Block{card.Say(text)}}}, maxFrameUnits)
		if err != nil {
			return err
		}
		return s.show(ctx, d, false, view)
	default:
		return nil
	}
}

// spoken is a sentence as a message. A block keeps Slack from making links of its words.
func spoken(text string) Message {
	text = cut(tidy(text), maxText)
	return Message{Text: escape(cut(text, maxFallback)), Blocks: []slackapi.Block{sectionOf(plain(text))}}
}
