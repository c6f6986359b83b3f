package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"huiyin/bot/dialog"
	"huiyin/bot/sim/chat"
	"huiyin/bot/sim/slacksim"
	"huiyin/bot/slack"
	"huiyin/internal/i18n"
	"huiyin/internal/people"
)

// praiseChannel is the id of the channel of the simulated workspace where praise is posted.
const praiseChannel = "C0PRAISE01"

// workspace is a simulated Slack and the page on which one plays everybody in it.
type workspace struct {
	sim                     *slacksim.Server
	listener                net.Listener
	server                  *http.Server
	signingSecret, botToken string
}

// openWorkspace makes an empty one. It listens at once, so that the bot can be told its address, and answers when serve is called.
func (s *stage) openWorkspace(ctx context.Context, bot string) (*workspace, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", neighbour(bot))
	if err != nil { // somebody has that port: any other will do
		if l, err = listen(ctx, "127.0.0.1:0"); err != nil {
			return nil, err
		}
	}
	w := &workspace{listener: l, signingSecret: rand.Text(), botToken: "xoxb-" + rand.Text()}
	var commands []slacksim.Command
	for _, m := range slashCommands(s.say) {
		commands = append(commands, slacksim.Command{Name: "/" + m.Name, Description: m.Summary, UsageHint: m.Usage})
	}
	w.sim = slacksim.New(slacksim.Options{
		Team:          slacksim.Team{ID: "T0HUIYIN01", Name: s.say.T("cli.demo.firm"), Domain: "demo"},
		SigningSecret: w.signingSecret, BotToken: w.botToken, BaseURL: w.url(), Commands: commands, Clock: s.now,
	})
	return w, nil
}

func (w *workspace) url() string { return "http://" + w.listener.Addr().String() }

// close ends what is left. The simulator is closed before, by what fill gave.
func (w *workspace) close() {
	if w.server != nil {
		_ = w.server.Close() // whoever watched is gone
		return
	}
	w.sim.Close()
	_ = w.listener.Close() // nobody was told the address
}

// populate makes everybody of the directory a member, under the ids that the directory knows, and adds accounts that are nobody's.
func (w *workspace) populate(dir *people.Directory, others []account) {
	members := []string{w.sim.BotUser()}
	for _, i := range dir.Identities(slack.Name) {
		p, ok := dir.Person(i.PersonID)
		if !ok || i.State != people.Confirmed {
			continue
		}
		at := slacksim.Person{
			ID: i.ExternalID, Handle: handle(p.Email), RealName: p.Name, DisplayName: p.Name, Email: p.Email, Title: p.Title,
			TZ: dir.Location(p).String(), Locale: locale(dir.Language(p)), IsAdmin: p.Role == people.Admin, Deleted: !p.Active,
		}
		if dir.Language(p) != i18n.Chinese {
			at.RealName, at.DisplayName = p.NameEn, p.NameEn
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
	w.sim.AddChannel(slacksim.Channel{ID: "C0GENERAL1", Name: "general", Members: members})
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

// serve answers the bot and the browser, on one address of the loopback interface.
func (w *workspace) serve(ctx context.Context, s *stage, a *App, dir *people.Directory) {
	mux := http.NewServeMux()
	for _, path := range []string{"/api/", "/upload/", "/commands/", "/actions/", "/link/", "/_sim/"} {
		mux.Handle(path, w.sim.Handler())
	}
	mux.Handle("/", chat.New(chat.Options{
		Sim: w.sim, Catalog: s.catalog, Title: s.say.T("cli.demo.firm"), Commands: hints(s.catalog), Profiles: profiles(dir),
		Move: func(d time.Duration) {
			s.clock.ahead.Add(int64(d))
			w.sim.Advance(d)
			if err := a.Tick(ctx); err != nil {
				fmt.Fprintln(s.err, s.say.T("cli.error", "Error", err.Error()))
			}
		},
	}))
	// Event streams last as long as somebody looks, so this server has no limits of time. It listens to this machine alone.
	w.server = &http.Server{Handler: mux, ReadHeaderTimeout: headerTimeout}
	go func() { _ = w.server.Serve(w.listener) }() // it ends when it is closed
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
	for _, p := range dir.People() {
		i, ok := dir.IdentityOf(p.ID, slack.Name)
		if !ok {
			continue
		}
		at := chat.Profile{User: i.ExternalID, OtherName: p.NameEn, Department: p.Department, HR: p.Role == people.HR, Words: []string{p.EmployeeNo}}
		if dir.Language(p) != i18n.Chinese {
			at.OtherName = p.Name
		}
		if boss, ok := dir.IdentityOf(p.ManagerID, slack.Name); ok {
			at.Boss = boss.ExternalID
		}
		out = append(out, at)
	}
	return out
}
