package slack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/bot/card/cardtest"
	"huiyin/internal/fault"
)

func aCard(title string) *card.Card {
	return &card.Card{Title: title, Blocks: []card.Block{card.Say("words of the card")}}
}

func aForm() *card.Form {
	return &card.Form{Title: "Praise", Submit: "Send", Action: card.Act("praise.send", "7"), Fields: []card.Field{card.TextField{Name: "text", Label: "Text"}}}
}

func TestACommandIsAnsweredInItsAcknowledgement(t *testing.T) {
	private := aCard("Hidden")
	private.Tone = card.Private
	for _, c := range []struct {
		name  string
		reply bot.Reply
		kind  string
	}{
		{"to the person", bot.Reply{Card: aCard("Done")}, "ephemeral"},
		{"to the channel", bot.Reply{Card: aCard("Done"), Public: true}, "in_channel"},
		{"a private card asked to be public", bot.Reply{Card: private, Public: true}, "ephemeral"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			w := r.deliver(t, "command_praise", reply(c.reply))
			if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
				t.Fatalf("the answer is %d %s", w.Code, w.Header().Get("Content-Type"))
			}
			got := decoded(t, w.Body.Bytes())
			if got["response_type"] != c.kind || got["text"] == "" || len(got["blocks"].([]any)) == 0 {
				t.Errorf("the answer is %v, want response_type %s with text and blocks", got, c.kind)
			}
			r.fake.quiet(t)
		})
	}
}

func TestAnEmptyReplyIsAnEmptyAcknowledgement(t *testing.T) {
	for _, name := range []string{"command_praise", "button_in_message", "message_im", "app_home_opened", "shortcut"} {
		r := newRig(t)
		if w := r.deliver(t, name, reply(bot.Reply{})); w.Code != http.StatusOK || w.Body.Len() > 0 {
			t.Errorf("%s: an empty reply is answered %d %q", name, w.Code, w.Body)
		}
		r.fake.quiet(t)
	}
}

func TestNothingHappensBeforeTheSignatureIsChecked(t *testing.T) {
	r := newRig(t)
	never := func(context.Context, bot.Event) (bot.Reply, error) {
		t.Error("the product was asked")
		return bot.Reply{}, nil
	}
	for _, path := range []string{"/slack/commands", "/slack/interactions", "/slack/options", "/slack/events"} {
		for name, spoil := range map[string]func(*http.Request){
			"bad signature":     func(q *http.Request) { q.Header.Set("X-Slack-Signature", vectorSignature) },
			"no signature":      func(q *http.Request) { q.Header.Del("X-Slack-Signature") },
			"no timestamp":      func(q *http.Request) { q.Header.Del("X-Slack-Request-Timestamp") },
			"timestamp changed": func(q *http.Request) { q.Header.Set("X-Slack-Request-Timestamp", fmt.Sprint(r.now.Unix()+1)) },
		} {
			for _, raw := range []string{`{"type":"url_verification","challenge":"x"}`, "ssl_check=1", "%%%", "", "payload=%7B%7D"} {
				req := r.request(t, path, []byte(raw))
				spoil(req)
				if w := r.serve(never, req); w.Code != http.StatusUnauthorized || w.Body.Len() != 0 {
					t.Errorf("%s with %s and body %q: %d %q, want 401 and not a word", path, name, raw, w.Code, w.Body)
				}
			}
		}
		old := r.request(t, path, []byte("ssl_check=1"))
		r.now = r.now.Add(301 * time.Second)
		if w := r.serve(never, old); w.Code != http.StatusUnauthorized {
			t.Errorf("%s: a request of five minutes ago is answered %d, want 401", path, w.Code)
		}
	}
}

func TestAnswersToWhatIsNoDeed(t *testing.T) {
	r := newRig(t)
	never := func(context.Context, bot.Event) (bot.Reply, error) {
		t.Error("the product was asked")
		return bot.Reply{}, nil
	}
	get := func(method, target string) *http.Request {
		return httptest.NewRequestWithContext(t.Context(), method, target, nil)
	}
	chunked := r.request(t, "/slack/commands", []byte(strings.Repeat("x", maxBody+1)))
	chunked.ContentLength = -1
	short := r.request(t, "/slack/commands", []byte("x=1"))
	short.ContentLength = 10
	for _, c := range []struct {
		name string
		req  *http.Request
		want int
	}{
		{"GET", get(http.MethodGet, "/slack/commands"), 405},
		{"PUT", get(http.MethodPut, "/slack/events"), 405},
		{"GET with ssl_check", get(http.MethodGet, "/slack/commands?ssl_check=1&token=x"), 200},
		{"POST with ssl_check", r.request(t, "/slack/commands", []byte("ssl_check=1&token=x")), 200},
		{"interaction with ssl_check", r.request(t, "/slack/interactions", []byte("ssl_check=1")), 200},
		{"too large", r.request(t, "/slack/commands", []byte(strings.Repeat("x", maxBody+1))), 413},
		{"too large without a length", chunked, 413},
		{"as large as may be and no command", r.request(t, "/slack/commands", []byte(strings.Repeat("x", maxBody))), 400},
		{"shorter than it says", short, 400},
		{"empty command", r.request(t, "/slack/commands", nil), 400},
		{"broken escape", r.request(t, "/slack/commands", []byte("command=%zz")), 400},
		{"command without user", r.request(t, "/slack/commands", []byte("command=%2Fpraise")), 400},
		{"interaction without payload", r.request(t, "/slack/interactions", []byte("x=1")), 400},
		{"interaction that is no JSON", r.request(t, "/slack/interactions", []byte("payload=%7B")), 400},
		{"interaction of a future kind", r.request(t, "/slack/interactions", []byte(`payload={"type":"telepathy","user":{"id":"U1"}}`)), 200},
		{"event that is no JSON", r.request(t, "/slack/events", []byte("{")), 400},
		{"event that is a list", r.request(t, "/slack/events", []byte("[]")), 400},
		{"event deep as a well", r.request(t, "/slack/events", []byte(strings.Repeat(`{"event":`, 20_000))), 400},
		{"event of another type", r.request(t, "/slack/events", []byte(`{"type":"x"}`)), 200},
	} {
		if w := r.serve(never, c.req); w.Code != c.want {
			t.Errorf("%s: answered %d, want %d", c.name, w.Code, c.want)
		}
	}
	w := r.serve(never, r.request(t, "/slack/events", []byte(`{"type":"url_verification","challenge":"abc"}`)))
	if got := decoded(t, w.Body.Bytes()); w.Code != 200 || got["challenge"] != "abc" {
		t.Errorf("a signed url_verification is answered %d %v", w.Code, got)
	}
	w = r.serve(never, r.request(t, "/slack/options", []byte(`payload={"type":"block_suggestion","user":{"id":"U1"}}`)))
	if got := decoded(t, w.Body.Bytes()); w.Code != 200 || len(got["options"].([]any)) != 0 {
		t.Errorf("a wish for options is answered %d %v", w.Code, got)
	}
}

func TestADatabaseThatIsAwayIs503AndASentence(t *testing.T) {
	for name, said := range map[string]bool{"command_praise": true, "button_in_message": true, "submission": false, "message_im": false} {
		r := newRig(t)
		w := r.deliver(t, name, fails(fmt.Errorf("handling: %w", fault.New(fault.Unavailable, "storage.away"))))
		if w.Code != http.StatusServiceUnavailable || w.Body.Len() != 0 {
			t.Errorf("%s: answered %d %q, want 503", name, w.Code, w.Body)
		}
		if said {
			if got := r.fake.next(t, "response").JSON; got["response_type"] != "ephemeral" || !strings.Contains(fmt.Sprint(got["text"]), "Nothing was saved") {
				t.Errorf("%s: the person reads %v, want that nothing was saved", name, got)
			}
		}
	}
}

func TestAPanicIs500AndAnIncidentAndNoWords(t *testing.T) {
	r := newRig(t)
	w := r.deliver(t, "command_praise", func(context.Context, bot.Event) (bot.Reply, error) { panic("secret words") })
	if w.Code != http.StatusInternalServerError {
		t.Errorf("answered %d, want 500", w.Code)
	}
	text := fmt.Sprint(r.fake.next(t, "response").JSON["text"])
	_, after, _ := strings.Cut(text, "incident ")
	if id := strings.TrimRight(after, "."); len(id) != 8 || !strings.Contains(r.log.String(), id) {
		t.Errorf("the person reads %q, and the log does not have that incident: %s", text, r.log)
	}
	if strings.Contains(r.log.String(), "secret words") {
		t.Error("the value of the panic is in the log")
	}
}

func TestErrorsOfTheProductBecomeSentences(t *testing.T) {
	r := newRig(t)
	w := r.deliver(t, "command_praise", fails(errors.New("pq: column does not exist")))
	got := decoded(t, w.Body.Bytes())
	if text := fmt.Sprint(got["text"]); w.Code != 200 || got["response_type"] != "ephemeral" || !strings.Contains(text, "incident") || strings.Contains(text, "pq:") {
		t.Errorf("an internal error is answered %d %v, want a sentence with an incident", w.Code, got)
	}
	w = r.deliver(t, "command_praise", fails(fault.New(fault.Forbidden, "slack.private")))
	if got := decoded(t, w.Body.Bytes()); w.Code != 200 || !strings.Contains(fmt.Sprint(got["text"]), "private") {
		t.Errorf("a fault is answered %d %v, want its words", w.Code, got)
	}
	if w = r.deliver(t, "command_praise", fails(fault.New(fault.Duplicate, "x"))); w.Code != 200 || w.Body.Len() != 0 {
		t.Errorf("a deed that counts already is answered %d %q, want nothing", w.Code, w.Body)
	}
	w = r.deliver(t, "submission", fails(fault.Join(fault.New(fault.Invalid, "slack.private").In("text"), fault.New(fault.Invalid, "slack.archived").In("elsewhere"))))
	if got := decoded(t, w.Body.Bytes()); got["response_action"] != "errors" || len(got["errors"].(map[string]any)) != 2 {
		t.Errorf("faults about fields are answered %v, want errors at the form", got)
	}
	r.fake.quiet(t)
}

// Slack waits three seconds whatever the product does.
func TestAHandlerThatHangsIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &Slack{cfg: Config{}}
		start := time.Now() //nolint:forbidigo // the bubble's own clock
		_, err := r.receive(t.Context(), func(ctx context.Context, _ bot.Event) (bot.Reply, error) {
			<-ctx.Done()
			if took := time.Since(start); took != handlerTime { //nolint:forbidigo // the bubble's own clock
				t.Errorf("the handler's time ends after %s, want %s", took, handlerTime)
			}
			time.Sleep(time.Minute) //nolint:forbidigo // it does not heed its context
			return bot.Reply{}, nil
		}, bot.Event{})
		if took := time.Since(start); !errors.Is(err, errLate) || took >= 3*time.Second { //nolint:forbidigo // the bubble's own clock
			t.Errorf("came back with %v after %s, want errLate in less than 3 s", err, took)
		}
		time.Sleep(2 * time.Minute) //nolint:forbidigo // lets the handler end inside the bubble
	})
}

func TestAFormIsOpenedAfterTheAcknowledgement(t *testing.T) {
	r := newRig(t)
	acknowledged := make(chan struct{})
	r.fake.do("views.open", func(w http.ResponseWriter, q *http.Request) {
		<-acknowledged
		body(`{"ok":true}`)(w, q)
	})
	for _, name := range []string{"command_bare", "button_in_message", "button_in_home", "shortcut"} {
		if w := r.deliver(t, name, reply(bot.Reply{Form: aForm()})); w.Code != 200 || w.Body.Len() != 0 {
			t.Errorf("%s: answered %d %q, want an empty 200 at once", name, w.Code, w.Body)
		}
	}
	close(acknowledged)
	for range 4 {
		c := r.fake.next(t, "views.open")
		view, _ := c.JSON["view"].(map[string]any)
		if c.JSON["trigger_id"] == "" || view["callback_id"] != "praise.send" || c.Auth != "Bearer "+testToken {
			t.Errorf("views.open was called with %v", c.JSON)
		}
	}
}

func TestAFormThatDoesNotOpenIsSaid(t *testing.T) {
	r := newRig(t)
	r.fake.say("views.open", `{"ok":false,"error":"expired_trigger_id"}`)
	r.deliver(t, "command_bare", reply(bot.Reply{Form: aForm()}))
	r.fake.next(t, "views.open")
	if got := r.fake.next(t, "response").JSON; !strings.Contains(fmt.Sprint(got["text"]), "could not be opened") {
		t.Errorf("the person reads %v", got)
	}
}

func TestASubmissionIsAnswered(t *testing.T) {
	long := &card.Card{Title: cardtest.Long(80), Blocks: []card.Block{card.Say("done")}}
	for _, c := range []struct {
		name  string
		reply bot.Reply
		check func(got map[string]any) bool
	}{
		{"nothing more", bot.Reply{}, func(got map[string]any) bool { return got["response_action"] == "clear" }},
		{"errors at their fields", bot.Reply{Errors: map[string]string{"text": "Too short", "to": "Who?"}}, func(got map[string]any) bool {
			e := got["errors"].(map[string]any)
			return got["response_action"] == "errors" && len(e) == 2 && e["text"] == "Too short" && e["to"] == "Who?"
		}},
		{"an error at a field that is not there", bot.Reply{Errors: map[string]string{"nowhere": "Lost"}}, func(got map[string]any) bool {
			e := got["errors"].(map[string]any)
			return len(e) == 1 && e["to"] == "Lost"
		}},
		{"a card", bot.Reply{Card: aCard("Sent")}, func(got map[string]any) bool {
			v := got["view"].(map[string]any)
			return got["response_action"] == "update" && v["type"] == "modal" && v["submit"] == nil && v["title"].(map[string]any)["text"] == "Sent"
		}},
		{"a card with a long title", bot.Reply{Card: long}, func(got map[string]any) bool {
			v := got["view"].(map[string]any)
			return len(v["title"].(map[string]any)["text"].(string)) <= 26 && v["blocks"].([]any)[0].(map[string]any)["type"] == "header"
		}},
		{"another form", bot.Reply{Form: aForm()}, func(got map[string]any) bool {
			return got["response_action"] == "update" && got["view"].(map[string]any)["callback_id"] == "praise.send"
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			w := r.deliver(t, "submission", reply(c.reply))
			if got := decoded(t, w.Body.Bytes()); w.Code != 200 || !c.check(got) {
				t.Errorf("answered %d %v", w.Code, got)
			}
			r.fake.quiet(t)
		})
	}
	r := newRig(t)
	w := r.deliver(t, "submission", reply(bot.Reply{Card: aCard("Praise"), Public: true}))
	if got := decoded(t, w.Body.Bytes()); got["response_action"] != "clear" {
		t.Errorf("a submission with a public answer leaves the form as %v, want it closed", got)
	}
	if got := r.fake.next(t, "chat.postMessage").Form.Get("channel"); got != "C0GENERAL" {
		t.Errorf("the public answer goes to %q, want the channel that the form came from", got)
	}
}

func TestAButtonIsAnsweredThroughItsResponseAddress(t *testing.T) {
	private := aCard("Hidden")
	private.Tone = card.Private
	for _, c := range []struct {
		name, payload string
		reply         bot.Reply
		kind          any
		replace       bool
	}{
		{"beside the message", "button_in_message", bot.Reply{Card: aCard("Done")}, "ephemeral", false},
		{"to everybody", "button_in_message", bot.Reply{Card: aCard("Done"), Public: true}, "in_channel", false},
		{"in its place", "button_in_message", bot.Reply{Card: aCard("Done"), Replace: true}, nil, true},
		{"a private card in the place of one's own", "button_in_channel_ephemeral", bot.Reply{Card: private, Replace: true}, nil, true},
		{"a private card in the place of everybody's", "button_in_channel_public", bot.Reply{Card: private, Replace: true, Public: true}, "ephemeral", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			if w := r.deliver(t, c.payload, reply(c.reply)); w.Code != 200 || w.Body.Len() != 0 {
				t.Errorf("answered %d %q, want an empty 200", w.Code, w.Body)
			}
			got := r.fake.next(t, "response")
			if got.JSON["response_type"] != c.kind || got.JSON["replace_original"] != c.replace || got.Auth != "" {
				t.Errorf("the response address got %v with token %q", got.JSON, got.Auth)
			}
		})
	}
}

func TestAClosedResponseAddressIsGoneAround(t *testing.T) {
	r := newRig(t)
	r.fake.do("response", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	r.deliver(t, "button_in_message", reply(bot.Reply{Card: aCard("Done"), Replace: true}))
	r.fake.next(t, "response")
	if got := r.fake.next(t, "chat.update").Form; got.Get("channel") != "D0KAI" || got.Get("ts") != "1762857000.000200" {
		t.Errorf("chat.update was called with %v", got)
	}
	r.deliver(t, "button_in_channel_ephemeral", reply(bot.Reply{Card: aCard("Done")}))
	r.fake.next(t, "response")
	if got := r.fake.next(t, "chat.postEphemeral").Form; got.Get("channel") != "C0GENERAL" || got.Get("user") != "U0KAI" {
		t.Errorf("chat.postEphemeral was called with %v", got)
	}
}

func TestButtonsInModalsAndAtHomeAnswerThere(t *testing.T) {
	for _, c := range []struct {
		name, payload string
		reply         bot.Reply
		method        string
	}{
		{"a card on top of a modal", "button_in_modal", bot.Reply{Card: aCard("More")}, "views.push"},
		{"a card in a modal's place", "button_in_modal", bot.Reply{Card: aCard("More"), Replace: true}, "views.update"},
		{"a form on top of a modal", "button_in_modal", bot.Reply{Form: aForm()}, "views.push"},
		{"a card at home", "button_in_home", bot.Reply{Card: aCard("More")}, "views.open"},
		{"a new home", "button_in_home", bot.Reply{Home: aCard("Home")}, "views.publish"},
		{"a home that was opened", "app_home_opened", bot.Reply{Home: aCard("Home")}, "views.publish"},
		{"a card after a shortcut", "shortcut", bot.Reply{Card: aCard("More")}, "views.open"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.deliver(t, c.payload, reply(c.reply))
			got := r.fake.next(t, c.method)
			if c.method == "views.publish" && got.JSON["user_id"] == "" {
				t.Errorf("views.publish was called with %v", got.JSON)
			}
		})
	}
	r := newRig(t)
	r.fake.say("views.push", `{"ok":false,"error":"push_limit_reached"}`)
	r.deliver(t, "button_in_modal", reply(bot.Reply{Card: aCard("Deep")}))
	r.fake.next(t, "views.push")
	if got := r.fake.next(t, "views.update").JSON; got["view_id"] != "V0VIEW" {
		t.Errorf("a third modal is put in the place of %v", got["view_id"])
	}
}

func TestWordsAreAnsweredWhereTheyWereSaid(t *testing.T) {
	r := newRig(t)
	r.deliver(t, "message_im", reply(bot.Reply{Card: aCard("Done")}))
	if got := r.fake.next(t, "chat.postMessage").Form; got.Get("channel") != "D0LIN" || got.Get("thread_ts") != "" || got.Get("parse") != "none" {
		t.Errorf("a direct message is answered with %v", got)
	}
	r.deliver(t, "message_im_in_thread", reply(bot.Reply{Card: aCard("Done")}))
	if got := r.fake.next(t, "chat.postMessage").Form; got.Get("thread_ts") != "1762857000.000100" {
		t.Errorf("a message in a thread is answered with %v", got)
	}
	r.deliver(t, "app_mention", reply(bot.Reply{Card: aCard("Done")}))
	if got := r.fake.next(t, "chat.postEphemeral").Form; got.Get("channel") != "C0GENERAL" || got.Get("user") != "U0LIN" {
		t.Errorf("a mention is answered with %v", got)
	}
	r.deliver(t, "app_mention", reply(bot.Reply{Card: aCard("Done"), Public: true}))
	if got := r.fake.next(t, "chat.postMessage").Form; got.Get("channel") != "C0GENERAL" {
		t.Errorf("a mention is answered publicly with %v", got)
	}
	r.fake.say("chat.postEphemeral", `{"ok":false,"error":"not_in_channel"}`)
	r.deliver(t, "app_mention", reply(bot.Reply{Card: aCard("Done")}))
	r.fake.next(t, "chat.postEphemeral")
	if got := r.fake.next(t, "chat.postMessage").Form; got.Get("channel") != "U0LIN" {
		t.Errorf("a mention where the bot is no member is answered with %v", got)
	}
}

func TestAReplyToWordsIsTriedAgainWhenSlackIsBusy(t *testing.T) {
	r := newRig(t)
	var once sync.Once
	r.fake.do("chat.postMessage", func(w http.ResponseWriter, q *http.Request) {
		busy := false
		once.Do(func() { busy = true })
		if busy {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		body(`{"ok":true,"channel":"D1","ts":"1.2"}`)(w, q)
	})
	r.deliver(t, "message_im", reply(bot.Reply{Card: aCard("Done")}))
	r.fake.next(t, "chat.postMessage")
	r.fake.next(t, "chat.postMessage")
}

// Words bring no trigger id along, so a form waits behind a button, and the button brings the words back.
func TestAFormAskedForInWordsOpensByAButton(t *testing.T) {
	r := newRig(t)
	r.deliver(t, "message_im_mentions_the_bot", reply(bot.Reply{Form: aForm()}))
	blocks := r.fake.next(t, "chat.postMessage").Form.Get("blocks")
	if !strings.Contains(blocks, `"action_id":"~form"`) || !strings.Contains(blocks, `"value":"help"`) || !strings.Contains(blocks, "Open the form") {
		t.Errorf("the blocks are %s, want a button that carries the words", blocks)
	}
	heard := make(chan bot.Event, 1)
	r.deliver(t, "button_open_form", func(_ context.Context, e bot.Event) (bot.Reply, error) {
		heard <- e
		return bot.Reply{Form: aForm()}, nil
	})
	if e := <-heard; e.Command == nil || len(e.Command.Parts) != 2 || e.Command.Parts[1].Mention == nil {
		t.Errorf("the press came back as %+v, want the words that were typed", e.Command)
	}
	r.fake.next(t, "views.open")
}

func TestMembersWhoChangeAreHandedOn(t *testing.T) {
	changed := make(chan bot.Account, 2)
	r := newRig(t, func(c *Config) { c.Refresh = func(_ context.Context, a bot.Account) { changed <- a } })
	r.deliver(t, "team_join", fails(errors.New("not asked")))
	r.deliver(t, "user_change_deactivated", fails(errors.New("not asked")))
	got := map[bot.AccountKind]bool{}
	for range 2 {
		select {
		case a := <-changed:
			got[a.Kind] = a.ID == "U0NEW" && a.Email == "wei@example.com"
		case <-time.After(patience):
			t.Fatal("a changed member is not handed on")
		}
	}
	if !got[bot.Member] || !got[bot.Gone] {
		t.Errorf("handed on: %v, want a member who came and one who left", got)
	}
	if w := newRig(t).deliver(t, "team_join", fails(errors.New("not asked"))); w.Code != 200 {
		t.Errorf("without a listener a new member is answered %d", w.Code)
	}
}

// R11: a Slack that hangs does not hold up acknowledgements and does not pile up goroutines.
func TestAHangingSlackHoldsUpNothing(t *testing.T) {
	r := newRig(t)
	release := make(chan struct{})
	hang := func(w http.ResponseWriter, q *http.Request) {
		<-release
		body(`{"ok":true}`)(w, q)
	}
	r.fake.do("views.open", hang)
	before := runtime.NumGoroutine()
	for range crewHands + 100 {
		start := time.Now() //nolint:forbidigo // it measures
		if w := r.deliver(t, "command_bare", reply(bot.Reply{Form: aForm()})); w.Code != 200 {
			t.Fatalf("answered %d", w.Code)
		}
		if took := time.Since(start); took > 500*time.Millisecond { //nolint:forbidigo // it measures
			t.Errorf("an acknowledgement took %s while Slack hangs", took)
		}
	}
	for range crewHands {
		r.fake.next(t, "views.open")
	}
	// Ours, and for each of them three of the connection's two ends.
	if more := runtime.NumGoroutine() - before; more > crewHands*5 {
		t.Errorf("%d goroutines more for a Slack that hangs", more)
	}
	close(release)
}

func TestTheCrewRefusesWhatWouldPileUp(t *testing.T) {
	c := newCrew()
	release := make(chan struct{})
	taken := 0
	for range crewHands + crewQueue + 50 {
		if c.do(func(context.Context) { <-release }) {
			taken++
		}
	}
	if taken != crewHands+crewQueue {
		t.Errorf("%d tasks are taken, want %d", taken, crewHands+crewQueue)
	}
	close(release)
	if err := c.close(t.Context()); err != nil {
		t.Errorf("closing: %v", err)
	}
}

func TestClosingBreaksOffWhatDoesNotEnd(t *testing.T) {
	c := newCrew()
	c.do(func(ctx context.Context) { <-ctx.Done() })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.close(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("closing with an ended context: %v", err)
	}
}

// R17: nothing that a person said, no token and no response address reaches the log.
func TestTheLogHoldsNoWordsAndNoSecrets(t *testing.T) {
	r := newRig(t)
	for _, method := range []string{"response", "views.open", "views.push", "views.update", "views.publish", "chat.postMessage", "chat.postEphemeral", "chat.update"} {
		r.fake.say(method, `{"ok":false,"error":"invalid_blocks","response_metadata":{"messages":["[ERROR] too long [json-pointer:/blocks/0]"]}}`)
	}
	said := card.Card{Title: "wordcanary", Blocks: []card.Block{card.Say("wordcanary")}}
	form := aForm()
	form.Title = "wordcanary"
	for _, path := range payloads(t) {
		name := strings.TrimSuffix(strings.TrimPrefix(path, "testdata/events/"), ".json")
		for _, handle := range []bot.Receive{
			reply(bot.Reply{Card: &said, Form: form, Home: &said}), fails(errors.New("boom")), fails(fault.New(fault.Unavailable, "x", "Text", "wordcanary")),
			func(context.Context, bot.Event) (bot.Reply, error) { panic("wordcanary") },
		} {
			r.deliver(t, name, handle)
		}
	}
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	log := r.log.String()
	if !strings.Contains(log, "invalid_blocks") || !strings.Contains(log, "panic") {
		t.Fatalf("the errors of this test are not in the log: %s", log)
	}
	for _, canary := range []string{"wordcanary", "Thank you", "handover", testToken, testSecret, "/response/", "hooks.slack.com"} {
		if at := strings.Index(log, canary); at >= 0 {
			t.Errorf("%q is in the log: …%s…", canary, log[max(0, at-200):min(len(log), at+100)])
		}
	}
}
