package slacksim

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
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
func (s *Server) SetFault(method string, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(faults) == 0 {
		delete(s.faults, method)
		return
	}
	s.faults[method] = faults
}

// draw picks the fault of one call, or the zero Fault. s.mu is held.
func (s *Server) draw(method string) Fault {
	fs, found := s.faults[method]
	if !found {
		fs = s.faults["*"]
	}
	if len(fs) == 0 {
		return Fault{}
	}
	at := s.rng.Float64()
	for _, f := range fs {
		if f.Rate <= 0 || at < f.Rate {
			return f
		}
		at -= f.Rate
	}
	return Fault{}
}

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
	if f.Delay > 0 {
		t := time.NewTimer(f.Delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return true
		}
	}
	if f.Reset {
		drop(w)
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

// drop breaks the connection without an answer, with a reset where the transport can say so.
func drop(w http.ResponseWriter) {
	h, can := w.(http.Hijacker)
	if !can {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	c, _, err := h.Hijack()
	if err != nil {
		return
	}
	if t, isTCP := c.(*net.TCPConn); isTCP {
		if err := t.SetLinger(0); err != nil {
			c.Close() //nolint:errcheck // the connection is being broken on purpose
			return
		}
	}
	c.Close() //nolint:errcheck // the connection is being broken on purpose
}
