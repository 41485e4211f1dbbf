package issuing

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/hsm"
)

// Where a plastic goes and the phone of a card are personal: they lie sealed,
// with the keys of customers' data.

// deliveryDocument is what is sealed of a [Delivery]. Its member names are the
// stored form: they are not changed, only added to.
type deliveryDocument struct {
	Address       *customer.Address
	Phone         string
	Email         string
	RecipientName string
	RecipientTCKN string
}

func (s *Service) sealDelivery(ctx context.Context, c Card) ([]byte, error) {
	text, err := json.Marshal(deliveryDocument(c.Physical.Delivery))
	if err != nil {
		return nil, fmt.Errorf("encode delivery: %w", err)
	}
	sealed, err := s.HSM.Seal(ctx, c.Tenant.String(), customer.Purpose, text, hsm.PlaceOf(c.Tenant, "card", "physical", c.ID.String()))
	if err != nil {
		return nil, fmt.Errorf("seal delivery: %w", hsmFault(err))
	}
	return sealed, nil
}

// openDelivery fills in where the plastic of c goes.
func (s *Service) openDelivery(ctx context.Context, c *Card) error {
	if c.Physical == nil || len(c.Physical.sealedDelivery) == 0 {
		return nil
	}
	text, err := s.HSM.Open(ctx, c.Tenant.String(), customer.Purpose, c.Physical.sealedDelivery,
		hsm.PlaceOf(c.Tenant, "card", "physical", c.ID.String()))
	if err != nil {
		return fmt.Errorf("open delivery of card %s: %w", c.ID, hsmFault(err))
	}
	var d deliveryDocument
	if err := json.Unmarshal(text, &d); err != nil {
		return fmt.Errorf("open delivery of card %s: %w", c.ID, err)
	}
	c.Physical.Delivery = Delivery(d)
	return nil
}

func (s *Service) sealPhone(ctx context.Context, i Issuance) ([]byte, error) {
	if i.PhoneNumber == "" {
		return nil, nil
	}
	sealed, err := s.HSM.Seal(ctx, i.Tenant.String(), customer.Purpose, []byte(i.PhoneNumber),
		hsm.PlaceOf(i.Tenant, "issuance", "phone_number", i.ID.String()))
	if err != nil {
		return nil, fmt.Errorf("seal phone: %w", hsmFault(err))
	}
	return sealed, nil
}

// openPhone fills in the phone of i.
func (s *Service) openPhone(ctx context.Context, i *Issuance) error {
	if len(i.sealedPhone) == 0 {
		return nil
	}
	text, err := s.HSM.Open(ctx, i.Tenant.String(), customer.Purpose, i.sealedPhone,
		hsm.PlaceOf(i.Tenant, "issuance", "phone_number", i.ID.String()))
	if err != nil {
		return fmt.Errorf("open phone of issuance %s: %w", i.ID, hsmFault(err))
	}
	i.PhoneNumber = string(text)
	return nil
}
