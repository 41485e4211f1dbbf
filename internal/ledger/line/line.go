package line

import (
	"math/big"

	"github.com/sarraf-platform/sarraf/internal/clock"
)

// Line is what is owed on an account, and how. Amounts are minor units of the
// account's currency. It is a value of one transaction, used by one goroutine.
type Line struct {
	Terms Terms
	Limit int64
	// Day is the day that has not ended yet.
	Day clock.Date
	// LastCut is the last day of the last term, and Due when what it ended with is
	// due; both are zero before the first.
	LastCut, Due clock.Date

	debts  [regions]debt
	credit int64 // what was paid beyond what is owed
	billed int64 // the debt that the last term ended with, for the tier of rates
	missed []missed
	// running is how many minimum payments in a row were not made, inYear how many
	// of the year of the last of them.
	running, inYear, year int
}

// debt is what is owed of a region.
type debt struct {
	interest         int64 // billed, as all interest is from its cut on
	oldFees, newFees int64 // billed, unbilled
	oldCash, newCash int64
	revolving        int64    // purchases that bear interest
	fresh            int64    // billed purchases before their due date
	unbilled         int64    // purchases of the term that runs
	minimum          int64    // what is left of the minimum payment
	spent            int64    // purchases less refunds since the last cut
	cashToday        int64    // of newCash, what bears no interest today
	accrued          *big.Int // interest since the last cut, in accrualUnits
}

// accrualUnits is how many units of accrued interest are one minor unit: rates are
// millionths of a month, and a month of interest has thirty days.
const accrualUnits = int64(one) * 30

// missed is a minimum payment that was not made by its due date, as far as it is
// still not made.
type missed struct {
	due  clock.Date
	left [regions]int64
}

// New is a line on which nothing is owed, from a day on.
func New(terms Terms, limit int64, from clock.Date) *Line {
	l := &Line{Terms: terms, Limit: limit, Day: from}
	for r := range l.debts {
		l.debts[r].accrued = new(big.Int)
	}
	return l
}

func (d *debt) of(k Kind) int64 {
	switch k {
	case Interest:
		return d.interest
	case Fee:
		return d.oldFees + d.newFees
	case Cash:
		return d.oldCash + d.newCash
	}
	return d.revolving + d.fresh + d.unbilled
}

// billed is what is left of the debt that terms ended with.
func (d *debt) billed() int64 { return d.interest + d.oldFees + d.oldCash + d.revolving + d.fresh }

// In is what is in a bucket.
func (l *Line) In(b Bucket) int64 {
	if b.IsCredit {
		return l.credit
	}
	return l.debts[b.Region].of(b.Kind)
}

// Owed is what is owed of a kind in a region.
func (l *Line) Owed(r Region, k Kind) int64 { return l.debts[r].of(k) }

// Credit is what was paid beyond what is owed.
func (l *Line) Credit() int64 { return l.credit }

// Debt is all that is owed.
func (l *Line) Debt() (sum int64) {
	for r := range regions {
		for k := range kinds {
			sum += l.debts[r].of(k)
		}
	}
	return sum
}

// Billed is what is left of the debt of a region that terms ended with.
func (l *Line) Billed(r Region) int64 { return l.debts[r].billed() }

// Minimum is what is left of the minimum payment of a region.
func (l *Line) Minimum(r Region) int64 { return l.debts[r].minimum }

// PastDue is what is left of the minimum payments of a region whose due dates have
// passed.
func (l *Line) PastDue(r Region) (sum int64) {
	for _, m := range l.missed {
		sum += m.left[r]
	}
	return sum
}

// Spent is what was bought in a region since the last cut, less refunds.
func (l *Line) Spent(r Region) int64 { return l.debts[r].spent }

// Remaining is what may still be spent while so much is held. It is below zero
// beyond the limit, and above the limit where there is a credit.
func (l *Line) Remaining(held int64) int64 { return l.Limit - l.Debt() + l.credit - held }

// CashLimit is what of the limit may be drawn as cash.
func (l *Line) CashLimit() int64 { return l.Terms.CashShare.of(l.Limit) }

// RemainingCash is what may still be drawn as cash, while so much is held, and so
// much of it for cash.
func (l *Line) RemainingCash(held, cashHeld int64) int64 {
	return min(l.CashLimit()-l.debts[Domestic].of(Cash)-l.debts[Abroad].of(Cash)-cashHeld, l.Remaining(held))
}

// OverdueSince is the due date of the oldest minimum payment that is not made;
// zero when there is none.
func (l *Line) OverdueSince() clock.Date {
	if len(l.missed) == 0 {
		return clock.Date{}
	}
	return l.missed[0].due
}

// BlocksCash reports whether so many minimum payments of the year were missed that
// no cash may be drawn.
func (l *Line) BlocksCash() bool {
	n := l.Terms.MissedBlocksCash
	return l.BlocksAll() || n > 0 && l.year == l.Day.Year && l.inYear >= n
}

// BlocksAll reports whether so many minimum payments in a row were missed that
// nothing may be spent, until they are made.
func (l *Line) BlocksAll() bool {
	n := l.Terms.MissedBlocksAll
	return n > 0 && l.running >= n && len(l.missed) > 0
}

// Spend adds a debt. What is in credit pays for it first.
func (l *Line) Spend(r Region, k Kind, minor int64) []Part {
	if k == Retail {
		l.debts[r].spent += minor
	}
	return l.add(r, k, minor)
}

func (l *Line) add(r Region, k Kind, minor int64) (parts []Part) {
	if paid := min(l.credit, minor); paid > 0 {
		l.credit -= paid
		minor -= paid
		parts = append(parts, Part{credit, -paid})
	}
	if minor == 0 {
		return parts
	}
	d := &l.debts[r]
	switch k {
	case Interest:
		d.interest += minor
	case Fee:
		d.newFees += minor
	case Cash:
		d.newCash += minor
		d.cashToday += minor
	case Retail:
		d.unbilled += minor
	}
	return append(parts, Part{Bucket{Region: r, Kind: k}, minor})
}

// GiveBack takes off a debt that was booked on a day: what of its kind is not
// billed, when that day is of the term that runs; the rest is as a payment.
func (l *Line) GiveBack(r Region, k Kind, minor int64, booked clock.Date) (parts []Part) {
	d := &l.debts[r]
	if k == Retail {
		d.spent -= minor
	}
	if l.LastCut.Before(booked) {
		place := map[Kind]*int64{Fee: &d.newFees, Cash: &d.newCash, Retail: &d.unbilled}[k]
		if place != nil {
			parts = l.take(parts, Bucket{Region: r, Kind: k}, place, &minor)
		}
		d.cashToday = min(d.cashToday, d.newCash)
	}
	return append(parts, l.Pay(minor)...)
}

// Pay lowers what is owed: what is left of the minimum payments, then all else that
// is billed, then what is not, domestic debts before those made abroad; of each the
// interest first, then fees, cash and purchases, the oldest first. What is left
// over is in credit.
func (l *Line) Pay(minor int64) (parts []Part) {
	for r := range regions {
		d := &l.debts[r]
		part := min(minor, d.minimum)
		minor -= part
		parts = l.payBilled(parts, r, &part)
		minor += part // more is due than is owed only after a refund
	}
	for r := range regions {
		parts = l.payBilled(parts, r, &minor)
	}
	for r := range regions {
		d := &l.debts[r]
		parts = l.take(parts, Bucket{Region: r, Kind: Fee}, &d.newFees, &minor)
		parts = l.take(parts, Bucket{Region: r, Kind: Cash}, &d.newCash, &minor)
		d.cashToday = min(d.cashToday, d.newCash)
		parts = l.take(parts, Bucket{Region: r, Kind: Retail}, &d.unbilled, &minor)
	}
	if minor > 0 {
		l.credit += minor
		parts = append(parts, Part{credit, minor})
	}
	return merged(parts)
}

// payBilled pays what is billed in a region, and with it what is left of its
// minimum payments.
func (l *Line) payBilled(parts []Part, r Region, minor *int64) []Part {
	before := *minor
	d := &l.debts[r]
	parts = l.take(parts, Bucket{Region: r, Kind: Interest}, &d.interest, minor)
	parts = l.take(parts, Bucket{Region: r, Kind: Fee}, &d.oldFees, minor)
	parts = l.take(parts, Bucket{Region: r, Kind: Cash}, &d.oldCash, minor)
	parts = l.take(parts, Bucket{Region: r, Kind: Retail}, &d.revolving, minor)
	parts = l.take(parts, Bucket{Region: r, Kind: Retail}, &d.fresh, minor)
	l.lowerMinimum(r, before-*minor)
	return parts
}

// lowerMinimum notes that so much of what is billed was paid.
func (l *Line) lowerMinimum(r Region, paid int64) {
	d := &l.debts[r]
	d.minimum = max(0, d.minimum-paid)
	for i := range l.missed {
		part := min(paid, l.missed[i].left[r])
		l.missed[i].left[r] -= part
		paid -= part
	}
	for len(l.missed) > 0 && l.missed[0].left == [regions]int64{} {
		l.missed = l.missed[1:]
	}
}

// take pays as much of a place as there is.
func (l *Line) take(parts []Part, b Bucket, place, minor *int64) []Part {
	part := min(*minor, *place)
	if part <= 0 {
		return parts
	}
	*place -= part
	*minor -= part
	return append(parts, Part{b, -part})
}

// merged adds up the parts of a bucket.
func merged(parts []Part) []Part {
	var all []Part
	for _, p := range parts {
		at := -1
		for i := range all {
			if all[i].Bucket == p.Bucket {
				at = i
			}
		}
		if at < 0 {
			all = append(all, p)
		} else {
			all[at].Amount += p.Amount
		}
	}
	return all
}
