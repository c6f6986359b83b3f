package feishusim

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Press is one use of one control of a card: a button pressed, an option chosen, a form submitted. At least one of At, Name
// and Text says which; together they must mean exactly one control.
type Press struct {
	At   string `json:"at,omitempty"`   // JSON pointer into the card, /body/elements/2
	Name string `json:"name,omitempty"` // name or element_id
	Text string `json:"text,omitempty"` // what stands on it
	// Value is what is chosen or typed; nothing for a button.
	Value Input `json:"value,omitempty"`
	// Form is what the person has entered into the form around the control, by name.
	Form map[string]Input `json:"form,omitempty"`
	// Force submits what the client would refuse, as a forged client can.
	Force bool `json:"force,omitempty"`
}

// Press uses a control and pushes card.action.trigger. The error is for what Feishu's client cannot do: a control that is
// not there, a choice that is not offered, a form with empty required fields (InputErrors), a card older than 14 days.
func (s *Server) Press(user, message string, press Press) (Ack, error) {
	s.mu.Lock()
	m, chat, err := s.sees(user, message)
	if err != nil {
		s.mu.Unlock()
		return Ack{}, err
	}
	controls := controlsOf(m.Content)
	c, err := findControl(controls, press)
	if err == nil && c.el["disabled"] == true && !press.Force {
		err = fmt.Errorf("%s %q is disabled", c.tag, c.name)
	}
	if err == nil {
		err = s.enter(c, press.Value, chat)
	}
	if err == nil && press.Value.First() == "" && slices.Contains(needsValue, c.tag) && c.form == "" {
		err = fmt.Errorf("nothing is chosen in %s %q", c.tag, c.name)
	}
	if err != nil {
		s.mu.Unlock()
		return Ack{}, err
	}
	values, link := c.behaviors()
	submits := c.tag == "button" && c.el["form_action_type"] == "submit"
	action := c.action(press.Value)
	if submits {
		form, err := s.filled(controls, c.form, press, chat)
		if err != nil {
			s.mu.Unlock()
			return Ack{}, err
		}
		action["form_value"] = form
	}
	inForm := c.form != "" && !slices.Contains([]string{"button", "interactive_container", "overflow"}, c.tag)
	if inForm || len(values) == 0 && !submits {
		s.mu.Unlock()
		return Ack{URL: link}, nil // what is entered in a form is told when it is submitted; a link tells nobody
	}
	action["value"] = map[string]any{}
	if len(values) > 0 {
		action["value"] = values[0]
	}
	token := s.newCardToken(m.ID)
	event := map[string]any{
		"operator": s.operator(user), "token": token, "action": action, "host": "im_message",
		"context": map[string]any{"open_message_id": m.ID, "open_chat_id": m.Chat},
	}
	id, plain := s.envelope("card.action.trigger", event)
	within := s.opts.AckTimeout
	s.mu.Unlock()
	r, _ := s.deliver(packet{
		kind: "card", event: "card.action.trigger", id: id, path: CardsPath, plain: plain, within: within,
	})
	ack := ackOf(r)
	ack.Token, ack.URL = token, link
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.world.cards[token]; t != nil {
		close(t.answered)
	}
	s.interpret(&ack, r, m)
	return ack, nil
}

// needsValue are controls whose use is to choose or to type something.
var needsValue = []string{
	"overflow", "select_static", "select_person", "date_picker", "picker_time", "picker_datetime", "select_img", "checker", "input",
}

// sees finds a card that a person can use. s.mu is held.
func (s *Server) sees(user, message string) (*Message, *Chat, error) {
	p, m := s.world.people[user], s.world.messages[message]
	switch {
	case p == nil || !p.Active():
		return nil, nil, fmt.Errorf("no active person %q", user)
	case m == nil || m.Withdrawn || !slices.Contains(s.world.chats[m.Chat].Members, user):
		return nil, nil, fmt.Errorf("person %q sees no message %q", user, message)
	case m.Type != "interactive":
		return nil, nil, fmt.Errorf("message %q is no card", message)
	case s.now().Sub(m.Created) >= updateLife:
		return nil, nil, errors.New("the card has expired: cards work for 14 days")
	}
	return m, s.world.chats[m.Chat], nil
}

func findControl(controls []control, press Press) (control, error) {
	var found []control
	for _, c := range controls {
		id, _ := c.el["element_id"].(string)
		if (press.At == "" || press.At == c.at) && (press.Name == "" || press.Name == c.name || press.Name == id) &&
			(press.Text == "" || press.Text == c.label()) {
			found = append(found, c)
		}
	}
	if len(found) != 1 {
		return control{}, fmt.Errorf("%d controls are at %q, named %q and labelled %q", len(found), press.At, press.Name, press.Text)
	}
	return found[0], nil
}

// filled is the form_value of a submitted form. s.mu is held.
func (s *Server) filled(controls []control, form string, press Press, chat *Chat) (map[string]any, error) {
	out, refused := map[string]any{}, InputErrors{}
	left := map[string]bool{}
	for name := range press.Form {
		left[name] = true
	}
	for _, c := range controls {
		if c.form != form {
			continue
		}
		in, entered := press.Form[c.name]
		if !entered {
			in = c.start()
		}
		delete(left, c.name)
		if err := s.enter(c, in, chat); err != nil && !press.Force {
			return nil, fmt.Errorf("filling in the form: %w", err)
		}
		if why := c.refuse(in); why != "" {
			refused[c.name] = why
		}
		if v, sends := c.formValue(in); sends {
			out[c.name] = v
		}
	}
	for name := range left {
		return nil, fmt.Errorf("the form %q has no control %q", form, name)
	}
	if len(refused) > 0 && !press.Force {
		return nil, refused
	}
	return out, nil
}

// action is the action of a card.action.trigger but for its value.
// https://open.feishu.cn/document/uAjLw4CM/ukzMukzMukzM/feishu-cards/card-callback-communication
func (c control) action(in Input) map[string]any {
	out := map[string]any{"tag": c.tag, "timezone": "Asia/Shanghai"}
	if c.name != "" {
		out["name"] = c.name
	}
	switch v := in.First(); c.tag {
	case "button", "interactive_container":
	case "input":
		out["input_value"] = v
	case "checker":
		out["checked"] = v == "true"
	case "date_picker", "picker_time", "picker_datetime":
		out["option"] = strings.TrimSpace(v + " +0800")
	default:
		if out["option"] = v; c.many() {
			delete(out, "option")
			out["options"] = append([]string{}, in...)
		}
	}
	return out
}

// operator is whoever pressed. s.mu is held.
func (s *Server) operator(user string) map[string]any {
	p := s.world.people[user]
	out := s.idsJSON(*p)
	out["tenant_key"] = cmp.Or(p.TenantKey, s.opts.TenantKey)
	return out
}
