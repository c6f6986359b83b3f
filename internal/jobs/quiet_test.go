package jobs

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"huiyin/internal/people"
)

func TestANudgeWaitsForThePersonsMorning(t *testing.T) {
	night := people.DefaultSettings() // 20:00 to 08:00
	muted := night
	muted.MutedUntil = time.Date(2026, 3, 5, 2, 0, 0, 0, time.UTC)
	short := people.Settings{QuietFrom: 12 * 60, QuietTo: 13*60 + 30}
	gap := people.Settings{QuietFrom: 22 * 60, QuietTo: 2*60 + 30}
	fold := people.Settings{QuietFrom: 2*60 + 15, QuietTo: 2*60 + 45}
	for _, c := range []struct {
		name     string
		settings people.Settings
		zone     string
		now      string
		want     string
	}{
		{"by day at once", night, "Asia/Shanghai", "2026-03-02T19:59:59+08:00", "2026-03-02T19:59:59+08:00"},
		{"at eight in the evening until the morning", night, "Asia/Shanghai", "2026-03-02T20:00:00+08:00", "2026-03-03T08:00:00+08:00"},
		{"after midnight until the same morning", night, "Asia/Shanghai", "2026-03-03T00:30:12+08:00", "2026-03-03T08:00:00+08:00"},
		{"at eight in the morning at once", night, "Asia/Shanghai", "2026-03-03T08:00:00+08:00", "2026-03-03T08:00:00+08:00"},
		{"by the person's own clock", night, "America/New_York", "2026-03-02T13:00:00Z", "2026-03-02T13:00:00Z"},
		{"within one day", short, "UTC", "2026-03-02T12:45:30Z", "2026-03-02T13:30:00Z"},
		{"never quiet", people.Settings{}, "UTC", "2026-03-02T03:00:00Z", "2026-03-02T03:00:00Z"},
		{"never quiet, at another hour", people.Settings{QuietFrom: 480, QuietTo: 480}, "UTC", "2026-03-02T08:00:00Z", "2026-03-02T08:00:00Z"},
		{"muted until a time of day that is fine", muted, "Asia/Shanghai", "2026-03-02T10:00:00+08:00", "2026-03-05T10:00:00+08:00"},
		{"muted until the middle of the night", muted, "America/New_York", "2026-03-02T10:00:00-05:00", "2026-03-05T08:00:00-05:00"},
		{"a mute that is over", muted, "UTC", "2026-03-06T10:00:00Z", "2026-03-06T10:00:00Z"},
		{"a night that is an hour shorter", night, "Europe/Berlin", "2026-03-28T23:00:00+01:00", "2026-03-29T08:00:00+02:00"},
		{"a night that is an hour longer", night, "Europe/Berlin", "2026-10-24T23:00:00+02:00", "2026-10-25T08:00:00+01:00"},
		{"an end that the clocks skip", gap, "Europe/Berlin", "2026-03-29T01:00:00+01:00", "2026-03-29T03:00:00+02:00"},
		{"an end that comes twice: the first time", fold, "Europe/Berlin", "2026-10-25T02:20:00+02:00", "2026-10-25T02:45:00+02:00"},
		{"and quiet again in the second pass", fold, "Europe/Berlin", "2026-10-25T02:20:00+01:00", "2026-10-25T02:45:00+01:00"},
	} {
		got := NextAllowed(instant(t, c.now), c.settings, location(t, c.zone))
		if want := instant(t, c.want); !got.Equal(want) {
			t.Errorf("%s: at %s in %s allowed from %s, want %s", c.name, c.now, c.zone, got.In(location(t, c.zone)).Format(time.RFC3339), c.want)
		}
	}
}

// quietAt is the rule as one would say it, for one moment.
func quietAt(at time.Time, s people.Settings, loc *time.Location) bool {
	local := at.In(loc)
	minute := local.Hour()*60 + local.Minute()
	switch {
	case at.Before(s.MutedUntil):
		return true
	case s.QuietFrom < s.QuietTo:
		return s.QuietFrom <= minute && minute < s.QuietTo
	case s.QuietFrom > s.QuietTo:
		return s.QuietFrom <= minute || minute < s.QuietTo
	}
	return false
}

func checkAllowed(t rapid.TB, now time.Time, s people.Settings, loc *time.Location) {
	t.Helper()
	got := NextAllowed(now, s, loc)
	if got.Before(now) {
		t.Errorf("%+v in %s at %s: allowed before now, at %s", s, loc, now, got)
	}
	if quietAt(got, s, loc) {
		t.Errorf("%+v in %s at %s: disturbs at %s, which is quiet", s, loc, now.In(loc), got.In(loc))
	}
	for at := now; at.Before(got); at = at.Add(time.Minute) {
		if !quietAt(at, s, loc) {
			t.Errorf("%+v in %s at %s: waits until %s although %s is not quiet", s, loc, now.In(loc), got.In(loc), at.In(loc))
			return
		}
	}
}

func TestNobodyIsDisturbedInQuietHoursAndNobodyWaitsLongerAroundEveryChangeOfClocks(t *testing.T) {
	for _, z := range zones(t) {
		for _, change := range z.changes {
			local := change.In(z.loc)
			minute := local.Hour()*60 + local.Minute()
			for _, s := range []people.Settings{
				people.DefaultSettings(),
				{QuietFrom: (minute + minutesPerDay - 90) % minutesPerDay, QuietTo: (minute + 20) % minutesPerDay},
				{QuietFrom: (minute + minutesPerDay - 40) % minutesPerDay, QuietTo: (minute + minutesPerDay - 30) % minutesPerDay},
			} {
				for _, before := range []time.Duration{7*time.Hour + 13*time.Second, 75 * time.Minute, time.Nanosecond, 0, -35 * time.Minute} {
					checkAllowed(t, change.Add(-before), s, z.loc)
				}
			}
		}
	}
}

func TestNobodyIsDisturbedInQuietHoursAndNobodyWaitsLongerAtAnyTime(t *testing.T) {
	all := zones(t)
	rapid.Check(t, func(t *rapid.T) {
		z := rapid.SampledFrom(all).Draw(t, "zone")
		now := time.Unix(rapid.Int64Range(946684800, 2208988800).Draw(t, "now"), rapid.Int64Range(0, 999999999).Draw(t, "nanoseconds"))
		s := people.Settings{QuietFrom: rapid.IntRange(0, minutesPerDay-1).Draw(t, "from"), QuietTo: rapid.IntRange(0, minutesPerDay-1).Draw(t, "to")}
		if rapid.Bool().Draw(t, "muted") {
			s.MutedUntil = now.Add(time.Duration(rapid.Int64Range(-3600, 4*3600).Draw(t, "mute")) * time.Second)
		}
		checkAllowed(t, now, s, z.loc)
	})
}
