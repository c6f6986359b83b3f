package survey

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/google/uuid"

	"huiyin/internal/people"
)

// Nomination says who names the peers and internal customers of a 360. Self, manager and reports follow from the reporting line always.
type Nomination string

// The nominations.
const (
	ByHR      Nomination = "hr"
	BySubject Nomination = "subject" // the person names them, their manager approves
	Automatic Nomination = "auto"    // from the reporting line and from who works with whom
)

// Invitations.
const (
	DefaultPeers = 8 // of each relation per subject
	DefaultCap   = 8 // forms that one rater is asked to fill in, besides their own and those about their reports and manager
)

// Wish is what HR wants a 360 roster to be.
type Wish struct {
	Subjects  []uuid.UUID
	Relations []Relation // who is asked
	How       Nomination
	Given     []Nominee // ByHR and BySubject
	Ties      []Tie     // Automatic
	Peers     int       // most of each relation per subject; 0: DefaultPeers
	Cap       int       // most invitations per rater; 0: DefaultCap
	K         int
}

// Nominee is somebody named as a rater.
type Nominee struct {
	Subject, Rater uuid.UUID
	Relation       Relation // Peer or Customer
	Approved       bool     // by the subject's manager; only BySubject asks
}

// Tie says that two people work together, or that With is served by Person. The stronger the tie, the sooner somebody is asked.
type Tie struct {
	Person, With uuid.UUID
	Strength     int
	Serves       bool // With is an internal customer of Person
}

// ProblemKind names what is wrong with a roster.
type ProblemKind string

// The problems. Those that Blocks are to be solved before the cycle opens; the rest is for HR to know.
const (
	GroupTooSmall ProblemKind = "group_too_small" // Count people are asked, fewer than Need: their answers cannot be shown
	NobodyKnows   ProblemKind = "nobody_knows"    // nobody but the person and their manager is asked
	Overload      ProblemKind = "overload"        // the rater has Count forms about others, more than Need
	NotInvited    ProblemKind = "not_invited"     // the rater has reached the cap and is left out here
	UnknownPerson ProblemKind = "unknown_person"  // not an active person of the firm
	NotApproved   ProblemKind = "not_approved"    // named by the subject, waiting for the manager
	OwnLine       ProblemKind = "own_line"        // named as peer or customer, but is the person, their manager or their report
	NoSubject     ProblemKind = "no_subject"
)

// Problem is one thing that HR should know about a roster.
type Problem struct {
	Kind           ProblemKind
	Subject, Rater uuid.UUID
	Relation       Relation
	Count, Need    int
}

// Blocks reports whether the cycle cannot open with it.
func (p Problem) Blocks() bool { return p.Kind == UnknownPerson || p.Kind == NoSubject }

// Roster is who rates whom, in order of subject and rater, each pair once.
type Roster []Assignment

// Sum identifies the roster.
func (r Roster) Sum() string {
	s := newRosterSum()
	for _, a := range r {
		s.add(a)
	}
	return s.String()
}

// order compares assignments as the store sorts them: ids byte by byte.
func order(a, b Assignment) int {
	return cmp.Or(bytes.Compare(a.Subject[:], b.Subject[:]), bytes.Compare(a.Rater[:], b.Rater[:]))
}

// BuildRoster makes the roster of a 360. The same wish and directory give the same roster. A rater stands in one relation to a subject:
// the first of Relations that holds.
func BuildRoster(dir *people.Directory, w Wish) (Roster, []Problem) {
	w.Peers, w.Cap = cmp.Or(w.Peers, DefaultPeers), cmp.Or(w.Cap, DefaultCap)
	b := builder{dir: dir, wish: w, seen: map[[2]uuid.UUID]bool{}, load: map[uuid.UUID]int{}}
	for _, id := range w.Subjects {
		p, ok := dir.Person(id)
		if !ok || !p.Active {
			b.problem(Problem{Kind: UnknownPerson, Subject: id})
			continue
		}
		b.line(p)
	}
	if w.How == Automatic {
		b.automatic()
	} else {
		b.named()
	}
	slices.SortFunc(b.roster, order)
	b.judge()
	return b.roster, b.problems
}

type builder struct {
	dir      *people.Directory
	wish     Wish
	subjects []people.Person
	roster   Roster
	problems []Problem
	seen     map[[2]uuid.UUID]bool
	load     map[uuid.UUID]int // invitations that count towards the cap
}

func (b *builder) problem(p Problem) { b.problems = append(b.problems, p) }

func (b *builder) asked(r Relation) bool { return slices.Contains(b.wish.Relations, r) }

// add puts somebody on the roster unless they are on it for this subject, and reports whether it did.
func (b *builder) add(subject people.Person, rater uuid.UUID, r Relation) bool {
	key := [2]uuid.UUID{subject.ID, rater}
	if who, ok := b.dir.Person(rater); !ok || !who.Active || b.seen[key] {
		return false
	}
	b.seen[key] = true
	b.roster = append(b.roster, Assignment{Subject: subject.ID, Rater: rater, Relation: r, Unit: subject.Department})
	return true
}

// line adds those whom the reporting line names, even where the cap is reached.
func (b *builder) line(subject people.Person) {
	if slices.ContainsFunc(b.subjects, func(p people.Person) bool { return p.ID == subject.ID }) {
		return
	}
	b.subjects = append(b.subjects, subject)
	if b.asked(Self) {
		b.add(subject, subject.ID, Self)
	}
	if b.asked(Manager) {
		b.add(subject, subject.ManagerID, Manager)
	}
	if b.asked(Report) {
		for _, p := range b.dir.Reports(subject.ID) {
			b.add(subject, p.ID, Report)
		}
	}
}

// near reports whether somebody is the subject, above, or directly below: such people are no peers. The manager's answers are
// attributed, so nobody may be a manager and be counted as a hidden peer as well.
func (b *builder) near(subject people.Person, rater uuid.UUID) bool {
	who, _ := b.dir.Person(rater)
	return rater == subject.ID || rater == subject.ManagerID || who.ManagerID == subject.ID
}

// named adds the nominees.
func (b *builder) named() {
	for _, n := range b.wish.Given {
		subject, ok := b.dir.Person(n.Subject)
		rater, known := b.dir.Person(n.Rater)
		p := Problem{Subject: n.Subject, Rater: n.Rater, Relation: n.Relation}
		switch {
		case !ok || !known || !rater.Active || !slices.ContainsFunc(b.subjects, func(s people.Person) bool { return s.ID == n.Subject }):
			p.Kind = UnknownPerson
		case n.Relation != Peer && n.Relation != Customer || b.near(subject, n.Rater):
			p.Kind = OwnLine
		case b.wish.How == BySubject && !n.Approved:
			p.Kind = NotApproved
		case !b.asked(n.Relation):
			continue
		case b.load[n.Rater] >= b.wish.Cap:
			p.Kind, p.Count, p.Need = NotInvited, b.load[n.Rater], b.wish.Cap
		default:
			if b.add(subject, n.Rater, n.Relation) {
				b.load[n.Rater]++
			}
			continue
		}
		b.problem(p)
	}
}

// candidate is somebody who may be asked about a subject.
type candidate struct {
	person   people.Person
	strength int
}

// automatic takes, for one subject after the other and one place at a time, the strongest tie, and of equal ones whoever has the fewest
// invitations so far: nobody who is last in the list is left with those who are worn out.
func (b *builder) automatic() {
	ties := map[uuid.UUID][]Tie{}
	for _, t := range b.wish.Ties {
		ties[t.Person] = append(ties[t.Person], t)
		if !t.Serves {
			t.Person, t.With = t.With, t.Person
			ties[t.Person] = append(ties[t.Person], t)
		}
	}
	for _, r := range []Relation{Peer, Customer} {
		if !b.asked(r) {
			continue
		}
		open := make([][]candidate, len(b.subjects))
		for i, s := range b.subjects {
			open[i] = b.candidates(s, r, ties[s.ID])
		}
		for range b.wish.Peers {
			for i, s := range b.subjects {
				open[i] = b.take(s, r, open[i])
			}
		}
	}
}

// candidates are the colleagues under the same manager, and whoever works with the subject; for customers whoever is served.
func (b *builder) candidates(subject people.Person, r Relation, ties []Tie) []candidate {
	strength := map[uuid.UUID]int{}
	for _, t := range ties {
		if t.Serves == (r == Customer) {
			strength[t.With] = max(strength[t.With], t.Strength, 1)
		}
	}
	if r == Peer && subject.ManagerID != uuid.Nil {
		for _, p := range b.dir.Reports(subject.ManagerID) {
			strength[p.ID] = max(strength[p.ID], 1)
		}
	}
	var out []candidate
	for id, s := range strength {
		if p, ok := b.dir.Person(id); ok && p.Active && !b.near(subject, id) {
			out = append(out, candidate{p, s})
		}
	}
	slices.SortFunc(out, func(x, y candidate) int {
		return cmp.Or(cmp.Compare(y.strength, x.strength), cmp.Compare(x.person.EmployeeNo, y.person.EmployeeNo))
	})
	return out
}

// take adds the best candidate who is not at the cap and gives the others.
func (b *builder) take(subject people.Person, r Relation, open []candidate) []candidate {
	best := -1
	for i, c := range open {
		if b.load[c.person.ID] >= b.wish.Cap || b.seen[[2]uuid.UUID{subject.ID, c.person.ID}] {
			continue
		}
		if best >= 0 && c.strength < open[best].strength {
			break
		}
		if best < 0 || b.load[c.person.ID] < b.load[open[best].person.ID] {
			best = i
		}
	}
	if best < 0 {
		return nil
	}
	if b.add(subject, open[best].person.ID, r) {
		b.load[open[best].person.ID]++
	}
	return slices.Delete(open, best, best+1)
}

// judge finds what HR should know about the roster.
func (b *builder) judge() {
	if len(b.subjects) == 0 {
		b.problem(Problem{Kind: NoSubject})
	}
	counts, forms := map[uuid.UUID]map[Relation]int{}, map[uuid.UUID]int{}
	for _, a := range b.roster {
		if counts[a.Subject] == nil {
			counts[a.Subject] = map[Relation]int{}
		}
		counts[a.Subject][a.Relation]++
		if a.Relation != Self {
			forms[a.Rater]++
		}
	}
	for _, s := range b.subjects {
		invited := counts[s.ID]
		groups, anonymous := PlanGroups(invited, b.wish.K), 0
		sizes := groups.sizes(invited)
		for _, r := range Relations() {
			if invited[r] == 0 || r.Attributed() {
				continue
			}
			anonymous += invited[r]
			if n := sizes[groups[r]]; n < b.wish.K {
				b.problem(Problem{Kind: GroupTooSmall, Subject: s.ID, Relation: r, Count: n, Need: b.wish.K})
			}
		}
		if anonymous == 0 {
			b.problem(Problem{Kind: NobodyKnows, Subject: s.ID})
		}
	}
	for _, p := range b.dir.People() {
		if forms[p.ID] > b.wish.Cap {
			b.problem(Problem{Kind: Overload, Rater: p.ID, Count: forms[p.ID], Need: b.wish.Cap})
		}
	}
}
