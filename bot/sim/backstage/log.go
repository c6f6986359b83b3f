package backstage

import (
	"slices"
	"sync"
)

// Log keeps the latest records of one kind, calls or deliveries. It forgets the oldest.
type Log[T any] struct {
	keep int

	mu  sync.Mutex
	all []T
}

// NewLog makes a log that keeps so many.
func NewLog[T any](keep int) *Log[T] { return &Log[T]{keep: keep} }

// Add records one.
func (l *Log[T]) Add(v T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, v)
	if over := len(l.all) - l.keep; over > 0 {
		l.all = slices.Delete(l.all, 0, over)
	}
}

// All returns the records, oldest first.
func (l *Log[T]) All() []T {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.all)
}

// Find returns the first record of which is holds.
func (l *Log[T]) Find(is func(T) bool) (T, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.IndexFunc(l.all, is); i >= 0 {
		return l.all[i], true
	}
	var none T
	return none, false
}

// Clear forgets the records.
func (l *Log[T]) Clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = nil
}

// Since keeps what is newer; never nil, so that it is a list in JSON too.
func Since[T any](all []T, newer func(T) bool) []T {
	out := []T{}
	for _, v := range all {
		if newer(v) {
			out = append(out, v)
		}
	}
	return out
}
