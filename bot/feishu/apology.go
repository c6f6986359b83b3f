package feishu

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/internal/fault"
)

// failed answers a delivery that the product did not answer. What we depend on being away is 503, so that Feishu delivers again what it
// delivers again; a person gets a sentence in any case.
func (f *Feishu) failed(ctx context.Context, d delivery, err error) answer {
	var crash panicked
	switch fl, isFault := fault.Of(err); {
	case isFault && fl.Kind == fault.Duplicate:
		return f.quiet(d)
	case isFault && fl.Kind == fault.Unavailable:
		f.cfg.Log.WarnContext(ctx, "a request of feishu's could not be served", "id", d.event.ID, "error", err)
		return f.apology(d, http.StatusServiceUnavailable, "feishu.unavailable")
	case isFault && f.cfg.Catalog.Has(fl.Key):
		return f.explain(d, fl)
	case errors.As(err, &crash):
		return f.apology(d, http.StatusInternalServerError, "feishu.failed", "Incident", crash.incident)
	case errors.Is(err, errLate), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		f.cfg.Log.ErrorContext(ctx, "a request of feishu's took too long", "id", d.event.ID, "error", err)
		return f.apology(d, http.StatusServiceUnavailable, "feishu.late")
	}
	id := incident()
	f.cfg.Log.ErrorContext(ctx, "handling a request of feishu's", "incident", id, "id", d.event.ID, "error", err)
	return f.apology(d, http.StatusOK, "feishu.failed", "Incident", id)
}

// quiet acknowledges and says nothing.
func (f *Feishu) quiet(d delivery) answer {
	a := answer{status: http.StatusOK}
	if d.source.answered() {
		a.body = shown{}
	}
	return a
}

// explain shows a fault that the product left to us: each problem at its field where there are fields.
func (f *Feishu) explain(d delivery, fl *fault.Fault) answer {
	say := f.cfg.Catalog.In(orElse(d.event.Lang, f.cfg.Lang))
	problems := map[string]string{}
	var lines []string
	for _, p := range fl.All() {
		line := say.With(p.Key, p.Args)
		lines = append(lines, line)
		problems[p.Field] = strings.TrimSpace(problems[p.Field] + " " + line)
	}
	switch d.source {
	case fromSubmission:
		return answer{status: http.StatusOK, body: f.wrong(d, problems)}
	case fromButton:
		return answer{status: http.StatusOK, body: shown{Toast: &toast{Type: "warning", Content: cut(oneLine(strings.Join(lines, " ")), maxToast)}}}
	default:
	}
	a := answer{status: http.StatusOK}
	f.sentence(&a, d, strings.Join(lines, "\n"))
	return a
}

// sorry is the name of the step that says a sentence where the acknowledgement could not.
const sorry = "apologise"

// apology is a status and a sentence for the person: over the card that they pressed, and, where Feishu shows an error of its own because
// of the status, in a message as well. A message that is not acknowledged is delivered again, and answered then.
func (f *Feishu) apology(d delivery, status int, key string, args ...any) answer {
	a := answer{status: status}
	if d.source.answered() {
		a.body = shown{Toast: f.toast("error", key, args...)}
	}
	if (status == http.StatusOK) != d.source.answered() {
		f.sentence(&a, d, f.say(d.event.Lang, key, args...))
	}
	return a
}

// sentence says a plain sentence to the person of a delivery, in their own conversation.
func (f *Feishu) sentence(a *answer, d delivery, text string) {
	c := card.Card{Tone: card.Trouble, Blocks: []card.Block{card.Say(toneMark(card.Trouble) + " " + text)}, Summary: text}
	a.then(sorry, func(ctx context.Context) error {
		return f.persist(ctx, func() error {
			_, err := f.Send(ctx, bot.Message{To: bot.Address{User: d.event.User}, Card: c, Delivery: d.named(sorry)})
			return err
		})
	})
}
