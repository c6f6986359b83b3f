package feishusim

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAMessageIsEncryptedSignedAndShaped(t *testing.T) {
	w := newOffice(t, nil)
	m, ack, err := w.Say(w.lin.OpenID, w.group, "@回音 /praise @kai 辛苦了 @林小雨 @nobody @所有人")
	if err != nil || ack.Failure != "" {
		t.Fatalf("saying it: %v %+v", err, ack)
	}
	h := w.bot.last(t)
	if h.path != EventsPath || !strings.HasPrefix(h.body, `{"encrypt":"`) || strings.Contains(h.body, "praise") {
		t.Errorf("the bot received %s %s", h.path, h.body)
	}
	sign := Sign(h.header.Get("X-Lark-Request-Timestamp"), h.header.Get("X-Lark-Request-Nonce"), testKey, []byte(h.body))
	if h.header.Get("X-Lark-Signature") != sign {
		t.Errorf("the signature is %q, want %q", h.header.Get("X-Lark-Signature"), sign)
	}
	e := h.event(t)
	for what, c := range map[string]struct{ got, want any }{
		"schema":    {at(e, "schema"), "2.0"},
		"type":      {at(e, "header", "event_type"), messageReceived},
		"token":     {at(e, "header", "token"), testVerify},
		"app":       {at(e, "header", "app_id"), testAppID},
		"tenant":    {at(e, "header", "tenant_key"), w.TenantKey()},
		"time":      {at(e, "header", "create_time"), "1767574800000"},
		"sender":    {at(e, "event", "sender", "sender_id", "open_id"), w.lin.OpenID},
		"message":   {at(e, "event", "message", "message_id"), m.ID},
		"chat type": {at(e, "event", "message", "chat_type"), "group"},
		"content":   {at(e, "event", "message", "content"), `{"text":"@_user_1 /praise @_user_2 辛苦了 @_user_3 @nobody @_all"}`},
		"first":     {at(e, "event", "message", "mentions", 0, "id", "open_id"), w.opts.BotOpenID},
		"kind":      {at(e, "event", "message", "mentions", 0, "mentioned_type"), "bot"},
		"second":    {at(e, "event", "message", "mentions", 1, "id", "union_id"), w.kai.UnionID},
		"name":      {at(e, "event", "message", "mentions", 1, "name"), "Kai Berg"},
		"key":       {at(e, "event", "message", "mentions", 2, "key"), "@_user_3"},
		"no more":   {at(e, "event", "message", "mentions", 3), nil},
	} {
		if c.got != c.want {
			t.Errorf("the %s is %v, want %v", what, c.got, c.want)
		}
	}
}

func TestTheBotHearsOnlyWhatItsScopesAllow(t *testing.T) {
	w := newOffice(t, nil)
	heard := func(chat, text string) bool {
		t.Helper()
		before := len(w.bot.received())
		if _, _, err := w.Say(w.lin.OpenID, chat, text); err != nil {
			t.Fatal(err)
		}
		return len(w.bot.received()) > before
	}
	if heard(w.group, "hello") || heard(w.group, "@所有人 hello") || heard(w.private, "@回音 hello") {
		t.Error("the bot heard what was not for it")
	}
	if !heard(w.group, "hello ＠回音") || !heard(w.P2P(w.lin.OpenID), "hello") {
		t.Error("the bot did not hear what was for it")
	}
	if _, _, err := w.Say(w.lin.OpenID, w.P2P(w.lin.OpenID), "/praise @kai thanks"); err != nil {
		t.Fatal(err)
	}
	if e := w.bot.last(t).event(t); at(e, "event", "message", "mentions") != nil || at(e, "event", "message", "content") != `{"text":"/praise @kai thanks"}` {
		t.Errorf("in the conversation with the bot somebody was picked: %s", encodeJSON(e))
	}
	all := newOffice(t, func(o *Options) { o.GroupMessages, o.MentionsInP2P, o.MentionedAs = true, true, "ou_other" })
	if _, _, err := all.Say(all.lin.OpenID, all.group, "hello"); err != nil || len(all.bot.received()) != 1 {
		t.Errorf("with the scope for all group messages the bot heard %d, %v", len(all.bot.received()), err)
	}
	if _, _, err := all.Say(all.lin.OpenID, all.P2P(all.lin.OpenID), "@回音 @kai"); err != nil {
		t.Fatal(err)
	}
	if e := all.bot.last(t).event(t); at(e, "event", "message", "mentions", 0, "id", "open_id") != "ou_other" || at(e, "event", "message", "mentions", 1, "id", "open_id") != all.kai.OpenID {
		t.Errorf("the mentions are %s", encodeJSON(at(e, "event", "message", "mentions")))
	}
}

func TestWhatTheClientWouldNotSendIsAnError(t *testing.T) {
	w := newOffice(t, nil)
	gone := w.AddPerson(Person{Name: "Gone", Resigned: true})
	for what, c := range map[string][3]string{
		"nobody": {"ou_none", w.group, "hi"}, "somebody who left": {gone.OpenID, w.group, "hi"}, "a chat of others": {w.kai.OpenID, w.private, "hi"},
		"nothing": {w.lin.OpenID, w.group, " \n"}, "no chat": {w.lin.OpenID, "oc_none", "hi"},
	} {
		if _, _, err := w.Say(c[0], c[1], c[2]); err == nil {
			t.Errorf("%s could say %q", what, c[2])
		}
	}
	if n := len(w.bot.received()); n != 0 {
		t.Errorf("the bot received %d events", n)
	}
}

func TestAPersonWithoutScopeHasNoUserID(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.HiddenFields = []string{"user_id", "email"} })
	if _, _, err := w.Say(w.lin.OpenID, w.P2P(w.lin.OpenID), "hi"); err != nil {
		t.Fatal(err)
	}
	ids, _ := at(w.bot.last(t).event(t), "event", "sender", "sender_id").(obj)
	if ids["user_id"] != nil || ids["union_id"] != w.lin.UnionID {
		t.Errorf("the sender is %s", encodeJSON(ids))
	}
}

func TestTheChallengeIsEncryptedButNotSignedAndHasASecond(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.ChallengeTimeout = 100 * time.Millisecond })
	echo := func(rw http.ResponseWriter, _ *http.Request) {
		rw.Write(encodeJSON(obj{"challenge": w.bot.received()[len(w.bot.received())-1].event(t)["challenge"]})) //nolint:errcheck // the test looks at what arrived
	}
	w.bot.answers(echo)
	for _, path := range []string{EventsPath, CardsPath} {
		if echoed, ack := w.VerifyURL(path); !echoed {
			t.Errorf("a bot that echoes the challenge on %s fails: %+v", path, ack)
		}
		h := w.bot.last(t)
		if e := h.event(t); h.path != path || h.header.Get("X-Lark-Signature") != "" || e["type"] != "url_verification" || e["token"] != testVerify {
			t.Errorf("the challenge arrived on %s signed %q as %s", h.path, h.header.Get("X-Lark-Signature"), encodeJSON(e))
		}
	}
	w.bot.says(200, `{"challenge":"another"}`)
	if echoed, _ := w.VerifyURL(EventsPath); echoed {
		t.Error("another challenge passes")
	}
	w.bot.answers(func(rw http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		echo(rw, r)
	})
	if echoed, ack := w.VerifyURL(EventsPath); echoed || ack.Failure != "timeout" {
		t.Errorf("a late echo passes or fails with %q", ack.Failure)
	}
}

func TestAnEventIsPushedAgainAfter15SecondsFiveMinutesAnHourAndSixHours(t *testing.T) {
	w := newOffice(t, nil)
	w.bot.says(500, "")
	if ack := w.Emit("contact.scope.updated_v3", obj{}); ack.Failure != "http_error" {
		t.Errorf("a push that failed is %+v", ack)
	}
	pushes := func() int { return len(w.bot.received()) }
	for i, pause := range []time.Duration{15 * time.Second, 5 * time.Minute, time.Hour, 6 * time.Hour} {
		w.Advance(pause - time.Millisecond)
		if n := pushes(); n != i+1 {
			t.Fatalf("just before pause %d there were %d pushes", i+1, n)
		}
		w.Advance(time.Millisecond)
		if n := pushes(); n != i+2 {
			t.Fatalf("after pause %d there were %d pushes", i+1, n)
		}
	}
	w.Advance(100 * time.Hour)
	if n := pushes(); n != 5 || w.Pending() != 0 {
		t.Errorf("in the end there were %d pushes, and %d are pending", n, w.Pending())
	}
	ids, stamps := map[any]bool{}, map[string]bool{}
	for _, h := range w.bot.received() {
		ids[at(h.event(t), "header", "event_id")] = true
		stamps[h.header.Get("X-Lark-Request-Timestamp")] = true
	}
	if len(ids) != 1 || len(stamps) != 5 {
		t.Errorf("five pushes had %d event ids and %d timestamps; want 1 and 5", len(ids), len(stamps))
	}
}

func TestAnEventThatIsTakenInTimeIsNotPushedAgain(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.SameTimestamp = true })
	w.bot.says(503, "")
	w.Emit("x", obj{})
	w.bot.says(200, "anything")
	w.Advance(15 * time.Second)
	w.Advance(100 * time.Hour)
	hits := w.bot.received()
	if len(hits) != 2 || w.Pending() != 0 {
		t.Fatalf("there were %d pushes, and %d are pending", len(hits), w.Pending())
	}
	if hits[0].body != hits[1].body || hits[0].header.Get("X-Lark-Request-Timestamp") != hits[1].header.Get("X-Lark-Request-Timestamp") {
		t.Error("with SameTimestamp the second push differs")
	}
	w.bot.says(204, "")
	if ack := w.Emit("x", obj{}); ack.Failure == "" {
		t.Error("HTTP 204 counts as HTTP 200")
	}
}

func TestALateAnswerIsNone(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.AckTimeout = 50 * time.Millisecond })
	w.bot.answers(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) //nolint:errcheck // so that the end of the connection is noticed
		<-r.Context().Done()
	})
	if ack := w.Emit("x", obj{}); ack.Failure != "timeout" || w.Pending() != 1 {
		t.Errorf("a late answer is %+v with %d pending", ack, w.Pending())
	}
	w.SetBotURL("")
	if ack := w.Emit("x", obj{}); ack.Failure != "no_address" {
		t.Errorf("an app without address is %+v", ack)
	}
}

func TestAMessageComesAgainUnderAnotherEventID(t *testing.T) {
	w := newOffice(t, nil)
	w.SetFault("event", Fault{Again: true})
	if _, _, err := w.Say(w.lin.OpenID, w.P2P(w.lin.OpenID), "hi"); err != nil {
		t.Fatal(err)
	}
	w.Emit("x", obj{"a": "b"})
	hits := w.bot.received()
	if len(hits) != 4 {
		t.Fatalf("two events were pushed %d times, want 4", len(hits))
	}
	a, b := hits[0].event(t), hits[1].event(t)
	if at(a, "header", "event_id") == at(b, "header", "event_id") || at(a, "event", "message", "message_id") != at(b, "event", "message", "message_id") {
		t.Error("the message did not come again under another event_id")
	}
	if d := cmp.Diff(hits[2].event(t), hits[3].event(t)); d != "" {
		t.Errorf("the other event came again with a difference:\n%s", d)
	}
}

func TestRedeliveringRepeatsEveryByte(t *testing.T) {
	w := newOffice(t, nil)
	w.Emit("x", obj{"a": "b"})
	d := w.Deliveries()[0]
	w.Advance(time.Hour)
	if _, err := w.Redeliver(d.N); err != nil {
		t.Fatal(err)
	}
	hits := w.bot.received()
	if hits[0].body != hits[1].body || hits[0].header.Get("X-Lark-Signature") != hits[1].header.Get("X-Lark-Signature") {
		t.Error("the redelivery differs")
	}
	if again := w.Deliveries()[1]; again.Redelivery != d.N {
		t.Errorf("the redelivery is recorded as of %d, want %d", again.Redelivery, d.N)
	}
	if _, err := w.Redeliver(99); err == nil {
		t.Error("a delivery that never was is repeated")
	}
}

func TestWithoutAnEncryptKeyNothingIsEncryptedOrSigned(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.EncryptKey = "" })
	w.Emit("x", obj{"a": "b"})
	h := w.bot.last(t)
	if h.header.Get("X-Lark-Signature") != "" || !strings.Contains(h.body, `"schema":"2.0"`) {
		t.Errorf("without a key the bot received %v %s", h.header, h.body)
	}
}

func TestTheMenuAndTheDirectoryTellTheBot(t *testing.T) {
	w := newOffice(t, nil)
	if _, err := w.Menu(w.lin.OpenID, "my_kpis"); err != nil {
		t.Fatal(err)
	}
	e := w.bot.last(t).event(t)
	if at(e, "header", "event_type") != "application.bot.menu_v6" || at(e, "event", "event_key") != "my_kpis" || at(e, "event", "operator", "operator_id", "open_id") != w.lin.OpenID {
		t.Errorf("the menu sent %s", encodeJSON(e))
	}
	if _, err := w.Menu(w.lin.OpenID, strings.Repeat("k", 30)); err != nil {
		t.Errorf("an event key of 30 characters: %v", err)
	}
	if _, err := w.Menu(w.lin.OpenID, strings.Repeat("k", 31)); err == nil {
		t.Error("an event key of 31 characters was sent")
	}
	p, _ := w.Join(Person{Name: "New"})
	if e := w.bot.last(t).event(t); at(e, "header", "event_type") != "contact.user.created_v3" || at(e, "event", "object", "open_id") != p.OpenID {
		t.Errorf("joining sent %s", encodeJSON(e))
	}
	w.ChangePerson(p.OpenID, func(p *Person) { p.Name, p.Leader = "Renamed", w.kai.OpenID })
	e = w.bot.last(t).event(t)
	old, _ := at(e, "event", "old_object").(obj)
	if d := cmp.Diff(obj{"name": "New", "leader_user_id": ""}, old); d != "" || at(e, "event", "object", "leader_user_id") != w.kai.OpenID {
		t.Errorf("a change sent %s (old_object -want +got):\n%s", encodeJSON(e), d)
	}
	w.ChangePerson(p.OpenID, func(p *Person) { p.Resigned = true })
	if e := w.bot.last(t).event(t); at(e, "header", "event_type") != "contact.user.deleted_v3" {
		t.Errorf("leaving sent %s", encodeJSON(e))
	}
	if _, _, found := w.ChangePerson("ou_none", func(*Person) {}); found {
		t.Error("nobody was changed")
	}
}
