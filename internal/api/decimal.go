package api

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Decimal is a JSON number kept as its decimal text, so that money never passes
// through a binary fraction: 0.10 as it is, 1e1 as 10. The zero value is an absent number; as a member
// of an answer it is null.
type Decimal string

// DecimalOf is how an amount is shown: with as many fraction digits as its
// currency has.
func DecimalOf(a money.Amount) Decimal { return Decimal(a.Decimal()) }

// Amount reads d as an amount of currency. More fraction digits than the
// currency has are Refused (422); a number out of range is Invalid. field names the member in the fault.
func (d Decimal) Amount(field string, currency money.Currency) (money.Amount, error) {
	a, err := money.Parse(string(d), currency)
	switch {
	case err == nil:
		return a, nil
	case errors.Is(err, money.ErrPrecision):
		return money.Amount{}, fault.New(fault.Refused, CodeAmountPrecision,
			"the amount has more fraction digits than its currency").
			With("currency", currency.Code()).With("exponent", currency.Exponent()).
			OnField(field, "precision", "has more fraction digits than its currency")
	case errors.Is(err, money.ErrRange):
		return money.Amount{}, Invalid().OnField(field, "range", "is out of range")
	}
	return money.Amount{}, Invalid().OnField(field, "malformed", "must be a plain decimal number")
}

// UnmarshalJSON keeps the number's text, with its exponent worked in unless that
// is absurd; null leaves d as it is.
func (d *Decimal) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		return nil
	}
	var n json.Number
	if len(text) == 0 || text[0] == '"' {
		return errors.New("must be a number")
	}
	if err := json.Unmarshal(text, &n); err != nil {
		return errors.New("must be a number")
	}
	*d = Decimal(n)
	if strings.ContainsAny(string(n), "eE") {
		if plain, ok := plainNumber(string(n)); ok {
			*d = Decimal(plain)
		}
	}
	return nil
}

// MarshalJSON writes the text as a number.
func (d Decimal) MarshalJSON() ([]byte, error) {
	if d == "" {
		return []byte("null"), nil
	}
	return json.Marshal(json.Number(d))
}

// Schema describes the number.
func (Decimal) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeNumber, Description: "Exact decimal number."}
}
