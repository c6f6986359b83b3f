package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"huiyin/bot/sim/slacksim"
	"huiyin/storage/postgres/pgtest"
)

const people3 = `employee_no,name,name_en,email,manager,language,slack_id
E1,林知远,Ethan Lin,lin@example.com,,zh-CN,U1
E2,王凯,Kai Wang,kai@example.com,E1,en,U2
E3,郝新,Cindy Hao,hao@example.com,E1,zh-CN,
`

// world is a database with three people and a simulated workspace with their accounts.
type world struct {
	sim *slacksim.Server
	env map[string]string
}

func newWorld(t *testing.T) world {
	t.Helper()
	return newWorldOf(t, slacksim.Options{})
}

func newWorldOf(t *testing.T, o slacksim.Options) world {
	t.Helper()
	o.SigningSecret, o.BotToken, o.Clock, o.TimeScale = "signing-canary-9f", "xoxb-canary-9f", time.Now, 60
	sim := slacksim.New(o)
	vendor := httptest.NewServer(sim.Handler())
	t.Cleanup(func() {
		sim.Close()
		vendor.Close()
	})
	sim.SetBaseURL(vendor.URL)
	for _, p := range []slacksim.Person{
		{ID: "U1", Handle: "lin", RealName: "林知远", DisplayName: "林知远", Email: "lin@example.com"},
		{ID: "U2", Handle: "kai", RealName: "Kai Wang", DisplayName: "Kai Wang", Email: "kai@example.com", Locale: "en-US"},
		{ID: "U3", Handle: "hao", RealName: "郝新", DisplayName: "郝新", Email: "hao@example.com"},
	} {
		sim.AddPerson(p)
	}
	w := world{sim, map[string]string{
		"LANG": "en", "HUIYIN_DATABASE_URL": pgtest.URL(t), "HUIYIN_DATA_DIR": t.TempDir(), "HUIYIN_LISTEN": "127.0.0.1:0",
		"HUIYIN_SECRET_KEY":           base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)),
		"HUIYIN_SLACK_SIGNING_SECRET": "signing-canary-9f", "HUIYIN_SLACK_BOT_TOKEN": "xoxb-canary-9f", "HUIYIN_SLACK_API_URL": sim.APIURL(),
		"HUIYIN_LOG_LEVEL": "debug", "HUIYIN_LOG_FORMAT": "json",
	}}
	w.must(t, people3, "import", "people", "-")
	return w
}

// must runs a verb that has to succeed, and gives what it printed.
func (w world) must(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	code := Main(t.Context(), args, func(name string) string { return w.env[name] }, strings.NewReader(stdin), &out, &errs)
	if code != 0 {
		t.Fatalf("huiyin %s: exit code %d\n%s%s", strings.Join(args, " "), code, out.String(), errs.String())
	}
	return out.String()
}

// buffer is a log that is written by one goroutine and read by another.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// served is a serve that is running.
type served struct {
	base  string
	lines []string // what it told until it was ready
	log   *buffer
	stop  func() (code int)
}

func (w world) serve(t *testing.T) *served {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	told, tell := io.Pipe()
	s := &served{log: &buffer{}}
	ended := make(chan int, 1)
	go func() {
		code := Main(ctx, []string{"serve"}, func(name string) string { return w.env[name] }, strings.NewReader(""), tell, s.log)
		_ = tell.Close()
		ended <- code
	}()
	s.stop = sync.OnceValue(func() int {
		cancel()
		return <-ended
	})
	t.Cleanup(func() { s.stop() })
	lines := bufio.NewScanner(told)
	for lines.Scan() {
		if _, address, ok := strings.Cut(lines.Text(), "bot       "); ok {
			s.base = address
		}
		s.lines = append(s.lines, lines.Text())
		if lines.Text() == "ready" {
			go func() { _, _ = io.Copy(io.Discard, told) }()
			w.sim.SetBotURL(s.base)
			return s
		}
	}
	t.Fatalf("serve ended before it was ready: exit code %d\n%s", s.stop(), s.log)
	return nil
}

func (s *served) get(t *testing.T, path string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.base+path, nil)
	if err != nil {
		t.Fatalf("ask for %s: %v", path, err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("ask for %s: %v", path, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("ask for %s: %v", path, err)
	}
	return resp.StatusCode, string(body)
}

// kaiSees waits until Kai can see a message of the bot that contains the words.
func (w world) kaiSees(t *testing.T, words string) slacksim.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	changes := w.sim.Subscribe(ctx)
	for {
		for _, m := range w.sim.MessagesFor("U2") {
			if m.BotID != "" && (strings.Contains(m.Text, words) || strings.Contains(string(m.Blocks), words)) {
				return m
			}
		}
		select {
		case _, open := <-changes:
			if !open {
				t.Fatalf("Kai never saw %q, but %+v", words, w.sim.MessagesFor("U2"))
			}
		case <-ctx.Done():
			t.Fatalf("Kai never saw %q, but %+v", words, w.sim.MessagesFor("U2"))
		}
	}
}

func TestAPraiseReachesItsReceiverThroughTheWholeProgram(t *testing.T) {
	w := newWorld(t)
	s := w.serve(t)
	const canary = "canary-words-3c"
	ack, err := w.sim.Slash("U1", w.sim.DM("U1"), "/praise", "@kai Thank you for the clear handover "+canary)
	if err != nil || ack.Error != "" || ack.Status != 200 {
		t.Fatalf("the command was not taken: %+v, %v\n%s", ack, err, s.log)
	}
	m := w.kaiSees(t, canary)
	if !strings.Contains(string(m.Blocks)+m.Text, "praised you") {
		t.Errorf("Kai, who reads English, got %s", m.Blocks)
	}
	if code, body := s.get(t, "/readyz"); code != 200 {
		t.Errorf("readyz is %d %s", code, body)
	}
	if code, body := s.get(t, "/metrics"); code != 200 || !strings.Contains(body, `huiyin_commands_total{command="praise",outcome="ok",platform="slack"} 1`) {
		t.Errorf("the metrics (%d) do not count the praise", code)
	}
	for _, path := range []string{"/slack/commands", "/slack/interactions", "/slack/events", "/slack/options"} {
		resp, err := http.Post(s.base+path, "application/x-www-form-urlencoded", strings.NewReader("command=/praise")) //nolint:noctx // unsigned on purpose
		if err != nil {
			t.Fatalf("post to %s: %v", path, err)
		}
		if err := resp.Body.Close(); err != nil || resp.StatusCode != 401 {
			t.Errorf("an unsigned request to %s gets %d, want 401", path, resp.StatusCode)
		}
	}
	if code := s.stop(); code != 0 {
		t.Errorf("serve was asked to end and gave %d, want 0\n%s", code, s.log)
	}
	log := s.log.String()
	for _, secret := range []string{canary, "canary", "signing-", "xoxb-", "Thank you", "知远"} {
		if i := strings.Index(log, secret); i >= 0 {
			t.Errorf("the log at level debug contains %q: …%s…", secret, log[max(0, i-200):min(len(log), i+100)])
		}
	}
	for _, f := range w.sim.MustFindings() {
		t.Errorf("the simulator objects: %+v", f)
	}
}

func TestABotWhoseSlackIsAwayIsReadyAndBelongsToTheWorkspaceOfItsFirstEvent(t *testing.T) {
	w := newWorld(t)
	w.sim.SetFault("auth.test", slacksim.Fault{Status: 503})
	w.sim.SetFault("users.list", slacksim.Fault{Status: 503})
	s := w.serve(t)
	if code, body := s.get(t, "/readyz"); code != 200 {
		t.Fatalf("readyz is %d %s while only Slack is away", code, body)
	}
	ack, err := w.sim.Slash("U1", w.sim.DM("U1"), "/praise", "@kai well done")
	if err != nil || ack.Status != 200 || ack.Error != "" {
		t.Fatalf("the first event of the workspace was not taken: %+v, %v\n%s", ack, err, s.log)
	}
	w.kaiSees(t, "well done")
	if !strings.Contains(s.log.String(), "workspace bound by its first event") {
		t.Errorf("the log does not tell that a workspace was bound")
	}
}

func TestWithAnAppTokenTheBotCallsSlackAndServesNoWebhook(t *testing.T) {
	w := newWorldOf(t, slacksim.Options{AppToken: "xapp-canary-9f", SocketMode: true})
	w.env["HUIYIN_SLACK_APP_TOKEN"] = "xapp-canary-9f"
	delete(w.env, "HUIYIN_SLACK_SIGNING_SECRET")
	s := w.serve(t)
	if told := strings.Join(s.lines, "\n"); !strings.Contains(told, "Socket Mode") {
		t.Errorf("serve does not say that it uses Socket Mode:\n%s", told)
	}
	awaitLog(t, s, "socket mode is connected")
	if ack, err := w.sim.Slash("U1", w.sim.DM("U1"), "/praise", "@kai well done"); err != nil || ack.Error != "" {
		t.Fatalf("the command was not taken: %+v, %v\n%s", ack, err, s.log)
	}
	w.kaiSees(t, "well done")
	if code, _ := s.get(t, "/slack/commands"); code != 404 {
		t.Errorf("webhooks that nobody can sign answer %d, want 404", code)
	}
	if code := s.stop(); code != 0 {
		t.Errorf("serve ended with %d\n%s", code, s.log)
	}
}

func TestServeWithoutAPlatformSaysSoAndIsReady(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"HUIYIN_SLACK_SIGNING_SECRET", "HUIYIN_SLACK_BOT_TOKEN", "HUIYIN_SLACK_API_URL"} {
		delete(w.env, name)
	}
	s := w.serve(t)
	if told := strings.Join(s.lines, "\n"); !strings.Contains(told, "no platform is on") {
		t.Errorf("serve does not say that no platform is on:\n%s", told)
	}
	if code, _ := s.get(t, "/readyz"); code != 200 {
		t.Errorf("readyz is %d, want 200", code)
	}
	if code, _ := s.get(t, "/slack/commands"); code != 404 {
		t.Errorf("a platform that is off answers %d, want 404", code)
	}
}

func TestPeopleAreImportedAllOrNothingAndExportedUnchanged(t *testing.T) {
	w := newWorld(t)
	exported := w.must(t, "", "export", "people")
	if out := w.must(t, exported, "import", "people", "-"); !strings.Contains(out, "new 0, changed 0, unchanged 3") {
		t.Errorf("importing an export says %q, want that nothing changes", out)
	}
	bad := "工号,姓名,语言\nE1,林知远,fr\n,无名,\n"
	for lang, want := range map[string]string{"en": "Row 2, column C", "zh": "第 2 行 C 列"} {
		w.env["LANG"] = lang
		var out, errs bytes.Buffer
		code := Main(t.Context(), []string{"import", "people", "-"}, func(name string) string { return w.env[name] }, strings.NewReader(bad), &out, &errs)
		if code != 1 || !strings.Contains(errs.String(), want) || !strings.Contains(errs.String(), "2") {
			t.Errorf("a file with two problems and LANG=%s: exit code %d, want 1; said %q, want %q in it", lang, code, errs.String(), want)
		}
	}
	w.env["LANG"] = "en"
	if again := w.must(t, "", "export", "people"); again != exported {
		t.Errorf("a refused import changed something:\n%s", again)
	}
	if out := w.must(t, "employee_no,name\nE4,Ada\n", "import", "people", "--dry-run", "-"); !strings.Contains(out, "new 1") || !strings.Contains(out, "nothing was written") {
		t.Errorf("a dry run says %q", out)
	}
	if again := w.must(t, "", "export", "people"); again != exported {
		t.Errorf("a dry run changed something:\n%s", again)
	}
}

func TestOperatorsVerbsLookAtTheDatabase(t *testing.T) {
	w := newWorld(t)
	if out := w.must(t, "", "migrate", "--status"); !strings.Contains(out, "applied  00001_spine.sql") || strings.Contains(out, "pending") {
		t.Errorf("migrate --status says %q", out)
	}
	if out := w.must(t, "", "audit", "log"); !strings.Contains(out, "OK") {
		t.Errorf("audit log says %q", out)
	}
	if out := w.must(t, "", "audit", "anonymity"); !strings.Contains(out, "OK") {
		t.Errorf("audit anonymity says %q", out)
	}
	var seen, errs bytes.Buffer
	Main(t.Context(), []string{"doctor"}, func(name string) string { return w.env[name] }, strings.NewReader(""), &seen, &errs)
	out := seen.String()
	// The server of the tests has no fsync, which is the one thing that a doctor has to say about it.
	if broken := strings.Count(out, "!!"); broken != 1 || !strings.Contains(out, "!!  database: fsync") {
		t.Errorf("doctor finds %d things broken, want the missing fsync alone:\n%s%s", broken, out, errs.String())
	}
	for _, want := range []string{"OK  settings", "OK  database: Postgres", "OK  migrations", "OK  clocks", "OK  people: 3, of them with an account: 2", "OK  slack: workspace T0HUIYIN01", "belongs to no firm yet"} {
		if !strings.Contains(out, want) {
			t.Errorf("doctor does not say %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "canary") {
		t.Errorf("doctor printed a secret:\n%s", out)
	}
}

func TestADoctorWhoFindsSomethingBrokenExitsWithOne(t *testing.T) {
	w := newWorld(t)
	w.sim.SetFault("auth.test", slacksim.Fault{Error: "invalid_auth"})
	w.env["HUIYIN_API_TOKEN"] = "s3cret-canary"
	w.env["HUIYIN_REDIS_URL"] = "redis://127.0.0.1:1/0"
	var out, errs bytes.Buffer
	code := Main(t.Context(), []string{"doctor"}, func(name string) string { return w.env[name] }, strings.NewReader(""), &out, &errs)
	for _, want := range []string{"!!  slack: auth.test: invalid_auth", "→ check HUIYIN_SLACK_BOT_TOKEN", "!!  redis: does not answer", "--  HUIYIN_API_TOKEN is set, but"} {
		if code != 1 || !strings.Contains(out.String(), want) {
			t.Errorf("exit code %d, want 1; doctor should say %q:\n%s%s", code, want, out.String(), errs.String())
		}
	}
}
