package jobs

import (
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// fields are the five of cron: minute, hour, day of the month, month, day of the week. No @every, which drifts, and no seconds.
var fields = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)

// Next is the first occurrence of a rule after a time, by the clocks of a time zone. A local time that is skipped when clocks go
// forward occurs right after the gap; one that comes twice when they go back occurs the first time. A rule therefore occurs at most
// once for every local time that it names, and an occurrence is never lost to a change of clocks (S1-11, S1-38).
func Next(rule, zone string, after time.Time) (time.Time, error) {
	loc, err := time.LoadLocation(zone)
	if err != nil || zone == "" || zone == "Local" {
		return time.Time{}, fmt.Errorf("read the zone %q of a schedule: not a time zone", zone)
	}
	if strings.Contains(rule, "TZ=") {
		return time.Time{}, fmt.Errorf("read the rule %q of a schedule: its zone is a setting of its own", rule)
	}
	// The rule is followed on a clock face without changes, UTC, and only what it says is looked up in the zone.
	parsed, err := fields.Parse("CRON_TZ=UTC " + rule)
	if err != nil {
		return time.Time{}, fmt.Errorf("read the rule %q of a schedule: %w", rule, err)
	}
	for face := faceOf(after.In(loc)); ; {
		face = parsed.Next(face)
		if face.IsZero() {
			return time.Time{}, fmt.Errorf("the rule %q of a schedule never occurs", rule)
		}
		if at := firstAt(face, loc); at.After(after) {
			return at, nil
		}
	}
}

// longestChange is more than any zone ever moved its clocks by: Samoa left out a whole day in December 2011.
const longestChange = 25 * time.Hour

// faceOf is what the clock on the wall shows, as if it were UTC.
func faceOf(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// firstAt is the first instant at which the clocks of a zone show a time or have jumped over it.
func firstAt(face time.Time, loc *time.Location) time.Time {
	// Every instant at which that can be lies within the longest change around it. Walk the spans of one offset in order.
	for t := face.Add(-longestChange).In(loc); ; {
		_, end := t.ZoneBounds()
		_, offset := t.Zone()
		at := face.Add(-time.Duration(offset) * time.Second)
		if at.Before(t) { // the span began with the clocks past it
			return t
		}
		if end.IsZero() || at.Before(end) {
			return at.In(loc)
		}
		t = end.In(loc)
	}
}
