package issuing

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// CardByNumber returns the tenant's card with a number that the caller sends
// encrypted, bound to no card token; of several plastics the newest. It opens
// no stored number: a keyed hash finds it. Who found which card, and the purpose
// that they name, are durable before the answer is given.
func (s *Service) CardByNumber(ctx context.Context, c access.Caller, number Sensitive, purpose string) (IssuedCard, error) {
	index, err := s.indexOfNumber(ctx, c, number)
	if err != nil {
		return IssuedCard{}, err
	}
	var out IssuedCard
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		token, found, err := tokenOfNumber(ctx, tx, c.Tenant, index)
		if err != nil {
			return fmt.Errorf("find card by number: %w", err)
		}
		if !found {
			return errCardNotFound
		}
		if out, err = s.issuedCard(ctx, tx, c, token, 0); err != nil {
			return err
		}
		if out.ChildCount, err = countChildren(ctx, tx, c.Tenant, out.Issuance.ID); err != nil {
			return fmt.Errorf("count supplementary cards: %w", err)
		}
		return s.recordUpkeep(ctx, tx, c, out.Card, upkeep{action: "Find", description: purpose})
	})
	return out, err
}

// indexOfNumber is the keyed hash of a number that the caller sends encrypted,
// bound to no card token.
func (s *Service) indexOfNumber(ctx context.Context, c access.Caller, number Sensitive) (string, error) {
	cfg, err := s.programs.Configuration(ctx, c.Tenant)
	if err != nil {
		return "", err
	}
	clear, err := s.openSensitive(ctx, c, cfg, "", number)
	if err != nil {
		return "", err
	}
	defer clear.Clear()
	p, err := pan.Parse(string(clear.Reveal()))
	if err != nil || !p.ValidLuhn() {
		return "", errInvalid.OnField(number.Member, "not_a_card_number", "is not a card number")
	}
	return s.indexPAN(ctx, c.Tenant, p)
}
