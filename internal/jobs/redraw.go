package jobs

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/google/uuid"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/internal/fault"
	"huiyin/internal/notice"
)

// refresh has every message about a subject drawn again, each as a job of its own.
func (c *courier) refresh(ctx context.Context, d *notice.Delivery) error {
	about, err := c.Deliveries.SentAbout(ctx, d.OrgID, d.Subject)
	if err != nil {
		return c.storeAway(ctx, err)
	}
	var ids []uuid.UUID
	for _, s := range about {
		if s.Due.Before(d.Due) && (d.To == uuid.Nil || s.To == d.To) { // what was written together with the change says it already
			ids = append(ids, s.ID)
		}
	}
	if err := c.behind.redraw(ctx, d.OrgID, ids); err != nil {
		return c.storeAway(ctx, err)
	}
	d.SentAt = c.Now()
	return c.end(ctx, d, notice.Sent, "")
}

// redrawLater has one message drawn again.
func (c *courier) redrawLater(ctx context.Context, d notice.Delivery) error {
	if platform := c.Platforms[d.Platform]; d.RefID == "" || platform == nil || !platform.Abilities().Update {
		return nil
	}
	if err := c.behind.redraw(ctx, d.OrgID, []uuid.UUID{d.ID}); err != nil {
		return c.storeAway(ctx, err)
	}
	return nil
}

// redraw makes a message say what is true now, for its own reader. born is when that was asked for. A message whose notice has nothing
// to say stays as it is.
func (c *courier) redraw(ctx context.Context, orgID, id uuid.UUID, born time.Time, try int) error {
	d, err := c.Deliveries.Delivery(ctx, orgID, id)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return c.storeAway(ctx, err)
	}
	platform := c.Platforms[d.Platform]
	if d.State != notice.Sent || d.RefID == "" || platform == nil || !platform.Abilities().Update {
		return nil
	}
	leave, ok := c.paces.enter(ctx, d.Platform)
	if !ok {
		return &later{spread(time.Second, 5*c.chance()), becauseBusy}
	}
	defer leave()
	err = c.repaint(ctx, d, platform)
	var put *later
	switch {
	case err == nil:
		return nil
	case errors.As(err, &put):
		if c.Now().Sub(born) >= patience {
			return nil
		}
		return put
	}
	c.Log.WarnContext(ctx, "redrawing a message went wrong", "kind", string(d.Kind), "delivery", d.ID, "platform", d.Platform, "err", err)
	if try >= notice.MaxAttempts {
		return nil
	}
	return errors.New(nameOf(err))
}

// rounds bounds how often one run draws a message that keeps changing.
const rounds = 3

// repaint draws and updates until what it drew last is what is out there: of two runs about the same message, the one that ends last
// has seen both changes, however their updates crossed.
func (c *courier) repaint(ctx context.Context, d notice.Delivery, platform bot.Platform) error {
	var out card.Card
	until := c.Now().Add(brief)
	for range rounds {
		if err := c.turn(ctx, d.OrgID, d.Platform+"/update", c.Limits[d.Platform].Update, notice.Refresh, until); err != nil {
			return err
		}
		is, err := c.draw(ctx, d)
		if late := c.lateness(ctx); late != nil {
			return late
		}
		if err != nil {
			return fmt.Errorf("write a notice: %w", err)
		}
		if is.Title == "" || reflect.DeepEqual(is, out) {
			return nil
		}
		if err := platform.Update(ctx, bot.Ref{Channel: d.RefChannel, ID: d.RefID}, is); err != nil {
			return c.notUpdated(ctx, d, err)
		}
		out = is
	}
	return &later{c.ReconcileAfter, becauseBusy}
}

// notUpdated decides about an update that failed. Repeating one does no harm.
func (c *courier) notUpdated(ctx context.Context, d notice.Delivery, err error) error {
	switch read(ctx, err) {
	case refused:
		f, _ := fault.Of(err)
		if f.RetryAfter > 0 {
			c.paces.pause(ctx, d.OrgID, d.Platform+"/update", f.RetryAfter)
			return &later{f.RetryAfter, becauseLimited}
		}
		return &later{spread(c.ReconcileAfter, c.chance()), becauseUnavailable}
	case unknown:
		return &later{spread(c.ReconcileAfter, c.chance()), becauseUnknown}
	case stopping:
		return &later{0, becauseStopping}
	case final: // the message is gone, or may not be changed any more
		c.Log.InfoContext(ctx, "message cannot be redrawn", "kind", string(d.Kind), "delivery", d.ID, "platform", d.Platform, "err", err)
		return nil
	case arrived, untold:
	}
	return fmt.Errorf("update on %s: %w", d.Platform, err)
}

// draw is what a message should look like now; a card without a title means that it should stay as it is.
func (c *courier) draw(ctx context.Context, d notice.Delivery) (card.Card, error) {
	var is card.Card
	err := guard(ctx, c.Log, func() error {
		drawn, _, err := c.rewrite(ctx, d)
		is = drawn
		return err
	})
	if fault.Is(err, fault.NotFound) {
		return card.Card{}, nil
	}
	return is, err
}
