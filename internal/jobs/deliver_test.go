package jobs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/internal/fault"
	"huiyin/internal/notice"
	"huiyin/internal/people"
)

var (
	able       = bot.Abilities{Update: true, Channels: true}
	idempotent = bot.Abilities{Update: true, Channels: true, Idempotent: true}
)

// bare is a platform that can neither be asked nor told twice.
func bare(o *Options) {
	o.Platforms = map[string]bot.Platform{"chat": o.Platforms["chat"].(finding).chat}
}

func away(key string) error { return fault.New(fault.Unavailable, key) }

func TestANoticeIsSentOnceAndRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t, able)
		kai := y.person(people.DefaultSettings(), "chat:confirmed")
		began := clock()
		id := y.tell(notice.PraiseReceived, kai)
		y.all.Wait()
		d := y.delivery(id)
		m, _ := y.chat.message(id)
		if d.State != notice.Sent || d.Platform != "chat" || d.Address != "U-chat-"+kai.String() || d.RefID != "m-"+id.String() || d.Attempts != 1 ||
			!d.TriedAt.Equal(began) || !d.SentAt.Equal(began) || d.Fault != "" {
			t.Errorf("the delivery says %+v", d)
		}
		if m.title != string(notice.PraiseReceived) || m.to.User != d.Address {
			t.Errorf("arrived: %+v", m)
		}
		y.deliver(id) // every job may run twice
		y.all.Wait()
		if sends, _ := y.chat.counts(); sends != 1 {
			t.Errorf("told twice, sent %d times", sends)
		}
	})
}

// storm is what R03 asks for: answers that never come, for messages that arrived and for some that did not, 429, 500, and processes that
// die before and after.
func storm(chance float64) fate {
	switch {
	case chance < .03:
		return fate{err: bot.ErrUnknownOutcome}
	case chance < .05:
		return fate{lost: true, err: bot.ErrUnknownOutcome}
	case chance < .06:
		return fate{limit: 3 * time.Second}
	case chance < .07:
		return fate{lost: true, err: away("chat.status")}
	case chance < .08:
		return fate{died: true}
	case chance < .09:
		return fate{lost: true, died: true}
	case chance < .10:
		return fate{err: errors.New("an adapter forgot to translate this")}
	}
	return fate{}
}

func (y *yard) weather(seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 1))
	y.chat.set(func() {
		y.chat.takes = 80 * time.Millisecond
		y.chat.fate = func(bot.Message) fate { return storm(rng.Float64()) }
	})
}

// tellMany writes notices of the given kinds in turn to a hundred people.
func (y *yard) tellMany(n int, kinds ...notice.Kind) []uuid.UUID {
	var ids []uuid.UUID
	receivers := y.persons(100, people.Settings{}, "chat:confirmed")
	for i := range n {
		ids = append(ids, y.tell(kinds[i%len(kinds)], receivers[i%len(receivers)]))
		if i%40 == 39 {
			wait(time.Second)
		}
	}
	return ids
}

func (y *yard) wantOnce(ids []uuid.UUID) {
	y.t.Helper()
	lost, doubled := 0, 0
	for _, id := range ids {
		m, ok := y.chat.message(id)
		switch {
		case !ok:
			lost++
			y.t.Logf("lost: %+v", y.delivery(id))
		case len(m.times) != 1:
			doubled++
			y.t.Logf("%d times at %v: %+v", len(m.times), m.times, y.delivery(id))
		}
		if d := y.delivery(id); d.State != notice.Sent || d.RefID == "" {
			y.t.Errorf("at the end a delivery is %s (%s)", d.State, d.Fault)
		}
	}
	if lost+doubled > 0 {
		y.t.Errorf("of %d, %d were lost and %d came more than once", len(ids), lost, doubled)
	}
	if len(y.chat.early) > 0 {
		y.t.Errorf("%d sends came before the time that the platform had said", len(y.chat.early))
	}
}

func TestInAStormNothingIsLostOrDoubledWhereThePlatformCanBeAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t, able)
		y.weather(1)
		ids := y.tellMany(3000, notice.PraiseReceived, notice.NoteFollowUp, notice.AskReceived)
		y.all.Wait()
		y.wantOnce(ids)
	})
}

func TestInAStormNothingIsLostOrDoubledWhereThePlatformKnowsTheKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t, idempotent, bare)
		y.weather(2)
		ids := y.tellMany(3000, notice.PraiseReceived, notice.NoteFollowUp, notice.AskReceived)
		y.all.Wait()
		y.wantOnce(ids)
	})
}

func TestInAStormReceiptsAreNotLostAndNudgesNotDoubledWhereThePlatformCanDoNeither(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t, able, bare)
		y.weather(3)
		ids := y.tellMany(3000, notice.PraiseReceived, notice.NoteFollowUp)
		y.all.Wait()
		for i, id := range ids {
			m, ok := y.chat.message(id)
			d := y.delivery(id)
			switch receipt := i%2 == 0; {
			case receipt && (!ok || d.State != notice.Sent):
				t.Errorf("a receipt is lost: %s (%s)", d.State, d.Fault)
			case !receipt && len(m.times) > 1:
				t.Errorf("a nudge came %d times", len(m.times))
			case !receipt && d.State == notice.Skipped && d.Fault != becauseUnknown:
				t.Errorf("a nudge was dropped because of %q", d.Fault)
			}
		}
	})
}

// The control: without looking first, the same storm doubles messages.
func TestTheStormDoublesMessagesOfWhoeverDoesNotLookFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t, able, bare)
		y.weather(1)
		ids := y.tellMany(1000, notice.PraiseReceived)
		y.all.Wait()
		if !slices.ContainsFunc(ids, func(id uuid.UUID) bool {
			m, _ := y.chat.message(id)
			return len(m.times) > 1
		}) {
			t.Error("the storm doubled nothing, so it proves nothing")
		}
	})
}

func TestAnUnknownOutcomeIsNotAskedAboutBeforeThePlatformMadeUpItsMind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t, able)
		y.chat.fate = func(bot.Message) fate { return fate{err: bot.ErrUnknownOutcome} }
		id := y.tell(notice.PraiseReceived, y.person(people.Settings{}, "chat:confirmed"))
		wait(reconcileAfter - time.Second)
		if sends, finds := y.chat.counts(); sends != 1 || finds != 0 {
			t.Errorf("within ten seconds it was sent %d times and asked for %d times, want once and never", sends, finds)
		}
		y.wantState(id, notice.Sending, "before its outcome is known")
		y.all.Wait()
		if sends, finds := y.chat.counts(); sends != 1 || finds != 1 {
			t.Errorf("in all it was sent %d times and asked for %d times, want once and once", sends, finds)
		}
		y.wantState(id, notice.Sent, "after it was found")
	})
}

func TestEveryUnknownOutcomeIsGivenItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t, able)
		y.courier.chance = func() float64 { return 0 }
		began := clock()
		y.chat.fate = func(bot.Message) fate {
			if clock().Sub(began) < 25*time.Second {
				return fate{lost: true, err: bot.ErrUnknownOutcome}
			}
			return fate{}
		}
		id := y.tell(notice.PraiseReceived, y.person(people.Settings{}, "chat:confirmed"))
		y.all.Wait()
		y.wantOnce([]uuid.UUID{id})
		want := []string{
			"send 00:00:00", "find 00:00:10", "send 00:00:10", "find 00:00:20", "send 00:00:20", "find 00:00:30", "send 00:00:30",
		}
		if diff := cmp.Diff(want, y.chat.calls); diff != "" {
			t.Errorf("the platform was called (-want +got):\n%s", diff)
		}
	})
}

func TestAKeyIsTrustedOnlyForAsLongAsThePlatformKnowsIt(t *testing.T) {
	for name, c := range map[string]struct {
		change []func(*Options)
		want   notice.State
	}{
		"where it can be asked":    {nil, notice.Sent},
		"where it cannot, a nudge": {[]func(*Options){bare}, notice.Skipped},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				y := newYard(t, idempotent, c.change...)
				began := clock()
				y.chat.fate = func(bot.Message) fate {
					if clock().Sub(began) < 2*time.Hour { // it arrives the first time and nobody is told
						return fate{err: bot.ErrUnknownOutcome}
					}
					return fate{}
				}
				id := y.tell(notice.NoteFollowUp, y.person(people.Settings{}, "chat:confirmed"))
				y.all.Wait()
				y.wantState(id, c.want, name)
				if m, _ := y.chat.message(id); len(m.times) != 1 {
					t.Errorf("it came %d times, at %v", len(m.times), m.times)
				}
			})
		})
	}
}

func TestAProcessKilledWhileSendingLeavesADeliveryThatIsLookedForFirst(t *testing.T) {
	for name, lost := range map[string]bool{"it had arrived": false, "it had not": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				y := newYard(t, able)
				first := true
				y.chat.fate = func(bot.Message) fate {
					defer func() { first = false }()
					return fate{died: first, lost: first && lost}
				}
				id := y.tell(notice.PraiseReceived, y.person(people.Settings{}, "chat:confirmed"))
				synctest.Wait()
				y.wantState(id, notice.Sending, "after the kill")
				y.all.Wait()
				y.wantOnce([]uuid.UUID{id})
				if sends, finds := y.chat.counts(); finds != 1 || sends != map[bool]int{true: 2, false: 1}[lost] {
					t.Errorf("sent %d times, asked for %d times", sends, finds)
				}
			})
		})
	}
}

func TestAnOutcomeThatCannotBeWrittenDownIsFoundOutAgain(t *testing.T) {
	for name, down := range map[string]error{"the store is away": away("storage.unavailable"), "the store is broken": errors.New("no such column")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				y := newYard(t, able)
				y.store.failing = func(d notice.Delivery) error {
					if d.State == notice.Sent {
						return down
					}
					return nil
				}
				id := y.tell(notice.PraiseReceived, y.person(people.Settings{}, "chat:confirmed"))
				wait(5 * time.Second)
				y.store.mu.Lock()
				down = nil
				y.store.mu.Unlock()
				y.all.Wait()
				y.wantOnce([]uuid.UUID{id})
			})
		})
	}
}

func TestWhatAnotherProcessHasJustTriedIsLeftAloneForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t, able)
		kai, began := y.person(people.Settings{}, "chat:confirmed"), clock()
		n := notice.Notice{OrgID: y.org, ID: uuid.Must(uuid.NewV7()), Kind: notice.PraiseReceived, To: kai, Due: began}
		y.store.put(notice.Delivery{Notice: n, State: notice.Sending, Platform: "chat", Address: "U-chat-" + kai.String(), Attempts: 1, TriedAt: began})
		wait(3 * time.Second)
		y.deliver(n.ID)
		y.all.Wait()
		y.wantOnce([]uuid.UUID{n.ID})
		if diff := cmp.Diff([]string{"find 00:00:10", "send 00:00:10"}, y.chat.calls); diff != "" {
			t.Errorf("the platform was called (-want +got):\n%s", diff)
		}
	})
}

func TestNothingIsSentUnlessTheIntentionIsWrittenDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t, able)
		down := away("storage.unavailable")
		y.store.failing = func(notice.Delivery) error { return down }
		id := y.tell(notice.PraiseReceived, y.person(people.Settings{}, "chat:confirmed"))
		wait(time.Minute)
		if sends, _ := y.chat.counts(); sends != 0 {
			t.Errorf("sent %d times while nothing could be written down", sends)
		}
		y.store.mu.Lock()
		down = nil
		y.store.mu.Unlock()
		y.all.Wait()
		y.wantOnce([]uuid.UUID{id})
	})
}

func TestAnOutageIsWaitedOutForADay(t *testing.T) {
	for _, c := range []struct {
		name  string
		lasts time.Duration
		how   fate
		want  notice.State
	}{
		{"refusing for 20 hours", 20 * time.Hour, fate{lost: true, err: away("chat.status")}, notice.Sent},
		{"refusing for 25 hours", 25 * time.Hour, fate{lost: true, err: away("chat.status")}, notice.Dead},
		{"hanging for 20 hours", 20 * time.Hour, fate{lost: true, err: bot.ErrUnknownOutcome}, notice.Sent},
		{"limiting for 25 hours", 25 * time.Hour, fate{limit: 10 * time.Minute}, notice.Dead},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				y := newYard(t, able)
				began := clock()
				y.chat.fate = func(bot.Message) fate {
					if clock().Sub(began) < c.lasts {
						return c.how
					}
					return fate{}
				}
				id := y.tell(notice.PraiseReceived, y.person(people.Settings{}, "chat:confirmed"))
				y.all.Wait()
				y.wantState(id, c.want, c.name)
				if c.want == notice.Sent {
					if took := clock().Sub(began) - c.lasts; took > 7*time.Minute {
						t.Errorf("delivered %v after the platform was back", took)
					}
				}
				if sends, _ := y.chat.counts(); sends > 400 {
					t.Errorf("tried %d times", sends)
				}
			})
		})
	}
}

func TestARetryAfterIsWaitedExactlyAndCountsNoAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t, able)
		kai := y.person(people.Settings{}, "chat:confirmed")
		first := true
		y.chat.fate = func(bot.Message) fate {
			defer func() { first = false }()
			if first {
				return fate{limit: 30 * time.Second}
			}
			return fate{}
		}
		began := clock()
		one := y.tell(notice.PraiseReceived, kai)
		synctest.Wait()
		y.wantState(one, notice.Waiting, "while it waits")
		two := y.tell(notice.AskReceived, kai) // the same place, another notice
		lin := y.tell(notice.AskReceived, y.person(people.Settings{}, "chat:confirmed"))
		y.all.Wait()
		y.wantOnce([]uuid.UUID{one, two, lin})
		if d := y.delivery(one); d.Attempts != 1 || d.SentAt.Sub(began) != 30*time.Second {
			t.Errorf("sent after %v in %d attempts, want 30s and 1", d.SentAt.Sub(began), d.Attempts)
		}
		if d := y.delivery(two); d.SentAt.Sub(began) < 30*time.Second {
			t.Errorf("another notice to the same place was sent after %v", d.SentAt.Sub(began))
		}
		if d := y.delivery(lin); !d.SentAt.Equal(began) {
			t.Errorf("another place was closed as well")
		}
	})
}

func TestARefusalMayCloseTheWholeWorkspace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t, able, func(o *Options) { o.Limits = map[string]Limits{"chat": {Together: true}} })
		first := true
		y.chat.fate = func(bot.Message) fate {
			defer func() { first = false }()
			if first {
				return fate{limit: 30 * time.Second}
			}
			return fate{}
		}
		began := clock()
		y.tell(notice.PraiseReceived, y.person(people.Settings{}, "chat:confirmed"))
		synctest.Wait()
		lin := y.tell(notice.PraiseReceived, y.person(people.Settings{}, "chat:confirmed"))
		y.all.Wait()
		if d := y.delivery(lin); d.SentAt.Sub(began) < 30*time.Second {
			t.Errorf("another place was written to after %v", d.SentAt.Sub(began))
		}
	})
}

func TestWhatThePlatformRefusesForGoodIsDeadAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t, able)
		y.chat.fate = func(bot.Message) fate { return fate{lost: true, err: fault.New(fault.NotFound, "chat.no_user")} }
		began := clock()
		id := y.tell(notice.PraiseReceived, y.person(people.Settings{}, "chat:confirmed"))
		y.all.Wait()
		d := y.delivery(id)
		if d.State != notice.Dead || d.Fault != "not_found: chat.no_user" || !clock().Equal(began) {
			t.Errorf("after %v it is %s (%s)", clock().Sub(began), d.State, d.Fault)
		}
		if y.seen.of("dead not_found") != 1 {
			t.Errorf("seen: %v", y.seen.count)
		}
	})
}

// R05: one of a hundred panics, hangs, or fails for ever.
func TestPoisonIsDeadWithinHalfAnHourAndDelaysNobody(t *testing.T) {
	const secret = "what Lin said in confidence"
	for name, poison := range map[string]func(ctx context.Context, forever <-chan struct{}) error{
		"it panics":                    func(context.Context, <-chan struct{}) error { panic(secret) },
		"it fails":                     func(context.Context, <-chan struct{}) error { return errors.New("no such praise") },
		"it hangs until told to stop":  func(ctx context.Context, _ <-chan struct{}) error { <-ctx.Done(); return ctx.Err() },
		"it hangs for ever":            func(_ context.Context, forever <-chan struct{}) error { <-forever; return nil },
		"it says unavailable for ever": func(context.Context, <-chan struct{}) error { return away("storage.unavailable") },
		"it hangs and then has a card": func(ctx context.Context, _ <-chan struct{}) error { <-ctx.Done(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				y := newYard(t, able)
				forever := make(chan struct{})
				y.words.set(func(ctx context.Context, n notice.Notice) (card.Card, bool, error) {
					if n.Channel == "" {
						return card.Card{Title: "fine"}, true, nil
					}
					return card.Card{Title: "late"}, true, poison(ctx, forever)
				})
				kai := y.person(people.Settings{}, "chat:confirmed")
				var good, bad []uuid.UUID
				began := clock()
				for i := range 1000 {
					if i%100 == 50 {
						bad = append(bad, y.tell(notice.PraisePosted, uuid.Nil, func(n *notice.Notice) { n.Channel = notice.ChannelOn("chat", "C1") }))
						continue
					}
					good = append(good, y.tell(notice.PraiseReceived, kai))
					wait(10 * time.Millisecond)
				}
				y.all.Wait()
				if took := clock().Sub(began); took > 30*time.Minute {
					t.Errorf("it took %v", took)
				}
				close(forever) // those who come back after an hour find that it was seen to
				synctest.Wait()
				for _, id := range good {
					if d := y.delivery(id); d.State != notice.Sent || d.SentAt.Sub(d.Due) > time.Second {
						t.Errorf("another delivery is %s after %v", d.State, d.SentAt.Sub(d.Due))
					}
				}
				for _, id := range bad {
					y.wantState(id, notice.Dead, name)
					if n := y.tries[id]; n < notice.MaxAttempts || n > notice.MaxAttempts+1 {
						t.Errorf("it was tried %d times", n)
					}
				}
				if _, ok := y.chat.message(bad[0]); ok {
					t.Error("poison was sent")
				}
				if strings.Contains(y.log.String(), secret) {
					t.Error("the log repeats what the panic said")
				}
			})
		})
	}
}

func TestTheRetriesOfPoisonFitIntoHalfAnHourEvenIfEachHangsUntilItIsRescued(t *testing.T) {
	span := time.Duration(0)
	for try := 1; try <= notice.MaxAttempts; try++ {
		span += rescueAfter + 30*time.Second // the rescuer looks twice a minute
		if try < notice.MaxAttempts {
			span += pauseAfter(try, 1)
		}
		if try > 1 && try < notice.MaxAttempts && pauseAfter(try, 0) < pauseAfter(try-1, 0) {
			t.Errorf("the pause after try %d is shorter than the one before", try)
		}
	}
	if span > 30*time.Minute {
		t.Errorf("poison lives for %v, want at most half an hour", span)
	}
}

func TestOnlyNudgesWaitForTheMorning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t, able)
		kai := y.person(people.DefaultSettings(), "chat:confirmed") // in Shanghai, where the bubble begins at eight in the morning
		wait(14 * time.Hour)
		night := clock()
		receipt, nudge := y.tell(notice.PraiseReceived, kai), y.tell(notice.NoteFollowUp, kai)
		y.all.Wait()
		if d := y.delivery(receipt); !d.SentAt.Equal(night) {
			t.Errorf("the receipt was sent after %v, want at once", d.SentAt.Sub(night))
		}
		if d := y.delivery(nudge); d.SentAt.Sub(night) != 10*time.Hour {
			t.Errorf("the nudge of ten in the evening was sent after %v, want at eight in the morning", d.SentAt.Sub(night))
		}
	})
}

func TestAPersonWhoMayBeDisturbedAgainIsNotKeptWaitingForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t, able)
		muted := people.Settings{MutedUntil: clock().Add(30 * 24 * time.Hour)}
		kai := y.person(muted, "chat:confirmed")
		id := y.tell(notice.NoteFollowUp, kai)
		wait(5 * time.Hour)
		y.wantState(id, notice.Waiting, "while muted")
		p, _ := y.dir.Person(kai)
		p.Settings = people.Settings{}
		y.change(p)
		wait(time.Hour + time.Second)
		y.wantState(id, notice.Sent, "an hour after the mute was taken back")
		y.all.Wait()
	})
}

func TestWhatIsForAPersonWithoutAnAccountIsHeldAndTheProposedAccountIsAskedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t, able)
		kai := y.person(people.Settings{}, "chat:proposed")
		one, two := y.tell(notice.PraiseReceived, kai), y.tell(notice.AskReceived, kai)
		y.all.Wait()
		y.wantState(one, notice.Held, "before the yes")
		y.wantState(two, notice.Held, "before the yes")
		if sends, _ := y.chat.counts(); sends != 1 {
			t.Fatalf("%d messages were sent, want the claim alone", sends)
		}
		claim := claimOf(y.dir.IdentitiesOf(kai)[0], notice.Notice{})
		m, _ := y.chat.message(claim.ID)
		if m.title != string(notice.AccountClaim) || m.to.User != "U-chat-"+kai.String() {
			t.Errorf("the claim is %q to %q", m.title, m.to.User)
		}

		y.decide(kai, people.Confirmed)
		if n, err := y.store.Release(t.Context(), y.org, kai, clock()); n != 2 || err != nil {
			t.Fatalf("released %d, %v", n, err)
		}
		y.relay()
		y.all.Wait()
		y.wantState(one, notice.Sent, "after the yes")
		y.wantState(two, notice.Sent, "after the yes")
		y.wantState(claim.ID, notice.Sent, "the claim")
		if sends, _ := y.chat.counts(); sends != 3 {
			t.Errorf("%d messages were sent in all, want 3", sends)
		}
	})
}

func TestAYesInTheSameMomentLeavesNothingHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t, able)
		kai := y.person(people.Settings{}, "chat:proposed")
		y.store.failing = func(d notice.Delivery) error {
			if d.State == notice.Held { // the yes, and the release that finds nothing, come just before it is written down
				y.decide(kai, people.Confirmed)
			}
			return nil
		}
		id := y.tell(notice.PraiseReceived, kai)
		y.all.Wait()
		y.relay()
		y.all.Wait()
		y.wantState(id, notice.Sent, "two minutes later")
	})
}

func TestNobodyIsWrittenToWhoIsNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t, able)
		left := y.person(people.Settings{}, "chat:confirmed")
		p, _ := y.dir.Person(left)
		p.Active = false
		y.change(p)
		for name, c := range map[string]struct {
			id   uuid.UUID
			want notice.State
		}{
			"somebody who left":                 {y.tell(notice.PraiseReceived, left), notice.Skipped},
			"somebody unknown":                  {y.tell(notice.PraiseReceived, uuid.Must(uuid.NewV7())), notice.Skipped},
			"without any account":               {y.tell(notice.PraiseReceived, y.person(people.Settings{})), notice.Held},
			"with an account that they refused": {y.tell(notice.PraiseReceived, y.person(people.Settings{}, "chat:refused")), notice.Held},
			"on a platform not connected":       {y.tell(notice.PraiseReceived, y.person(people.Settings{}, "other:confirmed")), notice.Held},
			"in a channel of such a platform":   {y.tell(notice.PraisePosted, uuid.Nil, func(n *notice.Notice) { n.Channel = notice.ChannelOn("other", "C1") }), notice.Dead},
			"nobody and nowhere":                {y.tell(notice.PraisePosted, uuid.Nil), notice.Dead},
		} {
			synctest.Wait()
			y.wantState(c.id, c.want, name)
		}
		y.all.Wait()
		if sends, _ := y.chat.counts(); sends != 0 {
			t.Errorf("%d messages were sent", sends)
		}
	})
}

func TestNothingIsSentWhenThereIsNothingToSayAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t, able)
		kai := y.person(people.Settings{}, "chat:confirmed")
		y.words.set(func(_ context.Context, n notice.Notice) (card.Card, bool, error) {
			if n.Kind == notice.AskReceived {
				return card.Card{}, false, fault.New(fault.NotFound, "feedback.gone")
			}
			return card.Card{Title: "withdrawn"}, false, nil
		})
		one, two := y.tell(notice.PraiseReceived, kai), y.tell(notice.AskReceived, kai)
		y.all.Wait()
		y.wantState(one, notice.Skipped, "withdrawn before it was sent")
		y.wantState(two, notice.Skipped, "gone")
	})
}

func TestAChannelIsWrittenToOnItsPlatform(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t, able)
		id := y.tell(notice.PraisePosted, uuid.Nil, func(n *notice.Notice) { n.Channel = notice.ChannelOn("chat", "C0123") })
		y.all.Wait()
		if m, _ := y.chat.message(id); m.to != (bot.Address{Channel: "C0123"}) {
			t.Errorf("sent to %+v", m.to)
		}
	})
}

func TestANoticeOfALaterReleaseIsLeftToIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t, able)
		id := uuid.Must(uuid.NewV7())
		y.store.put(notice.Delivery{Notice: notice.Notice{OrgID: y.org, ID: id, Kind: "cycle.opened"}, State: notice.Waiting})
		if err := y.courier.deliver(t.Context(), y.org, id, 1); err == nil {
			t.Error("a notice of unknown kind was dealt with")
		}
		y.wantState(id, notice.Waiting, "after a try by an older process")
	})
}

func TestAFaultNamesItsKindAndKeyAndNobodysWords(t *testing.T) {
	const words = "Lin is late every day"
	for want, err := range map[string]error{
		"not_found: chat.no_user":  fmt.Errorf("send: %w", fault.New(fault.NotFound, "chat.no_user", "Text", words).Because(errors.New(words))),
		"unavailable: chat.status": fault.New(fault.Unavailable, "chat.status"),
		becauseUnknown:             fmt.Errorf("%s: %w", words, bot.ErrUnknownOutcome),
		"timeout":                  fmt.Errorf("%s: %w", words, context.DeadlineExceeded),
		"panic":                    errPanic,
		"internal":                 errors.New(words),
	} {
		if got := nameOf(err); got != want {
			t.Errorf("%v is remembered as %q, want %q", err, got, want)
		}
	}
}
