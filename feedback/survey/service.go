package survey

import (
	"context"
	"crypto/hmac"
	"crypto/hpke"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"huiyin/internal/fault"
	"huiyin/internal/people"
)

// Service is the use cases of surveys. The actor is cause.Actor; uuid.Nil is the program itself, whose schedule closes, releases and
// destroys.
type Service struct {
	Store Store
	Keys  Keys
	NewID func() uuid.UUID // time-ordered; for cycles, never for anything that is released
}

// Start opens a cycle: roster, questions and policy freeze, the key is made, and everybody who is asked is told. draft needs a kind, a
// name, the close and a policy.
func (s *Service) Start(ctx context.Context, dir *people.Directory, cause people.Cause, draft Cycle, roster Roster) (Cycle, error) {
	if err := mayRun(dir, cause.Actor); err != nil {
		return Cycle{}, err
	}
	if err := checkRoster(dir, draft.Kind, roster); err != nil {
		return Cycle{}, err
	}
	c := draft
	c.OrgID, c.State, c.Key = cause.OrgID, Draft, Key{State: NoKey}
	if c.ID == uuid.Nil {
		c.ID = s.NewID()
	}
	c.Policy.Roster = roster.Sum()
	if err := c.open(cause.At); err != nil {
		return Cycle{}, err
	}
	if err := s.checkGap(ctx, c, roster, cause.At); err != nil {
		return Cycle{}, err
	}
	ref := s.NewID().String() // of its own: a start that failed has used up its name
	public, err := s.Keys.Create(ctx, ref)
	if err != nil {
		return Cycle{}, err
	}
	c.Key = Key{Ref: ref, Public: public, State: Live}
	c.Key.MAC = s.mac(c)
	err = s.Store.InTx(ctx, cause, func(tx Tx) error {
		tx.SaveCycle(c)
		tx.SaveRoster(c.ID, roster)
		tx.Tell(c.ID, NewsOpened)
		tx.Log("survey.opened", c.ID, map[string]string{"forms": strconv.Itoa(len(roster)), "k": strconv.Itoa(c.Policy.K)})
		return nil
	})
	if err != nil { // a key without a cycle opens nothing, but it need not lie around
		_, gone := s.Keys.Destroy(context.WithoutCancel(ctx), ref, cause.At)
		return Cycle{}, errors.Join(err, gone)
	}
	return c, nil
}

// checkGap refuses what was asked too lately. For a pulse the same people count under every department that they are in: a pulse of the
// firm, of a department and of a part of it are about the same group.
func (s *Service) checkGap(ctx context.Context, c Cycle, roster Roster, now time.Time) error {
	var subjects, questions []uuid.UUID
	seen := map[uuid.UUID]bool{}
	add := func(id uuid.UUID) {
		if !seen[id] {
			seen[id] = true
			subjects = append(subjects, id)
		}
	}
	units := map[string]bool{}
	for _, a := range roster {
		add(a.Subject)
		if a.Relation == Member && !units[a.Unit] {
			units[a.Unit] = true
			add(UnitID(c.OrgID, ""))
			for up := a.Unit; up != ""; up = above(up) {
				add(UnitID(c.OrgID, up))
			}
		}
	}
	for _, q := range c.Policy.Questionnaire.Questions {
		questions = append(questions, q.ID)
	}
	before, err := s.Store.Asked(ctx, c.OrgID, subjects, questions, now.AddDate(0, 0, -GapDays))
	if err != nil {
		return err
	}
	if from, soon := TooSoon(before, now); soon {
		return fault.New(fault.Conflict, "survey.toosoon", "Days", GapDays, "From", from.Format(time.DateOnly))
	}
	return nil
}

// checkRoster wants assignments that a tally will accept.
func checkRoster(dir *people.Directory, kind Kind, roster Roster) error {
	if len(roster) == 0 {
		return fault.New(fault.Invalid, "survey.roster.empty").In("roster")
	}
	managers := map[uuid.UUID]int{}
	for i, a := range roster {
		if a.Relation == Manager {
			managers[a.Subject]++ // two would be an anonymous group of two
		}
		rater, ok := dir.Person(a.Rater)
		attributed := a.Relation == Self && a.Rater != a.Subject || a.Relation != Self && a.Rater == a.Subject
		switch {
		case !ok || !rater.Active:
			return fault.New(fault.Invalid, "survey.roster.gone").In("roster")
		case !a.Relation.known(kind) || kind == Review && attributed || managers[a.Subject] > 1 || i > 0 && order(roster[i-1], a) >= 0:
			return fault.New(fault.Invalid, "survey.roster.relation").In("roster")
		}
	}
	return nil
}

// Forms lists the actor's own forms.
func (s *Service) Forms(ctx context.Context, dir *people.Directory, cause people.Cause) ([]Form, error) {
	if err := mayAnswer(dir, cause.Actor); err != nil {
		return nil, err
	}
	return s.Store.Forms(ctx, cause.OrgID, cause.Actor)
}

// Invitation gives what the actor is asked about a subject and was promised; a fault of kind Forbidden when they are not asked, whoever
// handed them the form.
func (s *Service) Invitation(ctx context.Context, dir *people.Directory, cause people.Cause, cycle, subject uuid.UUID) (Invitation, error) {
	if err := mayAnswer(dir, cause.Actor); err != nil {
		return Invitation{}, err
	}
	inv, err := s.Store.Invitation(ctx, cause.OrgID, cycle, subject, cause.Actor)
	if fault.Is(err, fault.NotFound) {
		return Invitation{}, fault.New(fault.Forbidden, "survey.notinvited")
	}
	if err != nil {
		return Invitation{}, err
	}
	if inv.Assignment.Rater != cause.Actor || inv.Assignment.Subject != subject {
		return Invitation{}, fault.New(fault.Forbidden, "survey.notinvited")
	}
	return inv, nil
}

// Submit seals the actor's answers about a subject and keeps the ballot; a later one replaces it. Nothing of it is queued, logged,
// audited or told, and nothing can be read back. Faults: Forbidden, Conflict once it is closed, Invalid by question, Duplicate for an
// event that was there before, Unavailable when the key is not the one that the keystore made.
func (s *Service) Submit(ctx context.Context, dir *people.Directory, cause people.Cause, cycle, subject uuid.UUID, answers Answers) error {
	inv, err := s.Invitation(ctx, dir, cause, cycle, subject)
	if err != nil {
		return err
	}
	c := inv.Cycle
	if err := c.Accepts(cause.At); err != nil {
		return err
	}
	if err := s.genuine(c); err != nil {
		return err
	}
	asked := c.Asked(inv.Assignment, inv.Invited)
	for i, q := range c.Policy.Questionnaire.Questions {
		if i < len(answers) && !slices.Contains(asked, i) && !answers[i].blank(q.Kind) {
			return fault.New(fault.Invalid, "survey.answer.unasked").In(questionField(i))
		}
	}
	sealed, err := Seal(c.Key.Public, c.Place(inv.Assignment), c.Policy.Questionnaire, answers)
	if err != nil {
		return err
	}
	b := Ballot{OrgID: c.OrgID, Cycle: c.ID, Subject: subject, Rater: cause.Actor, Sealed: sealed}
	if cause.Event != "" {
		b.Event = s.Keys.MAC("survey event", c.OrgID[:], []byte(cause.Event))
	}
	return s.Store.Cast(ctx, b)
}

// mac ties the public key to the cycle and its frozen policy.
func (s *Service) mac(c Cycle) []byte {
	return s.Keys.MAC("survey key", c.OrgID[:], c.ID[:], c.Key.Public, c.PolicySum[:])
}

// genuine fails closed when key or policy were swapped in the database: an answer sealed to somebody else's key would be theirs.
func (s *Service) genuine(c Cycle) error {
	if !hmac.Equal(s.mac(c), c.Key.MAC) {
		return fault.New(fault.Unavailable, "survey.tampered").Because(&TamperedError{What: "key"})
	}
	if err := c.intact(); err != nil {
		return fault.New(fault.Unavailable, "survey.tampered").Because(err)
	}
	return nil
}

// Extend moves the close to a later time.
func (s *Service) Extend(ctx context.Context, dir *people.Directory, cause people.Cause, id uuid.UUID, to time.Time) (Cycle, error) {
	if err := mayRun(dir, cause.Actor); err != nil {
		return Cycle{}, err
	}
	return s.change(ctx, cause, id, func(c *Cycle) error { return c.extend(to, cause.At) }, "survey.extended", NewsExtended)
}

// Close ends the time for answers. The tally follows in a process of its own, see Release.
func (s *Service) Close(ctx context.Context, dir *people.Directory, cause people.Cause, id uuid.UUID) (Cycle, error) {
	if err := mayRun(dir, cause.Actor); err != nil {
		return Cycle{}, err
	}
	return s.change(ctx, cause, id, func(c *Cycle) error { return c.shut(cause.At) }, "survey.closing", "")
}

// Void ends a cycle without publishing anything: HR cancels it, or the program found that it must not go on.
func (s *Service) Void(ctx context.Context, dir *people.Directory, cause people.Cause, id uuid.UUID, why Reason) (Cycle, error) {
	if err := mayRun(dir, cause.Actor); err != nil {
		return Cycle{}, err
	}
	return s.void(ctx, cause, id, why)
}

func (s *Service) void(ctx context.Context, cause people.Cause, id uuid.UUID, why Reason) (Cycle, error) {
	return s.change(ctx, cause, id, func(c *Cycle) error { return c.cancel(why, cause.At) }, "survey.void", NewsVoid)
}

// change reads a cycle, applies the rule, saves it, writes it to the audit log and tells those concerned.
func (s *Service) change(ctx context.Context, cause people.Cause, id uuid.UUID, rule func(*Cycle) error, act string, news News) (Cycle, error) {
	var c Cycle
	err := s.Store.InTx(ctx, cause, func(tx Tx) (err error) {
		if c, err = tx.Cycle(ctx, id); err != nil {
			return err
		}
		if err := rule(&c); err != nil {
			return err
		}
		tx.SaveCycle(c)
		if news != "" {
			tx.Tell(id, news)
		}
		detail := map[string]string{"state": string(c.State)}
		if c.State == Void {
			detail["reason"] = string(c.Void)
		}
		tx.Log(act, id, detail)
		return nil
	})
	return c, err
}

// Release tallies a closing cycle: ballots are opened, counted and dropped, and what may be known is published, all in one transaction.
// It belongs in a short-lived process. A cycle of which nothing may be published becomes void instead; the Cycle says which.
func (s *Service) Release(ctx context.Context, dir *people.Directory, cause people.Cause, id uuid.UUID) (Cycle, Outcome, error) {
	if err := mayRun(dir, cause.Actor); err != nil {
		return Cycle{}, Outcome{}, err
	}
	c, err := s.Store.Cycle(ctx, cause.OrgID, id)
	if err != nil {
		return Cycle{}, Outcome{}, err
	}
	if !c.State.MayBecome(Released) {
		return Cycle{}, Outcome{}, fault.New(fault.Conflict, "survey.state", "State", string(c.State))
	}
	if !hmac.Equal(s.mac(c), c.Key.MAC) {
		c, err = s.void(ctx, cause, id, Tampered)
		return c, Outcome{}, err
	}
	var outcome Outcome
	err = s.Keys.Tally(ctx, c.Key.Ref, func(private hpke.PrivateKey) error {
		return s.Store.Tally(ctx, cause, id, func(tx TallyTx) (err error) {
			c, outcome, err = s.tally(ctx, cause, tx, private, id)
			return err
		})
	})
	if why, void := voided(err); void {
		c, err = s.void(ctx, cause, id, why)
		return c, Outcome{}, err
	}
	return c, outcome, err
}

func (s *Service) tally(ctx context.Context, cause people.Cause, tx TallyTx, private hpke.PrivateKey, id uuid.UUID) (Cycle, Outcome, error) {
	c, err := tx.Cycle(ctx, id)
	if err != nil {
		return Cycle{}, Outcome{}, err
	}
	if err := c.release(cause.At); err != nil {
		return Cycle{}, Outcome{}, err
	}
	outcome, err := Tally(c, private, tx.Rows(ctx, id), tx)
	if err != nil {
		return Cycle{}, Outcome{}, err
	}
	tx.Empty(id)
	tx.SaveCycle(c)
	tx.Tell(id, NewsReleased)
	tx.Log("survey.released", id, map[string]string{
		"cells": strconv.Itoa(outcome.Cells), "withheld": strconv.Itoa(outcome.Withheld), "rejected": strconv.Itoa(outcome.Rejected),
	})
	return c, outcome, nil
}

// voided says for which reason a failed tally makes a cycle void. Whatever is not here is tried again.
func voided(err error) (Reason, bool) {
	var tampered *TamperedError
	var lost interface{ KeyLost() bool }
	switch {
	case errors.Is(err, ErrTooFew):
		return TooFew, true
	case errors.Is(err, ErrExposed):
		return Unsafe, true
	case errors.As(err, &tampered):
		return Tampered, true
	case errors.As(err, &lost) && lost.KeyLost():
		return KeyLost, true
	}
	return "", false
}

// CloseDue closes every cycle whose time is up. Any number of replicas may call it at once.
func (s *Service) CloseDue(ctx context.Context, now time.Time) error {
	due, err := s.Store.Due(ctx, now, batch)
	if err != nil {
		return err
	}
	var problems []error
	for _, key := range due {
		cause := people.Cause{OrgID: key.OrgID, At: now}
		_, err := s.change(ctx, cause, key.ID, func(c *Cycle) error { return c.shut(now) }, "survey.closing", "")
		if !fault.Is(err, fault.Conflict) { // another replica was faster
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

// DestroyKeys destroys the key of every cycle that has ended, once its end is durable, and after KeyHours in any case. Everybody who
// answered is told, and the evidence goes to the audit log.
func (s *Service) DestroyKeys(ctx context.Context, now time.Time) error {
	pending, err := s.Store.Pending(ctx, batch)
	if err != nil {
		return err
	}
	var problems []error
	for _, c := range pending {
		problems = append(problems, s.destroyKey(ctx, c, now))
	}
	return errors.Join(problems...)
}

func (s *Service) destroyKey(ctx context.Context, c Cycle, now time.Time) error {
	if !c.overdue(now) {
		safe, err := s.Store.Durable(ctx, c.OrgID, c.ID)
		if err != nil || !safe {
			return err
		}
	}
	evidence, err := s.Keys.Destroy(ctx, c.Key.Ref, now)
	if err != nil {
		return err
	}
	cause := people.Cause{OrgID: c.OrgID, At: now}
	err = s.Store.InTx(ctx, cause, func(tx Tx) error {
		c, err := tx.Cycle(ctx, c.ID)
		if err != nil {
			return err
		}
		if err := c.mourn(); err != nil {
			return err
		}
		tx.SaveCycle(c)
		tx.Tell(c.ID, NewsKeyGone)
		tx.Log("survey.keygone", c.ID, evidence)
		return nil
	})
	if fault.Is(err, fault.Conflict) {
		return nil // another replica was faster
	}
	return err
}

// TakeRates takes the day's response rates of every open cycle. day is the date at the firm, midnight UTC.
func (s *Service) TakeRates(ctx context.Context, day time.Time) error {
	running, err := s.Store.Running(ctx)
	if err != nil {
		return err
	}
	var problems []error
	for _, key := range running {
		turnout, err := s.Store.Turnout(ctx, key.OrgID, key.ID)
		if err == nil {
			err = s.Store.SaveRates(ctx, key.OrgID, key.ID, takeRates(day, turnout))
		}
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// batch is how many cycles one pass of the schedule takes.
const batch = 100

// mayRun allows HR, and the program itself.
func mayRun(dir *people.Directory, actor uuid.UUID) error {
	if who, ok := dir.Person(actor); actor == uuid.Nil || ok && who.Active && who.Role == people.HR {
		return nil
	}
	return fault.New(fault.Forbidden, "survey.forbidden")
}

// mayAnswer allows everybody who works at the firm; whether they are asked is the roster's to say.
func mayAnswer(dir *people.Directory, actor uuid.UUID) error {
	if who, ok := dir.Person(actor); ok && who.Active {
		return nil
	}
	return fault.New(fault.Forbidden, "survey.notinvited")
}
