package feishusim

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// line is one long connection of a scripted bot.
type line struct {
	conn *websocket.Conn
	got  chan Frame // what was received, pongs included
}

func streamOffice(t *testing.T, change func(*Options)) *office {
	t.Helper()
	return newOffice(t, func(o *Options) {
		o.Mode = Stream
		if change != nil {
			change(o)
		}
	})
}

func (w *office) endpoint(t *testing.T) obj {
	t.Helper()
	return w.call(t, "POST", "/callback/ws/endpoint", obj{"AppID": testAppID, "AppSecret": testSecret})
}

// dial opens a long connection which answers every payload with one code and data; code 0 does not answer.
func (w *office) dial(t *testing.T, code int, data string) *line {
	t.Helper()
	url, _ := at(w.endpoint(t), "data", "URL").(string)
	conn, res, err := websocket.DefaultDialer.Dial(url, nil)
	if err != nil {
		t.Fatalf("dialling %s: %v", url, err)
	}
	defer res.Body.Close()
	l := &line{conn: conn, got: make(chan Frame, 64)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(l.got)
		for {
			_, raw, err := conn.ReadMessage()
			if err != nil {
				return
			}
			f, err := UnmarshalFrame(raw)
			if err != nil {
				t.Errorf("the server sent no frame: %v", err)
				return
			}
			l.got <- f
			if f.Method == methodData && code != 0 {
				f.Headers = append(f.Headers, Header{"biz_rt", "1"})
				answer := obj{"code": code, "headers": nil, "data": nil}
				if data != "" {
					answer["data"] = base64.StdEncoding.EncodeToString([]byte(data))
				}
				f.Payload = encodeJSON(answer)
				if conn.WriteMessage(websocket.BinaryMessage, f.Marshal()) != nil {
					return
				}
			}
		}
	}()
	t.Cleanup(func() {
		conn.Close() //nolint:errcheck // the server may have ended it before
		<-done
	})
	return l
}

func TestTheAddressOfALongConnectionIsForThisAppAndOnce(t *testing.T) {
	w := streamOffice(t, func(o *Options) { o.PingInterval = 90 * time.Second })
	wantCode(t, "a wrong secret", w.call(t, "POST", "/callback/ws/endpoint", obj{"AppID": testAppID, "AppSecret": "x"}), 514)
	out := w.endpoint(t)
	wantCode(t, "the right one", out, 0)
	if n := at(out, "data", "ClientConfig", "PingInterval"); string(encodeJSON(n)) != "90" {
		t.Errorf("the ping interval is %s", encodeJSON(n))
	}
	url, _ := at(out, "data", "URL").(string)
	if !strings.Contains(url, "device_id=") || !strings.Contains(url, "service_id=") {
		t.Errorf("the address %s lacks device_id or service_id", url)
	}
	dial := func(url string) (int, http.Header) {
		conn, res, err := websocket.DefaultDialer.Dial(url, nil)
		if err == nil {
			t.Cleanup(func() { conn.Close() }) //nolint:errcheck // nothing is left to be sent
		}
		if res == nil {
			t.Fatalf("dialling: %v", err)
		}
		defer res.Body.Close()
		return res.StatusCode, res.Header
	}
	if status, _ := dial(url); status != http.StatusSwitchingProtocols {
		t.Errorf("the address answered %d", status)
	}
	if status, header := dial(url); status != http.StatusForbidden || header.Get("Handshake-Status") != "403" {
		t.Errorf("the address answered %d %v the second time", status, header)
	}
	late, _ := at(w.endpoint(t), "data", "URL").(string)
	w.Advance(ticketLife)
	if status, _ := dial(late); status != http.StatusForbidden {
		t.Errorf("an old address answered %d", status)
	}
}

func TestAnEventGoesPlainOverOneOfTheConnections(t *testing.T) {
	w := streamOffice(t, nil)
	lines := []*line{w.dial(t, 200, ""), w.dial(t, 200, ""), w.dial(t, 200, "")}
	for range 30 {
		if _, ack, err := w.Say(w.lin.OpenID, w.P2P(w.lin.OpenID), "hi"); err != nil || ack.Failure != "" || ack.Status != 200 {
			t.Fatalf("saying hi: %v %+v", err, ack)
		}
	}
	sum := 0
	for i, l := range lines {
		n := len(l.got)
		if sum += n; n == 0 {
			t.Errorf("connection %d got nothing of 30 events", i)
		}
	}
	if sum != 30 {
		t.Errorf("30 events arrived %d times", sum)
	}
	f := <-lines[0].got
	v, err := decodeJSON(f.Payload)
	if err != nil || at(v, "header", "event_type") != messageReceived || f.Get("type") != "event" || f.Get("sum") != "1" || f.Service != serviceID {
		t.Errorf("a frame is %+v, %v", f, err)
	}
	if n := len(w.bot.received()); n != 0 {
		t.Errorf("%d events went over HTTP as well", n)
	}
	if d := w.Deliveries()[0]; d.Via != Stream || d.Header != nil {
		t.Errorf("the delivery is recorded as %+v", d)
	}
}

func TestALargePayloadIsCutIntoFrames(t *testing.T) {
	w := streamOffice(t, func(o *Options) { o.FrameBytes = 100 })
	l := w.dial(t, 200, "")
	w.Emit("x", obj{"text": chars(100)})
	var whole []byte
	first := <-l.got
	sum := first.Get("sum")
	whole = append(whole, first.Payload...)
	for len(l.got) > 0 {
		f := <-l.got
		if f.Get("sum") != sum || f.Get("message_id") != first.Get("message_id") {
			t.Errorf("a part is %v", f.Headers)
		}
		whole = append(whole, f.Payload...)
	}
	if v, err := decodeJSON(whole); sum == "1" || err == nil && at(v, "event", "text") != chars(100) {
		t.Errorf("%s parts make %q", sum, whole)
	}
}

func TestAnEventThatIsNotAcknowledgedIsPushedAgain(t *testing.T) {
	w := streamOffice(t, func(o *Options) { o.AckTimeout = 50 * time.Millisecond })
	if ack := w.Emit("x", obj{}); ack.Failure != "no_connection" {
		t.Errorf("without connection: %+v", ack)
	}
	l := w.dial(t, 500, "")
	w.Advance(15 * time.Second)
	w.Disconnect(0)
	for range l.got { // until the connection has ended
	}
	w.dial(t, 0, "")
	w.Advance(5 * time.Minute)
	w.Disconnect(0)
	w.dial(t, 200, "")
	w.Advance(time.Hour)
	w.Advance(100 * time.Hour)
	var failures []string
	for _, d := range w.Deliveries() {
		failures = append(failures, d.Failure)
	}
	if got := strings.Join(failures, ","); got != "no_connection,http_error,timeout," || w.Pending() != 0 {
		t.Errorf("the pushes ended as %q with %d pending", got, w.Pending())
	}
}

func TestPingsAreAnsweredAndSilenceEndsAConnection(t *testing.T) {
	w := streamOffice(t, nil)
	l := w.dial(t, 200, "")
	ping := Frame{Service: serviceID, Headers: []Header{{"type", "ping"}}}
	if err := l.conn.WriteMessage(websocket.BinaryMessage, ping.Marshal()); err != nil {
		t.Fatal(err)
	}
	pong := <-l.got
	if v, err := decodeJSON(pong.Payload); err != nil || pong.Method != methodControl || pong.Get("type") != "pong" || string(encodeJSON(at(v, "PingInterval"))) != "120" {
		t.Errorf("a ping was answered by %+v, %v", pong, err)
	}
	w.Disconnect(0)
	for range l.got { // until the connection has ended
	}
	if n := w.Sockets(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
}

func TestOddFramesAreFound(t *testing.T) {
	w := streamOffice(t, func(o *Options) { o.AckTimeout = 200 * time.Millisecond })
	l := w.dial(t, 0, "")
	send := func(kind int, raw []byte) {
		if err := l.conn.WriteMessage(kind, raw); err != nil {
			t.Fatal(err)
		}
	}
	send(websocket.BinaryMessage, []byte("no frame"))
	send(websocket.TextMessage, Frame{Method: methodData}.Marshal())
	send(websocket.BinaryMessage, Frame{Method: 7}.Marshal())
	send(websocket.BinaryMessage, Frame{Method: methodData, Payload: []byte("no JSON")}.Marshal())
	send(websocket.BinaryMessage, Frame{Method: methodData, Payload: []byte(`{"code":200,"data":"%"}`)}.Marshal())
	send(websocket.BinaryMessage, Frame{Method: methodData, Payload: []byte(`{"code":200}`)}.Marshal())
	send(websocket.BinaryMessage, Frame{Headers: []Header{{"type", "ping"}}}.Marshal())
	<-l.got // the pong: everything before it has been read
	want := "MUST socket.invalid_frame,MUST socket.invalid_frame,MUST socket.unknown_frame,MUST socket.invalid_ack,MUST socket.invalid_ack,SHOULD socket.late_or_unknown_ack"
	if got := strings.Join(rules(w.Findings()), ","); got != want {
		t.Errorf("the findings are\n%s, want\n%s", got, want)
	}
}

func TestFiftyConnectionsAreTheMost(t *testing.T) {
	w := streamOffice(t, func(o *Options) { o.Limits.Off = true })
	spare, _ := at(w.endpoint(t), "data", "URL").(string)
	for range maxSockets {
		w.dial(t, 200, "")
	}
	if n := w.Sockets(); n != maxSockets {
		t.Fatalf("%d connections are open", n)
	}
	wantCode(t, "the address of the 51st", w.endpoint(t), 1000040350)
	_, res, err := websocket.DefaultDialer.Dial(spare, nil)
	if err == nil || res == nil {
		t.Fatalf("the 51st connection opens: %v", err)
	}
	defer res.Body.Close()
	if res.Header.Get("Handshake-Status") != "514" || res.Header.Get("Handshake-Autherrcode") != "1000040350" {
		t.Errorf("the 51st connection is refused with %v", res.Header)
	}
	w.Disconnect(1)
	wantCode(t, "the address after one has gone", w.endpoint(t), 0)
}

func TestACardIsPressedOverALongConnection(t *testing.T) {
	w := streamOffice(t, nil)
	id := w.sendCard(t, cardOf(buttonOf("好", "ok")))
	if ack, err := w.Press(w.lin.OpenID, id, Press{Name: "ok"}); err != nil || ack.Error != ErrNoAddress {
		t.Errorf("without connection a press shows %q, %v", ack.Error, err)
	}
	w.dial(t, 200, `{"toast":{"type":"success","content":"谢谢"}}`)
	ack, err := w.Press(w.lin.OpenID, id, Press{Name: "ok"})
	if err != nil || ack.Error != "" || ack.Toast == nil || ack.Toast.Content != "谢谢" {
		t.Errorf("the press shows %+v, %v", ack, err)
	}
	w.Disconnect(0)
	w.dial(t, 200, "")
	if ack, err := w.Press(w.lin.OpenID, id, Press{Name: "ok"}); err != nil || ack.Error != "" {
		t.Errorf("an answer without data shows %q, %v", ack.Error, err)
	}
	w.Disconnect(0)
	w.dial(t, 500, "")
	if ack, err := w.Press(w.lin.OpenID, id, Press{Name: "ok"}); err != nil || ack.Error != ErrLate {
		t.Errorf("a code of 500 shows %q, %v", ack.Error, err)
	}
}
