package access

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// claimKey takes a key that is not there, has expired, or was claimed with the
// same body by someone whose lease ended without an answer.
func claimKey(ctx context.Context, tx db.Tx, row onceRow, now, leasedUntil, expires time.Time) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `INSERT INTO idempotency
		(tenant_id, scope, key, body_hash, holder, leased_until, status, body, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, 0, NULL, $7)
		ON CONFLICT (tenant_id, scope, key) DO UPDATE SET
			body_hash = $4, holder = $5, leased_until = $6, status = 0, body = NULL, expires_at = $7
		WHERE idempotency.expires_at <= $8
		   OR (idempotency.status = 0 AND idempotency.leased_until <= $8 AND idempotency.body_hash = $4)`,
		row.Tenant, row.Scope, row.Key, row.BodyHash, row.Holder,
		clock.Micros(leasedUntil), clock.Micros(expires), clock.Micros(now)))
	return n == 1, err
}

func readKey(ctx context.Context, tx db.Tx, row onceRow) (storedAnswer, bool, error) {
	return db.One(ctx, tx, func(r db.Scanner) (storedAnswer, error) {
		var a storedAnswer
		var leased int64
		err := r.Scan(&a.BodyHash, &a.Status, &a.Body, &leased)
		a.Leased = clock.FromMicros(leased)
		return a, err
	}, `SELECT body_hash, status, body, leased_until FROM idempotency WHERE tenant_id = $1 AND scope = $2 AND key = $3`,
		row.Tenant, row.Scope, row.Key)
}

// storeAnswer keeps the answer if row still holds the key.
func storeAnswer(ctx context.Context, tx db.Tx, row onceRow, a Answer) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `UPDATE idempotency SET status = $5, body = $6
		WHERE tenant_id = $1 AND scope = $2 AND key = $3 AND holder = $4 AND status = 0`,
		row.Tenant, row.Scope, row.Key, row.Holder, int64(a.Status), a.Body))
	return n == 1, err
}

func releaseKey(ctx context.Context, tx db.Tx, row onceRow) error {
	_, err := tx.Exec(ctx, `DELETE FROM idempotency
		WHERE tenant_id = $1 AND scope = $2 AND key = $3 AND holder = $4 AND status = 0`,
		row.Tenant, row.Scope, row.Key, row.Holder)
	return err
}

func sweepKeys(ctx context.Context, tx db.Tx, now time.Time) (int64, error) {
	return db.Affected(tx.Exec(ctx, `DELETE FROM idempotency WHERE expires_at <= $1`, clock.Micros(now)))
}
