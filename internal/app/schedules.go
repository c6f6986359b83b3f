package app

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"huiyin/bot"
	"huiyin/feedback"
	"huiyin/internal/jobs"
	"huiyin/internal/notice"
	"huiyin/internal/people"
)

// schedule is one row of recurring work: what runs when, in the firm's zone. Of all processes one runs each occurrence.
type schedule struct {
	name, rule string
	task       jobs.Task
}

func (a *App) schedules() []schedule {
	out := []schedule{{"audit.head", "5 0 * * *", a.logAuditHead}}
	for platform, listed := range a.accounts {
		out = append(out, schedule{"accounts." + platform, "17 */6 * * *", listed.ask})
	}
	return out
}

// logAuditHead writes the head of the audit log into the log of the process, which is kept elsewhere: given to "huiyin audit log --anchor" it
// shows when entries were cut off the end, or all were written anew (R20).
func (a *App) logAuditHead(ctx context.Context, orgID uuid.UUID, _ time.Time) error {
	head, err := a.background.Audit.Head(ctx, orgID)
	if err != nil {
		return err
	}
	if head.Seq > 0 {
		a.log.InfoContext(ctx, "audit head", "org", orgID, "head", fmt.Sprintf("%d:%x", head.Seq, head.Hash))
	}
	return nil
}

// limits are how fast the platforms may be used.
func limits(platforms map[string]bot.Platform) map[string]jobs.Limits {
	out := map[string]jobs.Limits{}
	for name, p := range platforms {
		at := p.Abilities().Paces
		out[name] = jobs.Limits{
			Place: notice.Rate(at.Place), Workspace: notice.Rate(at.Workspace), Update: notice.Rate(at.Update), Find: notice.Rate(at.Find), Together: at.Together,
		}
	}
	return out
}

// plan makes the runner of deliveries and of recurring work, and sees that every schedule is written down.
func (a *App) plan(ctx context.Context, writer jobs.Writer, oneClock bool) error {
	tasks := map[string]jobs.Task{}
	for _, s := range a.schedules() {
		next, err := jobs.Next(s.rule, a.org.TimeZone, a.now())
		if err != nil {
			return err
		}
		if err := a.db.Schedules.EnsureSchedule(ctx, a.org.ID, s.name, s.rule, a.org.TimeZone, next); err != nil {
			return err
		}
		tasks[s.name] = s.task
	}
	service := &feedback.Service{Store: a.background.Feedback, NewID: newID}
	var err error
	a.jobs, err = jobs.New(jobs.Options{
		Pool: a.background.Pool(), Deliveries: a.background.Deliveries, Directories: a.cache, Writer: writer, Platforms: a.platforms(), Log: a.log, Now: a.now,
		Wake: a.db.Woken(), Limits: limits(a.platforms()), Pacer: a.redis.Pacer, Observer: a.metrics, Weekly: a.quota.Weekly, Schedules: a.background.Schedules, Tasks: tasks,
		EveryMinute: []func(context.Context, time.Time) error{service.FollowUp, a.releaseHeld}, OneClock: oneClock,
	})
	return err
}

// releaseHeld sends what was held for people who have an account by now, however they came to it.
func (a *App) releaseHeld(ctx context.Context, now time.Time) error {
	_, err := a.background.Deliveries.ReleaseKnown(ctx, now, people.Confirmed)
	return err
}
