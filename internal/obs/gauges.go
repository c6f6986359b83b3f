package obs

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"huiyin/internal/notice"
)

// Pool is where a pool of connections stands.
type Pool struct {
	Total, Idle, Max int32
	Waits            int64 // how often somebody had to wait for a connection
	Waited           time.Duration
}

// WatchPool exports a pool under the name of what it connects to, such as postgres or redis.
func (m *Metrics) WatchPool(name string, read func() Pool) {
	labels := prometheus.Labels{"pool": name}
	m.registry.MustRegister(gauges(func() []reading {
		p := read()
		return []reading{
			{gauge("huiyin_pool_connections", "Open connections.", labels), prometheus.GaugeValue, float64(p.Total)},
			{gauge("huiyin_pool_idle_connections", "Connections that nobody uses.", labels), prometheus.GaugeValue, float64(p.Idle)},
			{gauge("huiyin_pool_max_connections", "The most connections that may be open.", labels), prometheus.GaugeValue, float64(p.Max)},
			{gauge("huiyin_pool_waits_total", "Times that a connection had to be waited for.", labels), prometheus.CounterValue, float64(p.Waits)},
			{gauge("huiyin_pool_wait_seconds_total", "Time spent on waiting for a connection.", labels), prometheus.CounterValue, p.Waited.Seconds()},
		}
	}))
}

// scrapeTimeout bounds what a scrape may ask the database: a slow database shall not take its metrics with it.
const scrapeTimeout = time.Second

// WatchDeliveries exports where the outbox stands; oldest is the lag of the relay and of the vendors together. Nothing is exported while the
// database is away, or ctx has ended.
func (m *Metrics) WatchDeliveries(ctx context.Context, read func(ctx context.Context) (notice.Stats, error)) {
	m.registry.MustRegister(gauges(func() []reading {
		ctx, cancel := context.WithTimeout(ctx, scrapeTimeout)
		defer cancel()
		s, err := read(ctx)
		if err != nil {
			return nil
		}
		state := func(name string, n int) reading {
			d := gauge("huiyin_outbox", "Messages by state.", prometheus.Labels{"state": name})
			return reading{d, prometheus.GaugeValue, float64(n)}
		}
		return []reading{
			state("waiting", s.Waiting), state("sending", s.Sending), state("held", s.Held), state("dead", s.Dead),
			{gauge("huiyin_outbox_oldest_seconds", "How long the message that is due longest has waited.", nil), prometheus.GaugeValue, s.Oldest.Seconds()},
		}
	}))
}

// gauges is a collector of values that are read when somebody asks.
type gauges func() []reading

type reading struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value float64
}

func gauge(name, help string, labels prometheus.Labels) *prometheus.Desc {
	return prometheus.NewDesc(name, help, nil, labels)
}

// Describe tells nothing beforehand: what there is may depend on what can be read.
func (g gauges) Describe(chan<- *prometheus.Desc) {}

// Collect reads the values.
func (g gauges) Collect(to chan<- prometheus.Metric) {
	for _, r := range g() {
		to <- prometheus.MustNewConstMetric(r.desc, r.kind, r.value)
	}
}
