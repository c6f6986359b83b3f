package survey

import (
	"slices"
	"strings"
)

// sum is what figures are made of: totals over answers that no longer have a rater.
type sum struct {
	n, total int        // answers, and their total for a score
	bars     [scale]int // how many gave 1, 2, 3, 4, 5
	chips    []int      // how many chose each option
}

func (s *sum) add(q Question, a Answer) {
	s.n++
	if q.Kind == Score {
		s.total += a.Score
		s.bars[a.Score-1]++
		return
	}
	if s.chips == nil {
		s.chips = make([]int, len(q.Options))
	}
	for i := range s.chips {
		if a.Chips&(1<<i) != 0 {
			s.chips[i]++
		}
	}
}

func (s *sum) join(o sum) {
	s.n += o.n
	s.total += o.total
	for i := range s.bars {
		s.bars[i] += o.bars[i]
	}
	for len(s.chips) < len(o.chips) {
		s.chips = append(s.chips, 0)
	}
	for i := range o.chips {
		s.chips[i] += o.chips[i]
	}
}

// leaf is a department with those directly in it: the people whom the rule protects (raters in a pulse, subjects in a 360), and what
// was answered.
type leaf struct {
	path   string
	people int
	sum    sum
}

// rolled is a department's figure: which leaves are in it.
type rolled struct {
	path   string
	people int
	sum    sum
	leaves []int
}

func (r *rolled) take(o rolled) {
	r.people += o.people
	r.sum.join(o.sum)
	r.leaves = append(r.leaves, o.leaves...)
}

// rollUp gives the figures of departments and of everybody. In each department those who are in no figure below it form a remainder. A
// remainder of k people or more enters the department's figure; a smaller one is left out of it and goes on to the department above,
// where others may join it. What is left at the top is dropped. So a figure differs from any union of figures within it by nobody or by
// k people at least (ANONYMITY.md 1d.5), and one small team does not cost the whole firm its figure.
func rollUp(leaves []leaf, k int) []rolled {
	type node struct{ shown, remainder rolled }
	nodes := map[string]*node{"": {}}
	at := func(path string) *node {
		if nodes[path] == nil {
			nodes[path] = &node{}
		}
		return nodes[path]
	}
	for i, l := range leaves {
		at(l.path).remainder.take(rolled{people: l.people, sum: l.sum, leaves: []int{i}})
		for up := l.path; up != ""; up = above(up) {
			at(above(up))
		}
	}
	paths := make([]string, 0, len(nodes))
	for path := range nodes {
		paths = append(paths, path)
	}
	slices.SortFunc(paths, func(a, b string) int { // the deepest first
		if d := depth(b) - depth(a); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	var out []rolled
	for _, path := range paths {
		n := nodes[path]
		if n.remainder.people >= k {
			n.shown.take(n.remainder)
			n.remainder = rolled{}
		}
		if n.shown.people >= k {
			n.shown.path = path
			out = append(out, n.shown)
		}
		if path != "" {
			up := nodes[above(path)]
			up.shown.take(n.shown)
			up.remainder.take(n.remainder)
		}
	}
	slices.SortFunc(out, func(a, b rolled) int { return strings.Compare(a.path, b.path) })
	return out
}

// above is the path of the department over one; that of a top department is the firm, "".
func above(path string) string {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return ""
	}
	return path[:i]
}

func depth(path string) int {
	if path == "" {
		return 0
	}
	return 1 + strings.Count(path, "/")
}

// withheld asks the auditor which of the figures must not be shown.
func withheld(leaves []leaf, figures []rolled, k int) ([]int, error) {
	t := Table{}
	for _, l := range leaves {
		t.Atoms = append(t.Atoms, l.people)
	}
	for _, f := range figures {
		t.Cells = append(t.Cells, Members{Atoms: f.leaves})
	}
	return t.Suppress(k)
}
