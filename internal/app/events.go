package app

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sarraf-platform/sarraf/internal/db"
)

const (
	// deliveryInterval is how often messages that are due are looked for.
	deliveryInterval = time.Second
	// relayRest leaves three quarters of the time to payments while events of a tenant are
	// given on. On PostgreSQL these wait for no relay.
	relayRest = 3
)

// eventWorker is what works off what waits to be told.
type eventWorker interface {
	Start(ctx context.Context) (started int, err error)
	Wait()
	Depth(ctx context.Context) (n int, age time.Duration, err error)
}

// startEvents delivers events. A receiver that takes its time holds up nothing
// else: the workers do each lane by itself.
func (p *Platform) startEvents() {
	ctx, cancel := context.WithCancel(context.Background())
	relay := p.Webhooks.Relay()
	if p.DB.Engine() == db.SQLite {
		relay.Rest = relayRest
	}
	workers := map[string]eventWorker{"event": relay}
	for _, w := range append(p.Notices.Workers(), p.Webhooks.Worker()) {
		workers[w.Topic] = w
	}
	var running sync.WaitGroup
	for topic, w := range workers {
		p.Metrics.observeOutbox(topic, w)
		running.Go(func() {
			p.repeat(ctx, job{"deliver " + topic + " messages", deliveryInterval, func(ctx context.Context) (int, error) {
				_, err := w.Start(ctx)
				return 0, err
			}})
			w.Wait()
		})
	}
	p.parts = append(p.parts, part{"events", func(stop context.Context) error {
		cancel()
		return waitFor(stop, &running)
	}})
}

// observeOutbox shows how many messages of a topic wait, and for how long the
// oldest has. It asks the database when it is asked.
func (m *Metrics) observeOutbox(topic string, w eventWorker) {
	m.Registry.MustRegister(&outboxCollector{
		worker: w,
		depth: prometheus.NewDesc("sarraf_outbox_waiting", "Messages of the outbox that wait.", nil,
			prometheus.Labels{"topic": topic}),
		age: prometheus.NewDesc("sarraf_outbox_oldest_seconds", "Age of the oldest message that waits.", nil,
			prometheus.Labels{"topic": topic}),
	})
}

type outboxCollector struct {
	worker     eventWorker
	depth, age *prometheus.Desc
}

// Describe implements [prometheus.Collector].
func (c *outboxCollector) Describe(out chan<- *prometheus.Desc) { out <- c.depth; out <- c.age }

// Collect implements [prometheus.Collector].
func (c *outboxCollector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	n, age, err := c.worker.Depth(ctx)
	if err != nil {
		return // the database is what /readyz tells of
	}
	out <- prometheus.MustNewConstMetric(c.depth, prometheus.GaugeValue, float64(n))
	out <- prometheus.MustNewConstMetric(c.age, prometheus.GaugeValue, age.Seconds())
}
