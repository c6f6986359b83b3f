package survey

import (
	"context"
	"crypto/hmac"
	"crypto/hpke"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"huiyin/internal/fault"
	"huiyin/internal/people"
)

// memory is a store for tests: a unit of work is applied as a whole or not at all.
type memory struct {
	Store   // what a test does not need stays nil and would end it
	cycles  map[uuid.UUID]Cycle
	rosters map[uuid.UUID]Roster
	box     map[[3]uuid.UUID][]byte
	events  map[string]bool
	asked   []Asked
	news    []string
	log     []string
	paper   paper
	durable bool
	rates   []DailyRate
	fail    error // of the next unit of work, after fn
}

func newMemory() *memory {
	return &memory{cycles: map[uuid.UUID]Cycle{}, rosters: map[uuid.UUID]Roster{}, box: map[[3]uuid.UUID][]byte{}, events: map[string]bool{}}
}

func (m *memory) Cycle(_ context.Context, orgID, id uuid.UUID) (Cycle, error) {
	c, ok := m.cycles[id]
	if !ok || c.OrgID != orgID {
		return Cycle{}, fault.New(fault.NotFound, "survey.none")
	}
	return c, nil
}

func (m *memory) Invitation(ctx context.Context, orgID, cycle, subject, rater uuid.UUID) (Invitation, error) {
	c, err := m.Cycle(ctx, orgID, cycle)
	if err != nil {
		return Invitation{}, err
	}
	inv := Invitation{Cycle: c, Invited: Invited{Relations: map[Relation]int{}}}
	for _, a := range m.rosters[cycle] {
		if a.Subject == subject {
			inv.Invited.Relations[a.Relation]++
			if a.Rater == rater {
				inv.Assignment = a
			}
		}
	}
	if inv.Assignment.Relation == "" {
		return Invitation{}, fault.New(fault.NotFound, "survey.none")
	}
	return inv, nil
}

func (m *memory) Forms(_ context.Context, _, rater uuid.UUID) ([]Form, error) {
	var out []Form
	for id, roster := range m.rosters {
		for _, a := range roster {
			if a.Rater == rater && m.cycles[id].State == Open {
				out = append(out, Form{id, a.Subject, a.Relation, m.box[[3]uuid.UUID{id, a.Subject, rater}] != nil})
			}
		}
	}
	return out, nil
}

func (m *memory) Cast(_ context.Context, b Ballot) error {
	switch {
	case b.Event != nil && m.events[string(b.Event)]:
		return fault.New(fault.Duplicate, "survey.duplicate")
	case m.cycles[b.Cycle].State != Open:
		return fault.New(fault.Conflict, "survey.closed")
	case len(b.Sealed) != SealedSize:
		return errors.New("the check on the size failed")
	}
	m.events[string(b.Event)] = true
	m.box[[3]uuid.UUID{b.Cycle, b.Subject, b.Rater}] = b.Sealed
	return nil
}

func (m *memory) Asked(context.Context, uuid.UUID, []uuid.UUID, []uuid.UUID, time.Time) ([]Asked, error) {
	return m.asked, nil
}

func (m *memory) Durable(context.Context, uuid.UUID, uuid.UUID) (bool, error) { return m.durable, nil }

func (m *memory) keys(want func(Cycle) bool) []CycleKey {
	var out []CycleKey
	for _, c := range m.cycles {
		if want(c) {
			out = append(out, CycleKey{c.OrgID, c.ID})
		}
	}
	return out
}

func (m *memory) Due(_ context.Context, now time.Time, _ int) ([]CycleKey, error) {
	return m.keys(func(c Cycle) bool { return c.State == Open && !now.Before(c.ClosesAt) }), nil
}

func (m *memory) Running(context.Context) ([]CycleKey, error) {
	return m.keys(func(c Cycle) bool { return c.State == Open }), nil
}

func (m *memory) Pending(context.Context, int) ([]Cycle, error) {
	return slices.DeleteFunc(slices.Collect(maps.Values(m.cycles)), func(c Cycle) bool { return c.Key.State != Pending }), nil
}

func (m *memory) Turnout(_ context.Context, _, cycle uuid.UUID) ([]Turnout, error) {
	return []Turnout{{"", len(m.rosters[cycle]), len(m.box)}, {"A", 5, 5}}, nil
}

func (m *memory) SaveRates(_ context.Context, _, _ uuid.UUID, rates []DailyRate) error {
	m.rates = append(m.rates, rates...)
	return nil
}

// unit is a unit of work of memory.
type unit struct {
	m   *memory
	do  []func()
	out paper
}

func (u *unit) Cycle(_ context.Context, id uuid.UUID) (Cycle, error) {
	c, ok := u.m.cycles[id]
	if !ok {
		return Cycle{}, fault.New(fault.NotFound, "survey.none")
	}
	return c, nil
}

func (u *unit) later(fn func()) { u.do = append(u.do, fn) }

func (u *unit) SaveCycle(c Cycle) {
	u.later(func() {
		u.m.cycles[c.ID] = c
		if c.State == Void {
			clear(u.m.box)
		}
	})
}
func (u *unit) SaveRoster(id uuid.UUID, r Roster) { u.later(func() { u.m.rosters[id] = r }) }
func (u *unit) Tell(_ uuid.UUID, news News) {
	u.later(func() { u.m.news = append(u.m.news, string(news)) })
}
func (u *unit) Empty(uuid.UUID)                  { u.later(func() { clear(u.m.box) }) }
func (u *unit) Cell(c Cell) error                { return u.out.Cell(c) }
func (u *unit) Comment(c PublishedComment) error { return u.out.Comment(c) }
func (u *unit) Log(act string, _ uuid.UUID, detail map[string]string) {
	u.later(func() { u.m.log = append(u.m.log, fmt.Sprint(act, " ", detail)) })
}

func (u *unit) Rows(_ context.Context, cycle uuid.UUID) iter.Seq2[Sealed, error] {
	return func(yield func(Sealed, error) bool) {
		for _, a := range u.m.rosters[cycle] {
			ballot := u.m.box[[3]uuid.UUID{cycle, a.Subject, a.Rater}]
			if !yield(Sealed{a, ballot != nil, ballot}, nil) {
				return
			}
		}
	}
}

func (m *memory) InTx(_ context.Context, _ people.Cause, fn func(Tx) error) error {
	return m.run(func(u *unit) error { return fn(u) })
}

func (m *memory) Tally(_ context.Context, _ people.Cause, _ uuid.UUID, fn func(TallyTx) error) error {
	return m.run(func(u *unit) error { return fn(u) })
}

func (m *memory) run(fn func(*unit) error) error {
	u := &unit{m: m}
	err := fn(u)
	if err == nil && m.fail != nil {
		err, m.fail = m.fail, nil
	}
	if err != nil {
		return err
	}
	for _, do := range u.do {
		do()
	}
	m.paper.cells = append(m.paper.cells, u.out.cells...)
	m.paper.comments = append(m.paper.comments, u.out.comments...)
	return nil
}

// ring keeps keys in memory.
type ring map[string]hpke.PrivateKey

type lost struct{}

func (lost) Error() string { return "lost" }
func (lost) KeyLost() bool { return true }

func (r ring) Create(_ context.Context, ref string) ([]byte, error) {
	kem, _, _ := Suite()
	key, err := kem.GenerateKey()
	if err != nil {
		return nil, err
	}
	r[ref] = key
	return key.PublicKey().Bytes(), nil
}

func (r ring) Tally(_ context.Context, ref string, fn func(hpke.PrivateKey) error) error {
	if r[ref] == nil {
		return fmt.Errorf("lending: %w", lost{})
	}
	return fn(r[ref])
}

func (r ring) Destroy(_ context.Context, ref string, _ time.Time) (map[string]string, error) {
	delete(r, ref)
	return map[string]string{"key": "gone"}, nil
}

func (r ring) MAC(purpose string, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, []byte("secret"))
	fmt.Fprintf(h, "%q %q", purpose, parts)
	return h.Sum(nil)
}

// stage is a firm with a service. 10 is HR, 1 to 8 are people, 9 has left.
type stage struct {
	*Service
	t     *testing.T
	store *memory
	ring  ring
	dir   *people.Directory
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, store: newMemory(), ring: ring{}, dir: firm(t, small)}
	s.Service = &Service{Store: s.store, Keys: s.ring, NewID: func() uuid.UUID { return id(150) }}
	return s
}

func by(actor byte, at time.Time, event string) people.Cause {
	c := people.Cause{OrgID: orgID, At: at, Event: event}
	if actor != 0 {
		c.Actor = id(actor)
	}
	return c
}

// start opens a 360 about 3, rated by everybody else.
func (s *stage) start() Cycle {
	s.t.Helper()
	roster := Roster{{Subject: id(3), Rater: id(3), Relation: Self}, {Subject: id(3), Rater: id(2), Relation: Manager}}
	for _, n := range []byte{1, 4, 5, 6, 7, 8, 10} {
		roster = append(roster, Assignment{Subject: id(3), Rater: id(n), Relation: Peer, Unit: "Sales"})
	}
	slices.SortFunc(roster, order)
	c, err := s.Start(s.t.Context(), s.dir, by(10, noon, ""), Cycle{Kind: Review, ClosesAt: noon.AddDate(0, 0, 7), Policy: DefaultPolicy(Review, ask(Score, Comment))}, roster)
	if err != nil {
		s.t.Fatalf("starting: %v", err)
	}
	return c
}

func (s *stage) submit(actor byte, at time.Time, event string, answers Answers) error {
	return s.Submit(s.t.Context(), s.dir, by(actor, at, event), id(150), id(3), answers)
}

func (s *stage) everybodyAnswers() {
	s.t.Helper()
	for _, n := range []byte{1, 2, 3, 4, 5, 6, 7, 8, 10} {
		if err := s.submit(n, noon.Add(time.Hour), fmt.Sprint("e", n), Answers{{Score: 4}}); err != nil {
			s.t.Fatalf("%d answers: %v", n, err)
		}
	}
}

func (s *stage) want(kind fault.Kind, what string, err error) {
	s.t.Helper()
	if !fault.Is(err, kind) {
		s.t.Errorf("%s gives %v, want a fault of kind %s", what, err, kind)
	}
}

func TestASurveyFromItsStartToTheDeathOfItsKey(t *testing.T) {
	s := newStage(t)
	c := s.start()
	s.everybodyAnswers()
	if err := s.submit(4, noon.Add(2*time.Hour), "again", Answers{{Score: 1}}); err != nil {
		t.Errorf("replacing one's answers: %v", err)
	}
	forms, err := s.Forms(t.Context(), s.dir, by(4, noon, ""))
	if diff := cmp.Diff([]Form{{c.ID, id(3), Peer, true}}, forms); diff != "" || err != nil {
		t.Errorf("forms of 4 (-want +got):\n%s%v", diff, err)
	}
	if err := s.TakeRates(t.Context(), noon); err != nil || len(s.store.rates) != 0 {
		t.Errorf("nine people and five have the rates %v (%v), want none: both are fewer than ten", s.store.rates, err)
	}
	if _, err := s.Extend(t.Context(), s.dir, by(10, noon, ""), c.ID, noon.AddDate(0, 0, 9)); err != nil {
		t.Errorf("extending: %v", err)
	}
	_, err = s.Close(t.Context(), s.dir, by(10, noon.AddDate(0, 0, 8), ""), c.ID)
	s.want(fault.Conflict, "closing before the date that was told", err)
	_, _, err = s.Release(t.Context(), s.dir, by(0, noon, ""), c.ID)
	s.want(fault.Conflict, "releasing an open survey", err)
	if err := s.CloseDue(t.Context(), noon.AddDate(0, 0, 9)); err != nil {
		t.Fatalf("closing on time: %v", err)
	}
	s.want(fault.Conflict, "answering after the close", s.submit(4, noon.AddDate(0, 0, 9), "late", Answers{{Score: 5}}))
	if len(s.store.paper.cells) != 0 {
		t.Error("something was published before the release")
	}
	c, outcome, err := s.Release(t.Context(), s.dir, by(0, noon.AddDate(0, 0, 9), ""), c.ID)
	if err != nil || c.State != Released || outcome.Ballots != 9 || len(s.store.box) != 0 {
		t.Fatalf("releasing gives %s, %+v, %v, with %d ballots left", c.State, outcome, err, len(s.store.box))
	}
	want := []string{"3 manager q1 =4", "3 peer q1 5-7 3.5", "3 self q1 =4"} // six fours and a one: 3.57
	if diff := cmp.Diff(want, s.store.paper.read(c.Policy.Questionnaire)); diff != "" {
		t.Errorf("published (-want +got):\n%s", diff)
	}
	for _, again := range []func() error{
		func() error { _, _, err := s.Release(t.Context(), s.dir, by(0, noon, ""), c.ID); return err },
		func() error { _, err := s.Close(t.Context(), s.dir, by(10, noon, ""), c.ID); return err },
		func() error { _, err := s.Void(t.Context(), s.dir, by(10, noon, ""), c.ID, Cancelled); return err },
		func() error {
			_, err := s.Extend(t.Context(), s.dir, by(10, noon, ""), c.ID, noon.AddDate(0, 0, 20))
			return err
		},
	} {
		s.want(fault.Conflict, "doing anything to a released survey", again())
	}
	if err := s.DestroyKeys(t.Context(), c.EndedAt.Add(time.Hour)); err != nil || len(s.ring) != 1 {
		t.Errorf("before the release is durable there are %d keys (%v), want the one", len(s.ring), err)
	}
	if err := s.DestroyKeys(t.Context(), c.EndedAt.Add(24*time.Hour)); err != nil || len(s.ring) != 0 || s.store.cycles[c.ID].Key.State != Destroyed {
		t.Errorf("after a day there are %d keys and the key is %s (%v)", len(s.ring), s.store.cycles[c.ID].Key.State, err)
	}
	if diff := cmp.Diff([]string{"survey.opened", "survey.extended", "survey.released", "survey.keygone"}, s.store.news); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	log := strings.Join(s.store.log, "\n")
	if n := len(s.store.log); n != 5 || strings.Contains(log, id(4).String()) {
		t.Errorf("the audit log has %d entries, want one for each change of the survey and none for an answer:\n%s", n, log)
	}
}

func TestOnlyHRRunsASurvey(t *testing.T) {
	s := newStage(t)
	c := s.start()
	for _, actor := range []byte{3, 2, 9, 77} {
		who := by(actor, noon, "")
		_, err := s.Start(t.Context(), s.dir, who, draft(), s.store.rosters[c.ID])
		s.want(fault.Forbidden, "starting", err)
		_, err = s.Extend(t.Context(), s.dir, who, c.ID, noon.AddDate(0, 0, 9))
		s.want(fault.Forbidden, "extending", err)
		_, err = s.Close(t.Context(), s.dir, who, c.ID)
		s.want(fault.Forbidden, "closing", err)
		_, _, err = s.Release(t.Context(), s.dir, who, c.ID)
		s.want(fault.Forbidden, "releasing", err)
		_, err = s.Void(t.Context(), s.dir, who, c.ID, Cancelled)
		s.want(fault.Forbidden, "cancelling", err)
	}
}

func TestOnlyTheInvitedAnswerAndOnlyWhatTheyAreAsked(t *testing.T) {
	s := newStage(t)
	c := s.start()
	at := noon.Add(time.Hour)
	s.want(fault.Forbidden, "an answer of somebody who has left", s.submit(9, at, "1", nil))
	s.want(fault.Forbidden, "an answer of a stranger", s.submit(77, at, "2", nil))
	s.want(fault.Forbidden, "an answer of the program", s.submit(0, at, "3", nil))
	s.want(fault.Forbidden, "an answer about somebody whom one was not asked about", s.Submit(t.Context(), s.dir, by(4, at, "4"), c.ID, id(5), nil))
	s.want(fault.Forbidden, "an answer in a survey that is not there", s.Submit(t.Context(), s.dir, by(4, at, "5"), id(99), id(3), nil))
	other := by(4, at, "6")
	other.OrgID = id(77)
	s.want(fault.Forbidden, "an answer from another firm", s.Submit(t.Context(), s.dir, other, c.ID, id(3), nil))
	s.want(fault.Invalid, "words in a group of seven", s.submit(4, at, "7", Answers{{Score: 3}, {Words: "words"}}))
	s.want(fault.Invalid, "a score of nine", s.submit(4, at, "8", Answers{{Score: 9}}))
	s.want(fault.Conflict, "an answer at the close", s.submit(4, c.ClosesAt, "9", Answers{{Score: 3}}))
	if len(s.store.box) != 0 {
		t.Fatalf("%d ballots were kept", len(s.store.box))
	}
	if err := s.submit(2, at, "10", Answers{{Score: 3}, {Words: "the manager may write"}}); err != nil {
		t.Errorf("the manager writes: %v", err)
	}
	s.want(fault.Duplicate, "the same event again", s.submit(2, at, "10", Answers{{Score: 1}}))
	for event := range s.store.events {
		if strings.Contains(event, "10") && len(event) != sha256.Size {
			t.Error("the event's id was kept as it came")
		}
	}
}

// Whoever swaps the key or the policy in the database gets no answer, and whoever did so before the tally gets no figure.
func TestASwappedKeyStopsTheSurvey(t *testing.T) {
	for what, swap := range map[string]func(*Cycle){
		"key":            func(c *Cycle) { c.Key.Public = mustKey(t).PublicKey().Bytes() },
		"policy":         func(c *Cycle) { c.Policy.K = 4 },
		"policy and sum": func(c *Cycle) { c.Policy.K = 4; c.PolicySum, _ = c.Policy.Sum() },
		"MAC":            func(c *Cycle) { c.Key.MAC = nil },
	} {
		s := newStage(t)
		c := s.start()
		s.everybodyAnswers()
		kept := len(s.store.box)
		swapped := s.store.cycles[c.ID]
		swap(&swapped)
		s.store.cycles[c.ID] = swapped
		s.want(fault.Unavailable, "answering with another "+what, s.submit(4, noon.Add(2*time.Hour), "x", Answers{{Score: 1}}))
		if len(s.store.box) != kept {
			t.Errorf("%s: a ballot was kept", what)
		}
		if err := s.CloseDue(t.Context(), c.ClosesAt); err != nil {
			t.Fatal(err)
		}
		c, _, err := s.Release(t.Context(), s.dir, by(0, noon, ""), c.ID)
		if err != nil || c.State != Void || c.Void != Tampered || len(s.store.paper.cells) != 0 {
			t.Errorf("another %s: the survey is %s because %q (%v) with %d figures, want void, tampered, none", what, c.State, c.Void, err, len(s.store.paper.cells))
		}
	}
}

func TestALostKeyOrTooFewAnswersMakeTheSurveyVoidAndEverybodyIsTold(t *testing.T) {
	for why, before := range map[Reason]func(*stage){
		KeyLost: func(s *stage) { s.everybodyAnswers(); clear(s.ring) },
		TooFew:  func(s *stage) {},
	} {
		s := newStage(t)
		c := s.start()
		before(s)
		if err := s.CloseDue(t.Context(), c.ClosesAt); err != nil {
			t.Fatal(err)
		}
		c, _, err := s.Release(t.Context(), s.dir, by(0, c.ClosesAt, ""), c.ID)
		if err != nil || c.State != Void || c.Void != why || len(s.store.box) != 0 || len(s.store.paper.cells) != 0 {
			t.Errorf("%s: the survey is %s because %q (%v), with %d ballots and %d figures", why, c.State, c.Void, err, len(s.store.box), len(s.store.paper.cells))
		}
		s.store.durable = true
		if err := s.DestroyKeys(t.Context(), noon); err != nil || len(s.ring) != 0 || s.store.cycles[c.ID].Key.State != Destroyed {
			t.Errorf("%s: the key is %s afterwards (%v)", why, s.store.cycles[c.ID].Key.State, err)
		}
		if diff := cmp.Diff([]string{"survey.opened", "survey.void", "survey.keygone"}, s.store.news); diff != "" {
			t.Errorf("%s: told (-want +got):\n%s", why, diff)
		}
	}
}

// A store that fails at the end of a tally leaves everything as it was, and the tally can be done again.
func TestAFailedTallyLeavesTheSurveyClosing(t *testing.T) {
	s := newStage(t)
	c := s.start()
	s.everybodyAnswers()
	if err := s.CloseDue(t.Context(), c.ClosesAt); err != nil {
		t.Fatal(err)
	}
	s.store.fail = fault.New(fault.Unavailable, "storage.away")
	_, _, err := s.Release(t.Context(), s.dir, by(0, c.ClosesAt, ""), c.ID)
	s.want(fault.Unavailable, "a store that goes away", err)
	if state := s.store.cycles[c.ID].State; state != Closing || len(s.store.box) != 9 || len(s.store.paper.cells) != 0 || len(s.ring) != 1 {
		t.Errorf("then the survey is %s with %d ballots, %d figures and %d keys", state, len(s.store.box), len(s.store.paper.cells), len(s.ring))
	}
	if c, _, err := s.Release(t.Context(), s.dir, by(0, c.ClosesAt, ""), c.ID); err != nil || c.State != Released {
		t.Errorf("doing it again gives %s (%v)", c.State, err)
	}
}

func TestWhatCannotBeStartedLeavesNoKey(t *testing.T) {
	for what, tt := range map[string]struct {
		kind   fault.Kind
		change func(*stage, *Cycle, *Roster)
	}{
		"nobody asked":                 {fault.Invalid, func(_ *stage, _ *Cycle, r *Roster) { *r = nil }},
		"somebody who has left":        {fault.Invalid, func(_ *stage, _ *Cycle, r *Roster) { (*r)[0].Rater = id(9) }},
		"two managers":                 {fault.Invalid, func(_ *stage, _ *Cycle, r *Roster) { (*r)[0].Relation, (*r)[1].Relation = Manager, Manager }},
		"a self that is somebody else": {fault.Invalid, func(_ *stage, _ *Cycle, r *Roster) { (*r)[0].Relation = Self }},
		"a member in a 360":            {fault.Invalid, func(_ *stage, _ *Cycle, r *Roster) { (*r)[0].Relation = Member }},
		"a pair twice":                 {fault.Invalid, func(_ *stage, _ *Cycle, r *Roster) { (*r)[1] = (*r)[0] }},
		"k of three":                   {fault.Invalid, func(_ *stage, c *Cycle, _ *Roster) { c.Policy.K = 3 }},
		"a month":                      {fault.Invalid, func(_ *stage, c *Cycle, _ *Roster) { c.ClosesAt = noon.AddDate(0, 0, 30) }},
		"questions asked last month": {fault.Conflict, func(s *stage, _ *Cycle, _ *Roster) {
			s.store.asked = []Asked{{Subject: id(3), ReleasedAt: noon.AddDate(0, 0, -30)}}
		}},
		"a store that is away": {fault.Unavailable, func(s *stage, _ *Cycle, _ *Roster) { s.store.fail = fault.New(fault.Unavailable, "storage.away") }},
	} {
		s := newStage(t)
		var roster Roster
		for _, n := range []byte{1, 4, 5, 6, 7, 8} {
			roster = append(roster, Assignment{Subject: id(3), Rater: id(n), Relation: Peer})
		}
		c := draft()
		tt.change(s, &c, &roster)
		_, err := s.Start(t.Context(), s.dir, by(10, noon, ""), c, roster)
		s.want(tt.kind, what, err)
		if len(s.ring) != 0 || len(s.store.cycles) != 0 {
			t.Errorf("%s: %d keys and %d cycles are left", what, len(s.ring), len(s.store.cycles))
		}
	}
}

// A pulse of the firm and one of a part of it ask the same people.
func TestAPulseOfAPartIsTheSameGroup(t *testing.T) {
	s := newStage(t)
	roster, _ := BuildPulse(s.dir, PulseWish{Department: "Sales", K: 5})
	c := Cycle{Kind: Pulse, ClosesAt: noon.AddDate(0, 0, 7), Policy: DefaultPolicy(Pulse, ask(Score))}
	asks := &askedOf{memory: s.store}
	s.Store = asks
	if _, err := s.Start(t.Context(), s.dir, by(10, noon, ""), c, roster); err != nil {
		t.Fatal(err)
	}
	for _, unit := range []string{"", "Sales", "Sales/East", "Sales/West"} {
		if !slices.Contains(asks.subjects, UnitID(orgID, unit)) {
			t.Errorf("an earlier pulse of %q is not looked for", unit)
		}
	}
	if len(asks.subjects) != 4 {
		t.Errorf("%d subjects are looked for, want 4", len(asks.subjects))
	}
}

// askedOf notes what is looked for.
type askedOf struct {
	*memory
	subjects []uuid.UUID
}

func (a *askedOf) Asked(_ context.Context, _ uuid.UUID, subjects, _ []uuid.UUID, _ time.Time) ([]Asked, error) {
	a.subjects = subjects
	return nil, nil
}
