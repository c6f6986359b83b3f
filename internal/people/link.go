package people

import (
	"github.com/google/uuid"

	"huiyin/internal/fault"
)

// linkAccounts gives the identities that change because of the file, as they are afterwards: first every account that a row takes
// away or replaces becomes nobody's, then every account that a row names becomes that person's.
func (r *rehearsal) linkAccounts() []Identity {
	after := map[account]Identity{}
	for i, c := range r.columns {
		if c == nil || c.platform == "" {
			continue
		}
		wanted := r.wanted(*c, i)
		for _, e := range r.entries {
			said, given := e.cells[c.name]
			if !given {
				continue
			}
			id, claims := wanted[e.after.ID]
			for _, old := range r.dir.IdentitiesOf(e.after.ID) {
				if old.Platform != c.platform || old.ExternalID == id || old.Kind == Gone {
					continue
				}
				if old.State == Confirmed && (claims || said.clear) || old.State == Proposed && claims {
					after[account{old.Platform, old.ExternalID}] = old.nobodys()
					e.relinked = true
				}
			}
		}
		for _, e := range r.entries {
			id, claims := wanted[e.after.ID]
			if !claims {
				continue
			}
			key := account{c.platform, id}
			known, ok := r.dir.identities[key]
			switch {
			case known.Kind == Bot:
				r.complain(e.row, i, "account_bot", fault.Args{"Value": shown(id)})
				continue
			case known.State == Confirmed && known.PersonID == e.after.ID:
				continue
			case known.State == Confirmed && after[key].State != Unclaimed:
				p := r.person(known.PersonID)
				r.complain(e.row, i, "account_taken", fault.Args{"Value": shown(id), "Name": p.Name, "Number": p.EmployeeNo})
				continue
			case !ok:
				known = Identity{OrgID: r.dir.org.ID, Platform: c.platform, ExternalID: id, Kind: Member}
			}
			known.State, known.PersonID, known.Match = Confirmed, e.after.ID, ""
			after[key] = known
			e.relinked = true
		}
	}
	return sortedIdentities(after)
}

// wanted reads the account ids of one column, by person.
func (r *rehearsal) wanted(c column, index int) map[uuid.UUID]string {
	wanted := map[uuid.UUID]string{}
	first := map[string]int{}
	for _, e := range r.entries {
		said, given := e.cells[c.name]
		if !given || said.clear {
			continue
		}
		id := code(said.text)
		if why := checkText(id, longestCode); why != nil {
			r.problems = append(r.problems, r.at(e.row, index, why))
			continue
		}
		if row, twice := first[id]; twice {
			r.complain(e.row, index, "account_twice", fault.Args{"Value": shown(id), "First": row})
			continue
		}
		first[id] = e.row.Number
		wanted[e.after.ID] = id
	}
	return wanted
}
