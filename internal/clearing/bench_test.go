package clearing_test

import (
	"testing"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/clearing"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

// BenchmarkImport posts files of 1,000 authorized purchases on 50 cards.
func BenchmarkImport(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *db.DB{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b, open(b))
			var cards []*authorizationtest.Card
			for range 50 {
				cards = append(cards, w.NewCard("1000000.00"))
			}
			for b.Loop() {
				b.StopTimer()
				var records []clearing.Presentment
				for i := range 1000 {
					r := w.Request(cards[i%len(cards)], authorization.AuthorizationRequest, lira(100))
					records = append(records, w.present(payment{r, w.Authorize(r)}, lira(100)))
				}
				f := w.deliver(records...)
				b.StartTimer()
				if sum := w.mustImport(f); sum.ByStatus[clearing.Matched] != 1000 {
					b.Fatal(sum.ByStatus)
				}
			}
			b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "records/s")
		})
	}
}
