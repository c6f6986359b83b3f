package dingtalk

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"huiyin/bot"
	"huiyin/internal/fault"
)

// refusal is an answer of DingTalk's that is not the one that was wanted. What it says in words stays out of it: it may repeat ours.
type refusal struct {
	status  int
	code    string // "40014", "InvalidAuthentication", or one of ours below
	request string // DingTalk's id of the request, for its support
	after   time.Duration
}

func (r refusal) Error() string {
	return fmt.Sprintf("answered %d, code %q, request %q", r.status, r.code, r.request)
}

// Codes of ours, for answers without one.
const (
	codeBlocked    = "~blocked"    // the firewall has shut out this address
	codePage       = "~page"       // a page of somebody's in between, in the place of an answer
	codeUnreadable = "~unreadable" // no JSON, or not what was expected
	codeStatus     = "~status"     // an HTTP status and nothing else
)

// blockedFor is how long the firewall shuts out an address that made more than 10,000 calls in 20 seconds.
// https://help.dingtalk.io/open/development/call-frequency-limit
const blockedFor = 5 * time.Minute

// strangePause is how long an API is left alone that answered with something else than JSON.
const strangePause = 10 * time.Second

// maxPatience is the longest wait that we let anybody ask of us: whoever wants more is asked again meanwhile.
const maxPatience = 5 * time.Minute

// quotaPause is how long to wait when the month's calls are used up. Whoever buys more is served at once, so the first of the next month
// would be far too late to look again.
const quotaPause = time.Hour

// expired are the codes of a token that is not good any more.
var expired = map[string]bool{"InvalidAuthentication": true, "40014": true, "42001": true, "40001": true, "invalidAccessToken": true}

// errorCode is what a code of DingTalk's means for the caller.
type errorCode struct {
	kind  fault.Kind
	key   string
	after time.Duration
	alarm bool // only the operator can mend it
	maybe bool // the call may have had its effect all the same
}

// errorCodes translates DingTalk's error codes; a name that ends in a star stands for all that begin so. Codes that are not here were
// refused without effect, so the call may be repeated.
// https://open.dingtalk.com/document/development/error-code-1, https://help.dingtalk.io/open/development/call-frequency-limit
var errorCodes = map[string]errorCode{
	"90018":                                 {kind: fault.Unavailable, key: "dingtalk.busy", after: time.Second},
	"90019":                                 {kind: fault.Unavailable, key: "dingtalk.busy", after: time.Second},
	"90002":                                 {kind: fault.Unavailable, key: "dingtalk.busy", after: 2 * time.Second},
	"90005":                                 {kind: fault.Unavailable, key: "dingtalk.busy", after: 2 * time.Second},
	"90006":                                 {kind: fault.Unavailable, key: "dingtalk.busy", after: 2 * time.Second},
	"130101":                                {kind: fault.Unavailable, key: "dingtalk.busy", after: 10 * time.Minute}, // a custom robot that speaks too often
	"Forbidden.AccessDenied.QpsLimit*":      {kind: fault.Unavailable, key: "dingtalk.busy", after: time.Second},
	"Throttling*":                           {kind: fault.Unavailable, key: "dingtalk.busy", after: time.Second},
	codeBlocked:                             {kind: fault.Unavailable, key: "dingtalk.busy", after: blockedFor},
	"90020":                                 {kind: fault.Unavailable, key: "dingtalk.quota", after: quotaPause, alarm: true},
	"Forbidden.AccessDenied.ApiCountLimit*": {kind: fault.Unavailable, key: "dingtalk.quota", after: quotaPause, alarm: true},

	"InvalidAuthentication":       {kind: fault.Unavailable, key: "dingtalk.auth", alarm: true},
	"invalidAccessToken":          {kind: fault.Unavailable, key: "dingtalk.auth", alarm: true},
	"invalidClientIdOrSecret":     {kind: fault.Unavailable, key: "dingtalk.auth", alarm: true},
	"authFailed":                  {kind: fault.Unavailable, key: "dingtalk.auth", alarm: true},
	"40001":                       {kind: fault.Unavailable, key: "dingtalk.auth", alarm: true},
	"40014":                       {kind: fault.Unavailable, key: "dingtalk.auth", alarm: true},
	"40089":                       {kind: fault.Unavailable, key: "dingtalk.auth", alarm: true},
	"42001":                       {kind: fault.Unavailable, key: "dingtalk.auth", alarm: true},
	"Forbidden.AccessDenied.*":    {kind: fault.Unavailable, key: "dingtalk.scope", alarm: true},
	"50002":                       {kind: fault.Unavailable, key: "dingtalk.scope", alarm: true},
	"50004":                       {kind: fault.Unavailable, key: "dingtalk.scope", alarm: true},
	"60011":                       {kind: fault.Unavailable, key: "dingtalk.scope", alarm: true},
	"isv.permission*":             {kind: fault.Unavailable, key: "dingtalk.scope", alarm: true},
	"robot.not*":                  {kind: fault.Unavailable, key: "dingtalk.scope", alarm: true},
	"invalidParameter.robotCode*": {kind: fault.Unavailable, key: "dingtalk.scope", alarm: true},
	"param.cardTemplateId*":       {kind: fault.Unavailable, key: "dingtalk.template", alarm: true},
	"param.templateNotExist":      {kind: fault.Unavailable, key: "dingtalk.template", alarm: true},
	"staffId.notExisted":          {kind: fault.NotFound, key: "dingtalk.recipient"},
	"invalidParameter.userIds*":   {kind: fault.NotFound, key: "dingtalk.recipient"},
	"33012":                       {kind: fault.NotFound, key: "dingtalk.recipient"},
	"60121":                       {kind: fault.NotFound, key: "dingtalk.recipient"},
	"60003":                       {kind: fault.NotFound, key: "dingtalk.recipient"},
	"400002":                      {kind: fault.Invalid, key: "dingtalk.rejected"},
	"invalid.openConversationId":  {kind: fault.NotFound, key: "dingtalk.recipient"},
	"group.disbanded":             {kind: fault.NotFound, key: "dingtalk.recipient"},
	"resource.unavailable":        {kind: fault.Forbidden, key: "dingtalk.not_in_group"},
	"chatbot.not*":                {kind: fault.Forbidden, key: "dingtalk.not_in_group"},
	"chat.not*":                   {kind: fault.NotFound, key: "dingtalk.recipient"},
	"resource.not.found":          {kind: fault.NotFound, key: "dingtalk.recipient"},
	"invalidParameter.open*":      {kind: fault.NotFound, key: "dingtalk.recipient"},
	"param.cardNotExist":          {kind: fault.NotFound, key: "dingtalk.message_gone"},
	"param.outTrackIdNotExist":    {kind: fault.NotFound, key: "dingtalk.message_gone"},
	"invalidParameter*":           {kind: fault.Invalid, key: "dingtalk.rejected"},
	"MissingParameter*":           {kind: fault.Invalid, key: "dingtalk.rejected"},
	"Missing*":                    {kind: fault.Invalid, key: "dingtalk.rejected"},
	"param.*":                     {kind: fault.Invalid, key: "dingtalk.rejected"},
	"msgParam*":                   {kind: fault.Invalid, key: "dingtalk.rejected"},
	"40035":                       {kind: fault.Invalid, key: "dingtalk.rejected"},
	"-1":                          {kind: fault.Unavailable, key: "dingtalk.away", maybe: true},
	"ServiceUnavailable":          {kind: fault.Unavailable, key: "dingtalk.away", maybe: true},
	"system*":                     {kind: fault.Unavailable, key: "dingtalk.away", maybe: true},
	"unknownError":                {kind: fault.Unavailable, key: "dingtalk.away", maybe: true},
	codePage:                      {kind: fault.Unavailable, key: "dingtalk.away", after: strangePause},
	codeUnreadable:                {kind: fault.Unavailable, key: "dingtalk.away", after: strangePause, maybe: true},
}

// meaningOf finds a code, or else the longest name with a star that it begins with.
func meaningOf(code string) (errorCode, bool) {
	if c, ok := errorCodes[code]; ok {
		return c, true
	}
	best, found := "", errorCode{}
	for name, c := range errorCodes {
		stem, starred := strings.CutSuffix(name, "*")
		if starred && len(stem) > len(best) && strings.HasPrefix(code, stem) {
			best, found = stem, c
		}
	}
	return found, best != ""
}

// blocking is what the firewall's answers have in them, be they JSON or pages. Other pages are of proxies and gateways, and say nothing
// about our address.
var blocking = regexp.MustCompile(`(?i)punish|\bx5|\bstatus\W{1,4}1111\b`)

// refused reads whether an answer is a refusal.
func refused(resp *http.Response, raw []byte) error {
	var a struct {
		Code      any    `json:"code"` // of the new API; an old one gives a number under this name
		RequestID string `json:"requestid"`

		ErrCode any    `json:"errcode"`
		SubCode any    `json:"sub_code"`
		OldID   string `json:"request_id"`

		Status any    `json:"status"` // {"status":1111,"wait":5,"source":"x5","punish":"deny"}
		Punish string `json:"punish"`
		Wait   int    `json:"wait"`
	}
	no := refusal{status: resp.StatusCode, after: retryAfter(resp.Header)}
	trimmed := bytes.TrimSpace(raw)
	if json.Unmarshal(trimmed, &a) != nil || len(trimmed) == 0 || trimmed[0] != '{' {
		switch {
		case blocking.Match(trimmed):
			no.code = codeBlocked
		case resp.StatusCode >= 500, resp.StatusCode == http.StatusTooManyRequests:
			no.code = codeStatus
		case bytes.HasPrefix(trimmed, []byte("<")):
			no.code = codePage
		case resp.StatusCode == http.StatusOK:
			no.code = codeUnreadable
		default:
			no.code = codeStatus
		}
		return no
	}
	no.request = cut(tidy(orElse(a.RequestID, a.OldID)), 64)
	switch {
	case a.Punish != "", codeName(a.Status) == "1111":
		no.code = codeBlocked
	case resp.StatusCode >= 300:
		no.code = orElse(codeName(a.Code), orElse(codeName(a.ErrCode), codeStatus))
	case codeName(a.ErrCode) != "" && codeName(a.ErrCode) != "0":
		if no.code = codeName(a.ErrCode); no.code == "88" && codeName(a.SubCode) != "" {
			no.code = codeName(a.SubCode)
		}
	default:
		return nil
	}
	return no
}

// longest is the longest wait that is read.
const longest = 365 * 24 * time.Hour

func codeName(v any) string {
	switch v := v.(type) {
	case string:
		return cut(tidy(v), 100)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

// retryAfter reads the header that DingTalk does not send, but whatever stands before it may. It is not to be believed: see maxPatience.
func retryAfter(h http.Header) time.Duration {
	sec, err := strconv.Atoi(strings.TrimSpace(h.Get("Retry-After")))
	if err != nil || sec < 0 {
		return 0
	}
	return time.Duration(min(sec, int(longest/time.Second))) * time.Second
}

// translate makes a fault of a failure, once, at the door.
func (c *client) translate(ctx context.Context, r request, err error, reach *reach) error {
	no, isRefusal := err.(refusal) //nolint:errorlint // exchange wraps nothing
	switch {
	case !isRefusal && !reach.connected.Load():
		return away("dingtalk.away", r.name, err, 0)
	case !isRefusal && r.once:
		return fmt.Errorf("calling %s: %w: %w", r.name, bot.ErrUnknownOutcome, err)
	case !isRefusal:
		return away("dingtalk.away", r.name, err, 0)
	}
	code, known := meaningOf(no.code)
	switch {
	case known:
	case no.status == http.StatusTooManyRequests:
		code = errorCode{kind: fault.Unavailable, key: "dingtalk.busy", after: time.Second}
	case no.status >= 500:
		code = errorCode{kind: fault.Unavailable, key: "dingtalk.away", maybe: true}
	default:
		code = errorCode{kind: fault.Unavailable, key: "dingtalk.away"}
	}
	switch {
	case code.maybe && r.once:
		return fmt.Errorf("calling %s: %w: %w", r.name, bot.ErrUnknownOutcome, no)
	case code.alarm:
		c.log.ErrorContext(ctx, "dingtalk refuses; the operator must act", "method", r.name, "code", no.code, "status", no.status, "request", no.request)
	case code.key == "dingtalk.rejected", no.code == codePage, !known:
		c.log.ErrorContext(ctx, "dingtalk refuses a request", "method", r.name, "code", no.code, "status", no.status, "request", no.request)
	}
	f := fault.New(code.kind, code.key, "Code", orElse(strings.TrimPrefix(no.code, "~"), r.name)).Because(fmt.Errorf("calling %s: %w", r.name, no))
	if code.kind != fault.Unavailable {
		return f
	}
	f.RetryAfter = max(code.after, min(no.after, maxPatience))
	whole, began := code.key == "dingtalk.quota" || no.code == codeBlocked, false
	switch {
	case whole:
		began = c.close("", f.RetryAfter)
	case f.RetryAfter > 0:
		began = c.close(r.name, f.RetryAfter)
	}
	if began && (whole || no.after > maxPatience) {
		c.log.WarnContext(ctx, "dingtalk wants us to wait", "method", r.name, "seconds", int(max(code.after, no.after)/time.Second), "waiting", int(f.RetryAfter/time.Second))
	}
	return f
}
