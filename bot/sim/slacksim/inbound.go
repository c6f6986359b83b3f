package slacksim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Sign is the value of X-Slack-Signature for a body sent at a time in Unix seconds: v0=hex(HMAC-SHA256(secret, "v0:" ts ":" body)).
// https://docs.slack.dev/authentication/verifying-requests-from-slack
func Sign(secret string, timestamp int64, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "v0:%d:", timestamp)
	mac.Write(body)
	return "v0=" + hex.EncodeToString(mac.Sum(nil))
}

// packet is one thing for the bot, ready for either way of delivery.
type packet struct {
	kind     string // command, interaction, event, options
	path     string // of the request URL
	media    string // content type over HTTP
	body     []byte // over HTTP
	frame    string // type of the envelope over a socket
	payload  json.RawMessage
	accepts  bool // accepts_response_payload
	attempt  int
	reason   string
	original int // the delivery that this one repeats
}

// reply is what the bot answered.
type reply struct {
	n       int
	status  int
	media   string
	body    []byte
	failure string // empty: 2xx in time
	noRetry bool
	millis  int64
}

func (r reply) ok() bool { return r.failure == "" }

// deliver sends one packet and waits for the answer, at most AckTimeout. s.mu must not be held.
func (s *Server) deliver(p packet) reply {
	s.mu.Lock()
	socket := s.opts.SocketMode
	d := &Delivery{
		N: s.world.count("delivery"), At: s.now(), Kind: p.kind, Attempt: p.attempt, RetryReason: p.reason,
		Redelivery: p.original, packet: p,
	}
	if socket {
		d.Via, d.Body = "socket", string(p.payload)
	} else {
		d.Via, d.Body, d.URL = "http", string(p.body), s.opts.BotURL+p.path
		ts := d.At.Unix()
		d.Header = map[string]string{
			"Content-Type":              p.media,
			"User-Agent":                "Slackbot 1.0 (+https://api.slack.com/robots)",
			"X-Slack-Request-Timestamp": strconv.FormatInt(ts, 10),
			"X-Slack-Signature":         Sign(s.opts.SigningSecret, ts, p.body),
		}
		if p.attempt > 0 {
			d.Header["X-Slack-Retry-Num"] = strconv.Itoa(p.attempt)
			d.Header["X-Slack-Retry-Reason"] = p.reason
		}
	}
	s.mu.Unlock()
	return s.exchange(d)
}

// exchange does one delivery as it is written down, and records it.
func (s *Server) exchange(d *Delivery) reply {
	var r reply
	if d.Via == "socket" {
		r = s.overSocket(d.packet)
	} else {
		r = s.overHTTP(d)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r.n = d.N
	r.millis = s.now().Sub(d.At).Milliseconds()
	d.Status, d.AnswerType, d.Answer, d.Failure, d.Millis = r.status, r.media, string(r.body), r.failure, r.millis
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

var errRedirects = errors.New("more than 2 redirects")

// botClient follows at most two redirects, as Slack does. Without a client of the caller's it keeps connections open.
func botClient(c *http.Client) *http.Client {
	own := http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 30 * time.Second}}
	if c != nil {
		own = *c
	}
	own.CheckRedirect = func(_ *http.Request, via []*http.Request) error {
		if len(via) > 2 {
			return errRedirects
		}
		return nil
	}
	return &own
}

func (s *Server) overHTTP(d *Delivery) reply {
	ctx, cancel := context.WithTimeout(s.clock.Context(), s.opts.AckTimeout)
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
		return reply{failure: s.failureOf(ctx, err)}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	r := reply{status: res.StatusCode, media: res.Header.Get("Content-Type"), body: body}
	r.noRetry = res.Header.Get("X-Slack-No-Retry") == "1"
	switch {
	case err != nil:
		r.failure = s.failureOf(ctx, err)
	case res.StatusCode < 200 || res.StatusCode > 299:
		r.failure = "http_error"
	}
	return r
}

func (s *Server) failureOf(ctx context.Context, err error) string {
	switch {
	case errors.Is(err, errRedirects):
		return "too_many_redirects"
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return "http_timeout"
	}
	return "connection_failed"
}

// Redeliver sends a past delivery again byte for byte: same body, same timestamp, same signature.
func (s *Server) Redeliver(n int) (Ack, error) {
	s.mu.Lock()
	i := slices.IndexFunc(s.world.deliveries, func(d *Delivery) bool { return d.N == n })
	if i < 0 {
		s.mu.Unlock()
		return Ack{}, fmt.Errorf("delivery %d is not recorded", n)
	}
	past := s.world.deliveries[i]
	again := &Delivery{
		N: s.world.count("delivery"), At: s.now(), Kind: past.Kind, Via: past.Via, URL: past.URL, Header: past.Header,
		Body: past.Body, Attempt: past.Attempt, RetryReason: past.RetryReason, Redelivery: past.N, packet: past.packet,
	}
	s.mu.Unlock()
	return ackOf(s.exchange(again)), nil
}

// Ack is how the bot answered one action of a person, and what Slack made of the answer.
type Ack struct {
	Delivery int    `json:"delivery"` // Delivery.N
	Status   int    `json:"status"`   // HTTP; 200 for an acknowledged envelope
	Answer   string `json:"answer,omitempty"`
	Millis   int64  `json:"millis"`
	// Error is what the person is shown instead of a result: operation_timeout, dispatch_failed, http_client_error,
	// http_service_error, invalid_command_response, trouble_connecting. Empty when all went well.
	Error string `json:"error,omitempty"`
	// Message is what a command's answer put into the conversation.
	Message *Message `json:"message,omitempty"`
	// Action is what a submission did to the modal: close, errors, update, push or clear. Errors are by block id.
	Action string            `json:"action,omitempty"`
	Errors map[string]string `json:"errors,omitempty"`
	// Options are what a block_suggestion was answered with.
	Options json.RawMessage `json:"options,omitempty"`
}

func ackOf(r reply) Ack {
	a := Ack{Delivery: r.n, Status: r.status, Answer: string(r.body), Millis: r.millis}
	switch {
	case r.failure == "http_timeout":
		a.Error = "operation_timeout"
	case r.failure == "http_error" && r.status < 500:
		a.Error = "http_client_error"
	case r.failure == "http_error":
		a.Error = "http_service_error"
	case r.failure != "":
		a.Error = "dispatch_failed"
	}
	return a
}

// isJSON says whether an answer declares itself as JSON; Slack reads no other answer as such.
func isJSON(media string) bool {
	t, _, err := mime.ParseMediaType(media)
	return err == nil && t == "application/json"
}

// looksJSON says whether a text would be JSON if it only said so.
func looksJSON(body []byte) bool {
	return strings.HasPrefix(strings.TrimSpace(string(body)), "{") && json.Valid(body)
}
