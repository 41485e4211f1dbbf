package clearing_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/clearing"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Whatever becomes of payments – increments, completions, reversals, presentments
// in parts, with tips, late or of nothing that was authorized, refunds, and all of
// that taken back – what is used of a limit is what they stand for, and what they
// cost besides where a limit counts that.
func TestLimits_countWhatLifeCyclesStandFor(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		lives, steps := 10, 40
		if d.Engine() == db.Postgres {
			lives, steps = 2, 30
		}
		w := newWorld(t, d)
		for _, args := range []map[string]string{
			{"code": "EVER", "period": "Lifetime", "max": "9000000.00", "of": "all"},
			{"code": "FEES", "period": "Lifetime", "max": "9000000.00", "of": "all", "fees": "count"},
			{"code": "LOWERS", "period": "Lifetime", "max": "9000000.00", "of": "all", "refunds": "lower"},
			{"code": "LOWERS_FEES", "period": "Lifetime", "max": "9000000.00", "of": "all", "refunds": "lower", "fees": "count"},
		} {
			if said := w.NewLimit(args); said != "ok" {
				t.Fatal(said)
			}
		}
		w.SetTax(fee.BSMV, "15")
		for _, args := range []map[string]string{
			{"code": "TIERS", "tiers": "0:50.00:2:0;50.00:150.00:0:3.00;150.00::0:1.00", "taxes": "Bsmv"},
			{"code": "KEPT", "rate": "0.7", "min": "0.50", "reversal": "keep"},
			{"code": "LATE", "fixed": "0.30", "rate": "0.1", "timing": "Clearing"},
			{"code": "BACK", "rate": "1", "refund": "yes"},
			{"code": "FREE", "fixed": "0.20", "free": "2"},
		} {
			if err := w.Fee(args); err != nil {
				t.Fatal(err)
			}
		}
		for seed := range lives {
			l := &life{world: w, r: rand.New(rand.NewPCG(uint64(seed), 7)), card: w.NewCard("100000.00")}
			for step := range steps {
				did := l.step()
				spent, kept, count := l.standing()
				spentFees, keptFees := l.fees()
				want := fmt.Sprintf("EVER: %[1]s of 9000000.00 in %[5]d; FEES: %[2]s of 9000000.00 in %[5]d; "+
					"LOWERS: %[3]s of 9000000.00 in %[5]d; LOWERS_FEES: %[4]s of 9000000.00 in %[5]d",
					decimal(spent), decimal(spent+spentFees), decimal(kept), decimal(kept+keptFees), count)
				if got := w.Limits(l.card); got != want {
					t.Fatalf("seed %d, step %d, after %s:\n%s, want\n%s", seed, step, did, got, want)
				}
			}
		}
		w.verify()
	})
}

func decimal(minor int64) string { return money.Must(minor, "TRY").Decimal() }

// life is the life of one card.
type life struct {
	*world
	r        *rand.Rand
	card     *authorizationtest.Card
	payments []payment
	records  []clearing.Presentment
}

func (l *life) amount() money.Amount { return money.Must(int64(1+l.r.IntN(20000)), "TRY") }

func (l *life) pay(flow authorization.Flow, change func(*authorization.Request)) {
	r := l.Request(l.card, flow, l.amount())
	change(r)
	if a := l.Authorize(r); a.Reason == authorization.Approved {
		l.payments = append(l.payments, payment{r, a})
	}
}

// step does something and tells what.
func (l *life) step() string {
	if len(l.payments) == 0 {
		l.pay(authorization.AuthorizationRequest, func(*authorization.Request) {})
		return "a payment"
	}
	p := l.payments[l.r.IntN(len(l.payments))]
	switch k := l.r.IntN(13); k {
	case 0, 1:
		l.pay(authorization.AuthorizationRequest, func(*authorization.Request) {})
		return "a payment"
	case 2:
		l.pay(authorization.FinancialRequest, func(r *authorization.Request) {
			r.ProcessingCode, r.MCC = "010000", "6011"
			l.WithPIN(l.card, r, l.card.PIN)
		})
		return "cash"
	case 3, 4:
		l.pay(authorization.AuthorizationRequest, func(r *authorization.Request) { r.IsIncrement, r.RRN = true, p.request.RRN })
		return "an increment"
	case 5:
		done := l.Request(l.card, authorization.FinancialAdvice, l.amount())
		done.RRN = p.request.RRN
		l.Authorize(done)
		return "a completion"
	case 6, 7:
		var remains *money.Amount
		if k == 7 {
			a := l.amount()
			remains = &a
		}
		l.Authorize(l.Reversal(l.card, p.request, authorization.ReversalRequest, remains))
		return "a reversal"
	case 8:
		l.Clock.Advance(time.Duration(l.r.IntN(200)) * time.Hour)
		if _, err := l.Engine.Expire(l.T.Context()); err != nil {
			l.T.Fatal(err)
		}
		return "expiry"
	}
	return l.clear(p)
}

// clear imports a file of a few records.
func (l *life) clear(p payment) string {
	did := "the import of"
	var all []clearing.Presentment
	for range 1 + l.r.IntN(3) {
		var c clearing.Presentment
		switch k := l.r.IntN(6); {
		case k == 0:
			c = l.present(payment{request: l.Request(l.card, authorization.AuthorizationRequest, l.amount())}, l.amount())
			c.AuthorizationCode, c.RRN, c.STAN, c.TerminalID, c.MerchantName = "", "", "", "", "SOMEWHERE"
			did += " a forced presentment,"
		case k == 1 && len(l.records) > 0:
			of := l.records[l.r.IntN(len(l.records))]
			c = l.present(p, l.amount())
			c.Kind, c.OriginalARN = clearing.Refund, of.ARN
			did += " a refund,"
		case k == 2 && len(l.records) > 0:
			c = l.records[l.r.IntN(len(l.records))]
			c.Reversal = true
			did += " one taken back,"
		default:
			c = l.present(p, l.amount())
			if p.request.Amount.Minor() > 1 && k < 5 {
				c.Transaction = money.Must(p.request.Amount.Minor()*int64(1+k%2)/2, "TRY")
			}
			if k == 4 {
				c.Count, c.Final = 2, false
			}
			did += " a presentment,"
		}
		if !c.Reversal {
			l.records = append(l.records, c)
		}
		all = append(all, c)
		p = l.payments[l.r.IntN(len(l.payments))]
	}
	l.mustImport(l.deliver(all...))
	return did
}

// standing is what the transactions of the card stand for, without and with what
// was refunded, and how many stand for something.
func (l *life) standing() (spent, kept, count int64) {
	l.T.Helper()
	err := l.DB.View(l.T.Context(), func(tx db.Tx) error {
		rows, err := tx.Query(l.T.Context(), `SELECT t.flow, t.is_force_post, t.billing_amount - t.reversed_amount, t.cleared_amount, t.refunded_amount,
				COALESCE(h.authorized - h.reversed - h.cleared - h.released, -1)
			FROM card_transaction t JOIN card c ON c.id = t.card_id LEFT JOIN hold h ON h.id = t.hold_id
			WHERE c.card_token = $1 AND t.is_debit AND t.status NOT IN ('Declined', 'Failed', 'Pending')
				AND (t.id = t.root_id OR t.is_force_post AND t.flow = 'Clearing')`, l.card.Token)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var flow authorization.Flow
			var forced bool
			var outstanding, cleared, refunded, remaining int64
			if err := rows.Scan(&flow, &forced, &outstanding, &cleared, &refunded, &remaining); err != nil {
				return err
			}
			stands := outstanding
			if remaining >= 0 {
				stands = cleared + remaining
			}
			spent += stands
			kept += max(0, stands-refunded)
			if stands > 0 {
				count++
			}
		}
		return rows.Err()
	})
	if err != nil {
		l.T.Fatal(err)
	}
	return spent, kept, count
}

// fees are what was charged to the card for its payments and is held for more, and
// what that would be without refunds: of the fees those give back BACK only, which
// is a hundredth of what it is on.
func (l *life) fees() (spent, kept int64) {
	l.T.Helper()
	hundredth := func(on int64) int64 { return (max(0, on) + 50) / 100 }
	err := l.DB.View(l.T.Context(), func(tx db.Tx) error {
		err := tx.QueryRow(l.T.Context(), `SELECT COALESCE(SUM(fees), 0) FROM hold WHERE account_id = $1`, l.card.Account).Scan(&kept)
		if err != nil {
			return err
		}
		spent = kept
		held := map[string]int64{}
		err = db.Each(l.T.Context(), tx, func(row db.Scanner) error {
			var root string
			var minor int64
			err := row.Scan(&root, &minor)
			held[root] = minor
			return err
		}, `SELECT d.root_id, COALESCE(h.authorized - h.reversed - h.cleared - h.released, 0)
			FROM fee_due d JOIN card_transaction t ON t.id = d.root_id LEFT JOIN hold h ON h.id = t.hold_id WHERE d.account_id = $1`, l.card.Account)
		if err != nil {
			return err
		}
		dues, err := fee.OpenDues(l.T.Context(), tx, slices.Collect(maps.Keys(held)))
		if err != nil {
			return err
		}
		for root, held := range held {
			for _, due := range dues.Of(root) {
				total, err := due.Posted.Total()
				if err != nil {
					return err
				}
				charged, on := total.Minor(), due.Moved.Minor()+due.Kept.Minor()
				spent, kept = spent+charged, kept+charged
				if due.Code == "BACK" {
					spent += hundredth(on+held) - max(charged, hundredth(on+held-due.Refunded.Minor()))
				}
			}
		}
		return nil
	})
	if err != nil {
		l.T.Fatal(err)
	}
	return spent, kept
}
