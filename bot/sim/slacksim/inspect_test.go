package slacksim

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"huiyin/bot/sim/backstage"
)

func TestFaultsThatSlackLetsPassAreFound(t *testing.T) {
	rich := func(el obj) obj {
		return obj{"type": "rich_text", "elements": []any{obj{"type": "rich_text_section", "elements": []any{el}}}}
	}
	blocks := func(bs ...any) obj { return obj{"text": "x", "blocks": bs} }
	for _, c := range []struct {
		what string
		body obj
		want []string
	}{
		{"a harmless text", obj{"text": "Hi <@U0LIN00001>, see <https://e.io|this> &amp; *that* 👍🏽"}, nil},
		{"everyone in the text", obj{"text": "<!channel> hi"}, []string{"MUST text.broadcast /text"}},
		{"here with a label", obj{"text": "<!here|here> hi"}, []string{"MUST text.broadcast /text"}},
		{"everyone in blocks", blocks(section("<!everyone>")), []string{"MUST text.broadcast /blocks/0/text/text"}},
		{"everyone in a context", blocks(obj{"type": "context", "elements": []any{mrkdwn("<!here>")}}), []string{"MUST text.broadcast /blocks/0/elements/0/text"}},
		{"everyone in plain text, where it is only text", blocks(obj{"type": "header", "text": plainText("<!channel>")}), nil},
		{"escaped, where it is only text", obj{"text": "&lt;!channel&gt;"}, nil},
		{"everyone in a markdown block", blocks(obj{"type": "markdown", "text": "<!channel>"}), []string{"MUST text.broadcast /blocks/0/text"}},
		{"everyone in rich text", blocks(rich(obj{"type": "broadcast", "range": "here"})), []string{"MUST text.broadcast /blocks/0/elements/0/elements/0"}},
		{"everyone in an attachment", obj{"text": "x", "attachments": []any{obj{"text": "<!channel>"}}}, []string{"MUST text.broadcast /attachments/0/text"}},
		{"everyone in markdown_text", obj{"markdown_text": "<!channel>"}, []string{"MUST text.broadcast /markdown_text"}},
		{"a group", obj{"text": "<!subteam^S0TEAM0001|@sales>"}, []string{"MUST text.user_group /text"}},
		{"a group in rich text", blocks(rich(obj{"type": "usergroup", "usergroup_id": "S1"})), []string{"MUST text.user_group /blocks/0/elements/0/elements/0"}},
		{"a script link", obj{"text": "<javascript:alert(1)|x>"}, []string{"MUST link.script /text"}},
		{"a script link in markdown", blocks(obj{"type": "markdown", "text": "[x]( JavaScript:alert(1))"}), []string{"MUST link.script /blocks/0/text"}},
		{"a script button", blocks(inActions(button(obj{"url": "javascript:alert(1)"}))[0]), []string{"MUST link.script /blocks/0/elements/0/url"}},
		{"a script link in rich text", blocks(rich(obj{"type": "link", "url": "data:text/html,x"})), []string{"MUST link.script /blocks/0/elements/0/elements/0/url"}},
		{"link_names", obj{"text": "x", "link_names": true}, []string{"MUST message.link_names /link_names"}},
		{"parse full", obj{"text": "x", "parse": "full"}, []string{"MUST message.parse_full /parse"}},
		{"parse none", obj{"text": "x", "parse": "none"}, nil},
		{"a NUL", obj{"text": "a\x00b"}, []string{"MUST text.nul /text"}},
		{"a NUL in plain text", blocks(obj{"type": "header", "text": plainText("a\x00b")}), []string{"MUST text.nul /blocks/0/text/text"}},
		{"half a character", obj{"text": "a\ufffd"}, []string{"MUST text.replacement_character /text"}},
		{"a blank block", blocks(section(" \u200b\t")), []string{"MUST text.blank /blocks/0/text/text"}},
		{"blocks without a text", obj{"blocks": []any{section("x")}}, []string{"MUST message.no_text_fallback /text"}},
		{"blocks with a blank text", obj{"text": " ", "blocks": []any{section("x")}}, []string{"MUST message.no_text_fallback /text"}},
		{"attachments with fallbacks", obj{"attachments": []any{obj{"fallback": "x", "text": "x"}}}, nil},
		{"attachments without fallbacks", obj{"attachments": []any{obj{"text": "x"}}}, []string{"MUST message.no_text_fallback /text"}},
		{"an open direction override", obj{"text": "a \u202e b"}, []string{"SHOULD text.open_bidi_control /text"}},
		{"a closed direction override", obj{"text": "a \u202e b \u202c"}, nil},
		{"somebody unknown", obj{"text": "<@U0NOBODY01>"}, []string{"SHOULD text.unknown_user /text"}},
		{"4,000 characters", obj{"text": chars(4000)}, nil},
		{"4,001 characters", obj{"text": chars(4001)}, []string{"SHOULD message.text_over_4000 /text"}},
		{"an option value of 75", blocks(inActions(selectOf(obj{"options": []any{obj{"text": plainText("x"), "value": chars(75)}}}))[0]), nil},
		{"an option value of 76", blocks(inActions(selectOf(obj{"options": []any{obj{"text": plainText("x"), "value": chars(76)}}}))[0]), []string{"SHOULD option.value_over_75 /blocks/0/elements/0/options/0/value"}},
	} {
		w := newOffice(t, quiet)
		c.body["channel"] = w.general
		wantError(t, c.what, w.api(t, "chat.postMessage", c.body), "")
		if d := cmp.Diff(c.want, rules(w.Findings())); d != "" {
			t.Errorf("%s: findings differ (-want +got):\n%s", c.what, d)
		}
	}
}

func TestFindingsCarryLengthsAndNoText(t *testing.T) {
	w := newOffice(t, quiet)
	const secret = "quarterly numbers"
	w.api(t, "chat.postMessage", obj{"channel": w.general, "text": "<!channel> " + secret})
	f := w.MustFindings()[0]
	want := Finding{N: 1, Severity: Must, Rule: "text.broadcast", Pointer: "/text", Length: 28, Method: "chat.postMessage", Call: 1}
	if d := cmp.Diff(want, f); d != "" {
		t.Errorf("the finding differs (-want +got):\n%s", d)
	}
}

func TestBrokenEncodingIsFoundBeforeDecodingHidesIt(t *testing.T) {
	for raw, want := range map[string]bool{
		`{"text":"\ud83d\ude00"}`:       false,
		`{"text":"\ud83d"}`:             true,
		`{"text":"\ude00"}`:             true,
		`{"text":"\ud83dx\ude00"}`:      true,
		`{"text":"\ud83d\ud83d\ude00"}`: true,
		`{"text":"\\ud83d"}`:            false,
		`{"text":"\\\ud83d"}`:           true,
		`{"text":"plain"}`:              false,
		`{"text":"\uD83D\uDE00\uD83D"}`: true,
	} {
		if !json.Valid([]byte(raw)) {
			t.Fatalf("%s is no JSON", raw)
		}
		if got := backstage.LoneSurrogate([]byte(raw)); got != want {
			t.Errorf("%s has a lone surrogate: %v, want %v", raw, got, want)
		}
	}
	w := newOffice(t, quiet)
	w.post(t, "/api/chat.postMessage", jsonUTF8, testBotToken, `{"channel":"`+w.general+`","text":"a\ud83d"}`)
	w.post(t, "/api/chat.postMessage", jsonUTF8, testBotToken, `{"channel":"`+w.general+"\",\"text\":\"a\xff\"}")
	want := []string{
		"MUST text.cut_surrogate ", "MUST text.replacement_character /text", "MUST text.invalid_utf8 ", "MUST text.replacement_character /text",
	}
	if d := cmp.Diff(want, rules(w.Findings())); d != "" {
		t.Errorf("findings differ (-want +got):\n%s", d)
	}
}

func TestViewsAreInspectedToo(t *testing.T) {
	w := newOffice(t, quiet)
	w.openModal(t, modal(section("<!channel>")))
	w.api(t, "views.publish", obj{"user_id": w.lin, "view": obj{"type": "home", "blocks": []any{section("<!here>")}}})
	want := []string{"MUST text.broadcast /view/blocks/0/text/text", "MUST text.broadcast /view/blocks/0/text/text"}
	if d := cmp.Diff(want, rules(w.Findings())); d != "" {
		t.Errorf("findings differ (-want +got):\n%s", d)
	}
}
