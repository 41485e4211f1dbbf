package program

import (
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/money"
)

func TestConvert_takesTheRateInForce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		day := func(n int) time.Time { return time.Date(2026, 3, n, 12, 0, 0, 0, time.UTC) }
		for _, r := range []ExchangeRate{
			testRate(t, "EUR", "50", day(10)), testRate(t, "EUR", "51.005", day(12)), testRate(t, "JPY", "0.3", day(10)),
		} {
			if _, err := h.CreateExchangeRate(t.Context(), h.main, r); err != nil {
				t.Fatal(err)
			}
		}
		for name, c := range map[string]struct {
			a    money.Amount
			to   string
			at   time.Time
			want string // empty: there is no rate
		}{
			"at the rate of that day": {money.Must(10000, "EUR"), "TRY", day(11), "5000.00"},
			"half up":                 {money.Must(1, "EUR"), "TRY", day(13), "0.51"},
			"half up, exactly":        {money.Must(10, "EUR"), "TRY", day(13), "5.10"}, // 5.1005
			"the pair turned round":   {money.Must(510050, "TRY"), "EUR", day(13), "100.00"},
			"to fewer digits":         {money.Must(100, "TRY"), "JPY", day(11), "3"}, // 3.33
			"from fewer digits":       {money.Must(5, "JPY"), "TRY", day(11), "1.50"},
			"before any rate":         {money.Must(100, "EUR"), "TRY", day(9), ""},
			"without a pair":          {money.Must(100, "EUR"), "USD", day(13), ""},
		} {
			t.Run(name, func(t *testing.T) {
				got, err := h.Convert(t.Context(), h.main.Tenant, c.a, money.MustCurrency(c.to), c.at)
				switch {
				case err != nil:
					t.Fatal(err)
				case got == nil && c.want != "", got != nil && (got.Decimal() != c.want || got.Currency().Code() != c.to):
					t.Errorf("got %v, want %s", got, c.want)
				}
			})
		}
	})
}
