package slack

import (
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"

	slackapi "github.com/slack-go/slack"

	"huiyin/bot/card"
)

// Message is a card as Slack shows it: blocks, and the text that stands in for them in notifications and for screen readers.
type Message struct {
	Text   string           `json:"text"`
	Blocks []slackapi.Block `json:"blocks,omitempty"`
}

// Render draws a card as a message within every limit of Slack's; what does not fit ends in an ellipsis, and buttons are kept rather
// than words. Text is the card's Summary alone, so a private card's words are not in it. The error is for a card that no person
// could have caused: an unknown block, or an action that Slack cannot carry.
func Render(c card.Card) (Message, error) {
	blocks, err := draw(c, true, maxMessageBlocks, maxMessageUnits)
	if err != nil {
		return Message{}, fmt.Errorf("rendering a message: %w", err)
	}
	return Message{Text: fallback(c), Blocks: blocks}, nil
}

// RenderHome draws a card as a person's home page of the bot.
func RenderHome(c card.Card) (slackapi.HomeTabViewRequest, error) {
	blocks, err := draw(c, true, maxViewBlocks, maxViewUnits)
	if err != nil {
		return slackapi.HomeTabViewRequest{}, fmt.Errorf("rendering a home page: %w", err)
	}
	return slackapi.HomeTabViewRequest{Type: slackapi.VTHomeTab, Blocks: atLeastOne(blocks, c)}, nil
}

// renderView draws a card as a modal of its own, with at most room text. metadata says to its buttons where it came from.
func renderView(c card.Card, metadata string, room int) (slackapi.ModalViewRequest, error) {
	title := fallbackTitle(c)
	blocks, err := draw(c, title != viewTitle(title), maxViewBlocks, room)
	if err != nil {
		return slackapi.ModalViewRequest{}, fmt.Errorf("rendering a modal: %w", err)
	}
	return slackapi.ModalViewRequest{Type: slackapi.VTModal, Title: plain(viewTitle(title)), Blocks: atLeastOne(blocks, c), PrivateMetadata: metadata}, nil
}

func viewTitle(s string) string { return cut(s, maxViewTitle) }

// atLeastOne makes sure that a view has a block, as Slack demands.
func atLeastOne(blocks []slackapi.Block, c card.Card) slackapi.Blocks {
	if len(blocks) == 0 {
		blocks = []slackapi.Block{sectionOf(plain(cut(fallbackTitle(c), maxText)))}
	}
	return slackapi.Blocks{BlockSet: blocks}
}

// fallback is the text of a notification, a line of mrkdwn that mentions nobody.
func fallback(c card.Card) string {
	line := cut(oneLine(c.Summary), maxFallback)
	if line == "" {
		line = fallbackTitle(c)
	}
	return escape(line)
}

func fallbackTitle(c card.Card) string {
	if title := oneLine(c.Title); title != "" {
		return cut(title, maxHeader)
	}
	return orElse(toneMark(c.Tone), "•")
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

// canvas is blocks being drawn, and the room that is left for more.
type canvas struct {
	out    []slackapi.Block
	blocks int // how many more blocks
	units  int // how much more text
	cut    bool
}

// draw draws a card on as many blocks and as much text as there is room for. Room for all buttons is set aside first: what can be
// done next must not fall victim to a long text.
func draw(c card.Card, header bool, blocks, room int) ([]slackapi.Block, error) {
	rows, err := buttonRows(c.Blocks, blocks/2, room/2)
	if err != nil {
		return nil, err
	}
	v := &canvas{blocks: blocks - 1, units: room - 1} // the one is for an ellipsis
	for _, row := range rows {
		v.blocks -= len(row.blocks)
		v.units -= row.units
	}
	if header {
		v.header(c)
	}
	for i, b := range c.Blocks {
		if row, ok := rows[i]; ok {
			v.out = append(v.out, row.blocks...)
			continue
		}
		if err := v.block(b); err != nil {
			return nil, fmt.Errorf("block %d: %w", i, err)
		}
	}
	if v.cut {
		v.out = append(v.out, slackapi.NewContextBlock("", plain(ellipsis)))
	}
	return v.out, nil
}

// block draws any block but buttons, which have their room already.
func (v *canvas) block(b card.Block) error {
	switch b := b.(type) {
	case card.Paragraph:
		v.flow(b.Spans, drawWords, sectionOf)
	case card.Quote:
		v.flow(b.Spans, drawQuoted, sectionOf)
	case card.Aside:
		v.flow(b.Spans, drawWords, smallPrint)
	case card.Facts:
		v.facts(b.Items)
	case card.Items:
		return v.items(b.Items)
	case card.Divider:
		v.add(slackapi.NewDividerBlock(), 0)
	case card.Buttons: // a row for which there is no room at all
		v.cut = v.cut || len(b.Buttons) > 0
	default:
		return fmt.Errorf("no drawing for %T", b)
	}
	return nil
}

// add puts a block down when there is room for it.
func (v *canvas) add(b slackapi.Block, size int) {
	if v.cut || v.blocks < 1 || v.units < size {
		v.cut = true
		return
	}
	v.out = append(v.out, b)
	v.blocks--
	v.units -= size
}

// header draws the title with its sign, unless the title brings one along.
func (v *canvas) header(c card.Card) {
	title := oneLine(c.Title)
	if title == "" {
		return
	}
	if mark := toneMark(c.Tone); mark != "" {
		if first, _ := utf8.DecodeRuneInString(title); !unicode.Is(unicode.So, first) {
			title = mark + " " + title
		}
	}
	text := plain(cut(title, maxHeader))
	v.add(slackapi.NewHeaderBlock(text), units(text.Text))
}

// flow draws running text on as many blocks as it takes.
func (v *canvas) flow(spans []card.Span, draw drawing, wrap func(*slackapi.TextBlockObject) slackapi.Block) {
	for len(spans) > 0 && !v.cut {
		room := min(maxText, v.units)
		text, rest := fit(spans, room, draw)
		if len(rest) > 0 && (v.blocks <= 1 || v.units-units(text.Text) < maxHeader) { // a tail of a few words is worse than an end
			text, _ = fit(spans, room-1, draw)
			text.Text += ellipsis
			rest = nil
		}
		if !blank(text.Text) {
			v.add(wrap(text), units(text.Text))
		}
		spans = rest
	}
}

// facts draws pairs as the fields of sections: two columns on a desk, one below the other on a phone.
func (v *canvas) facts(items []card.Fact) {
	var fields []*slackapi.TextBlockObject
	size := 0
	flush := func() {
		if len(fields) > 0 {
			v.add(&slackapi.SectionBlock{Type: slackapi.MBTSection, Fields: fields}, size)
		}
		fields, size = nil, 0
	}
	for _, f := range items {
		spans := slices.Concat([]card.Span{card.Bold(f.Label), card.Plainly("\n")}, f.Value)
		if blank(drawPlain(f.Value)) && !hasMention(f.Value) {
			spans = spans[:1]
		}
		if blank(tidy(f.Label)) {
			spans = f.Value
		}
		text := fitted(spans, min(maxField, v.units-size))
		if blank(text.Text) {
			continue
		}
		fields = append(fields, text)
		size += units(text.Text)
		if len(fields) == maxFields {
			flush()
		}
	}
	flush()
}

func hasMention(spans []card.Span) bool {
	return slices.ContainsFunc(spans, func(s card.Span) bool { return s.Kind == card.MentionSpan })
}

// items draws a list: an item and its smaller line as two blocks each while there is room, then as one, then several items in one.
func (v *canvas) items(items []card.Item) error {
	full, tight := 0, 0
	for _, it := range items {
		tight++
		if len(it.Buttons) > 1 {
			tight++
			full++
		}
		full++
		if len(it.Under) > 0 {
			full++
		}
	}
	roomy, pack := full <= v.blocks, tight > v.blocks
	var packed []card.Span // items waiting to share a block
	for _, it := range items {
		if pack && len(it.Buttons) == 0 {
			if len(packed) > 0 {
				packed = append(packed, card.Plainly("\n"))
			}
			packed = append(packed, under(it)...)
			continue
		}
		v.flow(packed, drawWords, sectionOf)
		packed = nil
		if err := v.item(it, roomy); err != nil {
			return err
		}
	}
	v.flow(packed, drawWords, sectionOf)
	return nil
}

// under is an item's two lines in one run.
func under(it card.Item) []card.Span {
	if len(it.Under) == 0 {
		return it.Text
	}
	return slices.Concat(it.Text, []card.Span{card.Plainly("\n")}, it.Under)
}

func (v *canvas) item(it card.Item, roomy bool) error {
	buttons, err := elements(it.Buttons)
	if err != nil {
		return err
	}
	spans := it.Text
	if !roomy {
		spans = under(it)
	}
	text := fitted(spans, min(maxText, v.units-buttons.units))
	if blank(text.Text) {
		if len(buttons.set) == 0 {
			return nil
		}
		text = plain(ellipsis)
	}
	line := &slackapi.SectionBlock{Type: slackapi.MBTSection, Text: text}
	size := units(text.Text)
	if len(buttons.set) == 1 {
		line.Accessory = slackapi.NewAccessory(buttons.set[0])
		size += buttons.units
		buttons = pressables{}
	}
	rows := buttons.rows()
	if v.blocks < 1+len(rows) || v.units < size+buttons.units {
		v.cut = true // a line without its buttons would promise nothing
		return nil
	}
	v.add(line, size)
	if roomy && len(it.Under) > 0 {
		if small := fitted(it.Under, min(maxText, v.units-buttons.units)); !blank(small.Text) {
			v.add(smallPrint(small), units(small.Text))
		}
	}
	v.units -= buttons.units
	for _, r := range rows {
		v.add(r, 0)
	}
	return nil
}
