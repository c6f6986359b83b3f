package chat

import (
	"bufio"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"huiyin/bot/sim/slacksim"
	"huiyin/internal/i18n"
)

// get fetches a page of the firm's.
func (f *firm) get(t *testing.T, path string) string {
	t.Helper()
	w := f.serve(t, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost"+path, nil))
	if w.Code != http.StatusOK {
		t.Fatalf("GET %s answered %d: %s", path, w.Code, w.Body)
	}
	return w.Body.String()
}

func (f *firm) serve(t *testing.T, r *http.Request) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	f.page.ServeHTTP(w, r)
	return w
}

// act does something on the page, as its script does, with fields such as "user=U2".
func (f *firm) act(t *testing.T, query, name string, fields ...string) *httptest.ResponseRecorder {
	t.Helper()
	form := url.Values{}
	for _, field := range fields {
		k, v, _ := strings.Cut(field, "=")
		form.Add(k, v)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost/act/"+name+"?"+query, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return f.serve(t, r)
}

func TestOnlyLoopbackHostsAreServed(t *testing.T) {
	f := newFirm(t)
	for host, want := range map[string]int{
		"localhost": 200, "localhost:8090": 200, "127.0.0.1:8090": 200, "127.8.9.1": 200, "[::1]:8090": 200, "LOCALHOST:1": 200,
		"evil.example": 421, "evil.example:8090": 421, "localhost.evil.example": 421, "127.0.0.1.evil.example": 421, "192.168.1.2:8090": 421,
		"0.0.0.0:8090": 421, "": 421,
	} {
		for _, path := range []string{"/", "/assets/page.js", "/fragment/people", "/events"} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
			r.Host = host
			if path == "/events" && want == 200 {
				continue // it would stream on
			}
			if w := f.serve(t, r); w.Code != want {
				t.Errorf("GET %s for host %q answered %d instead of %d", path, host, w.Code, want)
			}
		}
	}
}

func TestRequestsFromOtherSitesAreRefused(t *testing.T) {
	f := newFirm(t)
	for name, set := range map[string]func(http.Header){
		"another site":   func(h http.Header) { h.Set("Sec-Fetch-Site", "cross-site") },
		"a sibling host": func(h http.Header) { h.Set("Sec-Fetch-Site", "same-site") },
		"an old browser": func(h http.Header) { h.Set("Origin", "http://evil.example") },
		"a file":         func(h http.Header) { h.Set("Origin", "null") },
	} {
		for verb := range acts() {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost/act/"+verb+"?as=U2", strings.NewReader("user=U2&text=hello"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			set(r.Header)
			if w := f.serve(t, r); w.Code != http.StatusForbidden {
				t.Errorf("%s could use %s: %d", name, verb, w.Code)
			}
		}
	}
	if n := len(f.sim.Deliveries()); n != 0 {
		t.Errorf("%d requests reached the bot", n)
	}
}

func TestThePageForbidsForeignCode(t *testing.T) {
	f := newFirm(t)
	w := f.serve(t, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/?as=U2&with=U3", nil))
	csp := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("the policy is without %s: %s", want, csp)
		}
	}
	if strings.Contains(csp, "unsafe") {
		t.Errorf("the policy lets something in: %s", csp)
	}
	for _, inline := range []string{`<script>`, `<style`, ` style="`, `javascript:`} {
		if strings.Contains(w.Body.String(), inline) {
			t.Errorf("the page has %s in it, which its own policy forbids", inline)
		}
	}
	if m := scripted(w.Body.String()); m != "" {
		t.Errorf("the page has a script in an attribute: %s", m)
	}
}

// Whatever people and bots are called and say, it is text: in every piece of the page, in both languages.
func TestNothingThatAnybodyWroteBecomesMarkup(t *testing.T) {
	f := newFirm(t, func(o *Options) {
		o.Title = evil
		o.Profiles = append(o.Profiles, Profile{User: "UEVIL", OtherName: evil, Department: evil, Boss: "U2", Words: []string{evil}})
		o.Commands = append(o.Commands, CommandHint{
			Name: "/" + evil, Usage: map[string]string{"en": evil, "zh-CN": evil}, Summary: map[string]string{"en": evil, "zh-CN": evil},
		})
	})
	f.sim.AddPerson(slacksim.Person{ID: "UEVIL", Handle: evil, RealName: evil, DisplayName: evil, Title: evil, TZ: evil, Locale: evil})
	f.sim.AddChannel(slacksim.Channel{ID: "CEVIL", Name: evil, Members: []string{"UEVIL", "U2"}})
	f.bot.form = map[string]any{
		"type": "modal", "title": plain("<b>" + evil[:18]), "submit": plain("<i>"), "close": plain("<u>"), "blocks": []any{
			input("a", evil, map[string]any{"type": "plain_text_input", "placeholder": plain(evil), "initial_value": evil}, map[string]any{"hint": plain(evil)}),
		},
	}
	dm := f.sim.DM("UEVIL")
	for _, send := range []string{evil, "/gallery " + evil, "/form " + evil, "/" + evil} {
		f.act(t, "as=UEVIL", "send", "user=UEVIL", "place="+dm, "text="+send)
	}
	f.act(t, "as=UEVIL", "send", "user=UEVIL", "place=CEVIL", "text="+evil)
	for _, path := range []string{
		"/?as=UEVIL&with=U2&lang2=" + url.QueryEscape(evil), "/?as=UEVIL&in=CEVIL", "/?as=UEVIL&draft=" + url.QueryEscape(evil),
		"/?as=" + url.QueryEscape(evil), "/?as=U2&on=" + url.QueryEscape(evil) + "&in=" + url.QueryEscape(evil), "/fragment/people?q=script",
		"/fragment/hints?kind=/&q=/&as=U2", "/fragment/hints?kind=@&q=script", "/fragment/hints?kind=usage&q=" + url.QueryEscape("/"+evil),
		"/fragment/messages?as=UEVIL&in=CEVIL", "/fragment/messages?as=UEVIL", "/fragment/modal?as=UEVIL", "/fragment/places?as=UEVIL",
		"/fragment/inspector?as=UEVIL", "/fragment/clock?as=UEVIL", "/fragment/tour?as=UEVIL", "/fragment/home?as=UEVIL&in=home",
	} {
		page := f.get(t, path)
		harmless(t, path, page)
		if strings.Contains(page, "executing") || strings.Contains(page, "can't evaluate") {
			t.Errorf("%s failed to draw: %s", path, page)
		}
	}
	w := f.act(t, "as=UEVIL", "send", "user=UEVIL", "place="+dm, "text=/"+evil)
	if got := w.Header().Get("Content-Type"); !strings.HasPrefix(got, "application/json") {
		t.Errorf("a notice is sent as %s", got)
	}
}

func TestPeopleAreFoundByEveryNameTheyHave(t *testing.T) {
	f := newFirm(t)
	name := regexp.MustCompile(`<b>([^<]+)</b>`)
	for typed, want := range map[string][]string{
		"林":              {"林晓"},
		"linxiao":        {"林晓"},
		"E002":           {"林晓"},
		"zhangwei":       {"张伟"},
		"weizhang":       {"张伟"},
		"brandtkai":      {"Kai Brandt"},
		"xiao lin":       {"林晓"},
		"wang":           {"王芳"},
		"lending":        {"林晓", "Kai Brandt", "王芳"},
		"客户 专员":          {"王芳"},
		"ouyang":         {"欧阳明珠"},
		"nobody of that": nil,
	} {
		var got []string
		for _, m := range name.FindAllStringSubmatch(f.get(t, "/fragment/people?q="+url.QueryEscape(typed)), -1) {
			got = append(got, m[1])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("typing %q finds (-want +got):\n%s", typed, diff)
		}
	}
}

func TestTheComposerOffersCommandsAndPeople(t *testing.T) {
	f := newFirm(t)
	insert := regexp.MustCompile(`data-insert="([^"]+)"`)
	for query, want := range map[string][]string{
		"kind=/&q=/":           {"/praise ", "/note ", "/lang ", "/gallery ", "/slow "},
		"kind=/&q=/pr":         {"/praise "},
		"kind=/&q=/表":          {"/praise "},
		"kind=/&q=/zzz":        nil,
		"kind=@&q=wang":        {"@wang.fang "},
		"kind=@&q=huiyin":      {"@Huiyin "},
		"kind=usage&q=/praise": nil,
	} {
		var got []string
		for _, m := range insert.FindAllStringSubmatch(f.get(t, "/fragment/hints?as=U3&"+query), -1) {
			got = append(got, m[1])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s offers (-want +got):\n%s", query, diff)
		}
	}
	if got := f.get(t, "/fragment/hints?as=U3&kind=usage&q=/praise"); !strings.Contains(got, "@name… text [#value]") {
		t.Errorf("the usage of /praise is not shown: %s", got)
	}
}

func TestThePageSpeaksThePersonsLanguageUnlessOneIsChosen(t *testing.T) {
	f := newFirm(t)
	lang := regexp.MustCompile(`<html lang="([^"]+)"`)
	ask := func(path, cookie, accept string) string {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost"+path, nil)
		r.Header.Set("Accept-Language", accept)
		if cookie != "" {
			r.AddCookie(&http.Cookie{Name: langCookie, Value: cookie})
		}
		return lang.FindStringSubmatch(f.serve(t, r).Body.String())[1]
	}
	for _, c := range []struct{ path, cookie, accept, want string }{
		{"/?as=U2", "", "en", "zh-CN"},
		{"/?as=U3", "", "zh-CN", "en"},
		{"/?as=U3", "zh-CN", "en", "zh-CN"},
		{"/?as=U2", "en", "zh", "en"},
		{"/", "", "zh-CN,zh;q=0.9", "zh-CN"},
		{"/", "", "de-DE", "en"},
		{"/?as=U3&with=U2", "", "", "en"},
	} {
		if got := ask(c.path, c.cookie, c.accept); got != c.want {
			t.Errorf("%s with cookie %q and browser %q speaks %s instead of %s", c.path, c.cookie, c.accept, got, c.want)
		}
	}
	w := f.serve(t, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/?as=U2&lang=en", nil))
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "./?as=U2" || !strings.Contains(w.Header().Get("Set-Cookie"), langCookie+"=en") {
		t.Errorf("choosing a language answers %d, %v", w.Code, w.Header())
	}
}

func TestUnreadMessagesAreCountedUntilTheyAreShown(t *testing.T) {
	f := newFirm(t)
	badge := regexp.MustCompile(`class="unread">.*?</span>(\d+)`)
	count := func(path string) []string {
		var out []string
		for _, m := range badge.FindAllStringSubmatch(f.get(t, path), -1) {
			out = append(out, m[1])
		}
		return out
	}
	f.act(t, "as=U2", "send", "user=U2", "place="+f.sim.DM("U2"), "text=/praise @kai one")
	f.act(t, "as=U2", "send", "user=U2", "place="+f.sim.DM("U2"), "text=/note @kai two")
	if got := count("/fragment/places?as=U3&in=C0GENERAL"); !slices.Equal(got, []string{"2"}) {
		t.Errorf("after two messages the conversation shows %v", got)
	}
	if got := count("/fragment/people?q=kai"); !slices.Equal(got, []string{"2"}) {
		t.Errorf("after two messages the list of people shows %v", got)
	}
	f.get(t, "/?as=U3")
	if got := append(count("/fragment/places?as=U3&in=C0GENERAL"), count("/fragment/people?q=kai")...); got != nil {
		t.Errorf("after they were shown %v is left", got)
	}
}

// A plain form, without the script, does the same and comes back to where it was.
func TestTheComposerWorksWithoutTheScript(t *testing.T) {
	f := newFirm(t)
	page := f.get(t, "/?as=U3")
	action := regexp.MustCompile(`class="composer" method="post" action="([^"]+)"`).FindStringSubmatch(page)[1]
	body := url.Values{"user": {"U3"}, "place": {f.sim.DM("U3")}, "text": {"hello"}}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost/"+strings.ReplaceAll(action, "&amp;", "&"), strings.NewReader(body.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := f.serve(t, r)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "../?as=U3" {
		t.Fatalf("sending answers %d to %q", w.Code, w.Header().Get("Location"))
	}
	if got := f.get(t, "/?as=U3"); !strings.Contains(got, "hello") {
		t.Error("the message is not on the page")
	}
}

func TestWhatCannotBeDoneIsSaidInThePagesLanguage(t *testing.T) {
	f := newFirm(t)
	dm := "place=" + f.sim.DM("U3")
	f.sim.SetBotURL("http://127.0.0.1:1")
	for _, c := range []struct {
		name, want string
		fields     []string
	}{
		{"send", "There is nothing to send.", []string{"user=U3", dm, "text=  "}},
		{"send", "/prase is not a command here.", []string{"user=U3", dm, "text=/prase x"}},
		{"send", "/praise did not reach the bot", []string{"user=U3", dm, "text=/praise x"}},
		{"send", "That is not there any more.", []string{"user=U3", "place=C0LEADS", "text=x"}},
		{"press", "That is not there any more.", []string{"user=U3", dm, "message=1.2", "press=b a"}},
		{"press", "That is not there any more.", []string{"user=U3", dm, "message=1.2", "press="}},
		{"submit", "That is not there any more.", []string{"user=U3", "view=V1"}},
		{"dismiss", "That is not there any more.", []string{"user=U3", "view=V1"}},
		{"choices", "That is not there any more.", []string{"user=U3", "view=V1", "element=b a"}},
		{"clock", "The clock cannot be moved here.", []string{"user=U3", "by=day"}},
		{"send", "This person is not here any more.", []string{"user=UGONE", "text=x"}},
		{"send", "This person is not here any more.", []string{"user=" + f.sim.BotUser(), "text=x"}},
	} {
		w := f.act(t, "as=U3", c.name, c.fields...)
		if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s %v answers %d %s instead of %q", c.name, c.fields, w.Code, w.Body, c.want)
		}
	}
}

func TestTheClockMovesOnlyThroughItsHook(t *testing.T) {
	var moved []time.Duration
	f := newFirm(t, func(o *Options) {
		o.Move = func(d time.Duration) { moved = append(moved, d); o.Sim.Advance(d) }
	})
	if !strings.Contains(f.get(t, "/?as=U2"), "clock-menu") {
		t.Error("the page has no clock to move")
	}
	// The workspace stands at Monday 2026-01-05 17:00 in Shanghai.
	for _, by := range []string{"monday", "hour", "day", "monday", "never"} {
		f.act(t, "as=U2", "clock", "user=U2", "by="+by)
	}
	want := []time.Duration{
		6*24*time.Hour + 16*time.Hour, // the Monday after, at nine
		time.Hour, 24 * time.Hour,
		5*24*time.Hour + 23*time.Hour, // from Tuesday at ten
	}
	if diff := cmp.Diff(want, moved); diff != "" {
		t.Errorf("the clock was moved by (-want +got):\n%s", diff)
	}
	if strings.Contains(newFirm(t).get(t, "/?as=U2"), "clock-menu") {
		t.Error("a page without the hook offers to move the clock")
	}
}

func TestTheTourIsAboutAManagerAndTheirReport(t *testing.T) {
	f := newFirm(t)
	for query, want := range map[string][2]string{
		"":                  {"Be Xiao Lin", "Be Kai Brandt"}, // a team lead rather than the general manager
		"as=U5":             {"Be Maria Ortega", "Be Wei Zhang"},
		"as=U4":             {"Be Xiao Lin", "Be Fang Wang"},
		"as=U2&praised=U4":  {"Be Xiao Lin", "Be Fang Wang"},
		"as=U2&praised=USE": {"Be Xiao Lin", "Be Kai Brandt"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/fragment/tour?"+query, nil)
		r.AddCookie(&http.Cookie{Name: langCookie, Value: "en"})
		got := f.serve(t, r).Body.String()
		for _, link := range want {
			if !strings.Contains(got, ">"+link+"<") {
				t.Errorf("with %q the tour does not say %q:\n%s", query, link, got)
			}
		}
	}
	plain := newFirm(t, func(o *Options) { o.Profiles = nil }).get(t, "/fragment/tour")
	if strings.Contains(plain, "<a ") {
		t.Error("without profiles the tour links to somebody")
	}
}

// What the bot did wrong stands in red beside the request in which it did it.
func TestTheInspectorShowsRequestsAndWhatIsWrongWithThem(t *testing.T) {
	f := newFirm(t)
	f.act(t, "as=U2", "send", "user=U2", "place="+f.sim.DM("U2"), "text=/praise @kai hello")
	f.bot.call("chat.postMessage", map[string]any{"channel": "U2", "text": "<!channel> wake up"})
	got := f.get(t, "/fragment/inspector?as=U2")
	for _, want := range []string{"POST /slack/commands", "X-Slack-Signature", "v0=", "response_type", "chat.postMessage", `class="complaint grave"`, "text.broadcast"} {
		if !strings.Contains(got, want) {
			t.Errorf("the inspector of the sender is without %q", want)
		}
	}
	other := f.get(t, "/fragment/inspector?as=U3")
	if strings.Contains(other, "/slack/commands") || !strings.Contains(other, "chat.postMessage") {
		t.Error("the inspector of the receiver shows something else than the call that reached them")
	}
	if strings.Contains(f.get(t, "/fragment/inspector?as=U7"), "chat.postMessage") {
		t.Error("the inspector of somebody else shows a call")
	}
}

// The stream tells what to draw again, to those who look, and ends with the simulator.
func TestChangesAreStreamed(t *testing.T) {
	f := newFirm(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.url+"/events?as=U3", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got := res.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("the stream is %s", got)
	}
	lines := bufio.NewScanner(res.Body)
	until := func(wanted ...string) {
		t.Helper()
		for lines.Scan() {
			if i := slices.Index(wanted, lines.Text()); i >= 0 {
				wanted = slices.Delete(wanted, i, i+1)
			}
			if len(wanted) == 0 {
				return
			}
		}
		t.Fatalf("the stream ended before %q: %v", wanted, lines.Err())
	}
	until("event: ready")
	f.act(t, "as=U2", "send", "user=U2", "place="+f.sim.DM("U2"), "text=/praise @kai hello")
	until(`data: {"kind":"messages","place":"`+f.sim.DM("U3")+`"}`, `data: {"kind":"command","user":"U2","to":"U3","name":"praise","whole":true}`)
	f.act(t, "as=U3", "send", "user=U3", "place="+f.sim.DM("U3"), "text=/praise")
	until(`data: {"kind":"modal","user":"U3"}`)
	f.sim.Close()
	if rest, err := io.ReadAll(res.Body); err != nil {
		t.Errorf("the stream broke instead of ending: %v after %q", err, rest)
	}
}

// The names of a vendor stop at the files that carry its name.
func TestOnlyAVendorsFilesKnowTheVendor(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || name == "chat.go" {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range parsed.Imports {
			for _, vendor := range []string{"slack", "feishu", "dingtalk"} {
				if strings.Contains(spec.Path.Value, vendor+"sim") && !strings.HasPrefix(name, vendor) {
					t.Errorf("%s imports %s", name, spec.Path.Value)
				}
			}
		}
	}
}

// Every sentence that the page names exists, and every sentence that exists is named.
func TestThePageSaysOnlyWhatHasWords(t *testing.T) {
	catalog, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]bool{} // keys that are put together
	for _, k := range []string{"manager", "report", "hr"} {
		made["demo.start."+k] = true
	}
	prefixes := []string{"demo.weekday.", "demo.platform.", "demo.lang.", "demo.ack.", "demo.tour.1.", "demo.tour.2.", "demo.tour.3.", "demo.tour.4.", "demo.tour.5."}
	named := map[string]bool{}
	use := regexp.MustCompile(`"(demo\.[a-z0-9.]+[a-z0-9])"`)
	for _, pattern := range []string{"*.go", "assets/*.html"} {
		paths, err := fs.Glob(os.DirFS("."), pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range use.FindAllStringSubmatch(string(text), -1) {
				named[m[1]] = true
				if !catalog.Has(m[1]) {
					t.Errorf("%s names %s, which has no words", path, m[1])
				}
			}
		}
	}
	for _, key := range catalog.Keys(i18n.English) {
		dead := strings.HasPrefix(key, "demo.") && !named[key] && !made[key]
		if dead && !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) }) {
			t.Errorf("%s has words that nothing says", key)
		}
	}
	for _, code := range []string{
		"operation_timeout", "dispatch_failed", "http_client_error", "http_service_error", "invalid_command_response", "trouble_connecting",
	} {
		if !catalog.Has("demo.ack." + code) {
			t.Errorf("the failure %s has no words", code)
		}
	}
}
