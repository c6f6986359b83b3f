package obs

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"time"
)

// Check is one thing without which the bot cannot serve. Ask gives the reason in a few words of ours, or "" when all is well; it never
// gives an address or a vendor's text.
type Check struct {
	Name string
	Ask  func(ctx context.Context) (reason string)
}

// readyTimeout is what a load balancer waits at most for the answer.
const readyTimeout = time.Second

// Healthz says that the process lives and answers.
func Healthz() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"status": "ok"})
	})
}

// Readyz says whether the bot can serve: 200, or 503 with the reason for each check that failed.
func Readyz(checks ...Check) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		reasons := map[string]string{}
		for _, c := range checks {
			if reason := c.Ask(ctx); reason != "" {
				reasons[c.Name] = reason
			}
		}
		if len(reasons) > 0 {
			answer(w, http.StatusServiceUnavailable, map[string]any{"status": "not ready", "reasons": reasons})
			return
		}
		answer(w, http.StatusOK, map[string]any{"status": "ready"})
	})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // who asked has gone away
}

// LoopbackOnly hides a handler from everybody who does not ask from this machine. A request that a proxy on this machine passed on
// comes from elsewhere.
func LoopbackOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		ip := net.ParseIP(host)
		proxied := r.Header.Get("Forwarded") != "" || r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Via") != ""
		if err != nil || ip == nil || !ip.IsLoopback() || proxied {
			http.NotFound(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
