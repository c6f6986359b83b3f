package chat

import (
	"fmt"
	"testing"

	"huiyin/bot/sim/feishusim"
)

// The same firm in DingTalk: a command, an action card whose button opens the bot's page, a card with a form, a group.
func TestANewcomerPlaysTheFirmInDingTalk(t *testing.T) {
	d := newBranch(t)
	b := openBrowser(t)
	b.size(1280, 800, false)

	b.open(d.url + "/?as=U2")
	b.clickText(".tabs a", "钉钉")
	b.live(d.url + "/?as=m" + "U2")
	b.sees(".pane-head .accounts", "Slack")
	b.write("/praise @王芳 周五的交接写得很清楚，谢谢你")
	b.sees(".hints .hint-usage", "/praise")
	b.key("Enter")
	b.sees(".message .card", "已发送。")
	b.shot("80-dingtalk-sent-zh")
	b.sees(".people li", "1")

	// The bare command leads to a page of the bot's, which opens beside the conversation.
	b.write("/praise")
	b.key("Enter")
	b.sees(".message .vc-card", "请在网页里填写")
	b.clickText(".dt-buttons a", "打开")
	b.wait("the page is shown", `document.querySelector(".sheet.framed iframe") !== null`)
	b.sees(".sheet header", "钉钉打开的页面")
	b.focused(".sheet header a")
	b.wait("the page is there", `performance.getEntriesByType("resource").some(e => e.name.includes("/p/form") && e.responseEnd > 0)`)
	b.key("Tab")
	b.focused(".sheet-closes")
	b.key("Tab") // into the page
	b.write("写得很清楚")
	b.shot("81-dingtalk-page-zh")
	b.key("Tab")
	b.key("Enter")
	b.sees(".message .card", "网页已提交：写得很清楚")
	b.click(".sheet-closes")
	b.wait("the page is gone", `document.querySelector(".sheet").hidden && !document.querySelector(".sheet iframe")`)

	// A card with a form: what is missing is said by the client, what is wrong stands in the card, then it goes.
	b.click(".composer textarea")
	b.write("/card")
	b.key("Enter")
	b.sees(".message .vc-head", "表扬同事")
	b.clickText(".vc-form button", "发送")
	b.sees(".vc-form .error", "请选择一位同事")
	b.shot("82-dingtalk-required-zh")
	b.eval(`(() => { const s = document.querySelector(".vc-form select"); s.value = "mU3"; })()`)
	b.click(".vc-form textarea")
	b.write("好")
	b.clickText(".vc-form button", "发送")
	b.sees(".message .ink.tone-red", "请写得具体一点")
	b.shot("83-dingtalk-refused-zh")
	b.eval(`(() => { const s = document.querySelector(".vc-form select"); s.value = "mU3"; })()`)
	b.click(".vc-form .picker summary")
	b.clickText(".vc-form .picker .choice", "说到做到")
	b.click(".vc-form textarea")
	b.write("把客户的问题一次讲清楚了")
	b.clickText(".vc-form button", "发送")
	b.sees(".message .vc-head", "已发送")
	b.shot("84-dingtalk-card-sent-zh")

	// The receiver reads an action card; a page that lets nobody frame it opens in a window.
	b.open(d.url + "/?on=dingtalk&as=mU3")
	b.sees(".message .vc-card", "把客户的问题一次讲清楚了")
	b.shot("85-dingtalk-received-en")
	b.eval(`window.opened = []; window.open = (url) => { window.opened.push(url); }`)
	b.clickText(".dt-buttons a", "稍后")
	b.sees(".sheet:not(.framed)", "opened in a window")
	b.wait("the window is asked for", `window.opened.length === 1 && window.opened[0].endsWith("/p/shut")`)
	b.shot("86-dingtalk-window-en")
	b.click(".sheet-closes")

	// In a group the robot and people are mentioned.
	b.clickText(".places a", "General")
	b.live(d.url + "/?as=mU3&in=cid")
	b.click(".composer textarea")
	b.write("@回音")
	b.sees(".hints:not([hidden]) [role=option]", "回音")
	b.key("Tab")
	b.wait("the bot is chosen", `document.querySelector(".composer textarea").value === "@回音 "`)
	b.write("/praise @wangfang")
	b.wait("one person is left", `document.querySelectorAll(".hints:not([hidden]) [role=option]").length === 1`)
	b.sees(".hints:not([hidden]) [role=option]", "王芳")
	b.key("Tab")
	b.wait("the person is chosen", `document.querySelector(".composer textarea").value.endsWith("@王芳 ")`)
	b.write("Clear words with the client")
	b.key("Enter")
	b.sees(".message .mention", "@王芳")
	b.sees(".message .card", "已发送。")
	b.shot("87-dingtalk-group-en")

	// Everything at once, and what went over the wire.
	b.open(d.url + "/?on=dingtalk&as=" + d.ids["maria"])
	b.click(".composer textarea")
	b.write("/gallery")
	b.key("Enter")
	b.sees(".message .card", "A line of a feed")
	b.shot("88-dingtalk-gallery-end-en")
	b.eval(`[...document.querySelectorAll(".message")][1].scrollIntoView()`)
	b.shot("89-dingtalk-gallery-en")
	b.dark(true)
	b.shot("90-dingtalk-gallery-dark-en")
	b.dark(false)
	b.clickText(".dt-buttons button", "Say hello")
	b.sees(".message .card", "hello again") // in the reader's name
	b.click(".pane-head .inspector-toggles")
	b.sees(".inspector", "/dingtalk/messages")
	b.clickText(".inspector summary", "/dingtalk/messages")
	b.sees(".inspector dt", "Sign")
	b.shot("91-dingtalk-inspector-en")

	for _, e := range b.errors {
		t.Errorf("the page had an error: %s", e)
	}
	for _, found := range d.ding.MustFindings() {
		if found.Rule != "link.dtmd" { // the gallery has one, to be drawn
			t.Errorf("the simulator found a fault in what was sent: %+v", found)
		}
	}
}

func TestDingTalkFitsATelephone(t *testing.T) {
	feishu := feishusim.New(feishusim.Options{AppID: "cli_a", AppSecret: "s"})
	t.Cleanup(feishu.Close)
	d := newBranch(t, func(o *Options) { o.Feishu = feishu }) // three tabs
	b := openBrowser(t)
	b.size(390, 844, true)
	at := "/?on=dingtalk&as=mU2"
	b.open(d.url + at)
	for i, text := range []string{"/card", "/gallery"} {
		b.click(".composer textarea")
		b.write(text)
		b.key("Enter")
		b.sees(".message .card", []string{"写给谁", "A line of a feed"}[i])
		b.shot(fmt.Sprintf("9%d-phone-dingtalk-zh", i+2))
	}
	b.clickText(".dt-buttons a", "Left")
	b.wait("the page is shown", `document.querySelector(".sheet.framed iframe") !== null`)
	b.shot("94-phone-dingtalk-page-zh")
	for _, width := range []int{390, 360} {
		b.size(width, 844, true)
		for _, at := range []string{at, "/?on=dingtalk", "/?as=U2&with=dingtalk:mU4", at + "&in=" + d.group} {
			b.open(d.url + "/")
			b.open(d.url + at)
			if b.wide() == true {
				b.shot(fmt.Sprintf("too-wide-dingtalk-%d", width))
				t.Errorf("at a width of %d the page %s scrolls sideways", width, at)
			}
		}
	}
	for _, e := range b.errors {
		t.Errorf("the page had an error: %s", e)
	}
}
