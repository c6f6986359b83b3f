package survey

import (
	"slices"
	"time"

	"huiyin/internal/fault"
)

// State is where a cycle of answers stands.
type State string

// The states. Released and Void are final.
const (
	Draft    State = "draft"
	Open     State = "open"    // roster, groups, questions and policy are frozen; ballots are accepted
	Closing  State = "closing" // no ballot is accepted any more; nothing is known yet
	Released State = "released"
	Void     State = "void" // nothing was and nothing will be published
)

// States lists every state.
func States() []State { return []State{Draft, Open, Closing, Released, Void} }

// edges is the whole state machine. There is no reopening, no second release, no closing of a part, and no way back from anywhere: the
// difference between two releases would be the one who answered in between.
func edges() map[State][]State {
	return map[State][]State{
		Draft:    {Open},
		Open:     {Closing, Void}, // void: cancelled, or the key is lost
		Closing:  {Released, Void},
		Released: {},
		Void:     {},
	}
}

// MayBecome reports whether there is an edge.
func (s State) MayBecome(next State) bool { return slices.Contains(edges()[s], next) }

// Reason says why a cycle is void; everybody who was asked is told.
type Reason string

// The reasons.
const (
	Cancelled Reason = "cancelled"
	KeyLost   Reason = "key_lost" // the answers can never be read
	TooFew    Reason = "too_few"  // fewer than k answered
	Tampered  Reason = "tampered" // roster or policy are not those that were frozen
	Unsafe    Reason = "unsafe"   // no way was found to publish anything without exposing somebody
)

// move takes the edge or gives a fault of kind Conflict.
func (c *Cycle) move(next State) error {
	if !c.State.MayBecome(next) {
		return fault.New(fault.Conflict, "survey.state", "State", string(c.State))
	}
	c.State = next
	return nil
}

// open freezes the cycle. The key and the roster's sum are in it already.
func (c *Cycle) open(now time.Time) error {
	switch {
	case !c.ClosesAt.After(now):
		return fault.New(fault.Invalid, "survey.close.past").In("closes_at")
	case c.ClosesAt.After(now.AddDate(0, 0, MostDays)):
		return fault.New(fault.Invalid, "survey.close.far", "Days", MostDays).In("closes_at")
	}
	if err := c.Policy.Check(c.Kind); err != nil {
		return err
	}
	sum, err := c.Policy.Sum()
	if err != nil {
		return err
	}
	if err := c.move(Open); err != nil {
		return err
	}
	c.OpenedAt, c.PolicySum = now, sum
	return nil
}

// Accepts gives a fault of kind Conflict unless a ballot may be cast now.
func (c Cycle) Accepts(now time.Time) error {
	if c.State != Open || !now.Before(c.ClosesAt) {
		return fault.New(fault.Conflict, "survey.closed")
	}
	return nil
}

// extend moves the close: only while it is still to come, only to later, and never past the life of a key.
func (c *Cycle) extend(to, now time.Time) error {
	switch {
	case c.State != Open:
		return fault.New(fault.Conflict, "survey.state", "State", string(c.State))
	case !now.Before(c.ClosesAt):
		return fault.New(fault.Conflict, "survey.closed")
	case !to.After(c.ClosesAt):
		return fault.New(fault.Invalid, "survey.close.earlier").In("closes_at")
	case to.After(c.OpenedAt.AddDate(0, 0, MostDays)):
		return fault.New(fault.Invalid, "survey.close.far", "Days", MostDays).In("closes_at")
	}
	c.ClosesAt = to
	return nil
}

// shut ends the time for answers. Before the date that raters were told it takes a policy that told them so.
func (c *Cycle) shut(now time.Time) error {
	if c.State == Open && now.Before(c.ClosesAt) && !c.Policy.EarlyClose {
		return fault.New(fault.Conflict, "survey.close.early")
	}
	return c.move(Closing)
}

// release makes the tally final; the key is to be destroyed.
func (c *Cycle) release(now time.Time) error {
	if err := c.move(Released); err != nil {
		return err
	}
	c.EndedAt, c.Key.State = now, Pending
	return nil
}

// cancel makes the cycle void; its key is to be destroyed.
func (c *Cycle) cancel(why Reason, now time.Time) error {
	if err := c.move(Void); err != nil {
		return err
	}
	c.EndedAt, c.Void = now, why
	if c.Key.State == Live {
		c.Key.State = Pending
	}
	return nil
}

// mourn notes that the key is gone.
func (c *Cycle) mourn() error {
	if c.Key.State != Pending {
		return fault.New(fault.Conflict, "survey.state", "State", string(c.State))
	}
	c.Key.State = Destroyed
	return nil
}

// overdue reports whether the key has to go now, whatever the database says about its copies.
func (c Cycle) overdue(now time.Time) bool { return !now.Before(c.EndedAt.Add(KeyHours * time.Hour)) }
