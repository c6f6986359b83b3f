package dingtalk

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/google/uuid"

	"huiyin/bot"
)

const (
	handlerTime = 2500 * time.Millisecond // what the port promises
	graceTime   = 200 * time.Millisecond  // for a handler to notice that its time is over
)

// errLate is for a handler that did not come back in time: what it did is not known.
var errLate = errors.New("the handler did not return in time")

// panicked is a handler's panic. Its incident id is in the log, with the stack and without the value, which may hold a person's words.
type panicked struct{ incident string }

func (p panicked) Error() string { return "panic, incident " + p.incident }

// receive hands an event to the product and comes back in time whatever the product does.
func (s *DingTalk) receive(ctx context.Context, handle bot.Receive, e bot.Event) (bot.Reply, error) {
	type result struct {
		reply bot.Reply
		err   error
	}
	ctx, cancel := context.WithTimeout(ctx, handlerTime)
	defer cancel()
	done := make(chan result, 1)
	go func() {
		var r result
		defer func() {
			if v := recover(); v != nil {
				r = result{err: s.panic(ctx, v)}
			}
			done <- r
		}()
		r.reply, r.err = handle(ctx, e)
	}()
	late := time.NewTimer(handlerTime + graceTime)
	defer late.Stop()
	select {
	case r := <-done:
		return r.reply, r.err
	case <-late.C:
		return bot.Reply{}, errLate
	}
}

func (s *DingTalk) panic(ctx context.Context, v any) error {
	p := panicked{incident: incident()}
	s.cfg.Log.ErrorContext(ctx, "panic while handling a request of dingtalk's", "incident", p.incident, "type", fmt.Sprintf("%T", v), "stack", string(debug.Stack()))
	return p
}

// incident is a short name by which a person and the operator can speak of the same failure.
func incident() string { return uuid.NewString()[:8] }
