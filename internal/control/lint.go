package control

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// Finding is something about a tenant's control or fee that its author will not have
// meant. It is told only when it is proven.
type Finding struct {
	Kind Kind
	Code string // of the control
	Link Link   // of which it is said; zero for the control itself
	What rule.FindingCode
	// Path is the part of the rule, or the member, that it is about; empty for all.
	Path string
	// By are the codes of the other controls because of which it is so.
	By []string
	// Example are facts that show it: the control selects them, and never decides
	// on them.
	Example []rule.Given
}

// What is found of controls beside what is found of their rules.
const (
	Unlinked   rule.FindingCode = "unlinked"    // no link: it holds for no card
	NeverBinds rule.FindingCode = "never_binds" // other limits are reached before
	BrokenRule rule.FindingCode = "broken"      // the rule compiles no longer
)

// Key names the message in the catalogues.
func (f Finding) Key() string {
	if f.What == rule.Shadowed {
		if f.Kind == TransactionFee {
			return "control.finding.replaced"
		}
		return "control.finding.shadowed"
	}
	switch f.What {
	case Unlinked, NeverBinds, BrokenRule:
		return "control.finding." + string(f.What)
	}
	return rule.Finding{Code: f.What}.Key()
}

// Findings is what there is to say about all controls of a tenant.
type Findings struct {
	All     []Finding
	Checked int // controls
}

// linter looks at the definitions of a tenant.
type linter struct {
	now      time.Time
	programs *program.Configuration
	lists    *rule.Lists
	links    map[Kind]map[string][]Link // by code, those that hold now or later
	found    []Finding
}

// Lint looks at all authorization and velocity controls and fees of the caller's
// tenant: at each rule by itself, and at what the others leave to it. It changes
// nothing.
func (s *Service) Lint(ctx context.Context, c access.Caller) (Findings, error) {
	k, err := s.current(ctx, c.Tenant)
	if err != nil {
		return Findings{}, err
	}
	programs, err := s.Programs.Configuration(ctx, c.Tenant)
	if err != nil {
		return Findings{}, err
	}
	l := &linter{now: c.Now(s.Clock), programs: programs, lists: k.Lists, links: map[Kind]map[string][]Link{}}
	controls, limits := AuthorizationChecks.In(k), VelocityChecks.In(k)
	if !c.May(access.IssuingVelocity) {
		limits = &Compiled[VelocityCheck]{kind: Velocity, head: VelocityChecks.Head} // no business of theirs
	}
	for _, links := range []func() ([]Link, error){
		func() ([]Link, error) { return AuthorizationChecks.Links(ctx, s, c, LinkFilter{}) },
		func() ([]Link, error) { return VelocityChecks.Links(ctx, s, c, LinkFilter{}) },
	} {
		all, err := links()
		if err != nil {
			return Findings{}, fmt.Errorf("read links: %w", err)
		}
		l.keepLinks(all)
	}
	l.lintControls(ctx, controls)
	lintEach(l, limits, func(VelocityCheck) rule.Missing { return rule.TwoValued })
	l.lintLimits(limits)
	checked := len(controls.by) + len(limits.by)
	for _, kind := range s.kinds[ownKinds:] {
		n, err := kind.lint(ctx, s, c, k, l)
		if err != nil {
			return Findings{}, err
		}
		checked += n
	}
	if err := ctx.Err(); err != nil {
		return Findings{}, err
	}
	slices.SortStableFunc(l.found, func(a, b Finding) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Code, b.Code)) })
	return Findings{All: l.found, Checked: checked}, nil
}

func (l *linter) keepLinks(all []Link) {
	for _, link := range all {
		if !link.IsActive || link.EndsAt != nil && !l.now.Before(*link.EndsAt) {
			continue
		}
		if l.links[link.Kind] == nil {
			l.links[link.Kind] = map[string][]Link{}
		}
		l.links[link.Kind][link.Parent] = append(l.links[link.Kind][link.Parent], link)
	}
}

// isOver reports whether a definition holds no more.
func (l *linter) isOver(h Head) bool {
	return !h.IsActive || h.EndsAt != nil && !l.now.Before(*h.EndsAt)
}

// lintEach looks at each definition of a kind by itself.
func lintEach[D any](l *linter, c *Compiled[D], missing func(D) rule.Missing) {
	for code, d := range c.by {
		if l.isOver(*c.head(&d.definition)) {
			continue
		}
		if len(l.links[c.kind][code]) == 0 {
			l.found = append(l.found, Finding{Kind: c.kind, Code: code, What: Unlinked})
		}
		if d.selects.IsBroken() {
			l.found = append(l.found, Finding{Kind: c.kind, Code: code, What: BrokenRule, Path: d.selects.broken[0].At("rule")})
			continue
		}
		m := missing(d.definition)
		of := rule.Ruled{Program: d.selects.rule, Missing: m}
		told := of.Lint()
		for _, f := range told {
			l.found = append(l.found, Finding{Kind: c.kind, Code: code, What: f.Code, Path: under("rule", f.Path), Example: f.Example})
		}
		all, ok := l.ruled(&d.selects, m)
		if ok && len(told) == 0 && all.IsEmpty() {
			l.found = append(l.found, Finding{Kind: c.kind, Code: code, What: rule.NeverTrue, Path: "criteria"})
		}
	}
}

func under(member, path string) string {
	switch {
	case path == "":
		return member
	case path[0] == '@':
		return member + path
	}
	return member + "." + path
}

// ruled is criteria and rule of a selection together; false when they cannot be
// compared with others.
func (l *linter) ruled(s *Selection, m rule.Missing) (rule.Ruled, bool) {
	if s.IsBroken() {
		return rule.Ruled{}, false
	}
	criteria, ok := s.Criteria.program(s.rule.Context(), l.lists)
	return rule.Ruled{Program: s.rule, Also: criteria, Missing: m}, ok
}

// covers reports whether every card of link b is one of link a.
func (l *linter) covers(a, b Link) bool {
	if a.Type == LinkGlobal || a.Type == b.Type && a.Target == b.Target {
		return true
	}
	product, _ := l.programs.Product(b.Target)
	switch {
	case b.Type == LinkProduct && a.Type == LinkProductGroup:
		return a.Target == product.GroupCode
	case b.Type == LinkProduct && a.Type == LinkBINRange:
		return a.Target == product.BINRangeCode
	case b.Type == LinkProduct && a.Type == LinkBIN:
		return a.Target == l.programs.Ranges[product.BINRangeCode].BIN
	case b.Type == LinkBINRange && a.Type == LinkBIN:
		return a.Target == l.programs.Ranges[b.Target].BIN
	}
	return false
}

// holdsWhenever reports whether what begins and ends so is in force whenever the
// other is, from now on.
func (l *linter) holdsWhenever(from, to, otherFrom, otherTo *time.Time) bool {
	begins := from == nil || !l.now.Before(*from) || otherFrom != nil && !otherFrom.Before(*from)
	ends := to == nil || otherTo != nil && !to.Before(*otherTo)
	return begins && ends
}

// lasts reports whether a and its link are in force whenever b and its link are.
func (l *linter) lasts(a Head, aLink Link, b Head, bLink Link) bool {
	for _, of := range []struct{ from, to *time.Time }{{a.StartsAt, a.EndsAt}, {aLink.StartsAt, aLink.EndsAt}} {
		if !l.holdsWhenever(of.from, of.to, b.StartsAt, b.EndsAt) && !l.holdsWhenever(of.from, of.to, bLink.StartsAt, bLink.EndsAt) {
			return false
		}
	}
	return a.IsActive
}
