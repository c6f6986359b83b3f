package postgres

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
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
	write func(ctx context.Context, batch []*given) error // all of them or an error

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
	verdict chan error      // nil: written
}

var (
	// errAlone tells a praise to go its own way: what it was gathered with was refused as a whole, and nothing of it is written.
	errAlone = errors.New("a statement with several praises was refused")
	// errTurn does so because there is nobody to go with, and hands a writer's place to it.
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
		g.drop(one) //nolint:contextcheck // a batch lasts as long as those wait who are in it, and this one no longer does
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

// take gives what a writer has to write next. nil means that it has no place any more: nobody waits, or one alone got the place. An event
// that is there twice waits for the next turn: by then it is known what became of it.
func (g *gathering) take() []*given {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) == 0 {
		g.busy--
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
	if len(batch) == 1 {
		batch[0].verdict <- errTurn
		return nil
	}
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
		one.verdict <- err
	}
}

// leftNothing reports whether it was the statement that failed and not the connection: then nothing is written, and each praise may be
// tried again on its own.
func leftNothing(err error) bool { return again(err) || !fault.Is(translate(err), fault.Unavailable) }

// giveAll writes new praises in one statement, all or none of them.
func (s *Feedback) giveAll(ctx context.Context, batch []*given) error {
	columns, err := praiseColumns(batch)
	if err != nil {
		return err
	}
	return s.db.once(ctx, func(_ *unit, q *db.Queries) error { return q.GivePraises(ctx, columns) })
}

func praiseColumns(batch []*given) (db.GivePraisesParams, error) {
	n, receivers, notices := len(batch), 0, 0
	for _, one := range batch {
		receivers += len(one.praise.Receivers)
		notices += len(one.notices)
	}
	c := db.GivePraisesParams{
		OrgIds: make([]uuid.UUID, 0, n), Versions: make([]int64, 0, n), Events: make([]string, 0, n), ReceivedAt: make([]time.Time, 0, n),
		PraiseIds: make([]uuid.UUID, 0, n), AuthorIds: make([]uuid.UUID, 0, n), Texts: make([]string, 0, n), Tags: make([]string, 0, n),
		PraiseChannels: make([]string, 0, n), SaidAt: make([]time.Time, 0, n),

		ReceiverOrgIds: make([]uuid.UUID, 0, receivers), ReceiverPraiseIds: make([]uuid.UUID, 0, receivers), Receivers: make([]uuid.UUID, 0, receivers),
		Places: make([]int16, 0, receivers), ReceiverSaidAt: make([]time.Time, 0, receivers),

		NoticeOrgIds: make([]uuid.UUID, 0, notices), NoticeIds: make([]uuid.UUID, 0, notices), Kinds: make([]string, 0, notices),
		PersonIds: make([]uuid.UUID, 0, notices), Channels: make([]string, 0, notices), Subjects: make([]uuid.UUID, 0, notices),
		DueAt: make([]time.Time, 0, notices),
	}
	var tags []byte
	for _, one := range batch {
		cause, p := one.cause, one.praise
		var err error
		if tags, err = arrays.Encode(pgtype.TextArrayOID, pgtype.TextFormatCode, list(p.Tags), tags[:0]); err != nil {
			return c, err
		}
		c.OrgIds, c.Versions = append(c.OrgIds, p.OrgID), append(c.Versions, cause.Directory)
		c.Events, c.ReceivedAt = append(c.Events, cause.Event), append(c.ReceivedAt, cause.At)
		c.PraiseIds, c.AuthorIds, c.Texts = append(c.PraiseIds, p.ID), append(c.AuthorIds, p.AuthorID), append(c.Texts, p.Text)
		c.Tags, c.PraiseChannels, c.SaidAt = append(c.Tags, string(tags)), append(c.PraiseChannels, p.Channel), append(c.SaidAt, p.At)
		for place, r := range p.Receivers {
			c.ReceiverOrgIds, c.ReceiverPraiseIds = append(c.ReceiverOrgIds, p.OrgID), append(c.ReceiverPraiseIds, p.ID)
			c.Receivers, c.Places = append(c.Receivers, r.PersonID), append(c.Places, int16(place))
			c.ReceiverSaidAt = append(c.ReceiverSaidAt, p.At)
		}
		for _, m := range one.notices {
			c.NoticeOrgIds, c.NoticeIds, c.Kinds = append(c.NoticeOrgIds, m.OrgID), append(c.NoticeIds, m.ID), append(c.Kinds, string(m.Kind))
			c.PersonIds, c.Channels = append(c.PersonIds, m.To), append(c.Channels, m.Channel)
			c.Subjects, c.DueAt = append(c.Subjects, m.Subject), append(c.DueAt, m.Due)
		}
	}
	return c, nil
}

// arrays writes array literals.
var arrays = pgtype.NewMap()
