package feishusim

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMessagesReachPeopleByEveryTypeOfID(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.Limits.Off = true })
	text := `{"text":"hi"}`
	for idType, id := range map[string]string{
		"open_id": w.lin.OpenID, "union_id": w.lin.UnionID, "user_id": w.lin.UserID, "email": w.lin.Email, "chat_id": w.P2P(w.lin.OpenID),
	} {
		out := w.call(t, "POST", createPath+idType, obj{"receive_id": id, "msg_type": "text", "content": text})
		wantCode(t, "sending by "+idType, out, 0)
		if at(out, "data", "chat_id") != w.P2P(w.lin.OpenID) || at(out, "data", "body", "content") != text || at(out, "data", "sender", "id_type") != "app_id" {
			t.Errorf("sending by %s answered %s", idType, encodeJSON(out))
		}
	}
	if n := len(w.Messages(w.P2P(w.lin.OpenID), w.lin.OpenID)); n != 5 {
		t.Errorf("Lin sees %d messages, want 5", n)
	}
	if n := len(w.Messages(w.P2P(w.lin.OpenID), w.kai.OpenID)); n != 0 {
		t.Errorf("Kai sees %d messages to Lin", n)
	}
}

func TestMessagesWithoutAReceiverAreRefused(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.Limits.Off = true })
	gone := w.AddPerson(Person{Name: "Gone", Resigned: true})
	away := w.AddPerson(Person{Name: "Away", Unavailable: true})
	asleep := w.AddPerson(Person{Name: "Asleep", Unactivated: true})
	foreign := w.AddPerson(Person{Name: "Foreign", TenantKey: "other"})
	old := w.AddChat(Chat{Name: "old", Dissolved: true})
	send := func(idType string, id any) obj {
		return w.call(t, "POST", createPath+idType, obj{"receive_id": id, "msg_type": "text", "content": `{"text":"hi"}`})
	}
	wantCode(t, "no type of id", send("", w.lin.OpenID), codeViolation)
	wantCode(t, "an odd type of id", send("mobile", w.lin.OpenID), codeViolation)
	wantCode(t, "no id", send("open_id", nil), codeViolation)
	wantCode(t, "a number for an id", send("open_id", 7), codeViolation)
	wantCode(t, "nobody", send("open_id", "ou_nobody"), 230001)
	wantCode(t, "an open_id as user_id", send("user_id", w.lin.OpenID), 230001)
	wantCode(t, "somebody who has left", send("open_id", gone.OpenID), 230029)
	wantCode(t, "somebody outside the range", send("open_id", away.OpenID), 230013)
	wantCode(t, "somebody who never logged in", send("open_id", asleep.OpenID), 230013)
	wantCode(t, "somebody of another firm", send("open_id", foreign.OpenID), 230013)
	wantCode(t, "no such chat", send("chat_id", "oc_none"), 230001)
	wantCode(t, "a chat without the bot", send("chat_id", w.private), 230002)
	wantCode(t, "a dissolved chat", send("chat_id", old.ID), 232009)
	wantCode(t, "a chat with the bot", send("chat_id", w.group), 0)
}

func TestContentIsAStringOfJSONOfItsType(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.Limits.Off = true })
	send := func(kind string, content any) obj {
		return w.call(t, "POST", createPath+"open_id", obj{"receive_id": w.lin.OpenID, "msg_type": kind, "content": content})
	}
	wantCode(t, "an object", send("text", obj{"text": "hi"}), 9499)
	wantCode(t, "no content", send("text", nil), codeViolation)
	wantCode(t, "no type", send("", `{"text":"hi"}`), codeViolation)
	wantCode(t, "no JSON", send("text", "hi"), 230001)
	wantCode(t, "a JSON string", send("text", `"hi"`), 230001)
	wantCode(t, "an empty text", send("text", `{"text":""}`), 230001)
	wantCode(t, "an odd type", send("hologram", `{}`), 230001)
	wantCode(t, "an image nobody uploaded", send("image", `{"image_key":"img_none"}`), 230001)
	wantCode(t, "a file nobody uploaded", send("file", `{"file_key":"file_none"}`), 230001)
	post := func(nodes string) obj { return send("post", `{"zh_cn":{"title":"题","content":[[`+nodes+`]]}}`) }
	wantCode(t, "a post", post(`{"tag":"text","text":"hi"},{"tag":"a","href":"https://x.example","text":"x"},{"tag":"at","user_id":"`+w.kai.OpenID+`"}`), 0)
	wantCode(t, "a post with an odd tag", post(`{"tag":"blink"}`), 230001)
	wantCode(t, "a post with an unknown image", post(`{"tag":"img","image_key":"none"}`), 230001)
	wantCode(t, "a post in no language", send("post", `{"xx":{"content":[]}}`), 230001)
	wantCode(t, "a person's card", send("share_user", string(encodeJSON(obj{"user_id": w.kai.OpenID}))), 0)
	if must := w.MustFindings(); len(must) > 0 {
		t.Errorf("harmless content has faults: %v", must)
	}
}

func TestTheLengthOfRequestsIsLimitedPerType(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.Limits.Off = true })
	sized := func(kind, before, after string, size int) obj {
		body := func(fill string) []byte {
			return encodeJSON(obj{"receive_id": w.lin.OpenID, "msg_type": kind, "content": before + fill + after})
		}
		fill := strings.Repeat("x", size-len(body("")))
		_, _, raw, err := w.try(t, "POST", createPath+"open_id", "application/json", body(fill))
		if err != nil {
			t.Fatal(err)
		}
		v, err := decodeJSON(raw)
		out, isObject := v.(obj)
		if err != nil || !isObject {
			t.Fatalf("the answer is no JSON object: %q", raw)
		}
		return out
	}
	wantCode(t, "a text request of 150 KB", sized("text", `{"text":"`, `"}`, 150<<10), 0)
	wantCode(t, "one byte more", sized("text", `{"text":"`, `"}`, 150<<10+1), 230025)
	card := `{"schema":"2.0","body":{"elements":[{"tag":"markdown","content":"`
	wantCode(t, "a card request of 30 KB", sized("interactive", card, `"}]}}`, 30<<10), 0)
	wantCode(t, "one byte more", sized("interactive", card, `"}]}}`, 30<<10+1), 230025)
	post := `{"zh_cn":{"content":[[{"tag":"text","text":"`
	wantCode(t, "a post request of 30 KB", sized("post", post, `"}]]}}`, 30<<10), 0)
	wantCode(t, "one byte more", sized("post", post, `"}]]}}`, 30<<10+1), 230025)
}

func TestAUUIDSendsOnceAnHour(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.Limits.Off = true })
	send := func(to Person, uuid string) obj {
		return w.call(t, "POST", createPath+"open_id", obj{"receive_id": to.OpenID, "msg_type": "text", "content": `{"text":"hi"}`, "uuid": uuid})
	}
	wantCode(t, "a uuid of 50 characters", send(w.lin, chars(50)), 0)
	wantCode(t, "one of 51", send(w.lin, chars(51)), codeViolation)
	w.Reset()
	first := send(w.lin, "u-1")
	again := send(w.lin, "u-1")
	wantCode(t, "the second time", again, 0)
	if at(first, "data", "message_id") != at(again, "data", "message_id") {
		t.Error("the same uuid gave another message")
	}
	wantCode(t, "the same uuid to another person", send(w.kai, "u-1"), 0)
	w.Advance(time.Hour - time.Millisecond)
	send(w.lin, "u-1")
	if n := len(w.Messages(w.P2P(w.lin.OpenID), "")); n != 1 {
		t.Errorf("within the hour %d messages were sent, want 1", n)
	}
	w.Advance(time.Millisecond)
	send(w.lin, "u-1")
	if n := len(w.Messages(w.P2P(w.lin.OpenID), "")); n != 2 {
		t.Errorf("after an hour there are %d messages, want 2", n)
	}
}

func TestRepliesKeepTheirThread(t *testing.T) {
	w := newOffice(t, nil)
	m, _, err := w.Say(w.lin.OpenID, w.group, "@回音 hi")
	if err != nil {
		t.Fatal(err)
	}
	reply := func(id string) obj {
		return w.call(t, "POST", "/open-apis/im/v1/messages/"+id+"/reply", obj{"msg_type": "text", "content": `{"text":"hello"}`, "reply_in_thread": true})
	}
	out := reply(m.ID)
	wantCode(t, "replying", out, 0)
	if at(out, "data", "parent_id") != m.ID || at(out, "data", "root_id") != m.ID || at(out, "data", "thread_id") == nil {
		t.Errorf("the reply is %s", encodeJSON(out))
	}
	wantCode(t, "replying to nothing", reply("om_none"), 230001)
	id, _ := at(out, "data", "message_id").(string)
	wantCode(t, "withdrawing", w.call(t, "DELETE", "/open-apis/im/v1/messages/"+id, nil), 0)
	wantCode(t, "replying to what is withdrawn", reply(id), 230011)
	wantCode(t, "withdrawing another's", w.call(t, "DELETE", "/open-apis/im/v1/messages/"+m.ID, nil), 230026)
	if seen := w.Messages(w.group, w.kai.OpenID); len(seen) != 1 || seen[0].ID != m.ID {
		t.Errorf("Kai sees %+v", seen)
	}
}

func TestCardsArePatchedFor14DaysAndTextsEdited20Times(t *testing.T) {
	w := newOffice(t, nil)
	patch := func(id string, content any) obj {
		w.Advance(time.Second)
		return w.call(t, "PATCH", "/open-apis/im/v1/messages/"+id, obj{"content": string(encodeJSON(content))})
	}
	id := w.sendCard(t, cardOf(md("one")))
	wantCode(t, "patching", patch(id, cardOf(md("two"))), 0)
	if m, _ := w.Message(id); !strings.Contains(m.Content, "two") || !m.Edited {
		t.Errorf("the patched card is %+v", m)
	}
	wantCode(t, "a bad card", patch(id, cardOf(obj{"tag": "note"})), 230099)
	wantCode(t, "a card of JSON 1.0", patch(id, obj{"elements": []any{}}), 230099)
	wantCode(t, "nothing", w.call(t, "PATCH", "/open-apis/im/v1/messages/"+id, obj{}), codeViolation)
	wantCode(t, "no such message", patch("om_none", cardOf()), 230001)
	text, _ := at(w.send(t, "text", obj{"text": "hi"}), "data", "message_id").(string)
	wantCode(t, "patching a text", patch(text, cardOf()), 230001)
	said, _, err := w.Say(w.lin.OpenID, w.P2P(w.lin.OpenID), "hi")
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, "patching a person's message", patch(said.ID, cardOf()), 230012)

	edit := func(id string) obj {
		w.Advance(time.Second)
		return w.call(t, "PUT", "/open-apis/im/v1/messages/"+id, obj{"msg_type": "text", "content": `{"text":"better"}`})
	}
	for range 20 {
		wantCode(t, "editing", edit(text), 0)
	}
	wantCode(t, "the 21st edit", edit(text), 230072)
	wantCode(t, "editing a card", edit(id), 230054)
	wantCode(t, "editing a person's message", edit(said.ID), 230071)

	m, _ := w.Message(id)
	w.SetTime(m.Created.Add(14*24*time.Hour - 2*time.Second))
	w.login(t)
	wantCode(t, "patching just before 14 days", patch(id, cardOf(md("three"))), 0)
	wantCode(t, "patching after 14 days", patch(id, cardOf(md("four"))), 230031)
}

func TestTheHistoryIsReadInPages(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.Limits.Off, o.PageSize = true, 2 })
	for range 5 {
		wantCode(t, "sending", w.send(t, "text", obj{"text": "hi"}), 0)
	}
	var ids []any
	path := "/open-apis/im/v1/messages?container_id_type=chat&page_size=50&container_id=" + w.P2P(w.lin.OpenID)
	for token := ""; ; {
		out := w.call(t, "GET", path+"&page_token="+token, nil)
		wantCode(t, "reading a page", out, 0)
		items, _ := at(out, "data", "items").([]any)
		for _, m := range items {
			ids = append(ids, at(m, "message_id"))
		}
		if at(out, "data", "has_more") != true {
			break
		}
		token, _ = at(out, "data", "page_token").(string)
	}
	var want []any
	for _, m := range w.Messages(w.P2P(w.lin.OpenID), "") {
		want = append(want, m.ID)
	}
	if d := cmp.Diff(want, ids); d != "" {
		t.Errorf("the pages do not add up (-want +got):\n%s", d)
	}
	wantCode(t, "a page of 51", w.call(t, "GET", strings.Replace(path, "=50", "=51", 1), nil), codeViolation)
	wantCode(t, "a chat without the bot", w.call(t, "GET", "/open-apis/im/v1/messages?container_id_type=chat&container_id="+w.private, nil), 230002)
	wantCode(t, "one message", w.call(t, "GET", "/open-apis/im/v1/messages/"+w.Messages(w.P2P(w.lin.OpenID), "")[0].ID, nil), 0)
	if out := w.call(t, "GET", "/open-apis/im/v1/chats", nil); at(out, "data", "items", 0, "chat_id") != w.group || at(out, "data", "items", 1) != nil {
		t.Errorf("the bot's groups are %s", encodeJSON(out))
	}
	wantCode(t, "a group without the bot", w.call(t, "GET", "/open-apis/im/v1/chats/"+w.private, nil), 232011)
}

func TestTextsThatPingEverybodyAreFound(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.Limits.Off = true })
	for text, want := range map[string][]string{
		`hi <at user_id="` + w.kai.OpenID + `">Kai</at>`: nil,
		`hi <at user_id="all"></at>`:                     {"MUST text.at_all"},
		`hi <AT user_id=all>`:                            {"MUST text.at_all"},
		`hi <at user_id="ou_nobody"></at>`:               {"SHOULD text.unknown_user"},
		`hi &lt;at user_id="all"&gt;`:                    nil,
		"a\x00b":                                         {"MUST text.nul"},
		"cut \ufffd":                                     {"MUST text.replacement_character"},
		" \u200b\n":                                      {"MUST text.blank"},
		"turned \u202e round":                            {"SHOULD text.open_bidi_control"},
	} {
		w.Reset()
		wantCode(t, "sending", w.send(t, "text", obj{"text": text}), 0)
		if d := cmp.Diff(want, rules(w.Findings())); d != "" {
			t.Errorf("%q was found to be (-want +got):\n%s", text, d)
		}
	}
	w.Reset()
	wantCode(t, "a post for all", w.send(t, "post", obj{"zh_cn": obj{"content": []any{[]any{obj{"tag": "at", "user_id": "all"}}}}}), 0)
	w.call(t, "POST", createPath+"open_id", obj{"receive_id": w.lin.OpenID, "msg_type": "text", "content": `{"text":"\ud83d"}`})
	if d := cmp.Diff([]string{"MUST text.at_all", "MUST text.cut_surrogate", "MUST text.replacement_character"}, rules(w.Findings())); d != "" {
		t.Errorf("the findings are (-want +got):\n%s", d)
	}
}
