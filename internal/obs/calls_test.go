package obs

import (
	"strings"
	"testing"
)

func TestTheCallsOfAMonthAreExportedWithTheirLimit(t *testing.T) {
	m := NewMetrics()
	m.WatchCalls(func() map[string]Calls { return map[string]Calls{"dingtalk": {7000, 10000}, "feishu": {Used: 12}} })
	_, body := get(t, m.Handler(), "/metrics")
	for _, want := range []string{
		`huiyin_platform_calls_month{platform="dingtalk"} 7000`, `huiyin_platform_calls_month_limit{platform="dingtalk"} 10000`, `huiyin_platform_calls_month{platform="feishu"} 12`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the metrics do not have the line %s", want)
		}
	}
	if strings.Contains(body, `limit{platform="feishu"}`) {
		t.Error("a platform without a limit has one")
	}
}
