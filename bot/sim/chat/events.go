package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// beat is how often a silent stream says that it is alive.
const beat = 20 * time.Second

// serveEvents streams what to draw again ("change") and what has been done ("deed"), for the people whom the page watches.
// https://html.spec.whatwg.org/multipage/server-sent-events.html
func (s *site) serveEvents(w http.ResponseWriter, r *http.Request) {
	st := s.readState(r.URL.Query())
	flow := http.NewResponseController(w)
	_ = flow.SetWriteDeadline(time.Time{}) // a server may limit pages, a stream has no end; not every writer has deadlines
	w.Header().Set("Content-Type", "text/event-stream")
	ctx := r.Context()
	changes, deeds := s.changes(ctx, st), s.deeds.join(ctx)
	alive := time.NewTicker(beat)
	defer alive.Stop()
	fmt.Fprint(w, "retry: 1000\nevent: ready\ndata: {}\n\n")
	for flow.Flush() == nil {
		select {
		case <-ctx.Done():
			return
		case <-alive.C:
			fmt.Fprint(w, ": alive\n\n")
		case d := <-deeds:
			event(w, "deed", d)
		case c, open := <-changes:
			if !open {
				return
			}
			if c.User == "" || c.User == st.As.user || c.User == st.With.user || c.Kind == changeMessages {
				event(w, "change", c)
			}
		}
	}
}

func event(w http.ResponseWriter, name string, v any) {
	data, err := json.Marshal(v)
	if err == nil {
		fmt.Fprintf(w, "event: %s\ndata: %s\n\n", name, data)
	}
}

// changes are those of every platform that a page shows something of. They end when the first of them does: the simulators close
// together.
func (s *site) changes(ctx context.Context, st state) <-chan change {
	out := make(chan change)
	shown := map[string]bool{st.tab: true, st.As.on: true, st.With.on: true}
	ended := make(chan struct{})
	var once sync.Once
	for _, p := range s.platforms {
		if !shown[p.name()] {
			continue
		}
		in := p.changes(ctx)
		go func() {
			defer once.Do(func() { close(ended) })
			for c := range in {
				select {
				case out <- c:
				case <-ended:
				case <-ctx.Done():
				}
			}
		}()
	}
	return until(ctx, ended, out)
}

// until passes changes on as long as nothing has ended.
func until(ctx context.Context, ended <-chan struct{}, in <-chan change) <-chan change {
	out := make(chan change)
	go func() {
		defer close(out)
		for {
			select {
			case c := <-in:
				select {
				case out <- c:
				case <-ctx.Done():
					return
				}
			case <-ended:
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}
