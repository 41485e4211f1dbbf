package notification

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/outbox"
)

// Channel is a way to tell a customer.
type Channel string

// The channels.
const (
	SMS   Channel = "Sms"
	Email Channel = "Email"
)

// Status is how far a message is.
type Status string

// The statuses of a message.
const (
	Waiting Status = "Waiting"
	Sent    Status = "Sent"
	Dead    Status = "Dead"
	InInbox Status = "Inbox"
)

// Message is one text for one customer.
type Message struct {
	ID         id.ID[Message]
	Tenant     access.TenantID
	CustomerNo string
	CardToken  string
	// ProductCode is of the card, for hooks that are for some products only.
	ProductCode string
	Event       string
	Channel     Channel
	Recipient   string // masked
	IsPIN       bool
	pinOn       clock.Date // the day of the tenant's business on which a PIN was sent
	Status      Status
	CreatedAt   time.Time
	EndedAt     time.Time
	ResultCode  int
	ResultText  string

	// Content is there only while somebody must read it; see the package's
	// invariants.
	Content Content
	sealed  []byte
}

// IDPrefix is the prefix of message references.
func (Message) IDPrefix() string { return "ntf" }

// Content is what lies sealed of a message. Its member names are the stored
// form: they are not changed, only added to.
type Content struct {
	To      string
	Subject string
	Text    string
	JWE     string // of a PIN message, in the place of Text
	Inbox   []byte // of a PIN message of a sandbox, likewise: sealed by the HSM
}

const purposeContent = "notification"

func place(m Message) []byte {
	return []byte("1|" + m.Tenant.String() + "|notification|sealed|" + m.ID.String())
}

// InboxPlace is what the HSM seals the text of a sandbox's PIN message for.
func InboxPlace(tenant access.TenantID, message id.ID[Message]) []byte {
	return []byte("1|" + tenant.String() + "|notification|inbox|" + message.String())
}

func (s *Service) seal(ctx context.Context, m *Message) error {
	text, err := json.Marshal(m.Content)
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	if m.sealed, err = s.Sealer.Seal(ctx, m.Tenant.String(), purposeContent, text, place(*m)); err != nil {
		return fmt.Errorf("seal message: %w", err)
	}
	return nil
}

func (s *Service) open(ctx context.Context, m *Message) error {
	if len(m.sealed) == 0 {
		return nil
	}
	text, err := s.Sealer.Open(ctx, m.Tenant.String(), purposeContent, m.sealed, place(*m))
	if err != nil {
		return fmt.Errorf("open message %s: %w", m.ID, err)
	}
	if err := json.Unmarshal(text, &m.Content); err != nil {
		return fmt.Errorf("open message %s: %w", m.ID, err)
	}
	if len(m.Content.Inbox) > 0 {
		shown, err := s.Sealer.Open(ctx, m.Tenant.String(), hsm.InboxPurpose, m.Content.Inbox, InboxPlace(m.Tenant, m.ID))
		if err != nil {
			return fmt.Errorf("open message %s: %w", m.ID, err)
		}
		m.Content.Text = string(shown)
	}
	return nil
}

// send writes a message in tx: into the inbox of a sandbox, for the tenant's own
// hook, or for the gateway of its channel. With none of them there is nobody to
// give it to, and it is not written.
func (s *Service) send(ctx context.Context, tx db.Tx, m Message, sandbox bool, correlation string) error {
	m.Recipient, m.Status = MaskPhone(m.Content.To), Waiting
	if m.Channel == Email {
		m.Recipient = maskEmail(m.Content.To)
	}
	if sandbox {
		m.Status, m.EndedAt = InInbox, m.CreatedAt
	}
	queued, err := s.queue(ctx, tx, m, correlation, m.CreatedAt)
	if err != nil || !queued && !sandbox {
		return err
	}
	if err := s.seal(ctx, &m); err != nil {
		return err
	}
	if err := insertMessage(ctx, tx, m); err != nil {
		return fmt.Errorf("write message of %s: %w", m.Event, err)
	}
	return nil
}

// queue gives a message on, in tx: to the hook by which the tenant sends such
// messages itself, else to the gateway of its channel; false means that there is
// neither. A PIN goes to no hook, because only the gateway has a key for it, and
// nothing of a sandbox goes to a gateway.
func (s *Service) queue(ctx context.Context, tx db.Tx, m Message, correlation string, now time.Time) (bool, error) {
	if s.Hooks != nil && !m.IsPIN {
		if taken, err := s.Hooks.TakeMessage(ctx, tx, m, correlation); err != nil || taken {
			return taken, err
		}
	}
	if m.Status == InInbox || s.gateway(m.Channel) == nil {
		return false, nil
	}
	retries := messageRetries
	if m.IsPIN {
		retries = pinRetries
	}
	return true, outbox.Put(ctx, tx, outbox.Message{
		Tenant: m.Tenant.String(), Topic: TopicMessage, Lane: lane(m), Name: m.Event, Key: m.ID.String(),
		Payload: []byte(m.ID.String()), CorrelationID: correlation, OccurredAt: m.CreatedAt, RetriesMax: retries,
	}, now)
}

// PINMessage is a PIN for its cardholder, as the HSM has made it: JWE for the
// gateway, or Inbox for a sandbox.
type PINMessage struct {
	ID         id.ID[Message]
	CustomerNo string
	CardToken  string
	Phone      string
	On         clock.Date // the day of the tenant's business
	JWE        string
	Inbox      []byte
}

// SendPIN queues a PIN message in tx.
func (s *Service) SendPIN(ctx context.Context, tx db.Tx, c access.Caller, p PINMessage, now clock.Real) error {
	return s.send(ctx, tx, Message{
		ID: p.ID, Tenant: c.Tenant, CustomerNo: p.CustomerNo, CardToken: p.CardToken, Event: PINSent, Channel: SMS, IsPIN: true, pinOn: p.On,
		CreatedAt: now.Time(), Content: Content{To: p.Phone, JWE: p.JWE, Inbox: p.Inbox},
	}, c.Sandbox, c.CorrelationID)
}

// TellNow queues in tx what must not wait in a notice, where its values would lie in
// clear: by SMS, or by e-mail to who has no phone. Who has neither is not told.
func (s *Service) TellNow(ctx context.Context, tx db.Tx, c access.Caller, event string, to Recipient, values map[string]string, now clock.Real) error {
	m := Message{
		ID: id.New[Message](now.Time()), Tenant: c.Tenant, CustomerNo: to.CustomerNo, Event: event, Channel: SMS, CreatedAt: now.Time(),
		Content: Content{To: to.Phone, Text: Text(event, to, values)},
	}
	if to.Phone == "" {
		m.Channel, m.Content.To, m.Content.Subject = Email, to.Email, subject(to.Language)
	}
	if m.Content.To == "" {
		return nil
	}
	return s.send(ctx, tx, m, c.Sandbox, c.CorrelationID)
}

// MaskPhone shows the ends of a phone number.
func MaskPhone(e164 string) string {
	if len(e164) < 8 {
		return strings.Repeat("*", len(e164))
	}
	return e164[:3] + strings.Repeat("*", len(e164)-6) + e164[len(e164)-3:]
}

func maskEmail(address string) string {
	name, host, _ := strings.Cut(address, "@")
	if name == "" {
		return ""
	}
	_, first := utf8.DecodeRuneInString(name) // a letter may be several bytes
	return name[:first] + "***@" + host
}
