package slack

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"huiyin/bot"
)

var signedAt = time.Unix(1762857600, 0).UTC()

// recorded is a payload in testdata/events and the door it came through.
type recorded struct {
	Door    string          `json:"door"`
	Payload json.RawMessage `json:"payload"`
}

// body is the payload as it travels over HTTP.
func (r recorded) body(t *testing.T) []byte {
	t.Helper()
	switch r.Door {
	case "commands":
		var fields map[string]string
		if err := json.Unmarshal(r.Payload, &fields); err != nil {
			t.Fatal(err)
		}
		form := url.Values{}
		for k, v := range fields {
			form.Set(k, v)
		}
		return []byte(form.Encode())
	case "interactions":
		return []byte(url.Values{"payload": {string(r.Payload)}}.Encode())
	}
	return r.Payload
}

// overHTTP and overSocket read a payload as the two ways of delivery do.
func (r recorded) overHTTP(t *testing.T) (delivery, error) {
	t.Helper()
	switch r.Door {
	case "commands":
		return decodeCommandForm(r.body(t), signedAt)
	case "interactions":
		return decodeInteractionForm(r.body(t), signedAt)
	}
	return decodeEvent(r.body(t), "", signedAt)
}

func (r recorded) overSocket(*testing.T) (delivery, error) {
	switch r.Door {
	case "commands":
		return decodeCommandJSON(r.Payload, signedAt)
	case "interactions":
		return decodeInteraction(r.Payload, signedAt)
	}
	return decodeEvent(r.Payload, "", signedAt)
}

func load(t *testing.T, path string) recorded {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var r recorded
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return r
}

func payloads(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob("testdata/events/*.json")
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, p := range all {
		if !strings.HasSuffix(p, ".want.json") {
			paths = append(paths, p)
		}
	}
	if len(paths) < 50 {
		t.Fatalf("testdata/events holds %d payloads", len(paths))
	}
	return paths
}

// seen is a delivery as the golden files record it.
type seen struct {
	Outcome   string       `json:"outcome"`
	Event     *bot.Event   `json:"event,omitempty"`
	Trigger   string       `json:"trigger,omitempty"`
	Response  string       `json:"response,omitempty"`
	View      string       `json:"view,omitempty"`
	Inputs    []string     `json:"inputs,omitempty"`
	Ephemeral bool         `json:"ephemeral,omitempty"`
	Raw       string       `json:"raw,omitempty"`
	Thread    string       `json:"thread,omitempty"`
	Changed   *bot.Account `json:"changed,omitempty"`
	Notice    string       `json:"notice,omitempty"`
	Challenge string       `json:"challenge,omitempty"`
}

func show(d delivery, err error) seen {
	switch {
	case errors.Is(err, errNothing):
		return seen{Outcome: "nothing for us"}
	case errors.Is(err, errMalformed):
		return seen{Outcome: "malformed"}
	case err != nil:
		return seen{Outcome: "error"}
	}
	s := seen{
		Outcome: "taken", Trigger: d.trigger, Response: d.response, View: d.view, Inputs: d.inputs, Ephemeral: d.ephemeral, Raw: d.raw,
		Thread: d.thread, Notice: d.notice, Challenge: d.challenge,
	}
	if d.event.ID != "" || d.event.User != "" {
		s.Event = &d.event
	}
	if d.changed.ID != "" {
		s.Changed = &d.changed
	}
	return s
}

func TestPayloadsOfSlackBecomeTheRecordedEvents(t *testing.T) {
	for _, path := range payloads(t) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".json"), func(t *testing.T) {
			r := load(t, path)
			d, err := r.overHTTP(t)
			golden(t, strings.TrimSuffix(path, ".json")+".want.json", prune(t, show(d, err)))
			same, sameErr := r.overSocket(t)
			if diff := cmp.Diff(show(d, err), show(same, sameErr)); diff != "" {
				t.Errorf("Socket Mode reads it differently (-webhook +socket):\n%s", diff)
			}
			if err == nil && d.event.User != "" && d.source != fromSuggestion {
				set := 0
				for _, there := range []bool{d.event.Command != nil, d.event.Action != nil, d.event.Form != nil, d.event.Home != nil} {
					if there {
						set++
					}
				}
				if set != 1 || d.event.ID == "" || d.event.Tenant == "" || d.event.Where.Kind == 0 {
					t.Errorf("the event has %d deeds, id %q, tenant %q, place %v", set, d.event.ID, d.event.Tenant, d.event.Where)
				}
			}
		})
	}
}

// prune leaves out what says nothing, so that a golden file can be read.
func prune(t *testing.T, v any) any {
	t.Helper()
	var plain any
	if err := json.Unmarshal(marshal(t, v), &plain); err != nil {
		t.Fatal(err)
	}
	var walk func(any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			if len(v) == 0 {
				return v
			}
			for key, e := range v {
				if e = walk(e); e == nil || e == "" || e == false || e == 0.0 {
					delete(v, key)
				} else {
					v[key] = e
				}
			}
			if len(v) == 0 {
				return nil
			}
		case []any:
			for i, e := range v {
				v[i] = walk(e)
			}
		}
		return v
	}
	return walk(plain)
}

func TestRedeliveryKeepsTheEventsID(t *testing.T) {
	for _, path := range payloads(t) {
		r := load(t, path)
		first, err := r.overHTTP(t)
		if err != nil {
			continue
		}
		again, err := r.overHTTP(t)
		if err != nil || first.event.ID != again.event.ID {
			t.Errorf("%s: delivered again it has the id %q, before %q", path, again.event.ID, first.event.ID)
		}
	}
}

func TestTypedTextIsRead(t *testing.T) {
	user := func(id, label string) bot.Part {
		return bot.Part{Mention: &bot.Mentioned{User: id, Label: label}}
	}
	group := func(label string) bot.Part {
		return bot.Part{Mention: &bot.Mentioned{Group: true, Label: label}}
	}
	text := func(s string) bot.Part { return bot.Part{Text: s} }
	for _, c := range []struct {
		raw  string
		want []bot.Part
	}{
		{"", nil},
		{"   ", nil},
		{"\u3000", nil},
		{"\u200b", nil},
		{"hello", []bot.Part{text("hello")}},
		{"<@U1A|bob> hi", []bot.Part{user("U1A", "bob"), text(" hi")}},
		{"<@U1A><@W2B|@mei>", []bot.Part{user("U1A", ""), user("W2B", "mei")}},
		{"<@u1a|bob>", []bot.Part{text("<@u1a|bob>")}},
		{"<@U1A|&lt;b&gt;>", []bot.Part{user("U1A", "<b>")}},
		{"a &amp;lt; b", []bot.Part{text("a &lt; b")}},
		{"&lt;!channel&gt;", []bot.Part{text("<!channel>")}},
		{"<!channel> <!here|x> <!everyone> <!subteam^S1|@team> <!subteam^S1>", []bot.Part{group("channel"), text(" "), group("here"), text(" "), group("everyone"), text(" "), group("team"), text(" "), group("subteam")}},
		{"<!date^1392734382^{date}|18 February>", []bot.Part{text("18 February")}},
		{"<#C1|general> <#C2>", []bot.Part{text("#general #C2")}},
		{"<https://a.example> <http://b.example|b.example> <https://c.example|words> <mailto:a@b.c|a@b.c>", []bot.Part{text("https://a.example b.example words (https://c.example) a@b.c")}},
		{"<https://a.example/?a=1&amp;b=2>", []bot.Part{text("https://a.example/?a=1&b=2")}},
		{"1 < 2 > 3 <", []bot.Part{text("1 < 2 > 3 <")}},
		{"<<@U1A>", []bot.Part{text("<"), user("U1A", "")}},
		{"／praise", []bot.Part{text("/praise")}},
		{"a　b\u00a0c", []bot.Part{text("a b c")}},
	} {
		if diff := cmp.Diff(c.want, parseTyped(c.raw)); diff != "" {
			t.Errorf("%q is read differently (-want +got):\n%s", c.raw, diff)
		}
	}
}

// What a person types comes back as it was typed when Slack's escaping is undone, whatever it is.
func TestTypedTextSurvivesSlacksEscaping(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		said := rapid.StringOf(rapid.SampledFrom([]rune("ab &<>;@!#|ltgamp谢"))).Draw(rt, "said")
		want := strings.Trim(said, " ")
		var got strings.Builder
		for _, p := range parseTyped(escape(said)) {
			if p.Mention != nil {
				rt.Fatalf("typed words became a mention: %q", said)
			}
			got.WriteString(p.Text)
		}
		if got.String() != want {
			rt.Errorf("typed %q, read %q", said, got.String())
		}
	})
}

func TestActionsSurviveTheWayThroughSlack(t *testing.T) {
	for _, path := range []string{"testdata/events/button_second_of_its_name.json"} {
		d, err := load(t, path).overHTTP(t)
		if err != nil || d.event.Action == nil || d.event.Action.Name != "choose" || d.event.Action.Arg(0) != "2" {
			t.Errorf("%s became %+v, %v; want action choose with argument 2", path, d.event.Action, err)
		}
	}
}

func checkDecoded(t *testing.T, d delivery, err error) {
	t.Helper()
	if err != nil {
		if !errors.Is(err, errNothing) && !errors.Is(err, errMalformed) {
			t.Errorf("an unforeseen error: %v", err)
		}
		return
	}
	if c := d.event.Command; c != nil {
		for _, p := range c.Parts {
			if !utf8.ValidString(p.Text) || strings.ContainsAny(p.Text, "\x00\u202e\u200b\u00a0\u3000") || (p.Text == "") == (p.Mention == nil) {
				t.Errorf("a part that should not be: %+q", p.Text)
			}
			if p.Mention != nil && (p.Mention.User == "") != p.Mention.Group {
				t.Errorf("a mention that should not be: %+v", *p.Mention)
			}
		}
	}
	if f := d.event.Form; f != nil {
		for name, values := range f.Values {
			if len(values) == 0 {
				t.Errorf("field %q has no value and is there", name)
			}
		}
	}
}

func FuzzDecodeCommand(f *testing.F) {
	f.Add([]byte(vectorBody))
	f.Add([]byte("command=%2Fpraise&user_id=U1&trigger_id=1&text=%3C%40U1%7Cbob%3E+%00%E2%80%AE"))
	f.Add([]byte("command=%zz"))
	f.Add([]byte(`{"command":"/x","user_id":"U1","trigger_id":"1","text":"<@U1|a>"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := decodeCommandForm(body, signedAt)
		checkDecoded(t, d, err)
		d, err = decodeCommandJSON(body, signedAt)
		checkDecoded(t, d, err)
	})
}

func FuzzDecodeInteraction(f *testing.F) {
	addEvents(f, "interactions")
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := decodeInteraction(body, signedAt)
		checkDecoded(t, d, err)
		d, err = decodeInteractionForm(body, signedAt)
		checkDecoded(t, d, err)
	})
}

func FuzzDecodeEvent(f *testing.F) {
	addEvents(f, "events")
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := decodeEvent(body, "U0BOT", signedAt)
		checkDecoded(t, d, err)
	})
}

func addEvents(f *testing.F, door string) {
	f.Helper()
	paths, err := filepath.Glob("testdata/events/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		var r recorded
		if json.Unmarshal(raw, &r) == nil && r.Door == door {
			var b bytes.Buffer
			if json.Compact(&b, r.Payload) == nil {
				f.Add(b.Bytes())
			}
		}
	}
}

func FuzzTyped(f *testing.F) {
	f.Add("<@U1|bob> &amp; <!channel> <https://x|y>")
	f.Add("<<<>>><@U1")
	f.Fuzz(func(t *testing.T, raw string) {
		checkDecoded(t, delivery{event: bot.Event{Command: &bot.Command{Parts: parseTyped(raw)}}}, nil)
	})
}
