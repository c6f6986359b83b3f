package jobs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

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
	enqueue func(ctx context.Context, claimed []notice.Claimed) error

	one      sync.Mutex // a minute that is not over holds up the next
	unqueued []notice.Claimed
	purged   time.Time
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

// claim takes the occurrences that are due and hands them to the queue.
func (t *ticker) claim(ctx context.Context, now time.Time) error {
	if t.Schedules == nil {
		return nil
	}
	var problems []error
	for {
		claimed, err := t.Schedules.ClaimSchedules(ctx, now, claimBatch, Next)
		if err != nil {
			problems = append(problems, err)
		}
		for _, c := range claimed {
			if now.Sub(c.At) > missed { // never a burst of what is of no use any more
				t.Log.WarnContext(ctx, "recurring work was missed and is skipped", "schedule", c.Name, "org", c.OrgID, "at", c.At)
				continue
			}
			t.unqueued = append(t.unqueued, c)
		}
		if err != nil || len(claimed) < claimBatch {
			break
		}
	}
	if len(t.unqueued) > 0 {
		if err := t.enqueue(ctx, t.unqueued); err != nil { // they are ours and nobody else's: keep them for the next minute
			return errors.Join(append(problems, fmt.Errorf("queue recurring work: %w", err))...)
		}
		t.unqueued = nil
	}
	return errors.Join(problems...)
}
