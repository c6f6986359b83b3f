// Package jobs carries out what was promised: it hands notices from the outbox to a queue, delivers them, and runs recurring work
// once for all replicas. River, the queue, is seen by this package alone. It does not know what a notice says, how a card is drawn,
// or how anything is stored.
package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"golang.org/x/sync/errgroup"

	"huiyin/bot"
	"huiyin/internal/notice"
)

// Task is recurring work of a firm; at is when it was due. It has a minute, and runs again after a crash: what it writes must have ids
// that follow from at, so that it counts once.
type Task func(ctx context.Context, orgID uuid.UUID, at time.Time) error

// Options are what a Runner works with. What is marked so may be left out.
type Options struct {
	Pool        *pgxpool.Pool // of the database whose schema "jobs" is the queue's
	Deliveries  Deliveries
	Directories Directories
	Writer      Writer
	Platforms   map[string]bot.Platform // those connected, by name
	Log         *slog.Logger
	Now         func() time.Time

	Wake        <-chan struct{}                                  // optional: receives after a commit that wrote notices; without it they wait up to a second
	Limits      map[string]Limits                                // optional, by platform name; a platform without a row has none
	Pacer       Pacer                                            // optional: without one this process paces alone
	Observer    Observer                                         // optional
	Weekly      func(orgID uuid.UUID, platform string) bool      // optional: whether nudges on a platform go as one message a week
	Schedules   Schedules                                        // optional: without it there is no recurring work
	Tasks       map[string]Task                                  // optional: recurring work by the name of its schedule
	EveryMinute []func(ctx context.Context, now time.Time) error // optional: run in every process; they see to it that things happen once
	Retention   func(now time.Time) notice.Retention             // optional: what may be forgotten; DefaultRetention

	ReconcileAfter time.Duration // 0: 10 s. How long a platform gets to make up its mind before it is asked whether a message arrived
	Workers        int           // 0: 50. Deliveries under way at once
	// OneClock makes the queue live by Now as well. Otherwise it goes by the database's clock, which all processes share.
	OneClock bool
}

const (
	reconcileAfter = 10 * time.Second
	workers        = 50
	// stopping is how long running jobs may go on after the end was asked for; then they are cancelled. dying is how long all of it takes
	// at the most (R27).
	stopsWithin = 10 * time.Second
	diesWithin  = 18 * time.Second
)

// DefaultRetention keeps the ids of events for 14 days, what became of messages for 24 months (R25), and counts of calls for 13.
func DefaultRetention(now time.Time) notice.Retention {
	return notice.Retention{Inbox: now.AddDate(0, 0, -14), Deliveries: now.AddDate(-2, 0, 0), Calls: now.AddDate(0, -13, 0)}
}

// Runner does all of it in this process. Any number of processes may have one.
type Runner struct {
	Options
	courier *courier
	client  *river.Client[pgx.Tx]
	relay   *relay
	ticker  *ticker
}

// New prepares a Runner. It does not touch the database.
func New(o Options) (*Runner, error) {
	o.ReconcileAfter = cmp.Or(o.ReconcileAfter, reconcileAfter)
	o.Workers = cmp.Or(o.Workers, workers)
	if o.Observer == nil {
		o.Observer = unobserved{}
	}
	if o.Retention == nil {
		o.Retention = DefaultRetention
	}
	r := &Runner{Options: o}
	q := &queue{now: o.Now, pool: o.Pool}
	r.courier = newCourier(o, q)
	client, err := newClient(o, r.courier)
	if err != nil {
		return nil, fmt.Errorf("prepare the queue: %w", err)
	}
	q.client, r.client = client, client
	r.relay = &relay{deliveries: o.Deliveries, enqueue: q.deliver, queued: q.deliveries, wake: o.Wake, now: o.Now, log: o.Log}
	r.ticker = &ticker{Options: o, courier: r.courier, enqueue: q.occur}
	return r, nil
}

// Run delivers and ticks until ctx ends, then lets what is under way come to an end, within 20 seconds. It fails only when the queue cannot
// be started.
func (r *Runner) Run(ctx context.Context) error {
	if err := r.client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start the queue: %w", err)
	}
	both, work := errgroup.WithContext(ctx)
	both.Go(func() error { return r.relay.run(work) })
	both.Go(func() error { return r.ticker.run(work) })
	err := both.Wait()

	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), diesWithin)
	defer cancel()
	if late := r.client.Stop(end); late != nil {
		// What still runs is found again by the next process, as after a crash.
		r.Log.WarnContext(end, "jobs still run at the end", "err", late)
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// Tick does the work of one minute now: recurring work that is due, EveryMinute, and once an hour the purge. Run does it by the clock on
// the wall; a test that moves its own clock calls it.
func (r *Runner) Tick(ctx context.Context) error { return r.ticker.tick(ctx) }

// Stats says where deliveries stand, of all processes.
func (r *Runner) Stats(ctx context.Context) (notice.Stats, error) {
	return r.Deliveries.Stats(ctx, r.Now())
}

type unobserved struct{}

func (unobserved) Sent(notice.Kind, string, time.Duration) {}
func (unobserved) Retried(notice.Kind, string, string)     {}
func (unobserved) Snoozed(notice.Kind, string, string)     {}
func (unobserved) Dead(notice.Kind, string, string)        {}
