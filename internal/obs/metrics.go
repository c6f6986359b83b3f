package obs

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"huiyin/bot"
	"huiyin/internal/fault"
	"huiyin/internal/notice"
)

// Metrics are the counters and histograms of one process. Labels are platforms, commands, kinds, routes and outcomes of ours, so there
// are few of them; never a person.
type Metrics struct {
	registry   *prometheus.Registry
	requests   *prometheus.HistogramVec
	acks       *prometheus.HistogramVec
	commands   *prometheus.CounterVec
	delivered  *prometheus.HistogramVec
	deliveries *prometheus.CounterVec
	panics     prometheus.Counter
}

// NewMetrics makes them, with those of the Go runtime and of the process.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "huiyin_http_request_seconds", Help: "Time to answer an HTTP request.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
		}, []string{"route", "code"}),
		acks: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "huiyin_ack_seconds", Help: "Time to handle an event of a platform; it waits for three seconds at most.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2, 2.5, 3},
		}, []string{"platform", "event", "outcome"}),
		commands: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "huiyin_commands_total", Help: "Commands by name; other: what is no command.",
		}, []string{"platform", "command", "outcome"}),
		delivered: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "huiyin_delivery_seconds", Help: "Time from when a message was due until it was delivered.",
			Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600},
		}, []string{"kind", "platform"}),
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "huiyin_deliveries_total", Help: "What became of tries to deliver: sent, retried, snoozed, dead.",
		}, []string{"kind", "platform", "outcome", "reason"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{Name: "huiyin_panics_total", Help: "Requests that ended in a panic."}),
	}
	m.registry.MustRegister(m.requests, m.acks, m.commands, m.delivered, m.deliveries, m.panics,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler serves the metrics to Prometheus.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// Receive measures how events are answered. command gives the name of the command that an event types, from the table of commands, or
// "other".
func (m *Metrics) Receive(next bot.Receive, command func(bot.Event) string, now func() time.Time) bot.Receive {
	return func(ctx context.Context, e bot.Event) (bot.Reply, error) {
		started := now()
		reply, err := next(ctx, e)
		outcome := outcomeOf(err)
		m.acks.WithLabelValues(e.Platform, eventKind(e), outcome).Observe(now().Sub(started).Seconds())
		if e.Command != nil {
			m.commands.WithLabelValues(e.Platform, command(e), outcome).Inc()
		}
		return reply, err
	}
}

func outcomeOf(err error) string {
	if err == nil {
		return "ok"
	}
	if f, ok := fault.Of(err); ok {
		return f.Kind.String()
	}
	return "internal"
}

func eventKind(e bot.Event) string {
	switch {
	case e.Command != nil:
		return "command"
	case e.Action != nil:
		return "action"
	case e.Form != nil:
		return "form"
	case e.Home != nil:
		return "home"
	}
	return "other"
}

// Sent counts one message delivered; latency is since it was due.
func (m *Metrics) Sent(kind notice.Kind, platform string, latency time.Duration) {
	m.delivered.WithLabelValues(string(kind), platform).Observe(latency.Seconds())
	m.deliveries.WithLabelValues(string(kind), platform, "sent", "").Inc()
}

// Retried counts one try that went wrong.
func (m *Metrics) Retried(kind notice.Kind, platform, reason string) {
	m.deliveries.WithLabelValues(string(kind), platform, "retried", reason).Inc()
}

// Snoozed counts one delivery put off without counting a try.
func (m *Metrics) Snoozed(kind notice.Kind, platform, reason string) {
	m.deliveries.WithLabelValues(string(kind), platform, "snoozed", reason).Inc()
}

// Dead counts one delivery given up.
func (m *Metrics) Dead(kind notice.Kind, platform, reason string) {
	m.deliveries.WithLabelValues(string(kind), platform, "dead", reason).Inc()
}
