package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"huiyin/feedback"
	"huiyin/internal/fault"
	"huiyin/internal/notice"
)

// accept takes whatever is handed over.
func accept(context.Context, pgx.Tx, []notice.Notice) error { return nil }

// tell writes notices and nothing else.
func tell(tb testing.TB, d *DB, orgID uuid.UUID, notices ...notice.Notice) {
	tb.Helper()
	write(tb, d, by(orgID, ""), func(tx feedback.Tx) { tx.Tell(notices...) })
}

func TestHandOverTakesWhatIsDueOldestFirst(t *testing.T) {
	d := open(t)
	org := id(1)
	firm(t, d, org, 2)
	at := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }
	late, early, future, channel := noticeOf(org, 1, 1001), noticeOf(org, 2, 1001), noticeOf(org, 3, 1001), noticeOf(org, 4, 1001)
	late.Due, early.Due, future.Due, channel.Due = at(-1), at(-9), at(1), at(0)
	channel.To, channel.Channel = uuid.Nil, notice.ChannelOn("slack", "C1")
	tell(t, d, org, late, early, future, channel)
	var got [][]notice.Notice
	for _, want := range []int{2, 1, 0} {
		n, err := d.Deliveries.HandOver(t.Context(), noon, 2, func(_ context.Context, _ pgx.Tx, notices []notice.Notice) error {
			got = append(got, notices)
			return nil
		})
		if err != nil || n != want {
			t.Errorf("%d notices were handed over (%v), want %d", n, err, want)
		}
	}
	if diff := cmp.Diff([][]notice.Notice{{early, late}, {channel}}, got); diff != "" {
		t.Errorf("the notices handed over differ:\n%s", diff)
	}
	if n := rows(t, d, "outbox"); n != 1 {
		t.Errorf("%d notices are left in the outbox, want the one that is not due", n)
	}
	delivery, err := d.Deliveries.Delivery(t.Context(), org, channel.ID)
	if diff := cmp.Diff(notice.Delivery{Notice: channel, State: notice.Waiting}, delivery); err != nil || diff != "" {
		t.Errorf("its delivery differs (%v):\n%s", err, diff)
	}
}

func TestHandOverThatIsRefusedLeavesTheOutboxAsItWas(t *testing.T) {
	d := open(t)
	org := id(1)
	firm(t, d, org, 2)
	tell(t, d, org, noticeOf(org, 1, 1001))
	before := contents(t, d, org)
	refusal := errors.New("the queue is full")
	_, err := d.Deliveries.HandOver(t.Context(), noon, 10, func(ctx context.Context, tx pgx.Tx, _ []notice.Notice) error {
		if _, err := tx.Exec(ctx, `insert into company_values (org_id, place, name) values ($1, 0, 'x')`, org); err != nil {
			return err
		}
		return refusal
	})
	if !errors.Is(err, refusal) {
		t.Errorf("the error is %v, want the one of the queue", err)
	}
	if diff := cmp.Diff(before, contents(t, d, org)); diff != "" {
		t.Errorf("something changed:\n%s", diff)
	}
}

func TestManyWorkersHandOverEachNoticeOnce(t *testing.T) {
	d := open(t)
	org := id(1)
	firm(t, d, org, 2)
	const all, workers = 500, 8
	var notices []notice.Notice
	for n := range all {
		notices = append(notices, noticeOf(org, n, 1001))
	}
	tell(t, d, org, notices...)
	var mu sync.Mutex
	handed := map[uuid.UUID]int{}
	total := 0
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for {
				n, err := d.Deliveries.HandOver(t.Context(), noon, 7, func(_ context.Context, _ pgx.Tx, notices []notice.Notice) error {
					mu.Lock()
					defer mu.Unlock()
					for _, n := range notices {
						handed[n.ID]++
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
				if n == 0 {
					return
				}
				mu.Lock()
				total += n
				mu.Unlock()
			}
		})
	}
	group.Wait()
	for n, times := range handed {
		if times != 1 {
			t.Errorf("notice %s was handed over %d times", n, times)
		}
	}
	if len(handed) != all || total != all || rows(t, d, "deliveries") != all || rows(t, d, "outbox") != 0 {
		t.Errorf("%d notices were handed over, %d counted, %d have a delivery and %d are left; want %d, %d, %d and 0",
			len(handed), total, rows(t, d, "deliveries"), rows(t, d, "outbox"), all, all, all)
	}
}

func TestADeliveryIsReadAsItWasSaved(t *testing.T) {
	d := open(t)
	org := id(1)
	firm(t, d, org, 2)
	full := notice.Delivery{
		Notice: noticeOf(org, 1, 1001), State: notice.Sent, Platform: "slack", Address: "U000001", RefChannel: "D1", RefID: "1700000000.000100",
		Attempts: 3, TriedAt: noon, SentAt: noon.Add(time.Second), Fault: "unavailable: bot.limited",
	}
	bare := notice.Delivery{Notice: noticeOf(org, 1, 1001), State: notice.Sending}
	for _, want := range []notice.Delivery{full, bare, full} {
		if err := d.Deliveries.SaveDelivery(t.Context(), want); err != nil {
			t.Fatal(err)
		}
		got, err := d.Deliveries.Delivery(t.Context(), org, id(1))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("the delivery differs (%v):\n%s", err, diff)
		}
	}
	_, err := d.Deliveries.Delivery(t.Context(), org, id(2))
	wantFault(t, "an unknown delivery", err, fault.NotFound)
}

func TestSentAboutIsWhatIsOutThere(t *testing.T) {
	d := open(t)
	org := id(1)
	firm(t, d, org, 2)
	save := func(n int, change func(*notice.Delivery)) notice.Delivery {
		one := notice.Delivery{Notice: noticeOf(org, n, 1001), State: notice.Sent, RefChannel: "D1", RefID: fmt.Sprint(n), SentAt: noon.Add(-time.Duration(n) * time.Second)}
		change(&one)
		if err := d.Deliveries.SaveDelivery(t.Context(), one); err != nil {
			t.Fatal(err)
		}
		return one
	}
	newer := save(1, func(*notice.Delivery) {})
	older := save(2, func(*notice.Delivery) {})
	save(3, func(o *notice.Delivery) { o.State, o.RefID = notice.Sending, "" })
	save(4, func(o *notice.Delivery) { o.Subject = id(99) })
	save(5, func(o *notice.Delivery) { o.State = notice.Skipped })
	got, err := d.Deliveries.SentAbout(t.Context(), org, id(1))
	if diff := cmp.Diff([]notice.Delivery{older, newer}, got); err != nil || diff != "" {
		t.Errorf("what was sent about the subject differs (%v):\n%s", err, diff)
	}
}

func TestWhatWasHeldIsReleasedUnderItsOldID(t *testing.T) {
	d := open(t)
	org, later := id(1), noon.Add(time.Hour)
	firm(t, d, org, 3)
	tell(t, d, org, noticeOf(org, 1, 1001), noticeOf(org, 2, 1001), noticeOf(org, 3, 1002), noticeOf(org, 4, 1001))
	if _, err := d.Deliveries.HandOver(t.Context(), noon, 10, accept); err != nil {
		t.Fatal(err)
	}
	set := func(n int, state notice.State) {
		one, err := d.Deliveries.Delivery(t.Context(), org, id(n))
		if err != nil {
			t.Fatal(err)
		}
		one.State = state
		if err := d.Deliveries.SaveDelivery(t.Context(), one); err != nil {
			t.Fatal(err)
		}
	}
	set(1, notice.Held)
	set(2, notice.Held)
	set(3, notice.Held)
	set(4, notice.Sent)
	drain(d)
	for _, want := range []int{2, 0} {
		if n, err := d.Deliveries.Release(t.Context(), org, id(1001), later); err != nil || n != want {
			t.Errorf("%d notices were released (%v), want %d", n, err, want)
		}
	}
	select {
	case <-d.Woken():
	default:
		t.Error("nobody was woken for what was released")
	}
	stats, err := d.Deliveries.Stats(t.Context(), later)
	if want := (notice.Stats{Waiting: 2, Held: 1}); err != nil || stats != want {
		t.Errorf("released notices count as %+v (%v), want %+v", stats, err, want)
	}
	tell(t, d, org, noticeOf(org, 4, 1001)) // one that was sent already is not sent again
	var got []uuid.UUID
	n, err := d.Deliveries.HandOver(t.Context(), later, 10, func(_ context.Context, _ pgx.Tx, notices []notice.Notice) error {
		for _, n := range notices {
			got = append(got, n.ID)
		}
		return nil
	})
	if diff := cmp.Diff([]uuid.UUID{id(1), id(2)}, got); err != nil || n != 2 || diff != "" {
		t.Errorf("%d notices were handed over after the release (%v):\n%s", n, err, diff)
	}
	if one, err := d.Deliveries.Delivery(t.Context(), org, id(1)); err != nil || one.State != notice.Waiting || !one.Due.Equal(later) {
		t.Errorf("the delivery is %+v (%v), want it waiting", one, err)
	}
	if one, err := d.Deliveries.Delivery(t.Context(), org, id(4)); err != nil || one.State != notice.Sent {
		t.Errorf("the delivery that was sent is %+v (%v) now", one, err)
	}
	if n := rows(t, d, "outbox"); n != 0 {
		t.Errorf("%d notices are left", n)
	}
}

func TestStatsAndDeadLetters(t *testing.T) {
	d := open(t)
	org := id(1)
	firm(t, d, org, 2)
	if stats, err := d.Deliveries.Stats(t.Context(), noon); err != nil || stats != (notice.Stats{}) {
		t.Errorf("an empty database has %+v (%v)", stats, err)
	}
	var dead []notice.Delivery
	for n, state := range []notice.State{
		notice.Waiting, notice.Waiting, notice.Sending, notice.Sent, notice.Sent, notice.Skipped, notice.Held, notice.Dead, notice.Dead, notice.Dead,
	} {
		one := notice.Delivery{Notice: noticeOf(org, 10+n, 1001), State: state}
		one.Due = noon.Add(-time.Duration(n+1) * time.Minute)
		if n == 1 {
			one.Due = noon.Add(time.Minute) // put off
		}
		if err := d.Deliveries.SaveDelivery(t.Context(), one); err != nil {
			t.Fatal(err)
		}
		if state == notice.Dead {
			dead = append(dead, one)
		}
	}
	inOutbox, later := noticeOf(org, 1, 1001), noticeOf(org, 2, 1001)
	inOutbox.Due, later.Due = noon.Add(-time.Hour), noon.Add(time.Hour)
	tell(t, d, org, inOutbox, later)
	stats, err := d.Deliveries.Stats(t.Context(), noon)
	if diff := cmp.Diff(notice.Stats{Waiting: 2, Sending: 1, Held: 1, Dead: 3, Oldest: time.Hour}, stats); err != nil || diff != "" {
		t.Errorf("the figures differ (%v):\n%s", err, diff)
	}
	got, total, err := d.Deliveries.Dead(t.Context(), 2)
	if diff := cmp.Diff(dead[:2], got); err != nil || total != 3 || diff != "" {
		t.Errorf("two of %d dead letters differ (%v):\n%s", total, err, diff)
	}
}

func TestPurgeForgetsWhatIsOldAndOver(t *testing.T) {
	d := open(t)
	org := id(1)
	firm(t, d, org, 2)
	old := noon.Add(-time.Hour)
	for n, state := range []notice.State{notice.Waiting, notice.Sending, notice.Sent, notice.Held, notice.Skipped, notice.Dead} {
		for m, due := range []time.Time{old, noon} {
			one := notice.Delivery{Notice: noticeOf(org, 100*m+n, 1001), State: state}
			one.Due = due
			if err := d.Deliveries.SaveDelivery(t.Context(), one); err != nil {
				t.Fatal(err)
			}
		}
	}
	exec(t, d, `insert into inbox (org_id, event, received_at) select $1, 'old' || n, $2 from generate_series(1, 11000) n`, org, old)
	exec(t, d, `insert into inbox (org_id, event, received_at) values ($1, 'new', $2)`, org, noon)
	if err := d.Deliveries.Purge(t.Context(), notice.Retention{}); err != nil || rows(t, d, "inbox") != 11001 || rows(t, d, "deliveries") != 12 {
		t.Errorf("a retention of everything (%v) left %d events and %d deliveries", err, rows(t, d, "inbox"), rows(t, d, "deliveries"))
	}
	if err := d.Deliveries.Purge(t.Context(), notice.Retention{Inbox: noon, Deliveries: noon}); err != nil {
		t.Fatal(err)
	}
	if n := rows(t, d, "inbox"); n != 1 {
		t.Errorf("%d events are left, want the one that is not older", n)
	}
	states, err := d.pool.Query(t.Context(), `select state from deliveries where due_at < $1 order by notice_id`, noon)
	if err != nil {
		t.Fatal(err)
	}
	left, err := pgx.CollectRows(states, pgx.RowTo[string])
	if diff := cmp.Diff([]string{"waiting", "sending", "held"}, left); err != nil || diff != "" || rows(t, d, "deliveries") != 9 {
		t.Errorf("of the old deliveries these are left (%v), and %d in all, want 9:\n%s", err, rows(t, d, "deliveries"), diff)
	}
}

func TestACommitWithNoticesWakes(t *testing.T) {
	d := open(t)
	org := id(1)
	firm(t, d, org, 2)
	woken := func() bool {
		select {
		case <-d.Woken():
			return true
		default:
			return false
		}
	}
	give := func(n int, event string, told bool) {
		_ = d.Feedback.InTx(t.Context(), by(org, event), func(tx feedback.Tx) error { // refused ones are part of the test
			tx.SavePraise(praiseOf(org, n, 1001))
			if told {
				tx.Tell(noticeOf(org, n, 1001))
			}
			return nil
		})
	}
	if give(1, "a", true); !woken() {
		t.Error("a praise with a notice woke nobody")
	}
	if give(2, "b", false); woken() {
		t.Error("a praise without a notice woke somebody")
	}
	if give(3, "a", true); woken() {
		t.Error("a duplicate woke somebody")
	}
	give(4, "c", true)
	give(5, "d", true)
	if !woken() || woken() {
		t.Error("two commits while nobody was looking should wake once")
	}
}

func drain(d *DB) {
	select {
	case <-d.Woken():
	default:
	}
}

func TestSchedulesAreClaimedAndMoved(t *testing.T) {
	d := open(t)
	for org := 1; org <= 2; org++ {
		firm(t, d, id(org), 1)
		for n, name := range []string{"late", "now", "later"} {
			if err := d.Schedules.EnsureSchedule(t.Context(), id(org), name, "0 9 * * 1", "Asia/Shanghai", noon.Add(time.Duration(n-1)*time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		// One that is there stays as it is.
		if err := d.Schedules.EnsureSchedule(t.Context(), id(org), "later", "other", "UTC", noon.Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	wantFault(t, "a schedule of an unknown firm", d.Schedules.EnsureSchedule(t.Context(), id(9), "x", "", "", noon), fault.NotFound)
	type asked struct {
		Rule, Zone string
		After      time.Time
	}
	var got []asked
	next := func(rule, zone string, after time.Time) (time.Time, error) {
		got = append(got, asked{rule, zone, after})
		return after.Add(24 * time.Hour), nil
	}
	var claimed []notice.Claimed
	keep := func(_ context.Context, _ pgx.Tx, all []notice.Claimed) error { claimed = all; return nil }
	taken, err := d.Schedules.ClaimSchedules(t.Context(), noon, 3, next, keep)
	want := []notice.Claimed{{OrgID: id(1), Name: "late", At: noon.Add(-time.Hour)}, {OrgID: id(2), Name: "late", At: noon.Add(-time.Hour)}, {OrgID: id(1), Name: "now", At: noon}}
	if diff := cmp.Diff(want, claimed); err != nil || taken != 3 || diff != "" {
		t.Errorf("three claimed schedules differ (%v):\n%s", err, diff)
	}
	if diff := cmp.Diff(asked{"0 9 * * 1", "Asia/Shanghai", noon}, got[0]); diff != "" {
		t.Errorf("the following time was asked for differently:\n%s", diff)
	}
	// What cannot be queued is not taken.
	full := errors.New("full")
	taken, err = d.Schedules.ClaimSchedules(t.Context(), noon, 10, next, func(ctx context.Context, tx pgx.Tx, _ []notice.Claimed) error {
		_, err := tx.Exec(ctx, `insert into inbox values ($1, 'queued', now())`, id(1))
		return errors.Join(full, err)
	})
	if !errors.Is(err, full) || taken != 0 {
		t.Errorf("%d were taken with the error %v, want none and the queue's", taken, err)
	}
	var queued int
	if err := d.pool.QueryRow(t.Context(), `select count(*) from inbox`).Scan(&queued); err != nil || queued != 0 {
		t.Errorf("%d rows of the queue were left behind (%v)", queued, err)
	}
	_, err = d.Schedules.ClaimSchedules(t.Context(), noon, 10, next, keep)
	if diff := cmp.Diff([]notice.Claimed{{OrgID: id(2), Name: "now", At: noon}}, claimed); err != nil || diff != "" {
		t.Errorf("the rest of the claimed schedules differs (%v):\n%s", err, diff)
	}
	if taken, err = d.Schedules.ClaimSchedules(t.Context(), noon, 10, next, keep); err != nil || taken != 0 {
		t.Errorf("when nothing is due %d are claimed (%v)", taken, err)
	}
}

func TestAScheduleThatCannotMoveHoldsUpNoOther(t *testing.T) {
	d := open(t)
	firm(t, d, id(1), 1)
	for _, name := range []string{"broken", "sound"} {
		if err := d.Schedules.EnsureSchedule(t.Context(), id(1), name, name, "UTC", noon); err != nil {
			t.Fatal(err)
		}
	}
	bad := errors.New("no such rule")
	for _, want := range []int{1, 0} {
		claimed, err := d.Schedules.ClaimSchedules(t.Context(), noon, 10, func(rule, _ string, after time.Time) (time.Time, error) {
			if rule == "broken" {
				return time.Time{}, bad
			}
			return after.Add(time.Hour), nil
		}, func(context.Context, pgx.Tx, []notice.Claimed) error { return nil })
		if !errors.Is(err, bad) || claimed != want {
			t.Errorf("claimed is %d with the error %v, want %d and the error of the rule", claimed, err, want)
		}
	}
}

func TestManyReplicasClaimEachOccurrenceOnce(t *testing.T) {
	d := open(t)
	firm(t, d, id(1), 1)
	const schedules, ticks, replicas = 20, 10, 6
	for n := range schedules {
		if err := d.Schedules.EnsureSchedule(t.Context(), id(1), fmt.Sprint(n), "", "UTC", noon); err != nil {
			t.Fatal(err)
		}
	}
	var mu sync.Mutex
	claims := map[notice.Claimed]int{}
	for tick := range ticks {
		now := noon.Add(time.Duration(tick) * time.Minute)
		var all sync.WaitGroup
		for range replicas {
			all.Go(func() {
				for {
					taken, err := d.Schedules.ClaimSchedules(t.Context(), now, 3, func(_, _ string, after time.Time) (time.Time, error) {
						return after.Truncate(time.Minute).Add(time.Minute), nil
					}, func(_ context.Context, _ pgx.Tx, claimed []notice.Claimed) error {
						mu.Lock()
						defer mu.Unlock()
						for _, c := range claimed {
							claims[c]++
						}
						return nil
					})
					if err != nil {
						t.Error(err)
					}
					if taken == 0 {
						return
					}
				}
			})
		}
		all.Wait()
	}
	for c, times := range claims {
		if times != 1 {
			t.Errorf("%v was claimed %d times", c, times)
		}
	}
	if len(claims) != schedules*ticks {
		t.Errorf("%d occurrences were claimed, want %d", len(claims), schedules*ticks)
	}
}
