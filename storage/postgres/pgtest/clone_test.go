package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// marked is a migration that leaves a table, counts its calls, and fails if told to.
type marked struct {
	calls int
	err   error
}

func (m *marked) up(ctx context.Context, url string) error {
	m.calls++
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "create table mark (n int)")
	return errors.Join(err, conn.Close(ctx), m.err)
}

func testServer(t *testing.T) *server {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatalf("starting the shared server: %v", err)
	}
	return s
}

// freshHash is one that no template has. The template that the test makes for it is removed.
func freshHash(t *testing.T) string {
	t.Helper()
	s, hash := testServer(t), rand.Text()
	t.Cleanup(func() {
		ctx, name := context.WithoutCancel(t.Context()), templateName(hash)
		if !slices.Contains(databases(t, s), name) {
			return
		}
		if err := s.exec(ctx, "alter database "+name+" is_template false"); err != nil {
			t.Errorf("removing the test's template: %v", err)
		}
		if err := s.exec(ctx, "drop database "+name); err != nil {
			t.Errorf("removing the test's template: %v", err)
		}
	})
	return hash
}

func databases(t *testing.T, s *server) []string {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	var list []string
	err := s.with(ctx, func(conn *pgx.Conn) (err error) {
		list, err = names(ctx, conn, "select datname from pg_database")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func run(t *testing.T, url, statement string) error {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		return err
	}
	_, err = conn.Exec(t.Context(), statement)
	return errors.Join(err, conn.Close(t.Context()))
}

func TestEachTestHasADatabaseOfItsOwn(t *testing.T) {
	var m marked
	hash := freshHash(t)
	first, second := Clone(t, hash, m.up), Clone(t, hash, m.up)
	if err := run(t, first, "insert into mark values (1); create table only_here (n int)"); err != nil {
		t.Fatalf("using the first database: %v", err)
	}
	if err := run(t, second, "select from only_here"); err == nil {
		t.Error("a table of the first test's database is in the second one's")
	}
	if err := run(t, second, "select 1 / (1 - count(*)) from mark"); err != nil {
		t.Errorf("the second database does not have the migrated table, empty: %v", err)
	}
	if m.calls != 1 {
		t.Errorf("two databases took %d migrations, want 1", m.calls)
	}
}

func TestDatabaseIsDroppedThoughSomebodyIsConnected(t *testing.T) {
	var m marked
	s, hash := testServer(t), freshHash(t)
	var name string
	t.Run("inner", func(t *testing.T) {
		url := Clone(t, hash, m.up)
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		name = conn.Config().Database // and the connection stays open
	})
	if slices.Contains(databases(t, s), name) {
		t.Errorf("the database %s outlived its test", name)
	}
}

func TestUnfinishedTemplateIsMadeAnew(t *testing.T) {
	s, hash := testServer(t), freshHash(t)
	broken := marked{err: errors.New("half way")}
	if _, err := s.template(t.Context(), hash, broken.up); !errors.Is(err, broken.err) {
		t.Fatalf("a failing migration gave %v", err)
	}
	var whole marked
	if err := run(t, Clone(t, hash, whole.up), "select from mark"); err != nil || whole.calls != 1 {
		t.Errorf("after a failed migration the next one ran %d times and left %v; want once, whole", whole.calls, err)
	}
}

func TestTemplateThatAnotherProcessDroppedIsMadeAgain(t *testing.T) {
	s, hash := testServer(t), freshHash(t)
	var m marked
	Clone(t, hash, m.up)
	for _, statement := range []string{"alter database " + templateName(hash) + " is_template false", "drop database " + templateName(hash)} {
		if err := s.exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := run(t, Clone(t, hash, m.up), "select from mark"); err != nil || m.calls != 2 {
		t.Errorf("without its template a test's database took %d migrations and gave %v; want 2, whole", m.calls, err)
	}
}

func TestWhatAKilledTestLeftIsDropped(t *testing.T) {
	s := testServer(t)
	ended := exec.CommandContext(t.Context(), "true")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	left := fmt.Sprintf("%s%d_left", clonePrefix, ended.Process.Pid)
	used := fmt.Sprintf("%s%d_used", clonePrefix, os.Getpid())
	for _, name := range []string{left, used} {
		if err := s.exec(t.Context(), "create database "+name+" template template0"); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if err := s.exec(context.WithoutCancel(t.Context()), "drop database "+used); err != nil {
			t.Error(err)
		}
	})
	if err := s.sweep(t.Context()); err != nil {
		t.Fatalf("sweeping: %v", err)
	}
	list := databases(t, s)
	if slices.Contains(list, left) {
		t.Error("the database of an ended process is still there")
	}
	if !slices.Contains(list, used) {
		t.Error("the database of a living process was dropped")
	}
}

func TestPoolIsOnTheCurrentSchema(t *testing.T) {
	var table *string
	if err := DB(t).QueryRow(t.Context(), "select to_regclass('goose_db_version')::text").Scan(&table); err != nil || table == nil {
		t.Errorf("the database has no migrations: %v, %v", table, err)
	}
}

func TestOtherServerMustBeNamedByAURL(t *testing.T) {
	if _, err := newServer("host=db user=ci"); err == nil || !strings.Contains(err.Error(), override) {
		t.Errorf("a setting that is no URL gave %v; want an error that names %s", err, override)
	}
	s, err := newServer("postgres://ci:secret@db:5432/ci?sslmode=disable")
	if err != nil {
		t.Fatalf("a URL was refused: %v", err)
	}
	if got, want := s.url("x"), "postgres://ci:secret@db:5432/x?sslmode=disable"; got != want {
		t.Errorf("a database on that server has the URL %s, want %s", got, want)
	}
}

func BenchmarkClone(b *testing.B) {
	for b.Loop() {
		URL(b)
	}
}
