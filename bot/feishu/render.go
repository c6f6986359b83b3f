package feishu

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"huiyin/bot"
	"huiyin/bot/card"
)

// Render draws a card as a message of JSON 2.0 within every limit of Feishu's; what does not fit ends in an ellipsis, and buttons are
// kept rather than words. What stands in a notification is the card's Summary alone, so a private card's words are not in it. The error
// is for a card that no person could have caused: an unknown block, or an action that cannot be carried. The card is drawn for a
// person's own conversation with the bot.
func Render(c card.Card) (Card, error) { return pen{}.render(c, bot.Direct) }

// render draws a card for a kind of place, which its buttons carry: a press does not say where it happened.
func (p pen) render(c card.Card, where bot.PlaceKind) (Card, error) {
	out, used := p.frame(c, p.title(c, true))
	elements, err := p.draw(c.Blocks, where, maxCard-used, maxTags-1)
	if err != nil {
		return Card{}, fmt.Errorf("rendering a card: %w", err)
	}
	if len(elements) == 0 {
		if out.Header == nil {
			elements = []element{textElement(fallbackTitle(c), false, "")}
		} else {
			elements = []element{}
		}
	}
	out.Body.Elements = elements
	return out, nil
}

// frame is a card without its elements, and what it takes up of a request.
func (p pen) frame(c card.Card, title string) (out Card, used int) {
	out = Card{Schema: "2.0", Config: settings{Shared: true, Summary: summary{Content: fallback(c)}}, Body: body{Elements: []element{}}}
	if title != "" {
		out.Header = &header{Title: *plain(title), Template: color(c.Tone)}
	}
	_, used, _ = content(out) // plain structs always write
	return out, used
}

// fallback is the line of a notification, in which nothing has a meaning.
func fallback(c card.Card) string {
	if line := cut(oneLine(c.Summary), maxSummary); line != "" {
		return line
	}
	return fallbackTitle(c)
}

func fallbackTitle(c card.Card) string {
	if title := oneLine(c.Title); title != "" {
		return cut(title, maxTitle)
	}
	return orElse(toneMark(c.Tone), "•")
}

func oneLine(s string) string { return strings.Join(strings.Fields(tidy(s)), " ") }

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

// color is the colour of a title.
func color(t card.Tone) string {
	switch t {
	case card.Good:
		return "green"
	case card.Private:
		return "purple"
	case card.Ask:
		return "blue"
	case card.Trouble:
		return "orange"
	case card.Plain:
	}
	return "default"
}

// title is the card's title with its sign, unless the title brings one along.
func (p pen) title(c card.Card, sign bool) string {
	title := oneLine(c.Title)
	if mark := toneMark(c.Tone); title != "" && mark != "" && sign {
		if first, _ := utf8.DecodeRuneInString(title); !unicode.Is(unicode.So, first) {
			title = mark + " " + title
		}
	}
	return cut(title, maxTitle)
}

// canvas is elements being drawn, and the room that is left for more.
type canvas struct {
	pen
	where bot.PlaceKind
	out   []element
	tags  int // how many more components and texts
	room  int // how many more bytes of the request
	cut   bool
	lost  bool // a button found no room
	more  int  // lines of a list that found no room
}

// draw draws blocks on as many tags and bytes as there is room for. Room for all buttons is set aside first: what can be done next must
// not fall victim to a long text.
func (p pen) draw(blocks []card.Block, where bot.PlaceKind, room, tags int) ([]element, error) {
	const ending = 120 // an ellipsis at the end
	v := &canvas{pen: p, where: where, tags: tags - 2, room: room - ending}
	rows, err := v.buttonRows(blocks, v.tags/2, v.room/2)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		v.tags -= r.tags()
		v.room -= cost(r)
	}
	for i, b := range blocks {
		if row, ok := rows[i]; ok {
			v.out = append(v.out, row)
			continue
		}
		if err := v.block(b); err != nil {
			return nil, fmt.Errorf("block %d: %w", i, err)
		}
	}
	if v.cut || v.lost {
		end := ellipsis
		if v.more > 0 {
			end = fmt.Sprintf("%s +%d", ellipsis, v.more)
		}
		v.out = append(v.out, textElement(end, false, small))
	}
	return v.out, nil
}

// block draws any block but buttons, which have their room already.
func (v *canvas) block(b card.Block) error {
	switch b := b.(type) {
	case card.Paragraph:
		v.flow(b.Spans, func(text string, markup bool) element { return textElement(text, markup, "") })
	case card.Quote:
		v.flow(b.Spans, quoted)
	case card.Aside:
		v.flow(b.Spans, func(text string, markup bool) element { return textElement(text, markup, small) })
	case card.Facts:
		v.facts(b.Items)
	case card.Items:
		return v.items(b.Items)
	case card.Divider:
		v.add(rule{Tag: "hr"})
	case card.Buttons: // a row for which there is no room at all
		v.cut = v.cut || len(b.Buttons) > 0
	default:
		return fmt.Errorf("no drawing for %T", b)
	}
	return nil
}

// add puts an element down when there is room for it.
func (v *canvas) add(e element) {
	size, tags := cost(e), e.tags()
	if v.cut || v.tags < tags || v.room < size {
		v.cut = true
		return
	}
	v.out = append(v.out, e)
	v.tags -= tags
	v.room -= size
}

// small is the size of small print. https://open.larkoffice.com/document/uAjLw4CM/ukzMukzMukzM/feishu-cards/card-json-v2-components/content-components/plain-text.md
const small = "notation"

// textElement shows a text as plain words where it is nothing else.
func textElement(text string, markup bool, size string) element {
	if markup {
		return markdown{Tag: "markdown", Content: text, Size: size}
	}
	w := plain(text)
	if w.Size = size; size == small {
		w.Color = "grey"
	}
	return div{Tag: "div", Text: w}
}

// quoted sets a text apart on a ground of its own.
func quoted(text string, markup bool) element {
	return columnSet{Tag: "column_set", Columns: []column{{
		Tag: "column", Width: "weighted", Weight: 1, Background: "grey", Padding: "8px", Elements: []element{textElement(text, markup, "")},
	}}}
}

// flow draws running text on as many elements as it takes.
func (v *canvas) flow(spans []card.Span, wrap func(text string, markup bool) element) {
	around := max(cost(wrap("", false)), cost(wrap("", true)))
	for len(spans) > 0 && !v.cut {
		room := min(maxText, v.room-around)
		text, markup, rest := fit(spans, room, v.drawWords)
		left := v.room - around - weight(text)
		if len(rest) > 0 && (left < 2*around+maxTitle || v.tags < 2*wrap(text, markup).tags()) { // a tail of a few words is worse than an end
			text, markup, _ = fit(spans, room-len(ellipsis), v.drawWords)
			text = strings.TrimRightFunc(text, unicode.IsSpace) + ellipsis
			rest = nil
		}
		text = strings.Trim(text, "\n")
		if !blank(text) {
			v.add(wrap(text, markup))
		}
		spans = rest
	}
}

// facts draws pairs as lines of one text.
func (v *canvas) facts(items []card.Fact) {
	var lines []card.Span
	for _, f := range items {
		label, hasValue := oneLine(f.Label), !blank(drawPlain(f.Value))
		var line []card.Span
		if label != "" {
			line = append(line, card.Bold(label))
		}
		if label != "" && hasValue {
			line = append(line, card.Plainly("  "))
		}
		if hasValue {
			value, _, rest := splitText(f.Value, maxText/2)
			line = append(line, value...)
			if rest {
				line = append(line, card.Plainly(ellipsis))
			}
		}
		if len(line) == 0 {
			continue
		}
		if len(lines) > 0 {
			lines = append(lines, card.Plainly("\n"))
		}
		lines = append(lines, line...)
	}
	v.flow(lines, func(text string, markup bool) element { return textElement(text, markup, "") })
}

// splitText is the front of spans, at most n characters of it.
func splitText(spans []card.Span, n int) (head, tail []card.Span, more bool) {
	if length(spans) <= n {
		return spans, nil, false
	}
	head, tail = split(spans, good(spans, n))
	return head, tail, len(tail) > 0
}

// packs is how many lines of a list without buttons share one text when there are many.
const packs = 10

// items draws a list: an item and its smaller line as two texts each while there is room, then as one, then several items in one. Those
// for which there is no room are counted.
func (v *canvas) items(items []card.Item) error {
	full, tight := 0, 0
	for _, it := range items {
		n := rowTags(len(it.Buttons))
		tight += n + 2
		full += n + 2
		if len(it.Under) > 0 {
			full += 2
		}
	}
	roomy, pack := full <= v.tags, tight > v.tags
	for i := 0; i < len(items) && !v.cut; {
		n := 1
		for pack && n < packs && i+n < len(items) && len(items[i+n].Buttons) == 0 && len(items[i].Buttons) == 0 {
			n++
		}
		drawn, err := v.some(items[i:i+n], roomy)
		if err != nil {
			return err
		}
		if i += drawn; v.cut {
			v.more += len(items) - i
		}
	}
	return nil
}

// some draws a few items as one line, and says how many found room.
func (v *canvas) some(items []card.Item, roomy bool) (int, error) {
	if len(items) == 1 {
		before := len(v.out)
		err := v.item(items[0], roomy)
		if v.cut && len(v.out) == before {
			return 0, err
		}
		return 1, err
	}
	for n := len(items); n > 0; n-- {
		var spans []card.Span
		for i, it := range items[:n] {
			if i > 0 {
				spans = append(spans, card.Plainly("\n"))
			}
			spans = append(spans, under(it)...)
		}
		text, markup := v.drawWords(spans)
		e := textElement(text, markup, "")
		if blank(text) {
			return n, nil
		}
		if cost(e) <= v.room && e.tags() <= v.tags {
			v.add(e)
			v.cut = n < len(items)
			return n, nil
		}
	}
	v.cut = true
	return 0, nil
}

// under is an item's two lines in one run.
func under(it card.Item) []card.Span {
	if len(it.Under) == 0 {
		return it.Text
	}
	return slices.Concat(it.Text, []card.Span{card.Plainly("\n")}, it.Under)
}

// item draws one item: one button beside it, or several below.
func (v *canvas) item(it card.Item, roomy bool) error {
	buttons, err := v.buttons(it.Buttons)
	if err != nil {
		return err
	}
	spans := it.Text
	if !roomy {
		spans = under(it)
	}
	const around = 400 // columns and texts
	room := v.room - around
	for _, b := range buttons {
		room -= cost(b)
	}
	texts := v.lines(spans, min(maxText, room), "")
	if roomy && len(it.Under) > 0 {
		texts = append(texts, v.lines(it.Under, min(maxText/2, room-costs(texts)), small)...)
	}
	if len(texts) == 0 {
		if len(buttons) == 0 {
			return nil
		}
		texts = []element{textElement(ellipsis, false, "")}
	}
	all := texts
	switch {
	case len(buttons) == 1:
		all = []element{columnSet{Tag: "column_set", Spacing: "small", Columns: []column{
			{Tag: "column", Width: "weighted", Weight: 1, Align: "center", Elements: texts},
			{Tag: "column", Width: "auto", Align: "center", Elements: []element{buttons[0]}},
		}}}
	case len(buttons) > 1:
		all = append(all, rowOf(buttons))
	}
	if room < 0 || v.tags < tagsOf(all) || v.room < costs(all) {
		v.cut = true // a line without its buttons would promise nothing
		return nil
	}
	for _, e := range all {
		v.add(e)
	}
	return nil
}

// lines is a text of an item, cut to what fits, or nothing when nothing of it can be seen.
func (v *canvas) lines(spans []card.Span, room int, size string) []element {
	text, markup, rest := fit(spans, room-len(ellipsis), v.drawWords)
	if len(rest) > 0 {
		text = strings.TrimRightFunc(text, unicode.IsSpace) + ellipsis
	}
	if blank(text) {
		return nil
	}
	return []element{textElement(text, markup, size)}
}

func costs(es []element) int {
	n := 0
	for _, e := range es {
		n += cost(e)
	}
	return n
}
