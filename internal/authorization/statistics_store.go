package authorization

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// What a row counts as, and how much. The other rows of a life cycle say
// something of its first; only a forced presentment stands for itself.
const (
	isCounted = `(id = root_id OR is_force_post) AND status NOT IN ('Declined', 'Failed', 'Reversed', 'Voided')
		AND NOT (status = 'Expired' AND cleared_amount = 0)`
	isPurchase = `is_debit AND code IN ('Purchase', 'PurchaseWithCashback', 'QuasiCash', 'UniqueTransaction', 'InstallmentSale') AND ` + isCounted
	isCash     = `is_debit AND code IN ('CashWithdrawal', 'CashAdvance') AND ` + isCounted
	isUse      = `status NOT IN ('Declined', 'Failed') AND flow <> 'InternalFee'` // what a card costs is no use of it
	isRefund   = `NOT is_debit AND code = 'Refund' AND ` + isCounted
	worth      = `CASE WHEN cleared_amount > 0 AND status IN ('Cleared', 'Expired', 'Refunded', 'PartiallyRefunded') THEN cleared_amount
		ELSE billing_amount - reversed_amount END`
)

func readStatistics(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[issuing.Issuance], year time.Time) (Statistics, error) {
	var s Statistics
	var pin int64
	sum := func(what string) string {
		return `COALESCE(SUM(CASE WHEN ` + what + ` THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN ` + what + ` THEN ` + worth + ` ELSE 0 END), 0), `
	}
	err := tx.QueryRow(ctx, `SELECT `+sum(isPurchase)+sum(isCash)+sum(isRefund)+`
			COALESCE(SUM(CASE WHEN status = 'Declined' THEN 1 ELSE 0 END), 0),
			COALESCE(SUM(CASE WHEN created_at >= $3 AND ((`+isPurchase+`) OR (`+isCash+`)) THEN `+worth+` ELSE 0 END), 0),
			COALESCE(MAX(CASE WHEN pin_result = 'Match' THEN created_at ELSE 0 END), 0)
		FROM card_transaction WHERE tenant_id = $1 AND issuance_id = $2`, tenant, issuance, clock.Micros(year)).
		Scan(&s.Purchases.Count, &s.Purchases.Amount, &s.Cash.Count, &s.Cash.Amount, &s.Refunds.Count, &s.Refunds.Amount,
			&s.Declines, &s.YearSpend, &pin)
	if err != nil {
		return s, err
	}
	if pin != 0 {
		s.LastPIN = clock.FromMicros(pin)
	}
	ends := func(order string) (at time.Time, amount money.Amount, err error) {
		t, found, err := db.One(ctx, tx, scanTransaction, `SELECT `+transactionColumns+` FROM card_transaction
			WHERE tenant_id = $1 AND issuance_id = $2 AND `+isUse+`
			ORDER BY created_at `+order+`, id `+order+` LIMIT 1`, tenant, issuance)
		if err == nil && found {
			at, amount = t.CreatedAt, t.Amount
		}
		return at, amount, err
	}
	if s.First, _, err = ends("ASC"); err != nil {
		return s, err
	}
	if s.Last, s.LastAmount, err = ends("DESC"); err != nil {
		return s, err
	}
	s.LastDeclineReason, _, err = db.One(ctx, tx, func(row db.Scanner) (r Reason, err error) { return r, row.Scan(&r) },
		`SELECT reason FROM card_transaction WHERE tenant_id = $1 AND issuance_id = $2 AND status = 'Declined'
		ORDER BY created_at DESC, id DESC LIMIT 1`, tenant, issuance)
	return s, err
}

func readLastUse(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[issuing.Issuance], card id.ID[issuing.Card]) (at time.Time, found bool, err error) {
	micros, found, err := db.One(ctx, tx, func(row db.Scanner) (n int64, err error) { return n, row.Scan(&n) },
		`SELECT created_at FROM card_transaction WHERE tenant_id = $1 AND issuance_id = $2 AND card_id = $3 AND `+isUse+`
		ORDER BY created_at DESC LIMIT 1`, tenant, issuance, card)
	if err != nil || !found {
		return time.Time{}, false, err
	}
	return clock.FromMicros(micros), true, nil
}

// holdsOfIssuance returns the holds of what still holds money.
func holdsOfIssuance(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[issuing.Issuance]) ([]ledger.HoldID, error) {
	return db.Collect(ctx, tx, func(row db.Scanner) (h ledger.HoldID, err error) { return h, row.Scan(&h) },
		`SELECT DISTINCT hold_id FROM card_transaction WHERE tenant_id = $1 AND issuance_id = $2 AND hold_id IS NOT NULL
			AND status IN ('Approved', 'PartiallyReversed', 'PartiallyCleared')`, tenant, issuance)
}

// lastUsed is when the last transaction of an issuance came that was not
// declined; the zero time when there is none.
func lastUsed(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[issuing.Issuance]) (time.Time, error) {
	at, found, err := db.One(ctx, tx, func(row db.Scanner) (at int64, err error) { return at, row.Scan(&at) },
		`SELECT created_at FROM card_transaction WHERE tenant_id = $1 AND issuance_id = $2 AND `+isUse+`
		ORDER BY created_at DESC LIMIT 1`, tenant, issuance)
	if err != nil || !found {
		return time.Time{}, err
	}
	return clock.FromMicros(at), nil
}

// firstPaid is when an issuance first paid from a moment on; the zero time when
// it has not.
func firstPaid(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[issuing.Issuance], from time.Time) (time.Time, error) {
	at, found, err := db.One(ctx, tx, func(row db.Scanner) (at int64, err error) { return at, row.Scan(&at) },
		`SELECT created_at FROM card_transaction WHERE tenant_id = $1 AND issuance_id = $2 AND created_at >= $3
		AND ((`+isPurchase+`) OR (`+isCash+`)) ORDER BY created_at LIMIT 1`, tenant, issuance, clock.Micros(from))
	if err != nil || !found {
		return time.Time{}, err
	}
	return clock.FromMicros(at), nil
}

// readSpent sums up what an issuance paid from a moment on, less what was
// refunded of that.
func readSpent(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[issuing.Issuance], from time.Time) (amount int64, count int, err error) {
	err = tx.QueryRow(ctx, `SELECT COALESCE(SUM(`+worth+` - refunded_amount), 0), COUNT(*) FROM card_transaction
		WHERE tenant_id = $1 AND issuance_id = $2 AND created_at >= $3 AND ((`+isPurchase+`) OR (`+isCash+`))`,
		tenant, issuance, clock.Micros(from)).Scan(&amount, &count)
	return max(0, amount), count, err
}
