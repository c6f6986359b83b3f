package chat

import (
	"encoding/json"
	"html/template"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"huiyin/bot/sim/feishusim"
	"huiyin/internal/i18n"
)

// larkSketch is a drawing for Wang Fang in Shanghai, in English, over a small firm.
func larkSketch(t *testing.T) *feishuDrawing {
	t.Helper()
	catalog, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	sim := feishusim.New(feishusim.Options{AppID: "cli_a", AppSecret: "s"})
	t.Cleanup(sim.Close)
	for _, p := range []feishusim.Person{{OpenID: "ou_wang", Name: "王芳"}, {OpenID: "ou_lin", Name: "林晓 " + evil, JobTitle: evil}} {
		sim.AddPerson(p)
	}
	s := newFeishu(sim, nil, nil, parse(), func(p person, typed string) bool { return meant(typed, p.name, p.handle) })
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	d := s.drawing(reader{user: "ou_wang", say: catalog.In(i18n.English), zone: zone, ids: "p1-"}, s.byID(), "p1-")
	d.locale = "en_us"
	d.message.Chat = sim.P2P("ou_wang")
	return d
}

func (d *feishuDrawing) drawnCard(t *testing.T, card any) string {
	t.Helper()
	raw, err := json.Marshal(card)
	if err != nil {
		t.Fatal(err)
	}
	return string(d.card(nodeOf(raw)))
}

func TestFeishusMarkdownIsDrawnAsFeishuDrawsIt(t *testing.T) {
	d := larkSketch(t)
	for in, want := range map[string]string{
		"plain":                                  "<p>plain</p>",
		"**b** *i* ~~s~~ `c*o*`":                 "<p><strong>b</strong> <em>i</em> <s>s</s> <code>c*o*</code></p>",
		"***both***":                             "<p><strong><em>both</em></strong></p>",
		"2 * 3 * 4 and **":                       "<p>2 * 3 * 4 and **</p>",
		"a\nb":                                   "<p>a<br>b</p>",
		"a\n\nb":                                 "<p>a</p><p>b</p>",
		"&#60;at id=all&#62;&#60;/at&#62;":       "<p>&lt;at id=all&gt;&lt;/at&gt;</p>",
		"&#42;&#42;no&#42;&#42;":                 "<p>**no**</p>",
		"<at id=ou_wang></at>":                   `<p><span class="mention me">@王芳</span></p>`,
		"<at ids=ou_wang,ou_x></at>":             `<p><span class="mention me">@王芳</span> <span class="mention">@ou_x</span></p>`,
		"<at id=all></at>":                       `<p><span class="mention alarm">@everyone</span></p>`,
		"<font color='red-500'>**r**</font>":     `<p><span class="ink tone-red"><strong>r</strong></span></p>`,
		`<font color='"x'>r</font>`:              `<p><span class="ink tone-">r</span></p>`,
		"<text_tag color='blue'>x<b></text_tag>": `<p><span class="tint tone-blue">x&lt;b&gt;</span></p>`,
		"<font color='red'>open":                 "<p>&lt;font color=&#39;red&#39;&gt;open</p>",
		"<script>alert(1)</script>":              "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>",
		"[l](https://x.cn/a)":                    `<p><a href="https://x.cn/a" target="_blank" rel="noopener noreferrer">l</a></p>`,
		"[l](javascript:alert(1))":               "<p>[l](javascript:alert(1))</p>",
		"[l](javascript:x)":                      "<p>l (javascript:x)</p>",
		"<a href='javascript:x'>l</a>":           "<p>l (javascript:x)</p>",
		"- a\n- b\n1. c\n> q\n> r\n---\n## H":    `<ul><li>a</li><li>b</li></ul><ol><li value="1">c</li></ol><blockquote>q<br>r</blockquote><hr><p class="heading"><strong>H</strong></p>`,
		"```go\na < *b*\n```":                    "<pre>a &lt; *b*\n</pre>",
		":THUMBSUP: :NOPE_X:":                    "<p>👍 :NOPE_X:</p>",
		"<br>":                                   "<p><br></p>",
	} {
		if got := string(d.markdown(in)); got != want {
			t.Errorf("%q is drawn as\n%s\nand should be\n%s", in, got, want)
		}
	}
}

var larkTags = regexp.MustCompile(tags.String() + `|<li value="\d+">|<p class="heading">|<u>|</u>|<span class="mention plainly">|<span class="(ink|tint|tint round) tone-[a-z]*">|` +
	`<span class="no-picture"><svg class="icon small" viewBox="0 0 24 24" aria-hidden="true"><rect [^<>]*/><path [^<>]*/></svg>|<span class="faint">`)

func TestNoTextBecomesATagInFeishu(t *testing.T) {
	d := larkSketch(t)
	alphabet := []string{
		"<", ">", "&", `"`, "'", "*", "**", "~~", "`", "```", "\n", " ", "a", "林", "&lt;", "&#60;", "&amp;", "<at id=ou_lin></at>", "<at id=all>", "</at>", "<font color='red'>",
		"</font>", "<text_tag color=x>", "</text_tag>", "<a href='", "</a>", "<br>", "<person id=", "![", "[x](", ")", "http://x.cn/", "javascript:", "<script>", "> ", "- ", "1. ",
		"## ", ":OK:", "@_user_1", "@_all", "<number_tag>", "<local_datetime millisecond='1'>", "---",
	}
	text := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(alphabet), 0, 24).Draw(t, "parts"), "")
	})
	rapid.Check(t, func(t *rapid.T) {
		s := text.Draw(t, "text")
		for how, draw := range map[string]func(string) template.HTML{"markdown": d.markdown, "text": d.text} {
			got := string(draw(s))
			if rest := larkTags.ReplaceAllString(got, ""); strings.ContainsAny(rest, `<>"'`) {
				t.Fatalf("%s %q is drawn as %q, in which more than the page's own tags are left: %q", how, s, got, rest)
			}
			for _, tag := range []string{"a ", "span", "strong", "em", "li", "blockquote"} {
				if opened := regexp.MustCompile("<"+tag+`\b`).FindAllString(got, -1); len(opened) != strings.Count(got, "</"+strings.TrimSpace(tag)+">") {
					t.Fatalf("%s %q is drawn as %q, whose tags are not balanced", how, s, got)
				}
			}
		}
	})
}

// Each kind of component is drawn: what a person should see or use is there, and a text that is markup stays text.
func TestEveryComponentOfACardIsDrawn(t *testing.T) {
	call := []any{map[string]any{"type": "callback", "value": map[string]any{"a": "b"}}}
	at := "%2Fbody%2Felements%2F0"
	el := func(tag string, more map[string]any) map[string]any {
		return with(map[string]any{"tag": tag, "placeholder": larkPlain(evil), "behaviors": call}, more)
	}
	form := func(inner map[string]any) map[string]any {
		return map[string]any{"tag": "form", "name": "f", "elements": []any{inner}}
	}
	options := []any{map[string]any{"text": larkPlain("One " + evil), "value": "1"}, map[string]any{"text": larkPlain("Two"), "value": "2"}}
	for name, c := range map[string]struct {
		element map[string]any
		want    []string
	}{
		"markdown":     {larkMD("**b** " + evil), []string{"<strong>b</strong>"}},
		"div":          {map[string]any{"tag": "div", "text": with(larkPlain("**not** "+evil), map[string]any{"text_color": "red"})}, []string{"**not** ", "ink tone-red"}},
		"div lark_md":  {map[string]any{"tag": "div", "text": map[string]any{"tag": "lark_md", "content": "**b**"}}, []string{"<strong>b</strong>"}},
		"i18n":         {map[string]any{"tag": "markdown", "content": "zh", "i18n_content": map[string]any{"en_us": "english"}}, []string{"english"}},
		"hr":           {map[string]any{"tag": "hr"}, []string{"<hr>"}},
		"img":          {map[string]any{"tag": "img", "img_key": "none", "alt": larkPlain("alt " + evil)}, []string{"no-picture", "alt &lt;script"}},
		"person":       {map[string]any{"tag": "person", "user_id": "ou_lin", "show_name": true}, []string{"林晓", "avatar"}},
		"person_list":  {map[string]any{"tag": "person_list", "persons": []any{map[string]any{"id": "ou_lin"}, map[string]any{"id": "ou_none"}}}, []string{"林晓", "ou_none"}},
		"column_set":   {map[string]any{"tag": "column_set", "flex_mode": `x" y`, "columns": []any{larkColumn(9, larkMD("inner"))}}, []string{"flex-none", "weight-5", "inner"}},
		"panel":        {map[string]any{"tag": "collapsible_panel", "expanded": true, "header": map[string]any{"title": larkPlain("T " + evil)}, "elements": []any{larkMD("in")}}, []string{"<details", " open", "in"}},
		"container":    {el("interactive_container", map[string]any{"elements": []any{larkMD("in")}}), []string{`value=" ` + at + `"`, "in"}},
		"table":        {map[string]any{"tag": "table", "columns": []any{map[string]any{"name": "a", "display_name": evil}}, "rows": []any{map[string]any{"a": evil}}}, []string{"<th scope", "&lt;script"}},
		"chart":        {map[string]any{"tag": "chart", "chart_spec": map[string]any{"type": "bar", "title": map[string]any{"text": evil}, "xField": "x", "yField": "y", "data": map[string]any{"values": []any{map[string]any{"x": evil, "y": 5}}}}}, []string{"<rect", "&lt;script"}},
		"unknown":      {map[string]any{"tag": "hologram " + evil}, []string{"This page cannot draw:", "hologram"}},
		"button":       {el("button", map[string]any{"text": larkPlain("Go " + evil), "type": "primary"}), []string{`name="press" value=" ` + at + `"`, `class="button primary"`}},
		"link":         {map[string]any{"tag": "button", "text": larkPlain("Go"), "behaviors": []any{map[string]any{"type": "open_url", "default_url": "https://x.cn/"}}}, []string{`href="https://x.cn/"`}},
		"script link":  {map[string]any{"tag": "button", "text": larkPlain("Go"), "behaviors": []any{map[string]any{"type": "open_url", "default_url": "javascript:alert(1)"}}}, []string{"Go"}},
		"asks":         {el("button", map[string]any{"text": larkPlain("Go"), "confirm": map[string]any{"title": larkPlain("Sure? " + evil), "text": larkPlain("t")}}), []string{"data-asks=", "Sure? ", "confirm-no", "Confirm<", "Cancel<"}},
		"overflow":     {el("overflow", map[string]any{"options": options}), []string{`value=" ` + at + ` 2"`}},
		"select":       {el("select_static", map[string]any{"options": options, "initial_option": "2"}), []string{"<select", `value="2" selected`, `data-press=" ` + at + `"`}},
		"select index": {el("select_static", map[string]any{"options": options, "initial_index": 1}), []string{`value="1" selected`}},
		"person pick":  {el("select_person", map[string]any{"options": []any{map[string]any{"value": "ou_lin"}, map[string]any{"value": "ou_none"}}}), []string{`value="ou_lin"`, `type="search"`}},
		"members":      {el("select_person", nil), []string{`value="ou_wang"`}},
		"date":         {el("date_picker", map[string]any{"initial_date": "2026-01-31"}), []string{`type="date"`, `value="2026-01-31"`}},
		"time":         {el("picker_time", map[string]any{"initial_time": "09:30"}), []string{`type="time"`, `value="09:30"`}},
		"moment":       {el("picker_datetime", map[string]any{"initial_datetime": "2026-01-31 09:30"}), []string{`name="d  ` + at, `value="2026-01-31T09:30"`}},
		"checker":      {el("checker", map[string]any{"checked": true, "text": larkPlain("c " + evil)}), []string{`type="checkbox"`, "checked", "c &lt;"}},
		"input":        {form(el("input", map[string]any{"name": "n/1", "label": larkPlain("L " + evil), "required": true, "default_value": evil, "max_length": 7})), []string{`name="v f n%2F1"`, "L &lt;", `maxlength="7"`, "required"}},
		"multiline":    {form(el("input", map[string]any{"name": "n", "input_type": "multiline_text", "default_value": evil})), []string{"<textarea", "&lt;script"}},
		"several":      {form(el("multi_select_static", map[string]any{"name": "n", "options": options, "selected_values": []any{"2"}})), []string{"data-multiple", `data-label="Two" checked`}},
		"people":       {form(el("multi_select_person", map[string]any{"name": "n", "selected_values": []any{"ou_wang"}})), []string{`type="checkbox"`, "checked"}},
		"submit":       {form(el("button", map[string]any{"name": "go", "text": larkPlain("Go"), "form_action_type": "submit"})), []string{`value="f ` + at + `%2Felements%2F0"`}},
		"reset":        {form(el("button", map[string]any{"name": "no", "text": larkPlain("No"), "form_action_type": "reset"})), []string{`type="reset"`}},
		"disabled":     {el("button", map[string]any{"text": larkPlain("Off"), "disabled": true}), []string{"disabled>Off"}},
	} {
		got := larkSketch(t).drawnCard(t, larkCard("Title "+evil, "green", c.element))
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s is drawn without %q:\n%s", name, want, got)
			}
		}
		harmless(t, name, got)
		if strings.Contains(got, "executing") || strings.Contains(got, "can't evaluate") {
			t.Errorf("%s failed to draw: %s", name, got)
		}
	}
}

// The card of the gallery is one that the simulator takes, so that what is drawn here is what the vendor would show.
func TestTheGallerysCardsAreValid(t *testing.T) {
	o := newOffice(t)
	wang := o.ids["wang.fang"]
	for _, text := range []string{"/gallery", "/post", "/praise", "hello"} {
		o.act(t, "on=feishu&as="+wang, "send", "user="+wang, "place="+o.feishu.P2P(wang), "text="+text)
	}
	got := o.get(t, "/?on=feishu&as="+wang)
	for _, want := range []string{"标题 Header", "周报", "表扬同事", "收到。", `src="picture/feishu/img_`, "¥1,234,567.9", "on track", "2026/01/05", "<rect", "<polyline", "example.com/help?a=1"} {
		if !strings.Contains(got, want) {
			t.Errorf("the page is without %q", want)
		}
	}
	if strings.Contains(got, "cannot draw") || strings.Contains(got, "画不出") {
		t.Error("something of the gallery is not drawn")
	}
	harmless(t, "the gallery", got)
	for _, found := range o.feishu.MustFindings() {
		t.Errorf("the simulator found a fault in what was sent: %+v", found)
	}
}
