package chat

import (
	"html"
	"html/template"
	"regexp"
	"strings"
	"unicode/utf8"
)

// markdown draws the Markdown of cards with its own tags. What was escaped as an entity is a character and never markup.
// https://open.feishu.cn/document/uAjLw4CM/ukzMukzMukzM/feishu-cards/card-json-v2-components/content-components/rich-text
func (d *feishuDrawing) markdown(s string) template.HTML {
	m := markdown{inline: d.markdownLine, glued: "<br>"}
	return m.draw(s)
}

func (d *feishuDrawing) markdownLine(s string) string {
	m := larkMarker{d: d}
	m.inline(s, 0)
	return m.b.String()
}

// larkMarker writes one line. Nothing but its own tags reaches b without being escaped.
type larkMarker struct {
	d *feishuDrawing
	b strings.Builder
}

var (
	larkTag  = regexp.MustCompile(`^<(at|person|font|text_tag|number_tag|a|link|br|local_datetime)\b([^<>]*)>`)
	larkLink = regexp.MustCompile(`^(!?)\[([^\[\]]*)\]\(([^()\s]*)\)`)
	larkAttr = regexp.MustCompile(`([a-z_]+)\s*=\s*(?:'([^']*)'|"([^"]*)"|([^\s'">]+))`)
	larkCode = regexp.MustCompile(`:[A-Z][A-Za-z0-9_]{1,30}:`)
)

// put writes text: addresses in it become links, entities what they stand for.
func (m *larkMarker) put(s string) {
	linked(&m.b, s, func(t string) string {
		t = larkCode.ReplaceAllStringFunc(t, func(code string) string { return feishuEmoji(code) })
		return template.HTMLEscapeString(html.UnescapeString(t))
	})
}

func (m *larkMarker) inline(s string, depth int) {
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
func (m *larkMarker) markup(s string, depth int) (int, func()) {
	switch s[0] {
	case '`':
		if end := strings.IndexByte(s[1:], '`'); end > 0 {
			return end + 2, func() {
				m.b.WriteString("<code>" + template.HTMLEscapeString(html.UnescapeString(s[1:end+1])) + "</code>")
			}
		}
	case '!', '[':
		if link := larkLink.FindStringSubmatch(s); link != nil {
			return len(link[0]), func() { m.link(link[1] != "", html.UnescapeString(link[2]), html.UnescapeString(link[3])) }
		}
	case '<':
		if tag := larkTag.FindStringSubmatch(s); tag != nil {
			return m.tag(s, tag[0], tag[1], tag[2], depth)
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

func (m *larkMarker) link(image bool, label, address string) {
	if image {
		m.b.WriteString(string(m.d.execute("picture", m.d.picture(address, label))))
		return
	}
	m.b.WriteString(string(anchor(address, label)))
}

// tag is one of the tags of the dialect with what it encloses. One that should be closed and is not is text.
func (m *larkMarker) tag(s, whole, name, attributes string, depth int) (int, func()) {
	attr := func(keys ...string) string {
		for _, a := range larkAttr.FindAllStringSubmatch(attributes, -1) {
			for _, k := range keys {
				if a[1] == k {
					return html.UnescapeString(a[2] + a[3] + a[4])
				}
			}
		}
		return ""
	}
	if name == "br" {
		return len(whole), func() { m.b.WriteString("<br>") }
	}
	inner, _, closed := strings.Cut(s[len(whole):], "</"+name+">")
	n := len(whole) + len(inner) + len("</"+name+">")
	if !closed {
		if name != "at" && name != "person" && !strings.HasSuffix(attributes, "/") {
			return 0, nil
		}
		inner, n = "", len(whole)
	}
	span := func(class string) func() {
		return func() {
			m.b.WriteString(`<span class="` + class + `">`)
			m.inline(inner, depth+1)
			m.b.WriteString("</span>")
		}
	}
	switch name {
	case "at":
		return n, func() {
			ids := strings.Split(attr("id", "ids", "user_id", "email"), ",")
			for i, id := range ids {
				if i > 0 {
					m.b.WriteString(" ")
				}
				m.d.mention(&m.b, id, "")
			}
		}
	case "person":
		return n, func() { writeChip(&m.b, m.d.nameOf(attr("id")), " plainly") }
	case "font":
		return n, span("ink tone-" + tone(attr("color")))
	case "text_tag":
		return n, span("tint tone-" + tone(attr("color")))
	case "number_tag":
		return n, span("tint round tone-" + tone(attr("background_color", "color")))
	case "local_datetime":
		return n, func() { m.put(m.d.moment(attr("millisecond"), inner)) }
	}
	return n, func() { m.b.WriteString(string(anchor(attr("href", "url"), html.UnescapeString(inner)))) } // a, link
}

// nameOf is the name of a person, or the id that was to be one.
func (d *feishuDrawing) nameOf(id string) string {
	if p, ok := d.people[id]; ok {
		return p.name
	}
	return id
}

// feishuEmoji is the character for the name of an emoji, with or without colons, as far as it is known here.
func feishuEmoji(name string) string {
	bare := strings.Trim(name, ":")
	if e, ok := map[string]string{
		"OK": "👌", "THUMBSUP": "👍", "THANKS": "🙏", "MUSCLE": "💪", "FINGERHEART": "🫰", "APPLAUSE": "👏", "FISTBUMP": "👊", "JIAYI": "➕",
		"DONE": "✅", "SMILE": "🙂", "BLUSH": "😊", "LAUGH": "😄", "LOVE": "😍", "HEART": "❤️", "PARTY": "🎉", "ROSE": "🌹", "Fire": "🔥",
		"CheckMark": "✔️", "CrossMark": "❌", "Trophy": "🏆", "EMBARRASSED": "😳", "THINKING": "🤔", "Get": "💡", "LGTM": "👍", "OnIt": "🫡",
	}[bare]; ok {
		return e
	}
	return name
}
