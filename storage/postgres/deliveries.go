package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"huiyin/internal/notice"
	"huiyin/internal/people"
	"huiyin/storage/postgres/internal/db"
)

// Deliveries keeps the outbox and what became of it, of all firms.
type Deliveries struct{ db *DB }

// HandOver takes up to limit notices that are due, oldest first, out of the outbox, makes their deliveries and calls enqueue in the same
// transaction. What enqueue refuses stays in the outbox. Several callers at once take different notices. A notice that has a delivery
// already is enqueued again only when that was held.
func (s *Deliveries) HandOver(ctx context.Context, now time.Time, limit int, enqueue func(ctx context.Context, tx pgx.Tx, notices []notice.Notice) error) (int, error) {
	taken := 0
	err := s.db.inTx(ctx, func(tx pgx.Tx, q *db.Queries) error {
		rows, err := q.HandOver(ctx, nudges(), now, int32(limit))
		if err != nil || len(rows) == 0 {
			return err
		}
		taken = len(rows)
		notices := alike(rows, func(r db.HandOverRow) notice.Notice {
			return notice.Notice{
				OrgID: r.OrgID, ID: r.NoticeID, Kind: notice.Kind(r.Kind), To: r.PersonID.UUID, Channel: r.Channel, Subject: r.Subject, Due: r.DueAt.UTC(),
			}
		})
		slices.SortFunc(notices, func(a, b notice.Notice) int {
			return cmp.Or(a.Due.Compare(b.Due), slices.Compare(a.ID[:], b.ID[:]))
		})
		return enqueue(ctx, tx, notices)
	})
	if err != nil {
		return 0, fmt.Errorf("handing over notices: %w", translate(err))
	}
	return taken, nil
}

// Delivery reads one delivery.
func (s *Deliveries) Delivery(ctx context.Context, orgID, id uuid.UUID) (notice.Delivery, error) {
	row, err := s.db.queries().Delivery(ctx, orgID, id)
	if err != nil {
		return notice.Delivery{}, fmt.Errorf("reading a delivery: %w", translate(err))
	}
	return delivery(row), nil
}

// SaveDelivery inserts or replaces a delivery by its id. What it was gathered into is for Gather alone to say.
func (s *Deliveries) SaveDelivery(ctx context.Context, d notice.Delivery) error {
	err := s.db.queries().SaveDelivery(ctx, db.SaveDeliveryParams{
		OrgID: d.OrgID, NoticeID: d.ID, Kind: string(d.Kind), PersonID: idOrNull(d.To), Channel: d.Channel, Subject: d.Subject, DueAt: d.Due,
		State: string(d.State), Platform: d.Platform, Address: d.Address, RefChannel: d.RefChannel, RefID: d.RefID, Attempts: int32(d.Attempts),
		TriedAt: timeOrNull(d.TriedAt), SentAt: timeOrNull(d.SentAt), Fault: d.Fault,
	})
	if err != nil {
		return fmt.Errorf("saving a delivery: %w", translate(err))
	}
	return nil
}

// SentAbout lists the messages about a subject that are out there, oldest first.
func (s *Deliveries) SentAbout(ctx context.Context, orgID, subject uuid.UUID) ([]notice.Delivery, error) {
	rows, err := s.db.queries().SentAbout(ctx, orgID, subject)
	if err != nil {
		return nil, fmt.Errorf("finding sent messages: %w", translate(err))
	}
	return alike(rows, delivery), nil
}

// Release puts what was held for a person back into the outbox, due now, and gives how much that was.
func (s *Deliveries) Release(ctx context.Context, orgID, personID uuid.UUID, now time.Time) (int, error) {
	n, err := s.db.queries().Release(ctx, now, orgID, personID)
	if err != nil {
		return 0, fmt.Errorf("releasing held notices: %w", translate(err))
	}
	if n > 0 {
		s.db.wake()
	}
	return int(n), nil
}

// ReleaseKnown puts back into the outbox what is held, of all firms, for people who have an account in one of the states by now. It catches
// what was held while an account was being confirmed, imported or listed.
func (s *Deliveries) ReleaseKnown(ctx context.Context, now time.Time, states ...people.State) (int, error) {
	names := make([]string, len(states))
	for i, state := range states {
		names[i] = string(state)
	}
	n, err := s.db.queries().ReleaseKnown(ctx, now, names)
	if err != nil {
		return 0, fmt.Errorf("releasing held notices: %w", translate(err))
	}
	if n > 0 {
		s.db.wake()
	}
	return int(n), nil
}

// Dead lists up to limit deliveries that were given up, the latest first, and counts all of them.
func (s *Deliveries) Dead(ctx context.Context, limit int) ([]notice.Delivery, int, error) {
	rows, err := s.db.queries().Dead(ctx, int32(limit))
	if err != nil {
		return nil, 0, fmt.Errorf("listing dead deliveries: %w", translate(err))
	}
	total, err := s.db.queries().CountDead(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("counting dead deliveries: %w", translate(err))
	}
	return alike(rows, delivery), int(total), nil
}

// Stats counts what is under way.
func (s *Deliveries) Stats(ctx context.Context, now time.Time) (notice.Stats, error) {
	rows, err := s.db.queries().DeliveryStats(ctx, now)
	if err != nil {
		return notice.Stats{}, fmt.Errorf("counting deliveries: %w", translate(err))
	}
	var stats notice.Stats
	for _, r := range rows {
		switch notice.State(r.State) {
		case notice.Waiting:
			stats.Waiting, stats.Oldest = int(r.Many), now.Sub(r.Oldest)
		case notice.Sending:
			stats.Sending = int(r.Many)
		case notice.Held:
			stats.Held = int(r.Many)
		case notice.Dead:
			stats.Dead = int(r.Many)
		default: // the query asks for no other
		}
	}
	return stats, nil
}

// Purge forgets what is older than the retention says, a bounded number of rows at a time so that nobody waits for it.
func (s *Deliveries) Purge(ctx context.Context, before notice.Retention) error {
	if err := purge(ctx, before.Inbox, s.db.queries().PurgeInbox); err != nil {
		return fmt.Errorf("purging the inbox: %w", translate(err))
	}
	if err := purge(ctx, before.Deliveries, s.db.queries().PurgeDeliveries); err != nil {
		return fmt.Errorf("purging deliveries: %w", translate(err))
	}
	if !before.Calls.IsZero() {
		if err := s.db.queries().PurgeCalls(ctx, before.Calls); err != nil {
			return fmt.Errorf("purging counts of calls: %w", translate(err))
		}
	}
	return nil
}

func purge(ctx context.Context, before time.Time, some func(context.Context, time.Time, int32) (int64, error)) error {
	const batch = 5000
	for !before.IsZero() {
		if n, err := some(ctx, before, batch); err != nil || n < batch {
			return err
		}
	}
	return nil
}

func noticeColumns(orgID uuid.UUID, notices []notice.Notice) db.TellParams {
	n := len(notices)
	c := db.TellParams{
		OrgID: orgID, NoticeIds: make([]uuid.UUID, n), Kinds: make([]string, n), PersonIds: make([]uuid.UUID, n), Channels: make([]string, n),
		Subjects: make([]uuid.UUID, n), DueAt: make([]time.Time, n),
	}
	for i, one := range notices {
		c.NoticeIds[i], c.Kinds[i], c.PersonIds[i], c.Channels[i] = one.ID, string(one.Kind), one.To, one.Channel
		c.Subjects[i], c.DueAt[i] = one.Subject, one.Due
	}
	return c
}

func delivery(r db.Delivery) notice.Delivery {
	return notice.Delivery{
		Notice: notice.Notice{
			OrgID: r.OrgID, ID: r.NoticeID, Kind: notice.Kind(r.Kind), To: r.PersonID.UUID, Channel: r.Channel, Subject: r.Subject, Due: r.DueAt.UTC(),
		},
		State: notice.State(r.State), Platform: r.Platform, Address: r.Address, RefChannel: r.RefChannel, RefID: r.RefID,
		Attempts: int(r.Attempts), TriedAt: r.TriedAt.Time.UTC(), SentAt: r.SentAt.Time.UTC(), Fault: r.Fault, Leader: r.GatheredInto.UUID,
	}
}
