package slack

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/bot/card/cardtest"
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
		t.Fatalf("%v; go test ./bot/slack -update writes it", err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("%s is not what is drawn now (-file +now); read the difference as a user would, then go test ./bot/slack -update:\n%s", path, diff)
	}
}

func TestCardsOfTheCorpusAreDrawnAsRecorded(t *testing.T) {
	for _, c := range cardtest.Corpus().Cards {
		t.Run(c.Name, func(t *testing.T) {
			m, err := Render(c.Card)
			if err != nil {
				t.Fatalf("a card of the corpus is refused: %v", err)
			}
			golden(t, filepath.Join("testdata", "render", "card_"+c.Name+".json"), m)
		})
	}
}

func TestFormsOfTheCorpusAreDrawnAsRecorded(t *testing.T) {
	for _, f := range cardtest.Corpus().Forms {
		t.Run(f.Name, func(t *testing.T) {
			v, err := RenderForm(f.Form, bot.Place{Channel: "C1", Kind: bot.Channel})
			if err != nil {
				t.Fatalf("a form of the corpus is refused: %v", err)
			}
			golden(t, filepath.Join("testdata", "render", "form_"+f.Name+".json"), v)
		})
	}
}

func TestEveryCardKeepsSlacksLimits(t *testing.T) {
	all := cardtest.Corpus().Cards
	corpus := len(all)
	for i, p := range cardtest.Payloads() {
		all = append(all, cardtest.Card{Name: fmt.Sprintf("payload %d", i), Card: cardtest.Hostile(p)})
	}
	for i, c := range all {
		m, err := Render(c.Card)
		if err != nil {
			t.Errorf("%s: a message is refused: %v", c.Name, err)
			continue
		}
		for _, problem := range append(checkMessage(t, m), forged(t, m)...) {
			t.Errorf("%s as a message: %s", c.Name, problem)
		}
		if i >= corpus && i%4 != 0 {
			continue // what is drawn of a payload differs between message and view in nothing but room
		}
		home, err := RenderHome(c.Card)
		if err != nil {
			t.Errorf("%s: a home page is refused: %v", c.Name, err)
			continue
		}
		for _, problem := range append(checkView(t, home), forged(t, home)...) {
			t.Errorf("%s as a home page: %s", c.Name, problem)
		}
		for _, room := range []int{maxViewUnits, maxFrameUnits} {
			view, err := renderView(c.Card, "{}", room)
			if err != nil {
				t.Errorf("%s: a modal is refused: %v", c.Name, err)
				continue
			}
			problems := append(checkView(t, view), forged(t, view)...)
			if size := len(marshal(t, view)); room == maxFrameUnits && size > maxFrame-200 {
				problems = append(problems, fmt.Sprintf("%d bytes do not fit a Socket Mode frame", size))
			}
			for _, problem := range problems {
				t.Errorf("%s as a modal: %s", c.Name, problem)
			}
		}
	}
}

func TestEveryFormKeepsSlacksLimits(t *testing.T) {
	all := cardtest.Corpus().Forms
	for i, p := range cardtest.Payloads() {
		all = append(all, cardtest.Form{Name: fmt.Sprintf("payload %d", i), Form: cardtest.HostileForm(p)})
	}
	for _, f := range all {
		v, err := RenderForm(f.Form, bot.Place{})
		if err != nil {
			t.Errorf("%s: a form is refused: %v", f.Name, err)
			continue
		}
		for _, problem := range append(checkView(t, v), forged(t, v)...) {
			t.Errorf("%s: %s", f.Name, problem)
		}
	}
}

func TestNothingThatAPersonTypesMentionsOrLinks(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		words := rapid.SliceOfN(rapid.OneOf(
			rapid.SampledFrom([]string{"<", ">", "&", "!", "@", "#", "|", "`", "*", "_", "~", "\n", "\x00", "\u200b", "\u202e", ";", "^", "U1", "channel", "here", "&lt;", "&gt;", "https://x.example"}),
			rapid.StringN(0, 4, 12)), 0, 40).Draw(rt, "words")
		payload := strings.Join(words, "")
		if account(payload) {
			return // the card mentions its payload, and this one is an account
		}
		c := cardtest.Hostile(payload)
		m, err := Render(c)
		if err != nil {
			rt.Fatalf("the card is refused: %v", err)
		}
		for _, problem := range append(checkMessage(t, m), forged(t, m)...) {
			rt.Errorf("%s", problem)
		}
	})
}

func FuzzHostile(f *testing.F) {
	for i, p := range cardtest.Payloads() {
		if i%20 == 0 {
			f.Add(p)
		}
	}
	f.Fuzz(func(t *testing.T, payload string) {
		if account(payload) || len(payload) > 20_000 {
			return
		}
		if address, ok := webAddress(payload); ok && !plainPage.MatchString(address) {
			return // the card links to its payload, and this one is an address
		}
		m, err := Render(cardtest.Hostile(payload))
		if err != nil {
			t.Fatalf("the card is refused: %v", err)
		}
		for _, problem := range append(checkMessage(t, m), forged(t, m)...) {
			t.Error(problem)
		}
		v, err := RenderForm(cardtest.HostileForm(payload), bot.Place{})
		if err != nil {
			t.Fatalf("the form is refused: %v", err)
		}
		for _, problem := range append(checkView(t, v), forged(t, v)...) {
			t.Error(problem)
		}
	})
}

func TestCodeIsNotBrokenOutOf(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		typed := rapid.StringOf(rapid.SampledFrom([]rune("`a \n*<>&\u200b"))).Draw(rt, "typed")
		got := drawMarkup([]card.Span{card.Plainly("x "), card.Code(typed), card.Plainly(" y")})
		if n := strings.Count(got, "`"); n != 0 && n != 2 {
			rt.Errorf("code of %q is drawn with %d backticks: %q", typed, n, got)
		}
	})
}

func TestAPrivateCardsWordsAreNotInItsNotification(t *testing.T) {
	for _, c := range cardtest.Corpus().Cards {
		if c.Card.Tone != card.Private {
			continue
		}
		m, err := Render(c.Card)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(m.Text, cardtest.Words) || !strings.Contains(string(marshal(t, m.Blocks)), cardtest.Words) {
			t.Errorf("the notification of %s is %q; its private words belong into the blocks alone", c.Name, m.Text)
		}
	}
	m, err := Render(card.Card{Tone: card.Private, Blocks: []card.Block{card.Say("secret")}})
	if err != nil || m.Text != "🔒" {
		t.Errorf("a private card without title and summary is announced as %q, %v; want only the sign", m.Text, err)
	}
}

func TestCardsThatNoPersonCausedAreRefused(t *testing.T) {
	button := func(b card.Button) card.Card {
		return card.Card{Blocks: []card.Block{card.Buttons{Buttons: []card.Button{b}}}}
	}
	for name, c := range map[string]card.Card{
		"a button without an action":      button(card.Button{Label: "x"}),
		"a name with a number sign":       button(card.Button{Label: "x", Action: card.Act("a#b")}),
		"a name that the adapter keeps":   button(card.Button{Label: "x", Action: card.Act("~link")}),
		"arguments of 2,001 characters":   button(card.Button{Label: "x", Action: card.Act("a", strings.Repeat("x", 2001))}),
		"a nil block":                     {Blocks: []card.Block{nil}},
		"an item's button without a name": {Blocks: []card.Block{card.Items{Items: []card.Item{{Text: card.Text("x"), Buttons: []card.Button{{Label: "x"}}}}}}},
	} {
		if _, err := Render(c); err == nil {
			t.Errorf("%s is drawn, want an error", name)
		}
	}
	ok := card.TextField{Name: "t", Label: "T"}
	for name, f := range map[string]card.Form{
		"no fields":                   {Action: card.Act("a")},
		"no action":                   {Fields: []card.Field{ok}},
		"a name twice":                {Action: card.Act("a"), Fields: []card.Field{ok, ok}},
		"a nil field":                 {Action: card.Act("a"), Fields: []card.Field{nil}},
		"no options":                  {Action: card.Act("a"), Fields: []card.Field{card.ChoiceField{Name: "c"}}},
		"an option without a value":   {Action: card.Act("a"), Fields: []card.Field{card.ChoiceField{Name: "c", Options: []card.Option{{Label: "x"}}}}},
		"an option's value too long":  {Action: card.Act("a"), Fields: []card.Field{card.ChoiceField{Name: "c", Options: []card.Option{{Value: strings.Repeat("x", 76), Label: "x"}}}}},
		"private data of 3,001 bytes": {Action: card.Act("a", strings.Repeat("x", 3001)), Fields: []card.Field{ok}},
	} {
		if _, err := RenderForm(f, bot.Place{}); err == nil {
			t.Errorf("a form with %s is drawn, want an error", name)
		}
	}
}

func TestMarksAreReadAsTyped(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"snake_case_name", "snake_case_name"},
		{"2*3*4", "2*3*4"},
		{"2 * 3 ~ 4", "2 * 3 ~ 4"},
		{"*bold*", "\u200b*\u200bbold\u200b*\u200b"},
		{"`code`", "\u200b`\u200bcode\u200b`\u200b"},
		{"> quote", "\u00ad&gt; quote"},
		{"a\n＞ b", "a\n\u00ad＞ b"},
		{"a > b", "a &gt; b"},
	} {
		got := drawMarkup([]card.Span{card.Plainly(c.name), card.Mention("", "")})
		if got != c.want {
			t.Errorf("%q is drawn as %q, want %q", c.name, got, c.want)
		}
	}
	if got, want := drawMarkup([]card.Span{card.Plainly("已完成"), card.Bold("80%"), card.Plainly(",还需 "), card.Bold("20万"), card.Plainly("达标")}),
		"已完成\u200b*80%*\u200b,还需 *20万*\u200b达标"; got != want {
		t.Errorf("bold in Chinese is drawn as %q, want %q: without boundaries Slack shows the stars", got, want)
	}
}

func TestCuttingKeepsCharactersWhole(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.SampledFrom([]rune("a👩\u200d🇨🇳🏽é\u0301中 ")))).Draw(rt, "text")
		limit := rapid.IntRange(1, 40).Draw(rt, "limit")
		got := cut(s, limit)
		if n := len(utf16.Encode([]rune(got))); n > limit {
			rt.Errorf("cut(%q, %d) has %d units", s, limit, n)
		}
		if utf8.ValidString(s) && !utf8.ValidString(got) {
			rt.Errorf("cut(%q, %d) is not valid UTF-8: %q", s, limit, got)
		}
	})
	for _, c := range []struct {
		text string
		max  int
		want string
	}{
		{"👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 13, "👩‍👩‍👧‍👦…"}, {"🇨🇳🇩🇪x", 7, "🇨🇳…"}, {"e\u0301e\u0301e\u0301", 4, "e\u0301…"}, {"谢谢你", 3, "谢谢你"}, {"谢谢你们", 3, "谢谢…"}, {"a b c", 3, "a…"},
	} {
		if got := cut(c.text, c.max); got != c.want {
			t.Errorf("cut(%q, %d) = %q, want %q", c.text, c.max, got, c.want)
		}
	}
}

func TestTidyTakesOutWhatMisleads(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"plain", "plain"},
		{"a\x00b\x07", "ab"},
		{"a\r\nb\rc\u2028d", "a\nb\nc\nd"},
		{"a\u200bb\u2060\ufeff", "ab"},
		{"\u202egnp.exe\u202c", "gnp.exe"},
		{"👩‍💻", "👩‍💻"},
		{"a\u200db", "ab"},
		{"می\u200cخواهم", "می\u200cخواهم"},
		{"\u200d👩\u200d", "👩"},
		{"❤️‍🔥", "❤️‍🔥"},
		{"🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"},
		{"a\U000e0041", "a"},
		{"ㅤ", ""},
		{"a\xffb\ufffd", "ab"},
		{"शर्मा\u200dक", "शर्मा\u200dक"},
	} {
		if got := tidy(c.text); got != c.want {
			t.Errorf("tidy(%+q) = %+q, want %+q", c.text, got, c.want)
		}
	}
}

// marshal is how the value travels.
func marshal(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("writing JSON: %v", err)
	}
	return raw
}

var node = regexp.MustCompile(`<([^>]*)>`)

// forged parses what would be sent and lists every mention and link that the card did not mean. Plain text objects are not parsed by
// Slack, so nothing in them counts.
func forged(t *testing.T, sent any) []string {
	t.Helper()
	var problems []string
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			text, _ := v["text"].(string)
			if kind := v["type"]; kind == "mrkdwn" || kind == nil && text != "" && v["value"] == nil { // a text object, or the message's own text
				if kind == "mrkdwn" && v["verbatim"] != true {
					problems = append(problems, fmt.Sprintf("%.60q is not verbatim: Slack makes links of its words", text))
				}
				problems = append(problems, nodes(text)...)
			}
			for key, e := range v {
				if key == "url" && !strings.HasPrefix(fmt.Sprint(e), "http") {
					problems = append(problems, fmt.Sprintf("a button opens %q", e))
				}
				walk(e)
			}
		}
	}
	var any any
	if err := json.Unmarshal(marshal(t, sent), &any); err != nil {
		t.Fatal(err)
	}
	walk(any)
	return problems
}

func nodes(text string) []string {
	var problems []string
	for _, m := range node.FindAllStringSubmatch(text, -1) {
		ref, _, _ := strings.Cut(m[1], "|")
		if ref == "@"+cardtest.Someone || strings.HasPrefix(ref, "https://example.com/") || plainPage.MatchString(ref) {
			continue
		}
		problems = append(problems, fmt.Sprintf("%q stands in %.80q", m[0], text))
	}
	if stray := strings.ContainsAny(node.ReplaceAllString(text, ""), "<"); stray {
		problems = append(problems, fmt.Sprintf("an open < stands in %.80q", text))
	}
	return problems
}

// plainPage is an address that a link span of the hostile card asked for outright: Link(payload, payload).
var plainPage = regexp.MustCompile(`^https?://(evil|x)\.example[^<>|]*$`)
