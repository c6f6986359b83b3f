package embedded

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// dial returns a client of the server and the channel that is its clock.
func dial(t *testing.T) (*Redis, *redis.Client, chan<- time.Time) {
	t.Helper()
	ticks := make(chan time.Time)
	server, err := startRedis(t.Context(), ticks)
	if err != nil {
		t.Fatalf("starting Redis: %v", err)
	}
	t.Cleanup(server.Stop)
	options, err := redis.ParseURL(server.URL())
	if err != nil {
		t.Fatalf("go-redis does not accept the URL: %v", err)
	}
	client := redis.NewClient(options)
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Errorf("closing the client: %v", err)
		}
	})
	return server, client, ticks
}

func TestRedisKeyIsGoneWhenItsTimeHasPassed(t *testing.T) {
	_, client, ticks := dial(t)
	if err := client.Set(t.Context(), "dialog", "step 2", 10*time.Second).Err(); err != nil {
		t.Fatalf("SET with a TTL: %v", err)
	}
	start := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	ticks <- start
	ticks <- start.Add(9 * time.Second)
	ticks <- start.Add(9 * time.Second) // taken only after the one before it was worked through
	if got, err := client.Get(t.Context(), "dialog").Result(); err != nil || got != "step 2" {
		t.Errorf("1 s before its end the key reads %q, %v; want it alive", got, err)
	}
	ticks <- start.Add(10 * time.Second)
	ticks <- start.Add(10 * time.Second)
	if n, err := client.Exists(t.Context(), "dialog").Result(); err != nil || n != 0 {
		t.Errorf("at its end the key exists %d times, %v; want it gone", n, err)
	}
}

func TestRedisClockRunsByItself(t *testing.T) {
	t.Parallel()
	server, err := StartRedis(t.Context())
	if err != nil {
		t.Fatalf("starting Redis: %v", err)
	}
	defer server.Stop()
	options, err := redis.ParseURL(server.URL())
	if err != nil {
		t.Fatalf("go-redis does not accept the URL: %v", err)
	}
	client := redis.NewClient(options)
	defer client.Close()
	if err := client.Set(t.Context(), "short", "x", time.Second).Err(); err != nil {
		t.Fatalf("SET with a TTL: %v", err)
	}
	eventually(t, "a key of one second expires without anybody's help", func() bool {
		n, err := client.Exists(t.Context(), "short").Result()
		return err == nil && n == 0
	})
}

func TestRedisRefusesAClientWithoutThePassword(t *testing.T) {
	server, client, _ := dial(t)
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Fatalf("PING with the password of the URL: %v", err)
	}
	for _, password := range []string{"", "guess"} {
		stranger := redis.NewClient(&redis.Options{Addr: server.server.Addr(), Password: password})
		if err := stranger.Set(t.Context(), "k", "v", 0).Err(); err == nil {
			t.Errorf("SET with the password %q was accepted", password)
		}
		if err := stranger.Close(); err != nil {
			t.Errorf("closing the client: %v", err)
		}
	}
}

func TestRedisFlushForgetsEverything(t *testing.T) {
	server, client, _ := dial(t)
	if err := client.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatalf("SET: %v", err)
	}
	server.FlushAll()
	if n, err := client.DBSize(t.Context()).Result(); err != nil || n != 0 {
		t.Errorf("after FlushAll the server has %d keys, %v; want 0", n, err)
	}
}
