package dingtalksim

import (
	"slices"
	"strings"
	"time"

	"huiyin/bot/sim/backstage"
)

const (
	sessionPath  = "/robot/sendBySession"
	sessionLife  = 90 * time.Minute
	webhookBytes = 20_000
	maxMentions  = 50
)

// webhookTypes are the messages of session webhooks and their strings, all of them required; actionCard and feedCard have
// more rules. https://open.dingtalk.com/document/development/custom-robots-send-group-messages
func webhookTypes() map[string]map[string]string {
	return map[string]map[string]string{
		"text":       {"content": plainParam},
		"markdown":   {"title": plainParam, "text": markdownParam},
		"link":       {"title": plainParam, "text": plainParam, "messageUrl": linkParam},
		"actionCard": {"title": plainParam, "text": markdownParam},
		"feedCard":   {},
	}
}

// newSession is a session webhook for one message of a conversation. s.mu is held.
func (s *Server) newSession(chat string) (url string, ends time.Time) {
	id := backstage.HexID("session", s.world.count("session"))
	ends = s.Now().Add(sessionLife)
	s.world.sessions[id] = session{chat: chat, ends: ends}
	return s.opts.BaseURL + sessionPath + "?session=" + id, ends
}

// sendBySession posts into the conversation from which a message came, until the session ends. It needs no token: whoever has
// the address can post.
func sendBySession(s *Server, q request) answer {
	at, known := s.world.sessions[q.query.Get("session")]
	if !known || !s.Now().Before(at.ends) {
		return deny(300001, "session 不存在")
	}
	c := s.world.chats[at.chat]
	switch {
	case len(q.raw) > webhookBytes:
		return deny(460101, "message too long, exceed 20000 bytes")
	case c.Dissolved || !s.hasBot(c):
		return deny(400106, "机器人不存在")
	case s.chatty(q, c.ID):
		return deny(130101, "send too fast, exceed 20 times per minute")
	}
	if refusal := s.webhookMessage(q.about, q.json, q.raw, c); refusal != nil {
		return *refusal
	}
	return ok(nil)
}

// webhookMessage checks and keeps one message in the format of webhooks. s.mu is held.
func (s *Server) webhookMessage(about Finding, body map[string]any, raw []byte, c *Chat) *answer {
	no := func(why string) *answer {
		a := deny(40035, "不合法的参数: "+why)
		return &a
	}
	kind, _ := body["msgtype"].(string)
	params, known := webhookTypes()[kind]
	if !known {
		a := deny(400105, "不支持的消息类型")
		return &a
	}
	part, isObject := body[kind].(map[string]any)
	if !isObject {
		return no(kind + " is missing")
	}
	i := inspection{s: s, about: about, group: c.Kind == Group}
	i.encoding(raw)
	var text string
	for _, name := range sorted(params) {
		v, isText := part[name].(string)
		if !isText || strings.TrimSpace(v) == "" {
			return no(kind + "." + name + " is missing or blank")
		}
		at := "/" + kind + "/" + name
		switch params[name] {
		case plainParam:
			i.plain(at, v)
		case markdownParam:
			i.markdown(at, v)
		case linkParam:
			if !s.opens(v) {
				return no(kind + "." + name + " is no address")
			}
			i.link(at, v)
		}
		if name == "text" || name == "content" {
			text = v
		}
	}
	if src, has := part["picUrl"].(string); has {
		i.image("/"+kind+"/picUrl", src)
	}
	if why := i.buttons(kind, part); why != "" {
		return no(why)
	}
	for _, name := range sorted(body) {
		if name != kind && !slices.Contains([]string{"msgtype", "at", "msgUuid"}, name) {
			i.find(Should, "webhook.unknown_property", "/"+name, 0)
		}
	}
	m := &Message{Chat: c.ID, Sender: s.opts.RobotCode, Via: ViaSession, Type: kind, Content: string(backstage.EncodeJSON(part))}
	if why := i.at(body["at"], m, c, text); why != "" {
		return no(why)
	}
	s.say(m)
	return nil
}

// buttons checks what actionCard and feedCard have besides strings, and says what is wrong.
func (i inspection) buttons(kind string, part map[string]any) string {
	each := func(list any, title, address string) string {
		items, _ := list.([]any)
		if len(items) == 0 {
			return kind + " has no buttons"
		}
		for _, v := range items {
			o, _ := v.(map[string]any)
			label, _ := o[title].(string)
			href, _ := o[address].(string)
			if strings.TrimSpace(label) == "" || !i.s.opens(href) {
				return kind + " has a button without title or address"
			}
			i.plain("/"+kind, label)
			i.link("/"+kind, href)
			if src, has := o["picURL"].(string); has {
				i.image("/"+kind, src)
			}
		}
		return ""
	}
	switch {
	case kind == "feedCard":
		return each(part["links"], "title", "messageURL")
	case kind != "actionCard":
		return ""
	case part["btns"] != nil:
		if part["singleTitle"] != nil || part["singleURL"] != nil {
			return "actionCard has both btns and a single button"
		}
		return each(part["btns"], "title", "actionURL")
	}
	return each([]any{part}, "singleTitle", "singleURL")
}

// at checks and keeps whom a message mentions, and says what is wrong.
func (i inspection) at(v any, m *Message, c *Chat, text string) string {
	if v == nil {
		return ""
	}
	at, isObject := v.(map[string]any)
	if !isObject {
		return "at is no object"
	}
	users, okUsers := strs(at["atUserIds"])
	mobiles, okMobiles := strs(at["atMobiles"])
	all, okAll := at["isAtAll"].(bool)
	switch {
	case at["atUserIds"] != nil && !okUsers || at["atMobiles"] != nil && !okMobiles || at["isAtAll"] != nil && !okAll:
		return "at has the wrong shape"
	case len(users)+len(mobiles) > maxMentions:
		return "at mentions more than 50"
	}
	if all {
		i.find(Must, "text.at_all", "/at/isAtAll", 0)
		m.AtAll = true
	}
	for n, id := range append(users, mobiles...) {
		p := i.s.member(id)
		for _, o := range i.s.world.people {
			if n >= len(users) && o.Mobile == id && i.s.member(o.UserID) != nil {
				p = o
			}
		}
		switch {
		case p == nil || !slices.Contains(c.Members, p.UserID):
			i.find(Should, "at.unknown_user", "/at", 0)
			continue
		case !strings.Contains(text, "@"+id):
			i.find(Should, "at.not_in_text", "/at", 0) // nothing is highlighted then
		}
		m.Mentions = append(m.Mentions, Mention{UserID: p.UserID, Name: p.Name})
	}
	return ""
}
