package issuing

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/outbox"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// The events about cards. What each adds to a [CardEvent] is named beside it.
const (
	EventCardCreated       = "card.created"        // CardCreated
	EventCardStatusChanged = "card.status-changed" // CardStatusChanged
	EventPolicyChanged     = "card.policy-changed" // PolicyChanged
	EventPhoneChanged      = "card.phone-changed"  // PhoneChanged
	EventCardRenewed       = "card.renewed"        // CardRenewalTold; about the new card
	EventCardReplaced      = "card.replaced"       // CardRenewalTold; about the new card
)

// CardEvent is what every event about a card tells of it, as it is after what
// happened. Its member names are the stored form: they are not changed, only
// added to; so are those of what stands in About.
type CardEvent struct {
	IssuanceNo  string
	CardToken   string
	MaskedNo    string
	Sequence    int
	CustomerNo  string // empty for a card without a customer
	ProductCode string
	Status      CardStatus
	About       json.RawMessage // what this kind of event adds; no card numbers, no secrets, nothing personal

	sealedPhone []byte // where the holder is told; not part of the event
}

// CardCreated is what the event of a new card adds.
type CardCreated struct {
	AccountNo        string
	ExternalCardID   string
	FormFactor       program.FormFactor
	Ownership        CardOwnership
	ParentIssuanceNo string // of a supplementary card
	Reason           StatusReason
	PINStatus        PINStatus
	ExpireYear       int
	ExpireMonth      int
	AutoRenewal      program.AutoRenewal
	SlipType         program.DigitalSlipType
	PersoStatus      PersoStatus            // of plastic
	DeliveryMethod   program.DeliveryMethod // of plastic
}

// CardStatusChanged is what the event of a change of status adds; the status
// it came into is the card's.
type CardStatusChanged struct {
	Previous    CardStatus
	Current     CardStatus
	Reason      StatusReason
	Description string
	Channel     string
	ChangedBy   string
}

// PolicyChanged is what the event of changed usage switches adds.
type PolicyChanged struct {
	Changed     []PolicyChange // those that have another position now; a switch with a start may have none yet
	Description string
	Channel     string
}

// PhoneChanged is what the event of another phone adds: both numbers masked,
// empty for none.
type PhoneChanged struct {
	Previous, Current string
}

// CardRenewalTold is what the event of a card that takes another one's place
// adds.
type CardRenewalTold struct {
	Status            CardStatus
	FormFactor        program.FormFactor
	PersoStatus       PersoStatus
	ExpireYear        int
	ExpireMonth       int
	PreviousCardToken string
	Reason            RenewalReason
}

// raiseCard writes an event about a card, in the transaction of what it tells
// of and after it, and queues what the card's holder is told. about is what the kind of event adds, nil for nothing.
// Events of one issuance are told in their order. at is the caller's business
// time; the event has real time.
func raiseCard(ctx context.Context, tx db.Tx, c access.Caller, name string, card id.ID[Card], at time.Time, about any) error {
	e, tenant, found, err := readCardEvent(ctx, tx, card)
	if err != nil || !found {
		return fmt.Errorf("read card of event %s: %w", name, db.Missing(err))
	}
	if about != nil {
		if e.About, err = json.Marshal(about); err != nil {
			return fmt.Errorf("encode event %s: %w", name, err)
		}
	}
	payload, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode event %s: %w", name, err)
	}
	if err := outbox.Add(ctx, tx, outbox.Event{
		Tenant: tenant.String(), Name: name, Key: e.IssuanceNo, Payload: payload, CorrelationID: c.CorrelationID, At: c.Real(at),
	}); err != nil {
		return err
	}
	return tellHolder(ctx, tx, tenant, e, name, card, c.Real(at), about)
}

// RaiseCard writes an event about a card that another package tells of, in the
// transaction of what it tells of. about must not name persons or secrets.
func RaiseCard(ctx context.Context, tx db.Tx, c access.Caller, name string, card id.ID[Card], at time.Time, about any) error {
	return raiseCard(ctx, tx, c, name, card, at, about)
}

// raiseStatus tells that a card came into another status.
func raiseStatus(ctx context.Context, tx db.Tx, c access.Caller, card id.ID[Card], from CardStatus, to StatusChange) error {
	return raiseCard(ctx, tx, c, EventCardStatusChanged, card, to.ChangedAt, CardStatusChanged{
		Previous: from, Current: to.Status, Reason: to.Reason, Description: to.Description, Channel: to.Channel, ChangedBy: to.ChangedBy,
	})
}

// raiseIssue tells of a new card.
func raiseIssue(ctx context.Context, tx db.Tx, c access.Caller, d draft) error {
	about := CardCreated{
		AccountNo: d.issuance.AccountNo, ExternalCardID: d.issuance.ExternalCardID, FormFactor: d.card.FormFactor,
		Ownership: d.issuance.Ownership(), ParentIssuanceNo: d.parent.No, Reason: d.card.Reason, PINStatus: d.card.PINStatus,
		ExpireYear: d.card.Expires.Year, ExpireMonth: int(d.card.Expires.Month),
		AutoRenewal: d.issuance.AutoRenewal, SlipType: d.issuance.DigitalSlipType,
	}
	if b := d.card.Physical; b != nil {
		about.PersoStatus, about.DeliveryMethod = b.PersoStatus, b.DeliveryMethod
	}
	return raiseCard(ctx, tx, c, EventCardCreated, d.card.ID, d.card.CreatedAt, about)
}
