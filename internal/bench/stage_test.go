package bench

import (
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/app"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/clock"
)

// The stages are read in the order in which a request passes them, and only those
// that it passed, with what they took; the groups beside them.
func TestReadStages_tellsEachStage(t *testing.T) {
	m := app.NewMetrics()
	for range 100 {
		m.Stages(&authorization.Times{
			authorization.StageQueue: 30 * time.Microsecond, authorization.StageCrypto: 300 * time.Microsecond, authorization.StageCommit: 2 * time.Millisecond,
		})
		m.Packed(5 * time.Microsecond)
	}
	m.Group(100, clock.StartStopwatch())
	all, err := readStages(m)
	if err != nil {
		t.Fatal(err)
	}
	rows := all.rows()
	want := []struct {
		name string
		ms   float64
	}{{"queue", 0.03}, {"crypto", 0.3}, {"commit", 2}, {"pack", 0.005}}
	if len(rows) != len(want) {
		t.Fatalf("got %+v", rows)
	}
	for i, r := range rows {
		if r.Name != want[i].name || r.Mean < want[i].ms*0.999 || r.Mean > want[i].ms*1.001 || r.P50 < want[i].ms/1.5 || r.P99 > want[i].ms*1.5 {
			t.Errorf("got %+v, want %+v", r, want[i])
		}
	}
	if all[groupCommits].count != 1 || all.groupMean() != 100 {
		t.Errorf("groups: got %+v", all[groupCommits])
	}
}
