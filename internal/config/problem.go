package config

import "strings"

// Problem is one setting that cannot be used. Key is the message "config.problem.…" and Args fills its placeholders; they never hold the
// value of a secret. (It is no fault.Fault because configuration is read before there is anybody to have one.)
type Problem struct {
	Setting string // HUIYIN_…
	Key     string
	Args    map[string]any
}

// Problems is every setting that cannot be used, in the order of the table.
type Problems []Problem

// Error lists settings and keys for an operator who has no catalogue at hand.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, one := range p {
		lines[i] = one.Setting + ": " + one.Key
	}
	return strings.Join(lines, "; ")
}

func problem(key string, args ...any) *Problem {
	p := &Problem{Key: "config.problem." + key, Args: map[string]any{}}
	for i := 0; i+1 < len(args); i += 2 {
		p.Args[args[i].(string)] = args[i+1]
	}
	return p
}
