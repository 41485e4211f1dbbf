package vault

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// merchant is whom a client keeps cards for: the tenant's own merchant unless
// the client was given to another.
func merchant(ctx context.Context, tx db.Tx, c access.Caller) (string, error) {
	m, found, err := merchantOf(ctx, tx, c.Tenant, c.Client)
	if err != nil || found {
		return m, err
	}
	return c.Tenant.String(), nil
}

// poolOf is where the caller's cards are: with its merchant, or with a partner
// that lists it.
func (s *Store) poolOf(ctx context.Context, tx db.Tx, c access.Caller, partnerBased bool, partner string) (string, error) {
	m, err := merchant(ctx, tx, c)
	if err != nil || !partnerBased {
		return m, err
	}
	pool, found, err := partnerOf(ctx, tx, c.Tenant, partner, m)
	if err == nil && !found {
		err = errPartnerNotFound
	}
	return pool, err
}

// AddPartnerMerchant lets the merchant of a client share the pool of a partner,
// which is made when there is none of this identity.
func (s *Store) AddPartnerMerchant(ctx context.Context, c access.Caller, identity, clientID string) error {
	if !isText(identity) {
		return errStoredInvalid
	}
	return s.DB.InTx(ctx, func(tx db.Tx) error {
		tenant, err := access.TenantOfClient(ctx, tx, clientID)
		if err != nil {
			return err
		}
		if tenant != c.Tenant {
			return errPartnerNotFound
		}
		client := c
		client.Client = clientID
		m, err := merchant(ctx, tx, client)
		if err != nil {
			return err
		}
		partner, err := savePartner(ctx, tx, c.Tenant, newUUID(), identity, clock.RealNow(s.Clock).Time())
		if err != nil {
			return err
		}
		if err := savePartnerMerchant(ctx, tx, partner, m); err != nil {
			return err
		}
		a := c.Act(clock.RealNow(s.Clock), audit.StoreStream, "PartnerMerchantAdd")
		a.EntityType, a.EntityKey = "StorePartner", partner
		a.Changes = []audit.Change{{Property: "merchant", New: &m}}
		return audit.Append(ctx, tx, a)
	})
}

// SeparateMerchant gives clients to a merchant of their own, beside the
// tenant's. It joins tx, which makes them.
func (s *Store) SeparateMerchant(ctx context.Context, tx db.Tx, c access.Caller, clientIDs ...string) error {
	m := newUUID()
	for _, client := range clientIDs {
		if err := saveMerchantClient(ctx, tx, c.Tenant, client, m); err != nil {
			return err
		}
	}
	a := c.Act(clock.RealNow(s.Clock), audit.StoreStream, "MerchantCreate")
	a.EntityType, a.EntityKey = "StoreMerchant", m
	return audit.Append(ctx, tx, a)
}
