package access

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// Cardholders sign in at our pages with their customer number, a password and a
// one-time password. They are never users: no token of theirs opens anything but
// what they consented to.
const (
	// Six attempts without a sign-in, of either password, lock a cardholder for half
	// an hour.
	cardholderTries    = 6
	cardholderLockTime = 30 * time.Minute
	// A one-time password is good for so long, and so often it may be wrong.
	codeLife  = 180 * time.Second
	codeTries = 3
	// A session ends when nothing came for so long, and in any case after a while.
	sessionIdle = 15 * time.Minute
	sessionLife = 8 * time.Hour
)

// channelWeb is that of what cardholders do at our pages.
const channelWeb = "Web"

// SetCardholderPassword lets a customer of the caller's tenant sign in with a
// password, or replaces it: that unlocks the customer and ends its sessions. That
// there is such a customer, the caller sees to.
func (s *Service) SetCardholderPassword(ctx context.Context, c Caller, customerNo string, password secret.Value) error {
	if err := checkPassword(customerNo, password); err != nil {
		return err
	}
	hash, err := s.newPasswordHash(ctx, password)
	if err != nil {
		return err
	}
	now := s.Clock.Now()
	return s.DB.InTx(ctx, func(tx db.Tx) error {
		if err := putCredential(ctx, tx, c.Tenant, customerNo, hash, now); err != nil {
			return fmt.Errorf("put credential: %w", err)
		}
		return audit.Append(ctx, tx, cardholderAct(c, clock.RealAt(now), "CardholderSetPassword", customerNo))
	})
}

// HasCardholderPassword reports whether a customer of the caller's tenant can sign in.
func (s *Service) HasCardholderPassword(ctx context.Context, c Caller, customerNo string) (found bool, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		k, err := readCredential(ctx, tx, c.Tenant, customerNo)
		found = k.Generation != 0
		return err
	})
	return found, err
}

// RemoveCardholder takes a customer's password away, and ends its sessions.
func (s *Service) RemoveCardholder(ctx context.Context, c Caller, customerNo string) error {
	now := s.Clock.Now()
	return s.DB.InTx(ctx, func(tx db.Tx) error {
		found, err := deleteCredential(ctx, tx, c.Tenant, customerNo)
		if err != nil {
			return fmt.Errorf("delete credential: %w", err)
		}
		if !found {
			return errCardholderNotFound
		}
		return audit.Append(ctx, tx, cardholderAct(c, clock.RealAt(now), "CardholderRemove", customerNo))
	})
}

// cardholderAct is the record of what became of a cardholder's way in.
func cardholderAct(c Caller, now clock.Real, action, customerNo string) audit.Act {
	a := c.Act(now, audit.AccessStream, action)
	a.EntityType, a.EntityKey = "Cardholder", customerNo
	return a
}

// cardholder is the caller that acts for a customer at our pages.
func cardholder(t Tenant, customerNo string, from Origin) Caller {
	return Caller{
		Tenant: t.ID, Sandbox: t.Environment == Sandbox, Ahead: t.Ahead, Client: "cardholder", Name: "cardholder",
		Customer: customerNo, Channel: channelWeb, Language: t.Language, IP: from.IP, CorrelationID: from.CorrelationID,
	}
}
