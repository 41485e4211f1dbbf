package issuing

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// IssuedCard is a card with everything it hangs on.
type IssuedCard struct {
	Card     Card
	Issuance Issuance           // its phone is masked
	Customer *customer.Customer // nil for a card without a customer; masked like all customers
	Product  program.Product
	BIN      program.BIN
	Parent   *RelatedCard // nil for a main card

	Current        Card // of the issuance; may be another one than Card
	IssuanceStatus IssuanceStatus
	ChildCount     int // supplementary issuances; filled by [Service.Card] and [Service.CardDetails]
}

// TriesLeft is how many wrong PINs and CVV2s the card may still see.
func (i IssuedCard) TriesLeft() (pin, cvv2 int) {
	return triesLeft(i.Product.PINTryLimit, i.Card.PINTryCount), triesLeft(i.Product.CVV2TryLimit, i.Card.CVV2TryCount)
}

// ContactlessAmount is what was tapped without a PIN since the last verified one.
func (i IssuedCard) ContactlessAmount() money.Amount {
	a, err := money.New(i.Card.Contactless.Amount, i.Product.Currency)
	if err != nil {
		panic("issuing: a stored amount is out of its range") // the column has a CHECK
	}
	return a
}

func triesLeft(limit, count int) int { return max(0, limit-count) }

// RelatedCard is a parent or child as the other one's page shows it.
type RelatedCard struct {
	IssuanceNo   string
	CardToken    string
	MaskedNo     string
	CustomerNo   string
	CustomerName string
	Status       CardStatus
}

// CardDetails is an issued card with its history and relatives.
type CardDetails struct {
	IssuedCard
	Schedule *Schedule      // what the card waits for
	History  []StatusChange // newest first
	Policies []CardPolicy   // every usage switch as it is in force
	Children []RelatedCard
	// YearBegins is when the present year began in the tenant's zone.
	YearBegins time.Time
	Cards      []Card // every card of the issuance, newest first
}

// Card returns the card that a token names: of several plastics of one number
// the newest. Another tenant's is not found.
func (s *Service) Card(ctx context.Context, c access.Caller, token string) (IssuedCard, error) {
	var found IssuedCard
	err := s.DB.View(ctx, func(tx db.Tx) (err error) {
		if found, err = s.issuedCard(ctx, tx, c, token, 0); err != nil {
			return err
		}
		if found.ChildCount, err = countChildren(ctx, tx, c.Tenant, found.Issuance.ID); err != nil {
			return fmt.Errorf("count supplementary cards: %w", err)
		}
		return nil
	})
	return found, err
}

// VirtualCards counts the virtual cards in force of a main card.
func (s *Service) VirtualCards(ctx context.Context, c access.Caller, main id.ID[Issuance]) (n int, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) (err error) {
		n, err = openVirtualCards(ctx, tx, c.Tenant, main)
		return err
	})
	return n, err
}

// CardDetails returns everything known of a card.
func (s *Service) CardDetails(ctx context.Context, c access.Caller, token string) (CardDetails, error) {
	var d CardDetails
	err := s.DB.View(ctx, func(tx db.Tx) (err error) {
		if d.IssuedCard, err = s.issuedCard(ctx, tx, c, token, 0); err != nil {
			return err
		}
		if err = s.openDeliveryFor(ctx, c, &d.Card); err != nil {
			return err
		}
		cfg, err := s.programs.ConfigurationIn(ctx, tx, c.Tenant)
		if err != nil {
			return err
		}
		today := clock.DateOf(c.Now(s.Clock), cfg.Tenant.Zone)
		d.YearBegins = clock.Date{Year: today.Year, Month: time.January, Day: 1}.In(cfg.Tenant.Zone)
		if d.Schedule, err = readScheduleOf(ctx, tx, d.Card); err != nil {
			return fmt.Errorf("read schedule: %w", err)
		}
		if d.History, err = readHistory(ctx, tx, c.Tenant, d.Card.ID); err != nil {
			return fmt.Errorf("read status history: %w", err)
		}
		if d.Cards, err = readCardsOfIssuance(ctx, tx, c.Tenant, d.Issuance.ID); err != nil {
			return fmt.Errorf("read cards of issuance: %w", err)
		}
		if d.Policies, err = s.policiesInForce(ctx, tx, c, d.Issuance); err != nil {
			return err
		}
		children, err := readChildren(ctx, tx, c.Tenant, d.Issuance.ID)
		if err != nil {
			return fmt.Errorf("read supplementary cards: %w", err)
		}
		d.ChildCount = len(children)
		d.Children, err = s.relatedCards(ctx, tx, c, children)
		return err
	})
	return d, err
}

// issuedCard reads a card by its token with all it hangs on.
func (s *Service) issuedCard(ctx context.Context, tx db.Tx, c access.Caller, token string, sequence int) (IssuedCard, error) {
	card, found, err := readCard(ctx, tx, c.Tenant, token, sequence)
	if err != nil {
		return IssuedCard{}, fmt.Errorf("read card: %w", err)
	}
	if !found {
		return IssuedCard{}, errCardNotFound
	}
	out := IssuedCard{Card: card}
	if out.Issuance, found, err = readIssuance(ctx, tx, c.Tenant, card.Issuance); err != nil || !found {
		return out, fmt.Errorf("read issuance of card %s: %w", card.ID, db.Missing(err))
	}
	out.Current = card
	if out.Issuance.CurrentCard != card.ID {
		if out.Current, found, err = readCardByID(ctx, tx, c.Tenant, out.Issuance.CurrentCard); err != nil || !found {
			return out, fmt.Errorf("read current card of issuance %s: %w", out.Issuance.ID, db.Missing(err))
		}
	}
	out.IssuanceStatus = IssuanceStatusOf(out.Current.Status)
	if err := s.openPhone(ctx, &out.Issuance); err != nil {
		return out, err
	}
	out.Issuance.PhoneNumber = customer.MaskMiddle(out.Issuance.PhoneNumber, 3, 3)
	cfg, err := s.programs.ConfigurationIn(ctx, tx, c.Tenant)
	if err != nil {
		return out, err
	}
	if out.Product, found = cfg.Product(card.ProductCode); !found {
		return out, fmt.Errorf("product %s of card %s is gone", card.ProductCode, card.ID)
	}
	out.BIN = cfg.BINs[card.BIN]
	if !out.Issuance.Customer.IsZero() {
		u, err := s.customerOf(ctx, tx, c, out.Issuance.Customer)
		if err != nil {
			return out, err
		}
		out.Customer = &u
	}
	if !out.Issuance.Parent.IsZero() {
		parent, found, err := readIssuance(ctx, tx, c.Tenant, out.Issuance.Parent)
		if err != nil || !found {
			return out, fmt.Errorf("read parent of card %s: %w", card.ID, db.Missing(err))
		}
		related, err := s.relatedCards(ctx, tx, c, []Issuance{parent})
		if err != nil {
			return out, err
		}
		out.Parent = &related[0]
	}
	return out, nil
}

// relatedCards shows issuances by their current cards, in their order: one
// lookup for all the cards, one for all the customers.
func (s *Service) relatedCards(ctx context.Context, tx db.Tx, c access.Caller, issuances []Issuance) ([]RelatedCard, error) {
	var current []id.ID[Card]
	var holders []id.ID[customer.Customer]
	for _, i := range issuances {
		current = append(current, i.CurrentCard)
		if !i.Customer.IsZero() {
			holders = append(holders, i.Customer)
		}
	}
	cards, err := readCardsByID(ctx, tx, c.Tenant, current)
	if err != nil {
		return nil, fmt.Errorf("read current cards: %w", err)
	}
	customers, err := s.customers.ReadAll(ctx, tx, c.Tenant, holders)
	if err != nil {
		return nil, fmt.Errorf("read customers of cards: %w", err)
	}
	var related []RelatedCard
	for _, i := range issuances {
		card, found := cards[i.CurrentCard]
		if !found {
			return nil, fmt.Errorf("read current card of issuance %s: %w", i.ID, db.ErrGone)
		}
		r := RelatedCard{IssuanceNo: i.No, CardToken: card.Token, MaskedNo: card.Masked(), Status: card.Status}
		if !i.Customer.IsZero() {
			u, found := customers[i.Customer]
			if !found {
				return nil, fmt.Errorf("read customer %s: %w", i.Customer, db.ErrGone)
			}
			u = u.MaskedFor(c)
			r.CustomerNo, r.CustomerName = u.No, u.DisplayName()
		}
		related = append(related, r)
	}
	return related, nil
}

// customerOf reads the customer of an issuance as the caller may see them.
func (s *Service) customerOf(ctx context.Context, tx db.Tx, c access.Caller, holder id.ID[customer.Customer]) (customer.Customer, error) {
	u, found, err := s.customers.Read(ctx, tx, c.Tenant, holder)
	if err != nil || !found {
		return customer.Customer{}, fmt.Errorf("read customer %s: %w", holder, db.Missing(err))
	}
	return u.MaskedFor(c), nil
}

// CardOf returns a card by its identifier, whichever plastic of its number it is.
func (s *Service) CardOf(ctx context.Context, c access.Caller, id id.ID[Card]) (IssuedCard, error) {
	var found IssuedCard
	err := s.DB.View(ctx, func(tx db.Tx) error {
		card, known, err := readCardByID(ctx, tx, c.Tenant, id)
		if err != nil {
			return fmt.Errorf("read card: %w", err)
		}
		if !known {
			return errCardNotFound
		}
		found, err = s.issuedCard(ctx, tx, c, card.Token, card.Sequence)
		return err
	})
	return found, err
}

// CardInForce returns the card in force of an issuance of the caller's tenant.
func (s *Service) CardInForce(ctx context.Context, tx db.Tx, c access.Caller, issuance id.ID[Issuance]) (IssuedCard, error) {
	i, found, err := readIssuance(ctx, tx, c.Tenant, issuance)
	if err != nil || !found {
		return IssuedCard{}, fmt.Errorf("read issuance: %w", db.Missing(err))
	}
	card, found, err := readCardByID(ctx, tx, c.Tenant, i.CurrentCard)
	if err != nil || !found {
		return IssuedCard{}, fmt.Errorf("read current card: %w", db.Missing(err))
	}
	return s.issuedCard(ctx, tx, c, card.Token, card.Sequence)
}
