package notification

import (
	"context"
	"errors"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/outbox"
)

// Why a message cannot be tried again.
var (
	ErrUnknown = errors.New("there is no such message")
	ErrEnded   = errors.New("the message was sent already")
	ErrErased  = errors.New("the text of the message was erased when it was given up")
	ErrNobody  = errors.New("there is neither a gateway nor a webhook to give the message to")
)

// UnsentQuery chooses messages that were not sent.
type UnsentQuery struct {
	Tenant      access.TenantID // zero: of any tenant
	Status      Status          // Waiting or Dead; empty: both
	Skip, Limit int
}

// Unsent returns a page of the messages that wait or were given up, oldest
// first, without their content, and how many there are.
func (s *Service) Unsent(ctx context.Context, q UnsentQuery) (page []Message, total int, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		page, total, err = readUnsent(ctx, tx, q)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("read unsent messages: %w", err)
	}
	return page, total, nil
}

// Retry tries a message of the caller's tenant again, now: one that waits is due
// at once, one that was given up goes the way of a new one, with all its tries.
// It is one of this package's errors when it cannot be.
func (s *Service) Retry(ctx context.Context, c access.Caller, message id.ID[Message]) error {
	return s.DB.InTx(ctx, func(tx db.Tx) error {
		now := s.Clock.Now()
		m, found, err := reviveMessage(ctx, tx, c.Tenant, message)
		if err != nil {
			return fmt.Errorf("revive message: %w", err)
		}
		switch {
		case !found:
			if err := s.hasten(ctx, tx, c.Tenant, message); err != nil {
				return err
			}
		default:
			if err := s.open(ctx, &m); err != nil {
				return err
			}
			queued, err := s.queue(ctx, tx, m, c.CorrelationID, now)
			if err != nil {
				return err
			}
			if !queued {
				return ErrNobody
			}
		}
		a := c.Act(clock.RealAt(now), audit.AccessStream, "Retry")
		a.EntityType, a.EntityKey = "Message", message.UUID()
		return audit.Append(ctx, tx, a)
	})
}

// hasten makes a message that waits due, or says why it cannot be tried.
func (s *Service) hasten(ctx context.Context, tx db.Tx, tenant access.TenantID, message id.ID[Message]) error {
	m, found, err := readMessage(ctx, tx, tenant, message)
	switch {
	case err != nil:
		return fmt.Errorf("read message: %w", err)
	case !found:
		return ErrUnknown
	case m.Status == Dead:
		return ErrErased
	case m.Status != Waiting:
		return ErrEnded
	}
	return outbox.HastenKey(ctx, tx, tenant.String(), message.String(), s.Clock.Now())
}

// RetryDead tries every message of the caller's tenant that was given up again,
// as far as its text is still there, and returns how many. What was sent, erased
// or removed meanwhile is not counted and holds up no other; it stops at the
// first that nobody can be given.
func (s *Service) RetryDead(ctx context.Context, c access.Caller) (n int, err error) {
	for after := (id.ID[Message]{}); ; {
		var page []id.ID[Message]
		err := s.DB.View(ctx, func(tx db.Tx) (err error) {
			page, err = readDead(ctx, tx, c.Tenant, after)
			return err
		})
		if err != nil {
			return n, fmt.Errorf("look for messages: %w", err)
		}
		tried, err := s.retryAll(ctx, c, page)
		if n += tried; err != nil || len(page) == 0 {
			return n, err
		}
		after = page[len(page)-1]
	}
}

// retryAll tries what was given up a moment ago, and passes over what is no more.
func (s *Service) retryAll(ctx context.Context, c access.Caller, all []id.ID[Message]) (n int, err error) {
	for _, message := range all {
		switch err := s.Retry(ctx, c, message); {
		case err == nil:
			n++
		case !errors.Is(err, ErrEnded) && !errors.Is(err, ErrErased) && !errors.Is(err, ErrUnknown):
			return n, fmt.Errorf("message %s: %w", message, err)
		}
	}
	return n, nil
}
