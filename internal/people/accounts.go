package people

import (
	"strings"

	"github.com/google/uuid"
)

// AccountSeen is an account as a platform's directory lists it.
type AccountSeen struct {
	ExternalID, Name, Email, TimeZone, Lang string
	Kind                                    Kind
}

// MatchAccounts compares what a platform lists with what is known and gives the identities that change, as they are afterwards. Known ids
// keep their person. A member's account that is nobody's is proposed to the one active person with its e-mail, if that person has
// no account there and has not refused this one. Guests, bots and closed accounts are proposed to nobody.
func MatchAccounts(d *Directory, platform string, seen []AccountSeen) []Identity {
	byEmail := map[string][]Person{}
	for _, p := range d.People() {
		if p.Active && p.Email != "" {
			email := strings.ToLower(p.Email)
			byEmail[email] = append(byEmail[email], p)
		}
	}
	claimed := map[uuid.UUID]bool{} // who has, or is being proposed, an account of this platform
	for _, i := range d.Identities(platform) {
		if i.State == Confirmed || i.State == Proposed {
			claimed[i.PersonID] = true
		}
	}
	var changed []Identity
	for _, a := range seen {
		before, _, known := d.ByIdentity(platform, a.ExternalID)
		after := before
		after.OrgID, after.Platform, after.ExternalID = d.Org().ID, platform, a.ExternalID
		after.Kind, after.Name, after.Email, after.TimeZone, after.Lang = a.Kind, a.Name, strings.ToLower(a.Email), a.TimeZone, a.Lang
		if !known {
			after.State = Unclaimed
		}
		if after.State == Proposed && after.Kind != Member {
			after.State, after.PersonID = Unclaimed, uuid.Nil
		}
		fits := byEmail[after.Email]
		if after.Kind == Member && after.Email != "" && len(fits) == 1 && !claimed[fits[0].ID] {
			refusedByThem := after.State == Refused && after.PersonID == fits[0].ID
			if after.State == Unclaimed || after.State == Refused && !refusedByThem {
				after.State, after.PersonID = Proposed, fits[0].ID
				claimed[fits[0].ID] = true
			}
		}
		if after != before {
			changed = append(changed, after)
		}
	}
	return changed
}
