package slack_test

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
	"huiyin/bot/sim/slacksim"
	"huiyin/bot/slack"
	"huiyin/internal/fault"
	"huiyin/internal/i18n"
)

const patience = 10 * time.Second // how long a test waits for what must come

// office is a strict workspace, the adapter in it and a product that answers as it is told, all over HTTP.
type office struct {
	*slacksim.Server
	slack    *slack.Slack
	lin, kai string
	general  string
	refresh  chan bot.Account

	mu     sync.Mutex
	answer bot.Receive
	heard  []bot.Event
}

func newOffice(t *testing.T, change func(*slacksim.Options)) *office {
	t.Helper()
	catalog, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	o := &office{refresh: make(chan bot.Account, 10)}
	options := slacksim.Options{
		Team: slacksim.Team{ID: "T0HUIYIN", Name: "Huiyin", Domain: "huiyin"}, SigningSecret: "8f742231b10e8888abcd99yyyzzz85a5", BotToken: "xoxb-sim", AppToken: "xapp-sim",
		Limits: slacksim.Limits{Off: true}, PageSize: 2,
	}
	if change != nil {
		change(&options)
	}
	o.Server = slacksim.New(options)
	server := httptest.NewServer(o.Handler())
	o.SetBaseURL(server.URL)
	o.slack, err = slack.New(slack.Config{
		SigningSecret: options.SigningSecret, BotToken: options.BotToken, AppToken: options.AppToken, APIURL: o.APIURL(), Now: o.Now,
		Log: slog.New(slog.NewTextHandler(logTo(t), nil)), Catalog: catalog, Refresh: func(_ context.Context, a bot.Account) { o.refresh <- a },
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for pattern, h := range o.slack.Routes(o.receive) {
		mux.Handle(pattern, h)
	}
	us := httptest.NewServer(mux)
	o.SetBotURL(us.URL)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := o.slack.Close(ctx); err != nil {
			t.Errorf("closing the adapter: %v", err)
		}
		o.Close()
		us.Close()
		server.Close()
	})
	o.lin = o.AddPerson(slacksim.Person{Handle: "lin", RealName: "林晓", Email: "lin@example.com"}).ID
	o.kai = o.AddPerson(slacksim.Person{Handle: "kai", RealName: "Kai", Locale: "en-US", TZ: "Europe/Berlin"}).ID
	o.AddPerson(slacksim.Person{ID: cardtest.Someone, Handle: "someone", RealName: "Someone"})
	o.general = o.AddChannel(slacksim.Channel{Name: "general", Members: []string{o.lin, o.kai, o.BotUser()}}).ID
	return o
}

// logTo shows what the adapter logged when the test fails.
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

// until waits for something to become true in the workspace.
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

// clean fails for every fault that the strict workspace has found and every request that it refused.
func (o *office) clean(t *testing.T, what string) {
	t.Helper()
	for _, f := range o.Findings() {
		t.Errorf("%s: %s %s at %s %s (%s, %d characters)", what, f.Severity, f.Rule, f.Method, f.Pointer, f.Detail, f.Length)
	}
	for _, c := range o.Calls() {
		if c.Status != http.StatusOK || strings.Contains(string(c.Answer), `"ok":false`) {
			t.Errorf("%s: %s was answered %d %s", what, c.Method, c.Status, c.Answer)
		}
	}
	o.Reset()
}

func (o *office) views(user string) func() bool {
	return func() bool { return len(o.Views(user)) > 0 }
}

func TestSlackTakesEveryCardOfTheCorpus(t *testing.T) {
	o := newOffice(t, nil)
	corpus := cardtest.Corpus().Cards
	for i, p := range cardtest.Payloads() {
		if i%8 == 0 {
			corpus = append(corpus, cardtest.Card{Name: fmt.Sprintf("payload %d", i), Card: cardtest.Hostile(p)})
		}
	}
	for i, c := range corpus {
		m := bot.Message{To: bot.Address{User: o.kai}, Card: c.Card, Delivery: fmt.Sprintf("delivery-%d", i), Since: o.Now()}
		ref, err := o.slack.Send(t.Context(), m)
		if err != nil {
			t.Errorf("%s: sending: %v", c.Name, err)
			continue
		}
		if found, ok, err := o.slack.Find(t.Context(), m); err != nil || !ok || found != ref {
			t.Errorf("%s: found %v at %+v, %v; it was sent to %+v", c.Name, ok, found, err, ref)
		}
		if err := o.slack.Update(t.Context(), ref, c.Card); err != nil {
			t.Errorf("%s: updating: %v", c.Name, err)
		}
		if err := o.slack.PublishHome(t.Context(), o.kai, c.Card); err != nil {
			t.Errorf("%s: publishing: %v", c.Name, err)
		}
		o.clean(t, c.Name)
	}
}

func TestSlackTakesEveryCardAsAnAnswer(t *testing.T) {
	o := newOffice(t, nil)
	form := card.Form{Title: "Form", Submit: "Send", Action: card.Act("form.send"), Fields: []card.Field{card.TextField{Name: "text", Label: "Text", Optional: true}}}
	for _, c := range cardtest.Corpus().Cards {
		for _, public := range []bool{false, true} {
			o.replies(bot.Reply{Card: &c.Card, Public: public})
			ack, err := o.Slash(o.lin, o.general, "/praise", "@kai thanks")
			if err != nil || ack.Error != "" || ack.Message == nil {
				t.Errorf("%s: a command is answered %+v, %v", c.Name, ack, err)
				continue
			}
			if seen := ack.Message.EphemeralTo == ""; seen != (public && c.Card.Tone != card.Private) {
				t.Errorf("%s: the answer is everybody's: %v", c.Name, seen)
			}
		}
		o.replies(bot.Reply{Form: &form})
		if _, err := o.Slash(o.lin, o.general, "/praise", ""); err != nil {
			t.Fatal(err)
		}
		o.until(t, "a form is open", o.views(o.lin))
		o.replies(bot.Reply{Card: &c.Card})
		ack, err := o.Submit(o.lin, o.Views(o.lin)[0].ID, nil)
		if err != nil || ack.Action != "update" {
			t.Errorf("%s: as the answer to a form: %+v, %v", c.Name, ack, err)
		}
		o.Reload(o.lin)
		o.clean(t, c.Name)
	}
}

func TestSlackTakesEveryFormOfTheCorpus(t *testing.T) {
	o := newOffice(t, nil)
	forms := cardtest.Corpus().Forms
	for i, p := range cardtest.Payloads() {
		if i%40 == 0 {
			forms = append(forms, cardtest.Form{Name: fmt.Sprintf("payload %d", i), Form: cardtest.HostileForm(p)})
		}
	}
	for _, f := range forms {
		o.replies(bot.Reply{Form: &f.Form})
		if ack, err := o.Slash(o.lin, o.general, "/praise", ""); err != nil || ack.Error != "" {
			t.Errorf("%s: asking for it: %+v, %v", f.Name, ack, err)
			continue
		}
		o.until(t, f.Name+" is open", o.views(o.lin))
		o.clean(t, f.Name)
		o.Reload(o.lin)
	}
}

func TestAFilledFormComesBack(t *testing.T) {
	o := newOffice(t, nil)
	form := card.Form{Title: "Everything", Submit: "Save", Action: card.Act("all.save", "7"), Fields: []card.Field{
		card.TextField{Name: "text", Label: "Text", Multiline: true, Max: 1000},
		card.PeopleField{Name: "to", Label: "To", Max: 5},
		card.PeopleField{Name: "boss", Label: "Boss", Max: 1, Optional: true},
		card.DateField{Name: "by", Label: "By", Optional: true},
		card.ChoiceField{Name: "one", Label: "One", Options: []card.Option{{Value: "a", Label: "A"}, {Value: "b", Label: "B"}}},
		card.ChoiceField{Name: "many", Label: "Many", Many: true, Optional: true, Options: []card.Option{{Value: "a", Label: "A"}, {Value: "b", Label: "B"}}},
	}}
	o.replies(bot.Reply{Form: &form})
	if _, err := o.Slash(o.lin, o.general, "/praise", ""); err != nil {
		t.Fatal(err)
	}
	o.until(t, "the form is open", o.views(o.lin))
	view := o.Views(o.lin)[0].ID
	values := map[string]map[string]slacksim.Input{
		"text": {"value": {"Thank you & <!channel>\u200b"}}, "to": {"value": {o.kai, cardtest.Someone}}, "boss": {"value": {o.kai}}, "by": {"value": {"2026-01-30"}},
		"one": {"value": {"b"}}, "many": {"value": {"a", "b"}},
	}
	o.replies(bot.Reply{Errors: map[string]string{"text": "Too short", "to": "Not yourself"}})
	ack, err := o.Submit(o.lin, view, values)
	if err != nil || ack.Action != "errors" || len(ack.Errors) != 2 {
		t.Errorf("a refused form: %+v, %v", ack, err)
	}
	o.replies(bot.Reply{})
	if ack, err = o.Submit(o.lin, view, values); err != nil || ack.Action != "clear" || len(o.Views(o.lin)) != 0 {
		t.Errorf("a form that is done: %+v, %v", ack, err)
	}
	e := o.last(t)
	if e.Form == nil || e.Form.Name != "all.save" || e.Form.Arg(0) != "7" || e.User != o.lin || e.Where.Channel != o.general || e.Where.Kind != bot.Channel {
		t.Fatalf("the submission came as %+v", e)
	}
	for name, want := range map[string]string{
		"text": "Thank you & <!channel>", "to": o.kai + " " + cardtest.Someone, "boss": o.kai, "by": "2026-01-30", "one": "b", "many": "a b",
	} {
		if got := strings.Join(e.Form.Values[name], " "); got != want {
			t.Errorf("%s came as %q, want %q", name, got, want)
		}
	}
	o.clean(t, "a filled form")
}

// Everything that a person can do in Slack becomes an event, and its answer reaches the person.
func TestEveryDeedIsHeardAndAnswered(t *testing.T) {
	for _, socket := range []bool{false, true} {
		t.Run(fmt.Sprintf("socket mode %v", socket), func(t *testing.T) {
			o := newOffice(t, func(opt *slacksim.Options) { opt.SocketMode = socket })
			if socket {
				ctx, stop := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() { done <- o.slack.Run(ctx, o.receive) }()
				defer func() {
					stop()
					if err := <-done; err != nil {
						t.Errorf("Run: %v", err)
					}
				}()
				o.until(t, "Socket Mode is connected", func() bool { return o.Sockets() == 1 })
			} else if ok, ack := o.VerifyURL(); !ok {
				t.Errorf("the address is not verified: %+v", ack)
			}
			deeds(t, o)
		})
	}
}

func deeds(t *testing.T, o *office) {
	t.Helper()
	said := func(channel, as, title string) func() bool {
		return func() bool {
			for _, m := range o.Messages(channel, as) {
				if strings.Contains(string(m.Blocks), title) {
					return true
				}
			}
			return false
		}
	}
	show := func(title string) *card.Card {
		return &card.Card{Title: title, Blocks: []card.Block{card.Buttons{Buttons: []card.Button{
			{Label: "One", Action: card.Act("choose", "1")}, {Label: "Two", Action: card.Act("choose", "2")}, {Label: "Page", URL: cardtest.Site},
		}}}}
	}
	// A slash command with mentions.
	o.replies(bot.Reply{Card: show("Which one?")})
	ack, err := o.Slash(o.lin, o.general, "/praise", "@kai thanks & <3")
	if err != nil || ack.Error != "" || ack.Message == nil {
		t.Fatalf("a command is answered %+v, %v", ack, err)
	}
	e := o.last(t)
	if e.Command == nil || e.Command.Name != "praise" || len(e.Command.Parts) != 2 || e.Command.Parts[0].Mention.User != o.kai || e.Command.Parts[1].Text != " thanks & <3" {
		t.Errorf("the command came as %+v", e.Command)
	}
	// A button under an ephemeral answer, replaced through the response address.
	o.replies(bot.Reply{Card: show("Chosen"), Replace: true})
	if ack, err := o.Click(o.lin, slacksim.Place{Channel: o.general, TS: ack.Message.TS}, slacksim.Press{Action: "choose#2"}); err != nil || ack.Error != "" {
		t.Fatalf("a button is answered %+v, %v", ack, err)
	}
	if a := o.last(t).Action; a == nil || a.Name != "choose" || a.Arg(0) != "2" {
		t.Errorf("the press came as %+v", a)
	}
	o.until(t, "the answer is replaced", said(o.general, o.lin, "Chosen"))
	// A direct message, and the button under its answer.
	o.replies(bot.Reply{Card: show("In private")})
	dm := o.DM(o.lin)
	if _, ack, err := o.Say(o.lin, dm, "praise @kai thanks"); err != nil || ack.Error != "" {
		t.Errorf("a direct message is answered %+v, %v", ack, err)
	}
	o.until(t, "the direct message is answered", said(dm, o.lin, "In private"))
	if e := o.last(t); e.Where.Kind != bot.Direct || e.Command == nil || e.Command.Name != "" {
		t.Errorf("the direct message came as %+v", e)
	}
	var ts string
	for _, m := range o.Messages(dm, o.lin) {
		if m.BotID != "" {
			ts = m.TS
		}
	}
	o.replies(bot.Reply{Card: show("Changed"), Replace: true})
	if ack, err := o.Click(o.lin, slacksim.Place{Channel: dm, TS: ts}, slacksim.Press{Action: "choose"}); err != nil || ack.Error != "" {
		t.Errorf("a button in a direct message is answered %+v, %v", ack, err)
	}
	o.until(t, "the message is replaced", said(dm, o.lin, "Changed"))
	if e := o.last(t); e.Where.Message != (bot.Ref{Channel: dm, ID: ts}) {
		t.Errorf("the press came from %+v", e.Where)
	}
	// A mention in a channel, answered to the person alone.
	o.replies(bot.Reply{Card: show("For you")})
	if _, ack, err := o.Say(o.lin, o.general, "@huiyin praise @kai"); err != nil || ack.Error != "" {
		t.Errorf("a mention is answered %+v, %v", ack, err)
	}
	o.until(t, "the mention is answered", said(o.general, o.lin, "For you"))
	if said(o.general, o.kai, "For you")() {
		t.Error("others read the answer to a mention")
	}
	// A form asked for in words: a button, then the form.
	o.replies(bot.Reply{Form: &card.Form{Title: "Praise", Submit: "Send", Action: card.Act("praise.send"), Fields: []card.Field{card.TextField{Name: "text", Label: "Text"}}}})
	if _, _, err := o.Say(o.lin, dm, "praise"); err != nil {
		t.Error(err)
	}
	o.until(t, "a button for the form is there", said(dm, o.lin, "~form"))
	for _, m := range o.Messages(dm, o.lin) {
		ts = m.TS
	}
	if ack, err := o.Click(o.lin, slacksim.Place{Channel: dm, TS: ts}, slacksim.Press{Action: "~form"}); err != nil || ack.Error != "" {
		t.Errorf("the button for the form is answered %+v, %v", ack, err)
	}
	o.until(t, "the form is open", o.views(o.lin))
	if c := o.last(t).Command; c == nil || len(c.Parts) != 1 || c.Parts[0].Text != "praise" {
		t.Errorf("the words came back as %+v", c)
	}
	// The answer to the form is a modal of its own; a button in it puts another on top.
	o.replies(bot.Reply{Card: show("Sent")})
	if ack, err := o.Submit(o.lin, o.Views(o.lin)[0].ID, map[string]map[string]slacksim.Input{"text": {"value": {"thanks"}}}); err != nil || ack.Action != "update" {
		t.Errorf("a submission is answered %+v, %v", ack, err)
	}
	for depth := 1; depth <= 3; depth++ {
		views := o.Views(o.lin)
		if ack, err := o.Click(o.lin, slacksim.Place{View: views[len(views)-1].ID}, slacksim.Press{Action: "choose"}); err != nil || ack.Error != "" {
			t.Errorf("a button in a modal is answered %+v, %v", ack, err)
		}
		want := min(depth+1, 3)
		o.until(t, "a modal lies on the modal", func() bool { return len(o.Views(o.lin)) == want })
	}
	o.until(t, "the third modal is replaced", func() bool {
		calls := o.Calls()
		return calls[len(calls)-1].Method == "views.update"
	})
	o.Reload(o.lin)
	// The home page, and a button on it.
	o.replies(bot.Reply{Home: show("At home")})
	if ack, err := o.OpenHome(o.lin); err != nil || ack.Error != "" {
		t.Errorf("opening the home page is answered %+v, %v", ack, err)
	}
	o.until(t, "the home page is there", func() bool {
		v, ok := o.Home(o.lin)
		return ok && strings.Contains(string(v.Blocks), "At home")
	})
	home, _ := o.Home(o.lin)
	o.replies(bot.Reply{Home: show("Home again")})
	if ack, err := o.Click(o.lin, slacksim.Place{View: home.ID}, slacksim.Press{Action: "choose"}); err != nil || ack.Error != "" {
		t.Errorf("a button at home is answered %+v, %v", ack, err)
	}
	o.until(t, "the home page is new", func() bool {
		v, _ := o.Home(o.lin)
		return strings.Contains(string(v.Blocks), "Home again")
	})
	// A global shortcut opens a form.
	o.replies(bot.Reply{Form: &card.Form{Title: "Praise", Submit: "Send", Action: card.Act("praise.send"), Fields: []card.Field{card.TextField{Name: "text", Label: "Text"}}}})
	if ack, err := o.Shortcut(o.lin, "praise", nil); err != nil || ack.Error != "" {
		t.Errorf("a shortcut is answered %+v, %v", ack, err)
	}
	o.until(t, "the form is open", o.views(o.lin))
	if _, err := o.CloseView(o.lin, o.Views(o.lin)[0].ID, true); err != nil {
		t.Error(err)
	}
	// People who come and change.
	joined := o.Join(slacksim.Person{Handle: "mei", RealName: "王梅", Email: "mei@example.com"})
	o.ChangePerson(o.kai, func(p *slacksim.Person) { p.Deleted = true })
	for _, want := range []bot.Account{{ID: joined.ID, Kind: bot.Member}, {ID: o.kai, Kind: bot.Gone}} {
		if got := <-o.refresh; got.ID != want.ID || got.Kind != want.Kind {
			t.Errorf("handed on %+v, want %+v", got, want)
		}
	}
	var refused []slacksim.Call
	for _, c := range o.Calls() {
		if strings.Contains(string(c.Answer), `"ok":false`) && c.Method != "views.push" { // the fourth modal is one too many
			refused = append(refused, c)
		}
	}
	for _, c := range refused {
		t.Errorf("%s was answered %d %s", c.Method, c.Status, c.Answer)
	}
	for _, f := range o.Findings() {
		t.Errorf("%s %s at %s %s (%s)", f.Severity, f.Rule, f.Method, f.Pointer, f.Detail)
	}
}

func TestTheDirectoryIsListedToTheEnd(t *testing.T) {
	o := newOffice(t, nil) // pages of two
	o.AddPerson(slacksim.Person{Handle: "guest", Restricted: true})
	o.AddPerson(slacksim.Person{Handle: "gone", Deleted: true})
	kinds := map[bot.AccountKind]int{}
	pages := 0
	if err := o.slack.Accounts(t.Context(), func(page []bot.Account) error {
		pages++
		for _, a := range page {
			kinds[a.Kind]++
			if a.ID == o.lin && (a.Name != "林晓" || a.Email != "lin@example.com" || a.TimeZone != "Asia/Shanghai" || a.Lang != "zh-CN") {
				t.Errorf("an account came as %+v", a)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if kinds[bot.Member] != 3 || kinds[bot.Guest] != 1 || kinds[bot.Gone] != 1 || kinds[bot.Robot] < 1 || pages < 3 {
		t.Errorf("listed %v in %d pages", kinds, pages)
	}
	if tenant, err := o.slack.Tenant(t.Context()); err != nil || tenant != "T0HUIYIN" {
		t.Errorf("the tenant is %q, %v", tenant, err)
	}
}

// R03: what was accepted without an answer is found before it is sent again, and what was not is sent again.
func TestAnUnknownOutcomeIsSettledByLooking(t *testing.T) {
	o := newOffice(t, nil)
	c := card.Card{Title: "Lin thanked you", Blocks: []card.Block{card.Quoted("thanks")}}
	for i := range 20 {
		m := bot.Message{To: bot.Address{User: o.kai}, Card: c, Delivery: fmt.Sprintf("d%d", i), Since: o.Now()}
		f := []slacksim.Fault{{AcceptThenDrop: true}, {Status: 500}, {RetryAfter: 1}, {Error: "internal_error"}}[i%4]
		o.SetFault("chat.postMessage", f)
		_, err := o.slack.Send(t.Context(), m)
		o.SetFault("chat.postMessage")
		if known := fault.Is(err, fault.Unavailable); err == nil || known != (f.RetryAfter > 0) {
			t.Errorf("%s: sending ended with %v", f, err)
		}
		_, found, err := o.slack.Find(t.Context(), m)
		if err != nil || found != f.AcceptThenDrop {
			t.Errorf("%s: found %v, %v", f, found, err)
		}
		if !found {
			if _, err := o.slack.Send(t.Context(), m); err != nil {
				t.Errorf("%s: sending again: %v", f, err)
			}
		}
	}
	if n := len(o.Messages(o.DM(o.kai), o.kai)); n != 20 {
		t.Errorf("%d messages arrived, want 20: none lost, none twice", n)
	}
}

func TestAnEventIsRedeliveredUntilItIsServed(t *testing.T) {
	o := newOffice(t, nil)
	away := true
	o.answer = func(context.Context, bot.Event) (bot.Reply, error) {
		if away {
			away = false
			return bot.Reply{}, fault.New(fault.Unavailable, "storage.away")
		}
		return bot.Reply{}, nil
	}
	if _, ack, err := o.Say(o.lin, o.DM(o.lin), "help"); err != nil || ack.Error != "" {
		t.Errorf("the event ended with %+v, %v", ack, err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.heard) != 2 || o.heard[0].ID != o.heard[1].ID {
		t.Errorf("heard %d events, want the same one twice", len(o.heard))
	}
}
