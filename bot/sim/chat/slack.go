package chat

import (
	"cmp"
	"context"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	"huiyin/bot/sim/slacksim"
	"huiyin/internal/i18n"
)

// slackName is Slack's name in addresses.
const slackName = "slack"

// slackbot is Slack's own bot, which is a member of every workspace.
const slackbot = "USLACKBOT"

// slackSide shows the simulated Slack.
type slackSide struct {
	sim   *slacksim.Server
	hints []CommandHint
	draw  *template.Template
	meant func(p person, typed string) bool // says whether a person is searched for
}

func newSlack(sim *slacksim.Server, hints []CommandHint, draw *template.Template, meant func(person, string) bool) *slackSide {
	if len(hints) == 0 {
		for _, c := range sim.Commands() {
			h := CommandHint{Name: c.Name, Usage: map[string]string{}, Summary: map[string]string{}}
			for _, l := range i18n.Languages() {
				h.Usage[l], h.Summary[l] = c.UsageHint, c.Description
			}
			hints = append(hints, h)
		}
	}
	return &slackSide{sim: sim, hints: hints, draw: draw, meant: meant}
}

func (s *slackSide) name() string               { return slackName }
func (s *slackSide) client() client             { return client{home: true, mentionsInDM: true} }
func (s *slackSide) now() time.Time             { return s.sim.Now() }
func (s *slackSide) commands() []CommandHint    { return s.hints }
func (s *slackSide) withBot(user string) string { return s.sim.DM(user) }

func (s *slackSide) people() []person {
	var out []person
	for _, p := range s.sim.People() {
		if !p.Deleted && p.ID != slackbot {
			out = append(out, slackPerson(p))
		}
	}
	return out
}

func slackPerson(p slacksim.Person) person {
	return person{
		on: slackName, id: p.ID, handle: p.Handle, name: cmp.Or(p.DisplayName, p.RealName, p.Handle), title: p.Title, lang: p.Locale, zone: p.TZ,
		bot: p.IsBot || p.ID == slackbot, guest: p.Restricted || p.UltraRestricted || p.Stranger,
	}
}

// places are the direct conversation with the bot and every channel that the person can open, #general first.
func (s *slackSide) places(user string) []place {
	dm := s.sim.DM(user)
	bot := place{id: dm, kind: placeBot}
	for _, p := range s.sim.People() {
		if p.ID == s.sim.BotUser() {
			bot.name = cmp.Or(p.RealName, p.DisplayName, p.Handle)
		}
	}
	var channels []place
	for _, c := range s.sim.Channels(user) {
		switch {
		case c.Archived:
		case c.Kind == slacksim.Public:
			channels = append(channels, place{id: c.ID, name: "#" + c.Name, kind: placePublic})
		case c.Kind == slacksim.Private:
			channels = append(channels, place{id: c.ID, name: c.Name, kind: placePrivate})
		}
	}
	slices.SortStableFunc(channels, func(a, b place) int {
		first := func(p place) int {
			if p.name == "#general" {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(first(a), first(b)), strings.Compare(a.name, b.name))
	})
	return append([]place{bot}, channels...)
}

func (s *slackSide) unread(user, place, after string) int {
	n := 0
	for _, m := range s.sim.Messages(place, user) {
		if m.User != user && m.TS > after {
			n++
		}
	}
	return n
}

func (s *slackSide) messages(place string, as reader) []message {
	people := s.byID()
	var out []message
	for _, m := range s.sim.Messages(place, as.user) {
		author, known := people[m.User]
		if !known {
			author = person{id: m.User, name: m.User}
		}
		d := s.drawing(as, people, as.ids+"m"+m.TS+"-")
		out = append(out, message{
			id: m.TS, author: author, at: slackTime(m.TS), private: m.EphemeralTo != "", edited: m.EditedTS != "",
			reply: m.ThreadTS != "" && m.ThreadTS != m.TS, body: d.message(m),
		})
	}
	return out
}

func (s *slackSide) byID() map[string]person {
	out := map[string]person{}
	for _, p := range s.sim.People() {
		out[p.ID] = slackPerson(p)
	}
	return out
}

// slackTime is the moment of a message's timestamp, seconds.microseconds.
func slackTime(ts string) time.Time {
	sec, micro, _ := strings.Cut(ts, ".")
	a, _ := strconv.ParseInt(sec, 10, 64)
	b, _ := strconv.ParseInt(micro, 10, 64)
	return time.Unix(a, b*1000)
}

func (s *slackSide) modal(as reader) (screen, bool) {
	open := s.sim.Views(as.user)
	if len(open) == 0 {
		return screen{}, false
	}
	v := open[len(open)-1]
	d := s.drawing(as, s.byID(), as.ids+v.ID+"-")
	d.held, d.errors = v.Values, v.Errors
	m := screen{
		id: v.ID, title: slackWords(v.Title), submit: slackWords(v.Submit), dismiss: slackWords(v.Close), body: d.blocks(v.Blocks),
	}
	if m.dismiss == "" {
		m.dismiss = as.say.T("demo.modal.close")
	}
	return m, true
}

// slackWords are the words of a plain_text object.
func slackWords(raw []byte) string { return shortcodes(nodeOf(raw).str("text")) }

func (s *slackSide) home(as reader) (screen, bool) {
	v, ok := s.sim.Home(as.user)
	if !ok {
		return screen{}, false
	}
	d := s.drawing(as, s.byID(), as.ids+v.ID+"-")
	d.held = v.Values
	return screen{id: v.ID, body: d.blocks(v.Blocks)}, true
}

// picture: Slack's cards carry the addresses of their images.
func (s *slackSide) picture(string) ([]byte, bool) { return nil, false }

// pick: Slack's bots have no menu.
func (s *slackSide) pick(reader, string) (outcome, error) { return outcome{}, errFormless }

func (s *slackSide) openHome(user string) error {
	_, err := s.sim.OpenHome(user)
	return err
}

func (s *slackSide) changes(ctx context.Context) <-chan change {
	in, out := s.sim.Subscribe(ctx), make(chan change)
	go func() {
		defer close(out)
		for c := range in {
			select {
			case out <- slackChange(c):
			case <-ctx.Done():
			}
		}
	}()
	return out
}

func slackChange(c slacksim.Change) change {
	out := change{User: c.User, Place: c.Channel}
	switch c.Kind {
	case slacksim.ChangeMessage:
		out.Kind = changeMessages
	case slacksim.ChangeView:
		out.Kind = changeModal
	case slacksim.ChangeHome:
		out.Kind = changeHome
	case slacksim.ChangeCall, slacksim.ChangeDelivery, slacksim.ChangeFinding:
		out.Kind = changeRequests
	case slacksim.ChangePeople:
		out = change{Kind: changePeople}
	case slacksim.ChangeClock:
		out.Kind = changeClock
	default:
		out.Kind = changeAll
	}
	return out
}
