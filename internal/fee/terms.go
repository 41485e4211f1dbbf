package fee

import (
	"errors"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/money"
)

// Calculation is how a fee follows from an amount (contract §4.4).
type Calculation string

// The calculations. Except for Tiered they know one fixed part and one rate.
const (
	Fixed         Calculation = "Fixed"
	ByRate        Calculation = "Rate"
	FixedPlusRate Calculation = "FixedPlusRate"
	MaxOf         Calculation = "MaxOf" // the higher of fixed part and rate
	MinOf         Calculation = "MinOf" // the lower of the two
	Tiered        Calculation = "Tiered"
)

// Calculations lists all calculations, in the order of the contract.
func Calculations() []Calculation {
	return []Calculation{Fixed, ByRate, FixedPlusRate, MaxOf, MinOf, Tiered}
}

// TaxType is a tax on fees.
type TaxType string

// The taxes.
const (
	BSMV     TaxType = "Bsmv" // on banking and insurance transactions
	KKDF     TaxType = "Kkdf" // on interest
	KDV      TaxType = "Kdv"
	Stamp    TaxType = "StampTax"
	OtherTax TaxType = "Other"
)

// Tax is a tax on a fee at a rate in force. One that is included lies inside the
// fee: amount × rate ÷ (1 + rate).
type Tax struct {
	Type       TaxType
	Rate       money.Rate
	IsIncluded bool
}

// Tier is the price of the amounts from From up to, but not including, To; a nil
// To is no end. The whole amount has the price of its tier (slab).
type Tier struct {
	From  money.Amount
	To    *money.Amount
	Rate  money.Rate
	Fixed money.Amount
}

// Terms are how a fee is computed. All amounts are in the currency of the fee,
// which is that of the amounts it is computed on.
type Terms struct {
	Calculation Calculation
	Fixed       money.Amount
	Rate        money.Rate
	Min, Max    *money.Amount // of the fee, taxes that are not included aside
	Tiers       []Tier        // of Tiered: without gaps, the first from zero
	Taxes       []Tax
}

// TaxLine is what one tax comes to.
type TaxLine struct {
	Tax
	Amount money.Amount
}

// Charge is what terms come to on an amount.
type Charge struct {
	Fee   money.Amount // with the taxes that are included
	Taxes []TaxLine
}

// Total is the fee with the taxes that it does not include.
func (c Charge) Total() (money.Amount, error) {
	sum := c.Fee
	var err error
	for _, t := range c.Taxes {
		if t.IsIncluded {
			continue
		}
		if sum, err = sum.Add(t.Amount); err != nil {
			return sum, fmt.Errorf("add tax: %w", err)
		}
	}
	return sum, nil
}

// errNoTier says that terms have no price for an amount, which their check
// forbids.
var errNoTier = errors.New("no tier holds the amount")

// On returns the charge on an amount that is not negative. On zero the fixed
// part is still due: a fee for asking a balance. It returns [money.ErrRange] when
// the charge is beyond any amount.
func (t Terms) On(amount money.Amount) (Charge, error) {
	fee, err := t.fee(amount)
	if err != nil {
		return Charge{}, err
	}
	if t.Min != nil && fee.Cmp(*t.Min) < 0 {
		fee = *t.Min
	}
	if t.Max != nil && fee.Cmp(*t.Max) > 0 {
		fee = *t.Max
	}
	c := Charge{Fee: fee}
	for _, tax := range t.Taxes {
		over := int64(hundredPercent)
		if tax.IsIncluded {
			over += int64(tax.Rate)
		}
		line, err := fee.MulDiv(int64(tax.Rate), over, money.HalfUp)
		if err != nil {
			return Charge{}, fmt.Errorf("tax %s: %w", tax.Type, err)
		}
		c.Taxes = append(c.Taxes, TaxLine{tax, line})
	}
	_, err = c.Total()
	return c, err
}

// hundredPercent is the rate of everything, in parts per million.
const hundredPercent money.Rate = 1_000_000

func (t Terms) fee(amount money.Amount) (money.Amount, error) {
	fixed, rate := t.Fixed, t.Rate
	if t.Calculation == Tiered {
		tier, found := t.tierOf(amount)
		if !found {
			return money.Amount{}, errNoTier
		}
		fixed, rate = tier.Fixed, tier.Rate
	}
	part, err := rate.Apply(amount, money.HalfUp)
	if err != nil {
		return money.Amount{}, fmt.Errorf("rate: %w", err)
	}
	switch t.Calculation {
	case Fixed:
		return fixed, nil
	case ByRate:
		return part, nil
	case MaxOf:
		if part.Cmp(fixed) > 0 {
			return part, nil
		}
		return fixed, nil
	case MinOf:
		if part.Cmp(fixed) < 0 {
			return part, nil
		}
		return fixed, nil
	}
	return fixed.Add(part)
}

func (t Terms) tierOf(amount money.Amount) (Tier, bool) {
	for _, tier := range t.Tiers {
		if amount.Cmp(tier.From) >= 0 && (tier.To == nil || amount.Cmp(*tier.To) < 0) {
			return tier, true
		}
	}
	return Tier{}, false
}

// Less returns what c is more than paid, line by line; both are of the same
// terms. What is less is negative.
func (c Charge) Less(paid Charge) (Charge, error) {
	fee, err := c.Fee.Sub(paid.Fee)
	if err != nil {
		return Charge{}, fmt.Errorf("subtract fee: %w", err)
	}
	rest := Charge{Fee: fee}
	for i, line := range c.Taxes {
		d, err := line.Amount.Sub(paid.Taxes[i].Amount)
		if err != nil {
			return Charge{}, fmt.Errorf("subtract tax: %w", err)
		}
		rest.Taxes = append(rest.Taxes, TaxLine{line.Tax, d})
	}
	return rest, nil
}
