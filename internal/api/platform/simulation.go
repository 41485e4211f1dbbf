package platform

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// Tester plays the world outside for the sandboxes: it makes the messages of
// cards and terminals, and sends them to the platform over the wire as everybody
// does. It acts for sandbox tenants only, on their own cards.
type Tester interface {
	// Process sends one use of a card.
	Process(ctx context.Context, c access.Caller, in Simulation) (Simulated, error)
	// Void reverses a message, all of it or a part.
	Void(ctx context.Context, c access.Caller, in SimulatedVoid) (Simulated, error)
	// Refund gives money back, by a message or by a clearing record.
	Refund(ctx context.Context, c access.Caller, in SimulatedRefund) (Simulated, error)
	// Clear presents a transaction, or something that nobody was asked for.
	Clear(ctx context.Context, c access.Caller, in SimulatedPresentment) (Simulated, error)
}

// SimulatedVoid takes a message back. It is named by its transaction, or by RRN,
// AuthorizationCode and CardToken together.
type SimulatedVoid struct {
	Transaction                       authorization.TransactionID
	RRN, AuthorizationCode, CardToken string
	Amount                            api.Decimal // of the original's currency; empty: all of it
	Reason                            string      // in the contract's words
	IsAdvice                          bool
}

// SimulatedRefund gives money back: of Transaction, or where that is zero on Card
// for nothing that is known.
type SimulatedRefund struct {
	Transaction authorization.TransactionID
	Card        issuing.NamedCard
	Amount      money.Amount
	Merchant    SimulatedPlace // what is empty is the original's
	IsOnline    bool           // by a message; else by a clearing record only
	Flow        authorization.Flow
}

// SimulatedPresentment is a record of a clearing file: of Transaction, or where
// that is zero on Card, forced.
type SimulatedPresentment struct {
	Transaction authorization.TransactionID
	Card        issuing.NamedCard
	Amount      *money.Amount // nil: what is left of the transaction
	Merchant    SimulatedPlace
	IsPartial   bool // more will come
}

// Simulation is one use of a test card, as a tester describes it. What is zero
// or nil is as usual.
type Simulation struct {
	Card          issuing.NamedCard
	Flow          authorization.Flow // a request or an advice of one
	Processing    string             // DE3, positions 1 and 2
	Amount        money.Amount
	Billing       *money.Amount // nil: the tenant's rates, where the account has another currency
	BillingRate   string        // the same as a decimal, in place of the amount
	Settlement    *money.Amount
	Cashback      *money.Amount
	Surcharge     *money.Amount // DE28
	Merchant      SimulatedPlace
	EntryMode     string // DE22
	ConditionCode string // DE25; empty: what fits EntryMode
	Expires       *issuing.Expiry
	PIN           secret.Value // typed at the terminal
	PINBlock      []byte       // or made elsewhere, under the BIN's ZPK
	PINForm       issuing.PINForm
	CVV2          secret.Value
	Track2        secret.Value
	ServiceCode   string       // of a track that is made
	CVV           secret.Value // likewise
	Chip          SimulatedChip
	Remote        SimulatedRemote
	PreAuthorization,
	FinalAuthorization, PartialApproval bool
	RRN, STAN, AuthorizationCode string
	LocalTime                    time.Time // zero: now
	// ForceARQC and ForceCVC are results in the contract's words. What wrong bytes
	// can make, they make; the rest is wanted of the platform.
	ForceARQC, ForceCVC  string
	LosesAnswer, Repeats bool
}

// SimulatedPlace is where the card is used.
type SimulatedPlace struct {
	MCC, ID, Name, City    string
	Country                country.Country
	TerminalID             string
	TerminalType           byte // tag 9F35
	AcquirerID, Forwarding string
}

// SimulatedChip is what a tester wants of the chip. Data, when set, is sent as it
// is; Unsigned leaves field 55 out.
type SimulatedChip struct {
	Data     []byte
	Unsigned bool
	ATC      *int
	UN       []byte // 4 bytes
	TVR      []byte // 5 bytes
	CVM      []byte // 3 bytes
}

// SimulatedRemote is what is told of a payment that is not made at a terminal, in
// the values of the tags of field 48 (docs/dialect-generic.md). Empty is not sent.
type SimulatedRemote struct {
	CAVV, ECI, Recurring, Wallet, Instalments string
}

// Simulated is what became of a message.
type Simulated struct {
	Sent, Answered SimulatedMessage
	ResponseCode   string // DE39
	Took           time.Duration
	// Transaction is what the message was recorded as; zero when it was refused
	// before anything was decided.
	Transaction authorization.TransactionID
	// ARPC is the response cryptogram. IsIssuer says whether the card believes it;
	// nil where no card of ours made the request's.
	ARPC     []byte
	IsIssuer *bool
	// Original is what a message or a record refers to; zero where the platform
	// knows by itself, or there is none.
	Original authorization.TransactionID
	// Clearing says what became of a clearing record; nil for messages.
	Clearing *SimulatedClearing
	// Again is the answer to the repeat, Reversed the reversal of a message whose
	// answer was lost; nil where there was none.
	Again, Reversed *Simulated
}

// SimulatedClearing is what became of a clearing record.
type SimulatedClearing struct {
	ARN         string
	MatchStatus string
	Exceptions  []string
}

// SimulatedMessage is a message on the wire, masked as logs are.
type SimulatedMessage struct {
	MTI    string
	Fields []SimulatedField
}

// SimulatedField is one of its fields.
type SimulatedField struct {
	Number      int
	Name, Value string
}

// Refusals of the tester.
var (
	// ErrLinkUnavailable says that no link to the platform could be opened.
	ErrLinkUnavailable = fault.New(fault.Unavailable, "sandbox_link_unavailable", "the ISO 8583 listener cannot be reached")
	// ErrNoAnswer says that a message was sent and its answer did not come in
	// time: whether it had an effect is not known.
	ErrNoAnswer = fault.New(fault.Unavailable, "sandbox_no_answer", "no answer came in time")
	// ErrNoExchangeRate says that an amount cannot be billed without a rate.
	ErrNoExchangeRate = fault.New(fault.Refused, "sandbox_no_exchange_rate", "there is no exchange rate to bill the amount by")
	// ErrChipUsedUp says that a card's transaction counter has no value left.
	ErrChipUsedUp = fault.New(fault.Refused, "sandbox_chip_used_up", "the card's transaction counter has no value left")
	// ErrAlreadyCleared says that what was presented is refunded, not voided.
	ErrAlreadyCleared = fault.New(fault.Refused, "sandbox_already_cleared", "the transaction was cleared")
	// ErrNotReversible says that a transaction is no message that can be reversed.
	ErrNotReversible = fault.New(fault.Refused, "sandbox_not_reversible", "the transaction cannot be reversed")
	// ErrRefundExceeds says that more would be given back than was cleared.
	ErrRefundExceeds = fault.New(fault.Refused, "sandbox_refund_exceeds_original", "the refund is more than what was cleared of the original")
)

// testerCodes lists their codes.
var testerCodes = fault.CodesOf(ErrLinkUnavailable, ErrNoAnswer, ErrNoExchangeRate, ErrChipUsedUp, ErrAlreadyCleared, ErrNotReversible, ErrRefundExceeds)
