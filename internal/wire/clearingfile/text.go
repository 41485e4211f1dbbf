package clearingfile

// format and version name the format in the header.
const (
	format  = "sarraf-clearing"
	version = 1
)

// The types of lines.
const (
	headerType      = "header"
	presentmentType = "presentment"
	trailerType     = "trailer"
)

// localLayout is a wall clock without zone.
const localLayout = "2006-01-02T15:04:05"

// headerText is the first line.
type headerText struct {
	Type         string `json:"type"`
	Format       string `json:"format"`
	Version      int    `json:"version"`
	Network      string `json:"network"`
	FileID       string `json:"fileId"`
	CreatedAt    string `json:"createdAt"`
	BusinessDate string `json:"businessDate"`
}

// presentmentText is a line between the first and the last.
type presentmentText struct {
	Type                   string        `json:"type"`
	Kind                   string        `json:"kind"`
	Function               string        `json:"function"`
	Reversal               bool          `json:"reversal,omitempty"`
	PAN                    string        `json:"pan"`
	ARN                    string        `json:"arn"`
	OriginalARN            string        `json:"originalArn,omitempty"`
	MessageReason          string        `json:"messageReason,omitempty"`
	Transaction            *amountText   `json:"transactionAmount"`
	Billing                *amountText   `json:"billingAmount,omitempty"`
	Settlement             *amountText   `json:"settlementAmount,omitempty"`
	AuthorizationCode      string        `json:"authorizationCode,omitempty"`
	RRN                    string        `json:"rrn,omitempty"`
	STAN                   string        `json:"stan,omitempty"`
	NetworkTransactionID   string        `json:"networkTransactionId,omitempty"`
	AcquiringInstitutionID string        `json:"acquiringInstitutionId,omitempty"`
	TerminalID             string        `json:"terminalId,omitempty"`
	CardAcceptorID         string        `json:"cardAcceptorId,omitempty"`
	Merchant               *merchantText `json:"merchant,omitempty"`
	MCC                    string        `json:"mcc"`
	LocalDateTime          string        `json:"localDateTime"`
	POSEntryMode           string        `json:"posEntryMode,omitempty"`
	Sequence               *sequenceText `json:"sequence,omitempty"`
	Final                  *bool         `json:"isFinal,omitempty"`
}

// amountText is an amount in minor units.
type amountText struct {
	Minor    int64  `json:"minor"`
	Currency string `json:"currency"`
}

// merchantText is the card acceptor.
type merchantText struct {
	Name    string `json:"name,omitempty"`
	City    string `json:"city,omitempty"`
	Country string `json:"country,omitempty"`
}

// sequenceText is the place of a presentment among several.
type sequenceText struct {
	Number int `json:"number"`
	Count  int `json:"count"`
}

// trailerText is the last line.
type trailerText struct {
	Type   string      `json:"type"`
	Count  int         `json:"count"`
	Totals []totalText `json:"totals"`
}

// totalText is the sums of one currency.
type totalText struct {
	Currency string `json:"currency"`
	Debit    int64  `json:"debit"`
	Credit   int64  `json:"credit"`
}
