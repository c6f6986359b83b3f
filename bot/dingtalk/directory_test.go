package dingtalk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"huiyin/bot"
	"huiyin/internal/fault"
)

// company is a directory behind a fake DingTalk: departments 1 (the company), 2 and below it 3, people in pages of two.
type company struct {
	mu    sync.Mutex
	calls []string
	below map[int64]string
	in    map[int64][]string // users of a department, as JSON
	alone map[string]string  // what user/get says
	mute  map[string]bool    // whom user/get says nothing of
}

func newCompany(r *rig) *company {
	c := &company{
		below: map[int64]string{1: `[{"dept_id":2,"name":"研发/平台","parent_id":1}]`, 2: `[{"dept_id":3,"name":"后端","parent_id":2},{"dept_id":1,"name":"loop"}]`},
		in: map[int64][]string{
			1: {`{"userid":"boss","name":"老板","leader":true,"dept_id_list":[1]}`},
			2: {`{"userid":"kai","name":"王凯","leader":true,"dept_id_list":[2]}`, `{"userid":"lin","name":"林晓","dept_id_list":[2,3]}`},
			3: {
				`{"userid":"lin","name":"林晓","leader":true,"dept_id_list":[2,3]}`, `{"userid":"mei","name":"李梅\u200b","dept_id_list":[3],"title":"工程师","job_number":"7","mobile":"13800000000","org_email":"mei@example.com","hired_date":1700000000000}`,
				`{"userid":"new","name":"新人","dept_id_list":[3],"email":"new@example.com","org_email":"x@example.com"}`,
			},
		},
		alone: map[string]string{"mei": `{"userid":"mei","name":"李梅","dept_id_list":[3],"manager_userid":"boss"}`},
	}
	answer := func(path string, f func(q map[string]json.RawMessage) string) {
		r.fake.do("/topapi/v2/"+path, func(w http.ResponseWriter, req *http.Request) {
			var q map[string]json.RawMessage
			_ = jsonBody(req, &q)
			c.mu.Lock()
			defer c.mu.Unlock()
			c.calls = append(c.calls, path+" "+string(q["dept_id"])+string(q["userid"]))
			body(f(q))(w, req)
		})
	}
	answer("department/listsub", func(q map[string]json.RawMessage) string {
		return `{"errcode":0,"result":` + orElse(c.below[number(q["dept_id"])], "[]") + `}`
	})
	answer("user/list", func(q map[string]json.RawMessage) string {
		all, from := c.in[number(q["dept_id"])], int(number(q["cursor"]))
		end := min(from+2, len(all))
		return fmt.Sprintf(`{"errcode":0,"result":{"has_more":%v,"next_cursor":%d,"list":[%s]}}`, end < len(all), end, strings.Join(all[from:end], ","))
	})
	answer("user/get", func(q map[string]json.RawMessage) string {
		var id string
		_ = json.Unmarshal(q["userid"], &id)
		if c.mute[id] {
			return `{"errcode":50002,"errmsg":"m"}`
		}
		if text := c.alone[id]; text != "" {
			return `{"errcode":0,"result":` + text + `}`
		}
		return `{"errcode":0,"result":{"userid":"` + id + `"}}`
	})
	return c
}

func number(raw json.RawMessage) (n int64) {
	_ = json.Unmarshal(raw, &n)
	return n
}

func (c *company) made(of string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, call := range c.calls {
		if strings.HasPrefix(call, of) {
			n++
		}
	}
	c.calls = nil
	return n
}

func (r *rig) list(t *testing.T) map[string]bot.Account {
	t.Helper()
	out := map[string]bot.Account{}
	err := r.Accounts(t.Context(), func(page []bot.Account) error {
		for _, a := range page {
			out[a.ID] = a
		}
		return nil
	})
	if err != nil {
		t.Fatalf("listing: %v", err)
	}
	return out
}

func TestEverybodyIsListedOnceWithTheirManager(t *testing.T) {
	r := newRig(t)
	c := newCompany(r)
	got := r.list(t)
	want := map[string]bot.Account{
		"boss": {ID: "boss", Name: "老板", Kind: bot.Member},
		"kai":  {ID: "kai", Name: "王凯", Kind: bot.Member, Department: "研发／平台", Manager: "boss"},
		"lin":  {ID: "lin", Name: "林晓", Kind: bot.Member, Department: "研发／平台", Manager: "kai"},
		"mei": {
			ID: "mei", Name: "李梅", Kind: bot.Member, Department: "研发／平台/后端", Manager: "boss", Title: "工程师", EmployeeNo: "7", Mobile: "13800000000",
			Email: "mei@example.com", HiredOn: "2023-11-15",
		},
		"new": {ID: "new", Name: "新人", Kind: bot.Member, Department: "研发／平台/后端", Manager: "lin", Email: "x@example.com"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the accounts differ (-want +got):\n%s", diff)
	}
	if tenant, err := r.Tenant(t.Context()); err != nil || tenant != testID {
		t.Errorf("the tenant is %q, %v", tenant, err)
	}
	if n := r.calls(); n != 3+4+5 {
		t.Errorf("the first listing took %d calls, want 3 for departments, 4 for their people and 5 for managers", n)
	}
	c.made("")
}

func TestAListingIsMadeTheMoreRarelyTheMoreItCosts(t *testing.T) {
	r := newRig(t)
	c := newCompany(r)
	r.list(t)
	c.made("")
	told := 0
	err := r.Accounts(t.Context(), func(page []bot.Account) error {
		told += len(page)
		return nil
	})
	if n := c.made(""); !errors.Is(err, bot.ErrNotYet) || told != 0 || n != 0 {
		t.Errorf("a second listing at once gives %v, tells of %d accounts and takes %d calls; want that it is too early, and nothing else", err, told, n)
	}
	r.now = r.now.Add(7 * (month / listBudget))
	c.mu.Lock()
	c.in[3] = c.in[3][:1]
	c.mu.Unlock()
	got := r.list(t)
	if got["mei"].Kind != bot.Gone || got["new"].Kind != bot.Gone || got["lin"].Kind != bot.Member || got["mei"].Name != "李梅" {
		t.Errorf("who has left is %+v", got["mei"])
	}
	if n := c.made("user/get"); n != 0 {
		t.Errorf("managers that are known are asked for again in %d calls", n)
	}
	r.now = r.now.Add(askAtMost)
	r.list(t)
	if n := c.made("user/get"); n != 3 {
		t.Errorf("after a week managers are asked for in %d calls, want one for each of three people", n)
	}
	// Another process knows from the sessions whom it need not ask for.
	second := newRig(t)
	second.kept, second.now = r.kept, r.now
	c2 := newCompany(second)
	second.list(t)
	if n := c2.made("user/get"); n != 2 {
		t.Errorf("a process that starts asks for %d managers, want the two that nobody asked for before", n)
	}
	// The budget holds for large companies too.
	for _, people := range []int{100, 1_000, 5_000, 50_000} {
		every := max(askAtMost, time.Duration(people)*(month/askBudget))
		if a := float64(people) * float64(month) / float64(every); a > askBudget+1 {
			t.Errorf("a company of %d asks %.0f times a month", people, a)
		}
	}
}

func TestAManagersListThatFailsLeavesTheHeads(t *testing.T) {
	r := newRig(t)
	newCompany(r)
	r.fake.say("/topapi/v2/user/get", `{"errcode":90020,"errmsg":"m"}`)
	if got := r.list(t); got["mei"].Manager != "lin" || got["lin"].Manager != "kai" {
		t.Errorf("without managers mei's is %q and lin's %q, want who leads their departments", got["mei"].Manager, got["lin"].Manager)
	}
	r = newRig(t)
	newCompany(r)
	r.fake.say("/topapi/v2/user/list", `{"errcode":60011,"errmsg":"m"}`)
	if err := r.Accounts(t.Context(), func([]bot.Account) error { return nil }); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a listing without permission gives %v", err)
	}
	r = newRig(t)
	newCompany(r)
	stop := errors.New("stop")
	if err := r.Accounts(t.Context(), func([]bot.Account) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("a listing that is told to stop gives %v", err)
	}
	if got := r.list(t); len(got) != 5 {
		t.Errorf("after a listing that nobody took, one of %d accounts is made", len(got))
	}
}

func TestWhatWasAskedForIsKeptWhateverFails(t *testing.T) {
	r := newRig(t)
	c := newCompany(r)
	c.mute = map[string]bool{"boss": true}
	later := func(d time.Duration) {
		r.now = r.now.Add(max(d, 7*(month/listBudget)))
	}
	ask := func(what string, want int) {
		t.Helper()
		got := r.list(t)
		if n := c.made("user/get"); n != want {
			t.Errorf("%s: asks for %d managers, want %d", what, n, want)
		}
		if got["mei"].Manager != "boss" {
			t.Errorf("%s: mei's manager is %q, want the one that DingTalk told", what, got["mei"].Manager)
		}
	}
	ask("one of five has no answer", 5)
	later(0)
	ask("the other four are known", 1)

	// Three without an answer stand for all, and the next time the others come first.
	later(askAtMost)
	c.mute = map[string]bool{"boss": true, "kai": true, "lin": true, "mei": true}
	ask("a week later, three after another have no answer", 3) // kai, lin and mei
	later(0)
	ask("the one that was not asked for comes first", 4)
}

func TestProcessesShareWhatTheyAskedFor(t *testing.T) {
	one, two := newRig(t), newRig(t)
	two.kept = one.kept
	c1, c2 := newCompany(one), newCompany(two)
	one.list(t)
	if n := c1.made("user/get"); n != 5 {
		t.Fatalf("the first process asks for %d managers, want 5", n)
	}
	one.now = one.now.Add(askAtMost)
	two.now = one.now
	c2.mute = map[string]bool{"lin": true, "mei": true, "new": true}
	two.list(t)
	if n := c2.made("user/get"); n != 5 {
		t.Errorf("a week later the second process asks for %d managers, want 5", n)
	}
	one.list(t)
	if n := c1.made("user/get"); n != 3 {
		t.Errorf("then the first, which remembers answers of a week ago, asks for %d managers; want the three that the second got no answer for", n)
	}
}

func TestAListingThatIsBrokenOffKeepsWhatItAskedFor(t *testing.T) {
	r := newRig(t)
	newCompany(r)
	ctx, stop := context.WithCancel(t.Context())
	r.fake.do("/topapi/v2/user/get", func(w http.ResponseWriter, req *http.Request) {
		var q struct {
			ID string `json:"userid"`
		}
		_ = jsonBody(req, &q)
		if q.ID == "lin" {
			stop()
		}
		body(`{"errcode":0,"result":{"userid":"`+q.ID+`"}}`)(w, req)
	})
	if err := r.Accounts(ctx, func([]bot.Account) error { return nil }); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("a listing that is broken off gives %v", err)
	}
	next := newRig(t)
	next.kept = r.kept
	c := newCompany(next)
	next.list(t)
	if n := c.made("user/get"); n > 3 { // whether lin was told of, the network decides
		t.Errorf("the next process asks for %d managers, want not the first two again", n)
	}
}

func TestChangesOfPeopleArePassedOn(t *testing.T) {
	changed := make(chan bot.Account, 10)
	r := newRig(t, func(c *Config) { c.Refresh = func(_ context.Context, a bot.Account) { changed <- a } })
	c := newCompany(r)
	r.list(t)
	tell := func(kind, ids string) {
		t.Helper()
		if w := r.serve(reply(bot.Reply{}), r.request(t, pathEvents, []byte(`{"EventType":"`+kind+`","CorpId":"dingcorp","UserId":`+ids+`}`))); w.Code != 200 {
			t.Fatalf("%s is answered %d", kind, w.Code)
		}
	}
	c.mu.Lock()
	c.alone["lin"] = `{"userid":"lin","name":"林晓晓","dept_id_list":[3],"manager_userid":"mei"}`
	c.mu.Unlock()
	tell("user_modify_org", `["lin"]`)
	if a := <-changed; a.Name != "林晓晓" || a.Manager != "mei" || a.Department != "研发／平台/后端" {
		t.Errorf("who changed is %+v", a)
	}
	tell("user_leave_org", `["kai"]`)
	if a := <-changed; a.ID != "kai" || a.Kind != bot.Gone || a.Name != "王凯" {
		t.Errorf("who left is %+v", a)
	}
	r.fake.say("/topapi/v2/user/get", `{"errcode":60121,"errmsg":"m"}`)
	tell("user_add_org", `["ghost"]`)
	if a := <-changed; a.ID != "ghost" || a.Kind != bot.Gone {
		t.Errorf("somebody who is not there is %+v", a)
	}
	r.now = r.now.Add(7 * (month / listBudget))
	if got := r.list(t); got["lin"].Manager != "mei" {
		t.Errorf("after a listing lin's manager is %q, want the one that came with an event", got["lin"].Manager)
	}
}
