package feedback

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"huiyin/internal/audit"
	"huiyin/internal/fault"
	"huiyin/internal/notice"
	"huiyin/internal/people"
)

// Service is the use cases of feedback. Every method takes the cause it answers to, and those that decide on who somebody is take the
// directory: the write is refused when that directory is outdated.
type Service struct {
	Store Store
	NewID func() uuid.UUID // time-ordered
}

// PraiseDraft is a praise as it was asked for.
type PraiseDraft struct {
	Receivers []uuid.UUID
	Text      string
	Tags      []string
	Channel   string // where to post it as well; empty: nowhere
}

// Praise records a praise and tells every receiver.
func (s *Service) Praise(ctx context.Context, dir *people.Directory, cause people.Cause, d PraiseDraft) (Praise, error) {
	p := Praise{OrgID: cause.OrgID, ID: s.NewID(), AuthorID: cause.Actor, Channel: d.Channel, At: cause.At}
	receivers, bad := checkReceivers(dir, cause.Actor, people.GivePraise, d.Receivers)
	text, empty := checkText("text", d.Text, MaxText)
	tags, long := checkTags(d.Tags)
	if err := fault.Join(bad, empty, long); err != nil {
		return Praise{}, err
	}
	p.Text, p.Tags = text, tags
	for _, r := range receivers {
		p.Receivers = append(p.Receivers, Receiver{PersonID: r})
	}
	err := s.Store.InTx(ctx, cause, func(tx Tx) error {
		tx.SavePraise(p)
		for _, r := range receivers {
			tx.Tell(s.notice(cause, notice.PraiseReceived, r, p.ID))
		}
		if p.Channel != "" {
			post := s.notice(cause, notice.PraisePosted, uuid.Nil, p.ID)
			post.Channel = p.Channel
			tx.Tell(post)
		}
		return nil
	})
	return p, err
}

// EditPraise changes the words and tags of one's own praise within the window; the messages already sent are redrawn.
func (s *Service) EditPraise(ctx context.Context, cause people.Cause, id uuid.UUID, text string, tags []string) (Praise, error) {
	var p Praise
	err := s.Store.InTx(ctx, cause, func(tx Tx) (err error) {
		if p, err = tx.Praise(ctx, id); err != nil {
			return err
		}
		if err := p.Changeable(cause.Actor, cause.At); err != nil {
			return err
		}
		text, empty := checkText("text", text, MaxText)
		tags, long := checkTags(tags)
		if err := fault.Join(empty, long); err != nil {
			return err
		}
		p.Text, p.Tags, p.EditedAt = text, tags, cause.At
		tx.SavePraise(p)
		tx.Tell(s.notice(cause, notice.PraiseChanged, uuid.Nil, p.ID))
		tx.Log(s.entry(cause, "praise.edited", p.ID, uuid.Nil))
		return nil
	})
	return p, err
}

// WithdrawPraise takes one's own praise back within the window.
func (s *Service) WithdrawPraise(ctx context.Context, cause people.Cause, id uuid.UUID) (Praise, error) {
	var p Praise
	err := s.Store.InTx(ctx, cause, func(tx Tx) (err error) {
		if p, err = tx.Praise(ctx, id); err != nil {
			return err
		}
		if err := p.Changeable(cause.Actor, cause.At); err != nil {
			return err
		}
		p.WithdrawnAt = cause.At
		tx.SavePraise(p)
		tx.Tell(s.notice(cause, notice.PraiseChanged, uuid.Nil, p.ID))
		tx.Log(s.entry(cause, "praise.withdrawn", p.ID, uuid.Nil))
		return nil
	})
	return p, err
}

// Thank gives a receiver's thanks back to the author, once.
func (s *Service) Thank(ctx context.Context, cause people.Cause, id uuid.UUID) (Praise, error) {
	var p Praise
	err := s.Store.InTx(ctx, cause, func(tx Tx) (err error) {
		if p, err = tx.Praise(ctx, id); err != nil {
			return err
		}
		changed, err := p.Thank(cause.Actor, cause.At)
		if err != nil || !changed {
			return err
		}
		tx.SavePraise(p)
		tx.Tell(s.notice(cause, notice.PraiseThanked, p.AuthorID, p.ID))
		return nil
	})
	return p, err
}

// Note records a private corrective note for someone of the author's reporting line and tells that person alone.
func (s *Service) Note(ctx context.Context, dir *people.Directory, cause people.Cause, receiver uuid.UUID, text string) (Note, error) {
	if receiver == cause.Actor {
		return Note{}, fault.New(fault.Invalid, "feedback.receiver.self").In("receivers")
	}
	if !people.May(dir, cause.Actor, people.WriteNote, receiver) {
		return Note{}, fault.New(fault.Forbidden, "people.forbidden."+string(people.WriteNote)).In("receivers")
	}
	text, empty := checkText("text", text, MaxText)
	if empty != nil {
		return Note{}, empty
	}
	n := Note{OrgID: cause.OrgID, ID: s.NewID(), AuthorID: cause.Actor, ReceiverID: receiver, Text: text, State: NoteOpen, At: cause.At}
	err := s.Store.InTx(ctx, cause, func(tx Tx) error {
		tx.SaveNote(n)
		tx.Tell(s.notice(cause, notice.NoteReceived, receiver, n.ID))
		tx.Log(s.entry(cause, "note.written", n.ID, receiver))
		return nil
	})
	return n, err
}

// EditNote changes the words of one's own note within the window.
func (s *Service) EditNote(ctx context.Context, cause people.Cause, id uuid.UUID, text string) (Note, error) {
	return s.changeNote(ctx, cause, id, func(n *Note) (bool, error) {
		if err := n.Changeable(cause.Actor, cause.At); err != nil {
			return false, err
		}
		text, empty := checkText("text", text, MaxText)
		if empty != nil {
			return false, empty
		}
		n.Text, n.EditedAt = text, cause.At
		return true, nil
	}, "note.edited", notice.NoteChanged)
}

// WithdrawNote takes one's own note back.
func (s *Service) WithdrawNote(ctx context.Context, cause people.Cause, id uuid.UUID) (Note, error) {
	return s.changeNote(ctx, cause, id, func(n *Note) (bool, error) { return n.Withdraw(cause.Actor, cause.At) },
		"note.withdrawn", notice.NoteWithdrawn, notice.NoteChanged)
}

// ProposeAction puts one action and a day on the table, for the other side to agree. today is the day at the actor's place.
func (s *Service) ProposeAction(ctx context.Context, cause people.Cause, id uuid.UUID, text string, due, today time.Time) (Note, error) {
	return s.changeNote(ctx, cause, id, func(n *Note) (bool, error) { return true, n.Propose(cause.Actor, text, due, today) },
		"note.proposed", notice.NoteProposed, notice.NoteChanged)
}

// AgreeAction is the other side's yes; both are told, and the bot follows up on the day at ten in the receiver's zone.
func (s *Service) AgreeAction(ctx context.Context, dir *people.Directory, cause people.Cause, id uuid.UUID, terms string) (Note, error) {
	return s.changeNote(ctx, cause, id, func(n *Note) (bool, error) {
		return n.Agree(cause.Actor, terms, followUpTime(dir, *n))
	}, "note.agreed", notice.NoteAgreed, notice.NoteChanged)
}

// FinishNote closes a note as done.
func (s *Service) FinishNote(ctx context.Context, cause people.Cause, id uuid.UUID) (Note, error) {
	return s.changeNote(ctx, cause, id, func(n *Note) (bool, error) { return n.Finish(cause.Actor, cause.At) },
		"note.done", notice.NoteDone, notice.NoteChanged)
}

// changeNote reads a note, applies the rule, and when it changed something saves it, tells the other side and redraws what was sent.
func (s *Service) changeNote(ctx context.Context, cause people.Cause, id uuid.UUID, rule func(*Note) (bool, error), act string, kinds ...notice.Kind) (Note, error) {
	var n Note
	err := s.Store.InTx(ctx, cause, func(tx Tx) (err error) {
		if n, err = tx.Note(ctx, id); err != nil {
			return err
		}
		changed, err := rule(&n)
		if err != nil || !changed {
			return err
		}
		tx.SaveNote(n)
		for _, kind := range kinds {
			to := n.Other(cause.Actor)
			if notice.Kinds()[kind] == notice.Refresh {
				to = uuid.Nil
			}
			tx.Tell(s.notice(cause, kind, to, n.ID))
		}
		tx.Log(s.entry(cause, act, n.ID, n.ReceiverID))
		return nil
	})
	return n, err
}

// FollowUp tells both sides of every note whose day has come, and plans the next time. Any number of replicas may call it at once: each
// occurrence is told once.
func (s *Service) FollowUp(ctx context.Context, now time.Time) error {
	const batch = 200
	for {
		due, err := s.Store.DueFollowUps(ctx, now, batch)
		if err != nil {
			return err
		}
		var problems []error // one note that cannot be followed up stops no other
		for _, key := range due {
			cause := people.Cause{OrgID: key.OrgID, At: now}
			err := s.Store.InTx(ctx, cause, func(tx Tx) error {
				n, err := tx.Note(ctx, key.ID)
				if err != nil {
					return err
				}
				if n.FollowUp(now) {
					tx.SaveNote(n)
					tx.Tell(s.notice(cause, notice.NoteFollowUp, n.ReceiverID, n.ID), s.notice(cause, notice.NoteFollowUp, n.AuthorID, n.ID))
				}
				return nil
			})
			if fault.Is(err, fault.Unavailable) || ctx.Err() != nil {
				return err
			}
			if err != nil {
				problems = append(problems, err)
			}
		}
		if len(due) < batch || len(problems) > 0 {
			return errors.Join(problems...)
		}
	}
}

// Ask puts a question to colleagues.
func (s *Service) Ask(ctx context.Context, dir *people.Directory, cause people.Cause, whom []uuid.UUID, about string) (Ask, error) {
	receivers, bad := checkReceivers(dir, cause.Actor, people.AskFeedback, whom)
	about, empty := checkText("text", about, MaxText)
	if err := fault.Join(bad, empty); err != nil {
		return Ask{}, err
	}
	a := Ask{OrgID: cause.OrgID, ID: s.NewID(), AuthorID: cause.Actor, About: about, At: cause.At}
	for _, r := range receivers {
		a.Asked = append(a.Asked, Asked{PersonID: r})
	}
	err := s.Store.InTx(ctx, cause, func(tx Tx) error {
		tx.SaveAsk(a)
		for _, r := range receivers {
			tx.Tell(s.notice(cause, notice.AskReceived, r, a.ID))
		}
		return nil
	})
	return a, err
}

// Answer records an answer and tells the one who asked.
func (s *Service) Answer(ctx context.Context, cause people.Cause, id uuid.UUID, text string) (Ask, error) {
	return s.changeAsk(ctx, cause, id, func(a *Ask) (bool, error) { return true, a.Reply(cause.Actor, text, cause.At) }, notice.AskAnswered)
}

// DeclineAsk says "not this time" and tells the one who asked.
func (s *Service) DeclineAsk(ctx context.Context, cause people.Cause, id uuid.UUID) (Ask, error) {
	return s.changeAsk(ctx, cause, id, func(a *Ask) (bool, error) { return a.Decline(cause.Actor, cause.At) }, notice.AskDeclined)
}

// WithdrawAsk takes the question back; what was answered stays.
func (s *Service) WithdrawAsk(ctx context.Context, cause people.Cause, id uuid.UUID) (Ask, error) {
	return s.changeAsk(ctx, cause, id, func(a *Ask) (bool, error) { return a.Withdraw(cause.Actor, cause.At) }, notice.AskChanged)
}

func (s *Service) changeAsk(ctx context.Context, cause people.Cause, id uuid.UUID, rule func(*Ask) (bool, error), kind notice.Kind) (Ask, error) {
	var a Ask
	err := s.Store.InTx(ctx, cause, func(tx Tx) (err error) {
		if a, err = tx.Ask(ctx, id); err != nil {
			return err
		}
		changed, err := rule(&a)
		if err != nil || !changed {
			return err
		}
		tx.SaveAsk(a)
		if notice.Kinds()[kind] == notice.Refresh {
			tx.Tell(s.notice(cause, kind, uuid.Nil, a.ID))
			return nil
		}
		tx.Tell(s.notice(cause, kind, a.AuthorID, a.ID), s.notice(cause, notice.AskChanged, cause.Actor, a.ID))
		return nil
	})
	return a, err
}

// LogEvent records a key event of the actor's own. on is the day it happened.
func (s *Service) LogEvent(ctx context.Context, dir *people.Directory, cause people.Cause, text, link string, on time.Time) (KeyEvent, error) {
	if err := people.Check(dir, cause.Actor, people.LogEvent, cause.Actor); err != nil {
		return KeyEvent{}, err
	}
	text, empty := checkText("text", text, MaxText)
	link, bad := checkLink(link)
	var future *fault.Fault
	if Day(on).After(Day(cause.At).AddDate(0, 0, 1)) {
		future = fault.New(fault.Invalid, "feedback.event.future").In("on")
	}
	if err := fault.Join(empty, bad, future); err != nil {
		return KeyEvent{}, err
	}
	k := KeyEvent{OrgID: cause.OrgID, ID: s.NewID(), PersonID: cause.Actor, Text: text, Link: link, On: Day(on), At: cause.At}
	err := s.Store.InTx(ctx, cause, func(tx Tx) error {
		tx.SaveKeyEvent(k)
		return nil
	})
	return k, err
}

// WithdrawEvent takes a key event off the record within the window.
func (s *Service) WithdrawEvent(ctx context.Context, cause people.Cause, id uuid.UUID) (KeyEvent, error) {
	var k KeyEvent
	err := s.Store.InTx(ctx, cause, func(tx Tx) (err error) {
		if k, err = tx.KeyEvent(ctx, id); err != nil {
			return err
		}
		changed, err := k.Withdraw(cause.Actor, cause.At)
		if err == nil && changed {
			tx.SaveKeyEvent(k)
		}
		return err
	})
	return k, err
}

// List gives a page of a person's feedback and the counts by month, to that person, their reporting line and HR (row S1-33). A look at
// somebody else's is written to the audit log.
func (s *Service) List(ctx context.Context, dir *people.Directory, cause people.Cause, q Query) ([]Entry, bool, []Month, error) {
	if err := people.Check(dir, cause.Actor, people.SeeFeedback, q.Person); err != nil {
		return nil, false, nil, err
	}
	q.OrgID, q.Directory = cause.OrgID, dir.Version()
	about, _ := dir.Person(q.Person)
	entries, more, err := s.Store.Entries(ctx, q)
	if err != nil {
		return nil, false, nil, err
	}
	months, err := s.Store.Months(ctx, q, dir.Location(about))
	if err != nil {
		return nil, false, nil, err
	}
	if q.Side == Given && q.Person != cause.Actor { // a note is seen by its receiver's line, which need not be its author's
		entries = slices.DeleteFunc(entries, func(e Entry) bool {
			return e.Kind == NoteEntry && !slices.ContainsFunc(e.To, func(to uuid.UUID) bool { return people.May(dir, cause.Actor, people.SeeFeedback, to) })
		})
	}
	if q.Person != cause.Actor && q.Before.At.IsZero() {
		look := cause
		look.Event = "" // looking again is no repetition
		err = s.Store.InTx(ctx, look, func(tx Tx) error {
			tx.Log(s.entry(cause, "feedback.viewed", uuid.Nil, q.Person))
			return nil
		})
	}
	return entries, more, months, err
}

// Values lists the firm's values.
func (s *Service) Values(ctx context.Context, orgID uuid.UUID) ([]Value, error) {
	return s.Store.Values(ctx, orgID)
}

// SaveValues replaces the firm's values; HR and administrators may.
func (s *Service) SaveValues(ctx context.Context, dir *people.Directory, cause people.Cause, values []Value) error {
	if err := people.Check(dir, cause.Actor, people.ConfigureFirm, uuid.Nil); err != nil {
		return err
	}
	if len(values) > 20 {
		return fault.New(fault.Invalid, "feedback.values.many", "Most", 20).In("values")
	}
	for _, v := range values {
		if _, bad := checkTags([]string{v.Name, v.NameEn}); bad != nil {
			return bad.In("values")
		}
	}
	return s.Store.SaveValues(ctx, cause, values)
}

func (s *Service) notice(cause people.Cause, kind notice.Kind, to, subject uuid.UUID) notice.Notice {
	return notice.Notice{OrgID: cause.OrgID, ID: s.NewID(), Kind: kind, To: to, Subject: subject, Due: cause.At}
}

func (s *Service) entry(cause people.Cause, act string, subject, about uuid.UUID) audit.Entry {
	return audit.Entry{OrgID: cause.OrgID, At: cause.At, Actor: cause.Actor, Act: act, Subject: subject, About: about}
}

// checkReceivers wants one to MaxReceivers different active people other than the actor, to whom the actor may do it.
func checkReceivers(dir *people.Directory, actor uuid.UUID, do people.Act, ids []uuid.UUID) ([]uuid.UUID, *fault.Fault) {
	var out []uuid.UUID
	for _, id := range ids {
		p, ok := dir.Person(id)
		switch {
		case !ok:
			return nil, fault.New(fault.NotFound, "feedback.receiver.unknown").In("receivers")
		case id == actor:
			return nil, fault.New(fault.Invalid, "feedback.receiver.self").In("receivers")
		case !p.Active:
			return nil, fault.New(fault.Invalid, "feedback.receiver.gone", "Name", p.Name).In("receivers")
		case !people.May(dir, actor, do, id):
			return nil, fault.New(fault.Forbidden, "people.forbidden."+string(do))
		case !slices.Contains(out, id):
			out = append(out, id)
		}
	}
	switch {
	case len(out) == 0:
		return nil, fault.New(fault.Invalid, "feedback.receiver.none").In("receivers")
	case len(out) > MaxReceivers:
		return nil, fault.New(fault.Invalid, "feedback.receiver.many", "Most", MaxReceivers).In("receivers")
	}
	return out, nil
}

// followUpTime is ten in the morning of the agreed day at the receiver's place.
func followUpTime(dir *people.Directory, n Note) time.Time {
	receiver, _ := dir.Person(n.ReceiverID)
	y, m, d := n.Action.Due.Date()
	return time.Date(y, m, d, 10, 0, 0, 0, dir.Location(receiver))
}
