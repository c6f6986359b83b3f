package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"huiyin/feedback"
	"huiyin/internal/fault"
	"huiyin/internal/people"
)

func TestAUnitOfWorkCostsAsManyRoundTripsAsItReads(t *testing.T) {
	d, trips, _ := wired(t)
	org := id(1)
	dir := firm(t, d, org, 3)
	write(t, d, by(org, "seed"), func(tx feedback.Tx) {
		tx.SavePraise(praiseOf(org, 1, 1001))
		tx.SaveNote(noteOf(org, 2))
	})
	next := 100
	tests := []struct {
		what string
		want int64
		do   func(tx feedback.Tx) error
	}{
		{"a new praise with its notices", 1, func(tx feedback.Tx) error {
			next++
			tx.SavePraise(praiseOf(org, next, 1001, 1002))
			tx.Tell(noticeOf(org, 1000+next, 1001), noticeOf(org, 2000+next, 1002))
			return nil
		}},
		{"a new ask and a key event", 1, func(tx feedback.Tx) error {
			next++
			tx.SaveAsk(askOf(org, next, 1001))
			tx.SaveKeyEvent(keyEventOf(org, next))
			tx.Tell(noticeOf(org, 1000+next, 1001))
			return nil
		}},
		{"a praise read, changed and told about", 2, func(tx feedback.Tx) error {
			next++
			p, err := tx.Praise(t.Context(), id(1))
			if err != nil {
				return err
			}
			tx.SavePraise(p)
			tx.Tell(noticeOf(org, 1000+next, 1001))
			return nil
		}},
		{"a new note with its audit entry", 2, func(tx feedback.Tx) error {
			next++
			tx.SaveNote(noteOf(org, next))
			tx.Log(entryOf(org, "note.written"))
			return nil
		}},
		{"a note read, changed and logged", 3, func(tx feedback.Tx) error {
			n, err := tx.Note(t.Context(), id(2))
			if err != nil {
				return err
			}
			tx.SaveNote(n)
			tx.Log(entryOf(org, "note.edited"))
			return nil
		}},
	}
	for _, tt := range tests {
		t.Run(tt.what, func(t *testing.T) {
			for _, prepared := range []bool{false, true} {
				cause := by(org, fmt.Sprint(tt.what, prepared))
				cause.Directory = dir.Version()
				before := trips.Load()
				if err := d.Feedback.InTx(t.Context(), cause, tt.do); err != nil {
					t.Fatal(err)
				}
				if got := trips.Load() - before; prepared && got != tt.want {
					t.Errorf("%s took %d round trips, want %d", tt.what, got, tt.want)
				}
			}
		})
	}
	before := trips.Load()
	q := feedback.Query{OrgID: org, Directory: dir.Version(), Person: id(1001), Side: feedback.Received, Limit: 5}
	for range 2 {
		before = trips.Load()
		if _, _, err := d.Feedback.Entries(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	if got := trips.Load() - before; got != 1 {
		t.Errorf("a page of entries took %d round trips, want 1", got)
	}
	for range 2 {
		before = trips.Load()
		if _, err := d.People.Since(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
	}
	if got := trips.Load() - before; got != 1 {
		t.Errorf("asking what changed in a directory took %d round trips, want 1", got)
	}
}

func TestAUnitOfWorkWhoseLastStatementFailsLeavesNothing(t *testing.T) {
	org, stranger := id(1), 4040
	reads := func(tx feedback.Tx) error {
		_, err := tx.Praise(t.Context(), id(1))
		return err
	}
	tests := []struct {
		what string
		do   func(tx feedback.Tx) error
	}{
		{"a praise written in one statement", func(tx feedback.Tx) error {
			tx.SavePraise(praiseOf(org, 10, stranger))
			tx.Tell(noticeOf(org, 11, 1001))
			return nil
		}},
		{"writes that travel together", func(tx feedback.Tx) error {
			tx.SavePraise(praiseOf(org, 10, 1001))
			tx.SaveAsk(askOf(org, 11, 1001))
			tx.SavePraise(praiseOf(org, 12, stranger))
			return nil
		}},
		{"writes after a read", func(tx feedback.Tx) error {
			if err := reads(tx); err != nil {
				return err
			}
			tx.SavePraise(praiseOf(org, 10, 1001))
			tx.SaveAsk(askOf(org, 11, 1001))
			tx.SavePraise(praiseOf(org, 12, stranger))
			return nil
		}},
		{"writes before a read", func(tx feedback.Tx) error {
			tx.SavePraise(praiseOf(org, 10, 1001))
			tx.SavePraise(praiseOf(org, 12, stranger))
			if err := reads(tx); err == nil {
				return errors.New("the read after a broken write succeeded")
			}
			return nil // even when fn does not mind
		}},
		{"writes with an audit entry", func(tx feedback.Tx) error {
			tx.SavePraise(praiseOf(org, 12, stranger))
			tx.Log(entryOf(org, "praise.given"))
			return nil
		}},
	}
	for _, tt := range tests {
		t.Run(tt.what, func(t *testing.T) {
			t.Parallel()
			d := open(t)
			firm(t, d, org, 2)
			write(t, d, by(org, ""), func(tx feedback.Tx) { tx.SavePraise(praiseOf(org, 1, 1001)) })
			before := contents(t, d, org)
			wantFault(t, tt.what, d.Feedback.InTx(t.Context(), by(org, "event"), tt.do), fault.NotFound)
			if diff := cmp.Diff(before, contents(t, d, org)); diff != "" {
				t.Errorf("it left something behind:\n%s", diff)
			}
		})
	}
}

func TestAUnitOfWorkThatFnRefusesLeavesNothing(t *testing.T) {
	d := open(t)
	org := id(1)
	firm(t, d, org, 2)
	write(t, d, by(org, ""), func(tx feedback.Tx) { tx.SavePraise(praiseOf(org, 1, 1001)) })
	before := contents(t, d, org)
	refusal := fault.New(fault.Conflict, "feedback.change.late")
	err := d.Feedback.InTx(t.Context(), by(org, "event"), func(tx feedback.Tx) error {
		if _, err := tx.Praise(t.Context(), id(1)); err != nil {
			return err
		}
		tx.SavePraise(praiseOf(org, 2, 1001))
		return refusal
	})
	if !errors.Is(err, refusal) {
		t.Errorf("the error is %v, want the one that fn gave", err)
	}
	if diff := cmp.Diff(before, contents(t, d, org)); diff != "" {
		t.Errorf("it left something behind:\n%s", diff)
	}
	// The event has had no effect, so it may still have one.
	write(t, d, by(org, "event"), func(tx feedback.Tx) { tx.SavePraise(praiseOf(org, 2, 1001)) })
}

func TestAnEventHasItsEffectOnce(t *testing.T) {
	d := open(t)
	org := id(1)
	firm(t, d, org, 2)
	give := func(n int, event string) error {
		return d.Feedback.InTx(t.Context(), by(org, event), func(tx feedback.Tx) error {
			tx.SavePraise(praiseOf(org, n, 1001))
			tx.Tell(noticeOf(org, 100+n, 1001))
			return nil
		})
	}
	var all sync.WaitGroup
	var done, duplicates atomic.Int64
	for i := range 16 { // the same event, delivered sixteen times at once
		all.Go(func() {
			err := give(10+i, "slack:T1:1")
			switch {
			case err == nil:
				done.Add(1)
			case fault.Is(err, fault.Duplicate):
				duplicates.Add(1)
			default:
				t.Errorf("delivery %d gave %v", i, err)
			}
		})
	}
	all.Wait()
	if done.Load() != 1 || duplicates.Load() != 15 || rows(t, d, "praises") != 1 || rows(t, d, "outbox") != 1 {
		t.Errorf("%d deliveries had an effect and %d were duplicates; %d praises and %d notices are there; want 1, 15, 1 and 1",
			done.Load(), duplicates.Load(), rows(t, d, "praises"), rows(t, d, "outbox"))
	}
	if err := give(50, "slack:T1:2"); err != nil {
		t.Errorf("another event gave %v", err)
	}
	for range 2 {
		if err := d.Feedback.InTx(t.Context(), by(org, ""), func(tx feedback.Tx) error { tx.SaveKeyEvent(keyEventOf(org, 60)); return nil }); err != nil {
			t.Errorf("a write without an event gave %v", err)
		}
	}
}

func TestAWriteDecidedOnAnOutdatedDirectoryIsRefused(t *testing.T) {
	d := open(t)
	org := id(1)
	old := firm(t, d, org, 2)
	if err := d.People.SaveSettings(t.Context(), by(org, ""), id(1001), people.Settings{Lang: "en"}); err != nil {
		t.Fatal(err)
	}
	now, err := d.People.Since(t.Context(), old)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]func(tx feedback.Tx) error{
		"a praise": func(tx feedback.Tx) error { tx.SavePraise(praiseOf(org, 1, 1001)); return nil },
		"an ask":   func(tx feedback.Tx) error { tx.SaveAsk(askOf(org, 2, 1001)); return nil },
		"a read": func(tx feedback.Tx) error {
			if _, err := tx.Ask(t.Context(), id(2)); err != nil && !fault.Is(err, fault.Stale) {
				return err
			}
			return nil
		},
	}
	for what, do := range tests {
		cause := by(org, "event")
		cause.Directory = old.Version()
		wantFault(t, what+" on the old directory", d.Feedback.InTx(t.Context(), cause, do), fault.Stale)
		cause.Directory = now.Version() + 1
		wantFault(t, what+" on a directory of the future", d.Feedback.InTx(t.Context(), cause, do), fault.Stale)
	}
	wantFault(t, "saving values on the old directory", d.Feedback.SaveValues(t.Context(), people.Cause{OrgID: org, Directory: old.Version()}, nil), fault.Stale)
	if n := rows(t, d, "praises") + rows(t, d, "asks") + rows(t, d, "inbox"); n != 0 {
		t.Errorf("refused writes left %d rows", n)
	}
	cause := by(org, "event")
	cause.Directory = now.Version()
	write(t, d, cause, func(tx feedback.Tx) { tx.SavePraise(praiseOf(org, 1, 1001)) })
}

func TestACommitWithoutAnAnswerIsFoundOutByItsEvent(t *testing.T) {
	d, _, cut := wired(t)
	org := id(1)
	firm(t, d, org, 2)
	give := func(n int, event string) error {
		return d.Feedback.InTx(t.Context(), by(org, event), func(tx feedback.Tx) error {
			tx.SavePraise(praiseOf(org, n, 1001))
			return nil
		})
	}
	if err := give(1, "first"); err != nil {
		t.Fatal(err)
	}
	cut.Store(true)
	wantFault(t, "a praise whose answer was lost", give(2, "second"), fault.Unavailable)
	cut.Store(false)
	err := give(3, "second")
	if n := rows(t, d, "praises"); err != nil && !fault.Is(err, fault.Duplicate) || n != 2 {
		t.Errorf("delivered again it gave %v and there are %d praises, want 2", err, n)
	}
}

func TestTwoWhoThankAtOnceAreBothHeard(t *testing.T) {
	d := open(t)
	org := id(1)
	firm(t, d, org, 21)
	var receivers []int
	for n := range 20 {
		receivers = append(receivers, 1001+n)
	}
	write(t, d, by(org, ""), func(tx feedback.Tx) { tx.SavePraise(praiseOf(org, 1, receivers...)) })
	var all sync.WaitGroup
	for _, r := range receivers {
		all.Go(func() {
			err := d.Feedback.InTx(t.Context(), by(org, fmt.Sprint(r)), func(tx feedback.Tx) error {
				p, err := tx.Praise(t.Context(), id(1))
				if err != nil {
					return err
				}
				_, err = p.Thank(id(r), noon)
				tx.SavePraise(p)
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	p, err := d.Feedback.Praise(t.Context(), org, id(1))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range p.Receivers {
		if !r.ThankedAt.Equal(noon) {
			t.Errorf("the thanks of %s are lost", r.PersonID)
		}
	}
}

// Two units of work lock two praises crosswise. Postgres gives one of them up after a second; it runs again and both succeed.
func TestAUnitOfWorkGivenUpForADeadlockRunsAgain(t *testing.T) {
	d := open(t)
	org := id(1)
	firm(t, d, org, 2)
	write(t, d, by(org, ""), func(tx feedback.Tx) {
		tx.SavePraise(praiseOf(org, 1, 1001))
		tx.SavePraise(praiseOf(org, 2, 1001))
	})
	var runs atomic.Int64
	var both sync.WaitGroup
	both.Add(2)
	over := map[string]chan struct{}{"a": make(chan struct{}), "b": make(chan struct{})}
	cross := func(event, other string, first, second int) error {
		defer close(over[event])
		run := 0
		return d.Feedback.InTx(t.Context(), by(org, event), func(tx feedback.Tx) error {
			runs.Add(1)
			if run++; run > 1 {
				<-over[other] // or they could meet again
			}
			p, err := tx.Praise(t.Context(), id(first))
			if err != nil {
				return err
			}
			if run == 1 {
				both.Done()
				both.Wait()
			}
			if _, err := tx.Praise(t.Context(), id(second)); err != nil {
				return err
			}
			p.Text = event
			tx.SavePraise(p)
			return nil
		})
	}
	errs := make([]error, 2)
	var all sync.WaitGroup
	all.Go(func() { errs[0] = cross("a", "b", 1, 2) })
	all.Go(func() { errs[1] = cross("b", "a", 2, 1) })
	all.Wait()
	if err := errors.Join(errs...); err != nil || runs.Load() != 3 {
		t.Errorf("after %d runs the error is %v, want 3 runs and none", runs.Load(), err)
	}
	for n, text := range map[int]string{1: "a", 2: "b"} {
		if p, err := d.Feedback.Praise(t.Context(), org, id(n)); err != nil || p.Text != text {
			t.Errorf("praise %d says %q (%v), want %q", n, p.Text, err, text)
		}
	}
}

func TestADatabaseThatIsAwayIsUnavailable(t *testing.T) {
	d := open(t)
	org := id(1)
	dir := firm(t, d, org, 2)
	tries := map[string]func(ctx context.Context) error{
		"a praise": func(ctx context.Context) error {
			return d.Feedback.InTx(ctx, by(org, "e"), func(tx feedback.Tx) error { tx.SavePraise(praiseOf(org, 1, 1001)); return nil })
		},
		"a note that is read": func(ctx context.Context) error {
			return d.Feedback.InTx(ctx, by(org, "e"), func(tx feedback.Tx) error { _, err := tx.Note(ctx, id(2)); return err })
		},
		"a list": func(ctx context.Context) error {
			_, _, err := d.Feedback.Entries(ctx, feedback.Query{OrgID: org, Person: id(1000), Side: feedback.Given, Limit: 1})
			return err
		},
		"a directory": func(ctx context.Context) error { _, err := d.People.Since(ctx, dir); return err },
		"a ping":      d.Ping,
		"readiness":   d.Ready,
		"a hand-over": func(ctx context.Context) error { _, err := d.Deliveries.HandOver(ctx, noon, 1, nil); return err },
	}
	for what, try := range tries {
		ended, end := context.WithCancel(t.Context())
		end()
		wantFault(t, what+" for nobody who waits", try(ended), fault.Unavailable)
	}
	nowhere, err := Open(t.Context(), "postgres:///nothing?host="+t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer nowhere.Close()
	wantFault(t, "a server that is not there", nowhere.Ping(t.Context()), fault.Unavailable)
	wantFault(t, "a praise to a server that is not there", nowhere.Feedback.InTx(t.Context(), by(org, "e"), func(tx feedback.Tx) error {
		tx.SavePraise(praiseOf(org, 1, 1001))
		return nil
	}), fault.Unavailable)
}

// A server that restarts ends its sessions with 57P01. The pool finds the ends of broken connections one by one.
func TestAUnitOfWorkSurvivesTheEndOfAllSessions(t *testing.T) {
	d := open(t)
	org := id(1)
	firm(t, d, org, 2)
	for n := range 20 {
		exec(t, d, `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`)
		for {
			err := d.Feedback.InTx(t.Context(), by(org, fmt.Sprint(n)), func(tx feedback.Tx) error {
				tx.SavePraise(praiseOf(org, 100+n, 1001))
				return nil
			})
			if err == nil || fault.Is(err, fault.Duplicate) {
				break
			}
			if !fault.Is(err, fault.Unavailable) {
				t.Fatalf("the error is %v, want a fault of kind unavailable", err)
			}
		}
	}
	if n := rows(t, d, "praises"); n != 20 {
		t.Errorf("%d praises are there, want 20", n)
	}
}

func TestWhatIsOfAnotherFirmIsRefused(t *testing.T) {
	d := open(t)
	mine, other := id(1), id(2)
	firm(t, d, mine, 2)
	firm(t, d, other, 2)
	before := contents(t, d, other)
	writes := map[string]func(tx feedback.Tx){
		"praise":    func(tx feedback.Tx) { tx.SavePraise(praiseOf(other, 1, 1001)) },
		"note":      func(tx feedback.Tx) { tx.SaveNote(noteOf(other, 1)) },
		"ask":       func(tx feedback.Tx) { tx.SaveAsk(askOf(other, 1, 1001)) },
		"key event": func(tx feedback.Tx) { tx.SaveKeyEvent(keyEventOf(other, 1)) },
		"notice":    func(tx feedback.Tx) { tx.Tell(noticeOf(other, 1, 1001)) },
		"entry":     func(tx feedback.Tx) { tx.Log(entryOf(other, "x")) },
		"praise of nobody": func(tx feedback.Tx) {
			p := praiseOf(mine, 1, 1001)
			p.OrgID = uuid.Nil
			tx.SavePraise(p)
		},
	}
	for what, do := range writes {
		if err := d.Feedback.InTx(t.Context(), by(mine, what), func(tx feedback.Tx) error { do(tx); return nil }); err == nil {
			t.Errorf("a %s of another firm was taken", what)
		}
	}
	if diff := cmp.Diff(before, contents(t, d, other)); diff != "" {
		t.Errorf("the other firm changed:\n%s", diff)
	}
	if n := rows(t, d, "inbox"); n != 0 {
		t.Errorf("refused units of work left %d events", n)
	}
}
