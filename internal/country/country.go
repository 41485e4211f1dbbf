// Package country holds the countries of ISO 3166-1.
package country

import (
	_ "embed"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// ErrUnknown says that a text is no ISO 3166-1 code. It does not quote it.
var ErrUnknown = errors.New("not an ISO 3166-1 country")

// Country is a country of ISO 3166-1. It is comparable; the zero Country is
// none.
type Country struct{ alpha2 string }

// iso3166 holds alpha-2, alpha-3 and numeric code.
//
//go:embed iso3166.csv
var iso3166 string

type table struct {
	byCode          map[string]Country // all three codes
	alpha3, numeric map[string]string  // from alpha-2
}

var countries = read(iso3166)

func read(csv string) table {
	t := table{map[string]Country{}, map[string]string{}, map[string]string{}}
	for line := range strings.Lines(csv) {
		col := strings.Split(strings.TrimSpace(line), ",")
		c := Country{alpha2: col[0]}
		for _, code := range col {
			t.byCode[code] = c
		}
		t.alpha3[c.alpha2], t.numeric[c.alpha2] = col[1], col[2]
	}
	return t
}

// Parse reads a code in any of its forms: "TR", "TUR" or "792".
func Parse(s string) (Country, error) {
	c, ok := countries.byCode[s]
	if !ok {
		return Country{}, ErrUnknown
	}
	return c, nil
}

// All lists the countries by their two letters.
func All() []Country {
	all := make([]Country, 0, len(countries.alpha3))
	for _, alpha2 := range slices.Sorted(maps.Keys(countries.alpha3)) {
		all = append(all, Country{alpha2})
	}
	return all
}

// Must is Parse for constants; it panics on an unknown code.
func Must(s string) Country {
	c, err := Parse(s)
	if err != nil {
		panic("country: " + strconv.Quote(s) + ": " + err.Error())
	}
	return c
}

// Alpha2 returns the two letters, as in "TR"; empty for the zero Country.
func (c Country) Alpha2() string { return c.alpha2 }

// Alpha3 returns the three letters, as in "TUR"; empty for the zero Country.
func (c Country) Alpha3() string { return countries.alpha3[c.alpha2] }

// Numeric returns the three digits, as in "792"; empty for the zero Country.
func (c Country) Numeric() string { return countries.numeric[c.alpha2] }

// IsZero reports whether c is no country.
func (c Country) IsZero() bool { return c.alpha2 == "" }

// String returns the two letters.
func (c Country) String() string { return c.alpha2 }

// MarshalText returns the two letters, for logs and JSON.
func (c Country) MarshalText() ([]byte, error) { return []byte(c.alpha2), nil }

// UnmarshalText is Parse; empty text becomes the zero Country.
func (c *Country) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*c = Country{}
		return nil
	}
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*c = parsed
	return nil
}
