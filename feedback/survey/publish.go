package survey

import (
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"
)

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
