package people

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// AccountSeen is an account as a platform's directory lists it. What the platform does not know or may not say is empty.
type AccountSeen struct {
	ExternalID, Name, Email, TimeZone, Lang string
	Kind                                    Kind
	Mobile, EmployeeNo                      string

	// What only a company's own directory tells; ListedPeople reads it.
	NameEn, Title string
	Department    string // path with /
	Manager       string // ExternalID
	HiredOn       string // 2006-01-02
}

// MatchAccounts compares what a platform lists with what is known and gives the identities that change, as they are afterwards.
//
// A confirmed account stays its person's, unless it was closed, opens again, and the person has another by now. Any other account of a
// member is proposed to the one active person who has its e-mail address in common with it, else its employee number, else its mobile
// number: that of the people file or of another confirmed account of theirs. Of these the first that one person and one account have
// decides; what two people or two accounts of the platform have says nothing. Nobody is proposed an account who has or is being asked
// about another of the platform, or has refused this one and it was thought to be nobody else's since. Accounts of guests and bots and closed ones are proposed to nobody, and a
// proposal that no longer fits is withdrawn.
func MatchAccounts(d *Directory, platform string, seen []AccountSeen) []Identity {
	m := matching{person: map[clue]uuid.UUID{}, accounts: map[clue]int{}, claimed: map[uuid.UUID]bool{}}
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
		i.Mobile, i.EmployeeNo = FoldMobile(a.Mobile), code(a.EmployeeNo)
		after[a.ExternalID] = i
		order = append(order, a.ExternalID)
	}
	m.count(after, d)
	for _, p := range d.people {
		if p.Active {
			m.know(d, after, *p)
		}
	}
	for id, i := range after { // a proposal keeps its place before a new one takes it
		if i.State != Proposed {
			continue
		}
		person, by := m.fits(i)
		if i.Match = by; person != i.PersonID {
			i = i.nobodys()
		}
		after[id] = i
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
		if person, by := m.fits(i); person != uuid.Nil && (i.State != Refused || i.PersonID != person) {
			i.State, i.PersonID, i.Match = Proposed, person, by
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

// claims is the name space of the ids of claims.
var claims = uuid.MustParse("8f14c0f2-9d0f-5c58-9a8c-0d7f6a3e2b11")

// ClaimID is the id of the question whether the account is that person's. It follows from the two, so that it is asked once.
func (i Identity) ClaimID() uuid.UUID {
	return uuid.NewSHA1(claims, []byte(i.OrgID.String()+"\x00"+i.PersonID.String()+"\x00"+i.Platform+"\x00"+i.ExternalID))
}

// IsClaim reports whether an id was made by ClaimID, or like one.
func IsClaim(id uuid.UUID) bool { return id.Version() == claims.Version() }

// nobodys is the account without its person.
func (i Identity) nobodys() Identity {
	i.State, i.PersonID, i.Match = Unclaimed, uuid.Nil, ""
	return i
}

// clue is something that an account and a person may have in common, in a form that can be compared.
type clue struct {
	by    Match
	value string
}

// clues are those of an account, the surest first.
func (i Identity) clues() []clue {
	all := []clue{{MatchEmail, foldEmail(i.Email)}, {MatchNumber, foldNumber(i.EmployeeNo)}, {MatchMobile, FoldMobile(i.Mobile)}}
	return slices.DeleteFunc(all, func(c clue) bool { return c.value == "" })
}

// matching is what one run of MatchAccounts knows.
type matching struct {
	person   map[clue]uuid.UUID // the active person with a clue; uuid.Nil: several
	accounts map[clue]int       // members' accounts with a clue
	claimed  map[uuid.UUID]bool // who has, or is being asked about, an account of the platform
}

// know notes the clues to a person, as the accounts of the platform are afterwards.
func (m matching) know(d *Directory, after map[string]Identity, p Person) {
	all := []clue{{MatchEmail, foldEmail(p.Email)}, {MatchNumber, foldNumber(p.EmployeeNo)}, {MatchMobile, FoldMobile(p.Mobile)}}
	for _, key := range d.ofPerson[p.ID] {
		i := d.identities[key]
		if now, ok := after[key.externalID]; ok && now.Platform == key.platform {
			i = now
		}
		if i.State == Confirmed && i.Kind == Member {
			all = append(all, clue{MatchMobile, FoldMobile(i.Mobile)})
		}
	}
	for _, c := range all {
		if c.value == "" {
			continue
		}
		if other, known := m.person[c]; known && other != p.ID {
			m.person[c] = uuid.Nil
			continue
		}
		m.person[c] = p.ID
	}
}

// count finds out who has an account and how many there are of an address. An account that opens again while its person has
// another becomes nobody's.
func (m matching) count(after map[string]Identity, d *Directory) {
	var reopened []Identity
	for _, i := range after {
		if i.Kind == Member {
			for _, c := range i.clues() {
				m.accounts[c]++
			}
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
			after[i.ExternalID] = i.nobodys()
			continue
		}
		m.claimed[i.PersonID] = true
	}
}

// fits is the one person to whom the account may be proposed and by what, or uuid.Nil.
func (m matching) fits(i Identity) (uuid.UUID, Match) {
	if i.Kind != Member {
		return uuid.Nil, ""
	}
	for _, c := range i.clues() {
		person := m.person[c]
		switch {
		case person == uuid.Nil || m.accounts[c] != 1:
			continue
		case m.claimed[person]:
			return uuid.Nil, ""
		}
		return person, c.by
	}
	return uuid.Nil, ""
}

func foldEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

func foldNumber(no string) string { return strings.ToLower(code(no)) }

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
	for _, i := range d.Apply(p.Changes(), d.version).rematch() {
		after[account{i.Platform, i.ExternalID}] = i
	}
	p.Identities = sortedIdentities(after)
	return p
}

// rematch matches every account that is known once more.
func (d *Directory) rematch() []Identity {
	known := map[string][]AccountSeen{}
	for key, i := range d.identities {
		known[key.platform] = append(known[key.platform], AccountSeen{
			ExternalID: i.ExternalID, Name: i.Name, Email: i.Email, TimeZone: i.TimeZone, Lang: i.Lang, Kind: i.Kind, Mobile: i.Mobile, EmployeeNo: i.EmployeeNo,
		})
	}
	var changed []Identity
	for platform, seen := range known {
		slices.SortFunc(seen, func(a, b AccountSeen) int { return cmp.Compare(a.ExternalID, b.ExternalID) })
		changed = append(changed, MatchAccounts(d, platform, seen)...)
	}
	return changed
}

// told are the accounts on other platforms that can be proposed to somebody now that this one is confirmed, since it tells their mobile
// number.
func (d *Directory) told(by Identity) []Identity {
	waits := false
	for _, i := range d.identities {
		waits = waits || by.Mobile != "" && i.Mobile == by.Mobile && i.State == Unclaimed && i.Platform != by.Platform
	}
	if by.State != Confirmed || !waits {
		return nil
	}
	return d.Apply(Changes{Identities: []Identity{by}}, d.version).rematch()
}

func sortedIdentities(all map[account]Identity) []Identity {
	return slices.SortedFunc(maps.Values(all), func(a, b Identity) int {
		return cmp.Or(cmp.Compare(a.Platform, b.Platform), cmp.Compare(a.ExternalID, b.ExternalID))
	})
}
