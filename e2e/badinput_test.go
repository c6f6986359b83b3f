package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"huiyin/bot/sim/slacksim"
)

// TestBadInput knocks at the running app with what no well-meaning person or vendor sends. Each row says what it must get; what it got
// is printed as a table with -v. In the end nothing was recorded but what the genuine requests said, and nobody was told anything.
func TestBadInput(t *testing.T) {
	t.Parallel()
	o := defaultFirm(t)
	o.open, o.langs = openSlack, map[string]string{"lin": "en", "kai": "en", "mei": "en"}
	p := newPlay(t, nil)
	p.firm = openFirm(t, o)
	slack, ok := p.stage.(*slackStage)
	if !ok {
		t.Fatal("this is about Slack")
	}
	d := &door{play: p, slack: slack, side: "Given"}
	canary, touched := listenCanary(t)

	p.line = "before"
	// What genuine people did before: a praise, a note and a list of feedback with a button.
	for _, c := range [][3]string{{"lin", "/praise", "@kai thank you"}, {"lin", "/note", "@kai please be on time"}, {"lin", "/praise", "@mei thank you too"}} {
		if err := p.stage.command(c[0], c[1]+" "+c[2]); err != nil {
			t.Fatal(err)
		}
	}
	for _, who := range []string{"lin", "lin", "lin"} {
		p.sees("lin is answered", nil, onlyTo(who), who)
	}
	p.sees("kai hears of the praise", []string{"praised you"}, onlyTo("kai"), "kai")
	p.sees("kai hears of the note", []string{"private note"}, onlyTo("kai"), "kai")
	p.sees("mei hears of the praise", []string{"praised you"}, onlyTo("mei"), "mei")
	for range 2 {
		p.sees("the channel shows it", nil, func(s sight) bool { return s.place == "#praise" })
	}
	if err := p.stage.command("mei", "/feedback"); err != nil {
		t.Fatal(err)
	}
	p.sees("mei's list", []string{"Feedback I received"}, onlyTo("mei"), "mei")
	thanks, praiseOfKai := d.buttonOf("kai", "Say thanks")
	propose, noteOfKai := d.buttonOf("kai", "Propose an action")

	command := func(text string) string { return d.command(d.accounts["lin"], "/praise", text) }
	toCommands := func(body string, change ...func(*http.Request)) func() (int, string) {
		return func() (int, string) { return d.send(d.signed("/slack/commands", formMedia, body, change...)) }
	}
	at := func(by time.Duration) func(*http.Request) {
		return func(r *http.Request) { d.sign(r, bodyOf(d.t, r), d.clock.now().Add(by)) }
	}
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	types := func(who, name, text string) func() (int, string) {
		return func() (int, string) { return d.types(who, name, text) }
	}

	rows := []struct {
		name   string
		do     func() (int, string)
		status int
		says   string // is in what it says; empty: it says nothing
	}{
		{"a signature of somebody else", toCommands(command("x"), header("X-Slack-Signature", slacksim.Sign("guessed", d.clock.now().Unix(), []byte("x")))), 401, ""},
		{"a signature of another body", toCommands(command("x"), func(r *http.Request) { d.sign(r, "another", d.clock.now()) }), 401, ""},
		{"no signature", toCommands(command("x"), func(r *http.Request) { r.Header.Del("X-Slack-Signature") }), 401, ""},
		{"no time", toCommands(command("x"), func(r *http.Request) { r.Header.Del("X-Slack-Request-Timestamp") }), 401, ""},
		{"signed 5 min 5 s ago", toCommands(command("x"), at(-305*time.Second)), 401, ""},
		{"signed 5 min 5 s ahead", toCommands(command("x"), at(305*time.Second)), 401, ""},
		{"a body of 300 KiB", toCommands(command(strings.Repeat("x", 300<<10))), 413, "Too Large"},
		{"300 KiB without saying so", toCommands(command(strings.Repeat("x", 300<<10)), func(r *http.Request) { r.ContentLength = -1 }), 413, ""},
		{"a broken form", toCommands("text=%zz&user_id=%"), 400, ""},
		{"an empty body", toCommands(""), 400, ""},
		{"a command without user", toCommands("command=%2Fpraise&text=x&team_id=" + slack.sim.Team().ID), 400, ""},
		{"a payload that is no JSON", func() (int, string) {
			return d.send(d.signed("/slack/interactions", formMedia, "payload=%7B%22type%22%3A"))
		}, 400, ""},
		{"no payload", func() (int, string) { return d.send(d.signed("/slack/interactions", formMedia, "x=y")) }, 400, ""},
		{"an event that is no JSON", func() (int, string) { return d.send(d.signed("/slack/events", "application/json", `{"type":`)) }, 400, ""},
		{"100,000 brackets", func() (int, string) {
			return d.send(d.signed("/slack/events", "application/json", strings.Repeat("[", 100_000)))
		}, 400, ""},
		{"GET", func() (int, string) {
			return d.send(d.signed("/slack/commands", formMedia, "", func(r *http.Request) { r.Method, r.Body, r.ContentLength = http.MethodGet, nil, 0 }))
		}, 405, ""},
		{"GET ssl_check, unsigned", func() (int, string) {
			return d.send(d.signed("/slack/commands?ssl_check=1", formMedia, "", func(r *http.Request) {
				r.Method, r.Body, r.ContentLength, r.Header = http.MethodGet, nil, 0, http.Header{}
			}))
		}, 200, ""},
		{"a path that is not there", func() (int, string) { return d.send(d.signed("/slack/admin", formMedia, "x=y")) }, 404, "not found"},

		{"a command that is not ours", types("lin", "/frobnicate", "x"), 200, "What I can do"},
		{"an account that is nobody's", func() (int, string) {
			return d.send(d.signed("/slack/commands", formMedia, d.command("U0NOBODY01", "/praise", d.mention("kai")+" hi")))
		}, 200, "我还不认识你"},
		{"SQL for an account", func() (int, string) {
			return d.send(d.signed("/slack/commands", formMedia, d.command("U'; drop table people; --", "/praise", d.mention("kai")+" hi")))
		}, 200, "我还不认识你"},
		{"a workspace that is not ours", func() (int, string) {
			return d.send(d.signed("/slack/commands", formMedia, strings.ReplaceAll(command(d.mention("kai")+" hi"), slack.sim.Team().ID, "T0STRANGER")))
		}, 200, "not connected"},
		{"a guest who types", types("guest", "/praise", d.mention("kai")+" hi"), 200, "我还不认识你"},
		{"one who has left", types("leo", "/praise", d.mention("kai")+" hi"), 200, "你的账号已停用"},

		{"no text", types("lin", "/praise", d.mention("kai")), 200, "Please write something"},
		{"40,000 characters", types("lin", "/praise", d.mention("kai")+" "+strings.Repeat("x", 40_000)), 200, "40000 characters; 3000 is the most"},
		{"40,000 Chinese characters, 360 kB", types("lin", "/praise", d.mention("kai")+" "+strings.Repeat("好", 40_000)), 413, "Too Large"},
		{"only invisible and reversing characters", types("lin", "/praise", d.mention("kai")+" \u200b\u202e\u2066\u200f\ufeff"), 200, "Please write something"},
		{"NUL and what is no UTF-8", types("lin", "/praise", d.mention("kai")+" \x00\xff\xfe"), 200, "Please write something"},
		{"everybody", types("lin", "/praise", "<!channel> thanks"), 200, "Please name people"},
		{"a user group", types("lin", "/praise", "<!subteam^S0DESIGN1|@design> thanks"), 200, "Please name people"},
		{"a bot", types("lin", "/praise", d.mention("robot")+" nice"), 200, "is a bot"},
		{"the bot itself", types("lin", "/praise", "<@"+slack.sim.BotUser()+"|huiyin> nice"), 200, "is a bot"},
		{"a guest", types("lin", "/praise", d.mention("guest")+" nice"), 200, "is a guest"},
		{"oneself", types("lin", "/praise", d.mention("lin")+" I am great"), 200, "You cannot address yourself"},
		{"nobody of that name", types("lin", "/praise", "@nosuchname hello"), 200, "nosuchname"},
		{"21 mentions of one whom nobody knows", types("lin", "/praise", strings.Repeat("<@U0NOBODY01> ", 21)+"hi"), 200, "people list"},
		{"a note to somebody else's report", types("lin", "/note", d.mention("weia")+" too slow"), 200, "reporting line"},
		{"a note to one's manager", types("kai", "/note", d.mention("lin")+" too slow"), 200, "reporting line"},
		{"somebody else's feedback", types("mei", "/feedback", d.mention("kai")), 200, "Only the person, their managers and HR"},

		{"a button that is not ours", func() (int, string) {
			return d.forge(func(p map[string]any) { actionOf(p)["action_id"] = "payroll.raise" })
		}, 200, "no longer works"},
		{"a button with a broken value", func() (int, string) {
			return d.forge(func(p map[string]any) { actionOf(p)["value"] = "{" })
		}, 400, ""},
		{"thanks for a praise of somebody else's", func() (int, string) {
			return d.forge(func(p map[string]any) { a := actionOf(p); a["action_id"], a["value"] = thanks, praiseOfKai })
		}, 200, "not for you"},
		{"editing a praise of somebody else's", func() (int, string) {
			return d.forge(func(p map[string]any) { a := actionOf(p); a["action_id"], a["value"] = "praise.edit", praiseOfKai })
		}, 200, "You did not write this"},
		{"an action on a note of somebody else's", func() (int, string) {
			return d.forge(func(p map[string]any) { a := actionOf(p); a["action_id"], a["value"] = propose, noteOfKai })
		}, 200, "does not concern you"},
		{"finishing a note of somebody else's", func() (int, string) {
			return d.forge(func(p map[string]any) { a := actionOf(p); a["action_id"], a["value"] = "note.done", noteOfKai })
		}, 200, "does not concern you"},
		{"the list of somebody else, by button", func() (int, string) {
			return d.forge(func(p map[string]any) { actionOf(p)["value"] = `["received","` + personOf(d, "E04") + `"]` })
		}, 200, "Only the person, their managers and HR"},
		{"a press by an account that is nobody's", func() (int, string) {
			return d.forge(func(p map[string]any) { p["user"] = map[string]any{"id": "U0NOBODY01", "username": "x"} })
		}, 200, "我还不认识你"},
		{"an address to answer to that is not Slack's", func() (int, string) {
			return d.forge(func(p map[string]any) { p["response_url"] = canary })
		}, 200, "(nothing)"},
		{"a form that is not ours", func() (int, string) {
			return d.interact(map[string]any{
				"type": "view_submission", "team": map[string]any{"id": slack.sim.Team().ID}, "user": map[string]any{"id": d.accounts["mei"]},
				"view": map[string]any{"id": "V0FOREIGN1", "hash": "1", "type": "modal", "callback_id": "payroll", "private_metadata": "not ours", "state": map[string]any{"values": map[string]any{}}},
			})
		}, 400, ""},
		{"a form of ours for a note of somebody else's", func() (int, string) {
			return d.interact(map[string]any{
				"type": "view_submission", "team": map[string]any{"id": slack.sim.Team().ID}, "user": map[string]any{"id": d.accounts["mei"]},
				"view": map[string]any{
					"id": "V0FOREIGN2", "hash": "1", "type": "modal", "callback_id": "note.proposed", "private_metadata": `{"a":` + noteOfKai + `}`,
					"blocks": []any{map[string]any{"type": "input", "block_id": "action"}, map[string]any{"type": "input", "block_id": "due"}},
					"state": map[string]any{"values": map[string]any{
						"action": map[string]any{"value": map[string]any{"value": "pay me"}}, "due": map[string]any{"value": map[string]any{"selected_date": "2026-12-01"}},
					}},
				},
			})
		}, 200, "does not concern you"},
	}

	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "input\tstatus\tsays")
	for i, row := range rows {
		p.line = row.name
		status, says := row.do()
		fmt.Fprintf(w, "%2d %s\t%d\t%s\n", i+1, row.name, status, strings.ReplaceAll(says, "\n", " ⏎ "))
		if status != row.status || row.says != "" && !strings.Contains(says, row.says) || row.says == "" && says != "" {
			t.Errorf("%s got %d and %q, want %d and %q", row.name, status, says, row.status, row.says)
		}
	}

	// The same signed request again and again: it happens once.
	again := d.command(d.accounts["lin"], "/praise", d.mention("kai")+" replayed")
	for range 20 {
		if status, says := toCommands(again)(); status != 200 || !strings.Contains(says, "Praise sent") && !strings.Contains(says, "already recorded") {
			t.Errorf("a replayed request got %d and %q", status, says)
		}
	}
	p.sees("kai hears of the praise that was replayed", []string{"replayed"}, onlyTo("kai"), "kai")
	p.sees("the channel shows it", []string{"replayed"}, func(s sight) bool { return s.place == "#praise" })
	fmt.Fprintf(w, "%2d the same request 20 times\t200\tonce sent, 19 times that it has taken effect already\n", len(rows)+1)

	// Words that would call everybody are words.
	if status, says := d.types("lin", "/praise", d.mention("kai")+" hi &lt;!channel&gt; <!here> <!subteam^S1|@design> ``` \u202eevil"); status != 200 || !strings.Contains(says, "Praise sent") {
		t.Errorf("a praise with words that call everybody got %d and %q", status, says)
	}
	p.sees("kai gets it as words", []string{"hi <!channel> here design", "evil"}, onlyTo("kai"), "kai")
	p.sees("the channel shows it as words", []string{"hi <!channel> here design"}, func(s sight) bool { return s.place == "#praise" })
	fmt.Fprintf(w, "%2d <!channel>, <!here>, a group, ``` and a reversal in the text\t200\t%s\n", len(rows)+2, strings.ReplaceAll(p.last.words, "\n", " ⏎ "))
	_ = w.Flush() // into memory
	t.Logf("what bad input gets:\n%s", table.String())

	if n := touched.Load(); n > 0 {
		t.Errorf("the app called an address that is not Slack's %d times", n)
	}
	for table, want := range map[string]int{"praises": 4, "praises where edited_at is not null": 0, "praise_receivers where thanked_at is not null": 0, "notes": 1, "notes where state <> 'open' or action_text <> ''": 0, "asks": 0, "key_events": 0} {
		if got := p.count(table); got != want {
			t.Errorf("%d %s are recorded, want %d", got, table, want)
		}
	}
	p.excused = []string{"not an address of Slack's"}
	p.end()
}

// TestTooLongTextIsMended: what is too long for a praise is too long for the form as well, which opens all the same where it can hold a
// praise.
func TestTooLongTextIsMended(t *testing.T) {
	t.Parallel()
	for _, s := range platforms() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			o := defaultFirm(t)
			o.open = s.open
			p := newPlay(t, nil)
			p.firm = openFirm(t, o)
			p.line = "a praise of 5,999 characters"
			p.acts(p.stage.command("lin", "/praise @kai "+strings.Repeat("很长的表扬 ", 1000)))
			p.sees("lin is told", []string{"5999", "3000"}, onlyTo("lin"), "lin")
			p.press("lin", "打开表单修改", "", false)
			if s.name == "feishu" { // whose inputs hold a third of what a praise may have: nothing is cut, and the person writes it anew
				p.sees("lin is told what a form holds", []string{"5999", "1000"}, onlyTo("lin"), "lin")
				p.acts(p.stage.command("lin", "/praise @kai 短一点的表扬"))
			} else {
				p.formOf("lin", anyForm)
				p.fill("lin", map[string][]string{"text": {"短一点的表扬"}})
				p.submit("lin")
			}
			p.sees("lin is answered", []string{"已表扬 王凯"}, onlyTo("lin"), "lin")
			p.sees("kai hears of it", []string{"短一点的表扬"}, onlyTo("kai"), "kai")
			p.sees("the channel shows it", []string{"短一点的表扬"}, func(s sight) bool { return s.place == "#praise" })
			p.end()
		})
	}
}
