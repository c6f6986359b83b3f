// Package pgtest gives each test a real Postgres database of its own, with the product's schema, in about a tenth of a second.
//
// All test processes of a user share one server without fsync, which the first one starts and which stops by itself within a minute
// after the last one has ended. The schema is migrated once into a template database; a test gets a copy, which is dropped when the
// test ends. HUIYIN_TEST_DATABASE_URL names another server to use (a postgres:// URL of a role that may create databases).
//
// It does not know what is in the schema, and offers no data.
package pgtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"huiyin/storage/embedded"
)

const (
	// override is the environment variable that names another server.
	override = "HUIYIN_TEST_DATABASE_URL"

	templatePrefix = "huiyin_template_" // + hash of the migrations
	clonePrefix    = "huiyin_test_"     // + process id + _ + random

	// keptTemplates are left on the shared server: a few branches' worth, 8 MB each.
	keptTemplates = 4

	// noSuchDatabase is SQLSTATE invalid_catalog_name.
	noSuchDatabase = "3D000"

	// notPermitted is SQLSTATE insufficient_privilege.
	notPermitted = "42501"

	linger = time.Minute

	// connections are enough for the packages that go test runs at once, each with a few parallel tests and their pools.
	connections = 200
)

// Clone returns the URL of a new database that is a copy of what migrate made of an empty one. The same hash means the same result, so
// migrate is called once for it, on this machine rather than in this process. The database is dropped when the test ends; anything that
// is still connected is cut off.
func Clone(tb testing.TB, hash string, migrate func(ctx context.Context, url string) error) string {
	tb.Helper()
	s, err := shared()
	if err != nil {
		tb.Fatalf("no database for the test: %v", err)
	}
	name := fmt.Sprintf("%s%d_%s", clonePrefix, os.Getpid(), strings.ToLower(rand.Text()[:12]))
	if err := s.clone(tb.Context(), name, hash, migrate); err != nil {
		tb.Fatalf("no database for the test: %v", err)
	}
	tb.Cleanup(func() {
		if err := s.drop(context.WithoutCancel(tb.Context()), name); err != nil {
			tb.Errorf("dropping the test's database: %v", err)
		}
	})
	return s.url(name)
}

// server is where databases are made. Its own URL names the one that statements about others are sent from.
type server struct {
	base *url.URL

	// copying is how databases are copied. Without fsync copying files takes 30 ms; Postgres's default, which writes them to the log
	// as well, takes 280 ms.
	copying string

	mu    sync.Mutex
	ready map[string]bool // templates known to be complete
}

// shared is this process's use of the server. Nothing ends it but the end of the process.
var shared = sync.OnceValues(func() (*server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute) // the programs may have to be fetched
	defer cancel()
	if own := os.Getenv(override); own != "" {
		return newServer(own)
	}
	dir := filepath.Join(os.TempDir(), "huiyin-pgtest-"+strconv.Itoa(os.Getuid()))
	p, err := embedded.Start(ctx, embedded.Options{Dir: dir, Linger: linger, MaxConnections: connections})
	if err != nil {
		return nil, err
	}
	s, err := newServer(p.URL())
	if err != nil {
		return nil, err
	}
	s.copying = " strategy file_copy"
	return s, s.sweep(ctx)
})

func newServer(base string) (*server, error) {
	u, err := url.Parse(base)
	if err != nil || !strings.HasPrefix(u.Scheme, "postgres") {
		return nil, fmt.Errorf("%s has to be a postgres:// URL", override)
	}
	return &server{base: u, ready: map[string]bool{}}, nil
}

func (s *server) url(name string) string {
	u := *s.base
	u.Path = "/" + name
	return u.String()
}

func (s *server) exec(ctx context.Context, statement string) error {
	return s.with(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, statement)
		return err
	})
}

// drop cuts off whoever is connected. Autovacuum may be at work in the database, as a role that may not be cut off: it is waited for.
func (s *server) drop(ctx context.Context, name string) error {
	const tries = 40
	for try := 1; ; try++ {
		err := s.exec(ctx, "drop database if exists "+name+" with (force)")
		failure, ok := errors.AsType[*pgconn.PgError](err)
		if !ok || failure.Code != notPermitted || try == tries {
			return err
		}
		if err := s.exec(ctx, "select pg_sleep(0.25)"); err != nil {
			return err
		}
	}
}

func (s *server) with(ctx context.Context, do func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, s.base.String())
	if err != nil {
		return fmt.Errorf("connecting to the test server: %w", err)
	}
	return errors.Join(do(conn), conn.Close(context.WithoutCancel(ctx)))
}

func (s *server) clone(ctx context.Context, name, hash string, migrate func(context.Context, string) error) error {
	template, err := s.template(ctx, hash, migrate)
	if err != nil {
		return err
	}
	err = s.exec(ctx, "create database "+name+" template "+template+s.copying)
	if failure, ok := errors.AsType[*pgconn.PgError](err); ok && failure.Code == noSuchDatabase {
		// Another process swept it, because it has newer ones.
		s.forget(template)
		if template, err = s.template(ctx, hash, migrate); err != nil {
			return err
		}
		err = s.exec(ctx, "create database "+name+" template "+template+s.copying)
	}
	if err != nil {
		return fmt.Errorf("copying the template database: %w", err)
	}
	return nil
}

func (s *server) forget(template string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.ready, template)
}

// template returns the name of a database that migrate went over, and makes it if this is the first test on the server that needs it.
// Processes that come at the same time wait for the one that makes it.
func (s *server) template(ctx context.Context, hash string, migrate func(context.Context, string) error) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := templateName(hash)
	if s.ready[name] {
		return name, nil
	}
	err := s.with(ctx, func(conn *pgx.Conn) error {
		// Held until the connection ends.
		if _, err := conn.Exec(ctx, "select pg_advisory_lock(hashtext($1))", templatePrefix); err != nil {
			return fmt.Errorf("waiting for the template database: %w", err)
		}
		var complete bool // being a template is the last thing that happens to one
		err := conn.QueryRow(ctx, "select exists (select from pg_database where datname = $1 and datistemplate)", name).Scan(&complete)
		if err != nil {
			return fmt.Errorf("looking for the template database: %w", err)
		}
		if complete {
			return nil
		}
		for _, statement := range []string{"drop database if exists " + name + " with (force)", "create database " + name + " template template0"} {
			if _, err := conn.Exec(ctx, statement); err != nil {
				return fmt.Errorf("making the template database: %w", err)
			}
		}
		if err := migrate(ctx, s.url(name)); err != nil {
			return fmt.Errorf("migrating the template database: %w", err)
		}
		// Nothing can be copied while somebody is connected to it.
		if _, err := conn.Exec(ctx, "alter database "+name+" with allow_connections false is_template true"); err != nil {
			return fmt.Errorf("completing the template database: %w", err)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	s.ready[name] = true
	return name, nil
}

// templateName takes any hash, of any length and alphabet.
func templateName(hash string) string {
	sum := sha256.Sum256([]byte(hash))
	return fmt.Sprintf("%s%x", templatePrefix, sum[:8])
}

// sweep drops what processes left behind that were killed, and templates of old migrations.
func (s *server) sweep(ctx context.Context) error {
	return s.with(ctx, func(conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, "select pg_advisory_lock(hashtext($1))", templatePrefix); err != nil {
			return fmt.Errorf("waiting to tidy the test server: %w", err)
		}
		clones, err := names(ctx, conn, "select datname from pg_database where starts_with(datname, $1)", clonePrefix)
		if err != nil {
			return err
		}
		for _, name := range clones {
			if abandoned(name) {
				if err := drop(ctx, conn, name); err != nil {
					return err
				}
			}
		}
		old, err := names(ctx, conn, "select datname from pg_database where starts_with(datname, $1) and datistemplate order by oid desc offset $2",
			templatePrefix, keptTemplates)
		if err != nil {
			return err
		}
		for _, name := range old {
			if _, err := conn.Exec(ctx, "alter database "+name+" is_template false"); err != nil {
				return fmt.Errorf("dropping an old template: %w", err)
			}
			if err := drop(ctx, conn, name); err != nil {
				return err
			}
		}
		return nil
	})
}

func names(ctx context.Context, conn *pgx.Conn, query string, args ...any) ([]string, error) {
	rows, err := conn.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("listing the test databases: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("listing the test databases: %w", err)
	}
	return list, nil
}

func drop(ctx context.Context, conn *pgx.Conn, name string) error {
	if _, err := conn.Exec(ctx, "drop database if exists "+name+" with (force)"); err != nil {
		return fmt.Errorf("dropping an abandoned test database: %w", err)
	}
	return nil
}

// abandoned tells whether the process that the clone's name mentions has ended.
func abandoned(clone string) bool {
	number, _, _ := strings.Cut(strings.TrimPrefix(clone, clonePrefix), "_")
	pid, err := strconv.Atoi(number)
	if err != nil {
		return false
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		return true
	}
	return errors.Is(process.Signal(syscall.Signal(0)), os.ErrProcessDone)
}
