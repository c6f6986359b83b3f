package backstage

import (
	"slices"
	"sync"
	"time"
)

// Windows are allowances of so many within any period, each with its own key, and the last refusal of each.
type Windows struct {
	mu sync.Mutex
	by map[string]*window
}

// window is the moments of the calls within the last period, and the last refusal.
type window struct {
	at             []time.Time
	refused, until time.Time
}

func (ws *Windows) of(key string) *window {
	if ws.by == nil {
		ws.by = map[string]*window{}
	}
	w := ws.by[key]
	if w == nil {
		w = &window{}
		ws.by[key] = w
	}
	return w
}

// Room says how long until one more fits into a window of most per period; 0 is now. It does not use it.
func (ws *Windows) Room(key string, now time.Time, most float64, period time.Duration) time.Duration {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	w := ws.of(key)
	gone := 0
	for gone < len(w.at) && now.Sub(w.at[gone]) >= period {
		gone++
	}
	w.at = w.at[gone:]
	if float64(len(w.at)) < most {
		return 0
	}
	if most < 1 {
		return period // nothing ever fits
	}
	return w.at[len(w.at)-int(most)].Add(period).Sub(now)
}

// Use puts one into a window. A clock that was set back puts it where it belongs in time.
func (ws *Windows) Use(key string, now time.Time) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	w := ws.of(key)
	i := len(w.at)
	for i > 0 && w.at[i-1].After(now) {
		i--
	}
	w.at = slices.Insert(w.at, i, now)
}

// Refuse remembers that the caller was told to wait.
func (ws *Windows) Refuse(key string, now, until time.Time) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	w := ws.of(key)
	w.refused, w.until = now, until
}

// Refused is when the caller was last told to wait, and until when; zero for never.
func (ws *Windows) Refused(key string) (at, until time.Time) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	w := ws.of(key)
	return w.refused, w.until
}

// Clear forgets all windows.
func (ws *Windows) Clear() {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.by = nil
}
