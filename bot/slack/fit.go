package slack

import (
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	slackapi "github.com/slack-go/slack"

	"huiyin/bot/card"
)

// drawing is a way to draw spans; markup says that what it draws is mrkdwn.
type drawing func([]card.Span) (text string, markup bool)

func drawWords(spans []card.Span) (string, bool) {
	if plainOnly(spans) {
		return drawPlain(spans), false
	}
	return drawMarkup(spans), true
}

func drawQuoted(spans []card.Span) (string, bool) {
	return drawQuote(spans), true
}

// fitted is the text of spans, cut with an ellipsis to what fits into one text object.
func fitted(spans []card.Span, limit int) *slackapi.TextBlockObject {
	if text, marked := drawWords(spans); len(text) <= limit || units(text) <= limit {
		return object(text, marked)
	}
	text, _ := fit(spans, limit-1, drawWords)
	text.Text += ellipsis
	return text
}

// fit draws as much of the front of spans as one text object of limit units holds, and gives the rest. What it draws is measured as
// it is sent, entities and marks included, so the limit holds whatever a person typed.
func fit(spans []card.Span, limit int, draw drawing) (*slackapi.TextBlockObject, []card.Span) {
	text, marked := draw(spans)
	if len(text) <= limit || units(text) <= limit {
		return object(text, marked), nil
	}
	most := min(length(spans), max(limit, 0)+len(spans)) // every place but an empty span's takes up a unit at least
	n := sort.Search(most, func(n int) bool {
		head, _ := split(spans, n+1)
		text, _ := draw(head)
		return units(text) > limit
	})
	if n == 0 { // not even its first piece: a link with a very long address
		if limit < maxHeader {
			return plain(""), spans
		}
		return fit(slices.Concat([]card.Span{card.Plainly(spans[0].Text)}, spans[1:]), limit, draw)
	}
	head, rest := split(spans, good(spans, n))
	if text, marked = draw(head); units(text) > limit { // a mark at the end of a piece is drawn wider than inside a word
		head, rest = split(spans, n)
		text, marked = draw(head)
	}
	return object(text, marked), rest
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

// object is a text object. Verbatim keeps Slack from making links and mentions of words.
// https://docs.slack.dev/reference/block-kit/composition-objects/text-object
func object(text string, markup bool) *slackapi.TextBlockObject {
	if markup {
		return &slackapi.TextBlockObject{Type: slackapi.MarkdownType, Text: text, Verbatim: true}
	}
	return plain(text)
}

func plain(text string) *slackapi.TextBlockObject {
	return slackapi.NewTextBlockObject(slackapi.PlainTextType, text, true, false)
}

func sectionOf(text *slackapi.TextBlockObject) slackapi.Block {
	return &slackapi.SectionBlock{Type: slackapi.MBTSection, Text: text}
}

func smallPrint(text *slackapi.TextBlockObject) slackapi.Block {
	return slackapi.NewContextBlock("", text)
}
