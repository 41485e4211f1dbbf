package fee_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/money"
)

func try(minor int64) money.Amount { return money.Must(minor, "TRY") }

func ptr(a money.Amount) *money.Amount { return &a }

const percent money.Rate = 10_000

// The worked example of contract appendix A: one percent, at least five, and 15 %
// of tax on it.
func TestTerms_workedExample(t *testing.T) {
	terms := fee.Terms{
		Calculation: fee.ByRate, Rate: percent, Fixed: try(0), Min: ptr(try(500)), Taxes: []fee.Tax{{Type: fee.BSMV, Rate: 15 * percent}},
	}
	for _, c := range []struct{ amount, fee, tax, total int64 }{
		{100000, 1000, 150, 1150},
		{60000, 600, 90, 690},
		{65000, 650, 98, 748}, // 0.975
		{40000, 500, 75, 575}, // the minimum
	} {
		got, err := terms.On(try(c.amount))
		if err != nil {
			t.Fatal(err)
		}
		total, err := got.Total()
		if err != nil || got.Fee != try(c.fee) || got.Taxes[0].Amount != try(c.tax) || total != try(c.total) {
			t.Errorf("on %s: %+v, total %s, %v", try(c.amount), got, total, err)
		}
	}
}

func TestTerms_calculations(t *testing.T) {
	for name, c := range map[string]struct {
		terms        fee.Terms
		amount, want int64
	}{
		"fixed":             {fee.Terms{Calculation: fee.Fixed, Fixed: try(300), Rate: percent}, 100000, 300},
		"fixed on nothing":  {fee.Terms{Calculation: fee.Fixed, Fixed: try(300)}, 0, 300},
		"rate":              {fee.Terms{Calculation: fee.ByRate, Rate: 3 * percent}, 10050, 302}, // 301.5
		"both":              {fee.Terms{Calculation: fee.FixedPlusRate, Fixed: try(300), Rate: 3 * percent}, 100000, 3300},
		"higher, the rate":  {fee.Terms{Calculation: fee.MaxOf, Fixed: try(300), Rate: percent}, 100000, 1000},
		"higher, the fixed": {fee.Terms{Calculation: fee.MaxOf, Fixed: try(300), Rate: percent}, 1000, 300},
		"lower, the rate":   {fee.Terms{Calculation: fee.MinOf, Fixed: try(300), Rate: percent}, 1000, 10},
		"lower, the fixed":  {fee.Terms{Calculation: fee.MinOf, Fixed: try(300), Rate: percent}, 100000, 300},
		"at most":           {fee.Terms{Calculation: fee.ByRate, Rate: percent, Max: ptr(try(50))}, 100000, 50},
		"lowest tier":       {tiered(), 99999, 1000},
		"from a bound on":   {tiered(), 100000, 500},
		"highest tier":      {tiered(), 1_000_000, 10},
		"free of charge":    {fee.Terms{Calculation: fee.Fixed, Fixed: try(0)}, 100000, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if c.terms.Fixed.Currency().IsZero() {
				c.terms.Fixed = try(0)
			}
			got, err := c.terms.On(try(c.amount))
			if err != nil || got.Fee != try(c.want) {
				t.Errorf("got %v, %v, want %v", got.Fee, err, try(c.want))
			}
		})
	}
}

// tiered is one percent below 1,000, half below 5,000, and ten kuruş above.
func tiered() fee.Terms {
	return fee.Terms{Calculation: fee.Tiered, Tiers: []fee.Tier{
		{From: try(0), To: ptr(try(100000)), Rate: percent, Fixed: try(0)},
		{From: try(100000), To: ptr(try(500000)), Rate: percent / 2, Fixed: try(0)},
		{From: try(500000), Fixed: try(10)},
	}}
}

func TestTerms_aTaxThatIsIncludedAddsNothing(t *testing.T) {
	terms := fee.Terms{Calculation: fee.Fixed, Fixed: try(11500), Taxes: []fee.Tax{{Type: fee.KDV, Rate: 15 * percent, IsIncluded: true}}}
	got, err := terms.On(try(1))
	if err != nil {
		t.Fatal(err)
	}
	if total, err := got.Total(); err != nil || total != try(11500) || got.Taxes[0].Amount != try(1500) {
		t.Errorf("got %+v, total %v, %v", got, total, err)
	}
}

// Whatever parts a purchase is presented in, they pay together what one
// presentment pays, and no part of a fee is lost or paid twice.
func TestCharge_partsPayWhatTheWholePays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		terms := fee.Terms{
			Calculation: rapid.SampledFrom([]fee.Calculation{fee.Fixed, fee.ByRate, fee.FixedPlusRate, fee.MaxOf, fee.MinOf}).Draw(t, "calculation"),
			Fixed:       try(rapid.Int64Range(0, 10_000).Draw(t, "fixed")),
			Rate:        money.Rate(rapid.Int64Range(0, 200_000).Draw(t, "rate")),
			Taxes: []fee.Tax{
				{Type: fee.BSMV, Rate: money.Rate(rapid.Int64Range(0, 300_000).Draw(t, "tax"))},
				{Type: fee.KDV, Rate: 20 * percent, IsIncluded: rapid.Bool().Draw(t, "included")},
			},
		}
		var paid, sum fee.Charge
		cleared := try(0)
		for i, part := range rapid.SliceOfN(rapid.Int64Range(1, 1_000_000), 1, 6).Draw(t, "parts") {
			next, err := cleared.Add(try(part))
			must(t, err)
			due, err := terms.On(next)
			must(t, err)
			if i == 0 {
				sum = due
			} else {
				more, err := due.Less(paid)
				must(t, err)
				if sum.Fee, err = sum.Fee.Add(more.Fee); err != nil {
					t.Fatal(err)
				}
				for k := range sum.Taxes {
					if sum.Taxes[k].Amount, err = sum.Taxes[k].Amount.Add(more.Taxes[k].Amount); err != nil {
						t.Fatal(err)
					}
				}
			}
			paid, cleared = due, next
		}
		whole, err := terms.On(cleared)
		must(t, err)
		if whole.Fee != sum.Fee || whole.Taxes[0].Amount != sum.Taxes[0].Amount || whole.Taxes[1].Amount != sum.Taxes[1].Amount {
			t.Fatalf("parts pay %+v, the whole %+v", sum, whole)
		}
	})
}

func must(t *rapid.T, err error) {
	if err != nil {
		t.Fatal(err)
	}
}
