package authorization

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/ledger"
)

// movedLookup sums up what was posted of life cycles and not taken back: what was
// presented, and what messages moved themselves.
var movedLookup = &db.Lookup{
	Head: "SELECT root_id, SUM(billing_amount - reversed_amount) FROM card_transaction WHERE root_id IN ",
	Tail: ` AND is_debit AND (flow = 'Clearing' OR (flow IN ('FinancialRequest', 'FinancialAdvice') AND hold_id IS NULL
			AND status IN ('Cleared', 'PartiallyReversed', 'Reversed', 'PartiallyRefunded', 'Refunded')))
		GROUP BY root_id`,
}

// verifyFees checks that what was charged and is held for fees is what their
// terms give on what the life cycle has moved and still holds.
func verifyFees(ctx context.Context, tx db.Tx) (ledger.Invariant, error) {
	v := ledger.Invariant{Name: "fees are charged and held as their terms give on what moved and is held"}
	after := ""
	for {
		dues, roots, err := fee.DuesAfter(ctx, tx, after, verifyBatch)
		if err != nil || len(roots) == 0 {
			return v, err
		}
		after = roots[len(roots)-1]
		if err := verifySomeFees(ctx, tx, &v, dues, roots); err != nil {
			return v, err
		}
	}
}

func verifySomeFees(ctx context.Context, tx db.Tx, v *ledger.Invariant, dues *fee.Dues, roots []string) error {
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
		v.Checked++
		if flaw := feeFlaw(dues, root, heads[ids[i]], holds, entries, moved[root]); flaw != "" {
			v.Break(ids[i].UUID() + ": " + flaw)
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
