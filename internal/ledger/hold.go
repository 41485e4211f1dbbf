package ledger

import (
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// HoldID identifies a hold.
type HoldID = id.ID[Hold]

// Hold is money set aside on an account for one life cycle: an authorization,
// its increments, and what became of them. All amounts are at least zero, in
// the account's currency, and but for Fees only ever grow.
type Hold struct {
	ID         HoldID
	Tenant     access.TenantID
	Account    AccountID
	Authorized money.Amount
	Reversed   money.Amount
	Cleared    money.Amount
	Released   money.Amount
	// Fees is what is set aside besides, for the fees on what the hold is for.
	// It follows what remains, and is nothing once nothing does.
	Fees      money.Amount
	ExpiresAt time.Time
	// IsCash says that it is for cash, of which a credit account gives less.
	IsCash bool
	// Holder is whose it is, of those who share a credit account, opaque here; on
	// other accounts it is not kept.
	Holder string
}

// IDPrefix implements id.Entity.
func (Hold) IDPrefix() string { return "hold" }

// NewHold is a hold of amount, nothing of it used.
func NewHold(hid HoldID, tenant access.TenantID, account AccountID, amount money.Amount, expires time.Time) Hold {
	zero := money.Zero(amount.Currency())
	return Hold{ID: hid, Tenant: tenant, Account: account, Authorized: amount,
		Reversed: zero, Cleared: zero, Released: zero, Fees: zero, ExpiresAt: expires}
}

// Remaining is what the hold still sets aside, Fees aside.
func (h Hold) Remaining() money.Amount {
	n := h.Authorized.Minor() - h.Reversed.Minor() - h.Cleared.Minor() - h.Released.Minor()
	if n < 0 {
		panic("ledger: a hold was used beyond what was authorized")
	}
	return amount(n, h.Authorized.Currency())
}

// IsOpen reports whether the hold still sets anything aside.
func (h Hold) IsOpen() bool { return h.Remaining().Sign() > 0 }

// Total is all that the hold sets aside.
func (h Hold) Total() money.Amount { return sum(h.Remaining(), h.Fees) }

// amount is money.New for values inside bounds that were checked before.
func amount(minor int64, c money.Currency) money.Amount {
	a, err := money.New(minor, c)
	if err != nil {
		panic("ledger: amount out of range")
	}
	return a
}

func sum(a, b money.Amount) money.Amount { return amount(a.Minor()+b.Minor(), a.Currency()) }
func difference(a, b money.Amount) money.Amount {
	return amount(a.Minor()-b.Minor(), a.Currency())
}

func least(a, b money.Amount) money.Amount {
	if a.Cmp(b) < 0 {
		return a
	}
	return b
}
