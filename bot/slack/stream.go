package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"huiyin/bot"
	"huiyin/internal/fault"
)

// Socket Mode, https://docs.slack.dev/apis/events-api/using-socket-mode. We keep the connection ourselves rather than with slack-go's
// socketmode (v0.35.0): there an acknowledgement may go out over another connection than the one that wants it, events of a kind that
// it does not know are never acknowledged, nothing is sent that would show a half-dead connection, and stopping breaks off what is
// being answered.
const (
	pingEvery    = 15 * time.Second // a ping of ours, whose pong shows that the other side lives
	silence      = 45 * time.Second // without any frame the connection counts as dead, however open it looks
	settleTime   = 10 * time.Second // a connection that lasted as long was a good one
	drainTime    = 5 * time.Second  // for acknowledgements under way when a connection is given up
	frameHands   = 48               // deliveries being answered at once, over all connections
	maxFrameIn   = 1 << 20
	firstBackoff = time.Second
	lastBackoff  = time.Minute
)

// Run holds a Socket Mode connection until ctx ends, and then returns nil once what came in is answered. It returns an error when
// Slack refuses the app token, which no reconnect can mend. When Slack announces that it will close the connection, the next one is
// open before it does.
func (s *Slack) Run(ctx context.Context, handle bot.Receive) error {
	if s.cfg.AppToken == "" {
		return fault.New(fault.Invalid, "slack.config.app_token").In("HUIYIN_SLACK_APP_TOKEN")
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
			if f, ok := fault.Of(err); ok && f.Key == "slack.auth" {
				return err
			}
			pause := backoff(failures, err)
			failures++
			s.cfg.Log.WarnContext(ctx, "slack's socket mode cannot be reached", "error", err, "again_in", pause)
			_ = wait(ctx, pause)
			continue
		}
		l := &line{s: s, conn: conn, handle: handle, hands: hands, leave: make(chan struct{})}
		open.Go(func() { l.serve(ctx) })
		settled := time.NewTimer(settleTime)
		select {
		case <-l.leave:
		case <-ctx.Done():
			settled.Stop()
			return nil
		}
		if !settled.Stop() && l.greeted.Load() {
			failures = 0
			continue
		}
		_ = wait(ctx, backoff(failures, nil)) // it did not last: the next one may not either
		failures++
	}
	return nil
}

// backoff is how long to wait before the next attempt: longer each time, never in step with other processes, as long as Slack asks.
func backoff(failures int, err error) time.Duration {
	pause := min(firstBackoff<<min(failures, 10), lastBackoff)
	pause = pause/2 + rand.N(pause/2+1)
	if f, ok := fault.Of(err); ok {
		pause = max(pause, f.RetryAfter)
	}
	return pause
}

// dial asks for an address, which is good for one connection, and connects to it.
// https://docs.slack.dev/reference/methods/apps.connections.open
func (s *Slack) dial(ctx context.Context) (*websocket.Conn, error) {
	var r reach
	_, address, err := s.api.StartSocketModeContext(r.trace(ctx))
	if err := s.translate(ctx, "apps.connections.open", err, &r, false); err != nil {
		return nil, err
	}
	dialer := websocket.Dialer{
		Proxy: http.ProxyFromEnvironment, HandshakeTimeout: callTimeout,
		WriteBufferSize: 32 << 10, // an acknowledgement in one piece: Slack does not put several together (slack-go's socketmode.go)
	}
	conn, resp, err := dialer.DialContext(ctx, address, nil)
	if resp != nil && resp.Body != nil {
		_ = resp.Body.Close()
	}
	if err != nil {
		return nil, s.away("slack.away", "socket mode", withoutAddress(err), 0) // the address carries a ticket
	}
	conn.SetReadLimit(maxFrameIn)
	return conn, nil
}

// line is one connection.
type line struct {
	s      *Slack
	conn   *websocket.Conn
	handle bot.Receive
	hands  chan struct{}

	leave   chan struct{} // closed when the next connection should be opened
	once    sync.Once
	greeted atomic.Bool // hello has come

	writing sync.Mutex
	alive   *time.Timer
}

// envelope is a frame of Slack's.
type envelope struct {
	Type       string          `json:"type"`
	ID         string          `json:"envelope_id"`
	Payload    json.RawMessage `json:"payload"`
	TakesReply bool            `json:"accepts_response_payload"`
	Reason     string          `json:"reason"`
	Attempt    int             `json:"retry_attempt"`
}

// acknowledgement is a frame of ours.
type acknowledgement struct {
	ID      string `json:"envelope_id"`
	Payload any    `json:"payload,omitempty"`
}

// serve reads the connection to its end and answers what comes. On its way out it waits for answers under way.
func (l *line) serve(ctx context.Context) {
	s := l.s
	stopped, stop := context.WithCancel(ctx)
	var helpers, answering sync.WaitGroup
	l.alive = time.AfterFunc(silence, func() {
		s.cfg.Log.WarnContext(ctx, "slack has gone silent; connecting anew")
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
	frames := make(chan envelope)
	helpers.Go(func() { l.read(stopped, frames) })
	var closing <-chan time.Time
	for reading := true; reading; {
		select {
		case e, ok := <-frames:
			switch {
			case !ok:
				reading = false
			case e.Type == "hello":
				l.greeted.Store(true)
				s.cfg.Log.InfoContext(ctx, "slack's socket mode is connected")
			case e.Type == "disconnect":
				s.cfg.Log.InfoContext(ctx, "slack will close the connection", "reason", e.Reason)
				l.once.Do(func() { close(l.leave) })
				closing = time.After(drainTime)
			default:
				l.take(ctx, &answering, e)
			}
		case <-closing:
			reading = false
		case <-ctx.Done():
			reading = false
		}
	}
	l.once.Do(func() { close(l.leave) })
	answering.Wait() // at most as long as a handler may take
	stop()
	l.alive.Reset(time.Second) // a farewell that nobody reads must not hold us up
	l.write(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""))
	_ = l.conn.Close()
	helpers.Wait()
	l.alive.Stop() // only now: the reader starts it anew with every frame
}

// read hands on frames until the connection ends or nobody takes them any more.
func (l *line) read(ctx context.Context, frames chan<- envelope) {
	defer close(frames)
	for {
		_, raw, err := l.conn.ReadMessage()
		if err != nil {
			if ctx.Err() == nil {
				l.s.cfg.Log.InfoContext(ctx, "slack's socket mode connection ended", "error", withoutAddress(err))
			}
			return
		}
		l.alive.Reset(silence)
		var e envelope
		if err := json.Unmarshal(raw, &e); err != nil {
			l.s.cfg.Log.WarnContext(ctx, "a frame of slack's cannot be read")
			continue
		}
		select {
		case frames <- e:
		case <-ctx.Done():
			return
		}
	}
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
func (l *line) take(ctx context.Context, answering *sync.WaitGroup, e envelope) {
	select {
	case l.hands <- struct{}{}:
	case <-ctx.Done():
		return
	}
	answering.Go(func() {
		defer func() { <-l.hands }()
		l.answer(context.WithoutCancel(ctx), e) // what has come in is answered also when we are about to stop
	})
}

func (l *line) answer(ctx context.Context, e envelope) {
	s := l.s
	d, err := s.decodeFrame(e)
	if err != nil {
		if !errors.Is(err, errNothing) {
			s.cfg.Log.WarnContext(ctx, "a frame of slack's cannot be read", "type", e.Type, "error", err)
		}
		if e.ID != "" {
			l.acknowledge(ctx, acknowledgement{ID: e.ID})
		}
		return
	}
	a := s.handle(ctx, l.handle, d, true)
	if a.status == http.StatusOK { // anything else stays without acknowledgement: Slack delivers events again, and tells people of the rest
		ack := acknowledgement{ID: e.ID}
		if e.TakesReply {
			ack.Payload = a.body
		} else if body, ok := a.body.(shown); ok {
			s.sayThere(&a, d, body)
		}
		l.acknowledge(ctx, ack)
	}
	s.follow(ctx, d, a)
}

func (s *Slack) decodeFrame(e envelope) (delivery, error) {
	now := s.cfg.Now()
	switch e.Type {
	case "slash_commands":
		return decodeCommandJSON(e.Payload, now)
	case "interactive":
		return decodeInteraction(e.Payload, now)
	case "events_api":
		return decodeEvent(e.Payload, s.known().user, now)
	}
	return delivery{}, fmt.Errorf("%w: frame", errNothing)
}

func (l *line) acknowledge(ctx context.Context, ack acknowledgement) {
	raw, err := json.Marshal(ack)
	if err != nil || len(raw) >= maxFrame {
		l.s.cfg.Log.ErrorContext(ctx, "an answer does not fit into a frame; it goes out empty", "bytes", len(raw), "error", err)
		if raw, err = json.Marshal(acknowledgement{ID: ack.ID}); err != nil {
			return
		}
	}
	l.write(websocket.TextMessage, raw)
}
