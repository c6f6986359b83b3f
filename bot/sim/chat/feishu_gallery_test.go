package chat

// feishuGallery is a card with components of every kind that the page draws, after the examples of the vendor's pages.
// https://open.feishu.cn/document/uAjLw4CM/ukzMukzMukzM/feishu-cards/card-json-v2-components/component-json-v2-overview
func feishuGallery(image, who string) map[string]any {
	call := []any{map[string]any{"type": "callback", "value": map[string]any{"do": "x"}}}
	field := func(tag, name string, more map[string]any) map[string]any {
		return with(map[string]any{"tag": tag, "name": name}, more)
	}
	card := larkCard("", "",
		larkMD("**粗体 bold** *italic* ~~strike~~ `code` [link](https://example.com/a?b=1&c=2) <at id="+who+"></at> :THUMBSUP:\n<font color='red'>red</font> <font color='green-500'>green</font> <text_tag color='blue'>标签</text_tag> <number_tag background_color='grey'>3</number_tag>\nescaped &#60;at id=all&#62; &#42;not bold&#42;\n- one\n- two **b**\n1. first\n2. second\n> quoted\n---\n### Heading\n```\ncode < 1\n```"),
		map[string]any{"tag": "div", "text": map[string]any{"tag": "lark_md", "content": "lark_md with **bold**\nand a second line"}},
		map[string]any{"tag": "div", "fields": []any{
			map[string]any{"is_short": true, "text": map[string]any{"tag": "lark_md", "content": "**Done**\n80%"}},
			map[string]any{"is_short": true, "text": map[string]any{"tag": "lark_md", "content": "**Target**\n100 万"}},
		}},
		map[string]any{"tag": "hr"},
		map[string]any{"tag": "column_set", "flex_mode": "bisect", "background_style": "grey", "columns": []any{
			larkColumn(1, larkMD("left\n**80%**")), larkColumn(1, larkMD("right\n**20 万**")),
		}},
		map[string]any{"tag": "person", "user_id": who, "show_name": true, "show_avatar": true},
		map[string]any{"tag": "person_list", "persons": []any{map[string]any{"id": who}}, "show_name": true, "show_avatar": true},
		map[string]any{"tag": "img", "img_key": image, "alt": larkPlain("a dot"), "title": larkPlain("An image")},
		map[string]any{"tag": "table", "page_size": 5, "columns": []any{
			map[string]any{"name": "m", "display_name": "Metric", "data_type": "text"},
			map[string]any{"name": "n", "display_name": "完成", "data_type": "number", "horizontal_align": "right", "format": map[string]any{"precision": 1, "separator": true, "symbol": "¥"}},
			map[string]any{"name": "s", "display_name": "State", "data_type": "options"},
			map[string]any{"name": "p", "display_name": "Who", "data_type": "persons"},
			map[string]any{"name": "d", "display_name": "When", "data_type": "date", "date_format": "YYYY/MM/DD"},
			map[string]any{"name": "k", "display_name": "Remark", "data_type": "lark_md"},
		}, "rows": []any{map[string]any{
			"m": "Loans", "n": 1234567.89, "s": []any{map[string]any{"text": "on track", "color": "green"}}, "p": []any{who}, "d": 1767603600000, "k": "**ok**",
		}}},
		map[string]any{"tag": "chart", "aspect_ratio": "16:9", "chart_spec": map[string]any{
			"type": "bar", "title": map[string]any{"text": "Loans 贷款"}, "xField": "month", "yField": "n",
			"data": map[string]any{"values": []any{
				map[string]any{"month": "1月", "n": 80}, map[string]any{"month": "2月", "n": 120}, map[string]any{"month": "3月", "n": 45},
			}},
		}},
		map[string]any{"tag": "chart", "chart_spec": map[string]any{"type": "line", "xField": "w", "yField": "n", "data": []any{map[string]any{
			"values": []any{map[string]any{"w": "W1", "n": 3}, map[string]any{"w": "W2", "n": 7}},
		}}}},
		map[string]any{"tag": "chart", "chart_spec": map[string]any{"type": "pie", "categoryField": "k", "valueField": "v", "data": map[string]any{
			"values": []any{map[string]any{"k": "A", "v": 3}, map[string]any{"k": "B", "v": 7}},
		}}},
		map[string]any{"tag": "column_set", "flex_mode": "flow", "columns": []any{
			map[string]any{"tag": "column", "width": "auto", "elements": []any{larkButton("Plain", "x", nil)}},
			map[string]any{"tag": "column", "width": "auto", "elements": []any{larkButton("Primary", "x", map[string]any{"type": "primary"})}},
			map[string]any{"tag": "column", "width": "auto", "elements": []any{larkButton("Danger", "x", map[string]any{"type": "danger"})}},
			map[string]any{"tag": "column", "width": "auto", "elements": []any{larkButton("Full", "x", map[string]any{"type": "danger_filled"})}},
			map[string]any{"tag": "column", "width": "auto", "elements": []any{larkButton("Text", "x", map[string]any{"type": "primary_text"})}},
			map[string]any{"tag": "column", "width": "auto", "elements": []any{larkButton("Off", "x", map[string]any{"disabled": true})}},
			map[string]any{"tag": "column", "width": "auto", "elements": []any{map[string]any{"tag": "button", "text": larkPlain("Link"), "behaviors": []any{map[string]any{"type": "open_url", "default_url": "https://example.com/"}}}}},
			map[string]any{"tag": "column", "width": "auto", "elements": []any{map[string]any{"tag": "overflow", "options": larkOptions("One", "Two"), "behaviors": call}}},
		}},
		map[string]any{"tag": "select_static", "placeholder": larkPlain("Choose one"), "options": larkOptions("One", "Two"), "behaviors": call},
		map[string]any{"tag": "select_person", "placeholder": larkPlain("Choose a person"), "behaviors": call},
		map[string]any{"tag": "date_picker", "initial_date": "2026-01-31", "behaviors": call},
		map[string]any{"tag": "picker_time", "initial_time": "09:30", "behaviors": call},
		map[string]any{"tag": "picker_datetime", "initial_datetime": "2026-01-31 09:30", "behaviors": call},
		map[string]any{"tag": "checker", "text": larkPlain("A check"), "checked": true, "behaviors": call},
		map[string]any{"tag": "interactive_container", "has_border": true, "behaviors": call, "elements": []any{larkMD("Press **anywhere** here")}},
		map[string]any{"tag": "collapsible_panel", "expanded": false, "header": map[string]any{"title": larkPlain("More 更多"), "background_color": "grey"}, "elements": []any{larkMD("folded away")}},
		map[string]any{"tag": "form", "name": "f", "elements": []any{
			field("input", "a", map[string]any{"label": larkPlain("Top"), "placeholder": larkPlain("Words"), "required": true}),
			field("input", "b", map[string]any{"label": larkPlain("Left"), "label_position": "left", "default_value": "there"}),
			field("input", "c", map[string]any{"label": larkPlain("Long"), "input_type": "multiline_text", "max_length": 5}),
			field("multi_select_static", "d", map[string]any{"placeholder": larkPlain("Several"), "options": larkOptions("One", "Two"), "selected_values": []any{"2"}}),
			field("multi_select_person", "e", map[string]any{"placeholder": larkPlain("People")}),
			field("picker_datetime", "g", nil),
			field("select_img", "h", map[string]any{"multi_select": true, "options": []any{map[string]any{"img_key": image, "value": "dot"}}}),
			larkButton("Send", "x", map[string]any{"name": "go", "type": "primary_filled", "width": "fill", "form_action_type": "submit"}),
		}},
	)
	card["header"] = map[string]any{
		"title": larkPlain("标题 Header"), "subtitle": larkPlain("Subtitle"), "template": "violet",
		"text_tag_list": []any{map[string]any{"tag": "text_tag", "text": larkPlain("进行中"), "color": "orange"}},
	}
	return card
}

// feishuPost is a rich text with nodes of every kind.
// https://open.feishu.cn/document/server-docs/im-v1/message-content-description/create_json
func feishuPost(image, who string) map[string]any {
	return map[string]any{"zh_cn": map[string]any{"title": "周报", "content": []any{
		[]any{
			map[string]any{"tag": "text", "text": "粗体 ", "style": []any{"bold", "underline"}},
			map[string]any{"tag": "a", "href": "https://example.com/", "text": "链接"},
			map[string]any{"tag": "at", "user_id": who},
			map[string]any{"tag": "emotion", "emoji_type": "DONE"},
		},
		[]any{map[string]any{"tag": "md", "text": "- **md** item"}},
		[]any{map[string]any{"tag": "code_block", "language": "GO", "text": "x := 1 < 2"}},
		[]any{map[string]any{"tag": "img", "image_key": image}},
		[]any{map[string]any{"tag": "hr"}},
	}}}
}
