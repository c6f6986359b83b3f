package dingtalk

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"huiyin/bot/card"
)

// DingTalk's markdown knows headings, quotations, bold and italic words, links, images and lists, on some clients also code, tables and
// HTML, and documents no escape. So nothing that a person typed stays a mark: where a mark is only a mark together with what stands beside
// it, an invisible character comes between; where it would be one anywhere, a sign that looks the same takes its place.
// https://open.dingtalk.com/document/orgapp/custom-bot-send-message-type
const (
	apart  = "\u200b" // zero-width space
	gap    = "\n\n"   // between two parts
	newrow = "  \n"   // inside one: a single line end is none to DingTalk
)

// alike are the signs that would be marks anywhere.
var alike = map[rune]string{'*': "∗", '`': "ˋ", '~': "～"}

// markup writes markdown. start says that a line has just begun, where more characters are marks than elsewhere.
type markup struct {
	b      strings.Builder
	start  bool
	last   rune
	row    string // what begins every further line, for quotations
	inside bool   // inside the words of a link, where brackets would end them
	closed bool   // bold words have just ended, and want a space before the next
}

func (w *markup) raw(s string) {
	w.space('x')
	w.b.WriteString(s)
	w.last, _ = utf8.DecodeLastRuneInString(s)
	w.start = false
}

// space puts a space after bold words when what follows is none.
func (w *markup) space(next rune) {
	if w.closed && !unicode.IsSpace(next) {
		w.b.WriteByte(' ')
	}
	w.closed = false
}

// text writes words so that they are read as they were typed.
func (w *markup) text(s string) {
	for i, r := range s {
		w.space(r)
		if r == '\n' {
			w.b.WriteString(newrow + w.row)
			w.start, w.last = true, '\n'
			continue
		}
		if w.start && begins(r) {
			w.b.WriteString(apart)
		}
		w.start = false
		next, _ := utf8.DecodeRuneInString(s[i+utf8.RuneLen(r):])
		switch sign, marked := alike[r]; {
		case w.inside && r == '[':
			w.b.WriteString("［")
		case w.inside && r == ']':
			w.b.WriteString("］")
		case marked:
			w.b.WriteString(sign)
		case r == '_' && !(letter(w.last) && letter(next)):
			w.b.WriteString("＿")
		case r == '@' && !(letter(w.last) && letter(next)) || r == '!' || r == ']' || r == '<' || r == '&' || r == '\\' || r == ':' && strings.HasPrefix(s[i:], "://"):
			w.b.WriteRune(r)
			w.b.WriteString(apart)
		case r == '[':
			w.b.WriteString(apart + "[")
		default:
			w.b.WriteRune(r)
		}
		w.last = r
	}
}

// begins reports whether a character may mean something at the beginning of a line: a heading, a quotation, a list, a rule, code.
func begins(r rune) bool {
	return r < utf8.RuneSelf && !letter(r) || r >= '0' && r <= '9'
}

func letter(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// bold writes each line of s in bold. The marks need a space on their outer sides where Chinese has none.
func (w *markup) bold(s string) {
	for i, line := range strings.Split(s, "\n") {
		if i > 0 {
			w.text("\n")
		}
		core := strings.TrimSpace(line)
		if core == "" {
			continue
		}
		if !w.start && !unicode.IsSpace(w.last) && w.last != 0 || w.closed {
			w.closed = false
			w.b.WriteByte(' ')
		}
		w.raw("**")
		w.text(core)
		w.raw("**")
		w.closed = true
	}
}

// link writes a link, or only its words when the address is not one of the web's.
func (w *markup) link(text, ref string) {
	address, ok := webAddress(ref)
	if !ok {
		w.text(text)
		return
	}
	text = strings.Join(strings.Fields(text), " ")
	w.raw("[")
	if text == "" {
		w.b.WriteString(strings.NewReplacer("_", "＿", "*", "∗", "~", "～").Replace(address))
	} else {
		w.inside = true
		w.text(text)
		w.inside = false
	}
	w.raw("](" + address + ")")
}

// draw writes spans.
func (w *markup) draw(spans []card.Span) {
	for _, s := range spans {
		text := tidy(s.Text)
		switch s.Kind {
		case card.BoldSpan, card.CodeSpan: // DingTalk documents no code
			w.bold(text)
		case card.LinkSpan:
			w.link(text, s.Ref)
		case card.TextSpan, card.MentionSpan: // a robot cannot mention anybody through the API
			w.text(text)
		default:
			w.text(text)
		}
	}
}

// drawWords is spans as markdown.
func drawWords(spans []card.Span) string {
	w := markup{start: true}
	w.draw(spans)
	return strings.TrimRight(w.b.String(), " ")
}

// drawQuote is spans as markdown with every line quoted.
func drawQuote(spans []card.Span) string {
	w := markup{start: true, row: "> "}
	w.b.WriteString("> ")
	w.draw(trimmed(spans))
	return strings.TrimRight(w.b.String(), " ")
}

// trimmed takes line ends off both ends of spans.
func trimmed(spans []card.Span) []card.Span {
	if len(spans) == 0 {
		return nil
	}
	out := append([]card.Span{}, spans...)
	out[0].Text = strings.TrimLeft(out[0].Text, "\n\r ")
	last := &out[len(out)-1]
	last.Text = strings.TrimRight(last.Text, "\n\r ")
	return out
}

// plainWords is the words of spans.
func plainWords(spans []card.Span) string {
	var b strings.Builder
	for _, s := range spans {
		b.WriteString(tidy(s.Text))
	}
	return b.String()
}

// webAddress is an http or https address in a form that cannot leave the place where an address stands.
func webAddress(ref string) (string, bool) {
	if len(ref) > maxURL {
		return "", false
	}
	u, err := url.Parse(ref)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return "", false
	}
	address := addressMarks.Replace(u.String())
	if len(address) > maxURL || strings.IndexFunc(address, func(r rune) bool { return r <= ' ' || untidy(r) }) >= 0 {
		return "", false
	}
	return address, true
}

var addressMarks = strings.NewReplacer(" ", "%20", "|", "%7C", "<", "%3C", ">", "%3E", `"`, "%22", "`", "%60", "\n", "%0A",
	"(", "%28", ")", "%29", "[", "%5B", "]", "%5D", "{", "%7B", "}", "%7D", "\\", "%5C", "*", "%2A", "'", "%27")

func oneLine(s string) string { return strings.Join(strings.Fields(tidy(s)), " ") }
