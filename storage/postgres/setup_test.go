package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"huiyin/feedback"
	"huiyin/internal/audit"
	"huiyin/internal/fault"
	"huiyin/internal/notice"
	"huiyin/internal/people"
	"huiyin/storage/postgres/pgtest"
)

// noon is when everything happens that does not say otherwise.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// open is a database of the test's own with the schema and no rows.
func open(tb testing.TB) *DB {
	tb.Helper()
	return openVia(tb, func(*pgxpool.Config) {})
}

// openVia opens a new database with a changed configuration.
func openVia(tb testing.TB, change func(*pgxpool.Config)) *DB {
	tb.Helper()
	cfg, err := config(pgtest.URL(tb))
	if err != nil {
		tb.Fatalf("configuring the database: %v", err)
	}
	change(cfg)
	pool, err := pgxpool.NewWithConfig(tb.Context(), cfg)
	if err != nil {
		tb.Fatalf("opening the database: %v", err)
	}
	tb.Cleanup(pool.Close) // hangs, and the test with it, when a connection was not given back
	return New(pool)
}

// id is the n-th of the ids that tests use. The same number is the same id in every firm.
func id(n int) uuid.UUID { return uuid.MustParse(fmt.Sprintf("00000000-0000-7000-8000-%012d", n)) }

// firm makes an organisation of n people, each with a confirmed account; the first manages all others. Person i is id(1000+i).
func firm(tb testing.TB, d *DB, orgID uuid.UUID, n int) *people.Directory {
	tb.Helper()
	org := people.Org{ID: orgID, Name: "回音", TimeZone: "Asia/Shanghai", Lang: "zh-CN"}
	if err := d.People.CreateOrg(tb.Context(), org); err != nil {
		tb.Fatalf("creating the firm: %v", err)
	}
	if err := d.People.Apply(tb.Context(), people.Cause{OrgID: orgID, At: noon}, staff(orgID, n)); err != nil {
		tb.Fatalf("staffing the firm: %v", err)
	}
	dir, err := d.People.Load(tb.Context(), orgID)
	if err != nil {
		tb.Fatalf("loading the firm: %v", err)
	}
	return dir
}

func staff(orgID uuid.UUID, n int) people.Plan {
	var plan people.Plan
	for i := range n {
		p := people.Person{
			OrgID: orgID, ID: id(1000 + i), EmployeeNo: fmt.Sprintf("E%06d", i), Name: fmt.Sprintf("林%d", i), NameEn: fmt.Sprintf("Lin %d", i),
			Email: fmt.Sprintf("e%d@example.com", i), Mobile: fmt.Sprintf("138%08d", i), Department: "销售部/华东", Title: "经理", Role: people.Employee, Active: true,
			HiredOn: time.Date(2020, 2, 29, 0, 0, 0, 0, time.UTC), TimeZone: "Asia/Shanghai", Lang: "zh-CN", Settings: people.DefaultSettings(),
		}
		if i > 0 {
			p.ManagerID = id(1000)
		}
		plan.Create = append(plan.Create, p)
		plan.Identities = append(plan.Identities, people.Identity{
			OrgID: orgID, Platform: "slack", ExternalID: fmt.Sprintf("U%06d", i), PersonID: p.ID, State: people.Confirmed, Kind: people.Member,
			Name: p.NameEn, Email: p.Email, Mobile: p.Mobile, EmployeeNo: p.EmployeeNo, TimeZone: "Asia/Shanghai", Lang: "zh-CN",
		})
	}
	return plan
}

// by is the cause of a deed of the first person, decided on no directory.
func by(orgID uuid.UUID, event string) people.Cause {
	return people.Cause{OrgID: orgID, Event: event, At: noon, Actor: id(1000)}
}

func praiseOf(orgID uuid.UUID, n int, receivers ...int) feedback.Praise {
	p := feedback.Praise{OrgID: orgID, ID: id(n), AuthorID: id(1000), Text: "谢谢 thanks", Tags: []string{"teamwork"}, Channel: "slack:C1", At: noon, Receivers: []feedback.Receiver{}}
	for _, r := range receivers {
		p.Receivers = append(p.Receivers, feedback.Receiver{PersonID: id(r)})
	}
	return p
}

func noteOf(orgID uuid.UUID, n int) feedback.Note {
	return feedback.Note{OrgID: orgID, ID: id(n), AuthorID: id(1000), ReceiverID: id(1001), Text: "请注意 careful", State: feedback.NoteOpen, At: noon}
}

func askOf(orgID uuid.UUID, n int, asked ...int) feedback.Ask {
	a := feedback.Ask{OrgID: orgID, ID: id(n), AuthorID: id(1000), About: "我的演讲 my talk", At: noon, Asked: []feedback.Asked{}}
	for _, r := range asked {
		a.Asked = append(a.Asked, feedback.Asked{PersonID: id(r)})
	}
	return a
}

func keyEventOf(orgID uuid.UUID, n int) feedback.KeyEvent {
	return feedback.KeyEvent{OrgID: orgID, ID: id(n), PersonID: id(1000), Text: "上线 went live", Link: "https://example.com/x", On: feedback.Day(noon), At: noon}
}

func noticeOf(orgID uuid.UUID, n, to int) notice.Notice {
	return notice.Notice{OrgID: orgID, ID: id(n), Kind: notice.PraiseReceived, To: id(to), Subject: id(1), Due: noon}
}

func entryOf(orgID uuid.UUID, act string) audit.Entry {
	return audit.Entry{OrgID: orgID, At: noon, Actor: id(1000), Act: act, Subject: id(1), About: id(1001), Detail: map[string]string{"state": "open", "n": "3"}}
}

// write does a unit of work that must succeed.
func write(tb testing.TB, d *DB, cause people.Cause, fn func(feedback.Tx)) {
	tb.Helper()
	err := d.Feedback.InTx(tb.Context(), cause, func(tx feedback.Tx) error {
		fn(tx)
		return nil
	})
	if err != nil {
		tb.Fatalf("writing: %v", err)
	}
}

// rows counts the rows of a table.
func rows(tb testing.TB, d *DB, table string) int {
	tb.Helper()
	var n int
	if err := d.pool.QueryRow(tb.Context(), "select count(*) from "+table).Scan(&n); err != nil {
		tb.Fatalf("counting %s: %v", table, err)
	}
	return n
}

func exec(tb testing.TB, d *DB, sql string, args ...any) {
	tb.Helper()
	if _, err := d.pool.Exec(tb.Context(), sql, args...); err != nil {
		tb.Fatalf("%s: %v", sql, err)
	}
}

func wantFault(tb testing.TB, what string, err error, kind fault.Kind) {
	tb.Helper()
	if !fault.Is(err, kind) {
		tb.Errorf("%s gave %v, want a fault of kind %v", what, err, kind)
	}
}

// wire is a connection to the server that counts round trips and can be cut.
type wire struct {
	net.Conn
	trips *atomic.Int64
	cut   *atomic.Bool
	wrote bool
}

func (w *wire) Write(p []byte) (int, error) {
	w.wrote = true
	return w.Conn.Write(p)
}

// Read counts a round trip when something was written since the last one. On a wire that is cut the answer does not arrive, but by
// then the server has done what it was asked.
func (w *wire) Read(p []byte) (int, error) {
	if w.wrote {
		w.wrote = false
		w.trips.Add(1)
	}
	n, err := w.Conn.Read(p)
	if err == nil && w.cut.Load() {
		return 0, errors.Join(net.ErrClosed, w.Conn.Close())
	}
	return n, err
}

// wired opens a database over a single wire.
func wired(tb testing.TB) (d *DB, trips *atomic.Int64, cut *atomic.Bool) {
	tb.Helper()
	trips, cut = &atomic.Int64{}, &atomic.Bool{}
	d = openVia(tb, func(cfg *pgxpool.Config) {
		cfg.MaxConns = 1
		dial := cfg.ConnConfig.DialFunc
		cfg.ConnConfig.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return &wire{Conn: conn, trips: trips, cut: cut}, nil
		}
	})
	return d, trips, cut
}
