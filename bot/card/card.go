// Package card is what the bot shows: cards and forms as values, free of any platform. Text is a run of spans and never markup:
// only a renderer knows how to escape for its platform, so what a person typed can neither ping, nor link, nor forge. The package
// does not know how anything is drawn, sent or answered.
package card

// Tone is the mood of a card; a renderer may show it as a colour or an emoji, and a card is complete without it.
type Tone int

// The tones.
const (
	Plain   Tone = iota
	Good         // praise, thanks, done
	Private      // for the reader's eyes only
	Ask          // something is wanted of the reader
	Trouble      // it did not work
)

// Card is one message. Title is plain text; Summary is the one line that a notification may show (never private words) and
// falls back to Title.
type Card struct {
	Tone    Tone
	Title   string
	Summary string
	Blocks  []Block
}

// Block is a part of a card. The set is sealed: a renderer's type switch names every block.
type Block interface{ block() }

// The blocks.
type (
	// Paragraph is running text.
	Paragraph struct{ Spans []Span }

	// Quote is text that somebody wrote, set apart from the bot's own words.
	Quote struct{ Spans []Span }

	// Facts are label and value pairs, read one below the other on a phone.
	Facts struct{ Items []Fact }

	// Items is a list; each item is a line with an optional second, smaller line and optional buttons of its own.
	Items struct{ Items []Item }

	// Aside is small print.
	Aside struct{ Spans []Span }

	// Divider is a line between parts.
	Divider struct{}

	// Buttons are what can be done next, most likely first; at most five, so that they fit a phone.
	Buttons struct{ Buttons []Button }
)

func (Paragraph) block() {}
func (Quote) block()     {}
func (Facts) block()     {}
func (Items) block()     {}
func (Aside) block()     {}
func (Divider) block()   {}
func (Buttons) block()   {}

// Fact is one labelled value.
type Fact struct {
	Label string
	Value []Span
}

// Item is one line of a list.
type Item struct {
	Text    []Span
	Under   []Span
	Buttons []Button
}

// Style is how much a button weighs.
type Style int

// The styles.
const (
	Default Style = iota
	Primary
	Danger
)

// Button offers one action, or opens a web page when URL is set.
type Button struct {
	Label   string // at most 75 characters on the narrowest platform
	Action  Action
	URL     string
	Style   Style
	Confirm *Confirm // asked before the action runs
}

// Confirm is the question before a weighty action.
type Confirm struct{ Title, Text, Yes, No string }

// Action names what a button or a form does. Name has a row in the dialog's table of actions; Args are few and short (ids, page
// cursors), never words that a person typed.
type Action struct {
	Name string   `json:"n"`
	Args []string `json:"a,omitempty"`
}

// Act makes an action.
func Act(name string, args ...string) Action { return Action{Name: name, Args: args} }

// Arg is the i-th argument, or empty.
func (a Action) Arg(i int) string {
	if i < 0 || i >= len(a.Args) {
		return ""
	}
	return a.Args[i]
}

// Span is a piece of text. Exactly one meaning: plain text, bold text, code (an example to type), a link, or the mention of a platform account.
type Span struct {
	Kind SpanKind
	Text string // what is read; for a mention the name to show where the platform cannot mention
	Ref  string // Link: the address; Mention: the platform's user id
}

// SpanKind is the meaning of a span.
type SpanKind int

// The kinds of span.
const (
	TextSpan SpanKind = iota
	BoldSpan
	CodeSpan
	LinkSpan
	MentionSpan
)

// Text makes plain spans of the given pieces.
func Text(pieces ...string) []Span {
	out := make([]Span, len(pieces))
	for i, p := range pieces {
		out[i] = Span{Text: p}
	}
	return out
}

// Bold is emphasised text.
func Bold(s string) Span { return Span{Kind: BoldSpan, Text: s} }

// Plainly is plain text.
func Plainly(s string) Span { return Span{Text: s} }

// Code is something to be typed as it stands.
func Code(s string) Span { return Span{Kind: CodeSpan, Text: s} }

// Link is a link with its own words. Only http and https addresses are drawn as links.
func Link(text, url string) Span { return Span{Kind: LinkSpan, Text: text, Ref: url} }

// Mention is a mention of a platform account that notifies it.
func Mention(name, userID string) Span { return Span{Kind: MentionSpan, Text: name, Ref: userID} }

// Say is a paragraph of plain text.
func Say(s string) Paragraph { return Paragraph{Spans: Text(s)} }

// Small is small print.
func Small(s string) Aside { return Aside{Spans: Text(s)} }

// Quoted sets a person's words apart.
func Quoted(s string) Quote { return Quote{Spans: Text(s)} }
