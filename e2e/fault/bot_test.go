package fault

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/csv"
	"fmt"
	"io"
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

// bot is the product's binary, killed and started again on the same address.
type bot struct {
	t       *testing.T
	binary  string
	address string
	env     []string

	mu       sync.Mutex
	cmd      *exec.Cmd // nil: killed
	ended    chan struct{}
	restarts int // by the supervisor
	logs     synced
}

// synced is a buffer that several processes write to.
type synced struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *synced) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *synced) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
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

// newBot is a bot on the database; more are settings beyond those that every bot has.
func newBot(t *testing.T, binary, databaseURL string, more []string) *bot {
	t.Helper()
	dir := t.TempDir()
	b := &bot{t: t, binary: binary, address: freeAddress(t)}
	b.env = append(os.Environ(),
		"HUIYIN_DATABASE_URL="+databaseURL, "HUIYIN_DATA_DIR="+dir, "HUIYIN_KEYSTORE_DIR="+filepath.Join(dir, "keys"),
		"HUIYIN_LISTEN="+b.address, "HUIYIN_SECRET_KEY="+base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)),
		"HUIYIN_LOG_LEVEL=warn", "HUIYIN_LOG_FORMAT=json", "LANG=en",
	)
	b.env = append(b.env, more...)
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

// start starts the bot; it does not wait for anything. When the bot ends by itself, for want of a database for example, it is started
// again, as whatever supervises it in production does.
func (b *bot) start() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.launch()
}

// launch starts the process. b.mu is held.
func (b *bot) launch() error {
	cmd := exec.Command(b.binary, "serve") //nolint:noctx // it is killed on purpose, never by a context
	cmd.Env = b.env
	cmd.Stdout, cmd.Stderr = &b.logs, &b.logs
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	b.cmd, b.ended = cmd, ended
	go func() {
		_ = cmd.Wait() // how it ended does not matter
		close(ended)
		pause(context.Background(), 200*time.Millisecond)
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.cmd == cmd {
			b.restarts++
			_ = b.launch() // if it cannot be, nothing is acknowledged, and the test says so
		}
	}()
	return nil
}

// kill ends the bot as a power cut would.
func (b *bot) kill() {
	b.mu.Lock()
	cmd, ended := b.cmd, b.ended
	b.cmd = nil
	b.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Kill() // it may have ended by itself
	<-ended
}

// ends is how often the bot ended by itself.
func (b *bot) ends() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.restarts
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

// get reads a page of the bot's.
func (b *bot) get(t *testing.T, path string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+b.address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// peopleFile writes a people file of n employees with accounts in that column.
func peopleFile(t *testing.T, n int, of row) string {
	t.Helper()
	var file bytes.Buffer
	w := csv.NewWriter(&file)
	rows := [][]string{{"employee_no", "name", of.column, "language"}}
	for i := range n {
		rows = append(rows, []string{fmt.Sprintf("E%05d", i), fmt.Sprintf("员工%d", i), of.account(i), "en"})
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
