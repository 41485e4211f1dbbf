package issuing

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// CustomerCardsStatus is a wish to move all cards of a customer to one status.
type CustomerCardsStatus struct {
	CustomerNo        string
	Status            CardStatus // Active, Inactive, Blocked or Cancelled: nobody loses all cards at once
	Reason            StatusReason
	Description       string
	ProductCodes      []string     // only cards of these; none is all
	IncludeChildCards bool         // cards of others that hang on this customer's main cards, too
	FromStatuses      []CardStatus // only cards in these; none is every status from which somebody may move there
}

// ChangeCustomerCards moves the current cards of a customer, each in a
// transaction of its own: what one card refuses keeps no other back. Cards in
// other statuses than the wished ones are not in the answer. The supplementary
// cards that a closed main card takes along are.
func (s *Service) ChangeCustomerCards(ctx context.Context, c access.Caller, in CustomerCardsStatus) ([]UpdatedCard, error) {
	one := NewStatus{Status: in.Status, Reason: in.Reason, Description: in.Description, from: in.FromStatuses}
	if err := in.check(one, c.Now(s.Clock)); err != nil {
		return nil, err
	}
	var cards []heldCard
	err := s.DB.View(ctx, func(tx db.Tx) (err error) {
		cards, err = s.cardsToMove(ctx, tx, c, in)
		return err
	})
	if err != nil {
		return nil, err
	}
	var done []UpdatedCard
	for _, card := range cards {
		u := UpdatedCard{CardToken: card.Token, MaskedNo: card.Masked(), Previous: card.Status, Current: card.Status}
		one.holder = card.holder
		moved, err := s.ChangeStatus(ctx, c, card.Token, one)
		if errors.Is(err, errAnothersCard) {
			continue
		}
		if refusal, ok := fault.AsRefusal(err); ok {
			u.Refusal, err = refusal, nil
		}
		if err != nil {
			return nil, fmt.Errorf("change status of card %s: %w", card.ID, err)
		}
		if u.Refusal != nil {
			done = append(done, u)
			continue
		}
		// A supplementary card that could not move by itself may have gone along with its main card.
		done = slices.DeleteFunc(done, func(d UpdatedCard) bool {
			return slices.ContainsFunc(moved.Updated, func(m UpdatedCard) bool { return m.CardToken == d.CardToken })
		})
		u.Previous, u.Current = moved.Previous, moved.Current.Status
		done = append(append(done, u), moved.Updated...)
	}
	return done, nil
}

func (in CustomerCardsStatus) check(one NewStatus, now time.Time) error {
	if !slices.Contains([]CardStatus{Active, Inactive, Blocked, Cancelled}, in.Status) {
		return errInvalid.OnField("status", "not_allowed", "must be Active, Inactive, Blocked or Cancelled")
	}
	var v fault.Checks
	fault.SomeOf(&v, "fromStatuses", in.FromStatuses, CardStatuses())
	if err := v.Err(errInvalid); err != nil {
		return err
	}
	return one.check(now)
}

// errAnothersCard says that a card has another holder than the wish to move it
// meant. It reaches no caller.
var errAnothersCard = errors.New("the card has another holder by now")

// heldCard is a card with who has it.
type heldCard struct {
	Card
	holder id.ID[customer.Customer]
}

// cardsToMove are the current cards that the wish means, the supplementary ones
// first: closing a main card would take them along before their turn.
func (s *Service) cardsToMove(ctx context.Context, tx db.Tx, c access.Caller, in CustomerCardsStatus) ([]heldCard, error) {
	holder, err := s.customers.Named(ctx, tx, c.Tenant, in.CustomerNo)
	if err != nil {
		return nil, err
	}
	issuances, err := readIssuancesOfCustomer(ctx, tx, c.Tenant, holder.ID)
	if err != nil {
		return nil, fmt.Errorf("read issuances of customer: %w", err)
	}
	if in.IncludeChildCards {
		var mains []id.ID[Issuance]
		for _, i := range issuances {
			if i.Parent.IsZero() {
				mains = append(mains, i.ID)
			}
		}
		children, err := readChildrenOf(ctx, tx, c.Tenant, mains)
		if err != nil {
			return nil, fmt.Errorf("read supplementary cards: %w", err)
		}
		for _, i := range children {
			if i.Customer != holder.ID {
				issuances = append(issuances, i)
			}
		}
	}
	slices.SortStableFunc(issuances, func(a, b Issuance) int { return b.rank() - a.rank() })
	var current []id.ID[Card]
	holders := map[id.ID[Card]]id.ID[customer.Customer]{}
	for _, i := range issuances {
		holders[i.CurrentCard] = i.Customer
		if len(in.ProductCodes) == 0 || slices.Contains(in.ProductCodes, i.ProductCode) {
			current = append(current, i.CurrentCard)
		}
	}
	cards, err := readCardsByID(ctx, tx, c.Tenant, current)
	if err != nil {
		return nil, fmt.Errorf("read current cards: %w", err)
	}
	var out []heldCard
	for _, n := range current {
		card, found := cards[n]
		if !found {
			return nil, fmt.Errorf("read card %s: %w", n, db.ErrGone)
		}
		if in.means(card.Status) {
			out = append(out, heldCard{card, holders[n]})
		}
	}
	return out, nil
}

// rank is 0 for a main card and 1 for a supplementary one.
func (i Issuance) rank() int {
	if i.Parent.IsZero() {
		return 0
	}
	return 1
}

// means reports whether a card in this status is to be moved.
func (in CustomerCardsStatus) means(from CardStatus) bool {
	if len(in.FromStatuses) > 0 {
		return slices.Contains(in.FromStatuses, from)
	}
	mover := from.MoverTo(in.Status)
	return from != in.Status && (mover == ByClient || mover == ByPrivileged)
}
