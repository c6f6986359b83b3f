package backstage

import (
	"cmp"
	"slices"
	"sync"
)

// The severities of a Finding.
const (
	Must   = "MUST"   // a fault: the run that has one has failed
	Should = "SHOULD" // against a recommendation
)

// Finding is a fault in something the bot sent that the vendor itself lets pass, or an answer the vendor could not use. It
// tells where and how long, never what: texts do not belong in reports.
type Finding struct {
	N        int    `json:"n"`
	Severity string `json:"severity"`
	Rule     string `json:"rule"`              // such as text.at_all
	Pointer  string `json:"pointer,omitempty"` // JSON pointer into the content or the answer
	Length   int    `json:"length,omitempty"`  // characters of the offending string
	Detail   string `json:"detail,omitempty"`  // a name or number of ours, never user text
	Method   string `json:"method,omitempty"`
	Call     int    `json:"call,omitempty"`     // of the call
	Delivery int    `json:"delivery,omitempty"` // of the delivery, when the fault is in an answer of the bot
}

// Findings is a list of them. The zero value is empty.
type Findings struct {
	mu  sync.Mutex
	n   int
	all []Finding
}

// Add records one finding and returns its number, which no other ever has; without a severity it is a Must.
func (l *Findings) Add(f Finding) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n++
	f.N = l.n
	f.Severity = cmp.Or(f.Severity, Must)
	l.all = append(l.all, f)
	return f.N
}

// All returns the faults found so far.
func (l *Findings) All() []Finding {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.all)
}

// Musts returns those that fail a run.
func (l *Findings) Musts() []Finding {
	return slices.DeleteFunc(l.All(), func(f Finding) bool { return f.Severity != Must })
}

// Clear forgets them; numbers go on.
func (l *Findings) Clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = nil
}
