package survey

import (
	"bytes"
	"crypto/hpke"
	"errors"
	"fmt"
	"iter"
	"runtime"
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
