package jobs

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestARuleOccursByTheClocksOfItsZone(t *testing.T) {
	for _, c := range []struct{ name, rule, zone, after, want string }{
		{"A-C2: not on the leap day", "0 0 1 * *", "Asia/Shanghai", "2024-02-29T23:58:00+08:00", "2024-03-01T00:00:00+08:00"},
		{"A-C2: once, the next is a month later", "0 0 1 * *", "Asia/Shanghai", "2024-03-01T00:00:00+08:00", "2024-04-01T00:00:00+08:00"},
		{"the first of the month is not that of UTC", "0 9 1 * *", "Asia/Shanghai", "2024-02-29T16:30:00Z", "2024-03-01T09:00:00+08:00"},
		{"weekly", "30 9 * * 1", "Europe/Berlin", "2026-03-02T09:30:00+01:00", "2026-03-09T09:30:00+01:00"},
		{"nine stays nine when clocks go forward", "0 9 * * *", "Europe/Berlin", "2026-03-28T09:00:00+01:00", "2026-03-29T09:00:00+02:00"},
		{"half past two is skipped: right after the gap", "30 2 * * *", "Europe/Berlin", "2026-03-29T01:59:00+01:00", "2026-03-29T03:00:00+02:00"},
		{"and not again on that day", "30 2 * * *", "Europe/Berlin", "2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"},
		{"half past two comes twice: the first time", "30 2 * * *", "Europe/Berlin", "2026-10-25T00:00:00+02:00", "2026-10-25T02:30:00+02:00"},
		{"and not the second", "30 2 * * *", "Europe/Berlin", "2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"},
		{"seen from within the second pass", "30 2 * * *", "Europe/Berlin", "2026-10-25T02:10:00+01:00", "2026-10-26T02:30:00+01:00"},
		{"midnight is skipped", "0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00:00-03:00", "2018-11-04T01:00:00-02:00"},
		{"Samoa left out a day", "0 9 30 12 *", "Pacific/Apia", "2011-12-29T09:00:00-10:00", "2011-12-31T00:00:00+14:00"},
		{"the 31st where there is one", "0 9 31 * *", "UTC", "2026-03-31T09:00:00Z", "2026-05-31T09:00:00Z"},
		{"a leap day", "0 0 29 2 *", "UTC", "2024-02-29T00:00:00Z", "2028-02-29T00:00:00Z"},
	} {
		got, err := Next(c.rule, c.zone, instant(t, c.after))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if want := instant(t, c.want); !got.Equal(want) {
			t.Errorf("%s: %q in %s after %s occurs at %s, want %s", c.name, c.rule, c.zone, c.after, got.Format(time.RFC3339), c.want)
		}
	}
}

func TestARuleThatMeansNothingIsRefused(t *testing.T) {
	for _, c := range [][2]string{
		{"* * * *", "UTC"},
		{"@every 1h", "UTC"},
		{"@daily", "UTC"},
		{"* * * * * *", "UTC"},
		{"61 * * * *", "UTC"},
		{"0 0 30 2 *", "UTC"},
		{"", "UTC"},
		{"TZ=Asia/Tokyo 0 9 * * *", "UTC"},
		{"CRON_TZ=Asia/Tokyo 0 9 * * *", "UTC"},
		{"0 9 * * *", ""},
		{"0 9 * * *", "Local"},
		{"0 9 * * *", "Mars/Base"},
	} {
		if at, err := Next(c[0], c[1], time.Unix(0, 0)); err == nil {
			t.Errorf("%q in %q occurs at %v, want it refused", c[0], c[1], at)
		}
	}
}

// The oracle walks the clock on the wall minute by minute: a rule occurs when that clock reaches or jumps over a time that it names, for
// the first time.
func TestRulesOccurOnceThroughEveryChangeOfClocksInTheWorld(t *testing.T) {
	const around = 3 * time.Hour
	changes := 0
	for _, z := range zones(t) {
		for _, at := range z.changes {
			changes++
			from, to := at.Add(-around), at.Add(around)
			before, after := faceOf(at.Add(-time.Minute).In(z.loc)), faceOf(at.In(z.loc))
			within := before.Add(after.Sub(before) / 2) // inside the gap, or inside what comes twice
			for _, rule := range []struct {
				text  string
				names func(face time.Time) bool
			}{
				{within.Format("4 15") + " * * *", func(f time.Time) bool { return f.Hour() == within.Hour() && f.Minute() == within.Minute() }},
				{"*/20 * * * *", func(f time.Time) bool { return f.Minute()%20 == 0 }},
				{"0 0 * * *", func(f time.Time) bool { return f.Hour() == 0 && f.Minute() == 0 }},
			} {
				var want []string
				last := faceOf(from.In(z.loc))
				for now := from.Add(time.Minute); !now.After(to); now = now.Add(time.Minute) {
					occurs := false
					for face := faceOf(now.In(z.loc)); last.Before(face); {
						last = last.Add(time.Minute)
						occurs = occurs || rule.names(last)
					}
					if occurs {
						want = append(want, now.UTC().Format(time.RFC3339))
					}
				}
				var got []string
				for now := from; ; {
					next, err := Next(rule.text, z.loc.String(), now)
					if err != nil {
						t.Fatalf("%q in %s: %v", rule.text, z.loc, err)
					}
					if next.After(to) {
						break
					}
					got, now = append(got, next.UTC().Format(time.RFC3339)), next
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%q in %s around the change at %s (-want +got):\n%s", rule.text, z.loc, at.Format(time.RFC3339), diff)
				}
			}
		}
	}
	t.Logf("%d changes of clocks", changes)
}

func TestTheNextOccurrenceIsLaterAndShowsWhatTheRuleSays(t *testing.T) {
	all := zones(t)
	rapid.Check(t, func(t *rapid.T) {
		z := rapid.SampledFrom(all).Draw(t, "zone")
		after := time.Unix(rapid.Int64Range(946684800, 2208988800).Draw(t, "after"), 0)
		hour, minute := rapid.IntRange(0, 23).Draw(t, "hour"), rapid.IntRange(0, 59).Draw(t, "minute")
		rule := time.Date(0, 1, 1, hour, minute, 0, 0, time.UTC).Format("4 15") + " * * *"
		got, err := Next(rule, z.loc.String(), after)
		if err != nil {
			t.Fatal(err)
		}
		if !got.After(after) || got.Sub(after) > 51*time.Hour {
			t.Errorf("%q in %s after %s occurs at %s", rule, z.loc, after, got)
		}
		if shown := faceOf(got); shown.Hour() != hour || shown.Minute() != minute {
			began, _ := got.ZoneBounds()
			if !began.Equal(got) {
				t.Errorf("%q in %s occurs when the clock shows %s and did not just change", rule, z.loc, shown.Format("15:04"))
			}
		}
	})
}

func TestAnErrorAboutARuleNamesIt(t *testing.T) {
	_, err := Next("0 0 30 2 *", "UTC", time.Unix(0, 0))
	if err == nil || !strings.Contains(err.Error(), "0 0 30 2 *") {
		t.Errorf("the error does not name the rule: %v", err)
	}
}
