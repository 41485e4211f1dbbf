package access

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// TenantChange is the mutable part of a tenant; it replaces all of it.
type TenantChange struct {
	Name, InstitutionType, TaxNumber, Address, Contact string
	TimeZone, Language, DefaultCurrency                string
	ConcurrencyStamp                                   string // empty: the last write wins
}

// Tenant returns the caller's tenant.
func (s *Service) Tenant(ctx context.Context, c Caller) (Tenant, error) {
	return s.TenantByID(ctx, c.Tenant)
}

// TenantByID returns a tenant; an unknown one is NotFound.
func (s *Service) TenantByID(ctx context.Context, tenant TenantID) (t Tenant, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		t, err = mustTenant(ctx, tx, tenant)
		return err
	})
	return t, err
}

// Tenants returns every tenant in the order of creation.
func (s *Service) Tenants(ctx context.Context) (all []Tenant, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		all, err = Tenants(ctx, tx)
		return err
	})
	return all, err
}

// UpdateTenant replaces the mutable part of the caller's tenant. Code and
// environment never change. A stamp that is no longer the stored one is a
// Conflict.
func (s *Service) UpdateTenant(ctx context.Context, c Caller, in TenantChange) (t Tenant, err error) {
	return s.changeTenant(ctx, c, in.ConcurrencyStamp, func(t *Tenant) error { return t.set(in) })
}

// TenantOptions are what the platform sets for a tenant; nil leaves it as it is.
type TenantOptions struct {
	ClientRefresh *bool
	Rate          *Rate
}

// SetTenantOptions changes options of the caller's tenant. It is for
// administrators of the platform: a tenant does not choose its own rate.
func (s *Service) SetTenantOptions(ctx context.Context, c Caller, in TenantOptions) (Tenant, error) {
	if r := in.Rate; r != nil && (r.PerSecond < 0 || r.PerSecond > rateMax || r.Burst < 0 || r.Burst > rateMax || r.PerSecond == 0 && r.Burst != 0) {
		return Tenant{}, fault.New(fault.Invalid, CodeInvalid, "the tenant is not valid").
			OnField("rateLimit", "range", "and rateBurst must be between 0 and 1000000")
	}
	return s.changeTenant(ctx, c, "", func(t *Tenant) error {
		if in.ClientRefresh != nil {
			t.ClientRefresh = *in.ClientRefresh
		}
		if in.Rate != nil {
			t.Rate = *in.Rate
		}
		return nil
	})
}

// changeTenant lets change work on the caller's tenant, tells the watcher and
// writes it down.
func (s *Service) changeTenant(ctx context.Context, c Caller, stamp string, change func(*Tenant) error) (t Tenant, err error) {
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		if err := LockTenant(ctx, tx, c.Tenant); err != nil {
			return fmt.Errorf("lock tenant: %w", err)
		}
		before, err := mustTenant(ctx, tx, c.Tenant)
		if err != nil {
			return err
		}
		t = before
		if err := change(&t); err != nil {
			return err
		}
		t.ConcurrencyStamp, t.UpdatedAt = random(16), s.Clock.Now()
		changed, err := updateTenant(ctx, tx, t, stamp)
		if err != nil {
			return fmt.Errorf("update tenant: %w", err)
		}
		if !changed {
			return ErrStale
		}
		if err := s.tell(ctx, tx, t.ID); err != nil {
			return err
		}
		return recordTenant(ctx, tx, c, t.UpdatedAt, "TenantUpdate", &before, &t)
	})
	if err != nil {
		return Tenant{}, err
	}
	return t, nil
}

func mustTenant(ctx context.Context, tx db.Tx, tenant TenantID) (Tenant, error) {
	t, found, err := ReadTenant(ctx, tx, tenant)
	if err != nil {
		return Tenant{}, fmt.Errorf("read tenant: %w", err)
	}
	if !found {
		return Tenant{}, errTenantNotFound
	}
	return t, nil
}
