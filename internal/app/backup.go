package app

import (
	"context"
	"errors"
	"fmt"
	"os"

	"huiyin/internal/config"
)

// backup is huiyin backup [FILE]: the whole database in Postgres' own format. Survey keys are not in a database, so not in a backup either.
func backup(ctx context.Context, c *console, operands []string) error {
	cfg, err := config.Load(c.getenv)
	if err != nil {
		return err
	}
	file := "huiyin-" + c.now().UTC().Format("20060102-150405") + ".dump"
	if len(operands) > 0 {
		file = operands[0]
	}
	tool, err := pgTool(ctx, "pg_dump")
	if err != nil {
		return err
	}
	d, err := c.open(ctx, cfg, look)
	if err != nil {
		return err
	}
	return errors.Join(c.dump(ctx, d.url, tool, file), d.close(ctx))
}

// dump writes beside the file and renames when all is written: half a backup must not look like one.
func (c *console) dump(ctx context.Context, url, tool, file string) error {
	half := file + ".partial"
	f, err := os.OpenFile(half, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) // it holds what people wrote about each other
	if err != nil {
		return fmt.Errorf("making the backup: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("making the backup: %w", err)
	}
	if err := runTool(ctx, tool, url, "--format=custom", "--no-owner", "--no-privileges", "--file="+half); err != nil {
		return errors.Join(fmt.Errorf("making the backup: %w", err), os.Remove(half))
	}
	if err := os.Rename(half, file); err != nil {
		return fmt.Errorf("making the backup: %w", err)
	}
	info, err := os.Stat(file)
	if err != nil {
		return fmt.Errorf("looking at the backup: %w", err)
	}
	fmt.Fprintln(c.out, c.say.T("cli.backup.done", "File", file, "Size", size(info.Size())))
	fmt.Fprintln(c.out, c.say.T("cli.backup.verify", "File", file))
	return nil
}

// size is a number of bytes as people read it.
func size(n int64) string {
	const unit = 1024
	switch {
	case n < unit:
		return fmt.Sprintf("%d B", n)
	case n < unit*unit:
		return fmt.Sprintf("%.1f KiB", float64(n)/unit)
	case n < unit*unit*unit:
		return fmt.Sprintf("%.1f MiB", float64(n)/unit/unit)
	}
	return fmt.Sprintf("%.1f GiB", float64(n)/unit/unit/unit)
}
