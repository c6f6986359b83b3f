package jobs

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/google/uuid"

	"huiyin/internal/notice"
)

// Limits are how fast one workspace of a platform may be used. Zero rates set no limit.
type Limits struct {
	Place     notice.Rate // new messages in one conversation
	Workspace notice.Rate // new messages in all of them
	Update    notice.Rate // changes of messages that are there
	Find      notice.Rate // questions whether a message arrived
	// Together says that a refusal for being too fast closes the whole workspace for new messages, and not the conversation alone.
	Together bool
}

const (
	// brief is how long one run waits for turns at the most, before it goes away and comes back. River brings back those who went for longer
	// than five seconds in bunches, every five seconds; a bunch that waits in line here uses every turn until the next one comes. It
	// leaves a job enough of its time to send.
	brief = 4 * time.Second
	// squeeze is how long a worker waits for room on a platform: a call takes less, unless the platform is slow, and then the worker has
	// better things to do.
	squeeze = 250 * time.Millisecond
	// farthest bounds how far ahead a turn is estimated.
	farthest = 10 * time.Minute
	// aloof is how long nobody asks a shared pacer that gave no answer.
	aloof = 5 * time.Second
)

// paces gives turns at keys. The shared pacer decides; it is followed along here, so that pacing goes on without it.
type paces struct {
	shared Pacer // nil: this process is alone
	now    func() time.Time

	mu      sync.Mutex
	keys    map[paceKey]*pace
	away    time.Time                // the shared pacer is not asked before
	waiting int                      // workers that wait for their turn
	most    int                      // of them
	inside  map[string]chan struct{} // sends under way, by platform
	room    int                      // for sends on one platform
}

type paceKey struct {
	org  uuid.UUID
	name string
}

// pace is one key as this process knows it.
type pace struct {
	paid   time.Time // by the generic cell rate algorithm: all turns taken are paid for then
	closed time.Time // nobody has a turn before
	// line is the turn estimated for the last of those who wait here.
	line time.Time
	// ends are the turns estimated for those who were sent away, by class, so that they do not all come back at once.
	ends map[notice.Class]time.Time
}

// newPaces lets at most half of the workers wait for turns and at most two thirds be busy with one platform: one slow or busy platform
// does not hold up the others (R11).
func newPaces(shared Pacer, now func() time.Time, workers int) *paces {
	return &paces{
		shared: shared, now: now, keys: map[paceKey]*pace{},
		most: max(1, workers/2), inside: map[string]chan struct{}{}, room: max(1, workers*2/3),
	}
}

// turn waits for a turn until the given time and returns 0 when it has it; otherwise it returns when to come back.
func (p *paces) turn(ctx context.Context, orgID uuid.UUID, name string, rate notice.Rate, class notice.Class, until time.Time) (time.Duration, error) {
	key := paceKey{orgID, name}
	for {
		wait := p.take(ctx, key, rate)
		if wait <= 0 {
			return 0, nil
		}
		stays, wait := p.place(key, rate, class, wait, until)
		if !stays {
			return wait, nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
			p.unstay()
		case <-ctx.Done():
			timer.Stop()
			p.unstay()
			return 0, ctx.Err()
		}
	}
}

// place finds a place for somebody who must wait: in line here if their turn comes soon enough, or away.
func (p *paces) place(key paceKey, rate notice.Rate, class notice.Class, wait time.Duration, until time.Time) (stays bool, _ time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, k := p.now(), p.at(key)
	at := latest(now.Add(wait), k.line.Add(rate.Per))
	if !at.After(until) && p.waiting < p.most {
		p.waiting++
		k.line = at
		return true, at.Sub(now)
	}
	at = latest(at, k.ends[class].Add(rate.Per))
	if far := now.Add(max(wait, farthest)); at.After(far) {
		at = far
	}
	k.ends[class] = at
	return false, at.Sub(now)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// take takes a turn, or says how long it will be until there is one.
func (p *paces) take(ctx context.Context, key paceKey, rate notice.Rate) time.Duration {
	p.mu.Lock()
	now := p.now()
	ask := p.shared != nil && !now.Before(p.away)
	closed := p.at(key).closed.Sub(now)
	p.mu.Unlock()
	if closed > 0 {
		return closed
	}
	if ask {
		wait, err := p.shared.Take(ctx, key.org, key.name, rate)
		if err == nil && wait > 0 {
			return wait
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if err == nil {
			p.at(key).take(now, rate)
			return 0
		}
		p.away = now.Add(aloof)
		return p.at(key).try(now, rate)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at(key).try(now, rate)
}

func (k *pace) try(now time.Time, rate notice.Rate) time.Duration {
	if wait := latest(k.paid, now).Sub(now) - rate.Per*time.Duration(max(rate.Burst, 1)-1); wait > 0 {
		return wait
	}
	k.take(now, rate)
	return 0
}

func (k *pace) take(now time.Time, rate notice.Rate) { k.paid = latest(k.paid, now).Add(rate.Per) }

// pause closes a key for everybody.
func (p *paces) pause(ctx context.Context, orgID uuid.UUID, name string, lasts time.Duration) {
	p.mu.Lock()
	now := p.now()
	if until, k := now.Add(lasts), p.at(paceKey{orgID, name}); until.After(k.closed) {
		k.closed = until
	}
	ask := p.shared != nil && !now.Before(p.away)
	p.mu.Unlock()
	if !ask {
		return
	}
	if err := p.shared.Pause(ctx, orgID, name, lasts); err != nil { // this process keeps to it, and the others find out for themselves
		p.mu.Lock()
		p.away = now.Add(aloof)
		p.mu.Unlock()
	}
}

// enter gives leave for one more send on a platform, if there is room or soon will be. It is given back by leave, and at the latest
// when ctx ends: somebody who does not come back must not keep the others out for ever.
func (p *paces) enter(ctx context.Context, platform string) (leave func(), ok bool) {
	p.mu.Lock()
	inside := p.inside[platform]
	if inside == nil {
		inside = make(chan struct{}, p.room)
		p.inside[platform] = inside
	}
	p.mu.Unlock()
	timer := time.NewTimer(squeeze)
	defer timer.Stop()
	select {
	case inside <- struct{}{}:
	case <-timer.C:
		return nil, false
	case <-ctx.Done():
		return nil, false
	}
	out := sync.OnceFunc(func() { <-inside })
	stop := context.AfterFunc(ctx, out)
	return func() { stop(); out() }, true
}

func (p *paces) unstay() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting--
}

// at finds or makes a key. p.mu is held.
func (p *paces) at(key paceKey) *pace {
	k := p.keys[key]
	if k == nil {
		k = &pace{ends: map[notice.Class]time.Time{}}
		p.keys[key] = k
	}
	return k
}

// forget drops the keys that have nothing ahead of them.
func (p *paces) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	maps.DeleteFunc(p.keys, func(_ paceKey, k *pace) bool {
		for _, end := range k.ends {
			if end.After(now) {
				return false
			}
		}
		return !k.paid.After(now) && !k.closed.After(now) && !k.line.After(now)
	})
}
