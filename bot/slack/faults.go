package slack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	slackapi "github.com/slack-go/slack"

	"huiyin/bot"
	"huiyin/internal/fault"
)

// errorCode is what a code of Slack's means for the caller.
type errorCode struct {
	kind  fault.Kind
	key   string
	alarm bool // only the operator can mend it
	maybe bool // the call may have had its effect all the same
}

// errorCodes translates Slack's error codes. Codes that are not here were refused without effect, so the call may be repeated.
// https://docs.slack.dev/reference/methods/chat.postMessage#errors
var errorCodes = map[string]errorCode{
	"ratelimited":            {kind: fault.Unavailable, key: "slack.busy"},
	"rate_limited":           {kind: fault.Unavailable, key: "slack.busy"},
	"message_limit_exceeded": {kind: fault.Unavailable, key: "slack.busy"},

	"internal_error":      {kind: fault.Unavailable, key: "slack.away", maybe: true},
	"fatal_error":         {kind: fault.Unavailable, key: "slack.away", maybe: true},
	"service_unavailable": {kind: fault.Unavailable, key: "slack.away", maybe: true},
	"request_timeout":     {kind: fault.Unavailable, key: "slack.away"},
	"team_added_to_org":   {kind: fault.Unavailable, key: "slack.away"},
	"accesslimited":       {kind: fault.Unavailable, key: "slack.away"},

	"invalid_auth":            {kind: fault.Unavailable, key: "slack.auth", alarm: true},
	"not_authed":              {kind: fault.Unavailable, key: "slack.auth", alarm: true},
	"account_inactive":        {kind: fault.Unavailable, key: "slack.auth", alarm: true},
	"token_revoked":           {kind: fault.Unavailable, key: "slack.auth", alarm: true},
	"token_expired":           {kind: fault.Unavailable, key: "slack.auth", alarm: true},
	"not_allowed_token_type":  {kind: fault.Unavailable, key: "slack.auth", alarm: true},
	"missing_scope":           {kind: fault.Unavailable, key: "slack.scope", alarm: true},
	"no_permission":           {kind: fault.Unavailable, key: "slack.scope", alarm: true},
	"access_denied":           {kind: fault.Unavailable, key: "slack.scope", alarm: true},
	"ekm_access_denied":       {kind: fault.Unavailable, key: "slack.scope", alarm: true},
	"org_login_required":      {kind: fault.Unavailable, key: "slack.scope", alarm: true},
	"team_access_not_granted": {kind: fault.Unavailable, key: "slack.scope", alarm: true},
	"not_enabled":             {kind: fault.Unavailable, key: "slack.scope", alarm: true},

	"channel_not_found":   {kind: fault.NotFound, key: "slack.recipient"},
	"user_not_found":      {kind: fault.NotFound, key: "slack.recipient"},
	"users_not_found":     {kind: fault.NotFound, key: "slack.recipient"},
	"user_disabled":       {kind: fault.NotFound, key: "slack.recipient"},
	"user_not_visible":    {kind: fault.NotFound, key: "slack.recipient"},
	"user_not_in_channel": {kind: fault.NotFound, key: "slack.recipient"},
	"cannot_dm_bot":       {kind: fault.NotFound, key: "slack.recipient"},
	"message_not_found":   {kind: fault.NotFound, key: "slack.message_gone"},
	"is_archived":         {kind: fault.Conflict, key: "slack.archived"},
	"cant_update_message": {kind: fault.Conflict, key: "slack.message_gone"},
	"edit_window_closed":  {kind: fault.Conflict, key: "slack.message_gone"},
	"not_in_channel":      {kind: fault.Forbidden, key: "slack.not_in_channel"},
	"restricted_action":   {kind: fault.Forbidden, key: "slack.not_in_channel"},

	"restricted_action_read_only_channel":      {kind: fault.Forbidden, key: "slack.not_in_channel"},
	"restricted_action_non_threadable_channel": {kind: fault.Forbidden, key: "slack.not_in_channel"},

	"invalid_blocks":          {kind: fault.Invalid, key: "slack.rejected"},
	"invalid_blocks_format":   {kind: fault.Invalid, key: "slack.rejected"},
	"invalid_arguments":       {kind: fault.Invalid, key: "slack.rejected"},
	"invalid_metadata_format": {kind: fault.Invalid, key: "slack.rejected"},
	"metadata_too_large":      {kind: fault.Invalid, key: "slack.rejected"},
	"msg_too_long":            {kind: fault.Invalid, key: "slack.rejected"},
	"msg_blocks_too_long":     {kind: fault.Invalid, key: "slack.rejected"},
	"no_text":                 {kind: fault.Invalid, key: "slack.rejected"},
	"view_too_large":          {kind: fault.Invalid, key: "slack.rejected"},
	"expired_trigger_id":      {kind: fault.Conflict, key: "slack.form_failed"},
	"exchanged_trigger_id":    {kind: fault.Conflict, key: "slack.form_failed"},
	"invalid_trigger_id":      {kind: fault.Conflict, key: "slack.form_failed"},
	"push_limit_reached":      {kind: fault.Conflict, key: "slack.form_failed"},
	"hash_conflict":           {kind: fault.Conflict, key: "slack.form_failed"},
	"not_found":               {kind: fault.Conflict, key: "slack.form_failed"},
}

// reach notes whether a request got as far as a connection. Before that, nothing can have happened.
type reach struct{ connected atomic.Bool }

func (r *reach) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { r.connected.Store(true) }})
}

// translate makes a fault of what slack-go returned, once, at the door. once is for calls that must not be repeated blindly: of those,
// a failure after which Slack may have done its work is an error that Is bot.ErrUnknownOutcome.
func (s *Slack) translate(ctx context.Context, method string, err error, r *reach, once bool) error {
	if err == nil {
		return nil
	}
	var refused slackapi.SlackErrorResponse
	var limited *slackapi.RateLimitedError
	var status slackapi.StatusCodeError
	switch {
	case errors.As(err, &limited):
		return s.away("slack.busy", method, err, limited.RetryAfter)
	case errors.As(err, &refused):
		return s.refused(ctx, method, refused, once)
	case errors.As(err, &status):
		if status.Code == http.StatusTooManyRequests {
			return s.away("slack.busy", method, err, 0)
		}
		if status.Code < 500 {
			return s.away("slack.away", method, err, 0) // a proxy's word, not Slack's: it went no further
		}
	case !r.connected.Load():
		return s.away("slack.away", method, withoutAddress(err), 0)
	}
	if once {
		return fmt.Errorf("calling %s: %w: %w", method, bot.ErrUnknownOutcome, withoutAddress(err))
	}
	return s.away("slack.away", method, withoutAddress(err), 0)
}

// away is a failure that time may mend.
func (s *Slack) away(key, method string, cause error, after time.Duration) error {
	f := fault.New(fault.Unavailable, key, "Code", method, "Needed", "").Because(fmt.Errorf("calling %s: %w", method, cause))
	f.RetryAfter = max(after, 0)
	return f
}

// refused is Slack's own no.
func (s *Slack) refused(ctx context.Context, method string, r slackapi.SlackErrorResponse, once bool) error {
	code, known := errorCodes[r.Err]
	if !known {
		code = errorCode{kind: fault.Unavailable, key: "slack.away"}
	}
	cause := fmt.Errorf("calling %s: %w", method, r)
	switch {
	case code.maybe && once:
		return fmt.Errorf("calling %s: %w: %w", method, bot.ErrUnknownOutcome, r)
	case code.alarm:
		s.cfg.Log.ErrorContext(ctx, "slack refuses the credentials; the operator must act", "method", method, "code", r.Err, "needed", r.Needed)
	case code.key == "slack.rejected", !known:
		s.cfg.Log.ErrorContext(ctx, "slack refuses a request", "method", method, "code", r.Err, "details", details(r))
	}
	return fault.New(code.kind, code.key, "Code", r.Err, "Needed", r.Needed).Because(cause)
}

// details are Slack's remarks on a refused payload: rules and places, at most a line each.
func details(r slackapi.SlackErrorResponse) []string {
	out := make([]string, 0, len(r.ResponseMetadata.Messages))
	for _, m := range r.ResponseMetadata.Messages[:min(len(r.ResponseMetadata.Messages), 10)] {
		out = append(out, cut(tidy(m), 200))
	}
	return out
}
