package credit

import (
	"context"
	"math"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/ledger"
)

// Account returns a credit account as it stands.
func (s *Service) Account(ctx context.Context, c access.Caller, accountNo string) (a Account, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		f, err := s.find(ctx, tx, c, accountNo)
		if err != nil {
			return err
		}
		a, err = s.account(ctx, tx, f)
		return err
	})
	return a, err
}

// find returns what is known of an account of the caller's tenant, by its number.
func (s *Service) find(ctx context.Context, tx db.Tx, c access.Caller, accountNo string) (Facts, error) {
	a, found, err := ledger.FindCardAccount(ctx, tx, c.Tenant, accountNo)
	if err != nil {
		return Facts{}, err
	}
	if !found {
		return Facts{}, errNotFound.With("accountNo", accountNo)
	}
	known, err := readFacts(ctx, tx, []ledger.AccountID{a.ID})
	if err != nil {
		return Facts{}, err
	}
	if len(known) == 0 {
		return Facts{}, errNotFound.With("accountNo", accountNo)
	}
	return known[0], nil
}

// account reads an account as it stands, unlocked.
func (s *Service) account(ctx context.Context, tx db.Tx, f Facts) (a Account, err error) {
	a.Facts = f
	if a.Account, err = ledger.ReadCreditAccount(ctx, tx, f.AccountID); err != nil {
		return a, err
	}
	terms := a.Credit.Line.Terms
	a.NextCut = terms.NextCut(a.Credit.Day)
	a.NextDue = terms.Due(a.NextCut)
	a.LateRate = a.Credit.LateRateOn(a.Credit.Day)
	last, found, err := lastStatement(ctx, tx, f.AccountID)
	if err != nil {
		return a, err
	}
	first := int64(1)
	if found {
		a.Last, a.Points, first = &last, last.Totals.PointsSoFar, last.Last+1
	}
	running, err := ledger.Movements(ctx, tx, f.AccountID, first, math.MaxInt64)
	for _, m := range running {
		a.Points += pointsOf(terms, m)
	}
	return a, err
}
