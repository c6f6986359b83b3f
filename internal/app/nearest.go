package app

// nearest gives the name that a mistyped word probably means: at most two letters away, and less than half of the word.
func nearest(word string, names []string) (string, bool) {
	best, at := "", 3
	for _, name := range names {
		if d := distance([]rune(word), []rune(name)); d < at && 2*d < len(name) {
			best, at = name, d
		}
	}
	return best, best != ""
}

// distance is the number of letters to add, drop or change (Levenshtein).
func distance(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
