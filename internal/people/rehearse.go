package people

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"huiyin/internal/fault"
	"huiyin/internal/sheet"
)

// Rehearse reads a people file (CONTRACT.md) against the directory and says what importing it would do, or everything that is wrong
// with it; with one problem the plan is empty. Nothing is written. Rehearsing the same file on the directory after the plan gives an
// empty plan. Roles change only when the actor may change them. newID makes the ids of new people.
//
// Rows are found by employee_no. A row may name a manager who stands in the file below it; two rows may swap e-mail addresses or
// accounts. An account id makes the account the person's, confirmed, whoever it was proposed to; accounts that fit somebody by
// e-mail only because of the file are proposed to them.
func Rehearse(d *Directory, table sheet.Table, actor uuid.UUID, newID func() uuid.UUID) (Plan, []Problem) {
	r := &rehearsal{dir: d, table: table, byNo: map[string]*entry{}, byID: map[uuid.UUID]*entry{}}
	r.columns, r.problems = readHeader(table)
	if slices.ContainsFunc(r.problems, func(p located) bool { return p.index < 0 }) {
		return Plan{}, r.sorted() // rows cannot be told apart without their required columns
	}
	mayChangeRoles := May(d, actor, ChangeRoles, uuid.Nil)
	for _, row := range table.Rows {
		r.readRow(row, newID, mayChangeRoles)
	}
	r.resolveManagers()
	r.findCycles()
	r.checkEmails()
	identities := r.linkAccounts()
	if len(r.problems) > 0 {
		return Plan{}, r.sorted()
	}
	return r.plan(identities).rematched(d), nil
}

// rehearsal is one reading of a file.
type rehearsal struct {
	dir      *Directory
	table    sheet.Table
	columns  []*column // by index; nil: not read
	entries  []*entry
	byNo     map[string]*entry
	byID     map[uuid.UUID]*entry
	problems []located
}

// entry is a row that names a person.
type entry struct {
	row           sheet.Row
	before, after Person
	isNew         bool
	cells         map[string]cell // what the row says, by column name; empty cells say nothing
	relinked      bool            // an account changes
}

type cell struct {
	index int
	text  string // trimmed
	clear bool
}

// located is a problem with the index of its column, by which problems are sorted; -1: none.
type located struct {
	Problem
	index int
}

func (r *rehearsal) complain(row sheet.Row, index int, key string, args fault.Args) {
	p := located{index: index, Problem: Problem{Row: row.Number, Key: "people.problem." + key, Args: args}}
	if index >= 0 {
		p.Column, p.Header = sheet.Column(index), trim(r.table.Header[index])
	}
	r.problems = append(r.problems, p)
}

func (r *rehearsal) sorted() []Problem {
	slices.SortStableFunc(r.problems, func(a, b located) int { return cmp.Or(cmp.Compare(a.Row, b.Row), cmp.Compare(a.index, b.index)) })
	out := make([]Problem, len(r.problems))
	for i, p := range r.problems {
		out[i] = p.Problem
	}
	return out
}

// readRow makes an entry of a row: who it is about and every value that stands by itself.
func (r *rehearsal) readRow(row sheet.Row, newID func() uuid.UUID, mayChangeRoles bool) {
	cells := map[string]cell{}
	number := cell{index: -1}
	for i, c := range r.columns {
		if c == nil {
			continue
		}
		text := trim(row.Cells[i])
		this := cell{index: i, text: text, clear: code(text) == clears}
		if c.name == "employee_no" {
			number = this
			continue
		}
		if text != "" {
			cells[c.name] = this
		}
	}
	no := code(number.text)
	if no == "" || number.clear {
		r.complain(row, number.index, "number_missing", nil)
		return
	}
	if why := checkText(no, longestCode); why != nil {
		r.problems = append(r.problems, r.at(row, number.index, why))
		return
	}
	if first, twice := r.byNo[no]; twice {
		r.complain(row, number.index, "number_twice", fault.Args{"Value": shown(no), "First": first.row.Number})
		return
	}
	e := &entry{row: row, cells: cells}
	e.before, e.isNew = r.dir.ByEmployeeNo(no)
	if e.isNew = !e.isNew; e.isNew {
		e.before = Person{OrgID: r.dir.org.ID, ID: newID(), EmployeeNo: no, Role: Employee, Active: true, Settings: DefaultSettings()}
	}
	e.after = e.before
	r.entries = append(r.entries, e)
	r.byNo[no], r.byID[e.after.ID] = e, e
	r.readValues(e)
	if e.after.Role != e.before.Role && !mayChangeRoles {
		r.complain(row, cells["role"].index, "role_forbidden", nil)
	}
}

func (r *rehearsal) at(row sheet.Row, index int, why *bad) located {
	return located{index: index, Problem: Problem{
		Row: row.Number, Column: sheet.Column(index), Header: trim(r.table.Header[index]), Key: why.key, Args: why.args,
	}}
}

// readValues puts what the cells say into e.after.
func (r *rehearsal) readValues(e *entry) {
	p := &e.after
	take(r, e, "name", &p.Name, checked(longestText))
	take(r, e, "name_en", &p.NameEn, checked(longestText))
	take(r, e, "email", &p.Email, readEmail)
	take(r, e, "mobile", &p.Mobile, readMobile)
	take(r, e, "department", &p.Department, readDepartment)
	take(r, e, "title", &p.Title, checked(longestText))
	take(r, e, "role", &p.Role, readRole)
	take(r, e, "hired_on", &p.HiredOn, readDate)
	take(r, e, "timezone", &p.TimeZone, readTimeZone)
	take(r, e, "language", &p.Lang, readLanguage)
	take(r, e, "active", &p.Active, readActive)
	if e.cells["role"].clear {
		p.Role = Employee
	}
	for _, name := range []string{"name", "active"} {
		if c := e.cells[name]; c.clear {
			r.complain(e.row, c.index, "required", nil)
		}
	}
	if _, given := e.cells["name"]; !given && p.Name == "" {
		r.complain(e.row, r.indexOf("name"), "name_missing", nil)
	}
}

// take reads one cell into its field.
func take[T any](r *rehearsal, e *entry, name string, field *T, read func(string) (T, *bad)) {
	c, given := e.cells[name]
	switch {
	case !given:
	case c.clear:
		*field = *new(T)
	default:
		value, why := read(c.text)
		if why != nil {
			r.problems = append(r.problems, r.at(e.row, c.index, why))
			return
		}
		*field = value
	}
}

func checked(longest int) func(string) (string, *bad) {
	return func(text string) (string, *bad) { return text, checkText(text, longest) }
}

func (r *rehearsal) indexOf(name string) int {
	return slices.IndexFunc(r.columns, func(c *column) bool { return c != nil && c.name == name })
}

// resolveManagers finds the managers, who may be new and stand anywhere in the file.
func (r *rehearsal) resolveManagers() {
	for _, e := range r.entries {
		c, given := e.cells["manager"]
		if !given {
			continue
		}
		if c.clear {
			e.after.ManagerID = uuid.Nil
			continue
		}
		no := code(c.text)
		if above, ok := r.byNo[no]; ok {
			e.after.ManagerID = above.after.ID
		} else if p, ok := r.dir.ByEmployeeNo(no); ok {
			e.after.ManagerID = p.ID
		} else {
			r.complain(e.row, c.index, "manager_unknown", fault.Args{"Value": shown(no)})
		}
	}
}

// person is somebody as they would be afterwards.
func (r *rehearsal) person(id uuid.UUID) Person {
	if e, ok := r.byID[id]; ok {
		return e.after
	}
	p, _ := r.dir.Person(id)
	return p
}

// findCycles refuses every cycle of the reporting line that goes through the file, once, at its first row.
func (r *rehearsal) findCycles() {
	walk := map[uuid.UUID]int{} // in which walk upwards a person was met
	for n, e := range r.entries {
		at := e.after.ID
		for at != uuid.Nil && walk[at] == 0 {
			walk[at] = n + 1
			at = r.person(at).ManagerID
		}
		if at == uuid.Nil || walk[at] != n+1 {
			continue // ends at the top, or where an earlier walk has been
		}
		var cycle []uuid.UUID
		for id := at; len(cycle) == 0 || id != at; id = r.person(id).ManagerID {
			cycle = append(cycle, id)
		}
		r.refuseCycle(cycle)
	}
}

// longestCycle is how many people of a cycle are printed.
const longestCycle = 12

func (r *rehearsal) refuseCycle(cycle []uuid.UUID) {
	var first *entry
	start := 0
	for i, id := range cycle {
		if e := r.byID[id]; e != nil && (first == nil || e.row.Number < first.row.Number) {
			first, start = e, i
		}
	}
	if first == nil {
		return // it was there before and is not of this file
	}
	var names []string
	for i := range cycle {
		if i == longestCycle && len(cycle) > longestCycle+1 {
			names = append(names, "…")
			break
		}
		names = append(names, r.person(cycle[(start+i)%len(cycle)]).Name)
	}
	names = append(names, first.after.Name)
	index := r.indexOf("manager")
	r.complain(first.row, index, "cycle", fault.Args{"Cycle": strings.Join(names, " → ")})
}

// checkEmails sees to it that no two people would have one address.
func (r *rehearsal) checkEmails() {
	owner := map[string]uuid.UUID{}
	for _, id := range r.dir.sorted {
		if p := r.dir.people[id]; p.Email != "" && r.byID[id] == nil {
			owner[p.Email] = id
		}
	}
	for _, e := range r.entries {
		email := e.after.Email
		other, taken := owner[email]
		switch {
		case email == "":
		case !taken:
			owner[email] = e.after.ID
		default:
			index := r.indexOf("email")
			if first := r.byID[other]; first != nil {
				r.complain(e.row, index, "email_twice", fault.Args{"Value": shown(email), "First": first.row.Number})
				continue
			}
			p := r.person(other)
			r.complain(e.row, index, "email_taken", fault.Args{"Value": shown(email), "Name": p.Name, "Number": p.EmployeeNo})
		}
	}
}

// plan is what is left when there are no problems.
func (r *rehearsal) plan(identities []Identity) Plan {
	plan := Plan{Identities: identities}
	for _, e := range r.entries {
		fields := e.changed()
		switch {
		case e.isNew:
			plan.Create = append(plan.Create, e.after)
		case len(fields) > 0:
			plan.Update = append(plan.Update, Update{Before: e.before, After: e.after, Fields: fields})
		case !e.relinked:
			plan.Unchanged++
		}
	}
	return plan
}

func (e *entry) changed() []string {
	a, b := e.before, e.after
	var fields []string
	for _, f := range []struct {
		name string
		same bool
	}{
		{"name", a.Name == b.Name},
		{"name_en", a.NameEn == b.NameEn},
		{"email", a.Email == b.Email},
		{"mobile", a.Mobile == b.Mobile},
		{"department", a.Department == b.Department},
		{"manager", a.ManagerID == b.ManagerID},
		{"title", a.Title == b.Title},
		{"role", a.Role == b.Role},
		{"hired_on", sameDay(a.HiredOn, b.HiredOn)},
		{"timezone", a.TimeZone == b.TimeZone},
		{"language", a.Lang == b.Lang},
		{"active", a.Active == b.Active},
	} {
		if !f.same {
			fields = append(fields, f.name)
		}
	}
	return fields
}

func sameDay(a, b time.Time) bool {
	return a.IsZero() == b.IsZero() && a.Format(time.DateOnly) == b.Format(time.DateOnly)
}
