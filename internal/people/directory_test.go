package people_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"huiyin/internal/people"
)

// id is a short name for an id that is the same in every run.
func id(n byte) uuid.UUID { return uuid.UUID{15: n} }

// small is a firm of five: 01 leads 02 and 03, 02 leads 04; 05 has left.
func small() *people.Directory {
	org := people.Org{ID: uuid.UUID{1}, Name: "回音", TimeZone: "Asia/Shanghai", Lang: "zh-CN"}
	person := func(n byte, name, department string, manager uuid.UUID) people.Person {
		return people.Person{
			OrgID: org.ID, ID: id(n), EmployeeNo: "E0" + string('0'+n), Name: name, Department: department, ManagerID: manager,
			Role: people.Employee, Active: n != 5, Email: "e" + string('0'+n) + "@example.com", Settings: people.DefaultSettings(),
		}
	}
	return people.NewDirectory(org, 7, []people.Person{
		person(3, "李四", "销售部/华东", id(1)), person(1, "张三", "销售部", uuid.Nil), person(2, "王五", "销售部/华东", id(1)),
		person(4, "赵六", "销售部/华东/上海", id(2)), person(5, "钱七", "研发部", id(1)),
	}, []people.Identity{
		{OrgID: org.ID, Platform: "slack", ExternalID: "U1", PersonID: id(1), State: people.Confirmed, Kind: people.Member, Name: "zhangsan", TimeZone: "Europe/Berlin", Lang: "en-US"},
		{OrgID: org.ID, Platform: "slack", ExternalID: "U0", PersonID: id(1), State: people.Confirmed, Kind: people.Gone},
		{OrgID: org.ID, Platform: "slack", ExternalID: "U2", PersonID: id(2), State: people.Proposed, Kind: people.Member},
		{OrgID: org.ID, Platform: "slack", ExternalID: "U9", State: people.Unclaimed, Kind: people.Guest},
	})
}

func numbers(list []people.Person) string {
	var out []string
	for _, p := range list {
		out = append(out, p.EmployeeNo)
	}
	return strings.Join(out, " ")
}

func TestADirectoryAnswersWhoIsWhere(t *testing.T) {
	d := small()
	for what, pair := range map[string][2]string{
		"everybody by number":              {"E01 E02 E03 E04 E05", numbers(d.People())},
		"direct reports":                   {"E02 E03 E05", numbers(d.Reports(id(1)))},
		"the line below, nearest first":    {"E02 E03 E05 E04", numbers(d.Line(id(1)))},
		"the managers above, direct first": {"E02 E01", numbers(d.Managers(id(4)))},
		"a department with those under it": {"E02 E03 E04", numbers(d.Department("销售部/华东"))},
		"a department by half its name":    {"", numbers(d.Department("销售"))},
		"the whole firm":                   {"E01 E02 E03 E04 E05", numbers(d.Department(""))},
		"departments with somebody active": {"销售部 销售部/华东 销售部/华东/上海", strings.Join(d.Departments(), " ")},
		"reports of nobody":                {"", numbers(d.Reports(uuid.Nil))},
		"the line of somebody unknown":     {"", numbers(d.Line(id(99)))},
		"managers of somebody unknown":     {"", numbers(d.Managers(id(99)))},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: got %q, want %q", what, pair[1], pair[0])
		}
	}
	for who, want := range map[byte]bool{1: true, 2: true, 3: false, 99: false} {
		if d.IsManager(id(who)) != want {
			t.Errorf("%d is a manager: %v, want %v", who, !want, want)
		}
	}
	if p, ok := d.ByEmployeeNo("E03"); !ok || p.ID != id(3) {
		t.Errorf("E03 is %v, %v", p, ok)
	}
	if p, ok := d.ByEmployeeNo("none"); ok || p.ID != uuid.Nil {
		t.Errorf("an unknown number is somebody's: %v", p)
	}
}

func TestAnAccountIsAPersonsOnlyOnceConfirmed(t *testing.T) {
	d := small()
	if i, p, ok := d.ByIdentity("slack", "U1"); !ok || p.ID != id(1) || i.State != people.Confirmed {
		t.Errorf("a confirmed account: got %v %v %v", i, p, ok)
	}
	if i, p, ok := d.ByIdentity("slack", "U2"); !ok || p.ID != uuid.Nil || i.PersonID != id(2) {
		t.Errorf("a proposed account: got %v %v %v, want it known and nobody's", i, p, ok)
	}
	if _, _, ok := d.ByIdentity("feishu", "U1"); ok {
		t.Error("an account of another platform is known")
	}
	if i, ok := d.IdentityOf(id(1), "slack"); !ok || i.ExternalID != "U1" {
		t.Errorf("messages go to %v, want the account that is not closed", i)
	}
	if i, ok := d.IdentityOf(id(2), "slack"); ok {
		t.Errorf("messages go to %v, which is only proposed", i)
	}
	if got := d.IdentitiesOf(id(1)); len(got) != 2 || got[0].ExternalID != "U0" {
		t.Errorf("all accounts of one person by id: %v", got)
	}
	if got := d.Identities("slack"); len(got) != 4 || got[3].ExternalID != "U9" {
		t.Errorf("all accounts of a platform by id: %v", got)
	}
}

func TestLanguageAndZoneAreThePersonsOwnFirst(t *testing.T) {
	d := small()
	p, _ := d.Person(id(1))
	steps := []struct {
		what, lang, zone string
		change           func()
	}{
		{"nothing but a confirmed account", "en-US", "Europe/Berlin", func() {}},
		{"the file", "zh-CN", "Asia/Tokyo", func() { p.Lang, p.TimeZone = "zh-CN", "Asia/Tokyo" }},
		{"a choice", "en", "America/New_York", func() { p.Settings.Lang, p.Settings.TimeZone = "en", "America/New_York" }},
		{"a zone that this machine does not know", "en", "Asia/Tokyo", func() { p.Settings.TimeZone = "Mars/Olympus" }},
	}
	for _, s := range steps {
		s.change()
		if lang, zone := d.Language(p), d.Location(p).String(); lang != s.lang || zone != s.zone {
			t.Errorf("with %s: %s in %s, want %s in %s", s.what, lang, zone, s.lang, s.zone)
		}
	}
	other, _ := d.Person(id(2)) // their account is only proposed
	if lang, zone := d.Language(other), d.Location(other).String(); lang != "zh-CN" || zone != "Asia/Shanghai" {
		t.Errorf("without anything of their own: %s in %s, want the firm's", lang, zone)
	}
	bare := people.NewDirectory(people.Org{}, 1, nil, nil)
	if lang, zone := bare.Language(other), bare.Location(other); lang != "en" || zone != time.UTC {
		t.Errorf("in a firm that says nothing: %s in %s, want English and UTC", lang, zone)
	}
}

func TestASnapshotNeverChanges(t *testing.T) {
	before := small()
	moved, _ := before.Person(id(4))
	moved.ManagerID, moved.Name = id(3), "赵七"
	org := before.Org()
	org.Lang = "en"
	after := before.Apply(people.Changes{
		Org: &org, People: []people.Person{moved, {ID: id(6), EmployeeNo: "E00", Name: "新人", Active: true}},
		Identities: []people.Identity{{Platform: "slack", ExternalID: "U2", PersonID: id(2), State: people.Confirmed, Kind: people.Member, Name: "wangwu"}},
	}, 8)

	if before.Version() != 7 || numbers(before.Reports(id(2))) != "E04" || before.Org().Lang != "zh-CN" || len(before.People()) != 5 {
		t.Errorf("the old snapshot changed: version %d, %v", before.Version(), before.People())
	}
	if i, _, _ := before.ByIdentity("slack", "U2"); i.State != people.Proposed {
		t.Errorf("an account of the old snapshot changed: %v", i)
	}
	if after.Version() != 8 || numbers(after.Reports(id(3))) != "E04" || after.Org().Lang != "en" || numbers(after.People()) != "E00 E01 E02 E03 E04 E05" {
		t.Errorf("the new snapshot is wrong: version %d, %v", after.Version(), after.People())
	}
	for name, want := range map[string][2]int{"赵六": {1, 0}, "赵七": {0, 1}, "新人": {0, 1}, "wangwu": {1, 1}} {
		got := [2]int{len(before.Find(name, people.FindOptions{})), len(after.Find(name, people.FindOptions{}))}
		if got != want {
			t.Errorf("%s is found %v times before and after, want %v", name, got, want)
		}
	}
}

// TestApplyIsTheSameAsANewDirectory guards what Apply shares with the snapshot before it.
func TestApplyIsTheSameAsANewDirectory(t *testing.T) {
	start := small()
	settle := func(change func(*people.Person)) people.Changes {
		p, _ := start.Person(id(4))
		change(&p)
		return people.Changes{People: []people.Person{p}}
	}
	claim := func(i people.Identity) people.Changes {
		i.OrgID, i.Platform = start.Org().ID, "slack"
		return people.Changes{Identities: []people.Identity{i}}
	}
	for what, c := range map[string]people.Changes{
		"nothing":          {},
		"settings":         settle(func(p *people.Person) { p.Settings.Lang = "en" }),
		"a name":           settle(func(p *people.Person) { p.Name = "孙八" }),
		"a number":         settle(func(p *people.Person) { p.EmployeeNo = "E00" }),
		"a move":           settle(func(p *people.Person) { p.ManagerID = id(3) }),
		"leaving":          settle(func(p *people.Person) { p.Active = false }),
		"an account's yes": claim(people.Identity{ExternalID: "U2", PersonID: id(2), State: people.Confirmed, Name: "Wang Wu"}),
		"an account's end": claim(people.Identity{ExternalID: "U1", State: people.Unclaimed}),
		"an account moves": claim(people.Identity{ExternalID: "U1", PersonID: id(3), State: people.Confirmed, Name: "Li Si"}),
		"an account's new name": claim(people.Identity{
			ExternalID: "U1", PersonID: id(1), State: people.Confirmed, Name: "boss", Kind: people.Member,
		}),
	} {
		start.Find("x", people.FindOptions{}) // the index of names is there and could be shared wrongly
		applied := start.Apply(c, 8)
		anew := people.NewDirectory(start.Org(), 8, applied.People(), applied.Identities("slack"))
		for _, id := range []uuid.UUID{id(1), id(2), id(3), id(4), id(5)} {
			if diff := cmp.Diff(anew.IdentitiesOf(id), applied.IdentitiesOf(id)); diff != "" {
				t.Errorf("after %s, accounts differ (-new +applied):\n%s", what, diff)
			}
			if diff := cmp.Diff(anew.Reports(id), applied.Reports(id)); diff != "" {
				t.Errorf("after %s, reports differ (-new +applied):\n%s", what, diff)
			}
		}
		for _, name := range []string{"赵六", "孙八", "E00", "E04", "zhangsan", "boss", "wang wu", "li si", "lisi", "钱七"} {
			if diff := cmp.Diff(anew.Find(name, people.FindOptions{}), applied.Find(name, people.FindOptions{})); diff != "" {
				t.Errorf("after %s, %q finds others (-new +applied):\n%s", what, name, diff)
			}
		}
	}
}

func TestManyMayReadASnapshotAtOnce(t *testing.T) {
	d := small()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if len(d.Find("张三", people.FindOptions{})) != 1 || len(d.Apply(people.Changes{}, 8).People()) != 5 {
				t.Error("a reader saw something else")
			}
		})
	}
	all.Wait()
}

func BenchmarkApplyOneChangeToAHundredThousand(b *testing.B) {
	all := make([]people.Person, 100_000)
	for i := range all {
		all[i] = people.Person{ID: uuid.UUID{12: byte(i >> 16), 13: byte(i >> 8), 14: byte(i), 15: 1}, EmployeeNo: string(rune('A' + i)), Active: true}
	}
	d := people.NewDirectory(people.Org{}, 1, all, nil)
	p := all[500]
	p.Settings.Lang = "en"
	for b.Loop() {
		d.Apply(people.Changes{People: []people.Person{p}}, 2)
	}
}
