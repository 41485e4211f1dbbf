package issuing

import (
	"context"
	"fmt"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// Every transaction locks rows in the same order, so that no two of them wait
// for each other:
//
//  1. issuances, those of main cards before those of supplementary ones, each
//     kind by id;
//  2. cards by id, and with each all plastics of its number;
//  3. the customer;
//  4. accounts by id, in package ledger;
//  5. the end of the audit chain.
//
// A transaction that comes to a later row does not go back for an earlier one.
// So whatever it may change is locked before anything is changed: who moves a
// card may move its predecessor or its successor, and who closes a main card
// closes the supplementary ones.

var (
	lockOneIssuance = db.Lookup{Head: `SELECT id FROM issuance WHERE tenant_id = $1 AND id IN `, Lock: true}
	lockIssuances   = db.Lookup{
		Head: `SELECT id, current_card_id FROM issuance WHERE id IN `,
		Tail: ` ORDER BY CASE WHEN parent_id IS NULL THEN 0 ELSE 1 END, id`, Lock: true,
	}
	cardIDsOf = db.Lookup{Head: `SELECT id FROM card WHERE issuance_id IN `}
)

// lockIssuance keeps others from changing an issuance, and from adding cards to
// it or under it, until the transaction ends.
func lockIssuance(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[Issuance]) error {
	if err := db.LockRow(ctx, tx, &lockOneIssuance, tenant, issuance.String()); err != nil {
		return fmt.Errorf("lock issuance: %w", err)
	}
	return nil
}

// LockIssuances keeps others from changing the issuances until the transaction
// ends, before [LockCardStates] locks their cards: for cards that a first use
// may bring into force. It returns the cards that are in force so far, which
// such a use ends: they are to be locked along with the others.
func LockIssuances(ctx context.Context, tx db.Tx, ids []id.ID[Issuance]) (current []id.ID[Card], err error) {
	keys := id.Texts(ids)
	slices.Sort(keys)
	err = lockIssuances.Query(ctx, tx, nil, slices.Compact(keys), func(s db.Scanner) error {
		var locked string
		var card id.ID[Card]
		err := s.Scan(&locked, &card)
		current = append(current, card)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("lock issuances: %w", err)
	}
	return current, nil
}

// lockWithCards locks an issuance and every card of it, and reads it.
func lockWithCards(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[Issuance]) (Issuance, error) {
	if err := lockIssuance(ctx, tx, tenant, issuance); err != nil {
		return Issuance{}, err
	}
	if err := lockCardsOf(ctx, tx, []id.ID[Issuance]{issuance}); err != nil {
		return Issuance{}, err
	}
	return lockedIssuance(ctx, tx, tenant, issuance)
}

// lockFamily is lockWithCards for an issuance and its supplementary ones.
func lockFamily(ctx context.Context, tx db.Tx, tenant access.TenantID, main id.ID[Issuance]) (Issuance, error) {
	if err := lockIssuance(ctx, tx, tenant, main); err != nil {
		return Issuance{}, err
	}
	children, err := readChildren(ctx, tx, tenant, main) // no other can come now
	if err != nil {
		return Issuance{}, fmt.Errorf("read supplementary cards: %w", err)
	}
	family := make([]id.ID[Issuance], len(children), len(children)+1)
	for i, child := range children {
		family[i] = child.ID
	}
	if _, err := LockIssuances(ctx, tx, family); err != nil {
		return Issuance{}, err
	}
	if err := lockCardsOf(ctx, tx, append(family, main)); err != nil {
		return Issuance{}, err
	}
	return lockedIssuance(ctx, tx, tenant, main)
}

// lockCardsOf locks every card of issuances that are locked: no card can come.
func lockCardsOf(ctx context.Context, tx db.Tx, issuances []id.ID[Issuance]) error {
	var cards []id.ID[Card]
	err := cardIDsOf.Query(ctx, tx, nil, id.Texts(issuances), func(s db.Scanner) error {
		var card id.ID[Card]
		err := s.Scan(&card)
		cards = append(cards, card)
		return err
	})
	if err != nil {
		return fmt.Errorf("find cards of issuance: %w", err)
	}
	_, err = LockCardStates(ctx, tx, cards)
	return err
}

// lockedIssuance reads an issuance that must exist.
func lockedIssuance(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[Issuance]) (Issuance, error) {
	i, found, err := readIssuance(ctx, tx, tenant, issuance)
	if err != nil || !found {
		return i, fmt.Errorf("read issuance %s: %w", issuance, db.Missing(err))
	}
	return i, nil
}
