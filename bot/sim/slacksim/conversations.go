package slacksim

import (
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// The kinds of Channel.
const (
	Public  = "public"
	Private = "private"
	IM      = "im"
	MPIM    = "mpim"
)

// Channel is a conversation.
type Channel struct {
	ID       string   `json:"id"` // C… or D…, made when empty
	Name     string   `json:"name,omitempty"`
	Kind     string   `json:"kind"` // Public when empty
	Members  []string `json:"members"`
	Archived bool     `json:"is_archived,omitempty"`
}

// AddChannel adds or replaces a channel and returns it with its id. The bot is a member only when listed.
func (s *Server) AddChannel(c Channel) Channel {
	s.mu.Lock()
	if c.Kind == "" {
		c.Kind = Public
	}
	if c.ID == "" {
		c.ID = s.world.id("C")
	}
	c.Members = slices.Clone(c.Members)
	s.world.channels[c.ID] = &c
	s.mu.Unlock()
	s.change(Change{Kind: ChangePeople, Channel: c.ID})
	return c
}

// Channels returns the conversations by id, direct messages included. An empty person sees all; otherwise those that the
// person can open.
func (s *Server) Channels(as string) []Channel {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Channel
	for _, id := range slices.Sorted(maps.Keys(s.world.channels)) {
		c := s.world.channels[id]
		if as == "" || s.world.canRead(c, as) {
			copied := *c
			copied.Members = slices.Clone(c.Members)
			out = append(out, copied)
		}
	}
	return out
}

// DM returns the id of the direct conversation between the person and the bot, opening it when needed.
func (s *Server) DM(user string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.openDM(user).ID
}

func (s *Server) openDM(user string) *Channel {
	for _, c := range s.world.channels {
		if c.Kind == IM && slices.Contains(c.Members, user) && slices.Contains(c.Members, s.opts.BotUser) {
			return c
		}
	}
	c := &Channel{ID: s.world.id("D"), Kind: IM, Members: []string{s.opts.BotUser, user}}
	s.world.channels[c.ID] = c
	return c
}

// canRead says whether a person can open a channel: members always, others only public channels, guests never.
func (w *world) canRead(c *Channel, user string) bool {
	if slices.Contains(c.Members, user) {
		return true
	}
	p := w.people[user]
	return c.Kind == Public && p != nil && !p.Restricted && !p.UltraRestricted && !p.Stranger
}

// botChannel is the channel as far as the bot may know it: private ones only as a member.
func (s *Server) botChannel(id string) *Channel {
	c := s.world.channels[id]
	if c == nil || c.Kind != Public && !slices.Contains(c.Members, s.opts.BotUser) {
		return nil
	}
	return c
}

func (s *Server) botIn(c *Channel) bool { return slices.Contains(c.Members, s.opts.BotUser) }

// dmRefusal says why the bot cannot have a direct conversation with a user, or nothing.
func (s *Server) dmRefusal(user string) string {
	p := s.world.people[user]
	switch {
	case p == nil:
		return "user_not_found"
	case p.IsBot || user == "USLACKBOT":
		return "cannot_dm_bot"
	case p.Deleted:
		return "user_disabled"
	}
	return ""
}

func conversationsOpen(s *Server, a args) answer {
	if id := a.str("channel"); id != "" {
		c := s.botChannel(id)
		switch {
		case c == nil:
			return fail("channel_not_found")
		case c.Kind != IM && c.Kind != MPIM:
			return fail("method_not_supported_for_channel_type")
		}
		return ok(map[string]any{"channel": s.opened(c, a)})
	}
	users := a.list("users")
	switch {
	case len(users) == 0:
		return fail("users_list_not_supplied")
	case len(users) > 8:
		return fail("too_many_users")
	}
	for _, u := range users {
		if why := s.dmRefusal(u); why != "" {
			return fail(why)
		}
	}
	if len(users) == 1 {
		return ok(map[string]any{"channel": s.opened(s.openDM(users[0]), a)})
	}
	members := append([]string{s.opts.BotUser}, users...)
	slices.Sort(members)
	members = slices.Compact(members)
	for _, c := range s.world.channels {
		if c.Kind == MPIM && slices.Equal(c.Members, members) {
			return ok(map[string]any{"channel": s.opened(c, a)})
		}
	}
	c := &Channel{ID: s.world.id("G"), Kind: MPIM, Members: members}
	s.world.channels[c.ID] = c
	return ok(map[string]any{"channel": s.opened(c, a)})
}

func (s *Server) opened(c *Channel, a args) map[string]any {
	if a.flag("return_im") {
		return s.channelJSON(c)
	}
	return map[string]any{"id": c.ID}
}

func (s *Server) channelJSON(c *Channel) map[string]any {
	out := map[string]any{
		"id": c.ID, "created": 1767603600, "is_archived": c.Archived, "is_im": c.Kind == IM, "is_org_shared": false,
		"context_team_id": s.opts.Team.ID,
	}
	if c.Kind == IM {
		for _, m := range c.Members {
			if m != s.opts.BotUser {
				out["user"] = m
				if p := s.world.people[m]; p != nil {
					out["is_user_deleted"] = p.Deleted
				}
			}
		}
		return out
	}
	maps.Copy(out, map[string]any{
		"name": c.Name, "name_normalized": c.Name, "is_channel": c.Kind == Public, "is_group": c.Kind == Private,
		"is_mpim": c.Kind == MPIM, "is_private": c.Kind != Public, "is_member": s.botIn(c), "is_general": false,
		"is_shared": false, "is_ext_shared": false, "num_members": len(c.Members),
	})
	return out
}

func conversationsInfo(s *Server, a args) answer {
	c := s.botChannel(a.str("channel"))
	if c == nil {
		return fail("channel_not_found")
	}
	out := s.channelJSON(c)
	if !a.flag("include_num_members") {
		delete(out, "num_members")
	}
	return ok(map[string]any{"channel": out})
}

func conversationsList(s *Server, a args) answer {
	want := []string{"public_channel"}
	if t := a.list("types"); len(t) > 0 {
		want = t
	}
	names := map[string]string{Public: "public_channel", Private: "private_channel", IM: "im", MPIM: "mpim"}
	for _, t := range want {
		if !slices.Contains(slices.Collect(maps.Values(names)), t) {
			return fail("invalid_types")
		}
	}
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(s.world.channels)) {
		c := s.botChannel(id)
		if c != nil && slices.Contains(want, names[c.Kind]) && !(c.Archived && a.flag("exclude_archived")) {
			ids = append(ids, id)
		}
	}
	page, next, err := s.page(ids, a, 100)
	if err != "" {
		return fail(err)
	}
	out := []any{}
	for _, id := range page {
		out = append(out, s.channelJSON(s.world.channels[id]))
	}
	return ok(map[string]any{"channels": out, "response_metadata": map[string]any{"next_cursor": next}})
}

func conversationsMembers(s *Server, a args) answer {
	c := s.botChannel(a.str("channel"))
	if c == nil {
		return fail("channel_not_found")
	}
	page, next, err := s.page(slices.Sorted(slices.Values(c.Members)), a, 100)
	if err != "" {
		return fail(err)
	}
	return ok(map[string]any{"members": page, "response_metadata": map[string]any{"next_cursor": next}})
}

func conversationsHistory(s *Server, a args) answer {
	return s.history(a, func(m *Message) bool { return m.ThreadTS == "" || m.ThreadTS == m.TS }, true)
}

func conversationsReplies(s *Server, a args) answer {
	root := a.str("ts")
	if c := s.botChannel(a.str("channel")); c != nil && s.world.message(c.ID, root) == nil {
		return fail("thread_not_found")
	}
	return s.history(a, func(m *Message) bool { return m.TS == root || m.ThreadTS == root }, false)
}

// history answers both reading methods. Pages run from the newest message backwards, replies forwards.
func (s *Server) history(a args, in func(*Message) bool, newestFirst bool) answer {
	c := s.botChannel(a.str("channel"))
	switch {
	case c == nil:
		return fail("channel_not_found")
	case !s.botIn(c):
		return fail("not_in_channel")
	}
	for _, bound := range []string{"oldest", "latest"} {
		if v := a.str(bound); v != "" {
			if _, err := strconv.ParseFloat(v, 64); err != nil {
				return fail("invalid_ts_" + bound)
			}
		}
	}
	var keys []string
	for _, m := range s.world.messages[c.ID] {
		if m.EphemeralTo == "" && in(m) && a.between(m.TS) {
			keys = append(keys, m.TS)
		}
	}
	if newestFirst {
		slices.Reverse(keys)
	}
	page, next, err := s.page(keys, a, 100)
	if err != "" {
		return fail(err)
	}
	out := []any{}
	for _, ts := range page {
		j := s.messageJSON(s.world.message(c.ID, ts))
		if !a.flag("include_all_metadata") {
			delete(j, "metadata")
		}
		out = append(out, j)
	}
	reply := map[string]any{"messages": out, "has_more": next != ""}
	if next != "" {
		reply["response_metadata"] = map[string]any{"next_cursor": next}
	}
	return ok(reply)
}

// between applies oldest, latest and inclusive to a timestamp; the empty bound is no bound.
func (a args) between(ts string) bool {
	inclusive := a.flag("inclusive")
	if v := a.str("oldest"); v != "" && v != "0" {
		if d := compareTS(ts, v); d < 0 || d == 0 && !inclusive {
			return false
		}
	}
	if v := a.str("latest"); v != "" {
		if d := compareTS(ts, v); d > 0 || d == 0 && !inclusive {
			return false
		}
	}
	return true
}

// compareTS orders timestamps of any precision, such as 1767603600 against 1767603600.000100.
func compareTS(a, b string) int {
	pad := func(ts string) string {
		whole, frac, _ := strings.Cut(ts, ".")
		for len(frac) < 6 {
			frac += "0"
		}
		for len(whole) < 10 {
			whole = "0" + whole
		}
		return whole + "." + frac
	}
	return strings.Compare(pad(a), pad(b))
}

// page cuts one page out of keys: limit and cursor as the caller gave them, size without a limit, never more than PageSize.
// The cursor names the first key of the next page, so that it survives what is added meanwhile.
func (s *Server) page(keys []string, a args, size int) (page []string, next, refusal string) {
	if v := a.str("limit"); v != "" && v != "0" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 || n > 1000 {
			return nil, "", "invalid_limit"
		}
		size = n
	}
	size = min(size, s.opts.PageSize)
	from := 0
	if c := a.str("cursor"); c != "" {
		key, err := base64.StdEncoding.DecodeString(c)
		if err != nil || !strings.HasPrefix(string(key), "next:") {
			return nil, "", "invalid_cursor"
		}
		from = slices.Index(keys, strings.TrimPrefix(string(key), "next:"))
		if from < 0 {
			return nil, "", "invalid_cursor"
		}
	}
	to := min(from+size, len(keys))
	if to < len(keys) {
		next = base64.StdEncoding.EncodeToString([]byte("next:" + keys[to]))
	}
	return append([]string{}, keys[from:to]...), next, ""
}
