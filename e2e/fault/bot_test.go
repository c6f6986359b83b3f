package fault

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/csv"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	signingSecret = "fault-signing-secret"
	botToken      = "xoxb-fault"
)

// bot is the product's binary, killed and started again on the same address.
type bot struct {
	t       *testing.T
	binary  string
	address string
	env     []string

	mu   sync.Mutex
	cmd  *exec.Cmd
	logs bytes.Buffer
}

// buildBot compiles the product.
func buildBot(ctx context.Context, t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "huiyin")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "huiyin/cmd/huiyin")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the product: %v\n%s", err, out)
	}
	return binary
}

func newBot(t *testing.T, binary, databaseURL, slackAPI string) *bot {
	t.Helper()
	dir := t.TempDir()
	b := &bot{t: t, binary: binary, address: freeAddress(t)}
	b.env = append(os.Environ(),
		"HUIYIN_DATABASE_URL="+databaseURL, "HUIYIN_DATA_DIR="+dir, "HUIYIN_KEYSTORE_DIR="+filepath.Join(dir, "keys"),
		"HUIYIN_LISTEN="+b.address, "HUIYIN_SECRET_KEY="+base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)),
		"HUIYIN_SLACK_SIGNING_SECRET="+signingSecret, "HUIYIN_SLACK_BOT_TOKEN="+botToken, "HUIYIN_SLACK_API_URL="+slackAPI,
		"HUIYIN_LOG_LEVEL=warn", "HUIYIN_LOG_FORMAT=json", "LANG=en",
	)
	t.Cleanup(func() {
		b.kill()
		if t.Failed() {
			t.Logf("the end of what the bot logged:\n%s", tail(b.logs.String(), 6000))
		}
	})
	return b
}

// run runs a verb of the command line to its end.
func (b *bot) run(ctx context.Context, args ...string) {
	b.t.Helper()
	cmd := exec.CommandContext(ctx, b.binary, args...)
	cmd.Env = b.env
	if out, err := cmd.CombinedOutput(); err != nil {
		b.t.Fatalf("huiyin %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// start starts the bot; it does not wait for anything.
func (b *bot) start() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cmd = exec.Command(b.binary, "serve") //nolint:noctx // it is killed on purpose, never by a context
	b.cmd.Env = b.env
	b.cmd.Stdout, b.cmd.Stderr = &b.logs, &b.logs
	return b.cmd.Start()
}

// kill ends the bot as a power cut would.
func (b *bot) kill() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cmd == nil || b.cmd.Process == nil {
		return
	}
	_ = b.cmd.Process.Kill() // it may have ended by itself
	_ = b.cmd.Wait()         // killed is what it should be
	b.cmd = nil
}

// awaitReady polls until the bot can serve.
func (b *bot) awaitReady(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+b.address+"/readyz", nil)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close() // only the status is of interest
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("the bot was not ready in time: %w", ctx.Err())
		}
	}
}

// peopleFile writes a people file of n employees with Slack accounts.
func peopleFile(t *testing.T, n int) string {
	t.Helper()
	var file bytes.Buffer
	w := csv.NewWriter(&file)
	rows := [][]string{{"employee_no", "name", "slack_id", "language"}}
	for i := range n {
		rows = append(rows, []string{fmt.Sprintf("E%05d", i), fmt.Sprintf("员工%d", i), account(i), "en"})
	}
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func account(i int) string { return fmt.Sprintf("UFAULT%05d", i) }

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a loopback listener that is closed at once
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // it is only asked for its number
	return l.Addr().String()
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }
