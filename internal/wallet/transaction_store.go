package wallet

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// keyKind is what a key is of.
type keyKind string

const (
	externalKey keyKind = "External"
	receiptKey  keyKind = "Receipt"
)

// takeKey takes a key for a transaction. Of many at once one gets it: the others
// wait for its transaction, and find it taken unless that was rolled back.
func takeKey(ctx context.Context, tx db.Tx, tenant access.TenantID, kind keyKind, value string, of ID) (taken bool, err error) {
	n, err := db.Affected(tx.Exec(ctx, `INSERT INTO wallet_key (tenant_id, kind, value, transaction_id) VALUES ($1, $2, $3, $4)
		ON CONFLICT (tenant_id, kind, value) DO NOTHING`, tenant, string(kind), value, int64(of)))
	return n == 1, err
}

func idOrNull(d ID) any {
	if d == 0 {
		return nil
	}
	return int64(d)
}

func insertTransaction(ctx context.Context, tx db.Tx, t Transaction) error {
	_, err := tx.Exec(ctx, `INSERT INTO wallet_transaction (id, tenant_id, kind, status, external_id, from_wallet_id, to_wallet_id,
			original_id, amount, currency, of_payment, refunded, refunded_payment, kyc_level, month, settle_on, description, source_type,
			channel_type, created_at, completed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)`,
		int64(t.ID), t.Tenant, string(t.Kind), string(t.Status), t.ExternalID, idOrNull(t.From), idOrNull(t.To), idOrNull(t.Original),
		t.Amount.Minor(), t.Amount.Currency().Code(), t.OfPayment.Minor(), t.Refunded.Minor(), t.RefundedPayment.Minor(), int(t.Level),
		t.Month, t.SettleOn, t.Note.Description, t.Note.SourceType, t.Note.ChannelType, micros(t.CreatedAt), db.MicrosOrNull(t.CompletedAt))
	return err
}

func micros(t time.Time) int64 { return clock.Micros(t) }
