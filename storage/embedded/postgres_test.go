//go:build linux || darwin

package embedded

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"
)

// asServer makes the test binary serve the cluster in that folder until it is killed: some tests need another process.
const asServer = "HUIYIN_TEST_SERVE_CLUSTER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(asServer); dir != "" {
		if err := serveForTest(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code, err := runWithTemplate(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// template is a cluster that was made once; copying it is ten times as fast as initdb.
var template string

func runWithTemplate(m *testing.M) (code int, err error) {
	template, err = os.MkdirTemp("", "huiyin-embedded-")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(template)) }()
	p, err := Start(context.Background(), Options{Dir: template})
	if err != nil {
		return 1, err
	}
	if err := p.Stop(context.Background()); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// clusterData is the cluster's own folder.
func clusterData(dir string) string {
	return filepath.Join(dir, fmt.Sprintf("pg%d", majors(dir)[0]))
}

// clusterDir is a data folder with a cluster that was stopped cleanly.
func clusterDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	data := filepath.Join(dir, filepath.Base(clusterData(template)))
	if err := os.CopyFS(data, os.DirFS(clusterData(template))); err != nil {
		t.Fatalf("copying a cluster: %v", err)
	}
	if err := os.Chmod(data, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// serveForTest prints the URL and serves until standard input ends.
func serveForTest(dir string) error {
	p, err := Start(context.Background(), Options{Dir: dir})
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(os.Stdout, p.URL()); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	return p.Stop(context.Background())
}

func start(t *testing.T, o Options) *Postgres {
	t.Helper()
	p, err := Start(t.Context(), o)
	if err != nil {
		t.Fatalf("starting Postgres: %v", err)
	}
	t.Cleanup(func() { stop(t, p) })
	return p
}

func stop(t *testing.T, p *Postgres) {
	t.Helper()
	if err := p.Stop(context.WithoutCancel(t.Context())); err != nil {
		t.Errorf("stopping Postgres: %v", err)
	}
}

// query runs statements and returns the last one's single value, if it has one.
func query(ctx context.Context, url string, statements ...string) (string, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return "", err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var value string
	for _, statement := range statements {
		rows, err := conn.Query(ctx, statement)
		if err != nil {
			return "", err
		}
		value, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[string])
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return "", err
		}
	}
	return value, nil
}

func mustQuery(t *testing.T, url string, statements ...string) string {
	t.Helper()
	value, err := query(t.Context(), url, statements...)
	if err != nil {
		t.Fatalf("querying %s: %v", statements, err)
	}
	return value
}

func serverPID(t *testing.T, dir string) int {
	t.Helper()
	file, err := readPidFile(clusterData(dir))
	if err != nil {
		t.Fatalf("finding the server's process: %v", err)
	}
	return file.pid
}

func TestDataSurvivesARestartAndStopLeavesNothingBehind(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	dir := filepath.Join(t.TempDir(), "new", "data")
	var mu sync.Mutex
	var stages []Stage
	o := Options{Dir: dir, Durable: true, Progress: func(s Stage) {
		mu.Lock()
		defer mu.Unlock()
		stages = append(stages, s)
	}}
	p := start(t, o)
	url := p.URL()
	mustQuery(t, url, "create table kept (v text)", "insert into kept values ('回音')")
	pid := serverPID(t, dir)
	stop(t, p)

	if running(pid) {
		t.Errorf("after Stop the server (pid %d) still runs", pid)
	}
	if left, err := filepath.Glob(filepath.Join(p.socket, ".s.*")); err != nil || len(left) > 0 {
		t.Errorf("after Stop the socket's folder holds %v, %v", left, err)
	}

	again := start(t, o)
	if again.URL() != url {
		t.Errorf("the second start has the URL %s, the first had %s", again.URL(), url)
	}
	if got := mustQuery(t, again.URL(), "select v from kept"); got != "回音" {
		t.Errorf("after a restart the row reads %q", got)
	}
	stop(t, again)
	want := []Stage{StageInit, StageStart, StageReady, StageStart, StageReady}
	if !slices.Equal(stages, want) {
		t.Errorf("the stages were %v, want %v", stages, want)
	}
}

func TestTheProductIsNoSuperuser(t *testing.T) {
	t.Parallel()
	p := start(t, Options{Dir: clusterDir(t)})
	got := mustQuery(t, p.URL(), "select current_user || ' ' || current_database() || ' ' || rolsuper from pg_roles where rolname = current_user")
	if got != "huiyin huiyin false" {
		t.Errorf("the URL leads to user, database, superuser = %s; want huiyin huiyin false", got)
	}
}

func TestKilledServerComesBackOnTheSameURL(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	p := start(t, Options{Dir: dir})
	url := p.URL()
	mustQuery(t, url, "create table kept (n int)")
	for n := range 3 {
		before := serverPID(t, dir)
		mustQuery(t, url, fmt.Sprintf("insert into kept values (%d)", n))
		if err := p.Crash(); err != nil {
			t.Fatalf("crash %d: %v", n, err)
		}
		eventually(t, fmt.Sprintf("crash %d: the URL works again", n), func() bool {
			_, err := query(t.Context(), url, "select 'here'")
			return err == nil
		})
		if after := serverPID(t, dir); after == before {
			t.Errorf("crash %d: the server is still process %d", n, before)
		}
	}
	if got := mustQuery(t, url, "select count(*)::text from kept"); got != "3" {
		t.Errorf("of 3 committed rows, %s outlived three crashes", got)
	}
}

func TestSecondInstanceUsesTheFirstOnesServerAndLeavesItRunning(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	first := start(t, Options{Dir: dir})
	second := start(t, Options{Dir: dir, Sources: []Source{}})
	if first.Attached() || !second.Attached() {
		t.Errorf("attached: first %t, second %t; want only the second", first.Attached(), second.Attached())
	}
	if second.URL() != first.URL() {
		t.Errorf("the second instance has the URL %s, the first %s", second.URL(), first.URL())
	}
	mustQuery(t, second.URL(), "create table imported (n int)")
	stop(t, second)
	mustQuery(t, first.URL(), "select count(*)::text from imported")
}

func TestInstanceThatWasAttachedTakesOverOnTheSameURL(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	first := start(t, Options{Dir: dir})
	second := start(t, Options{Dir: dir})
	url := second.URL()
	mustQuery(t, url, "create table kept (n int)")
	stop(t, first)
	eventually(t, "the second instance serves", func() bool {
		_, err := query(t.Context(), url, "select count(*)::text from kept")
		return err == nil && !second.Attached()
	})
}

// otherProcess serves the cluster in a process of its own, and returns it when connections are accepted.
func otherProcess(t *testing.T, dir string) (process *exec.Cmd, url string) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Env = append(os.Environ(), asServer+"="+dir)
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting another process: %v", err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the other process did not start Postgres: %v", err)
	}
	return cmd, strings.TrimSpace(line)
}

func TestDataSurvivesTheKillOfTheServingProcess(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	process, url := otherProcess(t, dir)
	mustQuery(t, url, "create table kept (v text)", "insert into kept values ('yes')")
	pid := serverPID(t, dir)
	if err := process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := process.Wait(); err == nil {
		t.Fatal("the killed process ended well")
	}
	p := start(t, Options{Dir: dir})
	if running(pid) {
		t.Errorf("the server of the killed process (pid %d) still runs beside the new one", pid)
	}
	if got := mustQuery(t, p.URL(), "select v from kept"); got != "yes" {
		t.Errorf("after the kill the row reads %q", got)
	}
}

func TestPidFileThatNamesAnotherProgramDoesNotPreventTheStart(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	bystander := exec.CommandContext(t.Context(), "sleep", "600") // killed when the test ends
	if err := bystander.Start(); err != nil {
		t.Fatal(err)
	}
	data := clusterData(dir)
	stale := fmt.Sprintf("%d\n%s\n1700000000\n5432\n/tmp/gone\n\n0 0\nready   \n", bystander.Process.Pid, data)
	if err := os.WriteFile(filepath.Join(data, "postmaster.pid"), []byte(stale), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, Options{Dir: dir})
	if !running(bystander.Process.Pid) {
		t.Error("the bystander was killed")
	}
}

func TestInterruptedFirstStartIsBegunAnew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	_, err := Start(ctx, Options{Dir: dir, Progress: func(s Stage) {
		if s == StageInit {
			interrupt()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("a start that was interrupted returned %v", err)
	}
	half := filepath.Join(dir, filepath.Base(clusterData(template))+".init")
	if err := os.MkdirAll(filepath.Join(half, "base"), 0o700); err != nil {
		t.Fatal(err)
	}
	mustQuery(t, start(t, Options{Dir: dir}).URL(), "select 'here'")
	if _, err := os.Stat(half); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the unfinished cluster is still there: %v", err)
	}
}

// lockedBuffer collects a log that the supervisor writes while the test reads.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func TestWhatPeopleWroteDoesNotReachTheLog(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	p := start(t, Options{Dir: clusterDir(t), Log: &log})
	const canary = "canary-7f3a"
	conn, err := pgx.Connect(t.Context(), p.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	mustQuery(t, p.URL(), "create table notes (text text primary key check (length(text) < 30))")
	for _, c := range []struct {
		about, statement string
		args             []any
	}{
		{"a value of the wrong type", "select $1::text::uuid", []any{canary}},
		{"a syntax error in a literal", "select '" + canary + "' from", nil},
		{"a duplicate", "insert into notes values ($1), ($1)", []any{canary}},
		{"a failed check", "insert into notes values ($1)", []any{canary + strings.Repeat("x", 40)}},
		{"a message raised on purpose", "do $$ begin raise exception '" + canary + "'; end $$", nil},
	} {
		if _, err := conn.Exec(t.Context(), c.statement, c.args...); err == nil {
			t.Errorf("%s was accepted; the test proves nothing", c.about)
		}
	}
	stop(t, p)
	if !strings.Contains(log.String(), "database system is shut down") {
		t.Errorf("the log is not the server's: %q", log.String())
	}
	if strings.Contains(log.String(), canary) {
		t.Errorf("the log quotes what was written:\n%s", log.String())
	}
}

// useScratch joins or starts a scratch cluster, and sees to it that its server is gone when the test's folder is removed.
func useScratch(t *testing.T, o Options) *Postgres {
	t.Helper()
	p, err := Start(t.Context(), o)
	if err != nil {
		t.Fatalf("starting a scratch cluster: %v", err)
	}
	pid := serverPID(t, o.Dir)
	t.Cleanup(func() {
		stop(t, p)
		eventually(t, "the unused server ends by itself", func() bool { return !running(pid) })
		if err := os.RemoveAll(p.socket); err != nil {
			t.Errorf("clearing the socket's folder: %v", err)
		}
	})
	return p
}

func TestScratchClusterIsSharedAndStopsWhenNobodyUsesIt(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	o := Options{Dir: dir, Linger: time.Second}
	first := useScratch(t, o)
	second := useScratch(t, o)
	if first.Attached() || !second.Attached() {
		t.Errorf("attached: first %t, second %t; want only the second", first.Attached(), second.Attached())
	}
	pid := serverPID(t, dir)
	stop(t, first)
	<-time.After(2 * o.Linger) // twice as long as an unused one lives
	if _, err := query(t.Context(), second.URL(), "select 'here'"); err != nil {
		t.Errorf("the first user's leaving stopped the server under the second one: %v", err)
	}
	stop(t, second)
	eventually(t, "the unused server ends by itself", func() bool { return !running(pid) })

	third := useScratch(t, o)
	mustQuery(t, third.URL(), "select 'again'")
}

func TestScratchClusterBeyondRepairIsMadeAnew(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	o := Options{Dir: dir, Linger: time.Second}
	first := useScratch(t, o)
	pid := serverPID(t, dir)
	stop(t, first)
	eventually(t, "the unused server ends by itself", func() bool { return !running(pid) })
	control := filepath.Join(clusterData(dir), "global", "pg_control")
	if err := os.WriteFile(control, make([]byte, 8192), 0o600); err != nil {
		t.Fatal(err)
	}
	mustQuery(t, useScratch(t, o).URL(), "select 'made anew'")
}

// running tells a process that still does something from one that has ended but was not asked for its status.
func running(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	state, err := exec.CommandContext(context.Background(), "ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && !strings.HasPrefix(string(state), "Z")
}
