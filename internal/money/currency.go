package money

import (
	_ "embed"
	"errors"
	"strconv"
	"strings"
)

// ErrCurrencyUnknown says that a text is no active ISO 4217 code.
var ErrCurrencyUnknown = errors.New("not an active ISO 4217 currency")

// Currency is an active currency of ISO 4217. It is comparable; the zero
// Currency is invalid and belongs to no amount that can be computed with.
//
// The table leaves out codes without a minor unit (precious metals, XDR, XTS,
// XXX): no card account is kept in them.
type Currency struct {
	code     string
	exponent uint8
}

// iso4217 holds alphabetic code, numeric code and exponent of list one as of
// January 2026: XCG has replaced ANG, ZWG has replaced ZWL, Bulgaria uses EUR.
//
//go:embed iso4217.csv
var iso4217 string

type currencyTable struct {
	byCode  map[string]Currency // alphabetic and numeric codes
	numeric map[string]string   // alphabetic to numeric
}

var currencies = readCurrencies(iso4217)

func readCurrencies(csv string) currencyTable {
	t := currencyTable{byCode: make(map[string]Currency, 400), numeric: make(map[string]string, 200)}
	for line := range strings.Lines(csv) {
		col := strings.Split(strings.TrimSpace(line), ",")
		exponent, err := strconv.ParseUint(col[2], 10, 8)
		if err != nil {
			panic("iso4217.csv: " + line)
		}
		c := Currency{code: col[0], exponent: uint8(exponent)}
		t.byCode[col[0]], t.byCode[col[1]] = c, c
		t.numeric[col[0]] = col[1]
	}
	return t
}

// ParseCurrency reads a three-letter code in upper case ("TRY") or a
// three-digit code ("949"). Anything else is ErrCurrencyUnknown.
func ParseCurrency(s string) (Currency, error) {
	c, ok := currencies.byCode[s]
	if !ok {
		return Currency{}, ErrCurrencyUnknown
	}
	return c, nil
}

// MustCurrency is ParseCurrency for constants; it panics on an unknown code.
func MustCurrency(s string) Currency {
	c, err := ParseCurrency(s)
	if err != nil {
		panic("money: " + strconv.Quote(s) + ": " + err.Error())
	}
	return c
}

// Code returns the three letters, as in "TRY"; empty for the zero Currency.
func (c Currency) Code() string { return c.code }

// Numeric returns the three digits, as in "949"; empty for the zero Currency.
func (c Currency) Numeric() string { return currencies.numeric[c.code] }

// Exponent returns how many decimal digits the minor unit has: 2 for TRY, 0
// for JPY, 3 for KWD.
func (c Currency) Exponent() int { return int(c.exponent) }

// IsZero reports whether c is no currency.
func (c Currency) IsZero() bool { return c.code == "" }

// String returns the three letters.
func (c Currency) String() string { return c.code }

// MarshalText returns the three letters, for logs and JSON.
func (c Currency) MarshalText() ([]byte, error) { return []byte(c.code), nil }

// UnmarshalText is ParseCurrency; empty text becomes the zero Currency.
func (c *Currency) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*c = Currency{}
		return nil
	}
	parsed, err := ParseCurrency(string(text))
	if err != nil {
		return err
	}
	*c = parsed
	return nil
}
