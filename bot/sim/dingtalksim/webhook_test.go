package dingtalksim

import (
	"strings"
	"testing"
	"time"
)

func (w *office) post(t *testing.T, hook string, body any) obj {
	t.Helper()
	return w.call(t, "POST", hook, body)
}

func textMessage(s string) obj { return obj{"msgtype": "text", "text": obj{"content": s}} }

func TestASessionLastsNinetyMinutes(t *testing.T) {
	w := newOffice(t, nil)
	hook := w.session(t, w.group)
	w.token = "" // it needs none
	out := w.post(t, hook, textMessage("hello"))
	wantCode(t, "at once", out, 0)
	if got := w.Messages(w.group, w.kai.UserID); len(got) != 2 || got[1].Via != ViaSession || got[1].Content != `{"content":"hello"}` {
		t.Errorf("the group sees %+v", got)
	}
	w.Advance(90*time.Minute - time.Millisecond)
	wantCode(t, "before the end", w.post(t, hook, textMessage("hello")), 0)
	w.Advance(time.Millisecond)
	wantCode(t, "at the end", w.post(t, hook, textMessage("hello")), 300001)
	wantCode(t, "of an unknown session", w.post(t, w.url+"/robot/sendBySession?session=x", textMessage("hello")), 300001)
}

func TestTheFormatsOfSessionMessages(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.Limits.Off = true })
	hook, url := w.session(t, w.group), "https://example.com"
	for what, c := range map[string]struct {
		body obj
		code int
	}{
		"text":                    {textMessage("a"), 0},
		"markdown":                {obj{"msgtype": "markdown", "markdown": obj{"title": "a", "text": "b"}}, 0},
		"markdown without title":  {obj{"msgtype": "markdown", "markdown": obj{"text": "b"}}, 40035},
		"link":                    {obj{"msgtype": "link", "link": obj{"title": "a", "text": "b", "messageUrl": url}}, 0},
		"link to nowhere":         {obj{"msgtype": "link", "link": obj{"title": "a", "text": "b", "messageUrl": "nowhere"}}, 40035},
		"one button":              {obj{"msgtype": "actionCard", "actionCard": obj{"title": "a", "text": "b", "singleTitle": "c", "singleURL": url}}, 0},
		"two buttons":             {obj{"msgtype": "actionCard", "actionCard": obj{"title": "a", "text": "b", "btnOrientation": "1", "btns": []any{obj{"title": "c", "actionURL": url}, obj{"title": "d", "actionURL": url}}}}, 0},
		"both forms of buttons":   {obj{"msgtype": "actionCard", "actionCard": obj{"title": "a", "text": "b", "singleTitle": "c", "singleURL": url, "btns": []any{obj{"title": "c", "actionURL": url}}}}, 40035},
		"no buttons":              {obj{"msgtype": "actionCard", "actionCard": obj{"title": "a", "text": "b"}}, 40035},
		"a button without a link": {obj{"msgtype": "actionCard", "actionCard": obj{"title": "a", "text": "b", "btns": []any{obj{"title": "c"}}}}, 40035},
		"a feed":                  {obj{"msgtype": "feedCard", "feedCard": obj{"links": []any{obj{"title": "a", "messageURL": url, "picURL": ""}}}}, 0},
		"an empty feed":           {obj{"msgtype": "feedCard", "feedCard": obj{"links": []any{}}}, 40035},
		"snake case":              {obj{"msgtype": "action_card", "action_card": obj{"title": "a", "markdown": "b", "single_title": "c", "single_url": url}}, 400105},
		"an image":                {obj{"msgtype": "image", "image": obj{"media_id": "x"}}, 400105},
		"blank text":              {textMessage("  "), 40035},
		"a missing part":          {obj{"msgtype": "text"}, 40035},
	} {
		wantCode(t, what, w.post(t, hook, c.body), c.code)
	}
	w.noMust(t)
	_, _, raw, err := w.try(t, "POST", hook, "text/plain", encodeJSON(textMessage("a")))
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, "another content type", decoded(t, raw), 43004)
}

func TestASessionMessageHasTwentyThousandBytes(t *testing.T) {
	w := newOffice(t, nil)
	hook := w.session(t, w.group)
	frame := len(encodeJSON(textMessage("")))
	wantCode(t, "20,000 bytes", w.post(t, hook, textMessage(letters(webhookBytes-frame))), 0)
	wantCode(t, "20,001 bytes", w.post(t, hook, textMessage(letters(webhookBytes-frame+1))), 460101)
}

func TestMentionsOfASessionMessage(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.Limits.Off = true })
	hook := w.session(t, w.group)
	at := func(text string, at any) obj {
		body := textMessage(text)
		body["at"] = at
		return body
	}
	found := func(what string, body obj, code int, want ...string) {
		t.Helper()
		before := len(w.Findings())
		wantCode(t, what, w.post(t, hook, body), code)
		if got := rules(w.Findings())[before:]; strings.Join(got, ",") != strings.Join(want, ",") {
			t.Errorf("%s was found to be %v, want %v", what, got, want)
		}
	}
	found("a mention", at("@staff02 hi", obj{"atUserIds": []string{w.lin.UserID}, "isAtAll": false}), 0)
	if got := w.Messages(w.group, ""); len(got[len(got)-1].Mentions) != 1 || got[len(got)-1].Mentions[0].UserID != w.lin.UserID {
		t.Errorf("the mentions are %+v", got[len(got)-1].Mentions)
	}
	found("by mobile", at("@13800000001 hi", obj{"atMobiles": []string{w.kai.Mobile}}), 0)
	found("not in the text", at("hi", obj{"atUserIds": []string{w.lin.UserID}}), 0, "SHOULD at.not_in_text")
	found("somebody unknown", at("hi", obj{"atUserIds": []string{"none"}}), 0, "SHOULD at.unknown_user")
	found("everybody", at("hi", obj{"isAtAll": true}), 0, "MUST text.at_all")
	found("a string", at("hi", obj{"isAtAll": "true"}), 40035)
	many := times(51, func(int) string { return w.lin.UserID })
	found("fifty-one", at("@staff02", obj{"atUserIds": many}), 40035)
	found("fifty", at("@staff02", obj{"atUserIds": many[:50]}), 0)
}

func TestTwentyMessagesAMinuteThroughAConversationsSessions(t *testing.T) {
	w := newOffice(t, nil)
	hook, other := w.session(t, w.group), w.session(t, w.P2P(w.lin.UserID))
	for range 20 {
		wantCode(t, "one of twenty", w.post(t, hook, textMessage("a")), 0)
		w.Advance(time.Second)
	}
	wantCode(t, "the twenty-first", w.post(t, hook, textMessage("a")), 130101)
	wantCode(t, "another conversation", w.post(t, other, textMessage("a")), 0)
	w.noMust(t)
	w.Advance(10*time.Minute - time.Second)
	wantCode(t, "within ten minutes", w.post(t, hook, textMessage("a")), 130101)
	if got := rules(w.MustFindings()); len(got) != 1 || got[0] != "MUST ratelimit.wait_ignored" {
		t.Errorf("a message within the wait was found to be %v", got)
	}
	w.Advance(time.Second)
	wantCode(t, "after ten minutes", w.post(t, hook, textMessage("a")), 0)
}
