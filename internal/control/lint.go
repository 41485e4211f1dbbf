package control

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/issuing"
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
	// OverrideNeverBinds is of a limit that was set for a single card.
	OverrideNeverBinds rule.FindingCode = "override_never_binds"
	// NeverExceeded is of what a fee leaves free, NeverReached of a price that begins
	// above all that may be paid.
	NeverExceeded rule.FindingCode = "never_exceeded"
	NeverReached  rule.FindingCode = "never_reached"
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
	case Unlinked, NeverBinds, OverrideNeverBinds, BrokenRule, NeverExceeded, NeverReached:
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
	cards    map[string]Subject         // to which there are links, or for which limits are set, by issuance
	limits   *limits
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
	l := newLinter(c.Now(s.Clock), programs, k.Lists)
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
		if err := l.keepLinks(ctx, s, c, all); err != nil {
			return Findings{}, err
		}
	}
	set, err := l.readLimitsOfCards(ctx, s, c, limits)
	if err != nil {
		return Findings{}, err
	}
	l.lintControls(ctx, controls)
	lintEach(l, limits, func(VelocityCheck) rule.Missing { return rule.TwoValued })
	l.limits = newLimits(l, limits, set)
	l.limits.lint()
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

func newLinter(now time.Time, programs *program.Configuration, lists *rule.Lists) *linter {
	return &linter{now: now, programs: programs, lists: lists, links: map[Kind]map[string][]Link{}, cards: map[string]Subject{}}
}

// keepLinks keeps what is not over of links, and reads the cards that they are to.
func (l *linter) keepLinks(ctx context.Context, s *Service, c access.Caller, all []Link) error {
	var cards []string
	for _, link := range all {
		if !link.IsActive || link.EndsAt != nil && !l.now.Before(*link.EndsAt) {
			continue
		}
		if l.links[link.Kind] == nil {
			l.links[link.Kind] = map[string][]Link{}
		}
		l.links[link.Kind][link.Parent] = append(l.links[link.Kind][link.Parent], link)
		if link.Type == LinkCard {
			cards = append(cards, link.Target)
		}
	}
	return l.readCards(ctx, s, c, cards)
}

// readCards reads what cards are, by their issuances.
func (l *linter) readCards(ctx context.Context, s *Service, c access.Caller, issuances []string) error {
	issuances = slices.DeleteFunc(issuances, func(i string) bool { _, known := l.cards[i]; return known })
	return s.DB.View(ctx, func(tx db.Tx) error {
		all, err := issuing.Standings(ctx, tx, c.Tenant, issuances)
		if err != nil {
			return fmt.Errorf("read cards: %w", err)
		}
		for _, standing := range all {
			l.cards[standing.Issuance.String()] = NewSubject(standing, l.programs)
		}
		return nil
	})
}

// readLimitsOfCards reads the limits that are set for cards in the place of those of
// controls, and are not over, with their cards.
func (l *linter) readLimitsOfCards(ctx context.Context, s *Service, c access.Caller, of *Compiled[VelocityCheck]) (set []Override, err error) {
	if of.IsEmpty() {
		return nil, nil
	}
	err = s.DB.View(ctx, func(tx db.Tx) error {
		set, err = readOverridesAfter(ctx, tx, c.Tenant, l.now)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read limits of cards: %w", err)
	}
	cards := make([]string, len(set))
	for i, o := range set {
		cards[i] = o.Issuance.String()
	}
	return set, l.readCards(ctx, s, c, cards)
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
	if b.Type == LinkCard {
		// The segment is left out: a customer passes from one to another.
		card, known := l.cards[b.Target]
		return known && a.Type != LinkSegment && a.Target != "" && a.Target == card.target(a.Type)
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

// span is when something is in force: from is included, to is not, nil is without.
type span struct{ from, to *time.Time }

func (h Head) span() span { return span{h.StartsAt, h.EndsAt} }
func (l Link) span() span { return span{l.StartsAt, l.EndsAt} }

// lasts reports whether a is in force whenever all of others are, from now on.
func (l *linter) lasts(a span, others []span) bool {
	begins := a.from == nil || !l.now.Before(*a.from) ||
		slices.ContainsFunc(others, func(b span) bool { return b.from != nil && !b.from.Before(*a.from) })
	ends := a.to == nil || slices.ContainsFunc(others, func(b span) bool { return b.to != nil && !a.to.Before(*b.to) })
	return begins && ends
}
