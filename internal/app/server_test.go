package app

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestABodyThatIsTooBigIsRefusedWhetherItSaysSoOrNot(t *testing.T) {
	var read error
	h := guarded(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, read = io.Copy(io.Discard, r.Body)
		var large *http.MaxBytesError
		if errors.As(read, &large) {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		}
	}), true)
	send := func(size int, announced bool) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/slack/commands", strings.NewReader(strings.Repeat("x", size)))
		if !announced {
			r.ContentLength = -1
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
			"Strict-Transport-Security": "max-age=31536000", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("the header %s is %q, want %q", name, got, want)
			}
		}
		return w.Code
	}
	for _, announced := range []bool{true, false} {
		if code := send(maxBody, announced); code != 200 {
			t.Errorf("256 KiB, announced %v: status %d, want 200", announced, code)
		}
		if code := send(maxBody+1, announced); code != 413 {
			t.Errorf("one byte more than 256 KiB, announced %v: status %d, want 413", announced, code)
		}
	}
}

func TestWhoeverComesWhenAllPlacesAreTakenWaits(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	c := capConnections(l, 1)
	dial := func() net.Conn {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatalf("connect: %v", err)
		}
		return conn
	}
	defer dial().Close()
	defer dial().Close()
	first, err := c.Accept()
	if err != nil {
		t.Fatalf("accept the first: %v", err)
	}
	second := make(chan error, 1)
	go func() {
		conn, err := c.Accept()
		if err == nil {
			err = conn.Close()
		}
		second <- err
	}()
	select {
	case err := <-second:
		t.Fatalf("the second got in while the first was there: %v", err)
	default:
	}
	if err := errors.Join(first.Close(), <-second); err != nil {
		t.Errorf("the second did not get in when the first had left: %v", err)
	}
	waiting := make(chan error, 1)
	held := capConnections(l, 0)
	go func() {
		_, err := held.Accept()
		waiting <- err
	}()
	if err := held.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := <-waiting; !errors.Is(err, net.ErrClosed) {
		t.Errorf("closing the listener gives %v to whoever waits for a place, want net.ErrClosed", err)
	}
}
