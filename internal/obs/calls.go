package obs

import (
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// Calls are those of a platform's API in this month, of all processes as far as this one knows. Limit is 0 where there is none.
type Calls struct{ Used, Limit int64 }

// WatchCalls exports how many calls of each platform's API a month has, and how many it may have.
func (m *Metrics) WatchCalls(read func() map[string]Calls) {
	m.registry.MustRegister(gauges(func() []reading {
		var out []reading
		all := read()
		for _, platform := range slices.Sorted(maps.Keys(all)) {
			labels := prometheus.Labels{"platform": platform}
			out = append(out, reading{gauge("huiyin_platform_calls_month", "Calls of the platform's interfaces in this month.", labels), prometheus.GaugeValue, float64(all[platform].Used)})
			if limit := all[platform].Limit; limit > 0 {
				out = append(out, reading{gauge("huiyin_platform_calls_month_limit", "Calls that a month may have.", labels), prometheus.GaugeValue, float64(limit)})
			}
		}
		return out
	}))
}
