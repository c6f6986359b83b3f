package dingtalk

import (
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"huiyin/bot/card"
)

// jsonBytes is the size of a text as it travels: inside JSON, where some characters take more than they are.
func jsonBytes(s string) int {
	n := len(s)
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"', c == '\\', c == '\n', c == '\r', c == '\t':
			n++
		case c < ' ':
			n += 5
		}
	}
	return n
}

// fit draws as much of the front of spans as takes up limit bytes, with an ellipsis when something is left out.
func fit(spans []card.Span, limit int, draw func([]card.Span) string) (text string, whole bool) {
	if length(spans) <= max(limit, 0)+len(spans) { // every place but an empty span's takes up a byte at least
		if text = draw(spans); jsonBytes(text) <= limit {
			return text, true
		}
	}
	limit -= len(ellipsis)
	n := sort.Search(min(length(spans), max(limit, 0)+len(spans)), func(n int) bool {
		return jsonBytes(draw(split(spans, n+1))) > limit
	})
	if n == 0 || limit <= 0 {
		return "", false
	}
	text = draw(split(spans, good(spans, n)))
	if jsonBytes(text) > limit { // a mark at the end of a piece is drawn wider than inside a word
		text = draw(split(spans, n))
	}
	return strings.TrimRight(text, " \n>") + ellipsis, false
}

// length is how many places there are to cut spans at: one after each character.
func length(spans []card.Span) int {
	n := 0
	for _, s := range spans {
		n += spanLength(s)
	}
	return n
}

func spanLength(s card.Span) int { return max(utf8.RuneCountInString(s.Text), 1) }

// split is the first n places of spans.
func split(spans []card.Span, n int) []card.Span {
	for i, s := range spans {
		size := spanLength(s)
		if n > size {
			n -= size
			continue
		}
		if n == size {
			return spans[:i+1]
		}
		if n == 0 {
			return spans[:i]
		}
		s.Text = s.Text[:byteOf(s.Text, n)]
		return slices.Concat(spans[:i], []card.Span{s})
	}
	return spans
}

// good moves a place to cut back to the end of a word or at least to the end of a character as people see it.
func good(spans []card.Span, n int) int {
	before := 0
	for _, s := range spans {
		size := spanLength(s)
		if n > before+size {
			before += size
			continue
		}
		if s.Text == "" || n == before+size {
			return n
		}
		at := byteOf(s.Text, n-before)
		whole := seam(s.Text, at)
		if space := strings.LastIndexAny(s.Text[:whole], " \n"); space > 0 && whole-space < 100 {
			whole = space + 1
		}
		if moved := before + utf8.RuneCountInString(s.Text[:whole]); moved > 0 {
			return moved
		}
		return n
	}
	return n
}

// byteOf is where the n-th rune of s begins.
func byteOf(s string, n int) int {
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}
