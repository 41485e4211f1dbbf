package clearing_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/outbox"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// feesTold are the events about fees so far, as "name code total transaction".
func (w *world) feesTold(card *authorizationtest.Card) []string {
	w.T.Helper()
	var told []string
	err := w.DB.View(w.T.Context(), func(tx db.Tx) error {
		all, err := outbox.WaitingEvents(w.T.Context(), tx, w.Caller.Tenant.String())
		for _, m := range all {
			if !strings.HasPrefix(m.Name, "fee.") {
				continue
			}
			var e issuing.CardEvent
			var about fee.CardFeeTold
			if err := json.Unmarshal(m.Payload, &e); err != nil {
				return err
			}
			if err := json.Unmarshal(e.About, &about); err != nil {
				return err
			}
			lines, err := fee.ParseAdditional(about.Additional)
			if err != nil || len(lines) != 1 || e.CardToken != card.Token || m.Key != e.IssuanceNo || lines[0].Code != about.Code {
				return fmt.Errorf("%s tells %+v of %+v: %w", m.Name, about, e, err)
			}
			total, err := lines[0].Charge.Total()
			if err != nil {
				return err
			}
			told = append(told, strings.Join([]string{m.Name, about.Code, total.Decimal(), about.Transaction}, " "))
		}
		return err
	})
	if err != nil {
		w.T.Fatal(err)
	}
	return told
}

// Fees on transactions are told when they are posted or given back, one event for
// each: with a single message, a presentment, a reversal, and when money comes that
// they waited for. What is only held is not told.
func TestImport_tellsFees(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.SetAttributes(func(a *program.Attributes) { a.AllowFeeShortfall = true })
		for _, f := range []map[string]string{{"code": "ONE", "rate": "1", "of": "Purchase"}, {"code": "TWO", "fixed": "2.00", "of": "Purchase"}} {
			if err := w.Fee(f); err != nil {
				t.Fatal(err)
			}
		}
		w.Listen("fee.*")
		card := w.NewCard("500.00")
		ask := func(flow authorization.Flow, minor int64) payment {
			t.Helper()
			r := w.Request(card, flow, money.Must(minor, "TRY"))
			a := w.Authorize(r)
			if a.ResponseCode != "00" {
				t.Fatalf("got %+v", a)
			}
			return payment{r, a}
		}
		var want []string
		expect := func(step string, more ...string) {
			t.Helper()
			want = append(want, more...)
			if got := w.feesTold(card); strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Fatalf("%s: told\n%s\nwant\n%s", step, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
		held := ask(authorization.AuthorizationRequest, 10000)
		expect("held")
		paid := ask(authorization.FinancialRequest, 10000)
		expect("posted", "fee.charged ONE 1.00 "+paid.answer.Transaction.UUID(), "fee.charged TWO 2.00 "+paid.answer.Transaction.UUID())
		back := w.Authorize(w.Reversal(card, paid.request, authorization.ReversalRequest, nil))
		expect("reversed", "fee.reversed ONE 1.00 "+back.Transaction.UUID(), "fee.reversed TWO 2.00 "+back.Transaction.UUID())
		sum := w.mustImport(w.deliver(w.present(held, money.Must(10000, "TRY"))))
		cleared := w.fates(sum.ID)[0].transaction.UUID()
		expect("presented", "fee.charged ONE 1.00 "+cleared, "fee.charged TWO 2.00 "+cleared)

		short := ask(authorization.FinancialRequest, 39700)
		expect("waiting")
		_, err := w.Ledger.Adjust(t.Context(), w.Caller, ledger.Adjustment{
			AccountNo: card.AccountNo, Side: ledger.Credit, Amount: money.Must(300, "TRY"), Description: "load", Reference: "1",
		})
		if err != nil {
			t.Fatal(err)
		}
		root := short.answer.Transaction.UUID()
		expect("loaded", "fee.charged TWO 2.00 "+root) // ONE is more than is left
		w.verify()
	})
}
