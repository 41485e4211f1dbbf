package test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBench_comparesInPieces measures parts of the table for a moment, one run after
// the other: what the second leaves out stays in the document as the first told it.
func TestBench_comparesInPieces(t *testing.T) {
	eachEngine(t, func(t *testing.T, dir string, flags []string) {
		document := filepath.Join(t.TempDir(), "performance.md")
		compare := func(more ...string) map[string]*float64 {
			t.Helper()
			var told struct {
				Measures []struct {
					Measure string   `json:"measure"`
					Value   *float64 `json:"value"`
				} `json:"measures"`
			}
			output := run(t, append(append([]string{
				"bench", "compare", "--json", "--rounds", "1", "--connections", "4", "--cards", "8", "--duration", "300ms", "--warm-up", "50ms",
				"--scale", "1", "--write", document,
			}, more...), flags...)...)
			if err := json.Unmarshal(output, &told); err != nil {
				t.Fatalf("%v: %s", err, output)
			}
			values := map[string]*float64{}
			for _, m := range told.Measures {
				values[m.Measure] = m.Value
			}
			return values
		}
		first := compare("--only", "codec,slow-client", "--without", "codec")
		if v := first["beside a client of 200 ms on sqlite"]; v == nil || *v <= 0 {
			t.Errorf("the slow client was not measured: %v", first)
		}
		if _, told := first["pack"]; told || first["authorizations on sqlite"] != nil {
			t.Errorf("more was measured than asked for: %v", first)
		}
		compare("--only", "codec")
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"\n| pack | ", "| without that | 0.9 |", "--only codec ", "- sqlite: SQLite 3.", "--only codec,slow-client --without codec"} {
			if !strings.Contains(string(text), want) {
				t.Errorf("the document lacks %q:\n%s", want, text)
			}
		}
		if strings.Contains(string(text), "| beside a client of 200 ms on sqlite | not measured |") {
			t.Errorf("what was measured before is lost:\n%s", text)
		}
	})
}
