package web

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/internal/i18n"
)

// page is what the template draws. Everything in it is text; only the template knows HTML.
type page struct {
	Lang, Name, Title, Tone string
	Banner                  string // what went wrong with the page as a whole
	Problems                []slip
	Blocks                  []drawn
	Form                    *drawnForm
	Offer                   *drawnButton
	Small                   string
}

// slip is one of the list above a form; it leads to its field.
type slip struct{ ID, Label, Text string }

// drawn is a block of a card.
type drawn struct {
	Kind    string
	Spans   []drawnSpan
	Facts   []drawnFact
	Items   []drawnItem
	Buttons []drawnButton
}

type drawnSpan struct{ Kind, Text, Link string }

type drawnFact struct {
	Label string
	Value []drawnSpan
}

type drawnItem struct {
	Text, Under []drawnSpan
	Buttons     []drawnButton
}

// drawnButton leads somewhere (Link), or acts at once when Post is set.
type drawnButton struct {
	Label, Style, Link string
	Post               bool
}

// parseAssets reads the template, with the style in it, and makes the policy that allows this style and nothing else.
func parseAssets() (*template.Template, string, error) {
	style, err := assets.ReadFile("assets/page.css")
	if err != nil {
		return nil, "", fmt.Errorf("reading the style of pages: %w", err)
	}
	css := template.CSS(style) //nolint:gosec // our own file
	drawing, err := template.New("page.html").Funcs(template.FuncMap{"style": func() template.CSS { return css }}).ParseFS(assets, "assets/page.html")
	if err != nil {
		return nil, "", fmt.Errorf("reading the template of pages: %w", err)
	}
	sum := sha256.Sum256(style)
	policy := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	return drawing, policy, nil
}

// headers keep the page out of caches, indexes and frames, and its address away from everybody else. The referrer stays within the site
// rather than nowhere: without one browsers send forms with the origin "null", which could not be told from a stranger's.
func (p *Pages) headers(h http.Header) {
	h.Set("Content-Security-Policy", p.policy)
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("X-Frame-Options", "DENY") // DingTalk opens pages as pages, not in frames
	h.Set("X-Content-Type-Options", "nosniff")
}

func (p *Pages) write(w http.ResponseWriter, status int, g page) {
	var b bytes.Buffer
	if err := p.drawing.Execute(&b, g); err != nil {
		p.Log.Error("drawing a page", "error", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	p.headers(w.Header())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	w.WriteHeader(status)
	w.Write(b.Bytes()) //nolint:errcheck // a browser that is gone cannot be told
}

func (p *Pages) blank(say i18n.Printer) page {
	return page{Lang: say.Lang(), Name: say.T("web.name"), Tone: "plain"}
}

// plainPage says something of our own.
func (p *Pages) plainPage(say i18n.Printer, tone, title, text string) page {
	g := p.blank(say)
	g.Tone, g.Title = tone, say.T(title)
	if text != "" {
		g.Blocks = []drawn{{Kind: "paragraph", Spans: spans(card.Text(say.T(text)))}}
	}
	return g
}

// cardPage shows a card; its buttons are the reader's.
func (p *Pages) cardPage(to bot.Reader, c card.Card) page {
	say := p.Catalog.In(to.Lang)
	g := p.blank(say)
	g.Tone, g.Title = tone(c.Tone), orElse(tidy(c.Title), tidy(c.Summary))
	g.Blocks = p.blocks(to, c.Blocks)
	g.Small = say.T("web.close")
	return g
}

// offerPage asks whether to do what a button does. problem is the key of what went wrong, if something did.
func (p *Pages) offerPage(o offer, problem string) page {
	say := p.Catalog.In(o.Lang)
	g := p.blank(say)
	g.Tone, g.Small = "ask", say.T("web.offer.hint")
	label := orElse(tidy(o.Label), say.T("web.offer.do"))
	g.Title = label
	g.Offer = &drawnButton{Label: label, Style: style(o.Style), Post: true}
	if q := o.Confirm; q != nil {
		g.Title = orElse(tidy(q.Title), label)
		g.Offer.Label = orElse(tidy(q.Yes), label)
		if text := tidy(q.Text); text != "" {
			g.Blocks = []drawn{{Kind: "paragraph", Spans: spans(card.Text(text))}}
		}
	}
	if g.Offer.Style == "" {
		g.Offer.Style = "primary"
	}
	if problem != "" {
		g.Banner = say.T(problem)
	}
	return g
}

// blocks draws the blocks of a card.
func (p *Pages) blocks(to bot.Reader, list []card.Block) []drawn {
	var out []drawn
	for _, block := range list {
		switch b := block.(type) {
		case card.Paragraph:
			out = text(out, "paragraph", b.Spans)
		case card.Quote:
			out = text(out, "quote", b.Spans)
		case card.Aside:
			out = text(out, "aside", b.Spans)
		case card.Facts:
			d := drawn{Kind: "facts"}
			for _, f := range b.Items {
				d.Facts = append(d.Facts, drawnFact{tidy(f.Label), spans(f.Value)})
			}
			out = append(out, d)
		case card.Items:
			d := drawn{Kind: "items"}
			for _, i := range b.Items {
				d.Items = append(d.Items, drawnItem{spans(i.Text), spans(i.Under), p.row(to, i.Buttons)})
			}
			out = append(out, d)
		case card.Divider:
			out = append(out, drawn{Kind: "divider"})
		case card.Buttons:
			if row := p.row(to, b.Buttons); len(row) > 0 {
				out = append(out, drawn{Kind: "buttons", Buttons: row})
			}
		default:
			p.Log.Error("a block has no drawing", "type", fmt.Sprintf("%T", block))
		}
	}
	return out
}

func text(out []drawn, kind string, list []card.Span) []drawn {
	if s := spans(list); len(s) > 0 {
		return append(out, drawn{Kind: kind, Spans: s})
	}
	return out
}

// row draws buttons. One that asks first leads to the page that asks; any other acts at once, for this page is no preview.
func (p *Pages) row(to bot.Reader, list []card.Button) []drawnButton {
	var out []drawnButton
	for _, b := range list {
		d := drawnButton{Label: orElse(tidy(b.Label), "•"), Style: style(b.Style)}
		if b.URL != "" {
			if d.Link = safe(b.URL); d.Link != "" {
				out = append(out, d)
			}
			continue
		}
		name, err := p.buttonAddress(to, b)
		if err != nil {
			p.Log.Error("a button cannot be shown", "action", b.Action.Name, "error", err)
			continue
		}
		d.Link, d.Post = name, b.Confirm == nil
		out = append(out, d)
	}
	return out
}

// spans draws a run of text. Only web addresses become links.
func spans(list []card.Span) []drawnSpan {
	var out []drawnSpan
	for _, s := range list {
		d := drawnSpan{Text: tidy(s.Text)}
		switch s.Kind {
		case card.BoldSpan:
			d.Kind = "bold"
		case card.CodeSpan:
			d.Kind = "code"
		case card.MentionSpan:
			d.Kind = "bold"
			if d.Text != "" {
				d.Text = "@" + strings.TrimPrefix(d.Text, "@")
			}
		case card.LinkSpan:
			if d.Link = safe(s.Ref); d.Link != "" {
				d.Kind, d.Text = "link", orElse(d.Text, d.Link)
			}
		case card.TextSpan:
		}
		if d.Text != "" {
			out = append(out, d)
		}
	}
	if strings.TrimSpace(words(out)) == "" {
		return nil
	}
	return out
}

func words(list []drawnSpan) string {
	var b strings.Builder
	for _, s := range list {
		b.WriteString(s.Text)
	}
	return b.String()
}

// safe is an address that may become a link, or nothing.
func safe(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return u.String()
}

// tidy takes out what is not seen and can only mislead: control characters and those that turn the direction of reading.
func tidy(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r < ' ', r >= 0x7f && r <= 0x9f, r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069', r == '\u200b', r == '\u2060', r == '\ufeff':
			return -1
		case r == '\u2028', r == '\u2029':
			return '\n'
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}

func tone(t card.Tone) string {
	return [...]string{"plain", "good", "private", "ask", "trouble"}[min(max(int(t), 0), 4)]
}

func style(s card.Style) string {
	switch s {
	case card.Primary:
		return "primary"
	case card.Danger:
		return "danger"
	case card.Default:
	}
	return ""
}

func orElse(s, other string) string { return cmp.Or(strings.TrimSpace(s), other) }

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
