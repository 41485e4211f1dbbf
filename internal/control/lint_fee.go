package control

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
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
	l.keepLinks(links)
	lintEach(l, all, func(D) rule.Missing { return rule.TwoValued })
	if k.Rival != nil {
		lintRivals(ctx, l, all, k.Rival)
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
		var before []rule.Ruled
		var codes []string
		for _, y := range all[:i] {
			if compare(y, x) == 0 || y.compiled == x.compiled || family(&y.definition) != family(&x.definition) || !l.covers(y.link, x.link) ||
				!l.lasts(*c.head(&y.definition), y.link, head, x.link) {
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
