package dingtalksim

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"huiyin/bot/sim/backstage"
)

const (
	connectPath = "/connect"
	ticketLife  = 90 * time.Second
	farewell    = 10 * time.Second // between the disconnect frame and the end
	writeWithin = 5 * time.Second
)

// The types of a frame and of a subscription.
const (
	typeSystem   = "SYSTEM"
	typeEvent    = "EVENT"
	typeCallback = "CALLBACK"
)

// Subscription is what one connection wants to get.
type Subscription struct {
	Type  string `json:"type"`
	Topic string `json:"topic"`
}

// ticket is the right to open one connection.
type ticket struct {
	ends time.Time
	subs []Subscription
}

// socket is one open stream connection. Writes are serialised by its own lock; leaving is guarded by Server.mu.
type socket struct {
	conn    *websocket.Conn
	id      string
	subs    []Subscription
	leaving bool // was told to go; nothing more comes over it
	mu      sync.Mutex
	once    sync.Once
}

// frame is what goes over a connection. https://opensource.dingtalk.com/developerpedia/docs/learn/stream/protocol
type frame struct {
	SpecVersion string            `json:"specVersion"`
	Type        string            `json:"type"`
	Headers     map[string]string `json:"headers"`
	Data        string            `json:"data"`
}

// frameAck is the bot's answer to one frame.
type frameAck struct {
	code int
	data string
}

// awaited is a frame that was sent and may still be answered.
type awaited struct {
	kind   string
	socket *socket
	answer chan frameAck // nil once nobody waits any more
	acked  *bool         // set when the answer comes late
	n      int           // Delivery.N
}

func (c *socket) send(f any) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	stuck := time.AfterFunc(writeWithin, c.close) // a bot that reads nothing loses its connection
	defer stuck.Stop()
	if err := c.conn.WriteMessage(websocket.TextMessage, backstage.EncodeJSON(f)); err != nil {
		return fmt.Errorf("writing a frame: %w", err)
	}
	return nil
}

func (c *socket) close() {
	c.once.Do(func() { c.conn.Close() }) //nolint:errcheck // closing is all there is left to do
}

func (c *socket) wants(kind, topic string) bool {
	return slices.ContainsFunc(c.subs, func(s Subscription) bool {
		return s.Type == kind && (s.Topic == topic || kind == typeEvent && s.Topic == "*")
	})
}

// openConnection gives the address and the ticket of one stream connection.
func openConnection(s *Server, q request) answer {
	list, _ := q.json["subscriptions"].([]any)
	switch {
	case q.str("clientId") == "" || q.str("clientSecret") == "":
		return refuse("MissingParameter", "clientId and clientSecret are required")
	case q.str("clientId") != s.opts.ClientID || q.str("clientSecret") != s.opts.ClientSecret:
		return answer{status: http.StatusUnauthorized, code: "authFailed", msg: "鉴权失败"}
	case len(list) == 0:
		return refuse("MissingParameter", "subscriptions is required")
	}
	t := ticket{ends: s.Now().Add(ticketLife)}
	for _, v := range list {
		o, _ := v.(map[string]any)
		kind, _ := o["type"].(string)
		topic, _ := o["topic"].(string)
		switch {
		case !slices.Contains([]string{typeSystem, typeEvent, typeCallback}, kind) || topic == "":
			return refuse("InvalidParameter", "subscriptions: type or topic")
		case kind == typeEvent && topic != "*":
			return refuse("InvalidParameter", "subscriptions: events are subscribed with * only")
		case kind == typeCallback && topic != TopicMessages && topic != TopicCards:
			f := q.about
			f.Severity, f.Rule, f.Pointer = Should, "stream.unknown_topic", "/subscriptions"
			s.find(f)
		}
		t.subs = append(t.subs, Subscription{Type: kind, Topic: topic})
	}
	id := backstage.HexID("ticket", s.world.count("ticket"))
	id = id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]
	s.tickets[id] = t
	return ok(map[string]any{"endpoint": strings.Replace(s.opts.BaseURL, "http", "ws", 1) + connectPath, "ticket": id})
}

// serveSocket upgrades a connection: each ticket once, within its time.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("ticket")
	s.mu.Lock()
	t, known := s.tickets[id]
	delete(s.tickets, id)
	if !known || !s.Now().Before(t.ends) {
		s.mu.Unlock()
		http.Error(w, "the ticket is unknown, used or expired", http.StatusUnauthorized)
		return
	}
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }} // the ticket is the credential
	conn, err := up.Upgrade(w, r, nil)                                              // under the lock, so that nobody finds a connection that is open on one side only
	if err != nil {
		s.mu.Unlock()
		s.log.DebugContext(r.Context(), "upgrading a stream connection", "err", err)
		return
	}
	c := &socket{conn: conn, id: backstage.HexID("connection", s.world.count("connection")), subs: t.subs}
	open := s.clock.Context().Err() == nil
	if open {
		s.sockets = append(s.sockets, c)
		s.changes.Tell(Change{Kind: ChangeSocket, N: len(s.sockets)})
	}
	s.mu.Unlock()
	if open {
		s.read(c)
	}
	s.gone(c)
}

// read takes answers until the connection ends.
func (s *Server) read(c *socket) {
	for {
		kind, raw, err := c.conn.ReadMessage()
		if err != nil {
			return
		}
		if kind != websocket.TextMessage {
			s.find(Finding{Rule: "stream.invalid_ack", Detail: "binary frame", Length: len(raw), Method: "stream"})
			continue
		}
		s.acknowledge(c, raw)
	}
}

// acknowledge takes one answer: {code, headers: {messageId, contentType}, message, data}, data a string of JSON.
func (s *Server) acknowledge(c *socket, raw []byte) {
	var body struct {
		Code    *int `json:"code"`
		Headers struct {
			MessageID   string `json:"messageId"`
			ContentType string `json:"contentType"`
		} `json:"headers"`
		Data *string `json:"data"`
	}
	odd := func(severity, rule, detail string, n int) {
		s.find(Finding{Severity: severity, Rule: rule, Detail: detail, Length: len(raw), Method: "stream", Delivery: n})
	}
	if err := json.Unmarshal(raw, &body); err != nil || body.Code == nil || body.Headers.MessageID == "" {
		odd(Must, "stream.invalid_ack", "code or headers.messageId", 0)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.waiting[body.Headers.MessageID]
	if at == nil || at.socket != c {
		odd(Should, "stream.unknown_ack", "", 0)
		return
	}
	delete(s.waiting, body.Headers.MessageID)
	ack := frameAck{code: *body.Code}
	if body.Data != nil {
		ack.data = *body.Data
	}
	switch {
	case body.Headers.ContentType != "application/json":
		odd(Should, "stream.ack_content_type", "", at.n)
	case body.Data == nil:
		odd(Should, "stream.ack_without_data", "", at.n)
	case ack.code == http.StatusOK && !json.Valid([]byte(ack.data)) && (at.kind == kindEvent || at.kind == kindCard):
		odd(Must, "stream.ack_data_is_no_json", "", at.n)
	}
	if at.answer != nil {
		at.answer <- ack
		return
	}
	odd(Should, "stream.late_ack", "", at.n)
	if ack.code == http.StatusOK && at.acked != nil {
		*at.acked = true
	}
}

func (s *Server) gone(c *socket) {
	c.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sockets = slices.DeleteFunc(s.sockets, func(o *socket) bool { return o == c })
	for id, at := range s.waiting {
		if at.socket == c {
			delete(s.waiting, id)
			if at.answer != nil {
				at.answer <- frameAck{}
			}
		}
	}
	s.changes.Tell(Change{Kind: ChangeSocket, N: len(s.sockets)})
}

// Sockets is the number of open stream connections.
func (s *Server) Sockets() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sockets)
}

// Subscriptions are what the open connections have subscribed, in the order in which they were opened.
func (s *Server) Subscriptions() [][]Subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out [][]Subscription
	for _, c := range s.sockets {
		out = append(out, slices.Clone(c.subs))
	}
	return out
}

// Disconnect breaks so many stream connections, the oldest first, without a farewell, as a network does; 0 is all of them.
func (s *Server) Disconnect(most int) {
	for _, c := range s.oldest(most) {
		s.gone(c)
	}
}

// Farewell asks so many stream connections to go, the oldest first, 0 is all of them: a SYSTEM disconnect frame, nothing more
// over that connection, and its end 10 s later.
func (s *Server) Farewell(most int) {
	for _, c := range s.oldest(most) {
		s.mu.Lock()
		c.leaving = true
		f := frame{SpecVersion: "1.0", Type: typeSystem, Headers: s.headers("disconnect"), Data: `{"reason":"connection is expired"}`}
		s.mu.Unlock()
		if err := c.send(f); err != nil {
			s.gone(c)
			continue
		}
		s.clock.After(farewell, func() { s.gone(c) })
	}
}

func (s *Server) oldest(most int) []*socket {
	s.mu.Lock()
	defer s.mu.Unlock()
	if most <= 0 || most > len(s.sockets) {
		most = len(s.sockets)
	}
	return slices.Clone(s.sockets[:most])
}

// Ping sends a SYSTEM ping over every connection and returns how many answered it with the same opaque in time. A connection
// that does not is broken.
func (s *Server) Ping() int {
	answered := 0
	for _, c := range s.oldest(0) {
		s.mu.Lock()
		opaque := backstage.HexID("opaque", s.world.count("opaque"))
		within := s.opts.AckTimeout
		f := frame{
			SpecVersion: "1.0", Type: typeSystem, Headers: s.headers("ping"),
			Data: string(backstage.EncodeJSON(map[string]string{"opaque": opaque})),
		}
		s.mu.Unlock()
		r := s.over(c, f, &awaited{kind: kindSystem}, within)
		var echo struct {
			Opaque string `json:"opaque"`
		}
		if err := json.Unmarshal(r.body, &echo); err != nil || !r.ok() || echo.Opaque != opaque {
			s.find(Finding{Rule: "stream.ping_not_echoed", Method: "stream", Detail: r.failure})
			s.gone(c)
			continue
		}
		answered++
	}
	return answered
}

// SendText writes any text over every connection, as DingTalk never would, and returns over how many.
func (s *Server) SendText(text string) int {
	sent := 0
	for _, c := range s.oldest(0) {
		c.mu.Lock()
		err := c.conn.WriteMessage(websocket.TextMessage, []byte(text))
		c.mu.Unlock()
		if err == nil {
			sent++
		}
	}
	return sent
}

const kindSystem = "system"

// headers are those of a frame. s.mu is held.
func (s *Server) headers(topic string) map[string]string {
	return map[string]string{
		"appId": backstage.HexID("app", 1), "contentType": "application/json", "topic": topic, "time": millis(s.Now()),
		"messageId": backstage.HexID("frame", s.world.count("frame"))[:20],
	}
}

// overSocket pushes one payload over one of the connections that have subscribed its topic, chosen at random, and waits for
// the acknowledgement.
func (s *Server) overSocket(d *Delivery) reply {
	p := d.packet
	kind, topic := typeCallback, p.name
	if p.kind == kindEvent {
		kind, topic = typeEvent, "*"
	}
	s.mu.Lock()
	f := frame{SpecVersion: "1.0", Type: kind, Headers: s.headers(topic), Data: d.Plain}
	if kind == typeEvent {
		maps.Copy(f.Headers, map[string]string{
			"eventType": p.name, "eventId": p.id, "eventCorpId": s.opts.CorpID, "eventBornTime": millis(d.At),
			"eventUnifiedAppId": backstage.HexID("app", 1),
		})
	}
	if d.Body != "" { // a repetition, byte for byte
		var again frame
		if err := json.Unmarshal([]byte(d.Body), &again); err == nil {
			f = again
		}
	}
	var able []*socket
	for _, c := range s.sockets {
		if !c.leaving && c.wants(kind, topic) {
			able = append(able, c)
		}
	}
	if len(able) == 0 {
		s.mu.Unlock()
		return reply{failure: "no_connection"}
	}
	c := able[s.rng.IntN(len(able))]
	if d.Body == "" {
		f.Headers["connectionId"] = c.id
	}
	s.mu.Unlock()
	d.Body, d.Header = string(backstage.EncodeJSON(f)), f.Headers
	return s.judgeFrame(s.over(c, f, &awaited{kind: p.kind, acked: p.acked, n: d.N}, p.within), p, d.N)
}

// judgeFrame reads what an acknowledging frame says: an event's must say whether it was consumed.
func (s *Server) judgeFrame(r reply, p packet, n int) reply {
	if !r.ok() || p.kind != kindEvent {
		return r
	}
	var said struct {
		Status string `json:"status"`
	}
	if err := json.Unmarshal(r.body, &said); err != nil || said.Status != "SUCCESS" && said.Status != "LATER" {
		s.find(Finding{Rule: "stream.event_ack_without_status", Method: "stream", Delivery: n, Length: len(r.body)})
		r.failure = "bad_answer"
	}
	if said.Status == "LATER" {
		r.failure = "later"
	}
	return r
}

// over sends one frame over one connection and waits for its answer. s.mu must not be held.
func (s *Server) over(c *socket, f frame, at *awaited, within time.Duration) reply {
	answer := make(chan frameAck, 1)
	id := f.Headers["messageId"]
	s.mu.Lock()
	at.socket, at.answer = c, answer
	s.waiting[id] = at
	s.mu.Unlock()
	if err := c.send(f); err != nil {
		s.gone(c)
	}
	t := time.NewTimer(within)
	defer t.Stop()
	select {
	case a := <-answer:
		return a.reply()
	case <-t.C:
	case <-s.clock.Context().Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at.answer = nil // what comes now comes late
	select {
	case a := <-answer: // at the very last moment
		return a.reply()
	default:
		return reply{failure: "timeout"}
	}
}

// reply is the answer to a frame; code 0 says that its connection went away.
func (a frameAck) reply() reply {
	r := reply{status: a.code, body: []byte(a.data)}
	switch a.code {
	case http.StatusOK:
	case 0:
		r.failure = "connection_failed"
	default:
		r.failure = "http_error"
	}
	return r
}
