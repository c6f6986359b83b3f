package postgres

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"huiyin/internal/audit"
	"huiyin/internal/people"
)

func TestWhereSomebodyWasSeenLastIsKnownToAllProcessesAndChangesNoVersion(t *testing.T) {
	d := open(t)
	here := firm(t, d, id(1), 3)
	there, err := d.People.Load(t.Context(), id(1))
	if err != nil {
		t.Fatal(err)
	}
	see := func(n int, platform string, at time.Time) {
		t.Helper()
		if err := d.People.SaveLastUsed(t.Context(), id(1), people.Used{PersonID: id(n), Platform: platform, At: at}); err != nil {
			t.Fatal(err)
		}
	}
	look := func(dir *people.Directory, n int) string {
		t.Helper()
		next, err := d.People.Since(t.Context(), dir)
		if err != nil || next != dir {
			t.Fatalf("a use has to change no version, and Since gave another directory (%v)", err)
		}
		return next.LastUsed(id(n))
	}
	see(1001, "feishu", noon)
	if a, b := look(here, 1001), look(there, 1001); a != "feishu" || b != "feishu" {
		t.Errorf("the processes say %q and %q, want feishu of both", a, b)
	}
	see(1001, "slack", noon.Add(time.Minute))
	see(1001, "dingtalk", noon.Add(30*time.Second)) // a process whose clock is behind
	see(1002, "dingtalk", noon.Add(20*time.Second)) // committed after a later one was read
	if got := look(here, 1001); got != "slack" {
		t.Errorf("last used is %q, want the latest, slack", got)
	}
	if got := look(here, 1002); got != "dingtalk" {
		t.Errorf("a use that came to be seen a little late is %q, want dingtalk", got)
	}
	if fresh, err := d.People.Load(t.Context(), id(1)); err != nil || fresh.LastUsed(id(1001)) != "slack" || fresh.Version() != here.Version() {
		t.Errorf("a new process says %q (%v), want slack at the same version", fresh.LastUsed(id(1001)), err)
	}
}

func TestImportsAndAnswersAboutAccountsAreInTheAuditLog(t *testing.T) {
	d := open(t)
	service := &people.Service{Store: d.People}
	if err := d.People.CreateOrg(t.Context(), people.Org{ID: id(1), Name: "x", TimeZone: "UTC", Lang: "en"}); err != nil {
		t.Fatal(err)
	}
	now := func() *people.Directory {
		dir, err := d.People.Load(t.Context(), id(1))
		if err != nil {
			t.Fatal(err)
		}
		return dir
	}
	cause := func(actor uuid.UUID) people.Cause {
		return people.Cause{OrgID: id(1), Directory: now().Version(), At: noon, Actor: actor}
	}
	seen := []people.AccountSeen{
		{ExternalID: "ou_1", Name: "林晓", EmployeeNo: "E1", Email: "lin@example.com", Kind: people.Member},
		{ExternalID: "ou_2", Name: "王凯", EmployeeNo: "E2", Manager: "ou_1", Kind: people.Member},
	}
	newID := func() uuid.UUID { return uuid.Must(uuid.NewV7()) }
	if _, problems, err := service.ImportListed(t.Context(), now(), cause(people.Operator), people.ListedPeople(now(), "feishu", seen, true), newID); err != nil || len(problems) > 0 {
		t.Fatalf("importing: %v %v", err, problems)
	}
	lin, _ := now().ByEmployeeNo("E1")
	if _, err := service.SyncAccounts(t.Context(), now(), cause(uuid.Nil), "slack", []people.AccountSeen{{ExternalID: "U1", Email: "lin@example.com", Kind: people.Member}}); err != nil {
		t.Fatal(err)
	}
	if err := service.RefuseIdentity(t.Context(), now(), cause(lin.ID), "slack", "U1"); err != nil {
		t.Fatal(err)
	}
	if _, err := service.SyncAccounts(t.Context(), now(), cause(uuid.Nil), "dingtalk", []people.AccountSeen{{ExternalID: "d1", EmployeeNo: "e1", Kind: people.Member}}); err != nil {
		t.Fatal(err)
	}
	if err := service.ConfirmIdentity(t.Context(), now(), cause(lin.ID), "dingtalk", "d1"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := service.Follow(t.Context(), now(), cause(uuid.Nil), people.ListedPeople(now(), "feishu", append(seen, people.AccountSeen{
		ExternalID: "ou_3", Name: "李梅", EmployeeNo: "E3", Kind: people.Member,
	}), true), newID); err != nil {
		t.Fatal(err)
	}
	got, err := d.Audit.List(t.Context(), AuditQuery{OrgID: id(1), Limit: 9})
	if err != nil {
		t.Fatal(err)
	}
	want := []audit.Entry{
		{Seq: 4, Act: "people.imported", Detail: map[string]string{"source": "feishu", "created": "1", "changed": "0", "deactivated": "0", "accounts": "1"}},
		{Seq: 3, Act: "account.claimed", Actor: lin.ID, About: lin.ID, Detail: map[string]string{"platform": "dingtalk", "account": "d1", "match": "employee_no"}},
		{Seq: 2, Act: "account.refused", Actor: lin.ID, About: lin.ID, Detail: map[string]string{"platform": "slack", "account": "U1", "match": "email"}},
		{Seq: 1, Act: "people.imported", Detail: map[string]string{"source": "feishu", "by": "operator", "created": "2", "changed": "0", "deactivated": "0", "accounts": "2"}},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(audit.Entry{}, "OrgID", "At")); diff != "" {
		t.Errorf("the log (-want +got):\n%s", diff)
	}
	if _, err := d.Audit.Verify(t.Context(), id(1), Head{}); err != nil {
		t.Errorf("the chain: %v", err)
	}
}

func TestWhichDirectoryIsFollowedIsRemembered(t *testing.T) {
	d := open(t)
	firm(t, d, id(1), 1)
	ctx := t.Context()
	follow := people.Following{OrgID: id(1), Platform: "feishu", Since: noon}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	is := func(want people.Following) {
		t.Helper()
		got, err := d.People.Following(ctx, id(1))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("followed is (%v, -want +got):\n%s", err, diff)
		}
	}
	is(people.Following{})
	must(d.People.SaveFollowing(ctx, follow))
	is(follow)
	tried := follow
	tried.TriedAt, tried.Refused, tried.Amount = noon.Add(time.Hour), people.TooManyLeave, 7
	must(d.People.TriedFollowing(ctx, tried))
	is(tried)
	late := tried
	late.Platform, late.Amount = "dingtalk", 9
	must(d.People.TriedFollowing(ctx, late)) // a listing that began before the firm followed another
	is(tried)
	must(d.People.SaveFollowing(ctx, people.Following{OrgID: id(1)}))
	is(people.Following{})
}
