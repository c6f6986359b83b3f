package dingtalksim

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

	"huiyin/bot/sim/backstage"
)

const (
	testClient = "dingtest"
	testSecret = "this is a secret"
	testToken  = "mryue"
	testKey    = "Yue0EfdN5900c1ce5cf6A152c63DDe1808a60c5ecd7"
)

type obj = map[string]any

func encodeJSON(v any) []byte { return backstage.EncodeJSON(v) }

// hit is one request that the bot received.
type hit struct {
	path   string
	query  url.Values
	header http.Header
	body   string
}

// payload is what was pushed, decrypted.
func (h hit) payload(t *testing.T) obj {
	t.Helper()
	var e struct {
		Encrypt string `json:"encrypt"`
	}
	raw := []byte(h.body)
	if err := json.Unmarshal(raw, &e); err == nil && e.Encrypt != "" {
		plain, err := DecryptEvent(testKey, testClient, e.Encrypt)
		if err != nil {
			t.Fatalf("decrypting what the bot received: %v", err)
		}
		raw = plain
	}
	return decoded(t, raw)
}

func decoded(t *testing.T, raw []byte) obj {
	t.Helper()
	v, err := backstage.DecodeJSON(raw)
	o, isObject := v.(obj)
	if err != nil || !isObject {
		t.Fatalf("this is no JSON object: %q", raw)
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

// bot is a scripted bot: it records what it receives and answers as told, {} unless told, an event with success.
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
	b.hits = append(b.hits, hit{path: r.URL.Path, query: r.URL.Query(), header: r.Header.Clone(), body: string(body)})
	answer := b.answer
	b.mu.Unlock()
	switch {
	case answer != nil:
		answer(w, r)
	case r.URL.Path == EventsPath:
		w.Write(sealed("success")) //nolint:errcheck // a client that has gone away is part of some tests
	default:
		io.WriteString(w, "{}") //nolint:errcheck // a client that has gone away is part of some tests
	}
}

// sealed is the encrypted and signed answer to an event.
func sealed(word string) []byte {
	encrypted, err := EncryptEvent(testKey, testClient, [16]byte{1, 2, 3}, []byte(word))
	if err != nil {
		return nil
	}
	return encodeJSON(obj{
		"msg_signature": SignEvent(testToken, "1767574800000", "n0nce", encrypted), "timeStamp": "1767574800000", "nonce": "n0nce", "encrypt": encrypted,
	})
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

// office is a small firm with a scripted bot, both on sockets: Lin, her manager Kai and Max of another firm, a group with the
// bot and one without it, and a template.
type office struct {
	*Server
	bot            *bot
	url, token     string
	lin, kai, max  Person
	dept           Department
	group, private string
	template       string
}

func newOffice(t *testing.T, change func(*Options)) *office {
	t.Helper()
	b := &bot{}
	botServer := httptest.NewServer(b)
	t.Cleanup(botServer.Close)
	o := Options{
		ClientID: testClient, ClientSecret: testSecret, EventToken: testToken, EventAESKey: testKey, BotURL: botServer.URL, Seed: 7,
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
	w.dept = s.AddDepartment(Department{Name: "研发部"})
	w.kai = s.AddPerson(Person{
		UserID: "manager01", Name: "Kai Berg", Handle: "kai", Email: "kai@example.com", Mobile: "13800000001", JobNumber: "E001",
		DeptIDs: []int64{w.dept.ID}, Leads: []int64{w.dept.ID},
	})
	w.lin = s.AddPerson(Person{
		UserID: "staff02", Name: "林小雨", EnName: "Lin Xiaoyu", Handle: "lin", Email: "lin@example.com", JobNumber: "E002",
		DeptIDs: []int64{w.dept.ID}, Manager: w.kai.UserID, HiredDate: 1700000000000,
	})
	w.max = s.AddPerson(Person{Name: "Max Guest", Handle: "max", CorpID: "dingother"})
	_, botID := s.Bot()
	w.group = s.AddChat(Chat{Name: "全员群", Members: []string{w.lin.UserID, w.kai.UserID, w.max.UserID, botID}}).ID
	w.private = s.AddChat(Chat{Name: "小群", Members: []string{w.lin.UserID}}).ID
	w.template = s.AddTemplate(FormTemplate("")).ID
	w.login(t)
	return w
}

// login takes an access token for the calls that follow.
func (w *office) login(t *testing.T) {
	t.Helper()
	out := w.call(t, "POST", "/v1.0/oauth2/accessToken", obj{"appKey": testClient, "appSecret": testSecret})
	w.token, _ = out["accessToken"].(string)
	if w.token == "" {
		t.Fatalf("no access token: %s", encodeJSON(out))
	}
}

// call makes one API call with a JSON body, nil for none, and wants a JSON object.
func (w *office) call(t *testing.T, method, path string, body any) obj {
	t.Helper()
	_, out := w.request(t, method, path, body)
	return out
}

func (w *office) request(t *testing.T, method, path string, body any) (int, obj) {
	t.Helper()
	var raw []byte
	if body != nil {
		raw = encodeJSON(body)
	}
	status, _, answered, err := w.try(t, method, path, "application/json; charset=utf-8", raw)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return status, decoded(t, answered)
}

// try makes one call with the token where the path wants it.
func (w *office) try(t *testing.T, method, path, media string, body []byte) (int, http.Header, []byte, error) {
	t.Helper()
	address := w.url + path
	if strings.HasPrefix(path, "http") {
		address = path
	}
	if w.token != "" && (strings.HasPrefix(path, "/topapi/") || strings.HasPrefix(path, "/media/")) {
		sep := "?"
		if strings.Contains(path, "?") {
			sep = "&"
		}
		address += sep + "access_token=" + w.token
	}
	r, err := http.NewRequestWithContext(t.Context(), method, address, bytes.NewReader(body))
	if err != nil {
		t.Fatalf("making a request: %v", err)
	}
	if body != nil {
		r.Header.Set("Content-Type", media)
	}
	if w.token != "" {
		r.Header.Set("x-acs-dingtalk-access-token", w.token)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, nil, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	return res.StatusCode, res.Header, raw, err
}

// batch sends a message to people.
func (w *office) batch(t *testing.T, key string, param any, users ...string) (int, obj) {
	t.Helper()
	return w.request(t, "POST", "/v1.0/robot/oToMessages/batchSend", obj{
		"robotCode": testClient, "userIds": users, "msgKey": key, "msgParam": string(encodeJSON(param)),
	})
}

// inGroup says a text in the group.
func (w *office) inGroup(t *testing.T, text string) (int, obj) {
	t.Helper()
	return w.request(t, "POST", "/v1.0/robot/groupMessages/send", obj{
		"robotCode": testClient, "openConversationId": w.group, "msgKey": "sampleText", "msgParam": string(encodeJSON(obj{"content": text})),
	})
}

// wantCode fails unless an API answer has this code, of the new API a string, of the old one a number; "" and 0 for success.
func wantCode(t *testing.T, what string, got obj, code any) {
	t.Helper()
	has := got["code"]
	if n, isNumber := got["errcode"].(json.Number); isNumber {
		has = n.String()
		if n == "0" {
			has = nil
		}
	}
	want := strings.Trim(string(encodeJSON(code)), `"`)
	if want == "" || want == "0" {
		if has != nil {
			t.Errorf("%s was refused: %s", what, encodeJSON(got))
		}
		return
	}
	if has != want {
		t.Errorf("%s answered code %v, want %s; all of it: %s", what, has, want, encodeJSON(got))
	}
}

func rules(fs []Finding) []string {
	var out []string
	for _, f := range fs {
		out = append(out, f.Severity+" "+f.Rule)
	}
	return out
}

// noMust fails when a fault was found.
func (w *office) noMust(t *testing.T) {
	t.Helper()
	if found := rules(w.MustFindings()); len(found) > 0 {
		t.Errorf("faults were found: %v", found)
	}
}

// letters is n bytes.
func letters(n int) string { return strings.Repeat("a", n) }

func times[T any](n int, v func(i int) T) []T {
	out := make([]T, n)
	for i := range out {
		out[i] = v(i)
	}
	return out
}
