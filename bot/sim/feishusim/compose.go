package feishusim

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"huiyin/bot/sim/backstage"
)

// messageReceived is the event of a message, which the documents say to tell apart by message_id.
const messageReceived = "im.message.receive_v1"

// Say writes a text. @handle, @name and @bot become placeholders with mentions, as when people are picked in the client;
// @所有人 and @all mean everyone. The bot hears of it in its own conversation with the person, and in groups that it is in
// when it is mentioned. The Ack is that of the event. The error is for what the client would not send at all.
func (s *Server) Say(user, chat, text string) (Message, Ack, error) {
	return s.Reply(user, chat, "", text)
}

// Reply answers a message; an empty parent is a message of its own.
func (s *Server) Reply(user, chat, parent, text string) (Message, Ack, error) {
	s.mu.Lock()
	c, err := s.typing(user, chat, parent)
	if err == nil && backstage.Blank(text) {
		err = fmt.Errorf("nothing to send in %q", chat)
	}
	if err != nil {
		s.mu.Unlock()
		return Message{}, Ack{}, err
	}
	var mentions []Mention
	if c.Kind == Group || s.opts.MentionsInP2P {
		text, mentions = s.picked(text)
	}
	m := &Message{Type: "text", Content: string(encodeJSON(map[string]string{"text": text})), Mentions: mentions, Parent: parent}
	return s.written(user, c, m)
}

// SayRaw writes a message of any type: post, image, sticker, …
func (s *Server) SayRaw(user, chat, msgType, content string, mentions ...Mention) (Message, Ack, error) {
	s.mu.Lock()
	c, err := s.typing(user, chat, "")
	if err != nil {
		s.mu.Unlock()
		return Message{}, Ack{}, err
	}
	return s.written(user, c, &Message{Type: msgType, Content: content, Mentions: slices.Clone(mentions)})
}

// typing checks that a person can write in a chat. s.mu is held.
func (s *Server) typing(user, chat, parent string) (*Chat, error) {
	p, c := s.world.people[user], s.world.chats[chat]
	switch {
	case p == nil:
		return nil, fmt.Errorf("no person %q", user)
	case !p.Active():
		return nil, fmt.Errorf("person %q cannot log in", user)
	case c == nil || !slices.Contains(c.Members, user):
		return nil, fmt.Errorf("person %q is not in chat %q", user, chat)
	case c.Dissolved:
		return nil, fmt.Errorf("chat %q is dissolved", chat)
	case parent != "" && (s.world.messages[parent] == nil || s.world.messages[parent].Chat != chat):
		return nil, fmt.Errorf("no message %q in %q", parent, chat)
	}
	return c, nil
}

// picked replaces what is typed after @ by placeholders, counted from 1. s.mu is held.
func (s *Server) picked(text string) (out string, mentions []Mention) {
	var b strings.Builder
	for text != "" {
		at := strings.IndexAny(text, "@＠")
		if at < 0 {
			break
		}
		_, sign := utf8.DecodeRuneInString(text[at:])
		after := text[at+sign:]
		m, n := Mention{}, 0
		for _, all := range []string{"所有人", "all"} {
			if n == 0 && strings.HasPrefix(strings.ToLower(after), all) {
				n = len(all)
			}
		}
		p, length := s.world.mentioned(after)
		switch {
		case n > 0:
			m.Key = "@_all"
		case strings.HasPrefix(strings.ToLower(after), strings.ToLower(s.opts.BotName)) && len(s.opts.BotName) >= length:
			m, n = Mention{OpenID: s.opts.MentionedAs, Name: s.opts.BotName, Bot: true}, len(s.opts.BotName)
		case p != nil:
			m, n = Mention{OpenID: p.OpenID, Name: p.Name}, length
		}
		b.WriteString(text[:at])
		if n == 0 {
			b.WriteString(text[at : at+sign])
			text = after
			continue
		}
		if m.Key == "" {
			m.Key = "@_user_" + strconv.Itoa(len(mentions)+1)
			mentions = append(mentions, m)
		}
		b.WriteString(m.Key)
		text = after[n:]
	}
	b.WriteString(text)
	return b.String(), mentions
}

// written keeps a message of a person's, frees s.mu and pushes the event when the bot hears of it.
func (s *Server) written(user string, c *Chat, m *Message) (Message, Ack, error) {
	now := s.world.moment(s.now())
	m.ID, m.Chat, m.Sender, m.SenderType, m.Created, m.Updated = s.world.id("om_"), c.ID, user, "user", now, now
	if parent := s.world.messages[m.Parent]; parent != nil {
		m.Root, m.Thread = cmp.Or(parent.Root, parent.ID), parent.Thread
	}
	s.world.add(m)
	event := s.received(m, c)
	heard := c.Kind == P2P || s.botIn(c) &&
		(s.opts.GroupMessages || slices.ContainsFunc(m.Mentions, func(at Mention) bool { return at.OpenID == s.opts.MentionedAs }))
	kept := *m
	s.mu.Unlock()
	s.change(Change{Kind: ChangeMessage, Chat: c.ID, Message: m.ID})
	if !heard {
		return kept, Ack{}, nil
	}
	return kept, s.Emit(messageReceived, event), nil
}

// received is the event of a message. https://open.feishu.cn/document/server-docs/im-v1/message/events/receive
func (s *Server) received(m *Message, c *Chat) map[string]any {
	message := map[string]any{
		"message_id": m.ID, "create_time": millis(m.Created), "update_time": millis(m.Updated), "chat_id": c.ID, "chat_type": c.Kind,
		"message_type": m.Type, "content": m.Content,
	}
	for k, v := range map[string]string{"root_id": m.Root, "parent_id": m.Parent, "thread_id": m.Thread} {
		if v != "" {
			message[k] = v
		}
	}
	if len(m.Mentions) > 0 {
		var list []any
		for _, at := range m.Mentions {
			ids, kind, tenant := map[string]any{"open_id": at.OpenID, "union_id": "on_" + hexID("bot", 1), "user_id": ""}, "bot", s.opts.TenantKey
			if p := s.world.people[at.OpenID]; p != nil {
				ids, kind, tenant = s.idsJSON(*p), "user", p.TenantKey
			}
			list = append(list, map[string]any{
				"key": at.Key, "id": ids, "name": at.Name, "mentioned_type": kind, "tenant_key": tenant,
			})
		}
		message["mentions"] = list
	}
	sender := s.world.people[m.Sender]
	return map[string]any{
		"sender":  map[string]any{"sender_id": s.idsJSON(*sender), "sender_type": "user", "tenant_key": sender.TenantKey},
		"message": message,
	}
}

// idsJSON are a person's ids as events carry them; the user_id needs a scope of its own.
func (s *Server) idsJSON(p Person) map[string]any {
	out := map[string]any{"open_id": p.OpenID, "union_id": p.UnionID, "user_id": p.UserID}
	if slices.Contains(s.opts.HiddenFields, byUserID) || p.TenantKey != s.opts.TenantKey {
		out["user_id"] = nil
	}
	return out
}

// Menu presses an item of the bot's menu, in the conversation with the bot.
func (s *Server) Menu(user, key string) (Ack, error) {
	s.mu.Lock()
	p := s.world.people[user]
	switch {
	case p == nil || !p.Active():
		s.mu.Unlock()
		return Ack{}, fmt.Errorf("no active person %q", user)
	case length(key) < 1 || length(key) > 30:
		s.mu.Unlock()
		return Ack{}, fmt.Errorf("a menu's event key has 1 to 30 characters, not %d", length(key))
	}
	event := map[string]any{
		"operator":  map[string]any{"operator_name": p.Name, "operator_id": s.idsJSON(*p)},
		"event_key": key, "timestamp": s.now().Unix(),
	}
	s.mu.Unlock()
	return s.Emit("application.bot.menu_v6", event), nil
}
