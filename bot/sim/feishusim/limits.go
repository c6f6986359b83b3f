package feishusim

import (
	"math"
	"time"
)

// Limits are the vendor's rate limits. Every allowance is a sliding window: never more than so many within any second or
// minute. https://open.feishu.cn/document/ukTMukTMukTM/uUzN04SN3QjL1cDN
type Limits struct {
	Off bool `json:"off"`
	// Scale multiplies every allowance but the monthly one: 10 is ten times as generous. Zero means 1.
	Scale float64 `json:"scale"`
	// PerSecond and PerMinute are calls of one API by the app: 50 and 1,000. Beyond: HTTP 429, code 99991400, with headers.
	PerSecond float64 `json:"per_second"`
	PerMinute float64 `json:"per_minute"`
	// Receiver is messages a second to one person or one chat, and updates a second of one message: 5. Beyond: code 230020.
	Receiver float64 `json:"receiver"`
	// Monthly is the plan's number of API calls a month, 10,000 for the free edition; 0 is no such limit. Beyond: code 99991403.
	Monthly int `json:"monthly"`
	// Grace is how many seconds after a refusal further calls do not count as ignoring it, for they were under way: 0.25 unless set.
	// A test on a busy machine needs more.
	Grace float64 `json:"grace"`
}

func (l Limits) grace() time.Duration { return time.Duration(l.Grace * float64(time.Second)) }

func (l Limits) withDefaults() Limits {
	def := func(at *float64, v float64) {
		if *at <= 0 {
			*at = v
		}
	}
	def(&l.Scale, 1)
	def(&l.PerSecond, 50)
	def(&l.PerMinute, 1000)
	def(&l.Receiver, 5)
	def(&l.Grace, 0.25)
	return l
}

// SetLimits replaces the limits and forgets what was used of them, the month's calls included.
func (s *Server) SetLimits(l Limits) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.Limits = l.withDefaults()
	s.limits.Clear()
	s.world.month, s.world.monthly = "", 0
}

// MonthlyCalls is the number of API calls that count against this month's quota.
func (s *Server) MonthlyCalls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.world.monthly
}

// limited charges one call of an API to its own two windows and says why it is refused, or nothing. s.mu is held.
func (s *Server) limited(q request) *answer {
	l := s.opts.Limits
	if l.Off {
		return nil
	}
	now := s.now()
	if at, until := s.limits.Refused(q.name); now.Before(until) {
		if q.arrived.Sub(at) > l.grace() {
			f := q.about
			f.Rule = "ratelimit.reset_ignored"
			s.find(f)
		}
		a := tooFrequent(int(l.PerSecond*l.Scale), int(math.Ceil(until.Sub(now).Seconds())))
		return &a
	}
	second, minute := q.name+" second", q.name+" minute"
	wait, most := s.limits.Room(second, now, l.PerSecond*l.Scale, time.Second), l.PerSecond*l.Scale
	if m := s.limits.Room(minute, now, l.PerMinute*l.Scale, time.Minute); m > wait {
		wait, most = m, l.PerMinute*l.Scale
	}
	if wait > 0 {
		seconds := s.refused(q.name, int(math.Ceil(wait.Seconds())))
		a := tooFrequent(int(most), seconds)
		return &a
	}
	s.limits.Use(second, now)
	s.limits.Use(minute, now)
	return nil
}

// refused starts a wait after a 429, so that calls inside it are refused and found. s.mu is held.
func (s *Server) refused(name string, seconds int) int {
	seconds = max(1, seconds)
	if !s.opts.Limits.Off {
		now := s.now()
		s.limits.Refuse(name, now, now.Add(time.Duration(seconds)*time.Second))
	}
	return seconds
}

// crowded charges one message to its receiver, or one update to its message, and says whether that is too fast. s.mu is held.
func (s *Server) crowded(key string) bool {
	l := s.opts.Limits
	if l.Off {
		return false
	}
	now := s.now()
	if s.limits.Room(key, now, l.Receiver*l.Scale, time.Second) > 0 {
		return true
	}
	s.limits.Use(key, now)
	return false
}

// spent charges one call to the month and says whether the quota was used up before it. s.mu is held.
func (s *Server) spent() bool {
	month := s.now().In(shanghai).Format("2006-01")
	if s.world.month != month {
		s.world.month, s.world.monthly = month, 0
	}
	if l := s.opts.Limits; l.Monthly > 0 && s.world.monthly >= l.Monthly {
		return true
	}
	s.world.monthly++
	return false
}

// shanghai is where the vendor's months and the dates in its cards are.
var shanghai = time.FixedZone("CST", 8*60*60)
