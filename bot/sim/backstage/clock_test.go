package backstage

import (
	"slices"
	"testing"
	"time"
)

var monday = time.Date(2026, 1, 5, 1, 0, 0, 0, time.UTC)

func standing() time.Time { return monday }

func TestAdvancingDoesWhatIsDueEarliestFirst(t *testing.T) {
	c := NewClock(standing, 0)
	defer c.Wait()
	defer c.Stop()
	var done []string
	c.After(time.Hour, func() { done = append(done, "hour") })
	c.After(time.Minute, func() {
		done = append(done, "minute")
		c.After(time.Second, func() { done = append(done, "second after") })
	})
	c.Advance(time.Minute - time.Nanosecond)
	if len(done) != 0 || c.Pending() != 2 {
		t.Errorf("before its time %v was done", done)
	}
	c.Advance(2 * time.Hour)
	if !slices.Equal(done, []string{"minute", "hour"}) || c.Pending() != 1 {
		t.Errorf("what was due was done as %v, %d wait", done, c.Pending())
	}
	c.Advance(time.Second)
	if len(done) != 3 || !c.Now().Equal(monday.Add(2*time.Hour+time.Minute+time.Second-time.Nanosecond)) {
		t.Errorf("at %s %v was done", c.Now(), done)
	}
}

func TestScaledTimersEndByThemselves(t *testing.T) {
	c := NewClock(standing, 1e6)
	defer c.Wait()
	defer c.Stop()
	done := make(chan struct{})
	c.After(time.Hour, func() { close(done) })
	<-done
}

func TestAStoppedClockDoesNothingMore(t *testing.T) {
	c := NewClock(standing, 1)
	c.After(time.Minute, func() { t.Error("what waited was done") })
	c.Stop()
	c.After(time.Minute, func() { t.Error("something new was done") })
	c.Go(func() { t.Error("something ran in the background") })
	c.Advance(time.Hour)
	c.Wait()
	if c.Pending() != 0 || c.Context().Err() == nil {
		t.Errorf("%d wait, context %v", c.Pending(), c.Context().Err())
	}
}

func TestForgettingDropsWhatWaits(t *testing.T) {
	c := NewClock(standing, 1)
	defer c.Stop()
	c.After(time.Minute, func() { t.Error("what was forgotten was done") })
	c.Forget()
	c.Advance(time.Hour)
}
