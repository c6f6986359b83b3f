package people

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"huiyin/internal/fault"
	"huiyin/internal/i18n"
	"huiyin/internal/sheet"
)

// Service is the use cases of the directory. Every method takes the snapshot it decides on and the cause it answers to; the write is
// refused when that snapshot is outdated.
type Service struct {
	Store Store
}

// SaveSettings stores what a person chose for themselves.
func (s *Service) SaveSettings(ctx context.Context, dir *Directory, cause Cause, personID uuid.UUID, settings Settings) error {
	if err := Check(dir, cause.Actor, ChangeSettings, personID); err != nil {
		return err
	}
	if settings.Lang != "" && !slices.Contains(i18n.Languages(), settings.Lang) {
		return fault.New(fault.Invalid, "people.settings.lang").In("lang")
	}
	if settings.TimeZone != "" {
		if _, err := location(settings.TimeZone); err != nil {
			return fault.New(fault.Invalid, "people.settings.zone").In("zone").Because(err)
		}
	}
	const day = 24 * 60
	if settings.QuietFrom < 0 || settings.QuietFrom >= day || settings.QuietTo < 0 || settings.QuietTo >= day {
		return fault.New(fault.Invalid, "people.settings.quiet").In("from")
	}
	return s.Store.SaveSettings(ctx, cause, personID, settings)
}

// ConfirmIdentity is a person's yes to an account that was proposed to them.
func (s *Service) ConfirmIdentity(ctx context.Context, dir *Directory, cause Cause, platform, externalID string) error {
	return s.decide(ctx, dir, cause, platform, externalID, Confirmed)
}

// RefuseIdentity is a person's no; the account is not proposed to them again.
func (s *Service) RefuseIdentity(ctx context.Context, dir *Directory, cause Cause, platform, externalID string) error {
	return s.decide(ctx, dir, cause, platform, externalID, Refused)
}

func (s *Service) decide(ctx context.Context, dir *Directory, cause Cause, platform, externalID string, to State) error {
	i, _, known := dir.ByIdentity(platform, externalID)
	if !known || i.State != Proposed {
		return fault.New(fault.Conflict, "people.identity.settled")
	}
	if err := Check(dir, cause.Actor, ClaimIdentity, i.PersonID); err != nil {
		return err
	}
	if _, has := dir.IdentityOf(i.PersonID, platform); has && to == Confirmed {
		return fault.New(fault.Conflict, "people.identity.another")
	}
	i.State = to
	return s.Store.SaveIdentities(ctx, cause, []Identity{i})
}

// Import rehearses a people file and stores the plan if there is no problem and anything to change: all of it or nothing.
func (s *Service) Import(ctx context.Context, dir *Directory, cause Cause, table sheet.Table, newID func() uuid.UUID) (Plan, []Problem, error) {
	if err := Check(dir, cause.Actor, ImportPeople, uuid.Nil); err != nil {
		return Plan{}, nil, err
	}
	plan, problems := Rehearse(dir, table, cause.Actor, newID)
	if len(problems) > 0 || plan.Empty() {
		return plan, problems, nil
	}
	return plan, nil, s.Store.Apply(ctx, cause, plan)
}

// Export is everybody as a people file, for those who may have it.
func (s *Service) Export(dir *Directory, actor uuid.UUID, lang string) (sheet.Table, error) {
	if err := Check(dir, actor, ExportPeople, uuid.Nil); err != nil {
		return sheet.Table{}, err
	}
	return Export(dir, lang), nil
}

// SyncAccounts takes over what a platform lists and gives how many identities changed. cause.Actor is uuid.Nil: the program itself.
func (s *Service) SyncAccounts(ctx context.Context, dir *Directory, cause Cause, platform string, seen []AccountSeen) (int, error) {
	changed := MatchAccounts(dir, platform, seen)
	if len(changed) == 0 {
		return 0, nil
	}
	return len(changed), s.Store.SaveIdentities(ctx, cause, changed)
}
