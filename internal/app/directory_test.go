package app

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"huiyin/bot"
	"huiyin/bot/sim/dingtalksim"
	"huiyin/bot/sim/feishusim"
	"huiyin/internal/notice"
	"huiyin/internal/people"
	"huiyin/storage/embedded"
	"huiyin/storage/postgres"
	"huiyin/storage/postgres/pgtest"
)

// lark is a simulated Feishu whose directory the world's credentials may read.
func (w world) lark(t *testing.T) *feishusim.Server {
	t.Helper()
	sim := feishusim.New(feishusim.Options{AppID: "cli_1", AppSecret: "feishu-canary-9f", EncryptKey: "k", VerificationToken: "v", Clock: time.Now})
	vendor := httptest.NewServer(sim.Handler())
	t.Cleanup(func() {
		sim.Close()
		vendor.Close()
	})
	sim.SetBaseURL(vendor.URL)
	w.env["HUIYIN_FEISHU_APP_ID"], w.env["HUIYIN_FEISHU_APP_SECRET"], w.env["HUIYIN_FEISHU_BASE_URL"] = "cli_1", "feishu-canary-9f", vendor.URL
	return sim
}

func TestAnAccountWithSomebodysAddressIsNotTheirsByAnImport(t *testing.T) {
	w := newWorld(t)
	w.lark(t).AddPerson(feishusim.Person{OpenID: "ou_evil", Name: "某人", Email: "lin@example.com"})
	before := w.must(t, "", "export", "people")
	for _, args := range [][]string{{"--dry-run"}, {"--follow"}, nil} {
		out := w.must(t, "", append([]string{"import", "people", "--from", "feishu"}, args...)...)
		if !strings.Contains(out, "new 0, changed 0") || !strings.Contains(out, "某人 (ou_evil) has the address of 林知远 (E1)") {
			t.Errorf("an import %v says %q, want that the account waits", args, out)
		}
	}
	if after := w.must(t, "", "export", "people"); after != before {
		t.Errorf("an address changed people:\n%s", after)
	}
}

func TestADirectoryIsImportedLikeAFile(t *testing.T) {
	w := newWorld(t)
	sim := w.lark(t)
	sales := sim.AddDepartment(feishusim.Department{Name: "销售部"})
	east := sim.AddDepartment(feishusim.Department{Name: "华东", Parent: sales.ID})
	sim.AddPerson(feishusim.Person{OpenID: "ou_lin", Name: "林知远", Email: "lin@example.com", EmployeeNo: "E1", Mobile: "+8613800138001", Departments: []string{sales.ID}})
	sim.AddPerson(feishusim.Person{OpenID: "ou_mei", Name: "李梅", EnName: "Mei Li", JobTitle: "客户经理", Leader: "ou_lin", Departments: []string{east.ID}, JoinTime: 1704067200})
	sim.AddPerson(feishusim.Person{OpenID: "ou_left", Name: "离开者", Resigned: true})

	before := w.must(t, "", "export", "people")
	if out := w.must(t, "", "import", "people", "--from", "feishu", "--dry-run"); !strings.Contains(out, "new 1, changed 1, unchanged 0, accounts 2") {
		t.Errorf("a dry run says %q", out)
	}
	if after := w.must(t, "", "export", "people"); after != before {
		t.Errorf("a dry run changed something:\n%s", after)
	}
	if out := w.must(t, "", "import", "people", "--from", "feishu", "--follow"); !strings.Contains(out, "new 1, changed 1") || !strings.Contains(out, "follow the directory of feishu") {
		t.Errorf("an import says %q", out)
	}
	after := w.must(t, "", "export", "people")
	for _, want := range []string{"13800138001,销售部,", ",ou_lin,,yes", "ou_mei,李梅,\"Mei Li\",,,销售部/华东,E1,客户经理,employee,2024-01-01,,,,ou_mei,,yes"} {
		if !strings.Contains(after, want) {
			t.Errorf("the people do not have %q:\n%s", want, after)
		}
	}
	if out := w.must(t, "", "import", "people", "--from", "feishu"); !strings.Contains(out, "new 0, changed 0, unchanged 2, accounts 0") {
		t.Errorf("importing it again says %q, want that nothing changes", out)
	}
	if out := w.must(t, after, "import", "people", "-"); !strings.Contains(out, "follow the directory of feishu") {
		t.Errorf("a file for people who follow a directory is imported without a word about it: %q", out)
	}

	sim.ChangePerson("ou_lin", func(p *feishusim.Person) { p.Leader = "ou_mei" })
	for lang, want := range map[string]string{"en": "林知远 (ou_lin): the reporting line goes in a circle", "zh": "林知远 (ou_lin)：汇报关系"} {
		w.env["LANG"] = lang
		if got := run(t, w.env, "import", "people", "--from", "feishu"); got.code != 1 || !strings.Contains(got.err, want) {
			t.Errorf("a directory with a circle and LANG=%s: exit code %d, said %q, want %q in it", lang, got.code, got.err, want)
		}
	}
	w.env["LANG"] = "en"
	sim.ChangePerson("ou_lin", func(p *feishusim.Person) { p.Leader = "" })
	sim.ChangePerson("ou_mei", func(p *feishusim.Person) { p.Resigned = true })
	if out := w.must(t, "", "import", "people", "--from", "feishu", "--follow=false"); !strings.Contains(out, "becomes inactive") || !strings.Contains(out, "follow no directory any more") {
		t.Errorf("somebody left and an import says %q", out)
	}

	for _, c := range []struct {
		args []string
		want string
		code int
	}{
		{[]string{"--from", "slack"}, "No directory can be read from “slack”", 1},
		{[]string{"--from", "dingtalk"}, "No directory can be read from “dingtalk”", 1},
		{[]string{"--from", "feishu", "a.csv"}, "“a.csv” is one word too many", 2},
		{[]string{"--follow", "a.csv"}, "--follow goes with --from", 2},
	} {
		if got := run(t, w.env, append([]string{"import", "people"}, c.args...)...); got.code != c.code || !strings.Contains(got.err, c.want) {
			t.Errorf("import people %v: exit code %d, said %q, want %d and %q", c.args, got.code, got.err, c.code, c.want)
		}
	}
}

// staff is a platform that lists what it is given.
type staff struct {
	name string
	list []bot.Account
	err  error  // of a listing
	then func() // done after a listing
}

func (s *staff) Name() string { return s.name }

func (s *staff) Tenant(context.Context) (string, error) { return "T-" + s.name, nil }

func (s *staff) Accounts(_ context.Context, yield func([]bot.Account) error) error {
	if s.err != nil {
		return s.err
	}
	if s.then != nil {
		defer s.then()
	}
	return yield(s.list)
}

// follower lists a platform for a firm of its own, as serve does.
func follower(t *testing.T, from lister) (*accounts, *postgres.DB, *buffer) {
	t.Helper()
	db := postgres.New(pgtest.DB(t))
	org := people.Org{ID: newID(), TimeZone: "Asia/Shanghai", Lang: "zh-CN"}
	if err := db.People.CreateOrg(t.Context(), org); err != nil {
		t.Fatal(err)
	}
	said := &buffer{}
	a := &App{
		org: org, db: db, log: slog.New(slog.NewJSONHandler(said, nil)), now: time.Now, service: &people.Service{Store: db.People}, cache: people.NewCache(db.People, time.Now),
	}
	return newAccounts(a, from), db, said
}

func TestAListingThatIsNotMadeSaysNothingOfPeople(t *testing.T) {
	from := &staff{name: "dingtalk", list: []bot.Account{{ID: "a", Name: "甲", Kind: bot.Member}, {ID: "b", Name: "乙", Kind: bot.Member}}}
	s, db, said := follower(t, from)
	ctx := t.Context()
	at := time.Now().UTC().Truncate(time.Second)
	s.now = func() time.Time { return at }
	if err := db.People.SaveFollowing(ctx, people.Following{OrgID: s.org.ID, Platform: "dingtalk", Since: at}); err != nil {
		t.Fatal(err)
	}
	want := func(when string, count int, tried time.Time) {
		t.Helper()
		dir, err := s.cache.Refresh(ctx, s.org.ID)
		if err != nil {
			t.Fatal(err)
		}
		f, err := db.People.Following(ctx, s.org.ID)
		if n := len(dir.People()); err != nil || n != count || !f.TriedAt.Equal(tried) {
			t.Errorf("%s there are %d people, read at %v (%v); want %d and %v", when, n, f.TriedAt, err, count, tried)
		}
	}
	// It is listed, and while that is taken over the database goes away.
	broken, end := context.WithCancel(ctx)
	from.then = end
	if err := s.list(broken); err == nil {
		t.Fatal("a listing that is not taken over is none")
	}
	from.err = fmt.Errorf("asking: %w", bot.ErrNotYet)
	want("before", 0, time.Time{})
	if err := s.list(ctx); err != nil {
		t.Errorf("taking over what was listed gives %v", err)
	}
	want("after what was listed was taken over", 2, at)

	s.changed(ctx, bot.Account{ID: "c", Name: "丙", Kind: bot.Member}) // another process hears of it as well
	first := at
	at = at.Add(time.Minute)
	if err := s.list(ctx); err != nil {
		t.Errorf("that it is too early to list is the error %v", err)
	}
	want("when it is too early to list again", 3, first)
	if log := said.String(); strings.Contains(log, `"level":"WARN"`) || strings.Count(log, "accounts listed") != 1 {
		t.Errorf("that it is too early to list again is told:\n%s", log)
	}

	from.err = nil
	broken, end = context.WithCancel(ctx)
	from.then = end
	if err := s.list(broken); err == nil {
		t.Fatal("a listing that is not taken over is none")
	}
	from.err, at = bot.ErrNotYet, at.Add(untakenFor+time.Minute)
	if err := s.list(ctx); err != nil {
		t.Errorf("a listing that is too old by now gives %v", err)
	}
	want("when what was listed is too old", 3, first)
}

func TestCallsOfAnImportCountAndWhatItAskedForIsKept(t *testing.T) {
	w := newWorld(t)
	sim := dingtalksim.New(dingtalksim.Options{ClientID: "dinghuiyin01", ClientSecret: "dingtalk-canary-9f", Clock: time.Now, Limits: dingtalksim.Limits{Off: true}})
	firm := sim.Handler()
	var mu sync.Mutex
	made := map[string]int{}
	vendor := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		made[r.URL.Path]++
		mu.Unlock()
		firm.ServeHTTP(rw, r)
	}))
	t.Cleanup(func() {
		sim.Close()
		vendor.Close()
	})
	sim.SetBaseURL(vendor.URL)
	for i := range 3 {
		sim.AddPerson(dingtalksim.Person{UserID: fmt.Sprintf("staff%d", i), Name: fmt.Sprintf("某%d", i), JobNumber: fmt.Sprintf("D%d", i)})
	}
	memory, err := embedded.StartRedis(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(memory.Stop)
	maps.Copy(w.env, map[string]string{
		"HUIYIN_DINGTALK_CLIENT_ID": "dinghuiyin01", "HUIYIN_DINGTALK_CLIENT_SECRET": "dingtalk-canary-9f",
		"HUIYIN_DINGTALK_API_URL": vendor.URL, "HUIYIN_DINGTALK_OAPI_URL": vendor.URL, "HUIYIN_REDIS_URL": memory.URL(),
	})
	asked := func() (single, counted int) {
		mu.Lock()
		defer mu.Unlock()
		for path, n := range made {
			if !strings.HasSuffix(path, "/accessToken") { // a token is no call of the quota
				counted += n
			}
		}
		return made["/topapi/v2/user/get"], counted
	}
	w.must(t, "", "import", "people", "--from", "dingtalk")
	first, _ := asked()
	w.must(t, "", "import", "people", "--from", "dingtalk", "--dry-run")
	single, counted := asked()
	if first < 3 || single != first {
		t.Errorf("the first import asks for %d managers and the second for %d more; want each of three and none", first, single-first)
	}
	db, err := postgres.Open(t.Context(), w.env["HUIYIN_DATABASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	org, err := onlyOrg(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation(org.TimeZone)
	if err != nil {
		t.Fatal(err)
	}
	if used, err := db.Quotas.Used(t.Context(), org.ID, "dingtalk", time.Now().In(zone)); err != nil || used != int64(counted) {
		t.Errorf("two imports made %d calls with a token, and %d are counted (%v)", counted, used, err)
	}
}

func TestPeopleFollowADirectoryUntilItDoesNotFit(t *testing.T) {
	from := &staff{name: "feishu"}
	for i := range 10 {
		from.list = append(from.list, bot.Account{ID: fmt.Sprintf("ou_%d", i), Name: fmt.Sprintf("某%d", i), EmployeeNo: fmt.Sprintf("E%d", i), Kind: bot.Member, Manager: "ou_0"})
	}
	s, db, said := follower(t, from)
	ctx := t.Context()
	active := func() int {
		t.Helper()
		dir, err := s.cache.Refresh(ctx, s.org.ID)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, p := range dir.People() {
			if p.Active {
				n++
			}
		}
		return n
	}
	list := func(want int, refused people.Refusal, amount int) {
		t.Helper()
		if err := s.list(ctx); err != nil {
			t.Fatal(err)
		}
		f, err := db.People.Following(ctx, s.org.ID)
		if got := active(); err != nil || got != want || f.Refused != refused || f.Amount != amount {
			t.Errorf("%d are active and refused is %q (%d), %v; want %d and %q (%d)", got, f.Refused, f.Amount, err, want, refused, amount)
		}
	}
	all := from.list
	list(0, "", 0) // nobody said that people should come from here
	if err := db.People.SaveFollowing(ctx, people.Following{OrgID: s.org.ID, Platform: "feishu", Since: time.Now()}); err != nil {
		t.Fatal(err)
	}
	list(10, people.Taken, 0)
	from.list = all[:7]
	list(10, people.TooManyLeave, 3)
	from.list = all[:8]
	list(8, people.Taken, 0)
	from.list = all[:7] // one of eight
	list(7, people.Taken, 0)
	from.list = append([]bot.Account{{ID: "ou_0", Name: "某0", EmployeeNo: "E0", Kind: bot.Member, Manager: "ou_1"}}, all[1:]...)
	list(7, people.RowsUnfit, 1)
	if log := said.String(); !strings.Contains(log, `"account":"ou_0","column":"manager","problem":"people.problem.cycle"`) || strings.Contains(log, "某0") {
		t.Errorf("the log has to name the account that does not fit, and nobody:\n%s", log)
	}
	from.list = all
	list(10, people.Taken, 0) // who is there again works here again

	s.changed(ctx, bot.Account{ID: "ou_10", Name: "新来的", Kind: bot.Member, Manager: "ou_3"})
	s.changed(ctx, bot.Account{ID: "ou_9", Name: "某9", EmployeeNo: "E9", Kind: bot.Gone})
	s.changed(ctx, bot.Account{ID: "ou_0", Name: "某0", EmployeeNo: "E0", Kind: bot.Member, Manager: "ou_3"}) // a circle
	dir, err := s.cache.Refresh(ctx, s.org.ID)
	if err != nil {
		t.Fatal(err)
	}
	newcomer, _ := dir.ByEmployeeNo("ou_10")
	above, _ := dir.Person(newcomer.ManagerID)
	boss, _ := dir.ByEmployeeNo("E0")
	if above.EmployeeNo != "E3" || active() != 10 || len(dir.Managers(boss.ID)) != 0 {
		t.Errorf("after three changes %s is above the newcomer, %d are active and %d above the boss; want E3, 10 and none", above.EmployeeNo, active(), len(dir.Managers(boss.ID)))
	}
	if f, err := db.People.Following(ctx, s.org.ID); err != nil || f.Refused != people.Taken {
		t.Errorf("one account that does not fit says of the whole directory %q (%v)", f.Refused, err)
	}
}

func TestTheDoctorSaysInSentencesWhatIsWrongWithPlatformsAndDirectories(t *testing.T) {
	w := newWorld(t)
	sim := w.lark(t)
	sim.AddPerson(feishusim.Person{OpenID: "ou_mei", Name: "李梅", EmployeeNo: "E4"})
	w.must(t, "", "import", "people", "--from", "feishu", "--follow")
	db, err := postgres.Open(t.Context(), w.env["HUIYIN_DATABASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	orgs, err := db.People.Orgs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen := func() string {
		t.Helper()
		got := run(t, w.env, "doctor")
		return got.out + got.err
	}
	if out := seen(); !strings.Contains(out, "OK  feishu: organisation 2f0huiyin000000") || !strings.Contains(out, "OK  people: follow the directory of feishu") || !strings.Contains(out, "--  dingtalk: off") {
		t.Errorf("of a sound platform the doctor says:\n%s", out)
	}
	f := people.Following{OrgID: orgs[0].ID, Platform: "feishu", TriedAt: time.Now(), Refused: people.TooManyLeave, Amount: 7}
	for _, c := range []struct {
		change func()
		want   string
	}{
		{func() {}, "!!  people: the directory of feishu is not taken over, 7 people would become inactive at once"},
		{func() { f.Refused, f.Amount = people.RowsUnfit, 2 }, "!!  people: the directory of feishu is not taken over, 2 rows do not fit"},
		{func() { f.Refused, f.TriedAt = people.Taken, time.Now().Add(-30*time.Hour) }, "!!  people: the directory of feishu was last read 30 hours ago"},
	} {
		c.change()
		if err := db.People.TriedFollowing(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		if out := seen(); !strings.Contains(out, c.want) || !strings.Contains(out, "feishu --dry-run") && f.Refused != people.Taken {
			t.Errorf("the doctor does not say %q:\n%s", c.want, out)
		}
	}
	dead := notice.Notice{OrgID: orgs[0].ID, ID: newID(), Kind: notice.PraiseReceived, Subject: newID(), Due: time.Now()}
	for _, c := range []struct{ stored, want string }{
		{"not_found: slack.recipient", "This account or channel cannot be reached in Slack. (not_found: slack.recipient)"}, {"unknown_outcome", "it may have arrived"}, {"internal", "a mistake of the program"},
	} {
		if err := db.Deliveries.SaveDelivery(t.Context(), notice.Delivery{Notice: dead, State: notice.Dead, Fault: c.stored}); err != nil {
			t.Fatal(err)
		}
		if out := seen(); !strings.Contains(out, dead.ID.String()+": ") || !strings.Contains(out[strings.Index(out, dead.ID.String()):], c.want) {
			t.Errorf("of a delivery that failed with %q the doctor does not say %q:\n%s", c.stored, c.want, out)
		}
	}
	w.env["HUIYIN_FEISHU_APP_SECRET"] = "wrong"
	out := seen()
	at := strings.Index(out, "!!  feishu: ")
	if at < 0 || strings.Contains(out[at:at+40], "feishu: feishu.") {
		t.Errorf("with a wrong secret the doctor says:\n%s", out)
	}
}

// feishuSees waits until somebody can see a message of the bot in Feishu that contains the words.
func feishuSees(t *testing.T, sim *feishusim.Server, who, words string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	changes := sim.Subscribe(ctx)
	for {
		for _, m := range sim.MessagesFor(who) {
			if m.SenderType == "app" && strings.Contains(m.Content, words) {
				return
			}
		}
		select {
		case <-changes:
		case <-ctx.Done():
			t.Fatalf("%s never saw %q in Feishu, but %+v", who, words, sim.MessagesFor(who))
		}
	}
}

func TestPraiseGivenOnOnePlatformReachesWhoeverLivesOnAnother(t *testing.T) {
	w := newWorld(t)
	sim := w.lark(t)
	sim.AddPerson(feishusim.Person{OpenID: "ou_kai", Name: "王凯", EmployeeNo: "E2"})
	sim.AddPerson(feishusim.Person{OpenID: "ou_mei", Name: "李梅", EmployeeNo: "E4"})
	w.must(t, "", "import", "people", "--from", "feishu")
	w.env["HUIYIN_FEISHU_MODE"], w.env["HUIYIN_FEISHU_ENCRYPT_KEY"], w.env["HUIYIN_FEISHU_VERIFICATION_TOKEN"] = "webhook", "k", "v"
	s := w.serve(t)
	sim.SetBotURL(s.base)
	praise := func(typed string) {
		t.Helper()
		ack, err := w.sim.Slash("U1", w.sim.DM("U1"), "/praise", typed)
		if err != nil || ack.Error != "" || ack.Status != 200 {
			t.Fatalf("the command was not taken: %+v, %v\n%s", ack, err, s.log)
		}
	}
	praise("李梅 谢谢你帮忙 one")
	feishuSees(t, sim, "ou_mei", "谢谢你帮忙 one")
	if _, err := w.sim.Slash("U2", w.sim.DM("U2"), "/help", ""); err != nil {
		t.Fatal(err)
	}
	praise("@kai @李梅 to both two")
	w.kaiSees(t, "to both two")
	feishuSees(t, sim, "ou_mei", "to both two")

	if _, ack, err := sim.Say("ou_kai", sim.P2P("ou_kai"), "帮助"); err != nil || ack.Error != "" {
		t.Fatalf("Kai cannot write in Feishu: %+v %v\n%s", ack, err, s.log)
	}
	feishuSees(t, sim, "ou_kai", "What I can do")
	praise("@kai where you are three")
	feishuSees(t, sim, "ou_kai", "where you are three")
	for _, m := range w.sim.MessagesFor("U2") {
		if strings.Contains(m.Text+string(m.Blocks), "where you are three") {
			t.Errorf("Kai, who was seen in Feishu last, got it in Slack as well")
		}
	}
}
