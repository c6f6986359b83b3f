package chat

import (
	"html/template"
	"strconv"
	"strings"

	"huiyin/bot/sim/dingtalksim"
)

// dingtalkDrawing draws one message for one reader.
type dingtalkDrawing struct {
	s       *dingtalkSide
	as      reader
	people  map[string]person
	message dingtalksim.Message
	ids     string
	say     words
	count   int
}

func (s *dingtalkSide) drawing(as reader, people map[string]person, ids string) *dingtalkDrawing {
	return &dingtalkDrawing{s: s, as: as, people: people, ids: ids, say: words{as.say}}
}

// dingtalkPart is one part of a message as the template "dingtalk-part" draws it.
type dingtalkPart struct {
	words
	Kind    string
	Text    template.HTML
	Title   string
	Picture *picture
	Buttons []control
	Upright bool // the buttons stand below each other
	Fields  []dingtalkField
	Submit  *control
	Inner   template.HTML
	Rows    []dingtalkRow
}

// dingtalkField is one field of a form.
type dingtalkField struct {
	words
	Label            string
	LabelID, ErrorID string
	Required         bool
	Grouped          bool
	Fixed            bool // shown and not to be changed
	Value            string
	Control          control
}

// dingtalkRow is one line of a feed.
type dingtalkRow struct {
	words
	Title   string
	Picture *picture
	Press   string
	URL     string
}

func (d *dingtalkDrawing) execute(name string, v any) template.HTML {
	return execute(d.s.draw, name, v)
}

// id is a new id within the drawing.
func (d *dingtalkDrawing) id(kind string) string {
	d.count++
	return d.ids + kind + strconv.Itoa(d.count)
}

// content draws a message of any type: of a person, of the robot's API, of a session webhook, of a work notice, or a card.
// https://open.dingtalk.com/document/development/robot-message-type
func (d *dingtalkDrawing) content() template.HTML {
	if d.message.Via == dingtalksim.ViaCard {
		return d.card()
	}
	n := nodeOf([]byte(d.message.Content))
	p := dingtalkPart{words: d.say, Kind: "text"}
	switch kind := d.message.Type; kind {
	case "text", "sampleText":
		p.Text = d.text(n.str("content"))
	case "markdown", "sampleMarkdown":
		p.Kind, p.Text = "markdown", d.markdown(n.str("text"))
	case "actionCard", "action_card", "sampleActionCard", "sampleActionCard2", "sampleActionCard3", "sampleActionCard4", "sampleActionCard5", "sampleActionCard6":
		text := n.str("text")
		if kind == "action_card" {
			text = n.str("markdown")
		}
		p.Kind, p.Text, p.Buttons = "action", d.markdown(text), d.links(n)
		p.Upright = len(p.Buttons) > 2 || n.str("btnOrientation") != "1" && kind != "sampleActionCard6"
	case "link", "sampleLink":
		p.Kind, p.Title, p.Text, p.Picture = "link", n.str("title"), lines(n.str("text")), d.picture(n.str("picUrl"), n.str("title"))
		p.Buttons = d.links(node{"singleTitle": d.say.T("demo.control.open"), "singleURL": n.str("messageUrl")})
	case "picture", "sampleImageMsg", "image":
		p.Kind, p.Picture = "picture", d.picture(n.str("photoURL")+n.str("media_id")+n.str("downloadCode"), "")
	case "sampleFile", "file":
		p.Kind, p.Title = "file", n.str("fileName")
	case "feedCard":
		p.Kind, p.Rows = "feed", d.feed(n)
	case "richText":
		var b strings.Builder
		for _, run := range n.nodes("richText") {
			b.WriteString(string(d.text(run.str("text"))))
		}
		p.Text = template.HTML(b.String())
	default:
		p.Kind, p.Text = "unknown", escaped(kind)
	}
	return d.execute("dingtalk-part", p)
}

// feed are the lines of a feedCard, each a link.
func (d *dingtalkDrawing) feed(n node) []dingtalkRow {
	var out []dingtalkRow
	for _, l := range n.nodes("links") {
		page, _ := opened(l.str("messageURL"))
		out = append(out, dingtalkRow{words: d.say, Title: l.str("title"), Picture: d.picture(l.str("picURL"), l.str("title")), URL: page})
	}
	return out
}

// picture is an uploaded image; one from elsewhere is not fetched, and neither is what is not there.
func (d *dingtalkDrawing) picture(source, alt string) *picture {
	if source == "" {
		return nil
	}
	if alt == "" {
		alt = d.say.T("demo.image")
	}
	if _, there := d.s.picture(source); there {
		return &picture{URL: pictureAddress(dingtalkName, source), Alt: alt}
	}
	return &picture{Alt: alt}
}

// text draws a plain text. Who was mentioned stands in it by name in what people write, by id in what the robot sends.
func (d *dingtalkDrawing) text(s string) template.HTML {
	var b strings.Builder
	d.mentions(&b, s, func(t string) string { return string(lines(t)) })
	return template.HTML(b.String())
}

// mentions writes text in which the message's mentions stand out and addresses are links; what is between them goes through plain.
func (d *dingtalkDrawing) mentions(b *strings.Builder, s string, plain func(string) string) {
	for s != "" {
		at, length, who := d.nextMention(s)
		if length == 0 {
			linked(b, s, plain)
			return
		}
		linked(b, s[:at], plain)
		class := ""
		if who.UserID == d.as.user {
			class = " me"
		}
		writeChip(b, "@"+who.Name, class)
		s = s[at+length:]
	}
}

// nextMention finds the first mention in a text, the longest name of those that begin there.
func (d *dingtalkDrawing) nextMention(s string) (at, length int, who dingtalksim.Mention) {
	at = len(s)
	low := strings.ToLower(s)
	for _, m := range d.message.Mentions {
		names := []string{m.Name, m.UserID, d.people[m.UserID].handle}
		for _, name := range names {
			for _, sign := range []string{"@", "＠"} {
				i := strings.Index(low, sign+strings.ToLower(name))
				if name != "" && i >= 0 && (i < at || i == at && len(sign+name) > length) {
					at, length, who = i, len(sign+name), m
				}
			}
		}
	}
	return at, length, who
}

// links are the buttons of an action card. What opens a page opens it beside the conversation, what sends a text sends it.
func (d *dingtalkDrawing) links(n node) []control {
	var out []control
	for i, b := range buttonsOf(n) {
		c := control{words: d.say, Kind: "button", ID: d.id("c"), Label: escaped(b.label), Press: pressName(pressLink, strconv.Itoa(b.at)), Beside: true}
		page, text := opened(b.url)
		switch {
		case d.message.Type == "link" || d.message.Type == "sampleLink":
			c.URL, c.Press = page, ""
		case page != "":
			c.URL = page
		case text == "":
			c.Disabled = true
		}
		if i == 0 && len(buttonsOf(n)) > 1 {
			c.Style = "primary"
		}
		out = append(out, c)
	}
	return out
}
