// Package fault is the one shape of a failure that a person should understand: a kind for programs, a message key with
// arguments for people, and the field it is about. It knows no language, no card and no HTTP status; the dialog, the API and
// the jobs translate a fault at their own door.
package fault

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind says what a program may do about a fault.
type Kind int

// The kinds. Everything that is not a *Fault is internal: one friendly line for the person, the whole chain for the operator.
const (
	Invalid     Kind = iota + 1 // the input is wrong; Field says where
	Forbidden                   // the actor may not do this
	NotFound                    // there is no such thing, or the actor may not know that there is
	Conflict                    // it cannot be done any more, or not in this state
	Duplicate                   // this very event has had its effect already
	Stale                       // decided on an outdated directory; reload and decide again
	Unavailable                 // something we depend on is away; RetryAfter says when to try again, if known
)

// String is the kind's name as it appears in logs and metrics.
func (k Kind) String() string {
	switch k {
	case Invalid:
		return "invalid"
	case Forbidden:
		return "forbidden"
	case NotFound:
		return "not_found"
	case Conflict:
		return "conflict"
	case Duplicate:
		return "duplicate"
	case Stale:
		return "stale"
	case Unavailable:
		return "unavailable"
	}
	return "internal"
}

// Args are the values a message's placeholders take, by placeholder name. They are put in once and never expanded again.
type Args map[string]any

// Fault is a failure with words for a person. Key names a message of the catalogue.
type Fault struct {
	Kind       Kind
	Key        string
	Args       Args
	Field      string        // form field, command argument or column; empty when it is about the whole
	RetryAfter time.Duration // Unavailable only; 0 when unknown
	More       []*Fault      // further problems found in the same input, so that all are shown at once
	cause      error
}

// New makes a fault. args are placeholder name and value in turn.
func New(kind Kind, key string, args ...any) *Fault {
	return &Fault{Kind: kind, Key: key, Args: pairs(args)}
}

// In says which field the fault is about.
func (f *Fault) In(field string) *Fault {
	f.Field = field
	return f
}

// Because keeps the technical cause for the operator. It is never shown to a person.
func (f *Fault) Because(err error) *Fault {
	f.cause = err
	return f
}

// Error is for the operator: kind, key and cause, never the arguments, which may hold a person's words.
func (f *Fault) Error() string {
	var b strings.Builder
	b.WriteString(f.Kind.String())
	b.WriteString(": ")
	b.WriteString(f.Key)
	if f.Field != "" {
		b.WriteString(" (" + f.Field + ")")
	}
	if f.cause != nil {
		b.WriteString(": " + f.cause.Error())
	}
	return b.String()
}

// Unwrap gives the technical cause.
func (f *Fault) Unwrap() error { return f.cause }

// Of finds the fault in an error chain; ok is false for an internal error.
func Of(err error) (f *Fault, ok bool) {
	ok = errors.As(err, &f)
	return f, ok
}

// Is reports whether err carries a fault of that kind.
func Is(err error, kind Kind) bool {
	f, ok := Of(err)
	return ok && f.Kind == kind
}

// Join makes one fault of several field problems, the first leading. It gives nil when there are none.
func Join(problems ...*Fault) error {
	var kept []*Fault
	for _, p := range problems {
		if p != nil {
			kept = append(kept, p)
		}
	}
	if len(kept) == 0 {
		return nil
	}
	first := *kept[0]
	first.More = append(append([]*Fault{}, first.More...), kept[1:]...)
	return &first
}

// All lists the fault and its further problems in order.
func (f *Fault) All() []*Fault {
	return append([]*Fault{f}, f.More...)
}

func pairs(args []any) Args {
	if len(args) == 0 {
		return nil
	}
	out := make(Args, len(args)/2)
	for i := 0; i+1 < len(args); i += 2 {
		out[fmt.Sprint(args[i])] = args[i+1]
	}
	return out
}
