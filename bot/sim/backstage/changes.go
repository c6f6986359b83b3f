package backstage

import (
	"context"
	"sync"
)

// behind is how many changes a subscriber may not have read yet.
const behind = 256

// Changes tells subscribers that something changed, so that a page can fetch it. T is the vendor's description of a change.
type Changes[T any] struct {
	clock  *Clock
	missed T

	mu   sync.Mutex
	subs map[*subscription[T]]struct{}
}

type subscription[T any] struct {
	c      chan T
	missed bool
}

// NewChanges makes a stream of changes that ends with the clock. A subscriber that was too slow is told missed: it must read
// the whole state again.
func NewChanges[T any](clock *Clock, missed T) *Changes[T] {
	return &Changes[T]{clock: clock, missed: missed, subs: map[*subscription[T]]struct{}{}}
}

// Subscribe returns the changes from now on, until ctx ends or the clock is stopped.
func (s *Changes[T]) Subscribe(ctx context.Context) <-chan T {
	sub := &subscription[T]{c: make(chan T, behind)}
	s.mu.Lock()
	s.subs[sub] = struct{}{}
	s.mu.Unlock()
	done := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if _, open := s.subs[sub]; open {
			delete(s.subs, sub)
			close(sub.c)
		}
	}
	if s.clock.Context().Err() != nil {
		done()
		return sub.c
	}
	s.clock.Go(func() {
		select {
		case <-ctx.Done():
		case <-s.clock.Context().Done():
		}
		done()
	})
	return sub.c
}

// Tell tells every subscriber; it never waits for one.
func (s *Changes[T]) Tell(c T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for sub := range s.subs {
		if sub.missed {
			select {
			case sub.c <- s.missed:
				sub.missed = false
			default:
				continue
			}
		}
		select {
		case sub.c <- c:
		default:
			sub.missed = true
		}
	}
}
