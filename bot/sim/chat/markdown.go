package chat

import (
	"html/template"
	"regexp"
	"strings"
)

const fence = "```"

// markdown draws the blocks of Markdown that cards use: headings, lists, quotes, code, rules and paragraphs. The styles within a line
// are the vendor's business: inline returns a line as HTML.
type markdown struct {
	inline func(line string) string
	// glued is how a single line end within a paragraph looks: a new line for most, a space for some.
	glued string

	b    strings.Builder
	open string // the list, quotation or paragraph that is open
}

var (
	heading  = regexp.MustCompile(`^#{1,6} +`)
	bullet   = regexp.MustCompile(`^[-*+] +`)
	numbered = regexp.MustCompile(`^(\d{1,9})[.)] +`)
	rule     = regexp.MustCompile(`^(-{3,}|\*{3,}|<hr ?/?>)$`)
)

func (m *markdown) draw(s string) template.HTML {
	all := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i := 0; i < len(all); i++ {
		line := strings.TrimSpace(all[i])
		switch {
		case strings.HasPrefix(line, fence):
			m.within("")
			m.b.WriteString("<pre>")
			for i++; i < len(all) && !strings.HasPrefix(strings.TrimSpace(all[i]), fence); i++ {
				m.b.WriteString(template.HTMLEscapeString(all[i]) + "\n")
			}
			m.b.WriteString("</pre>")
		case line == "":
			m.within("")
		case rule.MatchString(line):
			m.within("")
			m.b.WriteString("<hr>")
		case heading.MatchString(line):
			m.within("")
			m.b.WriteString(`<p class="heading"><strong>` + m.inline(heading.ReplaceAllString(line, "")) + "</strong></p>")
		case strings.HasPrefix(line, ">"):
			m.line("blockquote", strings.TrimSpace(line[1:]), true)
		case bullet.MatchString(line):
			m.within("ul")
			m.b.WriteString("<li>" + m.inline(bullet.ReplaceAllString(line, "")) + "</li>")
		case numbered.MatchString(line):
			m.within("ol")
			m.b.WriteString(`<li value="` + numbered.FindStringSubmatch(line)[1] + `">` + m.inline(numbered.ReplaceAllString(line, "")) + "</li>")
		default:
			m.line("p", line, i > 0 && strings.HasSuffix(all[i-1], "  "))
		}
	}
	m.within("")
	return template.HTML(m.b.String())
}

// line continues what is open when it is of that kind.
func (m *markdown) line(tag, text string, broken bool) {
	switch {
	case m.open != tag:
		m.within(tag)
	case broken:
		m.b.WriteString("<br>")
	default:
		m.b.WriteString(m.glued)
	}
	m.b.WriteString(m.inline(text))
}

// within closes what is open and opens something else, unless that is open already.
func (m *markdown) within(tag string) {
	if tag == m.open {
		return
	}
	if m.open != "" {
		m.b.WriteString("</" + m.open + ">")
	}
	if tag != "" {
		m.b.WriteString("<" + tag + ">")
	}
	m.open = tag
}

// emphasis is a mark around styled text.
type emphasis struct{ mark, open, closed string }

// emphases are those of Markdown, the longer first.
var emphases = []emphasis{
	{"***", "<strong><em>", "</em></strong>"}, {"**", "<strong>", "</strong>"}, {"~~", "<s>", "</s>"}, {"*", "<em>", "</em>"},
}

// emphasised recognises what a text begins with: a mark, what it encloses and the same mark again, with no space at the edges.
func emphasised(s string) (e emphasis, inner string, ok bool) {
	for _, e := range emphases {
		rest, opens := strings.CutPrefix(s, e.mark)
		end := strings.Index(rest, e.mark)
		if opens && end > 0 && rest[0] != ' ' && rest[end-1] != ' ' {
			return e, rest[:end], true
		}
	}
	return emphasis{}, "", false
}
