package bench

import (
	"fmt"
	"strings"
)

// measure is one row. Without a Value it was not measured.
type measure struct {
	Name    string   `json:"measure"`
	Value   *float64 `json:"value"`
	Unit    string   `json:"unit,omitempty"`
	Ratio   *float64 `json:"ratio"`
	Against string   `json:"against,omitempty"` // what the ratio is to
	Floor   *float64 `json:"floor"`             // of the ratio
	Aim     *float64 `json:"aim"`
	AtMost  bool     `json:"atMost,omitempty"`  // floor and aim are bounds from above
	OfValue bool     `json:"ofValue,omitempty"` // floor and aim are of the value, not of the ratio
	Note    string   `json:"note,omitempty"`
}

// verdict says how a row stands.
func (m measure) verdict() string {
	bounded := m.Ratio
	if m.OfValue {
		bounded = m.Value
	}
	switch {
	case m.Value == nil && m.Ratio == nil:
		return "not measured"
	case m.Floor == nil:
		return "stated"
	case bounded == nil:
		return "ratio not measured"
	}
	meets := func(bound float64) bool { return *bounded >= bound != m.AtMost || *bounded == bound }
	switch {
	case m.Aim != nil && meets(*m.Aim):
		return "aim met"
	case meets(*m.Floor):
		return "floor met"
	}
	return "below the floor"
}

// table are the rows that are measured, with what they are held to.
func table() []measure {
	all := []measure{{Name: "pgbench, TPC-B", Unit: "transactions/s"}}
	bounds := map[string][2]float64{"postgres": {4, 6}, "sqlite": {2.5, 3.5}}
	for _, engine := range []string{"postgres", "sqlite"} {
		on := " on " + engine
		all = append(
			all,
			measure{Name: "authorizations" + on, Unit: "/s", Against: "pgbench", Floor: some(bounds[engine][0]), Aim: some(bounds[engine][1])},
			measure{Name: "of the raw limit" + on, Unit: "/s of the raw program", Against: "the same rows", Floor: some(0.6), Aim: some(0.75)},
			measure{Name: "p99 at half the maximum" + on, Unit: "ms", Against: "median commit of a group", Floor: some(5), AtMost: true},
			measure{Name: "one hot card" + on, Unit: "/s", Against: "spread out", Floor: some(0.5)},
			measure{Name: "one hot merchant" + on, Unit: "/s", Against: "spread out", Floor: some(0.5)},
			measure{Name: "beside a client of 200 ms" + on, Unit: "/s", Against: "without that", Floor: some(0.9)},
			measure{Name: "overload: late or unanswered" + on, Unit: "requests", Against: "all", Floor: some(0), AtMost: true},
			measure{Name: "overload: recovery" + on, Unit: "s", OfValue: true, Floor: some(recoveryMax.Seconds()), AtMost: true},
			measure{Name: "overload: memory after" + on, Unit: "MB", Against: "after a first one", Floor: some(1.1), AtMost: true},
			measure{Name: "growth" + on, Unit: "/s", Against: "a small database", Floor: some(growthFloor)},
			measure{Name: "memory of serve after growth" + on, Unit: "MiB", OfValue: true, Floor: some(growthMemoryMax), AtMost: true},
			measure{Name: "start-up of serve after growth" + on, Unit: "s", OfValue: true, Floor: some(growthReadyMax.Seconds()), AtMost: true},
			measure{Name: "share of cryptography" + on, Against: "CPU of the process without the load", Floor: some(0.25), AtMost: true},
		)
	}
	return append(
		all,
		measure{Name: "two nodes on postgres", Unit: "/s", Against: "one node", Floor: some(1)},
		measure{Name: "pack against moov-io/iso8583", Unit: "ns", Against: "theirs", Floor: some(20)},
		measure{Name: "unpack against moov-io/iso8583", Unit: "ns", Against: "theirs", Floor: some(20)},
		measure{Name: "size of the program", Unit: "MiB"},
	)
}

// row is the row of a name; a new one when there is none yet.
func (c *comparison) row(name string) *measure {
	for i := range c.Measures {
		if c.Measures[i].Name == name {
			return &c.Measures[i]
		}
	}
	c.Measures = append(c.Measures, measure{Name: name})
	return &c.Measures[len(c.Measures)-1]
}

// cells are a row for people; verdict and note are last.
func (m measure) cells() []string {
	number := func(v *float64, unit string) string {
		switch {
		case v == nil:
			return ""
		case *v >= 100:
			return strings.TrimSpace(fmt.Sprintf("%.0f %s", *v, unit))
		}
		return strings.TrimSpace(fmt.Sprintf("%.3g %s", *v, unit))
	}
	value := number(m.Value, m.Unit)
	if m.Value == nil && m.Ratio == nil {
		return []string{m.Name, "not measured", "", m.Against, number(m.Floor, ""), number(m.Aim, ""), m.verdict(), m.Note}
	}
	return []string{m.Name, value, number(m.Ratio, ""), m.Against, number(m.Floor, ""), number(m.Aim, ""), m.verdict(), m.Note}
}

// some is a number that was measured; of nothing it is none.
func some(all ...float64) *float64 {
	if len(all) == 0 {
		return nil
	}
	m := median(all)
	return &m
}

func ratioOf(a, b []float64) *float64 {
	if len(a) == 0 || len(b) == 0 || median(b) == 0 {
		return nil
	}
	return some(median(a) / median(b))
}
