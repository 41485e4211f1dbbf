package clearing

import (
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// Kind is what the cardholder did.
type Kind string

// The kinds.
const (
	Purchase Kind = "purchase"
	Cash     Kind = "cash"
	Refund   Kind = "refund"
)

// Function is which presentment of a payment a record is, by the codes of ISO
// 8583:1993 clearing messages.
type Function string

// The functions. Everything but the first comes again after a chargeback.
const (
	FirstPresentment     Function = "200"
	Representment        Function = "205"
	PartialRepresentment Function = "282"
)

// Presentment is one record of a clearing file. Text that the record does not
// give is empty, an amount zero and without currency.
type Presentment struct {
	Line     int // where it stands in its file, unique there, from 1
	Kind     Kind
	Function Function
	Reversal bool // takes back an earlier record of the same kind

	PAN         pan.PAN
	ARN         string // acquirer reference, 23 digits
	OriginalARN string // of the purchase that a refund gives back

	Transaction money.Amount // at the merchant; above zero
	Billing     money.Amount // of the cardholder, as the network converted it

	AuthorizationCode    string
	RRN                  string
	STAN                 string
	NetworkTransactionID string
	AcquirerID           string
	TerminalID           string
	CardAcceptorID       string
	MerchantName         string
	MerchantCity         string
	MerchantCountry      country.Country
	MCC                  string
	LocalTime            time.Time // the merchant's wall clock, as if it were UTC
	EntryMode            string

	Sequence int  // which of several presentments of one payment, from 1
	Count    int  // how many there will be
	Final    bool // nothing more will come
}

// isDebit reports whether the record takes money from the cardholder.
func (p *Presentment) isDebit() bool { return (p.Kind == Refund) == p.Reversal }

// key identifies the record among all that a network ever sent.
func (p *Presentment) key(network string) string {
	return keyOf(network, p.ARN, p.Function, p.Reversal, p.Sequence)
}

func keyOf(network, arn string, f Function, reversal bool, sequence int) string {
	direction := "presentment"
	if reversal {
		direction = "reversal"
	}
	return strings.Join([]string{network, arn, string(f), direction, strconv.Itoa(sequence)}, "|")
}

// entryKey is the idempotency key of the entry that posts the record.
func entryKey(key string) string { return "clearing:" + key }

// billing is what the record means in the account's currency; ok is false when
// it does not say.
func (p *Presentment) billing(account money.Currency) (a money.Amount, ok bool) {
	switch account {
	case p.Billing.Currency():
		return p.Billing, true
	case p.Transaction.Currency():
		return p.Transaction, true
	}
	return money.Amount{}, false
}

// owed is what the network will settle for, where no account says a currency.
func (p *Presentment) owed() money.Amount {
	if p.Billing.Currency().IsZero() {
		return p.Transaction
	}
	return p.Billing
}

// File is what a clearing file says of itself, once all of it was read and its
// end agreed with its records.
type File struct {
	Network    string
	Name       string // the sender's
	BusinessOn clock.Date
	Hash       [32]byte // of the content, whatever its name
	Count      int
	Totals     []Total
}

// Total is the sum of the transaction amounts of a file in one currency: what
// debits and what credits cardholders, not set off against one another.
type Total struct {
	Currency      money.Currency
	Debit, Credit int64 // minor units
}

// Source reads a clearing file.
type Source interface {
	// Read hands every record to each, in the order of the file, and returns
	// what the file says of itself when its end has agreed. It is called several
	// times and begins anew every time.
	Read(each func(*Presentment) error) (File, error)
}

// hashText is the content hash as it is stored.
func (f File) hashText() string { return hex.EncodeToString(f.Hash[:]) }
