package e2e

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// browser is the one that a chat client opens the bot's own pages in. Pages that only show something are kept, for they show the same
// until something is done on them.
type browser struct {
	client http.Client
	mu     sync.Mutex
	kept   map[string]webPage
}

func newBrowser() *browser { return &browser{kept: map[string]webPage{}} }

// webPage is a page as people read it, and what they can do on it.
type webPage struct {
	address string
	title   string
	words   string
	fields  []webField
	hidden  url.Values
	send    string // what stands on the button that sends the form, or does what the page offers; empty: there is none
	buttons []webButton
	errors  map[string]string // by field
}

// isForm tells a form to fill in from a page that offers one button.
func (p webPage) isForm() bool { return p.send != "" && len(p.fields) > 0 }

type webField struct {
	name    string
	values  []string
	options []webOption
}

type webOption struct{ value, label string }

type webButton struct {
	label, address string
	post           bool
}

// look opens an address without doing anything.
func (b *browser) look(address string) (webPage, error) {
	b.mu.Lock()
	p, ok := b.kept[address]
	b.mu.Unlock()
	if ok {
		return p, nil
	}
	resp, err := b.client.Get(address) //nolint:noctx // a page of our own, on this machine
	if err != nil {
		return webPage{}, err
	}
	return b.read(resp, address)
}

// send posts to an address and shows what comes back.
func (b *browser) send(address string, values url.Values) (webPage, error) {
	b.mu.Lock()
	delete(b.kept, address)
	b.mu.Unlock()
	resp, err := b.client.PostForm(address, values) //nolint:noctx // likewise
	if err != nil {
		return webPage{}, err
	}
	return b.read(resp, "")
}

// read reads a page. keep is the address to keep it under, or empty.
func (b *browser) read(resp *http.Response, keep string) (webPage, error) {
	defer resp.Body.Close()
	at := resp.Request.URL
	if resp.StatusCode >= http.StatusInternalServerError {
		text, _ := io.ReadAll(resp.Body)
		return webPage{}, fmt.Errorf("the page is answered with %d: %.300s", resp.StatusCode, text)
	}
	doc, err := html.Parse(resp.Body)
	if err != nil {
		return webPage{}, err
	}
	p := webPage{address: at.String(), hidden: url.Values{}, errors: map[string]string{}}
	r := reading{page: &p, base: at}
	r.walk(doc, nil)
	p.words = strings.Join(r.lines, "\n")
	if keep != "" {
		b.mu.Lock()
		b.kept[keep] = p
		b.mu.Unlock()
	}
	return p, nil
}

// reading walks through a document.
type reading struct {
	page  *webPage
	base  *url.URL
	lines []string
}

func attribute(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func classed(n *html.Node, class string) bool {
	all, _ := attribute(n, "class")
	return slices.Contains(strings.Fields(all), class)
}

// textOf is what is read of an element, in one line.
func textOf(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	var b strings.Builder
	for c := range n.ChildNodes() {
		b.WriteString(textOf(c))
	}
	return b.String()
}

func (r *reading) line(n *html.Node) {
	if text := strings.TrimSpace(textOf(n)); text != "" {
		r.lines = append(r.lines, text)
	}
}

// form is the form element around a node, as far as it matters.
type aroundForm struct {
	address string
	fields  bool
}

func (r *reading) walk(n *html.Node, in *aroundForm) {
	switch n.DataAtom { //nolint:exhaustive // of all elements a few matter
	case atom.Head, atom.Style, atom.Svg:
		return
	case atom.H1, atom.P, atom.Blockquote, atom.Dt, atom.Dd, atom.Legend, atom.Li, atom.Label:
		if n.DataAtom == atom.Li || classed(n, "option") { // their parts are read one by one
			break
		}
		if n.DataAtom == atom.H1 {
			r.page.title = strings.TrimSpace(textOf(n))
		}
		if !classed(n, "brand") {
			r.line(n)
		}
		return
	case atom.Form:
		action, _ := attribute(n, "action")
		in = &aroundForm{address: r.resolve(action)}
		in.fields = strings.Contains(textOfAll(n, "name"), "try")
	case atom.Div, atom.Fieldset:
		if classed(n, "field") {
			r.field(n)
		}
	case atom.Input:
		if kind, _ := attribute(n, "type"); kind == "hidden" {
			name, _ := attribute(n, "name")
			value, _ := attribute(n, "value")
			r.page.hidden.Set(name, value)
		}
	case atom.Span:
		if classed(n, "hint") {
			r.line(n)
		}
	case atom.A:
		if classed(n, "button") {
			address, _ := attribute(n, "href")
			r.page.buttons = append(r.page.buttons, webButton{label: strings.TrimSpace(textOf(n)), address: r.resolve(address)})
			r.lines = append(r.lines, "<"+strings.TrimSpace(textOf(n))+">")
		}
	case atom.Button:
		label := strings.TrimSpace(textOf(n))
		switch {
		case in == nil:
		case classed(n, "wide"): // the page's own
			r.page.send = label
		default:
			r.page.buttons = append(r.page.buttons, webButton{label: label, address: in.address, post: true})
		}
		r.lines = append(r.lines, "<"+label+">")
	}
	for c := range n.ChildNodes() {
		r.walk(c, in)
	}
}

// textOfAll are all values of an attribute below a node.
func textOfAll(n *html.Node, name string) string {
	out := ""
	for d := range n.Descendants() {
		if v, ok := attribute(d, name); ok {
			out += v + " "
		}
	}
	return out
}

func (r *reading) resolve(address string) string {
	u, err := r.base.Parse(address)
	if err != nil {
		return address
	}
	return u.String()
}

// field reads a field with everything that stands in it.
func (r *reading) field(n *html.Node) {
	var f webField
	problem := ""
	for d := range n.Descendants() {
		value, _ := attribute(d, "value")
		_, checked := attribute(d, "checked")
		_, selected := attribute(d, "selected")
		kind, _ := attribute(d, "type")
		if name, ok := attribute(d, "name"); ok {
			f.name = name
		}
		switch {
		case d.DataAtom == atom.Input && (kind == "radio" || kind == "checkbox"):
			f.options = append(f.options, webOption{value, strings.TrimSpace(textOf(d.Parent))})
			if checked {
				f.values = append(f.values, value)
			}
		case d.DataAtom == atom.Option:
			f.options = append(f.options, webOption{value, strings.TrimSpace(textOf(d))})
			if selected {
				f.values = append(f.values, value)
			}
		case d.DataAtom == atom.Textarea:
			f.values = []string{strings.TrimPrefix(textOf(d), "\n")}
		case d.DataAtom == atom.Input && value != "":
			f.values = append(f.values, value)
		case d.DataAtom == atom.Span && classed(d, "problem"):
			problem = strings.TrimSpace(textOf(d))
		}
	}
	r.page.fields = append(r.page.fields, f)
	if problem != "" {
		r.page.errors[f.name] = problem
	}
}

// filled is what the form would send with these values in place of what stands in it.
func (p webPage) filled(values map[string][]string) url.Values {
	out := url.Values{}
	maps.Copy(out, p.hidden)
	for _, f := range p.fields {
		out[f.name] = f.values
		if v, ok := values[f.name]; ok {
			out[f.name] = v
		}
	}
	return out
}
