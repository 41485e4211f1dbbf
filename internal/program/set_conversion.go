package program

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// CurrencyConversion returns how the tenant's transactions in other currencies
// are billed: what it has set, or the default, which then has no stamp.
func (s *Service) CurrencyConversion(ctx context.Context, c access.Caller) (v CurrencyConversion, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		if v, _, err = readConversion(ctx, tx, c.Tenant); err != nil {
			return fmt.Errorf("read currency conversion: %w", err)
		}
		return nil
	})
	return v, err
}

// SetCurrencyConversion replaces how the tenant's transactions in other
// currencies are billed. stamp must be the present one, or empty. What would not
// act is refused, and so are billing currencies without that of a product, and
// mark-ups whose tax has no rate.
func (s *Service) SetCurrencyConversion(ctx context.Context, c access.Caller, in CurrencyConversion, stamp string) (CurrencyConversion, error) {
	if err := in.check(); err != nil {
		return CurrencyConversion{}, err
	}
	v := in
	now := c.Now(s.Clock)
	err := s.Change(ctx, c.Tenant, func(tx db.Tx) error {
		old, found, err := readConversion(ctx, tx, c.Tenant)
		if err != nil {
			return fmt.Errorf("read currency conversion: %w", err)
		}
		v.Record = old.Record.Updated(c, now)
		if !found {
			v.Record = access.NewRecord(c, now)
		}
		if err := v.taxed(ctx, tx, c.Tenant, now); err != nil {
			return err
		}
		others, err := readBilledElsewhere(ctx, tx, c.Tenant, v)
		if err != nil {
			return fmt.Errorf("read products: %w", err)
		}
		if len(others) > 0 {
			return errBillingCurrencyInUse.With("currencyCode", others[0].Currency.Code()).With("productCode", others[0].Code)
		}
		if err := written(writeConversion(ctx, tx, c.Tenant, v, stamp)); err != nil {
			return err
		}
		// The first time, too, old is what was in force: the record has what differs from the default.
		return s.recordDefinition(ctx, tx, c, conversionEntity, "", old, v)
	})
	if err != nil {
		return CurrencyConversion{}, err
	}
	return v, nil
}

// taxed checks the tax on mark-ups against the tenant's rates of the day.
func (v CurrencyConversion) taxed(ctx context.Context, tx db.Tx, tenant access.TenantID, now time.Time) error {
	if _, found := v.marked(); !found {
		return nil
	}
	t, err := access.MustTenant(ctx, tx, tenant)
	if err != nil {
		return err
	}
	a, _, err := readAttributes(ctx, tx, t)
	if err != nil {
		return fmt.Errorf("read issuing attributes: %w", err)
	}
	return v.checkMarkupTax(a, clock.DateOf(now, t.Zone))
}

// inBillingCurrency checks the product's currency against those the tenant
// allows.
func (p *Product) inBillingCurrency(ctx context.Context, tx db.Tx, tenant access.TenantID) error {
	v, _, err := readConversion(ctx, tx, tenant)
	if err != nil {
		return fmt.Errorf("read currency conversion: %w", err)
	}
	if !v.Bills(p.Currency) {
		return errBillingCurrency.With("currencyCode", p.Currency.Code())
	}
	return nil
}
