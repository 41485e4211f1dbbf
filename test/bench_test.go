package test

import (
	"encoding/json"
	"testing"
)

// TestBench_measuresEachEngine runs the benchmark for a moment. It says nothing
// about speed, only that cards beyond any limit of rate are made, that every
// purchase was approved, and that the report holds
// what it promises.
func TestBench_measuresEachEngine(t *testing.T) {
	eachEngine(t, func(t *testing.T, dir string, flags []string) {
		output := run(t, append([]string{
			"bench", "authorize", "--json", "--connections", "4", "--cards", "600", "--duration", "1s", "--warm-up", "200ms",
		}, flags...)...)
		var r struct {
			Engine        string            `json:"engine"`
			Durability    map[string]string `json:"durability"`
			Answers       int64             `json:"answers"`
			Unanswered    int64             `json:"unanswered"`
			ResponseCodes map[string]int64  `json:"responseCodes"`
			Latency       struct {
				P50  float64 `json:"p50"`
				P999 float64 `json:"p999"`
			} `json:"latencyMs"`
			Stages  []struct{ Stage string } `json:"stages"`
			PGBench *struct {
				PerSecond float64 `json:"perSecond"`
			} `json:"pgbench"`
		}
		if err := json.Unmarshal(output, &r); err != nil {
			t.Fatal(err)
		}
		if r.Answers == 0 || r.Unanswered != 0 || r.ResponseCodes["00"] != r.Answers {
			t.Errorf("not everything was approved: %s", output)
		}
		if len(r.Durability) == 0 || len(r.Stages) == 0 || r.Latency.P50 <= 0 || r.Latency.P999 < r.Latency.P50 {
			t.Errorf("the report is not whole: %s", output)
		}
		if r.PGBench != nil && r.PGBench.PerSecond <= 0 {
			t.Errorf("pgbench measured nothing: %s", output)
		}
		t.Logf("%s", output)
	})
}
