package issuing

import (
	"context"
	"fmt"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// PINRequest is what somebody who asks for something about a PIN says besides.
type PINRequest struct {
	Reason      string
	Description string // for the record; never card data
	PhoneNumber string // where a PIN goes, instead of the usual; "" is the usual
}

// SetRandomPIN gives a card a PIN that nobody knows: the HSM draws it and keeps
// it where the product tells PINs. It unblocks the PIN.
func (s *Service) SetRandomPIN(ctx context.Context, c access.Caller, token string, in PINRequest) (IssuedCard, error) {
	card, err := s.openForUse(ctx, c, token, 0)
	if err != nil {
		return IssuedCard{}, err
	}
	if !slices.Contains(pinSettable, card.Status) {
		return IssuedCard{}, errStatusNotSuitable.With("status", string(card.Status)).With("operation", "pin/set-random")
	}
	p, err := s.openPAN(ctx, card.Card)
	if err != nil {
		return IssuedCard{}, err
	}
	rules, err := s.rulesOf(ctx, c, card)
	if err != nil {
		return IssuedCard{}, err
	}
	place, err := s.placeOfPIN(ctx, c, card)
	if err != nil {
		return IssuedCard{}, err
	}
	fresh, err := s.drawPIN(ctx, place, p, rules)
	if err != nil {
		return IssuedCard{}, err
	}
	return s.keepPIN(ctx, c, card, fresh, pinAct{action: "PinSetRandom", in: pinSettable, said: in.describe()}, func(db.Tx) error { return nil })
}

// drawPIN makes what is stored of a PIN that the HSM draws.
func (s *Service) drawPIN(ctx context.Context, place pinPlace, p pan.PAN, rules hsm.PINRules) (keptPIN, error) {
	if !place.keeps {
		v, err := s.HSM.RandomVerifier(ctx, place.keys.PINKey(place.length), p, rules)
		if err != nil {
			return keptPIN{}, fmt.Errorf("draw PIN: %w", hsmFault(err))
		}
		return keptPIN{verifier: v}, nil
	}
	v, stored, err := s.HSM.RandomPIN(ctx, place.keys.PINKey(place.length), place.keys.PINStore, p, rules)
	if err != nil {
		return keptPIN{}, fmt.Errorf("draw PIN: %w", hsmFault(err))
	}
	return keptPIN{verifier: v, block: stored.Block}, nil
}
