package chat

import (
	"context"
	"sync"
)

// seen remembers up to which message each person has read each place. It is the page's memory, not the platform's: a client's
// unread marks are its own.
type seen struct {
	mu sync.Mutex
	to map[[3]string]string
}

func (s *seen) last(p platform, user, place string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.to[[3]string{p.name(), user, place}]
}

func (s *seen) read(p platform, user, place, message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.to == nil {
		s.to = map[[3]string]string{}
	}
	s.to[[3]string{p.name(), user, place}] = message
}

// board tells every open page what has been done on any of them.
type board struct {
	mu      sync.Mutex
	readers map[chan deed]struct{}
}

func (b *board) tell(d deed) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.readers {
		select {
		case c <- d:
		default: // a page so far behind loses a hint of the tour, which has a button for that
		}
	}
}

func (b *board) join(ctx context.Context) <-chan deed {
	c := make(chan deed, 32)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.readers == nil {
		b.readers = map[chan deed]struct{}{}
	}
	b.readers[c] = struct{}{}
	context.AfterFunc(ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.readers, c)
	})
	return c
}
