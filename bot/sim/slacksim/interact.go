package slacksim

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
)

// Place is where an element stands: a message by channel and ts, or a view by id.
type Place struct {
	Channel string `json:"channel,omitempty"`
	TS      string `json:"ts,omitempty"`
	View    string `json:"view_id,omitempty"`
}

// Press is one use of one element: a button pressed, an option chosen, a date picked.
type Press struct {
	Action string `json:"action_id"`
	Block  string `json:"block_id,omitempty"` // needed only when the action_id stands in several blocks
	Value  Input  `json:"value,omitempty"`    // nothing for a button
	// Values are other fields that the person has filled in meanwhile, by block id and action id.
	Values map[string]map[string]Input `json:"values,omitempty"`
}

// Click uses an element of a message, a modal or a home tab and sends block_actions. The error is for what Slack's client
// cannot do: an element that is not there, a choice that is not offered, a message that the person cannot see.
func (s *Server) Click(user string, at Place, press Press) (Ack, error) {
	s.mu.Lock()
	sc, err := s.scene(user, at)
	if err != nil {
		s.mu.Unlock()
		return Ack{}, err
	}
	f, err := sc.find(press)
	if err == nil {
		err = s.fillIn(sc, press.Values)
	}
	if err == nil {
		err = s.enter(f, press.Value)
	}
	if err != nil {
		s.mu.Unlock()
		return Ack{}, err
	}
	if !f.stateless() {
		sc.held[f.block][f.action] = press.Value
		sc.keep()
	}
	if f.input && !f.dispatch {
		s.mu.Unlock()
		return Ack{}, nil // an input block tells nobody before it is submitted, unless dispatch_action is set
	}
	payload := s.actionPayload(user, sc, f, press.Value)
	s.mu.Unlock()
	r := s.interaction(payload)
	ack := ackOf(r)
	if ack.Error != "" {
		ack.Error = "trouble_connecting"
	} else if len(r.body) > 0 {
		s.mu.Lock()
		s.find(Finding{Severity: Should, Rule: "ack.ignored_body", Length: len(r.body), Method: "block_actions", Delivery: r.n})
		s.mu.Unlock()
	}
	return ack, nil
}

// scene is a message or view with what the person has entered in it.
type scene struct {
	at     Place
	blocks json.RawMessage
	held   map[string]map[string]Input
	keep   func()
	m      *Message
	v      *View
}

// scene finds what a person is looking at. s.mu is held.
func (s *Server) scene(user string, at Place) (*scene, error) {
	p := s.world.people[user]
	if p == nil || p.Deleted {
		return nil, fmt.Errorf("no active member %q", user)
	}
	if at.View != "" {
		v := s.world.views[at.View]
		if v == nil || v.User != user {
			return nil, fmt.Errorf("member %q has no view %q", user, at.View)
		}
		return &scene{at: at, blocks: v.Blocks, held: v.Values, keep: func() {}, v: v}, nil
	}
	c, m := s.world.channels[at.Channel], s.world.message(at.Channel, at.TS)
	if c == nil || m == nil || !s.world.canRead(c, user) || m.EphemeralTo != "" && m.EphemeralTo != user {
		return nil, fmt.Errorf("member %q sees no message %q in %q", user, at.TS, at.Channel)
	}
	key := user + " " + at.Channel + " " + at.TS
	sc := &scene{at: at, blocks: m.Blocks, held: held(m.Blocks, s.world.inputs[key]), m: m}
	sc.keep = func() { s.world.inputs[key] = sc.held }
	return sc, nil
}

func (sc *scene) find(press Press) (field, error) {
	var found []field
	for _, f := range fields(sc.blocks) {
		if f.action == press.Action && (press.Block == "" || press.Block == f.block) {
			found = append(found, f)
		}
	}
	if len(found) != 1 {
		return field{}, fmt.Errorf("%d elements have action_id %q and block_id %q", len(found), press.Action, press.Block)
	}
	return found[0], nil
}

// fillIn enters values into the fields of a scene. s.mu is held.
func (s *Server) fillIn(sc *scene, values map[string]map[string]Input) error {
	for block, entered := range values {
		for action, in := range entered {
			f, err := sc.find(Press{Block: block, Action: action})
			if err == nil {
				err = s.enter(f, in)
			}
			if err != nil {
				return fmt.Errorf("filling in the form: %w", err)
			}
			sc.held[f.block][f.action] = in
		}
	}
	sc.keep()
	return nil
}

// actionPayload is the block_actions payload. https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
func (s *Server) actionPayload(user string, sc *scene, f field, in Input) map[string]any {
	now := s.now()
	action := map[string]any{
		"type": f.kind, "action_id": f.action, "block_id": f.block, "action_ts": s.world.ts(now),
	}
	switch f.kind {
	case "button", "workflow_button", "icon_button":
		for _, k := range []string{"text", "value", "style", "url"} {
			if f.el[k] != nil {
				action[k] = f.el[k]
			}
		}
	default:
		for k, v := range s.state(f, in) {
			action[k] = v
		}
		if f.el["placeholder"] != nil {
			action["placeholder"] = f.el["placeholder"]
		}
	}
	payload := s.interactionHead("block_actions", user)
	payload["actions"] = []any{action}
	if sc.v != nil {
		root := ""
		if sc.v.Type == "modal" {
			root = sc.v.ID
		}
		payload["trigger_id"] = s.newTrigger(now, user, root)
		payload["container"] = map[string]any{"type": "view", "view_id": sc.v.ID}
		payload["view"] = s.viewJSON(sc.v)
		return payload
	}
	c := s.world.channels[sc.m.Channel]
	hook := s.newHook(now, "actions", user, sc.m.Channel)
	hook.source, hook.ephemeralStart = sc.m.TS, sc.m.EphemeralTo != ""
	payload["trigger_id"] = s.newTrigger(now, user, "")
	payload["response_url"] = hook.url
	payload["channel"] = map[string]any{"id": c.ID, "name": commandChannelName(c)}
	payload["container"] = map[string]any{
		"type": "message", "message_ts": sc.m.TS, "channel_id": c.ID, "is_ephemeral": hook.ephemeralStart,
	}
	payload["state"] = map[string]any{"values": s.values(sc.blocks, sc.held)}
	if !hook.ephemeralStart {
		payload["message"] = s.messageJSON(sc.m)
	}
	return payload
}

// interactionHead is what all interaction payloads begin with. s.mu is held.
func (s *Server) interactionHead(kind, user string) map[string]any {
	p := s.world.people[user]
	return map[string]any{
		"type": kind, "team": s.teamJSON(), "api_app_id": s.opts.AppID, "token": legacyToken, "enterprise": nil,
		"is_enterprise_install": false,
		"user":                  map[string]any{"id": user, "username": p.Handle, "name": p.Handle, "team_id": p.TeamID},
	}
}

// interaction delivers one payload to the interactivity request URL.
func (s *Server) interaction(payload map[string]any) reply {
	body := encodeJSON(payload)
	return s.deliver(packet{
		kind: "interaction", path: "/slack/interactions", media: "application/x-www-form-urlencoded",
		body: []byte(url.Values{"payload": {string(body)}}.Encode()), frame: "interactive", payload: body, accepts: true,
	})
}

// Suggest types into an external select and returns the options that the bot offers, in Ack.Options.
func (s *Server) Suggest(user string, at Place, press Press, typed string) (Ack, error) {
	s.mu.Lock()
	sc, err := s.scene(user, at)
	if err != nil {
		s.mu.Unlock()
		return Ack{}, err
	}
	f, err := sc.find(press)
	if err == nil && !slices.Contains([]string{"external_select", "multi_external_select"}, f.kind) {
		err = fmt.Errorf("%s %q asks for no suggestions", f.kind, f.action)
	}
	if err != nil {
		s.mu.Unlock()
		return Ack{}, err
	}
	least := 3.0 // min_query_length when the element names none
	if n, given := number(f.el["min_query_length"]); given {
		least = n
	}
	if float64(length(typed)) < least {
		s.mu.Unlock()
		return Ack{}, nil
	}
	payload := s.interactionHead("block_suggestion", user)
	payload["action_id"], payload["block_id"], payload["value"] = f.action, f.block, typed
	if sc.v != nil {
		payload["container"] = map[string]any{"type": "view", "view_id": sc.v.ID}
		payload["view"] = s.viewJSON(sc.v)
	} else {
		payload["container"] = map[string]any{"type": "message", "message_ts": sc.m.TS, "channel_id": sc.m.Channel}
		payload["message"] = s.messageJSON(sc.m)
		payload["channel"] = map[string]any{"id": sc.m.Channel, "name": commandChannelName(s.world.channels[sc.m.Channel])}
	}
	s.mu.Unlock()
	body := encodeJSON(payload)
	r := s.deliver(packet{
		kind: "options", path: "/slack/options", media: "application/x-www-form-urlencoded",
		body: []byte(url.Values{"payload": {string(body)}}.Encode()), frame: "interactive", payload: body, accepts: true,
	})
	ack := ackOf(r)
	if ack.Error != "" {
		return ack, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := decodeJSON(r.body)
	o, isObject := v.(map[string]any)
	if err != nil || !isObject || !isJSON(r.media) {
		ack.Error = "trouble_connecting"
		s.find(Finding{Rule: "options.not_json", Detail: r.media, Method: "block_suggestion", Delivery: r.n})
		return ack, nil
	}
	if faults := validateSuggestions(o); len(faults) > 0 {
		ack.Error = "trouble_connecting"
		s.findFaults(faults, "options.invalid", "block_suggestion", r.n)
		return ack, nil
	}
	offered := field{el: o}
	s.world.suggests[f.action] = offered.options()
	ack.Options = encodeJSON(offered.options())
	return ack, nil
}

// Shortcut runs a global shortcut, or with a message a message shortcut.
func (s *Server) Shortcut(user, callbackID string, on *Place) (Ack, error) {
	s.mu.Lock()
	p := s.world.people[user]
	if p == nil || p.Deleted {
		s.mu.Unlock()
		return Ack{}, fmt.Errorf("no active member %q", user)
	}
	kind := "shortcut"
	if on != nil {
		kind = "message_action"
	}
	payload := s.interactionHead(kind, user)
	now := s.now()
	payload["callback_id"], payload["action_ts"] = callbackID, s.world.ts(now)
	if on != nil {
		sc, err := s.scene(user, *on)
		if err != nil || sc.m == nil {
			s.mu.Unlock()
			return Ack{}, fmt.Errorf("a message shortcut needs a message: %w", err)
		}
		hook := s.newHook(now, "actions", user, sc.m.Channel)
		payload["response_url"] = hook.url
		payload["message_ts"] = sc.m.TS
		payload["message"] = s.messageJSON(sc.m)
		payload["channel"] = map[string]any{"id": sc.m.Channel, "name": commandChannelName(s.world.channels[sc.m.Channel])}
	}
	payload["trigger_id"] = s.newTrigger(now, user, "")
	s.mu.Unlock()
	ack := ackOf(s.interaction(payload))
	if ack.Error != "" {
		ack.Error = "trouble_connecting"
	}
	return ack, nil
}
