package embedded

import (
	"testing"
	"time"
)

// eventually waits for what has no event, at most 15 seconds.
func eventually(t *testing.T, what string, met func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(15 * time.Second)
	defer limit.Stop()
	for !met() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatalf("did not happen within 15 s: %s", what)
		}
	}
}
