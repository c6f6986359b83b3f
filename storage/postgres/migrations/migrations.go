// Package migrations brings a database to the schema that this release needs: our own tables in schema public, numbered and
// forward-only, and those of the job queue in schema jobs. It does not know what the tables are for.
package migrations

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// JobsSchema is the Postgres schema of the job queue's tables.
const JobsSchema = "jobs"

//go:embed *.sql
var files embed.FS

// Report is where a database stands, by migration name in order: 00001_spine.sql are ours, jobs/6 the queue's.
type Report struct {
	Applied []string
	Pending []string
}

// Ready reports whether the database has what this release needs. It may have more: a later release migrates first.
func (r Report) Ready() bool { return len(r.Pending) == 0 }

// Up applies what is missing. Any number of processes may call it at once: one works, the others wait for it (up to five minutes).
func Up(ctx context.Context, url string) error {
	report, err := Status(ctx, url)
	if err != nil {
		return err
	}
	if report.Ready() {
		return nil
	}
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("reading the database URL: %w", err)
	}
	cfg.MaxConns, cfg.MinConns = 2, 0
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	defer pool.Close()
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return fmt.Errorf("preparing the migration lock: %w", err)
	}
	db := stdlib.OpenDB(*cfg.ConnConfig)
	defer db.Close()
	if err := migrateOurs(ctx, db, locker); err != nil {
		return err
	}
	return migrateJobs(ctx, db, locker, pool)
}

func migrateOurs(ctx context.Context, db *sql.DB, locker lock.SessionLocker) error {
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return fmt.Errorf("reading the migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrating the schema: %w", err)
	}
	return nil
}

// migrateJobs runs the queue's own migrations under the same lock, which they have none of.
func migrateJobs(ctx context.Context, db *sql.DB, locker lock.SessionLocker, pool *pgxpool.Pool) (err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	defer conn.Close()
	if err := locker.SessionLock(ctx, conn); err != nil {
		return fmt.Errorf("taking the migration lock: %w", err)
	}
	defer func() { err = errors.Join(err, locker.SessionUnlock(context.WithoutCancel(ctx), conn)) }()
	if _, err := conn.ExecContext(ctx, "create schema if not exists "+JobsSchema); err != nil {
		return fmt.Errorf("making schema %s: %w", JobsSchema, err)
	}
	migrator, err := jobsMigrator(pool)
	if err != nil {
		return err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrating the job queue: %w", err)
	}
	return nil
}

func jobsMigrator(pool *pgxpool.Pool) (*rivermigrate.Migrator[pgx.Tx], error) {
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Schema: JobsSchema, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, fmt.Errorf("reading the job queue's migrations: %w", err)
	}
	return migrator, nil
}

// Status tells where the database at the URL stands. It changes nothing.
func Status(ctx context.Context, url string) (Report, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return Report{}, fmt.Errorf("opening the database: %w", err)
	}
	report, err := Of(ctx, conn)
	return report, errors.Join(err, conn.Close(ctx))
}

// Querier is a connection, a pool or a transaction.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Of is Status on a connection that is already there.
func Of(ctx context.Context, q Querier) (Report, error) {
	wanted, err := names()
	if err != nil {
		return Report{}, err
	}
	var ours, jobs bool
	err = q.QueryRow(ctx, `select to_regclass('goose_db_version') is not null, to_regclass($1) is not null`, JobsSchema+".river_migration").Scan(&ours, &jobs)
	if err != nil {
		return Report{}, fmt.Errorf("looking for the migration tables: %w", err)
	}
	applied := map[string]bool{}
	if ours {
		if err := collect(ctx, q, applied, "", `select version_id from goose_db_version where is_applied`); err != nil {
			return Report{}, err
		}
	}
	if jobs {
		if err := collect(ctx, q, applied, JobsSchema+"/", `select version from `+JobsSchema+`.river_migration where line = 'main'`); err != nil {
			return Report{}, err
		}
	}
	var r Report
	for _, m := range wanted {
		if applied[m.key] {
			r.Applied = append(r.Applied, m.name)
		} else {
			r.Pending = append(r.Pending, m.name)
		}
	}
	return r, nil
}

func collect(ctx context.Context, q Querier, into map[string]bool, prefix, query string) error {
	rows, err := q.Query(ctx, query)
	if err != nil {
		return fmt.Errorf("listing what was applied: %w", err)
	}
	versions, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return fmt.Errorf("listing what was applied: %w", err)
	}
	for _, version := range versions {
		into[prefix+strconv.FormatInt(version, 10)] = true
	}
	return nil
}

// migration is one that this release has. key is where it comes from and its number.
type migration struct{ name, key, sql string }

// names lists every migration in the order of application.
func names() ([]migration, error) {
	paths, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, fmt.Errorf("listing the migrations: %w", err)
	}
	slices.Sort(paths)
	var all []migration
	for _, p := range paths {
		text, err := files.ReadFile(p)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", p, err)
		}
		number, err := goose.NumericComponent(p)
		if err != nil {
			return nil, fmt.Errorf("reading the number of %s: %w", p, err)
		}
		all = append(all, migration{name: path.Base(p), key: strconv.FormatInt(number, 10), sql: string(text)})
	}
	migrator, err := jobsMigrator(nil)
	if err != nil {
		return nil, err
	}
	for _, v := range migrator.AllVersions() {
		key := JobsSchema + "/" + strconv.Itoa(v.Version)
		all = append(all, migration{name: key, key: key, sql: v.SQLUp})
	}
	return all, nil
}

// Hash is the same exactly when the migrations are: 16 hexadecimal digits, fit for the name of a database.
func Hash() string {
	h := sha256.New()
	all, err := names()
	if err != nil { // embedded files cannot fail to be read; a name without a number fails every use of the package
		return strings.Repeat("0", 16)
	}
	for _, m := range all {
		h.Write([]byte(m.name + "\x00" + m.sql + "\x00"))
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}
