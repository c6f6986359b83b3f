package dingtalksim

import (
	"net/http"
	"testing"
	"time"
)

func TestATokenIsValidForTwoHoursOnBothHosts(t *testing.T) {
	w := newOffice(t, nil)
	again := w.call(t, "POST", "/v1.0/oauth2/accessToken", obj{"appKey": testClient, "appSecret": testSecret})
	if again["accessToken"] != w.token || string(encodeJSON(again["expireIn"])) != "7200" {
		t.Errorf("asking again gives %s", encodeJSON(again))
	}
	old := w.call(t, "GET", "/gettoken?appkey="+testClient+"&appsecret=this+is+a+secret", nil)
	if old["access_token"] != w.token {
		t.Errorf("the old host gives %s", encodeJSON(old))
	}
	both := func(what string, valid bool) {
		t.Helper()
		status, out := w.batch(t, "sampleText", obj{"content": "hi"}, w.lin.UserID)
		dir := w.call(t, "POST", "/topapi/v2/user/get", obj{"userid": w.lin.UserID})
		if valid {
			wantCode(t, what, out, "")
			wantCode(t, what, dir, 0)
			return
		}
		wantCode(t, what, out, "InvalidAuthentication")
		wantCode(t, what, dir, 40014)
		if status != http.StatusBadRequest {
			t.Errorf("%s got HTTP %d", what, status)
		}
	}
	w.Advance(2*time.Hour - time.Second)
	both("a second before the end", true)
	w.Advance(time.Second)
	both("after two hours", false)
	w.login(t)
	both("a new token", true)
	w.ExpireTokens()
	both("an ended token", false)
	w.token = ""
	status, out := w.batch(t, "sampleText", obj{"content": "hi"}, w.lin.UserID)
	wantCode(t, "no token", out, "InvalidAuthentication")
	if status != http.StatusUnauthorized {
		t.Errorf("no token got HTTP %d", status)
	}
	wantCode(t, "a wrong secret", w.call(t, "POST", "/v1.0/oauth2/accessToken", obj{"appKey": testClient, "appSecret": "x"}), "invalidClientIdOrSecret")
}

func TestAnUnknownPathAndAWrongBodyAreRefused(t *testing.T) {
	w := newOffice(t, nil)
	status, out := w.request(t, "POST", "/v1.0/robot/none", obj{})
	wantCode(t, "an unknown path", out, "InvalidAction.NotFound")
	if status != http.StatusNotFound {
		t.Errorf("an unknown path got HTTP %d", status)
	}
	for what, c := range map[string][2]string{
		"a form": {"application/x-www-form-urlencoded", "userIds=1"}, "a list": {"application/json", "[1]"}, "half of an object": {"application/json", "{"},
	} {
		status, _, raw, err := w.try(t, "POST", "/v1.0/robot/oToMessages/batchSend", c[0], []byte(c[1]))
		if err != nil || status != http.StatusBadRequest {
			t.Errorf("%s got HTTP %d %s, %v", what, status, raw, err)
		}
	}
	status, _, raw, err := w.try(t, "POST", "/topapi/v2/user/get", "application/x-www-form-urlencoded", []byte("userid="+w.lin.UserID))
	if err != nil || status != http.StatusOK {
		t.Fatalf("a form on the old host got HTTP %d, %v", status, err)
	}
	wantCode(t, "a form on the old host", decoded(t, raw), 0)
	w.SetFault("user.get", Fault{Code: "60011"})
	wrapped := newOffice(t, func(o *Options) { o.Wrapped = true })
	out = wrapped.call(t, "POST", "/topapi/v2/user/get", obj{"userid": "none"})
	if out["sub_code"] != "60121" {
		t.Errorf("a wrapped refusal is %s", encodeJSON(out))
	}
	wantCode(t, "a wrapped refusal", out, 88)
}
