package slacksim

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
	Status         int           `json:"status,omitempty"`      // HTTP status, with Error or internal_error as the body
	RetryAfter     int           `json:"retry_after,omitempty"` // seconds: HTTP 429 ratelimited
	Error          string        `json:"error,omitempty"`       // ok:false with this code
	Delay          time.Duration `json:"-"`                     // wait before anything else; milliseconds as delay_ms in the control API
	AcceptThenDrop bool          `json:"accept_then_drop,omitempty"`
	Reset          bool          `json:"reset,omitempty"` // break the connection before anything happens
}

// SetFault replaces the faults of a method ("*" for all that have none of their own, "response_url" and "upload"
// included); without faults it clears them.
func (s *Server) SetFault(method string, faults ...Fault) { s.faults.Set(method, faults...) }

// Chance is Rate.
func (f Fault) Chance() float64 { return f.Rate }

// draw picks the fault of one call, or the zero Fault. s.mu is held.
func (s *Server) draw(method string) Fault { return s.faults.Draw(method, true) }

// answers says whether the fault answers instead of the method.
func (f Fault) answers() bool { return f.Status != 0 || f.RetryAfter > 0 || f.Error != "" }

// answer is what the fault says instead of the method.
func (f Fault) answer() answer {
	a := answer{err: f.Error, retryAfter: f.RetryAfter}
	switch {
	case a.err != "":
	case f.RetryAfter > 0:
		a.err = "ratelimited"
	default:
		a.err = "internal_error"
	}
	return a
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
	case f.RetryAfter > 0:
		return fmt.Sprintf("429 Retry-After %d", f.RetryAfter)
	case f.Status != 0:
		return fmt.Sprintf("status %d", f.Status)
	case f.Error != "":
		return f.Error
	case f.Delay > 0:
		return "delay " + f.Delay.String()
	}
	return ""
}
