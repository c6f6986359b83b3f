package survey

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func teams(counts map[string]int) []leaf {
	var out []leaf
	for path, n := range counts {
		out = append(out, leaf{path: path, people: n, sum: sum{n: n, total: 3 * n}})
	}
	slices.SortFunc(out, func(a, b leaf) int { return strings.Compare(a.path, b.path) })
	return out
}

func TestASmallTeamIsCountedAboveOrNotAtAll(t *testing.T) {
	for _, tt := range []struct {
		what  string
		teams map[string]int
		shown string
	}{
		{"nobody", nil, ""},
		{"a firm of four", map[string]int{"": 4}, ""},
		{"one team", map[string]int{"a": 5}, "=5 a=5"},
		{"a team of three beside others is dropped from the total", map[string]int{"a": 6, "b": 6, "c": 5, "d": 3}, "=17 a=6 b=6 c=5"},
		{"two small teams join", map[string]int{"a": 6, "b": 3, "c": 2}, "=11 a=6"},
		{"a small team joins those directly above", map[string]int{"a": 4, "a/x": 7, "a/y": 2}, "=13 a=13 a/x=7"},
		{"a remainder goes up until others join it", map[string]int{"a/x": 7, "a/y": 2, "b/z": 3}, "=12 a=7 a/x=7"},
		{"teams of two to four in a firm of twenty", map[string]int{"a": 2, "b": 3, "c": 4, "d": 4, "e": 3, "f": 4}, "=20"},
		{"a deep chain", map[string]int{"a/b/c/d": 5}, "=5 a=5 a/b=5 a/b/c=5 a/b/c/d=5"},
	} {
		var got []string
		for _, f := range rollUp(teams(tt.teams), 5) {
			got = append(got, fmt.Sprintf("%s=%d", f.path, f.people))
			if f.sum.n != f.people || f.sum.total != 3*f.people {
				t.Errorf("%s: the figure of %q has a sum over %d of %d people", tt.what, f.path, f.sum.n, f.people)
			}
		}
		if diff := cmp.Diff(tt.shown, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.what, diff)
		}
	}
}

// In any tree, every figure is about k people at least, differs from every union of figures within it by none or k at least, and what
// is left out of the whole is fewer than k. The auditor and the attacker find nothing to add.
func TestFiguresOfDepartmentsGiveNobodyAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.IntRange(FloorK, 6).Draw(t, "k")
		paths := []string{"", "a", "a/b", "a/b/c", "a/d", "e", "e/f", "e/g", "h"}
		counts := map[string]int{}
		total := 0
		for _, path := range paths {
			if n := rapid.IntRange(0, 7).Draw(t, "people"); n > 0 {
				counts[path] = n
				total += n
			}
		}
		leaves := teams(counts)
		figures := rollUp(leaves, k)
		size := func(atoms []int) int {
			n := 0
			for _, a := range atoms {
				n += leaves[a].people
			}
			return n
		}
		for _, f := range figures {
			if f.people < k || f.people != size(f.leaves) {
				t.Fatalf("the figure of %q is about %d people, its leaves have %d", f.path, f.people, size(f.leaves))
			}
			var below []rolled
			for _, g := range figures {
				if g.path != f.path && (f.path == "" || strings.HasPrefix(g.path, f.path+"/")) {
					below = append(below, g)
				}
			}
			for choice := range 1 << len(below) {
				union := map[int]bool{}
				for i, g := range below {
					if choice&(1<<i) != 0 {
						for _, a := range g.leaves {
							union[a] = true
						}
					}
				}
				rest := slices.DeleteFunc(slices.Clone(f.leaves), func(a int) bool { return union[a] })
				if n := size(rest); n != 0 && n < k || len(f.leaves)-len(rest) != len(union) {
					t.Fatalf("the figure of %q differs from figures within it by %d people", f.path, n)
				}
			}
		}
		if total >= k && (len(figures) == 0 || figures[0].path != "" || total-figures[0].people >= k) {
			t.Fatalf("of %d people the whole firm's figure is about %v", total, figures)
		}
		gone, err := withheld(leaves, figures, k)
		if err != nil || len(gone) > 0 {
			t.Fatalf("the auditor holds back %v (%v)", gone, err)
		}
		table := Table{}
		for _, l := range leaves {
			table.Atoms = append(table.Atoms, l.people)
		}
		for _, f := range figures {
			table.Cells = append(table.Cells, Members{Atoms: f.leaves})
		}
		if n, cells := persons(table, nil); n <= 16 {
			if set := isolates(n, k, cells); set != nil {
				t.Fatalf("an attacker isolates %v", set)
			}
		}
	})
}
