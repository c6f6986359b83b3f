package postgres

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"huiyin/internal/fault"
	"huiyin/internal/people"
)

// sameDirectory compares what directories show.
func sameDirectory(a, b *people.Directory) string {
	type shown struct {
		Org        people.Org
		Version    int64
		People     []people.Person
		Identities []people.Identity
	}
	show := func(d *people.Directory) shown {
		return shown{d.Org(), d.Version(), d.People(), d.Identities("slack")}
	}
	return cmp.Diff(show(a), show(b), cmpopts.EquateEmpty())
}

func TestADirectoryIsReadAsItWasStored(t *testing.T) {
	d := open(t)
	org := people.Org{ID: id(1), Name: "回音 Huiyin", TimeZone: "Asia/Shanghai", Lang: "zh-CN"}
	if err := d.People.CreateOrg(t.Context(), org); err != nil {
		t.Fatal(err)
	}
	empty, err := d.People.Load(t.Context(), org.ID)
	if err != nil {
		t.Fatal(err)
	}
	plan := staff(org.ID, 3)
	plan.Create[1].Settings = people.Settings{Lang: "en", TimeZone: "Europe/Berlin", QuietFrom: 60, QuietTo: 120, MutedUntil: noon, Digest: true}
	plan.Create[2] = people.Person{OrgID: org.ID, ID: id(1002), EmployeeNo: "9", Role: people.HR, Settings: people.DefaultSettings()} // nothing else known
	plan.Identities = append(plan.Identities, people.Identity{OrgID: org.ID, Platform: "slack", ExternalID: "UBOT", State: people.Unclaimed, Kind: people.Bot})
	if err := d.People.Apply(t.Context(), people.Cause{OrgID: org.ID, Directory: empty.Version(), At: noon}, plan); err != nil {
		t.Fatal(err)
	}
	want := empty.Apply(people.Changes{People: plan.Create, Identities: plan.Identities}, empty.Version()+1)
	loaded, err := d.People.Load(t.Context(), org.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := sameDirectory(want, loaded); diff != "" {
		t.Errorf("loaded it differs from what was stored:\n%s", diff)
	}
	since, err := d.People.Since(t.Context(), empty)
	if err != nil {
		t.Fatal(err)
	}
	if diff := sameDirectory(want, since); diff != "" {
		t.Errorf("brought up to date it differs from what was stored:\n%s", diff)
	}
	again, err := d.People.Since(t.Context(), since)
	if err != nil || again != since {
		t.Errorf("Since gave another directory although nothing changed (%v)", err)
	}
}

func TestSinceReadsOnlyWhatChanged(t *testing.T) {
	d := open(t)
	before := firm(t, d, id(1), 50)
	// What Since does not read it cannot notice: a row changed behind its back keeps its old name.
	exec(t, d, `update people set name = 'unseen' where person_id = $1`, id(1007))
	exec(t, d, `update identities set name = 'unseen' where external_id = 'U000007'`)
	exec(t, d, `update orgs set name = 'renamed'`)
	if err := d.People.SaveSettings(t.Context(), by(id(1), ""), id(1003), people.Settings{Lang: "en"}); err != nil {
		t.Fatal(err)
	}
	link := before.Identities("slack")[4]
	link.State = people.Refused
	if err := d.People.SaveIdentities(t.Context(), by(id(1), ""), []people.Identity{link}); err != nil {
		t.Fatal(err)
	}
	after, err := d.People.Since(t.Context(), before)
	if err != nil {
		t.Fatal(err)
	}
	changed, _ := before.Person(id(1003))
	changed.Settings = people.Settings{Lang: "en"}
	org := before.Org()
	org.Name = "renamed"
	want := before.Apply(people.Changes{Org: &org, People: []people.Person{changed}, Identities: []people.Identity{link}}, before.Version()+2)
	if diff := sameDirectory(want, after); diff != "" {
		t.Errorf("want the two changes and the firm's row, nothing else:\n%s", diff)
	}
}

func TestApplyUpdatesPeopleAndKeepsTheirSettings(t *testing.T) {
	d := open(t)
	dir := firm(t, d, id(1), 4)
	chosen := people.Settings{Lang: "en", QuietFrom: 1, QuietTo: 2}
	if err := d.People.SaveSettings(t.Context(), by(id(1), ""), id(1001), chosen); err != nil {
		t.Fatal(err)
	}
	var plan people.Plan
	for _, p := range dir.People()[1:] {
		after := p
		after.Name, after.Department, after.HiredOn, after.Active = "新名", "研发部", time.Time{}, false
		after.ManagerID, after.Settings = id(1003), people.Settings{Digest: true}
		if p.ID == id(1003) {
			after.ManagerID = uuid.Nil
		}
		plan.Update = append(plan.Update, people.Update{Before: p, After: after})
	}
	// Two people swap their addresses, and a third account is confirmed while the first is let go.
	plan.Update[0].After.Email, plan.Update[1].After.Email = plan.Update[1].After.Email, plan.Update[0].After.Email
	old := dir.Identities("slack")[1]
	moved := old
	old.PersonID, old.State = uuid.Nil, people.Unclaimed
	moved.ExternalID = "UNEW"
	plan.Identities = []people.Identity{moved, old}
	if err := d.People.Apply(t.Context(), people.Cause{OrgID: id(1), Directory: dir.Version() + 1, Event: "import:1", At: noon}, plan); err != nil {
		t.Fatal(err)
	}
	got, err := d.People.Load(t.Context(), id(1))
	if err != nil {
		t.Fatal(err)
	}
	changes := plan.Changes()
	for i := range changes.People {
		before, _ := dir.Person(changes.People[i].ID)
		changes.People[i].Settings = before.Settings
		if before.ID == id(1001) {
			changes.People[i].Settings = chosen
		}
	}
	if diff := sameDirectory(dir.Apply(changes, dir.Version()+2), got); diff != "" {
		t.Errorf("the directory after the update differs:\n%s", diff)
	}
	wantFault(t, "the same import again", d.People.Apply(t.Context(), people.Cause{OrgID: id(1), Event: "import:1", At: noon}, plan), fault.Duplicate)
}

func TestAnApplyThatBreaksARuleIsAFaultAndLeavesNothing(t *testing.T) {
	d := open(t)
	dir := firm(t, d, id(1), 3)
	person := func(change func(*people.Person)) people.Plan {
		p := people.Person{OrgID: id(1), ID: id(2000), EmployeeNo: "new", Role: people.Employee, Settings: people.DefaultSettings()}
		change(&p)
		return people.Plan{Create: []people.Person{p}}
	}
	account := func(change func(*people.Identity)) people.Plan {
		i := people.Identity{OrgID: id(1), Platform: "slack", ExternalID: "UNEW", PersonID: id(1001), State: people.Proposed, Kind: people.Member}
		change(&i)
		return people.Plan{Identities: []people.Identity{i}}
	}
	tests := []struct {
		what  string
		plan  people.Plan
		kind  fault.Kind
		field string
	}{
		{"an employee number that is taken", person(func(p *people.Person) { p.EmployeeNo = "E000001" }), fault.Conflict, "employee_no"},
		{"an address that is taken", person(func(p *people.Person) { p.Email = "e1@example.com" }), fault.Conflict, "email"},
		{"a manager who does not exist", person(func(p *people.Person) { p.ManagerID = id(4040) }), fault.NotFound, "manager"},
		{"an account of somebody who does not exist", account(func(i *people.Identity) { i.PersonID = id(4040) }), fault.NotFound, ""},
		{"a second confirmed account on a platform", account(func(i *people.Identity) { i.State = people.Confirmed }), fault.Conflict, ""},
		{"a name with a NUL", person(func(p *people.Person) { p.Name = "a\x00b" }), fault.Invalid, ""},
		{"a name that is no UTF-8", person(func(p *people.Person) { p.Name = "a\xff" }), fault.Invalid, ""},
	}
	before := contents(t, d, id(1))
	for _, tt := range tests {
		err := d.People.Apply(t.Context(), people.Cause{OrgID: id(1), Directory: dir.Version(), Event: tt.what, At: noon}, tt.plan)
		f, ok := fault.Of(err)
		if !ok || f.Kind != tt.kind || f.Field != tt.field {
			t.Errorf("%s gave %v, want a fault of kind %v about %q", tt.what, err, tt.kind, tt.field)
		}
	}
	wantFault(t, "a plan for an unknown firm", d.People.Apply(t.Context(), people.Cause{OrgID: id(9), Event: "e", At: noon}, people.Plan{}), fault.NotFound)
	wantFault(t, "a plan on an old directory", d.People.Apply(t.Context(), people.Cause{OrgID: id(1), Directory: dir.Version() - 1}, people.Plan{}), fault.Stale)
	wantFault(t, "settings of nobody", d.People.SaveSettings(t.Context(), by(id(1), "s"), id(4040), people.Settings{}), fault.NotFound)
	foreign := staff(id(2), 1)
	if err := d.People.Apply(t.Context(), people.Cause{OrgID: id(1)}, foreign); err == nil {
		t.Error("a plan with people of another firm was taken")
	}
	if err := d.People.SaveIdentities(t.Context(), people.Cause{OrgID: id(1)}, foreign.Identities); err == nil {
		t.Error("identities of another firm were taken")
	}
	if diff := cmp.Diff(before, contents(t, d, id(1))); diff != "" {
		t.Errorf("something was left behind:\n%s", diff)
	}
	gone := account(func(i *people.Identity) { i.State, i.Kind = people.Confirmed, people.Gone })
	if err := d.People.Apply(t.Context(), people.Cause{OrgID: id(1)}, gone); err != nil {
		t.Errorf("a confirmed account beside one that is gone gave %v", err)
	}
}

func TestChangesOfADirectoryAreSeenInTheirOrder(t *testing.T) {
	d := open(t)
	dir := firm(t, d, id(1), 9)
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			for range 5 {
				if err := d.People.SaveSettings(t.Context(), people.Cause{OrgID: id(1), At: noon}, id(1001+n), people.Settings{QuietFrom: n + 1}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	follower := dir
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true
		default:
		}
		next, err := d.People.Since(t.Context(), follower)
		if err != nil {
			t.Fatal(err)
		}
		follower = next
	}
	loaded, err := d.People.Load(t.Context(), id(1))
	if err != nil {
		t.Fatal(err)
	}
	if follower.Version() != dir.Version()+40 {
		t.Errorf("forty changes brought version %d to %d", dir.Version(), follower.Version())
	}
	if diff := sameDirectory(loaded, follower); diff != "" {
		t.Errorf("whoever followed the changes sees something else than whoever loads all:\n%s", diff)
	}
}

func TestOrganisationsAndTheirTenants(t *testing.T) {
	d := open(t)
	one := people.Org{ID: id(1), Name: "一", TimeZone: "Asia/Shanghai", Lang: "zh-CN"}
	two := people.Org{ID: id(2), Name: "Two", TimeZone: "UTC", Lang: "en"}
	if orgs, err := d.People.Orgs(t.Context()); err != nil || len(orgs) != 0 {
		t.Errorf("an empty database has the organisations %v (%v)", orgs, err)
	}
	for _, org := range []people.Org{two, one} {
		if err := d.People.CreateOrg(t.Context(), org); err != nil {
			t.Fatal(err)
		}
	}
	wantFault(t, "creating an organisation twice", d.People.CreateOrg(t.Context(), one), fault.Conflict)
	for range 2 {
		if err := d.People.BindTenant(t.Context(), one.ID, "slack", "T1"); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.People.BindTenant(t.Context(), two.ID, "feishu", "T1"); err != nil {
		t.Errorf("the same name on another platform gave %v", err)
	}
	wantFault(t, "binding a tenant of another organisation", d.People.BindTenant(t.Context(), two.ID, "slack", "T1"), fault.Conflict)
	wantFault(t, "binding a tenant to an unknown organisation", d.People.BindTenant(t.Context(), id(9), "slack", "T9"), fault.NotFound)
	orgs, err := d.People.Orgs(t.Context())
	if diff := cmp.Diff([]people.Org{one, two}, orgs); err != nil || diff != "" {
		t.Errorf("the organisations differ (%v):\n%s", err, diff)
	}
	if org, err := d.People.OrgOf(t.Context(), "slack", "T1"); err != nil || org != one {
		t.Errorf("tenant T1 of slack belongs to %v (%v), want %v", org, err, one)
	}
	_, err = d.People.OrgOf(t.Context(), "slack", "T2")
	wantFault(t, "an unknown tenant", err, fault.NotFound)
	_, err = d.People.Load(t.Context(), id(9))
	wantFault(t, "loading an unknown organisation", err, fault.NotFound)
	_, err = d.People.Since(t.Context(), people.NewDirectory(people.Org{ID: id(9)}, 1, nil, nil))
	wantFault(t, "following an unknown organisation", err, fault.NotFound)
}

func TestSettingsThatWereNeverChosenAreTheDefaults(t *testing.T) {
	d := open(t)
	firm(t, d, id(1), 4)
	for n, text := range map[int]string{1000: `{}`, 1001: `{"lang": "en"}`, 1002: `{"digest": false, "of a later release": 1}`} {
		exec(t, d, `update people set settings = $1 where person_id = $2`, text, id(n))
	}
	dir, err := d.People.Load(t.Context(), id(1))
	if err != nil {
		t.Fatal(err)
	}
	english, loud := people.DefaultSettings(), people.DefaultSettings()
	english.Lang, loud.Digest = "en", false
	for n, want := range map[int]people.Settings{1000: people.DefaultSettings(), 1001: english, 1002: loud, 1003: people.DefaultSettings()} {
		if p, _ := dir.Person(id(n)); p.Settings != want {
			t.Errorf("the settings of person %d are %+v, want %+v", n, p.Settings, want)
		}
	}
}

func BenchmarkDirectory(b *testing.B) {
	d := open(b)
	dir := firm(b, d, id(1), 10000)
	b.Run("apply", func(b *testing.B) {
		n := 1
		for b.Loop() {
			n++
			org := id(n)
			if err := d.People.CreateOrg(b.Context(), people.Org{ID: org}); err != nil {
				b.Fatal(err)
			}
			if err := d.People.Apply(b.Context(), people.Cause{OrgID: org}, staff(org, 10000)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			if _, err := d.People.Load(b.Context(), id(1)); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, changes := range []int{0, 1, 100} {
		if changes > 0 {
			plan := people.Plan{}
			for _, p := range dir.People()[:changes] {
				plan.Update = append(plan.Update, people.Update{Before: p, After: p})
			}
			if err := d.People.Apply(b.Context(), people.Cause{OrgID: id(1)}, plan); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(fmt.Sprintf("since/%d", changes), func(b *testing.B) {
			for b.Loop() {
				if _, _, _, err := d.People.changes(b.Context(), id(1), dir.Version(), noon); err != nil {
					b.Fatal(err)
				}
			}
		})
		var err error
		if changes == 1 {
			if dir, err = d.People.Load(b.Context(), id(1)); err != nil {
				b.Fatal(err)
			}
		}
	}
}
