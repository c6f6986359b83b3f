package survey

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Normalise takes habits of writing out of a comment, not its meaning: widths, spaces, emoji, repeated or final punctuation, kinds of
// quotes and dashes, and whether there is a space between Chinese and Latin. What words somebody chooses it cannot hide; raters are
// told so. Doing it again changes nothing.
func Normalise(words string) string {
	for range 8 { // dropping a sign may bring together what composes; three rounds are the most ever seen
		next := normaliseOnce(words)
		if next == words {
			break
		}
		words = next
	}
	return words
}

func normaliseOnce(words string) string {
	runes := make([]rune, 0, len(words))
	for _, r := range norm.NFKC.String(strings.ToValidUTF8(words, "")) {
		if r, keep := plainRune(r); keep {
			runes = append(runes, r)
		}
	}
	var out []rune
	for i := 0; i < len(runes); {
		switch r := runes[i]; {
		case strings.ContainsRune(marks, r):
			mark, next := markRun(runes, i)
			out = putMark(out, runes, mark, i, next)
			i = next
		case r == ' ':
			next := i
			for next < len(runes) && runes[next] == ' ' {
				next++
			}
			if len(out) > 0 && next < len(runes) && !unspaced(out[len(out)-1]) && !unspaced(runes[next]) && !strings.ContainsRune(marks, runes[next]) {
				out = append(out, ' ')
			}
			i = next
		default:
			out = append(out, r)
			i++
		}
	}
	return strings.TrimRight(norm.NFC.String(string(out)), " "+finals)
}

const (
	marks  = ".,!?;:~"
	wide   = "。，！？；："
	finals = ".,;:~。，；："
)

// plainRune folds kinds of spaces, quotes, dashes and stops into one, and drops what is drawn rather than written.
func plainRune(r rune) (rune, bool) {
	switch {
	case unicode.IsSpace(r), unicode.IsControl(r):
		return ' ', true
	case strings.ContainsRune("‘’‚‛′`´", r):
		return '\'', true
	case strings.ContainsRune("“”„‟«»「」『』″", r):
		return '"', true
	case strings.ContainsRune("‐‑‒–—―−", r):
		return '-', true
	case r == '。':
		return '.', true
	case r == '、':
		return ',', true
	case r == '〜', r == '～':
		return '~', true
	case r == unicode.ReplacementChar, unicode.In(r, unicode.Cf, unicode.Co, unicode.Me, unicode.Variation_Selector, unicode.Noncharacter_Code_Point):
		return 0, false
	case r >= 0x2190 && unicode.Is(unicode.So, r), r >= 0x2300 && unicode.Is(unicode.Sm, r), r >= 0x1F000 && unicode.Is(unicode.Sk, r):
		return 0, false // emoji and ornaments
	}
	return r, unicode.IsGraphic(r)
}

// markRun reads punctuation that follows on itself, with spaces between, and gives the one mark that stands for it.
func markRun(runes []rune, at int) (mark rune, next int) {
	mark, next = runes[at], at+1
	for i := at + 1; i < len(runes) && (runes[i] == ' ' || strings.ContainsRune(marks, runes[i])); i++ {
		if runes[i] == ' ' {
			continue
		}
		if strings.IndexRune(weight, runes[i]) > strings.IndexRune(weight, mark) {
			mark = runes[i]
		}
		next = i + 1
	}
	return mark, next
}

// weight orders marks: the last one in a run wins.
const weight = "~,:;.!?"

// putMark writes a mark as its surroundings ask for: wide and unspaced after Chinese, else narrow, with a space where a word follows.
func putMark(out, runes []rune, mark rune, from, next int) []rune {
	for len(out) > 0 && out[len(out)-1] == ' ' {
		out = out[:len(out)-1]
	}
	if len(out) == 0 {
		return out // a text does not begin with punctuation
	}
	before := out[len(out)-1]
	if i := strings.IndexRune(".,!?;:", mark); i >= 0 && chinese(out) {
		return append(out, []rune(wide)[i])
	}
	out = append(out, mark)
	glued := next < len(runes) && runes[next] != ' '
	number := glued && unicode.IsDigit(before) && unicode.IsDigit(runes[next])
	if glued && !number && next == from+1 && strings.ContainsRune(".:~", mark) || number {
		return out // 3.5, 12:30, 1,200, an address
	}
	if next < len(runes) && !unspaced(firstAfter(runes, next)) {
		out = append(out, ' ')
	}
	return out
}

// chinese reports whether the text ends in Chinese, closed quotes and brackets aside.
func chinese(text []rune) bool {
	for _, r := range slices.Backward(text) {
		if !strings.ContainsRune("\"')]》", r) {
			return unicode.Is(unicode.Han, r)
		}
	}
	return false
}

// firstAfter is the first rune from there that is no space; a space when there is none.
func firstAfter(runes []rune, from int) rune {
	for _, r := range runes[from:] {
		if r != ' ' {
			return r
		}
	}
	return ' '
}

// unspaced tells which runes have no space beside them.
func unspaced(r rune) bool {
	return unicode.Is(unicode.Han, r) || strings.ContainsRune(wide, r) || r == ' '
}
