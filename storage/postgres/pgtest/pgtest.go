package pgtest

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"huiyin/storage/postgres/migrations"
)

// URL is a database with the current schema and no rows, for what opens its own pool.
func URL(t testing.TB) string {
	t.Helper()
	return Clone(t, migrations.Hash(), migrations.Up)
}

// DB is a pool on a database as URL makes it, closed when the test ends. A connection that the test does not give back fails it.
func DB(t testing.TB) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), URL(t))
	if err != nil {
		t.Fatalf("opening the test's database: %v", err)
	}
	t.Cleanup(func() {
		closed := make(chan struct{})
		go func() {
			pool.Close()
			close(closed)
		}()
		select {
		case <-closed:
		case <-time.After(10 * time.Second):
			t.Errorf("%d connections were not given back to the pool", pool.Stat().AcquiredConns())
		}
	})
	return pool
}
