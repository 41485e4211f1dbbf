package wallet

import (
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// TransactionKind is what kind of movement a transaction is.
type TransactionKind string

// The kinds.
const (
	CardTopup  TransactionKind = "CardTopup"
	BankTopup  TransactionKind = "BankTopup"
	Transfer   TransactionKind = "Transfer"
	Payment    TransactionKind = "Payment"
	Refund     TransactionKind = "Refund"
	CashBack   TransactionKind = "CashBack"
	Withdrawal TransactionKind = "Withdrawal"
)

// Status is how far a transaction is.
type Status string

// The statuses.
const (
	Completed Status = "Completed"
	Requested Status = "Requested" // a withdrawal that is not sent
	Sent      Status = "Sent"      // a withdrawal that its bank has not confirmed
	Failed    Status = "Failed"    // a withdrawal whose money is back
	Refunded  Status = "Refunded"  // a payment of which nothing is left
)

// Transaction is one movement of a wallet's money.
type Transaction struct {
	ID         ID
	Tenant     access.TenantID
	Kind       TransactionKind
	Status     Status
	ExternalID string // the caller's own
	From, To   ID     // wallets; zero: the outside
	Original   ID     // of a refund
	Amount     money.Amount
	// OfPayment is what it took from the payment balance, or a refund gave back
	// to it.
	OfPayment money.Amount
	// Refunded is what refunds gave back of a payment, RefundedPayment what of
	// that went to the payment balance.
	Refunded, RefundedPayment money.Amount
	Level                     KYCLevel // of the wallet that asked
	Month                     string   // in whose totals it counts; empty: in none
	SettleOn                  clock.Date
	RequestID                 ID // of a withdrawal: what its bank leg is known by
	Note                      Note
	CreatedAt, CompletedAt    time.Time

	sealed []byte // the Destination of a withdrawal
}

// Note is what a caller says of a movement, kept as it is.
type Note struct{ Description, SourceType, ChannelType string }
