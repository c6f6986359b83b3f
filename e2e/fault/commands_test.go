package fault

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"huiyin/storage/embedded"
)

// TestMain lets all vendors run at the same time: waiting for their paces is most of what they do.
func TestMain(m *testing.M) {
	flag.Parse()
	if atOnce := flag.Lookup("test.parallel"); atOnce != nil && atOnce.Value.String() == strconv.Itoa(runtime.GOMAXPROCS(0)) {
		_ = atOnce.Value.Set("4") // a number is what it takes
	}
	os.Exit(m.Run())
}

// TestCommandsTakeEffectExactlyOnce is promise R01, and R03 for its notices, on every platform: commands come in from twelve people at a
// time, one in twenty again after it was acknowledged, while the bot is killed and Postgres crashes again and again; and the vendor
// takes messages without saying so, refuses for a second, or fails.
func TestCommandsTakeEffectExactlyOnce(t *testing.T) {
	binary := buildBot(t.Context(), t)
	for _, v := range vendors() {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel() // most of the time each waits for the vendor's pace
			commandsTakeEffect(t, binary, v)
		})
	}
}

func commandsTakeEffect(t *testing.T, binary string, of row) {
	t.Helper()
	n := sizeOf(of.name == vendors()[0].name)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Minute)
	defer cancel()

	pg, err := embedded.Start(ctx, embedded.Options{Dir: t.TempDir(), Durable: true})
	if err != nil {
		t.Fatalf("starting Postgres: %v", err)
	}
	t.Cleanup(func() { _ = pg.Stop(context.WithoutCancel(ctx)) }) // its folder goes with the test

	v := of.open(t, false)
	for i := range n.people {
		v.enroll(of.account(i))
	}
	b := newBot(t, binary, pg.URL(), v.env())
	v.reach("http://" + b.address)
	b.run(ctx, "migrate")
	b.run(ctx, "import", "people", peopleFile(t, n.people, of))
	if err := b.start(); err != nil {
		t.Fatal(err)
	}
	if err := b.awaitReady(ctx); err != nil {
		t.Fatal(err)
	}
	v.misbehave()

	began := time.Now()
	acked, again, unacked := driveWithFaults(ctx, t, n, of, v, b, pg)
	t.Logf("%d commands acknowledged in %s, %d delivered again, %d attempts failed; %d kills of the bot, %d ends of its own, %d crashes of Postgres",
		n.commands, time.Since(began).Round(time.Second), again, unacked, n.killBot, b.ends(), n.crashPostgres)
	if acked != n.commands {
		t.Fatalf("%d of %d commands were acknowledged", acked, n.commands)
	}

	counts := settle(ctx, t, pg.URL())
	t.Logf("after %s all notices are settled: %v", time.Since(began).Round(time.Second), counts)
	lost, doubled := compare(praisesByNumber(ctx, t, pg.URL()), n.commands)
	shownLost, shownDoubled := compare(received(of, v, n.people), n.commands)
	t.Logf("database: %d lost, %d doubled; receivers: %d lost, %d doubled", lost, doubled, shownLost, shownDoubled)
	if lost+doubled+shownLost > 0 || shownDoubled > n.commands*of.doubles/1000 {
		t.Errorf("of %d commands %d are lost and %d doubled in the database, %d lost and %d doubled at their receivers (%d in a thousand may be)",
			n.commands, lost, doubled, shownLost, shownDoubled, of.doubles)
	}
	early := 0
	for _, f := range v.objections() {
		if tooEarly.MatchString(f) {
			early++
			continue
		}
		t.Errorf("the vendor would object: %s", f)
	}
	t.Logf("%d calls came before the vendor's wait was over", early)
	if early > 4*n.killBot { // several calls are under way at once
		t.Errorf("%d calls came before the vendor's wait was over; only a bot that is killed forgets of it, which happened %d times", early, n.killBot)
	}
}

// tooEarly are the rules by which the simulators name a call within the wait that they asked for.
var tooEarly = regexp.MustCompile(`retry_after_ignored|wait_ignored|reset_ignored`)

// driveWithFaults sends every command until it is acknowledged, and makes the faults at even distances among them.
func driveWithFaults(ctx context.Context, t *testing.T, n size, of row, v vendor, b *bot, pg *embedded.Postgres) (acked, again, unacked int) {
	t.Helper()
	numbers := make(chan int)
	var done, repeats, failures atomic.Int64
	var wg sync.WaitGroup
	for worker := range 12 {
		rng := rand.New(rand.NewPCG(7, uint64(worker)))
		wg.Go(func() {
			for i := range numbers {
				author := rng.IntN(n.people)
				receiver := (author + 1 + rng.IntN(n.people-1)) % n.people
				delivery, ok, err := v.praise(of.account(author), receiver, i)
				for err == nil && !ok && ctx.Err() == nil {
					failures.Add(1)
					if delivery, ok, err = v.again(delivery); !ok {
						pause(ctx, 50*time.Millisecond) // the bot is being started again
					}
				}
				if err != nil {
					t.Errorf("command %d: %v", i, err)
					continue
				}
				done.Add(1)
				if rng.IntN(20) == 0 {
					repeats.Add(1)
					if _, _, err := v.again(delivery); err != nil {
						t.Errorf("delivering command %d again: %v", i, err)
					}
				}
			}
		})
	}
	for i := range n.commands {
		if n.killBot > 0 && i%(n.commands/n.killBot) == n.commands/n.killBot/2 {
			b.kill()
			if err := b.start(); err != nil { //nolint:contextcheck // whatever supervises it has a life of its own
				t.Errorf("starting the bot again: %v", err)
			}
		}
		if n.crashPostgres > 0 && i%(n.commands/n.crashPostgres) == n.commands/n.crashPostgres/3 {
			if err := pg.Crash(); err != nil {
				t.Errorf("crashing Postgres: %v", err)
			}
		}
		select {
		case numbers <- i:
		case <-ctx.Done():
			t.Errorf("out of time at command %d", i)
			close(numbers)
			wg.Wait()
			return int(done.Load()), int(repeats.Load()), int(failures.Load())
		}
	}
	close(numbers)
	wg.Wait()
	return int(done.Load()), int(repeats.Load()), int(failures.Load())
}

// settle waits until no notice is on its way any more, and counts what became of them.
func settle(ctx context.Context, t *testing.T, url string) map[string]int {
	t.Helper()
	for {
		counts, err := deliveries(ctx, url)
		if err == nil && counts["outbox"] == 0 && counts["waiting"] == 0 && counts["sending"] == 0 {
			return counts
		}
		if ctx.Err() != nil {
			t.Fatalf("notices did not settle: %v %v", counts, err)
		}
		pause(ctx, 250*time.Millisecond)
	}
}

func deliveries(ctx context.Context, url string) (map[string]int, error) {
	counts := map[string]int{}
	return counts, query(ctx, url, `select state, count(*)::int from deliveries group by 1 union all select 'outbox', count(*)::int from outbox`, func(rows pgx.Rows) error {
		var state string
		var count int
		err := rows.Scan(&state, &count)
		counts[state] = count
		return err
	})
}

func praisesByNumber(ctx context.Context, t *testing.T, url string) map[int]int {
	t.Helper()
	found := map[int]int{}
	err := query(ctx, url, `select text from praises`, func(rows pgx.Rows) error {
		var text string
		err := rows.Scan(&text)
		found[numberIn(text)]++
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// received counts what people saw of each praise. Each one's conversation with the bot holds what the bot told them.
func received(of row, v vendor, people int) map[int]int {
	found := map[int]int{}
	for i := range people {
		for _, text := range v.conversation(of.account(i)) {
			if strings.Contains(text, "praised you") {
				found[numberIn(text)]++
			}
		}
	}
	return found
}

// compare counts the numbers below want that were not found, and those found more than once.
func compare(found map[int]int, want int) (lost, doubled int) {
	for i := range want {
		switch count := found[i]; {
		case count == 0:
			lost++
		case count > 1:
			doubled++
		}
	}
	return lost, doubled
}

func numberIn(text string) int {
	_, rest, _ := strings.Cut(text, "praise number ")
	var n int
	if _, err := fmt.Sscanf(rest, "%d", &n); err != nil {
		return -1
	}
	return n
}

func query(ctx context.Context, url, sql string, each func(pgx.Rows) error) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }() // nothing is lost with it
	rows, err := conn.Query(ctx, sql)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// pause waits for the world outside, which cannot be told to hurry.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
