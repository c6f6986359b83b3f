package dingtalksim

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
	"net/url"
	"strconv"
	"time"

	"huiyin/bot/sim/backstage"
)

// The addresses that an app is given, below BotURL.
const (
	MessagesPath = "/dingtalk/messages"
	EventsPath   = "/dingtalk/events"
	CardsPath    = "/dingtalk/cards" // where a bot may register its card callbacks; nothing comes there otherwise
)

// The kinds of Delivery.
const (
	kindMessage   = "message"
	kindEvent     = "event"
	kindCard      = "card"
	kindChallenge = "challenge"
)

// packet is one thing for the bot, ready for either way of delivery.
type packet struct {
	kind     string
	name     string // topic or EventType
	id       string
	url      string // over HTTP
	secret   string // of the card callback's route
	plain    []byte // the payload over HTTP
	framed   []byte // the payload over a stream
	within   time.Duration
	attempt  int
	original int // the delivery that this one repeats
	acked    *bool
}

// reply is what the bot answered.
type reply struct {
	n       int
	status  int
	body    []byte
	failure string // empty: acknowledged in time
	millis  int64
}

func (r reply) ok() bool { return r.failure == "" }

// Ack is how the bot answered one push, and what a person sees of it.
type Ack struct {
	Delivery int    `json:"delivery"` // Delivery.N; 0 when nothing had to be pushed
	Status   int    `json:"status"`   // HTTP, or the code of the acknowledging frame
	Answer   string `json:"answer,omitempty"`
	Millis   int64  `json:"millis"`
	// Failure says why a push was not acknowledged: timeout, connection_failed, http_error, no_connection, no_address, later,
	// bad_answer.
	Failure string `json:"failure,omitempty"`
	// Error is what is wrong for the person who pressed something: no_callback, no_connection, no_address, timeout, error,
	// bad_answer. DingTalk shows one text for all of them. Empty when all went well.
	Error string `json:"error,omitempty"`
	// Card says that the answer changed the card.
	Card bool `json:"card,omitempty"`
	// URL is where a pressed link leads.
	URL string `json:"url,omitempty"`
}

func ackOf(r reply) Ack {
	return Ack{Delivery: r.n, Status: r.status, Answer: string(r.body), Millis: r.millis, Failure: r.failure}
}

// deliver sends one packet and waits for the answer. s.mu must not be held.
func (s *Server) deliver(p packet) reply {
	s.mu.Lock()
	d := &Delivery{
		N: s.world.count("delivery"), At: s.Now(), Kind: p.kind, Type: p.name, ID: p.id, Via: Stream, Plain: string(p.framed), Attempt: p.attempt,
		Redelivery: p.original, packet: p,
	}
	if overStream := p.url == "" && p.framed != nil && (s.opts.Mode == Stream || p.kind == kindCard); !overStream {
		d.Via, d.Plain = Webhook, string(p.plain)
		s.seal(d)
	}
	s.mu.Unlock()
	return s.exchange(d)
}

// seal makes address, header and body of an HTTP push. s.mu is held.
func (s *Server) seal(d *Delivery) {
	p := d.packet
	timestamp := millis(d.At)
	d.URL, d.Body = p.url, d.Plain
	d.Header = map[string]string{"Content-Type": "application/json; charset=utf-8", "User-Agent": "Apache-HttpClient/4.5"}
	switch p.kind {
	case kindMessage:
		d.Header["Timestamp"], d.Header["Sign"] = timestamp, SignRobot(s.opts.ClientSecret, timestamp)
	case kindCard:
		if p.secret != "" {
			d.Header["X-Ddpaas-Signature-Timestamp"], d.Header["X-Ddpaas-Signature"] = timestamp, SignCard(p.secret, timestamp)
		}
	case kindEvent, kindChallenge:
		var random [aes.BlockSize]byte
		binary.LittleEndian.PutUint64(random[:8], s.rng.Uint64())
		binary.LittleEndian.PutUint64(random[8:], s.rng.Uint64())
		encrypted, err := EncryptEvent(s.opts.EventAESKey, s.opts.ClientID, random, []byte(d.Plain))
		if err != nil || d.URL == "" {
			d.URL = "" // an app without a key has no event address
			return
		}
		nonce := backstage.HexID("nonce", d.N)[:16]
		sign, at := "signature", "timestamp"
		if s.opts.OldNames {
			sign, at = "msg_signature", "timeStamp"
		}
		query := url.Values{"nonce": {nonce}, at: {timestamp}, sign: {SignEvent(s.opts.EventToken, timestamp, nonce, encrypted)}}
		d.URL += "?" + query.Encode()
		d.Body = string(backstage.EncodeJSON(map[string]string{"encrypt": encrypted}))
	}
}

// exchange does one delivery as it is written down, and records it.
func (s *Server) exchange(d *Delivery) reply {
	var r reply
	if d.Via == Stream {
		r = s.overSocket(d)
	} else {
		r = s.overHTTP(d)
		s.judge(d, &r)
	}
	s.mu.Lock()
	r.n = d.N
	r.millis = s.Now().Sub(d.At).Milliseconds()
	d.Status, d.Answer, d.Failure, d.Millis = r.status, string(r.body), r.failure, r.millis
	s.pushes.Add(d)
	s.mu.Unlock()
	if slow := d.packet.within * 3 / 4; r.ok() && r.millis > slow.Milliseconds() {
		s.find(Finding{Severity: Should, Rule: "ack.slow", Detail: strconv.FormatInt(r.millis, 10) + " ms", Delivery: d.N})
	}
	s.changes.Tell(Change{Kind: ChangeDelivery, N: d.N})
	return r
}

// judge reads the answer to an HTTP push: an event wants the encrypted word success.
func (s *Server) judge(d *Delivery, r *reply) {
	if !r.ok() || d.Kind != kindEvent && d.Kind != kindChallenge {
		return
	}
	var answer struct {
		Signature string      `json:"msg_signature"`
		Timestamp json.Number `json:"timeStamp"`
		Nonce     string      `json:"nonce"`
		Encrypt   string      `json:"encrypt"`
	}
	decoded := json.NewDecoder(bytes.NewReader(r.body))
	err := decoded.Decode(&answer)
	s.mu.Lock()
	token, key, owner := s.opts.EventToken, s.opts.EventAESKey, s.opts.ClientID
	s.mu.Unlock()
	why := ""
	switch plain, decryption := DecryptEvent(key, owner, answer.Encrypt); {
	case err != nil:
		why = "no JSON object"
	case SignEvent(token, answer.Timestamp.String(), answer.Nonce, answer.Encrypt) != answer.Signature:
		why = "msg_signature"
	case decryption != nil:
		why = decryption.Error()
	case string(plain) != "success":
		why = "not success"
	}
	if why != "" {
		r.failure = "bad_answer"
		s.find(Finding{Rule: "event.bad_answer", Detail: why, Delivery: d.N, Length: len(r.body)})
	}
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

// Redeliver sends a past delivery again byte for byte: same body, same timestamp, same signature, or the same frame. What a
// card callback is answered the second time changes nothing.
func (s *Server) Redeliver(n int) (Ack, error) {
	past, found := s.pushes.Find(func(d *Delivery) bool { return d.N == n })
	if !found {
		return Ack{}, fmt.Errorf("delivery %d is not recorded", n)
	}
	s.mu.Lock()
	again := &Delivery{
		N: s.world.count("delivery"), At: s.Now(), Kind: past.Kind, Type: past.Type, ID: past.ID, Via: past.Via, URL: past.URL,
		Header: past.Header, Body: past.Body, Plain: past.Plain, Attempt: past.Attempt, Redelivery: past.N, packet: past.packet,
	}
	s.mu.Unlock()
	return ackOf(s.exchange(again)), nil
}

// Tampered sends a past HTTP delivery again with other headers or another body; nil leaves what was. It is how a forged or
// bent request looks.
func (s *Server) Tampered(n int, header map[string]string, body *string) (Ack, error) {
	past, found := s.pushes.Find(func(d *Delivery) bool { return d.N == n })
	if !found || past.Via != Webhook {
		return Ack{}, fmt.Errorf("delivery %d is no recorded HTTP delivery", n)
	}
	s.mu.Lock()
	bent := &Delivery{
		N: s.world.count("delivery"), At: s.Now(), Kind: "forged", Type: past.Type, ID: past.ID, Via: Webhook, URL: past.URL, Header: past.Header,
		Body: past.Body, Plain: past.Plain, Redelivery: past.N, packet: past.packet,
	}
	if header != nil {
		bent.Header = header
	}
	if body != nil {
		bent.Body = *body
	}
	s.mu.Unlock()
	return ackOf(s.exchange(bent)), nil
}
