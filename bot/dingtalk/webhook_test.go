package dingtalk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/internal/fault"
)

func TestWhatDingTalkDidNotSignJustNowIsRefused(t *testing.T) {
	r := newRig(t)
	heard := 0
	handle := func(context.Context, bot.Event) (bot.Reply, error) {
		heard++
		return bot.Reply{}, nil
	}
	good := r.said(t, "help", nil)
	press := marshal(t, map[string]any{"outTrackId": "t", "userId": "lin", "content": `{"cardPrivateData":{"params":{"action":"{\"n\":\"a\"}"}}}`})
	event := []byte(`{"EventType":"check_url"}`)
	for _, c := range []struct {
		name string
		req  func() *http.Request
		want int
	}{
		{"a message", func() *http.Request { return r.request(t, pathMessages, good) }, 200},
		{"an event", func() *http.Request { return r.request(t, pathEvents, event) }, 200},
		{"a press", func() *http.Request { return r.request(t, pathCards, press) }, 200},
		{"no headers", func() *http.Request { return bare(t, pathMessages, good) }, 401},
		{"no headers on a card", func() *http.Request { return bare(t, pathCards, press) }, 401},
		{"no query on an event", func() *http.Request { return bare(t, pathEvents, []byte(`{"encrypt":"x"}`)) }, 401},
		{"an event in the clear", func() *http.Request { return bare(t, pathEvents, event) }, 401},
		{"another secret", func() *http.Request {
			req := r.request(t, pathMessages, good)
			req.Header.Set("sign", verifier{secret: []byte("other")}.robotSign(req.Header.Get("timestamp")))
			return req
		}, 401},
		{"thirty days old", func() *http.Request {
			req := r.request(t, pathMessages, good)
			stamp := fmt.Sprint(r.now.AddDate(0, 0, -30).UnixMilli())
			req.Header.Set("timestamp", stamp)
			req.Header.Set("sign", r.verifier.robotSign(stamp))
			return req
		}, 401},
		{"an event thirty days old", func() *http.Request {
			v := vectors[1]
			return bare(t, pathEvents+"?timestamp="+v.stamp+"&nonce="+v.nonce+"&signature="+v.signature, []byte(`{"encrypt":"`+v.encrypt+`"}`))
		}, 401},
		{"an event with another token", func() *http.Request {
			req := r.request(t, pathEvents, event)
			req.URL.RawQuery = strings.Replace(req.URL.RawQuery, "signature=", "signature=0", 1)
			return req
		}, 401},
		{"the old names", func() *http.Request {
			req := r.request(t, pathEvents, event)
			req.URL.RawQuery = strings.Replace(strings.Replace(req.URL.RawQuery, "signature=", "msg_signature=", 1), "timestamp=", "timeStamp=", 1)
			return req
		}, 200},
		{"a message for another robot", func() *http.Request {
			return r.request(t, pathMessages, r.said(t, "help", map[string]any{"robotCode": "dingother"}))
		}, 401},
		{"a message for no robot", func() *http.Request {
			return r.request(t, pathMessages, r.said(t, "help", map[string]any{"robotCode": nil}))
		}, 401},
		{"a message of no company", func() *http.Request {
			return r.request(t, pathMessages, r.said(t, "help", map[string]any{"chatbotCorpId": nil}))
		}, 401},
		{"a message of a company without a name", func() *http.Request {
			return r.request(t, pathMessages, r.said(t, "help", map[string]any{"chatbotCorpId": ""}))
		}, 401},
		{"no JSON", func() *http.Request { return r.request(t, pathMessages, []byte("hello")) }, 400},
		{"no message id", func() *http.Request {
			return r.request(t, pathMessages, r.said(t, "help", map[string]any{"msgId": nil}))
		}, 400},
		{"an event of a kind nobody knows", func() *http.Request { return r.request(t, pathEvents, []byte(`{"EventType":"of_the_future"}`)) }, 200},
		{"an event that is a list", func() *http.Request { return r.request(t, pathEvents, []byte(`[]`)) }, 400},
		{"an action that is an object", func() *http.Request {
			return r.request(t, pathCards, marshal(t, map[string]any{"outTrackId": "t", "userId": "lin", "content": `{"cardPrivateData":{"params":{"action":{"n":"a"}}}}`}))
		}, 400},
		{"256 KiB and a byte", func() *http.Request { return r.request(t, pathMessages, bytes.Repeat([]byte("x"), maxBody+1)) }, 413},
		{"GET", func() *http.Request {
			return httptest.NewRequestWithContext(t.Context(), http.MethodGet, pathMessages, nil)
		}, 405},
	} {
		before := heard
		if w := r.serve(handle, c.req()); w.Code != c.want || w.Code != 200 && w.Body.Len() > 0 {
			t.Errorf("%s is answered %d %q, want %d without a reason", c.name, w.Code, w.Body, c.want)
		}
		if c.want != 200 && heard != before {
			t.Errorf("%s reached the product", c.name)
		}
	}
	if routes := newRig(t, inStream).Routes(handle); len(routes) != 0 {
		t.Errorf("in stream mode there are %d addresses, want none: nobody calls them, and anybody could", len(routes))
	}
	if w := newRig(t, func(c *Config) { c.EventToken, c.EventAESKey = "", "" }).serve(handle, r.request(t, pathEvents, event)); w.Code != 401 {
		t.Errorf("without an event subscription an event is answered %d", w.Code)
	}
}

// bare is a request that nobody signed.
func bare(t *testing.T, path string, raw []byte) *http.Request {
	t.Helper()
	return httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, bytes.NewReader(raw))
}

func TestAnotherCompanysMessageIsRefusedOnceTheCompanyIsKnown(t *testing.T) {
	r := newRig(t)
	if w := r.serve(reply(bot.Reply{}), r.request(t, pathEvents, []byte(`{"EventType":"org_micro_app_stop","CorpId":"dingcorp"}`))); w.Code != 200 {
		t.Fatalf("an event is answered %d", w.Code)
	}
	for corp, want := range map[string]int{"dingcorp": 200, "dingother": 401} {
		if w := r.serve(reply(bot.Reply{}), r.request(t, pathMessages, r.said(t, "help", map[string]any{"chatbotCorpId": corp, "senderCorpId": corp}))); w.Code != want {
			t.Errorf("a message of %s is answered %d, want %d", corp, w.Code, want)
		}
	}
}

func TestCheckURLIsAnsweredSealed(t *testing.T) {
	r := newRig(t)
	w := r.serve(reply(bot.Reply{}), r.request(t, pathEvents, []byte(`{"EventType":"check_url"}`)))
	got := decoded(t, w.Body.Bytes())
	encrypted, _ := got["encrypt"].(string)
	plain, err := r.envelope.open(encrypted)
	if err != nil || string(plain) != "success" {
		t.Errorf("the answer says %q, %v", plain, err)
	}
	stamp, _ := got["timeStamp"].(string)
	nonce, _ := got["nonce"].(string)
	if got["msg_signature"] != r.envelope.sign(stamp, nonce, encrypted) || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("the answer is %v", got)
	}
}

func TestFailuresAreAnsweredAsTheContractSays(t *testing.T) {
	press := func(r *rig) *http.Request {
		return r.request(t, pathCards, marshal(t, map[string]any{"outTrackId": "t1", "userId": "lin", "content": `{"cardPrivateData":{"params":{"action":"{\"n\":\"a\"}"}}}`}))
	}
	for _, c := range []struct {
		name   string
		handle bot.Receive
		want   int
		says   string // to somebody who typed; "": nothing
	}{
		{"the database is away", fails(fault.New(fault.Unavailable, "storage.unavailable")), 503, ""},
		{"told already", fails(fault.New(fault.Duplicate, "x")), 200, ""},
		{"a fault with words", fails(fault.New(fault.Forbidden, "dingtalk.private")), 200, "This is private"},
		{"an internal error", fails(errors.New("boom")), 200, "incident"},
		{"a panic", func(context.Context, bot.Event) (bot.Reply, error) { panic("words of a person") }, 500, ""},
		{"a context that ended", fails(context.DeadlineExceeded), 503, ""},
	} {
		r := newRig(t)
		if w := r.serve(c.handle, r.request(t, pathMessages, r.said(t, "help", nil))); w.Code != c.want {
			t.Errorf("%s: a message is answered %d, want %d", c.name, w.Code, c.want)
		}
		r.finish(t)
		if c.says == "" {
			r.fake.quiet(t)
		} else if got := fmt.Sprint(r.fake.next(t, batchPath).JSON); !strings.Contains(got, c.says) {
			t.Errorf("%s: the person reads %s, want %q", c.name, got, c.says)
		}
		if strings.Contains(r.log.String(), "words of a person") {
			t.Errorf("%s: a panic's words are in the log", c.name)
		}
		r = newRig(t, withTemplate)
		if w := r.serve(c.handle, press(r)); w.Code != c.want {
			t.Errorf("%s: a press is answered %d, want %d", c.name, w.Code, c.want)
		} else if c.want == 200 && c.says != "" && !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s: the card says %s, want %q", c.name, w.Body, c.says)
		}
		r.finish(t)
		if c.want != 200 {
			if got := r.fake.next(t, "/v1.0/card/instances"); got.JSON["outTrackId"] != "t1" || !strings.Contains(fmt.Sprint(got.JSON), "⚠️") {
				t.Errorf("%s: the card is told %v", c.name, got.JSON)
			}
		}
		r.fake.quiet(t)
	}
}

func TestAReplayedMessageIsTheSameDeed(t *testing.T) {
	r := newRig(t)
	seen := map[string]int{}
	handle := func(_ context.Context, e bot.Event) (bot.Reply, error) {
		seen[e.ID]++
		return bot.Reply{}, nil
	}
	req := r.said(t, "praise", nil)
	for range 1000 {
		if w := r.serve(handle, r.request(t, pathMessages, req)); w.Code != 200 {
			t.Fatalf("a replay is answered %d", w.Code)
		}
	}
	if len(seen) != 1 || seen["msg-1"] != 1000 {
		t.Errorf("1,000 replays have the ids %v, want one, by which the product counts them once", seen)
	}
}

func TestReplies(t *testing.T) {
	private := card.Card{Tone: card.Private, Title: "For you", Blocks: []card.Block{card.Say("the secret words")}}
	t.Run("to words in the own conversation, through the session of a connection", func(t *testing.T) {
		r := newRig(t, inStream)
		r.hear(t, reply(bot.Reply{Card: buttonCard()}), r.said(t, "help", nil))
		r.finish(t)
		got, _ := r.fake.next(t, sessionPath).JSON["actionCard"].(map[string]any)
		btns, _ := got["btns"].([]any)
		if len(btns) != 2 || !strings.Contains(fmt.Sprint(btns[0]), "https://bot.example/p/button/lin/1") || got["title"] != "A word for you" {
			t.Errorf("the answer is %v", got)
		}
		if got, want := fmt.Sprint(r.pages), "[button praise.thank for lin of "+testID+" button list for lin of "+testID+"]"; got != want {
			t.Errorf("pages were asked for: %s, want %s", got, want)
		}
		r.fake.quiet(t)
		if r.calls() != 0 {
			t.Errorf("an answer through the session costs %d calls of the quota", r.calls())
		}
	})
	t.Run("to words in the own conversation over webhooks, by the API: an address there may be anybody's", func(t *testing.T) {
		r := newRig(t)
		for n, c := range []bot.Reply{{Card: &private}, {Card: buttonCard()}, {Card: &private, Public: true}} {
			r.serve(reply(c), r.request(t, pathMessages, r.said(t, "help", map[string]any{"msgId": fmt.Sprint(n)})))
			if got := r.fake.next(t, batchPath); fmt.Sprint(got.JSON["userIds"]) != "[lin]" || got.JSON["robotCode"] != testID {
				t.Errorf("the answer is %v", got.JSON)
			}
		}
		f := aForm()
		r.serve(reply(bot.Reply{Form: &f}), r.request(t, pathMessages, r.said(t, "praise", nil)))
		r.fake.next(t, batchPath)
		r.finish(t)
		r.fake.quiet(t)
		if r.calls() != 4 {
			t.Errorf("four answers over webhooks are counted as %d calls of the quota", r.calls())
		}
	})
	t.Run("when the session has ended, by the API", func(t *testing.T) {
		r := newRig(t, inStream)
		r.hear(t, reply(bot.Reply{Card: aCard("Hello")}), r.said(t, "help", map[string]any{"sessionWebhookExpiredTime": r.now.Add(-time.Second).UnixMilli()}))
		r.finish(t)
		if got := r.fake.next(t, "/v1.0/robot/oToMessages/batchSend"); fmt.Sprint(got.JSON["userIds"]) != "[lin]" || got.JSON["msgKey"] != "sampleMarkdown" || got.JSON["robotCode"] != testID {
			t.Errorf("the answer is %v", got.JSON)
		}
	})
	t.Run("when the session does not take it, by the API", func(t *testing.T) {
		r := newRig(t, inStream)
		r.fake.say(sessionPath, `{"errcode":300001,"errmsg":"session"}`)
		r.hear(t, reply(bot.Reply{Card: aCard("Hello")}), r.said(t, "help", nil))
		r.finish(t)
		r.fake.next(t, sessionPath)
		r.fake.next(t, "/v1.0/robot/oToMessages/batchSend")
	})
	t.Run("a private answer in a group goes to the person", func(t *testing.T) {
		r := newRig(t)
		for _, c := range []bot.Reply{{Card: &private}, {Card: &private, Public: true}, {Card: aCard("Sent to Kai")}} {
			r.serve(reply(c), r.request(t, pathMessages, r.said(t, "praise thanks", inGroup("kai"))))
			if got := r.fake.next(t, "/v1.0/robot/oToMessages/batchSend"); fmt.Sprint(got.JSON["userIds"]) != "[lin]" {
				t.Errorf("the answer is %v", got.JSON)
			}
		}
		r.finish(t)
		r.fake.quiet(t)
	})
	t.Run("a public answer in a group has no buttons", func(t *testing.T) {
		r := newRig(t, withTemplate)
		r.serve(reply(bot.Reply{Card: buttonCard(), Public: true}), r.request(t, pathMessages, r.said(t, "praise thanks", inGroup("kai"))))
		r.finish(t)
		if got := r.fake.next(t, sessionPath); got.JSON["msgtype"] != "markdown" || strings.Contains(fmt.Sprint(got.JSON), "bot.example") {
			t.Errorf("the group reads %v", got.JSON)
		}
		r.fake.quiet(t)
	})
	t.Run("a form is a page, and never in a group", func(t *testing.T) {
		f := aForm()
		r := newRig(t)
		r.serve(reply(bot.Reply{Form: &f}), r.request(t, pathMessages, r.said(t, "praise", inGroup())))
		r.finish(t)
		got := r.fake.next(t, "/v1.0/robot/oToMessages/batchSend")
		if p := got.param(t); got.JSON["msgKey"] != "sampleActionCard" || p["singleURL"] != "https://bot.example/p/form/lin/1" || p["singleTitle"] != "Open the form" {
			t.Errorf("the form is %v", got.JSON)
		}
		r.fake.quiet(t)
	})
	t.Run("a form on a card, with the mistakes in it, and then the answer", func(t *testing.T) {
		f := aForm()
		r := newRig(t, withTemplate)
		r.serve(reply(bot.Reply{Form: &f}), r.request(t, pathMessages, r.said(t, "praise", nil)))
		r.fake.next(t, "/v1.0/card/callbacks/register")
		made := r.fake.next(t, "/v1.0/card/instances/createAndDeliver").JSON
		if made["callbackType"] != "HTTP" || made["callbackRouteKey"] != routeKey || made["openSpaceId"] != "dtv1.card//IM_ROBOT.lin" || made["cardTemplateId"] != "tpl-1.schema" {
			t.Errorf("the card is %v", made)
		}
		track, _ := made["outTrackId"].(string)
		value := hidden(t, made)
		submit := func(handle bot.Receive, value string) map[string]any {
			t.Helper()
			raw := marshal(t, map[string]any{"outTrackId": track, "userId": "lin", "type": "actionCallback", "content": string(marshal(t, map[string]any{
				"cardPrivateData": map[string]any{"actionIds": []string{"submit"}, "params": map[string]any{
					"form": map[string]any{markField: value, "text": "too short", "tags": map[string]any{"index": []int{1}, "value": []string{"b"}}},
				}},
			}))})
			w := r.serve(handle, r.request(t, pathCards, raw))
			if w.Code != 200 {
				t.Fatalf("a submission is answered %d", w.Code)
			}
			return decoded(t, w.Body.Bytes())
		}
		var heard []bot.Event
		answer := submit(func(_ context.Context, e bot.Event) (bot.Reply, error) {
			heard = append(heard, e)
			return bot.Reply{Errors: map[string]string{"text": "at least ten characters", "": "try again"}}, nil
		}, value)
		got := paramsOf(answer)
		if !strings.Contains(fmt.Sprint(got[paramNote]), "What was good?: at least ten characters") || !strings.Contains(fmt.Sprint(got[paramNote]), "try again") {
			t.Errorf("the card says %v", got[paramNote])
		}
		if form := fmt.Sprint(got[paramForm]); !strings.Contains(form, `"defaultValue":"too short"`) || !strings.Contains(form, `"value":["b"]`) {
			t.Errorf("the form lost what was typed: %s", form)
		}
		next := hidden(t, answer)
		if next == value || next == "" {
			t.Errorf("the form drawn again carries %s, want another nonce than %s", next, value)
		}
		answer = submit(func(_ context.Context, e bot.Event) (bot.Reply, error) {
			heard = append(heard, e)
			return bot.Reply{Card: buttonCard()}, nil
		}, next)
		if got := paramsOf(answer); got[paramStatus] != formNone || got[paramTitle] != "✨ Lin thanked you" || !strings.Contains(fmt.Sprint(got[paramButtons]), "praise.thank") {
			t.Errorf("after success the card is %v", got)
		}
		if len(heard) != 2 || heard[0].ID == heard[1].ID || heard[0].Form.Name != "praise.send" || heard[0].Form.Arg(0) != "7" || heard[0].Form.Values.One("tags") != "b" || heard[0].User != "lin" {
			t.Errorf("the product heard %+v", heard)
		}
		r.finish(t)
		r.fake.quiet(t)
	})
	t.Run("to a press, on the card or on a new one", func(t *testing.T) {
		r := newRig(t, withTemplate)
		press := r.request(t, pathCards, marshal(t, map[string]any{"outTrackId": "t1", "userId": "lin", "content": `{"cardPrivateData":{"params":{"action":"{\"n\":\"a\"}"}}}`}))
		w := r.serve(reply(bot.Reply{Card: aCard("Thanked"), Replace: true}), press)
		if got := paramsOf(decoded(t, w.Body.Bytes())); got[paramTitle] != "Thanked" {
			t.Errorf("the card becomes %s", w.Body)
		}
		r.fake.quiet(t)
		press = r.request(t, pathCards, marshal(t, map[string]any{"outTrackId": "t1", "userId": "lin", "content": `{"cardPrivateData":{"params":{"action":"{\"n\":\"a\"}"}}}`}))
		if w := r.serve(reply(bot.Reply{Card: buttonCard()}), press); w.Body.String() != "{}" {
			t.Errorf("the card becomes %s, want nothing", w.Body)
		}
		r.finish(t)
		r.fake.next(t, "/v1.0/card/callbacks/register")
		if made := r.fake.next(t, "/v1.0/card/instances/createAndDeliver").JSON; made["openSpaceId"] != "dtv1.card//IM_ROBOT.lin" {
			t.Errorf("the new card is %v", made)
		}
	})
	t.Run("to a press in a group, privately: the card there is everybody's", func(t *testing.T) {
		for name, source := range map[string]map[string]any{
			"press": {"action": `{"n":"a"}`}, "form": {"form": map[string]any{markField: `{"n":"a"}`, "text": "words"}},
		} {
			r := newRig(t, withTemplate)
			press := r.request(t, pathCards, marshal(t, map[string]any{
				"outTrackId": "t1", "userId": "lin", "spaceType": "IM_GROUP", "spaceId": "cidGroup",
				"content": string(marshal(t, map[string]any{"cardPrivateData": map[string]any{"params": source}})),
			}))
			private := card.Card{Tone: card.Private, Title: "What Mei wrote to you", Blocks: []card.Block{card.Say("for Lin alone")}}
			if w := r.serve(reply(bot.Reply{Card: &private, Replace: true}), press); w.Code != 200 || strings.Contains(w.Body.String(), "Mei") || strings.Contains(w.Body.String(), "alone") {
				t.Errorf("after a %s the group's card becomes %d %s, want nothing of what is private", name, w.Code, w.Body)
			}
			r.finish(t)
			if told := r.fake.next(t, "/v1.0/robot/oToMessages/batchSend"); fmt.Sprint(told.JSON["userIds"]) != "[lin]" || !strings.Contains(fmt.Sprint(told.param(t)), "alone") {
				t.Errorf("after a %s Lin is told %v", name, told.JSON)
			}
			r.fake.quiet(t)
		}
	})
	t.Run("to somebody whom DingTalk does not name", func(t *testing.T) {
		never := func(context.Context, bot.Event) (bot.Reply, error) {
			t.Error("a stranger reached the product")
			return bot.Reply{}, nil
		}
		r := newRig(t, inStream)
		status := r.hear(t, never, r.said(t, "help", map[string]any{"senderStaffId": nil}))
		r.finish(t)
		if got := r.fake.next(t, sessionPath); status != 200 || !strings.Contains(fmt.Sprint(got.JSON), "does not tell me who you are") {
			t.Errorf("answered %d, %v", status, got.JSON)
		}
		r.fake.quiet(t)
		for _, change := range []map[string]any{{}, inGroup()} {
			change["senderStaffId"] = nil
			r = newRig(t)
			w := r.serve(never, r.request(t, pathMessages, r.said(t, "words of a person", change)))
			r.finish(t)
			r.fake.quiet(t)
			log := r.log.String()
			if w.Code != 200 || strings.Count(log, "level=INFO") != 1 || strings.Contains(log, "words of a person") || strings.Contains(log, "session") {
				t.Errorf("over webhooks a stranger is answered %d, and the log says:\n%s", w.Code, log)
			}
		}
	})
}

// paramsOf are the values of a card, in an answer or a call.
func paramsOf(v map[string]any) map[string]any {
	data, _ := v["cardData"].(map[string]any)
	params, _ := data["cardParamMap"].(map[string]any)
	return params
}

// hidden is what the form of a card carries.
func hidden(t *testing.T, v map[string]any) string {
	t.Helper()
	text, _ := paramsOf(v)[paramForm].(string)
	form := decoded(t, []byte(text))
	for _, f := range form["fields"].([]any) {
		if field := f.(map[string]any); field["name"] == markField {
			value, _ := field["defaultValue"].(string)
			return value
		}
	}
	t.Fatalf("the form carries nothing: %s", text)
	return ""
}

func TestAPressIsAnsweredWithinTwoSeconds(t *testing.T) {
	r := newRig(t, withTemplate)
	release := make(chan struct{})
	press := r.request(t, pathCards, marshal(t, map[string]any{"outTrackId": "t1", "userId": "lin", "content": `{"cardPrivateData":{"params":{"action":"{\"n\":\"a\"}"}}}`}))
	done := make(chan *httptest.ResponseRecorder, 1)
	go func() {
		done <- r.serve(func(context.Context, bot.Event) (bot.Reply, error) {
			<-release
			return bot.Reply{Card: aCard("Late"), Replace: true}, nil
		}, press)
	}()
	select {
	case w := <-done:
		if w.Code != 200 || w.Body.String() != "{}" {
			t.Errorf("answered %d %s", w.Code, w.Body)
		}
	case <-time.After(1950 * time.Millisecond):
		t.Error("no answer came in two seconds")
	}
	r.fake.quiet(t)
	close(release)
	if got := r.fake.next(t, "/v1.0/card/instances").JSON; got["outTrackId"] != "t1" || paramsOf(got)[paramTitle] != "Late" {
		t.Errorf("the card is changed afterwards to %v", got)
	}
}
