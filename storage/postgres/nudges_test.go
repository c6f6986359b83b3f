package postgres

import (
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"huiyin/internal/notice"
)

func nudgeOf(orgID uuid.UUID, n, to int) notice.Notice {
	one := noticeOf(orgID, n, to)
	one.Kind, one.Subject = notice.NoteFollowUp, id(100+n)
	return one
}

// handOver makes deliveries of all that is due.
func handOver(tb testing.TB, d *DB) {
	tb.Helper()
	if _, err := d.Deliveries.HandOver(tb.Context(), noon, 1000, accept); err != nil {
		tb.Fatalf("handing over: %v", err)
	}
}

func collect(tb testing.TB, d *DB, n notice.Notice, since time.Time, most int) ([]notice.Notice, bool) {
	tb.Helper()
	together, ok, err := d.Deliveries.Gather(tb.Context(), n, noon, since, most)
	if err != nil {
		tb.Fatalf("gathering: %v", err)
	}
	return together, ok
}

func TestANudgeTakesAlongWhatElseWaitsForItsPerson(t *testing.T) {
	d := open(t)
	org := id(1)
	firm(t, d, org, 3)
	lead, waits, theirs, receipt, early, outside := nudgeOf(org, 1, 1001), nudgeOf(org, 2, 1001), nudgeOf(org, 3, 1002), noticeOf(org, 4, 1001), nudgeOf(org, 5, 1001), nudgeOf(org, 6, 1001)
	early.Due = noon.Add(time.Minute)
	tell(t, d, org, lead, waits, theirs, receipt, early)
	handOver(t, d)
	tell(t, d, org, outside) // due, and not handed over yet
	together, ok := collect(t, d, lead, noon, 9)
	if diff := cmp.Diff([]notice.Notice{lead, waits, outside}, together); !ok || diff != "" {
		t.Errorf("gathered is something else (%v):\n%s", ok, diff)
	}
	again, ok := collect(t, d, lead, noon, 9)
	if diff := cmp.Diff(together, again); !ok || diff != "" {
		t.Errorf("gathering again gives something else (%v):\n%s", ok, diff)
	}
	kept, err := d.Deliveries.Gathered(t.Context(), lead)
	if diff := cmp.Diff(together, kept); err != nil || diff != "" {
		t.Errorf("what was gathered reads as something else (%v):\n%s", err, diff)
	}
	for _, c := range []struct {
		notice.Notice
		state  notice.State
		leader uuid.UUID
	}{{lead, notice.Waiting, lead.ID}, {waits, notice.Skipped, lead.ID}, {outside, notice.Skipped, lead.ID}, {theirs, notice.Waiting, uuid.Nil}, {receipt, notice.Waiting, uuid.Nil}} {
		got, err := d.Deliveries.Delivery(t.Context(), org, c.ID)
		if err != nil || got.State != c.state || got.Leader != c.leader {
			t.Errorf("delivery %s is %s and led by %s (%v), want %s and %s", c.ID, got.State, got.Leader, err, c.state, c.leader)
		}
	}
	if n := rows(t, d, "outbox"); n != 1 {
		t.Errorf("%d notices are left in the outbox, want the one that is not due", n)
	}
}

func TestOneMessageOfNudgesAtATimeAndOneSinceThen(t *testing.T) {
	d := open(t)
	org := id(1)
	firm(t, d, org, 2)
	lead, late := nudgeOf(org, 1, 1001), nudgeOf(org, 2, 1001)
	tell(t, d, org, lead)
	handOver(t, d)
	collect(t, d, lead, noon, 9)
	tell(t, d, org, late)
	handOver(t, d)
	refused := func(why string) {
		t.Helper()
		if together, ok := collect(t, d, late, noon, 9); ok {
			t.Errorf("%s a nudge leads a message of its own: %v", why, together)
		}
	}
	refused("while another leads one")
	save := func(state notice.State, sent time.Time) {
		t.Helper()
		if err := d.Deliveries.SaveDelivery(t.Context(), notice.Delivery{Notice: lead, State: state, SentAt: sent, RefChannel: "D1", RefID: "1"}); err != nil {
			t.Fatal(err)
		}
	}
	save(notice.Sending, time.Time{})
	refused("while another may have been sent")
	save(notice.Sent, noon)
	refused("after one since then")
	save(notice.Sent, noon.Add(-time.Second))
	if together, ok := collect(t, d, late, noon, 9); !ok || len(together) != 1 {
		t.Errorf("a new day's nudge gathers %d (%v), want itself", len(together), ok)
	}
	if _, ok := collect(t, d, nudgeOf(org, 9, 1001), noon, 9); ok {
		t.Error("a nudge that is not there leads a message")
	}
}

func TestAMessageOfNudgesIsAboutTheSubjectsOfAll(t *testing.T) {
	d := open(t)
	org := id(1)
	firm(t, d, org, 2)
	lead, part, alone := nudgeOf(org, 1, 1001), nudgeOf(org, 2, 1001), noticeOf(org, 3, 1001)
	tell(t, d, org, lead, part, alone)
	handOver(t, d)
	collect(t, d, lead, noon, 9)
	for _, n := range []notice.Notice{lead, alone} {
		if err := d.Deliveries.SaveDelivery(t.Context(), notice.Delivery{Notice: n, State: notice.Sent, SentAt: noon, RefChannel: "D1", RefID: "1"}); err != nil {
			t.Fatal(err)
		}
	}
	for subject, want := range map[uuid.UUID]uuid.UUID{lead.Subject: lead.ID, part.Subject: lead.ID, alone.Subject: alone.ID} {
		about, err := d.Deliveries.SentAbout(t.Context(), org, subject)
		if err != nil || len(about) != 1 || about[0].ID != want {
			t.Errorf("the messages about %s are %v (%v), want %s", subject, about, err, want)
		}
	}
}

func TestOfManyWhoGatherAtOnceOneLeadsAndTheRestJoin(t *testing.T) {
	d := open(t)
	org := id(1)
	firm(t, d, org, 2)
	var all []notice.Notice
	for n := range 8 {
		all = append(all, nudgeOf(org, n+1, 1001))
	}
	tell(t, d, org, all...)
	handOver(t, d)
	var together sync.WaitGroup
	var mu sync.Mutex
	sizes := map[int]int{}
	for _, n := range all {
		together.Go(func() {
			got, ok, err := d.Deliveries.Gather(t.Context(), n, noon, noon, 9)
			if err != nil {
				t.Errorf("gathering: %v", err)
			}
			if ok {
				mu.Lock()
				defer mu.Unlock()
				sizes[len(got)]++
			}
		})
	}
	together.Wait()
	if diff := cmp.Diff(map[int]int{8: 1}, sizes); diff != "" {
		t.Errorf("messages by size differ (-want +got):\n%s", diff)
	}
}

func TestAMessageHoldsSoManyAndTheRestWait(t *testing.T) {
	d := open(t)
	org := id(1)
	firm(t, d, org, 2)
	var all []notice.Notice
	for n := range 6 {
		all = append(all, nudgeOf(org, n+1, 1001))
	}
	tell(t, d, org, all[:3]...)
	handOver(t, d)
	tell(t, d, org, all[3:]...)
	for range 2 {
		if got, ok := collect(t, d, all[0], noon, 4); !ok || len(got) != 4 {
			t.Errorf("gathered are %d (%v), want 4", len(got), ok)
		}
	}
	if n := rows(t, d, "outbox"); n != 2 {
		t.Errorf("%d notices are left in the outbox, want 2", n)
	}
}

func TestCallsAreCountedByMonth(t *testing.T) {
	d := open(t)
	org := id(1)
	firm(t, d, org, 1)
	shanghai := time.FixedZone("CST", 8*3600)
	last := time.Date(2026, 11, 30, 23, 0, 0, 0, shanghai)
	for _, c := range []struct {
		day  time.Time
		n    int64
		want int64
	}{{last, 5, 5}, {last.Add(-20 * 24 * time.Hour), 2, 7}, {last.Add(2 * time.Hour), 3, 3}, {last, 0, 7}} {
		if got, err := d.Quotas.Add(t.Context(), org, "dingtalk", c.day, c.n); err != nil || got != c.want {
			t.Errorf("%d more calls on %s are %d (%v), want %d", c.n, c.day, got, err, c.want)
		}
	}
	for platform, want := range map[string]int64{"dingtalk": 7, "feishu": 0} {
		if got, err := d.Quotas.Used(t.Context(), org, platform, last); err != nil || got != want {
			t.Errorf("the calls of %s are %d (%v), want %d", platform, got, err, want)
		}
	}
	if err := d.Deliveries.Purge(t.Context(), notice.Retention{Calls: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}); err != nil || rows(t, d, "api_calls") != 1 {
		t.Errorf("after the purge (%v) %d months are left, want 1", err, rows(t, d, "api_calls"))
	}
}
