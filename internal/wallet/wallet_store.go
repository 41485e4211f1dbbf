package wallet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

// openTenant sees to it that a tenant has its settings. It holds them for nobody:
// of two at once the later finds what the earlier wrote.
func (s *Service) openTenant(ctx context.Context, tx db.Tx, tenant access.TenantID) error {
	// Nine digits: a number that nobody mistakes for a wallet's identifier.
	n, err := db.Affected(tx.Exec(ctx, `INSERT INTO wallet_tenant (tenant_id, shown_id, pos_account) VALUES ($1, $2, $3)
		ON CONFLICT (tenant_id) DO NOTHING`, tenant, 100_000_000+random(900_000_000), ledger.AcquiredReceivable))
	if err != nil || n == 0 {
		return err
	}
	for level, limits := range defaultLimits() {
		for kind, most := range limits {
			if _, err := tx.Exec(ctx, `INSERT INTO wallet_limit (tenant_id, kyc_level, kind, amount) VALUES ($1, $2, $3, $4)`,
				tenant, int(level), string(kind), most); err != nil {
				return fmt.Errorf("write limits: %w", err)
			}
		}
	}
	return nil
}

// tenantRow is what a tenant has of wallets.
type tenantRow struct {
	shownID int64
	pos     string
}

func readTenant(ctx context.Context, tx db.Tx, tenant access.TenantID) (tenantRow, bool, error) {
	return db.One(ctx, tx, func(row db.Scanner) (t tenantRow, err error) { return t, row.Scan(&t.shownID, &t.pos) },
		`SELECT shown_id, pos_account FROM wallet_tenant WHERE tenant_id = $1`, tenant)
}

func scanText(row db.Scanner) (s string, err error) { return s, row.Scan(&s) }

func posAccount(ctx context.Context, tx db.Tx, tenant access.TenantID, code string) (string, bool, error) {
	return db.One(ctx, tx, scanText, `SELECT account_code FROM wallet_pos WHERE tenant_id = $1 AND code = $2`, tenant, code)
}

func upsertPOS(ctx context.Context, tx db.Tx, tenant access.TenantID, code, account string) error {
	_, err := tx.Exec(ctx, `INSERT INTO wallet_pos (tenant_id, code, account_code) VALUES ($1, $2, $3)
		ON CONFLICT (tenant_id, code) DO UPDATE SET account_code = excluded.account_code`, tenant, code, account)
	return err
}

func readLimits(ctx context.Context, tx db.Tx, tenant access.TenantID, level KYCLevel) (Limits, error) {
	all := Limits{}
	err := db.Each(ctx, tx, func(row db.Scanner) error {
		var kind LimitKind
		var most int64
		err := row.Scan(&kind, &most)
		all[kind] = most
		return err
	}, `SELECT kind, amount FROM wallet_limit WHERE tenant_id = $1 AND kyc_level = $2`, tenant, int(level))
	return all, err
}

func (s *Service) insertAccount(ctx context.Context, tx db.Tx, a Account) (fresh bool, err error) {
	sealed, err := s.seal(ctx, a)
	if err != nil {
		return false, err
	}
	by, err := s.indexesOf(ctx, a)
	if err != nil {
		return false, err
	}
	n, err := db.Affected(tx.Exec(ctx, `INSERT INTO wallet_account (id, tenant_id, account_no, kind, kyc_level, person, identity, tax, phone, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (tenant_id, account_no) DO NOTHING`,
		int64(a.ID), a.Tenant, a.No, string(a.Kind), int(a.Level), sealed, by.identity, by.tax, by.phone, clock.Micros(a.CreatedAt), clock.Micros(a.UpdatedAt)))
	return n == 1, err
}

func (s *Service) seal(ctx context.Context, a Account) ([]byte, error) {
	plain, err := json.Marshal(a.Person)
	if err != nil {
		return nil, fmt.Errorf("encode the person of an account: %w", err)
	}
	defer clear(plain)
	sealed, err := s.hsm.Seal(ctx, a.Tenant.String(), customer.Purpose, plain, hsm.PlaceOf(a.Tenant, "wallet_account", "person", a.ID.String()))
	if err != nil {
		return nil, fmt.Errorf("seal the person of an account: %w", vault.HSMFault(err))
	}
	return sealed, nil
}

const accountColumns = `id, tenant_id, account_no, kind, kyc_level, person, created_at, updated_at`

type accountRow struct {
	Account
	sealed []byte
}

func scanAccount(row db.Scanner) (a accountRow, err error) {
	var created, updated int64
	err = row.Scan((*int64)(&a.ID), &a.Tenant, &a.No, &a.Kind, &a.Level, &a.sealed, &created, &updated)
	a.CreatedAt, a.UpdatedAt = clock.FromMicros(created), clock.FromMicros(updated)
	return a, err
}

func (s *Service) openAccount(ctx context.Context, row accountRow) (Account, error) {
	a := row.Account
	plain, err := s.hsm.Open(ctx, a.Tenant.String(), customer.Purpose, row.sealed,
		hsm.PlaceOf(a.Tenant, "wallet_account", "person", a.ID.String()))
	if err != nil {
		return Account{}, fmt.Errorf("open the person of account %s: %w", a.ID, vault.HSMFault(err))
	}
	defer clear(plain)
	if err := json.Unmarshal(plain, &a.Person); err != nil {
		return Account{}, fmt.Errorf("the person of account %s is malformed", a.ID)
	}
	return a, nil
}

func (s *Service) accountOf(ctx context.Context, tx db.Tx, w Wallet) (Account, error) {
	row, found, err := db.One(ctx, tx, scanAccount, `SELECT `+accountColumns+` FROM wallet_account WHERE id = $1`, int64(w.Account))
	if err != nil || !found {
		return Account{}, fmt.Errorf("read account %s: %w", w.Account, db.Missing(err))
	}
	return s.openAccount(ctx, row)
}

func insertWallet(ctx context.Context, tx db.Tx, w Wallet) (fresh bool, err error) {
	n, err := db.Affected(tx.Exec(ctx, `INSERT INTO wallet (`+walletColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (tenant_id, number) DO NOTHING`,
		int64(w.ID), w.Tenant, int64(w.Account), w.Number, w.Name, w.Currency.Code(), w.Payment, w.PaymentHeld, w.Cash, w.CashHeld,
		clock.Micros(w.CreatedAt)))
	return n == 1, err
}

const walletColumns = `id, tenant_id, account_id, number, name, currency, payment, payment_held, cash, cash_held, created_at`

func scanWallet(row db.Scanner) (w Wallet, err error) {
	var created int64
	var currency string
	if err = row.Scan((*int64)(&w.ID), &w.Tenant, (*int64)(&w.Account), &w.Number, &w.Name, &currency, &w.Payment, &w.PaymentHeld,
		&w.Cash, &w.CashHeld, &created); err != nil {
		return w, err
	}
	w.CreatedAt = clock.FromMicros(created)
	w.Currency, err = money.ParseCurrency(currency)
	return w, err
}

// walletLocks holds wallets in the order of their numbers.
var walletLocks = &db.Lookup{
	Head: "SELECT " + walletColumns + " FROM wallet WHERE tenant_id = $1 AND number IN ", Tail: " ORDER BY number", Lock: true,
}

func lockWallets(ctx context.Context, tx db.Tx, tenant access.TenantID, numbers []string) (map[string]Wallet, error) {
	found := map[string]Wallet{}
	err := walletLocks.Query(ctx, tx, []any{tenant}, numbers, func(row db.Scanner) error {
		w, err := scanWallet(row)
		found[w.Number] = w
		return err
	})
	return found, err
}

func findWallet(ctx context.Context, tx db.Tx, tenant access.TenantID, number string) (Wallet, bool, error) {
	return db.One(ctx, tx, scanWallet, `SELECT `+walletColumns+` FROM wallet WHERE tenant_id = $1 AND number = $2`, tenant, number)
}

func readMonth(ctx context.Context, tx db.Tx, w ID, name string) (Month, error) {
	m, _, err := db.One(ctx, tx, func(row db.Scanner) (m Month, err error) {
		return m, row.Scan(&m.Incoming, &m.Payments, &m.Transfers, &m.Withdrawals)
	}, `SELECT incoming, payments, transfers, withdrawals FROM wallet_month WHERE wallet_id = $1 AND month = $2`, int64(w), name)
	m.Name = name
	return m, err
}

func writeMonth(ctx context.Context, tx db.Tx, w ID, m Month) error {
	_, err := tx.Exec(ctx, `INSERT INTO wallet_month (wallet_id, month, incoming, payments, transfers, withdrawals)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (wallet_id, month) DO UPDATE SET incoming = excluded.incoming,
		payments = excluded.payments, transfers = excluded.transfers, withdrawals = excluded.withdrawals`,
		int64(w), m.Name, m.Incoming, m.Payments, m.Transfers, m.Withdrawals)
	return err
}

// standing reads what there is to know of a wallet, its balances unlocked.
func (s *Service) standing(ctx context.Context, tx db.Tx, w Wallet, month string) (out Standing, err error) {
	out.Wallet = w
	t, found, err := readTenant(ctx, tx, w.Tenant)
	if err != nil || !found {
		return out, fmt.Errorf("read tenant: %w", db.Missing(err))
	}
	out.TenantNo = t.shownID
	if out.Account, err = s.accountOf(ctx, tx, w); err != nil {
		return out, err
	}
	if out.Limits, err = readLimits(ctx, tx, w.Tenant, out.Account.Level); err != nil {
		return out, fmt.Errorf("read limits: %w", err)
	}
	if out.Month, err = readMonth(ctx, tx, w.ID, month); err != nil {
		return out, fmt.Errorf("read month: %w", err)
	}
	accounts, err := ledger.ReadAccounts(ctx, tx, w.buckets())
	if err != nil {
		return out, fmt.Errorf("read balances: %w", err)
	}
	out.Balances, err = w.balancesIn(func(a ledger.AccountID) (ledger.Account, bool) { v, ok := accounts[a]; return v, ok })
	return out, err
}

var errBucketGone = errors.New("an account of the wallet does not exist")

// balancesIn reads the balances from where accounts are found.
func (w Wallet) balancesIn(find func(ledger.AccountID) (ledger.Account, bool)) (b Balances, err error) {
	for i, into := range []*money.Amount{&b.Payment, &b.PaymentHeld, &b.Cash, &b.CashHeld} {
		a, ok := find(w.buckets()[i])
		if !ok {
			return b, fmt.Errorf("wallet %s: %w", strconv.FormatInt(int64(w.ID), 10), errBucketGone)
		}
		*into = a.Posted
	}
	return b, nil
}
