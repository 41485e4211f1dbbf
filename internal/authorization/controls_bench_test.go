package authorization_test

import (
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// BenchmarkControls compares a chip purchase under 20 controls that are linked to it
// – six limits, twelve authorization controls with rules, two fees – with one under
// none. Both take turns in one run, so that whatever else the machine
// does weighs on both alike. The database settings are those of SARRAF_TEST_POSTGRES;
// SQLite syncs each commit.
func BenchmarkControls(b *testing.B) {
	debug.SetGCPercent(300) // as sarraf serve does
	for name, open := range map[string]func(testing.TB) *db.DB{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres} {
		b.Run(name, func(b *testing.B) {
			without, with := newShoppers(b, open(b)), newShoppers(b, open(b))
			with.control()
			const connections, turn = 32, 256
			var took [2]time.Duration
			b.ResetTimer()
			for done := 0; done < b.N; done += turn {
				for i, w := range []*shoppers{without, with} {
					took[i] += w.shop(connections, turn)
				}
			}
			each := func(i int) float64 { return float64(took[i].Microseconds()) / float64((b.N+turn-1)/turn*turn) }
			b.ReportMetric(each(0), "µs/without")
			b.ReportMetric(each(1), "µs/with")
			b.ReportMetric(each(1)/each(0), "ratio")
		})
	}
}

// shoppers are the cards of one bank.
type shoppers struct {
	*authorizationtest.World
	cards []*authorizationtest.Card
	next  int
}

func newShoppers(b *testing.B, d *db.DB) *shoppers {
	w := &shoppers{World: authorizationtest.New(b, d), cards: make([]*authorizationtest.Card, 200)}
	for i := range w.cards {
		w.cards[i] = w.NewCard("100000000.00")
	}
	return w
}

// shop sends so many purchases over so many connections.
func (w *shoppers) shop(connections, n int) time.Duration {
	requests := make(chan *authorization.Request, n)
	for range n {
		c := w.cards[w.next%len(w.cards)]
		w.next++
		r := w.Request(c, authorization.AuthorizationRequest, money.Must(100, "TRY"))
		w.Chip(c, r)
		requests <- r
	}
	close(requests)
	var all sync.WaitGroup
	began := time.Now()
	for range connections {
		all.Go(func() {
			for r := range requests {
				w.Clock.Advance(200 * time.Microsecond) // or all identifiers would be of one moment, and in no order
				if a, err := w.Engine.Authorize(w.T.Context(), r); err != nil || a.Reason != authorization.Approved {
					w.T.Errorf("got %s, %v", a.Reason, err)
				}
			}
		})
	}
	all.Wait()
	return time.Since(began)
}

// control defines 20 controls that concern every purchase.
func (w *shoppers) control() {
	limits := []string{
		"period=Day max=9000000", "period=Day count=1000000 rule=transaction.mcc!='7995'", "period=Month max=9000000 count=1000000 alert=80",
		"period=Month count=1000000 rule=merchant.country=='TR'", "period=Lifetime max=9000000", "period=Transaction max=9000",
	}
	for i, text := range limits {
		args := map[string]string{"code": fmt.Sprint("LIMIT", i), "of": "all"}
		for _, word := range strings.Fields(text) {
			name, value, _ := strings.Cut(word, "=")
			args[name] = value
		}
		if said := w.NewLimit(args); said != "ok" {
			w.T.Fatal(said)
		}
	}
	for i, source := range []string{
		`"transaction.mcc == '7995'"`, `"merchant.country != 'TR' && transaction.billingAmount > decimal(\"5000\")"`,
		`"card.daysToExpiry < 0"`, `"transaction.isEcommerce && !security.is3dsAuthenticated"`,
		`"customer.age < 18 && transaction.mcc == '5813'"`, `"merchant.name.matches('^CASINO')"`,
		`"transaction.isContactless && transaction.billingAmount > decimal(\"2500\")"`, `"merchant.id == 'BLOCKED00000001'"`,
		`"transaction.posEntryMode == 'MagneticStripe'"`, `"card.ageInDays < 1 && transaction.billingAmount > decimal(\"1000\")"`,
		`"terminal.id == 'STOLEN01'"`, `"transaction.isRecurring && customer.status != 'Active'"`,
	} {
		c := control.NewAuthorizationCheck(fmt.Sprint("CHECK", i))
		c.Name, c.Action, c.Rule = c.Code, control.Decline, rule.Source(source)
		link := control.Link{Type: control.LinkGlobal, Priority: control.LinkPriority, IsActive: true}
		if _, _, err := control.AuthorizationChecks.Create(w.T.Context(), w.Controls, w.Caller, c, []control.Link{link}); err != nil {
			w.T.Fatal(err)
		}
	}
	for i, args := range []map[string]string{{"rate": "1"}, {"fixed": "0.50"}} {
		args["code"] = fmt.Sprint("FEE", i)
		if err := w.Fee(args); err != nil {
			w.T.Fatal(err)
		}
	}
}
