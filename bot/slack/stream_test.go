package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/bot/card/cardtest"
	"huiyin/internal/fault"
)

// socketRig is an adapter in Socket Mode and the other end of its connections.
type socketRig struct {
	*rig
	lines chan *websocket.Conn
	done  chan error
	stop  context.CancelFunc
}

// newSocketRig runs the adapter until the test ends, and then looks for goroutines left behind.
func newSocketRig(t *testing.T, handle bot.Receive) *socketRig {
	t.Helper()
	t.Cleanup(func() { goleak.VerifyNone(t) }) // the last to run
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	r := &socketRig{lines: make(chan *websocket.Conn, 10), done: make(chan error, 1)}
	r.rig = newRig(t, func(c *Config) {
		c.SigningSecret, c.AppToken, c.HTTP = "", "xapp-canary", &http.Client{Transport: transport}
	})
	r.fake.do("apps.connections.open", func(w http.ResponseWriter, q *http.Request) {
		if q.Header.Get("Authorization") != "Bearer xapp-canary" {
			body(`{"ok":false,"error":"not_authed"}`)(w, q)
			return
		}
		body(`{"ok":true,"url":"ws`+strings.TrimPrefix(r.fake.URL, "http")+`/api/link?ticket=secretticket"}`)(w, q)
	})
	r.fake.do("link", func(w http.ResponseWriter, q *http.Request) {
		conn, err := (&websocket.Upgrader{}).Upgrade(w, q, nil)
		if err != nil {
			t.Errorf("upgrading: %v", err)
			return
		}
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

// line is the next connection, greeted.
func (r *socketRig) line(t *testing.T) *websocket.Conn {
	t.Helper()
	select {
	case conn := <-r.lines:
		t.Cleanup(func() { _ = conn.Close() })
		send(t, conn, `{"type":"hello","num_connections":1,"connection_info":{"app_id":"A1"}}`)
		return conn
	case <-time.After(patience):
		t.Fatal("no connection came")
		return nil
	}
}

func send(t *testing.T, conn *websocket.Conn, frame string) {
	t.Helper()
	if err := conn.WriteMessage(websocket.TextMessage, []byte(frame)); err != nil {
		t.Fatalf("sending a frame: %v", err)
	}
}

// deliver sends a recorded payload as a frame.
func (r *socketRig) deliver(t *testing.T, conn *websocket.Conn, id, name string) {
	t.Helper()
	p := load(t, "testdata/events/"+name+".json")
	kind := map[string]string{"commands": "slash_commands", "interactions": "interactive", "events": "events_api"}[p.Door]
	payload := strings.ReplaceAll(string(p.Payload), "https://hooks.slack.com/", r.fake.URL+"/response/")
	send(t, conn, fmt.Sprintf(`{"envelope_id":%q,"type":%q,"payload":%s,"accepts_response_payload":%v}`, id, kind, payload, kind != "events_api"))
}

// acknowledged is the next acknowledgement, with its size.
func acknowledged(t *testing.T, conn *websocket.Conn) (map[string]any, int) {
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
		return decoded(t, r.raw), len(r.raw)
	case <-time.After(patience):
		t.Fatal("no acknowledgement came")
		return nil, 0
	}
}

func TestSocketModeAnswersWhatWebhooksAnswer(t *testing.T) {
	heard := make(chan bot.Event, 10)
	r := newSocketRig(t, func(_ context.Context, e bot.Event) (bot.Reply, error) {
		heard <- e
		return bot.Reply{Card: aCard("Done")}, nil
	})
	conn := r.line(t)
	r.deliver(t, conn, "env-1", "command_praise")
	ack, _ := acknowledged(t, conn)
	payload, _ := ack["payload"].(map[string]any)
	if ack["envelope_id"] != "env-1" || payload["response_type"] != "ephemeral" {
		t.Errorf("a command is acknowledged with %v", ack)
	}
	r.deliver(t, conn, "env-2", "submission")
	if ack, _ = acknowledged(t, conn); ack["envelope_id"] != "env-2" || ack["payload"].(map[string]any)["response_action"] != "update" {
		t.Errorf("a submission is acknowledged with %v", ack)
	}
	r.deliver(t, conn, "env-3", "message_im")
	if ack, _ = acknowledged(t, conn); ack["envelope_id"] != "env-3" || ack["payload"] != nil {
		t.Errorf("an event is acknowledged with %v", ack)
	}
	for _, name := range []string{"event_of_the_future", "view_closed", "command_without_trigger", "message_im_own"} {
		r.deliver(t, conn, name, name)
		if ack, _ = acknowledged(t, conn); ack["envelope_id"] != name || ack["payload"] != nil {
			t.Errorf("%s is acknowledged with %v, want nothing but that", name, ack)
		}
	}
	if e := <-heard; e.Command == nil || e.At != r.now {
		t.Errorf("the first event is %+v", e)
	}
	for _, junk := range []string{"not json", `{"type":"unknown"}`, `[]`, `{"type":"slash_commands","envelope_id":"x","payload":"y"}`} {
		send(t, conn, junk)
	}
	if ack, _ = acknowledged(t, conn); ack["envelope_id"] != "x" {
		t.Errorf("a frame that cannot be read is acknowledged with %v", ack)
	}
	if strings.Contains(r.log.String(), "xapp-canary") {
		t.Error("the app token is in the log")
	}
}

func TestAnUnservedEventIsNotAcknowledged(t *testing.T) {
	away := make(chan bool, 3)
	away <- true
	away <- true
	away <- false
	heard := make(chan struct{}, 3)
	r := newSocketRig(t, func(context.Context, bot.Event) (bot.Reply, error) {
		gone := <-away
		heard <- struct{}{}
		if gone {
			return bot.Reply{}, fault.New(fault.Unavailable, "storage.away")
		}
		return bot.Reply{}, nil
	})
	conn := r.line(t)
	r.deliver(t, conn, "lost-1", "message_im")
	<-heard // events are handled side by side: this one first
	r.deliver(t, conn, "lost-2", "command_praise")
	for {
		if c := <-r.fake.calls; c.Method == "response" {
			if !strings.Contains(fmt.Sprint(c.JSON["text"]), "Nothing was saved") {
				t.Errorf("the person reads %v", c.JSON)
			}
			break
		}
	}
	r.deliver(t, conn, "taken", "message_im")
	if ack, _ := acknowledged(t, conn); ack["envelope_id"] != "taken" {
		t.Errorf("acknowledged %v, want only what was served, for Slack delivers the rest again", ack)
	}
}

func TestLargeAnswersGoAroundTheSocket(t *testing.T) {
	large := card.Card{Title: "Long", Blocks: []card.Block{card.Quoted(cardtest.LongChinese(9000))}}
	form := aForm()
	for i := range 40 {
		form.Fields = append(form.Fields, card.TextField{Name: fmt.Sprint("f", i), Label: cardtest.LongChinese(200)})
	}
	replies := make(chan bot.Reply, 3)
	r := newSocketRig(t, func(context.Context, bot.Event) (bot.Reply, error) { return <-replies, nil })
	conn := r.line(t)
	replies <- bot.Reply{Card: &large}
	r.deliver(t, conn, "a", "command_praise")
	if ack, _ := acknowledged(t, conn); ack["payload"] != nil {
		t.Errorf("a large answer is in the acknowledgement: %.200v", ack)
	}
	r.fake.next(t, "apps.connections.open")
	r.fake.next(t, "link")
	if got := r.fake.next(t, "response").JSON; got["response_type"] != "ephemeral" || len(fmt.Sprint(got["blocks"])) < 9000 {
		t.Errorf("the response address got %.200v", got)
	}
	replies <- bot.Reply{Card: &large}
	r.deliver(t, conn, "b", "submission")
	ack, size := acknowledged(t, conn)
	if ack["payload"].(map[string]any)["response_action"] != "update" || size >= maxFrame {
		t.Errorf("a large view is acknowledged with %d bytes: %.200v", size, ack)
	}
	replies <- bot.Reply{Form: form}
	r.deliver(t, conn, "c", "submission")
	ack, size = acknowledged(t, conn)
	if ack["payload"].(map[string]any)["response_action"] != "update" || size >= maxFrame {
		t.Errorf("a large form is acknowledged with %d bytes: %.200v", size, ack)
	}
	if got := r.fake.next(t, "views.update").JSON; got["view_id"] != "V0VIEW" {
		t.Errorf("views.update was called for %v", got["view_id"])
	}
}

// When Slack announces the end of a connection, the next one is open before it, and what was under way is acknowledged on its own.
func TestSocketModeMovesToTheNextConnection(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	r := newSocketRig(t, func(context.Context, bot.Event) (bot.Reply, error) {
		slow := false
		once.Do(func() { slow = true })
		if slow {
			close(entered)
			<-release
		}
		return bot.Reply{}, nil
	})
	old := r.line(t)
	r.deliver(t, old, "slow", "message_im")
	<-entered
	send(t, old, `{"type":"disconnect","reason":"refresh_requested"}`)
	next := r.line(t)
	r.deliver(t, next, "new", "message_im")
	if ack, _ := acknowledged(t, next); ack["envelope_id"] != "new" {
		t.Errorf("the next connection acknowledges %v", ack)
	}
	close(release)
	if ack, _ := acknowledged(t, old); ack["envelope_id"] != "slow" {
		t.Errorf("the old connection acknowledges %v", ack)
	}
	_ = next.Close()
	third := r.line(t)
	r.deliver(t, third, "after a break", "message_im")
	if ack, _ := acknowledged(t, third); ack["envelope_id"] != "after a break" {
		t.Errorf("after a broken connection %v is acknowledged", ack)
	}
}

func TestStoppingAnswersWhatCameIn(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	r := newSocketRig(t, func(ctx context.Context, _ bot.Event) (bot.Reply, error) {
		close(entered)
		<-release
		return bot.Reply{}, ctx.Err()
	})
	conn := r.line(t)
	r.deliver(t, conn, "last", "message_im")
	<-entered
	r.stop()
	close(release)
	if ack, _ := acknowledged(t, conn); ack["envelope_id"] != "last" {
		t.Errorf("acknowledged %v", ack)
	}
}

func TestPingsAreAnswered(t *testing.T) {
	r := newSocketRig(t, reply(bot.Reply{}))
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

func TestATokenThatSlackRefusesEndsSocketMode(t *testing.T) {
	r := newRig(t, func(c *Config) { c.AppToken = "xapp-revoked" })
	r.fake.say("apps.connections.open", `{"ok":false,"error":"invalid_auth"}`)
	if err := r.Run(t.Context(), reply(bot.Reply{})); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Run returned %v, want the refusal", err)
	}
	if err := newRig(t).Run(t.Context(), reply(bot.Reply{})); !fault.Is(err, fault.Invalid) {
		t.Errorf("Run without an app token returned %v", err)
	}
}

func TestBackoffGrowsAndHeedsSlack(t *testing.T) {
	for failures := range 80 {
		pause := backoff(failures, nil)
		most := min(firstBackoff<<min(failures, 10), lastBackoff)
		if pause < most/2 || pause > most {
			t.Errorf("after %d failures the pause is %s, want %s to %s", failures, pause, most/2, most)
		}
	}
	f := fault.New(fault.Unavailable, "slack.busy")
	f.RetryAfter = 90 * time.Second
	if pause := backoff(0, f); pause != f.RetryAfter {
		t.Errorf("asked for 90 s the pause is %s", pause)
	}
}

func FuzzFrame(f *testing.F) {
	f.Add(`{"envelope_id":"x","type":"slash_commands","payload":{"command":"/praise","user_id":"U1","trigger_id":"1"}}`)
	f.Add(`{"type":"events_api","payload":{"type":"event_callback","event_id":"E","event":{"type":"message"}}}`)
	f.Add(`{"type":"interactive","payload":null}`)
	f.Fuzz(func(t *testing.T, frame string) {
		var e envelope
		if json.Unmarshal([]byte(frame), &e) != nil {
			return
		}
		s := &Slack{cfg: Config{Now: func() time.Time { return signedAt }}}
		d, err := s.decodeFrame(e)
		checkDecoded(t, d, err)
	})
}
