package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/internal/fault"
	"huiyin/internal/notice"
	"huiyin/internal/people"
)

// courier carries deliveries to their platforms. It is told of one by its id, once or more often, and finds out from the delivery what
// is left to do; the queue that tells it is not its business.
type courier struct {
	Options
	paces  *paces
	behind behind
	chance func() float64 // between 0 and 1
}

// behind puts further work behind the present one.
type behind interface {
	// redraw has messages that are out drawn again, by the ids of their deliveries.
	redraw(ctx context.Context, orgID uuid.UUID, ids []uuid.UUID) error
	// claim has accounts asked whose they are. Asking for a claim again does nothing.
	claim(ctx context.Context, claims []notice.Notice) error
	// release looks again, in a while, whether what is held for a person can go.
	release(ctx context.Context, orgID, person uuid.UUID) error
}

func newCourier(o Options, b behind) *courier {
	return &courier{Options: o, paces: newPaces(o.Pacer, o.Now, o.Workers), behind: b, chance: rand.Float64}
}

// deliver makes one try at a delivery, the try-th that counts. It returns nil when nothing is left to do, a *later to be called again
// then, and anything else for a try that went wrong.
func (c *courier) deliver(ctx context.Context, orgID, id uuid.UUID, try int) error {
	d, err := c.Deliveries.Delivery(ctx, orgID, id)
	if fault.Is(err, fault.NotFound) {
		return nil // purged
	}
	if err != nil {
		return c.storeAway(ctx, err)
	}
	return c.carry(ctx, d, try)
}

// claim is deliver for a notice that has no delivery until it is first tried.
func (c *courier) claim(ctx context.Context, n notice.Notice, try int) error {
	d, err := c.Deliveries.Delivery(ctx, n.OrgID, n.ID)
	if fault.Is(err, fault.NotFound) {
		d, err = notice.Delivery{Notice: n, State: notice.Waiting}, nil
	}
	if err != nil {
		return c.storeAway(ctx, err)
	}
	return c.carry(ctx, d, try)
}

func (c *courier) carry(ctx context.Context, d notice.Delivery, try int) error {
	if d.Leader != uuid.Nil && d.Leader != d.ID { // another message has it in it
		return nil
	}
	switch d.State {
	case notice.Waiting, notice.Sending:
	case notice.Sent: // the run that sent it did not end: whether the message is still true was not looked at
		return c.redrawLater(ctx, d)
	default:
		return nil
	}
	if try > notice.MaxAttempts { // the runs before did not live to say what went wrong
		return c.bury(ctx, &d, cmp.Or(d.Fault, "internal"), "internal")
	}
	var sent card.Card
	err := guard(ctx, c.Log, func() error {
		what, err := c.attempt(ctx, &d)
		sent = what
		return err
	})
	var put *later
	switch {
	case errors.As(err, &put):
		c.Observer.Snoozed(d.Kind, d.Platform, put.reason)
		return put
	case err != nil:
		return c.wrong(ctx, &d, try, err)
	case d.State == notice.Sent && d.RefID != "":
		return c.stillTrue(ctx, d, sent)
	}
	return nil
}

// wrong remembers a try that went wrong of its own doing. One that is found to be in the midst of sending stays so, and is looked for
// before the next.
func (c *courier) wrong(ctx context.Context, d *notice.Delivery, try int, err error) error {
	if d.State == notice.Sent {
		return nil
	}
	c.Log.WarnContext(ctx, "delivery went wrong", "kind", string(d.Kind), "delivery", d.ID, "attempt", try, "err", err)
	if try >= notice.MaxAttempts {
		return c.bury(ctx, d, nameOf(err), kindOf(err))
	}
	d.Fault = nameOf(err)
	if put := c.note(ctx, d); put != nil {
		return put
	}
	c.Observer.Retried(d.Kind, d.Platform, kindOf(err))
	return errors.New(nameOf(err))
}

// attempt does what is to be done about a delivery and leaves it in the state that it has then. It returns the card that was sent, if that is
// certainly what arrived.
func (c *courier) attempt(ctx context.Context, d *notice.Delivery) (card.Card, error) {
	class, known := notice.Kinds()[d.Kind]
	if !known { // a later release wrote it, and one of its processes will take it
		return card.Card{}, fmt.Errorf("deliver a notice of unknown kind %q", d.Kind)
	}
	if class == notice.Refresh {
		return card.Card{}, c.refresh(ctx, d)
	}
	again := d.State == notice.Sending
	if again {
		if done, err := c.reconcile(ctx, d, class); done || err != nil {
			return card.Card{}, err
		}
	}
	way, err := c.wayOf(ctx, d, class)
	if err != nil || way == nil {
		return card.Card{}, err
	}
	leave, ok := c.paces.enter(ctx, way.name)
	if !ok {
		return card.Card{}, &later{spread(time.Second, 5*c.chance()), becauseBusy}
	}
	defer leave()
	together, err := c.gather(ctx, d, way.gather)
	if err != nil {
		return card.Card{}, err
	}
	if err := c.turns(ctx, d.OrgID, *way, class); err != nil {
		return card.Card{}, err
	}
	what, ok, err := c.write(ctx, d.Notice, together)
	if late := c.lateness(ctx); late != nil { // whatever it returned: it took too long, and somebody else may be at it by now
		return card.Card{}, late
	}
	if fault.Is(err, fault.NotFound) {
		ok, err = false, nil
	}
	if err != nil {
		return card.Card{}, fmt.Errorf("write a notice: %w", err)
	}
	if !ok {
		return card.Card{}, c.end(ctx, d, notice.Skipped, "")
	}
	if again && way.platform.Abilities().Idempotent { // which keeps the card that it got at first
		return card.Card{}, c.send(ctx, d, *way, what)
	}
	return what, c.send(ctx, d, *way, what)
}

// lateness is why a run must not go on to send.
func (c *courier) lateness(ctx context.Context) error {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return ctx.Err()
	case ctx.Err() != nil:
		return &later{0, becauseStopping}
	}
	return nil
}

// way is where a delivery goes.
type way struct {
	name     string // of the platform
	platform bot.Platform
	address  bot.Address
	gather   *gathering // nil: it goes alone
}

func (w way) place() string { return cmp.Or(w.address.Channel, w.address.User) }

// wayOf finds where a delivery goes. Without one it returns nil and has left the delivery in its state.
func (c *courier) wayOf(ctx context.Context, d *notice.Delivery, class notice.Class) (*way, error) {
	if d.To == uuid.Nil {
		name, channel := d.Place()
		if platform := c.Platforms[name]; platform != nil && channel != "" {
			return &way{name: name, platform: platform, address: bot.Address{Channel: channel}}, nil
		}
		return nil, c.bury(ctx, d, "not_found: platform", "not_found")
	}
	dir, err := c.Directories.Get(ctx, d.OrgID)
	if err != nil {
		return nil, c.storeAway(ctx, err)
	}
	person, ok := dir.Person(d.To)
	if !ok || !person.Active {
		return nil, c.end(ctx, d, notice.Skipped, "not_found: person")
	}
	if class == notice.Nudge {
		now := c.Now()
		if allowed := NextAllowed(now, person.Settings, dir.Location(person)); allowed.After(now) {
			// Within an hour they may have chosen otherwise.
			return nil, &later{min(allowed.Sub(now), time.Hour), becauseQuiet}
		}
	}
	account, ok := c.account(dir, d)
	switch {
	case ok:
		w := &way{name: account.Platform, platform: c.Platforms[account.Platform], address: bot.Address{User: account.ExternalID}}
		if class == notice.Nudge {
			if w.gather, err = c.gatheringOf(d, person, w.name, dir.Location(person)); err != nil {
				return nil, err
			}
		}
		return w, nil
	case d.Kind == notice.AccountClaim, class == notice.Nudge: // it was answered, or there is nobody to ask; and nobody wants old reminders
		return nil, c.end(ctx, d, notice.Skipped, "")
	}
	return nil, c.hold(ctx, d, dir)
}

// account chooses where to write to a person: where they wish, else where they were seen last, else wherever they can be reached.
func (c *courier) account(dir *people.Directory, d *notice.Delivery) (people.Identity, bool) {
	if d.Kind == notice.AccountClaim {
		return claimed(d.Notice, proposedTo(dir, d.To, c.connected))
	}
	var prefer []string
	if d.State == notice.Sending { // it may have arrived: where it went, a second one can be told from the first
		prefer = append(prefer, d.Platform)
	}
	person, _ := dir.Person(d.To)
	return accountOf(dir, d.To, c.connected, append(prefer, person.Settings.Platform, dir.LastUsed(d.To))...)
}

func (c *courier) connected(platform string) bool { return c.Platforms[platform] != nil }

// hold keeps a delivery until the person has a confirmed account, and asks the accounts that may be theirs.
func (c *courier) hold(ctx context.Context, d *notice.Delivery, dir *people.Directory) error {
	var claims []notice.Notice
	for _, i := range proposedTo(dir, d.To, c.connected) {
		claims = append(claims, claimOf(i, d.Notice))
	}
	d.TriedAt = time.Time{} // it begins anew when it is released
	// Held first: whoever answers the question at once releases this one as well.
	if err := c.end(ctx, d, notice.Held, ""); err != nil {
		return err
	}
	if err := c.behind.claim(ctx, claims); err != nil {
		return c.storeAway(ctx, err)
	}
	// They may be confirming an earlier question right now, and release what is held a moment before this one is.
	if err := c.behind.release(ctx, d.OrgID, d.To); err != nil {
		return c.storeAway(ctx, err)
	}
	return nil
}

// release puts what is held for a person back into the outbox if they have an account now.
func (c *courier) release(ctx context.Context, orgID, person uuid.UUID) error {
	dir, err := c.Directories.Get(ctx, orgID)
	if err != nil {
		return c.storeAway(ctx, err)
	}
	if _, ok := accountOf(dir, person, c.connected); !ok {
		return nil
	}
	if _, err := c.Deliveries.Release(ctx, orgID, person, c.Now()); err != nil {
		return c.storeAway(ctx, err)
	}
	return nil
}

// turns waits for the turn of a new message, in its conversation and in its workspace.
func (c *courier) turns(ctx context.Context, orgID uuid.UUID, w way, class notice.Class) error {
	limits, until := c.Limits[w.name], c.Now().Add(brief)
	if err := c.turn(ctx, orgID, w.name+"/"+w.place(), limits.Place, class, until); err != nil {
		return err
	}
	return c.turn(ctx, orgID, w.name, limits.Workspace, class, until)
}

func (c *courier) turn(ctx context.Context, orgID uuid.UUID, key string, rate notice.Rate, class notice.Class, until time.Time) error {
	wait, err := c.paces.turn(ctx, orgID, key, rate, class, until)
	if err != nil {
		return c.lateness(ctx)
	}
	if wait > 0 {
		return &later{wait, becausePaced}
	}
	return nil
}

// end leaves a delivery in a state in which nothing more happens to it.
func (c *courier) end(ctx context.Context, d *notice.Delivery, state notice.State, why string) error {
	d.State, d.Fault = state, why
	return c.save(ctx, d)
}

// bury gives a delivery up.
func (c *courier) bury(ctx context.Context, d *notice.Delivery, why, reason string) error {
	if err := c.end(ctx, d, notice.Dead, why); err != nil {
		return err
	}
	c.Log.ErrorContext(ctx, "delivery given up", "kind", string(d.Kind), "delivery", d.ID, "platform", d.Platform, "fault", why)
	c.Observer.Dead(d.Kind, d.Platform, reason)
	return nil
}

// save writes a delivery down, even when its time is over: an outcome that is forgotten has to be found out again.
func (c *courier) save(ctx context.Context, d *notice.Delivery) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saving)
	defer cancel()
	var err error
	for _, pause := range []time.Duration{100 * time.Millisecond, 400 * time.Millisecond, 0} {
		if err = c.Deliveries.SaveDelivery(ctx, *d); err == nil {
			return nil
		}
		if pause == 0 {
			break
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
	return c.storeAway(ctx, err)
}

// note writes down what is good to know and no more. A run whose time is over keeps it to itself: another may be at it by now.
func (c *courier) note(ctx context.Context, d *notice.Delivery) error {
	select {
	case <-ctx.Done():
		return nil
	default:
		return c.save(ctx, d)
	}
}

// saving is how long writing down an outcome may take, beyond the time of the job.
const saving = 4 * time.Second

// storeAway puts off what cannot be done while our own storage is away.
func (c *courier) storeAway(ctx context.Context, err error) error {
	if fault.Is(err, fault.Unavailable) || ctx.Err() != nil {
		return &later{spread(c.ReconcileAfter, c.chance()), becauseStore}
	}
	return err
}
