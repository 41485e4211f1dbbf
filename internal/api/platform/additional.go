package platform

import (
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// The values of calculationSource: what defined fees come to, and the tenant's
// mark-up.
const (
	sourceFees       = "FeeEngine"
	sourceConversion = "CurrencyConversion"
)

// encodeAdditional are the additional amounts of a transaction: the fees on it,
// with a line for each tax.
func encodeAdditional(all []fee.Additional) []additionalAmount {
	out := make([]additionalAmount, 0, len(all))
	for _, a := range all {
		total, err := a.Charge.Total()
		if err != nil {
			total = a.Charge.Fee // charges are made within bounds
		}
		source := sourceFees
		if a.Code == fee.MarkupGroup {
			source = sourceConversion
		}
		line := additionalAmount{
			Type: string(a.Type), CalculationSource: &source, Code: orNil(a.Code), Name: orNil(a.Name), Amount: api.DecimalOf(a.Charge.Fee),
			CurrencyCode: a.Charge.Fee.Currency().Code(), IsDebit: a.IsDebit, Taxes: make([]taxAmount, 0, len(a.Charge.Taxes)),
			TotalAmount: api.DecimalOf(total), IsRefundable: a.IsRefundable, IsPending: a.IsPending,
		}
		for _, t := range a.Charge.Taxes {
			line.Taxes = append(line.Taxes, taxAmount{
				TaxType: string(t.Type), Rate: percentOf(t.Rate), Amount: api.DecimalOf(t.Amount), CurrencyCode: t.Amount.Currency().Code(),
				IsIncluded: t.IsIncluded,
			})
		}
		out = append(out, line)
	}
	return out
}

// totalsOf are the fees and the taxes of a transaction, and both with its billing
// amount. What goes the other way than the transaction is subtracted; taxes that
// lie inside a fee are not added again.
func totalsOf(t *authorization.Transaction) (fees, taxes, total money.Amount) {
	fees, taxes = fee.Sums(t.Additional, t.Billing.Currency())
	if !t.IsDebit {
		fees, taxes = fees.Neg(), taxes.Neg()
	}
	total = t.Billing
	for _, part := range []money.Amount{fees, taxes} {
		if sum, err := total.Add(part); err == nil {
			total = sum
		}
	}
	return fees, taxes, total
}
