package dingtalksim

import (
	"net/http"
	"strconv"
	"testing"
	"time"
)

func TestABatchReachesTwentyPeople(t *testing.T) {
	w := newOffice(t, nil)
	users := times(21, func(i int) string { return w.AddPerson(Person{Name: "P" + strconv.Itoa(i)}).UserID })
	_, out := w.batch(t, "sampleText", obj{"content": "hi"}, users[:20]...)
	wantCode(t, "twenty", out, "")
	for _, u := range users[:20] {
		if got := w.Messages(w.P2P(u), u); len(got) != 1 || got[0].Content != `{"content":"hi"}` || got[0].Query != out["processQueryKey"] {
			t.Fatalf("one of twenty sees %+v", got)
		}
	}
	w.noMust(t)
	_, out = w.batch(t, "sampleText", obj{"content": "hi"}, users...)
	wantCode(t, "twenty-one", out, "invalidParameter.userIds.overMax")
	if got := rules(w.MustFindings()); len(got) != 1 || got[0] != "MUST robot.over_20_users" {
		t.Errorf("twenty-one were found to be %v", got)
	}
	_, out = w.batch(t, "sampleText", obj{"content": "hi"})
	wantCode(t, "nobody", out, "invalidParameter.userIds.empty")
}

func TestWhoIsUnknownIsNamedAndTheOthersGetIt(t *testing.T) {
	w := newOffice(t, nil)
	gone := w.AddPerson(Person{Name: "Gone", Left: true})
	_, out := w.batch(t, "sampleText", obj{"content": "hi"}, w.lin.UserID, "none", gone.UserID, w.max.UserID)
	wantCode(t, "one of four known", out, "")
	if got := string(encodeJSON(out["invalidStaffIdList"])); got != `["none","`+gone.UserID+`","`+w.max.UserID+`"]` {
		t.Errorf("invalidStaffIdList is %s", got)
	}
	if n := len(w.MessagesFor(w.lin.UserID)); n != 1 {
		t.Errorf("the known one got %d messages", n)
	}
	status, out := w.batch(t, "sampleText", obj{"content": "hi"}, "none")
	wantCode(t, "nobody known", out, "staffId.notExisted")
	if status != http.StatusBadRequest {
		t.Errorf("nobody known got HTTP %d", status)
	}
	strict := newOffice(t, func(o *Options) { o.OneBadIDFails = true })
	_, out = strict.batch(t, "sampleText", obj{"content": "hi"}, strict.lin.UserID, "none")
	wantCode(t, "one of two known", out, "staffId.notExisted")
	if n := len(strict.MessagesFor(strict.lin.UserID)); n != 0 {
		t.Errorf("of a refused batch %d messages arrived", n)
	}
}

func TestTheRobotMustBeTheApps(t *testing.T) {
	w := newOffice(t, nil)
	body := obj{"userIds": []string{w.lin.UserID}, "msgKey": "sampleText", "msgParam": `{"content":"hi"}`}
	_, out := w.request(t, "POST", "/v1.0/robot/oToMessages/batchSend", body)
	wantCode(t, "no robot", out, "invalidParameter.robotCode.empty")
	body["robotCode"] = "dingother"
	status, out := w.request(t, "POST", "/v1.0/robot/oToMessages/batchSend", body)
	wantCode(t, "another robot", out, "resource.not.found")
	if status != http.StatusNotFound {
		t.Errorf("another robot got HTTP %d", status)
	}
}

func TestEveryMessageKeyWantsItsParameters(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.Limits.Off = true })
	file := w.upload(t, "file", "a.pdf", "x")
	url := "https://example.com/a"
	samples := map[string]obj{
		"sampleText":        {"content": "a"},
		"sampleMarkdown":    {"title": "a", "text": "b"},
		"sampleImageMsg":    {"photoURL": w.upload(t, "image", "a.png", "x")},
		"sampleLink":        {"title": "a", "text": "b", "picUrl": url, "messageUrl": url},
		"sampleActionCard":  {"title": "a", "text": "b", "singleTitle": "c", "singleURL": url},
		"sampleActionCard2": {"title": "a", "text": "b", "actionTitle1": "c", "actionURL1": url, "actionTitle2": "c", "actionURL2": "dingtalk://dingtalkclient/page/link?url=x"},
		"sampleActionCard6": {"title": "a", "text": "b", "buttonTitle1": "c", "buttonUrl1": url, "buttonTitle2": "c", "buttonUrl2": url},
		"sampleAudio":       {"mediaId": file, "duration": "1000"},
		"sampleFile":        {"mediaId": file, "fileName": "a.pdf", "fileType": "pdf"},
		"sampleVideo":       {"duration": 10, "videoMediaId": file, "videoType": "mp4", "picMediaId": file},
	}
	for key, params := range samples {
		_, out := w.batch(t, key, params, w.lin.UserID)
		wantCode(t, key, out, "")
		for name, v := range params {
			for what, wrong := range map[string]any{"without": nil, "with a blank": " \n"} {
				if _, isNumber := v.(int); isNumber && wrong != nil {
					continue
				}
				params[name] = wrong
				_, out := w.batch(t, key, params, w.lin.UserID)
				wantCode(t, key+" "+what+" "+name, out, "invalidParameter.msgParam.invalid")
			}
			params[name] = v
		}
	}
	w.noMust(t)
	for what, c := range map[string]struct {
		key   string
		param any
		code  string
	}{
		"no key":              {"", `{"content":"a"}`, "invalidParameter.msgKey.empty"},
		"sampleActionCard1":   {"sampleActionCard1", `{"title":"a","text":"b"}`, "invalidParameter.msgKey.invalid"},
		"an object":           {"sampleText", obj{"content": "a"}, "invalidParameter.msgParam.invalid"},
		"no JSON":             {"sampleText", "content", "invalidParameter.msgParam.invalid"},
		"a list":              {"sampleText", `["content"]`, "invalidParameter.msgParam.invalid"},
		"an odd address":      {"sampleActionCard", `{"title":"a","text":"b","singleTitle":"c","singleURL":"ftp://x"}`, "invalidParameter.msgParam.invalid"},
		"a file not uploaded": {"sampleFile", `{"mediaId":"@x","fileName":"a.pdf","fileType":"pdf"}`, "invalidParameter.msgParam.invalid"},
	} {
		_, out := w.request(t, "POST", "/v1.0/robot/oToMessages/batchSend", obj{
			"robotCode": testClient, "userIds": []string{w.lin.UserID}, "msgKey": c.key, "msgParam": c.param,
		})
		wantCode(t, what, out, c.code)
	}
}

func TestAGroupTakesFifteenThousandBytes(t *testing.T) {
	w := newOffice(t, nil)
	frame := len(`{"content":""}`)
	_, out := w.inGroup(t, letters(groupParam-frame))
	wantCode(t, "15,000 bytes", out, "")
	_, out = w.inGroup(t, letters(groupParam-frame+1))
	wantCode(t, "15,001 bytes", out, "invalidParameter.msgParam.tooLong")
	if got := w.Messages(w.group, w.kai.UserID); len(got) != 1 || got[0].Via != ViaAPI {
		t.Errorf("the group sees %d messages", len(got))
	}
	send := func(id string) obj {
		return w.call(t, "POST", "/v1.0/robot/groupMessages/send", obj{
			"robotCode": testClient, "openConversationId": id, "msgKey": "sampleText", "msgParam": `{"content":"a"}`,
		})
	}
	wantCode(t, "an unknown group", send("cidnone"), "invalid.openConversationId")
	wantCode(t, "a conversation that is no group", send(w.P2P(w.lin.UserID)), "invalid.openConversationId")
	wantCode(t, "a group without the robot", send(w.private), "resource.unavailable")
}

func TestTheRobotTakesMessagesBackForADay(t *testing.T) {
	w := newOffice(t, nil)
	_, one := w.batch(t, "sampleText", obj{"content": "one"}, w.lin.UserID, w.kai.UserID)
	_, two := w.batch(t, "sampleText", obj{"content": "two"}, w.lin.UserID)
	recall := func(path string, body obj) obj {
		body["robotCode"] = testClient
		return w.call(t, "POST", "/v1.0/robot/"+path, body)
	}
	out := recall("otoMessages/batchRecall", obj{"processQueryKeys": []any{one["processQueryKey"], "none"}})
	if got := string(encodeJSON(out["successResult"])); got != `["`+one["processQueryKey"].(string)+`"]` || at(out, "failedResult", "none") == nil {
		t.Errorf("recalling gives %s", encodeJSON(out))
	}
	if n := len(w.MessagesFor(w.lin.UserID)); n != 1 {
		t.Errorf("%d messages are left", n)
	}
	w.Advance(24*time.Hour + time.Second) // messages of one moment are milliseconds apart
	w.login(t)
	out = recall("oToMessages/batchRecall", obj{"processQueryKeys": []any{two["processQueryKey"]}})
	if len(out["successResult"].([]any)) != 0 {
		t.Errorf("after a day recalling gives %s", encodeJSON(out))
	}
	if got := rules(w.Findings()); len(got) != 1 || got[0] != "SHOULD path.undocumented" {
		t.Errorf("the undocumented path was found to be %v", got)
	}
	_, three := w.inGroup(t, "three")
	out = recall("groupMessages/recall", obj{"openConversationId": w.group, "processQueryKeys": []any{three["processQueryKey"]}})
	if len(out["successResult"].([]any)) != 1 || len(w.Messages(w.group, w.lin.UserID)) != 0 {
		t.Errorf("recalling in the group gives %s", encodeJSON(out))
	}
}

func TestWhatACarefulBotDoesNotSend(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.Limits.Off = true })
	if _, _, err := w.Say(w.lin.UserID, w.P2P(w.lin.UserID), "look ![](https://evil.example/pixel.png) and [x](dtmd://dingtalkclient/sendMessage?content=hi)"); err != nil {
		t.Fatal(err)
	}
	w.KeepPrivate("between us")
	image := w.upload(t, "image", "a.png", "x")
	md := func(text string) obj { return obj{"title": "a", "text": text} }
	for what, c := range map[string]struct {
		key   string
		param obj
		want  []string
	}{
		"plain words":         {"sampleMarkdown", md("**thanks** [here](https://example.com)"), nil},
		"an uploaded image":   {"sampleMarkdown", md("![](" + image + ")"), nil},
		"an image somebody":   {"sampleMarkdown", md("> ![](https://evil.example/pixel.png)"), []string{"MUST text.remote_image"}},
		"a remote image":      {"sampleMarkdown", md("![](https://example.com/chart.png)"), []string{"SHOULD text.remote_image"}},
		"an image tag":        {"sampleMarkdown", md(`<img src="https://evil.example/pixel.png">`), []string{"MUST text.remote_image"}},
		"a dtmd link":         {"sampleMarkdown", md("[x](dtmd://dingtalkclient/sendMessage?content=hi)"), []string{"MUST link.dtmd"}},
		"an escaped link":     {"sampleMarkdown", md(`\[x](DTMD://dingtalkclient/sendMessage?content=hi)`), []string{"MUST link.dtmd"}},
		"a dtmd button":       {"sampleActionCard", obj{"title": "a", "text": "b", "singleTitle": "c", "singleURL": "dtmd://dingtalkclient/sendMessage?content=hi"}, []string{"MUST link.dtmd"}},
		"dtmd in plain text":  {"sampleText", obj{"content": "dtmd://dingtalkclient/sendMessage?content=hi"}, nil},
		"a script":            {"sampleMarkdown", md("[x](javascript:alert)"), []string{"MUST link.script"}},
		"everybody":           {"sampleMarkdown", md("<a atId=all>x</a>"), []string{"MUST text.at_all"}},
		"an invisible text":   {"sampleText", obj{"content": "\u200b\u200b"}, []string{"MUST text.blank"}},
		"a NUL":               {"sampleText", obj{"content": "a\u0000b"}, []string{"MUST text.nul"}},
		"half a character":    {"sampleText", obj{"content": "a\ufffd"}, []string{"MUST text.replacement_character"}},
		"a turned direction":  {"sampleText", obj{"content": "a\u202eb"}, []string{"SHOULD text.open_bidi_control"}},
		"an unknown param":    {"sampleText", obj{"content": "a", "atUserIds": "x"}, []string{"SHOULD robot.unknown_param"}},
		"a secret, privately": {"sampleText", obj{"content": "this stays between us"}, nil},
	} {
		before := len(w.Findings())
		_, out := w.batch(t, c.key, c.param, w.kai.UserID)
		wantCode(t, what, out, "")
		got := rules(w.Findings())[before:]
		if len(got) != len(c.want) || len(got) > 0 && got[0] != c.want[0] {
			t.Errorf("%s was found to be %v, want %v", what, got, c.want)
		}
	}
	before := len(w.Findings())
	w.inGroup(t, "this stays between us")
	if got := rules(w.Findings())[before:]; len(got) != 1 || got[0] != "MUST group.private_text" {
		t.Errorf("a secret in a group was found to be %v", got)
	}
	_, _, raw, err := w.try(t, "POST", "/v1.0/robot/oToMessages/batchSend", "application/json",
		[]byte(`{"robotCode":"dingtest","userIds":["`+w.kai.UserID+`"],"msgKey":"sampleText","msgParam":"{\"content\":\"\\ud83d\"}"}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := rules(w.Findings()); got[len(got)-2] != "MUST text.cut_surrogate" {
		t.Errorf("a cut surrogate got %s and was found to be %v", raw, got)
	}
}
