package issuing

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/program"
)

func (s *Service) findCustomerAndProduct(ctx context.Context, tx db.Tx, c access.Caller, d *draft) error {
	var err error
	if d.customer, err = s.customers.Named(ctx, tx, c.Tenant, d.in.CustomerNo); err != nil {
		return err
	}
	if d.customer.Status != customer.Active {
		return errCustomerInactive
	}
	return d.findProduct()
}

// findProduct finds the product, which must issue new cards, with its BIN and
// keys.
func (d *draft) findProduct() error {
	var found bool
	var err error
	if d.product, err = d.cfg.ProductNamed(d.in.ProductCode); err != nil {
		return err
	}
	if d.product.Status != program.RecordActive {
		return errProductPassive
	}
	if d.bin, found = d.cfg.BINOf(d.product); !found {
		return fmt.Errorf("product %s has no BIN", d.product.Code)
	}
	if d.keys, found = d.cfg.KeysOf(d.bin); !found {
		return fmt.Errorf("BIN %s has no key set", d.bin.BIN)
	}
	if d.bin.Status != program.RecordActive {
		return errProductPassive
	}
	return nil
}

// findParent finds the main card that a supplementary one hangs on.
func (s *Service) findParent(ctx context.Context, tx db.Tx, c access.Caller, d *draft) error {
	if d.in.ParentIssuanceNo == "" && d.in.ParentCardToken == "" {
		return nil
	}
	var parent Issuance
	var card Card
	var found bool
	var err error
	if d.in.ParentCardToken != "" {
		if card, found, err = readCard(ctx, tx, c.Tenant, d.in.ParentCardToken, 0); err == nil && found {
			parent, found, err = readIssuance(ctx, tx, c.Tenant, card.Issuance)
		}
	} else {
		parent, found, err = readIssuanceByNo(ctx, tx, c.Tenant, d.in.ParentIssuanceNo)
	}
	if err != nil {
		return fmt.Errorf("read parent: %w", err)
	}
	if !found || d.in.ParentIssuanceNo != "" && d.in.ParentIssuanceNo != parent.No {
		return errParentInvalid.With("condition", "exists")
	}
	if card, _, err = readCardByID(ctx, tx, c.Tenant, parent.CurrentCard); err != nil {
		return fmt.Errorf("read parent's card: %w", err)
	}
	of, _ := d.cfg.Product(parent.ProductCode)
	switch {
	case !parent.Parent.IsZero():
		return errParentInvalid.With("condition", "main")
	case parent.Customer.IsZero():
		return errParentInvalid.With("condition", "customer")
	case card.Status != Active && card.Status != Pending:
		return errParentInvalid.With("condition", "status")
	case of.Currency != d.product.Currency:
		return errParentInvalid.With("condition", "currency")
	case of.CardType != d.product.CardType:
		return errParentInvalid.With("condition", "product")
	case d.in.AccountNo != "" && d.in.AccountNo != parent.AccountNo:
		return errAccountOfParent
	}
	d.parent = parent
	return nil
}

// checkHolder holds the customer against what the product asks for.
func (d *draft) checkHolder(now time.Time) error {
	if !d.product.Allows(d.customer.Type) {
		return errCustomerTypeNotAllowed
	}
	if d.customer.KYCLevel < d.product.MinKYCLevel {
		return errKYC.With("minKycLevel", d.product.MinKYCLevel.String())
	}
	minAge := d.product.MinAge
	if !d.parent.ID.IsZero() {
		minAge = d.product.ChildMinAge
	}
	if born := d.customer.BirthDate; d.customer.Type == customer.Individual && !born.IsZero() {
		// Somebody born on February 29 comes of age on March 1, or the 28th,
		// whichever day the month has: AddMonths picks the last one.
		if clock.DateOf(now, d.cfg.Tenant.Zone).Before(born.AddMonths(12 * minAge)) {
			return errAge.With("minAge", minAge)
		}
	}
	return nil
}

// checkPlaces refuses a card too many for its customer or its parent.
func checkPlaces(ctx context.Context, tx db.Tx, d draft) error {
	if v := d.in.Virtual; v != nil {
		n, err := openVirtualCards(ctx, tx, d.issuance.Tenant, d.parent.ID)
		if err == nil && n >= v.Most {
			err = errMaxVirtualCards.With("limit", v.Most)
		}
		return err
	}
	limit, refusal := d.product.MaxCardsPerCustomer, errMaxCards
	if !d.parent.ID.IsZero() {
		of, _ := d.cfg.Product(d.parent.ProductCode)
		limit, refusal = of.MaxChildCards, errMaxChildCards
	} else if limit == 0 {
		return nil // unlimited
	}
	n, err := openCards(ctx, tx, d.issuance.Tenant, d.customer.ID, d.product.Code, d.parent.ID)
	if err != nil {
		return fmt.Errorf("count cards: %w", err)
	}
	if n >= limit {
		return refusal.With("limit", limit)
	}
	return nil
}
