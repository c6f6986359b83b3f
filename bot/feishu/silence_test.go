package feishu

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// A frame that is read while the connection is being closed must not set the watch over its silence again.
func TestNobodyIsCalledSilentAfterTheEnd(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
		if err != nil {
			t.Errorf("upgrading: %v", err)
			return
		}
		defer conn.Close()
		_, _, _ = conn.ReadMessage() // until it ends
	}))
	defer server.Close()
	late := &lateFrame{frame: []byte{0x81, 2, '{', '}'}, closed: make(chan struct{})}
	dialer := websocket.Dialer{NetDialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		var err error
		late.Conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
		return late, err
	}}
	conn, resp, err := dialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(server.URL, "http"), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	late.open.Store(true)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	f := &Feishu{}
	f.cfg.Log = slog.New(slog.DiscardHandler)
	l := &line{f: f, conn: conn, hands: make(chan struct{}, 1)}
	l.serve(ctx, clientConfig{})
	if l.alive.Stop() {
		t.Error("the watch over a connection's silence outlives the connection; it would report a silence that is none")
	}
}

// lateFrame is a connection on which, once it is open, a frame is read just after it was closed.
type lateFrame struct {
	net.Conn
	open   atomic.Bool
	once   sync.Once
	frame  []byte
	closed chan struct{}
}

func (c *lateFrame) Read(p []byte) (int, error) {
	if !c.open.Load() {
		return c.Conn.Read(p)
	}
	<-c.closed
	if len(c.frame) == 0 {
		return 0, io.EOF
	}
	<-time.After(50 * time.Millisecond) // whoever closed it goes on meanwhile
	n := copy(p, c.frame)
	c.frame = c.frame[n:]
	return n, nil
}

func (c *lateFrame) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}
