package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"huiyin/internal/config"
	"huiyin/internal/fault"
	"huiyin/storage/embedded"
	"huiyin/storage/postgres"
	"huiyin/storage/postgres/migrations"
)

// database is an open database with its stores: the operator's own, or an embedded one.
type database struct {
	*postgres.DB
	url    string
	server *embedded.Postgres // nil: the operator's own
	log    io.Closer          // of the embedded server; nil: none
}

// stopTimeout is what an embedded server gets for a clean end.
const stopTimeout = 15 * time.Second

// serverLog is where below the data directory an embedded Postgres writes what it has to say.
const serverLog = "postgres.log"

// use is what a database is opened for.
type use int

const (
	look  use = iota // at what is there: an embedded cluster is not made
	write            // once
	keep             // for as long as the process runs, with a log of the embedded server
)

// open starts or reaches the database of the settings. An embedded one that another process serves is shared with it.
func (c *console) open(ctx context.Context, cfg config.Config, use use) (*database, error) {
	d := &database{url: cfg.DatabaseURL.Reveal()}
	if !cfg.DatabaseURL.Set() {
		if dir := clusterDir(cfg); use == look && !exists(dir) {
			return nil, fault.New(fault.NotFound, "cli.error.no_database", "Dir", dir)
		}
		if err := c.embed(ctx, cfg, d, use == keep); err != nil {
			return nil, err
		}
	}
	var err error
	if d.DB, err = postgres.Open(ctx, d.url); err != nil {
		return nil, errors.Join(err, d.close(ctx))
	}
	if err := d.reach(ctx); err != nil {
		return nil, errors.Join(err, d.close(ctx))
	}
	return d, nil
}

// clusterDir is where an embedded Postgres lives.
func clusterDir(cfg config.Config) string { return filepath.Join(cfg.DataDir, config.DatabaseFolder) }

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func (c *console) embed(ctx context.Context, cfg config.Config, d *database, keepLog bool) error {
	progress, end := c.progress()
	defer end()
	options := embedded.Options{Dir: clusterDir(cfg), Durable: true, Progress: progress}
	if err := makeDataDir(cfg.DataDir); err != nil {
		return err
	}
	if keepLog {
		log, err := openLog(filepath.Join(cfg.DataDir, serverLog))
		if err != nil {
			return err
		}
		options.Log, d.log = log, log
	}
	server, err := embedded.Start(ctx, options)
	if err != nil {
		if d.log != nil {
			err = errors.Join(err, d.log.Close())
		}
		return err
	}
	d.server, d.url = server, server.URL()
	return nil
}

// keptLog is from which size on a log is put aside at the next start.
const keptLog = 1 << 20

// openLog goes on with the log of the last run; one that has grown is kept as FILE.old.
func openLog(name string) (*os.File, error) {
	if info, err := os.Stat(name); err == nil && info.Size() > keptLog {
		if err := os.Rename(name, name+".old"); err != nil {
			return nil, fmt.Errorf("putting the old log aside: %w", err)
		}
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the database's log: %w", err)
	}
	return f, nil
}

// patience is how long somebody waits before they are told what for.
const patience = 2 * time.Second

// progress tells a person who starts an embedded Postgres what takes so long. After end nothing more is told: a server that is started
// again later tells the log.
func (c *console) progress() (tell func(embedded.Stage), end func()) {
	var mu sync.Mutex
	var waiting *time.Timer
	ended := false
	say := func(s embedded.Stage) { fmt.Fprintln(c.err, c.say.T("cli.stage."+string(s))) }
	stop := func() {
		if waiting != nil {
			waiting.Stop()
		}
	}
	tell = func(s embedded.Stage) {
		mu.Lock()
		defer mu.Unlock()
		if ended {
			return
		}
		stop()
		switch s {
		case embedded.StageInstall, embedded.StageDownload, embedded.StageInit:
			say(s)
		case embedded.StageWait, embedded.StageStart: // mostly over in a moment
			waiting = time.AfterFunc(patience, func() { say(s) })
		case embedded.StageReady:
		}
	}
	return tell, func() {
		mu.Lock()
		defer mu.Unlock()
		ended = true
		stop()
	}
}

// reach finds out whether the database answers, and in a language that its owner understands.
func (d *database) reach(ctx context.Context) error {
	if err := d.Ping(ctx); err != nil {
		return fault.New(fault.Unavailable, "cli.error.database").Because(cause(err))
	}
	return nil
}

// cause is what lies under a fault, or the error itself.
func cause(err error) error {
	if f, ok := fault.Of(err); ok && errors.Unwrap(f) != nil {
		return errors.Unwrap(f)
	}
	return err
}

// schema applies what is missing of the schema, or refuses when it may not.
func (d *database) schema(ctx context.Context, cfg config.Config) error {
	report, err := migrations.Of(ctx, d.Pool())
	if err != nil {
		return err
	}
	switch {
	case report.Ready():
		return nil
	case cfg.Migrate || d.server != nil:
		return migrations.Up(ctx, d.url)
	}
	return fault.New(fault.Conflict, "cli.error.pending", "Count", len(report.Pending))
}

// close ends connections, and the embedded server if this process has it. The server gets its time even when ctx has ended.
func (d *database) close(ctx context.Context) error {
	if d.DB != nil {
		d.Close()
	}
	var errs []error
	if d.server != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		errs = append(errs, d.server.Stop(ctx))
	}
	if d.log != nil {
		errs = append(errs, d.log.Close())
	}
	return errors.Join(errs...)
}

// clockSkew is how far the database's clock is ahead of ours.
func (d *database) clockSkew(ctx context.Context, now func() time.Time) (time.Duration, error) {
	before := now()
	var theirs time.Time
	if err := d.Pool().QueryRow(ctx, "select clock_timestamp()").Scan(&theirs); err != nil {
		return 0, fmt.Errorf("asking the database for its time: %w", err)
	}
	half := now().Sub(before) / 2
	return theirs.Sub(before.Add(half)), nil
}

// withLock runs fn while no other process of this installation runs it under the same name.
func withLock(ctx context.Context, db *postgres.DB, name string, fn func() error) error {
	return pgx.BeginFunc(ctx, db.Pool(), func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock(hashtextextended($1, 0))", "huiyin:"+name); err != nil {
			return fmt.Errorf("taking the lock %s: %w", name, err)
		}
		return fn()
	})
}
