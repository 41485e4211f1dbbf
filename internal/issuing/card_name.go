package issuing

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// CardName is what the outside calls a card and what it hangs on.
type CardName struct {
	Card           id.ID[Card]
	Token          string
	MaskedNo       string
	Sequence       int
	IssuanceNo     string
	CustomerNo     string // empty for a card without a customer
	ProductCode    string
	AccountNo      string
	ExternalCardID string
}

// CardNames returns the names of the tenant's cards with these identifiers;
// unknown ones are missing.
func (s *Service) CardNames(ctx context.Context, c access.Caller, cards []id.ID[Card]) (names map[id.ID[Card]]CardName, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		names, err = readCardNames(ctx, tx, c.Tenant, cards)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read names of cards: %w", err)
	}
	return names, nil
}

// Holding names cards by what the outside knows of them; exactly one of the
// texts is set.
type Holding struct {
	CardToken, IssuanceNo, CustomerNo string
	// WithChildren takes in the supplementary cards of those.
	WithChildren bool
}

// Held is what a Holding stands for: cards of one number with their issuance, or whole
// issuances.
type Held struct {
	Cards     []id.ID[Card]
	Issuances []id.ID[Issuance]
}

// Held returns what h stands for in the caller's tenant: nothing when it is not
// known there.
func (s *Service) Held(ctx context.Context, c access.Caller, h Holding) (held Held, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		held, err = readHeld(ctx, tx, c.Tenant, h)
		return err
	})
	if err != nil {
		return Held{}, fmt.Errorf("find cards: %w", err)
	}
	return held, nil
}
