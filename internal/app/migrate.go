package app

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"huiyin/internal/config"
	"huiyin/storage/postgres/migrations"
)

// migrate is huiyin migrate [--status].
func migrate(set *flag.FlagSet) action {
	status := set.Bool("status", false, "cli.migrate.flag.status")
	return func(ctx context.Context, c *console, _ []string) error {
		cfg, err := config.Load(c.getenv)
		if err != nil {
			return err
		}
		d, err := c.open(ctx, cfg, write)
		if err != nil {
			return err
		}
		return errors.Join(c.migrate(ctx, d, *status), d.close(ctx))
	}
}

func (c *console) migrate(ctx context.Context, d *database, status bool) error {
	before, err := migrations.Of(ctx, d.Pool())
	if err != nil {
		return err
	}
	if status {
		for _, name := range before.Applied {
			fmt.Fprintln(c.out, c.say.T("cli.migrate.applied", "Name", name))
		}
		for _, name := range before.Pending {
			fmt.Fprintln(c.out, c.say.T("cli.migrate.pending", "Name", name))
		}
		if !before.Ready() {
			return errTold
		}
		return nil
	}
	if err := migrations.Up(ctx, d.url); err != nil {
		return err
	}
	if before.Ready() {
		fmt.Fprintln(c.out, c.say.T("cli.migrate.nothing"))
		return nil
	}
	fmt.Fprintln(c.out, c.say.T("cli.migrate.done", "Count", len(before.Pending)))
	return nil
}
