package issuing

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// The events about plastics.
const (
	EventPersoStatusChanged    = "card.perso-status-changed"    // PlasticStatusChanged
	EventShipmentStatusChanged = "card.shipment-status-changed" // PlasticStatusChanged
)

// PlasticStatusChanged is what the events of production and shipment add.
type PlasticStatusChanged struct {
	Previous    string
	Current     string
	StatusCode  string // as bureau or courier count; empty for our own steps
	Description string
	At          time.Time // when it happened
}

// PlasticMove is a step of a plastic's production or of its shipment, or of
// both. It is made only while the plastic still is where the step begins.
type PlasticMove struct {
	Card         id.ID[Card]
	FromPerso    PersoStatus
	ToPerso      PersoStatus // empty: production stays where it is
	FromShipment ShipmentStatus
	ToShipment   ShipmentStatus // empty: so does the shipment
	StatusCode   string
	Description  string
	At           time.Time // when it happened; zero is now
}

// MovePlastics makes those steps whose plastics still are where they begin, and
// returns the cards of these. All are of the caller's tenant; their rows are
// held from here on, and so is the end of the audit chain: it belongs at the
// end of a transaction.
func (s *Service) MovePlastics(ctx context.Context, tx db.Tx, c access.Caller, moves []PlasticMove) (map[id.ID[Card]]bool, error) {
	var acts []audit.Act
	moved, err := s.movePlastics(ctx, tx, c, moves, &acts)
	if err != nil {
		return nil, err
	}
	return moved, appendAll(ctx, tx, acts)
}

// movePlastics is MovePlastics without the audit, which it adds to acts.
func (s *Service) movePlastics(ctx context.Context, tx db.Tx, c access.Caller, moves []PlasticMove, acts *[]audit.Act) (map[id.ID[Card]]bool, error) {
	now := c.Now(s.Clock)
	sorted := slices.SortedFunc(slices.Values(moves), func(a, b PlasticMove) int {
		return a.Card.Compare(b.Card)
	})
	moved := make(map[id.ID[Card]]bool, len(sorted))
	for _, m := range sorted {
		ok, err := movePlastic(ctx, tx, c.Tenant, m, now)
		if err != nil {
			return nil, fmt.Errorf("move plastic of card %s: %w", m.Card, err)
		}
		if ok {
			moved[m.Card] = true
		}
	}
	for _, m := range sorted {
		if !moved[m.Card] {
			continue
		}
		if m.At.IsZero() {
			m.At = now
		}
		done, err := s.tellMove(ctx, tx, c, m, now)
		if err != nil {
			return nil, err
		}
		*acts = append(*acts, done...)
	}
	return moved, nil
}

// tellMove raises the events of a step and returns its acts.
func (s *Service) tellMove(ctx context.Context, tx db.Tx, c access.Caller, m PlasticMove, now time.Time) ([]audit.Act, error) {
	card, found, err := readCardByID(ctx, tx, c.Tenant, m.Card)
	if err != nil || !found {
		return nil, fmt.Errorf("read card %s: %w", m.Card, db.Missing(err))
	}
	var acts []audit.Act
	for _, step := range []struct{ event, action, from, to string }{
		{EventPersoStatusChanged, "PersoStatus", string(m.FromPerso), string(m.ToPerso)},
		{EventShipmentStatusChanged, "ShipmentStatus", string(m.FromShipment), string(m.ToShipment)},
	} {
		if step.to == "" {
			continue
		}
		about := PlasticStatusChanged{step.from, step.to, m.StatusCode, m.Description, m.At}
		if err := raiseCard(ctx, tx, c, step.event, m.Card, now, about); err != nil {
			return nil, err
		}
		a := s.cardAct(c, step.action, card)
		a.Channel, a.Description, a.Changes = channelOf(c, ""), m.Description, changeOf(step.action, step.from, step.to)
		acts = append(acts, a)
	}
	return acts, nil
}

// cancelPlastic stops what nobody waits for any more: a production that the
// bureau has not begun, and a shipment that no courier has. The caller holds the
// row of the card.
func (m mover) cancelPlastic(ctx context.Context, card id.ID[Card]) error {
	k, found, err := readCardByID(ctx, m.tx, m.c.Tenant, card)
	if err != nil || !found {
		return fmt.Errorf("read card %s: %w", card, db.Missing(err))
	}
	if k.Physical == nil {
		return nil
	}
	step := PlasticMove{Card: card, FromPerso: k.Physical.PersoStatus, FromShipment: k.Physical.ShipmentStatus}
	if step.FromPerso.CanBecome(PersoCancelled) {
		step.ToPerso = PersoCancelled
	}
	if step.FromShipment.CanBecome(ShipmentCancelled) {
		step.ToShipment = ShipmentCancelled
	}
	if step.ToPerso == "" && step.ToShipment == "" {
		return nil
	}
	var acts []audit.Act
	if _, err := m.s.movePlastics(ctx, m.tx, m.c, []PlasticMove{step}, &acts); err != nil {
		return err
	}
	if m.later != nil {
		*m.later = append(*m.later, acts...)
		return nil
	}
	return appendAll(ctx, m.tx, acts)
}

// LockPlastic returns the plastic of a token, of that sequence or the newest
// one when sequence is 0, and keeps others from changing its card until the
// transaction ends. A card without plastic is card_has_no_physical.
func LockPlastic(ctx context.Context, tx db.Tx, tenant access.TenantID, token string, sequence int) (Card, error) {
	card, found, err := readPlastic(ctx, tx, tenant, token, sequence)
	if err != nil {
		return Card{}, fmt.Errorf("read card: %w", err)
	}
	if !found {
		return Card{}, errCardNotFound
	}
	return LockPlasticOf(ctx, tx, tenant, card.ID)
}

// LockPlasticOf is [LockPlastic] by the identifier of a card.
func LockPlasticOf(ctx context.Context, tx db.Tx, tenant access.TenantID, id id.ID[Card]) (Card, error) {
	if err := db.LockRow(ctx, tx, &lockPlastics, tenant, id.String()); err != nil {
		return Card{}, fmt.Errorf("lock card: %w", err)
	}
	return PlasticOf(ctx, tx, tenant, id)
}

// PlasticOf reads the plastic of a card.
func PlasticOf(ctx context.Context, tx db.Tx, tenant access.TenantID, id id.ID[Card]) (Card, error) {
	card, found, err := readCardByID(ctx, tx, tenant, id)
	switch {
	case err != nil:
		return Card{}, fmt.Errorf("read card: %w", err)
	case !found:
		return Card{}, errCardNotFound
	case card.Physical == nil:
		return Card{}, errNoPhysical
	}
	return card, nil
}

// NewestOf returns which card a token names: of several plastics the newest.
func NewestOf(ctx context.Context, tx db.Tx, tenant access.TenantID, token string) (id.ID[Card], error) {
	card, found, err := readCard(ctx, tx, tenant, token, 0)
	if err != nil || !found {
		return id.ID[Card]{}, fmt.Errorf("read card: %w", db.Missing(err))
	}
	return card.ID, nil
}
