package dingtalksim

import (
	"net"
	"net/http"
	"time"
)

// Limits are the vendor's rate limits and quotas. Every allowance is a sliding window: never more than so many within any
// second, minute or 20 seconds.
// https://open.dingtalk.com/document/development/how-to-process-api-throttling-on-the-dingtalk-server
type Limits struct {
	Off bool `json:"off"`
	// Scale multiplies every allowance but the monthly one: 10 is ten times as generous. Zero means 1.
	Scale float64 `json:"scale"`
	// PerSecond is calls of one API by the app: 40, as the plans have 20, 40 or 60 (the standard edition 20). Beyond: 403
	// Forbidden.AccessDenied.QpsLimitForAppkeyAndApi, errcode 90018 on the old host; wait a second.
	PerSecond float64 `json:"per_second"`
	// PerPerson is messages a minute of the robot to one person; DingTalk names no figure, here 20. Beyond: the call succeeds
	// and names the person in flowControlledStaffIdList.
	PerPerson float64 `json:"per_person"`
	// Webhook is messages a minute through the session webhooks of one conversation: 20. Beyond: errcode 130101, for 10 minutes.
	Webhook float64 `json:"webhook"`
	// PerIP is requests within 20 s from one address, of any kind: 10,000. Beyond: five minutes of a page that is no JSON.
	PerIP float64 `json:"per_ip"`
	// Monthly is the plan's number of calls a month: 10,000 for the standard edition; negative is no such limit. Tokens, stream
	// tickets, session webhooks and the directory do not count. Beyond: 403 Forbidden.AccessDenied.ApiCountLimitForOrg, 90020.
	Monthly int `json:"monthly"`
	// Directory makes the directory count as well.
	Directory bool `json:"directory"`
	// Grace is how many seconds after a refusal further calls do not count as ignoring it, for they were under way: 0.25 unless set.
	// A test on a busy machine needs more.
	Grace float64 `json:"grace"`
}

func (l Limits) grace() time.Duration { return time.Duration(l.Grace * float64(time.Second)) }

const (
	ipPeriod     = 20 * time.Second
	ipPunishment = 5 * time.Minute
	webhookPause = 10 * time.Minute
	qpsPause     = time.Second
)

func (l Limits) withDefaults() Limits {
	def := func(at *float64, v float64) {
		if *at <= 0 {
			*at = v
		}
	}
	def(&l.Scale, 1)
	def(&l.PerSecond, 40)
	def(&l.PerPerson, 20)
	def(&l.Webhook, 20)
	def(&l.PerIP, 10_000)
	def(&l.Grace, 0.25)
	if l.Monthly == 0 {
		l.Monthly = 10_000
	}
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
	if s.world.month != s.month() {
		return 0
	}
	return s.world.monthly
}

// shanghai is where the vendor's months and days are.
var shanghai = time.FixedZone("CST", 8*60*60)

func (s *Server) month() string { return s.Now().In(shanghai).Format("2006-01") }

// punished charges one request to its address and says whether the address is blocked. s.mu is held.
func (s *Server) punished(r *http.Request) bool {
	l := s.opts.Limits
	if l.Off {
		return false
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	now, key := s.Now(), "ip "+host
	if _, until := s.limits.Refused(key); now.Before(until) {
		return true
	}
	if s.limits.Room(key, now, l.PerIP*l.Scale, ipPeriod) > 0 {
		s.limits.Refuse(key, now, now.Add(ipPunishment))
		s.find(Finding{Rule: "ratelimit.ip_blocked", Detail: "5m"})
		return true
	}
	s.limits.Use(key, now)
	return false
}

// limited charges one call of an API to its window and says whether it is too fast; a call within the wait after a refusal is
// a fault. s.mu is held.
func (s *Server) limited(q request) bool {
	l := s.opts.Limits
	if l.Off {
		return false
	}
	now := s.Now()
	refused, until := s.limits.Refused(q.name)
	if now.Before(until) {
		if q.arrived.Sub(refused) > l.grace() {
			f := q.about
			f.Rule = "ratelimit.wait_ignored"
			s.find(f)
		}
		return true
	}
	if s.limits.Room(q.name, now, l.PerSecond*l.Scale, time.Second) > 0 {
		s.limits.Refuse(q.name, now, now.Add(qpsPause))
		return true
	}
	s.limits.Use(q.name, now)
	return false
}

// flooded charges one message to its receiver and says whether that was one too many this minute. A message that comes before
// there is room again is a fault. s.mu is held.
func (s *Server) flooded(q request, person string) bool {
	l := s.opts.Limits
	if l.Off {
		return false
	}
	now, key := s.Now(), "to "+person
	if wait := s.limits.Room(key, now, l.PerPerson*l.Scale, time.Minute); wait > 0 {
		refused, until := s.limits.Refused(key)
		if now.Before(until) && q.arrived.Sub(refused) > l.grace() {
			f := q.about
			f.Rule = "flow_control.ignored"
			s.find(f)
		}
		s.limits.Refuse(key, now, now.Add(wait))
		return true
	}
	s.limits.Use(key, now)
	return false
}

// chatty charges one session message to its conversation and says whether the robot is muted there. s.mu is held.
func (s *Server) chatty(q request, chat string) bool {
	l := s.opts.Limits
	if l.Off {
		return false
	}
	now, key := s.Now(), "session "+chat
	refused, until := s.limits.Refused(key)
	if now.Before(until) {
		if q.arrived.Sub(refused) > l.grace() {
			f := q.about
			f.Rule = "ratelimit.wait_ignored"
			s.find(f)
		}
		return true
	}
	if s.limits.Room(key, now, l.Webhook*l.Scale, time.Minute) > 0 {
		s.limits.Refuse(key, now, now.Add(webhookPause))
		return true
	}
	s.limits.Use(key, now)
	return false
}

// spent charges one call to the month; ok is false when the quota was used up before it. n is its number in the month, 0 when
// it does not count. s.mu is held.
func (s *Server) spent(rt route) (n int, ok bool) {
	l := s.opts.Limits
	if !rt.counts && !(rt.directory && l.Directory) {
		return 0, true
	}
	if m := s.month(); s.world.month != m {
		s.world.month, s.world.monthly = m, 0
	}
	if !l.Off && l.Monthly > 0 && s.world.monthly >= l.Monthly {
		return 0, false
	}
	s.world.monthly++
	return s.world.monthly, true
}
