package access

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

func insertConsent(ctx context.Context, tx db.Tx, c Consent) error {
	_, err := tx.Exec(ctx, `INSERT INTO consent (id, tenant_id, client_id, customer_no, scope, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		c.ID, c.Tenant, c.Client, c.CustomerNo, c.Scope, clock.Micros(c.CreatedAt))
	return err
}

// readConsent returns a consent of a client that was not revoked.
func readConsent(ctx context.Context, tx db.Tx, client, consent string) (Consent, bool, error) {
	return db.One(ctx, tx, func(row db.Scanner) (c Consent, err error) {
		var created int64
		err = row.Scan(&c.ID, &c.Tenant, &c.Client, &c.CustomerNo, &c.Scope, &created)
		c.CreatedAt = clock.FromMicros(created)
		return c, err
	}, `SELECT id, tenant_id, client_id, customer_no, scope, created_at FROM consent WHERE id = $1 AND client_id = $2 AND revoked_at IS NULL`,
		consent, client)
}

// revokeConsent returns false when there was none of the tenant to revoke. Tokens
// that were issued under it end with it.
func revokeConsent(ctx context.Context, tx db.Tx, tenant TenantID, consent string, now time.Time) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `UPDATE consent SET revoked_at = $3 WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL`,
		tenant, consent, clock.Micros(now)))
	if err != nil || n == 0 {
		return false, err
	}
	_, err = tx.Exec(ctx, `UPDATE opaque_token SET revoked_at = $2 WHERE consent_id = $1 AND revoked_at IS NULL`, consent, clock.Micros(now))
	return true, err
}
