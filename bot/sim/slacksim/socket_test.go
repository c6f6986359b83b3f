package slacksim

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

func socketMode(o *Options) { o.SocketMode = true; o.Limits.Off = true }

// dial opens a Socket Mode connection as the bot and reads its hello.
func (w *office) dial(t *testing.T) (*websocket.Conn, obj) {
	t.Helper()
	_, _, got := w.post(t, "/api/apps.connections.open", jsonUTF8, testAppToken, "{}")
	wantError(t, "apps.connections.open", got, "")
	c, res, err := websocket.DefaultDialer.DialContext(t.Context(), got["url"].(string), nil)
	if err != nil {
		t.Fatalf("dialling the socket: %v", err)
	}
	defer res.Body.Close()
	closeAtEnd(t, c)
	return c, frame(t, c)
}

func closeAtEnd(t *testing.T, c *websocket.Conn) {
	t.Helper()
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Logf("closing a test's socket: %v", err)
		}
	})
}

func frame(t *testing.T, c *websocket.Conn) obj {
	t.Helper()
	var o obj
	if err := c.ReadJSON(&o); err != nil {
		t.Fatalf("reading a frame: %v", err)
	}
	return o
}

// acks answers every envelope with a payload and passes the envelopes on; it ends with the connection.
func acks(c *websocket.Conn, payload string) <-chan obj {
	out := make(chan obj, 64)
	go func() {
		defer close(out)
		for {
			var o obj
			if err := c.ReadJSON(&o); err != nil {
				return
			}
			out <- o
			id, hasID := o["envelope_id"].(string)
			if !hasID {
				continue
			}
			answer := obj{"envelope_id": id}
			if payload != "" {
				answer["payload"] = json.RawMessage(payload)
			}
			if err := c.WriteMessage(websocket.TextMessage, encodeJSON(answer)); err != nil {
				return
			}
		}
	}()
	return out
}

func TestASocketGetsCommandsActionsAndEvents(t *testing.T) {
	w := newOffice(t, socketMode)
	c, hello := w.dial(t)
	if hello["type"] != "hello" || hello["num_connections"] != 1.0 {
		t.Errorf("the first frame is %s", encodeJSON(hello))
	}
	frames := acks(c, `{"text":"done"}`)
	ack := w.slash(t, "@kai thanks")
	f := <-frames
	payload, _ := f["payload"].(map[string]any)
	if f["type"] != "slash_commands" || f["accepts_response_payload"] != true || payload["text"] != "<@U0KAI00001|kai> thanks" {
		t.Errorf("the command's envelope is %s", encodeJSON(f))
	}
	if ack.Message == nil || ack.Message.Text != "done" {
		t.Errorf("the payload of the acknowledgement is not shown: %+v", ack)
	}
	if _, _, err := w.Say(w.lin, w.DM(w.lin), "hello"); err != nil {
		t.Fatal(err)
	}
	f = <-frames
	if f["type"] != "events_api" || f["accepts_response_payload"] != false || f["retry_attempt"] != 0.0 {
		t.Errorf("the event's envelope is %s", encodeJSON(f))
	}
	if len(w.bot.received()) != 0 {
		t.Error("something went to the request URLs although Socket Mode is on")
	}
}

func TestWithoutASocketNothingIsDelivered(t *testing.T) {
	w := newOffice(t, socketMode)
	if ack := w.slash(t, "x"); ack.Error != "dispatch_failed" {
		t.Errorf("a command gives %q, want dispatch_failed", ack.Error)
	}
}

func TestAnEnvelopeGoesToOneConnectionOfSeveral(t *testing.T) {
	w := newOffice(t, socketMode)
	a, _ := w.dial(t)
	b, hello := w.dial(t)
	if hello["num_connections"] != 2.0 {
		t.Errorf("the second connection is told of %v", hello["num_connections"])
	}
	fa, fb := acks(a, ""), acks(b, "")
	for range 20 {
		w.slash(t, "x")
	}
	if len(fa)+len(fb) != 20 || len(fa) == 0 || len(fb) == 0 {
		t.Errorf("20 commands went %d and %d ways, want 20 in all and some each way", len(fa), len(fb))
	}
}

func TestAFrameOfTwentyKilobytesIsDropped(t *testing.T) {
	w := newOffice(t, func(o *Options) { socketMode(o); o.AckTimeout = 60 * time.Millisecond })
	c, _ := w.dial(t)
	fits := `{"text":"` + strings.Repeat("x", 19_900) + `"}`
	acks(c, fits)
	if ack := w.slash(t, "x"); ack.Error != "" {
		t.Errorf("a frame below 20 KB gives %q", ack.Error)
	}
	w2 := newOffice(t, func(o *Options) { socketMode(o); o.AckTimeout = 60 * time.Millisecond })
	c2, _ := w2.dial(t)
	acks(c2, `{"text":"`+strings.Repeat("x", 20_000)+`"}`)
	if ack := w2.slash(t, "x"); ack.Error != "operation_timeout" {
		t.Errorf("a frame over 20 KB gives %q, want operation_timeout", ack.Error)
	}
	if fs := w2.MustFindings(); len(fs) != 1 || fs[0].Rule != "socket.frame_too_large" {
		t.Errorf("findings are %v", rules(fs))
	}
}

func TestUnacknowledgedEventsAreRetriedOverTheSocket(t *testing.T) {
	w := newOffice(t, func(o *Options) { socketMode(o); o.AckTimeout = 30 * time.Millisecond })
	c, _ := w.dial(t)
	w.Emit(map[string]any{"type": "app_uninstalled"})
	first, second := frame(t, c), frame(t, c)
	if first["retry_attempt"] != 0.0 || second["retry_attempt"] != 1.0 || second["retry_reason"] != "timeout" {
		t.Errorf("the frames are attempts %v and %v (%v)", first["retry_attempt"], second["retry_attempt"], second["retry_reason"])
	}
	a, _ := first["payload"].(map[string]any)
	b, _ := second["payload"].(map[string]any)
	if a["event_id"] == nil || a["event_id"] != b["event_id"] || first["envelope_id"] == second["envelope_id"] {
		t.Error("a retry wants the same event_id in another envelope")
	}
}

func TestSlackRefreshesConnections(t *testing.T) {
	w := newOffice(t, socketMode)
	c, _ := w.dial(t)
	w.Disconnect("warning")
	if f := frame(t, c); f["type"] != "disconnect" || f["reason"] != "warning" || w.Sockets() != 1 {
		t.Errorf("a warning is %s with %d connections left, want 1", encodeJSON(f), w.Sockets())
	}
	w.Disconnect("refresh_requested")
	if f := frame(t, c); f["reason"] != "refresh_requested" {
		t.Errorf("the refresh is %s", encodeJSON(f))
	}
	if _, _, err := c.ReadMessage(); err == nil || w.Sockets() != 0 {
		t.Error("the connection is still open after a refresh")
	}
}

func TestASocketAddressWorksOnceAndTenConnectionsAreTheMost(t *testing.T) {
	w := newOffice(t, socketMode)
	_, _, got := w.post(t, "/api/apps.connections.open", jsonUTF8, testAppToken, "{}")
	address, _ := got["url"].(string)
	for i, want := range []int{http.StatusSwitchingProtocols, http.StatusForbidden} {
		c, res, err := websocket.DefaultDialer.DialContext(t.Context(), address, nil)
		if res == nil || res.StatusCode != want {
			t.Errorf("use %d of the address answers %v (%v), want %d", i+1, res, err, want)
		}
		if res != nil {
			defer res.Body.Close()
		}
		if c != nil {
			closeAtEnd(t, c)
		}
	}
	for range 9 {
		w.dial(t)
	}
	if _, f := w.dial(t); f["reason"] != "too_many_websockets" {
		t.Errorf("the eleventh connection is told %s", encodeJSON(f))
	}
	_, _, got = w.post(t, "/api/apps.connections.open", jsonUTF8, testAppToken, "{}")
	w.Advance(31 * time.Second)
	_, res, err := websocket.DefaultDialer.DialContext(t.Context(), got["url"].(string), nil)
	if err == nil || res.StatusCode != http.StatusForbidden {
		t.Error("an address older than 30 s still works")
	}
	if res != nil {
		defer res.Body.Close()
	}
}
