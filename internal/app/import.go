package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"huiyin/internal/config"
	"huiyin/internal/fault"
	"huiyin/internal/people"
	"huiyin/internal/sheet"
	"huiyin/storage/postgres"
)

// importPeople is huiyin import people FILE [--dry-run].
func importPeople(set *flag.FlagSet) action {
	dry := set.Bool("dry-run", false, "cli.import_people.flag.dry_run")
	return func(ctx context.Context, c *console, operands []string) error {
		cfg, err := config.Load(c.getenv)
		if err != nil {
			return err
		}
		table, err := c.readTable(operands[0])
		if err != nil {
			return err
		}
		d, err := c.open(ctx, cfg, write)
		if err != nil {
			return err
		}
		return errors.Join(c.importPeople(ctx, cfg, d, table, *dry), d.close(ctx))
	}
}

// readTable reads a file of any format that we know; "-" is standard input.
func (c *console) readTable(name string) (sheet.Table, error) {
	if name == "-" {
		return sheet.Read(c.in, sheet.DefaultLimits())
	}
	f, err := os.Open(name)
	if err != nil {
		return sheet.Table{}, fmt.Errorf("opening the file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return sheet.Table{}, fmt.Errorf("opening the file: %w", err)
	}
	bar := c.bar(c.say.T("cli.import.reading", "File", filepath.Base(name)), info.Size())
	defer bar.end()
	return sheet.Read(io.TeeReader(f, bar), sheet.DefaultLimits())
}

func (c *console) importPeople(ctx context.Context, cfg config.Config, d *database, table sheet.Table, dry bool) error {
	if err := d.schema(ctx, cfg); err != nil {
		return err
	}
	org, err := ensureOrg(ctx, d.DB, cfg, "")
	if err != nil {
		return err
	}
	plan, problems, err := takeOver(ctx, d.DB, org, table, c.now(), dry)
	if fault.Is(err, fault.Stale) {
		return fault.New(fault.Conflict, "cli.import.changed_meanwhile").Because(err)
	}
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		for i, p := range problems {
			if i == problemsShown {
				fmt.Fprintln(c.err, "…")
				break
			}
			fmt.Fprintln(c.err, p.Text(c.say))
		}
		fmt.Fprintln(c.err, c.say.T("cli.import.problems", "Count", len(problems)))
		return errTold
	}
	c.tell("cli.import.counts", "New", len(plan.Create), "Changed", len(plan.Update), "Unchanged", plan.Unchanged, "Accounts", len(plan.Identities))
	if dry {
		c.tell("cli.import.dry")
	} else {
		c.tell("cli.import.done")
	}
	return nil
}

const (
	// problemsShown is how many problems are listed: somebody who sees more than that has taken the wrong file.
	problemsShown = 200
	// importTries bounds how often an import is rehearsed anew because the directory changed under it.
	importTries = 5
)

// takeOver imports a people file into the present directory, or only rehearses it. All or nothing: with problems, or when the directory
// keeps changing, nothing is written. What was held for people who have an account now is sent.
func takeOver(ctx context.Context, db *postgres.DB, org people.Org, table sheet.Table, now time.Time, dry bool) (people.Plan, []people.Problem, error) {
	service := people.Service{Store: db.People}
	for try := 1; ; try++ {
		dir, err := db.People.Load(ctx, org.ID)
		if err != nil {
			return people.Plan{}, nil, err
		}
		if dry {
			err := people.Check(dir, people.Operator, people.ImportPeople, uuid.Nil)
			plan, problems := people.Rehearse(dir, table, people.Operator, newID)
			return plan, problems, err
		}
		cause := people.Cause{OrgID: org.ID, Directory: dir.Version(), At: now, Actor: people.Operator}
		plan, problems, err := service.Import(ctx, dir, cause, table, newID)
		if fault.Is(err, fault.Stale) && try < importTries {
			continue
		}
		if err != nil || len(problems) > 0 || plan.Empty() {
			return plan, problems, err
		}
		_, err = db.Deliveries.ReleaseKnown(ctx, now, people.Confirmed)
		return plan, nil, err
	}
}

// importPeople is the same import for a firm that is about to be served.
func (a *App) importPeople(ctx context.Context, file io.Reader) error {
	table, err := sheet.Read(file, sheet.DefaultLimits())
	if err != nil {
		return err
	}
	_, problems, err := takeOver(ctx, a.db, a.org, table, a.now(), false)
	if err == nil && len(problems) > 0 {
		return fmt.Errorf("row %d: %s %v", problems[0].Row, problems[0].Key, problems[0].Args)
	}
	return err
}
