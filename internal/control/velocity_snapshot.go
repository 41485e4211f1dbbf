package control

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// velocitySnapshot is the part of a [Snapshot] that bounds what cards use.
type velocitySnapshot struct {
	velocity map[string]*velocityRule // by code
	links    Links
	// personal says that links to customers or cards exist: those are read with
	// the card, for there may be as many as there are customers.
	personal bool
	// readsCard says that a rule asks about more than the transaction.
	readsCard bool
}

// velocityRule is a velocity control with what selects the transactions that it
// counts.
type velocityRule struct {
	VelocityCheck
	selects selection
}

// readVelocity reads velocity controls and links, and compiles the rules under
// the lists that k has.
func (k *Snapshot) readVelocity(ctx context.Context, tx db.Tx, tenant access.TenantID) error {
	checks, err := VelocityChecks.read(ctx, tx, tenant)
	if err != nil {
		return fmt.Errorf("read velocity controls: %w", err)
	}
	k.velocity = make(map[string]*velocityRule, len(checks))
	for _, c := range checks {
		selects, problems := compile(c.Criteria, c.Rule, rule.Velocity, k.Lists)
		if len(problems) > 0 {
			return fmt.Errorf("compile rule of velocity control %s: %s", c.Code, problems[0].Text("en"))
		}
		k.velocity[c.Code] = &velocityRule{c, selects}
		k.readsCard = k.readsCard || slices.ContainsFunc(selects.rule.Fields(), func(f rule.FieldID) bool {
			group, _, _ := strings.Cut(f.String(), ".")
			return group == "card" || group == "product" || group == "customer"
		})
	}
	links, personal, err := readGeneralLinks(ctx, tx, tenant)
	if err != nil {
		return fmt.Errorf("read links: %w", err)
	}
	k.links, k.personal = NewLinks(links), personal
	return nil
}

// HasVelocity reports whether the tenant has velocity controls.
func (k *Snapshot) HasVelocity() bool { return len(k.velocity) > 0 }

// ReadsCard reports whether a rule of them asks about the card, its product or
// its customer.
func (k *Snapshot) ReadsCard() bool { return k.readsCard }

// linksOf returns the links that may hold for s.
func (k *Snapshot) linksOf(ctx context.Context, tx db.Tx, tenant access.TenantID, s Subject) (Links, error) {
	if !k.personal {
		return k.links, nil
	}
	own, err := readPersonalLinks(ctx, tx, tenant, s)
	if err != nil {
		return Links{}, fmt.Errorf("read links of card: %w", err)
	}
	return k.links.with(own), nil
}

// applied is a velocity control as it holds for one card.
type applied struct {
	check *velocityRule
	link  Link
}

// velocityOf returns the velocity controls that hold for s at a moment, by code.
// Of a limit group it is the one with the most specific link; of two as specific
// the one with the lower priority, then the newer link.
func (k *Snapshot) velocityOf(links Links, s Subject, at time.Time) []applied {
	var all []applied
	groups := map[string]bool{}
	for _, l := range links.Of(Velocity, s, at) {
		check, known := k.velocity[l.Parent]
		if !known || !check.inForceAt(at) || slices.ContainsFunc(all, func(a applied) bool { return a.check == check }) {
			continue
		}
		if g := check.LimitGroup; g != "" {
			if groups[g] {
				continue
			}
			groups[g] = true
		}
		all = append(all, applied{check, l})
	}
	slices.SortFunc(all, func(a, b applied) int { return cmp.Compare(a.check.Code, b.check.Code) })
	return all
}
