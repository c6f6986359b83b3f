package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"huiyin/bot"
	"huiyin/internal/i18n"
)

const (
	testSecret = "8f742231b10e8888abcd99yyyzzz85a5"
	testToken  = "xoxb-token-canary"
	patience   = 5 * time.Second // how long a test waits for what must come
)

// call is one request to the fake Slack. Method is the Web API's, or "response" for a response address.
type call struct {
	Method string
	Auth   string
	Form   url.Values
	JSON   map[string]any
}

// fake is a Slack that takes everything, answers what it is told to, and remembers.
type fake struct {
	*httptest.Server
	calls chan call

	mu      sync.Mutex
	answers map[string]http.HandlerFunc
}

func newFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{calls: make(chan call, 1000), answers: map[string]http.HandlerFunc{}}
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(f.Close)
	f.say("auth.test", `{"ok":true,"team_id":"T1","user_id":"U0BOT","bot_id":"B0BOT"}`)
	f.say("conversations.open", `{"ok":true,"channel":{"id":"D1"}}`)
	f.say("chat.postMessage", `{"ok":true,"channel":"D1","ts":"1762857600.000100"}`)
	f.say("response", `ok`)
	return f
}

func (f *fake) serve(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	c := call{Method: strings.TrimPrefix(r.URL.Path, "/api/"), Auth: r.Header.Get("Authorization")}
	if strings.HasPrefix(r.URL.Path, "/response/") {
		c.Method = "response"
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		_ = json.Unmarshal(raw, &c.JSON)
	} else {
		c.Form, _ = url.ParseQuery(string(raw))
	}
	f.mu.Lock()
	answer := f.answers[c.Method]
	f.mu.Unlock()
	f.calls <- c
	if answer == nil {
		answer = body(`{"ok":true}`)
	}
	answer(w, r)
}

func body(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, text)
	}
}

// say sets what a method answers from now on; do sets how.
func (f *fake) say(method, text string) { f.do(method, body(text)) }

func (f *fake) do(method string, h http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers[method] = h
}

// next is the next call, which must be of the method.
func (f *fake) next(t *testing.T, method string) call {
	t.Helper()
	select {
	case c := <-f.calls:
		if c.Method != method {
			t.Fatalf("the next call is %s %v, want %s", c.Method, c.Form, method)
		}
		return c
	case <-time.After(patience):
		t.Fatalf("no call of %s came", method)
		return call{}
	}
}

// quiet fails when there was another call.
func (f *fake) quiet(t *testing.T) {
	t.Helper()
	select {
	case c := <-f.calls:
		t.Errorf("a call that nobody wanted: %s %v %v", c.Method, c.Form, c.JSON)
	default:
	}
}

// rig is an adapter that talks to a fake Slack, and what it logs.
type rig struct {
	*Slack
	fake *fake
	log  *logged
	now  time.Time
}

// logged is a log that tests may read while it is written.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newRig(t *testing.T, change ...func(*Config)) *rig {
	t.Helper()
	catalog, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	f := newFake(t)
	r := &rig{fake: f, log: &logged{}, now: signedAt}
	cfg := Config{
		SigningSecret: testSecret, BotToken: testToken, APIURL: f.URL + "/api", Now: func() time.Time { return r.now },
		Log: newLogger(r.log), Catalog: catalog,
	}
	for _, c := range change {
		c(&cfg)
	}
	if r.Slack, err = New(cfg); err != nil {
		t.Fatalf("making the adapter: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := r.Close(ctx); err != nil {
			t.Errorf("closing the adapter: %v", err)
		}
	})
	return r
}

// reply is a product that always answers the same.
func reply(answer bot.Reply) bot.Receive {
	return func(context.Context, bot.Event) (bot.Reply, error) { return answer, nil }
}

func fails(err error) bot.Receive {
	return func(context.Context, bot.Event) (bot.Reply, error) { return bot.Reply{}, err }
}

// request is what Slack would send, signed now.
func (r *rig) request(t *testing.T, path string, raw []byte) *http.Request {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, bytes.NewReader(raw))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	stamp := fmt.Sprint(r.now.Unix())
	req.Header.Set("X-Slack-Request-Timestamp", stamp)
	req.Header.Set("X-Slack-Signature", sign(testSecret, stamp, raw))
	return req
}

// serve hands a request to the adapter as a server does.
func (r *rig) serve(handle bot.Receive, req *http.Request) *httptest.ResponseRecorder {
	mux := http.NewServeMux()
	for pattern, h := range r.Routes(handle) {
		mux.Handle(pattern, h)
	}
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, req)
	return w
}

// deliver sends a recorded payload with its response address leading to the fake.
func (r *rig) deliver(t *testing.T, name string, handle bot.Receive) *httptest.ResponseRecorder {
	t.Helper()
	p := load(t, "testdata/events/"+name+".json")
	p.Payload = bytes.ReplaceAll(p.Payload, []byte("https://hooks.slack.com/"), []byte(r.fake.URL+"/response/"))
	return r.serve(handle, r.request(t, "/slack/"+p.Door, p.body(t)))
}

func decoded(t *testing.T, raw []byte) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatalf("%s is no JSON: %v", raw, err)
	}
	return out
}

func newLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// recorder is a response without a network.
type recorder struct {
	header http.Header
	status int
	b      bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return r.b.Write(p) }

func (r *recorder) response(req *http.Request) *http.Response {
	return &http.Response{StatusCode: r.status, Header: r.header, Body: io.NopCloser(&r.b), Request: req}
}
