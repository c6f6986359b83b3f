// Package people knows who works at a firm: persons, their reporting line, their accounts on chat platforms, and what each of them
// may see. All of it is values and rules over an immutable snapshot, the Directory. The package does not know how the directory is
// stored, which chat platforms exist, or what is done with a permission.
package people

import (
	"time"

	"github.com/google/uuid"

	"huiyin/internal/fault"
	"huiyin/internal/i18n"
)

// Org is a firm, one tenant of the installation.
type Org struct {
	ID       uuid.UUID
	Name     string
	TimeZone string // IANA name; what a person without a zone of their own gets
	Lang     string // i18n.English or i18n.Chinese
}

// Role is what a person may see beyond their own things. That somebody manages follows from the reporting line and is no role.
type Role string

// The roles of PRODUCT.md.
const (
	Employee  Role = "employee"
	HR        Role = "hr"
	Executive Role = "executive"
	Admin     Role = "admin"
)

// Roles lists every role.
func Roles() []Role { return []Role{Employee, HR, Executive, Admin} }

// Person is somebody who works or worked at the firm. EmployeeNo is unique within the firm and so is a non-empty Email, which is
// stored in lower case. People are never deleted, they become inactive.
type Person struct {
	OrgID, ID  uuid.UUID
	EmployeeNo string
	Name       string
	NameEn     string
	Email      string
	Mobile     string // as FoldMobile gives it; empty: none
	Department string // path with /, such as 销售部/华东; empty: none
	Title      string
	Role       Role
	ManagerID  uuid.UUID // uuid.Nil: nobody above
	HiredOn    time.Time // a date, midnight UTC; zero: unknown
	TimeZone   string    // IANA name, empty: not given
	Lang       string    // empty: not given
	Active     bool
	Settings   Settings
}

// Actor is the person who asks.
type Actor = Person

// Settings are what a person chose. They win over what the people file says.
type Settings struct {
	Lang       string    // empty: as the file, the account or the firm says
	TimeZone   string    // likewise
	QuietFrom  int       // minutes of the local day, 0 to 1439; equal to QuietTo: never quiet
	QuietTo    int       // likewise; before QuietFrom: the quiet time spans midnight
	MutedUntil time.Time // zero: not muted
	Digest     bool      // nudges are collected into one message a day
	Platform   string    // where notices go; empty: to the platform used last
}

// DefaultSettings are those of somebody who never chose: quiet from 20:00 to 08:00, nudges as a digest.
func DefaultSettings() Settings {
	return Settings{QuietFrom: 20 * 60, QuietTo: 8 * 60, Digest: true}
}

// State says whether an account is known to be a person's.
type State string

// The states of an identity. PersonID is uuid.Nil exactly when the state is Unclaimed.
const (
	Unclaimed State = "unclaimed" // nobody's yet
	Proposed  State = "proposed"  // matched by Identity.Match, waits for the person's yes
	Confirmed State = "confirmed"
	Refused   State = "refused" // PersonID said that it is not theirs; it is not proposed to them again
)

// Match is what an account has in common with the person that it was proposed to.
type Match string

// The matches, the surest first.
const (
	MatchEmail  Match = "email"
	MatchNumber Match = "employee_no"
	MatchMobile Match = "mobile"
)

// Kind tells the accounts of people from everything else that has an account.
type Kind string

// The kinds of account. Their values equal those of the chat port.
const (
	Member Kind = "member"
	Guest  Kind = "guest"
	Bot    Kind = "bot"
	Gone   Kind = "gone" // deactivated or deleted on its platform
)

// Identity is an account on a chat platform. (OrgID, Platform, ExternalID) is unique. One person may have several; at most one is
// Confirmed on a platform.
type Identity struct {
	OrgID      uuid.UUID
	Platform   string // the adapter's name
	ExternalID string // the platform's id of the account
	PersonID   uuid.UUID
	State      State
	Match      Match // by what it was proposed; empty: it was not, or is nobody's any more
	Kind       Kind
	Name       string // as the platform shows it
	Email      string
	Mobile     string // as FoldMobile gives it
	EmployeeNo string // as the platform's directory has it
	TimeZone   string
	Lang       string
}

// Plan is what an import would do: every value in it is final, so storing it is upserting it. The zero Plan does nothing.
type Plan struct {
	Create     []Person // with their new ids
	Update     []Update
	Identities []Identity // those linked, changed and released, as they are afterwards; released ones are Unclaimed
	Unchanged  int        // rows of the file that already say what is known
	Source     string     // what it was read from: SourceFile, or the platform whose directory it was
}

// SourceFile is Plan.Source of a people file.
const SourceFile = "file"

// Update is one person before and after. Fields are the names of the changed columns of the people file.
type Update struct {
	Before, After Person
	Fields        []string
}

// Empty reports whether applying the plan would change nothing.
func (p Plan) Empty() bool { return len(p.Create) == 0 && len(p.Update) == 0 && len(p.Identities) == 0 }

// Changes are the people and identities after the plan, ready for Directory.Apply.
func (p Plan) Changes() Changes {
	c := Changes{People: append([]Person(nil), p.Create...), Identities: p.Identities}
	for _, u := range p.Update {
		c.People = append(c.People, u.After)
	}
	return c
}

// Problem is one thing wrong with a people file. Row and Column are where the person sees it; Row is 0 when it is about the whole
// file, Column is empty when it is about the whole row.
type Problem struct {
	Row    int
	Column string // letter
	Header string // as the file writes it
	Key    string // message
	Args   fault.Args
}

// Text is the problem as one line with its place, in the reader's language.
func (p Problem) Text(in i18n.Printer) string {
	text := in.With(p.Key, p.Args)
	switch {
	case p.Row == 0:
		return text
	case p.Column == "":
		return in.T("people.problem.row", "Row", p.Row, "Problem", text)
	}
	return in.T("people.problem.cell", "Row", p.Row, "Column", p.Column, "Header", p.Header, "Problem", text)
}
