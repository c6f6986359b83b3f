package dialog

import (
	"context"

	"github.com/google/uuid"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/internal/fault"
	"huiyin/internal/notice"
	"huiyin/internal/people"
)

// noPerson is given where an act is about the firm.
var noPerson = uuid.Nil

// stranger answers an account that is nobody's yet: with the question whether it is theirs, if it fits somebody, else with what to do.
func (t *Talk) stranger(i people.Identity) bot.Reply {
	if i.State == people.Proposed && i.Kind == people.Member {
		if p, ok := t.Dir.Person(i.PersonID); ok && p.Active {
			return bot.Reply{Card: claimCard(t.reader(p), p, i)}
		}
	}
	if i.State == people.Confirmed {
		return t.tell(card.Trouble, t.Say.T("claim.inactive"))
	}
	return t.tell(card.Plain, t.Say.T("claim.unknown.title"), card.Say(t.Say.T("claim.unknown", "Account", t.Event.User)))
}

// claimCard asks whether an account is theirs, and says why it is thought so without showing what somebody else may have.
func claimCard(r reader, p people.Person, i people.Identity) *card.Card {
	why := map[people.Match]string{people.MatchNumber: "claim.why.number", people.MatchMobile: "claim.why.mobile"}[i.Match]
	then := "claim.then"
	if len(r.dir.Reached(p.ID)) > 0 {
		then = "claim.then.also"
	}
	c := &card.Card{Tone: card.Ask, Title: r.say.T("claim.title", "Name", nameIn(r.say.Lang(), p)), Blocks: []card.Block{
		card.Say(r.say.T(firstNonEmpty(why, "claim.why.email"))), card.Say(r.say.T(then)),
	}}
	facts := []card.Fact{{Label: r.say.T("claim.number"), Value: card.Text(p.EmployeeNo)}}
	if p.Department != "" {
		facts = append(facts, card.Fact{Label: r.say.T("claim.department"), Value: card.Text(p.Department)})
	}
	c.Blocks = append(c.Blocks, card.Facts{Items: facts}, card.Buttons{Buttons: []card.Button{
		{Label: r.say.T("claim.yes"), Action: card.Act(actClaim), Style: card.Primary},
		{Label: r.say.T("claim.no"), Action: card.Act(actClaimRefuse)},
	}})
	return c
}

// claim is the yes. What was held back for the person is sent now.
func claim(ctx context.Context, t *Talk, _ card.Action, _ card.Values) (bot.Reply, error) {
	i, who, ok := t.Dir.ByIdentity(t.Event.Platform, t.Event.User)
	if ok && i.State == people.Confirmed {
		t.Who = who
		return t.welcome(), t.Release(ctx, t.Org.ID, t.Who.ID) // an earlier yes may have been broken off before this
	}
	if !ok || i.State != people.Proposed {
		return bot.Reply{}, fault.New(fault.Conflict, "claim.gone")
	}
	cause := t.cause()
	cause.Actor = i.PersonID
	if err := t.Accounts.ConfirmIdentity(ctx, t.Dir, cause, i.Platform, i.ExternalID); err != nil {
		return bot.Reply{}, err
	}
	dir, err := t.People.Refresh(ctx, t.Org.ID)
	if err != nil {
		return bot.Reply{}, err
	}
	t.Dir = dir
	t.Who, _ = dir.Person(i.PersonID)
	t.Say = t.Catalog.In(dir.Language(t.Who))
	if err := t.Release(ctx, t.Org.ID, t.Who.ID); err != nil {
		return bot.Reply{}, err
	}
	return t.welcome(), nil
}

// welcome is the first-contact tour (row S0-59).
func (t *Talk) welcome() bot.Reply {
	c := &card.Card{Tone: card.Good, Title: t.Say.T("welcome.title", "Name", t.name(t.Who)), Blocks: []card.Block{
		card.Say(t.Say.T("welcome.what")),
		card.Items{Items: []card.Item{
			{Text: card.Text(t.Say.T("welcome.praise"))}, {Text: card.Text(t.Say.T("welcome.ask"))}, {Text: card.Text(t.Say.T("welcome.private"))},
		}},
		card.Buttons{Buttons: append(t.starters()[:1], card.Button{Label: t.Say.T("help.start"), Action: card.Act(actHelp)}, card.Button{Label: t.Say.T("settings.start"), Action: card.Act(actSettings)})},
	}}
	return bot.Reply{Card: c, Replace: true}
}

// claimRefuse is the no.
func claimRefuse(ctx context.Context, t *Talk, _ card.Action, _ card.Values) (bot.Reply, error) {
	i, _, ok := t.Dir.ByIdentity(t.Event.Platform, t.Event.User)
	if !ok || i.State != people.Proposed {
		return bot.Reply{}, fault.New(fault.Conflict, "claim.gone")
	}
	cause := t.cause()
	cause.Actor = i.PersonID
	if err := t.Accounts.RefuseIdentity(ctx, t.Dir, cause, i.Platform, i.ExternalID); err != nil {
		return bot.Reply{}, err
	}
	if _, err := t.People.Refresh(ctx, t.Org.ID); err != nil {
		return bot.Reply{}, err
	}
	reply := t.tell(card.Plain, t.Say.T("claim.refused"), card.Say(t.Say.T("claim.unknown", "Account", t.Event.User)))
	reply.Replace = true
	return reply, nil
}

// writeClaim asks an account whether it is the person's for whom something waits.
func writeClaim(_ context.Context, r reader, n notice.Notice) (card.Card, bool, error) {
	for _, i := range r.dir.IdentitiesOf(r.who.ID) {
		if i.State == people.Proposed && (!people.IsClaim(n.ID) || i.ClaimID() == n.ID) {
			return *claimCard(r, r.who, i), true, nil
		}
	}
	return card.Card{}, false, nil
}
