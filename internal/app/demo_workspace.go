package app

import (
	"cmp"
	"context"
	"crypto/rand"
	_ "embed" // the card template
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"huiyin/bot/dialog"
	"huiyin/bot/dingtalk"
	"huiyin/bot/feishu"
	"huiyin/bot/sim/chat"
	"huiyin/bot/sim/dingtalksim"
	"huiyin/bot/sim/feishusim"
	"huiyin/bot/sim/slacksim"
	"huiyin/bot/slack"
	"huiyin/internal/i18n"
	"huiyin/internal/people"
)

// Channels of the simulated platforms: where praise is posted, and one for everybody.
const (
	praiseChannel  = "C0PRAISE01"
	generalChannel = "C0GENERAL1"

	feishuPraise  = "oc_demo000000000000000000000praise"
	feishuGeneral = "oc_demo00000000000000000000general"

	dingPraise   = "cidDemoPraise0000000000=="
	dingGeneral  = "cidDemoGeneral000000000=="
	dingTemplate = "0c4f7d52-demo-4a1e-9c61-huiyin000001.schema"
)

//go:embed demo/card-template.json
var dingCard []byte

// workspace is a simulated Slack, Feishu and DingTalk, and the page on which one plays everybody in them.
type workspace struct {
	sim      *slacksim.Server
	feishu   *feishusim.Server
	ding     *dingtalksim.Server
	page     net.Listener // of the chat page, and of Slack
	vendors  map[string]net.Listener
	servers  []*http.Server
	settings map[string]string // by which the bot finds all of it
	tell     sync.Mutex        // one at a time says where people are
}

// openWorkspace makes an empty one. It listens at once, so that the bot can be told its addresses, and answers when serve is called.
func (s *stage) openWorkspace(ctx context.Context, bot string) (*workspace, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", neighbour(bot))
	if err != nil { // somebody has that port: any other will do
		if l, err = listen(ctx, "127.0.0.1:0"); err != nil {
			return nil, err
		}
	}
	w := &workspace{page: l, vendors: map[string]net.Listener{}}
	for _, name := range []string{feishu.Name, dingtalk.Name} {
		if w.vendors[name], err = listen(ctx, "127.0.0.1:0"); err != nil {
			w.close()
			return nil, err
		}
	}
	secret, token := rand.Text(), "xoxb-"+rand.Text()
	w.sim = slacksim.New(slacksim.Options{
		Team:          slacksim.Team{ID: "T0HUIYIN01", Name: s.say.T("cli.demo.firm"), Domain: "demo"},
		SigningSecret: secret, BotToken: token, BotName: s.say.T("cli.demo.bot"), BaseURL: w.url(), Commands: s.slackCommands(), Clock: s.now,
	})
	app, key := rand.Text(), rand.Text()
	w.feishu = feishusim.New(feishusim.Options{
		AppID: "cli_demo", AppSecret: app, EncryptKey: key, VerificationToken: key, BotName: s.say.T("cli.demo.bot"), BaseURL: w.at(feishu.Name),
		Mode: feishusim.Stream, Clock: s.now,
	})
	client := rand.Text()
	template, err := dingtalksim.ParseTemplate(dingCard)
	if err != nil {
		w.close()
		return nil, fmt.Errorf("reading the card template: %w", err)
	}
	template.ID = dingTemplate
	w.ding = dingtalksim.New(dingtalksim.Options{
		ClientID: "dingdemo", ClientSecret: client, BotName: s.say.T("cli.demo.bot"), BaseURL: w.at(dingtalk.Name), Mode: dingtalksim.Stream,
		Templates: []dingtalksim.Template{template}, Clock: s.now,
	})
	w.settings = map[string]string{
		"HUIYIN_SLACK_SIGNING_SECRET": secret, "HUIYIN_SLACK_BOT_TOKEN": token, "HUIYIN_SLACK_API_URL": w.sim.APIURL(),
		"HUIYIN_SLACK_PRAISE_CHANNEL": praiseChannel,
		"HUIYIN_FEISHU_APP_ID":        "cli_demo", "HUIYIN_FEISHU_APP_SECRET": app, "HUIYIN_FEISHU_BASE_URL": w.at(feishu.Name),
		"HUIYIN_FEISHU_PRAISE_CHANNEL": feishuPraise,
		"HUIYIN_DINGTALK_CLIENT_ID":    "dingdemo", "HUIYIN_DINGTALK_CLIENT_SECRET": client, "HUIYIN_DINGTALK_API_URL": w.at(dingtalk.Name),
		"HUIYIN_DINGTALK_OAPI_URL": w.at(dingtalk.Name), "HUIYIN_DINGTALK_CARD_TEMPLATE_ID": dingTemplate, "HUIYIN_DINGTALK_PRAISE_CHANNEL": dingPraise,
	}
	return w, nil
}

func (s *stage) slackCommands() []slacksim.Command {
	var commands []slacksim.Command
	for _, m := range slashCommands(s.say) {
		commands = append(commands, slacksim.Command{Name: "/" + m.Name, Description: m.Summary, UsageHint: m.Usage})
	}
	return commands
}

func (w *workspace) url() string { return "http://" + w.page.Addr().String() }

// at is where a vendor other than Slack answers.
func (w *workspace) at(platform string) string {
	return "http://" + w.vendors[platform].Addr().String()
}

// close ends what is left. The simulators are closed before, by what fill gave.
func (w *workspace) close() {
	for _, server := range w.servers {
		_ = server.Close() // whoever watched is gone
	}
	if len(w.servers) > 0 {
		return
	}
	w.quit()
	_ = w.page.Close() // nobody was told the address
	for _, l := range w.vendors {
		if l != nil {
			_ = l.Close() // likewise
		}
	}
}

// quit closes the simulators.
func (w *workspace) quit() {
	if w.sim != nil {
		w.sim.Close()
	}
	if w.feishu != nil {
		w.feishu.Close()
	}
	if w.ding != nil {
		w.ding.Close()
	}
}

// populate makes everybody of the directory a member of every platform, under the ids that the directory knows, and adds accounts of
// Slack that are nobody's.
func (w *workspace) populate(dir *people.Directory, others []account) {
	members := []string{w.sim.BotUser()}
	for _, i := range dir.Identities(slack.Name) {
		p, ok := dir.Person(i.PersonID)
		if !ok || i.State != people.Confirmed {
			continue
		}
		at := slacksim.Person{
			ID: i.ExternalID, Handle: handle(p.Email), RealName: named(dir, p), DisplayName: named(dir, p), Email: p.Email, Title: p.Title,
			TZ: dir.Location(p).String(), Locale: locale(dir.Language(p)), IsAdmin: p.Role == people.Admin, Deleted: !p.Active,
		}
		w.sim.AddPerson(at)
		if p.Active {
			members = append(members, i.ExternalID)
		}
	}
	for _, o := range others {
		at := slacksim.Person{ID: o.id, Handle: handle(o.email), RealName: o.name, DisplayName: o.name, Email: o.email}
		at.IsBot, at.Restricted = o.kind == "bot", o.kind == "guest"
		if at.IsBot {
			at.Handle = o.name
		}
		w.sim.AddPerson(at)
		if o.kind == "member" {
			members = append(members, o.id)
		}
	}
	w.sim.AddChannel(slacksim.Channel{ID: praiseChannel, Name: "praise", Members: members})
	w.sim.AddChannel(slacksim.Channel{ID: generalChannel, Name: "general", Members: members})
	w.populateFeishu(dir)
	w.populateDingTalk(dir)
}

func (w *workspace) populateFeishu(dir *people.Directory) {
	_, robot := w.feishu.Bot()
	members := []string{robot}
	departments := map[string]string{}
	for _, p := range dir.People() {
		i, ok := dir.IdentityOf(p.ID, feishu.Name)
		if !ok {
			continue
		}
		at := feishusim.Person{
			OpenID: i.ExternalID, Name: p.Name, EnName: p.NameEn, Handle: handle(p.Email), Email: p.Email, EmployeeNo: p.EmployeeNo, JobTitle: p.Title,
			Locale: "zh_cn", Resigned: !p.Active,
		}
		if dir.Language(p) != i18n.Chinese {
			at.Locale = "en_us"
		}
		if boss, ok := dir.IdentityOf(p.ManagerID, feishu.Name); ok {
			at.Leader = boss.ExternalID
		}
		if id := w.feishuDepartment(departments, p.Department); id != "" {
			at.Departments = []string{id}
		}
		w.feishu.AddPerson(at)
		if p.Active {
			members = append(members, i.ExternalID)
		}
	}
	w.feishu.AddChat(feishusim.Chat{ID: feishuPraise, Name: "表扬 Praise", Members: members})
	w.feishu.AddChat(feishusim.Chat{ID: feishuGeneral, Name: "全员 All hands", Members: members})
}

// feishuDepartment makes a department with those above it.
func (w *workspace) feishuDepartment(known map[string]string, path string) string {
	if path == "" || known[path] != "" {
		return known[path]
	}
	above, name := "", path
	if cut := strings.LastIndex(path, "/"); cut >= 0 {
		above, name = path[:cut], path[cut+1:]
	}
	known[path] = w.feishu.AddDepartment(feishusim.Department{Name: name, Parent: w.feishuDepartment(known, above)}).ID
	return known[path]
}

func (w *workspace) populateDingTalk(dir *people.Directory) {
	_, robot := w.ding.Bot()
	members := []string{robot}
	departments := map[string]int64{}
	for _, p := range dir.People() {
		i, ok := dir.IdentityOf(p.ID, dingtalk.Name)
		if !ok {
			continue
		}
		at := dingtalksim.Person{
			UserID: i.ExternalID, Name: named(dir, p), EnName: p.NameEn, Handle: handle(p.Email), Email: p.Email, JobNumber: p.EmployeeNo, Title: p.Title, Left: !p.Active,
		}
		if boss, ok := dir.IdentityOf(p.ManagerID, dingtalk.Name); ok {
			at.Manager = boss.ExternalID
		}
		if id := w.dingDepartment(departments, p.Department); id != 0 {
			at.DeptIDs = []int64{id}
		}
		w.ding.AddPerson(at)
		if p.Active {
			members = append(members, i.ExternalID)
		}
	}
	w.ding.AddChat(dingtalksim.Chat{ID: dingPraise, Name: "表扬 Praise", Members: members})
	w.ding.AddChat(dingtalksim.Chat{ID: dingGeneral, Name: "全员 All hands", Members: members})
}

func (w *workspace) dingDepartment(known map[string]int64, path string) int64 {
	if path == "" || known[path] != 0 {
		return known[path]
	}
	above, name := "", path
	if cut := strings.LastIndex(path, "/"); cut >= 0 {
		above, name = path[:cut], path[cut+1:]
	}
	known[path] = w.ding.AddDepartment(dingtalksim.Department{Name: name, Parent: w.dingDepartment(known, above)}).ID
	return known[path]
}

// named is a person's name in their own language.
func named(dir *people.Directory, p people.Person) string {
	if dir.Language(p) != i18n.Chinese && p.NameEn != "" {
		return p.NameEn
	}
	return p.Name
}

// handle is what stands before the @ of an address.
func handle(email string) string {
	name, _, _ := strings.Cut(email, "@")
	return name
}

// locale is a language as Slack writes it.
func locale(lang string) string {
	if lang == i18n.Chinese {
		return "zh-CN"
	}
	return "en-US"
}

// serve answers the bot and the browser, on addresses of the loopback interface.
func (w *workspace) serve(ctx context.Context, s *stage, a *App, dir *people.Directory) {
	mux := http.NewServeMux()
	for _, path := range []string{"/api/", "/upload/", "/commands/", "/actions/", "/link/", "/_sim/"} {
		mux.Handle(path, w.sim.Handler())
	}
	mux.Handle("/", chat.New(chat.Options{
		Sim: w.sim, Feishu: w.feishu, DingTalk: w.ding, Catalog: s.catalog, Title: s.say.T("cli.demo.firm"), Commands: hints(s.catalog), Profiles: profiles(dir),
		FeishuMenu: menu(s.catalog), Watched: func(tab string, accounts []chat.Watched) { w.gather(ctx, s, a, tab, accounts) },
		Move: func(d time.Duration) {
			s.clock.ahead.Add(int64(d))
			w.sim.Advance(d)
			w.feishu.Advance(d)
			w.ding.Advance(d)
			if err := a.Tick(ctx); err != nil {
				fmt.Fprintln(s.err, s.say.T("cli.error", "Error", err.Error()))
			}
		},
	}))
	w.answer(w.page, mux)
	w.answer(w.vendors[feishu.Name], w.feishu.Handler())
	w.answer(w.vendors[dingtalk.Name], w.ding.Handler()) //nolint:contextcheck // the simulator lives by a context of its own
}

// answer serves on a listener. Event streams last as long as somebody looks, so there are no limits of time. It listens to this machine alone.
func (w *workspace) answer(l net.Listener, h http.Handler) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: headerTimeout}
	w.servers = append(w.servers, server)
	go func() { _ = server.Serve(l) }() // it ends when it is closed
}

// gather brings everybody to the platform that is looked at, as if they had used it last, so that what is said to them is seen there;
// those who are watched elsewhere are there.
func (w *workspace) gather(ctx context.Context, s *stage, a *App, tab string, accounts []chat.Watched) {
	w.tell.Lock()
	defer w.tell.Unlock()
	dir, err := a.cache.Get(ctx, a.org.ID)
	if err != nil {
		return // nobody is told anything while the database is away
	}
	elsewhere := map[uuid.UUID]string{}
	for _, at := range accounts {
		if i, who, ok := dir.ByIdentity(at.Platform, at.User); ok && i.State == people.Confirmed {
			elsewhere[who.ID] = at.Platform
		}
	}
	for _, p := range dir.People() {
		on := cmp.Or(elsewhere[p.ID], tab)
		if _, has := dir.IdentityOf(p.ID, on); !has {
			continue
		}
		if err := a.service.Use(ctx, dir, people.Cause{OrgID: a.org.ID, Actor: p.ID, At: s.clock.Now()}, on); err != nil {
			return // likewise
		}
	}
}

// menu is the bot's menu in Feishu, as its console would have it.
func menu(catalog *i18n.Catalog) []chat.MenuItem {
	var out []chat.MenuItem
	for _, key := range []string{dialog.Root, "praise", "feedback", "help"} {
		item := chat.MenuItem{Key: key, Label: map[string]string{}}
		for _, lang := range i18n.Languages() {
			say := catalog.In(lang)
			for _, c := range dialog.Commands() {
				if c.Name == key {
					item.Label[lang] = say.T(c.Key + ".start")
				}
			}
			if key == dialog.Root {
				item.Label[lang] = say.T("cli.demo.home")
			}
		}
		out = append(out, item)
	}
	return out
}

// hints are the commands as the composer of the page offers them, in both languages.
func hints(catalog *i18n.Catalog) []chat.CommandHint {
	var out []chat.CommandHint
	aliases := map[string][]string{}
	for _, c := range dialog.Commands() {
		aliases[c.Name] = c.Aliases
	}
	for i, c := range slashCommands(catalog.In(i18n.English)) {
		h := chat.CommandHint{Name: "/" + c.Name, Aliases: aliases[c.Name], Usage: map[string]string{}, Summary: map[string]string{}}
		for _, lang := range i18n.Languages() {
			in := slashCommands(catalog.In(lang))[i]
			h.Usage[lang], h.Summary[lang] = in.Usage, in.Summary
		}
		out = append(out, h)
	}
	return out
}

// profiles are what the page tells of people beside their accounts.
func profiles(dir *people.Directory) []chat.Profile {
	var out []chat.Profile
	for _, platform := range []string{slack.Name, feishu.Name, dingtalk.Name} {
		for _, p := range dir.People() {
			i, ok := dir.IdentityOf(p.ID, platform)
			if !ok {
				continue
			}
			at := chat.Profile{
				Platform: platform, Person: p.ID.String(), User: i.ExternalID, OtherName: p.NameEn, Department: p.Department, HR: p.Role == people.HR,
				Words: []string{p.EmployeeNo},
			}
			if named(dir, p) == p.NameEn && platform != feishu.Name {
				at.OtherName = p.Name
			}
			if boss, ok := dir.IdentityOf(p.ManagerID, platform); ok {
				at.Boss = boss.ExternalID
			}
			out = append(out, at)
		}
	}
	return out
}
