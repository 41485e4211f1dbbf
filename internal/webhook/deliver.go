package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/outbound"
	"github.com/sarraf-platform/sarraf/internal/outbox"
)

// What makes a hook disabled: so many failures in a row, over so long.
const (
	failuresMax = 100
	failingMin  = time.Hour
)

// Content is what an encoder makes of an event.
type Content struct {
	CustomerNo string
	IssuanceNo string
	CardToken  string
	// What filters look at; empty where an event has none.
	ProductCode     string
	Network         string
	TransactionCode string
	// Bare says that Data is the whole body for hooks that ask for events of its
	// kind alone: those of a family whose contract knows no envelope.
	Bare bool
	Data json.RawMessage // tokens and references; no card numbers, no secrets
}

// envelope is the body of a request (contract/platform.md §14.3). Sequence
// numbers the events of one card, or of one customer, without gaps.
type envelope struct {
	EventID       string          `json:"eventId"`
	EventType     string          `json:"eventType"`
	EventVersion  int             `json:"eventVersion"`
	TenantID      string          `json:"tenantId"`
	OccurredAt    time.Time       `json:"occurredAt"`
	CorrelationID string          `json:"correlationId,omitempty"`
	Sequence      int64           `json:"sequence"`
	OutOfOrder    bool            `json:"outOfOrder,omitempty"`
	CustomerNo    string          `json:"customerNo,omitempty"`
	IssuanceNo    string          `json:"issuanceNo,omitempty"`
	CardToken     string          `json:"cardToken,omitempty"`
	Data          json.RawMessage `json:"data"`
}

func newEnvelope(m outbox.Message, tenant access.TenantID, c Content) envelope {
	return envelope{
		EventID: m.EventID.UUID(), EventType: m.Name, EventVersion: 1, TenantID: tenant.UUID(), OccurredAt: m.OccurredAt,
		CorrelationID: m.CorrelationID, Sequence: m.Sequence, OutOfOrder: m.OutOfOrder, CustomerNo: c.CustomerNo, IssuanceNo: c.IssuanceNo,
		CardToken: c.CardToken, Data: c.Data,
	}
}

// publish gives events of one tenant to each active hook that wants them, and
// facts to one that is switched off, too, where no active one takes them.
func (s *Service) publish(ctx context.Context, tx db.Tx, events []outbox.Message) error {
	tenant, err := id.Parse[access.Tenant](events[0].Tenant)
	if err != nil {
		return fmt.Errorf("tenant of event: %w", err)
	}
	hooks, err := readHooks(ctx, tx, tenant)
	if err != nil {
		return fmt.Errorf("read webhooks: %w", err)
	}
	var all []outbox.Message
	for _, m := range events {
		if m.Name == authorization.EventClientMessage {
			fact, found, err := s.fact(m, tenant, hooks)
			if err != nil {
				return err
			}
			if found {
				all = append(all, fact)
			}
			continue
		}
		var content Content
		var body []byte
		for _, h := range hooks {
			if h.Type != TypeEvent || !h.IsActive || !h.Wants(m.Name) {
				continue
			}
			if body == nil {
				if content, err = s.Encoder.EncodeEvent(m); err != nil {
					return fmt.Errorf("encode event %s: %w", m.Name, err)
				}
				if body, err = json.Marshal(newEnvelope(m, tenant, content)); err != nil {
					return fmt.Errorf("encode event %s: %w", m.Name, err)
				}
			}
			if !h.Filter.Admits(content.ProductCode, content.Network, content.TransactionCode) {
				continue
			}
			d := m
			body := body
			if content.Bare && h.wantsOnly(m.Name) {
				body = content.Data
			}
			d.Topic, d.Lane, d.Payload, d.RetriesMax = TopicDelivery, h.ID.String(), body, h.RetriesMax
			all = append(all, d)
		}
	}
	return outbox.PutAll(ctx, tx, all, s.Clock.Now())
}

// listen says which events of a tenant its hooks want from tx on. A change of a
// hook ends with it.
func (s *Service) listen(ctx context.Context, tx db.Tx, tenant access.TenantID) error {
	return outbox.ChangeInterest(ctx, tx, tenant.String(), func() (outbox.Interest, error) {
		hooks, err := readHooks(ctx, tx, tenant)
		if err != nil {
			return nil, fmt.Errorf("read webhooks: %w", err)
		}
		var wanted outbox.Interest
		for _, h := range hooks {
			if h.IsActive {
				wanted = append(wanted, h.EventTypes...)
			}
		}
		return wanted, nil
	})
}

// Why a message was not sent to its hook at all.
const (
	hookGone     = "the webhook is gone"
	hookInactive = "the webhook is not active"
)

// deliver sends one message to its hook.
func (s *Service) deliver(ctx context.Context, m outbox.Message) outbox.Outcome {
	// A request that has begun is finished, within its own time-out, also when
	// the program is about to end: otherwise the receiver would get it twice.
	ctx = context.WithoutCancel(ctx)
	h, sandbox, err := s.receiver(ctx, m)
	if err != nil {
		return s.broken(m, err)
	}
	switch {
	case h.ID.IsZero():
		return outbox.Outcome{Hopeless: true, Text: hookGone}
	case m.Name == Ping:
	case !h.IsActive && m.Name == authorization.EventClientMessage:
		return outbox.Outcome{Text: "the webhook is not active: it waits"} // a fact is not lost to a switch
	case !h.IsActive:
		return outbox.Outcome{Hopeless: true, Text: hookInactive}
	case h.IsDisabled:
		return outbox.Outcome{Hopeless: true, Text: "the webhook is disabled after too many failures"}
	}
	o, err := s.send(ctx, h, sandbox, m)
	if err != nil {
		return s.broken(m, err)
	}
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		if o.Delivered {
			return noteSuccess(ctx, tx, h, s.Clock.Now())
		}
		disabled, err := noteFailure(ctx, tx, h, s.Clock.Now())
		if disabled && !h.IsDisabled {
			s.Log.Warn("webhook disabled after too many failures", "tenant", h.Tenant.String(), "webhook", h.ID.String())
		}
		return err
	})
	if err != nil {
		s.Log.Error("note what became of a delivery", "webhook", h.ID.String(), "error", err)
	}
	return o
}

// broken is the outcome of a mistake on our side, which is not the receiver's
// failure.
func (s *Service) broken(m outbox.Message, err error) outbox.Outcome {
	s.Log.Error("deliver event", "delivery", m.ID.String(), "error", err)
	return outbox.Outcome{Text: "not sent: something went wrong on our side"}
}

// receiver returns the hook of a message, zero when there is none any more.
func (s *Service) receiver(ctx context.Context, m outbox.Message) (h Hook, sandbox bool, err error) {
	hook, err := id.Parse[Hook](m.Lane)
	if err != nil {
		return Hook{}, false, fmt.Errorf("lane: %w", err)
	}
	tenant, err := id.Parse[access.Tenant](m.Tenant)
	if err != nil {
		return Hook{}, false, fmt.Errorf("tenant: %w", err)
	}
	err = s.DB.View(ctx, func(tx db.Tx) error {
		t, _, err := access.ReadTenant(ctx, tx, tenant)
		if err != nil {
			return fmt.Errorf("read tenant: %w", err)
		}
		sandbox = t.Environment == access.Sandbox
		h, _, err = readHook(ctx, tx, tenant, hook)
		return err
	})
	return h, sandbox, err
}

// bodyMax is how much of an answer is read.
const bodyMax = 64 << 10

func (s *Service) send(ctx context.Context, h Hook, sandbox bool, m outbox.Message) (outbox.Outcome, error) {
	keep, err := s.open(ctx, h)
	if err != nil {
		return outbox.Outcome{}, err
	}
	reach := s.reachFor(sandbox)
	if wrong := outbound.CheckURL(h.URL, reach); wrong != "" {
		return outbox.Outcome{Hopeless: true, Text: "not sent: the URL " + wrong}, nil
	}
	body, err := s.bodyOf(ctx, m)
	if err != nil {
		return outbox.Outcome{}, err
	}
	if m.OutOfOrder {
		if body, err = outOfOrder(body); err != nil {
			return outbox.Outcome{}, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, h.Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return outbox.Outcome{Hopeless: true, Text: "not sent: the URL is malformed"}, nil
	}
	r.Header.Set("X-WebHook-Delivery", m.ID.UUID())
	answer, err := s.post(r, recipient{hook: h, keep: keep, reach: reach}, m.EventID.UUID(), body)
	if err != nil {
		return outbox.Outcome{Text: reasonOf(err)}, nil
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, bodyMax))
	if err != nil && errors.Is(err, context.DeadlineExceeded) {
		return outbox.Outcome{Code: answer.StatusCode, Text: "no whole answer in time"}, nil
	}
	switch {
	case m.Name == authorization.EventClientMessage:
		return s.acknowledged(answer.StatusCode, text), nil
	case isMessage(m):
		return messageTaken(answer.StatusCode), nil
	}
	return outbox.Outcome{
		Delivered: answer.StatusCode >= 200 && answer.StatusCode < 300, Code: answer.StatusCode, Text: outbound.Excerpt(string(text)),
	}, nil
}

// outOfOrder is a body that says so, where it has an envelope.
func outOfOrder(body []byte) ([]byte, error) {
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, fmt.Errorf("read body: %w", err)
	}
	if e.EventID == "" {
		return body, nil
	}
	e.OutOfOrder = true
	body, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("write body: %w", err)
	}
	return body, nil
}

// recipient is a hook with what is sealed of it, opened.
type recipient struct {
	hook    Hook
	keep    confidential
	reach   outbound.Reach
	isAsked bool // somebody waits
}

// post sends r, whose body is body, with what the hook wants to see and the
// signatures of body.
func (s *Service) post(r *http.Request, to recipient, event string, body []byte) (*http.Response, error) {
	token, err := s.token(r.Context(), to.hook, to.keep, to.reach)
	if err != nil {
		return nil, err
	}
	client, err := s.client(to)
	if err != nil {
		return nil, err
	}
	to.keep.headers(r.Header, token)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", userAgent)
	now := s.Clock.Now()
	outbound.Sign(r.Header, to.keep.secrets(now), event, now, body)
	if to.hook.Type.IsAsked() {
		r.Header.Set("Idempotency-Key", event)
	}
	answer, err := client.Do(r)
	if err == nil && answer.StatusCode == http.StatusUnauthorized && token != "" {
		s.tokens.forget(to.hook) // the next attempt fetches another one
	}
	return answer, err
}

// isUnsent reports whether the receiver has certainly heard nothing.
func isUnsent(err error) bool { return errors.Is(err, errToken) || errors.Is(err, outbound.ErrAddress) }

// reasonOf says why there was no answer.
func reasonOf(err error) string {
	if errors.Is(err, errToken) {
		return "not sent: " + errToken.Error()
	}
	return outbound.Reason(err)
}
