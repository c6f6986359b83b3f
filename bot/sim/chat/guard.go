package chat

import (
	"net"
	"net/http"
	"strings"
)

// policy lets the page load its own script and style and nothing else; pictures may come from wherever a card says, and the
// bot's own pages may be shown beside a conversation.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; " +
	"img-src 'self' https: http://localhost:* http://127.0.0.1:*; frame-src http://localhost:* http://127.0.0.1:*; base-uri 'none'; frame-ancestors 'none'"

// maxForm bounds what the page may send; the longest is a modal full of text.
const maxForm = 1 << 20

// guard refuses what does not come from this machine's own browser at this page: other Host headers (DNS rebinding) and requests
// that change something from other origins.
func guard(next http.Handler) http.Handler {
	sameOrigin := http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if !loopback(r.Host) {
			http.Error(w, "only loopback hosts are served", http.StatusMisdirectedRequest)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		sameOrigin.ServeHTTP(w, r)
	})
}

// loopback says whether a Host header names this machine by an address or a name that cannot be rebound.
func loopback(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	ip := net.ParseIP(strings.Trim(name, "[]"))
	return strings.EqualFold(name, "localhost") || ip != nil && ip.IsLoopback()
}
