package dingtalksim

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"huiyin/bot/sim/backstage"
)

// TopicCards is the topic of card callbacks.
const TopicCards = "/v1.0/card/instances/callback"

// Press is one use of one control of a message: a button of a card pressed, its form submitted, a link of an action card
// opened. ID and Text say which; together they must mean exactly one.
type Press struct {
	ID   string `json:"id,omitempty"`   // the action id
	Text string `json:"text,omitempty"` // what stands on it
	// Form is what the person has entered into the fields of the form, by name; what is left out stays as it was shown.
	Form map[string]Input `json:"form,omitempty"`
	// Force submits what the client would refuse, as a forged client can.
	Force bool `json:"force,omitempty"`
}

// Press uses a control and makes the card callback. The error is for what DingTalk's client cannot do: a control that is not
// there, a choice that is not offered, a form with empty required fields (InputErrors). What the person sees of a callback
// that went wrong is Ack.Error.
func (s *Server) Press(user, message string, press Press) (Ack, error) {
	s.mu.Lock()
	p, m := s.world.people[user], s.world.messages[message]
	switch {
	case p == nil || !p.Active():
		s.mu.Unlock()
		return Ack{}, fmt.Errorf("no active person %q", user)
	case m == nil || m.Recalled || !slices.Contains(s.world.chats[m.Chat].Members, user) || !s.reaches(m, user):
		s.mu.Unlock()
		return Ack{}, fmt.Errorf("person %q sees no message %q", user, message)
	case m.Card == "":
		s.mu.Unlock()
		href, err := follow(*m, press)
		return Ack{URL: href}, err
	}
	c := s.world.cards[m.Card]
	part, err := findPart(c.template.parts(c.seen(user)), press)
	if err != nil {
		s.mu.Unlock()
		return Ack{}, err
	}
	if part.Link != "" {
		s.mu.Unlock()
		return Ack{URL: part.Link}, nil // a link tells nobody
	}
	sent := map[string]any{}
	for k, v := range part.Params {
		sent[k] = v
	}
	if part.Kind == FormComponent {
		form, err := s.filled(part, press)
		if err != nil {
			s.mu.Unlock()
			return Ack{}, err
		}
		sent["form"] = form
	}
	packet, why := s.callback(c, m, p, part.ID, sent)
	if why != "" {
		s.mu.Unlock()
		return Ack{Error: why}, nil
	}
	c.pressing++
	s.mu.Unlock()
	again := s.faults.Draw("event", false).Again
	r := s.deliver(packet)
	ack := ackOf(r)
	s.mu.Lock()
	c.pressing--
	s.interpret(&ack, r, c, user, packet.url == "")
	s.mu.Unlock()
	if again && ack.Failure == "" {
		packet.original = ack.Delivery
		s.deliver(packet)
	}
	return ack, nil
}

// findPart finds the control that is meant.
func findPart(parts []Part, press Press) (Part, error) {
	var found []Part
	for _, p := range parts {
		if p.Kind != ButtonComponent && p.Kind != FormComponent {
			continue
		}
		if (press.ID == "" || press.ID == p.ID) && (press.Text == "" || press.Text == p.Text) {
			found = append(found, p)
		}
	}
	if len(found) != 1 {
		return Part{}, fmt.Errorf("%d controls have the id %q and say %q", len(found), press.ID, press.Text)
	}
	if found[0].Disabled && !press.Force {
		return Part{}, fmt.Errorf("the control %q is disabled", found[0].ID)
	}
	return found[0], nil
}

// filled is params.form of a submitted form. s.mu is held.
func (s *Server) filled(part Part, press Press) (map[string]any, error) {
	out, refused, left := map[string]any{}, InputErrors{}, map[string]bool{}
	for name := range press.Form {
		left[name] = true
	}
	for _, f := range part.Fields {
		in, entered := press.Form[f.Name]
		delete(left, f.Name)
		switch {
		case !entered:
			in = f.start()
		case (f.ReadOnly || f.Hidden) && !press.Force:
			return nil, fmt.Errorf("nobody can change field %q", f.Name)
		}
		if err := f.enter(in); err != nil && !press.Force {
			return nil, fmt.Errorf("filling in the form: %w", err)
		}
		if why := f.refuse(in); why != "" {
			refused[f.Name] = why
		}
		for _, v := range press.Form[f.Name] {
			s.typed(v)
		}
		if v, sends := f.sends(in); sends {
			out[f.Name] = v
		}
	}
	for name := range left {
		return nil, fmt.Errorf("the form has no field %q", name)
	}
	if len(refused) > 0 && !press.Force {
		return nil, refused
	}
	return out, nil
}

// callback makes the push of one press, or says why there is none. s.mu is held.
func (s *Server) callback(c *card, m *Message, p *Person, action string, sent map[string]any) (packet, string) {
	content := string(backstage.EncodeJSON(map[string]any{
		"cardPrivateData": map[string]any{"actionIds": []string{action}, "params": sent},
	}))
	who := p.UserID
	if c.unionIDs {
		who = p.UnionID
	}
	plain := map[string]any{"type": "actionCallback", "outTrackId": c.id, "corpId": s.opts.CorpID, "userId": who, "content": content}
	k := packet{kind: kindCard, name: TopicCards, id: c.id, plain: backstage.EncodeJSON(plain), within: s.opts.CardTimeout}
	switch c.callback {
	case "HTTP":
		route, registered := s.world.routes[c.routeKey]
		if !registered {
			return packet{}, "no_address"
		}
		k.url, k.secret = route.url, route.secret
		return k, ""
	case "STREAM":
		chat := s.world.chats[m.Chat]
		plain["spaceId"], plain["spaceType"], plain["userIdType"], plain["extension"], plain["value"] = chat.ID, "IM_GROUP", 1, "{}", content
		if chat.Kind == P2P {
			plain["spaceId"], plain["spaceType"] = p.UserID, "IM_ROBOT"
		}
		if c.unionIDs {
			plain["userIdType"] = 2
		}
		k.framed = backstage.EncodeJSON(plain)
		return k, ""
	}
	return packet{}, "no_callback"
}

// interpret applies the answer to a press, which must come within 2 s: {cardData, userPrivateData, cardUpdateOptions} over
// HTTP, {response: …} around it over a stream. Public data of an answer reaches only the person who pressed, says the vendor;
// others see it with the next update. s.mu is held.
func (s *Server) interpret(ack *Ack, r reply, c *card, user string, stream bool) {
	if !r.ok() {
		ack.Error = map[string]string{
			"timeout": "timeout", "no_connection": "no_connection", "no_address": "no_address",
		}[r.failure]
		if ack.Error == "" {
			ack.Error = "error"
		}
		return
	}
	bad := func(rule string) {
		ack.Error = "bad_answer"
		s.find(Finding{Rule: rule, Delivery: r.n, Length: len(r.body)})
	}
	v, err := backstage.DecodeJSON(r.body)
	body, isObject := v.(map[string]any)
	switch {
	case len(r.body) == 0 && !stream:
		return // nothing to change
	case err != nil || !isObject:
		bad("card.bad_answer")
		return
	}
	if stream {
		inner, wrapped := body["response"]
		if !wrapped {
			bad("card.answer_without_response")
			return
		}
		body, isObject = inner.(map[string]any)
		if inner != nil && !isObject {
			bad("card.bad_answer")
			return
		}
	}
	public, hasPublic, badPublic := params(body["cardData"])
	private, hasPrivate, badPrivate := params(body["userPrivateData"])
	if badPublic || badPrivate {
		bad("card.answer_not_strings")
		return
	}
	about := Finding{Delivery: r.n}
	inspection{s: s, about: about, group: s.shared(c)}.variables(c.template, "/cardData", public)
	inspection{s: s, about: about}.variables(c.template, "/userPrivateData", private)
	for _, k := range sorted(body) {
		if !slices.Contains([]string{"cardData", "userPrivateData", "cardUpdateOptions"}, k) {
			inspection{s: s, about: about}.find(Should, "card.unknown_answer_property", "/"+k, 0)
		}
	}
	cardByKey, privateByKey := updateOptions(body["cardUpdateOptions"])
	if hasPublic && len(public) > 0 {
		now, had := c.fresh[user]
		if !had {
			now = c.public
		}
		c.fresh[user] = merged(now, public, cardByKey)
		if !s.shared(c) {
			c.public = c.fresh[user]
		}
		ack.Card = true
	}
	if hasPrivate && len(private) > 0 {
		c.private[user] = merged(c.private[user], private, privateByKey)
		ack.Card = true
	}
	if ack.Card {
		s.redrawn(c)
	}
}

// follow is where a button of an action card leads.
func follow(m Message, press Press) (string, error) {
	var content map[string]any
	if err := json.Unmarshal([]byte(m.Content), &content); err != nil {
		return "", errors.New("the message has no buttons")
	}
	links := map[string]string{}
	add := func(o map[string]any, title, address string) {
		t, isTitle := o[title].(string)
		href, isAddress := o[address].(string)
		if isTitle && isAddress {
			links[t] = href
		}
	}
	add(content, "singleTitle", "singleURL")
	for i := range 5 {
		n := fmt.Sprint(i + 1)
		add(content, "actionTitle"+n, "actionURL"+n)
		add(content, "buttonTitle"+n, "buttonUrl"+n)
	}
	list, _ := content["btns"].([]any)
	for _, v := range list {
		if o, isObject := v.(map[string]any); isObject {
			add(o, "title", "actionURL")
		}
	}
	href, found := links[press.Text]
	if press.Text == "" && len(links) == 1 {
		for _, href := range links {
			return href, nil
		}
	}
	if !found {
		return "", fmt.Errorf("the message has no button that says %q", press.Text)
	}
	return href, nil
}
