package slacksim

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Person is a member of the workspace, or a stranger from another one.
type Person struct {
	ID              string `json:"id"`     // U…, made when empty
	Handle          string `json:"handle"` // what is typed after @; unique; made from the id when empty
	RealName        string `json:"real_name"`
	DisplayName     string `json:"display_name"`
	Email           string `json:"email,omitempty"`
	Title           string `json:"title,omitempty"`
	TZ              string `json:"tz"`     // IANA, Asia/Shanghai when empty
	Locale          string `json:"locale"` // zh-CN when empty
	TeamID          string `json:"team_id,omitempty"`
	IsBot           bool   `json:"is_bot,omitempty"`
	IsAdmin         bool   `json:"is_admin,omitempty"`
	Deleted         bool   `json:"deleted,omitempty"`
	Restricted      bool   `json:"is_restricted,omitempty"`       // guest
	UltraRestricted bool   `json:"is_ultra_restricted,omitempty"` // guest of a single channel
	Stranger        bool   `json:"is_stranger,omitempty"`         // of another workspace, through Slack Connect
}

// Group is a user group, mentioned as a whole by its handle.
type Group struct {
	ID     string `json:"id"` // S…
	Handle string `json:"handle"`
	Name   string `json:"name"`
}

// AddPerson adds or replaces a member and returns them with their id. The bot is not told; see Join and ChangePerson.
func (s *Server) AddPerson(p Person) Person {
	s.mu.Lock()
	p = s.addPerson(p)
	s.mu.Unlock()
	s.change(Change{Kind: ChangePeople, User: p.ID})
	return p
}

func (s *Server) addPerson(p Person) Person {
	if p.ID == "" {
		p.ID = s.world.id("U")
	}
	if p.Handle == "" {
		p.Handle = strings.ToLower(p.ID)
	}
	if p.TZ == "" {
		p.TZ = "Asia/Shanghai"
	}
	if p.Locale == "" {
		p.Locale = "zh-CN"
	}
	if p.TeamID == "" {
		p.TeamID = s.opts.Team.ID
	}
	s.world.people[p.ID] = &p
	return p
}

// AddGroup adds a user group and returns it with its id.
func (s *Server) AddGroup(g Group) Group {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g.ID == "" {
		g.ID = s.world.id("S")
	}
	s.world.groups[g.ID] = &g
	return g
}

// Join adds a member and sends team_join, as when somebody is invited.
func (s *Server) Join(p Person) Person {
	p = s.AddPerson(p)
	s.Emit(map[string]any{"type": "team_join", "user": s.userObject(p)})
	return p
}

// ChangePerson edits a member and sends user_change with the whole new member.
func (s *Server) ChangePerson(id string, edit func(*Person)) (Person, bool) {
	s.mu.Lock()
	at := s.world.people[id]
	if at == nil {
		s.mu.Unlock()
		return Person{}, false
	}
	p := *at
	edit(&p)
	p.ID = id
	s.world.people[id] = &p
	s.mu.Unlock()
	s.change(Change{Kind: ChangePeople, User: id})
	s.Emit(map[string]any{"type": "user_change", "user": s.userObject(p)})
	return p, true
}

// People returns the members, the bot included, by id.
func (s *Server) People() []Person {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Person
	for _, id := range slices.Sorted(maps.Keys(s.world.people)) {
		out = append(out, *s.world.people[id])
	}
	return out
}

// byMention finds whom a typed @name means: a handle, or a display name that only one person has.
func (w *world) byMention(name string) *Person {
	var named *Person
	for _, p := range w.people {
		if p.Deleted {
			continue
		}
		if strings.EqualFold(p.Handle, name) {
			return p
		}
		if p.DisplayName != "" && p.DisplayName == name {
			if named != nil {
				return nil
			}
			named = p
		}
	}
	return named
}

// userObject is the member as users.info gives it. https://docs.slack.dev/reference/objects/user-object
func (s *Server) userObject(p Person) map[string]any {
	offset := 0
	if loc, err := time.LoadLocation(p.TZ); err == nil {
		_, offset = s.Now().In(loc).Zone()
	}
	return userJSON(p, offset)
}

func userJSON(p Person, offset int) map[string]any {
	profile := map[string]any{
		"real_name": p.RealName, "real_name_normalized": p.RealName,
		"display_name": p.DisplayName, "display_name_normalized": p.DisplayName,
		"title": p.Title, "phone": "", "team": p.TeamID, "status_text": "", "status_emoji": "", "avatar_hash": "g" + p.ID,
	}
	if p.Email != "" {
		profile["email"] = p.Email
	}
	u := map[string]any{
		"id": p.ID, "team_id": p.TeamID, "name": p.Handle, "deleted": p.Deleted, "profile": profile,
		"is_bot": p.IsBot, "is_app_user": false, "updated": 1767603600,
	}
	if p.Deleted {
		return u // a deactivated member has no zone, roles or real_name at the top
	}
	maps.Copy(u, map[string]any{
		"real_name": p.RealName, "tz": p.TZ, "tz_label": p.TZ, "tz_offset": offset,
		"is_admin": p.IsAdmin, "is_owner": false, "is_primary_owner": false,
		"is_restricted": p.Restricted || p.UltraRestricted, "is_ultra_restricted": p.UltraRestricted,
		"is_email_confirmed": true, "who_can_share_contact_card": "EVERYONE",
	})
	if p.Stranger {
		u["is_stranger"] = true
	}
	return u
}

func usersList(s *Server, a args) answer {
	ids := slices.Sorted(maps.Keys(s.world.people))
	if !a.has("limit") && len(ids) > 1000 {
		return fail("limit_required")
	}
	page, next, err := s.page(ids, a, 1000)
	if err != "" {
		return fail(err)
	}
	members := []any{}
	for _, id := range page {
		members = append(members, s.member(id, a))
	}
	return ok(map[string]any{
		"members": members, "cache_ts": s.now().Unix(), "response_metadata": map[string]any{"next_cursor": next},
	})
}

func usersInfo(s *Server, a args) answer {
	if s.world.people[a.str("user")] == nil {
		return fail("user_not_found")
	}
	return ok(map[string]any{"user": s.member(a.str("user"), a)})
}

func usersLookupByEmail(s *Server, a args) answer {
	if a.str("email") == "" {
		return s.missing("email")
	}
	for id, p := range s.world.people {
		if !p.Deleted && p.Email != "" && strings.EqualFold(p.Email, a.str("email")) {
			return ok(map[string]any{"user": s.member(id, a)})
		}
	}
	return fail("users_not_found")
}

func (s *Server) member(id string, a args) map[string]any {
	p := *s.world.people[id]
	offset := 0
	if loc, err := time.LoadLocation(p.TZ); err == nil {
		_, offset = s.now().In(loc).Zone()
	}
	u := userJSON(p, offset)
	if a.flag("include_locale") && !p.Deleted {
		u["locale"] = p.Locale
	}
	return u
}
