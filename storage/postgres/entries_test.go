package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"huiyin/feedback"
	"huiyin/internal/fault"
)

// history is feedback of a small firm and the entries that a person should see of it, found in the plainest way.
type history struct {
	praises []feedback.Praise
	notes   []feedback.Note
	asks    []feedback.Ask
	events  []feedback.KeyEvent
}

func (h history) save(tx feedback.Tx) {
	for _, p := range h.praises {
		tx.SavePraise(p)
	}
	for _, n := range h.notes {
		tx.SaveNote(n)
	}
	for _, a := range h.asks {
		tx.SaveAsk(a)
	}
	for _, k := range h.events {
		tx.SaveKeyEvent(k)
	}
}

func (h history) entries(q feedback.Query) []feedback.Entry {
	var out []feedback.Entry
	add := func(side feedback.Side, person uuid.UUID, e feedback.Entry) {
		if side == q.Side && person == q.Person && (q.From == uuid.Nil || q.From == e.From) {
			out = append(out, e)
		}
	}
	for _, p := range h.praises {
		if p.WithdrawnAt.IsZero() {
			e := feedback.Entry{Kind: feedback.PraiseEntry, ID: p.ID, At: p.At, From: p.AuthorID, Text: p.Text, Tags: p.Tags}
			for _, r := range p.Receivers {
				e.To = append(e.To, r.PersonID)
			}
			add(feedback.Given, p.AuthorID, e)
			for _, r := range p.Receivers {
				add(feedback.Received, r.PersonID, e)
			}
		}
	}
	for _, n := range h.notes {
		if n.State != feedback.NoteWithdrawn {
			e := feedback.Entry{Kind: feedback.NoteEntry, ID: n.ID, At: n.At, From: n.AuthorID, To: []uuid.UUID{n.ReceiverID}, Text: n.Text, State: n.State, Due: n.Action.Due}
			add(feedback.Given, n.AuthorID, e)
			add(feedback.Received, n.ReceiverID, e)
		}
	}
	for _, a := range h.asks {
		for _, one := range a.Asked {
			if !one.AnsweredAt.IsZero() {
				e := feedback.Entry{Kind: feedback.AnswerEntry, ID: a.ID, At: one.AnsweredAt, From: one.PersonID, To: []uuid.UUID{a.AuthorID}, Text: one.Answer, About: a.About}
				add(feedback.Given, one.PersonID, e)
				add(feedback.Received, a.AuthorID, e)
			}
		}
	}
	for _, k := range h.events {
		if k.WithdrawnAt.IsZero() {
			add(feedback.Events, k.PersonID, feedback.Entry{Kind: feedback.EventEntry, ID: k.ID, At: k.At, From: k.PersonID, To: []uuid.UUID{k.PersonID}, Text: k.Text, Link: k.Link})
		}
	}
	slices.SortFunc(out, func(a, b feedback.Entry) int {
		return cmp.Or(b.At.Compare(a.At), slices.Compare(b.ID[:], a.ID[:]), slices.Compare(a.From[:], b.From[:]))
	})
	return out
}

func (h history) months(q feedback.Query, zone *time.Location) []feedback.Month {
	var out []feedback.Month
	newest := 0
	for _, e := range h.entries(q) {
		at := e.At.In(zone)
		count := at.Year()*12 + int(at.Month()) - 1
		newest = max(newest, count)
		if count <= newest-12 {
			continue
		}
		if n := len(out); n > 0 && out[n-1].Year == at.Year() && out[n-1].Month == at.Month() {
			out[n-1].Count++
			continue
		}
		out = append(out, feedback.Month{Year: at.Year(), Month: at.Month(), Count: 1})
	}
	return out
}

const staffed = 4 // people of the firm that histories are drawn for

func drawHistory(t *rapid.T, org uuid.UUID) history {
	next := 0
	newID := func() uuid.UUID { next++; return id(next) }
	person := rapid.Map(rapid.IntRange(1000, 1000+staffed-1), id)
	// Few moments, so that many things happen at once, and over two years, so that months end.
	moment := rapid.Custom(func(t *rapid.T) time.Time {
		return noon.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "turn")) * -37 * 24 * time.Hour).Add(time.Duration(rapid.IntRange(0, 1).Draw(t, "late")) * 5 * time.Hour)
	})
	perhaps := func(label string) time.Time {
		if rapid.Bool().Draw(t, label) {
			return noon
		}
		return time.Time{}
	}
	several := func(but uuid.UUID) []uuid.UUID {
		return slices.DeleteFunc(rapid.SliceOfNDistinct(person, 1, 3, rapid.ID).Draw(t, "people"), func(p uuid.UUID) bool { return p == but })
	}
	var h history
	for range rapid.IntRange(0, 12).Draw(t, "praises") {
		p := feedback.Praise{OrgID: org, ID: newID(), AuthorID: person.Draw(t, "author"), Text: "谢谢", Tags: []string{"t"}, At: moment.Draw(t, "at"), WithdrawnAt: perhaps("withdrawn")}
		for _, r := range several(p.AuthorID) {
			p.Receivers = append(p.Receivers, feedback.Receiver{PersonID: r})
		}
		h.praises = append(h.praises, p)
	}
	for range rapid.IntRange(0, 8).Draw(t, "notes") {
		n := feedback.Note{OrgID: org, ID: newID(), AuthorID: person.Draw(t, "author"), ReceiverID: person.Draw(t, "receiver"), Text: "注意", At: moment.Draw(t, "at")}
		n.State = rapid.SampledFrom([]feedback.NoteState{feedback.NoteOpen, feedback.NoteAgreedOn, feedback.NoteDone, feedback.NoteWithdrawn}).Draw(t, "state")
		if n.State != feedback.NoteOpen {
			n.Action.Due = feedback.Day(noon)
		}
		if n.AuthorID != n.ReceiverID {
			h.notes = append(h.notes, n)
		}
	}
	for range rapid.IntRange(0, 6).Draw(t, "asks") {
		a := feedback.Ask{OrgID: org, ID: newID(), AuthorID: person.Draw(t, "author"), About: "演讲", At: noon, WithdrawnAt: perhaps("withdrawn")}
		for _, r := range several(a.AuthorID) {
			one := feedback.Asked{PersonID: r}
			if rapid.Bool().Draw(t, "answered") {
				one.Answer, one.AnsweredAt = "好", moment.Draw(t, "at")
			} else {
				one.DeclinedAt = perhaps("declined")
			}
			a.Asked = append(a.Asked, one)
		}
		h.asks = append(h.asks, a)
	}
	for range rapid.IntRange(0, 6).Draw(t, "events") {
		h.events = append(h.events, feedback.KeyEvent{OrgID: org, ID: newID(), PersonID: person.Draw(t, "person"), Text: "上线", Link: "https://x.example", On: feedback.Day(noon), At: moment.Draw(t, "at"), WithdrawnAt: perhaps("withdrawn")})
	}
	return h
}

func TestEntriesAndMonthsAreThoseOfTheHistory(t *testing.T) {
	d := open(t)
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	orgs := 0
	rapid.Check(t, func(rt *rapid.T) {
		orgs++
		org := id(orgs)
		dir := firm(t, d, org, staffed)
		h := drawHistory(rt, org)
		write(t, d, by(org, ""), h.save)
		for _, side := range []feedback.Side{feedback.Received, feedback.Given, feedback.Events} {
			for p := range staffed {
				q := feedback.Query{OrgID: org, Directory: dir.Version(), Person: id(1000 + p), Side: side, Limit: rapid.IntRange(1, 5).Draw(rt, "limit")}
				if rapid.Bool().Draw(rt, "from") {
					q.From = id(1000 + rapid.IntRange(0, staffed-1).Draw(rt, "who"))
				}
				months, err := d.Feedback.Months(rt.Context(), q, shanghai)
				if diff := gocmp.Diff(h.months(q, shanghai), months); err != nil || diff != "" {
					rt.Fatalf("the months of %+v differ (%v):\n%s", q, err, diff)
				}
				want := h.entries(q)
				var got []feedback.Entry
				for more := true; more; {
					var page []feedback.Entry
					if page, more, err = d.Feedback.Entries(rt.Context(), q); err != nil {
						rt.Fatal(err)
					}
					if len(page) > q.Limit || more && len(page) == 0 {
						rt.Fatalf("a page of %d entries has %d, and says more: %v", q.Limit, len(page), more)
					}
					got = append(got, page...)
					if len(page) > 0 {
						last := page[len(page)-1]
						q.Before = feedback.Cursor{At: last.At, ID: last.ID}
					}
				}
				if q.Limit < 3 && tied(want) { // a page that is nothing but answers of one moment ends within them
					continue
				}
				if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
					rt.Fatalf("the entries of %+v, page by page, differ:\n%s", q, diff)
				}
			}
		}
	})
}

// tied reports whether several entries share the place that a cursor names.
func tied(entries []feedback.Entry) bool {
	for i := range entries {
		if i > 0 && entries[i].ID == entries[i-1].ID && entries[i].At.Equal(entries[i-1].At) {
			return true
		}
	}
	return false
}

func TestListsAreRefusedOnAnOutdatedDirectory(t *testing.T) {
	d := open(t)
	dir := firm(t, d, id(1), 2)
	q := feedback.Query{OrgID: id(1), Directory: dir.Version() - 1, Person: id(1001), Side: feedback.Received, Limit: 3}
	_, _, err := d.Feedback.Entries(t.Context(), q)
	wantFault(t, "a list", err, fault.Stale)
	_, err = d.Feedback.Months(t.Context(), q, time.UTC)
	wantFault(t, "a count", err, fault.Stale)
	q.Directory, q.Side = 0, "sideways"
	if _, _, err = d.Feedback.Entries(t.Context(), q); err == nil {
		t.Error("a side that does not exist has entries")
	}
	if n := rows(t, d, "inbox"); n != 0 {
		t.Error("reading left an event")
	}
}

// Twenty thousand entries of one person, or a hundred thousand: a page reads as much as if there were a hundred.
func TestAPageCostsTheSameHoweverLongTheHistory(t *testing.T) {
	seen := &seenQueries{}
	d := openVia(t, func(cfg *pgxpool.Config) { cfg.ConnConfig.Tracer = seen; cfg.MaxConns = 1 })
	org := id(1)
	dir := firm(t, d, org, 100)
	const history = 20_000
	// Person 1001 has nearly everything and everybody else a little, so that the plan for the average is not the plan for them.
	exec(t, d, `insert into praises (org_id, praise_id, author_id, text, said_at)
		select $1, md5('p' || n)::uuid, $2, 'x', $3::timestamptz - n * interval '7 minutes' from generate_series(1, $4 * 6 / 10) n`, org, id(1002), noon, history)
	exec(t, d, `insert into praise_receivers (org_id, praise_id, person_id, place, said_at) select org_id, praise_id, $1, 0, said_at from praises`, id(1001))
	exec(t, d, `insert into notes (org_id, note_id, author_id, receiver_id, text, said_at)
		select $1, md5('n' || n)::uuid, $2, $3, 'x', $4::timestamptz - n * interval '11 minutes' from generate_series(1, $5 * 2 / 10) n`, org, id(1002), id(1001), noon, history)
	exec(t, d, `insert into asks (org_id, ask_id, author_id, about, said_at)
		select $1, md5('a' || n)::uuid, $2, 'x', $3::timestamptz - n * interval '13 minutes' from generate_series(1, $4 * 2 / 10) n`, org, id(1001), noon, history)
	exec(t, d, `insert into ask_people (org_id, ask_id, person_id, author_id, place, answer, answered_at)
		select org_id, ask_id, $1, author_id, 0, 'x', said_at + interval '1 hour' from asks`, id(1002))
	write(t, d, by(org, ""), func(tx feedback.Tx) {
		for n := range 98 {
			tx.SavePraise(praiseOf(org, 5000+n, 1002+n))
		}
	})
	exec(t, d, `analyze`)
	q := feedback.Query{OrgID: org, Directory: dir.Version(), Side: feedback.Received, Limit: 20}
	pages := func(person int, side feedback.Side) (first, deep int) {
		q := q
		q.Person, q.Side, q.Before = id(person), side, feedback.Cursor{}
		read := func() int {
			if _, _, err := d.Feedback.Entries(t.Context(), q); err != nil {
				t.Fatal(err)
			}
			return seen.buffers(t, d)
		}
		first = read()
		q.Before = feedback.Cursor{At: noon.Add(-20 * 24 * time.Hour), ID: id(1)}
		return first, read()
	}
	for _, side := range []feedback.Side{feedback.Received, feedback.Given} {
		person, few := 1001, 1050
		if side == feedback.Given {
			person = 1002
		}
		first, deep := pages(person, side)
		small, _ := pages(few, side)
		t.Logf("%s: the first page of %d entries reads %d buffers, one in the middle %d, the page of somebody with one entry %d", side, history, first, deep, small)
		if most := 200; first > most || deep > most {
			t.Errorf("%s: a page of 20 reads %d buffers, one in the middle %d, want at most %d", side, first, deep, most)
		}
	}
	q.Person, q.Side = id(1001), feedback.Received
	if _, err := d.Feedback.Months(t.Context(), q, time.UTC); err != nil {
		t.Fatal(err)
	}
	t.Logf("the counts of twelve months read %d buffers", seen.buffers(t, d))
}

// seenQueries keeps the last list or count that was asked for.
type seenQueries struct {
	sql  string
	args []any
}

func (s *seenQueries) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}
func (s *seenQueries) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (s *seenQueries) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	last := data.Batch.QueuedQueries[data.Batch.Len()-1]
	s.sql, s.args = last.SQL, last.Arguments
	return ctx
}
func (s *seenQueries) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (s *seenQueries) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}

// buffers runs the query once more, by the plan that it was run by, and gives how many pages it looked at.
func (s *seenQueries) buffers(tb testing.TB, d *DB) int {
	tb.Helper()
	var values []string
	for _, a := range s.args {
		values = append(values, literal(a))
	}
	exec(tb, d, "deallocate all")
	exec(tb, d, "prepare seen as "+s.sql)
	var text []byte
	err := d.pool.QueryRow(tb.Context(), "explain (analyze, buffers, format json) execute seen("+strings.Join(values, ", ")+")", pgx.QueryExecModeSimpleProtocol).Scan(&text)
	if err != nil {
		tb.Fatalf("explaining %s: %v", s.sql, err)
	}
	d.pool.Reset() // the connection's own statements are gone
	var plans []struct {
		Plan struct {
			Hit  int `json:"Shared Hit Blocks"`
			Read int `json:"Shared Read Blocks"`
		}
	}
	if err := json.Unmarshal(text, &plans); err != nil {
		tb.Fatal(err)
	}
	return plans[0].Plan.Hit + plans[0].Plan.Read
}

func literal(a any) string {
	switch v := a.(type) {
	case pgtype.Timestamptz:
		if !v.Valid {
			return "null"
		}
		return "'" + v.Time.Format(time.RFC3339Nano) + "'"
	case uuid.NullUUID:
		if !v.Valid {
			return "null"
		}
		return "'" + v.UUID.String() + "'"
	case []time.Time:
		var all []string
		for _, t := range v {
			all = append(all, t.Format(time.RFC3339Nano))
		}
		return "'{" + strings.Join(all, ",") + "}'"
	case time.Time:
		return "'" + v.Format(time.RFC3339Nano) + "'"
	}
	return fmt.Sprintf("'%v'", a)
}
