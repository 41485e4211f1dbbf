package authorization

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// replayPage is how many transactions are read at a time.
const replayPage = 500

// told is a transaction as it stands now, with the decision on it; clearing
// records have none.
type told struct {
	*Transaction
	decision storedDecision
	record   *record
	damage   error // why the record cannot be read
}

// readTold returns up to n transactions of a tenant in the order in which they
// were made, after one and before another.
func readTold(ctx context.Context, tx db.Tx, tenant access.TenantID, after, before TransactionID, n int) ([]told, error) {
	ids, err := db.Collect(ctx, tx, func(row db.Scanner) (t TransactionID, err error) { return t, row.Scan(&t) },
		`SELECT id FROM card_transaction WHERE id > $1 AND id < $2 AND tenant_id = $3 ORDER BY id LIMIT $4`, after, before, tenant, n)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	transactions, err := ReadTransactions(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	decisions, err := findDecisions(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	page := make([]told, 0, len(ids))
	for _, t := range ids {
		if transactions[t] == nil {
			continue
		}
		x := told{Transaction: transactions[t]}
		if d, decided := decisions[t]; decided {
			x.decision = d
			x.record, x.damage = parseRecord(d.record)
		}
		page = append(page, x)
	}
	return page, nil
}

// countTold counts the transactions of a tenant that lie between two.
func countTold(ctx context.Context, tx db.Tx, tenant access.TenantID, after, before TransactionID) (int, error) {
	n, _, err := db.One(ctx, tx, db.ScanCount,
		`SELECT count(*) FROM card_transaction WHERE id > $1 AND id < $2 AND tenant_id = $3`, after, before, tenant)
	return n, err
}

// hasOlder reports whether a tenant has transactions from before a moment.
func hasOlder(ctx context.Context, tx db.Tx, tenant access.TenantID, t time.Time) (bool, error) {
	_, found, err := db.One(ctx, tx, db.ScanCount,
		`SELECT 1 FROM card_transaction WHERE id < $1 AND tenant_id = $2 AND created_at < $3 LIMIT 1`,
		id.Floor[Transaction](t), tenant, clock.Micros(t))
	return found, err
}
