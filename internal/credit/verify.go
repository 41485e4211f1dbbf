package credit

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/ledger"
)

// Verify computes every statement again from the entries of its term, to the cent.
func (s *Service) Verify(ctx context.Context) (ledger.Invariant, error) {
	v := ledger.Invariant{Name: "a statement is what the entries of its term make of the one before it"}
	err := s.DB.View(ctx, func(tx db.Tx) error {
		v.Checked, v.Broken, v.Examples = 0, 0, nil
		all, err := everyAccount(ctx, tx)
		if err != nil {
			return err
		}
		for _, f := range all {
			if err := verifyAccount(ctx, tx, f, &v); err != nil {
				return fmt.Errorf("statements of %s: %w", f.AccountID, err)
			}
		}
		return nil
	})
	return v, err
}

func verifyAccount(ctx context.Context, tx db.Tx, f Facts, v *ledger.Invariant) error {
	a, err := ledger.ReadCreditAccount(ctx, tx, f.AccountID)
	if err != nil {
		return err
	}
	all, err := readStatements(ctx, tx, f.AccountID)
	if err != nil {
		return err
	}
	var before Statement
	for i := len(all) - 1; i >= 0; i-- {
		movements, err := ledger.Movements(ctx, tx, f.AccountID, all[i].First, all[i].Last)
		if err != nil {
			return err
		}
		v.Checked++
		if what := all[i].wrong(before.next(a.Credit.OpenedOn, a.Credit.Line.Terms, all[i].Cut, movements)); what != "" {
			v.Break(all[i].Name(a.Number) + ": " + what)
		}
		before = all[i]
	}
	return nil
}
