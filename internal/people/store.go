package people

import (
	"context"
	"time"

	"github.com/google/uuid"

	"huiyin/internal/audit"
)

// Cause is what a write answers to.
type Cause struct {
	OrgID uuid.UUID
	// Directory is the version of the directory on which the write was decided; 0: do not check. A store refuses a write that was
	// decided on an older version than its own with a fault of kind Stale.
	Directory int64
	// Event is the id of the vendor's event that caused it, with its platform and tenant; "": none. A store accepts one write per
	// event and refuses the next with a fault of kind Duplicate.
	Event string
	At    time.Time
	// Actor is the person who did it, Operator for the command line, uuid.Nil for the program itself (a sync).
	Actor uuid.UUID
}

// Store keeps the directory of every firm. All methods return faults: NotFound for an unknown firm or person, Duplicate and Stale
// as Cause says, Conflict when a unique value is taken, Unavailable when the store is away.
type Store interface {
	Orgs(ctx context.Context) ([]Org, error)
	// OrgOf is the firm that a platform's tenant (workspace) belongs to.
	OrgOf(ctx context.Context, platform, tenant string) (Org, error)
	CreateOrg(ctx context.Context, org Org) error
	BindTenant(ctx context.Context, orgID uuid.UUID, platform, tenant string) error

	// Load reads the whole snapshot of a firm.
	Load(ctx context.Context, orgID uuid.UUID) (*Directory, error)
	// Since brings a snapshot up to date at the cost of what changed. It gives dir itself when nothing did.
	Since(ctx context.Context, dir *Directory) (*Directory, error)

	// Apply stores a plan and the entries of the audit log, all of it or nothing, and raises the version of the directory. It does
	// not touch the settings of people who exist already.
	Apply(ctx context.Context, cause Cause, plan Plan, log ...audit.Entry) error
	// SaveIdentities stores the identities as given, by (OrgID, Platform, ExternalID), and raises the version.
	SaveIdentities(ctx context.Context, cause Cause, identities []Identity, log ...audit.Entry) error
	// SaveSettings stores what a person chose and raises the version.
	SaveSettings(ctx context.Context, cause Cause, personID uuid.UUID, settings Settings) error

	// SaveLastUsed stores where a person was seen last, unless a later use is stored already. It raises no version.
	SaveLastUsed(ctx context.Context, orgID uuid.UUID, u Used) error

	// Following is the zero Following when the firm follows no directory.
	Following(ctx context.Context, orgID uuid.UUID) (Following, error)
	// SaveFollowing has the firm follow a platform's directory from now on, or none when f has no platform.
	SaveFollowing(ctx context.Context, f Following) error
	// TriedFollowing stores TriedAt, Refused and Amount, if the firm still follows that platform.
	TriedFollowing(ctx context.Context, f Following) error
}
