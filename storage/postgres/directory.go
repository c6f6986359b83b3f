package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"huiyin/internal/people"
)

// These are not generated: the rows of a big firm go straight into the directory's own values, and all of it is one snapshot in one
// round trip. The row of the firm comes first. A version of 0 is before every other.
const (
	readOrg = `select org_id, name, timezone, lang, directory_version from orgs where org_id = $1`

	readPeople = `select person_id, employee_no, name, name_en, email, mobile, department,
  coalesce(manager_id, '00000000-0000-0000-0000-000000000000'), title, role, coalesce(hired_on, '0001-01-01'), timezone, lang, active, settings
from people where org_id = $1 and directory_version > $2`

	readIdentities = `select platform, external_id, coalesce(person_id, '00000000-0000-0000-0000-000000000000'), state, matched_by, kind, name, email,
  mobile, employee_no, timezone, lang
from identities where org_id = $1 and directory_version > $2`

	readUsed = `select person_id, platform, used_at from last_used where org_id = $1 and used_at > $2`
)

// Load reads the whole snapshot of a firm.
func (s *People) Load(ctx context.Context, orgID uuid.UUID) (*people.Directory, error) {
	c, used, version, err := s.changes(ctx, orgID, 0, time.Time{})
	if err != nil {
		return nil, fmt.Errorf("loading a directory: %w", err)
	}
	dir := people.NewDirectory(*c.Org, version, c.People, c.Identities)
	dir.TakeUsed(used)
	return dir, nil
}

// usedOverlap is how long after its time a use may come to be seen: the clocks of processes differ, and so does how long a commit takes.
const usedOverlap = time.Minute

// Since brings a snapshot up to date.
func (s *People) Since(ctx context.Context, dir *people.Directory) (*people.Directory, error) {
	c, used, version, err := s.changes(ctx, dir.Org().ID, dir.Version(), dir.UsedTill().Add(-usedOverlap))
	if err != nil {
		return nil, fmt.Errorf("bringing a directory up to date: %w", err)
	}
	dir.TakeUsed(used)
	if version == dir.Version() {
		return dir, nil
	}
	return dir.Apply(c, version), nil
}

// changes reads what is newer than the version, and who was seen somewhere since.
func (s *People) changes(ctx context.Context, orgID uuid.UUID, after int64, since time.Time) (people.Changes, []people.Used, int64, error) {
	c := people.Changes{Org: &people.Org{}}
	var used []people.Used
	var version int64
	b := &pgx.Batch{}
	b.Queue("begin isolation level repeatable read read only")
	b.Queue("set local plan_cache_mode = force_custom_plan") // all rows or the last few: these are different plans
	b.Queue(readOrg, orgID).QueryRow(func(row pgx.Row) error {
		return row.Scan(&c.Org.ID, &c.Org.Name, &c.Org.TimeZone, &c.Org.Lang, &version)
	})
	b.Queue(readPeople, orgID, after).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			p := people.Person{OrgID: orgID}
			var chosen []byte
			err := rows.Scan(&p.ID, &p.EmployeeNo, &p.Name, &p.NameEn, &p.Email, &p.Mobile, &p.Department, &p.ManagerID, &p.Title, &p.Role, &p.HiredOn,
				&p.TimeZone, &p.Lang, &p.Active, &chosen)
			if err != nil {
				return err
			}
			if p.Settings, err = decodeSettings(chosen); err != nil {
				return err
			}
			c.People = append(c.People, p)
		}
		return rows.Err()
	})
	b.Queue(readIdentities, orgID, after).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			i := people.Identity{OrgID: orgID}
			err := rows.Scan(&i.Platform, &i.ExternalID, &i.PersonID, &i.State, &i.Match, &i.Kind, &i.Name, &i.Email,
				&i.Mobile, &i.EmployeeNo, &i.TimeZone, &i.Lang)
			if err != nil {
				return err
			}
			c.Identities = append(c.Identities, i)
		}
		return rows.Err()
	})
	b.Queue(readUsed, orgID, since).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var u people.Used
			if err := rows.Scan(&u.PersonID, &u.Platform, &u.At); err != nil {
				return err
			}
			used = append(used, u)
		}
		return rows.Err()
	})
	b.Queue("commit")
	err := s.snapshot(ctx, b)
	return c, used, version, translate(err)
}

// snapshot runs a batch that begins and ends its own transaction.
func (s *People) snapshot(ctx context.Context, b *pgx.Batch) error {
	conn, err := s.db.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	return conn.SendBatch(ctx, b).Close()
}
