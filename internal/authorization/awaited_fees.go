package authorization

import (
	"context"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// tellAwaited says of the additional amounts of transactions which of them wait for
// a balance that covers them by now: an increment may have let a fee wait that was
// set aside, a load has charged others. held are the holds of the transactions.
func tellAwaited(ctx context.Context, tx db.Tx, all []*Transaction, held map[ledger.HoldID]ledger.Hold) error {
	var roots []string
	for _, t := range all {
		if t.costsBesides() {
			roots = append(roots, t.Root.String())
		}
	}
	if len(roots) == 0 {
		return nil
	}
	dues, err := fee.OpenDues(ctx, tx, roots)
	if err != nil {
		return err
	}
	for _, t := range all {
		if !t.costsBesides() {
			continue
		}
		remains := money.Zero(t.Billing.Currency())
		if h, ok := held[t.Hold]; ok {
			remains = h.Remaining()
		}
		awaited := dues.Awaited(t.Root.String(), remains)
		for i := range t.Additional {
			a := &t.Additional[i]
			a.IsPending = a.IsDebit && slices.Contains(awaited, a.Code)
		}
	}
	return nil
}

// costsBesides reports whether t has fees that may still be waiting: those of a
// clearing record are what was charged with it.
func (t *Transaction) costsBesides() bool {
	switch t.Flow {
	case AuthorizationRequest, FinancialRequest, AuthorizationAdvice, FinancialAdvice:
		return slices.ContainsFunc(t.Additional, func(a fee.Additional) bool { return a.IsDebit })
	}
	return false
}
