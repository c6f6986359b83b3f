package chat

import (
	"html"
	"html/template"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"huiyin/bot/sim/slacksim"
	"huiyin/internal/i18n"
)

// sketch is a drawing for Wang Fang (U4) in Shanghai, in English, over a workspace with a few people.
func sketch(t *testing.T) *drawing {
	t.Helper()
	catalog, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	sim := slacksim.New(slacksim.Options{SigningSecret: testSecret, BotToken: testToken})
	t.Cleanup(sim.Close)
	for _, row := range staff() {
		sim.AddPerson(row.p)
	}
	sim.AddChannel(slacksim.Channel{ID: "C0GENERAL", Name: "general", Members: []string{"U4"}})
	s := newSlack(sim, nil, parse(), func(p person, typed string) bool { return meant(typed, p.name, p.handle) })
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	return s.drawing(reader{user: "U4", say: catalog.In(i18n.English), zone: zone, ids: "p1-"}, s.byID(), "p1-")
}

func TestMarkupIsDrawnAsSlackDrawsIt(t *testing.T) {
	d := sketch(t)
	const zwsp, shy = "\u200b", "\u00ad"
	link := func(url, words string) string {
		return `<a href="` + url + `" target="_blank" rel="noopener noreferrer">` + words + `</a>`
	}
	for in, want := range map[string]string{
		"plain":                     "plain",
		"*bold* _it_ ~no~ `c*o*de`": "<strong>bold</strong> <em>it</em> <s>no</s> <code>c*o*de</code>",
		"*_both_*":                  "<strong><em>both</em></strong>",
		"a*b*c and snake_case_name": "a*b*c and snake_case_name",
		"* not bold *":              "* not bold *",
		"*not closed":               "*not closed",
		"**":                        "**",
		"*line\nend*":               "*line<br>end*",
		"表扬*林晓*了":                   "表扬*林晓*了", // Chinese letters are letters: no boundary, no style
		"表扬" + zwsp + "*林晓*" + zwsp + "了":               "表扬" + zwsp + "<strong>林晓</strong>" + zwsp + "了",
		zwsp + "*" + zwsp + "typed" + zwsp + "*" + zwsp: zwsp + "*" + zwsp + "typed" + zwsp + "*" + zwsp,
		"(*bold*), *bold*.":                             "(<strong>bold</strong>), <strong>bold</strong>.",
		"*bold `co*de` bold*":                           "<strong>bold <code>co*de</code> bold</strong>",
		"1 &lt; 2 &amp;&amp; 3 &gt; 2":                  "1 &lt; 2 &amp;&amp; 3 &gt; 2",
		"&amp;lt; stays":                                "&amp;lt; stays",
		"a\nb":                                          "a<br>b",
		"&gt;quoted *b*\n&gt; more\nafter":              "<blockquote>quoted <strong>b</strong><br>more</blockquote>after",
		">raw mark":                                     "<blockquote>raw mark</blockquote>",
		"&gt;&gt;&gt;all\nof it":                        "<blockquote>all<br>of it</blockquote>",
		shy + "&gt; typed":                              shy + "&gt; typed",
		"before\n```\ncode *x* &lt;b&gt;\n```\nafter":   "before<pre>code *x* &lt;b&gt;</pre>after",
		"``` ```":           "``` ```",
		"<@U2>":             `<span class="mention">@林晓</span>`,
		"<@U4|wang.fang>":   `<span class="mention me">@王芳</span>`,
		"<@U8>":             `<span class="mention">@Sam O&#39;Neil &lt;x&gt;</span>`,
		"<@UNOBODY>":        `<span class="mention">@UNOBODY</span>`,
		"<#C0GENERAL>":      `<span class="mention">#general</span>`,
		"<#C0GENERAL|all>":  `<span class="mention">#all</span>`,
		"<!channel>":        `<span class="mention alarm">@channel</span>`,
		"<!subteam^S1|@hr>": `<span class="mention alarm">@hr</span>`,
		"<https://a.cn/?x=1&amp;y=2|a &lt;link&gt;>": link("https://a.cn/?x=1&amp;y=2", "a &lt;link&gt;"),
		"<mailto:a@b.cn>":                             link("mailto:a@b.cn", "a@b.cn"),
		"see https://a.cn/x, then":                    "see " + link("https://a.cn/x", "https://a.cn/x") + ", then",
		"<javascript:alert(1)|press>":                 "press (javascript:alert(1))",
		"<data:text/html,x>":                          "data:text/html,x",
		`<https://a.cn/"onmouseover="x|y>`:            link("https://a.cn/&#34;onmouseover=&#34;x", "y"),
		":tada: :no_such_emoji: 12:30:45":             "🎉 :no_such_emoji: 12:30:45",
		"<!date^1767603600^{date_short} {time}|then>": "January 5 17:00",
		"<!date^1767603600^{unheard_of}|then>":        "then",
		"<script>alert(1)</script>":                   "scriptalert(1)/script",
		`"'&`:                                         "&#34;&#39;&amp;",
	} {
		if got := string(d.mrkdwn(in)); got != want {
			t.Errorf("%q is drawn as\n%s\nand should be\n%s", in, got, want)
		}
	}
}

// tags are all that the markup may produce.
var tags = regexp.MustCompile(`</?(strong|em|s|code|pre|blockquote|p|ul|ol|li|hr)>|<br>|<li value="\d+">|<p class="heading">|<span class="mention( me| alarm)?">|</span>|` +
	`<a href="(https?://|mailto:)[^"<>]*" target="_blank" rel="noopener noreferrer">|</a>`)

// Whatever is typed, what is left beside the page's own tags has no character in it that a browser would read as one.
func TestNoTextBecomesATag(t *testing.T) {
	d := sketch(t)
	alphabet := []string{
		"<", ">", "&", `"`, "'", "*", "_", "~", "`", "```", ":", "@", "#", "!", "|", "\n", " ", "a", "林", "&lt;", "&gt;", "&amp;", "<@U8>", "<!channel>",
		"<https://x.cn|", "javascript:", "<script>", "</a>", "http://x.cn/", "\u200b", "\x00", "[x](", ")", "**", "> ", "- ", "1. ", "## ", "^", "{time}",
	}
	text := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(alphabet), 0, 24).Draw(t, "parts"), "")
	})
	rapid.Check(t, func(t *rapid.T) {
		s := text.Draw(t, "text")
		for how, draw := range map[string]func(string) template.HTML{"mrkdwn": d.mrkdwn, "markdown": d.markdown, "plain text": func(s string) template.HTML { return lines(shortcodes(s)) }} {
			got := string(draw(s))
			if rest := tags.ReplaceAllString(got, ""); strings.ContainsAny(rest, `<>"'`) {
				t.Fatalf("%s %q is drawn as %q, in which more than the page's own tags are left: %q", how, s, got, rest)
			}
			if strings.Count(got, "<a ") != strings.Count(got, "</a>") || strings.Count(got, "<strong>") != strings.Count(got, "</strong>") {
				t.Fatalf("%s %q is drawn as %q, whose tags are not balanced", how, s, got)
			}
		}
	})
}

// Text without a mark in it comes out as it went in.
func TestPlainTextIsNotChanged(t *testing.T) {
	d := sketch(t)
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`[a-zA-Z0-9 林晓，。()?!-]{1,40}`).Draw(t, "text")
		if got := html.UnescapeString(string(d.mrkdwn(s))); got != s {
			t.Fatalf("%q came out as %q", s, got)
		}
	})
}
