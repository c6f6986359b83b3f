package people_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"huiyin/internal/people"
)

func TestAccountsAreMatchedByIdAndThenByAddress(t *testing.T) {
	member := func(external, email string) people.AccountSeen {
		return people.AccountSeen{ExternalID: external, Email: email, Kind: people.Member}
	}
	kind := func(a people.AccountSeen, k people.Kind) people.AccountSeen {
		a.Kind = k
		return a
	}
	known := func(external string, person uuid.UUID, state people.State, email string) people.Identity {
		i := people.Identity{Platform: "slack", ExternalID: external, PersonID: person, State: state, Kind: people.Member, Email: email}
		if state == people.Proposed || state == people.Refused {
			i.Match = people.MatchEmail
		}
		return i
	}
	tests := []struct {
		name  string
		known []people.Identity
		seen  []people.AccountSeen
		want  map[string]string // by account: state, and whose
	}{
		{"a new account is proposed to whom its address belongs, in any case", nil, []people.AccountSeen{member("A", " E2@Example.COM ")}, map[string]string{"A": "proposed E02"}},
		{"a new account of nobody is kept", nil, []people.AccountSeen{member("A", "x@y.z"), member("B", "")}, map[string]string{"A": "unclaimed ", "B": "unclaimed "}},
		{
			"guests, bots and closed accounts match nobody", nil,
			[]people.AccountSeen{kind(member("A", "e1@example.com"), people.Guest), kind(member("B", "e2@example.com"), people.Bot), kind(member("C", "e3@example.com"), people.Gone)},
			map[string]string{"A": "unclaimed ", "B": "unclaimed ", "C": "unclaimed "},
		},
		{"who has left is asked nothing", nil, []people.AccountSeen{member("A", "e5@example.com")}, map[string]string{"A": "unclaimed "}},
		{"two accounts of one address match nobody", nil, []people.AccountSeen{member("A", "e2@example.com"), member("B", "E2@example.com")}, map[string]string{"A": "unclaimed ", "B": "unclaimed "}},
		{
			"a known account wins over its address",
			[]people.Identity{known("A", id(3), people.Confirmed, "e2@example.com")},
			[]people.AccountSeen{member("A", "e2@example.com")},
			nil,
		},
		{
			"who has an account is not asked about another",
			[]people.Identity{known("A", id(2), people.Confirmed, "old@example.com")},
			[]people.AccountSeen{member("B", "e2@example.com")},
			map[string]string{"B": "unclaimed "},
		},
		{
			"who lost their account is asked about the next",
			[]people.Identity{known("A", id(2), people.Confirmed, "e2@example.com")},
			[]people.AccountSeen{kind(member("A", "e2@example.com"), people.Gone), member("B", "e2@example.com")},
			map[string]string{"A": "confirmed E02", "B": "proposed E02"},
		},
		{
			"an account that opens again is not a second one",
			[]people.Identity{
				{Platform: "slack", ExternalID: "A", PersonID: id(2), State: people.Confirmed, Kind: people.Gone}, known("B", id(2), people.Confirmed, ""),
			},
			[]people.AccountSeen{member("A", "e2@example.com")},
			map[string]string{"A": "unclaimed "},
		},
		{
			"an account that opens again is its person's",
			[]people.Identity{
				{Platform: "slack", ExternalID: "A", PersonID: id(2), State: people.Confirmed, Kind: people.Gone}, known("B", id(2), people.Proposed, "e2@example.com"),
			},
			[]people.AccountSeen{member("A", "x@example.com")},
			map[string]string{"A": "confirmed E02", "B": "unclaimed "},
		},
		{
			"what was refused is not proposed to the same person again",
			[]people.Identity{known("A", id(2), people.Refused, "e2@example.com")},
			[]people.AccountSeen{member("A", "e2@example.com")},
			nil,
		},
		{
			"what was refused may be another's",
			[]people.Identity{known("A", id(2), people.Refused, "e2@example.com")},
			[]people.AccountSeen{member("A", "e3@example.com")},
			map[string]string{"A": "proposed E03"},
		},
		{
			"who refused one account is asked about another",
			[]people.Identity{known("A", id(2), people.Refused, "old@example.com")},
			[]people.AccountSeen{member("B", "e2@example.com")},
			map[string]string{"B": "proposed E02"},
		},
		{
			"a proposal is withdrawn when the account becomes a guest's",
			[]people.Identity{known("A", id(2), people.Proposed, "e2@example.com")},
			[]people.AccountSeen{kind(member("A", "e2@example.com"), people.Guest)},
			map[string]string{"A": "unclaimed "},
		},
		{
			"a proposal follows the address",
			[]people.Identity{known("A", id(2), people.Proposed, "e2@example.com")},
			[]people.AccountSeen{member("A", "e3@example.com")},
			map[string]string{"A": "proposed E03"},
		},
		{
			"a proposal to somebody who left ends although the account is not listed",
			[]people.Identity{known("A", id(5), people.Proposed, "e5@example.com")},
			nil,
			map[string]string{"A": "unclaimed "},
		},
		{
			"a proposal keeps its place before a new account of the same address",
			[]people.Identity{known("B", id(2), people.Proposed, "e2@example.com")},
			[]people.AccountSeen{member("A", "")},
			map[string]string{"A": "unclaimed "},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			firm := small()
			for i := range test.known {
				test.known[i].OrgID = firm.Org().ID
			}
			d := people.NewDirectory(firm.Org(), 1, firm.People(), test.known)
			var got map[string]string
			for _, i := range people.MatchAccounts(d, "slack", test.seen) {
				if got == nil {
					got = map[string]string{}
				}
				p, _ := d.Person(i.PersonID)
				got[i.ExternalID] = string(i.State) + " " + p.EmployeeNo
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("what changes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnAccountsNewNameIsTakenOverAndNothingElse(t *testing.T) {
	d := small()
	seen := people.AccountSeen{ExternalID: "U1", Name: "San Zhang", Email: "New@Example.com", TimeZone: "Asia/Tokyo", Lang: "zh-CN", Kind: people.Member}
	want := people.Identity{
		OrgID: d.Org().ID, Platform: "slack", ExternalID: "U1", PersonID: id(1), State: people.Confirmed, Kind: people.Member,
		Name: "San Zhang", Email: "new@example.com", TimeZone: "Asia/Tokyo", Lang: "zh-CN",
	}
	got := people.MatchAccounts(d, "slack", []people.AccountSeen{seen})
	got = slices.DeleteFunc(got, func(i people.Identity) bool { return i.ExternalID != "U1" })
	if diff := cmp.Diff([]people.Identity{want}, got); diff != "" {
		t.Errorf("what changes (-want +got):\n%s", diff)
	}
}

func TestAnAccountIsProposedByTheSurestThingItHasInCommon(t *testing.T) {
	firm := small()
	persons := firm.People()
	mobiles := []string{"13800138001", "13800138002", "13800138003", "13800138003", "13800138005"} // 3 and 4 share one, 5 has left
	for i := range persons {
		persons[i].Mobile = mobiles[i]
	}
	known := []people.Identity{
		{OrgID: firm.Org().ID, Platform: "slack", ExternalID: "S2", PersonID: id(2), State: people.Confirmed, Kind: people.Member, Mobile: "13900139002"},
		{OrgID: firm.Org().ID, Platform: "slack", ExternalID: "S3", PersonID: id(3), State: people.Proposed, Kind: people.Member, Mobile: "13900139003"},
	}
	d := people.NewDirectory(firm.Org(), 1, persons, known)
	seen := func(email, no, mobile string) people.AccountSeen {
		return people.AccountSeen{ExternalID: "A", Email: email, EmployeeNo: no, Mobile: mobile, Kind: people.Member}
	}
	other := func(a people.AccountSeen) people.AccountSeen {
		a.ExternalID = "B"
		return a
	}
	for _, test := range []struct {
		name string
		seen []people.AccountSeen
		want string // of account A: whose, and by what
	}{
		{"the address before the number before the mobile", []people.AccountSeen{seen("e1@example.com", "E02", "13800138003")}, "E01 email"},
		{"the number before the mobile", []people.AccountSeen{seen("x@example.com", "e02 ", "13800138001")}, "E02 employee_no"},
		{"the mobile, however it is written", []people.AccountSeen{seen("", "", "+86 138-0013-8001")}, "E01 mobile"},
		{"the mobile of another account of theirs", []people.AccountSeen{seen("", "", "13900139002")}, "E02 mobile"},
		{"the mobile of an account that may be theirs says nothing", []people.AccountSeen{seen("", "", "13900139003")}, ""},
		{"a mobile of two people says nothing", []people.AccountSeen{seen("", "", "13800138003")}, ""},
		{"a mobile of two people leaves the number its say", []people.AccountSeen{seen("", "E04", "13800138003")}, "E04 employee_no"},
		{"a mobile of two accounts says nothing", []people.AccountSeen{seen("", "", "13800138001"), other(seen("", "", "13800138001"))}, ""},
		{"a number of two accounts says nothing", []people.AccountSeen{seen("", "E01", ""), other(seen("", "E01", ""))}, ""},
		{"an address of two accounts leaves the number its say", []people.AccountSeen{seen("e1@example.com", "E02", ""), other(seen("e1@example.com", "", ""))}, "E02 employee_no"},
		{"who has left is asked nothing", []people.AccountSeen{seen("", "E05", "13800138005")}, ""},
		{"hidden digits are no number", []people.AccountSeen{seen("", "", "138****8001")}, ""},
	} {
		got := ""
		for _, i := range people.MatchAccounts(d, "feishu", test.seen) {
			if p, ok := d.Person(i.PersonID); ok && i.ExternalID == "A" {
				got = p.EmployeeNo + " " + string(i.Match)
			}
		}
		if got != test.want {
			t.Errorf("%s: account A is proposed to %q, want %q", test.name, got, test.want)
		}
	}
}

func TestTheMobileOfAnAccountThatWasClosedSaysNothing(t *testing.T) {
	firm := small()
	d := people.NewDirectory(firm.Org(), 1, firm.People(), []people.Identity{
		{OrgID: firm.Org().ID, Platform: "slack", ExternalID: "A", PersonID: id(1), State: people.Confirmed, Kind: people.Member, Mobile: "13700137001"},
	})
	for _, i := range people.MatchAccounts(d, "slack", []people.AccountSeen{
		{ExternalID: "A", Kind: people.Gone, Mobile: "13700137001"}, {ExternalID: "B", Kind: people.Member, Mobile: "13700137001"},
	}) {
		if i.State == people.Proposed {
			t.Errorf("%+v is proposed by a number that may be somebody else's by now", i)
		}
	}
}

// TestAnySequenceOfListingsKeepsTheRules lists random accounts again and again, with answers in between.
func TestAnySequenceOfListingsKeepsTheRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := small()
		persons := d.People()
		for i := range persons {
			persons[i].Mobile = rapid.SampledFrom(somePhones()).Draw(t, "mobile of a person")
		}
		other := people.Identity{OrgID: d.Org().ID, Platform: "feishu", ExternalID: "ou_3", PersonID: id(3), State: people.Confirmed, Kind: people.Member, Mobile: "13700137000"}
		d = d.Apply(people.Changes{People: persons, Identities: []people.Identity{other}}, d.Version()+1)
		refused := map[string]string{} // by account, who said no last
		account := rapid.Custom(func(t *rapid.T) people.AccountSeen {
			return people.AccountSeen{
				ExternalID: fmt.Sprintf("U%d", rapid.IntRange(0, 5).Draw(t, "account")),
				Email:      rapid.SampledFrom([]string{"", "", "e1@example.com", "E2@example.com", "e3@example.com", "e5@example.com"}).Draw(t, "email"),
				EmployeeNo: rapid.SampledFrom([]string{"", "", "E01", "e02", "E03", "E04", "E05"}).Draw(t, "number"),
				Mobile:     rapid.SampledFrom(somePhones()).Draw(t, "mobile"),
				Kind:       rapid.SampledFrom([]people.Kind{people.Member, people.Member, people.Member, people.Guest, people.Bot, people.Gone}).Draw(t, "kind"),
			}
		})
		for range rapid.IntRange(1, 8).Draw(t, "listings") {
			seen := rapid.SliceOfNDistinct(account, 0, 5, func(a people.AccountSeen) string { return a.ExternalID }).Draw(t, "seen")
			changed := people.MatchAccounts(d, "slack", seen)
			d = d.Apply(people.Changes{Identities: changed}, d.Version()+1)
			if again := people.MatchAccounts(d, "slack", seen); len(again) > 0 {
				t.Fatalf("the same listing again changes %+v", again)
			}
			open := map[uuid.UUID]int{}
			for _, i := range d.Identities("slack") {
				p, _ := d.Person(i.PersonID)
				if (i.State == people.Unclaimed) != (i.PersonID == uuid.Nil) {
					t.Fatalf("whose is %+v?", i)
				}
				if i.State == people.Proposed {
					open[i.PersonID]++
					if was := refused[i.ExternalID]; was != p.EmployeeNo && p.EmployeeNo != "" {
						delete(refused, i.ExternalID) // a no is remembered until the account is thought to be somebody else's
					}
					if i.Kind != people.Member || !p.Active || refused[i.ExternalID] == p.EmployeeNo || !hasInCommon(d, i, p) {
						t.Fatalf("%+v is proposed to %+v", i, p)
					}
				}
				if i.State == people.Confirmed && i.Kind != people.Gone {
					open[i.PersonID]++
				}
			}
			for who, n := range open {
				if n > 1 {
					t.Fatalf("%s has and is asked about %d accounts", who, n)
				}
			}
			for _, i := range d.Identities("slack") {
				if i.State != people.Proposed {
					continue
				}
				switch rapid.IntRange(0, 2).Draw(t, "answer") {
				case 1:
					i.State = people.Confirmed
				case 2:
					p, _ := d.Person(i.PersonID)
					i.State = people.Refused
					refused[i.ExternalID] = p.EmployeeNo
				}
				d = d.Apply(people.Changes{Identities: []people.Identity{i}}, d.Version()+1)
			}
		}
	})
}

func somePhones() []string {
	return []string{"", "", "13800138001", "+86 13800138001", "13800138002", "13700137000", "138****8001"}
}

// hasInCommon is what a proposal has to be true of: the thing that it names is the account's and the person's, and nobody else's.
func hasInCommon(d *people.Directory, i people.Identity, p people.Person) bool {
	of := map[people.Match]func(people.Person) []string{
		people.MatchEmail:  func(p people.Person) []string { return []string{p.Email} },
		people.MatchNumber: func(p people.Person) []string { return []string{strings.ToLower(p.EmployeeNo)} },
		people.MatchMobile: func(p people.Person) []string {
			own := []string{people.FoldMobile(p.Mobile)}
			for _, i := range d.IdentitiesOf(p.ID) {
				if i.State == people.Confirmed && i.Kind == people.Member {
					own = append(own, i.Mobile)
				}
			}
			return own
		},
	}[i.Match]
	value := func(i people.Identity, by people.Match) string {
		return map[people.Match]string{people.MatchEmail: i.Email, people.MatchNumber: strings.ToLower(i.EmployeeNo), people.MatchMobile: i.Mobile}[by]
	}
	mine := value(i, i.Match)
	if of == nil || mine == "" || !slices.Contains(of(p), mine) {
		return false
	}
	for _, other := range d.People() {
		if other.Active && other.ID != p.ID && slices.Contains(of(other), mine) {
			return false
		}
	}
	for _, other := range d.Identities(i.Platform) {
		if other.ExternalID != i.ExternalID && other.Kind == people.Member && value(other, i.Match) == mine {
			return false
		}
	}
	return true
}

func TestATelephoneNumberHasOneForm(t *testing.T) {
	for typed, want := range map[string]string{
		"13800138000": "13800138000", "+86 138-0013-8000": "13800138000", "0086 138 0013 8000": "13800138000", "8613800138000": "13800138000",
		"＋８６ １３８００１３８０００": "13800138000", "+1 (415) 555-0100": "+14155550100", "001 415 555 0100": "+14155550100", "0571-8888 8888": "057188888888",
		"+86 571 8888 8888": "+8657188888888", "138****8000": "", "call me": "", "": "", "123": "", "+": "", "1234567890123456": "",
	} {
		if got := people.FoldMobile(typed); got != want {
			t.Errorf("%q is %q, want %q", typed, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		typed := rapid.StringMatching(`[+0-9 ().-]{0,24}`).Draw(t, "typed")
		once := people.FoldMobile(typed)
		if again := people.FoldMobile(once); again != once {
			t.Fatalf("%q is %q, which is %q", typed, once, again)
		}
	})
}
