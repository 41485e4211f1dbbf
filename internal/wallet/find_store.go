package wallet

import (
	"context"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/list"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// numberOfPhone is the number of the oldest account of a kind of who has a phone,
// empty when nobody has.
func numberOfPhone(ctx context.Context, tx db.Tx, tenant access.TenantID, index string, kind Kind) (string, error) {
	no, _, err := db.One(ctx, tx, scanText, `SELECT account_no FROM wallet_account WHERE tenant_id = $1 AND phone = $2 AND kind = $3
		ORDER BY created_at, id LIMIT 1`, tenant, index, string(kind))
	return no, err
}

func oldestWallet(ctx context.Context, tx db.Tx, account ID, c money.Currency) (Wallet, bool, error) {
	code := ""
	if !c.IsZero() {
		code = c.Code()
	}
	return db.One(ctx, tx, scanWallet, `SELECT `+walletColumns+` FROM wallet WHERE account_id = $1 AND (currency = $2 OR $2 = '') ORDER BY created_at, id LIMIT 1`,
		int64(account), code)
}

// qualified puts the name of a table before each column of a list.
func qualified(table, columns string) string {
	names := strings.Split(columns, ",")
	for i, n := range names {
		names[i] = table + "." + strings.TrimSpace(n)
	}
	return strings.Join(names, ", ")
}

// walletOrder is what lists of wallets may be ordered by.
var walletOrder = map[string]string{"CreatedDateUtc": "w.created_at", "Id": "w.id", "Number": "w.number"}

func listWallets(ctx context.Context, tx db.Tx, tenant access.TenantID, f Filter, by indexes, p list.Page) (page []Wallet, total int, err error) {
	var where db.Where
	where.And("w.tenant_id = ?", tenant)
	if f.AccountID != 0 {
		where.And("w.account_id = ?", int64(f.AccountID))
	}
	db.Equal(&where, "a.kind", f.Kind)
	db.Equal(&where, "w.name", f.Name)
	db.Equal(&where, "a.account_no", f.AccountNo)
	db.Equal(&where, "w.number", f.No)
	db.Equal(&where, "w.currency", f.Currency)
	if by.identity != nil {
		where.And("a.identity = ?", by.identity)
	}
	if by.tax != nil {
		where.And("a.tax = ?", by.tax)
	}
	if f.Level != 0 {
		where.And("a.kyc_level = ?", int(f.Level))
	}
	if !f.From.IsZero() {
		where.And("w.created_at >= ?", clock.Micros(f.From))
	}
	if !f.Until.IsZero() {
		where.And("w.created_at < ?", clock.Micros(f.Until))
	}
	const from = " FROM wallet w JOIN wallet_account a ON a.id = w.account_id WHERE "
	if total, err = db.Count(ctx, tx, "SELECT 1"+from+where.SQL(), where.Args()...); err != nil {
		return nil, 0, err
	}
	query := "SELECT " + qualified("w", walletColumns) + from + where.SQL() + db.OrderBy(p, walletOrder, "w.created_at", "w.id")
	query += where.Number(" LIMIT ? OFFSET ?", p.Limit, p.Skip)
	page, err = db.Collect(ctx, tx, scanWallet, query, where.Args()...)
	return page, total, err
}

// transactionOrder is what lists of transactions may be ordered by.
var transactionOrder = map[string]string{"CreatedDateUtc": "t.created_at", "Id": "t.id"}

func listTransactions(ctx context.Context, tx db.Tx, tenant access.TenantID, f TransactionFilter, p list.Page) (page []Record, total int, err error) {
	where := f.where(tenant)
	const from = ` FROM wallet_transaction t LEFT JOIN wallet fw ON fw.id = t.from_wallet_id LEFT JOIN wallet_account fa ON fa.id = fw.account_id
		LEFT JOIN wallet tw ON tw.id = t.to_wallet_id LEFT JOIN wallet_account ta ON ta.id = tw.account_id WHERE `
	if total, err = db.Count(ctx, tx, "SELECT 1"+from+where.SQL(), where.Args()...); err != nil {
		return nil, 0, err
	}
	query := "SELECT " + qualified("t", transactionColumns) + `, COALESCE(fw.number, ''), COALESCE(fa.account_no, ''), COALESCE(fa.kind, ''),
		COALESCE(tw.number, ''), COALESCE(ta.account_no, ''), COALESCE(ta.kind, '')` + from + where.SQL() +
		db.OrderBy(p, transactionOrder, "t.created_at DESC", "t.id")
	query += where.Number(" LIMIT ? OFFSET ?", p.Limit, p.Skip)
	page, err = db.Collect(ctx, tx, scanRecord, query, where.Args()...)
	return page, total, err
}

// where is the filter as conditions.
func (f TransactionFilter) where(tenant access.TenantID) *db.Where {
	where := &db.Where{}
	where.And("t.tenant_id = ?", tenant)
	if f.ID != 0 {
		where.And("t.id = ?", int64(f.ID))
	}
	if f.ToWallet != 0 {
		where.And("t.to_wallet_id = ?", int64(f.ToWallet))
	}
	if f.Wallet != 0 {
		where.And("(t.from_wallet_id = ? OR t.to_wallet_id = ?)", int64(f.Wallet), int64(f.Wallet))
	}
	db.Equal(where, "t.external_id", f.ExternalID)
	db.Equal(where, "t.channel_type", f.ChannelType)
	db.Equal(where, "fa.kind", f.FromKind)
	db.Equal(where, "ta.kind", f.ToKind)
	db.Equal(where, "fa.account_no", f.FromAccountNo)
	db.Equal(where, "ta.account_no", f.ToAccountNo)
	db.Equal(where, "fw.number", f.FromNo)
	db.Equal(where, "tw.number", f.ToNo)
	oneOf(where, "t.kind", f.Kinds)
	oneOf(where, "t.status", f.Statuses)
	oneOf(where, "t.currency", f.Currencies)
	if f.NotFailed {
		where.And("t.status <> 'Failed'")
	}
	if !f.From.IsZero() {
		where.And("t.created_at >= ?", clock.Micros(f.From))
	}
	if !f.Until.IsZero() {
		where.And("t.created_at < ?", clock.Micros(f.Until))
	}
	if f.LeastMinor != 0 {
		where.And("t.amount >= ?", f.LeastMinor)
	}
	if f.MostMinor != 0 {
		where.And("t.amount <= ?", f.MostMinor)
	}
	return where
}

// oneOf adds a condition that a column has one of some values; none is any.
func oneOf[T ~string](w *db.Where, column string, values []T) {
	if len(values) == 0 {
		return
	}
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = string(v)
	}
	w.And(column+" IN (?"+strings.Repeat(", ?", len(values)-1)+")", args...)
}

// sides scans the columns of both sides after those of a transaction.
type sides struct {
	row db.Scanner
	r   *Record
}

// Scan implements [db.Scanner].
func (s sides) Scan(into ...any) error {
	a, b := &s.r.Sender, &s.r.Receiver
	return s.row.Scan(append(into, &a.WalletNo, &a.AccountNo, &a.Kind, &b.WalletNo, &b.AccountNo, &b.Kind)...)
}

func scanRecord(row db.Scanner) (r Record, err error) {
	r.Transaction, err = scanTransaction(sides{row, &r})
	return r, err
}
