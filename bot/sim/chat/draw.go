package chat

import (
	"bytes"
	"html/template"
	"strings"
)

// execute draws a template of ours. Templates and what they are given belong together, so an error is a mistake in this package, and
// stands on the page.
func execute(t *template.Template, name string, v any) template.HTML {
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, name, v); err != nil {
		b.Reset()
		template.HTMLEscape(&b, []byte(err.Error()))
	}
	return template.HTML(b.String())
}

// firstNamed is the first person whom a text mentions after an @, by handle, by name or by what is written for them.
func firstNamed(text string, people []person) string {
	text = strings.ToLower(strings.ReplaceAll(text, "＠", "@"))
	id, first, longest := "", len(text), 0
	for _, p := range people {
		for _, name := range []string{p.handle, p.mention, p.name} {
			at := strings.Index(text, "@"+strings.ToLower(name))
			if name != "" && at >= 0 && !p.bot && (at < first || at == first && len(name) > longest) {
				id, first, longest = p.id, at, len(name)
			}
		}
	}
	return id
}
