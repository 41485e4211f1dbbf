package vault

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// saveClientKey registers a public key and returns it as it is stored: one that
// was there before keeps its time.
func saveClientKey(ctx context.Context, tx db.Tx, k ClientKey) (ClientKey, error) {
	k, _, err := db.One(ctx, tx, scanClientKey, `INSERT INTO client_key (tenant_id, client_id, fingerprint, created_at)
		VALUES ($1, $2, $3, $4)
		ON CONFLICT (tenant_id, client_id, fingerprint) DO UPDATE SET created_at = client_key.created_at
		RETURNING tenant_id, client_id, fingerprint, created_at`,
		k.Tenant, k.ClientID, k.Fingerprint, clock.Micros(k.RegisteredAt))
	return k, err
}

func readClientKeys(ctx context.Context, tx db.Tx, tenant access.TenantID, clientID string) ([]ClientKey, error) {
	return db.Collect(ctx, tx, scanClientKey, `SELECT tenant_id, client_id, fingerprint, created_at FROM client_key
		WHERE tenant_id = $1 AND client_id = $2 ORDER BY created_at, fingerprint`, tenant, clientID)
}

func scanClientKey(row db.Scanner) (k ClientKey, err error) {
	var created int64
	err = row.Scan(&k.Tenant, &k.ClientID, &k.Fingerprint, &created)
	k.RegisteredAt = clock.FromMicros(created)
	return k, err
}

func hasClientKey(ctx context.Context, tx db.Tx, tenant access.TenantID, clientID, fingerprint string) (bool, error) {
	n, _, err := db.One(ctx, tx, func(row db.Scanner) (n int, err error) {
		err = row.Scan(&n)
		return n, err
	}, `SELECT COUNT(*) FROM client_key WHERE tenant_id = $1 AND client_id = $2 AND fingerprint = $3`,
		tenant, clientID, fingerprint)
	return n > 0, err
}
