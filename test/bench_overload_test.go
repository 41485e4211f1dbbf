package test

import (
	"encoding/json"
	"testing"
)

// TestBench_overloadsEachEngine sends too much for a moment. It says nothing about
// speed, only that every request was approved or refused, and that the report holds
// what it promises.
func TestBench_overloadsEachEngine(t *testing.T) {
	eachEngine(t, func(t *testing.T, dir string, flags []string) {
		output := run(t, append([]string{
			"bench", "overload", "--json", "--connections", "8", "--cards", "40", "--duration", "2s", "--probe", "500ms", "--warm-up", "200ms",
			"--network-working-max", "32", "--network-waiting-max", "32",
		}, flags...)...)
		type answers struct {
			Answers   int64   `json:"answers"`
			PerSecond float64 `json:"perSecond"`
			Latency   struct {
				P50 float64 `json:"p50"`
			} `json:"latencyMs"`
		}
		var r struct {
			Maximum    float64          `json:"maximumPerSecond"`
			Rate       float64          `json:"rate"`
			Decided    answers          `json:"decided"`
			Refused    answers          `json:"refused"`
			Codes      map[string]int64 `json:"responseCodes"`
			Unanswered int64            `json:"unanswered"`
			Heap       struct {
				Before, Most, After float64
			} `json:"heapMB"`
			Recovered bool `json:"recovered"`
		}
		if err := json.Unmarshal(output, &r); err != nil {
			t.Fatal(err)
		}
		if r.Maximum <= 0 || r.Rate < 2.9*r.Maximum {
			t.Errorf("%.0f a second were sent where %.0f can be done", r.Rate, r.Maximum)
		}
		if r.Codes["00"] != r.Decided.Answers || r.Codes["91"] != r.Refused.Answers || r.Decided.Answers == 0 || r.Refused.Answers == 0 || r.Unanswered != 0 {
			t.Errorf("not everything was approved or refused: %s", output)
		}
		if r.Decided.Latency.P50 <= 0 || r.Refused.Latency.P50 <= 0 || r.Heap.Before <= 0 || r.Heap.Most <= 0 || r.Heap.After <= 0 || !r.Recovered {
			t.Errorf("the report is not whole: %s", output)
		}
		run(t, append([]string{"verify"}, flags...)...)
		t.Logf("%s", output)
	})
}
