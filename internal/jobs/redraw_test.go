package jobs

import (
	"context"
	"errors"
	"sync"
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

// praise is a subject whose words change; a version is what its cards say.
type praise struct {
	mu   sync.Mutex
	says string
}

func (p *praise) is(says string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.says = says
}

func (p *praise) card(n notice.Notice) card.Card {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.says == "" {
		return card.Card{}
	}
	return card.Card{Title: p.says + " for " + string(n.Kind)}
}

func about(subject uuid.UUID) func(*notice.Notice) {
	return func(n *notice.Notice) { n.Subject = subject }
}

func TestAChangeIsDrawnIntoEveryMessageForItsOwnReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y, p, subject := newYard(t, able), &praise{says: "thanks"}, uuid.Must(uuid.NewV7())
		y.words.set(func(_ context.Context, n notice.Notice) (card.Card, bool, error) {
			return p.card(n), p.says != "withdrawn", nil
		})
		kai, lin := y.person(people.Settings{}, "chat:confirmed"), y.person(people.Settings{}, "chat:confirmed")
		one := y.tell(notice.PraiseReceived, kai, about(subject))
		two := y.tell(notice.PraiseThanked, lin, about(subject))
		other := y.tell(notice.PraiseReceived, kai)
		y.all.Wait()
		titles := func() map[string]string {
			out := map[string]string{}
			for name, id := range map[string]uuid.UUID{"one": one, "two": two, "other": other} {
				m, _ := y.chat.message(id)
				out[name] = m.title
			}
			return out
		}
		refresh := func(why string, whose uuid.UUID, want map[string]string) {
			t.Helper()
			wait(time.Second)
			id := y.tell(notice.PraiseChanged, whose, about(subject))
			y.all.Wait()
			if diff := cmp.Diff(want, titles()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", why, diff)
			}
			y.wantState(id, notice.Sent, why)
			if _, sent := y.chat.message(id); sent {
				t.Errorf("%s: a refresh sent a message of its own", why)
			}
		}
		p.is("many thanks")
		refresh("after an edit", uuid.Nil, map[string]string{
			"one": "many thanks for praise.received", "two": "many thanks for praise.thanked", "other": "thanks for praise.received",
		})
		p.is("all my thanks")
		refresh("after an edit for one reader", lin, map[string]string{
			"one": "many thanks for praise.received", "two": "all my thanks for praise.thanked", "other": "thanks for praise.received",
		})
		p.is("withdrawn")
		withdrawn := map[string]string{"one": "withdrawn for praise.received", "two": "withdrawn for praise.thanked", "other": "thanks for praise.received"}
		refresh("after it was withdrawn", uuid.Nil, withdrawn)
		p.is("")
		refresh("with nothing to say", uuid.Nil, withdrawn)
	})
}

func TestWhatWasWrittenTogetherWithAChangeIsNotDrawnAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y, subject := newYard(t, able), uuid.Must(uuid.NewV7())
		y.chat.fateOf.update = func() error { t.Error("a message was drawn again that says it already"); return nil }
		kai := y.person(people.Settings{}, "chat:confirmed")
		y.tell(notice.NoteDone, kai, about(subject))
		y.all.Wait()
		y.tell(notice.NoteChanged, kai, about(subject)) // due at the same moment
		y.all.Wait()
	})
}

func TestOfTwoChangesWhoseUpdatesCrossTheLaterOneStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y, p, subject := newYard(t, able), &praise{says: "first"}, uuid.Must(uuid.NewV7())
		y.words.set(func(_ context.Context, n notice.Notice) (card.Card, bool, error) { return p.card(n), true, nil })
		kai := y.person(people.Settings{}, "chat:confirmed")
		id := y.tell(notice.PraiseReceived, kai, about(subject))
		y.all.Wait()
		y.chat.set(func() {
			y.chat.slow = func(title string) time.Duration {
				if title == "second for praise.received" {
					return 5 * time.Second
				}
				return 0
			}
		})
		wait(time.Second)
		p.is("second")
		y.tell(notice.PraiseChanged, kai, about(subject))
		synctest.Wait()
		p.is("third")
		y.tell(notice.PraiseChanged, kai, about(subject))
		y.all.Wait()
		m, _ := y.chat.message(id)
		if want := "third for praise.received"; m.title != want {
			t.Errorf("at the end the message says %q after %q, want %q", m.title, m.titles, want)
		}
	})
}

func TestAMessageThatWasOutdatedWhileItWasSentIsDrawnAgain(t *testing.T) {
	for name, how := range map[string]fate{
		"the answer came":       {},
		"the answer never came": {err: bot.ErrUnknownOutcome},
		"our process died":      {died: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				y, p := newYard(t, able), &praise{says: "first"}
				y.words.set(func(_ context.Context, n notice.Notice) (card.Card, bool, error) { return p.card(n), true, nil })
				y.chat.takes = time.Second
				y.chat.fate = func(bot.Message) fate { return how }
				id := y.tell(notice.PraiseReceived, y.person(people.Settings{}, "chat:confirmed"))
				synctest.Wait()
				p.is("second") // and whoever changed it found no message to draw again
				y.all.Wait()
				if m, _ := y.chat.message(id); m.title != "second for praise.received" || len(m.times) != 1 {
					t.Errorf("at the end the message says %q, sent %d times", m.title, len(m.times))
				}
			})
		})
	}
}

func TestAMessageThatChangedBetweenTwoAttemptsIsDrawnAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y, p, first := newYard(t, idempotent), &praise{says: "first"}, true
		y.words.set(func(_ context.Context, n notice.Notice) (card.Card, bool, error) { return p.card(n), true, nil })
		y.chat.fate = func(bot.Message) fate {
			defer func() { first = false }()
			if first {
				return fate{err: bot.ErrUnknownOutcome} // it arrived all the same
			}
			return fate{}
		}
		id := y.tell(notice.PraiseReceived, y.person(people.Settings{}, "chat:confirmed"))
		synctest.Wait()
		p.is("second") // and the platform keeps the first of two that have the same key
		y.all.Wait()
		if m, _ := y.chat.message(id); m.title != "second for praise.received" || len(m.times) != 1 {
			t.Errorf("at the end the message says %q, sent %d times", m.title, len(m.times))
		}
	})
}

func TestAProcessThatDiedRightAfterItSentLeavesNoOutdatedMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y, p := newYard(t, able), &praise{says: "first"}
		y.words.set(func(_ context.Context, n notice.Notice) (card.Card, bool, error) { return p.card(n), true, nil })
		id := y.tell(notice.PraiseReceived, y.person(people.Settings{}, "chat:confirmed"))
		y.all.Wait()
		p.is("second")
		y.deliver(id) // the queue knows only that the job did not end
		y.all.Wait()
		if m, _ := y.chat.message(id); m.title != "second for praise.received" || len(m.times) != 1 {
			t.Errorf("at the end the message says %q, sent %d times", m.title, len(m.times))
		}
	})
}

func TestWhatCannotBeRedrawnIsLeftAloneInTheEnd(t *testing.T) {
	for name, c := range map[string]struct {
		fails func() error
		tries int
	}{
		"the message is gone":      {func() error { return fault.New(fault.NotFound, "chat.no_message") }, 1},
		"the adapter is broken":    {func() error { return errors.New("cannot render") }, notice.MaxAttempts},
		"the platform stays away":  {func() error { return away("chat.status") }, 0},
		"the answer never comes":   {func() error { return bot.ErrUnknownOutcome }, 0},
		"the platform is too busy": {func() error { f := fault.New(fault.Unavailable, "chat.limited"); f.RetryAfter = time.Hour; return f }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				y, subject, calls, began := newYard(t, able), uuid.Must(uuid.NewV7()), 0, clock()
				kai := y.person(people.Settings{}, "chat:confirmed")
				id := y.tell(notice.PraiseReceived, kai, about(subject))
				y.all.Wait()
				wait(time.Second)
				y.chat.set(func() { y.chat.fateOf.update = func() error { calls++; return c.fails() } })
				y.tell(notice.PraiseChanged, kai, about(subject))
				y.all.Wait()
				if c.tries > 0 && calls != c.tries {
					t.Errorf("tried %d times, want %d", calls, c.tries)
				}
				if took := clock().Sub(began); took > patience+2*time.Hour {
					t.Errorf("it went on for %v", took)
				}
				y.wantState(id, notice.Sent, name)
			})
		})
	}
}

func TestAPlatformThatCannotChangeMessagesIsNotAskedTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y, subject := newYard(t, bot.Abilities{}), uuid.Must(uuid.NewV7())
		y.chat.fateOf.update = func() error { t.Error("it was asked to change a message"); return nil }
		kai := y.person(people.Settings{}, "chat:confirmed")
		y.tell(notice.PraiseReceived, kai, about(subject))
		y.all.Wait()
		wait(time.Second)
		id := y.tell(notice.PraiseChanged, kai, about(subject))
		y.all.Wait()
		y.wantState(id, notice.Sent, "a refresh with nothing to do")
	})
}
