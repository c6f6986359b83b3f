package feishu

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	larkcore "github.com/larksuite/oapi-sdk-go/v3/core"

	"huiyin/bot"
	"huiyin/internal/fault"
)

// errorCode is what a code of Feishu's means for the caller.
type errorCode struct {
	kind  fault.Kind
	key   string
	alarm bool // only the operator can mend it
}

// The meanings that several codes have.
var (
	busy       = errorCode{kind: fault.Unavailable, key: "feishu.busy"}
	nobody     = errorCode{kind: fault.NotFound, key: "feishu.recipient"}
	messageOff = errorCode{kind: fault.Conflict, key: "feishu.message_gone"}
	unwelcome  = errorCode{kind: fault.Forbidden, key: "feishu.not_in_chat"}
	rejected   = errorCode{kind: fault.Invalid, key: "feishu.rejected"}
	badAuth    = errorCode{kind: fault.Unavailable, key: "feishu.auth", alarm: true}
	badScope   = errorCode{kind: fault.Unavailable, key: "feishu.scope", alarm: true}
)

// codeCrowded is for too many messages to one receiver, or changes of one message, within a second.
const codeCrowded = 230020

// errorCodes translates Feishu's error codes. Codes that are not here may mean anything; what they refused may be tried again.
// https://open.larkoffice.com/document/server-docs/api-call-guide/generic-error-code and the tables under
// https://open.larkoffice.com/document/uAjLw4CM/ukTMukTMukTM/im-v1/message/create.md
var errorCodes = map[int]errorCode{
	99991400:    busy, // too many calls
	codeCrowded: busy,
	230049:      busy, // this very message is being sent
	11232:       busy,
	1000040350:  busy,                  // as many long connections as there may be
	403:         badAuth, 514: badAuth, // at the door to the long connection
	99991403: {kind: fault.Unavailable, key: "feishu.quota", alarm: true}, // the month's calls are used up

	10003: badAuth, 10014: badAuth, 10012: badAuth, 99991543: badAuth, 99991661: badAuth, 99991663: badAuth, 99991664: badAuth, 99991671: badAuth, 99991677: badAuth,
	99991672: badScope, 99991679: badScope, 99991673: badScope, 230006: badScope, 230027: badScope, 40004: badScope, 41050: badScope, 40014: badScope,

	230002: nobody, 230013: nobody, 230029: nobody, 230037: nobody, 230038: nobody, 230053: nobody, 232006: nobody, 232009: nobody, 232010: nobody, 232011: nobody,
	41012: nobody, 40011: nobody, 99992351: nobody, 99992352: nobody, 99992353: nobody, 99992361: nobody,

	230011: messageOff, 230012: messageOff, 230031: messageOff, 230050: messageOff, 230054: messageOff, 230110: messageOff,
	230018: unwelcome, 230034: unwelcome, 230035: unwelcome,
	230001: rejected, 230022: rejected, 230025: rejected, 230028: rejected, 230099: rejected, 9499: rejected, 99992402: rejected, 200621: rejected, 300305: rejected,
	40000020: rejected, 40000021: rejected, 40000022: rejected, 40000031: rejected,
}

// staleToken reports whether a code says that a token is not taken any more.
func staleToken(code int) bool {
	return code == 99991661 || code == 99991663 || code == 99991664 || code == 99991671 || code == 99991677
}

// strangeMention is the code inside code 230099 for a card in which somebody is mentioned whom Feishu does not know.
const strangeMention = "100290"

// strange reports whether a card was refused for whom it mentions.
func strange(err error) bool {
	f, ok := fault.Of(err)
	return ok && f.Args["Code"] == "230099/"+strangeMention
}

// within is the code inside the message of code 230099: Feishu says nowhere else what is wrong with a card.
var within = regexp.MustCompile(`ErrCode: (\d+)`)

// away is a failure that time may mend.
func (f *Feishu) away(key, what string, cause error, after time.Duration) error {
	fl := fault.New(fault.Unavailable, key, "Code", what, "Needed", "").Because(fmt.Errorf("calling %s: %w", what, cause))
	fl.RetryAfter = max(after, 0)
	return fl
}

// refused is Feishu's own no. Its words are for the log and never for a person.
func (f *Feishu) refused(ctx context.Context, q request, resp *larkcore.ApiResp, answer larkcore.CodeError) error {
	code, known := errorCodes[answer.Code]
	name := strconv.Itoa(answer.Code)
	if inner := within.FindStringSubmatch(answer.Msg); inner != nil {
		name += "/" + inner[1]
	}
	switch {
	case answer.Code == 230001 && strings.Contains(answer.Msg, "receive_id"): // the code is for every wrong parameter; which one stands in the words alone
		code = nobody
	case known:
	case resp.StatusCode == http.StatusTooManyRequests:
		code = busy
	default:
		code = errorCode{kind: fault.Unavailable, key: "feishu.away"}
	}
	cause := fmt.Errorf("calling %s: HTTP %d, code %s", q.path, resp.StatusCode, name)
	if !known && resp.StatusCode >= http.StatusInternalServerError && q.once {
		return fmt.Errorf("%w: %w", cause, bot.ErrUnknownOutcome)
	}
	needed := scopesIn(answer)
	switch {
	case code.alarm:
		f.cfg.Log.ErrorContext(ctx, "feishu refuses the app; the operator must act", "path", q.path, "code", name, "needed", needed, "log_id", resp.LogId())
	case code == rejected, !known && code != busy:
		f.cfg.Log.ErrorContext(ctx, "feishu refuses a request", "path", q.path, "code", name, "log_id", resp.LogId())
	}
	fl := fault.New(code.kind, code.key, "Code", name, "Needed", needed).Because(cause)
	if code.kind == fault.Unavailable {
		fl.RetryAfter = patience(resp.Header)
	}
	switch {
	case answer.Code == codeCrowded && q.target != "":
		f.hold(ctx, q.single(), resp.Header)
	case code == busy, resp.StatusCode == http.StatusTooManyRequests:
		f.hold(ctx, q.api(), resp.Header)
	}
	return fl
}

// scopesIn are the scopes that Feishu misses.
func scopesIn(answer larkcore.CodeError) string {
	if answer.Err == nil {
		return ""
	}
	var out []string
	for _, v := range answer.Err.PermissionViolations {
		if v != nil && v.Subject != "" {
			out = append(out, cut(oneLine(v.Subject), maxCaption))
		}
	}
	return strings.Join(out, ", ")
}

// fatal is for what no reconnect can mend.
var errFatal = errors.New("feishu refuses the long connection")
