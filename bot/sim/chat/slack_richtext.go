package chat

import (
	"html/template"
	"strconv"
	"strings"
	"time"
)

// richText draws a rich_text block. https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
func (d *drawing) richText(n node) template.HTML {
	var b strings.Builder
	for _, e := range n.nodes("elements") {
		switch e.str("type") {
		case "rich_text_section":
			b.WriteString("<p>")
			d.runs(&b, e)
			b.WriteString("</p>")
		case "rich_text_quote":
			b.WriteString("<blockquote>")
			d.runs(&b, e)
			b.WriteString("</blockquote>")
		case "rich_text_preformatted":
			b.WriteString("<pre>")
			d.runs(&b, e)
			b.WriteString("</pre>")
		case "rich_text_list":
			tag := "ul"
			if e.str("style") == "ordered" {
				tag = "ol"
			}
			b.WriteString("<" + tag + ` class="indent-` + strconv.Itoa(min(e.num("indent"), 8)) + `">`)
			for _, item := range e.nodes("elements") {
				b.WriteString("<li>")
				d.runs(&b, item)
				b.WriteString("</li>")
			}
			b.WriteString("</" + tag + ">")
		}
	}
	return template.HTML(b.String())
}

// runs draws the inline elements of a part.
func (d *drawing) runs(b *strings.Builder, part node) {
	for _, e := range part.nodes("elements") {
		style := e.node("style")
		open, closed := "", ""
		for _, s := range [][2]string{{"bold", "strong"}, {"italic", "em"}, {"strike", "s"}, {"underline", "u"}, {"code", "code"}} {
			if style.flag(s[0]) {
				open, closed = open+"<"+s[1]+">", "</"+s[1]+">"+closed
			}
		}
		b.WriteString(open)
		d.run(b, e)
		b.WriteString(closed)
	}
}

func (d *drawing) run(b *strings.Builder, e node) {
	switch e.str("type") {
	case "text":
		b.WriteString(string(lines(e.str("text"))))
	case "link":
		b.WriteString(string(anchor(e.str("url"), e.str("text"))))
	case "user":
		d.mention(b, e.str("user_id"))
	case "channel":
		writeChip(b, "#"+d.channel(e.str("channel_id")), "")
	case "usergroup":
		writeChip(b, "@"+e.str("usergroup_id"), " alarm")
	case "broadcast":
		writeChip(b, "@"+e.str("range"), " alarm")
	case "team":
		writeChip(b, "@"+e.str("team_id"), "")
	case "emoji":
		b.WriteString(string(escaped(shortcodes(":" + e.str("name") + ":"))))
	case "color":
		b.WriteString("<code>" + string(escaped(e.str("value"))) + "</code>")
	case "date":
		b.WriteString(string(escaped(d.formatted(time.Unix(int64(e.num("timestamp")), 0), e.str("format"), e.str("fallback")))))
	}
}
