package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"huiyin/feedback"
	"huiyin/storage/postgres/internal/db"
)

// Entries lists feedback, newest first, in one round trip whose cost is that of the page. Answers to the same question at the
// same microsecond, which a cursor cannot tell apart, are never torn apart by a page that has something else before them.
func (s *Feedback) Entries(ctx context.Context, q feedback.Query) ([]feedback.Entry, bool, error) {
	if q.Limit < 1 {
		return nil, false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, hurry)
	defer cancel()
	var rows []db.ReceivedRow
	err := s.db.read(ctx, func(gen *db.Queries) error {
		if err := assert(ctx, gen, q); err != nil {
			return err
		}
		var err error
		rows, err = page(ctx, gen, q, q.Limit+1)
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("listing feedback: %w", translate(err))
	}
	more := len(rows) > q.Limit
	if more {
		rows = cut(rows, q.Limit)
	}
	entries := make([]feedback.Entry, len(rows))
	for i, r := range rows {
		entries[i] = feedback.Entry{
			Kind: feedback.EntryKind(r.Kind), ID: r.ID, At: r.At.UTC(), From: r.FromID, To: r.ToIds, Text: r.Text, About: r.About,
			Tags: some(r.Tags), Link: r.Link, State: feedback.NoteState(r.State), Due: r.Due.Time,
		}
	}
	return entries, more, nil
}

// Months counts entries by calendar month of zone: the month of the newest entry and the eleven before it, without the empty ones.
func (s *Feedback) Months(ctx context.Context, q feedback.Query, zone *time.Location) ([]feedback.Month, error) {
	ctx, cancel := context.WithTimeout(ctx, hurry)
	defer cancel()
	q.Before = feedback.Cursor{}
	var first time.Time // day of the month of the newest entry
	var bounds []time.Time
	counts := map[int32]int64{}
	err := s.db.read(ctx, func(gen *db.Queries) error {
		if err := assert(ctx, gen, q); err != nil {
			return err
		}
		newest, err := page(ctx, gen, q, 1)
		if err != nil || len(newest) == 0 {
			return err
		}
		year, month, _ := newest[0].At.In(zone).Date()
		first = time.Date(year, month, 1, 0, 0, 0, 0, zone)
		for back := 11; back >= 0; back-- {
			bounds = append(bounds, time.Date(year, month-time.Month(back), 1, 0, 0, 0, 0, zone))
		}
		counts, err = count(ctx, gen, q, bounds)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("counting feedback: %w", translate(err))
	}
	var months []feedback.Month
	for back := range len(bounds) {
		if n := counts[int32(len(bounds)-back)]; n > 0 {
			year, month, _ := first.AddDate(0, -back, 0).Date()
			months = append(months, feedback.Month{Year: year, Month: month, Count: int(n)})
		}
	}
	return months, nil
}

func assert(ctx context.Context, gen *db.Queries, q feedback.Query) error {
	if q.Directory == 0 {
		return nil
	}
	return gen.AssertDirectory(ctx, q.OrgID, q.Directory)
}

// page reads up to most entries from the cursor on.
func page(ctx context.Context, gen *db.Queries, q feedback.Query, most int) ([]db.ReceivedRow, error) {
	at, id, n := timeOrNull(q.Before.At), q.Before.ID, int32(most)
	switch q.Side {
	case feedback.Received:
		return gen.Received(ctx, db.ReceivedParams{OrgID: q.OrgID, PersonID: q.Person, BeforeAt: at, BeforeID: id, FromID: idOrNull(q.From), Most: n})
	case feedback.Given:
		if q.From != uuid.Nil && q.From != q.Person {
			return nil, nil
		}
		rows, err := gen.Given(ctx, db.GivenParams{OrgID: q.OrgID, PersonID: q.Person, BeforeAt: at, BeforeID: id, Most: n})
		return alike(rows, func(r db.GivenRow) db.ReceivedRow { return db.ReceivedRow(r) }), err
	case feedback.Events:
		if q.From != uuid.Nil && q.From != q.Person {
			return nil, nil
		}
		rows, err := gen.Events(ctx, db.EventsParams{OrgID: q.OrgID, PersonID: q.Person, BeforeAt: at, BeforeID: id, Most: n})
		return alike(rows, func(r db.EventsRow) db.ReceivedRow { return db.ReceivedRow(r) }), err
	}
	return nil, fmt.Errorf("no side of feedback is called %q", q.Side)
}

// count counts entries by bound, numbered from one, without those before the first bound.
func count(ctx context.Context, gen *db.Queries, q feedback.Query, bounds []time.Time) (map[int32]int64, error) {
	var rows []db.CountReceivedRow
	var err error
	switch q.Side {
	case feedback.Received:
		rows, err = gen.CountReceived(ctx, db.CountReceivedParams{OrgID: q.OrgID, PersonID: q.Person, FromID: idOrNull(q.From), Bounds: bounds, Since: bounds[0]})
	case feedback.Given:
		var given []db.CountGivenRow
		given, err = gen.CountGiven(ctx, db.CountGivenParams{OrgID: q.OrgID, PersonID: q.Person, Bounds: bounds, Since: bounds[0]})
		rows = alike(given, func(r db.CountGivenRow) db.CountReceivedRow { return db.CountReceivedRow(r) })
	case feedback.Events:
		var events []db.CountEventsRow
		events, err = gen.CountEvents(ctx, db.CountEventsParams{OrgID: q.OrgID, PersonID: q.Person, Bounds: bounds, Since: bounds[0]})
		rows = alike(events, func(r db.CountEventsRow) db.CountReceivedRow { return db.CountReceivedRow(r) })
	}
	counts := make(map[int32]int64, len(rows))
	for _, r := range rows {
		counts[r.Bucket] = r.Many
	}
	return counts, err
}

// cut ends a page before a group of rows that the cursor cannot tell apart, unless the page is nothing but that group.
func cut(rows []db.ReceivedRow, limit int) []db.ReceivedRow {
	same := func(a, b db.ReceivedRow) bool { return a.ID == b.ID && a.At.Equal(b.At) }
	end := limit
	for end > 0 && same(rows[end-1], rows[limit]) {
		end--
	}
	if end == 0 {
		end = limit
	}
	return rows[:end]
}
