package feishu_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/bot/card/cardtest"
	"huiyin/bot/feishu"
	"huiyin/bot/sim/feishusim"
	"huiyin/internal/i18n"
)

const patience = 10 * time.Second // how long a test waits for what must come

// office is a strict tenant, the adapter in it and a product that answers as it is told, all over HTTP.
type office struct {
	*feishusim.Server
	feishu   *feishu.Feishu
	lin, kai feishusim.Person
	group    string
	refresh  chan bot.Account
	routes   map[string]http.Handler

	mu     sync.Mutex
	answer bot.Receive
	heard  []bot.Event
}

func newOffice(t *testing.T, change func(*feishusim.Options)) *office {
	t.Helper()
	catalog, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	o := &office{refresh: make(chan bot.Account, 10)}
	options := feishusim.Options{
		AppID: "cli_a0huiyin", AppSecret: "app-secret-canary", EncryptKey: "encrypt-key-canary", VerificationToken: "verification-canary",
		Limits: feishusim.Limits{Off: true}, PageSize: 2, MentionsInP2P: true,
	}
	if change != nil {
		change(&options)
	}
	o.Server = feishusim.New(options)
	server := httptest.NewServer(o.Handler())
	o.SetBaseURL(server.URL)
	transport := &http.Transport{MaxIdleConnsPerHost: 10}
	o.feishu, err = feishu.New(feishu.Config{
		AppID: options.AppID, AppSecret: options.AppSecret, EncryptKey: options.EncryptKey, VerificationToken: options.VerificationToken, BaseURL: server.URL,
		Mode: options.Mode, HTTP: &http.Client{Transport: transport}, Now: o.Now, Log: slog.New(slog.NewTextHandler(logTo(t), nil)), Catalog: catalog,
		Refresh: func(_ context.Context, a bot.Account) { o.refresh <- a },
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	o.routes = o.feishu.Routes(o.receive)
	for pattern, h := range o.routes {
		mux.Handle(pattern, h)
	}
	us := httptest.NewServer(mux)
	o.SetBotURL(us.URL)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := o.feishu.Close(ctx); err != nil {
			t.Errorf("closing the adapter: %v", err)
		}
		o.Close()
		us.Close()
		transport.CloseIdleConnections()
		server.Close()
	})
	_, robot := o.Bot()
	o.lin = o.AddPerson(feishusim.Person{Handle: "lin", Name: "林晓", Email: "lin@example.com"})
	o.kai = o.AddPerson(feishusim.Person{Handle: "kai", Name: "Kai", EnName: "Kai Weber"})
	o.group = o.AddChat(feishusim.Chat{Name: "general", Members: []string{o.lin.OpenID, o.kai.OpenID, robot}}).ID
	return o
}

// logTo shows what the adapter logged when the test fails, and fails when a secret is in it.
func logTo(t *testing.T) io.Writer {
	t.Helper()
	var mu sync.Mutex
	var all strings.Builder
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		if t.Failed() && all.Len() > 0 {
			t.Logf("the adapter's log:\n%.4000s", all.String())
		}
		if strings.Contains(all.String(), "canary") {
			t.Error("a secret or somebody's words are in the log")
		}
	})
	return writer(func(p []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return all.Write(p)
	})
}

type writer func([]byte) (int, error)

func (f writer) Write(p []byte) (int, error) { return f(p) }

func (o *office) receive(ctx context.Context, e bot.Event) (bot.Reply, error) {
	o.mu.Lock()
	o.heard = append(o.heard, e)
	answer := o.answer
	o.mu.Unlock()
	if answer == nil {
		return bot.Reply{}, nil
	}
	return answer(ctx, e)
}

// replies sets what the product answers from now on.
func (o *office) replies(r bot.Reply) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.answer = func(context.Context, bot.Event) (bot.Reply, error) { return r, nil }
}

// fails sets the error that the product ends with from now on.
func (o *office) fails(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.answer = func(context.Context, bot.Event) (bot.Reply, error) { return bot.Reply{}, err }
}

// last is the last event that the product heard.
func (o *office) last(t *testing.T) bot.Event {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.heard) == 0 {
		t.Fatal("the product heard nothing")
	}
	return o.heard[len(o.heard)-1]
}

func (o *office) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.heard)
}

// until waits for something to become true in the tenant.
func (o *office) until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	changes := o.Subscribe(ctx)
	for !ok() {
		select {
		case _, more := <-changes:
			if !more {
				t.Fatalf("it did not come to this: %s", what)
			}
		case <-time.After(20 * time.Millisecond): // not everything is announced
		}
	}
}

// clean fails for every fault that the strict tenant has found and every request that it refused.
func (o *office) clean(t *testing.T, what string) {
	t.Helper()
	for _, f := range o.Findings() {
		t.Errorf("%s: %s %s at %s %s (%s, %d characters)", what, f.Severity, f.Rule, f.Method, f.Pointer, f.Detail, f.Length)
	}
	for _, c := range o.Calls() {
		if c.Status != http.StatusOK || c.Code != 0 {
			t.Errorf("%s: %s was answered %d %s", what, c.Method, c.Status, c.Answer)
		}
	}
	o.Reset()
}

// newest is the newest message that somebody sees in a chat and whose content has a text in it.
func (o *office) newest(chat, as, text string) (feishusim.Message, bool) {
	all := o.Messages(chat, as)
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].SenderType == "app" && strings.Contains(all[i].Content, text) {
			return all[i], true
		}
	}
	return feishusim.Message{}, false
}

func (o *office) arrives(t *testing.T, chat, as, text string) feishusim.Message {
	t.Helper()
	o.until(t, "a message with "+text, func() bool { _, ok := o.newest(chat, as, text); return ok })
	m, _ := o.newest(chat, as, text)
	return m
}

func TestFeishuTakesEveryCardOfTheCorpus(t *testing.T) {
	o := newOffice(t, nil)
	corpus := cardtest.Corpus().Cards
	for i, p := range cardtest.Payloads() {
		corpus = append(corpus, cardtest.Card{Name: fmt.Sprintf("payload %d", i), Card: cardtest.Hostile(p)})
	}
	for i, c := range corpus {
		ref, err := o.feishu.Send(t.Context(), bot.Message{To: bot.Address{User: o.kai.OpenID}, Card: c.Card, Delivery: fmt.Sprintf("delivery-%d", i)})
		if err != nil {
			t.Errorf("%s: sending: %v", c.Name, err)
			continue
		}
		if i%8 == 0 || i < len(cardtest.Corpus().Cards) {
			if err := o.feishu.Update(t.Context(), ref, c.Card); err != nil {
				t.Errorf("%s: updating: %v", c.Name, err)
			}
		}
		o.clean(t, c.Name)
	}
}

// Whoever sends no faster than the paces say is never refused for it.
func TestThePacesKeepWithinFeishusLimits(t *testing.T) {
	o := newOffice(t, func(opt *feishusim.Options) { opt.Limits = feishusim.Limits{} })
	var people []string
	for i := range 40 {
		people = append(people, o.AddPerson(feishusim.Person{Name: fmt.Sprintf("Person %d", i)}).OpenID)
	}
	paces, now := o.feishu.Abilities().Paces, o.Now()
	start := now
	full := map[string]time.Time{} // by what is paced, when the allowance would be whole again
	wait := func(key string, r bot.Rate) time.Duration {
		if full[key].Before(now) {
			return 0
		}
		return max(0, full[key].Sub(now)-r.Per*time.Duration(r.Burst-1))
	}
	use := func(key string, r bot.Rate) {
		if full[key].Before(now) {
			full[key] = now
		}
		full[key] = full[key].Add(r.Per)
	}
	send := func(i int, to string) {
		t.Helper()
		if d := max(wait("", paces.Workspace), wait(to, paces.Place)); d > 0 {
			o.Advance(d)
			now = now.Add(d)
		}
		use("", paces.Workspace)
		use(to, paces.Place)
		if _, err := o.feishu.Send(t.Context(), bot.Message{To: bot.Address{User: to}, Card: card.Card{Title: "x"}, Delivery: fmt.Sprint(i)}); err != nil {
			t.Fatalf("message %d, after %s: %v", i, now.Sub(start), err)
		}
	}
	for i := range 1200 { // to everybody in turn, for more than a minute
		send(i, people[i%len(people)])
	}
	for i := range 30 { // and to one alone
		send(10_000+i, people[0])
	}
}

func TestFeishuTakesEveryFormOfTheCorpus(t *testing.T) {
	o := newOffice(t, nil)
	forms := cardtest.Corpus().Forms
	for i, p := range cardtest.Payloads() {
		if i%8 == 0 {
			forms = append(forms, cardtest.Form{Name: fmt.Sprintf("payload %d", i), Form: cardtest.HostileForm(p)})
		}
	}
	for _, f := range forms {
		if f.Name == "long" { // its text is longer than an input here; see TestATextTooLongForAFormIsNotCut
			continue
		}
		o.replies(bot.Reply{Form: &f.Form})
		if _, ack, err := o.Say(o.lin.OpenID, o.P2P(o.lin.OpenID), "/praise"); err != nil || ack.Failure != "" {
			t.Errorf("%s: asking for it: %+v, %v", f.Name, ack, err)
			continue
		}
		m := o.arrives(t, o.P2P(o.lin.OpenID), o.lin.OpenID, `"form_action_type":"submit"`)
		o.replies(bot.Reply{Errors: map[string]string{"text": "That is <at id=all></at> too short", "elsewhere": "Not on a Sunday"}})
		ack, err := o.Press(o.lin.OpenID, m.ID, feishusim.Press{Name: "_submit", Force: true})
		if err != nil || ack.Error != "" || ack.Toast == nil {
			t.Errorf("%s: a refused form is answered %+v, %v", f.Name, ack, err)
		}
		o.clean(t, f.Name)
	}
}

// Everything that a person can do in Feishu becomes an event, and its answer reaches the person.
func TestEveryDeedIsHeardAndAnswered(t *testing.T) {
	for _, mode := range []string{feishusim.Webhook, feishusim.Stream} {
		t.Run(mode, func(t *testing.T) {
			o := newOffice(t, func(opt *feishusim.Options) { opt.Mode = mode })
			if mode == feishusim.Stream {
				stop := o.run(t)
				defer stop()
			} else {
				for _, path := range []string{feishusim.EventsPath, feishusim.CardsPath} {
					if ok, ack := o.VerifyURL(path); !ok {
						t.Errorf("the address %s is not verified: %+v", path, ack)
					}
				}
			}
			deeds(t, o)
			o.clean(t, mode)
		})
	}
}

// run holds a long connection until the returned function is called.
func (o *office) run(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- o.feishu.Run(ctx, o.receive) }()
	o.until(t, "the long connection is open", func() bool { return o.Sockets() == 1 })
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
}

func deeds(t *testing.T, o *office) {
	t.Helper()
	lin, dm := o.lin.OpenID, o.P2P(o.lin.OpenID)
	show := func(title string) *card.Card {
		return &card.Card{Tone: card.Good, Title: title, Blocks: []card.Block{card.Buttons{Buttons: []card.Button{
			{Label: "One", Action: card.Act("choose", "1")}, {Label: "Two", Action: card.Act("choose", "2")}, {Label: "Page", URL: cardtest.Site},
		}}}}
	}
	press := func(what string, m feishusim.Message, p feishusim.Press) feishusim.Ack {
		t.Helper()
		ack, err := o.Press(lin, m.ID, p)
		if err != nil || ack.Error != "" || ack.Failure != "" {
			t.Fatalf("%s is answered %+v, %v", what, ack, err)
		}
		return ack
	}
	say := func(what, chat, text string) feishusim.Message {
		t.Helper()
		m, ack, err := o.Say(lin, chat, text)
		if err != nil || ack.Failure != "" || ack.Delivery == 0 {
			t.Fatalf("%s is answered %+v, %v", what, ack, err)
		}
		return m
	}
	// A command typed in the conversation with the bot, with a mention.
	o.replies(bot.Reply{Card: show("Which one?")})
	said := say("a direct message", dm, "/praise @kai thanks & <3")
	e := o.last(t)
	if e.ID != said.ID || e.Platform != feishu.Name || e.Tenant != o.TenantKey() || e.User != lin || e.Where != (bot.Place{Channel: dm, Kind: bot.Direct}) {
		t.Errorf("the direct message came as %+v", e)
	}
	if c := e.Command; c == nil || c.Name != "" || len(c.Parts) != 3 || c.Parts[0].Text != "/praise " || c.Parts[1].Mention.User != o.kai.OpenID || c.Parts[2].Text != " thanks & <3" {
		t.Errorf("the words came as %+v", c)
	}
	m := o.arrives(t, dm, lin, "Which one?")
	// A button, whose answer takes the card's place.
	o.replies(bot.Reply{Card: show("Chosen"), Replace: true})
	if ack := press("a button", m, feishusim.Press{Text: "Two"}); !ack.Card {
		t.Errorf("the card is not replaced: %+v", ack)
	}
	e = o.last(t)
	if a := e.Action; a == nil || a.Name != "choose" || a.Arg(0) != "2" {
		t.Errorf("the press came as %+v", a)
	}
	if e.Where != (bot.Place{Channel: dm, Kind: bot.Direct, Message: bot.Ref{Channel: lin, ID: m.ID}}) {
		t.Errorf("the press came from %+v", e.Where)
	}
	if now, _ := o.Message(m.ID); !strings.Contains(now.Content, "Chosen") {
		t.Error("the card in the conversation is not the new one")
	}
	// A button with an answer of its own: a line, and a message.
	o.replies(bot.Reply{Card: show("Noted")})
	if ack := press("a button", m, feishusim.Press{Text: "One"}); ack.Card || ack.Toast == nil || !strings.Contains(ack.Toast.Content, "Noted") || ack.Toast.Type != "success" {
		t.Errorf("the press is answered %+v", ack.Toast)
	}
	o.arrives(t, dm, lin, "Noted")
	// A mention in a group, answered to the person alone.
	o.replies(bot.Reply{Card: show("For you")})
	say("a mention", o.group, "@回音 praise @kai well done")
	if e := o.last(t); e.Where.Kind != bot.Channel || e.Where.Channel != o.group || len(e.Command.Parts) != 3 || e.Command.Parts[0].Text != "praise " {
		t.Errorf("the mention came as %+v %+v", e.Where, e.Command.Parts)
	}
	o.arrives(t, dm, lin, "For you")
	if _, seen := o.newest(o.group, "", "For you"); seen {
		t.Error("the private answer to a mention stands in the group")
	}
	// A public answer stands in the group; its button answers the person alone, or replaces the card for everybody.
	o.replies(bot.Reply{Card: show("For all"), Public: true})
	say("a mention", o.group, "@回音 praise @kai well done")
	inGroup := o.arrives(t, o.group, o.kai.OpenID, "For all")
	o.replies(bot.Reply{Card: &card.Card{Tone: card.Private, Title: "Secret"}, Replace: true})
	if ack := press("a button in a group", inGroup, feishusim.Press{Text: "One"}); ack.Card {
		t.Error("a private card took the place of everybody's")
	}
	if e := o.last(t); e.Where != (bot.Place{Channel: o.group, Kind: bot.Channel, Message: bot.Ref{Channel: o.group, ID: inGroup.ID}}) {
		t.Errorf("the press in the group came from %+v", e.Where)
	}
	o.arrives(t, dm, lin, "Secret")
	o.replies(bot.Reply{Card: show("Changed for all"), Replace: true, Public: true})
	if ack := press("a button in a group", inGroup, feishusim.Press{Text: "One"}); !ack.Card {
		t.Error("the card in the group is not replaced")
	}
	// What is said in the group without the bot is not heard.
	heard := o.count()
	if _, ack, err := o.Say(lin, o.group, "@kai lunch?"); err != nil || ack.Delivery != 0 || o.count() != heard {
		t.Errorf("the bot listens in a group: %+v, %v", ack, err)
	}
	forms(t, o, press, say)
	// The menu.
	o.replies(bot.Reply{Card: show("Help")})
	if ack, err := o.Menu(lin, "help"); err != nil || ack.Failure != "" {
		t.Errorf("the menu is answered %+v, %v", ack, err)
	}
	if e := o.last(t); e.Command == nil || e.Command.Name != "help" || e.Where.Kind != bot.Direct || e.User != lin {
		t.Errorf("the menu came as %+v", e)
	}
	o.arrives(t, dm, lin, "Help")
	// People who come, change and go.
	joined, _ := o.Join(feishusim.Person{Handle: "mei", Name: "王梅", Email: "mei@example.com"})
	o.ChangePerson(o.kai.OpenID, func(p *feishusim.Person) { p.JobTitle = "Engineer" })
	o.ChangePerson(joined.OpenID, func(p *feishusim.Person) { p.Resigned = true })
	for range 3 {
		got := <-o.refresh
		switch {
		case got.ID == joined.OpenID && got.Kind == bot.Member && got.Email == "mei@example.com":
		case got.ID == joined.OpenID && got.Kind == bot.Gone:
		case got.ID == o.kai.OpenID && got.Title == "Engineer":
		default:
			t.Errorf("handed on %+v", got)
		}
	}
	// Feishu's own kinds of event that we do not know.
	if ack := o.Emit("im.message.reaction.created_v1", map[string]any{"message_id": m.ID}); ack.Failure != "" {
		t.Errorf("an unknown event is answered %+v", ack)
	}
}

// forms goes through everything that a form can do, asked for in a group.
func forms(t *testing.T, o *office, press func(string, feishusim.Message, feishusim.Press) feishusim.Ack, say func(string, string, string) feishusim.Message) {
	t.Helper()
	lin, dm := o.lin.OpenID, o.P2P(o.lin.OpenID)
	form := card.Form{Title: "Everything", Submit: "Save", Intro: []card.Block{card.Say("Please fill in.")}, Action: card.Act("all.save", "7"), Fields: []card.Field{
		card.TextField{Name: "text", Label: "Text", Multiline: true, Max: 1000},
		card.PeopleField{Name: "to", Label: "To", Max: 5, Candidates: []card.Option{{Value: lin, Label: "林晓"}, {Value: o.kai.OpenID, Label: "Kai"}}},
		card.PeopleField{Name: "boss", Label: "Boss", Max: 1, Optional: true, Candidates: []card.Option{{Value: o.kai.OpenID, Label: "Kai"}, {Value: "person:1", Label: "Somebody without Feishu"}}},
		card.PeopleField{Name: "names", Label: "Names", Optional: true},
		card.DateField{Name: "by", Label: "By", Optional: true},
		card.ChoiceField{Name: "one", Label: "One", Options: []card.Option{{Value: "a", Label: "A"}, {Value: "b", Label: "B"}}},
		card.ChoiceField{Name: "many", Label: "Many", Many: true, Optional: true, Options: []card.Option{{Value: "a", Label: "A"}, {Value: "b", Label: "B"}}},
	}}
	o.replies(bot.Reply{Form: &form, Lang: i18n.English})
	say("a bare command", o.group, "@回音 /praise")
	m := o.arrives(t, dm, lin, "all.save")
	if _, seen := o.newest(o.group, "", "all.save"); seen {
		t.Error("the form stands in the group")
	}
	filled := feishusim.Press{Text: "Save", Form: map[string]feishusim.Input{
		"text": {"Thank you & <at id=all></at>\u200b"}, "to": {lin, o.kai.OpenID}, "boss": {"person:1"}, "names__names": {"林晓、@Kai Weber"}, "by": {"2026-01-30"},
		"one": {"b"}, "many": {"a", "b"},
	}}
	o.replies(bot.Reply{Errors: map[string]string{"to": "Not yourself", "elsewhere": "Not today"}})
	ack := press("a form with something wrong", m, filled)
	now, _ := o.Message(m.ID)
	if !ack.Card || ack.Toast == nil || ack.Toast.Type != "error" || !strings.Contains(ack.Toast.Content, "Not yourself") {
		t.Errorf("a refused form is answered %+v", ack)
	}
	for _, kept := range []string{"Please fill in.", "Not yourself", "Not today", `Thank you & <at id=all></at>`, `"selected_values":["` + lin, `"initial_option":"person:1"`, `"initial_date":"2026-01-30"`, "@林晓, @Kai Weber", `"initial_option":"b"`} {
		if !strings.Contains(now.Content, kept) {
			t.Errorf("the form that is drawn again lacks %s", kept)
		}
	}
	o.replies(bot.Reply{Card: &card.Card{Tone: card.Good, Title: "Saved"}})
	if ack := press("the form that was drawn again", m, feishusim.Press{Text: "Save"}); !ack.Card {
		t.Errorf("a form that is done is answered %+v", ack)
	}
	e := o.last(t)
	if e.Form == nil || e.Form.Name != "all.save" || e.Form.Arg(0) != "7" || e.User != lin || e.Where.Channel != o.group || e.Where.Kind != bot.Channel || e.Lang != i18n.English {
		t.Fatalf("the submission came as %+v", e)
	}
	for name, want := range map[string]string{
		"text": "Thank you & <at id=all></at>", "to": lin + " " + o.kai.OpenID, "boss": "person:1", "names": "@林晓 @Kai Weber", "by": "2026-01-30", "one": "b", "many": "a b",
	} {
		if got := strings.Join(e.Form.Values[name], " "); got != want {
			t.Errorf("%s came as %q, want %q", name, got, want)
		}
	}
	if done, _ := o.Message(m.ID); !strings.Contains(done.Content, "Saved") || strings.Contains(done.Content, "_submit") {
		t.Error("a form that is done can be sent again")
	}
	// A form asked for by a button, done without a word.
	o.replies(bot.Reply{Card: &card.Card{Title: "Ask", Blocks: []card.Block{card.Buttons{Buttons: []card.Button{{Label: "Edit", Action: card.Act("edit", "1")}}}}}})
	say("a command", dm, "edit")
	asked := o.arrives(t, dm, lin, "Edit")
	o.replies(bot.Reply{Form: &card.Form{Title: "Edit it", Action: card.Act("edit.save"), Submit: "Send", Fields: []card.Field{card.TextField{Name: "text", Label: "Text"}}}})
	press("a button for a form", asked, feishusim.Press{Text: "Edit"})
	m = o.arrives(t, dm, lin, "edit.save")
	o.replies(bot.Reply{})
	if ack := press("a form", m, feishusim.Press{Text: "Send", Form: map[string]feishusim.Input{"text": {"x"}}}); !ack.Card {
		t.Errorf("a form that is done without a word is answered %+v", ack)
	}
	// One whose answer is for everybody.
	o.replies(bot.Reply{Form: &form})
	say("a bare command", o.group, "@回音 /praise")
	m = o.arrives(t, dm, lin, "all.save")
	o.replies(bot.Reply{Card: &card.Card{Title: "Everybody look"}, Public: true})
	press("a form for everybody", m, filled)
	o.arrives(t, o.group, o.kai.OpenID, "Everybody look")
}
