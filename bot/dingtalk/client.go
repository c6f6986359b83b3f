package dingtalk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"huiyin/internal/fault"
)

const (
	callTimeout = 10 * time.Second // bounds one call of an API
	maxAnswer   = 4 << 20          // of an API; a page of a hundred people has some 100 KiB
	tokenMargin = 3 * time.Minute  // a token is given up so long before its end
)

// client calls DingTalk's two APIs: the new one, with the token in a header and errors as HTTP statuses, and the old one ("topapi"), with
// the token in the query and errors as numbers in the body. It reads what it gets with suspicion: in front of both stands a firewall that
// answers with pages.
type client struct {
	id, secret string
	api, oapi  *url.URL
	http       *http.Client
	count      func(ctx context.Context, calls int)
	now        func() time.Time
	log        *slog.Logger

	mu   sync.Mutex
	shut map[string]time.Time // by API, until when it wants no calls; under "" all of them. Asking before would be a fault (R04).

	turn  chan struct{} // held by whoever reads or renews the token
	token string
	good  time.Time // until when
}

func newClient(cfg Config, web *http.Client, api, oapi *url.URL) *client {
	count := cfg.Count
	if count == nil {
		count = func(context.Context, int) {}
	}
	return &client{
		id: cfg.ClientID, secret: cfg.ClientSecret, api: api, oapi: oapi, http: web, count: count, now: cfg.Now, log: cfg.Log,
		turn: make(chan struct{}, 1), shut: map[string]time.Time{},
	}
}

// request is a call of an API.
type request struct {
	name   string // for logs and faults
	method string
	path   string
	old    bool // topapi
	body   any
	// once is for calls that must not be repeated blindly: of those, a failure after which DingTalk may have done its work is an error
	// that Is bot.ErrUnknownOutcome.
	once bool
}

// call calls an API and reads its answer into out. A token that DingTalk does not take any more is renewed once.
func (c *client) call(ctx context.Context, r request, out any) error {
	body, err := encode(r.body)
	if err != nil {
		return fmt.Errorf("writing a call of %s: %w", r.name, err)
	}
	if lasts := c.closed(r.name); lasts > 0 {
		return away("dingtalk.busy", r.name, errShut, lasts)
	}
	for renewed := false; ; renewed = true {
		token, err := c.accessToken(ctx)
		if err != nil {
			return err
		}
		var reach reach
		raw, err := c.try(reach.trace(ctx), r, token, body)
		if err == nil {
			if out == nil {
				return nil
			}
			if err = json.Unmarshal(raw, out); err == nil {
				return nil
			}
			err = refusal{status: http.StatusOK, code: codeUnreadable}
		}
		var no refusal
		if !renewed && errors.As(err, &no) && expired[no.code] {
			c.forget(token)
			continue
		}
		return c.translate(ctx, r, err, &reach)
	}
}

// try makes one HTTP request. The error is a refusal, or what the network did.
func (c *client) try(ctx context.Context, r request, token string, body []byte) ([]byte, error) {
	base := c.api
	if r.old {
		base = c.oapi
	}
	address := base.JoinPath(r.path)
	if r.old {
		address.RawQuery = url.Values{"access_token": {token}}.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, address.String(), bytes.NewReader(body))
	if err != nil {
		return nil, withoutAddress(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	if !r.old && token != "" {
		req.Header.Set("x-acs-dingtalk-access-token", token)
	}
	if token != "" {
		c.count(ctx, 1)
	}
	return c.exchange(req)
}

// exchange makes a request and reads a sound answer.
func (c *client) exchange(req *http.Request) ([]byte, error) {
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, withoutAddress(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, withoutAddress(err)
	}
	if len(raw) > maxAnswer {
		return nil, refusal{status: resp.StatusCode, code: codeUnreadable}
	}
	return raw, refused(resp, raw)
}

// accessToken is a token for both APIs; it lives for two hours. The call for one does not count against the quota.
// https://help.dingtalk.io/open/development/obtain-the-access-token-of-an-internal-app
func (c *client) accessToken(ctx context.Context) (string, error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return "", away("dingtalk.away", "accessToken", ctx.Err(), 0)
	}
	if c.token != "" && c.now().Before(c.good) {
		return c.token, nil
	}
	r := request{name: "accessToken", method: http.MethodPost, path: "/v1.0/oauth2/accessToken"}
	if lasts := c.closed(r.name); lasts > 0 {
		return "", away("dingtalk.busy", r.name, errShut, lasts)
	}
	body, err := encode(map[string]string{"appKey": c.id, "appSecret": c.secret})
	if err != nil {
		return "", err
	}
	var reach reach
	raw, err := c.try(reach.trace(ctx), r, "", body)
	if err != nil {
		return "", c.translate(ctx, r, err, &reach)
	}
	var got struct {
		Token  string `json:"accessToken"`
		Expire int64  `json:"expireIn"`
	}
	if err := json.Unmarshal(raw, &got); err != nil || got.Token == "" {
		return "", c.translate(ctx, r, refusal{status: http.StatusOK, code: codeUnreadable}, &reach)
	}
	c.token, c.good = got.Token, c.now().Add(max(time.Duration(got.Expire)*time.Second-tokenMargin, time.Second))
	return c.token, nil
}

// forget gives up a token, unless somebody else has renewed it meanwhile.
func (c *client) forget(token string) {
	c.turn <- struct{}{}
	defer func() { <-c.turn }()
	if c.token == token {
		c.token = ""
	}
}

// errShut is for a call that was not made.
var errShut = errors.New("dingtalk asked to wait")

// closed is how long an API still wants no calls.
func (c *client) closed(name string) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return max(c.shut[name].Sub(c.now()), c.shut[""].Sub(c.now()))
}

// close notes that an API, or with an empty name all of them, wants no calls for a while. began says that this wait is no part of another.
func (c *client) close(name string, lasts time.Duration) (began bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	began = !c.shut[name].After(now)
	if until := now.Add(lasts); until.After(c.shut[name]) {
		c.shut[name] = until
	}
	return began
}

// encode writes JSON as people read it: < > and & stay what they are, for DingTalk measures bytes.
func encode(v any) ([]byte, error) {
	if v == nil {
		return nil, nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// reach notes whether a request got as far as a connection. Before that, nothing can have happened.
type reach struct{ connected atomic.Bool }

func (r *reach) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { r.connected.Store(true) }})
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// withoutAddress takes the address out of an error: it may carry a token or a ticket.
func withoutAddress(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// wait waits for a while or until ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// away is a failure that time may mend.
func away(key, method string, cause error, after time.Duration) error {
	f := fault.New(fault.Unavailable, key, "Code", method).Because(fmt.Errorf("calling %s: %w", method, cause))
	f.RetryAfter = max(after, 0)
	return f
}
