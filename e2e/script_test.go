package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
)

// step is a row of the table of what can stand in a line of a script. In a pattern, WHO is a handle, with @language at its first
// mention if it matters; "…" is one quoted text, "…+" is one or more of them, to be found all in one message.
type step struct {
	pattern string
	does    string // what it means, for who writes scripts
	run     func(p *play, a match)
}

// match is what a pattern found: handles and words in order, and quoted texts.
type match struct {
	words []string
	texts []string
}

func (m match) who() string { return m.words[0] }

func steps() []step {
	return []step{
		{`WHO (/.+)`, "types a slash command in #general", func(p *play, a match) { p.acts(p.stage.command(a.who(), a.words[1])) }},
		{`WHO says (.+)`, "writes words to the bot", func(p *play, a match) { p.acts(p.stage.say(a.who(), a.words[1])) }},
		{`WHO in #(\w+) mentions: (.+)`, "mentions the bot in a channel", func(p *play, a match) { p.acts(p.stage.mention(a.who(), a.words[1], a.words[2])) }},
		{`WHO presses "…"( on home)?( and is sure)?`, "presses the button on the newest message that has it; … at its end leaves the rest open", func(p *play, a match) {
			p.press(a.who(), a.texts[0], strings.TrimPrefix(a.words[1], " on "), a.words[2] != "")
		}},
		{`WHO fills (.+)`, "fills fields of the open form: field=@handle,@handle field=\"text\"", func(p *play, a match) { p.fill(a.who(), fieldsOf(p, a.words[1])) }},
		{`WHO submits`, "sends the open form", func(p *play, a match) { p.submit(a.who()) }},
		{`WHO is shown a form with "…+"`, "the open form has these words", func(p *play, a match) {
			p.formOf(a.who(), func(f form) bool { return has(f.words, a.texts) })
		}},
		{`WHO is told(?: (\w+):)? "…+"`, "the open form says what is wrong, with that field", func(p *play, a match) {
			p.formOf(a.who(), func(f form) bool {
				for field, text := range f.errors {
					if (a.words[1] == "" || a.words[1] == field) && has(text, a.texts) {
						return true
					}
				}
				return false
			})
		}},
		{`WHO has (\w+)=(\S+) filled in`, "the open form came with that value", func(p *play, a match) {
			p.formOf(a.who(), func(f form) bool { return strings.Join(f.values[a.words[1]], ",") == a.words[2] })
		}},
		{`WHO opens home`, "looks at the bot's home page", func(p *play, a match) { p.acts(p.stage.openHome(a.who())) }},
		{`home of WHO shows "…+"`, "the home page has these words", func(p *play, a match) {
			p.await("the home page", func() bool {
				home, ok := p.stage.home(a.who())
				return ok && has(home.words, a.texts)
			})
		}},
		{`WHO needed at most (\d+) taps?`, "presses, picks and sends since the last step of this kind", func(p *play, a match) {
			if most, _ := strconv.Atoi(a.words[1]); p.taps[a.who()] > most || p.taps[a.who()] == 0 {
				p.fail("%s needed %d taps", a.who(), p.taps[a.who()])
			}
			p.taps[a.who()] = 0
		}},

		{`WHO sees "…+"`, "a new message for this person alone, which stays", func(p *play, a match) {
			p.sees(a.who()+" sees a new message", a.texts, func(s sight) bool { return s.stays && onlyTo(a.who())(s) }, a.who())
		}},
		{`WHO sees privately "…+"`, "a new answer that this person alone sees, passing or not", func(p *play, a match) {
			p.sees(a.who()+" sees a new answer", a.texts, onlyTo(a.who()), a.who())
		}},
		{`#(\w+) shows "…+"`, "a new message of the bot in the channel", func(p *play, a match) {
			p.sees("#"+a.words[0]+" shows a new message", a.texts, func(s sight) bool { return s.place == "#"+a.words[0] }, "")
			for _, who := range p.last.to {
				p.names(p.last, who)
			}
		}},
		{`the message changes to "…+"`, "the message that was seen last is redrawn", func(p *play, a match) { p.changes(a.texts, p.isLast) }},
		{`the message of WHO changes to "…+"`, "a message that they have seen is redrawn", func(p *play, a match) { p.changes(a.texts, onlyTo(a.who())) }},
		{`#(\w+) changes to "…+"`, "a message in the channel is redrawn", func(p *play, a match) {
			p.changes(a.texts, func(s sight) bool { return s.place == "#"+a.words[0] })
		}},
		{`the message also shows "…+"`, "more of the message that was seen last", func(p *play, a match) {
			if now := p.current(); !has(now.words, a.texts) {
				p.fail("it does not show %q", a.texts)
			}
		}},
		{`the message does not show "…"`, "nor this", func(p *play, a match) {
			if now := p.current(); strings.Contains(now.words, a.texts[0]) {
				p.fail("it shows %q", a.texts[0])
			}
		}},
		{`nobody else sees "…"`, "now and to the end, only those who were said to see it do", func(p *play, a match) {
			p.settle(p.t)
			p.secrets = append(p.secrets, [2]string{a.texts[0], p.line})
			p.keeps()
		}},
		{`nobody sees anything`, "no message came that no step has named", func(p *play, _ match) { p.nothing(func(sight) bool { return true }) }},
		{`WHO sees nothing`, "nor for this person", func(p *play, a match) { p.nothing(func(s sight) bool { return slices.Contains(s.to, a.who()) }) }},
		{`ignore the rest`, "messages that no step names are no fault", func(p *play, _ match) { p.ignored = true }},

		{`clock \+(\w+)`, "time passes", func(p *play, a match) {
			by, err := time.ParseDuration(a.words[0])
			p.acts(err)
			p.move(p.t, by)
		}},
		{`clock (\d{4}-\S+)`, "it is that time", func(p *play, a match) {
			at, err := time.Parse("2006-01-02T15:04Z07:00", a.words[0])
			p.acts(err)
			by := at.Sub(p.clock.now())
			if by < 0 {
				p.fail("the clock does not go back")
			}
			p.move(p.t, by)
		}},
		{`redis flush`, "Redis forgets everything", func(p *play, _ match) { p.redis.FlushAll() }},
		{`redeliver last`, "the vendor delivers the last deed again", func(p *play, _ match) {
			_, err := p.stage.redeliver()
			p.acts(err)
		}},
		{`(\w+) joins as (\S+)`, "gets an account with that e-mail address, which the vendor tells", func(p *play, a match) {
			p.accounts[a.who()] = p.stage.join(account{handle: a.who(), name: a.who(), email: a.words[1], kind: "member"})
			p.acquainted(p.t)
		}},
		{`import (\S+)`, "the people file in that section is imported", func(p *play, a match) {
			p.importPeople(p.t, p.files[a.words[0]], nil)
			p.clock.add(stale)
		}},

		{`there (?:is|are) (\d+) (praise|note|ask|answer|key event)s?`, "so many are recorded", func(p *play, a match) {
			table := map[string]string{
				"praise": "praises", "note": "notes", "ask": "asks", "answer": "ask_people where answered_at is not null", "key event": "key_events",
			}[a.words[1]]
			if n := p.count(table); strconv.Itoa(n) != a.words[0] {
				p.fail("%d are recorded", n)
			}
		}},
		{`audited: (\S+) by WHO(?: about WHO)?`, "the audit log has it", func(p *play, a match) {
			if !p.audited(a.words[0], a.words[1], a.words[2]) {
				p.fail("the audit log does not have it:\n%s", p.verb(p.t, "audit", "log"))
			}
		}},
		{`the audit log is whole`, "as huiyin audit log finds", func(p *play, _ match) { p.verb(p.t, "audit", "log") }},
	}
}

// nothing waits until nothing is on its way, and wants nothing to have come.
func (p *play) nothing(fits func(sight) bool) {
	p.t.Helper()
	p.settle(p.t)
	if left := p.unseen(fits); len(left) > 0 {
		p.fail("this came:\n  %s", strings.Join(left, "\n  "))
	}
}

const quoted = `"(?:[^"\\]|\\.)*"`

var (
	quotes = regexp.MustCompile(quoted)
	actor  = regexp.MustCompile(`(?m)^(?:\[!?[a-z ]+\])?\s*(\w+)@([A-Za-z-]+)\s`)
	pair   = regexp.MustCompile(`(\w+)=(` + quoted + `|\S*)(?:\s+|$)`)
)

// compile makes a pattern a regular expression that also gives the quoted texts, as one group, last.
func compile(pattern string) *regexp.Regexp {
	expr := strings.NewReplacer(
		`WHO`, `(\w+)(?:@[A-Za-z-]+)?`,
		` "…+"`, ` (?P<texts>`+quoted+`(?: `+quoted+`)*)`,
		` "…"`, ` (?P<texts>`+quoted+`)`,
	).Replace(pattern)
	return regexp.MustCompile(`^` + strings.ReplaceAll(expr, " ", `\s+`) + `$`)
}

// table is the steps with their patterns compiled.
var table = sync.OnceValue(func() map[*regexp.Regexp]step {
	out := map[*regexp.Regexp]step{}
	for _, s := range steps() {
		out[compile(s.pattern)] = s
	}
	return out
})

// find reads a line of a script. No two steps are written alike, which a test sees to.
func find(line string) (step, match, error) {
	for re, s := range table() {
		found := re.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		var m match
		for j, text := range found[1:] {
			if re.SubexpNames()[j+1] != "texts" {
				m.words = append(m.words, text)
				continue
			}
			for _, q := range quotes.FindAllString(text, -1) {
				words, err := strconv.Unquote(q)
				if err != nil {
					return step{}, match{}, fmt.Errorf("reading %s: %w", q, err)
				}
				m.texts = append(m.texts, words)
			}
		}
		return s, m, nil
	}
	return step{}, match{}, fmt.Errorf("no step is written like this: %s", line)
}

// fieldsOf reads field=@a,@b field="text" field=value.
func fieldsOf(p *play, text string) map[string][]string {
	out := map[string][]string{}
	if rest := pair.ReplaceAllString(text, ""); rest != "" {
		p.fail("cannot be read: %s", rest)
	}
	for _, m := range pair.FindAllStringSubmatch(text, -1) {
		switch {
		case strings.HasPrefix(m[2], `"`):
			words, err := strconv.Unquote(m[2])
			p.acts(err)
			out[m[1]] = []string{words}
		case m[2] == "":
			out[m[1]] = nil
		default:
			out[m[1]] = strings.Split(m[2], ",")
		}
	}
	return out
}

// conversation is a script as it lies in testdata.
type conversation struct {
	name  string
	about string // the comment above the script, which names rows
	path  string
	first int // line of the script in the file
	lines []string
	files map[string][]byte
	langs map[string]string
}

// conversations reads testdata/*.txtar: a comment that begins with the rows that it is about, the script, and people.csv and accounts.csv
// where the firm in testdata/firm does not do.
func conversations(t *testing.T) []conversation {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	var out []conversation
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		archive := txtar.Parse(text)
		c := conversation{
			name: strings.TrimSuffix(filepath.Base(path), ".txtar"), path: path, about: strings.TrimSpace(string(archive.Comment)),
			files: map[string][]byte{}, langs: map[string]string{},
		}
		for _, f := range archive.Files {
			c.files[f.Name] = f.Data
		}
		script := string(c.files["script"])
		before, _, _ := strings.Cut(string(text), "-- script --\n")
		c.first = strings.Count(before, "\n") + 2
		c.lines = strings.Split(script, "\n")
		for _, m := range actor.FindAllStringSubmatch(script, -1) {
			if other := c.langs[m[1]]; other != "" && other != m[2] {
				t.Errorf("%s: %s has the languages %s and %s", path, m[1], other, m[2])
			}
			c.langs[m[1]] = m[2]
		}
		out = append(out, c)
	}
	return out
}

// play plays a conversation on a platform.
func (c conversation) play(t *testing.T, on platform) {
	t.Helper()
	o := defaultFirm(t)
	o.open, o.langs = on.open, c.langs
	if own, ok := c.files["people.csv"]; ok {
		o.people = own
	}
	if own, ok := c.files["accounts.csv"]; ok {
		o.accounts = own
	}
	p := newPlay(t, c.files)
	p.firm = openFirm(t, o)
	for i, line := range c.lines {
		if words, here := only(line, on.name); here {
			p.perform(words, fmt.Sprintf("%s:%d", c.path, c.first+i))
		}
	}
	p.end()
}

// alone finds platforms in front of a line, which say where alone it is meant: "[slack feishu] kai opens home"; with ! in front of
// them, where it is not.
var alone = regexp.MustCompile(`^\s*\[(!?)([a-z ]+)\]\s+(.*)`)

// only is a line without the platforms in front of it, and whether it is meant for this one.
func only(line, platform string) (words string, here bool) {
	m := alone.FindStringSubmatch(line)
	if m == nil {
		return line, true
	}
	return m[3], slices.Contains(strings.Fields(m[2]), platform) == (m[1] == "")
}

// perform does what a line of a script says. A line that begins with # and is no step about a channel is a comment.
func (p *play) perform(line, where string) {
	p.t.Helper()
	line = strings.TrimSpace(line)
	if line == "" || strings.HasPrefix(line, "# ") {
		return
	}
	p.line = where + ": " + line
	s, m, err := find(line)
	if err != nil {
		p.t.Fatalf("%s\n  %v", p.line, err)
	}
	s.run(p, m)
}
