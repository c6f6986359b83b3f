package people

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"huiyin/internal/i18n"
)

// Directory is an immutable snapshot of one firm: everybody, their accounts and the reporting line. It is safe for concurrent use.
type Directory struct {
	org        Org
	version    int64
	people     map[uuid.UUID]*Person // never written to
	sorted     []uuid.UUID           // by employee number
	byNumber   map[string]uuid.UUID
	identities map[account]Identity
	ofPerson   map[uuid.UUID][]account // sorted
	reports    map[uuid.UUID][]uuid.UUID
	used       *lastUsed

	// Names are indexed when the first is looked up. The index is shared by the snapshots that follow; those whose names changed
	// since it was made are looked up in a small one of their own.
	names   func() *nameIndex
	renamed map[uuid.UUID]bool
	anew    func() *nameIndex // of renamed
}

type account struct{ platform, externalID string }

// Changes are people and identities as they are now. Whoever is not in them stays as before.
type Changes struct {
	Org        *Org // nil: unchanged
	People     []Person
	Identities []Identity
}

// NewDirectory makes a snapshot. Later entries of the same id replace earlier ones.
func NewDirectory(org Org, version int64, people []Person, identities []Identity) *Directory {
	d := &Directory{org: org, people: map[uuid.UUID]*Person{}, identities: map[account]Identity{}, used: &lastUsed{of: map[uuid.UUID]Used{}, behind: map[uuid.UUID]bool{}}}
	return d.Apply(Changes{People: people, Identities: identities}, version)
}

// Apply gives the snapshot after the changes. d itself stays as it is. What the changes do not touch is shared with it.
func (d *Directory) Apply(c Changes, version int64) *Directory {
	next := *d
	next.version = version
	if c.Org != nil {
		next.org = *c.Org
	}
	first := d.names == nil
	moved, claimed := first, first
	renamed := map[uuid.UUID]bool{}
	if len(c.People) > 0 {
		next.people = maps.Clone(d.people)
	}
	for _, p := range c.People {
		before := d.people[p.ID]
		moved = moved || before == nil || before.EmployeeNo != p.EmployeeNo || before.ManagerID != p.ManagerID
		if before == nil || !sameNames(*before, p) {
			renamed[p.ID] = true
		}
		next.people[p.ID] = &p
	}
	if len(c.Identities) > 0 {
		next.identities = maps.Clone(d.identities)
	}
	for _, i := range c.Identities {
		key := account{i.Platform, i.ExternalID}
		before := d.identities[key]
		claimed = claimed || before.PersonID != i.PersonID
		if before.State != i.State || before.PersonID != i.PersonID || before.Name != i.Name || before.Email != i.Email {
			renamed[before.PersonID], renamed[i.PersonID] = true, true
		}
		next.identities[key] = i
	}
	if moved {
		next.arrangePeople()
	}
	if claimed {
		next.arrangeIdentities()
	}
	next.arrangeNames(renamed)
	return &next
}

// arrangeNames keeps the index until a fiftieth of the firm is named differently.
func (d *Directory) arrangeNames(renamed map[uuid.UUID]bool) {
	if d.names != nil && len(renamed) == 0 {
		return
	}
	maps.Copy(renamed, d.renamed)
	snapshot := *d                           // what the closures need, whatever becomes of d,
	snapshot.names, snapshot.anew = nil, nil // and not the closures before them
	if d.names == nil || len(renamed) > 100+len(d.people)/50 {
		d.names = sync.OnceValue(func() *nameIndex { return indexNames(&snapshot, snapshot.sorted) })
		d.renamed, d.anew = nil, nil
		return
	}
	d.renamed = renamed
	d.anew = sync.OnceValue(func() *nameIndex { return indexNames(&snapshot, slices.Collect(maps.Keys(renamed))) })
}

func sameNames(a, b Person) bool {
	return a.Active == b.Active && a.EmployeeNo == b.EmployeeNo && a.Name == b.Name && a.NameEn == b.NameEn && a.Email == b.Email
}

func (d *Directory) arrangePeople() {
	d.sorted = slices.SortedFunc(maps.Keys(d.people), func(a, b uuid.UUID) int {
		return cmp.Or(cmp.Compare(d.people[a].EmployeeNo, d.people[b].EmployeeNo), slices.Compare(a[:], b[:]))
	})
	d.byNumber = make(map[string]uuid.UUID, len(d.people))
	d.reports = map[uuid.UUID][]uuid.UUID{}
	for _, id := range d.sorted {
		p := d.people[id]
		d.byNumber[p.EmployeeNo] = id
		if p.ManagerID != uuid.Nil {
			d.reports[p.ManagerID] = append(d.reports[p.ManagerID], id)
		}
	}
}

func (d *Directory) arrangeIdentities() {
	d.ofPerson = make(map[uuid.UUID][]account, len(d.people))
	for key, i := range d.identities {
		if i.PersonID != uuid.Nil {
			d.ofPerson[i.PersonID] = append(d.ofPerson[i.PersonID], key)
		}
	}
	for _, keys := range d.ofPerson {
		slices.SortFunc(keys, func(a, b account) int {
			return cmp.Or(cmp.Compare(a.platform, b.platform), cmp.Compare(a.externalID, b.externalID))
		})
	}
}

// Org is the firm.
func (d *Directory) Org() Org { return d.org }

// Version grows with every change of the directory; Cause.Directory takes it.
func (d *Directory) Version() int64 { return d.version }

// Person finds a person, active or not.
func (d *Directory) Person(id uuid.UUID) (Person, bool) {
	if p, ok := d.people[id]; ok {
		return *p, true
	}
	return Person{}, false
}

// ByEmployeeNo finds a person by the exact employee number.
func (d *Directory) ByEmployeeNo(no string) (Person, bool) {
	id, ok := d.byNumber[no]
	if !ok {
		return Person{}, false
	}
	return d.Person(id)
}

// ByIdentity finds an account and, if it is Confirmed, the person whose it is. ok says that the account is known; the person is
// the zero Person when nobody has confirmed it.
func (d *Directory) ByIdentity(platform, externalID string) (i Identity, p Person, ok bool) {
	i, ok = d.identities[account{platform, externalID}]
	if ok && i.State == Confirmed {
		p, _ = d.Person(i.PersonID)
	}
	return i, p, ok
}

// IdentityOf is the person's confirmed account on a platform that messages can go to.
func (d *Directory) IdentityOf(personID uuid.UUID, platform string) (Identity, bool) {
	for _, key := range d.ofPerson[personID] {
		if i := d.identities[key]; i.Platform == platform && i.State == Confirmed && i.Kind != Gone {
			return i, true
		}
	}
	return Identity{}, false
}

// IdentitiesOf lists the person's accounts in every state, by platform and id.
func (d *Directory) IdentitiesOf(personID uuid.UUID) []Identity {
	keys := d.ofPerson[personID]
	out := make([]Identity, len(keys))
	for i, key := range keys {
		out[i] = d.identities[key]
	}
	return out
}

// Identities lists every account of a platform by id.
func (d *Directory) Identities(platform string) []Identity {
	var out []Identity
	for key, i := range d.identities {
		if key.platform == platform {
			out = append(out, i)
		}
	}
	slices.SortFunc(out, byExternalID)
	return out
}

// People lists everybody, active or not, by employee number.
func (d *Directory) People() []Person { return d.list(d.sorted) }

// Reports lists those whose manager is id, active or not, by employee number.
func (d *Directory) Reports(id uuid.UUID) []Person { return d.list(d.reports[id]) }

func (d *Directory) list(ids []uuid.UUID) []Person {
	out := make([]Person, len(ids))
	for i, id := range ids {
		out[i] = *d.people[id]
	}
	return out
}

// Line lists everybody below id in the reporting line, nearest first, active or not. A cycle in the data ends it; id itself is
// never in it.
func (d *Directory) Line(id uuid.UUID) []Person {
	seen := map[uuid.UUID]bool{id: true}
	var out []Person
	for queue := []uuid.UUID{id}; len(queue) > 0; queue = queue[1:] {
		for _, below := range d.reports[queue[0]] {
			if !seen[below] {
				seen[below] = true
				queue = append(queue, below)
				out = append(out, *d.people[below])
			}
		}
	}
	return out
}

// Managers lists those above id, the direct manager first, active or not. A cycle in the data ends it; id itself is never in it.
func (d *Directory) Managers(id uuid.UUID) []Person {
	var out []Person
	seen := map[uuid.UUID]bool{id: true}
	for p := d.people[id]; p != nil && !seen[p.ManagerID]; {
		seen[p.ManagerID] = true
		if p = d.people[p.ManagerID]; p != nil {
			out = append(out, *p)
		}
	}
	return out
}

// InLine reports whether manager is above person in the reporting line. Nobody is above themselves.
func (d *Directory) InLine(manager, person uuid.UUID) bool {
	if manager == person || manager == uuid.Nil {
		return false
	}
	p := d.people[person]
	for range len(d.people) { // a cycle in the data is no longer than that
		if p == nil || p.ManagerID == manager {
			break
		}
		p = d.people[p.ManagerID]
	}
	return p != nil && p.ManagerID == manager
}

// IsManager reports whether somebody active reports to id.
func (d *Directory) IsManager(id uuid.UUID) bool {
	return slices.ContainsFunc(d.reports[id], func(below uuid.UUID) bool { return d.people[below].Active })
}

// Department lists the people, active or not, of a department and of those under it, by employee number. "" is the whole firm.
func (d *Directory) Department(path string) []Person {
	var out []Person
	for _, id := range d.sorted {
		if p := d.people[id]; within(p.Department, path) {
			out = append(out, *p)
		}
	}
	return out
}

func within(department, path string) bool {
	return path == "" || department == path || strings.HasPrefix(department, path+"/")
}

// Departments lists the paths of all departments that somebody active is in, and of those above them, in order.
func (d *Directory) Departments() []string {
	paths := map[string]bool{}
	for _, p := range d.people {
		for at := p.Department; p.Active && at != "" && !paths[at]; {
			paths[at] = true
			at = at[:max(strings.LastIndexByte(at, '/'), 0)]
		}
	}
	return slices.Sorted(maps.Keys(paths))
}

// Language is the one to write to the person in: what they chose, else the file's, else that of one of their accounts, else the
// firm's.
func (d *Directory) Language(p Person) string {
	wishes := []string{p.Settings.Lang, p.Lang}
	for _, i := range d.confirmed(p.ID) {
		wishes = append(wishes, i.Lang)
	}
	if wish := cmp.Or(wishes...); wish != "" {
		return wish
	}
	return cmp.Or(d.org.Lang, i18n.English)
}

// Location is the person's time zone: what they chose, else the file's, else that of one of their accounts, else the firm's,
// else UTC. Zones that this machine does not know are passed over.
func (d *Directory) Location(p Person) *time.Location {
	wishes := []string{p.Settings.TimeZone, p.TimeZone}
	for _, i := range d.confirmed(p.ID) {
		wishes = append(wishes, i.TimeZone)
	}
	for _, zone := range append(wishes, d.org.TimeZone) {
		if loc, err := location(zone); err == nil {
			return loc
		}
	}
	return time.UTC
}

func (d *Directory) confirmed(personID uuid.UUID) []Identity {
	return slices.DeleteFunc(d.IdentitiesOf(personID), func(i Identity) bool { return i.State != Confirmed })
}
