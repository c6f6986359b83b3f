package survey

import (
	"time"
)

// Names of published cells. A relation's own cell has the relation's name.
const (
	Colleagues = "colleagues" // small groups together
	Everybody  = "all"        // everybody asked in a pulse; all subjects of a 360
	unitPrefix = "unit:"      // then the path of a department
)

// UnitCell is the name of a department's cell.
func UnitCell(path string) string {
	if path == "" {
		return Everybody
	}
	return unitPrefix + path
}

// Groups says in which cell the answers of a relation are shown. It follows from the roster and k alone, both of which are frozen when
// the cycle opens, so raters can be told before they answer.
type Groups map[Relation]string

// PlanGroups is the merge plan of one subject: a relation of k or more invited people stands alone, smaller ones are colleagues
// together. Are those still fewer than k, the smallest that stands alone joins them: rather than to waste their answers.
func PlanGroups(invited map[Relation]int, k int) Groups {
	groups, pooled := Groups{}, 0
	var smallest Relation
	for _, r := range Relations() {
		switch n := invited[r]; {
		case n == 0:
		case r.Attributed():
			groups[r] = string(r)
		case n < k:
			groups[r] = Colleagues
			pooled += n
		default:
			groups[r] = string(r)
			if smallest == "" || n < invited[smallest] {
				smallest = r
			}
		}
	}
	if pooled > 0 && pooled < k && smallest != "" {
		groups[smallest] = Colleagues
	}
	return groups
}

// sizes counts people by cell.
func (g Groups) sizes(count map[Relation]int) map[string]int {
	out := map[string]int{}
	for r, cell := range g {
		out[cell] += count[r]
	}
	return out
}

// settle says in which cell the answers to one question go, by how many people answered it. A group with fewer than k answers joins
// the colleagues; colleagues who are still fewer than k are in no cell: their answers are dropped from every figure, since a figure
// that included them would give them away by subtraction.
func (g Groups) settle(answered map[Relation]int, k int) Groups {
	out, pooled := Groups{}, 0
	for r, cell := range g {
		switch n := answered[r]; {
		case n == 0 || r.Attributed():
		case cell == Colleagues || n < k:
			out[r] = Colleagues
			pooled += n
		default:
			out[r] = cell
		}
	}
	if pooled < k {
		for r, cell := range out {
			if cell == Colleagues {
				delete(out, r)
			}
		}
	}
	return out
}

// Invited are the numbers that a rater is told, and that forms depend on.
type Invited struct {
	Relations map[Relation]int // people asked about the subject
	Unit      int              // Pulse: people asked in the rater's own department
}

// anonymous counts those whose answers are not attributed.
func (i Invited) anonymous() int {
	n := 0
	for r, count := range i.Relations {
		if !r.Attributed() {
			n += count
		}
	}
	return n
}

// Promise is what a rater is told before the first answer: numbers and dates; the words are the dialog's.
type Promise struct {
	Relation   Relation
	Attributed bool   // shown with the relation, and not anonymous
	Cell       string // in which the answers are shown
	Merged     bool   // together with other relations, as Colleagues
	Group      int    // people asked in that cell, this rater included; 0 when attributed
	Unit       int    // Pulse: of whom are in the rater's own department
	K          int    // fewer answers than this are dropped, shown nowhere, for each question
	Showable   bool   // whether the group can reach K at all
	Comments   bool   // whether words are asked for
	// Words are published when so many answered about the subject and so many of them wrote to the question.
	WordsAnswered, WordsWritten int
	ReplaceBy                   time.Time // until then the answers can be replaced; nobody can read them back
	EarlyClose                  bool      // HR may close before
	KeyGoneBy                   time.Time // the latest time at which the key is destroyed, if it closes as planned
}

// PromiseTo gives what the rater of an assignment is promised.
func (c Cycle) PromiseTo(a Assignment, n Invited) Promise {
	p := Promise{
		Relation: a.Relation, Attributed: a.Relation.Attributed(), K: c.Policy.K, WordsAnswered: WordsAnswered, WordsWritten: WordsWritten,
		ReplaceBy: c.ClosesAt, EarlyClose: c.Policy.EarlyClose, KeyGoneBy: c.ClosesAt.Add(KeyHours * time.Hour), Comments: c.asksWords(a.Relation, n),
	}
	switch {
	case p.Attributed:
		p.Cell, p.Showable = string(a.Relation), true
	case c.Kind == Pulse:
		p.Cell, p.Group, p.Unit = Everybody, n.anonymous(), n.Unit
		p.Showable = p.Group >= p.K
	default:
		groups := PlanGroups(n.Relations, p.K)
		p.Cell = groups[a.Relation]
		p.Merged = p.Cell == Colleagues
		p.Group = groups.sizes(n.Relations)[p.Cell]
		p.Showable = p.Group >= p.K
	}
	return p
}

// asksWords reports whether comment questions are asked: never of a group from which no comment could be published.
func (c Cycle) asksWords(r Relation, n Invited) bool {
	return c.Policy.Comments && (r.Attributed() || n.anonymous() >= WordsAnswered)
}

// Asked lists the questions that the rater is asked, by their index in the questionnaire.
func (c Cycle) Asked(a Assignment, n Invited) []int {
	var out []int
	for i, q := range c.Policy.Questionnaire.Questions {
		if q.Kind != Comment || c.asksWords(a.Relation, n) {
			out = append(out, i)
		}
	}
	return out
}
