package survey

import (
	"bytes"
	"crypto/hpke"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// ballotBox is a cycle with ballots, without a store.
type ballotBox struct {
	cycle   Cycle
	private hpke.PrivateKey
	rows    []Sealed
}

type failer interface {
	Helper()
	Fatalf(string, ...any)
}

// newBox opens a cycle over the roster. answers gives what each rater says; nil: nothing.
func newBox(t failer, kind Kind, policy Policy, roster Roster, answers func(Assignment) Answers) *ballotBox {
	t.Helper()
	slices.SortFunc(roster, order)
	b := &ballotBox{private: mustKey(t)}
	b.cycle = Cycle{OrgID: orgID, ID: id(250), Kind: kind, State: Draft, ClosesAt: noon.AddDate(0, 0, 7), Policy: policy}
	b.cycle.Policy.Roster = roster.Sum()
	if err := b.cycle.open(noon); err != nil {
		t.Fatalf("opening the cycle: %v", err)
	}
	b.cycle.Key = Key{Ref: "k", Public: b.private.PublicKey().Bytes(), State: Live}
	for _, a := range roster {
		row := Sealed{Assignment: a}
		if said := answers(a); said != nil {
			sealed, err := Seal(b.cycle.Key.Public, b.cycle.Place(a), policy.Questionnaire, said)
			if err != nil {
				t.Fatalf("sealing: %v", err)
			}
			row.Cast, row.Ballot = true, sealed
		}
		b.rows = append(b.rows, row)
	}
	return b
}

func (b *ballotBox) stream() iter.Seq2[Sealed, error] {
	return func(yield func(Sealed, error) bool) {
		for _, r := range b.rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// paper is what was published.
type paper struct {
	cells    []Cell
	comments []PublishedComment
}

func (p *paper) Cell(c Cell) error                { p.cells = append(p.cells, c); return nil }
func (p *paper) Comment(c PublishedComment) error { p.comments = append(p.comments, c); return nil }

func (b *ballotBox) tally() (*paper, Outcome, error) {
	p := &paper{}
	outcome, err := Tally(b.cycle, b.private, b.stream(), p)
	return p, outcome, err
}

func (b *ballotBox) mustTally(t failer) (*paper, Outcome) {
	t.Helper()
	p, outcome, err := b.tally()
	if err != nil {
		t.Fatalf("tallying: %v", err)
	}
	return p, outcome
}

// read prints cells as "subject name question bucket shown", question by its number, sorted.
func (p *paper) read(q Questionnaire) []string {
	var out []string
	for _, c := range p.cells {
		at := slices.IndexFunc(q.Questions, func(x Question) bool { return x.ID == c.Question })
		out = append(out, strings.Join(strings.Fields(fmt.Sprintf("%d %s q%d %s %s", c.Subject[15], c.Name, at+1, c.Bucket, c.Shown)), " "))
	}
	sort.Strings(out)
	return out
}

// around makes raters of a subject: counts by relation, with rater numbers from first on.
func around(subject, first byte, unit string, counts map[Relation]int) Roster {
	var out Roster
	for _, r := range Relations() {
		for range counts[r] {
			rater := id(first)
			if r == Self {
				rater = id(subject)
			}
			out = append(out, Assignment{Subject: id(subject), Rater: rater, Relation: r, Unit: unit})
			first++
		}
	}
	return out
}

func TestWhatASubjectIsTold(t *testing.T) {
	q := ask(Score, Chips, Comment)
	roster := around(1, 20, "Sales", map[Relation]int{Self: 1, Manager: 1, Peer: 6, Report: 3, Customer: 3})
	n := map[Relation]int{}
	box := newBox(t, Review, DefaultPolicy(Review, q), roster, func(a Assignment) Answers {
		n[a.Relation]++
		switch a.Relation {
		case Self:
			return Answers{{Score: 5}, {Chips: 1}, {Words: "My own words."}}
		case Manager:
			return Answers{{Score: 2}, {Chips: 6}, {Words: "The manager's words", Theme: 1}}
		case Peer:
			if n[Peer] == 6 {
				return nil // does not answer
			}
			return Answers{{Score: 4}, {Chips: 1}, {Words: fmt.Sprintf("Peer %d！！", n[Peer]), Theme: 2}}
		default:
		}
		if a.Relation == Customer && n[Customer] == 3 {
			return Answers{{CantSay: true}} // skips all that counts
		}
		return Answers{{Score: 1}, {Chips: 2}}
	})
	p, outcome := box.mustTally(t)
	want := []string{
		"1 colleagues q1 5-7 1.5", "1 colleagues q2 5-7 #1:most", "1 manager q1 =2", "1 manager q2 #1:,2:", "1 manager q3 \"The manager's words",
		"1 peer q1 5-7 4", "1 peer q2 5-7 #0:most", "1 self q1 =5", "1 self q2 #0:", "1 self q3 \"My own words",
	}
	if diff := cmp.Diff(want, p.read(q)); diff != "" {
		t.Errorf("cells (-want +got):\n%s", diff)
	}
	var words []string
	for _, c := range p.comments {
		words = append(words, c.Words)
		if c.ID.Version() != 4 || c.Subject != id(1) || c.Theme != 2 || c.Question != q.Questions[2].ID {
			t.Errorf("a comment is published as %+v", c)
		}
	}
	slices.Sort(words)
	if diff := cmp.Diff([]string{"Peer 1!", "Peer 2!", "Peer 3!", "Peer 4!", "Peer 5!"}, words); diff != "" {
		t.Errorf("comments (-want +got):\n%s", diff)
	}
	if outcome.Subjects != 1 || outcome.Ballots != 13 || outcome.Rejected != 0 || outcome.Withheld != 0 || outcome.Cells != len(p.cells) || outcome.Comments != 5 {
		t.Errorf("outcome: %+v", outcome)
	}
}

func TestAThresholdHoldsForEveryQuestionByItself(t *testing.T) {
	q := ask(Score, Score)
	n := 0
	box := newBox(t, Review, DefaultPolicy(Review, q), around(1, 20, "", map[Relation]int{Peer: 6}), func(Assignment) Answers {
		n++
		if n <= 2 {
			return Answers{{Score: 3}, {CantSay: true}} // four are left for the second question
		}
		return Answers{{Score: 3}, {Score: 3}}
	})
	p, _ := box.mustTally(t)
	if diff := cmp.Diff([]string{"1 peer q1 5-7 3"}, p.read(q)); diff != "" {
		t.Errorf("cells (-want +got):\n%s", diff)
	}
}

func TestWordsArePublishedOnlyWhenEightAnsweredAndThreeWrote(t *testing.T) {
	q := ask(Score, Comment, Comment)
	for _, tt := range []struct {
		what            string
		counts          map[Relation]int
		policy          func(*Policy)
		answered, wrote int
		published       int
	}{
		{"eight answered and three wrote", map[Relation]int{Peer: 9}, nil, 8, 3, 3},
		{"seven answered", map[Relation]int{Peer: 9}, nil, 7, 7, 0},
		{"two wrote", map[Relation]int{Peer: 9}, nil, 9, 2, 0},
		{"only emoji is no word", map[Relation]int{Peer: 9}, nil, 9, -3, 0},
		{"the policy has none", map[Relation]int{Peer: 9}, func(p *Policy) { p.Comments = false }, 9, 9, 0},
		{"self and manager do not make the eight", map[Relation]int{Self: 1, Manager: 1, Peer: 7}, nil, 9, 9, 0},
		{"a dropped group does not make the eight", map[Relation]int{Peer: 6, Report: 5}, nil, 9, 9, 0}, // five reports and four peers answer
	} {
		policy := DefaultPolicy(Review, q)
		if tt.policy != nil {
			tt.policy(&policy)
		}
		n := 0
		box := newBox(t, Review, policy, around(1, 20, "", tt.counts), func(Assignment) Answers {
			n++
			switch {
			case n > tt.answered:
				return nil
			case n <= tt.wrote:
				return Answers{{Score: 3}, {Words: "words"}}
			case n <= -tt.wrote:
				return Answers{{Score: 3}, {Words: "👍"}}
			}
			return Answers{{Score: 3}}
		})
		p, _ := box.mustTally(t)
		if len(p.comments) != tt.published {
			t.Errorf("%s: %d comments were published, want %d", tt.what, len(p.comments), tt.published)
		}
	}
}

// Comments come in an order of their own for every question: neither the roster's, nor one that links two questions.
func TestCommentsOfTwoQuestionsCannotBeAligned(t *testing.T) {
	q := ask(Score, Comment, Comment)
	const subjects, raters = 60, 8
	var roster Roster
	for s := range byte(subjects) {
		for r := range byte(raters) {
			roster = append(roster, Assignment{Subject: id(s), Rater: id(100 + r), Relation: Peer})
		}
	}
	box := newBox(t, Review, DefaultPolicy(Review, q), roster, func(a Assignment) Answers {
		who := fmt.Sprint("rater ", a.Rater[15]-100)
		return Answers{{Score: 3}, {Words: who}, {Words: who}}
	})
	p, _ := box.mustTally(t)
	place := map[[2]uuid.UUID]int{}
	order := map[[2]uuid.UUID][]string{}
	inPlace, aligned := 0, 0
	for _, c := range p.comments {
		key := [2]uuid.UUID{c.Subject, c.Question}
		if c.Words == fmt.Sprint("rater ", place[key]) {
			inPlace++
		}
		place[key]++
		order[key] = append(order[key], c.Words)
	}
	for s := range byte(subjects) {
		first, second := order[[2]uuid.UUID{id(s), q.Questions[1].ID}], order[[2]uuid.UUID{id(s), q.Questions[2].ID}]
		for i := range first {
			if first[i] == second[i] {
				aligned++
			}
		}
	}
	// Chance is one in eight: 120 of 960 in place, 60 of 480 aligned; the bounds are five standard deviations.
	if inPlace < 69 || inPlace > 171 {
		t.Errorf("%d of %d comments are in the place of their author, want about 120", inPlace, len(p.comments))
	}
	if aligned < 24 || aligned > 96 {
		t.Errorf("%d of %d comments stand beside the same author's, want about 60", aligned, subjects*raters)
	}
}

func TestBallotsThatDoNotOpenAreCountedAndNothingElse(t *testing.T) {
	q := ask(Score)
	make := func() *ballotBox {
		return newBox(t, Review, DefaultPolicy(Review, q), around(1, 20, "", map[Relation]int{Peer: 8}), func(Assignment) Answers { return Answers{{Score: 3}} })
	}
	for what, change := range map[string]func(*ballotBox){
		"a ballot copied to another rater": func(b *ballotBox) { b.rows[0].Ballot = b.rows[1].Ballot },
		"a ballot cut short":               func(b *ballotBox) { b.rows[0].Ballot = b.rows[0].Ballot[:100] },
		"an empty ballot":                  func(b *ballotBox) { b.rows[0].Ballot = []byte{} },
		"a ballot of another cycle": func(b *ballotBox) {
			other := b.cycle
			other.ID = id(9)
			sealed, err := Seal(b.cycle.Key.Public, other.Place(b.rows[0].Assignment), q, Answers{{Score: 1}})
			if err != nil {
				t.Fatal(err)
			}
			b.rows[0].Ballot = sealed
		},
	} {
		box := make()
		change(box)
		p, outcome := box.mustTally(t)
		if outcome.Rejected != 1 || outcome.Ballots != 7 || len(p.cells) != 1 || p.cells[0].Bucket != "5-7" {
			t.Errorf("%s: %+v, cells %v; want one rejected and a figure of the other seven", what, outcome, p.read(q))
		}
	}
}

func TestWhatWasFrozenIsCheckedBeforeAnythingIsPublished(t *testing.T) {
	q := ask(Score)
	make := func() *ballotBox {
		return newBox(t, Review, DefaultPolicy(Review, q), around(1, 20, "", map[Relation]int{Peer: 8, Report: 5}), func(Assignment) Answers { return Answers{{Score: 3}} })
	}
	for what, change := range map[string]func(*ballotBox){
		"a lower k": func(b *ballotBox) { b.cycle.Policy.K = 4 },
		"a rater who was added": func(b *ballotBox) {
			b.rows = append(b.rows, Sealed{Assignment: Assignment{Subject: id(1), Rater: id(99), Relation: Peer}})
		},
		"a rater who was taken away":    func(b *ballotBox) { b.rows = b.rows[1:] },
		"a peer who was made a manager": func(b *ballotBox) { b.rows[0].Relation = Manager },
		"a department that was changed": func(b *ballotBox) { b.rows[0].Unit = "x" },
		"a ballot that disappeared":     func(b *ballotBox) { b.rows[0].Ballot = nil },
		"a ballot without a flag":       func(b *ballotBox) { b.rows[0].Cast = false },
		"rows out of order":             func(b *ballotBox) { b.rows[0], b.rows[1] = b.rows[1], b.rows[0] },
		"a row twice":                   func(b *ballotBox) { b.rows[1] = b.rows[0] },
		"another key":                   func(b *ballotBox) { b.private = mustKey(t) },
	} {
		box := make()
		change(box)
		var tampered *TamperedError
		if _, _, err := box.tally(); !errors.As(err, &tampered) {
			t.Errorf("%s: the tally gives %v, want a TamperedError", what, err)
		}
	}
	// A policy that was changed together with its sum opens no ballot.
	box := make()
	box.cycle.Policy.K = 4
	sum, err := box.cycle.Policy.Sum()
	if err != nil {
		t.Fatal(err)
	}
	box.cycle.PolicySum = sum
	if p, _, err := box.tally(); !errors.Is(err, ErrTooFew) || len(p.cells) != 0 {
		t.Errorf("a lower k with its sum gives %v and %d cells, want ErrTooFew and none", err, len(p.cells))
	}
}

func TestFewerThanKAnswersPublishNothing(t *testing.T) {
	q := ask(Score)
	for answered := range 7 {
		n := 0
		box := newBox(t, Review, DefaultPolicy(Review, q), around(1, 20, "", map[Relation]int{Self: 1, Manager: 1, Peer: 6}), func(Assignment) Answers {
			if n++; n <= answered {
				return Answers{{Score: 3}}
			}
			return Answers{} // a ballot that skips everything
		})
		_, outcome, err := box.tally()
		if few := errors.Is(err, ErrTooFew); few != (answered < DefaultK) || !few && err != nil {
			t.Errorf("%d answered: %v, %+v", answered, err, outcome)
		}
	}
	broken := errors.New("the connection is gone")
	box := newBox(t, Review, DefaultPolicy(Review, q), around(1, 20, "", map[Relation]int{Peer: 6}), func(Assignment) Answers { return nil })
	_, err := Tally(box.cycle, box.private, func(yield func(Sealed, error) bool) { yield(Sealed{}, broken) }, &paper{})
	if !errors.Is(err, broken) {
		t.Errorf("a store that fails gives %v", err)
	}
}

func TestAPulseShowsDepartmentsAndTheFirm(t *testing.T) {
	q := ask(Score, Comment)
	var roster Roster
	units := []string{"A", "A", "A", "A", "A", "B", "B", "B", "C/x", "C/x", "C/y", "C/y", "C/y"}
	for i, unit := range units {
		roster = append(roster, Assignment{Subject: orgID, Rater: id(byte(20 + i)), Relation: Member, Unit: unit})
	}
	box := newBox(t, Pulse, DefaultPolicy(Pulse, q), roster, func(a Assignment) Answers {
		score := map[string]int{"A": 2, "B": 5, "C/x": 4, "C/y": 4}[a.Unit]
		return Answers{{Score: score}, {Words: "w" + fmt.Sprint(a.Rater[15])}}
	})
	p, _ := box.mustTally(t)
	// B's three are dropped: nobody is left for them to join.
	if diff := cmp.Diff([]string{"200 all q1 8-12 3", "200 unit:A q1 5-7 2", "200 unit:C q1 5-7 4"}, p.read(q)); diff != "" {
		t.Errorf("cells (-want +got):\n%s", diff)
	}
	if len(p.comments) != len(units) {
		t.Errorf("%d comments, want %d", len(p.comments), len(units))
	}
}

func TestDepartmentsOfSubjectsAreShownFromKSubjectsOn(t *testing.T) {
	q := ask(Score)
	var roster Roster
	for s := range byte(9) {
		unit := "A"
		if s >= 5 {
			unit = "B"
		}
		roster = append(roster, around(s, 100, unit, map[Relation]int{Manager: 1, Peer: 5})...)
	}
	box := newBox(t, Review, DefaultPolicy(Review, q), roster, func(a Assignment) Answers {
		if a.Relation == Manager {
			return Answers{{Score: 1}}
		}
		return Answers{{Score: 4}}
	})
	p, _ := box.mustTally(t)
	over := slices.DeleteFunc(p.read(q), func(line string) bool { return !strings.HasPrefix(line, "250 ") })
	if diff := cmp.Diff([]string{"250 all q1 5-7 4", "250 unit:A q1 5-7 4"}, over); diff != "" {
		t.Errorf("figures over subjects (-want +got):\n%s", diff)
	}
}

func TestDistributionsNeedTwentyPeopleAndNoiseAHundred(t *testing.T) {
	q := ask(Score)
	for _, people := range []int{19, 20, 99, 100} {
		var roster Roster
		for i := range people {
			roster = append(roster, Assignment{Subject: orgID, Rater: uuid.UUID{14: byte(i >> 8), 15: byte(i)}, Relation: Member})
		}
		policy := DefaultPolicy(Pulse, q)
		policy.Histogram = true
		answer := func(a Assignment) Answers { return Answers{{Score: 4 + int(a.Rater[15]%2)}} }
		p, _ := newBox(t, Pulse, policy, roster, answer).mustTally(t)
		if bars := p.cells[0].Shown.Bars; (len(bars) > 0) != (people >= 20) {
			t.Errorf("of %d people the distribution is %v", people, bars)
		}
		policy.Noise = true
		p, _ = newBox(t, Pulse, policy, roster, answer).mustTally(t)
		if s := p.cells[0].Shown; s.Mean != 9 || len(s.Bars) != 0 {
			t.Errorf("with noise %d people who answer 4.5 are shown as %s", people, s)
		}
	}
}

// The arithmetic of E3 on random rosters (manager 1, peers 3 to 8, reports 0 to 10, customers 0 to 4, 85 % answer, and here one answer
// in ten to a question is skipped): a tool that hides small groups but counts them in the overall figure gives single people away in a
// third of the reports at t = 3; ours gives nobody away. The attacker combines figures in every way with factors from -2 to 2.
func TestSubtractionGivesNobodyAwayOnRandomRosters(t *testing.T) {
	const rosters = 3000
	r := rand.New(rand.NewPCG(5, 6))
	relations := []Relation{Manager, Peer, Report, Customer}
	naive := map[int]int{}
	naiveGroup := map[int]int{}
	ours, shownAnswers := 0, 0
	for range rosters {
		invited := map[Relation]int{Manager: 1, Peer: 3 + r.IntN(6), Report: r.IntN(11), Customer: r.IntN(5)}
		answered, responded := map[Relation]int{}, map[Relation]int{}
		for _, rel := range relations {
			for range invited[rel] {
				if r.Float64() < .85 {
					responded[rel]++
					if r.Float64() < .9 {
						answered[rel]++
					}
				}
			}
		}
		for _, threshold := range []int{3, 5} {
			hidden := 0
			for _, rel := range relations {
				if responded[rel] < threshold {
					hidden += responded[rel]
				}
			}
			if hidden == 1 {
				naive[threshold]++
			}
			if hidden > 0 && hidden < threshold {
				naiveGroup[threshold]++
			}
		}
		// Ours, as published: which relations are in which cell.
		cells := map[string][]Relation{}
		for rel, cell := range PlanGroups(invited, DefaultK).settle(answered, DefaultK) {
			cells[cell] = append(cells[cell], rel)
			shownAnswers += answered[rel]
		}
		var figures [][]Relation
		for _, c := range cells {
			figures = append(figures, c)
		}
		if combinationIsolates(figures, answered, DefaultK) {
			ours++
		}
	}
	percent := func(n int) float64 { return 100 * float64(n) / rosters }
	t.Logf("control, one person exposed: t = 3 %.1f %%, t = 5 %.1f %%; a group below t: %.1f %%, %.1f %%; ours: %d of %d, %.1f answers shown",
		percent(naive[3]), percent(naive[5]), percent(naiveGroup[3]), percent(naiveGroup[5]), ours, rosters, float64(shownAnswers)/rosters)
	if ours != 0 {
		t.Errorf("%d of %d reports give fewer than %d people away", ours, rosters, DefaultK)
	}
	if percent(naive[3]) < 30 || percent(naive[5]) < 5 || percent(naiveGroup[3]) < 50 {
		t.Error("the control is too weak: the attack proves nothing")
	}
}

// combinationIsolates tries all sums of figures with factors from -2 to 2.
func combinationIsolates(figures [][]Relation, people map[Relation]int, k int) bool {
	combinations := 1
	for range figures {
		combinations *= 5
	}
	for c := range combinations {
		weight := map[Relation]int{}
		for i, rest := 0, c; i < len(figures); i, rest = i+1, rest/5 {
			for _, rel := range figures[i] {
				weight[rel] += rest%5 - 2
			}
		}
		n := 0
		for rel, w := range weight {
			if w != 0 {
				n += people[rel]
			}
		}
		if n > 0 && n < k {
			return true
		}
	}
	return false
}

// The same through real ballots: what a tally publishes about random subjects is as the plan says, and never about fewer than k.
func TestTalliesOfRandomRostersPublishNoSmallGroup(t *testing.T) {
	q := ask(Score, Score)
	r := rand.New(rand.NewPCG(7, 8))
	var roster Roster
	for s := range byte(40) {
		roster = append(roster, around(s, 100, "D", map[Relation]int{Manager: 1, Peer: r.IntN(9), Report: r.IntN(9), Customer: r.IntN(5)})...)
	}
	truth := map[string]int{} // subject, question, relation: answers
	box := newBox(t, Review, DefaultPolicy(Review, q), roster, func(a Assignment) Answers {
		if r.Float64() > .85 {
			return nil
		}
		answers := make(Answers, 2)
		for i := range answers {
			if r.Float64() < .85 {
				answers[i].Score = 1 + r.IntN(5)
				truth[fmt.Sprint(a.Subject, i, a.Relation)]++
			}
		}
		return answers
	})
	p, outcome := box.mustTally(t)
	if outcome.Withheld != 0 {
		t.Errorf("the auditor held %d figures back that the plan let through", outcome.Withheld)
	}
	anonymous := 0
	for _, c := range p.cells {
		if c.Bucket == "" || c.Subject == box.cycle.ID {
			continue
		}
		anonymous++
		at := slices.IndexFunc(q.Questions, func(x Question) bool { return x.ID == c.Question })
		n := 0
		for _, rel := range []Relation{Peer, Report, Customer} {
			if c.Name == string(rel) || c.Name == Colleagues {
				n += truth[fmt.Sprint(c.Subject, at, rel)]
			}
		}
		if n < DefaultK {
			t.Errorf("the figure %s of subject %d is about %d people at most", c.Name, c.Subject[15], n)
		}
	}
	if anonymous == 0 {
		t.Error("nothing was published: the test proves nothing")
	}
}

// A tally keeps totals, not ballots: what it holds at its end does not grow with the number of subjects.
func TestATallyStreams(t *testing.T) {
	q := ask(Score, Score)
	measure := func(subjects int) uint64 {
		private := mustKey(t)
		policy := DefaultPolicy(Review, q)
		sum := newRosterSum()
		rows := func(see func(Assignment) bool) {
			for s := range subjects {
				for rater := range byte(8) {
					if !see(Assignment{Subject: uuid.UUID{14: byte(s >> 8), 15: byte(s)}, Rater: id(100 + rater), Relation: Peer, Unit: "D"}) {
						return
					}
				}
			}
		}
		rows(func(a Assignment) bool { sum.add(a); return true })
		policy.Roster = sum.String()
		c := Cycle{OrgID: orgID, ID: id(250), Kind: Review, State: Draft, ClosesAt: noon.AddDate(0, 0, 7), Policy: policy}
		if err := c.open(noon); err != nil {
			t.Fatal(err)
		}
		c.Key.Public = private.PublicKey().Bytes()
		var held uint64
		_, err := Tally(c, private, func(yield func(Sealed, error) bool) {
			rows(func(a Assignment) bool {
				sealed, err := Seal(c.Key.Public, c.Place(a), q, Answers{{Score: 3}, {Score: 4}})
				return yield(Sealed{Assignment: a, Cast: true, Ballot: sealed}, err)
			})
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			held = m.HeapAlloc
		}, nowhere{})
		if err != nil {
			t.Fatal(err)
		}
		return held
	}
	small, large := measure(10), measure(100)
	t.Logf("held after 80 ballots: %d KiB, after 800: %d KiB; the ballots alone are %d KiB more", small>>10, large>>10, 720*SealedSize>>10)
	if large > small+500<<10 {
		t.Errorf("90 subjects more hold %d KiB more", (large-small)>>10)
	}
}

// nowhere forgets what is published.
type nowhere struct{}

func (nowhere) Cell(Cell) error                { return nil }
func (nowhere) Comment(PublishedComment) error { return nil }

// No answer is in any error, outcome or cell of fewer than k, in raw, hex or other forms.
func TestACanaryNeverComesOutOfASmallGroup(t *testing.T) {
	q := ask(Score, Comment)
	const canary = "canary-7f3a"
	box := newBox(t, Review, DefaultPolicy(Review, q), around(1, 20, "", map[Relation]int{Peer: 4, Self: 1}), func(a Assignment) Answers {
		if a.Relation == Self {
			return Answers{{Score: 5}}
		}
		return Answers{{Score: 1}, {Words: canary}}
	})
	p, outcome := box.mustTally(t)
	if diff := cmp.Diff([]string{"1 self q1 =5"}, p.read(q)); diff != "" || len(p.comments) != 0 {
		t.Errorf("published (-want +got):\n%s%v", diff, p.comments)
	}
	for _, row := range box.rows {
		if bytes.Contains(row.Ballot, []byte(canary)) {
			t.Error("a ballot holds its words in the open")
		}
	}
	if strings.Contains(fmt.Sprintf("%+v", outcome), canary) {
		t.Error("the outcome holds words")
	}
}

func BenchmarkTally(b *testing.B) {
	all, err := Standard()
	if err != nil {
		b.Fatal(err)
	}
	q := all["360"]
	var roster Roster
	for s := range byte(100) {
		roster = append(roster, around(s, 120, "D", map[Relation]int{Manager: 1, Peer: 7})...)
	}
	box := newBox(b, Review, DefaultPolicy(Review, q), roster, func(Assignment) Answers {
		return Answers{{Score: 3}, {Score: 4}, {Score: 2}, {Score: 5}, {CantSay: true}, {Chips: 5}, {Words: "some words"}}
	})
	for b.Loop() {
		if _, err := Tally(box.cycle, box.private, box.stream(), nowhere{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(roster))*float64(b.N)/b.Elapsed().Seconds(), "ballots/s")
}
