package wallet

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// readFolds adds up what transactions took from and gave to each balance.
func readFolds(ctx context.Context, tx db.Tx) (map[ID]fold, error) {
	all := map[ID]fold{}
	err := db.Each(ctx, tx, func(row db.Scanner) error {
		var w ID
		var part fold
		err := row.Scan((*int64)(&w), &part.payment, &part.cash, &part.held)
		f := all[w]
		all[w] = fold{f.payment + part.payment, f.cash + part.cash, f.held + part.held}
		return err
	}, `SELECT to_wallet_id,
			CAST(SUM(CASE kind WHEN 'CardTopup' THEN amount WHEN 'Refund' THEN of_payment ELSE 0 END) AS BIGINT),
			CAST(SUM(CASE kind WHEN 'CardTopup' THEN 0 WHEN 'Refund' THEN amount - of_payment ELSE amount END) AS BIGINT),
			CAST(SUM(CASE WHEN settle_on IS NULL THEN 0 ELSE amount - refunded END) AS BIGINT)
		FROM wallet_transaction WHERE to_wallet_id IS NOT NULL GROUP BY to_wallet_id
		UNION ALL SELECT from_wallet_id,
			CAST(-SUM(CASE kind WHEN 'Payment' THEN of_payment ELSE 0 END) AS BIGINT),
			CAST(-SUM(CASE WHEN kind = 'Payment' THEN amount - of_payment WHEN status IN ('Requested', 'Failed') THEN 0 ELSE amount END) AS BIGINT),
			CAST(SUM(CASE status WHEN 'Requested' THEN amount ELSE 0 END) AS BIGINT)
		FROM wallet_transaction WHERE from_wallet_id IS NOT NULL GROUP BY from_wallet_id`)
	return all, err
}

// unmatchedSums add up what waits for an owner, by the account of the ledger that it
// is on.
func unmatchedSums(ctx context.Context, tx db.Tx) (map[ledger.AccountID]int64, error) {
	all := map[ledger.AccountID]int64{}
	err := db.Each(ctx, tx, func(row db.Scanner) error {
		var tenant access.TenantID
		var currency string
		var sum int64
		if err := row.Scan(&tenant, &currency, &sum); err != nil {
			return err
		}
		c, err := money.ParseCurrency(currency)
		all[ledger.Control(tenant, ledger.UnmatchedTopups, c).ID] = sum
		return err
	}, `SELECT u.tenant_id, u.currency, CAST(SUM(CASE WHEN k.value IS NULL THEN u.amount ELSE 0 END) AS BIGINT) FROM wallet_unmatched u
		LEFT JOIN wallet_key k ON k.tenant_id = u.tenant_id AND k.kind = 'Assigned' AND k.value = u.receipt GROUP BY u.tenant_id, u.currency`)
	return all, err
}

func walletsAfter(ctx context.Context, tx db.Tx, after ID, n int) ([]Wallet, error) {
	return db.Collect(ctx, tx, scanWallet, `SELECT `+walletColumns+` FROM wallet WHERE id > $1 ORDER BY id LIMIT $2`, int64(after), n)
}

// moved adds up what a month's transactions of some kinds moved on one side.
func moved(side, kinds string) string {
	return `(SELECT COALESCE(SUM(t.amount), 0) FROM wallet_transaction t WHERE t.` + side + ` = m.wallet_id AND t.month = m.month AND t.kind IN (` + kinds + `))`
}

var rules = []ledger.Rule{
	{
		Name:  "a code of a wallet is approved where its transaction exists, and moved what it asked for",
		Count: "SELECT COUNT(*) FROM wallet_qr",
		Broken: `SELECT CAST(q.transaction_id AS TEXT) FROM wallet_qr q LEFT JOIN wallet_transaction t ON t.id = q.transaction_id
			WHERE (q.approved_at IS NULL) <> (t.id IS NULL)
			OR t.id IS NOT NULL AND (t.amount <> q.amount OR t.currency <> q.currency OR t.kind <> q.kind OR t.to_wallet_id <> q.wallet_id OR t.external_id <> q.external_id)`,
	},
	{
		Name:  "the totals of a wallet's month are what its transactions moved",
		Count: "SELECT COUNT(*) FROM wallet_month",
		Broken: `SELECT CAST(m.wallet_id AS TEXT) || ' ' || m.month FROM wallet_month m WHERE
			m.incoming <> ` + moved("to_wallet_id", `'CardTopup', 'BankTopup', 'Transfer', 'CashBack'`) + `
			OR m.transfers <> ` + moved("from_wallet_id", `'Transfer', 'CashBack'`) + `
			OR m.payments <> ` + moved("from_wallet_id", `'Payment'`) + ` - ` + moved("to_wallet_id", `'Refund'`) + `
			OR m.withdrawals <> ` + moved("from_wallet_id", `'Withdrawal'`),
	},
	{
		Name:  "what a wallet moved is in the totals of a month",
		Count: "SELECT COUNT(*) FROM wallet_transaction WHERE month <> ''",
		Broken: `SELECT CAST(t.id AS TEXT) FROM wallet_transaction t WHERE t.month <> '' AND EXISTS
			(SELECT 1 FROM wallet w WHERE (w.id = t.from_wallet_id OR w.id = t.to_wallet_id)
				AND NOT EXISTS (SELECT 1 FROM wallet_month m WHERE m.wallet_id = w.id AND m.month = t.month))`,
	},
	{
		Name:  "a payment from a wallet has back what its refunds gave",
		Count: "SELECT COUNT(*) FROM wallet_transaction WHERE kind = 'Payment'",
		Broken: `SELECT CAST(p.id AS TEXT) FROM wallet_transaction p WHERE p.kind = 'Payment' AND (
			p.refunded <> (SELECT COALESCE(SUM(r.amount), 0) FROM wallet_transaction r WHERE r.original_id = p.id)
			OR p.refunded_payment <> (SELECT COALESCE(SUM(r.of_payment), 0) FROM wallet_transaction r WHERE r.original_id = p.id)
			OR (p.refunded = p.amount) <> (p.status = 'Refunded'))`,
	},
	{
		Name:  "a movement of a wallet has its key, and a key its movement",
		Count: "SELECT COUNT(*) FROM wallet_key",
		Broken: `SELECT k.value FROM wallet_key k WHERE NOT EXISTS (SELECT 1 FROM wallet_transaction t WHERE t.id = k.transaction_id)
				AND NOT EXISTS (SELECT 1 FROM wallet_qr q WHERE q.transaction_id = k.transaction_id AND q.approved_at IS NULL)
				AND NOT EXISTS (SELECT 1 FROM wallet_unmatched u WHERE u.tenant_id = k.tenant_id AND u.receipt = k.value AND k.kind = 'Receipt')
			UNION ALL SELECT CAST(t.id AS TEXT) FROM wallet_transaction t WHERE NOT EXISTS
				(SELECT 1 FROM wallet_key k WHERE k.tenant_id = t.tenant_id AND k.value = t.external_id AND k.transaction_id = t.id)`,
	},
}
