package slacksim

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"huiyin/bot/sim/backstage"
)

// order is the body of a control request; each verb reads what it needs.
type order struct {
	User      string                      `json:"user"`
	Channel   string                      `json:"channel"`
	TS        string                      `json:"ts"`
	ThreadTS  string                      `json:"thread_ts"`
	View      string                      `json:"view_id"`
	Command   string                      `json:"command"`
	Text      string                      `json:"text"`
	Action    string                      `json:"action_id"`
	Block     string                      `json:"block_id"`
	Callback  string                      `json:"callback_id"`
	Value     Input                       `json:"value"`
	Values    map[string]map[string]Input `json:"values"`
	All       bool                        `json:"all"`
	N         int                         `json:"n"`
	Since     int                         `json:"since"`
	Method    string                      `json:"method"`
	Faults    []faultOrder                `json:"faults"`
	Limits    *Limits                     `json:"limits"`
	Event     map[string]any              `json:"event"`
	People    []Person                    `json:"people"`
	Channels  []Channel                   `json:"channels"`
	Groups    []Group                     `json:"groups"`
	Emit      bool                        `json:"emit"`
	Advance   string                      `json:"advance"`
	Set       *time.Time                  `json:"set"`
	Reason    string                      `json:"reason"`
	BotURL    string                      `json:"bot_url"`
	BaseURL   string                      `json:"base_url"`
	MessageOf *ref                        `json:"message"`
}

type faultOrder struct {
	Fault
	DelayMS int `json:"delay_ms"`
}

func (o order) place() Place { return Place{Channel: o.Channel, TS: o.TS, View: o.View} }

func (o order) press() Press {
	return Press{Action: o.Action, Block: o.Block, Value: o.Value, Values: o.Values}
}

// said is the answer to a control request about a person's action.
type said struct {
	Ack     Ack      `json:"ack"`
	Message *Message `json:"message,omitempty"`
}

// State is everything at once, for tests and pages that read rather than listen.
type State struct {
	Now      time.Time         `json:"now"`
	Team     Team              `json:"team"`
	Bot      string            `json:"bot"`
	Commands []Command         `json:"commands"`
	People   []Person          `json:"people"`
	Channels []Channel         `json:"channels"`
	Messages []Message         `json:"messages"`
	Views    map[string][]View `json:"views"` // by user, the top last
	Homes    map[string]View   `json:"homes"`
	Sockets  int               `json:"sockets"`
	Pending  int               `json:"pending"`
}

// State returns the workspace as one person sees it; an empty person sees everything.
func (s *Server) State(as string) State {
	st := State{
		Now: s.Now(), Team: s.Team(), Bot: s.BotUser(), Commands: s.Commands(), People: s.People(), Channels: s.Channels(as),
		Messages: []Message{}, Views: map[string][]View{}, Homes: map[string]View{}, Sockets: s.Sockets(), Pending: s.Pending(),
	}
	for _, c := range st.Channels {
		st.Messages = append(st.Messages, s.Messages(c.ID, as)...)
	}
	for _, p := range st.People {
		if as != "" && p.ID != as {
			continue
		}
		if vs := s.Views(p.ID); len(vs) > 0 {
			st.Views[p.ID] = vs
		}
		if v, published := s.Home(p.ID); published {
			st.Homes[p.ID] = v
		}
	}
	return st
}

// control are the verbs of POST /_sim/{verb}.
func control() map[string]func(*Server, order) (any, error) {
	return map[string]func(*Server, order) (any, error){
		"reset": func(s *Server, _ order) (any, error) { s.Reset(); return nil, nil },
		"people": func(s *Server, o order) (any, error) {
			return s.orderPeople(o), nil
		},
		"say": func(s *Server, o order) (any, error) {
			m, ack, err := s.Reply(o.User, o.Channel, o.ThreadTS, o.Text)
			return said{Ack: ack, Message: &m}, err
		},
		"slash": func(s *Server, o order) (any, error) {
			ack, err := s.Slash(o.User, o.Channel, o.Command, o.Text)
			return said{Ack: ack}, err
		},
		"click": func(s *Server, o order) (any, error) {
			ack, err := s.Click(o.User, o.place(), o.press())
			return said{Ack: ack}, err
		},
		"suggest": func(s *Server, o order) (any, error) {
			ack, err := s.Suggest(o.User, o.place(), o.press(), o.Text)
			return said{Ack: ack}, err
		},
		"shortcut": func(s *Server, o order) (any, error) {
			var on *Place
			if o.MessageOf != nil {
				on = &Place{Channel: o.MessageOf.Channel, TS: o.MessageOf.TS}
			}
			ack, err := s.Shortcut(o.User, o.Callback, on)
			return said{Ack: ack}, err
		},
		"submit": func(s *Server, o order) (any, error) {
			ack, err := s.Submit(o.User, o.View, o.Values)
			return said{Ack: ack}, err
		},
		"close": func(s *Server, o order) (any, error) {
			ack, err := s.CloseView(o.User, o.View, o.All)
			return said{Ack: ack}, err
		},
		"home": func(s *Server, o order) (any, error) {
			ack, err := s.OpenHome(o.User)
			return said{Ack: ack}, err
		},
		"reload": func(s *Server, o order) (any, error) { s.Reload(o.User); return nil, nil },
		"event":  func(s *Server, o order) (any, error) { return said{Ack: s.Emit(o.Event)}, nil },
		"verify": func(s *Server, _ order) (any, error) {
			echoed, ack := s.VerifyURL()
			return map[string]any{"echoed": echoed, "ack": ack}, nil
		},
		"redeliver": func(s *Server, o order) (any, error) {
			ack, err := s.Redeliver(o.N)
			return said{Ack: ack}, err
		},
		"fault":      orderFault,
		"limits":     orderLimits,
		"clock":      orderClock,
		"disconnect": func(s *Server, o order) (any, error) { s.Disconnect(o.Reason); return nil, nil },
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

// orderPeople adds members, groups and channels and answers with their ids filled in.
func (s *Server) orderPeople(o order) any {
	for i, p := range o.People {
		if o.Emit {
			o.People[i] = s.Join(p)
		} else {
			o.People[i] = s.AddPerson(p)
		}
	}
	for i, g := range o.Groups {
		o.Groups[i] = s.AddGroup(g)
	}
	for i, c := range o.Channels {
		o.Channels[i] = s.AddChannel(c)
	}
	dms := map[string]string{}
	for _, p := range s.People() {
		if !p.IsBot && p.ID != "USLACKBOT" {
			dms[p.ID] = s.DM(p.ID)
		}
	}
	return map[string]any{"people": o.People, "groups": o.Groups, "channels": o.Channels, "dms": dms}
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
			return nil, fmt.Errorf("reading the duration: %w", err)
		}
		s.Advance(d)
	}
	return map[string]any{"now": s.Now(), "pending": s.Pending()}, nil
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
	for verb, act := range control() {
		verbs[verb] = func(o order) (any, error) { return act(s, o) }
	}
	return backstage.Control(verbs)
}
