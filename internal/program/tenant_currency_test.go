package program

import (
	"sync"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/money"
)

func (h *house) changeCurrency(c access.Caller, currency string) error {
	_, err := h.access.UpdateTenant(h.t.Context(), c, access.TenantChange{
		Name: "Main", InstitutionType: "EMoney", TimeZone: "UTC", Language: "en", DefaultCurrency: currency,
	})
	return err
}

func TestTenantChanged_keepsTheCurrencyOfAmounts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		for _, currency := range []string{"EUR", "TRY"} { // the defaults follow
			if err := h.changeCurrency(h.main, currency); err != nil {
				t.Fatal(err)
			}
		}
		lira := money.Must(100, "TRY")
		for name, with := range map[string]func(a *Attributes){
			"stand-in per transaction": func(a *Attributes) { a.StandIn.AmountPerTransaction = &lira },
			"stand-in per day":         func(a *Attributes) { a.StandIn.AmountPerDay = &lira },
			"contactless":              func(a *Attributes) { a.MaxContactlessLimit = &lira },
			"refund alert":             func(a *Attributes) { a.ClearingTolerances.RefundAlert = &lira },
		} {
			c := h.tenantNamed(name, true)
			a := DefaultAttributes(money.MustCurrency("EUR"), true)
			with(&a)
			if _, err := h.CreateAttributes(t.Context(), c, a); err != nil {
				t.Fatal(err)
			}
			wantFault(t, h.changeCurrency(c, "EUR"), "tenant_currency_fixed")
			if err := h.changeCurrency(c, "TRY"); err != nil {
				t.Errorf("%s: the same currency: %v", name, err)
			}
			got, err := h.access.Tenant(t.Context(), c)
			if err != nil || got.DefaultCurrency.Code() != "TRY" {
				t.Errorf("%s: %s, %v", name, got.DefaultCurrency.Code(), err)
			}
			// Without amounts there is nothing to misread.
			if _, err := h.UpdateAttributes(t.Context(), c, DefaultAttributes(money.MustCurrency("EUR"), true), ""); err != nil {
				t.Fatal(err)
			}
			if err := h.changeCurrency(c, "EUR"); err != nil {
				t.Errorf("%s: without amounts: %v", name, err)
			}
			with(&a)
			_, err = h.UpdateAttributes(t.Context(), c, a, "")
			wantFault(t, err, "concurrency_conflict")
		}
	})
}

func TestTenantChanged_andNewAmountsAtOnceAgree(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		for range 8 {
			c := h.tenantNamed("Race", true)
			var both sync.WaitGroup
			var changed, created error
			both.Go(func() { changed = h.changeCurrency(c, "EUR") })
			both.Go(func() {
				_, created = h.CreateAttributes(t.Context(), c, DefaultAttributes(money.MustCurrency("TRY"), true))
			})
			both.Wait()
			if (changed == nil) == (created == nil) {
				t.Errorf("both or none: %v, %v", changed, created)
			}
			if changed != nil {
				wantFault(t, changed, "tenant_currency_fixed")
			} else {
				wantFault(t, created, "concurrency_conflict")
			}
		}
	})
}
