// Package postgres keeps what the product remembers: it implements the store ports of the packages that declare them, one file per
// port, in as few network round trips as the work allows. It decides nothing: rules are in the domain, and what it adds are keys,
// constraints and the promise that a unit of work happens once or not at all. It does not know who asks or what is shown.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"huiyin/internal/fault"
	"huiyin/storage/postgres/internal/db"
	"huiyin/storage/postgres/migrations"
)

const (
	connectTimeout = 5 * time.Second
	// hurry bounds what a person waits for. A chat platform waits three seconds; whoever asks usually brings a shorter deadline.
	hurry = 5 * time.Second
)

// DB is an open database and the stores in it. It is safe for concurrent use.
type DB struct {
	People     *People
	Feedback   *Feedback
	Deliveries *Deliveries
	Schedules  *Schedules
	Quotas     *Quotas
	Audit      *Audit

	pool  *pgxpool.Pool
	woken chan struct{}
}

// Open prepares a pool for the URL (libpq form; pool_max_conns and the other pool_ settings of pgxpool are understood) and connects
// when it is first used. It holds two connections per processor, at least four: more of them only wait for each other.
func Open(ctx context.Context, url string) (*DB, error) {
	cfg, err := config(url)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	return New(pool), nil
}

// config is what the URL says, and our defaults where it says nothing.
func config(url string) (*pgxpool.Config, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("reading the database URL: %w", err)
	}
	if !strings.Contains(url, "pool_max_conns") {
		cfg.MaxConns = int32(max(4, 2*runtime.NumCPU()))
	}
	cfg.AfterConnect = register
	conn := cfg.ConnConfig
	if conn.ConnectTimeout == 0 {
		conn.ConnectTimeout = connectTimeout
	}
	if conn.DefaultQueryExecMode == pgx.QueryExecModeSimpleProtocol {
		return nil, errors.New("the database URL asks for the simple protocol, which is not supported: use cache_describe or exec behind a pooler")
	}
	setDefault(conn.RuntimeParams, "application_name", "huiyin")
	// Our statements find their rows by key: planning them anew for every value costs more than it finds, and the statement of a praise,
	// whose generic plan Postgres takes for worse than it is, was planned anew each time.
	setDefault(conn.RuntimeParams, "plan_cache_mode", "force_generic_plan")
	// These end what nobody waits for any more; what somebody waits for has a deadline of its own.
	setDefault(conn.RuntimeParams, "statement_timeout", "60s")
	setDefault(conn.RuntimeParams, "idle_in_transaction_session_timeout", "60s")
	return cfg, nil
}

func setDefault(params map[string]string, key, value string) {
	if _, set := params[key]; !set {
		params[key] = value
	}
}

// New gives the stores on a pool that is already there. Open's is faster: it knows how to carry UUIDs.
func New(pool *pgxpool.Pool) *DB { return stores(pool, make(chan struct{}, 1)) }

// Another gives the same stores on connections of their own, so that work in the background never takes one from a person who waits for
// an answer. Whoever waits for Woken of either hears of the notices of both. It is closed by itself.
func (d *DB) Another(ctx context.Context) (*DB, error) {
	pool, err := pgxpool.NewWithConfig(ctx, d.pool.Config())
	if err != nil {
		return nil, fmt.Errorf("opening the database once more: %w", err)
	}
	return stores(pool, d.woken), nil
}

func stores(pool *pgxpool.Pool, woken chan struct{}) *DB {
	d := &DB{pool: pool, woken: woken}
	d.People = &People{d}
	d.Feedback = newFeedback(d)
	d.Deliveries = &Deliveries{d}
	d.Schedules = &Schedules{d}
	d.Quotas = &Quotas{d}
	d.Audit = &Audit{d}
	return d
}

// Pool is the pool underneath, for the job queue, which shares its transactions.
func (d *DB) Pool() *pgxpool.Pool { return d.pool }

// Close waits for what is running and closes all connections.
func (d *DB) Close() { d.pool.Close() }

// Woken receives after a commit of this process that wrote notices. Several commits may wake once.
func (d *DB) Woken() <-chan struct{} { return d.woken }

func (d *DB) wake() {
	select {
	case d.woken <- struct{}{}:
	default: // the reader has not taken the last one yet and will see these rows too
	}
}

// Ping gives a fault of kind Unavailable when the database cannot be reached.
func (d *DB) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, hurry)
	defer cancel()
	if err := d.pool.Ping(ctx); err != nil {
		return fault.New(fault.Unavailable, "storage.unavailable").Because(err)
	}
	return nil
}

// Ready is Ping, and a fault of kind Unavailable too when migrations are missing.
func (d *DB) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, hurry)
	defer cancel()
	report, err := migrations.Of(ctx, d.pool)
	if err != nil {
		return fault.New(fault.Unavailable, "storage.unavailable").Because(err)
	}
	if !report.Ready() {
		return fault.New(fault.Unavailable, "storage.migrate", "Count", len(report.Pending)).Because(fmt.Errorf("missing migrations: %v", report.Pending))
	}
	return nil
}

// queries are for reads outside any unit of work.
func (d *DB) queries() *db.Queries { return db.New(d.pool) }
