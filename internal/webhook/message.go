package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/notification"
	"github.com/sarraf-platform/sarraf/internal/outbox"
)

var (
	_ notification.Hooks = (*Service)(nil)
	_ Messages           = (*notification.Service)(nil)
)

// What hooks that send messages are asked to do.
const (
	smsRequest   = "sms.request"
	emailRequest = "email.request"
)

// isMessage reports whether a delivery is a message that the hook is to send.
func isMessage(d Delivery) bool { return d.Name == smsRequest || d.Name == emailRequest }

// messageToSend is the data of such a delivery (docs/notification.md).
type messageToSend struct {
	Channel string `json:"channel"`
	Event   string `json:"event"`
	To      string `json:"to"`
	Subject string `json:"subject,omitempty"`
	Text    string `json:"text"`
}

// purposeMessage is what the bodies of messages are sealed for: an address and a
// text for a person lie nowhere in clear.
const purposeMessage = "webhook_message"

func placeOfMessage(d Delivery) []byte {
	return []byte("1|" + d.Tenant + "|webhook|message|" + d.EventID.String())
}

// TakeMessage implements [notification.Hooks]. Where several hooks could send a
// message, the oldest does: a customer is told once.
func (s *Service) TakeMessage(ctx context.Context, tx db.Tx, m notification.Message, correlation string) (bool, error) {
	kind, name := TypeSMS, smsRequest
	if m.Channel == notification.Email {
		kind, name = TypeEmail, emailRequest
	}
	h, found, err := s.hookFor(ctx, tx, m.Tenant, kind, m.ProductCode, "", "")
	if err != nil || !found {
		return false, err
	}
	event, err := id.ParseUUID[outbox.Event](m.ID.UUID()) // what comes twice is known by it
	if err != nil {
		return false, fmt.Errorf("name message: %w", err)
	}
	d := Delivery{
		Tenant: m.Tenant.String(), Topic: TopicDelivery, Lane: h.ID.String(), EventID: event, Name: name, Key: m.ID.String(),
		CorrelationID: correlation, OccurredAt: m.CreatedAt, RetriesMax: h.RetriesMax,
	}
	data, err := json.Marshal(messageToSend{string(m.Channel), m.Event, m.Content.To, m.Content.Subject, m.Content.Text})
	if err != nil {
		return false, fmt.Errorf("encode message: %w", err)
	}
	body, err := json.Marshal(newEnvelope(d, m.Tenant, Content{CustomerNo: m.CustomerNo, CardToken: m.CardToken, Data: data}))
	if err != nil {
		return false, fmt.Errorf("encode message: %w", err)
	}
	if d.Payload, err = s.Seal.Seal(ctx, d.Tenant, purposeMessage, body, placeOfMessage(d)); err != nil {
		return false, fmt.Errorf("seal message: %w", err)
	}
	return true, outbox.Put(ctx, tx, d, s.Clock.Now())
}

// bodyOf is what a delivery sends.
func (s *Service) bodyOf(ctx context.Context, d Delivery) ([]byte, error) {
	if !isMessage(d) {
		return d.Payload, nil
	}
	body, err := s.Seal.Open(ctx, d.Tenant, purposeMessage, d.Payload, placeOfMessage(d))
	if err != nil {
		return nil, fmt.Errorf("open message: %w", err)
	}
	return body, nil
}

// messageTaken is what became of a message. The answer is not kept: it may hold
// the address, or the text.
func messageTaken(status int) outbox.Outcome {
	return outbox.Outcome{Delivered: status/100 == 2, Code: status, Text: http.StatusText(status)}
}

// ended tells of a message that its hook has taken, or will not be given again.
func (s *Service) ended(ctx context.Context, tx db.Tx, d Delivery) error {
	if !isMessage(d) {
		return nil
	}
	if d.Status == outbox.Delivered {
		return s.Messages.Conclude(ctx, tx, d)
	}
	hook, err := id.Parse[Hook](d.Lane)
	if err != nil {
		return fmt.Errorf("lane: %w", err)
	}
	tenant, err := id.Parse[access.Tenant](d.Tenant)
	if err != nil {
		return fmt.Errorf("tenant: %w", err)
	}
	h, _, err := readHook(ctx, tx, tenant, hook)
	if err != nil {
		return fmt.Errorf("read webhook: %w", err)
	}
	// A hook that was not active when it was to be told may be so again by now.
	if h.IsActive && d.ResultText != hookInactive {
		return s.Messages.Conclude(ctx, tx, d)
	}
	return s.Messages.Reroute(ctx, tx, d)
}

// releaseMessages makes what waits for a hook that sends messages due, once it is
// switched off or removed: it goes another way, and must not wait for its next
// attempt.
func (s *Service) releaseMessages(ctx context.Context, tx db.Tx, h Hook) error {
	return outbox.HastenLane(ctx, tx, h.Tenant.String(), TopicDelivery, h.ID.String(), s.Clock.Now())
}
