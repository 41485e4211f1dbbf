package authorization_test

import (
	"runtime/debug"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

// BenchmarkReplay makes as many chip purchases on 200 cards as it is told to and
// replays them: as recorded, under a draft with a new daily limit that declines
// half of them, and under one whose rule asks what was before.
//
//	go test -run xxx -bench Replay -benchtime 100000x ./internal/authorization
func BenchmarkReplay(b *testing.B) {
	debug.SetGCPercent(300) // as sarraf replay does
	for name, open := range map[string]func(testing.TB) *db.DB{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres} {
		b.Run(name, func(b *testing.B) {
			w := newShoppers(b, open(b))
			w.Clock.Advance(time.Second)
			begin := w.Clock.Now()
			for made := 0; made < b.N; made += 1000 {
				w.shop(64, min(1000, b.N-made))
				w.Clock.Advance(10 * time.Second)
			}
			limit := dayLimit("DRAFT", 1_000_000_000, max(1, b.N/len(w.cards)/2))
			asks := refusal("ASKS", "counter.card.count.`1h` > 100")
			b.ResetTimer()
			for _, x := range []struct {
				name  string
				draft *control.Draft
			}{{"s/recorded", nil}, {"s/limit", draftOf(draftedLimit(limit))}, {"s/rule", draftOf(draftedRefusal(asks))}} {
				began := time.Now()
				totals, err := replays(w.World).Replay(b.Context(), w.Caller,
					authorization.ReplayOrder{From: begin, To: w.Clock.Now().Add(time.Second), Draft: x.draft},
					authorization.ReplayListener{Progress: func(int, int) {}})
				if err != nil || totals.Decided != b.N {
					b.Fatalf("%s: %+v, %v", x.name, totals, err)
				}
				b.ReportMetric(time.Since(began).Seconds(), x.name)
				b.Logf("%s: %d the same, %v", x.name, totals.Same, totals.Effects)
			}
		})
	}
}
