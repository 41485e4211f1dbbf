package wallet

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

// keyKind is what a key is of.
type keyKind string

const (
	externalKey keyKind = "External"
	receiptKey  keyKind = "Receipt"
	assignedKey keyKind = "Assigned"
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

const transactionColumns = `id, tenant_id, kind, status, external_id, from_wallet_id, to_wallet_id, original_id, amount, currency, of_payment,
	refunded, refunded_payment, kyc_level, month, settle_on, request_id, destination, description, source_type, channel_type, created_at, completed_at`

func insertTransaction(ctx context.Context, tx db.Tx, t Transaction) error {
	_, err := tx.Exec(ctx, `INSERT INTO wallet_transaction (`+transactionColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)`,
		int64(t.ID), t.Tenant, string(t.Kind), string(t.Status), t.ExternalID, idOrNull(t.From), idOrNull(t.To), idOrNull(t.Original),
		t.Amount.Minor(), t.Amount.Currency().Code(), t.OfPayment.Minor(), t.Refunded.Minor(), t.RefundedPayment.Minor(), int(t.Level),
		t.Month, t.SettleOn, idOrNull(t.RequestID), t.sealed, t.Note.Description, t.Note.SourceType, t.Note.ChannelType,
		clock.Micros(t.CreatedAt), db.MicrosOrNull(t.CompletedAt))
	return err
}

// updateTransaction writes what may change of a transaction.
func updateTransaction(ctx context.Context, tx db.Tx, t Transaction) error {
	_, err := tx.Exec(ctx, `UPDATE wallet_transaction SET status = $2, refunded = $3, refunded_payment = $4, month = $5, settle_on = $6,
		completed_at = $7 WHERE id = $1`, int64(t.ID), string(t.Status), t.Refunded.Minor(), t.RefundedPayment.Minor(), t.Month, t.SettleOn,
		db.MicrosOrNull(t.CompletedAt))
	return err
}

func scanTransaction(row db.Scanner) (t Transaction, err error) {
	var from, to, original, request, completed *int64
	var amount, ofPayment, refunded, refundedPayment, created int64
	var currency string
	if err = row.Scan((*int64)(&t.ID), &t.Tenant, &t.Kind, &t.Status, &t.ExternalID, &from, &to, &original, &amount, &currency, &ofPayment,
		&refunded, &refundedPayment, &t.Level, &t.Month, &t.SettleOn, &request, &t.sealed, &t.Note.Description, &t.Note.SourceType,
		&t.Note.ChannelType, &created, &completed); err != nil {
		return t, err
	}
	c, err := money.ParseCurrency(currency)
	if err != nil {
		return t, err
	}
	for into, from := range map[*ID]*int64{&t.From: from, &t.To: to, &t.Original: original, &t.RequestID: request} {
		if from != nil {
			*into = ID(*from)
		}
	}
	t.Amount, t.OfPayment = minorOf(amount, c), minorOf(ofPayment, c)
	t.Refunded, t.RefundedPayment = minorOf(refunded, c), minorOf(refundedPayment, c)
	if t.CreatedAt = clock.FromMicros(created); completed != nil {
		t.CompletedAt = clock.FromMicros(*completed)
	}
	return t, nil
}

// mustTransaction reads a transaction of a tenant.
func mustTransaction(ctx context.Context, tx db.Tx, tenant access.TenantID, d ID) (Transaction, error) {
	t, found, err := db.One(ctx, tx, scanTransaction, `SELECT `+transactionColumns+` FROM wallet_transaction WHERE tenant_id = $1 AND id = $2`,
		tenant, int64(d))
	if err == nil && !found {
		return t, ErrTransactionNotFound
	}
	return t, err
}

// numbersOf are the numbers of the wallets of a transaction.
func numbersOf(ctx context.Context, tx db.Tx, tenant access.TenantID, d ID) ([]string, error) {
	numbers, err := db.Collect(ctx, tx, scanText, `SELECT w.number FROM wallet_transaction t JOIN wallet w ON w.id = t.from_wallet_id OR w.id = t.to_wallet_id
		WHERE t.tenant_id = $1 AND t.id = $2`, tenant, int64(d))
	if err == nil && len(numbers) == 0 {
		return nil, ErrTransactionNotFound
	}
	return numbers, err
}

// toSettle are payments of a tenant whose settlement day has come, in the order of
// their identifiers.
func toSettle(ctx context.Context, tx db.Tx, tenant access.TenantID, today clock.Date, after ID, n int) ([]ID, error) {
	return db.Collect(ctx, tx, func(row db.Scanner) (d ID, err error) { return d, row.Scan((*int64)(&d)) },
		`SELECT id FROM wallet_transaction WHERE tenant_id = $1 AND settle_on IS NOT NULL AND settle_on <= $2 AND id > $3 ORDER BY id LIMIT $4`,
		tenant, today, int64(after), n)
}

func (s *Service) sealDestination(ctx context.Context, t Transaction, d Destination) ([]byte, error) {
	plain, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("encode destination: %w", err)
	}
	defer clear(plain)
	sealed, err := s.hsm.Seal(ctx, t.Tenant.String(), customer.Purpose, plain, placeOfDestination(t))
	if err != nil {
		return nil, fmt.Errorf("seal destination: %w", vault.HSMFault(err))
	}
	return sealed, nil
}

func (s *Service) openDestination(ctx context.Context, t Transaction) (d Destination, err error) {
	plain, err := s.hsm.Open(ctx, t.Tenant.String(), customer.Purpose, t.sealed, placeOfDestination(t))
	if err != nil {
		return d, vault.HSMFault(err)
	}
	defer clear(plain)
	return d, json.Unmarshal(plain, &d)
}

func placeOfDestination(t Transaction) []byte {
	return hsm.PlaceOf(t.Tenant, "wallet_transaction", "destination", t.ID.String())
}
