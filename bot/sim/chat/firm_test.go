package chat

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"huiyin/bot/sim/slacksim"
	"huiyin/internal/i18n"
)

const (
	testSecret = "0123456789abcdef0123456789abcdef"
	testToken  = "xoxb-1-chat"
)

// firm is a page over a simulated workspace with a small bot in it.
type firm struct {
	sim  *slacksim.Server
	page http.Handler
	url  string // of the page
	bot  *clerk
}

// staff are the people of the tests, as an importer would give them.
func staff() []struct {
	p    slacksim.Person
	more Profile
} {
	type row = struct {
		p    slacksim.Person
		more Profile
	}
	one := func(id, handle, name, other, title, dept, boss, lang string, words ...string) row {
		return row{
			p:    slacksim.Person{ID: id, Handle: handle, RealName: name, DisplayName: name, Title: title, Locale: lang},
			more: Profile{User: id, OtherName: other, Department: dept, Boss: boss, HR: dept == "人力资源 HR", Words: words},
		}
	}
	return []row{
		one("U1", "zhou.ning", "周宁", "Ning Zhou", "总经理", "管理层 Management", "", "zh-CN", "zhouning"),
		one("U2", "lin.xiao", "林晓", "Xiao Lin", "信贷经理", "信贷一组 Lending A", "U1", "zh-CN", "linxiao", "E002"),
		one("U3", "kai", "Kai Brandt", "", "Loan officer", "信贷一组 Lending A", "U2", "en-US"),
		one("U4", "wang.fang", "王芳", "Fang Wang", "客户专员", "信贷一组 Lending A", "U2", "zh-CN", "wangfang"),
		one("U5", "maria", "Maria Ortega", "", "Team lead, customer success and onboarding", "客户成功 Success", "U1", "en-US"),
		one("U6", "zhang.wei", "张伟", "Wei Zhang", "客户成功顾问", "客户成功 Success", "U5", "zh-CN", "zhangwei"),
		one("U7", "ouyang", "欧阳明珠", "Mingzhu Ouyang", "人事专员", "人力资源 HR", "U1", "zh-CN", "ouyangmingzhu"),
		one("U8", "sam", "Sam O'Neil <x>", "", "Contractor", "", "", "en-US"),
	}
}

func newFirm(t *testing.T, more ...func(*Options)) *firm {
	t.Helper()
	catalog, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	sim := slacksim.New(slacksim.Options{
		SigningSecret: testSecret, BotToken: testToken, Team: slacksim.Team{ID: "T1", Name: "青禾信贷 Greenfield", Domain: "greenfield"},
		Commands: []slacksim.Command{{Name: "/praise"}, {Name: "/note"}, {Name: "/lang"}, {Name: "/gallery"}, {Name: "/slow"}, {Name: "/form"}},
		BotName:  "Huiyin", NoEcho: true, Limits: slacksim.Limits{Off: true},
	})
	t.Cleanup(sim.Close)
	api := httptest.NewServer(sim.Handler())
	t.Cleanup(api.Close)
	sim.SetBaseURL(api.URL)
	f := &firm{sim: sim}
	f.bot = &clerk{t: t, sim: sim}
	bot := httptest.NewServer(f.bot.handler())
	t.Cleanup(bot.Close)
	sim.SetBotURL(bot.URL)

	o := Options{Sim: sim, Catalog: catalog, Commands: testHints()}
	var members []string
	for _, row := range staff() {
		sim.AddPerson(row.p)
		members = append(members, row.p.ID)
		if row.p.ID != "U8" {
			o.Profiles = append(o.Profiles, row.more)
		}
	}
	members = append(members, sim.BotUser())
	sim.AddChannel(slacksim.Channel{ID: "C0GENERAL", Name: "general", Members: members})
	sim.AddChannel(slacksim.Channel{ID: "C0PRAISE", Name: "praise", Members: members})
	sim.AddChannel(slacksim.Channel{ID: "C0LEADS", Name: "leads", Kind: slacksim.Private, Members: []string{"U1", "U2", "U5"}})
	for _, change := range more {
		change(&o)
	}
	f.page = New(o)
	web := httptest.NewServer(f.page)
	t.Cleanup(web.Close)
	t.Cleanup(sim.Close) // before the page's server, which waits for its streams
	f.url = web.URL
	return f
}

func testHints() []CommandHint {
	hint := func(name, zh, usage, usageZH, en, summaryZH string) CommandHint {
		return CommandHint{
			Name: name, Aliases: []string{zh}, Usage: map[string]string{i18n.English: usage, i18n.Chinese: usageZH},
			Summary: map[string]string{i18n.English: en, i18n.Chinese: summaryZH},
		}
	}
	return []CommandHint{
		hint("/praise", "表扬", "@name… text [#value]", "@姓名… 内容 [#价值观]", "Praise a colleague", "表扬同事"),
		hint("/note", "改进", "@name text", "@姓名 内容", "A corrective note, private", "改进建议，仅双方可见"),
		hint("/lang", "语言", "zh|en", "zh|en", "Switch language", "切换语言"),
		hint("/gallery", "样例", "", "", "Every block at once", "所有卡片元素"),
		hint("/slow", "慢", "", "", "Never answers well", "总是出错"),
	}
}

// clerk is a bot small enough to stand in a test: it praises, opens a form and draws a page, over HTTP and signed as Slack signs.
type clerk struct {
	t   *testing.T
	sim *slacksim.Server
	// form is what /form opens.
	form map[string]any
}

func (c *clerk) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /slack/commands", c.signed(c.command))
	mux.HandleFunc("POST /slack/interactions", c.signed(c.interaction))
	mux.HandleFunc("POST /slack/events", c.signed(c.event))
	mux.HandleFunc("POST /slack/options", c.signed(c.options))
	return mux
}

func (c *clerk) signed(next func(http.ResponseWriter, []byte)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		mac := hmac.New(sha256.New, []byte(testSecret))
		fmt.Fprintf(mac, "v0:%s:%s", r.Header.Get("X-Slack-Request-Timestamp"), body)
		if err != nil || r.Header.Get("X-Slack-Signature") != "v0="+hex.EncodeToString(mac.Sum(nil)) {
			c.t.Errorf("a request to %s is not signed", r.URL.Path)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next(w, body)
	}
}

// call uses the Web API.
func (c *clerk) call(method string, args map[string]any) {
	body, err := json.Marshal(args)
	if err != nil {
		c.t.Error(err)
		return
	}
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.sim.APIURL()+method, bytes.NewReader(body))
	if err != nil {
		c.t.Error(err)
		return
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("Authorization", "Bearer "+testToken)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return // the test is over
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil || !bytes.Contains(answer, []byte(`"ok":true`)) {
		c.t.Errorf("%s answered %s (%v)", method, answer, err)
	}
}

var mentioned = regexp.MustCompile(`<@(U\w+)(?:\|[^>]*)?>`)

func (c *clerk) command(w http.ResponseWriter, body []byte) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		c.t.Error(err)
		return
	}
	user, text := form.Get("user_id"), form.Get("text")
	switch form.Get("command") {
	case "/slow":
		w.WriteHeader(http.StatusInternalServerError)
	case "/lang":
		fmt.Fprint(w, "好的，从现在起说中文。 OK: "+text)
	case "/gallery":
		reply(w, map[string]any{"response_type": "ephemeral", "text": "gallery", "blocks": gallery()})
	case "/form":
		c.call("views.open", map[string]any{"trigger_id": form.Get("trigger_id"), "view": c.form})
	case "/note":
		if to := mentioned.FindStringSubmatch(text); to != nil {
			c.post(to[1], user, mentioned.ReplaceAllString(text, ""), "🔒 改进建议")
		}
		reply(w, map[string]any{"text": "已私下发送。 Sent privately."})
	default:
		to := mentioned.FindStringSubmatch(text)
		if to == nil {
			c.call("views.open", map[string]any{"trigger_id": form.Get("trigger_id"), "view": praiseForm()})
			return
		}
		c.post(to[1], user, strings.TrimSpace(mentioned.ReplaceAllString(text, "")), "✨ 表扬 Praise")
		reply(w, map[string]any{"response_type": "ephemeral", "text": "Sent", "blocks": []any{
			section("已发送给 <@" + to[1] + ">。"),
			actions("own", button("edit", "修改", nil), button("recall", "撤回", map[string]any{"style": "danger", "confirm": map[string]any{
				"title": plain("撤回这条表扬？"), "text": plain("对方将看到它已被撤回。"), "confirm": plain("撤回"), "deny": plain("取消"),
			}})),
		}})
	}
}

// post sends a card to a person.
func (c *clerk) post(to, from, text, title string) {
	c.call("chat.postMessage", map[string]any{"channel": to, "text": title, "blocks": []any{
		map[string]any{"type": "header", "text": plain(title)},
		section(">" + strings.ReplaceAll(text, "\n", "\n>")),
		map[string]any{"type": "section", "fields": []any{mrkdwn("*来自*\n<@" + from + ">"), mrkdwn("*价值观*\n客户第一")}},
		map[string]any{"type": "context", "elements": []any{mrkdwn("十分钟内可以撤回 · _only you and they can see this_")}},
		actions("thank", button("thanks", "感谢 :heart:", map[string]any{"style": "primary", "value": from}), button("later", "稍后", nil)),
	}})
}

func (c *clerk) interaction(w http.ResponseWriter, body []byte) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		c.t.Error(err)
		return
	}
	p := nodeOf([]byte(form.Get("payload")))
	user := p.node("user").str("id")
	if p.str("type") == "view_submission" {
		values := p.node("view").node("state").node("values")
		text := values.node("text").node("text").str("value")
		if len([]rune(text)) < 6 {
			reply(w, map[string]any{"response_action": "errors", "errors": map[string]string{"text": "请写得具体一点：发生了什么？"}})
			return
		}
		c.post(values.node("who").node("who").str("selected_user"), user, text, "✨ 表扬 Praise")
		return
	}
	for _, a := range p.nodes("actions") {
		switch a.str("action_id") {
		case "thanks":
			c.call("chat.update", map[string]any{
				"channel": p.node("channel").str("id"), "ts": p.node("message").str("ts"), "text": "Thanked",
				"blocks": []any{section("谢意已送达。 *Thanks sent.*")},
			})
		case "recall":
			c.hook(p.str("response_url"), map[string]any{"replace_original": true, "text": "已撤回。"})
		}
	}
}

func (c *clerk) hook(url string, body map[string]any) {
	raw, err := json.Marshal(body)
	if err != nil {
		c.t.Error(err)
		return
	}
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, url, bytes.NewReader(raw))
	if err != nil {
		c.t.Error(err)
		return
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err == nil {
		err = res.Body.Close()
	}
	if err != nil {
		c.t.Error(err)
	}
}

func (c *clerk) event(w http.ResponseWriter, body []byte) {
	w.WriteHeader(http.StatusOK)
	e := nodeOf(body).node("event")
	if e.str("type") == "app_home_opened" {
		c.call("views.publish", map[string]any{"user_id": e.str("user"), "view": map[string]any{"type": "home", "blocks": []any{
			map[string]any{"type": "header", "text": plain("你好 Hello")},
			section("*本月* 收到 3 条表扬，给出 1 条。"),
			map[string]any{"type": "divider"},
			actions("home", button("home.praise", "表扬同事", map[string]any{"style": "primary"}), button("home.settings", "设置", nil)),
			map[string]any{"type": "context", "elements": []any{mrkdwn("语言：中文 · 免打扰 20:00–08:00")}},
		}}})
	}
}

func (c *clerk) options(w http.ResponseWriter, body []byte) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		c.t.Error(err)
		return
	}
	typed := nodeOf([]byte(form.Get("payload"))).str("value")
	reply(w, map[string]any{"options": []any{option(typed+" one", "one"), option(typed+" two", "two")}})
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	json.NewEncoder(w).Encode(v) //nolint:errcheck // the simulator has gone away
}

func plain(s string) map[string]any {
	return map[string]any{"type": "plain_text", "text": s, "emoji": true}
}
func mrkdwn(s string) map[string]any { return map[string]any{"type": "mrkdwn", "text": s} }
func section(s string) map[string]any {
	return map[string]any{"type": "section", "text": mrkdwn(s)}
}

func actions(id string, elements ...any) map[string]any {
	return map[string]any{"type": "actions", "block_id": id, "elements": elements}
}

func button(id, label string, more map[string]any) map[string]any {
	return with(map[string]any{"type": "button", "action_id": id, "text": plain(label)}, more)
}

func option(label, value string) map[string]any {
	return map[string]any{"text": plain(label), "value": value}
}

func input(id, label string, element map[string]any, more map[string]any) map[string]any {
	element["action_id"] = id
	return with(map[string]any{"type": "input", "block_id": id, "label": plain(label), "element": element}, more)
}

func with(m map[string]any, more map[string]any) map[string]any {
	for k, v := range more {
		m[k] = v
	}
	return m
}

func praiseForm() map[string]any {
	values := []any{option("客户第一", "customer"), option("说到做到", "deliver"), option("互相成就", "together")}
	return map[string]any{
		"type": "modal", "callback_id": "praise", "title": plain("表扬同事"), "submit": plain("发送"), "close": plain("取消"), "notify_on_close": true,
		"blocks": []any{
			input("who", "表扬谁？", map[string]any{"type": "users_select", "placeholder": plain("选择同事")}, nil),
			input("text", "发生了什么？", map[string]any{"type": "plain_text_input", "multiline": true, "max_length": 2000},
				map[string]any{"hint": plain("情境、行为、影响：三句话就够了。")}),
			input("value", "价值观", map[string]any{"type": "static_select", "options": values, "placeholder": plain("选择一项")}, map[string]any{"optional": true}),
			input("when", "日期", map[string]any{"type": "datepicker", "initial_date": "2026-01-05"}, map[string]any{"optional": true}),
			input("share", "谁能看到", map[string]any{
				"type": "radio_buttons", "options": []any{option("只有对方", "private"), option("也发到 #praise", "public")},
				"initial_option": option("只有对方", "private"),
			}, nil),
		},
	}
}
