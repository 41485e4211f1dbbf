package control

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/ledger"
)

// usageRules say that what decisions compare with limits is what transactions
// have used.
var usageRules = []ledger.Rule{
	{
		Name:  "a velocity counter is the sum of what transactions have of it",
		Count: `SELECT COUNT(*) FROM velocity_counter`,
		Broken: `SELECT c.id FROM velocity_counter c LEFT JOIN velocity_usage u ON u.counter_id = c.id
			GROUP BY c.id, c.amount, c.count
			HAVING c.amount <> COALESCE(SUM(u.amount), 0) OR c.count <> COALESCE(SUM(u.count), 0)`,
	},
	{
		Name:  "nothing is counted of what nothing stands of",
		Count: `SELECT COUNT(*) FROM velocity_usage`,
		Broken: `SELECT transaction_id || ' ' || counter_id FROM velocity_usage
			WHERE whole > 0 AND standing = 0 AND amount <> 0 OR standing = whole AND amount <> whole_amount OR count > whole_count`,
	},
}

// VerifyUsage checks what was used of velocity limits. It reads all of it.
func VerifyUsage(ctx context.Context, tx db.Tx) ([]ledger.Invariant, error) {
	return ledger.RunRules(ctx, tx, usageRules)
}
