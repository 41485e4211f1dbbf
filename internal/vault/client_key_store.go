package vault

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// saveClientKey registers a public key; registering it again changes nothing.
func saveClientKey(ctx context.Context, tx db.Tx, tenant access.TenantID, clientID, fingerprint string, now time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO client_key (tenant_id, client_id, fingerprint, created_at)
		VALUES ($1, $2, $3, $4) ON CONFLICT (tenant_id, client_id, fingerprint) DO NOTHING`,
		tenant, clientID, fingerprint, clock.Micros(now))
	return err
}

func hasClientKey(ctx context.Context, tx db.Tx, tenant access.TenantID, clientID, fingerprint string) (bool, error) {
	n, _, err := db.One(ctx, tx, func(row db.Scanner) (n int, err error) {
		err = row.Scan(&n)
		return n, err
	}, `SELECT COUNT(*) FROM client_key WHERE tenant_id = $1 AND client_id = $2 AND fingerprint = $3`,
		tenant, clientID, fingerprint)
	return n > 0, err
}
