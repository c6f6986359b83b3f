package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"huiyin/internal/notice"
)

const (
	schema = "jobs"
	// tasks is the queue of recurring work, so that it does not wait behind deliveries.
	tasks = "tasks"

	jobTimeout  = 15 * time.Second
	taskTimeout = time.Minute
	// rescueAfter is when a job counts as lost with its process. River has no sign of life of workers, so it must be more than a job takes;
	// its default is an hour, and in measurements jobs of a killed process then hung for longer than anybody waits (RELIABILITY.md 2a).
	rescueAfter = time.Minute
	// tries is more than a delivery has: it must live to be given up in its own row.
	tries = notice.MaxAttempts + 4
	// stuckSlots is how many workers that do not end when they are told to are replaced; beyond, the queue gets slower rather than bigger.
	stuckSlots = 100
	// releaseAfter is when what is held is looked at again: directories are up to date by then.
	releaseAfter = time.Minute

	urgent, patient = 1, 2 // priorities: somebody waits for a receipt
)

// The kinds of job. They carry ids, never words.
type (
	deliverArgs struct {
		Org    uuid.UUID `json:"org"`
		Notice uuid.UUID `json:"notice"`
	}
	claimArgs struct {
		Org    uuid.UUID `json:"org"`
		Notice uuid.UUID `json:"notice"`
		Person uuid.UUID `json:"person"`
	}
	redrawArgs struct {
		Org    uuid.UUID `json:"org"`
		Notice uuid.UUID `json:"notice"`
	}
	releaseArgs struct {
		Org    uuid.UUID `json:"org"`
		Person uuid.UUID `json:"person"`
	}
	occurArgs struct {
		Org  uuid.UUID `json:"org"`
		Name string    `json:"name"`
		At   time.Time `json:"at"`
	}
)

func (deliverArgs) Kind() string { return "deliver" }
func (claimArgs) Kind() string   { return "claim" }
func (redrawArgs) Kind() string  { return "redraw" }
func (releaseArgs) Kind() string { return "release" }
func (occurArgs) Kind() string   { return "occur" }

// queue puts jobs into River.
type queue struct {
	client *river.Client[pgx.Tx]
	pool   *pgxpool.Pool
	now    func() time.Time
}

// deliveries counts those that are queued, put off or under way, up to most. Those that wait for somebody's morning do not count: the
// people awake must not wait for it as well.
func (q *queue) deliveries(ctx context.Context, most int) (int, error) {
	var n int
	err := q.pool.QueryRow(ctx, `select count(*) from (
		select from jobs.river_job where state in ('available', 'retryable', 'running', 'scheduled') and kind = 'deliver'
			and scheduled_at < $2 limit $1) queued`, most, q.now().Add(farthest+time.Minute)).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count what is queued: %w", err)
	}
	return n, nil
}

// deliver puts notices into the queue, in the transaction that took them out of the outbox.
func (q *queue) deliver(ctx context.Context, tx pgx.Tx, notices []notice.Notice) error {
	if len(notices) == 0 {
		return nil
	}
	jobs := make([]river.InsertManyParams, len(notices))
	kinds := notice.Kinds()
	for i, n := range notices {
		priority := patient
		if kinds[n.Kind] == notice.Receipt {
			priority = urgent
		}
		jobs[i] = river.InsertManyParams{Args: deliverArgs{n.OrgID, n.ID}, InsertOpts: &river.InsertOpts{MaxAttempts: tries, Priority: priority}}
	}
	if _, err := q.client.InsertManyFastTx(ctx, tx, jobs); err != nil {
		return fmt.Errorf("queue deliveries: %w", err)
	}
	return nil
}

func (q *queue) redraw(ctx context.Context, orgID uuid.UUID, ids []uuid.UUID) error {
	jobs := make([]river.InsertManyParams, len(ids))
	for i, id := range ids {
		jobs[i] = river.InsertManyParams{Args: redrawArgs{orgID, id}, InsertOpts: &river.InsertOpts{MaxAttempts: tries, Priority: patient}}
	}
	return q.insert(ctx, jobs)
}

// claim relies on the queue to have each claim under way once; whether it was delivered before is for the delivery to say.
func (q *queue) claim(ctx context.Context, claims []notice.Notice) error {
	jobs := make([]river.InsertManyParams, len(claims))
	for i, n := range claims {
		jobs[i] = river.InsertManyParams{
			Args:       claimArgs{n.OrgID, n.ID, n.To},
			InsertOpts: &river.InsertOpts{MaxAttempts: tries, Priority: urgent, UniqueOpts: river.UniqueOpts{ByArgs: true}},
		}
	}
	return q.insert(ctx, jobs)
}

func (q *queue) release(ctx context.Context, orgID, person uuid.UUID) error {
	return q.insert(ctx, []river.InsertManyParams{{
		Args:       releaseArgs{orgID, person},
		InsertOpts: &river.InsertOpts{MaxAttempts: tries, Priority: patient, ScheduledAt: q.now().Add(releaseAfter)},
	}})
}

// occur puts recurring work into the queue, in the transaction that moved its schedules.
func (q *queue) occur(ctx context.Context, tx pgx.Tx, claimed []notice.Claimed) error {
	if len(claimed) == 0 {
		return nil
	}
	jobs := make([]river.InsertManyParams, len(claimed))
	for i, c := range claimed {
		jobs[i] = river.InsertManyParams{
			Args:       occurArgs{c.OrgID, c.Name, c.At},
			InsertOpts: &river.InsertOpts{MaxAttempts: notice.MaxAttempts, Queue: tasks, UniqueOpts: river.UniqueOpts{ByArgs: true}},
		}
	}
	if _, err := q.client.InsertManyTx(ctx, tx, jobs); err != nil {
		return fmt.Errorf("queue recurring work: %w", err)
	}
	return nil
}

func (q *queue) insert(ctx context.Context, jobs []river.InsertManyParams) error {
	if len(jobs) == 0 {
		return nil
	}
	if _, err := q.client.InsertMany(ctx, jobs); err != nil { // the fast variant knows no unique jobs
		return fmt.Errorf("queue jobs: %w", err)
	}
	return nil
}

// newClient prepares the queue's client with its workers.
func newClient(o Options, c *courier) (*river.Client[pgx.Tx], error) {
	w := river.NewWorkers()
	for _, err := range []error{
		river.AddWorkerSafely(w, &worker[deliverArgs]{log: o.Log, work: func(ctx context.Context, job *river.Job[deliverArgs]) error {
			return c.deliver(ctx, job.Args.Org, job.Args.Notice, job.Attempt)
		}}),
		river.AddWorkerSafely(w, &worker[claimArgs]{log: o.Log, work: func(ctx context.Context, job *river.Job[claimArgs]) error {
			return c.claim(ctx, notice.Notice{
				OrgID: job.Args.Org, ID: job.Args.Notice, Kind: notice.AccountClaim, To: job.Args.Person, Subject: job.Args.Person, Due: job.CreatedAt,
			}, job.Attempt)
		}}),
		river.AddWorkerSafely(w, &worker[redrawArgs]{log: o.Log, work: func(ctx context.Context, job *river.Job[redrawArgs]) error {
			return c.redraw(ctx, job.Args.Org, job.Args.Notice, job.CreatedAt, job.Attempt)
		}}),
		river.AddWorkerSafely(w, &worker[releaseArgs]{log: o.Log, work: func(ctx context.Context, job *river.Job[releaseArgs]) error {
			return c.release(ctx, job.Args.Org, job.Args.Person)
		}}),
		river.AddWorkerSafely(w, &worker[occurArgs]{log: o.Log, timeout: taskTimeout, work: func(ctx context.Context, job *river.Job[occurArgs]) error {
			return o.occur(ctx, notice.Claimed{OrgID: job.Args.Org, Name: job.Args.Name, At: job.Args.At})
		}}),
	} {
		if err != nil {
			return nil, err
		}
	}
	config := &river.Config{
		Schema:  schema,
		Workers: w,
		Queues: map[string]river.QueueConfig{
			river.QueueDefault: {MaxWorkers: o.Workers},
			tasks:              {MaxWorkers: 4},
		},
		FetchCooldown:               50 * time.Millisecond,
		FetchPollInterval:           500 * time.Millisecond,
		JobTimeout:                  jobTimeout,
		RescueStuckJobsAfter:        rescueAfter,
		CompletedJobRetentionPeriod: time.Hour,
		CancelledJobRetentionPeriod: time.Hour,
		RetryPolicy:                 retries{now: o.Now, least: o.ReconcileAfter},
		SoftStopTimeout:             stopsWithin,
		JobStuckHandler: func(_ context.Context, p river.JobStuckHandlerParams) river.JobStuckHandlerResult {
			return river.JobStuckHandlerResult{AddWorkerSlot: p.TotalStuckJobs <= stuckSlots}
		},
		Logger: slog.New(few{o.Log.Handler()}),
	}
	if o.OneClock {
		config.Test.Time = oneClock{o.Now}
	}
	return river.NewClient(riverpgxv5.New(o.Pool), config)
}

// worker adapts a function to River, and what it returns to what River makes of it.
type worker[A river.JobArgs] struct {
	river.WorkerDefaults[A]
	log     *slog.Logger
	timeout time.Duration // 0: the client's
	work    func(ctx context.Context, job *river.Job[A]) error
}

func (w *worker[A]) Timeout(*river.Job[A]) time.Duration { return w.timeout }

func (w *worker[A]) Work(ctx context.Context, job *river.Job[A]) error {
	err := guard(ctx, w.log, func() error { return w.work(ctx, job) })
	var put *later
	if errors.As(err, &put) {
		return river.JobSnooze(max(put.after, 0))
	}
	return err
}

// occur runs recurring work.
func (o *Options) occur(ctx context.Context, c notice.Claimed) error {
	task := o.Tasks[c.Name]
	if task == nil { // a later release made the schedule, and one of its processes will take it
		return fmt.Errorf("no task for schedule %s", c.Name)
	}
	err := task(ctx, c.OrgID, c.At)
	if err != nil {
		o.Log.ErrorContext(ctx, "recurring work went wrong", "schedule", c.Name, "org", c.OrgID, "at", c.At, "err", err)
		return errors.New(nameOf(err)) // the queue keeps what it is told, so it is told no words
	}
	return nil
}

// retries is the pause after a try that went wrong. An attempt that may have arrived has had its time when it is over.
type retries struct {
	now   func() time.Time
	least time.Duration
}

// NextRetry implements river.ClientRetryPolicy.
func (r retries) NextRetry(job *rivertype.JobRow) time.Time {
	return r.now().Add(max(pauseAfter(job.Attempt, rand.Float64()), r.least))
}

// few lets pass what an operator should see of the queue's own lines.
type few struct{ slog.Handler }

func (f few) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && f.Handler.Enabled(ctx, level)
}

func (f few) WithAttrs(attrs []slog.Attr) slog.Handler { return few{f.Handler.WithAttrs(attrs)} }

func (f few) WithGroup(name string) slog.Handler { return few{f.Handler.WithGroup(name)} }

// oneClock has the queue live by our clock.
type oneClock struct{ now func() time.Time }

// Now implements rivertype.TimeGenerator.
func (c oneClock) Now() time.Time { return c.now() }

// NowOrNil implements rivertype.TimeGenerator.
func (c oneClock) NowOrNil() *time.Time {
	now := c.now()
	return &now
}
