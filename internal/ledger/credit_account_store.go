package ledger

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/ledger/line"
)

var creditLookup = &db.Lookup{Head: `SELECT l.account_id, l.terms_code, l.credit_limit, l.cash_held, l.opened_on, l.state, t.terms
	FROM credit_line l JOIN credit_terms t ON t.tenant_id = l.tenant_id AND t.code = l.terms_code WHERE l.account_id IN `}

// readCredit reads the lines of accounts, whose rows are locked where they are to
// change.
func readCredit(ctx context.Context, tx db.Tx, ids []AccountID, each func(AccountID, *CreditLine)) error {
	if len(ids) == 0 {
		return nil
	}
	shares, err := readShares(ctx, tx, ids)
	if err != nil {
		return fmt.Errorf("read shares of credit lines: %w", err)
	}
	return creditLookup.Query(ctx, tx, nil, id.Texts(ids), func(row db.Scanner) error {
		var a AccountID
		var c CreditLine
		var limit int64
		var state, text string
		if err := row.Scan(&a, &c.Terms, &limit, &c.CashHeld, &c.OpenedOn, &state, &text); err != nil {
			return err
		}
		terms, err := line.ParseTerms(text)
		if err != nil {
			return fmt.Errorf("terms %s: %w", c.Terms, err)
		}
		if c.Line, err = line.Parse(state, terms, limit); err != nil {
			return fmt.Errorf("credit line of %s: %w", a, err)
		}
		if c.Shares = shares[a]; c.Shares == nil {
			c.Shares = map[string]*Share{}
		}
		each(a, &c)
		return nil
	})
}

var (
	creditUpdate = &db.Bulk{
		Head: "WITH v (account_id, credit_limit, cash_held, state) AS (VALUES ", Columns: 4,
		Types: []string{"TEXT", "BIGINT", "BIGINT", "TEXT"},
		Tail: `) UPDATE credit_line SET credit_limit = v.credit_limit, cash_held = v.cash_held, state = v.state
			FROM v WHERE credit_line.account_id = v.account_id`,
	}
	cutInsert = &db.Bulk{
		Head: `INSERT INTO credit_cut (account_id, cut_on, due_on, credit_limit, late_rate, last_position, domestic, abroad, state) VALUES `, Columns: 9,
	}
)

// writeCredit keeps the lines of changed accounts, and the terms that ended.
func (b *Book) writeCredit(ctx context.Context, tx db.Tx) error {
	var lines, cuts []any
	for _, id := range sorted(b.changedAccounts) {
		if c := b.accounts[id].Credit; c != nil {
			lines = append(lines, id, c.Limit, c.CashHeld, c.Text())
		}
	}
	sortCuts(b.cuts)
	for _, c := range b.cuts {
		domestic, abroad := c.cut.Regions[line.Domestic], c.cut.Regions[line.Abroad]
		cuts = append(cuts, c.account, c.cut.On.String(), c.cut.Due.String(), c.cut.Limit, int64(domestic.LateRate), c.position,
			regionText(domestic), regionText(abroad), c.state)
	}
	if err := creditUpdate.Exec(ctx, tx, lines); err != nil {
		return err
	}
	if err := b.writeShares(ctx, tx); err != nil {
		return fmt.Errorf("write shares: %w", err)
	}
	return cutInsert.Exec(ctx, tx, cuts)
}

// PutTerms defines terms of a tenant. Where credit accounts go by terms of that
// code, on a day, only additions may come to them: see [line.Terms.Extend]. It
// returns false where t are what stands.
func PutTerms(ctx context.Context, tx db.Tx, tenant access.TenantID, code string, t line.Terms, today clock.Date, now clock.Real) (bool, error) {
	if err := t.Check(); err != nil {
		return false, fault.New(fault.Refused, InvalidTerms, "the terms will not do: %v", err).Wrap(err)
	}
	was, found, err := FindTerms(ctx, tx, tenant, code)
	if err != nil || found && was.Text() == t.Text() {
		return false, err
	}
	if !found {
		_, err := tx.Exec(ctx, `INSERT INTO credit_terms (tenant_id, code, terms, updated_at) VALUES ($1, $2, $3, $4)`,
			tenant, code, t.Text(), clock.Micros(now.Time()))
		return true, err
	}
	living, _, err := db.One(ctx, tx, scanCount, `SELECT COUNT(*) FROM (SELECT 1 FROM credit_line WHERE tenant_id = $1 AND terms_code = $2 LIMIT 1) t`, tenant, code)
	if err != nil {
		return false, err
	}
	if living > 0 {
		if err := t.Extend(was, today); err != nil {
			return false, fault.New(fault.Conflict, TermsInUse, "accounts go by these terms, so that only dated additions may come to them: %v", err).Wrap(err)
		}
	}
	// Of two who add at once, one must see the other's.
	n, err := db.Affected(tx.Exec(ctx, `UPDATE credit_terms SET terms = $3, updated_at = $4 WHERE tenant_id = $1 AND code = $2 AND terms = $5`,
		tenant, code, t.Text(), clock.Micros(now.Time()), was.Text()))
	if err == nil && n == 0 {
		return false, fault.New(fault.Conflict, TermsInUse, "somebody else changes these terms")
	}
	return true, err
}

// FindTerms returns terms of a tenant.
func FindTerms(ctx context.Context, tx db.Tx, tenant access.TenantID, code string) (t line.Terms, found bool, err error) {
	text, found, err := db.One(ctx, tx, scanText, `SELECT terms FROM credit_terms WHERE tenant_id = $1 AND code = $2`, tenant, code)
	if err != nil || !found {
		return t, false, err
	}
	if t, err = line.ParseTerms(text); err != nil {
		return t, false, fmt.Errorf("terms %s: %w", code, err)
	}
	return t, true, nil
}

// OpenCreditAccount opens a credit account. A number that is in use is
// AccountNoTaken, and the transaction must be given up.
func OpenCreditAccount(ctx context.Context, tx db.Tx, tenant access.TenantID, in NewCreditAccount, now clock.Real, ahead clock.Ahead) (Account, error) {
	terms, found, err := FindTerms(ctx, tx, tenant, in.Terms)
	if err != nil {
		return Account{}, fmt.Errorf("read terms: %w", err)
	}
	if !found {
		return Account{}, fault.New(fault.Refused, TermsMissing, "there are no such terms of credit accounts").With("terms", in.Terms)
	}
	fresh := id.New[Account](now.Time())
	n, err := db.Affected(tx.Exec(ctx, `INSERT INTO account
			(id, tenant_id, code, kind, currency, keeps_balance, account_no, owner_key, posted, held, posting_count, created_at)
		VALUES ($1, $2, $3, 'A', $4, $5, $6, $7, 0, 0, 0, $8) ON CONFLICT DO NOTHING`,
		fresh, tenant, "A.LOAN."+in.Number, in.Currency.Code(), true, in.Number, in.Owner, clock.Micros(ahead.At(now))))
	if err != nil {
		return Account{}, fmt.Errorf("open account: %w", err)
	}
	if n == 0 {
		return Account{}, accountTaken(in.Number)
	}
	l := line.New(terms, in.Limit.Minor(), in.From)
	_, err = tx.Exec(ctx, `INSERT INTO credit_line (account_id, tenant_id, terms_code, credit_limit, cash_held, opened_on, state)
		VALUES ($1, $2, $3, $4, 0, $5, $6)`, fresh, tenant, in.Terms, l.Limit, in.From.String(), l.Text())
	if err != nil {
		return Account{}, fmt.Errorf("open credit line: %w", err)
	}
	a, _, err := findAccount(ctx, tx, tenant, in.Number)
	if err != nil {
		return Account{}, err
	}
	a.Credit = &CreditLine{Line: l, Terms: in.Terms, OpenedOn: in.From, Shares: map[string]*Share{}}
	return a, nil
}

// ReadCreditAccount returns a credit account, unlocked, for showing.
func ReadCreditAccount(ctx context.Context, tx db.Tx, account AccountID) (Account, error) {
	found, err := ReadAccounts(ctx, tx, []AccountID{account})
	if err != nil {
		return Account{}, err
	}
	a, known := found[account]
	err = readCredit(ctx, tx, []AccountID{account}, func(_ AccountID, c *CreditLine) { a.Credit = c })
	if err == nil && (!known || a.Credit == nil) {
		err = fault.New(fault.Refused, NotACreditLine, "the account is not a credit account")
	}
	return a, err
}

// Cuts returns the terms of a credit account that have ended, the newest first.
func Cuts(ctx context.Context, tx db.Tx, account AccountID) ([]Cut, error) {
	all, err := db.Collect(ctx, tx, scanCut, `SELECT cut_on, due_on, credit_limit, late_rate, last_position, domestic, abroad
		FROM credit_cut WHERE account_id = $1 ORDER BY cut_on DESC`, account)
	for i := range all {
		if all[i].First = 1; i+1 < len(all) {
			all[i].First = all[i+1].Last + 1
		}
	}
	return all, err
}

func scanCut(row db.Scanner) (c Cut, err error) {
	var rate int64
	var domestic, abroad string
	if err := row.Scan(&c.On, &c.Due, &c.Limit, &rate, &c.Last, &domestic, &abroad); err != nil {
		return c, err
	}
	for r, text := range map[line.Region]string{line.Domestic: domestic, line.Abroad: abroad} {
		if c.Regions[r], err = parseRegion(text); err != nil {
			return c, fmt.Errorf("cut of %s: %w", c.On, err)
		}
		c.Regions[r].LateRate = line.Millionths(rate)
	}
	return c, nil
}
