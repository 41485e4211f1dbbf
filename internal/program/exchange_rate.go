package program

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Quotation is how much of one currency buys one unit of another, in parts of
// 10^-10. It is exact: no binary fraction is ever between its text and it.
type Quotation int64

// What a quotation may have: eight digits before the point and ten behind it.
const (
	quotationFraction = 10
	quotationWhole    = 8
	quotationUnit     = Quotation(10_000_000_000)
	// QuotationMax is 99999999.9999999999.
	QuotationMax = 100_000_000*quotationUnit - 1
)

// ErrQuotation is the error of [ParseQuotation]. It quotes no input.
var ErrQuotation = errors.New("not a quotation: want at most 8 digits before the point and 10 behind it")

// ParseQuotation reads a plain decimal number that is not negative, like 38.25.
// It takes no sign, exponent, grouping or bare point, and never rounds: too
// many digits are an error, also when they are zeros.
func ParseQuotation(decimal string) (Quotation, error) {
	whole, fraction, point := strings.Cut(decimal, ".")
	if !fault.AllDigits(whole) || point && !fault.AllDigits(fraction) ||
		len(whole) > quotationWhole || len(fraction) > quotationFraction {
		return 0, ErrQuotation
	}
	n, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", quotationFraction-len(fraction)), 10, 64)
	if err != nil {
		return 0, ErrQuotation
	}
	return Quotation(n), nil
}

// String returns the shortest text that [ParseQuotation] reads as q.
func (q Quotation) String() string {
	fraction := strconv.FormatInt(int64(q%quotationUnit+quotationUnit), 10)[1:]
	return strings.TrimSuffix(strconv.FormatInt(int64(q/quotationUnit), 10)+"."+strings.TrimRight(fraction, "0"), ".")
}

// RateSource is where an exchange rate comes from.
type RateSource string

// The sources of exchange rates.
const (
	RateTCMB    RateSource = "Tcmb" // the central bank
	RateManual  RateSource = "Manual"
	RateNetwork RateSource = "Network"
)

// RateSources lists all sources, in the order of the contract.
func RateSources() []RateSource { return []RateSource{RateTCMB, RateManual, RateNetwork} }

// ExchangeRate says what one unit of Base costs in Quote from a moment on, until
// a later rate of the same pair takes effect. Buy is what the tenant pays for
// Base and Sell what it asks, so Buy ≤ Mid ≤ Sell.
type ExchangeRate struct {
	ID            id.ID[ExchangeRate]
	Base, Quote   money.Currency
	Buy, Sell     Quotation
	Mid           Quotation
	Source        RateSource
	EffectiveFrom time.Time // in microseconds
	access.Record
}

// IDPrefix makes the identifiers of exchange rates fxr_….
func (ExchangeRate) IDPrefix() string { return "fxr" }

func (r ExchangeRate) check() error {
	var v fault.Checks
	v.Is("baseCurrency", !r.Base.IsZero(), "required", "is required")
	v.Is("quoteCurrency", !r.Quote.IsZero(), "required", "is required")
	v.Is("quoteCurrency", r.Quote.IsZero() || r.Quote != r.Base, "same_currency", "must not be the base currency")
	for _, q := range []struct {
		name  string
		value Quotation
	}{{"buyRate", r.Buy}, {"sellRate", r.Sell}, {"midRate", r.Mid}} {
		v.Is(q.name, q.value > 0 && q.value <= QuotationMax, "out_of_range", "must be above 0 and below 100000000")
	}
	v.Is("midRate", r.Mid <= 0 || r.Buy <= r.Mid && (r.Mid <= r.Sell || r.Sell <= 0), "out_of_order", "must lie between buyRate and sellRate")
	fault.OneOf(&v, "source", r.Source, RateSources())
	v.Moment("effectiveFrom", &r.EffectiveFrom)
	return v.Err(errInvalid)
}

// pair names what the rate is of, for faults.
func (r ExchangeRate) pair() string { return r.Base.Code() + "/" + r.Quote.Code() }

// kept is r as the database gives it back.
func (r ExchangeRate) kept() ExchangeRate {
	r.EffectiveFrom = clock.FromMicros(clock.Micros(r.EffectiveFrom))
	return r
}
