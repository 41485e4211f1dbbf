package authorization

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
)

var _ issuing.Holds = (*Queries)(nil)

// HasOpenHolds implements [issuing.Holds].
func (q *Queries) HasOpenHolds(ctx context.Context, tx db.Tx, issuance id.ID[issuing.Issuance]) (bool, error) {
	ids, err := db.Collect(ctx, tx, func(row db.Scanner) (hold ledger.HoldID, err error) { return hold, row.Scan(&hold) },
		`SELECT DISTINCT hold_id FROM card_transaction WHERE issuance_id = $1 AND hold_id IS NOT NULL
			AND status IN ('Pending', 'Approved', 'PartiallyReversed', 'PartiallyCleared')`, issuance)
	if err != nil {
		return false, fmt.Errorf("read holds of issuance: %w", err)
	}
	holds, err := ledger.ReadHolds(ctx, tx, ids)
	if err != nil {
		return false, fmt.Errorf("read holds of issuance: %w", err)
	}
	for _, h := range holds {
		if h.IsOpen() {
			return true, nil
		}
	}
	return false, nil
}
