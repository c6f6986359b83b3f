package people

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// AccountSeen is an account as a platform's directory lists it.
type AccountSeen struct {
	ExternalID, Name, Email, TimeZone, Lang string
	Kind                                    Kind
}

// MatchAccounts compares what a platform lists with what is known and gives the identities that change, as they are afterwards.
//
// A confirmed account stays its person's, unless it was closed, opens again, and the person has another by now. Any other account of a member is proposed to the one active person with its e-mail address,
// in any case of letters, unless that person has or is being asked about another account of the platform, has refused this one, or
// two accounts have the address. Accounts of guests and bots and closed ones are proposed to nobody, and a proposal that no longer
// fits is withdrawn.
func MatchAccounts(d *Directory, platform string, seen []AccountSeen) []Identity {
	m := matching{person: map[string]uuid.UUID{}, accounts: map[string]int{}, claimed: map[uuid.UUID]bool{}}
	for _, p := range d.people {
		if email := foldEmail(p.Email); p.Active && email != "" {
			if _, twice := m.person[email]; twice {
				m.person[email] = uuid.Nil
				continue
			}
			m.person[email] = p.ID
		}
	}
	after := map[string]Identity{}
	for _, i := range d.Identities(platform) {
		after[i.ExternalID] = i
	}
	var order []string
	for _, a := range seen {
		i, known := after[a.ExternalID]
		if !known {
			i = Identity{OrgID: d.org.ID, Platform: platform, ExternalID: a.ExternalID, State: Unclaimed}
		}
		i.Kind, i.Name, i.Email, i.TimeZone, i.Lang = a.Kind, a.Name, foldEmail(a.Email), a.TimeZone, a.Lang
		after[a.ExternalID] = i
		order = append(order, a.ExternalID)
	}
	m.count(after, d)
	for id, i := range after { // a proposal keeps its place before a new one takes it
		if i.State == Proposed && m.fits(i) != i.PersonID {
			i.State, i.PersonID = Unclaimed, uuid.Nil
			after[id] = i
		}
	}
	for _, i := range after {
		if i.State == Proposed {
			m.claimed[i.PersonID] = true
		}
	}
	for _, id := range order {
		i := after[id]
		if i.State == Confirmed || i.State == Proposed {
			continue
		}
		if person := m.fits(i); person != uuid.Nil && (i.State != Refused || i.PersonID != person) {
			i.State, i.PersonID = Proposed, person
			after[id], m.claimed[person] = i, true
		}
	}
	var changed []Identity
	for _, i := range after {
		if d.identities[account{platform, i.ExternalID}] != i {
			changed = append(changed, i)
		}
	}
	slices.SortFunc(changed, byExternalID)
	return changed
}

func byExternalID(a, b Identity) int { return cmp.Compare(a.ExternalID, b.ExternalID) }

// matching is what one run of MatchAccounts knows.
type matching struct {
	person   map[string]uuid.UUID // the active person with an address; uuid.Nil: several
	accounts map[string]int       // members' accounts with an address
	claimed  map[uuid.UUID]bool   // who has, or is being asked about, an account of the platform
}

// count finds out who has an account and how many there are of an address. An account that opens again while its person has
// another becomes nobody's.
func (m matching) count(after map[string]Identity, d *Directory) {
	var reopened []Identity
	for _, i := range after {
		if i.Kind == Member && i.Email != "" {
			m.accounts[i.Email]++
		}
		switch before := d.identities[account{i.Platform, i.ExternalID}]; {
		case i.State != Confirmed || i.Kind == Gone:
		case before.Kind == Gone:
			reopened = append(reopened, i)
		default:
			m.claimed[i.PersonID] = true
		}
	}
	slices.SortFunc(reopened, byExternalID)
	for _, i := range reopened {
		if m.claimed[i.PersonID] {
			i.State, i.PersonID = Unclaimed, uuid.Nil
			after[i.ExternalID] = i
			continue
		}
		m.claimed[i.PersonID] = true
	}
}

// fits is the one person to whom the account may be proposed, or uuid.Nil.
func (m matching) fits(i Identity) uuid.UUID {
	if i.Kind != Member || i.Email == "" || m.accounts[i.Email] != 1 {
		return uuid.Nil
	}
	if person := m.person[i.Email]; !m.claimed[person] {
		return person
	}
	return uuid.Nil
}

func foldEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// rematched adds to a plan the proposals that follow from it: an account that waited for its person to be imported, or whose person has
// left. A plan that changes nothing stays as it is.
func (p Plan) rematched(d *Directory) Plan {
	if p.Empty() {
		return p
	}
	after := map[account]Identity{}
	for _, i := range p.Identities {
		after[account{i.Platform, i.ExternalID}] = i
	}
	next := d.Apply(p.Changes(), d.version)
	known := map[string][]AccountSeen{}
	for key, i := range next.identities {
		known[key.platform] = append(known[key.platform], AccountSeen{
			ExternalID: i.ExternalID, Name: i.Name, Email: i.Email, TimeZone: i.TimeZone, Lang: i.Lang, Kind: i.Kind,
		})
	}
	for platform, seen := range known {
		slices.SortFunc(seen, func(a, b AccountSeen) int { return cmp.Compare(a.ExternalID, b.ExternalID) })
		for _, i := range MatchAccounts(next, platform, seen) {
			after[account{platform, i.ExternalID}] = i
		}
	}
	p.Identities = sortedIdentities(after)
	return p
}

func sortedIdentities(all map[account]Identity) []Identity {
	return slices.SortedFunc(maps.Values(all), func(a, b Identity) int {
		return cmp.Or(cmp.Compare(a.Platform, b.Platform), cmp.Compare(a.ExternalID, b.ExternalID))
	})
}
