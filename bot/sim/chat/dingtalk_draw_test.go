package chat

import (
	"encoding/json"
	"html/template"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"huiyin/bot/sim/dingtalksim"
	"huiyin/internal/i18n"
)

// dingSketch is a drawing for Wang Fang in Shanghai, in English.
func dingSketch(t *testing.T) *dingtalkDrawing {
	t.Helper()
	catalog, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	sim := dingtalksim.New(dingtalksim.Options{})
	t.Cleanup(sim.Close)
	sim.AddPerson(dingtalksim.Person{UserID: "wang", Name: "王芳"})
	sim.AddPerson(dingtalksim.Person{UserID: "lin", Name: "林晓 " + evil, Handle: evil, Title: evil})
	s := newDingtalk(sim, nil, parse())
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	d := s.drawing(reader{user: "wang", say: catalog.In(i18n.English), zone: zone, ids: "p1-"}, s.byID(), "p1-")
	d.message.Mentions = []dingtalksim.Mention{{UserID: "wang", Name: "王芳"}, {Name: "回音", Bot: true}}
	return d
}

func TestDingTalksMarkdownIsDrawnAsDingTalkDrawsIt(t *testing.T) {
	d := dingSketch(t)
	link := func(url, words string) string {
		return `<a href="` + url + `" target="_blank" rel="noopener noreferrer">` + words + `</a>`
	}
	for in, want := range map[string]string{
		"a\nb":                         "<p>a b</p>",
		"a  \nb":                       "<p>a<br>b</p>",
		"a\n\nb":                       "<p>a</p><p>b</p>",
		"### T\n**b** *i*":             `<p class="heading"><strong>T</strong></p><p><strong>b</strong> <em>i</em></p>`,
		"> q\n> r\n- a\n1. c":          `<blockquote>q<br>r</blockquote><ul><li>a</li></ul><ol><li value="1">c</li></ol>`,
		`\*not escaped\*`:              `<p>\<em>not escaped\</em></p>`,
		"@wang and @王芳 @回音":            `<p><span class="mention me">@王芳</span> and <span class="mention me">@王芳</span> <span class="mention">@回音</span></p>`,
		"<font color=#ff0000>r</font>": `<p><span class="ink tone-red">r</span></p>`,
		"<FONT color='common_blue1_color'>x</font>":                       `<p><span class="ink tone-blue">x</span></p>`,
		"<script>x</script>":                                              "<p>&lt;script&gt;x&lt;/script&gt;</p>",
		"<a href='javascript:x'>l</a>":                                    "<p>l (javascript:x)</p>",
		"[l](dtmd://dingtalkclient/sendMessage?content=hi)":               "<p>l (dtmd://dingtalkclient/sendMessage?content=hi)</p>",
		"[l](dingtalk://dingtalkclient/page/link?url=https%3A%2F%2Fx.cn)": "<p>" + link("https://x.cn", "l") + "</p>",
		"[l](dingtalk://dingtalkclient/page/link?url=javascript%3Ax)":     "<p>l (dingtalk://dingtalkclient/page/link?url=javascript%3Ax)</p>",
		"see https://x.cn/a.":                                             "<p>see " + link("https://x.cn/a", "https://x.cn/a") + ".</p>",
	} {
		if got := string(d.markdown(in)); got != want {
			t.Errorf("%q is drawn as\n%s\nand should be\n%s", in, got, want)
		}
	}
}

func TestNoTextBecomesATagInDingTalk(t *testing.T) {
	d := dingSketch(t)
	alphabet := []string{
		"<", ">", "&", `"`, "'", "*", "**", "~~", "`", "```", "\n", "  \n", " ", "a", "林", "&lt;", "&#60;", "@wang", "@王芳", "＠回音", "<font color=#ff0000>", "</font>", "<a href='", "</a>",
		"<br>", "<img src=", "![", "[x](", ")", "http://x.cn/", "javascript:", "dtmd://dingtalkclient/sendMessage?content=x", "<script>", "> ", "- ", "1. ", "## ", "---",
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
			for _, tag := range []string{"a", "span", "strong", "em", "li", "blockquote"} {
				if opened := regexp.MustCompile("<"+tag+`[ >]`).FindAllString(got, -1); len(opened) != strings.Count(got, "</"+tag+">") {
					t.Fatalf("%s %q is drawn as %q, whose tags are not balanced", how, s, got)
				}
			}
		}
	})
}

func TestEveryKindOfMessageIsDrawnInDingTalk(t *testing.T) {
	const page = "https://x.cn/p"
	for name, c := range map[string]struct {
		kind    string
		content map[string]any
		want    []string
	}{
		"text":            {"sampleText", map[string]any{"content": "**t** " + evil}, []string{"**t** &lt;script"}},
		"markdown":        {"sampleMarkdown", map[string]any{"title": evil, "text": "**b** " + evil}, []string{"<strong>b</strong>"}},
		"single":          {"sampleActionCard", map[string]any{"title": "t", "text": evil, "singleTitle": "Go " + evil, "singleURL": page}, []string{`href="https://x.cn/p"`, `data-press="link 0" data-beside`, "Go &lt;"}},
		"slide":           {"actionCard", map[string]any{"title": "t", "text": "x", "singleTitle": "Go", "singleURL": "dingtalk://dingtalkclient/page/link?pc_slide=true&url=https%3A%2F%2Fx.cn%2Fp"}, []string{`href="https://x.cn/p"`}},
		"script":          {"sampleActionCard", map[string]any{"title": "t", "text": "x", "singleTitle": "Go", "singleURL": "javascript:alert(1)"}, []string{"disabled>Go"}},
		"says":            {"sampleActionCard", map[string]any{"title": "t", "text": "x", "singleTitle": "Go", "singleURL": "dtmd://dingtalkclient/sendMessage?content=hi"}, []string{`name="press" value="link 0"`}},
		"several":         {"sampleActionCard3", map[string]any{"title": "t", "text": "x", "actionTitle1": "A", "actionURL1": page, "actionTitle2": "B", "actionURL2": page, "actionTitle3": evil, "actionURL3": page}, []string{"upright", `data-press="link 2"`}},
		"beside":          {"sampleActionCard6", map[string]any{"title": "t", "text": "x", "buttonTitle1": "A", "buttonUrl1": page, "buttonTitle2": "B", "buttonUrl2": page}, []string{`class="dt-buttons"`, ">B<"}},
		"webhook's":       {"actionCard", map[string]any{"title": "t", "text": "x", "btns": []any{map[string]any{"title": evil, "actionURL": page}}}, []string{"&lt;script"}},
		"work notice's":   {"action_card", map[string]any{"title": "t", "markdown": "**b**", "single_title": "Go", "single_url": page}, []string{"<strong>b</strong>", `data-press="link 0"`}},
		"link":            {"sampleLink", map[string]any{"title": evil, "text": evil, "picUrl": "https://x.cn/i.png", "messageUrl": page}, []string{"no-picture", `href="https://x.cn/p"`}},
		"picture":         {"sampleImageMsg", map[string]any{"photoURL": "https://x.cn/" + evil}, []string{"no-picture"}},
		"file":            {"sampleFile", map[string]any{"fileName": evil}, []string{"&lt;script"}},
		"feed":            {"feedCard", map[string]any{"links": []any{map[string]any{"title": evil, "messageURL": page}, map[string]any{"title": "no", "messageURL": "javascript:x"}}}, []string{`href="https://x.cn/p"`, "<span>no</span>"}},
		"unknown":         {"hologram " + evil, nil, []string{"This page cannot draw:", "hologram"}},
		"richText":        {"richText", map[string]any{"richText": []any{map[string]any{"text": evil}}}, []string{"&lt;script"}},
		"a person's text": {"text", map[string]any{"content": "@王芳 " + evil}, []string{`<span class="mention me">@王芳</span>`}},
	} {
		d := dingSketch(t)
		raw, err := json.Marshal(c.content)
		if err != nil {
			t.Fatal(err)
		}
		d.message.Type, d.message.Content = c.kind, string(raw)
		got := string(d.content())
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

// What is drawn here is what the vendor would take: the simulator finds nothing wrong with it.
func TestTheGalleryOfDingTalkIsValid(t *testing.T) {
	d := newBranch(t)
	lin := d.ids["lin.xiao"]
	at := "user=" + lin
	for _, text := range []string{"/gallery", "/card", "hello", "/praise", "/praise @王芳 谢谢"} {
		d.act(t, "on=dingtalk&as="+lin, "send", at, "place="+d.ding.P2P(lin), "text="+text)
	}
	got := d.get(t, "/?on=dingtalk&as="+lin)
	for _, want := range []string{
		"plain **not bold**", "A line of a feed", "Side by side", "Button 5", "表扬谁？", "也发到全员群", `name="d form at"`, "请在网页里填写",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the page is without %q", want)
		}
	}
	for _, never := range []string{"cannot draw", "画不出", "never drawn", "executing"} {
		if strings.Contains(got, never) {
			t.Errorf("the page has %q", never)
		}
	}
	harmless(t, "the gallery", got)
	for _, found := range d.ding.MustFindings() {
		if found.Rule != "link.dtmd" { // the gallery has one, to be drawn
			t.Errorf("the simulator found a fault in what was sent: %+v", found)
		}
	}
	inspector := d.get(t, "/fragment/inspector?on=dingtalk&as="+lin)
	for _, want := range []string{"POST /dingtalk/messages", "robot.sendBySession", "card.instances.createAndDeliver", "<dt>Sign</dt>"} {
		if !strings.Contains(inspector, want) {
			t.Errorf("the inspector is without %q", want)
		}
	}
	if other := d.get(t, "/fragment/inspector?on=dingtalk&as="+d.ids["wang.fang"]); !strings.Contains(other, "oToMessages.batchSend") || strings.Contains(other, "/dingtalk/messages") {
		t.Error("the inspector of the receiver shows something else than the call that reached them")
	}
}
