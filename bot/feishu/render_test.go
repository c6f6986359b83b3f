package feishu

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; go test ./bot/feishu -update writes it", err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("%s is not what is drawn now (-file +now); read the difference as a user would, then go test ./bot/feishu -update:\n%s", path, diff)
	}
}

func TestCardsOfTheCorpusAreDrawnAsRecorded(t *testing.T) {
	for _, c := range cardtest.Corpus().Cards {
		t.Run(c.Name, func(t *testing.T) {
			drawn, err := Render(c.Card)
			if err != nil {
				t.Fatalf("a card of the corpus is refused: %v", err)
			}
			golden(t, filepath.Join("testdata", "render", "card_"+c.Name+".json"), drawn)
		})
	}
}

func TestFormsOfTheCorpusAreDrawnAsRecorded(t *testing.T) {
	for _, f := range cardtest.Corpus().Forms {
		t.Run(f.Name, func(t *testing.T) {
			drawn, err := RenderForm(f.Form, bot.Place{Channel: "oc_1", Kind: bot.Channel})
			if overfull(f.Form) {
				if want := (tooLong{has: 5000, most: maxInput}); !errors.Is(err, want) {
					t.Errorf("a text of 5,000 characters ends with %v, want %v", err, want)
				}
				return
			}
			if err != nil {
				t.Fatalf("a form of the corpus is refused: %v", err)
			}
			golden(t, filepath.Join("testdata", "render", "form_"+f.Name+".json"), drawn)
		})
	}
}

// overfull reports whether a form has a text in it that is longer than its input.
func overfull(f card.Form) bool {
	return slices.ContainsFunc(f.Fields, func(field card.Field) bool {
		text, ok := field.(card.TextField)
		return ok && len([]rune(text.Value)) > maxInput
	})
}

// colleague is a well-formed account, in the place of the corpus's, which is Slack's.
const colleague = "ou_7d8a6e6df7621556ce0d21922b676706"

// withColleague is a card whose mentions of Someone are of a colleague.
func withColleague(c card.Card) card.Card {
	spans := func(in []card.Span) []card.Span {
		out := append([]card.Span(nil), in...)
		for i := range out {
			if out[i].Ref == cardtest.Someone {
				out[i].Ref = colleague
			}
		}
		return out
	}
	out := c
	out.Blocks = nil
	for _, b := range c.Blocks {
		switch b := b.(type) {
		case card.Paragraph:
			out.Blocks = append(out.Blocks, card.Paragraph{Spans: spans(b.Spans)})
		case card.Quote:
			out.Blocks = append(out.Blocks, card.Quote{Spans: spans(b.Spans)})
		case card.Aside:
			out.Blocks = append(out.Blocks, card.Aside{Spans: spans(b.Spans)})
		case card.Facts:
			var facts card.Facts
			for _, f := range b.Items {
				facts.Items = append(facts.Items, card.Fact{Label: f.Label, Value: spans(f.Value)})
			}
			out.Blocks = append(out.Blocks, facts)
		case card.Items:
			var items card.Items
			for _, it := range b.Items {
				items.Items = append(items.Items, card.Item{Text: spans(it.Text), Under: spans(it.Under), Buttons: it.Buttons})
			}
			out.Blocks = append(out.Blocks, items)
		default:
			out.Blocks = append(out.Blocks, b)
		}
	}
	return out
}

func TestEveryCardKeepsFeishusLimitsAndForgesNothing(t *testing.T) {
	all := cardtest.Corpus().Cards
	for i, p := range cardtest.Payloads() {
		all = append(all, cardtest.Card{Name: fmt.Sprintf("payload %d", i), Card: cardtest.Hostile(p)})
	}
	for i, c := range all {
		for _, where := range []bot.PlaceKind{bot.Direct, bot.Channel}[i%2:] { // it makes no difference to what is drawn of a text
			drawn, err := pen{}.render(withColleague(c.Card), where)
			if err != nil {
				t.Errorf("%s: a card is refused: %v", c.Name, err)
				continue
			}
			for _, problem := range append(check(t, drawn), forged(t, drawn)...) {
				t.Errorf("%s: %s", c.Name, problem)
			}
		}
	}
}

func TestEveryFormKeepsFeishusLimitsAndForgesNothing(t *testing.T) {
	all := cardtest.Corpus().Forms
	for i, p := range cardtest.Payloads() {
		if i%2 == 0 {
			all = append(all, cardtest.Form{Name: fmt.Sprintf("payload %d", i), Form: cardtest.HostileForm(p)})
		}
	}
	for _, f := range all {
		drawn, err := RenderForm(f.Form, bot.Place{})
		if overfull(f.Form) {
			if !errors.As(err, new(tooLong)) {
				t.Errorf("%s: its text is longer than its input, and drawing it ended with %v", f.Name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: a form is refused: %v", f.Name, err)
			continue
		}
		for _, problem := range append(check(t, drawn), forged(t, drawn)...) {
			t.Errorf("%s: %s", f.Name, problem)
		}
	}
}

// check counts a card as Feishu does.
func check(t *testing.T, c Card) []string {
	t.Helper()
	text, _, err := content(c)
	if err != nil {
		t.Fatal(err)
	}
	to, kind := "oc_a0553eda9014c201e6969b478895c230", "interactive"
	body, err := bare{}.Serialize(map[string]string{"receive_id": to, "msg_type": kind, "content": text, "uuid": strings.Repeat("x", maxUUID)})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	if len(body) > 30<<10 {
		out = append(out, fmt.Sprintf("a request of %d bytes", len(body)))
	}
	if n := strings.Count(text, `"tag":`); n > 200 { // a value or a text with it in quotes has a backslash before each
		out = append(out, fmt.Sprintf("%d components and texts", n))
	}
	if n := tagsOf(c.Body.Elements); c.Header != nil && n+1 != strings.Count(text, `"tag":`) {
		out = append(out, fmt.Sprintf("%d components and texts are counted as %d", strings.Count(text, `"tag":`), n+1))
	}
	return out
}

var (
	tags   = regexp.MustCompile(`<[^<>]*>`)
	linked = regexp.MustCompile(`\]\(([^)]*)\)`)
	entity = regexp.MustCompile(`&(#\d+;)?`)
)

// forgedIn finds markup that nobody meant in the markdown of a card.
func forgedIn(markdown string) []string {
	var out []string
	for _, tag := range tags.FindAllString(markdown, -1) {
		if !isMention(tag) {
			out = append(out, "a tag that is no mention of ours: "+tag)
		}
	}
	for _, m := range linked.FindAllStringSubmatch(markdown, -1) {
		if m[1] != cardtest.Site && !strings.HasPrefix(m[1], "https://evil.example") && !strings.HasPrefix(m[1], "https://example.com") {
			out = append(out, "a link that nobody meant: "+m[1])
		}
	}
	if strings.Contains(markdown, "![") {
		out = append(out, "an image")
	}
	for _, e := range entity.FindAllStringSubmatch(linked.ReplaceAllString(markdown, ""), -1) {
		if e[1] == "" {
			out = append(out, "an ampersand as somebody typed it")
		}
	}
	return out
}

func isMention(tag string) bool { return tag == "</at>" || tag == "<at id="+colleague+">" }

func forged(t *testing.T, c Card) []string {
	t.Helper()
	raw, err := bare{}.Serialize(c)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	var out []string
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			if v["tag"] == "markdown" || v["tag"] == "lark_md" {
				out = append(out, forgedIn(v["content"].(string))...)
			}
			if v["type"] == "open_url" && !strings.HasPrefix(v["default_url"].(string), "http") {
				out = append(out, "a button to "+v["default_url"].(string))
			}
			for k, e := range v {
				if k != "value" {
					walk(e)
				}
			}
		}
	}
	walk(v)
	return out
}
