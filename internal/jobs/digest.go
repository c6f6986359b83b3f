package jobs

import (
	"context"
	"time"

	"github.com/google/uuid"

	"huiyin/bot/card"
	"huiyin/internal/notice"
	"huiyin/internal/people"
)

// mostGathered is how many nudges go into one message. A person with more has other worries.
const mostGathered = 50

// weeklyHour is when the message of a week goes, on a Monday at the person's place.
const weeklyHour = 9

// gathering is when nudges to a person may go as one message: none was sent since, or they wait until next.
type gathering struct{ since, next time.Time }

// plan makes at most one message a day of a person's nudges, or one a week, by the calendar at their place. wait is how long one that
// came due at due has to wait all the same: of a week's message, until it is Monday.
func (g *gathering) plan(now, due time.Time, weekly bool, loc *time.Location) (wait time.Duration) {
	local := now.In(loc)
	midnight := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, loc)
	if !weekly {
		*g = gathering{midnight, midnight.AddDate(0, 0, 1)}
		return 0
	}
	monday := midnight.AddDate(0, 0, -(int(local.Weekday())+6)%7)
	*g = gathering{monday, nineOn(monday.AddDate(0, 0, 7))}
	return max(nextWeekly(due, loc).Sub(now), 0)
}

// nextWeekly is the first Monday morning at or after an instant.
func nextWeekly(at time.Time, loc *time.Location) time.Time {
	local := at.In(loc)
	monday := time.Date(local.Year(), local.Month(), local.Day()-(int(local.Weekday())+6)%7, 0, 0, 0, 0, loc)
	if morning := nineOn(monday); !morning.Before(at) {
		return morning
	}
	return nineOn(monday.AddDate(0, 0, 7))
}

func nineOn(day time.Time) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), weeklyHour, 0, 0, 0, day.Location())
}

// gatheringOf says how a nudge goes on a platform: alone at once (nil), or together with what else waits for its person. One that leads a
// message already goes with what it has.
func (c *courier) gatheringOf(d *notice.Delivery, person people.Person, platform string, loc *time.Location) (*gathering, error) {
	weekly := c.Weekly != nil && c.Weekly(d.OrgID, platform)
	leads := d.Leader == d.ID
	if !weekly && !person.Settings.Digest && !leads {
		return nil, nil
	}
	var g gathering
	if wait := g.plan(c.Now(), d.Due, weekly, loc); wait > 0 && !leads {
		return nil, &later{min(wait, time.Hour), becauseDigest}
	}
	return &g, nil
}

// gather takes along what else waits for the person, in one step: from then on there is one delivery to be sent, and what it took along
// shares its fate, through every crash. One that may have arrived goes again with what it had: where the platform recognises it and keeps
// what it got at first, nobody would see the rest.
func (c *courier) gather(ctx context.Context, d *notice.Delivery, g *gathering) ([]notice.Notice, error) {
	switch {
	case g == nil:
		return nil, nil
	case d.State == notice.Sending:
		return c.had(ctx, *d)
	}
	now := c.Now()
	together, ok, err := c.Deliveries.Gather(ctx, d.Notice, now, g.since, mostGathered)
	if err != nil {
		return nil, c.storeAway(ctx, err)
	}
	if !ok {
		return nil, &later{min(max(g.next.Sub(now), time.Second), time.Hour), becauseDigest}
	}
	d.Leader = d.ID
	return together, nil
}

// had is what a message has gathered; nothing when it goes alone.
func (c *courier) had(ctx context.Context, d notice.Delivery) ([]notice.Notice, error) {
	if d.Leader == uuid.Nil || d.Leader != d.ID {
		return nil, nil
	}
	together, err := c.Deliveries.Gathered(ctx, d.Notice)
	if err != nil {
		return nil, c.storeAway(ctx, err)
	}
	return together, nil
}

// write finds the words of a notice, or of all that go together with it.
func (c *courier) write(ctx context.Context, n notice.Notice, together []notice.Notice) (card.Card, bool, error) {
	if len(together) > 1 {
		return c.Writer.Digest(ctx, together)
	}
	return c.Writer.Notice(ctx, n)
}

// rewrite finds the words of a message that was sent.
func (c *courier) rewrite(ctx context.Context, d notice.Delivery) (card.Card, bool, error) {
	together, err := c.had(ctx, d)
	if err != nil {
		return card.Card{}, false, err
	}
	return c.write(ctx, d.Notice, together)
}
