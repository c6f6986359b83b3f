package redis

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"huiyin/internal/notice"
)

// take is the generic cell rate algorithm: the key keeps the time at which everything taken so far is paid for. Times are microseconds
// of the server's own clock, which all processes share and which stay exact in Lua's doubles. The time paid for is never further away
// than a full burst, so that a server whose clock went back does not stop everybody.
//
// KEYS: pace, pause. ARGV: microseconds a turn, burst. Gives the microseconds to wait; 0: the turn is taken.
var take = redis.NewScript(`
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local pause = tonumber(redis.call('GET', KEYS[2]) or 0)
if pause > now then return pause - now end
local per, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local paid = tonumber(redis.call('GET', KEYS[1]) or 0)
paid = math.min(math.max(paid, now), now + per * burst)
local wait = paid - now - per * (burst - 1)
if wait > 0 then return wait end
paid = paid + per
redis.call('SET', KEYS[1], string.format('%.0f', paid), 'PX', string.format('%.0f', math.ceil((paid - now) / 1000) + 1000))
return 0
`)

// pause lets nobody have a turn until then; a longer pause that runs already stays.
//
// KEYS: pause. ARGV: microseconds.
var pause = redis.NewScript(`
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local lasts = tonumber(ARGV[1])
if tonumber(redis.call('GET', KEYS[1]) or 0) < now + lasts then
  redis.call('SET', KEYS[1], string.format('%.0f', now + lasts), 'PX', string.format('%.0f', math.ceil(lasts / 1000) + 1000))
end
return 0
`)

// Pacer spaces what all processes of a firm send. It has no say when Redis is away; whoever asks then paces by itself.
type Pacer struct{ r *Redis }

// Take takes one turn at the key and returns 0, or takes none and returns how long it will be until there is one.
func (p *Pacer) Take(ctx context.Context, orgID uuid.UUID, name string, rate notice.Rate) (time.Duration, error) {
	var wait int64
	err := p.r.ask(ctx, "take a turn", func(ctx context.Context) error {
		keys := []string{key(orgID, "pace", name), key(orgID, "pause", name)}
		got, err := take.Run(ctx, p.r.client, keys, rate.Per.Microseconds(), max(rate.Burst, 1)).Int64()
		wait = got
		return err
	})
	return time.Duration(wait) * time.Microsecond, err
}

// Pause lets nobody have a turn at the key for that long. It never shortens an earlier pause.
func (p *Pacer) Pause(ctx context.Context, orgID uuid.UUID, name string, lasts time.Duration) error {
	if lasts <= 0 {
		return nil
	}
	return p.r.ask(ctx, "pause", func(ctx context.Context) error {
		return pause.Run(ctx, p.r.client, []string{key(orgID, "pause", name)}, lasts.Microseconds()).Err()
	})
}
