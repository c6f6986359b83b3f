package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"huiyin/bot/sim/dingtalksim"
)

const (
	dingClient   = "dinge2e0000000000001"
	dingSecret   = "a-client-secret-of-e2e"
	dingTemplate = "e2e00000-0000-4000-8000-000000000001.schema"

	dingGeneral = "cidE2Egeneral0000000000=="
	dingPraise  = "cidE2Epraise00000000000=="
)

// dingStage is DingTalk, played by its simulator, with a browser beside it for the bot's own pages. In the conversation with the bot nobody
// can be mentioned there: a handle is typed as the name, or as the employee number where two have the name.
type dingStage struct {
	sim     *dingtalksim.Server
	vendor  *httptest.Server
	web     *browser
	wake    <-chan struct{}
	stop    context.CancelFunc
	mode    string
	cards   bool // the firm has the card template
	own     string
	ids     map[string]string // of accounts, by handle
	names   map[string]string
	numbers map[string]string // employee numbers, by handle
	last    int               // the last delivery that a person caused
	pages   map[string]shownPage
	opened  int
	homes   map[string][]int // by person: how many messages there were when they asked for the home page
	forms   map[string]bool  // addresses of pages that were forms
	typed   map[string]dingTyped
}

// shownPage is the page that somebody has open, and the message that they came from.
type shownPage struct {
	key string
	n   int
	webPage
}

// dingTyped is what stands in the form of a card that was refused.
type dingTyped struct {
	version string
	values  map[string]dingtalksim.Input
	errors  map[string]string
}

func openDingTalk(mode string, cards bool) func(t *testing.T, now func() time.Time) stage {
	return func(t *testing.T, now func() time.Time) stage {
		t.Helper()
		s := &dingStage{
			mode: mode, cards: cards, web: newBrowser(), ids: map[string]string{}, names: map[string]string{}, numbers: map[string]string{},
			pages: map[string]shownPage{}, homes: map[string][]int{}, typed: map[string]dingTyped{}, forms: map[string]bool{},
		}
		o := dingtalksim.Options{ClientID: dingClient, ClientSecret: dingSecret, BotName: "huiyin", Mode: mode, Clock: now, Seed: 1, PageSize: 4}
		if cards {
			o.Templates = []dingtalksim.Template{cardTemplate(t)}
		}
		s.sim = dingtalksim.New(o)
		s.vendor = httptest.NewServer(s.sim.Handler())
		s.sim.SetBaseURL(s.vendor.URL)
		_, s.ids["huiyin"] = s.sim.Bot()
		var ctx context.Context
		ctx, s.stop = context.WithCancel(context.WithoutCancel(t.Context()))
		s.wake = notify(ctx, s.sim.Subscribe(ctx))
		return s
	}
}

// cardTemplate is the one that we ship.
func cardTemplate(t *testing.T) dingtalksim.Template {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "deploy", "dingtalk", "card-template.json"))
	if err != nil {
		t.Fatal(err)
	}
	var template dingtalksim.Template
	if err := json.Unmarshal(raw, &template); err != nil {
		t.Fatalf("reading the card template: %v", err)
	}
	template.ID = dingTemplate
	return template
}

func (s *dingStage) env() map[string]string {
	env := map[string]string{
		"HUIYIN_DINGTALK_CLIENT_ID": dingClient, "HUIYIN_DINGTALK_CLIENT_SECRET": dingSecret, "HUIYIN_DINGTALK_API_URL": s.vendor.URL,
		"HUIYIN_DINGTALK_OAPI_URL": s.vendor.URL, "HUIYIN_DINGTALK_MODE": s.mode, "HUIYIN_DINGTALK_PRAISE_CHANNEL": dingPraise,
	}
	if s.cards {
		env["HUIYIN_DINGTALK_CARD_TEMPLATE_ID"] = dingTemplate
	}
	return env
}

func (s *dingStage) column() string { return "dingtalk_id" }

// enroll gives the firm's own people an account; robots and visitors are in no directory of the firm's.
func (s *dingStage) enroll(a account) string {
	if a.kind != "member" {
		return ""
	}
	return s.know(a, s.sim.AddPerson(dingPerson(a)))
}

func (s *dingStage) join(a account) string {
	p, _ := s.sim.Join(dingPerson(a))
	return s.know(a, p)
}

func (s *dingStage) know(a account, p dingtalksim.Person) string {
	s.ids[a.handle], s.names[a.handle], s.numbers[a.handle] = p.UserID, a.name, a.number
	return p.UserID
}

func dingPerson(a account) dingtalksim.Person {
	return dingtalksim.Person{Handle: a.handle, Name: a.name, Email: a.email}
}

func (s *dingStage) open(address string, members []string) {
	inside := []string{s.ids["huiyin"]}
	for _, m := range members {
		if id := s.ids[m]; id != "" {
			inside = append(inside, id)
		}
	}
	s.sim.AddChat(dingtalksim.Chat{ID: dingGeneral, Name: "general", Members: inside})
	s.sim.AddChat(dingtalksim.Chat{ID: dingPraise, Name: "praise", Members: inside})
	s.own = address
	s.sim.SetBotURL(address)
}

func (s *dingStage) command(who, line string) error { return s.say(who, line) }

func (s *dingStage) say(who, words string) error {
	s.leave(who)
	text := handles.ReplaceAllStringFunc(words, func(typed string) string { return "@" + s.called(typed[1:]) })
	_, ack, err := s.sim.Say(s.ids[who], s.sim.P2P(s.ids[who]), text)
	return s.did(ack, err)
}

// called is how somebody is named in words.
func (s *dingStage) called(handle string) string {
	name, known := s.names[handle]
	if !known {
		return handle
	}
	for other, same := range s.names {
		if other != handle && same == name {
			return s.numbers[handle]
		}
	}
	return name
}

func (s *dingStage) mention(who, channel, words string) error {
	id := map[string]string{"general": dingGeneral, "praise": dingPraise}[channel]
	if id == "" {
		return fmt.Errorf("there is no channel #%s", channel)
	}
	s.leave(who)
	_, ack, err := s.sim.Say(s.ids[who], id, "@huiyin "+words)
	return s.did(ack, err)
}

func (s *dingStage) openHome(who string) error {
	s.homes[who] = append(s.homes[who], len(s.sim.Messages(s.sim.P2P(s.ids[who]), s.ids[who])))
	return s.say(who, "huiyin")
}

// dingButton is where a button stands: on a message, or on the page that somebody has open.
type dingButton struct {
	message, id, text string
	page              *webButton
	key               string
}

func (s *dingStage) press(who string, b button) error {
	ref, ok := b.ref.(dingButton)
	if !ok {
		return errors.New("that is no button of DingTalk's")
	}
	if ref.page != nil {
		return s.follow(who, ref.key, *ref.page)
	}
	s.leave(who)
	ack, err := s.sim.Press(s.ids[who], ref.message, dingtalksim.Press{ID: ref.id, Text: ref.text})
	if err == nil && ack.URL != "" {
		return s.follow(who, ref.key, webButton{label: ref.text, address: ack.URL})
	}
	return s.did(ack, err)
}

// follow opens what a button leads to; where the page asks whether to do it, the answer is yes.
func (s *dingStage) follow(who, key string, b webButton) error {
	var p webPage
	var err error
	if b.post {
		p, err = s.web.send(b.address, nil)
	} else if p, err = s.web.look(b.address); err == nil && p.send != "" && !p.isForm() {
		p, err = s.web.send(p.address, p.hidden)
	}
	if err == nil {
		s.show(who, key, p)
	}
	return err
}

func (s *dingStage) show(who, key string, p webPage) {
	s.opened++
	s.pages[who] = shownPage{key, s.opened, p}
}

// leave closes the page that a person has open.
func (s *dingStage) leave(who string) { delete(s.pages, who) }

func (s *dingStage) submit(who string, values map[string][]string) error {
	if page, message, ok := s.pageForm(who); ok {
		given := map[string][]string{}
		for name, v := range values {
			at := slices.IndexFunc(page.fields, func(f webField) bool { return f.name == webName(name) })
			if at < 0 {
				return fmt.Errorf("the form has no field %s", name)
			}
			for _, one := range v {
				given[webName(name)] = append(given[webName(name)], s.webValue(page.fields[at], one))
			}
			if v == nil {
				given[webName(name)] = nil
			}
		}
		after, err := s.web.send(page.address, page.filled(given))
		if err == nil {
			s.show(who, message, after)
		}
		return err
	}
	m, form, ok := s.cardForm(who)
	if !ok {
		return fmt.Errorf("%s has no form open", who)
	}
	in := map[string]dingtalksim.Input{}
	if was := s.typed[m.ID]; was.version == s.version(m) {
		maps.Copy(in, was.values)
	}
	for name, given := range values {
		at := slices.IndexFunc(form.Fields, func(f dingtalksim.Field) bool { return f.Name == name })
		if at < 0 {
			return fmt.Errorf("the form has no field %s", name)
		}
		in[name] = dingtalksim.Input{}
		for _, v := range given {
			in[name] = append(in[name], s.value(form.Fields[at], v))
		}
	}
	before := s.version(m)
	ack, err := s.sim.Press(s.ids[who], m.ID, dingtalksim.Press{ID: form.ID, Form: in})
	if refused := (dingtalksim.InputErrors{}); errors.As(err, &refused) {
		s.typed[m.ID] = dingTyped{before, in, refused}
		return nil // the form shows them
	}
	if s.version(m) == before {
		s.typed[m.ID] = dingTyped{version: before, values: in}
	}
	return s.did(ack, err)
}

func webName(field string) string { return "f." + field }

// webValue is what a person means for a field of a page.
func (s *dingStage) webValue(f webField, v string) string {
	handle, isHandle := strings.CutPrefix(v, "@")
	for _, o := range f.options {
		if o.label == v || isHandle && s.ids[handle] != "" && o.value == s.ids[handle] {
			return o.value
		}
	}
	if isHandle && s.ids[handle] != "" {
		return s.ids[handle]
	}
	return v
}

// value is what a person means for a field of a card: the option with that label, the account of a handle, or the words.
func (s *dingStage) value(f dingtalksim.Field, v string) string {
	for _, o := range f.Options {
		if o.Text == v {
			return o.Value
		}
	}
	if handle, ok := strings.CutPrefix(v, "@"); ok && s.ids[handle] != "" {
		return s.ids[handle]
	}
	return v
}

func (s *dingStage) redeliver() (int, error) {
	ack, err := s.sim.Redeliver(s.last)
	if err == nil && ack.Failure != "" {
		err = fmt.Errorf("answered with %d: %s", ack.Status, ack.Failure)
	}
	return ack.Status, err
}

func (s *dingStage) did(ack dingtalksim.Ack, err error) error {
	switch {
	case err != nil:
		return err
	case ack.Failure != "":
		return fmt.Errorf("DingTalk was answered with %d: %s", ack.Status, ack.Failure)
	case ack.Error != "":
		return fmt.Errorf("DingTalk shows the error %s", ack.Error)
	}
	if ack.Delivery > 0 {
		s.last = ack.Delivery
	}
	return nil
}

func (s *dingStage) version(m dingtalksim.Message) string {
	at := m.Created
	if v, ok := s.sim.Card(m.Card, s.reader(m)); m.Card != "" && ok {
		at = v.Updated
	}
	return at.Format(fixedWidth) + " " + m.ID
}

// reader is somebody who sees a message: the person of a conversation with the bot, or anybody.
func (s *dingStage) reader(m dingtalksim.Message) string {
	for _, c := range s.sim.Chats("") {
		if c.ID == m.Chat {
			for _, id := range c.Members {
				if id != s.ids["huiyin"] {
					return id
				}
			}
		}
	}
	return ""
}

func (s *dingStage) sights() []sight {
	var out []sight
	pages := map[string]bool{}
	for who := range s.homes {
		for _, m := range s.homePages(who) {
			pages[m.ID] = true
		}
	}
	for _, c := range s.sim.Chats("") {
		for _, m := range s.sim.Messages(c.ID, "") {
			if m.Via == dingtalksim.ViaPerson || m.Recalled || pages[m.ID] {
				continue
			}
			if drawn := s.draw(m); drawn.form == nil && drawn.page == nil { // an open form is no sight
				out = append(out, s.sight(c, m, drawn))
			}
		}
	}
	slices.SortStableFunc(out, func(a, b sight) int { return strings.Compare(a.version, b.version) })
	for who, p := range s.pages {
		if p.isForm() || strings.Contains(p.title, "聊天查看") || strings.Contains(p.title, "into the chat") { // what it leads to is seen there
			continue
		}
		one := sight{key: fmt.Sprint("page ", p.n), from: p.key, version: fmt.Sprint(p.n), to: []string{who}, words: p.words}
		for _, b := range p.buttons {
			asks := !b.post && strings.HasPrefix(b.address, s.own) // to a page that asks whether one is sure
			one.buttons = append(one.buttons, button{label: b.label, asks: asks, ref: dingButton{page: &b, key: one.key}})
		}
		out = append(out, one)
	}
	return out
}

func (s *dingStage) sight(c dingtalksim.Chat, m dingtalksim.Message, drawn dingDrawn) sight {
	out := sight{key: m.Chat + " " + m.ID, version: s.version(m), stays: true, words: drawn.words, preview: drawn.preview, buttons: drawn.buttons}
	for _, id := range c.Members {
		if id != s.ids["huiyin"] {
			out.to = append(out.to, s.handle(id))
		}
	}
	if c.Kind == dingtalksim.Group {
		out.place = "#" + c.Name
	}
	return out
}

func (s *dingStage) form(who string) (form, bool) {
	if page, _, ok := s.pageForm(who); ok {
		f := form{key: page.address, words: page.words, values: map[string][]string{}, errors: map[string]string{}}
		for _, field := range page.fields {
			name := strings.TrimPrefix(field.name, "f.")
			f.fields = append(f.fields, name)
			for _, v := range field.values {
				f.values[name] = append(f.values[name], s.shownValue(field, v))
			}
		}
		for field, problem := range page.errors {
			f.errors[strings.TrimPrefix(field, "f.")] = problem
		}
		return f, true
	}
	m, part, ok := s.cardForm(who)
	if !ok {
		return form{}, false
	}
	drawn := s.draw(m)
	f := form{key: m.ID, words: drawn.words, values: map[string][]string{}, errors: drawn.errors}
	was := s.typed[m.ID]
	for _, field := range part.Fields {
		if field.Hidden {
			continue
		}
		f.fields = append(f.fields, field.Name)
		given := started(field)
		if in, ok := was.values[field.Name]; ok && was.version == s.version(m) {
			given = in
		}
		for _, v := range given {
			if h := s.handle(v); h != v {
				v = "@" + h
			}
			f.values[field.Name] = append(f.values[field.Name], v)
		}
	}
	if was.version == s.version(m) && len(was.errors) > 0 {
		f.errors = was.errors
	}
	return f, true
}

// shownValue is a value of a page's field as a script writes it.
func (s *dingStage) shownValue(f webField, v string) string {
	for _, o := range f.options {
		if o.label == v && o.value != "" {
			v = o.value
		}
	}
	if h := s.handle(v); h != v {
		return "@" + h
	}
	for handle := range s.names {
		if number := s.numbers[handle]; number != "" && strings.HasSuffix(v, " "+number) {
			return "@" + handle
		}
	}
	return v
}

// pageForm is the form on the page that a person has open, or behind the link that they got last.
func (s *dingStage) pageForm(who string) (p webPage, message string, ok bool) {
	if open, shown := s.pages[who]; shown {
		return open.webPage, open.key, open.isForm()
	}
	if s.cards {
		if _, _, ok := s.cardForm(who); ok {
			return webPage{}, "", false
		}
	}
	messages := s.sim.Messages(s.sim.P2P(s.ids[who]), s.ids[who])
	for _, m := range slices.Backward(messages) {
		if m.Via == dingtalksim.ViaPerson {
			continue
		}
		if drawn := s.draw(m); drawn.page != nil {
			p, err := s.web.look(drawn.page.address)
			return p, m.Chat + " " + m.ID, err == nil && p.isForm()
		}
		break // what came last is something else
	}
	return webPage{}, "", false
}

// cardForm is the newest card with an open form in a person's conversation with the bot.
func (s *dingStage) cardForm(who string) (dingtalksim.Message, dingtalksim.Part, bool) {
	messages := s.sim.Messages(s.sim.P2P(s.ids[who]), s.ids[who])
	for _, m := range slices.Backward(messages) {
		if drawn := s.draw(m); drawn.form != nil {
			return m, *drawn.form, true
		}
	}
	return dingtalksim.Message{}, dingtalksim.Part{}, false
}

func (s *dingStage) home(who string) (sight, bool) {
	pages := s.homePages(who)
	if len(pages) == 0 || len(pages) < len(s.homes[who]) {
		return sight{}, false
	}
	m := pages[len(pages)-1]
	return s.sight(dingtalksim.Chat{Members: []string{s.ids[who]}}, m, s.draw(m)), true
}

// homePages are the messages that came when a person asked for the home page: theirs, and then the bot's.
func (s *dingStage) homePages(who string) []dingtalksim.Message {
	var out []dingtalksim.Message
	all := s.sim.Messages(s.sim.P2P(s.ids[who]), s.ids[who])
	for _, before := range s.homes[who] {
		if before+1 < len(all) {
			out = append(out, all[before+1])
		}
	}
	return out
}

func (s *dingStage) handle(id string) string {
	for handle, account := range s.ids {
		if account == id {
			return handle
		}
	}
	return id
}

func (s *dingStage) changed() <-chan struct{} { return s.wake }

// moved also closes the pages that people had open: nobody looks at one for days.
func (s *dingStage) moved() {
	clear(s.pages)
	s.sim.Advance(0)
}

func (s *dingStage) faults() []string {
	var out []string
	for _, f := range s.sim.MustFindings() {
		out = append(out, fmt.Sprintf("%+v", f))
	}
	return out
}

func (s *dingStage) sent() []string {
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

func (s *dingStage) close() {
	s.stop()
	s.vendor.Close()
	s.sim.Close()
}
