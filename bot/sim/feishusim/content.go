package feishusim

import (
	"fmt"
	"slices"
)

// checkContent refuses what Feishu refuses and finds what it lets pass. s.mu is held.
func (s *Server) checkContent(q request, kind, content string) *answer {
	refuse := func(a answer) *answer { return &a }
	limit := cardRequest
	if kind == "text" {
		limit = textRequest
	}
	if q.size > limit {
		return refuse(fail(230025, "The length of the message content reaches its limit."))
	}
	v, err := decodeJSON([]byte(content))
	if err != nil {
		return refuse(badParam("content is not a string in json format"))
	}
	if kind == "interactive" {
		return s.checkCard(q, v)
	}
	o, isObject := v.(map[string]any)
	if !isObject {
		return refuse(badParam("content is not a string in json format"))
	}
	look := inspection{s: s, about: q.about}
	look.encoding(q.raw)
	look.encoding([]byte(content))
	switch kind {
	case "text":
		text, isString := o["text"].(string)
		if !isString || text == "" {
			return refuse(badParam("text message content is empty"))
		}
		look.text("/content/text", text)
	case "post":
		if why := s.checkPost(look, o); why != "" {
			return refuse(badParam(why))
		}
	case "image":
		if key, _ := o["image_key"].(string); s.world.files[key] == nil {
			return refuse(badParam("invalid image_key"))
		}
	case "file":
		if key, _ := o["file_key"].(string); s.world.files[key] == nil {
			return refuse(badParam("invalid file_key"))
		}
	case "share_user":
		if id, _ := o["user_id"].(string); s.world.people[id] == nil {
			return refuse(badParam("invalid user_id"))
		}
	case "share_chat":
		if id, _ := o["chat_id"].(string); s.world.chats[id] == nil {
			return refuse(badParam("invalid chat_id"))
		}
	default:
		return refuse(badParam("invalid msg_type."))
	}
	return nil
}

// checkCard validates a card. s.mu is held.
func (s *Server) checkCard(q request, v any) *answer {
	look := inspection{s: s, about: q.about}
	look.encoding(q.raw)
	look.encoding([]byte(q.str("content")))
	if faults := s.validateCard(v, look); len(faults) > 0 {
		a := faults.answer()
		return &a
	}
	return nil
}

// checkPost validates a rich text: languages, lines, nodes. s.mu is held.
func (s *Server) checkPost(look inspection, o map[string]any) string {
	if len(o) == 0 {
		return "post content is empty"
	}
	for lang, v := range o {
		post, isObject := v.(map[string]any)
		lines, isList := post["content"].([]any)
		if !isObject || !isList || !slices.Contains(locales, lang) {
			return "post content is invalid"
		}
		at := "/content/" + lang
		if title, _ := post["title"].(string); title != "" {
			look.anyString(at+"/title", title)
		}
		for i, line := range lines {
			nodes, isList := line.([]any)
			if !isList {
				return "post content is invalid"
			}
			for n, v := range nodes {
				node, _ := v.(map[string]any)
				if why := s.checkNode(look, fmt.Sprintf("%s/content/%d/%d", at, i, n), node); why != "" {
					return why
				}
			}
		}
	}
	return ""
}

func (s *Server) checkNode(look inspection, at string, node map[string]any) string {
	text, _ := node["text"].(string)
	switch node["tag"] {
	case "text", "code_block":
		look.anyString(at+"/text", text)
	case "md":
		look.markdown(at+"/text", text)
	case "a":
		href, _ := node["href"].(string)
		if href == "" {
			return "invalid href in post"
		}
		look.anyString(at+"/text", text)
		look.link(at+"/href", href)
	case "at":
		id, _ := node["user_id"].(string)
		look.at(at+"/user_id", id)
	case "img":
		if key, _ := node["image_key"].(string); s.world.files[key] == nil {
			return "invalid image_key"
		}
	case "emotion", "hr", "media":
	default:
		return "unknown tag in post"
	}
	return ""
}
