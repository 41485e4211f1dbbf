package ledger

import (
	"context"
	"errors"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/money"
)

const entryColumns = `e.id, e.tenant_id, e.event, e.idempotency_key, e.transaction_id, e.reverses_id, e.description,
	e.business_on, e.created_at`

func scanEntry(s db.Scanner) (Entry, error) {
	var e Entry
	var transaction *string
	var business string
	var at int64
	err := s.Scan(&e.ID, &e.Tenant, &e.Event, &e.Key, &transaction, &e.Reverses, &e.Description, &business, &at)
	if err != nil {
		return Entry{}, err
	}
	if transaction != nil {
		e.Transaction = *transaction
	}
	e.At = clock.FromMicros(at)
	e.BusinessOn, err = clock.ParseDate(business)
	return e, err
}

// entryByKey finds the entry with this idempotency key, with its postings.
func entryByKey(ctx context.Context, tx db.Tx, tenant access.TenantID, key string) (Entry, bool, error) {
	e, found, err := db.One(ctx, tx, scanEntry,
		"SELECT "+entryColumns+" FROM entry e WHERE e.tenant_id = $1 AND e.idempotency_key = $2", tenant, key)
	if err != nil || !found {
		return Entry{}, false, err
	}
	e.Postings, err = postingsOf(ctx, tx, e.ID)
	return e, err == nil, err
}

func postingsOf(ctx context.Context, tx db.Tx, e EntryID) ([]Posting, error) {
	return db.Collect(ctx, tx, func(s db.Scanner) (Posting, error) {
		var p Posting
		var minor int64
		var currency string
		if err := s.Scan(&p.Account.ID, &p.Account.Code, &p.Account.Kind, &p.Account.KeepsBalance, &p.Side, &minor, &currency); err != nil {
			return Posting{}, err
		}
		c, err := money.ParseCurrency(currency)
		p.Account.Currency, p.Amount = c, amount(minor, c)
		return p, err
	}, `SELECT a.id, a.code, a.kind, a.keeps_balance, p.side, p.amount, p.currency FROM posting p JOIN account a ON a.id = p.account_id
		WHERE p.entry_id = $1 ORDER BY p.line`, e)
}

// statement returns one page of an account's postings in the order of their
// positions and how many there are, counted up to limit 10,000.
func statement(ctx context.Context, tx db.Tx, a Account, oldestFirst bool, skip, take int) ([]Line, int, error) {
	order := "DESC"
	if oldestFirst {
		order = "ASC"
	}
	lines, err := db.Collect(ctx, tx, func(s db.Scanner) (Line, error) {
		l := Line{}
		var minor int64
		var after *int64
		var transaction *string
		var business string
		var at int64
		err := s.Scan(&l.Entry.ID, &l.Entry.Event, &transaction, &l.Entry.Description, &business, &at, &l.Side, &minor, &after)
		if err != nil {
			return Line{}, err
		}
		if transaction != nil {
			l.Entry.Transaction = *transaction
		}
		if after == nil {
			return Line{}, errors.New("a posting of a customer account has no balance")
		}
		l.Amount, l.After = amount(minor, a.Currency), amount(*after, a.Currency)
		l.Entry.At = clock.FromMicros(at)
		l.Entry.BusinessOn, err = clock.ParseDate(business)
		return l, err
	}, `SELECT e.id, e.event, e.transaction_id, e.description, e.business_on, e.created_at, p.side, p.amount, p.posted_after
		FROM posting p JOIN entry e ON e.id = p.entry_id
		WHERE p.account_id = $1 ORDER BY p.position `+order+` LIMIT $2 OFFSET $3`, a.ID, take, skip)
	if err != nil {
		return nil, 0, err
	}
	total, _, err := db.One(ctx, tx, scanCount,
		"SELECT COUNT(*) FROM (SELECT 1 FROM posting WHERE account_id = $1 LIMIT 10001) t", a.ID)
	return lines, total, err
}

func scanCount(s db.Scanner) (n int, err error) { return n, s.Scan(&n) }

// balances sums the postings of a tenant by account: the trial balance.
func balances(ctx context.Context, tx db.Tx, tenant access.TenantID) ([]Balance, error) {
	return db.Collect(ctx, tx, func(s db.Scanner) (Balance, error) {
		var b Balance
		var currency string
		var debit, credit int64
		if err := s.Scan(&b.Code, &b.Kind, &currency, &b.Accounts, &debit, &credit); err != nil {
			return Balance{}, err
		}
		c, err := money.ParseCurrency(currency)
		if err != nil {
			return Balance{}, err
		}
		if b.Debit, err = money.New(debit, c); err != nil {
			return Balance{}, err
		}
		b.Credit, err = money.New(credit, c)
		return b, err
	}, `SELECT t.code, t.kind, t.currency, COUNT(*), CAST(SUM(t.debit) AS BIGINT), CAST(SUM(t.credit) AS BIGINT)
		FROM (SELECT CASE WHEN p.part = 'CREDIT' THEN 'L.CUST.CREDIT' WHEN p.part IS NOT NULL THEN 'A.LOAN.' || p.part
				WHEN a.account_no IS NOT NULL THEN 'L.CARD.*'
				WHEN a.keeps_balance THEN rtrim(rtrim(a.code, '0123456789'), '.') ELSE a.code END AS code, a.kind, a.currency, a.id,
				SUM(CASE WHEN p.side = 'D' THEN p.amount ELSE 0 END) AS debit,
				SUM(CASE WHEN p.side = 'C' THEN p.amount ELSE 0 END) AS credit
			FROM account a JOIN posting p ON p.account_id = a.id
			WHERE a.tenant_id = $1
			GROUP BY a.id, a.code, a.kind, a.currency, a.keeps_balance, p.part) t
		GROUP BY t.code, t.kind, t.currency ORDER BY t.code, t.currency`, tenant)
}

// ControlBalances sums the postings of all control accounts with a code, of every
// tenant and in every currency, in the direction in which their kind grows. It
// reads every posting of them: for those who verify.
func ControlBalances(ctx context.Context, tx db.Tx, code string) (map[AccountID]int64, error) {
	normal := "C"
	if Kind(code[:1]).Normal() == Debit {
		normal = "D"
	}
	all := map[AccountID]int64{}
	err := db.Each(ctx, tx, func(row db.Scanner) error {
		var a AccountID
		var sum int64
		err := row.Scan(&a, &sum)
		all[a] = sum
		return err
	}, `SELECT a.id, CAST(SUM(CASE WHEN p.side = $2 THEN p.amount ELSE -p.amount END) AS BIGINT)
		FROM account a JOIN posting p ON p.account_id = a.id WHERE a.code = $1 AND NOT a.keeps_balance GROUP BY a.id`, code, normal)
	return all, err
}
