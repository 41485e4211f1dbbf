package control

import (
	"cmp"
	"context"
	"maps"
	"reflect"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/control/rule"
)

// Place is where an authorization control stands among those of a card.
type Place struct {
	Code                   string
	IsMandatory            bool
	Specificity            int // of the link
	LinkPriority, Priority int
}

// Compare is negative when p is asked before o: mandatory controls first, by
// priority; the others the more specific their link is, then by priority of the
// link, then by their own.
func (p Place) Compare(o Place) int {
	if p.IsMandatory != o.IsMandatory {
		if p.IsMandatory {
			return -1
		}
		return 1
	}
	own := cmp.Or(cmp.Compare(p.Priority, o.Priority), cmp.Compare(p.Code, o.Code))
	if p.IsMandatory {
		return own
	}
	return cmp.Or(cmp.Compare(o.Specificity, p.Specificity), cmp.Compare(p.LinkPriority, o.LinkPriority), own)
}

// placed is an authorization control with one of its links.
type placed struct {
	*compiled[AuthorizationCheck]
	link Link
}

func (p placed) place() Place {
	c := &p.definition
	return Place{c.Code, c.IsMandatory, p.link.Type.Specificity(), p.link.Priority, c.Priority}
}

// lintControls looks at each authorization control, and for those that never come
// to decide because of what is asked before them.
func (l *linter) lintControls(ctx context.Context, c *Compiled[AuthorizationCheck]) {
	lintEach(l, c, func(d AuthorizationCheck) rule.Missing { return d.Action.Missing() })
	var all []placed
	for _, code := range slices.Sorted(maps.Keys(c.by)) {
		d := c.by[code]
		if l.isOver(d.definition.Head) {
			continue
		}
		for _, link := range l.links[c.kind][code] {
			all = append(all, placed{d, link})
		}
	}
	slices.SortFunc(all, func(a, b placed) int { return a.place().Compare(b.place()) })
	for i, p := range all {
		if ctx.Err() != nil {
			return
		}
		l.lintShadow(p, all[:i])
	}
}

// lintShadow tells when what is asked before p decides all that p is about.
func (l *linter) lintShadow(p placed, before []placed) {
	of, ok := l.ruled(&p.selects, p.definition.Action.Missing())
	if !ok {
		return
	}
	var earlier []rule.Ruled
	var codes []string
	for _, e := range before {
		if e.compiled == p.compiled || !l.takes(e, p) {
			continue
		}
		if r, ok := l.ruled(&e.selects, e.definition.Action.Missing()); ok {
			earlier, codes = append(earlier, r), append(codes, e.definition.Code)
		}
	}
	f, shadowed := of.CoveredBy(earlier...)
	if !shadowed {
		return
	}
	if f.By >= 0 {
		codes = codes[f.By : f.By+1]
	}
	l.found = append(l.found, Finding{
		Kind: Authorization, Code: p.definition.Code, Link: p.link, What: rule.Shadowed, By: slices.Compact(codes), Example: f.Example,
	})
}

// takes reports whether e, which is asked before p, leaves it nothing to say of
// whatever both select: it ends the evaluation for every card, flow and time of p.
func (l *linter) takes(e, p placed) bool {
	a, b := &e.definition, &p.definition
	switch a.Action {
	case Decline, Refer:
	case Approve: // is never mandatory, so neither is what comes after it
	case RequirePIN, Require3DS: // those it is content with are let pass by it
		if b.Action != a.Action {
			return false
		}
	default:
		return false
	}
	for _, flow := range b.Flows {
		if !a.concerns(flow) {
			return false
		}
	}
	spans := []span{b.span(), p.link.span()}
	return a.Mode == Enforce && l.covers(e.link, p.link) && l.lasts(a.span(), spans) && l.lasts(e.link.span(), spans) &&
		(a.Schedule.IsZero() || reflect.DeepEqual(a.Schedule, b.Schedule)) && (!e.selects.readsAmount || p.selects.readsAmount)
}
