package authorization_test

import (
	"testing"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// conversionFee is a fee of so much on conversions, of what criteria select.
func conversionFee(code string, minor int64, codes ...string) fee.OnTransaction {
	f := fixedFee(code, minor)
	f.Type, f.Criteria.TransactionCodes = fee.CurrencyConversionFee, codes
	return f
}

// abroad is a payment of 100 EUR that became 5,000 TRY.
func abroad(w *authorizationtest.World, c *authorizationtest.Card) *authorization.Request {
	r := w.Request(c, authorization.AuthorizationRequest, money.Must(10_000, "EUR"))
	billing := money.Must(500_000, "TRY")
	r.Billing = &billing
	return r
}

// A drafted fee on conversions takes the place of the tenant's mark-up; without
// the one in force the mark-up is charged again; what concerns neither leaves the
// mark-up as it was charged, whatever it is by now.
func TestReplay_draftsBesideTheMarkup(t *testing.T) {
	const markup, tax = 100_00, 15_00 // of 5,000.00
	none := fee.OnTransaction{}
	for name, c := range map[string]struct {
		inForce, draft fee.OnTransaction
		was, is        int64 // what 5,000.00 cost, and would have
		sameWith       bool  // the recorded mark-up was changed since
	}{
		"a fee in its place":            {none, conversionFee("FX", 30_00), markup + tax, 30_00, false},
		"an exemption":                  {none, conversionFee("FX", 0), markup + tax, 0, false},
		"a fee of what is not paid":     {none, conversionFee("FX", 0, "CashWithdrawal"), markup + tax, markup + tax, true},
		"a fee besides":                 {none, fixedFee("USE", 7_00), markup + tax, markup + tax + 7_00, true},
		"without the fee in its place":  {conversionFee("FX", 30_00), conversionFee("FX", 30_00, "CashWithdrawal"), 30_00, markup + tax, false},
		"another fee in its place":      {conversionFee("FX", 30_00), conversionFee("FX", 40_00), 30_00, 40_00, false},
		"a fee in its place no longer":  {conversionFee("FX", 30_00), fixedFee("FX", 30_00), 30_00, markup + tax + 30_00, false},
		"a fee that takes it from then": {fixedFee("FX", 30_00), conversionFee("FX", 30_00), markup + tax + 30_00, 30_00, false},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				w := authorizationtest.New(t, d)
				w.SetTax(fee.BSMV, "15")
				charge := func(rate string) {
					t.Helper()
					if err := w.Markup(map[string]string{"currencies": "EUR", "rate": rate}); err != nil {
						t.Fatal(err)
					}
				}
				charge("2")
				if c.inForce.Code != "" {
					if _, _, err := fee.TransactionFees.Create(t.Context(), w.Controls, w.Caller, c.inForce, []control.Link{everywhere()}); err != nil {
						t.Fatal(err)
					}
				}
				card := w.NewCard("20000.00")
				begin := w.Clock.Now()
				_, a := ask(w, abroad(w, card))
				ask(w, pay(w, card, 1000)) // nothing was converted
				if a.Reason != authorization.Approved {
					t.Fatalf("declined: %s", a.Reason)
				}
				if c.sameWith {
					charge("9")
				}
				// The fee of what is paid at home is not what is asked here.
				draft := c.draft
				if len(draft.Criteria.TransactionCodes) == 0 {
					draft.Criteria.Currencies = []string{"EUR"}
				}
				totals, all := replayAll(t, w, begin, draftOf(draftedFee(draft)))
				at := map[authorization.TransactionID]authorization.Difference{}
				for _, d := range all {
					at[d.Transaction] = d
				}
				got, differs := at[a.Transaction]
				switch {
				case c.was == c.is && differs, c.was != c.is && !differs:
					t.Errorf("from %d to %d: %s\n%+v", c.was, c.is, describe(all), totals)
				case differs && (got.Effect != authorization.FeeChanged || got.Was.Fees != money.Must(c.was, "TRY") || got.Is.Fees != money.Must(c.is, "TRY")):
					t.Errorf("%s from %s to %s, want from %d to %d", got.Effect, got.Was.Fees, got.Is.Fees, c.was, c.is)
				}
				if len(totals.Partial) > 0 || totals.Effects[authorization.Diverged]+totals.Effects[authorization.Undetermined] > 0 {
					t.Errorf("%+v", totals)
				}
			})
		})
	}
}

// Without the mark-up the balance is enough, and with it what comes later is not.
func TestReplay_carriesTheMarkupAlong(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		w.SetTax(fee.BSMV, "15")
		if err := w.Markup(map[string]string{"currencies": "EUR", "rate": "2"}); err != nil {
			t.Fatal(err)
		}
		card := w.NewCard("5050.00")
		begin := w.Clock.Now()
		_, dear := ask(w, abroad(w, card))
		_, next := ask(w, pay(w, card, 60_00)) // there would be 50.00 left
		if dear.Reason != authorization.InsufficientFunds || next.Reason != authorization.Approved {
			t.Fatalf("%s, %s", dear.Reason, next.Reason)
		}
		_, all := replayAll(t, w, begin, draftOf(draftedFee(conversionFee("FX", 0))))
		if len(all) != 2 || all[0].Transaction != dear.Transaction || all[0].Effect != authorization.DeclinedToApproved ||
			all[1].Transaction != next.Transaction || all[1].Effect != authorization.ApprovedToDeclined {
			t.Errorf("%s", describe(all))
		}
	})
}
