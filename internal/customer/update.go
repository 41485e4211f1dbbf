package customer

import (
	"context"
	"fmt"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// Change is the new state of a customer's mutable part.
type Change struct {
	No         string
	ExternalID string
	// Profile replaces the stored one, except that an empty MotherMaidenName
	// keeps the stored answer, which no caller can read back.
	Profile          Profile
	KYCLevel         *KYCLevel // nil: stays
	Status           Status    // empty: stays
	ConcurrencyStamp string    // the present one, or empty
}

// Update replaces a customer's mutable part. A change of status needs a
// reason, and so does a lower KYC level. A customer can be closed when no card
// is open, and a closed one never changes again.
func (s *Service) Update(ctx context.Context, c access.Caller, in Change) (out Detail, err error) {
	t, err := s.tenant(ctx, c)
	if err != nil {
		return Detail{}, err
	}
	unique, err := s.Rules.UniqueMobilePhone(ctx, c)
	if err != nil {
		return Detail{}, err
	}
	now := c.Now(s.Clock)
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		old, err := s.customerToChange(ctx, tx, c, in.No)
		if err != nil {
			return err
		}
		u, err := old.changed(in)
		if err != nil {
			return err
		}
		u.Record = old.Record.Updated(c, now)
		if err := u.check(now, t.Zone); err != nil {
			return err
		}
		if u.Status == Closed {
			cards, err := s.Cards.CardsOfCustomer(ctx, tx, c.Tenant, u.ID)
			if err != nil {
				return fmt.Errorf("look for open cards: %w", err)
			}
			if slices.ContainsFunc(cards, func(k Card) bool { return !k.IsClosed }) {
				return errOpenCards.With("customerNo", u.No)
			}
		}
		d, err := s.drafted(ctx, draft{Customer: u, uniquePhone: unique})
		if err != nil {
			return err
		}
		if err := s.replaceWhole(ctx, tx, d); err != nil {
			return err
		}
		if err := u.raiseChange(ctx, tx, c, old, now); err != nil {
			return err
		}
		if out, err = s.withCards(ctx, tx, c, u); err != nil {
			return err
		}
		return u.record(ctx, tx, c, "Update", &old, now)
	})
	if err != nil {
		return Detail{}, err
	}
	return out, nil
}

// changed is u as in wants it, or why that is not possible.
func (u Customer) changed(in Change) (Customer, error) {
	if in.ConcurrencyStamp != "" && in.ConcurrencyStamp != u.ConcurrencyStamp {
		return u, errStale
	}
	n := u
	n.Profile, n.ExternalID = in.Profile, in.ExternalID
	if n.MotherMaidenName == "" {
		n.MotherMaidenName = u.MotherMaidenName
	}
	if in.Status != "" {
		n.Status = in.Status
	}
	if n.Status == u.Status && n.StatusReason == "" {
		n.StatusReason = u.StatusReason
	}
	if in.KYCLevel != nil {
		n.KYCLevel = *in.KYCLevel
	}
	n = n.normalized()
	var v fault.Checks
	fault.OneOf(&v, "status", n.Status,
		[]Status{Active, Passive, Deceased, Closed, Blocked})
	v.Is("statusReason", n.Status == u.Status || in.Profile.StatusReason != "", "required", "is required with a change of status")
	if err := v.Err(errInvalid); err != nil {
		return u, err
	}
	if n.KYCLevel < u.KYCLevel && in.Profile.StatusReason == "" {
		return u, errDowngradeNeedsNote.With("kycLevel", u.KYCLevel.String())
	}
	return n, nil
}

// replaceWhole writes a changed customer with all it is found by.
func (s *Service) replaceWhole(ctx context.Context, tx db.Tx, d draft) error {
	if d.ExternalID != "" {
		others, err := customersByKey(ctx, tx, d.Tenant, "", d.ExternalID)
		if err != nil {
			return fmt.Errorf("look for customer: %w", err)
		}
		for _, o := range others {
			if o != d.ID {
				return errExists.With("key", "externalCustomerId")
			}
		}
	}
	if taken, err := d.phoneTaken(ctx, tx); err != nil {
		return fmt.Errorf("look for phone: %w", err)
	} else if taken {
		return errExists.With("key", phoneMember)
	}
	err := updateCustomer(ctx, tx, d.Customer, d.sealed)
	if db.IsUnique(err) { // somebody took the external id at this moment
		return errExists.With("key", "externalCustomerId")
	}
	if err != nil {
		return fmt.Errorf("update customer: %w", err)
	}
	if err := deleteIdentifications(ctx, tx, d.Customer); err != nil {
		return fmt.Errorf("replace identifications: %w", err)
	}
	for _, k := range d.keys {
		inserted, err := insertIdentification(ctx, tx, d.Customer, k)
		if err != nil {
			return fmt.Errorf("replace identifications: %w", err)
		}
		if !inserted {
			return errExists.With("key", k.name)
		}
	}
	if err := replaceTerms(ctx, tx, d.Customer, d.terms); err != nil {
		return fmt.Errorf("replace search terms: %w", err)
	}
	return nil
}
