package feishu

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	larkcore "github.com/larksuite/oapi-sdk-go/v3/core"

	"huiyin/bot"
)

// request is one call of the API.
type request struct {
	method, path string // the path with :names
	params       larkcore.PathParams
	query        larkcore.QueryParams
	body         any
	flat         bool   // an old API, whose answer stands beside code and msg and not in data
	once         bool   // must not be repeated blindly: an outcome that is not known is said to be so
	open         bool   // without token
	target       string // the receiver or the message, of a call that Feishu counts by it as well
}

// call makes one call and reads its answer into out. A token that Feishu does not take any more is replaced once. The answer's code is
// always looked at: Feishu refuses with HTTP 200, 400, 429 and others, and the SDK leaves that to its callers. While Feishu wants no calls
// of this API no request is made, and the error is a fault of kind Unavailable that says how long that still lasts.
func (f *Feishu) call(ctx context.Context, q request, out any) error {
	for renewed := false; ; renewed = true {
		var option []larkcore.RequestOptionFunc
		kind, token := larkcore.AccessTokenTypeNone, ""
		if !q.open {
			var err error
			if token, err = f.bearer(ctx); err != nil {
				return err
			}
			kind, option = larkcore.AccessTokenTypeTenant, append(option, larkcore.WithTenantAccessToken(token))
		}
		if lasts := f.gate.closed(f.cfg.Now(), q.api(), q.single()); lasts > 0 {
			return f.away("feishu.busy", q.path, errShut, lasts)
		}
		var r contact
		query := q.query
		if query == nil {
			query = larkcore.QueryParams{}
		}
		resp, err := larkcore.Request(r.trace(ctx), &larkcore.ApiReq{
			HttpMethod: q.method, ApiPath: q.path, PathParams: q.params, QueryParams: query, Body: q.body,
			SupportedAccessTokenTypes: []larkcore.AccessTokenType{kind},
		}, f.sdk, option...)
		if err != nil {
			return f.broken(q, err, r.made.Load())
		}
		code, data, err := answerOf(resp, q.flat)
		switch {
		case err != nil:
			return f.unread(ctx, q, resp)
		case code.Code == 0:
			if out == nil || len(data) == 0 {
				return nil
			}
			if err := json.Unmarshal(data, out); err != nil {
				return f.away("feishu.away", q.path, errNotJSON, 0)
			}
			return nil
		case staleToken(code.Code) && !renewed && !q.open:
			f.token.drop(token)
			continue
		}
		return f.refused(ctx, q, resp, code)
	}
}

// answerOf reads an answer's code, and the part of it that is the answer.
func answerOf(resp *larkcore.ApiResp, flat bool) (larkcore.CodeError, json.RawMessage, error) {
	var a struct {
		larkcore.CodeError
		Number *int            `json:"code"`
		Data   json.RawMessage `json:"data"`
	}
	if !strings.Contains(resp.Header.Get("Content-Type"), "json") {
		return a.CodeError, nil, errNotJSON
	}
	if err := json.Unmarshal(resp.RawBody, &a); err != nil || a.Number == nil {
		return a.CodeError, nil, errNotJSON
	}
	a.Code = *a.Number
	if flat {
		return a.CodeError, resp.RawBody, nil
	}
	return a.CodeError, a.Data, nil
}

// contact notes whether a request got as far as a connection. Before that, nothing can have happened.
type contact struct{ made atomic.Bool }

func (c *contact) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { c.made.Store(true) }})
}

// broken is a call without an answer.
func (f *Feishu) broken(q request, err error, connected bool) error {
	var syntax *json.SyntaxError
	var mistyped *json.UnmarshalTypeError
	if errors.As(err, &syntax) || errors.As(err, &mistyped) {
		return f.away("feishu.away", q.path, errNotJSON, 0)
	}
	if q.once && connected {
		return fmt.Errorf("calling %s: %w: %w", q.path, bot.ErrUnknownOutcome, err)
	}
	return f.away("feishu.away", q.path, err, 0)
}

// unread is an answer that no API of Feishu's gives: a gateway's page, a proxy's.
func (f *Feishu) unread(ctx context.Context, q request, resp *larkcore.ApiResp) error {
	key := "feishu.away"
	if resp.StatusCode == http.StatusTooManyRequests {
		key = "feishu.busy"
		f.hold(ctx, q.api(), resp.Header)
	}
	return f.away(key, q.path, fmt.Errorf("HTTP %d: %w", resp.StatusCode, errNotJSON), patience(resp.Header))
}

// hold keeps calls for a name back as long as is asked, and says once when more is asked than is given.
func (f *Feishu) hold(ctx context.Context, name string, h http.Header) {
	began := f.gate.close(f.cfg.Now(), name, patience(h))
	if seconds := asked(h); began && seconds > int(maxPatience/time.Second) {
		f.cfg.Log.WarnContext(ctx, "feishu wants us to wait", "seconds", seconds, "waiting", int(maxPatience/time.Second))
	}
}

// maxPatience is the longest wait that we let Feishu ask of us. All messages go through one or two APIs: a mistaken header must not stop
// them for long.
const maxPatience = 5 * time.Minute

// patience is how long we wait because Feishu, or a gateway before it, asks for it.
func patience(h http.Header) time.Duration {
	return time.Duration(min(asked(h), int(maxPatience/time.Second))) * time.Second
}

// asked is how many seconds we are asked to wait. https://open.larkoffice.com/document/ukTMukTMukTM/uUzN04SN3QjL1cDN.md
func asked(h http.Header) int {
	seconds, err := strconv.Atoi(orElse(h.Get("X-Ogw-Ratelimit-Reset"), h.Get("Retry-After")))
	if err != nil {
		return 0
	}
	return max(seconds, 0)
}

// accessToken is the tenant_access_token, which lives two hours.
type accessToken struct {
	asking chan struct{} // held by the one who asks for a new token

	mu    sync.Mutex
	value string
	ends  time.Time
}

func (t *accessToken) good(now time.Time) (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.value, t.value != "" && now.Before(t.ends)
}

// early is how long before its end a token is replaced: Feishu gives a new one in the last half hour, and takes both.
const early = 10 * time.Minute

func (t *accessToken) drop(value string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.value == value {
		t.value = ""
	}
}

// bearer is a token that Feishu takes. It is asked for by one caller at a time.
// https://open.larkoffice.com/document/uAjLw4CM/ukTMukTMukTM/auth-v3/auth/tenant_access_token_internal.md
func (f *Feishu) bearer(ctx context.Context) (string, error) {
	t := &f.token
	if value, ok := t.good(f.cfg.Now()); ok {
		return value, nil
	}
	select {
	case t.asking <- struct{}{}:
		defer func() { <-t.asking }()
	case <-ctx.Done():
		return "", f.away("feishu.away", larkcore.TenantAccessTokenInternalUrlPath, ctx.Err(), 0)
	}
	if value, ok := t.good(f.cfg.Now()); ok {
		return value, nil
	}
	var answer struct {
		Token  string `json:"tenant_access_token"`
		Expire int    `json:"expire"`
	}
	body := larkcore.SelfBuiltTenantAccessTokenReq{AppID: f.cfg.AppID, AppSecret: f.cfg.AppSecret}
	if err := f.call(ctx, request{method: http.MethodPost, path: larkcore.TenantAccessTokenInternalUrlPath, body: &body, flat: true, open: true}, &answer); err != nil {
		return "", err
	}
	if answer.Token == "" {
		return "", f.away("feishu.away", larkcore.TenantAccessTokenInternalUrlPath, errNotJSON, 0)
	}
	// Not for less than a minute, lest it be asked for at every call.
	life := max(time.Duration(answer.Expire)*time.Second-early, time.Minute)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.value, t.ends = answer.Token, f.cfg.Now().Add(life)
	return t.value, nil
}
