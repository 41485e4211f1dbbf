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
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
)

// Bound is a velocity control that counts a transaction: the limits that hold
// for its card, and the counter they are compared with.
type Bound struct {
	Check        *VelocityCheck
	Link         *Link
	Limits       Limits // those of the card where some were set
	IsOverridden bool
	Key          CounterKey
	Window       Window
	IsBroken     bool // it counts because its rule cannot be evaluated
}

// IsSpan reports whether what was used is the sum of a rolling window.
func (b Bound) IsSpan() bool { return b.Check.Period == PerSpan }

// Counts reports whether something is added up: not for the limits of one
// transaction.
func (b Bound) Counts() bool { return b.Check.Period != PerTransaction }

// Ends returns when the window ends for what is counted now; zero is never. Of a
// rolling window that is when it leaves it.
func (b Bound) Ends() time.Time {
	if b.IsSpan() {
		return b.Window.Start.Add(2*b.Check.Span.Duration() - time.Microsecond) // the window ends now
	}
	return b.Window.End
}

// velocityOf returns the velocity controls that hold for a card, by code. Of a
// limit group it is the one with the most specific link; of two as specific the
// one with the lower priority, then the newer link.
func velocityOf(k *Snapshot, o *Occasion) []Applied[VelocityCheck] {
	groups := map[string]bool{}
	all := slices.DeleteFunc(VelocityChecks.In(k).Of(o), func(a Applied[VelocityCheck]) bool {
		g := a.Definition.LimitGroup
		if g == "" {
			return false
		}
		isLess := groups[g]
		groups[g] = true
		return isLess
	})
	slices.SortFunc(all, func(a, b Applied[VelocityCheck]) int { return cmp.Compare(a.Definition.Code, b.Definition.Code) })
	return all
}

// Bounds returns the velocity controls that count what is done, by code, those
// that it does not concern left out.
func (s *Service) Bounds(ctx context.Context, k *Snapshot, o *Occasion) ([]Bound, error) {
	return s.withOverrides(ctx, k, o, k.bounds(o))
}

// withOverrides puts the limits that were set for the card in the place of the
// controls' own.
func (s *Service) withOverrides(ctx context.Context, k *Snapshot, o *Occasion, bounds []Bound) ([]Bound, error) {
	if !slices.ContainsFunc(bounds, func(b Bound) bool { return b.Check.AllowsOverride && k.overridden[b.Check.Code] }) {
		return bounds, nil
	}
	overrides, err := s.OverridesOf(ctx, o.Tenant, o.Subject)
	if err != nil {
		return nil, err
	}
	setLimits(bounds, overrides, o.At)
	return bounds, nil
}

// tells reports whether somebody wants to know how much of the limits is used.
func (c *VelocityCheck) tells() bool { return c.AlertThreshold > 0 || c.OnExceed == ExceedAlerts }

// HasWatchers reports whether a velocity control adds up and wants to tell how much
// of its limits is used.
func (k *Snapshot) HasWatchers() bool {
	return slices.ContainsFunc(VelocityChecks.In(k).All(), func(c *VelocityCheck) bool { return c.Period != PerTransaction && c.tells() })
}

// Watchers returns the velocity controls that hold for a card, add up and want to
// tell how much of their limits is used, by code. What is done is not asked: it may
// raise what something else was counted for.
func (s *Service) Watchers(ctx context.Context, k *Snapshot, o *Occasion) ([]Bound, error) {
	if !k.HasWatchers() {
		return nil, nil
	}
	var bounds []Bound
	for _, a := range velocityOf(k, o) {
		if b := boundOf(a, o); b.Counts() && b.Check.tells() {
			bounds = append(bounds, b)
		}
	}
	return s.withOverrides(ctx, k, o, bounds)
}

// BoundsWith is [Service.Bounds] with the overrides of the card.
func (k *Snapshot) BoundsWith(o *Occasion, overrides []Override) []Bound {
	bounds := k.bounds(o)
	setLimits(bounds, overrides, o.At)
	return bounds
}

// bounds are those of [Service.Bounds] with the controls' own limits.
func (k *Snapshot) bounds(o *Occasion) []Bound {
	all := velocityOf(k, o)
	bounds := make([]Bound, 0, len(all))
	for _, a := range all {
		if _, concerns := a.Selection.Selects(o.Facts, rule.TwoValued); !concerns {
			continue
		}
		bounds = append(bounds, boundOf(a, o))
	}
	return bounds
}

func boundOf(a Applied[VelocityCheck], o *Occasion) Bound {
	b := Bound{Check: a.Definition, Link: a.Link, Limits: a.Definition.Limits, IsBroken: a.Selection.IsBroken()}
	b.Key, b.Window = a.Definition.key(o.Tenant, o.Subject, o.Calendar, o.At)
	return b
}

// OverridesOf returns the limits that are set for a card, past ones too.
func (s *Service) OverridesOf(ctx context.Context, tenant access.TenantID, subject Subject) (all []Override, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) (err error) {
		all, err = readOverrides(ctx, tx, tenant, []id.ID[issuing.Issuance]{subject.Issuance})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read limits of card: %w", err)
	}
	return all, nil
}

// setLimits puts the limits of a card in the place of the controls' own.
func setLimits(bounds []Bound, overrides []Override, at time.Time) {
	for i := range bounds {
		for _, o := range overrides {
			if o.Check == bounds[i].Check.Code {
				bounds[i].Limits, bounds[i].IsOverridden = bounds[i].Check.limitsFor(&o, at)
			}
		}
	}
}
