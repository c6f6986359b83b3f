package jobs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/internal/notice"
	"huiyin/internal/people"
	"huiyin/storage/postgres/pgtest"
)

// outbox hands over within real transactions; what it hands over is kept in memory.
type outbox struct {
	*store
	pool *pgxpool.Pool
}

func (o outbox) HandOver(ctx context.Context, now time.Time, limit int, enqueue func(context.Context, pgx.Tx, []notice.Notice) error) (int, error) {
	var n int
	err := pgx.BeginFunc(ctx, o.pool, func(tx pgx.Tx) error {
		took, err := o.store.HandOver(ctx, now, limit, func(ctx context.Context, _ pgx.Tx, notices []notice.Notice) error {
			for _, n := range notices {
				if _, err := o.Delivery(ctx, n.OrgID, n.ID); err != nil {
					o.put(notice.Delivery{Notice: n, State: notice.Waiting})
				}
			}
			return enqueue(ctx, tx, notices)
		})
		n = took
		return err
	})
	return n, err
}

// calendar claims within real transactions; its schedules are kept in memory.
type calendar struct {
	*plan
	pool *pgxpool.Pool
}

func (c calendar) ClaimSchedules(ctx context.Context, now time.Time, limit int, next func(rule, zone string, after time.Time) (time.Time, error),
	enqueue func(context.Context, pgx.Tx, []notice.Claimed) error,
) (int, error) {
	return c.plan.ClaimSchedules(ctx, now, limit, next, func(ctx context.Context, _ pgx.Tx, claimed []notice.Claimed) error {
		return pgx.BeginFunc(ctx, c.pool, func(tx pgx.Tx) error { return enqueue(ctx, tx, claimed) })
	})
}

// firm is a yard whose queue is River's.
type firm struct {
	*yard
	pool *pgxpool.Pool
	wake chan struct{}

	noisy bool // something will be logged
}

func newFirm(t *testing.T) *firm {
	t.Helper()
	return &firm{yard: newYard(t, able), pool: pgtest.DB(t), wake: make(chan struct{}, 1)}
}

// runner makes one more process of the firm.
func (f *firm) runner(change ...func(*Options)) *Runner {
	f.t.Helper()
	o := f.courier.Options
	o.Pool, o.Deliveries, o.Wake = f.pool, outbox{f.store, f.pool}, f.wake
	for _, c := range change {
		c(&o)
	}
	r, err := New(o)
	if err != nil {
		f.t.Fatalf("make a runner: %v", err)
	}
	return r
}

// start runs it until the test ends, or until stop is called, which waits for the end.
func (f *firm) start(r *Runner) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			f.t.Errorf("the runner ended with %v", err)
		}
		if said := f.log.String(); said != "" && !f.noisy {
			f.t.Errorf("there is something in the log:\n%s", said)
		}
	})
	f.t.Cleanup(stop)
	return stop
}

// write writes a notice as a commit does.
func (f *firm) write(kind notice.Kind, to uuid.UUID, more ...func(*notice.Notice)) uuid.UUID {
	n := notice.Notice{OrgID: f.org, ID: uuid.Must(uuid.NewV7()), Kind: kind, To: to, Subject: uuid.Must(uuid.NewV7()), Due: clock()}
	for _, m := range more {
		m(&n)
	}
	f.store.mu.Lock()
	f.store.outbox = append(f.store.outbox, n)
	f.store.mu.Unlock()
	select {
	case f.wake <- struct{}{}:
	default:
	}
	return n.ID
}

// eventually waits for something that happens in other goroutines and processes.
func eventually(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	for end := clock().Add(20 * time.Second); !holds(); wait(10 * time.Millisecond) {
		if clock().After(end) {
			tb.Fatalf("it never came to this: %s", what)
		}
	}
}

func (f *firm) state(id uuid.UUID) notice.State {
	d, err := f.store.Delivery(f.t.Context(), f.org, id)
	if err != nil {
		return ""
	}
	return d.State
}

func (f *firm) ask(query string, into ...any) {
	f.t.Helper()
	if err := f.pool.QueryRow(f.t.Context(), query).Scan(into...); err != nil {
		f.t.Fatalf("%s: %v", query, err)
	}
}

func TestNoticesGoFromTheOutboxThroughTheQueueToTheirReaders(t *testing.T) {
	f := newFirm(t)
	kai := f.person(people.Settings{}, "chat:confirmed")
	subject := uuid.Must(uuid.NewV7())
	limited := true
	f.chat.set(func() {
		f.chat.fate = func(m bot.Message) fate {
			defer func() { limited = false }()
			if limited {
				return fate{limit: 300 * time.Millisecond}
			}
			return fate{}
		}
	})
	f.start(f.runner())
	first := f.write(notice.PraiseReceived, kai, about(subject))
	eventually(t, "the first notice is sent, after the wait that the platform asked for", func() bool { return f.state(first) == notice.Sent })
	var ids []uuid.UUID
	for range 300 {
		ids = append(ids, f.write(notice.AskReceived, kai))
	}
	f.words.set(func(context.Context, notice.Notice) (card.Card, bool, error) {
		return card.Card{Title: "changed"}, true, nil
	})
	f.write(notice.PraiseChanged, kai, about(subject))
	eventually(t, "all are sent and the first is drawn again", func() bool {
		for _, id := range ids {
			if f.state(id) != notice.Sent {
				return false
			}
		}
		m, _ := f.chat.message(first)
		return m.title == "changed"
	})
	f.wantOnce(append(ids, first))
	if d := f.delivery(first); d.Attempts != 1 {
		t.Errorf("a refusal for being too fast counts: %d attempts", d.Attempts)
	}
	var args int
	f.ask(`select count(*) from jobs.river_job where args::text ~ 'changed|ask.received'`, &args)
	if args != 0 {
		t.Errorf("%d jobs carry more than ids", args)
	}
}

func TestTheQueueIsToldNobodysWordsAndTriesPoisonAgainLater(t *testing.T) {
	const words = "what Lin said in confidence"
	f := newFirm(t)
	f.noisy = true
	f.words.set(func(context.Context, notice.Notice) (card.Card, bool, error) { panic(words) })
	f.start(f.runner())
	id := f.write(notice.PraiseReceived, f.person(people.Settings{}, "chat:confirmed"))
	var failed int
	eventually(t, "the first try went wrong", func() bool {
		f.ask(`select count(*) from jobs.river_job where state = 'retryable'`, &failed)
		return failed == 1
	})
	var attempt int
	var pause float64
	var told string
	f.ask(`select attempt, extract(epoch from scheduled_at - attempted_at), errors::text from jobs.river_job`, &attempt, &pause, &told)
	if attempt != 1 || pause < 9.5 || pause > 13 {
		t.Errorf("after try %d it is tried again in %.1f s, want 1 and 10 to 12 s", attempt, pause)
	}
	if strings.Contains(told, words) || strings.Contains(f.log.String(), words) {
		t.Errorf("the words of the panic are in the queue (%s) or in the log", told)
	}
	if d := f.delivery(id); d.State != notice.Waiting || d.Fault != "panic" {
		t.Errorf("the delivery is %s (%s), want waiting (panic)", d.State, d.Fault)
	}
}

func TestSeveralProcessesRunEachOccurrenceOnce(t *testing.T) {
	f := newFirm(t)
	p := &plan{rows: map[string]*planned{}}
	var mu sync.Mutex
	ran := map[string]int{}
	tasks := map[string]Task{}
	now := clock().Truncate(time.Minute)
	for i := range 20 {
		name := fmt.Sprintf("task-%d", i)
		p.rows[name] = &planned{f.org, "* * * * *", "UTC", now}
		tasks[name] = func(_ context.Context, org uuid.UUID, at time.Time) error {
			mu.Lock()
			defer mu.Unlock()
			if org != f.org {
				t.Errorf("it ran for the firm %s", org)
			}
			ran[name+" "+at.UTC().Format(time.RFC3339)]++
			return nil
		}
	}
	with := func(o *Options) {
		o.Schedules, o.Tasks = calendar{p, f.pool}, tasks
		o.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	}
	processes := []*Runner{f.runner(with), f.runner(with), f.runner(with)}
	var all sync.WaitGroup
	for range 5 {
		for _, r := range processes {
			all.Go(func() {
				if err := r.Tick(t.Context()); err != nil {
					t.Errorf("tick: %v", err)
				}
			})
		}
		all.Wait()
		mu.Lock()
		now = now.Add(time.Minute)
		mu.Unlock()
	}
	// Whoever could not tell whether the queue took it hands it over again.
	first := processes[0].Now().Add(-5 * time.Minute)
	if err := pgx.BeginFunc(t.Context(), f.pool, func(tx pgx.Tx) error {
		return processes[0].ticker.enqueue(t.Context(), tx, []notice.Claimed{{OrgID: f.org, Name: "task-0", At: first.UTC()}})
	}); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	now = now.Add(-time.Minute) // so that starting them adds nothing
	mu.Unlock()
	for _, r := range processes {
		f.start(r)
	}
	eventually(t, "all occurrences ran", func() bool { mu.Lock(); defer mu.Unlock(); return len(ran) == 100 })
	var left int
	eventually(t, "the queue is empty", func() bool {
		f.ask(`select count(*) from jobs.river_job where finalized_at is null`, &left)
		return left == 0
	})
	mu.Lock()
	defer mu.Unlock()
	for occurrence, times := range ran {
		if times != 1 {
			t.Errorf("%s ran %d times", occurrence, times)
		}
	}
}

func TestAClaimIsUnderWayOnceHoweverMuchIsHeld(t *testing.T) {
	f := newFirm(t)
	kai := f.person(people.Settings{}, "chat:proposed")
	f.chat.set(func() { f.chat.takes = 200 * time.Millisecond }) // so that all want to ask before one has asked
	f.start(f.runner())
	var ids []uuid.UUID
	for range 20 {
		ids = append(ids, f.write(notice.PraiseReceived, kai))
	}
	claim := claimOf(f.dir.IdentitiesOf(kai)[0], notice.Notice{}).ID
	eventually(t, "all are held and the account is asked", func() bool {
		for _, id := range ids {
			if f.state(id) != notice.Held {
				return false
			}
		}
		return f.state(claim) == notice.Sent
	})
	if sends, _ := f.chat.counts(); sends != 1 {
		t.Errorf("the account was asked %d times", sends)
	}
	var asks, looks int
	f.ask(`select count(*) from jobs.river_job where kind = 'claim'`, &asks)
	if asks != 1 {
		t.Errorf("%d claims were queued, want 1", asks)
	}
	f.ask(`select count(*) from jobs.river_job where kind = 'release' and scheduled_at > now() + interval '50 seconds'`, &looks)
	if looks != len(ids) {
		t.Errorf("%d looks are planned at whether it can go, want %d", looks, len(ids))
	}
	f.decide(kai, people.Confirmed)
	if _, err := f.store.Release(t.Context(), f.org, kai, clock()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all are sent", func() bool {
		for _, id := range ids {
			if f.state(id) != notice.Sent {
				return false
			}
		}
		return true
	})
	f.wantOnce(ids)
}

func TestWhatIsUnderWayAtTheEndComesToItsEnd(t *testing.T) {
	f := newFirm(t)
	sending, proceed := make(chan struct{}), make(chan struct{})
	f.chat.set(func() {
		f.chat.fate = func(bot.Message) fate {
			close(sending)
			<-proceed
			return fate{}
		}
	})
	stop := f.start(f.runner())
	id := f.write(notice.PraiseReceived, f.person(people.Settings{}, "chat:confirmed"))
	<-sending
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	select {
	case <-stopped:
		t.Error("it ended in the midst of sending")
	case <-time.After(300 * time.Millisecond):
	}
	close(proceed)
	<-stopped
	f.wantState(id, notice.Sent, "after the end")
	var unfinished int
	f.ask(`select count(*) from jobs.river_job where finalized_at is null`, &unfinished)
	if unfinished != 0 {
		t.Errorf("%d jobs are left for the next process", unfinished)
	}
}

func TestWhatWaitsForAMorningTakesNobodysPlaceInTheQueue(t *testing.T) {
	f := newFirm(t)
	r := f.runner()
	kai := f.person(people.Settings{MutedUntil: clock().Add(5 * time.Hour)}, "chat:confirmed")
	f.start(r)
	for range 30 {
		f.write(notice.NoteFollowUp, kai)
	}
	var put int
	eventually(t, "all wait for the morning", func() bool {
		f.ask(`select count(*) from jobs.river_job where state = 'scheduled'`, &put)
		return put == 30
	})
	if n, err := r.relay.queued(t.Context(), 1000); err != nil || n != 0 {
		t.Errorf("%d, %v are counted as queued, want none", n, err)
	}
}

func TestAQueueThatCannotBeReachedIsAnErrorAtTheStart(t *testing.T) {
	f := newFirm(t)
	f.pool.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := f.runner().Run(ctx); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("without a database it runs: %v", err)
	}
}
