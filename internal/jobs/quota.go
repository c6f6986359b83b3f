package jobs

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Shares of a month's calls, in percent: from the first on an operator is warned, from the second on nudges go once a week (R04).
const (
	warnAt   = 70
	scarceAt = 80
)

const (
	// tally is how often counts are written down; a crash forgets no more than that.
	tally = 5 * time.Second
	// lookAgain is how often a process that makes no calls reads what the others made.
	lookAgain = time.Minute
	// lastTally bounds the last one, when the end was asked for.
	lastTally = 3 * time.Second
)

// Quotas keeps how many calls of each platform's API a firm has used up, of all processes. The month is that of day's own calendar.
type Quotas interface {
	// Add counts n more calls and returns how many the month has then.
	Add(ctx context.Context, orgID uuid.UUID, platform string, day time.Time, n int64) (total int64, err error)
	Used(ctx context.Context, orgID uuid.UUID, platform string, day time.Time) (total int64, err error)
}

// QuotaOptions are what a Quota works with. All are needed.
type QuotaOptions struct {
	Store  Quotas
	OrgID  uuid.UUID
	Limits map[string]int64 // calls a month, by platform; 0 or no row: no limit, but they are counted
	Zone   *time.Location   // by whose calendar a month begins
	Now    func() time.Time
	Log    *slog.Logger
}

// Quota counts the calls of platforms' APIs. Some vendors allow so many a month and then answer no more, and there is nothing to ask how
// many are left. Counting never holds a call up: counts gather in memory and are written down every few seconds.
type Quota struct {
	QuotaOptions
	mu     sync.Mutex
	counts map[string]*count
}

// count is where a platform stands. pending were made in the month of since and are not written down yet.
type count struct {
	month   time.Time
	total   int64 // written down, of all processes
	pending int64
	read    time.Time // when total was read last
}

// NewQuota makes a counter. Until its first Tally it knows only its own calls.
func NewQuota(o QuotaOptions) *Quota { return &Quota{QuotaOptions: o, counts: map[string]*count{}} }

// Standing is where a platform's month stands. Limit is 0 where there is none.
type Standing struct{ Used, Limit int64 }

// Warn says that an operator should know.
func (s Standing) Warn() bool { return s.reached(warnAt) }

// Scarce says that what may wait should go together.
func (s Standing) Scarce() bool { return s.reached(scarceAt) }

func (s Standing) reached(percent int64) bool { return s.Limit > 0 && s.Used*100 >= s.Limit*percent }

// Percent is the share that is used up.
func (s Standing) Percent() int {
	if s.Limit <= 0 {
		return 0
	}
	return int(s.Used * 100 / s.Limit)
}

// Count counts one call, now.
func (q *Quota) Count(platform string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.of(platform).pending++
}

// of is the platform's count of this month. Calls of the last few seconds of a month may count for the next: vendors' clocks are not
// ours either. q.mu is held.
func (q *Quota) of(platform string) *count {
	now := q.Now().In(q.Zone)
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, q.Zone)
	c := q.counts[platform]
	if c == nil {
		c = &count{}
		q.counts[platform] = c
	}
	if !c.month.Equal(month) {
		*c = count{month: month, pending: c.pending}
	}
	return c
}

// Standing is what is known of a platform now: what was written down, and what this process made since.
func (q *Quota) Standing(platform string) Standing {
	q.mu.Lock()
	defer q.mu.Unlock()
	c := q.of(platform)
	return Standing{Used: c.total + c.pending, Limit: q.Limits[platform]}
}

// Standings are those of all platforms that have a limit or made a call.
func (q *Quota) Standings() map[string]Standing {
	out := map[string]Standing{}
	for _, platform := range q.platforms() {
		out[platform] = q.Standing(platform)
	}
	return out
}

func (q *Quota) platforms() []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := slices.AppendSeq(slices.Collect(maps.Keys(q.counts)), maps.Keys(q.Limits))
	slices.Sort(all)
	return slices.Compact(all)
}

// Weekly is Options.Weekly: a platform's calls are scarce.
func (q *Quota) Weekly(orgID uuid.UUID, platform string) bool {
	return orgID == q.OrgID && q.Standing(platform).Scarce()
}

// Transport counts every request that goes through next.
func (q *Quota) Transport(platform string, next http.RoundTripper) http.RoundTripper {
	return counting{q, platform, next}
}

type counting struct {
	quota    *Quota
	platform string
	next     http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.quota.Count(c.platform)
	return c.next.RoundTrip(r)
}

// CloseIdleConnections lets http.Client reach the transport underneath.
func (c counting) CloseIdleConnections() {
	if next, ok := c.next.(interface{ CloseIdleConnections() }); ok {
		next.CloseIdleConnections()
	}
}

// Run writes counts down until ctx ends, and once more then.
func (q *Quota) Run(ctx context.Context) {
	tick := time.NewTicker(tally)
	defer tick.Stop()
	failing := false
	for {
		err := q.Tally(ctx)
		if err != nil && !failing && ctx.Err() == nil { // an outage is one line
			q.Log.WarnContext(ctx, "calls cannot be counted", "err", err)
		}
		failing = err != nil
		select {
		case <-tick.C:
		case <-ctx.Done():
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastTally)
			defer cancel()
			if err := q.Tally(end); err != nil {
				q.Log.WarnContext(end, "the last calls cannot be counted", "err", err)
			}
			return
		}
	}
}

// Tally writes down what was counted since the last time. What cannot be written down stays counted.
func (q *Quota) Tally(ctx context.Context) error {
	var wrong error
	for _, platform := range q.platforms() {
		if err := q.tally(ctx, platform); err != nil {
			wrong = err
		}
	}
	return wrong
}

func (q *Quota) tally(ctx context.Context, platform string) error {
	q.mu.Lock()
	c := q.of(platform)
	month, n := c.month, c.pending
	idle := n == 0 && !c.read.IsZero() && q.Now().Sub(c.read) < lookAgain
	q.mu.Unlock()
	if idle {
		return nil
	}
	var total int64
	var err error
	if n > 0 {
		total, err = q.Store.Add(ctx, q.OrgID, platform, month, n)
	} else {
		total, err = q.Store.Used(ctx, q.OrgID, platform, month)
	}
	if err != nil {
		return err
	}
	q.mu.Lock()
	c.pending -= n
	if c.month.Equal(month) {
		c.total, c.read = total, q.Now()
	}
	q.mu.Unlock()
	q.warn(ctx, platform, Standing{total - n, q.Limits[platform]}, Standing{total, q.Limits[platform]})
	return nil
}

// warn tells an operator when a share is passed. Whoever's calls pass it, of all processes, is the only one who tells.
func (q *Quota) warn(ctx context.Context, platform string, before, now Standing) {
	log := q.Log.With("platform", platform, "used", now.Used, "limit", now.Limit, "percent", now.Percent())
	switch {
	case now.Scarce() && !before.Scarce():
		log.WarnContext(ctx, "a platform's calls of this month run out: reminders go as one message a week")
	case now.Warn() && !before.Warn():
		log.WarnContext(ctx, "a platform's calls of this month run low")
	}
}
