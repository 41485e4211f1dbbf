package authorization

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/ledger"
)

// invariant is a rule as two queries: how many rows it speaks of, and the
// identifiers of those that break it.
type invariant struct{ name, count, broken string }

func (r invariant) run(ctx context.Context, tx db.Tx) (ledger.Invariant, error) {
	v := ledger.Invariant{Name: r.name}
	var err error
	v.Checked, _, err = db.One(ctx, tx, func(s db.Scanner) (n int64, err error) { return n, s.Scan(&n) }, r.count)
	if err != nil {
		return v, err
	}
	v.Examples, err = db.Collect(ctx, tx, func(s db.Scanner) (text string, err error) { return text, s.Scan(&text) }, r.broken)
	v.Broken = int64(len(v.Examples))
	v.Examples = v.Examples[:min(len(v.Examples), 10)]
	return v, err
}

var invariants = []invariant{
	{
		name:  "no amount of a transaction is used beyond what was approved",
		count: "SELECT COUNT(*) FROM card_transaction",
		broken: `SELECT id FROM card_transaction WHERE reversed_amount > billing_amount
			AND status NOT IN ('Declined', 'Failed')`,
	},
	{
		name:  "what was declined holds and moves nothing",
		count: "SELECT COUNT(*) FROM card_transaction WHERE status IN ('Declined', 'Failed')",
		broken: `SELECT id FROM card_transaction WHERE status IN ('Declined', 'Failed')
			AND (hold_id IS NOT NULL OR reversed_amount <> 0 OR cleared_amount <> 0 OR refunded_amount <> 0)`,
	},
	{
		name:   "what is approved has a reason of none, what is declined has one",
		count:  "SELECT COUNT(*) FROM card_transaction",
		broken: `SELECT id FROM card_transaction WHERE (status IN ('Declined', 'Failed')) = (reason = '')`,
	},
	{
		name:  "every answered message has its transaction",
		count: "SELECT COUNT(*) FROM message WHERE NOT is_tombstone",
		broken: `SELECT m.key FROM message m LEFT JOIN card_transaction t ON t.id = m.transaction_id
			WHERE NOT m.is_tombstone AND t.id IS NULL`,
	},
	{
		name:  "every message that was decided has its decision",
		count: "SELECT COUNT(*) FROM message WHERE NOT is_tombstone",
		broken: `SELECT m.key FROM message m LEFT JOIN decision d ON d.transaction_id = m.transaction_id
			WHERE NOT m.is_tombstone AND d.transaction_id IS NULL`,
	},
	{
		name:  "a transaction is answered under one message key only",
		count: "SELECT COUNT(*) FROM message WHERE NOT is_tombstone",
		broken: `SELECT transaction_id FROM message WHERE NOT is_tombstone
			GROUP BY transaction_id HAVING COUNT(*) > 1`,
	},
	{
		name:  "a life cycle begins with a transaction of the same tenant",
		count: "SELECT COUNT(*) FROM card_transaction WHERE id <> root_id",
		broken: `SELECT t.id FROM card_transaction t LEFT JOIN card_transaction r ON r.id = t.root_id
			WHERE t.id <> t.root_id AND (r.id IS NULL OR r.tenant_id <> t.tenant_id)`,
	},
}
