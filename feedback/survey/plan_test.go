package survey

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestSmallGroupsAreMergedByThePlan(t *testing.T) {
	for _, tt := range []struct {
		what    string
		invited map[Relation]int
		want    Groups
	}{
		{"large groups stand alone", map[Relation]int{Self: 1, Manager: 1, Peer: 6, Report: 5}, Groups{Self: "self", Manager: "manager", Peer: "peer", Report: "report"}},
		{"two small ones together", map[Relation]int{Peer: 3, Report: 2}, Groups{Peer: Colleagues, Report: Colleagues}},
		{"three small ones beside a large one", map[Relation]int{Peer: 9, Report: 3, Customer: 3}, Groups{Peer: "peer", Report: Colleagues, Customer: Colleagues}},
		{"one small one takes the smallest large one along", map[Relation]int{Peer: 9, Report: 2, Customer: 6}, Groups{Peer: "peer", Report: Colleagues, Customer: Colleagues}},
		{"a team of three", map[Relation]int{Self: 1, Manager: 1, Peer: 2}, Groups{Self: "self", Manager: "manager", Peer: Colleagues}},
		{"a manager alone", map[Relation]int{Manager: 1}, Groups{Manager: "manager"}},
	} {
		if diff := cmp.Diff(tt.want, PlanGroups(tt.invited, 5)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.what, diff)
		}
	}
}

func TestTooFewAnswersJoinTheColleaguesOrAreDropped(t *testing.T) {
	for _, tt := range []struct {
		what              string
		invited, answered map[Relation]int
		want              Groups
	}{
		{"enough everywhere", map[Relation]int{Peer: 6, Report: 5}, map[Relation]int{Peer: 5, Report: 5}, Groups{Peer: "peer", Report: "report"}},
		{"a group that fell short joins", map[Relation]int{Peer: 6, Report: 3, Customer: 3}, map[Relation]int{Peer: 4, Report: 1, Customer: 2}, Groups{Peer: Colleagues, Report: Colleagues, Customer: Colleagues}},
		{"a group that fell short alone is dropped", map[Relation]int{Peer: 6, Report: 5}, map[Relation]int{Peer: 4, Report: 5}, Groups{Report: "report"}},
		{"colleagues who fell short are dropped", map[Relation]int{Peer: 9, Report: 3, Customer: 3}, map[Relation]int{Peer: 9, Report: 2, Customer: 2}, Groups{Peer: "peer"}},
		{"nobody", map[Relation]int{Peer: 6}, map[Relation]int{}, Groups{}},
		{"manager and self are no group", map[Relation]int{Self: 1, Manager: 1, Peer: 4}, map[Relation]int{Self: 1, Manager: 1, Peer: 4}, Groups{}},
	} {
		got := PlanGroups(tt.invited, 5).settle(tt.answered, 5)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.what, diff)
		}
	}
}

func TestEverySettledGroupIsLargeEnoughAndHasNoManager(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.IntRange(FloorK, 8).Draw(t, "k")
		invited, answered := map[Relation]int{}, map[Relation]int{}
		for _, r := range []Relation{Self, Manager, Peer, Report, Customer} {
			most := 12
			if r.Attributed() {
				most = 1
			}
			invited[r] = rapid.IntRange(0, most).Draw(t, "invited")
			answered[r] = rapid.IntRange(0, invited[r]).Draw(t, "answered")
		}
		plan := PlanGroups(invited, k)
		settled := plan.settle(answered, k)
		for cell, n := range settled.sizes(answered) {
			if n < k {
				t.Fatalf("the cell %s has %d answers, fewer than %d", cell, n, k)
			}
		}
		for r, cell := range settled {
			if r.Attributed() {
				t.Fatalf("%s is in the anonymous cell %s", r, cell)
			}
			if cell != plan[r] && cell != Colleagues {
				t.Fatalf("%s was told %s or colleagues and is in %s", r, plan[r], cell)
			}
		}
	})
}

func TestWhatARaterIsToldBeforeTheFirstAnswer(t *testing.T) {
	c := draft()
	if err := c.open(noon); err != nil {
		t.Fatal(err)
	}
	always := Promise{K: 5, WordsAnswered: 8, WordsWritten: 3, ReplaceBy: c.ClosesAt, KeyGoneBy: c.ClosesAt.Add(24 * time.Hour)}
	with := func(change func(*Promise)) Promise {
		p := always
		change(&p)
		return p
	}
	large := map[Relation]int{Manager: 1, Peer: 6, Report: 2}
	pulse := c
	pulse.Kind = Pulse
	for _, tt := range []struct {
		what    string
		cycle   Cycle
		r       Relation
		invited Invited
		want    Promise
	}{
		{"the manager", c, Manager, Invited{Relations: large}, with(func(p *Promise) {
			p.Relation, p.Attributed, p.Cell, p.Showable, p.Comments = Manager, true, "manager", true, true
		})},
		{"a report who is merged with peers", c, Report, Invited{Relations: large}, with(func(p *Promise) {
			p.Relation, p.Cell, p.Merged, p.Group, p.Showable, p.Comments = Report, Colleagues, true, 8, true, true
		})},
		{"a peer in a group of six", c, Peer, Invited{Relations: map[Relation]int{Peer: 6}}, with(func(p *Promise) {
			p.Relation, p.Cell, p.Group, p.Showable = Peer, "peer", 6, true
		})},
		{"a peer in a team of three, whose answers can be shown nowhere", c, Peer, Invited{Relations: map[Relation]int{Self: 1, Manager: 1, Peer: 2}}, with(func(p *Promise) {
			p.Relation, p.Cell, p.Merged, p.Group = Peer, Colleagues, true, 2
		})},
		{"a member of a team of three in a firm of twenty", pulse, Member, Invited{Relations: map[Relation]int{Member: 20}, Unit: 3}, with(func(p *Promise) {
			p.Relation, p.Cell, p.Group, p.Unit, p.Showable, p.Comments = Member, Everybody, 20, 3, true, true
		})},
	} {
		if diff := cmp.Diff(tt.want, tt.cycle.PromiseTo(Assignment{Relation: tt.r}, tt.invited)); diff != "" {
			t.Errorf("%s is told (-want +got):\n%s", tt.what, diff)
		}
	}
	if got := c.Asked(Assignment{Relation: Peer}, Invited{Relations: map[Relation]int{Peer: 7}}); !slices.Equal(got, []int{0}) {
		t.Errorf("a peer of seven is asked the questions %v, want only the score: words of fewer than eight are never shown", got)
	}
	if got := c.Asked(Assignment{Relation: Peer}, Invited{Relations: map[Relation]int{Peer: 8}}); !slices.Equal(got, []int{0, 1}) {
		t.Errorf("a peer of eight is asked the questions %v, want both", got)
	}
}
