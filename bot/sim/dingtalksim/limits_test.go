package dingtalksim

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

func (w *office) user(t *testing.T) (int, obj) {
	t.Helper()
	return w.request(t, "POST", "/topapi/v2/user/get", obj{"userid": w.lin.UserID})
}

func TestFortyCallsOfAnAPIASecond(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.Limits.PerPerson = 1000 })
	for range 40 {
		_, out := w.batch(t, "sampleText", obj{"content": "a"}, w.lin.UserID)
		wantCode(t, "one of forty", out, "")
		_, out = w.user(t)
		wantCode(t, "one of forty on the old host", out, 0)
	}
	status, out := w.batch(t, "sampleText", obj{"content": "a"}, w.lin.UserID)
	wantCode(t, "the 41st", out, "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi")
	if status != http.StatusForbidden {
		t.Errorf("the 41st got HTTP %d", status)
	}
	status, out = w.user(t)
	wantCode(t, "the 41st on the old host", out, 90018)
	if status != http.StatusOK {
		t.Errorf("the 41st on the old host got HTTP %d", status)
	}
	_, out = w.inGroup(t, "a")
	wantCode(t, "another API", out, "")
	w.noMust(t)
	w.Advance(999 * time.Millisecond)
	_, out = w.user(t)
	wantCode(t, "within the second", out, 90018)
	if got := rules(w.MustFindings()); len(got) != 1 || got[0] != "MUST ratelimit.wait_ignored" {
		t.Errorf("a call within the wait was found to be %v", got)
	}
	w.Advance(time.Millisecond)
	_, out = w.user(t)
	wantCode(t, "after a second", out, 0)
}

func TestAPersonGetsTwentyMessagesAMinute(t *testing.T) {
	w := newOffice(t, nil)
	for range 20 {
		_, out := w.batch(t, "sampleText", obj{"content": "a"}, w.lin.UserID)
		wantCode(t, "one of twenty", out, "")
	}
	_, out := w.batch(t, "sampleText", obj{"content": "late"}, w.lin.UserID, w.kai.UserID)
	wantCode(t, "the twenty-first", out, "")
	if got := string(encodeJSON(out["flowControlledStaffIdList"])); got != `["`+w.lin.UserID+`"]` {
		t.Errorf("flowControlledStaffIdList is %s", got)
	}
	if n, m := len(w.MessagesFor(w.lin.UserID)), len(w.MessagesFor(w.kai.UserID)); n != 20 || m != 1 {
		t.Errorf("they got %d and %d messages", n, m)
	}
	w.noMust(t)
	w.Advance(59 * time.Second)
	w.batch(t, "sampleText", obj{"content": "early"}, w.lin.UserID)
	if got := rules(w.MustFindings()); len(got) != 1 || got[0] != "MUST flow_control.ignored" {
		t.Errorf("a message while there was no room was found to be %v", got)
	}
	w.Advance(time.Second)
	_, out = w.batch(t, "sampleText", obj{"content": "again"}, w.lin.UserID)
	if got := string(encodeJSON(out["flowControlledStaffIdList"])); got != "[]" {
		t.Errorf("after a minute flowControlledStaffIdList is %s", got)
	}
	w.SetFault("robot.oToMessages.batchSend", Fault{FlowControl: true})
	_, out = w.batch(t, "sampleText", obj{"content": "no"}, w.kai.UserID)
	if got := string(encodeJSON(out["flowControlledStaffIdList"])); got != `["`+w.kai.UserID+`"]` {
		t.Errorf("with a fault flowControlledStaffIdList is %s", got)
	}
}

func TestTheMonthHasItsNumberOfCalls(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.Limits.Monthly = 3 })
	hook := w.session(t, w.group)
	for range 3 {
		_, out := w.inGroup(t, "a")
		wantCode(t, "one of three", out, "")
	}
	status, out := w.inGroup(t, "a")
	wantCode(t, "the fourth", out, "Forbidden.AccessDenied.ApiCountLimitForOrg")
	if status != http.StatusForbidden || w.MonthlyCalls() != 3 {
		t.Errorf("the fourth got HTTP %d, and %d calls count", status, w.MonthlyCalls())
	}
	wantCode(t, "an upload", w.send(t, "file", "a.pdf", []byte("x")), 90020)
	_, out = w.user(t)
	wantCode(t, "the directory", out, 0)
	w.login(t)
	wantCode(t, "a session", w.post(t, hook, textMessage("a")), 0)
	if calls := w.Calls(); calls[len(calls)-1].Month != 0 {
		t.Errorf("a session's call counts as %d", calls[len(calls)-1].Month)
	}
	w.SetTime(time.Date(2026, 1, 31, 15, 59, 59, 0, time.UTC))
	w.login(t)
	_, out = w.inGroup(t, "a")
	wantCode(t, "a second before February in Shanghai", out, "Forbidden.AccessDenied.ApiCountLimitForOrg")
	w.Advance(time.Second)
	_, out = w.inGroup(t, "a")
	wantCode(t, "in February", out, "")
	w.SetLimits(Limits{Monthly: 1, Directory: true})
	_, out = w.user(t)
	wantCode(t, "a directory that counts", out, 0)
	_, out = w.user(t)
	wantCode(t, "a directory that counts, again", out, 90020)
}

func TestAnAddressThatCallsTooOftenGetsAPage(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.Limits.PerIP = 10 }) // one was the token
	for i := range 9 {
		_, out := w.user(t)
		wantCode(t, "call "+strconv.Itoa(i), out, 0)
	}
	page := func() bool {
		t.Helper()
		status, header, raw, err := w.try(t, "POST", "/topapi/v2/user/get", "application/json", encodeJSON(obj{"userid": w.lin.UserID}))
		if err != nil {
			t.Fatal(err)
		}
		return status == http.StatusOK && strings.HasPrefix(header.Get("Content-Type"), "text/html") && strings.Contains(string(raw), `"punish":"deny"`)
	}
	if !page() {
		t.Error("the eleventh call got no page")
	}
	w.Advance(5*time.Minute - time.Millisecond)
	if !page() {
		t.Error("before five minutes there is no page")
	}
	w.Advance(time.Millisecond)
	if page() {
		t.Error("after five minutes there still is a page")
	}
	if got := rules(w.MustFindings()); len(got) != 1 || got[0] != "MUST ratelimit.ip_blocked" {
		t.Errorf("a blocked address was found to be %v", got)
	}
}

func TestLimitsCanBeOffAndScaled(t *testing.T) {
	w := newOffice(t, func(o *Options) { o.Limits = Limits{Off: true, PerSecond: 1, PerPerson: 1, PerIP: 1, Monthly: 1} })
	for range 50 {
		_, out := w.batch(t, "sampleText", obj{"content": "a"}, w.lin.UserID)
		wantCode(t, "without limits", out, "")
	}
	w.SetLimits(Limits{Scale: 2})
	for range 80 {
		_, out := w.user(t)
		wantCode(t, "with twice the limit", out, 0)
	}
	_, out := w.user(t)
	wantCode(t, "beyond twice the limit", out, 90018)
}

func TestFaultsOfCalls(t *testing.T) {
	w := newOffice(t, nil)
	const method = "robot.oToMessages.batchSend"
	send := func() (int, http.Header, []byte, error) {
		return w.try(t, "POST", "/v1.0/robot/oToMessages/batchSend", "application/json", encodeJSON(obj{
			"robotCode": testClient, "userIds": []string{w.lin.UserID}, "msgKey": "sampleText", "msgParam": `{"content":"a"}`,
		}))
	}
	arrived := func() int { return len(w.MessagesFor(w.lin.UserID)) }
	for what, c := range map[string]struct {
		fault        Fault
		status       int
		retry, holds string
	}{
		"a 500":              {Fault{Status: 500}, 500, "", "ServiceUnavailable"},
		"a bare 429":         {Fault{Status: 429}, 429, "", "Throttling"},
		"a code":             {Fault{Code: "send.forbidden"}, 400, "", "send.forbidden"},
		"a page":             {Fault{NotJSON: true}, 502, "", "<html>"},
		"a 200 with a page":  {Fault{NotJSON: true, Status: 200}, 200, "", "<html>"},
		"a delay, then luck": {Fault{Delay: time.Millisecond, Code: "x"}, 400, "", "x"},
	} {
		w.SetFault(method, c.fault)
		status, header, raw, err := send()
		if err != nil || status != c.status || header.Get("Retry-After") != c.retry || !strings.Contains(string(raw), c.holds) {
			t.Errorf("%s got HTTP %d, Retry-After %q and %s, %v", what, status, header.Get("Retry-After"), raw, err)
		}
	}
	if arrived() != 0 {
		t.Errorf("%d messages arrived in spite of it all", arrived())
	}
	w.SetFault(method, Fault{AcceptThenDrop: true})
	if _, _, _, err := send(); err == nil || arrived() != 1 {
		t.Errorf("an accepted call answered %v, and %d messages arrived", err, arrived())
	}
	w.SetFault(method, Fault{Reset: true})
	if _, _, _, err := send(); err == nil || arrived() != 1 {
		t.Errorf("a reset call answered %v, and %d messages arrived", err, arrived())
	}
	w.SetFault(method, Fault{RetryAfter: 7})
	status, header, _, err := send()
	if err != nil || status != 429 || header.Get("Retry-After") != "7" {
		t.Errorf("a 429 with a header got HTTP %d, Retry-After %q, %v", status, header.Get("Retry-After"), err)
	}
	w.SetFault(method)
	w.noMust(t)
	w.Advance(6 * time.Second)
	if status, _, _, err := send(); err != nil || status != http.StatusForbidden {
		t.Errorf("within the wait it got HTTP %d, %v", status, err)
	}
	if got := rules(w.MustFindings()); len(got) != 1 || got[0] != "MUST ratelimit.wait_ignored" {
		t.Errorf("a call within the wait was found to be %v", got)
	}
	w.SetFault("*", Fault{Code: "90002"})
	_, out := w.user(t)
	wantCode(t, "on the old host", out, 90002)
	w.SetFault("user.get", Fault{Rate: 0.5, Code: "1"}, Fault{Rate: 0.5, Code: "2"})
	seen := map[string]int{}
	for range 30 {
		_, out := w.user(t)
		seen[string(encodeJSON(out["errcode"]))]++
	}
	if seen["1"] == 0 || seen["2"] == 0 || seen["1"]+seen["2"] != 30 {
		t.Errorf("two faults of a half each came as %v", seen)
	}
	var faults []string
	for _, c := range w.Calls() {
		if c.Method == method && c.Fault != "" {
			faults = append(faults, c.Fault)
		}
	}
	if len(faults) != 9 {
		t.Errorf("the record has the faults %v", faults)
	}
}
