package people

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"huiyin/internal/audit"
	"huiyin/internal/fault"
	"huiyin/internal/i18n"
	"huiyin/internal/sheet"
)

// Listing is what a platform's directory lists, as the people file that it amounts to.
type Listing struct {
	Platform string
	Table    sheet.Table
	Waits    []Wait
	accounts map[int]AccountSeen // by row
}

// Wait is an account that is nobody's yet and has the e-mail address of a person. What the directory says of it is left out until they have
// said that it is theirs, or a file or the directory names it by id or employee number.
type Wait struct {
	Account AccountSeen
	Person  Person
}

// ListedPeople reads a listing as a people file, so that it is rehearsed and imported like one. Every member is a row; guests, bots and
// closed accounts are none. The account is the person's by its id, confirmed.
//
// The employee number is the directory's. Without one it is that of the person who has confirmed the account, and for somebody new the
// account's id, which they keep when the directory comes to know a number. An account that has no more than somebody's e-mail address is no
// row: addresses are given to others, and whoever enters one in a directory must not read what is kept for its owner. MatchAccounts proposes
// it to them. What the directory does not tell, because it is empty or may not be read, stays as it is. When the listing is the whole directory, people who have confirmed an account of the
// platform and have none in it any more become inactive; otherwise only those whose account it shows closed.
func ListedPeople(d *Directory, platform string, seen []AccountSeen, whole bool) Listing {
	l := Listing{Platform: platform, accounts: map[int]AccountSeen{}}
	header := []string{"employee_no", "name", "name_en", "email", "mobile", "department", "manager", "title", "hired_on", "active"}
	for _, c := range columns() {
		if c.platform == platform {
			header = append(header, c.name)
		}
	}
	l.Table = sheet.Table{Header: header, HeaderRow: 1}
	add := func(a AccountSeen, cells ...string) {
		row := sheet.Row{Number: len(l.Table.Rows) + 2, Cells: cells}
		l.accounts[row.Number] = a
		l.Table.Rows = append(l.Table.Rows, row)
	}
	numbers, taken := map[string]string{}, map[string]bool{}
	for _, a := range seen {
		if no := numberOf(d, platform, a); a.Kind == Member && no != "" {
			numbers[a.ExternalID], taken[no] = no, true
		}
	}
	owners := addresses(d, seen, numbers)
	for _, a := range seen {
		if a.Kind != Member || numbers[a.ExternalID] != "" {
			continue
		}
		if p, ok := owners[address(a.Email)]; ok {
			l.Waits = append(l.Waits, Wait{Account: a, Person: p})
			taken[p.EmployeeNo] = true // who seems to have another account has not left
			continue
		}
		numbers[a.ExternalID], taken[a.ExternalID] = a.ExternalID, true
	}
	for _, a := range seen {
		no := numbers[a.ExternalID]
		if no == "" {
			continue
		}
		manager := numbers[a.Manager]
		if _, p, ok := d.ByIdentity(platform, a.Manager); manager == "" && ok && p.Active {
			manager = p.EmployeeNo
		}
		if manager == no { // how some directories say that nobody is above
			manager = ""
		}
		department := strings.ReplaceAll(a.Department, "／", "\u2215") // which stands within a name here, and between names in a file
		cells := []string{no, a.Name, a.NameEn, a.Email, FoldMobile(a.Mobile), department, manager, a.Title, a.HiredOn, "yes", a.ExternalID}
		add(a, cells[:len(header)]...)
	}
	for _, one := range leaving(d, platform, seen, whole) {
		if p, _ := d.Person(one.PersonID); !taken[p.EmployeeNo] {
			taken[p.EmployeeNo] = true
			cells := make([]string, len(header))
			cells[0], cells[slices.Index(header, "active")] = p.EmployeeNo, "no"
			add(AccountSeen{ExternalID: one.ExternalID, Name: p.Name}, cells...)
		}
	}
	return l
}

// numberOf is the employee number of an account's person, if it is known for sure.
func numberOf(d *Directory, platform string, a AccountSeen) string {
	_, confirmed, _ := d.ByIdentity(platform, a.ExternalID)
	switch no := code(a.EmployeeNo); {
	case confirmed.EmployeeNo == a.ExternalID:
		return a.ExternalID
	case no != "":
		return no
	}
	return confirmed.EmployeeNo
}

// addresses are those that people, active or not, have after the rows whose employee number is known.
func addresses(d *Directory, seen []AccountSeen, numbers map[string]string) map[string]Person {
	now := map[uuid.UUID]string{}
	for _, a := range seen {
		if p, ok := d.ByEmployeeNo(numbers[a.ExternalID]); ok && a.Email != "" {
			now[p.ID] = a.Email
		}
	}
	owners := map[string]Person{}
	for _, id := range d.sorted {
		p := d.people[id]
		if email := address(cmp.Or(now[id], p.Email)); email != "" {
			owners[email] = *p
		}
	}
	return owners
}

// address is the form in which a people file has addresses.
func address(email string) string { return foldEmail(code(email)) }

// leaving lists an account of every active person who had one on the platform and has none any more.
func leaving(d *Directory, platform string, seen []AccountSeen, whole bool) []Identity {
	listed := map[string]Kind{}
	for _, a := range seen {
		listed[a.ExternalID] = a.Kind
	}
	var out []Identity
	for _, id := range d.sorted {
		var gone Identity
		stays := !d.people[id].Active
		for _, key := range d.ofPerson[id] {
			if key.platform != platform || d.identities[key].State != Confirmed {
				continue
			}
			kind, ok := listed[key.externalID]
			switch {
			case kind == Gone || !ok && whole:
				gone = d.identities[key]
			case ok || d.identities[key].Kind != Gone:
				stays = true
			}
		}
		if !stays && gone.ExternalID != "" {
			out = append(out, gone)
		}
	}
	return out
}

// Account is the account that a row of the listing is about.
func (l Listing) Account(row int) (externalID string) { return l.accounts[row].ExternalID }

// Text is a problem as one line with the person whom it is about, in the reader's language.
func (l Listing) Text(p Problem, in i18n.Printer) string {
	args, key := maps.Clone(p.Args), p.Key
	if first, ok := args["First"].(int); ok { // a row says nothing to whoever sees no file
		args["First"] = l.name(first)
	}
	switch key {
	case "people.problem.number_twice":
		key = "people.problem.number_twice.listed"
	case "people.problem.email_twice":
		key = "people.problem.email_twice.listed"
	case "people.problem.account_twice":
		key = "people.problem.account_twice.listed"
	}
	text := in.With(key, args)
	if _, ok := l.accounts[p.Row]; !ok {
		return text
	}
	return in.T("people.problem.listed", "Who", l.name(p.Row), "Problem", text)
}

func (l Listing) name(row int) string {
	a := l.accounts[row]
	return strings.TrimSpace(shown(a.Name) + " (" + shown(a.ExternalID) + ")")
}

// Following is the platform whose directory a firm's people follow. Without a Platform the firm follows none.
type Following struct {
	OrgID    uuid.UUID
	Platform string
	Since    time.Time
	TriedAt  time.Time // when the directory was last read; zero: not yet
	Refused  Refusal
	Amount   int // how many rows do not fit, or how many people would have become inactive
}

// Refusal is why the last listing was not taken over.
type Refusal string

// The refusals.
const (
	Taken        Refusal = ""        // it was
	RowsUnfit    Refusal = "rows"    // rows do not fit
	TooManyLeave Refusal = "leaving" // more than mostLeaving of the firm would have become inactive
)

// mostLeaving is the part of the active people, one in so many, that may become inactive at once without somebody looking at it;
// a single person always may.
const mostLeaving = 5

// Leaving is how many people the plan makes inactive.
func (p Plan) Leaving() int {
	n := 0
	for _, u := range p.Update {
		if u.Before.Active && !u.After.Active {
			n++
		}
	}
	return n
}

// LeavingKey is the key of the fault with which too many departures are refused.
const LeavingKey = "people.follow.leaving"

// checkLeaving refuses a plan that makes too many people inactive. One is never too many.
func (p Plan) checkLeaving(d *Directory) error {
	active := 0
	for _, one := range d.people {
		if one.Active {
			active++
		}
	}
	if n := p.Leaving(); n > 1 && n*mostLeaving > active {
		return fault.New(fault.Conflict, LeavingKey, "Leaving", n, "Active", active)
	}
	return nil
}

// entry is what the audit log says of an import.
func (p Plan) entry(cause Cause) audit.Entry {
	e := audit.Entry{OrgID: cause.OrgID, At: cause.At, Actor: cause.Actor, Act: "people.imported", Detail: map[string]string{"source": p.Source}}
	if e.Actor == Operator {
		e.Actor = uuid.Nil
		e.Detail["by"] = "operator"
	}
	for what, n := range map[string]int{"created": len(p.Create), "changed": len(p.Update), "deactivated": p.Leaving(), "accounts": len(p.Identities)} {
		e.Detail[what] = strconv.Itoa(n)
	}
	return e
}
