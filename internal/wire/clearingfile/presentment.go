package clearingfile

import (
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// Header is what a file says of itself in its first line.
type Header struct {
	Network      string // whose clearing this is, 1 to 32 of A-Z a-z 0-9 _ -
	FileID       string // the sender's name of the file, 1 to 64 of the same and . :
	CreatedAt    time.Time
	BusinessDate clock.Date
}

// Kind is what the cardholder did. Together with [Presentment.Reversal] it
// gives the direction of the money.
type Kind string

// The kinds of presentment.
const (
	Purchase Kind = "purchase"
	Cash     Kind = "cash"
	Refund   Kind = "refund"
)

// Function is which presentment of a transaction this is.
type Function string

// The functions, by their codes in ISO 8583:1993 clearing messages.
const (
	FirstPresentment     Function = "200"
	SecondPresentment    Function = "205" // a representment of the full amount
	PartialRepresentment Function = "282" // a representment of part of it
)

// Presentment is one clearing record. Text that was not sent is empty, an
// amount that was not sent is zero and has no currency.
type Presentment struct {
	Line     int // where it stands in its file, from 1; ignored when written
	Kind     Kind
	Function Function
	Reversal bool // takes back an earlier presentment of the same kind

	PAN           pan.PAN
	ARN           string // 23 digits; representments and reversals carry the original's
	OriginalARN   string // of the purchase that a refund gives back, when known
	MessageReason string // four digits, why a representment was made

	Transaction money.Amount // at the card acceptor; always present, above zero
	Billing     money.Amount // of the cardholder, as the network converted it
	Settlement  money.Amount // between the institutions

	AuthorizationCode      string
	RRN                    string
	STAN                   string
	NetworkTransactionID   string
	AcquiringInstitutionID string
	TerminalID             string
	CardAcceptorID         string
	MerchantName           string
	MerchantCity           string
	MerchantCountry        country.Country
	MCC                    string
	LocalDateTime          time.Time // the card acceptor's wall clock, as if it were UTC
	POSEntryMode           string

	SequenceNumber int  // 1 for a single presentment
	SequenceCount  int  // how many there will be
	Final          bool // nothing more will come for this authorization
}

// Credits reports whether the money goes to the cardholder: a refund, or the
// reversal of a purchase or cash withdrawal.
func (p *Presentment) Credits() bool { return (p.Kind == Refund) != p.Reversal }

// Total is the sum of the transaction amounts of one currency, in minor
// units: what cardholders are debited and credited.
type Total struct {
	Currency money.Currency
	Debit    int64
	Credit   int64
}

// Trailer is the last line of a file: how many presentments it holds, and
// their sums, one for each currency, in the order of their codes.
type Trailer struct {
	Count  int
	Totals []Total
}
