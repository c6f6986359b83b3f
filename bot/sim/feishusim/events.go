package feishusim

import "time"

// repushes are the pauses between one push of an event and the next; after the fourth re-push Feishu gives up.
// https://open.feishu.cn/document/server-docs/event-subscription-guide/overview
func repushes() [4]time.Duration {
	return [4]time.Duration{15 * time.Second, 5 * time.Minute, time.Hour, 6 * time.Hour}
}

// Emit pushes one event to the bot, as Feishu would: Emit("contact.scope.updated_v3", …). It returns when the first push is
// over; re-pushes come with time.
func (s *Server) Emit(kind string, event map[string]any) Ack {
	s.mu.Lock()
	id, plain := s.envelope(kind, event)
	within := s.opts.AckTimeout
	f := s.draw("event")
	s.mu.Unlock()
	p := packet{kind: "event", event: kind, id: id, path: EventsPath, plain: plain, within: within}
	ack := s.push(p)
	if f.Again && ack.Failure == "" {
		s.mu.Lock()
		if kind == messageReceived {
			p.id, p.plain = s.again(plain)
		}
		s.mu.Unlock()
		p.original = ack.Delivery
		s.push(p)
	}
	return ack
}

// push makes one push and schedules the next when it failed.
func (s *Server) push(p packet) Ack {
	r, d := s.deliver(p)
	if pauses := repushes(); !r.ok() && p.attempt < len(pauses) {
		next := p
		next.attempt++
		if next.first == nil {
			next.first = d
		}
		s.clock.After(pauses[p.attempt], func() { s.push(next) })
	}
	return ackOf(r)
}

// VerifyURL sends the url_verification handshake to a request URL, EventsPath or CardsPath, and says whether the bot echoed
// the challenge within a second. It is encrypted, but not signed.
func (s *Server) VerifyURL(path string) (bool, Ack) {
	s.mu.Lock()
	challenge := hexID("challenge", s.world.count("challenge"))
	within := s.opts.ChallengeTimeout
	plain := encodeJSON(map[string]any{"challenge": challenge, "token": s.opts.VerificationToken, "type": "url_verification"})
	s.mu.Unlock()
	r, _ := s.deliver(packet{
		kind: "challenge", event: "url_verification", path: path, plain: plain, unsigned: true, within: within,
	})
	v, err := decodeJSON(r.body)
	o, _ := v.(map[string]any)
	return err == nil && r.ok() && o["challenge"] == challenge, ackOf(r)
}
