package chat

import (
	"html/template"
	"regexp"
	"strings"
)

// markdown draws a markdown block: headings, lists, quotes, code and the styles within a line. It is the small part of Markdown that
// cards use; the rest stays visible as it was written. https://docs.slack.dev/reference/block-kit/blocks/markdown-block
func (d *drawing) markdown(s string) template.HTML {
	var b strings.Builder
	open := "" // the list or quotation that is open
	within := func(tag string) {
		if tag == open {
			return
		}
		if open != "" {
			b.WriteString("</" + open + ">")
		}
		if tag != "" {
			b.WriteString("<" + tag + ">")
		}
		open = tag
	}
	all := strings.Split(s, "\n")
	for i := 0; i < len(all); i++ {
		line := strings.TrimSpace(all[i])
		switch {
		case strings.HasPrefix(line, fence):
			within("")
			b.WriteString("<pre>")
			for i++; i < len(all) && !strings.HasPrefix(strings.TrimSpace(all[i]), fence); i++ {
				b.WriteString(template.HTMLEscapeString(all[i]) + "\n")
			}
			b.WriteString("</pre>")
		case line == "":
			within("")
		case line == "---" || line == "***":
			within("")
			b.WriteString("<hr>")
		case heading.MatchString(line):
			within("")
			b.WriteString("<p><strong>" + markdownLine(strings.TrimLeft(line, "# ")) + "</strong></p>")
		case strings.HasPrefix(line, ">"):
			within("blockquote")
			b.WriteString(markdownLine(strings.TrimSpace(line[1:])) + "<br>")
		case bullet.MatchString(line):
			within("ul")
			b.WriteString("<li>" + markdownLine(bullet.ReplaceAllString(line, "")) + "</li>")
		case numbered.MatchString(line):
			within("ol")
			b.WriteString("<li>" + markdownLine(numbered.ReplaceAllString(line, "")) + "</li>")
		default:
			within("")
			b.WriteString("<p>" + markdownLine(line) + "</p>")
		}
	}
	within("")
	return template.HTML(b.String())
}

var (
	heading  = regexp.MustCompile(`^#{1,6} `)
	bullet   = regexp.MustCompile(`^[-*+] `)
	numbered = regexp.MustCompile(`^\d{1,9}[.)] `)
	spans    = regexp.MustCompile("`([^`]+)`|\\[([^\\]]+)\\]\\(([^()\\s]+)\\)|\\*\\*([^*]+)\\*\\*|\\*([^*\\s][^*]*)\\*|\\b_([^_]+)_\\b|~~([^~]+)~~")
)

// markdownLine draws the styles within a line; what is between the matches is escaped, and so is what is in them.
func markdownLine(s string) string {
	var b strings.Builder
	at := 0
	for _, m := range spans.FindAllStringSubmatchIndex(s, -1) {
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
