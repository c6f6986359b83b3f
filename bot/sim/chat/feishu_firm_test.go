package chat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"huiyin/bot/sim/feishusim"
	"huiyin/internal/i18n"
)

const feishuKey = "an encrypt key for the tests"

// office is the firm in Feishu: a page with two tabs, of which only this one has anything in it for some people.
type office struct {
	*firm
	feishu *feishusim.Server
	clerk  *feishuClerk
	ids    map[string]string // handle to open_id
	group  string
}

// newOffice gives everybody but Sam an account in Feishu too, joined to the one in Slack, and one person who is only there.
func newOffice(t *testing.T, more ...func(*Options)) *office {
	t.Helper()
	sim := feishusim.New(feishusim.Options{
		AppID: "cli_test", AppSecret: "secret", EncryptKey: feishuKey, VerificationToken: "v", BotName: "回音", Limits: feishusim.Limits{Off: true},
	})
	t.Cleanup(sim.Close)
	api := httptest.NewServer(sim.Handler())
	t.Cleanup(api.Close)
	sim.SetBaseURL(api.URL)
	o := &office{feishu: sim, ids: map[string]string{}}
	o.clerk = &feishuClerk{t: t, sim: sim}
	bot := httptest.NewServer(o.clerk.signed(o.clerk.event))
	t.Cleanup(bot.Close)
	sim.SetBotURL(bot.URL)

	_, id := sim.Bot()
	members := []string{id}
	var profiles []Profile
	add := func(handle, name, en, title, dept, locale string, more Profile) {
		d := sim.AddDepartment(feishusim.Department{ID: "od-" + dept, Name: dept})
		p := sim.AddPerson(feishusim.Person{
			OpenID: "ou_" + strings.ReplaceAll(handle, ".", ""), Handle: handle, Name: name, EnName: en, JobTitle: title, Locale: locale, Departments: []string{d.ID},
		})
		o.ids[handle] = p.OpenID
		members = append(members, p.OpenID)
		more.Platform, more.User = feishuName, p.OpenID
		if more.Boss != "" {
			more.Boss = o.ids[more.Boss]
		}
		profiles = append(profiles, more)
	}
	handles := map[string]string{}
	for _, row := range staff() {
		handles[row.p.ID] = row.p.Handle
		if row.p.ID == "U8" {
			continue
		}
		locale := "zh_cn"
		if row.p.Locale == "en-US" {
			locale = "en_us"
		}
		more := row.more
		more.Person, more.Boss = row.p.ID, handles[row.more.Boss]
		add(row.p.Handle, row.p.RealName, "", row.p.Title, more.Department, locale, more)
	}
	add("he.qing", "何青", "Qing He", "审计", "审计 Audit", "zh_cn", Profile{OtherName: "Qing He", Department: "审计 Audit", Words: []string{"heqing"}})
	o.group = sim.AddChat(feishusim.Chat{Name: "全员群 General", Members: members}).ID
	sim.AddChat(feishusim.Chat{Name: "管理群 Leads", Members: members[1:3]})

	menu := []MenuItem{
		{Key: "praise", Label: map[string]string{i18n.English: "Praise", i18n.Chinese: "表扬同事"}},
		{Key: "gallery", Label: map[string]string{i18n.English: "Every element", i18n.Chinese: "所有元素"}},
	}
	o.firm = newFirm(t, append([]func(*Options){func(opts *Options) {
		for i := range opts.Profiles {
			opts.Profiles[i].Person = opts.Profiles[i].User
		}
		opts.Feishu, opts.FeishuMenu, opts.Profiles = sim, menu, append(opts.Profiles, profiles...)
	}}, more...)...)
	t.Cleanup(sim.Close) // before the page's server, which waits for its streams
	o.clerk.login()
	return o
}

// feishuClerk is a bot small enough to stand in a test. It speaks to the simulator over HTTP and believes only what is signed.
type feishuClerk struct {
	t   *testing.T
	sim *feishusim.Server

	mu    sync.Mutex
	token string
	image string // key of an uploaded picture
	card  any    // what /form sends
}

// call uses the API and returns what stands under data.
func (c *feishuClerk) call(path string, body any) node {
	raw, err := json.Marshal(body)
	if err != nil {
		c.t.Error(err)
		return nil
	}
	return c.request(path, "application/json; charset=utf-8", raw)
}

func (c *feishuClerk) request(path, kind string, raw []byte) node {
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.sim.BaseURL()+"/open-apis/"+path, bytes.NewReader(raw))
	if err != nil {
		c.t.Error(err)
		return nil
	}
	c.mu.Lock()
	req.Header.Set("Authorization", "Bearer "+c.token)
	c.mu.Unlock()
	req.Header.Set("Content-Type", kind)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Error(err)
		return nil
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	n := nodeOf(answer)
	if err != nil || n.str("code") != "0" {
		c.t.Errorf("%s answered %s (%v)", path, answer, err)
	}
	if n.has("data") {
		return n.node("data")
	}
	return n
}

func (c *feishuClerk) login() {
	n := c.call("auth/v3/tenant_access_token/internal", map[string]any{"app_id": "cli_test", "app_secret": "secret"})
	c.mu.Lock()
	c.token = n.str("tenant_access_token")
	c.mu.Unlock()
}

// dot is a picture of one pixel.
const dot = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde\x00\x00\x00\x0cIDATx\x9cc`\xa8g\x00\x00\x01\x03\x00\x81" +
	"\xa7\xb1\x9f\x8f\x00\x00\x00\x00IEND\xaeB`\x82"

// upload keeps a picture and remembers its key.
func (c *feishuClerk) upload() string {
	c.mu.Lock()
	key := c.image
	c.mu.Unlock()
	if key != "" {
		return key
	}
	const b = "boundary"
	body := "--" + b + "\r\nContent-Disposition: form-data; name=\"image_type\"\r\n\r\nmessage\r\n--" + b +
		"\r\nContent-Disposition: form-data; name=\"image\"; filename=\"dot.png\"\r\nContent-Type: image/png\r\n\r\n" + dot + "\r\n--" + b + "--\r\n"
	key = c.request("im/v1/images", "multipart/form-data; boundary="+b, []byte(body)).str("image_key")
	c.mu.Lock()
	defer c.mu.Unlock()
	c.image = key
	return key
}

func (c *feishuClerk) send(to, kind string, content any) {
	raw, err := json.Marshal(content)
	if err != nil {
		c.t.Error(err)
		return
	}
	by := "open_id"
	if strings.HasPrefix(to, "oc_") {
		by = "chat_id"
	}
	c.call("im/v1/messages?receive_id_type="+by, map[string]any{
		"receive_id": to, "msg_type": kind, "content": string(raw),
	})
}

// signed reads what Feishu pushes and hands it on decrypted, if it is signed.
func (c *feishuClerk) signed(next func(http.ResponseWriter, node)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		h := r.Header
		if err != nil || h.Get("X-Lark-Signature") != feishusim.Sign(h.Get("X-Lark-Request-Timestamp"), h.Get("X-Lark-Request-Nonce"), feishuKey, body) {
			c.t.Errorf("a request to %s is not signed", r.URL.Path)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		plain, err := feishusim.Decrypt(feishuKey, nodeOf(body).str("encrypt"))
		if err != nil {
			c.t.Errorf("a request to %s cannot be read: %v", r.URL.Path, err)
			return
		}
		next(w, nodeOf(plain))
	}
}

func (c *feishuClerk) event(w http.ResponseWriter, n node) {
	e := n.node("event")
	answer := map[string]any{}
	switch n.node("header").str("event_type") {
	case "im.message.receive_v1":
		c.heard(e)
	case "application.bot.menu_v6":
		by := e.node("operator").node("operator_id").str("open_id")
		c.command(by, by, "/"+e.str("event_key"), nil)
	case "card.action.trigger":
		answer = c.pressed(e)
		if answer == nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
	}
	reply(w, answer)
}

// heard is a message to the bot: its mention is taken out, the others are people.
func (c *feishuClerk) heard(e node) {
	m := e.node("message")
	text, from := nodeOf([]byte(m.str("content"))).str("text"), e.node("sender").node("sender_id").str("open_id")
	var meant []string
	for _, at := range m.nodes("mentions") {
		text = strings.Replace(text, at.str("key"), "", 1)
		if at.str("mentioned_type") != "bot" {
			meant = append(meant, at.node("id").str("open_id"))
		}
	}
	c.command(from, m.str("chat_id"), strings.TrimSpace(text), meant)
}

func (c *feishuClerk) command(from, chat, text string, meant []string) {
	name, words, _ := strings.Cut(text, " ")
	words = strings.TrimSpace(words)
	if len(meant) == 0 {
		for _, p := range c.sim.People() { // in the conversation with the bot a name is only text
			if rest, named := strings.CutPrefix(words, "@"+p.Name); named {
				meant, words = append(meant, p.OpenID), strings.TrimSpace(rest)
			}
		}
	}
	switch name {
	case "/praise":
		if len(meant) == 0 {
			c.send(chat, "interactive", c.praiseForm(""))
			return
		}
		c.praise(from, meant[0], words)
		c.send(chat, "interactive", larkCard("", "", larkMD("已发送给 <at id="+meant[0]+"></at>。"), larkButton("撤回", "recall", map[string]any{
			"type": "danger", "confirm": map[string]any{"title": larkPlain("撤回这条表扬？"), "text": larkPlain("对方将看到它已被撤回。")},
		})))
	case "/note":
		if len(meant) > 0 {
			c.send(meant[0], "interactive", larkCard("🔒 改进建议", "orange", larkMD(words)))
		}
		c.send(from, "text", map[string]any{"text": "已私下发送。 Sent privately."})
	case "/gallery":
		c.send(chat, "interactive", feishuGallery(c.upload(), from))
	case "/post":
		c.send(chat, "post", feishuPost(c.upload(), from))
	case "/form":
		c.send(chat, "interactive", c.card)
	default:
		c.send(chat, "text", map[string]any{"text": fmt.Sprintf("收到。 <at user_id=%q></at> https://example.com/help?a=1&b=2。", from)})
	}
}

func (c *feishuClerk) praise(from, to, text string) {
	c.send(to, "interactive", larkCard("✨ 表扬 Praise", "green",
		larkMD("> "+strings.ReplaceAll(larkEscape(text), "\n", "\n> ")),
		map[string]any{"tag": "column_set", "flex_mode": "none", "columns": []any{
			larkColumn(1, larkMD("**来自**\n<person id='"+from+"'></person>")), larkColumn(1, larkMD("**价值观**\n<text_tag color='green'>客户第一</text_tag>")),
		}},
		map[string]any{"tag": "hr"},
		map[string]any{"tag": "div", "text": map[string]any{"tag": "plain_text", "content": "十分钟内可以撤回 · only you and they can see this", "text_size": "notation", "text_color": "grey"}},
		larkButton("感谢 ❤️", "thanks", map[string]any{"type": "primary"}),
	))
}

// pressed answers a press: with a toast and a card, with a toast alone, or with nil for a failure.
func (c *feishuClerk) pressed(e node) map[string]any {
	by, form := e.node("operator").str("open_id"), e.node("action").node("form_value")
	card := func(v map[string]any) map[string]any { return map[string]any{"type": "raw", "data": v} }
	say := func(kind, zh, en string) map[string]any {
		return map[string]any{"type": kind, "content": zh, "i18n": map[string]any{"zh_cn": zh, "en_us": en}}
	}
	switch e.node("action").node("value").str("do") {
	case "fail":
		return nil
	case "odd":
		return map[string]any{"message": "no"}
	case "thanks":
		return map[string]any{"toast": say("success", "谢意已送达", "Thanks sent"), "card": card(larkCard("✨ 表扬 Praise", "green", larkMD("谢意已送达。 **Thanks sent.**")))}
	case "recall":
		return map[string]any{"card": card(larkCard("", "", larkMD("已撤回。")))}
	case "send":
		if len([]rune(form.str("text"))) < 6 {
			return map[string]any{"toast": say("error", "请写得具体一点", "Please be more specific"), "card": card(c.praiseForm("请写得具体一点：发生了什么？"))}
		}
		c.praise(by, form.str("who"), form.str("text"))
		return map[string]any{"toast": say("success", "已发送", "Sent"), "card": card(larkCard("已发送", "green", larkMD("已发送给 <at id="+form.str("who")+"></at>。")))}
	}
	return map[string]any{"toast": say("info", "按下了："+e.node("action").str("option"), "Pressed: "+e.node("action").str("option"))}
}

func larkPlain(s string) map[string]any { return map[string]any{"tag": "plain_text", "content": s} }

func larkMD(s string) map[string]any { return map[string]any{"tag": "markdown", "content": s} }

// larkEscape makes text of what somebody typed, as the vendor's page on rich text says: special characters as entities.
func larkEscape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&#60;", ">", "&#62;", "*", "&#42;", "~", "&#126;", "[", "&#91;", "]", "&#93;", "`", "&#96;", "!", "&#33;").Replace(s)
}

func larkButton(label, do string, more map[string]any) map[string]any {
	return with(map[string]any{
		"tag": "button", "text": larkPlain(label), "behaviors": []any{map[string]any{"type": "callback", "value": map[string]any{"do": do}}},
	}, more)
}

func larkColumn(weight int, elements ...any) map[string]any {
	return map[string]any{"tag": "column", "width": "weighted", "weight": weight, "elements": elements}
}

func larkCard(title, template string, elements ...any) map[string]any {
	out := map[string]any{"schema": "2.0", "config": map[string]any{"update_multi": true}, "body": map[string]any{"elements": elements}}
	if title != "" {
		out["header"] = map[string]any{"title": larkPlain(title), "template": template}
	}
	return out
}

func larkOptions(labels ...string) []any {
	var out []any
	for i, l := range labels {
		out = append(out, map[string]any{"text": larkPlain(l), "value": fmt.Sprint(i + 1)})
	}
	return out
}

// praiseForm is a form in a card. What is wrong with it stands over it.
func (c *feishuClerk) praiseForm(wrong string) map[string]any {
	var people []any
	for _, p := range c.sim.People() {
		people = append(people, map[string]any{"value": p.OpenID})
	}
	var elements []any
	if wrong != "" {
		elements = append(elements, larkMD("<font color='red'>"+wrong+"</font>"))
	}
	elements = append(elements, map[string]any{"tag": "form", "name": "praise", "elements": []any{
		larkMD("**表扬谁？**"),
		map[string]any{"tag": "select_person", "name": "who", "required": true, "placeholder": larkPlain("选择同事"), "options": people},
		map[string]any{"tag": "input", "name": "text", "label": larkPlain("发生了什么？"), "input_type": "multiline_text", "rows": 4, "required": true, "max_length": 1000, "placeholder": larkPlain("情境、行为、影响：三句话就够了。")},
		larkMD("**价值观**"),
		map[string]any{"tag": "select_static", "name": "value", "placeholder": larkPlain("选择一项"), "options": larkOptions("客户第一", "说到做到", "互相成就")},
		map[string]any{"tag": "date_picker", "name": "when", "initial_date": "2026-01-05"},
		map[string]any{"tag": "checker", "name": "share", "text": larkPlain("也发到全员群")},
		map[string]any{"tag": "column_set", "columns": []any{
			map[string]any{"tag": "column", "width": "auto", "elements": []any{larkButton("发送", "send", map[string]any{"name": "go", "type": "primary", "form_action_type": "submit"})}},
			map[string]any{"tag": "column", "width": "auto", "elements": []any{map[string]any{"tag": "button", "name": "empty", "text": larkPlain("清空"), "form_action_type": "reset"}}},
		}},
	}})
	return larkCard("表扬同事", "blue", elements...)
}
