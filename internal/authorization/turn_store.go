package authorization

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// takeTurn takes the turn of a transaction until a moment, unless somebody has it.
func takeTurn(ctx context.Context, tx db.Tx, tenant access.TenantID, t TransactionID, holder string, now, until time.Time) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `INSERT INTO transaction_turn (tenant_id, transaction_id, holder, ends_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (tenant_id, transaction_id) DO UPDATE SET holder = $3, ends_at = $4 WHERE transaction_turn.ends_at < $5`,
		tenant, t, holder, clock.Micros(until), clock.Micros(now)))
	return n > 0, err
}

func endTurn(ctx context.Context, tx db.Tx, tenant access.TenantID, t TransactionID, holder string) error {
	_, err := tx.Exec(ctx, "DELETE FROM transaction_turn WHERE tenant_id = $1 AND transaction_id = $2 AND holder = $3", tenant, t, holder)
	return err
}
