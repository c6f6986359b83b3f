package app

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"huiyin/bot/dingtalk"
	"huiyin/bot/feishu"
	"huiyin/internal/config"
	"huiyin/internal/jobs"
	"huiyin/internal/obs"
	"huiyin/internal/people"
	"huiyin/storage/postgres"
)

// monthlyCalls are how many calls of their API the platforms allow a month; 0: as many as one likes. Those of a platform without a row are
// not counted.
func monthlyCalls(cfg config.Config) map[string]int64 {
	out := map[string]int64{}
	if cfg.Feishu.On() {
		out[feishu.Name] = cfg.Feishu.MonthlyCalls
	}
	if cfg.DingTalk.On() {
		out[dingtalk.Name] = cfg.DingTalk.MonthlyCalls
	}
	return out
}

// count makes the counter of the platforms' calls, and shows it in the metrics.
func (a *App) count() error {
	var err error
	if a.quota, err = newQuota(a.cfg, a.db, a.org, a.now, a.log); err != nil {
		return err
	}
	a.metrics.WatchCalls(func() map[string]obs.Calls {
		out := map[string]obs.Calls{}
		for platform, s := range a.quota.Standings() {
			out[platform] = obs.Calls{Used: s.Used, Limit: s.Limit}
		}
		return out
	})
	return nil
}

// newQuota is a counter that nobody writes down yet. A month is that of the firm's zone.
func newQuota(cfg config.Config, db *postgres.DB, org people.Org, now func() time.Time, log *slog.Logger) (*jobs.Quota, error) {
	zone, err := time.LoadLocation(org.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("loading the firm's time zone: %w", err)
	}
	return jobs.NewQuota(jobs.QuotaOptions{Store: db.Quotas, OrgID: org.ID, Limits: monthlyCalls(cfg), Zone: zone, Now: now, Log: log}), nil
}

// counter counts calls that an adapter says are to be counted, for one that also makes others. A nil quota counts nothing.
func counter(quota *jobs.Quota, platform string) func(ctx context.Context, calls int) {
	if quota == nil {
		return nil
	}
	return func(_ context.Context, calls int) {
		for range calls {
			quota.Count(platform)
		}
	}
}

// counted is a client whose requests count against what the platform allows a month. A nil quota counts nothing.
func counted(quota *jobs.Quota, platform string, c *http.Client) *http.Client {
	if quota != nil {
		c.Transport = quota.Transport(platform, c.Transport)
	}
	return c
}
