package app

import (
	"context"
	"errors"
	"fmt"

	"huiyin/internal/config"
	"huiyin/internal/fault"
	"huiyin/storage/embedded"
)

// usageError is a wrong use of the command line.
type usageError struct {
	verb string // whose help to offer; empty: the program's
	key  string
	args map[string]any
}

func (e *usageError) Error() string { return e.key }

// errTold ends a verb that has said all there is to say.
var errTold = errors.New("told")

// complain says what went wrong on standard error, in the language of LANG, and gives the exit code.
func (c *console) complain(err error) int {
	var usage *usageError
	switch {
	case errors.Is(err, errTold):
		return failed
	case errors.As(err, &usage):
		fmt.Fprintln(c.err, c.say.With(usage.key, usage.args))
		more := "huiyin -h"
		if usage.verb != "" {
			more = "huiyin " + usage.verb + " -h"
		}
		fmt.Fprintln(c.err, c.say.T("cli.usage.more", "Command", more))
		return misuse
	}
	for _, line := range c.explain(err) {
		fmt.Fprintln(c.err, line)
	}
	return failed
}

// explain turns an error into lines for the operator: what is wrong and, where we know it, what to do.
func (c *console) explain(err error) []string {
	var problems config.Problems
	var none *embedded.NoPostgresError
	switch {
	case errors.As(err, &problems):
		lines := []string{c.say.T("cli.error.settings", "Count", len(problems))}
		for _, p := range problems {
			lines = append(lines, "  "+p.Setting+" "+c.say.With(p.Key, p.Args))
		}
		return lines
	case errors.As(err, &none):
		return c.explainNoPostgres(none)
	case errors.Is(err, context.Canceled):
		return []string{c.say.T("cli.error.stopped")}
	}
	if f, ok := fault.Of(err); ok {
		var lines []string
		for _, one := range f.All() {
			lines = append(lines, c.say.With(one.Key, one.Args))
		}
		if cause := errors.Unwrap(f); cause != nil {
			lines = append(lines, c.say.T("cli.error.cause", "Cause", cause.Error()))
		}
		return lines
	}
	return []string{c.say.T("cli.error", "Error", err.Error())}
}

func (c *console) explainNoPostgres(none *embedded.NoPostgresError) []string {
	head := c.say.T("cli.error.postgres")
	if none.Major != 0 {
		head = c.say.T("cli.error.postgres_major", "Major", none.Major)
	}
	lines := []string{head, c.say.T("cli.error.ways")}
	for _, way := range none.WaysOut() {
		lines = append(lines, "  "+way)
	}
	for _, tried := range none.Tried {
		lines = append(lines, c.say.T("cli.error.tried", "Why", tried.Error()))
	}
	return lines
}
