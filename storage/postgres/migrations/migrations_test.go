package migrations_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"huiyin/storage/postgres/migrations"
	"huiyin/storage/postgres/pgtest"
)

func empty(t *testing.T) string {
	t.Helper()
	return pgtest.Clone(t, "empty", func(context.Context, string) error { return nil })
}

func TestUpBringsAnEmptyDatabaseToTheSchema(t *testing.T) {
	url := empty(t)
	before, err := migrations.Status(t.Context(), url)
	if err != nil || before.Ready() || len(before.Applied) != 0 || before.Pending[0] != "00001_spine.sql" {
		t.Errorf("an empty database has %+v (%v)", before, err)
	}
	for range 2 {
		if err := migrations.Up(t.Context(), url); err != nil {
			t.Fatal(err)
		}
	}
	after, err := migrations.Status(t.Context(), url)
	if err != nil || !after.Ready() || len(after.Applied) != len(before.Pending) {
		t.Errorf("after Up it has %+v (%v)", after, err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var ours, jobs bool
	if err := conn.QueryRow(t.Context(), `select to_regclass('public.praises') is not null, to_regclass('jobs.river_job') is not null`).Scan(&ours, &jobs); err != nil || !ours || !jobs {
		t.Errorf("our tables are there: %v, the queue's: %v (%v)", ours, jobs, err)
	}
}

func TestManyProcessesMayMigrateAtOnce(t *testing.T) {
	url := empty(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := migrations.Up(t.Context(), url); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if report, err := migrations.Status(t.Context(), url); err != nil || !report.Ready() {
		t.Errorf("afterwards the database has %+v (%v)", report, err)
	}
}

func TestAMigrationThatWasBegunIsFinished(t *testing.T) {
	url := empty(t)
	if err := migrations.Up(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), `drop schema jobs cascade`); err != nil { // as if the first half alone had run
		t.Fatal(err)
	}
	if err := migrations.Up(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	if report, err := migrations.Of(t.Context(), conn); err != nil || !report.Ready() {
		t.Errorf("the database has %+v (%v)", report, err)
	}
}

// An index that is built on a table with rows keeps everybody from writing meanwhile, unless it is built concurrently.
func TestNoMigrationLocksATableWhileItBuildsAnIndex(t *testing.T) {
	paths, err := filepath.Glob("*.sql")
	if err != nil || len(paths) < 4 {
		t.Fatalf("the migrations are %v (%v)", paths, err)
	}
	index := regexp.MustCompile(`(?i)create\s+(?:unique\s+)?index\s+(concurrently\s+)?(?:if not exists\s+)?(\w+)\s+on\s+(\w+)`)
	found := 0
	for _, p := range paths {
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range index.FindAllStringSubmatch(string(text), -1) {
			found++
			switch made := strings.Contains(string(text), "create table "+m[3]+" ("); {
			case m[1] != "" && !strings.HasPrefix(string(text), "-- +goose NO TRANSACTION\n"):
				t.Errorf("%s builds %s concurrently, and in a transaction that cannot be", p, m[2])
			case m[1] == "" && !made:
				t.Errorf("%s locks %s, which may be large, while it builds %s", p, m[3], m[2])
			}
		}
	}
	if found < 5 {
		t.Errorf("found %d indexes: the search itself is broken", found)
	}
}

func TestADatabaseThatIsNotThereIsAnError(t *testing.T) {
	url := "postgres:///nothing?host=" + t.TempDir()
	if err := migrations.Up(t.Context(), url); err == nil {
		t.Error("Up gave none")
	}
	if _, err := migrations.Status(t.Context(), url); err == nil {
		t.Error("Status gave none")
	}
	if err := migrations.Up(t.Context(), "nonsense"); err == nil {
		t.Error("Up gave none for a URL that is none")
	}
}

func TestHashIsThatOfTheMigrations(t *testing.T) {
	if h := migrations.Hash(); len(h) != 16 || h != migrations.Hash() || h == "0000000000000000" {
		t.Errorf("the hash is %q", h)
	}
}
