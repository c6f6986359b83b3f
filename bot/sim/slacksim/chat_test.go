package slacksim

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func quiet(o *Options) { o.Limits.Off = true }

func TestPostMessageRefusals(t *testing.T) {
	w := newOffice(t, quiet)
	gone := w.AddPerson(Person{Handle: "gone", Deleted: true}).ID
	robot := w.AddPerson(Person{Handle: "robot", IsBot: true}).ID
	archived := w.AddChannel(Channel{Name: "old", Members: []string{w.BotUser()}, Archived: true}).ID
	elsewhere := w.AddChannel(Channel{Name: "elsewhere", Members: []string{w.lin}}).ID
	for _, c := range []struct {
		what string
		body obj
		want string
	}{
		{"a message in a channel", obj{"channel": w.general, "text": "x"}, ""},
		{"a message to a person", obj{"channel": w.lin, "text": "x"}, ""},
		{"no channel", obj{"text": "x"}, "invalid_arguments"},
		{"an unknown channel", obj{"channel": "C0NOWHERE1", "text": "x"}, "channel_not_found"},
		{"a channel by name", obj{"channel": "#general", "text": "x"}, "channel_not_found"},
		{"a private channel of others", obj{"channel": w.private, "text": "x"}, "channel_not_found"},
		{"a public channel of others", obj{"channel": elsewhere, "text": "x"}, "not_in_channel"},
		{"an archived channel", obj{"channel": archived, "text": "x"}, "is_archived"},
		{"a deactivated person", obj{"channel": gone, "text": "x"}, "channel_not_found"},
		{"a bot", obj{"channel": robot, "text": "x"}, "cannot_dm_bot"},
		{"Slackbot", obj{"channel": "USLACKBOT", "text": "x"}, "cannot_dm_bot"},
		{"no text", obj{"channel": w.general}, "no_text"},
		{"an empty text and no blocks", obj{"channel": w.general, "text": "", "blocks": []any{}}, "no_text"},
		{"blocks that are no JSON", obj{"channel": w.general, "text": "x", "blocks": "[{"}, "invalid_blocks_format"},
		{"blocks that are no list", obj{"channel": w.general, "text": "x", "blocks": obj{}}, "invalid_blocks_format"},
		{"blocks in a string", obj{"channel": w.general, "text": "x", "blocks": `[{"type":"divider"}]`}, ""},
		{"bad blocks", obj{"channel": w.general, "text": "x", "blocks": []any{section(chars(3001))}}, "invalid_blocks"},
		{"bad blocks in an attachment", obj{"channel": w.general, "text": "x", "attachments": []any{obj{"blocks": []any{section("")}}}}, "invalid_blocks"},
		{"100 attachments", obj{"channel": w.general, "text": "x", "attachments": times(100, func(int) any { return obj{"text": "x"} })}, ""},
		{"101 attachments", obj{"channel": w.general, "text": "x", "attachments": times(101, func(int) any { return obj{"text": "x"} })}, "too_many_attachments"},
		{"9,597 characters in blocks", obj{"channel": w.general, "text": "x", "blocks": []any{
			section(chars(3000)), section(chars(3000)), section(chars(3000)), section(chars(597)),
		}}, ""},
		{"9,598 characters in blocks", obj{"channel": w.general, "text": "x", "blocks": []any{
			section(chars(3000)), section(chars(3000)), section(chars(3000)), section(chars(598)),
		}}, "msg_blocks_too_long"},
		{"markdown text", obj{"channel": w.general, "markdown_text": chars(12_000)}, ""},
		{"too much markdown text", obj{"channel": w.general, "markdown_text": chars(12_001)}, "msg_too_long"},
		{"markdown text and text", obj{"channel": w.general, "markdown_text": "x", "text": "x"}, "markdown_text_conflict"},
		{"a thread that is no timestamp", obj{"channel": w.general, "text": "x", "thread_ts": "1767603600.1"}, "invalid_thread_ts"},
		{"a thread that is not there", obj{"channel": w.general, "text": "x", "thread_ts": "1767603600.000001"}, "thread_not_found"},
		{"metadata without a type", obj{"channel": w.general, "text": "x", "metadata": obj{"event_payload": obj{}}}, "invalid_metadata_schema"},
		{"metadata that is a list", obj{"channel": w.general, "text": "x", "metadata": []any{1}}, "invalid_metadata_format"},
	} {
		wantError(t, c.what, w.api(t, "chat.postMessage", c.body), c.want)
	}
}

func TestInvalidBlocksAreExplainedAsSlackDoes(t *testing.T) {
	w := newOffice(t, nil)
	got := w.api(t, "chat.postMessage", obj{"channel": w.general, "text": "x", "blocks": []any{section(chars(3001))}})
	want := obj{
		"ok": false, "error": "invalid_blocks",
		"errors":            []any{"must be less than 3001 characters [json-pointer:/blocks/0/text/text]"},
		"response_metadata": obj{"messages": []any{"[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the refusal differs from Slack's (-want +got):\n%s", d)
	}
}

func TestLongTextIsCutWithAWarning(t *testing.T) {
	w := newOffice(t, quiet)
	for n, warned := range map[int]bool{40_000: false, 40_001: true} {
		got := w.api(t, "chat.postMessage", obj{"channel": w.general, "text": chars(n)})
		wantError(t, "a long text", got, "")
		if _, has := got["warning"]; has != warned {
			t.Errorf("a text of %d characters: warning %v, want one: %v", n, got["warning"], warned)
		}
		message, _ := got["message"].(map[string]any)
		if text, _ := message["text"].(string); length(text) != 40_000 {
			t.Errorf("a text of %d characters is stored with %d, want 40,000", n, length(text))
		}
	}
}

func TestUpdateWantsTheChannelAndAnOwnMessage(t *testing.T) {
	w := newOffice(t, quiet)
	posted := w.api(t, "chat.postMessage", obj{"channel": w.lin, "text": "one", "blocks": []any{section("one")}})
	dm, ts := posted["channel"], posted["ts"]
	theirs, _, err := w.Say(w.lin, w.general, "hello")
	if err != nil {
		t.Fatal(err)
	}
	w.api(t, "chat.postEphemeral", obj{"channel": w.general, "user": w.lin, "text": "psst"})
	ephemeral := w.Messages(w.general, w.lin)[1]
	for _, c := range []struct {
		what string
		body obj
		want string
	}{
		{"an own message", obj{"channel": dm, "ts": ts, "text": "two"}, ""},
		{"the person instead of the channel", obj{"channel": w.lin, "ts": ts, "text": "two"}, "channel_not_found"},
		{"no ts", obj{"channel": dm, "text": "two"}, "invalid_arguments"},
		{"an unknown ts", obj{"channel": dm, "ts": "1767603600.000001", "text": "two"}, "message_not_found"},
		{"somebody else's message", obj{"channel": w.general, "ts": theirs.TS, "text": "two"}, "cant_update_message"},
		{"an ephemeral message", obj{"channel": w.general, "ts": ephemeral.TS, "text": "two"}, "message_not_found"},
		{"4,000 characters", obj{"channel": dm, "ts": ts, "text": chars(4000)}, ""},
		{"4,001 characters", obj{"channel": dm, "ts": ts, "text": chars(4001)}, "msg_too_long"},
	} {
		wantError(t, c.what, w.api(t, "chat.update", c.body), c.want)
	}
	if m := w.MessagesFor(w.lin)[0]; m.Blocks == nil {
		t.Error("an update of the text alone cleared the blocks, which Slack keeps")
	}
	w.api(t, "chat.update", obj{"channel": dm, "ts": ts, "text": "three", "blocks": []any{}})
	if m := w.Messages(dm.(string), w.lin)[0]; m.Blocks != nil || m.Text != "three" || m.EditedTS == "" {
		t.Errorf("an update with empty blocks left %q with blocks %s", m.Text, m.Blocks)
	}
	wantError(t, "deleting somebody else's message", w.api(t, "chat.delete", obj{"channel": w.general, "ts": theirs.TS}), "cant_delete_message")
	wantError(t, "deleting an own message", w.api(t, "chat.delete", obj{"channel": dm, "ts": ts}), "")
	wantError(t, "deleting it again", w.api(t, "chat.delete", obj{"channel": dm, "ts": ts}), "message_not_found")
}

func TestEphemeralMessagesAreSeenByOnePersonUntilAReload(t *testing.T) {
	w := newOffice(t, quiet)
	outside := w.AddPerson(Person{Handle: "zoe"}).ID
	wantError(t, "an ephemeral message", w.api(t, "chat.postEphemeral", obj{"channel": w.general, "user": w.lin, "text": "psst"}), "")
	wantError(t, "one for somebody outside", w.api(t, "chat.postEphemeral", obj{"channel": w.general, "user": outside, "text": "x"}), "user_not_in_channel")
	wantError(t, "one without a user", w.api(t, "chat.postEphemeral", obj{"channel": w.general, "text": "x"}), "invalid_arguments")
	wantError(t, "one where the bot is not", w.api(t, "chat.postEphemeral", obj{"channel": w.private, "user": w.lin, "text": "x"}), "channel_not_found")
	for who, want := range map[string]int{w.lin: 1, w.kai: 0, outside: 0, "": 1} {
		if got := len(w.Messages(w.general, who)); got != want {
			t.Errorf("%q sees %d messages, want %d", who, got, want)
		}
	}
	if h := w.form(t, "conversations.history", "channel", w.general); len(h["messages"].([]any)) != 0 {
		t.Error("the ephemeral message is in the history")
	}
	w.Reload(w.kai)
	if got := len(w.MessagesFor(w.lin)); got != 1 {
		t.Errorf("after somebody else's reload Lin sees %d messages, want 1", got)
	}
	w.Reload(w.lin)
	if got := len(w.MessagesFor(w.lin)); got != 0 {
		t.Errorf("after a reload Lin still sees %d ephemeral messages", got)
	}
}

func TestPrivateChannelsAreSeenByMembersOnly(t *testing.T) {
	w := newOffice(t, quiet)
	guest := w.AddPerson(Person{Handle: "guest", Restricted: true}).ID
	if _, _, err := w.Say(w.lin, w.private, "between us"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.Say(w.lin, w.general, "for all"); err != nil {
		t.Fatal(err)
	}
	if got := len(w.Messages(w.private, w.kai)); got != 0 {
		t.Errorf("Kai sees %d messages of a private channel without being a member", got)
	}
	if got := len(w.Messages(w.general, guest)); got != 0 {
		t.Errorf("a guest sees %d messages of a channel they are not in", got)
	}
	if _, _, err := w.Say(w.kai, w.private, "let me in"); err == nil {
		t.Error("Kai can write in a private channel without being a member")
	}
}

func TestHistoryGivesMetadataOnlyWhenAsked(t *testing.T) {
	w := newOffice(t, quiet)
	meta := obj{"event_type": "notice", "event_payload": obj{"id": "0190"}}
	posted := w.api(t, "chat.postMessage", obj{"channel": w.lin, "text": "x", "metadata": meta})
	dm, _ := posted["channel"].(string)
	first := func(got obj) obj { return got["messages"].([]any)[0].(map[string]any) }
	if m := first(w.form(t, "conversations.history", "channel", dm)); m["metadata"] != nil {
		t.Errorf("metadata came without include_all_metadata: %v", m["metadata"])
	}
	m := first(w.form(t, "conversations.history", "channel", dm, "include_all_metadata", "true"))
	if d := cmp.Diff(meta, m["metadata"]); d != "" {
		t.Errorf("metadata differs from what was sent (-want +got):\n%s", d)
	}
	none := w.form(t, "conversations.history", "channel", dm, "oldest", posted["ts"].(string))
	if got := len(none["messages"].([]any)); got != 0 {
		t.Errorf("oldest without inclusive gave %d messages, want 0", got)
	}
	one := w.form(t, "conversations.history", "channel", dm, "oldest", posted["ts"].(string), "inclusive", "true")
	if got := len(one["messages"].([]any)); got != 1 {
		t.Errorf("oldest with inclusive gave %d messages, want 1", got)
	}
}

func TestPermalink(t *testing.T) {
	w := newOffice(t, quiet)
	posted := w.api(t, "chat.postMessage", obj{"channel": w.general, "text": "x"})
	ts, _ := posted["ts"].(string)
	got := w.form(t, "chat.getPermalink", "channel", w.general, "message_ts", ts)
	want := "https://huiyin.slack.com/archives/" + w.general + "/p" + strings.ReplaceAll(ts, ".", "")
	if got["permalink"] != want {
		t.Errorf("permalink is %v, want %s", got["permalink"], want)
	}
}

func TestTimestampsAreUniqueWhileTheClockStands(t *testing.T) {
	w := newOffice(t, quiet)
	a := w.api(t, "chat.postMessage", obj{"channel": w.general, "text": "a"})["ts"]
	b := w.api(t, "chat.postMessage", obj{"channel": w.general, "text": "b"})["ts"]
	if a == b {
		t.Errorf("two messages have the ts %v", a)
	}
	w.Advance(time.Hour)
	if c, _ := w.api(t, "chat.postMessage", obj{"channel": w.general, "text": "c"})["ts"].(string); c < "1767607200" {
		t.Errorf("an hour later the ts is %s, want at least 1767607200", c)
	}
}
