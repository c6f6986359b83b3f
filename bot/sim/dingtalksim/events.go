package dingtalksim

import (
	"strconv"
	"strings"
	"time"

	"huiyin/bot/sim/backstage"
)

// maxPushes is how often a stream push comes at most; the vendor does not say.
const maxPushes = 4

// Emit pushes one event to the bot, as DingTalk would: Emit("label_user_change", …). Data is written as streams carry it, with
// small initials; over HTTP the initials are capitals and the firm and the type stand beside it. It returns when the first
// push is over; further ones come with time, over streams only.
func (s *Server) Emit(kind string, data map[string]any) Ack {
	s.mu.Lock()
	id := backstage.HexID("event", s.world.count("event"))
	born := millis(s.Now())
	framed := map[string]any{"timeStamp": born, "eventId": id, "optStaffId": ""}
	plain := map[string]any{"EventType": kind, "CorpId": s.opts.CorpID, "TimeStamp": born, "OptStaffId": ""}
	for k, v := range data {
		if k == "" {
			continue
		}
		framed[k] = v
		plain[strings.ToUpper(k[:1])+k[1:]] = v
	}
	p := packet{
		kind: kindEvent, name: kind, id: id, plain: backstage.EncodeJSON(plain), framed: backstage.EncodeJSON(framed), within: s.opts.EventTimeout,
	}
	if s.opts.Mode == Webhook {
		p.url = s.address(EventsPath)
	} else {
		p.within = s.opts.AckTimeout
	}
	s.mu.Unlock()
	return s.push(p)
}

// address is one of the app's own addresses, empty without a BotURL. s.mu is held.
func (s *Server) address(path string) string {
	if s.opts.BotURL == "" {
		return ""
	}
	return s.opts.BotURL + path
}

// push makes a push, and once more when a fault says so.
func (s *Server) push(p packet) Ack {
	again := s.faults.Draw("event", false).Again
	ack := s.pushOnce(p)
	if again && ack.Failure == "" {
		p.original = ack.Delivery
		s.pushOnce(p)
	}
	return ack
}

// pushOnce makes one push and, over streams, schedules the next when it was not acknowledged. An acknowledgement that comes
// late, but before its time, makes it unnecessary.
func (s *Server) pushOnce(p packet) Ack {
	acked := new(bool)
	p.acked = acked
	r := s.deliver(p)
	again := s.opts.Mode == Stream || s.opts.RedeliverWebhook && p.kind == kindMessage
	if !r.ok() && again && s.opts.Redeliver > 0 && p.attempt+1 < maxPushes {
		next := p
		next.attempt++
		next.original = r.n
		s.clock.After(s.opts.Redeliver, func() {
			s.mu.Lock()
			late := *acked
			s.mu.Unlock()
			if !late {
				s.pushOnce(next)
			}
		})
	}
	return ackOf(r)
}

// VerifyURL sends the check_url handshake, which DingTalk makes when an event address is saved, and says whether the bot
// answered it rightly within 1,500 ms.
func (s *Server) VerifyURL(path string) (bool, Ack) {
	s.mu.Lock()
	p := packet{
		kind: kindChallenge, name: "check_url", id: strconv.Itoa(s.world.count("challenge")), url: s.address(path),
		plain: backstage.EncodeJSON(map[string]string{"EventType": "check_url"}), within: min(s.opts.EventTimeout, 1500*time.Millisecond),
	}
	s.mu.Unlock()
	r := s.deliver(p)
	return r.ok(), ackOf(r)
}
