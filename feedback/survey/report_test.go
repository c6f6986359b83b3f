package survey

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"huiyin/internal/people"
)

func TestAReportFollowsFromThePublishedCells(t *testing.T) {
	q := ask(Score, Score, Score, Comment)
	q.Dimensions = append(q.Dimensions, Dimension{Key: "e", Text: Text{"二", "two"}})
	q.Questions[2].Dimension = "e"
	cell := func(name string, question int, s Shown) Cell {
		return Cell{Subject: id(1), Name: name, Question: q.Questions[question].ID, Shown: s}
	}
	cells := []Cell{
		cell("self", 0, Shown{Exact: 5}), cell("manager", 0, Shown{Exact: 3}), cell("report", 0, Shown{Mean: 6}), cell("peer", 0, Shown{Mean: 7}),
		cell("self", 1, Shown{Exact: 2}), cell("peer", 1, Shown{Mean: 9}),
		cell("self", 2, Shown{Exact: 4}),
		cell("self", 3, Shown{Words: "mine"}),
	}
	got := NewReportCard(q, cells)
	want := ReportCard{
		Lines: []Line{
			{Question: q.Questions[0].ID, Self: 5, Manager: 3, Cells: []Cell{cells[3], cells[2]}, Others: 33}, // 3.25
			{Question: q.Questions[1].ID, Self: 2, Cells: []Cell{cells[5]}, Others: 45},
			{Question: q.Questions[2].ID, Self: 4},
		},
		Dimensions: []Axis{{"d", 35, 30, 39}, {"e", 40, 0, 0}},
		Strengths:  []int{1, 0},
		BlindSpots: []int{0},
		Hidden:     []int{1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

func TestWordsAreForTheSubjectAlone(t *testing.T) {
	dir := firm(t, small)
	boss, _ := dir.Person(id(1))
	boss.Role = people.Executive
	dir = dir.Apply(people.Changes{People: []people.Person{boss}}, 2)
	for _, tt := range []struct {
		what           string
		actor, subject byte
		kind           Kind
		view           View
		words          bool
	}{
		{"the subject", 3, 3, Review, OwnView, true},
		{"their manager", 2, 3, Review, LineView, false},
		{"the manager's manager", 1, 3, Review, LineView, false},
		{"HR", 10, 3, Review, HRView, false},
		{"a colleague", 4, 3, Review, "", false},
		{"somebody who has left", 9, 9, Review, "", false},
		{"HR about the firm", 10, 200, Pulse, HRView, true},
		{"an executive about the firm", 1, 200, Pulse, FirmView, false},
		{"an employee about the firm", 4, 200, Pulse, "", false},
	} {
		view, ok := ViewOf(dir, id(tt.actor), id(tt.subject))
		if view != tt.view || ok != (tt.view != "") || view.Words(tt.kind) != tt.words {
			t.Errorf("%s: the view is %q with words %v, want %q, %v", tt.what, view, view.Words(tt.kind), tt.view, tt.words)
		}
		cells := view.Cells(tt.kind, []Cell{{Name: "manager", Shown: Shown{Words: "x"}}, {Name: "peer", Shown: Shown{Mean: 7}}})
		if shown := len(cells) == 2; shown != tt.words {
			t.Errorf("%s sees the words of the manager: %v, want %v", tt.what, shown, tt.words)
		}
	}
}

func TestTheRaterIsShownWhatMayGiveThemAway(t *testing.T) {
	for _, tt := range []struct {
		words string
		want  []Telltale
	}{
		{"always helpful and calm", nil},
		{"ask 林晓 about PROJ-1234 of 2026-11-03", []Telltale{{NameTelltale, "林晓"}, {TicketTelltale, "PROJ-1234"}, {DateTelltale, "2026-11-03"}}},
		{"上周三他把11月3日的80万报价发错了", []Telltale{{DateTelltale, "上周三"}, {DateTelltale, "11月3日"}, {AmountTelltale, "80万"}}},
		{"on Monday kai lost ¥1,200 and #77", []Telltale{{NameTelltale, "Kai"}, {TicketTelltale, "#77"}, {DateTelltale, "Monday"}, {AmountTelltale, "¥1,200"}}},
		{"ＰＲＯＪ－９", []Telltale{{TicketTelltale, "PROJ-9"}}},
	} {
		if diff := cmp.Diff(tt.want, Telltales(tt.words, []string{"林晓", "Kai", ""})); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.words, diff)
		}
	}
}
