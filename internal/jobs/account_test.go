package jobs

import (
	"slices"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"huiyin/bot"
	"huiyin/internal/notice"
	"huiyin/internal/people"
)

func TestAnAccountIsChosenThatIsConfirmedConnectedAndPreferred(t *testing.T) {
	platforms := []string{"a", "b", "c", "d"}
	org, person, other := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	rapid.Check(t, func(t *rapid.T) {
		var identities []people.Identity
		for _, p := range platforms {
			for _, owner := range []uuid.UUID{person, other} {
				i := people.Identity{
					OrgID: org, Platform: p, ExternalID: p + owner.String(), PersonID: owner,
					State: rapid.SampledFrom([]people.State{people.Unclaimed, people.Proposed, people.Confirmed, people.Refused}).Draw(t, "state"),
					Kind:  rapid.SampledFrom([]people.Kind{people.Member, people.Guest, people.Gone}).Draw(t, "kind"),
				}
				if i.State == people.Unclaimed {
					i.PersonID = uuid.Nil
				}
				identities = append(identities, i)
			}
		}
		dir := people.NewDirectory(people.Org{ID: org}, 1, []people.Person{{OrgID: org, ID: person}, {OrgID: org, ID: other}}, identities)
		on := rapid.SliceOfDistinct(rapid.SampledFrom(platforms), rapid.ID).Draw(t, "connected")
		connected := func(p string) bool { return slices.Contains(on, p) }
		prefer := rapid.SliceOfN(rapid.SampledFrom(append(platforms, "")), 0, 3).Draw(t, "prefer")

		good := func(i people.Identity) bool {
			return i.PersonID == person && i.State == people.Confirmed && i.Kind != people.Gone && connected(i.Platform)
		}
		got, ok := accountOf(dir, person, connected, prefer...)
		if ok != slices.ContainsFunc(identities, good) {
			t.Fatalf("found %v among %+v", ok, identities)
		}
		if !ok {
			return
		}
		if !good(got) {
			t.Fatalf("chose %+v", got)
		}
		for _, p := range prefer {
			if p == got.Platform {
				return
			}
			if slices.ContainsFunc(identities, func(i people.Identity) bool { return good(i) && i.Platform == p }) {
				t.Fatalf("chose %s although %s is preferred and there", got.Platform, p)
			}
		}
		for _, i := range identities {
			if good(i) && i.Platform < got.Platform {
				t.Fatalf("chose %s although %s comes first", got.Platform, i.Platform)
			}
		}
	})
}

func TestAClaimAsksTheAccountThatItWasMadeFor(t *testing.T) {
	org, person := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	a := people.Identity{OrgID: org, PersonID: person, Platform: "a", ExternalID: "1", State: people.Proposed}
	b := people.Identity{OrgID: org, PersonID: person, Platform: "b", ExternalID: "1", State: people.Proposed}
	for _, i := range []people.Identity{a, b} {
		if got, ok := claimed(claimOf(i, notice.Notice{}), []people.Identity{a, b}); !ok || got != i {
			t.Errorf("the claim of %s asks %s, %v", i.Platform, got.Platform, ok)
		}
	}
	if _, ok := claimed(claimOf(a, notice.Notice{}), []people.Identity{b}); ok {
		t.Error("the claim of an account that was answered asks another one")
	}
	if got, ok := claimed(notice.Notice{ID: uuid.Must(uuid.NewV7())}, []people.Identity{a, b}); !ok || got != a {
		t.Error("a claim written by somebody else asks nobody")
	}
	if _, ok := claimed(notice.Notice{ID: uuid.Must(uuid.NewV7())}, nil); ok {
		t.Error("a claim asks an account that is not there")
	}
	if claimOf(a, notice.Notice{}).ID != claimOf(a, notice.Notice{Kind: notice.AskReceived}).ID {
		t.Error("the same account is asked twice")
	}
}

func TestANoticeGoesWhereThePersonWishesElseWhereTheyWereSeenLast(t *testing.T) {
	on := func(names ...string) map[string]bot.Platform {
		out := map[string]bot.Platform{}
		for _, name := range names {
			out[name] = &chat{}
		}
		return out
	}
	for _, c := range []struct {
		name       string
		chosen     string
		used       string
		accounts   []string
		connected  map[string]bot.Platform
		began      notice.Delivery
		want       string
		wantNobody bool
	}{
		{name: "neither chosen nor seen", accounts: []string{"b:confirmed", "a:confirmed"}, connected: on("a", "b"), want: "a"},
		{name: "seen last", used: "b", accounts: []string{"a:confirmed", "b:confirmed"}, connected: on("a", "b"), want: "b"},
		{name: "chosen, though seen elsewhere", chosen: "a", used: "b", accounts: []string{"a:confirmed", "b:confirmed"}, connected: on("a", "b"), want: "a"},
		{name: "chosen and not connected any more", chosen: "a", used: "c", accounts: []string{"a:confirmed", "b:confirmed", "c:confirmed"}, connected: on("b", "c"), want: "c"},
		{name: "neither is connected any more", chosen: "a", used: "c", accounts: []string{"a:confirmed", "b:confirmed", "c:confirmed"}, connected: on("b"), want: "b"},
		{name: "chosen without an account there any more", chosen: "a", accounts: []string{"a:refused", "b:confirmed"}, connected: on("a", "b"), want: "b"},
		{name: "none is connected", accounts: []string{"a:confirmed"}, connected: on("b"), wantNobody: true},
		{
			name: "it may have arrived elsewhere already", chosen: "a", accounts: []string{"a:confirmed", "b:confirmed"}, connected: on("a", "b"),
			began: notice.Delivery{State: notice.Sending, Platform: "b"}, want: "b",
		},
		{
			name: "it was refused elsewhere", chosen: "a", accounts: []string{"a:confirmed", "b:confirmed"}, connected: on("a", "b"),
			began: notice.Delivery{State: notice.Waiting, Platform: "b"}, want: "a",
		},
	} {
		y := newYard(t, able, func(o *Options) { o.Platforms = c.connected })
		settings := people.DefaultSettings()
		settings.Platform = c.chosen
		person := y.person(settings, c.accounts...)
		if c.used != "" {
			y.dir.TakeUsed([]people.Used{{PersonID: person, Platform: c.used, At: clock()}})
		}
		d := c.began
		d.To = person
		got, ok := y.courier.account(y.dir, &d)
		if ok == c.wantNobody || got.Platform != c.want {
			t.Errorf("%s: it goes to %q (%v), want %q", c.name, got.Platform, ok, c.want)
		}
	}
}
