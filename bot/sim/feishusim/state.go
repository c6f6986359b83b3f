package feishusim

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"huiyin/bot/sim/backstage"
)

// Message is one message as the tenant keeps it.
type Message struct {
	ID         string    `json:"message_id"` // om_…
	Chat       string    `json:"chat_id"`    // oc_…
	Sender     string    `json:"sender"`     // open_id of a person; app id of the bot
	SenderType string    `json:"sender_type"`
	Type       string    `json:"msg_type"` // text, post, interactive, image, file, …
	Content    string    `json:"content"`  // JSON, as it was sent; for a card the card
	Mentions   []Mention `json:"mentions,omitempty"`
	Root       string    `json:"root_id,omitempty"`
	Parent     string    `json:"parent_id,omitempty"`
	Thread     string    `json:"thread_id,omitempty"`
	Created    time.Time `json:"created"`
	Updated    time.Time `json:"updated"`
	Edited     bool      `json:"edited,omitempty"`
	Withdrawn  bool      `json:"withdrawn,omitempty"`
	UUID       string    `json:"uuid,omitempty"`
	edits      int
}

// Mention is one @ in a text: the placeholder in it and whom it means.
type Mention struct {
	Key    string `json:"key"`     // @_user_1
	OpenID string `json:"open_id"` // empty for nobody in particular
	Name   string `json:"name"`
	Bot    bool   `json:"bot,omitempty"`
}

// Call is one request that the bot made, with the answer it got.
type Call struct {
	N      int             `json:"n"`
	At     time.Time       `json:"at"`
	Method string          `json:"method"` // im.message.create, card.update, contact.user.get, …: see routes
	Path   string          `json:"path"`   // POST /open-apis/im/v1/messages
	Args   map[string]any  `json:"args"`   // query, path and body together, without secrets and file contents
	Status int             `json:"status"` // 0: the connection was broken instead
	Code   int             `json:"code"`
	Answer json.RawMessage `json:"answer"` // a JSON string when the answer was no JSON
	Fault  string          `json:"fault,omitempty"`
	Millis int64           `json:"millis"`
}

// Delivery is one push to the bot, with the answer it got.
type Delivery struct {
	N          int               `json:"n"`
	At         time.Time         `json:"at"`
	Kind       string            `json:"kind"` // event, card, challenge
	Type       string            `json:"type"` // im.message.receive_v1, card.action.trigger, …
	EventID    string            `json:"event_id,omitempty"`
	Via        string            `json:"via"` // webhook or stream
	URL        string            `json:"url,omitempty"`
	Header     map[string]string `json:"header,omitempty"`
	Body       string            `json:"body"`  // as it was sent
	Plain      string            `json:"plain"` // decrypted
	Attempt    int               `json:"attempt"`
	Redelivery int               `json:"redelivery_of,omitempty"`
	Status     int               `json:"status"`
	Answer     string            `json:"answer,omitempty"`
	Failure    string            `json:"failure,omitempty"` // timeout, connection_failed, http_error, no_connection
	Millis     int64             `json:"millis"`
	packet     packet
}

// accessToken is one tenant_access_token.
type accessToken struct {
	value string
	ends  time.Time
}

// sent remembers what a uuid has already sent.
type sent struct {
	message string
	at      time.Time
}

// world is everything that happened and everyone to whom it happened. Guarded by Server.mu.
type world struct {
	people      map[string]*Person     // by open_id
	departments map[string]*Department // by open_department_id
	chats       map[string]*Chat
	commands    []*Command
	tokens      []accessToken
	files       map[string]*stored // images and files by key

	messages map[string]*Message
	order    map[string][]string // chat to ids of messages, oldest first
	uuids    map[string]sent
	cards    map[string]*cardToken

	calls      []*Call
	deliveries []*Delivery
	seq        map[string]int
	month      string
	monthly    int
	last       time.Time
}

func newWorld() world {
	w := world{
		people: map[string]*Person{}, departments: map[string]*Department{}, chats: map[string]*Chat{},
		files: map[string]*stored{}, seq: map[string]int{},
	}
	w.forget()
	return w
}

// forget drops what happened and keeps people, departments, chats, commands, tokens and uploads. Counters go on, so no id
// is used twice.
func (w *world) forget() {
	w.messages = map[string]*Message{}
	w.order = map[string][]string{}
	w.uuids = map[string]sent{}
	w.cards = map[string]*cardToken{}
	w.calls, w.deliveries = nil, nil
	w.month, w.monthly = "", 0
}

// hexID is 32 hexadecimal digits that look like the vendor's, the same for the same kind and number.
func hexID(kind string, n int) string { return backstage.HexID(kind, n) }

// id makes an identifier of the vendor's form: prefix and 32 hexadecimal digits.
func (w *world) id(prefix string) string { return prefix + hexID(prefix, w.count(prefix)) }

// count is the next number of one kind.
func (w *world) count(kind string) int {
	w.seq[kind]++
	return w.seq[kind]
}

// moment is now, or a millisecond after the last message when time has not moved, so that messages have an order.
func (w *world) moment(now time.Time) time.Time {
	now = now.Truncate(time.Millisecond)
	if !now.After(w.last) {
		now = w.last.Add(time.Millisecond)
	}
	w.last = now
	return now
}

// add keeps a new message.
func (w *world) add(m *Message) {
	w.messages[m.ID] = m
	w.order[m.Chat] = append(w.order[m.Chat], m.ID)
}

// Reset forgets messages, calls, deliveries, findings, faults, limits and pending re-pushes. People, departments, chats,
// commands, uploads, tokens and the clock stay.
func (s *Server) Reset() {
	s.clock.Forget()
	s.mu.Lock()
	s.world.forget()
	s.limits.Clear()
	s.faults.Clear()
	s.found.Clear()
	s.mu.Unlock()
	s.change(Change{Kind: ChangeReset})
}

// Messages returns the messages of a chat in order, as one person sees them: nothing in chats of others. An empty person
// sees everything, withdrawn messages included.
func (s *Server) Messages(chat, as string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.visible(chat, as)
}

// MessagesFor returns every message which the person can see, oldest first.
func (s *Server) MessagesFor(user string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Message
	for id := range s.world.chats {
		if user != "" {
			out = append(out, s.visible(id, user)...)
		}
	}
	slices.SortFunc(out, func(a, b Message) int {
		if d := a.Created.Compare(b.Created); d != 0 {
			return d
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out
}

func (s *Server) visible(chat, as string) []Message {
	c := s.world.chats[chat]
	if c == nil || as != "" && !slices.Contains(c.Members, as) {
		return nil
	}
	var out []Message
	for _, id := range s.world.order[chat] {
		if m := s.world.messages[id]; as == "" || !m.Withdrawn {
			out = append(out, *m)
		}
	}
	return out
}

// Message returns one message.
func (s *Server) Message(id string) (Message, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.world.messages[id]
	if m == nil {
		return Message{}, false
	}
	return *m, true
}

// Calls returns the recorded requests of the bot, oldest first.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Call, len(s.world.calls))
	for i, c := range s.world.calls {
		out[i] = *c
	}
	return out
}

// Deliveries returns the recorded pushes to the bot, oldest first.
func (s *Server) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Delivery, len(s.world.deliveries))
	for i, d := range s.world.deliveries {
		out[i] = *d
	}
	return out
}
