package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"huiyin/internal/notice"
	"huiyin/storage/postgres/internal/db"
)

// Gather makes a nudge lead one message with all others that wait for the same person and are due, up to most of them in all, and gives
// what belongs to the message, the longest due first. What joined is skipped on its own. Doing it again adds what came due since. ok is
// false, and nothing changes, while another message of nudges to the person is on its way or was sent at since or later, and when
// another has taken this one along.
func (s *Deliveries) Gather(ctx context.Context, n notice.Notice, now, since time.Time, most int) (together []notice.Notice, ok bool, err error) {
	err = s.db.inTx(ctx, func(_ pgx.Tx, q *db.Queries) error {
		if err := q.LockNudges(ctx, n.OrgID, n.To); err != nil {
			return err
		}
		busy, err := q.NudgesUnderWay(ctx, db.NudgesUnderWayParams{OrgID: n.OrgID, PersonID: n.To, Leader: n.ID, Since: since})
		if err != nil || busy {
			return err
		}
		leads, err := q.LeadNudges(ctx, n.OrgID, n.ID)
		if err != nil || leads == 0 {
			return err
		}
		for _, join := range []func(room int32) error{
			func(room int32) error {
				return q.JoinNudges(ctx, db.JoinNudgesParams{OrgID: n.OrgID, PersonID: n.To, Leader: n.ID, Now: now, Most: room})
			},
			func(room int32) error {
				return q.JoinWaitingNudges(ctx, db.JoinWaitingNudgesParams{OrgID: n.OrgID, PersonID: n.To, Leader: n.ID, Kinds: nudges(), Now: now, Most: room})
			},
			func(int32) error { return nil },
		} {
			rows, err := q.Gathered(ctx, n.OrgID, n.To, n.ID)
			if err != nil {
				return err
			}
			together = alike(rows, func(r db.Delivery) notice.Notice { return delivery(r).Notice })
			if room := most - len(together); room > 0 {
				if err := join(int32(room)); err != nil {
					return err
				}
			}
		}
		ok = true
		return nil
	})
	if err != nil {
		return nil, false, fmt.Errorf("gathering nudges: %w", translate(err))
	}
	return together, ok, nil
}

// Gathered gives what belongs to the message that a nudge leads, as Gather gave it.
func (s *Deliveries) Gathered(ctx context.Context, leader notice.Notice) ([]notice.Notice, error) {
	rows, err := s.db.queries().Gathered(ctx, leader.OrgID, leader.To, leader.ID)
	if err != nil {
		return nil, fmt.Errorf("reading what was gathered: %w", translate(err))
	}
	return alike(rows, func(r db.Delivery) notice.Notice { return delivery(r).Notice }), nil
}

// nudges are the kinds that may wait.
func nudges() []string {
	var kinds []string
	for kind, class := range notice.Kinds() {
		if class == notice.Nudge {
			kinds = append(kinds, string(kind))
		}
	}
	slices.Sort(kinds)
	return kinds
}
