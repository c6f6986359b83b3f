package app

import (
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"huiyin/internal/obs"
)

// Limits of what strangers may cost us (R23). A vendor sends small bodies at once; whoever is slower or bigger is none.
const (
	maxBody        = 256 << 10
	maxHeader      = 16 << 10
	headerTimeout  = 5 * time.Second
	readTimeout    = 10 * time.Second
	writeTimeout   = 15 * time.Second
	idleTimeout    = 75 * time.Second // longer than the proxies in front of us keep theirs, so that they close first
	maxConnections = 8192
)

// newServer is an HTTP server with our limits. What the library logs goes to log.
func newServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h, MaxHeaderBytes: maxHeader,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug), // broken connections of strangers are no news
	}
}

// guarded puts our limits and headers in front of what is served. secure says that browsers reach us over TLS.
func guarded(next http.Handler, secure bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		if secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if r.ContentLength > maxBody {
			h.Set("Connection", "close") // rather than read what is left
			http.Error(w, http.StatusText(http.StatusRequestEntityTooLarge), http.StatusRequestEntityTooLarge)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}

// routes are what the main address serves.
func (a *App) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /healthz", obs.Healthz())
	mux.Handle("GET /readyz", obs.Readyz(a.checks()...))
	if a.cfg.MetricsListen == "" {
		mux.Handle("GET /metrics", obs.LoopbackOnly(a.metrics.Handler()))
	}
	for pattern, handler := range a.pages.Routes(a.receive) {
		mux.Handle(pattern, handler)
	}
	for _, c := range a.chats {
		if !c.calls {
			continue
		}
		for pattern, handler := range c.Routes(a.receive) {
			mux.Handle(pattern, handler)
		}
	}
	return guarded(a.metrics.HTTP(mux, a.log, time.Now), a.secure())
}

// metricsRoutes are what the address of its own for metrics serves.
func (a *App) metricsRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", a.metrics.Handler())
	return guarded(mux, false)
}

// capped is a listener with a limit on open connections. Whoever comes when all are taken waits in the system's queue.
type capped struct {
	net.Listener
	taken  chan struct{}
	closed chan struct{}
	close  func() error
}

func capConnections(l net.Listener, most int) net.Listener {
	c := &capped{Listener: l, taken: make(chan struct{}, most), closed: make(chan struct{})}
	c.close = sync.OnceValue(func() error {
		close(c.closed)
		return l.Close()
	})
	return c
}

// Accept waits for a free place, then for a connection.
func (l *capped) Accept() (net.Conn, error) {
	select {
	case l.taken <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	conn, err := l.Listener.Accept()
	if err != nil {
		<-l.taken
		return nil, err
	}
	return &place{Conn: conn, leave: sync.OnceFunc(func() { <-l.taken })}, nil
}

// Close ends a wait for a place as well.
func (l *capped) Close() error { return l.close() }

type place struct {
	net.Conn
	leave func()
}

// Close gives the place to the next.
func (p *place) Close() error {
	defer p.leave()
	return p.Conn.Close()
}
