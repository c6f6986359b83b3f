package dingtalk

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"huiyin/bot/card"
	"huiyin/internal/fault"
)

// failed answers a delivery that the product did not answer. What we depend on being away is 503, so that DingTalk delivers again what it
// delivers again; whoever pressed a card gets a sentence in any case, for a press is never delivered again.
func (s *DingTalk) failed(ctx context.Context, d delivery, err error) answer {
	lang := d.event.Lang
	var crash panicked
	switch f, isFault := fault.Of(err); {
	case isFault && f.Kind == fault.Duplicate:
		return answer{status: http.StatusOK}
	case isFault && f.Kind == fault.Unavailable:
		s.cfg.Log.WarnContext(ctx, "a request of dingtalk's could not be served", "id", d.event.ID, "error", err)
		return s.apology(d, http.StatusServiceUnavailable, s.say(lang, "dingtalk.unavailable"))
	case isFault && s.cfg.Catalog.Has(f.Key):
		return s.explain(ctx, d, f)
	case errors.As(err, &crash):
		return s.apology(d, http.StatusInternalServerError, s.say(lang, "dingtalk.failed", "Incident", crash.incident))
	case errors.Is(err, errLate), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		s.cfg.Log.ErrorContext(ctx, "a request of dingtalk's took too long", "id", d.event.ID, "error", err)
		return s.apology(d, http.StatusServiceUnavailable, s.say(lang, "dingtalk.late"))
	}
	id := incident()
	s.cfg.Log.ErrorContext(ctx, "handling a request of dingtalk's", "incident", id, "id", d.event.ID, "error", err)
	return s.apology(d, http.StatusOK, s.say(lang, "dingtalk.failed", "Incident", id))
}

// explain shows a fault that the product left to us: each problem at its field where there are fields.
func (s *DingTalk) explain(ctx context.Context, d delivery, f *fault.Fault) answer {
	words := s.words(d.event.Lang)
	problems := map[string]string{}
	var lines []string
	for _, p := range f.All() {
		line := words.With(p.Key, p.Args)
		lines = append(lines, line)
		problems[p.Field] = line
	}
	if d.source == fromForm {
		return answer{status: http.StatusOK, card: s.redrawn(ctx, d, problems)}
	}
	return s.apology(d, http.StatusOK, strings.Join(slices.Compact(lines), "\n"))
}

// apology is a status and a sentence for the person.
func (s *DingTalk) apology(d delivery, status int, text string) answer {
	a := answer{status: status}
	switch d.source {
	case fromCard, fromForm:
		note := Params{paramNote: warning([]string{tidy(text)})}
		if status == http.StatusOK {
			a.card = note
			return a
		}
		a.then("apologise", func(ctx context.Context) error { return s.updateCard(ctx, d.track, note) })
	case fromWords:
		if status != http.StatusOK {
			return a // it is delivered again
		}
		a.then("apologise", func(ctx context.Context) error {
			m, err := Render(card.Card{Tone: card.Trouble, Title: s.say(d.event.Lang, "dingtalk.notice"), Blocks: []card.Block{card.Say(text)}}, s.words(d.event.Lang))
			if err != nil {
				return err
			}
			return s.tell(ctx, d, m)
		})
	default:
	}
	return a
}

// cardAnswer is the answer to a card callback.
type cardAnswer struct {
	Options map[string]bool `json:"cardUpdateOptions,omitempty"`
	Card    *paramMap       `json:"cardData,omitempty"`
}

func (a answer) body() cardAnswer {
	if a.card == nil {
		return cardAnswer{}
	}
	return cardAnswer{Options: byKey, Card: &paramMap{a.card}}
}
