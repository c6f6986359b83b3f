package slacksim

// richTextBlock is the rich_text block: sections, lists, preformatted text and quotes of inline elements.
func richTextBlock() object {
	return object{
		props: with(blockBase("rich_text"), map[string]rule{"elements": list(1, 1000, byType(richTextParts()))}),
		need:  []string{"elements"},
	}
}

func richText(w *walk, at string, v any) {
	byType(map[string]object{"rich_text": richTextBlock()})(w, at, v)
}

func richTextParts() map[string]object {
	inline := list(0, 1000, byType(inlineTable()))
	border := map[string]rule{"border": integer(0, 1)}
	section := object{props: map[string]rule{"type": oneOf("rich_text_section"), "elements": inline}, need: []string{"elements"}}
	return map[string]object{
		"rich_text_section": section,
		"rich_text_list": {
			props: with(border, map[string]rule{
				"type": oneOf("rich_text_list"), "style": oneOf("bullet", "ordered"), "indent": integer(0, 8), "offset": integer(0, 1<<31-1),
				"elements": list(0, 1000, byType(map[string]object{"rich_text_section": section})),
			}),
			need: []string{"elements", "style"},
		},
		"rich_text_quote": {
			props: with(border, map[string]rule{"type": oneOf("rich_text_quote"), "elements": inline}), need: []string{"elements"},
		},
		"rich_text_preformatted": {
			props: with(border, map[string]rule{
				"type": oneOf("rich_text_preformatted"), "language": str(1, 255),
				"elements": list(0, 1000, byType(inlineTable(), "text", "link")),
			}),
			need: []string{"elements"},
		},
	}
}

func inlineTable() map[string]object {
	style := map[string]rule{"style": object{props: map[string]rule{
		"bold": boolean, "italic": boolean, "strike": boolean, "underline": boolean, "code": boolean, "highlight": boolean,
		"client_highlight": boolean, "unlink": boolean,
	}}.check}
	inline := func(kind string, more map[string]rule, need ...string) object {
		return object{props: with(style, map[string]rule{"type": oneOf(kind)}, more), need: need}
	}
	id := str(1, 255)
	return map[string]object{
		"text":      inline("text", map[string]rule{"text": str(1, 1<<20)}, "text"),
		"link":      inline("link", map[string]rule{"url": str(1, 3000), "text": str(0, 1<<20), "unsafe": boolean}, "url"),
		"user":      inline("user", map[string]rule{"user_id": id}, "user_id"),
		"usergroup": inline("usergroup", map[string]rule{"usergroup_id": id}, "usergroup_id"),
		"channel":   inline("channel", map[string]rule{"channel_id": id}, "channel_id"),
		"team":      inline("team", map[string]rule{"team_id": id}, "team_id"),
		"emoji":     inline("emoji", map[string]rule{"name": str(1, 255), "unicode": str(1, 255), "url": str(1, 3000), "skin_tone": integer(1, 6)}, "name"),
		"broadcast": inline("broadcast", map[string]rule{"range": oneOf("here", "channel", "everyone")}, "range"),
		"color":     inline("color", map[string]rule{"value": str(1, 255)}, "value"),
		"date": inline("date", map[string]rule{
			"timestamp": integer(0, 1<<53), "format": str(1, 255), "url": str(1, 3000), "fallback": str(1, 3000),
		}, "timestamp", "format"),
	}
}
