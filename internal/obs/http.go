package obs

import (
	"errors"
	"log/slog"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// HTTP measures every request by the pattern that served it (never by its path, which may carry a token) and turns a panic into a 500 and
// one line of the log.
func (m *Metrics) HTTP(next *http.ServeMux, log *slog.Logger, now func() time.Time) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, route := next.Handler(r)
		if route == "" {
			route = "none"
		}
		started, ctx := now(), r.Context()
		seen := &statusWriter{ResponseWriter: w}
		defer func() {
			if value := recover(); value != nil {
				if err, ok := value.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					panic(value) // net/http's own way to break a connection
				}
				m.panics.Inc()
				log.ErrorContext(ctx, "panic while serving", "route", route, "error", Panicked(value), "stack", stack())
				if seen.status == 0 {
					http.Error(seen, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
				}
			}
			m.requests.WithLabelValues(route, strconv.Itoa(max(seen.status, http.StatusOK))).Observe(now().Sub(started).Seconds())
		}()
		next.ServeHTTP(seen, r)
	})
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// stack names the functions that were running, without their arguments.
func stack() Frames {
	pcs := make([]uintptr, 24)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(4, pcs)])
	var lines []string
	for {
		f, more := frames.Next()
		if strings.HasPrefix(f.Function, "huiyin/") {
			lines = append(lines, f.Function+":"+strconv.Itoa(f.Line))
		}
		if !more {
			return lines
		}
	}
}

// Frames are functions and lines of our own code: the one list that is logged whole.
type Frames []string
