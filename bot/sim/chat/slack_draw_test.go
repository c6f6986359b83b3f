package chat

import (
	"encoding/json"
	"html"
	"regexp"
	"strings"
	"testing"

	"huiyin/bot/sim/slacksim"
)

// evil stands in every text of a card; none of it may reach the page as markup.
const evil = `<script>alert(1)</script>"' onload=x &`

func drawn(t *testing.T, d *drawing, blocks ...any) string {
	t.Helper()
	raw, err := json.Marshal(blocks)
	if err != nil {
		t.Fatal(err)
	}
	return string(d.blocks(raw))
}

// Each kind of block and of element is drawn: what a person should see or use is there, and a text that is markup stays text.
func TestEveryKindOfBlockIsDrawn(t *testing.T) {
	opts := []any{option("One "+evil, "1"), option("Two", "2")}
	rich := map[string]any{"type": "rich_text", "elements": []any{
		map[string]any{"type": "rich_text_section", "elements": []any{
			map[string]any{"type": "text", "text": evil, "style": map[string]any{"bold": true}},
			map[string]any{"type": "link", "url": "javascript:alert(1)", "text": "press"},
			map[string]any{"type": "emoji", "name": "tada"},
			map[string]any{"type": "user", "user_id": "U2"},
			map[string]any{"type": "channel", "channel_id": "C0GENERAL"},
			map[string]any{"type": "broadcast", "range": "here"},
			map[string]any{"type": "date", "timestamp": 1767603600, "format": "{time}", "fallback": "then"},
		}},
		map[string]any{"type": "rich_text_list", "style": "ordered", "indent": 1, "elements": []any{
			map[string]any{"type": "rich_text_section", "elements": []any{map[string]any{"type": "text", "text": "item"}}},
		}},
	}}
	el := func(kind string, more map[string]any) map[string]any {
		return with(map[string]any{"type": kind, "action_id": "a", "placeholder": plain(evil)}, more)
	}
	acts := func(e map[string]any) any { return actions("b", e) }
	for name, c := range map[string]struct {
		block any
		want  []string
	}{
		"header":              {map[string]any{"type": "header", "text": plain("Head " + evil)}, []string{`<h3 class="header">Head `}},
		"section":             {section("*b* text"), []string{"<strong>b</strong> text"}},
		"section fields":      {map[string]any{"type": "section", "fields": []any{mrkdwn("*k*\nv"), plain(evil)}}, []string{`class="fields"`, "<strong>k</strong><br>v"}},
		"section image":       {with(section("t"), map[string]any{"accessory": map[string]any{"type": "image", "image_url": "https://x.cn/i.png", "alt_text": evil}}), []string{`src="https://x.cn/i.png"`, "alt="}},
		"section with script": {with(section("t"), map[string]any{"accessory": map[string]any{"type": "image", "image_url": "javascript:alert(1)", "alt_text": "x"}}), []string{"#ZgotmplZ"}},
		"context":             {map[string]any{"type": "context", "elements": []any{mrkdwn("_c_"), plain(evil), map[string]any{"type": "image", "image_url": "https://x.cn/i.png", "alt_text": "pic"}}}, []string{"<em>c</em>", `alt="pic"`}},
		"divider":             {map[string]any{"type": "divider"}, []string{"<hr>"}},
		"image":               {map[string]any{"type": "image", "image_url": "https://x.cn/i.png", "alt_text": "Chart", "title": plain("T")}, []string{`alt="Chart"`, "<figcaption>T"}},
		"rich_text":           {rich, []string{"<strong>&lt;script", "press (javascript:alert(1))", "🎉", "@林晓", "#general", "@here", "17:00", `<ol class="indent-1"><li>item`}},
		"markdown":            {map[string]any{"type": "markdown", "text": "# H\n- *i* **b** `c` [l](https://x.cn) " + evil + "\n> q\n```\n<x>\n```"}, []string{"<strong>H</strong>", "<em>i</em>", "<strong>b</strong>", "<code>c</code>", `href="https://x.cn"`, "<blockquote>q", "<pre>&lt;x&gt;"}},
		"table":               {map[string]any{"type": "table", "rows": []any{[]any{map[string]any{"type": "raw_text", "text": "H"}}, []any{map[string]any{"type": "raw_text", "text": evil}}}}, []string{"<th scope=\"col\">H", "<td>&lt;script"}},
		"video":               {map[string]any{"type": "video", "video_url": "https://x.cn/v", "title_url": "https://x.cn/t", "thumbnail_url": "https://x.cn/i.png", "alt_text": "film", "title": plain("V " + evil), "description": plain("d"), "author_name": "A"}, []string{`href="https://x.cn/t"`, `alt="film"`, ">d<"}},
		"task_card":           {map[string]any{"type": "task_card", "task_id": "t", "title": "Task", "status": "complete", "details": rich, "sources": []any{map[string]any{"type": "url", "url": "https://x.cn/", "text": "source"}}}, []string{"Task", "complete", "source"}},
		"plan":                {map[string]any{"type": "plan", "title": "Plan", "tasks": []any{map[string]any{"type": "task_card", "task_id": "t", "title": "Task", "status": "pending"}}}, []string{"Plan", "Task"}},
		"unknown":             {map[string]any{"type": "hologram " + evil}, []string{"This page cannot draw:", "hologram"}},

		"button":             {acts(button("a", "Go "+evil, map[string]any{"style": "primary", "value": "v"})), []string{`name="press" value="b a"`, `class="button primary"`, "Go "}},
		"button with link":   {acts(button("a", "Go", map[string]any{"url": "https://x.cn/"})), []string{`href="https://x.cn/"`, `data-press="b a"`}},
		"button with script": {acts(button("a", "Go", map[string]any{"url": "javascript:alert(1)"})), []string{"#ZgotmplZ"}},
		"button that asks": {
			acts(button("a", "Go", map[string]any{"confirm": map[string]any{"title": plain("Sure? " + evil), "text": mrkdwn("*t*"), "confirm": plain("Yes"), "deny": plain("No"), "style": "danger"}})),
			[]string{"data-asks=", "Sure? ", "<strong>t</strong>", "confirm-no", `class="button danger confirm-yes" name="press" value="b a"`},
		},
		"overflow":                   {acts(el("overflow", map[string]any{"options": append(opts, with(option("Link", "3"), map[string]any{"url": "https://x.cn/"}))})), []string{`value="b a 2"`, `data-press="b a 3"`, "Two"}},
		"feedback_buttons":           {map[string]any{"type": "context_actions", "block_id": "b", "elements": []any{map[string]any{"type": "feedback_buttons", "action_id": "a", "positive_button": map[string]any{"text": plain("Good"), "value": "1"}, "negative_button": map[string]any{"text": plain("Bad"), "value": "0"}}}}, []string{"Good", "Bad"}},
		"static_select":              {acts(el("static_select", map[string]any{"options": opts, "initial_option": opts[1]})), []string{`<select`, `name="v b a"`, `value="2" selected`}},
		"static_select groups":       {acts(el("static_select", map[string]any{"option_groups": []any{map[string]any{"label": plain("G"), "options": opts}}})), []string{`<optgroup label="G">`}},
		"multi_static_select":        {acts(el("multi_static_select", map[string]any{"options": opts, "initial_options": opts[1:]})), []string{"data-multiple", `value="2" data-label="Two" checked`}},
		"users_select":               {acts(el("users_select", map[string]any{"initial_user": "U2"})), []string{`type="radio"`, `value="U2" data-label="林晓" checked`, "Kai Brandt", `type="search"`}},
		"multi_users_select":         {acts(el("multi_users_select", map[string]any{"initial_users": []any{"U2", "U3"}})), []string{`type="checkbox"`, "<summary", "Kai Brandt, 林晓"}},
		"channels_select":            {acts(el("channels_select", nil)), []string{"#general"}},
		"multi_channels_select":      {acts(el("multi_channels_select", nil)), []string{"#general", `type="checkbox"`}},
		"conversations_select":       {acts(el("conversations_select", nil)), []string{"#general", "huiyin"}},
		"multi_conversations_select": {acts(el("multi_conversations_select", nil)), []string{"#general", `type="checkbox"`}},
		"external_select":            {acts(el("external_select", map[string]any{"initial_option": opts[1]})), []string{`data-element="b a"`, `value="2" data-label="Two" checked`}},
		"multi_external_select":      {acts(el("multi_external_select", map[string]any{"initial_options": opts[1:]})), []string{`type="checkbox"`, "checked"}},
		"checkboxes":                 {acts(el("checkboxes", map[string]any{"options": []any{with(option("x", "1"), map[string]any{"text": mrkdwn("*m*"), "description": plain("why " + evil)})}})), []string{`type="checkbox"`, "<strong>m</strong>", "why "}},
		"radio_buttons":              {acts(el("radio_buttons", map[string]any{"options": opts, "initial_option": opts[0]})), []string{`type="radio"`, "checked"}},
		"datepicker":                 {acts(el("datepicker", map[string]any{"initial_date": "2026-01-31"})), []string{`type="date"`, `value="2026-01-31"`}},
		"timepicker":                 {acts(el("timepicker", map[string]any{"initial_time": "09:30"})), []string{`type="time"`, `value="09:30"`}},
		"datetimepicker":             {acts(el("datetimepicker", map[string]any{"initial_date_time": 1767603600})), []string{`name="t b a"`, `value="2026-01-05T17:00"`}},
		"plain_text_input":           {input("a", "Label "+evil, map[string]any{"type": "plain_text_input", "initial_value": evil}, map[string]any{"hint": plain("Hint"), "optional": true}), []string{"Label ", `type="text"`, "Hint", "(optional)"}},
		"multiline":                  {input("a", "L", map[string]any{"type": "plain_text_input", "multiline": true, "initial_value": evil}, nil), []string{"<textarea", "&lt;script"}},
		"rich_text_input":            {input("a", "L", map[string]any{"type": "rich_text_input"}, nil), []string{"<textarea"}},
		"number_input":               {input("a", "L", map[string]any{"type": "number_input", "is_decimal_allowed": false, "initial_value": "7"}, nil), []string{`inputmode="decimal"`, `value="7"`}},
		"email_text_input":           {input("a", "L", map[string]any{"type": "email_text_input"}, nil), []string{`type="email"`}},
		"url_text_input":             {input("a", "L", map[string]any{"type": "url_text_input"}, nil), []string{`type="url"`}},
		"file_input":                 {input("a", "L", map[string]any{"type": "file_input"}, nil), []string{"Files cannot be chosen here."}},
		"element unknown":            {acts(el("laser", nil)), []string{"This page cannot draw:", "laser"}},
	} {
		got := drawn(t, sketch(t), c.block)
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s is drawn without %q:\n%s", name, want, got)
			}
		}
		harmless(t, name, got)
	}
}

var (
	quotedValue    = regexp.MustCompile(`"[^"]*"`)
	eventAttribute = regexp.MustCompile(`<[^>]*\son\w+\s*=`)
)

// scripted finds an attribute that runs a script, beside what stands in quotes.
func scripted(page string) string {
	return eventAttribute.FindString(quotedValue.ReplaceAllString(strings.ToLower(page), `""`))
}

// harmless fails when a text of the evil kind has become markup.
func harmless(t *testing.T, what, page string) {
	t.Helper()
	low := strings.ToLower(page)
	for _, bad := range []string{"<script>alert", `href="javascript:`, `src="javascript:`, `style="`} {
		if strings.Contains(low, bad) {
			t.Errorf("%s has %q in it:\n%s", what, bad, page)
		}
	}
	if m := scripted(page); m != "" {
		t.Errorf("%s has a script in an attribute: %s", what, m)
	}
}

func TestAMessageWithoutBlocksShowsItsTextAttachmentsAndFiles(t *testing.T) {
	d := sketch(t)
	attached := json.RawMessage(`[{"color":"#f00","pretext":"*pre*","author_name":"<i>","title":"T","title_link":"https://x.cn/","text":"body","fields":[{"title":"K","value":"V"}],
		"image_url":"https://x.cn/i.png","fallback":"alt","footer":"foot"},{"fallback":"only this"},{"blocks":[{"type":"section","text":{"type":"plain_text","text":"inner"}}]}]`)
	got := string(d.message(slacksim.Message{Text: "hello <@U2>", Attachments: attached, Files: []slacksim.File{{Name: "a.csv", Size: 12}}}))
	for _, want := range []string{"hello ", "@林晓", "<strong>pre</strong>", "&lt;i&gt;", `href="https://x.cn/"`, "body", "<strong>K</strong><br>V", "foot", "only this", "inner", "a.csv", "12 B"} {
		if !strings.Contains(got, want) {
			t.Errorf("the message is drawn without %q:\n%s", want, got)
		}
	}
}

// What Slack's own client says about a field is said in the reader's language, for every kind of field that can be refused.
func TestRefusedFieldsSpeakTheReadersLanguage(t *testing.T) {
	f := newFirm(t)
	view := map[string]any{"type": "modal", "title": plain("T"), "submit": plain("S"), "blocks": []any{
		input("none", "L", map[string]any{"type": "plain_text_input"}, nil),
		input("short", "L", map[string]any{"type": "plain_text_input", "min_length": 5}, nil),
		input("long", "L", map[string]any{"type": "plain_text_input", "max_length": 3}, nil),
		input("mail", "L", map[string]any{"type": "email_text_input"}, nil),
		input("url", "L", map[string]any{"type": "url_text_input"}, nil),
		input("number", "L", map[string]any{"type": "number_input", "is_decimal_allowed": false}, nil),
		input("low", "L", map[string]any{"type": "number_input", "is_decimal_allowed": true, "min_value": "2"}, nil),
		input("high", "L", map[string]any{"type": "number_input", "is_decimal_allowed": true, "max_value": "9"}, nil),
	}}
	f.bot.form = view
	f.act(t, "as=U2", "send", "user=U2", "place="+f.sim.DM("U2"), "text=/form")
	modal := f.sim.Views("U2")[0]
	f.act(t, "as=U2", "submit", "user=U2", "view="+modal.ID, "v short short=abc", "v long long=abcd", "v mail mail=x", "v url url=x",
		"v number number=1.5", "v low low=1", "v high high=10")
	got := html.UnescapeString(f.get(t, "/fragment/modal?as=U2"))
	for _, want := range []string{
		"请填写此项", "至少需要 5 个字符", "最多 3 个字符", "这不是邮箱地址", "这不是网址", "数字格式不正确", "不能小于 2", "不能大于 9",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the form does not say %q", want)
		}
	}
	if left := regexp.MustCompile(`class="error"[^>]*>[A-Za-z][^<]*`).FindString(got); left != "" {
		t.Errorf("one field is still refused in English: %s", left)
	}
	if !strings.Contains(got, `value="abcd"`) {
		t.Error("what was entered is lost")
	}
}
