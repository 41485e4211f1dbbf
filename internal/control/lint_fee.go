package control

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// lint looks at the definitions of a kind that another package has, as far as the
// caller may see them, and returns how many there are.
func (k *Definitions[D]) lint(ctx context.Context, s *Service, c access.Caller, snapshot *Snapshot, l *linter) (int, error) {
	all := k.In(snapshot)
	if all.IsEmpty() || k.Permission != "" && !c.May(k.Permission) {
		return 0, nil
	}
	links, err := k.Links(ctx, s, c, LinkFilter{})
	if err != nil {
		return 0, fmt.Errorf("read links: %w", err)
	}
	if err := l.keepLinks(ctx, s, c, links); err != nil {
		return 0, err
	}
	lintEach(l, all, func(D) rule.Missing { return rule.TwoValued })
	if k.Rival != nil {
		lintRivals(ctx, l, all, k.Rival)
	}
	if k.Price != nil {
		lintPrices(ctx, l, all, k.Price)
	}
	return len(all.by), nil
}

// rival is a definition, of which one of a family holds, with one of its links.
type rival[D any] struct {
	*compiled[D]
	link Link
}

// lintRivals tells of definitions that hold for nothing: for every card of a link
// others of the family, which come before, select all that they select.
func lintRivals[D any](ctx context.Context, l *linter, c *Compiled[D], family func(*D) string) {
	var all []rival[D]
	for _, code := range slices.Sorted(maps.Keys(c.by)) {
		d := c.by[code]
		if l.isOver(*c.head(&d.definition)) {
			continue
		}
		for _, link := range l.links[c.kind][code] {
			all = append(all, rival[D]{d, link})
		}
	}
	// As for a card: the most specific link, then its priority, then the newer one.
	compare := func(a, b rival[D]) int {
		return cmp.Or(cmp.Compare(b.link.Type.Specificity(), a.link.Type.Specificity()), cmp.Compare(a.link.Priority, b.link.Priority),
			b.link.CreatedAt.Compare(a.link.CreatedAt))
	}
	slices.SortStableFunc(all, compare)
	for i, x := range all {
		if ctx.Err() != nil {
			return
		}
		of, ok := l.ruled(&x.selects, rule.TwoValued)
		if !ok {
			continue
		}
		head := *c.head(&x.definition)
		spans := []span{head.span(), x.link.span()}
		var before []rule.Ruled
		var codes []string
		for _, y := range all[:i] {
			if compare(y, x) == 0 || y.compiled == x.compiled || family(&y.definition) != family(&x.definition) || !l.covers(y.link, x.link) ||
				!l.lasts(c.head(&y.definition).span(), spans) || !l.lasts(y.link.span(), spans) {
				continue
			}
			if r, ok := l.ruled(&y.selects, rule.TwoValued); ok {
				before, codes = append(before, r), append(codes, c.head(&y.definition).Code)
			}
		}
		f, replaced := of.CoveredBy(before...)
		if !replaced {
			continue
		}
		if f.By >= 0 {
			codes = codes[f.By : f.By+1]
		}
		l.found = append(l.found, Finding{
			Kind: c.kind, Code: head.Code, Link: x.link, What: rule.Shadowed, By: slices.Compact(codes), Example: f.Example,
		})
	}
}

// Price is what of a fee depends on how often and how much is paid.
type Price struct {
	Currency money.Currency // of the account, too
	// FreeCount and FreeAmount are what costs nothing for a card in each FreePeriod;
	// zero is none.
	FreeCount  int
	FreeAmount *money.Amount
	FreePeriod Period
	// Tiers are the amounts of payments from which on something else is paid.
	Tiers []money.Amount
}

// lintPrices tells of free numbers and amounts that are never exceeded and of tiers
// that are never reached, because limits refuse before. What only reports, or
// presents, what was not asked for is counted by limits and refused by none.
func lintPrices[D any](ctx context.Context, l *linter, c *Compiled[D], price func(D) Price) {
	for _, code := range slices.Sorted(maps.Keys(c.by)) {
		d := c.by[code]
		head := *c.head(&d.definition)
		if l.isOver(head) || ctx.Err() != nil {
			continue
		}
		for _, link := range l.links[c.kind][code] {
			x := about{key: string(c.kind) + "/" + code, selects: &d.selects, link: link, spans: []span{head.span(), link.span()}}
			l.lintPrice(x, Finding{Kind: c.kind, Code: code, Link: link}, price(d.definition))
		}
	}
}

func (l *linter) lintPrice(x about, of Finding, p Price) {
	note := func(what rule.FindingCode, path string, by VelocityCheck, example []rule.Given) bool {
		of.What, of.Path, of.By, of.Example = what, path, []string{by.Code}, example
		l.found = append(l.found, of)
		return true
	}
	if p.FreeCount > 0 {
		l.limits.before(x, func(y limited, example []rule.Given) bool {
			windows, known := windowsIn(p.FreePeriod, y.definition.Period)
			n := y.limits.Count
			return known && n != nil && y.definition.countsIssuances() && *n <= p.FreeCount/windows && note(NeverExceeded, "freeCount", y.definition, example)
		})
	}
	if p.FreeAmount != nil {
		l.limits.before(x, func(y limited, example []rule.Given) bool {
			windows, known := windowsIn(p.FreePeriod, y.definition.Period)
			a := y.limits.Amount
			// What clears for less has room again under a limit, and none in what is free.
			return known && a != nil && a.Currency() == p.Currency && y.definition.countsIssuances() && y.definition.Refunds == RefundsIgnored &&
				!y.definition.AdjustOnClearing && notAbove(*a, windows, *p.FreeAmount) && note(NeverExceeded, "freeAmount", y.definition, example)
		})
	}
	for i, from := range p.Tiers {
		high, path := x.from(from), "tiers["+strconv.Itoa(i)+"]"
		l.limits.before(high, func(y limited, _ []rule.Given) bool {
			a := y.limits.Amount
			return a != nil && a.Currency() == p.Currency && from.Cmp(*a) > 0 &&
				note(NeverReached, path, y.definition, []rule.Given{{Field: rule.TransactionBillingAmount, Value: from.Decimal()}})
		})
	}
}

// from is what x is about of the amounts from one on.
func (x about) from(amount money.Amount) about {
	selects := *x.selects
	if low := bound(selects.MinAmount); low == nil || bound(amount.Decimal()).Compare(*low) > 0 {
		selects.MinAmount = amount.Decimal()
	}
	x.key, x.selects = x.key+"/"+amount.Decimal(), &selects
	return x
}

// countsIssuances reports whether all that an issuance is used for is counted under
// one counter, whatever becomes of its plastics and its customer.
func (c VelocityCheck) countsIssuances() bool {
	return c.Level == CountIssuance || c.Level == CountFamily
}
