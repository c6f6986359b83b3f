package jobs

import (
	"time"

	"huiyin/internal/people"
)

// NextAllowed is the first instant, now or later, at which a person may be disturbed: not muted, and with the clock on their wall
// outside their quiet hours. Quiet hours go by what the clock shows, through every change of clocks (R07).
func NextAllowed(now time.Time, s people.Settings, loc *time.Location) time.Time {
	t := now
	if s.MutedUntil.After(t) {
		t = s.MutedUntil
	}
	length := (s.QuietTo - s.QuietFrom + minutesPerDay) % minutesPerDay
	for {
		local := t.In(loc)
		within := (local.Hour()*60 + local.Minute() - s.QuietFrom + minutesPerDay) % minutesPerDay
		if within >= length {
			return t
		}
		over := t.Add(time.Duration(length-within)*time.Minute - sinceMinute(local))
		_, change := local.ZoneBounds()
		if change.IsZero() || !change.Before(over) {
			return over
		}
		t = change // clocks change before it is over: look again at what they show then
	}
}

const minutesPerDay = 24 * 60

func sinceMinute(t time.Time) time.Duration {
	return time.Duration(t.Second())*time.Second + time.Duration(t.Nanosecond())
}
