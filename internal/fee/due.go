package fee

import (
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Due is a fee on one life cycle: what it is on now, and what was charged of it.
// What it comes to follows from the first, at the terms of the day on which the
// life cycle began.
type Due struct {
	Applied
	// Most is the highest amount that the fee is computed on, whatever moves: the
	// cash of a purchase with cash. Nil is all of it.
	Most *money.Amount
	// StandsAlone says that it is due although no money moves: for an answer, for
	// a card.
	StandsAlone bool
	IsFree      bool // one of those that cost nothing
	// Waits says that it is charged only when the balance covers it, and not held.
	Waits bool

	// What it is on, besides what is held: what was posted and not taken back,
	// what was taken back and is paid for all the same, and what was refunded with
	// its fee. Each is zero or above, in the currency of the account.
	Moved, Kept, Refunded money.Amount

	Posted Charge // what was charged of it
	// Entries is how many entries charged it or gave it back, Entry the only one
	// while that is on the account of the fee.
	Entries int
	Entry   ledger.EntryID
}

// NewDue is a fee that begins with a life cycle: nothing moved, nothing charged.
func NewDue(a Applied) Due {
	zero := money.Zero(a.Terms.Fixed.Currency())
	return Due{Applied: a, Moved: zero, Kept: zero, Refunded: zero, Posted: a.Terms.nothing()}
}

// nothing is the charge of a fee that is not due.
func (t Terms) nothing() Charge {
	zero := money.Zero(t.Fixed.Currency())
	c := Charge{Fee: zero}
	for _, tax := range t.Taxes {
		c.Taxes = append(c.Taxes, TaxLine{tax, zero})
	}
	return c
}

// Of is what the fee comes to when so much is held besides what moved. That
// which is due at clearing is not on what is held. It never fails: a charge that
// would be beyond any amount is not made.
func (d *Due) Of(held money.Amount) Charge {
	base := d.Moved.Minor() + d.Kept.Minor() - d.Refunded.Minor()
	if d.Timing != AtClearing {
		base += held.Minor()
	}
	if d.Most != nil {
		base = min(base, d.Most.Minor())
	}
	if d.IsFree || base <= 0 && !d.StandsAlone {
		return d.Terms.nothing()
	}
	on, err := money.New(max(0, base), d.Moved.Currency())
	if err != nil {
		return d.Posted
	}
	c, err := d.Terms.On(on)
	if err != nil {
		return d.Posted
	}
	return c
}

// Owed is what the fee comes to on what moved: what should be charged by now.
func (d *Due) Owed() Charge { return d.Of(money.Zero(d.Moved.Currency())) }

// ToHold is what is set aside for the fee while so much is held: what it will
// come to, less what it has been charged. It is not below zero.
func (d *Due) ToHold(held money.Amount) money.Amount {
	if d.Waits {
		return money.Zero(held.Currency())
	}
	more, err := d.Of(held).minus(d.Owed())
	if err != nil || more.Sign() < 0 {
		return money.Zero(held.Currency())
	}
	return more
}

// IsPending reports whether the fee waits for a balance that covers it.
func (d *Due) IsPending() bool { return d.owes(d.Owed()) }

// Awaits reports whether, when so much is held, the fee waits for a balance that
// covers it: now, or once what is held is presented.
func (d *Due) Awaits(held money.Amount) bool { return d.IsPending() || d.Waits && d.owes(d.Of(held)) }

// owes reports whether the fee comes to more than was charged.
func (d *Due) owes(c Charge) bool {
	open, err := c.minus(d.Posted)
	return err == nil && open.Sign() > 0
}

// TakeBack notes that a part of what is held or moved was reversed.
func (d *Due) TakeBack(part money.Amount) {
	if !d.RefundOnReversal {
		d.Kept = add(d.Kept, part)
	}
}

// Return notes that a part which was taken back was presented after all: it is paid
// for once.
func (d *Due) Return(part money.Amount) {
	d.Kept = atLeastZero(add(d.Kept, part.Neg()))
}

// GiveBack notes that a part of what moved was refunded; below zero, that a
// refund was taken back.
func (d *Due) GiveBack(part money.Amount) {
	if d.RefundOnRefund {
		d.Refunded = atLeastZero(add(d.Refunded, part))
	}
}

// Move notes that a part was posted; below zero, that it was taken back.
func (d *Due) Move(part money.Amount) {
	d.Moved = atLeastZero(add(d.Moved, part))
}

// Refuse notes that what was asked for was declined, which the fee is due for all
// the same; with zero, that it was posted after all.
func (d *Due) Refuse(asked money.Amount) { d.Kept = asked }

// minus is by how much c is more than b in total.
func (c Charge) minus(b Charge) (money.Amount, error) {
	of, err := c.Total()
	if err != nil {
		return of, err
	}
	less, err := b.Total()
	if err != nil {
		return of, err
	}
	return of.Sub(less)
}

// add adds amounts of one life cycle; beyond all bounds the first stays.
func add(a, b money.Amount) money.Amount {
	sum, err := a.Add(b)
	if err != nil {
		return a
	}
	return sum
}

func atLeastZero(a money.Amount) money.Amount {
	if a.Sign() < 0 {
		return money.Zero(a.Currency())
	}
	return a
}
