package authorization

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// movedLookup sums up what was posted of life cycles and not taken back: what was
// presented, and what messages moved themselves.
var movedLookup = &db.Lookup{
	Head: "SELECT root_id, SUM(billing_amount - reversed_amount) FROM card_transaction WHERE root_id IN ",
	Tail: ` AND is_debit AND (flow = 'Clearing' OR (flow IN ('FinancialRequest', 'FinancialAdvice') AND hold_id IS NULL
			AND status IN ('Cleared', 'PartiallyReversed', 'Reversed', 'PartiallyRefunded', 'Refunded')))
		GROUP BY root_id`,
}

// composedLookup finds life cycles that are counted in several parts.
var composedLookup = &db.Lookup{
	Head: "SELECT DISTINCT root_id FROM card_transaction WHERE root_id IN ",
	Tail: ` AND id <> root_id AND is_debit AND (is_force_post OR flow = 'AuthorizationRequest')`,
}

// feeCheck checks fees of life cycles.
type feeCheck struct{ charged, counted ledger.Invariant }

// verifyFees checks that what was charged and is held for fees is what their
// terms give on what the life cycle has moved and still holds, and that limits
// which count fees have what was charged and is held.
func verifyFees(ctx context.Context, tx db.Tx) ([]ledger.Invariant, error) {
	v := feeCheck{
		charged: ledger.Invariant{Name: "fees are charged and held as their terms give on what moved and is held"},
		counted: ledger.Invariant{Name: "what a limit counts of fees is what stands of them"},
	}
	after := ""
	for {
		dues, roots, err := fee.DuesAfter(ctx, tx, after, verifyBatch)
		if err != nil || len(roots) == 0 {
			return []ledger.Invariant{v.charged, v.counted}, err
		}
		after = roots[len(roots)-1]
		if err := v.some(ctx, tx, dues, roots); err != nil {
			return nil, err
		}
	}
}

func (v *feeCheck) some(ctx context.Context, tx db.Tx, dues *fee.Dues, roots []string) error {
	entries, err := dues.Entries(ctx, tx)
	if err != nil {
		return err
	}
	moved := map[string]int64{}
	err = movedLookup.Query(ctx, tx, nil, roots, func(s db.Scanner) error {
		var root string
		var minor int64
		err := s.Scan(&root, &minor)
		moved[root] = minor
		return err
	})
	if err != nil {
		return err
	}
	ids := make([]TransactionID, len(roots))
	for i, root := range roots {
		if ids[i], err = id.Parse[Transaction](root); err != nil {
			return err
		}
	}
	heads, err := ReadTransactions(ctx, tx, ids)
	if err != nil {
		return err
	}
	var on []ledger.HoldID
	for _, t := range heads {
		on = append(on, t.Hold)
	}
	holds, err := ledger.ReadHolds(ctx, tx, on)
	if err != nil {
		return err
	}
	for i, root := range roots {
		v.charged.Checked++
		if flaw := feeFlaw(dues, root, heads[ids[i]], holds, entries, moved[root]); flaw != "" {
			v.charged.Break(ids[i].UUID() + ": " + flaw)
		}
	}
	return v.limits(ctx, tx, dues, heads, holds)
}

// limits compares what limits have of the fees of life cycles with what stands of
// them. One that is counted in parts, some of them perhaps by other limits, is left
// out, and so is a decline, which uses none.
func (v *feeCheck) limits(ctx context.Context, tx db.Tx, dues *fee.Dues, heads map[TransactionID]*Transaction, holds map[ledger.HoldID]ledger.Hold) error {
	roots := make([]string, 0, len(heads))
	for _, t := range heads {
		roots = append(roots, t.ID.String())
	}
	counted, err := control.FeesCounted(ctx, tx, roots)
	if err != nil {
		return err
	}
	err = composedLookup.Query(ctx, tx, nil, roots, func(s db.Scanner) error {
		var root string
		err := s.Scan(&root)
		delete(counted, root)
		return err
	})
	if err != nil {
		return err
	}
	for _, t := range heads {
		if t.Status == StatusDeclined {
			continue
		}
		held := money.Zero(t.Billing.Currency())
		if h, found := holds[t.Hold]; found {
			held = h.Remaining()
		}
		spent, kept := dues.Stands(t.ID.String(), held)
		for _, c := range counted[t.ID.String()] {
			v.counted.Checked++
			if c.Lowers && c.Fees != kept || !c.Lowers && c.Fees != spent {
				v.counted.Break(t.ID.UUID() + ": " + c.Counter)
			}
		}
	}
	return nil
}

// feeFlaw says what is wrong with the fees of one life cycle; empty when nothing
// is.
func feeFlaw(dues *fee.Dues, root string, t *Transaction, holds map[ledger.HoldID]ledger.Hold, entries map[string]ledger.Entry, moved int64) string {
	if t == nil {
		return "what they are on is missing"
	}
	if flaw := dues.Flaw(root, entries); flaw != "" {
		return flaw
	}
	for _, d := range dues.Of(root) {
		if t.Flow != InternalFee && d.Moved.Minor() != moved {
			return d.Code + ": another amount has moved"
		}
	}
	h, held := holds[t.Hold]
	switch {
	case !held:
		return ""
	case !h.IsOpen() && h.Fees.IsZero():
		return ""
	case h.Fees != dues.ToHold(root, h.Remaining()):
		return "another amount is held for them"
	}
	return ""
}
