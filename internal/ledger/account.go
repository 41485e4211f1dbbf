package ledger

import (
	"crypto/sha256"
	"errors"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Kind is the kind of an account. It decides the side on which its balance
// grows: debit for assets, expenses and suspense, credit for the others.
type Kind string

// The kinds of contract §8.3.
const (
	Asset     Kind = "A"
	Liability Kind = "L"
	Income    Kind = "I"
	Expense   Kind = "E"
	Technical Kind = "X"
	Suspense  Kind = "S"
)

// Normal is the side on which the balance of an account of this kind grows.
func (k Kind) Normal() Side {
	switch k {
	case Asset, Expense, Suspense:
		return Debit
	}
	return Credit
}

// AccountID identifies an account.
type AccountID = id.ID[Account]

// Account is an account with its balance. Amounts are in its currency.
type Account struct {
	ID       AccountID
	Tenant   access.TenantID
	Code     string
	Kind     Kind
	Currency money.Currency
	// KeepsBalance says that Posted and Held are kept with the account;
	// control accounts keep none.
	KeepsBalance bool
	// Number is what the outside calls a customer's account, at most 34
	// characters; Owner is who it belongs to, opaque here. Both are empty for
	// control accounts.
	Number string
	Owner  string
	// Posted is the balance of the postings in the kind's normal direction; a
	// customer's may become negative by clearing, which issuers must accept.
	Posted money.Amount
	// Held is what open holds have remaining; never negative.
	Held money.Amount
	// PostingCount is how many postings the account has had; kept where the
	// balance is.
	PostingCount int64
	CreatedAt    time.Time
	// Credit is the line of a credit account, on which Posted is what is owed; nil
	// on all others. It is read with a [Book] and by [Service.AccountByNumber], and not else.
	Credit *CreditLine
}

// IDPrefix implements id.Entity.
func (Account) IDPrefix() string { return "acct" }

// Available is what a new hold or debit may take.
func (a Account) Available() money.Amount {
	if a.Credit != nil {
		v, err := money.New(a.Credit.Line.Remaining(a.Held.Minor()), a.Currency)
		if err != nil {
			return money.Zero(a.Currency)
		}
		return v
	}
	v, err := a.Posted.Sub(a.Held)
	if err != nil {
		// Both are bounded by CHECK to 10^15; only the sum of two extremes
		// leaves the range, and then nothing is available.
		return money.Zero(a.Currency)
	}
	return v
}

// ErrInsufficientFunds is returned when less is available than is asked for.
var ErrInsufficientFunds = errors.New("insufficient funds")

// Codes of the faults this package raises.
const (
	AccountNotFound  fault.Code = "account_not_found"
	AccountNoTaken   fault.Code = "account_no_taken"
	CurrencyMismatch fault.Code = "account_currency_mismatch"
	Overdraw         fault.Code = "adjustment_overdraws"
	ReferenceReused  fault.Code = "external_reference_reused"
	InvalidAmount    fault.Code = "invalid_amount"
	InvalidTerms     fault.Code = "credit_terms_invalid"
	TermsInUse       fault.Code = "credit_terms_in_use"
	TermsMissing     fault.Code = "credit_terms_missing"
	NotACreditLine   fault.Code = "account_not_credit"
)

// Codes lists them, for the totality tests of the families.
var Codes = []fault.Code{AccountNotFound, AccountNoTaken, CurrencyMismatch, Overdraw, ReferenceReused, InvalidAmount, InvalidTerms, TermsInUse, TermsMissing, NotACreditLine}

// The chart of control accounts that this build posts to (contract §8.3).
const (
	Safeguarded       = "A.BANK.SAFEGUARD"
	UnmatchedClearing = "S.CLEARING.UNMATCHED"
	// AcquiredReceivable is what acquirers owe for what they collected.
	AcquiredReceivable = "A.ACQ.RECEIVABLE"
	// PayoutTransit is what was sent to banks that have not confirmed it.
	PayoutTransit = "L.PAYOUT.TRANSIT"
	// UnmatchedTopups is what came to the bank for nobody we know.
	UnmatchedTopups = "L.TOPUP.UNMATCHED"

	TransactionFees = "I.FEE.TRANSACTION"
	CashFees        = "I.FEE.CASH"
	IssuanceFees    = "I.FEE.ISSUANCE"
	AnnualFees      = "I.FEE.ANNUAL"
	Markups         = "I.FXMARKUP"

	BSMVTax  = "L.TAX.BSMV"
	KKDFTax  = "L.TAX.KKDF"
	VAT      = "L.TAX.VAT"
	StampTax = "L.TAX.STAMP"
	OtherTax = "L.TAX.OTHER"

	Collections    = "A.BANK.COLLECT" // what customers pay of their debts
	CreditInterest = "I.INTEREST"
)

// SettlementCode is the control account payable to a network, in the issuer's
// role, for one settlement date: L.NET.ISS.<network>.<date>. The currency is
// the account's.
func SettlementCode(network string, on clock.Date) string {
	return "L.NET.ISS." + network + "." + on.String()
}

// Control identifies a control account. Its identifier follows from tenant,
// code and currency, so that it can be posted to without looking it up; the
// kind is the first letter of the code.
func Control(tenant access.TenantID, code string, c money.Currency) Account {
	return Account{ID: id.FromBytes[Account](named(tenant.String(), code, c.Code())), Tenant: tenant, Code: code, Kind: Kind(code[:1]), Currency: c,
		Posted: money.Zero(c), Held: money.Zero(c)}
}

// named is an identifier that follows from what is named.
func named(parts ...string) (b [16]byte) {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	copy(b[:], sum[:])
	b[6], b[8] = b[6]&0x0F|0x80, b[8]&0x3F|0x80 // UUID version 8: made by our own rule
	return b
}
