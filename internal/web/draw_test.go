package web

import (
	"html"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/bot/card/cardtest"
	"huiyin/internal/i18n"
)

// bare is a page without its style and without what differs every time.
func bare(body string) string {
	body = regexp.MustCompile(`(?s)<style>.*</style>`).ReplaceAllString(body, "<style></style>")
	body = regexp.MustCompile(`(name="form" value=")[^"]*`).ReplaceAllString(body, "${1}SEALED")
	return regexp.MustCompile(`(action|href)="b[A-Za-z0-9_-]{40,}"`).ReplaceAllString(body, `$1="ADDRESS"`)
}

// pagesIn are the pages that people meet, in a language.
func pagesIn(t *testing.T, lang string) map[string]string {
	t.Helper()
	s := open(t)
	words := map[string]map[string]string{
		"en": {
			"title": "Write a note", "intro": "Only the two of you will see this.", "to": "For whom?", "text": "What happened, and what would be better?",
			"hint": "Situation, behaviour, impact", "place": "In Monday's handover …", "value": "Value", "v1": "Customer first", "v2": "Say it plainly", "due": "By when?",
			"reply": "Sent to Kai", "quote": "The handover on Monday had no numbers.\nPlease add them next time.", "act": "Action", "action": "Add the numbers to the handover",
			"edit": "Edit", "withdraw": "Withdraw", "sure": "Withdraw this?", "gone": "It is gone for both of you.", "keep": "Keep", "small": "Only Kai and you can see this.", "send": "Send",
			"wrong": "Kai has left the firm.", "typed": "Wang",
		},
		"zh-CN": {
			"title": "写一条改进建议", "intro": "只有你们两个人能看到。", "to": "给谁？", "text": "发生了什么，怎样会更好？",
			"hint": "情境、行为、影响", "place": "周一的交接里……", "value": "价值观", "v1": "客户第一", "v2": "有话直说", "due": "什么时候之前？",
			"reply": "已发给王凯", "quote": "周一的交接没有数字。\n下次请补上。", "act": "行动", "action": "在交接里补上数字",
			"edit": "修改", "withdraw": "撤回", "sure": "要撤回吗？", "gone": "撤回后双方都看不到了。", "keep": "保留", "small": "只有王凯和你能看到。", "send": "发送",
			"wrong": "王凯已经离职。", "typed": "王",
		},
	}[lang]
	many := make([]card.Option, 0, 40)
	for _, family := range []string{"王", "李", "张", "Wang ", "Li "} {
		for _, given := range []string{"凯", "伟", "Mei", "晓林"} {
			many = append(many, card.Option{Value: "s" + family + given, Label: family + given})
		}
	}
	f := card.Form{
		Title: words["title"], Intro: []card.Block{card.Small(words["intro"])}, Submit: words["send"], Action: card.Act("note.send"),
		Fields: []card.Field{
			card.PeopleField{Name: "to", Label: words["to"], Max: 2, Candidates: many},
			card.TextField{Name: "text", Label: words["text"], Hint: words["hint"], Placeholder: words["place"], Multiline: true, Max: 1000},
			card.ChoiceField{Name: "value", Label: words["value"], Optional: true, Options: []card.Option{{Value: "1", Label: words["v1"]}, {Value: "2", Label: words["v2"]}}},
			card.DateField{Name: "due", Label: words["due"], Value: "2026-11-30"},
		},
	}
	out := map[string]string{}
	form := s.form(lang, f)
	empty := s.get(form).Body
	out["form"] = empty
	out["form_errors"] = s.post(form, carried(empty, url.Values{"to": {words["typed"]}, "due": {"30.11."}})).Body
	s.answer = func(bot.Event) (bot.Reply, error) {
		return bot.Reply{Card: &card.Card{Tone: card.Private, Title: words["reply"], Blocks: []card.Block{
			card.Quoted(words["quote"]),
			card.Facts{Items: []card.Fact{{Label: words["act"], Value: card.Text(words["action"])}}},
			card.Buttons{Buttons: []card.Button{
				{Label: words["edit"], Action: card.Act("note.edit", "1")},
				{Label: words["withdraw"], Action: card.Act("note.withdraw", "1"), Style: card.Danger, Confirm: &card.Confirm{Title: words["sure"], Text: words["gone"], Yes: words["withdraw"], No: words["keep"]}},
			}},
			card.Small(words["small"]),
		}}}, nil
	}
	filled := carried(empty, url.Values{"to": {"sWang Mei", ""}, "text": {words["quote"]}, "value": {"2"}, "due": {"2026-11-30"}})
	out["reply"] = s.post(form, filled).Body
	out["sent"] = s.post(form, filled).Body
	out["button"] = s.get(s.button(lang, card.Button{
		Label: words["withdraw"], Style: card.Danger, Action: card.Act("note.withdraw", "1"),
		Confirm: &card.Confirm{Title: words["sure"], Text: words["gone"], Yes: words["withdraw"], No: words["keep"]},
	})).Body
	return out
}

func TestPagesReadWell(t *testing.T) {
	for _, lang := range i18n.Languages() {
		for name, body := range pagesIn(t, lang) {
			if os.Getenv("HUIYIN_PAGES") != "" { // to look at them in a browser
				if err := os.WriteFile(filepath.Join(os.Getenv("HUIYIN_PAGES"), name+"."+lang+".html"), []byte(body), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			golden(t, name+"."+lang+".html", bare(body))
		}
	}
}

var (
	tag  = regexp.MustCompile(`<(/?[a-zA-Z!][a-zA-Z0-9]*)((?:\s+[a-z-]+(?:="[^"]*")?)*)\s*>`)
	href = regexp.MustCompile(`(?:href|action|src)="([^"]*)"`)
)

// shape is the elements of a page with the names of their attributes, without links.
func shape(body string) []string {
	var out []string
	for _, m := range tag.FindAllStringSubmatch(bare(body), -1) {
		if name := strings.TrimPrefix(m[1], "/"); name == "a" {
			continue
		}
		out = append(out, m[1]+" "+regexp.MustCompile(`="[^"]*"`).ReplaceAllString(m[2], ""))
	}
	return out
}

func TestHostileWordsStayWords(t *testing.T) {
	s := open(t)
	draw := func(payload string) (string, string) {
		s.answer = func(bot.Event) (bot.Reply, error) {
			c := cardtest.Hostile(payload)
			return bot.Reply{Card: &c}, nil
		}
		form := s.get(s.form("en", cardtest.HostileForm(payload)))
		reply := s.post(s.button("en", card.Button{Label: payload, Action: card.Act("x"), Confirm: &card.Confirm{Title: payload, Text: payload, Yes: payload}}), nil)
		return form.Body, reply.Body
	}
	form, reply := draw("word")
	wantForm, wantReply := shape(form), shape(reply)
	payloads := append(cardtest.Payloads(), `"><script>alert(1)</script>`, `</textarea><script>x</script>`, `</title><h1>x`, `' onfocus=alert(1) x='`, `"autofocus onfocus="alert(1)`,
		"</style><script>", "{{.Name}}", "<!--", "]]>", "javascript:alert(1)", "&#x22;&gt;", "\x00<b>", "`onclick`")
	long := 0
	for _, payload := range payloads {
		if len(payload) > 1000 { // the same baits again, around many words
			if long++; long > 3 {
				continue
			}
		}
		form, reply := draw(payload)
		if diff := cmp.Diff(wantForm, shape(form)); diff != "" {
			t.Fatalf("the words %q change the page of a form (-want +got):\n%s", payload, diff)
		}
		if diff := cmp.Diff(wantReply, shape(reply)); diff != "" {
			t.Fatalf("the words %q change the page of a reply (-want +got):\n%s", payload, diff)
		}
		for _, m := range href.FindAllStringSubmatch(form+reply, -1) {
			if link := html.UnescapeString(m[1]); link != cardtest.Site && link != safe(payload) && !regexp.MustCompile(`^b[A-Za-z0-9_-]+$`).MatchString(link) {
				t.Fatalf("the words %q became the link %s", payload, link)
			}
		}
	}
}

func TestTheWholeCorpusIsDrawn(t *testing.T) {
	s := open(t)
	for _, c := range cardtest.Corpus().Cards {
		s.answer = func(bot.Event) (bot.Reply, error) { return bot.Reply{Card: &c.Card}, nil }
		got := s.post(s.button("en", card.Button{Label: "Go", Action: card.Act("x")}), nil)
		if got.Status != 200 || strings.Contains(got.Body, `="javascript:`) || strings.Contains(got.Body, "ZgotmplZ") {
			t.Errorf("the card %s is %d:\n%s", c.Name, got.Status, got.Body)
		}
		for _, b := range cardtest.Buttons(c.Card) {
			if b.URL == "" && !strings.Contains(got.Body, html.EscapeString(orElse(tidy(b.Label), "•"))) {
				t.Errorf("the card %s has no button %q", c.Name, b.Label)
			}
		}
	}
	for _, f := range cardtest.Corpus().Forms {
		got := s.get(s.form("en", f.Form))
		if got.Status != 200 || strings.Contains(got.Body, "ZgotmplZ") {
			t.Errorf("the form %s is %d:\n%s", f.Name, got.Status, got.Body)
		}
		for i, field := range f.Form.Fields {
			if !strings.Contains(got.Body, `name="f.`+field.Key()+`"`) || !strings.Contains(got.Body, `id="q`+string(rune('0'+i))) {
				t.Errorf("the form %s has no field %s", f.Name, field.Key())
			}
		}
	}
	if s.log.Len() > 0 {
		t.Errorf("drawing the corpus is no reason to log: %s", s.log.String())
	}
}

func TestEveryFieldIsLabelledAndDescribed(t *testing.T) {
	for name, body := range pagesIn(t, "en") {
		for _, m := range regexp.MustCompile(`aria-describedby="([^"]*)"`).FindAllStringSubmatch(body, -1) {
			for id := range strings.FieldsSeq(m[1]) {
				if !strings.Contains(body, `id="`+id+`"`) {
					t.Errorf("on the page %s something is described by %s, which is not there", name, id)
				}
			}
		}
		for _, m := range regexp.MustCompile(`<label for="([^"]+)"`).FindAllStringSubmatch(body, -1) {
			if !strings.Contains(body, `id="`+m[1]+`"`) {
				t.Errorf("on the page %s a label is for %s, which is not there", name, m[1])
			}
		}
		if n := strings.Count(body, " autofocus"); (n == 1) != (name == "form_errors") || n > 1 {
			t.Errorf("the page %s puts the cursor into %d fields", name, n)
		}
		if strings.Contains(body, "<script") || strings.Contains(body, " on") && regexp.MustCompile(`<[^>]* on[a-z]+=`).MatchString(body) {
			t.Errorf("the page %s has a script", name)
		}
	}
}
