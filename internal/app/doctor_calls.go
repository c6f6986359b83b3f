package app

import (
	"context"
	"maps"
	"slices"
	"time"

	"huiyin/internal/config"
	"huiyin/internal/fault"
	"huiyin/internal/jobs"
)

// calls says how much of what the platforms allow a month is used up.
func (e *examination) calls(ctx context.Context, cfg config.Config, d *database) error {
	org, err := onlyOrg(ctx, d.DB)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	now := e.c.now()
	if zone, err := time.LoadLocation(org.TimeZone); err == nil {
		now = now.In(zone)
	}
	limits := monthlyCalls(cfg)
	for _, platform := range slices.Sorted(maps.Keys(limits)) {
		if limits[platform] == 0 {
			continue
		}
		used, err := d.Quotas.Used(ctx, org.ID, platform, now)
		if err != nil {
			return err
		}
		s := jobs.Standing{Used: used, Limit: limits[platform]}
		args := []any{"Platform", platform, "Used", s.Used, "Limit", s.Limit, "Percent", s.Percent()}
		switch {
		case s.Used >= s.Limit:
			e.bad("cli.doctor.calls.gone", "cli.doctor.calls.do", args...)
		case s.Scarce():
			e.note("cli.doctor.calls.scarce", args...)
			e.do("cli.doctor.calls.do", args...)
		case s.Warn():
			e.note("cli.doctor.calls.low", args...)
			e.do("cli.doctor.calls.do", args...)
		default:
			e.ok("cli.doctor.calls.ok", args...)
		}
	}
	return nil
}
