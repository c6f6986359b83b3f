package slacksim

import (
	"maps"
	"strconv"
	"time"
)

// eventRetries are the pauses before the second and third retry, counted from the first attempt; the first retry follows
// at once. https://docs.slack.dev/apis/events-api#retries
func eventRetries() [3]time.Duration { return [3]time.Duration{0, time.Minute, 5 * time.Minute} }

const (
	eventsPerHour  = 30_000 // per workspace; what is more is dropped and app_rate_limited sent once a minute
	failingFrom    = 1_000  // an hour with fewer events never disables the app
	failingPortion = 0.95
)

// eventHealth counts what Slack counts before it stops sending.
type eventHealth struct {
	hour     time.Time
	sent     int
	failed   int
	limited  time.Time // the minute for which app_rate_limited was sent
	disabled bool
}

// Emit sends one event to the bot, as Slack would: {"type":"app_uninstalled"}. It returns when the first attempt and,
// if that failed, the immediate retry are over; later retries come with time. Ack.Error is that of the last attempt made.
func (s *Server) Emit(event map[string]any) Ack {
	event = maps.Clone(event)
	s.mu.Lock()
	now := s.now()
	if event["event_ts"] == nil {
		event["event_ts"] = s.world.ts(now)
	}
	id := s.world.id("Ev")
	envelope := map[string]any{
		"token": legacyToken, "team_id": s.opts.Team.ID, "context_team_id": s.opts.Team.ID, "context_enterprise_id": nil,
		"api_app_id": s.opts.AppID, "event": event, "type": "event_callback", "event_id": id, "event_time": now.Unix(),
		"authorizations": []any{map[string]any{
			"enterprise_id": nil, "team_id": s.opts.Team.ID, "user_id": s.opts.BotUser, "is_bot": true, "is_enterprise_install": false,
		}},
		"is_ext_shared_channel": false, "event_context": "4-" + id,
	}
	verdict := s.health.charge(now, s.opts.Limits)
	s.mu.Unlock()
	switch verdict {
	case eventSent:
		return s.sendEvent(envelope)
	case eventsDisabled:
		return Ack{Error: "event_subscriptions_disabled"}
	case eventDropped:
		return Ack{Error: "app_rate_limited"}
	case eventLimitTold:
		return s.sendEvent(map[string]any{
			"token": legacyToken, "type": "app_rate_limited", "team_id": s.opts.Team.ID, "api_app_id": s.opts.AppID,
			"minute_rate_limited": now.Truncate(time.Minute).Unix(),
		})
	}
	return Ack{}
}

// legacyToken is the deprecated verification token that every payload still carries.
const legacyToken = "Gg0123456789abcdefghijkl"

// EventsDisabled says whether Slack has stopped sending events because more than 95 % failed within an hour.
func (s *Server) EventsDisabled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.health.disabled
}

type eventVerdict int

const (
	eventSent eventVerdict = iota
	eventDropped
	eventLimitTold
	eventsDisabled
)

func (h *eventHealth) charge(now time.Time, l Limits) eventVerdict {
	if h.disabled {
		return eventsDisabled
	}
	if now.Sub(h.hour) >= time.Hour {
		*h = eventHealth{hour: now}
	}
	if !l.Off && float64(h.sent) >= eventsPerHour*l.Scale {
		if minute := now.Truncate(time.Minute); minute.After(h.limited) {
			h.limited = minute
			return eventLimitTold
		}
		return eventDropped
	}
	h.sent++
	return eventSent
}

func (h *eventHealth) failure() {
	h.failed++
	if h.sent >= failingFrom && float64(h.failed) > failingPortion*float64(h.sent) {
		h.disabled = true
	}
}

// sendEvent makes the first attempt and the immediate retry, and schedules the others.
func (s *Server) sendEvent(envelope map[string]any) Ack {
	body := encodeJSON(envelope)
	p := packet{
		kind: "event", path: "/slack/events", media: "application/json", body: body, frame: "events_api", payload: body,
	}
	return s.attemptEvent(p, s.Now())
}

func (s *Server) attemptEvent(p packet, first time.Time) Ack {
	r := s.deliver(p)
	for !r.ok() {
		if p.attempt == 0 {
			s.mu.Lock()
			s.health.failure()
			s.mu.Unlock()
		}
		retries := eventRetries()
		if r.noRetry || p.attempt == len(retries) {
			break
		}
		wait := first.Add(retries[p.attempt]).Sub(s.Now())
		p.attempt++
		p.reason = r.failure
		if wait > 0 {
			s.clock.After(wait, func() { s.attemptEvent(p, first) })
			break
		}
		r = s.deliver(p)
	}
	return ackOf(r)
}

// VerifyURL sends the url_verification handshake and says whether the bot echoed the challenge.
func (s *Server) VerifyURL() (bool, Ack) {
	s.mu.Lock()
	challenge := "challenge-" + strconv.Itoa(s.world.count("challenge"))
	s.mu.Unlock()
	body := encodeJSON(map[string]any{"token": legacyToken, "challenge": challenge, "type": "url_verification"})
	r := s.deliver(packet{kind: "event", path: "/slack/events", media: "application/json", body: body, frame: "events_api", payload: body})
	echoed := string(r.body) == challenge
	if v, err := decodeJSON(r.body); err == nil {
		if o, isObject := v.(map[string]any); isObject {
			echoed = o["challenge"] == challenge
		}
	}
	return echoed && r.ok(), ackOf(r)
}
