package feishusim

import (
	"strconv"
	"testing"
	"time"
)

func (w *office) text(t *testing.T, to string) (int, string, obj) {
	t.Helper()
	status, header, out := w.request(t, "POST", createPath+"open_id", obj{"receive_id": to, "msg_type": "text", "content": `{"text":"hi"}`})
	return status, header.Get("X-Ogw-Ratelimit-Reset"), out
}

func TestFiveMessagesASecondReachOnePersonOrChat(t *testing.T) {
	w := newOffice(t, nil)
	for range 5 {
		_, _, out := w.text(t, w.lin.OpenID)
		wantCode(t, "one of five", out, 0)
	}
	status, reset, out := w.text(t, w.lin.OpenID)
	wantCode(t, "the sixth", out, 230020)
	if status != 400 || reset != "" {
		t.Errorf("the sixth got HTTP %d with reset %q", status, reset)
	}
	wantCode(t, "by another id", w.call(t, "POST", createPath+"email", obj{"receive_id": w.lin.Email, "msg_type": "text", "content": `{"text":"hi"}`}), 230020)
	_, _, out = w.text(t, w.kai.OpenID)
	wantCode(t, "to another person", out, 0)
	w.Advance(999 * time.Millisecond)
	_, _, out = w.text(t, w.lin.OpenID)
	wantCode(t, "within the second", out, 230020)
	w.Advance(time.Millisecond)
	_, _, out = w.text(t, w.lin.OpenID)
	wantCode(t, "after a second", out, 0)
}

func TestOneMessageIsUpdatedFiveTimesASecond(t *testing.T) {
	w := newOffice(t, nil)
	id := w.sendCard(t, cardOf(md("one")))
	patch := func() obj {
		return w.call(t, "PATCH", "/open-apis/im/v1/messages/"+id, obj{"content": string(encodeJSON(cardOf(md("two"))))})
	}
	for range 5 {
		wantCode(t, "one of five", patch(), 0)
	}
	wantCode(t, "the sixth", patch(), 230020)
	w.Advance(time.Second)
	wantCode(t, "after a second", patch(), 0)
}

func TestFiftyCallsASecondAndAThousandAMinute(t *testing.T) {
	w := newOffice(t, nil)
	people := make([]string, 60)
	for i := range people {
		people[i] = w.AddPerson(Person{Name: "P" + strconv.Itoa(i)}).OpenID
	}
	for i := range 50 {
		_, _, out := w.text(t, people[i])
		wantCode(t, "one of fifty", out, 0)
	}
	status, reset, out := w.text(t, people[50])
	wantCode(t, "the 51st", out, 99991400)
	if status != 429 || reset != "1" {
		t.Errorf("the 51st got HTTP %d with reset %q", status, reset)
	}
	wantCode(t, "another API", w.call(t, "GET", "/open-apis/bot/v3/info", nil), 0)
	w.Advance(300 * time.Millisecond)
	w.text(t, people[50])
	if got := rules(w.MustFindings()); len(got) != 1 || got[0] != "MUST ratelimit.reset_ignored" {
		t.Errorf("a call within the wait was found to be %v", got)
	}
	sent := 50
	for range 19 {
		w.Advance(time.Second)
		for i := range 50 {
			_, _, out := w.text(t, people[i])
			wantCode(t, "in the minute", out, 0)
			sent++
		}
	}
	w.Advance(time.Second)
	status, reset, out = w.text(t, people[0])
	wantCode(t, "the 1001st of a minute", out, 99991400)
	if sent != 1000 || status != 429 {
		t.Errorf("after %d messages HTTP %d", sent, status)
	}
	if n, err := strconv.Atoi(reset); err != nil || n < 35 || n > 41 {
		t.Errorf("the reset is %q, want what is left of the minute", reset)
	}
}

func TestAnInjected429StartsAWait(t *testing.T) {
	w := newOffice(t, nil)
	w.SetFault("im.message.create", Fault{RetryAfter: 7})
	status, reset, out := w.text(t, w.lin.OpenID)
	wantCode(t, "the injected refusal", out, 99991400)
	if status != 429 || reset != "7" {
		t.Errorf("HTTP %d with reset %q", status, reset)
	}
	w.SetFault("im.message.create")
	w.Advance(6 * time.Second)
	_, reset, _ = w.text(t, w.lin.OpenID)
	if reset != "1" || len(w.MustFindings()) != 1 {
		t.Errorf("a call inside the wait got reset %q and findings %v", reset, w.MustFindings())
	}
	w.Advance(time.Second)
	_, _, out = w.text(t, w.lin.OpenID)
	wantCode(t, "after the wait", out, 0)
}

func TestTheMonthsCallsRunOutAndComeBack(t *testing.T) {
	w := newOffice(t, nil)
	w.SetLimits(Limits{Monthly: 3})
	const path = "/open-apis/bot/v3/info"
	for range 3 {
		wantCode(t, "within the quota", w.call(t, "GET", path, nil), 0)
	}
	wantCode(t, "beyond the quota", w.call(t, "GET", path, nil), 99991403)
	if n := w.MonthlyCalls(); n != 3 {
		t.Errorf("%d calls were counted, want 3", n)
	}
	w.SetTime(time.Date(2026, 1, 31, 15, 59, 59, 0, time.UTC)) // 23:59:59 in Shanghai
	w.login(t)
	wantCode(t, "at the end of the month", w.call(t, "GET", path, nil), 99991403)
	w.Advance(time.Second)
	wantCode(t, "in the new month", w.call(t, "GET", path, nil), 0)
}

func TestAScaleMakesLimitsGenerousAndOffEndsThem(t *testing.T) {
	w := newOffice(t, nil)
	w.SetLimits(Limits{Scale: 2})
	for range 10 {
		_, _, out := w.text(t, w.lin.OpenID)
		wantCode(t, "one of ten", out, 0)
	}
	_, _, out := w.text(t, w.lin.OpenID)
	wantCode(t, "the eleventh", out, 230020)
	w.SetLimits(Limits{Off: true})
	for range 200 {
		_, _, out := w.text(t, w.lin.OpenID)
		wantCode(t, "without limits", out, 0)
	}
}
