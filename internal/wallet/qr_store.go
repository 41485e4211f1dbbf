package wallet

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/money"
)

func insertQR(ctx context.Context, tx db.Tx, tenant access.TenantID, q QR, now time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO wallet_qr (tenant_id, code, kind, transaction_id, external_id, wallet_id, amount, currency, description, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		tenant, q.Code, string(q.Kind), int64(q.Transaction), q.ExternalID, int64(q.wallet), q.Amount.Minor(), q.Amount.Currency().Code(), q.Description,
		clock.Micros(now), clock.Micros(q.ExpiresAt))
	return err
}

func readQR(ctx context.Context, tx db.Tx, tenant access.TenantID, kind TransactionKind, code string) (QR, bool, error) {
	return db.One(ctx, tx, func(row db.Scanner) (q QR, err error) {
		var minor, expires int64
		var currency string
		err = row.Scan(&q.Code, &q.Kind, (*int64)(&q.Transaction), &q.ExternalID, (*int64)(&q.wallet), &minor, &currency, &q.Description, &expires, &q.IsApproved)
		if err != nil {
			return q, err
		}
		c, err := money.ParseCurrency(currency)
		if err != nil {
			return q, err
		}
		q.Amount, q.ExpiresAt = minorOf(minor, c), clock.FromMicros(expires)
		return q, nil
	}, `SELECT code, kind, transaction_id, external_id, wallet_id, amount, currency, description, expires_at, approved_at IS NOT NULL
		FROM wallet_qr WHERE tenant_id = $1 AND code = $2 AND kind = $3`, tenant, code, string(kind))
}

// approveQR marks a code that waits and has not expired. The check and the change
// are one statement, so that one of many does it.
func approveQR(ctx context.Context, tx db.Tx, tenant access.TenantID, kind TransactionKind, code string, at time.Time) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `UPDATE wallet_qr SET approved_at = $4
		WHERE tenant_id = $1 AND code = $2 AND kind = $3 AND approved_at IS NULL AND expires_at > $4`, tenant, code, string(kind), clock.Micros(at)))
	return n == 1, err
}

func walletByID(ctx context.Context, tx db.Tx, d ID) (Wallet, bool, error) {
	return db.One(ctx, tx, scanWallet, `SELECT `+walletColumns+` FROM wallet WHERE id = $1`, int64(d))
}
