package postgres

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"huiyin/feedback"
	"huiyin/internal/notice"
	"huiyin/internal/people"
	"huiyin/storage/postgres/pgtest"
)

// BenchmarkPraise compares a whole praise (directory asserted, event taken, praise, receiver and notice written) with one bare INSERT,
// the least that remembering anything can cost, in turns on 16 connections.
// HUIYIN_TEST_DATABASE_URL runs it on a server with durability on.
func BenchmarkPraise(b *testing.B) {
	const connections, round = 16, 2000
	d, err := Open(b.Context(), pgtest.URL(b)+fmt.Sprintf("&pool_max_conns=%d", connections))
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	pool := d.Pool()
	dir := firm(b, d, uuid.New(), 1000)
	staff := dir.People()
	if _, err := pool.Exec(b.Context(), `create table floor (id uuid primary key, author text not null, receiver text not null, text text not null, at timestamptz not null)`); err != nil {
		b.Fatal(err)
	}
	text := "Thank you for the clear handover. 交接得很清楚。"
	var events atomic.Int64
	floor := func(ctx context.Context, i int) error {
		_, err := pool.Exec(ctx, `insert into floor values ($1, $2, $3, $4, $5)`, uuid.Must(uuid.NewV7()), "U1", "U2", text, noon)
		return err
	}
	praise := func(ctx context.Context, i int) error {
		author, receiver := staff[i%len(staff)], staff[(i*7+1)%len(staff)]
		cause := people.Cause{OrgID: dir.Org().ID, Directory: dir.Version(), Event: fmt.Sprintf("slack:T1:%d", events.Add(1)), At: noon, Actor: author.ID}
		p := feedback.Praise{
			OrgID: cause.OrgID, ID: uuid.Must(uuid.NewV7()), AuthorID: author.ID, Receivers: []feedback.Receiver{{PersonID: receiver.ID}},
			Text: text, Tags: []string{"teamwork"}, At: noon,
		}
		return d.Feedback.InTx(ctx, cause, func(tx feedback.Tx) error {
			tx.SavePraise(p)
			tx.Tell(notice.Notice{OrgID: cause.OrgID, ID: uuid.Must(uuid.NewV7()), Kind: notice.PraiseReceived, To: receiver.ID, Subject: p.ID, Due: noon})
			return nil
		})
	}
	run := func(work func(context.Context, int) error) time.Duration {
		before := b.Elapsed()
		var next atomic.Int64
		var all sync.WaitGroup
		for range connections {
			all.Go(func() {
				for i := next.Add(1); i <= round; i = next.Add(1) {
					if err := work(b.Context(), int(i)); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		all.Wait()
		return b.Elapsed() - before
	}
	run(floor)
	run(praise) // statements prepared, files grown
	var ofFloor, ofPraise time.Duration
	b.ResetTimer()
	for range b.N {
		ofFloor += run(floor)
		ofPraise += run(praise)
	}
	b.ReportMetric(round*float64(b.N)/ofFloor.Seconds(), "inserts/s")
	b.ReportMetric(round*float64(b.N)/ofPraise.Seconds(), "praises/s")
	b.ReportMetric(ofFloor.Seconds()/ofPraise.Seconds(), "ratio")
}
