package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"huiyin/bot/sim/feishusim"
)

const (
	feishuApp    = "cli_e2e0000000000001"
	feishuSecret = "5Xq3vN8wKzR2mB7tYc4pL9sD1fG6hJ0a"
	feishuKey    = "an-encrypt-key-of-e2e"
	feishuToken  = "v3rification-e2e"

	feishuGeneral = "oc_e2e00000000000000000000general"
	feishuPraise  = "oc_e2e000000000000000000000praise"
)

// feishuStage is Feishu, played by its simulator. It has no slash commands with an answer of their own: what a script types as one is
// typed into the conversation with the bot.
type feishuStage struct {
	sim    *feishusim.Server
	vendor *httptest.Server
	wake   <-chan struct{}
	stop   context.CancelFunc
	mode   string
	ids    map[string]string // of accounts, by handle
	last   int               // the last delivery that a person caused
	homes  map[string][]int  // by person: how many messages there were when they asked for the home page
	typed  map[string]typed  // by message: what stands in its form, though the app was told
}

// typed is what a person has put into a form that was refused, as long as the card was not drawn anew.
type typed struct {
	version string
	values  map[string]feishusim.Input
	errors  map[string]string
}

func openFeishu(mode string) func(t *testing.T, now func() time.Time) stage {
	return func(t *testing.T, now func() time.Time) stage {
		t.Helper()
		s := &feishuStage{mode: mode, ids: map[string]string{}, homes: map[string][]int{}, typed: map[string]typed{}}
		s.sim = feishusim.New(feishusim.Options{
			AppID: feishuApp, AppSecret: feishuSecret, EncryptKey: feishuKey, VerificationToken: feishuToken, BotName: "huiyin",
			Mode: mode, Clock: now, Seed: 1, PageSize: 4, MentionsInP2P: true,
		})
		s.vendor = httptest.NewServer(s.sim.Handler())
		s.sim.SetBaseURL(s.vendor.URL)
		_, s.ids["huiyin"] = s.sim.Bot()
		var ctx context.Context
		ctx, s.stop = context.WithCancel(context.WithoutCancel(t.Context()))
		s.wake = notify(ctx, s.sim.Subscribe(ctx))
		return s
	}
}

func (s *feishuStage) env() map[string]string {
	return map[string]string{
		"HUIYIN_FEISHU_APP_ID": feishuApp, "HUIYIN_FEISHU_APP_SECRET": feishuSecret, "HUIYIN_FEISHU_ENCRYPT_KEY": feishuKey,
		"HUIYIN_FEISHU_VERIFICATION_TOKEN": feishuToken, "HUIYIN_FEISHU_BASE_URL": s.vendor.URL, "HUIYIN_FEISHU_MODE": s.mode,
		"HUIYIN_FEISHU_PRAISE_CHANNEL": feishuPraise,
	}
}

func (s *feishuStage) column() string { return "feishu_id" }

// enroll gives the firm's own people an account. Robots have none in Feishu, and visitors belong to the directory of another firm.
func (s *feishuStage) enroll(a account) string {
	if a.kind != "member" {
		return ""
	}
	p := s.sim.AddPerson(feishuPerson(a))
	s.ids[a.handle] = p.OpenID
	return p.OpenID
}

func (s *feishuStage) join(a account) string {
	p, _ := s.sim.Join(feishuPerson(a))
	s.ids[a.handle] = p.OpenID
	return p.OpenID
}

func feishuPerson(a account) feishusim.Person {
	return feishusim.Person{Handle: a.handle, Name: a.name, Email: a.email}
}

func (s *feishuStage) open(address string, members []string) {
	inside := []string{s.ids["huiyin"]}
	for _, m := range members {
		if id := s.ids[m]; id != "" {
			inside = append(inside, id)
		}
	}
	s.sim.AddChat(feishusim.Chat{ID: feishuGeneral, Name: "general", Members: inside})
	s.sim.AddChat(feishusim.Chat{ID: feishuPraise, Name: "praise", Members: inside})
	s.sim.SetBotURL(address)
}

func (s *feishuStage) command(who, line string) error { return s.say(who, line) }

// say writes to the bot. A handle after @ is picked from the client's list; a name is only typed.
func (s *feishuStage) say(who, words string) error {
	var mentions []feishusim.Mention
	text := handles.ReplaceAllStringFunc(words, func(typed string) string {
		id := s.ids[typed[1:]]
		if id == "" {
			return typed
		}
		m := feishusim.Mention{Key: fmt.Sprintf("@_user_%d", len(mentions)+1), OpenID: id, Name: typed[1:]}
		mentions = append(mentions, m)
		return m.Key
	})
	content, err := json.Marshal(map[string]string{"text": text})
	if err != nil {
		return err
	}
	_, ack, err := s.sim.SayRaw(s.ids[who], s.sim.P2P(s.ids[who]), "text", string(content), mentions...)
	return s.did(ack, err)
}

var handles = regexp.MustCompile(`@[a-z]+`)

func (s *feishuStage) mention(who, channel, words string) error {
	id := map[string]string{"general": feishuGeneral, "praise": feishuPraise}[channel]
	if id == "" {
		return fmt.Errorf("there is no channel #%s", channel)
	}
	_, ack, err := s.sim.Say(s.ids[who], id, "@huiyin "+words)
	return s.did(ack, err)
}

// openHome asks for the page in the conversation: Feishu has no place of its own for it, and the bot's menu does the asking.
func (s *feishuStage) openHome(who string) error {
	s.homes[who] = append(s.homes[who], len(s.sim.Messages(s.sim.P2P(s.ids[who]), s.ids[who])))
	ack, err := s.sim.Menu(s.ids[who], "huiyin")
	return s.did(ack, err)
}

// feishuButton is where a button stands.
type feishuButton struct{ message, at string }

func (s *feishuStage) press(who string, b button) error {
	ref, ok := b.ref.(feishuButton)
	if !ok {
		return errors.New("that is no button of Feishu's")
	}
	ack, err := s.sim.Press(s.ids[who], ref.message, feishusim.Press{At: ref.at})
	return s.did(ack, err)
}

func (s *feishuStage) submit(who string, values map[string][]string) error {
	m, c, ok := s.top(who)
	if !ok {
		return fmt.Errorf("%s has no form open", who)
	}
	in := map[string]feishusim.Input{}
	if was := s.typed[m.ID]; was.version == version(m) {
		maps.Copy(in, was.values)
	}
	for name, given := range values {
		f, ok := c.field(name)
		if !ok {
			return fmt.Errorf("the form has the fields %v, and not %s", c.fieldNames(), name)
		}
		in[name] = feishusim.Input{}
		for _, v := range given {
			in[name] = append(in[name], s.value(f, v))
		}
	}
	before := version(m)
	ack, err := s.sim.Press(s.ids[who], m.ID, feishusim.Press{At: c.submit, Form: in})
	if refused := (feishusim.InputErrors{}); errors.As(err, &refused) {
		s.typed[m.ID] = typed{before, in, refused}
		return nil // the form shows them
	}
	if now, ok := s.sim.Message(m.ID); ok {
		s.typed[m.ID] = typed{version: version(now), values: in}
	}
	return s.did(ack, err)
}

// value is what a person means for a control: the value of the option with that label, the account of a handle, or the words.
func (s *feishuStage) value(f feishuElement, v string) string {
	for _, o := range f.Options {
		if o.Text.Content == v {
			return o.Value
		}
	}
	if handle, ok := strings.CutPrefix(v, "@"); ok && s.ids[handle] != "" {
		return s.ids[handle]
	}
	return v
}

func (s *feishuStage) redeliver() (int, error) {
	ack, err := s.sim.Redeliver(s.last)
	if err == nil && ack.Failure != "" {
		err = fmt.Errorf("answered with %d: %s", ack.Status, ack.Failure)
	}
	return ack.Status, err
}

func (s *feishuStage) did(ack feishusim.Ack, err error) error {
	switch {
	case err != nil:
		return err
	case ack.Failure != "":
		return fmt.Errorf("Feishu was answered with %d: %s", ack.Status, ack.Failure)
	case ack.Error != "":
		return fmt.Errorf("Feishu shows the error %s", ack.Error)
	}
	if ack.Delivery > 0 {
		s.last = ack.Delivery
	}
	return nil
}

func version(m feishusim.Message) string { return m.Updated.Format(fixedWidth) + " " + m.ID }

func (s *feishuStage) sights() []sight {
	var out []sight
	pages := map[string]bool{}
	for who := range s.homes {
		for _, m := range s.pages(who) {
			pages[m.ID] = true
		}
	}
	for _, c := range s.sim.Chats("") {
		for _, m := range s.sim.Messages(c.ID, "") {
			if m.SenderType != "app" || m.Withdrawn {
				continue
			}
			drawn := s.draw(m)
			if drawn.submit == "" && !pages[m.ID] { // an open form is no sight, nor is the home page
				out = append(out, s.sight(c, m, drawn))
			}
		}
	}
	slices.SortStableFunc(out, func(a, b sight) int { return strings.Compare(a.version, b.version) })
	return out
}

func (s *feishuStage) sight(c feishusim.Chat, m feishusim.Message, drawn feishuCard) sight {
	out := sight{key: m.Chat + " " + m.ID, version: version(m), stays: true, words: drawn.words, preview: drawn.preview, buttons: drawn.buttons}
	for _, id := range c.Members {
		if id != s.ids["huiyin"] {
			out.to = append(out.to, s.handle(id))
		}
	}
	if c.Kind == feishusim.Group {
		out.place = "#" + c.Name
	}
	return out
}

func (s *feishuStage) form(who string) (form, bool) {
	m, c, ok := s.top(who)
	if !ok {
		return form{}, false
	}
	f := form{key: m.ID, words: c.words, fields: c.fieldNames(), values: map[string][]string{}, errors: c.errors}
	was := s.typed[m.ID]
	for _, e := range c.fields {
		given := e.given()
		if in, ok := was.values[e.Name]; ok && was.version == version(m) {
			given = in
		}
		for _, v := range given {
			if h := s.handle(v); h != v {
				v = "@" + h
			}
			f.values[e.Name] = append(f.values[e.Name], v)
		}
	}
	if was.version == version(m) && len(was.errors) > 0 {
		f.errors = was.errors
	}
	return f, true
}

// home is the message that came when a person asked for the page last.
func (s *feishuStage) home(who string) (sight, bool) {
	pages := s.pages(who)
	if len(pages) == 0 || len(pages) < len(s.homes[who]) {
		return sight{}, false
	}
	m := pages[len(pages)-1]
	return s.sight(feishusim.Chat{Members: []string{s.ids[who]}}, m, s.draw(m)), true
}

// pages are the messages that came when a person asked for the home page.
func (s *feishuStage) pages(who string) []feishusim.Message {
	var out []feishusim.Message
	all := s.sim.Messages(s.sim.P2P(s.ids[who]), s.ids[who])
	for _, before := range s.homes[who] {
		if before < len(all) {
			out = append(out, all[before])
		}
	}
	return out
}

// top is the newest form in a person's conversation with the bot.
func (s *feishuStage) top(who string) (feishusim.Message, feishuCard, bool) {
	messages := s.sim.Messages(s.sim.P2P(s.ids[who]), s.ids[who])
	for _, m := range slices.Backward(messages) {
		if drawn := s.draw(m); m.SenderType == "app" && drawn.submit != "" {
			return m, drawn, true
		}
	}
	return feishusim.Message{}, feishuCard{}, false
}

func (s *feishuStage) handle(id string) string {
	for handle, account := range s.ids {
		if account == id {
			return handle
		}
	}
	return id
}

func (s *feishuStage) changed() <-chan struct{} { return s.wake }

func (s *feishuStage) moved() { s.sim.Advance(0) }

func (s *feishuStage) faults() []string {
	var out []string
	for _, f := range s.sim.MustFindings() {
		out = append(out, fmt.Sprintf("%+v", f))
	}
	for _, text := range s.sent() {
		if strings.Contains(text, `"tag":"table"`) {
			out = append(out, "a card has a table, which a telephone cannot show")
		}
	}
	return out
}

func (s *feishuStage) sent() []string {
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

func (s *feishuStage) close() {
	s.stop()
	s.vendor.Close()
	s.sim.Close()
}
