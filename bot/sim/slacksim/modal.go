package slacksim

import (
	"fmt"
	"slices"
	"strings"

	"huiyin/bot/sim/backstage"
)

// Submit fills in the modal on top of a person's stack and submits it. What Slack's own client refuses (a required field
// left empty, a number that is none) is an InputErrors and never reaches the bot. The answer of the bot is interpreted as
// Slack does: Ack.Action says what became of the modal; an answer that Slack cannot use is trouble_connecting.
func (s *Server) Submit(user, view string, values map[string]map[string]Input) (Ack, error) {
	s.mu.Lock()
	v, err := s.top(user, view)
	if err == nil {
		err = s.complete(v, values)
	}
	if err != nil {
		s.mu.Unlock()
		s.change(Change{Kind: ChangeView, User: user, View: view})
		return Ack{}, err
	}
	v.Errors = nil
	payload := s.interactionHead("view_submission", user)
	payload["trigger_id"] = s.newTrigger(s.now(), user, v.ID)
	payload["view"] = s.viewJSON(v)
	payload["response_urls"] = []any{}
	s.mu.Unlock()

	r := s.interaction(payload)
	ack := ackOf(r)
	if ack.Error != "" {
		ack.Error = "trouble_connecting"
		return ack, nil
	}
	s.mu.Lock()
	s.answerSubmission(&ack, r, v)
	s.mu.Unlock()
	s.change(Change{Kind: ChangeView, User: user, View: view})
	return ack, nil
}

// top finds the modal that a person can use: the one on top. s.mu is held.
func (s *Server) top(user, view string) (*View, error) {
	stack := s.world.stacks[user]
	if len(stack) == 0 || stack[len(stack)-1] != view {
		return nil, fmt.Errorf("member %q does not have modal %q on top", user, view)
	}
	return s.world.views[view], nil
}

// complete enters values and applies what the client checks before it submits. s.mu is held.
func (s *Server) complete(v *View, values map[string]map[string]Input) error {
	if len(v.Submit) == 0 {
		return fmt.Errorf("modal %q has no submit button", v.ID)
	}
	sc := &scene{blocks: v.Blocks, held: v.Values, keep: func() {}, v: v}
	if err := s.fillIn(sc, values); err != nil {
		return err
	}
	refused := InputErrors{}
	for _, f := range fields(v.Blocks) {
		if why := f.refuse(v.Values[f.block][f.action]); why != "" {
			refused[f.block] = why
		}
	}
	if len(refused) > 0 {
		v.Errors = refused
		return refused
	}
	return nil
}

// answerSubmission does what the bot answered. s.mu is held.
func (s *Server) answerSubmission(ack *Ack, r reply, v *View) {
	trouble := func(rule, detail string) {
		ack.Error = "trouble_connecting"
		s.find(Finding{Rule: rule, Detail: detail, Method: "view_submission", Delivery: r.n})
	}
	if s.world.views[v.ID] == nil {
		return // the person closed it meanwhile
	}
	if strings.TrimSpace(string(r.body)) == "" {
		ack.Action = "close"
		s.world.closeFrom(v.User, v.ID)
		return
	}
	if !isJSON(r.media) {
		trouble("ack.content_type", r.media)
		return
	}
	decoded, err := decodeJSON(r.body)
	o, isObject := decoded.(map[string]any)
	if err != nil || !isObject {
		trouble("ack.invalid_json", "")
		return
	}
	action, _ := o["response_action"].(string)
	switch action {
	case "clear":
		s.world.closeStack(v.User)
	case "errors":
		errors, why := submissionErrors(o, v)
		if why != "" {
			trouble("ack.errors", why)
			return
		}
		v.Errors, ack.Errors = errors, errors
	case "update", "push":
		s.inspectAnswer(args{v: o, about: Finding{Method: "view_submission", Delivery: r.n}}, r)
		next, isView := o["view"].(map[string]any)
		if !isView {
			trouble("ack.view", "missing")
			return
		}
		if len(encodeJSON(next)) > viewLimit {
			trouble("ack.view", "view_too_large")
			return
		}
		if faults := s.validateView(next, "modal"); len(faults) > 0 {
			ack.Error = "trouble_connecting"
			s.findFaults(faults, "ack.view", "view_submission", r.n)
			return
		}
		if action == "update" {
			s.fill(v, next)
		} else if len(s.world.stacks[v.User]) >= stackLimit {
			trouble("ack.view", "push_limit_reached")
			return
		} else {
			s.stack(v.User, next)
		}
	default:
		if len(o) == 0 {
			ack.Action = "close"
			s.world.closeFrom(v.User, v.ID)
			return
		}
		trouble("ack.response_action", "unknown")
		return
	}
	ack.Action = action
}

// submissionErrors reads the errors of a refused form; every key must be the block_id of an input block.
func submissionErrors(o map[string]any, v *View) (map[string]string, string) {
	given, isObject := o["errors"].(map[string]any)
	if !isObject || len(given) == 0 {
		return nil, "errors is missing or empty"
	}
	var inputs []string
	for _, f := range fields(v.Blocks) {
		if f.input {
			inputs = append(inputs, f.block)
		}
	}
	out := map[string]string{}
	for block, text := range given {
		t, isString := text.(string)
		if !isString || backstage.Blank(t) {
			return nil, "an error is not a text"
		}
		if !slices.Contains(inputs, block) {
			return nil, "a key is not the block_id of an input block"
		}
		out[block] = t
	}
	return out, ""
}

// CloseView closes the modal on top, or with all the whole stack. The bot hears view_closed when the view asked for it
// with notify_on_close; closing a view with clear_on_close closes the whole stack.
func (s *Server) CloseView(user, view string, all bool) (Ack, error) {
	s.mu.Lock()
	v, err := s.top(user, view)
	if err != nil {
		s.mu.Unlock()
		return Ack{}, err
	}
	cleared := all || v.ClearOnClose
	payload := s.interactionHead("view_closed", user)
	payload["view"], payload["is_cleared"] = s.viewJSON(v), cleared
	told := v.NotifyOnClose
	if cleared {
		s.world.closeStack(user)
	} else {
		s.world.closeFrom(user, view)
	}
	s.mu.Unlock()
	s.change(Change{Kind: ChangeView, User: user, View: view})
	if !told {
		return Ack{Action: "close"}, nil
	}
	ack := ackOf(s.interaction(payload))
	ack.Action = "close"
	return ack, nil
}
