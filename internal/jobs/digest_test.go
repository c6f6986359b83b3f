package jobs

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/internal/notice"
	"huiyin/internal/people"
)

func TestAWeeksMessageGoesOnMondayMorningAtThePersonsPlace(t *testing.T) {
	for _, c := range []struct{ name, zone, due, want string }{
		{"on a Wednesday", "Asia/Shanghai", "2026-11-25T15:00:00+08:00", "2026-11-30T09:00:00+08:00"},
		{"on Sunday night", "Asia/Shanghai", "2026-11-29T23:59:00+08:00", "2026-11-30T09:00:00+08:00"},
		{"on Monday before nine", "Asia/Shanghai", "2026-11-30T08:59:59+08:00", "2026-11-30T09:00:00+08:00"},
		{"on Monday at nine", "Asia/Shanghai", "2026-11-30T09:00:00+08:00", "2026-11-30T09:00:00+08:00"},
		{"on Monday after nine", "Asia/Shanghai", "2026-11-30T09:00:01+08:00", "2026-12-07T09:00:00+08:00"},
		{"over a change of clocks", "America/New_York", "2026-10-30T12:00:00-04:00", "2026-11-02T09:00:00-05:00"},
		{"over New Year", "UTC", "2026-12-30T00:00:00Z", "2027-01-04T09:00:00Z"},
	} {
		loc := location(t, c.zone)
		if got, want := nextWeekly(instant(t, c.due), loc), instant(t, c.want); !got.Equal(want) {
			t.Errorf("what is due %s goes at %s, want %s", c.name, got.In(loc).Format(time.RFC3339), c.want)
		}
	}
}

func TestAPersonGetsAtMostOneMessageOfNudgesADayOrAWeek(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loc := location(t, rapid.SampledFrom([]string{"Asia/Shanghai", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "UTC"}).Draw(t, "zone"))
		now := time.Unix(rapid.Int64Range(1.6e9, 2e9).Draw(t, "now"), 0)
		due := now.Add(-time.Duration(rapid.IntRange(0, 30*24*60).Draw(t, "waited")) * time.Minute)
		weekly := rapid.Bool().Draw(t, "weekly")
		var g gathering
		wait := g.plan(now, due, weekly, loc)
		if g.since.After(now) || !g.next.After(now) {
			t.Errorf("at %s one message goes between %s and %s, which is not now", now, g.since, g.next)
		}
		least, most := 23*time.Hour, 25*time.Hour
		if weekly {
			least, most = 7*24*time.Hour, 8*24*time.Hour
		}
		if span := g.next.Sub(g.since); span < least || span > most {
			t.Errorf("the next message may go %v after the beginning of this span", span)
		}
		if at := now.Add(wait).In(loc); wait > 0 && (!weekly || at.Weekday() != time.Monday || at.Hour() != weeklyHour || wait > 8*24*time.Hour) {
			t.Errorf("what is due at %s waits at %s until %s", due.In(loc), now.In(loc), at)
		}
	})
}

// tellWaiting writes a nudge that is due and that no job has looked at yet.
func (y *yard) tellWaiting(to uuid.UUID) uuid.UUID {
	n := notice.Notice{OrgID: y.org, ID: uuid.Must(uuid.NewV7()), Kind: notice.NoteFollowUp, To: to, Subject: uuid.Must(uuid.NewV7()), Due: clock()}
	y.store.put(notice.Delivery{Notice: n, State: notice.Waiting})
	return n.ID
}

func (y *yard) titles() []string {
	y.chat.mu.Lock()
	defer y.chat.mu.Unlock()
	var out []string
	for _, m := range y.chat.arrived {
		for range m.times {
			out = append(out, m.title)
		}
	}
	slices.Sort(out)
	return out
}

func (y *yard) wantTitles(why string, want ...string) {
	y.t.Helper()
	if got := y.titles(); !slices.Equal(got, want) {
		y.t.Errorf("%s: the messages are %q, want %q", why, got, want)
	}
}

func TestNudgesOfANightGoAsOneMessageInTheMorning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t, able)
		kai, mei := y.person(people.DefaultSettings(), "chat:confirmed"), y.person(people.DefaultSettings(), "chat:confirmed")
		wait(14 * time.Hour) // ten in the evening
		night := clock()
		ids := []uuid.UUID{y.tell(notice.NoteFollowUp, kai), y.tell(notice.NoteFollowUp, kai), y.tell(notice.NoteFollowUp, kai)}
		other, receipt := y.tell(notice.NoteFollowUp, mei), y.tell(notice.PraiseReceived, kai)
		y.all.Wait()
		y.wantTitles("in the morning", "3 nudges", string(notice.NoteFollowUp), string(notice.PraiseReceived))
		sent := 0
		for _, id := range ids {
			if d := y.delivery(id); d.State == notice.Sent {
				sent++
				if after := d.SentAt.Sub(night); after != 10*time.Hour {
					t.Errorf("the message was sent after %v, want at eight in the morning", after)
				}
			}
		}
		if sent != 1 {
			t.Errorf("%d of the three deliveries lead a message, want 1", sent)
		}
		y.wantState(other, notice.Sent, "somebody else's nudge")
		if d := y.delivery(receipt); !d.SentAt.Equal(night) {
			t.Errorf("a receipt was sent after %v, want at once", d.SentAt.Sub(night))
		}
	})
}

func TestASecondNudgeOfADayWaitsForTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t, able)
		kai := y.person(people.DefaultSettings(), "chat:confirmed")
		y.tell(notice.NoteFollowUp, kai)
		wait(time.Hour)
		y.wantTitles("the first of a day goes at once", string(notice.NoteFollowUp))
		second, third := y.tell(notice.NoteFollowUp, kai), y.tell(notice.NoteFollowUp, kai)
		wait(12 * time.Hour)
		y.wantTitles("on the same day", string(notice.NoteFollowUp))
		y.all.Wait()
		y.wantTitles("on the next", "2 nudges", string(notice.NoteFollowUp))
		if d := max(y.delivery(second).SentAt.Unix(), y.delivery(third).SentAt.Unix()); time.Unix(d, 0).In(location(t, "Asia/Shanghai")).Hour() != 8 {
			t.Errorf("the message of the next day went at %s, want at eight", time.Unix(d, 0).In(location(t, "Asia/Shanghai")))
		}
	})
}

func TestWhoWantsEachNudgeGetsEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t, able)
		kai := y.person(people.Settings{}, "chat:confirmed")
		y.tell(notice.NoteFollowUp, kai)
		y.tell(notice.NoteFollowUp, kai)
		y.all.Wait()
		y.wantTitles("without a digest", string(notice.NoteFollowUp), string(notice.NoteFollowUp))
	})
}

func TestOnAPlatformThatIsShortOfCallsNudgesGoOnceAWeekAndTheRestAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var scarce atomic.Bool
		scarce.Store(true)
		y := newYard(t, able, func(o *Options) { o.Weekly = func(uuid.UUID, string) bool { return scarce.Load() } })
		kai := y.person(people.Settings{}, "chat:confirmed") // who wants each
		began := clock()                                     // a Saturday
		var ids []uuid.UUID
		for range 3 {
			ids = append(ids, y.tell(notice.NoteFollowUp, kai))
			wait(6 * time.Hour)
		}
		receipt := y.tell(notice.PraiseReceived, kai)
		wait(time.Hour)
		y.wantState(receipt, notice.Sent, "a receipt")
		y.wantTitles("before Monday", string(notice.PraiseReceived))
		y.all.Wait()
		y.wantTitles("on Monday", "3 nudges", string(notice.PraiseReceived))
		at := nextWeekly(began, location(t, "Asia/Shanghai"))
		late := y.tell(notice.NoteFollowUp, kai)
		wait(24 * time.Hour)
		y.wantState(late, notice.Waiting, "a nudge after the week's message")
		scarce.Store(false)
		wait(time.Hour + time.Minute)
		y.wantState(late, notice.Sent, "a nudge when calls are plenty again")
		y.all.Wait()
		for _, id := range ids {
			if d := y.delivery(id); d.State == notice.Sent && d.SentAt.Sub(at) > time.Hour {
				t.Errorf("the message went %v after Monday at nine", d.SentAt.Sub(at))
			}
		}
	})
}

func TestAKillWhileADigestIsSentNeitherLosesNorDoublesAnyOfIt(t *testing.T) {
	for name, lost := range map[string]bool{"it had arrived": false, "it had not": true} {
		for can, abilities := range map[string]bot.Abilities{"asked": able, "told the key": idempotent} {
			t.Run(name+", "+can, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					y := newYard(t, abilities)
					first := true
					y.chat.fate = func(bot.Message) fate {
						defer func() { first = false }()
						return fate{died: first, lost: first && lost}
					}
					kai := y.person(people.DefaultSettings(), "chat:confirmed")
					ids := []uuid.UUID{y.tellWaiting(kai), y.tellWaiting(kai), y.tellWaiting(kai)}
					for _, id := range ids {
						y.deliver(id)
						y.deliver(id) // every job may run twice
					}
					y.all.Wait()
					y.wantTitles("after the kill", "3 nudges")
				})
			})
		}
	}
}

func TestAKillBetweenGatheringAndSendingLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t, able)
		kai := y.person(people.DefaultSettings(), "chat:confirmed")
		one, two := y.tellWaiting(kai), y.tellWaiting(kai)
		lead := y.delivery(one).Notice
		if _, ok, err := y.store.Gather(t.Context(), lead, clock(), clock(), mostGathered); !ok || err != nil {
			t.Fatalf("gathering gave %v, %v", ok, err)
		}
		y.deliver(two) // its job finds that it is a part of another message
		wait(time.Minute)
		y.wantTitles("while the one that leads is not looked at again")
		late := y.tellWaiting(kai)
		y.deliver(late)
		y.deliver(one)
		y.all.Wait()
		got := y.titles()
		if len(got) != 1 || got[0] != "3 nudges" {
			t.Errorf("after the queue found the lost job the messages are %q, want one of three", got)
		}
	})
}

func TestADigestSaysWhatIsTrueOfEachOfItsParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t, able)
		kai := y.person(people.DefaultSettings(), "chat:confirmed")
		done := map[uuid.UUID]bool{}
		y.words.set(func(_ context.Context, n notice.Notice) (card.Card, bool, error) {
			return card.Card{Title: string(n.Kind)}, !done[n.Subject], nil
		})
		ids := []uuid.UUID{y.tellWaiting(kai), y.tellWaiting(kai)}
		for _, id := range ids {
			y.deliver(id)
		}
		y.all.Wait()
		y.wantTitles("at first", "2 nudges")
		for i, want := range []string{"1 nudges", "0 nudges"} {
			subject := y.delivery(ids[i]).Subject
			y.words.mu.Lock()
			done[subject] = true
			y.words.mu.Unlock()
			wait(time.Second)
			y.tell(notice.NoteChanged, kai, func(n *notice.Notice) { n.Subject = subject })
			y.all.Wait()
			y.wantTitles("after a part of it is done", want)
		}
	})
}

func TestADigestThatMayHaveArrivedGoesAgainWithWhatItHad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t, idempotent)
		first := true
		y.chat.fate = func(bot.Message) fate {
			defer func() { first = false }()
			if first {
				return fate{err: bot.ErrUnknownOutcome} // it arrived all the same
			}
			return fate{}
		}
		kai := y.person(people.DefaultSettings(), "chat:confirmed")
		one, two := y.tellWaiting(kai), y.tellWaiting(kai)
		y.deliver(one)
		synctest.Wait()
		late := y.tell(notice.NoteFollowUp, kai)
		y.deliver(two)
		wait(time.Hour)
		y.wantTitles("on the day of the lost answer", "2 nudges")
		y.wantState(late, notice.Waiting, "a nudge that came between the two attempts")
		y.all.Wait()
		y.wantTitles("on the next day", "2 nudges", string(notice.NoteFollowUp))
	})
}
