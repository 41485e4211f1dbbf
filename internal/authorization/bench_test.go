package authorization_test

import (
	"sync/atomic"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// BenchmarkAuthorize is a chip purchase through the engine, without the network:
// gather, decide, commit, respond. The throw-away PostgreSQL of tests does not
// sync; `sarraf bench authorize` measures durable settings. "told" is the same
// with somebody who wants to hear of every transaction.
func BenchmarkAuthorize(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *db.DB{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres} {
		b.Run(name, func(b *testing.B) { benchmarkAuthorize(b, open(b)) })
		b.Run(name+"/told", func(b *testing.B) { benchmarkAuthorize(b, open(b), "transaction.*") })
	}
}

func benchmarkAuthorize(b *testing.B, d *db.DB, wanted ...string) {
	w := authorizationtest.New(b, d)
	w.Listen(wanted...)
	cards := make([]*authorizationtest.Card, 200)
	for i := range cards {
		cards[i] = w.NewCard("1000000.00")
	}
	requests := make([]*authorization.Request, b.N)
	for i := range requests {
		c := cards[i%len(cards)]
		requests[i] = w.Request(c, authorization.AuthorizationRequest, money.Must(100, "TRY"))
		w.Chip(c, requests[i])
	}
	var next atomic.Int64
	b.SetParallelism(64)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			a, err := w.Engine.Authorize(b.Context(), requests[next.Add(1)-1])
			if err != nil || a.Reason != authorization.Approved {
				b.Errorf("got %s, %v", a.Reason, err)
			}
		}
	})
}
