package feishu

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"huiyin/bot"
)

// receivedAt is when the recorded payloads came, and us is the bot that they came to.
var (
	receivedAt = time.Unix(1767574800, 0).UTC()
	us         = robot{openID: "ou_b07", name: "回音"}
)

// outcome is what becomes of a payload, as the golden files have it.
type outcome struct {
	Error     string       `json:"error,omitempty"`
	Source    source       `json:"source,omitempty"`
	Challenge string       `json:"challenge,omitempty"`
	Event     *bot.Event   `json:"event,omitempty"`
	Changed   *bot.Account `json:"changed,omitempty"`
}

func decoded(raw []byte) (outcome, delivery) {
	e, err := open(raw)
	var d delivery
	if err == nil {
		d, err = decode(e, us, receivedAt)
	}
	if err != nil {
		return outcome{Error: err.Error()}, delivery{}
	}
	out := outcome{Source: d.source, Challenge: d.challenge}
	switch d.source {
	case fromHandshake:
	case fromMember:
		out.Changed = &d.changed
	default:
		out.Event = &d.event
	}
	return out, d
}

func payloads(tb testing.TB) []string {
	tb.Helper()
	all, err := filepath.Glob("testdata/events/*.json")
	if err != nil {
		tb.Fatal(err)
	}
	var paths []string
	for _, path := range all {
		if !strings.HasSuffix(path, ".want.json") {
			paths = append(paths, path)
		}
	}
	if len(paths) == 0 {
		tb.Fatal("there are no payloads in testdata/events")
	}
	return paths
}

func TestPayloadsBecomeTheRecordedEvents(t *testing.T) {
	for _, path := range payloads(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			out, _ := decoded(raw)
			golden(t, strings.TrimSuffix(path, ".json")+".want.json", out)
		})
	}
}

func TestTimesOfEveryLengthAreRead(t *testing.T) {
	for digits, want := range map[string]time.Time{
		"1767574800": receivedAt, "1767574800000": receivedAt, "1767574800000000": receivedAt, "": receivedAt, "0": receivedAt, "-5": receivedAt, "x": receivedAt,
		"17675748": receivedAt, "1609073151345": time.UnixMilli(1609073151345).UTC(),
	} {
		if got := stamp(digits, receivedAt); !got.Equal(want) {
			t.Errorf("%q is read as %s, want %s", digits, got, want)
		}
	}
}

// FuzzDecode: whatever comes, nothing breaks, and an event is one that the product can take.
func FuzzDecode(f *testing.F) {
	for _, path := range payloads(f) {
		raw, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		out, d := decoded(raw)
		if out.Error != "" {
			return
		}
		e := d.event
		switch d.source {
		case fromHandshake, fromMember, fromForeign:
			return
		default:
		}
		set := 0
		for _, is := range []bool{e.Command != nil, e.Action != nil, e.Form != nil, e.Home != nil} {
			if is {
				set++
			}
		}
		if set != 1 || e.ID == "" || e.User == "" || e.Platform != Name || e.Where.Kind != bot.Direct && e.Where.Kind != bot.Channel {
			t.Errorf("the event is %+v", e)
		}
		if e.Command != nil {
			for _, p := range e.Command.Parts {
				if !utf8.ValidString(p.Text) || strings.ContainsAny(p.Text, "\x00\u200b\u202e") || p.Mention == nil && p.Text == "" {
					t.Errorf("a part is %+q", p.Text)
				}
			}
		}
		if e.Form != nil {
			if _, err := json.Marshal(e.Form.Values); err != nil {
				t.Errorf("the values cannot be written: %v", err)
			}
			// What comes back with a form must never break the drawing of it.
			if q, ok := unpack(d.value.Form); ok {
				if c, err := q.render(d.value, e.Form.Values, map[string]string{"text": "wrong"}); err == nil {
					if _, size, err := content(c); err != nil || size > maxCard {
						t.Errorf("a form is drawn with %d bytes, %v", size, err)
					}
				}
			}
		}
	})
}

func TestAFormComesBackAsItWent(t *testing.T) {
	for _, path := range []string{"form", "form_empty"} {
		raw, err := os.ReadFile("testdata/events/" + path + ".json")
		if err != nil {
			t.Fatal(err)
		}
		if _, d := decoded(raw); d.source != fromSubmission || d.form.ID == "" {
			t.Errorf("%s came as %+v", path, d)
		}
	}
	for _, bad := range []string{"", "x", "AAAA", strings.Repeat("A", 9999)} {
		if _, ok := unpack(bad); ok {
			t.Errorf("%.10q is a form", bad)
		}
	}
	if errors.Is(errMalformed, errNothing) {
		t.Error("nothing for us and malformed are the same")
	}
}
