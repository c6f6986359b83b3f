// Package backstage is what every simulated platform needs behind its scenes: a clock that a test moves, things to do later,
// a table of faults, sliding windows, findings, bounded records, a stream of changes and the control API's manners. It knows
// no vendor: no method names, no payloads, no error codes. It shares nothing with the bot either, so that what checks the
// bot stays apart from it.
package backstage

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Clock is simulated time and what is to be done in it. All methods may be called from any goroutine and with the caller's
// own lock held, but for Advance, Forget and Wait: what they run takes that lock.
type Clock struct {
	base  func() time.Time
	scale float64
	ctx   context.Context
	stop  context.CancelFunc
	work  sync.WaitGroup

	mu     sync.Mutex
	offset time.Duration
	sched  []*scheduled
}

// scheduled is one thing to do later: when its timer ends, or when the clock is moved past it.
type scheduled struct {
	at    time.Time
	run   func()
	timer *time.Timer
}

// NewClock makes a clock that shows base plus what it was advanced by. Real waits are shortened by scale: 60 makes a minute
// last a second.
func NewClock(base func() time.Time, scale float64) *Clock {
	if scale <= 0 {
		scale = 1
	}
	ctx, stop := context.WithCancel(context.Background())
	return &Clock{base: base, scale: scale, ctx: ctx, stop: stop}
}

// Now is the simulated time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Clock) now() time.Time { return c.base().Add(c.offset) }

// Advance moves the clock and does, before it returns, everything that has become due, earliest first.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	c.offset += d
	c.mu.Unlock()
	for {
		c.mu.Lock()
		now := c.now()
		var next *scheduled
		for _, it := range c.sched {
			if !it.at.After(now) && (next == nil || it.at.Before(next.at)) {
				next = it
			}
		}
		c.mu.Unlock()
		if next == nil {
			return
		}
		if c.claim(next) {
			next.timer.Stop()
			next.run()
			c.work.Done()
		}
	}
}

// After schedules run at d from now in simulated time; the real wait is d divided by the scale. A stopped clock schedules
// nothing.
func (c *Clock) After(d time.Duration, run func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx.Err() != nil {
		return
	}
	it := &scheduled{at: c.now().Add(d), run: run}
	it.timer = time.AfterFunc(time.Duration(float64(d)/c.scale), func() {
		if c.claim(it) {
			defer c.work.Done()
			it.run()
		}
	})
	c.sched = append(c.sched, it)
}

// claim takes one item off the schedule; the caller must call c.work.Done when it was taken.
func (c *Clock) claim(it *scheduled) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.Index(c.sched, it)
	if i < 0 || c.ctx.Err() != nil {
		return false
	}
	c.sched = slices.Delete(c.sched, i, i+1)
	c.work.Add(1)
	return true
}

// Pending is the number of things that wait for their time.
func (c *Clock) Pending() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.sched)
}

// Forget drops everything that waits for its time.
func (c *Clock) Forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, it := range c.sched {
		it.timer.Stop()
	}
	c.sched = nil
}

// Go runs f in the background; Wait waits for it. A stopped clock runs nothing.
func (c *Clock) Go(f func()) {
	c.mu.Lock()
	if c.ctx.Err() != nil {
		c.mu.Unlock()
		return
	}
	c.work.Add(1)
	c.mu.Unlock()
	go func() {
		defer c.work.Done()
		f()
	}()
}

// Context ends when the clock is stopped.
func (c *Clock) Context() context.Context { return c.ctx }

// Stop forgets what waits and ends Context; Wait then returns as soon as what runs already is over.
func (c *Clock) Stop() {
	c.Forget()
	c.mu.Lock() // so that nobody adds work between the check and the wait
	c.stop()
	c.mu.Unlock()
}

// Wait returns when nothing runs in the background any more.
func (c *Clock) Wait() { c.work.Wait() }
