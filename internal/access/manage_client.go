package access

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// overlapMax bounds how long an old secret may live beside the new one.
const overlapMax = 7 * 24 * time.Hour

// Clients returns the clients of the caller's tenant in the order of creation.
func (s *Service) Clients(ctx context.Context, c Caller) (all []Client, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		rows, err := clientsOf(ctx, tx, c.Tenant)
		all = make([]Client, len(rows))
		for i, r := range rows {
			all[i] = r.Client
		}
		return err
	})
	return all, err
}

// Client returns a client of the caller's tenant; any other is NotFound.
func (s *Service) Client(ctx context.Context, c Caller, clientID string) (found Client, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		row, err := mustClient(ctx, tx, c.Tenant, clientID)
		found = row.Client
		return err
	})
	return found, err
}

// CreateClient creates a client of the caller's tenant. Nobody grants a
// permission that it does not hold (Forbidden), and nobody one of the sandbox
// in a production tenant (Refused); the rate is at most the tenant's, unless
// the platform itself sets it.
func (s *Service) CreateClient(ctx context.Context, c Caller, in ClientChange) (Client, Credentials, error) {
	creds := newCredentials()
	var made Client
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		now := s.Clock.Now()
		made = Client{ID: creds.ClientID, Tenant: c.Tenant, Family: Platform, IsActive: true, ConcurrencyStamp: random(16), CreatedAt: now, UpdatedAt: now}
		t, err := mustTenant(ctx, tx, c.Tenant)
		if err != nil {
			return err
		}
		if err := s.mayGrant(c, t.Rate, in); err != nil {
			return err
		}
		if err := made.set(in, c.Sandbox); err != nil {
			return err
		}
		if !c.holds(made.Permissions) {
			return errNotHeld
		}
		if err := insertClient(ctx, tx, made, hashOf(creds.ClientSecret.Reveal())); err != nil {
			return fmt.Errorf("insert client: %w", err)
		}
		return recordClient(ctx, tx, c, now, "ClientCreate", nil, &made)
	})
	if err != nil {
		return Client{}, Credentials{}, fmt.Errorf("create client: %w", err)
	}
	return made, creds, nil
}

// UpdateClient replaces the mutable part of a client. Besides the rules of
// [Service.CreateClient], a client is managed only by those who hold every
// permission it has: who could change its secret could act as it.
func (s *Service) UpdateClient(ctx context.Context, c Caller, clientID string, in ClientChange) (Client, error) {
	return s.manage(ctx, c, clientID, "ClientUpdate", func(tx db.Tx, row clientOfTenant, changed *Client) error {
		if err := s.mayGrant(c, row.TenantRate, in); err != nil {
			return err
		}
		if err := changed.set(in, c.Sandbox); err != nil {
			return err
		}
		if !c.holds(changed.Permissions) {
			return errNotHeld
		}
		done, err := updateClient(ctx, tx, *changed, in.ConcurrencyStamp)
		if err == nil && !done {
			err = ErrStale
		}
		return err
	})
}

// SetClientActive enables or disables a client. A disabled client's tokens and
// refresh tokens are worth nothing from then on, also when it is enabled again.
// Asked for what is so already, it does nothing.
func (s *Service) SetClientActive(ctx context.Context, c Caller, clientID string, active bool) (Client, error) {
	action := "ClientDisable"
	if active {
		action = "ClientEnable"
	}
	return s.manage(ctx, c, clientID, action, func(tx db.Tx, row clientOfTenant, changed *Client) error {
		if row.IsActive == active {
			return errAlready
		}
		changed.IsActive = active
		if err := setClientActive(ctx, tx, *changed); err != nil {
			return err
		}
		return revokeTokensOf(ctx, tx, clientID, s.Clock.Now())
	})
}

// RotateSecret gives a client a new secret. With an overlap the old one lives
// on beside it for so long, at most a week; without, it ends at once, and so do
// all tokens that were issued to the client.
func (s *Service) RotateSecret(ctx context.Context, c Caller, clientID string, overlap time.Duration) (Client, Credentials, error) {
	if overlap < 0 || overlap > overlapMax {
		return Client{}, Credentials{}, fault.New(fault.Invalid, CodeInvalid, "the overlap is out of range").
			OnField("overlapSeconds", "range", "must be between 0 and 604800")
	}
	creds := newCredentials()
	creds.ClientID = clientID
	changed, err := s.manage(ctx, c, clientID, "ClientRotateSecret", func(tx db.Tx, row clientOfTenant, changed *Client) error {
		fresh := hashOf(creds.ClientSecret.Reveal())
		if overlap > 0 {
			return rotateSecret(ctx, tx, *changed, fresh, row.SecretHash, changed.UpdatedAt.Add(overlap), 0)
		}
		if err := rotateSecret(ctx, tx, *changed, fresh, "", changed.UpdatedAt, 1); err != nil {
			return err
		}
		return revokeTokensOf(ctx, tx, clientID, changed.UpdatedAt)
	})
	if err != nil {
		return Client{}, Credentials{}, err
	}
	return changed, creds, nil
}

// manage changes a client that the caller may manage, and writes it down.
func (s *Service) manage(ctx context.Context, c Caller, clientID, action string, change func(db.Tx, clientOfTenant, *Client) error) (changed Client, err error) {
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		if _, err := lockClient(ctx, tx, c.Tenant, clientID); err != nil {
			return fmt.Errorf("lock client: %w", err)
		}
		row, err := mustClient(ctx, tx, c.Tenant, clientID)
		if err != nil {
			return err
		}
		if !c.holds(row.Permissions) {
			return errNotHeld
		}
		changed = row.Client
		changed.ConcurrencyStamp, changed.UpdatedAt = random(16), s.Clock.Now()
		if err := change(tx, row, &changed); err == errAlready {
			changed = row.Client
			return nil
		} else if err != nil {
			return err
		}
		return recordClient(ctx, tx, c, changed.UpdatedAt, action, &row.Client, &changed)
	})
	if err != nil {
		return Client{}, fmt.Errorf("manage client: %w", err)
	}
	return changed, nil
}

// errAlready says that what was asked for is so.
var errAlready = fault.New(fault.Conflict, "", "it is so already")

// mayGrant refuses a rate above the tenant's to everybody but the platform.
func (s *Service) mayGrant(c Caller, tenant Rate, in ClientChange) error {
	top := tenant.or(s.Rate)
	if c.Client == systemClient || top.PerSecond == 0 || in.Rate.PerSecond <= top.PerSecond && in.Rate.Burst <= max(top.Burst, top.PerSecond) {
		return nil
	}
	return fault.New(fault.Invalid, CodeInvalid, "the rate is above the tenant's").
		OnField("rateLimit", "range", "must not be above the tenant's")
}

// mustClient returns a client of the tenant; any other is NotFound.
func mustClient(ctx context.Context, tx db.Tx, tenant TenantID, clientID string) (clientOfTenant, error) {
	row, found, err := readClient(ctx, tx, clientID)
	if err != nil {
		return clientOfTenant{}, fmt.Errorf("read client: %w", err)
	}
	if !found || row.Tenant != tenant {
		return clientOfTenant{}, errClientNotFound
	}
	return row, nil
}

// recordClient writes into the audit chain that a client became another.
func recordClient(ctx context.Context, tx db.Tx, c Caller, now time.Time, action string, before, after *Client) error {
	a := c.Act(clock.RealAt(now), audit.AccessStream, action)
	a.EntityType, a.EntityKey = "Client", after.ID
	if before == nil {
		a.Changes = audit.Changes(nil, after.shown())
	} else {
		a.Changes = audit.Changes(before.shown(), after.shown())
	}
	return audit.Append(ctx, tx, a)
}
