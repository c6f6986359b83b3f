package app

import (
	"context"
	"fmt"
	"log/slog"

	"huiyin/internal/fault"
	"huiyin/internal/people"
	"huiyin/storage/postgres"
)

// tenants finds the firm of a workspace. A workspace that nobody knows becomes that of the one firm if the firm has none on its platform
// yet: the event was signed with the secret that the operator set, and asking the vendor who we are may not have worked so far.
type tenants struct {
	cache *people.Cache
	db    *postgres.DB
	org   people.Org
	log   *slog.Logger
}

// OrgOf gives a fault of kind NotFound for a workspace that is somebody else's.
func (t *tenants) OrgOf(ctx context.Context, platform, tenant string) (people.Org, error) {
	org, err := t.cache.OrgOf(ctx, platform, tenant)
	if !fault.Is(err, fault.NotFound) || tenant == "" {
		return org, err
	}
	bound, claimErr := t.claim(ctx, platform, tenant)
	if claimErr != nil {
		return people.Org{}, claimErr
	}
	if bound {
		t.log.InfoContext(ctx, "workspace bound by its first event", "platform", platform, "tenant", tenant)
	}
	return t.cache.OrgOf(ctx, platform, tenant)
}

// claim binds the workspace to the firm unless the firm has one on that platform.
func (t *tenants) claim(ctx context.Context, platform, tenant string) (bool, error) {
	tag, err := t.db.Pool().Exec(ctx, `insert into installations (org_id, platform, tenant)
		select $1, $2, $3 where not exists (select 1 from installations where org_id = $1 and platform = $2)
		on conflict do nothing`, t.org.ID, platform, tenant)
	if err != nil {
		return false, fault.New(fault.Unavailable, "storage.unavailable").Because(fmt.Errorf("binding a workspace: %w", err))
	}
	return tag.RowsAffected() > 0, nil
}
