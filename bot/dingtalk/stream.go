package dingtalk

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"huiyin/bot"
	"huiyin/internal/fault"
)

// The Stream protocol, github.com/open-dingtalk/developerpedia docs/learn/stream/protocol.md. We keep the connection ourselves rather than
// with DingTalk's Go SDK, whose released version (v0.9.1) brings the whole process down when a connection ends; docs/adr/0020-dingtalk.md
// has the evidence.
const (
	pingEvery    = 20 * time.Second // a ping of ours, whose pong shows that the other side lives
	silence      = 90 * time.Second // without any frame the connection counts as dead, however open it looks
	settleTime   = 10 * time.Second // a connection that lasted as long was a good one
	drainTime    = 10 * time.Second // DingTalk closes a connection so long after announcing it
	frameHands   = 48               // deliveries being answered at once, over all connections
	maxFrameIn   = 1 << 20
	firstBackoff = time.Second
	lastBackoff  = time.Minute
)

// The topics that we subscribe to, all on the same connection: clicks on cards of a topic that is missing are lost without a word.
const (
	topicMessages = "/v1.0/im/bot/messages/get"
	topicCards    = "/v1.0/card/instances/callback"
)

// Run holds a Stream connection until ctx ends, and then returns nil once what came in is answered. It returns an error when DingTalk
// refuses the app's credentials, which no reconnect can mend. When DingTalk announces that it will close the connection, the next one is
// open before it does. Each process of the same app gets a share of what comes in, at random.
func (s *DingTalk) Run(ctx context.Context, handle bot.Receive) error {
	if s.cfg.Mode != ModeStream {
		return fault.New(fault.Invalid, "dingtalk.config.mode").In("HUIYIN_DINGTALK_MODE")
	}
	var open sync.WaitGroup
	defer open.Wait()
	hands := make(chan struct{}, frameHands)
	for failures := 0; ctx.Err() == nil; {
		conn, err := s.dial(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			if f, ok := fault.Of(err); ok && f.Key == "dingtalk.auth" {
				return err
			}
			pause := backoff(failures, err)
			failures++
			s.cfg.Log.WarnContext(ctx, "dingtalk's stream cannot be reached", "error", err, "again_in", pause)
			_ = wait(ctx, pause)
			continue
		}
		s.cfg.Log.InfoContext(ctx, "dingtalk's stream is connected")
		l := &line{s: s, conn: conn, handle: handle, hands: hands, leave: make(chan struct{})}
		open.Go(func() { l.serve(ctx) })
		settled := time.NewTimer(settleTime)
		select {
		case <-l.leave:
		case <-ctx.Done():
			settled.Stop()
			return nil
		}
		if l.asked || !settled.Stop() {
			failures = 0
			continue
		}
		_ = wait(ctx, backoff(failures, nil)) // it did not last: the next one may not either
		failures++
	}
	return nil
}

// backoff is how long to wait before the next attempt: longer each time, never in step with other processes, as long as DingTalk asks.
func backoff(failures int, err error) time.Duration {
	pause := min(firstBackoff<<min(failures, 10), lastBackoff)
	pause = pause/2 + rand.N(pause/2+1)
	if f, ok := fault.Of(err); ok {
		pause = max(pause, f.RetryAfter)
	}
	return pause
}

// dial asks for an address and a ticket, which is good for one connection within 90 seconds, and connects.
func (s *DingTalk) dial(ctx context.Context) (*websocket.Conn, error) {
	r := request{name: "connections/open", method: http.MethodPost, path: "/v1.0/gateway/connections/open"}
	body, err := encode(map[string]any{
		"clientId": s.cfg.ClientID, "clientSecret": s.cfg.ClientSecret, "ua": "huiyin",
		"subscriptions": []map[string]string{
			{"type": "CALLBACK", "topic": topicMessages}, {"type": "CALLBACK", "topic": topicCards}, {"type": "EVENT", "topic": "*"},
		},
	})
	if err != nil {
		return nil, err
	}
	var reach reach
	raw, err := s.rest.try(reach.trace(ctx), r, "", body)
	if err != nil {
		return nil, s.rest.translate(ctx, r, err, &reach)
	}
	var door struct {
		Endpoint string `json:"endpoint"`
		Ticket   string `json:"ticket"`
	}
	if err := json.Unmarshal(raw, &door); err != nil {
		return nil, away("dingtalk.away", r.name, errMalformed, 0)
	}
	address, err := url.Parse(door.Endpoint)
	if err != nil || door.Ticket == "" || address.Scheme != "wss" && (address.Scheme != "ws" || s.rest.api.Scheme != "http") {
		return nil, away("dingtalk.away", r.name, errMalformed, 0)
	}
	query := address.Query()
	query.Set("ticket", door.Ticket)
	address.RawQuery = query.Encode()
	dialer := websocket.Dialer{Proxy: http.ProxyFromEnvironment, HandshakeTimeout: callTimeout}
	conn, resp, err := dialer.DialContext(ctx, address.String(), nil)
	if resp != nil && resp.Body != nil {
		_ = resp.Body.Close()
	}
	if err != nil {
		return nil, away("dingtalk.away", "stream", withoutAddress(err), 0) // the address carries a ticket
	}
	conn.SetReadLimit(maxFrameIn)
	return conn, nil
}

// line is one connection.
type line struct {
	s      *DingTalk
	conn   *websocket.Conn
	handle bot.Receive
	hands  chan struct{}

	leave chan struct{} // closed when the next connection should be opened
	once  sync.Once
	asked bool // DingTalk asked us to leave; read only after leave is closed

	writing sync.Mutex
	alive   *time.Timer
}

// frame is one of DingTalk's.
type frame struct {
	Type    string            `json:"type"` // SYSTEM, CALLBACK or EVENT
	Headers map[string]string `json:"headers"`
	Data    string            `json:"data"` // JSON
}

// acknowledgement is a frame of ours.
type acknowledgement struct {
	Code    int               `json:"code"`
	Headers map[string]string `json:"headers"`
	Message string            `json:"message"`
	Data    string            `json:"data"`
}

// serve reads the connection to its end and answers what comes. On its way out it waits for answers under way.
func (l *line) serve(ctx context.Context) {
	s := l.s
	stopped, stop := context.WithCancel(ctx)
	var helpers, answering sync.WaitGroup
	l.alive = time.AfterFunc(silence, func() {
		s.cfg.Log.WarnContext(ctx, "dingtalk has gone silent; connecting anew")
		_ = l.conn.Close()
	})
	l.conn.SetPingHandler(func(data string) error {
		l.alive.Reset(silence)
		l.write(websocket.PongMessage, []byte(data))
		return nil
	})
	l.conn.SetPongHandler(func(string) error {
		l.alive.Reset(silence)
		return nil
	})
	helpers.Go(func() { l.ping(stopped) })
	frames := make(chan frame)
	helpers.Go(func() { l.read(stopped, frames) })
	var closing <-chan time.Time
	for reading := true; reading; {
		select {
		case f, ok := <-frames:
			switch {
			case !ok:
				reading = false
			case f.Type == "SYSTEM" && strings.EqualFold(f.Headers["topic"], "disconnect"):
				s.cfg.Log.InfoContext(ctx, "dingtalk will close the connection")
				l.away(true)
				closing = time.After(drainTime)
			case f.Type == "SYSTEM":
				l.acknowledge(ctx, f, f.Data) // a ping wants its words back
			default:
				l.take(ctx, &answering, f)
			}
		case <-closing:
			reading = false
		case <-ctx.Done():
			reading = false
		}
	}
	l.away(false)
	answering.Wait() // at most as long as a handler may take
	stop()
	l.alive.Reset(time.Second) // a farewell that nobody reads must not hold us up
	l.write(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""))
	_ = l.conn.Close()
	helpers.Wait()
	l.alive.Stop() // only now: the reader starts it anew with every frame
}

// away lets the next connection be opened.
func (l *line) away(asked bool) {
	l.once.Do(func() {
		l.asked = asked
		close(l.leave)
	})
}

// read hands on frames until the connection ends or nobody takes them any more.
func (l *line) read(ctx context.Context, frames chan<- frame) {
	defer close(frames)
	for {
		_, raw, err := l.conn.ReadMessage()
		if err != nil {
			if ctx.Err() == nil {
				l.s.cfg.Log.InfoContext(ctx, "dingtalk's stream connection ended", "error", withoutAddress(err))
			}
			return
		}
		l.alive.Reset(silence)
		f, err := decodeFrame(raw)
		if err != nil {
			l.s.cfg.Log.WarnContext(ctx, "a frame of dingtalk's cannot be read")
			continue
		}
		select {
		case frames <- f:
		case <-ctx.Done():
			return
		}
	}
}

// decodeFrame reads a frame. Headers are text, but nothing promises that a number never stands among them.
func decodeFrame(raw []byte) (frame, error) {
	var f struct {
		Type    string         `json:"type"`
		Headers map[string]any `json:"headers"`
		Data    any            `json:"data"`
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		return frame{}, malformed("a frame that is no JSON")
	}
	out := frame{Type: f.Type, Headers: map[string]string{}}
	for name, v := range f.Headers {
		if text, ok := v.(string); ok {
			out.Headers[name] = text
		}
	}
	if text, ok := f.Data.(string); ok {
		out.Data = text
	} else if f.Data != nil {
		again, err := encode(f.Data)
		if err != nil {
			return frame{}, malformed("a frame whose data cannot be read")
		}
		out.Data = string(again)
	}
	return out, nil
}

// ping keeps the connection from looking idle to what stands between, and asks for a sign of life.
func (l *line) ping(ctx context.Context) {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.write(websocket.PingMessage, nil)
		}
	}
}

// write sends a frame. It has no deadline of its own: when the other side takes nothing, it sends nothing either, and the watch over
// its silence closes the connection.
func (l *line) write(kind int, data []byte) {
	l.writing.Lock()
	defer l.writing.Unlock()
	var err error
	if kind == websocket.TextMessage {
		err = l.conn.WriteMessage(kind, data)
	} else {
		err = l.conn.WriteControl(kind, data, time.Time{})
	}
	if err != nil {
		_ = l.conn.Close() // the reader notices
	}
}

// take answers one delivery beside the others; with all hands full it waits, and so do frames.
func (l *line) take(ctx context.Context, answering *sync.WaitGroup, f frame) {
	select {
	case l.hands <- struct{}{}:
	case <-ctx.Done():
		return
	}
	answering.Go(func() {
		defer func() { <-l.hands }()
		defer func() {
			if v := recover(); v != nil {
				_ = l.s.panic(ctx, v)
			}
		}()
		l.answer(context.WithoutCancel(ctx), f) // what has come in is answered also when we are about to stop
	})
}

// answer answers one delivery. What could not be served stays without acknowledgement, or is wanted later, and DingTalk delivers it again;
// a press on a card always gets its answer, for it is not delivered again.
func (l *line) answer(ctx context.Context, f frame) {
	s := l.s
	d, err := s.decodeDelivery(f)
	if err != nil {
		if !errors.Is(err, errNothing) {
			s.cfg.Log.WarnContext(ctx, "a frame of dingtalk's cannot be read", "type", f.Type, "topic", cut(tidy(f.Headers["topic"]), 100), "error", err)
		}
		l.acknowledge(ctx, f, nothingMore(f))
		return
	}
	s.vouch(d.corp)
	a := s.handle(ctx, l.handle, d)
	switch {
	case f.Headers["topic"] == topicCards:
		raw, err := encode(map[string]any{"response": a.body()})
		if err != nil {
			s.cfg.Log.ErrorContext(ctx, "writing an answer to dingtalk", "error", err)
			raw = []byte(`{"response":{}}`)
		}
		l.acknowledge(ctx, f, string(raw))
	case a.status == http.StatusOK:
		l.acknowledge(ctx, f, nothingMore(f))
	case f.Type == "EVENT":
		l.acknowledge(ctx, f, `{"status":"LATER","message":"later"}`)
	}
	s.follow(ctx, d, a)
}

// nothingMore is the data of an acknowledgement that says that all is well.
func nothingMore(f frame) string {
	switch {
	case f.Type == "EVENT":
		return `{"status":"SUCCESS","message":"success"}`
	case f.Headers["topic"] == topicCards:
		return `{"response":{}}`
	}
	return `{"response":null}`
}

func (s *DingTalk) decodeDelivery(f frame) (delivery, error) {
	now := s.cfg.Now()
	switch {
	case f.Type == "EVENT":
		h := f.Headers
		return decodeEvent(eventHead{id: h["eventId"], kind: h["eventType"], corp: h["eventCorpId"]}, []byte(f.Data), now)
	case f.Type == "CALLBACK" && f.Headers["topic"] == topicMessages:
		return decodeMessage([]byte(f.Data), now)
	case f.Type == "CALLBACK" && f.Headers["topic"] == topicCards:
		return decodeCard([]byte(f.Data), now)
	}
	return delivery{}, errNothing
}

func (l *line) acknowledge(ctx context.Context, f frame, data string) {
	raw, err := encode(acknowledgement{
		Code: http.StatusOK, Headers: map[string]string{"contentType": "application/json", "messageId": f.Headers["messageId"]}, Message: "OK", Data: data,
	})
	if err != nil {
		l.s.cfg.Log.ErrorContext(ctx, "writing an acknowledgement", "error", err)
		return
	}
	l.write(websocket.TextMessage, raw)
}
