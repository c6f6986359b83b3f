package chat

import (
	"fmt"
	"testing"
)

// One conversation, played in a browser from the first page to the last, as a newcomer would.
func TestANewcomerPlaysTheFirmInABrowser(t *testing.T) {
	f := newFirm(t)
	b := openBrowser(t)
	b.size(1280, 800, false)

	b.open(f.url)
	b.sees(".welcome h1", "Whom would you like to be?")
	b.shot("01-welcome-en")
	b.open(f.url + "/?lang=zh-CN")
	b.sees(".welcome h1", "你想扮演谁")
	b.shot("02-welcome-zh")
	b.open(f.url + "/?lang=auto")

	// Pick a person by typing part of their name's spelling.
	b.click("#people-search")
	b.write("linxi")
	b.wait("the list is filtered", `document.querySelectorAll(".people .person").length === 1`)
	b.click(".people .person")
	b.live(f.url + "/?as=U2")
	b.sees(".pane-head", "林晓")
	b.sees(".tour", "表扬一位同事") // the first step of the tour, being a manager, is done

	// Type a command with the help of both lists.
	b.write("/pr")
	b.sees(".hints [role=option]", "/praise")
	b.shot("03-commands-zh")
	b.key("Enter")
	b.write("@")
	b.wait("people are offered", `document.querySelectorAll(".hints [role=option]").length >= 6`)
	b.write("wang")
	b.wait("one person is left", `document.querySelectorAll(".hints [role=option]").length === 1`)
	b.shot("04-people-zh")
	b.key("Tab")
	b.write("周五的交接写得很清楚，谢谢你")
	b.shot("05-typed-zh")
	b.key("Enter")
	b.sees(".message.only-you", "仅你可见")
	b.sees(".message.only-you", "已发送给 @王芳")
	b.sees(".people li", "1") // the other person has something to read
	b.sees(".tour", "以王芳的身份阅读")
	b.shot("06-sent-zh")

	// A button that asks first, refused and then confirmed.
	b.clickText(".message button", "撤回")
	b.sees("dialog.confirm[open]", "撤回这条表扬？")
	b.shot("07-confirm-zh")
	b.clickText("dialog.confirm[open] button", "取消")
	b.wait("the question is gone", `!document.querySelector("dialog.confirm[open]")`)
	b.clickText(".message button", "撤回")
	b.clickText("dialog.confirm[open] .confirm-yes", "撤回")
	b.sees(".message.only-you", "已撤回。")

	// The bare command opens a form; what is missing is said, then what the bot does not take, then it goes.
	b.click(".composer textarea")
	b.write("/praise")
	b.key("Enter")
	b.sees("dialog.modal", "表扬谁？")
	b.shot("08-modal-zh")
	b.clickText("dialog.modal footer button", "发送")
	b.sees("dialog.modal .error", "请填写此项")
	b.shot("09-modal-required-zh")
	b.click("dialog.modal .picker summary")
	b.focused("dialog.modal .picker input[type=search]")
	b.write("kai")
	b.wait("the search has found one", `document.querySelectorAll("dialog.modal .picker .choice").length === 1`)
	b.shot("10-modal-picker-zh")
	b.click("dialog.modal .picker .choice")
	b.wait("the choice is shown", `document.querySelector("dialog.modal .picker summary").innerText.includes("Kai Brandt")`)
	b.click("dialog.modal textarea")
	b.write("好")
	b.clickText("dialog.modal footer button", "发送")
	b.sees("dialog.modal .error", "请写得具体一点")
	b.wait("what was chosen is still there", `document.querySelector("dialog.modal .picker summary").innerText.includes("Kai Brandt")`)
	b.shot("11-modal-refused-zh")
	b.click("dialog.modal textarea")
	b.write("，把客户的问题一次讲清楚了")
	b.clickText("dialog.modal footer button", "发送")
	b.wait("the form is gone", `!document.querySelector("dialog.modal")`)

	// Be the other person: read it, in their zone and language, and give thanks.
	b.clickText(".people .person", "Kai Brandt")
	b.live(f.url + "/?as=U3")
	b.sees(".message .card", "把客户的问题一次讲清楚了")
	b.sees(".byline", "App")
	b.shot("12-received-en")
	b.clickText(".message button", "感谢")
	b.sees(".message .card", "Thanks sent.")
	b.sees(".message", "(edited)")
	b.sees(".tour", "A note stays private.")

	// A private note does not show in the channel that everybody reads.
	b.open(f.url + "/?as=U2")
	b.click(".composer textarea")
	b.write("/note @wang.fang 请提前一天发议程")
	b.key("Enter")
	b.sees(".message.only-you", "已私下发送")
	b.clickText(".places a", "#general")
	b.live(f.url + "/?as=U2&in=C0GENERAL")
	b.sees(".scroller", "#general 里还没有消息")
	b.sees(".tour", "切换语言")
	b.shot("13-general-zh")
	b.click(".composer textarea")
	b.write("/lang en")
	b.key("Enter")
	b.sees(".tour", "导览到此结束")

	// Enter that ends the choice of an input method sends nothing.
	b.must("Input.imeSetComposition", map[string]any{"text": "谢谢", "selectionStart": 2, "selectionEnd": 2})
	b.must("Input.dispatchKeyEvent", map[string]any{"type": "keyDown", "key": "Enter", "windowsVirtualKeyCode": 229})
	b.must("Input.insertText", map[string]any{"text": "谢谢"})
	b.wait("what was chosen stands in the composer", `document.querySelector(".composer textarea").value === "谢谢"`)
	b.eval(`document.querySelector(".composer textarea").value = ""`)

	// A typo stays in the composer with the reason over it.
	b.write("/prase hello")
	b.key("Enter")
	b.sees(".composer .notice", "/prase")
	b.wait("the text is still there", `document.querySelector(".composer textarea").value === "/prase hello"`)
	b.shot("14-typo-zh")

	// Home, and what went over the wire.
	b.open(f.url + "/?as=U2&in=home")
	b.sees(".home", "你好 Hello")
	b.click(".pane-head .inspector-toggles")
	b.sees(".inspector", "POST /slack/events")
	b.sees(".inspector", "views.publish")
	b.clickText(".inspector summary", "POST /slack/events")
	b.sees(".inspector dd", "v0=")
	b.shot("15-home-inspector-zh")
	b.click(".inspector header .inspector-toggles")

	// Two people side by side: one writes, the other sees it arrive.
	b.open(f.url + "/?as=U5&with=U6")
	b.sees("#pane-2 .pane-head", "张伟")
	b.click("#pane-1 .composer textarea")
	b.write("/praise @zhang.wei Great call with the new client\nsecond line")
	b.key("Enter")
	b.sees("#pane-2 .message .card", "Great call with the new client")
	b.wait("the line ends where it did", `document.querySelector("#pane-2 blockquote br") !== null`)
	b.sees("#pane-1 .message.only-you", "张伟")
	b.shot("16-side-by-side-en")
	b.click("#pane-1 .composer textarea")
	b.write("/praise")
	b.key("Enter")
	b.sees("#pane-1 dialog.modal", "表扬谁？")
	b.clickText("#pane-2 .message button", "感谢") // the other pane goes on
	b.sees("#pane-2 .message .card", "Thanks sent.")
	b.shot("17-modal-in-its-pane-en")
	b.click("#pane-1 dialog.modal textarea")
	b.key("Escape")
	b.wait("the form is closed", `!document.querySelector("dialog.modal")`)

	// Every element at once, light and dark.
	b.open(f.url + "/?as=U5")
	b.click(".composer textarea")
	b.write("/gallery")
	b.key("Enter")
	b.sees(".message .card", "标题 Header 🎉")
	b.eval(`document.querySelector(".scroller").scrollTop = 1e6`)
	b.shot("18-gallery-end-en")
	b.eval(`[...document.querySelectorAll(".message")].at(-1).scrollIntoView()`)
	b.shot("19-gallery-en")
	b.dark(true)
	b.shot("20-gallery-dark-en")
	b.clickText(".message .picker summary", "Ask the bot")
	b.focused(".message .picker input[type=search]")
	b.write("li")
	b.sees(".picker .choice", "li one")
	b.click(".picker .choice")
	b.wait("a choice outside a form is sent at once", `document.querySelector(".picker[open]") === null`)
	b.dark(false)

	// A window of middling width, and what the bot did wrong in red.
	f.bot.call("chat.postMessage", map[string]any{"channel": "U5", "text": "<!channel> wake up"})
	b.size(1000, 720, false)
	b.open(f.url + "/?as=U5&in=C0GENERAL")
	b.click(".pane-head .inspector-toggles")
	b.sees(".inspector .complaint.grave", "text.broadcast")
	b.shot("21-middling-inspector-en")

	for _, e := range b.errors {
		t.Errorf("the page had an error: %s", e)
	}
	for _, found := range f.sim.MustFindings() {
		if found.Rule != "text.broadcast" {
			t.Errorf("the simulator found a fault in what was sent: %+v", found)
		}
	}
}

// The same on a telephone of 390 × 844, and at 360 the page must still not scroll sideways.
func TestThePageFitsATelephone(t *testing.T) {
	f := newFirm(t)
	b := openBrowser(t)
	b.size(390, 844, true)

	b.open(f.url)
	b.shot("30-phone-welcome-en")
	b.click(".top .drawer-opens")
	b.wait("the drawer is open", `document.body.classList.contains("drawer")`)
	b.shot("31-phone-people-en")
	b.clickText(".people .person", "林晓")
	b.live(f.url + "/?as=U2")
	b.click(".composer textarea")
	b.write("/")
	b.sees(".hints", "/praise")
	b.shot("32-phone-commands-zh")
	b.write("praise @")
	b.wait("people are offered", `document.querySelectorAll(".hints [role=option]").length >= 6`)
	b.shot("33-phone-people-hints-zh")
	b.write("kai 把客户的问题一次讲清楚了")
	b.key("Enter")
	b.sees(".message.only-you", "已发送给")
	b.shot("34-phone-sent-zh")
	b.write("/praise")
	b.key("Enter")
	b.sees("dialog.modal", "表扬谁？")
	b.shot("35-phone-modal-zh")
	b.click(".modal-closes")
	b.wait("the form is closed", `!document.querySelector("dialog.modal")`)
	b.write("/gallery")
	b.key("Enter")
	b.sees(".message .card", "标题 Header")
	b.eval(`[...document.querySelectorAll(".message")].at(-1).scrollIntoView()`)
	b.shot("36-phone-gallery-zh")
	b.open(f.url + "/?as=U3")
	b.sees(".message .card", "把客户的问题一次讲清楚了")
	b.shot("37-phone-received-en")
	b.open(f.url + "/?as=U3&in=home")
	b.sees(".home", "你好 Hello")
	b.click(".pane-head .inspector-toggles")
	b.sees(".inspector", "views.publish")
	b.shot("38-phone-inspector-en")
	b.open(f.url + "/?as=U2&with=U3")
	b.shot("39-phone-side-by-side-zh")
	for _, width := range []int{390, 360} {
		b.size(width, 844, true)
		for _, at := range []string{"/", "/?as=U2", "/?as=U2&in=home", "/?as=U2&with=U3", "/?as=U5&lang=en"} {
			b.open(f.url + at[:1])
			b.open(f.url + at)
			if b.wide() == true {
				b.shot(fmt.Sprintf("too-wide-%d", width))
				t.Errorf("at a width of %d the page %s scrolls sideways", width, at)
			}
		}
	}
	for _, e := range b.errors {
		t.Errorf("the page had an error: %s", e)
	}
}
