package jobs

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"huiyin/internal/notice"
)

// plan keeps schedules in memory. Like the real one it moves on from now.
type plan struct {
	mu   sync.Mutex
	rows map[string]*planned
}

type planned struct {
	org        uuid.UUID
	rule, zone string
	next       time.Time
}

func (p *plan) EnsureSchedule(_ context.Context, orgID uuid.UUID, name, rule, zone string, next time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rows[name] == nil {
		p.rows[name] = &planned{orgID, rule, zone, next}
	}
	return nil
}

func (p *plan) ClaimSchedules(ctx context.Context, now time.Time, limit int, next func(rule, zone string, after time.Time) (time.Time, error),
	enqueue func(context.Context, pgx.Tx, []notice.Claimed) error,
) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var claimed []notice.Claimed
	var stuck error
	moved := map[*planned]time.Time{}
	for name, row := range p.rows {
		if row.next.After(now) || len(claimed) == limit {
			continue
		}
		at, err := next(row.rule, row.zone, now)
		if err != nil {
			stuck = errors.Join(stuck, err)
			continue
		}
		claimed, moved[row] = append(claimed, notice.Claimed{OrgID: row.org, Name: name, At: row.next}), at
	}
	taken := len(claimed)
	if taken > 0 {
		if err := enqueue(ctx, nil, claimed); err != nil {
			return 0, err
		}
	}
	for row, at := range moved {
		row.next = at
	}
	return taken, stuck
}

// clockwork is a ticker with a plan, and what it put into the queue.
type clockwork struct {
	ticker
	plan *plan
	log  lines

	mu    sync.Mutex
	fired []string
	full  error
}

func newClockwork(now func() time.Time) *clockwork {
	c := &clockwork{plan: &plan{rows: map[string]*planned{}}}
	o := Options{
		Deliveries: &store{}, Schedules: c.plan, Now: now, Log: slog.New(slog.NewTextHandler(&c.log, nil)), Retention: DefaultRetention, Workers: 1,
	}
	c.ticker = ticker{Options: o, courier: newCourier(o, nil), enqueue: func(_ context.Context, _ pgx.Tx, claimed []notice.Claimed) error {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.full != nil {
			return c.full
		}
		for _, one := range claimed {
			c.fired = append(c.fired, one.Name+" "+one.At.UTC().Format(time.RFC3339))
		}
		return nil
	}}
	return c
}

func (c *clockwork) schedule(t *testing.T, name, rule, zone string, after time.Time) {
	t.Helper()
	next, err := Next(rule, zone, after)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.plan.EnsureSchedule(t.Context(), uuid.Nil, name, rule, zone, next); err != nil {
		t.Fatal(err)
	}
}

// A-C2: monthly, day 1, Asia/Shanghai; the leap day does not fire and the first of March fires once.
func TestAMonthlyScheduleFiresOnceOnTheFirstOfItsZone(t *testing.T) {
	now := instant(t, "2024-02-29T23:50:00+08:00")
	c := newClockwork(func() time.Time { return now })
	c.schedule(t, "monthly", "0 0 1 * *", "Asia/Shanghai", now)
	for end := now.Add(3 * time.Hour); now.Before(end); now = now.Add(time.Minute) {
		if err := c.tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		if at := instant(t, "2024-02-29T23:59:00+08:00"); !now.After(at) && len(c.fired) > 0 {
			t.Fatalf("fired at %s", now)
		}
	}
	if diff := cmp.Diff([]string{"monthly 2024-02-29T16:00:00Z"}, c.fired); diff != "" {
		t.Errorf("fired (-want +got):\n%s", diff)
	}
}

// R06: what was missed is done late within six hours, skipped and reported after that, and never made up for in a burst.
func TestWhatWasMissedIsDoneLateOrSkippedAndNeverABurst(t *testing.T) {
	for _, c := range []struct {
		name string
		down time.Duration
		want []string
		says bool
	}{
		{"down for five hours", 5 * time.Hour, []string{"daily 2026-03-02T09:00:00Z"}, false},
		{"down for seven hours", 7 * time.Hour, nil, true},
		{"down for four days and an hour", 97 * time.Hour, nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := instant(t, "2026-03-02T08:59:00Z")
			w := newClockwork(func() time.Time { return now })
			w.schedule(t, "daily", "0 9 * * *", "UTC", now)
			now = now.Add(c.down)
			for range 3 {
				if err := w.tick(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(c.want, w.fired); diff != "" {
				t.Errorf("fired (-want +got):\n%s", diff)
			}
			if says := strings.Contains(w.log.String(), "missed"); says != c.says {
				t.Errorf("it was reported: %v, want %v", says, c.says)
			}
		})
	}
}

func TestWhatIsDueStaysDueUntilTheQueueTakesIt(t *testing.T) {
	now := instant(t, "2026-03-02T09:00:00Z")
	c := newClockwork(func() time.Time { return now })
	c.schedule(t, "daily", "0 9 * * *", "UTC", now.Add(-time.Minute))
	c.full = errors.New("away")
	if err := c.tick(t.Context()); err == nil {
		t.Error("a queue that takes nothing is no problem")
	}
	c.full = nil
	for range 3 {
		now = now.Add(time.Minute)
		if err := c.tick(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"daily 2026-03-02T09:00:00Z"}, c.fired); diff != "" {
		t.Errorf("fired (-want +got):\n%s", diff)
	}
}

func TestAScheduleThatCannotBeReadHoldsUpNoOther(t *testing.T) {
	now := instant(t, "2026-03-02T09:00:00Z")
	c := newClockwork(func() time.Time { return now })
	c.plan.rows["broken"] = &planned{rule: "whenever", zone: "UTC", next: now}
	c.schedule(t, "daily", "0 9 * * *", "UTC", now.Add(-time.Minute))
	if err := c.tick(t.Context()); err == nil || !strings.Contains(err.Error(), "whenever") {
		t.Errorf("the error does not name the rule: %v", err)
	}
	if len(c.fired) != 1 {
		t.Errorf("fired %v, want the other one", c.fired)
	}
}

func TestOnePieceOfAMinutesWorkHoldsUpNoOther(t *testing.T) {
	const words = "what Lin said in confidence"
	now := instant(t, "2026-03-02T09:00:00Z")
	c := newClockwork(func() time.Time { return now })
	var at []time.Time
	c.EveryMinute = []func(context.Context, time.Time) error{
		func(context.Context, time.Time) error { panic(words) },
		func(context.Context, time.Time) error { return errors.New("first") },
		func(_ context.Context, now time.Time) error { at = append(at, now); return nil },
	}
	err := c.tick(t.Context())
	if err == nil || !strings.Contains(err.Error(), "first") || strings.Contains(err.Error()+c.log.String(), words) {
		t.Errorf("the minute says %v and logs %s", err, c.log.String())
	}
	if diff := cmp.Diff([]time.Time{now}, at); diff != "" {
		t.Errorf("the last piece (-want +got):\n%s", diff)
	}
}

// forgetful remembers what it was told to forget.
type forgetful struct {
	Deliveries
	before []notice.Retention
}

func (f *forgetful) Purge(_ context.Context, before notice.Retention) error {
	f.before = append(f.before, before)
	return nil
}

// R25: ids of events for 14 days.
func TestOnceAnHourWhatIsTooOldIsForgotten(t *testing.T) {
	began := instant(t, "2026-03-02T09:00:00Z")
	now := began
	c := newClockwork(func() time.Time { return now })
	f := &forgetful{}
	c.Deliveries = f
	for ; now.Before(began.Add(2*time.Hour + time.Minute)); now = now.Add(time.Minute) {
		if err := c.tick(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	want := notice.Retention{Inbox: instant(t, "2026-02-16T09:00:00Z"), Deliveries: instant(t, "2024-03-02T09:00:00Z"), Calls: instant(t, "2025-02-02T09:00:00Z")}
	if len(f.before) != 3 || f.before[0] != want {
		t.Errorf("in two hours told to forget %+v, want three times, first %+v", f.before, want)
	}
}

func TestItTicksAtOnceAndAtTheBeginningOfEveryMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClockwork(clock)
		var at []time.Time
		c.EveryMinute = []func(context.Context, time.Time) error{func(_ context.Context, now time.Time) error { at = append(at, now); return nil }}
		wait(20 * time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- c.run(ctx) }()
		wait(5 * time.Minute)
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("it ended with %v", err)
		}
		if len(at) != 6 {
			t.Fatalf("it ticked %d times in five minutes, want once at the start and five times", len(at))
		}
		for _, now := range at[1:] {
			if now.Second() > 2 || now.Second() == 2 && now.Nanosecond() > 0 {
				t.Errorf("it ticked at %s, want within two seconds of the minute", now.Format(time.TimeOnly))
			}
		}
	})
}
