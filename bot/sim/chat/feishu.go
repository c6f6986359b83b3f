package chat

import (
	"cmp"
	"context"
	"html/template"
	"slices"
	"strings"
	"time"

	"huiyin/bot/sim/feishusim"
	"huiyin/internal/i18n"
)

// feishuName is Feishu's name in addresses.
const feishuName = "feishu"

// feishuSide shows the simulated Feishu.
type feishuSide struct {
	formless
	sim   *feishusim.Server
	hints []CommandHint
	menu  []MenuItem
	draw  *template.Template
	meant func(p person, typed string) bool // says whether a person is searched for
}

func newFeishu(
	sim *feishusim.Server, hints []CommandHint, menu []MenuItem, draw *template.Template, meant func(person, string) bool,
) *feishuSide {
	return &feishuSide{sim: sim, hints: hints, menu: menu, draw: draw, meant: meant}
}

func (s *feishuSide) name() string               { return feishuName }
func (s *feishuSide) client() client             { return client{menu: s.menu} }
func (s *feishuSide) now() time.Time             { return s.sim.Now() }
func (s *feishuSide) withBot(user string) string { return s.sim.P2P(user) }

// commands are what the page was given, else what is registered: Feishu registers a command late, and hears it without that too.
func (s *feishuSide) commands() []CommandHint {
	if len(s.hints) > 0 {
		return s.hints
	}
	var out []CommandHint
	for _, c := range s.sim.Commands() {
		h := CommandHint{Name: "/" + c.Name, Usage: map[string]string{}, Summary: map[string]string{}}
		for _, l := range i18n.Languages() {
			h.Summary[l] = cmp.Or(c.I18n[feishuLocale(l)], c.Description)
		}
		out = append(out, h)
	}
	return out
}

// feishuLocale is a language as Feishu writes it.
func feishuLocale(lang string) string {
	if lang == i18n.Chinese {
		return "zh_cn"
	}
	return "en_us"
}

// people are the members of the firm who can log in, and the bot.
func (s *feishuSide) people() []person {
	departments := map[string]string{}
	for _, d := range s.sim.Departments() {
		departments[d.ID] = d.Name
	}
	all := s.sim.People()
	named := map[string]int{}
	for _, p := range all {
		named[p.Name]++
	}
	var out []person
	for _, p := range all {
		if !p.Active() || p.TenantKey != s.sim.TenantKey() {
			continue
		}
		who := person{
			on: feishuName, id: p.OpenID, handle: p.Handle, name: cmp.Or(p.Name, p.EnName), title: p.JobTitle, mention: p.Name,
			lang: p.Locale, zone: "Asia/Shanghai",
		}
		if p.Locale != "zh_cn" && p.EnName != "" {
			who.name = p.EnName
		}
		if named[p.Name] > 1 || p.Name == "" {
			who.mention = p.Handle
		}
		if len(p.Departments) > 0 {
			who.department = departments[p.Departments[0]]
		}
		out = append(out, who)
	}
	return append(out, s.bot())
}

func (s *feishuSide) bot() person {
	name, id := s.sim.Bot()
	return person{on: feishuName, id: id, handle: name, name: name, mention: name, bot: true}
}

// byID are the people by every id that a card may name them by, and the bot by its own and by that of its app.
func (s *feishuSide) byID() map[string]person {
	out := map[string]person{}
	for _, p := range s.people() {
		out[p.id] = p
	}
	for _, p := range s.sim.People() {
		who, ok := out[p.OpenID]
		if !ok {
			who = person{on: feishuName, id: p.OpenID, handle: p.Handle, name: p.Name, guest: p.TenantKey != s.sim.TenantKey()}
			out[p.OpenID] = who
		}
		out[p.UnionID], out[p.UserID] = who, who
	}
	out[s.sim.AppID()] = s.bot()
	return out
}

// places are the conversation with the bot and the groups that the person is in.
func (s *feishuSide) places(user string) []place {
	out := []place{{id: s.sim.P2P(user), kind: placeBot, name: s.bot().name}}
	for _, c := range s.sim.Chats(user) {
		if c.Kind == feishusim.Group && !c.Dissolved {
			out = append(out, place{id: c.ID, name: c.Name, kind: placePublic})
		}
	}
	slices.SortStableFunc(out[1:], func(a, b place) int { return strings.Compare(a.name, b.name) })
	return out
}

func (s *feishuSide) unread(user, place, after string) int {
	n := 0
	for _, m := range s.sim.Messages(place, user) {
		switch {
		case m.ID == after:
			n = 0
		case m.Sender != user:
			n++
		}
	}
	return n
}

func (s *feishuSide) messages(place string, as reader) []message {
	people := s.byID()
	var out []message
	for _, m := range s.sim.Messages(place, as.user) {
		author, known := people[m.Sender]
		if !known {
			author = person{on: feishuName, id: m.Sender, name: m.Sender}
		}
		d := s.drawing(as, people, as.ids+m.ID+"-")
		d.message = m
		out = append(out, message{
			id: m.ID, author: author, at: m.Created, edited: m.Edited && m.Type != "interactive", reply: m.Parent != "", body: d.content(),
		})
	}
	return out
}

func (s *feishuSide) picture(key string) ([]byte, bool) {
	_, data, ok := s.sim.Stored(key)
	return data, ok
}

func (s *feishuSide) changes(ctx context.Context) <-chan change {
	in, out := s.sim.Subscribe(ctx), make(chan change)
	go func() {
		defer close(out)
		for c := range in {
			select {
			case out <- feishuChange(c):
			case <-ctx.Done():
			}
		}
	}()
	return out
}

func feishuChange(c feishusim.Change) change {
	switch c.Kind {
	case feishusim.ChangeMessage:
		return change{Kind: changeMessages, Place: c.Chat}
	case feishusim.ChangeCall, feishusim.ChangeDelivery, feishusim.ChangeFinding, feishusim.ChangeSocket, feishusim.ChangeCommands:
		return change{Kind: changeRequests}
	case feishusim.ChangePeople:
		return change{Kind: changePeople}
	case feishusim.ChangeClock:
		return change{Kind: changeClock}
	}
	return change{Kind: changeAll}
}
