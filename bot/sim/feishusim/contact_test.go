package feishusim

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const contact = "/open-apis/contact/v3/"

func TestAPersonIsReadByEveryTypeOfID(t *testing.T) {
	w := newOffice(t, nil)
	for idType, c := range map[string]struct{ id, leader string }{
		"open_id": {w.lin.OpenID, w.kai.OpenID}, "union_id": {w.lin.UnionID, w.kai.UnionID}, "user_id": {w.lin.UserID, w.kai.UserID},
	} {
		out := w.call(t, "GET", contact+"users/"+c.id+"?user_id_type="+idType, nil)
		wantCode(t, "reading by "+idType, out, 0)
		u := at(out, "data", "user")
		if at(u, "name") != "林小雨" || at(u, "leader_user_id") != c.leader || at(u, "department_ids", 0) != w.Departments()[0].ID || at(u, "status", "is_activated") != true {
			t.Errorf("by %s Lin is %s", idType, encodeJSON(u))
		}
	}
	wantCode(t, "nobody", w.call(t, "GET", contact+"users/ou_none", nil), 41012)
	wantCode(t, "an odd type", w.call(t, "GET", contact+"users/x?user_id_type=email", nil), codeViolation)
	out := w.call(t, "GET", contact+"users/"+w.lin.OpenID+"?department_id_type=department_id", nil)
	if at(out, "data", "user", "department_ids", 0) != w.Departments()[0].CustomID {
		t.Errorf("the departments are %s", encodeJSON(at(out, "data", "user", "department_ids")))
	}
}

func TestFieldsWithoutScopeAreSilentlyAbsent(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.HiddenFields = []string{"email", "leader_user_id"} })
	u, _ := at(w.call(t, "GET", contact+"users/"+w.lin.OpenID, nil), "data", "user").(obj)
	_, email := u["email"]
	_, leader := u["leader_user_id"]
	if email || leader || u["name"] == nil {
		t.Errorf("without scopes Lin is %s", encodeJSON(u))
	}
}

func TestIDsAreFoundByEmailAndMobileInBatchesOf50(t *testing.T) {
	w := newOffice(t, nil)
	path := contact + "users/batch_get_id?user_id_type=user_id"
	out := w.call(t, "POST", path, obj{"emails": []any{"LIN@example.com", "none@example.com"}, "mobiles": []any{"13800000001"}})
	want := []any{obj{"email": "LIN@example.com", "user_id": w.lin.UserID}, obj{"email": "none@example.com"}, obj{"mobile": "13800000001", "user_id": w.kai.UserID}}
	if d := cmp.Diff(want, at(out, "data", "user_list")); d != "" {
		t.Errorf("the list is (-want +got):\n%s", d)
	}
	emails := func(n int) []any { return times(n, func(i int) any { return fmt.Sprint(i, "@example.com") }) }
	wantCode(t, "50 emails", w.call(t, "POST", path, obj{"emails": emails(50)}), 0)
	wantCode(t, "51 emails", w.call(t, "POST", path, obj{"emails": emails(51)}), codeViolation)
	wantCode(t, "51 mobiles", w.call(t, "POST", path, obj{"mobiles": emails(51)}), codeViolation)
	w.ChangePerson(w.lin.OpenID, func(p *Person) { p.Resigned = true })
	one := obj{"emails": []any{"lin@example.com"}}
	if out := w.call(t, "POST", path, one); at(out, "data", "user_list", 0, "user_id") != nil {
		t.Error("somebody who has left is found")
	}
	one["include_resigned"] = true
	if out := w.call(t, "POST", path, one); at(out, "data", "user_list", 0, "user_id") != w.lin.UserID {
		t.Error("somebody who has left is not found when asked for")
	}
	query := func(n int) string {
		return contact + "users/batch?" + strings.TrimSuffix(strings.Repeat("user_ids="+w.kai.OpenID+"&", n), "&")
	}
	wantCode(t, "a batch of 50", w.call(t, "GET", query(50), nil), 0)
	wantCode(t, "a batch of 51", w.call(t, "GET", query(51), nil), codeViolation)
}

func TestDepartmentsAndTheirPeopleComeInPagesOf50(t *testing.T) {
	w := newOffice(t, nil)
	top := w.AddDepartment(Department{Name: "销售部"})
	for i := range 55 {
		d := w.AddDepartment(Department{Name: strconv.Itoa(i), Parent: top.ID})
		if i == 0 {
			w.AddDepartment(Department{Name: "deep", Parent: d.ID})
		}
		w.AddPerson(Person{Name: strconv.Itoa(i), Departments: []string{top.ID}})
	}
	w.AddPerson(Person{Name: "gone", Departments: []string{top.ID}, Resigned: true})
	all := func(path string) int {
		n := 0
		for token := ""; ; {
			out := w.call(t, "GET", path+"&page_size=50&page_token="+token, nil)
			wantCode(t, path, out, 0)
			items, _ := at(out, "data", "items").([]any)
			if n += len(items); at(out, "data", "has_more") != true {
				return n
			}
			token, _ = at(out, "data", "page_token").(string)
		}
	}
	for path, want := range map[string]int{
		"users/find_by_department?department_id=" + top.ID:                           55,
		"departments/" + top.ID + "/children?a=b":                                    55,
		"departments/" + top.ID + "/children?fetch_child=true":                       56,
		"departments/0/children?fetch_child=true":                                    58,
		"departments/0/children?a=b":                                                 2,
		"departments/" + top.CustomID + "/children?department_id_type=department_id": 55,
	} {
		if n := all(contact + path); n != want {
			t.Errorf("%s gives %d, want %d", path, n, want)
		}
	}
	find := contact + "users/find_by_department?department_id=" + top.ID
	wantCode(t, "a page of 51", w.call(t, "GET", find+"&page_size=51", nil), codeViolation)
	wantCode(t, "a page of 0", w.call(t, "GET", find+"&page_size=0", nil), codeViolation)
	wantCode(t, "an odd token", w.call(t, "GET", find+"&page_token=xyz", nil), 40006)
	wantCode(t, "no department", w.call(t, "GET", contact+"users/find_by_department", nil), codeViolation)
	wantCode(t, "an unknown department", w.call(t, "GET", contact+"departments/od-none", nil), 40011)
	if out := w.call(t, "GET", find, nil); len(at(out, "data", "items").([]any)) != 10 {
		t.Error("a page without size has not 10 items")
	}
	out := w.call(t, "GET", contact+"departments/"+top.ID, nil)
	if string(encodeJSON(at(out, "data", "department", "member_count"))) != "55" || at(out, "data", "department", "parent_department_id") != "0" {
		t.Errorf("the department is %s", encodeJSON(out))
	}
}

func TestTheContactScopeHidesTheRest(t *testing.T) {
	w := newOffice(t, nil)
	sales := w.AddDepartment(Department{ID: "od-sales", Name: "销售部"})
	deep := w.AddDepartment(Department{Name: "华东", Parent: sales.ID})
	seller := w.AddPerson(Person{Name: "S", Departments: []string{deep.ID}})
	w.opts.ContactScope = []string{sales.ID}
	wantCode(t, "the root", w.call(t, "GET", contact+"departments/0/children", nil), 40004)
	wantCode(t, "the scope", w.call(t, "GET", contact+"departments/"+sales.ID+"/children", nil), 0)
	wantCode(t, "people below it", w.call(t, "GET", contact+"users/find_by_department?department_id="+deep.ID, nil), 0)
	wantCode(t, "somebody in it", w.call(t, "GET", contact+"users/"+seller.OpenID, nil), 0)
	wantCode(t, "somebody else", w.call(t, "GET", contact+"users/"+w.lin.OpenID, nil), 41050)
	if out := w.call(t, "GET", contact+"scopes", nil); at(out, "data", "department_ids", 0) != sales.ID || at(out, "data", "department_ids", 1) != nil {
		t.Errorf("the scope is %s", encodeJSON(out))
	}
}
