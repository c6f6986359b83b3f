package chat

import (
	"html/template"
	"regexp"
	"strconv"
	"strings"

	"huiyin/bot/sim/feishusim"
)

// feishuDrawing draws one message for one reader. Cards are of JSON 2.0.
type feishuDrawing struct {
	s       *feishuSide
	as      reader
	people  map[string]person
	message feishusim.Message
	ids     string
	say     words
	locale  string // the reader's, as cards have it
	form    string // name of the form around what is drawn
	count   int
}

func (s *feishuSide) drawing(as reader, people map[string]person, ids string) *feishuDrawing {
	return &feishuDrawing{s: s, as: as, people: people, ids: ids, say: words{as.say}, locale: people[as.user].lang}
}

// feishuElement is one component as the template "feishu-element" draws it.
type feishuElement struct {
	words
	Kind     string
	Tone     string // a colour by name
	Text     template.HTML
	Title    template.HTML
	Subtitle template.HTML
	Tags     []feishuTag
	Inner    template.HTML // the elements within
	Fields   []feishuField
	Columns  []feishuColumn
	Control  *control
	Label    template.HTML
	LabelID  string
	ErrorID  string
	For      string
	Grouped  bool
	Required bool
	Left     bool // the label stands left of the field
	Open     bool
	Press    string // of a container that can be pressed as a whole
	URL      string
	Aria     string
	Asks     *control // the container's question
	Pictures []picture
	People   []feishuPerson
	Rows     []feishuRow
	Heads    []feishuCell
	Chart    *figure
	Class    string
}

type feishuTag struct{ Text, Tone string }

type feishuField struct {
	Text  template.HTML
	Short bool
}

type feishuColumn struct {
	Inner template.HTML
	Class string
}

type feishuPerson struct {
	face
	Avatar, Named bool
}

type feishuCell struct {
	HTML  template.HTML
	Class string
}

type feishuRow struct{ Cells []feishuCell }

func (d *feishuDrawing) execute(name string, v any) template.HTML { return execute(d.s.draw, name, v) }

// id is a new id within the drawing.
func (d *feishuDrawing) id(kind string) string {
	d.count++
	return d.ids + kind + strconv.Itoa(d.count)
}

// content draws a message of any type. https://open.feishu.cn/document/server-docs/im-v1/message-content-description/create_json
func (d *feishuDrawing) content() template.HTML {
	n := nodeOf([]byte(d.message.Content))
	e := feishuElement{words: d.say, Kind: d.message.Type}
	switch d.message.Type {
	case "text":
		e.Text = d.text(n.str("text"))
	case "post":
		return d.post(n)
	case "interactive":
		return d.card(n)
	case "image":
		e.Kind, e.Pictures = "img", []picture{d.picture(n.str("image_key"), "")}
	case "file":
		name, _, _ := d.s.sim.Stored(n.str("file_key"))
		if name == "" {
			name = n.str("file_name")
		}
		e.Text = escaped(name)
	default:
		e.Kind, e.Text = "unknown", escaped(d.message.Type)
	}
	return d.execute("feishu-element", e)
}

// picture is an uploaded image; one that is not there has no address and is drawn as its words.
func (d *feishuDrawing) picture(key, alt string) picture {
	if alt == "" {
		alt = d.say.T("demo.image")
	}
	if _, there := d.s.picture(key); !there {
		return picture{Alt: alt}
	}
	return picture{URL: pictureAddress(feishuName, key), Alt: alt}
}

var (
	feishuAt     = regexp.MustCompile(`(?i)<at\s+(?:user_id|id|open_id)\s*=\s*["']?([^"'>\s]+)["']?\s*>[^<]*</at>`)
	feishuHolder = regexp.MustCompile(`@_(user_\d+|all)`)
)

// text draws a text message. Mentions are placeholders in what people write and tags in what the bot sends; nothing else is markup.
func (d *feishuDrawing) text(s string) template.HTML {
	var b strings.Builder
	plain := func(t string) string { return string(lines(t)) }
	pattern, whose := feishuHolder, d.holder
	if d.message.SenderType != "user" {
		pattern, whose = feishuAt, func(m string) (string, string) { return feishuAt.FindStringSubmatch(m)[1], "" }
	}
	at := 0
	for _, m := range pattern.FindAllStringIndex(s, -1) {
		linked(&b, s[at:m[0]], plain)
		id, name := whose(s[m[0]:m[1]])
		d.mention(&b, id, name)
		at = m[1]
	}
	linked(&b, s[at:], plain)
	return template.HTML(b.String())
}

// holder is whom a placeholder stands for: their id, and the name that was written when it is nobody's.
func (d *feishuDrawing) holder(key string) (id, name string) {
	if key == "@_all" {
		return "all", ""
	}
	for _, m := range d.message.Mentions {
		if m.Key == key {
			return m.OpenID, m.Name
		}
	}
	return "", strings.TrimPrefix(key, "@")
}

// mention writes a name; the reader's own stands out, and so does a call to everybody.
func (d *feishuDrawing) mention(b *strings.Builder, id, name string) {
	p, known := d.people[id]
	switch {
	case id == "all":
		writeChip(b, "@"+d.say.T("demo.everyone"), " alarm")
	case known && p.id == d.as.user:
		writeChip(b, "@"+p.name, " me")
	case known:
		writeChip(b, "@"+p.name, "")
	case name != "":
		writeChip(b, "@"+name, "")
	default:
		writeChip(b, "@"+id, "")
	}
}

// post draws a rich text: a title and lines of nodes, in the reader's language if there is one.
func (d *feishuDrawing) post(n node) template.HTML {
	body := n.node(d.locale)
	if body == nil {
		for _, l := range []string{"zh_cn", "en_us"} {
			if body == nil {
				body = n.node(l)
			}
		}
	}
	if body == nil {
		body = n
	}
	var b strings.Builder
	if t := body.str("title"); t != "" {
		b.WriteString(`<p class="post-title">` + template.HTMLEscapeString(t) + "</p>")
	}
	for _, line := range listsIn(body["content"]) {
		b.WriteString(`<div class="post-line">`)
		for _, run := range line {
			d.postRun(&b, run)
		}
		b.WriteString("</div>")
	}
	return d.execute("feishu-element", feishuElement{words: d.say, Kind: "markdown", Text: template.HTML(b.String())})
}

func (d *feishuDrawing) postRun(b *strings.Builder, n node) {
	open, closed := "", ""
	styles, _ := n["style"].([]any)
	for _, s := range styles {
		if tag := map[any]string{"bold": "strong", "italic": "em", "underline": "u", "lineThrough": "s"}[s]; tag != "" {
			open, closed = open+"<"+tag+">", "</"+tag+">"+closed
		}
	}
	b.WriteString(open)
	switch n.str("tag") {
	case "text":
		linked(b, n.str("text"), func(t string) string { return string(lines(t)) })
	case "a":
		b.WriteString(string(anchor(n.str("href"), n.str("text"))))
	case "at":
		id, name := n.str("user_id"), n.str("user_name")
		if strings.HasPrefix(id, "@_") {
			id, name = d.holder(id)
		}
		d.mention(b, id, name)
	case "img":
		b.WriteString(string(d.execute("picture", d.picture(n.str("image_key"), ""))))
	case "md":
		b.WriteString(string(d.markdown(n.str("text"))))
	case "code_block":
		b.WriteString("<pre>" + template.HTMLEscapeString(n.str("text")) + "</pre>")
	case "hr":
		b.WriteString("<hr>")
	case "emotion":
		b.WriteString(template.HTMLEscapeString(feishuEmoji(n.str("emoji_type"))))
	default:
		b.WriteString(`<span class="faint">` + template.HTMLEscapeString(d.say.T("demo.control.unknown")+" "+n.str("tag")) + "</span>")
	}
	b.WriteString(closed)
}

// card draws header and body. https://open.feishu.cn/document/uAjLw4CM/ukzMukzMukzM/feishu-cards/card-json-v2-structure
func (d *feishuDrawing) card(n node) template.HTML {
	if n.str("schema") != "2.0" {
		return d.execute("feishu-element", feishuElement{words: d.say, Kind: "unknown", Text: escaped("card JSON 1.0")})
	}
	e := feishuElement{words: d.say, Kind: "card", Inner: d.elements(n.node("body").nodes("elements"), "/body/elements"), Tone: tone(n.node("header").str("template"))}
	if link := n.node("card_link"); link != nil && leads(link.str("url")) {
		e.URL = link.str("url")
	}
	if h := n.node("header"); h != nil {
		e.Title, e.Subtitle = d.line(h.node("title")), d.line(h.node("subtitle"))
		for i, t := range h.nodes("text_tag_list") {
			if i < 3 { // as many are shown
				e.Tags = append(e.Tags, feishuTag{Text: d.words(t.node("text")), Tone: tone(t.str("color"))})
			}
		}
	}
	return d.execute("feishu-element", e)
}

// words are the words of a text object in the reader's language.
func (d *feishuDrawing) words(n node) string {
	if t := n.node("i18n_content").str(d.locale); t != "" {
		return t
	}
	return n.str("content")
}

// line is a text object: plain_text shows what it says, lark_md is markup.
func (d *feishuDrawing) line(n node) template.HTML {
	switch {
	case n == nil:
		return ""
	case n.str("tag") == "lark_md":
		return d.markdown(d.words(n))
	}
	return lines(d.words(n))
}

// tones are the colours that cards name, which the style sheet has classes for.
var tones = map[string]string{
	"blue": "blue", "wathet": "wathet", "turquoise": "turquoise", "green": "green", "yellow": "yellow", "orange": "orange", "red": "red",
	"carmine": "carmine", "violet": "violet", "purple": "purple", "indigo": "indigo", "grey": "grey", "gray": "grey", "neutral": "grey", "lime": "lime",
	"sunflower": "yellow",
}

// tone is the name of a colour without its shade, such as red-500; what is no colour is none.
func tone(colour string) string {
	name, _, _ := strings.Cut(strings.ToLower(colour), "-")
	return tones[name]
}
