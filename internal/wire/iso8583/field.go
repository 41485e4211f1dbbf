package iso8583

import "strconv"

// Numbers of the data elements of ISO 8583:1987 that this platform names.
const (
	PAN                      = 2
	ProcessingCode           = 3
	AmountTransaction        = 4
	AmountSettlement         = 5
	AmountCardholderBilling  = 6
	TransmissionDateTime     = 7
	RateSettlement           = 9
	RateCardholderBilling    = 10
	STAN                     = 11
	LocalTime                = 12
	LocalDate                = 13
	ExpirationDate           = 14
	SettlementDate           = 15
	ConversionDate           = 16
	MCC                      = 18
	AcquiringCountry         = 19
	POSEntryMode             = 22
	CardSequenceNumber       = 23
	FunctionCode             = 24
	POSConditionCode         = 25
	AmountTransactionFee     = 28
	AcquiringInstitutionID   = 32
	ForwardingInstitutionID  = 33
	Track2                   = 35
	RRN                      = 37
	AuthorizationCode        = 38
	ResponseCode             = 39
	TerminalID               = 41
	CardAcceptorID           = 42
	CardAcceptorNameLocation = 43
	AdditionalResponse       = 44
	Track1                   = 45
	PrivateElements          = 48
	TransactionCurrency      = 49
	SettlementCurrency       = 50
	BillingCurrency          = 51
	PINData                  = 52
	SecurityControl          = 53
	AdditionalAmounts        = 54
	ICCData                  = 55
	MAC                      = 64
	NetworkManagementCode    = 70
	OriginalDataElements     = 90
	ReplacementAmounts       = 95
	SecondaryMAC             = 128
)

// highest is the highest number a data element can have.
const highest = 128

// Problem says what is wrong with a field, in words that hold nothing of its
// content. The words are stable.
type Problem string

// The problems that reading and writing messages can meet.
const (
	Truncated    Problem = "the message ends inside it"
	Trailing     Problem = "bytes follow the last field"
	NotDefined   Problem = "the dialect does not define it"
	BadLength    Problem = "its length prefix is not a number"
	TooLong      Problem = "it is longer than the dialect allows"
	TooShort     Problem = "it is shorter than the dialect demands"
	BadContent   Problem = "it holds a character its type does not allow"
	BadStructure Problem = "its parts do not add up"
	Repeated     Problem = "one of its parts occurs twice"
)

// A FieldError tells which data element of a message could not be read or
// written, and why. Field 0 is the message type indicator or the message as a
// whole, field 1 the bitmap. It never quotes the message.
type FieldError struct {
	Field   int
	Problem Problem
}

// Error names the field and the problem.
func (e *FieldError) Error() string {
	switch e.Field {
	case 0:
		return "iso8583 message: " + string(e.Problem)
	case 1:
		return "iso8583 bitmap: " + string(e.Problem)
	}
	return "iso8583 field " + strconv.Itoa(e.Field) + ": " + string(e.Problem)
}
