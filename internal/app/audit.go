package app

import (
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"huiyin/internal/config"
	"huiyin/internal/fault"
	"huiyin/storage/postgres"
)

// withDatabase is a verb that looks at the database and changes nothing of its schema.
func withDatabase(do func(ctx context.Context, c *console, d *database) error) action {
	return func(ctx context.Context, c *console, _ []string) error {
		cfg, err := config.Load(c.getenv)
		if err != nil {
			return err
		}
		d, err := c.open(ctx, cfg, look)
		if err != nil {
			return err
		}
		return errors.Join(do(ctx, c, d), d.close(ctx))
	}
}

// auditLog is huiyin audit log [--anchor N:HASH]: walks the chain of every firm's log.
func auditLog(set *flag.FlagSet) action {
	anchor := set.String("anchor", "", "cli.audit_log.flag.anchor")
	return func(ctx context.Context, c *console, operands []string) error {
		at, err := parseAnchor(*anchor)
		if err != nil {
			return err
		}
		return withDatabase(func(ctx context.Context, c *console, d *database) error {
			if err := d.current(ctx); err != nil {
				return err
			}
			return c.verifyLogs(ctx, d.DB, at)
		})(ctx, c, operands)
	}
}

// current refuses a database that lacks migrations: there would be nothing to look at.
func (d *database) current(ctx context.Context) error {
	if err := d.Ready(ctx); err != nil {
		return fault.New(fault.Conflict, "cli.error.not_migrated").Because(cause(err))
	}
	return nil
}

// parseAnchor reads NUMBER:HASH as this verb prints it.
func parseAnchor(text string) (postgres.Head, error) {
	if text == "" {
		return postgres.Head{}, nil
	}
	var head postgres.Head
	number, hash, _ := strings.Cut(text, ":")
	_, err := fmt.Sscan(number, &head.Seq)
	sum, err2 := hex.DecodeString(hash)
	if err != nil || err2 != nil || head.Seq < 1 || len(sum) != 32 {
		return postgres.Head{}, &usageError{verb: "audit log", key: "cli.audit_log.anchor", args: map[string]any{"Value": text}}
	}
	head.Hash = sum
	return head, nil
}

func (c *console) verifyLogs(ctx context.Context, db *postgres.DB, anchor postgres.Head) error {
	orgs, err := db.People.Orgs(ctx)
	if err != nil {
		return err
	}
	broken := 0
	for _, org := range orgs {
		head, err := db.Audit.Verify(ctx, org.ID, anchor)
		var at *postgres.BrokenError
		switch {
		case errors.As(err, &at):
			broken++
			fmt.Fprintln(c.out, c.say.T("cli.audit_log.broken", "Firm", org.ID.String(), "Entry", at.Seq, "Why", c.say.T("cli.audit_log."+string(at.Reason))))
		case err != nil:
			return err
		default:
			fmt.Fprintln(c.out, c.say.T("cli.audit_log.whole", "Firm", org.ID.String(), "Count", head.Seq))
			if head.Seq > 0 {
				fmt.Fprintln(c.out, c.say.T("cli.audit_log.head", "Head", fmt.Sprintf("%d:%x", head.Seq, head.Hash)))
			}
		}
	}
	if broken > 0 {
		return errTold
	}
	return nil
}

// auditAnonymity is huiyin audit anonymity. This release has no surveys: it proves that no table is there that could hold an answer, so
// that nobody takes the absence of findings for an audit.
func auditAnonymity() action {
	return withDatabase(func(ctx context.Context, c *console, d *database) error {
		if err := d.current(ctx); err != nil {
			return err
		}
		rows, err := d.Pool().Query(ctx, `select table_schema || '.' || table_name || '.' || column_name from information_schema.columns
			where table_schema not in ('pg_catalog', 'information_schema')
			and (table_name || ' ' || column_name) ~ '(survey|ballot|rater|roster|answer_cell|sealed)' order by 1`)
		if err != nil {
			return fmt.Errorf("reading the catalogue: %w", err)
		}
		found, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return fmt.Errorf("reading the catalogue: %w", err)
		}
		for _, column := range found {
			fmt.Fprintln(c.out, c.say.T("cli.audit_anonymity.found", "Column", column))
		}
		if len(found) > 0 {
			return errTold
		}
		fmt.Fprintln(c.out, c.say.T("cli.audit_anonymity.none"))
		return nil
	})
}
