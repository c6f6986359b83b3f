package survey

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"huiyin/internal/people"
)

// UnitID is what a pulse is about: the firm itself for the empty path, else a department. It stays the same from cycle to cycle, so that
// figures can be compared.
func UnitID(orgID uuid.UUID, department string) uuid.UUID {
	if department == "" {
		return orgID
	}
	return uuid.NewSHA1(orgID, []byte("huiyin department\x00"+department))
}

// PulseWish says whom a pulse asks.
type PulseWish struct {
	// Department is what the pulse is about; empty: the firm.
	Department string
	// Service asks those whom the department serves instead of its members (S4-21, S4-34).
	Service bool
	// Among are the people who are asked about a service; empty: everybody outside the department.
	Among []uuid.UUID
	K     int
}

// BuildPulse makes the roster of a pulse: every active person concerned, once.
func BuildPulse(dir *people.Directory, w PulseWish) (Roster, []Problem) {
	subject := UnitID(dir.Org().ID, w.Department)
	relation := Member
	if w.Service {
		relation = Customer
	}
	var roster Roster
	for _, p := range dir.People() {
		inside := w.Department == "" || p.Department == w.Department || strings.HasPrefix(p.Department, w.Department+"/")
		asked := inside != w.Service
		if w.Service && len(w.Among) > 0 {
			asked = asked && slices.Contains(w.Among, p.ID)
		}
		if p.Active && asked {
			roster = append(roster, Assignment{Subject: subject, Rater: p.ID, Relation: relation, Unit: p.Department})
		}
	}
	slices.SortFunc(roster, order)
	var problems []Problem
	switch {
	case len(roster) == 0:
		problems = append(problems, Problem{Kind: NoSubject, Subject: subject})
	case len(roster) < w.K:
		problems = append(problems, Problem{Kind: GroupTooSmall, Subject: subject, Relation: relation, Count: len(roster), Need: w.K})
	}
	return roster, problems
}
