package fee

import (
	"strconv"

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
