package command

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"huiyin/bot"
)

func table() Table[int] {
	run := func(context.Context, int, Input) (bot.Reply, error) { return bot.Reply{}, nil }
	return Table[int]{
		{Name: "praise", Aliases: []string{"表扬", "kudos"}, Run: run},
		{Name: "note", Aliases: []string{"改进", "改进建议"}, Run: run},
		{Name: "help", Aliases: []string{"帮助", "?"}, Run: run},
	}
}

var root = []string{"huiyin", "回音"}

func typed(s string) bot.Command { return bot.Command{Parts: []bot.Part{{Text: s}}} }

func slash(name, s string) bot.Command {
	return bot.Command{Name: name, Parts: []bot.Part{{Text: s}}}
}

func TestACommandIsFoundHoweverItIsTyped(t *testing.T) {
	tests := []struct {
		what    string
		command bot.Command
		name    string
		text    string
	}{
		{"a slash command of its own", slash("praise", "great work"), "praise", "great work"},
		{"a word after the root command", slash("huiyin", "praise great work"), "praise", "great work"},
		{"the Chinese alias as a slash command", slash("表扬", "干得好"), "praise", "干得好"},
		{"plain words", typed("praise great work"), "praise", "great work"},
		{"capitals", typed("PRAISE great work"), "praise", "great work"},
		{"a slash in plain words", typed("/praise great work"), "praise", "great work"},
		{"a full-width slash", typed("／表扬 干得好"), "praise", "干得好"},
		{"a full-width space", typed("表扬　干得好"), "praise", "干得好"},
		{"a Chinese alias without a space", typed("表扬干得好"), "praise", "干得好"},
		{"a Chinese alias before an at sign", typed("表扬@林晓 干得好"), "praise", "@林晓 干得好"},
		{"a colon after the command", typed("表扬:干得好"), "praise", "干得好"},
		{"the root command in plain words", typed("huiyin praise hi"), "praise", "hi"},
		{"the Chinese root", typed("回音 帮助"), "help", ""},
		{"nothing after it", slash("praise", "  "), "praise", ""},
		{"a sign", typed("?"), "help", ""},
	}
	for _, tt := range tests {
		t.Run(tt.what, func(t *testing.T) {
			f, ok := table().Find(root, tt.command)
			if !ok {
				t.Fatalf("not found; typed %q, nearest %v", f.Typed, f.Nearest)
			}
			if f.Spec.Name != tt.name || f.Input.Text() != tt.text {
				t.Errorf("found %s with %q, want %s with %q", f.Spec.Name, f.Input.Text(), tt.name, tt.text)
			}
			if f.Input.Empty() != (tt.text == "") {
				t.Errorf("Empty is %v for %q", f.Input.Empty(), tt.text)
			}
		})
	}
}

func TestASlipIsMetWithWhatMayHaveBeenMeant(t *testing.T) {
	for typo, want := range map[string][]string{
		"priase": {"praise"}, "prais": {"praise"}, "pr": {"praise"}, "hlep": {"help"}, "kudo": {"praise"}, "表杨": {"praise"}, "nota": {"note"},
		"xyzzy": nil, "": nil, "thank": nil,
	} {
		f, ok := table().Find(root, typed(typo+" something"))
		if typo == "" {
			f, ok = table().Find(root, typed(""))
		}
		if ok {
			t.Errorf("%q was taken for %s", typo, f.Spec.Name)
		}
		if diff := cmp.Diff(want, f.Nearest); diff != "" {
			t.Errorf("for %q (-want +got):\n%s", typo, diff)
		}
	}
}

func TestToWhomItIsAddressed(t *testing.T) {
	at := func(u string) bot.Part { return bot.Part{Mention: &bot.Mentioned{User: u, Label: u + "-label"}} }
	say := func(s string) bot.Part { return bot.Part{Text: s} }
	naming := func(m bot.Mentioned) string { return "<" + m.User + ">" }
	tests := []struct {
		what  string
		parts []bot.Part
		to    []string
		text  string
	}{
		{"one at the beginning", []bot.Part{at("U1"), say(" great")}, []string{"U1"}, "great"},
		{"several with commas and and", []bot.Part{at("U1"), say(", "), at("U2"), say(" and "), at("U3"), say(" great")}, []string{"U1", "U2", "U3"}, "great"},
		{"Chinese joins", []bot.Part{at("U1"), say("、"), at("U2"), say("和"), at("U3"), say(" 干得好")}, []string{"U1", "U2", "U3"}, "干得好"},
		{"one more within the text", []bot.Part{at("U1"), say(" thanks for helping "), at("U2"), say(" today")}, []string{"U1"}, "thanks for helping <U2> today"},
		{"only within the text", []bot.Part{say("great work "), at("U1"), say(" today")}, []string{"U1"}, "great work  today"},
		{"stripped out of the text and told apart", []bot.Part{say("  great work "), at("U2"), at("U1")}, []string{"U2", "U1"}, "great work"},
		{"nobody", []bot.Part{say("great work")}, nil, "great work"},
		{"a colon after the names", []bot.Part{at("U1"), say(": great")}, []string{"U1"}, "great"},
	}
	for _, tt := range tests {
		t.Run(tt.what, func(t *testing.T) {
			to, text, _ := Input{Parts: tt.parts}.Addressed(naming)
			var users []string
			for _, m := range to {
				users = append(users, m.User)
			}
			if diff := cmp.Diff(tt.to, users); diff != "" {
				t.Errorf("addressees (-want +got):\n%s", diff)
			}
			if text != tt.text {
				t.Errorf("text is %q, want %q", text, tt.text)
			}
		})
	}
}

func TestWhatIsTypedAfterACommandIsNeverLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.TrimSpace(rapid.StringMatching(`[a-z @#表扬，。！?]{1,30}`).Draw(t, "text"))
		f, ok := table().Find(root, slash("praise", text))
		if !ok || f.Input.Text() != text {
			t.Fatalf("/praise %q became %v with %q", text, ok, f.Input.Text())
		}
	})
}

func FuzzFind(f *testing.F) {
	for _, s := range []string{"", "praise x", "／表扬　x", "@", "：", "huiyin huiyin", "\u200b", "表", string([]byte{0xff, 0xe8})} {
		f.Add("", s)
		f.Add("huiyin", s)
	}
	f.Fuzz(func(_ *testing.T, name, s string) {
		found, _ := table().Find(root, slash(name, s))
		found.Input.Text()
		found.Input.Word()
	})
}
