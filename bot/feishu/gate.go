package feishu

import (
	"errors"
	"sync"
	"time"
)

// gate keeps calls back while Feishu wants none: asking before its wait is over would be a fault (R04), whoever asks.
type gate struct {
	mu   sync.Mutex
	shut map[string]time.Time // by API, or by API and receiver or message, until when
}

// errShut is for a call that was not made.
var errShut = errors.New("feishu asked to wait")

// manyShut is when waits that are over are cleared away.
const manyShut = 1_000

// closed is how long calls for any of these names are still unwanted.
func (g *gate) closed(now time.Time, names ...string) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	var longest time.Duration
	for _, name := range names {
		longest = max(longest, g.shut[name].Sub(now))
	}
	return longest
}

// close notes that calls for a name are unwanted for a while. A later refusal never shortens an earlier one's wait. began says that this
// wait is no part of another.
func (g *gate) close(now time.Time, name string, lasts time.Duration) (began bool) {
	if lasts <= 0 {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.shut) >= manyShut {
		for other, until := range g.shut {
			if !now.Before(until) {
				delete(g.shut, other)
			}
		}
	}
	began = !g.shut[name].After(now)
	if until := now.Add(lasts); until.After(g.shut[name]) {
		g.shut[name] = until
	}
	return began
}

// api is what Feishu counts calls by.
func (q request) api() string { return q.method + " " + q.path }

// single is what Feishu counts messages to one receiver and changes of one message by.
func (q request) single() string { return q.api() + "\n" + q.target }
