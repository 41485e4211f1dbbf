package program

import (
	"sync"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/money"
)

func TestCurrencyConversion_check(t *testing.T) {
	lira, euro := money.MustCurrency("TRY"), money.MustCurrency("EUR")
	valid := func() CurrencyConversion {
		v := DefaultConversion()
		v.BillingCurrencies = []money.Currency{lira, euro}
		v.Markups = []Markup{{Group: "Euro", Currencies: []money.Currency{euro}}, {Group: "Lira", Currencies: []money.Currency{lira}}}
		return v
	}
	if err := valid().check(); err != nil {
		t.Fatal(err)
	}
	for field, spoil := range map[string]func(v *CurrencyConversion){
		"conversionSource":            func(v *CurrencyConversion) { v.Source = "Rumour" },
		"rounding":                    func(v *CurrencyConversion) { v.Rounding = "" },
		"markups":                     func(v *CurrencyConversion) { v.Markups = manyMarkups(maxMarkups + 1) },
		"markups[1].currencyGroup":    func(v *CurrencyConversion) { v.Markups[1].Group = "Euro" },
		"markups[0].currencies":       func(v *CurrencyConversion) { v.Markups[0].Currencies = nil },
		"markups[1].currencies[0]":    func(v *CurrencyConversion) { v.Markups[1].Currencies[0] = euro },
		"markups[0].markupPercent":    func(v *CurrencyConversion) { v.Markups[0].Rate = percent100 + 1 },
		"allowedBillingCurrencies[1]": func(v *CurrencyConversion) { v.BillingCurrencies[1] = lira },
		"allowedBillingCurrencies[0]": func(v *CurrencyConversion) { v.BillingCurrencies[0] = money.Currency{} },
	} {
		v := valid()
		spoil(&v)
		f, ok := fault.As(v.check())
		if !ok || len(f.Fields) != 1 || f.Fields[0].Name != field {
			t.Errorf("%s: %v", field, f)
		}
	}
	marked := valid()
	marked.Markups[1].Rate = onePercent
	if err := marked.check(); err != nil {
		t.Errorf("a mark-up: %v", err)
	}
	for name, idle := range map[string]func(v *CurrencyConversion){
		"tenant": func(v *CurrencyConversion) { v.Source = ConvertedByTenant },
		"client": func(v *CurrencyConversion) { v.Source = ConvertedByClient },
		"even":   func(v *CurrencyConversion) { v.Rounding = RoundedHalfEven },
	} {
		v := valid()
		idle(&v)
		t.Log(name)
		wantFault(t, v.check(), "currency_conversion_not_available")
	}
}

// manyMarkups are n groups, each of a currency of its own.
func manyMarkups(n int) []Markup {
	all := []string{}
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			for c := 'A'; c <= 'Z'; c++ {
				all = append(all, string([]rune{a, b, c}))
			}
		}
	}
	var markups []Markup
	for _, code := range all {
		if c, err := money.ParseCurrency(code); err == nil && len(markups) < n {
			markups = append(markups, Markup{Group: code, Currencies: []money.Currency{c}})
		}
	}
	return markups
}

// Of a product in lira and a list without it, made at the same moment, one is
// refused: no product is ever in a currency that is left out.
func TestSetCurrencyConversion_leavesOutNoProduct(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		euroOnly := DefaultConversion()
		euroOnly.BillingCurrencies = []money.Currency{money.MustCurrency("EUR")}
		for i := range 5 {
			c := h.tenantNamed("Race", true)
			bin := []string{"979200", "979201", "979202", "979203", "979204"}[i]
			if _, err := h.CreateBIN(t.Context(), c, testBIN(bin)); err != nil {
				t.Fatal(err)
			}
			if _, err := h.CreateRange(t.Context(), c, testRange("R1", bin)); err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			var made, set error
			wg.Go(func() { _, made = h.CreateProduct(t.Context(), c, testProduct("P1", "R1")) })
			wg.Go(func() { _, set = h.SetCurrencyConversion(t.Context(), c, euroOnly, "") })
			wg.Wait()
			switch {
			case made == nil:
				wantFault(t, set, "billing_currency_in_use")
			case set == nil:
				wantFault(t, made, "billing_currency_not_allowed")
			default:
				t.Errorf("neither: %v, %v", made, set)
			}
		}
		// What is deleted is in nobody's way.
		h.program(h.main, "979206")
		_, err := h.SetCurrencyConversion(t.Context(), h.main, euroOnly, "")
		wantFault(t, err, "billing_currency_in_use")
		if err := h.DeleteProduct(t.Context(), h.main, "P1"); err != nil {
			t.Fatal(err)
		}
		if _, err := h.SetCurrencyConversion(t.Context(), h.main, euroOnly, ""); err != nil {
			t.Error(err)
		}
	})
}

// Of a mark-up and attributes without a rate of its tax, set at the same moment,
// one is refused: a mark-up is never charged without its tax.
func TestSetCurrencyConversion_keepsARateOfTheTaxOnMarkups(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		marked := DefaultConversion()
		marked.Markups = []Markup{{Group: "Euro", Currencies: []money.Currency{money.MustCurrency("EUR")}, Rate: 2 * onePercent}}
		for range 5 {
			c := h.tenantNamed("Race", true)
			_, err := h.SetCurrencyConversion(t.Context(), c, marked, "")
			wantFault(t, err, "validation_error")
			untaxed := DefaultAttributes(money.MustCurrency("TRY"), true)
			taxed := untaxed
			taxed.TaxRates = []TaxRate{{TaxType: MarkupTax, Rate: 15 * onePercent, EffectiveFrom: "2020-01-01"}}
			if _, err := h.CreateAttributes(t.Context(), c, taxed); err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			var set, dropped error
			wg.Go(func() { _, set = h.SetCurrencyConversion(t.Context(), c, marked, "") })
			wg.Go(func() { _, dropped = h.UpdateAttributes(t.Context(), c, untaxed, "") })
			wg.Wait()
			switch {
			case set == nil:
				wantFault(t, dropped, "validation_error")
			case dropped == nil:
				wantFault(t, set, "validation_error")
			default:
				t.Errorf("neither: %v, %v", set, dropped)
			}
		}
	})
}
