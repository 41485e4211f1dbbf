package authorization

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/outbox"
)

// The events about transactions. They are written only where somebody wants to
// hear of them, and none tells of a card that is not known.
const (
	EventAuthorized        = "transaction.authorized"
	EventDeclined          = "transaction.declined"
	EventReversed          = "transaction.reversed"
	EventVoided            = "transaction.voided"
	EventHoldExpired       = "transaction.hold-expired"
	EventCleared           = "transaction.cleared"
	EventClearingException = "transaction.clearing-exception"
	EventRefunded          = "transaction.refunded"
	EventRepresented       = "transaction.representment"
	EventDigitalSlip       = "transaction.digital-slip"
	EventControlAlert      = "authorization-control.alert"
)

// TransactionEvent is what every event about a transaction tells: the
// transaction as it is after what happened.
type TransactionEvent struct {
	Name        string
	Card        issuing.CardName
	Transaction Transaction
	// Held and HoldExpires are its hold; Held has no currency without one.
	Held        money.Amount
	HoldExpires time.Time
	// Original is what the transaction reverses, clears or refunds, as it is
	// after that; nil for none.
	Original *Transaction
	// Slip is the slip that was left out; nil for none.
	Slip *Slip
	// Record is the clearing record; nil where there is none.
	Record *ClearedRecord
	// Alert is the authorization control that alerts; nil for none.
	Alert *ControlFacts
	// Velocity is what is told of a limit; nil for none.
	Velocity *VelocityAlert
	// Decline is what is found out about a decline before the event is given on; nil
	// for none.
	Decline *Decline
}

// Decline is how a request came to be declined.
type Decline struct {
	On             Check // that refused it, without its parts
	Counterfactual *Counterfactual
}

// ClearedRecord is what an event tells of a clearing record.
type ClearedRecord struct {
	MatchStatus string // of the contract acquiring-clearing §5.1
	Rule        string // by which the authorization was found; empty for none
	Causes      []string
	ARN         string
	Amount      money.Amount
	BusinessOn  string
}

// payload is the stored form, in the form of decision records: its names are
// only added to.
func (e *TransactionEvent) payload() []byte {
	c := codec{out: make([]byte, 0, 2048)}
	e.visit(&c)
	return c.out
}

// ParseTransactionEvent reads what an event about a transaction tells.
func ParseTransactionEvent(payload []byte) (TransactionEvent, error) {
	c, err := newReader(string(payload))
	if err != nil {
		return TransactionEvent{}, fmt.Errorf("read event: %w", err)
	}
	var e TransactionEvent
	e.visit(c)
	if c.err != nil {
		return TransactionEvent{}, fmt.Errorf("read event: %w", c.err)
	}
	return e, nil
}

func (e *TransactionEvent) visit(c *codec) {
	visitName(c, &e.Card)
	e.Transaction.visit(c)
	c.amount("held", &e.Held)
	c.time("hold_expires", &e.HoldExpires)
	original, record := e.Original != nil, e.Record != nil
	if c.bool("original", &original); original {
		e.visitOriginal(c)
	}
	if c.bool("record", &record); record {
		e.visitRecord(c)
	}
	alert := e.Alert != nil
	if c.bool("alert", &alert); alert {
		if c.reading {
			e.Alert = &ControlFacts{}
		}
		e.Alert.visit(c, "alert.")
	}
	slip := e.Slip != nil
	if c.bool("slip", &slip); slip {
		if c.reading {
			e.Slip = &Slip{}
		}
		e.Slip.visit(c)
	}
	limit := e.Velocity != nil
	if c.bool("velocity", &limit); limit {
		if c.reading {
			e.Velocity = &VelocityAlert{}
		}
		e.Velocity.visit(c)
	}
	declined := e.Decline != nil
	if c.bool("decline", &declined); declined {
		e.visitDecline(c)
	}
}

func (e *TransactionEvent) visitDecline(c *codec) {
	if c.reading {
		e.Decline = &Decline{}
	}
	d := e.Decline
	on := Trace{d.On}.String()
	if visitText(c, "decline.on", &on); c.reading {
		trace, err := ParseTrace(on)
		if c.fail("decline.on", err); len(trace) == 1 {
			d.On = trace[0]
		}
	}
	told := d.Counterfactual != nil
	if c.bool("counterfactual", &told); told {
		if c.reading {
			d.Counterfactual = &Counterfactual{}
		}
		d.Counterfactual.visit(c)
	}
}

func visitName(c *codec, n *issuing.CardName) {
	visitID(c, "name.card", &n.Card)
	visitText(c, "name.token", &n.Token)
	visitText(c, "name.masked", &n.MaskedNo)
	c.count("name.sequence", &n.Sequence)
	visitText(c, "name.issuance_no", &n.IssuanceNo)
	visitText(c, "name.customer_no", &n.CustomerNo)
	visitText(c, "name.product", &n.ProductCode)
	visitText(c, "name.account_no", &n.AccountNo)
	visitText(c, "name.external_card", &n.ExternalCardID)
}

func (e *TransactionEvent) visitOriginal(c *codec) {
	if c.reading {
		e.Original = &Transaction{}
	}
	o := e.Original
	visitID(c, "original.id", &o.ID)
	visitText(c, "original.flow", &o.Flow)
	visitText(c, "original.status", &o.Status)
	c.amount("original.billing", &o.Billing)
	c.amount("original.reversed", &o.Reversed)
	c.amount("original.cleared", &o.Cleared)
	c.amount("original.refunded", &o.Refunded)
	c.time("original.created_at", &o.CreatedAt)
}

func (e *TransactionEvent) visitRecord(c *codec) {
	if c.reading {
		e.Record = &ClearedRecord{}
	}
	r := e.Record
	visitText(c, "record.status", &r.MatchStatus)
	visitText(c, "record.rule", &r.Rule)
	causes := strings.Join(r.Causes, " ")
	visitText(c, "record.causes", &causes)
	r.Causes = strings.Fields(causes)
	visitText(c, "record.arn", &r.ARN)
	c.amount("record.amount", &r.Amount)
	visitText(c, "record.business_on", &r.BusinessOn)
}

// visit lists the members that events tell; those of Message are named as in a
// decision record.
func (t *Transaction) visit(c *codec) {
	visitID(c, "id", &t.ID)
	visitID(c, "tenant", &t.Tenant)
	visitID(c, "root", &t.Root)
	visitID(c, "reference", &t.Original)
	visitText(c, "flow", &t.Flow)
	visitText(c, "code", &t.Code)
	visitText(c, "status", &t.Status)
	visitText(c, "reason", &t.Reason)
	visitText(c, "response_code", &t.ResponseCode)
	visitText(c, "authorization_code", &t.AuthorizationCode)
	visitID(c, "card", &t.Card)
	visitID(c, "issuance", &t.Issuance)
	visitID(c, "account", &t.Account)
	visitID(c, "hold", &t.Hold)
	c.amount("amount", &t.Amount)
	c.amount("billing", &t.Billing)
	c.amount("reversed", &t.Reversed)
	c.amount("cleared", &t.Cleared)
	c.amount("refunded", &t.Refunded)
	c.bool("debit", &t.IsDebit)
	c.bool("advice", &t.IsAdvice)
	c.bool("force_post", &t.IsForcePost)
	t.Message.visit(c)
	visitText(c, "network_transaction_id", &t.NetworkTransactionID)
	visitText(c, "arn", &t.ARN)
	visitText(c, "card_network", &t.CardNetwork)
	visitText(c, "card_country", &t.CardCountry)
	visitText(c, "domain", &t.Domain)
	visitText(c, "terminal_type", &t.Terminal)
	visitText(c, "presence", &t.Presence)
	visitText(c, "cvm", &t.CVM)
	visitText(c, "result.pin", &t.PIN)
	visitText(c, "result.arqc", &t.ARQC)
	visitText(c, "result.cvv", &t.CVV)
	visitText(c, "result.cvv2", &t.CVV2)
	visitText(c, "declined_by", &t.DeclinedBy)
	visitText(c, "declined_subject", &t.DeclinedSubject)
	visitText(c, "declined_text", &t.DeclinedText)
	controls := strings.Join(t.MatchedControls, " ")
	visitText(c, "matched_controls", &controls)
	t.MatchedControls = strings.Fields(controls)
	visitText(c, "decided_by", &t.DecidedBy)
	visitText(c, "client_reference", &t.ClientReference)
	c.bool("has_balance", &t.HasBalance)
	c.amount("posted_after", &t.PostedAfter)
	c.amount("available_after", &t.AvailableAfter)
	c.date("business_on", &t.BusinessOn)
	c.time("created_at", &t.CreatedAt)
	c.time("updated_at", &t.UpdatedAt)
	additional := fee.AdditionalDocument(t.Additional)
	visitText(c, "additional_amounts", &additional)
	if c.reading {
		var err error
		t.Additional, err = fee.ParseAdditional(additional)
		c.fail("additional_amounts", err)
	}
}

// event is the row of e.
func (e *TransactionEvent) event(at clock.Real) outbox.Event {
	return outbox.Event{
		Tenant: e.Transaction.Tenant.String(), Name: e.Name, Key: e.Card.IssuanceNo, Payload: e.payload(), At: at,
	}
}

// Listed is the transaction as lists show it, without the rest of its life
// cycle.
func (e *TransactionEvent) Listed() ListedTransaction {
	t := ListedTransaction{Transaction: e.Transaction, Slip: e.Slip}
	if !e.Held.Currency().IsZero() {
		t.HasHold, t.Held = true, ledger.NewHold(e.Transaction.Hold, e.Transaction.Tenant, e.Transaction.Account, e.Held, e.HoldExpires)
	}
	return t
}

// Raise writes the events that somebody wants to hear of, in the transaction of
// what they tell of and after it. It names the cards of those that do not; an
// event about a card that does not exist is left out.
func Raise(ctx context.Context, tx db.Tx, events []TransactionEvent, at clock.Real) error {
	wanted, err := wantedBy(ctx, tx, events)
	if err != nil || len(wanted) == 0 {
		return err
	}
	cards := map[access.TenantID][]id.ID[issuing.Card]{}
	for _, e := range wanted {
		if t := &e.Transaction; e.Card.Token == "" && !slices.Contains(cards[t.Tenant], t.Card) {
			cards[t.Tenant] = append(cards[t.Tenant], t.Card)
		}
	}
	names := map[id.ID[issuing.Card]]issuing.CardName{}
	for tenant, some := range cards {
		found, err := issuing.ReadCardNames(ctx, tx, tenant, some)
		if err != nil {
			return fmt.Errorf("name cards of events: %w", err)
		}
		for card, name := range found {
			names[card] = name
		}
	}
	var rows []outbox.Event
	for i := range wanted {
		e := &wanted[i]
		if e.Card.Token == "" {
			e.Card = names[e.Transaction.Card]
		}
		if e.Card.Token != "" {
			rows = append(rows, e.event(at))
		}
	}
	return outbox.Add(ctx, tx, rows...)
}

// wantedBy leaves of events those that somebody wants to hear of.
func wantedBy(ctx context.Context, tx db.Tx, events []TransactionEvent) ([]TransactionEvent, error) {
	var tenants []string
	for _, e := range events {
		tenants = append(tenants, e.Transaction.Tenant.String())
	}
	slices.Sort(tenants)
	interests, err := outbox.Interests(ctx, tx, slices.Compact(tenants))
	if err != nil || len(interests) == 0 {
		return nil, err
	}
	var wanted []TransactionEvent
	for _, e := range events {
		if interests[e.Transaction.Tenant.String()].Wants(e.Name) {
			wanted = append(wanted, e)
		}
	}
	return wanted, nil
}

// listen reads who wants to hear of what the operations may become: one query
// for the whole group.
func (w *work) listen(ctx context.Context, tx db.Tx, ops []*operation) (err error) {
	var tenants []string
	for _, op := range ops {
		if tenant := op.facts.Tenant.String(); op.facts.Card.Found && !slices.Contains(tenants, tenant) {
			tenants = append(tenants, tenant)
		}
	}
	w.interests, err = outbox.Interests(ctx, tx, tenants)
	return err
}

// tell keeps the events of an operation for writing, and its slip: with what it
// left, which the next one may change.
func (w *work) tell(op *operation, d Decision, t *Transaction) {
	slip := w.keepSlip(op, d, t)
	if !op.facts.Card.Found {
		return
	}
	for i := range d.Alerts {
		w.tellHolder(op, &d.Alerts[i], t)
	}
	if len(w.interests) == 0 {
		return
	}
	interest := w.interests[t.Tenant.String()]
	event := func(name string) TransactionEvent {
		e := TransactionEvent{Name: name, Card: op.facts.name, Transaction: *t, Original: w.transactions[t.Original]}
		if h, ok := w.book.Hold(t.Hold); ok && !t.Hold.IsZero() {
			e.Held, e.HoldExpires = h.Total(), h.ExpiresAt
		}
		return e
	}
	for _, name := range eventsOf(op.req, d, t) {
		if interest.Wants(name) {
			e := event(name)
			e.Slip = slip
			w.raise(e)
		}
	}
	for i := range d.Alerts {
		if d.Alerts[i].alertsBy(control.AlertByWebhook) && interest.Wants(EventControlAlert) {
			e := event(EventControlAlert)
			e.Alert = &d.Alerts[i]
			w.raise(e)
		}
	}
}

// raise keeps an event for writing.
func (w *work) raise(e TransactionEvent) {
	if e.Card.Token == "" {
		w.unnamed = append(w.unnamed, e) // its facts are read back, and hold no names
		return
	}
	w.events = append(w.events, e.event(w.now))
}

// writeTold writes slips and events.
func (w *work) writeTold(ctx context.Context, tx db.Tx) error {
	for _, s := range w.slips {
		if s.MaskedNo != "" {
			continue
		}
		t := w.transactions[s.Transaction]
		names, err := issuing.ReadCardNames(ctx, tx, t.Tenant, []id.ID[issuing.Card]{t.Card})
		if err != nil {
			return fmt.Errorf("name card of slip: %w", err)
		}
		s.MaskedNo = names[t.Card].MaskedNo
	}
	if err := insertSlips(ctx, tx, w.slips); err != nil {
		return fmt.Errorf("insert slips: %w", err)
	}
	if err := Raise(ctx, tx, w.unnamed, w.now); err != nil {
		return err
	}
	if err := w.writeNotices(ctx, tx); err != nil {
		return err
	}
	if err := outbox.Add(ctx, tx, w.events...); err != nil {
		return err
	}
	return RaiseFees(ctx, tx, w.feesTold, w.now)
}

// eventsOf names what a decision is an event of. A reversal that undoes nothing
// is none.
func eventsOf(req *Request, d Decision, t *Transaction) []string {
	switch {
	case req.Flow.IsReversal():
		if t.Original.IsZero() || d.Approved.IsZero() || t.Status == StatusDeclined || t.Status == StatusFailed {
			return nil
		}
		if d.OriginalStatus == StatusVoided {
			return []string{EventVoided}
		}
		return []string{EventReversed}
	case t.Status == StatusDeclined || t.Status == StatusFailed:
		return []string{EventDeclined}
	case t.Code == RefundCode && !t.IsDebit && d.Post.Sign() > 0:
		return []string{EventAuthorized, EventRefunded}
	}
	if d.Slip == DigitalSlip {
		return []string{EventAuthorized, EventDigitalSlip}
	}
	return []string{EventAuthorized}
}
