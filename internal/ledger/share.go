package ledger

import (
	"github.com/sarraf-platform/sarraf/internal/ledger/line"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Share is what one holder may take of a credit line until the next cut, in minor
// units. Purchases and cash take of it, what comes back of them gives back; interest,
// payments and fees are the line's, but that what is held for a fee takes of the
// share, too, until it is charged.
type Share struct {
	Limit int64
	// Next, if there is one, is the limit from the next cut on.
	Next *int64
	// Spent is what was spent since the last cut, less what came back; Held what open
	// holds have remaining, fees included.
	Spent, Held int64
}

// remaining is what is left of a share; below zero beyond it.
func (s *Share) remaining() int64 { return s.Limit - s.Spent - s.Held }

// move notes a movement of its holder; nobody's share notes none.
func (s *Share) move(p Purpose, side Side, minor int64) {
	if s != nil {
		s.Spent += p.takes(side, minor)
	}
}

// takes is what a movement takes of its holder's share.
func (p Purpose) takes(side Side, minor int64) int64 {
	switch {
	case p.Kind != line.Retail && p.Kind != line.Cash:
		return 0
	case side == Debit:
		return minor
	case p.GivesBack:
		return -minor
	}
	return 0
}

// within is no more of an amount than is left of a holder's share.
func (a Account) within(holder string, available money.Amount) money.Amount {
	if a.Credit == nil {
		return available
	}
	s := a.Credit.Shares[holder]
	if s == nil || available.Minor() <= s.remaining() {
		return available
	}
	left, err := money.New(s.remaining(), a.Currency)
	if err != nil {
		return money.Zero(a.Currency)
	}
	return left
}

// beginTerm begins the shares anew.
func (c *CreditLine) beginTerm() {
	for _, s := range c.Shares {
		s.Spent = 0
		if s.Next != nil {
			s.Limit, s.Next = *s.Next, nil
		}
	}
}
