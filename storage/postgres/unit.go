package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"huiyin/internal/people"
	"huiyin/storage/postgres/internal/db"
)

// rollbackTimeout bounds the end of a transaction that nobody waits for. The pool throws away a connection that did not make it.
const rollbackTimeout = time.Second

// attempts is how often a unit of work is tried that the database gave up for the sake of another.
const attempts = 3

// unit is a unit of work as the generated queries see it. What is executed is gathered; what is read takes everything gathered along in
// the same round trip; and what is left travels at the end. A unit that only wrote is therefore one round trip: all statements
// of a batch up to its end are one transaction (Postgres manual, "Message Flow", 55.2.4 Pipelining), without begin and commit.
type unit struct {
	pool    *pgxpool.Pool
	conn    *pgxpool.Conn // nil until something travels
	opening string        // begins a transaction before the first read; "": a read is a transaction of its own
	begun   bool
	queue   *pgx.Batch
	err     error // the first that the database gave; nothing travels after it
}

var _ db.DBTX = (*unit)(nil)

// Exec gathers a statement. The generated queries ignore the tag, and errors come out of the next read or commit.
func (u *unit) Exec(_ context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	u.queue.Queue(sql, args...)
	return pgconn.CommandTag{}, nil
}

// Query sends what was gathered and reads the rows of sql.
func (u *unit) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	br, err := u.sendBefore(ctx, sql, args)
	if err != nil {
		return nil, err
	}
	rows := &lastRows{unit: u, br: br}
	if rows.Rows, err = br.Query(); err != nil { //nolint:rowserrcheck // whoever reads the rows checks them
		return nil, u.fail(errors.Join(err, br.Close()))
	}
	return rows, nil
}

// QueryRow sends what was gathered and reads the row of sql.
func (u *unit) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	br, err := u.sendBefore(ctx, sql, args)
	if err != nil {
		return failedRow{err}
	}
	return &lastRow{unit: u, br: br}
}

// sendBefore sends what was gathered with sql after it, and consumes all results but the last.
func (u *unit) sendBefore(ctx context.Context, sql string, args []any) (pgx.BatchResults, error) {
	if u.err != nil {
		return nil, u.err
	}
	if u.opening != "" && !u.begun {
		u.queue.QueuedQueries = append([]*pgx.QueuedQuery{{SQL: u.opening}}, u.queue.QueuedQueries...)
		u.begun = true
	}
	u.queue.Queue(sql, args...)
	br, err := u.send(ctx)
	if err != nil {
		return nil, err
	}
	sent := u.queue.Len()
	u.queue = &pgx.Batch{}
	for range sent - 1 {
		if _, err := br.Exec(); err != nil {
			return nil, u.fail(errors.Join(err, br.Close()))
		}
	}
	return br, nil
}

func (u *unit) send(ctx context.Context) (pgx.BatchResults, error) {
	if u.conn == nil {
		conn, err := u.pool.Acquire(ctx)
		if err != nil {
			return nil, u.fail(err)
		}
		u.conn = conn
	}
	return u.conn.SendBatch(ctx, u.queue), nil
}

// commit sends what is left and ends the transaction.
func (u *unit) commit(ctx context.Context) error {
	if u.err != nil {
		return u.err
	}
	if u.begun {
		u.queue.Queue("commit")
	}
	if u.queue.Len() == 0 {
		return nil
	}
	br, err := u.send(ctx)
	if err != nil {
		return err
	}
	if err := br.Close(); err != nil {
		return u.fail(err)
	}
	u.begun = false
	return nil
}

// release gives the connection back; a transaction that is still open is rolled back first, even when ctx has ended.
func (u *unit) release(ctx context.Context) {
	if u.conn == nil {
		return
	}
	if u.begun && !u.conn.Conn().IsClosed() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
		defer cancel()
		if _, err := u.conn.Exec(ctx, "rollback"); err != nil {
			u.err = errors.Join(u.err, err)
		}
	}
	u.conn.Release()
	u.conn = nil
}

func (u *unit) fail(err error) error {
	if u.err == nil && err != nil && !errors.Is(err, pgx.ErrNoRows) {
		u.err = err
	}
	return err
}

// lastRows end their batch when they end.
type lastRows struct {
	pgx.Rows
	unit *unit
	br   pgx.BatchResults
}

// Close keeps an error for the commit, where the generated queries would lose it.
func (r *lastRows) Close() {
	r.Rows.Close()
	_ = r.unit.fail(r.br.Close())
}

type lastRow struct {
	unit *unit
	br   pgx.BatchResults
}

// Scan reads the row and ends its batch.
func (r *lastRow) Scan(dest ...any) error {
	err := r.br.QueryRow().Scan(dest...)
	if end := r.br.Close(); end != nil {
		err = end
	}
	return r.unit.fail(err)
}

type failedRow struct{ err error }

// Scan gives the error.
func (r failedRow) Scan(...any) error { return r.err }

// do runs fn as a unit of work, again when the database gave it up for the sake of another, and commits when fn gives no error.
func (d *DB) do(ctx context.Context, fn func(*unit, *db.Queries) error) error {
	var err error
	for range attempts {
		if err = d.once(ctx, fn); err == nil || !again(err) {
			break
		}
	}
	return err
}

func (d *DB) once(ctx context.Context, fn func(*unit, *db.Queries) error) error {
	u := &unit{pool: d.pool, opening: "begin", queue: &pgx.Batch{}}
	defer u.release(ctx)
	err := fn(u, db.New(u))
	if u.err != nil {
		return u.err // whatever fn made of it
	}
	if err != nil {
		return err
	}
	return u.commit(ctx)
}

// guard puts first what makes a write answer to its cause.
func guard(ctx context.Context, q *db.Queries, cause people.Cause) error {
	var err error
	if cause.Directory != 0 {
		err = q.AssertDirectory(ctx, cause.OrgID, cause.Directory)
	}
	if cause.Event != "" {
		err = errors.Join(err, q.TakeEvent(ctx, cause.OrgID, cause.Event, cause.At))
	}
	return err
}

// read runs fn on one connection, in one round trip, without a transaction of several statements to wait for.
func (d *DB) read(ctx context.Context, fn func(*db.Queries) error) error {
	u := &unit{pool: d.pool, queue: &pgx.Batch{}}
	defer u.release(ctx)
	err := fn(db.New(u))
	if u.err != nil {
		return u.err
	}
	return err
}

// inTx runs fn in a plain transaction, for what hands it on or reads and writes in turns.
func (d *DB) inTx(ctx context.Context, fn func(pgx.Tx, *db.Queries) error) error {
	tx, err := d.pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
		defer cancel()
		_ = tx.Rollback(ctx) // after a commit it does nothing
	}()
	if err := fn(tx, db.New(tx)); err != nil {
		return err
	}
	return tx.Commit(ctx)
}
