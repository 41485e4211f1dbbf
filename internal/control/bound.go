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
	Link         Link
	Limits       Limits // those of the card where some were set
	IsOverridden bool
	Key          CounterKey
	Window       Window
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
	var bounds []Bound
	mayBeSet := false
	for _, a := range velocityOf(k, o) {
		if _, concerns := a.Selection.Selects(o.Facts, rule.TwoValued); !concerns {
			continue
		}
		b := Bound{Check: a.Definition, Link: a.Link, Limits: a.Definition.Limits}
		b.Key, b.Window = a.Definition.key(o.Tenant, o.Subject, o.Calendar, o.At)
		bounds = append(bounds, b)
		mayBeSet = mayBeSet || a.Definition.AllowsOverride
	}
	if !mayBeSet {
		return bounds, nil
	}
	err := s.DB.View(ctx, func(tx db.Tx) error {
		return setLimits(ctx, tx, o.Tenant, o.Subject.Issuance, bounds, o.At)
	})
	return bounds, err
}

// setLimits puts the limits of a card in the place of the controls' own.
func setLimits(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[issuing.Issuance], bounds []Bound, at time.Time) error {
	overrides, err := readOverrides(ctx, tx, tenant, []id.ID[issuing.Issuance]{issuance})
	if err != nil {
		return fmt.Errorf("read limits of card: %w", err)
	}
	for i := range bounds {
		for _, o := range overrides {
			if o.Check == bounds[i].Check.Code {
				bounds[i].Limits, bounds[i].IsOverridden = bounds[i].Check.limitsFor(&o, at)
			}
		}
	}
	return nil
}
