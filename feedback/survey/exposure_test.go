package survey

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// isolates is an attacker who knows linear algebra and nothing of this package: for every set of 1 to k-1 people it asks whether the
// figures without these people's columns have a lower rank, which is so exactly when some combination is about nobody else. Arithmetic
// is modulo a prime, on one column per person.
func isolates(people, k int, cells [][]int) []int {
	set := make([]int, 0, k)
	full := rank(people, cells, nil)
	var try func(from int) bool
	try = func(from int) bool {
		if len(set) > 0 && rank(people, cells, set) < full {
			return true
		}
		if len(set) == k-1 {
			return false
		}
		for p := from; p < people; p++ {
			set = append(set, p)
			if try(p + 1) {
				return true
			}
			set = set[:len(set)-1]
		}
		return false
	}
	if try(0) {
		return set
	}
	return nil
}

const prime = 1_000_000_007

func rank(people int, cells [][]int, without []int) int {
	rows := make([][]int64, len(cells))
	for i, c := range cells {
		rows[i] = make([]int64, people)
		for _, p := range c {
			if !slices.Contains(without, p) {
				rows[i][p] = 1
			}
		}
	}
	r := 0
	for col := 0; col < people && r < len(rows); col++ {
		at := slices.IndexFunc(rows[r:], func(row []int64) bool { return row[col] != 0 })
		if at < 0 {
			continue
		}
		rows[r], rows[r+at] = rows[r+at], rows[r]
		inverse := power(rows[r][col], prime-2)
		for i := r + 1; i < len(rows); i++ {
			if f := rows[i][col] * inverse % prime; f != 0 {
				for j := col; j < people; j++ {
					rows[i][j] = ((rows[i][j]-f*rows[r][j])%prime + prime) % prime
				}
			}
		}
		r++
	}
	return r
}

func power(base, exponent int64) int64 {
	out := int64(1)
	for base %= prime; exponent > 0; exponent >>= 1 {
		if exponent&1 == 1 {
			out = out * base % prime
		}
		base = base * base % prime
	}
	return out
}

// persons spreads a table's atoms out into one column per person and drops the cells that are gone.
func persons(t Table, gone []int) (people int, cells [][]int) {
	var of [][]int
	for _, n := range t.Atoms {
		var atom []int
		for range n {
			atom = append(atom, people)
			people++
		}
		of = append(of, atom)
	}
	for i, c := range t.Cells {
		if slices.Contains(gone, i) {
			continue
		}
		var cell []int
		for _, a := range c.Atoms {
			cell = append(cell, of[a]...)
		}
		cells = append(cells, cell)
	}
	return people, cells
}

func TestTheAuditorFindsWhatSubtractionFinds(t *testing.T) {
	cell := func(atoms ...int) Members { return Members{Atoms: atoms} }
	for _, tt := range []struct {
		what  string
		table Table
		gone  []int
	}{
		{"a single figure of enough people", Table{[]int{5}, []Members{cell(0)}}, nil},
		{"a figure of too few", Table{[]int{4}, []Members{cell(0)}}, []int{0}},
		{"two groups apart", Table{[]int{5, 6}, []Members{cell(0), cell(1)}}, nil},
		{"a total that gives one person away", Table{[]int{8, 1}, []Members{cell(0), cell(0, 1)}}, []int{0}},
		{"a total that differs by enough", Table{[]int{8, 5}, []Members{cell(0), cell(0, 1)}}, nil},
		{"remainders that hide each other", Table{[]int{8, 7, 2, 3}, []Members{cell(0), cell(1), cell(0, 1, 2, 3)}}, nil},
		{"a chain of differences", Table{[]int{6, 6, 1}, []Members{cell(0), cell(1), cell(0, 1, 2)}}, []int{1}},
		{"the same figure twice", Table{[]int{6}, []Members{cell(0), cell(0)}}, nil},
		{"overlaps: (a+b+x)-(a+c)+(c+d)-(b+d) is x", Table{[]int{9, 9, 9, 9, 1}, []Members{cell(0, 1, 4), cell(0, 2), cell(2, 3), cell(1, 3)}}, []int{3}},
		{"halves: ((a+b)+(a+c)-(b+c)) / 2 is a", Table{[]int{2, 9, 9}, []Members{cell(0, 1), cell(0, 2), cell(1, 2)}}, []int{1}},
		{"nobody answered in an atom", Table{[]int{5, 0}, []Members{cell(0), cell(0, 1)}}, nil},
	} {
		gone, err := tt.table.Suppress(5)
		if diff := cmp.Diff(tt.gone, gone); diff != "" || err != nil {
			t.Errorf("%s: held back (-want +got):\n%s%v", tt.what, diff, err)
		}
	}
	known := Table{[]int{8, 1}, []Members{{Atoms: []int{0}, Fixed: true}, {Atoms: []int{0, 1}}}}
	if gone, err := known.Suppress(5); err != nil || !cmp.Equal(gone, []int{1}) {
		t.Errorf("against an earlier release %v is held back (%v), want the new figure", gone, err)
	}
	known.Cells[1].Fixed = true
	if _, err := known.Suppress(5); !errors.Is(err, ErrExposed) {
		t.Errorf("two earlier figures that expose somebody give %v, want ErrExposed", err)
	}
}

// On random systems the auditor and the attacker agree: what is left isolates nobody, and the control shows that there was something to
// hold back. It also holds back nothing when nothing is exposed.
func TestTheAuditorAgreesWithAnAttacker(t *testing.T) {
	exposed := 0
	rapid.Check(t, func(t *rapid.T) {
		const k = 4
		table := Table{Atoms: rapid.SliceOfN(rapid.IntRange(0, 4), 1, 6).Draw(t, "people")}
		for range rapid.IntRange(1, 5).Draw(t, "cells") {
			var c Members
			for a := range table.Atoms {
				if rapid.Bool().Draw(t, "in") {
					c.Atoms = append(c.Atoms, a)
				}
			}
			table.Cells = append(table.Cells, c)
		}
		gone, err := table.Suppress(k)
		if err != nil {
			t.Fatal(err)
		}
		people, cells := persons(table, nil)
		before := isolates(people, k, cells)
		if (before != nil) != (len(gone) > 0) {
			t.Fatalf("the attacker isolates %v, the auditor holds back %v", before, gone)
		}
		if before != nil {
			exposed++
		}
		people, cells = persons(table, gone)
		if after := isolates(people, k, cells); after != nil {
			t.Fatalf("after holding back %v the attacker still isolates %v", gone, after)
		}
	})
	if exposed == 0 {
		t.Error("the control never exposed anybody: the attack proves nothing")
	}
}

// twoWay is departments by sites with totals, small cells hidden: the table that a careless report prints.
func twoWay(r *rand.Rand, departments, sites, k int) Table {
	var t Table
	total, byDepartment, bySite := Members{}, make([]Members, departments), make([]Members, sites)
	for d := range departments {
		for s := range sites {
			n := int(r.ExpFloat64() * 8)
			a := len(t.Atoms)
			t.Atoms = append(t.Atoms, n)
			if n == 0 {
				continue
			}
			if n >= k {
				t.Cells = append(t.Cells, Members{Atoms: []int{a}})
			}
			total.Atoms = append(total.Atoms, a)
			byDepartment[d].Atoms = append(byDepartment[d].Atoms, a)
			bySite[s].Atoms = append(bySite[s].Atoms, a)
		}
	}
	t.Cells = append(append(append(t.Cells, byDepartment...), bySite...), total)
	t.Cells = slices.DeleteFunc(t.Cells, func(m Members) bool {
		n := 0
		for _, a := range m.Atoms {
			n += t.Atoms[a]
		}
		return n < k
	})
	return t
}

// Tables of ten departments by six sites: naive hiding leaves cells that can be solved for in nearly all of them, the auditor in none.
func TestTablesInTwoDirectionsGiveNobodyAway(t *testing.T) {
	const tables, k = 12, 5
	r := rand.New(rand.NewPCG(1, 2))
	naive, left, shown, all := 0, 0, 0, 0
	for range tables {
		table := twoWay(r, 10, 6, k)
		if table.isolating(indexes(table), k) != nil {
			naive++
		}
		gone, err := table.Suppress(k)
		if err != nil {
			t.Fatal(err)
		}
		rest := Table{Atoms: table.Atoms}
		covered := map[int]bool{}
		for i, c := range table.Cells {
			if !slices.Contains(gone, i) {
				rest.Cells = append(rest.Cells, c)
				for _, a := range c.Atoms {
					covered[a] = true
				}
			}
		}
		for a, n := range table.Atoms {
			all += n
			if covered[a] {
				shown += n
			}
		}
		// The attacker's own check would take all sets of four out of hundreds of people. One column per atom, and single atoms and pairs,
		// find what subtraction finds.
		cells := make([][]int, len(rest.Cells))
		for i, c := range rest.Cells {
			cells[i] = c.Atoms
		}
		full := rank(len(rest.Atoms), cells, nil)
		for a := range rest.Atoms {
			for b := a; b < len(rest.Atoms); b++ {
				n := rest.Atoms[a] + rest.Atoms[b]
				if a == b {
					n = rest.Atoms[a]
				}
				if n > 0 && n < k && rank(len(rest.Atoms), cells, []int{a, b}) < full {
					left++
				}
			}
		}
	}
	t.Logf("naive: %d of %d tables expose somebody; audited: %d exposures, %.0f %% of answers in some figure", naive, tables, left, 100*float64(shown)/float64(all))
	if naive < tables*8/10 {
		t.Errorf("only %d of %d naive tables expose somebody: the control is too weak", naive, tables)
	}
	if left != 0 {
		t.Errorf("%d sets of fewer than %d people can still be solved for", left, k)
	}
}

func indexes(t Table) []int {
	out := make([]int, len(t.Cells))
	for i := range out {
		out[i] = i
	}
	return out
}

// With more small groups than are looked at one by one, the auditor holds back too much rather than too little.
func TestManySmallGroupsAreTreatedWithCaution(t *testing.T) {
	table := Table{}
	all := Members{}
	for i := range most + 6 {
		table.Atoms = append(table.Atoms, 3)
		all.Atoms = append(all.Atoms, i)
	}
	for i := 0; i+2 <= len(table.Atoms); i += 2 {
		table.Cells = append(table.Cells, Members{Atoms: []int{i, i + 1}})
	}
	for i := 1; i+2 <= len(table.Atoms); i += 2 {
		table.Cells = append(table.Cells, Members{Atoms: []int{i, i + 1}})
	}
	table.Cells = append(table.Cells, all)
	gone, err := table.Suppress(5)
	if err != nil {
		t.Fatal(err)
	}
	_, cells := persons(table, gone)
	full := rank(3*len(table.Atoms), cells, nil)
	for a := range table.Atoms {
		if rank(3*len(table.Atoms), cells, []int{3 * a, 3*a + 1, 3*a + 2}) < full {
			t.Fatalf("group %d of three people can be solved for", a)
		}
	}
}

func BenchmarkSuppress(b *testing.B) {
	for _, size := range []int{5, 10, 20} {
		table := twoWay(rand.New(rand.NewPCG(1, 2)), size, 6, 5)
		b.Run(fmt.Sprintf("%dx6", size), func(b *testing.B) {
			for b.Loop() {
				if _, err := table.Suppress(5); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
