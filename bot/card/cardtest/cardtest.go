// Package cardtest is the corpus that every renderer is tested with: cards and forms small and large, in several scripts, and full
// of what a person could type to ping, link or forge. It knows no platform's limits and no platform's markup beyond the attacks.
package cardtest

import (
	"fmt"
	"strings"

	"huiyin/bot/card"
)

// Card is a card of the corpus. Name is unique and fit for a file name.
type Card struct {
	Name string
	Card card.Card
}

// Form is a form of the corpus. Name is unique and fit for a file name.
type Form struct {
	Name string
	Form card.Form
}

// Set is the corpus.
type Set struct {
	Cards []Card
	Forms []Form
}

// Someone is a well-formed Slack account that the corpus mentions; Site is the one address that it links to. Whatever else a
// renderer's output mentions or links to was forged.
const (
	Someone = "U012ABCDEF"
	Site    = "https://example.com/huiyin?a=1&b=2"
)

// Corpus makes the corpus. It is the same at every call.
func Corpus() Set { return Set{Cards: cards(), Forms: forms()} }

// Long is n characters of words, so that cutting by bytes, by words and by characters can be told apart.
func Long(n int) string { return fill("Thank you for the clear handover. ", n) }

// LongChinese is n Chinese characters, three bytes each in UTF-8.
func LongChinese(n int) string { return fill("谢谢你把交接写得这么清楚，", n) }

// LongEmoji is n family emoji, each of several code points that belong together.
func LongEmoji(n int) string { return strings.Repeat("👩‍👩‍👧‍👦", n) }

func fill(unit string, n int) string {
	runes := []rune(strings.Repeat(unit, n/len([]rune(unit))+1))
	return string(runes[:n])
}

func cards() []Card {
	return []Card{
		{"empty", card.Card{}},
		{"title_only", card.Card{Title: "Saved"}},
		{"summary_only", card.Card{Summary: "Kai thanked you"}},
		{"small", card.Card{Tone: card.Good, Title: "Sent to Kai", Summary: "Sent", Blocks: []card.Block{card.Say("Kai reads it now.")}}},
		{"praise", praise("Lin thanked you", "Thank you for the clear handover.\nIt saved me a day. :tada:", "customer first")},
		{"praise_zh", praise("林晓表扬了你", "谢谢你把交接写得这么清楚！\n帮我省了一天。", "客户第一")},
		{"note", note()},
		{"tones", card.Card{Tone: card.Trouble, Title: "⚠️ Already marked", Blocks: []card.Block{card.Say("Nothing was saved.")}}},
		{"ask", card.Card{Tone: card.Ask, Title: "Which Wang Wei?", Blocks: []card.Block{buttonRow(3, "choose")}}},
		{"every_block", everyBlock()},
		{"every_span", card.Card{Title: "Spans", Blocks: []card.Block{card.Paragraph{Spans: everySpan("words")}}}},
		{"bold_in_chinese", card.Card{Title: "进度", Blocks: []card.Block{card.Paragraph{Spans: []card.Span{
			card.Plainly("月度贷款额度已完成"), card.Bold("80%"), card.Plainly(",还需"), card.Bold("20万"), card.Plainly("达标"),
		}}}}},
		{"long_title", card.Card{Title: Long(400), Summary: Long(5000), Blocks: []card.Block{card.Say("short")}}},
		{"long_paragraph", card.Card{Title: "Long", Blocks: []card.Block{card.Say(Long(10_000)), buttonRow(2, "next")}}},
		{"long_quote", card.Card{Title: "Long", Blocks: []card.Block{card.Quoted(Long(10_000)), card.Small("the end"), buttonRow(2, "next")}}},
		{"long_chinese", card.Card{Title: LongChinese(200), Blocks: []card.Block{card.Quoted(LongChinese(10_000)), buttonRow(1, "next")}}},
		{"long_emoji", card.Card{Title: LongEmoji(60), Blocks: []card.Block{card.Say(LongEmoji(900)), buttonRow(1, "next")}}},
		{"long_escapes", card.Card{Title: "Long", Blocks: []card.Block{card.Paragraph{Spans: []card.Span{card.Bold("a"), card.Plainly(strings.Repeat("<&>", 4000))}}}}},
		{"long_mixed", card.Card{Title: "Long", Blocks: []card.Block{card.Paragraph{Spans: repeatSpans(everySpan("word *and* word "), 300)}}}},
		{"long_label", card.Card{Title: "Long", Blocks: []card.Block{card.Buttons{Buttons: []card.Button{{
			Label: Long(200), Action: card.Act("long", "1"),
			Confirm: &card.Confirm{Title: Long(300), Text: Long(900), Yes: Long(90), No: Long(90)},
		}}}}}},
		{"many_lines", card.Card{Title: "Lines", Blocks: []card.Block{card.Quoted(strings.Repeat("line\n\n", 400))}}},
		{"many_paragraphs", card.Card{Title: "Paragraphs", Blocks: append(paragraphs(80), buttonRow(2, "next"))}},
		{"many_facts", card.Card{Title: "Facts", Blocks: []card.Block{facts(35, "value")}}},
		{"long_facts", card.Card{Title: "Facts", Blocks: []card.Block{facts(12, Long(3000))}}},
		{"items_30", card.Card{Title: "November", Blocks: []card.Block{items(30, 0, false), card.Small("page 1 of 2"), buttonRow(1, "next")}}},
		{"items_30_under", card.Card{Title: "November", Blocks: []card.Block{items(30, 0, true), buttonRow(1, "next")}}},
		{"items_30_button", card.Card{Title: "November", Blocks: []card.Block{items(30, 1, true), buttonRow(1, "next")}}},
		{"items_30_buttons", card.Card{Title: "November", Blocks: []card.Block{items(30, 2, true), buttonRow(1, "next")}}},
		{"items_3_buttons", card.Card{Title: "November", Blocks: []card.Block{items(3, 2, true)}}},
		{"items_300", card.Card{Title: "All", Blocks: []card.Block{items(300, 0, false), buttonRow(1, "next")}}},
		{"buttons_12", card.Card{Title: "Choose", Blocks: []card.Block{buttonRow(12, "choose")}}},
		{"buttons_60", card.Card{Title: "Choose", Blocks: []card.Block{buttonRow(60, "choose")}}},
		{"button_links", card.Card{Title: "Open", Blocks: []card.Block{card.Buttons{Buttons: []card.Button{
			{Label: "Page", URL: Site},
			{Label: "Script", URL: "javascript:alert(1)"},
			{Label: "Data", URL: "data:text/html,x"},
			{Label: "File", URL: "file:///etc/passwd"},
			{Label: "Blank", URL: "http://"},
			{Label: "Other", URL: Site},
		}}}}},
		{"button_blank", card.Card{Title: "Blank", Blocks: []card.Block{card.Buttons{Buttons: []card.Button{{Label: " ", Action: card.Act("blank")}}}}}},
		{"blank_parts", card.Card{Title: " \n", Summary: "\u200b", Blocks: []card.Block{
			card.Say(""), card.Quoted("  \n "), card.Small("\x00"),
			card.Facts{},
			card.Items{},
			card.Buttons{},
			card.Divider{},
			card.Facts{Items: []card.Fact{{}, {Label: "only label"}, {Value: card.Text("only value")}}},
			card.Items{Items: []card.Item{{}}},
		}}},
		{"right_to_left", card.Card{Title: "شكرا جزيلا", Blocks: []card.Block{card.Say("\u202eevil\u202c שלום \u2066x\u2069 می\u200cخواهم"), card.Quoted("\u200f\u061cمرحبا")}}},
		{"zero_width", card.Card{Title: "a\u200bb\u2060c\ufeffd", Blocks: []card.Block{card.Paragraph{Spans: []card.Span{card.Bold("a\u200bb"), card.Plainly("\u200d👩‍💻\u200d x\u00ad")}}}}},
		{"controls", card.Card{Title: "a\x00b\x07c", Blocks: []card.Block{card.Quoted("a\x00b\r\nc\rd\x1b[31me\u0085f\u2028g"), card.Paragraph{Spans: []card.Span{card.Code("a\x00`b\nc")}}}}},
		{"broken_utf8", card.Card{Title: "a\xffb", Blocks: []card.Block{card.Say("x\xc3\x28y\xed\xa0\x80z")}}},
		{"combining", card.Card{Title: "Z" + strings.Repeat("\u0301", 300), Blocks: []card.Block{card.Say("Z" + strings.Repeat("\u0301", 9999))}}},
		{"formatting", card.Card{Title: "*a* _b_ ~c~ `d`", Blocks: []card.Block{
			card.Say("*a* _b_ ~c~ `d` > e"), card.Quoted("*a* _b_ ~c~ `d`\n> e\n＞ f\n```\ncode\n```"),
			card.Paragraph{Spans: []card.Span{card.Bold("x*y"), card.Plainly(" snake_case_name 2*3*4 *a* _b_ ~c~ `d`\n> quote")}},
		}}},
		{"bad_links", card.Card{Title: "Links", Blocks: []card.Block{card.Paragraph{Spans: []card.Span{
			card.Link("script", "javascript:alert(1)"), card.Plainly(" "), card.Link("upper", "JaVaScRiPt:alert(1)"), card.Plainly(" "),
			card.Link("data", "data:text/html,<script>"), card.Plainly(" "), card.Link("pipe", "https://example.com/|<!channel>"), card.Plainly(" "),
			card.Link("relative", "//example.com/x"), card.Plainly(" "), card.Link("", Site), card.Plainly(" "), card.Link("a>b|c", Site),
			card.Link("long", "https://example.com/"+strings.Repeat("x", 5000)), card.Link("space", "https://example.com/a b\nc"),
		}}}}},
		{"bad_mentions", card.Card{Title: "Mentions", Blocks: []card.Block{card.Paragraph{Spans: []card.Span{
			card.Mention("everybody", "!channel"), card.Plainly(" "), card.Mention("group", "!subteam^S1"), card.Plainly(" "),
			card.Mention("<!here>", "U1|x> <!channel"), card.Plainly(" "), card.Mention("all", "all"), card.Plainly(" "), card.Mention("", ""),
		}}}}},
		{"hostile_everywhere", Hostile("<!channel> <@U1> <http://x|y> &lt;!here&gt; *b* `c` javascript:alert(1) @channel @所有人")},
	}
}

func praise(title, words, value string) card.Card {
	return card.Card{Tone: card.Good, Title: title, Summary: title, Blocks: []card.Block{
		card.Quoted(words),
		card.Facts{Items: []card.Fact{{Label: "Value", Value: card.Text(value)}, {Label: "From", Value: []card.Span{card.Mention("Lin", Someone)}}}},
		card.Buttons{Buttons: []card.Button{{Label: "Thank", Action: card.Act("praise.thank", "01930000-0000-7000-8000-000000000001"), Style: card.Primary}}},
		card.Small("Only you see this."),
	}}
}

// Words that stand in the private card of the corpus and must never be in a notification.
const Words = "the quarterly numbers were late again"

func note() card.Card {
	return card.Card{Tone: card.Private, Title: "A note for you", Summary: "Lin has something for you", Blocks: []card.Block{
		card.Quoted(Words),
		card.Paragraph{Spans: []card.Span{card.Plainly("Agree on "), card.Bold("one action"), card.Plainly(" and a date.")}},
		card.Buttons{Buttons: []card.Button{
			{Label: "Agree", Action: card.Act("note.agree", "1"), Style: card.Primary},
			{Label: "Withdraw", Action: card.Act("note.withdraw", "1"), Style: card.Danger, Confirm: &card.Confirm{Title: "Withdraw?", Text: "It is gone for both.", Yes: "Withdraw", No: "Keep"}},
		}},
	}}
}

func everySpan(words string) []card.Span {
	return []card.Span{
		card.Plainly(words), card.Bold(words), card.Plainly(" "), card.Code("/praise @lin " + words), card.Plainly(" "), card.Link(words, Site),
		card.Plainly(" "), card.Mention("Lin", Someone), card.Plainly(" "),
	}
}

func repeatSpans(spans []card.Span, n int) []card.Span {
	out := make([]card.Span, 0, n*len(spans))
	for range n {
		out = append(out, spans...)
	}
	return out
}

func everyBlock() card.Card {
	return card.Card{Tone: card.Good, Title: "Everything", Summary: "Everything at once", Blocks: []card.Block{
		card.Say("A paragraph of plain words."),
		card.Paragraph{Spans: everySpan("spans")},
		card.Quoted("two\nlines"), facts(3, "value"),
		items(3, 1, true),
		card.Divider{},
		buttonRow(3, "do"), card.Small("Small print."),
	}}
}

func facts(n int, value string) card.Facts {
	out := make([]card.Fact, n)
	for i := range out {
		out[i] = card.Fact{Label: fmt.Sprintf("Fact %d", i+1), Value: card.Text(value)}
	}
	return card.Facts{Items: out}
}

func items(n, buttons int, under bool) card.Items {
	out := make([]card.Item, n)
	for i := range out {
		out[i].Text = []card.Span{card.Bold(fmt.Sprintf("%d Nov", i%30+1)), card.Plainly(" Thank you for the clear handover")}
		if under {
			out[i].Under = card.Text("from Lin, customer first")
		}
		for b := range buttons {
			out[i].Buttons = append(out[i].Buttons, card.Button{Label: fmt.Sprintf("Do %d", b+1), Action: card.Act("item.do", fmt.Sprint(i), fmt.Sprint(b))})
		}
	}
	return card.Items{Items: out}
}

func buttonRow(n int, name string) card.Buttons {
	out := make([]card.Button, n)
	for i := range out {
		out[i] = card.Button{Label: fmt.Sprintf("Choice %d", i+1), Action: card.Act(name, fmt.Sprint(i+1))}
	}
	return card.Buttons{Buttons: out}
}

func paragraphs(n int) []card.Block {
	out := make([]card.Block, n)
	for i := range out {
		out[i] = card.Say(fmt.Sprintf("Paragraph %d", i+1))
	}
	return out
}

func forms() []Form {
	text := card.TextField{Name: "text", Label: "What was good?", Hint: "Situation, behaviour, impact", Placeholder: "When …", Multiline: true, Min: 2, Max: 1000}
	people := card.PeopleField{Name: "to", Label: "To whom?", Max: 5}
	return []Form{
		{"one_field", card.Form{Title: "Praise", Fields: []card.Field{text}, Submit: "Send", Action: card.Act("praise.send")}},
		{"praise", card.Form{Title: "Praise someone", Intro: []card.Block{card.Say("One sentence is enough.")}, Fields: []card.Field{
			people, text, card.ChoiceField{Name: "value", Label: "Value", Options: options(3), Optional: true},
		}, Submit: "Send", Action: card.Act("praise.send", "01930000-0000-7000-8000-000000000001")}},
		{"praise_zh", card.Form{Title: "表扬一位同事", Fields: []card.Field{
			card.PeopleField{Name: "to", Label: "表扬谁？", Max: 1, Value: []string{Someone}},
			card.TextField{Name: "text", Label: "做得好的是什么？", Value: "谢谢你把交接写得这么清楚。", Multiline: true, Max: 1000},
		}, Submit: "发送", Action: card.Act("praise.send")}},
		{"every_field", card.Form{Title: "Everything", Fields: []card.Field{
			text,
			card.TextField{Name: "line", Label: "One line", Value: "kept", Optional: true, Max: 80},
			people,
			card.PeopleField{Name: "boss", Label: "Manager", Hint: "one", Max: 1, Optional: true},
			card.ChoiceField{Name: "few", Label: "Few", Options: options(3), Value: []string{"v2"}},
			card.ChoiceField{Name: "some", Label: "Some", Options: options(8), Value: []string{"v8"}, Optional: true, Hint: "or none"},
			card.ChoiceField{Name: "many", Label: "Many", Options: options(4), Value: []string{"v1", "v3", "gone"}, Many: true},
			card.ChoiceField{Name: "lots", Label: "Lots", Options: options(40), Value: []string{"v7"}, Many: true, Optional: true},
			card.DateField{Name: "by", Label: "By when", Value: "2026-11-30", Hint: "a working day", Optional: true},
		}, Submit: "Save", Action: card.Act("all.save", "1", "2")}},
		{"choices_250", card.Form{Title: "Choose", Fields: []card.Field{
			card.ChoiceField{Name: "one", Label: "One", Options: options(250), Value: []string{"v201"}},
			card.ChoiceField{Name: "many", Label: "Many", Options: options(250), Value: []string{"v1", "v150"}, Many: true},
		}, Submit: "Save", Action: card.Act("choose.save")}},
		{"long", card.Form{Title: Long(80), Intro: []card.Block{card.Say(Long(10_000))}, Fields: []card.Field{
			card.TextField{Name: "text", Label: Long(3000), Hint: Long(3000), Placeholder: Long(400), Value: Long(5000), Max: 9000, Min: 9999, Multiline: true},
			card.ChoiceField{Name: "choice", Label: Long(3000), Hint: Long(3000), Options: []card.Option{{Value: "a", Label: Long(300)}, {Value: "b", Label: "short"}}, Value: []string{"a"}},
		}, Submit: Long(60), Action: card.Act("long.save")}},
		{"long_chinese", card.Form{Title: LongChinese(60), Fields: []card.Field{
			card.TextField{Name: "text", Label: LongChinese(2500), Value: LongChinese(1000), Max: 1000},
		}, Submit: LongChinese(40), Action: card.Act("long.save")}},
		{"bad_values", card.Form{Title: "Bad", Fields: []card.Field{
			card.DateField{Name: "by", Label: "By", Value: "30.11.2026"},
			card.DateField{Name: "on", Label: "On", Value: "2026-02-30"},
			card.PeopleField{Name: "to", Label: "To", Value: []string{"!channel", "<@U1>", Someone, Someone}, Max: 2},
			card.ChoiceField{Name: "c", Label: "C", Options: options(2), Value: []string{"nothing"}},
			card.TextField{Name: "t", Label: " ", Placeholder: "\u200b", Hint: "\n"},
		}, Action: card.Act("bad.save")}},
		{"hostile", HostileForm("<!channel> <@U1> <http://x|y> &lt;!here&gt; *b* `c` \u202e\x00")},
	}
}

func options(n int) []card.Option {
	out := make([]card.Option, n)
	for i := range out {
		out[i] = card.Option{Value: fmt.Sprintf("v%d", i+1), Label: fmt.Sprintf("Option %d", i+1)}
	}
	return out
}
