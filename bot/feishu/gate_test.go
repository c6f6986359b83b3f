package feishu_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/bot/feishu"
	"huiyin/bot/sim/feishusim"
	"huiyin/internal/fault"
	"huiyin/internal/i18n"
)

// sends counts the messages that Feishu was asked to send.
func (o *office) sends() (n int) {
	for _, c := range o.Calls() {
		if c.Method == "im.message.create" {
			n++
		}
	}
	return n
}

// R04: while Feishu asks for patience with an API, that API hears nothing from us, whoever wants to send.
func TestWhileFeishuAsksToWaitNothingIsAskedOfThatAPI(t *testing.T) {
	o := newOffice(t, nil)
	send := func(to string) error {
		_, err := o.feishu.Send(t.Context(), bot.Message{To: bot.Address{User: to}, Card: thanks})
		return err
	}
	ref, err := o.feishu.Send(t.Context(), bot.Message{To: bot.Address{User: o.kai.OpenID}, Card: thanks})
	if err != nil {
		t.Fatal(err)
	}
	o.SetFault("im.message.create", feishusim.Fault{RetryAfter: 7})
	if err := send(o.kai.OpenID); err == nil {
		t.Fatal("a refused message was sent")
	}
	o.SetFault("im.message.create")
	before := o.sends()
	o.Advance(4 * time.Second)
	for _, to := range []string{o.kai.OpenID, o.lin.OpenID} {
		if f, ok := fault.Of(send(to)); !ok || f.Kind != fault.Unavailable || f.Key != "feishu.busy" || f.RetryAfter != 3*time.Second {
			t.Errorf("four seconds into a wait of seven, sending ended with %+v, want busy for three more seconds", f)
		}
	}
	if n := o.sends() - before; n != 0 {
		t.Errorf("%d messages were sent before the wait was over, want none", n)
	}
	if err := o.feishu.Update(t.Context(), ref, thanks); err != nil {
		t.Errorf("another API is kept waiting too: %v", err)
	}
	o.Advance(3 * time.Second)
	if err := send(o.kai.OpenID); err != nil {
		t.Errorf("when the wait is over, sending ended with %v", err)
	}
}

// A header that asks for a day must not stop all messages for a day: after five minutes Feishu is asked again.
func TestNoWaitIsLongerThanFiveMinutes(t *testing.T) {
	for _, wanted := range []string{"86400", "9223372036854775807"} {
		requests := 0
		g := newGateway(t, func(w http.ResponseWriter, _ *http.Request) {
			requests++
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("X-Ogw-Ratelimit-Reset", wanted)
			w.WriteHeader(http.StatusTooManyRequests)
			fmt.Fprint(w, `{"code":99991400,"msg":"request trigger frequency limit"}`)
		})
		send := func() *fault.Fault {
			_, err := g.feishu.Send(t.Context(), bot.Message{To: bot.Address{User: "ou_1"}, Card: thanks})
			f, _ := fault.Of(err)
			return f
		}
		for range 3 {
			if f := send(); f == nil || f.Key != "feishu.busy" || f.RetryAfter != 5*time.Minute {
				t.Errorf("asked to wait %s seconds, sending ends with %+v, want busy for five minutes", wanted, f)
			}
		}
		if waits := strings.Count(g.log.String(), "feishu wants us to wait"); requests != 1 || waits != 1 || !strings.Contains(g.log.String(), "seconds="+wanted) {
			t.Errorf("%d requests were made within the wait, and the log speaks %d times of it; want one each:\n%s", requests, waits, g.log.String())
		}
		g.now = g.now.Add(5 * time.Minute)
		if f := send(); requests != 2 {
			t.Errorf("after five minutes %d requests were made, want the second (%v)", requests, f)
		}
	}
}

// Feishu counts messages by receiver, and changes by message: a refusal for one of them holds up no other.
func TestARefusalForOneHoldsUpNoOther(t *testing.T) {
	var asked []string
	crowded := true
	g := newGateway(t, func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			To string `json:"receive_id"`
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Errorf("reading a request: %v", err)
		}
		whose := cmp.Or(body.To, path.Base(r.URL.Path))
		asked = append(asked, whose)
		w.Header().Set("Content-Type", "application/json")
		if crowded && strings.HasSuffix(whose, "_1") {
			w.Header().Set("X-Ogw-Ratelimit-Reset", "5")
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"code":230020,"msg":"This operation triggers the frequency limit."}`)
			return
		}
		fmt.Fprint(w, `{"code":0,"msg":"ok","data":{"message_id":"om_9"}}`)
	})
	calls := map[string]func(id string) error{
		"sending": func(id string) error {
			_, err := g.feishu.Send(t.Context(), bot.Message{To: bot.Address{User: "ou_" + id}, Card: thanks})
			return err
		},
		"changing": func(id string) error {
			return g.feishu.Update(t.Context(), bot.Ref{Channel: "ou_1", ID: "om_" + id}, thanks)
		},
	}
	for what, call := range calls {
		crowded, asked = true, nil
		for range 3 {
			if f, ok := fault.Of(call("1")); !ok || f.Key != "feishu.busy" || f.RetryAfter != 5*time.Second {
				t.Errorf("%s too often ended with %+v, want busy for five seconds", what, f)
			}
		}
		if len(asked) != 1 {
			t.Errorf("%s: %d requests were made within the wait, want none after the one that was refused", what, len(asked)-1)
		}
		if err := call("2"); err != nil {
			t.Errorf("%s for another ended with %v", what, err)
		}
		crowded, g.now = false, g.now.Add(5*time.Second)
		if err := call("1"); err != nil {
			t.Errorf("%s when the wait was over ended with %v", what, err)
		}
	}
}

// What people asked for waits as long as Feishu asks, and then comes: no answer is lost, and none is sent into the wait.
func TestAnswersWaitAsLongAsFeishuAsks(t *testing.T) {
	o := newOffice(t, func(opt *feishusim.Options) { opt.Limits = feishusim.Limits{Scale: 100} })
	o.replies(bot.Reply{Card: &card.Card{Title: "Here it is"}})
	o.SetFault("im.message.create", feishusim.Fault{RetryAfter: 2})
	if _, err := o.feishu.Send(t.Context(), bot.Message{To: bot.Address{User: o.kai.OpenID}, Card: thanks}); err == nil {
		t.Fatal("a refused message was sent")
	}
	o.SetFault("im.message.create")
	for i := range 10 {
		if _, ack, err := o.Say(o.lin.OpenID, o.P2P(o.lin.OpenID), fmt.Sprint("help ", i)); err != nil || ack.Failure != "" {
			t.Fatalf("a command is answered %+v, %v", ack, err)
		}
	}
	o.Advance(2 * time.Second)
	o.until(t, "all commands are answered", func() bool {
		n := 0
		for _, m := range o.Messages(o.P2P(o.lin.OpenID), o.lin.OpenID) {
			if m.SenderType == "app" && strings.Contains(m.Content, "Here it is") {
				n++
			}
		}
		return n == 10 && o.sends() >= 11 // a call is written down after its message can be seen
	})
	if n := o.sends(); n != 11 {
		t.Errorf("for ten answers, after one message that was refused, %d messages were sent, want 11", n)
	}
	for _, f := range o.Findings() {
		t.Errorf("%s %s at %s (%s)", f.Severity, f.Rule, f.Method, f.Detail)
	}
}

// A gateway before Feishu may say in its own way how long to wait.
func TestTheWaitOfAGatewayIsHeeded(t *testing.T) {
	asked := 0
	g := newGateway(t, func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.Header().Set("Retry-After", "9")
		w.WriteHeader(http.StatusTooManyRequests)
		fmt.Fprint(w, "<html>")
	})
	for range 3 {
		_, err := g.feishu.Send(t.Context(), bot.Message{To: bot.Address{User: "ou_1"}, Card: thanks})
		if f, ok := fault.Of(err); !ok || f.Key != "feishu.busy" || f.RetryAfter != 9*time.Second {
			t.Errorf("sending ended with %+v, want busy for nine seconds", f)
		}
	}
	if asked != 1 {
		t.Errorf("the gateway was asked %d times within the wait, want once", asked)
	}
}

// gateway is an adapter that calls what a test stands in for Feishu; only tokens are always given.
type gateway struct {
	feishu *feishu.Feishu
	now    time.Time
	log    writtenLog
}

// writtenLog is a log that tests may read while it is written.
type writtenLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *writtenLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *writtenLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newGateway(t *testing.T, serve http.HandlerFunc) *gateway {
	t.Helper()
	catalog, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/auth/") {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"code":0,"msg":"ok","tenant_access_token":"t","expire":7200}`)
			return
		}
		serve(w, r)
	}))
	t.Cleanup(server.Close)
	g := &gateway{now: time.Unix(1767574800, 0)}
	g.feishu, err = feishu.New(feishu.Config{
		AppID: testApp, AppSecret: "secret", BaseURL: server.URL, Now: func() time.Time { return g.now }, Log: slog.New(slog.NewTextHandler(&g.log, nil)), Catalog: catalog,
		HTTP: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}
