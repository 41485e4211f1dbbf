package authorization

import (
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Representment is a presentment that comes again after a chargeback.
const Representment Flow = "Representment"

// IsPosted reports whether the transaction's own message moved the money
// (contract Appendix A, "single message"): its clearing record only confirms
// it. It stays true when the money was moved back or refunded later.
func (t *Transaction) IsPosted() bool {
	if t.Flow != FinancialRequest && t.Flow != FinancialAdvice || !t.Hold.IsZero() {
		return false
	}
	switch t.Status {
	case StatusCleared, StatusPartiallyReversed, StatusReversed, StatusPartiallyRefunded, StatusRefunded:
		return true
	}
	return false
}

// Trait is what a clearing record says that an authorization may be found by.
// Empty text finds nothing.
type Trait struct {
	// Ref is the asker's name of the record, given back with what is found.
	Ref    int
	Tenant access.TenantID
	// Issuance is that of the Card.
	Issuance id.ID[issuing.Issuance]
	Card     id.ID[issuing.Card]
	Since    time.Time // nothing older is found

	NetworkTransactionID, AuthorizationCode, RRN, STAN string
	Amount                                             money.Amount // in the transaction's currency
}

// EntryKey is the idempotency key of the ledger entry of a transaction whose
// own message moved the money.
func EntryKey(t TransactionID) string { return "transaction:" + t.String() }
