package feishusim

import (
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// maxPage and maxBatch are the vendor's for users and departments.
const (
	maxPage  = 50
	maxBatch = 50
)

// The types of id by which a call can name departments.
const (
	byOpenDepartment = "open_department_id"
	byDepartment     = "department_id"
)

// idTypes reads and checks user_id_type and department_id_type.
func (q request) idTypes() (user, department string, refusal *answer) {
	user, department = q.query.Get("user_id_type"), q.query.Get("department_id_type")
	if user == "" {
		user = byOpenID
	}
	if department == "" {
		department = byOpenDepartment
	}
	if !slices.Contains([]string{byOpenID, byUnionID, byUserID}, user) {
		a := invalid("user_id_type", "user_id_type is optional, options: [open_id,union_id,user_id]")
		return "", "", &a
	}
	if department != byOpenDepartment && department != byDepartment {
		a := invalid("department_id_type", "department_id_type is optional, options: [open_department_id,department_id]")
		return "", "", &a
	}
	return user, department, nil
}

// userJSON is a person as the app may read them: fields without scope are absent. s.mu is held.
func (s *Server) userJSON(p Person, userType, departmentType string) map[string]any {
	departments := []string{}
	for _, id := range p.Departments {
		if d := s.world.departments[id]; d != nil && departmentType == byDepartment {
			id = d.CustomID
		}
		departments = append(departments, id)
	}
	if len(departments) == 0 {
		departments = append(departments, Root)
	}
	out := map[string]any{
		"union_id": p.UnionID, "user_id": p.UserID, "open_id": p.OpenID, "name": p.Name, "en_name": p.EnName, "nickname": "",
		"email": p.Email, "enterprise_email": p.EnterpriseEmail, "mobile": p.Mobile, "mobile_visible": true, "gender": 0,
		"avatar": map[string]any{}, "department_ids": departments, "leader_user_id": "", "city": "", "country": "",
		"join_time": p.JoinTime, "is_tenant_manager": false, "employee_no": p.EmployeeNo, "employee_type": 1, "job_title": p.JobTitle,
		"status": map[string]any{
			"is_activated": !p.Unactivated, "is_frozen": p.Frozen, "is_resigned": p.Resigned, "is_exited": false, "is_unjoin": p.Unactivated,
		},
	}
	if leader := s.world.people[p.Leader]; leader != nil {
		out["leader_user_id"] = leader.key(userType)
	}
	for _, k := range s.opts.HiddenFields {
		delete(out, k)
	}
	return out
}

func (s *Server) departmentJSON(d Department, userType, departmentType string) map[string]any {
	parent, leader := d.Parent, ""
	if p := s.world.departments[d.Parent]; p != nil && departmentType == byDepartment {
		parent = p.CustomID
	}
	leaders := []any{}
	if p := s.world.people[d.Leader]; p != nil {
		leader = p.key(userType)
		leaders = append(leaders, map[string]any{"leaderType": 1, "leaderID": leader})
	}
	members := 0
	for _, p := range s.world.people {
		if !p.Resigned && slices.Contains(p.Departments, d.ID) {
			members++
		}
	}
	return map[string]any{
		"name": d.Name, "i18n_name": map[string]any{}, "parent_department_id": parent, "department_id": d.CustomID,
		"open_department_id": d.ID, "leader_user_id": leader, "leaders": leaders, "chat_id": "", "order": "0", "unit_ids": []string{},
		"member_count": members, "primary_member_count": members, "status": map[string]any{"is_deleted": false},
	}
}

// department finds a department by an id of one type; the root is found as itself. s.mu is held.
func (s *Server) department(idType, id string) (Department, bool) {
	if id == Root {
		return Department{ID: Root, CustomID: Root}, true
	}
	if d := s.world.departments[id]; d != nil && idType == byOpenDepartment {
		return *d, true
	}
	for _, d := range s.world.departments {
		if idType == byDepartment && d.CustomID == id {
			return *d, true
		}
	}
	return Department{}, false
}

// mayRead says whether a department lies in the app's contact scope. s.mu is held.
func (s *Server) mayRead(id string) bool {
	if len(s.opts.ContactScope) == 0 {
		return true
	}
	for range len(s.world.departments) + 1 { // a cycle of parents ends as well
		if slices.Contains(s.opts.ContactScope, id) {
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

// maySee says whether a person lies in the app's contact scope; people of other firms never do. s.mu is held.
func (s *Server) maySee(p *Person) bool {
	if p.TenantKey != s.opts.TenantKey {
		return false
	}
	return len(s.opts.ContactScope) == 0 || slices.ContainsFunc(p.Departments, s.mayRead)
}

func userGet(s *Server, q request) answer {
	userType, departmentType, refusal := q.idTypes()
	if refusal != nil {
		return *refusal
	}
	p := s.world.person(userType, q.path["user_id"])
	switch {
	case p == nil:
		return fail(41012, "user id invalid error")
	case !s.maySee(p):
		return fail(41050, "no user authority error")
	}
	return ok(map[string]any{"user": s.userJSON(*p, userType, departmentType)})
}

func userBatch(s *Server, q request) answer {
	userType, departmentType, refusal := q.idTypes()
	if refusal != nil {
		return *refusal
	}
	ids := q.query["user_ids"]
	if len(ids) == 0 || len(ids) > maxBatch {
		return invalid("user_ids", "the len of user_ids must be between 1 and 50")
	}
	items := []any{}
	for _, id := range ids {
		if p := s.world.person(userType, id); p != nil && s.maySee(p) {
			items = append(items, s.userJSON(*p, userType, departmentType))
		}
	}
	return ok(map[string]any{"items": items})
}

// userBatchGetID finds ids by email or mobile. Whoever is not found comes without an id; the enterprise email finds nobody.
func userBatchGetID(s *Server, q request) answer {
	userType, _, refusal := q.idTypes()
	if refusal != nil {
		return *refusal
	}
	emails, mobiles := q.strs("emails"), q.strs("mobiles")
	switch {
	case len(emails) > maxBatch:
		return invalid("emails", "the max len is 50")
	case len(mobiles) > maxBatch:
		return invalid("mobiles", "the max len is 50")
	}
	resigned, _ := q.json["include_resigned"].(bool)
	list := []any{}
	look := func(field, value string, is func(*Person) bool) {
		item := map[string]any{field: value}
		for _, id := range slices.Sorted(maps.Keys(s.world.people)) {
			if p := s.world.people[id]; is(p) && s.maySee(p) && (resigned || !p.Resigned) {
				item["user_id"] = p.key(userType)
				break
			}
		}
		list = append(list, item)
	}
	for _, e := range emails {
		look("email", e, func(p *Person) bool { return p.Email != "" && strings.EqualFold(p.Email, e) })
	}
	for _, m := range mobiles {
		look("mobile", m, func(p *Person) bool {
			return p.Mobile != "" && strings.TrimPrefix(p.Mobile, "+86") == strings.TrimPrefix(m, "+86")
		})
	}
	return ok(map[string]any{"user_list": list})
}

func userFindByDepartment(s *Server, q request) answer {
	userType, departmentType, refusal := q.idTypes()
	if refusal != nil {
		return *refusal
	}
	id := q.query.Get("department_id")
	if id == "" {
		return invalid("department_id", "department_id is required")
	}
	d, found := s.department(departmentType, id)
	switch {
	case !found:
		return fail(40011, "dept id invalid error")
	case !s.mayRead(d.ID):
		return fail(40004, "no dept authority error")
	}
	var keys []string
	for _, id := range slices.Sorted(maps.Keys(s.world.people)) {
		p := s.world.people[id]
		in := slices.Contains(p.Departments, d.ID) || d.ID == Root && len(p.Departments) == 0
		if in && !p.Resigned && p.TenantKey == s.opts.TenantKey {
			keys = append(keys, id)
		}
	}
	return s.paged(q, keys, 10, maxPage, func(id string) any { return s.userJSON(*s.world.people[id], userType, departmentType) })
}

func departmentGet(s *Server, q request) answer {
	userType, departmentType, refusal := q.idTypes()
	if refusal != nil {
		return *refusal
	}
	d, found := s.department(departmentType, q.path["department_id"])
	switch {
	case !found:
		return fail(40011, "dept id invalid error")
	case !s.mayRead(d.ID):
		return fail(40004, "no dept authority error")
	}
	return ok(map[string]any{"department": s.departmentJSON(d, userType, departmentType)})
}

func departmentChildren(s *Server, q request) answer {
	userType, departmentType, refusal := q.idTypes()
	if refusal != nil {
		return *refusal
	}
	top, found := s.department(departmentType, q.path["department_id"])
	switch {
	case !found:
		return fail(40011, "dept id invalid error")
	case !s.mayRead(top.ID):
		return fail(40004, "no dept authority error")
	}
	deep := q.query.Get("fetch_child") == "true"
	var keys []string
	for _, id := range slices.Sorted(maps.Keys(s.world.departments)) {
		if parent := s.world.departments[id].Parent; parent == top.ID || deep && id != top.ID && s.under(id, top.ID) {
			keys = append(keys, id)
		}
	}
	return s.paged(q, keys, 10, maxPage, func(id string) any {
		return s.departmentJSON(*s.world.departments[id], userType, departmentType)
	})
}

// under says whether a department lies below another, at any depth.
func (s *Server) under(id, top string) bool {
	for range len(s.world.departments) + 1 {
		d := s.world.departments[id]
		if d == nil {
			return false
		}
		if d.Parent == top {
			return true
		}
		id = d.Parent
	}
	return false
}

// scopeList says what the app may read: with the whole firm, its first level of departments and the people without one.
func scopeList(s *Server, q request) answer {
	userType, departmentType, refusal := q.idTypes()
	if refusal != nil {
		return *refusal
	}
	departments, users := []string{}, []string{}
	for _, id := range slices.Sorted(maps.Keys(s.world.departments)) {
		d := s.world.departments[id]
		if slices.Contains(s.opts.ContactScope, id) || len(s.opts.ContactScope) == 0 && d.Parent == Root {
			if departmentType == byDepartment {
				id = d.CustomID
			}
			departments = append(departments, id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(s.world.people)) {
		if p := s.world.people[id]; len(p.Departments) == 0 && s.maySee(p) && !p.Resigned {
			users = append(users, p.key(userType))
		}
	}
	return ok(map[string]any{"department_ids": departments, "user_ids": users, "group_ids": []string{}, "has_more": false})
}

// paged answers one page of keys: page_size and page_token as the caller gave them, never more than PageSize. The token
// names the first key of the next page, so that it survives what is added meanwhile.
func (s *Server) paged(q request, keys []string, size, most int, item func(key string) any) answer {
	if v := q.query.Get("page_size"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > most {
			return invalid("page_size", "page_size must be between 1 and "+strconv.Itoa(most))
		}
		size = n
	}
	size = min(size, s.opts.PageSize)
	from := 0
	if t := q.query.Get("page_token"); t != "" {
		key, err := base64.RawURLEncoding.DecodeString(t)
		if from = slices.Index(keys, string(key)); err != nil || from < 0 {
			return fail(40006, "page token invalid error")
		}
	}
	to := min(from+size, len(keys))
	items := []any{}
	for _, key := range keys[from:to] {
		items = append(items, item(key))
	}
	out := map[string]any{"items": items, "has_more": to < len(keys)}
	if to < len(keys) {
		out["page_token"] = base64.RawURLEncoding.EncodeToString([]byte(keys[to]))
	}
	return ok(out)
}
