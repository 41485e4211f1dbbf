package issuing

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/outbox"
)

// The events about noname cards. What each tells is named beside it.
const (
	EventCardsMade    = "card.bulk-created" // BatchEvent
	EventCardLinked   = "card.linked"       // CardEvent with CardHolder
	EventCardUnlinked = "card.unlinked"     // CardEvent with CardHolder
)

// BatchEvent is what is told of an order of noname cards that is done. Its
// member names are the stored form: they are not changed, only added to.
type BatchEvent struct {
	Batch       string // the UUID
	Reference   string
	ProductCode string
	Requested   int
	Created     int
	Failed      int
	Failure     fault.Code
	Status      BatchStatus
}

// CardHolder is what the events of linking and unlinking add: who the customer
// is, or was.
type CardHolder struct{ CustomerNo string }

// raiseBatch tells that the cards of a batch are made.
func raiseBatch(ctx context.Context, tx db.Tx, b NonameBatch, at clock.Real) error {
	payload, err := json.Marshal(BatchEvent{
		b.ID.UUID(), b.Reference, b.ProductCode, b.Requested, b.Created, b.Failed, b.Failure, b.Status,
	})
	if err != nil {
		return fmt.Errorf("encode event %s: %w", EventCardsMade, err)
	}
	return outbox.Add(ctx, tx, outbox.Event{
		Tenant: b.Tenant.String(), Name: EventCardsMade, Key: b.ID.UUID(), Payload: payload,
		CorrelationID: b.by.CorrelationID, At: at,
	})
}

// raiseHolder tells that a card got or lost its customer.
func raiseHolder(ctx context.Context, tx db.Tx, c access.Caller, name string, card id.ID[Card], at time.Time, customerNo string) error {
	return raiseCard(ctx, tx, c, name, card, at, CardHolder{customerNo})
}
