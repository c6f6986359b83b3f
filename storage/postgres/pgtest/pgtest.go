package pgtest

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"huiyin/storage/postgres/migrations"
)

// URL is a database with the current schema and no rows, for what opens its own pool.
func URL(tb testing.TB) string {
	tb.Helper()
	return Clone(tb, migrations.Hash(), migrations.Up)
}

// DB is a pool on a database as URL makes it, closed when the test ends. A connection that the test does not give back fails it.
func DB(tb testing.TB) *pgxpool.Pool {
	tb.Helper()
	pool, err := pgxpool.New(tb.Context(), URL(tb))
	if err != nil {
		tb.Fatalf("opening the test's database: %v", err)
	}
	tb.Cleanup(func() {
		closed := make(chan struct{})
		go func() {
			pool.Close()
			close(closed)
		}()
		select {
		case <-closed:
		case <-time.After(10 * time.Second):
			tb.Errorf("%d connections were not given back to the pool", pool.Stat().AcquiredConns())
		}
	})
	return pool
}
