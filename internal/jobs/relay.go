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
)

// relay hands what is due from the outbox to the queue.
type relay struct {
	deliveries Deliveries
	enqueue    func(ctx context.Context, tx pgx.Tx, notices []notice.Notice) error
	wake       <-chan struct{}
	now        func() time.Time
	log        *slog.Logger
}

// run hands over after every wake and every second until ctx ends.
func (r *relay) run(ctx context.Context) error {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	failing := false
	for {
		err := r.drain(ctx)
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
		case <-wake:
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// drain hands over until nothing is due.
func (r *relay) drain(ctx context.Context) error {
	for {
		n, err := r.deliveries.HandOver(ctx, r.now(), batch, r.enqueue)
		if err != nil || n < batch {
			return err
		}
	}
}
