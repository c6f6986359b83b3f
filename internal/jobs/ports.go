package jobs

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"huiyin/bot/card"
	"huiyin/internal/notice"
	"huiyin/internal/people"
)

// Deliveries is the outbox and what became of it. Its methods return faults: NotFound for an unknown delivery, Unavailable when the
// store is away.
type Deliveries interface {
	// HandOver takes up to limit outbox rows that are due, oldest first, past those that another process is taking. It deletes them,
	// writes their deliveries as Waiting and calls enqueue, all in one transaction, and returns how many it took. A delivery that
	// exists already is handed over again only when it was Held.
	HandOver(ctx context.Context, now time.Time, limit int, enqueue func(ctx context.Context, tx pgx.Tx, notices []notice.Notice) error) (int, error)

	Delivery(ctx context.Context, orgID, id uuid.UUID) (notice.Delivery, error)
	// SaveDelivery writes the delivery as it is, whether there was one or not.
	SaveDelivery(ctx context.Context, d notice.Delivery) error
	// SentAbout lists the Sent deliveries about a subject, with the places where they are.
	SentAbout(ctx context.Context, orgID, subject uuid.UUID) ([]notice.Delivery, error)
	// Release puts what is Held for a person back into the outbox, under the same ids, and returns how many there were.
	Release(ctx context.Context, orgID, personID uuid.UUID, now time.Time) (int, error)

	// Gather makes a nudge lead one message with all others that wait for the same person and are due, up to most of them in all, and
	// gives what belongs to it. What joined is not delivered on its own any more. ok is false while another message of nudges to the
	// person is on its way or was sent at since or later.
	Gather(ctx context.Context, n notice.Notice, now, since time.Time, most int) (together []notice.Notice, ok bool, err error)
	// Gathered gives what belongs to the message that a nudge leads.
	Gathered(ctx context.Context, leader notice.Notice) ([]notice.Notice, error)

	// Dead lists up to limit dead letters, the latest first, and how many there are.
	Dead(ctx context.Context, limit int) (deliveries []notice.Delivery, total int, err error)
	Stats(ctx context.Context, now time.Time) (notice.Stats, error)
	// Purge forgets what is older than the given times, in small batches.
	Purge(ctx context.Context, before notice.Retention) error
}

// Schedules keeps when recurring work is next due, for every firm.
type Schedules interface {
	// EnsureSchedule writes the schedule unless there is one of that name.
	EnsureSchedule(ctx context.Context, orgID uuid.UUID, name, rule, zone string, next time.Time) error
	// ClaimSchedules takes up to limit occurrences that are due, past those that another process is taking, moves each schedule to the
	// time that next gives and calls enqueue, all in one transaction, and returns how many it took. With an error beside it, there are
	// schedules that cannot be moved.
	ClaimSchedules(ctx context.Context, now time.Time, limit int, next func(rule, zone string, after time.Time) (time.Time, error),
		enqueue func(ctx context.Context, tx pgx.Tx, claimed []notice.Claimed) error) (int, error)
}

// Writer finds the words of a notice for its reader, in their language of this moment.
type Writer interface {
	// Notice gives the card. When ok is false there is nothing to send (it was withdrawn, it is done); the card then is what the
	// message should look like where it was sent already, and a card without a title leaves it as it is.
	Notice(ctx context.Context, n notice.Notice) (c card.Card, ok bool, err error)
	// Digest is Notice for several notices to one person in one card.
	Digest(ctx context.Context, notices []notice.Notice) (c card.Card, ok bool, err error)
}

// Directories gives the present directory of a firm.
type Directories interface {
	Get(ctx context.Context, orgID uuid.UUID) (*people.Directory, error)
}

// Pacer spaces what all processes of a firm send. Keys are short names such as "slack/C0123"; an error means that it cannot tell, and
// the caller then paces by itself.
type Pacer interface {
	// Take takes one turn at the key and returns 0, or takes none and returns how long it will be until there is one.
	Take(ctx context.Context, orgID uuid.UUID, key string, rate notice.Rate) (wait time.Duration, err error)
	// Pause lets nobody have a turn at the key for that long. It never shortens an earlier pause.
	Pause(ctx context.Context, orgID uuid.UUID, key string, lasts time.Duration) error
}

// Observer counts what happens. Its labels are few: kinds, platform names and the reasons of this package.
type Observer interface {
	// Sent is one message delivered; latency is since it was due.
	Sent(kind notice.Kind, platform string, latency time.Duration)
	// Retried is one try that went wrong and is counted.
	Retried(kind notice.Kind, platform, reason string)
	// Snoozed is one delivery put off without counting a try.
	Snoozed(kind notice.Kind, platform, reason string)
	// Dead is one delivery given up.
	Dead(kind notice.Kind, platform, reason string)
}
