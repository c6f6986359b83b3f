package jobs

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/internal/fault"
	"huiyin/internal/notice"
	"huiyin/internal/people"
)

// clock is the clock of the bubble that a test runs in.
func clock() time.Time { return time.Now() } //nolint:forbidigo // inside synctest it is the test's own

func wait(d time.Duration) { <-time.After(d) }

// yard is a firm with a store, a platform and a queue, all in memory: what a courier needs to work for real.
type yard struct {
	t       testing.TB
	ctx     context.Context // of the queue, not of whoever puts something into it
	org     uuid.UUID
	store   *store
	chat    *chat
	words   *words
	seen    *seen
	log     *lines
	courier *courier
	queue   func(job func(ctx context.Context, try int) error)

	mu     sync.Mutex
	dir    *people.Directory
	claims map[uuid.UUID]bool
	slots  chan struct{}
	all    sync.WaitGroup
	tries  map[uuid.UUID]int // the last try that counted
}

// rescue is how long the queue takes to find out that a process died.
const rescue = 75 * time.Second

func newYard(tb testing.TB, can bot.Abilities, change ...func(*Options)) *yard {
	tb.Helper()
	y := &yard{
		t: tb, ctx: tb.Context(), org: uuid.Must(uuid.NewV7()), claims: map[uuid.UUID]bool{}, tries: map[uuid.UUID]int{},
		store: &store{deliveries: map[uuid.UUID]notice.Delivery{}}, words: &words{}, seen: &seen{count: map[string]int{}}, log: &lines{},
		slots: make(chan struct{}, workers),
	}
	y.chat = &chat{can: can, arrived: map[string]*message{}, closed: map[string]span{}}
	o := Options{
		Deliveries: y.store, Directories: y, Writer: y.words, Platforms: map[string]bot.Platform{"chat": finding{y.chat}},
		Log: slog.New(slog.NewTextHandler(y.log, nil)), Now: clock, Observer: y.seen, ReconcileAfter: reconcileAfter, Workers: workers,
	}
	for _, c := range change {
		c(&o)
	}
	y.dir = people.NewDirectory(people.Org{ID: y.org, TimeZone: "Asia/Shanghai"}, 1, nil, nil)
	y.courier, y.queue = newCourier(o, y), y.run
	return y
}

// person adds somebody, with accounts in the given states: "chat:confirmed".
func (y *yard) person(settings people.Settings, accounts ...string) uuid.UUID {
	return y.persons(1, settings, accounts...)[0]
}

func (y *yard) persons(n int, settings people.Settings, accounts ...string) []uuid.UUID {
	y.mu.Lock()
	defer y.mu.Unlock()
	var c people.Changes
	var ids []uuid.UUID
	for range n {
		p := people.Person{OrgID: y.org, ID: uuid.Must(uuid.NewV7()), Name: "Kai", Active: true, Settings: settings}
		p.EmployeeNo = p.ID.String()
		c.People, ids = append(c.People, p), append(ids, p.ID)
		for _, a := range accounts {
			platform, state, _ := strings.Cut(a, ":")
			c.Identities = append(c.Identities, people.Identity{
				OrgID: y.org, Platform: platform, ExternalID: "U-" + platform + "-" + p.ID.String(), PersonID: p.ID, State: people.State(state), Kind: people.Member,
			})
		}
	}
	y.dir = y.dir.Apply(c, y.dir.Version()+1)
	return ids
}

// decide changes the state of all accounts of a person.
func (y *yard) decide(person uuid.UUID, state people.State) {
	y.mu.Lock()
	defer y.mu.Unlock()
	own := y.dir.IdentitiesOf(person)
	for i := range own {
		own[i].State = state
	}
	y.dir = y.dir.Apply(people.Changes{Identities: own}, y.dir.Version()+1)
}

func (y *yard) change(p people.Person) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.dir = y.dir.Apply(people.Changes{People: []people.Person{p}}, y.dir.Version()+1)
}

func (y *yard) Get(context.Context, uuid.UUID) (*people.Directory, error) {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.dir, nil
}

// tell writes a notice and has it delivered.
func (y *yard) tell(kind notice.Kind, to uuid.UUID, more ...func(*notice.Notice)) uuid.UUID {
	n := notice.Notice{OrgID: y.org, ID: uuid.Must(uuid.NewV7()), Kind: kind, To: to, Subject: uuid.Must(uuid.NewV7()), Due: clock()}
	for _, m := range more {
		m(&n)
	}
	y.store.put(notice.Delivery{Notice: n, State: notice.Waiting})
	y.deliver(n.ID)
	return n.ID
}

func (y *yard) deliver(id uuid.UUID) {
	y.queue(func(ctx context.Context, try int) error {
		y.mu.Lock()
		y.tries[id] = try
		y.mu.Unlock()
		return y.courier.deliver(ctx, y.org, id, try)
	})
}

// run runs a job as River does: with a time limit, again after a snooze, after a counted try that went wrong, and after its process died.
func (y *yard) run(job func(ctx context.Context, try int) error) {
	y.all.Go(func() {
		for try := 1; try <= tries; {
			err, died := y.once(job, try)
			var put *later
			switch {
			case died:
				wait(rescue)
				try++
			case err == nil:
				return
			case errors.As(err, &put):
				wait(snooze(put.after))
			default:
				wait(pauseAfter(try, rand.Float64()))
				try++
			}
		}
		y.t.Error("a job was given up by the queue and not by us")
	})
}

// snooze is how long the queue really takes: what is further away than five seconds comes back in bunches, every five seconds.
func snooze(after time.Duration) time.Duration {
	const scheduler = 5 * time.Second
	if after <= scheduler {
		return after
	}
	due := clock().Add(after)
	if early := due.Truncate(scheduler); early.Before(due) {
		due = early.Add(scheduler)
	}
	return due.Sub(clock())
}

// once runs a job in a goroutine of its own, which may end as a killed process does, without a word, or not end at all. Either way
// the queue finds out after a while; somebody else takes the worker's place before.
func (y *yard) once(job func(ctx context.Context, try int) error, try int) (err error, died bool) {
	y.slots <- struct{}{}
	leave := sync.OnceFunc(func() { <-y.slots })
	replaced := time.AfterFunc(jobTimeout+10*time.Second, leave)
	ended := make(chan error, 1)
	go func() {
		died := true
		defer func() {
			replaced.Stop()
			leave()
			if died {
				close(ended)
			}
		}()
		ctx, cancel := context.WithTimeout(y.ctx, jobTimeout)
		defer cancel()
		err := job(ctx, try)
		died = false
		ended <- err
	}()
	late := time.NewTimer(rescue)
	defer late.Stop()
	select {
	case err, ok := <-ended:
		return err, !ok
	case <-late.C:
		return nil, true
	}
}

func (y *yard) redraw(_ context.Context, orgID uuid.UUID, ids []uuid.UUID) error {
	for _, id := range ids {
		born := clock()
		y.queue(func(ctx context.Context, try int) error { return y.courier.redraw(ctx, orgID, id, born, try) })
	}
	return nil
}

func (y *yard) claim(_ context.Context, claims []notice.Notice) error {
	y.mu.Lock()
	defer y.mu.Unlock()
	for _, n := range claims {
		if !y.claims[n.ID] {
			y.claims[n.ID] = true
			y.queue(func(ctx context.Context, try int) error {
				err := y.courier.claim(ctx, n, try)
				var put *later
				if !errors.As(err, &put) {
					y.mu.Lock()
					y.claims[n.ID] = false
					y.mu.Unlock()
				}
				return err
			})
		}
	}
	return nil
}

func (y *yard) release(_ context.Context, orgID, person uuid.UUID) error {
	y.all.Go(func() {
		wait(releaseAfter)
		y.queue(func(ctx context.Context, _ int) error { return y.courier.release(ctx, orgID, person) })
	})
	return nil
}

// relay does the relay's part for what was released.
func (y *yard) relay() {
	_, err := y.store.HandOver(y.t.Context(), clock(), batch, func(_ context.Context, _ pgx.Tx, notices []notice.Notice) error {
		for _, n := range notices {
			y.deliver(n.ID)
		}
		return nil
	})
	if err != nil {
		y.t.Errorf("hand over: %v", err)
	}
}

func (y *yard) delivery(id uuid.UUID) notice.Delivery {
	y.t.Helper()
	d, err := y.store.Delivery(y.t.Context(), y.org, id)
	if err != nil {
		y.t.Fatalf("read a delivery: %v", err)
	}
	return d
}

func (y *yard) wantState(id uuid.UUID, want notice.State, why string) {
	y.t.Helper()
	if d := y.delivery(id); d.State != want {
		y.t.Errorf("%s: the delivery is %s (%s), want %s", why, d.State, d.Fault, want)
	}
}

// store keeps deliveries in memory.
type store struct {
	mu         sync.Mutex
	deliveries map[uuid.UUID]notice.Delivery
	outbox     []notice.Notice
	failing    func(d notice.Delivery) error // how a save fails
}

func (s *store) put(d notice.Delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deliveries[d.ID] = d
}

func (s *store) HandOver(ctx context.Context, now time.Time, limit int, enqueue func(context.Context, pgx.Tx, []notice.Notice) error) (int, error) {
	s.mu.Lock()
	var due, rest []notice.Notice
	for _, n := range s.outbox {
		if !n.Due.After(now) && len(due) < limit {
			due = append(due, n)
		} else {
			rest = append(rest, n)
		}
	}
	s.outbox = rest
	s.mu.Unlock()
	return len(due), enqueue(ctx, nil, due)
}

func (s *store) Delivery(_ context.Context, orgID, id uuid.UUID) (notice.Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.deliveries[id]
	if !ok || d.OrgID != orgID {
		return notice.Delivery{}, fault.New(fault.NotFound, "storage.missing")
	}
	return d, nil
}

func (s *store) SaveDelivery(_ context.Context, d notice.Delivery) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failing != nil {
		if err := s.failing(d); err != nil {
			return err
		}
	}
	d.Leader = s.deliveries[d.ID].Leader // which is for Gather alone to say
	s.deliveries[d.ID] = d
	return nil
}

func (s *store) SentAbout(_ context.Context, orgID, subject uuid.UUID) ([]notice.Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []notice.Delivery
	for _, d := range s.deliveries {
		if d.Leader != uuid.Nil {
			about := d.Subject
			d = s.deliveries[d.Leader]
			d.Subject = about
		}
		if d.OrgID == orgID && d.Subject == subject && d.State == notice.Sent && d.RefID != "" {
			out = append(out, d)
		}
	}
	return out, nil
}

func (s *store) Release(_ context.Context, orgID, person uuid.UUID, now time.Time) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	count := 0
	for id, d := range s.deliveries {
		if d.OrgID == orgID && d.To == person && d.State == notice.Held {
			d.State, d.Due, d.Attempts = notice.Waiting, now, 0
			s.deliveries[id], s.outbox, count = d, append(s.outbox, d.Notice), count+1
		}
	}
	return count, nil
}

func (s *store) Gather(_ context.Context, n notice.Notice, now, since time.Time, most int) ([]notice.Notice, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	nudge := func(d notice.Delivery) bool {
		return d.OrgID == n.OrgID && d.To == n.To && notice.Kinds()[d.Kind] == notice.Nudge && d.ID != n.ID
	}
	own := s.deliveries[n.ID]
	for _, d := range s.deliveries {
		underway := d.Leader == d.ID && (d.State == notice.Waiting || d.State == notice.Sending)
		if nudge(d) && (underway || d.State == notice.Sent && !d.SentAt.Before(since)) {
			return nil, false, nil
		}
	}
	if own.Leader != uuid.Nil && own.Leader != n.ID {
		return nil, false, nil
	}
	own.Leader = n.ID
	s.deliveries[n.ID] = own
	for id, d := range s.deliveries {
		if nudge(d) && d.State == notice.Waiting && d.Leader == uuid.Nil && !d.Due.After(now) {
			d.State, d.Leader = notice.Skipped, n.ID
			s.deliveries[id] = d
		}
	}
	all := s.gathered(n)
	return all[:min(len(all), most)], true, nil
}

func (s *store) Gathered(_ context.Context, n notice.Notice) ([]notice.Notice, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gathered(n), nil
}

func (s *store) gathered(n notice.Notice) []notice.Notice {
	var out []notice.Notice
	for _, d := range s.deliveries {
		if d.Leader == n.ID {
			out = append(out, d.Notice)
		}
	}
	slices.SortFunc(out, func(a, b notice.Notice) int { return cmp.Or(a.Due.Compare(b.Due), slices.Compare(a.ID[:], b.ID[:])) })
	return out
}

func (s *store) Dead(context.Context, int) ([]notice.Delivery, int, error) { return nil, 0, nil }

func (s *store) Stats(context.Context, time.Time) (notice.Stats, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return notice.Stats{Waiting: len(s.outbox)}, nil
}

func (s *store) Purge(context.Context, notice.Retention) error { return nil }

// words writes a card that names the notice, unless a test wants it otherwise.
type words struct {
	mu    sync.Mutex
	write func(ctx context.Context, n notice.Notice) (card.Card, bool, error)
}

func (w *words) Notice(ctx context.Context, n notice.Notice) (card.Card, bool, error) {
	w.mu.Lock()
	write := w.write
	w.mu.Unlock()
	if write != nil {
		return write(ctx, n)
	}
	return card.Card{Title: string(n.Kind)}, true, nil
}

// Digest names how many there are.
func (w *words) Digest(ctx context.Context, notices []notice.Notice) (card.Card, bool, error) {
	left := 0
	for _, n := range notices {
		_, ok, err := w.Notice(ctx, n)
		if err != nil {
			return card.Card{}, false, err
		}
		if ok {
			left++
		}
	}
	return card.Card{Title: fmt.Sprintf("%d nudges", left)}, left > 0, nil
}

func (w *words) set(write func(ctx context.Context, n notice.Notice) (card.Card, bool, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.write = write
}

// seen counts what an operator would see.
type seen struct {
	mu    sync.Mutex
	count map[string]int
}

func (s *seen) add(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count[what]++
}

func (s *seen) of(what string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count[what]
}

func (s *seen) Sent(notice.Kind, string, time.Duration)        { s.add("sent") }
func (s *seen) Retried(_ notice.Kind, _ string, reason string) { s.add("retried " + reason) }
func (s *seen) Snoozed(_ notice.Kind, _ string, reason string) { s.add("snoozed " + reason) }
func (s *seen) Dead(_ notice.Kind, _ string, reason string)    { s.add("dead " + reason) }

// lines are what was logged.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
