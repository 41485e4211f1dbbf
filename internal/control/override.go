package control

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
)

// Override sets the limits of a velocity control for one card, for a while or
// for good. It replaces the numbers only, never what is counted.
type Override struct {
	Issuance         id.ID[issuing.Issuance]
	Check            string // code of the control
	Limits           Limits
	StartsAt, EndsAt *time.Time
	Reason, Channel  string
	CreatedAt        time.Time
	CreatedBy        string
	UpdatedAt        time.Time
	UpdatedBy        string
}

func (o Override) check() error {
	var v fault.Checks
	v.Text("velocityCheckCode", o.Check, 1, 64)
	v.Is("maxAmount", !o.Limits.IsZero(), "required", "one of maxAmount and maxCount is required")
	v.Is("maxAmount", o.Limits.Amount == nil || o.Limits.Amount.Sign() > 0, "out_of_range", "must be above zero")
	v.Is("maxCount", o.Limits.Count == nil || *o.Limits.Count >= 1 && *o.Limits.Count <= countMax, "out_of_range", "must be from 1 to 1000000000")
	checkPeriod(&v, "", o.StartsAt, o.EndsAt)
	v.Text("reason", o.Reason, 0, 250)
	return v.Err(errInvalid)
}

// permits checks an override against what its control allows. It replaces only a
// limit that the control has.
func (c VelocityCheck) permits(o Override) error {
	amount, count := o.Limits.Amount, o.Limits.Count
	switch {
	case !c.AllowsOverride, amount != nil && (c.Limits.Amount == nil || amount.Currency() != c.Currency), count != nil && c.Limits.Count == nil:
		return errOverrideRefused.With("velocityCheckCode", c.Code)
	case amount != nil && (c.OverrideMinAmount != nil && amount.Cmp(*c.OverrideMinAmount) < 0 ||
		c.OverrideMax.Amount != nil && amount.Cmp(*c.OverrideMax.Amount) > 0):
		return errOverrideBounds.With("member", "maxAmount")
	case count != nil && c.OverrideMax.Count != nil && *count > *c.OverrideMax.Count:
		return errOverrideBounds.With("member", "maxCount")
	}
	return nil
}

// limitsFor are the limits of the control for a card for which o was set, and
// whether o is in force. What no longer fits the control, because that was
// changed since, counts for nothing.
func (c VelocityCheck) limitsFor(o *Override, at time.Time) (Limits, bool) {
	if o == nil || !inForce(o.StartsAt, o.EndsAt, at) {
		return c.Limits, false
	}
	return c.limitsWith(o)
}

// limitsWith is limitsFor while o is in force.
func (c VelocityCheck) limitsWith(o *Override) (Limits, bool) {
	if !c.AllowsOverride {
		return c.Limits, false
	}
	l, applies := c.Limits, false
	if a := o.Limits.Amount; a != nil && l.Amount != nil && a.Currency() == c.Currency {
		l.Amount, applies = a, true
	}
	if n := o.Limits.Count; n != nil && l.Count != nil {
		l.Count, applies = n, true
	}
	return l, applies
}

// OverrideLimit sets the limits of a control that applies to the card. A limit
// that is set already is replaced. It holds for the next authorization, on every
// node: see [Service.override].
func (s *Service) OverrideLimit(ctx context.Context, c access.Caller, card string, o Override) (CardLimit, error) {
	if err := o.check(); err != nil {
		return CardLimit{}, err
	}
	var out CardLimit
	err := s.override(ctx, c.Tenant, o.Check, func(tx db.Tx) error {
		v, err := s.lockLimitsOf(ctx, tx, c, card)
		if err != nil {
			return err
		}
		a, err := v.applied(ctx, tx, c, o.Check)
		if err != nil {
			return err
		}
		if err := a.Definition.permits(o); err != nil {
			return err
		}
		var late fault.Checks
		late.Is("endDate", o.EndsAt == nil || o.EndsAt.After(v.now), "past", "must lie in the future")
		if err := late.Err(errInvalid); err != nil {
			return err
		}
		before := v.overrides[o.Check]
		o.Issuance, o.CreatedAt, o.UpdatedAt, o.CreatedBy, o.UpdatedBy = v.subject.Issuance, v.now, v.now, c.By(), c.By()
		if before != nil {
			o.CreatedAt, o.CreatedBy = before.CreatedAt, before.CreatedBy
		}
		if err := putOverride(ctx, tx, c.Tenant, o); err != nil {
			return fmt.Errorf("write limit of card: %w", err)
		}
		if err := recordOverride(ctx, tx, c, v, before, &o); err != nil {
			return err
		}
		v.overrides[o.Check] = &o
		out, err = v.limit(ctx, tx, a)
		return err
	})
	return out, err
}

// lockLimitsOf locks the issuance of a card and reads what holds for it then: who
// sets and removes limits of one card is judged on what the one before left.
func (s *Service) lockLimitsOf(ctx context.Context, tx db.Tx, c access.Caller, card string) (*cardLimits, error) {
	i, err := issuing.IssuanceNamed(ctx, tx, c.Tenant, card)
	if err != nil {
		return nil, err
	}
	current, err := issuing.LockIssuances(ctx, tx, []id.ID[issuing.Issuance]{i})
	if err != nil {
		return nil, err
	}
	v, err := s.limitsOf(ctx, tx, c, i)
	if err != nil {
		return nil, err
	}
	v.current = current
	return v, nil
}

// override runs f, which sets a limit of a card, in a transaction. Where it is the
// first ever of its control, that raises the configuration version: nodes that
// have not looked for limits of cards do so from then on. It never ceases, so
// what is found here remains true; the version is locked before the card.
func (s *Service) override(ctx context.Context, tenant access.TenantID, check string, f func(tx db.Tx) error) error {
	var known map[string]bool
	err := s.DB.View(ctx, func(tx db.Tx) (err error) {
		known, err = readOverridden(ctx, tx, tenant)
		return err
	})
	switch {
	case err != nil:
		return err
	case known[check]:
		return s.DB.InTx(ctx, f)
	}
	return s.change(ctx, tenant, func(tx db.Tx) error {
		if err := f(tx); err != nil {
			return err
		}
		if err := markOverridden(ctx, tx, tenant, check); err != nil {
			return fmt.Errorf("note that limits of cards are set: %w", err)
		}
		return nil
	})
}

// applied returns the control of a code as it applies to the card.
func (v *cardLimits) applied(ctx context.Context, tx db.Tx, c access.Caller, code string) (Applied[VelocityCheck], error) {
	for _, a := range v.all {
		if a.Definition.Code == code {
			return a, nil
		}
	}
	if _, err := VelocityChecks.must(ctx, tx, c.Tenant, code); err != nil {
		return Applied[VelocityCheck]{}, err
	}
	return Applied[VelocityCheck]{}, errOverrideRefused.With("velocityCheckCode", code)
}

// Overrides returns the limits that are set for a card, by control.
func (s *Service) Overrides(ctx context.Context, c access.Caller, card string) (all []Override, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		i, err := issuing.IssuanceNamed(ctx, tx, c.Tenant, card)
		if err != nil {
			return err
		}
		all, err = readOverrides(ctx, tx, c.Tenant, []id.ID[issuing.Issuance]{i})
		return err
	})
	return all, err
}

// RemoveOverride lets a control's own limits hold for a card again.
func (s *Service) RemoveOverride(ctx context.Context, c access.Caller, card, code string) error {
	return s.DB.InTx(ctx, func(tx db.Tx) error {
		v, err := s.lockLimitsOf(ctx, tx, c, card)
		if err != nil {
			return err
		}
		before := v.overrides[code]
		if before == nil {
			return errOverrideNotFound.With("velocityCheckCode", code)
		}
		if err := deleteOverride(ctx, tx, c.Tenant, v.subject.Issuance, code); err != nil {
			return fmt.Errorf("delete limit of card: %w", err)
		}
		return recordOverride(ctx, tx, c, v, before, nil)
	})
}

// recordOverride writes into the audit chain that a card's limit became another, and
// tells it; nil is none.
func recordOverride(ctx context.Context, tx db.Tx, c access.Caller, v *cardLimits, before, after *Override) error {
	action, named := "Update", after
	var was, is any
	if before == nil {
		action = "Create"
	} else {
		was = *before
	}
	if after == nil {
		action, named = "Delete", before
	} else {
		is = *after
	}
	a := c.Act(c.Real(v.now), audit.PolicyStream, action)
	a.EntityType, a.EntityKey, a.IssuanceID = "CardVelocity", named.Check, v.subject.Issuance.String()
	a.Changes = audit.Changes(was, is, "Issuance", "CreatedAt", "CreatedBy", "UpdatedAt", "UpdatedBy")
	if err := audit.Append(ctx, tx, a); err != nil {
		return err
	}
	return raiseOverride(ctx, tx, c, v, before, after)
}
