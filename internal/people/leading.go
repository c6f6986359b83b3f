package people

import (
	"strings"
	"unicode"
)

// Leading splits names at the beginning of typed text from the words after them: "@林晓 谢谢", "lin xiao thanks", "@王凯、@李梅 干得好". A
// name that is written with an @ is always taken for a name, and Found is empty when it names nobody; without an @ only what names
// somebody exactly is. The longest name wins: "lin xiao thanks" is Lin Xiao, not Lin. Names may be joined by spaces, commas, 、, and,
// 和. Without any name the text comes back as it was.
func (d *Directory) Leading(text string) (named []Receiver, rest string) {
	rest = strings.TrimSpace(text)
	for {
		typed, found, after, ok := d.leadingName(rest)
		if !ok {
			return named, rest
		}
		named = append(named, Receiver{Typed: typed, Found: found})
		rest = afterJoin(after)
	}
}

// longestName is how many words a name may have.
const longestName = 4

func (d *Directory) leadingName(text string) (typed string, found []Candidate, after string, ok bool) {
	bare := strings.TrimLeft(text, "@＠")
	marked := bare != text
	if bare == "" {
		return "", nil, "", false
	}
	ends := wordEnds(bare)
	for n := len(ends); n > 0; n-- {
		typed = bare[:ends[n-1]]
		found = d.Find(typed, FindOptions{})
		if len(found) > 0 && found[0].Exact() && (marked || found[0].How != ByInitials) {
			return typed, sameSureness(found), bare[ends[n-1]:], true
		}
	}
	if !marked {
		return "", nil, "", false
	}
	typed = bare[:ends[0]]
	return typed, d.Find(typed, FindOptions{}), bare[ends[0]:], true
}

// sameSureness drops what is less sure than the first: whoever is named exactly is not asked about others.
func sameSureness(found []Candidate) []Candidate {
	for i, c := range found {
		if c.How != found[0].How {
			return found[:i]
		}
	}
	return found
}

// wordEnds are the places where the first words of the text end, at most longestName of them. Another @ ends them all.
func wordEnds(text string) []int {
	var ends []int
	inWord := true
	for i, r := range text {
		isBreak := unicode.IsSpace(r) || strings.ContainsRune(",，、;；:：@＠", r)
		if isBreak && inWord {
			ends = append(ends, i)
		}
		inWord = !isBreak
		if len(ends) == longestName || strings.ContainsRune(",，、;；:：@＠", r) {
			return ends
		}
	}
	return append(ends, len(strings.TrimRightFunc(text, unicode.IsSpace)))
}

// afterJoin drops what joins a name to the next one, or to the words: spaces and commas always, "and" and 和 only before another @.
func afterJoin(text string) string {
	text = strings.TrimLeft(text, " \t\n\u3000,，、;；:：")
	for _, and := range []string{"and ", "And ", "和", "与", "及", "& "} {
		if next, ok := strings.CutPrefix(text, and); ok {
			next = strings.TrimLeft(next, " \t\u3000")
			if strings.HasPrefix(next, "@") || strings.HasPrefix(next, "＠") {
				return next
			}
		}
	}
	return text
}
