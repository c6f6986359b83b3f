package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"huiyin/internal/config"
	"huiyin/internal/people"
	"huiyin/internal/sheet"
)

// exportPeople is huiyin export people [FILE].
func exportPeople(*flag.FlagSet) action {
	return func(ctx context.Context, c *console, operands []string) error {
		cfg, err := config.Load(c.getenv)
		if err != nil {
			return err
		}
		d, err := c.open(ctx, cfg, look)
		if err != nil {
			return err
		}
		file := ""
		if len(operands) > 0 {
			file = operands[0]
		}
		return errors.Join(c.exportPeople(ctx, d, file), d.close(ctx))
	}
}

func (c *console) exportPeople(ctx context.Context, d *database, file string) error {
	if err := d.current(ctx); err != nil {
		return err
	}
	org, err := onlyOrg(ctx, d.DB)
	if err != nil {
		return err
	}
	dir, err := d.People.Load(ctx, org.ID)
	if err != nil {
		return err
	}
	table, err := (&people.Service{Store: d.People}).Export(dir, people.Operator, c.say.Lang())
	if err != nil {
		return err
	}
	if file == "" || file == "-" {
		return sheet.Write(c.out, sheet.CSV, table)
	}
	if err := writeTable(file, table); err != nil {
		return err
	}
	fmt.Fprintln(c.err, c.say.T("cli.export.done", "Count", len(table.Rows), "File", file))
	return nil
}

// writeTable writes beside the file and renames when all is written.
func writeTable(file string, table sheet.Table) error {
	format := sheet.CSV
	if strings.EqualFold(filepath.Ext(file), ".xlsx") {
		format = sheet.XLSX
	}
	half := file + ".partial"
	f, err := os.OpenFile(half, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("making the file: %w", err)
	}
	err = errors.Join(sheet.Write(f, format, table), f.Close())
	if err == nil {
		err = os.Rename(half, file)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("writing the file: %w", err), os.Remove(half))
	}
	return nil
}
