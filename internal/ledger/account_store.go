package ledger

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// OpenCardAccount returns the customer account with this number, opening it
// when there is none. owner says whose it is, opaque here.
//
// An account that is already known for the same owner and currency is
// returned; one that is another's, or kept in another currency, is a conflict
// (AccountNoTaken) that does not tell which. ahead is the tenant's.
func OpenCardAccount(ctx context.Context, tx db.Tx, tenant access.TenantID, number, owner string, c money.Currency, now clock.Real, ahead clock.Ahead) (Account, error) {
	fresh := id.New[Account](now.Time())
	_, err := tx.Exec(ctx, `INSERT INTO account
			(id, tenant_id, code, kind, currency, keeps_balance, account_no, owner_key, posted, held, posting_count, created_at)
		VALUES ($1, $2, $3, 'L', $4, $5, $6, $7, 0, 0, 0, $8) ON CONFLICT DO NOTHING`,
		fresh, tenant, "L.CARD."+number, c.Code(), true, number, owner, clock.Micros(ahead.At(now)))
	if err != nil {
		return Account{}, fmt.Errorf("open account: %w", err)
	}
	a, found, err := findAccount(ctx, tx, tenant, number)
	if err != nil {
		return Account{}, fmt.Errorf("open account: %w", err)
	}
	if !found || a.Owner != owner || a.Currency != c {
		return Account{}, accountTaken(number)
	}
	return a, nil
}

func findAccount(ctx context.Context, tx db.Tx, tenant access.TenantID, number string) (Account, bool, error) {
	return db.One(ctx, tx, scanAccount,
		"SELECT "+accountColumns+" FROM account WHERE tenant_id = $1 AND account_no = $2", tenant, number)
}

// OpenBucket opens a customer account that the outside knows by no number of its
// own, as one of several that are shown together. code is its place in the chart,
// with what makes it the only one.
func OpenBucket(ctx context.Context, tx db.Tx, tenant access.TenantID, code string, c money.Currency, now clock.Real, ahead clock.Ahead) (Account, error) {
	at := ahead.At(now)
	a := Account{ID: id.New[Account](now.Time()), Tenant: tenant, Code: code, Kind: Liability, Currency: c, KeepsBalance: true,
		Posted: money.Zero(c), Held: money.Zero(c), CreatedAt: at}
	_, err := tx.Exec(ctx, `INSERT INTO account (id, tenant_id, code, kind, currency, keeps_balance, posted, held, posting_count, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, 0, 0, 0, $7)`, a.ID, tenant, code, string(a.Kind), c.Code(), true, clock.Micros(at))
	if err != nil {
		return Account{}, fmt.Errorf("open account: %w", err)
	}
	return a, nil
}

var accountLookup = &db.Lookup{Head: "SELECT " + accountColumns + " FROM account WHERE id IN "}

// ReadAccounts returns the accounts with these identifiers, unlocked, for showing.
func ReadAccounts(ctx context.Context, tx db.Tx, ids []AccountID) (map[AccountID]Account, error) {
	found := make(map[AccountID]Account, len(ids))
	err := accountLookup.Query(ctx, tx, nil, id.Texts(ids), func(s db.Scanner) error {
		a, err := scanAccount(s)
		found[a.ID] = a
		return err
	})
	return found, err
}
