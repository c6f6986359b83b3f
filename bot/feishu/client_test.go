package feishu_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/bot/feishu"
	"huiyin/bot/sim/feishusim"
	"huiyin/internal/fault"
)

var thanks = card.Card{Title: "Lin thanked you", Blocks: []card.Block{card.Quoted("thanks")}}

func TestFeishusErrorsAreTranslatedOnce(t *testing.T) {
	type outcome struct {
		kind    fault.Kind // 0: unknown outcome
		key     string
		after   time.Duration
		unknown bool
	}
	for what, c := range map[string]struct {
		fault feishusim.Fault
		want  outcome
	}{
		"429 with a header":           {feishusim.Fault{RetryAfter: 7}, outcome{kind: fault.Unavailable, key: "feishu.busy", after: 7 * time.Second}},
		"429 without a header":        {feishusim.Fault{Status: 429}, outcome{kind: fault.Unavailable, key: "feishu.busy"}},
		"400 with the code of a 429":  {feishusim.Fault{Code: 99991400}, outcome{kind: fault.Unavailable, key: "feishu.busy"}},
		"too many to one person":      {feishusim.Fault{Code: 230020}, outcome{kind: fault.Unavailable, key: "feishu.busy"}},
		"the month is used up":        {feishusim.Fault{Code: 99991403, Status: 429}, outcome{kind: fault.Unavailable, key: "feishu.quota"}},
		"a page of a gateway":         {feishusim.Fault{NotJSON: true}, outcome{kind: fault.Unavailable, key: "feishu.away"}},
		"a page that says 429":        {feishusim.Fault{NotJSON: true, Status: 429}, outcome{kind: fault.Unavailable, key: "feishu.busy"}},
		"a page that says 200":        {feishusim.Fault{NotJSON: true, Status: 200}, outcome{kind: fault.Unavailable, key: "feishu.away"}},
		"out of the availability":     {feishusim.Fault{Code: 230013}, outcome{kind: fault.NotFound, key: "feishu.recipient"}},
		"the bot is not in the group": {feishusim.Fault{Code: 230002}, outcome{kind: fault.NotFound, key: "feishu.recipient"}},
		"an id of nobody":             {feishusim.Fault{Code: 99992351}, outcome{kind: fault.NotFound, key: "feishu.recipient"}},
		"a card that is refused":      {feishusim.Fault{Code: 230099}, outcome{kind: fault.Invalid, key: "feishu.rejected"}},
		"a scope is missing":          {feishusim.Fault{Code: 99991672}, outcome{kind: fault.Unavailable, key: "feishu.scope"}},
		"a token that is never good":  {feishusim.Fault{Code: 99991663}, outcome{kind: fault.Unavailable, key: "feishu.auth"}},
		"a code of tomorrow":          {feishusim.Fault{Code: 7654321}, outcome{kind: fault.Unavailable, key: "feishu.away"}},
		"an error inside":             {feishusim.Fault{Status: 500}, outcome{unknown: true}},
		"taken, and the line cut":     {feishusim.Fault{AcceptThenDrop: true}, outcome{unknown: true}},
		"the line cut":                {feishusim.Fault{Reset: true}, outcome{unknown: true}},
	} {
		t.Run(what, func(t *testing.T) {
			o := newOffice(t, nil)
			o.SetFault("im.message.create", c.fault)
			_, err := o.feishu.Send(t.Context(), bot.Message{To: bot.Address{User: o.kai.OpenID}, Card: thanks, Delivery: "d1"})
			var got outcome
			if f, ok := fault.Of(err); ok {
				got = outcome{kind: f.Kind, key: f.Key, after: f.RetryAfter}
			}
			got.unknown = errors.Is(err, bot.ErrUnknownOutcome)
			if got != c.want {
				t.Errorf("sending ended with %+v (%v), want %+v", got, err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "<html>") {
				t.Errorf("the page is in the error: %v", err)
			}
			o.SetFault("im.message.create")
			o.Advance(c.want.after)
			if _, err := o.feishu.Send(t.Context(), bot.Message{To: bot.Address{User: o.kai.OpenID}, Card: thanks, Delivery: "d1"}); err != nil {
				t.Errorf("sending again: %v", err)
			}
			if n := len(o.Messages(o.P2P(o.kai.OpenID), o.kai.OpenID)); n != 1 {
				t.Errorf("%d messages arrived, want one", n)
			}
		})
	}
}

func TestAnAddressOfNobodyIsFinal(t *testing.T) {
	o := newOffice(t, nil)
	unavailable := o.AddPerson(feishusim.Person{Name: "Out", Unavailable: true}).OpenID
	left := o.AddPerson(feishusim.Person{Name: "Left", Resigned: true}).OpenID
	elsewhere := o.AddChat(feishusim.Chat{Name: "without the bot", Members: []string{o.lin.OpenID}}).ID
	for what, to := range map[string]bot.Address{
		"nobody":                         {User: "ou_00000000000000000000000000000000"},
		"somebody outside the range":     {User: unavailable},
		"somebody who left":              {User: left},
		"a group that is none":           {Channel: "oc_00000000000000000000000000000000"},
		"a group that the bot is not in": {Channel: elsewhere},
		"no address":                     {},
	} {
		if _, err := o.feishu.Send(t.Context(), bot.Message{To: to, Card: thanks}); !fault.Is(err, fault.NotFound) {
			t.Errorf("sending to %s ended with %v, want not found", what, err)
		}
	}
}

// R28: what is private goes to persons alone.
func TestAPrivateCardIsNotSentToAGroup(t *testing.T) {
	o := newOffice(t, nil)
	secret := card.Card{Tone: card.Private, Title: "A note for you"}
	if _, err := o.feishu.Send(t.Context(), bot.Message{To: bot.Address{Channel: o.group}, Card: secret}); !fault.Is(err, fault.Forbidden) {
		t.Errorf("sending a private card to a group ended with %v", err)
	}
	ref, err := o.feishu.Send(t.Context(), bot.Message{To: bot.Address{Channel: o.group}, Card: thanks})
	if err != nil || ref.Channel != o.group {
		t.Fatalf("sending to a group: %+v, %v", ref, err)
	}
	if err := o.feishu.Update(t.Context(), ref, secret); !fault.Is(err, fault.Forbidden) {
		t.Errorf("changing a group's card to a private one ended with %v", err)
	}
	ref, err = o.feishu.Send(t.Context(), bot.Message{To: bot.Address{User: o.kai.OpenID}, Card: secret})
	if err != nil || ref.Channel != o.kai.OpenID {
		t.Errorf("sending a private card to a person: %+v, %v", ref, err)
	}
	if err := o.feishu.Update(t.Context(), ref, secret); err != nil {
		t.Errorf("changing a person's private card: %v", err)
	}
	o.clean(t, "private cards")
}

func TestATokenIsAskedForOnceAndReplacedWhenItEnds(t *testing.T) {
	o := newOffice(t, nil)
	send := func() {
		t.Helper()
		if _, err := o.feishu.Send(t.Context(), bot.Message{To: bot.Address{User: o.kai.OpenID}, Card: thanks}); err != nil {
			t.Error(err)
		}
	}
	tokens := func() (n int) {
		for _, c := range o.Calls() {
			if c.Method == "auth.tenant_access_token" {
				n++
			}
		}
		return n
	}
	for range 5 {
		send()
	}
	if n := tokens(); n != 1 {
		t.Errorf("for five messages a token was asked for %d times", n)
	}
	o.ExpireTokens() // without a word to us
	send()
	if n := tokens(); n != 2 {
		t.Errorf("after the token was ended, a token was asked for %d times", n)
	}
	o.Advance(115 * time.Minute)
	send()
	if n := tokens(); n != 3 {
		t.Errorf("shortly before its end, a token was asked for %d times", n)
	}
	o.SetFault("auth.tenant_access_token", feishusim.Fault{Code: 10014, Status: http.StatusOK})
	o.ExpireTokens()
	_, err := o.feishu.Send(t.Context(), bot.Message{To: bot.Address{User: o.kai.OpenID}, Card: thanks})
	if f, ok := fault.Of(err); !ok || f.Kind != fault.Unavailable || f.Key != "feishu.auth" {
		t.Errorf("with a wrong secret sending ended with %v", err)
	}
}

// Somebody who is mentioned and unknown to Feishu would make it refuse the whole card.
func TestAMentionOfNobodyDoesNotKeepACardBack(t *testing.T) {
	o := newOffice(t, nil)
	mentioning := func(id string) card.Card {
		return card.Card{Title: "Praise", Blocks: []card.Block{card.Paragraph{Spans: []card.Span{card.Mention("Mei", id), card.Plainly(" did it")}}}}
	}
	ref, err := o.feishu.Send(t.Context(), bot.Message{To: bot.Address{Channel: o.group}, Card: mentioning(o.kai.OpenID)})
	if err != nil {
		t.Fatal(err)
	}
	if m, _ := o.Message(ref.ID); !strings.Contains(m.Content, "<at id="+o.kai.OpenID+"></at>") {
		t.Errorf("a colleague is not mentioned in %s", m.Content)
	}
	ref, err = o.feishu.Send(t.Context(), bot.Message{To: bot.Address{Channel: o.group}, Card: mentioning("ou_00000000000000000000000000000000")})
	if err != nil {
		t.Fatalf("a card that mentions nobody: %v", err)
	}
	if m, _ := o.Message(ref.ID); !strings.Contains(m.Content, "Mei did it") {
		t.Errorf("the name is missing in %s", m.Content)
	}
	if err := o.feishu.Update(t.Context(), ref, mentioning("ou_00000000000000000000000000000000")); err != nil {
		t.Errorf("changing a card to one that mentions nobody: %v", err)
	}
}

// R03: none lost, none twice, whatever the line does.
func TestAnUnknownOutcomeMayBeRepeated(t *testing.T) {
	o := newOffice(t, nil)
	for i := range 20 {
		m := bot.Message{To: bot.Address{User: o.kai.OpenID}, Card: thanks, Delivery: fmt.Sprintf("0193%08d-a-delivery-with-a-rather-long-name-of-its-own", i)}
		o.SetFault("im.message.create", []feishusim.Fault{{AcceptThenDrop: true}, {Status: 500}, {RetryAfter: 1}, {NotJSON: true}}[i%4])
		if _, err := o.feishu.Send(t.Context(), m); err == nil {
			t.Errorf("sending %d succeeded against all odds", i)
		}
		o.SetFault("im.message.create")
		o.Advance(time.Second) // as long as was asked for
		if _, err := o.feishu.Send(t.Context(), m); err != nil {
			t.Errorf("sending %d again: %v", i, err)
		}
	}
	if n := len(o.Messages(o.P2P(o.kai.OpenID), o.kai.OpenID)); n != 20 {
		t.Errorf("%d messages arrived, want 20: none lost, none twice", n)
	}
}

func TestTheDirectoryIsListedToTheEnd(t *testing.T) {
	for name, scoped := range map[string]bool{"the whole firm": false, "some departments": true} {
		t.Run(name, func(t *testing.T) {
			sales := feishusim.Department{ID: "od-sales", Name: "销售/渠道"}
			east := feishusim.Department{ID: "od-east", Name: "East", Parent: "od-sales"}
			o := newOffice(t, func(opt *feishusim.Options) {
				if scoped {
					opt.ContactScope = []string{"od-sales"}
				}
			})
			o.AddDepartment(sales)
			o.AddDepartment(east)
			o.AddDepartment(feishusim.Department{ID: "od-other", Name: "Other"})
			boss := o.AddPerson(feishusim.Person{Name: "王伟", Departments: []string{"od-sales", "od-east"}})
			full := o.AddPerson(feishusim.Person{
				Name: "李雷", EnName: "Lei Li", Email: "lei@home.example", EnterpriseEmail: "lei@firm.example", Mobile: "+8613800000000", EmployeeNo: "A7", JobTitle: "Engineer",
				Departments: []string{"od-east"}, Leader: boss.OpenID, JoinTime: time.Date(2021, 3, 1, 0, 0, 0, 0, time.FixedZone("", 8*3600)).Unix(),
			})
			frozen := o.AddPerson(feishusim.Person{Name: "Frozen", Departments: []string{"od-east"}, Frozen: true})
			got := map[string]bot.Account{}
			if err := o.feishu.Accounts(t.Context(), func(page []bot.Account) error {
				for _, a := range page {
					if _, twice := got[a.ID]; twice {
						t.Errorf("%s is listed twice", a.Name)
					}
					got[a.ID] = a
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			want := bot.Account{
				ID: full.OpenID, Name: "李雷", NameEn: "Lei Li", Email: "lei@firm.example", Mobile: "+8613800000000", EmployeeNo: "A7", Title: "Engineer",
				Department: "销售／渠道/East", Manager: boss.OpenID, HiredOn: "2021-03-01", Kind: bot.Member,
			}
			if diff := cmp.Diff(want, got[full.OpenID]); diff != "" {
				t.Errorf("a person is listed otherwise (-want +got):\n%s", diff)
			}
			if got[frozen.OpenID].Kind != bot.Gone || got[boss.OpenID].Department != "销售／渠道" {
				t.Errorf("listed %+v and %+v", got[frozen.OpenID], got[boss.OpenID])
			}
			if _, seen := got[o.lin.OpenID]; seen == scoped || len(got) != map[bool]int{false: 5, true: 3}[scoped] {
				t.Errorf("%d people are listed, Lin among them: %v", len(got), seen)
			}
			one, err := o.feishu.Account(t.Context(), full.OpenID)
			if diff := cmp.Diff(want, one); err != nil || diff != "" {
				t.Errorf("asked for alone: %v\n%s", err, diff)
			}
			if tenant, err := o.feishu.Tenant(t.Context()); err != nil || tenant != o.TenantKey() {
				t.Errorf("the tenant is %q, %v", tenant, err)
			}
			boom := errors.New("boom")
			if err := o.feishu.Accounts(t.Context(), func([]bot.Account) error { return boom }); !errors.Is(err, boom) {
				t.Errorf("the listing went on: %v", err)
			}
		})
	}
}

func TestFieldsWithoutScopeStayEmpty(t *testing.T) {
	o := newOffice(t, func(opt *feishusim.Options) {
		opt.HiddenFields = []string{"email", "enterprise_email", "mobile", "employee_no", "department_ids", "leader_user_id", "job_title", "join_time", "status", "user_id"}
	})
	got, err := o.feishu.Account(t.Context(), o.lin.OpenID)
	if diff := cmp.Diff(bot.Account{ID: o.lin.OpenID, Name: "林晓", Kind: bot.Member}, got); err != nil || diff != "" {
		t.Errorf("asked for: %v (-want +got)\n%s", err, diff)
	}
}

func TestCommandsAreRegisteredAsTheyAre(t *testing.T) {
	o := newOffice(t, nil)
	commands := []feishu.ManifestCommand{
		{Name: "praise", Summary: "表扬一位同事", In: map[string]string{"zh-CN": "表扬一位同事", "en": "Praise a colleague"}}, {Name: "help", Summary: "帮助"},
	}
	steps := []struct {
		list []feishu.ManifestCommand
		want feishu.Applied
	}{
		{commands, feishu.Applied{Made: []string{"praise", "help"}}},
		{commands, feishu.Applied{Kept: []string{"praise", "help"}}},
		{[]feishu.ManifestCommand{{Name: "praise", Summary: "表扬"}}, feishu.Applied{Changed: []string{"praise"}, Removed: []string{"help"}}},
	}
	for i, s := range steps {
		got, err := o.feishu.Apply(t.Context(), s.list)
		if diff := cmp.Diff(s.want, got); err != nil || diff != "" {
			t.Errorf("step %d: %v (-want +got)\n%s", i, err, diff)
		}
		if there := o.Commands(); len(there) != len(s.list) || there[0].Name != "praise" || there[0].Description != s.list[0].Summary || there[0].I18n["en_us"] != s.list[0].In["en"] {
			t.Errorf("step %d: registered are %+v", i, there)
		}
	}
	if _, err := o.feishu.Apply(t.Context(), []feishu.ManifestCommand{{Name: "表扬"}}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a command that Feishu would refuse ended with %v", err)
	}
	o.clean(t, "commands")
}
