package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"huiyin/storage/postgres/internal/db"
)

// Quotas keeps how many calls of each platform's API a firm has used up, by month.
type Quotas struct{ db *DB }

// Add counts n more calls in the month of the given day and returns how many it has now, of all processes.
func (s *Quotas) Add(ctx context.Context, orgID uuid.UUID, platform string, day time.Time, n int64) (int64, error) {
	total, err := s.db.queries().AddCalls(ctx, db.AddCallsParams{OrgID: orgID, Platform: platform, Month: monthOf(day), Calls: n})
	if err != nil {
		return 0, fmt.Errorf("counting calls of %s: %w", platform, translate(err))
	}
	return total, nil
}

// Used is how many calls the month of the given day has.
func (s *Quotas) Used(ctx context.Context, orgID uuid.UUID, platform string, day time.Time) (int64, error) {
	total, err := s.db.queries().UsedCalls(ctx, orgID, platform, monthOf(day))
	if err != nil {
		return 0, fmt.Errorf("reading the calls of %s: %w", platform, translate(err))
	}
	return total, nil
}

// monthOf is the first day of the month that the calendar shows where day is.
func monthOf(day time.Time) time.Time {
	return time.Date(day.Year(), day.Month(), 1, 0, 0, 0, 0, time.UTC)
}
