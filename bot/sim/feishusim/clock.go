package feishusim

import (
	"slices"
	"time"
)

// scheduled is one thing to do later: when its timer ends, or when the clock is moved past it.
type scheduled struct {
	at    time.Time
	run   func()
	timer *time.Timer
}

// now is the simulated time; s.mu must not be needed by the caller's Clock.
func (s *Server) now() time.Time { return s.opts.Clock().Add(s.offset) }

// Now returns the simulated time.
func (s *Server) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now()
}

// Advance moves the clock and does, before it returns, everything that has become due (re-pushes).
func (s *Server) Advance(d time.Duration) {
	s.mu.Lock()
	s.offset += d
	s.mu.Unlock()
	s.runDue()
	s.change(Change{Kind: ChangeClock})
}

// SetTime moves the clock to t, as Advance does.
func (s *Server) SetTime(t time.Time) { s.Advance(t.Sub(s.Now())) }

// after schedules run at d from now in simulated time; the real wait is d divided by TimeScale.
func (s *Server) after(d time.Duration, run func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return
	}
	it := &scheduled{at: s.now().Add(d), run: run}
	it.timer = time.AfterFunc(time.Duration(float64(d)/s.opts.TimeScale), func() {
		if s.claim(it) {
			defer s.work.Done()
			it.run()
		}
	})
	s.sched = append(s.sched, it)
}

// claim takes one item off the schedule; the caller must call s.work.Done when it was taken.
func (s *Server) claim(it *scheduled) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.sched, it)
	if i < 0 || s.ctx.Err() != nil {
		return false
	}
	s.sched = slices.Delete(s.sched, i, i+1)
	s.work.Add(1)
	return true
}

// runDue does what is due, earliest first, until nothing is.
func (s *Server) runDue() {
	for {
		s.mu.Lock()
		now := s.now()
		var next *scheduled
		for _, it := range s.sched {
			if !it.at.After(now) && (next == nil || it.at.Before(next.at)) {
				next = it
			}
		}
		s.mu.Unlock()
		if next == nil {
			return
		}
		if s.claim(next) {
			next.timer.Stop()
			next.run()
			s.work.Done()
		}
	}
}

// Pending is the number of re-pushes that wait for their time.
func (s *Server) Pending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sched)
}

// goDo runs f in the background; Close waits for it.
func (s *Server) goDo(f func()) {
	s.mu.Lock()
	if s.ctx.Err() != nil {
		s.mu.Unlock()
		return
	}
	s.work.Add(1)
	s.mu.Unlock()
	go func() {
		defer s.work.Done()
		f()
	}()
}
