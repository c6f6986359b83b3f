package postgres

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"huiyin/feedback"
	"huiyin/internal/audit"
	"huiyin/internal/notice"
	"huiyin/internal/people"
)

// The two firms of the isolation test. All their ids are the same but their own; their texts are marked.
var (
	mine, theirs         = id(1), id(2)
	marked, markedTheirs = "MINE", "THEIRS"
)

// theirEvent is an event that has had its effect at the other firm. Here it may have one still.
const theirEvent = "slack:T:event"

// trial is a database to try a call on.
type trial struct {
	*testing.T
	*DB
}

// calls does one thing by every method of every port, for firm mine. What it gives is what was read.
var calls = map[string]func(w trial) (any, error){
	"People.Orgs":  func(w trial) (any, error) { return ofBoth(w.People.Orgs(w.Context())) },
	"People.OrgOf": func(w trial) (any, error) { return w.People.OrgOf(w.Context(), "slack", marked) },
	"People.CreateOrg": func(w trial) (any, error) {
		defer exec(w.T, w.DB, `delete from orgs where org_id = $1`, id(3))
		return nil, w.People.CreateOrg(w.Context(), people.Org{ID: id(3), Name: "new"})
	},
	"People.BindTenant": func(w trial) (any, error) {
		return nil, w.People.BindTenant(w.Context(), mine, "slack", "T9")
	},
	"People.Load": func(w trial) (any, error) {
		dir, err := w.People.Load(w.Context(), mine)
		if err != nil {
			return nil, err
		}
		return []any{dir.Org(), dir.People(), dir.Identities("slack"), dir.LastUsed(id(1001))}, nil
	},
	"People.Since": func(w trial) (any, error) {
		dir, err := w.People.Since(w.Context(), people.NewDirectory(people.Org{ID: mine}, 1, nil, nil))
		if err != nil {
			return nil, err
		}
		return []any{dir.Org(), dir.People(), dir.Identities("slack"), dir.LastUsed(id(1001))}, nil
	},
	"People.Apply": func(w trial) (any, error) {
		plan := staff(mine, 3)
		for _, p := range plan.Create {
			p.Name = "changed"
			plan.Update = append(plan.Update, people.Update{After: p})
		}
		plan.Create = nil
		plan.Identities[2].PersonID, plan.Identities[2].State = uuid.Nil, people.Unclaimed
		return nil, w.People.Apply(w.Context(), by(mine, theirEvent), plan)
	},
	"People.SaveIdentities": func(w trial) (any, error) {
		one := staff(mine, 3).Identities[1]
		one.State = people.Refused
		return nil, w.People.SaveIdentities(w.Context(), by(mine, theirEvent), []people.Identity{one})
	},
	"People.SaveSettings": func(w trial) (any, error) {
		return nil, w.People.SaveSettings(w.Context(), by(mine, theirEvent), id(1001), people.Settings{Digest: true})
	},
	"People.SaveLastUsed": func(w trial) (any, error) {
		return nil, w.People.SaveLastUsed(w.Context(), mine, people.Used{PersonID: id(1001), Platform: "feishu", At: noon.Add(time.Hour)})
	},
	"People.Following": func(w trial) (any, error) { return w.People.Following(w.Context(), mine) },
	"People.SaveFollowing": func(w trial) (any, error) {
		return nil, w.People.SaveFollowing(w.Context(), people.Following{OrgID: mine})
	},
	"People.TriedFollowing": func(w trial) (any, error) {
		return nil, w.People.TriedFollowing(w.Context(), people.Following{OrgID: mine, Platform: marked, TriedAt: noon})
	},

	"Feedback.InTx": func(w trial) (any, error) {
		return inTx(w, func(tx feedback.Tx) (any, error) { tx.SavePraise(praiseOf(mine, 99, 1001)); return nil, nil })
	},
	"Feedback.Praise":   func(w trial) (any, error) { return w.Feedback.Praise(w.Context(), mine, id(10)) },
	"Feedback.Note":     func(w trial) (any, error) { return w.Feedback.Note(w.Context(), mine, id(20)) },
	"Feedback.Ask":      func(w trial) (any, error) { return w.Feedback.Ask(w.Context(), mine, id(30)) },
	"Feedback.KeyEvent": func(w trial) (any, error) { return w.Feedback.KeyEvent(w.Context(), mine, id(40)) },
	"Feedback.Entries": func(w trial) (any, error) {
		var all []feedback.Entry
		for person := 1000; person < 1003; person++ {
			for _, side := range []feedback.Side{feedback.Received, feedback.Given, feedback.Events} {
				entries, _, err := w.Feedback.Entries(w.Context(), feedback.Query{OrgID: mine, Directory: 2, Person: id(person), Side: side, Limit: 100})
				if err != nil {
					return nil, err
				}
				all = append(all, entries...)
			}
		}
		if len(all) != 8 { // praise to two, note and answer from both ends, key event
			return nil, fmt.Errorf("there are %d entries, want 8", len(all))
		}
		return all, nil
	},
	"Feedback.Months": func(w trial) (any, error) {
		for side, want := range map[feedback.Side]int{feedback.Received: 1, feedback.Given: 2, feedback.Events: 1} {
			months, err := w.Feedback.Months(w.Context(), feedback.Query{OrgID: mine, Directory: 2, Person: id(1000), Side: side}, time.UTC)
			if err != nil || len(months) != 1 || months[0].Count != want {
				return nil, fmt.Errorf("the months of what was %s are %v (%w), want one with %d", side, months, err, want)
			}
		}
		return marked, nil
	},
	"Feedback.Waiting": func(w trial) (any, error) {
		notes, asks, err := w.Feedback.Waiting(w.Context(), mine, id(1001), 9)
		if len(notes) != 1 || len(asks) != 1 {
			return nil, fmt.Errorf("waiting are %d notes and %d asks (%w), want one of each", len(notes), len(asks), err)
		}
		return []any{notes, asks}, err
	},
	"Feedback.DueFollowUps": func(w trial) (any, error) {
		keys, err := w.Feedback.DueFollowUps(w.Context(), noon, 9)
		if diff := cmp.Diff([]feedback.NoteKey{{OrgID: mine, ID: id(20)}, {OrgID: theirs, ID: id(20)}}, keys, sortedBy(func(k feedback.NoteKey) uuid.UUID { return k.OrgID })); diff != "" {
			return nil, fmt.Errorf("the keys differ (%w): %s", err, diff)
		}
		return marked, err
	},
	"Feedback.Values": func(w trial) (any, error) { return w.Feedback.Values(w.Context(), mine) },
	"Feedback.SaveValues": func(w trial) (any, error) {
		return nil, w.Feedback.SaveValues(w.Context(), by(mine, theirEvent), []feedback.Value{})
	},

	"Tx.Praise": func(w trial) (any, error) {
		return inTx(w, func(tx feedback.Tx) (any, error) { return tx.Praise(w.Context(), id(10)) })
	},
	"Tx.Note": func(w trial) (any, error) {
		return inTx(w, func(tx feedback.Tx) (any, error) { return tx.Note(w.Context(), id(20)) })
	},
	"Tx.Ask": func(w trial) (any, error) {
		return inTx(w, func(tx feedback.Tx) (any, error) { return tx.Ask(w.Context(), id(30)) })
	},
	"Tx.KeyEvent": func(w trial) (any, error) {
		return inTx(w, func(tx feedback.Tx) (any, error) { return tx.KeyEvent(w.Context(), id(40)) })
	},
	"Tx.SavePraise": func(w trial) (any, error) {
		return inTx(w, func(tx feedback.Tx) (any, error) { tx.SavePraise(praiseOf(mine, 10, 1002)); return nil, nil })
	},
	"Tx.SaveNote": func(w trial) (any, error) {
		return inTx(w, func(tx feedback.Tx) (any, error) { tx.SaveNote(noteOf(mine, 20)); return nil, nil })
	},
	"Tx.SaveAsk": func(w trial) (any, error) {
		return inTx(w, func(tx feedback.Tx) (any, error) { tx.SaveAsk(askOf(mine, 30, 1002)); return nil, nil })
	},
	"Tx.SaveKeyEvent": func(w trial) (any, error) {
		return inTx(w, func(tx feedback.Tx) (any, error) { tx.SaveKeyEvent(keyEventOf(mine, 40)); return nil, nil })
	},
	"Tx.Tell": func(w trial) (any, error) {
		return inTx(w, func(tx feedback.Tx) (any, error) { tx.Tell(noticeOf(mine, 99, 1001)); return nil, nil })
	},
	"Tx.Log": func(w trial) (any, error) {
		return inTx(w, func(tx feedback.Tx) (any, error) { tx.Log(entryOf(mine, "x")); return nil, nil })
	},

	"Deliveries.HandOver": func(w trial) (any, error) {
		var got []notice.Notice
		_, err := w.Deliveries.HandOver(w.Context(), noon, 9, func(_ context.Context, _ pgx.Tx, notices []notice.Notice) error {
			got = notices
			return nil
		})
		return ofBoth(got, err)
	},
	"Deliveries.Delivery": func(w trial) (any, error) { return w.Deliveries.Delivery(w.Context(), mine, id(61)) },
	"Deliveries.SaveDelivery": func(w trial) (any, error) {
		return nil, w.Deliveries.SaveDelivery(w.Context(), notice.Delivery{Notice: noticeOf(mine, 61, 1001), State: notice.Skipped})
	},
	"Deliveries.SentAbout": func(w trial) (any, error) { return w.Deliveries.SentAbout(w.Context(), mine, id(1)) },
	"Deliveries.Release": func(w trial) (any, error) {
		n, err := w.Deliveries.Release(w.Context(), mine, id(1001), noon)
		if n != 1 {
			return nil, fmt.Errorf("%d notices were released (%w), want 1", n, err)
		}
		return nil, err
	},
	"Deliveries.ReleaseKnown": func(w trial) (any, error) {
		n, err := w.Deliveries.ReleaseKnown(w.Context(), noon, people.Confirmed)
		if n != 2 {
			return nil, fmt.Errorf("%d notices were released (%w), want one of each firm", n, err)
		}
		return marked, err
	},
	"Deliveries.Dead": func(w trial) (any, error) {
		dead, total, err := w.Deliveries.Dead(w.Context(), 9)
		if total != 2 {
			return nil, fmt.Errorf("%d are dead (%w), want 2", total, err)
		}
		return ofBoth(dead, err)
	},
	"Deliveries.Stats": func(w trial) (any, error) {
		stats, err := w.Deliveries.Stats(w.Context(), noon)
		if want := (notice.Stats{Waiting: 4, Held: 2, Dead: 2}); stats != want {
			return nil, fmt.Errorf("the figures of both firms are %+v (%w), want %+v", stats, err, want)
		}
		return marked, err
	},
	"Deliveries.Purge": func(w trial) (any, error) {
		// What is old goes at both firms, what is not stays at both.
		exec(w.T, w.DB, `insert into inbox select org_id, 'old', $1 from orgs`, noon.Add(-time.Hour))
		before := contents(w.T, w.DB, theirs)["inbox"]
		err := w.Deliveries.Purge(w.Context(), notice.Retention{Inbox: noon})
		if after := contents(w.T, w.DB, theirs)["inbox"]; err != nil || after == before || after == "" || strings.Contains(after, "old") {
			return nil, fmt.Errorf("after the purge the inbox of the other firm is %q (%w)", after, err)
		}
		return marked, nil
	},

	"Deliveries.Gather": func(w trial) (any, error) {
		together, ok, err := w.Deliveries.Gather(w.Context(), noticeOf(mine, 64, 1001), noon, noon.Add(time.Hour), 9)
		if !ok || len(together) != 1 {
			return nil, fmt.Errorf("gathered are %d (%v, %w), want 1", len(together), ok, err)
		}
		return nil, err
	},
	"Deliveries.Gathered": func(w trial) (any, error) {
		together, err := w.Deliveries.Gathered(w.Context(), noticeOf(mine, 65, 1001))
		if len(together) != 1 || together[0].OrgID != mine {
			return nil, fmt.Errorf("gathered are %v (%w), want one of the first firm", together, err)
		}
		return marked, err
	},

	"Quotas.Add": func(w trial) (any, error) {
		total, err := w.Quotas.Add(w.Context(), mine, marked, noon, 5)
		if total != 8 {
			return nil, fmt.Errorf("5 more calls are %d (%w), want 8", total, err)
		}
		return nil, err
	},
	"Quotas.Used": func(w trial) (any, error) {
		total, err := w.Quotas.Used(w.Context(), mine, marked, noon)
		if total != 3 {
			return nil, fmt.Errorf("calls are %d (%w), want 3", total, err)
		}
		return marked, err
	},

	"Schedules.EnsureSchedule": func(w trial) (any, error) {
		return nil, w.Schedules.EnsureSchedule(w.Context(), mine, "new", "", "UTC", noon)
	},
	"Schedules.ClaimSchedules": func(w trial) (any, error) {
		var rules []string
		var claimed []notice.Claimed
		_, err := w.Schedules.ClaimSchedules(w.Context(), noon, 1, func(rule, _ string, after time.Time) (time.Time, error) {
			rules = append(rules, rule)
			return after.Add(time.Hour), nil
		}, func(_ context.Context, _ pgx.Tx, all []notice.Claimed) error { claimed = all; return nil })
		if len(claimed) != 1 || claimed[0].OrgID != mine || !slices.Equal(rules, []string{marked}) {
			return nil, fmt.Errorf("claimed is %v by the rules %v (%w), want the one of the first firm", claimed, rules, err)
		}
		return nil, err
	},

	"Audit.List": func(w trial) (any, error) {
		return w.Audit.List(w.Context(), AuditQuery{OrgID: mine, Limit: 9})
	},
	"Audit.Head": func(w trial) (any, error) {
		head, err := w.Audit.Head(w.Context(), mine)
		if head.Seq != 1 {
			return nil, fmt.Errorf("the head is %d (%w), want 1", head.Seq, err)
		}
		return marked, err
	},
	"Audit.Verify": func(w trial) (any, error) {
		exec(w.T, w.DB, `update audit_log set act = 'x' where org_id = $1`, theirs)
		head, err := w.Audit.Verify(w.Context(), mine, Head{})
		exec(w.T, w.DB, `update audit_log set act = $2 where org_id = $1`, theirs, markedTheirs)
		if head.Seq != 1 {
			return nil, fmt.Errorf("the log holds together up to %d (%w), want 1", head.Seq, err)
		}
		return marked, err
	},
}

// forAll are the methods that are for every firm at once. Their calls see to it that the firms are not mixed up.
var forAll = []string{"People.Orgs", "Deliveries.HandOver", "Deliveries.Dead", "Deliveries.Purge", "Deliveries.ReleaseKnown"}

// ports are the types whose methods have to be isolated.
func ports() map[string]reflect.Type {
	return map[string]reflect.Type{
		"People": reflect.TypeFor[*People](), "Feedback": reflect.TypeFor[*Feedback](), "Tx": reflect.TypeFor[feedback.Tx](),
		"Deliveries": reflect.TypeFor[*Deliveries](), "Schedules": reflect.TypeFor[*Schedules](), "Quotas": reflect.TypeFor[*Quotas](), "Audit": reflect.TypeFor[*Audit](),
	}
}

func TestEveryMethodOfEveryPortIsIsolated(t *testing.T) {
	var methods []string
	for name, port := range ports() {
		for i := range port.NumMethod() {
			methods = append(methods, name+"."+port.Method(i).Name)
		}
	}
	slices.Sort(methods)
	if diff := cmp.Diff(methods, slices.Sorted(maps.Keys(calls))); diff != "" {
		t.Errorf("the methods of the ports (-) and those that are tried (+) differ:\n%s", diff)
	}
}

func TestNoMethodReadsOrWritesAnotherFirm(t *testing.T) {
	d := open(t)
	var here, there map[string]string
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			if here == nil || !cmp.Equal(here, contents(t, d, mine)) || !cmp.Equal(there, contents(t, d, theirs)) {
				exec(t, d, `truncate orgs, inbox, outbox, deliveries cascade`)
				occupy(t, d, mine, marked, "another event")
				occupy(t, d, theirs, markedTheirs, theirEvent)
				here, there = contents(t, d, mine), contents(t, d, theirs)
			}
			got, err := call(trial{t, d})
			if err != nil {
				t.Fatalf("%s gave %v", name, err)
			}
			read := fmt.Sprintf("%+v", got)
			if strings.Contains(read, markedTheirs) || strings.Contains(read, theirs.String()) {
				t.Errorf("%s read from the other firm: %s", name, read)
			}
			if got != nil && !strings.Contains(read, marked) {
				t.Errorf("%s read nothing of its own firm: %s", name, read)
			}
			if diff := cmp.Diff(there, contents(t, d, theirs)); diff != "" && !slices.Contains(forAll, name) {
				t.Errorf("%s wrote to the other firm:\n%s", name, diff)
			}
			if got == nil && name != "People.CreateOrg" && cmp.Equal(here, contents(t, d, mine)) {
				t.Errorf("%s wrote nothing to its own firm", name)
			}
		})
	}
}

// occupy fills every table of a firm. Ids are the same for every firm, texts carry the mark.
func occupy(t *testing.T, d *DB, org uuid.UUID, mark, event string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(d.People.CreateOrg(t.Context(), people.Org{ID: org, Name: mark, TimeZone: mark, Lang: mark}))
	must(d.People.BindTenant(t.Context(), org, "slack", mark))
	plan := staff(org, 3)
	for i := range plan.Create {
		plan.Create[i].Name = mark
		plan.Identities[i].Name = mark
	}
	must(d.People.Apply(t.Context(), people.Cause{OrgID: org, At: noon}, plan))
	must(d.People.SaveLastUsed(t.Context(), org, people.Used{PersonID: id(1001), Platform: mark, At: noon}))
	must(d.People.SaveFollowing(t.Context(), people.Following{OrgID: org, Platform: mark, Since: noon}))
	must(d.Feedback.SaveValues(t.Context(), people.Cause{OrgID: org, At: noon}, []feedback.Value{{Name: mark}, {NameEn: mark}}))
	must(d.Schedules.EnsureSchedule(t.Context(), org, "weekly", mark, "UTC", noon))
	for n, state := range map[int]notice.State{61: notice.Sent, 62: notice.Held, 63: notice.Dead, 64: notice.Waiting} {
		one := notice.Delivery{Notice: noticeOf(org, n, 1001), State: state, RefChannel: mark, RefID: "1", SentAt: noon, Fault: mark}
		must(d.Deliveries.SaveDelivery(t.Context(), one))
	}
	must(d.Deliveries.SaveDelivery(t.Context(), notice.Delivery{Notice: noticeOf(org, 65, 1001), State: notice.Waiting}))
	_, ok, err := d.Deliveries.Gather(t.Context(), noticeOf(org, 65, 1001), time.Time{}, noon.Add(time.Hour), 1)
	must(err)
	if !ok {
		t.Fatal("a nudge cannot lead a message")
	}
	must(d.Deliveries.SaveDelivery(t.Context(), notice.Delivery{Notice: noticeOf(org, 65, 1001), State: notice.Skipped}))
	calls, err := d.Quotas.Add(t.Context(), org, mark, noon, 3)
	must(err)
	if calls != 3 {
		t.Fatalf("the first calls of a firm are %d, want 3", calls)
	}
	p, n, a, k := praiseOf(org, 10, 1001, 1002), noteOf(org, 20), askOf(org, 30, 1001, 1002), keyEventOf(org, 40)
	p.Text, n.Text, a.About, k.Text = mark, mark, mark, mark
	n.NextFollowUp = noon
	a.Asked[1].Answer, a.Asked[1].AnsweredAt = mark, noon
	tell := noticeOf(org, 50, 0)
	tell.To, tell.Channel = uuid.Nil, notice.ChannelOn("slack", mark)
	write(t, d, by(org, event), func(tx feedback.Tx) {
		tx.SavePraise(p)
		tx.SaveNote(n)
		tx.SaveAsk(a)
		tx.SaveKeyEvent(k)
		tx.Tell(tell)
		tx.Log(audit.Entry{OrgID: org, At: noon, Act: mark})
	})
	for table, rows := range contents(t, d, org) {
		if rows == "" {
			t.Fatalf("table %s has no rows of the firm: the isolation test is not complete", table)
		}
	}
	drain(d)
}

func inTx(w trial, fn func(feedback.Tx) (any, error)) (any, error) {
	var got any
	cause := by(mine, theirEvent)
	cause.Directory = 2 // the same version at both firms
	err := w.Feedback.InTx(w.Context(), cause, func(tx feedback.Tx) (err error) {
		got, err = fn(tx)
		return err
	})
	return got, err
}

// ofBoth wants something of each firm, each marked as its own, and gives what is of mine.
func ofBoth[T any](all []T, err error) (any, error) {
	var own []T
	foreign := 0
	for _, one := range all {
		text := fmt.Sprintf("%+v", one)
		switch {
		case strings.Contains(text, mine.String()) && strings.Contains(text, marked) && !strings.Contains(text, markedTheirs):
			own = append(own, one)
		case strings.Contains(text, theirs.String()) && strings.Contains(text, markedTheirs) && !strings.Contains(text, marked):
			foreign++
		default:
			return nil, fmt.Errorf("something of a firm is marked as another's: %s", text)
		}
	}
	if len(own) == 0 || foreign != len(own) {
		return nil, fmt.Errorf("%d are of the one firm and %d of the other (%w), want as many of both", len(own), foreign, err)
	}
	return own, err
}

func sortedBy[T any](key func(T) uuid.UUID) cmp.Option {
	return cmp.Transformer("sorted", func(in []T) []T {
		return slices.SortedFunc(slices.Values(in), func(a, b T) int { x, y := key(a), key(b); return slices.Compare(x[:], y[:]) })
	})
}

// contents is every row of a firm as JSON, by table.
func contents(tb testing.TB, d *DB, orgID uuid.UUID) map[string]string {
	tb.Helper()
	found, err := d.pool.Query(tb.Context(), `select c.relname::text from pg_class c join pg_attribute a on a.attrelid = c.oid
		where `+ours+` and c.relkind = 'r' and a.attname = 'org_id'`)
	if err != nil {
		tb.Fatal(err)
	}
	tables, err := pgx.CollectRows(found, pgx.RowTo[string])
	if err != nil {
		tb.Fatal(err)
	}
	out := map[string]string{}
	for _, table := range tables {
		var text string
		err := d.pool.QueryRow(tb.Context(), `select coalesce(string_agg(to_jsonb(t)::text, e'\n' order by to_jsonb(t)::text), '') from `+table+` t where org_id = $1`, orgID).Scan(&text)
		if err != nil {
			tb.Fatal(err)
		}
		out[table] = text
	}
	return out
}
