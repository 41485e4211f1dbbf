package fee

import (
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// MarkupGroup is the group, and the code, of the tenant's mark-up on conversions.
// No definition has it: codes are in capitals.
const MarkupGroup = "mark-up"

// WithMarkup adds to the fees that apply to a transaction what the tenant charges
// for its conversion from another currency to that of the account: a fee on the
// amount it became, with its tax, which is given back with what is reversed and
// not with what is refunded. A fee of the type CurrencyConversionFee stands for
// it, even one of nothing.
func WithMarkup(all []Applied, cfg *program.Configuration, from, account money.Currency, at time.Time) []Applied {
	if from == account || slices.ContainsFunc(all, func(a Applied) bool { return a.Type == CurrencyConversionFee }) {
		return all
	}
	m, found := cfg.Conversion.MarkupOn(from)
	if !found {
		return all
	}
	taxes := taxesOn([]TaxUse{{Type: program.MarkupTax}}, cfg.Attributes, clock.DateOf(at, cfg.Tenant.Zone))
	return append(all, Applied{
		Code: MarkupGroup, Name: "Currency conversion", Group: MarkupGroup, Link: "CurrencyConversion/" + m.Group,
		Type: CurrencyConversionFee, Terms: Terms{Calculation: ByRate, Fixed: money.Zero(account), Rate: m.Rate, Taxes: taxes},
		Base: ConvertedDifference, Timing: AtAuthorization, RefundOnReversal: true,
	})
}
