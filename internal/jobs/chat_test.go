package jobs

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/internal/fault"
)

// message is one that arrived at the platform.
type message struct {
	times  []time.Time // when it came; more than one: it was doubled
	title  string
	titles []string
	to     bot.Address
}

// chat is a platform as strict as the real ones and as unreliable.
type chat struct {
	can bot.Abilities

	mu      sync.Mutex
	arrived map[string]*message // by delivery
	order   []time.Time         // of arrivals
	sends   int                 // calls
	finds   int                 // calls
	calls   []string            // of both, with their times
	early   []string            // broken promises
	closed  map[string]span     // places that said to wait
	fate    func(m bot.Message) fate
	fateOf  struct{ update, find func() error }
	takes   time.Duration // a call takes
	slow    func(title string) time.Duration
}

// span is from when we know until when a place wants to be left alone.
type span struct{ told, until time.Time }

// fate is what happens to one send.
type fate struct {
	lost  bool  // it does not arrive
	err   error // what the caller is told
	limit time.Duration
	died  bool // our process dies before it is told
}

func (c *chat) Name() string             { return "chat" }
func (c *chat) Abilities() bot.Abilities { return c.can }

func (c *chat) Send(ctx context.Context, m bot.Message) (bot.Ref, error) {
	c.mu.Lock()
	c.sends++
	c.calls = append(c.calls, "send "+clock().Format(time.TimeOnly))
	place := m.To.User + m.To.Channel
	if now, shut := clock(), c.closed[place]; now.After(shut.told) && now.Before(shut.until) {
		c.early = append(c.early, place)
	}
	var f fate
	if c.fate != nil {
		f = c.fate(m)
	}
	if f.limit > 0 {
		c.closed[place] = span{clock().Add(c.takes), clock().Add(f.limit)}
		late := fault.New(fault.Unavailable, "chat.limited")
		late.RetryAfter = f.limit
		f.lost, f.err = true, late
	}
	known := c.arrived[m.Delivery]
	switch {
	case f.lost:
	case known != nil && c.can.Idempotent && clock().Sub(known.times[0]) < time.Hour:
	default:
		if known == nil {
			known = &message{to: m.To}
			c.arrived[m.Delivery] = known
		}
		known.times, known.title, known.titles = append(known.times, clock()), m.Card.Title, append(known.titles, m.Card.Title)
		c.order = append(c.order, clock())
	}
	takes := c.takes
	c.mu.Unlock()
	if takes > 0 {
		select {
		case <-time.After(takes):
		case <-ctx.Done():
			return bot.Ref{}, errors.Join(bot.ErrUnknownOutcome, ctx.Err())
		}
	}
	if f.died {
		runtime.Goexit()
	}
	if f.err != nil {
		return bot.Ref{}, f.err
	}
	return bot.Ref{Channel: place, ID: "m-" + m.Delivery}, nil
}

func (c *chat) Update(_ context.Context, ref bot.Ref, is card.Card) error {
	c.mu.Lock()
	slow := c.slow
	c.mu.Unlock()
	if slow != nil {
		wait(slow(is.Title))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fateOf.update != nil {
		if err := c.fateOf.update(); err != nil {
			return err
		}
	}
	m := c.arrived[strings.TrimPrefix(ref.ID, "m-")]
	if m == nil {
		return fault.New(fault.NotFound, "chat.no_message")
	}
	m.title, m.titles = is.Title, append(m.titles, is.Title)
	return nil
}

func (c *chat) message(id uuid.UUID) (message, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.arrived[id.String()]
	if m == nil {
		return message{}, false
	}
	return *m, true
}

func (c *chat) counts() (sends, finds int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sends, c.finds
}

func (c *chat) set(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
}

// finding is the platform that can be asked whether a message arrived.
type finding struct{ *chat }

func (f finding) Find(_ context.Context, m bot.Message) (bot.Ref, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.finds++
	f.calls = append(f.calls, "find "+clock().Format(time.TimeOnly))
	if f.fateOf.find != nil {
		if err := f.fateOf.find(); err != nil {
			return bot.Ref{}, false, err
		}
	}
	known := f.arrived[m.Delivery]
	if known == nil || known.to != m.To || !slices.ContainsFunc(known.times, func(at time.Time) bool { return !at.Before(m.Since) }) {
		return bot.Ref{}, false, nil
	}
	return bot.Ref{Channel: m.To.User + m.To.Channel, ID: "m-" + m.Delivery}, true, nil
}
