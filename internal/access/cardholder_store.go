package access

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// credential is what a cardholder proves itself by. Generation 0 is none.
type credential struct {
	PasswordHash string
	Generation   int64
}

// putCredential creates or replaces a password, forgets failures and begins the next
// generation of sessions.
func putCredential(ctx context.Context, tx db.Tx, tenant TenantID, customerNo, hash string, now time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO cardholder_credential (tenant_id, customer_no, password_hash, generation, failure_count,
			failed_at, created_at, updated_at) VALUES ($1, $2, $3, 1, 0, 0, $4, $4)
		ON CONFLICT (tenant_id, customer_no) DO UPDATE SET password_hash = $3, failure_count = 0, failed_at = 0,
			generation = cardholder_credential.generation + 1, updated_at = $4`,
		tenant, customerNo, hash, clock.Micros(now))
	if err != nil {
		return err
	}
	return endSessionsOf(ctx, tx, tenant, customerNo)
}

// deleteCredential returns false when there was none.
func deleteCredential(ctx context.Context, tx db.Tx, tenant TenantID, customerNo string) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `DELETE FROM cardholder_credential WHERE tenant_id = $1 AND customer_no = $2`, tenant, customerNo))
	if err != nil || n == 0 {
		return false, err
	}
	return true, endSessionsOf(ctx, tx, tenant, customerNo)
}

func endSessionsOf(ctx context.Context, tx db.Tx, tenant TenantID, customerNo string) error {
	_, err := tx.Exec(ctx, `DELETE FROM cardholder_session WHERE tenant_id = $1 AND customer_no = $2`, tenant, customerNo)
	return err
}

func readCredential(ctx context.Context, tx db.Tx, tenant TenantID, customerNo string) (credential, error) {
	k, _, err := db.One(ctx, tx, func(row db.Scanner) (k credential, err error) {
		err = row.Scan(&k.PasswordHash, &k.Generation)
		return k, err
	}, `SELECT password_hash, generation FROM cardholder_credential WHERE tenant_id = $1 AND customer_no = $2`, tenant, customerNo)
	return k, err
}

// countCardholder is for a cardholder what [countAttempt] is for a client. It holds
// the credential's row; there is none to count for one who has no password.
func countCardholder(ctx context.Context, tx db.Tx, tenant TenantID, customerNo string, now time.Time) (int, error) {
	n, _, err := db.One(ctx, tx, scanInt, `UPDATE cardholder_credential SET
		failure_count = CASE WHEN failed_at <= $3 THEN 1
		                     WHEN failure_count >= $5 THEN $5 + 1
		                     ELSE failure_count + 1 END,
		failed_at     = CASE WHEN failed_at > $3 AND failure_count >= $5 THEN failed_at ELSE $4 END
		WHERE tenant_id = $1 AND customer_no = $2 RETURNING failure_count`,
		tenant, customerNo, clock.Micros(now.Add(-cardholderLockTime)), clock.Micros(now), int64(cardholderTries))
	return n, err
}

func forgetCardholder(ctx context.Context, tx db.Tx, tenant TenantID, customerNo string) error {
	_, err := tx.Exec(ctx, `UPDATE cardholder_credential SET failure_count = 0, failed_at = 0 WHERE tenant_id = $1 AND customer_no = $2`,
		tenant, customerNo)
	return err
}

// lockCredential holds a cardholder's row until the end of the transaction.
func lockCredential(ctx context.Context, tx db.Tx, tenant TenantID, customerNo string) error {
	_, err := tx.Exec(ctx, `UPDATE cardholder_credential SET generation = generation WHERE tenant_id = $1 AND customer_no = $2`, tenant, customerNo)
	return err
}
