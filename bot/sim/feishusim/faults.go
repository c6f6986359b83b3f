package feishusim

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"huiyin/bot/sim/backstage"
)

// Fault is what a method does instead of, or beside, answering. Several faults of one method share one draw, so their
// rates add up: {Rate: 0.03, AcceptThenDrop}, {Rate: 0.01, RetryAfter: 1} and {Rate: 0.01, Status: 500} hit 5 % of the calls.
type Fault struct {
	Rate           float64       `json:"rate"`                  // 0..1; 0 means always
	Status         int           `json:"status,omitempty"`      // HTTP status; alone 429 is code 99991400 without headers, others are code 1500
	RetryAfter     int           `json:"retry_after,omitempty"` // seconds: HTTP 429, code 99991400, x-ogw-ratelimit-reset
	Code           int           `json:"code,omitempty"`        // HTTP 400 (or Status) with this code
	NotJSON        bool          `json:"not_json,omitempty"`    // a gateway's page, HTTP 502 (or Status)
	Delay          time.Duration `json:"-"`                     // wait before anything else; milliseconds as delay_ms in the control API
	AcceptThenDrop bool          `json:"accept_then_drop,omitempty"`
	Reset          bool          `json:"reset,omitempty"` // break the connection before anything happens
	// Again is for the method "event": an acknowledged event is delivered once more, as at-least-once allows. A message
	// comes again under another event_id, which is why messages are told apart by message_id.
	Again bool `json:"again,omitempty"`
}

// SetFault replaces the faults of a method as Call.Method names it ("*" for all that have none of their own, "event" for
// what is delivered to the bot); without faults it clears them.
func (s *Server) SetFault(method string, faults ...Fault) { s.faults.Set(method, faults...) }

// Chance is Rate.
func (f Fault) Chance() float64 { return f.Rate }

// draw picks the fault of one call, or the zero Fault. s.mu is held.
func (s *Server) draw(method string) Fault { return s.faults.Draw(method, method != "event") }

// answers says whether the fault answers instead of the method.
func (f Fault) answers() bool { return f.Status != 0 || f.RetryAfter > 0 || f.Code != 0 || f.NotJSON }

// answer is what the fault says instead of the method.
func (f Fault) answer() answer {
	switch {
	case f.NotJSON:
		status := f.Status
		if status == 0 {
			status = http.StatusBadGateway
		}
		return answer{status: status, page: "<html><head><title>502 Bad Gateway</title></head><body>openresty</body></html>"}
	case f.Code != 0:
		a := fail(f.Code, "injected fault")
		if f.Status != 0 {
			a.status = f.Status
		}
		return a
	case f.RetryAfter > 0:
		return tooFrequent(50, f.RetryAfter)
	case f.Status == http.StatusTooManyRequests:
		return answer{status: f.Status, code: codeTooFrequent, msg: "request trigger frequency limit"}
	}
	return answer{status: f.Status, code: 1500, msg: "internal error"}
}

// before does what the fault does ahead of the method, and says whether the connection is gone.
func (f Fault) before(ctx context.Context, w http.ResponseWriter) bool {
	if !backstage.Pause(ctx, f.Delay) {
		return true
	}
	if f.Reset {
		backstage.Drop(w)
		return true
	}
	return false
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
	case f.Code != 0:
		return fmt.Sprintf("code %d", f.Code)
	case f.RetryAfter > 0:
		return fmt.Sprintf("429 reset %d", f.RetryAfter)
	case f.Status != 0:
		return fmt.Sprintf("status %d", f.Status)
	case f.Delay > 0:
		return "delay " + f.Delay.String()
	}
	return ""
}
