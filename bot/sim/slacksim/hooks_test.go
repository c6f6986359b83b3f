package slacksim

import (
	"net/http"
	"testing"
	"time"
)

const jsonUTF8 = "application/json; charset=utf-8"

// hook runs a command and returns its response_url.
func (w *office) hook(t *testing.T) string {
	t.Helper()
	w.slash(t, "")
	return w.bot.last(t).form(t).Get("response_url")
}

func TestAResponseURLWorksFiveTimesWithinThirtyMinutes(t *testing.T) {
	w := newOffice(t, quiet)
	url := w.hook(t)
	for i := 1; i <= 6; i++ {
		want := http.StatusOK
		if i == 6 {
			want = http.StatusNotFound
		}
		if status, _, got := w.post(t, url, jsonUTF8, "", `{"text":"x"}`); status != want {
			t.Errorf("use %d answers %d %s, want %d", i, status, encodeJSON(got), want)
		}
	}
	fresh := w.hook(t)
	w.Advance(30 * time.Minute)
	if status, _, _ := w.post(t, fresh, jsonUTF8, "", `{"text":"x"}`); status != http.StatusOK {
		t.Errorf("after exactly 30 minutes it answers %d, want 200", status)
	}
	w.Advance(time.Millisecond)
	if status, _, got := w.post(t, fresh, jsonUTF8, "", `{"text":"x"}`); status != http.StatusNotFound || got["error"] != "expired_url" {
		t.Errorf("after more than 30 minutes it answers %d %v, want 404 expired_url", status, got["error"])
	}
	if status, _, _ := w.post(t, w.url+"/commands/T0HUIYIN01/397700885001/guess", jsonUTF8, "", `{"text":"x"}`); status != http.StatusNotFound {
		t.Errorf("a guessed address answers %d, want 404", status)
	}
}

func TestWhatAResponseURLDoes(t *testing.T) {
	w := newOffice(t, quiet)
	posted := w.api(t, "chat.postMessage", obj{"channel": w.general, "text": "press", "blocks": inActions(button(obj{"action_id": "go"}))})
	ts, _ := posted["ts"].(string)
	if _, err := w.Click(w.lin, Place{Channel: w.general, TS: ts}, Press{Action: "go"}); err != nil {
		t.Fatal(err)
	}
	url, _ := w.bot.last(t).payload(t)["response_url"].(string)
	say := func(body string) obj {
		_, _, got := w.post(t, url, jsonUTF8, "", body)
		return got
	}
	wantError(t, "a text", say(`{"text":"for you"}`), "")
	if lin, kai := len(w.Messages(w.general, w.lin)), len(w.Messages(w.general, w.kai)); lin != 2 || kai != 1 {
		t.Errorf("a text is seen by Lin as %d and by Kai as %d messages, want 2 and 1: it is ephemeral by default", lin, kai)
	}
	wantError(t, "a text in the channel", say(`{"text":"for all","response_type":"in_channel"}`), "")
	if kai := len(w.Messages(w.general, w.kai)); kai != 2 {
		t.Errorf("Kai sees %d messages, want 2", kai)
	}
	wantError(t, "a replacement", say(`{"text":"pressed","replace_original":true}`), "")
	if m := w.Messages(w.general, w.kai)[0]; m.Text != "pressed" || m.Blocks != nil {
		t.Errorf("the message was replaced by %q with blocks %s", m.Text, m.Blocks)
	}
	wantError(t, "bad blocks", say(`{"text":"x","blocks":[{"type":"nope"}]}`), "invalid_blocks")
	wantError(t, "a deletion", say(`{"delete_original":true}`), "")
	if m := w.Messages(w.general, w.kai); len(m) != 1 || m[0].Text != "for all" {
		t.Errorf("after the deletion Kai sees %d messages", len(m))
	}
}

func TestAResponseURLWorksWhereTheBotIsNoMember(t *testing.T) {
	w := newOffice(t, quiet)
	if _, err := w.Slash(w.lin, w.private, "/praise", ""); err != nil {
		t.Fatal(err)
	}
	url := w.bot.last(t).form(t).Get("response_url")
	_, _, got := w.post(t, url, jsonUTF8, "", `{"text":"x"}`)
	wantError(t, "answering in a private channel", got, "")
	if len(w.Messages(w.private, w.lin)) != 1 {
		t.Error("the answer is not there")
	}
	if status, _, _ := w.post(t, url, jsonUTF8, "", `{"text":`); status != http.StatusBadRequest {
		t.Errorf("broken JSON answers %d, want 400", status)
	}
	_, _, got = w.post(t, url, "application/x-www-form-urlencoded", "", `payload=%7B%22text%22%3A%22form%22%7D`)
	wantError(t, "answering by form", got, "")
}

func TestReplacingAnEphemeralMessageKeepsItEphemeral(t *testing.T) {
	w := newOffice(t, quiet)
	w.api(t, "chat.postEphemeral", obj{"channel": w.general, "user": w.lin, "text": "x", "blocks": inActions(button(obj{"action_id": "go"}))})
	m := w.Messages(w.general, w.lin)[0]
	if _, err := w.Click(w.kai, Place{Channel: w.general, TS: m.TS}, Press{Action: "go"}); err == nil {
		t.Error("Kai can press a button in Lin's ephemeral message")
	}
	if _, err := w.Click(w.lin, Place{Channel: w.general, TS: m.TS}, Press{Action: "go"}); err != nil {
		t.Fatal(err)
	}
	p := w.bot.last(t).payload(t)
	if p["message"] != nil || p["container"].(map[string]any)["is_ephemeral"] != true {
		t.Error("the payload of an ephemeral message carries the message, or does not say is_ephemeral")
	}
	url, _ := p["response_url"].(string)
	w.post(t, url, jsonUTF8, "", `{"text":"done","replace_original":true}`)
	if got := w.Messages(w.general, w.lin); len(got) != 1 || got[0].Text != "done" || got[0].EphemeralTo != w.lin {
		t.Errorf("Lin sees %+v", got)
	}
}
