package personalization

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
)

// Production is what is known of how a plastic is made, beside its status.
type Production struct {
	Vendor     string
	FileName   string
	BatchNo    int
	FileAt     time.Time
	ProducedAt time.Time
	ErrorText  string // why it failed; empty when it has not

	failure   failure
	retryAt   time.Time
	lastEvent time.Time
}

// failure is what made a production fail.
type failure string

const (
	notFailed     failure = ""
	failedNoKey   failure = "NoKey"  // tried again when there is a key
	failedHere    failure = "Error"  // tried again after a while
	failedAtTheir failure = "Bureau" // tried again when somebody says so
)

// errorTextMax bounds what is kept of an error.
const errorTextMax = 250

func (p *Production) tell(card issuing.Card, e Event, status issuing.PersoStatus, moves bool) {
	p.lastEvent = e.At
	if p.Vendor == "" {
		p.Vendor = card.Physical.PersoVendor
	}
	if !moves {
		return
	}
	switch status {
	case issuing.PersoProduced:
		p.ProducedAt = e.At
	case issuing.PersoFailed:
		p.fail(failedAtTheir, e.Description)
	case issuing.PersoRequested:
		p.begin()
	}
}

// begin forgets an earlier attempt.
func (p *Production) begin() {
	p.failure, p.ErrorText, p.retryAt = notFailed, "", time.Time{}
	p.FileName, p.BatchNo, p.FileAt, p.ProducedAt = "", 0, time.Time{}, time.Time{}
}

func (p *Production) fail(why failure, text string) {
	if text == "" {
		text = "failed at the bureau"
	}
	if r := []rune(text); len(r) > errorTextMax {
		text = string(r[:errorTextMax])
	}
	p.failure, p.ErrorText = why, text
}

// Shipment is what is known of how a plastic is on its way, beside its status.
type Shipment struct {
	CourierCode       string
	CourierName       string
	TrackingNo        string
	TrackingURL       string
	EstimatedDelivery string // YYYY-MM-DD
	DeliveredAt       time.Time
	RecipientName     string // masked for who may not see personal values
	RecipientRelation string
	AttemptCount      int // deliveries tried, the last one included
	ReturnReason      string
	Events            []ShipmentEvent // by when they happened

	sealedRecipient []byte
	destroyedAt     time.Time
	lastEvent       time.Time
}

// ShipmentEvent is what a courier told once.
type ShipmentEvent struct {
	StatusCode  string
	Status      issuing.ShipmentStatus
	Description string
	At          time.Time
	Location    string
}

func (s *Shipment) tell(e Event, status issuing.ShipmentStatus, moves bool) {
	s.lastEvent = e.At
	for _, told := range []struct {
		to    *string
		value string
	}{
		{&s.CourierCode, e.CourierCode}, {&s.CourierName, e.CourierName}, {&s.TrackingNo, e.TrackingNo},
		{&s.TrackingURL, e.TrackingURL}, {&s.EstimatedDelivery, e.EstimatedDelivery},
		{&s.RecipientRelation, e.RecipientRelation}, {&s.ReturnReason, e.ReturnReason},
	} {
		if told.value != "" {
			*told.to = told.value
		}
	}
	if !moves {
		return
	}
	switch status {
	case issuing.ShipmentDelivered:
		s.DeliveredAt = e.At
		s.AttemptCount++
	case issuing.ShipmentDeliveryFailed:
		s.AttemptCount++
	case issuing.ShipmentDestroyed:
		s.destroyedAt = e.At
	}
}

// ProductionOf returns a card with its plastic and how it is being made: the
// plastic of that sequence, or the newest one when sequence is 0. A card without
// plastic is card_has_no_physical.
func (s *Service) ProductionOf(ctx context.Context, c access.Caller, token string, sequence int) (issuing.Card, Production, error) {
	card, err := s.Issuing.CardPlastic(ctx, c, token, sequence)
	if err != nil {
		return issuing.Card{}, Production{}, err
	}
	var p Production
	err = s.DB.View(ctx, func(tx db.Tx) (err error) {
		p, err = readProduction(ctx, tx, card.ID)
		return err
	})
	if err != nil {
		return issuing.Card{}, Production{}, fmt.Errorf("read production: %w", err)
	}
	return card, p, nil
}

// ProgressOfCard returns how a card of the caller that was read before is being
// made, and how it is being brought: the latter without its events, and without
// who took it in.
func (s *Service) ProgressOfCard(ctx context.Context, c access.Caller, card issuing.Card) (p Production, sh Shipment, err error) {
	if card.Physical == nil || card.Tenant != c.Tenant {
		return p, sh, nil
	}
	err = s.DB.View(ctx, func(tx db.Tx) (err error) {
		if p, err = readProduction(ctx, tx, card.ID); err != nil {
			return err
		}
		sh, err = readShipment(ctx, tx, card.ID)
		return err
	})
	return p, sh, err
}

// ShipmentOf returns a card with its plastic and all that its couriers told.
func (s *Service) ShipmentOf(ctx context.Context, c access.Caller, token string, sequence int) (issuing.Card, Shipment, error) {
	card, err := s.Issuing.CardPlastic(ctx, c, token, sequence)
	if err != nil {
		return issuing.Card{}, Shipment{}, err
	}
	var sh Shipment
	err = s.DB.View(ctx, func(tx db.Tx) (err error) {
		if sh, err = readShipment(ctx, tx, card.ID); err != nil {
			return err
		}
		sh.Events, err = readShipmentEvents(ctx, tx, card.ID)
		return err
	})
	if err != nil {
		return issuing.Card{}, Shipment{}, fmt.Errorf("read shipment: %w", err)
	}
	if len(sh.sealedRecipient) > 0 {
		name, err := s.HSM.Open(ctx, c.Tenant.String(), purposeRecipient, sh.sealedRecipient, recipientPlace(card.ID))
		if err != nil {
			return issuing.Card{}, Shipment{}, fmt.Errorf("open recipient: %w", err)
		}
		sh.RecipientName = string(name)
		if !c.May(access.IssuingCustomerSensitive) {
			sh.RecipientName = masked(sh.RecipientName)
		}
	}
	return card, sh, nil
}

// masked shows the first letter of each word.
func masked(name string) string {
	out, first := []rune{}, true
	for _, r := range name {
		switch {
		case r == ' ':
			first = true
		case first:
			first = false
		default:
			r = '*'
		}
		out = append(out, r)
	}
	return string(out)
}

const purposeRecipient = "customer"

func recipientPlace(card id.ID[issuing.Card]) []byte {
	return []byte("1|shipment|recipient_name|" + card.String())
}

func (s *Service) sealRecipient(ctx context.Context, tenant access.TenantID, card id.ID[issuing.Card], name string) ([]byte, error) {
	sealed, err := s.HSM.Seal(ctx, tenant.String(), purposeRecipient, []byte(name), recipientPlace(card))
	if err != nil {
		return nil, fmt.Errorf("seal recipient: %w", err)
	}
	return sealed, nil
}

var _ hsm.Personalization = hsm.Backend(nil)
