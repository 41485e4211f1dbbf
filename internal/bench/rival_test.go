package bench

import (
	"errors"
	"testing"
)

func TestContestOf_readsABenchmark(t *testing.T) {
	const output = `goos: linux
BenchmarkContest/pack-2         	      15	       451.0 allocs/moov	         0 allocs/sarraf	      8999 ns/moov	       363.5 ns/sarraf	        24.75 ratio
BenchmarkContest/unpack         	      15	       192.0 allocs/moov	         0 allocs/sarraf	      8006 ns/moov	       607.0 ns/sarraf	        13.20 ratio
BenchmarkContest/broken-2       	      15	       192.0 allocs/moov
PASS
`
	for name, want := range map[string]float64{"pack": 24.75, "unpack": 13.2} {
		got, err := contestOf(output, name)
		if err != nil || got["ratio"] != want || got["allocs/sarraf"] != 0 || got["ns/moov"] < 8000 {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
	for _, name := range []string{"broken", "none"} {
		if _, err := contestOf(output, name); !errors.Is(err, errContest) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
