package chat

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"huiyin/bot/sim/dingtalksim"
	"huiyin/bot/sim/feishusim"
	"huiyin/internal/i18n"
)

// links are the addresses in a part of a page, as they stand there.
func linksIn(page, css string) []string {
	var out []string
	part := regexp.MustCompile(`(?s)<nav class="` + css + `".*?</nav>`).FindString(page)
	for _, m := range regexp.MustCompile(`href="([^"]+)"`).FindAllStringSubmatch(part, -1) {
		out = append(out, strings.ReplaceAll(m[1], "&amp;", "&"))
	}
	return out
}

// A tab leads to the same person where they have an account; whoever has none is held, to be put beside somebody there.
func TestTabsKeepThePerson(t *testing.T) {
	o := newOffice(t)
	lin := o.ids["lin.xiao"]
	for _, c := range []struct {
		at, css string
		want    []string
	}{
		{"/", "tabs", []string{"./?on=slack", "./?on=feishu"}},
		{"/?as=U2", "tabs", []string{"./?as=U2&on=slack", "./?as=" + lin + "&on=feishu"}},
		{"/?on=feishu&as=" + lin, "tabs", []string{"./?as=U2&on=slack", "./?as=" + lin + "&on=feishu"}},
		{"/?as=U8", "tabs", []string{"./?as=U8&on=slack", "./?held=slack%3AU8&on=feishu"}},
		{"/?as=U2", "accounts", []string{"./?as=U2&on=slack", "./?as=" + lin + "&on=feishu"}},
		{"/?as=U2&with=U3", "accounts", []string{"./?as=U2&with=U3", "./?as=feishu%3A" + lin + "&with=U3"}},
		{"/?as=U8", "accounts", []string{"./?as=U8&on=slack"}},
	} {
		if diff := cmp.Diff(c.want, linksIn(o.get(t, c.at), c.css)); diff != "" {
			t.Errorf("%s leads by its %s to (-want +got):\n%s", c.at, c.css, diff)
		}
	}
	held := o.get(t, "/?on=feishu&held=slack:U8")
	if want := `href="./?as=slack%3AU8&amp;on=feishu&amp;with=` + lin + `"`; !strings.Contains(held, want) {
		t.Errorf("whoever is held cannot be put beside somebody: no %s", want)
	}
	two := o.get(t, "/?as=U2&with=feishu:"+o.ids["he.qing"])
	if !strings.Contains(two, `data-platform="slack"`) || !strings.Contains(two, `data-platform="feishu"`) || !strings.Contains(two, "of=feishu") {
		t.Errorf("two people on two platforms are not shown side by side: %s", two)
	}
	if strings.Contains(newFirm(t).get(t, "/?as=U2"), `class="accounts"`) {
		t.Error("with one platform the page speaks of accounts")
	}
}

// What is done in a pane is done on the pane's platform, whatever tab the page stands on.
func TestAnActReachesThePlatformOfItsPane(t *testing.T) {
	o := newOffice(t)
	he := o.ids["he.qing"]
	o.act(t, "as=U2&with=feishu:"+he+"&of=feishu", "send", "user="+he, "place="+o.feishu.P2P(he), "text=hello")
	if got := o.get(t, "/fragment/messages?pane=2&as=U2&with=feishu:"+he); !strings.Contains(got, "收到。") {
		t.Errorf("the second pane shows %s", got)
	}
	if w := o.act(t, "as=U2", "send", "user="+he, "place="+o.feishu.P2P(he), "text=hello"); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("somebody of another platform could act on this one: %d", w.Code)
	}
}

// The composer offers only what the platform has, and says so in both languages.
func TestMentionsAreOfferedWhereTheyMeanSomebody(t *testing.T) {
	o := newOffice(t)
	at := "on=feishu&as=" + o.ids["kai"]
	for query, want := range map[string]int{
		at + "&kind=@&q=wang": 0, at + "&in=" + o.group + "&kind=@&q=wang": 1, at + "&in=" + o.group + "&kind=@&q=回音": 1, at + "&kind=/&q=/pr": 1,
		"as=U3&kind=@&q=wang": 1,
	} {
		if got := strings.Count(o.get(t, "/fragment/hints?pane=1&"+query), "data-insert"); got != want {
			t.Errorf("%s offers %d instead of %d", query, got, want)
		}
	}
	got := o.get(t, "/?"+at)
	if strings.Contains(got, "@ names people") || !strings.Contains(got, ">Praise</button>") {
		t.Error("the composer of a conversation with the bot in Feishu names people, or lacks the menu")
	}
	if strings.Contains(o.get(t, "/?"+at+"&in="+o.group), ">Praise</button>") {
		t.Error("a group shows the bot's menu")
	}
}

// Registered commands are offered when the page was given none.
func TestRegisteredCommandsAreOffered(t *testing.T) {
	o := newOffice(t, func(opts *Options) { opts.Commands = nil })
	o.clerk.call("application/v7/app_slash_commands", map[string]any{
		"command": "praise", "description": map[string]any{"default_value": "表扬", "i18n": map[string]any{"en_us": "Praise somebody", "zh_cn": "表扬同事"}},
	})
	if got := o.get(t, "/fragment/hints?pane=1&on=feishu&as="+o.ids["kai"]+"&kind=/&q=/"); !strings.Contains(got, "Praise somebody") {
		t.Errorf("the registered command is not offered: %s", got)
	}
}

// heardBack decodes what the script of the page was told.
func heardBack(t *testing.T, w *httptest.ResponseRecorder) answered {
	t.Helper()
	var a answered
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		t.Fatalf("the page was told %s", w.Body)
	}
	return a
}

// What Feishu's client would show when the bot fails is shown here, with the code that Feishu shows.
func TestFailedPressesSayWhatFeishuSays(t *testing.T) {
	o := newOffice(t)
	kai := o.ids["kai"]
	dm := o.feishu.P2P(kai)
	o.clerk.card = larkCard("T", "blue", larkButton("Fail", "fail", nil), larkButton("Odd", "odd", nil), larkButton("Fine", "fine", nil))
	o.act(t, "on=feishu&as="+kai, "send", "user="+kai, "place="+dm, "text=/form")
	all := o.feishu.Messages(dm, kai)
	card := all[len(all)-1].ID
	press := func(at string) *httptest.ResponseRecorder {
		return o.act(t, "on=feishu&as="+kai, "press", "user="+kai, "place="+dm, "message="+card, "press= "+url.QueryEscape(at))
	}
	for at, want := range map[string]string{"/body/elements/0": "200671", "/body/elements/1": "200672"} {
		if got := heardBack(t, press(at)); !strings.Contains(got.Notice, want) {
			t.Errorf("pressing %s says %q instead of %s", at, got.Notice, want)
		}
	}
	if got := heardBack(t, press("/body/elements/2")); got.Toast == nil || got.Toast.Kind != "info" || !strings.HasPrefix(got.Toast.Text, "Pressed") {
		t.Errorf("the bot's toast is %+v", got.Toast)
	}
	for _, gone := range []string{"/body/elements/9", "/header", "", "/body"} {
		if got := heardBack(t, press(gone)); got.Notice != "That is not there any more. Look again at what the page shows now." {
			t.Errorf("pressing %q says %q", gone, got.Notice)
		}
	}
	o.feishu.SetBotURL("")
	if got := heardBack(t, press("/body/elements/2")); !strings.Contains(got.Notice, "200340") {
		t.Errorf("without an address the press says %q", got.Notice)
	}
}

func TestFailedPressesSayWhatDingTalkSays(t *testing.T) {
	d := newBranch(t)
	lin := d.ids["lin.xiao"]
	dm := d.ding.P2P(lin)
	d.act(t, "on=dingtalk&as="+lin, "send", "user="+lin, "place="+dm, "text=/card")
	all := d.ding.Messages(dm, lin)
	card := all[len(all)-1].ID
	press := func(fields ...string) answered {
		return heardBack(t, d.act(t, "on=dingtalk&as="+lin, "press", append([]string{"user=" + lin, "place=" + dm, "message=" + card}, fields...)...))
	}
	name := func(f string) string { return "v form " + f }
	submit := "press=" + pressName("part", "form", "发送")
	got := press(submit, name("who")+"=", name("text")+"=")
	if diff := cmp.Diff(map[string]string{name("who"): "请选择一位同事", name("text"): "请填写内容"}, got.Fields); diff != "" {
		t.Errorf("the empty form says of its fields (-want +got):\n%s", diff)
	}
	for _, gone := range []string{"press=part form", "press=link 0", "press=x", "press=part nothing y"} {
		if got := press(gone); got.Notice == "" {
			t.Errorf("%s was taken", gone)
		}
	}
	d.ding.SetFault("event", dingtalksim.Fault{})
	d.ding.SetBotURL("")
	d.clerk.call("/v1.0/card/callbacks/register", map[string]any{
		"callbackRouteKey": "cards", "callbackUrl": "http://127.0.0.1:1/cards", "apiSecret": dingSecret, "forceUpdate": true,
	})
	if got := press(submit, name("who")+"=mU3", name("text")+"=long enough", name("points")+"=one\r\ntwo"); !strings.Contains(got.Notice, "请稍后重试") {
		t.Errorf("a bot that is away is told as %q", got.Notice)
	}
}

// Only a page of this machine is asked whether it may be framed.
func TestAPageIsFramedOnlyWhenItLetsItself(t *testing.T) {
	headers := map[string]http.Header{
		"/open": {}, "/deny": {"X-Frame-Options": {"DENY"}}, "/csp": {"Content-Security-Policy": {"default-src 'none'; frame-ancestors 'none'"}},
	}
	var asked []string
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method)
		for k, v := range headers[r.URL.Path] {
			w.Header()[k] = v
		}
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, "/open", http.StatusFound)
		}
	}))
	t.Cleanup(web.Close)
	for address, want := range map[string]bool{
		web.URL + "/open": true, web.URL + "/deny": false, web.URL + "/csp": false, web.URL + "/moved": false, "https://example.com/": false, "http://example.com/": false,
		"javascript:alert(1)": false, "http://127.0.0.1:1/": false,
	} {
		if got := framed(t.Context(), address); got != want {
			t.Errorf("framed(%s) = %v", address, got)
		}
	}
	if slices.ContainsFunc(asked, func(m string) bool { return m != http.MethodHead }) {
		t.Errorf("a page was asked with %v", asked)
	}
}

// An upload that is no picture is not given to a browser.
func TestOnlyPicturesAreServed(t *testing.T) {
	o := newOffice(t)
	key := o.clerk.upload()
	w := o.serve(t, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/picture/feishu/"+key, nil))
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "image/png" || w.Body.String() != dot {
		t.Errorf("the picture is served as %d %v", w.Code, w.Header())
	}
	const b = "boundary"
	body := "--" + b + "\r\nContent-Disposition: form-data; name=\"file_type\"\r\n\r\nstream\r\n--" + b + "\r\nContent-Disposition: form-data; name=\"file_name\"\r\n\r\na.html\r\n--" + b +
		"\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.html\"\r\n\r\n<html><script>alert(1)</script>\r\n--" + b + "--\r\n"
	file := o.clerk.request("im/v1/files", "multipart/form-data; boundary="+b, []byte(body)).str("file_key")
	for _, path := range []string{"feishu/" + file, "feishu/none", "slack/" + key, "none/" + key, "feishu/" + url.PathEscape("../"+key)} {
		w := o.serve(t, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/picture/"+path, nil))
		if w.Code != http.StatusNotFound {
			t.Errorf("picture/%s is served as %d %s", path, w.Code, w.Header().Get("Content-Type"))
		}
	}
}

// Whatever people, groups, menus and bots are called and say is text on every platform.
func TestNothingThatAnybodyWroteBecomesMarkupElsewhere(t *testing.T) {
	menu := []MenuItem{{Key: "x", Label: map[string]string{i18n.English: evil, i18n.Chinese: evil}}}
	o := newOffice(t, func(opts *Options) {
		opts.FeishuMenu = menu
		opts.Profiles = append(opts.Profiles, Profile{Platform: feishuName, User: "ou_evil", Person: evil, OtherName: evil, Department: evil})
	})
	_, bot := o.feishu.Bot()
	o.feishu.AddPerson(feishusim.Person{OpenID: "ou_evil", Name: evil, EnName: evil, Handle: evil, JobTitle: evil, Locale: evil})
	group := o.feishu.AddChat(feishusim.Chat{Name: evil, Members: []string{"ou_evil", bot}}).ID
	o.clerk.card = larkCard(evil, "red", larkMD(larkEscape(evil)), larkButton(evil, "fine", nil))
	feishu := "on=feishu&as=ou_evil"
	for _, text := range []string{evil, "/form", "/praise @" + evil, "/praise"} {
		o.act(t, feishu, "send", "user=ou_evil", "place="+o.feishu.P2P("ou_evil"), "text="+text)
	}
	o.act(t, feishu, "send", "user=ou_evil", "place="+group, "text=@回音 "+evil+" @"+evil)

	d := newBranch(t, func(opts *Options) {
		opts.Profiles = append(opts.Profiles, Profile{Platform: dingtalkName, User: "evil", OtherName: evil, Department: evil})
	})
	_, robot := d.ding.Bot()
	d.ding.AddPerson(dingtalksim.Person{UserID: "evil", Name: evil, EnName: evil, Handle: evil, Title: evil})
	there := d.ding.AddChat(dingtalksim.Chat{Name: evil, Members: []string{"evil", robot}}).ID
	ding := "on=dingtalk&as=evil"
	for _, text := range []string{evil, "/praise " + evil, "/card"} {
		d.act(t, ding, "send", "user=evil", "place="+d.ding.P2P("evil"), "text="+text)
	}
	d.act(t, ding, "send", "user=evil", "place="+there, "text=@回音 "+evil)

	for _, page := range []struct {
		f          *firm
		who, group string
	}{{o.firm, feishu, group}, {d.firm, ding, there}} {
		for _, path := range []string{
			"/?" + page.who, "/?" + page.who + "&in=" + url.QueryEscape(page.group), "/fragment/inspector?" + page.who, "/fragment/messages?" + page.who,
			"/fragment/hints?kind=@&pane=1&q=script&in=" + url.QueryEscape(page.group) + "&" + page.who, "/fragment/people?q=script&" + page.who, "/fragment/tour?" + page.who,
			"/?as=U2&with=" + url.QueryEscape(strings.Replace(strings.TrimPrefix(page.who, "on="), "&as=", ":", 1)), "/?on=" + url.QueryEscape(evil) + "&held=" + url.QueryEscape("feishu:"+evil),
		} {
			got := page.f.get(t, path)
			harmless(t, path, got)
			if strings.Contains(got, "executing") || strings.Contains(got, "can't evaluate") {
				t.Errorf("%s failed to draw: %s", path, got)
			}
		}
	}
}

// Work notices stand in a place of their own, in which nobody can write.
func TestWorkNoticesAreReadAndNotAnswered(t *testing.T) {
	d := newBranch(t)
	lin := d.ids["lin.xiao"]
	at := "/?on=dingtalk&as=" + lin
	if strings.Contains(d.get(t, at), "工作通知") {
		t.Error("there is a place for work notices before there is one")
	}
	d.clerk.call("/topapi/message/corpconversation/asyncsend_v2?access_token="+d.clerk.token, map[string]any{
		"agent_id": 1000001, "userid_list": lin, "msg": map[string]any{"msgtype": "markdown", "markdown": map[string]any{"title": "t", "text": "**提醒**"}},
	})
	places := d.get(t, "/fragment/places?pane=1&"+at[2:])
	link := regexp.MustCompile(`href="\./\?([^"]+)"[^>]*><span>工作通知`).FindStringSubmatch(places)
	if link == nil {
		t.Fatalf("the work notices are not among the places: %s", places)
	}
	got := d.get(t, "/?"+strings.ReplaceAll(link[1], "&amp;", "&"))
	if !strings.Contains(got, "<strong>提醒</strong>") || strings.Contains(got, `class="composer"`) {
		t.Error("the work notice is not shown, or can be answered")
	}
}
