package dingtalksim

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"huiyin/bot/sim/backstage"
)

// Fault is what a method does instead of, or beside, answering. Several faults of one method share one draw, so their
// rates add up: {Rate: 0.03, AcceptThenDrop}, {Rate: 0.01, RetryAfter: 1} and {Rate: 0.01, Status: 500} hit 5 % of the calls.
type Fault struct {
	Rate           float64       `json:"rate"`                  // 0..1; 0 means always
	Status         int           `json:"status,omitempty"`      // HTTP status with code ServiceUnavailable, or Throttling for 429
	RetryAfter     int           `json:"retry_after,omitempty"` // seconds: HTTP 429 (or Status) with the header Retry-After
	Code           string        `json:"code,omitempty"`        // new API: HTTP 400 (or Status) with this code; old API: this errcode
	NotJSON        bool          `json:"not_json,omitempty"`    // a gateway's page, HTTP 502 (or Status)
	Delay          time.Duration `json:"-"`                     // wait before anything else; milliseconds as delay_ms in the control API
	AcceptThenDrop bool          `json:"accept_then_drop,omitempty"`
	Reset          bool          `json:"reset,omitempty"` // break the connection before anything happens
	// FlowControl makes a batch send name all its receivers in flowControlledStaffIdList and deliver nothing.
	FlowControl bool `json:"flow_control,omitempty"`
	// Again is for the method "event": an acknowledged push is made once more, under the same msgId or eventId.
	Again bool `json:"again,omitempty"`
}

// Chance is Rate.
func (f Fault) Chance() float64 { return f.Rate }

// SetFault replaces the faults of a method as Call.Method names it ("*" for all that have none of their own, "event" for
// what is pushed to the bot); without faults it clears them.
func (s *Server) SetFault(method string, faults ...Fault) { s.faults.Set(method, faults...) }

// answers says whether the fault answers instead of the method.
func (f Fault) answers() bool { return f.Status != 0 || f.RetryAfter > 0 || f.Code != "" || f.NotJSON }

// answer is what the fault says instead of the method.
func (f Fault) answer() answer {
	or := func(status int) int {
		if f.Status != 0 {
			return f.Status
		}
		return status
	}
	switch {
	case f.NotJSON:
		return answer{
			status: or(http.StatusBadGateway), code: "not_json",
			page: "<html><head><title>502 Bad Gateway</title></head><body>Tengine</body></html>",
		}
	case f.Code != "":
		n, err := strconv.Atoi(f.Code)
		if err != nil {
			n = -1
		}
		return answer{status: or(http.StatusBadRequest), code: f.Code, errcode: n, msg: "injected fault", hard: f.Status != 0}
	case f.RetryAfter > 0:
		return answer{status: or(http.StatusTooManyRequests), code: "Throttling", errcode: 90018, msg: "too many requests", retryAfter: f.RetryAfter, hard: true}
	case f.Status == http.StatusTooManyRequests:
		return answer{status: f.Status, code: "Throttling", errcode: 90018, msg: "too many requests", hard: true}
	}
	return answer{status: f.Status, code: "ServiceUnavailable", errcode: -1, msg: "system busy", hard: true}
}

// before does what the fault does ahead of the method, and says whether the connection is gone.
func (f Fault) before(ctx context.Context, w http.ResponseWriter) bool {
	if !backstage.Pause(ctx, f.Delay) {
		return true
	}
	if f.Reset {
		backstage.Drop(w)
	}
	return f.Reset
}

// String names the fault for the record; the zero Fault is "".
func (f Fault) String() string {
	switch {
	case f.AcceptThenDrop:
		return "accept_then_drop"
	case f.Reset:
		return "reset"
	case f.NotJSON:
		return "not_json"
	case f.Code != "":
		return "code " + f.Code
	case f.RetryAfter > 0:
		return fmt.Sprintf("429 Retry-After %d", f.RetryAfter)
	case f.Status != 0:
		return fmt.Sprintf("status %d", f.Status)
	case f.FlowControl:
		return "flow_control"
	case f.Delay > 0:
		return "delay " + f.Delay.String()
	}
	return ""
}
