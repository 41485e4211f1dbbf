package issuing

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// A renewal makes a successor of the card in force. It waits, named by
// Issuance.Successor, until it is activated or until the card in force has come
// to its end; then it is the card in force, and there is no renewal in progress
// any more.

// succeed does what a move of card means for the renewal of its issuance. card
// is as it was before the move, to what it came into. The caller has locked the
// issuance, which is changed here and in the store.
func (m mover) succeed(ctx context.Context, card Card, issuance *Issuance, to StatusChange) error {
	if issuance.Successor.IsZero() {
		return nil
	}
	switch {
	case card.ID == issuance.Successor && to.Status == Active:
		return m.takeOver(ctx, card, issuance)
	case card.ID == issuance.Successor && isGone(to.Status):
		return m.dropSuccessor(ctx, issuance)
	case card.ID == issuance.CurrentCard && isGone(to.Status):
		return m.loseCurrent(ctx, card, issuance, to)
	}
	return nil
}

// isGone reports whether a card in this status is out of use for good, as far
// as anybody can know.
func isGone(s CardStatus) bool { return s.IsFinal() || s == Lost }

// takeOver brings the activated successor into force and ends its predecessor.
func (m mover) takeOver(ctx context.Context, successor Card, issuance *Issuance) error {
	old, found, err := readCardByID(ctx, m.tx, m.c.Tenant, issuance.CurrentCard)
	if err != nil || !found {
		return fmt.Errorf("read current card of issuance %s: %w", issuance.ID, db.Missing(err))
	}
	issuance.CurrentCard, issuance.ProductCode, issuance.Successor = successor.ID, successor.ProductCode, cardID{}
	if err := saveSuccession(ctx, m.tx, *issuance, m.c.Now(m.s.Clock)); err != nil {
		return fmt.Errorf("bring successor into force: %w", err)
	}
	if err := followStored(ctx, m.tx, old, successor, m.c.Now(m.s.Clock)); err != nil {
		return err
	}
	return m.supersede(ctx, old)
}

// supersede ends a card whose place is taken: it is Renewed, or Cancelled when
// it was blocked, and what is closed or lost stays so.
func (m mover) supersede(ctx context.Context, old Card) error {
	for range statusAttempts {
		to := m.to(Superseded)
		to.Description = ""
		if to.Status = AfterSuccession(old.Status); to.Status == old.Status {
			return clearUpcoming(ctx, m.tx, m.c.Tenant, old.ID)
		}
		moved, err := moveCard(ctx, m.tx, m.c.Tenant, old.ID, old.Status, to)
		if err != nil {
			return fmt.Errorf("supersede card %s: %w", old.ID, err)
		}
		if moved {
			if err := m.afterwards(ctx, old, to.Status); err != nil {
				return err
			}
			return m.tellMove(ctx, old, to)
		}
		if old, _, err = readCardByID(ctx, m.tx, m.c.Tenant, old.ID); err != nil {
			return fmt.Errorf("read card again: %w", err)
		}
	}
	return errStale
}

// dropSuccessor ends a renewal whose card will not come: the card in force
// stays in force.
func (m mover) dropSuccessor(ctx context.Context, issuance *Issuance) error {
	issuance.Successor = cardID{}
	if err := saveSuccession(ctx, m.tx, *issuance, m.c.Now(m.s.Clock)); err != nil {
		return fmt.Errorf("drop renewal: %w", err)
	}
	return setRetirement(ctx, m.tx, m.c.Tenant, issuance.CurrentCard, time.Time{})
}

// loseCurrent lets the successor of a card that is gone take its place, unless
// what ended the card is about its number, which the successor has as well.
func (m mover) loseCurrent(ctx context.Context, card Card, issuance *Issuance, to StatusChange) error {
	successor, found, err := readCardByID(ctx, m.tx, m.c.Tenant, issuance.Successor)
	if err != nil || !found {
		return fmt.Errorf("read successor of issuance %s: %w", issuance.ID, db.Missing(err))
	}
	if successor.Token == card.Token && (to.Status == Cancelled || isCompromised(to.Status)) {
		issuance.Successor = cardID{}
		if err := saveSuccession(ctx, m.tx, *issuance, m.c.Now(m.s.Clock)); err != nil {
			return fmt.Errorf("drop renewal: %w", err)
		}
		_, _, err := m.cancel(ctx, successor, to.Reason)
		return err
	}
	issuance.CurrentCard, issuance.ProductCode, issuance.Successor = successor.ID, successor.ProductCode, cardID{}
	if err := saveSuccession(ctx, m.tx, *issuance, m.c.Now(m.s.Clock)); err != nil {
		return fmt.Errorf("bring successor into force: %w", err)
	}
	return nil
}

// isCompromised reports whether the number of a card in this status must not be
// used again.
func isCompromised(s CardStatus) bool { return s == Lost || s == Stolen || s == Fraud }

// permitSuccessor says no to whoever may not bring a successor into force: a
// block of the predecessor is lifted by privileged callers only.
func (m mover) permitSuccessor(ctx context.Context, card Card, issuance Issuance) error {
	if card.ID != issuance.Successor || m.in.Status != Active {
		return nil
	}
	old, found, err := readCardByID(ctx, m.tx, m.c.Tenant, issuance.CurrentCard)
	if err != nil || !found {
		return fmt.Errorf("read current card of issuance %s: %w", issuance.ID, db.Missing(err))
	}
	if old.Status == Blocked && !m.c.May(access.IssuingCardStatusPrivileged) {
		return errCardNotPermitted.With("permission", access.IssuingCardStatusPrivileged)
	}
	return nil
}

// pendingSuccessor is the plastic that an activation without a sequence means:
// the one that waits to take the place of the card that token names.
func pendingSuccessor(ctx context.Context, tx db.Tx, card Card, issuance Issuance) (Card, bool, error) {
	if issuance.Successor.IsZero() || issuance.CurrentCard != card.ID {
		return Card{}, false, nil
	}
	successor, found, err := readCardByID(ctx, tx, card.Tenant, issuance.Successor)
	if err != nil || !found {
		return Card{}, false, fmt.Errorf("read successor of issuance %s: %w", issuance.ID, db.Missing(err))
	}
	return successor, successor.Token == card.Token && successor.Status == Pending, nil
}
