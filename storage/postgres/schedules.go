package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"huiyin/internal/notice"
	"huiyin/storage/postgres/internal/db"
)

// Schedules keeps the recurring work of all firms.
type Schedules struct{ db *DB }

// EnsureSchedule adds a schedule if there is none of that name; one that is there stays as it is.
func (s *Schedules) EnsureSchedule(ctx context.Context, orgID uuid.UUID, name, rule, zone string, next time.Time) error {
	err := s.db.queries().EnsureSchedule(ctx, db.EnsureScheduleParams{OrgID: orgID, Name: name, Rule: rule, Zone: zone, NextAt: next})
	if err != nil {
		return fmt.Errorf("adding schedule %s: %w", name, translate(err))
	}
	return nil
}

// ClaimSchedules takes up to limit schedules that are due, longest due first, and moves each to its following time, which next finds
// from now: what was missed in between is not made up for. In the same transaction it calls enqueue, and returns how many it took. Any
// number of callers at once claim each occurrence once. A schedule that next cannot move stays due and is named in the error; the
// others are claimed all the same.
func (s *Schedules) ClaimSchedules(ctx context.Context, now time.Time, limit int, next func(rule, zone string, after time.Time) (time.Time, error),
	enqueue func(ctx context.Context, tx pgx.Tx, claimed []notice.Claimed) error,
) (int, error) {
	taken := 0
	var stuck error
	err := s.db.inTx(ctx, func(tx pgx.Tx, q *db.Queries) error {
		var claimed []notice.Claimed
		due, err := q.DueSchedules(ctx, now, int32(limit))
		if err != nil {
			return err
		}
		var orgIDs []uuid.UUID
		var names []string
		var following []time.Time
		for _, r := range due {
			at, err := next(r.Rule, r.Zone, now)
			if err != nil {
				stuck = errors.Join(stuck, fmt.Errorf("schedule %s of organisation %s: %w", r.Name, r.OrgID, err))
				continue
			}
			claimed = append(claimed, notice.Claimed{OrgID: r.OrgID, Name: r.Name, At: r.NextAt.UTC()})
			orgIDs, names, following = append(orgIDs, r.OrgID), append(names, r.Name), append(following, at)
		}
		if taken = len(claimed); taken == 0 {
			return nil
		}
		if err := q.MoveSchedules(ctx, orgIDs, names, following); err != nil {
			return err
		}
		return enqueue(ctx, tx, claimed)
	})
	if err != nil {
		return 0, fmt.Errorf("claiming schedules: %w", translate(err))
	}
	return taken, stuck
}
