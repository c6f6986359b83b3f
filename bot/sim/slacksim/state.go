package slacksim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Message is one message as the workspace keeps it.
type Message struct {
	Channel     string          `json:"channel"`
	TS          string          `json:"ts"` // seconds.microseconds, unique in the workspace
	User        string          `json:"user"`
	BotID       string          `json:"bot_id,omitempty"` // set when the app wrote it
	Text        string          `json:"text"`
	Blocks      json.RawMessage `json:"blocks,omitempty"` // with the block_id and action_id that Slack adds
	Attachments json.RawMessage `json:"attachments,omitempty"`
	Metadata    json.RawMessage `json:"metadata,omitempty"`
	ThreadTS    string          `json:"thread_ts,omitempty"`
	EditedTS    string          `json:"edited_ts,omitempty"`
	EphemeralTo string          `json:"ephemeral_to,omitempty"` // only this user sees it, until a reload
	Files       []File          `json:"files,omitempty"`
}

// File is an uploaded file.
type File struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Title string `json:"title"`
	Size  int    `json:"size"`
}

// View is a modal or a home tab as the workspace keeps it.
type View struct {
	ID              string          `json:"id"`
	User            string          `json:"user"`
	Type            string          `json:"type"` // modal or home
	Hash            string          `json:"hash"`
	CallbackID      string          `json:"callback_id"`
	ExternalID      string          `json:"external_id"`
	PrivateMetadata string          `json:"private_metadata"`
	Title           json.RawMessage `json:"title,omitempty"`
	Submit          json.RawMessage `json:"submit,omitempty"`
	Close           json.RawMessage `json:"close,omitempty"`
	Blocks          json.RawMessage `json:"blocks"`
	ClearOnClose    bool            `json:"clear_on_close"`
	NotifyOnClose   bool            `json:"notify_on_close"`
	RootID          string          `json:"root_view_id"`
	PreviousID      string          `json:"previous_view_id,omitempty"`
	// Values is what stands in the fields: block id, action id, strings. See Input.
	Values map[string]map[string]Input `json:"values"`
	// Errors is what the last submission was refused with, by block id.
	Errors map[string]string `json:"errors,omitempty"`
}

// Call is one request that the bot made, with the answer it got.
type Call struct {
	N      int             `json:"n"`
	At     time.Time       `json:"at"`
	Method string          `json:"method"` // chat.postMessage, or response_url, or upload
	Body   string          `json:"body"`   // json, form, multipart, query
	Args   map[string]any  `json:"args"`   // decoded, without the token
	Status int             `json:"status"` // 0: the connection was broken instead
	Answer json.RawMessage `json:"answer"`
	Fault  string          `json:"fault,omitempty"` // the injected fault that answered
	Millis int64           `json:"millis"`
}

// Delivery is one request that Slack made to the bot, with the answer it got.
type Delivery struct {
	N           int               `json:"n"`
	At          time.Time         `json:"at"`
	Kind        string            `json:"kind"` // command, interaction, event, options
	Via         string            `json:"via"`  // http or socket
	URL         string            `json:"url,omitempty"`
	Header      map[string]string `json:"header,omitempty"`
	Body        string            `json:"body"`
	Attempt     int               `json:"attempt"`
	RetryReason string            `json:"retry_reason,omitempty"`
	Redelivery  int               `json:"redelivery_of,omitempty"`
	Status      int               `json:"status"`
	AnswerType  string            `json:"answer_type,omitempty"`
	Answer      string            `json:"answer,omitempty"`
	Failure     string            `json:"failure,omitempty"` // http_timeout, connection_failed, http_error, …
	Millis      int64             `json:"millis"`
	packet      packet
}

// world is everything that happened and everyone to whom it happened. Guarded by Server.mu.
type world struct {
	people   map[string]*Person
	channels map[string]*Channel
	groups   map[string]*Group
	messages map[string][]*Message // by channel, in order of ts
	views    map[string]*View
	stacks   map[string][]string // user to ids of open modals, the top last
	homes    map[string]string   // user to the id of the published home view
	inputs   map[string]map[string]map[string]Input
	suggests map[string][]any // last options answered for an external select
	triggers map[string]*trigger
	hooks    map[string]*responseURL
	uploads  map[string]*upload

	calls      []*Call
	deliveries []*Delivery
	seq        map[string]int
	lastTS     time.Time
}

func newWorld(o Options) world {
	w := world{
		people: map[string]*Person{}, channels: map[string]*Channel{}, groups: map[string]*Group{}, seq: map[string]int{},
	}
	w.forget()
	w.people[o.BotUser] = &Person{
		ID: o.BotUser, Handle: o.BotName, RealName: o.BotName, DisplayName: o.BotName, IsBot: true,
		TZ: "America/Los_Angeles", Locale: "en-US", TeamID: o.Team.ID,
	}
	w.people["USLACKBOT"] = &Person{
		ID: "USLACKBOT", Handle: "slackbot", RealName: "Slackbot", DisplayName: "Slackbot",
		TZ: "America/Los_Angeles", Locale: "en-US", TeamID: o.Team.ID,
	}
	return w
}

// forget drops what happened and keeps people, groups and channels. Counters go on, so no id is used twice.
func (w *world) forget() {
	w.messages = map[string][]*Message{}
	w.views = map[string]*View{}
	w.stacks = map[string][]string{}
	w.homes = map[string]string{}
	w.inputs = map[string]map[string]map[string]Input{}
	w.suggests = map[string][]any{}
	w.triggers = map[string]*trigger{}
	w.hooks = map[string]*responseURL{}
	w.uploads = map[string]*upload{}
	w.calls, w.deliveries = nil, nil
}

// id makes a Slack-like identifier: the prefix and nine characters, counting up per prefix.
func (w *world) id(prefix string) string {
	w.seq[prefix]++
	n := w.seq[prefix]
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	var b [9]byte
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = digits[n%36]
		n /= 36
	}
	b[0] = '0'
	return prefix + string(b[:])
}

// count is the next number of one kind.
func (w *world) count(kind string) int {
	w.seq[kind]++
	return w.seq[kind]
}

// ts is the next message timestamp: now, or a microsecond after the last when time has not moved.
func (w *world) ts(now time.Time) string {
	now = now.Truncate(time.Microsecond)
	if !now.After(w.lastTS) {
		now = w.lastTS.Add(time.Microsecond)
	}
	w.lastTS = now
	return fmt.Sprintf("%010d.%06d", now.Unix(), now.Nanosecond()/1000)
}

func (w *world) message(channel, ts string) *Message {
	ms := w.messages[channel]
	i, ok := slices.BinarySearchFunc(ms, ts, func(m *Message, ts string) int { return strings.Compare(m.TS, ts) })
	if !ok {
		return nil
	}
	return ms[i]
}

func (w *world) add(m *Message) { w.messages[m.Channel] = append(w.messages[m.Channel], m) }

func (w *world) remove(channel, ts string) {
	w.messages[channel] = slices.DeleteFunc(w.messages[channel], func(m *Message) bool { return m.TS == ts })
}

// Reset forgets messages, views, calls, deliveries, findings, faults, limits and pending retries. People, groups and
// channels stay, and so does the clock.
func (s *Server) Reset() {
	s.clock.Forget()
	s.mu.Lock()
	s.world.forget()
	s.limits = newBuckets()
	s.faults.Clear()
	s.found.Clear()
	s.health = eventHealth{}
	s.mu.Unlock()
	s.change(Change{Kind: ChangeReset})
}

// Messages returns the messages of a channel in order, as one person sees them: nothing in private channels of others,
// no ephemeral messages of others. An empty person sees everything.
func (s *Server) Messages(channel, as string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.visible(channel, as)
}

// MessagesFor returns every message which the person can see in conversations that they are a member of, oldest first.
func (s *Server) MessagesFor(user string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Message
	for _, id := range slices.Sorted(maps.Keys(s.world.channels)) {
		if slices.Contains(s.world.channels[id].Members, user) {
			out = append(out, s.visible(id, user)...)
		}
	}
	slices.SortStableFunc(out, func(a, b Message) int { return strings.Compare(a.TS, b.TS) })
	return out
}

func (s *Server) visible(channel, as string) []Message {
	c := s.world.channels[channel]
	if c == nil || as != "" && !s.world.canRead(c, as) {
		return nil
	}
	var out []Message
	for _, m := range s.world.messages[channel] {
		if m.EphemeralTo == "" || as == "" || m.EphemeralTo == as {
			out = append(out, *m)
		}
	}
	return out
}

// Reload is a client's restart: the person's ephemeral messages are gone and their modals closed.
func (s *Server) Reload(user string) {
	s.mu.Lock()
	for c := range s.world.messages {
		s.world.messages[c] = slices.DeleteFunc(s.world.messages[c], func(m *Message) bool { return m.EphemeralTo == user })
	}
	s.world.closeStack(user)
	s.mu.Unlock()
	s.change(Change{Kind: ChangeMessage, User: user})
}

// Views returns the person's open modals, the top last.
func (s *Server) Views(user string) []View {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []View
	for _, id := range s.world.stacks[user] {
		out = append(out, s.world.views[id].clone())
	}
	return out
}

// Home returns the person's published App Home.
func (s *Server) Home(user string) (View, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.world.views[s.world.homes[user]]
	if v == nil {
		return View{}, false
	}
	return v.clone(), true
}

func (v *View) clone() View {
	c := *v
	c.Values = cloneValues(v.Values)
	c.Errors = maps.Clone(v.Errors)
	return c
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

// Deliveries returns the recorded requests to the bot, oldest first.
func (s *Server) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Delivery, len(s.world.deliveries))
	for i, d := range s.world.deliveries {
		out[i] = *d
	}
	return out
}
