package clearing_test

import (
	"testing"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// The money of a purchase moves once, whatever else its terminal sends before or
// after the presentment.
func TestImport_movesMoneyOncePerLifeCycle(t *testing.T) {
	try := func(s string) money.Amount {
		a, err := money.Parse(s, money.MustCurrency("TRY"))
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	hundred := try("100.00")
	// behind is another message of the terminal about the purchase r.
	behind := func(w *world, c *authorizationtest.Card, r *authorization.Request, code string, flow authorization.Flow, amount string) *authorization.Request {
		f := w.Request(c, flow, try(amount))
		f.RRN, f.TerminalID, f.CardAcceptorID, f.AuthorizationCode = r.RRN, r.TerminalID, r.CardAcceptorID, code
		return f
	}
	for _, test := range []struct {
		name   string
		models []authorization.ClearingModel
		do     func(w *world, c *authorizationtest.Card, r *authorization.Request, p payment)
		posted string
	}{
		{"a refund that posts by itself before the presentment", []authorization.ClearingModel{authorization.Single},
			func(w *world, c *authorizationtest.Card, r *authorization.Request, p payment) {
				f := behind(w, c, r, "", authorization.FinancialAdvice, "30.00")
				f.ProcessingCode = "200000"
				w.Authorize(f)
				w.mustImport(w.deliver(w.present(p, hundred)))
			}, "430.00"},
		{"a financial increment before the presentment", []authorization.ClearingModel{authorization.Dual},
			func(w *world, c *authorizationtest.Card, r *authorization.Request, p payment) {
				f := behind(w, c, r, "", authorization.FinancialRequest, "30.00")
				f.IsIncrement = true
				w.Authorize(f)
				w.mustImport(w.deliver(w.present(p, hundred)))
			}, "370.00"},
		{"a completion after the presentment", []authorization.ClearingModel{authorization.Single, authorization.Dual},
			func(w *world, c *authorizationtest.Card, r *authorization.Request, p payment) {
				w.mustImport(w.deliver(w.present(p, hundred)))
				w.Authorize(behind(w, c, r, p.answer.AuthorizationCode, authorization.FinancialAdvice, "100.00"))
			}, "400.00"},
		{"a completion between two presentments", []authorization.ClearingModel{authorization.Single},
			func(w *world, c *authorizationtest.Card, r *authorization.Request, p payment) {
				first := w.present(p, try("40.00"))
				first.Final, first.Count = false, 2
				w.mustImport(w.deliver(first))
				w.Authorize(behind(w, c, r, p.answer.AuthorizationCode, authorization.FinancialAdvice, "100.00"))
				second := first
				second.Transaction, second.Sequence, second.Final = try("60.00"), 2, true
				w.mustImport(w.deliver(second))
			}, "400.00"},
	} {
		for _, model := range test.models {
			t.Run(test.name+"/"+string(model), func(t *testing.T) {
				dbtest.Each(t, func(t *testing.T, d *db.DB) {
					w := newWorldWith(t, d, authorization.Config{ClearingModels: map[string]authorization.ClearingModel{"generic": model}})
					c := w.NewCard("500.00")
					r := w.Request(c, authorization.AuthorizationRequest, hundred)
					test.do(w, c, r, payment{r, w.Authorize(r)})
					if b := w.Balance(c); b.Posted != try(test.posted) || !b.Held.IsZero() {
						t.Errorf("posted %v, held %v; want %s and nothing", b.Posted, b.Held, test.posted)
					}
					w.verify()
				})
			})
		}
	}
}

// A file may take back what another record of it confirmed.
func TestImport_takesBackAConfirmationOfTheSameFile(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		hundred, err := money.Parse("100.00", money.MustCurrency("TRY"))
		if err != nil {
			t.Fatal(err)
		}
		c := w.NewCard("500.00")
		r := w.Request(c, authorization.FinancialRequest, hundred)
		p := w.present(payment{r, w.Authorize(r)}, hundred)
		back := p
		back.Reversal = true
		w.mustImport(w.deliver(p, back))
		if b := w.Balance(c); b.Posted.Decimal() != "500.00" || !b.Held.IsZero() {
			t.Errorf("posted %v, held %v", b.Posted, b.Held)
		}
		w.verify()
	})
}

// A balance at the end of the range declines, and takes no answer away.
func TestAuthorize_decidesAtTheEndOfTheRange(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		try := money.MustCurrency("TRY")
		c := w.NewCard("150.00")
		fifty, err := money.New(5000, try)
		if err != nil {
			t.Fatal(err)
		}
		r := w.Request(c, authorization.AuthorizationRequest, fifty)
		w.Authorize(r)
		for _, minor := range []int64{money.MaxMinor - 10_000, 10_000 + 14_000} {
			amount, err := money.New(minor, try)
			if err != nil {
				t.Fatal(err)
			}
			never := w.Request(c, authorization.AuthorizationRequest, amount)
			w.mustImport(w.deliver(w.present(payment{request: never}, amount)))
		}
		if a := w.Authorize(w.Request(c, authorization.AuthorizationRequest, fifty)); a.Outcome != authorization.Outcome(authorization.InsufficientFunds) {
			t.Errorf("got %+v", a)
		}
		w.verify()
	})
}
