package dingtalk

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"huiyin/bot"
)

// recorded is a payload in testdata/events and the way it came.
type recorded struct {
	Door    string            `json:"door"` // messages, cards or events
	Headers map[string]string `json:"headers,omitempty"`
	Payload json.RawMessage   `json:"payload"`
}

func load(tb testing.TB, path string) recorded {
	tb.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	var r recorded
	if err := json.Unmarshal(raw, &r); err != nil {
		tb.Fatalf("%s: %v", path, err)
	}
	return r
}

func (r recorded) decode() (delivery, error) {
	switch r.Door {
	case "messages":
		return decodeMessage(r.Payload, signedAt)
	case "cards":
		return decodeCard(r.Payload, signedAt)
	}
	return decodeEvent(eventHead{id: r.Headers["eventId"], kind: r.Headers["eventType"], corp: r.Headers["eventCorpId"]}, r.Payload, signedAt)
}

func payloads(tb testing.TB) []string {
	tb.Helper()
	all, err := filepath.Glob("testdata/events/*.json")
	if err != nil {
		tb.Fatal(err)
	}
	var paths []string
	for _, p := range all {
		if !strings.HasSuffix(p, ".want.json") {
			paths = append(paths, p)
		}
	}
	if len(paths) < 30 {
		tb.Fatalf("testdata/events holds %d payloads", len(paths))
	}
	return paths
}

// seen is a delivery as the golden files record it.
type seen struct {
	Outcome string     `json:"outcome"`
	Event   *bot.Event `json:"event,omitempty"`
	Corp    string     `json:"corp,omitempty"`
	Robot   string     `json:"robot,omitempty"`
	Session string     `json:"session,omitempty"`
	Track   string     `json:"track,omitempty"`
	Changed []string   `json:"changed,omitempty"`
	Gone    bool       `json:"gone,omitempty"`
	Notice  string     `json:"notice,omitempty"`
}

var outcomes = map[source]string{
	fromWords: "words", fromStranger: "stranger", fromCard: "card", fromForm: "form", fromDirectory: "directory", fromNotice: "notice", fromHandshake: "handshake",
}

func show(d delivery, err error) seen {
	switch {
	case errors.Is(err, errNothing):
		return seen{Outcome: "nothing for us"}
	case err != nil:
		return seen{Outcome: err.Error()}
	}
	return seen{outcomes[d.source], &d.event, d.corp, d.robot, d.session, d.track, d.changed, d.gone, d.notice}
}

func TestPayloadsAreDecodedAsRecorded(t *testing.T) {
	for _, path := range payloads(t) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".json"), func(t *testing.T) {
			d, err := load(t, path).decode()
			checkDecoded(t, d, err)
			golden(t, strings.TrimSuffix(path, ".json")+".want.json", show(d, err))
		})
	}
}

// checkDecoded is what holds of everything that is decoded.
func checkDecoded(t *testing.T, d delivery, err error) {
	t.Helper()
	if err != nil {
		if !errors.Is(err, errNothing) && !errors.Is(err, errMalformed) {
			t.Errorf("decoding failed with %v, want nothing for us or malformed", err)
		}
		return
	}
	e := d.event
	deeds := 0
	for _, is := range []bool{e.Command != nil, e.Action != nil, e.Form != nil} {
		if is {
			deeds++
		}
	}
	acts := d.source == fromWords || d.source == fromCard || d.source == fromForm
	switch {
	case acts && (deeds != 1 || e.ID == "" || e.User == "" || e.Account.ID != e.User || e.Where.Kind == 0 || e.At.IsZero()):
		t.Errorf("the event is not whole: %+v", e)
	case !acts && deeds != 0:
		t.Errorf("something that is no deed has one: %+v", e)
	}
	if e.Command != nil {
		for _, p := range e.Command.Parts {
			if !utf8.ValidString(p.Text) || strings.ContainsAny(p.Text, "\x00\u200b\u202e") || p.Mention != nil && p.Mention.User == "" {
				t.Errorf("a part is %+q %+v", p.Text, p.Mention)
			}
		}
	}
	if e.Form != nil && (e.Form.Name == "" || len(e.Form.Values[markField]) > 0) {
		t.Errorf("the form is %+v", e.Form)
	}
}

func FuzzDecode(f *testing.F) {
	for _, path := range payloads(f) {
		r := load(f, path)
		f.Add(r.Door, r.Headers["eventType"], []byte(r.Payload))
	}
	f.Fuzz(func(t *testing.T, door, kind string, payload []byte) {
		if door == "frame" {
			frame, err := decodeFrame(payload)
			if err != nil {
				return
			}
			s := &DingTalk{cfg: Config{Now: signedAt.UTC}}
			d, err := s.decodeDelivery(frame)
			checkDecoded(t, d, err)
			return
		}
		d, err := recorded{Door: door, Headers: map[string]string{"eventType": kind}, Payload: payload}.decode()
		checkDecoded(t, d, err)
	})
}

func TestWhereSomebodyWasMentionedDoesNotMatter(t *testing.T) {
	kai := []bot.Mentioned{{User: "kai"}}
	words := func(text string) bot.Part { return bot.Part{Text: text} }
	at := bot.Part{Mention: &kai[0]}
	for _, c := range []struct {
		typed string
		who   []bot.Mentioned
		want  []bot.Part
	}{
		{" /praise   great work", kai, []bot.Part{words("/praise "), at, words(" great work")}},
		{" /praise great work ", kai, []bot.Part{words("/praise "), at, words(" great work")}},
		{"\u2005／praise\u00a0great", kai, []bot.Part{words("/praise "), at, words(" great")}},
		{"　表扬　谢谢你", kai, []bot.Part{words("表扬 "), at, words(" 谢谢你")}},
		{"/huiyin praise great", kai, []bot.Part{words("/huiyin praise "), at, words(" great")}},
		{"回音 表扬 谢谢", kai, []bot.Part{words("回音 表扬 "), at, words(" 谢谢")}},
		{"", kai, []bot.Part{at}},
		{"praise", kai, []bot.Part{words("praise "), at}},
		{"/praise ＠王伟 great", nil, []bot.Part{words("/praise @王伟 great")}},
		{" \u2005\u200b ", nil, nil},
	} {
		if diff := cmp.Diff(c.want, partsOf(c.typed, c.who)); diff != "" {
			t.Errorf("%q with %d mentions is read differently (-want +got):\n%s", c.typed, len(c.who), diff)
		}
	}
}

func TestADeedHasOneIDHoweverOftenItIsDelivered(t *testing.T) {
	press := func(track, user, value string) string {
		d, err := decodeCard(marshal(t, map[string]any{
			"outTrackId": track, "userId": user, "type": "actionCallback",
			"content": string(marshal(t, map[string]any{"cardPrivateData": map[string]any{"params": map[string]any{"action": value}}})),
		}), signedAt)
		if err != nil {
			t.Fatal(err)
		}
		return d.event.ID
	}
	first := press("t1", "lin", `{"n":"a","a":["1"],"k":"x"}`)
	if again := press("t1", "lin", `{"n":"a","a":["1"],"k":"x"}`); again != first {
		t.Errorf("the same press delivered again is %s, want %s", again, first)
	}
	for name, other := range map[string]string{
		"another card": press("t2", "lin", `{"n":"a","a":["1"],"k":"x"}`), "another person": press("t1", "kai", `{"n":"a","a":["1"],"k":"x"}`),
		"another button": press("t1", "lin", `{"n":"a","a":["2"],"k":"x"}`), "another drawing": press("t1", "lin", `{"n":"a","a":["1"],"k":"y"}`),
		"no nonce": press("t1", "lin", `{"n":"a","a":["1"]}`),
	} {
		if other == first {
			t.Errorf("%s has the same id %s", name, other)
		}
	}
}
