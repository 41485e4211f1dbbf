package issuing

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// numberAttempts bounds how often another card number is drawn when the one
// drawn is taken. Numbers come from a range that counts what is left of it.
const numberAttempts = 10

// drawNumber gives the draft a card number and seals what must be sealed. It
// uses the HSM and, for the range's count, a transaction of its own.
func (s *Service) drawNumber(ctx context.Context, c access.Caller, d *draft) error {
	var p pan.PAN
	err := s.DB.InTx(ctx, func(tx db.Tx) (err error) {
		p, err = program.AllocatePAN(ctx, tx, d.cfg, d.product.BINRangeCode, clock.RealNow(s.Clock), s.takenNumber(ctx, tx, c.Tenant))
		return err
	})
	if err != nil {
		return err
	}
	return s.useNumber(ctx, c, d, p)
}

func (s *Service) useNumber(ctx context.Context, c access.Caller, d *draft, p pan.PAN) (err error) {
	k := &d.card
	k.Token, k.LastFour = NewCardToken(p), p.Last4()
	if d.keeps {
		k.Token = d.old.Token
	}
	if k.sealedPAN, err = s.sealPAN(ctx, c.Tenant, k.ID, p); err != nil {
		return err
	}
	if k.indexOfPAN, err = s.indexPAN(ctx, c.Tenant, p); err != nil {
		return err
	}
	if k.Physical != nil {
		if k.Physical.sealedDelivery, err = s.sealDelivery(ctx, *k); err != nil {
			return err
		}
	}
	if d.issuance.sealedPhone, err = s.sealPhone(ctx, d.issuance); err != nil {
		return err
	}
	if !d.old.ID.IsZero() {
		return s.carryPIN(ctx, d, p)
	}
	return s.firstPIN(ctx, c, d, p)
}

// firstPIN gives the card the PIN its maker asked for.
func (s *Service) firstPIN(ctx context.Context, c access.Caller, d *draft, p pan.PAN) error {
	var kept keptPIN
	var err error
	rules := pinRules(d.product, d.card, d.customer, d.issuance.PhoneNumber)
	switch d.in.PINSource {
	case "", NoPIN:
		return nil
	case RandomPIN:
		if kept, err = s.drawPIN(ctx, placeOf(d.keys, d.product, d.card), p, rules); err != nil {
			return err
		}
	case EncryptedPIN:
		block, err := s.pinBlock(ctx, c, d.cfg, d.keys, "", p, d.in.PIN)
		if err != nil {
			return err
		}
		if kept, err = s.choosePIN(ctx, placeOf(d.keys, d.product, d.card), block, rules); err != nil {
			return err
		}
	default:
		return errPINBlock
	}
	d.card.PIN, d.card.PINBlock = kept.verifier, kept.block
	d.card.PINStatus, d.card.PINChangedAt = PINActive, d.card.CreatedAt
	return nil
}
