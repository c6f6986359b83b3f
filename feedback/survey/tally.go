package survey

import (
	"bytes"
	"crypto/hpke"
	"errors"
	"fmt"
	"iter"
	"maps"
	"runtime"
	"slices"
	"sync"

	"github.com/google/uuid"
)

// Sealed is one row of the ballot box: who may rate whom, and the ballot if there is one.
type Sealed struct {
	Assignment
	Cast   bool   // what the assignment says
	Ballot []byte // nil: none
}

// Cell is one published figure. Cells are the only numbers that exist after the release: screens and exports show them or what follows
// from them.
type Cell struct {
	Subject  uuid.UUID // whom it is about; the cycle's id for figures over several subjects
	Name     string    // relation, Colleagues, Everybody or UnitCell
	Question uuid.UUID
	Bucket   string // how many people, roughly; empty when attributed
	Shown    Shown
}

// PublishedComment is one comment, with nothing that ties it to another: its id is random, and comments come in random order.
type PublishedComment struct {
	ID       uuid.UUID // version 4
	Subject  uuid.UUID
	Question uuid.UUID
	Theme    int // option Theme-1 of the question; 0: none
	Words    string
}

// Output takes what is published, as it is found. Nothing of it may become visible unless Tally ends without an error.
type Output interface {
	Cell(Cell) error
	Comment(PublishedComment) error
}

// Outcome counts, and says nothing about anybody.
type Outcome struct {
	Subjects int
	Ballots  int // opened
	Rejected int // not opened: moved, cut, changed or forged; the cycle is flagged
	Cells    int
	Withheld int // figures that the auditor held back
	Comments int
}

// ErrTooFew says that fewer than k people answered in the whole cycle. Nothing may be published.
var ErrTooFew = errors.New("fewer people answered than may be shown")

// Tally opens the ballots and gives what the frozen policy lets be known. rows come in order of subject and rater, all of the cycle's
// assignments, with and without ballot; they are read once, and what is kept of them is totals, and the comments about one subject at a
// time. A ballot's bytes must stay as they are until 64 more rows were asked
// for. It fails with a *TamperedError when policy, roster or ballot box are not what they were, with ErrTooFew, with ErrExposed, and
// with what rows and out give. No error holds an answer.
func Tally(c Cycle, private hpke.PrivateKey, rows iter.Seq2[Sealed, error], out Output) (Outcome, error) {
	if err := c.intact(); err != nil {
		return Outcome{}, err
	}
	if !bytes.Equal(private.PublicKey().Bytes(), c.Key.Public) {
		return Outcome{}, &TamperedError{What: "key"}
	}
	t := &tally{cycle: c, private: private, out: out, roster: newRosterSum(), units: map[string][]leaf{}}
	chunk := make([]Sealed, 0, chunkSize)
	for row, err := range rows {
		if err != nil {
			return Outcome{}, fmt.Errorf("reading ballots: %w", err)
		}
		if chunk = append(chunk, row); len(chunk) == chunkSize {
			if err := t.rows(chunk); err != nil {
				return Outcome{}, err
			}
			chunk = chunk[:0]
		}
	}
	if err := t.rows(chunk); err != nil {
		return Outcome{}, err
	}
	if err := t.finish(); err != nil {
		return Outcome{}, err
	}
	return t.outcome, nil
}

type tally struct {
	cycle    Cycle
	private  hpke.PrivateKey
	out      Output
	roster   rosterSum
	last     Assignment
	about    *subject
	units    map[string][]leaf // of a 360: by department of the subjects, for every question; people are subjects
	answered int               // ballots with at least one answer
	outcome  Outcome
}

// subject gathers what was said about one.
type subject struct {
	id       uuid.UUID
	unit     string // of a 360
	invited  map[Relation]int
	answered map[Relation]int
	groups   []map[Relation]sum // by question
	units    map[string][]leaf  // of a pulse: by department of the raters, for every question
	own      map[Relation][]Answers
	comments [][]written // by question
}

// written is a comment before it is known whether it may be published. The relation is forgotten before it is.
type written struct {
	relation Relation
	theme    int
	words    string
}

func (t *tally) questions() []Question { return t.cycle.Policy.Questionnaire.Questions }

// chunkSize is how many ballots are opened at a time, on all processors: opening is nearly all of the work.
const chunkSize = 64

// rows opens ballots side by side and counts them one after the other.
func (t *tally) rows(chunk []Sealed) error {
	opened := make([]Answers, len(chunk)) // nil: does not open
	workers := min(runtime.GOMAXPROCS(0), len(chunk))
	var done sync.WaitGroup
	for first := range workers {
		done.Go(func() {
			for i := first; i < len(chunk); i += workers {
				if r := chunk[i]; r.Ballot != nil {
					answers, err := open(t.private, t.cycle.Place(r.Assignment), t.cycle.Policy.Questionnaire, r.Ballot)
					if err == nil {
						opened[i] = answers
					}
				}
			}
		})
	}
	done.Wait()
	for i, r := range chunk {
		if err := t.row(r, opened[i]); err != nil {
			return err
		}
	}
	return nil
}

// row counts one row of the ballot box. answers is nil when there is no ballot, or one that does not open: that is no ballot either, but
// that there was one is counted.
func (t *tally) row(r Sealed, answers Answers) error {
	if t.about != nil && order(t.last, r.Assignment) >= 0 {
		return &TamperedError{What: "order of the roster"}
	}
	if r.Cast != (r.Ballot != nil) {
		return &TamperedError{What: "ballot box"}
	}
	t.last = r.Assignment
	t.roster.add(r.Assignment)
	if t.about == nil || t.about.id != r.Subject {
		if err := t.publish(); err != nil {
			return err
		}
		t.begin(r.Assignment)
	}
	t.about.invited[r.Relation]++
	switch {
	case r.Ballot == nil:
	case answers == nil:
		t.outcome.Rejected++
	default:
		t.outcome.Ballots++
		t.count(r.Assignment, answers)
	}
	return nil
}

func (t *tally) begin(a Assignment) {
	t.outcome.Subjects++
	n := len(t.questions())
	t.about = &subject{
		id: a.Subject, unit: a.Unit, invited: map[Relation]int{}, answered: map[Relation]int{}, groups: make([]map[Relation]sum, n),
		units: map[string][]leaf{}, own: map[Relation][]Answers{}, comments: make([][]written, n),
	}
	for i := range t.about.groups {
		t.about.groups[i] = map[Relation]sum{}
	}
}

// count adds one rater's answers to the totals.
func (t *tally) count(a Assignment, answers Answers) {
	s := t.about
	empty := true
	for i, q := range t.questions() {
		empty = empty && answers[i].blank(q.Kind)
	}
	if empty {
		return // somebody who skipped everything is no company to anybody
	}
	s.answered[a.Relation]++
	t.answered++
	if a.Relation.Attributed() {
		s.own[a.Relation] = append(s.own[a.Relation], answers)
		return
	}
	for i, q := range t.questions() {
		answer := answers[i]
		switch {
		case answer.blank(q.Kind):
		case q.Kind == Comment:
			s.comments[i] = append(s.comments[i], written{a.Relation, answer.Theme, answer.Words})
		case t.cycle.Kind == Pulse:
			leaves := t.leaves(s.units, a.Unit)
			leaves[i].people++
			leaves[i].sum.add(q, answer)
		default:
			group := s.groups[i][a.Relation]
			group.add(q, answer)
			s.groups[i][a.Relation] = group
		}
	}
}

// leaves gives a department's totals by question.
func (t *tally) leaves(units map[string][]leaf, path string) []leaf {
	if units[path] == nil {
		units[path] = make([]leaf, len(t.questions()))
		for i := range units[path] {
			units[path][i].path = path
		}
	}
	return units[path]
}

// publish settles what is known of the subject that ends here.
func (t *tally) publish() error {
	s := t.about
	if s == nil {
		return nil
	}
	if err := t.publishOwn(s); err != nil {
		return err
	}
	for i, q := range t.questions() {
		var err error
		switch {
		case q.Kind == Comment:
			err = t.publishComments(s, i, q)
		case t.cycle.Kind == Pulse:
			err = t.publishUnits(s.id, s.units, i, q)
		default:
			err = t.publishGroups(s, i, q)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// publishOwn shows self and manager as they answered. Two managers would be a group of two and are shown nowhere.
func (t *tally) publishOwn(s *subject) error {
	for _, r := range []Relation{Self, Manager} {
		if len(s.own[r]) != 1 {
			continue
		}
		for i, q := range t.questions() {
			answer := s.own[r][0][i]
			if answer.blank(q.Kind) {
				continue
			}
			shown := Shown{Exact: answer.Score, Words: answer.Words}
			for option := range q.Options {
				if q.Kind == Chips && answer.Chips&(1<<option) != 0 {
					shown.Chips = append(shown.Chips, ChipShown{Option: option})
				}
			}
			if err := t.cell(Cell{Subject: s.id, Name: string(r), Question: q.ID, Shown: shown}); err != nil {
				return err
			}
		}
	}
	return nil
}

// publishGroups shows one question of a 360 about one subject, by relation.
func (t *tally) publishGroups(s *subject, i int, q Question) error {
	answered := map[Relation]int{}
	for r, group := range s.groups[i] {
		answered[r] = group.n
	}
	settled := PlanGroups(s.invited, t.cycle.Policy.K).settle(answered, t.cycle.Policy.K)
	relations := slices.Sorted(maps.Keys(answered))
	var leaves []leaf
	byName := map[string]*rolled{}
	for at, r := range relations {
		leaves = append(leaves, leaf{people: answered[r], sum: s.groups[i][r]})
		name, ok := settled[r]
		if !ok {
			continue
		}
		if byName[name] == nil {
			byName[name] = &rolled{path: name}
		}
		byName[name].take(rolled{people: answered[r], sum: s.groups[i][r], leaves: []int{at}})
	}
	var figures []rolled
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		figures = append(figures, *byName[name])
	}
	figures, err := t.audited(leaves, figures)
	if err != nil {
		return err
	}
	for _, f := range figures {
		if err := t.cell(t.figure(s.id, f.path, q, f)); err != nil {
			return err
		}
		if t.cycle.Policy.RollUps {
			t.leaves(t.units, s.unit)[i].sum.join(f.sum)
		}
	}
	if len(figures) > 0 && t.cycle.Policy.RollUps {
		t.leaves(t.units, s.unit)[i].people++
	}
	return nil
}

// publishUnits shows one question by department.
func (t *tally) publishUnits(about uuid.UUID, units map[string][]leaf, i int, q Question) error {
	var leaves []leaf
	for _, path := range slices.Sorted(maps.Keys(units)) {
		if l := units[path][i]; l.people > 0 {
			leaves = append(leaves, l)
		}
	}
	figures, err := t.audited(leaves, rollUp(leaves, t.cycle.Policy.K))
	if err != nil {
		return err
	}
	for _, f := range figures {
		cell := t.figure(about, UnitCell(f.path), q, f)
		if t.cycle.Kind == Pulse && t.cycle.Policy.Noise && f.path == "" && q.Kind == Score && f.people >= NoisePeople {
			cell.Shown.Mean = noisy(f.sum.total, f.sum.n)
		}
		if err := t.cell(cell); err != nil {
			return err
		}
	}
	return nil
}

// audited takes away what is below k, which no plan should have left, and what the auditor withholds.
func (t *tally) audited(leaves []leaf, figures []rolled) ([]rolled, error) {
	k := t.cycle.Policy.K
	figures = slices.DeleteFunc(figures, func(f rolled) bool { return f.people < k })
	gone, err := withheld(leaves, figures, k)
	if err != nil {
		return nil, err
	}
	t.outcome.Withheld += len(gone)
	var kept []rolled
	for i, f := range figures {
		if !slices.Contains(gone, i) {
			kept = append(kept, f)
		}
	}
	return kept, nil
}

// figure applies the display rule.
func (t *tally) figure(about uuid.UUID, name string, q Question, f rolled) Cell {
	cell := Cell{Subject: about, Name: name, Question: q.ID, Bucket: bucket(f.people, t.cycle.Policy.K)}
	if q.Kind == Chips {
		for option, chosen := range f.sum.chips {
			if m, ok := mention(chosen, f.sum.n); ok {
				cell.Shown.Chips = append(cell.Shown.Chips, ChipShown{Option: option, Mention: m})
			}
		}
		return cell
	}
	cell.Shown.Mean = meanShown(f.sum.total, f.sum.n)
	if t.cycle.Policy.Histogram && !t.cycle.Policy.Noise && f.people >= HistogramPeople {
		for _, n := range f.sum.bars {
			cell.Shown.Bars = append(cell.Shown.Bars, (20*n+f.sum.n)/(2*f.sum.n))
		}
	}
	return cell
}

// publishComments shows the words written to one question about one subject, when enough people answered and enough wrote. Comments of a
// group whose answers are dropped are dropped with them.
func (t *tally) publishComments(s *subject, i int, q Question) error {
	if !t.cycle.Policy.Comments {
		return nil
	}
	counted := func(Relation) bool { return true }
	if t.cycle.Kind == Review {
		settled := PlanGroups(s.invited, t.cycle.Policy.K).settle(s.answered, t.cycle.Policy.K)
		counted = func(r Relation) bool { return settled[r] != "" }
	}
	answered := 0
	for r, n := range s.answered {
		if !r.Attributed() && counted(r) {
			answered += n
		}
	}
	words := slices.DeleteFunc(s.comments[i], func(w written) bool { return !counted(w.relation) })
	if answered < WordsAnswered || len(words) < WordsWritten {
		return nil
	}
	dice().Shuffle(len(words), func(a, b int) { words[a], words[b] = words[b], words[a] })
	for _, w := range words {
		id, err := uuid.NewRandom()
		if err != nil {
			return fmt.Errorf("drawing an id: %w", err)
		}
		t.outcome.Comments++
		if err := t.out.Comment(PublishedComment{ID: id, Subject: s.id, Question: q.ID, Theme: w.theme, Words: w.words}); err != nil {
			return fmt.Errorf("publishing a comment: %w", err)
		}
	}
	return nil
}

func (t *tally) cell(c Cell) error {
	t.outcome.Cells++
	if err := t.out.Cell(c); err != nil {
		return fmt.Errorf("publishing a figure: %w", err)
	}
	return nil
}

// finish publishes the last subject and the figures over subjects, and checks what only the whole shows.
func (t *tally) finish() error {
	if err := t.publish(); err != nil {
		return err
	}
	if t.roster.String() != t.cycle.Policy.Roster {
		return &TamperedError{What: "roster"}
	}
	if t.answered < t.cycle.Policy.K {
		return ErrTooFew
	}
	if t.cycle.Kind != Review {
		return nil
	}
	for i, q := range t.questions() {
		if q.Kind == Comment {
			continue
		}
		if err := t.publishUnits(t.cycle.ID, t.units, i, q); err != nil {
			return err
		}
	}
	return nil
}
