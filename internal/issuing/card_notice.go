package issuing

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/notification"
)

// tellHolder queues what the holder of a card is told of an event; of most
// events that is nothing. about is what the kind of event adds.
func tellHolder(ctx context.Context, tx db.Tx, tenant access.TenantID, e CardEvent, name string, card id.ID[Card], at clock.Real, about any) error {
	if !notification.Tells(name) {
		return nil
	}
	n := notification.Notice{Event: name, Card: card.String(), Phone: e.sealedPhone}
	switch s := about.(type) {
	case CardStatusChanged:
		n.Values = map[string]string{statusPlace: string(s.Current)}
	case Noticed:
		n.Values = s.NoticeValues()
	}
	return notification.Tell(ctx, tx, tenant, e.IssuanceNo, n, at)
}

// Noticed is what an event adds that the holder is told some of.
type Noticed interface {
	// NoticeValues are what the places of the text are filled with.
	NoticeValues() map[string]string
}

// statusPlace carries a status to where its name is known in the holder's
// language.
const statusPlace = "statusCode"

// tellOldPhone queues a notice to the number that a card's messages went to
// before. Nobody is told when there was none.
func (s *Service) tellOldPhone(ctx context.Context, tx db.Tx, card Card, before Issuance, now clock.Real) error {
	if before.PhoneNumber == "" {
		return nil
	}
	sealed, err := s.sealPhone(ctx, before)
	if err != nil {
		return err
	}
	n := notification.Notice{Event: notification.CardPhoneChanged, Card: card.ID.String(), Phone: sealed, PhoneOnly: true}
	return notification.Tell(ctx, tx, card.Tenant, before.No, n, now)
}

// phoneInUse is the number that messages about a card go to: its own, else its
// customer's.
func (s *Service) phoneInUse(ctx context.Context, tx db.Tx, i Issuance) (string, error) {
	if err := s.openPhone(ctx, &i); err != nil || i.PhoneNumber != "" || i.Customer.IsZero() {
		return i.PhoneNumber, err
	}
	u, found, err := s.customers.Read(ctx, tx, i.Tenant, i.Customer)
	if err != nil || !found {
		return "", err
	}
	return u.Contact(customer.MobilePhone), nil
}
