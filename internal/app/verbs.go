package app

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// verb is one row of the table of verbs. Its texts are the messages cli.NAME.summary and cli.NAME.about (with _ for a space in the name); the
// usage of its flags is a message key as well.
type verb struct {
	name     string // one word or two
	operands string // as the usage shows them: FILE is needed, [FILE] is not
	// prepare declares the flags and gives what to do with them.
	prepare func(*flag.FlagSet) action
}

// action does a verb. Its error is explained and makes the exit code.
type action func(ctx context.Context, c *console, operands []string) error

func (v verb) key(part string) string {
	return "cli." + strings.ReplaceAll(v.name, " ", "_") + "." + part
}

func (v verb) least() int {
	return len(strings.Fields(v.operands)) - strings.Count(v.operands, "[")
}

func (v verb) most() int { return len(strings.Fields(v.operands)) }

// plain is prepare for a verb without flags.
func plain(do action) func(*flag.FlagSet) action {
	return func(*flag.FlagSet) action { return do }
}

// verbs is the one table of verbs: dispatch, usage and the reference page follow from it.
func verbs() []verb {
	return []verb{
		{name: "serve", prepare: serve},
		{name: "demo", prepare: demo},
		{name: "migrate", prepare: migrate},
		{name: "import people", operands: "[FILE]", prepare: importPeople},
		{name: "export people", operands: "[FILE]", prepare: exportPeople},
		{name: "manifest slack", prepare: manifestSlack},
		{name: "manifest feishu", prepare: manifestFeishu},
		{name: "manifest dingtalk", prepare: manifestDingTalk},
		{name: "doctor", prepare: plain(doctor)},
		{name: "audit log", prepare: auditLog},
		{name: "audit anonymity", prepare: plain(auditAnonymity())},
		{name: "backup", operands: "[FILE]", prepare: plain(backup)},
		{name: "restore", operands: "FILE", prepare: restore},
		{name: "docs", prepare: docs},
	}
}

// later are second words that the contract promises and that come with what they are about.
func later(first string) []string {
	return map[string][]string{
		"import": {"metrics", "targets", "actuals", "goals", "trainings"},
		"export": {"metrics", "targets", "actuals", "goals", "trainings", "feedback", "results"},
	}[first]
}

// usage lists verbs.
func (c *console) usage(w io.Writer, table []verb) {
	fmt.Fprintln(w, c.say.T("cli.usage.head"))
	fmt.Fprintln(w)
	columns := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, v := range table {
		fmt.Fprintf(columns, "  %s\t%s\n", strings.TrimSpace("huiyin "+v.name+" "+v.operands), c.say.T(v.key("summary")))
	}
	_ = columns.Flush() // the terminal is gone
	fmt.Fprintln(w)
	fmt.Fprintln(w, c.say.T("cli.usage.foot"))
}

// verbUsage explains one verb and its flags.
func (c *console) verbUsage(w io.Writer, v verb, set *flag.FlagSet) {
	line := strings.TrimSpace("huiyin " + v.name + " " + v.operands)
	flags := false
	set.VisitAll(func(*flag.Flag) { flags = true })
	if flags {
		line += " " + c.say.T("cli.usage.flags_mark")
	}
	fmt.Fprintln(w, c.say.T("cli.usage.line", "Line", line))
	fmt.Fprintln(w)
	fmt.Fprintln(w, c.say.T(v.key("about")))
	if !flags {
		return
	}
	fmt.Fprintln(w)
	columns := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	set.VisitAll(func(f *flag.Flag) {
		fmt.Fprintf(columns, "  --%s\t%s\n", flagForm(f), c.say.T(f.Usage, "Default", f.DefValue))
	})
	_ = columns.Flush() // the terminal is gone
}

// flagForm shows what a flag takes: nothing, a number or a word.
func flagForm(f *flag.Flag) string {
	if b, ok := f.Value.(interface{ IsBoolFlag() bool }); ok && b.IsBoolFlag() {
		return f.Name
	}
	getter, _ := f.Value.(flag.Getter)
	if _, ok := getter.Get().(int); ok {
		return f.Name + " N"
	}
	return f.Name + " VALUE"
}
