package slacksim

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTransportAsSlackDoesIt(t *testing.T) {
	w := newOffice(t, quiet)
	body := `{"channel":"` + w.general + `","text":"x"}`
	form := url.Values{"channel": {w.general}, "text": {"x"}}.Encode()
	for _, c := range []struct {
		what, method, media, token, body string
		wantError, wantWarning           string
	}{
		{"JSON", "chat.postMessage", jsonUTF8, testBotToken, body, "", ""},
		{"JSON without a charset", "chat.postMessage", "application/json", testBotToken, body, "", "missing_charset"},
		{"a form", "chat.postMessage", "application/x-www-form-urlencoded", testBotToken, form, "", ""},
		{"a form with a charset", "chat.postMessage", "application/x-www-form-urlencoded; charset=utf-8", testBotToken, form, "", "superfluous_charset"},
		{"a token in the form", "chat.postMessage", "application/x-www-form-urlencoded", "", form + "&token=" + testBotToken, "", ""},
		{"no token", "chat.postMessage", jsonUTF8, "", body, "not_authed", ""},
		{"a token in the JSON", "auth.test", jsonUTF8, "", `{"token":"` + testBotToken + `"}`, "not_authed", ""},
		{"a wrong token", "chat.postMessage", jsonUTF8, "xoxb-other", body, "invalid_auth", ""},
		{"the app's token for the bot's work", "chat.postMessage", jsonUTF8, testAppToken, body, "not_allowed_token_type", ""},
		{"the bot's token for a socket", "apps.connections.open", jsonUTF8, testBotToken, "{}", "not_allowed_token_type", ""},
		{"an unknown method", "chat.shout", jsonUTF8, testBotToken, body, "unknown_method", ""},
		{"broken JSON", "chat.postMessage", jsonUTF8, testBotToken, `{"channel":`, "invalid_json", ""},
		{"JSON that is a list", "chat.postMessage", jsonUTF8, testBotToken, `[]`, "json_not_object", ""},
		{"a broken form", "chat.postMessage", "application/x-www-form-urlencoded", testBotToken, "text=%zz", "invalid_form_data", ""},
		{"a strange content type", "chat.postMessage", "text/plain", testBotToken, body, "invalid_post_type", ""},
		{"JSON for a method that reads forms", "users.info", jsonUTF8, testBotToken, `{"user":"` + w.lin + `"}`, "user_not_found", ""},
		{"the same as a form", "users.info", "application/x-www-form-urlencoded", testBotToken, "user=" + w.lin, "", ""},
		{"the same in the address", "users.info?user=" + w.lin, "application/x-www-form-urlencoded", testBotToken, "", "", ""},
		{"api.test without a token", "api.test", jsonUTF8, "", `{}`, "", ""},
		{"api.test with an error", "api.test", jsonUTF8, "", `{"error":"boom"}`, "boom", ""},
	} {
		status, _, got := w.post(t, "/api/"+c.method, c.media, c.token, c.body)
		wantError(t, c.what, got, c.wantError)
		warning, _ := got["warning"].(string)
		if warning != c.wantWarning || status != http.StatusOK {
			t.Errorf("%s answers %d with the warning %q, want 200 with %q", c.what, status, warning, c.wantWarning)
		}
	}
	for _, call := range w.Calls() {
		if call.Args["token"] != nil {
			t.Errorf("the token of call %d is recorded", call.N)
		}
	}
}

func TestWhoTheBotIs(t *testing.T) {
	w := newOffice(t, quiet)
	got := w.api(t, "auth.test", obj{})
	want := obj{
		"ok": true, "url": "https://huiyin.slack.com/", "team": "Huiyin", "user": "huiyin", "team_id": "T0HUIYIN01",
		"user_id": "U0HUIYINB1", "bot_id": "B0HUIYINB1", "is_enterprise_install": false,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("auth.test differs (-want +got):\n%s", d)
	}
	wantError(t, "team.info", w.form(t, "team.info"), "")
	wantError(t, "team.info of another team", w.form(t, "team.info", "team", "T1"), "team_not_found")
	wantError(t, "bots.info", w.form(t, "bots.info", "bot", "B0HUIYINB1"), "")
	wantError(t, "bots.info of another bot", w.form(t, "bots.info", "bot", "B1"), "bot_not_found")
}

// pages follows the cursor to the end and returns what each page held.
func (w *office) pages(t *testing.T, method, key string, pairs ...string) [][]any {
	t.Helper()
	var out [][]any
	cursor := ""
	for range 50 {
		got := w.form(t, method, append(slices.Clone(pairs), "cursor", cursor)...)
		wantError(t, method, got, "")
		items, _ := got[key].([]any)
		out = append(out, items)
		meta, _ := got["response_metadata"].(map[string]any)
		if cursor, _ = meta["next_cursor"].(string); cursor == "" {
			return out
		}
	}
	t.Fatalf("%s has more than 50 pages", method)
	return nil
}

func TestPagesAreAsSmallAsTheyAreForcedToBe(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.PageSize = 2; o.Limits.Off = true })
	w.AddPerson(Person{Handle: "ann"})
	sizes := func(pages [][]any) []int {
		var out []int
		for _, p := range pages {
			out = append(out, len(p))
		}
		return out
	}
	for i := range 5 {
		w.api(t, "chat.postMessage", obj{"channel": w.general, "text": strconv.Itoa(i)})
	}
	for _, c := range []struct {
		method, key string
		pairs       []string
		want        []int
	}{
		{"users.list", "members", []string{"limit", "200"}, []int{2, 2, 1}},
		{"conversations.members", "members", []string{"channel", w.general}, []int{2, 1}},
		{"conversations.history", "messages", []string{"channel", w.general, "limit", "200"}, []int{2, 2, 1}},
		{"conversations.list", "channels", []string{"types", "public_channel,private_channel"}, []int{1}},
	} {
		if d := cmp.Diff(c.want, sizes(w.pages(t, c.method, c.key, c.pairs...))); d != "" {
			t.Errorf("%s has other pages (-want +got):\n%s", c.method, d)
		}
	}
	wantError(t, "an invented cursor", w.form(t, "users.list", "cursor", "bmV4dDo="), "invalid_cursor")
	wantError(t, "a limit that is no number", w.form(t, "users.list", "limit", "many"), "invalid_limit")
	wantError(t, "a limit of 1,000", w.form(t, "users.list", "limit", "1000"), "")
	wantError(t, "a limit of 1,001", w.form(t, "users.list", "limit", "1001"), "invalid_limit")
}

func TestHistoryPagesRunBackwards(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.PageSize = 2; o.Limits.Off = true })
	for i := range 3 {
		w.api(t, "chat.postMessage", obj{"channel": w.general, "text": strconv.Itoa(i)})
	}
	var texts []any
	for _, page := range w.pages(t, "conversations.history", "messages", "channel", w.general) {
		for _, m := range page {
			texts = append(texts, m.(map[string]any)["text"])
		}
	}
	if d := cmp.Diff([]any{"2", "1", "0"}, texts); d != "" {
		t.Errorf("history is in another order (-want +got):\n%s", d)
	}
	root := w.Messages(w.general, "")[0].TS
	w.api(t, "chat.postMessage", obj{"channel": w.general, "text": "reply", "thread_ts": root})
	if got := len(w.pages(t, "conversations.replies", "messages", "channel", w.general, "ts", root)[0]); got != 2 {
		t.Errorf("the thread has %d messages, want 2", got)
	}
	if got := w.pages(t, "conversations.history", "messages", "channel", w.general); len(got) != 2 {
		t.Errorf("the reply is in the channel's history: %v", got)
	}
	wantError(t, "a thread that is none", w.form(t, "conversations.replies", "channel", w.general, "ts", "1.2"), "thread_not_found")
	wantError(t, "history of a private channel of others", w.form(t, "conversations.history", "channel", w.private), "channel_not_found")
	wantError(t, "a bound that is none", w.form(t, "conversations.history", "channel", w.general, "oldest", "x"), "invalid_ts_oldest")
}

func TestPeopleAsTheAPIShowsThem(t *testing.T) {
	w := newOffice(t, quiet)
	gone := w.AddPerson(Person{Handle: "gone", Email: "gone@example.com", Deleted: true}).ID
	guest := w.AddPerson(Person{Handle: "guest", UltraRestricted: true}).ID
	user := func(id string, pairs ...string) obj {
		got := w.form(t, "users.info", append([]string{"user", id}, pairs...)...)
		u, _ := got["user"].(map[string]any)
		return u
	}
	lin := user(w.lin)
	profile, _ := lin["profile"].(map[string]any)
	if lin["tz"] != "Asia/Shanghai" || lin["tz_offset"] != 28800.0 || profile["email"] != "lin@example.com" || profile["display_name"] != "小雨" {
		t.Errorf("Lin is %s", encodeJSON(lin))
	}
	if lin["locale"] != nil || user(w.lin, "include_locale", "true")["locale"] != "zh-CN" {
		t.Error("the locale is not there exactly when asked for")
	}
	if u := user(gone); u["deleted"] != true || u["tz"] != nil {
		t.Errorf("a deactivated member is %s", encodeJSON(u))
	}
	if u := user(guest); u["is_restricted"] != true || u["is_ultra_restricted"] != true {
		t.Errorf("a guest of one channel is %s", encodeJSON(u))
	}
	wantError(t, "an unknown user", w.form(t, "users.info", "user", "U1"), "user_not_found")
	wantError(t, "an e-mail", w.form(t, "users.lookupByEmail", "email", "LIN@example.com"), "")
	wantError(t, "an unknown e-mail", w.form(t, "users.lookupByEmail", "email", "x@example.com"), "users_not_found")
	wantError(t, "the e-mail of somebody who left", w.form(t, "users.lookupByEmail", "email", "gone@example.com"), "users_not_found")
}

func TestOpeningConversations(t *testing.T) {
	w := newOffice(t, quiet)
	gone := w.AddPerson(Person{Deleted: true}).ID
	open := func(users string, more ...any) obj {
		body := obj{"users": users}
		for i := 0; i+1 < len(more); i += 2 {
			body[more[i].(string)] = more[i+1]
		}
		return w.api(t, "conversations.open", body)
	}
	first, second := open(w.lin), open(w.lin, "return_im", true)
	id := func(o obj) any { c, _ := o["channel"].(map[string]any); return c["id"] }
	if id(first) == nil || id(first) != id(second) || id(first) != w.DM(w.lin) {
		t.Errorf("opening twice gives %v and %v", id(first), id(second))
	}
	if c, _ := second["channel"].(map[string]any); c["user"] != w.lin || c["is_im"] != true {
		t.Errorf("with return_im the channel is %s", encodeJSON(c))
	}
	group := open(w.lin + "," + w.kai)
	if again := open(w.kai + "," + w.lin); id(group) != id(again) {
		t.Error("the same group opens twice as two conversations")
	}
	for users, want := range map[string]string{
		"": "users_list_not_supplied", "U1": "user_not_found", gone: "user_disabled", w.BotUser(): "cannot_dm_bot",
		strings.Repeat(w.lin+",", 9): "too_many_users",
	} {
		wantError(t, "opening with "+users, open(users), want)
	}
	wantError(t, "info", w.form(t, "conversations.info", "channel", id(first).(string)), "")
	wantError(t, "info of a private channel of others", w.form(t, "conversations.info", "channel", w.private), "channel_not_found")
	wantError(t, "an unknown type", w.form(t, "conversations.list", "types", "secret"), "invalid_types")
}

func TestUploadsTakeThreeSteps(t *testing.T) {
	w := newOffice(t, quiet)
	data := []byte("name,score\n林,5\n")
	ticket := w.form(t, "files.getUploadURLExternal", "filename", "r.csv", "length", strconv.Itoa(len(data)))
	wantError(t, "the ticket", ticket, "")
	id, url := ticket["file_id"], ticket["upload_url"].(string)
	complete := func(channel string) obj {
		return w.api(t, "files.completeUploadExternal", obj{"files": []any{obj{"id": id, "title": "Results"}}, "channel_id": channel})
	}
	wantError(t, "completing before the upload", complete(w.general), "file_update_failed")
	if status, _, _, err := w.try(t, url, "text/csv", "", "short"); err != nil || status != http.StatusBadRequest {
		t.Errorf("an upload of another length answers %d, %v", status, err)
	}
	var form bytes.Buffer
	mw := multipart.NewWriter(&form)
	part, err := mw.CreateFormFile("file", "r.csv")
	if err != nil {
		t.Fatal(err)
	}
	part.Write(data) //nolint:errcheck // a buffer takes every write
	mw.Close()       //nolint:errcheck // a buffer takes every write
	if status, _, text, err := w.try(t, url, mw.FormDataContentType(), "", form.String()); err != nil || status != 200 || !strings.HasPrefix(text, "OK") {
		t.Errorf("a multipart upload answers %d %q, %v", status, text, err)
	}
	wantError(t, "completing for a person", complete(w.lin), "channel_not_found")
	wantError(t, "completing where the bot is not", complete(w.private), "channel_not_found")
	wantError(t, "completing", complete(w.general), "")
	wantError(t, "completing twice", complete(w.general), "file_update_failed")
	m := w.Messages(w.general, w.lin)
	if len(m) != 1 || len(m[0].Files) != 1 || m[0].Files[0].Title != "Results" {
		t.Errorf("the channel shows %+v", m)
	}
	if got, there := w.FileData(id.(string)); !there || string(got) != string(data) {
		t.Errorf("the file holds %q", got)
	}
	wantError(t, "an image of the file", w.api(t, "chat.postMessage", obj{"channel": w.general, "text": "x", "blocks": []any{
		obj{"type": "image", "alt_text": "x", "slack_file": obj{"id": id}},
	}}), "")
	wantError(t, "a ticket by JSON", w.api(t, "files.getUploadURLExternal", obj{"filename": "x", "length": 3}), "invalid_arguments")
	wantError(t, "a ticket for nothing", w.form(t, "files.getUploadURLExternal", "filename", "x", "length", "0"), "missing_argument")
	wantError(t, "an unknown file", w.api(t, "files.completeUploadExternal", obj{"files": []any{obj{"id": "F1"}}}), "file_not_found")
}

func TestCallsAndDeliveriesAreRecorded(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.Limits.Off = true; o.Keep = 2 })
	changes := w.Subscribe(t.Context())
	for i := range 3 {
		w.api(t, "chat.postMessage", obj{"channel": w.general, "text": strconv.Itoa(i)})
	}
	calls := w.Calls()
	if len(calls) != 2 || calls[1].Method != "chat.postMessage" || calls[1].Args["text"] != "2" || calls[1].Status != 200 || calls[1].Body != "json" {
		t.Errorf("the record holds %+v", calls)
	}
	w.slash(t, "hello")
	d := w.Deliveries()[0]
	if d.Kind != "command" || d.Status != 200 || !strings.Contains(d.Body, "hello") || d.Header["X-Slack-Signature"] == "" {
		t.Errorf("the delivery is recorded as %+v", d)
	}
	seen := map[string]int{}
	for range 7 {
		seen[(<-changes).Kind]++
	}
	if d := cmp.Diff(map[string]int{ChangeMessage: 3, ChangeCall: 3, ChangeDelivery: 1}, seen); d != "" {
		t.Errorf("subscribers are told something else (-want +got):\n%s", d)
	}
	w.Reset()
	if len(w.Calls())+len(w.Deliveries())+len(w.Messages(w.general, "")) != 0 || len(w.People()) != 4 {
		t.Error("a reset left calls, deliveries or messages, or took people away")
	}
}

func TestASlowSubscriberIsToldThatItMissedSomething(t *testing.T) {
	s := New(Options{})
	t.Cleanup(s.Close)
	changes := s.Subscribe(t.Context())
	for range 300 {
		s.change(Change{Kind: ChangeClock})
	}
	for range 256 {
		<-changes
	}
	s.change(Change{Kind: ChangeReset})
	if a, b := <-changes, <-changes; a.Kind != ChangeMissed || b.Kind != ChangeReset {
		t.Errorf("after a gap it is told %s and %s, want missed and reset", a.Kind, b.Kind)
	}
}

func TestControlByJSON(t *testing.T) {
	w := newOffice(t, quiet)
	order := func(verb string, body any) obj {
		t.Helper()
		status, _, got := w.post(t, "/_sim/"+verb, jsonType, "", string(encodeJSON(body)))
		if status != 200 || got["ok"] != true {
			t.Errorf("/_sim/%s answers %d %v", verb, status, got["error"])
		}
		result, _ := got["result"].(map[string]any)
		return result
	}
	added := order("people", obj{
		"people":   []any{obj{"id": "U0ANN00001", "handle": "ann", "real_name": "Ann"}},
		"channels": []any{obj{"id": "C0NEW00001", "name": "new", "members": []any{"U0ANN00001", w.BotUser()}}},
	})
	dms, _ := added["dms"].(map[string]any)
	if dms["U0ANN00001"] == nil {
		t.Errorf("adding people does not tell their direct conversations: %s", encodeJSON(added))
	}
	said := order("slash", obj{"user": "U0ANN00001", "channel": "C0NEW00001", "command": "/praise", "text": "@kai thanks"})
	if ack, _ := said["ack"].(map[string]any); ack["status"] != 200.0 {
		t.Errorf("the command's acknowledgement is %s", encodeJSON(said))
	}
	trigger := w.bot.last(t).form(t).Get("trigger_id")
	w.api(t, "views.open", obj{"trigger_id": trigger, "view": modal(textInput("b"))})
	state := order("state", obj{"user": "U0ANN00001"})
	views, _ := state["views"].(map[string]any)["U0ANN00001"].([]any)
	if len(views) != 1 {
		t.Fatalf("the state shows %d modals, want 1", len(views))
	}
	id := views[0].(map[string]any)["id"]
	status, _, got := w.post(t, "/_sim/submit", jsonType, "", string(encodeJSON(obj{"user": "U0ANN00001", "view_id": id})))
	if refused, _ := got["fields"].(map[string]any); status != 422 || refused["b"] == nil {
		t.Errorf("an incomplete form answers %d %s, want 422 with the field", status, encodeJSON(got))
	}
	order("submit", obj{"user": "U0ANN00001", "view_id": id, "values": obj{"b": obj{"a": "Thanks"}}})
	order("say", obj{"user": "U0ANN00001", "channel": dms["U0ANN00001"], "text": "hello"})
	order("home", obj{"user": "U0ANN00001"})
	order("event", obj{"event": obj{"type": "app_uninstalled"}})
	order("redeliver", obj{"n": 1})
	order("fault", obj{"method": "auth.test", "faults": []any{obj{"status": 500, "delay_ms": 1}}})
	if status, _, _ := w.post(t, "/api/auth.test", jsonUTF8, testBotToken, "{}"); status != 500 {
		t.Errorf("the ordered fault answers %d, want 500", status)
	}
	before := w.Now()
	order("clock", obj{"advance": "24h"})
	if got := w.Now().Sub(before); got != 24*time.Hour {
		t.Errorf("the clock moved by %v, want 24h", got)
	}
	order("clock", obj{"set": "2026-01-12T09:00:00+08:00"})
	if got := w.Now().Unix(); got != 1768179600 {
		t.Errorf("the clock was set to %d, want 1768179600", got)
	}
	for _, verb := range []string{"calls", "deliveries", "findings", "reset", "reload", "limits", "urls", "disconnect"} {
		order(verb, obj{"limits": obj{"off": true}})
	}
	for what, c := range map[string]struct {
		verb, media, body string
		want              int
	}{
		"an unknown verb":          {"dance", jsonType, "{}", 404},
		"a form, as a page posts":  {"reset", "application/x-www-form-urlencoded", "a=b", 415},
		"broken JSON":              {"reset", jsonType, "{", 400},
		"an order that fails":      {"redeliver", jsonType, `{"n":999}`, 422},
		"a fault without a method": {"fault", jsonType, "{}", 422},
	} {
		if status, _, _ := w.post(t, "/_sim/"+c.verb, c.media, "", c.body); status != c.want {
			t.Errorf("%s answers %d, want %d", what, status, c.want)
		}
	}
}

func TestControlIsServedToLoopbackOnly(t *testing.T) {
	s := New(Options{})
	t.Cleanup(s.Close)
	for host, want := range map[string]int{
		"127.0.0.1:8081": 200, "localhost:8081": 200, "[::1]:8081": 200, "127.0.0.1": 200,
		"evil.example": 403, "evil.example:8081": 403, "192.168.0.7:8081": 403, "127.0.0.1.evil.example": 403, "": 403,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/_sim/findings", strings.NewReader("{}"))
		r.Host = host
		r.Header.Set("Content-Type", jsonType)
		rec := httptest.NewRecorder()
		s.Handler().ServeHTTP(rec, r)
		if rec.Code != want {
			t.Errorf("Host %q answers %d, want %d", host, rec.Code, want)
		}
	}
}
