package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"huiyin/internal/audit"
	"huiyin/internal/people"
	"huiyin/storage/postgres/internal/db"
)

// People keeps the directories of all firms.
type People struct{ db *DB }

var _ people.Store = (*People)(nil)

// Orgs lists every firm.
func (s *People) Orgs(ctx context.Context) ([]people.Org, error) {
	ctx, cancel := context.WithTimeout(ctx, hurry)
	defer cancel()
	rows, err := s.db.queries().Orgs(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing organisations: %w", translate(err))
	}
	orgs := make([]people.Org, len(rows))
	for i, r := range rows {
		orgs[i] = org(db.OrgOfRow(r))
	}
	return orgs, nil
}

// OrgOf is the firm that a platform's tenant belongs to.
func (s *People) OrgOf(ctx context.Context, platform, tenant string) (people.Org, error) {
	ctx, cancel := context.WithTimeout(ctx, hurry)
	defer cancel()
	row, err := s.db.queries().OrgOf(ctx, platform, tenant)
	if err != nil {
		return people.Org{}, fmt.Errorf("finding the organisation of a %s tenant: %w", platform, translate(err))
	}
	return org(row), nil
}

// CreateOrg adds a firm. The fault is a Conflict when there is one of that id.
func (s *People) CreateOrg(ctx context.Context, o people.Org) error {
	err := s.db.queries().CreateOrg(ctx, db.CreateOrgParams{OrgID: o.ID, Name: o.Name, Timezone: o.TimeZone, Lang: o.Lang})
	if err != nil {
		return fmt.Errorf("creating an organisation: %w", translate(err))
	}
	return nil
}

// BindTenant says that a platform's tenant belongs to the firm. Saying it again changes nothing; the fault is a Conflict when it
// belongs to another.
func (s *People) BindTenant(ctx context.Context, orgID uuid.UUID, platform, tenant string) error {
	if err := s.db.queries().BindTenant(ctx, orgID, platform, tenant); err != nil {
		return fmt.Errorf("binding a %s tenant: %w", platform, translate(err))
	}
	return nil
}

// Apply stores a plan.
func (s *People) Apply(ctx context.Context, cause people.Cause, plan people.Plan, log ...audit.Entry) error {
	persons := plan.Changes().People
	rows := peopleColumns(cause.OrgID, persons)
	for i, p := range persons {
		if p.OrgID != cause.OrgID {
			return fmt.Errorf("applying a people plan: person %s is of organisation %s, not %s", p.ID, p.OrgID, cause.OrgID)
		}
		text, err := encodeSettings(p.Settings)
		if err != nil {
			return err
		}
		rows.Settings[i] = string(text)
	}
	err := s.change(ctx, cause, plan.Identities, log, func(q *db.Queries) error {
		if len(persons) == 0 {
			return nil
		}
		return q.SavePeople(ctx, rows)
	})
	if err != nil {
		return fmt.Errorf("applying a people plan: %w", err)
	}
	return nil
}

// SaveIdentities stores accounts.
func (s *People) SaveIdentities(ctx context.Context, cause people.Cause, identities []people.Identity, log ...audit.Entry) error {
	if err := s.change(ctx, cause, identities, log, func(*db.Queries) error { return nil }); err != nil {
		return fmt.Errorf("saving identities: %w", err)
	}
	return nil
}

// SaveSettings stores what a person chose.
func (s *People) SaveSettings(ctx context.Context, cause people.Cause, personID uuid.UUID, settings people.Settings) error {
	text, err := encodeSettings(settings)
	if err != nil {
		return err
	}
	err = s.change(ctx, cause, nil, nil, func(q *db.Queries) error {
		_, err := q.SaveSettings(ctx, text, cause.OrgID, personID)
		return err
	})
	if err != nil {
		return fmt.Errorf("saving settings: %w", err)
	}
	return nil
}

// change raises the version of the directory and writes under it. Raising it locks the firm's row, so changes of one directory come
// one after the other and a reader of version n has seen all rows up to n.
func (s *People) change(ctx context.Context, cause people.Cause, identities []people.Identity, log []audit.Entry, write func(*db.Queries) error) error {
	for _, i := range identities {
		if i.OrgID != cause.OrgID {
			return fmt.Errorf("identity %s of %s is of organisation %s, not %s", i.ExternalID, i.Platform, i.OrgID, cause.OrgID)
		}
	}
	err := s.db.do(ctx, func(_ *unit, q *db.Queries) error {
		if cause.Event != "" {
			if err := q.TakeEvent(ctx, cause.OrgID, cause.Event, cause.At); err != nil {
				return err
			}
		}
		if err := q.RaiseDirectory(ctx, cause.OrgID, cause.Directory); err != nil {
			return err
		}
		if err := write(q); err != nil {
			return err
		}
		if len(identities) > 0 {
			if err := q.SaveIdentities(ctx, identityColumns(cause.OrgID, identities)); err != nil {
				return err
			}
		}
		if len(log) > 0 {
			return chain(ctx, q, cause.OrgID, log)
		}
		return nil
	})
	return translate(err)
}

// SaveLastUsed stores where a person was seen last.
func (s *People) SaveLastUsed(ctx context.Context, orgID uuid.UUID, u people.Used) error {
	ctx, cancel := context.WithTimeout(ctx, hurry)
	defer cancel()
	err := s.db.queries().SaveLastUsed(ctx, db.SaveLastUsedParams{OrgID: orgID, PersonID: u.PersonID, Platform: u.Platform, UsedAt: u.At})
	if err != nil {
		return fmt.Errorf("saving where somebody was seen last: %w", translate(err))
	}
	return nil
}

// Following is the directory that a firm's people follow.
func (s *People) Following(ctx context.Context, orgID uuid.UUID) (people.Following, error) {
	r, err := s.db.queries().Following(ctx, orgID)
	if errors.Is(err, pgx.ErrNoRows) {
		return people.Following{}, nil
	}
	if err != nil {
		return people.Following{}, fmt.Errorf("reading which directory is followed: %w", translate(err))
	}
	return people.Following{
		OrgID: r.OrgID, Platform: r.Platform, Since: r.Since.UTC(), TriedAt: r.TriedAt.Time.UTC(), Refused: people.Refusal(r.Refused), Amount: int(r.Amount),
	}, nil
}

// SaveFollowing has the firm follow a directory, or none.
func (s *People) SaveFollowing(ctx context.Context, f people.Following) error {
	var err error
	if f.Platform == "" {
		err = s.db.queries().StopFollowing(ctx, f.OrgID)
	} else {
		err = s.db.queries().SaveFollowing(ctx, db.SaveFollowingParams{
			OrgID: f.OrgID, Platform: f.Platform, Since: f.Since, TriedAt: f.TriedAt, Refused: string(f.Refused), Amount: int32(f.Amount),
		})
	}
	if err != nil {
		return fmt.Errorf("saving which directory is followed: %w", translate(err))
	}
	return nil
}

// TriedFollowing stores what became of the last listing of the directory that is followed.
func (s *People) TriedFollowing(ctx context.Context, f people.Following) error {
	err := s.db.queries().TryFollowing(ctx, db.TryFollowingParams{
		TriedAt: f.TriedAt, Refused: string(f.Refused), Amount: int32(f.Amount), OrgID: f.OrgID, Platform: f.Platform,
	})
	if err != nil {
		return fmt.Errorf("saving what became of a directory: %w", translate(err))
	}
	return nil
}

func org(r db.OrgOfRow) people.Org {
	return people.Org{ID: r.OrgID, Name: r.Name, TimeZone: r.Timezone, Lang: r.Lang}
}

// settingsRow is how settings look in their column. A key that is missing has the value of people.DefaultSettings.
type settingsRow struct {
	Lang       string    `json:"lang"`
	TimeZone   string    `json:"timezone"`
	QuietFrom  int       `json:"quiet_from"`
	QuietTo    int       `json:"quiet_to"`
	MutedUntil time.Time `json:"muted_until"`
	Digest     bool      `json:"digest"`
	Platform   string    `json:"platform"`
}

// encodeSettings writes nothing for somebody who never chose, so that defaults may change for them.
func encodeSettings(s people.Settings) ([]byte, error) {
	if s == people.DefaultSettings() {
		return []byte("{}"), nil
	}
	s.MutedUntil = s.MutedUntil.UTC()
	text, err := json.Marshal(settingsRow(s))
	if err != nil {
		return nil, fmt.Errorf("encoding settings: %w", err)
	}
	return text, nil
}

func decodeSettings(text []byte) (people.Settings, error) {
	row := settingsRow(people.DefaultSettings())
	if err := json.Unmarshal(text, &row); err != nil {
		return people.Settings{}, fmt.Errorf("decoding settings: %w", err)
	}
	return people.Settings(row), nil
}

// peopleColumns turns people into the arrays of SavePeople, all but their settings.
func peopleColumns(orgID uuid.UUID, persons []people.Person) db.SavePeopleParams {
	n := len(persons)
	c := db.SavePeopleParams{
		OrgID: orgID, PersonIds: make([]uuid.UUID, n), EmployeeNos: make([]string, n), Names: make([]string, n), NamesEn: make([]string, n),
		Emails: make([]string, n), Mobiles: make([]string, n), Departments: make([]string, n), ManagerIds: make([]uuid.UUID, n), Titles: make([]string, n),
		Roles: make([]string, n), HiredOn: make([]time.Time, n), Timezones: make([]string, n), Langs: make([]string, n),
		Active: make([]bool, n), Settings: make([]string, n),
	}
	for i, p := range persons {
		c.PersonIds[i], c.EmployeeNos[i], c.Names[i], c.NamesEn[i] = p.ID, p.EmployeeNo, p.Name, p.NameEn
		c.Emails[i], c.Mobiles[i], c.Departments[i], c.ManagerIds[i], c.Titles[i] = p.Email, p.Mobile, p.Department, p.ManagerID, p.Title
		c.Roles[i], c.HiredOn[i], c.Timezones[i], c.Langs[i], c.Active[i] = string(p.Role), p.HiredOn, p.TimeZone, p.Lang, p.Active
	}
	return c
}

func identityColumns(orgID uuid.UUID, identities []people.Identity) db.SaveIdentitiesParams {
	n := len(identities)
	c := db.SaveIdentitiesParams{
		OrgID: orgID, Platforms: make([]string, n), ExternalIds: make([]string, n), PersonIds: make([]uuid.UUID, n), States: make([]string, n),
		Reasons: make([]string, n), Kinds: make([]string, n), Names: make([]string, n), Emails: make([]string, n), Mobiles: make([]string, n),
		EmployeeNos: make([]string, n), Timezones: make([]string, n), Langs: make([]string, n),
	}
	for i, a := range identities {
		c.Platforms[i], c.ExternalIds[i], c.PersonIds[i], c.States[i] = a.Platform, a.ExternalID, a.PersonID, string(a.State)
		c.Kinds[i], c.Names[i], c.Emails[i], c.Timezones[i], c.Langs[i] = string(a.Kind), a.Name, a.Email, a.TimeZone, a.Lang
		c.Reasons[i], c.Mobiles[i], c.EmployeeNos[i] = string(a.Match), a.Mobile, a.EmployeeNo
	}
	return c
}
