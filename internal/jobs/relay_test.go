package jobs

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"huiyin/internal/notice"
)

// line is a relay between a store and a queue in memory.
type line struct {
	relay
	store *store
	wake  chan struct{}
	log   lines

	mu     sync.Mutex
	queue  []notice.Notice
	failed error
}

func newLine() *line {
	l := &line{store: &store{}, wake: make(chan struct{}, 1)}
	l.relay = relay{
		deliveries: l.store, wake: l.wake, now: clock, log: slog.New(slog.NewTextHandler(&l.log, nil)),
		queued: func(_ context.Context, most int) (int, error) {
			l.mu.Lock()
			defer l.mu.Unlock()
			return min(len(l.queue), most), l.failed
		},
		enqueue: func(_ context.Context, _ pgx.Tx, notices []notice.Notice) error {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.queue = append(l.queue, notices...)
			return nil
		},
	}
	return l
}

func (l *line) write(n int, due time.Time) {
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	for range n {
		l.store.outbox = append(l.store.outbox, notice.Notice{ID: uuid.Must(uuid.NewV7()), Due: due})
	}
}

// take takes n jobs out of the queue and returns how many were in it.
func (l *line) take(n int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	had := len(l.queue)
	l.queue = l.queue[min(n, had):]
	return had
}

func (l *line) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed = err
}

// during runs the relay while the test does something.
func (l *line) during(t *testing.T, do func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- l.run(ctx) }()
	synctest.Wait()
	do()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the relay ended with %v", err)
	}
}

func TestANoticeIsHandedOverWhenItsCommitWakesTheRelayAndAfterASecondOtherwise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine()
		l.during(t, func() {
			wait(500 * time.Millisecond)
			l.write(3, clock())
			l.wake <- struct{}{}
			synctest.Wait()
			if had := l.take(3); had != 3 {
				t.Errorf("after a wake %d notices were handed over, want 3", had)
			}
			l.write(2, clock()) // by another process, which wakes nobody here
			wait(time.Second)
			synctest.Wait()
			if had := l.take(2); had != 2 {
				t.Errorf("after a second %d notices were handed over, want 2", had)
			}
			l.write(1, clock().Add(time.Hour))
			wait(59 * time.Minute)
			if had := l.take(1); had != 0 {
				t.Error("a notice was handed over before it was due")
			}
			wait(time.Minute + time.Second)
			if had := l.take(1); had != 1 {
				t.Error("a notice was not handed over when it was due")
			}
		})
	})
}

func TestTheQueueIsKeptShortAndNeverStopsMoving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine()
		l.write(5000, clock())
		l.during(t, func() {
			if had := l.take(100); had != room {
				t.Errorf("%d of 5000 are in the queue, want %d", had, room)
			}
			wait(2 * time.Second)
			if had := l.take(0); had < room || had > room+2*trickle {
				t.Errorf("after a hundred were done %d are in the queue, want about %d", had, room)
			}
			before := l.take(0)
			wait(10 * time.Second)
			if moved := l.take(0) - before; moved < 9*trickle || moved > 11*trickle {
				t.Errorf("while nothing is done %d are handed over in ten seconds, want about %d", moved, 10*trickle)
			}
		})
	})
}

func TestAnOutageOfTheStoreIsOneLineAndOneTryASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine()
		l.during(t, func() {
			l.fail(errors.New("away"))
			for range 300 {
				select {
				case l.wake <- struct{}{}:
				default:
				}
				wait(100 * time.Millisecond)
			}
			if lines := strings.Count(l.log.String(), "cannot be handed over"); lines != 1 {
				t.Errorf("an outage of half a minute is %d lines, want 1", lines)
			}
			l.fail(nil)
			l.write(1, clock())
			wait(time.Second + gather)
			if had := l.take(1); had != 1 {
				t.Error("after the outage nothing was handed over")
			}
		})
	})
}
