package jobs

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"huiyin/internal/notice"
)

const (
	// batch is how many notices go into one transaction. Inserting jobs in bulk is what makes the outbox cheap (PERFORMANCE.md).
	batch = 1000
	// poll is how long a notice written by another process, or due only now, waits at the most.
	poll = time.Second
	// gather is the least pause between two hand-overs: what is committed meanwhile goes into one transaction.
	gather = 25 * time.Millisecond
	// room is how many deliveries the queue holds. What is more waits in the outbox, in order, where waiting costs nothing; a platform takes a
	// few messages a second, and a job that comes up before its turn is fetched, put off and written back in vain.
	room = 500
	// trickle is how many are handed over every second all the same: a queue full of what one platform refuses holds up no other.
	trickle = 20
)

// relay hands what is due from the outbox to the queue.
type relay struct {
	deliveries Deliveries
	enqueue    func(ctx context.Context, tx pgx.Tx, notices []notice.Notice) error
	queued     func(ctx context.Context, most int) (int, error) // deliveries in the queue; most is where counting may stop
	wake       <-chan struct{}
	now        func() time.Time
	log        *slog.Logger
}

// run hands over after every wake and every second until ctx ends.
func (r *relay) run(ctx context.Context) error {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	pause := time.NewTicker(gather)
	defer pause.Stop()
	failing := false
	least := trickle
	for {
		err := r.drain(ctx, least)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		wake := r.wake
		if err != nil {
			if !failing { // an outage is one line
				r.log.ErrorContext(ctx, "notices cannot be handed over", "err", err)
			}
			wake = nil // whoever wakes us does not mend it: once a second is enough
		}
		failing = err != nil
		select {
		case <-pause.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		least = 0
		select {
		case <-wake:
		case <-tick.C:
			least = trickle
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// drain hands over until nothing is due or the queue is full, but at least so many.
func (r *relay) drain(ctx context.Context, least int) error {
	for {
		queued, err := r.queued(ctx, room)
		if err != nil {
			return err
		}
		most := min(batch, max(least, room-queued))
		if most <= 0 {
			return nil
		}
		n, err := r.deliveries.HandOver(ctx, r.now(), most, r.enqueue)
		if err != nil || n < most {
			return err
		}
		least = 0
	}
}
