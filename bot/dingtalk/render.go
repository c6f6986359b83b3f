package dingtalk

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"huiyin/bot/card"
	"huiyin/internal/i18n"
)

// Message is a card as the robot says it without a template: markdown, and buttons under it that open web pages.
type Message struct {
	Title   string // what a conversation list and a notification show, one line that is no markdown
	Text    string // markdown
	Buttons []Button
}

// Render draws a card as a message within every limit of DingTalk's; what does not fit ends in an ellipsis, and buttons are kept rather
// than words. Title is the card's Summary, or else its title, so a private card's words are not in it. say has the words that the
// adapter adds for buttons that found no room. The error is for a card that no person could have caused.
func Render(c card.Card, say i18n.Printer) (Message, error) {
	g, err := gather(c, maxButtons)
	if err != nil {
		return Message{}, fmt.Errorf("rendering a message: %w", err)
	}
	text, err := draw(c, g, say, true, maxTextBytes)
	if err != nil {
		return Message{}, fmt.Errorf("rendering a message: %w", err)
	}
	m := Message{Title: fallback(c), Text: text, Buttons: g.shown}
	if blank(m.Text) {
		m.Text = drawWords(card.Text(m.Title))
	}
	return m, nil
}

// withoutActions is a message for a group, where what a button does would be anybody's.
func (m Message) withoutActions() Message {
	m.Buttons = slices.DeleteFunc(slices.Clone(m.Buttons), func(b Button) bool { return b.URL == "" })
	return m
}

// acts reports whether a message has a button that does something.
func (m Message) acts() bool {
	return slices.ContainsFunc(m.Buttons, func(b Button) bool { return b.URL == "" })
}

// fallback is what a conversation list shows.
func fallback(c card.Card) string {
	return cut(orElse(oneLine(c.Summary), orElse(oneLine(c.Title), orElse(toneMark(c.Tone), "•"))), maxTitle)
}

// toneMark is the sign in front of a title. A card is complete without it.
func toneMark(t card.Tone) string {
	switch t {
	case card.Good:
		return "✨"
	case card.Private:
		return "🔒"
	case card.Ask:
		return "💬"
	case card.Trouble:
		return "⚠️"
	case card.Plain:
	}
	return ""
}

// heading is the title with its sign, unless it brings one along.
func heading(c card.Card) string {
	title := cut(oneLine(c.Title), maxHeading)
	if mark := toneMark(c.Tone); title != "" && mark != "" {
		if first, _ := utf8.DecodeRuneInString(title); !unicode.Is(unicode.So, first) {
			return mark + " " + title
		}
	}
	return title
}

// sheet is markdown being written, and the room that is left for more.
type sheet struct {
	b    strings.Builder
	room int
	full bool
}

// draw draws a card's title and blocks. Room for the line about buttons that are left out is set aside first.
func draw(c card.Card, g gathered, say i18n.Printer, titled bool, room int) (string, error) {
	tail := ""
	if len(g.left) > 0 {
		names := cut(strings.Join(g.left, say.T("common.comma")), 200)
		tail = drawWords(card.Text(say.T("dingtalk.more", "Names", names)))
	}
	v := &sheet{room: room - jsonBytes(tail) - jsonBytes(gap)}
	if title := heading(c); titled && title != "" {
		v.add("### " + drawWords(card.Text(title)))
	}
	for i, b := range c.Blocks {
		if err := v.block(b, g.numbered); err != nil {
			return "", fmt.Errorf("block %d: %w", i, err)
		}
	}
	if tail != "" {
		v.full = false
		v.room += jsonBytes(tail) + jsonBytes(gap)
		v.add(tail)
	}
	return v.b.String(), nil
}

func (v *sheet) block(b card.Block, numbered bool) error {
	switch b := b.(type) {
	case card.Paragraph:
		v.flow(b.Spans, drawWords)
	case card.Quote:
		v.flow(b.Spans, drawQuote)
	case card.Aside:
		v.flow(b.Spans, drawWords)
	case card.Facts:
		v.facts(b.Items)
	case card.Items:
		v.items(b.Items, numbered)
	case card.Divider:
		v.add("---")
	case card.Buttons: // under the text
	default:
		return fmt.Errorf("no drawing for %T", b)
	}
	return nil
}

// add puts a part down when there is room for it.
func (v *sheet) add(part string) {
	if v.full || part == "" {
		return
	}
	size := jsonBytes(part)
	if v.b.Len() > 0 {
		size += jsonBytes(gap)
	}
	if size > v.room-len(ellipsis) {
		v.cutHere()
		return
	}
	if v.b.Len() > 0 {
		v.b.WriteString(gap)
	}
	v.b.WriteString(part)
	v.room -= size
}

// cutHere ends the text.
func (v *sheet) cutHere() {
	if !v.full {
		v.b.WriteString(gap + ellipsis)
	}
	v.full = true
}

// flow draws running text, as much of it as there is room for.
func (v *sheet) flow(spans []card.Span, draw func([]card.Span) string) {
	if blank(plainWords(spans)) || v.full {
		return
	}
	text, whole := fit(spans, v.room-jsonBytes(gap)-len(ellipsis), draw)
	v.add(text)
	v.full = v.full || !whole
}

func (v *sheet) facts(items []card.Fact) {
	var rows []string
	for _, f := range items {
		spans := f.Value
		if label := tidy(f.Label); !blank(label) {
			spans = slices.Concat([]card.Span{card.Bold(label), card.Plainly(" ")}, f.Value)
		}
		if blank(plainWords(spans)) {
			continue
		}
		text, _ := fit(spans, max(v.room/4, 200), drawWords)
		rows = append(rows, text)
	}
	v.rows(rows)
}

// rows puts lines below each other, as many as there is room for.
func (v *sheet) rows(lines []string) {
	size := 2 * jsonBytes(gap)
	for i, line := range lines {
		if size += jsonBytes(line) + jsonBytes(newrow); size > v.room-2*len(ellipsis) {
			v.add(strings.Join(lines[:i], newrow))
			v.cutHere()
			return
		}
	}
	v.add(strings.Join(lines, newrow))
}

func (v *sheet) items(items []card.Item, numbered bool) {
	numbered = numbered && len(items) > 1 && slices.ContainsFunc(items, func(it card.Item) bool { return len(it.Buttons) > 0 })
	var rows []string
	for i, it := range items {
		text, _ := fit(it.Text, max(v.room/2, 200), drawWords)
		under, _ := fit(it.Under, max(v.room/2, 200), drawWords)
		if blank(text) && blank(under) {
			continue
		}
		sign := "• "
		if numbered {
			sign = strconv.Itoa(i+1) + apart + ". " // not a list of DingTalk's, which counts for itself
		}
		row := sign + text
		if !blank(under) {
			row += newrow + "　" + under
		}
		rows = append(rows, row)
	}
	v.rows(rows)
}
