package control

import (
	"cmp"
	"maps"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// limited is a velocity control with one of its links, or with what was set in its
// place for one card.
type limited struct {
	*compiled[VelocityCheck]
	link   Link
	limits Limits
	set    *Override // nil: the control's own limits
}

// about is what the limit is about, and when.
func (x limited) about() about {
	a := about{key: string(Velocity) + "/" + x.definition.Code, selects: &x.selects, link: x.link, spans: []span{x.definition.span(), x.link.span()}}
	if x.set != nil {
		a.spans = append(a.spans, span{x.set.StartsAt, x.set.EndsAt})
	}
	return a
}

// sets reports whether the amount, or the count, is one that is to be told of.
func (x limited) sets(isAmount bool) bool {
	l := x.limits
	if x.set != nil {
		l = x.set.Limits
	}
	return isAmount && l.Amount != nil || !isAmount && l.Count != nil
}

// about is what something selects of the cards of a link, while all of its spans
// last.
type about struct {
	key     string // of the selection
	selects *Selection
	link    Link
	spans   []span
}

// limitsMax is how many limits of cards are told of one control.
const limitsMax = 100

// limits are the velocity controls of a tenant that may refuse something before
// another thing comes to pass.
type limits struct {
	*linter
	wide     []limited // that hold for more than a card or a customer
	personal map[linkTarget][]limited
	inGroup  map[string]int    // how many a limit group has
	overset  map[string]Limits // by control: the highest of it and of all that cards have in its place
	onCards  map[onCard]Override
	covered  map[[2]string]coverage
}

type onCard struct {
	check    string
	issuance id.ID[issuing.Issuance]
}

type coverage struct {
	isCovered bool
	example   []rule.Given
}

func (o onCard) compare(p onCard) int {
	return cmp.Or(cmp.Compare(o.check, p.check), o.issuance.Compare(p.issuance))
}

// newLimits orders what a tenant limits; set are the limits of cards that are not
// over.
func newLimits(l *linter, c *Compiled[VelocityCheck], set []Override) *limits {
	s := &limits{
		linter: l, personal: map[linkTarget][]limited{}, inGroup: map[string]int{}, overset: map[string]Limits{}, onCards: map[onCard]Override{}, covered: map[[2]string]coverage{},
	}
	for _, code := range slices.Sorted(maps.Keys(c.by)) {
		d := c.by[code]
		if l.isOver(d.definition.Head) {
			continue
		}
		s.inGroup[d.definition.LimitGroup]++
		s.overset[code] = d.definition.Limits
		for _, link := range l.links[c.kind][code] {
			x := limited{compiled: d, link: link, limits: d.definition.Limits}
			if at := (linkTarget{kindOf: link.Type, target: link.Target}); link.Type == LinkCustomer || link.Type == LinkCard {
				s.personal[at] = append(s.personal[at], x)
			} else {
				s.wide = append(s.wide, x)
			}
		}
	}
	for _, o := range set {
		own, known := s.overset[o.Check]
		if !known {
			continue
		}
		if instead, fits := c.by[o.Check].definition.limitsWith(&o); fits {
			s.overset[o.Check] = own.orHigher(instead)
			s.onCards[onCard{o.Check, o.Issuance}] = o
		}
	}
	return s
}

// orHigher are the higher ones of both; without a limit in either there is none.
func (l Limits) orHigher(o Limits) Limits {
	if l.Amount == nil || o.Amount == nil {
		l.Amount = nil
	} else if l.Amount.Cmp(*o.Amount) < 0 {
		l.Amount = o.Amount
	}
	if l.Count == nil || o.Count == nil {
		l.Count = nil
	} else if *l.Count < *o.Count {
		l.Count = o.Count
	}
	return l
}

// refusing are the limits that refuse, of those that may hold for all cards of a
// link, each with the limits that hold for all of them.
func (s *limits) refusing(x about) []limited {
	all := slices.Clone(s.wide)
	switch x.link.Type {
	case LinkCard:
		card := s.cards[x.link.Target]
		all = append(all, s.personal[linkTarget{kindOf: LinkCustomer, target: card.target(LinkCustomer)}]...)
		all = append(all, s.personal[linkTarget{kindOf: LinkCard, target: x.link.Target}]...)
	case LinkCustomer:
		all = append(all, s.personal[linkTarget{kindOf: LinkCustomer, target: x.link.Target}]...)
	}
	return slices.DeleteFunc(all, func(y limited) bool {
		// Of a limit group another may hold for the card.
		g := y.definition.LimitGroup
		return y.definition.OnExceed != ExceedDeclines || g != "" && s.inGroup[g] > 1
	})
}

// whileAbout are the limits of y on all cards of a link, while x lasts.
func (s *limits) whileAbout(y limited, x about) Limits {
	if x.link.Type != LinkCard {
		return s.overset[y.definition.Code]
	}
	i, err := id.Parse[issuing.Issuance](x.link.Target)
	o, isSet := s.onCards[onCard{y.definition.Code, i}]
	if err != nil || !isSet {
		return y.limits
	}
	instead, _ := y.definition.limitsWith(&o)
	if s.lasts(span{o.StartsAt, o.EndsAt}, x.spans) {
		return instead
	}
	return y.limits.orHigher(instead)
}

// before hands over each limit that counts every transaction that x is about, with
// the values that hold whenever it is, until take says that it is enough. example
// is a transaction of x.
func (s *limits) before(x about, take func(y limited, example []rule.Given) (enough bool)) {
	for _, y := range s.refusing(x) {
		if !s.covers(y.link, x.link) || !s.lasts(y.definition.span(), x.spans) || !s.lasts(y.link.span(), x.spans) {
			continue
		}
		c := s.coverage(x, y)
		if !c.isCovered {
			continue
		}
		y.limits = s.whileAbout(y, x)
		if take(y, c.example) {
			return
		}
	}
}

func (s *limits) coverage(x about, y limited) coverage {
	key := [2]string{x.key, y.definition.Code}
	if c, known := s.covered[key]; known {
		return c
	}
	var c coverage
	if narrow, ok := s.ruled(x.selects, rule.TwoValued); ok {
		if wide, ok := s.ruled(&y.selects, rule.TwoValued); ok {
			var f rule.Finding
			f, c.isCovered = narrow.CoveredBy(wide)
			c.example = f.Example
		}
	}
	if c.isCovered && len(c.example) == 0 { // it is about everything
		c.example = []rule.Given{{Field: rule.TransactionCode, Value: `"Purchase"`}}
	}
	s.covered[key] = c
	return c
}

// lint tells limits that are never reached because others are before: those of
// controls, then those that were set for single cards.
func (s *limits) lint() {
	all := slices.Clone(s.wide)
	for _, at := range slices.SortedFunc(maps.Keys(s.personal), func(a, b linkTarget) int {
		return cmp.Or(cmp.Compare(a.kindOf, b.kindOf), cmp.Compare(a.target, b.target))
	}) {
		all = append(all, s.personal[at]...)
	}
	for _, x := range all {
		s.lintLimit(x)
	}
	told := map[string]int{}
	for _, at := range slices.SortedFunc(maps.Keys(s.onCards), onCard.compare) {
		card, known := s.cards[at.issuance.String()]
		o := s.onCards[at]
		if !known || told[at.check] == limitsMax {
			continue
		}
		x, holds := s.onCard(at.check, card)
		if !holds {
			continue
		}
		x.limits, _ = x.definition.limitsWith(&o)
		x.link, x.set = Link{Kind: Velocity, Parent: at.check, Type: LinkCard, Code: card.CardToken, Target: at.issuance.String(), IsActive: true}, &o
		if s.lintLimit(x) {
			told[at.check]++
		}
	}
}

// onCard is a control that holds for a card.
func (s *limits) onCard(check string, card Subject) (limited, bool) {
	all := slices.Concat(s.wide, s.personal[linkTarget{kindOf: LinkCard, target: card.target(LinkCard)}])
	if customer := card.target(LinkCustomer); customer != "" {
		all = append(all, s.personal[linkTarget{kindOf: LinkCustomer, target: customer}]...)
	}
	for _, x := range all {
		if x.definition.Code == check && (x.link.Type == LinkGlobal || x.link.Target == card.target(x.link.Type)) {
			return x, true
		}
	}
	return limited{}, false
}

func (s *limits) lintLimit(x limited) (found bool) {
	s.before(x.about(), func(y limited, example []rule.Given) bool {
		found = x.compiled != y.compiled && s.bindsBefore(x, y, example)
		return found
	})
	return found
}

// bindsBefore notes which limit of x is never reached because of y's.
func (s *limits) bindsBefore(x, y limited, example []rule.Given) bool {
	a, b := &x.definition, &y.definition
	windows, nested := windowsIn(a.Period, b.Period)
	if a.Period == PerSpan && b.Period == PerSpan {
		windows, nested = 1, a.Span.Duration() <= b.Span.Duration()
	}
	nested = nested && a.countsWithin(*b)
	if la, lb := x.limits.Amount, y.limits.Amount; x.sets(true) && la != nil && lb != nil && la.Currency() == lb.Currency() && (b.IncludeFees || !a.IncludeFees) {
		if nested && notAbove(*lb, windows, *la) && s.noteLimit(x, y, "maxAmount", rule.Given{Field: rule.TransactionBillingAmount, Value: above(*la)}) {
			return true
		}
		// As many as maxCount, each as high as one may be.
		if n := x.limits.Count; b.Period == PerTransaction && n != nil && !a.IncludeDeclined && notAbove(*lb, *n, *la) &&
			s.noteLimit(x, y, "maxAmount", rule.Given{Field: rule.TransactionBillingAmount, Value: lb.Decimal()}) {
			return true
		}
	}
	if na, nb := x.limits.Count, y.limits.Count; x.sets(false) && na != nil && nb != nil && nested && windows > 0 && *nb*windows <= *na && (b.IncludeDeclined || !a.IncludeDeclined) {
		return s.noteLimit(x, y, "maxCount", example...)
	}
	return false
}

// noteLimit notes a limit that is never reached, unless the other one is not because
// of it: they are the same then, and without both nothing would be bounded.
func (s *limits) noteLimit(x, y limited, member string, example ...rule.Given) bool {
	if slices.ContainsFunc(s.found, func(f Finding) bool {
		onOther := f.Link.Type == LinkCard && x.link.Type == LinkCard && f.Link.Target != x.link.Target
		return f.Kind == Velocity && f.Code == y.definition.Code && f.Path == member && slices.Equal(f.By, []string{x.definition.Code}) && !onOther
	}) {
		return false
	}
	what := NeverBinds
	if x.set != nil {
		what = OverrideNeverBinds
	}
	s.found = append(s.found, Finding{Kind: Velocity, Code: x.definition.Code, Link: x.link, What: what, Path: member, By: []string{y.definition.Code}, Example: example})
	return true
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
