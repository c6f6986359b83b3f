package chat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"huiyin/bot/sim/dingtalksim"
)

const dingSecret = "an app secret for the tests"

// branch is the firm in DingTalk: a page with a tab for Slack and one for this.
type branch struct {
	*firm
	ding  *dingtalksim.Server
	clerk *dingtalkClerk
	ids   map[string]string // handle to userid
	group string
}

func newBranch(t *testing.T, more ...func(*Options)) *branch {
	t.Helper()
	sim := dingtalksim.New(dingtalksim.Options{
		ClientID: "dingtest", ClientSecret: dingSecret, Limits: dingtalksim.Limits{Off: true},
		Templates: []dingtalksim.Template{dingtalksim.FormTemplate("form.schema")},
	})
	t.Cleanup(sim.Close)
	api := httptest.NewServer(sim.Handler())
	t.Cleanup(api.Close)
	sim.SetBaseURL(api.URL)
	d := &branch{ding: sim, ids: map[string]string{}}
	d.clerk = &dingtalkClerk{t: t, sim: sim}
	bot := httptest.NewServer(d.clerk.handler())
	t.Cleanup(bot.Close)
	sim.SetBotURL(bot.URL)
	d.clerk.url = bot.URL

	_, id := sim.Bot()
	members := []string{id}
	departments := map[string]int64{}
	var profiles []Profile
	for _, row := range staff() {
		if row.p.ID == "U8" {
			continue
		}
		dept := row.more.Department
		if departments[dept] == 0 {
			departments[dept] = sim.AddDepartment(dingtalksim.Department{Name: dept}).ID
		}
		p := sim.AddPerson(dingtalksim.Person{
			UserID: "m" + row.p.ID, Handle: row.p.Handle, Name: row.p.RealName, Title: row.p.Title, DeptIDs: []int64{departments[dept]},
		})
		d.ids[row.p.Handle] = p.UserID
		members = append(members, p.UserID)
		more := row.more
		more.Platform, more.User, more.Person = dingtalkName, p.UserID, row.p.ID
		if more.Boss != "" {
			more.Boss = "m" + more.Boss
		}
		profiles = append(profiles, more)
	}
	d.group = sim.AddChat(dingtalksim.Chat{Name: "全员群 General", Members: members}).ID
	d.firm = newFirm(t, append([]func(*Options){func(o *Options) {
		for i := range o.Profiles {
			o.Profiles[i].Person = o.Profiles[i].User
		}
		o.DingTalk, o.Profiles = sim, append(o.Profiles, profiles...)
	}}, more...)...)
	t.Cleanup(sim.Close) // before the page's server, which waits for its streams
	d.clerk.login()
	return d
}

// dingtalkClerk is a bot small enough to stand in a test: robot messages, cards and two pages of its own.
type dingtalkClerk struct {
	t   *testing.T
	sim *dingtalksim.Server
	url string

	mu    sync.Mutex
	token string
	cards int
}

func (c *dingtalkClerk) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+dingtalksim.MessagesPath, c.signed("Sign", func(h http.Header) string { return dingtalksim.SignRobot(dingSecret, h.Get("Timestamp")) }, c.heard))
	mux.HandleFunc("POST /cards", c.signed("X-Ddpaas-Signature", func(h http.Header) string {
		return dingtalksim.SignCard(dingSecret, h.Get("X-Ddpaas-Signature-Timestamp"))
	}, c.pressed))
	mux.HandleFunc("GET /p/form", c.page)
	mux.HandleFunc("POST /p/form", submitted(c.posted))
	mux.HandleFunc("GET /p/shut", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Frame-Options", "DENY")
		fmt.Fprint(w, "<!doctype html><title>shut</title>A page that lets nobody frame it.")
	})
	return mux
}

// call uses the API of the new host.
func (c *dingtalkClerk) call(path string, body any) node {
	raw, err := json.Marshal(body)
	if err != nil {
		c.t.Error(err)
		return nil
	}
	if !strings.HasPrefix(path, "http") {
		path = c.sim.BaseURL() + path
	}
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, path, bytes.NewReader(raw))
	if err != nil {
		c.t.Error(err)
		return nil
	}
	c.mu.Lock()
	req.Header.Set("x-acs-dingtalk-access-token", c.token)
	c.mu.Unlock()
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Error(err)
		return nil
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	n := nodeOf(answer)
	if code := n.str("errcode"); err != nil || res.StatusCode != http.StatusOK || code != "" && code != "0" {
		c.t.Errorf("%s answered %d %s (%v)", path, res.StatusCode, answer, err)
	}
	return n
}

func (c *dingtalkClerk) login() {
	n := c.call("/v1.0/oauth2/accessToken", map[string]any{"appKey": "dingtest", "appSecret": dingSecret})
	c.mu.Lock()
	c.token = n.str("accessToken")
	c.mu.Unlock()
	c.call("/v1.0/card/callbacks/register", map[string]any{
		"callbackRouteKey": "cards", "callbackUrl": c.url + "/cards", "apiSecret": dingSecret, "forceUpdate": true,
	})
}

func encoded(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(raw)
}

func (c *dingtalkClerk) send(to, key string, param map[string]any) {
	c.call("/v1.0/robot/oToMessages/batchSend", map[string]any{
		"robotCode": c.sim.RobotCode(), "userIds": []string{to}, "msgKey": key, "msgParam": encoded(param),
	})
}

// praise is an action card whose button opens a page of the bot's, beside the conversation.
func (c *dingtalkClerk) praise(from, to, text string) {
	c.send(to, "sampleActionCard2", map[string]any{
		"title": "表扬", "text": "### ✨ 表扬 Praise\n\n> " + text + "\n\n**来自** " + from + "  \n**价值观** <font color=#2a9d4e>客户第一</font>",
		"actionTitle1": "感谢", "actionURL1": "dingtalk://dingtalkclient/page/link?pc_slide=true&url=" + url.QueryEscape(c.url+"/p/form?do=thanks&by="+url.QueryEscape(from)),
		"actionTitle2": "稍后", "actionURL2": c.url + "/p/shut",
	})
}

// signed reads what DingTalk pushes and hands it on, if the header says what it should.
func (c *dingtalkClerk) signed(header string, want func(http.Header) string, next func(http.ResponseWriter, node)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get(header) != want(r.Header) {
			c.t.Errorf("a request to %s is not signed", r.URL.Path)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next(w, nodeOf(body))
	}
}

func submitted(next func(http.ResponseWriter, url.Values)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		next(w, r.Form)
	}
}

func (c *dingtalkClerk) heard(_ http.ResponseWriter, n node) {
	from, group := n.str("senderStaffId"), n.str("conversationType") == "2"
	name, words, _ := strings.Cut(strings.TrimSpace(n.node("text").str("content")), " ")
	words = strings.TrimSpace(words)
	to := ""
	for _, at := range n.nodes("atUsers") {
		if at.str("staffId") != "" {
			to = at.str("staffId")
		}
	}
	for _, p := range c.sim.People() {
		if rest, named := strings.CutPrefix(words, "@"+p.Name); named && !group {
			to, words = p.UserID, strings.TrimSpace(rest)
		}
	}
	answer := func(kind string, part map[string]any) {
		c.call(n.str("sessionWebhook"), map[string]any{"msgtype": kind, kind: part})
	}
	switch name {
	case "/praise":
		if to == "" {
			c.send(from, "sampleActionCard", map[string]any{
				"title": "表扬同事", "text": "### 表扬同事\n\n请在网页里填写。", "singleTitle": "打开", "singleURL": c.url + "/p/form?do=praise&by=" + from,
			})
			return
		}
		c.praise(n.str("senderNick"), to, words)
		answer("text", map[string]any{"content": "已发送。 Sent."})
	case "/note":
		if to != "" {
			c.send(to, "sampleMarkdown", map[string]any{"title": "改进建议", "text": "### 🔒 改进建议\n\n" + words})
		}
		answer("text", map[string]any{"content": "已私下发送。"})
	case "/card":
		c.deliver(from, dingtalkForm())
	case "/gallery":
		for _, m := range dingtalkGallery(c.url) {
			c.send(from, m.key, m.param)
		}
		answer("actionCard", map[string]any{"title": "t", "text": "**session** card", "btnOrientation": "1", "btns": []any{
			map[string]any{"title": "One", "actionURL": c.url + "/p/form"}, map[string]any{"title": "Say hello", "actionURL": "dtmd://dingtalkclient/sendMessage?content=" + url.QueryEscape("hello again")},
		}})
		answer("feedCard", map[string]any{"links": []any{map[string]any{"title": "A line of a feed", "messageURL": "https://example.com/", "picURL": "https://example.com/p.png"}}})
	default:
		answer("markdown", map[string]any{"title": "收到", "text": "收到。 **@" + n.str("senderNick") + "**\n还是这一行  \n这是下一行 https://example.com/help?a=1"})
	}
}

func (c *dingtalkClerk) deliver(to string, data map[string]string) {
	c.mu.Lock()
	c.cards++
	id := fmt.Sprintf("card-%d", c.cards)
	c.mu.Unlock()
	c.call("/v1.0/card/instances/createAndDeliver", map[string]any{
		"cardTemplateId": "form.schema", "outTrackId": id, "callbackType": "HTTP", "callbackRouteKey": "cards", "cardData": map[string]any{"cardParamMap": data},
		"userIdType": 1, "openSpaceId": "dtv1.card//IM_ROBOT." + to, "imRobotOpenSpaceModel": map[string]any{"supportForward": false},
		"imRobotOpenDeliverModel": map[string]any{"spaceType": "IM_ROBOT", "robotCode": c.sim.RobotCode()},
	})
}

// pressed answers a card callback: what is short is refused in the card, anything else closes it.
func (c *dingtalkClerk) pressed(w http.ResponseWriter, n node) {
	private := nodeOf([]byte(n.str("content"))).node("cardPrivateData")
	form := private.node("params").node("form")
	data := map[string]string{"title": "已取消", "text": "这张卡片已经结束。", "form": "", "buttons": "[]"}
	ids, _ := private["actionIds"].([]any)
	if len(ids) == 1 && ids[0] == "form" {
		data["title"], data["text"] = "已发送", "已发送给 **"+form.node("who").str("value")+"**"
		if len([]rune(form.str("text"))) < 6 {
			data = map[string]string{"text": "<font color=#d83931>请写得具体一点：发生了什么？</font>"}
		} else {
			c.praise(n.str("userId"), form.node("who").str("value"), form.str("text"))
		}
	}
	if data["form"] == "" && data["title"] != "" {
		data["form"] = `{"fields":[]}`
	}
	reply(w, map[string]any{
		"cardData": map[string]any{"cardParamMap": data}, "cardUpdateOptions": map[string]any{"updateCardDataByKey": true, "updatePrivateDataByKey": true},
	})
}

// page is a form of the bot's own, without a script.
func (c *dingtalkClerk) page(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	q := r.URL.Query()
	fmt.Fprintf(w, `<!doctype html><html lang="zh-CN"><title>页面</title><meta name="viewport" content="width=device-width"><h1>%s</h1>
<form method="post"><label>内容 <textarea name="text">%s</textarea></label><button>确定</button></form>`, html.EscapeString(q.Get("do")), html.EscapeString(q.Get("by")))
}

func (c *dingtalkClerk) posted(w http.ResponseWriter, form url.Values) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if by := form.Get("by"); form.Get("do") == "praise" {
		c.send(by, "sampleText", map[string]any{"content": "网页已提交：" + form.Get("text")})
	}
	fmt.Fprint(w, "<!doctype html><title>好了</title><h1>好了</h1>")
}

func dingtalkForm() map[string]string {
	return map[string]string{
		"title": "表扬同事", "text": "写给谁、发生了什么？", "form_btn_text": "发送", "form_params": "{}", "form_status": "normal",
		"form": encoded(map[string]any{"fields": []any{
			map[string]any{"name": "who", "label": "表扬谁？", "type": "SELECT", "required": true, "requiredMsg": "请选择一位同事", "placeholder": "选择同事", "options": []any{
				map[string]any{"value": "mU3", "text": "Kai Brandt"}, map[string]any{"value": "mU4", "text": "王芳"},
			}},
			map[string]any{"name": "text", "label": "发生了什么？", "type": "TEXT_AREA", "required": true, "requiredMsg": "请填写内容"},
			map[string]any{"name": "values", "label": "价值观", "type": "MULTI_SELECT", "options": []any{
				map[string]any{"value": "a", "text": "客户第一"}, map[string]any{"value": "b", "text": "说到做到"},
			}},
			map[string]any{"name": "when", "label": "日期", "type": "DATE", "defaultValue": "2026-01-05"},
			map[string]any{"name": "at", "label": "时刻", "type": "DATETIME"},
			map[string]any{"name": "public", "label": "也发到全员群", "type": "CHECKBOX"},
			map[string]any{"name": "fixed", "label": "来自", "type": "TEXT", "readOnly": true, "defaultValue": "林晓"},
			map[string]any{"name": "secret", "label": "x", "type": "TEXT", "hidden": true, "defaultValue": "never drawn"},
			map[string]any{"name": "mood", "label": "心情", "type": "CHECKBOX_GROUP", "options": []any{map[string]any{"value": "1", "text": "好"}, map[string]any{"value": "2", "text": "很好"}}},
			map[string]any{"name": "points", "label": "要点（每行一条）", "type": "TEXT_ARRAY"},
			map[string]any{"name": "n", "label": "次数", "type": "NUMBER"},
		}}),
		"buttons": encoded([]any{map[string]any{"id": "cancel", "text": "取消", "style": "gray", "params": map[string]any{"a": "1"}}}),
	}
}

type dingtalkSample struct {
	key   string
	param map[string]any
}

// dingtalkGallery is a message of every kind that the page draws, after the examples of the vendor's page.
// https://open.dingtalk.com/document/development/robot-message-type
func dingtalkGallery(bot string) []dingtalkSample {
	page := bot + "/p/form"
	numbered := func(n int) map[string]any {
		out := map[string]any{"title": "t", "text": "### Card with " + fmt.Sprint(n) + "\n\nA line  \nanother"}
		for i := 1; i <= n; i++ {
			out[fmt.Sprintf("actionTitle%d", i)], out[fmt.Sprintf("actionURL%d", i)] = fmt.Sprintf("Button %d", i), page
		}
		return out
	}
	return []dingtalkSample{
		{"sampleText", map[string]any{"content": "plain **not bold** https://example.com/"}},
		{"sampleMarkdown", map[string]any{"title": "t", "text": "# One\n## Two\n> quoted\n\n**bold** *italic*\nthe same line  \na new line\n- one\n- two\n1. first\n2. second\n\n[link](https://example.com/) <font color=#ff0000>red</font> <font color=common_green1_color>green</font> `code`\n\n---\n\nend"}},
		{"sampleLink", map[string]any{"title": "A link", "text": "what it is about", "picUrl": "https://example.com/p.png", "messageUrl": "https://example.com/"}},
		{"sampleActionCard2", numbered(2)},
		{"sampleActionCard5", numbered(5)},
		{"sampleActionCard6", map[string]any{"title": "t", "text": "Side by side", "buttonTitle1": "Left", "buttonUrl1": page, "buttonTitle2": "Right", "buttonUrl2": page}},
	}
}
