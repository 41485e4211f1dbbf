// Package money holds exact amounts of money: an integer count of minor units
// with its currency inside. There are no floats, arithmetic is checked, and an
// amount refuses to become JSON, since every contract writes money its own way.
package money

import (
	"cmp"
	"errors"
	"log/slog"
	"strconv"
	"strings"
)

// MaxMinor bounds the size of every amount, in minor units: 10^15. The sum of
// a few thousand amounts therefore never overflows an int64 on the way to its
// own range check.
const MaxMinor int64 = 1_000_000_000_000_000

// Errors of this package. None quotes its input.
var (
	ErrSyntax        = errors.New("not a plain decimal number")
	ErrPrecision     = errors.New("more fraction digits than the currency has")
	ErrRange         = errors.New("amount out of range")
	ErrMixedCurrency = errors.New("amounts of different currencies")
	ErrZeroDivisor   = errors.New("division by zero")
	ErrWeights       = errors.New("weights must be non-negative with a positive sum")
	errNotJSON       = errors.New("money.Amount has no JSON form: encode it by the contract at hand")
)

// Amount is a count of minor units (for TRY, hundredths of a lira) of one
// currency, between -10^15 and 10^15. It is comparable and immutable. The zero
// Amount has no currency and mixes with nothing; see Zero.
type Amount struct {
	minor    int64
	currency Currency
}

// New returns minor units of c. It returns ErrRange outside ±10^15, and
// ErrCurrencyUnknown for the zero Currency.
func New(minor int64, c Currency) (Amount, error) {
	if c.IsZero() {
		return Amount{}, ErrCurrencyUnknown
	}
	if minor > MaxMinor || minor < -MaxMinor {
		return Amount{}, ErrRange
	}
	return Amount{minor: minor, currency: c}, nil
}

// Must is New for constants and tests, with the currency by its code.
func Must(minor int64, code string) Amount {
	a, err := New(minor, MustCurrency(code))
	if err != nil {
		panic("money: " + err.Error())
	}
	return a
}

// Zero returns nothing at all of c. It panics for the zero Currency.
func Zero(c Currency) Amount {
	if c.IsZero() {
		panic("money: zero of no currency")
	}
	return Amount{currency: c}
}

// Parse reads plain decimal text: an optional minus, digits, and optionally a
// point with digits after it. It returns ErrSyntax for anything else (a plus,
// an exponent, grouping, a bare point), ErrPrecision for more fraction digits
// than c has, even when they are zeros, and ErrRange outside ±10^15 minor
// units.
func Parse(decimal string, c Currency) (Amount, error) {
	if c.IsZero() {
		return Amount{}, ErrCurrencyUnknown
	}
	digits, negative := strings.CutPrefix(decimal, "-")
	whole, fraction, point := strings.Cut(digits, ".")
	if !allDigits(whole) || point && !allDigits(fraction) {
		return Amount{}, ErrSyntax
	}
	if len(fraction) > c.Exponent() {
		return Amount{}, ErrPrecision
	}
	var minor int64
	for _, part := range []string{whole, fraction} {
		for i := range len(part) {
			// At most 10^16 before the check, so this cannot overflow.
			if minor = minor*10 + int64(part[i]-'0'); minor > MaxMinor {
				return Amount{}, ErrRange
			}
		}
	}
	for range c.Exponent() - len(fraction) {
		if minor *= 10; minor > MaxMinor {
			return Amount{}, ErrRange
		}
	}
	if negative {
		minor = -minor
	}
	return Amount{minor: minor, currency: c}, nil
}

// Minor returns the count of minor units.
func (a Amount) Minor() int64 { return a.minor }

// Currency returns the currency; the zero Currency for the zero Amount.
func (a Amount) Currency() Currency { return a.currency }

// Add returns a + b. It returns ErrMixedCurrency unless both have the same
// currency, and ErrRange outside ±10^15.
func (a Amount) Add(b Amount) (Amount, error) {
	if a.currency != b.currency {
		return Amount{}, ErrMixedCurrency
	}
	return New(a.minor+b.minor, a.currency)
}

// Sub returns a - b, with the errors of Add.
func (a Amount) Sub(b Amount) (Amount, error) { return a.Add(b.Neg()) }

// Neg returns -a.
func (a Amount) Neg() Amount { return Amount{minor: -a.minor, currency: a.currency} }

// Cmp returns -1, 0 or 1 as a is less than, equal to or greater than b. It
// panics on different currencies: comparing them is our bug, never input.
func (a Amount) Cmp(b Amount) int {
	if a.currency != b.currency {
		panic("money: " + ErrMixedCurrency.Error() + ": " + a.currency.code + " and " + b.currency.code)
	}
	return cmp.Compare(a.minor, b.minor)
}

// Sign returns -1, 0 or 1.
func (a Amount) Sign() int { return cmp.Compare(a.minor, 0) }

// IsZero reports whether the amount is nothing, of whatever currency.
func (a Amount) IsZero() bool { return a.minor == 0 }

// Decimal returns the amount in major units with exactly the currency's
// fraction digits: "125.50" for TRY, "125" for JPY, "-0.001" for KWD.
func (a Amount) Decimal() string {
	text := strconv.FormatInt(max(a.minor, -a.minor), 10)
	if e := a.currency.Exponent(); e > 0 {
		if short := e + 1 - len(text); short > 0 {
			text = strings.Repeat("0", short) + text
		}
		text = text[:len(text)-e] + "." + text[len(text)-e:]
	}
	if a.minor < 0 {
		text = "-" + text
	}
	return text
}

// String returns the decimal and the currency: "125.50 TRY".
func (a Amount) String() string {
	if a.currency.IsZero() {
		return a.Decimal() + " of no currency"
	}
	return a.Decimal() + " " + a.currency.code
}

// LogValue logs the amount as its String.
func (a Amount) LogValue() slog.Value { return slog.StringValue(a.String()) }

// MarshalJSON refuses: whether money is a number or a text, in major or minor
// units, is decided by the contract that is being written.
func (a Amount) MarshalJSON() ([]byte, error) { return nil, errNotJSON }

// UnmarshalJSON refuses, like MarshalJSON.
func (a *Amount) UnmarshalJSON([]byte) error { return errNotJSON }

// allDigits reports whether s is one or more ASCII digits.
func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
