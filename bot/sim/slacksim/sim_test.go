package slacksim

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	testSecret   = "8f742231b10e8888abcd99yyyzzz85a5"
	testBotToken = "xoxb-test"
	testAppToken = "xapp-test"
)

type obj = map[string]any

// hit is one request that the bot received.
type hit struct {
	path   string
	header http.Header
	body   string
}

func (h hit) form(t *testing.T) url.Values {
	t.Helper()
	v, err := url.ParseQuery(h.body)
	if err != nil {
		t.Fatalf("the body that the bot received is no form: %v", err)
	}
	return v
}

func (h hit) payload(t *testing.T) obj {
	t.Helper()
	raw := h.body
	if h.path == "/slack/interactions" || h.path == "/slack/options" {
		raw = h.form(t).Get("payload")
	}
	var o obj
	if err := json.Unmarshal([]byte(raw), &o); err != nil {
		t.Fatalf("the payload that the bot received is no JSON object: %v", err)
	}
	return o
}

// bot is a scripted bot: it records what it receives and answers as told.
type bot struct {
	mu     sync.Mutex
	hits   []hit
	answer func(w http.ResponseWriter, r *http.Request)
}

func (b *bot) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	b.mu.Lock()
	b.hits = append(b.hits, hit{path: r.URL.Path, header: r.Header.Clone(), body: string(body)})
	answer := b.answer
	b.mu.Unlock()
	if answer != nil {
		answer(w, r)
	}
}

func (b *bot) answers(f func(w http.ResponseWriter, r *http.Request)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answer = f
}

// says makes the bot answer everything with one status, content type and body.
func (b *bot) says(status int, media, body string) {
	b.answers(func(w http.ResponseWriter, _ *http.Request) {
		if media != "" {
			w.Header().Set("Content-Type", media)
		}
		w.WriteHeader(status)
		io.WriteString(w, body) //nolint:errcheck // a client that has gone away is part of some tests
	})
}

func (b *bot) received() []hit {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]hit(nil), b.hits...)
}

func (b *bot) last(t *testing.T) hit {
	t.Helper()
	hits := b.received()
	if len(hits) == 0 {
		t.Fatal("the bot received nothing")
	}
	return hits[len(hits)-1]
}

// office is a small workspace with a scripted bot, both on sockets: Lin and Kai, #general with the bot, #secret without it.
type office struct {
	*Server
	bot              *bot
	url              string
	lin, kai         string
	general, private string
}

func newOffice(t *testing.T, change func(*Options)) *office {
	t.Helper()
	b := &bot{}
	botServer := httptest.NewServer(b)
	t.Cleanup(botServer.Close)
	o := Options{
		SigningSecret: testSecret, BotToken: testBotToken, AppToken: testAppToken, BotURL: botServer.URL, NoEcho: true, Seed: 7,
		AckTimeout: 2 * time.Second,
	}
	if change != nil {
		change(&o)
	}
	s := New(o)
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	t.Cleanup(s.Close)
	s.SetBaseURL(server.URL)
	w := &office{Server: s, bot: b, url: server.URL}
	w.lin = s.AddPerson(Person{ID: "U0LIN00001", Handle: "lin", RealName: "林小雨", DisplayName: "小雨", Email: "lin@example.com"}).ID
	w.kai = s.AddPerson(Person{ID: "U0KAI00001", Handle: "kai", RealName: "Kai Berg", DisplayName: "Kai", Email: "kai@example.com"}).ID
	w.general = s.AddChannel(Channel{ID: "C0GENERAL1", Name: "general", Members: []string{w.lin, w.kai, s.BotUser()}}).ID
	w.private = s.AddChannel(Channel{ID: "C0SECRET01", Name: "secret", Kind: Private, Members: []string{w.lin}}).ID
	return w
}

// api calls a method with a JSON body and the bot's token.
func (w *office) api(t *testing.T, method string, body any) obj {
	t.Helper()
	_, _, out := w.post(t, "/api/"+method, "application/json; charset=utf-8", testBotToken, string(encodeJSON(body)))
	return out
}

// form calls a method with a form body, as the methods want that read.
func (w *office) form(t *testing.T, method string, pairs ...string) obj {
	t.Helper()
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	_, _, out := w.post(t, "/api/"+method, "application/x-www-form-urlencoded", testBotToken, v.Encode())
	return out
}

func (w *office) post(t *testing.T, path, media, token, body string) (int, http.Header, obj) {
	t.Helper()
	status, header, raw, err := w.try(t, path, media, token, body)
	if err != nil {
		t.Fatalf("POST %s: %v", path, err)
	}
	var out obj
	if err := json.Unmarshal([]byte(raw), &out); err != nil {
		t.Fatalf("POST %s answered %d with %q, which is no JSON object", path, status, raw)
	}
	return status, header, out
}

func (w *office) try(t *testing.T, path, media, token, body string) (int, http.Header, string, error) {
	t.Helper()
	address := path
	if !strings.HasPrefix(address, "http") {
		address = w.url + path
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		t.Fatalf("making a request: %v", err)
	}
	r.Header.Set("Content-Type", media)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, "", err
	}
	defer res.Body.Close()
	var b bytes.Buffer
	if _, err := io.Copy(&b, res.Body); err != nil {
		return res.StatusCode, res.Header, b.String(), err
	}
	return res.StatusCode, res.Header, b.String(), nil
}

// slash runs a command and fails the test when the client would not send it.
func (w *office) slash(t *testing.T, text string) Ack {
	t.Helper()
	ack, err := w.Slash(w.lin, w.general, "/praise", text)
	if err != nil {
		t.Fatalf("typing /praise %s: %v", text, err)
	}
	return ack
}

// trigger runs a command and returns the trigger_id that the bot received.
func (w *office) trigger(t *testing.T) string {
	t.Helper()
	w.slash(t, "")
	return w.bot.last(t).form(t).Get("trigger_id")
}

// wantError fails unless an API answer has this error; "" means ok.
func wantError(t *testing.T, what string, got obj, code string) {
	t.Helper()
	e, _ := got["error"].(string)
	if e != code || got["ok"] != (code == "") {
		t.Errorf("%s answered %q, want %q; all of it: %s", what, e, code, encodeJSON(got))
	}
}

func rules(fs []Finding) []string {
	var out []string
	for _, f := range fs {
		out = append(out, f.Severity+" "+f.Rule+" "+f.Pointer)
	}
	return out
}

// chars is n characters of three bytes each, so that a limit counted in bytes is noticed.
func chars(n int) string { return strings.Repeat("字", n) }

func plainText(s string) obj { return obj{"type": "plain_text", "text": s} }

func mrkdwn(s string) obj { return obj{"type": "mrkdwn", "text": s} }

func section(s string) obj { return obj{"type": "section", "text": mrkdwn(s)} }

func times(n int, v func(i int) any) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = v(i)
	}
	return out
}

func modal(blocks ...any) obj {
	return obj{"type": "modal", "title": plainText("Praise"), "submit": plainText("Send"), "blocks": append([]any{}, blocks...)}
}

func textInput(block string) obj {
	return obj{
		"type": "input", "block_id": block, "label": plainText("Text"), "element": obj{"type": "plain_text_input", "action_id": "a"},
	}
}
