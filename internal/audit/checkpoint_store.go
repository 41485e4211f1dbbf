package audit

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// insertKey keeps a tenant's key unless it has one.
func insertKey(ctx context.Context, tx db.Tx, tenant, public string, sealed []byte, now time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO audit_key (tenant_id, public_key, private_key, created_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (tenant_id) DO NOTHING`, tenant, public, sealed, clock.Micros(now))
	return err
}

func readKey(ctx context.Context, tx db.Tx, tenant string) (sealed []byte, found bool, err error) {
	return db.One(ctx, tx, func(row db.Scanner) (b []byte, err error) {
		err = row.Scan(&b)
		return b, err
	}, `SELECT private_key FROM audit_key WHERE tenant_id = $1`, tenant)
}

func readPublicKey(ctx context.Context, tx db.Tx, tenant string) (string, bool, error) {
	return db.One(ctx, tx, scanText, `SELECT public_key FROM audit_key WHERE tenant_id = $1`, tenant)
}
