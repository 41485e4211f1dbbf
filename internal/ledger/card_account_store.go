package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/money"
)

var cardAccountInsert = &db.Bulk{
	Head: `INSERT INTO account (id, tenant_id, code, kind, currency, keeps_balance, account_no, owner_key, posted, held,
		posting_count, created_at) VALUES `,
	Columns: 12, Tail: ` ON CONFLICT DO NOTHING RETURNING id`,
}

// OpenCardAccounts opens many customer accounts of one currency at once. Unlike
// [OpenCardAccount] it wants all of their numbers to be new: else it fails with
// AccountNoTaken, and the transaction must be given up.
func OpenCardAccounts(ctx context.Context, tx db.Tx, tenant access.TenantID, all []NewCardAccount, c money.Currency, now time.Time) error {
	args := make([]any, 0, len(all)*cardAccountInsert.Columns)
	for _, a := range all {
		args = append(args, a.ID, tenant, "L.CARD."+a.Number, string(Liability), c.Code(), true, a.Number, a.Owner, 0, 0, 0, clock.Micros(now))
	}
	opened := make(map[AccountID]bool, len(all))
	err := cardAccountInsert.Query(ctx, tx, args, func(row db.Scanner) error {
		var a AccountID
		err := row.Scan(&a)
		opened[a] = true
		return err
	})
	if err != nil {
		return fmt.Errorf("open accounts: %w", err)
	}
	for _, a := range all {
		if !opened[a.ID] {
			return accountTaken(a.Number)
		}
	}
	return nil
}

// FindCardAccount returns the customer account with this number, unlocked.
func FindCardAccount(ctx context.Context, tx db.Tx, tenant access.TenantID, number string) (Account, bool, error) {
	return findAccount(ctx, tx, tenant, number)
}

// GiveAccount makes a customer account somebody else's, as long as it is from's;
// it reports whether it was.
func GiveAccount(ctx context.Context, tx db.Tx, tenant access.TenantID, account AccountID, from, to string) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `UPDATE account SET owner_key = $4 WHERE tenant_id = $1 AND id = $2 AND owner_key = $3`,
		tenant, account, from, to))
	if err != nil {
		return false, fmt.Errorf("give account %s: %w", account, err)
	}
	return n == 1, nil
}

// RenameAccount gives a customer account another number. One that is in use is
// AccountNoTaken, and the transaction must be given up.
func RenameAccount(ctx context.Context, tx db.Tx, tenant access.TenantID, account AccountID, number string) error {
	_, err := tx.Exec(ctx, `UPDATE account SET account_no = $3, code = CASE kind WHEN 'A' THEN 'A.LOAN.' ELSE 'L.CARD.' END || $3
		WHERE tenant_id = $1 AND id = $2`, tenant, account, number)
	if db.IsUnique(err) {
		return accountTaken(number)
	}
	if err != nil {
		return fmt.Errorf("rename account %s: %w", account, err)
	}
	return nil
}
