package chat

import (
	"cmp"
	"context"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	"huiyin/bot/sim/dingtalksim"
)

// dingtalkName is DingTalk's name in addresses.
const dingtalkName = "dingtalk"

// dingtalkSide shows the simulated DingTalk.
type dingtalkSide struct {
	formless
	sim   *dingtalksim.Server
	hints []CommandHint
	draw  *template.Template
}

func newDingtalk(sim *dingtalksim.Server, hints []CommandHint, draw *template.Template) *dingtalkSide {
	return &dingtalkSide{sim: sim, hints: hints, draw: draw}
}

func (s *dingtalkSide) name() string               { return dingtalkName }
func (s *dingtalkSide) client() client             { return client{} }
func (s *dingtalkSide) now() time.Time             { return s.sim.Now() }
func (s *dingtalkSide) withBot(user string) string { return s.sim.P2P(user) }

// commands are the page's own help: DingTalk's client lists none.
func (s *dingtalkSide) commands() []CommandHint { return s.hints }

// pick: a DingTalk robot has no menu.
func (s *dingtalkSide) pick(reader, string) (outcome, error) { return outcome{}, errFormless }

// people are the members of the firm who can log in, and the robot.
func (s *dingtalkSide) people() []person {
	departments := map[int64]string{}
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
		if !p.Active() || p.CorpID != s.sim.CorpID() {
			continue
		}
		who := person{
			on: dingtalkName, id: p.UserID, handle: p.Handle, name: p.Name, title: p.Title, mention: p.Name, lang: "zh-CN", zone: "Asia/Shanghai",
		}
		if !han(p.Name) {
			who.lang = "en" // DingTalk tells nobody's language
		}
		if named[p.Name] > 1 {
			who.mention = p.Handle
		}
		if len(p.DeptIDs) > 0 {
			who.department = departments[p.DeptIDs[0]]
		}
		out = append(out, who)
	}
	return append(out, s.bot())
}

func (s *dingtalkSide) bot() person {
	name, id := s.sim.Bot()
	return person{on: dingtalkName, id: id, handle: name, name: name, mention: name, bot: true}
}

// byID are the people by userid, and the robot by its code.
func (s *dingtalkSide) byID() map[string]person {
	out := map[string]person{s.sim.RobotCode(): s.bot()}
	for _, p := range s.sim.People() {
		out[p.UserID] = person{on: dingtalkName, id: p.UserID, handle: p.Handle, name: p.Name, guest: p.CorpID != s.sim.CorpID()}
	}
	for _, p := range s.people() {
		out[p.id] = p
	}
	return out
}

// places are the conversation with the robot, the groups, and the work notices once there are any.
func (s *dingtalkSide) places(user string) []place {
	out := []place{{id: s.sim.P2P(user), kind: placeBot, name: s.bot().name}}
	for _, c := range s.sim.Chats(user) {
		switch {
		case c.Dissolved:
		case c.Kind == dingtalksim.Group:
			out = append(out, place{id: c.ID, name: c.Name, kind: placePublic})
		case c.Kind == dingtalksim.Notice:
			out = append(out, place{id: c.ID, kind: placeNotices})
		}
	}
	slices.SortStableFunc(out[1:], func(a, b place) int { // groups by name; the kind of the notices comes before theirs
		return cmp.Or(strings.Compare(b.kind, a.kind), strings.Compare(a.name, b.name))
	})
	return out
}

func (s *dingtalkSide) unread(user, place, after string) int {
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

func (s *dingtalkSide) messages(place string, as reader) []message {
	people := s.byID()
	var out []message
	for _, m := range s.sim.Messages(place, as.user) {
		author, known := people[m.Sender]
		if !known { // a work notice is the app's
			author = s.bot()
		}
		d := s.drawing(as, people, as.ids+m.ID+"-")
		d.message = m
		out = append(out, message{id: m.ID, author: author, at: m.Created, body: d.content()})
	}
	return out
}

func (s *dingtalkSide) picture(key string) ([]byte, bool) {
	_, data, ok := s.sim.Stored(key)
	return data, ok
}

func (s *dingtalkSide) changes(ctx context.Context) <-chan change {
	in, out := s.sim.Subscribe(ctx), make(chan change)
	go func() {
		defer close(out)
		for c := range in {
			select {
			case out <- dingtalkChange(c):
			case <-ctx.Done():
			}
		}
	}()
	return out
}

func dingtalkChange(c dingtalksim.Change) change {
	switch c.Kind {
	case dingtalksim.ChangeMessage:
		return change{Kind: changeMessages, Place: c.Chat}
	case dingtalksim.ChangeCard: // it may stand in several places
		return change{Kind: changeMessages}
	case dingtalksim.ChangeCall, dingtalksim.ChangeDelivery, dingtalksim.ChangeFinding, dingtalksim.ChangeSocket:
		return change{Kind: changeRequests}
	case dingtalksim.ChangePeople:
		return change{Kind: changePeople}
	case dingtalksim.ChangeClock:
		return change{Kind: changeClock}
	}
	return change{Kind: changeAll}
}

// dingtalkButton is a button of an action card: where it leads, by its place among the others.
type dingtalkButton struct {
	label, url string
	at         int
}

// buttonsOf are the buttons of an action card or of a link, whichever of the vendor's three formats it has.
func buttonsOf(n node) []dingtalkButton {
	var out []dingtalkButton
	add := func(label, url string) {
		if label != "" && url != "" {
			out = append(out, dingtalkButton{label: label, url: url, at: len(out)})
		}
	}
	add(n.str("singleTitle"), n.str("singleURL"))
	add(n.str("single_title"), n.str("single_url"))
	for i := 1; i <= 5; i++ {
		add(n.str("actionTitle"+strconv.Itoa(i)), n.str("actionURL"+strconv.Itoa(i)))
		add(n.str("buttonTitle"+strconv.Itoa(i)), n.str("buttonUrl"+strconv.Itoa(i)))
	}
	for _, b := range n.nodes("btns") {
		add(b.str("title"), b.str("actionURL"))
	}
	for _, b := range n.nodes("btn_json_list") {
		add(b.str("title"), b.str("action_url"))
	}
	return out
}
