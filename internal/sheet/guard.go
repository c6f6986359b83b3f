package sheet

import (
	"strings"
	"unicode"
)

// A spreadsheet program runs a cell as a formula when its text begins with one of these
// (https://owasp.org/www-community/attacks/CSV_Injection; ASVS 1.2.10). The guard is the leading apostrophe that ASVS asks for. It
// is also put before a text that already looks guarded, so that taking one away always gives back exactly what was written: an
// export imports again unchanged.
const (
	starters = "=+-@＝＋－＠"
	controls = "\t\r\n\x00"
	// separators begin a new cell for a program that expects another delimiter than the one we wrote; the comma is ours and is
	// always inside quotes.
	separators = ";\t\r\n"
)

// guard makes the text of one cell inert. inner also guards what follows a separator inside the text, which a CSV file needs.
func guard(text string, inner bool) string {
	if !strings.ContainsAny(text, starters+controls) {
		return text
	}
	var b strings.Builder
	eachSegment(text, inner, func(first bool, segment string) {
		if risky(first, segment) {
			b.WriteByte('\'')
		}
		b.WriteString(segment)
	})
	return b.String()
}

// unguard gives the text that guard was given.
func unguard(text string, inner bool) string {
	if !strings.Contains(text, "'") {
		return text
	}
	var b strings.Builder
	eachSegment(text, inner, func(first bool, segment string) {
		if bare, ok := strings.CutPrefix(segment, "'"); ok && risky(first, bare) {
			segment = bare
		}
		b.WriteString(segment)
	})
	return b.String()
}

// eachSegment calls yield with the parts of text, each ending with its separator. Their concatenation is text.
func eachSegment(text string, inner bool, yield func(first bool, segment string)) {
	for first := true; first || text != ""; first = false {
		end := len(text)
		if at := strings.IndexAny(text, separators); inner && at >= 0 {
			end = at + 1
		}
		yield(first, text[:end])
		text = text[end:]
	}
}

// risky looks past what programs skip or drop before a cell: spaces, invisible characters, quotes and our own apostrophe.
func risky(first bool, segment string) bool {
	for _, r := range segment {
		switch {
		case strings.ContainsRune(starters, r) || r == 0:
			return true
		case strings.ContainsRune(controls, r):
			return first
		case r == '\'' || r == '"' || unicode.IsSpace(r) || unicode.Is(unicode.Cf, r):
			continue
		}
		return false
	}
	return false
}
