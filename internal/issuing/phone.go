package issuing

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// NewPhone is a wish to give a card another phone.
type NewPhone struct {
	Number         string // as people write it; a Turkish one must be a GSM number
	UpdateCustomer bool   // the customer's mobile phone, too
	Description    string
}

// ChangePhone gives a card that is not closed another phone, and with it the
// customer where that is wished and the caller may. From then on the number is
// too fresh for a PIN for a while. The number it has already changes nothing.
func (s *Service) ChangePhone(ctx context.Context, c access.Caller, token string, in NewPhone) (IssuedCard, error) {
	e164, ok := customer.ParsePhone(in.Number, true)
	if !ok {
		return IssuedCard{}, errInvalid.OnField("phoneNumber", "not_a_phone", "is not a mobile phone number")
	}
	if in.UpdateCustomer && !c.May(access.IssuingCustomerUpdate) {
		return IssuedCard{}, errCardNotPermitted.With("permission", access.IssuingCustomerUpdate)
	}
	attributes, err := s.programs.Attributes(ctx, c)
	if err != nil {
		return IssuedCard{}, err
	}
	var out IssuedCard
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		k, err := s.lockedCard(ctx, tx, c, token, "phone-number")
		if err != nil {
			return err
		}
		before := k.issuance
		if before.PhoneNumber, err = s.phoneInUse(ctx, tx, before); err != nil {
			return err
		}
		old, err := s.movePhone(ctx, tx, c, k.issuance, e164)
		if err != nil {
			return err
		}
		customerChanged := false
		if in.UpdateCustomer && !k.issuance.Customer.IsZero() {
			if customerChanged, err = s.customers.MoveMobilePhone(ctx, tx, c, k.issuance.Customer, e164, attributes.UniqueMobilePhone); err != nil {
				return err
			}
		}
		if out, err = s.issuedCard(ctx, tx, c, token, 0); err != nil || old == e164 && !customerChanged {
			return err
		}
		if before.PhoneNumber != e164 {
			if err := s.tellOldPhone(ctx, tx, k.card, before, clock.RealNow(s.Clock)); err != nil {
				return err
			}
		}
		masked := PhoneChanged{Previous: customer.MaskMiddle(old, 3, 3), Current: customer.MaskMiddle(e164, 3, 3)}
		if old != e164 {
			if err := raiseCard(ctx, tx, c, EventPhoneChanged, k.card.ID, c.Now(s.Clock), masked); err != nil {
				return err
			}
		}
		return s.recordUpkeep(ctx, tx, c, k.card, upkeep{
			action: "PhoneChange", description: in.Description, changes: changeOf("phoneNumber", masked.Previous, masked.Current),
		})
	})
	return out, err
}

// movePhone gives an issuance another phone and returns the one it had.
func (s *Service) movePhone(ctx context.Context, tx db.Tx, c access.Caller, i Issuance, e164 string) (old string, err error) {
	if err := s.openPhone(ctx, &i); err != nil {
		return "", err
	}
	if old = i.PhoneNumber; old == e164 {
		return old, nil
	}
	now := c.Now(s.Clock)
	i.PhoneNumber, i.PhoneChangedAt, i.UpdatedAt = e164, now, now
	if i.sealedPhone, err = s.sealPhone(ctx, i); err != nil {
		return "", err
	}
	if err := saveIssuance(ctx, tx, i); err != nil {
		return "", fmt.Errorf("save phone: %w", err)
	}
	return old, nil
}
