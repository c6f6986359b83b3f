package dingtalksim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"huiyin/bot/sim/backstage"
)

// TopicMessages is the topic of robot messages.
const TopicMessages = "/v1.0/im/bot/messages/get"

// Say writes a text. In groups @handle, @name and the robot's name after @ become mentions, as when people are picked in the
// client; in the conversation with the robot nobody can be picked, and the text stays as it is. The bot hears of it in its own
// conversation with the person, and in groups that it is in when it is mentioned: the text without the mentions, and who was
// mentioned in no order. The Ack is that of the push. The error is for what the client would not send at all.
func (s *Server) Say(user, chat, text string) (Message, Ack, error) {
	if backstage.Blank(text) {
		return Message{}, Ack{}, fmt.Errorf("nothing to send in %q", chat)
	}
	s.mu.Lock()
	c, err := s.typing(user, chat)
	if err != nil {
		s.mu.Unlock()
		return Message{}, Ack{}, err
	}
	s.typed(text)
	m := &Message{Chat: chat, Sender: user, Via: ViaPerson, Type: "text", Content: string(backstage.EncodeJSON(map[string]string{"content": text}))}
	stripped := text
	if c.Kind == Group {
		stripped, m.Mentions = s.picked(text)
	}
	return s.written(c, m, "text", map[string]any{"content": stripped})
}

// SayRaw writes a message of another type than text: picture, richText, audio, video, file, unknownMsgType. Mentions are those
// of a richText in a group. Without content the payload has neither text nor content, as that of a firm which has used up its
// quota of received messages.
func (s *Server) SayRaw(user, chat, msgType string, content map[string]any, mentions ...Mention) (Message, Ack, error) {
	s.mu.Lock()
	c, err := s.typing(user, chat)
	if err != nil {
		s.mu.Unlock()
		return Message{}, Ack{}, err
	}
	m := &Message{Chat: chat, Sender: user, Via: ViaPerson, Type: msgType, Content: string(backstage.EncodeJSON(content)), Mentions: slices.Clone(mentions)}
	return s.written(c, m, "content", content)
}

// typing checks that a person can write in a chat. s.mu is held.
func (s *Server) typing(user, chat string) (*Chat, error) {
	p, c := s.world.people[user], s.world.chats[chat]
	switch {
	case p == nil:
		return nil, fmt.Errorf("no person %q", user)
	case !p.Active():
		return nil, fmt.Errorf("person %q cannot log in", user)
	case c == nil || !slices.Contains(c.Members, user):
		return nil, fmt.Errorf("person %q is not in chat %q", user, chat)
	case c.Dissolved || c.Kind == Notice:
		return nil, fmt.Errorf("nobody can write in chat %q", chat)
	}
	return c, nil
}

// picked takes the mentions out of a text: each leaves MentionSpace behind, one at the very beginning nothing. s.mu is held.
func (s *Server) picked(text string) (out string, mentions []Mention) {
	var b strings.Builder
	for text != "" {
		at := strings.IndexAny(text, "@＠")
		if at < 0 {
			break
		}
		_, sign := utf8.DecodeRuneInString(text[at:])
		after := text[at+sign:]
		p, n := s.world.mentioned(after)
		var m Mention
		switch {
		case strings.HasPrefix(strings.ToLower(after), strings.ToLower(s.opts.BotName)) && len(s.opts.BotName) >= n:
			m, n = Mention{Name: s.opts.BotName, Bot: true}, len(s.opts.BotName)
		case p != nil:
			m = Mention{UserID: p.UserID, Name: p.Name}
		}
		b.WriteString(text[:at])
		if n == 0 {
			b.WriteString(text[at : at+sign])
			text = after
			continue
		}
		if b.Len() > 0 {
			b.WriteString(s.opts.MentionSpace)
		}
		mentions = append(mentions, m)
		text = after[n:]
	}
	b.WriteString(text)
	return b.String(), mentions
}

// written keeps a message of a person's, frees s.mu and pushes it when the bot hears of it.
func (s *Server) written(c *Chat, m *Message, field string, content map[string]any) (Message, Ack, error) {
	s.say(m)
	heard := c.Kind == P2P || s.hasBot(c) && slices.ContainsFunc(m.Mentions, func(at Mention) bool { return at.Bot })
	kept := *m
	if !heard {
		s.mu.Unlock()
		return kept, Ack{}, nil
	}
	payload := backstage.EncodeJSON(s.received(m, c, field, content))
	p := packet{kind: kindMessage, name: TopicMessages, id: m.ID, plain: payload, framed: payload, within: s.opts.AckTimeout}
	webhook := s.opts.Mode == Webhook
	if webhook {
		p.url = s.address(MessagesPath)
	}
	s.mu.Unlock()
	ack := s.push(p)
	if webhook && ack.Status == http.StatusOK && ack.Failure == "" {
		s.answered(ack, c)
	}
	return kept, ack, nil
}

// answered says in the chat what the HTTP answer to a message says: a message in the format of webhooks.
func (s *Server) answered(ack Ack, c *Chat) {
	v, err := backstage.DecodeJSON([]byte(ack.Answer))
	body, isObject := v.(map[string]any)
	if err != nil || !isObject || body["msgtype"] == nil || body["msgtype"] == "empty" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	about := Finding{Delivery: ack.Delivery}
	if refusal := s.webhookMessage(about, body, []byte(ack.Answer), c); refusal != nil {
		about.Rule, about.Length = "message.bad_answer", len(ack.Answer)
		s.find(about)
	}
}

// received is the payload of a robot message. https://open.dingtalk.com/document/development/receive-message
func (s *Server) received(m *Message, c *Chat, field string, content map[string]any) map[string]any {
	sender := s.world.people[m.Sender]
	hook, ends := s.newSession(c.ID)
	out := map[string]any{
		"conversationId": c.ID, "conversationType": "1", "msgId": m.ID, "msgtype": m.Type, "chatbotUserId": s.opts.BotID,
		"chatbotCorpId": s.opts.CorpID, "robotCode": s.opts.RobotCode, "senderId": sender.DingtalkID, "senderNick": sender.Name,
		"senderCorpId": sender.CorpID, "senderPlatform": "Mac", "isAdmin": sender.Admin, "sessionWebhook": hook,
		"sessionWebhookExpiredTime": ends.UnixMilli(), "createAt": m.Created.UnixMilli(),
	}
	if content != nil {
		out[field] = content
	}
	if s.told(sender) {
		out["senderStaffId"] = sender.UserID
	}
	if c.Kind == P2P {
		return out
	}
	out["conversationType"], out["conversationTitle"], out["isInAtList"] = "2", c.Name, true
	users := []any{}
	for _, at := range m.Mentions {
		entry := map[string]any{"dingtalkId": s.opts.BotID}
		if p := s.world.people[at.UserID]; !at.Bot && p != nil {
			entry["dingtalkId"] = p.DingtalkID
			if s.told(p) {
				entry["staffId"] = p.UserID
			}
		}
		if !slices.ContainsFunc(users, func(v any) bool { return v.(map[string]any)["dingtalkId"] == entry["dingtalkId"] }) {
			users = append(users, entry)
		}
	}
	s.rng.Shuffle(len(users), func(i, j int) { users[i], users[j] = users[j], users[i] })
	out["atUsers"] = users
	return out
}

// told says whether messages tell a person's staffId: only that of members, and only by a released app.
func (s *Server) told(p *Person) bool { return s.member(p.UserID) != nil && !s.opts.Unpublished }
