package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"huiyin/internal/fault"
	"huiyin/storage/embedded"
	"huiyin/storage/postgres"
	"huiyin/storage/postgres/migrations"
)

// restore is huiyin restore --verify FILE: a drill. The backup is brought back into a Postgres of its own that is thrown away afterwards,
// so it cannot touch what is in use.
func restore(set *flag.FlagSet) action {
	verify := set.Bool("verify", false, "cli.restore.flag.verify")
	return func(ctx context.Context, c *console, operands []string) error {
		if !*verify {
			return &usageError{verb: "restore", key: "cli.restore.only", args: map[string]any{"File": operands[0]}}
		}
		if _, err := os.Stat(operands[0]); err != nil {
			return fault.New(fault.NotFound, "cli.restore.file", "File", operands[0]).Because(err)
		}
		tool, err := pgTool(ctx, "pg_restore")
		if err != nil {
			return err
		}
		return c.drill(ctx, tool, operands[0])
	}
}

func (c *console) drill(ctx context.Context, tool, file string) (err error) {
	dir, err := os.MkdirTemp("", "huiyin-drill-")
	if err != nil {
		return fmt.Errorf("making room for the drill: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Chmod(dir, 0o711); err != nil { // the server may run as another user, who passes through
		return fmt.Errorf("making room for the drill: %w", err)
	}
	progress, told := c.progress()
	server, err := embedded.Start(ctx, embedded.Options{Dir: filepath.Join(dir, "postgres"), Progress: progress})
	told()
	if err != nil {
		return err
	}
	defer func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		err = errors.Join(err, server.Stop(stop))
	}()
	began := c.now()
	if err := runTool(ctx, tool, server.URL(), "--no-owner", "--no-privileges", "--exit-on-error", file); err != nil {
		return fault.New(fault.Invalid, "cli.restore.failed", "File", file).Because(err)
	}
	fmt.Fprintln(c.out, c.say.T("cli.restore.restored", "Count", int(c.now().Sub(began).Seconds()+0.5)))
	db, err := postgres.Open(ctx, server.URL())
	if err != nil {
		return err
	}
	defer db.Close()
	return c.inspect(ctx, db)
}

// inspect looks at a restored database as somebody would who has to rely on it.
func (c *console) inspect(ctx context.Context, db *postgres.DB) error {
	report, err := migrations.Of(ctx, db.Pool())
	if err != nil {
		return err
	}
	if len(report.Applied) == 0 {
		return fault.New(fault.Invalid, "cli.restore.foreign")
	}
	if !report.Ready() {
		fmt.Fprintln(c.out, c.say.T("cli.restore.older", "Count", len(report.Pending)))
	}
	for _, q := range contents() {
		var n int64
		if err := db.Pool().QueryRow(ctx, q.sql).Scan(&n); err != nil {
			return fmt.Errorf("counting in the restored database: %w", err)
		}
		fmt.Fprintln(c.out, c.say.T(q.key, "Count", n))
	}
	bad := false
	for _, q := range invariants() {
		var n int64
		if err := db.Pool().QueryRow(ctx, q.sql).Scan(&n); err != nil {
			return fmt.Errorf("checking the restored database: %w", err)
		}
		if n > 0 {
			bad = true
			fmt.Fprintln(c.out, c.say.T(q.key, "Count", n))
		}
	}
	if err := c.verifyLogs(ctx, db, postgres.Head{}); err != nil {
		return err
	}
	if bad {
		return errTold
	}
	fmt.Fprintln(c.out, c.say.T("cli.restore.good"))
	return nil
}

// question is a query for one number, and the message that tells it.
type question struct{ key, sql string }

// contents say how much there is, so that whoever reads it can see whether that is what they expect.
func contents() []question {
	return []question{
		{"cli.restore.people", "select count(*) from people"},
		{"cli.restore.praises", "select count(*) from praises"},
		{"cli.restore.notes", "select count(*) from notes"},
		{"cli.restore.asks", "select count(*) from asks"},
		{"cli.restore.waiting", "select (select count(*) from outbox) + (select count(*) from deliveries where state in ('waiting', 'sending'))"},
	}
}

// invariants count what must not be there. Foreign keys hold by themselves: a restore fails when they do not.
func invariants() []question {
	return []question{
		{"cli.restore.bad.receivers", "select count(*) from praises p where not exists (select 1 from praise_receivers r where r.org_id = p.org_id and r.praise_id = p.praise_id)"},
		{"cli.restore.bad.asked", "select count(*) from asks a where not exists (select 1 from ask_people p where p.org_id = a.org_id and p.ask_id = a.ask_id)"},
		{"cli.restore.bad.identities", "select count(*) from identities where (person_id is null) <> (state = 'unclaimed')"},
		{"cli.restore.bad.accounts", `select count(*) from (select 1 from identities where state = 'confirmed' and kind <> 'gone' group by org_id, platform, person_id having count(*) > 1) twice`},
		{"cli.restore.bad.line", `with recursive line as (
			select org_id, person_id, manager_id, 1 as height from people where manager_id is not null
			union all
			select l.org_id, l.person_id, p.manager_id, l.height + 1 from line l join people p on p.org_id = l.org_id and p.person_id = l.manager_id
			where p.manager_id is not null and l.height < 100)
			select count(distinct person_id) from line where height >= 100`},
		{"cli.restore.bad.sent", "select count(*) from deliveries where state = 'sent' and sent_at is null"},
	}
}
