package control

import (
	"maps"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// limited is a velocity control with one of its links.
type limited struct {
	*compiled[VelocityCheck]
	link Link
}

// lintLimits tells limits that are never reached because others are before.
// Limits that were set for single cards are not looked at.
func (l *linter) lintLimits(c *Compiled[VelocityCheck]) {
	var all []limited
	inGroup := map[string]int{}
	for _, code := range slices.Sorted(maps.Keys(c.by)) {
		d := c.by[code]
		if l.isOver(d.definition.Head) {
			continue
		}
		inGroup[d.definition.LimitGroup]++
		for _, link := range l.links[c.kind][code] {
			all = append(all, limited{d, link})
		}
	}
	for _, x := range all {
		for _, y := range all {
			// Of a limit group another may hold for the card.
			if g := y.definition.LimitGroup; x.compiled == y.compiled || y.definition.OnExceed != ExceedDeclines || g != "" && inGroup[g] > 1 {
				continue
			}
			if l.holdsWherever(y, x) && l.bindsBefore(x, y) {
				break
			}
		}
	}
}

// holdsWherever reports whether y counts every transaction of every card that x
// counts.
func (l *linter) holdsWherever(y, x limited) bool {
	if !l.covers(y.link, x.link) || !l.lasts(y.definition.Head, y.link, x.definition.Head, x.link) {
		return false
	}
	narrow, ok := l.ruled(&x.selects, rule.TwoValued)
	if !ok {
		return false
	}
	wide, ok := l.ruled(&y.selects, rule.TwoValued)
	if !ok {
		return false
	}
	_, covered := narrow.CoveredBy(wide)
	return covered
}

// bindsBefore notes which limits of x are never reached because of y's.
func (l *linter) bindsBefore(x, y limited) bool {
	a, b := &x.definition, &y.definition
	note := func(member string, example ...rule.Given) bool {
		if slices.ContainsFunc(l.found, func(f Finding) bool {
			return f.Code == b.Code && f.Path == member && slices.Equal(f.By, []string{a.Code})
		}) {
			return false // they are the same: without both nothing would be bounded
		}
		l.found = append(l.found, Finding{Kind: Velocity, Code: a.Code, Link: x.link, What: NeverBinds, Path: member, By: []string{b.Code}, Example: example})
		return true
	}
	windows, nested := windowsIn(a.Period, b.Period)
	if a.Period == PerSpan && b.Period == PerSpan {
		windows, nested = 1, a.Span.Duration() <= b.Span.Duration()
	}
	nested = nested && a.countsWithin(*b)
	if la, lb := a.Limits.Amount, b.Limits.Amount; la != nil && lb != nil && la.Currency() == lb.Currency() && (b.IncludeFees || !a.IncludeFees) {
		if nested && notAbove(*lb, windows, *la) {
			return note("maxAmount", rule.Given{Field: rule.TransactionBillingAmount, Value: above(*la)})
		}
		// As many as maxCount, each as high as one may be.
		if n := a.Limits.Count; b.Period == PerTransaction && n != nil && !a.IncludeDeclined && notAbove(*lb, *n, *la) {
			return note("maxAmount", rule.Given{Field: rule.TransactionBillingAmount, Value: lb.Decimal()})
		}
	}
	if na, nb := a.Limits.Count, b.Limits.Count; na != nil && nb != nil && nested && windows > 0 && *nb*windows <= *na && (b.IncludeDeclined || !a.IncludeDeclined) {
		return note("maxCount")
	}
	return false
}

// countsWithin reports whether what a counts in a window is counted by b, too, and
// leaves b's counter no sooner.
func (a VelocityCheck) countsWithin(b VelocityCheck) bool {
	if a.Period == PerTransaction {
		return true
	}
	wider := a.Level == b.Level || b.Level == CountCustomer && a.Level != CountFamily || b.Level == CountIssuance && a.Level == CountCard ||
		b.Level == CountFamily && (a.Level == CountCard || a.Level == CountIssuance)
	return wider && (a.Refunds == b.Refunds || b.Refunds == RefundsIgnored) && a.AdjustOnClearing == b.AdjustOnClearing
}

// windowsIn is how many windows of b one of a touches at most; false when that
// cannot be said. A transaction lies in one of each.
func windowsIn(a, b Period) (n int, known bool) {
	if a == PerTransaction || a == b && a != PerSpan || b == PerLifetime {
		return 1, true
	}
	touched := map[Period]map[Period]int{
		PerHour:    {PerDay: 1, PerWeek: 1, PerMonth: 1, PerQuarter: 1, PerYear: 1},
		PerDay:     {PerHour: 25, PerWeek: 1, PerMonth: 1, PerQuarter: 1, PerYear: 1},
		PerWeek:    {PerHour: 169, PerDay: 7, PerMonth: 2, PerQuarter: 2, PerYear: 2},
		PerMonth:   {PerDay: 31, PerWeek: 6, PerQuarter: 1, PerYear: 1},
		PerQuarter: {PerDay: 92, PerWeek: 15, PerMonth: 3, PerYear: 1},
		PerYear:    {PerDay: 366, PerWeek: 54, PerMonth: 12, PerQuarter: 4},
	}
	n, known = touched[a][b]
	return n, known
}

// notAbove reports whether n times an amount is at most another.
func notAbove(a money.Amount, n int, limit money.Amount) bool {
	return n > 0 && a.Minor() <= limit.Minor()/int64(n)
}

// above is the least amount that a limit refuses.
func above(limit money.Amount) string {
	a, err := money.New(limit.Minor()+1, limit.Currency())
	if err != nil {
		return limit.Decimal()
	}
	return a.Decimal()
}
