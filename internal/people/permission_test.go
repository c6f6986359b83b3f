package people_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"huiyin/internal/fault"
	"huiyin/internal/people"
)

// Who somebody is to the person whom an act is about.
const (
	self     = "self"
	manager  = "manager"    // directly above
	above    = "above"      // two levels above
	below    = "below"      // reports to them
	peer     = "peer"       // same manager
	stranger = "stranger"   // another team
	nobody   = "about firm" // no person is named
)

func TestTheMatrixOfRoleRelationAndAct(t *testing.T) {
	relations := []string{self, manager, above, below, peer, stranger, nobody}
	everyone := "employee hr executive admin"
	persons := []string{self, manager, above, below, peer, stranger}
	others := persons[1:]
	// want says which roles may, by act and relation. What is not in it is denied.
	want := map[people.Act]map[string]string{
		people.SeeProfile:     allow(persons, everyone),
		people.GivePraise:     allow(others, everyone),
		people.AskFeedback:    allow(others, everyone),
		people.LogEvent:       {self: everyone},
		people.WriteNote:      {manager: everyone, above: everyone},
		people.SeeFeedback:    merge(allow(persons, "hr"), map[string]string{self: everyone, manager: everyone, above: everyone}),
		people.SeeTeam:        merge(allow(persons, "hr executive"), map[string]string{self: everyone, manager: everyone, above: everyone}),
		people.SeeFirm:        {nobody: "hr executive"},
		people.ChangeSettings: {self: everyone},
		people.ClaimIdentity:  {self: everyone},
		people.LinkIdentity:   allow(persons, "hr admin"),
		people.ManagePeople:   {nobody: "hr admin"},
		people.ImportPeople:   {nobody: "hr admin"},
		people.ExportPeople:   {nobody: "hr admin"},
		people.ChangeRoles:    {nobody: "hr admin"},
		people.SeeAudit:       {nobody: "hr admin"},
		people.ConfigureFirm:  {nobody: "hr admin"},
		"read_minds":          {},
	}
	for _, act := range people.Acts() {
		if _, ok := want[act]; !ok {
			t.Errorf("the matrix of this test has no row for %s", act)
		}
	}
	for act, row := range want {
		for _, relation := range relations {
			for _, role := range people.Roles() {
				allowed := strings.Contains(row[relation], string(role))
				d, actor, about := cast(role, relation)
				if got := people.May(d, actor, act, about); got != allowed {
					t.Errorf("%s: a person of role %s who is %s may: %v, want %v", act, role, relation, got, allowed)
				}
				if err := people.Check(d, actor, act, about); (err == nil) != allowed || err != nil && !fault.Is(err, fault.Forbidden) {
					t.Errorf("%s: checking a person of role %s who is %s gave %v", act, role, relation, err)
				}
				gone := d.Apply(people.Changes{People: []people.Person{inactive(t, d, actor)}}, 2)
				if people.May(gone, actor, act, about) {
					t.Errorf("%s: somebody of role %s who left may do it (%s)", act, role, relation)
				}
			}
		}
	}
}

func allow(relations []string, roles string) map[string]string {
	out := map[string]string{}
	for _, r := range relations {
		out[r] = roles
	}
	return out
}

func merge(a, b map[string]string) map[string]string {
	for k, v := range b {
		a[k] = v
	}
	return a
}

// cast makes a firm of seven with an actor of that role in that relation to the middle one.
func cast(role people.Role, relation string) (d *people.Directory, actor, about uuid.UUID) {
	ids := map[string]uuid.UUID{}
	for i, r := range []string{self, manager, above, below, peer, stranger} {
		ids[r] = uuid.UUID{15: byte(i + 1)}
	}
	line := map[string]string{self: manager, manager: above, below: self, peer: manager, stranger: above}
	var all []people.Person
	for r, id := range ids {
		all = append(all, people.Person{ID: id, EmployeeNo: r, Role: people.Employee, Active: true, ManagerID: ids[line[r]]})
	}
	about = ids[self]
	actor = ids[relation]
	if relation == nobody {
		actor, about = ids[self], uuid.Nil
	}
	for i := range all {
		if all[i].ID == actor {
			all[i].Role = role
		}
	}
	return people.NewDirectory(people.Org{}, 1, all, nil), actor, about
}

func inactive(t *testing.T, d *people.Directory, id uuid.UUID) people.Person {
	t.Helper()
	p, ok := d.Person(id)
	if !ok {
		t.Fatalf("nobody has the id %s", id)
	}
	p.Active = false
	return p
}

func TestNobodyIsDeniedByDefault(t *testing.T) {
	d, _, about := cast(people.Admin, self)
	for _, act := range people.Acts() {
		for name, actor := range map[string]uuid.UUID{"no actor": uuid.Nil, "an unknown actor": {9}} {
			for _, whom := range []uuid.UUID{about, uuid.Nil, {8}} {
				if people.May(d, actor, act, whom) {
					t.Errorf("%s may %s about %s", name, act, whom)
				}
			}
		}
		if people.May(d, about, act, uuid.UUID{8}) {
			t.Errorf("an admin may %s about somebody who does not exist", act)
		}
	}
}

func TestTheOperatorKeepsTheFirmAndSeesNobody(t *testing.T) {
	d, _, about := cast(people.Employee, self)
	keeps := []people.Act{people.LinkIdentity, people.ManagePeople, people.ImportPeople, people.ExportPeople, people.ChangeRoles, people.SeeAudit, people.ConfigureFirm}
	for _, act := range people.Acts() {
		got := people.May(d, people.Operator, act, about) || people.May(d, people.Operator, act, uuid.Nil)
		if want := slices.Contains(keeps, act); got != want {
			t.Errorf("the operator may %s: %v, want %v", act, got, want)
		}
	}
}

func TestWhoHasLeftIsNotWrittenToButStaysVisible(t *testing.T) {
	d, boss, about := cast(people.Employee, manager)
	d = d.Apply(people.Changes{People: []people.Person{inactive(t, d, about)}}, 2)
	for act, want := range map[people.Act]bool{people.WriteNote: false, people.GivePraise: false, people.AskFeedback: false, people.SeeFeedback: true, people.SeeProfile: true} {
		if got := people.May(d, boss, act, about); got != want {
			t.Errorf("about somebody who left, their manager may %s: %v, want %v", act, got, want)
		}
	}
}

// TestRandomFirmsAgainstAnOracle is row R19: trees, moves and cycles, against a transitive closure by matrix.
func TestRandomFirmsAgainstAnOracle(t *testing.T) {
	firms := 2_000
	if testing.Short() {
		firms = 200
	}
	random := rand.New(rand.NewPCG(19, 33))
	for firm := range firms {
		if problem := oneFirm(random); problem != "" {
			t.Fatalf("firm %d of seed (19, 33): %s", firm, problem)
		}
	}
}

// BenchmarkRandomFirmsAgainstAnOracle runs as many firms as asked for: go test -bench RandomFirms -benchtime 100000x.
func BenchmarkRandomFirmsAgainstAnOracle(b *testing.B) {
	random := rand.New(rand.NewPCG(33, 19))
	for b.Loop() {
		if problem := oneFirm(random); problem != "" {
			b.Fatal(problem)
		}
	}
}

// oneFirm grows a random firm, moves people about, mostly without cycles, and compares every answer after every move.
func oneFirm(random *rand.Rand) string {
	n := 2 + random.IntN(9)
	all := make([]people.Person, n)
	boss := make([]int, n) // -1: none
	for i := range all {
		boss[i] = random.IntN(i+1) - 1
		all[i] = people.Person{
			ID: uuid.UUID{0: 1, 15: byte(i)}, EmployeeNo: fmt.Sprint(i), Role: people.Roles()[random.IntN(4)], Active: random.IntN(8) > 0,
		}
	}
	place := func(i int) {
		all[i].ManagerID = uuid.Nil
		if boss[i] >= 0 {
			all[i].ManagerID = all[boss[i]].ID
		}
	}
	for i := range all {
		place(i)
	}
	d := people.NewDirectory(people.Org{}, 1, all, nil)
	for move := range 3 {
		if problem := compareWithOracle(d, all, boss); problem != "" {
			return fmt.Sprintf("after %d moves of %v: %s", move, boss, problem)
		}
		i := random.IntN(n)
		boss[i] = random.IntN(n+1) - 1 // sometimes one's own report or oneself: the rules must end all the same
		all[i].Role, all[i].Active = people.Roles()[random.IntN(4)], random.IntN(8) > 0
		place(i)
		d = d.Apply(people.Changes{People: all[i : i+1]}, int64(move+2))
	}
	return ""
}

func compareWithOracle(d *people.Directory, all []people.Person, boss []int) string {
	n := len(all)
	over := make([][]bool, n) // over[a][b]: a is above b; Warshall's closure
	for a := range over {
		over[a] = make([]bool, n)
	}
	for b, a := range boss {
		if a >= 0 {
			over[a][b] = true
		}
	}
	for k := range n {
		for a := range n {
			for b := range n {
				over[a][b] = over[a][b] || over[a][k] && over[k][b]
			}
		}
	}
	for a := range n {
		line := map[uuid.UUID]bool{}
		for _, p := range d.Line(all[a].ID) {
			line[p.ID] = true
		}
		up := map[uuid.UUID]bool{}
		for _, p := range d.Managers(all[a].ID) {
			up[p.ID] = true
		}
		for b := range n {
			above := a != b && over[a][b]
			if d.InLine(all[a].ID, all[b].ID) != above || line[all[b].ID] != above || up[all[b].ID] != (a != b && over[b][a]) {
				return fmt.Sprintf("%d above %d: InLine %v, Line %v, Managers of %d %v, want %v",
					a, b, d.InLine(all[a].ID, all[b].ID), line[all[b].ID], a, up[all[b].ID], above)
			}
			role, active := all[a].Role, all[a].Active
			same := a == b
			for act, want := range map[people.Act]bool{
				people.SeeFeedback: active && (same || above || role == people.HR),
				people.WriteNote:   active && !same && above && all[b].Active,
				people.SeeTeam:     active && (same || above || role == people.HR || role == people.Executive),
				people.GivePraise:  active && !same && all[b].Active,
				people.SeeProfile:  active,
			} {
				if people.May(d, all[a].ID, act, all[b].ID) != want {
					return fmt.Sprintf("%d (%s, active %v) may %s about %d (active %v): %v, want %v", a, role, active, act, b, all[b].Active, !want, want)
				}
			}
		}
	}
	return ""
}
