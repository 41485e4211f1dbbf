package bench

import (
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/app"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// BenchmarkControls compares a chip purchase under 20 controls with one under none,
// from the message to its answer: ISO 8583 over TCP through the listener, with CVV
// and ARQC verified and an ARPC in the answer. Two platforms stand side by side and
// take turns in one run. The time is what a terminal waits for, while so many other
// terminals wait, too; that of simulated cards and terminals is not in it.
//
// BenchmarkControls of internal/authorization is the engine's share of it.
//
//	SARRAF_TEST_POSTGRES=postgres://… go test -run xxx -bench Controls -benchtime 4096x ./internal/bench
func BenchmarkControls(b *testing.B) {
	app.CollectLess() // as serve does
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteDSN, "postgres": dbtest.PostgresDSN} {
		b.Run(name, func(b *testing.B) {
			for _, connections := range []int{1, 32} {
				b.Run(fmt.Sprint(connections), func(b *testing.B) {
					without, with := newShops(b, dsn(b), connections), newShops(b, dsn(b), connections)
					with.controlTwentyfold(b)
					turn := 8 * connections
					var took [2]time.Duration
					var waited [2][]time.Duration
					for _, s := range []*shops{without, with} {
						s.sell(b, 512) // what was prepared leaves work in the background
					}
					b.ResetTimer()
					rounds := (b.N + turn - 1) / turn
					for range rounds {
						for i, s := range []*shops{without, with} {
							all, whole := s.sell(b, turn)
							took[i], waited[i] = took[i]+whole, append(waited[i], all...)
						}
					}
					each := func(i int) float64 { return float64(took[i].Microseconds()) / float64(rounds*turn) }
					median := func(i int) float64 {
						slices.Sort(waited[i])
						return float64(waited[i][len(waited[i])/2].Microseconds())
					}
					b.ReportMetric(each(0), "µs/without")
					b.ReportMetric(each(1), "µs/with")
					b.ReportMetric(each(1)/each(0), "ratio")
					b.ReportMetric(median(0), "µs-wait/without")
					b.ReportMetric(median(1), "µs-wait/with")
					b.ReportMetric(median(1)/median(0), "wait-ratio")
				})
			}
		})
	}
}

// shops are the terminals of one acquirer and the cards that are used at them.
type shops struct {
	*world
	next int
}

func newShops(b *testing.B, dsn string, connections int) *shops {
	l, err := config.Load(config.Source{Environ: []string{}, Flags: map[string]string{
		"data": b.TempDir(), "db": dsn, "http.addr": "127.0.0.1:0", "network.addr": "127.0.0.1:0",
	}})
	if err != nil {
		b.Fatal(err)
	}
	l.Config.HTTP.RateLimit, l.Config.HTTP.ClientLimit = 0, 0
	l.Config.Job.PersoInterval = 24 * time.Hour
	p, err := app.Start(b.Context(), l.Config, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := p.Stop(); err != nil {
			b.Error(err)
		}
	})
	w, err := newWorld(b.Context(), p, AuthorizeOptions{Connections: connections, Cards: 200})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(w.close)
	return &shops{world: w}
}

// sell sends so many purchases, as many at a time as there are links, and returns
// how long each was waited for, and how long all of it took.
func (s *shops) sell(b *testing.B, n int) ([]time.Duration, time.Duration) {
	requests := make([][]*sim.Request, len(s.links))
	for i := range n {
		r, err := s.use(s.next)
		if err != nil {
			b.Fatal(err)
		}
		s.next++
		requests[i%len(s.links)] = append(requests[i%len(s.links)], r)
	}
	waited := make([]time.Duration, n)
	var all sync.WaitGroup
	watch := clock.StartStopwatch()
	for i, link := range s.links {
		all.Go(func() {
			for k, r := range requests[i] {
				answer, took, err := link.Ask(b.Context(), r.Message)
				if err != nil || answer.Text(iso8583.ResponseCode) != "00" {
					b.Errorf("not approved: %v", err)
					return
				}
				waited[k*len(s.links)+i] = took
			}
		})
	}
	all.Wait()
	return waited, watch.Elapsed()
}

// controlTwentyfold defines 20 controls that concern every purchase: six limits, twelve
// authorization controls with rules, two fees.
func (s *shops) controlTwentyfold(b *testing.B) {
	define := func(path string, body map[string]any) {
		body["name"], body["links"] = body["code"], []map[string]any{{"linkType": "Global"}}
		if _, err := s.bank.Call(b.Context(), http.MethodPost, "/api/v1/issuing/"+path, body, nil); err != nil {
			b.Fatal(err)
		}
	}
	for i, limit := range []map[string]any{
		{"period": "Day", "maxAmount": 9000000}, {"period": "Day", "maxCount": 1000000, "rule": "transaction.mcc!='7995'"},
		{"period": "Month", "maxAmount": 9000000, "maxCount": 1000000, "alertThresholdPercent": 80},
		{"period": "Month", "maxCount": 1000000, "rule": "merchant.country=='TR'"},
		{"period": "Lifetime", "maxAmount": 9000000}, {"period": "Transaction", "maxAmount": 9000},
	} {
		limit["code"] = fmt.Sprint("LIMIT", i)
		if limit["maxAmount"] != nil {
			limit["currencyCode"] = "TRY"
		}
		define("velocity-control", limit)
	}
	for i, rule := range []string{
		`transaction.mcc == '7995'`, `merchant.country != 'TR' && transaction.billingAmount > decimal("5000")`,
		`card.daysToExpiry < 0`, `transaction.isEcommerce && !security.is3dsAuthenticated`,
		`customer.age < 18 && transaction.mcc == '5813'`, `merchant.name.matches('^CASINO')`,
		`transaction.isContactless && transaction.billingAmount > decimal("2500")`, `merchant.id == 'BLOCKED00000001'`,
		`transaction.posEntryMode == 'MagneticStripe'`, `card.ageInDays < 1 && transaction.billingAmount > decimal("1000")`,
		`terminal.id == 'STOLEN01'`, `transaction.isRecurring && customer.status != 'Active'`,
	} {
		define("authorization-control", map[string]any{"code": fmt.Sprint("CHECK", i), "action": "Decline", "rule": rule})
	}
	for i, terms := range []map[string]any{
		{"calculationType": "Rate", "rate": 1}, {"calculationType": "Fixed", "fixedAmount": 0.5},
	} {
		terms["code"], terms["currencyCode"], terms["additionalAmountType"] = fmt.Sprint("FEE", i), "TRY", "TransactionFee"
		define("fee-management/transaction", terms)
	}
}
