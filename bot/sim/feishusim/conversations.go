package feishusim

import (
	"maps"
	"slices"
)

// The kinds of Chat.
const (
	P2P   = "p2p"
	Group = "group"
)

// Chat is a conversation.
type Chat struct {
	ID        string   `json:"chat_id"` // oc_…, made when empty
	Name      string   `json:"name,omitempty"`
	Kind      string   `json:"kind"`    // Group when empty
	Members   []string `json:"members"` // open_ids; the bot's own when it is in the chat
	Dissolved bool     `json:"dissolved,omitempty"`
}

// AddChat adds or replaces a chat and returns it with its id. The bot is a member only when listed.
func (s *Server) AddChat(c Chat) Chat {
	s.mu.Lock()
	if c.Kind == "" {
		c.Kind = Group
	}
	if c.ID == "" {
		c.ID = s.world.id("oc_")
	}
	c.Members = slices.Clone(c.Members)
	s.world.chats[c.ID] = &c
	s.mu.Unlock()
	s.change(Change{Kind: ChangePeople, Chat: c.ID})
	return c
}

// Chats returns the conversations by id. An empty person sees all, others those that they are in.
func (s *Server) Chats(as string) []Chat {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Chat
	for _, id := range slices.Sorted(maps.Keys(s.world.chats)) {
		c := s.world.chats[id]
		if as == "" || slices.Contains(c.Members, as) {
			copied := *c
			copied.Members = slices.Clone(c.Members)
			out = append(out, copied)
		}
	}
	return out
}

// P2P returns the id of the conversation between a person and the bot, which is made when needed.
func (s *Server) P2P(user string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.p2p(user).ID
}

func (s *Server) p2p(user string) *Chat {
	for _, c := range s.world.chats {
		if c.Kind == P2P && slices.Contains(c.Members, user) {
			return c
		}
	}
	c := &Chat{ID: s.world.id("oc_"), Kind: P2P, Members: []string{s.opts.BotOpenID, user}}
	s.world.chats[c.ID] = c
	return c
}

func (s *Server) botIn(c *Chat) bool { return slices.Contains(c.Members, s.opts.BotOpenID) }

func (s *Server) chatJSON(c *Chat) map[string]any {
	return map[string]any{
		"chat_id": c.ID, "avatar": "", "name": c.Name, "description": "", "owner_id": "", "owner_id_type": byOpenID, "external": false,
		"tenant_key": s.opts.TenantKey, "chat_mode": c.Kind, "chat_type": "private", "chat_status": "normal",
	}
}

// chatList lists the groups that the bot is in.
func chatList(s *Server, q request) answer {
	var keys []string
	for _, id := range slices.Sorted(maps.Keys(s.world.chats)) {
		if c := s.world.chats[id]; c.Kind == Group && s.botIn(c) && !c.Dissolved {
			keys = append(keys, id)
		}
	}
	return s.paged(q, keys, 20, 100, func(id string) any { return s.chatJSON(s.world.chats[id]) })
}

func chatGet(s *Server, q request) answer {
	c := s.world.chats[q.path["chat_id"]]
	switch {
	case c == nil:
		return fail(232006, "Your request specifies a chat_id which is invalid.")
	case c.Dissolved:
		return fail(232009, "Your request specifies a chat which has already been dissolved.")
	case !s.botIn(c):
		return fail(232011, "Operator can NOT be out of the chat.")
	}
	out := s.chatJSON(c)
	delete(out, "chat_id")
	return ok(out)
}
