package slacksim

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// blockBase is what every block may hold.
func blockBase(kind string) map[string]rule {
	return map[string]rule{"type": oneOf(kind), "block_id": str(1, 255)}
}

// messageOnly are the blocks that views refuse. The file block comes only from Slack and is refused everywhere.
func messageOnly() []string {
	return []string{"markdown", "table", "context_actions", "task_card", "plan"}
}

// block checks one block of a message or view: its type, its place, its rules and its block_id.
func block(w *walk, at string, v any) {
	o, _ := v.(map[string]any)
	kind, _ := o["type"].(string)
	if w.surface != "message" && slices.Contains(messageOnly(), kind) {
		w.fault(at+"/type", "unsupported type: %s", kind)
		return
	}
	byType(blockTable())(w, at, v)
	if id, named := o["block_id"].(string); named {
		if w.blockIDs[id] {
			w.fault(at+"/block_id", "block_id already exists")
		}
		w.blockIDs[id] = true
	}
}

func blockTable() map[string]object {
	return map[string]object{
		"divider": {props: blockBase("divider")},
		"section": {
			props: with(blockBase("section"), map[string]rule{
				"text": anyText(3000), "fields": list(1, 10, anyText(2000)), "accessory": element(accessories()...), "expand": boolean,
			}),
			extra: func(w *walk, at string, o map[string]any) {
				if o["text"] == nil && o["fields"] == nil {
					w.fault(at, "must define either `fields` or `text`")
				}
			},
		},
		"header": {
			props: with(blockBase("header"), map[string]rule{"text": plain(150)}),
			need:  []string{"text"},
		},
		"context": {
			props: with(blockBase("context"), map[string]rule{"elements": list(1, 10, contextElement)}),
			need:  []string{"elements"},
		},
		"actions": {
			props: with(blockBase("actions"), map[string]rule{"elements": list(1, 25, element(actionables()...))}),
			need:  []string{"elements"},
			extra: uniqueActions,
		},
		"context_actions": {
			props: with(blockBase("context_actions"), map[string]rule{"elements": list(1, 5, element("feedback_buttons", "icon_button"))}),
			need:  []string{"elements"},
			extra: uniqueActions,
		},
		"input": {
			props: with(blockBase("input"), map[string]rule{
				"label": plain(2000), "hint": plain(2000), "optional": boolean, "dispatch_action": boolean,
				"element": element(inputElements()...),
			}),
			need: []string{"label", "element"},
			extra: func(w *walk, at string, o map[string]any) {
				w.inputs = true
				el, _ := o["element"].(map[string]any)
				if o["dispatch_action"] == true && el["type"] == "file_input" {
					w.fault(at+"/dispatch_action", "dispatch_action is not supported for file_input")
				}
			},
		},
		"image": {
			props: with(blockBase("image"), map[string]rule{
				"image_url": webURL, "slack_file": slackFile, "alt_text": str(1, 2000), "title": plain(2000),
			}),
			need:  []string{"alt_text"},
			extra: func(w *walk, at string, o map[string]any) { xor(w, at, o, "image_url", "slack_file") },
		},
		"markdown": {
			props: with(blockBase("markdown"), map[string]rule{"text": str(1, markdownText)}),
			need:  []string{"text"},
			extra: func(w *walk, at string, o map[string]any) {
				t, _ := o["text"].(string)
				before := w.markdown
				w.markdown += length(t)
				if before <= markdownText && w.markdown > markdownText && length(t) <= markdownText {
					w.fault(at+"/text", "must be less than %d characters in all markdown blocks", markdownText+1)
				}
			},
		},
		"rich_text": richTextBlock(),
		"table":     tableBlock(),
		"video": {
			props: with(blockBase("video"), map[string]rule{
				"video_url": httpsURL, "thumbnail_url": webURL, "alt_text": str(1, 2000), "title": plain(199), "title_url": httpsURL,
				"author_name": str(1, 49), "provider_name": str(1, 49), "provider_icon_url": webURL, "description": plain(199),
			}),
			need: []string{"video_url", "thumbnail_url", "alt_text", "title"},
		},
		"task_card": taskCard(),
		"plan": {
			props: with(blockBase("plan"), map[string]rule{
				"title": str(1, 2000), "tasks": list(1, 50, byType(map[string]object{"task_card": taskCard()})),
			}),
			need: []string{"title"},
		},
	}
}

func taskCard() object {
	return object{
		props: with(blockBase("task_card"), map[string]rule{
			"task_id": str(1, 255), "title": str(1, 2000), "details": richText, "output": richText,
			"sources": list(0, 50, object{
				props: map[string]rule{"type": oneOf("url"), "url": webURL, "text": str(1, 2000)}, need: []string{"type", "url", "text"},
			}.check),
			"status": oneOf("pending", "in_progress", "complete", "error"),
		}),
		need: []string{"task_id", "title", "status"},
	}
}

func tableBlock() object {
	cell := func(w *walk, at string, v any) {
		byType(map[string]object{
			"raw_text":  {props: map[string]rule{"type": oneOf("raw_text"), "text": str(1, 3000)}, need: []string{"text"}},
			"rich_text": richTextBlock(),
		})(w, at, v)
	}
	column := object{props: map[string]rule{"align": oneOf("left", "center", "right"), "is_wrapped": boolean}}
	return object{
		props: with(blockBase("table"), map[string]rule{
			"rows": list(1, 100, list(1, 20, cell)), "column_settings": list(0, 20, column.check),
		}),
		need: []string{"rows"},
		extra: func(w *walk, at string, o map[string]any) {
			w.tables++
			if w.tables > 1 {
				w.fault(at, "only_one_table_allowed")
			}
			rows, _ := o["rows"].([]any)
			width := -1
			for i, r := range rows {
				cells, _ := r.([]any)
				if width >= 0 && len(cells) != width {
					w.fault(at+"/rows/"+strconv.Itoa(i), "all rows must have the same number of cells")
				}
				width = len(cells)
			}
		},
	}
}

func contextElement(w *walk, at string, v any) {
	o, _ := v.(map[string]any)
	if o["type"] == "image" {
		element("image")(w, at, v)
		return
	}
	anyText(3000)(w, at, v)
}

// uniqueActions refuses an action_id used twice in one block.
func uniqueActions(w *walk, at string, o map[string]any) {
	els, _ := o["elements"].([]any)
	seen := map[string]bool{}
	for i, v := range els {
		el, _ := v.(map[string]any)
		id, named := el["action_id"].(string)
		if named && seen[id] {
			w.fault(at+"/elements/"+strconv.Itoa(i)+"/action_id", "action_id already exists")
		}
		seen[id] = true
	}
}

func webURL(w *walk, at string, v any) {
	str(1, 3000)(w, at, v)
	if t, _ := v.(string); t != "" && !strings.HasPrefix(t, "https://") && !strings.HasPrefix(t, "http://") {
		w.fault(at, "must be a valid http or https URL")
	}
}

func httpsURL(w *walk, at string, v any) {
	str(1, 3000)(w, at, v)
	if t, _ := v.(string); !strings.HasPrefix(t, "https://") {
		w.fault(at, "must be a valid https URL")
	}
}

func slackFile(w *walk, at string, v any) {
	object{
		props: map[string]rule{"id": str(1, 255), "url": webURL},
		extra: func(w *walk, at string, o map[string]any) {
			xor(w, at, o, "id", "url")
			if id, named := o["id"].(string); named && w.fileExists != nil && !w.fileExists(id) {
				w.fault(at+"/id", "invalid slack file")
			}
		},
	}.check(w, at, v)
}

// textIn adds up the characters of all text in blocks, markdown blocks aside, which have a limit of their own.
func textIn(v any) int {
	switch t := v.(type) {
	case []any:
		n := 0
		for _, e := range t {
			n += textIn(e)
		}
		return n
	case map[string]any:
		n := 0
		if t["type"] == "markdown" {
			return 0
		}
		for k, e := range t {
			if s, isString := e.(string); isString && k == "text" {
				n += length(s)
			} else {
				n += textIn(e)
			}
		}
		return n
	}
	return 0
}

// withIDs returns blocks with the block_id and action_id that Slack makes up where there is none. s.mu is held.
func (s *Server) withIDs(blocks []any) []any {
	out := make([]any, len(blocks))
	for i, v := range blocks {
		b := copied(v)
		if b["block_id"] == nil {
			b["block_id"] = s.world.id("b")
		}
		switch b["type"] {
		case "actions", "context_actions":
			els, _ := b["elements"].([]any)
			els = slices.Clone(els)
			for j, el := range els {
				els[j] = s.withActionID(el)
			}
			b["elements"] = els
		case "input":
			b["element"] = s.withActionID(b["element"])
		case "section":
			if b["accessory"] != nil {
				b["accessory"] = s.withActionID(b["accessory"])
			}
		}
		out[i] = b
	}
	return out
}

func (s *Server) withActionID(v any) map[string]any {
	el := copied(v)
	if el["type"] != "image" && el["action_id"] == nil {
		el["action_id"] = s.world.id("a")
	}
	return el
}

func copied(v any) map[string]any {
	o, _ := v.(map[string]any)
	out := make(map[string]any, len(o)+1)
	maps.Copy(out, o)
	return out
}
