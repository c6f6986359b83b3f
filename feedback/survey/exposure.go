package survey

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
)

// Table says who is in which published figure, for one question: the worst that an attacker can know. The auditor takes every figure for
// an exact total, so that adding and subtracting them is all that there is to do.
type Table struct {
	// Atoms are groups of people who are in exactly the same figures, by their number; people belong to one atom each.
	Atoms []int
	Cells []Members
}

// Members are the atoms that a figure is made of, by their index, each once.
type Members struct {
	Atoms []int
	// Fixed figures are known already, from an earlier release: they can be combined but no longer be held back.
	Fixed bool
}

// ErrExposed says that figures which are known already isolate somebody.
var ErrExposed = errors.New("published figures isolate fewer people than allowed")

// Suppress gives the cells, by their index, that must be held back so that no combination of the others, added and subtracted any
// number of times, is about fewer than k people but at least one. It suppresses one cell and looks again until nothing is found; of
// the cells in a combination the one with the fewest people goes. What it decides depends on who took part, never on an answer.
func (t Table) Suppress(k int) ([]int, error) {
	alive := make([]int, len(t.Cells))
	for i := range alive {
		alive[i] = i
	}
	var gone []int
	for {
		used := t.isolating(alive, k)
		if used == nil {
			return gone, nil
		}
		free := slices.DeleteFunc(slices.Clone(used), func(c int) bool { return t.Cells[c].Fixed })
		if len(free) == 0 {
			return gone, ErrExposed
		}
		victim := slices.MinFunc(free, func(a, b int) int {
			return cmp.Or(cmp.Compare(t.people(a), t.people(b)), cmp.Compare(b, a))
		})
		gone = append(gone, victim)
		alive = slices.DeleteFunc(alive, func(c int) bool { return c == victim })
	}
}

func (t Table) people(cell int) int {
	n := 0
	for _, a := range t.Cells[cell].Atoms {
		n += t.Atoms[a]
	}
	return n
}

// isolating gives the cells of a combination that is about 1 to k-1 people, or nil when there is none.
func (t Table) isolating(alive []int, k int) []int {
	sizes, columns := t.merge(alive)
	for _, part := range components(columns, len(alive)) {
		if !slices.ContainsFunc(part.columns, func(c int) bool { return sizes[c] < k }) {
			continue // whatever is not zero is about k people at least
		}
		if used := part.isolating(sizes, columns, k); used != nil {
			for i, c := range used {
				used[i] = alive[c]
			}
			return used
		}
	}
	return nil
}

// merge puts atoms that are in the same living cells into one column: no combination can tell them apart. columns[i] lists the cells,
// as indexes of alive, that column i is in.
func (t Table) merge(alive []int) (sizes []int, columns [][]int) {
	in := make([][]int, len(t.Atoms))
	for i, c := range alive {
		for _, a := range t.Cells[c].Atoms {
			in[a] = append(in[a], i)
		}
	}
	index := map[string]int{}
	for a, cells := range in {
		if len(cells) == 0 || t.Atoms[a] == 0 {
			continue
		}
		key := fmt.Sprint(cells)
		at, ok := index[key]
		if !ok {
			at = len(sizes)
			index[key] = at
			sizes, columns = append(sizes, 0), append(columns, cells)
		}
		sizes[at] += t.Atoms[a]
	}
	return sizes, columns
}

// component is a part of the system that shares no cell with the rest.
type component struct{ columns []int }

func components(columns [][]int, cells int) []component {
	parent := make([]int, cells)
	for i := range parent {
		parent[i] = i
	}
	root := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	for _, in := range columns {
		for _, c := range in[1:] {
			parent[root(c)] = root(in[0])
		}
	}
	byRoot := map[int]*component{}
	var order []int
	for col, in := range columns {
		r := root(in[0])
		if byRoot[r] == nil {
			byRoot[r] = &component{}
			order = append(order, r)
		}
		byRoot[r].columns = append(byRoot[r].columns, col)
	}
	out := make([]component, 0, len(order))
	for _, r := range order {
		out = append(out, *byRoot[r])
	}
	return out
}

// vector is a sparse row of exact fractions. Columns count from 0; what a row is made of is kept at provenance(cell), below zero.
type vector map[int]*big.Rat

func provenance(cell int) int { return -1 - cell }

// less takes factor times other away.
func (v vector) less(factor *big.Rat, other vector) {
	for col, x := range other {
		sum, ok := v[col]
		if !ok {
			sum = new(big.Rat)
			v[col] = sum
		}
		if sum.Sub(sum, new(big.Rat).Mul(factor, x)); sum.Sign() == 0 {
			delete(v, col)
		}
	}
}

func (v vector) scale(factor *big.Rat) {
	for _, x := range v {
		x.Mul(x, factor)
	}
}

// first is the lowest column; -1 when there is none.
func (v vector) first() int {
	best := -1
	for col := range v {
		if col >= 0 && (best < 0 || col < best) {
			best = col
		}
	}
	return best
}

// reduced brings the cells of the component into reduced row echelon form: pivot column to row.
func (p component) reduced(columns [][]int) map[int]vector {
	cells := map[int]vector{}
	for _, col := range p.columns {
		for _, c := range columns[col] {
			if cells[c] == nil {
				cells[c] = vector{provenance(c): big.NewRat(1, 1)}
			}
			cells[c][col] = big.NewRat(1, 1)
		}
	}
	order := slices.SortedFunc(maps.Keys(cells), func(a, b int) int { // the short ones first keeps rows short
		return cmp.Or(cmp.Compare(len(cells[a]), len(cells[b])), cmp.Compare(a, b))
	})
	rows := map[int]vector{}
	for _, c := range order {
		row := cells[c]
		for pivot, done := range rows {
			if x, ok := row[pivot]; ok {
				row.less(new(big.Rat).Set(x), done)
			}
		}
		pivot := row.first()
		if pivot < 0 {
			continue // a sum of others, it tells nothing new
		}
		row.scale(new(big.Rat).Inv(row[pivot]))
		for _, done := range rows {
			if x, ok := done[pivot]; ok {
				done.less(new(big.Rat).Set(x), row)
			}
		}
		rows[pivot] = row
	}
	return rows
}

// most is the number of small columns up to which every combination is looked at. Beyond it any combination of small columns alone
// counts as isolating, even if it is about k people or more: more is held back than needed, never less.
const most = 64

// isolating looks for a vector of the row space that lies on columns with fewer than k people in total.
//
// The row space is what vanishes on the null space. So coefficients v on some columns are a combination of cells exactly when the rows
// of a null space basis at those columns, multiplied by v, add up to nothing: the search is for linearly dependent rows. A minimal
// dependent set has at most k-1 members, since everybody counts at least one.
func (p component) isolating(sizes []int, columns [][]int, k int) []int {
	rows := p.reduced(columns)
	var small []member
	for _, col := range p.columns {
		if sizes[col] < k {
			small = append(small, member{col, sizes[col], nullRow(rows, col)})
		}
	}
	var v vector
	if len(small) > most {
		v = dependence(small)
	} else {
		v = dependent(small, nil, k)
	}
	if v == nil {
		return nil
	}
	made := vector{}
	for col, x := range v {
		if row, ok := rows[col]; ok {
			made.less(new(big.Rat).Neg(x), row)
		}
	}
	var used []int
	for col := range made {
		if col < 0 {
			used = append(used, provenance(col))
		}
	}
	slices.Sort(used)
	return used
}

// member is a small column with its row of the null space basis.
type member struct {
	column, people int
	row            vector
}

// nullRow is the row of the null space basis at a column: of a free column its unit vector, of a pivot what depends on the free ones.
func nullRow(rows map[int]vector, col int) vector {
	row, pivot := rows[col]
	if !pivot {
		return vector{col: big.NewRat(1, 1)}
	}
	out := vector{}
	for c, x := range row {
		if c >= 0 && c != col {
			out[c] = new(big.Rat).Neg(x)
		}
	}
	return out
}

// eliminated is a null row after the chosen ones were taken out, and the combination of members that it is.
type eliminated struct {
	row, of vector
	pivot   int
}

func (m member) eliminate(chosen []eliminated) eliminated {
	e := eliminated{row: maps.Clone(m.row), of: vector{m.column: big.NewRat(1, 1)}}
	for col, x := range e.row {
		e.row[col] = new(big.Rat).Set(x)
	}
	for _, c := range chosen {
		if x, ok := e.row[c.pivot]; ok {
			factor := new(big.Rat).Quo(x, c.row[c.pivot])
			e.row.less(factor, c.row)
			e.of.less(factor, c.of)
		}
	}
	e.pivot = e.row.first()
	return e
}

// dependent finds members with fewer than limit people in total whose rows are linearly dependent, and gives the coefficients by column.
func dependent(members []member, chosen []eliminated, limit int) vector {
	for i, m := range members {
		if m.people >= limit {
			continue
		}
		e := m.eliminate(chosen)
		if e.pivot < 0 {
			return e.of
		}
		if v := dependent(members[i+1:], append(slices.Clip(chosen), e), limit-m.people); v != nil {
			return v
		}
	}
	return nil
}

// dependence finds any linear dependence among the members.
func dependence(members []member) vector {
	var chosen []eliminated
	for _, m := range members {
		e := m.eliminate(chosen)
		if e.pivot < 0 {
			return e.of
		}
		chosen = append(chosen, e)
	}
	return nil
}
