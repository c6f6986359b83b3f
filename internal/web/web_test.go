package web

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/internal/fault"
	"huiyin/internal/i18n"
)

var update = flag.Bool("update", false, "write the golden pages anew")

const public = "https://huiyin.example"

// memory is a store that keeps times to live by the test's clock.
type memory struct {
	mu   sync.Mutex
	now  func() time.Time
	kept map[string][]byte
	ends map[string]time.Time
	away bool
}

var errAway = fault.New(fault.Unavailable, "storage.unavailable")

func (m *memory) Put(_ context.Context, key string, value []byte, ttl time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.away {
		return errAway
	}
	m.kept[key], m.ends[key] = bytes.Clone(value), m.now().Add(ttl)
	return nil
}

func (m *memory) Get(_ context.Context, key string) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.away {
		return nil, false, errAway
	}
	value, ok := m.kept[key]
	return value, ok && m.now().Before(m.ends[key]), nil
}

// site is pages with a store, a clock and a product that does what the test says.
type site struct {
	t       *testing.T
	pages   *Pages
	store   *memory
	handler http.Handler
	at      time.Time
	log     bytes.Buffer

	mu     sync.Mutex
	events []bot.Event
	answer func(bot.Event) (bot.Reply, error)
}

func open(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, at: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
	now := func() time.Time { return s.at }
	s.store = &memory{now: now, kept: map[string][]byte{}, ends: map[string]time.Time{}}
	catalog, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	s.pages, err = New(Options{PublicURL: public, Key: bytes.Repeat([]byte{7}, 32), Store: s.store, Catalog: catalog, Now: now, Log: slog.New(slog.NewTextHandler(&s.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for pattern, h := range s.pages.Routes(s.receive) {
		mux.Handle(pattern, h)
	}
	s.handler = mux
	s.answer = func(bot.Event) (bot.Reply, error) {
		return bot.Reply{Card: &card.Card{Tone: card.Good, Title: "Sent to Kai"}}, nil
	}
	return s
}

func (s *site) receive(ctx context.Context, e bot.Event) (bot.Reply, error) {
	if _, ok := ctx.Deadline(); !ok {
		s.t.Error("the product was asked without a deadline")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
	return s.answer(e)
}

// reader is Lin in DingTalk.
func reader(lang string) bot.Reader {
	return bot.Reader{Platform: "dingtalk", Tenant: "corp1", User: "staff1", Lang: lang, Where: bot.Place{Kind: bot.Direct, Channel: "cid1", Message: bot.Ref{Channel: "cid1", ID: "m1"}}}
}

func (s *site) form(lang string, f card.Form) string {
	s.t.Helper()
	address, err := s.pages.Form(s.t.Context(), reader(lang), f)
	if err != nil {
		s.t.Fatalf("giving an address to a form: %v", err)
	}
	return address
}

func (s *site) button(lang string, b card.Button) string {
	s.t.Helper()
	address, err := s.pages.Button(s.t.Context(), reader(lang), b)
	if err != nil {
		s.t.Fatalf("giving an address to a button: %v", err)
	}
	return address
}

// shown is an answer of the site.
type shown struct {
	Status int
	Head   http.Header
	Body   string
}

func (s *site) do(r *http.Request) shown {
	s.t.Helper()
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return shown{w.Code, w.Result().Header, string(body)}
}

func (s *site) get(address string) shown {
	s.t.Helper()
	return s.do(httptest.NewRequestWithContext(s.t.Context(), http.MethodGet, address, nil))
}

func (s *site) post(address string, values url.Values) shown {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), http.MethodPost, address, strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return s.do(r)
}

var hidden = regexp.MustCompile(`<input type="hidden" name="(\w+)" value="([^"]*)">`)

// carried are the hidden values of a page, as a browser sends them back.
func carried(page string, values url.Values) url.Values {
	out := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(page, -1) {
		out.Set(m[1], m[2])
	}
	for name, list := range values {
		out["f."+name] = list
	}
	return out
}

func praiseForm() card.Form {
	return card.Form{
		Title: "Praise a colleague", Intro: []card.Block{card.Say("One sentence is enough.")}, Submit: "Send", Action: card.Act("praise.send", "a1"),
		Fields: []card.Field{
			card.PeopleField{Name: "to", Label: "To whom?", Max: 1, Candidates: []card.Option{{Value: "S1", Label: "Kai Wang"}, {Value: "S2", Label: "Mei Li"}}},
			card.TextField{Name: "text", Label: "What was good?", Multiline: true, Max: 20},
		},
	}
}

func filledIn() url.Values { return url.Values{"to": {"S1"}, "text": {"Clear\r\nhandover"}} }

func TestAFormIsShownAndSentOnce(t *testing.T) {
	s := open(t)
	address := s.form("en", praiseForm())
	page := s.get(address)
	if page.Status != 200 || !strings.Contains(page.Body, "Praise a colleague") {
		t.Fatalf("the page of a form is %d:\n%s", page.Status, page.Body)
	}
	if len(s.events) > 0 {
		t.Fatal("looking at a page did something")
	}
	sent := s.post(address, carried(page.Body, filledIn()))
	if sent.Status != 200 || !strings.Contains(sent.Body, "Sent to Kai") {
		t.Errorf("a form that was sent is answered with %d:\n%s", sent.Status, sent.Body)
	}
	e := s.events[0]
	want := bot.Event{
		ID: e.ID, Platform: "dingtalk", Tenant: "corp1", User: "staff1", Account: bot.Account{ID: "staff1"}, Where: reader("").Where, Lang: "en", At: s.at,
		Form: &bot.Submission{Action: card.Act("praise.send", "a1"), Values: card.Values{"to": {"S1"}, "text": {"Clear\nhandover"}}},
	}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Errorf("the event is not what was filled in (-want +got):\n%s", diff)
	}
	for what, again := range map[string]shown{"looked at": s.get(address), "sent": s.post(address, carried(page.Body, filledIn()))} {
		if again.Status != 200 || !strings.Contains(again.Body, "Already sent") {
			t.Errorf("a form that was sent and is %s again shows %d:\n%s", what, again.Status, again.Body)
		}
	}
	if len(s.events) != 1 {
		t.Errorf("sending twice became %d events", len(s.events))
	}
}

func TestTwoClicksAreOneDeedAndAMendedFormIsTheNext(t *testing.T) {
	s := open(t)
	address := s.form("en", praiseForm())
	page := s.get(address)
	s.answer = func(bot.Event) (bot.Reply, error) {
		return bot.Reply{Errors: map[string]string{"text": "Kai has left."}}, nil
	}
	s.post(address, carried(page.Body, filledIn()))
	wrong := s.post(address, carried(page.Body, filledIn())) // the second click of two, or another window
	if s.events[0].ID != s.events[1].ID {
		t.Errorf("one page sent twice became two deeds: %s and %s", s.events[0].ID, s.events[1].ID)
	}
	if wrong.Status != 422 || !strings.Contains(wrong.Body, "Kai has left.") || !strings.Contains(wrong.Body, "Clear\nhandover</textarea>") || !strings.Contains(wrong.Body, `value="S1" checked`) {
		t.Errorf("after an error the page should show it and keep what was typed; it is %d:\n%s", wrong.Status, wrong.Body)
	}
	s.post(address, carried(wrong.Body, filledIn()))
	if s.events[2].ID == s.events[1].ID {
		t.Error("a form mended after an error is the same deed as before")
	}
}

func TestWhatIsTypedIsNeverKept(t *testing.T) {
	s := open(t)
	f := praiseForm()
	f.Fields = append(f.Fields, card.TextField{Name: "note", Label: "Note", Value: "canary-proposed", Optional: true})
	address := s.form("en", f)
	page := s.get(address)
	if !strings.Contains(page.Body, "canary-proposed") {
		t.Error("a proposed text does not stand in the form")
	}
	for _, answer := range []func(bot.Event) (bot.Reply, error){
		func(bot.Event) (bot.Reply, error) { return bot.Reply{}, fault.New(fault.Unavailable, "x") },
		func(bot.Event) (bot.Reply, error) { return bot.Reply{}, errors.New("canary-typed") },
		func(bot.Event) (bot.Reply, error) { return bot.Reply{Errors: map[string]string{"text": "no"}}, nil },
	} {
		s.answer = answer
		s.post(address, carried(page.Body, url.Values{"to": {"S1"}, "text": {"canary-typed"}}))
	}
	for key, value := range s.store.kept {
		if bytes.Contains(value, []byte("canary")) || bytes.Contains(value, []byte("staff1")) {
			t.Errorf("the store can read %s: %s", key, value)
		}
		if strings.Contains(address, strings.TrimPrefix(key, "page:")+".") && len(strings.Split(address, ".")) < 3 {
			t.Errorf("the key %s is the whole address", key)
		}
	}
}

func TestNothingIsLostWhileTheProductIsAway(t *testing.T) {
	s := open(t)
	address := s.form("zh-CN", praiseForm())
	page := s.get(address)
	tries := map[string]func(bot.Event) (bot.Reply, error){
		"unavailable": func(bot.Event) (bot.Reply, error) {
			return bot.Reply{}, fault.New(fault.Unavailable, "storage.unavailable")
		},
		"broken": func(bot.Event) (bot.Reply, error) { return bot.Reply{}, errors.New("x") },
		"slow": func(bot.Event) (bot.Reply, error) {
			return bot.Reply{Card: &card.Card{Tone: card.Trouble, Title: "系统现在很慢"}}, nil
		},
	}
	for name, answer := range tries {
		s.answer = answer
		got := s.post(address, carried(page.Body, filledIn()))
		if got.Status != 503 || got.Head.Get("Retry-After") == "" || !strings.Contains(got.Body, "Clear\nhandover</textarea>") || !strings.Contains(got.Body, `role="alert"`) {
			t.Errorf("%s: the answer should be 503 with what was typed; it is %d:\n%s", name, got.Status, got.Body)
		}
	}
	s.answer = func(bot.Event) (bot.Reply, error) { return bot.Reply{Card: &card.Card{Title: "发出了"}}, nil }
	if got := s.post(address, carried(page.Body, filledIn())); got.Status != 200 {
		t.Errorf("after that the form can be sent; it is %d", got.Status)
	}
	for _, e := range s.events {
		if e.ID != s.events[0].ID {
			t.Error("a try whose outcome nobody knows and its repetition are two deeds")
		}
	}
}

func TestAFormOutlivesTheStore(t *testing.T) {
	s := open(t)
	address := s.form("en", praiseForm())
	page := s.get(address)
	clear(s.store.kept)
	if got := s.post(address, carried(page.Body, filledIn())); got.Status != 200 || len(s.events) != 1 {
		t.Errorf("an open page after the store forgot everything is %d with %d events:\n%s", got.Status, len(s.events), got.Body)
	}

	s.store.away = true
	if got := s.post(address, carried(page.Body, filledIn())); got.Status != 200 || len(s.events) != 2 || s.events[0].ID != s.events[1].ID {
		t.Errorf("an open page while the store is away is %d with the events %v", got.Status, s.events)
	}
	if got := s.get(address); got.Status != 503 {
		t.Errorf("a page while the store is away is %d, want 503", got.Status)
	}
	if got := s.post(address, url.Values{"f.text": {"my words"}}); got.Status != 503 || !strings.Contains(got.Body, "my words") {
		t.Errorf("a form that nothing is known of is %d and should give back the words:\n%s", got.Status, got.Body)
	}
	if _, err := s.pages.Form(t.Context(), reader("en"), praiseForm()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("making a page while the store is away gives %v, want a fault of kind Unavailable", err)
	}
}

func TestAnAddressThatIsWrongAlteredOrOldIsAllTheSame(t *testing.T) {
	s := open(t)
	form, button := s.form("en", praiseForm()), s.button("en", card.Button{Label: "Agree", Action: card.Act("note.agree", "1")})
	other := open(t)
	other.pages, _ = New(Options{PublicURL: public, Key: bytes.Repeat([]byte{8}, 32), Store: s.store, Catalog: s.pages.Catalog, Now: s.pages.Now, Log: s.pages.Log})
	addresses := []string{public + "/p/x", public + "/p/f", public + "/p/b", public + "/p/f.", public + "/p/bAAAA", other.form("en", praiseForm()), other.button("en", card.Button{Label: "A"})}
	for _, address := range []string{form, button} {
		start := len(public) + len("/p/")
		for i := start; i < len(address); i++ {
			for _, c := range []string{"A", "B", "-", "", "%0A" + address[i:i+1]} {
				if changed := address[:i] + c + address[i+1:]; changed != address {
					addresses = append(addresses, changed)
				}
			}
		}
		addresses = append(addresses, address+"A", address+"=", address+"%0A")
	}
	want := s.get(public + "/p/nothing").Body
	for _, address := range addresses {
		got := s.get(address)
		if got.Body != want && address != public+"/p/" || got.Status != 404 {
			t.Errorf("the address %s shows %d:\n%s", address, got.Status, got.Body)
		}
		if got := s.post(address, nil); got.Status != 404 {
			t.Errorf("the address %s takes a form: %d", address, got.Status)
		}
	}
	page := s.get(form)
	for life, address := range map[time.Duration]string{24 * time.Hour: form, buttonLife: button} {
		s.at = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC).Add(life)
		if got := s.get(address); got.Body != want || got.Status != 404 {
			t.Errorf("an address after %v shows %d:\n%s", life, got.Status, got.Body)
		}
		if got := s.post(address, carried(page.Body, filledIn())); got.Status != 404 || !strings.Contains(got.Body, "no longer valid") {
			t.Errorf("an address after %v takes what is sent: %d", life, got.Status)
		}
	}
	if len(s.events) > 0 {
		t.Errorf("%d events came of addresses that are not ours", len(s.events))
	}
}

func TestAPageOfOneFormDoesNotOpenAnother(t *testing.T) {
	s := open(t)
	mine, theirs := s.form("en", praiseForm()), s.form("en", card.Form{Title: "Other", Action: card.Act("other"), Fields: []card.Field{card.TextField{Name: "x"}}})
	got := s.post(mine, carried(s.get(theirs).Body, url.Values{"x": {"1"}}))
	if got.Status != 404 || len(s.events) > 0 {
		t.Errorf("a page sent to the address of another is %d with %d events", got.Status, len(s.events))
	}
}

func TestAButtonActsOnlyWhenPressedAndHasOneDeed(t *testing.T) {
	s := open(t)
	b := card.Button{Label: "Agree", Action: card.Act("note.agree", "01930000-0000-7000-8000-000000000001", "abc"), Style: card.Primary}
	address := s.button("en", b)
	if len(s.store.kept) > 0 {
		t.Error("a button fills the store")
	}
	page := s.get(address)
	if page.Status != 200 || strings.Count(page.Body, "<button") != 1 || !strings.Contains(page.Body, ">Agree</button>") || len(s.events) > 0 {
		t.Errorf("the page of a button is %d with %d events:\n%s", page.Status, len(s.events), page.Body)
	}
	s.post(address, nil)
	s.answer = func(bot.Event) (bot.Reply, error) {
		return bot.Reply{Card: &card.Card{Title: "This was already recorded."}}, nil
	}
	again := s.post(address, nil)
	if !strings.Contains(again.Body, "already recorded") {
		t.Errorf("a second press does not show what the product says:\n%s", again.Body)
	}
	want := bot.Event{
		ID: s.events[0].ID, Platform: "dingtalk", Tenant: "corp1", User: "staff1", Account: bot.Account{ID: "staff1"}, Where: reader("").Where, Lang: "en", At: s.at,
		Action: &bot.Action{Action: b.Action},
	}
	for _, e := range s.events {
		if diff := cmp.Diff(want, e); diff != "" {
			t.Errorf("a press is not the event that the button names (-want +got):\n%s", diff)
		}
	}
	other := s.button("en", b)
	s.post(other, nil)
	if s.events[2].ID == s.events[0].ID {
		t.Error("the same button in another message is the same deed")
	}
	s.answer = func(bot.Event) (bot.Reply, error) { return bot.Reply{}, fault.New(fault.Unavailable, "x") }
	if got := s.post(other, nil); got.Status != 503 || !strings.Contains(got.Body, ">Agree</button>") {
		t.Errorf("a press while the product is away is %d and should offer the button again:\n%s", got.Status, got.Body)
	}
}

func TestAnAddressIsShortAndSaysNothing(t *testing.T) {
	s := open(t)
	long := strings.Repeat("谢", 75)
	q := &card.Confirm{Title: long, Text: strings.Repeat(long, 4), Yes: long, No: long}
	to := reader("zh-CN")
	to.Tenant, to.User, to.Where.Channel, to.Where.Message = strings.Repeat("t", 40), strings.Repeat("u", 64), "cid"+strings.Repeat("c", 60), bot.Ref{Channel: "cid" + strings.Repeat("c", 60), ID: strings.Repeat("m", 64)}
	address, err := s.pages.Button(t.Context(), to, card.Button{Label: long, Confirm: q, Action: card.Act("note.withdraw", "01930000-0000-7000-8000-000000000001", "01930000-0000-7000-8000-000000000002")})
	if err != nil || len(address) > 1_000 { // what DingTalk's messages have room for
		t.Errorf("a large button has an address of %d characters (%v); at most 1,000 are meant", len(address), err)
	}
	if _, err := s.pages.Button(t.Context(), to, card.Button{Label: "x", Action: card.Act("x", strings.Repeat("y", 2000))}); err == nil {
		t.Error("a button that no address can carry got one")
	}
	for _, address := range []string{address, s.form("en", praiseForm())} {
		if !regexp.MustCompile(`^https://huiyin\.example/p/[fb][A-Za-z0-9_.-]+$`).MatchString(address) {
			t.Errorf("the address %s needs escaping somewhere", address)
		}
	}
	if link, err := s.pages.Button(t.Context(), to, card.Button{Label: "Open", URL: "https://example.com/x"}); err != nil || link != "https://example.com/x" {
		t.Errorf("a button that leads somewhere got the address %s (%v)", link, err)
	}
}

func TestARepliedFormIsTheNextPage(t *testing.T) {
	s := open(t)
	next := card.Form{Title: "And by when?", Action: card.Act("note.proposed", "1"), Fields: []card.Field{card.DateField{Name: "due", Label: "Due"}}}
	s.answer = func(bot.Event) (bot.Reply, error) { return bot.Reply{Form: &next, Lang: "en"}, nil }
	for _, address := range []string{s.form("en", praiseForm()), s.button("en", card.Button{Label: "Propose", Action: card.Act("note.propose", "1")})} {
		got := s.post(address, carried(s.get(address).Body, filledIn()))
		location := got.Head.Get("Location")
		if got.Status != 303 || strings.Contains(location, "/") {
			t.Fatalf("a form as the answer is %d %q, want 303 and an address beside this one", got.Status, location)
		}
		if page := s.get(public + "/p/" + location); page.Status != 200 || !strings.Contains(page.Body, "And by when?") {
			t.Errorf("the next page is %d:\n%s", page.Status, page.Body)
		}
		s.store.away = true
		if got := s.post(address, carried(s.get(address).Body, filledIn())); got.Status != 503 {
			t.Errorf("a form that cannot be kept is answered with %d, want 503", got.Status)
		}
		s.store.away = false
	}
}

func TestButtonsOfAReplyBelongToItsReader(t *testing.T) {
	s := open(t)
	s.answer = func(bot.Event) (bot.Reply, error) {
		return bot.Reply{Card: &card.Card{Title: "Sent", Blocks: []card.Block{card.Buttons{Buttons: []card.Button{
			{Label: "Edit", Action: card.Act("praise.edit", "7")},
			{Label: "Withdraw", Action: card.Act("praise.withdraw", "7"), Confirm: &card.Confirm{Title: "Withdraw this?", Yes: "Withdraw", No: "Keep"}},
			{Label: "Script", URL: "javascript:alert(1)"},
		}}}}}, nil
	}
	address := s.form("en", praiseForm())
	got := s.post(address, carried(s.get(address).Body, filledIn()))
	edit := regexp.MustCompile(`<form method="post" action="(b[^"]+)"><button class="button " type="submit">Edit`).FindStringSubmatch(got.Body)
	withdraw := regexp.MustCompile(`<a class="button " href="(b[^"]+)"[^>]*>Withdraw`).FindStringSubmatch(got.Body)
	if edit == nil || withdraw == nil || strings.Contains(got.Body, "Script") {
		t.Fatalf("the buttons of a reply are not what they should be:\n%s", got.Body)
	}
	s.post(public+"/p/"+edit[1], nil)
	if e := s.events[1]; e.User != "staff1" || e.Action == nil || e.Action.Name != "praise.edit" || e.Action.Arg(0) != "7" {
		t.Errorf("a pressed button of a reply is the event %+v", e)
	}
	if page := s.get(public + "/p/" + withdraw[1]); !strings.Contains(page.Body, "Withdraw this?") || len(s.events) != 2 {
		t.Errorf("a button that asks first does not ask:\n%s", page.Body)
	}
}

func TestOnlyOurOwnPagesMaySend(t *testing.T) {
	s := open(t)
	address := s.button("en", card.Button{Label: "Agree", Action: card.Act("note.agree")})
	for name, c := range map[string]struct {
		head map[string]string
		want int
	}{
		"a browser that says so":              {map[string]string{"Sec-Fetch-Site": "same-origin"}, 200},
		"an old browser on our page":          {map[string]string{"Origin": public}, 200},
		"an old browser behind a proxy":       {map[string]string{"Origin": public, "Host": "10.0.0.1:8080"}, 200},
		"another site":                        {map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, 403},
		"another site in an old browser":      {map[string]string{"Origin": "https://evil.example"}, 403},
		"a site that hides where it comes of": {map[string]string{"Origin": "null"}, 403},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, address, nil)
		for k, v := range c.head {
			if r.Header.Set(k, v); k == "Host" {
				r.Host = v
			}
		}
		if got := s.do(r); got.Status != c.want {
			t.Errorf("%s gets %d, want %d", name, got.Status, c.want)
		}
	}
}

func TestEveryPageIsPrivate(t *testing.T) {
	s := open(t)
	form := s.form("en", praiseForm())
	for _, got := range []shown{s.get(form), s.get(public + "/p/x"), s.post(form, nil), s.post(form, url.Values{"f.text": {strings.Repeat("x", 300<<10)}})} {
		for name, want := range map[string]string{"Cache-Control": "no-store", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin", "X-Robots-Tag": "noindex, nofollow"} {
			if got.Head.Get(name) != want {
				t.Errorf("a page of status %d has %s %q, want %q", got.Status, name, got.Head.Get(name), want)
			}
		}
		if policy := got.Head.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "script") {
			t.Errorf("the policy of a page is %q", policy)
		}
	}
	if got := s.post(form, url.Values{"f.text": {strings.Repeat("x", 300<<10)}}); got.Status != 413 {
		t.Errorf("a body of 300 KiB gets %d, want 413", got.Status)
	}
	secret := strings.TrimPrefix(form, public+"/p/")
	s.answer = func(bot.Event) (bot.Reply, error) { return bot.Reply{}, errors.New("x") }
	s.post(form, carried(s.get(form).Body, filledIn()))
	s.store.away = true
	s.get(form)
	if s.log.Len() == 0 || strings.Contains(s.log.String(), secret) || strings.Contains(s.log.String(), "handover") {
		t.Errorf("the log should tell of the failures and of no address and no words: %s", s.log.String())
	}
}

func TestAWrongSetUpIsRefused(t *testing.T) {
	for name, o := range map[string]Options{
		"no address":     {Key: make([]byte, 32)},
		"not an address": {PublicURL: "huiyin.example", Key: make([]byte, 32)},
		"a short key":    {PublicURL: public, Key: make([]byte, 16)},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%s: pages were made", name)
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test ./internal/web -update writes it)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (go test ./internal/web -update writes it anew; read the diff):\n%s", name, diff)
	}
}
