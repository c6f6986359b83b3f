package dingtalksim

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"huiyin/bot/sim/backstage"
)

// The ways in which a message got into a chat.
const (
	ViaPerson  = "person"  // somebody wrote it
	ViaAPI     = "api"     // robot/oToMessages/batchSend, robot/groupMessages/send
	ViaSession = "session" // a session webhook
	ViaCard    = "card"    // card/instances/createAndDeliver
	ViaNotice  = "notice"  // a work notice
)

// Message is one message as the firm keeps it.
type Message struct {
	ID       string    `json:"msg_id"` // msg…
	Chat     string    `json:"open_conversation_id"`
	Sender   string    `json:"sender"` // userid of a person, robotCode of the robot
	Via      string    `json:"via"`
	Type     string    `json:"type"`    // of a person text, picture, …; of the robot its msgKey or msgtype; card
	Content  string    `json:"content"` // JSON: msgParam, the body's own part, {"content":…} of a person; {} of a card
	Card     string    `json:"out_track_id,omitempty"`
	Query    string    `json:"process_query_key,omitempty"`
	Mentions []Mention `json:"mentions,omitempty"`
	AtAll    bool      `json:"at_all,omitempty"`
	Created  time.Time `json:"created"`
	Recalled bool      `json:"recalled,omitempty"`
}

// Mention is one @ of a message.
type Mention struct {
	UserID string `json:"userid"` // empty for the robot
	Name   string `json:"name"`
	Bot    bool   `json:"bot,omitempty"`
}

// Call is one request that the bot made, with the answer it got.
type Call struct {
	N      int             `json:"n"`
	At     time.Time       `json:"at"`
	Method string          `json:"method"` // robot.oToMessages.batchSend, user.get, …: see routes
	Path   string          `json:"path"`   // POST /v1.0/robot/oToMessages/batchSend
	Args   map[string]any  `json:"args"`   // query and body together, without secrets and file contents
	Status int             `json:"status"` // 0: the connection was broken instead
	Code   string          `json:"code"`   // new API: code; old API: errcode; empty for success
	Answer json.RawMessage `json:"answer"` // a JSON string when the answer was no JSON
	Fault  string          `json:"fault,omitempty"`
	Month  int             `json:"month,omitempty"` // of the calls that count, this one's number in its month
	Millis int64           `json:"millis"`
}

// Delivery is one push to the bot, with the answer it got.
type Delivery struct {
	N          int               `json:"n"`
	At         time.Time         `json:"at"`
	Kind       string            `json:"kind"` // message, event, card, challenge
	Type       string            `json:"type"` // topic of a message or card, EventType of an event
	ID         string            `json:"id"`   // msgId, eventId, outTrackId
	Via        string            `json:"via"`  // webhook or stream
	URL        string            `json:"url,omitempty"`
	Header     map[string]string `json:"header,omitempty"` // over HTTP, or of the frame
	Body       string            `json:"body"`             // as it was sent: the HTTP body or the frame
	Plain      string            `json:"plain"`            // the payload
	Attempt    int               `json:"attempt"`
	Redelivery int               `json:"redelivery_of,omitempty"`
	Status     int               `json:"status"` // HTTP, or the code of the acknowledging frame
	Answer     string            `json:"answer,omitempty"`
	Failure    string            `json:"failure,omitempty"` // timeout, connection_failed, http_error, no_connection, no_address, later
	Millis     int64             `json:"millis"`
	packet     packet
}

// accessToken is one access token.
type accessToken struct {
	value string
	ends  time.Time
}

// session is one session webhook.
type session struct {
	chat string
	ends time.Time
}

// route key of card callbacks.
type cardRoute struct{ url, secret string }

// world is everything that happened and everyone to whom it happened. Guarded by Server.mu.
type world struct {
	people      map[string]*Person
	departments map[int64]*Department
	chats       map[string]*Chat
	private     map[string]string // kind and person to chat
	templates   map[string]*Template
	routes      map[string]cardRoute
	files       map[string]*stored
	tokens      []accessToken

	messages map[string]*Message
	order    map[string][]string // chat to ids of messages, oldest first
	cards    map[string]*card
	sessions map[string]session
	notices  map[string]time.Time // person and content to when it was last sent
	typed    []string             // what people typed that looks like an address
	secrets  []string             // what must not be said in groups

	seq     map[string]int
	month   string
	monthly int
	last    time.Time
}

func newWorld() world {
	w := world{
		people: map[string]*Person{}, departments: map[int64]*Department{}, chats: map[string]*Chat{}, private: map[string]string{},
		templates: map[string]*Template{}, routes: map[string]cardRoute{}, files: map[string]*stored{}, seq: map[string]int{},
	}
	w.forget()
	return w
}

// forget drops what happened and keeps people, departments, chats, templates, callback routes, uploads and tokens. Counters
// go on, so no id is used twice.
func (w *world) forget() {
	w.messages = map[string]*Message{}
	w.order = map[string][]string{}
	w.cards = map[string]*card{}
	w.sessions = map[string]session{}
	w.notices = map[string]time.Time{}
	w.typed, w.secrets = nil, nil
	w.month, w.monthly = "", 0
}

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

// say keeps a new message of the robot's or a person's. s.mu is held.
func (s *Server) say(m *Message) {
	m.ID = "msg" + backstage.HexID("msg", s.world.count("msg"))[:22] + "=="
	m.Created = s.world.moment(s.Now())
	s.world.messages[m.ID] = m
	s.world.order[m.Chat] = append(s.world.order[m.Chat], m.ID)
	s.changes.Tell(Change{Kind: ChangeMessage, Chat: m.Chat, Message: m.ID})
}

// Reset forgets messages, cards, calls, deliveries, findings, faults, limits, what must be kept private and pending pushes.
// People, departments, chats, templates, callback routes, uploads, tokens and the clock stay.
func (s *Server) Reset() {
	s.clock.Forget()
	s.mu.Lock()
	s.world.forget()
	s.waiting = map[string]*awaited{}
	s.mu.Unlock()
	s.limits.Clear()
	s.faults.Clear()
	s.calls.Clear()
	s.pushes.Clear()
	s.found.Clear()
	s.changes.Tell(Change{Kind: ChangeReset})
}

// KeepPrivate names texts that must never stand in a group: a message of the bot's in a group that contains one is a fault.
func (s *Server) KeepPrivate(texts ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.secrets = append(s.world.secrets, texts...)
}

// Messages returns the messages of a chat in order, as one person sees them: nothing in chats of others, nothing recalled. An
// empty person sees everything.
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
		if m := s.world.messages[id]; as == "" || !m.Recalled && s.reaches(m, as) {
			out = append(out, *m)
		}
	}
	return out
}

// reaches says whether a card that names recipients names this one. s.mu is held.
func (s *Server) reaches(m *Message, user string) bool {
	c := s.world.cards[m.Card]
	return m.Card == "" || c == nil || len(c.recipients) == 0 || slices.Contains(c.recipients, user)
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
	return values(s.calls.All())
}

// Deliveries returns the recorded pushes to the bot, oldest first.
func (s *Server) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return values(s.pushes.All())
}

func values[T any](all []*T) []T {
	out := make([]T, len(all))
	for i, v := range all {
		out[i] = *v
	}
	return out
}

// State is everything at once, for tests and pages that read rather than listen.
type State struct {
	Now         time.Time    `json:"now"`
	CorpID      string       `json:"corp_id"`
	RobotCode   string       `json:"robot_code"`
	BotName     string       `json:"bot_name"`
	BotID       string       `json:"bot_id"`
	People      []Person     `json:"people"`
	Departments []Department `json:"departments"`
	Chats       []Chat       `json:"chats"`
	Messages    []Message    `json:"messages"`
	Cards       []CardView   `json:"cards"`
	Templates   []Template   `json:"templates"`
	Sockets     int          `json:"sockets"`
	Pending     int          `json:"pending"`
	Monthly     int          `json:"monthly_calls"`
}

// State returns the firm as one person sees it; an empty person sees everything.
func (s *Server) State(as string) State {
	name, id := s.Bot()
	st := State{
		Now: s.Now(), CorpID: s.CorpID(), RobotCode: s.RobotCode(), BotName: name, BotID: id, People: s.People(), Departments: s.Departments(),
		Chats: s.Chats(as), Messages: []Message{}, Cards: []CardView{}, Templates: s.Templates(), Sockets: s.Sockets(), Pending: s.Pending(),
		Monthly: s.MonthlyCalls(),
	}
	shown := map[string]bool{}
	for _, c := range st.Chats {
		for _, m := range s.Messages(c.ID, as) {
			st.Messages = append(st.Messages, m)
			if v, ok := s.Card(m.Card, as); ok && !shown[m.Card] {
				st.Cards, shown[m.Card] = append(st.Cards, v), true
			}
		}
	}
	return st
}

// Templates returns the card templates by id.
func (s *Server) Templates() []Template {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Template
	for _, id := range slices.Sorted(maps.Keys(s.world.templates)) {
		out = append(out, *s.world.templates[id])
	}
	return out
}
