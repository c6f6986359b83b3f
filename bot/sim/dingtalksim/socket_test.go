package dingtalksim

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// stream is a scripted stream client: it records frames and answers them as told, code 200 and {"response":null} unless told.
type stream struct {
	conn   *websocket.Conn
	mu     sync.Mutex
	frames []frame
	answer func(frame) (code int, data string, send bool)
	ended  chan struct{}
}

var allTopics = []any{
	obj{"type": "CALLBACK", "topic": TopicMessages}, obj{"type": "CALLBACK", "topic": TopicCards}, obj{"type": "EVENT", "topic": "*"},
}

// ticket asks for a connection.
func (w *office) ticket(t *testing.T, topics []any) string {
	t.Helper()
	out := w.call(t, "POST", "/v1.0/gateway/connections/open", obj{
		"clientId": testClient, "clientSecret": testSecret, "subscriptions": topics, "ua": "test/1", "localIp": "127.0.0.1",
	})
	endpoint, _ := out["endpoint"].(string)
	ticket, _ := out["ticket"].(string)
	if !strings.HasPrefix(endpoint, "ws://") || ticket == "" {
		t.Fatalf("no endpoint: %s", encodeJSON(out))
	}
	return endpoint + "?ticket=" + ticket
}

// connect opens a connection and reads it until it ends.
func (w *office) connect(t *testing.T, topics []any) *stream {
	t.Helper()
	conn, res, err := websocket.DefaultDialer.DialContext(t.Context(), w.ticket(t, topics), nil)
	if err != nil {
		t.Fatalf("connecting: %v", err)
	}
	defer res.Body.Close()
	c := &stream{conn: conn, ended: make(chan struct{})}
	t.Cleanup(c.hangUp)
	go c.run()
	return c
}

func (c *stream) run() {
	defer close(c.ended)
	for {
		var f frame
		if err := c.conn.ReadJSON(&f); err != nil {
			return
		}
		code, data, send := http.StatusOK, `{"response":null}`, true
		switch {
		case f.Type == typeSystem && f.Headers["topic"] == "disconnect":
			send = false
		case f.Type == typeSystem:
			data = f.Data
		case f.Type == typeEvent:
			data = `{"status":"SUCCESS","message":"success"}`
		}
		c.mu.Lock()
		c.frames = append(c.frames, f)
		if c.answer != nil {
			code, data, send = c.answer(f)
		}
		c.mu.Unlock()
		if send {
			c.ack(f.Headers["messageId"], code, data)
		}
	}
}

func (c *stream) hangUp() {
	c.conn.Close() //nolint:errcheck // it may be closed already
}

func (c *stream) ack(id string, code int, data string) {
	c.conn.WriteJSON(obj{ //nolint:errcheck // a server that has gone away is part of some tests
		"code": code, "headers": obj{"messageId": id, "contentType": "application/json"}, "message": "OK", "data": data,
	})
}

func (c *stream) answers(f func(frame) (int, string, bool)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer = f
}

func (c *stream) received() []frame {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]frame(nil), c.frames...)
}

func silent(frame) (int, string, bool) { return 0, "", false }

func streaming(o *Options) {
	o.Mode, o.AckTimeout, o.CardTimeout = Stream, 150*time.Millisecond, 150*time.Millisecond
}

func TestARobotMessageComesInAFrame(t *testing.T) {
	w := newOffice(t, streaming)
	c := w.connect(t, allTopics)
	m, ack, err := w.Say(w.lin.UserID, w.P2P(w.lin.UserID), "hi")
	if err != nil || ack.Failure != "" || ack.Status != 200 || ack.Answer != `{"response":null}` {
		t.Fatalf("saying it: %v %+v", err, ack)
	}
	f := c.received()[0]
	data := decoded(t, []byte(f.Data))
	if f.SpecVersion != "1.0" || f.Type != "CALLBACK" || f.Headers["topic"] != TopicMessages || f.Headers["contentType"] != "application/json" || data["msgId"] != m.ID {
		t.Errorf("the frame is %+v", f)
	}
	if w.Emit("user_add_org", obj{"userId": []string{"x"}}).Failure != "" {
		t.Error("the event was not acknowledged")
	}
	f = c.received()[1]
	data = decoded(t, []byte(f.Data))
	if f.Type != "EVENT" || f.Headers["topic"] != "*" || f.Headers["eventType"] != "user_add_org" || f.Headers["eventCorpId"] != w.CorpID() ||
		f.Headers["eventId"] == "" || at(data, "userId", 0) != "x" || data["EventType"] != nil {
		t.Errorf("the event's frame is %+v", f)
	}
	if len(w.bot.received()) != 0 {
		t.Error("something came over HTTP")
	}
	w.noMust(t)
}

func TestATicketIsForOneConnectionWithin90Seconds(t *testing.T) {
	w := newOffice(t, streaming)
	dial := func(address string) bool {
		conn, res, err := websocket.DefaultDialer.DialContext(t.Context(), address, nil)
		if res != nil {
			defer res.Body.Close()
		}
		if err != nil {
			return false
		}
		defer conn.Close()
		return true
	}
	address := w.ticket(t, allTopics)
	w.Advance(90*time.Second - time.Millisecond)
	if !dial(address) || dial(address) {
		t.Error("a ticket does not work exactly once")
	}
	address = w.ticket(t, allTopics)
	w.Advance(90 * time.Second)
	if dial(address) {
		t.Error("a ticket works after 90 s")
	}
	for what, c := range map[string]struct {
		body obj
		code string
	}{
		"a wrong secret":   {obj{"clientId": testClient, "clientSecret": "x", "subscriptions": allTopics}, "authFailed"},
		"no secret":        {obj{"clientId": testClient, "subscriptions": allTopics}, "MissingParameter"},
		"no subscriptions": {obj{"clientId": testClient, "clientSecret": testSecret, "subscriptions": []any{}}, "MissingParameter"},
		"one kind of event": {obj{"clientId": testClient, "clientSecret": testSecret, "subscriptions": []any{
			obj{"type": "EVENT", "topic": "user_add_org"},
		}}, "InvalidParameter"},
		"an unknown type": {obj{"clientId": testClient, "clientSecret": testSecret, "subscriptions": []any{obj{"type": "X", "topic": "*"}}}, "InvalidParameter"},
	} {
		wantCode(t, what, w.call(t, "POST", "/v1.0/gateway/connections/open", c.body), c.code)
	}
}

func TestAFrameGoesToOneConnectionThatSubscribedItsTopic(t *testing.T) {
	w := newOffice(t, streaming)
	a, b := w.connect(t, allTopics), w.connect(t, allTopics)
	cardsOnly := w.connect(t, allTopics[1:2])
	for i := range 40 {
		if _, ack, err := w.Say(w.lin.UserID, w.P2P(w.lin.UserID), strconv.Itoa(i)); err != nil || ack.Failure != "" {
			t.Fatalf("message %d: %v %+v", i, err, ack)
		}
	}
	na, nb := len(a.received()), len(b.received())
	if na+nb != 40 || na == 0 || nb == 0 || len(cardsOnly.received()) != 0 {
		t.Errorf("40 messages came as %d, %d and %d", na, nb, len(cardsOnly.received()))
	}
	if got := w.Subscriptions(); len(got) != 3 || len(got[2]) != 1 {
		t.Errorf("the subscriptions are %v", got)
	}
	w.Disconnect(2)
	<-a.ended
	<-b.ended
	if _, ack, err := w.Say(w.lin.UserID, w.P2P(w.lin.UserID), "hi"); err != nil || ack.Failure != "no_connection" {
		t.Errorf("with nobody for messages it fails with %q, %v", ack.Failure, err)
	}
}

func TestWithoutAnAckTheSameMessageComesAgainAfterAMinute(t *testing.T) {
	w := newOffice(t, streaming)
	c := w.connect(t, allTopics)
	c.answers(silent)
	_, ack, err := w.Say(w.lin.UserID, w.P2P(w.lin.UserID), "hi")
	if err != nil || ack.Failure != "timeout" || w.Pending() != 1 {
		t.Fatalf("saying it: %v %+v, %d pending", err, ack, w.Pending())
	}
	w.Advance(59 * time.Second)
	if n := len(c.received()); n != 1 {
		t.Errorf("after 59 s it came %d times", n)
	}
	c.answers(nil)
	w.Advance(time.Second)
	frames := c.received()
	if len(frames) != 2 {
		t.Fatalf("after a minute it came %d times", len(frames))
	}
	if frames[0].Headers["messageId"] == frames[1].Headers["messageId"] {
		t.Error("both frames have one messageId")
	}
	if frames[0].Data != frames[1].Data {
		t.Error("the payload changed")
	}
	if w.Pending() != 0 {
		t.Errorf("%d pushes wait", w.Pending())
	}
}

func TestAnAckThatComesLateSavesTheSecondPush(t *testing.T) {
	w := newOffice(t, streaming)
	c := w.connect(t, allTopics)
	c.answers(silent)
	if _, _, err := w.Say(w.lin.UserID, w.P2P(w.lin.UserID), "hi"); err != nil {
		t.Fatal(err)
	}
	changes := w.Subscribe(t.Context())
	c.ack(c.received()[0].Headers["messageId"], 200, "{}")
	for ch := range changes {
		if ch.Kind == ChangeFinding {
			break
		}
	}
	w.Advance(time.Minute)
	if n := len(c.received()); n != 1 {
		t.Errorf("it came %d times", n)
	}
	if got := rules(w.Findings()); len(got) != 1 || got[0] != "SHOULD stream.late_ack" {
		t.Errorf("a late ack was found to be %v", got)
	}
}

func TestPushesEndAfterFour(t *testing.T) {
	w := newOffice(t, func(o *Options) {
		streaming(o)
		o.Redeliver = 15 * time.Second
	})
	c := w.connect(t, allTopics)
	c.answers(func(frame) (int, string, bool) { return 500, "{}", true })
	if _, ack, err := w.Say(w.lin.UserID, w.P2P(w.lin.UserID), "hi"); err != nil || ack.Failure != "http_error" || ack.Status != 500 {
		t.Fatalf("saying it: %v %+v", err, ack)
	}
	for range 10 {
		w.Advance(15 * time.Second)
	}
	if n := len(c.received()); n != maxPushes {
		t.Errorf("it came %d times", n)
	}
	never := newOffice(t, func(o *Options) {
		streaming(o)
		o.Redeliver = -1
	})
	if _, _, err := never.Say(never.lin.UserID, never.P2P(never.lin.UserID), "hi"); err != nil || never.Pending() != 0 {
		t.Errorf("with redelivery off %d pushes wait, %v", never.Pending(), err)
	}
}

func TestAnEventThatIsToComeLaterComesAgain(t *testing.T) {
	w := newOffice(t, streaming)
	c := w.connect(t, allTopics)
	c.answers(func(frame) (int, string, bool) { return 200, `{"status":"LATER"}`, true })
	if ack := w.Emit("user_add_org", obj{"userId": []string{"x"}}); ack.Failure != "later" {
		t.Fatalf("it fails with %q", ack.Failure)
	}
	c.answers(nil)
	w.Advance(time.Minute)
	frames := c.received()
	if len(frames) != 2 || frames[0].Headers["eventId"] != frames[1].Headers["eventId"] {
		t.Errorf("it came %d times", len(frames))
	}
	w.noMust(t)
	c.answers(func(frame) (int, string, bool) { return 200, `{"response":null}`, true })
	if ack := w.Emit("user_add_org", obj{"userId": []string{"x"}}); ack.Failure != "bad_answer" {
		t.Errorf("without a status it fails with %q", ack.Failure)
	}
	if got := rules(w.MustFindings()); len(got) != 1 || got[0] != "MUST stream.event_ack_without_status" {
		t.Errorf("an event acknowledged without status was found to be %v", got)
	}
}

func TestAPingWantsItsOpaqueBack(t *testing.T) {
	w := newOffice(t, streaming)
	good, bad := w.connect(t, allTopics), w.connect(t, allTopics)
	if n := w.Ping(); n != 2 {
		t.Errorf("%d of 2 answered", n)
	}
	if f := good.received()[0]; f.Type != "SYSTEM" || f.Headers["topic"] != "ping" || !strings.Contains(f.Data, "opaque") {
		t.Errorf("the ping is %+v", f)
	}
	bad.answers(func(frame) (int, string, bool) { return 200, "{}", true })
	if n := w.Ping(); n != 1 || w.Sockets() != 1 {
		t.Errorf("%d answered and %d connections are open", n, w.Sockets())
	}
	if got := rules(w.MustFindings()); len(got) != 1 || got[0] != "MUST stream.ping_not_echoed" {
		t.Errorf("an empty echo was found to be %v", got)
	}
	<-bad.ended
}

func TestAFarewellGivesTenSeconds(t *testing.T) {
	w := newOffice(t, streaming)
	old := w.connect(t, allTopics)
	w.Farewell(1)
	fresh := w.connect(t, allTopics)
	for range 10 {
		if _, ack, err := w.Say(w.lin.UserID, w.P2P(w.lin.UserID), "hi"); err != nil || ack.Failure != "" {
			t.Fatalf("saying it: %v %+v", err, ack)
		}
	}
	if n := len(fresh.received()); n != 10 {
		t.Errorf("the new connection got %d of 10", n)
	}
	w.Advance(10*time.Second - time.Millisecond)
	if w.Sockets() != 2 {
		t.Errorf("before 10 s %d connections are open", w.Sockets())
	}
	w.Advance(time.Millisecond)
	<-old.ended
	if w.Sockets() != 1 {
		t.Errorf("after 10 s %d connections are open", w.Sockets())
	}
	if f := old.received()[0]; f.Headers["topic"] != "disconnect" || !strings.Contains(f.Data, "reason") {
		t.Errorf("the farewell is %+v", f)
	}
}

func TestABrokenConnectionEndsTheWait(t *testing.T) {
	w := newOffice(t, func(o *Options) {
		streaming(o)
		o.AckTimeout = time.Minute
	})
	c := w.connect(t, allTopics)
	c.answers(func(frame) (int, string, bool) {
		c.hangUp()
		return 0, "", false
	})
	if _, ack, err := w.Say(w.lin.UserID, w.P2P(w.lin.UserID), "hi"); err != nil || ack.Failure != "connection_failed" || w.Pending() != 1 {
		t.Errorf("it fails with %q, %v, and %d pushes wait", ack.Failure, err, w.Pending())
	}
}

func TestOddAcksAreFound(t *testing.T) {
	w := newOffice(t, streaming)
	c := w.connect(t, allTopics)
	sent := func(rule string, raw any) {
		t.Helper()
		before := len(w.Findings())
		changes := w.Subscribe(t.Context())
		if err := c.conn.WriteJSON(raw); err != nil {
			t.Fatal(err)
		}
		for ch := range changes {
			if ch.Kind == ChangeFinding {
				break
			}
		}
		if got := rules(w.Findings())[before:]; len(got) != 1 || got[0] != rule {
			t.Errorf("%s was found to be %v, want %s", encodeJSON(raw), got, rule)
		}
	}
	sent("MUST stream.invalid_ack", []any{1})
	sent("MUST stream.invalid_ack", obj{"code": 200})
	sent("MUST stream.invalid_ack", obj{"headers": obj{"messageId": "x"}})
	sent("SHOULD stream.unknown_ack", obj{"code": 200, "headers": obj{"messageId": "x"}})
	c.answers(func(f frame) (int, string, bool) {
		c.conn.WriteJSON(obj{"code": 200, "headers": obj{"messageId": f.Headers["messageId"]}}) //nolint:errcheck // the test looks at what was found
		return 0, "", false
	})
	if _, ack, err := w.Say(w.lin.UserID, w.P2P(w.lin.UserID), "hi"); err != nil || ack.Failure != "" {
		t.Fatalf("saying it: %v %+v", err, ack)
	}
	if got := rules(w.Findings()); got[len(got)-1] != "SHOULD stream.ack_content_type" {
		t.Errorf("an ack without content type was found to be %v", got)
	}
}

func TestAFrameComesAgainByteForByte(t *testing.T) {
	w := newOffice(t, streaming)
	c := w.connect(t, allTopics)
	_, ack, err := w.Say(w.lin.UserID, w.P2P(w.lin.UserID), "hi")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := w.Redeliver(ack.Delivery); err != nil || again.Failure != "" {
		t.Fatalf("sending it again: %v %+v", err, again)
	}
	frames := c.received()
	a, errA := json.Marshal(frames[0])
	b, errB := json.Marshal(frames[1])
	if errA != nil || errB != nil || string(a) != string(b) {
		t.Errorf("the frames are %s and %s", a, b)
	}
}
