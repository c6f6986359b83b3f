package feishu

import (
	"encoding/json"
	"strings"

	"huiyin/bot"
)

// robot is the bot itself.
type robot struct{ openID, name string }

// mention is somebody named in a message: the placeholder in the text and who it stands for.
type mention struct {
	Key       string `json:"key"`
	ID        ids    `json:"id"`
	Kind      string `json:"mentioned_type"` // user or bot; older events have none
	Name      string `json:"name"`
	TenantKey string `json:"tenant_key"`
}

// is reports whether a mention is of the bot. The id in a mention has been seen to differ from the one in bot/v3/info, so a robot of the
// bot's name is the bot as well, and any robot is while nobody knows who the bot is.
func (m mention) is(me robot) bool {
	if m.ID.OpenID != "" && m.ID.OpenID == me.openID {
		return true
	}
	return me.openID == "" && m.Kind == "bot" || me.name != "" && m.Name == me.name && m.Kind != "user" && m.ID.UserID == ""
}

// decodeMessage reads a message to the bot: in its own conversation with a person, or in a group after a mention. Messages of robots,
// messages in groups that are not for the bot, and what has no words are nothing for us. Feishu delivers a message again under another
// event id, so it is told apart by its own.
// https://open.larkoffice.com/document/uAjLw4CM/ukTMukTMukTM/reference/im-v1/message/events/receive.md
func decodeMessage(raw json.RawMessage, me robot, event bot.Event) (delivery, error) {
	var m struct {
		Sender struct {
			ID        ids    `json:"sender_id"`
			Kind      string `json:"sender_type"`
			TenantKey string `json:"tenant_key"`
		} `json:"sender"`
		Message struct {
			ID       string    `json:"message_id"`
			Created  string    `json:"create_time"`
			Chat     string    `json:"chat_id"`
			ChatType string    `json:"chat_type"`
			Type     string    `json:"message_type"`
			Content  string    `json:"content"`
			Mentions []mention `json:"mentions"`
		} `json:"message"`
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return delivery{}, malformed("a message that cannot be read")
	}
	if m.Sender.Kind != "user" || m.Sender.ID.OpenID == "" {
		return delivery{}, errNothing
	}
	if m.Message.ID == "" || m.Message.Chat == "" {
		return delivery{}, malformed("a message without id or chat")
	}
	event.ID = m.Message.ID
	event.Tenant = orElse(m.Sender.TenantKey, event.Tenant)
	event.User, event.Account = m.Sender.ID.OpenID, bot.Account{ID: m.Sender.ID.OpenID}
	event.At = stamp(m.Message.Created, event.At)
	event.Where = bot.Place{Channel: m.Message.Chat, Kind: bot.Channel}
	if m.Message.ChatType == "p2p" {
		event.Where.Kind = bot.Direct
	}
	words, err := wordsOf(m.Message.Type, m.Message.Content)
	if err != nil {
		return delivery{}, err
	}
	parts, addressed := parseTyped(words, m.Message.Mentions, me, event.Tenant)
	if event.Where.Kind == bot.Channel && !addressed || event.Where.Kind == bot.Direct && len(parts) == 0 && !addressed {
		return delivery{}, errNothing
	}
	event.Command = &bot.Command{Parts: parts}
	return delivery{source: fromWords, event: event}, nil
}

// wordsOf is the text of a message with placeholders for whom it mentions. Pictures, files and the like have none.
// https://open.larkoffice.com/document/uAjLw4CM/ukTMukTMukTM/im-v1/message/events/message_content.md
func wordsOf(kind, content string) (string, error) {
	switch kind {
	case "text":
		var t struct {
			Text string `json:"text"`
		}
		if err := json.Unmarshal([]byte(content), &t); err != nil {
			return "", malformed("a text that cannot be read")
		}
		return t.Text, nil
	case "post":
		return postWords(content)
	}
	return "", errNothing
}

// post is a message with paragraphs. Some clients put it under its language.
type post struct {
	Title   string       `json:"title"`
	Content [][]postNode `json:"content"`
}

type postNode struct {
	Tag  string `json:"tag"`
	Text string `json:"text"`
	Href string `json:"href"`
	User string `json:"user_id"`
}

func postWords(content string) (string, error) {
	var p post
	if err := json.Unmarshal([]byte(content), &p); err != nil {
		return "", malformed("a post that cannot be read")
	}
	if p.Content == nil && p.Title == "" {
		var langs map[string]json.RawMessage
		if err := json.Unmarshal([]byte(content), &langs); err != nil {
			return "", malformed("a post that cannot be read")
		}
		for _, lang := range []string{"zh_cn", "en_us", "ja_jp", "zh_hk", "zh_tw"} {
			if raw, ok := langs[lang]; ok {
				if err := json.Unmarshal(raw, &p); err != nil {
					return "", malformed("a post that cannot be read")
				}
				break
			}
		}
	}
	lines := make([]string, 0, len(p.Content)+1)
	if p.Title != "" {
		lines = append(lines, p.Title)
	}
	for _, line := range p.Content {
		var b strings.Builder
		for _, n := range line {
			b.WriteString(n.words())
		}
		lines = append(lines, b.String())
	}
	return strings.Join(lines, "\n"), nil
}

func (n postNode) words() string {
	switch n.Tag {
	case "text", "md", "code_block":
		return n.Text
	case "a":
		if n.Text == "" || n.Href == "" || strings.HasSuffix(n.Href, n.Text) {
			return orElse(n.Text, n.Href)
		}
		return n.Text + " (" + n.Href + ")"
	case "at":
		if n.User == "all" {
			return everyone
		}
		if strings.HasPrefix(n.User, "@_") {
			return n.User
		}
	}
	return ""
}
