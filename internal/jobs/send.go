package jobs

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/google/uuid"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/internal/fault"
	"huiyin/internal/notice"
)

// send sends, with the intention written down before and the outcome after.
func (c *courier) send(ctx context.Context, d *notice.Delivery, w way, what card.Card) error {
	d.State, d.Platform, d.Address, d.Fault = notice.Sending, w.name, w.place(), ""
	if d.TriedAt.IsZero() {
		d.TriedAt = c.Now()
	}
	d.Attempts++
	if err := c.Deliveries.SaveDelivery(ctx, *d); err != nil {
		return c.storeAway(ctx, err)
	}
	ref, err := w.platform.Send(ctx, bot.Message{To: w.address, Card: what, Delivery: d.ID.String(), Since: d.TriedAt})
	switch read(ctx, err) {
	case arrived:
		return c.sent(ctx, d, ref)
	case unknown:
		d.Fault = nameOf(err)
		if d.Fault != becauseUnknown {
			d.Fault = becauseUnknown + " (" + d.Fault + ")"
		}
		return c.outage(ctx, d, becauseUnknown, 0)
	case refused:
		d.State, d.Fault = notice.Waiting, nameOf(err)
		f, _ := fault.Of(err)
		if f.RetryAfter > 0 {
			d.Attempts--
			c.close(ctx, d.OrgID, w, f.RetryAfter)
			return c.outage(ctx, d, becauseLimited, f.RetryAfter)
		}
		return c.outage(ctx, d, becauseUnavailable, 0)
	case final:
		c.Log.WarnContext(ctx, "delivery refused for good", "kind", string(d.Kind), "delivery", d.ID, "platform", w.name, "err", err)
		return c.bury(ctx, d, nameOf(err), kindOf(err))
	case stopping:
		return &later{c.ReconcileAfter, becauseStopping}
	case untold:
	}
	return fmt.Errorf("send to %s: %w", w.name, err)
}

// close keeps everybody from sending where the platform said to wait.
func (c *courier) close(ctx context.Context, orgID uuid.UUID, w way, lasts time.Duration) {
	c.paces.pause(ctx, orgID, w.name+"/"+w.place(), lasts)
	if c.Limits[w.name].Together {
		c.paces.pause(ctx, orgID, w.name, lasts)
	}
}

// outage puts a delivery off because its platform is away or told us to wait, up to a day after it was first tried. What may have
// arrived is not touched before the platform had the time to make up its mind.
func (c *courier) outage(ctx context.Context, d *notice.Delivery, reason string, wait time.Duration) error {
	away := c.Now().Sub(d.TriedAt)
	if away >= patience {
		return c.bury(ctx, d, d.Fault, reason)
	}
	if wait == 0 {
		wait = outagePause(away, c.chance())
	}
	if d.State == notice.Sending {
		wait = max(wait, c.ReconcileAfter)
	}
	if err := c.note(ctx, d); err != nil {
		return err
	}
	return &later{wait, reason}
}

// reconcile finds out what became of an attempt that may have arrived. done says that nothing is left to do; otherwise it may be sent
// again.
func (c *courier) reconcile(ctx context.Context, d *notice.Delivery, class notice.Class) (done bool, err error) {
	platform := c.Platforms[d.Platform]
	if platform == nil {
		return c.blind(ctx, d, class)
	}
	if soon := c.ReconcileAfter - c.Now().Sub(d.TriedAt); soon > 0 {
		return false, &later{soon, becauseUnknown}
	}
	if platform.Abilities().Idempotent && c.Now().Sub(d.TriedAt) < idempotentFor {
		return false, nil
	}
	finder, can := platform.(bot.Finder)
	if !can {
		return c.blind(ctx, d, class)
	}
	if err := c.turn(ctx, d.OrgID, d.Platform+"/find", c.Limits[d.Platform].Find, class, c.Now().Add(brief)); err != nil {
		return false, err
	}
	address := bot.Address{User: d.Address}
	if d.To == uuid.Nil {
		address = bot.Address{Channel: d.Address}
	}
	ref, found, err := finder.Find(ctx, bot.Message{To: address, Delivery: d.ID.String(), Since: d.TriedAt})
	switch what := read(ctx, err); {
	case what == final:
		c.Log.WarnContext(ctx, "messages cannot be looked for", "platform", d.Platform, "err", err)
		return c.blind(ctx, d, class)
	case what == refused:
		var wait time.Duration
		if f, _ := fault.Of(err); f.RetryAfter > 0 {
			wait = f.RetryAfter
			c.paces.pause(ctx, d.OrgID, d.Platform+"/find", wait)
		}
		return false, c.outage(ctx, d, becauseUnknown, wait)
	case what == stopping:
		return false, &later{0, becauseStopping}
	case what == unknown:
		return false, c.outage(ctx, d, becauseUnknown, 0)
	case err != nil:
		return false, fmt.Errorf("look for a message on %s: %w", d.Platform, err)
	case found:
		return true, c.sent(ctx, d, ref)
	}
	return false, nil
}

// blind decides about an attempt that may have arrived and cannot be looked for: what somebody waits for is sent again, the rest is not.
func (c *courier) blind(ctx context.Context, d *notice.Delivery, class notice.Class) (done bool, err error) {
	if class == notice.Receipt {
		return false, nil
	}
	return true, c.end(ctx, d, notice.Skipped, becauseUnknown)
}

// sent remembers that a message arrived.
func (c *courier) sent(ctx context.Context, d *notice.Delivery, ref bot.Ref) error {
	d.State, d.RefChannel, d.RefID, d.SentAt, d.Fault = notice.Sent, ref.Channel, ref.ID, c.Now(), ""
	if err := c.save(ctx, d); err != nil {
		d.State = notice.Sending // which is what is written down
		return err
	}
	c.Observer.Sent(d.Kind, d.Platform, d.SentAt.Sub(d.Due))
	return nil
}

// stillTrue looks whether what a message says changed while it was on its way; whoever changed it did not know of the message.
func (c *courier) stillTrue(ctx context.Context, d notice.Delivery, sent card.Card) error {
	if sent.Title != "" {
		now, err := c.draw(ctx, d)
		if err == nil && (now.Title == "" || reflect.DeepEqual(now, sent)) {
			return nil
		}
	}
	return c.redrawLater(ctx, d)
}
