package notification

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/outbox"
)

// The events customers are told of. Their names are those of the events that
// systems are told of.
const (
	CardCreated       = "card.created"
	CardStatusChanged = "card.status-changed"
	CardPhoneChanged  = "card.phone-changed" // told to the number that was
	PINChanged        = "card.pin-changed"
	PINBlocked        = "card.pin-blocked"
	PINUnblocked      = "card.pin-unblocked"
	PINSent           = "card.pin-sent"               // the PIN itself
	ControlAlert      = "authorization-control.alert" // an authorization control has acted
	FeeUpcoming       = "fee.upcoming"                // an annual fee is about to be charged
	SignInCode        = "customer.sign-in-code"       // the one-time password of a sign-in; no system is told
)

// Events lists what customers are told of.
func Events() []string {
	return []string{CardCreated, CardStatusChanged, CardPhoneChanged, PINChanged, PINBlocked, PINUnblocked, PINSent, ControlAlert, FeeUpcoming, SignInCode}
}

// IsSecurity reports whether an event is told against a customer's wish, too:
// whoever misuses a card or a phone must not be able to do it in silence.
func IsSecurity(event string) bool {
	return event != CardCreated && event != ControlAlert && event != FeeUpcoming
}

// Notice says that customers are to be told of something. Its member names are
// the stored form: they are not changed, only added to.
type Notice struct {
	Event string
	// Card is the id of the card it is about.
	Card string
	// Values fill the places of the text, besides those the recipient brings.
	Values map[string]string
	// Phone is the number to tell, sealed as its owner keeps it: a number that is
	// changed a moment later must not be told what happened before. Nil is the
	// recipient's own.
	Phone []byte
	// PhoneOnly says that nothing but Phone is told.
	PhoneOnly bool
	// Channels are the only ones by which it is told; none is all of them.
	Channels []Channel
}

// Tell queues a notice in tx. key orders those of one card.
func Tell(ctx context.Context, tx db.Tx, tenant access.TenantID, key string, n Notice, now clock.Real) error {
	payload, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("encode notice of %s: %w", n.Event, err)
	}
	return outbox.Put(ctx, tx, outbox.Message{
		Tenant: tenant.String(), Topic: TopicNotice, Lane: tenant.String(), Name: n.Event, Key: key, Payload: payload,
		OccurredAt: now.Time(), RetriesMax: noticeRetries,
	}, now.Time())
}

// Tells reports whether customers are told of an event wherever it is raised. A
// PIN is sent only when somebody asks for it, a one-time password too, of another phone the number that
// was is told, and of a control only what it says.
func Tells(event string) bool {
	return event != PINSent && event != CardPhoneChanged && event != ControlAlert && event != SignInCode && slices.Contains(Events(), event)
}

// Recipient is who is told, how, and in which words.
type Recipient struct {
	CustomerNo  string
	CardToken   string
	ProductCode string
	Language    string // tr or en
	Phone       string // E.164; empty: none
	Email       string // empty: none
	WantsSMS    bool
	WantsEmail  bool
	Values      map[string]string // for the places of texts: no card numbers beyond the last four
	Templates   map[string]string // the tenant's own texts, see [Text]
}
