package chat

import (
	"html/template"
	"regexp"
	"strings"
)

// markdown draws a markdown block. https://docs.slack.dev/reference/block-kit/blocks/markdown-block
func (d *drawing) markdown(s string) template.HTML {
	m := markdown{inline: slackMarkdownLine, glued: "<br>"}
	return m.draw(s)
}

var slackSpans = regexp.MustCompile("`([^`]+)`|\\[([^\\]]+)\\]\\(([^()\\s]+)\\)|\\*\\*([^*]+)\\*\\*|\\*([^*\\s][^*]*)\\*|\\b_([^_]+)_\\b|~~([^~]+)~~")

// slackMarkdownLine draws the styles within a line; what is between the matches is escaped, and so is what is in them.
func slackMarkdownLine(s string) string {
	var b strings.Builder
	at := 0
	for _, m := range slackSpans.FindAllStringSubmatchIndex(s, -1) {
		group := func(n int) string {
			if m[2*n] < 0 {
				return ""
			}
			return s[m[2*n]:m[2*n+1]]
		}
		b.WriteString(template.HTMLEscapeString(shortcodes(s[at:m[0]])))
		at = m[1]
		if link := group(3); link != "" {
			b.WriteString(string(anchor(link, group(2))))
			continue
		}
		for n, tag := range map[int]string{1: "code", 4: "strong", 5: "em", 6: "em", 7: "s"} {
			if t := group(n); t != "" {
				b.WriteString("<" + tag + ">" + template.HTMLEscapeString(t) + "</" + tag + ">")
			}
		}
	}
	b.WriteString(template.HTMLEscapeString(shortcodes(s[at:])))
	return b.String()
}
