package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/jackc/pgx/v5"

	"huiyin/internal/app"
	"huiyin/internal/config"
	"huiyin/internal/i18n"
	"huiyin/internal/obs"
	"huiyin/storage/postgres"
	"huiyin/storage/postgres/pgtest"
	"huiyin/storage/redis"
)

// patience is how long a conversation waits for what it expects. It is used up only by what never comes.
const patience = 20 * time.Second

// firm is a small company with the app running: a database, a Redis and a vendor of its own.
type firm struct {
	stage    stage
	app      *app.App
	clock    *clock
	redis    *miniredis.Miniredis
	db       *pgx.Conn // for looking, and for being woken by what the app writes
	log      *logbook
	address  string // http://host:port
	env      map[string]string
	accounts map[string]string // on the platform, by handle
	people   []string          // handles of those in the people file
	numbers  map[string]string // employee number to handle
	stop     func() error      // and wait until the app has ended
}

// opening is what a firm is made of.
type opening struct {
	people, accounts []byte            // as in testdata/firm
	langs            map[string]string // by handle: what the people file says of them
	open             func(t *testing.T, now func() time.Time) stage
}

// openFirm imports the people, starts the app and waits until it knows all accounts.
func openFirm(t *testing.T, o opening) *firm {
	t.Helper()
	f := &firm{clock: newClock(), log: &logbook{}, accounts: map[string]string{}, numbers: map[string]string{}, redis: miniredis.RunT(t)}
	f.stage = o.open(t, f.clock.now)
	t.Cleanup(f.stage.close)
	url := pgtest.URL(t)
	f.env = map[string]string{
		"HUIYIN_DATABASE_URL": url, "HUIYIN_REDIS_URL": "redis://" + f.redis.Addr(), "HUIYIN_DATA_DIR": t.TempDir(),
		"HUIYIN_SECRET_KEY": base64.StdEncoding.EncodeToString(make([]byte, 32)), "HUIYIN_LOG_LEVEL": "debug", "LANG": "en",
	}
	maps.Copy(f.env, f.stage.env())

	for _, row := range rowsOf(t, o.accounts) {
		f.enroll(account{handle: row["handle"], name: row["name"], email: row["email"], kind: row["kind"]})
	}
	f.importPeople(t, o.people, o.langs)

	f.watch(t, url)
	f.start(t)
	f.stage.open(f.address, slices.Sorted(maps.Keys(f.accounts)))
	f.acquainted(t)
	return f
}

// acquainted waits until the app knows the accounts of all.
func (f *firm) acquainted(t *testing.T) {
	t.Helper()
	listed := slices.DeleteFunc(slices.Collect(maps.Values(f.accounts)), func(id string) bool { return id == "" })
	f.until(t, "the app knows the accounts of all", func() bool {
		var known int
		f.query(t, &known, `select count(*) from identities where external_id = any($1) and name <> ''`, listed)
		return known == len(listed)
	})
	f.clock.add(stale)
}

// stale is longer than the app goes without comparing what it keeps of the directory.
const stale = 3 * time.Second

// enroll gives somebody an account; the id is empty for those whom the platform's directory does not list.
func (f *firm) enroll(a account) { f.accounts[a.handle] = f.stage.enroll(a) }

// importPeople runs the real import on a people file that has two columns more: the handle that the conversation uses, and how the
// account is known: linked (it is in the file), email (it has to be found by its address) or none.
func (f *firm) importPeople(t *testing.T, file []byte, langs map[string]string) {
	t.Helper()
	rows := rowsOf(t, file)
	if len(rows) == 0 {
		t.Fatal("the people file is empty")
	}
	columns := slices.DeleteFunc(headOf(t, file), func(c string) bool { return c == "handle" || c == "account" })
	for _, more := range []string{"language", f.stage.column()} {
		if !slices.Contains(columns, more) {
			columns = append(columns, more)
		}
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	table := [][]string{columns}
	for _, row := range rows {
		handle := row["handle"]
		if _, here := f.accounts[handle]; !here && row["account"] != "none" {
			f.enroll(account{handle: handle, name: row["name"], email: row["email"], kind: "member", number: row["employee_no"]})
		}
		if !slices.Contains(f.people, handle) {
			f.people = append(f.people, handle)
		}
		f.numbers[row["employee_no"]] = handle
		if row["account"] == "linked" {
			row[f.stage.column()] = f.accounts[handle]
		}
		if lang := langs[handle]; lang != "" {
			row["language"] = lang
		}
		var cells []string
		for _, c := range columns {
			cells = append(cells, row[c])
		}
		table = append(table, cells)
	}
	if err := w.WriteAll(table); err != nil {
		t.Fatalf("writing the people file: %v", err)
	}
	path := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	f.verb(t, "import", "people", path)
}

// verb runs a verb of the command line on the firm and gives what it printed.
func (f *firm) verb(t *testing.T, args ...string) string {
	t.Helper()
	var out, problems bytes.Buffer
	if code := app.Main(t.Context(), args, f.getenv, strings.NewReader(""), &out, &problems); code != 0 {
		t.Fatalf("huiyin %s ended with %d:\n%s%s", strings.Join(args, " "), code, &out, &problems)
	}
	return out.String()
}

func (f *firm) getenv(name string) string { return f.env[name] }

var catalog = sync.OnceValues(i18n.Load)

// start puts the app together as serve does, with our clock and log, and runs it.
func (f *firm) start(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.address = "http://" + l.Addr().String()
	f.env["HUIYIN_PUBLIC_URL"] = f.address
	cfg, err := config.Load(f.getenv)
	if err != nil {
		t.Fatalf("reading the settings: %v", err)
	}
	words, err := catalog()
	if err != nil {
		t.Fatal(err)
	}
	db, err := postgres.Open(ctx, cfg.DatabaseURL.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	memory, err := redis.Open(ctx, cfg.RedisURL.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	f.app, err = app.New(ctx, app.Options{
		Config: cfg, Log: obs.NewLogger(f.log, cfg.LogLevel, obs.JSON, cfg.Secrets()...), Catalog: words, Now: f.clock.now, Database: db, Redis: memory, OneClock: true,
	})
	if err != nil {
		t.Fatalf("putting the app together: %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- f.app.Run(ctx, l) }()
	f.stop = sync.OnceValue(func() error {
		cancel()
		err := <-ended
		db.Close()
		return errors.Join(err, memory.Close())
	})
	t.Cleanup(func() {
		if err := f.stop(); err != nil {
			t.Errorf("the app ended with: %v", err)
		}
	})
}

// watch connects to the database and has it tell of every change of what is on its way.
func (f *firm) watch(t *testing.T, url string) {
	t.Helper()
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatalf("connecting to the database: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(ctx)) }) // the database goes as well
	statements := []string{`create function e2e_moved() returns trigger language plpgsql as $$ begin perform pg_notify('e2e_moved', ''); return null; end $$`, "listen e2e_moved"}
	for _, table := range []string{"outbox", "jobs.river_job", "identities"} {
		statements = append(statements, "create trigger e2e_moved after insert or update or delete on "+table+" for each statement execute function e2e_moved()")
	}
	for _, s := range statements {
		if _, err := conn.Exec(ctx, s); err != nil {
			t.Fatalf("watching the database: %v", err)
		}
	}
	f.db = conn
}

func (f *firm) query(t *testing.T, into any, sql string, args ...any) {
	t.Helper()
	if err := f.db.QueryRow(t.Context(), sql, args...).Scan(into); err != nil {
		t.Fatalf("looking into the database: %v", err)
	}
}

// until waits for something in the database to be so.
func (f *firm) until(t *testing.T, what string, so func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for !so() {
		// Most of what is waited for is told; that time has come for something is not.
		short, enough := context.WithTimeout(ctx, 200*time.Millisecond)
		_, err := f.db.WaitForNotification(short)
		enough()
		if ctx.Err() != nil {
			t.Fatalf("after %v it is still not so that %s\n%s", patience, what, f.log.tail())
		}
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("waiting for the database: %v", err)
		}
	}
}

// soon is how far ahead work counts as being on its way.
const soon = 5 * time.Second

// settle waits until nothing is on its way to anybody.
func (f *firm) settle(t *testing.T) {
	t.Helper()
	f.until(t, "nothing is on its way", func() bool {
		var on int
		f.query(t, &on, `select (select count(*) from outbox where due_at <= $1)
			+ (select count(*) from jobs.river_job where state in ('available', 'running', 'retryable', 'scheduled') and scheduled_at <= $1)`, f.clock.now().Add(soon))
		return on == 0
	})
}

// move sets the clock forward for everybody and does what is due then.
func (f *firm) move(t *testing.T, by time.Duration) {
	t.Helper()
	f.settle(t)
	f.clock.add(by)
	f.redis.FastForward(by)
	f.stage.moved()
	if err := f.app.Tick(t.Context()); err != nil {
		t.Fatalf("the work of a minute: %v", err)
	}
}

// clock goes on as clocks do, and can be moved forward. It starts on Monday, 23 November 2026 at ten in Shanghai.
type clock struct {
	mu    sync.Mutex
	start time.Time
	began time.Time
}

func newClock() *clock {
	return &clock{start: time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC), began: time.Now()} //nolint:forbidigo // it goes on like a real one
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.start.Add(time.Since(c.began)) //nolint:forbidigo // it goes on like a real one
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.start = c.start.Add(d)
}

// logbook keeps what the app logs.
type logbook struct {
	mu    sync.Mutex
	lines []string
}

func (l *logbook) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, strings.TrimSpace(string(line)))
	return len(line), nil
}

func (l *logbook) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines)
}

// errors are the lines by which the app says that something is wrong with itself.
func (l *logbook) errors() []string {
	return slices.DeleteFunc(l.all(), func(line string) bool {
		var record struct {
			Level slog.Level `json:"level"`
		}
		return json.Unmarshal([]byte(line), &record) == nil && record.Level < slog.LevelError
	})
}

func (l *logbook) tail() string {
	lines := l.all()
	return "the end of the log:\n  " + strings.Join(lines[max(0, len(lines)-15):], "\n  ")
}

// rowsOf reads a CSV with a header.
func rowsOf(t *testing.T, file []byte) []map[string]string {
	t.Helper()
	records, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	if err != nil {
		t.Fatalf("reading a CSV: %v", err)
	}
	var out []map[string]string
	for _, record := range records[min(1, len(records)):] {
		row := map[string]string{}
		for i, cell := range record {
			row[records[0][i]] = cell
		}
		out = append(out, row)
	}
	return out
}

func headOf(t *testing.T, file []byte) []string {
	t.Helper()
	head, err := csv.NewReader(bytes.NewReader(file)).Read()
	if err != nil {
		t.Fatalf("reading the head of a CSV: %v", err)
	}
	return head
}

// defaultFirm is the one in testdata/firm.
func defaultFirm(t *testing.T) opening {
	t.Helper()
	var o opening
	for name, into := range map[string]*[]byte{"people.csv": &o.people, "accounts.csv": &o.accounts} {
		text, err := os.ReadFile(filepath.Join("testdata", "firm", name))
		if err != nil {
			t.Fatal(err)
		}
		*into = text
	}
	return o
}
