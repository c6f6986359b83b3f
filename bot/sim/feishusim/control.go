package feishusim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"
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
			return since(s.Calls(), func(c Call) bool { return c.N > o.Since }), nil
		},
		"deliveries": func(s *Server, o order) (any, error) {
			return since(s.Deliveries(), func(d Delivery) bool { return d.N > o.Since }), nil
		},
		"findings": func(s *Server, o order) (any, error) {
			return since(s.Findings(), func(f Finding) bool { return f.N > o.Since }), nil
		},
		"state": func(s *Server, o order) (any, error) { return s.State(o.User), nil },
	}
}

// since keeps what is newer; never null.
func since[T any](all []T, newer func(T) bool) []T {
	out := []T{}
	for _, v := range all {
		if newer(v) {
			out = append(out, v)
		}
	}
	return out
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

// controlHandler serves POST /_sim/{verb} with a JSON body, to loopback names only: a page elsewhere must not drive the
// simulator by rebinding its own name to this machine.
func (s *Server) controlHandler() http.Handler {
	verbs := controlVerbs()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		act, known := verbs[strings.TrimPrefix(r.URL.Path, "/_sim/")]
		switch {
		case !loopback(r.Host):
			controlError(w, http.StatusForbidden, errors.New("the control API answers to loopback names only"))
			return
		case !known:
			controlError(w, http.StatusNotFound, errors.New("no such verb"))
			return
		case r.Method != http.MethodPost:
			controlError(w, http.StatusMethodNotAllowed, errors.New("use POST"))
			return
		case !saysJSON(r.Header.Get("Content-Type")):
			controlError(w, http.StatusUnsupportedMediaType, errors.New("send application/json"))
			return
		}
		var o order
		if err := json.NewDecoder(io.LimitReader(r.Body, 16<<20)).Decode(&o); err != nil && !errors.Is(err, io.EOF) {
			controlError(w, http.StatusBadRequest, fmt.Errorf("reading the order: %w", err))
			return
		}
		result, err := act(s, o)
		if err != nil {
			controlError(w, http.StatusUnprocessableEntity, err)
			return
		}
		controlAnswer(w, http.StatusOK, map[string]any{"ok": true, "result": result})
	})
}

func saysJSON(media string) bool {
	t, _, err := mime.ParseMediaType(media)
	return err == nil && t == "application/json"
}

// loopback says whether a Host header names this machine by an address or name that cannot be rebound.
func loopback(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	ip := net.ParseIP(strings.Trim(name, "[]"))
	return name == "localhost" || ip != nil && ip.IsLoopback()
}

func controlError(w http.ResponseWriter, status int, err error) {
	body := map[string]any{"ok": false, "error": err.Error()}
	var refused InputErrors
	if errors.As(err, &refused) {
		body["fields"] = refused
	}
	controlAnswer(w, status, body)
}

func controlAnswer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	w.Write(encodeJSON(body)) //nolint:errcheck // the caller has gone away
}
