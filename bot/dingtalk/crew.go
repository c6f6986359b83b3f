package dingtalk

import (
	"context"
	"sync"
)

const (
	crewHands = 32  // follow-ups at once: enough for a company, few enough for a DingTalk that hangs (R11)
	crewQueue = 512 // follow-ups waiting; their conversations have moved on
)

// crew does what is to be done after an acknowledgement, so that no acknowledgement ever waits for DingTalk's API. It has no goroutine
// while there is nothing to do.
type crew struct {
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex
	idle    *sync.Cond
	hands   int
	waiting []func(context.Context)
}

func newCrew() *crew {
	c := &crew{}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.idle = sync.NewCond(&c.mu)
	return c
}

// do takes a task; it refuses one when too many are waiting.
func (c *crew) do(task func(context.Context)) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hands < crewHands {
		c.hands++
		go c.work(task)
		return true
	}
	if len(c.waiting) == crewQueue {
		return false
	}
	c.waiting = append(c.waiting, task)
	return true
}

func (c *crew) work(task func(context.Context)) {
	for task != nil {
		task(c.ctx)
		task = c.next()
	}
}

func (c *crew) next() func(context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == 0 {
		c.hands--
		c.idle.Broadcast()
		return nil
	}
	task := c.waiting[0]
	c.waiting[0] = nil
	c.waiting = c.waiting[1:]
	return task
}

// close waits until nothing is left to do, or until ctx ends; then tasks see their context end, and it waits for them.
func (c *crew) close(ctx context.Context) error {
	stop := context.AfterFunc(ctx, c.cancel)
	defer stop()
	c.mu.Lock()
	for c.hands > 0 {
		c.idle.Wait()
	}
	c.mu.Unlock()
	c.cancel()
	return ctx.Err()
}

// follow hands what is left to do to the crew.
func (s *DingTalk) follow(ctx context.Context, d delivery, a answer) {
	for _, f := range a.after {
		taken := s.crew.do(func(ctx context.Context) {
			ctx, cancel := context.WithTimeout(ctx, followTime)
			defer cancel()
			defer func() {
				if v := recover(); v != nil {
					_ = s.panic(ctx, v)
				}
			}()
			if err := f.do(ctx); err != nil {
				s.cfg.Log.ErrorContext(ctx, "answering in dingtalk", "step", f.name, "id", d.event.ID, "error", err)
			}
		})
		if !taken {
			s.cfg.Log.ErrorContext(ctx, "too much to say in dingtalk at once; an answer is dropped", "step", f.name, "id", d.event.ID)
		}
	}
}
