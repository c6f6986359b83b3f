package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"huiyin/feedback"
	"huiyin/internal/fault"
	"huiyin/internal/people"
)

// gather gives all praises at the same time, so that they share statements as far as they can, and tells what became of each. waiting is how many of
// them can.
func gather(ctx context.Context, d *DB, all []*given, waiting int) []error {
	errs := make([]error, len(all))
	open := hold(d) //nolint:contextcheck // each waits with a context of its own
	var done sync.WaitGroup
	for i, one := range all {
		done.Go(func() { errs[i] = giveOne(ctx, d, one) })
	}
	await(d, waiting)
	open()
	done.Wait()
	return errs
}

// hold keeps all writers busy, so that praises wait, until open is called.
func hold(d *DB) (open func()) {
	g := &d.Feedback.praises
	g.mu.Lock()
	g.busy = writers
	g.mu.Unlock()
	return func() {
		for range writers {
			g.next()
		}
	}
}

// await returns when so many praises wait.
func await(d *DB, n int) {
	g := &d.Feedback.praises
	for waiting := -1; waiting != n; runtime.Gosched() {
		g.mu.Lock()
		waiting = len(g.waiting)
		g.mu.Unlock()
	}
}

func giveOne(ctx context.Context, d *DB, one *given) error {
	return d.Feedback.InTx(ctx, one.cause, func(tx feedback.Tx) error {
		tx.SavePraise(one.praise)
		tx.Tell(one.notices...)
		return nil
	})
}

func givenOf(orgID uuid.UUID, n int, event string, receivers ...int) *given {
	one := &given{cause: by(orgID, event), praise: praiseOf(orgID, n, receivers...)}
	for i, r := range receivers {
		m := noticeOf(orgID, 100*n+i, r)
		m.Subject = one.praise.ID
		one.notices = append(one.notices, m)
	}
	return one
}

func kindOf(err error) string {
	if f, ok := fault.Of(err); ok {
		return f.Kind.String() + " " + f.Key
	}
	if err != nil {
		return err.Error()
	}
	return "written"
}

// Every list of praises, with everything that can be wrong with one, gets the same verdicts and leaves the same rows whether the praises
// share statements or come one after the other.
func TestPraisesGivenTogetherMeanWhatTheyMeanOneByOne(t *testing.T) {
	together, single := open(t), open(t)
	orgs := []uuid.UUID{id(1), id(2)}
	var version int64
	for _, d := range []*DB{together, single} {
		for _, org := range orgs {
			version = firm(t, d, org, 6).Version()
		}
	}
	next := 10_000
	rapid.Check(t, func(r *rapid.T) {
		for _, d := range []*DB{together, single} {
			exec(t, d, "truncate inbox, praises, praise_receivers, outbox")
			for _, org := range orgs {
				write(t, d, by(org, "seed"), func(tx feedback.Tx) { tx.SavePraise(praiseOf(org, 1, 1001)) })
			}
		}
		text := rapid.SampledFrom([]string{"谢谢", "", `"`, `{"a",b}`, `\`, "NULL", " ", "a,b", "🎉\n", "'"})
		events := rapid.SampledFrom([]string{"a", "b", "c", "", "", "", "", ""}) // few, so that some come twice; "": one of its own
		var all []*given
		taken := false
		for range rapid.IntRange(2, 20).Draw(r, "many") {
			next++
			event := events.Draw(r, "event")
			if event == "" {
				event = fmt.Sprint(next)
			}
			one := givenOf(rapid.SampledFrom(orgs).Draw(r, "org"), next, event, rapid.SliceOfNDistinct(rapid.IntRange(1001, 1005), 1, 3, rapid.ID).Draw(r, "receivers")...)
			one.praise.Text, one.praise.Tags = text.Draw(r, "text"), rapid.SliceOfN(text, 0, 3).Draw(r, "tags")
			one.praise.Channel = rapid.SampledFrom([]string{"", "slack:C1"}).Draw(r, "channel")
			one.cause.Directory = rapid.SampledFrom([]int64{0, version, version}).Draw(r, "directory")
			switch rapid.SampledFrom([]string{"", "", "", "", "", "known", "outdated", "known and outdated", "stranger", "of a stranger", "text", "tag", "silent", "taken", "edited"}).Draw(r, "flaw") {
			case "known":
				one.cause.Event = "seed"
			case "outdated":
				one.cause.Directory = version + 1
			case "known and outdated":
				one.cause.Event, one.cause.Directory = "seed", version-1
			case "stranger":
				one.praise.Receivers = append(one.praise.Receivers, feedback.Receiver{PersonID: id(4040)})
				one.cause.Event = fmt.Sprint(next) // or it would depend on who is first what the other one is told
			case "of a stranger":
				one.praise.AuthorID, one.cause.Event = id(4040), fmt.Sprint(next)
			case "text":
				one.praise.Text, one.cause.Event = "a\x00b", fmt.Sprint(next)
			case "tag":
				one.praise.Tags, one.cause.Event = []string{"a\xe5\x9b"}, fmt.Sprint(next)
			case "silent":
				one.notices = nil
			case "taken":
				if !taken {
					taken, one.praise.ID, one.cause.Event = true, id(1), fmt.Sprint(next)
				}
			case "edited":
				one.praise.EditedAt = noon.Add(time.Hour) // it goes alone
			}
			all = append(all, one)
		}
		waiting := 0
		for _, one := range all {
			if one.praise.EditedAt.IsZero() {
				waiting++
			}
		}
		got := gather(t.Context(), together, all, waiting)
		// Which one of an event is first is up to chance. The one that was is the first here too.
		want := make([]error, len(all))
		for _, first := range []bool{true, false} {
			for i, one := range all {
				if (got[i] == nil) == first {
					want[i] = giveOne(t.Context(), single, one)
				}
			}
		}
		for i, one := range all {
			if kindOf(got[i]) != kindOf(want[i]) {
				r.Errorf("praise %d of %d (%+v) was told %q, want what it is told alone: %q", i, len(all), one.praise, kindOf(got[i]), kindOf(want[i]))
			}
		}
		for _, org := range orgs {
			a, b := contents(t, single, org), contents(t, together, org)
			delete(a, "orgs") // made at another time
			delete(b, "orgs")
			if diff := cmp.Diff(a, b); diff != "" {
				r.Errorf("what is written together (+) differs from what is written one by one (-):\n%s", diff)
			}
		}
	})
}

func TestGatheredPraisesCostOneRoundTrip(t *testing.T) {
	d, trips, _ := wired(t)
	org := id(1)
	firm(t, d, org, 4)
	next := 100
	many := func(n int) (all []*given) {
		for range n {
			next++
			all = append(all, givenOf(org, next, fmt.Sprint(next), 1001, 1002))
		}
		return all
	}
	for _, tt := range []struct{ praises, want int }{{10, 1}, {10, 1}, {gathered, 1}, {gathered + 5, 2}} { // the first of them prepares the statement
		before := trips.Load()
		for i, err := range gather(t.Context(), d, many(tt.praises), tt.praises) {
			if err != nil {
				t.Fatalf("praise %d: %v", i, err)
			}
		}
		if got := trips.Load() - before; next > 110 && int(got) != tt.want {
			t.Errorf("%d praises at once took %d round trips, want %d", tt.praises, got, tt.want)
		}
	}
	if n := rows(t, d, "praises"); n != next-100 {
		t.Errorf("%d praises are there, want %d", n, next-100)
	}
}

func TestWhoCannotWaitForOthersIsToldSo(t *testing.T) {
	d := open(t)
	org := id(1)
	firm(t, d, org, 2)
	open := hold(d)
	leaving, leave := context.WithCancel(t.Context())
	var left, stayed error
	var all, gone sync.WaitGroup
	gone.Go(func() { left = giveOne(leaving, d, givenOf(org, 1, "leaves", 1001)) })
	all.Go(func() { stayed = giveOne(t.Context(), d, givenOf(org, 2, "stays", 1001)) })
	await(d, 2)
	leave()
	gone.Wait()
	wantFault(t, "a praise that nobody waits for any more", left, fault.Unavailable)
	open()
	all.Wait()
	if stayed != nil || rows(t, d, "praises") != 1 {
		t.Errorf("the one who stayed was told %v and %d praises are there, want 1", stayed, rows(t, d, "praises"))
	}
	if err := giveOne(t.Context(), d, givenOf(org, 3, "leaves", 1001)); err != nil {
		t.Errorf("delivered again it gave %v", err)
	}
}

// The one whose statement runs leaves, and the others of that statement are written all the same.
func TestABatchOutlivesWhoeverLeavesIt(t *testing.T) {
	d := open(t)
	org := id(1)
	firm(t, d, org, 2)
	lock, err := d.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.Exec(t.Context(), "lock table outbox"); err != nil { // holds the statement up
		t.Fatal(err)
	}
	open := hold(d)
	leaving, leave := context.WithCancel(t.Context())
	var left, stayed error
	var all, gone sync.WaitGroup
	gone.Go(func() { left = giveOne(leaving, d, givenOf(org, 1, "leaves", 1001)) })
	all.Go(func() { stayed = giveOne(t.Context(), d, givenOf(org, 2, "stays", 1001)) })
	await(d, 2)
	open()
	for waits := false; !waits; {
		if err := lock.QueryRow(t.Context(), `select exists (select from pg_locks l join pg_database b on b.oid = l.database
			where b.datname = current_database() and not l.granted)`).Scan(&waits); err != nil {
			t.Fatal(err)
		}
	}
	leave()
	gone.Wait()
	wantFault(t, "a praise whose outcome is not known", left, fault.Unavailable)
	if err := lock.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	if stayed != nil || rows(t, d, "praises") != 2 {
		t.Errorf("the one who stayed was told %v and %d praises are there, want 2", stayed, rows(t, d, "praises"))
	}
	wantFault(t, "the one who left, delivered again,", giveOne(t.Context(), d, givenOf(org, 3, "leaves", 1001)), fault.Duplicate)
}

func TestABatchWithoutAnAnswerIsFoundOutByItsEvents(t *testing.T) {
	d, _, cut := wired(t)
	org := id(1)
	firm(t, d, org, 2)
	all := func(first int) (all []*given) {
		for i := range 5 {
			all = append(all, givenOf(org, first+i, fmt.Sprint(i), 1001))
		}
		return all
	}
	cut.Store(true)
	for i, err := range gather(t.Context(), d, all(10), 5) {
		wantFault(t, fmt.Sprintf("praise %d, whose answer was lost,", i), err, fault.Unavailable)
	}
	cut.Store(false)
	for i, err := range gather(t.Context(), d, all(20), 5) {
		if err != nil && !fault.Is(err, fault.Duplicate) {
			t.Errorf("praise %d delivered again gave %v", i, err)
		}
	}
	if n := rows(t, d, "praises"); n != 5 {
		t.Errorf("%d praises are there, want 5", n)
	}
}

// Whatever order people come and leave in, everyone is told something, a writer has a batch within bounds, and in the end nobody waits
// and all writers are free.
func TestNobodyIsForgottenInTheGathering(t *testing.T) {
	var written, running atomic.Int64
	g := &gathering{write: func(_ context.Context, batch []*given) error {
		if now := running.Add(1); now > writers || len(batch) < 2 || len(batch) > gathered {
			t.Errorf("writer %d got %d praises", now, len(batch))
		}
		defer running.Add(-1)
		seen := map[string]bool{}
		for _, one := range batch {
			if seen[one.cause.Event] {
				t.Errorf("event %s is twice in a batch", one.cause.Event)
			}
			seen[one.cause.Event] = true
		}
		runtime.Gosched()
		written.Add(int64(len(batch)))
		return nil
	}}
	var left, alone atomic.Int64
	const guests, visits = 100, 50
	var all sync.WaitGroup
	for i := range guests {
		all.Go(func() {
			for n := range visits {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				if n%4 == 0 {
					go cancel()
				}
				free, err := g.join(ctx, &given{cause: people.Cause{Event: fmt.Sprint(rand.IntN(guests / 2))}})
				switch {
				case free != nil:
					runtime.Gosched()
					alone.Add(1)
					free()
				case errors.Is(err, context.Canceled):
					left.Add(1)
				case err != nil:
					t.Errorf("guest %d was told %v", i, err)
				}
				cancel()
			}
		})
	}
	all.Wait()
	for done := false; !done; runtime.Gosched() {
		g.mu.Lock()
		done = g.busy == 0 && len(g.waiting) == 0
		g.mu.Unlock()
	}
	if sum := written.Load() + left.Load() + alone.Load(); written.Load() == 0 || sum < guests*visits {
		t.Errorf("%d were written together, %d left and %d went alone, of %d", written.Load(), left.Load(), alone.Load(), guests*visits)
	}
}
