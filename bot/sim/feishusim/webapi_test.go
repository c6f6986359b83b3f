package feishusim

import (
	"encoding/json"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestATokenIsWantedGivenAndEnds(t *testing.T) {
	w := newOffice(t, nil)
	const path = "/open-apis/bot/v3/info"
	if out := w.call(t, "GET", path, nil); at(out, "bot", "open_id") != w.opts.BotOpenID || at(out, "data") != nil {
		t.Errorf("the bot's info is %s", encodeJSON(out))
	}
	first := w.token
	w.token = ""
	status, _, out := w.request(t, "GET", path, nil)
	wantCode(t, "a call without token", out, 99991661)
	if status != http.StatusBadRequest || at(out, "error", "log_id") == nil {
		t.Errorf("a call without token got HTTP %d and %s", status, encodeJSON(out))
	}
	w.token = "t-forged"
	wantCode(t, "a call with a forged token", w.call(t, "GET", path, nil), 99991663)

	w.Advance(89 * time.Minute)
	if w.login(t); w.token != first {
		t.Error("with 31 minutes left another token was given")
	}
	w.Advance(2 * time.Minute)
	if w.login(t); w.token == first {
		t.Error("with 29 minutes left the old token was given")
	}
	second := w.token
	w.token = first
	wantCode(t, "the old token beside the new one", w.call(t, "GET", path, nil), 0)
	w.Advance(29 * time.Minute)
	wantCode(t, "the old token after two hours", w.call(t, "GET", path, nil), 99991663)
	w.token = second
	wantCode(t, "the new token", w.call(t, "GET", path, nil), 0)
	w.ExpireTokens()
	wantCode(t, "a token that was ended", w.call(t, "GET", path, nil), 99991663)
}

func TestWrongCredentialsStandInTheCodeAlone(t *testing.T) {
	w := newOffice(t, nil)
	const path = "/open-apis/auth/v3/tenant_access_token/internal"
	for what, c := range map[string]struct {
		body obj
		code int
	}{
		"no secret":    {obj{"app_id": testAppID}, 10003},
		"another app":  {obj{"app_id": "cli_other", "app_secret": testSecret}, 10003},
		"wrong secret": {obj{"app_id": testAppID, "app_secret": "x"}, 10014},
	} {
		status, _, out := w.request(t, "POST", path, c.body)
		wantCode(t, what, out, c.code)
		if status != http.StatusOK || out["tenant_access_token"] != nil {
			t.Errorf("%s got HTTP %d and %s", what, status, encodeJSON(out))
		}
	}
	for _, c := range w.Calls() {
		if strings.Contains(string(encodeJSON(c.Args)), testSecret) {
			t.Error("the app secret was recorded")
		}
	}
}

func TestBodiesMustBeJSONObjectsAndUnknownPathsAnswerNoJSON(t *testing.T) {
	w := newOffice(t, nil)
	for what, c := range map[string]struct{ media, body string }{
		"a form":    {"application/x-www-form-urlencoded", "a=b"},
		"a list":    {"application/json", "[]"},
		"no JSON":   {"application/json", "{"},
		"two":       {"application/json", "{}{}"},
		"no type":   {"", "{}"},
		"too large": {"application/json", `{"a":"` + strings.Repeat("x", maxBody) + `"}`},
	} {
		_, _, raw, err := w.try(t, "POST", createPath+"open_id", c.media, []byte(c.body))
		if err != nil || !strings.Contains(string(raw), `"code":9499`) {
			t.Errorf("%s was answered %v %s", what, err, raw)
		}
	}
	status, header, raw, err := w.try(t, "GET", "/open-apis/no/such", "", nil)
	if err != nil || status != http.StatusNotFound || string(raw) != "404 page not found" || header.Get("Content-Type") == "application/json" {
		t.Errorf("an unknown path was answered %d %q", status, raw)
	}
	if calls := w.Calls(); calls[len(calls)-1].Method != "unknown" {
		t.Errorf("the unknown call was recorded as %+v", calls[len(calls)-1])
	}
}

func TestFaultsAnswerInsteadOfMethods(t *testing.T) {
	w := newOffice(t, nil)
	const path = "/open-apis/bot/v3/info"
	w.SetFault("bot.info", Fault{Code: 230022})
	wantCode(t, "a fault with a code", w.call(t, "GET", path, nil), 230022)
	w.SetFault("bot.info", Fault{Status: 503})
	if status, _, _ := w.request(t, "GET", path, nil); status != 503 {
		t.Errorf("a fault with a status got HTTP %d", status)
	}
	w.SetFault("bot.info", Fault{Status: 429})
	status, header, out := w.request(t, "GET", path, nil)
	wantCode(t, "a bare 429", out, 99991400)
	if status != 429 || header.Get("X-Ogw-Ratelimit-Reset") != "" {
		t.Errorf("a bare 429 got HTTP %d with reset %q", status, header.Get("X-Ogw-Ratelimit-Reset"))
	}
	w.SetFault("bot.info", Fault{NotJSON: true})
	if status, _, raw, err := w.try(t, "GET", path, "", nil); err != nil || status != 502 || json.Valid(raw) {
		t.Errorf("a gateway's page is %d %q, %v", status, raw, err)
	}
	w.SetFault("bot.info", Fault{Reset: true})
	if _, _, raw, err := w.try(t, "GET", path, "", nil); err == nil {
		t.Errorf("a broken connection answered %q", raw)
	}
	w.SetFault("*", Fault{AcceptThenDrop: true})
	w.SetFault("bot.info")
	if _, _, raw, err := w.try(t, "POST", createPath+"open_id", "application/json", encodeJSON(obj{
		"receive_id": w.lin.OpenID, "msg_type": "text", "content": `{"text":"hi"}`, "uuid": "u-1",
	})); err == nil {
		t.Errorf("a dropped answer arrived: %q", raw)
	}
	if n := len(w.Messages(w.P2P(w.lin.OpenID), "")); n != 1 {
		t.Errorf("the dropped call left %d messages, want 1", n)
	}
	w.SetFault("*")
	var last Call
	for late := time.After(5 * time.Second); last.Fault != "accept_then_drop"; runtime.Gosched() {
		calls := w.Calls() // a call is recorded after its connection has broken
		last = calls[len(calls)-1]
		select {
		case <-late:
			t.Fatalf("the dropped call is recorded as %+v", last)
		default:
		}
	}
	if last.Status != 0 || last.Fault != "accept_then_drop" || last.Code != 0 {
		t.Errorf("the dropped call is recorded as %+v", last)
	}
}

func TestRatesOfFaultsAddUp(t *testing.T) {
	s := New(Options{AppID: testAppID, AppSecret: testSecret, Seed: 3})
	defer s.Close()
	s.SetFault("x", Fault{Rate: 0.03, AcceptThenDrop: true}, Fault{Rate: 0.02, Status: 500})
	drops, fails := 0, 0
	for range 10_000 {
		switch f := s.draw("x"); {
		case f.AcceptThenDrop:
			drops++
		case f.Status == 500:
			fails++
		}
	}
	if drops < 240 || drops > 360 || fails < 140 || fails > 260 {
		t.Errorf("of 10,000 calls %d were dropped and %d failed; want about 300 and 200", drops, fails)
	}
}

func TestSlashCommandsAreRegisteredListedChangedAndDeleted(t *testing.T) {
	w := newOffice(t, nil)
	const path = "/open-apis/application/v7/app_slash_commands"
	words := obj{"default_value": "praise", "i18n": obj{"zh_cn": "点赞", "en_us": "praise"}}
	out := w.call(t, "POST", path, obj{"command": "praise", "description": words})
	wantCode(t, "registering", out, 0)
	id, _ := at(out, "data", "command_id").(string)
	wantCode(t, "registering it again", w.call(t, "POST", path, obj{"command": "/praise", "description": words}), 40000020)
	wantCode(t, "a name with a space", w.call(t, "POST", path, obj{"command": "a b", "description": words}), codeViolation)
	wantCode(t, "no description", w.call(t, "POST", path, obj{"command": "x"}), codeViolation)
	wantCode(t, "an odd language", w.call(t, "POST", path, obj{"command": "x", "description": obj{"default_value": "x", "i18n": obj{"xx": "x"}}}), codeViolation)
	wantCode(t, "an odd icon", w.call(t, "POST", path, obj{"command": "x", "description": words, "icon": obj{}}), 40000031)
	wantCode(t, "changing", w.call(t, "PATCH", path+"/"+id, obj{"description": obj{"default_value": "thanks"}}), 0)
	wantCode(t, "changing nothing", w.call(t, "PATCH", path+"/none", obj{"description": words}), 40000022)
	if out := w.call(t, "GET", path, nil); at(out, "data", "items", 0, "command") != "praise" || at(out, "data", "items", 0, "description", "default_value") != "thanks" {
		t.Errorf("the list is %s", encodeJSON(out))
	}
	for i := range maxCommands - 1 {
		wantCode(t, "registering many", w.call(t, "POST", path, obj{"command": "c" + strings.Repeat("x", i%50) + string(rune('a'+i/50)), "description": words}), 0)
		w.Advance(100 * time.Millisecond)
	}
	wantCode(t, "the 101st", w.call(t, "POST", path, obj{"command": "toomany", "description": words}), 40000021)
	wantCode(t, "deleting", w.call(t, "DELETE", path+"/"+id, nil), 0)
	wantCode(t, "deleting it again", w.call(t, "DELETE", path+"/"+id, nil), 40000022)
	if n := len(w.Commands()); n != maxCommands-1 {
		t.Errorf("%d commands are left, want %d", n, maxCommands-1)
	}
}

func TestTheFirmSaysItsKey(t *testing.T) {
	w := newOffice(t, nil)
	out := w.call(t, "GET", "/open-apis/tenant/v2/tenant/query", nil)
	if at(out, "data", "tenant", "tenant_key") != w.TenantKey() || at(out, "data", "tenant", "name") != "示例公司" {
		t.Errorf("the firm is %s", encodeJSON(out))
	}
}
