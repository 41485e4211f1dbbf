package authorization

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// readSealed returns the last transaction whose decision is sealed; empty before
// the first.
func readSealed(ctx context.Context, tx db.Tx) (string, error) {
	last, _, err := db.One(ctx, tx, func(row db.Scanner) (last string, err error) { return last, row.Scan(&last) },
		`SELECT sealed_to FROM decision_seal WHERE id = 1`)
	return last, err
}

// moveSealed moves the mark from where it was read; false when another did.
func moveSealed(ctx context.Context, tx db.Tx, from, to string) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `INSERT INTO decision_seal (id, sealed_to) VALUES (1, $2)
		ON CONFLICT (id) DO UPDATE SET sealed_to = $2 WHERE decision_seal.sealed_to = $1`, from, to))
	return n == 1, err
}

// decisionText is a decision as it is stored. What was altered need not parse,
// so nothing is parsed or unpacked.
type decisionText struct {
	transaction, configuration string
	record, trace              string // packed
	tenant                     access.TenantID
	at                         time.Time
}

func scanDecisionText(row db.Scanner) (d decisionText, err error) {
	var at int64
	err = row.Scan(&d.transaction, &d.tenant, &d.configuration, &d.record, &d.trace, &at)
	d.at = clock.FromMicros(at)
	return d, err
}

const decisionTextColumns = `transaction_id, tenant_id, configuration_hash, record, trace, created_at`

// decisionTextsAfter are at most n decisions in the order of their transactions.
func decisionTextsAfter(ctx context.Context, tx db.Tx, after string, n int) ([]decisionText, error) {
	return db.Collect(ctx, tx, scanDecisionText, `SELECT `+decisionTextColumns+` FROM decision
		WHERE transaction_id > $1 ORDER BY transaction_id LIMIT $2`, after, n)
}

// decisionTextsBetween are the decisions of a tenant after one transaction and
// up to another, in their order.
func decisionTextsBetween(ctx context.Context, tx db.Tx, tenant, after, last string) ([]decisionText, error) {
	return db.Collect(ctx, tx, scanDecisionText, `SELECT `+decisionTextColumns+` FROM decision
		WHERE transaction_id > $1 AND transaction_id <= $2 AND tenant_id = $3 ORDER BY transaction_id`, after, last, tenant)
}
