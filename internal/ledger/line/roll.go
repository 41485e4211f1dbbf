package line

import (
	"math/big"

	"github.com/sarraf-platform/sarraf/internal/clock"
)

// Cut is what a term ended with.
type Cut struct {
	On, Due clock.Date
	Limit   int64
	Regions [regions]CutRegion
	// Charges are the interest and its taxes, in the order in which they were added.
	Charges []Charge
}

// Levy is what a cut charges.
type Levy int

// The levies.
const (
	InterestLevy Levy = iota
	KKDFLevy
	BSMVLevy
)

// Charge is an amount that a cut added to the debt.
type Charge struct {
	Region Region
	Levy   Levy
	Amount int64 // above zero
	Parts  []Part
}

// CutRegion is what a term ended with in one region.
type CutRegion struct {
	Debt, Minimum int64
	// Outstanding is what was left of the debt of the term before.
	Outstanding          int64
	Interest, KKDF, BSMV int64
	LateRate             Millionths // a month
}

// Debt is the debt of both regions.
func (c Cut) Debt() int64 { return c.Regions[Domestic].Debt + c.Regions[Abroad].Debt }

// Minimum is the minimum payment of both regions.
func (c Cut) Minimum() int64 { return c.Regions[Domestic].Minimum + c.Regions[Abroad].Minimum }

// Roll ends every day before a day, and returns the cuts among them, in order. What
// happened on those days must have been told before.
func (l *Line) Roll(to clock.Date) (cuts []Cut) {
	for l.Day.Before(to) {
		l.accrue()
		if l.Day == l.Due {
			l.fallDue()
		}
		if l.Day == l.Terms.NextCut(l.Day) {
			cuts = append(cuts, l.cut())
		}
		l.Day = l.Day.AddDays(1)
	}
	return cuts
}

// accrue adds the interest of the day.
func (l *Line) accrue() {
	rates := l.Terms.ratesOn(l.Day, l.billed)
	for r := range regions {
		d := &l.debts[r]
		late := min(l.PastDue(r), d.revolving)
		d.bear(late, rates.Late, 1)
		d.bear(d.revolving-late, rates.Contractual, 1)
		d.bear(d.oldCash+d.newCash-d.cashToday, rates.Cash, 1)
		d.cashToday = 0
	}
}

// bear adds interest of an amount for days.
func (d *debt) bear(minor int64, rate Millionths, days int) {
	add := new(big.Int).Mul(big.NewInt(minor), big.NewInt(int64(rate)))
	d.accrued.Add(d.accrued, add.Mul(add, big.NewInt(int64(days))))
}

// fallDue ends the due day: who has not paid the whole debt of the term owes
// interest of its purchases from the cut on, and what is unpaid of the minimum is
// past due.
func (l *Line) fallDue() {
	rates := l.Terms.ratesOn(l.Day, l.billed)
	days := l.Due.DaysSince(l.LastCut)
	unpaid := missed{due: l.Due}
	for r := range regions {
		d := &l.debts[r]
		d.bear(d.fresh, rates.Contractual, days) // nothing is fresh when all was paid
		d.revolving, d.fresh = d.revolving+d.fresh, 0
		unpaid.left[r] = d.minimum - l.PastDue(r)
	}
	if l.debts[Domestic].minimum+l.debts[Abroad].minimum == 0 {
		l.running = 0
		return
	}
	l.missed = append(l.missed, unpaid)
	l.running++
	if l.year != l.Day.Year {
		l.year, l.inYear = l.Day.Year, 0
	}
	l.inYear++
}

// cut ends the term with the day.
func (l *Line) cut() Cut {
	c := Cut{On: l.Day, Due: l.Terms.Due(l.Day), Limit: l.Limit}
	taxes := l.Terms.taxesOn(l.Day)
	for r := range regions {
		d, out := &l.debts[r], &c.Regions[r]
		out.Outstanding = d.billed()
		out.Interest = divHalfUp(d.accrued, accrualUnits)
		out.KKDF, out.BSMV = taxes.KKDF.of(out.Interest), taxes.BSMV.of(out.Interest)
		d.accrued = new(big.Int)
	}
	for r := range regions {
		out := c.Regions[r]
		for levy, minor := range [...]int64{InterestLevy: out.Interest, KKDFLevy: out.KKDF, BSMVLevy: out.BSMV} {
			if minor > 0 {
				c.Charges = append(c.Charges, Charge{r, Levy(levy), minor, l.add(r, Interest, minor)})
			}
		}
	}
	over := int64(0)
	if l.Terms.OverLimitIsDue {
		over = max(0, l.Debt()-l.Limit)
	}
	share := l.Terms.minimumOf(l.Limit)
	l.billed = 0
	for r := range regions {
		d, out := &l.debts[r], &c.Regions[r]
		d.oldFees, d.newFees = d.oldFees+d.newFees, 0
		d.oldCash, d.newCash = d.oldCash+d.newCash, 0
		d.fresh, d.unbilled, d.spent = d.fresh+d.unbilled, 0, 0
		out.Debt = d.billed()
		past := l.PastDue(r)
		out.Minimum = min(out.Debt, past+share.of(max(0, out.Debt-past)))
		more := min(over, out.Debt-out.Minimum)
		out.Minimum, over = out.Minimum+more, over-more
		d.minimum = out.Minimum
		l.billed += out.Debt
	}
	late := l.Terms.ratesOn(l.Day, l.billed).Late
	for r := range regions {
		c.Regions[r].LateRate = late
	}
	l.LastCut, l.Due = c.On, c.Due
	return c
}

// divHalfUp is n ÷ d of what is not below zero.
func divHalfUp(n *big.Int, d int64) int64 {
	twice := new(big.Int).Lsh(n, 1)
	twice.Add(twice, big.NewInt(d))
	return twice.Quo(twice, big.NewInt(2*d)).Int64()
}

// mulDivHalfUp is a × b ÷ d of what is not below zero.
func mulDivHalfUp(a, b, d int64) int64 {
	return divHalfUp(new(big.Int).Mul(big.NewInt(a), big.NewInt(b)), d)
}
