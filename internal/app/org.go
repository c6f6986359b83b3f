package app

import (
	"context"

	"huiyin/internal/config"
	"huiyin/internal/fault"
	"huiyin/internal/people"
	"huiyin/storage/postgres"
)

// ensureOrg finds the one firm of this installation, and makes it the first time. Processes that start together make one.
func ensureOrg(ctx context.Context, db *postgres.DB, cfg config.Config, name string) (people.Org, error) {
	org, err := onlyOrg(ctx, db)
	if !fault.Is(err, fault.NotFound) {
		return org, err
	}
	err = withLock(ctx, db, "org", func() error {
		org, err = onlyOrg(ctx, db)
		if !fault.Is(err, fault.NotFound) {
			return err
		}
		org = people.Org{ID: newID(), Name: name, TimeZone: cfg.TimeZone, Lang: cfg.Lang}
		return db.People.CreateOrg(ctx, org)
	})
	return org, err
}

// onlyOrg is the firm of this installation.
func onlyOrg(ctx context.Context, db *postgres.DB) (people.Org, error) {
	orgs, err := db.People.Orgs(ctx)
	switch {
	case err != nil:
		return people.Org{}, err
	case len(orgs) == 0:
		return people.Org{}, fault.New(fault.NotFound, "cli.error.no_firm")
	case len(orgs) > 1:
		return people.Org{}, fault.New(fault.Conflict, "cli.error.many_firms")
	}
	return orgs[0], nil
}
