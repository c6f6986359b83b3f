package dialog

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"huiyin/bot/card"
	"huiyin/feedback"
	"huiyin/internal/fault"
	"huiyin/internal/people"
)

const (
	// maxCandidates is how many people a form offers: Slack's menus hold no more, and nobody reads them. Who is not among them can be named in
	// a command.
	maxCandidates = 100
	// lately is how many of one's latest words tell to whom one writes.
	lately = 20
	// ofPerson begins the value of somebody who has no account on the platform of the form; their id follows.
	ofPerson = "person:"
)

// toWhom asks to whom something goes, in the field receivers. On a platform that picks people by itself those without an account there are
// asked for in a second field, elsewhere; on the others everybody is offered, the likeliest first. values are the fields' submission.
type toWhom struct {
	label string
	act   people.Act // what is going to be done to them
	most  int
	among []uuid.UUID // chosen already
}

func (t *Talk) receiverFields(ctx context.Context, q toWhom) ([]card.Field, error) {
	field := card.PeopleField{Name: "receivers", Label: q.label, Max: q.most}
	picks := t.Abilities(t.Event.Platform).Picker
	options, left, err := t.candidates(ctx, q, func(p people.Person) bool { return !picks || t.accountHere(p.ID) == "" })
	if err != nil {
		return nil, err
	}
	more := ""
	if left > 0 {
		more = t.Say.T("dialog.people.more", "Count", left)
	}
	if !picks {
		field.Candidates, field.Hint = options, more
		for _, id := range q.among {
			field.Value = append(field.Value, t.valueOf(id))
		}
		return []card.Field{field}, nil
	}
	var elsewhere []string
	for _, id := range q.among {
		if account := t.accountHere(id); account != "" {
			field.Value = append(field.Value, account)
		} else {
			elsewhere = append(elsewhere, t.valueOf(id))
		}
	}
	if len(options) == 0 {
		return []card.Field{field}, nil
	}
	field.Optional = true
	return []card.Field{field, card.ChoiceField{
		Name: "elsewhere", Label: t.Say.T("dialog.people.elsewhere"), Hint: cmp.Or(more, t.Say.T("dialog.people.elsewhere.hint")),
		Options: options, Value: elsewhere, Optional: true, Many: q.most != 1,
	}}, nil
}

// chosen reads the fields of receiverFields. Whoever may not be chosen is refused by what is done with them.
func (t *Talk) chosen(v card.Values) ([]uuid.UUID, error) {
	var d draft
	for _, value := range slices.Concat(v["receivers"], v["elsewhere"]) {
		id, err := t.personOf(value)
		if err != nil {
			return nil, err
		}
		d.add(id)
	}
	return d.Receivers, nil
}

// personOf is the person of a field's value: a platform user id, or what valueOf made of somebody without one.
func (t *Talk) personOf(value string) (uuid.UUID, error) {
	rest, ok := strings.CutPrefix(value, ofPerson)
	if !ok {
		return t.account(value, "")
	}
	id, err := uuid.Parse(rest)
	if _, known := t.Dir.Person(id); err != nil || !known {
		return uuid.Nil, fault.New(fault.NotFound, "feedback.receiver.unknown").In("receivers")
	}
	return id, nil
}

// valueOf is how a field names a person.
func (t *Talk) valueOf(id uuid.UUID) string { return cmp.Or(t.accountHere(id), ofPerson+id.String()) }

// accountHere is the platform user id of a person on the platform of the conversation; empty: none. An account that is only proposed to its
// person counts: what is sent waits until they have said yes.
func (t *Talk) accountHere(id uuid.UUID) string {
	for _, i := range t.Dir.IdentitiesOf(id) {
		if i.Platform == t.Event.Platform && i.Kind != people.Gone && (i.State == people.Confirmed || i.State == people.Proposed) {
			return i.ExternalID
		}
	}
	return ""
}

// candidates are the people who may be chosen, the likeliest first: those chosen already, the own team, those written to lately, the own
// department, and everybody else. left is how many are not offered.
func (t *Talk) candidates(ctx context.Context, q toWhom, offered func(people.Person) bool) (options []card.Option, left int, err error) {
	var all []people.Person
	for _, p := range t.Dir.People() {
		if p.ID != t.Who.ID && offered(p) && people.May(t.Dir, t.Who.ID, q.act, p.ID) {
			all = append(all, p)
		}
	}
	if len(all) == 0 {
		return nil, 0, nil
	}
	wrote, err := t.writtenTo(ctx)
	if err != nil {
		return nil, 0, err
	}
	rank := func(p people.Person) int {
		if at := slices.Index(q.among, p.ID); at >= 0 {
			return at - len(q.among)
		}
		at, known := wrote[p.ID]
		switch {
		case p.ID == t.Who.ManagerID, p.ManagerID == t.Who.ID, p.ManagerID != uuid.Nil && p.ManagerID == t.Who.ManagerID:
			return 0
		case known:
			return 1 + at
		case p.Department != "" && p.Department == t.Who.Department:
			return 1 + len(wrote)
		}
		return 2 + len(wrote)
	}
	slices.SortStableFunc(all, func(a, b people.Person) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(t.name(a), t.name(b)))
	})
	for _, p := range all[:min(maxCandidates, len(all))] {
		options = append(options, card.Option{Value: t.valueOf(p.ID), Label: t.described(p)})
	}
	return options, len(all) - len(options), nil
}

// writtenTo are those to whom the person wrote lately, numbered from the latest.
func (t *Talk) writtenTo(ctx context.Context) (map[uuid.UUID]int, error) {
	given, _, err := t.Feedback.Store.Entries(ctx, feedback.Query{
		OrgID: t.Org.ID, Directory: t.Dir.Version(), Person: t.Who.ID, Side: feedback.Given, Limit: lately,
	})
	if err != nil {
		return nil, err
	}
	at := map[uuid.UUID]int{}
	for _, e := range given {
		for _, id := range e.To {
			if _, known := at[id]; !known {
				at[id] = len(at)
			}
		}
	}
	return at, nil
}
