package people_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"huiyin/internal/audit"
	"huiyin/internal/fault"
	"huiyin/internal/people"
)

// memory is a store that keeps one firm and counts how it is asked.
type memory struct {
	dir                  *people.Directory
	tenants              map[string]people.Org
	loads, sinces, finds int
	log                  []audit.Entry
	used                 []people.Used
	err                  error
}

func (m *memory) Orgs(context.Context) ([]people.Org, error) { return []people.Org{m.dir.Org()}, m.err }

func (m *memory) OrgOf(_ context.Context, platform, tenant string) (people.Org, error) {
	m.finds++
	org, ok := m.tenants[platform+" "+tenant]
	if !ok {
		return people.Org{}, fault.New(fault.NotFound, "storage.no_org")
	}
	return org, m.err
}

func (m *memory) CreateOrg(context.Context, people.Org) error { return m.err }

func (m *memory) BindTenant(context.Context, uuid.UUID, string, string) error { return m.err }

func (m *memory) Load(context.Context, uuid.UUID) (*people.Directory, error) {
	m.loads++
	return m.dir, m.err
}

func (m *memory) Since(_ context.Context, dir *people.Directory) (*people.Directory, error) {
	m.sinces++
	if dir.Version() == m.dir.Version() {
		return dir, m.err
	}
	return m.dir, m.err
}

func (m *memory) Apply(_ context.Context, cause people.Cause, plan people.Plan, log ...audit.Entry) error {
	m.log = append(m.log, log...)
	return m.write(cause, plan.Changes())
}

func (m *memory) SaveLastUsed(_ context.Context, _ uuid.UUID, u people.Used) error {
	m.used = append(m.used, u)
	return m.err
}

func (m *memory) Following(context.Context, uuid.UUID) (people.Following, error) {
	return people.Following{}, m.err
}

func (m *memory) SaveFollowing(context.Context, people.Following) error { return m.err }

func (m *memory) TriedFollowing(context.Context, people.Following) error { return m.err }

func (m *memory) SaveIdentities(_ context.Context, cause people.Cause, identities []people.Identity, log ...audit.Entry) error {
	m.log = append(m.log, log...)
	return m.write(cause, people.Changes{Identities: identities})
}

func (m *memory) SaveSettings(_ context.Context, cause people.Cause, personID uuid.UUID, settings people.Settings) error {
	p, _ := m.dir.Person(personID)
	p.Settings = settings
	return m.write(cause, people.Changes{People: []people.Person{p}})
}

func (m *memory) write(cause people.Cause, c people.Changes) error {
	if cause.Directory != m.dir.Version() {
		return fault.New(fault.Stale, "storage.stale")
	}
	m.dir = m.dir.Apply(c, m.dir.Version()+1)
	return m.err
}

// firm is a service over a firm in which 04 is HR, and the cause of an actor's deed.
func firm(t *testing.T) (*people.Service, *memory, func(actor uuid.UUID) people.Cause) {
	t.Helper()
	d := small()
	hr, _ := d.Person(id(4))
	hr.Role = people.HR
	store := &memory{dir: d.Apply(people.Changes{People: []people.Person{hr}}, 8)}
	return &people.Service{Store: store}, store, func(actor uuid.UUID) people.Cause {
		return people.Cause{OrgID: d.Org().ID, Directory: store.dir.Version(), Actor: actor, At: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	}
}

func TestOnlyThePersonSavesTheirSettings(t *testing.T) {
	s, store, by := firm(t)
	good := people.DefaultSettings()
	good.Lang, good.TimeZone = "en", "Asia/Tokyo"
	for actor, kind := range map[uuid.UUID]fault.Kind{id(4): fault.Forbidden, id(1): fault.Forbidden, people.Operator: fault.Forbidden, uuid.Nil: fault.Forbidden} {
		if err := s.SaveSettings(t.Context(), store.dir, by(actor), id(2), good); !fault.Is(err, kind) {
			t.Errorf("%s saves another's settings: %v", actor, err)
		}
	}
	for field, bad := range map[string]people.Settings{
		"zone": {TimeZone: "Mars/Olympus"}, "from": {QuietFrom: 1440}, "lang": {Lang: "fr"}, "platform": {Platform: "feishu"},
	} {
		err := s.SaveSettings(t.Context(), store.dir, by(id(2)), id(2), bad)
		if f, ok := fault.Of(err); !ok || f.Kind != fault.Invalid || f.Field != field {
			t.Errorf("settings with a wrong %s: %v", field, err)
		}
	}
	if err := s.SaveSettings(t.Context(), store.dir, by(id(2)), id(2), good); err != nil {
		t.Fatalf("saving one's own settings: %v", err)
	}
	if p, _ := store.dir.Person(id(2)); p.Settings != good {
		t.Errorf("saved %+v", p.Settings)
	}
}

func TestAnAccountIsSettledByItsPersonOnce(t *testing.T) {
	s, store, by := firm(t)
	ctx := t.Context()
	if err := s.ConfirmIdentity(ctx, store.dir, by(id(4)), "slack", "U2"); !fault.Is(err, fault.Forbidden) {
		t.Errorf("somebody else confirms: %v", err)
	}
	if err := s.ConfirmIdentity(ctx, store.dir, by(id(2)), "slack", "U9"); !fault.Is(err, fault.Conflict) {
		t.Errorf("confirming what nobody proposed: %v", err)
	}
	if err := s.RefuseIdentity(ctx, store.dir, by(id(2)), "slack", "nothing"); !fault.Is(err, fault.Conflict) {
		t.Errorf("refusing an unknown account: %v", err)
	}
	if err := s.ConfirmIdentity(ctx, store.dir, by(id(2)), "slack", "U2"); err != nil {
		t.Fatalf("confirming: %v", err)
	}
	if _, p, _ := store.dir.ByIdentity("slack", "U2"); p.ID != id(2) {
		t.Errorf("the confirmed account is %s's", p.Name)
	}
	if err := s.RefuseIdentity(ctx, store.dir, by(id(2)), "slack", "U2"); !fault.Is(err, fault.Conflict) {
		t.Errorf("refusing what is confirmed: %v", err)
	}

	store.dir = store.dir.Apply(people.Changes{Identities: []people.Identity{{Platform: "slack", ExternalID: "U3", PersonID: id(1), State: people.Proposed, Kind: people.Member}}}, 20)
	if err := s.ConfirmIdentity(ctx, store.dir, by(id(1)), "slack", "U3"); !fault.Is(err, fault.Conflict) {
		t.Errorf("a second account on one platform: %v", err)
	}
	if err := s.RefuseIdentity(ctx, store.dir, by(id(1)), "slack", "U3"); err != nil {
		t.Fatalf("refusing: %v", err)
	}
	if i, _, _ := store.dir.ByIdentity("slack", "U3"); i.State != people.Refused || i.PersonID != id(1) {
		t.Errorf("the refused account became %+v", i)
	}
}

func TestOnlyHRAndAdminsImportAndExport(t *testing.T) {
	s, store, by := firm(t)
	ctx := t.Context()
	table := read(t, "employee_no,name\nE10,新人\n")
	if _, _, err := s.Import(ctx, store.dir, by(id(1)), table, newID); !fault.Is(err, fault.Forbidden) {
		t.Errorf("an employee imports: %v", err)
	}
	if _, err := s.Export(store.dir, id(1), "en"); !fault.Is(err, fault.Forbidden) {
		t.Errorf("an employee exports: %v", err)
	}
	before := store.dir
	if plan, problems, err := s.Import(ctx, store.dir, by(id(4)), table, newID); err != nil || len(problems) > 0 || len(plan.Create) != 1 {
		t.Fatalf("HR imports: %+v, %v, %v", plan, problems, err)
	}
	if _, _, err := s.Import(ctx, before, people.Cause{Directory: before.Version(), Actor: id(4)}, read(t, "employee_no,name\nE11,x\n"), newID); !fault.Is(err, fault.Stale) {
		t.Errorf("importing on an outdated directory: %v", err)
	}
	version := store.dir.Version()
	if plan, _, err := s.Import(ctx, store.dir, by(people.Operator), table, newID); err != nil || !plan.Empty() || store.dir.Version() != version {
		t.Errorf("the same file again: %+v, %v, version %d after %d", plan, err, store.dir.Version(), version)
	}
	if _, problems, err := s.Import(ctx, store.dir, by(id(4)), read(t, "employee_no,name,email\nE11,x,@\n"), newID); err != nil || len(problems) != 1 || store.dir.Version() != version {
		t.Errorf("a file with a problem: %v, %v", problems, err)
	}
	table, err := s.Export(store.dir, id(4), "en")
	if err != nil || len(table.Rows) != 6 {
		t.Errorf("HR exports %d rows, %v", len(table.Rows), err)
	}
}

func TestASyncWritesOnlyWhatChanged(t *testing.T) {
	s, store, by := firm(t)
	seen := []people.AccountSeen{{ExternalID: "U3", Email: "e3@example.com", Kind: people.Member}}
	for i, want := range []int{1, 0} {
		version := store.dir.Version()
		n, err := s.SyncAccounts(t.Context(), store.dir, by(uuid.Nil), "slack", seen)
		if err != nil || n > 0 != (want > 0) || (store.dir.Version() > version) != (want > 0) {
			t.Errorf("listing %d changed %d, %v", i+1, n, err)
		}
	}
}

func TestACacheAsksOnlyWhenItsSnapshotIsOld(t *testing.T) {
	ctx := t.Context()
	store := &memory{dir: small(), tenants: map[string]people.Org{"slack T1": small().Org()}}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	cache := people.NewCache(store, func() time.Time { return now })
	asked := func(what string, loads, sinces int) {
		t.Helper()
		if diff := cmp.Diff([2]int{loads, sinces}, [2]int{store.loads, store.sinces}); diff != "" {
			t.Errorf("%s: asked otherwise than expected, loads and sinces (-want +got):\n%s", what, diff)
		}
	}
	get := func(f func(context.Context, uuid.UUID) (*people.Directory, error)) *people.Directory {
		t.Helper()
		d, err := f(ctx, store.dir.Org().ID)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	first := get(cache.Get)
	if get(cache.Get) != first {
		t.Error("the second look gave another snapshot")
	}
	asked("at once", 1, 0)
	now = now.Add(time.Second)
	get(cache.Get)
	asked("within the age that is allowed", 1, 0)
	now = now.Add(time.Minute)
	if get(cache.Get) != first {
		t.Error("nothing changed and the snapshot is another")
	}
	asked("later", 1, 1)

	store.dir = store.dir.Apply(people.Changes{}, 99)
	if get(cache.Get).Version() == 99 {
		t.Error("a change was seen before it was asked for")
	}
	if get(cache.Refresh).Version() != 99 || get(cache.Get).Version() != 99 {
		t.Error("a refresh did not see the change")
	}
	asked("after a refresh", 1, 2)

	store.err = errors.New("the store is away")
	now = now.Add(time.Minute)
	if _, err := cache.Get(ctx, store.dir.Org().ID); !errors.Is(err, store.err) {
		t.Errorf("with the store away: %v, want its error and no outdated snapshot", err)
	}
	store.err = nil
	if get(cache.Get).Version() != 99 {
		t.Error("the snapshot was lost with the error")
	}

	for range 2 {
		if org, err := cache.OrgOf(ctx, "slack", "T1"); err != nil || org.ID != store.dir.Org().ID {
			t.Errorf("the firm of a workspace: %v, %v", org, err)
		}
	}
	for range 2 { // it may be bound the moment after
		if _, err := cache.OrgOf(ctx, "slack", "T2"); !fault.Is(err, fault.NotFound) {
			t.Errorf("an unknown workspace: %v", err)
		}
	}
	if store.finds != 3 {
		t.Errorf("the store was asked %d times for firms, want once for the known and each time for the unknown", store.finds)
	}
}
