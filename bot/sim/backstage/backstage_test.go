package backstage

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAWindowSlides(t *testing.T) {
	var w Windows
	for i := range 3 {
		at := monday.Add(time.Duration(i) * time.Second)
		if wait := w.Room("a", at, 3, time.Minute); wait != 0 {
			t.Errorf("use %d waits %s", i, wait)
		}
		w.Use("a", at)
	}
	if wait := w.Room("a", monday.Add(10*time.Second), 3, time.Minute); wait != 50*time.Second {
		t.Errorf("the fourth waits %s, want 50s", wait)
	}
	if wait := w.Room("b", monday, 3, time.Minute); wait != 0 {
		t.Errorf("another key waits %s", wait)
	}
	if wait := w.Room("a", monday.Add(time.Minute), 3, time.Minute); wait != 0 {
		t.Errorf("after a minute it waits %s", wait)
	}
	if wait := w.Room("none", monday, 0, time.Minute); wait == 0 {
		t.Error("there is room where nothing is allowed")
	}
	w.Use("back", monday.Add(time.Hour))
	w.Use("back", monday)
	if wait := w.Room("back", monday.Add(time.Hour), 2, time.Minute); wait != 0 {
		t.Errorf("after the clock was set back and on again it waits %s", wait)
	}
	w.Refuse("a", monday, monday.Add(time.Hour))
	if at, until := w.Refused("a"); !at.Equal(monday) || !until.Equal(monday.Add(time.Hour)) {
		t.Errorf("it was refused at %s until %s", at, until)
	}
	w.Clear()
	if _, until := w.Refused("a"); !until.IsZero() {
		t.Error("a refusal outlives forgetting")
	}
}

type mishap struct {
	chance float64
	name   string
}

func (m mishap) Chance() float64 { return m.chance }

func TestFaultsOfAMethodShareOneDraw(t *testing.T) {
	at := 0.0
	faults := NewFaults[mishap](func() float64 { return at })
	faults.Set("a", mishap{0.25, "first"}, mishap{0.25, "second"})
	faults.Set(Everything, mishap{0, "always"})
	for roll, want := range map[float64]string{0: "first", 0.24: "first", 0.25: "second", 0.49: "second", 0.5: "", 0.99: ""} {
		at = roll
		if got := faults.Draw("a", true).name; got != want {
			t.Errorf("at %v it is %q, want %q", roll, got, want)
		}
	}
	if faults.Draw("b", true).name != "always" || faults.Draw("b", false).name != "" {
		t.Error("the faults of everything count where they must not, or do not where they must")
	}
	faults.Set("a")
	if faults.Draw("a", true).name != "always" {
		t.Error("a cleared method has none of everything's faults")
	}
	faults.Clear()
	if faults.Draw("a", true).name != "" {
		t.Error("a fault outlives clearing")
	}
}

func TestAPauseEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	if !Pause(ctx, 0) || !Pause(ctx, time.Nanosecond) {
		t.Error("a short pause did not end")
	}
	cancel()
	if Pause(ctx, time.Hour) {
		t.Error("a pause outlasts its context")
	}
}

func TestADroppedConnectionHasNoAnswer(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { Drop(w) }))
	defer s.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if res, err := http.DefaultClient.Do(r); err == nil {
		defer res.Body.Close()
		t.Error("it has an answer")
	}
}

func TestFindingsKeepTheirNumbers(t *testing.T) {
	var l Findings
	l.Add(Finding{Rule: "a"})
	l.Add(Finding{Rule: "b", Severity: Should})
	if got := l.Musts(); len(got) != 1 || got[0].Rule != "a" || got[0].N != 1 {
		t.Errorf("the faults are %+v", got)
	}
	l.Clear()
	if n := l.Add(Finding{Rule: "c"}); n != 3 || len(l.All()) != 1 {
		t.Errorf("after clearing the next is %d of %d", n, len(l.All()))
	}
}

func TestALogForgetsTheOldest(t *testing.T) {
	l := NewLog[int](3)
	for i := range 5 {
		l.Add(i)
	}
	if diff := cmp.Diff([]int{2, 3, 4}, l.All()); diff != "" {
		t.Errorf("the log differs:\n%s", diff)
	}
	if v, found := l.Find(func(v int) bool { return v > 2 }); !found || v != 3 {
		t.Errorf("it finds %d, %v", v, found)
	}
	if _, found := l.Find(func(v int) bool { return v == 1 }); found {
		t.Error("it finds what it forgot")
	}
	if got := Since(l.All(), func(v int) bool { return v > 9 }); got == nil || len(got) != 0 {
		t.Errorf("nothing newer is %v", got)
	}
	l.Clear()
	if len(l.All()) != 0 {
		t.Error("something outlives clearing")
	}
}

func TestASlowSubscriberIsToldThatItMissedSomething(t *testing.T) {
	c := NewClock(standing, 1)
	changes := NewChanges(c, -1)
	ctx, cancel := context.WithCancel(t.Context())
	slow := changes.Subscribe(ctx)
	for i := range behind + 10 {
		changes.Tell(i)
	}
	for i := range behind {
		if got := <-slow; got != i {
			t.Fatalf("change %d came as %d", i, got)
		}
	}
	changes.Tell(7)
	if first, second := <-slow, <-slow; first != -1 || second != 7 {
		t.Errorf("after missing some it was told %d and %d", first, second)
	}
	cancel()
	if _, open := <-slow; open {
		t.Error("the changes go on after the context's end")
	}
	other := changes.Subscribe(t.Context())
	c.Stop()
	c.Wait()
	if _, open := <-other; open {
		t.Error("the changes go on after the clock's end")
	}
	if _, open := <-changes.Subscribe(t.Context()); open {
		t.Error("a stopped clock has changes")
	}
}

func TestTheControlAPIAnswersToThisMachineOnly(t *testing.T) {
	type order struct {
		Say string `json:"say"`
	}
	h := Control(map[string]func(order) (any, error){
		"say":  func(o order) (any, error) { return o.Say, nil },
		"form": func(order) (any, error) { return nil, InputErrors{"name": "is empty"} },
		"fail": func(order) (any, error) { return nil, errors.New("no") },
	})
	for what, c := range map[string]struct {
		method, path, host, media, body string
		status                          int
		holds                           string
	}{
		"a word":          {"POST", "/_sim/say", "127.0.0.1:80", "application/json; charset=utf-8", `{"say":"<a>"}`, 200, `"result":"<a>"`},
		"an empty body":   {"POST", "/_sim/say", "localhost", "application/json", "", 200, `"ok":true`},
		"IPv6":            {"POST", "/_sim/say", "[::1]:80", "application/json", "{}", 200, `"ok":true`},
		"another name":    {"POST", "/_sim/say", "evil.example", "application/json", "{}", 403, "loopback"},
		"an unknown verb": {"POST", "/_sim/none", "localhost", "application/json", "{}", 404, "verb"},
		"a GET":           {"GET", "/_sim/say", "localhost", "application/json", "", 405, "POST"},
		"a form":          {"POST", "/_sim/say", "localhost", "application/x-www-form-urlencoded", "say=a", 415, "application/json"},
		"no JSON":         {"POST", "/_sim/say", "localhost", "application/json", "{", 400, "reading the order"},
		"fields":          {"POST", "/_sim/form", "localhost", "application/json", "{}", 422, `"fields":{"name":"is empty"}`},
		"an error":        {"POST", "/_sim/fail", "localhost", "application/json", "{}", 422, `"error":"no"`},
	} {
		r := httptest.NewRequestWithContext(t.Context(), c.method, c.path, strings.NewReader(c.body))
		r.Host = c.host
		r.Header.Set("Content-Type", c.media)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		body, err := io.ReadAll(w.Body)
		if err != nil || w.Code != c.status || !bytes.Contains(body, []byte(c.holds)) {
			t.Errorf("%s got HTTP %d %s, %v", what, w.Code, body, err)
		}
	}
}

func TestAnInputIsReadFromWhatJSONHas(t *testing.T) {
	for raw, want := range map[string]Input{`"a"`: {"a"}, `null`: nil, `true`: {"true"}, `["a","b"]`: {"a", "b"}} {
		var in Input
		if err := in.UnmarshalJSON([]byte(raw)); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
		if diff := cmp.Diff(want, in); diff != "" {
			t.Errorf("%s differs:\n%s", raw, diff)
		}
	}
	var in Input
	if err := in.UnmarshalJSON([]byte(`{"a":1}`)); err == nil || in.First() != "" {
		t.Errorf("an object is read as %v, %v", in, err)
	}
	if got := (InputErrors{"b": "2", "a": "1"}).Error(); got != "the client does not submit: a: 1; b: 2" {
		t.Errorf("the error is %q", got)
	}
}

func TestWhatIsWrongWithAText(t *testing.T) {
	for text, want := range map[string]string{
		"hello": "", "你好 👋🏽": "", "a\x00": "MUST text.nul", "a\xff": "MUST text.invalid_utf8", "a\ufffd": "MUST text.replacement_character",
		"\u202ea": "SHOULD text.open_bidi_control", "\u202ea\u202c": "", "\u2067a": "SHOULD text.open_bidi_control",
	} {
		severity, rule := Complaint(text)
		if got := strings.TrimSpace(severity + " " + rule); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
	for text, blank := range map[string]bool{"": true, " \n\u200b\u00a0": true, "a": false, "。": false} {
		if Blank(text) != blank {
			t.Errorf("%q is blank: %v", text, !blank)
		}
	}
	for raw, lone := range map[string]bool{
		`"\ud83d\udc4b"`: false, `"\ud83d"`: true, `"\udc4b"`: true, `"\\ud83d"`: false, `"{\"a\":\"\\ud83d\"}"`: false, `"\ud83d\ud83d\udc4b"`: true, `"👋"`: false,
	} {
		if LoneSurrogate([]byte(raw)) != lone {
			t.Errorf("%s has a lone surrogate: %v", raw, !lone)
		}
	}
	if Length("你好") != 2 {
		t.Errorf("two characters have the length %d", Length("你好"))
	}
}

func TestJSONIsWrittenWithoutEscapesAndReadWhole(t *testing.T) {
	if got := string(EncodeJSON(map[string]string{"a": "<&>"})); got != `{"a":"<&>"}` {
		t.Errorf("it is written %s", got)
	}
	v, err := DecodeJSON([]byte(`{"n":12345678901234567890}`))
	if err != nil || string(EncodeJSON(v)) != `{"n":12345678901234567890}` {
		t.Errorf("a large number becomes %s, %v", EncodeJSON(v), err)
	}
	for _, raw := range []string{"", "{", "{} {}"} {
		if _, err := DecodeJSON([]byte(raw)); err == nil {
			t.Errorf("%q is read", raw)
		}
	}
	if HexID("a", 1) != "042a5f2e7634c4c80a75691b6b89dfe4" || HexID("a", 1) == HexID("a", 2) {
		t.Errorf("an id is %s", HexID("a", 1))
	}
}
