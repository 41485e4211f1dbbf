package fee

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/program"
)

var _ program.Taxed = (*Service)(nil)

// CheckTaxes implements [program.Taxed]: what [fitTaxes] asks of a fee is asked of
// all fees when the rates change.
func (s *Service) CheckTaxes(ctx context.Context, tx db.Tx, c access.Caller, a program.Attributes, zone *time.Location, now time.Time) error {
	var v fault.Checks
	told := map[TaxType]bool{}
	check := func(h control.Head, uses []TaxUse) {
		day := firstDay(h, zone, now)
		for _, t := range uses {
			if _, known := a.TaxRate(string(t.Type), day); !known && !told[t.Type] {
				told[t.Type] = true
				v.Fail("taxRates", "in_use", "must have a rate of "+string(t.Type)+" on "+day.String()+": the fee "+h.Code+" names it")
			}
		}
	}
	ctx = db.WithTx(ctx, tx)
	transaction, err := TransactionFees.All(ctx, s.Controls, c, "")
	if err != nil {
		return fmt.Errorf("read fees: %w", err)
	}
	for _, f := range transaction {
		check(f.Head, f.Taxes)
	}
	issuance, err := IssuanceFees.All(ctx, s.Controls, c, "")
	if err != nil {
		return fmt.Errorf("read fees: %w", err)
	}
	for _, f := range issuance {
		check(f.Head, f.Taxes)
	}
	yearly, err := AnnualFees.All(ctx, s.Controls, c, "")
	if err != nil {
		return fmt.Errorf("read fees: %w", err)
	}
	for _, f := range yearly {
		check(f.Head, f.Taxes)
	}
	return v.Err(errInvalid)
}
