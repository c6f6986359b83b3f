package people

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"huiyin/internal/audit"
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
	if p, _ := dir.Person(personID); settings.Platform != p.Settings.Platform && settings.Platform != "" && !slices.Contains(dir.Reached(personID), settings.Platform) {
		return fault.New(fault.Invalid, "people.settings.platform").In("platform")
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
	act := map[State]string{Confirmed: "account.claimed", Refused: "account.refused"}[to]
	return s.Store.SaveIdentities(ctx, cause, append([]Identity{i}, dir.told(i)...), audit.Entry{
		OrgID: cause.OrgID, At: cause.At, Actor: cause.Actor, Act: act, About: i.PersonID,
		Detail: map[string]string{"platform": i.Platform, "account": i.ExternalID, "match": string(i.Match)},
	})
}

// Use notes on which platform the actor was just seen. It asks the store for nothing unless that is another than last time, and the person has
// several to choose from.
func (s *Service) Use(ctx context.Context, dir *Directory, cause Cause, platform string) error {
	if len(dir.ofPerson[cause.Actor]) < 2 || len(dir.Reached(cause.Actor)) < 2 {
		return nil
	}
	u := Used{PersonID: cause.Actor, Platform: platform, At: cause.At}
	before, changed := dir.use(u)
	if !changed {
		return nil
	}
	if err := s.Store.SaveLastUsed(ctx, cause.OrgID, u); err != nil {
		dir.unuse(u, before)
		return err
	}
	return nil
}

// Import rehearses a people file and stores the plan if there is no problem and anything to change: all of it or nothing.
func (s *Service) Import(ctx context.Context, dir *Directory, cause Cause, table sheet.Table, newID func() uuid.UUID) (Plan, []Problem, error) {
	if err := Check(dir, cause.Actor, ImportPeople, uuid.Nil); err != nil {
		return Plan{}, nil, err
	}
	plan, problems := Rehearse(dir, table, cause.Actor, newID)
	return plan, problems, s.apply(ctx, cause, plan, SourceFile)
}

// ImportListed is Import of what a platform's directory lists.
func (s *Service) ImportListed(ctx context.Context, dir *Directory, cause Cause, l Listing, newID func() uuid.UUID) (Plan, []Problem, error) {
	if err := Check(dir, cause.Actor, ImportPeople, uuid.Nil); err != nil {
		return Plan{}, nil, err
	}
	plan, problems := Rehearse(dir, l.Table, cause.Actor, newID)
	return plan, problems, s.apply(ctx, cause, plan, l.Platform)
}

// Follow is ImportListed by the program itself, for a firm whose people follow that directory. It refuses, with a fault of kind Conflict, what
// would make several people, and more than a fifth of the active ones, inactive: that is more often a directory that may no longer be read
// than a firm that closes.
func (s *Service) Follow(ctx context.Context, dir *Directory, cause Cause, l Listing, newID func() uuid.UUID) (Plan, []Problem, error) {
	plan, problems := Rehearse(dir, l.Table, uuid.Nil, newID)
	if err := plan.checkLeaving(dir); err != nil {
		return plan, nil, err
	}
	return plan, problems, s.apply(ctx, cause, plan, l.Platform)
}

// apply stores a plan, if it changes anything.
func (s *Service) apply(ctx context.Context, cause Cause, plan Plan, source string) error {
	if plan.Empty() {
		return nil
	}
	plan.Source = source
	return s.Store.Apply(ctx, cause, plan, plan.entry(cause))
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
