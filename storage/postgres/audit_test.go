package postgres

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"huiyin/feedback"
	"huiyin/internal/audit"
)

// log writes n entries, two in each unit of work.
func log(tb testing.TB, d *DB, orgID uuid.UUID, n int) {
	tb.Helper()
	for i := 0; i < n; i += 2 {
		write(tb, d, by(orgID, ""), func(tx feedback.Tx) {
			tx.Log(entryOf(orgID, fmt.Sprintf("note.%d", i)))
			if i+1 < n {
				e := audit.Entry{OrgID: orgID, At: noon, Act: fmt.Sprintf("note.%d", i+1)} // by the product itself, about nobody
				tx.Log(e)
			}
		})
	}
}

func TestTheAuditLogListsWhatWasLogged(t *testing.T) {
	d := open(t)
	org := id(1)
	firm(t, d, org, 2)
	log(t, d, org, 5)
	got, err := d.Audit.List(t.Context(), AuditQuery{OrgID: org, Limit: 2})
	if err != nil {
		t.Fatal(err)
	}
	first, second := entryOf(org, "note.4"), audit.Entry{OrgID: org, At: noon, Act: "note.3"}
	first.Seq, second.Seq = 5, 4
	if diff := cmp.Diff([]audit.Entry{first, second}, got); diff != "" {
		t.Errorf("the newest two differ:\n%s", diff)
	}
	got, err = d.Audit.List(t.Context(), AuditQuery{OrgID: org, About: id(1001), Before: 5, Limit: 9})
	if err != nil || len(got) != 2 || got[0].Seq != 3 || got[1].Seq != 1 {
		t.Errorf("older ones about a person are %v (%v), want the entries 3 and 1", got, err)
	}
}

func TestAnEntryOnlyStaysWithItsDeed(t *testing.T) {
	d := open(t)
	org := id(1)
	firm(t, d, org, 2)
	log(t, d, org, 1)
	err := d.Feedback.InTx(t.Context(), by(org, "e"), func(tx feedback.Tx) error {
		tx.SavePraise(praiseOf(org, 1, 4040))
		tx.Log(entryOf(org, "praise.given"))
		return nil
	})
	if head, _ := d.Audit.Head(t.Context(), org); err == nil || head.Seq != 1 {
		t.Errorf("a deed that was refused (%v) left the log at entry %d, want 1", err, head.Seq)
	}
}

func TestManyAtOnceMakeOneChain(t *testing.T) {
	d := open(t)
	for org := 1; org <= 2; org++ {
		firm(t, d, id(org), 2)
	}
	var all sync.WaitGroup
	for range 8 {
		for org := 1; org <= 2; org++ {
			all.Go(func() { log(t, d, id(org), 20) })
		}
	}
	all.Wait()
	for org := 1; org <= 2; org++ {
		head, err := d.Audit.Verify(t.Context(), id(org), Head{})
		if err != nil || head.Seq != 160 {
			t.Errorf("the log of firm %d holds together up to entry %d (%v), want 160", org, head.Seq, err)
		}
	}
}

func TestEveryChangeOfTheAuditLogIsFound(t *testing.T) {
	const columns = "org_id, seq, at, actor_id, act, subject, about_id, detail, previous, hash"
	tests := []struct {
		what   string
		change string
		seq    int64
		reason Break
	}{
		{"nothing", `select`, 0, ""},
		{"another act", `update audit_log set act = 'note.x' where seq = 3`, 3, Altered},
		{"another actor", `update audit_log set actor_id = subject where seq = 3`, 3, Altered},
		{"another person", `update audit_log set about_id = null where seq = 3`, 3, Altered},
		{"another subject", `update audit_log set subject = actor_id where seq = 3`, 3, Altered},
		{"another detail", `update audit_log set detail = '{"n": "4", "state": "open"}' where seq = 3`, 3, Altered},
		{"another time", `update audit_log set at = at + interval '1 microsecond' where seq = 3`, 3, Altered},
		{"another hash", `update audit_log set hash = previous where seq = 3`, 3, Altered},
		{"another link", `update audit_log set previous = hash where seq = 3`, 3, Unlinked},
		{"the first entry deleted", `delete from audit_log where seq = 1`, 1, Missing},
		{"an entry deleted", `delete from audit_log where seq = 3`, 3, Missing},
		{"an entry deleted and the rest moved up", `delete from audit_log where seq = 3; update audit_log set seq = -seq where seq > 3; update audit_log set seq = -seq - 1 where seq < 0`, 3, Unlinked},
		{"an entry inserted", `update audit_log set seq = -seq where seq >= 3; update audit_log set seq = -seq + 1 where seq < 0;
			insert into audit_log (` + columns + `) select org_id, 3, at, actor_id, 'note.x', subject, about_id, detail, hash, sha256('x') from audit_log where seq = 2`, 3, Altered},
		{"two entries in the other order", `update audit_log set seq = -seq where seq in (3, 4); update audit_log set seq = 7 + seq where seq < 0`, 3, Unlinked},
		{"the tail cut", `delete from audit_log where seq > 4`, 5, Missing},
		{"everything deleted", `delete from audit_log`, 1, Missing},
	}
	for _, tt := range tests {
		t.Run(tt.what, func(t *testing.T) {
			t.Parallel()
			d := open(t)
			org := id(1)
			firm(t, d, org, 2)
			log(t, d, org, 6)
			anchor, err := d.Audit.Head(t.Context(), org)
			if err != nil {
				t.Fatal(err)
			}
			log(t, d, org, 2)
			if tt.what == "the tail cut" {
				if _, err := d.pool.Exec(t.Context(), `delete from audit_log where seq > 6`); err != nil {
					t.Fatal(err)
				}
				if _, err := d.Audit.Verify(t.Context(), org, anchor); err != nil {
					t.Errorf("cut down to its anchor the log gave %v, although nothing can tell", err)
				}
			}
			conn, err := d.pool.Acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Conn().PgConn().Exec(t.Context(), tt.change).ReadAll(); err != nil {
				t.Fatal(err)
			}
			conn.Release()
			head, err := d.Audit.Verify(t.Context(), org, anchor)
			if tt.seq == 0 {
				if err != nil || head.Seq != 8 {
					t.Errorf("an untouched log holds together up to entry %d (%v), want 8", head.Seq, err)
				}
				return
			}
			var broken *BrokenError
			if !errors.As(err, &broken) || broken.Seq != tt.seq || broken.Reason != tt.reason {
				t.Errorf("the log gave %v, want it %s at entry %d", err, tt.reason, tt.seq)
			}
		})
	}
}

func TestALogWrittenAnewDoesNotAgreeWithItsAnchor(t *testing.T) {
	d := open(t)
	org := id(1)
	firm(t, d, org, 2)
	log(t, d, org, 4)
	anchor, err := d.Audit.Head(t.Context(), org)
	if err != nil {
		t.Fatal(err)
	}
	exec(t, d, `delete from audit_log`)
	write(t, d, by(org, ""), func(tx feedback.Tx) { tx.Log(entryOf(org, "something else")) })
	log(t, d, org, 5)
	if _, err := d.Audit.Verify(t.Context(), org, Head{}); err != nil {
		t.Errorf("by itself the new log gave %v", err)
	}
	var broken *BrokenError
	if _, err := d.Audit.Verify(t.Context(), org, anchor); !errors.As(err, &broken) || broken.Reason != Replaced || broken.Seq != 4 {
		t.Errorf("against the anchor it gave %v, want it replaced at entry 4", err)
	}
}

func BenchmarkAudit(b *testing.B) {
	d := open(b)
	org := id(1)
	firm(b, d, org, 2)
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			write(b, d, by(org, ""), func(tx feedback.Tx) { tx.Log(entryOf(org, "note.written")) })
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}
