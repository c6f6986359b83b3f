package people_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"huiyin/internal/fault"
	"huiyin/internal/i18n"
	"huiyin/internal/people"
)

// followed is the directory after taking over a listing, which must have no problems.
func followed(t *testing.T, d *people.Directory, seen []people.AccountSeen, whole bool) (*people.Directory, people.Plan) {
	t.Helper()
	plan, problems := people.Rehearse(d, people.ListedPeople(d, "feishu", seen, whole).Table, uuid.Nil, newID)
	if len(problems) > 0 {
		t.Fatalf("the listing has problems: %v", problems)
	}
	return d.Apply(plan.Changes(), d.Version()+1), plan
}

func TestAListingMakesAFirm(t *testing.T) {
	d, plan := followed(t, empty(), []people.AccountSeen{
		{ExternalID: "ou_2", Name: "王凯", NameEn: "Kai Wang", Email: "Kai@Example.com", Mobile: "+86 13800138002", EmployeeNo: "E2", Title: "工程师", Department: "研发部/后端", Manager: "ou_1", HiredOn: "2024-03-01", Kind: people.Member},
		{ExternalID: "ou_1", Name: "林晓", Manager: "ou_1", Department: "R／D", Kind: people.Member}, // no number; their own manager
		{ExternalID: "ou_3", Name: "李梅", EmployeeNo: "E3", Manager: "ou_9", Kind: people.Member},  // whose manager may not be read
		{ExternalID: "ou_4", Name: "访客", EmployeeNo: "E4", Kind: people.Guest},
		{ExternalID: "ou_5", Name: "机器人", Kind: people.Bot},
		{ExternalID: "ou_6", Name: "离开者", EmployeeNo: "E6", Kind: people.Gone},
	}, true)
	if len(plan.Create) != 3 {
		t.Fatalf("there are %d new people, want the three members", len(plan.Create))
	}
	lin, _ := d.ByEmployeeNo("ou_1")
	want := people.Person{
		OrgID: d.Org().ID, EmployeeNo: "E2", Name: "王凯", NameEn: "Kai Wang", Email: "kai@example.com", Mobile: "13800138002", Department: "研发部/后端", Title: "工程师",
		Role: people.Employee, ManagerID: lin.ID, HiredOn: time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC), Active: true, Settings: people.DefaultSettings(),
	}
	got, _ := d.ByEmployeeNo("E2")
	want.ID = got.ID
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Kai (-want +got):\n%s", diff)
	}
	if lin.ManagerID != uuid.Nil || strings.Contains(lin.Department, "/") {
		t.Errorf("Lin is %+v, want nobody above and one department", lin)
	}
	if i, ok := d.IdentityOf(got.ID, "feishu"); !ok || i.ExternalID != "ou_2" {
		t.Errorf("Kai's account is %+v, want ou_2, confirmed without a question", i)
	}
}

func TestAListingKnowsPeopleByNumberAndAccount(t *testing.T) {
	d, _ := imported(t, empty(), "employee_no,name,email,title,feishu_id\nE1,林晓,lin@x.cn,总监,ou_1\nE2,王凯,kai@x.cn,,\nE3,李梅,,,\n")
	member := func(id, name string) people.AccountSeen {
		return people.AccountSeen{ExternalID: id, Name: name, Kind: people.Member}
	}
	one, two, three := member("ou_1", "林晓"), member("ou_2", "王凯"), member("ou_3", "李梅")
	two.Email, three.EmployeeNo = "KAI@x.cn", "E3"
	after, plan := followed(t, d, []people.AccountSeen{one, two, three}, true)
	if len(plan.Create) != 0 || len(plan.Update) != 0 {
		t.Errorf("somebody known is made or changed: %+v", plan)
	}
	for no, account := range map[string]string{"E1": "ou_1", "E2": "", "E3": "ou_3"} {
		p, _ := after.ByEmployeeNo(no)
		if i, _ := after.IdentityOf(p.ID, "feishu"); i.ExternalID != account {
			t.Errorf("%s has the account %q, want %q", no, i.ExternalID, account)
		}
	}
	if p, _ := after.ByEmployeeNo("E1"); p.Title != "总监" {
		t.Errorf("what the directory does not tell became %q", p.Title)
	}
	// Somebody who came without a number keeps the account's id when the directory comes to know one.
	newcomer := member("ou_4", "赵六")
	after, _ = followed(t, after, []people.AccountSeen{newcomer}, false)
	newcomer.EmployeeNo, newcomer.Title = "E4", "助理"
	after, plan = followed(t, after, []people.AccountSeen{newcomer}, false)
	if p, ok := after.ByEmployeeNo("ou_4"); !ok || p.Title != "助理" || len(plan.Create) != 0 {
		t.Errorf("they are %+v, and %d are new", p, len(plan.Create))
	}
}

// What somebody enters as an account's address in a directory is no proof of whose account it is.
func TestAListingHandsNobodyOverByAddressAlone(t *testing.T) {
	file := "employee_no,name,email,title,department,feishu_id,active\nE1,王总,boss@x.cn,总经理,销售部,%s,%s\nE2,李四,li@x.cn,,,ou_2,yes\n"
	evil := people.AccountSeen{ExternalID: "d-evil", Name: "王总", Email: "BOSS@X.cn", Title: "实习生", Department: "仓库", Kind: people.Member}
	second := people.AccountSeen{ExternalID: "ou_2", Name: "李四", Email: "li@x.cn", Kind: people.Member}
	for _, c := range []struct {
		name, account, active string
		also                  []people.AccountSeen
		whole                 bool
		proposed              string // to whom the account is, afterwards
	}{
		{"somebody without an account", "", "yes", nil, true, "E1"},
		{"somebody with an account", "ou_1", "yes", []people.AccountSeen{{ExternalID: "ou_1", Name: "王总", Kind: people.Member}}, true, ""},
		{"somebody whose account is not listed now", "ou_1", "yes", nil, false, ""},
		{"somebody whose account was closed", "ou_1", "yes", []people.AccountSeen{{ExternalID: "ou_1", Name: "王总", Kind: people.Gone}}, true, "E1"},
		{"somebody who has left", "ou_1", "no", nil, true, ""},
		{"somebody who has left without an account", "", "no", nil, true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, _ := imported(t, empty(), fmt.Sprintf(file, c.account, c.active))
			seen := append([]people.AccountSeen{evil, second}, c.also...)
			before, _ := d.ByEmployeeNo("E1")
			listing := people.ListedPeople(d, "feishu", seen, c.whole)
			after, plan := followed(t, d, seen, c.whole)
			got, _ := after.ByEmployeeNo("E1")
			if diff := cmp.Diff(before, got); diff != "" || len(plan.Create) != 0 {
				t.Errorf("the account made %d people and changed whose address it has (-before +after):\n%s", len(plan.Create), diff)
			}
			if len(listing.Waits) != 1 || listing.Waits[0].Account.ExternalID != "d-evil" || listing.Waits[0].Person.EmployeeNo != "E1" {
				t.Errorf("what waits for an answer is %+v, want the one account", listing.Waits)
			}
			after = after.Apply(people.Changes{Identities: people.MatchAccounts(after, "feishu", seen)}, after.Version()+1)
			i, owner, _ := after.ByIdentity("feishu", "d-evil")
			if proposed, _ := after.Person(i.PersonID); owner.ID != uuid.Nil || proposed.EmployeeNo != c.proposed {
				t.Errorf("the account is %s of %q, want a question to %q at the most", i.State, proposed.EmployeeNo, c.proposed)
			}
			if _, plan := followed(t, after, seen, c.whole); !plan.Empty() {
				t.Errorf("the next listing does %+v, want nothing before the answer", plan)
			}
		})
	}
}

func TestAnAccountIsTakenOverOnceItsPersonHasSaidSo(t *testing.T) {
	d, _ := imported(t, empty(), "employee_no,name,email\nE1,林晓,lin@x.cn\n")
	seen := []people.AccountSeen{{ExternalID: "ou_1", Name: "林晓", Email: "lin@x.cn", Title: "总监", Kind: people.Member}}
	d = d.Apply(people.Changes{Identities: people.MatchAccounts(d, "feishu", seen)}, 7)
	i, _, _ := d.ByIdentity("feishu", "ou_1")
	if i.State != people.Proposed {
		t.Fatalf("the account is %s, want a question", i.State)
	}
	i.State = people.Confirmed
	after, _ := followed(t, d.Apply(people.Changes{Identities: []people.Identity{i}}, 8), seen, true)
	if p, _ := after.ByEmployeeNo("E1"); p.Title != "总监" {
		t.Errorf("after the answer the title is %q, want what the directory says", p.Title)
	}
}

func TestAnAddressThatItsPersonGaveUpIsFree(t *testing.T) {
	d, _ := imported(t, empty(), "employee_no,name,email,feishu_id\nE1,林晓,lin@x.cn,ou_1\n")
	after, plan := followed(t, d, []people.AccountSeen{
		{ExternalID: "ou_1", Name: "林晓", Email: "xiao@x.cn", Kind: people.Member},
		{ExternalID: "ou_2", Name: "林霖", Email: "lin@x.cn", Kind: people.Member},
	}, true)
	if p, ok := after.ByEmployeeNo("ou_2"); !ok || p.Email != "lin@x.cn" || len(plan.Create) != 1 {
		t.Errorf("the newcomer is %+v, want somebody of their own", p)
	}
}

func TestOneDepartureIsNeverTooMany(t *testing.T) {
	for size := 1; size <= 6; size++ {
		s, store, by := firm(t)
		d, _ := imported(t, empty(), "employee_no,name,feishu_id\n")
		var seen []people.AccountSeen
		for n := range size {
			d, _ = imported(t, d, fmt.Sprintf("employee_no,name,feishu_id\nE%d,某人,ou_%d\n", n, n))
			kind := people.Member
			if n == 0 {
				kind = people.Gone
			}
			seen = append(seen, people.AccountSeen{ExternalID: fmt.Sprintf("ou_%d", n), Name: "某人", Kind: kind})
		}
		store.dir = d
		follow := func() error {
			_, problems, err := s.Follow(t.Context(), d, by(uuid.Nil), people.ListedPeople(d, "feishu", seen, true), newID)
			if len(problems) > 0 {
				t.Errorf("of %d: %v", size, problems)
			}
			return err
		}
		if err := follow(); err != nil {
			t.Errorf("of %d people one leaves: %v", size, err)
		}
		if size > 1 {
			seen[1].Kind = people.Gone
			if err := follow(); !fault.Is(err, fault.Conflict) {
				t.Errorf("of %d people two leave at once, and that gives %v", size, err)
			}
		}
	}
}

func TestWhoeverIsNotListedAnyMoreLeaves(t *testing.T) {
	d, _ := imported(t, empty(), "employee_no,name,feishu_id,slack_id\nE1,林晓,ou_1,\nE2,王凯,ou_2,\nE3,李梅,,U3\nE4,赵六,ou_4,\n")
	one := people.AccountSeen{ExternalID: "ou_1", Name: "林晓", EmployeeNo: "E1", Kind: people.Member}
	for _, c := range []struct {
		name  string
		seen  []people.AccountSeen
		whole bool
		stay  string
	}{
		{"one account tells of nobody else", []people.AccountSeen{one}, false, "E1 E2 E3 E4"},
		{"a closed account", []people.AccountSeen{{ExternalID: "ou_2", Kind: people.Gone}}, false, "E1 E3 E4"},
		{"the whole directory; who never had an account there stays", []people.AccountSeen{one, {ExternalID: "ou_2", Name: "王凯", EmployeeNo: "E2", Kind: people.Guest}}, true, "E1 E2 E3"},
		{"somebody under another account", []people.AccountSeen{one, {ExternalID: "ou_9", Name: "王凯", EmployeeNo: "E2", Kind: people.Member}}, true, "E1 E2 E3"},
	} {
		after, _ := followed(t, d, c.seen, c.whole)
		var stay []people.Person
		for _, p := range after.People() {
			if p.Active {
				stay = append(stay, p)
			}
		}
		if got := numbers(stay); got != c.stay {
			t.Errorf("%s: %s stay, want %s", c.name, got, c.stay)
		}
	}
}

// Whatever is listed, taking it over once is enough.
func TestTakingOverAListingAgainChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDirectory(t)
		account := rapid.Custom(func(t *rapid.T) people.AccountSeen {
			n := rapid.IntRange(0, 9).Draw(t, "account")
			return people.AccountSeen{
				ExternalID: fmt.Sprintf("=feishu-%d", n), Name: "某人", Kind: rapid.SampledFrom([]people.Kind{people.Member, people.Member, people.Guest, people.Gone}).Draw(t, "kind"),
				EmployeeNo: rapid.SampledFrom([]string{"", "", fmt.Sprintf("E%03d", n), fmt.Sprintf("N%d", n)}).Draw(t, "number"),
				Email:      rapid.SampledFrom([]string{"", fmt.Sprintf("p%d@example.com", n)}).Draw(t, "email"),
				Manager:    rapid.SampledFrom([]string{"", "=feishu-0", fmt.Sprintf("=feishu-%d", n)}).Draw(t, "manager"),
			}
		})
		seen := rapid.SliceOfNDistinct(account, 0, 8, func(a people.AccountSeen) string { return a.ExternalID }).Draw(t, "seen")
		whole := rapid.Bool().Draw(t, "whole")
		plan, problems := people.Rehearse(d, people.ListedPeople(d, "feishu", seen, whole).Table, uuid.Nil, newID)
		if len(problems) > 0 {
			return
		}
		after := d.Apply(plan.Changes(), d.Version()+1)
		if again, problems := people.Rehearse(after, people.ListedPeople(after, "feishu", seen, whole).Table, uuid.Nil, newID); len(problems) > 0 || !again.Empty() {
			t.Fatalf("the same listing again would do %+v; problems %v", again, problems)
		}
	})
}

func TestAProblemOfAListingNamesPeopleRatherThanRows(t *testing.T) {
	seen := []people.AccountSeen{
		{ExternalID: "ou_1", Name: "林晓", EmployeeNo: "E1", Email: "lin@x.cn", Kind: people.Member},
		{ExternalID: "ou_2", Name: "王凯", EmployeeNo: "E1", Kind: people.Member},
		{ExternalID: "ou_3", Name: "李梅", EmployeeNo: "E3", Email: "lin@x.cn", HiredOn: "soon", Kind: people.Member},
	}
	listing := people.ListedPeople(empty(), "feishu", seen, true)
	_, problems := people.Rehearse(empty(), listing.Table, uuid.Nil, newID)
	words, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	for lang, want := range map[string][]string{
		i18n.English: {
			"王凯 (ou_2): the employee number E1 is that of 林晓 (ou_1) already.", "李梅 (ou_3): the address lin@x.cn is that of 林晓 (ou_1) already.",
			"李梅 (ou_3): “soon” is not a date. Write it as 2026-01-31.",
		},
		i18n.Chinese: {"王凯 (ou_2)：工号 E1 已经是 林晓 (ou_1) 的。", "李梅 (ou_3)：邮箱 lin@x.cn 已经是 林晓 (ou_1) 的。", "李梅 (ou_3)：“soon”不是日期，请写成 2026-01-31。"},
	} {
		var got []string
		for _, p := range problems {
			got = append(got, listing.Text(p, words.In(lang)))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("in %s (-want +got):\n%s", lang, diff)
		}
	}
}

func TestWhereSomebodyIsIsStoredOnceForEachChangeOfPlatform(t *testing.T) {
	s, store, by := firm(t)
	store.dir = store.dir.Apply(people.Changes{Identities: []people.Identity{
		{OrgID: store.dir.Org().ID, Platform: "feishu", ExternalID: "ou_1", PersonID: id(1), State: people.Confirmed, Kind: people.Member},
	}}, 9)
	at := by(id(1)).At
	use := func(actor uuid.UUID, platform string) {
		t.Helper()
		at = at.Add(time.Second)
		cause := by(actor)
		cause.At = at
		if err := s.Use(t.Context(), store.dir, cause, platform); err != nil {
			t.Fatal(err)
		}
	}
	for _, platform := range []string{"slack", "slack", "feishu", "feishu", "feishu", "slack"} {
		use(id(1), platform)
		store.dir = store.dir.Apply(people.Changes{}, store.dir.Version()+1) // a snapshot that follows knows it too
	}
	use(id(2), "slack") // has one account
	var got []string
	for _, u := range store.used {
		got = append(got, u.Platform)
	}
	if !slices.Equal(got, []string{"slack", "feishu", "slack"}) || store.dir.LastUsed(id(1)) != "slack" {
		t.Errorf("stored was %v and last used is %s, want one each for slack, feishu and slack", got, store.dir.LastUsed(id(1)))
	}
	store.err = fault.New(fault.Unavailable, "storage.unavailable")
	cause := by(id(1))
	cause.At = at.Add(time.Minute)
	if err := s.Use(t.Context(), store.dir, cause, "feishu"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("the store is away: %v", err)
	}
	store.err = nil
	use(id(1), "feishu")
	if n := len(store.used); store.used[n-1].Platform != "feishu" || store.dir.LastUsed(id(1)) != "feishu" {
		t.Errorf("what could not be stored was not stored the next time: %+v", store.used)
	}
}

func TestAnOlderUseInAnotherProcessDoesNotWin(t *testing.T) {
	s, store, by := firm(t)
	store.dir = store.dir.Apply(people.Changes{Identities: []people.Identity{
		{OrgID: store.dir.Org().ID, Platform: "feishu", ExternalID: "ou_1", PersonID: id(1), State: people.Confirmed, Kind: people.Member},
	}}, 9)
	cause := by(id(1))
	use := func(after time.Duration) {
		t.Helper()
		cause := cause
		cause.At = cause.At.Add(after)
		if err := s.Use(t.Context(), store.dir, cause, "slack"); err != nil {
			t.Fatal(err)
		}
	}
	use(0)
	use(time.Hour) // which is not written
	store.dir.TakeUsed([]people.Used{{PersonID: id(1), Platform: "feishu", At: cause.At.Add(time.Minute)}})
	if got := store.dir.LastUsed(id(1)); got != "slack" {
		t.Errorf("an hour after, the last use is on %s, want slack: what another process saw was earlier", got)
	}
	use(2 * time.Hour)
	use(3 * time.Hour)
	if len(store.used) != 2 {
		t.Errorf("stored was %+v, want one more use: the store says otherwise", store.used)
	}
}
