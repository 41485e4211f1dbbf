package ledger

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Line is one posting on an account as its statement shows it. Of Entry, the
// postings are not filled.
type Line struct {
	Entry  Entry
	Side   Side
	Amount money.Amount
	After  money.Amount // the account's posted balance after this line
}

// Balance is one row of a trial balance: all postings of one account, or of all
// card accounts together (code L.CARD.*), or of all buckets of a kind.
type Balance struct {
	Code     string
	Kind     Kind
	Accounts int
	Debit    money.Amount
	Credit   money.Amount
}

// AccountByNumber returns a customer account of the caller's tenant.
func (s *Service) AccountByNumber(ctx context.Context, c access.Caller, number string) (Account, error) {
	var a Account
	err := s.db.View(ctx, func(tx db.Tx) (err error) {
		var found bool
		a, found, err = findAccount(ctx, tx, c.Tenant, number)
		if err == nil && !found {
			err = notFound(number)
		}
		if err != nil || a.Kind != Asset {
			return err
		}
		return readCredit(ctx, tx, []AccountID{a.ID}, func(_ AccountID, c *CreditLine) { a.Credit = c })
	})
	return a, err
}

// Statement returns a page of an account's lines, newest first unless the oldest
// are asked for first, and how many lines there are; the count stops at 10,001.
func (s *Service) Statement(ctx context.Context, c access.Caller, number string, oldestFirst bool, skip, take int) (lines []Line, total int, err error) {
	err = s.db.View(ctx, func(tx db.Tx) error {
		a, found, err := findAccount(ctx, tx, c.Tenant, number)
		if err != nil {
			return err
		}
		if !found {
			return notFound(number)
		}
		lines, total, err = statement(ctx, tx, a, oldestFirst, skip, take)
		return err
	})
	return lines, total, err
}

// TrialBalance sums all postings of a tenant by account, customers' accounts in
// one row per currency. It reads every posting: a report, not a query for the
// hot path.
func (s *Service) TrialBalance(ctx context.Context, tenant access.TenantID) (rows []Balance, err error) {
	err = s.db.View(ctx, func(tx db.Tx) error {
		rows, err = balances(ctx, tx, tenant)
		return err
	})
	return rows, err
}
