package control

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// Occasion is what controls and fees are asked about: something that is done with
// a card at a moment. It is gathered once for all kinds.
type Occasion struct {
	Tenant   access.TenantID
	Subject  Subject
	Links    Links // that may hold for the subject; see [Service.LinksOf]
	Calendar Calendar
	Facts    *rule.Facts
	At       time.Time
}

// Compiled are the definitions of one kind in a [Snapshot], ready to be asked. It
// is immutable. A nil one has none.
type Compiled[D any] struct {
	kind Kind
	head func(*D) *Head
	by   map[string]*compiled[D] // by code
}

type compiled[D any] struct {
	definition D
	selects    Selection
}

// Applied is a definition as it holds for one card.
type Applied[D any] struct {
	Definition *D
	Selection  *Selection
	Link       *Link // because of which it holds; nobody may change it
}

// In returns the definitions of this kind that a snapshot has.
func (k *Definitions[D]) In(s *Snapshot) *Compiled[D] {
	c, _ := s.parts[k.Kind].(*Compiled[D])
	return c
}

// Of returns the definitions that hold for the subject at the moment, each with
// the link that wins, the most specific first; then by priority of the link, then
// the newer one. Whether they select what is done is not asked.
func (c *Compiled[D]) Of(o *Occasion) []Applied[D] {
	if c == nil || len(c.by) == 0 {
		return nil
	}
	all := make([]Applied[D], 0, len(c.by))
	o.Links.each(c.kind, &o.Subject, o.At, func(l *Link) {
		d := c.by[l.Parent]
		if d == nil || !c.head(&d.definition).inForceAt(o.At) {
			return
		}
		for i := range all {
			if all[i].Definition == &d.definition {
				return
			}
		}
		all = append(all, Applied[D]{&d.definition, &d.selects, l})
	})
	return all
}

// All returns all definitions, by code. Nobody may change them.
func (c *Compiled[D]) All() []*D {
	if c == nil {
		return nil
	}
	all := make([]*D, 0, len(c.by))
	for _, code := range slices.Sorted(maps.Keys(c.by)) {
		all = append(all, &c.by[code].definition)
	}
	return all
}

// part is what a snapshot knows of a kind without knowing what it is.
type part interface {
	isEmpty() bool
	reads(is func(rule.FieldID) bool) bool
	amountThresholds(o *Occasion) []rule.Threshold
	turns(o *Occasion, t *turns)
	eachBroken(tell func(Kind, Head, rule.Problem))
}

func (c *Compiled[D]) isEmpty() bool { return c.IsEmpty() }

// IsEmpty reports whether there are no definitions of the kind.
func (c *Compiled[D]) IsEmpty() bool { return c == nil || len(c.by) == 0 }

func (c *Compiled[D]) reads(is func(rule.FieldID) bool) bool {
	for _, d := range c.by {
		if d.selects.Reads(is) {
			return true
		}
	}
	return false
}

// compilable is a *Definitions of whatever type.
type compilable interface {
	compile(ctx context.Context, tx db.Tx, tenant access.TenantID, lists *rule.Lists) (Kind, part, error)
	lint(ctx context.Context, s *Service, c access.Caller, k *Snapshot, l *linter) (checked int, err error)
	draft(ctx context.Context, tx db.Tx, tenant access.TenantID, k *Snapshot, objects []Drafted) (kind Kind, p part, n int, err error)
}

// compile reads the tenant's definitions and compiles their rules under its
// lists. All were compiled when they were saved; what no longer compiles breaks
// its own definition and no other.
func (k *Definitions[D]) compile(ctx context.Context, tx db.Tx, tenant access.TenantID, lists *rule.Lists) (Kind, part, error) {
	all, err := k.read(ctx, tx, tenant)
	if err != nil {
		return k.Kind, nil, fmt.Errorf("read %s: %w", k.Entity, err)
	}
	c := &Compiled[D]{kind: k.Kind, head: k.Head, by: make(map[string]*compiled[D], len(all))}
	for _, d := range all {
		c.by[k.Head(&d).Code] = &compiled[D]{d, k.selectionOf(d, lists)}
	}
	return k.Kind, c, nil
}

// selectionOf compiles what is stored.
func (k *Definitions[D]) selectionOf(d D, lists *rule.Lists) Selection {
	selects, problems := compile(k.Criteria(d), k.Rule(d), k.Context, lists)
	if len(problems) > 0 {
		selects.broken = problems
		selects.rule = rule.Constant(k.Context, k.IfBroken != nil && k.IfBroken(d))
	}
	return selects
}

// eachBroken tells of the definitions whose rule cannot be evaluated.
func (c *Compiled[D]) eachBroken(tell func(Kind, Head, rule.Problem)) {
	for _, code := range slices.Sorted(maps.Keys(c.by)) {
		if d := c.by[code]; d.selects.IsBroken() {
			tell(c.kind, *c.head(&d.definition), d.selects.broken[0])
		}
	}
}
