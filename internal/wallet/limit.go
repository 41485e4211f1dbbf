package wallet

import (
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// LimitKind is what a limit is on.
type LimitKind string

// The kinds.
const (
	OnBalance    LimitKind = "Balance"
	OnTopup      LimitKind = "Topup" // all that comes in
	OnPayment    LimitKind = "Payment"
	OnWithdrawal LimitKind = "Withdrawal"
	OnTransfer   LimitKind = "Transfer"
)

// Month is what moved in a calendar month, in minor units.
type Month struct {
	Name                                       string // 2026-03
	Incoming, Payments, Transfers, Withdrawals int64
}

// Outgoing is all that went out.
func (m Month) Outgoing() int64 { return m.Payments + m.Transfers + m.Withdrawals }

// used is what of the month counts towards a limit.
func (m Month) used(k LimitKind) int64 {
	switch k {
	case OnTopup:
		return m.Incoming
	case OnPayment:
		return m.Payments
	case OnWithdrawal:
		return m.Withdrawals
	case OnTransfer:
		return m.Transfers
	}
	return 0
}

// add counts an amount towards a limit; below zero it takes it off.
func (m *Month) add(k LimitKind, minor int64) {
	switch k {
	case OnTopup:
		m.Incoming += minor
	case OnPayment:
		m.Payments += minor
	case OnWithdrawal:
		m.Withdrawals += minor
	case OnTransfer:
		m.Transfers += minor
	}
}

// monthOf names the calendar month in Istanbul, where the limits are the
// regulator's, whatever the tenant's zone.
func monthOf(at time.Time) string { return clock.DateOf(at, istanbul).String()[:7] }

// istanbul has had one offset since 2016; what is older was never posted here.
var istanbul = time.FixedZone("Europe/Istanbul", 3*60*60)

// Limits are the caps of a level by kind, in minor units. A kind that is missing
// is not defined.
type Limits map[LimitKind]int64

// Left is what a limit still leaves this month, never below zero; nothing where
// none is defined.
func (s Standing) Left(k LimitKind) money.Amount {
	return minorOf(max(0, s.Limits[k]-s.Month.used(k)), s.Wallet.Currency)
}

// minorOf is an amount of what columns bound.
func minorOf(minor int64, c money.Currency) money.Amount {
	a, err := money.New(minor, c)
	if err != nil {
		panic("wallet: an amount beyond its column")
	}
	return a
}

// mayMove reports whether an amount still fits a limit of the month.
func (s Standing) mayMove(k LimitKind, a money.Amount) error {
	limit, defined := s.Limits[k]
	switch {
	case !defined:
		return ErrNoLimit
	case s.Month.used(k)+a.Minor() > limit:
		return ErrLimit.With("left", s.Left(k).Decimal())
	}
	return nil
}

// mayTake reports whether a wallet may take in an amount: what comes in this month
// and what is in it after.
func (s Standing) mayTake(a money.Amount) error {
	if err := s.mayMove(OnTopup, a); err != nil {
		return err
	}
	most, defined := s.Limits[OnBalance]
	total := s.Balances.Total().Minor()
	switch {
	case !defined:
		return ErrNoLimit
	case total+a.Minor() > most:
		return ErrLimit.With("left", minorOf(max(0, most-total), s.Wallet.Currency).Decimal())
	}
	return nil
}

// defaultLimits are what a tenant begins with, in minor units.
func defaultLimits() map[KYCLevel]Limits {
	all := func(most int64) Limits {
		return Limits{OnBalance: most, OnTopup: most, OnPayment: most, OnWithdrawal: most, OnTransfer: most}
	}
	return map[KYCLevel]Limits{
		Unknown:    {OnBalance: 125_000, OnTopup: 125_000, OnPayment: 125_000},
		Unverified: {OnBalance: 2_000_000, OnTopup: 2_000_000, OnPayment: 125_000, OnWithdrawal: 0, OnTransfer: 0},
		Verified:   all(5_000_000),
		Contracted: all(20_000_000),
	}
}
