package cardtest

import (
	"strings"

	"huiyin/bot/card"
)

// Hostile is a card with the payload at every place where text may stand, beside one mention of Someone and one link to Site that
// are meant.
func Hostile(payload string) card.Card {
	spans := []card.Span{
		card.Plainly(payload), card.Bold(payload), card.Code(payload), card.Link(payload, Site), card.Mention(payload, Someone),
		card.Mention(payload, payload), card.Link(payload, payload), card.Plainly(payload),
	}
	act := card.Button{Label: payload, Action: card.Act("hostile"), Confirm: &card.Confirm{Title: payload, Text: payload, Yes: payload, No: payload}}
	return card.Card{Title: payload, Summary: payload, Blocks: []card.Block{
		card.Say(payload),
		card.Paragraph{Spans: spans},
		card.Quoted(payload),
		card.Quote{Spans: spans},
		card.Small(payload),
		card.Aside{Spans: spans},
		card.Facts{Items: []card.Fact{{Label: payload, Value: card.Text(payload)}, {Label: payload, Value: spans}}},
		card.Items{Items: []card.Item{{Text: card.Text(payload), Under: spans, Buttons: []card.Button{act}}}},
		card.Buttons{Buttons: []card.Button{act}},
	}}
}

// HostileForm is a form with the payload at every place where text may stand.
func HostileForm(payload string) card.Form {
	return card.Form{Title: payload, Submit: payload, Action: card.Act("hostile"), Intro: []card.Block{card.Say(payload), card.Quoted(payload)}, Fields: []card.Field{
		card.TextField{Name: "text", Label: payload, Hint: payload, Placeholder: payload, Value: payload},
		card.ChoiceField{Name: "choice", Label: payload, Hint: payload, Options: []card.Option{{Value: "1", Label: payload}, {Value: "2", Label: "other"}}},
		card.PeopleField{Name: "people", Label: payload, Hint: payload},
		card.DateField{Name: "date", Label: payload, Hint: payload},
	}}
}

// Payloads are more than 500 texts that a person could type to ping, to link or to forge on one of the platforms: every bait in every
// wrapping, in a fixed order.
func Payloads() []string {
	baits := []string{
		"<!channel>", "<!here>", "<!everyone>", "<!group>", "<!subteam^S1>", "<!subteam^S1|@team>", "<@U1>", "<@U012ABCDEF>", "<@W1|boss>", "<#C1|general>",
		"<http://evil.example|huiyin>", "<https://evil.example>", "<mailto:a@evil.example|mail>", "<javascript:alert(1)|x>", "<!date^0^{date}^https://evil.example|now>",
		"<slack://open|x>", "&lt;!channel&gt;", "&amp;lt;!channel&amp;gt;", "&#60;!channel&#62;", "@channel", "@here", "@everyone", "@所有人", "#general",
		"<at user_id=\"all\"></at>", "<at id=all></at>", "<at id='ou_1'>Lin</at>", "[link](https://evil.example)", "![image](https://evil.example/x.png)",
		"<font color='red'>x</font>", "dtmd://dingtalkclient/sendMessage?content=x", "{\"isAtAll\":true}", "{\"type\":\"section\",\"text\":{}}",
		"https://evil.example/path", "javascript:alert(1)", "*bold*", "_it_", "~gone~", "`code`", "```\nblock\n```", "> quote", "＞ quote", "&gt; quote", "%s%d%n", "{{.Name}}", "\\u003c!channel\\u003e",
	}
	wraps := []func(string) string{
		func(s string) string { return s },
		func(s string) string { return "Thank you " + s + " very much" },
		func(s string) string { return "`" + s + "`" },
		func(s string) string { return "*" + s + "* _" + s + "_" },
		func(s string) string { return "line\n" + s + "\n" + s },
		func(s string) string { return ">" + s + "|" + s + "<" },
		func(s string) string { return "\u202e" + s + "\u200b\x00" },
		func(s string) string { return "谢谢" + s + "！" },
		func(s string) string { return strings.ReplaceAll(s, "!", "\u200b!") },
		func(s string) string { return strings.ReplaceAll(s, "<", "<\x00") },
		func(s string) string { return "<" + s + ">" },
		func(s string) string { return "&lt;" + s + "&gt;&amp;" },
		func(s string) string { return "~`" + s + "`~" },
		func(s string) string { return s + strings.Repeat(" and more", 400) + s },
	}
	out := make([]string, 0, len(baits)*len(wraps))
	for _, bait := range baits {
		for _, wrap := range wraps {
			out = append(out, wrap(bait))
		}
	}
	return out
}
