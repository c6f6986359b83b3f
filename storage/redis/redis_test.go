package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"huiyin/internal/fault"
	"huiyin/internal/notice"
)

// start gives a client of a server of its own. At the end every key that a test left must have a firm and a time to live.
func start(t *testing.T) (*Redis, *miniredis.Miniredis) {
	t.Helper()
	server := miniredis.RunT(t)
	r := open(t, "redis://"+server.Addr())
	t.Cleanup(func() {
		for _, k := range server.Keys() {
			if !strings.HasPrefix(k, "huiyin:{") || len(k) < len("huiyin:{}:")+36 || k[len("huiyin:{")+36] != '}' {
				t.Errorf("the key %q does not lie under the tag of a firm", k)
			}
			if server.TTL(k) <= 0 {
				t.Errorf("the key %q would live for ever", k)
			}
		}
	})
	return r, server
}

func open(t *testing.T, url string) *Redis {
	t.Helper()
	r, err := Open(t.Context(), url)
	if err != nil {
		t.Fatalf("open %s: %v", url, err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return r
}

func TestEveryFormOfTheURLGivesItsKindOfClient(t *testing.T) {
	for url, want := range map[string]string{
		"redis://u:p@localhost:6379/2":                                             "*redis.Client",
		"rediss://localhost:6379":                                                  "*redis.Client",
		"unix:///run/redis.sock?db=1":                                              "*redis.Client",
		"redis://:p@s1:26379/1?master_name=main&addr=s2:26379":                     "*redis.Client",
		"redis://u:p@n1:6379?addr=n2:6379&addr=n3:6379":                            "*redis.ClusterClient",
		"redis://n1:6379?cluster=true":                                             "*redis.ClusterClient",
		"redis://n1:6379?dial_timeout=2s&read_timeout=1s&pool_size=7&cluster=true": "*redis.ClusterClient",
	} {
		client, err := connect(url)
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		if got := fmt.Sprintf("%T", client); got != want {
			t.Errorf("%s gives a %s, want a %s", url, got, want)
		}
		if err := client.Close(); err != nil {
			t.Errorf("close the client of %s: %v", url, err)
		}
	}
}

func TestAURLThatCannotBeReadIsRefusedWithoutRepeatingItsPassword(t *testing.T) {
	for _, url := range []string{
		"http://:hunter2@localhost", "redis://:hunter2@localhost/not-a-number", "redis://:hunter2@localhost?colour=blue",
		"redis://:hunter2@local host\x7f", "redis://:hunter2@n1?addr=nonsense", "redis://:hunter2@s1?master_name=m&addr=nonsense",
	} {
		_, err := Open(t.Context(), url)
		if err == nil {
			t.Errorf("%s was accepted", url)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error repeats the password: %v", err)
		}
	}
}

func TestASettingInTheURLWinsOverOurs(t *testing.T) {
	client, err := connect("redis://localhost?read_timeout=3s")
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	o := client.(interface{ Options() *redis.Options }).Options()
	if o.ReadTimeout != 3*time.Second || o.DialTimeout != dialing || o.MaxRetries != 0 {
		t.Errorf("read %v dial %v retries %d, want 3s %v 0", o.ReadTimeout, o.DialTimeout, o.MaxRetries, dialing)
	}
}

func TestASessionIsKeptUntilItIsTakenOrItsTimeIsOver(t *testing.T) {
	r, server := start(t)
	s, org := r.Sessions, uuid.Must(uuid.NewV7())
	put := func(name, value string, ttl time.Duration) {
		t.Helper()
		if err := s.Put(t.Context(), org, name, []byte(value), ttl); err != nil {
			t.Fatalf("put %s: %v", name, err)
		}
	}
	want := func(how string, get func(context.Context, uuid.UUID, string) ([]byte, bool, error), org uuid.UUID, name, value string) {
		t.Helper()
		got, ok, err := get(t.Context(), org, name)
		if err != nil || ok != (value != "") || string(got) != value {
			t.Errorf("%s gives %q, %v, %v; want %q", how, got, ok, err, value)
		}
	}
	put("lin/form", "half\x00filled 半", time.Minute)
	want("a look", s.Get, org, "lin/form", "half\x00filled 半")
	want("a look by another firm", s.Get, uuid.Must(uuid.NewV7()), "lin/form", "")
	put("lin/form", "second", time.Minute)
	want("the first take", s.Take, org, "lin/form", "second")
	want("the second take", s.Take, org, "lin/form", "")

	put("lin/choice", "two of a name", time.Minute)
	server.FastForward(61 * time.Second)
	want("a look after its time", s.Get, org, "lin/choice", "")

	if err := s.Put(t.Context(), org, "for ever", []byte("x"), 0); err == nil {
		t.Error("a session without a time to live was kept")
	}
	put("left", "behind", time.Hour) // for the check of the keys
}

func TestOfManyWhoTakeASessionOneGetsIt(t *testing.T) {
	r, _ := start(t)
	org := uuid.Must(uuid.NewV7())
	if err := r.Sessions.Put(t.Context(), org, "k", []byte("v"), time.Minute); err != nil {
		t.Fatal(err)
	}
	var got sync.Map
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if _, ok, err := r.Sessions.Take(t.Context(), org, "k"); err != nil {
				t.Errorf("take: %v", err)
			} else if ok {
				got.Store(i, true)
			}
		})
	}
	all.Wait()
	count := 0
	got.Range(func(any, any) bool { count++; return true })
	if count != 1 {
		t.Errorf("%d of 20 got the session, want 1", count)
	}
}

func TestAFlushInMidConversationIsAnEmptyMemoryAndNoFailure(t *testing.T) {
	r, server := start(t)
	org, rate := uuid.Must(uuid.NewV7()), notice.Rate{Per: time.Hour, Burst: 1}
	if err := r.Sessions.Put(t.Context(), org, "k", []byte("v"), time.Minute); err != nil {
		t.Fatal(err)
	}
	turn(t, r, org, "slack", rate, 0)
	server.FlushAll()
	if _, ok, err := r.Sessions.Get(t.Context(), org, "k"); ok || err != nil {
		t.Errorf("after a flush a look gives %v, %v; want nothing and no error", ok, err)
	}
	turn(t, r, org, "slack", rate, 0)
	if err := r.Sessions.Put(t.Context(), org, "k", []byte("again"), time.Minute); err != nil {
		t.Errorf("put after a flush: %v", err)
	}
}

// turn takes a turn and compares the wait, which may have shrunk by the time that the test itself took.
func turn(t *testing.T, r *Redis, org uuid.UUID, name string, rate notice.Rate, want time.Duration) {
	t.Helper()
	wait, err := r.Pacer.Take(t.Context(), org, name, rate)
	if err != nil {
		t.Fatalf("take a turn at %s: %v", name, err)
	}
	if wait > want || want-wait > time.Second && wait >= 0 && want > 0 || (wait == 0) != (want == 0) {
		t.Errorf("a turn at %s costs a wait of %v, want %v", name, wait, want)
	}
}

func TestTurnsFollowEachOtherAsFastAsTheRateSays(t *testing.T) {
	r, server := start(t)
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	server.SetTime(at)
	org, rate := uuid.Must(uuid.NewV7()), notice.Rate{Per: time.Second, Burst: 3}
	for range 3 {
		turn(t, r, org, "slack/C1", rate, 0)
	}
	turn(t, r, org, "slack/C1", rate, time.Second)
	turn(t, r, org, "slack/C1", rate, time.Second) // the refused one took nothing
	turn(t, r, org, "slack/C2", rate, 0)           // another place
	turn(t, r, uuid.Must(uuid.NewV7()), "slack/C1", rate, 0)

	server.SetTime(at.Add(1500 * time.Millisecond))
	turn(t, r, org, "slack/C1", rate, 0)
	turn(t, r, org, "slack/C1", rate, 500*time.Millisecond)

	server.SetTime(at.Add(time.Hour))
	for range 3 {
		turn(t, r, org, "slack/C1", rate, 0)
	}
	turn(t, r, org, "slack/C1", rate, time.Second)

	for range 50 {
		turn(t, r, org, "free", notice.Rate{}, 0)
	}
}

func TestAClockThatGoesBackStopsNobodyForLongerThanABurst(t *testing.T) {
	r, server := start(t)
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	server.SetTime(at)
	org, rate := uuid.Must(uuid.NewV7()), notice.Rate{Per: time.Second, Burst: 2}
	turn(t, r, org, "k", rate, 0)
	server.SetTime(at.Add(-time.Hour))
	turn(t, r, org, "k", rate, time.Second)
}

func TestAPauseStopsEverybodyAndIsNeverShortened(t *testing.T) {
	r, server := start(t)
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	server.SetTime(at)
	org, rate := uuid.Must(uuid.NewV7()), notice.Rate{Per: time.Second, Burst: 3}
	stop := func(lasts time.Duration) {
		t.Helper()
		if err := r.Pacer.Pause(t.Context(), org, "slack", lasts); err != nil {
			t.Fatalf("pause: %v", err)
		}
	}
	stop(30 * time.Second)
	stop(5 * time.Second)
	stop(0)
	turn(t, r, org, "slack", rate, 30*time.Second)
	turn(t, r, org, "slack", notice.Rate{}, 30*time.Second)
	turn(t, r, org, "slack/C1", rate, 0)
	server.SetTime(at.Add(31 * time.Second))
	turn(t, r, org, "slack", rate, 0)
}

func TestWhenTheServerIsGoneEveryQuestionIsAFaultAtOnceAndItIsFoundAgain(t *testing.T) {
	r, server := start(t)
	org := uuid.Must(uuid.NewV7())
	if err := r.Sessions.Put(t.Context(), org, "k", []byte("v"), time.Minute); err != nil {
		t.Fatal(err)
	}
	server.Close()
	_, _, err := r.Sessions.Get(t.Context(), org, "k")
	wantUnavailable(t, "get", err)
	if _, err := r.Pacer.Take(t.Context(), org, "k", notice.Rate{Per: time.Second, Burst: 1}); !errors.Is(err, errSilent) {
		t.Errorf("the second question was asked although the first got no answer: %v", err)
	}
	if err := server.Restart(); err != nil {
		t.Fatalf("restart the server: %v", err)
	}
	r.silent.Store(false) // its second is over
	if _, _, err := r.Sessions.Get(t.Context(), org, "k"); err != nil {
		t.Errorf("the server is back and was not found: %v", err)
	}
}

func wantUnavailable(t *testing.T, doing string, err error) {
	t.Helper()
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("%s gives %v, want a fault of kind unavailable", doing, err)
	}
}

// A stalled server is worse than none: it accepts and never answers.
func TestAServerThatNeverAnswersCostsLessThanASecond(t *testing.T) {
	for _, form := range []string{"redis://%s", "redis://%s?cluster=true", "redis://%s?master_name=main"} {
		t.Run(form, func(t *testing.T) {
			l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() }) //nolint:errcheck // the test is over
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					t.Cleanup(func() { c.Close() }) //nolint:errcheck // the test is over
				}
			}()
			began := stopwatch()
			r := open(t, strings.Replace(form, "%s", l.Addr().String(), 1))
			if took := began(); took > time.Second {
				t.Errorf("opening took %v", took)
			}
			r.silent.Store(false)
			began = stopwatch()
			err = r.Sessions.Put(t.Context(), uuid.Must(uuid.NewV7()), "k", []byte("v"), time.Minute)
			wantUnavailable(t, "put", err)
			if took := began(); took > time.Second {
				t.Errorf("a question took %v", took)
			}
			began = stopwatch()
			for range 20 {
				wantUnavailable(t, "ping", r.Ping(t.Context()))
			}
			if took := began(); took > time.Second {
				t.Errorf("twenty more questions took %v", took)
			}
		})
	}
}

func TestAnAskerWhoGivesUpSaysNothingAboutTheServer(t *testing.T) {
	r, _ := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantUnavailable(t, "ping", r.Ping(ctx))
	if err := r.Ping(t.Context()); err != nil {
		t.Errorf("the next asker was refused: %v", err)
	}
}

// stopwatch measures how long something takes in the real world.
func stopwatch() func() time.Duration {
	began := time.Now() //nolint:forbidigo // it measures
	return func() time.Duration {
		return time.Since(began) //nolint:forbidigo // it measures
	}
}
