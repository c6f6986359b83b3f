package feishusim

import (
	"bytes"
	"context"
	"crypto/aes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// The request URLs that an app is given, below BotURL.
const (
	EventsPath = "/feishu/events"
	CardsPath  = "/feishu/cards"
)

// packet is one thing for the bot, ready for either way of delivery.
type packet struct {
	kind     string // event, card, challenge
	event    string // type
	id       string // event_id
	path     string
	plain    []byte
	unsigned bool
	within   time.Duration
	attempt  int
	original int       // the delivery that this one repeats
	first    *Delivery // of the same event, for SameTimestamp
}

// reply is what the bot answered.
type reply struct {
	n       int
	status  int
	body    []byte
	failure string // empty: HTTP 200 in time
	millis  int64
}

func (r reply) ok() bool { return r.failure == "" }

// Ack is how the bot answered one push, and what a person sees of it.
type Ack struct {
	Delivery int    `json:"delivery"` // Delivery.N; 0 when nothing had to be pushed
	Status   int    `json:"status"`   // HTTP, or the code of the acknowledging frame
	Answer   string `json:"answer,omitempty"`
	Millis   int64  `json:"millis"`
	// Failure says why an event was not acknowledged: timeout, connection_failed, http_error, no_connection, no_address.
	Failure string `json:"failure,omitempty"`
	// Error is what a person is shown who pressed something: 200340, 200671, 200672, 200673. Empty when all went well.
	Error string `json:"error,omitempty"`
	Toast *Toast `json:"toast,omitempty"`
	// Card says that the answer replaced the card.
	Card bool `json:"card,omitempty"`
	// Token is the press's token for card.update.
	Token string `json:"token,omitempty"`
	// URL is where a pressed link leads.
	URL string `json:"url,omitempty"`
}

func ackOf(r reply) Ack {
	return Ack{Delivery: r.n, Status: r.status, Answer: string(r.body), Millis: r.millis, Failure: r.failure}
}

// deliver sends one packet and waits for the answer. s.mu must not be held.
func (s *Server) deliver(p packet) (reply, *Delivery) {
	s.mu.Lock()
	d := &Delivery{
		N: s.world.count("delivery"), At: s.now(), Kind: p.kind, Type: p.event, EventID: p.id, Via: s.opts.Mode, Plain: string(p.plain),
		Attempt: p.attempt, Redelivery: p.original, packet: p,
	}
	switch {
	case p.kind == "challenge":
		d.Via = Webhook
		s.seal(d)
	case d.Via == Stream:
		d.Body = d.Plain
	case p.first != nil && s.opts.SameTimestamp:
		d.URL, d.Header, d.Body = p.first.URL, p.first.Header, p.first.Body
	default:
		s.seal(d)
	}
	s.mu.Unlock()
	return s.exchange(d), d
}

// seal makes address, header and body of an HTTP push: encrypted and signed when the app has an encrypt key. s.mu is held.
func (s *Server) seal(d *Delivery) {
	if s.opts.BotURL != "" {
		d.URL = s.opts.BotURL + d.packet.path
	}
	d.Body = d.Plain
	d.Header = map[string]string{
		"Content-Type": "application/json; charset=utf-8", "X-Request-Id": logID(d.N), "User-Agent": "Go-http-client/1.1",
	}
	if s.opts.EncryptKey == "" {
		return
	}
	var iv [aes.BlockSize]byte
	binary.LittleEndian.PutUint64(iv[:8], s.rng.Uint64())
	binary.LittleEndian.PutUint64(iv[8:], s.rng.Uint64())
	d.Body = string(encodeJSON(map[string]string{"encrypt": Encrypt(s.opts.EncryptKey, iv, []byte(d.Plain))}))
	if d.packet.unsigned {
		return
	}
	timestamp, nonce := strconv.FormatInt(d.At.Unix(), 10), strconv.FormatUint(s.rng.Uint64N(1e9), 10)
	d.Header["X-Lark-Request-Timestamp"] = timestamp
	d.Header["X-Lark-Request-Nonce"] = nonce
	d.Header["X-Lark-Signature"] = Sign(timestamp, nonce, s.opts.EncryptKey, []byte(d.Body))
}

// exchange does one delivery as it is written down, and records it.
func (s *Server) exchange(d *Delivery) reply {
	var r reply
	if d.Via == Stream {
		r = s.overSocket(d.packet)
	} else {
		r = s.overHTTP(d)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r.n = d.N
	r.millis = s.now().Sub(d.At).Milliseconds()
	d.Status, d.Answer, d.Failure, d.Millis = r.status, string(r.body), r.failure, r.millis
	s.world.deliveries = append(s.world.deliveries, d)
	if over := len(s.world.deliveries) - s.opts.Keep; over > 0 {
		s.world.deliveries = slices.Delete(s.world.deliveries, 0, over)
	}
	if r.ok() && r.millis > 2500 {
		s.find(Finding{Severity: Should, Rule: "ack.slow", Detail: strconv.FormatInt(r.millis, 10) + " ms", Delivery: d.N})
	}
	s.change(Change{Kind: ChangeDelivery, N: d.N})
	return r
}

// botClient follows no redirects. Without a client of the caller's it keeps connections open.
func botClient(c *http.Client) *http.Client {
	own := http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 30 * time.Second}}
	if c != nil {
		own = *c
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

func (s *Server) overHTTP(d *Delivery) reply {
	if d.URL == "" {
		return reply{failure: "no_address"}
	}
	ctx, cancel := context.WithTimeout(s.clock.Context(), d.packet.within)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL, bytes.NewReader([]byte(d.Body)))
	if err != nil {
		return reply{failure: "connection_failed"}
	}
	for k, v := range d.Header {
		req.Header.Set(k, v)
	}
	res, err := s.client.Do(req)
	if err != nil {
		return reply{failure: failureOf(ctx)}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	r := reply{status: res.StatusCode, body: body}
	switch {
	case err != nil:
		r.failure = failureOf(ctx)
	case res.StatusCode != http.StatusOK:
		r.failure = "http_error"
	}
	return r
}

func failureOf(ctx context.Context) string {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return "timeout"
	}
	return "connection_failed"
}

// Redeliver sends a past delivery again byte for byte: same body, same timestamp, same signature. What a card callback is
// answered the second time changes nothing.
func (s *Server) Redeliver(n int) (Ack, error) {
	s.mu.Lock()
	i := slices.IndexFunc(s.world.deliveries, func(d *Delivery) bool { return d.N == n })
	if i < 0 {
		s.mu.Unlock()
		return Ack{}, fmt.Errorf("delivery %d is not recorded", n)
	}
	past := s.world.deliveries[i]
	again := &Delivery{
		N: s.world.count("delivery"), At: s.now(), Kind: past.Kind, Type: past.Type, EventID: past.EventID, Via: past.Via, URL: past.URL,
		Header: past.Header, Body: past.Body, Plain: past.Plain, Attempt: past.Attempt, Redelivery: past.N, packet: past.packet,
	}
	s.mu.Unlock()
	return ackOf(s.exchange(again)), nil
}

// envelope is an event of schema 2.0. s.mu is held.
func (s *Server) envelope(kind string, event any) (id string, plain []byte) {
	id = hexID("event", s.world.count("event"))
	return id, encodeJSON(map[string]any{
		"schema": "2.0",
		"header": map[string]any{
			"event_id": id, "event_type": kind, "create_time": millis(s.now()), "token": s.opts.VerificationToken, "app_id": s.opts.AppID,
			"tenant_key": s.opts.TenantKey,
		},
		"event": event,
	})
}

// again is an event under another event_id and with everything else as it was.
func (s *Server) again(plain []byte) (id string, changed []byte) {
	var e struct {
		Header struct {
			Type string `json:"event_type"`
		} `json:"header"`
		Event json.RawMessage `json:"event"`
	}
	if err := json.Unmarshal(plain, &e); err != nil {
		return "", plain
	}
	return s.envelope(e.Header.Type, e.Event)
}
