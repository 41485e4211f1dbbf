package credit

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/ledger"
)

const factColumns = `account_id, customer_no, product_code, branch_code, branch_name, standing, checked_on`

func scanFacts(row db.Scanner) (f Facts, err error) {
	err = row.Scan(&f.AccountID, &f.CustomerNo, &f.ProductCode, &f.BranchCode, &f.BranchName, &f.Standing, &f.CheckedOn)
	return f, err
}

func insertFacts(ctx context.Context, tx db.Tx, tenant access.TenantID, f Facts, now clock.Real) error {
	_, err := tx.Exec(ctx, `INSERT INTO credit_account (tenant_id, `+factColumns+`, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		tenant, f.AccountID, f.CustomerNo, f.ProductCode, f.BranchCode, f.BranchName, string(f.Standing), f.CheckedOn.String(), clock.Micros(now.Time()))
	return err
}

var factLookup = &db.Lookup{Head: `SELECT ` + factColumns + ` FROM credit_account WHERE account_id IN `, Tail: " ORDER BY account_id"}

// readFacts returns what is known of accounts, in their order.
func readFacts(ctx context.Context, tx db.Tx, accounts []ledger.AccountID) (all []Facts, err error) {
	err = factLookup.Query(ctx, tx, nil, id.Texts(accounts), func(row db.Scanner) error {
		f, err := scanFacts(row)
		all = append(all, f)
		return err
	})
	return all, err
}

// updateFacts keeps what a night made of an account.
func updateFacts(ctx context.Context, tx db.Tx, f Facts) error {
	_, err := tx.Exec(ctx, `UPDATE credit_account SET standing = $2, checked_on = $3 WHERE account_id = $1`, f.AccountID, string(f.Standing), f.CheckedOn.String())
	return err
}

// unchecked returns up to n accounts of a tenant that are not done with the days
// before a day, in their order after one.
func unchecked(ctx context.Context, tx db.Tx, tenant access.TenantID, day clock.Date, after ledger.AccountID, n int) ([]ledger.AccountID, error) {
	return db.Collect(ctx, tx, func(row db.Scanner) (a ledger.AccountID, err error) { return a, row.Scan(&a) },
		`SELECT account_id FROM credit_account WHERE tenant_id = $1 AND checked_on < $2 AND account_id > $3 ORDER BY account_id LIMIT $4`,
		tenant, day.String(), after.String(), n)
}

// everyAccount returns all accounts, of every tenant.
func everyAccount(ctx context.Context, tx db.Tx) ([]Facts, error) {
	return db.Collect(ctx, tx, scanFacts, `SELECT `+factColumns+` FROM credit_account ORDER BY account_id`)
}

// accountsOf returns the accounts of a customer.
func accountsOf(ctx context.Context, tx db.Tx, tenant access.TenantID, customerNo string) ([]Facts, error) {
	return db.Collect(ctx, tx, scanFacts, `SELECT `+factColumns+` FROM credit_account WHERE tenant_id = $1 AND customer_no = $2 ORDER BY account_id`,
		tenant, customerNo)
}
