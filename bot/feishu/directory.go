package feishu

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	larkcore "github.com/larksuite/oapi-sdk-go/v3/core"
	larkcontact "github.com/larksuite/oapi-sdk-go/v3/service/contact/v3"

	"huiyin/bot"
	"huiyin/internal/fault"
)

const (
	users       = "/open-apis/contact/v3/users"
	departments = "/open-apis/contact/v3/departments"

	root           = "0" // the firm as a department
	openDepartment = "open_department_id"

	listWaits = 20 // how often a listing waits for its turn
	maxDepth  = 50 // of departments within departments
)

// directory is one listing of the firm: its departments by id, and who was listed already, for people are in several departments.
type directory struct {
	f           *Feishu
	departments map[string]department
	seen        map[string]bool
	yield       func([]bot.Account) error
}

type department struct{ name, parent string }

// Accounts lists everybody whom the app may see, department by department: those who left are not listed by Feishu at all. Where the
// app may not see the whole firm, it lists what it may. When Feishu asks for patience it waits, for a listing that began anew each time
// would never end; every other failure is the caller's to retry. A field for which the app has no scope is empty in every account.
// https://open.larkoffice.com/document/uAjLw4CM/ukTMukTMukTM/reference/contact-v3/user/find_by_department.md
func (f *Feishu) Accounts(ctx context.Context, yield func([]bot.Account) error) error {
	d := &directory{f: f, departments: map[string]department{}, seen: map[string]bool{}, yield: yield}
	tops, loners := []string{root}, []string(nil)
	err := d.children(ctx, root)
	if fl, ok := fault.Of(err); ok && fl.Key == "feishu.scope" {
		if tops, loners, err = d.scope(ctx); err == nil {
			err = d.below(ctx, tops)
		}
	}
	if err != nil {
		return err
	}
	ids := tops
	for id := range d.departments {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		if err := d.members(ctx, id); err != nil {
			return err
		}
	}
	return d.some(ctx, loners)
}

// children reads all departments below one, at every depth.
// https://open.larkoffice.com/document/uAjLw4CM/ukTMukTMukTM/reference/contact-v3/department/children.md
func (d *directory) children(ctx context.Context, of string) error {
	return d.pages(ctx, request{
		path: departments + "/:department_id/children", params: larkcore.PathParams{"department_id": of}, query: larkcore.QueryParams{"fetch_child": {"true"}},
	}, func(p page) error {
		for _, one := range p.Items {
			var got larkcontact.Department
			if err := (bare{}).Deserialize(one, &got); err != nil {
				return d.f.away("feishu.away", departments, errNotJSON, 0)
			}
			d.keep(got)
		}
		return nil
	})
}

func (d *directory) keep(got larkcontact.Department) {
	if id := text(got.OpenDepartmentId); id != "" && (got.Status == nil || got.Status.IsDeleted == nil || !*got.Status.IsDeleted) {
		d.departments[id] = department{name: text(got.Name), parent: text(got.ParentDepartmentId)}
	}
}

// scope is what the app may see when it is not the whole firm: departments, and people.
// https://open.larkoffice.com/document/uAjLw4CM/ukTMukTMukTM/reference/contact-v3/scope/list.md
func (d *directory) scope(ctx context.Context) (tops, loners []string, err error) {
	err = d.pages(ctx, request{path: "/open-apis/contact/v3/scopes"}, func(p page) error {
		tops, loners = append(tops, p.Departments...), append(loners, p.Users...)
		return nil
	})
	return tops, loners, err
}

// below reads departments and all below them.
func (d *directory) below(ctx context.Context, tops []string) error {
	for _, id := range tops {
		if _, err := d.one(ctx, id); err != nil {
			return err
		}
		if err := d.children(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// one reads a department. https://open.larkoffice.com/document/uAjLw4CM/ukTMukTMukTM/reference/contact-v3/department/get.md
func (d *directory) one(ctx context.Context, id string) (department, error) {
	var answer struct {
		Department larkcontact.Department `json:"department"`
	}
	err := d.f.call(ctx, request{
		method: http.MethodGet, path: departments + "/:department_id", params: larkcore.PathParams{"department_id": id}, query: idTypes(nil),
	}, &answer)
	if err != nil {
		return department{}, err
	}
	d.keep(answer.Department)
	return d.departments[id], nil
}

// members hands on the people of a department.
func (d *directory) members(ctx context.Context, id string) error {
	return d.pages(ctx, request{path: users + "/find_by_department", query: larkcore.QueryParams{"department_id": {id}}}, func(p page) error {
		return d.hand(p)
	})
}

// some hands on people by their ids. https://open.larkoffice.com/document/uAjLw4CM/ukTMukTMukTM/reference/contact-v3/user/batch.md
func (d *directory) some(ctx context.Context, ids []string) error {
	for chunk := range slices.Chunk(ids, maxPage) {
		if err := d.pages(ctx, request{path: users + "/batch", query: larkcore.QueryParams{"user_ids": chunk}}, d.hand); err != nil {
			return err
		}
	}
	return nil
}

func (d *directory) hand(p page) error {
	var out []bot.Account
	for _, one := range p.Items {
		var u larkcontact.User
		if err := (bare{}).Deserialize(one, &u); err != nil {
			return d.f.away("feishu.away", users, errNotJSON, 0)
		}
		if id := text(u.OpenId); id != "" && !d.seen[id] {
			d.seen[id] = true
			out = append(out, accountOf(u, d.path))
		}
	}
	if len(out) == 0 {
		return nil
	}
	return d.yield(out)
}

// path is the names of departments from the top to one, with slashes between them.
func (d *directory) path(id string) string {
	var names []string
	for range maxDepth {
		at, ok := d.departments[id]
		if !ok {
			break
		}
		names = append(names, strings.ReplaceAll(oneLine(at.name), "/", "／"))
		id = at.parent
	}
	slices.Reverse(names)
	return strings.Join(names, "/")
}

// page is one page of anything.
type page struct {
	Items       []rawJSON `json:"items"`
	Departments []string  `json:"department_ids"`
	Users       []string  `json:"user_ids"`
	More        bool      `json:"has_more"`
	Next        string    `json:"page_token"`
}

// pages reads page after page.
func (d *directory) pages(ctx context.Context, q request, each func(page) error) error {
	q.method, q.query = http.MethodGet, idTypes(q.query)
	if !strings.HasSuffix(q.path, "/batch") {
		q.query.Set("page_size", "50")
	}
	for waits := 0; ; {
		var p page
		if err := d.f.call(ctx, q, &p); err != nil {
			fl, ok := fault.Of(err)
			if waits++; !ok || fl.RetryAfter <= 0 || waits > listWaits || wait(ctx, fl.RetryAfter) != nil {
				return err
			}
			continue
		}
		if err := each(p); err != nil {
			return err
		}
		if !p.More || p.Next == "" {
			return nil
		}
		q.query.Set("page_token", p.Next)
	}
}

func idTypes(q larkcore.QueryParams) larkcore.QueryParams {
	if q == nil {
		q = larkcore.QueryParams{}
	}
	q.Set("user_id_type", openID)
	q.Set("department_id_type", openDepartment)
	return q
}

// departmentCache keeps departments between questions about single accounts, which come in numbers when a firm is reorganised.
type departmentCache struct {
	known map[string]department
	ends  time.Time
}

// departmentLife is how long a department's name is taken for granted.
const departmentLife = 5 * time.Minute

// Account is one account of the directory. https://open.larkoffice.com/document/uAjLw4CM/ukTMukTMukTM/reference/contact-v3/user/get.md
func (f *Feishu) Account(ctx context.Context, user string) (bot.Account, error) {
	var answer struct {
		User larkcontact.User `json:"user"`
	}
	err := f.call(ctx, request{
		method: http.MethodGet, path: users + "/:user_id", params: larkcore.PathParams{"user_id": user}, query: idTypes(nil),
	}, &answer)
	if err != nil {
		return bot.Account{}, err
	}
	d := &directory{f: f, departments: f.remembered()}
	if ids := answer.User.DepartmentIds; len(ids) > 0 {
		if err := d.up(ctx, ids[0]); err != nil {
			return bot.Account{}, err
		}
	}
	f.recall(d.departments)
	return accountOf(answer.User, d.path), nil
}

// up reads the departments from one to the top, as far as the app may.
func (d *directory) up(ctx context.Context, id string) error {
	for range maxDepth {
		if id == root || id == "" {
			return nil
		}
		at, ok := d.departments[id]
		if !ok {
			var err error
			at, err = d.one(ctx, id)
			if fl, isFault := fault.Of(err); isFault && (fl.Key == "feishu.scope" || fl.Kind == fault.NotFound) {
				return nil
			}
			if err != nil {
				return err
			}
		}
		id = at.parent
	}
	return nil
}

func (f *Feishu) remembered() map[string]department {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := map[string]department{}
	if f.cfg.Now().Before(f.departments.ends) {
		for id, d := range f.departments.known {
			out[id] = d
		}
	}
	return out
}

func (f *Feishu) recall(known map[string]department) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.cfg.Now()
	if !now.Before(f.departments.ends) {
		f.departments = departmentCache{ends: now.Add(departmentLife)}
	}
	f.departments.known = known
}

// china is where the days of a directory are, which come as moments.
var china = time.FixedZone("CST", 8*60*60)

// accountOf reads a person of the directory. Somebody who was invited and has not come yet is a member: they will.
// https://open.larkoffice.com/document/uAjLw4CM/ukTMukTMukTM/reference/contact-v3/user/field-overview.md
func accountOf(u larkcontact.User, path func(id string) string) bot.Account {
	a := bot.Account{
		ID: text(u.OpenId), Name: oneLine(text(u.Name)), Email: orElse(text(u.EnterpriseEmail), text(u.Email)), TimeZone: text(u.TimeZone), Kind: bot.Member,
		NameEn: oneLine(text(u.EnName)), Mobile: text(u.Mobile), EmployeeNo: text(u.EmployeeNo), Title: oneLine(text(u.JobTitle)), Manager: text(u.LeaderUserId),
	}
	if len(u.DepartmentIds) > 0 {
		a.Department = path(u.DepartmentIds[0])
	}
	if u.JoinTime != nil && *u.JoinTime > 0 {
		a.HiredOn = time.Unix(int64(*u.JoinTime), 0).In(china).Format(time.DateOnly)
	}
	is := func(b *bool) bool { return b != nil && *b }
	if s := u.Status; s != nil && (is(s.IsResigned) || is(s.IsFrozen) || is(s.IsExited)) {
		a.Kind = bot.Gone
	}
	return a
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return strings.TrimSpace(*s)
}
