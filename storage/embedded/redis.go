package embedded

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// expiryInterval is how often keys grow older. Each step walks all keys under one lock (at 100 ms it cost three quarters of the
// throughput with 40,000 keys), and everything kept in Redis lives for seconds at least.
const expiryInterval = time.Second

// Redis is an in-process server that speaks the Redis protocol. It keeps nothing over a restart, and one process has it for
// itself: several nodes need a real one.
type Redis struct {
	server   *miniredis.Miniredis
	password string
	quit     chan struct{}
	done     chan struct{}
}

// StartRedis listens on a free port of the loopback interface, behind a random password, because other users of the machine can reach
// that port. ctx bounds the start; the server lives until Stop.
func StartRedis(ctx context.Context) (*Redis, error) {
	ticker := time.NewTicker(expiryInterval)
	r, err := startRedis(ctx, ticker.C)
	if err != nil {
		ticker.Stop()
		return nil, err
	}
	go func() {
		<-r.done
		ticker.Stop()
	}()
	return r, nil
}

// startRedis takes the clock as a channel: the time between two values is what TTLs lose.
func startRedis(ctx context.Context, ticks <-chan time.Time) (*Redis, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("starting the embedded Redis: %w", err)
	}
	r := &Redis{
		server:   miniredis.NewMiniRedis(),
		password: rand.Text(),
		quit:     make(chan struct{}),
		done:     make(chan struct{}),
	}
	r.server.RequireAuth(r.password)
	if err := r.server.StartAddr("127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("starting the embedded Redis: %w", err)
	}
	go r.age(ticks)
	return r, nil
}

// age makes TTLs run: the server has no clock of its own for them.
func (r *Redis) age(ticks <-chan time.Time) {
	defer close(r.done)
	var last time.Time
	for {
		select {
		case <-r.quit:
			return
		case now := <-ticks:
			if !last.IsZero() {
				r.server.FastForward(now.Sub(last))
			}
			last = now
		}
	}
}

// URL is a redis:// URL with the password in it; do not log it.
func (r *Redis) URL() string {
	u := url.URL{Scheme: "redis", User: url.UserPassword("", r.password), Host: r.server.Addr(), Path: "/0"}
	return u.String()
}

// FlushAll forgets everything, as a restart of a real Redis without persistence would.
func (r *Redis) FlushAll() { r.server.FlushAll() }

// Stop closes all connections. It is called once.
func (r *Redis) Stop() {
	close(r.quit)
	<-r.done
	r.server.Close()
}
