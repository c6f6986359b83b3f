package chat

import (
	"fmt"
	"testing"
)

// The same firm in Feishu: a command with a name, a card with a form, a group, the menu, and somebody of another platform beside.
func TestANewcomerPlaysTheFirmInFeishu(t *testing.T) {
	o := newOffice(t)
	b := openBrowser(t)
	b.size(1280, 800, false)

	// The tab leads to the same person's account; what they cannot do there is not offered.
	b.open(o.url + "/?as=U2")
	b.clickText(".tabs a", "飞书")
	b.live(o.url + "/?as=" + o.ids["lin.xiao"])
	b.sees(".pane-head .accounts", "Slack")
	b.wait("there is no home page", `!document.querySelector(".places").innerText.includes("首页")`)
	b.shot("50-feishu-empty-zh")

	// In the conversation with the bot an @ is only text.
	b.write("/pr")
	b.sees(".hints:not([hidden]) [role=option]", "/praise")
	b.key("Enter")
	b.wait("the command is chosen", `document.querySelector(".composer textarea").value === "/praise "`)
	b.write("@王")
	b.sees(".hints .hint-usage", "/praise")
	b.wait("nobody is offered", `document.querySelectorAll(".hints [role=option]").length === 0`)
	b.write("芳 周五的交接写得很清楚，谢谢你")
	b.key("Enter")
	b.sees(".message .card", "已发送给 @王芳")
	b.shot("51-feishu-sent-zh")
	b.clickText(".message button", "撤回")
	b.sees("dialog.confirm[open]", "撤回这条表扬？")
	b.shot("52-feishu-confirm-zh")
	b.clickText("dialog.confirm[open] .confirm-yes", "确定")
	b.sees(".message .card", "已撤回。")

	// A form in a card: what is missing is said by the client, what is wrong by the bot's toast and card, then it goes.
	b.clickText(".bot-menu button", "表扬同事")
	b.sees(".message .vc-head", "表扬同事")
	b.shot("53-feishu-form-zh")
	b.clickText(".vc-form button", "发送")
	b.sees(".vc-form .error", "请填写此项")
	b.shot("54-feishu-required-zh")
	b.click(".vc-form .picker summary")
	b.focused(".vc-form .picker input[type=search]")
	b.write("kai")
	b.wait("the search has found one", `document.querySelectorAll(".vc-form .picker .choice").length === 1`)
	b.click(".vc-form .picker .choice")
	b.wait("the choice is shown", `document.querySelector(".vc-form .picker summary").innerText.includes("Kai Brandt")`)
	b.click(".vc-form textarea")
	b.write("好")
	b.clickText(".vc-form button", "发送")
	b.sees(".toast", "请写得具体一点")
	b.sees(".message .ink.tone-red", "发生了什么？")
	b.shot("55-feishu-refused-zh")
	b.click(".vc-form .picker summary")
	b.focused(".vc-form .picker input[type=search]")
	b.write("kai")
	b.wait("the search has found one", `document.querySelectorAll(".vc-form .picker .choice").length === 1`)
	b.click(".vc-form .picker .choice")
	b.click(".vc-form textarea")
	b.write("把客户的问题一次讲清楚了")
	b.clickText(".vc-form button", "发送")
	b.sees(".toast", "已发送")
	b.sees(".message .vc-head", "已发送")

	// The receiver reads it and gives thanks.
	b.open(o.url + "/?on=feishu&as=" + o.ids["kai"])
	b.sees(".message .card", "把客户的问题一次讲清楚了")
	b.shot("56-feishu-received-en")
	b.clickText(".message button", "感谢")
	b.sees(".toast", "Thanks sent")
	b.sees(".message .card", "Thanks sent.")

	// In a group the bot is mentioned, and so are people.
	b.clickText(".places a", "General")
	b.live(o.url + "/?as=" + o.ids["kai"] + "&in=oc_")
	b.click(".composer textarea")
	b.write("@回音")
	b.sees(".hints:not([hidden]) [role=option]", "回音")
	b.key("Tab")
	b.wait("the bot is chosen", `document.querySelector(".composer textarea").value === "@回音 "`)
	b.write("/praise @wangfang")
	b.wait("one person is left", `document.querySelectorAll(".hints:not([hidden]) [role=option]").length === 1`)
	b.sees(".hints:not([hidden]) [role=option]", "王芳")
	b.shot("57-feishu-group-en")
	b.key("Tab")
	b.wait("the person is chosen", `document.querySelector(".composer textarea").value.endsWith("@王芳 ")`)
	b.write("Clear words with the client")
	b.key("Enter")
	b.sees(".message .mention", "@王芳")
	b.sees(".message .card", "已发送给")
	b.shot("58-feishu-group-sent-en")

	// Everything at once, light and dark, and what went over the wire.
	b.open(o.url + "/?on=feishu&as=" + o.ids["maria"])
	b.click(".composer textarea")
	b.write("/gallery")
	b.key("Enter")
	b.sees(".message .vc-head", "标题 Header")
	b.eval(`[...document.querySelectorAll(".message")].at(-1).scrollIntoView()`)
	b.shot("59-feishu-gallery-en")
	b.eval(`document.querySelector(".vc-table").scrollIntoView()`)
	b.shot("60-feishu-gallery-middle-en")
	b.dark(true)
	b.shot("61-feishu-gallery-dark-en")
	b.eval(`document.querySelector(".scroller").scrollTop = 1e6`)
	b.shot("62-feishu-gallery-end-dark-en")
	b.dark(false)
	b.shot("63-feishu-gallery-end-en")
	b.eval(`(() => { const s = [...document.querySelectorAll(".vc-body > .input select")][0]; s.value = "2"; s.dispatchEvent(new Event("change", {bubbles: true})); })()`)
	b.sees(".toast", "Pressed: 2")
	b.click(".pane-head .inspector-toggles")
	b.sees(".inspector", "card.action.trigger")
	b.sees(".inspector", "im.message.create")
	b.clickText(".inspector summary", "card.action.trigger")
	b.sees(".inspector dd", "application/json")
	b.sees(".inspector", "Body as it was sent, encrypted")
	b.shot("64-feishu-inspector-en")

	// Two people on two platforms.
	b.click(".inspector header .inspector-toggles")
	b.open(o.url + "/?as=U8")
	b.clickText(".tabs a", "Feishu")
	b.sees(".people .held", "Sam")
	b.shot("65-feishu-held-en")
	b.eval(`[...document.querySelectorAll(".people li")].find(e => e.innerText.includes("何青")).querySelector(".beside").click()`)
	b.live(o.url + "/?as=slack%3AU8")
	b.sees("#pane-2 .pane-head", "何青")
	b.sees("#pane-1 .pane-head", "Sam")
	b.click("#pane-1 .composer textarea")
	b.write("/praise @kai one")
	b.key("Enter")
	b.sees("#pane-1 .message.only-you", "已发送给")
	b.click("#pane-2 .composer textarea")
	b.write("hello")
	b.key("Enter")
	b.sees("#pane-2 .message .card", "收到。 @何青")
	b.shot("66-two-platforms-en")

	for _, e := range b.errors {
		t.Errorf("the page had an error: %s", e)
	}
	for _, found := range o.feishu.MustFindings() {
		t.Errorf("the simulator found a fault in what was sent: %+v", found)
	}
}

func TestFeishuFitsATelephone(t *testing.T) {
	o := newOffice(t)
	b := openBrowser(t)
	b.size(390, 844, true)
	wang := o.ids["wang.fang"]
	at := "/?on=feishu&as=" + wang
	b.open(o.url + at)
	b.shot("70-phone-feishu-zh")
	for i, text := range []string{"/praise", "/post", "/gallery"} {
		b.click(".composer textarea")
		b.write(text)
		b.key("Enter")
		b.wait("it is answered", fmt.Sprintf(`document.querySelectorAll(".message").length === %d`, 2*i+2))
		b.eval(`[...document.querySelectorAll(".message")].at(-1).scrollIntoView()`)
		b.shot(fmt.Sprintf("7%d-phone-feishu-zh", i+1))
	}
	for i, css := range []string{".vc-table", ".chart", ".vc-panel", ".vc-form"} {
		b.eval(fmt.Sprintf(`[...document.querySelectorAll(%s)].at(-1).scrollIntoView()`, js(css)))
		b.shot(fmt.Sprintf("74-phone-feishu-gallery-%d-zh", i))
	}
	for _, width := range []int{390, 360} {
		b.size(width, 844, true)
		for _, at := range []string{at, "/?on=feishu", "/?as=U2&with=feishu:" + wang, at + "&in=" + o.group} {
			b.open(o.url + "/")
			b.open(o.url + at)
			if b.wide() == true {
				b.shot(fmt.Sprintf("too-wide-feishu-%d", width))
				t.Errorf("at a width of %d the page %s scrolls sideways", width, at)
			}
		}
	}
	b.open(o.url + "/?as=U2&with=feishu:" + wang)
	b.shot("78-phone-two-platforms-zh")
	for _, e := range b.errors {
		t.Errorf("the page had an error: %s", e)
	}
}
