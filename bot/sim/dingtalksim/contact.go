package dingtalksim

import (
	"maps"
	"slices"
	"strings"
)

// maxPage is the size of a page of people.
const maxPage = 100

// The vendor's codes. https://open.dingtalk.com/document/development/server-api-error-codes-1
const (
	codeParameter    = 40035
	codeNoDepartment = 60003
	codeNoUser       = 60121
	codeOutOfRange   = 50004 // the department lies outside what the app may read
	codeUserRange    = 50002 // the person does
)

// department finds a department by its id; the root is found as itself. s.mu is held.
func (s *Server) department(id int64) (Department, bool) {
	if id == Root {
		return Department{ID: Root, Name: "回音测试公司"}, true
	}
	if d := s.world.departments[id]; d != nil {
		return *d, true
	}
	return Department{}, false
}

// mayRead says whether a department lies within what the app may read. s.mu is held.
func (s *Server) mayRead(id int64) bool {
	if len(s.opts.Readable) == 0 {
		return true
	}
	for range len(s.world.departments) + 1 { // a cycle of parents ends as well
		if slices.Contains(s.opts.Readable, id) {
			return true
		}
		d := s.world.departments[id]
		if d == nil {
			return false
		}
		id = d.Parent
	}
	return false
}

// in are a person's departments; without any it is the root.
func (p Person) in() []int64 {
	if len(p.DeptIDs) == 0 {
		return []int64{Root}
	}
	return p.DeptIDs
}

func (s *Server) maySee(p *Person) bool { return slices.ContainsFunc(p.in(), s.mayRead) }

// asked reads dept_id and finds the department. s.mu is held.
func (s *Server) asked(q request, optional bool) (Department, *answer) {
	var a answer
	id, given := q.integer("dept_id")
	if !given && q.json["dept_id"] == nil && optional {
		id, given = Root, true
	}
	d, found := s.department(id)
	switch {
	case !given:
		a = deny(codeParameter, "不合法的参数: dept_id")
	case !found:
		a = deny(codeNoDepartment, "部门不存在")
	case !s.mayRead(id):
		a = deny(codeOutOfRange, "请求的部门id不在授权范围内")
	default:
		return d, nil
	}
	return Department{}, &a
}

// children are the departments right below one, by id. s.mu is held.
func (s *Server) children(id int64) []*Department {
	var out []*Department
	for _, k := range slices.Sorted(maps.Keys(s.world.departments)) {
		if d := s.world.departments[k]; d.Parent == id && s.mayRead(k) {
			out = append(out, d)
		}
	}
	return out
}

// departmentListSub lists one level. https://open.dingtalk.com/document/development/obtain-the-department-list-v2
func departmentListSub(s *Server, q request) answer {
	d, refusal := s.asked(q, true)
	if refusal != nil {
		return *refusal
	}
	list := []any{}
	for _, c := range s.children(d.ID) {
		list = append(list, map[string]any{
			"dept_id": c.ID, "name": c.Name, "parent_id": c.Parent, "create_dept_group": false, "auto_add_user": false,
		})
	}
	return ok(map[string]any{"result": list})
}

func departmentListSubID(s *Server, q request) answer {
	d, refusal := s.asked(q, false)
	if refusal != nil {
		return *refusal
	}
	list := []int64{}
	for _, c := range s.children(d.ID) {
		list = append(list, c.ID)
	}
	return ok(map[string]any{"result": map[string]any{"dept_id_list": list}})
}

func departmentGet(s *Server, q request) answer {
	d, refusal := s.asked(q, false)
	if refusal != nil {
		return *refusal
	}
	managers := slices.Clone(d.Managers)
	for _, id := range slices.Sorted(maps.Keys(s.world.people)) {
		if p := s.member(id); p != nil && slices.Contains(p.Leads, d.ID) && !slices.Contains(managers, id) {
			managers = append(managers, id)
		}
	}
	out := map[string]any{
		"dept_id": d.ID, "name": d.Name, "order": 0, "brief": "", "source_identifier": "", "create_dept_group": false, "auto_add_user": false,
		"group_contain_sub_dept": false, "hide_dept": false, "outer_dept": false, "org_dept_owner": "",
		"dept_manager_userid_list": append([]string{}, managers...),
	}
	if d.ID != Root {
		out["parent_id"] = d.Parent
	}
	return ok(map[string]any{"result": out})
}

// of lists the people right in a department who have not left, by userid. s.mu is held.
func (s *Server) of(dept int64) []*Person {
	var out []*Person
	for _, id := range slices.Sorted(maps.Keys(s.world.people)) {
		if p := s.member(id); p != nil && slices.Contains(p.in(), dept) {
			out = append(out, p)
		}
	}
	return out
}

// page cuts the people of a department by cursor and size, 1 to 100. s.mu is held.
func (s *Server) page(q request, row func(*Person, int64) any) answer {
	d, refusal := s.asked(q, false)
	if refusal != nil {
		return *refusal
	}
	cursor, hasCursor := q.integer("cursor")
	size, hasSize := q.integer("size")
	if !hasCursor || cursor < 0 || !hasSize || size < 1 || size > maxPage {
		return deny(codeParameter, "不合法的参数: cursor or size")
	}
	all := s.of(d.ID)
	from := min(int(cursor), len(all))
	to := min(from+int(min(size, int64(s.opts.PageSize))), len(all))
	list := []any{}
	for _, p := range all[from:to] {
		list = append(list, row(p, d.ID))
	}
	out := map[string]any{"has_more": to < len(all), "list": list}
	if to < len(all) {
		out["next_cursor"] = to
	}
	return ok(map[string]any{"result": out})
}

// userList lists the people of one department, so that somebody with two departments comes twice; it does not know their
// managers. https://open.dingtalk.com/document/development/queries-the-complete-information-of-a-department-user
func userList(s *Server, q request) answer {
	return s.page(q, func(p *Person, dept int64) any {
		out := s.userJSON(p)
		out["leader"] = slices.Contains(p.Leads, dept)
		out["dept_order"] = 176_300_000_000
		return out
	})
}

func userListSimple(s *Server, q request) answer {
	return s.page(q, func(p *Person, _ int64) any { return map[string]any{"userid": p.UserID, "name": p.Name} })
}

func userListID(s *Server, q request) answer {
	d, refusal := s.asked(q, false)
	if refusal != nil {
		return *refusal
	}
	list := []string{}
	for _, p := range s.of(d.ID) {
		list = append(list, p.UserID)
	}
	return ok(map[string]any{"result": map[string]any{"userid_list": list}})
}

// userJSON is a person as the app may read them: fields without permission are absent, and so are empty ones. s.mu is held.
func (s *Server) userJSON(p *Person) map[string]any {
	out := map[string]any{
		"userid": p.UserID, "unionid": p.UnionID, "name": p.Name, "avatar": "", "dept_id_list": p.in(), "active": !p.Inactive, "admin": p.Admin,
		"boss": p.Boss, "exclusive_account": false, "hide_mobile": false,
	}
	for k, v := range map[string]string{
		"title": p.Title, "job_number": p.JobNumber, "email": p.Email, "org_email": p.OrgEmail, "mobile": p.Mobile,
	} {
		if v != "" {
			out[k] = v
		}
	}
	if p.HiredDate != 0 {
		out["hired_date"] = p.HiredDate
	}
	for _, k := range s.opts.HiddenFields {
		delete(out, k)
	}
	return out
}

// userGet adds the manager, when somebody has filled one in, and of which departments the person is a leader.
// https://open.dingtalk.com/document/development/query-user-details
func userGet(s *Server, q request) answer {
	id := q.str("userid")
	if id == "" {
		return deny(codeParameter, "不合法的参数: userid")
	}
	p := s.member(id)
	switch {
	case p == nil:
		return deny(codeNoUser, "找不到该用户")
	case !s.maySee(p):
		return deny(codeUserRange, "请求的员工userid不在授权范围内")
	}
	out := s.userJSON(p)
	var leader, order []any
	for _, d := range p.in() {
		leader = append(leader, map[string]any{"dept_id": d, "leader": slices.Contains(p.Leads, d)})
		order = append(order, map[string]any{"dept_id": d, "order": 176_300_000_000})
	}
	out["leader_in_dept"], out["dept_order_list"], out["role_list"], out["senior"], out["real_authed"] = leader, order, []any{}, false, true
	if s.member(p.Manager) != nil && !slices.Contains(s.opts.HiddenFields, "manager_userid") {
		out["manager_userid"] = p.Manager
	}
	return ok(map[string]any{"result": out})
}

func userByMobile(s *Server, q request) answer {
	mobile := strings.TrimPrefix(q.str("mobile"), "+86-")
	for _, id := range sorted(s.world.people) {
		if p := s.member(id); p != nil && mobile != "" && p.Mobile == mobile && s.maySee(p) {
			return ok(map[string]any{"result": map[string]any{"userid": id, "exclusive_account_userid_list": []string{}}})
		}
	}
	return deny(60121, "找不到该用户")
}

func userByUnionID(s *Server, q request) answer {
	p := s.byUnion(q.str("unionid"))
	if p == nil || !s.maySee(p) {
		return deny(codeNoUser, "找不到该用户")
	}
	return ok(map[string]any{"result": map[string]any{"userid": p.UserID, "contact_type": 0}})
}
