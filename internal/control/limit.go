package control

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// CardLimit is a velocity control as it stands for one card.
type CardLimit struct {
	Check VelocityCheck
	Link  Link // because of which it holds
	Window
	// Limit is what may be used, Used what was, Available what is left of both.
	Limit, Available Limits
	Used             Usage
	Override         *Override // that is in force
}

// cardLimits are the velocity controls of a card, being read.
type cardLimits struct {
	tenant    access.TenantID
	now       time.Time
	calendar  Calendar
	subject   Subject
	all       []Applied[VelocityCheck]
	overrides map[string]*Override  // by control
	current   []id.ID[issuing.Card] // in force, of an issuance that is locked
}

// CardLimits returns the velocity controls that hold for a card, by code, with
// what is used of them.
func (s *Service) CardLimits(ctx context.Context, c access.Caller, card string) ([]CardLimit, error) {
	var limits []CardLimit
	err := s.DB.View(ctx, func(tx db.Tx) error {
		v, err := s.limitsNamed(ctx, tx, c, card)
		if err != nil {
			return err
		}
		for _, a := range v.all {
			l, err := v.limit(ctx, tx, a)
			if err != nil {
				return err
			}
			limits = append(limits, l)
		}
		return nil
	})
	return limits, err
}

// limitsNamed reads what holds for the card that a caller calls by its token or its
// issuance's number.
func (s *Service) limitsNamed(ctx context.Context, tx db.Tx, c access.Caller, card string) (*cardLimits, error) {
	i, err := issuing.IssuanceNamed(ctx, tx, c.Tenant, card)
	if err != nil {
		return nil, err
	}
	return s.limitsOf(ctx, tx, c, i)
}

// limitsOf reads what holds for an issuance.
func (s *Service) limitsOf(ctx context.Context, tx db.Tx, c access.Caller, i id.ID[issuing.Issuance]) (*cardLimits, error) {
	programs, err := s.Programs.ConfigurationIn(ctx, tx, c.Tenant)
	if err != nil {
		return nil, err
	}
	k, err := s.SnapshotIn(ctx, tx, c.Tenant)
	if err != nil {
		return nil, err
	}
	v := &cardLimits{
		tenant: c.Tenant, now: c.Now(s.Clock), overrides: map[string]*Override{},
		calendar: Calendar{programs.Tenant.Zone, programs.Attributes.WeekStart},
	}
	if v.subject, err = ReadSubject(ctx, tx, programs, i); err != nil {
		return nil, fmt.Errorf("read card: %w", err)
	}
	links, err := k.linksOf(ctx, tx, c.Tenant, v.subject)
	if err != nil {
		return nil, err
	}
	v.all = velocityOf(k, &Occasion{Subject: v.subject, Links: links, At: v.now})
	overrides, err := readOverrides(ctx, tx, c.Tenant, []id.ID[issuing.Issuance]{i})
	if err != nil {
		return nil, fmt.Errorf("read limits of card: %w", err)
	}
	for _, o := range overrides {
		v.overrides[o.Check] = &o
	}
	return v, nil
}

// limit reads what is used of a control.
func (v *cardLimits) limit(ctx context.Context, tx db.Tx, a Applied[VelocityCheck]) (CardLimit, error) {
	l := CardLimit{Check: *a.Definition, Link: *a.Link}
	o, applies := v.overrides[a.Definition.Code], false
	if l.Limit, applies = a.Definition.limitsFor(o, v.now); applies {
		l.Override = o
	}
	var key CounterKey
	key, l.Window = a.Definition.key(v.tenant, v.subject, v.calendar, v.now)
	var err error
	if a.Definition.Period != PerTransaction {
		if l.Used, err = readUsage(ctx, tx, *a.Definition, key, l.Window); err != nil {
			return l, fmt.Errorf("read usage: %w", err)
		}
	}
	l.Available = l.Limit.without(l.Used)
	return l, nil
}

// without is what is left of the limits; nothing, not less, above them.
func (l Limits) without(used Usage) Limits {
	var left Limits
	if l.Amount != nil {
		a := money.Zero(l.Amount.Currency())
		if d, err := l.Amount.Sub(used.Amount); err == nil && d.Sign() > 0 {
			a = d
		}
		left.Amount = &a
	}
	if l.Count != nil {
		n := max(0, *l.Count-used.Count)
		left.Count = &n
	}
	return left
}
