package program

import (
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/list"
	"github.com/sarraf-platform/sarraf/internal/money"
)

func mustQuotation(t testing.TB, text string) Quotation {
	t.Helper()
	q, err := ParseQuotation(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return q
}

// testRate is a rate of a currency in lira.
func testRate(t testing.TB, base, rate string, from time.Time) ExchangeRate {
	q := mustQuotation(t, rate)
	return ExchangeRate{
		Base: money.MustCurrency(base), Quote: money.MustCurrency("TRY"), Buy: q, Mid: q, Sell: q, Source: RateManual, EffectiveFrom: from,
	}
}

func TestParseQuotation_isExact(t *testing.T) {
	for text, want := range map[string]Quotation{
		"0": 0, "0.0000000001": 1, "1": quotationUnit, "007": 7 * quotationUnit, "38.25": 382_500_000_000,
		"99999999.9999999999": QuotationMax, "0.1": quotationUnit / 10,
	} {
		if got, err := ParseQuotation(text); err != nil || got != want {
			t.Errorf("%s: %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", "100000000", "0.00000000001", "1.00000000000", " 1", "١", "1.2.3",
	} {
		if got, err := ParseQuotation(text); err == nil {
			t.Errorf("%q is read as %d", text, got)
		}
	}
}

func TestQuotation_textIsTheNumber(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		q := Quotation(rapid.Int64Range(0, int64(QuotationMax)).Draw(rt, "q"))
		value, ok := new(big.Rat).SetString(q.String())
		if !ok || value.Cmp(big.NewRat(int64(q), int64(quotationUnit))) != 0 {
			rt.Fatalf("%d is written as %s", q, q)
		}
		if back, err := ParseQuotation(q.String()); err != nil || back != q {
			rt.Fatalf("%s is read as %d, %v; want %d", q, back, err, q)
		}
	})
}

func FuzzParseQuotation(f *testing.F) {
	for _, seed := range []string{"38.25", "99999999.9999999999", "1.", "-0", "0.00000000001", "1e9"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := ParseQuotation(text)
		if err != nil {
			return
		}
		value, ok := new(big.Rat).SetString(text)
		if !ok || q < 0 || q > QuotationMax || value.Cmp(big.NewRat(int64(q), int64(quotationUnit))) != 0 {
			t.Errorf("%q is read as %s", text, q)
		}
	})
}

// Of each pair, the list at a moment has the latest rate that is in force.
func TestExchangeRates_latestEffectiveWins(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		day := func(n int) time.Time { return time.Date(2026, 3, n, 12, 0, 0, 0, time.UTC) }
		var rates []ExchangeRate
		for _, r := range []ExchangeRate{
			testRate(t, "USD", "43.1", day(10)), testRate(t, "USD", "43.3", day(12)), testRate(t, "USD", "43.2", day(11)),
			testRate(t, "EUR", "50", day(11)),
		} {
			made, err := h.CreateExchangeRate(t.Context(), h.main, r)
			if err != nil {
				t.Fatal(err)
			}
			rates = append(rates, made)
		}
		if _, err := h.CreateExchangeRate(t.Context(), h.other, testRate(t, "USD", "1", day(12))); err != nil {
			t.Fatal(err)
		}
		for _, x := range []struct {
			name string
			at   time.Time
			want []ExchangeRate
		}{
			{"before all", day(9), nil},
			{"the first", day(10), rates[:1]},
			{"just before the second", day(11).Add(-time.Microsecond), rates[:1]},
			{"at the second", day(11), []ExchangeRate{rates[3], rates[2]}},
			{"after all", day(20), []ExchangeRate{rates[3], rates[1]}},
		} {
			got, total, err := h.ExchangeRates(t.Context(), h.main, ExchangeRateFilter{EffectiveAt: x.at, Page: list.Page{Limit: 10}})
			if err != nil || total != len(x.want) {
				t.Errorf("%s: %d rates, %v", x.name, total, err)
			}
			if diff := cmp.Diff(x.want, got, cmp.Comparer(func(a, b money.Currency) bool { return a == b }),
				cmp.Comparer(func(a, b id.ID[ExchangeRate]) bool { return a == b })); diff != "" {
				t.Errorf("%s (-want +got):\n%s", x.name, diff)
			}
		}
	})
}

// Of many who take in the same pair and moment at once, one succeeds; the
// database refuses what the checks would.
func TestExchangeRate_isUnique(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		from := h.time.Now()
		var wg sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			wg.Go(func() {
				_, errs[i] = h.CreateExchangeRate(t.Context(), h.main, testRate(t, "USD", "43", from.Add(time.Duration(i))))
			})
		}
		wg.Wait()
		made := 0
		for _, err := range errs {
			if err == nil {
				made++
			} else {
				wantFault(t, err, "exchange_rate_already_exists")
			}
		}
		if made != 1 {
			t.Errorf("%d rates were made, want 1", made)
		}
		later, err := h.CreateExchangeRate(t.Context(), h.main, testRate(t, "USD", "44", from.Add(time.Hour)))
		if err != nil {
			t.Fatal(err)
		}
		later.EffectiveFrom = from
		_, err = h.UpdateExchangeRate(t.Context(), h.main, later, "")
		wantFault(t, err, "exchange_rate_already_exists")
		_, err = h.UpdateExchangeRate(t.Context(), h.other, later, "")
		wantFault(t, err, "exchange_rate_not_found")
		for column, value := range map[string]any{
			"buy_rate": 0, "mid_rate": int64(later.Mid) + 1, "sell_rate": int64(QuotationMax) + 1, "quote_currency": "USD", "source": "Rumour",
			"effective_from": clock.Micros(from),
		} {
			err := h.DB.InTx(t.Context(), func(tx db.Tx) error {
				_, err := tx.Exec(t.Context(), `UPDATE exchange_rate SET `+column+` = $1 WHERE id = $2`, value, later.ID)
				return err
			})
			if err == nil {
				t.Errorf("%s = %v is stored", column, value)
			}
		}
	})
}

func TestExchangeRate_check(t *testing.T) {
	valid := testRate(t, "USD", "43", time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))
	if err := valid.check(); err != nil {
		t.Fatal(err)
	}
	for field, spoil := range map[string]func(r *ExchangeRate){
		"baseCurrency":  func(r *ExchangeRate) { r.Base = money.Currency{} },
		"quoteCurrency": func(r *ExchangeRate) { r.Quote = r.Base },
		"buyRate":       func(r *ExchangeRate) { r.Buy = 0 },
		"sellRate":      func(r *ExchangeRate) { r.Sell = QuotationMax + 1 },
		"midRate":       func(r *ExchangeRate) { r.Mid = r.Buy - 1 },
		"source":        func(r *ExchangeRate) { r.Source = "Rumour" },
		"effectiveFrom": func(r *ExchangeRate) { r.EffectiveFrom = time.Time{} },
	} {
		r := valid
		spoil(&r)
		f, ok := fault.As(r.check())
		if !ok || len(f.Fields) != 1 || f.Fields[0].Name != field {
			t.Errorf("%s: %v", field, f)
		}
	}
}
