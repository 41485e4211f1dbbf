package wallet

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

// What accounts are found by that only a keyed hash of is stored.
const (
	byIdentity = "wallet_identity" // national, or of the tax office: whoever asks may not know which
	byPhone    = "wallet_phone"
)

// index is the keyed hash under which accounts are found by what is sealed.
func (s *Service) index(ctx context.Context, tenant access.TenantID, kind, value string) (string, error) {
	index, err := s.hsm.Index(ctx, tenant.String(), customer.Purpose, []byte(kind+"|"+value))
	if err != nil {
		return "", fmt.Errorf("index an account: %w", vault.HSMFault(err))
	}
	return hex.EncodeToString(index), nil
}

// indexes are those of an account, each nil where nobody knows what it is.
type indexes struct{ identity, tax, phone any }

func (s *Service) indexesOf(ctx context.Context, a Account) (out indexes, err error) {
	for _, x := range []struct {
		into        *any
		kind, value string
	}{
		{&out.identity, byIdentity, a.Person.NationalID},
		{&out.tax, byIdentity, a.Person.TaxNumber},
		{&out.phone, byPhone, a.Person.PhoneCountryCode + a.Person.PhoneNo},
	} {
		if x.value == "" {
			continue
		}
		if *x.into, err = s.index(ctx, a.Tenant, x.kind, x.value); err != nil {
			return indexes{}, err
		}
	}
	return out, nil
}

// accountLock holds an account by its number.
var accountLock = &db.Lookup{
	Head: "SELECT " + accountColumns + " FROM wallet_account WHERE tenant_id = $1 AND account_no IN ", Lock: true,
}

// lockAccount reads an account that nobody else changes meanwhile.
func (s *Service) lockAccount(ctx context.Context, tx db.Tx, tenant access.TenantID, no string) (a Account, found bool, err error) {
	var locked accountRow
	err = accountLock.Query(ctx, tx, []any{tenant}, []string{no}, func(row db.Scanner) (err error) {
		locked, err = scanAccount(row)
		found = true
		return err
	})
	if err != nil || !found {
		return a, false, err
	}
	a, err = s.openAccount(ctx, locked)
	return a, err == nil, err
}

func (s *Service) findAccount(ctx context.Context, tx db.Tx, tenant access.TenantID, no string) (a Account, found bool, err error) {
	row, found, err := db.One(ctx, tx, scanAccount, `SELECT `+accountColumns+` FROM wallet_account WHERE tenant_id = $1 AND account_no = $2`, tenant, no)
	if err != nil || !found {
		return a, false, err
	}
	a, err = s.openAccount(ctx, row)
	return a, err == nil, err
}

func (s *Service) updateAccount(ctx context.Context, tx db.Tx, a Account) error {
	sealed, err := s.seal(ctx, a)
	if err != nil {
		return err
	}
	by, err := s.indexesOf(ctx, a)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE wallet_account SET kyc_level = $2, person = $3, identity = $4, tax = $5, phone = $6, updated_at = $7 WHERE id = $1`,
		int64(a.ID), int(a.Level), sealed, by.identity, by.tax, by.phone, clock.Micros(a.UpdatedAt))
	return err
}

// numberMeant is the wallet in a currency that a reference names: its own number,
// or that of its account.
func numberMeant(ctx context.Context, tx db.Tx, tenant access.TenantID, reference string, c money.Currency) (string, bool, error) {
	return db.One(ctx, tx, scanText, `SELECT w.number FROM wallet w JOIN wallet_account a ON a.id = w.account_id
		WHERE w.tenant_id = $1 AND w.currency = $3 AND (w.number = $2 OR a.account_no = $2)
		ORDER BY CASE WHEN w.number = $2 THEN 0 ELSE 1 END, w.created_at, w.id LIMIT 1`, tenant, reference, c.Code())
}

// numberOfIdentity is the oldest wallet in a currency of who has an identity or a tax
// number; that of a business for which they only act comes last.
func numberOfIdentity(ctx context.Context, tx db.Tx, tenant access.TenantID, index string, c money.Currency) (string, bool, error) {
	return db.One(ctx, tx, scanText, `SELECT w.number FROM wallet_account a JOIN wallet w ON w.account_id = a.id
		WHERE a.tenant_id = $1 AND (a.identity = $2 OR a.tax = $2) AND w.currency = $3
		ORDER BY CASE WHEN a.kind = 'Business' AND COALESCE(a.tax, '') <> $2 THEN 1 ELSE 0 END, w.created_at, w.id LIMIT 1`, tenant, index, c.Code())
}

func insertUnmatched(ctx context.Context, tx db.Tx, tenant access.TenantID, in BankTopUp, at time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO wallet_unmatched (tenant_id, receipt, amount, currency, description, created_at)
		VALUES ($1, $2, $3, $4, $5, $6)`, tenant, in.Receipt, in.Amount.Minor(), in.Amount.Currency().Code(), in.Note.Description, clock.Micros(at))
	return err
}

const unmatchedColumns = `receipt, amount, currency, description, created_at`

func scanUnmatched(row db.Scanner) (u Unmatched, err error) {
	var minor, created int64
	var currency string
	if err = row.Scan(&u.Receipt, &minor, &currency, &u.Description, &created); err != nil {
		return u, err
	}
	c, err := money.ParseCurrency(currency)
	if err != nil {
		return u, err
	}
	u.Amount, u.CreatedAt = minorOf(minor, c), clock.FromMicros(created)
	return u, nil
}

func readUnmatched(ctx context.Context, tx db.Tx, tenant access.TenantID, receipt string) (Unmatched, bool, error) {
	return db.One(ctx, tx, scanUnmatched, `SELECT `+unmatchedColumns+` FROM wallet_unmatched WHERE tenant_id = $1 AND receipt = $2`, tenant, receipt)
}

// listUnmatched are those that nobody was found for, the oldest first.
func listUnmatched(ctx context.Context, tx db.Tx, tenant access.TenantID) ([]Unmatched, error) {
	return db.Collect(ctx, tx, scanUnmatched, `SELECT `+unmatchedColumns+` FROM wallet_unmatched u WHERE tenant_id = $1 AND NOT EXISTS
		(SELECT 1 FROM wallet_key k WHERE k.tenant_id = u.tenant_id AND k.kind = 'Assigned' AND k.value = u.receipt) ORDER BY created_at, receipt`, tenant)
}
