package dingtalksim

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// robotCard is a card for one person in the conversation with the robot.
func (w *office) robotCard(id, user string, vars obj) obj {
	return obj{
		"cardTemplateId": w.template, "outTrackId": id, "callbackType": "STREAM", "cardData": obj{"cardParamMap": vars}, "userIdType": 1,
		"openSpaceId": "dtv1.card//IM_ROBOT." + user, "imRobotOpenSpaceModel": obj{"supportForward": false},
		"imRobotOpenDeliverModel": obj{"spaceType": "IM_ROBOT", "robotCode": testClient},
	}
}

// groupCard is a card for the group.
func (w *office) groupCard(id string, vars obj) obj {
	return obj{
		"cardTemplateId": w.template, "outTrackId": id, "callbackType": "STREAM", "cardData": obj{"cardParamMap": vars},
		"openSpaceId": "dtv1.card//IM_GROUP." + w.group, "imGroupOpenSpaceModel": obj{"supportForward": false},
		"imGroupOpenDeliverModel": obj{"robotCode": testClient},
	}
}

func (w *office) create(t *testing.T, body obj) obj {
	t.Helper()
	return w.call(t, "POST", "/v1.0/card/instances/createAndDeliver", body)
}

// put creates a card and returns the message that shows it to somebody.
func (w *office) put(t *testing.T, body obj, user string) Message {
	t.Helper()
	out := w.create(t, body)
	wantCode(t, "creating a card", out, "")
	for _, m := range w.MessagesFor(user) {
		if m.Card == body["outTrackId"] {
			return m
		}
	}
	t.Fatalf("the card did not arrive: %s", encodeJSON(out))
	return Message{}
}

func formOf(fields ...any) string { return string(encodeJSON(obj{"fields": fields})) }

func TestACardArrivesAndShowsItsVariables(t *testing.T) {
	w := newOffice(t, nil)
	out := w.create(t, w.robotCard("one", w.lin.UserID, obj{"title": "赞", "text": "**thanks**"}))
	if out["success"] != true || at(out, "result", "outTrackId") != "one" || at(out, "result", "deliverResults", 0, "success") != true ||
		at(out, "result", "deliverResults", 0, "spaceId") != w.lin.UserID {
		t.Errorf("creating it answered %s", encodeJSON(out))
	}
	m := w.MessagesFor(w.lin.UserID)
	if len(m) != 1 || m[0].Type != "card" || m[0].Card != "one" || m[0].Via != ViaCard {
		t.Fatalf("she sees %+v", m)
	}
	v, found := w.Card("one", w.lin.UserID)
	if diff := cmp.Diff([]Part{{Kind: TextComponent, Text: "赞"}, {Kind: MarkdownComponent, Text: "**thanks**"}}, v.Parts); diff != "" || !found {
		t.Errorf("the card shows:\n%s", diff)
	}
	w.noMust(t)
}

func TestWhatACardMustHave(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.Limits.Off = true })
	robot := func(change func(obj)) obj {
		body := w.robotCard("x", w.lin.UserID, obj{"title": "a"})
		change(body)
		return body
	}
	group := func(change func(obj)) obj {
		body := w.groupCard("x", obj{"title": "a"})
		change(body)
		return body
	}
	without := func(key string) func(obj) { return func(o obj) { delete(o, key) } }
	with := func(key string, v any) func(obj) { return func(o obj) { o[key] = v } }
	for what, c := range map[string]struct {
		body obj
		code string
	}{
		"no template":              {robot(without("cardTemplateId")), "param.cardTemplateIdEmpty"},
		"an unknown template":      {robot(with("cardTemplateId", "none.schema")), "param.templateNotExist"},
		"no outTrackId":            {robot(without("outTrackId")), "param.outTrackIdEmpty"},
		"65 characters":            {robot(with("outTrackId", letters(65))), "param.invalid"},
		"no data":                  {robot(without("cardData")), "param.cardPublicDataEmpty"},
		"a number":                 {robot(with("cardData", obj{"cardParamMap": obj{"title": 1}})), "param.invalid"},
		"an object":                {robot(with("cardData", obj{"cardParamMap": obj{"form": obj{"fields": []any{}}}})), "param.invalid"},
		"a small callback type":    {robot(with("callbackType", "stream")), "param.invalid"},
		"HTTP without a route key": {robot(with("callbackType", "HTTP")), "param.invalid"},
		"a user id type of 3":      {robot(with("userIdType", 3)), "param.invalid"},
		"no space":                 {robot(without("openSpaceId")), "param.openSpaceIdEmpty"},
		"a space of its own":       {robot(with("openSpaceId", w.lin.UserID)), "param.openSpaceIdInvalid"},
		"an unknown kind of space": {robot(with("openSpaceId", "dtv1.card//IM_DM."+w.lin.UserID)), "param.openSpaceIdInvalid"},
		"a space without an id":    {robot(with("openSpaceId", "dtv1.card//IM_ROBOT")), "param.openSpaceIdInvalid"},
		"no space model":           {robot(without("imRobotOpenSpaceModel")), "param.openSpaceModelInvalid"},
		"no supportForward":        {robot(with("imRobotOpenSpaceModel", obj{})), "param.openSpaceModelInvalid"},
		"no deliver model":         {robot(without("imRobotOpenDeliverModel")), "param.openDeliverModelEmpty"},
		"no space type":            {robot(with("imRobotOpenDeliverModel", obj{"robotCode": testClient})), "param.openDeliverModelError"},
		"another robot":            {robot(with("imRobotOpenDeliverModel", obj{"spaceType": "IM_ROBOT", "robotCode": "x"})), "param.openDeliverModelError"},
		"a stranger's data":        {robot(with("privateData", obj{"none": obj{"cardParamMap": obj{}}})), "param.userIdNotExist"},
		"a group without models":   {group(without("imGroupOpenDeliverModel")), "param.openDeliverModelEmpty"},
		"a group's forwarding":     {group(without("imGroupOpenSpaceModel")), "param.openSpaceModelInvalid"},
		"a group without a robot":  {group(with("imGroupOpenDeliverModel", obj{})), "param.openDeliverModelError"},
	} {
		wantCode(t, what, w.create(t, c.body), c.code)
	}
	wantCode(t, "64 characters", w.create(t, robot(with("outTrackId", letters(64)))), "")
	wantCode(t, "small letters", w.create(t, robot(with("openSpaceId", "dtv1.card//im_robot."+w.lin.UserID))), "")
	w.noMust(t)
}

func TestACardForNobodyFailsInItsResultOnly(t *testing.T) {
	w := newOffice(t, nil)
	body := w.robotCard("x", "none", obj{"title": "a"})
	body["openSpaceId"] = "dtv1.card//IM_ROBOT.none;IM_ROBOT." + w.kai.UserID
	out := w.create(t, body)
	wantCode(t, "one of two unknown", out, "")
	if at(out, "result", "deliverResults", 0, "success") != false || at(out, "result", "deliverResults", 1, "success") != true {
		t.Errorf("the results are %s", encodeJSON(out))
	}
	if len(w.MessagesFor(w.kai.UserID)) != 1 {
		t.Error("the known one got nothing")
	}
}

func TestAnOutTrackIDIsUsedOnce(t *testing.T) {
	w := newOffice(t, nil)
	body := w.robotCard("x", w.lin.UserID, obj{"title": "a"})
	wantCode(t, "a new card", w.create(t, body), "")
	wantCode(t, "the same again", w.create(t, body), "param.cardAlreadyExist")
	if n := len(w.MessagesFor(w.lin.UserID)); n != 1 {
		t.Errorf("%d cards arrived", n)
	}
	w.noMust(t)
	wantCode(t, "another with its id", w.create(t, w.robotCard("x", w.lin.UserID, obj{"title": "b"})), "param.cardAlreadyExist")
	if got := rules(w.MustFindings()); len(got) != 1 || got[0] != "MUST card.out_track_id_reused" {
		t.Errorf("a reused outTrackId was found to be %v", got)
	}
	w.SetFault("card.instances.createAndDeliver", Fault{AcceptThenDrop: true})
	lost := w.robotCard("lost", w.lin.UserID, obj{"title": "a"})
	if _, _, _, err := w.try(t, "POST", "/v1.0/card/instances/createAndDeliver", "application/json", encodeJSON(lost)); err == nil {
		t.Error("an answer came in spite of the fault")
	}
	w.SetFault("card.instances.createAndDeliver")
	wantCode(t, "a retry after a lost answer", w.create(t, lost), "param.cardAlreadyExist")
	if n := len(w.MustFindings()); n != 1 {
		t.Errorf("the retry made it %d faults", n)
	}
}

func TestValuesAreReadByTheTypesOfTheTemplate(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.Limits.Off = true })
	for what, c := range map[string]struct {
		vars obj
		want []string
	}{
		"fitting":          {obj{"title": "a", "form": formOf(obj{"name": "t", "label": "l", "type": "TEXT"}), "buttons": "[]"}, nil},
		"empty":            {obj{"title": "", "form": "", "buttons": ""}, nil},
		"an unknown one":   {obj{"subtitle": "a"}, []string{"SHOULD card.unknown_variable"}},
		"a system one":     {obj{"sys_full_json_obj": "{}"}, nil},
		"no form":          {obj{"form": "hello"}, []string{"MUST card.variable_type"}},
		"a form's list":    {obj{"form": "[]"}, []string{"MUST card.variable_type"}},
		"an unknown field": {obj{"form": formOf(obj{"name": "t", "label": "l", "type": "PERSON"})}, []string{"MUST card.variable_type"}},
		"no options":       {obj{"form": formOf(obj{"name": "t", "label": "l", "type": "SELECT"})}, []string{"MUST card.variable_type"}},
		"a twin": {
			obj{"form": formOf(obj{"name": "t", "label": "l", "type": "TEXT"}, obj{"name": "t", "label": "l", "type": "TEXT"})}, []string{"MUST card.variable_type"},
		},
		"a plain default of a select": {
			obj{"form": formOf(obj{"name": "t", "label": "l", "type": "SELECT", "defaultValue": "1", "options": []any{obj{"value": "1", "text": "1"}}})},
			[]string{"MUST card.variable_type"},
		},
		"a long value":   {obj{"title": letters(1025)}, []string{"SHOULD card.value_over_1024_bytes"}},
		"1,024 bytes":    {obj{"title": letters(1024)}, nil},
		"a dtmd link":    {obj{"text": "[x](dtmd://dingtalkclient/sendMessage?content=a)"}, []string{"MUST link.dtmd"}},
		"a dtmd button":  {obj{"buttons": `[{"id":"a","text":"b","link":"dtmd://dingtalkclient/sendMessage?content=a"}]`}, []string{"MUST link.dtmd"}},
		"plain dtmd":     {obj{"title": "[x](dtmd://dingtalkclient/sendMessage?content=a)"}, nil},
		"everybody":      {obj{"text": "<a atId=all>x</a>"}, []string{"MUST text.at_all"}},
		"a blank button": {obj{"buttons": `[{"id":"a","text":"\u200b"}]`}, []string{"MUST text.blank"}},
	} {
		before := len(w.Findings())
		wantCode(t, what, w.create(t, w.robotCard(what, w.lin.UserID, c.vars)), "")
		if got := rules(w.Findings())[before:]; strings.Join(got, ",") != strings.Join(c.want, ",") {
			t.Errorf("%s was found to be %v, want %v", what, got, c.want)
		}
	}
}

func TestAGroupsCardCanHaveRecipientsAndMentions(t *testing.T) {
	w := newOffice(t, nil)
	w.KeepPrivate("between us")
	body := w.groupCard("g", obj{"title": "a"})
	body["imGroupOpenDeliverModel"] = obj{"robotCode": testClient, "recipients": []string{w.lin.UserID}, "atUserIds": obj{w.kai.UserID: "Kai"}}
	m := w.put(t, body, w.lin.UserID)
	if len(m.Mentions) != 1 || m.Mentions[0].UserID != w.kai.UserID || len(w.Messages(w.group, w.kai.UserID)) != 0 {
		t.Errorf("the message is %+v, and others see %d", m, len(w.Messages(w.group, w.kai.UserID)))
	}
	w.noMust(t)
	body = w.groupCard("all", obj{"text": "between us"})
	body["imGroupOpenDeliverModel"] = obj{"robotCode": testClient, "atUserIds": obj{"@ALL": "@ALL"}}
	body["privateData"] = obj{w.lin.UserID: obj{"cardParamMap": obj{"text": "between us"}}}
	if m := w.put(t, body, w.kai.UserID); !m.AtAll {
		t.Error("nobody was mentioned")
	}
	got := rules(w.MustFindings())
	slices.Sort(got)
	if diff := cmp.Diff([]string{"MUST group.private_text", "MUST text.at_all"}, got); diff != "" {
		t.Errorf("the findings differ:\n%s", diff)
	}
	if v, _ := w.Card("all", w.lin.UserID); v.Data["text"] != "between us" {
		t.Errorf("she sees %v", v.Data)
	}
}

func TestAnUpdateReplacesOrMerges(t *testing.T) {
	w := newOffice(t, nil)
	body := w.robotCard("u", w.lin.UserID, obj{"title": "a", "text": "b"})
	body["privateData"] = obj{w.lin.UserID: obj{"cardParamMap": obj{"form_status": "normal", "form_btn_text": "Go"}}}
	w.put(t, body, w.lin.UserID)
	update := func(body obj) obj {
		t.Helper()
		body["outTrackId"] = "u"
		return w.call(t, "PUT", "/v1.0/card/instances", body)
	}
	seen := func(want map[string]string) {
		t.Helper()
		v, _ := w.Card("u", w.lin.UserID)
		if diff := cmp.Diff(want, v.Data); diff != "" {
			t.Errorf("the card's data differ:\n%s", diff)
		}
	}
	byKey := obj{"updateCardDataByKey": true, "updatePrivateDataByKey": true}
	out := update(obj{"cardData": obj{"cardParamMap": obj{"text": "c"}}, "cardUpdateOptions": byKey})
	if out["success"] != true || out["result"] != true {
		t.Errorf("updating answered %s", encodeJSON(out))
	}
	seen(map[string]string{"title": "a", "text": "c", "form_status": "normal", "form_btn_text": "Go"})
	update(obj{"privateData": obj{w.lin.UserID: obj{"cardParamMap": obj{"form_status": "disabled"}}}, "cardUpdateOptions": byKey})
	seen(map[string]string{"title": "a", "text": "c", "form_status": "disabled", "form_btn_text": "Go"})
	update(obj{"privateData": obj{w.lin.UserID: obj{"cardParamMap": obj{"form_status": "disabled"}}}})
	seen(map[string]string{"title": "a", "text": "c", "form_status": "disabled"})
	update(obj{"cardData": obj{"cardParamMap": obj{"title": "d"}}})
	seen(map[string]string{"title": "d", "form_status": "disabled"})
	for what, c := range map[string]struct {
		body obj
		code string
	}{
		"no id":        {obj{"cardData": obj{"cardParamMap": obj{}}}, "param.outTrackIdEmpty"},
		"an unknown":   {obj{"outTrackId": "none", "cardData": obj{"cardParamMap": obj{}}}, "param.cardNotExist"},
		"nothing":      {obj{"outTrackId": "u"}, "param.cardDataAndPrivateDataBothEmpty"},
		"a number":     {obj{"outTrackId": "u", "cardData": obj{"cardParamMap": obj{"title": 1}}}, "param.invalid"},
		"for nobody":   {obj{"outTrackId": "u", "privateData": obj{"none": obj{}}}, "param.userIdNotExist"},
		"not a string": {obj{"outTrackId": "u", "privateData": obj{w.lin.UserID: obj{"cardParamMap": obj{"title": true}}}}, "param.invalid"},
	} {
		wantCode(t, what, w.call(t, "PUT", "/v1.0/card/instances", c.body), c.code)
	}
	stream := obj{"outTrackId": "u", "guid": "g", "key": "text", "content": "streamed", "isFull": true}
	wantCode(t, "streaming", w.call(t, "PUT", "/v1.0/card/streaming", stream), "")
	seen(map[string]string{"title": "d", "text": "streamed", "form_status": "disabled"})
	delete(stream, "guid")
	wantCode(t, "streaming without guid", w.call(t, "PUT", "/v1.0/card/streaming", stream), "param.stream.guidEmpty")
}

// survey is a form with one field of each kind.
func survey() string {
	options := []any{obj{"value": "1", "text": "one"}, obj{"value": "2", "text": "two"}, obj{"value": "3", "text": "three"}}
	return formOf(
		obj{"name": "hidden", "type": "TEXT", "hidden": true, "defaultValue": "h"},
		obj{"name": "text", "label": "Text", "type": "TEXT", "required": true, "requiredMsg": "write something"},
		obj{"name": "area", "label": "Area", "type": "TEXT_AREA"},
		obj{"name": "number", "label": "Number", "type": "NUMBER"},
		obj{"name": "date", "label": "Date", "type": "DATE"},
		obj{"name": "time", "label": "Time", "type": "TIME"},
		obj{"name": "datetime", "label": "Both", "type": "DATETIME"},
		obj{"name": "select", "label": "Select", "type": "SELECT", "options": options, "defaultValue": obj{"index": 0, "value": "1"}},
		obj{"name": "multi", "label": "Multi", "type": "MULTI_SELECT", "options": options},
		obj{"name": "radio", "label": "Radio", "type": "CHECKBOX_GROUP", "options": options},
		obj{"name": "boxes", "label": "Boxes", "type": "MULTI_CHECKBOX_GROUP", "options": options},
		obj{"name": "list", "label": "List", "type": "TEXT_ARRAY"},
		obj{"name": "box", "label": "Box", "type": "CHECKBOX"},
		obj{"name": "switch", "label": "Switch", "type": "SWITCH"},
		obj{"name": "fixed", "label": "Fixed", "type": "TEXT", "readOnly": true, "defaultValue": "f"},
	)
}

// answered is the params of the last card callback over the stream.
func pressed(t *testing.T, data string) (callback obj, action, params any) {
	t.Helper()
	callback = decoded(t, []byte(data))
	content, _ := callback["content"].(string)
	inner := decoded(t, []byte(content))
	return callback, at(inner, "cardPrivateData", "actionIds", 0), at(inner, "cardPrivateData", "params")
}

func TestASubmittedFormSendsItsFields(t *testing.T) {
	w := newOffice(t, streaming)
	c := w.connect(t, allTopics)
	m := w.put(t, w.robotCard("f", w.lin.UserID, obj{"form": survey(), "form_btn_text": "Go", "form_params": `{"step":"3","list":[1]}`}), w.lin.UserID)
	ack, err := w.Press(w.lin.UserID, m.ID, Press{ID: "form", Form: map[string]Input{
		"text": {"hello"}, "number": {"4.5"}, "date": {"2026-01-05"}, "time": {"09:30"}, "datetime": {"2026-01-05 09:30"}, "multi": {"2", "3"},
		"radio": {"2"}, "boxes": {"1", "3"}, "list": {"a", "b"}, "box": {"true"}, "switch": {"false"},
	}})
	if err != nil || ack.Error != "" {
		t.Fatalf("submitting: %v %+v", err, ack)
	}
	f := c.received()[0]
	callback, action, params := pressed(t, f.Data)
	if f.Type != "CALLBACK" || f.Headers["topic"] != TopicCards || action != "form" || callback["type"] != "actionCallback" || callback["outTrackId"] != "f" ||
		callback["userId"] != w.lin.UserID || callback["corpId"] != w.CorpID() || callback["spaceType"] != "IM_ROBOT" || callback["value"] != callback["content"] {
		t.Errorf("the callback is %s", f.Data)
	}
	want := `{"form":{"box":true,"boxes":["1","3"],"date":"2026-01-05","datetime":"2026-01-05 09:30","fixed":"f","hidden":"h","list":["a","b"],` +
		`"multi":{"index":[1,2],"value":["2","3"]},"number":4.5,"radio":"2","select":{"index":0,"value":"1"},"switch":false,"text":"hello","time":"09:30"},` +
		`"form_params":{"list":[1],"step":"3"}}`
	if got := string(encodeJSON(params)); got != want {
		t.Errorf("the params are\n%s, want\n%s", got, want)
	}
	var refused InputErrors
	if _, err := w.Press(w.lin.UserID, m.ID, Press{ID: "form"}); !errors.As(err, &refused) || refused["text"] != "write something" {
		t.Errorf("an empty required field gives %v", err)
	}
	if _, err := w.Press(w.lin.UserID, m.ID, Press{ID: "form", Force: true}); err != nil {
		t.Errorf("a forged client cannot submit: %v", err)
	}
	for what, form := range map[string]map[string]Input{
		"a choice that is not offered": {"text": {"a"}, "select": {"9"}}, "two values of one": {"text": {"a", "b"}}, "no date": {"text": {"a"}, "date": {"soon"}},
		"an unknown field": {"text": {"a"}, "none": {"x"}}, "a fixed field": {"text": {"a"}, "fixed": {"x"}}, "no number": {"text": {"a"}, "number": {"x"}},
		"half a box": {"text": {"a"}, "box": {"maybe"}},
	} {
		if _, err := w.Press(w.lin.UserID, m.ID, Press{ID: "form", Form: form}); err == nil || errors.As(err, &refused) {
			t.Errorf("%s gives %v", what, err)
		}
	}
}

const twoButtons = `[{"id":"yes","text":"Yes","params":{"what":"yes"}},{"id":"no","text":"No","style":"gray"},{"text":"Open","link":"https://example.com"}]`

func TestAButtonSendsItsParamsAndTheAnswerChangesTheCard(t *testing.T) {
	w := newOffice(t, streaming)
	c := w.connect(t, allTopics)
	m := w.put(t, w.robotCard("b", w.lin.UserID, obj{"title": "a", "text": "b", "buttons": twoButtons}), w.lin.UserID)
	c.answers(func(f frame) (int, string, bool) {
		return 200, `{"response":{"cardUpdateOptions":{"updateCardDataByKey":true},"cardData":{"cardParamMap":{"text":"done","buttons":""}},"userPrivateData":{"cardParamMap":{"title":"yours"}}}}`, true
	})
	ack, err := w.Press(w.lin.UserID, m.ID, Press{Text: "Yes"})
	if err != nil || ack.Error != "" || !ack.Card {
		t.Fatalf("pressing: %v %+v", err, ack)
	}
	_, action, params := pressed(t, c.received()[0].Data)
	if action != "yes" || string(encodeJSON(params)) != `{"params":{"what":"yes"}}` {
		t.Errorf("it sent %v and %s", action, encodeJSON(params))
	}
	v, _ := w.Card("b", w.lin.UserID)
	if diff := cmp.Diff(map[string]string{"title": "yours", "text": "done", "buttons": ""}, v.Data); diff != "" || len(v.Parts) != 2 {
		t.Errorf("the card's data differ, and it has %d parts:\n%s", len(v.Parts), diff)
	}
	if _, err := w.Press(w.lin.UserID, m.ID, Press{Text: "Yes"}); err == nil {
		t.Error("a button that is gone can be pressed")
	}
	w.noMust(t)
}

func TestWhatCannotBePressed(t *testing.T) {
	w := newOffice(t, streaming)
	w.connect(t, allTopics)
	m := w.put(t, w.robotCard("b", w.lin.UserID, obj{"buttons": twoButtons, "form": survey(), "form_btn_text": "Go", "form_status": "disabled"}), w.lin.UserID)
	if ack, err := w.Press(w.lin.UserID, m.ID, Press{Text: "Open"}); err != nil || ack.URL != "https://example.com" || ack.Delivery != 0 {
		t.Errorf("a link gives %+v, %v", ack, err)
	}
	for what, c := range map[string]struct {
		user, message string
		press         Press
	}{
		"a disabled form": {w.lin.UserID, m.ID, Press{ID: "form", Form: map[string]Input{"text": {"a"}}}}, "another's card": {w.kai.UserID, m.ID, Press{ID: "yes"}},
		"two at once": {w.lin.UserID, m.ID, Press{}}, "none": {w.lin.UserID, m.ID, Press{ID: "none"}}, "no message": {w.lin.UserID, "msg", Press{}},
	} {
		if _, err := w.Press(c.user, c.message, c.press); err == nil {
			t.Errorf("%s can be pressed", what)
		}
	}
	_, out := w.batch(t, "sampleActionCard", obj{"title": "a", "text": "b", "singleTitle": "Open", "singleURL": "https://example.com/x"}, w.lin.UserID)
	wantCode(t, "an action card", out, "")
	all := w.MessagesFor(w.lin.UserID)
	if ack, err := w.Press(w.lin.UserID, all[len(all)-1].ID, Press{Text: "Open"}); err != nil || ack.URL != "https://example.com/x" {
		t.Errorf("an action card's button gives %+v, %v", ack, err)
	}
}

func TestAnAnswerToAPressHasTwoSecondsAndAShape(t *testing.T) {
	w := newOffice(t, streaming)
	c := w.connect(t, allTopics)
	m := w.put(t, w.robotCard("b", w.lin.UserID, obj{"title": "a", "buttons": twoButtons}), w.lin.UserID)
	for what, k := range map[string]struct {
		code    int
		data    string
		send    bool
		seen    string
		finding string
	}{
		"nothing to change":         {200, `{"response":{}}`, true, "", ""},
		"null":                      {200, `{"response":null}`, true, "", ""},
		"no answer":                 {0, "", false, "timeout", ""},
		"an error":                  {500, `{"response":{}}`, true, "error", ""},
		"without its wrapping":      {200, `{"cardData":{"cardParamMap":{"title":"b"}}}`, true, "bad_answer", "MUST card.answer_without_response"},
		"no JSON":                   {200, `OK`, true, "bad_answer", "MUST stream.ack_data_is_no_json"},
		"a number":                  {200, `{"response":{"cardData":{"cardParamMap":{"title":1}}}}`, true, "bad_answer", "MUST card.answer_not_strings"},
		"a list":                    {200, `{"response":[]}`, true, "bad_answer", "MUST card.bad_answer"},
		"something unknown besides": {200, `{"response":{"toast":"x"}}`, true, "", "SHOULD card.unknown_answer_property"},
	} {
		before := len(w.Findings())
		c.answers(func(frame) (int, string, bool) { return k.code, k.data, k.send })
		ack, err := w.Press(w.lin.UserID, m.ID, Press{ID: "yes"})
		if err != nil || ack.Error != k.seen {
			t.Errorf("%s shows %q, %v, want %q", what, ack.Error, err, k.seen)
		}
		got := rules(w.Findings())[before:]
		if k.finding == "" && len(got) > 0 || k.finding != "" && (len(got) == 0 || got[0] != k.finding) {
			t.Errorf("%s was found to be %v, want %q", what, got, k.finding)
		}
	}
	if v, _ := w.Card("b", w.lin.UserID); v.Data["title"] != "a" {
		t.Errorf("the title became %q", v.Data["title"])
	}
	w.Disconnect(0)
	if ack, err := w.Press(w.lin.UserID, m.ID, Press{ID: "yes"}); err != nil || ack.Error != "no_connection" {
		t.Errorf("without a connection it shows %q, %v", ack.Error, err)
	}
	body := w.robotCard("mute", w.lin.UserID, obj{"buttons": twoButtons})
	delete(body, "callbackType")
	m = w.put(t, body, w.lin.UserID)
	if ack, err := w.Press(w.lin.UserID, m.ID, Press{ID: "yes"}); err != nil || ack.Error != "no_callback" {
		t.Errorf("without a callback it shows %q, %v", ack.Error, err)
	}
}

func TestAnAnswersPublicDataReachWhoeverPressedAndAnUpdateEverybody(t *testing.T) {
	w := newOffice(t, streaming)
	c := w.connect(t, allTopics)
	m := w.put(t, w.groupCard("g", obj{"title": "a", "buttons": twoButtons}), w.kai.UserID)
	c.answers(func(frame) (int, string, bool) {
		return 200, `{"response":{"cardUpdateOptions":{"updateCardDataByKey":true},"cardData":{"cardParamMap":{"title":"b"}}}}`, true
	})
	if ack, err := w.Press(w.kai.UserID, m.ID, Press{ID: "yes"}); err != nil || ack.Error != "" {
		t.Fatalf("pressing: %v %+v", err, ack)
	}
	title := func(user string) string {
		v, _ := w.Card("g", user)
		return v.Data["title"]
	}
	if title(w.kai.UserID) != "b" || title(w.lin.UserID) != "a" {
		t.Errorf("he sees %q, she sees %q", title(w.kai.UserID), title(w.lin.UserID))
	}
	update := obj{"outTrackId": "g", "cardData": obj{"cardParamMap": obj{"title": "c"}}, "cardUpdateOptions": obj{"updateCardDataByKey": true}}
	wantCode(t, "updating", w.call(t, "PUT", "/v1.0/card/instances", update), "")
	if title(w.kai.UserID) != "c" || title(w.lin.UserID) != "c" {
		t.Errorf("after an update he sees %q, she sees %q", title(w.kai.UserID), title(w.lin.UserID))
	}
	w.noMust(t)
	c.answers(func(frame) (int, string, bool) {
		w.call(t, "PUT", "/v1.0/card/instances", update)
		return 200, `{"response":{}}`, true
	})
	if _, err := w.Press(w.kai.UserID, m.ID, Press{ID: "yes"}); err != nil {
		t.Fatal(err)
	}
	if got := rules(w.MustFindings()); len(got) != 1 || got[0] != "MUST card.updated_during_callback" {
		t.Errorf("an update during the callback was found to be %v", got)
	}
}

func TestCardsCallBackOverHTTPOnceRegistered(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.CardTimeout = 200 * time.Millisecond })
	body := w.robotCard("h", w.lin.UserID, obj{"title": "a", "buttons": twoButtons})
	body["callbackType"], body["callbackRouteKey"] = "HTTP", "route"
	m := w.put(t, body, w.lin.UserID)
	if ack, err := w.Press(w.lin.UserID, m.ID, Press{ID: "yes"}); err != nil || ack.Error != "no_address" {
		t.Errorf("without an address it shows %q, %v", ack.Error, err)
	}
	register := func(url string, force bool) obj {
		return w.call(t, "POST", "/v1.0/card/callbacks/register", obj{"callbackRouteKey": "route", "callbackUrl": url, "apiSecret": "s3", "forceUpdate": force})
	}
	own := w.opts.BotURL + CardsPath
	if got := register(own, false); at(got, "result", "callbackUrl") != own {
		t.Errorf("registering gives %s", encodeJSON(got))
	}
	if got := register("https://example.com", false); at(got, "result", "callbackUrl") != own {
		t.Errorf("registering once more gives %s", encodeJSON(got))
	}
	wantCode(t, "no address", register("", true), "callbackUrl.empty")
	w.bot.answers(func(rw http.ResponseWriter, _ *http.Request) {
		io.WriteString(rw, `{"cardUpdateOptions":{"updateCardDataByKey":true},"cardData":{"cardParamMap":{"title":"b"}}}`) //nolint:errcheck // the test looks at the card
	})
	ack, err := w.Press(w.lin.UserID, m.ID, Press{ID: "yes"})
	if err != nil || ack.Error != "" || !ack.Card {
		t.Fatalf("pressing: %v %+v", err, ack)
	}
	h := w.bot.last(t)
	stamp := h.header.Get("x-ddpaas-signature-timestamp")
	if h.path != CardsPath || h.header.Get("x-ddpaas-signature") != SignCard("s3", stamp) || stamp != "1767574800000" {
		t.Errorf("the callback came to %s with %q and %q", h.path, stamp, h.header.Get("x-ddpaas-signature"))
	}
	callback, action, _ := pressed(t, h.body)
	if diff := cmp.Diff([]string{"content", "corpId", "outTrackId", "type", "userId"}, sorted(callback)); diff != "" || action != "yes" {
		t.Errorf("the callback for %v has other fields:\n%s", action, diff)
	}
	w.bot.answers(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	if ack, err := w.Press(w.lin.UserID, m.ID, Press{ID: "yes"}); err != nil || ack.Error != "timeout" {
		t.Errorf("a late answer shows %q, %v", ack.Error, err)
	}
	if got := register("https://example.com", true); at(got, "result", "callbackUrl") != "https://example.com" {
		t.Errorf("forcing gives %s", encodeJSON(got))
	}
	w.noMust(t)
}

func TestUnionIDsWorkWhenACardAsksForThem(t *testing.T) {
	w := newOffice(t, streaming)
	c := w.connect(t, allTopics)
	body := w.robotCard("u", w.lin.UnionID, obj{"buttons": twoButtons})
	body["userIdType"] = 2
	m := w.put(t, body, w.lin.UserID)
	if _, err := w.Press(w.lin.UserID, m.ID, Press{ID: "yes"}); err != nil {
		t.Fatal(err)
	}
	if callback, _, _ := pressed(t, c.received()[0].Data); callback["userId"] != w.lin.UnionID {
		t.Errorf("the callback names %v", callback["userId"])
	}
}
