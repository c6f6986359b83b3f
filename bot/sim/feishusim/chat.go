package feishusim

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"
)

const (
	textRequest = 150 << 10 // bytes of a request with a text
	cardRequest = 30 << 10  // bytes of a request with a card or a post
	uuidLength  = 50
	uuidLife    = time.Hour
	updateLife  = 14 * 24 * time.Hour // of cards, for updating and pressing
	maxEdits    = 20
)

// badParam is the refusal of most wrong parameters; why is what stands after ext=.
// https://open.feishu.cn/document/uAjLw4CM/ugTN1YjL4UTN24CO1UjN/trouble-shooting/how-to-resolve-error-230001
func badParam(why string) answer {
	return fail(230001, "Your request contains an invalid request parameter, ext="+why)
}

// destination finds where a message goes. s.mu is held.
func (s *Server) destination(idType, id string) (*Chat, *answer) {
	refuse := func(a answer) (*Chat, *answer) { return nil, &a }
	var p *Person
	switch idType {
	case "":
		return refuse(invalid("receive_id_type", "receive_id_type is required"))
	case "chat_id":
		c := s.world.chats[id]
		switch {
		case c == nil:
			return refuse(badParam("invalid receive_id"))
		case c.Dissolved:
			return refuse(fail(232009, "Your request specifies a chat which has already been dissolved."))
		case !s.botIn(c):
			return refuse(fail(230002, "Bot/User can NOT be out of the chat."))
		case c.Kind == Group:
			return c, nil
		}
		for _, m := range c.Members {
			p = cmp.Or(p, s.world.people[m])
		}
	case byOpenID, byUnionID, byUserID:
		p = s.world.person(idType, id)
	case "email":
		for _, at := range s.world.people {
			if id != "" && at.Email == id {
				p = at
			}
		}
	default:
		return refuse(invalid("receive_id_type", "receive_id_type is optional, options: [open_id,user_id,union_id,email,chat_id]"))
	}
	switch {
	case p == nil:
		return refuse(badParam("invalid receive_id"))
	case p.Resigned:
		return refuse(fail(230029, "User has resigned."))
	case p.Unavailable || !p.Active() || p.TenantKey != s.opts.TenantKey:
		return refuse(fail(230013, "Bot has NO availability to this user."))
	}
	return s.p2p(p.OpenID), nil
}

func messageCreate(s *Server, q request) answer {
	id, isString := q.json["receive_id"].(string)
	if !isString || id == "" {
		return invalid("receive_id", "receive_id is required")
	}
	c, refusal := s.destination(q.query.Get("receive_id_type"), id)
	if refusal != nil {
		return *refusal
	}
	return s.send(q, c, &Message{})
}

func messageReply(s *Server, q request) answer {
	to, refusal := s.sentMessage(q)
	if refusal != nil {
		return *refusal
	}
	c := s.world.chats[to.Chat]
	if !s.botIn(c) {
		return fail(230002, "Bot/User can NOT be out of the chat.")
	}
	m := &Message{Parent: to.ID, Root: cmp.Or(to.Root, to.ID), Thread: to.Thread}
	if inThread, _ := q.json["reply_in_thread"].(bool); inThread && m.Thread == "" {
		m.Thread = s.world.id("omt_")
	}
	return s.send(q, c, m)
}

// send checks and keeps a message of the bot's. s.mu is held.
func (s *Server) send(q request, c *Chat, m *Message) answer {
	kind, isKind := q.json["msg_type"].(string)
	content, isContent := q.json["content"].(string)
	uuid, isUUID := q.json["uuid"].(string)
	switch {
	case !isKind || kind == "":
		return invalid("msg_type", "msg_type is required")
	case q.json["content"] != nil && !isContent:
		return fail(9499, "Invalid parameter type in json: content")
	case content == "":
		return invalid("content", "content is required")
	case q.json["uuid"] != nil && !isUUID:
		return fail(9499, "Invalid parameter type in json: uuid")
	case length(uuid) > uuidLength:
		return invalid("uuid", "the max len is "+strconv.Itoa(uuidLength))
	case s.crowded("to " + c.ID):
		return fail(230020, "This operation triggers the frequency limit.")
	}
	once := uuid + " " + c.ID
	if before, found := s.world.uuids[once]; found && uuid != "" && s.now().Sub(before.at) < uuidLife {
		return ok(s.messageJSON(s.world.messages[before.message]))
	}
	if refusal := s.checkContent(q, kind, content); refusal != nil {
		return *refusal
	}
	now := s.world.moment(s.now())
	m.ID, m.Chat, m.Sender, m.SenderType = s.world.id("om_"), c.ID, s.opts.AppID, "app"
	m.Type, m.Content, m.UUID, m.Created, m.Updated = kind, content, uuid, now, now
	s.world.add(m)
	if uuid != "" {
		s.world.uuids[once] = sent{message: m.ID, at: s.now()}
	}
	s.change(Change{Kind: ChangeMessage, Chat: c.ID, Message: m.ID})
	return ok(s.messageJSON(m))
}

// sentMessage finds the message in the path. s.mu is held.
func (s *Server) sentMessage(q request) (*Message, *answer) {
	m := s.world.messages[q.path["message_id"]]
	if m == nil {
		a := badParam("invalid message_id")
		return nil, &a
	}
	if m.Withdrawn {
		a := fail(230011, "The message was recalled.")
		return nil, &a
	}
	return m, nil
}

// messagePatch replaces a card of the bot's. https://open.feishu.cn/document/server-docs/im-v1/message-card/patch
func messagePatch(s *Server, q request) answer {
	m, refusal := s.sentMessage(q)
	if refusal != nil {
		return *refusal
	}
	content, isString := q.json["content"].(string)
	switch {
	case !isString || content == "":
		return invalid("content", "content is required")
	case m.SenderType != "app":
		return fail(230012, "Bot is NOT the sender of the message.")
	case m.Type != "interactive":
		return badParam("This message is NOT a card.")
	case s.now().Sub(m.Created) >= updateLife:
		return fail(230031, "Message has expired when updating message, ext=Message can only be updated within fourteen days.")
	case s.crowded("update " + m.ID):
		return fail(230020, "This operation triggers the frequency limit.")
	case q.size > cardRequest:
		return fail(230025, "The length of the message content reaches its limit.")
	}
	v, err := decodeJSON([]byte(content))
	if err != nil {
		return badParam("content is not a string in json format")
	}
	if refusal := s.checkCard(q, v); refusal != nil {
		return *refusal
	}
	if isCard2(m.Content) && !isCard2(content) {
		return cardFaults{{code: 200830, why: "schemaV2 card can not change schemaV1"}}.answer()
	}
	s.replace(m, content)
	return ok(nil)
}

// replace gives a message new content. s.mu is held.
func (s *Server) replace(m *Message, content string) {
	m.Content, m.Edited, m.Updated = content, true, s.now().Truncate(time.Millisecond)
	s.change(Change{Kind: ChangeMessage, Chat: m.Chat, Message: m.ID})
}

// messageUpdate edits a text or post of the bot's, at most 20 times. https://open.feishu.cn/document/server-docs/im-v1/message/update
func messageUpdate(s *Server, q request) answer {
	m, refusal := s.sentMessage(q)
	if refusal != nil {
		return *refusal
	}
	kind, content := q.str("msg_type"), q.str("content")
	switch {
	case content == "":
		return invalid("content", "content is required")
	case kind != "text" && kind != "post":
		return badParam("invalid msg_type.")
	case m.SenderType != "app":
		return fail(230071, "The operator is not the sender of the message.")
	case m.Type != "text" && m.Type != "post":
		return fail(230054, "This operation is not supported for this message type.")
	case m.edits >= maxEdits:
		return fail(230072, "The message has reached the number of times it can be edited.")
	}
	if refusal := s.checkContent(q, kind, content); refusal != nil {
		return *refusal
	}
	m.Type = kind
	m.edits++
	s.replace(m, content)
	return ok(s.messageJSON(m))
}

func messageDelete(s *Server, q request) answer {
	m, refusal := s.sentMessage(q)
	switch {
	case refusal != nil:
		return *refusal
	case m.SenderType != "app":
		return fail(230026, "No permission to recall this message.")
	}
	m.Withdrawn = true
	s.change(Change{Kind: ChangeMessage, Chat: m.Chat, Message: m.ID})
	return ok(nil)
}

func messageGet(s *Server, q request) answer {
	m := s.world.messages[q.path["message_id"]]
	switch {
	case m == nil:
		return badParam("invalid message_id")
	case !s.botIn(s.world.chats[m.Chat]):
		return fail(230002, "Bot/User can NOT be out of the chat.")
	}
	return ok(map[string]any{"items": []any{s.messageJSON(m)}})
}

// messageList is the history of a chat, between start_time and end_time in seconds.
func messageList(s *Server, q request) answer {
	if q.query.Get("container_id_type") != "chat" {
		return badParam("invalid container_id_type")
	}
	c := s.world.chats[q.query.Get("container_id")]
	switch {
	case c == nil:
		return badParam("invalid container_id")
	case !s.botIn(c):
		return fail(230002, "Bot/User can NOT be out of the chat.")
	}
	from, to := int64(0), int64(math.MaxInt64)
	for name, bound := range map[string]*int64{"start_time": &from, "end_time": &to} {
		if v := q.query.Get(name); v != "" {
			n, err := strconv.ParseInt(v, 10, 64)
			if err != nil {
				return badParam("invalid " + name)
			}
			*bound = n
		}
	}
	var keys []string
	for _, id := range s.world.order[c.ID] {
		if at := s.world.messages[id].Created.Unix(); at >= from && at <= to {
			keys = append(keys, id)
		}
	}
	if q.query.Get("sort_type") == "ByCreateTimeDesc" {
		slices.Reverse(keys)
	}
	return s.paged(q, keys, 20, maxPage, func(id string) any { return s.messageJSON(s.world.messages[id]) })
}

// messageJSON is a message as the API gives it. s.mu is held.
func (s *Server) messageJSON(m *Message) map[string]any {
	idType := "app_id"
	if m.SenderType == "user" {
		idType = byOpenID
	}
	out := map[string]any{
		"message_id": m.ID, "msg_type": m.Type, "create_time": millis(m.Created), "update_time": millis(m.Updated),
		"deleted": m.Withdrawn, "updated": m.Edited, "chat_id": m.Chat, "body": map[string]any{"content": m.Content},
		"sender": map[string]any{"id": m.Sender, "id_type": idType, "sender_type": m.SenderType, "tenant_key": s.opts.TenantKey},
	}
	for k, v := range map[string]string{"root_id": m.Root, "parent_id": m.Parent, "thread_id": m.Thread} {
		if v != "" {
			out[k] = v
		}
	}
	if len(m.Mentions) > 0 {
		var list []any
		for _, at := range m.Mentions {
			list = append(list, map[string]any{
				"key": at.Key, "id": at.OpenID, "id_type": byOpenID, "name": at.Name, "tenant_key": s.opts.TenantKey,
			})
		}
		out["mentions"] = list
	}
	return out
}
