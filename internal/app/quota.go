package app

import (
	"fmt"
	"net/http"
	"time"

	"huiyin/bot/dingtalk"
	"huiyin/bot/feishu"
	"huiyin/internal/config"
	"huiyin/internal/jobs"
	"huiyin/internal/obs"
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

// count makes the counter of the platforms' calls. A month is that of the firm's zone.
func (a *App) count() error {
	zone, err := time.LoadLocation(a.org.TimeZone)
	if err != nil {
		return fmt.Errorf("loading the firm's time zone: %w", err)
	}
	a.quota = jobs.NewQuota(jobs.QuotaOptions{
		Store: a.db.Quotas, OrgID: a.org.ID, Limits: monthlyCalls(a.cfg), Zone: zone, Now: a.now, Log: a.log,
	})
	a.metrics.WatchCalls(func() map[string]obs.Calls {
		out := map[string]obs.Calls{}
		for platform, s := range a.quota.Standings() {
			out[platform] = obs.Calls{Used: s.Used, Limit: s.Limit}
		}
		return out
	})
	return nil
}

// counted is a client whose requests count against what the platform allows a month. A nil quota counts nothing.
func counted(quota *jobs.Quota, platform string, c *http.Client) *http.Client {
	if quota != nil {
		c.Transport = quota.Transport(platform, c.Transport)
	}
	return c
}
