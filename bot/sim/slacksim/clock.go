package slacksim

import "time"

// now is the workspace's time; s.mu must not be needed by the caller's Clock.
func (s *Server) now() time.Time { return s.clock.Now() }

// Now returns the workspace's time.
func (s *Server) Now() time.Time { return s.now() }

// Advance moves the clock and does, before it returns, everything that has become due (event retries).
func (s *Server) Advance(d time.Duration) {
	s.clock.Advance(d)
	s.change(Change{Kind: ChangeClock})
}

// SetTime moves the clock to t, as Advance does.
func (s *Server) SetTime(t time.Time) { s.Advance(t.Sub(s.Now())) }

// Pending is the number of event retries that wait for their time.
func (s *Server) Pending() int { return s.clock.Pending() }
