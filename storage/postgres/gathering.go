package postgres

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"huiyin/feedback"
	"huiyin/internal/fault"
	"huiyin/internal/notice"
	"huiyin/internal/people"
	"huiyin/storage/postgres/internal/db"
)

const (
	// writers is how many statements with new praises are under way at once. What comes meanwhile is gathered for the next one. The second
	// keeps the database busy while the first's are being answered.
	writers = 2
	// gathered is how many praises one statement writes at the most.
	gathered = 64
)

// gathering lets praises that come at the same time share a statement, and with it the round trip, the transaction and its flush to disk.
// Nobody waits for company: who comes when a writer is free goes at once and alone, and each writer that ends takes everything along that
// has come in the meantime (docs/adr/0021).
type gathering struct {
	write func(ctx context.Context, batch []*given) error // all of them or an error; sets refused

	mu      sync.Mutex
	busy    int
	waiting []*given
}

// given is a new praise with all that is written with it.
type given struct {
	cause   people.Cause
	praise  feedback.Praise
	notices []notice.Notice

	ctx     context.Context // of whoever waits for it
	refused error           // why it was not written although the others were
	verdict chan error      // nil: written
}

var (
	// errAlone tells a praise to go its own way: what it was gathered with was refused as a whole, and nothing of it is written.
	errAlone = errors.New("a statement with several praises was refused")
	// errTurn does so because nobody else waits, and hands a writer's place to it.
	errTurn = errors.New("a writer is free")
)

// join waits until the praise is written or refused with others. free means that it is not and has to go alone; it is to be called then
// when that is over.
func (g *gathering) join(ctx context.Context, one *given) (free func(), err error) {
	g.mu.Lock()
	if g.busy < writers && len(g.waiting) == 0 {
		g.busy++
		g.mu.Unlock()
		return g.next, nil
	}
	one.ctx, one.verdict = ctx, make(chan error, 1)
	g.waiting = append(g.waiting, one)
	g.mu.Unlock()
	select {
	case err = <-one.verdict:
	case <-ctx.Done():
		g.drop(one)
		return nil, ctx.Err()
	}
	switch {
	case errors.Is(err, errTurn):
		return g.next, nil
	case errors.Is(err, errAlone):
		return func() {}, nil
	}
	return nil, err
}

// drop takes out what nobody waits for. What is under way already stays so.
func (g *gathering) drop(one *given) {
	g.mu.Lock()
	g.waiting = slices.DeleteFunc(g.waiting, func(other *given) bool { return other == one })
	g.mu.Unlock()
	select {
	case err := <-one.verdict: // at the last moment
		if errors.Is(err, errTurn) {
			g.next()
		}
	default:
	}
}

// next hands a writer's place on.
func (g *gathering) next() {
	if batch := g.take(); batch != nil {
		go func() {
			for ; batch != nil; batch = g.take() {
				g.together(batch)
			}
		}()
	}
}

// take gives what a writer has to write next. nil means that it has no place any more: nobody waits, or only one, who got the place. An
// event that is there twice waits for the next turn: by then it is known what became of it.
func (g *gathering) take() []*given {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch len(g.waiting) {
	case 0:
		g.busy--
		return nil
	case 1:
		g.waiting[0].verdict <- errTurn
		g.waiting = nil
		return nil
	}
	type key struct {
		org   uuid.UUID
		event string
	}
	seen := make(map[key]bool, len(g.waiting))
	var batch, rest []*given
	for _, one := range g.waiting {
		if k := (key{one.cause.OrgID, one.cause.Event}); len(batch) < gathered && !seen[k] {
			seen[k] = true
			batch = append(batch, one)
		} else {
			rest = append(rest, one)
		}
	}
	g.waiting = rest
	// Two statements that take the same events take them in the same order, or they would wait for each other.
	slices.SortFunc(batch, func(a, b *given) int {
		if c := strings.Compare(a.cause.Event, b.cause.Event); c != 0 {
			return c
		}
		return slices.Compare(a.cause.OrgID[:], b.cause.OrgID[:])
	})
	return batch
}

// together writes a batch and tells everyone. It lasts as long as the most patient of them would wait.
func (g *gathering) together(batch []*given) {
	var until time.Time
	for _, one := range batch {
		if at, _ := one.ctx.Deadline(); at.After(until) {
			until = at
		}
	}
	ctx, cancel := context.WithDeadline(context.WithoutCancel(batch[0].ctx), until)
	defer cancel()
	err := g.write(ctx, batch)
	if err != nil && leftNothing(err) {
		err = errAlone
	}
	for _, one := range batch {
		if err == nil {
			one.verdict <- one.refused
		} else {
			one.verdict <- err
		}
	}
}

// leftNothing reports whether the database has refused a statement, or never got it: each praise may then be tried again on its own.
func leftNothing(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return again(err) || !fault.Is(translate(err), fault.Unavailable)
	}
	return pgconn.SafeToRetry(err)
}

// giveAll writes new praises in one statement, except those that it marks as refused.
func (s *Feedback) giveAll(ctx context.Context, batch []*given) error {
	columns, err := praiseColumns(batch)
	if err != nil {
		return err
	}
	var verdicts db.GivePraisesRow
	err = s.db.read(ctx, func(q *db.Queries) (err error) {
		verdicts, err = q.GivePraises(ctx, columns)
		return err
	})
	if err != nil {
		return err
	}
	for _, i := range verdicts.Known {
		batch[i].refused = violations["inbox_pkey"]()
	}
	for _, i := range verdicts.Outdated {
		batch[i].refused = stale()
	}
	return nil
}

func praiseColumns(batch []*given) (db.GivePraisesParams, error) {
	n := len(batch)
	c := db.GivePraisesParams{
		OrgIds: make([]uuid.UUID, n), Versions: make([]int64, n), Events: make([]string, n), ReceivedAt: make([]time.Time, n),
		PraiseIds: make([]uuid.UUID, n), AuthorIds: make([]uuid.UUID, n), Texts: make([]string, n), Tags: make([]string, n),
		PraiseChannels: make([]string, n), SaidAt: make([]time.Time, n),
	}
	var buf []byte
	for i, one := range batch {
		var err error
		if buf, err = arrays.Encode(pgtype.TextArrayOID, pgtype.TextFormatCode, list(one.praise.Tags), buf[:0]); err != nil {
			return c, err
		}
		p := one.praise
		c.OrgIds[i], c.Versions[i], c.Events[i], c.ReceivedAt[i] = one.cause.OrgID, one.cause.Directory, one.cause.Event, one.cause.At
		c.PraiseIds[i], c.AuthorIds[i], c.Texts[i], c.Tags[i], c.PraiseChannels[i], c.SaidAt[i] = p.ID, p.AuthorID, p.Text, string(buf), p.Channel, p.At
		for place, r := range p.Receivers {
			c.ReceiverOf, c.Receivers, c.Places = append(c.ReceiverOf, int32(i)), append(c.Receivers, r.PersonID), append(c.Places, int16(place))
		}
		for _, m := range one.notices {
			c.NoticeOf, c.NoticeIds, c.Kinds = append(c.NoticeOf, int32(i)), append(c.NoticeIds, m.ID), append(c.Kinds, string(m.Kind))
			c.PersonIds, c.Channels = append(c.PersonIds, m.To), append(c.Channels, m.Channel)
			c.Subjects, c.DueAt = append(c.Subjects, m.Subject), append(c.DueAt, m.Due)
		}
	}
	return c, nil
}

// arrays writes arrays as text: an array of arrays of different lengths is nothing that Postgres has.
var arrays = pgtype.NewMap()
