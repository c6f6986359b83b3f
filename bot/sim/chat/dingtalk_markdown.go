package chat

import (
	"html"
	"html/template"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// markdown draws DingTalk's Markdown, which knows no way to escape. A line end alone is a space: a new line needs two spaces in front
// of it or an empty line. https://open.dingtalk.com/document/development/robot-message-type
func (d *dingtalkDrawing) markdown(s string) template.HTML {
	m := markdown{inline: d.markdownLine, glued: " "}
	return m.draw(s)
}

func (d *dingtalkDrawing) markdownLine(s string) string {
	m := dingtalkMarker{d: d}
	m.inline(s, 0)
	return m.b.String()
}

// dingtalkMarker writes one line. Nothing but its own tags reaches b without being escaped.
type dingtalkMarker struct {
	d *dingtalkDrawing
	b strings.Builder
}

var (
	dingtalkLink = regexp.MustCompile(`^(!?)\[([^\[\]]*)\]\(([^()\s]*)\)`)
	dingtalkTag  = regexp.MustCompile(`(?i)^<(font|a|br|img)\b([^<>]*)>`)
	dingtalkAttr = regexp.MustCompile(`([A-Za-z][A-Za-z0-9_]*)\s*=\s*(?:'([^']*)'|"([^"]*)"|([^\s'">]+))`)
)

func (m *dingtalkMarker) put(s string) {
	m.d.mentions(&m.b, s, func(t string) string { return template.HTMLEscapeString(html.UnescapeString(t)) })
}

func (m *dingtalkMarker) inline(s string, depth int) {
	plain := 0 // where unwritten plain text begins
	for i := 0; i < len(s); {
		n := 0
		var write func()
		if depth < maxNesting {
			n, write = m.markup(s[i:], depth)
		}
		if n == 0 {
			_, size := utf8.DecodeRuneInString(s[i:])
			i += size
			continue
		}
		m.put(s[plain:i])
		write()
		i += n
		plain = i
	}
	m.put(s[plain:])
}

// markup recognises what a text begins with: how long it is, and how it is written. Zero is plain text.
func (m *dingtalkMarker) markup(s string, depth int) (int, func()) {
	switch s[0] {
	case '`':
		if end := strings.IndexByte(s[1:], '`'); end > 0 {
			return end + 2, func() { m.b.WriteString("<code>" + template.HTMLEscapeString(s[1:end+1]) + "</code>") }
		}
	case '!', '[':
		if link := dingtalkLink.FindStringSubmatch(s); link != nil {
			return len(link[0]), func() { m.link(link[1] != "", link[2], link[3]) }
		}
	case '<':
		if tag := dingtalkTag.FindStringSubmatch(s); tag != nil {
			return m.tag(s, tag[0], strings.ToLower(tag[1]), tag[2], depth)
		}
	case '*', '~':
		if e, inner, ok := emphasised(s); ok {
			return len(inner) + 2*len(e.mark), func() {
				m.b.WriteString(e.open)
				m.inline(inner, depth+1)
				m.b.WriteString(e.closed)
			}
		}
	}
	return 0, nil
}

// link is one of Markdown's. A page opens beside the conversation; an address that sends a text in the reader's name says so and does
// nothing here; a picture from elsewhere is not fetched.
func (m *dingtalkMarker) link(image bool, label, address string) {
	if image {
		if p := m.d.picture(address, label); p != nil {
			m.b.WriteString(string(m.d.execute("picture", *p)))
		}
		return
	}
	page, _ := opened(address)
	if page == "" {
		page = address
	}
	m.b.WriteString(string(anchor(page, label)))
}

// tag is one of the few tags that DingTalk's client takes, with what it encloses.
func (m *dingtalkMarker) tag(s, whole, name, attributes string, depth int) (int, func()) {
	attr := func(keys ...string) string {
		for _, a := range dingtalkAttr.FindAllStringSubmatch(attributes, -1) {
			for _, k := range keys {
				if strings.EqualFold(a[1], k) {
					return html.UnescapeString(a[2] + a[3] + a[4])
				}
			}
		}
		return ""
	}
	switch name {
	case "br":
		return len(whole), func() { m.b.WriteString("<br>") }
	case "img":
		return len(whole), func() { m.link(true, attr("alt"), attr("src")) }
	}
	at := strings.Index(strings.ToLower(s[len(whole):]), "</"+name+">")
	if at < 0 {
		return 0, nil
	}
	inner := s[len(whole) : len(whole)+at]
	n := len(whole) + at + len("</"+name+">")
	if name == "a" {
		return n, func() { m.link(false, html.UnescapeString(inner), attr("href")) }
	}
	return n, func() {
		m.b.WriteString(`<span class="ink tone-` + dingtalkTone(attr("color", "colorTokenV2", "colorToken")) + `">`)
		m.inline(inner, depth+1)
		m.b.WriteString("</span>")
	}
}

// dingtalkTone is the nearest of the page's colours: of a name, of a token such as common_red1_color, or of six hexadecimal digits.
func dingtalkTone(colour string) string {
	colour = strings.ToLower(strings.TrimSpace(colour))
	for _, name := range []string{"red", "orange", "yellow", "green", "blue", "purple", "grey", "gray"} {
		if strings.Contains(colour, name) {
			return tone(name)
		}
	}
	rgb, err := strconv.ParseUint(strings.TrimPrefix(colour, "#"), 16, 32)
	if err != nil || len(colour) != len("#rrggbb") {
		return ""
	}
	r, g, b := int(rgb>>16), int(rgb>>8&0xff), int(rgb&0xff)
	switch most, least := max(r, g, b), min(r, g, b); {
	case most-least < 32:
		return "grey"
	case r == most && g > 150:
		return "yellow"
	case r == most && g > 90:
		return "orange"
	case r == most && b > 150:
		return "carmine"
	case r == most:
		return "red"
	case g == most:
		return "green"
	case r > 110:
		return "purple"
	}
	return "blue"
}
