package webhook

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/outbox"
)

// Delivery is one event for one hook.
type Delivery = outbox.Message

// Waiting is the status of a delivery that is still to be tried.
const Waiting = outbox.Waiting

// Test puts a ping into the lane of a hook, also of one that is not active. It
// is sent like any other, once.
func (s *Service) Test(ctx context.Context, c access.Caller, hook id.ID[Hook]) (d Delivery, err error) {
	now := s.Clock.Now()
	event := id.New[outbox.Event](now)
	d = Delivery{
		ID: id.New[Delivery](now), Tenant: c.Tenant.String(), Topic: TopicDelivery, Lane: hook.String(), EventID: event, Name: Ping,
		Key: event.String(), CorrelationID: c.CorrelationID, OccurredAt: now,
		Status: outbox.Waiting, DueAt: now, StartedAt: now,
	}
	if d.Payload, err = json.Marshal(newEnvelope(d, c.Tenant, Content{Data: json.RawMessage(`{}`)})); err != nil {
		return Delivery{}, fmt.Errorf("encode ping: %w", err)
	}
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		if err := s.mustHave(ctx, tx, c, hook); err != nil {
			return err
		}
		return outbox.Put(ctx, tx, d, now)
	})
	return d, err
}

// Deliveries returns a page of a hook's deliveries, or only of those that were
// given up, newest first, and how many there are. Those that ended are kept for
// three days.
func (s *Service) Deliveries(ctx context.Context, c access.Caller, hook id.ID[Hook], onlyDead bool, skip, limit int) (page []Delivery, total int, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		if err := s.mustHave(ctx, tx, c, hook); err != nil {
			return err
		}
		page, total, err = outbox.ReadMessages(ctx, tx, c.Tenant.String(), TopicDelivery, hook.String(), onlyDead, skip, limit)
		return err
	})
	return page, total, err
}

// Redeliver sends a delivery again, with all its tries, whatever became of it
// before. One that waits is tried now. A message for a customer that was given up
// and has gone another way since is webhook_message_sent: nobody is told twice.
func (s *Service) Redeliver(ctx context.Context, c access.Caller, hook id.ID[Hook], delivery id.ID[Delivery]) (d Delivery, err error) {
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		if err := s.mustHave(ctx, tx, c, hook); err != nil {
			return err
		}
		tenant, lane := c.Tenant.String(), hook.String()
		if err := s.mayRevive(ctx, tx, tenant, lane, delivery); err != nil {
			return err
		}
		found, err := outbox.Revive(ctx, tx, tenant, TopicDelivery, lane, delivery, s.Clock.Now())
		if err != nil {
			return fmt.Errorf("revive delivery: %w", err)
		}
		if !found {
			return errDeliveryNotFound
		}
		d, _, err = outbox.ReadMessage(ctx, tx, tenant, TopicDelivery, lane, delivery)
		return err
	})
	return d, err
}

// mayRevive refuses a dead delivery of a message that has gone another way.
func (s *Service) mayRevive(ctx context.Context, tx db.Tx, tenant, lane string, delivery id.ID[Delivery]) error {
	d, found, err := outbox.ReadMessage(ctx, tx, tenant, TopicDelivery, lane, delivery)
	if err != nil {
		return fmt.Errorf("read delivery: %w", err)
	}
	if !found || d.Status != outbox.Dead || !isMessage(d) {
		return nil
	}
	waits, err := s.Messages.Revive(ctx, tx, d)
	if err == nil && !waits {
		err = errMessageSent
	}
	return err
}

func (s *Service) mustHave(ctx context.Context, tx db.Tx, c access.Caller, hook id.ID[Hook]) error {
	_, found, err := readHook(ctx, tx, c.Tenant, hook)
	if err != nil {
		return fmt.Errorf("read webhook: %w", err)
	}
	if !found {
		return errNotFound
	}
	return nil
}
