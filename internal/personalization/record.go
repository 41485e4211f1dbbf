package personalization

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
)

// Record takes in what a bureau or courier tells, and moves the plastic.
//
// The same event of the same sender again changes nothing. An event that
// happened before the last one that counted is kept and moves nothing, and so
// does one that tells of the status the plastic has. A step that the machine
// does not have is refused with from and to, and nothing is kept: who sends
// events out of order sends it again.
func (s *Service) Record(ctx context.Context, c access.Caller, e Event) (Outcome, error) {
	e.At = e.At.UTC().Truncate(time.Microsecond)
	status, err := e.check(c.Now(s.Clock))
	if err != nil {
		return Outcome{}, err
	}
	var out Outcome
	err = s.DB.InTx(ctx, func(tx db.Tx) (err error) {
		out, err = s.record(ctx, tx, c, e, status)
		return err
	})
	return out, err
}

func (s *Service) record(ctx context.Context, tx db.Tx, c access.Caller, e Event, status string) (Outcome, error) {
	card, err := s.plasticOf(ctx, tx, c, e)
	if err != nil {
		return Outcome{}, err
	}
	if e.About == AboutProduction && e.Vendor != card.Physical.PersoVendor {
		return Outcome{}, errInvalid.OnField("vendorCode", "other_bureau", "is not the bureau of the plastic")
	}
	if e.holdsNumberOf(card) {
		return Outcome{}, errInvalid.OnField("trackingNo", "card_number", "holds the number of the card")
	}
	current := string(card.Physical.PersoStatus)
	if e.About == AboutShipment {
		current = string(card.Physical.ShipmentStatus)
	}
	out := Outcome{CardToken: card.Token, Sequence: card.Sequence, About: e.About, Previous: current, Status: status, Current: current}
	last, err := readLastEvent(ctx, tx, e.About, card.ID)
	if err != nil {
		return out, fmt.Errorf("read last event: %w", err)
	}
	out.Outdated = e.At.Before(last)
	moves := !out.Outdated && status != current
	fresh, err := insertEvent(ctx, tx, c.Tenant, card.ID, e, status, moves, c.Now(s.Clock))
	if err != nil {
		return out, fmt.Errorf("keep event: %w", err)
	}
	if !fresh {
		out.Duplicate, out.Outdated = true, false
		return out, nil
	}
	if out.Outdated {
		return out, nil
	}
	if moves && !canBecome(e.About, current, status) {
		return out, errTransition.With("from", current).With("to", status).With("cardToken", card.Token)
	}
	if err := s.keep(ctx, tx, card, e, status, moves); err != nil {
		return out, err
	}
	if !moves {
		return out, nil
	}
	out.Current = status
	return out, s.step(ctx, tx, c, card, e, status)
}

// plasticOf finds and locks the plastic that e is about.
func (s *Service) plasticOf(ctx context.Context, tx db.Tx, c access.Caller, e Event) (issuing.Card, error) {
	if e.OrderID == "" {
		return issuing.LockPlastic(ctx, tx, c.Tenant, e.CardToken, e.Sequence)
	}
	orderID, err := id.Parse[Order](e.OrderID)
	if err != nil {
		return issuing.Card{}, errOrderNotFound
	}
	card, found, err := readOrderedCard(ctx, tx, c.Tenant, orderID)
	if err != nil {
		return issuing.Card{}, fmt.Errorf("read order: %w", err)
	}
	if !found {
		return issuing.Card{}, errOrderNotFound
	}
	return issuing.LockPlasticOf(ctx, tx, c.Tenant, card)
}

// canBecome asks the machine that an event is about. It is not for bureaus and
// couriers to begin or end what only the platform does.
func canBecome(about About, from, to string) bool {
	if about == AboutShipment {
		return issuing.ShipmentStatus(from).CanBecome(issuing.ShipmentStatus(to))
	}
	switch issuing.PersoStatus(to) {
	case issuing.PersoQueued, issuing.PersoFileSent:
		return false // these are the platform's own steps; a bureau confirms them at most
	}
	return issuing.PersoStatus(from).CanBecome(issuing.PersoStatus(to))
}

// step moves the plastic.
func (s *Service) step(ctx context.Context, tx db.Tx, c access.Caller, card issuing.Card, e Event, status string) error {
	m := issuing.PlasticMove{Card: card.ID, StatusCode: e.StatusCode, Description: e.Description, At: e.At}
	if e.About == AboutShipment {
		m.FromShipment, m.ToShipment = card.Physical.ShipmentStatus, issuing.ShipmentStatus(status)
	} else {
		m.FromPerso, m.ToPerso = card.Physical.PersoStatus, issuing.PersoStatus(status)
	}
	moved, err := s.Issuing.MovePlastics(ctx, tx, c, []issuing.PlasticMove{m})
	if err == nil && !moved[card.ID] {
		panic("personalization: a locked plastic changed its status")
	}
	return err
}

// keep writes down what an event tells beside its status.
func (s *Service) keep(ctx context.Context, tx db.Tx, card issuing.Card, e Event, status string, moves bool) error {
	if e.About == AboutProduction {
		p, err := readProduction(ctx, tx, card.ID)
		if err != nil {
			return fmt.Errorf("read production: %w", err)
		}
		p.tell(card, e, issuing.PersoStatus(status), moves)
		if err := saveProduction(ctx, tx, card.Tenant, card.ID, p); err != nil {
			return fmt.Errorf("save production: %w", err)
		}
		return nil
	}
	sh, err := readShipment(ctx, tx, card.ID)
	if err != nil {
		return fmt.Errorf("read shipment: %w", err)
	}
	sh.tell(e, issuing.ShipmentStatus(status), moves)
	if e.RecipientName != "" {
		if sh.sealedRecipient, err = s.sealRecipient(ctx, card.Tenant, card.ID, e.RecipientName); err != nil {
			return err
		}
	}
	if err := saveShipment(ctx, tx, card.Tenant, card.ID, sh); err != nil {
		return fmt.Errorf("save shipment: %w", err)
	}
	return nil
}
