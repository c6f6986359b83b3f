package survey

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Asked says when somebody was last asked a question about a subject, in a cycle that was or will be released.
type Asked struct {
	Subject, Question uuid.UUID
	// ReleasedAt is when the figures came out; zero while the cycle is still running.
	ReleasedAt time.Time
}

// TooSoon gives the day from which everything in a cycle may be asked again, and whether that is still to come: the same question about
// the same subject at most every GapDays, and never in two cycles at once. Two figures close to each other are a subtraction away from
// whoever left or joined in between.
func TooSoon(before []Asked, now time.Time) (from time.Time, soon bool) {
	for _, a := range before {
		next := a.ReleasedAt.AddDate(0, 0, GapDays)
		if a.ReleasedAt.IsZero() {
			next = now.AddDate(0, 0, GapDays)
		}
		if next.After(now) && next.After(from) {
			from, soon = next, true
		}
	}
	return from, soon
}

// Direction is what a trend arrow says.
type Direction string

// The directions. A new baseline is a figure without an arrow.
const (
	Up          Direction = "up"
	Down        Direction = "down"
	Level       Direction = "level"
	NewBaseline Direction = "new_baseline"
)

// TrendPeople is how many people both figures of a trend need.
const TrendPeople = 8

// Trend compares a figure with the one before. moved is how many people are on one of the two rosters and not on the other. There is an
// arrow only when both figures have at least TrendPeople, and the rosters differ by nobody or by three or more; with fewer than ten
// people in either figure, by nobody or by k or more. How many people are in a figure is known by its bucket alone, so its least
// counts.
func Trend(before, now Cell, moved, k int) Direction {
	people := min(leastIn(before.Bucket), leastIn(now.Bucket))
	apart := 3
	if people < 10 {
		apart = max(apart, k)
	}
	if people < TrendPeople || moved != 0 && moved < apart || before.Shown.Mean == 0 || now.Shown.Mean == 0 {
		return NewBaseline
	}
	switch {
	case now.Shown.Mean > before.Shown.Mean:
		return Up
	case now.Shown.Mean < before.Shown.Mean:
		return Down
	}
	return Level
}

// Moved counts the raters who are on one roster and not on the other.
func Moved(before, now []uuid.UUID) int {
	n := 0
	in := func(list []uuid.UUID) map[uuid.UUID]bool {
		set := make(map[uuid.UUID]bool, len(list))
		for _, id := range list {
			set[id] = true
		}
		return set
	}
	was, is := in(before), in(now)
	for id := range was {
		if !is[id] {
			n++
		}
	}
	for id := range is {
		if !was[id] {
			n++
		}
	}
	return n
}

// Rate is a response rate as HR sees it: 0, 25, 50, 75 or 100 percent, rounded down, so that 100 means everybody. ok is false for
// groups of fewer than RatePeople, of which no rate is shown. It is taken once a day and kept: a rate that moved at once would say who
// has just answered.
func Rate(invited, answered int) (percent int, ok bool) {
	if invited < RatePeople {
		return 0, false
	}
	return 100 * answered / invited / 25 * 25, true
}

// DailyRate is the rate of one group as it was taken on a day.
type DailyRate struct {
	Day     time.Time // midnight UTC of the date at the firm
	Group   string    // Everybody, or UnitCell of a department
	Percent int
}

// takeRates gives the rates of the groups that are large enough.
func takeRates(day time.Time, turnout []Turnout) []DailyRate {
	var out []DailyRate
	for _, t := range turnout {
		if percent, ok := Rate(t.Invited, t.Answered); ok {
			out = append(out, DailyRate{Day: day, Group: UnitCell(t.Unit), Percent: percent})
		}
	}
	slices.SortFunc(out, func(a, b DailyRate) int { return strings.Compare(a.Group, b.Group) })
	return out
}

// Turnout counts the forms of a department; empty Unit: of the whole cycle.
type Turnout struct {
	Unit              string
	Invited, Answered int
}
