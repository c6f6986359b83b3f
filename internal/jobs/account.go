package jobs

import (
	"slices"

	"github.com/google/uuid"

	"huiyin/internal/notice"
	"huiyin/internal/people"
)

// accountOf chooses where to write to a person, among their confirmed accounts on connected platforms: on the first of the preferred
// platforms that has one, else on the first by name.
func accountOf(dir *people.Directory, person uuid.UUID, connected func(platform string) bool, prefer ...string) (people.Identity, bool) {
	var own []people.Identity
	for _, i := range dir.IdentitiesOf(person) {
		if i.State == people.Confirmed && i.Kind != people.Gone && connected(i.Platform) {
			own = append(own, i)
		}
	}
	for _, platform := range prefer {
		if at := slices.IndexFunc(own, func(i people.Identity) bool { return i.Platform == platform }); at >= 0 {
			return own[at], true
		}
	}
	if len(own) == 0 {
		return people.Identity{}, false
	}
	return own[0], true
}

// proposedTo lists the accounts on connected platforms that are thought to be a person's and wait for their yes.
func proposedTo(dir *people.Directory, person uuid.UUID, connected func(platform string) bool) []people.Identity {
	return slices.DeleteFunc(dir.IdentitiesOf(person), func(i people.Identity) bool {
		return i.State != people.Proposed || i.Kind == people.Gone || i.Kind == people.Bot || !connected(i.Platform)
	})
}

// claimOf is the notice that asks an account whether it is the person's. Its id follows from the two, so that it is asked once.
func claimOf(i people.Identity, of notice.Notice) notice.Notice {
	return notice.Notice{OrgID: i.OrgID, ID: i.ClaimID(), Kind: notice.AccountClaim, To: i.PersonID, Subject: i.PersonID, Due: of.Due}
}

// claimed finds the account that a claim asks. A claim that somebody else wrote, with an id of its own, asks the first.
func claimed(n notice.Notice, proposed []people.Identity) (people.Identity, bool) {
	for _, i := range proposed {
		if !people.IsClaim(n.ID) || i.ClaimID() == n.ID {
			return i, true
		}
	}
	return people.Identity{}, false
}
