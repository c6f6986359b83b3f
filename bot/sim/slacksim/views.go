package slacksim

import (
	"encoding/json"
	"fmt"
	"slices"
)

// parseView reads and validates the view argument. s.mu is held.
func (s *Server) parseView(a args, surface string) (map[string]any, answer) {
	v, err := a.value("view")
	if err != nil {
		return nil, answer{err: "invalid_arguments", body: map[string]any{
			"response_metadata": map[string]any{"messages": []string{"[ERROR] invalid JSON [json-pointer:/view]"}},
		}}
	}
	o, isObject := v.(map[string]any)
	if !isObject {
		return nil, s.missing("view")
	}
	if len(encodeJSON(o)) > viewLimit {
		return nil, fail("view_too_large")
	}
	if faults := s.validateView(o, surface); len(faults) > 0 {
		return nil, faults.answer("invalid_arguments")
	}
	return o, answer{}
}

// fill copies the parsed view into v, giving ids to blocks and elements without one and a new hash. What the person
// entered stays where block_id and action_id stay. s.mu is held.
func (s *Server) fill(v *View, o map[string]any) {
	text := func(k string) string { t, _ := o[k].(string); return t }
	raw := func(k string) json.RawMessage {
		if o[k] == nil {
			return nil
		}
		return encodeJSON(o[k])
	}
	flag := func(k string) bool { b, _ := o[k].(bool); return b }
	blocks, _ := o["blocks"].([]any)
	v.Type, v.CallbackID, v.ExternalID, v.PrivateMetadata = text("type"), text("callback_id"), text("external_id"), text("private_metadata")
	v.Title, v.Submit, v.Close = raw("title"), raw("submit"), raw("close")
	v.Blocks = encodeJSON(s.withIDs(blocks))
	v.ClearOnClose, v.NotifyOnClose = flag("clear_on_close"), flag("notify_on_close")
	v.Hash = fmt.Sprintf("%d.%08x", s.now().Unix(), s.world.count("hash"))
	v.Values = held(v.Blocks, v.Values)
	v.Errors = nil
	s.world.views[v.ID] = v
}

// taken says whether another view of the workspace has the external_id. s.mu is held.
func (w *world) taken(external, except string) bool {
	if external == "" {
		return false
	}
	for id, v := range w.views {
		if id != except && v.ExternalID == external {
			return true
		}
	}
	return false
}

func viewsOpen(s *Server, a args) answer { return s.show(a, false) }

func viewsPush(s *Server, a args) answer { return s.show(a, true) }

func (s *Server) show(a args, push bool) answer {
	if !a.has("trigger_id") {
		return s.missing("trigger_id")
	}
	o, refusal := s.parseView(a, "modal")
	if refusal.err != "" {
		return refusal
	}
	external, _ := o["external_id"].(string)
	if s.world.taken(external, "") {
		return fail("duplicate_external_id")
	}
	t, why := s.exchangeTrigger(a.str("trigger_id"))
	if why != "" {
		return fail(why)
	}
	if push {
		stack := s.world.stacks[t.user]
		if t.view == "" || !slices.Contains(stack, t.view) {
			return fail("not_found")
		}
		if len(stack) >= stackLimit {
			return fail("push_limit_reached")
		}
	} else {
		s.world.closeStack(t.user)
	}
	v := s.stack(t.user, o)
	return answer{body: map[string]any{"view": s.viewJSON(v)}, after: func() {
		s.change(Change{Kind: ChangeView, User: v.User, View: v.ID})
	}}
}

// stack puts a new modal on top of the person's stack. s.mu is held.
func (s *Server) stack(user string, o map[string]any) *View {
	v := &View{ID: s.world.id("V"), User: user}
	v.RootID = v.ID
	if below := s.world.stacks[user]; len(below) > 0 {
		v.RootID, v.PreviousID = below[0], below[len(below)-1]
	}
	s.fill(v, o)
	s.world.stacks[user] = append(slices.Clone(s.world.stacks[user]), v.ID)
	return v
}

// closeStack closes all modals of a person.
func (w *world) closeStack(user string) {
	for _, id := range w.stacks[user] {
		delete(w.views, id)
	}
	delete(w.stacks, user)
}

// closeTop closes the modals from one upwards.
func (w *world) closeFrom(user, id string) {
	stack := w.stacks[user]
	i := slices.Index(stack, id)
	if i < 0 {
		return
	}
	for _, above := range stack[i:] {
		delete(w.views, above)
	}
	w.stacks[user] = slices.Clone(stack[:i])
}

func viewsUpdate(s *Server, a args) answer {
	if !a.has("view_id") && !a.has("external_id") {
		return s.missing("view_id", "external_id")
	}
	var v *View
	for _, candidate := range s.world.views {
		if candidate.ID == a.str("view_id") || !a.has("view_id") && candidate.ExternalID == a.str("external_id") {
			v = candidate
		}
	}
	if v == nil {
		return fail("not_found")
	}
	o, refusal := s.parseView(a, v.Type)
	if refusal.err != "" {
		return refusal
	}
	external, _ := o["external_id"].(string)
	switch {
	case a.has("hash") && a.str("hash") != v.Hash:
		return fail("hash_conflict")
	case s.world.taken(external, v.ID):
		return fail("duplicate_external_id")
	}
	s.fill(v, o)
	kind := ChangeView
	if v.Type == "home" {
		kind = ChangeHome
	}
	return answer{body: map[string]any{"view": s.viewJSON(v)}, after: func() {
		s.change(Change{Kind: kind, User: v.User, View: v.ID})
	}}
}

func viewsPublish(s *Server, a args) answer {
	if !a.has("user_id") {
		return s.missing("user_id")
	}
	o, refusal := s.parseView(a, "home")
	if refusal.err != "" {
		return refusal
	}
	user := a.str("user_id")
	p := s.world.people[user]
	if p == nil || p.Deleted || p.IsBot {
		return answer{err: "invalid_arguments", body: map[string]any{
			"response_metadata": map[string]any{"messages": []string{"[ERROR] invalid user [json-pointer:/user_id]"}},
		}}
	}
	if s.opts.NoHomeTab {
		return fail("not_enabled")
	}
	v := s.world.views[s.world.homes[user]]
	external, _ := o["external_id"].(string)
	switch {
	case a.has("hash") && (v == nil || a.str("hash") != v.Hash):
		return fail("hash_conflict")
	case s.world.taken(external, s.world.homes[user]):
		return fail("duplicate_external_id")
	}
	if v == nil {
		v = &View{ID: s.world.id("V"), User: user}
		v.RootID = v.ID
		s.world.homes[user] = v.ID
	}
	s.fill(v, o)
	return answer{body: map[string]any{"view": s.viewJSON(v)}, after: func() {
		s.change(Change{Kind: ChangeHome, User: user, View: v.ID})
	}}
}

// viewJSON is the view as the API and the payloads give it, with its state. s.mu is held.
func (s *Server) viewJSON(v *View) map[string]any {
	var previous any
	if v.PreviousID != "" {
		previous = v.PreviousID
	}
	out := map[string]any{
		"id": v.ID, "team_id": s.opts.Team.ID, "type": v.Type, "blocks": v.Blocks, "private_metadata": v.PrivateMetadata,
		"callback_id": v.CallbackID, "state": map[string]any{"values": s.values(v.Blocks, v.Values)}, "hash": v.Hash,
		"title": rawOrNull(v.Title), "submit": rawOrNull(v.Submit), "close": rawOrNull(v.Close),
		"clear_on_close": v.ClearOnClose, "notify_on_close": v.NotifyOnClose, "previous_view_id": previous,
		"root_view_id": v.RootID, "app_id": s.opts.AppID, "external_id": v.ExternalID, "bot_id": s.botID(),
		"app_installed_team_id": s.opts.Team.ID,
	}
	return out
}
