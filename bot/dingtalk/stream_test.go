package dingtalk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"huiyin/bot"
	"huiyin/internal/fault"
)

// streamRig is an adapter in stream mode and the other end of its connections.
type streamRig struct {
	*rig
	lines   chan *websocket.Conn
	tickets chan string
	opened  chan map[string]any
	done    chan error
	stop    context.CancelFunc
}

// newStreamRig runs the adapter until the test ends, and then looks for goroutines left behind.
func newStreamRig(t *testing.T, handle bot.Receive, change ...func(*Config)) *streamRig {
	t.Helper()
	t.Cleanup(func() { goleak.VerifyNone(t) }) // the last to run
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	r := &streamRig{lines: make(chan *websocket.Conn, 10), tickets: make(chan string, 100), opened: make(chan map[string]any, 100), done: make(chan error, 1)}
	r.rig = newRig(t, append([]func(*Config){inStream, func(c *Config) { c.HTTP = &http.Client{Transport: transport} }}, change...)...)
	n := 0
	r.fake.do("/v1.0/gateway/connections/open", func(w http.ResponseWriter, q *http.Request) {
		var asked call
		_ = jsonBody(q, &asked.JSON)
		r.opened <- asked.JSON
		n++
		body(fmt.Sprintf(`{"endpoint":"ws%s/link?x=1","ticket":"ticket-canary/%d=&"}`, strings.TrimPrefix(r.fake.URL, "http"), n))(w, q)
	})
	r.fake.do("/link", func(w http.ResponseWriter, q *http.Request) {
		conn, err := (&websocket.Upgrader{}).Upgrade(w, q, nil)
		if err != nil {
			t.Errorf("upgrading: %v", err)
			return
		}
		r.tickets <- q.URL.Query().Get("ticket")
		r.lines <- conn
	})
	var ctx context.Context
	ctx, r.stop = context.WithCancel(context.Background())
	go func() { r.done <- r.Run(ctx, handle) }()
	t.Cleanup(func() {
		r.stop()
		select {
		case err := <-r.done:
			if err != nil {
				t.Errorf("Run returned %v at the end of its context, want nil", err)
			}
		case <-time.After(patience):
			t.Error("Run does not return")
		}
	})
	return r
}

// line is the next connection.
func (r *streamRig) line(t *testing.T) *websocket.Conn {
	t.Helper()
	select {
	case conn := <-r.lines:
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	case <-time.After(patience):
		t.Fatal("no connection came")
		return nil
	}
}

// push sends a frame.
func push(t *testing.T, conn *websocket.Conn, kind, topic, id string, data []byte, more ...string) {
	t.Helper()
	headers := map[string]string{"topic": topic, "messageId": id, "contentType": "application/json", "appId": "x", "time": "1762857600000"}
	for i := 0; i+1 < len(more); i += 2 {
		headers[more[i]] = more[i+1]
	}
	frame := marshal(t, map[string]any{"specVersion": "1.0", "type": kind, "headers": headers, "data": string(data)})
	if err := conn.WriteMessage(websocket.TextMessage, frame); err != nil {
		t.Fatalf("sending a frame: %v", err)
	}
}

func say(t *testing.T, r *streamRig, conn *websocket.Conn, id string) {
	t.Helper()
	push(t, conn, "CALLBACK", topicMessages, id, r.said(t, "help", map[string]any{"msgId": id}))
}

// acknowledged is the next acknowledgement.
func acknowledged(t *testing.T, conn *websocket.Conn) (id, data string) {
	t.Helper()
	type read struct {
		raw []byte
		err error
	}
	got := make(chan read, 1)
	go func() {
		_, raw, err := conn.ReadMessage()
		got <- read{raw, err}
	}()
	select {
	case r := <-got:
		if r.err != nil {
			t.Fatalf("waiting for an acknowledgement: %v", r.err)
		}
		ack := decoded(t, r.raw)
		headers, _ := ack["headers"].(map[string]any)
		if ack["code"] != float64(200) || headers["contentType"] != "application/json" {
			t.Errorf("acknowledged with %s", r.raw)
		}
		id, _ = headers["messageId"].(string)
		data, _ = ack["data"].(string)
		return id, data
	case <-time.After(patience):
		t.Fatal("no acknowledgement came")
		return "", ""
	}
}

func TestTheStreamAnswersWhatComes(t *testing.T) {
	heard := make(chan bot.Event, 10)
	changed := make(chan bot.Account, 1)
	r := newStreamRig(t, func(_ context.Context, e bot.Event) (bot.Reply, error) {
		heard <- e
		return bot.Reply{Card: aCard("Done"), Replace: true}, nil
	}, withTemplate, func(c *Config) { c.Refresh = func(_ context.Context, a bot.Account) { changed <- a } })
	conn := r.line(t)
	if got := <-r.tickets; got != "ticket-canary/1=&" {
		t.Errorf("connected with the ticket %q", got)
	}
	if got := <-r.opened; got["clientId"] != testID || !strings.Contains(fmt.Sprint(got["subscriptions"]), topicCards) || !strings.Contains(fmt.Sprint(got["subscriptions"]), "EVENT") {
		t.Errorf("the connection was asked for with %v", got)
	}
	push(t, conn, "SYSTEM", "ping", "p1", []byte(`{"opaque":"42"}`))
	if id, data := acknowledged(t, conn); id != "p1" || data != `{"opaque":"42"}` {
		t.Errorf("a ping is answered %s %s", id, data)
	}
	say(t, r, conn, "m1")
	if id, _ := acknowledged(t, conn); id != "m1" {
		t.Errorf("a message is acknowledged as %s", id)
	}
	if e := <-heard; e.ID != "m1" || e.Tenant != testID || e.Command == nil {
		t.Errorf("the product heard %+v", e)
	}
	push(t, conn, "CALLBACK", topicCards, "c1", []byte(`{"outTrackId":"t1","userId":"lin","content":"{\"cardPrivateData\":{\"params\":{\"action\":\"{\\\"n\\\":\\\"a\\\"}\"}}}"}`))
	if id, data := acknowledged(t, conn); id != "c1" || !strings.Contains(data, `{"response":{"cardUpdateOptions"`) || !strings.Contains(data, "Done") {
		t.Errorf("a press is acknowledged as %s with %s", id, data)
	}
	push(t, conn, "EVENT", "*", "e1", []byte(`{"userId":["kai"]}`), "eventId", "ev1", "eventType", "user_leave_org", "eventCorpId", "dingcorp")
	if id, data := acknowledged(t, conn); id != "e1" || data != `{"status":"SUCCESS","message":"success"}` {
		t.Errorf("an event is acknowledged as %s with %s", id, data)
	}
	if a := <-changed; a.ID != "kai" || a.Kind != bot.Gone {
		t.Errorf("who changed is %+v", a)
	}
	for _, junk := range []string{"not json", `[]`, `{"type":"UNKNOWN"}`, `{"type":"CALLBACK","headers":{"topic":"/v1.0/of/the/future","messageId":"x1"},"data":"{}"}`, `{"type":"CALLBACK","headers":{"topic":"` + topicMessages + `","messageId":"x2"},"data":{"no":"message"}}`} {
		if err := conn.WriteMessage(websocket.TextMessage, []byte(junk)); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]bool{}
	for range 3 {
		id, _ := acknowledged(t, conn)
		got[id] = true
	}
	if !got["x1"] || !got["x2"] {
		t.Errorf("of what cannot be read %v are acknowledged; without that it comes again and again", got)
	}
}

func TestAnUnservedMessageIsNotAcknowledged(t *testing.T) {
	away := make(chan error, 10)
	heard := make(chan struct{}, 10)
	r := newStreamRig(t, func(context.Context, bot.Event) (bot.Reply, error) {
		err := <-away
		heard <- struct{}{}
		return bot.Reply{}, err
	}, withTemplate)
	conn := r.line(t)
	away <- fault.New(fault.Unavailable, "storage.unavailable")
	say(t, r, conn, "lost")
	<-heard
	away <- fault.New(fault.Unavailable, "storage.unavailable")
	push(t, conn, "CALLBACK", topicCards, "press", []byte(`{"outTrackId":"t1","userId":"lin","content":"{\"cardPrivateData\":{\"params\":{\"action\":\"{\\\"n\\\":\\\"a\\\"}\"}}}"}`))
	if id, data := acknowledged(t, conn); id != "press" || data != `{"response":{}}` {
		t.Errorf("acknowledged %s with %s; a press is not delivered again and gets its answer", id, data)
	}
	if got := r.fake.next(t, "/v1.0/card/instances"); !strings.Contains(fmt.Sprint(got.JSON), "Nothing was saved") {
		t.Errorf("the card is told %v", got.JSON)
	}
	<-heard
	away <- nil
	say(t, r, conn, "taken")
	if id, _ := acknowledged(t, conn); id != "taken" {
		t.Errorf("acknowledged %s, want only what was served, for DingTalk delivers the rest again", id)
	}
}

func TestTheNextConnectionIsOpenBeforeTheLastOneEnds(t *testing.T) {
	release, entered := make(chan struct{}), make(chan struct{}, 3)
	r := newStreamRig(t, func(_ context.Context, e bot.Event) (bot.Reply, error) {
		entered <- struct{}{}
		if e.ID == "slow" {
			<-release
		}
		return bot.Reply{}, nil
	})
	old := r.line(t)
	say(t, r, old, "slow")
	<-entered
	push(t, old, "SYSTEM", "disconnect", "d1", []byte(`{"reason":"persistent connection is about to close"}`))
	next := r.line(t)
	say(t, r, next, "new")
	if id, _ := acknowledged(t, next); id != "new" {
		t.Errorf("the next connection acknowledges %s", id)
	}
	close(release)
	if id, _ := acknowledged(t, old); id != "slow" {
		t.Errorf("the old connection acknowledges %s", id)
	}
	if first, second := <-r.tickets, <-r.tickets; first == second {
		t.Errorf("the ticket %s was used twice", first)
	}
}

// The vendor's released client brings the process down here ("send on closed channel").
func TestAStormOfBreaksIsOutlived(t *testing.T) {
	r := newStreamRig(t, func(_ context.Context, e bot.Event) (bot.Reply, error) {
		if e.ID == "panic" {
			panic("words of a person")
		}
		return bot.Reply{}, nil
	})
	for i := range 4 {
		conn := r.line(t)
		say(t, r, conn, "panic")
		say(t, r, conn, fmt.Sprint("ok", i))
		if id, _ := acknowledged(t, conn); id != fmt.Sprint("ok", i) {
			t.Errorf("connection %d acknowledges %s", i, id)
		}
		push(t, conn, "SYSTEM", "disconnect", "d", nil) // asked to leave, the next one is opened at once
		_ = conn.NetConn().Close()
	}
	conn := r.line(t)
	say(t, r, conn, "after all")
	if id, _ := acknowledged(t, conn); id != "after all" {
		t.Errorf("after the storm %s is acknowledged", id)
	}
	if strings.Contains(r.log.String(), "words of a person") {
		t.Error("a panic's words are in the log")
	}
}

func TestStoppingAnswersWhatCameIn(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	r := newStreamRig(t, func(ctx context.Context, _ bot.Event) (bot.Reply, error) {
		close(entered)
		<-release
		return bot.Reply{}, ctx.Err()
	})
	conn := r.line(t)
	say(t, r, conn, "last")
	<-entered
	r.stop()
	close(release)
	if id, _ := acknowledged(t, conn); id != "last" {
		t.Errorf("acknowledged %s", id)
	}
}

func TestPingsOfTheSocketAreAnswered(t *testing.T) {
	r := newStreamRig(t, reply(bot.Reply{}))
	conn := r.line(t)
	ponged := make(chan string, 1)
	conn.SetPongHandler(func(data string) error {
		ponged <- data
		return errors.New("enough")
	})
	if err := conn.WriteControl(websocket.PingMessage, []byte("are you there"), time.Time{}); err != nil {
		t.Fatal(err)
	}
	go func() { _, _, _ = conn.ReadMessage() }()
	select {
	case data := <-ponged:
		if data != "are you there" {
			t.Errorf("the pong says %q", data)
		}
	case <-time.After(patience):
		t.Error("no pong came")
	}
}

func TestCredentialsThatDingTalkRefusesEndTheStream(t *testing.T) {
	r := newRig(t, inStream)
	r.fake.do("/v1.0/gateway/connections/open", status(401, `{"code":"authFailed","message":"m"}`))
	if err := r.Run(t.Context(), reply(bot.Reply{})); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Run returned %v, want the refusal", err)
	}
	if err := newRig(t).Run(t.Context(), reply(bot.Reply{})); !fault.Is(err, fault.Invalid) {
		t.Errorf("Run in webhook mode returned %v", err)
	}
}

func TestAGatewayThatAnswersNonsenseIsTriedAgain(t *testing.T) {
	for name, answer := range map[string]string{"a page": "<html>", "no ticket": `{"endpoint":"ws://x"}`, "no socket": `{"endpoint":"https://x","ticket":"y"}`, "nothing": ``} {
		r := newRig(t, inStream)
		r.fake.say("/v1.0/gateway/connections/open", answer)
		if conn, err := r.dial(t.Context()); conn != nil || !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s: %v", name, err)
		} else if f, _ := fault.Of(err); f.Key == "dingtalk.auth" {
			t.Errorf("%s ends the stream: %v", name, err)
		}
	}
}

// What people write must not travel in the clear because somebody between us and DingTalk would like it so.
func TestTheStreamIsAsSecretAsTheAPI(t *testing.T) {
	reached := make(chan struct{}, 1)
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		reached <- struct{}{}
		if conn, err := (&websocket.Upgrader{}).Upgrade(w, q, nil); err == nil {
			_ = conn.Close()
		}
	}))
	defer plain.Close()
	secret := httptest.NewTLSServer(body(`{"endpoint":"ws` + strings.TrimPrefix(plain.URL, "http") + `/link","ticket":"ticket-canary"}`))
	defer secret.Close()
	r := newRig(t, inStream, func(c *Config) { c.APIURL, c.HTTP = secret.URL, secret.Client() })
	conn, err := r.dial(t.Context())
	if conn != nil {
		_ = conn.Close()
	}
	if conn != nil || !fault.Is(err, fault.Unavailable) || len(reached) > 0 {
		t.Errorf("told by an API over https to connect without encryption, the stream did (%v)", err)
	}
}

func TestBackoffGrowsAndHeedsDingTalk(t *testing.T) {
	for failures := range 80 {
		pause := backoff(failures, nil)
		most := min(firstBackoff<<min(failures, 10), lastBackoff)
		if pause < most/2 || pause > most {
			t.Errorf("after %d failures the pause is %s, want %s to %s", failures, pause, most/2, most)
		}
	}
	f := fault.New(fault.Unavailable, "dingtalk.busy")
	f.RetryAfter = 5 * time.Minute
	if pause := backoff(0, f); pause != f.RetryAfter {
		t.Errorf("asked for five minutes the pause is %s", pause)
	}
}
