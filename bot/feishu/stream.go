package feishu

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"huiyin/bot"
	"huiyin/internal/fault"
)

// The long connection, https://open.larkoffice.com/document/ukTMukTMukTM/uYDNxYjL2QTM24iN0EjN/event-subscription-configure-/request-url-configuration-case.md
// We keep it ourselves rather than with the SDK's ws package: docs/adr/0019-feishu.md says why.
const (
	defaultPing  = 2 * time.Minute  // unless Feishu says otherwise
	mostPing     = time.Minute      // however seldom Feishu wants to be pinged
	settleTime   = 10 * time.Second // a connection that lasted as long was a good one
	frameHands   = 48               // deliveries being answered at once, over all connections
	maxFrameIn   = 1 << 20
	firstBackoff = time.Second
	lastBackoff  = time.Minute
)

// Codes of the door to the long connection.
const (
	codeForbidden  = "403"
	codeAuthFailed = "514"
	codeTooMany    = "1000040350" // 50 connections are open already
)

// Run holds a long connection until ctx ends, and then returns nil once what came in is answered. It returns an error when Feishu
// refuses the app, which no reconnect can mend. Several processes may each hold one; every event goes to one of them.
func (f *Feishu) Run(ctx context.Context, handle bot.Receive) error {
	hands := make(chan struct{}, frameHands)
	for failures := 0; ctx.Err() == nil; {
		conn, service, config, err := f.dial(ctx)
		if errors.Is(err, errFatal) {
			return err
		}
		if err != nil {
			f.pause(ctx, failures, err)
			failures++
			continue
		}
		f.cfg.Log.InfoContext(ctx, "feishu's long connection is open")
		settled := time.NewTimer(settleTime)
		l := &line{f: f, conn: conn, handle: handle, hands: hands}
		l.service.Store(service)
		l.serve(ctx, config)
		if !settled.Stop() {
			failures = 0
		}
		f.pause(ctx, failures, nil)
		failures++
	}
	return nil
}

// pause waits before the next attempt, or until ctx ends. Without an error there was a connection, and it ended.
func (f *Feishu) pause(ctx context.Context, failures int, err error) {
	if ctx.Err() != nil {
		return
	}
	lasts := backoff(failures, err)
	if err != nil {
		f.cfg.Log.WarnContext(ctx, "feishu's long connection cannot be opened", "error", err, "again_in", lasts)
	} else {
		f.cfg.Log.InfoContext(ctx, "feishu's long connection ended", "again_in", lasts)
	}
	_ = wait(ctx, lasts)
}

// backoff is how long to wait before the next attempt: longer each time, never in step with other processes, as long as Feishu asks.
func backoff(failures int, err error) time.Duration {
	pause := min(firstBackoff<<min(failures, 10), lastBackoff)
	pause = pause/2 + rand.N(pause/2+1)
	if fl, ok := fault.Of(err); ok {
		pause = max(pause, fl.RetryAfter)
	}
	return pause
}

// clientConfig is what Feishu wants of a connection; it comes with the address and with every pong.
type clientConfig struct {
	PingInterval int `json:"PingInterval"` // seconds
}

func (c clientConfig) ping() time.Duration {
	every := time.Duration(c.PingInterval) * time.Second
	if every <= 0 {
		every = defaultPing
	}
	return min(every, mostPing)
}

// dial asks for an address, which is good for one connection, and connects to it.
func (f *Feishu) dial(ctx context.Context) (*websocket.Conn, int32, clientConfig, error) {
	address, config, err := f.endpoint(ctx)
	if err != nil {
		return nil, 0, config, err
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "wss" && (u.Scheme != "ws" || f.base.Scheme != "http") {
		return nil, 0, config, f.away("feishu.away", "long connection", errNotJSON, 0)
	}
	dialer := websocket.Dialer{Proxy: http.ProxyFromEnvironment, HandshakeTimeout: callTimeout}
	conn, resp, err := dialer.DialContext(ctx, address, nil)
	if resp != nil && resp.Body != nil {
		_ = resp.Body.Close()
	}
	if err != nil {
		return nil, 0, config, f.handshakeFailed(ctx, resp, err)
	}
	conn.SetReadLimit(maxFrameIn)
	id, _ := strconv.ParseInt(u.Query().Get("service_id"), 10, 32) // a ping without it is a ping all the same
	return conn, int32(id), config, nil
}

// endpoint asks for the address of a long connection. It is no part of the API proper: no token, and errors of its own.
func (f *Feishu) endpoint(ctx context.Context) (string, clientConfig, error) {
	const path = "/callback/ws/endpoint"
	body, err := json.Marshal(map[string]string{"AppID": f.cfg.AppID, "AppSecret": f.cfg.AppSecret})
	if err != nil {
		return "", clientConfig{}, err
	}
	var answer struct {
		URL    string       `json:"URL"`
		Config clientConfig `json:"ClientConfig"`
	}
	err = f.call(ctx, request{method: http.MethodPost, path: path, body: rawJSON(body), open: true}, &answer)
	if fl, ok := fault.Of(err); ok {
		switch fl.Args["Code"] {
		case codeForbidden, codeAuthFailed:
			return "", clientConfig{}, fault.New(fault.Unavailable, "feishu.auth", "Code", fl.Args["Code"], "Needed", "").Because(errFatal)
		case codeTooMany:
			return "", clientConfig{}, f.crowded(ctx, err)
		}
	}
	if err != nil {
		return "", clientConfig{}, err
	}
	return answer.URL, answer.Config, nil
}

// handshakeFailed reads why a connection was not made. The address carries a ticket and stays out of it.
func (f *Feishu) handshakeFailed(ctx context.Context, resp *http.Response, err error) error {
	if resp == nil {
		return f.away("feishu.away", "long connection", withoutAddress(err), 0)
	}
	status, reason := resp.Header.Get("Handshake-Status"), resp.Header.Get("Handshake-Autherrcode")
	cause := fmt.Errorf("HTTP %d, status %q, code %q", resp.StatusCode, cut(oneLine(status), 20), cut(oneLine(reason), 20))
	if reason == codeTooMany {
		return f.crowded(ctx, cause)
	}
	return f.away("feishu.away", "long connection", cause, 0)
}

// crowded is that as many connections are open as Feishu allows.
func (f *Feishu) crowded(ctx context.Context, cause error) error {
	f.cfg.Log.ErrorContext(ctx, "too many long connections are open for this app; is another installation using its credentials?")
	return f.away("feishu.busy", "long connection", cause, lastBackoff)
}

// withoutAddress is an error that does not name an address with a ticket in it.
func withoutAddress(err error) error {
	var inAddress *url.Error
	if errors.As(err, &inAddress) {
		return inAddress.Err
	}
	return err
}

// line is one connection.
type line struct {
	f      *Feishu
	conn   *websocket.Conn
	handle bot.Receive
	hands  chan struct{}

	service atomic.Int32
	every   atomic.Int64 // how often to ping, which every pong may change
	writing sync.Mutex
	alive   *time.Timer
}

// serve reads the connection to its end and answers what comes. On its way out it waits for answers under way.
func (l *line) serve(ctx context.Context, config clientConfig) {
	f := l.f
	stopped, stop := context.WithCancel(ctx)
	var helpers, answering sync.WaitGroup
	l.every.Store(int64(config.ping()))
	l.alive = time.AfterFunc(l.silence(), func() {
		f.cfg.Log.WarnContext(ctx, "feishu has gone silent; connecting anew")
		_ = l.conn.Close()
	})
	frames := make(chan frame)
	helpers.Go(func() { l.ping(stopped) })
	helpers.Go(func() { l.read(stopped, frames) })
	var partial pieces
	for reading := true; reading; {
		select {
		case in, ok := <-frames:
			switch {
			case !ok:
				reading = false
			case in.method == control:
				l.config(in)
			case in.method == data:
				l.service.Store(in.service)
				if payload, whole := partial.add(in); whole {
					in.payload = payload
					l.take(ctx, &answering, in)
				}
			}
		case <-ctx.Done():
			reading = false
		}
	}
	answering.Wait() // at most as long as a handler may take
	stop()
	l.alive.Reset(time.Second) // a farewell that nobody reads must not hold us up
	l.write(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""))
	_ = l.conn.Close()
	helpers.Wait()
	l.alive.Stop() // only now: the reader starts it anew with every frame
}

// silence is how long a connection may say nothing: two pings without a pong are enough.
func (l *line) silence() time.Duration {
	every := time.Duration(l.every.Load())
	return 2*every + every/2
}

// config takes what a pong says about pinging.
func (l *line) config(in frame) {
	var c clientConfig
	if in.get("type") == "pong" && len(in.payload) > 0 && json.Unmarshal(in.payload, &c) == nil {
		l.every.Store(int64(c.ping()))
	}
}

// read hands on frames until the connection ends or nobody takes them any more.
func (l *line) read(ctx context.Context, frames chan<- frame) {
	defer close(frames)
	for {
		_, raw, err := l.conn.ReadMessage()
		if err != nil {
			if ctx.Err() == nil {
				l.f.cfg.Log.InfoContext(ctx, "feishu's long connection broke", "error", withoutAddress(err))
			}
			return
		}
		l.alive.Reset(l.silence())
		in, err := decodeFrame(raw)
		if err != nil {
			l.f.cfg.Log.WarnContext(ctx, "a frame of feishu's cannot be read")
			continue
		}
		select {
		case frames <- in:
		case <-ctx.Done():
			return
		}
	}
}

// ping keeps the connection from looking idle, and asks for a sign of life.
func (l *line) ping(ctx context.Context) {
	for wait(ctx, time.Duration(l.every.Load())) == nil {
		l.write(websocket.BinaryMessage, frame{service: l.service.Load(), method: control, headers: []frameHeader{{"type", "ping"}}}.encode())
	}
}

// write sends a frame. It has no deadline of its own: when the other side takes nothing, it sends nothing either, and the watch over
// its silence closes the connection.
func (l *line) write(kind int, raw []byte) {
	l.writing.Lock()
	defer l.writing.Unlock()
	var err error
	if kind == websocket.BinaryMessage {
		err = l.conn.WriteMessage(kind, raw)
	} else {
		err = l.conn.WriteControl(kind, raw, time.Time{})
	}
	if err != nil {
		_ = l.conn.Close() // the reader notices
	}
}

// take answers one delivery beside the others; with all hands full it waits, and so do frames.
func (l *line) take(ctx context.Context, answering *sync.WaitGroup, in frame) {
	select {
	case l.hands <- struct{}{}:
	case <-ctx.Done():
		return
	}
	answering.Go(func() {
		defer func() { <-l.hands }()
		l.answer(context.WithoutCancel(ctx), in) // what has come in is answered also when we are about to stop
	})
}

func (l *line) answer(ctx context.Context, in frame) {
	f := l.f
	defer func() {
		if v := recover(); v != nil {
			_ = f.panic(ctx, v)
			l.acknowledge(ctx, in, http.StatusInternalServerError, nil)
		}
	}()
	d, err := f.decodeFrame(ctx, in)
	if fault.Is(err, fault.Unavailable) {
		f.cfg.Log.WarnContext(ctx, "who the bot is cannot be asked", "error", err)
		l.acknowledge(ctx, in, http.StatusServiceUnavailable, nil)
		return
	}
	if err != nil {
		if !errors.Is(err, errNothing) {
			f.cfg.Log.WarnContext(ctx, "a frame of feishu's cannot be read", "type", in.get("type"), "error", err)
		}
		l.acknowledge(ctx, in, http.StatusOK, nil) // that it comes again would not help
		return
	}
	a := f.handle(ctx, l.handle, d)
	if d.source.answered() && a.status != http.StatusOK { // here the line over the card is enough
		a.status = http.StatusOK
		a.after = slices.DeleteFunc(a.after, func(s follow) bool { return s.name == sorry })
	}
	l.acknowledge(ctx, in, a.status, a.body)
	f.follow(ctx, d, a)
}

// decodeFrame reads what a frame brings. Who sent it is known from the connection; a frame of another app would still be none of ours.
func (f *Feishu) decodeFrame(ctx context.Context, in frame) (delivery, error) {
	if in.get("type") != "event" && in.get("type") != "card" {
		return delivery{}, errNothing
	}
	e, err := open(in.payload)
	if err != nil {
		return delivery{}, err
	}
	if e.Header.AppID != "" && e.Header.AppID != f.cfg.AppID {
		return delivery{}, fmt.Errorf("%w: for another app", errNothing)
	}
	me, err := f.self(ctx, e)
	if err != nil {
		return delivery{}, err
	}
	return decode(e, me, f.cfg.Now())
}

// acknowledgement is what we say about a payload. Data is the answer to a press.
type acknowledgement struct {
	Code    int               `json:"code"`
	Headers map[string]string `json:"headers"`
	Data    []byte            `json:"data"`
}

// acknowledge answers a frame with a frame of the same headers.
func (l *line) acknowledge(ctx context.Context, in frame, status int, body any) {
	ack := acknowledgement{Code: status}
	if body != nil {
		var err error
		if ack.Data, err = (bare{}).Serialize(body); err != nil {
			l.f.cfg.Log.ErrorContext(ctx, "writing an answer to feishu", "error", err)
			ack.Code = http.StatusInternalServerError
		}
	}
	raw, err := bare{}.Serialize(ack)
	if err != nil {
		return // numbers and bytes always write
	}
	in.payload = raw
	l.write(websocket.BinaryMessage, in.encode())
}
