package dingtalksim

import (
	"encoding/base64"
	"maps"
	"slices"

	"huiyin/bot/sim/backstage"
)

// The kinds of Chat.
const (
	P2P    = "p2p"    // conversationType 1: a person and the robot
	Group  = "group"  // conversationType 2
	Notice = "notice" // a person's work notices, in which nobody can write
)

// Chat is a conversation.
type Chat struct {
	ID        string   `json:"open_conversation_id"` // cid…==, made when empty
	Name      string   `json:"name,omitempty"`
	Kind      string   `json:"kind"`    // Group when empty
	Members   []string `json:"members"` // userids; the robot's own BotID when it is in the chat
	Dissolved bool     `json:"dissolved,omitempty"`
}

// conversationID is an openConversationId in the vendor's form.
func conversationID(n int) string {
	return "cid" + base64.StdEncoding.EncodeToString([]byte(backstage.HexID("conversation", n)[:16]))
}

// AddChat adds or replaces a chat and returns it with its id. The robot is a member only when listed.
func (s *Server) AddChat(c Chat) Chat {
	s.mu.Lock()
	if c.Kind == "" {
		c.Kind = Group
	}
	if c.ID == "" {
		c.ID = conversationID(s.world.count("chat"))
	}
	c.Members = slices.Clone(c.Members)
	s.world.chats[c.ID] = &c
	s.mu.Unlock()
	s.changes.Tell(Change{Kind: ChangePeople, Chat: c.ID})
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

// P2P returns the id of the conversation between a person and the robot, which is made when needed.
func (s *Server) P2P(user string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.own(P2P, user).ID
}

// own is a person's only chat of a kind. s.mu is held.
func (s *Server) own(kind, user string) *Chat {
	key := kind + " " + user
	if id := s.world.private[key]; s.world.chats[id] != nil {
		return s.world.chats[id]
	}
	c := &Chat{ID: conversationID(s.world.count("chat")), Kind: kind, Members: []string{s.opts.BotID, user}}
	s.world.chats[c.ID] = c
	s.world.private[key] = c.ID
	return c
}

// hasBot says whether the robot is in a chat.
func (s *Server) hasBot(c *Chat) bool { return slices.Contains(c.Members, s.opts.BotID) }
