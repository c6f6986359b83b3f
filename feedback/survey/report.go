package survey

import (
	"cmp"
	"slices"

	"github.com/google/uuid"

	"huiyin/internal/people"
)

// View says who looks at what was released. The views are part of the promise: raters are told them before they answer.
type View string

// The views.
const (
	OwnView  View = "own"  // the subject: all figures about them, and the words
	LineView View = "line" // whoever is above the subject: the figures, never the words
	HRView   View = "hr"   // the figures, and those over several subjects
	FirmView View = "firm" // executives: figures over several subjects alone
)

// ViewOf says how the actor may see what was released about a subject; ok is false when they may not. For figures over several subjects,
// and for pulses, subject is not a person.
func ViewOf(dir *people.Directory, actor, subject uuid.UUID) (View, bool) {
	who, ok := dir.Person(actor)
	if !ok || !who.Active {
		return "", false
	}
	_, about := dir.Person(subject)
	switch {
	case actor == subject:
		return OwnView, true
	case who.Role == people.HR:
		return HRView, true
	case about && dir.InLine(actor, subject):
		return LineView, true
	case !about && who.Role == people.Executive:
		return FirmView, true
	}
	return "", false
}

// Words reports whether comments are shown in full. In a pulse they are for HR, who asked; about a person they are for that person.
func (v View) Words(kind Kind) bool { return v == OwnView || kind == Pulse && v == HRView }

// Cells gives those of the cells that the view shows.
func (v View) Cells(kind Kind, cells []Cell) []Cell {
	return slices.DeleteFunc(slices.Clone(cells), func(c Cell) bool { return c.Shown.Words != "" && !v.Words(kind) })
}

// ReportCard is what follows from the published cells about one subject, and from nothing else: whoever has the cells can compute it, so
// it gives nothing more away. Others is the plain mean of the anonymous cells, every group alike.
type ReportCard struct {
	Lines      []Line
	Dimensions []Axis
	Strengths  []int // Lines with the highest Others, at most three, the best first
	BlindSpots []int // Lines whose Self is a point or more above Others, the widest first
	Hidden     []int // Lines whose Others is a point or more above Self, the widest first
}

// Line is one score question.
type Line struct {
	Question uuid.UUID
	Self     int    // 0: none
	Manager  int    // 0: none
	Cells    []Cell // anonymous, by name
	Others   Tenths // 0: none
}

// Axis is a dimension of the radar: plain means over its questions.
type Axis struct {
	Dimension             string
	Self, Manager, Others Tenths // 0: none
}

// Tenths is a mean in tenths of a point, rounded half up.
type Tenths int

// NewReportCard computes the report of one subject.
func NewReportCard(q Questionnaire, cells []Cell) ReportCard {
	var r ReportCard
	for _, question := range q.Questions {
		if question.Kind != Score {
			continue
		}
		line := Line{Question: question.ID}
		halves := 0
		for _, c := range cells {
			switch {
			case c.Question != question.ID:
			case c.Name == string(Self):
				line.Self = c.Shown.Exact
			case c.Name == string(Manager):
				line.Manager = c.Shown.Exact
			case c.Shown.Mean != 0:
				line.Cells = append(line.Cells, c)
				halves += int(c.Shown.Mean)
			}
		}
		slices.SortFunc(line.Cells, func(a, b Cell) int { return cmp.Compare(a.Name, b.Name) })
		line.Others = mean(5*halves, len(line.Cells))
		r.Lines = append(r.Lines, line)
	}
	for _, d := range q.Dimensions {
		if axis, ok := r.axis(q, d.Key); ok {
			r.Dimensions = append(r.Dimensions, axis)
		}
	}
	r.Strengths = r.pick(3, func(l Line) Tenths { return l.Others })
	gap := func(sign Tenths) func(Line) Tenths {
		return func(l Line) Tenths {
			if d := sign * (Tenths(10*l.Self) - l.Others); l.Self != 0 && l.Others != 0 && d >= 10 {
				return d
			}
			return 0
		}
	}
	r.BlindSpots, r.Hidden = r.pick(len(r.Lines), gap(1)), r.pick(len(r.Lines), gap(-1))
	return r
}

// mean of n values in tenths that total; 0 when there are none.
func mean(total, n int) Tenths {
	if n == 0 {
		return 0
	}
	return Tenths((2*total + n) / (2 * n))
}

func (r ReportCard) axis(q Questionnaire, dimension string) (Axis, bool) {
	var totals, counts [3]int
	at := 0
	for _, question := range q.Questions {
		if question.Kind != Score {
			continue
		}
		line := r.Lines[at]
		at++
		if question.Dimension != dimension {
			continue
		}
		for i, v := range []int{10 * line.Self, 10 * line.Manager, int(line.Others)} {
			if v != 0 {
				totals[i] += v
				counts[i]++
			}
		}
	}
	a := Axis{dimension, mean(totals[0], counts[0]), mean(totals[1], counts[1]), mean(totals[2], counts[2])}
	return a, counts != [3]int{}
}

// pick gives the lines with the highest value above 0, at most so many, the highest first.
func (r ReportCard) pick(most int, value func(Line) Tenths) []int {
	var out []int
	for i, l := range r.Lines {
		if value(l) > 0 {
			out = append(out, i)
		}
	}
	slices.SortStableFunc(out, func(a, b int) int { return cmp.Compare(value(r.Lines[b]), value(r.Lines[a])) })
	return out[:min(most, len(out))]
}
