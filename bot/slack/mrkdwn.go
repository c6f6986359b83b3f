package slack

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"huiyin/bot/card"
)

// Slack's mrkdwn has no escape for * _ ~ ` and >, so invisible characters stand beside what a person typed of them: a zero-width
// space on both sides keeps a mark from opening or closing anything, and a soft hyphen keeps a line from becoming a quotation.
// Observed, not documented: github.com/yhatt/jsx-slack docs/about-escape-and-exact-mode.md.
// https://docs.slack.dev/messaging/formatting-message-text
const (
	apart = "\u200b"
	shy   = "\u00ad"
	tick  = "ˋ" // in the place of a backtick inside code, which would end it
)

// plainOnly reports whether spans say nothing but words, so that a plain_text object shows them exactly as they are.
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

// drawMarkup is spans as mrkdwn. Its only mentions and links are those of mention and link spans.
func drawMarkup(spans []card.Span) string {
	w := markup{last: '\n'}
	for _, s := range spans {
		text := tidy(s.Text)
		switch s.Kind {
		case card.BoldSpan:
			w.bold = true
			w.styled("*", text, w.text)
			w.bold = false
		case card.CodeSpan:
			w.styled("`", strings.ReplaceAll(text, "\n", " "), w.code)
		case card.LinkSpan:
			w.link(text, s.Ref)
		case card.MentionSpan:
			w.mention(text, s.Ref)
		default:
			w.text(text)
		}
	}
	return w.b.String()
}

// drawQuote is spans as mrkdwn with every line quoted.
func drawQuote(spans []card.Span) string {
	text := strings.Trim(drawMarkup(spans), "\n")
	if blank(text) {
		return ""
	}
	return ">" + strings.ReplaceAll(text, "\n", "\n>")
}

// markup writes mrkdwn. last is the rune before the next one, which decides whether a mark could mean something there.
type markup struct {
	b    strings.Builder
	last rune
	// closed: a style of ours has just ended and needs a boundary before the next letter, which Chinese does not bring along.
	closed bool
	bold   bool // inside bold text, where a star of a person's would end it
}

func (w *markup) put(s string, last rune) {
	w.b.WriteString(s)
	w.last = last
}

// text writes words so that they are read as they were typed.
func (w *markup) text(s string) {
	for i, r := range s {
		if w.closed {
			w.closed = false
			if !unicode.IsSpace(r) {
				w.b.WriteString(apart)
			}
		}
		switch r {
		case '&':
			w.put("&amp;", r)
		case '<':
			w.put("&lt;", r)
		case '>', '＞':
			if w.last == '\n' {
				w.b.WriteString(shy)
			}
			if r == '>' {
				w.put("&gt;", r)
			} else {
				w.put("＞", r)
			}
		case '*', '_', '~', '`':
			next, _ := utf8.DecodeRuneInString(s[i+1:])
			if r != '`' && (r != '*' || !w.bold) && (letter(w.last) && letter(next) || w.last != '\n' && unicode.IsSpace(w.last) && unicode.IsSpace(next)) {
				w.put(string(r), r)
			} else {
				w.put(apart+string(r)+apart, r)
			}
		default:
			w.b.WriteRune(r)
			w.last = r
		}
	}
}

// letter reports whether a mark beside the rune stands inside a word, as in snake_case, where Slack leaves it alone.
func letter(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// styled writes each line of s between two marks, with boundaries so that Slack sees the marks.
func (w *markup) styled(mark, s string, write func(string)) {
	for i, line := range strings.Split(s, "\n") {
		if i > 0 {
			w.put("\n", '\n')
			w.closed = false
		}
		core := strings.TrimSpace(line)
		if core == "" {
			w.text(line)
			continue
		}
		lead, trail, _ := strings.Cut(line, core)
		w.text(lead)
		if w.closed || !unicode.IsSpace(w.last) {
			w.b.WriteString(apart)
			w.closed = false
		}
		w.put(mark, 'x') // the mark itself is nothing that a mark inside could stand beside
		write(core)
		w.put(mark, 'x')
		w.closed = true
		w.text(trail)
	}
}

// code writes text between two backticks, where only entities are read.
func (w *markup) code(s string) {
	w.put(escape(strings.ReplaceAll(s, "`", tick)), 'x')
}

var entities = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// escape makes the three characters that Slack reads as control harmless.
func escape(s string) string { return entities.Replace(s) }

// link writes a link, or only its words when the address is not one of the web's.
func (w *markup) link(text, ref string) {
	address, ok := webAddress(ref)
	if !ok {
		w.text(text)
		return
	}
	if w.closed {
		w.b.WriteString(apart)
		w.closed = false
	}
	w.b.WriteString("<" + escape(address))
	if !blank(text) {
		w.put("|", 'x')
		w.text(strings.ReplaceAll(text, "\n", " "))
		w.closed = false
	}
	w.put(">", 'x')
}

// mention writes a mention that notifies, or only the name when the id is not an account's.
func (w *markup) mention(name, user string) {
	if !account(user) {
		w.text(name)
		return
	}
	if w.closed {
		w.b.WriteString(apart)
		w.closed = false
	}
	w.put("<@"+user+">", 'x')
}

// webAddress is an http or https address in a form that cannot leave the place where an address stands.
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

var addressMarks = strings.NewReplacer(" ", "%20", "|", "%7C", "<", "%3C", ">", "%3E", `"`, "%22", "`", "%60", "\n", "%0A")
