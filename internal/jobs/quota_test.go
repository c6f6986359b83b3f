package jobs

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// ledger is a store of counts in memory.
type ledger struct {
	mu    sync.Mutex
	calls map[string]int64
	away  error
	asked int
}

func (l *ledger) Add(_ context.Context, org uuid.UUID, platform string, day time.Time, n int64) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked++
	if l.away != nil {
		return 0, l.away
	}
	key := org.String() + platform + day.Format("2006-01")
	l.calls[key] += n
	return l.calls[key], nil
}

func (l *ledger) Used(ctx context.Context, org uuid.UUID, platform string, day time.Time) (int64, error) {
	return l.Add(ctx, org, platform, day, 0)
}

type counted struct {
	*Quota
	at    time.Time
	lines bytes.Buffer
}

func newCounted(l *ledger, org uuid.UUID, at time.Time) *counted {
	c := &counted{at: at}
	c.Quota = NewQuota(QuotaOptions{
		Store: l, OrgID: org, Limits: map[string]int64{"dingtalk": 100}, Zone: time.FixedZone("CST", 8*3600), Now: func() time.Time { return c.at },
		Log: slog.New(slog.NewTextHandler(&c.lines, nil)),
	})
	return c
}

func (c *counted) make(t *testing.T, platform string, n int) {
	t.Helper()
	for range n {
		c.Count(platform)
	}
	if err := c.Tally(t.Context()); err != nil {
		t.Fatalf("writing counts down: %v", err)
	}
}

func TestAnOperatorIsWarnedOncePerShareThatIsPassedOfAllProcesses(t *testing.T) {
	l, org := &ledger{calls: map[string]int64{}}, uuid.Must(uuid.NewV7())
	at := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	one, two := newCounted(l, org, at), newCounted(l, org, at)
	steps := []struct {
		who                  *counted
		n                    int
		warn, scarce         bool
		warnedLow, warnedOut int
	}{
		{one, 40, false, false, 0, 0},
		{two, 29, false, false, 0, 0},
		{one, 1, true, false, 1, 0},
		{two, 9, true, false, 1, 0},
		{two, 1, true, true, 1, 1},
		{one, 5, true, true, 1, 1},
		{two, 60, true, true, 1, 1},
	}
	total := int64(0)
	for i, s := range steps {
		s.who.make(t, "dingtalk", s.n)
		total += int64(s.n)
		standing := s.who.Standing("dingtalk")
		if diff := cmp.Diff(Standing{total, 100}, standing); diff != "" || standing.Warn() != s.warn || standing.Scarce() != s.scarce || s.who.Weekly(org, "dingtalk") != s.scarce {
			t.Errorf("step %d: low %v, scarce %v, and the standing differs:\n%s", i, standing.Warn(), standing.Scarce(), diff)
		}
		lines := one.lines.String() + two.lines.String()
		if low, out := strings.Count(lines, "run low"), strings.Count(lines, "run out"); low != s.warnedLow || out != s.warnedOut {
			t.Errorf("step %d: warned %d and %d times, want %d and %d", i, low, out, s.warnedLow, s.warnedOut)
		}
	}
	if one.Weekly(uuid.Must(uuid.NewV7()), "dingtalk") || one.Weekly(org, "slack") {
		t.Error("another firm's or platform's calls are scarce")
	}
	one.make(t, "slack", 1000)
	if s := one.Standing("slack"); s.Used != 1000 || s.Warn() || s.Scarce() {
		t.Errorf("a platform without a limit stands at %+v", s)
	}
}

func TestANewMonthBeginsByTheCalendarOfTheFirm(t *testing.T) {
	l, org := &ledger{calls: map[string]int64{}}, uuid.Must(uuid.NewV7())
	c := newCounted(l, org, time.Date(2026, 11, 30, 15, 59, 0, 0, time.UTC)) // a minute before December in Shanghai
	c.make(t, "dingtalk", 90)
	if !c.Weekly(org, "dingtalk") {
		t.Error("90 of 100 calls are not scarce")
	}
	c.at = c.at.Add(2 * time.Minute)
	if c.Weekly(org, "dingtalk") {
		t.Error("calls of November are scarce in December")
	}
	c.make(t, "dingtalk", 3)
	want := map[string]int64{org.String() + "dingtalk2026-11": 90, org.String() + "dingtalk2026-12": 3}
	if diff := cmp.Diff(want, l.calls); diff != "" {
		t.Errorf("the ledger differs:\n%s", diff)
	}
}

func TestWhatCannotBeWrittenDownStaysCounted(t *testing.T) {
	l, org := &ledger{calls: map[string]int64{}, away: away("storage.unavailable")}, uuid.Must(uuid.NewV7())
	c := newCounted(l, org, time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC))
	for range 85 {
		c.Count("dingtalk")
	}
	if err := c.Tally(t.Context()); err == nil {
		t.Error("an outage is no error")
	}
	if s := c.Standing("dingtalk"); s.Used != 85 || !c.Weekly(org, "dingtalk") {
		t.Errorf("while the store is away the standing is %+v", s)
	}
	l.away = nil
	c.make(t, "dingtalk", 0)
	if got := l.calls[org.String()+"dingtalk2026-11"]; got != 85 {
		t.Errorf("after the outage %d calls are written down, want 85", got)
	}
}

func TestAProcessWithoutCallsLooksOnceAMinute(t *testing.T) {
	l, org := &ledger{calls: map[string]int64{}}, uuid.Must(uuid.NewV7())
	one, two := newCounted(l, org, time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)), newCounted(l, org, time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC))
	two.make(t, "dingtalk", 0)
	one.make(t, "dingtalk", 80)
	asked := l.asked
	for range 11 {
		two.at = two.at.Add(tally)
		two.make(t, "dingtalk", 0)
	}
	if l.asked != asked || two.Weekly(org, "dingtalk") {
		t.Errorf("within a minute it asked %d times", l.asked-asked)
	}
	two.at = two.at.Add(tally)
	two.make(t, "dingtalk", 0)
	if !two.Weekly(org, "dingtalk") {
		t.Error("after a minute it does not know what another process used up")
	}
}

type answering func(*http.Request) (*http.Response, error)

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) { return a(r) }

func TestEveryRequestOfATransportCountsAndIsHeldUpByNothing(t *testing.T) {
	l, org := &ledger{calls: map[string]int64{}}, uuid.Must(uuid.NewV7())
	l.mu.Lock() // the store hangs
	c := newCounted(l, org, time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC))
	transport := c.Transport("dingtalk", answering(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	}))
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.example/", nil)
			if err != nil {
				t.Error(err)
				return
			}
			response, err := transport.RoundTrip(r)
			if err != nil {
				t.Error(err)
				return
			}
			response.Body.Close() //nolint:errcheck // there is none
		})
	}
	all.Wait()
	if s := c.Standing("dingtalk"); s.Used != 50 || s.Percent() != 50 {
		t.Errorf("50 requests stand as %+v", s)
	}
	l.mu.Unlock()
	ended, end := context.WithCancel(t.Context())
	end()
	c.Run(ended)
	if got := l.calls[org.String()+"dingtalk2026-11"]; got != 50 {
		t.Errorf("at the end %d calls are written down, want 50", got)
	}
}
