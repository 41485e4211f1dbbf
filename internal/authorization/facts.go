package authorization

import (
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Result is what became of one cryptographic comparison. The comparison itself
// is made while gathering; what it means is for decide.
type Result string

// The results.
const (
	NotPresent Result = ""         // nothing to compare came with the message
	Match      Result = "Match"    // the value is right
	NoMatch    Result = "NoMatch"  // the value is wrong
	Unusable   Result = "Unusable" // present, but it cannot be read or has no key: treated as wrong
	// Of a Transaction only:
	Replayed Result = "Replayed" // a right cryptogram with a counter that was used before
	Unjudged Result = "Unjudged" // present, but the decision did not come to it, or had no tries left for it
)

// ClearingModel says where a link's money moves: at presentment (Dual), so that
// a financial advice adjusts the hold, or with the message itself (Single).
type ClearingModel string

// The models.
const (
	Dual   ClearingModel = "dual"
	Single ClearingModel = "single"
)

// Facts are what a decision needs and what cannot change under our feet: read
// and computed before the transaction, without locks. What can change is State.
type Facts struct {
	Transaction TransactionID
	Now         time.Time
	BusinessOn  clock.Date

	Tenant               access.TenantID
	TenantActive         bool
	ConfigurationVersion int64
	ConfigurationHash    string
	ClearingModel        ClearingModel

	Card    CardFacts
	Product ProductFacts
	Subject SubjectFacts

	// Billing is the amount in the account's currency; Convertible is false
	// when the network gave none and the transaction is in another currency.
	Billing              money.Amount
	Convertible          bool
	PIN, ARQC, CVV, CVV2 Result
	// Forced names those of the results that a tester of a sandbox wanted, and no
	// comparison gave.
	Forced string
	// ChipDetail says why ARQC is not a Match, in words without card data.
	ChipDetail string
	// Tap is the fingerprint of a contactless chip request: cryptogram, counter,
	// amount, terminal.
	Tap string

	// Uses are what was before, where a rule asks.
	Uses UseFacts
	// Controls are the authorization controls that select the request.
	Controls []ControlFacts
	// Velocity are the velocity controls that count the request, by code.
	Velocity []VelocityFacts

	// Fees are the fees on the request, by code. AllowsFeeShortfall says that they
	// may wait for a balance that covers them.
	Fees               []FeeFacts
	AllowsFeeShortfall bool

	AuthorizationCode string // six characters, used when approved
	Hold              ledger.HoldID
	Entry             ledger.EntryID
	HoldExpires       time.Time

	// Client says how the tenant's own system is asked, where that has the
	// balance.
	Client ClientFacts

	// Candidate is the transaction that an increment or completion refers to,
	// found by RRN; zero when there is none.
	Candidate TransactionID

	// keys are not recorded: they only serve the answer's cryptogram.
	profile hsm.Profile
	imk     hsm.KeyRef
	script  scriptFacts
	network string
	// ahead is how far Now is ahead of the clock.
	ahead clock.Ahead
	// tellsPIN says that the PIN is kept whatever the chip knows: it may be sent.
	tellsPIN bool
	codes    map[string]string // the tenant's own response codes
	// fingerprint tells a repeat from another message under the same key;
	// plastics are all cards of the number.
	fingerprint string
	plastics    []id.ID[issuing.Card]
	name        issuing.CardName // for events and slips
	found       issuing.CardOnNetwork
	slipMonths  int // for which the tenant keeps slips
	// watchers are the limits besides Velocity that may have counted what a completion
	// completes, and tell how much of them is used.
	watchers []VelocityFacts
	judging  time.Duration // how long cryptography took
	queueing time.Duration // how long it waited for a processor
}

// CardFacts are the immutable parts of the card that was found.
type CardFacts struct {
	Found    bool
	ID       id.ID[issuing.Card]
	Issuance id.ID[issuing.Issuance]
	Account  ledger.AccountID
	// ExpiryYYMM is the card's own; Expired says that its month has passed in
	// the tenant's zone at Facts.Now.
	ExpiryYYMM     string
	Expired        bool
	PSN            string
	CustomerStatus string    // empty for a card without a customer
	Network        string    // of the BIN, as the contract names it
	Country        string    // of its BIN, alpha-2
	PINChangedAt   time.Time // the PIN that was compared
	// MayActivate says that the conditions of a first activation are met,
	// ActivatesAtFirstUse that the tenant lets cash with chip and PIN be one.
	MayActivate         bool
	ActivatesAtFirstUse bool
	// PoliciesOff are the usage switches that are off, blanks between.
	PoliciesOff string
	// IsSuperseded says that a successor, whose activation was due, has taken the
	// card's place.
	IsSuperseded bool
	// RecursWhenInactive says that the tenant lets payments with a stored card go
	// on while the cardholder has closed it.
	RecursWhenInactive bool
	DigitalSlip        string // which slips the cardholder wants
}

// ProductFacts are the product's limits that a decision uses. Amounts are in
// minor units of the product's currency; -1 means no limit.
type ProductFacts struct {
	Code                  string
	Currency              string
	PINTryLimit           int
	CVV2TryLimit          int
	CVV2ResetOnSuccess    bool
	ContactlessEnabled    bool
	ContactlessLimit      int64
	ContactlessCumulative int64
	ContactlessCount      int
	InstallmentAllowed    bool
}

// State is what a decision needs and what others may change at the same time.
// It is read under row locks in the transaction that writes the decision.
type State struct {
	Card          issuing.CardState
	Posted, Held  money.Amount // of a credit account, Posted is what is owed
	AccountExists bool
	Credit        CreditState
	// ReversedBefore says that a reversal named this message before it came.
	ReversedBefore bool
	Original       Original
	// Velocity is what was used of each of Facts.Velocity.
	Velocity []VelocityState
	// Fees is what was free of each of Facts.Fees. Dues are the fees of Original's
	// life cycle.
	Fees []FeeState
	Dues []fee.Due
	// Verdict is what the client answered, once it was asked.
	Verdict Verdict
	// Remains is what a partial reversal leaves of Original, in the account's
	// currency; nil for a full one.
	Remains *money.Amount
}

// Original is the transaction that a reversal, increment or completion refers
// to, as it stands now.
type Original struct {
	Found     bool
	SameCard  bool // the message is about the card the original was about
	ID        TransactionID
	Root      TransactionID
	Status    Status
	IsDebit   bool
	Amount    money.Amount // DE4 of the original's answer
	Billing   money.Amount
	Reversed  money.Amount
	Cleared   money.Amount
	Hold      ledger.HoldID
	Remaining money.Amount // of the hold; zero without one
	IsPosted  bool         // a single-message item: its money has moved
	Entry     ledger.EntryID
	// IsCompleted says that the original is an increment of a life cycle that a
	// completion has brought to its final amount.
	IsCompleted bool
}

// inputs are how the original stood when something came that refers to it.
func (o Original) inputs() []Input {
	return []Input{
		textInput("original", o.ID.UUID()), textInput("status", o.Status), amountInput("billing", o.Billing),
		amountInput("reversed", o.Reversed), amountInput("cleared", o.Cleared), amountInput("held", o.Remaining),
	}
}

func (o Original) outstanding() money.Amount { return minus(o.Billing, o.Reversed) }
