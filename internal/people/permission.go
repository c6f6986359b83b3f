package people

import (
	"slices"

	"github.com/google/uuid"

	"huiyin/internal/fault"
)

// Operator stands for whoever has the command line of the server: it may keep the directory and configure the firm, and sees
// nothing that is about a person. It is nobody's id and is stored as no actor.
var Operator = uuid.Max

// Act is something that a person may or may not do.
type Act string

// The acts. Those about a person take that person's id; those about the firm take uuid.Nil.
const (
	SeeProfile     Act = "see_profile"     // name, department, title, manager
	GivePraise     Act = "give_praise"     // to the person
	AskFeedback    Act = "ask_feedback"    // from the person
	LogEvent       Act = "log_event"       // a key event of the person's
	WriteNote      Act = "write_note"      // a corrective note to the person
	SeeFeedback    Act = "see_feedback"    // what the person received and gave, their key events and progress
	SeeTeam        Act = "see_team"        // sums over everybody below the person, no single answers
	SeeFirm        Act = "see_firm"        // sums over departments and the firm
	ChangeSettings Act = "change_settings" // the person's own choices
	ClaimIdentity  Act = "claim_identity"  // say yes or no to an account proposed to the person
	LinkIdentity   Act = "link_identity"   // give the person an account
	ManagePeople   Act = "manage_people"   // change the directory
	ImportPeople   Act = "import_people"
	ExportPeople   Act = "export_people"
	ChangeRoles    Act = "change_roles"
	SeeAudit       Act = "see_audit"
	ConfigureFirm  Act = "configure_firm"
)

// rule is one row of the permission table: any one that holds is enough.
type rule struct {
	firm     bool   // about the firm: no person is named
	self     bool   // the person themselves
	line     bool   // anyone above the person in the reporting line
	others   bool   // everybody but the person themselves
	roles    []Role // these, about everybody
	operator bool   // whoever has the command line
	active   bool   // only about somebody active
}

// rules is the one table of who may do what (PRODUCT.md decision 9, S1-33, S2-25). An act without a row is nobody's.
func rules() map[Act]rule {
	return map[Act]rule{
		SeeProfile:     {self: true, others: true},
		GivePraise:     {others: true, active: true},
		AskFeedback:    {others: true, active: true},
		LogEvent:       {self: true},
		WriteNote:      {line: true, active: true},
		SeeFeedback:    {self: true, line: true, roles: []Role{HR}},
		SeeTeam:        {self: true, line: true, roles: []Role{HR, Executive}},
		SeeFirm:        {firm: true, roles: []Role{HR, Executive}},
		ChangeSettings: {self: true},
		ClaimIdentity:  {self: true},
		LinkIdentity:   {roles: []Role{HR, Admin}, operator: true},
		ManagePeople:   {firm: true, roles: []Role{HR, Admin}, operator: true},
		ImportPeople:   {firm: true, roles: []Role{HR, Admin}, operator: true},
		ExportPeople:   {firm: true, roles: []Role{HR, Admin}, operator: true},
		ChangeRoles:    {firm: true, roles: []Role{HR, Admin}, operator: true},
		SeeAudit:       {firm: true, roles: []Role{HR, Admin}, operator: true},
		ConfigureFirm:  {firm: true, roles: []Role{HR, Admin}, operator: true},
	}
}

var permissions = rules()

// Acts lists every act.
func Acts() []Act {
	return []Act{
		SeeProfile, GivePraise, AskFeedback, LogEvent, WriteNote, SeeFeedback, SeeTeam, SeeFirm, ChangeSettings, ClaimIdentity, LinkIdentity,
		ManagePeople, ImportPeople, ExportPeople, ChangeRoles, SeeAudit, ConfigureFirm,
	}
}

// May reports whether the actor may do it about that person (uuid.Nil for acts about the firm). Whatever the table does not allow
// is denied: unknown acts, unknown and inactive actors, unknown people, a person named where none belongs.
func May(d *Directory, actor uuid.UUID, do Act, about uuid.UUID) bool {
	r, ok := permissions[do]
	if !ok || r.firm != (about == uuid.Nil) {
		return false
	}
	whom, known := d.Person(about)
	if !r.firm && (!known || r.active && !whom.Active) {
		return false
	}
	if actor == Operator {
		return r.operator
	}
	who, known := d.Person(actor)
	if !known || !who.Active {
		return false
	}
	switch {
	case slices.Contains(r.roles, who.Role):
		return true
	case actor == about:
		return r.self
	}
	return r.others || r.line && d.InLine(actor, about)
}

// Check is May as a fault of kind Forbidden. It never says whether the person exists.
func Check(d *Directory, actor uuid.UUID, do Act, about uuid.UUID) error {
	if May(d, actor, do, about) {
		return nil
	}
	return fault.New(fault.Forbidden, "people.forbidden."+string(do))
}
