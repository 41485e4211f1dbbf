package credit

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/outbox"
)

// The events about credit accounts.
const (
	EventOpened          = "credit-account.opened"
	EventLimitChanged    = "credit-account.limit-changed"
	EventStatementReady  = "credit-account.statement-ready"
	EventStandingChanged = "credit-account.delinquency-changed"
)

// Event is what an event about a credit account tells. Its member names are the
// stored form. Amounts are decimals.
type Event struct {
	AccountNo, CustomerNo, ProductCode string
	Currency                           string
	Limit, PreviousLimit               string
	StatementNo, StatementDate         string
	DueDate, TotalDebt, MinimumPayment string
	Standing, PreviousStanding         Standing
}

// raise writes an event about the account.
func (a Account) raise(ctx context.Context, tx db.Tx, c access.Caller, name string, at time.Time, e Event) error {
	e.AccountNo, e.CustomerNo, e.ProductCode, e.Currency = a.Number, a.CustomerNo, a.ProductCode, a.Currency.Code()
	payload, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	return outbox.Add(ctx, tx, outbox.Event{
		Tenant: a.Tenant.String(), Name: name, Key: a.CustomerNo, Payload: payload, CorrelationID: c.CorrelationID, At: c.Real(at),
	})
}

// act begins the record of an act on the account.
func (a Account) act(c access.Caller, at time.Time, action string) audit.Act {
	act := c.Act(c.Real(at), audit.CreditStream, action)
	act.EntityType, act.EntityKey, act.ProductCode = "CreditAccount", a.Number, a.ProductCode
	return act
}
