package feishu

import (
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"huiyin/bot/card"
)

// drawing is a way to draw spans; markup says that what it draws is markdown.
type drawing func([]card.Span) (text string, markup bool)

// fit draws as much of the front of spans as weighs no more than limit, and gives the rest. What it draws is weighed as it is sent,
// entities and escapes included, so the limit holds whatever a person typed.
func fit(spans []card.Span, limit int, draw drawing) (text string, markup bool, rest []card.Span) {
	text, markup = draw(spans)
	if weight(text) <= limit {
		return text, markup, nil
	}
	most := min(length(spans), max(limit, 0)+len(spans)) // every place but an empty span's weighs something
	n := sort.Search(most, func(n int) bool {
		head, _ := split(spans, n+1)
		text, _ := draw(head)
		return weight(text) > limit
	})
	if n == 0 { // not even its first piece: a link with a very long address
		if limit < maxTitle || spans[0].Kind == card.TextSpan {
			return "", false, spans
		}
		return fit(slices.Concat([]card.Span{card.Plainly(spans[0].Text)}, spans[1:]), limit, draw)
	}
	head, rest := split(spans, good(spans, n))
	if text, markup = draw(head); weight(text) > limit { // a mark at the end of a piece is drawn wider than inside a word
		head, rest = split(spans, n)
		text, markup = draw(head)
	}
	return text, markup, rest
}

// length is how many places there are to cut spans at: one after each character, and one after each mention.
func length(spans []card.Span) int {
	n := 0
	for _, s := range spans {
		n += spanLength(s)
	}
	return n
}

func spanLength(s card.Span) int {
	if s.Kind == card.MentionSpan || s.Text == "" {
		return 1
	}
	return utf8.RuneCountInString(s.Text)
}

// split takes the first n places off spans.
func split(spans []card.Span, n int) (head, rest []card.Span) {
	for i, s := range spans {
		size := spanLength(s)
		if n > size {
			n -= size
			continue
		}
		if n == size {
			return spans[:i+1], spans[i+1:]
		}
		if n == 0 {
			return spans[:i], spans[i:]
		}
		at := byteOf(s.Text, n)
		before, after := s, s
		before.Text, after.Text = s.Text[:at], s.Text[at:]
		return slices.Concat(spans[:i], []card.Span{before}), slices.Concat([]card.Span{after}, spans[i+1:])
	}
	return spans, nil
}

// good moves a place to cut back to the end of a word or at least to the end of a character as people see it.
func good(spans []card.Span, n int) int {
	before := 0
	for _, s := range spans {
		size := spanLength(s)
		if n <= before+size {
			if s.Kind == card.MentionSpan || s.Text == "" || n == before+size {
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
		before += size
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
