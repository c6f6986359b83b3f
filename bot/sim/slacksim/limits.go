package slacksim

import (
	"math"
	"time"
)

// Limits are the vendor's rate limits. https://docs.slack.dev/apis/web-api/rate-limits
type Limits struct {
	Off bool `json:"off"`
	// Scale multiplies every allowance: 10 is ten times as generous. Zero means 1.
	Scale float64 `json:"scale"`
	// ChannelPerSecond and ChannelBurst are chat.postMessage in one conversation: 1 a second, bursts of 3.
	ChannelPerSecond float64 `json:"channel_per_second"`
	ChannelBurst     float64 `json:"channel_burst"`
	// WorkspacePerMinute is chat.postMessage in the whole workspace: "several hundred", here 400.
	WorkspacePerMinute float64 `json:"workspace_per_minute"`
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
	def(&l.ChannelPerSecond, 1)
	def(&l.ChannelBurst, 3)
	def(&l.WorkspacePerMinute, 400)
	def(&l.Grace, 0.25)
	return l
}

// SetLimits replaces the limits and forgets what was used of them.
func (s *Server) SetLimits(l Limits) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.Limits = l.withDefaults()
	s.limits = newBuckets()
}

// bucket is a token bucket which also remembers the last refusal.
type bucket struct {
	tokens  float64
	at      time.Time
	refused time.Time
	until   time.Time // the end of the last Retry-After
}

type buckets map[string]*bucket

func newBuckets() buckets { return buckets{} }

// take uses one token of a bucket of the given size which refills per second; it returns the seconds to wait instead
// when there is none, and whether the call arrived before an earlier wait was over.
func (b buckets) take(key string, now, arrived time.Time, size, perSecond float64, grace time.Duration) (wait int, tooEarly bool) {
	k := b[key]
	if k == nil {
		k = &bucket{tokens: size, at: now}
		b[key] = k
	}
	k.tokens = math.Min(size, k.tokens+now.Sub(k.at).Seconds()*perSecond)
	k.at = now
	if now.Before(k.until) {
		return int(math.Ceil(k.until.Sub(now).Seconds())), arrived.Sub(k.refused) > grace
	}
	if k.tokens >= 1 {
		k.tokens--
		return 0, false
	}
	wait = int(math.Max(1, math.Ceil((1-k.tokens)/perSecond)))
	k.refused, k.until = now, now.Add(time.Duration(wait)*time.Second)
	return wait, false
}

// limited charges one call to its limits and returns the seconds to wait, 0 when it may go on. s.mu is held.
func (s *Server) limited(name string, tier int, a args, arrived time.Time) int {
	l := s.opts.Limits
	if l.Off {
		return 0
	}
	now := s.now()
	charge := func(key string, size, perSecond float64) int {
		wait, tooEarly := s.limits.take(key, now, arrived, size*l.Scale, perSecond*l.Scale, l.grace())
		if tooEarly {
			f := a.about
			f.Rule = "ratelimit.retry_after_ignored"
			s.find(f)
		}
		return wait
	}
	if name == "chat.postMessage" {
		if wait := charge(s.postKey(a), l.ChannelBurst, l.ChannelPerSecond); wait > 0 {
			return wait
		}
		return charge("post", l.WorkspacePerMinute, l.WorkspacePerMinute/60)
	}
	if tier == 0 {
		return 0
	}
	return charge(name, float64(tier), float64(tier)/60)
}

// postKey names the conversation that a message goes to; a direct one has one name, by its id or by its user's.
func (s *Server) postKey(a args) string {
	id := a.str("channel")
	if c := s.world.channels[id]; c != nil && c.Kind == IM {
		for _, m := range c.Members {
			if m != s.opts.BotUser {
				id = m
			}
		}
	}
	return "post " + id
}

// refused starts a Retry-After of an injected 429, so that calls inside it are refused and found. s.mu is held.
func (s *Server) refused(name string, a args, seconds int) {
	if s.opts.Limits.Off {
		return
	}
	key := name
	if name == "chat.postMessage" {
		key = s.postKey(a)
	}
	now := s.now()
	k := s.limits[key]
	if k == nil {
		k = &bucket{tokens: 1, at: now}
		s.limits[key] = k
	}
	k.refused, k.until = now, now.Add(time.Duration(seconds)*time.Second)
}
