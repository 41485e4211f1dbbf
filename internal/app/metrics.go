package app

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/network"
)

// Metrics is what the platform measures of itself. It is safe for concurrent use.
type Metrics struct {
	Registry *prometheus.Registry // all of it, and that of the process: what /metrics serves
	stages   [authorization.StageCount]prometheus.Observer
	decided  *prometheus.CounterVec
	groups   prometheus.Histogram
	commits  prometheus.Histogram
	answers  *prometheus.HistogramVec
	links    prometheus.Gauge
	shed     *prometheus.CounterVec
}

// stageBuckets go from 1 µs to 9.6 s, each 1.5 times the one before: most stages
// take far less than a millisecond.
var stageBuckets = prometheus.ExponentialBuckets(0.000001, 1.5, 40)

var (
	_ authorization.Observer = (*Metrics)(nil)
	_ network.Observer       = (*Metrics)(nil)
)

// NewMetrics has measured nothing yet. Nobody else has its registry.
func NewMetrics() *Metrics {
	stages := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "sarraf_authorization_stage_seconds", Help: "Time a request was in one stage of an authorization, if it passed it.",
		Buckets: stageBuckets,
	}, []string{"stage"})
	m := &Metrics{
		Registry: prometheus.NewRegistry(),
		decided: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sarraf_authorizations_total", Help: "Messages answered, by flow and outcome.",
		}, []string{"flow", "outcome"}),
		groups: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "sarraf_authorization_group_size", Help: "Requests that shared one commit.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 9), // 1 to 256
		}),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "sarraf_authorization_group_seconds", Help: "Time the commit of one group took.", Buckets: stageBuckets,
		}),
		answers: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "sarraf_network_message_seconds", Help: "Time from the receipt of a message to its answer.",
			Buckets: prometheus.ExponentialBuckets(0.00005, 2, 16),
		}, []string{"mti", "code"}),
		links: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "sarraf_network_connections", Help: "Connections of ISO 8583 links.",
		}),
		shed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sarraf_network_shed_total", Help: "Messages refused since there was too much to do, by kind and why.",
		}, []string{"message", "why"}),
	}
	for s := range authorization.StageCount {
		m.stages[s] = stages.WithLabelValues(s.String())
	}
	m.Registry.MustRegister(
		stages, m.decided, m.groups, m.commits, m.answers, m.links, m.shed,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// Stages measures the stages that one request has passed.
func (m *Metrics) Stages(t *authorization.Times) {
	for s, took := range t {
		if took > 0 {
			m.stages[s].Observe(took.Seconds())
		}
	}
}

// Packed measures the stage that comes after those.
func (m *Metrics) Packed(took time.Duration) {
	m.stages[authorization.StagePack].Observe(took.Seconds())
}

// Decided counts an answer.
func (m *Metrics) Decided(flow authorization.Flow, o authorization.Outcome) {
	m.decided.WithLabelValues(string(flow), string(o)).Inc()
}

// Group measures a commit.
func (m *Metrics) Group(size int, took clock.Stopwatch) {
	m.groups.Observe(float64(size))
	m.commits.Observe(took.Elapsed().Seconds())
}

// Connections shows how many connections there are.
func (m *Metrics) Connections(n int) { m.links.Set(float64(n)) }

// Answered measures one message. Types and codes come from tables, so that a
// peer cannot make up labels without end.
func (m *Metrics) Answered(mti, responseCode string, took clock.Stopwatch) {
	m.answers.WithLabelValues(mti, responseCode).Observe(took.Elapsed().Seconds())
}

// Shed counts a message that was refused at once.
func (m *Metrics) Shed(message, why string) { m.shed.WithLabelValues(message, why).Inc() }
