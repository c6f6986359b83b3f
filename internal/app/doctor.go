package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"huiyin/internal/config"
	"huiyin/internal/fault"
	"huiyin/storage/postgres/migrations"
)

// doctor is huiyin doctor: looks at everything that serve needs and says what to do.
func doctor(ctx context.Context, c *console, _ []string) error {
	e := &examination{c: c}
	cfg, err := config.Load(c.getenv, config.SecretKey)
	if err := e.settings(err); err != nil {
		return err
	}
	e.disk(cfg)
	d, err := c.open(ctx, cfg, look)
	if fault.Is(err, fault.NotFound) {
		e.note("cli.doctor.database.none", "Dir", clusterDir(cfg))
		e.do("cli.doctor.database.none.do")
	} else if err != nil {
		e.bad("cli.doctor.database.away", "cli.doctor.database.away.do", "Why", cause(err).Error())
		for _, line := range c.explain(err) { // such as the ways to get a Postgres
			fmt.Fprintln(c.out, "    "+line)
		}
	} else {
		err := e.database(ctx, d)
		if err == nil && e.migrated {
			err = errors.Join(e.contents(ctx, d), e.calls(ctx, cfg, d))
		}
		if err := errors.Join(err, d.close(ctx)); err != nil {
			return err
		}
	}
	e.redis(ctx, cfg)
	e.slack(ctx, cfg)
	e.chats(ctx, cfg)
	if e.broken {
		return errTold
	}
	return nil
}

// examination prints a line for each thing looked at.
type examination struct {
	c        *console
	broken   bool
	migrated bool
	tenants  []string // of Slack, as the database knows them
}

func (e *examination) ok(key string, args ...any) {
	e.c.tell("cli.doctor.ok", "Text", e.c.say.T(key, args...))
}

func (e *examination) note(key string, args ...any) {
	e.c.tell("cli.doctor.note", "Text", e.c.say.T(key, args...))
}

// bad is something broken and what to do about it.
func (e *examination) bad(key, do string, args ...any) {
	e.broken = true
	e.c.tell("cli.doctor.bad", "Text", e.c.say.T(key, args...))
	e.do(do, args...)
}

func (e *examination) do(key string, args ...any) {
	e.c.tell("cli.doctor.do", "Text", e.c.say.T(key, args...))
}

// settings tells of every setting that cannot be used, and of those that will only be used by a later release.
func (e *examination) settings(err error) error {
	var problems config.Problems
	if err != nil && !errors.As(err, &problems) {
		return err
	}
	for _, p := range problems {
		e.broken = true
		e.c.tell("cli.doctor.bad", "Text", e.c.say.T("cli.doctor.settings.bad", "Name", p.Setting, "Problem", e.c.say.With(p.Key, p.Args)))
	}
	if len(problems) == 0 {
		e.ok("cli.doctor.settings.ok")
	}
	for _, s := range config.Settings() {
		if s.Later && (e.c.getenv(s.Name) != "" || e.c.getenv(s.Name+"_FILE") != "") {
			e.note("cli.doctor.settings.later", "Name", s.Name)
		}
	}
	return nil
}

// oldestPostgres is the oldest major version that our SQL is valid on.
const oldestPostgres = 15

// worstSkew is how far clocks may be apart (R07).
const worstSkew = 30 * time.Second

func (e *examination) database(ctx context.Context, d *database) error {
	var number int
	var version, encoding, fsync, commit, statement, duration, parameters, onError string
	err := d.Pool().QueryRow(ctx, `select current_setting('server_version_num')::int, current_setting('server_version'), current_setting('server_encoding'),
		current_setting('fsync'), current_setting('synchronous_commit'), current_setting('log_statement'), current_setting('log_min_duration_statement'),
		current_setting('log_parameter_max_length'), current_setting('log_parameter_max_length_on_error')`).
		Scan(&number, &version, &encoding, &fsync, &commit, &statement, &duration, &parameters, &onError)
	if err != nil {
		return fmt.Errorf("reading the database's settings: %w", err)
	}
	version, _, _ = strings.Cut(version, " ")
	if number/10000 < oldestPostgres {
		e.bad("cli.doctor.database.old", "cli.doctor.database.old.do", "Version", version)
	} else {
		e.ok("cli.doctor.database.ok", "Version", version)
	}
	if encoding != "UTF8" {
		e.bad("cli.doctor.database.encoding", "cli.doctor.database.encoding.do", "Encoding", encoding)
	}
	if fsync == "off" || commit == "off" {
		e.bad("cli.doctor.database.fsync", "cli.doctor.database.fsync.do")
	}
	// A parameter is what somebody wrote. It is logged with a statement that is logged, and with an error.
	if (statement == "all" || statement == "mod" || duration != "-1") && parameters != "0" || onError != "0" {
		e.note("cli.doctor.database.words", "Settings", fmt.Sprintf("log_statement=%s, log_min_duration_statement=%s, log_parameter_max_length=%s, log_parameter_max_length_on_error=%s",
			statement, duration, parameters, onError))
		e.do("cli.doctor.database.words.do")
	}
	report, err := migrations.Of(ctx, d.Pool())
	if err != nil {
		return err
	}
	if e.migrated = report.Ready(); e.migrated {
		e.ok("cli.doctor.migrations.ok")
	} else {
		e.bad("cli.doctor.migrations.pending", "cli.doctor.migrations.do", "Count", len(report.Pending))
	}
	skew, err := d.clockSkew(ctx, e.c.now)
	if err != nil {
		return err
	}
	if skew.Abs() > worstSkew {
		e.bad("cli.doctor.clock.bad", "cli.doctor.clock.do", "Seconds", int(skew.Seconds()))
	} else {
		e.ok("cli.doctor.clock.ok", "Millis", skew.Milliseconds())
	}
	return nil
}

// redis looks at the operator's own; the one in the process is not there while nothing is served.
func (e *examination) redis(ctx context.Context, cfg config.Config) {
	if !cfg.RedisURL.Set() {
		e.note("cli.doctor.redis.embedded")
		return
	}
	r, stop, err := openRedis(ctx, cfg)
	if err == nil {
		defer stop()
		err = r.Ping(ctx)
	}
	if err != nil {
		e.bad("cli.doctor.redis.away", "cli.doctor.redis.do", "Why", cause(err).Error())
		return
	}
	e.ok("cli.doctor.redis.ok")
}
