package control

import (
	"context"
	"fmt"
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

// Bounds returns the velocity controls that count a transaction of s at a
// moment, by code, those that it does not concern left out.
func (s *Service) Bounds(ctx context.Context, k *Snapshot, tenant access.TenantID, subject Subject, c Calendar, f *rule.Facts, at time.Time) ([]Bound, error) {
	if len(k.velocity) == 0 {
		return nil, nil
	}
	var bounds []Bound
	err := s.DB.View(ctx, func(tx db.Tx) error {
		bounds = nil
		links, err := k.linksOf(ctx, tx, tenant, subject)
		if err != nil {
			return err
		}
		mayBeSet := false
		for _, a := range k.velocityOf(links, subject, at) {
			if _, concerns := a.check.selects.Selects(f, rule.TwoValued); !concerns {
				continue
			}
			b := Bound{Check: &a.check.VelocityCheck, Link: a.link, Limits: a.check.Limits}
			b.Key, b.Window = a.check.key(tenant, subject, c, at)
			bounds = append(bounds, b)
			mayBeSet = mayBeSet || a.check.AllowsOverride
		}
		if !mayBeSet {
			return nil
		}
		return setLimits(ctx, tx, tenant, subject.Issuance, bounds, at)
	})
	if err != nil {
		return nil, fmt.Errorf("read velocity controls: %w", err)
	}
	return bounds, nil
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
