package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// play is a conversation under way: the firm it happens in, and what people have seen of it.
type play struct {
	*firm
	t     *testing.T
	files map[string][]byte // people files that the script brings along
	line  string            // where in the script we are

	seen    map[string]string              // the cards that a step has named, as they were then
	readers map[string]map[string]bool     // by sight: who was said to have seen it
	secrets [][2]string                    // words that nobody else may see, and the step that says so
	last    sight                          // that a step has named last
	filled  map[string]map[string][]string // by person: what they put into the form that stands open
	taps    map[string]int
	ignored bool
	excused []string // what may stand in errors that are logged
}

func newPlay(t *testing.T, files map[string][]byte) *play {
	t.Helper()
	return &play{
		t: t, files: files, seen: map[string]string{}, readers: map[string]map[string]bool{}, filled: map[string]map[string][]string{}, taps: map[string]int{},
	}
}

func (p *play) fail(format string, args ...any) {
	p.t.Helper()
	p.t.Fatalf("%s\n  %s\n%s%s%s", p.line, fmt.Sprintf(format, args...), p.everything(), p.underway(), p.log.tail())
}

// underway is what is on its way to people.
func (p *play) underway() string {
	p.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "what is on its way, at %s:\n", p.clock.now().Format(time.RFC3339Nano))
	for _, sql := range []string{
		`select 'notice ' || kind || ' due ' || due_at from outbox`,
		`select 'delivery ' || kind || ' ' || state || ' ' || fault || ' due ' || due_at from deliveries where state not in ('sent', 'skipped')`,
		`select 'job ' || kind || ' ' || state || ' at ' || scheduled_at || ', tries ' || attempt from jobs.river_job where state <> 'completed'`,
	} {
		rows, err := p.db.Query(p.t.Context(), sql)
		if err != nil {
			return err.Error()
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err.Error()
		}
		for _, l := range lines {
			b.WriteString("      " + l + "\n")
		}
	}
	return b.String()
}

// everything is what everybody sees at this moment.
func (p *play) everything() string {
	var b strings.Builder
	b.WriteString("what is to be seen (* = no step has named it):\n")
	for _, s := range p.stage.sights() {
		mark := " "
		if p.seen[s.key] == "" {
			mark = "*"
		}
		where := strings.Join(s.to, ", ")
		if s.place != "" {
			where = s.place
		}
		if !s.stays {
			where += ", in passing"
		}
		fmt.Fprintf(&b, "%s [%s]\n", mark, where)
		writeIndented(&b, s.words)
	}
	for _, who := range slices.Sorted(maps.Keys(p.accounts)) {
		if f, ok := p.stage.form(who); ok {
			fmt.Fprintf(&b, "  [%s has this form open, with the fields %v]\n", who, f.fields)
			writeIndented(&b, f.words)
			for _, field := range slices.Sorted(maps.Keys(f.errors)) {
				fmt.Fprintf(&b, "      %s is told: %s\n", field, f.errors[field])
			}
		}
		if h, ok := p.stage.home(who); ok {
			fmt.Fprintf(&b, "  [home of %s]\n", who)
			writeIndented(&b, h.words)
		}
	}
	return b.String()
}

func writeIndented(b *strings.Builder, words string) {
	for l := range strings.Lines(words) {
		b.WriteString("      " + strings.TrimRight(l, "\n") + "\n")
	}
}

// await waits until something can be seen.
func (p *play) await(what string, found func() bool) {
	p.t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	for !found() {
		select {
		case <-p.stage.changed():
		case <-late.C:
			p.fail("waited %v for this: %s", patience, what)
		}
	}
}

// has reports whether words hold all of the wanted pieces.
func has(words string, wanted []string) bool {
	return !slices.ContainsFunc(wanted, func(w string) bool { return !strings.Contains(words, w) })
}

// sees waits for a card that no step has named yet and that holds all of the words.
func (p *play) sees(what string, wanted []string, fits func(s sight) bool, who ...string) {
	p.t.Helper()
	p.await(what, func() bool {
		for _, s := range p.stage.sights() {
			if p.seen[s.key] == "" && fits(s) && has(s.words, wanted) {
				p.names(s, who...)
				return true
			}
		}
		return false
	})
}

// names remembers that a step has named a card, and who of it sees it.
func (p *play) names(s sight, who ...string) {
	p.seen[s.key], p.last = s.version, s
	if p.readers[s.key] == nil {
		p.readers[s.key] = map[string]bool{}
	}
	for _, w := range who {
		p.readers[s.key][w] = true
	}
}

// changes waits until a card that was named before and has been redrawn since holds the words.
func (p *play) changes(wanted []string, fits func(s sight) bool) {
	p.t.Helper()
	p.await(fmt.Sprintf("a card that was seen before changes to %q", wanted), func() bool {
		sights := p.stage.sights()
		slices.Reverse(sights)
		for _, s := range sights {
			before := p.seen[s.key]
			if s.from != "" && before == "" {
				before = p.seen[s.from]
			}
			if before != "" && before != s.version && fits(s) && has(s.words, wanted) {
				p.seen[s.key], p.last = s.version, s
				return true
			}
		}
		return false
	})
}

func (p *play) isLast(s sight) bool {
	return s.key == p.last.key || s.from == p.last.key && s.from != ""
}

// current is the card that was named last, as it stands now.
func (p *play) current() sight {
	p.t.Helper()
	for _, s := range p.stage.sights() {
		if p.isLast(s) {
			return s
		}
	}
	p.fail("the message that was seen last is gone")
	return sight{}
}

// onlyTo fits the cards by which the bot speaks to one person alone.
func onlyTo(who string) func(sight) bool {
	return func(s sight) bool { return s.place == "" && len(s.to) == 1 && s.to[0] == who }
}

// press finds the newest card with the button among those that a person sees, and presses it.
func (p *play) press(who, label, where string, sure bool) {
	p.t.Helper()
	var b button
	p.await(fmt.Sprintf("%s finds a button %q to press", who, label), func() bool {
		sights := p.stage.sights()
		if home, ok := p.stage.home(who); where == "home" && ok {
			sights = []sight{home}
		} else if where == "home" {
			return false
		}
		slices.Reverse(sights)
		for _, s := range sights {
			at := slices.IndexFunc(s.buttons, func(b button) bool {
				return b.label == label || strings.HasSuffix(label, "…") && strings.HasPrefix(b.label, strings.TrimSuffix(label, "…"))
			})
			if at >= 0 && slices.Contains(s.to, who) {
				b = s.buttons[at]
				return true
			}
		}
		return false
	})
	if b.asks != sure {
		p.fail("the button %q asks before it does anything: %v; the script expects: %v", label, b.asks, sure)
	}
	p.taps[who]++
	if sure {
		p.taps[who]++
	}
	p.acts(p.stage.press(who, b))
}

// acts fails when a person could not do what the script says.
func (p *play) acts(err error) {
	p.t.Helper()
	if err != nil {
		p.fail("this cannot be done: %v", err)
	}
}

// formOf waits for the form that a person has open.
func (p *play) formOf(who string, so func(f form) bool) {
	p.t.Helper()
	p.await(who+" has a form open that is as the script says", func() bool {
		f, open := p.stage.form(who)
		return open && so(f)
	})
}

func anyForm(form) bool { return true }

// fill notes what a person puts into a form.
func (p *play) fill(who string, values map[string][]string) {
	p.t.Helper()
	p.formOf(who, func(f form) bool {
		return !slices.ContainsFunc(slices.Collect(maps.Keys(values)), func(k string) bool { return !slices.Contains(f.fields, k) })
	})
	if p.filled[who] == nil {
		p.filled[who] = map[string][]string{}
	}
	for field, v := range values {
		p.filled[who][field] = v
		if strings.HasPrefix(strings.Join(v, ""), "@") || field != "text" && field != "answer" && field != "action" && field != "link" && field != "values" {
			p.taps[who]++ // what is not typed is picked
		}
	}
}

func (p *play) submit(who string) {
	p.t.Helper()
	p.formOf(who, anyForm)
	values := p.filled[who]
	delete(p.filled, who)
	p.taps[who]++
	p.acts(p.stage.submit(who, values))
}

// keeps checks everything that was to be kept from others.
func (p *play) keeps() {
	p.t.Helper()
	for _, secret := range p.secrets {
		allowed := map[string]bool{}
		sights := p.stage.sights()
		for _, who := range slices.Sorted(maps.Keys(p.accounts)) {
			if home, ok := p.stage.home(who); ok {
				sights = append(sights, home)
			}
		}
		for _, s := range sights {
			if strings.Contains(s.words, secret[0]) {
				maps.Copy(allowed, p.readers[s.key])
			}
		}
		for _, s := range sights {
			for _, who := range s.to {
				if !allowed[who] && strings.Contains(s.words+s.preview, secret[0]) {
					p.line = secret[1]
					p.fail("%s sees %q as well", who, secret[0])
				}
			}
		}
	}
}

// unseen lists the cards that no step has named.
func (p *play) unseen(fits func(sight) bool) []string {
	var out []string
	for _, s := range p.stage.sights() {
		if p.seen[s.key] == "" && fits(s) {
			out = append(out, fmt.Sprintf("%s %v: %s", s.place, s.to, s.words))
		}
	}
	return out
}

// end stops the app and looks whether anything happened that the script does not know of.
func (p *play) end() {
	p.t.Helper()
	p.line = "at the end"
	p.settle(p.t)
	if err := p.stop(); err != nil {
		p.fail("the app ended with: %v", err)
	}
	p.keeps()
	if left := p.unseen(func(sight) bool { return true }); len(left) > 0 && !p.ignored {
		p.fail("%d messages came that no step has named:\n  %s", len(left), strings.Join(left, "\n  "))
	}
	if faults := p.stage.faults(); len(faults) > 0 {
		p.fail("the vendor would not take what the app sent:\n  %s", strings.Join(faults, "\n  "))
	}
	lines := slices.DeleteFunc(p.log.errors(), func(line string) bool {
		return slices.ContainsFunc(p.excused, func(e string) bool { return strings.Contains(line, e) })
	})
	if len(lines) > 0 {
		p.fail("the app logged errors:\n  %s", strings.Join(lines, "\n  "))
	}
	var dead int
	p.query(p.t, &dead, `select count(*) from deliveries where state = 'dead'`)
	if dead > 0 {
		p.fail("%d deliveries were given up", dead)
	}
}

// count is how many of something are recorded.
func (p *play) count(table string) int {
	p.t.Helper()
	var n int
	p.query(p.t, &n, "select count(*) from "+table)
	return n
}

// audited reports whether the audit log has the act, done by one person and about another; either may be open.
func (p *play) audited(act, by, about string) bool {
	p.t.Helper()
	var n int
	p.query(p.t, &n, `select count(*) from audit_log l
		left join people a on (a.org_id, a.person_id) = (l.org_id, l.actor_id) left join people b on (b.org_id, b.person_id) = (l.org_id, l.about_id)
		where l.act = $1 and ($2 = '' or a.employee_no = $2) and ($3 = '' or b.employee_no = $3)`, act, p.numberOf(by), p.numberOf(about))
	return n > 0
}

func (p *play) numberOf(handle string) string {
	for number, h := range p.numbers {
		if h == handle {
			return number
		}
	}
	return ""
}
