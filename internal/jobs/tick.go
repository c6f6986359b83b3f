package jobs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/robfig/cron/v3"

	"huiyin/internal/notice"
)

const (
	// jitter keeps replicas from asking for the same rows in the same millisecond.
	jitter = 2 * time.Second
	// missed is how late an occurrence may be and still be worth it (R06).
	missed = 6 * time.Hour
	// claimBatch is how many occurrences are claimed in one transaction.
	claimBatch = 100
	// minutely bounds what is run every minute.
	minutely = 50 * time.Second
)

// ticker does what is due each minute.
type ticker struct {
	Options
	courier *courier
	enqueue func(ctx context.Context, tx pgx.Tx, claimed []notice.Claimed) error

	one    sync.Mutex // a minute that is not over holds up the next
	purged time.Time
}

// run ticks at once and then at the beginning of every minute, until ctx ends.
func (t *ticker) run(ctx context.Context) error {
	tick := func() {
		timer := time.NewTimer(rand.N(jitter))
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		if err := t.tick(ctx); err != nil && ctx.Err() == nil {
			t.Log.ErrorContext(ctx, "the work of a minute went wrong", "err", err)
		}
	}
	c := cron.New(cron.WithLocation(time.UTC), cron.WithLogger(cron.DiscardLogger), cron.WithChain(cron.SkipIfStillRunning(cron.DiscardLogger)))
	if _, err := c.AddFunc("* * * * *", tick); err != nil {
		return fmt.Errorf("prepare the minute: %w", err)
	}
	tick()
	c.Start()
	<-ctx.Done()
	<-c.Stop().Done()
	return ctx.Err()
}

// tick does the work of one minute.
func (t *ticker) tick(ctx context.Context) error {
	t.one.Lock()
	defer t.one.Unlock()
	ctx, cancel := context.WithTimeout(ctx, minutely)
	defer cancel()
	now := t.Now()
	t.courier.paces.forget()
	problems := []error{t.claim(ctx, now)}
	for _, do := range t.EveryMinute {
		problems = append(problems, guard(ctx, t.Log, func() error { return do(ctx, now) }))
	}
	if now.Sub(t.purged) >= time.Hour {
		if err := t.Deliveries.Purge(ctx, t.Retention(now)); err != nil {
			problems = append(problems, fmt.Errorf("purge: %w", err))
		} else {
			t.purged = now
		}
	}
	return errors.Join(problems...)
}

// claim takes the occurrences that are due and hands them to the queue, both or neither: what a process that dies has taken is due again.
func (t *ticker) claim(ctx context.Context, now time.Time) error {
	if t.Schedules == nil {
		return nil
	}
	for {
		taken, err := t.Schedules.ClaimSchedules(ctx, now, claimBatch, Next, func(ctx context.Context, tx pgx.Tx, claimed []notice.Claimed) error {
			return t.enqueue(ctx, tx, slices.DeleteFunc(claimed, func(c notice.Claimed) bool { return t.tooLate(ctx, c, now) }))
		})
		if err != nil || taken < claimBatch {
			return err
		}
	}
}

// tooLate passes over what was missed for so long that it is of no use any more.
func (t *ticker) tooLate(ctx context.Context, c notice.Claimed, now time.Time) bool {
	late := now.Sub(c.At) > missed
	if late {
		t.Log.WarnContext(ctx, "recurring work was missed and is skipped", "schedule", c.Name, "org", c.OrgID, "at", c.At)
	}
	return late
}
