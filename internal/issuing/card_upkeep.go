package issuing

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// Refusals about what is kept of a card.
var (
	errParentPolicy    = fault.New(fault.Refused, "parent_policy_exceeded", "a supplementary card cannot be wider than its parent")
	errNoPhysical      = fault.New(fault.Refused, "card_has_no_physical", "the card has no plastic")
	errDetokenizeQuota = fault.New(fault.Throttled, "detokenize_quota_exceeded", "the client has opened as many card tokens today as it may")
)

// upkeepCodes are the codes of the refusals above.
var upkeepCodes = fault.CodesOf(errParentPolicy, errNoPhysical, errDetokenizeQuota, errNumberMisses)

// keptCard is a card with the issuance on which its settings lie.
type keptCard struct {
	card     Card // the one that the token names
	current  Card // of the issuance; may be another one
	issuance Issuance
}

// keptCard reads a card and its issuance, and nothing personal.
func (s *Service) keptCard(ctx context.Context, tx db.Tx, c access.Caller, token string) (keptCard, error) {
	card, found, err := readCard(ctx, tx, c.Tenant, token, 0)
	if err != nil {
		return keptCard{}, fmt.Errorf("read card: %w", err)
	}
	if !found {
		return keptCard{}, errCardNotFound
	}
	k := keptCard{card: card, current: card}
	if k.issuance, found, err = readIssuance(ctx, tx, c.Tenant, card.Issuance); err != nil || !found {
		return keptCard{}, fmt.Errorf("read issuance of card %s: %w", card.ID, db.Missing(err))
	}
	if k.issuance.CurrentCard != card.ID {
		if k.current, found, err = readCardByID(ctx, tx, c.Tenant, k.issuance.CurrentCard); err != nil || !found {
			return keptCard{}, fmt.Errorf("read current card of issuance %s: %w", k.issuance.ID, db.Missing(err))
		}
	}
	return k, nil
}

// lockedCard is keptCard for a change: nobody else changes the issuance until
// the transaction ends. One whose current card is closed changes no more.
func (s *Service) lockedCard(ctx context.Context, tx db.Tx, c access.Caller, token, operation string) (keptCard, error) {
	card, found, err := readCard(ctx, tx, c.Tenant, token, 0)
	if err != nil {
		return keptCard{}, fmt.Errorf("read card: %w", err)
	}
	if !found {
		return keptCard{}, errCardNotFound
	}
	if err := lockIssuance(ctx, tx, c.Tenant, card.Issuance); err != nil {
		return keptCard{}, err
	}
	k, err := s.keptCard(ctx, tx, c, token)
	if err == nil && k.current.Status.IsFinal() {
		err = errStatusNotSuitable.With("status", string(k.current.Status)).With("operation", operation)
	}
	return k, err
}
