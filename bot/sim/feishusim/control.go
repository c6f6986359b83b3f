package feishusim

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"huiyin/bot/sim/backstage"
)

// order is the body of a control request; each verb reads what it needs.
type order struct {
	Press
	User        string         `json:"user"`
	Chat        string         `json:"chat"`
	Message     string         `json:"message"`
	Parent      string         `json:"parent"`
	Text        string         `json:"text"` // what is said, or what stands on the control
	Key         string         `json:"key"`
	Path        string         `json:"path"`
	Type        string         `json:"type"`
	Event       map[string]any `json:"event"`
	N           int            `json:"n"`
	Since       int            `json:"since"`
	Method      string         `json:"method"`
	Faults      []faultOrder   `json:"faults"`
	Limits      *Limits        `json:"limits"`
	People      []Person       `json:"people"`
	Departments []Department   `json:"departments"`
	Chats       []Chat         `json:"chats"`
	Emit        bool           `json:"emit"`
	Advance     string         `json:"advance"`
	Set         *time.Time     `json:"set"`
	BotURL      string         `json:"bot_url"`
	BaseURL     string         `json:"base_url"`
}

type faultOrder struct {
	Fault
	DelayMS int `json:"delay_ms"`
}

// said is the answer to a control request about a person's action.
type said struct {
	Ack     Ack      `json:"ack"`
	Message *Message `json:"message,omitempty"`
}

// State is everything at once, for tests and pages that read rather than listen.
type State struct {
	Now         time.Time    `json:"now"`
	TenantKey   string       `json:"tenant_key"`
	BotName     string       `json:"bot_name"`
	BotOpenID   string       `json:"bot_open_id"`
	Commands    []Command    `json:"commands"`
	People      []Person     `json:"people"`
	Departments []Department `json:"departments"`
	Chats       []Chat       `json:"chats"`
	Messages    []Message    `json:"messages"`
	Sockets     int          `json:"sockets"`
	Pending     int          `json:"pending"`
	Monthly     int          `json:"monthly_calls"`
}

// State returns the tenant as one person sees it; an empty person sees everything.
func (s *Server) State(as string) State {
	name, openID := s.Bot()
	st := State{
		Now: s.Now(), TenantKey: s.TenantKey(), BotName: name, BotOpenID: openID, Commands: s.Commands(), People: s.People(),
		Departments: s.Departments(), Chats: s.Chats(as), Messages: []Message{}, Sockets: s.Sockets(), Pending: s.Pending(),
		Monthly: s.MonthlyCalls(),
	}
	for _, c := range st.Chats {
		st.Messages = append(st.Messages, s.Messages(c.ID, as)...)
	}
	return st
}

// controlVerbs are the verbs of POST /_sim/{verb}.
func controlVerbs() map[string]func(*Server, order) (any, error) {
	return map[string]func(*Server, order) (any, error){
		"reset": func(s *Server, _ order) (any, error) { s.Reset(); return nil, nil },
		"people": func(s *Server, o order) (any, error) {
			return s.orderPeople(o), nil
		},
		"say": func(s *Server, o order) (any, error) {
			m, ack, err := s.Reply(o.User, o.Chat, o.Parent, o.Text)
			return said{Ack: ack, Message: &m}, err
		},
		"press": func(s *Server, o order) (any, error) {
			press := o.Press
			press.Text = o.Text
			ack, err := s.Press(o.User, o.Message, press)
			return said{Ack: ack}, err
		},
		"menu": func(s *Server, o order) (any, error) {
			ack, err := s.Menu(o.User, o.Key)
			return said{Ack: ack}, err
		},
		"event": func(s *Server, o order) (any, error) { return said{Ack: s.Emit(o.Type, o.Event)}, nil },
		"verify": func(s *Server, o order) (any, error) {
			echoed, ack := s.VerifyURL(o.Path)
			return map[string]any{"echoed": echoed, "ack": ack}, nil
		},
		"redeliver": func(s *Server, o order) (any, error) {
			ack, err := s.Redeliver(o.N)
			return said{Ack: ack}, err
		},
		"fault":      orderFault,
		"limits":     orderLimits,
		"clock":      orderClock,
		"disconnect": func(s *Server, o order) (any, error) { s.Disconnect(o.N); return nil, nil },
		"expire":     func(s *Server, _ order) (any, error) { s.ExpireTokens(); return nil, nil },
		"urls":       orderURLs,
		"calls": func(s *Server, o order) (any, error) {
			return backstage.Since(s.Calls(), func(c Call) bool { return c.N > o.Since }), nil
		},
		"deliveries": func(s *Server, o order) (any, error) {
			return backstage.Since(s.Deliveries(), func(d Delivery) bool { return d.N > o.Since }), nil
		},
		"findings": func(s *Server, o order) (any, error) {
			return backstage.Since(s.Findings(), func(f Finding) bool { return f.N > o.Since }), nil
		},
		"state": func(s *Server, o order) (any, error) { return s.State(o.User), nil },
	}
}

// orderPeople adds departments, people and chats and answers with their ids filled in.
func (s *Server) orderPeople(o order) any {
	for i, d := range o.Departments {
		o.Departments[i] = s.AddDepartment(d)
	}
	for i, p := range o.People {
		if o.Emit {
			o.People[i], _ = s.Join(p)
		} else {
			o.People[i] = s.AddPerson(p)
		}
	}
	for i, c := range o.Chats {
		o.Chats[i] = s.AddChat(c)
	}
	p2p := map[string]string{}
	for _, p := range s.People() {
		p2p[p.OpenID] = s.P2P(p.OpenID)
	}
	return map[string]any{"people": o.People, "departments": o.Departments, "chats": o.Chats, "p2p": p2p}
}

func orderFault(s *Server, o order) (any, error) {
	if o.Method == "" {
		return nil, errors.New("a fault needs a method, or * for all")
	}
	var faults []Fault
	for _, f := range o.Faults {
		f.Delay = time.Duration(f.DelayMS) * time.Millisecond
		faults = append(faults, f.Fault)
	}
	s.SetFault(o.Method, faults...)
	return nil, nil
}

func orderLimits(s *Server, o order) (any, error) {
	if o.Limits == nil {
		return nil, errors.New("no limits given")
	}
	s.SetLimits(*o.Limits)
	return nil, nil
}

func orderClock(s *Server, o order) (any, error) {
	switch {
	case o.Set != nil:
		s.SetTime(*o.Set)
	case o.Advance != "":
		d, err := time.ParseDuration(o.Advance)
		if err != nil {
			return nil, fmt.Errorf("reading how far to advance: %w", err)
		}
		s.Advance(d)
	}
	return map[string]any{"now": s.Now()}, nil
}

func orderURLs(s *Server, o order) (any, error) {
	if o.BotURL != "" {
		s.SetBotURL(o.BotURL)
	}
	if o.BaseURL != "" {
		s.SetBaseURL(o.BaseURL)
	}
	return nil, nil
}

// controlHandler serves POST /_sim/{verb} with a JSON body, to loopback names only.
func (s *Server) controlHandler() http.Handler {
	verbs := map[string]func(order) (any, error){}
	for verb, act := range controlVerbs() {
		verbs[verb] = func(o order) (any, error) { return act(s, o) }
	}
	return backstage.Control(verbs)
}
