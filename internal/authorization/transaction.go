package authorization

import (
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Flow is the kind of message or record that made a transaction (contract
// §4.5).
type Flow string

// The flows.
const (
	AuthorizationRequest Flow = "AuthorizationRequest" // 0100
	FinancialRequest     Flow = "FinancialRequest"     // 0200
	AuthorizationAdvice  Flow = "AuthorizationAdvice"  // 0120
	FinancialAdvice      Flow = "FinancialAdvice"      // 0220
	ReversalRequest      Flow = "ReversalRequest"      // 0400
	ReversalAdvice       Flow = "ReversalAdvice"       // 0420
	Clearing             Flow = "Clearing"
	ClearingReversal     Flow = "ClearingReversal"
	Refund               Flow = "Refund"
	InternalFee          Flow = "InternalFee" // what a card costs, besides what it pays
	StatusCheck          Flow = "StatusCheck" // 0100 with amount zero
)

// IsAdvice reports whether the message tells a fact that cannot be refused.
func (f Flow) IsAdvice() bool {
	return f == AuthorizationAdvice || f == FinancialAdvice || f == ReversalAdvice
}

// IsReversal reports whether the message undoes another.
func (f Flow) IsReversal() bool { return f == ReversalRequest || f == ReversalAdvice }

// Code is what the cardholder did, from the processing code (DE3, positions 1
// and 2).
type Code string

// The transaction codes of contract §4.5 that this build knows.
const (
	Purchase             Code = "Purchase"
	CashWithdrawal       Code = "CashWithdrawal"
	CashAdvance          Code = "CashAdvance"
	PurchaseWithCashback Code = "PurchaseWithCashback"
	QuasiCash            Code = "QuasiCash"
	UniqueTransaction    Code = "UniqueTransaction"
	InstallmentSale      Code = "InstallmentSale" // a purchase in more than one part
	RefundCode           Code = "Refund"
	CashDeposit          Code = "CashDeposit"
	Payment              Code = "Payment"
	Adjustment           Code = "Adjustment"
	BalanceInquiry       Code = "BalanceInquiry"
	CardVerification     Code = "CardVerification"
	FeeCode              Code = "Fee" // for a card
	Unknown              Code = ""
)

// direction says which way money moves: debit takes from the cardholder.
type direction int

const (
	neither direction = iota
	debit
	credit
)

type codeRow struct {
	code Code
	dir  direction
}

// processingCodes is the meaning of DE3, positions 1 and 2 (contract
// acquiring-clearing §1.6.1). What is missing is not supported.
var processingCodes = map[string]codeRow{
	"00": {Purchase, debit},
	"01": {CashWithdrawal, debit},
	"02": {Adjustment, debit},
	"09": {PurchaseWithCashback, debit},
	"10": {Purchase, debit}, // account funding
	"11": {QuasiCash, debit},
	"12": {CashAdvance, debit},
	"17": {CashAdvance, debit},
	"18": {UniqueTransaction, debit},
	"20": {RefundCode, credit},
	"21": {CashDeposit, credit},
	"22": {Adjustment, credit},
	"26": {Payment, credit},
	"28": {Payment, credit},
	"30": {BalanceInquiry, neither},
	"31": {BalanceInquiry, neither},
	"33": {CardVerification, neither},
	"50": {Purchase, debit}, // bill payment
}

// mccManualCash is the merchant category of cash handed out at a counter.
const mccManualCash = "6010"

func classify(processingCode, mcc string, amount money.Amount) codeRow {
	if len(processingCode) != 6 {
		return codeRow{}
	}
	row := processingCodes[processingCode[:2]]
	switch {
	case row.code == CashWithdrawal && mcc == mccManualCash:
		row.code = CashAdvance
	case row.code == Purchase && amount.IsZero():
		row = codeRow{CardVerification, neither}
	}
	return row
}

// named is what a request is called as a transaction: more is told there than in
// the message's type and processing code.
func (r *Request) named(row codeRow) (Flow, Code) {
	switch {
	case row.code == CardVerification && r.Flow == AuthorizationRequest:
		return StatusCheck, row.code
	case row.code == Purchase && r.IsInstalment():
		return r.Flow, InstallmentSale
	}
	return r.Flow, row.code
}

// Status is where a transaction stands (contract §4.5).
type Status string

// The statuses. Approved means an open hold, Cleared a posting.
const (
	StatusPending           Status = "Pending" // the client is being asked
	StatusApproved          Status = "Approved"
	StatusDeclined          Status = "Declined"
	StatusReversed          Status = "Reversed"
	StatusPartiallyReversed Status = "PartiallyReversed"
	StatusPartiallyCleared  Status = "PartiallyCleared"
	StatusCleared           Status = "Cleared"
	StatusExpired           Status = "Expired"
	StatusVoided            Status = "Voided" // all of it reversed, as the customer wanted
	StatusRefunded          Status = "Refunded"
	StatusPartiallyRefunded Status = "PartiallyRefunded"
	StatusFailed            Status = "Failed"
)

// HoldsMoney reports whether a transaction in this status may have an open hold.
func (s Status) HoldsMoney() bool {
	return s == StatusApproved || s == StatusPartiallyReversed || s == StatusPartiallyCleared
}

// IsUndone reports whether all of a transaction in this status was taken back.
func (s Status) IsUndone() bool { return s == StatusReversed || s == StatusVoided }

// TransactionID identifies a transaction: an authorization, or what came after.
type TransactionID = id.ID[Transaction]

// Transaction is one message or clearing record about a card, as the cardholder
// and the API see it. Amounts from Billing on are in the account's currency.
type Transaction struct {
	ID       TransactionID
	Tenant   access.TenantID
	Root     TransactionID // the first of the life cycle; itself when it is
	Original TransactionID // what it reverses, completes, increments, clears or refunds
	Flow     Flow
	Code     Code
	Status   Status
	Reason   Reason
	// ResponseCode is DE39 of the answer, AuthorizationCode DE38.
	ResponseCode      string
	AuthorizationCode string

	Card     id.ID[issuing.Card]
	Issuance id.ID[issuing.Issuance]
	Account  ledger.AccountID
	Hold     ledger.HoldID

	Amount   money.Amount // DE4 in DE49; zero with a zero currency when unknown
	Billing  money.Amount // what was approved or posted
	Reversed money.Amount
	Cleared  money.Amount
	Refunded money.Amount

	// Additional is what it costs, or gives back, besides: the fees on it as they
	// were when it was decided or posted.
	Additional []fee.Additional

	IsDebit, IsAdvice, IsForcePost bool

	Message              Details
	NetworkTransactionID string
	ARN                  string

	// CardNetwork is the network of the card's BIN, in the contract's words; the
	// link's own name is in Message.
	CardNetwork string
	// CardCountry is the country of the card's BIN, alpha-2, and what follows
	// from it and the message; see Classify. Empty is unknown.
	CardCountry string
	Domain      Domain
	Terminal    TerminalType
	Presence    CardholderPresence
	CVM         CVM
	// What the decision made of the secrets that came; see Decision.told.
	PIN, ARQC, CVV, CVV2 Result
	// DeclinedBy is the check that decided a decline or failure, DeclinedSubject
	// what of the tenant's it was about, see [Check].Subject, and DeclinedText what
	// that control says of its refusals.
	DeclinedBy, DeclinedSubject, DeclinedText string
	// MatchedControls are the codes of the authorization controls that applied, as
	// far as they were asked, in that order.
	MatchedControls []string
	// DecidedBy is who decided, and ClientReference what the client that did so
	// calls it.
	DecidedBy       DecidedBy
	ClientReference string

	// PostedAfter and AvailableAfter are the account's balances after this
	// transaction; HasBalance is false where there is no account. Where the client
	// owns the balance they are what it told.
	PostedAfter, AvailableAfter money.Amount
	HasBalance                  bool

	BusinessOn           clock.Date
	CreatedAt, UpdatedAt time.Time
}

// IDPrefix implements id.Entity.
func (Transaction) IDPrefix() string { return "txn" }

// Outstanding is what the transaction still stands for: approved less reversed.
func (t Transaction) Outstanding() money.Amount { return minus(t.Billing, t.Reversed) }

// What moves and holds no money: refusals, whatever was asked for, and
// questions, whatever the answer.
var (
	refusedStatuses = [...]Status{StatusDeclined, StatusFailed}
	questionCodes   = [...]Code{BalanceInquiry, CardVerification}
)

// IsFinancial reports whether the transaction moved or held money. The list
// asks the same of the stored ones; see [TransactionFilter].OnlyFinancial.
func (t *Transaction) IsFinancial() bool {
	return !slices.Contains(refusedStatuses[:], t.Status) && !slices.Contains(questionCodes[:], t.Code)
}

// settle ends a transaction that still stands when the hold of its life cycle
// has come to an end; see closeChain.
func (t *Transaction) settle(cleared bool) {
	if !cleared && t.Cleared.Cmp(t.Billing) <= 0 {
		t.Reversed = minus(t.Billing, t.Cleared)
	}
	if cleared || t.Status == StatusPartiallyCleared {
		t.Status = StatusCleared
	} else {
		t.Status = StatusReversed
	}
}

// Details are the fields of a network message that are kept as they came.
type Details struct {
	Link, Network     string
	MTI               string // four digits
	ProcessingCode    string // DE3
	STAN              string // DE11
	RRN               string // DE37
	TransmittedAt     time.Time
	LocalTime         string // DE13 and DE12: MMDDhhmmss
	AcquirerID        string // DE32
	ForwarderID       string // DE33
	TerminalID        string // DE41
	CardAcceptorID    string // DE42
	MerchantName      string // DE43
	MerchantCity      string
	MerchantCountry   string
	MCC               string // DE18
	EntryMode         string // DE22
	ConditionCode     string // DE25
	AcquirerCountry   string // DE19
	AuthorizationCode string // DE38 of an advice or reversal
	ResponseCode      string // DE39 of an advice

	Settlement     money.Amount // DE5 in DE50; without a currency when absent
	ConversionRate string       // DE10 as it came: how many decimals, then seven digits
	SettlementDate string       // DE15: MMDD
	ConversionDate string       // DE16: MMDD

	Manner
}

func minus(a, b money.Amount) money.Amount {
	d, err := a.Sub(b)
	if err != nil {
		panic("authorization: amounts of one transaction do not subtract")
	}
	return d
}

func plus(a, b money.Amount) money.Amount {
	s, err := a.Add(b)
	if err != nil {
		panic("authorization: amounts of one transaction do not add")
	}
	return s
}

func least(a, b money.Amount) money.Amount {
	if a.Cmp(b) < 0 {
		return a
	}
	return b
}
