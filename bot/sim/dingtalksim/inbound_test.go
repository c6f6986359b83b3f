package dingtalksim

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestARobotMessageIsSignedStrippedAndShaped(t *testing.T) {
	w := newOffice(t, nil)
	m, ack, err := w.Say(w.lin.UserID, w.group, "@回音 /praise @kai great @max")
	if err != nil || ack.Failure != "" {
		t.Fatalf("saying it: %v %+v", err, ack)
	}
	h := w.bot.last(t)
	timestamp := h.header.Get("timestamp")
	if h.path != MessagesPath || h.header.Get("sign") != SignRobot(testSecret, timestamp) || timestamp != "1767574800000" {
		t.Errorf("the bot received %s with timestamp %q and sign %q", h.path, timestamp, h.header.Get("sign"))
	}
	got := h.payload(t)
	for what, c := range map[string]struct{ got, want any }{
		"text":       {at(got, "text", "content"), " /praise   great  "},
		"type":       {got["msgtype"], "text"},
		"id":         {got["msgId"], m.ID},
		"group":      {got["conversationType"], "2"},
		"chat":       {got["conversationId"], w.group},
		"title":      {got["conversationTitle"], "全员群"},
		"robot":      {got["chatbotUserId"], w.opts.BotID},
		"code":       {got["robotCode"], testClient},
		"firm":       {got["chatbotCorpId"], w.CorpID()},
		"sender":     {got["senderId"], w.lin.DingtalkID},
		"staff":      {got["senderStaffId"], w.lin.UserID},
		"nick":       {got["senderNick"], "林小雨"},
		"at":         {got["isInAtList"], true},
		"created":    {string(encodeJSON(got["createAt"])), "1767574800000"},
		"ends":       {string(encodeJSON(got["sessionWebhookExpiredTime"])), "1767580200000"},
		"everything": {strings.Contains(h.body, "@"), false},
	} {
		if c.got != c.want {
			t.Errorf("the %s is %v, want %v", what, c.got, c.want)
		}
	}
	users, _ := got["atUsers"].([]any)
	found := map[any]any{}
	for _, u := range users {
		found[at(u, "dingtalkId")] = at(u, "staffId")
	}
	want := map[any]any{w.opts.BotID: nil, w.kai.DingtalkID: w.kai.UserID, w.max.DingtalkID: nil}
	if diff := cmp.Diff(want, found); diff != "" || len(users) != 3 {
		t.Errorf("atUsers differ:\n%s", diff)
	}
	hook, _ := got["sessionWebhook"].(string)
	if !strings.HasPrefix(hook, w.url+"/robot/sendBySession?session=") {
		t.Errorf("the session webhook is %s", hook)
	}
	if kept, _ := w.Message(m.ID); kept.Content != `{"content":"@回音 /praise @kai great @max"}` || len(kept.Mentions) != 3 {
		t.Errorf("people see %+v", kept)
	}
}

func TestTheOrderOfAtUsersSaysNothing(t *testing.T) {
	w := newOffice(t, nil)
	first := map[any]bool{}
	for range 40 {
		if _, _, err := w.Say(w.lin.UserID, w.group, "@回音 @kai @max hi"); err != nil {
			t.Fatal(err)
		}
		first[at(w.bot.last(t).payload(t), "atUsers", 0, "dingtalkId")] = true
	}
	if len(first) != 3 {
		t.Errorf("in 40 messages only %d of 3 came first", len(first))
	}
}

func TestTheBotHearsItsOwnConversationsAndMentionsInItsGroups(t *testing.T) {
	w := newOffice(t, nil)
	heard := func(user, chat, text string) bool {
		t.Helper()
		before := len(w.bot.received())
		if _, _, err := w.Say(user, chat, text); err != nil {
			t.Fatal(err)
		}
		return len(w.bot.received()) > before
	}
	if heard(w.lin.UserID, w.group, "hello @kai") || heard(w.lin.UserID, w.private, "@回音 hello") {
		t.Error("the bot heard what was not for it")
	}
	dm := w.P2P(w.lin.UserID)
	if !heard(w.lin.UserID, w.group, "hello ＠回音") || !heard(w.lin.UserID, dm, "/praise @kai thanks") {
		t.Error("the bot did not hear what was for it")
	}
	got := w.bot.last(t).payload(t)
	if at(got, "text", "content") != "/praise @kai thanks" || got["atUsers"] != nil || got["conversationType"] != "1" {
		t.Errorf("in the conversation with the bot it heard %s", encodeJSON(got))
	}
	if !heard(w.max.UserID, w.group, "@回音 hi") {
		t.Error("the bot did not hear a guest")
	}
	if _, has := w.bot.last(t).payload(t)["senderStaffId"]; has {
		t.Error("a guest has a staffId")
	}
	for what, c := range map[string][3]string{
		"nobody": {"none", w.group, "hi"}, "a chat of others": {w.kai.UserID, w.private, "hi"}, "nothing": {w.lin.UserID, w.group, " \n"},
	} {
		if _, _, err := w.Say(c[0], c[1], c[2]); err == nil {
			t.Errorf("%s could say %q", what, c[2])
		}
	}
}

func TestAnUnpublishedAppHearsNoStaffIDs(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.Unpublished, o.MentionSpace = true, "\u2005" })
	if _, _, err := w.Say(w.lin.UserID, w.group, "hi @回音 @kai /me"); err != nil {
		t.Fatal(err)
	}
	h := w.bot.last(t)
	if strings.Contains(h.body, w.lin.UserID) || strings.Contains(h.body, w.kai.UserID) {
		t.Errorf("a staffId is in %s", h.body)
	}
	if got := at(h.payload(t), "text", "content"); got != "hi \u2005 \u2005 /me" {
		t.Errorf("the text is %q", got)
	}
}

func TestOtherTypesCarryContentInsteadOfText(t *testing.T) {
	w := newOffice(t, nil)
	if _, _, err := w.SayRaw(w.lin.UserID, w.P2P(w.lin.UserID), "audio", obj{"recognition": "赞", "downloadCode": "x"}); err != nil {
		t.Fatal(err)
	}
	got := w.bot.last(t).payload(t)
	if got["text"] != nil || at(got, "content", "recognition") != "赞" || got["msgtype"] != "audio" {
		t.Errorf("the bot received %s", encodeJSON(got))
	}
	if _, _, err := w.SayRaw(w.lin.UserID, w.P2P(w.lin.UserID), "text", nil); err != nil {
		t.Fatal(err)
	}
	got = w.bot.last(t).payload(t)
	if _, has := got["content"]; has || got["text"] != nil || got["msgtype"] != "text" {
		t.Errorf("beyond its quota the bot received %s", encodeJSON(got))
	}
}

func TestAnEventIsEncryptedAndNamesIDsOnly(t *testing.T) {
	w := newOffice(t, nil)
	p, ack, found := w.ChangePerson(w.lin.UserID, func(p *Person) { p.Title, p.UserID = "Lead", "another" })
	if !found || ack.Failure != "" || p.UserID != w.lin.UserID {
		t.Fatalf("changing somebody: %v %+v %+v", found, ack, p)
	}
	h := w.bot.last(t)
	q := h.query
	body := decoded(t, []byte(h.body))
	encrypted, _ := body["encrypt"].(string)
	if h.path != EventsPath || q.Get("signature") != SignEvent(testToken, q.Get("timestamp"), q.Get("nonce"), encrypted) || len(body) != 1 {
		t.Errorf("the bot received %s?%s %s", h.path, q.Encode(), h.body)
	}
	if diff := cmp.Diff(obj{
		"EventType": "user_modify_org", "CorpId": w.CorpID(), "TimeStamp": "1767574800000", "OptStaffId": "", "UserId": []any{w.lin.UserID},
	}, h.payload(t)); diff != "" {
		t.Errorf("the event differs:\n%s", diff)
	}
	want := func(kind string) {
		t.Helper()
		if got := w.bot.last(t).payload(t)["EventType"]; got != kind {
			t.Errorf("the bot heard of %v, want %s", got, kind)
		}
	}
	w.Join(Person{Name: "New"})
	want("user_add_org")
	w.ChangePerson(w.lin.UserID, func(p *Person) { p.Left = true })
	want("user_leave_org")
	d, _ := w.ChangeDepartment(0, func(d *Department) { d.Name = "New" })
	want("org_dept_create")
	w.ChangeDepartment(d.ID, func(d *Department) { d.Name = "Newer" })
	want("org_dept_modify")
	w.ChangeDepartment(d.ID, nil)
	want("org_dept_remove")
	if got := w.bot.last(t).payload(t)["DeptId"]; string(encodeJSON(got)) != "["+strconv.FormatInt(d.ID, 10)+"]" {
		t.Errorf("the department is %v", got)
	}
	w.noMust(t)
}

func TestAnEventWantsTheEncryptedWordSuccessInTime(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.EventTimeout = 100 * time.Millisecond })
	for what, body := range map[string]string{
		"plain success": "success", "an empty object": "{}", "another word": string(sealed("failure")),
		"a signature of another": strings.Replace(string(sealed("success")), `"nonce":"n0nce"`, `"nonce":"m0nce"`, 1),
	} {
		before := len(w.MustFindings())
		w.bot.says(http.StatusOK, body)
		if ack := w.Emit("label_user_change", obj{"userId": []string{}}); ack.Failure != "bad_answer" {
			t.Errorf("%s fails with %q", what, ack.Failure)
		}
		if now := rules(w.MustFindings())[before:]; len(now) != 1 || now[0] != "MUST event.bad_answer" {
			t.Errorf("%s was found to be %v", what, now)
		}
	}
	w.bot.says(http.StatusServiceUnavailable, "")
	if ack := w.Emit("label_user_change", nil); ack.Failure != "http_error" || w.Pending() != 0 {
		t.Errorf("a refusal fails with %q and leaves %d pushes", ack.Failure, w.Pending())
	}
	w.bot.answers(func(rw http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	if ack := w.Emit("label_user_change", nil); ack.Failure != "timeout" {
		t.Errorf("a late answer fails with %q", ack.Failure)
	}
	if verified, _ := w.VerifyURL(EventsPath); verified {
		t.Error("a late answer verifies the address")
	}
	w.bot.answers(nil)
	if verified, ack := w.VerifyURL(EventsPath); !verified {
		t.Errorf("the address was not verified: %+v", ack)
	}
	if got := w.bot.last(t).payload(t); got["EventType"] != "check_url" {
		t.Errorf("the challenge is %s", encodeJSON(got))
	}
}

func TestOldNamesStandInTheQueryOnRequest(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.OldNames = true })
	w.Emit("user_active_org", obj{"userId": []string{"x"}})
	q := w.bot.last(t).query
	if q.Get("msg_signature") == "" || q.Get("timeStamp") == "" || q.Has("signature") || q.Has("timestamp") {
		t.Errorf("the query is %s", q.Encode())
	}
}

func TestWithoutAKeyOrAnAddressNothingArrives(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.EventAESKey = "" })
	if ack := w.Emit("user_active_org", nil); ack.Failure != "no_address" {
		t.Errorf("without a key an event fails with %q", ack.Failure)
	}
	w.SetBotURL("")
	if _, ack, err := w.Say(w.lin.UserID, w.P2P(w.lin.UserID), "hi"); err != nil || ack.Failure != "no_address" {
		t.Errorf("without an address a message fails with %q, %v", ack.Failure, err)
	}
}

func TestADeliveryComesAgainByteForByte(t *testing.T) {
	w := newOffice(t, nil)
	_, ack, err := w.Say(w.lin.UserID, w.P2P(w.lin.UserID), "hi")
	if err != nil {
		t.Fatal(err)
	}
	w.Advance(30 * 24 * time.Hour)
	if _, err := w.Redeliver(ack.Delivery); err != nil {
		t.Fatal(err)
	}
	hits := w.bot.received()
	if a, b := hits[0], hits[1]; a.body != b.body || a.header.Get("sign") != b.header.Get("sign") || a.header.Get("timestamp") != b.header.Get("timestamp") {
		t.Error("the second delivery differs from the first")
	}
	forged := `{"forged":true}`
	if _, err := w.Tampered(ack.Delivery, nil, &forged); err != nil {
		t.Fatal(err)
	}
	if h := w.bot.last(t); h.body != forged || h.header.Get("sign") != hits[0].header.Get("sign") {
		t.Error("a captured signature does not come with another body")
	}
	if _, err := w.Redeliver(99); err == nil {
		t.Error("an unknown delivery came again")
	}
}

func TestAMessageThatFailsOverHTTPIsLostUnlessAsked(t *testing.T) {
	for _, again := range []bool{false, true} {
		w := newOffice(t, func(o *Options) { o.RedeliverWebhook = again })
		w.bot.says(http.StatusServiceUnavailable, "")
		if _, ack, err := w.Say(w.lin.UserID, w.P2P(w.lin.UserID), "hi"); err != nil || ack.Failure != "http_error" {
			t.Fatalf("saying it: %v %+v", err, ack)
		}
		w.Advance(59 * time.Second)
		if n := len(w.bot.received()); n != 1 {
			t.Errorf("after 59 s it came %d times", n)
		}
		w.bot.answers(nil)
		w.Advance(time.Second)
		want := 1
		if again {
			want = 2
		}
		if n := len(w.bot.received()); n != want {
			t.Errorf("with %v it came %d times, want %d", again, n, want)
		}
	}
}

func TestAnAnsweredMessageIsSaid(t *testing.T) {
	w := newOffice(t, nil)
	w.bot.says(http.StatusOK, `{"msgtype":"text","text":{"content":"at once"}}`)
	dm := w.P2P(w.lin.UserID)
	if _, _, err := w.Say(w.lin.UserID, dm, "hi"); err != nil {
		t.Fatal(err)
	}
	if got := w.Messages(dm, w.lin.UserID); len(got) != 2 || got[1].Content != `{"content":"at once"}` {
		t.Errorf("the conversation is %+v", got)
	}
	w.bot.says(http.StatusOK, `{"msgtype":"text"}`)
	if _, _, err := w.Say(w.lin.UserID, dm, "hi"); err != nil {
		t.Fatal(err)
	}
	if got := rules(w.MustFindings()); len(got) != 1 || got[0] != "MUST message.bad_answer" {
		t.Errorf("an answer without text was found to be %v", got)
	}
}

func TestAFaultMakesAPushComeTwice(t *testing.T) {
	w := newOffice(t, nil)
	w.SetFault("event", Fault{Again: true})
	if _, _, err := w.Say(w.lin.UserID, w.P2P(w.lin.UserID), "hi"); err != nil {
		t.Fatal(err)
	}
	hits := w.bot.received()
	if len(hits) != 2 || hits[0].payload(t)["msgId"] != hits[1].payload(t)["msgId"] {
		t.Errorf("the bot received %d pushes", len(hits))
	}
}

// The address of a session is on the simulator, so that the bot's own rules about hosts can be tried.
func TestASessionAddressCanBeParsed(t *testing.T) {
	w := newOffice(t, nil)
	u, err := url.Parse(w.session(t, w.group))
	if err != nil || "http://"+u.Host != w.url || u.Query().Get("session") == "" {
		t.Errorf("the session webhook is %v, %v", u, err)
	}
}

// session says something and returns the session webhook that came with it.
func (w *office) session(t *testing.T, chat string) string {
	t.Helper()
	text := "hi"
	if chat == w.group {
		text = "@回音 hi"
	}
	if _, _, err := w.Say(w.lin.UserID, chat, text); err != nil {
		t.Fatal(err)
	}
	hook, _ := w.bot.last(t).payload(t)["sessionWebhook"].(string)
	return hook
}
