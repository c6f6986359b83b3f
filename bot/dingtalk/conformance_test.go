package dingtalk_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/bot/card/cardtest"
	"huiyin/bot/dingtalk"
	"huiyin/bot/sim/dingtalksim"
	"huiyin/internal/fault"
	"huiyin/internal/i18n"
)

const patience = 10 * time.Second // how long a test waits for what must come

// office is a strict firm, the adapter in it and a product that answers as it is told, all over HTTP.
type office struct {
	*dingtalksim.Server
	bot      *dingtalk.DingTalk
	lin, kai dingtalksim.Person
	group    dingtalksim.Chat
	refresh  chan bot.Account

	mu     sync.Mutex
	answer bot.Receive
	heard  []bot.Event
	kept   map[string][]byte
	pages  int
}

// templateOf is the template that we ship, as the card platform would have it.
func templateOf(t *testing.T) dingtalksim.Template {
	t.Helper()
	raw, err := os.ReadFile("../../deploy/dingtalk/card-template.json")
	if err != nil {
		t.Fatal(err)
	}
	out := dingtalksim.Template{ID: "huiyin.schema"}
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatalf("reading the template that we ship: %v", err)
	}
	return out
}

func newOffice(t *testing.T, mode string, template bool, change func(*dingtalksim.Options)) *office {
	t.Helper()
	catalog, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	o := &office{refresh: make(chan bot.Account, 10), kept: map[string][]byte{}}
	options := dingtalksim.Options{
		ClientID: "dinghuiyin01", ClientSecret: "secret", EventToken: "mryue", EventAESKey: "Yue0EfdN5900c1ce5cf6A152c63DDe1808a60c5ecd7", Mode: mode,
		Limits: dingtalksim.Limits{Off: true}, PageSize: 2, Templates: []dingtalksim.Template{templateOf(t)},
	}
	if change != nil {
		change(&options)
	}
	o.Server = dingtalksim.New(options)
	server := httptest.NewServer(o.Handler())
	o.SetBaseURL(server.URL)
	mux := http.NewServeMux()
	us := httptest.NewServer(mux)
	o.SetBotURL(us.URL)
	cfg := dingtalk.Config{
		ClientID: options.ClientID, ClientSecret: options.ClientSecret, APIURL: server.URL, OAPIURL: server.URL, Mode: mode, PublicURL: us.URL,
		EventToken: options.EventToken, EventAESKey: options.EventAESKey, Pages: o, Sessions: o, Now: o.Now, Catalog: catalog, Lang: i18n.English,
		Log: slog.New(slog.NewTextHandler(logTo(t), nil)), Refresh: func(_ context.Context, a bot.Account) { o.refresh <- a },
	}
	if template {
		cfg.CardTemplateID = "huiyin.schema"
	}
	if o.bot, err = dingtalk.New(cfg); err != nil {
		t.Fatal(err)
	}
	for pattern, h := range o.bot.Routes(o.receive) {
		mux.Handle(pattern, h)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	if mode == dingtalksim.Stream {
		go func() { done <- o.bot.Run(ctx, o.receive) }()
	} else {
		done <- nil
	}
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("the stream ended with %v", err)
		}
		end, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := o.bot.Close(end); err != nil {
			t.Errorf("closing the adapter: %v", err)
		}
		for _, f := range o.MustFindings() {
			t.Errorf("DingTalk would object: %+v", f)
		}
		o.Server.Close()
		us.Close()
		server.Close()
	})
	o.lin = o.AddPerson(dingtalksim.Person{UserID: "lin", Name: "林晓"})
	o.kai = o.AddPerson(dingtalksim.Person{UserID: "kai", Name: "王凯"})
	_, robot := o.Bot()
	o.group = o.AddChat(dingtalksim.Chat{Kind: dingtalksim.Group, Name: "产品组", Members: []string{o.lin.UserID, o.kai.UserID, robot}})
	if mode == dingtalksim.Stream {
		o.until(t, "the stream is connected", func() bool { return o.Sockets() == 1 })
	}
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

func (o *office) events() []bot.Event {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]bot.Event(nil), o.heard...)
}

// last is the last event that the product heard.
func (o *office) last(t *testing.T) bot.Event {
	t.Helper()
	all := o.events()
	if len(all) == 0 {
		t.Fatal("the product heard nothing")
	}
	return all[len(all)-1]
}

// Form and Button are pages that lead nowhere.
func (o *office) Form(context.Context, bot.Reader, card.Form) (string, error) {
	return o.page("form"), nil
}

func (o *office) Button(context.Context, bot.Reader, card.Button) (string, error) {
	return o.page("button"), nil
}

func (o *office) page(kind string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pages++
	return fmt.Sprintf("https://bot.example/p/%s/%d", kind, o.pages)
}

// Put and Get keep sessions.
func (o *office) Put(_ context.Context, key string, value []byte, _ time.Duration) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.kept[key] = value
	return nil
}

func (o *office) Get(_ context.Context, key string) ([]byte, bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	v, ok := o.kept[key]
	return v, ok, nil
}

// until waits for something to become true in the firm.
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

// said waits for the n-th message of the bot in a chat.
func (o *office) said(t *testing.T, chat string, n int) dingtalksim.Message {
	t.Helper()
	var got []dingtalksim.Message
	o.until(t, fmt.Sprintf("the bot says %d messages in %s", n, chat), func() bool {
		got = nil
		for _, m := range o.Messages(chat, "lin") {
			if m.Via != dingtalksim.ViaPerson {
				got = append(got, m)
			}
		}
		return len(got) >= n
	})
	return got[n-1]
}

func say(t *testing.T, o *office, chat, text string) {
	t.Helper()
	if _, ack, err := o.Say("lin", chat, text); err != nil || ack.Failure != "" {
		t.Fatalf("saying %q: %v, %+v", text, err, ack)
	}
}

var modes = []string{dingtalksim.Stream, dingtalksim.Webhook}

func TestAConversationInEveryModeWithAndWithoutATemplate(t *testing.T) {
	for _, mode := range modes {
		for _, template := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, template %v", mode, template), func(t *testing.T) { converse(t, newOffice(t, mode, template, nil), template) })
		}
	}
}

func praiseForm() card.Form {
	return card.Form{Title: "Praise", Submit: "Send", Action: card.Act("praise.send", "7"), Fields: []card.Field{
		card.TextField{Name: "text", Label: "What was good?", Multiline: true, Max: 1000},
		card.ChoiceField{Name: "tags", Label: "Value", Many: true, Optional: true, Options: []card.Option{{Value: "a", Label: "A"}, {Value: "b", Label: "B"}}},
		card.ChoiceField{Name: "size", Label: "Size", Value: []string{"s"}, Options: []card.Option{{Value: "s", Label: "S"}, {Value: "l", Label: "L"}}},
		card.DateField{Name: "on", Label: "When", Value: "2026-11-22"},
	}}
}

func converse(t *testing.T, o *office, template bool) {
	t.Helper()
	own := o.P2P("lin")
	thanks := card.Card{Tone: card.Good, Title: "Kai thanked you", Blocks: []card.Block{
		card.Quoted("words"), card.Buttons{Buttons: []card.Button{{Label: "Thank", Action: card.Act("praise.thank", "9")}, {Label: "Withdraw", Action: card.Act("praise.recall", "9"), Confirm: &card.Confirm{Title: "Sure?"}}}},
	}}
	o.replies(bot.Reply{Card: &thanks})
	say(t, o, own, " ／help ")
	m := o.said(t, own, 1)
	if e := o.last(t); e.User != "lin" || e.Where.Kind != bot.Direct || e.Account.Name != "林晓" || e.Command.Parts[0].Text != "/help" {
		t.Errorf("the product heard %+v", e)
	}
	if tenant, err := o.bot.Tenant(t.Context()); err != nil || tenant != o.last(t).Tenant {
		t.Errorf("the tenant is %q (%v) and of the event %q", tenant, err, o.last(t).Tenant)
	}
	if !template {
		if ack, err := o.Press("lin", m.ID, dingtalksim.Press{Text: "Thank"}); err != nil || !strings.HasPrefix(ack.URL, "https://bot.example/p/button/") {
			t.Errorf("the button leads to %+v, %v", ack, err)
		}
		form := praiseForm()
		o.replies(bot.Reply{Form: &form})
		say(t, o, o.group.ID, "@回音 praise")
		if m := o.said(t, own, 2); !strings.Contains(m.Content, "https://bot.example/p/form/") {
			t.Errorf("the form is %+v", m)
		}
		return
	}
	o.replies(bot.Reply{Card: &card.Card{Title: "Thanked"}, Replace: true})
	ack, err := o.Press("lin", m.ID, dingtalksim.Press{Text: "Withdraw"})
	if err != nil || ack.Error != "" || ack.Failure != "" {
		t.Fatalf("pressing: %+v, %v", ack, err)
	}
	if e := o.last(t); e.Action.Name != "praise.recall" || e.Action.Arg(0) != "9" || e.User != "lin" || e.Where.Message.ID != m.Card {
		t.Errorf("the product heard %+v", e)
	}
	if v, _ := o.Card(m.Card, "lin"); v.Parts[0].Text != "Thanked" || len(v.Parts) != 1 {
		t.Errorf("the card shows %+v", v.Parts)
	}
	form := praiseForm()
	o.replies(bot.Reply{Form: &form})
	say(t, o, o.group.ID, "@回音 praise")
	f := o.said(t, own, 2)
	if f.Card == "" {
		t.Fatalf("the form is %+v", f)
	}
	o.replies(bot.Reply{Errors: map[string]string{"text": "too short"}})
	fill := map[string]dingtalksim.Input{"text": {"thanks"}, "tags": {"b"}}
	if ack, err = o.Press("lin", f.ID, dingtalksim.Press{ID: "submit", Form: fill}); err != nil || ack.Error != "" {
		t.Fatalf("submitting: %+v, %v", ack, err)
	}
	v, _ := o.Card(f.Card, "lin")
	if !strings.Contains(fmt.Sprint(v.Parts), "too short") || !strings.Contains(v.Data["form"], `"defaultValue":"thanks"`) {
		t.Errorf("the form shows %+v", v.Data)
	}
	first := o.last(t)
	o.replies(bot.Reply{Card: &thanks})
	if ack, err = o.Press("lin", f.ID, dingtalksim.Press{ID: "submit"}); err != nil || ack.Error != "" {
		t.Fatalf("submitting what stands there: %+v, %v", ack, err)
	}
	e := o.last(t)
	if e.ID == first.ID || e.Form.Name != "praise.send" || e.Form.Arg(0) != "7" || e.Form.Values.One("text") != "thanks" || e.Form.Values.One("tags") != "b" || e.Form.Values.One("size") != "s" || e.Form.Values.One("on") != "2026-11-22" {
		t.Errorf("the product heard %+v", e.Form)
	}
	if v, _ = o.Card(f.Card, "lin"); v.Parts[0].Text != "✨ Kai thanked you" || !strings.Contains(fmt.Sprint(v.Parts), "praise.thank") {
		t.Errorf("after success the card shows %+v", v.Parts)
	}
}

func TestWhoIsMentionedIsHeardAndPrivateAnswersStayPrivate(t *testing.T) {
	for _, mode := range modes {
		o := newOffice(t, mode, false, func(opt *dingtalksim.Options) { opt.MentionSpace = "\u2005" })
		o.KeepPrivate("the secret words")
		o.replies(bot.Reply{Card: &card.Card{Tone: card.Private, Title: "For you", Blocks: []card.Block{card.Say("the secret words")}}, Public: true})
		say(t, o, o.group.ID, "@回音 /praise @王凯 thanks")
		o.said(t, o.P2P("lin"), 1)
		parts := o.last(t).Command.Parts
		if len(parts) != 3 || parts[0].Text != "/praise " || parts[1].Mention.User != "kai" || parts[2].Text != " thanks" {
			t.Errorf("%s: the product heard %+v", mode, parts)
		}
		o.replies(bot.Reply{Card: &card.Card{Title: "Lin praised Kai"}, Public: true})
		say(t, o, o.group.ID, "@回音 /praise @王凯 thanks")
		if m := o.said(t, o.group.ID, 1); !strings.Contains(m.Content, "Lin praised Kai") {
			t.Errorf("%s: the group reads %+v", mode, m)
		}
	}
}

func TestWhatIsNotAcknowledgedComesAgain(t *testing.T) {
	o := newOffice(t, dingtalksim.Stream, false, nil)
	o.mu.Lock()
	o.answer = func(context.Context, bot.Event) (bot.Reply, error) {
		return bot.Reply{}, fault.New(fault.Unavailable, "storage.unavailable")
	}
	o.mu.Unlock()
	if _, ack, err := o.Say("lin", o.P2P("lin"), "help"); err != nil || ack.Failure == "" {
		t.Fatalf("an unserved message is acknowledged: %+v, %v", ack, err)
	}
	o.replies(bot.Reply{Card: &card.Card{Title: "Here"}})
	o.Advance(time.Minute)
	o.said(t, o.P2P("lin"), 1)
	all := o.events()
	if len(all) != 2 || all[0].ID != all[1].ID {
		t.Errorf("the product heard %+v, want the same deed twice", all)
	}
}

func TestABrokenStreamIsMended(t *testing.T) {
	o := newOffice(t, dingtalksim.Stream, false, nil)
	for i := range 3 {
		if i == 1 {
			o.Farewell(1)
			o.until(t, "the next connection is open", func() bool { return o.Sockets() == 2 })
			o.Advance(10 * time.Second)
		} else {
			o.Disconnect(1)
		}
		o.until(t, "the stream is connected again", func() bool { return o.Sockets() == 1 && len(o.Subscriptions()) == 1 })
		if o.Ping() != 1 {
			t.Error("the ping of a new connection is not answered")
		}
		o.replies(bot.Reply{Card: &card.Card{Title: "Still here"}})
		say(t, o, o.P2P("lin"), "help")
		o.said(t, o.P2P("lin"), i+1)
	}
}

func TestTheCorpusIsAcceptedByDingTalk(t *testing.T) {
	for _, template := range []bool{false, true} {
		o := newOffice(t, dingtalksim.Webhook, template, nil)
		all := cardtest.Corpus().Cards
		for i, p := range cardtest.Payloads() {
			if i%5 == 0 {
				all = append(all, cardtest.Card{Name: fmt.Sprintf("payload %d", i), Card: cardtest.Hostile(p)})
			}
		}
		slots := make(chan struct{}, 16)
		var wg sync.WaitGroup
		for i, c := range all {
			slots <- struct{}{}
			wg.Go(func() {
				defer func() { <-slots }()
				if _, err := o.bot.Send(t.Context(), bot.Message{To: bot.Address{User: "lin"}, Card: c.Card, Delivery: fmt.Sprintf("delivery-%d", i)}); err != nil {
					t.Errorf("template %v: %s is refused: %v", template, c.Name, err)
				}
				if c.Card.Tone == card.Private {
					return
				}
				if _, err := o.bot.Send(t.Context(), bot.Message{To: bot.Address{Channel: o.group.ID}, Card: c.Card, Delivery: fmt.Sprintf("group-%d", i)}); err != nil {
					t.Errorf("template %v: %s is refused for a group: %v", template, c.Name, err)
				}
			})
		}
		wg.Wait()
		if n := len(o.Messages(o.group.ID, "lin")); n < len(all)-3 {
			t.Errorf("template %v: the group has %d messages of %d", template, n, len(all))
		}
	}
}

func TestThePlatformsPeopleAreListed(t *testing.T) {
	o := newOffice(t, dingtalksim.Webhook, false, nil)
	dev := o.AddDepartment(dingtalksim.Department{Name: "研发"})
	for i := range 5 {
		o.AddPerson(dingtalksim.Person{UserID: fmt.Sprintf("dev%d", i), Name: fmt.Sprintf("Dev %d", i), DeptIDs: []int64{dev.ID}})
	}
	got := map[string]bot.Account{}
	err := o.bot.Accounts(t.Context(), func(page []bot.Account) error {
		for _, a := range page {
			got[a.ID] = a
		}
		return nil
	})
	if err != nil || len(got) != 7 || got["dev3"].Department != "研发" || got["lin"].Name != "林晓" {
		t.Errorf("listed %+v: %v", got, err)
	}
	p, ack := o.Join(dingtalksim.Person{UserID: "fresh", Name: "新人", DeptIDs: []int64{dev.ID}})
	if ack.Failure != "" {
		t.Fatalf("joining: %+v", ack)
	}
	select {
	case a := <-o.refresh:
		if a.ID != p.UserID || a.Name != "新人" || a.Department != "研发" {
			t.Errorf("who joined is %+v", a)
		}
	case <-time.After(patience):
		t.Error("nobody was told of who joined")
	}
	if ok, ack := o.VerifyURL(dingtalksim.EventsPath); !ok {
		t.Errorf("the address of events is not verified: %+v", ack)
	}
}

func TestForgeriesAndReplaysAreRefused(t *testing.T) {
	o := newOffice(t, dingtalksim.Webhook, false, nil)
	say(t, o, o.P2P("lin"), "help")
	all := o.Deliveries()
	n := all[len(all)-1].N
	before := len(o.events())
	for name, header := range map[string]map[string]string{
		"another sign": {"sign": "x"}, "no sign": {"sign": ""}, "another time": {"timestamp": fmt.Sprint(o.Now().Add(time.Second).UnixMilli())},
	} {
		if ack, err := o.Tampered(n, header, nil); err != nil || ack.Status != http.StatusUnauthorized {
			t.Errorf("%s is answered %+v, %v", name, ack, err)
		}
	}
	if len(o.events()) != before {
		t.Error("a forgery reached the product")
	}
	if _, err := o.Redeliver(n); err != nil {
		t.Fatal(err)
	}
	if all := o.events(); len(all) != before+1 || all[before].ID != all[before-1].ID {
		t.Errorf("a replay is %+v, want the same deed", all)
	}
}

func TestLimitsAreHeeded(t *testing.T) {
	o := newOffice(t, dingtalksim.Webhook, false, func(opt *dingtalksim.Options) { opt.Limits = dingtalksim.Limits{PerSecond: 5, PerPerson: 3} })
	var refused int
	for i := range 8 {
		_, err := o.bot.Send(t.Context(), bot.Message{To: bot.Address{User: []string{"lin", "kai"}[i%2]}, Card: card.Card{Title: fmt.Sprint("message ", i)}})
		if f, ok := fault.Of(err); ok && f.Kind == fault.Unavailable && f.RetryAfter > 0 {
			refused++
		} else if err != nil {
			t.Errorf("message %d: %v", i, err)
		}
	}
	if refused == 0 {
		t.Error("the limit was never met; this test would see nothing")
	}
	o.Advance(2 * time.Minute)
	if _, err := o.bot.Send(t.Context(), bot.Message{To: bot.Address{User: "lin"}, Card: card.Card{Title: "later"}}); err != nil {
		t.Errorf("after the wait: %v", err)
	}
}
