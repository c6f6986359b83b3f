package fault

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/jackc/pgx/v5"

	"huiyin/storage/embedded"
)

// TestTwoProcessesShareTheWork has two bots on one database and one Redis. The vendor gives each event to one of their connections, at
// random, and some again to the other; one bot is killed in the middle and comes back. Everything takes effect once, and together
// they keep the pace that the vendor wants of both.
func TestTwoProcessesShareTheWork(t *testing.T) {
	binary := buildBot(t.Context(), t)
	for _, v := range vendors() {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			shareTheWork(t, binary, v)
		})
	}
}

func shareTheWork(t *testing.T, binary string, of row) {
	t.Helper()
	const people, commands = 60, 240
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	pg, err := embedded.Start(ctx, embedded.Options{Dir: t.TempDir(), Durable: true})
	if err != nil {
		t.Fatalf("starting Postgres: %v", err)
	}
	t.Cleanup(func() { _ = pg.Stop(context.WithoutCancel(ctx)) }) // its folder goes with the test
	redis := miniredis.RunT(t)

	v := of.open(t, true)
	for i := range people {
		v.enroll(of.account(i))
	}
	var bots []*bot
	for i := range 2 {
		b := newBot(t, binary, pg.URL(), append(v.env(), "HUIYIN_REDIS_URL=redis://"+redis.Addr()))
		if i == 0 {
			b.run(ctx, "migrate")
			b.run(ctx, "import", "people", peopleFile(t, people, of))
		}
		if err := b.start(); err != nil {
			t.Fatal(err)
		}
		if err := b.awaitReady(ctx); err != nil {
			t.Fatal(err)
		}
		bots = append(bots, b)
	}
	connected := func(want int) {
		t.Helper()
		for v.connections() != want {
			if ctx.Err() != nil {
				t.Fatalf("%d connections are open, want %d", v.connections(), want)
			}
			pause(ctx, 20*time.Millisecond)
		}
	}
	connected(2)

	for i := range commands {
		switch i {
		case commands / 3:
			bots[0].kill()
		case commands / 2:
			if err := bots[0].start(); err != nil {
				t.Fatal(err)
			}
			connected(2)
		}
		delivery, ok, err := v.praise(of.account(i%people), (i+7)%people, i)
		for err == nil && !ok && ctx.Err() == nil {
			pause(ctx, 50*time.Millisecond)
			delivery, ok, err = v.again(delivery)
		}
		if err != nil {
			t.Fatalf("command %d: %v", i, err)
		}
		if i%10 == 0 { // which of the two gets it is chance
			if _, _, err := v.again(delivery); err != nil {
				t.Fatalf("delivering command %d again: %v", i, err)
			}
		}
	}
	counts := settle(ctx, t, pg.URL())
	lost, doubled := compare(praisesByNumber(ctx, t, pg.URL()), commands)
	shownLost, shownDoubled := compare(received(of, v, people), commands)
	t.Logf("%d commands through two processes: %v; database: %d lost, %d doubled; receivers: %d lost, %d doubled; events heard: %v",
		commands, counts, lost, doubled, shownLost, shownDoubled, heard(t, bots))
	if lost+doubled+shownLost+shownDoubled > 0 {
		t.Errorf("two processes lost %d and doubled %d in the database, lost %d and doubled %d at the receivers", lost, doubled, shownLost, shownDoubled)
	}
	for i, n := range heard(t, bots) {
		if n == 0 {
			t.Errorf("bot %d heard nothing: the other did all the work", i)
		}
	}
	for _, f := range v.objections() {
		t.Errorf("the vendor would object: %s", f)
	}
	var runs int
	err = query(ctx, pg.URL(), `select count(distinct attempted_by[1])::int from jobs.river_job where kind = 'deliver'`, func(rows pgx.Rows) error { return rows.Scan(&runs) })
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("deliveries were made in %d runs of them", runs)
}

// heard is how many commands each bot has answered since it was started, by its own count.
func heard(t *testing.T, bots []*bot) []int {
	t.Helper()
	out := make([]int, len(bots))
	for i, b := range bots {
		for line := range strings.Lines(b.get(t, "/metrics")) {
			var n float64
			if strings.HasPrefix(line, "huiyin_commands_total{") {
				if _, err := fmt.Sscanf(line[strings.LastIndex(line, " ")+1:], "%g", &n); err != nil {
					t.Fatalf("reading %q: %v", line, err)
				}
				out[i] += int(n)
			}
		}
	}
	return out
}
