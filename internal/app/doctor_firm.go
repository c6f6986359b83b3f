package app

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"huiyin/bot/slack"
	"huiyin/internal/fault"
	"huiyin/internal/people"
)

const (
	// lateMinutes is from when on a message that waits is a sign that nobody delivers.
	lateMinutes = 10
	// deadShown is how many dead letters are listed.
	deadShown = 5
)

// contents looks at people and deliveries.
func (e *examination) contents(ctx context.Context, d *database) error {
	org, err := onlyOrg(ctx, d.DB)
	if fault.Is(err, fault.NotFound) {
		e.note("cli.doctor.people.none")
		e.do("cli.doctor.people.none.do")
		return nil
	}
	if err != nil {
		return err
	}
	dir, err := d.People.Load(ctx, org.ID)
	if err != nil {
		return err
	}
	e.people(dir)
	follows, err := d.People.Following(ctx, org.ID)
	if err != nil {
		return err
	}
	e.following(follows)
	rows, err := d.Pool().Query(ctx, "select tenant from installations where org_id = $1 and platform = $2", org.ID, slack.Name)
	if err != nil {
		return fmt.Errorf("reading workspaces: %w", err)
	}
	if e.tenants, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		return fmt.Errorf("reading workspaces: %w", err)
	}
	return e.deliveries(ctx, d)
}

func (e *examination) people(dir *people.Directory) {
	active, linked := 0, 0
	for _, p := range dir.People() {
		if !p.Active {
			continue
		}
		active++
		if len(dir.Reached(p.ID)) > 0 {
			linked++
		}
	}
	if active == 0 {
		e.note("cli.doctor.people.none")
		e.do("cli.doctor.people.none.do")
		return
	}
	e.ok("cli.doctor.people.ok", "Count", active, "Linked", linked)
}

func (e *examination) deliveries(ctx context.Context, d *database) error {
	stats, err := d.Deliveries.Stats(ctx, e.c.now())
	if err != nil {
		return err
	}
	dead, total, err := d.Deliveries.Dead(ctx, deadShown)
	if err != nil {
		return err
	}
	switch {
	case stats.Oldest.Minutes() >= lateMinutes:
		e.bad("cli.doctor.deliveries.late", "cli.doctor.deliveries.late.do", "Waiting", stats.Waiting, "Minutes", int(stats.Oldest.Minutes()))
	case total == 0:
		e.ok("cli.doctor.deliveries.ok", "Waiting", stats.Waiting)
	}
	if total > 0 {
		e.broken = true
		e.c.tell("cli.doctor.bad", "Text", e.c.say.T("cli.doctor.deliveries.dead", "Count", total))
		for _, one := range dead {
			e.do("cli.doctor.deliveries.dead.one", "Kind", string(one.Kind), "ID", one.ID.String(), "Fault", e.remembered(one.Fault))
		}
		e.do("cli.doctor.deliveries.dead.do")
	}
	if stats.Held > 0 {
		e.note("cli.doctor.deliveries.held", "Count", stats.Held)
		e.do("cli.doctor.deliveries.held.do")
	}
	return nil
}
