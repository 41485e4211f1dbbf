package clearing

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/ledger"
)

// Cause says why a person must look at a record (contract acquiring-clearing
// §5.1).
type Cause string

// The causes.
const (
	DuplicateRecord    Cause = "DUPLICATE"
	UnknownCard        Cause = "UNKNOWN_CARD"
	NotBillable        Cause = "NOT_BILLABLE"         // no amount in the account's currency
	BalanceTooLarge    Cause = "BALANCE_OUT_OF_RANGE" // beyond 10^15 minor units after it
	CardLost           Cause = "CARD_LOST"
	CardStolen         Cause = "CARD_STOLEN"
	CardFraud          Cause = "CARD_FRAUD"
	OverCleared        Cause = "OVER_CLEARED"
	Late               Cause = "LATE_PRESENTMENT"
	Forced             Cause = "FORCE_POST"
	ReversedAndCleared Cause = "REVERSED_AND_CLEARED"
	DeclinedAndCleared Cause = "DECLINED_AND_CLEARED"
	ConfirmedOtherwise Cause = "CONFIRMED_OTHERWISE" // a single-message item is presented with another amount
	Represented        Cause = "REPRESENTED"         // presented again, and disputes are not kept yet
	RefundAlone        Cause = "REFUND_UNMATCHED"
	RefundTooHigh      Cause = "REFUND_EXCEEDS"
	ReversalAlone      Cause = "REVERSAL_UNMATCHED" // takes back what was never posted, or another amount
)

// ExceptionStatus is how far an exception is looked into.
type ExceptionStatus string

// The statuses.
const (
	Open     ExceptionStatus = "Open"
	Assigned ExceptionStatus = "Assigned"
	Resolved ExceptionStatus = "Resolved"
	Closed   ExceptionStatus = "Closed"
)

// Exception is a clearing record that a person must look at.
type Exception struct {
	ID     id.ID[Exception]
	Tenant access.TenantID
	File   FileID
	// FileName is what the network calls the file.
	FileName string
	Line     int
	Cause    Cause
	// Transaction is what the record became; zero when it is on no account.
	Transaction authorization.TransactionID
	// Account is the account of the record's card; zero when the card is unknown.
	Account   ledger.AccountID
	Status    ExceptionStatus
	CreatedAt time.Time
}

// IDPrefix implements id.Entity.
func (Exception) IDPrefix() string { return "cex" }

// Exceptions returns a page of the exceptions of the caller's tenant that are
// not closed, oldest first, and how many there are; the count stops at 10,001.
func (s *Service) Exceptions(ctx context.Context, c access.Caller, skip, take int) (page []Exception, total int, err error) {
	err = s.db.View(ctx, func(tx db.Tx) error {
		page, total, err = openExceptions(ctx, tx, c.Tenant, skip, take)
		return err
	})
	return page, total, err
}
