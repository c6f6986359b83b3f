package app

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// gateway stands between the bot and its database, and can be closed, or swallow everything.
type gateway struct {
	target   string // a Unix socket
	address  string
	mu       sync.Mutex
	listener net.Listener
	open     []net.Conn
	hang     bool
}

// through puts a gateway into a database URL with a Unix socket.
func through(t *testing.T, databaseURL string) (*gateway, string) {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatalf("read the test database's URL: %v", err)
	}
	q := u.Query()
	g := &gateway{target: q.Get("host") + "/.s.PGSQL." + q.Get("port"), address: "127.0.0.1:0"}
	g.start(t)
	t.Cleanup(func() { g.cut(false) })
	q.Del("host")
	q.Del("port")
	u.Host, u.RawQuery = g.address, q.Encode()
	return g, u.String()
}

func (g *gateway) start(t *testing.T) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", g.address)
	if err != nil {
		t.Fatalf("open the gateway: %v", err)
	}
	g.mu.Lock()
	g.listener, g.address, g.hang = l, l.Addr().String(), false
	g.mu.Unlock()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			g.pass(conn)
		}
	}()
}

func (g *gateway) pass(conn net.Conn) {
	server, err := (&net.Dialer{}).DialContext(context.Background(), "unix", g.target)
	if err != nil {
		_ = conn.Close()
		return
	}
	g.mu.Lock()
	g.open = append(g.open, conn, server)
	g.mu.Unlock()
	flow := func(to, from net.Conn) {
		buffer := make([]byte, 32<<10)
		for {
			n, err := from.Read(buffer)
			g.mu.Lock()
			swallow := g.hang
			g.mu.Unlock()
			if n > 0 && !swallow {
				if _, err := to.Write(buffer[:n]); err != nil {
					break
				}
			}
			if err != nil {
				break
			}
		}
		_ = errors.Join(to.Close(), from.Close())
	}
	go flow(server, conn)
	go flow(conn, server)
}

// cut ends everything, or lets everything hang.
func (g *gateway) cut(hang bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.hang = hang; hang {
		return
	}
	_ = g.listener.Close()
	for _, c := range g.open {
		_ = c.Close()
	}
	g.open = nil
}

func TestWhileTheDatabaseIsAwayEventsAreRefusedAtOnceAndAfterwardsTaken(t *testing.T) {
	for _, hang := range []bool{false, true} {
		w := newWorld(t)
		g, u := through(t, w.env["HUIYIN_DATABASE_URL"])
		w.env["HUIYIN_DATABASE_URL"] = u
		s := w.serve(t)
		g.cut(hang)
		awaitLog(t, s, "the database does not answer")

		ack, err := w.sim.Slash("U1", w.sim.DM("U1"), "/praise", "@kai well done")
		if err != nil {
			t.Fatalf("type a command: %v", err)
		}
		last := w.sim.Deliveries()[len(w.sim.Deliveries())-1]
		if ack.Status != 503 || last.Millis > 1000 {
			t.Errorf("hanging %v: the command gets %d after %d ms, want 503 within a second", hang, ack.Status, last.Millis)
		}
		if code, body := s.get(t, "/readyz"); code != 503 || !strings.Contains(body, "cannot be reached") {
			t.Errorf("hanging %v: readyz is %d %s, want 503 with the reason", hang, code, body)
		}
		if code, _ := s.get(t, "/healthz"); code != 200 {
			t.Errorf("hanging %v: healthz is %d, want 200: the process lives", hang, code)
		}

		if hang {
			g.cut(false) // what hung stays broken
		}
		g.start(t)
		awaitLog(t, s, "the database answers again")
		if ack, err := w.sim.Slash("U1", w.sim.DM("U1"), "/praise", "@kai well done again"); err != nil || ack.Status != 200 {
			t.Errorf("hanging %v: afterwards the command gets %d, %v", hang, ack.Status, err)
		}
		w.kaiSees(t, "well done again")
		if code := s.stop(); code != 0 {
			t.Errorf("hanging %v: serve ended with %d", hang, code)
		}
	}
}

// awaitLog waits until the log contains the words.
func awaitLog(t *testing.T, s *served, words string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for !strings.Contains(s.log.String(), words) {
		if !wait(ctx, 20*time.Millisecond) {
			t.Fatalf("the log never said %q:\n%s", words, s.log)
		}
	}
}
