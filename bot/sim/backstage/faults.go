package backstage

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// Everything is the method whose faults count for all methods that have none of their own.
const Everything = "*"

// Faults is a table of what methods do instead of, or beside, answering. F is the vendor's description of one fault.
type Faults[F interface{ Chance() float64 }] struct {
	roll func() float64

	mu sync.Mutex
	by map[string][]F
}

// NewFaults makes an empty table; roll gives numbers from 0 to 1 and is called under a lock of the table's.
func NewFaults[F interface{ Chance() float64 }](roll func() float64) *Faults[F] {
	return &Faults[F]{roll: roll, by: map[string][]F{}}
}

// Set replaces the faults of a method; without faults it clears them.
func (t *Faults[F]) Set(method string, faults ...F) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(faults) == 0 {
		delete(t.by, method)
		return
	}
	t.by[method] = faults
}

// Clear forgets all faults.
func (t *Faults[F]) Clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.by = map[string][]F{}
}

// Draw picks the fault of one call, or the zero F. The faults of a method share one draw, so that their chances add up; a
// chance of 0 means always. With others, the faults of Everything count for a method without its own.
func (t *Faults[F]) Draw(method string, others bool) F {
	t.mu.Lock()
	defer t.mu.Unlock()
	fs, found := t.by[method]
	if !found && others {
		fs = t.by[Everything]
	}
	var none F
	if len(fs) == 0 {
		return none
	}
	at := t.roll()
	for _, f := range fs {
		if f.Chance() <= 0 || at < f.Chance() {
			return f
		}
		at -= f.Chance()
	}
	return none
}

// Pause waits d of real time and says whether ctx lasted as long.
func Pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Drop breaks the connection without an answer, with a reset where the transport can say so.
func Drop(w http.ResponseWriter) {
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
