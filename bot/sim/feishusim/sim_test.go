package feishusim

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	testAppID  = "cli_test"
	testSecret = "app-secret"
	testKey    = "test key"
	testVerify = "v-token"
)

type obj = map[string]any

// hit is one request that the bot received.
type hit struct {
	path   string
	header http.Header
	body   string
}

// event is what was pushed, decrypted.
func (h hit) event(t *testing.T) obj {
	t.Helper()
	var e struct {
		Encrypt string `json:"encrypt"`
	}
	raw := []byte(h.body)
	if err := json.Unmarshal(raw, &e); err == nil && e.Encrypt != "" {
		plain, err := Decrypt(testKey, e.Encrypt)
		if err != nil {
			t.Fatalf("decrypting what the bot received: %v", err)
		}
		raw = plain
	}
	v, err := decodeJSON(raw)
	o, isObject := v.(obj)
	if err != nil || !isObject {
		t.Fatalf("what the bot received is no JSON object: %q", raw)
	}
	return o
}

// at reads a path through nested objects and lists; a missing step gives nil.
func at(v any, path ...any) any {
	for _, step := range path {
		switch k := step.(type) {
		case string:
			o, _ := v.(obj)
			v = o[k]
		case int:
			l, _ := v.([]any)
			if k >= len(l) {
				return nil
			}
			v = l[k]
		}
	}
	return v
}

// bot is a scripted bot: it records what it receives and answers as told, {} unless told.
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
	if answer == nil {
		io.WriteString(w, "{}") //nolint:errcheck // a client that has gone away is part of some tests
		return
	}
	answer(w, r)
}

func (b *bot) answers(f func(w http.ResponseWriter, r *http.Request)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answer = f
}

// says makes the bot answer everything with one status and body.
func (b *bot) says(status int, body string) {
	b.answers(func(w http.ResponseWriter, _ *http.Request) {
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

// office is a small firm with a scripted bot, both on sockets: Lin and Kai, a group with the bot and one without it.
type office struct {
	*Server
	bot            *bot
	url, token     string
	lin, kai       Person
	group, private string
}

func newOffice(t *testing.T, change func(*Options)) *office {
	t.Helper()
	b := &bot{}
	botServer := httptest.NewServer(b)
	t.Cleanup(botServer.Close)
	o := Options{
		AppID: testAppID, AppSecret: testSecret, EncryptKey: testKey, VerificationToken: testVerify, BotURL: botServer.URL, Seed: 7,
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
	d := s.AddDepartment(Department{Name: "研发部"})
	w.kai = s.AddPerson(Person{
		Name: "Kai Berg", Handle: "kai", Email: "kai@example.com", Mobile: "+8613800000001", EmployeeNo: "E001", Departments: []string{d.ID},
	})
	w.lin = s.AddPerson(Person{
		Name: "林小雨", EnName: "Lin Xiaoyu", Handle: "lin", Email: "lin@example.com", EmployeeNo: "E002", Departments: []string{d.ID},
		Leader: w.kai.OpenID, JoinTime: 1700000000,
	})
	_, botID := s.Bot()
	w.group = s.AddChat(Chat{Name: "全员群", Members: []string{w.lin.OpenID, w.kai.OpenID, botID}}).ID
	w.private = s.AddChat(Chat{Name: "小群", Members: []string{w.lin.OpenID}}).ID
	w.login(t)
	return w
}

// login takes a tenant_access_token for the calls that follow.
func (w *office) login(t *testing.T) {
	t.Helper()
	out := w.call(t, "POST", "/open-apis/auth/v3/tenant_access_token/internal", obj{"app_id": testAppID, "app_secret": testSecret})
	w.token, _ = out["tenant_access_token"].(string)
	if w.token == "" {
		t.Fatalf("no tenant_access_token: %s", encodeJSON(out))
	}
}

// call makes one API call with a JSON body, nil for none, and wants a JSON object.
func (w *office) call(t *testing.T, method, path string, body any) obj {
	t.Helper()
	_, _, out := w.request(t, method, path, body)
	return out
}

func (w *office) request(t *testing.T, method, path string, body any) (int, http.Header, obj) {
	t.Helper()
	var raw []byte
	if body != nil {
		raw = encodeJSON(body)
	}
	status, header, answered, err := w.try(t, method, path, "application/json; charset=utf-8", raw)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	v, err := decodeJSON(answered)
	out, isObject := v.(obj)
	if err != nil || !isObject {
		t.Fatalf("%s %s answered %d with %q, which is no JSON object", method, path, status, answered)
	}
	return status, header, out
}

func (w *office) try(t *testing.T, method, path, media string, body []byte) (int, http.Header, []byte, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.url+path, bytes.NewReader(body))
	if err != nil {
		t.Fatalf("making a request: %v", err)
	}
	if body != nil {
		r.Header.Set("Content-Type", media)
	}
	if w.token != "" {
		r.Header.Set("Authorization", "Bearer "+w.token)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, nil, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	return res.StatusCode, res.Header, raw, err
}

const createPath = "/open-apis/im/v1/messages?receive_id_type="

// send sends a message to Lin.
func (w *office) send(t *testing.T, kind string, content any) obj {
	t.Helper()
	return w.call(t, "POST", createPath+"open_id", obj{
		"receive_id": w.lin.OpenID, "msg_type": kind, "content": string(encodeJSON(content)),
	})
}

// sendCard sends a card to Lin and returns its message_id.
func (w *office) sendCard(t *testing.T, card obj) string {
	t.Helper()
	out := w.send(t, "interactive", card)
	wantCode(t, "sending a card", out, 0)
	id, _ := at(out, "data", "message_id").(string)
	return id
}

// wantCode fails unless an API answer has this code.
func wantCode(t *testing.T, what string, got obj, code int) {
	t.Helper()
	n, _ := got["code"].(json.Number)
	if i, err := n.Int64(); err != nil || int(i) != code {
		t.Errorf("%s answered code %s, want %d; all of it: %s", what, n, code, encodeJSON(got))
	}
}

func rules(fs []Finding) []string {
	var out []string
	for _, f := range fs {
		out = append(out, f.Severity+" "+f.Rule)
	}
	return out
}

// chars is n characters of three bytes each, so that a limit counted in bytes is noticed.
func chars(n int) string { return strings.Repeat("字", n) }

func plainText(s string) obj { return obj{"tag": "plain_text", "content": s} }

func md(s string) obj { return obj{"tag": "markdown", "content": s} }

func div(s string) obj { return obj{"tag": "div", "text": plainText(s)} }

func callback(value any) []any { return []any{obj{"type": "callback", "value": value}} }

func buttonOf(text, name string) obj {
	return obj{"tag": "button", "text": plainText(text), "name": name, "behaviors": callback(obj{"do": name})}
}

func submitOf(text, name string) obj {
	b := buttonOf(text, name)
	b["form_action_type"] = "submit"
	return b
}

func formOf(elements ...any) obj {
	return obj{"tag": "form", "name": "f", "elements": append(elements, submitOf("提交", "go"))}
}

func cardOf(elements ...any) obj {
	return obj{
		"schema": "2.0", "config": obj{"update_multi": true}, "header": obj{"title": plainText("赞"), "template": "blue"},
		"body": obj{"elements": append([]any{}, elements...)},
	}
}

func times(n int, v func(i int) any) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = v(i)
	}
	return out
}
