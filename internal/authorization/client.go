package authorization

import (
	"fmt"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/outbox"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// DecidedBy is who made a decision (contract §9.1).
type DecidedBy string

// Those who decide.
const (
	ByPlatform DecidedBy = "Platform"
	ByClient   DecidedBy = "Client"  // the tenant's own system
	ByStandIn  DecidedBy = "StandIn" // we, because the tenant's system gave no answer
	ByNetwork  DecidedBy = "Network" // it reports what was decided elsewhere
)

// ClientFacts are how a tenant that owns its balances is asked (contract §3.3,
// §14.6). All of it is zero where our ledger has the balance.
type ClientFacts struct {
	Mode program.BalanceMode // External or Hybrid
	// AskUntil is how long an answer is waited for: the tenant's own limit, and
	// not longer than the network waits for ours. It is real time.
	AskUntil time.Time
	// StandsIn says that we may approve in the client's place, up to PerTransaction
	// and PerDay of one account; Hybrid tenants have the shadow balance instead.
	StandsIn               bool
	PerTransaction, PerDay money.Amount
	// Names is what the client calls the card.
	Names issuing.CardName
}

// Owns reports whether the client owns the balance.
func (c ClientFacts) Owns() bool { return c.Mode != "" }

// clientFacts are those of a request about a card of this product.
func clientFacts(cfg *program.Configuration, product program.Product, card issuing.CardOnNetwork, req *Request, now clock.Real, within time.Duration) ClientFacts {
	a := cfg.Attributes
	if a.BalanceMode == program.BalanceInternal || a.BalanceMode == "" {
		return ClientFacts{}
	}
	wait := min(a.ClientTimeout, within)
	if !req.ReceivedAt.IsZero() {
		wait = min(wait, within-now.Time().Sub(req.ReceivedAt))
	}
	c := ClientFacts{Mode: a.BalanceMode, AskUntil: now.Time().Add(max(0, wait)), Names: card.Name()}
	p := a.StandIn
	if p.Action == program.StandInApproveUpTo && p.AmountPerTransaction != nil && p.AmountPerDay != nil &&
		p.AmountPerTransaction.Currency() == product.Currency && !slices.Contains(p.MCCExclusions, req.MCC) {
		c.StandsIn, c.PerTransaction, c.PerDay = true, *p.AmountPerTransaction, *p.AmountPerDay
	}
	return c
}

// Hearing is what became of a question to a client.
type Hearing string

// The hearings; empty is a question that waits for its answer.
const (
	Answered   Hearing = "Answered"
	Unanswered Hearing = "Unanswered" // it was sent, and no usable answer came in time
	Unasked    Hearing = "Unasked"    // it could not be sent
	Abandoned  Hearing = "Abandoned"  // whoever asked did not come back; the network was told nothing
)

// Verdict is what a client answered, or why it did not.
type Verdict struct {
	Hearing  Hearing
	Approved bool
	// ResponseCode is DE39 in the client's words; empty is the standard.
	ResponseCode string
	// ApprovedAmount is less than what was asked for, in the account's currency;
	// nil is all of it.
	ApprovedAmount *money.Amount
	// Reference is the client's own name of the transaction.
	Reference string
	// Available and Ledger are the balances after it, in the account's currency,
	// where the client told them.
	Available, Ledger *money.Amount
	// Detail says why there is no answer, in words without card data.
	Detail string
	// Message is what the client wants us to log. It is not kept.
	Message string

	// What is read under the lock when the question is concluded: what was
	// approved in the client's place for this account today; what the shadow
	// balance has to spare with this one held; and that what an increment adds to
	// came to its end meanwhile.
	StoodIn, Spare money.Amount
	IsLate         bool
}

func (c *ClientFacts) visit(d *codec) {
	if visitText(d, "client.mode", &c.Mode); !c.Owns() {
		return // of most requests there is nothing
	}
	d.time("client.ask_until", &c.AskUntil)
	d.bool("client.stands_in", &c.StandsIn)
	d.amount("client.per_transaction", &c.PerTransaction)
	d.amount("client.per_day", &c.PerDay)
	visitName(d, &c.Names)
}

func (v *Verdict) visit(d *codec) {
	if visitText(d, "verdict.hearing", &v.Hearing); v.Hearing == "" {
		return
	}
	d.bool("verdict.approved", &v.Approved)
	visitText(d, "verdict.response_code", &v.ResponseCode)
	d.optionalAmount("verdict.approved_amount", &v.ApprovedAmount)
	visitText(d, "verdict.reference", &v.Reference)
	d.optionalAmount("verdict.available", &v.Available)
	d.optionalAmount("verdict.ledger", &v.Ledger)
	visitText(d, "verdict.detail", &v.Detail)
	d.amount("verdict.stood_in", &v.StoodIn)
	d.amount("verdict.spare", &v.Spare)
	d.bool("verdict.late", &v.IsLate)
}

// MessageType is what a message to a client is about (contract §14.6).
type MessageType string

// The types. The first four are questions; the others tell what has happened.
const (
	FeeDebitMessage       MessageType = "FeeDebit" // for a card, outside of payments
	AuthorizationMessage  MessageType = "Authorization"
	FinancialMessage      MessageType = "Financial"
	BalanceInquiryMessage MessageType = "BalanceInquiry"
	AdviceMessage         MessageType = "Advice"
	ReversalMessage       MessageType = "Reversal"
	ClearingMessage       MessageType = "Clearing"
	RefundMessage         MessageType = "Refund"
)

// EventClientMessage is the name under which a client is asked and told. The
// payload is a ClientMessage; see ParseClientMessage.
const EventClientMessage = "authorization.request"

// ClientMessage is what a client that owns its balances is asked or told. Its
// transaction and type together name it, also when it comes twice.
type ClientMessage struct {
	Type        MessageType
	Names       issuing.CardName
	Transaction Transaction
	// MayApprovePartially says that less than all may be approved.
	MayApprovePartially bool
}

// String is the stored form.
func (m *ClientMessage) String() string {
	c := codec{out: make([]byte, 0, 1024)}
	m.visit(&c)
	return string(c.out)
}

// ParseClientMessage reads the stored form.
func ParseClientMessage(payload []byte) (*ClientMessage, error) {
	c, err := newReader(string(payload))
	if err != nil {
		return nil, fmt.Errorf("message to a client: %w", err)
	}
	m := &ClientMessage{}
	m.visit(c)
	return m, c.err
}

func (m *ClientMessage) visit(c *codec) {
	visitText(c, "message.type", &m.Type)
	c.bool("message.may_approve_partially", &m.MayApprovePartially)
	visitName(c, &m.Names)
	m.Transaction.visit(c)
}

// undo makes of a question the message that undoes what it asked for.
func (m *ClientMessage) undo() {
	t := &m.Transaction
	m.Type, t.Original, t.IsDebit = ReversalMessage, t.ID, !t.IsDebit
}

// event is the message as the outbox takes it. Those of one card are told in
// their order, apart from what else is told of it.
func (m *ClientMessage) event(at clock.Real) outbox.Event {
	return outbox.Event{
		Tenant: m.Transaction.Tenant.String(), Name: EventClientMessage, Key: "client:" + m.Names.IssuanceNo,
		Payload: []byte(m.String()), CorrelationID: m.Transaction.ID.UUID(), At: at,
	}
}

// MessageID names one message to a client; it is its idempotency key.
type MessageID = id.ID[outbox.Event]
