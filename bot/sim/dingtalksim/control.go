package dingtalksim

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
	Text        string         `json:"text"` // what is said, or what stands on the control
	Card        string         `json:"card"`
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
	Templates   []Template     `json:"templates"`
	Texts       []string       `json:"texts"`
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

// controlHandler serves POST /_sim/{verb}.
func (s *Server) controlHandler() http.Handler {
	nothing := func(f func()) func(order) (any, error) {
		return func(order) (any, error) { f(); return nil, nil }
	}
	return backstage.Control(map[string]func(order) (any, error){
		"reset":  nothing(s.Reset),
		"expire": nothing(s.ExpireTokens),
		"people": func(o order) (any, error) { return s.orderPeople(o), nil },
		"say": func(o order) (any, error) {
			m, ack, err := s.Say(o.User, o.Chat, o.Text)
			return said{Ack: ack, Message: &m}, err
		},
		"press": func(o order) (any, error) {
			press := o.Press
			press.Text = o.Text
			ack, err := s.Press(o.User, o.Message, press)
			return said{Ack: ack}, err
		},
		"event": func(o order) (any, error) { return said{Ack: s.Emit(o.Type, o.Event)}, nil },
		"verify": func(order) (any, error) {
			verified, ack := s.VerifyURL(EventsPath)
			return map[string]any{"verified": verified, "ack": ack}, nil
		},
		"redeliver": func(o order) (any, error) {
			ack, err := s.Redeliver(o.N)
			return said{Ack: ack}, err
		},
		"private":    func(o order) (any, error) { s.KeepPrivate(o.Texts...); return nil, nil },
		"fault":      s.orderFault,
		"limits":     s.orderLimits,
		"clock":      s.orderClock,
		"urls":       s.orderURLs,
		"disconnect": func(o order) (any, error) { s.Disconnect(o.N); return nil, nil },
		"farewell":   func(o order) (any, error) { s.Farewell(o.N); return nil, nil },
		"ping":       func(order) (any, error) { return map[string]int{"answered": s.Ping()}, nil },
		"card": func(o order) (any, error) {
			v, found := s.Card(o.Card, o.User)
			if !found {
				return nil, fmt.Errorf("no card %q", o.Card)
			}
			return v, nil
		},
		"calls": func(o order) (any, error) {
			return backstage.Since(s.Calls(), func(c Call) bool { return c.N > o.Since }), nil
		},
		"deliveries": func(o order) (any, error) {
			return backstage.Since(s.Deliveries(), func(d Delivery) bool { return d.N > o.Since }), nil
		},
		"findings": func(o order) (any, error) {
			return backstage.Since(s.Findings(), func(f Finding) bool { return f.N > o.Since }), nil
		},
		"state": func(o order) (any, error) { return s.State(o.User), nil },
	})
}

// orderPeople adds departments, people, chats and templates and answers with their ids filled in.
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
	for i, t := range o.Templates {
		o.Templates[i] = s.AddTemplate(t)
	}
	p2p := map[string]string{}
	for _, p := range s.People() {
		p2p[p.UserID] = s.P2P(p.UserID)
	}
	return map[string]any{"people": o.People, "departments": o.Departments, "chats": o.Chats, "templates": o.Templates, "p2p": p2p}
}

func (s *Server) orderFault(o order) (any, error) {
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

func (s *Server) orderLimits(o order) (any, error) {
	if o.Limits == nil {
		return nil, errors.New("no limits given")
	}
	s.SetLimits(*o.Limits)
	return nil, nil
}

func (s *Server) orderClock(o order) (any, error) {
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

func (s *Server) orderURLs(o order) (any, error) {
	if o.BotURL != "" {
		s.SetBotURL(o.BotURL)
	}
	if o.BaseURL != "" {
		s.SetBaseURL(o.BaseURL)
	}
	return nil, nil
}
