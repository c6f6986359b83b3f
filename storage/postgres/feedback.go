package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"huiyin/feedback"
	"huiyin/internal/audit"
	"huiyin/internal/notice"
	"huiyin/internal/people"
	"huiyin/storage/postgres/internal/db"
)

// Feedback keeps praise, notes, asks, key events and the values of all firms.
type Feedback struct {
	db      *DB
	praises gathering // new ones that are on their way
}

func newFeedback(d *DB) *Feedback {
	s := &Feedback{db: d}
	s.praises.write = s.giveAll
	return s
}

var _ feedback.Store = (*Feedback)(nil)

// InTx runs a unit of work: one round trip when fn only writes, one more for everything that it reads and for its audit entries. A new
// praise is one statement, which it may share with others that come at the same time.
func (s *Feedback) InTx(ctx context.Context, cause people.Cause, fn func(feedback.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, hurry)
	defer cancel()
	told, attempt, done := false, 0, func() {}
	defer func() { done() }()
	err := s.db.do(ctx, func(_ *unit, q *db.Queries) error {
		attempt++
		tx := &feedbackTx{ctx: ctx, q: q, cause: cause, together: attempt == 1}
		if err := fn(tx); err != nil {
			return err
		}
		told = len(tx.notices) > 0
		if one := tx.alone(); one != nil {
			free, err := s.praises.join(ctx, one)
			if free == nil {
				return err
			}
			done = free
		}
		return tx.finish()
	})
	if err == nil && told {
		s.db.wake()
	}
	return translate(err)
}

// Praise reads one praise.
func (s *Feedback) Praise(ctx context.Context, orgID, id uuid.UUID) (feedback.Praise, error) {
	ctx, cancel := context.WithTimeout(ctx, hurry)
	defer cancel()
	row, err := s.db.queries().Praise(ctx, orgID, id)
	if err != nil {
		return feedback.Praise{}, fmt.Errorf("reading a praise: %w", translate(err))
	}
	return praise(row), nil
}

// Note reads one note.
func (s *Feedback) Note(ctx context.Context, orgID, id uuid.UUID) (feedback.Note, error) {
	ctx, cancel := context.WithTimeout(ctx, hurry)
	defer cancel()
	row, err := s.db.queries().Note(ctx, orgID, id)
	if err != nil {
		return feedback.Note{}, fmt.Errorf("reading a note: %w", translate(err))
	}
	return note(row), nil
}

// Ask reads one ask.
func (s *Feedback) Ask(ctx context.Context, orgID, id uuid.UUID) (feedback.Ask, error) {
	ctx, cancel := context.WithTimeout(ctx, hurry)
	defer cancel()
	row, err := s.db.queries().Ask(ctx, orgID, id)
	if err != nil {
		return feedback.Ask{}, fmt.Errorf("reading an ask: %w", translate(err))
	}
	return ask(row), nil
}

// KeyEvent reads one key event.
func (s *Feedback) KeyEvent(ctx context.Context, orgID, id uuid.UUID) (feedback.KeyEvent, error) {
	ctx, cancel := context.WithTimeout(ctx, hurry)
	defer cancel()
	row, err := s.db.queries().KeyEvent(ctx, orgID, id)
	if err != nil {
		return feedback.KeyEvent{}, fmt.Errorf("reading a key event: %w", translate(err))
	}
	return keyEvent(row), nil
}

// Waiting is what waits for the person, read in one round trip each for notes and asks.
func (s *Feedback) Waiting(ctx context.Context, orgID, person uuid.UUID, limit int) ([]feedback.Note, []feedback.Ask, error) {
	ctx, cancel := context.WithTimeout(ctx, hurry)
	defer cancel()
	noteRows, err := s.db.queries().OpenNotes(ctx, orgID, person, int32(limit))
	if err != nil {
		return nil, nil, fmt.Errorf("finding open notes: %w", translate(err))
	}
	askRows, err := s.db.queries().OpenAsks(ctx, orgID, person, int32(limit))
	if err != nil {
		return nil, nil, fmt.Errorf("finding open asks: %w", translate(err))
	}
	asks := alike(askRows, func(r db.OpenAsksRow) feedback.Ask { return ask(db.AskRow(r)) })
	return alike(noteRows, note), asks, nil
}

// DueFollowUps gives up to limit notes of any firm whose follow-up is due, the longest due first.
func (s *Feedback) DueFollowUps(ctx context.Context, now time.Time, limit int) ([]feedback.NoteKey, error) {
	ctx, cancel := context.WithTimeout(ctx, hurry)
	defer cancel()
	rows, err := s.db.queries().DueFollowUps(ctx, now, int32(limit))
	if err != nil {
		return nil, fmt.Errorf("finding follow-ups: %w", translate(err))
	}
	keys := make([]feedback.NoteKey, len(rows))
	for i, r := range rows {
		keys[i] = feedback.NoteKey{OrgID: r.OrgID, ID: r.NoteID}
	}
	return keys, nil
}

// Values lists what the firm calls its values.
func (s *Feedback) Values(ctx context.Context, orgID uuid.UUID) ([]feedback.Value, error) {
	ctx, cancel := context.WithTimeout(ctx, hurry)
	defer cancel()
	rows, err := s.db.queries().Values(ctx, orgID)
	if err != nil {
		return nil, fmt.Errorf("reading the values: %w", translate(err))
	}
	values := make([]feedback.Value, len(rows))
	for i, r := range rows {
		values[i] = feedback.Value{Name: r.Name, NameEn: r.NameEn}
	}
	return values, nil
}

// SaveValues replaces the values.
func (s *Feedback) SaveValues(ctx context.Context, cause people.Cause, values []feedback.Value) error {
	names, namesEn := make([]string, len(values)), make([]string, len(values))
	for i, v := range values {
		names[i], namesEn[i] = v.Name, v.NameEn
	}
	err := s.db.do(ctx, func(_ *unit, q *db.Queries) error {
		if err := guard(ctx, q, cause); err != nil {
			return err
		}
		if err := q.SaveValues(ctx, cause.OrgID, names, namesEn); err != nil {
			return err
		}
		return q.CutValues(ctx, cause.OrgID, int32(len(values)))
	})
	if err != nil {
		return fmt.Errorf("saving the values: %w", translate(err))
	}
	return nil
}

// feedbackTx is one unit of work. Its writes are gathered in q, in the order in which they were made.
type feedbackTx struct {
	ctx      context.Context // of InTx; the writing methods of the port have none
	q        *db.Queries
	cause    people.Cause
	open     bool             // the guards are gathered
	together bool             // a praise may wait for its notices, to be written with them in one statement
	given    *feedback.Praise // the one that waits; only before open
	notices  []notice.Notice
	entries  []audit.Entry
	err      error // the first that a writing method could not give
}

var _ feedback.Tx = (*feedbackTx)(nil)

func (t *feedbackTx) Praise(ctx context.Context, id uuid.UUID) (feedback.Praise, error) {
	t.settle()
	t.keep(t.q.LockPraise(ctx, t.cause.OrgID, id))
	row, err := t.q.Praise(ctx, t.cause.OrgID, id)
	if err != nil {
		return feedback.Praise{}, fmt.Errorf("reading a praise: %w", translate(err))
	}
	return praise(row), nil
}

func (t *feedbackTx) Note(ctx context.Context, id uuid.UUID) (feedback.Note, error) {
	t.settle()
	t.keep(t.q.LockNote(ctx, t.cause.OrgID, id))
	row, err := t.q.Note(ctx, t.cause.OrgID, id)
	if err != nil {
		return feedback.Note{}, fmt.Errorf("reading a note: %w", translate(err))
	}
	return note(row), nil
}

func (t *feedbackTx) Ask(ctx context.Context, id uuid.UUID) (feedback.Ask, error) {
	t.settle()
	t.keep(t.q.LockAsk(ctx, t.cause.OrgID, id))
	row, err := t.q.Ask(ctx, t.cause.OrgID, id)
	if err != nil {
		return feedback.Ask{}, fmt.Errorf("reading an ask: %w", translate(err))
	}
	return ask(row), nil
}

func (t *feedbackTx) KeyEvent(ctx context.Context, id uuid.UUID) (feedback.KeyEvent, error) {
	t.settle()
	t.keep(t.q.LockKeyEvent(ctx, t.cause.OrgID, id))
	row, err := t.q.KeyEvent(ctx, t.cause.OrgID, id)
	if err != nil {
		return feedback.KeyEvent{}, fmt.Errorf("reading a key event: %w", translate(err))
	}
	return keyEvent(row), nil
}

func (t *feedbackTx) SavePraise(p feedback.Praise) {
	if !t.own("praise", p.OrgID) {
		return
	}
	if t.together && !t.open && t.given == nil && t.cause.Event != "" {
		t.given = &p
		return
	}
	t.settle()
	t.replace(p)
}

// replace writes a praise whether there was one or not.
func (t *feedbackTx) replace(p feedback.Praise) {
	receivers, thanked := receiverColumns(p)
	t.keep(t.q.SavePraise(t.ctx, db.SavePraiseParams{
		OrgID: t.cause.OrgID, PraiseID: p.ID, AuthorID: p.AuthorID, Text: p.Text, Tags: list(p.Tags), Channel: p.Channel,
		SaidAt: p.At, EditedAt: timeOrNull(p.EditedAt), WithdrawnAt: timeOrNull(p.WithdrawnAt), Receivers: receivers, Thanked: thanked,
	}))
}

// give writes a new praise with everything that belongs to it. When there is one of that id the database refuses it, and the unit of
// work runs again without together.
func (t *feedbackTx) give(p feedback.Praise) error {
	receivers, thanked := receiverColumns(p)
	n := noticeColumns(t.cause.OrgID, t.notices)
	return t.q.GivePraise(t.ctx, db.GivePraiseParams{
		OrgID: t.cause.OrgID, Version: t.cause.Directory, Event: t.cause.Event, ReceivedAt: t.cause.At,
		PraiseID: p.ID, AuthorID: p.AuthorID, Text: p.Text, Tags: list(p.Tags), Channel: p.Channel,
		SaidAt: p.At, EditedAt: timeOrNull(p.EditedAt), WithdrawnAt: timeOrNull(p.WithdrawnAt), Receivers: receivers, Thanked: thanked,
		NoticeIds: n.NoticeIds, Kinds: n.Kinds, PersonIds: n.PersonIds, Channels: n.Channels, Subjects: n.Subjects, DueAt: n.DueAt,
	})
}

// alone is the new praise that is all there is to write, or nil.
func (t *feedbackTx) alone() *given {
	if t.given == nil || t.err != nil || len(t.entries) > 0 {
		return nil
	}
	p := *t.given
	old := !p.EditedAt.IsZero() || !p.WithdrawnAt.IsZero() || slices.ContainsFunc(p.Receivers, func(r feedback.Receiver) bool { return !r.ThankedAt.IsZero() })
	if old {
		return nil
	}
	return &given{cause: t.cause, praise: p, notices: t.notices}
}

func receiverColumns(p feedback.Praise) ([]uuid.UUID, []time.Time) {
	ids, thanked := make([]uuid.UUID, len(p.Receivers)), make([]time.Time, len(p.Receivers))
	for i, r := range p.Receivers {
		ids[i], thanked[i] = r.PersonID, r.ThankedAt
	}
	return ids, thanked
}

func (t *feedbackTx) SaveNote(n feedback.Note) {
	if !t.own("note", n.OrgID) {
		return
	}
	t.settle()
	t.keep(t.q.SaveNote(t.ctx, db.SaveNoteParams{
		OrgID: t.cause.OrgID, NoteID: n.ID, AuthorID: n.AuthorID, ReceiverID: n.ReceiverID, Text: n.Text, State: string(n.State),
		ActionText: n.Action.Text, ActionDue: dateOrNull(n.Action.Due), ActionProposedBy: idOrNull(n.Action.ProposedBy),
		ActionAuthorOk: n.Action.AuthorOK, ActionReceiverOk: n.Action.ReceiverOK, SaidAt: n.At, EditedAt: timeOrNull(n.EditedAt),
		ClosedAt: timeOrNull(n.ClosedAt), NextFollowUpAt: timeOrNull(n.NextFollowUp),
	}))
}

func (t *feedbackTx) SaveAsk(a feedback.Ask) {
	if !t.own("ask", a.OrgID) {
		return
	}
	n := len(a.Asked)
	row := db.SaveAskParams{
		OrgID: t.cause.OrgID, AskID: a.ID, AuthorID: a.AuthorID, About: a.About, SaidAt: a.At, WithdrawnAt: timeOrNull(a.WithdrawnAt),
		Asked: make([]uuid.UUID, n), Answers: make([]string, n), Answered: make([]time.Time, n), Declined: make([]time.Time, n),
	}
	for i, one := range a.Asked {
		row.Asked[i], row.Answers[i], row.Answered[i], row.Declined[i] = one.PersonID, one.Answer, one.AnsweredAt, one.DeclinedAt
	}
	t.settle()
	t.keep(t.q.SaveAsk(t.ctx, row))
}

func (t *feedbackTx) SaveKeyEvent(k feedback.KeyEvent) {
	if !t.own("key event", k.OrgID) {
		return
	}
	t.settle()
	t.keep(t.q.SaveKeyEvent(t.ctx, db.SaveKeyEventParams{
		OrgID: t.cause.OrgID, KeyEventID: k.ID, PersonID: k.PersonID, Text: k.Text, Link: k.Link, HappenedOn: k.On, SaidAt: k.At,
		WithdrawnAt: timeOrNull(k.WithdrawnAt),
	}))
}

func (t *feedbackTx) Tell(notices ...notice.Notice) {
	for _, n := range notices {
		if t.own("notice", n.OrgID) {
			t.notices = append(t.notices, n)
		}
	}
}

func (t *feedbackTx) Log(e audit.Entry) {
	if t.own("audit entry", e.OrgID) {
		t.entries = append(t.entries, e)
	}
}

// settle gathers the guards, and the praise that has waited behind them.
func (t *feedbackTx) settle() {
	if t.open {
		return
	}
	t.open = true
	t.keep(guard(t.ctx, t.q, t.cause))
	if t.given != nil {
		t.replace(*t.given)
		t.given = nil
	}
}

// finish gathers what is written last: notices in one statement, then the audit log, whose lock is held for as short as can be.
func (t *feedbackTx) finish() error {
	if t.given != nil {
		t.keep(t.give(*t.given))
	} else {
		t.settle()
		if len(t.notices) > 0 {
			t.keep(t.q.Tell(t.ctx, noticeColumns(t.cause.OrgID, t.notices)))
		}
	}
	if len(t.entries) > 0 && t.err == nil {
		t.keep(chain(t.ctx, t.q, t.cause.OrgID, t.entries))
	}
	return t.err
}

// own keeps a unit of work within its firm.
func (t *feedbackTx) own(what string, orgID uuid.UUID) bool {
	if orgID != t.cause.OrgID {
		t.keep(fmt.Errorf("a %s of organisation %s in a unit of work of %s", what, orgID, t.cause.OrgID))
	}
	return orgID == t.cause.OrgID
}

func (t *feedbackTx) keep(err error) {
	if t.err == nil {
		t.err = err
	}
}

func praise(r db.PraiseRow) feedback.Praise {
	p := feedback.Praise{
		OrgID: r.OrgID, ID: r.PraiseID, AuthorID: r.AuthorID, Text: r.Text, Tags: some(r.Tags), Channel: r.Channel,
		At: r.SaidAt.UTC(), EditedAt: r.EditedAt.Time.UTC(), WithdrawnAt: r.WithdrawnAt.Time.UTC(),
		Receivers: make([]feedback.Receiver, len(r.Receivers)),
	}
	for i, id := range r.Receivers {
		p.Receivers[i] = feedback.Receiver{PersonID: id, ThankedAt: r.Thanked[i].UTC()}
	}
	return p
}

func note(r db.Note) feedback.Note {
	return feedback.Note{
		OrgID: r.OrgID, ID: r.NoteID, AuthorID: r.AuthorID, ReceiverID: r.ReceiverID, Text: r.Text, State: feedback.NoteState(r.State),
		Action: feedback.Action{
			Text: r.ActionText, Due: r.ActionDue.Time, ProposedBy: r.ActionProposedBy.UUID, AuthorOK: r.ActionAuthorOk, ReceiverOK: r.ActionReceiverOk,
		},
		At: r.SaidAt.UTC(), EditedAt: r.EditedAt.Time.UTC(), ClosedAt: r.ClosedAt.Time.UTC(), NextFollowUp: r.NextFollowUpAt.Time.UTC(),
	}
}

func ask(r db.AskRow) feedback.Ask {
	a := feedback.Ask{
		OrgID: r.OrgID, ID: r.AskID, AuthorID: r.AuthorID, About: r.About, At: r.SaidAt.UTC(), WithdrawnAt: r.WithdrawnAt.Time.UTC(),
		Asked: make([]feedback.Asked, len(r.Asked)),
	}
	for i, id := range r.Asked {
		a.Asked[i] = feedback.Asked{PersonID: id, Answer: r.Answers[i], AnsweredAt: r.Answered[i].UTC(), DeclinedAt: r.Declined[i].UTC()}
	}
	return a
}

func keyEvent(r db.KeyEvent) feedback.KeyEvent {
	return feedback.KeyEvent{
		OrgID: r.OrgID, ID: r.KeyEventID, PersonID: r.PersonID, Text: r.Text, Link: r.Link, On: r.HappenedOn, At: r.SaidAt.UTC(),
		WithdrawnAt: r.WithdrawnAt.Time.UTC(),
	}
}
