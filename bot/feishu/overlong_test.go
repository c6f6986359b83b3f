package feishu_test

import (
	"strings"
	"testing"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/bot/sim/feishusim"
	"huiyin/internal/i18n"
)

// Words are never cut without a word: who wants to edit more than a form here can hold is told so, and what there was stays.
func TestATextTooLongForAFormIsNotCut(t *testing.T) {
	for lang, want := range map[string][]string{
		i18n.English: {"Too long for a form", "1001 characters", "at most 1000", "Nothing was changed", "withdraw"},
		i18n.Chinese: {"表单放不下", "1001 个字符", "1000 个", "没有改动", "撤回"},
	} {
		t.Run(lang, func(t *testing.T) {
			o := newOffice(t, nil)
			lin, dm := o.lin.OpenID, o.P2P(o.lin.OpenID)
			long := card.Form{Title: "Edit praise", Submit: "Save", Action: card.Act("praise.save", "1"), Fields: []card.Field{
				card.TextField{Name: "text", Label: "Text", Value: strings.Repeat("谢", 1001), Multiline: true, Max: 3000},
			}}
			buttons := card.Card{Title: "Sent", Blocks: []card.Block{card.Buttons{Buttons: []card.Button{{Label: "Edit", Action: card.Act("edit", "1")}}}}}
			told := func(what string) {
				t.Helper()
				m := o.arrives(t, dm, lin, want[0])
				for _, words := range want {
					if !strings.Contains(strings.ReplaceAll(m.Content, ",", ""), words) {
						t.Errorf("%s: the answer lacks %q: %s", what, words, m.Content)
					}
				}
				if strings.Contains(m.Content, "谢谢") || strings.Contains(m.Content, "form_action_type") {
					t.Errorf("%s: the text stands in the answer, or a form: %.500s", what, m.Content)
				}
				if _, seen := o.newest(o.group, "", want[0]); seen {
					t.Errorf("%s: the group is told of it", what)
				}
			}
			say := func(chat, words string) {
				t.Helper()
				if _, ack, err := o.Say(lin, chat, words); err != nil || ack.Failure != "" {
					t.Fatalf("a command is answered %+v, %v", ack, err)
				}
			}
			press := func(m feishusim.Message, p feishusim.Press) feishusim.Ack {
				t.Helper()
				before, _ := o.Message(m.ID)
				ack, err := o.Press(lin, m.ID, p)
				if err != nil || ack.Error != "" || ack.Failure != "" {
					t.Fatalf("a press is answered %+v, %v", ack, err)
				}
				if now, _ := o.Message(m.ID); ack.Card || now.Content != before.Content {
					t.Errorf("the card that was acted on is replaced: %+v", ack)
				}
				return ack
			}
			// Asked for with words.
			o.replies(bot.Reply{Form: &long, Lang: lang})
			say(o.group, "@回音 /praise")
			told("a command")
			// With a button, in a group and alone.
			o.replies(bot.Reply{Card: &buttons, Public: true, Lang: lang})
			say(o.group, "@回音 mine")
			public := o.arrives(t, o.group, lin, "Edit")
			say(dm, "mine")
			private := o.arrives(t, dm, lin, "Edit")
			o.replies(bot.Reply{Form: &long, Lang: lang})
			if ack := press(public, feishusim.Press{Text: "Edit"}); ack.Toast == nil || !strings.Contains(ack.Toast.Content, want[0]) || ack.Toast.Type != "warning" {
				t.Errorf("a press in the group is answered %+v", ack.Toast)
			}
			told("a button in a group")
			press(private, feishusim.Press{Text: "Edit"})
			told("a button")
			// After another form, which keeps what was typed.
			o.replies(bot.Reply{Form: &card.Form{Title: "First", Submit: "Next", Action: card.Act("first"), Fields: []card.Field{card.TextField{Name: "text", Label: "Text"}}}, Lang: lang})
			say(dm, "first")
			first := o.arrives(t, dm, lin, "First")
			o.replies(bot.Reply{Form: &long, Lang: lang})
			if ack := press(first, feishusim.Press{Text: "Next", Form: map[string]feishusim.Input{"text": {"kept"}}}); ack.Toast == nil || !strings.Contains(ack.Toast.Content, want[0]) {
				t.Errorf("a form is answered %+v", ack.Toast)
			}
			o.until(t, "each is told of", func() bool {
				n := 0
				for _, m := range o.Messages(dm, lin) {
					if m.SenderType == "app" && strings.Contains(m.Content, want[0]) {
						n++
					}
				}
				return n == 4
			})
			o.clean(t, lang)
		})
	}
}
