package dingtalk

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"huiyin/bot/card"
	"huiyin/bot/card/cardtest"
	"huiyin/internal/i18n"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, path string, got any) {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(got); err != nil {
		t.Fatalf("writing %s: %v", path, err)
	}
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; go test ./bot/dingtalk -update writes it", err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("%s is not what is drawn now (-file +now); read the difference as a user would, then go test ./bot/dingtalk -update:\n%s", path, diff)
	}
}

func english(tb testing.TB) i18n.Printer {
	tb.Helper()
	catalog, err := i18n.Load()
	if err != nil {
		tb.Fatal(err)
	}
	return catalog.In(i18n.English)
}

// paged is a message with the addresses that its buttons would have.
func paged(m Message) Message {
	for i := range m.Buttons {
		if m.Buttons[i].URL == "" {
			m.Buttons[i].URL = fmt.Sprintf("https://bot.example/p/%d-%s", i, strings.Repeat("x", 150))
		}
	}
	return m
}

func TestCardsOfTheCorpusAreDrawnAsRecorded(t *testing.T) {
	say := english(t)
	for _, c := range cardtest.Corpus().Cards {
		t.Run(c.Name, func(t *testing.T) {
			m, err := Render(c.Card, say)
			if err != nil {
				t.Fatalf("a card of the corpus is refused: %v", err)
			}
			p, err := RenderCard(c.Card, say, "nonce")
			if err != nil {
				t.Fatalf("a card of the corpus is refused for the template: %v", err)
			}
			what, err := paged(m).pack()
			if err != nil {
				t.Fatalf("a card of the corpus does not fit: %v", err)
			}
			golden(t, filepath.Join("testdata", "render", "card_"+c.Name+".json"), map[string]any{
				"message": map[string]any{"msgKey": what.key, "msgParam": decoded(t, []byte(what.param))}, "template": p,
			})
		})
	}
}

func TestFormsOfTheCorpusAreDrawnAsRecorded(t *testing.T) {
	say := english(t)
	for _, f := range cardtest.Corpus().Forms {
		t.Run(f.Name, func(t *testing.T) {
			p, err := RenderForm(f.Form, say, "nonce")
			if errors.Is(err, errNeedsPage) {
				p, err = Params{"page": "this form is a web page"}, nil
			}
			if err != nil {
				t.Fatalf("a form of the corpus is refused: %v", err)
			}
			golden(t, filepath.Join("testdata", "render", "form_"+f.Name+".json"), p)
		})
	}
}

// every is the corpus and a card for each payload.
func every() []cardtest.Card {
	all := cardtest.Corpus().Cards
	for i, p := range cardtest.Payloads() {
		if _, ok := webAddress(p); ok {
			continue // the card links to its payload, and this one is an address
		}
		all = append(all, cardtest.Card{Name: fmt.Sprintf("payload %d %.30q", i, p), Card: cardtest.Hostile(p)})
	}
	return all
}

func TestEveryCardKeepsDingTalksLimitsAndForgesNothing(t *testing.T) {
	say := english(t)
	corpus := len(cardtest.Corpus().Cards)
	for i, c := range every() {
		m, err := Render(c.Card, say)
		if err != nil {
			t.Errorf("%s: a message is refused: %v", c.Name, err)
			continue
		}
		problems := append(checkMessage(m), forged(m.Text)...)
		if i < corpus || i%4 == 0 { // what is drawn of a payload is the same on a card
			p, err := RenderCard(c.Card, say, "nonce")
			if err != nil {
				t.Errorf("%s: a card is refused: %v", c.Name, err)
				continue
			}
			problems = append(append(problems, checkParams(p)...), forged(p[paramMarkdown])...)
		}
		for _, problem := range problems {
			t.Errorf("%s: %s", c.Name, problem)
		}
	}
}

func TestEveryFormKeepsDingTalksLimits(t *testing.T) {
	say := english(t)
	all := cardtest.Corpus().Forms
	for i, p := range cardtest.Payloads() {
		f := cardtest.HostileForm(p)
		f.Fields = f.Fields[:2] // a form that asks for people is a page
		all = append(all, cardtest.Form{Name: fmt.Sprintf("payload %d", i), Form: f})
	}
	shown := 0
	for _, f := range all {
		p, err := RenderForm(f.Form, say, "nonce")
		if errors.Is(err, errNeedsPage) {
			continue
		}
		shown++
		if err != nil {
			t.Errorf("%s: a form is refused: %v", f.Name, err)
			continue
		}
		for _, problem := range append(checkParams(p), forged(p[paramMarkdown])...) {
			t.Errorf("%s: %s", f.Name, problem)
		}
	}
	if shown < 500 {
		t.Errorf("only %d forms were shown on a card", shown)
	}
}

func TestNothingThatWasTypedIsCut(t *testing.T) {
	say := english(t)
	form := func(text string) card.Form {
		return card.Form{Title: "Feedback", Action: card.Act("feedback.send"), Fields: []card.Field{card.TextField{Name: "text", Label: "Words", Multiline: true, Max: 3_000, Value: text}}}
	}
	if _, err := RenderForm(form(strings.Repeat("谢", 1_001)), say, "nonce"); !errors.Is(err, errNeedsPage) {
		t.Errorf("a form that begins with 1,001 characters gives %v, want that it needs a page", err)
	}
	typed := strings.Repeat("谢", 1_000)
	p, err := RenderForm(form(typed), say, "nonce")
	if err != nil || !strings.Contains(p[paramForm], `"`+typed+`"`) {
		t.Errorf("a form that begins with 1,000 characters lost some of them on its card (%v)", err)
	}
	typed = strings.Repeat("谢", 3_001)
	again, err := p.again(card.Values{"text": {typed}}, map[string]string{"text": "too long"}, "next")
	if err != nil || !strings.Contains(again[paramForm], `"`+typed+`"`) {
		t.Errorf("a form that comes back with a mistake lost some of the 3,001 characters that were typed (%v)", err)
	}
}

// checkMessage looks at a message as it is sent.
func checkMessage(m Message) (problems []string) {
	what, err := paged(m).pack()
	if err != nil {
		return []string{err.Error()}
	}
	if len(what.param) > 15_000 {
		problems = append(problems, fmt.Sprintf("msgParam has %d bytes", len(what.param)))
	}
	var param map[string]string
	if err := json.Unmarshal([]byte(what.param), &param); err != nil {
		return append(problems, "msgParam is no JSON object of text")
	}
	for name, value := range param {
		if strings.TrimSpace(value) == "" || !utf8.ValidString(value) {
			problems = append(problems, name+" is blank or broken")
		}
	}
	if utf8.RuneCountInString(param["title"]) > 60 || strings.Contains(param["title"], "\n") {
		problems = append(problems, fmt.Sprintf("the title is %q", param["title"]))
	}
	want := "sampleMarkdown"
	if n := len(m.Buttons); n == 1 {
		want = "sampleActionCard"
	} else if n > 1 {
		want = fmt.Sprintf("sampleActionCard%d", n)
	}
	if what.key != want || len(m.Buttons) > 5 {
		problems = append(problems, fmt.Sprintf("%d buttons are sent as %s", len(m.Buttons), what.key))
	}
	return problems
}

// checkParams looks at a card's values as they are sent.
func checkParams(p Params) (problems []string) {
	if raw, err := encode(p); err != nil || len(raw) > 20_000 {
		problems = append(problems, fmt.Sprintf("a card has %d bytes (%v)", len(raw), err))
	}
	for _, name := range []string{paramTitle, paramLast} {
		if strings.TrimSpace(p[name]) == "" || !utf8.ValidString(p[name]) {
			problems = append(problems, name+" is blank or broken")
		}
	}
	var buttons []cardButton
	if err := json.Unmarshal([]byte(p[paramButtons]), &buttons); err != nil || len(buttons) > 10 {
		problems = append(problems, fmt.Sprintf("the buttons are %.100s", p[paramButtons]))
	}
	for _, b := range buttons {
		if b.Text == "" || utf8.RuneCountInString(b.Text) > 50 || (b.Ask != "") != (b.Yes != "") || (b.Ask != "") != (b.No != "") || b.Act == (b.Ask != "" || b.URL != "") ||
			b.URL != "" && !strings.HasPrefix(b.URL, "http") || b.URL == "" && b.Value == "" {
			problems = append(problems, fmt.Sprintf("a button is %+v", b))
		}
	}
	var form cardForm
	if err := json.Unmarshal([]byte(p[paramForm]), &form); err != nil {
		problems = append(problems, "the form is no JSON")
	}
	for _, f := range form.Fields {
		if f.Name == "" || !f.Hidden && f.Label == "" || strings.HasSuffix(f.Type, "SELECT") == (len(f.Options) == 0) {
			problems = append(problems, fmt.Sprintf("a field is %+v", f))
		}
	}
	return problems
}

var (
	anyLink  = regexp.MustCompile(`!?\[[^\[\]]*\]\([^)]*\)|!?\[[^\[\]]*\]\[[^\[\]]*\]|(?m)^\s*\[[^\[\]]*\]:`)
	ourLink  = regexp.MustCompile(`^\[[^\]]*\]\(https://example\.com/[^) ]*\)$`)
	bareLink = regexp.MustCompile(`(?i)[a-z][a-z0-9+.-]*://`)
	anyTag   = regexp.MustCompile(`<[/!?a-zA-Z]`)
	entity   = regexp.MustCompile(`&#?[a-zA-Z0-9]+;`)
	lineMark = regexp.MustCompile(`(?m)^[ >]*(#{1,6}[ \t]|[-+*][ \t]|\d+[.)][ \t]|[-=*_]{3,}\s*$|` + "```" + `|\|)`)
	ping     = regexp.MustCompile(`(^|[^A-Za-z0-9])@[^\x{200b}]`)
)

// forged reads markdown as a lenient client would and lists everything that acts and was not meant. Only a title, a divider and a
// quotation of ours may begin a line with a mark.
func forged(text string) (problems []string) {
	say := func(kind string, found []string) {
		for _, f := range found {
			problems = append(problems, fmt.Sprintf("%s %q in %.200q", kind, f, text))
		}
	}
	rest := text
	for _, link := range anyLink.FindAllString(text, -1) {
		if !ourLink.MatchString(link) {
			say("a link", []string{link})
		}
		rest = strings.Replace(rest, link, "•", 1)
	}
	say("a bare address", bareLink.FindAllString(rest, -1))
	say("a tag", anyTag.FindAllString(rest, -1))
	say("an entity", entity.FindAllString(rest, -1))
	say("a mention", ping.FindAllString(rest, -1))
	say("code", regexp.MustCompile("`").FindAllString(rest, -1))
	for _, line := range lineMark.FindAllString(strings.TrimPrefix(rest, "### "), -1) {
		if strings.TrimSpace(line) != "---" {
			say("a mark at the beginning of a line", []string{line})
		}
	}
	if strings.Count(rest, "**")%2 != 0 || strings.Contains(strings.ReplaceAll(rest, "**", ""), "*") {
		problems = append(problems, fmt.Sprintf("stars that nobody meant in %.200q", text))
	}
	return problems
}

func TestNothingThatAPersonTypesActs(t *testing.T) {
	say := english(t)
	rapid.Check(t, func(rt *rapid.T) {
		words := rapid.SliceOfN(rapid.OneOf(
			rapid.SampledFrom([]string{
				"<", ">", "&", "!", "@", "#", "|", "`", "*", "_", "~", "\n", "\x00", "\u200b", "[", "]", "(", ")", ":", "//", "-", "1. ", "=", "\\", " ", "\t", "all", "dtmd", "a", "&lt;",
				"](", "![", "---", "***", "# ", "http", "font color", ".",
			}),
			rapid.StringN(0, 4, 12)), 0, 40).Draw(rt, "words")
		payload := strings.Join(words, "")
		c := cardtest.Hostile(payload)
		m, err := Render(c, say)
		if err != nil {
			rt.Fatalf("the card is refused: %v", err)
		}
		if _, isAddress := webAddress(payload); isAddress {
			return // the card links to its payload, and this one is an address
		}
		for _, problem := range append(checkMessage(m), forged(m.Text)...) {
			rt.Errorf("%s", problem)
		}
	})
}

func FuzzHostile(f *testing.F) {
	say := english(f)
	for i, p := range cardtest.Payloads() {
		if i%20 == 0 {
			f.Add(p)
		}
	}
	f.Fuzz(func(t *testing.T, payload string) {
		if _, ok := webAddress(payload); ok || len(payload) > 20_000 {
			return
		}
		m, err := Render(cardtest.Hostile(payload), say)
		if err != nil {
			t.Fatalf("the card is refused: %v", err)
		}
		for _, problem := range append(checkMessage(m), forged(m.Text)...) {
			t.Error(problem)
		}
		form := cardtest.HostileForm(payload)
		form.Fields = form.Fields[:2]
		p, err := RenderForm(form, say, "n")
		if err != nil {
			t.Fatalf("the form is refused: %v", err)
		}
		for _, problem := range append(checkParams(p), forged(p[paramMarkdown])...) {
			t.Error(problem)
		}
	})
}

func TestMarksAreReadAsTyped(t *testing.T) {
	for _, c := range []struct{ typed, want string }{
		{"snake_case_name", "snake_case_name"},
		{"_it_ is", "\u200b＿it＿ is"},
		{"2*3*4", "\u200b2∗3∗4"},
		{"a `code` b", "a ˋcodeˋ b"},
		{"# no heading", "\u200b# no heading"},
		{"lin@example.com", "lin@example.com"},
		{"thanks @all", "thanks @\u200ball"},
		{"[a](https://x.example)", "\u200b\u200b[a]\u200b(https:\u200b//x.example)"},
		{"a\nb", "a  \nb"},
		{"1. first\n2) second", "\u200b1. first  \n\u200b2) second"},
	} {
		if got := drawWords(card.Text(c.typed)); got != c.want {
			t.Errorf("%q is drawn as %q, want %q", c.typed, got, c.want)
		}
	}
	if got, want := drawWords([]card.Span{card.Plainly("已完成"), card.Bold("80%"), card.Plainly("，还需 "), card.Bold("20万"), card.Plainly("达标")}),
		"已完成 **80%** ，还需 **20万** 达标"; got != want {
		t.Errorf("bold in Chinese is drawn as %q, want %q", got, want)
	}
	if got, want := drawQuote(card.Text("\ntwo\n\nlines\n")), "> two  \n>   \n> lines"; got != want {
		t.Errorf("a quotation is drawn as %q, want %q", got, want)
	}
}

func TestAPrivateCardsWordsAreNotInItsNotification(t *testing.T) {
	say := english(t)
	for _, c := range cardtest.Corpus().Cards {
		if c.Card.Tone != card.Private {
			continue
		}
		m, err := Render(c.Card, say)
		p, err2 := RenderCard(c.Card, say, "n")
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		if strings.Contains(m.Title+p[paramLast], cardtest.Words) || !strings.Contains(m.Text, cardtest.Words) {
			t.Errorf("the notification of %s is %q; its private words belong into the text alone", c.Name, m.Title)
		}
	}
	if m, err := Render(card.Card{Tone: card.Private, Blocks: []card.Block{card.Say("secret")}}, say); err != nil || m.Title != "🔒" {
		t.Errorf("a private card without title and summary is announced as %q, %v; want only the sign", m.Title, err)
	}
}

func TestButtonsWithoutRoomAreNamed(t *testing.T) {
	say := english(t)
	items := card.Items{}
	for i := range 4 {
		items.Items = append(items.Items, card.Item{Text: card.Text(fmt.Sprint("item ", i)), Buttons: []card.Button{
			{Label: "Open", Action: card.Act("open", fmt.Sprint(i))}, {Label: "Close", Action: card.Act("close", fmt.Sprint(i))},
		}})
	}
	m, err := Render(card.Card{Title: "List", Blocks: []card.Block{items, card.Buttons{Buttons: []card.Button{{Label: "Next", Action: card.Act("next")}}}}}, say)
	if err != nil {
		t.Fatal(err)
	}
	var labels []string
	for _, b := range m.Buttons {
		labels = append(labels, b.Label)
	}
	if diff := cmp.Diff([]string{"Next", "1. Open", "1. Close", "2. Open", "2. Close"}, labels); diff != "" {
		t.Errorf("the buttons differ (-want +got):\n%s", diff)
	}
	if !strings.Contains(m.Text, "4\u200b. item 3") || !strings.Contains(m.Text, "no room here for: Open, Close.") {
		t.Errorf("the text is %q; want numbered items, and the buttons that found no room", m.Text)
	}
}

func TestCardsThatNoPersonCausedAreRefused(t *testing.T) {
	say := english(t)
	button := func(b card.Button) card.Card {
		return card.Card{Blocks: []card.Block{card.Buttons{Buttons: []card.Button{b}}}}
	}
	for name, c := range map[string]card.Card{
		"a button without an action":      button(card.Button{Label: "x"}),
		"arguments of 1,000 characters":   button(card.Button{Label: "x", Action: card.Act("a", strings.Repeat("x", 1000))}),
		"a nil block":                     {Blocks: []card.Block{nil}},
		"an item's button without a name": {Blocks: []card.Block{card.Items{Items: []card.Item{{Text: card.Text("x"), Buttons: []card.Button{{Label: "x"}}}}}}},
	} {
		if _, err := Render(c, say); err == nil {
			t.Errorf("%s is drawn, want an error", name)
		}
		if _, err := RenderCard(c, say, "n"); err == nil {
			t.Errorf("%s is drawn for the template, want an error", name)
		}
	}
	ok := card.TextField{Name: "t", Label: "T"}
	for name, f := range map[string]card.Form{
		"no fields":               {Action: card.Act("a")},
		"no action":               {Fields: []card.Field{ok}},
		"a name twice":            {Action: card.Act("a"), Fields: []card.Field{ok, ok}},
		"a nil field":             {Action: card.Act("a"), Fields: []card.Field{nil}},
		"a field of our own name": {Action: card.Act("a"), Fields: []card.Field{card.TextField{Name: markField}}},
		"no options":              {Action: card.Act("a"), Fields: []card.Field{card.ChoiceField{Name: "c"}}},
		"an option without value": {Action: card.Act("a"), Fields: []card.Field{card.ChoiceField{Name: "c", Options: []card.Option{{Label: "x"}}}}},
	} {
		if _, err := RenderForm(f, say, "n"); err == nil || errors.Is(err, errNeedsPage) {
			t.Errorf("a form with %s gives %v, want a refusal", name, err)
		}
	}
	if _, err := RenderForm(card.Form{Action: card.Act("a"), Fields: []card.Field{card.PeopleField{Name: "p"}}}, say, "n"); !errors.Is(err, errNeedsPage) {
		t.Errorf("a form that asks for anybody gives %v, want that it needs a page", err)
	}
}
