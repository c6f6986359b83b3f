package app

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// demonstration is a demo that is running.
type demonstration struct {
	bot, chat string
	lines     []string
	err       *buffer
	cancel    context.CancelFunc
	ended     chan int
}

func (d *demonstration) stop() int {
	d.cancel()
	return <-d.ended
}

func startDemo(t *testing.T, args ...string) *demonstration {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	told, tell := io.Pipe()
	d := &demonstration{err: &buffer{}, cancel: cancel, ended: make(chan int, 1)}
	go func() {
		code := Main(ctx, append([]string{"demo", "--listen", "127.0.0.1:0"}, args...), func(string) string { return "" }, strings.NewReader(""), tell, d.err)
		_ = tell.Close()
		d.ended <- code
	}()
	for lines := bufio.NewScanner(told); lines.Scan(); {
		line := lines.Text()
		d.lines = append(d.lines, line)
		if _, url, ok := strings.Cut(line, "bot       "); ok {
			d.bot = url
		}
		if _, url, ok := strings.Cut(line, "chat      "); ok {
			d.chat = url
		}
		if line == "ready" {
			go func() { _, _ = io.Copy(io.Discard, told) }()
			return d
		}
	}
	t.Fatalf("demo %q ended before it was ready: exit code %d\n%s", args, d.stop(), d.err)
	return nil
}

func (d *demonstration) ask(t *testing.T, method, url, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatalf("ask for %s: %v", url, err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("ask for %s: %v", url, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s answers %d, %v: %s", url, resp.StatusCode, err, text)
	}
	return string(text)
}

// people counts those of the workspace who work there.
func (d *demonstration) people(t *testing.T) (members int) {
	t.Helper()
	var answer struct {
		Result struct {
			People []struct {
				IsBot bool `json:"is_bot"`
			} `json:"people"`
		} `json:"result"`
	}
	if err := json.Unmarshal([]byte(d.ask(t, http.MethodPost, d.chat+"_sim/state", `{}`)), &answer); err != nil {
		t.Fatalf("read the workspace: %v", err)
	}
	for _, p := range answer.Result.People {
		if !p.IsBot {
			members++
		}
	}
	return members
}

func TestTheDemoNeedsNothingAndIsThereAgainTheNextTime(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { // as root the server runs as somebody else
		t.Fatalf("open the way to the data: %v", err)
	}
	first := startDemo(t, "--data", dir, "--people", "40")
	if last := first.lines[len(first.lines)-1]; last != "ready" || first.chat == "" || first.bot == "" {
		t.Errorf("the demo should print a line per URL and ready last: %q", first.lines)
	}
	if page := first.ask(t, http.MethodGet, first.chat, ""); !strings.Contains(page, "<html") || !strings.Contains(page, "Cloudsail") {
		t.Errorf("the chat page is not there: %.300s", page)
	}
	if ready := first.ask(t, http.MethodGet, first.bot+"/readyz", ""); !strings.Contains(ready, "ready") {
		t.Errorf("readyz says %s", ready)
	}
	before := first.people(t)
	if before < 40 { // with a guest and Slackbot, without the bot
		t.Errorf("the workspace has %d people, want all 40", before)
	}
	if info, err := os.Stat(filepath.Join(dir, "secret_key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the demo's key should be there for its owner alone: %v, %v", info, err)
	}
	if code := first.stop(); code != 0 {
		t.Errorf("the demo was asked to end and gave %d\n%s", code, first.err)
	}

	again := startDemo(t, "--data", dir)
	if after := again.people(t); after != before {
		t.Errorf("the next time there are %d people, want the same %d", after, before)
	}
	if strings.Contains(again.err.String(), "Bringing in") {
		t.Error("the firm moved in twice")
	}
	code := run(t, in("en"), "demo", "--data", dir, "--listen", "127.0.0.1:0")
	if code.code != 1 || !strings.Contains(code.err, "Another huiyin is using") {
		t.Errorf("a second demo on the same data gives %d %q", code.code, code.err)
	}
	env := in("en", "HUIYIN_DATA_DIR", dir)
	if out := run(t, env, "export", "people"); out.code != 0 || !strings.Contains(out.out, "E040") {
		t.Errorf("an export while the demo runs gives %d %s", out.code, out.err)
	}
	if code := again.stop(); code != 0 {
		t.Errorf("the demo was asked to end and gave %d\n%s", code, again.err)
	}

	if err := os.Remove(filepath.Join(dir, marker)); err != nil {
		t.Fatalf("take the marker away: %v", err)
	}
	if got := run(t, in("en"), "demo", "--data", dir, "--reset", "--listen", "127.0.0.1:0"); got.code != 1 || !strings.Contains(got.err, "real firm") {
		t.Errorf("a demo must not touch data that are not its own, even with --reset: %d %q", got.code, got.err)
	}
	if err := os.WriteFile(filepath.Join(dir, marker), []byte(begun), 0o600); err != nil { // it was broken off while the firm moved in
		t.Fatalf("put the marker back: %v", err)
	}
	third := startDemo(t, "--data", dir)
	if !strings.Contains(third.err.String(), "Bringing in") || third.people(t) >= before {
		t.Errorf("a demo that was broken off should begin anew, without the people who were made up: %s", third.err)
	}
	if code := third.stop(); code != 0 {
		t.Errorf("the demo was asked to end and gave %d\n%s", code, third.err)
	}
}

func TestTheSampleFirmIsWhatNewcomersShouldMeet(t *testing.T) {
	f, err := readFirm()
	if err != nil {
		t.Fatalf("read the sample firm: %v", err)
	}
	count := map[string]int{}
	reports := map[string]int{}
	for _, row := range f.people[1:] {
		if len(row) != columns {
			t.Fatalf("row %v has %d columns, want %d", row, len(row), columns)
		}
		count["role "+row[colRole]]++
		count["name "+row[colName]]++
		count["language "+row[colLanguage]]++
		count["active "+row[colActive]]++
		if row[colSlack] == "" {
			count["without an account"]++
		}
		if row[colActive] != "no" && row[colManager] != "E001" {
			reports[row[colManager]]++
		}
	}
	for what, least := range map[string]int{
		"role hr": 1, "role executive": 1, "role admin": 1, "name 王伟": 2, "language en": 5, "language zh-CN": 15, "active no": 1, "without an account": 1,
	} {
		if count[what] < least {
			t.Errorf("the firm has %d of %q, want at least %d", count[what], what, least)
		}
	}
	for lead, n := range reports {
		if n > 4 {
			t.Errorf("%s leads %d people, want a team of two to four", lead, n)
		}
	}
	before := f.size()
	f.grow(200)
	if f.size() != 200 || before < 30 {
		t.Errorf("the firm has %d people and grows to %d, want about 30 and 200", before, f.size())
	}
	seen := map[string]bool{}
	for _, row := range f.people[1:] {
		for _, unique := range []string{row[colNumber], row[colEmail], row[colSlack]} {
			if unique != "" && seen[unique] {
				t.Errorf("%s stands twice in the grown firm", unique)
			}
			seen[unique] = true
		}
	}
}

// Embedding reaches no folder above its own, so the demo has a copy of the template that firms install.
func TestTheDemosCardTemplateIsTheOneThatWeShip(t *testing.T) {
	ours, err := os.ReadFile(filepath.Join("demo", "card-template.json"))
	if err != nil {
		t.Fatal(err)
	}
	shipped, err := os.ReadFile(filepath.Join("..", "..", "deploy", "dingtalk", "card-template.json"))
	if err != nil {
		t.Fatal(err)
	}
	if string(ours) != string(shipped) {
		t.Error("copy deploy/dingtalk/card-template.json to internal/app/demo")
	}
}
