package dingtalk

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/internal/i18n"
)

const (
	testID     = "ding6ccabc44d2c8d38b"
	testSecret = "secret-canary"
	patience   = 5 * time.Second // how long a test waits for what must come
)

var signedAt = time.UnixMilli(1762857600000).UTC()

// call is one request to the fake DingTalk.
type call struct {
	Path  string
	Token string
	JSON  map[string]any
}

// param is a message's msgParam.
func (c call) param(t *testing.T) map[string]any {
	t.Helper()
	text, _ := c.JSON["msgParam"].(string)
	return decoded(t, []byte(text))
}

// fake is a DingTalk that takes everything, answers what it is told to, and remembers. Tokens are not remembered.
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
	f.say("/v1.0/oauth2/accessToken", `{"accessToken":"token-1","expireIn":7200}`)
	f.say("/v1.0/robot/oToMessages/batchSend", `{"processQueryKey":"key-1"}`)
	f.say("/v1.0/robot/groupMessages/send", `{"processQueryKey":"key-2"}`)
	f.say("/v1.0/card/instances/createAndDeliver", `{"success":true,"result":{"deliverResults":[{"success":true}]}}`)
	f.say(sessionPath, `{"errcode":0,"errmsg":"ok"}`)
	return f
}

func (f *fake) serve(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	c := call{Path: r.URL.Path, Token: r.Header.Get("x-acs-dingtalk-access-token") + r.URL.Query().Get("access_token")}
	_ = json.Unmarshal(raw, &c.JSON)
	f.mu.Lock()
	answer := f.answers[c.Path]
	f.mu.Unlock()
	if c.Path != "/v1.0/oauth2/accessToken" && c.Path != "/link" && c.Path != "/v1.0/gateway/connections/open" {
		f.calls <- c
	}
	if answer == nil {
		answer = body(`{"success":true,"errcode":0}`)
	}
	r.Body = io.NopCloser(bytes.NewReader(raw))
	answer(w, r)
}

func body(text string) http.HandlerFunc { return status(http.StatusOK, text) }

func status(code int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_, _ = io.WriteString(w, text)
	}
}

// say sets what a path answers from now on; do sets how.
func (f *fake) say(path, text string) { f.do(path, body(text)) }

func (f *fake) do(path string, h http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers[path] = h
}

// next is the next call, which must be of the path.
func (f *fake) next(t *testing.T, path string) call {
	t.Helper()
	select {
	case c := <-f.calls:
		if c.Path != path {
			t.Fatalf("the next call is %s %v, want %s", c.Path, c.JSON, path)
		}
		return c
	case <-time.After(patience):
		t.Fatalf("no call of %s came", path)
		return call{}
	}
}

// quiet fails when there was another call.
func (f *fake) quiet(t *testing.T) {
	t.Helper()
	select {
	case c := <-f.calls:
		t.Errorf("a call that nobody wanted: %s %v", c.Path, c.JSON)
	default:
	}
}

// rig is an adapter that talks to a fake DingTalk, and what it logs.
type rig struct {
	*DingTalk
	fake *fake
	log  *logged
	now  time.Time

	mu      sync.Mutex
	pages   []string // what pages were asked for
	counted int
	kept    map[string][]byte
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

// Form and Button are the rig's pages: their addresses name what they are for.
func (r *rig) Form(_ context.Context, to bot.Reader, f card.Form) (string, error) {
	return r.page(to, "form", f.Action.Name), nil
}

func (r *rig) Button(_ context.Context, to bot.Reader, b card.Button) (string, error) {
	return r.page(to, "button", b.Action.Name), nil
}

func (r *rig) page(to bot.Reader, kind, name string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pages = append(r.pages, kind+" "+name+" for "+to.User+" of "+to.Tenant)
	return fmt.Sprintf("https://bot.example/p/%s/%s/%d", kind, to.User, len(r.pages))
}

// Put and Get are the rig's sessions.
func (r *rig) Put(_ context.Context, key string, value []byte, _ time.Duration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept[key] = slices.Clone(value)
	return nil
}

func (r *rig) Get(_ context.Context, key string) ([]byte, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, ok := r.kept[key]
	return v, ok, nil
}

func (r *rig) calls() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counted
}

func newRig(t *testing.T, change ...func(*Config)) *rig {
	t.Helper()
	catalog, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	f := newFake(t)
	r := &rig{fake: f, log: &logged{}, now: signedAt, kept: map[string][]byte{}}
	cfg := Config{
		ClientID: testID, ClientSecret: testSecret, APIURL: f.URL, OAPIURL: f.URL, Mode: ModeWebhook,
		EventToken: "mryue", EventAESKey: "Yue0EfdN5900c1ce5cf6A152c63DDe1808a60c5ecd7",
		Now: func() time.Time { return r.now }, Log: newLogger(r.log), Catalog: catalog, Lang: i18n.English, Pages: r, Sessions: r,
		Count: func(_ context.Context, n int) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.counted += n
		},
	}
	for _, c := range change {
		c(&cfg)
	}
	if r.DingTalk, err = New(cfg); err != nil {
		t.Fatalf("making the adapter: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := r.Close(ctx); err != nil {
			t.Errorf("closing the adapter: %v", err)
		}
		for _, secret := range []string{testSecret, "token-1", "ticket-canary"} {
			if strings.Contains(r.log.String(), secret) {
				t.Errorf("%q is in the log:\n%s", secret, r.log.String())
			}
		}
	})
	return r
}

// withTemplate makes cards interactive; inStream lets events come over a connection.
func withTemplate(c *Config) { c.CardTemplateID, c.PublicURL = "tpl-1.schema", "https://bot.example" }

func inStream(c *Config) { c.Mode = ModeStream }

// reply is a product that always answers the same.
func reply(answer bot.Reply) bot.Receive {
	return func(context.Context, bot.Event) (bot.Reply, error) { return answer, nil }
}

func fails(err error) bot.Receive {
	return func(context.Context, bot.Event) (bot.Reply, error) { return bot.Reply{}, err }
}

// request is what DingTalk would send, signed now.
func (r *rig) request(t *testing.T, path string, raw []byte) *http.Request {
	t.Helper()
	stamp := fmt.Sprint(r.now.UnixMilli())
	address := path
	if path == pathEvents {
		encrypted, err := r.envelope.seal(raw)
		if err != nil {
			t.Fatal(err)
		}
		raw = []byte(`{"encrypt":"` + encrypted + `"}`)
		address += "?timestamp=" + stamp + "&nonce=n1&signature=" + r.envelope.sign(stamp, "n1", encrypted)
	}
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, address, bytes.NewReader(raw))
	req.Header.Set("Content-Type", "application/json")
	switch path {
	case pathMessages:
		req.Header.Set("timestamp", stamp)
		req.Header.Set("sign", r.verifier.robotSign(stamp))
	case pathCards:
		req.Header.Set("x-ddpaas-signature-timestamp", stamp)
		req.Header.Set("x-ddpaas-signature", r.verifier.mac(r.verifier.cardSecret(), stamp))
	}
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

// hear hands a message to the adapter as a connection does, and says how the delivery would be answered.
func (r *rig) hear(t *testing.T, handle bot.Receive, raw []byte) int {
	t.Helper()
	d, err := r.decodeDelivery(frame{Type: "CALLBACK", Headers: map[string]string{"topic": topicMessages}, Data: string(raw)})
	if err != nil {
		t.Fatalf("reading a message: %v", err)
	}
	a := r.handle(t.Context(), handle, d)
	r.follow(t.Context(), d, a)
	return a.status
}

// finish waits until nothing is left to say.
func (r *rig) finish(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := r.Close(ctx); err != nil {
		t.Fatalf("closing the adapter: %v", err)
	}
}

// said is a message to the robot; change changes its fields, nil takes one out.
func (r *rig) said(t *testing.T, text string, change map[string]any) []byte {
	t.Helper()
	m := map[string]any{
		"conversationId": "cidDirect", "conversationType": "1", "msgId": "msg-1", "msgtype": "text", "text": map[string]any{"content": text},
		"chatbotUserId": "$:LWCP_v1:$bot", "chatbotCorpId": "dingcorp", "robotCode": testID, "senderStaffId": "lin", "senderNick": "林晓",
		"senderCorpId": "dingcorp", "senderId": "$:LWCP_v1:$lin", "sessionWebhook": r.fake.URL + sessionPath,
		"sessionWebhookExpiredTime": r.now.Add(90 * time.Minute).UnixMilli(), "createAt": r.now.UnixMilli(),
	}
	for k, v := range change {
		if m[k] = v; v == nil {
			delete(m, k)
		}
	}
	return marshal(t, m)
}

// inGroup is what is different in a group.
func inGroup(mentioned ...string) map[string]any {
	users := []any{map[string]any{"dingtalkId": "$:LWCP_v1:$bot"}}
	for _, id := range mentioned {
		users = append(users, map[string]any{"dingtalkId": "$:LWCP_v1:$" + id, "staffId": id})
	}
	return map[string]any{"conversationId": "cidGroup", "conversationType": "2", "atUsers": users, "isInAtList": true}
}

func aCard(title string) *card.Card { return &card.Card{Title: title} }

func buttonCard() *card.Card {
	return &card.Card{Tone: card.Good, Title: "Lin thanked you", Summary: "A word for you", Blocks: []card.Block{
		card.Quoted("the words"),
		card.Buttons{Buttons: []card.Button{{Label: "Thank", Action: card.Act("praise.thank", "1"), Style: card.Primary}, {Label: "Mine", Action: card.Act("list")}}},
	}}
}

func aForm() card.Form {
	return card.Form{Title: "Praise", Submit: "Send", Action: card.Act("praise.send", "7"), Fields: []card.Field{
		card.TextField{Name: "text", Label: "What was good?", Max: 1000},
		card.ChoiceField{Name: "tags", Label: "Value", Many: true, Optional: true, Options: []card.Option{{Value: "a", Label: "A"}, {Value: "b", Label: "B"}}},
	}}
}

func decoded(t *testing.T, raw []byte) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatalf("%s is no JSON: %v", raw, err)
	}
	return out
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := encode(v)
	if err != nil {
		t.Fatalf("writing JSON: %v", err)
	}
	return raw
}

func jsonBody(r *http.Request, out any) error { return json.NewDecoder(r.Body).Decode(out) }

func newLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
