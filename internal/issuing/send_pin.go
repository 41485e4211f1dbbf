package issuing

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/notification"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// SentPIN says where a PIN is on its way to.
type SentPIN struct {
	Reference   id.ID[notification.Message]
	MaskedPhone string
}

// SendPIN sends the PIN of a card to its holder by SMS: to the card's phone, else
// the customer's, or to a number of the request that is a verified one of the
// customer. The product must allow it, the number must not be too fresh, and a
// card has so many a day.
//
// Only the HSM sees the PIN: what is queued is ciphertext for the gateway, or
// for the inbox of a sandbox.
func (s *Service) SendPIN(ctx context.Context, c access.Caller, token string, in PINRequest) (SentPIN, error) {
	card, err := s.openForUse(ctx, c, token, 0)
	if err != nil {
		return SentPIN{}, err
	}
	if err := s.sendable(c, card); err != nil {
		return SentPIN{}, err
	}
	to, err := s.pinRecipient(ctx, c, card, in.PhoneNumber)
	if err != nil {
		return SentPIN{}, err
	}
	m, err := s.pinMessage(ctx, c, card, to)
	if err != nil {
		return SentPIN{}, err
	}
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		now := c.Now(s.Clock)
		states, err := LockCardStates(ctx, tx, []id.ID[Card]{card.ID})
		if err != nil {
			return err
		}
		at := states[card.ID]
		switch {
		case !slices.Contains(pinSettable, at.Status):
			return errStatusNotSuitable.With("status", string(at.Status)).With("operation", "pin/send-sms")
		case !at.PINChangedAt.Equal(card.PINChangedAt):
			return errStale
		}
		if err := withinDailyLimit(ctx, tx, c, card, now); err != nil {
			return err
		}
		m := m
		m.On = clock.DateOf(now, card.cfg.Tenant.Zone)
		if err := s.PINs.SendPIN(ctx, tx, c, m, c.Real(now)); err != nil {
			return err
		}
		if err := raisePIN(ctx, tx, c, EventPINSent, card.ID, now, at.PINStatus, ""); err != nil {
			return err
		}
		a := s.cardAct(c, "PinSms", card.Card)
		a.Description = in.describe()
		return audit.Append(ctx, tx, a)
	})
	if err != nil {
		return SentPIN{}, err
	}
	return SentPIN{Reference: m.ID, MaskedPhone: notification.MaskPhone(m.Phone)}, nil
}

// sendable refuses a card whose PIN cannot be sent.
func (s *Service) sendable(c access.Caller, card cardInUse) error {
	switch {
	case !slices.Contains(pinSettable, card.Status):
		return errStatusNotSuitable.With("status", string(card.Status)).With("operation", "pin/send-sms")
	case !slices.Contains(card.product.PINDeliveries, program.PINBySMS), s.PINs == nil, !c.Sandbox && s.PINs.PINKey() == nil:
		return errPINDelivery
	case card.PINStatus == PINNotSet || card.PIN.IsZero():
		return errPINNotSet
	case len(card.PINBlock) == 0:
		return errPINDelivery // it was set when the product told no PINs
	}
	return nil
}

// withinDailyLimit refuses a PIN too many of one card and day.
func withinDailyLimit(ctx context.Context, tx db.Tx, c access.Caller, card cardInUse, now time.Time) error {
	zone, limit := card.cfg.Tenant.Zone, card.cfg.Attributes.PINSMSDailyLimit
	today := clock.DateOf(now, zone)
	n, err := notification.CountPINs(ctx, tx, c.Tenant, card.Token, today)
	if err != nil {
		return fmt.Errorf("count PIN messages: %w", err)
	}
	if n >= limit {
		wait := today.AddDays(1).In(zone).Sub(now)
		return errSMSLimit.With("limit", limit).With("retryAfterSeconds", int((wait+time.Second-1)/time.Second))
	}
	return nil
}

// pinRecipient is who gets the PIN, at a number that is not too fresh.
func (s *Service) pinRecipient(ctx context.Context, c access.Caller, card cardInUse, wanted string) (r notification.Recipient, err error) {
	var holder customer.Customer
	err = s.DB.View(ctx, func(tx db.Tx) error {
		if err := s.openPhone(ctx, &card.issuance); err != nil {
			return err
		}
		if !card.issuance.Customer.IsZero() {
			var found bool
			if holder, found, err = s.customers.Read(ctx, tx, c.Tenant, card.issuance.Customer); err != nil || !found {
				return db.Missing(err)
			}
		}
		r, _, err = s.Recipient(ctx, tx, c.Tenant, notification.Notice{Event: notification.PINSent, Card: card.ID.String()})
		return err
	})
	if err != nil {
		return r, fmt.Errorf("read cardholder: %w", err)
	}
	number, since := card.issuance.PhoneNumber, card.issuance.PhoneChangedAt
	if wanted != "" {
		if number, since, err = verifiedPhone(holder, wanted); err != nil {
			return r, err
		}
	} else if number == "" {
		number, since = customerPhone(holder)
	}
	if number == "" {
		return r, errPhoneMissing
	}
	hours := card.cfg.Attributes.PINSMSCoolingHours
	if !since.IsZero() && c.Now(s.Clock).Before(since.Add(time.Duration(hours)*time.Hour)) {
		return r, errPhoneCooling.With("hours", hours)
	}
	r.Phone = number
	return r, nil
}

// verifiedPhone finds a number among those of a customer that somebody has
// verified, and says since when it is known.
func verifiedPhone(u customer.Customer, wanted string) (number string, since time.Time, err error) {
	e164, ok := customer.ParsePhone(wanted, false)
	for _, m := range u.Communications {
		isPhone := m.Type == customer.MobilePhone || m.Type == customer.HomePhone || m.Type == customer.WorkPhone
		if ok && isPhone && m.IsVerified && m.Value == e164 {
			return e164, m.VerifiedAt, nil
		}
	}
	return "", time.Time{}, errInvalid.OnField("phoneNumber", "not_verified", "must be a verified phone number of the customer")
}

// customerPhone is the mobile phone of a customer, and since when it is known:
// when it was verified, else when the customer was changed last, since it may
// have been then.
func customerPhone(u customer.Customer) (number string, since time.Time) {
	for _, m := range u.Communications {
		if m.Type != customer.MobilePhone {
			continue
		}
		switch {
		case m.IsVerified:
			since = m.VerifiedAt
		case u.UpdatedAt.After(u.CreatedAt):
			since = u.UpdatedAt
		}
		return m.Value, since
	}
	return "", time.Time{}
}

// pinMessage lets the HSM make the message.
func (s *Service) pinMessage(ctx context.Context, c access.Caller, card cardInUse, to notification.Recipient) (notification.PINMessage, error) {
	m := notification.PINMessage{
		ID: id.New[notification.Message](s.Clock.Now()), CustomerNo: to.CustomerNo, CardToken: card.Token, Phone: to.Phone,
	}
	p, err := s.openPAN(ctx, card.Card)
	if err != nil {
		return m, err
	}
	stored := hsm.PINBlock{Block: card.PINBlock, Format: hsm.ISO4, PAN: p, Key: card.keys.PINStore}
	n := hsm.PINNotice{
		Reference: m.ID.UUID(), To: to.Phone,
		Text: notification.Text(notification.PINSent, to, map[string]string{"tenant": card.cfg.Tenant.Name}),
	}
	if strings.Count(n.Text, hsm.PINPlace) != 1 { // a name in the text looks like the place of the PIN
		return m, errPINDelivery
	}
	if c.Sandbox {
		m.Inbox, err = s.HSM.InboxMessage(ctx, stored, n, notification.InboxPlace(c.Tenant, m.ID))
	} else {
		m.JWE, err = s.HSM.PINMessage(ctx, stored, n, s.PINs.PINKey())
	}
	if err != nil {
		return m, fmt.Errorf("render PIN message: %w", hsmFault(err))
	}
	return m, nil
}
