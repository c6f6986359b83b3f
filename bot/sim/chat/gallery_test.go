package chat

// gallery is a message with every kind of block and element that messages may have.
func gallery() []any {
	opts := []any{option("一 One", "1"), option("二 Two", "2"), option("三 Three", "3")}
	rich := func(parts ...any) map[string]any { return map[string]any{"type": "rich_text", "elements": parts} }
	run := func(text string, style map[string]any) map[string]any {
		m := map[string]any{"type": "text", "text": text}
		if style != nil {
			m["style"] = style
		}
		return m
	}
	part := func(kind string, elements ...any) map[string]any {
		return map[string]any{"type": kind, "elements": elements}
	}
	return []any{
		map[string]any{"type": "header", "text": plain("标题 Header :tada:")},
		section("*bold* _italic_ ~strike~ `code` <https://example.com/a?b=1&amp;c=2|a link> <@U2> <#C0GENERAL|general>\n>quoted *text*\n```\npre <b>\n```"),
		with(section("Accessory button"), map[string]any{"accessory": button("acc", "Press", nil)}),
		with(section("Overflow"), map[string]any{"accessory": map[string]any{"type": "overflow", "action_id": "over", "options": opts}}),
		map[string]any{"type": "section", "fields": []any{mrkdwn("*Done*\n80%"), mrkdwn("*Target*\n100 万"), mrkdwn("*Gap*\n20 万"), plain("plain <field>")}},
		map[string]any{"type": "divider"},
		map[string]any{"type": "context", "elements": []any{mrkdwn("context with `code` and <mailto:a@b.cn|mail>")}},
		map[string]any{"type": "actions", "block_id": "all", "elements": []any{
			button("b1", "Plain", nil), button("b2", "Primary", map[string]any{"style": "primary"}), button("b3", "Danger", map[string]any{"style": "danger"}),
			button("b4", "Link", map[string]any{"url": "https://example.com/"}),
			map[string]any{"type": "static_select", "action_id": "s1", "options": opts, "placeholder": plain("Choose one")},
			map[string]any{"type": "multi_static_select", "action_id": "s2", "options": opts, "placeholder": plain("Choose several")},
			map[string]any{"type": "users_select", "action_id": "s3", "placeholder": plain("Choose a person")},
			map[string]any{"type": "external_select", "action_id": "s4", "min_query_length": 1, "placeholder": plain("Ask the bot")},
			map[string]any{"type": "channels_select", "action_id": "s5", "placeholder": plain("Channel")},
			map[string]any{"type": "datepicker", "action_id": "d1", "initial_date": "2026-01-31"},
			map[string]any{"type": "timepicker", "action_id": "d2", "initial_time": "09:30"},
			map[string]any{"type": "datetimepicker", "action_id": "d3", "initial_date_time": 1767603600},
			map[string]any{"type": "checkboxes", "action_id": "c1", "options": opts, "initial_options": opts[:1]},
			map[string]any{"type": "radio_buttons", "action_id": "c2", "options": opts},
		}},
		rich(
			part("rich_text_section", run("Rich ", nil), run("bold", map[string]any{"bold": true}), run(" and ", nil), map[string]any{"type": "user", "user_id": "U3"}),
			map[string]any{"type": "rich_text_list", "style": "bullet", "elements": []any{part("rich_text_section", run("one", nil)), part("rich_text_section", run("two", nil))}},
			part("rich_text_quote", run("a quotation", nil)),
			part("rich_text_preformatted", run("code := 1 < 2", nil)),
		),
		map[string]any{"type": "markdown", "text": "## Heading\n\n- **bold** and _italic_\n- [link](https://example.com)\n\n1. first\n2. second"},
		map[string]any{"type": "table", "rows": []any{
			[]any{map[string]any{"type": "raw_text", "text": "Metric"}, map[string]any{"type": "raw_text", "text": "完成"}},
			[]any{map[string]any{"type": "raw_text", "text": "Loans"}, rich(part("rich_text_section", run("80%", map[string]any{"bold": true})))},
		}},
		input("in", "An input in a message", map[string]any{"type": "plain_text_input", "placeholder": plain("Words")}, map[string]any{"optional": true}),
	}
}
