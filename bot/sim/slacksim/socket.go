package slacksim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const (
	maxSockets  = 10
	frameLimit  = 20_000 // bytes; a response frame this large or larger is dropped without a word
	ticketLife  = 30 * time.Second
	writeWithin = 5 * time.Second
)

// socket is one open Socket Mode connection. Writes are serialised by its own lock.
type socket struct {
	conn *websocket.Conn
	mu   sync.Mutex
	once sync.Once
}

// socketAck is the bot's acknowledgement of one envelope.
type socketAck struct {
	payload json.RawMessage
}

func (c *socket) send(v any) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	stuck := time.AfterFunc(writeWithin, c.close) // a bot that reads nothing loses its connection
	defer stuck.Stop()
	if err := c.conn.WriteMessage(websocket.TextMessage, encodeJSON(v)); err != nil {
		return fmt.Errorf("writing a frame: %w", err)
	}
	return nil
}

func (c *socket) close() {
	c.once.Do(func() { c.conn.Close() }) //nolint:errcheck // closing is all there is left to do
}

func appsConnectionsOpen(s *Server, _ args) answer {
	ticket := fmt.Sprintf("%016x%016x", s.rng.Uint64(), s.rng.Uint64())
	s.tickets[ticket] = s.now().Add(ticketLife)
	base := strings.Replace(s.opts.BaseURL, "http", "ws", 1)
	return ok(map[string]any{"url": base + "/link/?ticket=" + ticket + "&app_id=" + s.opts.AppID})
}

// serveSocket upgrades one connection; its address works once and for 30 s.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	ticket := r.URL.Query().Get("ticket")
	s.mu.Lock()
	until, known := s.tickets[ticket]
	delete(s.tickets, ticket)
	fresh := known && s.now().Before(until)
	s.mu.Unlock()
	if !fresh {
		http.Error(w, "link_disabled", http.StatusForbidden)
		return
	}
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }} // the ticket is the credential
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		s.log.DebugContext(r.Context(), "upgrading a socket", "err", err)
		return
	}
	c := &socket{conn: conn}
	s.mu.Lock()
	full := len(s.sockets) >= maxSockets
	if !full && s.clock.Context().Err() == nil {
		s.sockets = append(s.sockets, c)
	}
	n := len(s.sockets)
	s.mu.Unlock()
	if full {
		s.farewell(c, "too_many_websockets")
		return
	}
	s.clock.Go(func() { s.keepAlive(c) })
	err = c.send(map[string]any{
		"type": "hello", "num_connections": n, "connection_info": map[string]any{"app_id": s.opts.AppID},
		"debug_info": map[string]any{"host": "applink-1", "build_number": 1, "approximate_connection_time": 18060},
	})
	if err == nil {
		s.read(c)
	}
	s.gone(c)
}

// keepAlive pings until the connection ends or the server closes.
func (s *Server) keepAlive(c *socket) {
	t := time.NewTicker(s.opts.PingEvery)
	defer t.Stop()
	for {
		select {
		case <-s.clock.Context().Done():
			c.close()
			return
		case <-t.C:
			if err := c.conn.WriteControl(websocket.PingMessage, []byte("Ping from slacksim"), time.Time{}); err != nil {
				c.close()
				return
			}
		}
	}
}

// read takes acknowledgements until the connection ends.
func (s *Server) read(c *socket) {
	for {
		_, frame, err := c.conn.ReadMessage()
		if err != nil {
			return
		}
		var ack struct {
			Envelope string          `json:"envelope_id"`
			Payload  json.RawMessage `json:"payload"`
		}
		err = json.Unmarshal(frame, &ack)
		s.mu.Lock()
		waiting := s.waiting[ack.Envelope]
		switch {
		case err != nil:
			s.find(Finding{Rule: "socket.invalid_frame", Method: "socket"})
		case len(frame) >= frameLimit:
			s.find(Finding{Rule: "socket.frame_too_large", Length: len(frame), Method: "socket"})
		case waiting == nil:
			s.find(Finding{Severity: Should, Rule: "socket.late_or_unknown_ack", Method: "socket"})
		default:
			delete(s.waiting, ack.Envelope)
			waiting <- socketAck{payload: ack.Payload}
		}
		s.mu.Unlock()
	}
}

func (s *Server) gone(c *socket) {
	c.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sockets = slices.DeleteFunc(s.sockets, func(o *socket) bool { return o == c })
}

// Sockets is the number of open Socket Mode connections.
func (s *Server) Sockets() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sockets)
}

// Disconnect sends a disconnect frame to every open connection: "warning" only announces it; "refresh_requested" and
// "link_disabled" also close.
func (s *Server) Disconnect(reason string) {
	s.mu.Lock()
	open := slices.Clone(s.sockets)
	s.mu.Unlock()
	for _, c := range open {
		if reason == "warning" {
			if err := c.send(disconnectFrame(reason)); err != nil {
				s.log.Debug("warning a socket", "err", err)
			}
			continue
		}
		s.farewell(c, reason)
		s.gone(c)
	}
}

func (s *Server) farewell(c *socket, reason string) {
	if err := c.send(disconnectFrame(reason)); err != nil {
		s.log.Debug("disconnecting a socket", "err", err)
	}
	c.close()
}

func disconnectFrame(reason string) map[string]any {
	return map[string]any{"type": "disconnect", "reason": reason, "debug_info": map[string]any{"host": "applink-1"}}
}

// overSocket delivers one envelope to one of the open connections, chosen at random, and waits for its acknowledgement.
func (s *Server) overSocket(p packet) reply {
	s.mu.Lock()
	if len(s.sockets) == 0 {
		s.mu.Unlock()
		return reply{failure: "connection_failed"}
	}
	c := s.sockets[s.rng.IntN(len(s.sockets))]
	id := fmt.Sprintf("%08x-0000-4000-8000-%012x", s.world.count("envelope"), s.rng.Uint64()&0xffffffffffff)
	answered := make(chan socketAck, 1)
	s.waiting[id] = answered
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.waiting, id)
		s.mu.Unlock()
	}()
	frame := map[string]any{
		"envelope_id": id, "type": p.frame, "payload": p.payload, "accepts_response_payload": p.accepts,
	}
	if p.frame == "events_api" {
		frame["retry_attempt"] = jsonInt(p.attempt)
		frame["retry_reason"] = strings.TrimPrefix(p.reason, "http_") // sockets say timeout, not http_timeout
	}
	if err := c.send(frame); err != nil {
		s.gone(c)
		return reply{failure: "connection_failed"}
	}
	t := time.NewTimer(s.opts.AckTimeout)
	defer t.Stop()
	select {
	case a := <-answered:
		r := reply{status: http.StatusOK}
		if len(a.payload) > 0 && string(a.payload) != "null" {
			r.body, r.media = a.payload, "application/json"
		}
		return r
	case <-t.C:
		return reply{failure: "http_timeout"}
	case <-s.clock.Context().Done():
		return reply{failure: "connection_failed"}
	}
}
