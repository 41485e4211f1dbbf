package fee

import (
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// AmountType is what an additional amount of a transaction is for (contract
// §4.4).
type AmountType string

// The types that fees have.
const (
	TransactionFee        AmountType = "TransactionFee"
	CashAdvanceFee        AmountType = "CashAdvanceFee"
	CurrencyConversionFee AmountType = "CurrencyConversionFee"
	CardIssuanceFee       AmountType = "CardIssuanceFee"
	CardAnnualFee         AmountType = "CardAnnualFee"
)

// Base is the amount that a fee on a transaction is computed on.
type Base string

// The bases. All are in the currency of the account.
const (
	BillingAmount     Base = "BillingAmount"
	TransactionAmount Base = "TransactionAmount" // converted, without a mark-up
	CashbackAmount    Base = "CashbackAmount"    // the cash handed out with a purchase
	// ConvertedDifference is the billing amount as far as it came from another
	// currency: all of it, or nothing.
	ConvertedDifference Base = "ConvertedDifference"
)

// Bases lists all bases, in the order of the contract.
func Bases() []Base {
	return []Base{BillingAmount, TransactionAmount, CashbackAmount, ConvertedDifference}
}

// Timing is when a fee on a transaction is due.
type Timing string

// The timings.
const (
	AtAuthorization Timing = "Authorization" // held with the transaction
	AtClearing      Timing = "Clearing"      // due with what is presented
)

// Timings lists all timings, in the order of the contract.
func Timings() []Timing { return []Timing{AtAuthorization, AtClearing} }

// Free is how much of a fee's transactions cost nothing in each period, counted
// for each issuance. A transaction is free while both that are set hold for it.
type Free struct {
	Count  int           // transactions; 0 is no bound
	Amount *money.Amount // of what they come to together; nil is no bound
	Period control.Period
}

// Applied is a fee as it applies to one transaction: its terms, frozen for the
// life cycle that the transaction begins.
type Applied struct {
	Code    string
	Name    string
	Version int
	Group   string // one fee of each applies
	Link    string // what tied it to the card: type and code, "Product/CLASSIC"

	Type   AmountType
	Terms  Terms
	Base   Base
	Timing Timing
	Free   *Free // nil: nothing is free

	OnDeclined       bool // it is due for a decline, too
	OnInquiries      bool // it names them, and is due for an answer that moves nothing
	RefundOnReversal bool // it is given back with what is reversed
	RefundOnRefund   bool // it is given back with what is refunded
}
