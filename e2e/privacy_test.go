package e2e

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"huiyin/bot/sim/slacksim"
)

// canary is a word that stands in one field of what people write, and must not be found where no words belong. The Latin half is for
// places that drop other letters, the Chinese half for those that drop names.
func canary(field string) string { return "xqz" + field + "kfw金丝雀" + field }

// told is a conversation in which every field that takes words carries a canary, with all that can go wrong on the way. {field} is a
// canary.
const told = `
lin@en     /praise @kai @mei {praise} #{tag}
lin        sees privately "Praise sent"
kai@en     sees "{praise}"
mei@en     sees "{praise}"
#praise    shows "{praise}"
lin        presses "Edit"
lin        fills text="{edited} #{tag}"
lin        submits
the message of kai changes to "{edited}"
kai        presses "Say thanks"
lin        sees "{edited}"
lin        says praise @kai {words}
lin        sees "{words}"
kai        sees "{words}"
#praise    shows "{words}"
lin        /praise
lin        fills receivers=@mei text="{form}"
lin        submits
mei        sees "{form}"
#praise    shows "{form}"

lin        /note @kai {note}
lin        sees privately "{note}"
kai        sees "{note}"
kai        presses "Propose an action"
kai        fills action="{action}" due=2026-11-01
kai        submits
kai        is told due: "passed"
kai        fills due=2026-12-01
kai        submits
lin        sees "{action}"
lin        presses "Edit"
lin        fills text="{noteedited}"
lin        submits
the message of kai changes to "{noteedited}"
lin        presses "Agree"
kai        sees "{action}"
clock 2026-12-01T10:00+08:00
kai        sees "The day has come"
lin        sees "The day has come"

kai        /ask @mei {ask}
mei        sees "{ask}"
mei        presses "Type it here"
mei        sees privately "Type your answer"
mei        says {typed}
mei        sees "{typed}"
mei        presses "Send"
kai        sees "{typed}"
lin        /ask @mei {ask}
mei        sees "{ask}"
mei        presses "Answer"
mei        fills answer="{answer}"
mei        submits
lin        sees "{answer}"
kai        /log {event} https://example.com/{link}
kai        sees privately "{event}"
kai        /feedback events
kai        sees privately "{event}"
hr@en      /settings
hr         presses "Company values"
hr         fills values="{value} | {valueen}"
hr         submits
kai        opens home
home of kai shows "Hello"

# What cannot be done is not repeated anywhere either.
lin        /praise @nosuchname{name} {wrong}
lin        sees privately "Nobody is called"
lin        /praise @lin {wrong}
lin        sees privately "yourself"
lin        /praise @王伟 {wrong}
lin        sees privately "Which"
lin        /note @weia {wrong}
lin        sees privately "reporting line"
lin        /lang {wrong}
lin        sees privately "Chinese (zh)"
lin        /{command} {wrong}
lin        sees privately "What I can do"
lin        says {wrong}
lin        sees "did not understand"
newbie     says {wrong}
lin        in #general mentions: note @kai {wrong}
lin        sees privately "I did not record it"
lin        /log {wrong} javascript:{link}
lin        sees privately "Key event recorded"
lin        /log {wrong} ftp://{link}.example
ignore the rest
`

// TestWordsStayWhereTheyBelong is promise R17: of all that people write nothing is in the log, at the level that tells most, through normal
// paths and through failing ones; nor in the queue, the outbox, the deliveries, the audit log or the names of events (ARCHITECTURE.md,
// section 6: notices and jobs carry ids, never words). And it is R28: a note is in no channel, in no text that a locked telephone shows,
// and in no answer that a whole channel sees.
func TestWordsStayWhereTheyBelong(t *testing.T) {
	t.Parallel()
	o := defaultFirm(t)
	o.open, o.langs = openSlack, map[string]string{"lin": "en", "kai": "en", "mei": "en", "hr": "en"}
	p := newPlay(t, nil)
	p.firm = openFirm(t, o)
	slack, ok := p.stage.(*slackStage)
	if !ok {
		t.Fatal("this is about Slack")
	}
	p.records(t)

	for i, line := range strings.Split(told, "\n") {
		p.perform(withCanaries(line), fmt.Sprintf("told:%d", i+1))
	}
	p.fails(t, slack.sim)
	p.settle(t)

	log := strings.Join(p.log.all(), "\n")
	if !strings.Contains(log, `"ERROR"`) || !strings.Contains(log, `"WARN"`) {
		t.Error("control: nothing went wrong, so this shows nothing about errors")
	}
	for _, state := range []string{"22P02", "23000", "P0001", "42P01", "23514", "23505"} {
		if !strings.Contains(log, "SQLSTATE "+state) {
			t.Errorf("control: an error of the database, %s, is not in the log", state)
		}
	}
	p.absent("the log", log)
	for _, table := range []string{"jobs.river_job", "e2e_outbox", "deliveries", "audit_log", "inbox", "schedules", "identities", "installations"} {
		rows := p.dump(table)
		if rows == "" {
			t.Errorf("control: nothing came by %s", table)
		}
		p.absent(table, rows)
	}
	for table, fields := range map[string]string{
		"praises": "edited words form tag", "notes": "noteedited action", "asks": "ask", "ask_people": "typed answer", "key_events": "event link", "company_values": "value valueen",
	} {
		rows := p.dump(table)
		for _, field := range strings.Fields(fields) {
			if !strings.Contains(rows, canary(field)) {
				t.Errorf("control: the canary %q is not in %s, where it belongs", canary(field), table)
			}
		}
	}
	p.private(slack)
}

func withCanaries(text string) string {
	return regexp.MustCompile(`\{(\w+)\}`).ReplaceAllStringFunc(text, func(m string) string { return canary(strings.Trim(m, "{}")) })
}

// records keeps every notice that was ever in the outbox, where rows live for milliseconds.
func (p *play) records(t *testing.T) {
	t.Helper()
	for _, sql := range []string{
		`create table e2e_outbox as table outbox with no data`,
		`create function e2e_record() returns trigger language plpgsql as $$ begin insert into e2e_outbox select new.*; return null; end $$`,
		`create trigger e2e_record after insert on outbox for each row execute function e2e_record()`,
	} {
		if _, err := p.db.Exec(t.Context(), sql); err != nil {
			t.Fatalf("recording the outbox: %v", err)
		}
	}
}

// fails has everything that the app depends on go wrong while people write.
func (p *play) fails(t *testing.T, vendor *slacksim.Server) {
	t.Helper()
	praise := withCanaries("/praise @kai {broken} #{tag}")
	exec := func(sql string) {
		if _, err := p.db.Exec(t.Context(), sql); err != nil {
			t.Fatalf("breaking the database: %v", err)
		}
	}
	tries := func(lines ...string) {
		for _, line := range lines {
			_ = p.stage.command("lin", withCanaries(line)) // that Slack shows an error is what is wanted here
		}
	}

	// Postgres repeats values in what it says of constraints and of text that it cannot read.
	exec(`alter table praises add constraint e2e check (text not like '%broken%') not valid`)
	tries(praise)
	exec(`alter table praises drop constraint e2e`)
	exec(`create unique index e2e_once on notes (org_id, (text is not null))`)
	tries("/note @kai {broken}", "/note @mei {broken}")
	exec(`drop index e2e_once`)
	for _, state := range []string{"22P02", "23000", "P0001"} {
		exec(`create function e2e_refuse() returns trigger language plpgsql as $$ begin raise exception 'cannot take "%" or %', new.text, new.text using errcode = '` + state + `'; end $$`)
		exec(`create trigger e2e_refuse before insert on key_events for each row execute function e2e_refuse()`)
		tries("/log {broken}")
		exec(`drop function e2e_refuse cascade`)
	}
	exec(`alter table praises rename to praises_gone`)
	tries(praise, "/feedback")
	exec(`alter table praises_gone rename to praises`)
	exec(`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'huiyin'`)
	tries(praise)

	// Redis is away in the middle of a choice and of a typed answer.
	p.redis.SetError("LOADING Redis is loading the dataset in memory")
	tries("/praise @王伟 {broken}", "/praise @nosuchname {broken}")
	_ = p.stage.say("mei", withCanaries("{broken}")) // likewise
	p.redis.SetError("")

	// Slack refuses, fails, tells to wait, breaks the line before or after it has taken what was sent.
	methods := []string{"chat.postMessage", "chat.update", "chat.postEphemeral", "views.open", "views.publish", "response_url"}
	for _, f := range []slacksim.Fault{
		{Error: "invalid_blocks"}, {Error: "channel_not_found"}, {Status: 500}, {RetryAfter: 1}, {Reset: true}, {AcceptThenDrop: true},
	} {
		for _, method := range methods {
			vendor.SetFault(method, f)
		}
		before := len(vendor.Calls())
		tries(praise, "/praise", "/note @mei {note}")
		_ = p.stage.say("lin", withCanaries("praise @kai {broken}")) // likewise
		_ = p.stage.openHome("kai")                                  // likewise
		p.line = "Slack " + f.String()
		for _, method := range []string{"chat.postMessage", "views.open", "views.publish"} {
			p.await(method+" meets it", func() bool {
				return slices.ContainsFunc(vendor.Calls()[before:], func(c slacksim.Call) bool { return c.Method == method && c.Fault != "" })
			})
		}
	}
	for _, method := range methods {
		vendor.SetFault(method)
	}

	// A notice whose words cannot be read when it is to be sent: the queue keeps what went wrong with it.
	vendor.SetFault("chat.postMessage", slacksim.Fault{RetryAfter: 20})
	before := len(vendor.Calls())
	tries(praise)
	p.await("Slack tells to wait", func() bool { return len(vendor.Calls()) > before })
	exec(`alter table praises rename to praises_gone`)
	vendor.SetFault("chat.postMessage")
	p.clock.add(time.Minute)
	p.redis.FastForward(time.Minute)
	p.until(t, "the queue has an error", func() bool { return p.count("jobs.river_job where errors is not null") > 0 })
	exec(`alter table praises_gone rename to praises`)
	for range 4 { // until all that was put off has been sent or given up
		p.move(t, time.Minute)
	}
}

// absent fails when a canary is where no words belong.
func (p *play) absent(where, text string) {
	p.t.Helper()
	for _, half := range []*regexp.Regexp{regexp.MustCompile(`xqz\w+kfw`), regexp.MustCompile(`金丝雀\w*|\\u91d1\\u4e1d\\u96c0`)} {
		if found := half.FindString(text); found != "" {
			p.t.Errorf("%s has the words of a person: %s", where, found)
		}
	}
}

func (p *play) dump(table string) string {
	p.t.Helper()
	rows, err := p.db.Query(p.t.Context(), "select to_jsonb(r)::text from "+table+" r")
	if err != nil {
		p.t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		p.t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

// private looks at everything that was sent to Slack for the words of notes.
func (p *play) private(slack *slackStage) {
	p.t.Helper()
	words := regexp.MustCompile(`xqz(?:note|noteedited|action)kfw`)
	shown := 0
	look := func(what string, channel string, payload map[string]any) {
		raw, err := json.Marshal(payload)
		if err != nil {
			p.t.Fatal(err)
		}
		if !words.Match(raw) {
			return
		}
		shown++
		switch text, _ := payload["text"].(string); {
		case channel != "" && !strings.HasPrefix(channel, "D") && !strings.HasPrefix(channel, "U"):
			p.t.Errorf("%s has the words of a note in the channel %s", what, channel)
		case payload["response_type"] == "in_channel":
			p.t.Errorf("%s shows the words of a note to a whole channel", what)
		case words.MatchString(text):
			p.t.Errorf("%s has the words of a note in its text, which a locked telephone shows", what)
		}
		if meta, err := json.Marshal(payload["metadata"]); err != nil || words.Match(meta) {
			p.t.Errorf("%s has the words of a note in its metadata", what)
		}
	}
	for _, c := range slack.sim.Calls() {
		channel, _ := c.Args["channel"].(string)
		if c.Method == "chat.postEphemeral" {
			channel = "" // one person sees it, wherever it is
		}
		look(c.Method, channel, c.Args)
	}
	for _, d := range slack.sim.Deliveries() {
		var answer map[string]any
		if json.Unmarshal([]byte(d.Answer), &answer) == nil {
			look("an answer to a "+d.Kind, "", answer)
		}
	}
	if shown < 10 {
		p.t.Errorf("control: only %d things that were sent have the words of a note", shown)
	}
}
