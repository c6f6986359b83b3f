package feishu

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"huiyin/bot/card"
)

// Feishu's markdown takes a character for itself when it is written as a numeric entity, and knows tags such as <at> beside the usual
// marks. What a person typed therefore holds none of its special characters when it is drawn.
// https://open.larkoffice.com/document/uAjLw4CM/ukzMukzMukzM/feishu-cards/card-json-v2-components/content-components/rich-text.md
const special = "&<>*_~`[]()!\\#$|\"'{}^="

// plainOnly reports whether spans say nothing but words, so that plain text shows them exactly as they are.
func plainOnly(spans []card.Span) bool {
	for _, s := range spans {
		if s.Kind != card.TextSpan {
			return false
		}
	}
	return true
}

// drawPlain is the words of spans.
func drawPlain(spans []card.Span) string {
	if len(spans) == 1 {
		return tidy(spans[0].Text)
	}
	var b strings.Builder
	for _, s := range spans {
		b.WriteString(tidy(s.Text))
	}
	return b.String()
}

// drawWords is spans as plain text where that is enough, and otherwise as markdown.
func (p pen) drawWords(spans []card.Span) (text string, markup bool) {
	if plainOnly(spans) {
		return drawPlain(spans), false
	}
	return p.drawMarkdown(spans), true
}

// pen draws; silent mentions nobody, for a card with one mention that Feishu does not know is refused as a whole.
type pen struct{ silent bool }

// drawMarkdown is spans as markdown. Its only mentions and links are those of mention and link spans.
func (p pen) drawMarkdown(spans []card.Span) string {
	w := &writer{last: '\n'}
	for _, s := range spans {
		text := tidy(s.Text)
		switch s.Kind {
		case card.BoldSpan:
			w.bold(text)
		case card.CodeSpan:
			w.code(strings.ReplaceAll(text, "\n", " "))
		case card.LinkSpan:
			w.link(text, s.Ref)
		case card.MentionSpan:
			w.mention(text, s.Ref, p.silent)
		default:
			w.text(text)
		}
	}
	return w.b.String()
}

// writer writes markdown. last is the character before the next one, which decides whether a mark could mean something there.
type writer struct {
	b    strings.Builder
	last rune
	// start says that only spaces and digits are on the line so far, after which a dot or a dash begins a list.
	digits bool
}

// text writes words that mean nothing but themselves.
func (w *writer) text(s string) {
	for i, r := range s {
		next, _ := utf8.DecodeRuneInString(s[i+utf8.RuneLen(r):])
		if w.marks(r, next) {
			fmt.Fprintf(&w.b, "&#%d;", r)
		} else {
			w.b.WriteRune(r)
		}
		w.digits = r >= '0' && r <= '9' && (w.digits || w.begins())
		if r != ' ' || w.last != '\n' { // spaces at the beginning of a line leave it the beginning
			w.last = r
		}
	}
}

func (w *writer) begins() bool { return w.last == '\n' }

// marks reports whether a character could be markup where it stands.
func (w *writer) marks(r, next rune) bool {
	switch {
	case r < 0x80 && strings.ContainsRune(special, r):
		return true
	case r == '-' || r == '+':
		return w.begins() || w.last == r || next == r
	case r == '.':
		return w.digits
	case r == ':': // of an address, or of an emoji such as :OK:
		return letter(w.last) || letter(next) || next == '/'
	case r == '@':
		return true
	case r == '＞':
		return w.begins()
	}
	return false
}

func letter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

// bold writes emphasis. A mark beside punctuation or an entity would not close in the middle of Chinese, so an invisible character
// stands between them.
func (w *writer) bold(s string) {
	inner := strings.TrimSpace(s)
	if inner == "" {
		w.text(s)
		return
	}
	for i, line := range strings.Split(s, "\n") {
		if i > 0 {
			w.text("\n")
		}
		trimmed := strings.TrimSpace(line)
		if trimmed == "" {
			continue
		}
		before := line[:strings.Index(line, trimmed)]
		w.text(before)
		if strings.HasSuffix(w.b.String(), "**") {
			w.b.WriteString(apart)
		}
		w.b.WriteString("**")
		if first, _ := utf8.DecodeRuneInString(trimmed); !wordy(first) {
			w.b.WriteString(apart)
		}
		w.last = '*'
		w.text(trimmed)
		if last, _ := utf8.DecodeLastRuneInString(trimmed); !wordy(last) {
			w.b.WriteString(apart)
		}
		w.b.WriteString("**")
		w.last = '*'
		w.text(line[len(before)+len(trimmed):])
	}
}

const apart = "\u200b"

func wordy(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// code writes something to be typed as it stands. Within ticks nothing can be escaped, so what could be markup is written as words.
func (w *writer) code(s string) {
	if blank(s) || strings.ContainsAny(s, "&<>`*_~\\!|$") || strings.Contains(s, "](") {
		w.text(s)
		return
	}
	s = strings.TrimSpace(s)
	w.b.WriteString("`" + s + "`")
	w.last = '`'
}

// link writes a link with its own words; what is no address of a web page is written as words alone.
func (w *writer) link(text, ref string) {
	address, ok := webAddress(ref)
	if !ok {
		w.text(text)
		return
	}
	if blank(text) {
		text = ref
	}
	w.b.WriteByte('[')
	w.last = '['
	w.text(strings.ReplaceAll(tidy(text), "\n", " "))
	w.b.WriteString("](" + address + ")")
	w.last = ')'
}

// account is an open_id. Whatever else is mentioned is written as words: all, for one, would mean everybody.
var account = regexp.MustCompile(`^ou_[0-9a-zA-Z]{16,64}$`)

func (w *writer) mention(name, ref string, silent bool) {
	if silent || !account.MatchString(ref) {
		w.text(name)
		return
	}
	w.b.WriteString("<at id=" + ref + "></at>")
	w.last = '>'
}

// webAddress is an http or https address that cannot end the link that it stands in.
func webAddress(ref string) (string, bool) {
	if len(ref) > maxURL {
		return "", false
	}
	u, err := url.Parse(ref)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return "", false
	}
	address := addressMarks.Replace(u.String())
	if len(address) > maxURL || strings.IndexFunc(address, func(r rune) bool { return r <= ' ' || untidy(r) }) >= 0 {
		return "", false
	}
	return address, true
}

var addressMarks = strings.NewReplacer(" ", "%20", "(", "%28", ")", "%29", "[", "%5B", "]", "%5D", "<", "%3C", ">", "%3E", `"`, "%22", "'", "%27",
	"`", "%60", "|", "%7C", "*", "%2A", "~", "%7E", "\\", "%5C", "\n", "%0A")
