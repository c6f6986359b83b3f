package e2e

import (
	"encoding/json"
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"

	"huiyin/bot/sim/dingtalksim"
)

// dingDrawn is a message as people read it, and what they can do with it.
type dingDrawn struct {
	words, preview string
	buttons        []button
	form           *dingtalksim.Part // of a card whose form is open
	page           *webButton        // leads to a form on a page
	errors         map[string]string
}

// draw reads the words of a message and finds its controls.
func (s *dingStage) draw(m dingtalksim.Message) dingDrawn {
	if m.Card != "" {
		return s.drawCard(m)
	}
	var content map[string]any
	if err := json.Unmarshal([]byte(m.Content), &content); err != nil {
		return dingDrawn{words: m.Content}
	}
	text := func(names ...string) string {
		for _, name := range names {
			if v, ok := content[name].(string); ok && v != "" {
				return v
			}
		}
		return ""
	}
	out := dingDrawn{preview: text("title", "content"), errors: map[string]string{}}
	lines := []string{dingPlain(text("text", "content", "markdown"))}
	if len(lines[0]) == 0 {
		lines[0] = out.preview
	}
	add := func(label, address string) {
		if label == "" {
			return
		}
		b := webButton{label: label, address: address}
		if strings.HasPrefix(address, s.own+"/p/") {
			if p, err := s.web.look(address); err == nil && (p.isForm() || s.forms[address]) {
				s.forms[address] = true // also once it was sent
				out.page = &b
			} else if err == nil {
				out.buttons = append(out.buttons, button{label: label, asks: p.send != "" && p.title != label, ref: dingButton{message: m.ID, text: label, key: m.Chat + " " + m.ID}})
			}
		} else {
			out.buttons = append(out.buttons, button{label: label, ref: dingButton{message: m.ID, text: label, key: m.Chat + " " + m.ID}})
		}
		lines = append(lines, "<"+label+">")
	}
	add(text("singleTitle"), text("singleURL"))
	for i := range 5 {
		n := fmt.Sprint(i + 1)
		add(text("actionTitle"+n, "buttonTitle"+n), text("actionURL"+n, "buttonUrl"+n))
	}
	list, _ := content["btns"].([]any)
	for _, v := range list {
		if o, ok := v.(map[string]any); ok {
			label, _ := o["title"].(string)
			address, _ := o["actionURL"].(string)
			add(label, address)
		}
	}
	out.words = strings.Join(lines, "\n")
	return out
}

func (s *dingStage) drawCard(m dingtalksim.Message) dingDrawn {
	out := dingDrawn{errors: map[string]string{}}
	v, ok := s.sim.Card(m.Card, s.reader(m))
	if !ok {
		return out
	}
	out.preview = v.Data["lastMessage"]
	var asks []struct {
		Text, Ask string
	}
	_ = json.Unmarshal([]byte(v.Data["buttons"]), &asks) // a card without buttons asks nothing
	var lines []string
	for _, p := range v.Parts {
		switch p.Kind {
		case dingtalksim.ButtonComponent:
			asking := slices.ContainsFunc(asks, func(a struct{ Text, Ask string }) bool { return a.Text == p.Text && a.Ask != "" })
			out.buttons = append(out.buttons, button{label: p.Text, asks: asking, ref: dingButton{message: m.ID, id: p.ID, text: p.Text}})
			lines = append(lines, "<"+p.Text+">")
		case dingtalksim.FormComponent:
			for _, f := range p.Fields {
				if f.Hidden {
					continue
				}
				lines = append(lines, f.Label, f.Placeholder)
				for problem := range strings.Lines(v.Data["note"]) { // "⚠️ label: what is wrong"
					if text, ok := strings.CutPrefix(strings.TrimPrefix(strings.TrimSpace(problem), "⚠️ "), f.Label+": "); ok {
						out.errors[f.Name] = text
					}
				}
			}
			lines = append(lines, "<"+p.Text+">")
			if !p.Disabled {
				form := p
				out.form = &form
			}
		default:
			lines = append(lines, dingPlain(p.Text))
		}
	}
	out.words = strings.Join(lines, "\n")
	return out
}

// started is what stands in a card's field when the form opens.
func started(f dingtalksim.Field) []string {
	switch v := f.Default.(type) {
	case string:
		return []string{v}
	case map[string]any:
		switch value := v["value"].(type) {
		case string:
			return []string{value}
		case []any:
			var out []string
			for _, one := range value {
				out = append(out, fmt.Sprint(one))
			}
			return out
		}
	}
	return nil
}

var (
	dingMark   = regexp.MustCompile(`(?m)^(?:#{1,6} |> ?|- )|\*\*|</?font[^>]*>`)
	blankLines = regexp.MustCompile(`\n\s*\n`)
	dingSlash  = regexp.MustCompile("\\\\([\\\\`*_{}\\[\\]()#+\\-.!>~|<@&])")
)

// dingPlain is DingTalk's markdown as people read it.
func dingPlain(text string) string {
	text = dingMark.ReplaceAllString(text, "")
	text = feishuLink.ReplaceAllString(text, "$1")
	text = strings.NewReplacer("\u200b", "", "&nbsp;", " ").Replace(dingSlash.ReplaceAllString(text, "$1"))
	return html.UnescapeString(blankLines.ReplaceAllString(text, "\n"))
}
