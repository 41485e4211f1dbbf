package credit

import (
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/ledger/line"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Account is a credit account as it stands.
type Account struct {
	ledger.Account
	Facts
	// Last is the last statement, if there is one.
	Last *Statement
	// NextCut is when the present term ends, NextDue when that is due.
	NextCut, NextDue clock.Date
	// LateRate is the monthly rate of what is past due.
	LateRate line.Millionths
	// Points are those so far, in tenths.
	Points int64
}

// Facts is what is known of an account besides its money.
type Facts struct {
	AccountID   ledger.AccountID
	CustomerNo  string
	ProductCode string
	BranchCode  string // four digits; empty: none
	BranchName  string
	Standing    Standing
	// CheckedOn is the day before which all is done: days ended, statements made.
	CheckedOn clock.Date
}

// PointsText is the decimal form of points in tenths.
func PointsText(tenths int64) string {
	sign := ""
	if tenths < 0 {
		sign, tenths = "-", -tenths
	}
	return fmt.Sprintf("%s%d.%d", sign, tenths/10, tenths%10)
}

// Amount is so much of the account's currency.
func (a Account) Amount(minor int64) money.Amount {
	v, err := money.New(minor, a.Currency)
	if err != nil {
		panic("credit: an amount of a credit account is out of range")
	}
	return v
}

// Debt is all that is owed, whatever is in credit.
func (a Account) Debt() money.Amount { return a.Amount(a.Credit.Debt()) }

// Limit is the limit that all cards share.
func (a Account) Limit() money.Amount { return a.Amount(a.Credit.Limit) }

// CashLimit is what of the limit may be drawn as cash.
func (a Account) CashLimit() money.Amount { return a.Amount(a.Credit.CashLimit()) }

// Owed is what of a debt is owed in a region.
func (a Account) Owed(r line.Region, kinds ...line.Kind) money.Amount {
	sum := int64(0)
	for _, k := range kinds {
		sum += a.Credit.Owed(r, k)
	}
	return a.Amount(sum)
}

// Billed is what is left of the debt that terms ended with in a region.
func (a Account) Billed(r line.Region) money.Amount { return a.Amount(a.Credit.Billed(r)) }

// Minimum is what is left of the minimum payment of a region.
func (a Account) Minimum(r line.Region) money.Amount { return a.Amount(a.Credit.Minimum(r)) }
