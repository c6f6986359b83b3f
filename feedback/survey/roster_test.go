package survey

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"huiyin/internal/people"
)

var orgID = id(200)

// firm makes a directory from lines "number manager department"; everybody's id is id(number).
func firm(t *testing.T, lines string) *people.Directory {
	t.Helper()
	var all []people.Person
	for line := range strings.SplitSeq(strings.TrimSpace(lines), "\n") {
		var no, manager byte
		var department, role string
		if n, err := fmt.Sscanf(line+" employee", "%d %d %s %s", &no, &manager, &department, &role); n < 4 {
			t.Fatalf("line %q: %v", line, err)
		}
		p := people.Person{OrgID: orgID, ID: id(no), EmployeeNo: fmt.Sprintf("%03d", no), Name: fmt.Sprint("P", no), Department: department, Active: role != "gone", Role: people.Employee}
		if role == "hr" {
			p.Role = people.HR
		}
		if manager != 0 {
			p.ManagerID = id(manager)
		}
		all = append(all, p)
	}
	return people.NewDirectory(people.Org{ID: orgID}, 1, all, nil)
}

const small = `
1 0 Board
2 1 Sales
3 2 Sales/East
4 2 Sales/East
5 2 Sales/West
6 2 Sales/West
7 1 Tech
8 7 Tech
9 7 Tech gone
10 1 HR hr
`

func lines(r Roster) []string {
	var out []string
	for _, a := range r {
		out = append(out, fmt.Sprintf("%d by %d %s", a.Subject[15], a.Rater[15], a.Relation))
	}
	return out
}

func kinds(problems []Problem) []string {
	var out []string
	for _, p := range problems {
		out = append(out, fmt.Sprintf("%s %d %d %s %d/%d", p.Kind, p.Subject[15], p.Rater[15], p.Relation, p.Count, p.Need))
	}
	slices.Sort(out)
	return out
}

func all360() []Relation { return []Relation{Self, Manager, Report, Peer, Customer} }

func TestARosterFollowsTheReportingLineAndTheTies(t *testing.T) {
	roster, problems := BuildRoster(firm(t, small), Wish{
		Subjects: []uuid.UUID{id(2), id(7)}, Relations: all360(), How: Automatic, K: 4,
		Ties: []Tie{{Person: id(2), With: id(8), Strength: 3}, {Person: id(7), With: id(3), Serves: true}, {Person: id(7), With: id(9)}, {Person: id(7), With: id(2), Serves: true}},
	})
	want := []string{
		"2 by 1 manager", "2 by 2 self", "2 by 3 report", "2 by 4 report", "2 by 5 report", "2 by 6 report", "2 by 7 peer", "2 by 8 peer", "2 by 10 peer",
		"7 by 1 manager", "7 by 2 peer", "7 by 3 customer", "7 by 7 self", "7 by 8 report", "7 by 10 peer",
	}
	if diff := cmp.Diff(want, lines(roster)); diff != "" {
		t.Errorf("roster (-want +got):\n%s", diff)
	}
	for _, a := range roster {
		if want := map[byte]string{2: "Sales", 7: "Tech"}[a.Subject[15]]; a.Unit != want {
			t.Errorf("answers about %d are rolled up under %q, want %q", a.Subject[15], a.Unit, want)
		}
	}
	if diff := cmp.Diff([]string(nil), kinds(problems)); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestRatersWhoAreNamedAreCheckedAndApproved(t *testing.T) {
	dir := firm(t, small)
	given := []Nominee{
		{Subject: id(3), Rater: id(4), Relation: Peer, Approved: true},
		{Subject: id(3), Rater: id(5), Relation: Peer},
		{Subject: id(3), Rater: id(8), Relation: Customer, Approved: true},
		{Subject: id(3), Rater: id(2), Relation: Peer, Approved: true},
		{Subject: id(3), Rater: id(3), Relation: Peer, Approved: true},
		{Subject: id(3), Rater: id(9), Relation: Peer, Approved: true},
		{Subject: id(3), Rater: id(77), Relation: Peer, Approved: true},
		{Subject: id(3), Rater: id(6), Relation: Manager, Approved: true},
		{Subject: id(3), Rater: id(4), Relation: Customer, Approved: true}, // on the list already: the first relation holds
	}
	roster, problems := BuildRoster(dir, Wish{Subjects: []uuid.UUID{id(3), id(3), id(9)}, Relations: all360(), How: BySubject, Given: given, K: 5})
	if diff := cmp.Diff([]string{"3 by 2 manager", "3 by 3 self", "3 by 4 peer", "3 by 8 customer"}, lines(roster)); diff != "" {
		t.Errorf("roster (-want +got):\n%s", diff)
	}
	want := []string{
		"group_too_small 3 0 customer 2/5", "group_too_small 3 0 peer 2/5", "not_approved 3 5 peer 0/0", "own_line 3 2 peer 0/0", "own_line 3 3 peer 0/0",
		"own_line 3 6 manager 0/0", "unknown_person 3 77 peer 0/0", "unknown_person 3 9 peer 0/0", "unknown_person 9 0  0/0",
	}
	if diff := cmp.Diff(want, kinds(problems)); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	roster, _ = BuildRoster(dir, Wish{Subjects: []uuid.UUID{id(3)}, Relations: []Relation{Peer}, How: ByHR, Given: given[1:2], K: 5})
	if diff := cmp.Diff([]string{"3 by 5 peer"}, lines(roster)); diff != "" {
		t.Errorf("what HR names needs no approval (-want +got):\n%s", diff)
	}
	_, problems = BuildRoster(dir, Wish{Subjects: []uuid.UUID{id(1)}, Relations: []Relation{Self, Manager}, How: ByHR, K: 5})
	if diff := cmp.Diff([]string{"nobody_knows 1 0  0/0"}, kinds(problems)); diff != "" {
		t.Errorf("somebody whom nobody rates (-want +got):\n%s", diff)
	}
	if _, problems = BuildRoster(dir, Wish{K: 5}); len(problems) != 1 || !problems[0].Blocks() {
		t.Errorf("a roster of nobody has the problems %v, want one that blocks", problems)
	}
}

// A firm in which everybody works with the same few: nobody is asked more often than the cap, the burden is even, and the same wish
// gives the same roster.
func TestNobodyIsAskedMoreThanTheCap(t *testing.T) {
	var b strings.Builder
	b.WriteString("1 0 Board\n")
	for i := 2; i <= 120; i++ {
		fmt.Fprintf(&b, "%d 1 Dept\n", i)
	}
	dir := firm(t, b.String())
	r := rand.New(rand.NewPCG(3, 4))
	var ties []Tie
	var subjects []uuid.UUID
	for i := byte(2); i <= 120; i++ {
		subjects = append(subjects, id(i))
		for star := byte(2); star <= 6; star++ {
			ties = append(ties, Tie{Person: id(i), With: id(star), Strength: 9})
		}
		ties = append(ties, Tie{Person: id(i), With: id(byte(2 + r.IntN(119))), Strength: 5})
	}
	wish := Wish{Subjects: subjects, Relations: []Relation{Self, Manager, Peer}, How: Automatic, Ties: ties, Peers: 6, Cap: 7, K: 5}
	roster, problems := BuildRoster(dir, wish)
	load, about := map[uuid.UUID]int{}, map[uuid.UUID]int{}
	for _, a := range roster {
		if a.Relation == Peer {
			load[a.Rater]++
			about[a.Subject]++
		}
	}
	for rater, n := range load {
		if n > 7 {
			t.Errorf("%d is asked %d times, more than the cap of 7", rater[15], n)
		}
	}
	for _, s := range subjects {
		if about[s] < 5 {
			t.Errorf("%d has %d peers, fewer than k although there are enough", s[15], about[s])
		}
	}
	if diff := cmp.Diff([]string{"overload 0 1  119/7"}, kinds(problems)); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	again, _ := BuildRoster(dir, wish)
	if diff := cmp.Diff(roster, again); diff != "" {
		t.Errorf("the same wish gave another roster:\n%s", diff)
	}
	if !slices.IsSortedFunc(roster, order) {
		t.Error("the roster is not in order")
	}
}

func TestAPulseAsksEverybodyConcernedOnce(t *testing.T) {
	dir := firm(t, small)
	roster, problems := BuildPulse(dir, PulseWish{K: 5})
	if len(roster) != 9 || len(problems) != 0 || roster[0].Subject != orgID || roster[0].Relation != Member {
		t.Errorf("a pulse of the firm asks %v, %v", lines(roster), problems)
	}
	roster, problems = BuildPulse(dir, PulseWish{Department: "Sales", K: 5})
	if len(roster) != 5 || len(problems) != 0 || roster[0].Subject != UnitID(orgID, "Sales") {
		t.Errorf("a pulse of Sales asks %v, %v", lines(roster), problems)
	}
	roster, problems = BuildPulse(dir, PulseWish{Department: "HR", Service: true, K: 9})
	if len(roster) != 8 || len(problems) != 1 || problems[0].Kind != GroupTooSmall || roster[0].Relation != Customer {
		t.Errorf("a rating of HR's service asks %v, %v", lines(roster), problems)
	}
	roster, problems = BuildPulse(dir, PulseWish{Department: "HR", Service: true, Among: []uuid.UUID{id(10), id(3)}, K: 1})
	if len(roster) != 1 || len(problems) != 0 || roster[0].Rater != id(3) {
		t.Errorf("a rating of HR's service among two asks %v, %v", lines(roster), problems)
	}
	if _, problems = BuildPulse(dir, PulseWish{Department: "Moon", K: 5}); len(problems) != 1 || !problems[0].Blocks() {
		t.Errorf("a pulse of a department without people gives %v", problems)
	}
}
