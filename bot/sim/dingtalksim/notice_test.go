package dingtalksim

import (
	"strings"
	"testing"
	"time"
)

func TestAWorkNoticeSucceedsEvenWhenNobodyGetsIt(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.Limits.Off = true })
	send := func(change func(obj)) obj {
		t.Helper()
		body := obj{"agent_id": 1000001, "userid_list": w.lin.UserID + ",none", "msg": obj{"msgtype": "text", "text": obj{"content": "hi"}}}
		if change != nil {
			change(body)
		}
		return w.call(t, "POST", "/topapi/message/corpconversation/asyncsend_v2", body)
	}
	got := func(want int) {
		t.Helper()
		if n := len(w.MessagesFor(w.lin.UserID)); n != want {
			t.Errorf("she got %d notices, want %d", n, want)
		}
	}
	wantCode(t, "one", send(nil), 0)
	wantCode(t, "the same", send(nil), 0)
	got(1)
	w.Advance(15 * time.Hour) // midnight in Shanghai
	w.login(t)
	wantCode(t, "the same on another day", send(nil), 0)
	got(2)
	msg := func(n int) func(obj) {
		return func(o obj) {
			m := obj{"msgtype": "text", "text": obj{"content": ""}}
			m["text"] = obj{"content": letters(n - len(encodeJSON(m)))}
			o["msg"] = m
		}
	}
	wantCode(t, "2,048 bytes", send(msg(2048)), 0)
	wantCode(t, "2,049 bytes", send(msg(2049)), 40035)
	users := func(n int) func(obj) {
		return func(o obj) { o["userid_list"] = strings.Join(times(n, func(int) string { return "x" }), ",") }
	}
	wantCode(t, "100 people", send(users(100)), 0)
	wantCode(t, "101 people", send(users(101)), 40035)
	wantCode(t, "nobody", send(users(0)), 400002)
	wantCode(t, "camel case", send(func(o obj) { o["msg"] = obj{"msgtype": "actionCard", "actionCard": obj{"title": "a"}} }), 40008)
	wantCode(t, "another agent", send(func(o obj) { o["agent_id"] = 1 }), 40056)
	wantCode(t, "blank", send(func(o obj) { o["msg"] = obj{"msgtype": "markdown", "markdown": obj{"title": "a", "text": " "}} }), 40035)
	w.noMust(t)
	send(func(o obj) { o["to_all_user"] = true })
	if found := rules(w.MustFindings()); len(found) != 1 || found[0] != "MUST notice.to_all_user" {
		t.Errorf("a notice to everybody was found to be %v", found)
	}
	got(3)
	for i := range 500 {
		send(func(o obj) { o["msg"] = obj{"msgtype": "text", "text": obj{"content": letters(i + 1)}} })
	}
	got(501) // one from the first day, 500 today
}
