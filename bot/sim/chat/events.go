package chat

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// beat is how often a silent stream says that it is alive.
const beat = 20 * time.Second

// serveEvents streams what to draw again ("change") and what has been done ("deed"), for the people whom the page watches.
// https://html.spec.whatwg.org/multipage/server-sent-events.html
func (s *site) serveEvents(w http.ResponseWriter, r *http.Request) {
	st := readState(r.URL.Query())
	flow := http.NewResponseController(w)
	_ = flow.SetWriteDeadline(time.Time{}) // a server may limit pages, a stream has no end; not every writer has deadlines
	w.Header().Set("Content-Type", "text/event-stream")
	ctx := r.Context()
	changes, deeds := s.on(st).changes(ctx), s.deeds.join(ctx)
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
			if c.User == "" || c.User == st.As || c.User == st.With || c.Kind == changeMessages {
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
