package feishusim

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const (
	maxSockets   = 50
	ticketLife   = 90 * time.Second // the vendor does not say
	writeWithin  = 5 * time.Second
	pongGrace    = 5 * time.Second
	codeForbid   = 403
	codeAuth     = 514
	codeMaxConns = 1000040350
	serviceID    = 33554678
)

// socket is one open long connection. Writes are serialised by its own lock.
type socket struct {
	conn *websocket.Conn
	mu   sync.Mutex
	once sync.Once
	idle *time.Timer
}

// socketAck is the bot's acknowledgement of one payload.
type socketAck struct {
	code int
	data []byte
}

func (c *socket) send(f Frame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	stuck := time.AfterFunc(writeWithin, c.close) // a bot that reads nothing loses its connection
	defer stuck.Stop()
	if err := c.conn.WriteMessage(websocket.BinaryMessage, f.Marshal()); err != nil {
		return fmt.Errorf("writing a frame: %w", err)
	}
	return nil
}

func (c *socket) close() {
	c.once.Do(func() { c.conn.Close() }) //nolint:errcheck // closing is all there is left to do
}

// wsEndpoint gives the address of a long connection. Errors stand in the code alone, with HTTP 200.
func wsEndpoint(s *Server, q request) answer {
	switch {
	case q.str("AppID") != s.opts.AppID || q.str("AppSecret") != s.opts.AppSecret:
		return answer{code: codeAuth, msg: "auth failed"}
	case len(s.sockets) >= maxSockets:
		return answer{code: codeMaxConns, msg: "the number of connections exceeded the limit"}
	}
	ticket := s.world.id("")
	s.tickets[ticket] = s.now().Add(ticketLife)
	url := strings.Replace(s.opts.BaseURL, "http", "ws", 1) + "/ws/v2?device_id=" + strconv.Itoa(7_000_000_000+s.world.count("device")) +
		"&service_id=" + strconv.Itoa(serviceID) + "&ticket=" + ticket
	return answer{top: map[string]any{"data": map[string]any{"URL": url, "ClientConfig": s.clientConfig()}}, msg: "OK"}
}

func (s *Server) clientConfig() map[string]any {
	return map[string]any{
		"ReconnectCount": -1, "ReconnectInterval": 1, "ReconnectNonce": 0, "PingInterval": int(max(s.opts.PingInterval, time.Second) / time.Second),
	}
}

// serveSocket upgrades a long connection: each address once, within its time, 50 at most.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	refuse := func(status, auth int, why string) {
		w.Header().Set("Handshake-Status", strconv.Itoa(status))
		w.Header().Set("Handshake-Msg", why)
		if auth != 0 {
			w.Header().Set("Handshake-Autherrcode", strconv.Itoa(auth))
		}
		http.Error(w, why, http.StatusForbidden)
	}
	ticket := r.URL.Query().Get("ticket")
	s.mu.Lock()
	ends, known := s.tickets[ticket]
	delete(s.tickets, ticket)
	valid := known && s.now().Before(ends)
	full := len(s.sockets) >= maxSockets
	s.mu.Unlock()
	switch {
	case !valid:
		refuse(codeForbid, 0, "the ticket is unknown, used or expired")
		return
	case full:
		refuse(codeAuth, codeMaxConns, "the number of connections exceeded the limit")
		return
	}
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }} // the ticket is the credential
	silent := 2*s.opts.PingInterval + pongGrace
	s.mu.Lock() // so that nobody finds a connection that is open on one side only
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		s.mu.Unlock()
		s.log.DebugContext(r.Context(), "upgrading a long connection", "err", err)
		return
	}
	c := &socket{conn: conn}
	c.idle = time.AfterFunc(silent, c.close)
	open := s.clock.Context().Err() == nil
	if open {
		s.sockets = append(s.sockets, c)
		s.change(Change{Kind: ChangeSocket, N: len(s.sockets)})
	}
	s.mu.Unlock()
	if open {
		s.read(c, silent)
	}
	s.gone(c)
}

// read takes pings and acknowledgements until the connection ends.
func (s *Server) read(c *socket, silent time.Duration) {
	for {
		kind, raw, err := c.conn.ReadMessage()
		if err != nil {
			return
		}
		c.idle.Reset(silent)
		f, err := UnmarshalFrame(raw)
		switch {
		case kind != websocket.BinaryMessage || err != nil:
			s.oddFrame(Must, "socket.invalid_frame", len(raw))
		case f.Method == methodControl && f.Get("type") == "ping":
			s.mu.Lock()
			pong := Frame{
				Service: f.Service, Method: methodControl, Headers: []Header{{"type", "pong"}}, Payload: encodeJSON(s.clientConfig()),
			}
			s.mu.Unlock()
			if err := c.send(pong); err != nil {
				return
			}
		case f.Method == methodData:
			s.acknowledge(f)
		default:
			s.oddFrame(Must, "socket.unknown_frame", len(raw))
		}
	}
}

func (s *Server) oddFrame(severity, rule string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.find(Finding{Severity: severity, Rule: rule, Length: n, Method: "socket"})
}

// acknowledge takes an acknowledging frame: the headers of what it answers, and {"code":200,"headers":…,"data":base64}.
func (s *Server) acknowledge(f Frame) {
	var body struct {
		Code int     `json:"code"`
		Data *string `json:"data"`
	}
	err := json.Unmarshal(f.Payload, &body)
	ack := socketAck{code: body.Code}
	if body.Data != nil && err == nil {
		ack.data, err = base64.StdEncoding.DecodeString(*body.Data)
	}
	if err != nil || body.Code == 0 {
		s.oddFrame(Must, "socket.invalid_ack", len(f.Payload))
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := f.Get("message_id")
	waiting := s.waiting[id]
	switch {
	case waiting == nil:
		s.find(Finding{Severity: Should, Rule: "socket.late_or_unknown_ack", Method: "socket"})
	case f.Get("type") != "event" || f.Service != serviceID || f.SeqID == 0:
		s.find(Finding{Rule: "socket.ack_without_its_headers", Method: "socket"})
	default:
		delete(s.waiting, id)
		waiting <- ack
	}
}

func (s *Server) gone(c *socket) {
	c.close()
	c.idle.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sockets = slices.DeleteFunc(s.sockets, func(o *socket) bool { return o == c })
	s.change(Change{Kind: ChangeSocket, N: len(s.sockets)})
}

// Sockets is the number of open long connections.
func (s *Server) Sockets() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sockets)
}

// Disconnect breaks so many long connections, the oldest first, without a farewell, as a network does; 0 is all of them.
func (s *Server) Disconnect(most int) {
	s.mu.Lock()
	open := slices.Clone(s.sockets)
	s.mu.Unlock()
	for i, c := range open {
		if most == 0 || i < most {
			s.gone(c)
		}
	}
}

// overSocket delivers one payload over one of the open connections, chosen at random, and waits for its acknowledgement.
func (s *Server) overSocket(p packet) reply {
	s.mu.Lock()
	if len(s.sockets) == 0 {
		s.mu.Unlock()
		return reply{failure: "no_connection"}
	}
	c := s.sockets[s.rng.IntN(len(s.sockets))]
	id := s.world.id("")
	answered := make(chan socketAck, 1)
	s.waiting[id] = answered
	frames := s.cut(id, p.plain)
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.waiting, id)
		s.mu.Unlock()
	}()
	for _, f := range frames {
		if err := c.send(f); err != nil {
			s.gone(c)
			return reply{failure: "connection_failed"}
		}
	}
	t := time.NewTimer(p.within)
	defer t.Stop()
	select {
	case a := <-answered:
		r := reply{status: a.code, body: a.data}
		if a.code != http.StatusOK {
			r.failure = "http_error"
		}
		if p.kind == "card" && len(r.body) == 0 {
			r.body = []byte("{}") // a frame without data says nothing to say
		}
		return r
	case <-t.C:
		return reply{failure: "timeout"}
	case <-s.clock.Context().Done():
		return reply{failure: "connection_failed"}
	}
}

// cut makes the frames of one payload. s.mu is held.
func (s *Server) cut(id string, payload []byte) []Frame {
	var frames []Frame
	sum := max(1, (len(payload)+s.opts.FrameBytes-1)/s.opts.FrameBytes)
	now := s.now()
	for seq := range sum {
		part := payload[seq*s.opts.FrameBytes : min((seq+1)*s.opts.FrameBytes, len(payload))]
		n := s.world.count("frame")
		frames = append(frames, Frame{
			SeqID: uint64(n), LogID: uint64(n), Service: serviceID, Method: methodData, Payload: part, PayloadType: "json", LogIDNew: logID(n),
			Headers: []Header{
				{"type", "event"},
				{"message_id", id},
				{"sum", strconv.Itoa(sum)},
				{"seq", strconv.Itoa(seq)},
				{"trace_id", logID(n)},
				{"timestamp", millis(now)},
			},
		})
	}
	return frames
}
