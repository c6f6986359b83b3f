package dingtalk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/internal/fault"
)

const (
	batchPath = "/v1.0/robot/oToMessages/batchSend"
	groupPath = "/v1.0/robot/groupMessages/send"
	cardPath  = "/v1.0/card/instances/createAndDeliver"
)

func to(user string, c card.Card) bot.Message {
	return bot.Message{To: bot.Address{User: user}, Card: c, Delivery: "01930000-0000-7000-8000-00000000" + fmt.Sprintf("%04d", len(user))}
}

// all sends a card to everybody at once and gives each one's fate.
func (r *rig) all(t *testing.T, c card.Card, users ...string) map[string]error {
	t.Helper()
	var mu sync.Mutex
	fates := map[string]error{}
	var wg sync.WaitGroup
	for _, u := range users {
		wg.Go(func() {
			_, err := r.Send(t.Context(), to(u, c))
			mu.Lock()
			defer mu.Unlock()
			fates[u] = err
		})
	}
	wg.Wait()
	return fates
}

func people(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("user%02d", i)
	}
	return out
}

func TestTheSameWordsToTwentyPeopleAreOneCall(t *testing.T) {
	r := newRig(t)
	for user, err := range r.all(t, *aCard("Week 47"), people(20)...) {
		if err != nil {
			t.Errorf("%s: %v", user, err)
		}
	}
	got := r.fake.next(t, batchPath)
	users, _ := got.JSON["userIds"].([]any)
	if len(users) != 20 || r.calls() != 1 || got.Token != "token-1" {
		t.Errorf("%d people got it in %d calls (%v)", len(users), r.calls(), got.JSON)
	}
	if p := got.param(t); p["title"] != "Week 47" || p["text"] != "### Week 47" {
		t.Errorf("the message is %v", p)
	}
	r.fake.quiet(t)
	for user, err := range r.all(t, *aCard("Week 48"), people(21)...) {
		if err != nil {
			t.Errorf("%s: %v", user, err)
		}
	}
	sizes := []int{len(r.fake.next(t, batchPath).JSON["userIds"].([]any)), len(r.fake.next(t, batchPath).JSON["userIds"].([]any))}
	slices.Sort(sizes)
	if diff := cmp.Diff([]int{1, 20}, sizes); diff != "" {
		t.Errorf("21 people make calls of other sizes (-want +got):\n%s", diff)
	}
}

func TestDifferentWordsTravelApartAndTheSamePersonIsToldTwice(t *testing.T) {
	r := newRig(t)
	var wg sync.WaitGroup
	for _, title := range []string{"A", "B", "A"} {
		wg.Go(func() {
			if _, err := r.Send(t.Context(), to("lin", *aCard(title))); err != nil {
				t.Errorf("sending: %v", err)
			}
		})
	}
	wg.Wait()
	for range 3 {
		if users := r.fake.next(t, batchPath).JSON["userIds"]; fmt.Sprint(users) != "[lin]" {
			t.Errorf("sent to %v", users)
		}
	}
	r.fake.quiet(t)
}

func TestEachPersonOfABatchHasTheirOwnFate(t *testing.T) {
	r := newRig(t)
	r.fake.say(batchPath, `{"processQueryKey":"k","invalidStaffIdList":["user01"],"flowControlledStaffIdList":["user02"],"filteredStaffIdList":["user03"]}`)
	fates := r.all(t, *aCard("Week 47"), people(5)...)
	for user, want := range map[string]fault.Kind{"user01": fault.NotFound, "user02": fault.Unavailable, "user03": fault.NotFound} {
		if !fault.Is(fates[user], want) {
			t.Errorf("%s: %v, want %s", user, fates[user], want)
		}
	}
	if f, _ := fault.Of(fates["user02"]); f.RetryAfter != flowPause {
		t.Errorf("user02 is to be tried again after %s", f.RetryAfter)
	}
	if fates["user00"] != nil || fates["user04"] != nil {
		t.Errorf("the others: %v, %v", fates["user00"], fates["user04"])
	}
	r.fake.next(t, batchPath)
	if _, err := r.Send(t.Context(), to("user02", *aCard("again"))); !fault.Is(err, fault.Unavailable) {
		t.Errorf("sending on within the wait: %v", err)
	}
	r.fake.quiet(t)
	r.now = r.now.Add(flowPause)
	if _, err := r.Send(t.Context(), to("user04", *aCard("again"))); err != nil {
		t.Errorf("sending after the wait: %v", err)
	}
}

func TestOneWhoIsNotThereDoesNotKeepTheOthersFromTheirs(t *testing.T) {
	r := newRig(t)
	r.fake.do(batchPath, func(w http.ResponseWriter, q *http.Request) {
		raw, _ := io.ReadAll(q.Body)
		if strings.Contains(string(raw), "user01") {
			status(400, `{"code":"staffId.notExisted","requestid":"R","message":"staffId is not existed"}`)(w, q)
			return
		}
		body(`{"processQueryKey":"k"}`)(w, q)
	})
	fates := r.all(t, *aCard("Week 47"), people(3)...)
	if fates["user00"] != nil || !fault.Is(fates["user01"], fault.NotFound) || fates["user02"] != nil {
		t.Errorf("the fates are %v", fates)
	}
	if n := r.calls(); n != 4 {
		t.Errorf("it took %d calls, want the batch and one for each", n)
	}
}

func TestAMessageThatNobodyWaitsForIsNotSent(t *testing.T) {
	r := newRig(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := r.Send(ctx, to("lin", *aCard("x")))
		done <- err
	}()
	cancel()
	if err := <-done; !fault.Is(err, fault.Unavailable) && !errors.Is(err, bot.ErrUnknownOutcome) {
		t.Errorf("sending was given up with %v", err)
	}
	if _, err := r.Send(ctx, to("lin", *aCard("x"))); !fault.Is(err, fault.Unavailable) || errors.Is(err, bot.ErrUnknownOutcome) {
		t.Errorf("sending with an ended context gives %v; nothing was sent", err)
	}
}

func TestRefusalsAreTranslatedOnce(t *testing.T) {
	page := func(code int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(code)
			_, _ = io.WriteString(w, "<!doctype html><html>"+text+"</html>")
		}
	}
	html := func(code int) http.HandlerFunc { return page(code, "0x5f, please sign in to the network") }
	after := func(code int, text, seconds string) http.HandlerFunc {
		return func(w http.ResponseWriter, q *http.Request) {
			w.Header().Set("Retry-After", seconds)
			status(code, text)(w, q)
		}
	}
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		kind   fault.Kind // 0: an unknown outcome
		after  time.Duration
		key    string
	}{
		{"too fast", status(403, `{"code":"Forbidden.AccessDenied.QpsLimitForAppkeyAndApi","requestid":"R","message":"m"}`), fault.Unavailable, time.Second, "dingtalk.busy"},
		{"too fast, in old words", body(`{"errcode":90018,"errmsg":"m"}`), fault.Unavailable, time.Second, "dingtalk.busy"},
		{"too fast for everybody", body(`{"errcode":90002,"errmsg":"m"}`), fault.Unavailable, 2 * time.Second, "dingtalk.busy"},
		{"429 with a header", after(429, `{"code":"Throttling.User"}`, "7"), fault.Unavailable, 7 * time.Second, "dingtalk.busy"},
		{"429 without", status(429, ``), fault.Unavailable, time.Second, "dingtalk.busy"},
		{"429 with a header that is none", after(429, `{}`, "soon"), fault.Unavailable, time.Second, "dingtalk.busy"},
		{"429 with a day to wait", after(429, `{}`, "86400"), fault.Unavailable, 5 * time.Minute, "dingtalk.busy"},
		{"429 with more than a number holds", after(429, `{}`, "9223372036854775807"), fault.Unavailable, 5 * time.Minute, "dingtalk.busy"},
		{"a page", html(200), fault.Unavailable, 10 * time.Second, "dingtalk.away"},
		{"a page with 403", html(403), fault.Unavailable, 10 * time.Second, "dingtalk.away"},
		{"a page of the firewall's", page(200, `<script src="/_____tmd_____/punish?x5secdata=a">`), fault.Unavailable, 5 * time.Minute, "dingtalk.busy"},
		{"a page of the firewall's with 403", page(403, `{"status": 1111, "wait": 5}`), fault.Unavailable, 5 * time.Minute, "dingtalk.busy"},
		{"the firewall, in fewer words", body(`{"status":1111,"wait":5}`), fault.Unavailable, 5 * time.Minute, "dingtalk.busy"},
		{"the firewall, asking for a day", after(200, `{"status":1111,"punish":"deny"}`, "86400"), fault.Unavailable, 5 * time.Minute, "dingtalk.busy"},
		{"the firewall", body(`{"status":1111,"wait":5,"source":"x5","punish":"deny"}`), fault.Unavailable, 5 * time.Minute, "dingtalk.busy"},
		{"the month is used up", status(403, `{"code":"Forbidden.AccessDenied.ApiCountLimitForOrg"}`), fault.Unavailable, time.Hour, "dingtalk.quota"},
		{"the month is used up, in old words", body(`{"errcode":90020}`), fault.Unavailable, time.Hour, "dingtalk.quota"},
		{"no permission", status(403, `{"code":"Forbidden.AccessDenied.AccessTokenPermissionDenied"}`), fault.Unavailable, 0, "dingtalk.scope"},
		{"nobody of that id", status(400, `{"code":"staffId.notExisted"}`), fault.NotFound, 0, "dingtalk.recipient"},
		{"a parameter", status(400, `{"code":"invalidParameter.msgParam.invalid"}`), fault.Invalid, 0, "dingtalk.rejected"},
		{"wrapped", body(`{"errcode":88,"sub_code":"60121","sub_msg":"m"}`), fault.NotFound, 0, "dingtalk.recipient"},
		{"a code of the future", status(400, `{"code":"of.the.future"}`), fault.Unavailable, 0, "dingtalk.away"},
		{"500", status(500, `{"code":"ServiceUnavailable"}`), 0, 0, ""},
		{"502 with a page", html(502), 0, 0, ""},
		{"200 with half an answer", body(`{"processQ`), 0, 0, ""},
		{"200 with nothing", body(``), 0, 0, ""},
		{"200 with a list", body(`[]`), 0, 0, ""},
		{"200 with another shape", body(`{"processQueryKey":7}`), 0, 0, ""},
		{"a connection that breaks", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 0, 0, ""},
	} {
		r := newRig(t)
		r.fake.do(batchPath, c.answer)
		_, err := r.Send(t.Context(), to("lin", card.Card{Title: "words of a person"}))
		f, isFault := fault.Of(err)
		switch {
		case c.kind == 0:
			if !errors.Is(err, bot.ErrUnknownOutcome) {
				t.Errorf("%s: %v, want an unknown outcome", c.name, err)
			}
		case !isFault || f.Kind != c.kind || f.RetryAfter != c.after || f.Key != c.key || errors.Is(err, bot.ErrUnknownOutcome):
			t.Errorf("%s: %v after %s, want %s %s after %s", c.name, err, f.RetryAfter, c.kind, c.key, c.after)
		}
		r.fake.next(t, batchPath)
		if c.after > 0 { // R04: nothing is sent inside the wait
			_, err := r.Send(t.Context(), to("kai", *aCard("next")))
			if f, ok := fault.Of(err); !ok || f.Kind != fault.Unavailable || f.RetryAfter != c.after {
				t.Errorf("%s: sending on gives %v", c.name, err)
			}
			r.fake.quiet(t)
		}
		if strings.Contains(r.log.String(), "words of a person") {
			t.Errorf("%s: words are in the log", c.name)
		}
	}
}

// Something in between that answers with pages says nothing about the other APIs; the firewall's answer holds for all of them, and the log
// says so once.
func TestOnlyTheFirewallKeepsAllOfDingTalkWaiting(t *testing.T) {
	for text, whole := range map[string]bool{"<html>Please sign in</html>": false, `{"status":1111,"wait":5,"source":"x5","punish":"deny"}`: true} {
		r := newRig(t)
		r.fake.do(batchPath, body(text))
		for range 3 {
			_, _ = r.Send(t.Context(), to("lin", *aCard("x")))
		}
		r.fake.next(t, batchPath)
		_, err := r.Send(t.Context(), bot.Message{To: bot.Address{Channel: "cid"}, Card: *aCard("x")})
		if whole {
			r.fake.quiet(t)
		} else {
			r.fake.next(t, groupPath)
		}
		if waits := strings.Count(r.log.String(), "dingtalk wants us to wait"); (err != nil) != whole || whole != (waits == 1) || waits > 1 {
			t.Errorf("after %s a group is told with %v, and the log speaks %d times of waiting:\n%s", text, err, waits, r.log)
		}
		if whole && !strings.Contains(r.log.String(), "seconds=300") {
			t.Errorf("the log does not say how long:\n%s", r.log)
		}
		r.now = r.now.Add(map[bool]time.Duration{false: strangePause, true: blockedFor}[whole])
		r.fake.say(batchPath, `{"processQueryKey":"k"}`)
		if _, err := r.Send(t.Context(), to("lin", *aCard("x"))); err != nil {
			t.Errorf("after %s and its wait sending gives %v", text, err)
		}
	}
}

func TestTheCredentialsAreChecked(t *testing.T) {
	r := newRig(t)
	if err := r.Check(t.Context()); err != nil {
		t.Errorf("good credentials: %v", err)
	}
	r = newRig(t)
	r.fake.do("/v1.0/oauth2/accessToken", status(400, `{"code":"invalidClientIdOrSecret","message":"m"}`))
	if f, ok := fault.Of(r.Check(t.Context())); !ok || f.Kind != fault.Unavailable || f.Key != "dingtalk.auth" {
		t.Errorf("a wrong secret: %v", f)
	}
	if r.calls() != 0 {
		t.Errorf("asking for a token is counted as %d calls of the quota", r.calls())
	}
}

func TestAFailureBeforeAnyConnectionIsNoUnknownOutcome(t *testing.T) {
	r := newRig(t)
	if _, err := r.Send(t.Context(), to("lin", *aCard("x"))); err != nil {
		t.Fatal(err)
	}
	r.fake.CloseClientConnections()
	r.fake.Close()
	if _, err := r.Send(t.Context(), to("lin", *aCard("y"))); !fault.Is(err, fault.Unavailable) || errors.Is(err, bot.ErrUnknownOutcome) {
		t.Errorf("with nobody there sending gives %v", err)
	}
}

func TestATokenIsRenewedOnce(t *testing.T) {
	for _, refusal := range []struct {
		status int
		text   string
	}{{401, `{"code":"InvalidAuthentication","message":"不合法的access_token"}`}, {200, `{"errcode":40014,"errmsg":"不合法的access_token"}`}, {200, `{"errcode":42001}`}} {
		r := newRig(t)
		var mu sync.Mutex
		asked := 0
		r.fake.do("/v1.0/oauth2/accessToken", func(w http.ResponseWriter, q *http.Request) {
			mu.Lock()
			asked++
			n := asked
			mu.Unlock()
			body(fmt.Sprintf(`{"accessToken":"token-%d","expireIn":7200}`, n))(w, q)
		})
		r.fake.do(batchPath, func(w http.ResponseWriter, q *http.Request) {
			if q.Header.Get("x-acs-dingtalk-access-token") == "token-1" {
				status(refusal.status, refusal.text)(w, q)
				return
			}
			body(`{"processQueryKey":"k"}`)(w, q)
		})
		for range 3 {
			if _, err := r.Send(t.Context(), to("lin", *aCard("x"))); err != nil {
				t.Errorf("%s: sending: %v", refusal.text, err)
			}
		}
		if asked != 2 {
			t.Errorf("%s: %d tokens were asked for, want two", refusal.text, asked)
		}
		r.fake.do(batchPath, status(refusal.status, refusal.text))
		if _, err := r.Send(t.Context(), to("lin", *aCard("x"))); !fault.Is(err, fault.Unavailable) || asked != 3 {
			t.Errorf("%s: refused again: %v after %d tokens", refusal.text, err, asked)
		}
		r.now = r.now.Add(2*time.Hour - tokenMargin)
		_, _ = r.Send(t.Context(), to("lin", *aCard("x")))
		if asked < 4 {
			t.Error("a token that is about to end is used on")
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere := newFake(t)
	r := newRig(t)
	r.fake.do(batchPath, func(w http.ResponseWriter, q *http.Request) {
		http.Redirect(w, q, elsewhere.URL+"/x", http.StatusTemporaryRedirect)
	})
	if _, err := r.Send(t.Context(), to("lin", *aCard("x"))); err == nil {
		t.Error("a redirect was taken for success")
	}
	elsewhere.quiet(t)
}

func TestSendingWithoutATemplate(t *testing.T) {
	r := newRig(t)
	ref, err := r.Send(t.Context(), to("lin", *buttonCard()))
	got := r.fake.next(t, batchPath)
	if p := got.param(t); err != nil || got.JSON["msgKey"] != "sampleActionCard2" || p["actionURL1"] != "https://bot.example/p/button/lin/1" || p["actionTitle2"] != "Mine" || ref.ID != "key-1" {
		t.Errorf("sent %v as %v: %v", ref, got.JSON, err)
	}
	ref, err = r.Send(t.Context(), bot.Message{To: bot.Address{Channel: "cid"}, Card: *buttonCard()})
	got = r.fake.next(t, groupPath)
	if err != nil || got.JSON["msgKey"] != "sampleMarkdown" || got.JSON["openConversationId"] != "cid" || ref != (bot.Ref{Channel: "cid", ID: "key-2"}) {
		t.Errorf("sent %v to a group as %v: %v", ref, got.JSON, err)
	}
	if err := r.Update(t.Context(), ref, *aCard("x")); !fault.Is(err, fault.Conflict) {
		t.Errorf("changing a plain message gives %v", err)
	}
	for name, m := range map[string]bot.Message{
		"a private card to a group": {To: bot.Address{Channel: "cid"}, Card: card.Card{Tone: card.Private}}, "a card to nobody": {},
	} {
		if _, err := r.Send(t.Context(), m); !fault.Is(err, fault.Forbidden) && !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if a := r.Abilities(); a.Update || a.Idempotent || !a.Forms || !a.Channels || a.Home || a.Ephemeral || a.Slash {
		t.Errorf("the abilities are %+v", a)
	}
	r.fake.quiet(t)
}

func TestSendingWithATemplate(t *testing.T) {
	r := newRig(t, withTemplate, inStream)
	m := to("lin", *buttonCard())
	var bodies []string
	for range 2 {
		ref, err := r.Send(t.Context(), m)
		got := r.fake.next(t, cardPath)
		bodies = append(bodies, fmt.Sprint(got.JSON))
		if err != nil || got.JSON["outTrackId"] != m.Delivery || got.JSON["callbackType"] != "STREAM" || ref != (bot.Ref{Channel: "dtv1.card//IM_ROBOT.lin", ID: m.Delivery}) {
			t.Errorf("sent %v as %v: %v", ref, got.JSON, err)
		}
		r.fake.say(cardPath, `{"success":true}`)
	}
	if bodies[0] != bodies[1] {
		t.Errorf("the same delivery sent again is another card:\n%s\n%s", bodies[0], bodies[1])
	}
	r.fake.do(cardPath, status(400, `{"code":"param.cardAlreadyExist","message":"m"}`))
	if ref, err := r.Send(t.Context(), m); err != nil || ref.ID != m.Delivery {
		t.Errorf("a card that is there already: %v, %v; it arrived", ref, err)
	}
	r.fake.next(t, cardPath)
	r.fake.say(cardPath, `{"success":true,"result":{"deliverResults":[{"success":false,"errorMsg":"param.userIdNotExist"}]}}`)
	if _, err := r.Send(t.Context(), m); !fault.Is(err, fault.NotFound) {
		t.Errorf("a card that was made and not delivered: %v", err)
	}
	r.fake.next(t, cardPath)
	ref := bot.Ref{Channel: "dtv1.card//IM_GROUP.cid", ID: "t1"}
	if err := r.Update(t.Context(), ref, *buttonCard()); err != nil {
		t.Errorf("changing a card: %v", err)
	}
	got := r.fake.next(t, "/v1.0/card/instances").JSON
	if p := paramsOf(got); got["outTrackId"] != "t1" || p[paramButtons] != "[]" || p[paramTitle] != "✨ Lin thanked you" {
		t.Errorf("a group's card becomes %v", got)
	}
	if err := r.Update(t.Context(), ref, card.Card{Tone: card.Private}); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a private card in a group's place: %v", err)
	}
	if a := r.Abilities(); !a.Update || !a.Idempotent {
		t.Errorf("the abilities are %+v", a)
	}
	if a := newRig(t, withTemplate, func(c *Config) { c.PublicURL = "" }).Abilities(); a.Update {
		t.Error("with no way back for presses cards are used all the same")
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	r := newRig(t)
	for name, c := range map[string]struct {
		change func(*Config)
		fields []string
	}{
		"no credentials":      {func(c *Config) { c.ClientID, c.ClientSecret, c.EventToken, c.EventAESKey = " ", "", "", "" }, []string{"HUIYIN_DINGTALK_CLIENT_ID", "HUIYIN_DINGTALK_CLIENT_SECRET"}},
		"addresses":           {func(c *Config) { c.APIURL, c.OAPIURL = "ftp://x", "https://user@x" }, []string{"HUIYIN_DINGTALK_API_URL", "HUIYIN_DINGTALK_OAPI_URL"}},
		"an unknown mode":     {func(c *Config) { c.Mode = "carrier pigeon" }, []string{"HUIYIN_DINGTALK_MODE"}},
		"a key without token": {func(c *Config) { c.EventToken = "" }, []string{"HUIYIN_DINGTALK_EVENT_TOKEN"}},
		"a key that is none":  {func(c *Config) { c.EventAESKey = "x" }, []string{"HUIYIN_DINGTALK_EVENT_AES_KEY"}},
	} {
		cfg := r.cfg
		c.change(&cfg)
		_, err := New(cfg)
		f, ok := fault.Of(err)
		if !ok {
			t.Errorf("%s: %v, want faults", name, err)
			continue
		}
		var fields []string
		for _, p := range f.All() {
			fields = append(fields, p.Field)
			if p.Kind != fault.Invalid || !r.cfg.Catalog.Has(p.Key) {
				t.Errorf("%s: the fault is %v", name, p)
			}
		}
		if diff := cmp.Diff(c.fields, fields); diff != "" {
			t.Errorf("%s: the settings named differ (-want +got):\n%s", name, diff)
		}
	}
	if _, err := New(Config{ClientID: "x", ClientSecret: "y"}); err == nil {
		t.Error("without clock, log and words an adapter is made")
	}
}

func TestEveryFaultHasWords(t *testing.T) {
	r := newRig(t)
	for code, c := range errorCodes {
		if !r.cfg.Catalog.Has(c.key) {
			t.Errorf("code %s leads to %s, which has no words", code, c.key)
		}
		if _, ok := meaningOf(strings.TrimSuffix(code, "*") + "x"); strings.HasSuffix(code, "*") && !ok {
			t.Errorf("%s matches nothing", code)
		}
	}
}
