package app

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/network"
)

// metrics is what the platform measures of itself, served at /metrics.
type metrics struct {
	registry *prometheus.Registry
	stages   *prometheus.HistogramVec
	decided  *prometheus.CounterVec
	groups   prometheus.Histogram
	answers  *prometheus.HistogramVec
	links    prometheus.Gauge
}

var (
	_ authorization.Observer = (*metrics)(nil)
	_ network.Observer       = (*metrics)(nil)
)

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		stages: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "sarraf_authorization_stage_seconds", Help: "Time one stage of an authorization took.",
			Buckets: prometheus.ExponentialBuckets(0.00005, 2, 16), // 50 µs to 1.6 s
		}, []string{"stage"}),
		decided: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sarraf_authorizations_total", Help: "Messages answered, by flow and outcome.",
		}, []string{"flow", "outcome"}),
		groups: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "sarraf_authorization_group_size", Help: "Requests that shared one commit.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 9), // 1 to 256
		}),
		answers: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "sarraf_network_message_seconds", Help: "Time from the receipt of a message to its answer.",
			Buckets: prometheus.ExponentialBuckets(0.00005, 2, 16),
		}, []string{"mti", "code"}),
		links: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "sarraf_network_connections", Help: "Connections of ISO 8583 links.",
		}),
	}
	m.registry.MustRegister(
		m.stages, m.decided, m.groups, m.answers, m.links,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// Stage measures one stage of one request.
func (m *metrics) Stage(name string, took clock.Stopwatch) {
	m.stages.WithLabelValues(name).Observe(took.Elapsed().Seconds())
}

// Decided counts an answer.
func (m *metrics) Decided(flow authorization.Flow, o authorization.Outcome) {
	m.decided.WithLabelValues(string(flow), string(o)).Inc()
}

// Group measures a commit.
func (m *metrics) Group(size int) { m.groups.Observe(float64(size)) }

// Connections shows how many connections there are.
func (m *metrics) Connections(n int) { m.links.Set(float64(n)) }

// Answered measures one message. Types and codes come from tables, so that a
// peer cannot make up labels without end.
func (m *metrics) Answered(mti, responseCode string, took clock.Stopwatch) {
	m.answers.WithLabelValues(mti, responseCode).Observe(took.Elapsed().Seconds())
}
