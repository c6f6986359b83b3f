package redis

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// Sessions keeps what conversations are in the middle of. It may lose everything at any time.
type Sessions struct{ r *Redis }

// Put keeps what a conversation is in the middle of, for ttl, which must be positive: nothing here lives for ever.
func (s *Sessions) Put(ctx context.Context, orgID uuid.UUID, name string, value []byte, ttl time.Duration) error {
	if ttl < time.Millisecond {
		return fmt.Errorf("keep a session for %v: it needs a time to live", ttl)
	}
	return s.r.ask(ctx, "put", func(ctx context.Context) error {
		return s.r.client.Set(ctx, key(orgID, "session", name), value, ttl).Err()
	})
}

// Get gives a value back; ok is false when there is none (any more).
func (s *Sessions) Get(ctx context.Context, orgID uuid.UUID, name string) (value []byte, ok bool, err error) {
	return s.read(ctx, "get", func(ctx context.Context) *redis.StringCmd {
		return s.r.client.Get(ctx, key(orgID, "session", name))
	})
}

// Take gives a value back and forgets it in one step, so that of two who ask only one gets it (GETDEL, Redis 6.2).
func (s *Sessions) Take(ctx context.Context, orgID uuid.UUID, name string) (value []byte, ok bool, err error) {
	return s.read(ctx, "take", func(ctx context.Context) *redis.StringCmd {
		return s.r.client.GetDel(ctx, key(orgID, "session", name))
	})
}

func (s *Sessions) read(ctx context.Context, doing string, question func(context.Context) *redis.StringCmd) ([]byte, bool, error) {
	var value []byte
	err := s.r.ask(ctx, doing, func(ctx context.Context) error {
		got, err := question(ctx).Bytes()
		value = got
		return err
	})
	if errors.Is(err, redis.Nil) {
		return nil, false, nil
	}
	return value, err == nil, err
}
