package feishu_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/bot/feishu"
	"huiyin/bot/sim/feishusim"
	"huiyin/internal/fault"
	"huiyin/internal/i18n"
)

// newStream is an office over a long connection that is checked, at the end, for goroutines left behind.
func newStream(t *testing.T, change func(*feishusim.Options)) *office {
	t.Helper()
	t.Cleanup(func() { goleak.VerifyNone(t) }) // the last to run
	return newOffice(t, func(opt *feishusim.Options) {
		opt.Mode = feishusim.Stream
		if change != nil {
			change(opt)
		}
	})
}

// A long connection that breaks is opened again, and what Feishu could not deliver meanwhile comes then.
func TestABrokenConnectionIsOpenedAgain(t *testing.T) {
	o := newStream(t, nil)
	defer o.run(t)()
	lin, dm := o.lin.OpenID, o.P2P(o.lin.OpenID)
	o.replies(bot.Reply{Card: &card.Card{Title: "Here"}})
	for i := range 2 {
		o.Disconnect(0)
		said, ack, err := o.Say(lin, dm, fmt.Sprintf("help %d", i))
		if err != nil {
			t.Fatal(err)
		}
		o.until(t, "the connection is open again", func() bool { return o.Sockets() == 1 })
		if ack.Failure != "" { // nobody was there
			o.Advance(15 * time.Second)
		}
		o.until(t, "the message was heard", func() bool { return o.count() > 0 && o.last(t).ID == said.ID })
	}
	o.ExpireTokens()
	if _, ack, err := o.Say(lin, dm, "after the token was ended"); err != nil || ack.Failure != "" {
		t.Errorf("a message is answered %+v, %v", ack, err)
	}
	o.until(t, "all were answered", func() bool {
		n := 0
		for _, m := range o.Messages(dm, lin) {
			if m.SenderType == "app" {
				n++
			}
		}
		return n == 3
	})
}

func TestAPayloadInPiecesIsPutTogether(t *testing.T) {
	o := newStream(t, func(opt *feishusim.Options) { opt.FrameBytes = 100 })
	defer o.run(t)()
	long := strings.Repeat("谢谢你把交接写得这么清楚。", 100)
	if _, ack, err := o.Say(o.lin.OpenID, o.P2P(o.lin.OpenID), long); err != nil || ack.Failure != "" {
		t.Fatalf("a message in pieces is answered %+v, %v", ack, err)
	}
	if c := o.last(t).Command; c == nil || c.Parts[0].Text != long {
		t.Errorf("the message came as %+v", c)
	}
	for _, f := range o.Findings() {
		t.Errorf("%s %s", f.Severity, f.Rule)
	}
}

// What has come in is answered also when the connection is about to be given up.
func TestStoppingFinishesWhatIsBeingAnswered(t *testing.T) {
	o := newStream(t, nil)
	entered, free := make(chan struct{}), make(chan struct{})
	o.answer = func(context.Context, bot.Event) (bot.Reply, error) {
		close(entered)
		<-free
		return bot.Reply{}, nil
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- o.feishu.Run(ctx, o.receive) }()
	o.until(t, "the long connection is open", func() bool { return o.Sockets() == 1 })
	acks := make(chan feishusim.Ack, 1)
	go func() {
		_, ack, _ := o.Say(o.lin.OpenID, o.P2P(o.lin.OpenID), "help")
		acks <- ack
	}()
	<-entered
	stop()
	close(free)
	if ack := <-acks; ack.Failure != "" || ack.Status != http.StatusOK {
		t.Errorf("what was being answered ended with %+v", ack)
	}
	if err := <-done; err != nil {
		t.Errorf("Run returned %v at the end of its context, want nil", err)
	}
	o.until(t, "the connection is closed", func() bool { return o.Sockets() == 0 })
}

func TestRefusedCredentialsEndTheConnectionForGood(t *testing.T) {
	o := newStream(t, nil)
	catalog, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := feishu.New(feishu.Config{
		AppID: testApp, AppSecret: "wrong", BaseURL: o.BaseURL(), Now: o.Now, Log: slog.New(slog.DiscardHandler), Catalog: catalog,
		HTTP: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	err = wrong.Run(t.Context(), o.receive)
	if f, ok := fault.Of(err); !ok || f.Key != "feishu.auth" {
		t.Errorf("Run returned %v, want that the credentials are refused", err)
	}
}

// Pings keep a connection, and one that says nothing is given up.
func TestAConnectionLivesAsLongAsItIsAnswered(t *testing.T) {
	o := newStream(t, func(opt *feishusim.Options) { opt.PingInterval = time.Second })
	defer o.run(t)()
	deadline := time.NewTimer(4 * time.Second)
	defer deadline.Stop()
	<-deadline.C
	if o.Sockets() != 1 {
		t.Fatal("a connection that is pinged was lost")
	}
	opened := 0
	for _, c := range o.Calls() {
		if c.Method == "ws.endpoint" {
			opened++
		}
	}
	if opened > 1 {
		t.Errorf("the connection was opened %d times within four pings", opened)
	}
}

// A connection that looks open and is dead is noticed, and what cannot be read on it breaks nothing.
func TestASilentConnectionIsGivenUp(t *testing.T) {
	t.Cleanup(func() { goleak.VerifyNone(t) })
	catalog, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	opened := make(chan struct{}, 10)
	release := make(chan struct{})
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/callback/ws/endpoint" {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"code":0,"msg":"OK","data":{"URL":"ws%s/link?service_id=7","ClientConfig":{"PingInterval":1}}}`, strings.TrimPrefix(server.URL, "http"))
			return
		}
		conn, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
		if err != nil {
			t.Errorf("upgrading: %v", err)
			return
		}
		defer conn.Close()
		for _, raw := range [][]byte{{0xff}, {}, []byte("hello")} {
			if err := conn.WriteMessage(websocket.BinaryMessage, raw); err != nil {
				t.Errorf("writing: %v", err)
			}
		}
		opened <- struct{}{}
		<-release // never reads, never answers
	}))
	defer server.Close()
	defer close(release)
	f, err := feishu.New(feishu.Config{
		AppID: testApp, AppSecret: "secret", BaseURL: server.URL, Now: func() time.Time { return time.Unix(1767574800, 0) }, Log: slog.New(slog.DiscardHandler), Catalog: catalog,
		HTTP: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- f.Run(ctx, func(context.Context, bot.Event) (bot.Reply, error) { return bot.Reply{}, nil })
	}()
	for i := range 2 {
		select {
		case <-opened:
		case <-time.After(patience):
			t.Fatalf("connection %d was not opened", i+1)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("Run returned %v", err)
	}
}
