package bench

import (
	"fmt"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/app"
	"github.com/sarraf-platform/sarraf/internal/authorization"
)

// stageTimes are the histograms of the stages, and of the group size, at one
// moment or between two.
type stageTimes map[string]histogram

// histogram is a Prometheus histogram taken apart. counts are cumulative.
type histogram struct {
	count  uint64
	sum    float64
	bounds []float64
	counts []uint64
}

// The names of histograms that are of no stage.
const (
	groupSizes   = "group size"
	groupCommits = "group commit"
)

func readStages(m *app.Metrics) (stageTimes, error) {
	families, err := m.Registry.Gather()
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	all := stageTimes{}
	for _, f := range families {
		switch f.GetName() {
		case "sarraf_authorization_stage_seconds":
			for _, metric := range f.GetMetric() {
				h := metric.GetHistogram()
				all[metric.GetLabel()[0].GetValue()] = takeApart(h, h.GetBucket())
			}
		case "sarraf_authorization_group_size":
			h := f.GetMetric()[0].GetHistogram()
			all[groupSizes] = takeApart(h, h.GetBucket())
		case "sarraf_authorization_group_seconds":
			h := f.GetMetric()[0].GetHistogram()
			all[groupCommits] = takeApart(h, h.GetBucket())
		}
	}
	return all, nil
}

// measured and bucket are what is read of Prometheus's types.
type measured interface {
	GetSampleCount() uint64
	GetSampleSum() float64
}

type bucket interface {
	GetUpperBound() float64
	GetCumulativeCount() uint64
}

func takeApart[B bucket](h measured, buckets []B) histogram {
	out := histogram{count: h.GetSampleCount(), sum: h.GetSampleSum()}
	for _, b := range buckets {
		out.bounds = append(out.bounds, b.GetUpperBound())
		out.counts = append(out.counts, b.GetCumulativeCount())
	}
	return out
}

// since is what happened after before.
func (s stageTimes) since(before stageTimes) stageTimes {
	out := stageTimes{}
	for name, h := range s {
		b := before[name]
		d := histogram{count: h.count - b.count, sum: h.sum - b.sum, bounds: h.bounds, counts: slices.Clone(h.counts)}
		for i := range b.counts {
			d.counts[i] -= b.counts[i]
		}
		out[name] = d
	}
	return out
}

func (h histogram) mean() float64 {
	if h.count == 0 {
		return 0
	}
	return h.sum / float64(h.count)
}

// quantile is where it lies in its bucket when those in it are spread evenly;
// above the last bucket, where that ends.
func (h histogram) quantile(q float64) float64 {
	want := max(1, q*float64(h.count))
	var from, before float64
	for i, n := range h.counts {
		if float64(n) >= want {
			return from + (h.bounds[i]-from)*(want-before)/(float64(n)-before)
		}
		from, before = h.bounds[i], float64(n)
	}
	return from
}

// row tells a histogram of seconds in milliseconds.
func (h histogram) row(name string) stageRow {
	return stageRow{Name: name, Mean: h.mean() * 1000, P50: h.quantile(0.5) * 1000, P99: h.quantile(0.99) * 1000}
}

func (s stageTimes) groupMean() float64 { return s[groupSizes].mean() }

// rows are the stages in the order in which a request goes through them.
func (s stageTimes) rows() []stageRow {
	var rows []stageRow
	for stage := range authorization.StageCount {
		if h := s[stage.String()]; h.count > 0 {
			rows = append(rows, h.row(stage.String()))
		}
	}
	return rows
}
