// Package app is the one place that knows every concrete type: it puts the bot together and offers it as verbs of a command line. It
// decides nothing about feedback, people or platforms.
package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"huiyin/internal/i18n"
)

// Exit codes.
const (
	done   = 0
	failed = 1
	misuse = 2
)

// Main runs the verb that args (without the program's name) begin with, and returns the exit code: 0, 1 (failed) or 2 (usage). Errors go to
// stderr in the language of LANG. ctx ends when the program shall stop.
func Main(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) int {
	catalog, err := i18n.Load()
	if err != nil {
		fmt.Fprintln(stderr, err) // there is no catalogue to say it in a language
		return failed
	}
	c := &console{
		in: stdin, out: stdout, err: stderr, getenv: getenv, catalog: catalog, say: catalog.In(getenv("LANG")), now: time.Now,
		terminal: isTerminal(stderr),
	}
	return c.run(ctx, args, verbs())
}

// console is how a verb meets the one who typed it.
type console struct {
	in       io.Reader
	out, err io.Writer
	getenv   func(string) string
	catalog  *i18n.Catalog
	say      i18n.Printer // in the language of LANG
	now      func() time.Time
	terminal bool // err is one
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && f.Name() != os.DevNull
}

// run finds the verb, reads its flags and does it.
func (c *console) run(ctx context.Context, args []string, table []verb) int {
	if len(args) == 0 {
		c.usage(c.err, table)
		return misuse
	}
	if slices.Contains([]string{"help", "-h", "-help", "--help"}, args[0]) {
		c.usage(c.out, table)
		return done
	}
	v, rest, err := c.find(table, args)
	if err != nil {
		return c.complain(err)
	}
	if v == nil { // the first of two words, and a wish for help
		c.usage(c.out, within(table, args[0]))
		return done
	}
	set := flag.NewFlagSet(v.name, flag.ContinueOnError)
	set.SetOutput(io.Discard) // its English goes nowhere
	do := v.prepare(set)
	operands, err := parse(set, rest)
	switch {
	case errors.Is(err, flag.ErrHelp):
		c.verbUsage(c.out, *v, set)
		return done
	case err != nil:
		return c.complain(badFlag(*v, set, rest))
	case len(operands) < v.least():
		return c.complain(&usageError{verb: v.name, key: "cli.usage.few", args: map[string]any{"Wanted": v.operands}})
	case len(operands) > v.most():
		return c.complain(&usageError{verb: v.name, key: "cli.usage.many", args: map[string]any{"Extra": operands[v.most()]}})
	}
	if err := do(ctx, c, operands); err != nil {
		return c.complain(err)
	}
	return done
}

// parse reads flags wherever they stand: before, between and after the operands. After -- everything is an operand.
func parse(set *flag.FlagSet, args []string) (operands []string, err error) {
	for {
		if err := set.Parse(args); err != nil {
			return nil, err
		}
		rest := set.Args()
		if len(rest) == 0 {
			return operands, nil
		}
		if read := len(args) - len(rest); read > 0 && args[read-1] == "--" {
			return append(operands, rest...), nil
		}
		operands, args = append(operands, rest[0]), rest[1:]
	}
}

// badFlag says which flag the flag package did not take: one that is not there, or one with a wrong value.
func badFlag(v verb, set *flag.FlagSet, args []string) error {
	for _, arg := range args {
		name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if strings.HasPrefix(arg, "-") && name != "" && set.Lookup(name) == nil {
			return &usageError{verb: v.name, key: "cli.usage.flag", args: map[string]any{"Flag": arg}}
		}
	}
	return &usageError{verb: v.name, key: "cli.usage.value"}
}

// find looks up a verb of one or two words. It gives nil for the first word of several verbs followed by a wish for help.
func (c *console) find(table []verb, args []string) (*verb, []string, error) {
	one, two := args[0], ""
	if len(args) > 1 {
		two = args[1]
	}
	for i, v := range table {
		switch {
		case v.name == one:
			return &table[i], args[1:], nil
		case v.name == one+" "+two:
			return &table[i], args[2:], nil
		}
	}
	family := within(table, one)
	switch {
	case len(family) > 0 && slices.Contains([]string{"-h", "-help", "--help"}, two):
		return nil, nil, nil
	case len(family) > 0 && two == "":
		return nil, nil, &usageError{verb: one, key: "cli.usage.second", args: map[string]any{"Verb": one, "Words": seconds(family)}}
	case len(family) > 0 && slices.Contains(later(one), two):
		return nil, nil, &usageError{verb: one, key: "cli.usage.later", args: map[string]any{"Verb": one, "Word": two, "Words": seconds(family)}}
	case len(family) > 0:
		return nil, nil, &usageError{verb: one, key: "cli.usage.unknown_second", args: map[string]any{"Verb": one, "Word": two, "Words": seconds(family)}}
	}
	var names []string
	for _, v := range table {
		first, _, _ := strings.Cut(v.name, " ")
		names = append(names, first)
	}
	if near, ok := nearest(one, names); ok {
		return nil, nil, &usageError{key: "cli.usage.nearest", args: map[string]any{"Verb": one, "Nearest": near}}
	}
	return nil, nil, &usageError{key: "cli.usage.unknown", args: map[string]any{"Verb": one}}
}

// within lists the verbs of two words that begin with the first.
func within(table []verb, first string) []verb {
	var out []verb
	for _, v := range table {
		if strings.HasPrefix(v.name, first+" ") {
			out = append(out, v)
		}
	}
	return out
}

func seconds(family []verb) string {
	var words []string
	for _, v := range family {
		_, second, _ := strings.Cut(v.name, " ")
		words = append(words, second)
	}
	return strings.Join(words, ", ")
}
