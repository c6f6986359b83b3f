package feishusim

import (
	"maps"
	"slices"
	"strings"
)

// Person is a member of the firm, or of another one when TenantKey says so.
type Person struct {
	OpenID          string   `json:"open_id"`  // ou_…, of this app; made when empty
	UnionID         string   `json:"union_id"` // on_…, of this developer; made when empty
	UserID          string   `json:"user_id"`  // of the firm; made when empty
	Name            string   `json:"name"`
	EnName          string   `json:"en_name,omitempty"`
	Handle          string   `json:"handle"` // what Say understands after @, beside Name and EnName; the user_id when empty
	Email           string   `json:"email,omitempty"`
	EnterpriseEmail string   `json:"enterprise_email,omitempty"`
	Mobile          string   `json:"mobile,omitempty"` // +8613…
	EmployeeNo      string   `json:"employee_no,omitempty"`
	JobTitle        string   `json:"job_title,omitempty"`
	Departments     []string `json:"departments,omitempty"` // open_department_ids; none is the root
	Leader          string   `json:"leader,omitempty"`      // open_id of the direct manager
	JoinTime        int64    `json:"join_time,omitempty"`   // Unix seconds
	Locale          string   `json:"locale,omitempty"`      // zh_cn when empty; Feishu tells it to nobody
	TenantKey       string   `json:"tenant_key,omitempty"`
	Resigned        bool     `json:"resigned,omitempty"`
	Frozen          bool     `json:"frozen,omitempty"`
	Unactivated     bool     `json:"unactivated,omitempty"` // invited, never logged in
	Unavailable     bool     `json:"unavailable,omitempty"` // outside the app's availability range
}

// Active says whether the person can use Feishu.
func (p Person) Active() bool { return !p.Resigned && !p.Frozen && !p.Unactivated }

// Department is a department.
type Department struct {
	ID       string `json:"open_department_id"` // od-…, made when empty
	CustomID string `json:"department_id"`      // made when empty
	Name     string `json:"name"`
	Parent   string `json:"parent"`           // open_department_id; 0, the root, when empty
	Leader   string `json:"leader,omitempty"` // open_id
}

// Root is the id of the firm as a department.
const Root = "0"

// AddPerson adds or replaces a person and returns them with their ids. The bot is not told; see Join and ChangePerson.
func (s *Server) AddPerson(p Person) Person {
	s.mu.Lock()
	p = s.addPerson(p)
	s.mu.Unlock()
	s.change(Change{Kind: ChangePeople, User: p.OpenID})
	return p
}

func (s *Server) addPerson(p Person) Person {
	if p.OpenID == "" {
		p.OpenID = s.world.id("ou_")
	}
	if p.UnionID == "" {
		p.UnionID = s.world.id("on_")
	}
	if p.UserID == "" {
		p.UserID = hexID("user", s.world.count("user"))[:8]
	}
	if p.Handle == "" {
		p.Handle = p.UserID
	}
	if p.TenantKey == "" {
		p.TenantKey = s.opts.TenantKey
	}
	if p.Locale == "" {
		p.Locale = "zh_cn"
	}
	p.Departments = slices.Clone(p.Departments)
	s.world.people[p.OpenID] = &p
	return p
}

// AddDepartment adds or replaces a department and returns it with its ids.
func (s *Server) AddDepartment(d Department) Department {
	s.mu.Lock()
	if d.ID == "" {
		d.ID = s.world.id("od-")
	}
	if d.CustomID == "" {
		d.CustomID = hexID("department", s.world.count("department"))[:8]
	}
	if d.Parent == "" {
		d.Parent = Root
	}
	s.world.departments[d.ID] = &d
	s.mu.Unlock()
	s.change(Change{Kind: ChangePeople})
	return d
}

// Join adds a person and tells the bot, as when somebody is hired.
func (s *Server) Join(p Person) (Person, Ack) {
	p = s.AddPerson(p)
	s.mu.Lock()
	object := s.userJSON(p, byOpenID, byOpenDepartment)
	s.mu.Unlock()
	return p, s.Emit("contact.user.created_v3", map[string]any{"object": object})
}

// ChangePerson edits a person and tells the bot: contact.user.updated_v3 with the changed fields of before in old_object,
// or contact.user.deleted_v3 when the person has resigned. The ids cannot change. ok is false for nobody.
func (s *Server) ChangePerson(openID string, edit func(*Person)) (p Person, ack Ack, ok bool) {
	s.mu.Lock()
	at := s.world.people[openID]
	if at == nil {
		s.mu.Unlock()
		return Person{}, Ack{}, false
	}
	was := *at
	p = was
	p.Departments = slices.Clone(was.Departments)
	edit(&p)
	p.OpenID, p.UnionID, p.UserID = was.OpenID, was.UnionID, was.UserID
	s.world.people[openID] = &p
	before, after := s.userJSON(was, byOpenID, byOpenDepartment), s.userJSON(p, byOpenID, byOpenDepartment)
	s.mu.Unlock()
	s.change(Change{Kind: ChangePeople, User: openID})
	if p.Resigned && !was.Resigned {
		return p, s.Emit("contact.user.deleted_v3", map[string]any{
			"object": after, "old_object": map[string]any{"department_ids": before["department_ids"]},
		}), true
	}
	old := map[string]any{}
	for k, v := range before {
		if string(encodeJSON(v)) != string(encodeJSON(after[k])) {
			old[k] = v
		}
	}
	return p, s.Emit("contact.user.updated_v3", map[string]any{"object": after, "old_object": old}), true
}

// People returns the people by open_id.
func (s *Server) People() []Person {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Person
	for _, id := range slices.Sorted(maps.Keys(s.world.people)) {
		p := *s.world.people[id]
		p.Departments = slices.Clone(p.Departments)
		out = append(out, p)
	}
	return out
}

// Departments returns the departments by open_department_id.
func (s *Server) Departments() []Department {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Department
	for _, id := range slices.Sorted(maps.Keys(s.world.departments)) {
		out = append(out, *s.world.departments[id])
	}
	return out
}

// The types of id by which a call can name people.
const (
	byOpenID  = "open_id"
	byUnionID = "union_id"
	byUserID  = "user_id"
)

// key is the person's id of one type.
func (p Person) key(idType string) string {
	switch idType {
	case byUnionID:
		return p.UnionID
	case byUserID:
		return p.UserID
	}
	return p.OpenID
}

// person finds somebody by an id of one type.
func (w *world) person(idType, id string) *Person {
	if id == "" {
		return nil
	}
	if idType == byOpenID {
		return w.people[id]
	}
	for _, p := range w.people {
		if p.key(idType) == id {
			return p
		}
	}
	return nil
}

// anyone finds somebody by an id of whatever type, as cards name people.
func (w *world) anyone(id string) *Person {
	for _, t := range []string{byOpenID, byUnionID, byUserID} {
		if p := w.person(t, id); p != nil {
			return p
		}
	}
	return nil
}

// mentioned finds whom a text means right after an @: the longest handle, name or English name that it begins with.
func (w *world) mentioned(text string) (p *Person, n int) {
	lower := strings.ToLower(text)
	for _, id := range slices.Sorted(maps.Keys(w.people)) {
		at := w.people[id]
		for _, name := range []string{at.Handle, at.Name, at.EnName} {
			if at.Resigned || name == "" || len(name) <= n || !strings.HasPrefix(lower, strings.ToLower(name)) {
				continue
			}
			p, n = at, len(name)
		}
	}
	return p, n
}
