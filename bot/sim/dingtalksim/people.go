package dingtalksim

import (
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"strings"

	"huiyin/bot/sim/backstage"
)

// Person is a member of the firm, or of another one when CorpID says so.
type Person struct {
	UserID     string  `json:"userid"`      // staffId, made when empty; other firms' people have none that is told
	UnionID    string  `json:"unionid"`     // made when empty
	DingtalkID string  `json:"dingtalk_id"` // $:LWCP_v1:$…, which no API maps to anybody; made when empty
	Name       string  `json:"name"`
	EnName     string  `json:"en_name,omitempty"` // what Say understands too; DingTalk has no such field
	Handle     string  `json:"handle"`            // what Say understands after @, beside the names; the userid when empty
	JobNumber  string  `json:"job_number,omitempty"`
	Title      string  `json:"title,omitempty"`
	Email      string  `json:"email,omitempty"`
	OrgEmail   string  `json:"org_email,omitempty"`
	Mobile     string  `json:"mobile,omitempty"`       // 13800000001
	DeptIDs    []int64 `json:"dept_id_list,omitempty"` // none is the root
	Leads      []int64 `json:"leads,omitempty"`        // dept_ids of which the person is a leader
	Manager    string  `json:"manager_userid,omitempty"`
	HiredDate  int64   `json:"hired_date,omitempty"` // Unix milliseconds
	Admin      bool    `json:"admin,omitempty"`
	Boss       bool    `json:"boss,omitempty"`
	CorpID     string  `json:"corp_id,omitempty"`
	Inactive   bool    `json:"inactive,omitempty"` // invited, never logged in
	Left       bool    `json:"left,omitempty"`     // gone from the firm and from its lists
}

// Active says whether the person can use DingTalk as a member of a firm.
func (p Person) Active() bool { return !p.Left && !p.Inactive }

// Department is a department.
type Department struct {
	ID       int64    `json:"dept_id"` // made when 0
	Name     string   `json:"name"`
	Parent   int64    `json:"parent_id"`                          // Root when 0
	Managers []string `json:"dept_manager_userid_list,omitempty"` // besides those who lead it
}

// Root is the dept_id of the firm.
const Root int64 = 1

// lwcp is an encrypted id as messages carry it.
func lwcp(kind string, n int) string {
	return "$:LWCP_v1:$" + base64.StdEncoding.EncodeToString([]byte(backstage.HexID(kind, n)[:24]))
}

// AddPerson adds or replaces a person and returns them with their ids. The bot is not told; see Join and ChangePerson.
func (s *Server) AddPerson(p Person) Person {
	s.mu.Lock()
	n := s.world.count("person")
	if p.UserID == "" {
		p.UserID = "0" + strconv.Itoa(1_000_000_000+n*7919)
	}
	if p.UnionID == "" {
		p.UnionID = backstage.HexID("union", n)[:22] + "iE"
	}
	if p.DingtalkID == "" {
		p.DingtalkID = lwcp("person", n)
	}
	if p.Handle == "" {
		p.Handle = p.UserID
	}
	if p.CorpID == "" {
		p.CorpID = s.opts.CorpID
	}
	p.DeptIDs, p.Leads = slices.Clone(p.DeptIDs), slices.Clone(p.Leads)
	s.world.people[p.UserID] = &p
	s.mu.Unlock()
	s.changes.Tell(Change{Kind: ChangePeople, User: p.UserID})
	return p
}

// AddDepartment adds or replaces a department and returns it with its id.
func (s *Server) AddDepartment(d Department) Department {
	s.mu.Lock()
	if d.ID == 0 {
		d.ID = 600_000_000 + int64(s.world.count("department"))
	}
	if d.Parent == 0 {
		d.Parent = Root
	}
	d.Managers = slices.Clone(d.Managers)
	s.world.departments[d.ID] = &d
	s.mu.Unlock()
	s.changes.Tell(Change{Kind: ChangePeople})
	return d
}

// Join adds a person and tells the bot, as when somebody is hired: user_add_org.
func (s *Server) Join(p Person) (Person, Ack) {
	p = s.AddPerson(p)
	return p, s.Emit("user_add_org", map[string]any{"userId": []string{p.UserID}})
}

// ChangePerson edits a person and tells the bot user_modify_org, or user_leave_org when the person has left; the event says
// who, and nothing else. The ids cannot change. ok is false for nobody.
func (s *Server) ChangePerson(userID string, edit func(*Person)) (p Person, ack Ack, ok bool) {
	s.mu.Lock()
	at := s.world.people[userID]
	if at == nil {
		s.mu.Unlock()
		return Person{}, Ack{}, false
	}
	was := *at
	p = was
	p.DeptIDs, p.Leads = slices.Clone(was.DeptIDs), slices.Clone(was.Leads)
	edit(&p)
	p.UserID, p.UnionID, p.DingtalkID = was.UserID, was.UnionID, was.DingtalkID
	s.world.people[userID] = &p
	s.mu.Unlock()
	s.changes.Tell(Change{Kind: ChangePeople, User: userID})
	kind := "user_modify_org"
	if p.Left && !was.Left {
		kind = "user_leave_org"
	}
	return p, s.Emit(kind, map[string]any{"userId": []string{userID}}), true
}

// ChangeDepartment edits a department and tells the bot: org_dept_create when there was none of this id, org_dept_remove when
// edit is nil, org_dept_modify else. An id of 0 makes a new department.
func (s *Server) ChangeDepartment(id int64, edit func(*Department)) (Department, Ack) {
	s.mu.Lock()
	var d Department
	kind := "org_dept_create"
	if at := s.world.departments[id]; at != nil {
		d, kind = *at, "org_dept_modify"
	}
	if edit == nil {
		kind = "org_dept_remove"
		delete(s.world.departments, id)
	}
	s.mu.Unlock()
	d.ID = id
	if edit != nil {
		edit(&d)
		d.ID = id
		d = s.AddDepartment(d)
	}
	return d, s.Emit(kind, map[string]any{"deptId": []int64{d.ID}})
}

// People returns the people by userid.
func (s *Server) People() []Person {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Person
	for _, id := range slices.Sorted(maps.Keys(s.world.people)) {
		p := *s.world.people[id]
		p.DeptIDs, p.Leads = slices.Clone(p.DeptIDs), slices.Clone(p.Leads)
		out = append(out, p)
	}
	return out
}

// Departments returns the departments by dept_id; the root is not one of them.
func (s *Server) Departments() []Department {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Department
	for _, id := range slices.Sorted(maps.Keys(s.world.departments)) {
		d := *s.world.departments[id]
		d.Managers = slices.Clone(d.Managers)
		out = append(out, d)
	}
	return out
}

// member finds somebody whom the API can name by userid: people of the firm who have not left. s.mu is held.
func (s *Server) member(userID string) *Person {
	p := s.world.people[userID]
	if p == nil || p.Left || p.CorpID != s.opts.CorpID {
		return nil
	}
	return p
}

// byUnion finds a member by unionid. s.mu is held.
func (s *Server) byUnion(unionID string) *Person {
	for _, p := range s.world.people {
		if p.UnionID == unionID && s.member(p.UserID) != nil {
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
			if at.Left || name == "" || len(name) <= n || !strings.HasPrefix(lower, strings.ToLower(name)) {
				continue
			}
			p, n = at, len(name)
		}
	}
	return p, n
}
