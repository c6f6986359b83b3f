package chat

import (
	"html/template"
	"strconv"
	"strings"

	"huiyin/bot/sim/slacksim"
)

// drawing draws the Block Kit of one message or view for one reader.
type drawing struct {
	s      *slackSide
	as     reader
	people map[string]person
	ids    string
	say    words
	held   map[string]map[string]slacksim.Input // what stands in the fields
	errors map[string]string                    // by block id
	count  int
}

func (s *slackSide) drawing(as reader, people map[string]person, ids string) *drawing {
	return &drawing{s: s, as: as, people: people, ids: ids, say: words{as.say}}
}

// block is one block as the template "slack-block" draws it.
type block struct {
	words
	Kind                    string
	ID                      string
	Text                    template.HTML
	Title                   template.HTML
	Fields                  []template.HTML
	Parts                   []part // of a context
	Controls                []control
	Accessory               *control
	Picture                 *picture
	Label, Hint             template.HTML
	Error                   string
	Optional                bool
	For, LabelID            string // of the control; of its label
	HintID, ErrorID         string
	Grouped                 bool // several controls under one label
	Rows                    []row
	Link, Author, Status    string
	Blocks                  template.HTML // of a task or an attachment
	Note, Footer, Pre, Name template.HTML
	Colour                  string
}

type part struct {
	Text    template.HTML
	Picture *picture
}

type picture struct{ URL, Alt string }

type row struct{ Cells []template.HTML }

func (d *drawing) execute(name string, v any) template.HTML {
	return execute(d.s.draw, name, v)
}

// id is a new id within the drawing.
func (d *drawing) id(kind string) string {
	d.count++
	return d.ids + kind + strconv.Itoa(d.count)
}

// message draws all that a message has: its blocks, or its text when it has none, then attachments and files.
func (d *drawing) message(m slacksim.Message) template.HTML {
	var b strings.Builder
	if blocks := nodesOf(m.Blocks); len(blocks) > 0 {
		b.WriteString(string(d.list(blocks)))
	} else if m.Text != "" {
		b.WriteString(string(d.execute("slack-block", block{words: d.say, Kind: "section", Text: d.mrkdwn(m.Text)})))
	}
	for _, a := range nodesOf(m.Attachments) {
		b.WriteString(string(d.execute("slack-block", d.attachment(a))))
	}
	for _, f := range m.Files {
		name := f.Title
		if name == "" {
			name = f.Name
		}
		b.WriteString(string(d.execute("slack-block", block{words: d.say, Kind: "file", Text: escaped(name), Status: strconv.Itoa(f.Size)})))
	}
	return template.HTML(b.String())
}

func (d *drawing) blocks(raw []byte) template.HTML { return d.list(nodesOf(raw)) }

func (d *drawing) list(blocks nodes) template.HTML {
	var b strings.Builder
	for _, n := range blocks {
		b.WriteString(string(d.execute("slack-block", d.block(n))))
	}
	return template.HTML(b.String())
}

// block reads one block. https://docs.slack.dev/reference/block-kit/blocks
func (d *drawing) block(n node) block {
	b := block{words: d.say, Kind: n.str("type"), ID: n.str("block_id")}
	switch b.Kind {
	case "section":
		b.Text = d.text(n.node("text"))
		for _, f := range n.nodes("fields") {
			b.Fields = append(b.Fields, d.text(f))
		}
		d.accessory(&b, n.node("accessory"))
	case "header":
		b.Text = d.text(n.node("text"))
	case "context":
		for _, e := range n.nodes("elements") {
			if e.str("type") == "image" {
				b.Parts = append(b.Parts, part{Picture: pictureOf(e)})
			} else {
				b.Parts = append(b.Parts, part{Text: d.text(e)})
			}
		}
	case "actions", "context_actions":
		for _, e := range n.nodes("elements") {
			b.Controls = append(b.Controls, d.controls(e, b.ID)...)
		}
	case "divider":
	case "image":
		b.Picture, b.Title = pictureOf(n), d.text(n.node("title"))
	case "input":
		d.input(&b, n)
	case "rich_text":
		b.Text = d.richText(n)
	case "markdown":
		b.Text = d.markdown(n.str("text"))
	case "table":
		for _, cells := range listsIn(n["rows"]) {
			var r row
			for _, c := range cells {
				if c.str("type") == "raw_text" {
					r.Cells = append(r.Cells, lines(c.str("text")))
				} else {
					r.Cells = append(r.Cells, d.richText(c))
				}
			}
			b.Rows = append(b.Rows, r)
		}
	case "video":
		b.Title, b.Note, b.Author = d.text(n.node("title")), d.text(n.node("description")), n.str("author_name")
		b.Link, b.Picture = n.str("title_url"), &picture{URL: n.str("thumbnail_url"), Alt: n.str("alt_text")}
		if b.Link == "" {
			b.Link = n.str("video_url")
		}
	case "task_card":
		d.task(&b, n)
	case "plan":
		b.Title = lines(n.str("title"))
		b.Blocks = d.list(n.nodes("tasks"))
	default:
		b.Text, b.Kind = escaped(b.Kind), "unknown"
	}
	return b
}

// listsIn are the lists of objects in a list.
func listsIn(v any) []nodes {
	list, _ := v.([]any)
	var out []nodes
	for _, e := range list {
		out = append(out, nodesIn(e))
	}
	return out
}

func (d *drawing) accessory(b *block, el node) {
	switch {
	case el == nil:
	case el.str("type") == "image":
		b.Picture = pictureOf(el)
	default:
		c := d.control(el, b.ID)
		b.Accessory = &c
	}
}

func pictureOf(n node) *picture {
	p := &picture{URL: n.str("image_url"), Alt: n.str("alt_text")}
	if p.URL == "" {
		p.URL = n.node("slack_file").str("url")
	}
	return p
}

// input is a labelled field of a form with its hint and what is wrong with it.
func (d *drawing) input(b *block, n node) {
	b.Label, b.Hint, b.Optional = d.text(n.node("label")), d.text(n.node("hint")), n.flag("optional")
	c := d.control(n.node("element"), b.ID)
	c.Live = n.flag("dispatch_action")
	b.For, b.LabelID = c.ID, d.id("label")
	if n.has("hint") {
		b.HintID = d.id("hint")
		c.Described = b.HintID
	}
	if why := d.errors[b.ID]; why != "" {
		b.Error, b.ErrorID = fieldError(d.say, why), d.id("error")
		c.Described, c.Invalid = strings.TrimSpace(b.ErrorID+" "+c.Described), true
	}
	c.Aria = "" // its label speaks
	b.Grouped = c.Kind == "checks" || c.Kind == "picker"
	b.Accessory = &c
}

func (d *drawing) task(b *block, n node) {
	b.Title, b.Status = lines(n.str("title")), n.str("status")
	if n.has("details") {
		b.Note = d.richText(n.node("details"))
	}
	if n.has("output") {
		b.Footer = d.richText(n.node("output"))
	}
	for _, s := range n.nodes("sources") {
		b.Parts = append(b.Parts, part{Text: anchor(s.str("url"), s.str("text"))})
	}
}

// attachment is what messages had before blocks. https://docs.slack.dev/messaging/formatting-message-text/#attachments
func (d *drawing) attachment(n node) block {
	b := block{words: d.say, Kind: "attachment", Colour: n.str("color")}
	if blocks := n.nodes("blocks"); len(blocks) > 0 {
		b.Blocks = d.list(blocks)
		return b
	}
	b.Pre, b.Text, b.Footer = d.mrkdwn(n.str("pretext")), d.mrkdwn(n.str("text")), d.mrkdwn(n.str("footer"))
	b.Name = escaped(n.str("author_name"))
	b.Title = d.mrkdwn(n.str("title"))
	if link := n.str("title_link"); link != "" {
		b.Title = anchor(link, n.str("title"))
	}
	for _, f := range n.nodes("fields") {
		b.Fields = append(b.Fields, d.mrkdwn("*"+f.str("title")+"*\n"+f.str("value")))
	}
	if url := n.str("image_url"); url != "" {
		b.Picture = &picture{URL: url, Alt: n.str("fallback")}
	}
	if b.Text == "" && b.Title == "" && b.Pre == "" && len(b.Fields) == 0 {
		b.Text = d.mrkdwn(n.str("fallback"))
	}
	return b
}

// text is a text object: plain_text shows what it says, mrkdwn is markup.
func (d *drawing) text(n node) template.HTML {
	if n == nil {
		return ""
	}
	if n.str("type") == "mrkdwn" {
		return d.mrkdwn(n.str("text"))
	}
	return lines(shortcodes(n.str("text")))
}
