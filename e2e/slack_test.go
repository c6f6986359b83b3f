package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"huiyin/bot/sim/slacksim"
)

const (
	slackSecret = "8f742231b10e8888abcd99yyyzzz85a5"
	slackToken  = "xoxb-301256781-4712305011-e2e"
)

// slackStage is Slack, played by its simulator.
type slackStage struct {
	sim    *slacksim.Server
	vendor *httptest.Server
	wake   <-chan struct{}
	stop   context.CancelFunc
	ids    map[string]string // of accounts, by handle
	last   int               // the last delivery that a person caused
}

func openSlack(t *testing.T, now func() time.Time) stage {
	t.Helper()
	s := &slackStage{
		sim: slacksim.New(slacksim.Options{SigningSecret: slackSecret, BotToken: slackToken, Clock: now, Seed: 1, PageSize: 4}),
		ids: map[string]string{"huiyin": ""},
	}
	s.vendor = httptest.NewServer(s.sim.Handler())
	s.sim.SetBaseURL(s.vendor.URL)
	s.ids["huiyin"] = s.sim.BotUser()
	var ctx context.Context
	ctx, s.stop = context.WithCancel(context.WithoutCancel(t.Context()))
	s.wake = notify(ctx, s.sim.Subscribe(ctx))
	return s
}

const (
	generalChannel = "C0GENERAL1"
	praiseChannel  = "C0PRAISE01"
)

func (s *slackStage) env() map[string]string {
	return map[string]string{
		"HUIYIN_SLACK_SIGNING_SECRET": slackSecret, "HUIYIN_SLACK_BOT_TOKEN": slackToken, "HUIYIN_SLACK_API_URL": s.sim.APIURL(),
		"HUIYIN_SLACK_PRAISE_CHANNEL": praiseChannel,
	}
}

func (s *slackStage) column() string { return "slack_id" }

func (s *slackStage) enroll(a account) string {
	p := s.sim.AddPerson(member(a))
	s.ids[a.handle] = p.ID
	return p.ID
}

func (s *slackStage) join(a account) string {
	p := s.sim.Join(member(a))
	s.ids[a.handle] = p.ID
	return p.ID
}

func member(a account) slacksim.Person {
	return slacksim.Person{Handle: a.handle, RealName: a.name, Email: a.email, IsBot: a.kind == "bot", Restricted: a.kind == "guest"}
}

func (s *slackStage) open(address string, members []string) {
	inside := []string{s.sim.BotUser()}
	for _, m := range members {
		inside = append(inside, s.ids[m])
	}
	s.sim.AddChannel(slacksim.Channel{ID: generalChannel, Name: "general", Members: inside})
	s.sim.AddChannel(slacksim.Channel{ID: praiseChannel, Name: "praise", Members: inside})
	s.sim.AddGroup(slacksim.Group{Handle: "design", Name: "Design"})
	s.sim.SetBotURL(address)
}

func (s *slackStage) command(who, line string) error {
	s.leave(who)
	name, rest, _ := strings.Cut(line, " ")
	ack, err := s.sim.Slash(s.ids[who], generalChannel, name, rest)
	return s.did(ack, err)
}

func (s *slackStage) say(who, words string) error {
	s.leave(who)
	_, ack, err := s.sim.Say(s.ids[who], s.sim.DM(s.ids[who]), words)
	return s.did(ack, err)
}

func (s *slackStage) mention(who, channel, words string) error {
	s.leave(who)
	id := map[string]string{"general": generalChannel, "praise": praiseChannel}[channel]
	if id == "" {
		return fmt.Errorf("there is no channel #%s", channel)
	}
	_, ack, err := s.sim.Say(s.ids[who], id, "@huiyin "+words)
	return s.did(ack, err)
}

// slackButton is where a button stands.
type slackButton struct {
	at            slacksim.Place
	block, action string
}

func (s *slackStage) press(who string, b button) error {
	ref, ok := b.ref.(slackButton)
	if !ok {
		return errors.New("that is no button of Slack's")
	}
	if ref.at.View == "" {
		s.leave(who)
	}
	ack, err := s.sim.Click(s.ids[who], ref.at, slacksim.Press{Action: ref.action, Block: ref.block})
	if err != nil && ref.at.View != "" { // a page that was drawn anew meanwhile has the same button in another block
		ack, err = s.sim.Click(s.ids[who], ref.at, slacksim.Press{Action: ref.action})
	}
	return s.did(ack, err)
}

// leave closes the windows that a person has open: behind them nothing can be reached.
func (s *slackStage) leave(who string) {
	views := s.sim.Views(s.ids[who])
	if len(views) == 0 {
		return
	}
	top := views[len(views)-1]
	_, _ = s.sim.CloseView(s.ids[who], top.ID, true) // the app that does not care was not told
}

func (s *slackStage) submit(who string, values map[string][]string) error {
	view, ok := s.top(who)
	if !ok {
		return fmt.Errorf("%s has no form open", who)
	}
	entered := map[string]map[string]slacksim.Input{}
	for _, b := range blocksOf(view.Blocks) {
		given, ok := values[b.ID]
		if !ok || b.Type != "input" {
			continue
		}
		in := slacksim.Input{}
		for _, v := range given {
			in = append(in, s.value(b.Element, v))
		}
		entered[b.ID] = map[string]slacksim.Input{b.Element.ActionID: in}
	}
	if len(entered) < len(values) {
		return fmt.Errorf("the form has the fields %v, and not all of %v", s.fields(view), slices.Sorted(maps.Keys(values)))
	}
	ack, err := s.sim.Submit(s.ids[who], view.ID, entered)
	if refused := (slacksim.InputErrors{}); errors.As(err, &refused) {
		return nil // the form shows them
	}
	return s.did(ack, err)
}

// value is what a person means for an element: the value of the option with that label, the account of a handle, or the words.
func (s *slackStage) value(e *slackElement, v string) string {
	for _, o := range e.Options {
		if o.Text.Text == v {
			return o.Value
		}
	}
	if id, ok := s.ids[strings.TrimPrefix(v, "@")]; ok && strings.HasPrefix(v, "@") && strings.HasSuffix(e.Type, "users_select") {
		return id
	}
	return v
}

func (s *slackStage) openHome(who string) error {
	s.leave(who)
	ack, err := s.sim.OpenHome(s.ids[who])
	return s.did(ack, err)
}

func (s *slackStage) redeliver() (int, error) {
	ack, err := s.sim.Redeliver(s.last)
	if err == nil && ack.Error != "" {
		err = fmt.Errorf("answered with %d: %s", ack.Status, ack.Error)
	}
	return ack.Status, err
}

func (s *slackStage) did(ack slacksim.Ack, err error) error {
	if err != nil {
		return err
	}
	if ack.Delivery > 0 {
		s.last = ack.Delivery
	}
	if ack.Error != "" {
		return fmt.Errorf("Slack shows %q (status %d)", ack.Error, ack.Status)
	}
	return nil
}

func (s *slackStage) sights() []sight {
	var out []sight
	for _, c := range s.sim.Channels("") {
		for _, m := range s.sim.Messages(c.ID, "") {
			if m.BotID != "" {
				out = append(out, s.message(c, m))
			}
		}
	}
	slices.SortStableFunc(out, func(a, b sight) int { return strings.Compare(a.version, b.version) })
	for handle, id := range s.ids {
		views := s.sim.Views(id)
		for _, v := range views {
			if !fillable(v) {
				out = append(out, s.window(handle, v))
			}
		}
	}
	return out
}

func (s *slackStage) message(c slacksim.Channel, m slacksim.Message) sight {
	at := slacksim.Place{Channel: m.Channel, TS: m.TS}
	out := s.draw(at, m.Blocks)
	if out.words == "" {
		out.words = plainWords(m.Text, s.handle)
	}
	out.key, out.version, out.preview = m.Channel+" "+m.TS, max(m.TS, m.EditedTS), plainWords(m.Text, s.handle)
	out.stays = m.EphemeralTo == ""
	switch {
	case m.EphemeralTo != "":
		out.to = []string{s.handle(m.EphemeralTo)}
	default:
		for _, id := range c.Members {
			if id != s.sim.BotUser() {
				out.to = append(out.to, s.handle(id))
			}
		}
		if c.Kind != slacksim.IM {
			out.place = "#" + c.Name
		}
	}
	return out
}

// window is a modal that shows a card.
func (s *slackStage) window(who string, v slacksim.View) sight {
	out := s.draw(slacksim.Place{View: v.ID}, v.Blocks)
	out.key, out.version, out.to = "view "+v.ID, v.Hash, []string{who}
	out.words = titleOf(v) + "\n" + out.words
	return out
}

func (s *slackStage) form(who string) (form, bool) {
	v, ok := s.top(who)
	if !ok {
		return form{}, false
	}
	f := form{key: v.ID, values: map[string][]string{}, errors: v.Errors, fields: s.fields(v)}
	f.words = titleOf(v) + "\n" + s.draw(slacksim.Place{View: v.ID}, v.Blocks).words
	for block, elements := range v.Values {
		for _, in := range elements {
			for _, value := range in {
				if h := s.handle(value); h != value {
					value = "@" + h
				}
				f.values[block] = append(f.values[block], value)
			}
		}
	}
	return f, true
}

func (s *slackStage) home(who string) (sight, bool) {
	v, ok := s.sim.Home(s.ids[who])
	if !ok {
		return sight{}, false
	}
	out := s.draw(slacksim.Place{View: v.ID}, v.Blocks)
	out.key, out.version, out.to = "home "+v.ID, v.Hash, []string{who}
	return out, true
}

// top is the form in front of a person.
func (s *slackStage) top(who string) (slacksim.View, bool) {
	views := s.sim.Views(s.ids[who])
	if len(views) == 0 || !fillable(views[len(views)-1]) {
		return slacksim.View{}, false
	}
	return views[len(views)-1], true
}

func (s *slackStage) fields(v slacksim.View) []string {
	var out []string
	for _, b := range blocksOf(v.Blocks) {
		if b.Type == "input" {
			out = append(out, b.ID)
		}
	}
	return out
}

func (s *slackStage) handle(id string) string {
	for handle, account := range s.ids {
		if account == id {
			return handle
		}
	}
	return id
}

func (s *slackStage) changed() <-chan struct{} { return s.wake }

func (s *slackStage) moved() { s.sim.Advance(0) }

// faults are MUST findings, and cards that a telephone cannot show: tables, lines that must not wrap, and columns of more than two.
func (s *slackStage) faults() []string {
	var out []string
	for _, f := range s.sim.MustFindings() {
		out = append(out, fmt.Sprintf("%+v", f))
	}
	for _, text := range s.sent() {
		text = strings.ReplaceAll(text, `\`, "") // blocks come as a string within the arguments
		for _, wide := range []string{`"type":"table"`, `"rich_text_preformatted"`, "```"} {
			if strings.Contains(text, wide) {
				out = append(out, "a card has "+wide)
			}
		}
	}
	return out
}

func (s *slackStage) sent() []string {
	var out []string
	for _, c := range s.sim.Calls() {
		args, err := json.Marshal(c.Args)
		if err != nil {
			args = []byte(err.Error())
		}
		out = append(out, c.Method+" "+string(args))
	}
	for _, d := range s.sim.Deliveries() {
		out = append(out, d.Kind+" "+d.Answer)
	}
	return out
}

func (s *slackStage) close() {
	s.stop()
	s.vendor.Close()
	s.sim.Close()
}
