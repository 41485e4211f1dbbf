package issuing

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// CardPlastic returns a card with its plastic: how far production and shipment
// are, and where it goes, masked like customers are. Without a sequence it is
// the newest plastic of the number: the one that is on its way. A card without
// plastic is card_has_no_physical.
func (s *Service) CardPlastic(ctx context.Context, c access.Caller, token string, sequence int) (Card, error) {
	var card Card
	err := s.DB.View(ctx, func(tx db.Tx) error {
		k, found, err := readPlastic(ctx, tx, c.Tenant, token, sequence)
		if err != nil {
			return fmt.Errorf("read card: %w", err)
		}
		if !found {
			return errCardNotFound
		}
		if k.Physical == nil {
			return errNoPhysical
		}
		card = k
		return s.openDeliveryFor(ctx, c, &card)
	})
	return card, err
}

// openDeliveryFor fills in where a plastic goes, as the caller may see it.
func (s *Service) openDeliveryFor(ctx context.Context, c access.Caller, card *Card) error {
	if err := s.openDelivery(ctx, card); err != nil || card.Physical == nil || c.May(access.IssuingCustomerSensitive) {
		return err
	}
	to := &card.Physical.Delivery
	to.Phone, to.Email, to.RecipientTCKN = customer.MaskMiddle(to.Phone, 3, 3), customer.MaskEmail(to.Email), customer.MaskMiddle(to.RecipientTCKN, 3, 3)
	return nil
}
