// Package redis keeps what may be lost at any moment: what a conversation is in the middle of, and how fast messages may follow each
// other. Everything in it has a time to live and lies under its firm's tag. It decides nothing, and whoever uses it gets along without it.
package redis

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"huiyin/internal/fault"
)

const (
	// patience is what one question may cost, with connecting. A chat platform waits three seconds for an answer, and a
	// conversation asks more than once.
	patience = 600 * time.Millisecond
	// dialing and answering are shorter, so that a server which only stalls for a moment is not given up.
	dialing   = 300 * time.Millisecond
	answering = 400 * time.Millisecond
	// silence is how long nobody asks again after a question that got no answer: the second one of a conversation would wait as well.
	silence = time.Second
)

// errSilent is the cause while nobody asks because the last question got no answer.
var errSilent = errors.New("no answer a moment ago")

// Redis is a server, a set watched by sentinels, or a cluster. It is safe for concurrent use. Its methods return faults of kind
// Unavailable when there is no answer within a second.
type Redis struct {
	Sessions *Sessions
	Pacer    *Pacer

	client redis.UniversalClient
	silent atomic.Bool
}

var quiet sync.Once

// Open prepares a client for a URL in the forms of go-redis:
//
//	redis://user:password@host:6379/0            one server; rediss for TLS, unix for a socket
//	redis://:password@sentinel:26379/0?master_name=main&addr=sentinel2:26379    sentinels
//	redis://user:password@node1:6379?addr=node2:6379    a cluster; with one address only: ?cluster=true
//
// It fails only when the URL cannot be understood: a bot whose Redis is away still answers. ctx bounds a first look at the server, which
// saves the first conversation from waiting for one that is down.
func Open(ctx context.Context, address string) (*Redis, error) {
	// The library's own lines go to standard error and tell nothing that the faults do not.
	quiet.Do(logging.Disable)
	client, err := connect(address)
	if err != nil {
		return nil, err
	}
	r := &Redis{client: client}
	r.Sessions, r.Pacer = &Sessions{r}, &Pacer{r}
	_ = r.Ping(ctx) // being away is no reason not to start
	return r, nil
}

// connect reads the URL. Settings in its query win over ours. Errors do not repeat the URL, which holds a password.
func connect(address string) (redis.UniversalClient, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("reading the Redis URL: it is not a URL")
	}
	q := u.Query()
	cluster := q.Get("cluster") == "true"
	q.Del("cluster")
	u.RawQuery = q.Encode()
	switch {
	case q.Has("master_name"):
		o, err := redis.ParseFailoverURL(u.String())
		if err != nil {
			return nil, unreadable(err)
		}
		apply(limits{&o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout, &o.PoolTimeout, &o.DialerRetries, &o.MaxRetries})
		o.ContextTimeoutEnabled, o.DisableIdentity = true, true
		return redis.NewFailoverClient(o), nil
	case cluster || q.Has("addr"):
		o, err := redis.ParseClusterURL(u.String())
		if err != nil {
			return nil, unreadable(err)
		}
		apply(limits{&o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout, &o.PoolTimeout, &o.DialerRetries, &o.MaxRetries})
		o.ContextTimeoutEnabled, o.DisableIdentity = true, true
		o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
		return redis.NewClusterClient(o), nil
	}
	o, err := redis.ParseURL(u.String())
	if err != nil {
		return nil, unreadable(err)
	}
	apply(limits{&o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout, &o.PoolTimeout, &o.DialerRetries, &o.MaxRetries})
	o.ContextTimeoutEnabled, o.DisableIdentity = true, true
	// Old servers and proxies refuse what is not needed: CLIENT SETINFO and CLIENT MAINT_NOTIFICATIONS (go-redis issues 2911, 3536).
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return redis.NewClient(o), nil
}

func unreadable(err error) error {
	return fmt.Errorf("reading the Redis URL: %s", strings.TrimPrefix(err.Error(), "redis: "))
}

// limits are the settings that the three kinds of client have in common.
type limits struct {
	dial, read, write, pool *time.Duration
	dials, retries          *int
}

func apply(l limits) {
	unlessSet(l.dial, dialing)
	unlessSet(l.read, answering)
	unlessSet(l.write, answering)
	unlessSet(l.pool, answering)
	unlessSet(l.dials, 1)
	unlessSet(l.retries, -1) // go-redis for none: a question that was taken and not answered must not count twice
}

func unlessSet[T comparable](at *T, to T) {
	var zero T
	if *at == zero {
		*at = to
	}
}

// Close ends all connections.
func (r *Redis) Close() error { return r.client.Close() }

// Ping gives a fault of kind Unavailable when there is no answer.
func (r *Redis) Ping(ctx context.Context) error {
	return r.ask(ctx, "ping", func(ctx context.Context) error { return r.client.Ping(ctx).Err() })
}

// ask bounds what a question may cost, and translates what went wrong.
func (r *Redis) ask(ctx context.Context, doing string, question func(context.Context) error) error {
	if r.silent.Load() {
		return away(doing, errSilent)
	}
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := question(bounded)
	if err == nil || errors.Is(err, redis.Nil) {
		return err
	}
	if ctx.Err() != nil { // the asker gave up, which says nothing about the server
		return away(doing, err)
	}
	if _, answered := errors.AsType[redis.Error](err); !answered && r.silent.CompareAndSwap(false, true) {
		time.AfterFunc(silence, func() { r.silent.Store(false) })
	}
	return away(doing, err)
}

func away(doing string, err error) error {
	return fault.New(fault.Unavailable, "storage.unavailable").Because(fmt.Errorf("redis: %s: %w", doing, err))
}

// key names a value: the firm in braces, so that all keys of a firm lie in one slot of a cluster.
func key(orgID uuid.UUID, kind, name string) string {
	return "huiyin:{" + orgID.String() + "}:" + kind + ":" + name
}
