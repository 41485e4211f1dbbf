package credit

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/ledger/line"
)

// SetTerms defines what the accounts of a product go by, as [line.Terms.Text]
// writes it. Once there are such accounts, only dated additions may come to it.
func (s *Service) SetTerms(ctx context.Context, c access.Caller, productCode, text string) error {
	terms, err := line.ParseTerms(text)
	if err != nil {
		return fault.New(fault.Invalid, ledger.InvalidTerms, "the terms cannot be read: %v", err).Wrap(err)
	}
	return s.DB.InTx(ctx, func(tx db.Tx) error {
		if err := s.checkProduct(ctx, tx, c, productCode); err != nil {
			return err
		}
		today, err := s.today(ctx, tx, c)
		if err != nil {
			return err
		}
		was, found, err := ledger.FindTerms(ctx, tx, c.Tenant, productCode)
		if err != nil {
			return err
		}
		changed, err := ledger.PutTerms(ctx, tx, c.Tenant, productCode, terms, today, clock.RealNow(s.Clock))
		if err != nil || !changed {
			return err
		}
		type document struct{ Terms string }
		var before any
		action := "Create"
		if found {
			before, action = document{was.Text()}, "Update"
		}
		act := c.Act(clock.RealNow(s.Clock), audit.CreditStream, action)
		act.EntityType, act.EntityKey, act.ProductCode = "CreditTerms", productCode, productCode
		act.Changes = audit.Changes(before, document{terms.Text()})
		return audit.Append(ctx, tx, act)
	})
}

// Terms returns what the accounts of a product go by, as text.
func (s *Service) Terms(ctx context.Context, c access.Caller, productCode string) (text string, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		t, found, err := ledger.FindTerms(ctx, tx, c.Tenant, productCode)
		if err == nil && !found {
			err = fault.New(fault.NotFound, ledger.TermsMissing, "there are no such terms of credit accounts").With("terms", productCode)
		}
		text = t.Text()
		return err
	})
	return text, err
}
