package app

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/clock"
)

// What a request took is counted under the name of each stage that it passed, and
// only there; tens of microseconds can be told apart.
func TestMetrics_measureStages(t *testing.T) {
	took := map[string]time.Duration{
		"queue": 30 * time.Microsecond, "crypto": 300 * time.Microsecond, "commit": 2 * time.Millisecond, "pack": 5 * time.Microsecond,
	}
	m := NewMetrics()
	for range 100 {
		m.Stages(&authorization.Times{
			authorization.StageQueue: took["queue"], authorization.StageCrypto: took["crypto"], authorization.StageCommit: took["commit"],
		})
		m.Packed(took["pack"])
	}
	m.Group(100, clock.StartStopwatch())
	served := httptest.NewRecorder()
	promhttp.HandlerFor(m.Registry, promhttp.HandlerOpts{}).ServeHTTP(served, httptest.NewRequest("GET", "/metrics", nil))
	want := []string{"sarraf_authorization_group_size_count 1", "sarraf_authorization_group_size_sum 100", "sarraf_authorization_group_seconds_count 1"}
	for s := range authorization.StageCount {
		long, passed := took[s.String()]
		if !passed {
			want = append(want, fmt.Sprintf("sarraf_authorization_stage_seconds_count{stage=%q} 0", s))
			continue
		}
		i, _ := slices.BinarySearch(stageBuckets, long.Seconds())
		if below, above := stageBuckets[i-1], stageBuckets[i]; above > 1.51*below {
			t.Errorf("%s: %v is told as between %v and %v s", s, long, below, above)
		}
		for bound, n := range map[float64]int{stageBuckets[i-1]: 0, stageBuckets[i]: 100} {
			le := strconv.FormatFloat(bound, 'g', -1, 64)
			want = append(want, fmt.Sprintf("sarraf_authorization_stage_seconds_bucket{stage=%q,le=%q} %d", s, le, n))
		}
	}
	lines := strings.Split(served.Body.String(), "\n")
	for _, line := range want {
		if !slices.Contains(lines, line) {
			t.Errorf("there is no %s", line)
		}
	}
}
