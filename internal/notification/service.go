package notification

import (
	"context"
	"crypto/rsa"
	"fmt"
	"hash/fnv"
	"log/slog"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/outbox"
)

// Service is what this package does. Its fields are set once, before use; it is
// safe for concurrent use.
type Service struct {
	DB         *db.DB
	Sealer     Sealer
	Recipients Recipients
	Clock      clock.Clock
	Log        *slog.Logger
	// SMS and Email are the gateways of the channels, checked; nil: there is none.
	SMS, Email *Gateway
	// Hooks are where tenants send messages themselves; nil: none does.
	Hooks Hooks
}

// New returns a service without gateways. It needs Recipients before its workers
// run.
func New(d *db.DB, s Sealer, c clock.Clock, log *slog.Logger) *Service {
	return &Service{DB: d, Sealer: s, Clock: c, Log: log}
}

func (s *Service) gateway(c Channel) *Gateway {
	if c == Email {
		return s.Email
	}
	return s.SMS
}

// PINKey encrypts PIN messages of production tenants; nil: no PIN can be sent.
func (s *Service) PINKey() *rsa.PublicKey {
	if s.SMS == nil {
		return nil
	}
	return s.SMS.PINKey
}

// The topics of the outbox.
const (
	TopicNotice  = "notice"  // what customers are to be told of; the lane is the tenant
	TopicMessage = "message" // what a gateway is to be given
)

// How often things are tried again. A PIN is wanted now or not at all.
const (
	noticeRetries  = 1 << 20
	messageRetries = 10
	pinRetries     = 5 // over about six minutes
)

// lanesOfChannel is how many messages of a tenant and channel are on their way
// at the same time.
const lanesOfChannel = 4

func lane(m Message) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(m.CustomerNo + m.CardToken))
	return fmt.Sprintf("%s/%s/%d", m.Tenant, m.Channel, h.Sum32()%lanesOfChannel)
}

// leaseLife is longer than any request may take.
const leaseLife = time.Minute

// Workers are what tells customers: the first makes messages of notices, the
// second gives them to the gateways.
func (s *Service) Workers() []*outbox.Worker {
	return []*outbox.Worker{
		{DB: s.DB, Clock: s.Clock, Log: s.Log, Topic: TopicNotice, Lease: leaseLife, Consume: s.render},
		{DB: s.DB, Clock: s.Clock, Log: s.Log, Topic: TopicMessage, Lease: leaseLife, Send: s.deliver, Ended: s.Conclude},
	}
}

// deliver gives one message to its gateway.
func (s *Service) deliver(ctx context.Context, o outbox.Message) outbox.Outcome {
	// What has begun is finished, within its own time-out.
	ctx = context.WithoutCancel(ctx)
	m, found, err := s.read(ctx, o)
	switch {
	case err != nil:
		s.Log.Error("deliver message", "message", o.Key, "error", err)
		return outbox.Outcome{Text: "not sent: something went wrong on our side"}
	case !found || len(m.sealed) == 0:
		return outbox.Outcome{Hopeless: true, Text: "the message is gone"}
	}
	g := s.gateway(m.Channel)
	if g == nil {
		return outbox.Outcome{Text: "not sent: there is no gateway"}
	}
	return g.give(ctx, m, s.Clock.Now())
}

func (s *Service) read(ctx context.Context, o outbox.Message) (m Message, found bool, err error) {
	message, err := id.Parse[Message](string(o.Payload))
	if err != nil {
		return m, false, fmt.Errorf("read reference: %w", err)
	}
	tenant, err := id.Parse[access.Tenant](o.Tenant)
	if err != nil {
		return m, false, fmt.Errorf("read tenant: %w", err)
	}
	err = s.DB.View(ctx, func(tx db.Tx) error {
		m, found, err = readMessage(ctx, tx, tenant, message)
		return err
	})
	if err != nil || !found {
		return m, found, err
	}
	return m, true, s.open(ctx, &m)
}

// Conclude writes in tx what became of a message, with the outbox's own note of
// it.
func (s *Service) Conclude(ctx context.Context, tx db.Tx, o outbox.Message) error {
	message, err := id.Parse[Message](o.Key)
	if err != nil {
		return fmt.Errorf("read reference: %w", err)
	}
	status := Sent
	if o.Status == outbox.Dead {
		status = Dead
		s.Log.Warn("message given up", "tenant", o.Tenant, "message", message.String(), "event", o.Name, "code", o.ResultCode, "answer", o.ResultText)
	}
	return endMessage(ctx, tx, o.Tenant, message, status, s.Clock.Now(), o.ResultCode, o.ResultText)
}

// Reroute gives on anew, in tx, a message whose hook was switched off or removed
// before it was sent: as one that is told now. With nobody to give it to it is
// given up.
func (s *Service) Reroute(ctx context.Context, tx db.Tx, o outbox.Message) error {
	message, err := id.Parse[Message](o.Key)
	if err != nil {
		return fmt.Errorf("read reference: %w", err)
	}
	tenant, err := id.Parse[access.Tenant](o.Tenant)
	if err != nil {
		return fmt.Errorf("read tenant: %w", err)
	}
	m, found, err := readMessage(ctx, tx, tenant, message)
	if err != nil || !found || m.Status != Waiting {
		return err
	}
	if err := s.open(ctx, &m); err != nil {
		return err
	}
	queued, err := s.queue(ctx, tx, m, o.CorrelationID, s.Clock.Now())
	if err != nil || queued {
		return err
	}
	return s.Conclude(ctx, tx, o)
}

// Revive lets a message that was given up wait, in tx, for its hook to be given
// it again. False means that it was sent or is to be sent another way since, or
// is not on record any more.
func (s *Service) Revive(ctx context.Context, tx db.Tx, o outbox.Message) (bool, error) {
	message, err := id.Parse[Message](o.Key)
	if err != nil {
		return false, fmt.Errorf("read reference: %w", err)
	}
	tenant, err := id.Parse[access.Tenant](o.Tenant)
	if err != nil {
		return false, fmt.Errorf("read tenant: %w", err)
	}
	_, found, err := reviveMessage(ctx, tx, tenant, message)
	return found, err
}

// keepLife is how long a message is on record.
const keepLife = 30 * 24 * time.Hour

// Sweep deletes messages that ended longer than a month ago, and returns how
// many.
func (s *Service) Sweep(ctx context.Context) (int64, error) {
	return s.DB.InTxs(ctx, func(tx db.Tx) (int64, error) {
		return deleteEnded(ctx, tx, s.Clock.Now().Add(-keepLife))
	})
}

// InboxQuery chooses messages of a sandbox's inbox; empty members choose all.
type InboxQuery struct {
	CustomerNo  string
	CardToken   string
	Channel     Channel
	Skip, Limit int
}

// Inbox returns a page of what the customers of a sandbox tenant were told,
// newest first, and how many there are. PINs stand in it.
func (s *Service) Inbox(ctx context.Context, c access.Caller, q InboxQuery) (page []Message, total int, err error) {
	if !c.Sandbox {
		return nil, 0, nil // nothing of a production tenant is ever in one
	}
	err = s.DB.View(ctx, func(tx db.Tx) error {
		page, total, err = readInbox(ctx, tx, c.Tenant, q)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("read inbox: %w", err)
	}
	for i := range page {
		if err := s.open(ctx, &page[i]); err != nil {
			return nil, 0, err
		}
	}
	return page, total, nil
}
