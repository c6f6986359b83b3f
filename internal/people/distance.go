package people

// distance counts the letters put in, left out, exchanged, or swapped with their neighbour between two words (optimal string
// alignment), up to limit: when it is limit or more, the result is limit.
func distance[T comparable](a, b []T, limit int) int {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) >= limit {
		return limit
	}
	var before, last, row []int
	row = make([]int, len(a)+1)
	for i := range row {
		row[i] = i
	}
	for j := 1; j <= len(b); j++ {
		before, last, row = last, row, before
		if row == nil {
			row = make([]int, len(a)+1)
		}
		row[0] = j
		least := j
		for i := 1; i <= len(a); i++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[i] = min(last[i]+1, row[i-1]+1, last[i-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[i] = min(row[i], before[i-2]+1)
			}
			least = min(least, row[i])
		}
		if least >= limit {
			return limit
		}
	}
	return min(row[len(a)], limit)
}
