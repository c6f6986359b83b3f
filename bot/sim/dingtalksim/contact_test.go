package dingtalksim

import (
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func (w *office) ask(t *testing.T, path string, body obj) any {
	t.Helper()
	out := w.call(t, "POST", "/topapi/"+path, body)
	wantCode(t, path, out, 0)
	return out["result"]
}

func TestDepartmentsAreListedOneLevelAtATime(t *testing.T) {
	w := newOffice(t, nil)
	below := w.AddDepartment(Department{Name: "前端组", Parent: w.dept.ID, Managers: []string{"m1"}})
	top := w.ask(t, "v2/department/listsub", obj{})
	if at(top, 0, "name") != "研发部" || at(top, 1) != nil {
		t.Errorf("below the root are %s", encodeJSON(top))
	}
	next := w.ask(t, "v2/department/listsub", obj{"dept_id": w.dept.ID})
	if at(next, 0, "name") != "前端组" || string(encodeJSON(at(next, 0, "parent_id"))) != strconv.FormatInt(w.dept.ID, 10) {
		t.Errorf("below the department are %s", encodeJSON(next))
	}
	ids := w.ask(t, "v2/department/listsubid", obj{"dept_id": 1})
	if string(encodeJSON(at(ids, "dept_id_list"))) != "["+strconv.FormatInt(w.dept.ID, 10)+"]" {
		t.Errorf("the ids are %s", encodeJSON(ids))
	}
	one := w.ask(t, "v2/department/get", obj{"dept_id": w.dept.ID})
	if at(one, "dept_manager_userid_list", 0) != w.kai.UserID {
		t.Errorf("the department is %s", encodeJSON(one))
	}
	if got := w.ask(t, "v2/department/get", obj{"dept_id": below.ID}); at(got, "dept_manager_userid_list", 0) != "m1" {
		t.Errorf("the department below is %s", encodeJSON(got))
	}
	for _, path := range []string{"v2/department/listsub", "v2/department/get", "v2/user/list"} {
		wantCode(t, path+" of no department", w.call(t, "POST", "/topapi/"+path, obj{"dept_id": 42, "cursor": 0, "size": 10}), 60003)
	}
}

func TestPeopleAreListedByDepartmentInPagesOfAHundred(t *testing.T) {
	w := newOffice(t, nil)
	other := w.AddDepartment(Department{Name: "销售部"})
	for i := range 150 {
		w.AddPerson(Person{Name: "P" + strconv.Itoa(i), DeptIDs: []int64{other.ID, w.dept.ID}})
	}
	w.AddPerson(Person{Name: "Gone", DeptIDs: []int64{other.ID}, Left: true})
	list := func(dept int64, cursor, size int) obj {
		t.Helper()
		out, _ := w.ask(t, "v2/user/list", obj{"dept_id": dept, "cursor": cursor, "size": size}).(obj)
		return out
	}
	first := list(other.ID, 0, 100)
	if len(first["list"].([]any)) != 100 || first["has_more"] != true || string(encodeJSON(first["next_cursor"])) != "100" {
		t.Errorf("the first page has %d people, more %v, cursor %v", len(first["list"].([]any)), first["has_more"], first["next_cursor"])
	}
	rest := list(other.ID, 100, 100)
	if len(rest["list"].([]any)) != 50 || rest["has_more"] != false || rest["next_cursor"] != nil {
		t.Errorf("the second page is %s", encodeJSON(rest["has_more"]))
	}
	if n := len(list(w.dept.ID, 100, 100)["list"].([]any)); n != 52 {
		t.Errorf("the other department's second page has %d people", n)
	}
	entry := at(list(w.dept.ID, 100, 100), "list").([]any)
	i := slices.IndexFunc(entry, func(v any) bool { return at(v, "userid") == w.kai.UserID })
	if i < 0 || at(entry[i], "leader") != true || at(entry[i], "manager_userid") != nil {
		t.Errorf("the manager is listed as %s", encodeJSON(entry[max(i, 0)]))
	}
	for what, body := range map[string]obj{
		"a page of 101": {"dept_id": 1, "cursor": 0, "size": 101}, "a page of none": {"dept_id": 1, "cursor": 0, "size": 0},
		"no cursor": {"dept_id": 1, "size": 10}, "no department": {"cursor": 0, "size": 10},
	} {
		wantCode(t, what, w.call(t, "POST", "/topapi/v2/user/list", body), 40035)
	}
	small := newOffice(t, func(o *Options) { o.PageSize = 1 })
	out, _ := small.ask(t, "v2/user/list", obj{"dept_id": small.dept.ID, "cursor": 0, "size": 100}).(obj)
	if len(out["list"].([]any)) != 1 || out["has_more"] != true {
		t.Errorf("a page of at most one is %s", encodeJSON(out))
	}
	if got := w.ask(t, "user/listid", obj{"dept_id": w.dept.ID}); len(at(got, "userid_list").([]any)) != 152 {
		t.Errorf("the ids are %d", len(at(got, "userid_list").([]any)))
	}
	if got := w.ask(t, "user/listsimple", obj{"dept_id": w.dept.ID, "cursor": 0, "size": 1}); len(at(got, "list", 0).(obj)) != 2 {
		t.Errorf("a simple entry is %s", encodeJSON(got))
	}
}

func TestOnePersonHasManagerAndLeadership(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.HiddenFields = []string{"mobile"} })
	got, _ := w.ask(t, "v2/user/get", obj{"userid": w.lin.UserID}).(obj)
	want := map[string]any{
		"userid": w.lin.UserID, "unionid": w.lin.UnionID, "name": "林小雨", "job_number": "E002", "email": "lin@example.com", "manager_userid": w.kai.UserID,
		"active": true, "title": nil, "mobile": nil,
	}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s is %v, want %v", k, got[k], v)
		}
	}
	if string(encodeJSON(got["hired_date"])) != "1700000000000" {
		t.Errorf("hired_date is %v", got["hired_date"])
	}
	kai, _ := w.ask(t, "v2/user/get", obj{"userid": w.kai.UserID}).(obj)
	if at(kai, "leader_in_dept", 0, "leader") != true || kai["manager_userid"] != nil || kai["mobile"] != nil {
		t.Errorf("the manager is %s", encodeJSON(kai))
	}
	get := func(id string) obj { return w.call(t, "POST", "/topapi/v2/user/get", obj{"userid": id}) }
	wantCode(t, "nobody", get("none"), 60121)
	wantCode(t, "a guest", get(w.max.UserID), 60121)
	wantCode(t, "no id", get(""), 40035)
	w.ChangePerson(w.lin.UserID, func(p *Person) { p.Left = true })
	wantCode(t, "somebody who left", get(w.lin.UserID), 60121)
	if got := w.ask(t, "v2/user/getbymobile", obj{"mobile": w.kai.Mobile}); at(got, "userid") != w.kai.UserID {
		t.Errorf("by mobile it is %s", encodeJSON(got))
	}
	if got := w.ask(t, "user/getbyunionid", obj{"unionid": w.kai.UnionID}); at(got, "userid") != w.kai.UserID {
		t.Errorf("by unionid it is %s", encodeJSON(got))
	}
}

func TestTheAppReadsWhatItMay(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.Readable = []int64{77} })
	w.AddDepartment(Department{ID: 77, Name: "A"})
	w.AddDepartment(Department{ID: 78, Name: "B", Parent: 77})
	p := w.AddPerson(Person{Name: "In", DeptIDs: []int64{78}})
	wantCode(t, "the root", w.call(t, "POST", "/topapi/v2/department/listsub", obj{}), 50004)
	wantCode(t, "a person outside", w.call(t, "POST", "/topapi/v2/user/get", obj{"userid": w.lin.UserID}), 50002)
	wantCode(t, "a person inside", w.call(t, "POST", "/topapi/v2/user/get", obj{"userid": p.UserID}), 0)
	if got := w.ask(t, "v2/department/listsub", obj{"dept_id": 77}); at(got, 0, "name") != "B" {
		t.Errorf("inside are %s", encodeJSON(got))
	}
	if diff := cmp.Diff([]string{"A", "B", "研发部"}, names(w.Departments())); diff != "" {
		t.Errorf("the departments differ:\n%s", diff)
	}
}

func names(ds []Department) []string {
	var out []string
	for _, d := range ds {
		out = append(out, d.Name)
	}
	return out
}
