package dialog_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/bot/card/cardtest"
	"huiyin/bot/dialog"
	"huiyin/feedback"
	"huiyin/internal/i18n"
	"huiyin/internal/notice"
	"huiyin/internal/people"
	"huiyin/storage/postgres"
	"huiyin/storage/postgres/pgtest"
	"huiyin/storage/redis"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	platform = "chat"
	tenant   = "T1"
)

// room is a firm of seven with a desk, on a real Postgres and a real Redis client, and a transcript of everything that is said. Its own
// platform has every ability, so that every button and form appears.
type room struct {
	t          *testing.T
	ctx        context.Context
	desk       *dialog.Desk
	pool       pool
	store      *postgres.People
	org        uuid.UUID
	redis      *miniredis.Miniredis
	now        time.Time
	ids        map[string]uuid.UUID
	cards      map[string]card.Card // the last each person saw
	forms      map[string]card.Form // the last each person was shown
	transcript strings.Builder
	events     int
	lang       string
	sent       []sent
	listed     bool   // the platform has no picker of its own
	on         string // the platform that people use
}

type sent struct {
	notice notice.Notice
	reader string
}

type pool interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// staff are the people of the room: handle, Chinese and English name, manager, role.
func staff() [][5]string {
	return [][5]string{
		{"boss", "陈静", "Jing Chen", "", "executive"},
		{"lin", "林晓", "Lin Xiao", "boss", "employee"},
		{"kai", "王凯", "Kai Wang", "lin", "employee"},
		{"mei", "李梅", "Mei Li", "lin", "employee"},
		{"wei1", "王伟", "Wei Wang", "boss", "employee"},
		{"wei2", "王伟", "Wei Wang", "lin", "employee"},
		{"hr", "赵敏", "Min Zhao", "boss", "hr"},
	}
}

func newRoom(t *testing.T, lang string) *room {
	t.Helper()
	ctx := t.Context()
	r := &room{
		t: t, ctx: ctx, lang: lang, now: time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC), // ten in the morning in Shanghai
		on: platform, ids: map[string]uuid.UUID{}, cards: map[string]card.Card{}, forms: map[string]card.Form{}, redis: miniredis.RunT(t),
	}
	pool := pgtest.DB(t)
	r.pool = pool
	db := postgres.New(pool)
	org := people.Org{ID: uuid.Must(uuid.NewV7()), Name: "Huiyin", TimeZone: "Asia/Shanghai", Lang: lang}
	r.store, r.org = db.People, org.ID
	must(t, db.People.CreateOrg(ctx, org))
	must(t, db.People.BindTenant(ctx, org.ID, platform, tenant))
	must(t, db.Feedback.SaveValues(ctx, people.Cause{OrgID: org.ID, At: r.now}, []feedback.Value{{Name: "团队协作", NameEn: "teamwork"}, {Name: "客户第一", NameEn: "customer first"}}))
	plan := people.Plan{}
	for i, s := range staff() {
		id := uuid.Must(uuid.NewV7())
		r.ids[s[0]] = id
		settings := people.DefaultSettings()
		plan.Create = append(plan.Create, people.Person{
			OrgID: org.ID, ID: id, EmployeeNo: fmt.Sprintf("E%02d", i+1), Name: s[1], NameEn: s[2], Department: []string{"总部", "研发部"}[i%2], Title: "工程师",
			ManagerID: r.ids[s[3]], Role: people.Role(s[4]), Lang: lang, Active: true, Settings: settings,
		})
		plan.Identities = append(plan.Identities, people.Identity{OrgID: org.ID, Platform: platform, ExternalID: "U" + s[0], PersonID: id, State: people.Confirmed, Kind: people.Member, Name: s[2]})
	}
	plan.Identities = append(plan.Identities,
		people.Identity{OrgID: org.ID, Platform: platform, ExternalID: "Ubot", State: people.Unclaimed, Kind: people.Bot, Name: "buildbot"},
		people.Identity{OrgID: org.ID, Platform: platform, ExternalID: "Uguest", State: people.Unclaimed, Kind: people.Guest, Name: "Visitor"},
		people.Identity{OrgID: org.ID, Platform: platform, ExternalID: "Unew", State: people.Unclaimed, Kind: people.Member, Name: "New One"},
	)
	must(t, db.People.Apply(ctx, people.Cause{OrgID: org.ID, At: r.now, Actor: people.Operator}, plan))
	catalog, err := i18n.Load()
	must(t, err)
	memory, err := redis.Open(ctx, "redis://"+r.redis.Addr())
	must(t, err)
	t.Cleanup(func() { _ = memory.Close() }) // the server goes with the test
	clock := func() time.Time { return r.now }
	cache := people.NewCache(db.People, clock)
	r.desk = dialog.New(dialog.Options{
		Orgs: db.People, People: cache, Accounts: &people.Service{Store: db.People},
		Feedback: &feedback.Service{Store: db.Feedback, NewID: func() uuid.UUID { return uuid.Must(uuid.NewV7()) }},
		Sessions: memory.Sessions, Catalog: catalog,
		Abilities: func(string) bot.Abilities {
			return bot.Abilities{Forms: true, Ephemeral: true, Update: true, Home: true, Channels: true, Slash: true, Picker: !r.listed}
		},
		PraiseChannel: func(string) string { return notice.ChannelOn(platform, "Cpraise") },
		Release: func(ctx context.Context, orgID, personID uuid.UUID) error {
			_, err := db.Deliveries.Release(ctx, orgID, personID, r.now)
			return err
		},
		Now: clock, NewID: func() uuid.UUID { return uuid.Must(uuid.NewV7()) }, Log: slog.New(failOnError{t}),
	})
	return r
}

// moves has everybody speak on another platform from now on, on which those named have an account.
func (r *room) moves(name string, handles ...string) {
	r.t.Helper()
	r.on = name
	must(r.t, r.store.BindTenant(r.ctx, r.org, name, tenant))
	var accounts []people.Identity
	for _, h := range handles {
		accounts = append(accounts, people.Identity{
			OrgID: r.org, Platform: name, ExternalID: "U" + h, PersonID: r.ids[h], State: people.Confirmed, Kind: people.Member,
		})
	}
	must(r.t, r.store.SaveIdentities(r.ctx, people.Cause{OrgID: r.org, At: r.now}, accounts))
	r.now = r.now.Add(time.Minute)
}

// lists has the platform list accounts that nobody knows yet.
func (r *room) lists(name string, seen ...people.AccountSeen) {
	r.t.Helper()
	dir, err := r.store.Load(r.ctx, r.org)
	must(r.t, err)
	service := &people.Service{Store: r.store}
	_, err = service.SyncAccounts(r.ctx, dir, people.Cause{OrgID: r.org, At: r.now}, name, seen)
	must(r.t, err)
	r.now = r.now.Add(time.Minute)
}

// failOnError fails the test at every error that is logged: what nobody expected is a failure.
type failOnError struct{ t *testing.T }

func (failOnError) Enabled(context.Context, slog.Level) bool { return true }
func (f failOnError) Handle(_ context.Context, r slog.Record) error {
	if r.Level >= slog.LevelError {
		f.t.Errorf("an error was logged: %s", r.Message)
		r.Attrs(func(a slog.Attr) bool { f.t.Log(a); return true })
	}
	return nil
}
func (f failOnError) WithAttrs([]slog.Attr) slog.Handler { return f }
func (f failOnError) WithGroup(string) slog.Handler      { return f }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// types is a person who types a slash command. @handle becomes a mention of that account.
func (r *room) types(who, typed string) {
	r.t.Helper()
	fmt.Fprintf(&r.transcript, "%s types: %s\n", who, shorten(typed))
	name, rest, _ := strings.Cut(strings.TrimPrefix(typed, "/"), " ")
	r.receive(who, bot.Event{Where: bot.Place{Kind: bot.Channel, Channel: "Cgeneral"}, Command: &bot.Command{Name: name, Parts: r.parts(rest)}})
}

// says is a person who writes plain words to the bot.
func (r *room) says(who, words string) {
	r.t.Helper()
	fmt.Fprintf(&r.transcript, "%s says: %s\n", who, shorten(words))
	r.receive(who, bot.Event{Where: bot.Place{Kind: bot.Direct}, Command: &bot.Command{Parts: r.parts(words)}})
}

// mentions is a person who mentions the bot in a channel.
func (r *room) mentions(who, words string) {
	r.t.Helper()
	fmt.Fprintf(&r.transcript, "%s mentions the bot in #general: %s\n", who, words)
	r.receive(who, bot.Event{Where: bot.Place{Kind: bot.Channel, Channel: "Cgeneral"}, Command: &bot.Command{Parts: r.parts(words)}})
}

func (r *room) parts(text string) []bot.Part {
	var parts []bot.Part
	for i, piece := range strings.Split(text, "@") {
		if i == 0 {
			parts = append(parts, bot.Part{Text: piece})
			continue
		}
		handle, rest, _ := strings.Cut(piece, " ")
		switch {
		case handle == "everyone":
			parts = append(parts, bot.Part{Mention: &bot.Mentioned{Label: "everyone", Group: true}}, bot.Part{Text: " " + rest})
		case handle == "bot" || handle == "guest" || handle == "new" || r.ids[handle] != uuid.Nil:
			parts = append(parts, bot.Part{Mention: &bot.Mentioned{User: "U" + handle, Label: handle}}, bot.Part{Text: " " + rest})
		default:
			parts = append(parts, bot.Part{Text: "@" + piece})
		}
	}
	return parts
}

// presses is a person who presses the button with that label (or that begins with it) on the last card they saw.
func (r *room) presses(who, label string) {
	r.t.Helper()
	fmt.Fprintf(&r.transcript, "%s presses: %s\n", who, label)
	for _, b := range cardtest.Buttons(r.cards[who]) {
		if strings.HasPrefix(b.Label, label) {
			r.receive(who, bot.Event{Where: bot.Place{Kind: bot.Direct}, Action: &bot.Action{Action: b.Action}})
			return
		}
	}
	r.t.Fatalf("%s sees no button %q on:\n%s", who, label, cardtest.Print(r.cards[who]))
}

// fills is a person who fills the form that was opened last; fields not named keep what they were shown with.
func (r *room) fills(who string, values card.Values) {
	r.t.Helper()
	f, ok := r.forms[who]
	if !ok {
		r.t.Fatalf("%s was shown no form", who)
	}
	all := card.Values{}
	for _, field := range f.Fields {
		switch field := field.(type) {
		case card.TextField:
			all[field.Name] = []string{field.Value}
		case card.PeopleField:
			all[field.Name] = field.Value
		case card.ChoiceField:
			all[field.Name] = field.Value
		case card.DateField:
			all[field.Name] = []string{field.Value}
		}
	}
	fmt.Fprintf(&r.transcript, "%s fills the form:", who)
	for _, field := range f.Fields {
		if v, ok := values[field.Key()]; ok {
			all[field.Key()] = v
			fmt.Fprintf(&r.transcript, " %s=%s", field.Key(), shorten(strings.Join(v, ",")))
		}
	}
	r.transcript.WriteString("\n")
	r.receive(who, bot.Event{Where: bot.Place{Kind: bot.Direct}, Form: &bot.Submission{Action: f.Action, Values: all}})
}

// opensHome is a look at the bot's home page.
func (r *room) opensHome(who string) {
	r.t.Helper()
	fmt.Fprintf(&r.transcript, "%s opens the home page\n", who)
	r.receive(who, bot.Event{Where: bot.Place{Kind: bot.Home}, Home: &bot.HomeOpened{}})
}

func (r *room) receive(who string, e bot.Event) {
	r.t.Helper()
	r.events++
	r.now = r.now.Add(time.Second)
	e.ID, e.Platform, e.Tenant, e.User, e.At = fmt.Sprintf("E%d", r.events), r.on, tenant, "U"+who, r.now
	reply, err := r.desk.Receive(r.ctx, e)
	if err != nil {
		r.t.Fatalf("answering %s: %v", who, err)
	}
	r.shows(who, reply)
}

func (r *room) shows(who string, reply bot.Reply) {
	for _, c := range []*card.Card{reply.Card, reply.Home} {
		if c != nil {
			r.cards[who] = *c
			r.write(who, cardtest.Print(*c))
		}
	}
	if reply.Form != nil {
		r.forms[who] = *reply.Form
		r.write(who, cardtest.PrintForm(*reply.Form))
	}
	for _, field := range slices.Sorted(maps.Keys(reply.Errors)) {
		r.write(who, fmt.Sprintf("[error] %s: %s\n", field, reply.Errors[field]))
	}
}

func (r *room) write(who, text string) {
	for line := range strings.Lines(text) {
		fmt.Fprintf(&r.transcript, "    %-5s| %s", who, line)
	}
}

// delivers sends what waits in the outbox, in the order in which it was written.
func (r *room) delivers() {
	r.t.Helper()
	rows, err := r.pool.Query(r.ctx, `delete from outbox where due_at <= $1 returning org_id, notice_id, kind, coalesce(person_id, '00000000-0000-0000-0000-000000000000'), channel, subject, due_at`, r.now)
	must(r.t, err)
	notices, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (n notice.Notice, err error) {
		return n, row.Scan(&n.OrgID, &n.ID, &n.Kind, &n.To, &n.Channel, &n.Subject, &n.Due)
	})
	must(r.t, err)
	slices.SortFunc(notices, func(a, b notice.Notice) int { return strings.Compare(a.ID.String(), b.ID.String()) })
	for _, n := range notices {
		if notice.Kinds()[n.Kind] == notice.Refresh {
			for _, s := range r.sent {
				if s.notice.Subject == n.Subject && s.notice.Due.Before(n.Due) && (n.To == uuid.Nil || n.To == s.notice.To) {
					r.writeNotice(s.notice, s.reader, " (redrawn)")
				}
			}
			continue
		}
		who := "#" + n.Channel
		for handle, id := range r.ids {
			if id == n.To {
				who = handle
			}
		}
		if r.writeNotice(n, who, "") {
			r.sent = append(r.sent, sent{n, who})
		}
	}
}

func (r *room) writeNotice(n notice.Notice, who, how string) bool {
	r.t.Helper()
	c, ok, err := r.desk.Notice(r.ctx, n)
	must(r.t, err)
	if !ok && (how == "" || c.Title == "") {
		return false
	}
	fmt.Fprintf(&r.transcript, "  %s → %s%s\n", n.Kind, who, how)
	if how == "" {
		r.cards[who] = c
	}
	r.write(who, cardtest.Print(c))
	return true
}

// golden compares the transcript with the file of that name.
func (r *room) golden(name string) {
	r.t.Helper()
	got := r.transcript.String()
	for _, id := range r.ids {
		got = strings.ReplaceAll(got, id.String(), "ID")
	}
	path := filepath.Join("testdata", name+"."+r.lang+".golden")
	if *update {
		must(r.t, os.MkdirAll("testdata", 0o755))
		must(r.t, os.WriteFile(path, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(path)
	must(r.t, err)
	if diff := cmp.Diff(string(want), got); diff != "" {
		r.t.Errorf("the conversation is another than in %s; when it should be, run go test ./bot/dialog -update and read the difference as a user would (-want +got):\n%s", path, diff)
	}
}

func shorten(s string) string {
	if r := []rune(s); len(r) > 90 {
		return string(r[:60]) + fmt.Sprintf("… (%d characters)", len(r))
	}
	return s
}
