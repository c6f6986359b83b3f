package chat

import (
	"html/template"
	"regexp"
	"strings"
)

// What every vendor's text becomes in a document. Nothing but these functions and the templates writes tags, and whatever stands
// between the tags is escaped at the moment it is written.

// escaped is text in a document.
func escaped(s string) template.HTML { return template.HTML(template.HTMLEscapeString(s)) }

// lines is text in a document with its line ends.
func lines(s string) template.HTML {
	return template.HTML(strings.ReplaceAll(template.HTMLEscapeString(s), "\n", "<br>"))
}

// writeChip writes a name that stands out; more are further classes.
func writeChip(b *strings.Builder, text, more string) {
	b.WriteString(`<span class="mention` + more + `">`)
	b.WriteString(template.HTMLEscapeString(text))
	b.WriteString(`</span>`)
}

// anchor is a link to the web or to a mail address, in a window of its own. Any other address is shown and leads nowhere.
func anchor(address, label string) template.HTML {
	words := label
	if strings.TrimSpace(words) == "" {
		words = strings.TrimPrefix(address, "mailto:")
	}
	if !leads(address) {
		if label != "" {
			words = label + " (" + address + ")"
		}
		return escaped(words)
	}
	return template.HTML(`<a href="` + template.HTMLEscapeString(address) + `" target="_blank" rel="noopener noreferrer">` +
		template.HTMLEscapeString(words) + `</a>`)
}

// leads says whether an address is one that a link may have.
func leads(address string) bool {
	low := strings.ToLower(address)
	return strings.HasPrefix(low, "https://") || strings.HasPrefix(low, "http://") || strings.HasPrefix(low, "mailto:")
}

var bareAddress = regexp.MustCompile(`https?://[^\s<>"\x60]+[^\s<>"\x60.,;:!?，。；：！？)）」』】]`)

// linked writes text in which bare addresses are links; what is between them goes through plain.
func linked(b *strings.Builder, s string, plain func(string) string) {
	for {
		at := bareAddress.FindStringIndex(s)
		if at == nil {
			b.WriteString(plain(s))
			return
		}
		b.WriteString(plain(s[:at[0]]))
		b.WriteString(string(anchor(s[at[0]:at[1]], "")))
		s = s[at[1]:]
	}
}
