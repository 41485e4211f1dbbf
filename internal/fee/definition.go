package fee

import (
	"strconv"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// IncludeIn makes the fees of all families part of the snapshots that s takes. It
// is for the start.
func IncludeIn(s *control.Service) {
	s.Include(&TransactionFees)
	s.Include(&IssuanceFees)
	s.Include(&AnnualFees)
}

// TaxUse is a tax that lies on a fee. Its rate is in the tenant's table of rates
// by day, never in the fee.
type TaxUse struct {
	Type       TaxType
	IsIncluded bool // in the fee
}

// TaxTypes lists all taxes, in the order of the contract.
func TaxTypes() []TaxType { return []TaxType{BSMV, KKDF, KDV, Stamp, OtherTax} }

// checkUses checks the taxes of a fee.
func checkUses(v *fault.Checks, uses []TaxUse) {
	seen := map[TaxType]bool{}
	for i, t := range uses {
		at := "taxes[" + strconv.Itoa(i) + "].taxType"
		fault.OneOf(v, at, t.Type, TaxTypes())
		v.Is(at, !seen[t.Type], "twice", "stands there already")
		seen[t.Type] = true
	}
}

// fitTaxes refuses a fee with a tax that has no rate on the first day on which the
// fee may hold: it would be charged without.
func fitTaxes(h control.Head, uses []TaxUse, cfg *program.Configuration, now time.Time) error {
	var v fault.Checks
	day := firstDay(h, cfg.Tenant.Zone, now)
	for i, t := range uses {
		_, known := cfg.Attributes.TaxRate(string(t.Type), day)
		v.Is("taxes["+strconv.Itoa(i)+"].taxType", known, "no_rate", "has no rate on "+day.String()+" in the taxRates of the issuing attributes")
	}
	return v.Err(errInvalid)
}

// firstDay is the first day from now on that a fee may hold on.
func firstDay(h control.Head, zone *time.Location, now time.Time) clock.Date {
	if h.StartsAt != nil && h.StartsAt.After(now) {
		now = *h.StartsAt
	}
	return clock.DateOf(now, zone)
}

// checkTexts checks what reports and statements say of a fee.
func checkTexts(v *fault.Checks, accountingCode, statementText string) {
	v.Text("accountingCode", accountingCode, 0, 32)
	v.Text("statementText", statementText, 0, 40)
}

// checkAmount checks an amount of a fee: not negative, in its currency. Nil is
// none.
func checkAmount(v *fault.Checks, name string, a *money.Amount, c money.Currency) {
	v.Is(name, a == nil || a.Sign() >= 0, "negative", "must not be negative")
	v.Is(name, a == nil || a.Currency() == c, "currency", "must be in currencyCode")
}

// fitCurrency refuses a fee for a product of another currency: nothing could be
// computed on its amounts.
func fitCurrency(code string, c money.Currency, p program.Product) error {
	if p.Currency == c {
		return nil
	}
	return errCurrency.With("feeCode", code).With("currencyCode", c.Code()).With("productCode", p.Code).
		With("productCurrencyCode", p.Currency.Code())
}
